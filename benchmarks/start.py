"""From the process's start to the first heatmap, beside the naive app; and what ``import seqviz`` adds to torch.

python benchmarks/start.py [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from _apps import RESULTS, ROOT, chromium, served

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
            page.wait_for_function(ready, timeout=60_000)
            return time.perf_counter() - start


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    found = imports(rounds + 2)
    print(f"import seqviz takes {found['ratio']:.2f} of torch's own import on top of it")
    ours, naive = [], []
    for _ in range(rounds):
        ours.append(first_picture(ROOT / "app.py", "document.querySelector('.sv-scope')?.dataset.drawn"))
        charts = "document.querySelectorAll('.js-plotly-plot .gtitle').length >= 7"
        naive.append(first_picture(ROOT / "benchmarks" / "naive_app.py", charts))
    ratio = statistics.median(ours) / statistics.median(naive)
    print(f"process start to first picture: {ratio:.2f} of the naive app's ({statistics.median(ours):.1f} s here)")
    result = {
        "import": found,
        "start_s": statistics.median(ours),
        "naive_start_s": statistics.median(naive),
        "start_ratio": ratio,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "start.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
