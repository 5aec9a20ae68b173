"""What drawing costs training: the same run in the app with a browser watching, and on its own.

    python benchmarks/drawing.py [--rounds 2] [--short]

The run is 1,500 steps of a recipe that does not solve its task, so that both ways take the same steps. Wall
time, in turn; the ratio goes to ``benchmarks/results/drawing.json``.
"""

# ruff: noqa: E402  (the number of threads is read when numpy is imported)
from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import statistics
import time
from typing import Any

import torch
from _apps import ROOT, chromium, served
from _ending import options, write

from seqviz.tasks import task
from seqviz.training import RECIPES, prepare, train

LONG = "order", "LSTM, forget bias 1"
SHORT = "parity_end", "LSTM, all at once"


def alone(name: str, label: str) -> float:
    """Seconds without an app."""
    found, recipe = task(name), RECIPES[name][label]
    start = time.perf_counter()
    for _ in train(prepare(found, recipe), found, recipe):
        pass
    return time.perf_counter() - start


def watched(browser: Any, address: str, name: str, label: str) -> float:
    """Seconds from pressing Train to the last checkpoint, in a browser that draws them all."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(f"{address}/training")
    page.wait_for_selector(".sv-scope[data-drawn]")
    for box, option in (("Task", task(name).label), ("Network and recipe", label)):
        page.get_by_role("combobox", name=box).click()
        page.get_by_role("option", name=option, exact=True).click()
        page.wait_for_function("document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'")
    start = time.perf_counter()
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_function(
        "document.querySelector('.sv-learning .sv-status')?.textContent.includes('ran out')", timeout=120_000
    )
    took = time.perf_counter() - start
    page.close()
    return took


def main() -> None:
    """Run, print, write."""
    asked = options(__doc__, rounds=2)
    what = SHORT if asked.short else LONG
    torch.set_num_threads(1)
    pairs = []
    with chromium() as browser, served(ROOT / "app.py") as address:
        for _ in range(1 if asked.short else asked.rounds):
            pairs.append((watched(browser, address, *what), alone(*what)))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"training with a browser watching takes {ratio:.2f} of the time alone (goal 1.2)")
    write("drawing", {"watched_over_alone": ratio, "pairs_s": pairs}, asked.short)


if __name__ == "__main__":
    main()
