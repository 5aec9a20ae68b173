"""A map of vanishing as it was measured: its values, what lies between them, and its lines. No torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from seqviz.experiment import Experiment
from seqviz.gradients.settings import Axis, with_setting

__all__ = ["HALF", "Cell", "VanishingMap", "drawn_again", "filled", "point_of"]

Array = np.ndarray
Cell = tuple[int, int, int, int]
"""First and last column, first and last row."""

HALF: Final = float(np.log10(0.5))
"""The decades that are lost where half is left."""


@dataclass(frozen=True, eq=False, repr=False)
class VanishingMap:
    """Decades gained per 100 steps of the way back (negative: lost) over two settings.

    Args:
        experiment: what was varied.
        x, y: the settings and their values.
        signal: where the gradient was measured, ``l0.c`` or ``l0.h``.
        decades: ``(draws, rows of y, columns of x)``: of every point that was measured; NaN where it was not, or
            where the network overflowed or fewer than two steps get any gradient.
        measured: of the same shape, which points were.
        progress: from 0 to 1.
        cells: the rectangles between whose corners nothing more is measured: ``(first column, last column, first
            row, last row)``; before the end, behind them, those that they are parts of.
    """

    experiment: Experiment
    x: Axis
    y: Axis
    signal: str
    decades: Array
    measured: Array
    progress: float
    cells: tuple[Cell, ...] = field(default=())

    def __repr__(self) -> str:
        draws, rows, columns = self.decades.shape
        size = f"{columns} x {rows} points, {draws} draws, {int(self.measured.sum()):,} networks"
        return f"VanishingMap({self.x.name} x {self.y.name}, {self.signal}, {size}, progress={self.progress:.2f})"

    @property
    def done(self) -> bool:
        """Whether everything that was planned has been measured."""
        return self.progress >= 1.0

    def filled(self, draw: int | None = None) -> Array:
        """``(rows, columns)``: a draw, or the mean of all; between measured points bilinear, by place on the grid."""
        values = _mean(self.decades) if draw is None else self.decades[draw]
        return filled(values, self.cells)

    def low(self) -> Array:
        """The least of the draws that were measured at every point, filled."""
        found: Array = np.fmin.reduce([self.filled(k) for k in range(len(self.decades))])
        return found

    def high(self) -> Array:
        """The most of the draws that were measured at every point, filled."""
        found: Array = np.fmax.reduce([self.filled(k) for k in range(len(self.decades))])
        return found

    def split(self, level: float = 0.0) -> Array:
        """``(rows, columns)`` bool: where some draws lie above `level` and others below, the band of the line."""
        found: Array = (self.low() < level) & (self.high() > level)
        return found

    def crossings(self, level: float = 0.0, draw: int | None = None) -> list[list[float]]:
        """For every column of x, the values of y at which the map crosses `level`, rising, by linear interpolation.

        Without `draw` it is the line of the mean.
        """
        heights, values = np.asarray(self.y.values), self.filled(draw) - level
        found = []
        for column in values.T:
            a, b = column[:-1], column[1:]
            at = np.flatnonzero((a < 0) != (b < 0))
            at = at[np.isfinite(a[at]) & np.isfinite(b[at])]
            share = a[at] / (a[at] - b[at])
            found.append((heights[at] + share * (heights[at + 1] - heights[at])).tolist())
        return found

    def reached(self, column: int, level: float = 0.0) -> float | None:
        """The value of y from which on a column of the mean stays at a level or above it.

        None where its end lies below, NaN where nothing was measured at its end.
        """
        values = self.filled()[:, column]
        if np.isnan(values[-1]):
            return float("nan")
        if values[-1] < level:
            return None
        crossed = self.crossings(level)[column]
        return crossed[-1] if crossed else self.y.values[0]

    def at(self, column: int, row: int, draw: int = 0) -> Experiment:
        """The network of a point: the experiment to open."""
        return drawn_again(point_of(self.experiment, self.x, self.y, column, row), draw)


def _mean(values: Array) -> Array:
    """The mean of the draws that were measured."""
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=0)
    with np.errstate(invalid="ignore"):
        found: Array = total / known.sum(axis=0)
    return found


def filled(values: Array, leaves: Iterable[Cell]) -> Array:
    """Values ``(rows, columns)`` whose NaN inside the cells are interpolated from the cells' corners."""
    found = values.copy()
    for left, right, low, high in leaves:
        corners = values[[low, low, high, high], [left, right, left, right]]
        u = np.linspace(0.0, 1.0, right - left + 1)
        v = np.linspace(0.0, 1.0, high - low + 1)[:, None]
        plane = (corners[0] * (1 - u) + corners[1] * u) * (1 - v) + (corners[2] * (1 - u) + corners[3] * u) * v
        here = found[low : high + 1, left : right + 1]
        here[np.isnan(here)] = plane[np.isnan(here)]
    return found


def drawn_again(experiment: Experiment, draw: int) -> Experiment:
    """The experiment with the weights of another draw: its seed plus `draw`."""
    init = experiment.init
    return replace(experiment, init=replace(init, seed=(init.seed + draw) % 2**31))


def point_of(experiment: Experiment, x: Axis, y: Axis, column: int, row: int) -> Experiment:
    """The experiment of a place on the grid."""
    return with_setting(with_setting(experiment, x.name, x.values[column]), y.name, y.values[row])
