"""Where a network comes to rest, and whether its runs draw together, in words."""

from __future__ import annotations

import math

import numpy as np

from seqviz.language import Sentence, later, tr, trn
from seqviz.telling.numbers import Number
from seqviz.telling.titles import step_count

__all__ = ["describe_exponents", "describe_rests"]

_NEITHER = later("Two runs that begin side by side neither part nor meet: the largest exponent is {rate}.")
_PART = later("Two runs that begin side by side part, twice as far every {steps}: the largest exponent is {rate}.")
_MEET = later("Two runs that begin side by side meet, half as far every {steps}: the largest exponent is {rate}.")
_STILL = 1e-3
"""A growth per step, in natural logarithms, that is taken for none."""
_ALIKE = 1e-6


def describe_rests(stable: int, others: int, starts: int) -> Sentence:
    """At how many places it rests: those that hold what comes near, and the others; found from so many starts."""
    asked = trn("{count:,} start", "{count:,} starts", starts)
    if not stable + others:
        return tr("None of {starts} settles: no place was found at which it rests.", starts=asked)
    holds = trn("{count} place that it returns to", "{count} places that it returns to", stable)
    leaves = trn("{count} that it leaves", "{count} that it leaves", others)
    return tr("From {starts} it comes to rest at {stable}, and at {others}.", starts=asked, stable=holds, others=leaves)


def describe_exponents(exponents: np.ndarray, total: float) -> list[Sentence]:
    """Whether two runs that begin side by side part, and the sum of the exponents against the mean log-determinant."""
    largest = float(exponents[0])
    rate = Number(largest)
    if not math.isfinite(largest):
        says = [tr("Whatever differs between two runs is gone after a step.")]
    elif abs(largest) < _STILL:
        says = [tr(_NEITHER, rate=rate)]
    else:
        steps = step_count(max(1, round(math.log(2) / abs(largest))))
        says = [tr(_PART if largest > 0 else _MEET, steps=steps, rate=rate)]
    together = float(exponents.sum())
    if not math.isfinite(together) and not math.isfinite(total):
        return [*says, tr("Some direction is lost exactly, so that exponents and log-determinant add up to −∞.")]
    values = {"sum": Number(together), "total": Number(total)}
    if abs(together - total) <= _ALIKE * (1 + abs(total)):
        return [*says, tr("All exponents add up to {sum}, as the mean log-determinant of its steps does.", **values)]
    apart = later(
        "All exponents add up to {sum}, the mean log-determinant to {total}: some step shrinks a direction beyond what "
        "a double holds."
    )
    return [*says, tr(apart, **values)]
