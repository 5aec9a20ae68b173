"""What the map of vanishing costs, beside asking ``gradient_flow`` point by point.

    python benchmarks/map.py [--jobs 2] [--short]

33 x 41 points, three draws, an LSTM and a GRU of 32 units over 100 steps. The plain loop is timed on a part of the
points, taken evenly, in turn with the map and by the processor's clock. ``jobs`` is by the wall's clock, on a map that
is measured at every point, with processes that have started; on a machine with other work it says nothing.
"""

# ruff: noqa: E402  (the number of threads is read when numpy is imported)
from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import time
from typing import Any

import numpy as np
import torch
from _ending import options, write

from seqviz import Experiment, Sequence, VanishingMap, gradient_flow, network, vanishing_map, vanishing_maps
from seqviz.gradients.fading import decades_per_100
from seqviz.runner import inputs


def plain(found: VanishingMap, points: int) -> float:
    """Processor seconds of all points, from some of them; each is held against the map's value."""
    places = np.argwhere(found.measured)
    chosen = places[np.linspace(0, len(places) - 1, points).round().astype(int)]
    start = time.process_time()
    values = []
    for draw, row, column in chosen:
        e = found.at(column, row, draw)
        flow = gradient_flow(network(e).double(), inputs(e).double())
        values.append(decades_per_100(flow.log10_norms(found.signal)))
    took = (time.process_time() - start) / points * found.measured.size
    np.testing.assert_allclose(values, found.decades[tuple(chosen.T)], atol=1e-6)
    return took


def measured(experiment: Experiment, x: Any, y: Any) -> tuple[VanishingMap, float, float]:
    """The map, its processor seconds, and the wall's until there is a coarse picture without holes."""
    start, begun, first = time.process_time(), time.perf_counter(), 0.0
    for found in vanishing_maps(experiment, x, y):
        if not first and found.measured[0, ::4, ::4].all():
            first = time.perf_counter() - begun
    return found, time.process_time() - start, first


def jobs(experiment: Experiment, x: Any, y: Any, count: int) -> float:
    """How many times as fast it is with so many processes."""
    vanishing_map(experiment, x, y, draws=1, jobs=count)
    took = {}
    for many in (1, count):
        start = time.perf_counter()
        vanishing_map(experiment, x, y, coarse=1, jobs=many)
        took[many] = time.perf_counter() - start
    return took[1] / took[count]


def main() -> None:
    """Run, print, write."""
    asked = options(__doc__, jobs=2)
    torch.set_num_threads(1)
    columns, rows, size, steps = (5, 5, 4, 20) if asked.short else (33, 41, 32, 100)
    x, y = ("spectral_radius", np.geomspace(0.25, 4, columns)), ("forget_bias", np.linspace(-2, 8, rows))
    result: dict[str, Any] = {}
    for cell in ("LSTM", "GRU"):
        experiment = Experiment(cell, 1, size, sequence=Sequence("noise", steps))
        found, took, first = measured(experiment, x, y)
        loop = plain(found, 5 if asked.short else 150)
        result[cell] = {"map_over_plain_loop": took / loop, "measured": float(found.measured.mean()), "first_s": first}
        print(
            f"{cell}: {took:.1f} s against {loop:.1f} s point by point, {took / loop:.2f} of it (goal 0.5); "
            f"{found.measured.mean():.0%} of the points measured; the first picture after {first:.1f} s (goal 2)"
        )
    if not asked.short:
        result["times_as_fast_with_jobs"] = jobs(experiment, x, y, asked.jobs)
        print(f"{asked.jobs} jobs: {result['times_as_fast_with_jobs']:.2f} times as fast")
    write("map", result, asked.short)


if __name__ == "__main__":
    main()
