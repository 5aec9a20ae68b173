"""How many times as large one loss is as another on the same data, and how sure that is. numpy only."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from seqviz.memory.found import Ratio
from seqviz.trials import FEW, Errors

__all__ = ["DRAWS", "ratio"]

DRAWS: Final = 2000
"""How often the pieces are drawn anew."""

Array = np.ndarray[Any, np.dtype[Any]]


def ratio(above: Errors, below: Errors, seed: int = 0) -> Ratio:
    """The ratio of two losses on the same pieces.

    The interval is the percentile bootstrap's (Efron and Tibshirani 1993, section 13.3) over the pieces, which stay
    in pairs; there is none with fewer than eight. 0 to 0 is 1: neither is larger.
    """
    value = _divided(np.array(above.mean), np.array(below.mean))
    if len(above.sums) != len(below.sums) or len(above.sums) < FEW:
        return Ratio(float(value), math.nan, math.nan)
    count = len(above.sums)
    often = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), DRAWS)
    above_of, below_of = ((often @ e.sums) / np.maximum(often @ e.counts, 1e-300) for e in (above, below))
    drawn = _divided(above_of, below_of)
    if np.isnan(drawn).any():
        return Ratio(float(value), math.nan, math.nan)
    low, high = np.quantile(drawn, (0.025, 0.975), method="nearest")
    return Ratio(float(value), float(low), float(high))


def _divided(above: Array, below: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((above == 0) & (below == 0), 1.0, above / below)
