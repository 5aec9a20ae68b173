"""The map of vanishing: how many powers of ten a gradient loses on its way back, over two settings of an experiment.

Every point is measured, by the same numbers as :func:`seqviz.gradient_flow`'s. The map begins with a coarse grid and
halves a cell where something changes in it; what lies between measured points is interpolated and never smoothed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from seqviz import cells
from seqviz.checks import choice, instance, number, shown, whole
from seqviz.experiment import Experiment
from seqviz.gradients.abreast import abreast, log10_norms
from seqviz.gradients.fading import decades_per_100
from seqviz.gradients.mapped import Cell, VanishingMap, drawn_again, point_of
from seqviz.gradients.settings import Axis, axis, with_setting
from seqviz.language import later, tr

__all__ = ["VanishingMap", "vanishing_map", "vanishing_maps"]

Array = np.ndarray
_TOGETHER: Final = 32
_DRAWS: Final = 64


def vanishing_map(experiment: Experiment, x: Any, y: Any, **options: Any) -> VanishingMap:
    """The finished map; see :func:`vanishing_maps`, which gives it ever finer."""
    *_, last = vanishing_maps(experiment, x, y, **options)
    return last


def vanishing_maps(
    experiment: Experiment,
    x: Any,
    y: Any,
    *,
    draws: int = 3,
    signal: str | None = None,
    loss: str = "last",
    coarse: int = 4,
    tolerance: float = 1.0,
    jobs: int = 1,
    backend: str | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[VanishingMap]:
    """How many decades the gradient gains or loses per 100 steps, over two settings, ever finer.

    The first map is a coarse grid of one draw; then come the other draws, then the middles of the cells in which
    something changes, until there is nothing between two points. A cell is halved where two of its corners differ by
    more than `tolerance`, or some draw's sign changes between them.

    Args:
        experiment: what stays the same; draw k has its seed plus k.
        x, y: ``("spectral_radius", values)``: a name of :data:`seqviz.gradients.settings.SETTINGS` and rising values.
        draws: how many networks each point is measured on, 1 to 64.
        signal: ``l0.h``, or ``l0.c`` of an LSTM; by default the first layer's state that a gate keeps: c where there
            is one.
        loss: the sum of the outputs at the ``"last"`` step, or of all of them (``"sum"``).
        coarse: every how many points the first grid has one.
        tolerance: in decades per 100 steps.
        jobs: how many processes measure, through joblib (``pip install seqviz[parallel]``); -1 takes every core.
        backend: joblib's; ``"dask"`` asks the machines of the ``distributed.Client`` that is connected.
        stop: asked between any two batches; True ends with what there is.

    Yields:
        :class:`VanishingMap`, one after each batch of networks.

    Raises:
        ValueError: a setting that is not there, changes nothing, or cannot have one of the values.
    """
    instance(experiment, Experiment, later("What is varied"))
    across, up = axis(x, later("The x axis")), axis(y, later("The y axis"))
    if across.name == up.name:
        raise ValueError(tr("The two axes must be two settings, not {name} twice.", name=across.name))
    draws = whole(draws, later("The number of draws"), 1, _DRAWS)
    coarse = whole(coarse, later("The coarse grid's step"), 1, 1000)
    tolerance = number(tolerance, later("The tolerance"))
    choice(loss, later("The loss"), ("last", "sum"))
    signal = _signal(experiment, signal)
    for each in (across, up):
        for value in each.values:
            with_setting(experiment, each.name, value)
    return _refined(_Work(experiment, across, up, draws, signal, loss), coarse, tolerance, _Pool(jobs, backend), stop)


def _signal(experiment: Experiment, signal: str | None) -> str:
    cell = cells.get(experiment.cell)
    kept = [state for state in cell.states if state in cell.keep_gates]
    if signal is None:
        return f"l0.{kept[0] if kept else cell.states[0]}"
    return choice(signal, later("The signal"), [f"l{k}.{s}" for k in range(experiment.num_layers) for s in cell.states])


@dataclass(frozen=True)
class _Work:
    """What is measured, and how."""

    experiment: Experiment
    x: Axis
    y: Axis
    draws: int
    signal: str
    loss: str

    def batches(self, points: list[tuple[int, int, int]]) -> Iterator[list[tuple[int, int, int]]]:
        """Points ``(draw, row, column)`` in parts whose networks have one shape and are few enough."""

        def shape(point: tuple[int, int, int]) -> tuple[Any, ...]:
            e = self.network(point)
            return e.sequence.length, e.hidden_size, e.num_layers

        varied = {self.x.name, self.y.name} & {"length", "hidden_size", "num_layers"}
        ordered = sorted(points, key=shape) if varied else points
        for _, group in itertools.groupby(ordered, shape if varied else lambda point: ()):
            alike = list(group)
            size = min(_TOGETHER, abreast(self.network(alike[0])))
            yield from (alike[k : k + size] for k in range(0, len(alike), size))

    def network(self, point: tuple[int, int, int]) -> Experiment:
        draw, row, column = point
        return drawn_again(point_of(self.experiment, self.x, self.y, column, row), draw)

    def __call__(self, points: list[tuple[int, int, int]]) -> list[float]:
        logs = log10_norms([self.network(point) for point in points], self.signal, self.loss)
        return [decades_per_100(row) for row in logs]


class _Pool:
    """Where batches are measured: here, or in joblib's processes."""

    def __init__(self, jobs: int, backend: str | None) -> None:
        self.jobs = 1 if jobs == 1 else whole(jobs, later("The number of jobs"), -1, 4096)
        self.backend = backend
        if self.jobs == 0:
            raise ValueError(tr("The number of jobs must be 1 or more, or −1 for every core."))
        self._joblib = None
        if self.jobs != 1 or backend is not None:
            try:
                import joblib
            except ImportError:
                raise ValueError(tr("Several jobs need joblib: pip install joblib.")) from None
            self._joblib = joblib

    def _without(self) -> str:
        if self.backend == "dask":
            return tr("For the backend dask, connect to its machines first: client = distributed.Client().")
        return tr(
            "joblib has no backend {backend}; it has loky, threading, multiprocessing and dask.",
            backend=shown(self.backend),
        )

    def map(self, work: _Work, batches: list[Any]) -> Iterator[Any]:
        """Each batch with what was measured, in order."""
        if self._joblib is None:
            yield from ((batch, work(batch)) for batch in batches)
            return
        engine = self._joblib
        try:
            chosen = nullcontext() if self.backend is None else engine.parallel_config(backend=self.backend)
        except (ValueError, ImportError) as error:
            raise ValueError(self._without()) from error
        with chosen:
            asked = engine.Parallel(n_jobs=self.jobs if len(batches) > 1 else 1, return_as="generator")(
                engine.delayed(work)(batch) for batch in batches
            )
            yield from zip(batches, asked, strict=True)


def _lines(count: int, step: int) -> list[int]:
    """Every so many places, the last one always."""
    return [*range(0, count - 1, step), count - 1]


def _refined(
    work: _Work, coarse: int, tolerance: float, pool: _Pool, stop: Callable[[], bool]
) -> Iterator[VanishingMap]:
    shape = (work.draws, len(work.y), len(work.x))
    decades, measured = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
    columns, rows = _lines(len(work.x), coarse), _lines(len(work.y), coarse)
    found: list[Cell] = [(*u, *v) for v in itertools.pairwise(rows) for u in itertools.pairwise(columns)]
    coarser: list[Cell] = []

    def so_far(progress: float) -> VanishingMap:
        places = (work.experiment, work.x, work.y, work.signal)
        return VanishingMap(*places, decades.copy(), measured.copy(), progress, (*found, *coarser))

    first = [(0, row, column) for row in rows for column in columns]
    wanted = [first, [(k, row, column) for k in range(1, work.draws) for _, row, column in first]]
    levels = 1 + int(np.ceil(np.log2(max(2, coarse))))
    for level in itertools.count():
        done, planned = 0, sum(map(len, wanted))
        for part in wanted:
            for batch, values in pool.map(work, list(work.batches(part))):
                index = tuple(np.array(batch).T)
                decades[index], measured[index] = values, True
                done += len(batch)
                yield so_far(min(0.99, (min(level, levels - 1) + done / planned) / levels))
                if stop():
                    return
        # Until a half is measured, the whole is shown.
        coarser = found
        found, corners = _halved(found, decades, tolerance)
        wanted = [[(k, *place) for k in range(work.draws) for place in sorted(corners) if not measured[k][place]]]
        if not wanted[0]:
            coarser = []
            yield so_far(1.0)
            return


def _halved(found: list[Cell], decades: Array, tolerance: float) -> tuple[list[Cell], set[tuple[int, int]]]:
    """The cells with those halved in which something changes, and the corners that this needs."""
    cells_now: list[Cell] = []
    new: set[tuple[int, int]] = set()
    for left, right, low, high in found:
        corners = decades[:, [low, low, high, high], [left, right, left, right]]
        if (right - left < 2 and high - low < 2) or not _changes(corners, tolerance):
            cells_now.append((left, right, low, high))
            continue
        xs, ys = _halves(left, right), _halves(low, high)
        new |= {(y, x) for y in ys for x in xs}
        cells_now += [(*u, *v) for v in itertools.pairwise(ys) for u in itertools.pairwise(xs)]
    return cells_now, new


def _halves(first: int, last: int) -> list[int]:
    return [first, (first + last) // 2, last] if last - first > 1 else [first, last]


def _changes(corners: Array, tolerance: float) -> bool:
    """Whether the corners ``(draws, 4)`` differ, some draw's sign changes between them, or some are no numbers."""
    if np.isnan(corners).any():
        return not bool(np.isnan(corners).all())
    lost = corners < 0
    return bool(np.ptp(corners.mean(axis=0)) > tolerance or (lost != lost[:, :1]).any())
