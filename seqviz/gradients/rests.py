"""Fixed points as they were found, and the plane on which they and a run are drawn. No torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

__all__ = ["FixedPoints", "Principal", "principal"]

Array = np.ndarray

NEUTRAL: Final = 1e-6
"""An eigenvalue so near to 1 in size changes nothing within a million steps."""


@dataclass(frozen=True, eq=False, repr=False)
class FixedPoints:
    """Where a network rests, most stable first.

    Args:
        states: ``(K, S)`` float64: h, and (h, c) for an LSTM, in the order of its Jacobians.
        eigenvalues: ``(K, S)`` complex, of the step's Jacobian there, largest first.
        residual: ``(K,)``: the norm of F(s) - s.
        found: ``(K,)``: how many of the starts were led there.
        input: ``(H_in,)``: the input that stays.
        starts: how many there were; those that settled nowhere are in no point.
        size: the number of units; the first `size` numbers of a state are h.
        slow: ``(M, S)``: where starts came to that settled nowhere, and where next to nothing moves: the norm of
            F(s) - s is at most a ten thousandth of 1 + the norm of s.
        drift: ``(M,)``: that norm, at each of them.
    """

    states: Array
    eigenvalues: Array
    residual: Array
    found: Array
    input: Array
    starts: int
    size: int = field(default=0)
    slow: Array = field(default_factory=lambda: np.empty((0, 0)))
    drift: Array = field(default_factory=lambda: np.empty(0))

    def __len__(self) -> int:
        return len(self.states)

    def __repr__(self) -> str:
        return f"FixedPoints({len(self)} points, {int(self.stable.sum())} stable, from {self.starts:,} starts)"

    @property
    def h(self) -> Array:
        """The hidden states, ``(K, H)``."""
        return self.states[:, : self.size]

    @property
    def radius(self) -> Array:
        """The largest ``|eigenvalue|`` of each, ``(K,)``."""
        found: Array = np.abs(self.eigenvalues).max(axis=1, initial=0.0)
        return found

    @property
    def stable(self) -> Array:
        """``(K,)`` bool: every small change shrinks, to half of it within a million steps."""
        found: Array = self.radius < 1 - NEUTRAL
        return found

    @property
    def neutral(self) -> Array:
        """``(K,)`` bool: it neither returns nor leaves within a million steps. What is put there, or beside it, stays:
        a line of such points holds a number."""
        found: Array = ~self.stable & (self.unstable_directions == 0)
        return found

    @property
    def lingers(self) -> bool:
        """Whether one start in a hundred or more came to where next to nothing moves; fewer ran out of steps."""
        return 0 < len(self.slow) >= 0.01 * self.starts

    @property
    def unstable_directions(self) -> Array:
        """How many directions lead away from each, ``(K,)``; a saddle has some and not all."""
        found: Array = (np.abs(self.eigenvalues) > 1 + NEUTRAL).sum(axis=1)
        return found


@dataclass(frozen=True, eq=False)
class Principal:
    """The two directions in which states differ most: ``(state - mean) @ axes.T`` gives a place.

    A share of 0 is that of a direction in which they do not differ."""

    mean: Array
    axes: Array
    share: Array

    def place(self, states: Array) -> Array:
        """States ``(N, S)`` to ``(N, 2)``."""
        found: Array = (states - self.mean) @ self.axes.T
        return found


def principal(states: Any, others: Any = None) -> Principal:
    """The first two principal components of states ``(N, S)``, and the shares of the variance that they show.

    Where those differ in no direction or in one alone, as the states of a run that holds still, the rest of the plane
    is where `others` ``(M, S)`` lie farthest from their mean.
    """
    array = np.asarray(states, dtype=np.float64)
    mean = array.mean(axis=0)
    sizes, axes = _directions(array - mean)
    total = float(np.square(sizes).sum())
    shares = np.square(sizes) / total if total else np.zeros(0)
    if len(axes) < 2 and others is not None and len(others):
        beside = np.asarray(others, dtype=np.float64) - mean
        axes = np.concatenate([axes, _directions(beside - beside @ axes.T @ axes)[1]])
    axes, shares = (np.concatenate([part, np.zeros((2, *part.shape[1:]))])[:2] for part in (axes, shares))
    # The sign of a component is free: its largest weight is positive, so that equal runs give equal pictures.
    axes = axes * np.where(axes[np.arange(2), np.abs(axes).argmax(axis=1)] < 0, -1.0, 1.0)[:, None]
    return Principal(mean, axes, shares)


def _directions(states: Array) -> tuple[Array, Array]:
    """How far states ``(N, S)`` differ in each direction, largest first, and the directions; none that is rounding."""
    _, sizes, axes = np.linalg.svd(states, full_matrices=False)
    there = sizes > 1e-9 * max(1.0, float(np.abs(states).max(initial=0.0)))
    return sizes[there], axes[there]
