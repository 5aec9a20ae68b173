"""What one row of a picture shows: a gate, a state, the input, the output."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from seqviz import vocabulary as words
from seqviz.language import Sentence, later, number, sentences, tr, trn
from seqviz.telling.numbers import Number, Share, in_turn

__all__ = ["HIGH", "LOW", "describe", "describe_overflow", "describe_saturation", "longest_run"]

LOW, HIGH = 0.1, 0.9
"""Below LOW a gate counts as closed, above HIGH as open (Karpathy, Johnson and Li 2015, section 4.1,
https://arxiv.org/abs/1506.02078)."""


class Stretch(NamedTuple):
    """The longest unbroken run of True in ``(L, H)``, the first of them in time where there are several."""

    unit: int
    start: int
    length: int
    ties: int
    """How many runs are as long, this one among them."""


def describe(signal: str, values: np.ndarray, cell: str = "") -> Sentence:
    """What one row of the picture shows now, in one sentence.

    Args:
        signal: its name, ``f`` or ``l0.f``; ``x`` and ``y`` for input and output.
        values: ``(L, H)``, at least one step of one unit.
        cell: whose signal it is; by default the first cell's that has one of this name.

    Raises:
        ValueError: values of another shape, or no such cell.
    """
    values = np.asarray(values)
    if values.ndim != 2 or not values.size:
        raise ValueError(
            tr(
                "A row has values (L, H), at least one step of one unit; these have the shape {shape}.",
                shape=values.shape,
            )
        )
    if (overflow := _overflow(values)) is not None:
        return overflow
    name = signal.rsplit(".", 1)[-1]
    if name == "x":
        return _input(values)
    if name == "y":
        return _output(values)
    return _gate(values) if words.is_gate(name, cell) else _state(values)


def describe_overflow(values: np.ndarray) -> str:
    """At which steps values ``(L, H)`` are no finite numbers, in one sentence; nothing where all of them are."""
    return _overflow(values) or ""


def describe_saturation(gates: dict[str, np.ndarray]) -> str:
    """Which gates are shut and which stand open, in one sentence a gate.

    Args:
        gates: ``(L, H)`` activations from 0 to 1 by what the gate is called.
    """
    return sentences(
        tr(
            "{gate}: closed {closed} and open {open} of the time.",
            gate=name, closed=Share((values < LOW).mean()), open=Share((values > HIGH).mean()),
        )
        for name, values in gates.items()
    )  # fmt: skip


def longest_run(condition: np.ndarray) -> tuple[int, int]:
    """The longest unbroken run of True down the first axis of ``(L, H)``: its unit and its length."""
    best = _runs(condition).max(axis=0, initial=0)
    unit = int(best.argmax())
    return unit, int(best[unit])


def _runs(condition: np.ndarray) -> np.ndarray:
    """For how many steps in a row each place of ``(L, H)`` has been True, itself among them."""
    step = np.arange(len(condition), dtype=np.int32)[:, None]
    return np.asarray(step - np.maximum.accumulate(np.where(condition, np.int32(-1), step), axis=0))


def _longest(condition: np.ndarray) -> Stretch:
    if not condition.any():
        return Stretch(0, 0, 0, condition.size)
    runs = _runs(condition)
    stop, unit = np.unravel_index(int(runs.argmax()), runs.shape)
    length = int(runs[stop, unit])
    return Stretch(int(unit), int(stop) - length + 1, length, int((runs == length).sum()))


def _overflow(values: np.ndarray) -> Sentence | None:
    broken = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if not broken.size:
        return None
    first, steps = int(broken[0]), len(values)
    if len(broken) == 1:
        return tr("Not a finite number at step {step}.", step=first)
    if len(broken) == steps - first:
        return tr("Not a finite number from step {step} on.", step=first)
    count = trn("{count} step", "{count} steps", steps)
    return tr(
        "Not a finite number at {broken} of {steps}, first at step {step}.", step=first, broken=len(broken), steps=count
    )


def _input(values: np.ndarray) -> Sentence:
    steps, width = values.shape
    if width > 1 and ((values == 1).sum(axis=1) == 1).all() and ((values == 0).sum(axis=1) == width - 1).all():
        return trn(
            "{count} step: one of {width} inputs is 1, the others are 0.",
            "{count} steps: at each, one of {width} inputs is 1, the others are 0.",
            steps, width=width,
        )  # fmt: skip
    low, high = Number(values.min()), Number(values.max())
    if low == high:
        return trn("{count} step: {value}.", "{count} steps: {value} at every one.", steps, value=low)
    if _same_text(low, high):
        return trn("{count} step: about {value}.", "{count} steps: about {value} at every one.", steps, value=low)
    return trn("{count} step, from {low} to {high}.", "{count} steps, from {low} to {high}.", steps, low=low, high=high)


def _output(values: np.ndarray) -> Sentence:
    last = tr(", ").join(number(Number(v)) for v in values[-1][:4])
    count = values.shape[1]
    if count > 4:
        return tr("Ends at {values} (the first 4 of {count}).", values=last, count=count)
    return tr("Ends at {values}.", values=last)


_AT_ALL = {
    "open": (
        later("Above 0.9 at every step."),
        later("Unit {unit} is above 0.9 at every step."),
        later("{count} of {units} are above 0.9 at every step, unit {unit} the first of them."),
        later("Every unit is above 0.9 at every step."),
    ),
    "shut": (
        later("Below 0.1 at every step."),
        later("Unit {unit} is below 0.1 at every step."),
        later("{count} of {units} are below 0.1 at every step, unit {unit} the first of them."),
        later("Every unit is below 0.1 at every step."),
    ),
}
_LONGEST = {
    ("open", "alone", True): later("Longest above 0.9: steps {start} to {stop} ({run} in a row)."),
    ("open", "alone", False): later(
        "Longest above 0.9: steps {start} to {stop} ({run} in a row), the first of {ties} as long."
    ),
    ("open", "unit", True): later("Longest above 0.9: unit {unit}, steps {start} to {stop} ({run} in a row)."),
    ("open", "unit", False): later(
        "Longest above 0.9: unit {unit}, steps {start} to {stop} ({run} in a row), the first of {ties} as long."
    ),
    ("shut", "alone", True): later("Longest below 0.1: steps {start} to {stop} ({run} in a row)."),
    ("shut", "alone", False): later(
        "Longest below 0.1: steps {start} to {stop} ({run} in a row), the first of {ties} as long."
    ),
    ("shut", "unit", True): later("Longest below 0.1: unit {unit}, steps {start} to {stop} ({run} in a row)."),
    ("shut", "unit", False): later(
        "Longest below 0.1: unit {unit}, steps {start} to {stop} ({run} in a row), the first of {ties} as long."
    ),
}
_BRIEFLY = {
    ("open", "alone", True): later("Above 0.9 at step {start} alone."),
    ("open", "alone", False): later("Above 0.9 for one step at a time, first at step {start}."),
    ("open", "unit", True): later("Above 0.9 in unit {unit} at step {start} alone."),
    ("open", "unit", False): later("Above 0.9 for one step at a time, first in unit {unit} at step {start}."),
    ("shut", "alone", True): later("Below 0.1 at step {start} alone."),
    ("shut", "alone", False): later("Below 0.1 for one step at a time, first at step {start}."),
    ("shut", "unit", True): later("Below 0.1 in unit {unit} at step {start} alone."),
    ("shut", "unit", False): later("Below 0.1 for one step at a time, first in unit {unit} at step {start}."),
}


def _gate(values: np.ndarray) -> Sentence:
    """For how long it was open or shut without a break, whichever was longer."""
    opened, shut = _longest(values > HIGH), _longest(values < LOW)
    if not opened.length and not shut.length:
        return _between(values)
    end, found = ("open", opened) if opened.length >= shut.length else ("shut", shut)
    if found.length == len(values):
        return _throughout(end, values > HIGH if end == "open" else values < LOW)
    templates = _LONGEST if found.length > 1 else _BRIEFLY
    return tr(
        templates[end, _whose(values), found.ties == 1],
        unit=found.unit,
        run=found.length,
        ties=found.ties,
        start=found.start,
        stop=found.start + found.length - 1,
    )


def _throughout(end: str, condition: np.ndarray) -> Sentence:
    """Which units are open, or shut, at every step; at least one is."""
    units = np.flatnonzero(condition.all(axis=0))
    alone, one, some, all_ = _AT_ALL[end]
    count, width = len(units), condition.shape[1]
    template = alone if width == 1 else all_ if count == width else one if count == 1 else some
    return tr(template, unit=int(units[0]), count=count, units=trn("{count} unit", "{count} units", width))


def _between(values: np.ndarray) -> Sentence:
    low, high = Number(values.min()), Number(values.max())
    if low == high:
        return tr("{value} at every step, neither above 0.9 nor below 0.1.", value=low)
    if _same_text(low, high):
        return tr("About {value} at every step, neither above 0.9 nor below 0.1.", value=low)
    return tr("Between {low} and {high}: never above 0.9 or below 0.1.", low=low, high=high)


_CONSTANT = {"alone": later("{value} at every step."), "unit": later("{value} in every unit at every step.")}
_PEAK = {
    ("alone", "first"): later("Farthest from 0 at step {step}, for the first time: {peak}."),
    ("alone", "once"): later("Farthest from 0 at step {step}: {peak}."),
    ("alone", "last"): later("Farthest from 0 at the last step: {peak}."),
    ("unit", "first"): later("Farthest from 0 first in unit {unit} at step {step}: {peak}."),
    ("unit", "once"): later("Farthest from 0 in unit {unit} at step {step}: {peak}."),
    ("unit", "last"): later("Farthest from 0 in unit {unit} at the last step: {peak}."),
}
_END = {
    ("alone", "same"): later("Ends at the same value."),
    ("alone", "near"): later("Ends within 1% of that."),
    ("alone", "faded"): later("Ends at {last} ({share} of it)."),
    ("alone", "other"): later("Ends at {last}."),
    ("unit", "same"): later("That unit ends at the same value."),
    ("unit", "near"): later("That unit ends within 1% of that."),
    ("unit", "faded"): later("That unit ends at {last} ({share} of it)."),
    ("unit", "other"): later("That unit ends at {last}."),
}


def _state(values: np.ndarray) -> Sentence:
    """The value farthest from 0, and what has become of that unit at the last step."""
    whose, sizes = _whose(values), np.abs(values)
    step, unit = (int(k) for k in np.unravel_index(int(sizes.argmax()), values.shape))
    last, peak = Number(values[-1, unit]), Number(values[step, unit])
    if (values == peak).all():
        return tr(_CONSTANT[whose], value=peak)
    once = int((sizes == abs(peak)).sum()) == 1
    when = "first" if not once else "last" if step == len(values) - 1 else "once"
    where = tr(_PEAK[whose, when], unit=unit, step=step, peak=peak)
    if step == len(values) - 1:
        return where
    share = Share(last / peak)
    end = "same" if last == peak else "near" if share >= 0.99 else "faded" if share > 0 else "other"
    return in_turn(where, tr(_END[whose, end], last=last, share=share))


def _whose(values: np.ndarray) -> str:
    """Whether a sentence has to say which unit it is about."""
    return "unit" if values.shape[1] > 1 else "alone"


def _same_text(low: float, high: float) -> bool:
    return format(low) == format(high)
