"""The places for a cell's hand-written fast roads. What is left empty follows from the lines, and gives the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Back", "Roads"]

Array = np.ndarray[Any, np.dtype[Any]]
Back = Callable[[int, Array, Array, Array, Array], Any]
"""``back(t, p_h, p_c, to_h, to_c)``: ``P J_t`` for the columns of h and of the other states, ``(rows, H)`` each, put
into the last two."""


@dataclass(frozen=True)
class Roads:
    """Each takes a layer as it ran, :class:`seqviz.cells.ran.Ran`; tests hold each equal to the lines.

    Args:
        rebuild: ``(work) -> (signals, parity)``: every signal from what went in and came out, in blocks of steps; see
            :class:`seqviz.capture.reconstruct.Work`.
        pull: ``(ran, e) -> Pulled``: the gradient's way back, from what reaches the states from outside.
        jacobians: ``(ran) -> (L, S, S)``: of every step.
        back: ``(ran, rows) -> Back``: rows of a product of Jacobians times one more, with no Jacobian formed.
        slopes: ``(ran) -> list``: every squashing's slope, to see whether one was rounded to 0.
    """

    rebuild: Callable[..., Any] | None = None
    pull: Callable[..., Any] | None = None
    jacobians: Callable[..., Any] | None = None
    back: Callable[..., Any] | None = None
    slopes: Callable[..., Any] | None = None
