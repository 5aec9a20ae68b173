"""Plain-number summaries of a trace, and the sentences made of them (:mod:`seqviz.telling`). numpy only."""

from __future__ import annotations

import math

import numpy as np

from seqviz.language import tr
from seqviz.telling.numbers import short
from seqviz.telling.rows import HIGH, LOW, describe, describe_overflow, describe_saturation, longest_run

__all__ = [
    "HIGH",
    "LOW",
    "describe",
    "describe_overflow",
    "describe_saturation",
    "half_life",
    "lag_under",
    "longest_run",
    "saturation",
    "short",
    "time_constant",
]


def saturation(gate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How often each unit of a gate is closed and open.

    Args:
        gate: ``(L, H)`` activations from 0 to 1.

    Returns:
        Two arrays ``(H,)``: the fraction of steps below 0.1, and above 0.9.
    """
    return (gate < LOW).mean(axis=0), (gate > HIGH).mean(axis=0)


def time_constant(f: np.ndarray | float) -> np.ndarray:
    """Steps until a cell under a constant forget gate has lost all but 1/e: ``-1 / ln f``.

    From ``c_t = f^t c_0`` (Tallec and Ollivier 2018, section 2, https://arxiv.org/abs/1804.11188). inf where the
    gate never lets go (``f >= 1``), 0 where it lets go at once, NaN where the gate is.

    Args:
        f: forget gates from 0 to 1, of any shape, which is that of the result.
    """
    f = np.asarray(f, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(f >= 1.0, np.inf, -1.0 / np.log(f)))


def half_life(f: np.ndarray | float) -> np.ndarray:
    """Steps until a cell under a constant forget gate has halved: ``ln 0.5 / ln f``.

    :func:`time_constant` times ln 2, and of its shape.
    """
    return math.log(2.0) * time_constant(f)


def lag_under(f: np.ndarray | float, share: float = 0.01) -> np.ndarray:
    """The first lag at which a cell under a constant forget gate holds less than a share of what it was given.

    The smallest whole k with ``f^k < share``; inf where the gate never lets go (``f >= 1``), NaN where the gate is.

    Args:
        f: forget gates from 0 to 1, of any shape.
        share: above 0 and below 1.

    Raises:
        ValueError: a share outside that range.
    """
    if not 0.0 < share < 1.0:
        raise ValueError(tr("The share must lie above 0 and below 1; got {share!r}.", share=share))
    f = np.asarray(f, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        lag = np.where(f >= 1.0, np.inf, np.log(share) / np.log(f))
    # 0.1^2 is 0.01 and not under it; in doubles such a tie lands on either side.
    return np.floor(lag * (1 + 1e-12)) + 1
