"""Steps and CPU seconds until a task is solved, one thread, three seeds: ``python benchmarks/training.py [--short]``.

Seconds are the process's own CPU time, so that a busy machine counts little; steps do not depend on it at all.
"""

# ruff: noqa: E402  (the number of threads is read when numpy is imported)
from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import time
from dataclasses import replace

import torch
from _ending import options, write

from seqviz.tasks import task
from seqviz.training import RECIPES, prepare, train

LATCH = replace(RECIPES["latch"]["LSTM, chrono"], memory=200, max_steps=1000)
CASES = {
    "adding 50": (task("adding"), RECIPES["adding"]["LSTM, chrono"]),
    "latch 200": (task("latch").at_length(200), LATCH),
    "parity 16": (task("parity"), RECIPES["parity"]["LSTM"]),
    "Dyck-2": (task("brackets"), RECIPES["brackets"]["LSTM, forget bias 1"]),
}


def main() -> None:
    """Run, print, write."""
    asked = options(__doc__)
    torch.set_num_threads(1)
    results = {}
    for name, (found, own) in CASES.items():
        recipe = replace(own, max_steps=3, every=1) if asked.short else own
        rows = []
        for seed in range(1 if asked.short else 3):
            start = time.process_time()
            last = list(train(prepare(found, recipe, seed), found, recipe, seed=seed))[-1]
            whole = time.process_time() - start
            rows.append({"steps": last.step, "cpu_s": whole, "solved": last.solved,
                         "checkpoints_share": 1 - last.seconds / whole})  # fmt: skip
        results[name] = rows
        seconds = ", ".join(f"{r['steps']} steps in {r['cpu_s']:.1f} s" for r in rows)
        print(f"{name}: {seconds} (goal 10 s); solved {sum(r['solved'] for r in rows)} of {len(rows)}")
    write("training", results, asked.short)


if __name__ == "__main__":
    main()
