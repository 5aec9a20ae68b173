"""Exams: which sequences are kept for them, how sure a score is, and how it is printed."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from statistics import NormalDist
from typing import Final

import torch
from torch import Tensor

__all__ = ["FEW", "FINAL", "SHARE", "interval", "kept", "printed"]

SHARE: Final = 4
"""One sequence in so many is kept for the exam, where there are many."""

FEW: Final = 2**13
"""With fewer different sequences than this, keeping some of them back would leave too little to learn from."""

FINAL: Final = 4096
"""Fresh sequences that decide whether a task is solved."""


def kept(x: Tensor) -> Tensor:
    """Which sequences of ``x`` ``(L, N, H_in)`` belong to the exam, ``(N,)``.

    It is decided by a hash of the whole sequence, so that it is the same for equal sequences, whoever draws them.
    """
    bits = (x + 0.0).contiguous().view(torch.int32)  # 0.0 and -0.0 are the same
    odd = 2 * torch.randint(2**62, bits[:, 0].shape, generator=torch.Generator().manual_seed(len(x))) + 1
    mixed = (bits * odd[:, None]).sum(dim=(0, 2))
    for shift in (29, 17):
        mixed = (mixed ^ (mixed >> shift)) * 0x9E3779B97F4A7C1
    return (mixed >> 40) % SHARE == 0


def interval(right: Tensor, count: Tensor, alpha: float, share: bool) -> tuple[float, float]:
    """A confidence interval of ``right.sum() / count.sum()``, from one pair ``(N,)`` for each sequence.

    The steps of one sequence are not independent, the sequences are. A mean of errors gets the normal interval of a
    ratio. A share of right answers gets Wilson's interval, with as many answers as would be independent (the
    effective sample size of Korn and Graubard 1998): the answers over the design effect, or the sequences where
    nothing, or everything, was right and the effect cannot be seen.
    """
    right, count = right.double(), count.double()
    right, count = right[count > 0], count[count > 0]
    z, total, score = NormalDist().inv_cdf(1 - alpha / 2), float(count.sum()), float(right.sum() / count.sum())
    sequences = len(count)
    spread = float((right - score * count).square().sum()) / total**2 * sequences / max(1, sequences - 1)
    if not share:
        half = z * math.sqrt(spread) if sequences > 1 else math.inf
        return score - half, score + half
    alone = score * (1 - score) / total
    size = total / max(1.0, spread / alone) if alone > 0 else total**2 / float(count.square().sum())
    middle, weight = (score + z * z / (2 * size)) / (1 + z * z / size), 1 / (1 + z * z / size)
    half = z * weight * math.sqrt(score * (1 - score) / size + z * z / (4 * size * size))
    return min(score, max(0.0, middle - half)), max(score, min(1.0, middle + half))


def printed(score: float, limits: tuple[float, ...], digits: int = 3) -> str:
    """A score in few digits, on the same side of every limit as it is: .98965 beside .99 is 0.9897, not 0.99.

    A number that only many digits would tell from a limit is cut off on its own side.
    """
    if not math.isfinite(score):
        return f"{score:g}"
    for few in range(digits, 7):
        text = f"{score:.{few}g}"
        if all(_side(float(text), limit) == _side(score, limit) for limit in limits):
            return text
    down = any(score < limit <= float(f"{score:.6g}") for limit in limits)
    cut = Context(prec=7, rounding=ROUND_FLOOR if down else ROUND_CEILING).create_decimal(score)
    return f"{cut:g}"


def _side(value: float, limit: float) -> int:
    return (value > limit) - (value < limit)
