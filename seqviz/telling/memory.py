"""Does a network use its memory? What the nudge, the resets and the guesses come to, in sentences."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from seqviz.language import Sentence, later, tr, trn
from seqviz.telling.numbers import in_turn, short

__all__ = ["COST", "Standing", "costly", "of_guesses", "of_nudge", "of_resets", "verdict", "verdicts"]

COST: Final = 1.05
"""A loss that many times as large is larger: less is not worth a word."""

Ratio = tuple[float, float, float]
"""A ratio of losses and its interval, NaN where there is none."""


@dataclass(frozen=True)
class Standing:
    """What the three questions found; see :mod:`seqviz.memory`.

    Args:
        half_life, lags: of a nudge, and how many lags were looked at.
        ks, ratios: steps between resets, rising, and the loss then in units of ``loss``, the one without.
        loss, steps: that loss, and the steps of the run.
        last, constant: the loss in units of repeating the last value's, and of one value throughout; or None.
    """

    half_life: float
    lags: int
    ks: tuple[int, ...]
    ratios: tuple[Ratio, ...]
    loss: float
    steps: int
    last: Ratio | None
    constant: Ratio | None


def costly(ratio: Ratio) -> bool | None:
    """Whether a loss is larger, by more than ``COST`` and surely; None where the interval leaves both open."""
    value, low, high = ratio
    if math.isnan(low):
        return value > COST
    if low > 1.0:
        return value > COST
    return None if high > COST and value > 1.0 else False


def verdict(found: Standing) -> Sentence:
    """Whether it uses its memory, and whether that does any good."""
    first, *others = verdicts(found)
    return in_turn(first, others[0]) if others else first


def verdicts(found: Standing) -> tuple[Sentence, ...]:
    """The sentences of :func:`verdict`."""
    second = _good(found)
    return (_uses(found),) if second is None else (_uses(found), second)


def _uses(found: Standing) -> Sentence:
    if not math.isfinite(found.loss):
        return tr("Its loss is no finite number: nothing can be said of its memory.")
    often, (value, _, high) = found.ks[0], found.ratios[0]
    if often >= found.steps:
        return tr("Its sequences are too short for resets: nothing can be said of its memory.")
    cost = costly(found.ratios[0])
    if cost is None:
        return tr("Whether it uses its memory cannot be told from these data.")
    if not cost and value < 1 / COST and (high < 1.0 or math.isnan(high)):
        return trn(
            "Its memory does harm: reset at every step, its loss is {share} of what it is.",
            "Its memory does harm: reset every {count} steps, its loss is {share} of what it is.",
            often,
            share=short(value),
        )
    if not cost:
        return trn(
            "It does not use its memory: reset at every step, it does as well.",
            "It does not use a memory of more than {count} steps: reset that often, it does as well.",
            often,
        )
    if math.isinf(value):
        return trn(
            "It uses its memory: it makes no error, and does when it is reset at every step.",
            "It uses its memory: it makes no error, and does when it is reset every {count} steps.",
            often,
        )
    return trn(
        "It uses its memory: reset at every step, its loss is {times} times as large.",
        "It uses its memory: reset every {count} steps, its loss is {times} times as large.",
        often,
        times=short(value),
    )


def _good(found: Standing) -> Sentence | None:
    ratio = found.last if found.last is not None else found.constant
    if ratio is None or not math.isfinite(found.loss) or math.isnan(ratio[0]):
        return None
    repeated = found.last is not None
    value, low, high = ratio
    if high < 1.0 or (math.isnan(high) and value < 1 / COST):
        says = (
            later("It beats repeating the last value: its loss is {times} times that.")
            if repeated
            else later("It beats one value for all steps: its loss is {times} times that.")
        )
    elif low > 1.0 or (math.isnan(low) and value > COST):
        says = (
            later("Repeating the last value is better: its loss is {times} times that.")
            if repeated
            else later("One value for all steps is better: its loss is {times} times that.")
        )
    else:
        says = (
            later("It is no better than repeating the last value: its loss is {times} times that.")
            if repeated
            else later("It is no better than one value for all steps: its loss is {times} times that.")
        )
    return tr(says, times=short(value))


def of_nudge(found: Standing) -> Sentence:
    """How long a nudge lasts."""
    if math.isnan(found.half_life):
        return tr("The network overflows: how long a nudge lasts cannot be said.")
    if found.half_life == 0:
        return tr("A nudge of the input moves no state.")
    if math.isinf(found.half_life):
        return trn(
            "A nudge is not half gone in the {count} step that was looked at.",
            "A nudge is not half gone in the {count} steps that were looked at.",
            found.lags,
        )
    return trn(
        "A nudge is half gone {count} step after its largest.",
        "A nudge is half gone {count} steps after its largest.",
        int(found.half_life),
    )


def of_resets(found: Standing) -> Sentence:
    """From how many steps between resets on they cost no more."""
    if not math.isfinite(found.loss):
        return tr("The loss is no finite number.")
    tried = [(k, costly(ratio)) for k, ratio in zip(found.ks, found.ratios, strict=True) if k < found.steps]
    matter = [k for k, _ in takewhile(lambda one: one[1], tried)]
    rarer = tried[len(matter) :]
    rest = [k for k, cost in rarer if cost is False]
    if (rarer and not rest) or (not matter and any(cost for _, cost in rarer)):
        return tr("Which resets cost it cannot be told from these data.")
    if not matter:
        return tr("Resets cost it nothing that these data show.")
    if not rest:
        return trn(
            "Resets at every step cost it, and rarer ones were not tried.",
            "Every reset costs it: even every {count} steps, its loss is larger.",
            matter[-1],
        )
    return trn(
        "Resets at every step cost it; every {more} steps no more.",
        "Resets every {count} steps or more often cost it; every {more} steps no more.",
        matter[-1],
        more=rest[0],
    )


def of_guesses(found: Standing) -> Sentence:
    """How it stands beside two guesses that need no network."""
    if not math.isfinite(found.loss):
        return tr("The loss is no finite number.")
    last, constant = found.last, found.constant
    if last is not None and constant is not None:
        return tr(
            "Its loss is {last} times that of repeating the last value, {constant} times that of one value throughout.",
            last=short(last[0]),
            constant=short(constant[0]),
        )
    if last is not None:
        return tr("Its loss is {last} times that of repeating the last value.", last=short(last[0]))
    if constant is not None:
        return tr("Its loss is {constant} times that of one value throughout.", constant=short(constant[0]))
    return tr("There is no guess to hold this loss against.")
