"""What a long run in blocks costs, in units of torch's fused forward, and how much memory it holds.

    python benchmarks/blocks.py [--rounds 3] [--short]

Timed in turn, in the same process, on one thread and by the processor's clock: torch's fused layer over the whole
sequence in one call, the same in blocks with the states handed on, and ``seqviz.capture_blocks``, which writes every
signal to disk. An LSTM of 128 units on 64 inputs, 1,000,000 steps, whose input lies on disk (256 MB; the signals are
another 3.1 GB in the folder for temporary files), and the same in both directions, of which torch in blocks is the
forward one alone, twice. Memory is what the process holds of its own, not what it maps,
above what it held before; it is looked at after every block. Figures go to ``benchmarks/results/blocks.json``.
"""

# ruff: noqa: E402  (the number of threads is read when numpy is imported)
from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import platform
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _ending import options, write
from numpy.lib.format import open_memmap
from torch import nn

import seqviz

INPUTS, UNITS, GOAL = 64, 128, 2.2


def draw(folder: Path, steps: int) -> Any:
    """An input on disk, ``(L, 1, H_in)``."""
    x = open_memmap(folder / "x.npy", "w+", np.float32, (steps, 1, INPUTS))
    source = np.random.default_rng(0)
    for start in range(0, steps, 65_536):
        x[start : start + 65_536] = source.standard_normal(x[start : start + 65_536].shape, np.float32)
    x.flush()
    return np.load(folder / "x.npy", mmap_mode="c")


def held() -> int:
    """Bytes of memory that are the process's own."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")), 0)


def timed(function: Any) -> float:
    start = time.thread_time()
    function()
    return time.thread_time() - start


def measure(folder: Path, steps: int, block: int, rounds: int, *, both: bool) -> dict[str, Any]:
    """Medians and ratios for one size of block, in one direction or in both."""
    torch.manual_seed(0)
    layer, x = nn.LSTM(INPUTS, UNITS, bidirectional=both), np.load(folder / "x.npy", mmap_mode="c")
    forward = nn.LSTM(INPUTS, UNITS)
    peak = before = held()

    def whole() -> None:
        with torch.no_grad():
            layer(torch.from_numpy(x))

    def fused() -> None:
        with torch.no_grad():
            for _ in range(2 if both else 1):
                hx = None
                for start in range(0, steps, block):
                    _, hx = forward(torch.from_numpy(x[start : start + block]), hx)

    def look(done: int, total: int) -> None:
        nonlocal peak
        peak = max(peak, held())

    def ours() -> None:
        trace = seqviz.capture_blocks(layer, x, folder / "run", block=block, progress=look, resume=False)
        parity.append(trace.parity)

    parity: list[float] = []
    ours()
    memory, parity = peak - before, []
    rows = [(timed(whole), timed(fused), timed(ours)) for _ in range(rounds)]
    return {
        "steps": steps,
        "directions": 2 if both else 1,
        "block": block,
        "whole_s": statistics.median(row[0] for row in rows),
        "ratio_whole": statistics.median(row[2] / row[0] for row in rows),
        "ratio_blocks": statistics.median(row[2] / row[1] for row in rows),
        "memory": memory,
        "trace": seqviz.Trace.open(folder / "run").nbytes,
        "parity": max(parity),
    }


def main() -> None:
    asked = options(__doc__, rounds=3)
    steps, blocks, rounds = (3000, (512, 1024), 1) if asked.short else (1_000_000, (1024, 4096, 8192), asked.rounds)
    torch.set_num_threads(1)
    print("    steps  directions  block  fused s  against one call  against blocks  goal  memory MB  of MB   parity")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        draw(Path(name), steps)
        for block, both in [*((block, False) for block in blocks), (blocks[1], True)]:
            row = measure(Path(name), steps, block, rounds, both=both) | {"goal": GOAL}
            rows.append(row)
            print(
                f"{steps:9,} {row['directions']:11} {block:6,} {row['whole_s']:8.2f} {row['ratio_whole']:16.2f}x "
                f"{row['ratio_blocks']:14.2f}x {GOAL:5.1f} {row['memory'] / 1e6:10.1f} "
                f"{row['trace'] / 1e6:6.0f} {row['parity']:8.0e}"
            )
    about = {"torch": torch.__version__, "numpy": np.__version__, "machine": platform.machine(), "threads": 1}
    write("blocks", {**about, "rounds": rounds, "rows": rows}, asked.short)


if __name__ == "__main__":
    main()
