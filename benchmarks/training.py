"""Steps and CPU seconds until a task is solved, one thread, three seeds: ``python benchmarks/training.py``.

Seconds are the process's own CPU time, so that a busy machine counts little; steps do not depend on it at all.
"""

# ruff: noqa: E402  (the number of threads is read when numpy is imported)
from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import json
import time
from dataclasses import replace
from pathlib import Path

import torch

from seqviz.tasks import task
from seqviz.training import RECIPES, prepare, train

RESULTS = Path(__file__).parent / "results"
LATCH = replace(RECIPES["latch"]["LSTM, chrono"], memory=200, max_steps=1000)
CASES = {
    "adding 50": (task("adding"), RECIPES["adding"]["LSTM, chrono"]),
    "latch 200": (task("latch").at_length(200), LATCH),
    "parity 16": (task("parity"), RECIPES["parity"]["LSTM"]),
    "Dyck-2": (task("brackets"), RECIPES["brackets"]["LSTM, forget bias 1"]),
}


def main() -> None:
    """Run, print, write."""
    torch.set_num_threads(1)
    results = {}
    for name, (found, recipe) in CASES.items():
        rows = []
        for seed in range(3):
            start = time.process_time()
            last = list(train(prepare(found, recipe, seed), found, recipe, seed=seed))[-1]
            whole = time.process_time() - start
            rows.append({"steps": last.step, "cpu_s": whole, "solved": found.is_solved(last.score),
                         "checkpoints_share": 1 - last.seconds / whole})  # fmt: skip
        results[name] = rows
        seconds = ", ".join(f"{r['steps']} steps in {r['cpu_s']:.1f} s" for r in rows)
        print(f"{name}: {seconds} (goal 10 s); solved {sum(r['solved'] for r in rows)} of 3")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "training.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
