"""Where a network comes to rest, and whether its runs draw together, in words."""

from __future__ import annotations

import math

import numpy as np

from seqviz.language import Sentence, later, number, raised, sentences, tr, trn
from seqviz.telling.numbers import Number
from seqviz.telling.titles import step_count

__all__ = ["describe_exponents", "describe_rests"]

_NEITHER = later("Two runs that begin side by side neither part nor meet: the largest exponent is {rate}.")
_BARELY = later(
    "Over {steps}, two runs that begin side by side part or meet by less than a factor of 2: the largest exponent is "
    "{rate}."
)
_PART = later("Two runs that begin side by side part, twice as far every {steps}: the largest exponent is {rate}.")
_MEET = later("Two runs that begin side by side meet, half as far every {steps}: the largest exponent is {rate}.")
_STILL = 1e-3
"""A growth per step, in natural logarithms, that is taken for none."""
_ALIKE = 1e-6


def describe_rests(stable: int, others: int, starts: int, *, stay: int = 0, slow: int = 0, drift: float = 0.0) -> str:
    """At how many places it rests: those that hold what comes near, and those that it leaves.

    Args:
        stable, others: how many of both.
        starts: from how many it began.
        stay: how many of these came to rest where nothing leads back and nothing away.
        slow, drift: how many came to where it all but rests, and how far a step moves it there at most.
    """
    says = []
    asked = trn("{count:,} start", "{count:,} starts", starts)
    if stable + others:
        holds = trn("{count} place that it returns to", "{count} places that it returns to", stable)
        leaves = trn("{count} that it leaves", "{count} that it leaves", others)
        both = later("From {starts} it comes to rest at {stable}, and at {others}.")
        one = later("From {starts} it comes to rest at {stable}.")
        says.append(tr(both if others else one, starts=asked, stable=holds, **({"others": leaves} if others else {})))
    elif not stay:
        says.append(tr("None of {starts} settles: no place was found at which it rests.", starts=asked))
    if stay:
        says.append(
            trn(
                "{count:,} of {starts} comes to rest where nothing brings it back and nothing leads away.",
                "{count:,} of {starts} come to rest where nothing brings them back and nothing leads away.",
                stay, starts=asked,
            )
        )  # fmt: skip
    if slow:
        says.append(
            trn(
                "{count:,} comes to where it all but rests: a step moves it by {drift} at most.",
                "{count:,} come to where it all but rests: a step moves it by {drift} at most.",
                slow, drift=_bound(drift),
            )
        )  # fmt: skip
    return sentences(says)


def _bound(size: float) -> str:
    """A number that a size does not exceed: three digits, and below a thousandth the next power of ten."""
    return raised(math.ceil(math.log10(size))) if 0 < size < 1e-3 else number(Number(size))


def describe_exponents(exponents: np.ndarray, total: float, steps: int | None = None) -> list[Sentence]:
    """Whether two runs that begin side by side part, and the sum of the exponents against the mean log-determinant.

    `steps` is the run's length, where that is known: what neither doubles nor halves on its way is not told as if it
    went on like that.
    """
    largest = float(exponents[0])
    rate = Number(largest)
    if not math.isfinite(largest):
        says = [tr("Whatever differs between two runs is gone after a step.")]
    elif abs(largest) < _STILL:
        says = [tr(_NEITHER, rate=rate)]
    elif steps is not None and abs(largest) * steps < math.log(2):
        says = [tr(_BARELY, steps=step_count(steps), rate=rate)]
    else:
        halving = step_count(max(1, round(math.log(2) / abs(largest))))
        says = [tr(_PART if largest > 0 else _MEET, steps=halving, rate=rate)]
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
