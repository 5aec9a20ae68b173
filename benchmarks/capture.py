"""What capturing every signal costs, in units of torch's fused forward, and how much memory it holds.

    python benchmarks/capture.py [--rounds 5] [--short]

Three ways are timed in turn, call by call, in the same process and on one thread: torch's fused layer on its own,
``seqviz.capture`` (the layer's own forward is inside), and a step loop through modules with a hook at every
signal, by the processor's clock, which other programs move less than the wall's. A round takes the least of many
calls of each; the table shows the median over the rounds, and goes to ``benchmarks/results/capture.json``.
"""

# ruff: noqa: E402  (the number of threads is read when numpy is imported)
from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import platform
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from _ending import options, write
from torch import nn

from seqviz.capture import capture
from seqviz.networks.modules import HookPoint, instrument
from seqviz.trace import Trace

SHAPES = {
    (32, 1, 8, 16): 2.5,
    (128, 1, 8, 32): 2.5,
    (512, 1, 16, 64): 1.6,
    (1000, 1, 32, 128): 1.6,
    (128, 64, 32, 128): 2.3,
    (1000, 32, 64, 256): 2.3,
}
"""(L, N, H_in, H) and the largest ratio to the fused forward that is good enough."""

SHORT = {(32, 1, 8, 16): 2.5, (16, 4, 8, 16): 2.5}
"""What a short run measures."""


def hooked_loop(layer: nn.LSTM) -> Callable[[torch.Tensor], Any]:
    """The instrumented twin with a hook that keeps the value of every signal at every step."""
    twin = instrument(layer)
    kept: dict[str, list[torch.Tensor]] = {}
    for name in ("i", "f", "g", "o", "c", "h"):
        values = kept.setdefault(name, [])

        def keep(point: Any, args: Any, out: torch.Tensor, values: list[torch.Tensor] = values) -> None:
            values.append(out)

        point = twin.get_submodule(f"l0.{name}")
        assert isinstance(point, HookPoint)
        point.register_forward_hook(keep)

    def run(x: torch.Tensor) -> Any:
        for values in kept.values():
            values.clear()
        with torch.no_grad():
            twin(x)
        return {name: torch.stack(values) for name, values in kept.items()}

    return run


def timed(function: Callable[[], Any]) -> float:
    start = time.thread_time()
    result = function()
    end = time.thread_time()
    del result
    return end - start


def measure(shape: tuple[int, int, int, int], rounds: int) -> dict[str, Any]:
    """Medians in milliseconds and ratios for one shape."""
    steps, batch, inner, size = shape
    torch.manual_seed(0)
    layer, x = nn.LSTM(inner, size), torch.randn(steps, batch, inner)
    loop = hooked_loop(layer)

    def fused() -> Any:
        with torch.no_grad():
            return layer(x)

    once = max(timed(fused), 1e-5)
    calls = max(3, min(200, int(0.15 / once)))
    rows: dict[str, list[float]] = {"fused": [], "capture": [], "loop": []}
    for _ in range(rounds):
        taken: dict[str, list[float]] = {"fused": [], "capture": []}
        for _ in range(calls):
            taken["fused"].append(timed(fused))
            taken["capture"].append(timed(lambda: capture(layer, x)))
        for name, values in taken.items():
            rows[name].append(min(values))
        rows["loop"].append(timed(lambda: loop(x)))
    ratios = [c / f for c, f in zip(rows["capture"], rows["fused"], strict=True)]
    trace = capture(layer, x)
    return {
        "shape": shape,
        "fused_ms": statistics.median(rows["fused"]) * 1e3,
        "capture_ms": statistics.median(rows["capture"]) * 1e3,
        "ratio": statistics.median(ratios),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
        "loop_over_capture": statistics.median(rows["loop"]) / statistics.median(rows["capture"]),
        "memory": held(trace) / trace.nbytes,
        "parity": trace.parity,
    }


def held(trace: Trace) -> int:
    """Bytes of the different buffers that a trace keeps alive."""
    buffers: dict[int, int] = {}
    for array in (*trace.arrays.values(), *trace.initial.values()):
        owner: Any = array
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        start = owner.__array_interface__["data"][0]
        buffers[start] = max(buffers.get(start, 0), owner.nbytes)
    return sum(buffers.values())


def main() -> None:
    asked = options(__doc__, rounds=5)
    shapes, rounds = (SHORT, 1) if asked.short else (SHAPES, asked.rounds)
    torch.set_num_threads(1)
    print("       L, N, H_in, H  fused ms  capture        range  goal loop/ours  memory   parity")
    rows = []
    for shape, goal in shapes.items():
        row = {**measure(shape, rounds), "goal": goal}
        rows.append(row)
        spread = f"{row['ratio_min']:.2f}-{row['ratio_max']:.2f}"
        print(
            f"{', '.join(map(str, shape)):>20} {row['fused_ms']:9.3f} {row['ratio']:7.2f}x {spread:>12} "
            f"{row['goal']:5.1f} {row['loop_over_capture']:8.1f}x {row['memory']:7.2f} {row['parity']:8.0e}"
        )
    about = {"torch": torch.__version__, "numpy": np.__version__, "machine": platform.machine(), "threads": 1}
    write("capture", {**about, "rounds": rounds, "rows": rows}, asked.short)


if __name__ == "__main__":
    main()
