"""Fixed points as they were found, and the plane on which they and a run are drawn. No torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["FixedPoints", "Principal", "principal"]

Array = np.ndarray


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
    """

    states: Array
    eigenvalues: Array
    residual: Array
    found: Array
    input: Array
    starts: int
    size: int = field(default=0)

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
        """``(K,)`` bool: every small change shrinks. An eigenvalue of size 1, up to rounding, is not stable."""
        found: Array = self.radius < 1 - 1e-9
        return found

    @property
    def unstable_directions(self) -> Array:
        """How many directions lead away from each, ``(K,)``; a saddle has some and not all."""
        found: Array = (np.abs(self.eigenvalues) > 1 + 1e-9).sum(axis=1)
        return found


@dataclass(frozen=True, eq=False)
class Principal:
    """The two directions in which states differ most: ``(state - mean) @ axes.T`` gives a place."""

    mean: Array
    axes: Array
    share: Array

    def place(self, states: Array) -> Array:
        """States ``(N, S)`` to ``(N, 2)``."""
        found: Array = (states - self.mean) @ self.axes.T
        return found


def principal(states: Any) -> Principal:
    """The first two principal components of states ``(N, S)``, and the shares of the variance that they show."""
    array = np.asarray(states, dtype=np.float64)
    mean = array.mean(axis=0)
    _, sizes, axes = np.linalg.svd(array - mean, full_matrices=False)
    axes = np.concatenate([axes, np.zeros((2, array.shape[1]))])[:2]
    # The sign of a component is free: its largest weight is positive, so that equal runs give equal pictures.
    axes = axes * np.where(axes[np.arange(2), np.abs(axes).argmax(axis=1)] < 0, -1.0, 1.0)[:, None]
    total = float(np.square(sizes).sum())
    shares = np.concatenate([np.square(sizes) / total if total else np.zeros(len(sizes)), np.zeros(2)])[:2]
    return Principal(mean, axes, shares)
