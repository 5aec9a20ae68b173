"""What the curves of a gradient on its way back through time show, from the logarithms of its norms.

Every function takes log10 of norms ``(L,)``, the loss at the end: -inf is exactly 0. "Back" is towards step 0.
"""

from __future__ import annotations

import numpy as np

from seqviz.language import Sentence, later, number, sentences, tr, trn
from seqviz.telling.numbers import Number

__all__ = [
    "Power",
    "describe_fading",
    "describe_highway",
    "describe_precision",
    "describe_singular",
    "describe_theory",
    "highway_share",
]

Array = np.ndarray

_EVEN = float(np.log10(3.0))
"""What lies within a factor of 3 keeps its size."""


class Power(float):
    """A number that is given by its log10, which may lie far outside what a double holds, and is said in full."""

    def __format__(self, spec: str) -> str:
        if spec:
            return super().__format__(spec)
        log = float(self)
        if np.isneginf(log):
            return "0"
        if not np.isfinite(log):
            return format(10.0**log)
        return f"{Number(10.0**log)}" if -3 <= log < 4 else f"10^{number(log, '.1f')}"


def describe_fading(logs: Array, rounded: bool = False) -> str:
    """How a signal fares on its way back: its trend, where it is lost, and who gets next to nothing.

    Args:
        logs: log10 of the norm at every step ``(L,)``.
        rounded: a 0 may be one step's slope below what a double holds, rounded.
    """
    steps, zero = len(logs), np.isneginf(logs)
    if broken := int((~np.isfinite(logs) & ~zero).sum()):
        of = trn("{count} step", "{count} steps", steps)
        return tr("Not a finite number at {broken} of {steps}.", broken=broken, steps=of)
    if zero.all():
        if rounded:
            return tr("No gradient that a double can hold reaches any step.")
        return tr("No gradient reaches any step: it is exactly 0.")
    if steps == 1:
        return tr("One step only: there is no way back to travel.")
    return sentences([*_trend(logs, whole=not zero.any()), _nothing(zero, rounded), _starving(logs)])


def _trend(logs: Array, whole: bool) -> list[Sentence]:
    """What becomes of the signal on the way back; of a part of the way only a pace is said."""
    places = np.flatnonzero(np.isfinite(logs))
    found = logs[places]
    spread = float(np.ptp(found))
    if spread <= _EVEN:
        return [_keeps(spread)] if whole else []
    if whole and (says := _step_at_the_end(found)):
        return [says]
    lost = float(found[-1] - found[0])
    pace = abs(lost) / float(places[-1] - places[0]) * 100
    if abs(lost) <= _EVEN:
        return [
            tr(
                "Goes up and down by a factor of {factor}; at step {step} it is {ratio} times its last value.",
                factor=Power(spread), step=int(places[0]), ratio=Power(-lost),
            )
        ] if whole else []  # fmt: skip
    if lost < 0:
        return [trn("Gains {count:.3g} decade per 100 steps.", "Gains {count:.3g} decades per 100 steps.", pace)]
    return [trn("Loses {count:.3g} decade per 100 steps.", "Loses {count:.3g} decades per 100 steps.", pace)]


def _keeps(spread: float) -> Sentence:
    if spread < 0.0022:  # 0.995, which three digits call 1
        return tr("Keeps its size.")
    return tr("Keeps its size: the smallest is {ratio} times the largest.", ratio=Power(-spread))


def _step_at_the_end(found: Array) -> Sentence | None:
    """A change over the last few steps and none before: for readers a single event, not a pace."""
    high, low = np.maximum.accumulate(found), np.minimum.accumulate(found)
    turn = int(np.flatnonzero(high - low <= _EVEN)[-1])
    lag = len(found) - 1 - turn
    change = float(found[-1] - found[turn])
    if lag > len(found) // 4 or abs(change) <= _EVEN:
        return None
    if change > 0:
        says = later("Drops to {ratio} of its last value {lag} before the end; from there back it keeps its size.")
    else:
        says = later("Grows to {ratio} times its last value {lag} before the end; from there back it keeps its size.")
    return tr(says, ratio=Power(-change), lag=trn("{count} step", "{count} steps", lag))


def _nothing(zero: Array, rounded: bool) -> str:
    if not zero.any():
        return ""
    count, steps = int(zero.sum()), trn("{count} step", "{count} steps", len(zero))
    if rounded:
        return tr("Below what a double holds, and taken for 0, at {zero} of {steps}.", zero=count, steps=steps)
    first = int(np.flatnonzero(~zero)[0])
    if zero[first:].any():
        return tr("Exactly 0 at {zero} of {steps}.", zero=count, steps=steps)
    if first == len(zero) - 1:
        return tr("Exactly 0 at every step before the last.")
    return tr("Exactly 0 at every step before step {step}.", step=first)


def _starving(logs: Array) -> Sentence:
    """The largest is one of the steps, so that it is never all of them."""
    count, best = int((logs < logs.max() - 2.0).sum()), int(logs.argmax())
    most = {"size": Power(logs[best]), "step": best}
    if not count:
        return tr("No step gets less than 1% of the largest, {size} at step {step}.", **most)
    return trn(
        "{count} of {steps} gets less than 1% of the largest, {size} at step {step}.",
        "{count} of {steps} get less than 1% of the largest, {size} at step {step}.",
        count,
        steps=trn("{count} step", "{count} steps", len(logs)),
        **most,
    )


def describe_precision(name: str, single: Array, exact: Array) -> str:
    """What float32 loses of a network's gradient; nothing where it is right to 10 % everywhere.

    Args:
        name: the network's.
        single: as torch in float32 gives it.
        exact: as it is.
    """
    zero = np.isneginf(single) & np.isfinite(exact)
    with np.errstate(invalid="ignore"):
        off = ~zero & np.isfinite(exact) & ~(np.abs(10.0 ** (single - exact) - 1) <= 0.1)
    steps = trn("{count} step", "{count} steps", len(exact))
    said: list[str] = []
    if zero.any():
        said.append(
            tr(
                "In float32 torch gives the {name} a gradient of exactly 0 at {zero} of {steps}, where it only becomes "
                "small.",
                name=name, zero=int(zero.sum()), steps=steps,
            )
        )  # fmt: skip
    if off.any():
        says = later("In float32 torch's gradient of the {name} is off by more than 10% at {off} of {steps}.")
        if zero.any():
            says = later("At {off} more it is off by more than 10%.")
        said.append(tr(says, name=name, off=int(off.sum()), steps=steps))
    return sentences(said)


def describe_theory(name: str, law: str, measured: float, closed: float) -> str:
    """How far a closed form holds at step 0; nothing where one of the two is 0 or no number."""
    if not np.isfinite(measured - closed):
        return ""
    return tr(
        "{name} at step 0: {times} times the closed form {law}.", name=name, times=Power(measured - closed), law=law
    )


def highway_share(direct: Array, rest: Array) -> Array:
    """log10 of the highway's share of the two ``(L,)``, from log10 of their norms; NaN where both are 0."""
    with np.errstate(invalid="ignore"):
        more = np.maximum(direct, rest)
        share: Array = direct - more - np.log10(10.0 ** (direct - more) + 10.0 ** (rest - more))
    return share


def describe_highway(log_share: Array) -> str:
    """The highway's share at the longest lag, and how far back it is the larger part.

    Args:
        log_share: of :func:`highway_share`, by step.
    """
    lag, first = len(log_share) - 1, float(log_share[0])
    if np.isnan(first):
        return tr("At lag {lag} nothing arrives, by the highway or the rest: both are exactly 0.", lag=lag)
    below = np.flatnonzero(~(log_share >= np.log10(0.5)))
    held = max(0, lag - (int(below[-1]) + 1 if below.size else 0))
    if held == lag:
        return tr("At lag {lag} the highway is {share} of the two; ½ or more all the way.", lag=lag, share=Power(first))
    return tr(
        "At lag {lag} the highway is {share} of the two; ½ or more back to lag {held}.",
        lag=lag, share=Power(first), held=held,
    )  # fmt: skip


def describe_singular(lag: int, log: float) -> str:
    """The largest singular value at a lag, by its log10."""
    if np.isneginf(log):
        return tr("Largest singular value at lag {lag}: exactly 0.", lag=lag)
    return tr("Largest singular value at lag {lag}: {size}.", lag=lag, size=Power(log))
