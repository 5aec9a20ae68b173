"""From the process's start to the first heatmap, beside the naive app; and what ``import seqviz`` adds to torch.

    python benchmarks/start.py [--rounds 3] [--short]

The two apps start in turn, each in a browser that has seen nothing yet. Ratios of medians go to
``benchmarks/results/start.json``.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from _apps import ROOT, chromium, served
from _ending import options, write

CHARTS = ".js-plotly-plot .gtitle"
IMPORT = """
import time
start = time.perf_counter()
import torch
middle = time.perf_counter()
import seqviz
print(middle - start, time.perf_counter() - middle)
"""


def imports(rounds: int) -> dict[str, float]:
    """Medians of torch's own import and of what seqviz adds, in fresh processes."""
    pairs = []
    for _ in range(rounds):
        out = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True, cwd=ROOT)
        pairs.append([float(v) for v in out.stdout.split()])
    torch_s, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
    return {"torch_s": torch_s, "seqviz_on_top_s": ours, "ratio": ours / torch_s}


def first_picture(script: Path, ready: str) -> float:
    """Seconds from spawning the process to a picture in a fresh browser."""
    with chromium() as browser:
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        start = time.perf_counter()
        with served(script) as address:
            page.goto(address)
            page.wait_for_function(ready, timeout=120_000)
            return time.perf_counter() - start


def starts(rounds: int) -> dict[str, float]:
    """Medians of both apps' starts, made in turn, and their ratio."""
    apps = {
        "ours": (ROOT / "app.py", "document.querySelector('.sv-scope')?.dataset.drawn"),
        "naive": (Path(__file__).with_name("naive_app.py"), f"document.querySelectorAll('{CHARTS}').length >= 7"),
    }
    times: dict[str, list[float]] = {name: [] for name in apps}
    for k in range(rounds):
        for name in sorted(apps, reverse=bool(k % 2)):
            times[name].append(first_picture(*apps[name]))
    ours, naive = (statistics.median(times[name]) for name in ("ours", "naive"))
    return {"ours_s": ours, "naive_s": naive, "ratio": ours / naive}


def main() -> None:
    """Run, print, write."""
    asked = options(__doc__, rounds=3)
    rounds = 1 if asked.short else asked.rounds
    load = os.getloadavg()[0]
    imported = imports(1 if asked.short else rounds + 2)
    print(f"import seqviz takes {imported['ratio']:.2f} of torch's own import on top of it")
    started = starts(rounds)
    print(f"process start to first picture: {started['ratio']:.2f} of the naive app's")
    found = {"import": imported, "start": started, "load": load}
    write("start", found, asked.short)


if __name__ == "__main__":
    main()
