"""Edits of a running network, as values: hold a signal, silence it, or turn it up and down.

A leaf: the standard library, the language and the checks only. The tensors that :func:`apply` edits are met through
their own methods, so an edit stays inside autograd.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from seqviz.checks import listed, shown
from seqviz.language import Sentence, later, tr

__all__ = ["Ablate", "Clamp", "Intervention", "Scale", "apply", "each_span", "resolve_steps", "spans", "validate"]

Span = tuple[int, int | None]
"""``(start, stop)`` as a Python slice reads them; a ``stop`` of ``None`` is the end of the sequence."""

Steps = Span | tuple[Span, ...]
"""One span of steps, or several."""


@dataclass(frozen=True)
class Clamp:
    """Hold a signal at ``value``: ``Clamp("l0.f", 1.0, units=[3], steps=slice(5, 20))``.

    Args:
        signal: the dotted name of a signal, as in ``Trace.signals``.
        value: the number to hold it at, in the signal's own scale (a gate runs 0 to 1).
        units: an int, several ints, or ``None`` for every unit.
        steps: an int, a slice, a range, a pair ``(start, stop)``, or ``None`` for every step; or a list of ints,
            slices and pairs, ``[3, slice(8, 12)]``, for several spans. Negative numbers count from the end, as in
            Python.

    Raises:
        ValueError: a field that is not of this form, or a number that is not finite.
    """

    signal: str
    value: float
    units: tuple[int, ...] | None = None
    steps: Steps | None = None

    def __post_init__(self) -> None:
        _settle(self)
        object.__setattr__(self, "value", _as_number(self.value, later("The value of an intervention")))


@dataclass(frozen=True)
class Ablate:
    """Set a signal to zero. ``units`` and ``steps`` as in :class:`Clamp`."""

    signal: str
    units: tuple[int, ...] | None = None
    steps: Steps | None = None

    def __post_init__(self) -> None:
        _settle(self)


@dataclass(frozen=True)
class Scale:
    """Multiply a signal by ``factor``. ``units`` and ``steps`` as in :class:`Clamp`."""

    signal: str
    factor: float
    units: tuple[int, ...] | None = None
    steps: Steps | None = None

    def __post_init__(self) -> None:
        _settle(self)
        object.__setattr__(self, "factor", _as_number(self.factor, later("The factor of an intervention")))


Intervention = Clamp | Ablate | Scale

_UNITS = later("The units of an intervention")
_STEPS = later("The steps of an intervention")


def apply(interventions: Iterable[Intervention], value: Any, step: int, steps: int) -> Any:
    """Edit one signal at one step.

    Args:
        interventions: those of this signal, applied in order; one that leaves ``step`` alone is skipped.
        value: the signal, shape ``(N, H)``; any leading shape will do. It is never written to.
        step: the index of the step in the sequence, ``0`` to ``steps - 1``.
        steps: the length ``L`` of the sequence, against which negative steps are read.

    Returns:
        A new tensor of the same shape, or ``value`` itself if nothing applies.
    """
    for edit in interventions:
        if any(start <= step < stop for start, stop in spans(edit.steps, steps)):
            value = _edited(edit, value)
    return value


def resolve_steps(steps: Span | None, length: int) -> tuple[int, int]:
    """``(start, stop)`` with ``0 <= start, stop <= length``, as Python reads a slice of ``length`` items."""
    start, stop, _ = slice(*(steps or (0, None))).indices(length)
    return start, stop


@lru_cache(maxsize=1024)
def spans(steps: Steps | None, length: int) -> tuple[tuple[int, int], ...]:
    """Every span of steps as :func:`resolve_steps` gives it, in order; those that touch or overlap are one."""
    found: list[tuple[int, int]] = []
    for start, stop in sorted(resolve_steps(span, length) for span in each_span(steps)):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        elif start < stop:
            found.append((start, stop))
    return tuple(found)


def each_span(steps: Steps | None) -> tuple[Span, ...]:
    """The spans as they were given; every step is one."""
    if steps is None:
        return ((0, None),)
    return steps if isinstance(steps[0], tuple) else (steps,)


def validate(interventions: Iterable[Intervention], widths: Mapping[str, int], steps: int | None) -> None:
    """Check that every signal, unit and step exists.

    Args:
        interventions: the values to check.
        widths: the number of units of every signal that can be edited, in the order to list them.
        steps: the length ``L`` of the sequence, or ``None`` to leave steps unchecked.

    Raises:
        ValueError: a signal, unit or step that does not exist; the sentence names those that do.
    """
    for edit in listed(interventions, later("The interventions")):
        if not isinstance(edit, Intervention):
            raise ValueError(tr("An intervention is a Clamp, an Ablate or a Scale; got {edit!r}.", edit=edit))
        if edit.signal not in widths:
            raise ValueError(_no_signal(edit.signal, widths))
        width = widths[edit.signal]
        for unit in edit.units or ():
            if unit >= width:
                raise ValueError(
                    tr(
                        "{signal} has units 0 to {last}; unit {unit} does not exist.",
                        signal=edit.signal,
                        last=width - 1,
                        unit=unit,
                    )
                )
        if steps is not None and edit.steps is not None:
            for span in each_span(edit.steps):
                _check_steps(span, steps)


def _no_signal(signal: str, widths: Mapping[str, int]) -> Sentence:
    """There is no such signal, but these; those behind the squashing are left to a sentence of their own."""
    known = ", ".join(name for name in widths if not name.endswith(("_pre", "_ih", "_hh")))
    inner = ", ".join(name for name in widths if name.endswith(("_pre", "_ih", "_hh")))
    if inner:
        return tr(
            "There is no signal {signal}. The signals of this network are {known}. Before the squashing: {inner}.",
            signal=shown(signal),
            known=known,
            inner=inner,
        )
    return tr(
        "There is no signal {signal}. The signals of this network are {known}.", signal=shown(signal), known=known
    )


def _check_steps(steps: Span, length: int) -> None:
    start, stop = steps
    first = start + length if start < 0 else start
    end = length if stop is None else stop + length if stop < 0 else stop
    if not 0 <= first < length or not 0 <= end <= length:
        wrong = first if not 0 <= first < length else end - 1
        named = wrong if wrong >= 0 else wrong - length
        raise ValueError(
            tr("The sequence has steps 0 to {last}; step {step} does not exist.", last=length - 1, step=named)
        )
    if end <= first:
        raise ValueError(
            tr(
                "The steps {start} to {stop} of an intervention hold no step; stop is exclusive.",
                start=start,
                stop=stop,
            )
        )


def _edited(edit: Intervention, value: Any) -> Any:
    if edit.units is None:
        return value * edit.factor if isinstance(edit, Scale) else value.new_full(value.shape, _level(edit))
    result = value.clone()
    columns = list(edit.units)
    if isinstance(edit, Scale):
        result[..., columns] = value[..., columns] * edit.factor
    else:
        result[..., columns] = _level(edit)
    return result


def _settle(edit: Intervention) -> None:
    """Check the fields that every intervention has, and bring them to their one hashable form."""
    if not isinstance(edit.signal, str) or not edit.signal:
        raise ValueError(
            tr("An intervention needs the name of a signal, such as 'l0.f'; got {signal}.", signal=shown(edit.signal))
        )
    object.__setattr__(edit, "units", _as_units(edit.units))
    object.__setattr__(edit, "steps", _as_steps(edit.steps))


def _level(edit: Clamp | Ablate) -> float:
    return edit.value if isinstance(edit, Clamp) else 0.0


def _as_number(value: object, what: str) -> float:
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise ValueError(tr("{what} must be a number; got {value!r}.", what=tr(what), value=value))
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(tr("{what} must be a number; got {value!r}.", what=tr(what), value=value)) from error
    if not math.isfinite(number):
        raise ValueError(tr("{what} must be finite; got {number}.", what=tr(what), number=number))
    return number


def _as_int(value: object, what: str) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ValueError(tr("{what} must be whole numbers; got {value!r}.", what=tr(what), value=value))
    try:
        return operator.index(value)
    except (TypeError, ValueError) as error:
        raise ValueError(tr("{what} must be whole numbers; got {value!r}.", what=tr(what), value=value)) from error


def _as_units(units: object) -> tuple[int, ...] | None:
    if units is None:
        return None
    if isinstance(units, (str, bytes)):
        raise ValueError(tr("{what} must be whole numbers; got {value!r}.", what=tr(_UNITS), value=units))
    items = listed(units, _UNITS) if isinstance(units, Iterable) else (units,)
    result = tuple(sorted({_as_int(unit, _UNITS) for unit in items}))
    if not result:
        raise ValueError(tr("The units of an intervention are empty; leave them out to edit every unit."))
    if result[0] < 0:
        raise ValueError(tr("The units of an intervention count from 0; got {unit}.", unit=result[0]))
    return result


def _as_steps(steps: object) -> Steps | None:
    if steps is None:
        return None
    if isinstance(steps, list) or (isinstance(steps, tuple) and steps and isinstance(steps[0], (tuple, list))):
        return _as_spans(steps)
    return _as_span(steps)


def _as_spans(steps: list[object] | tuple[object, ...]) -> Steps:
    """Several spans in their one form: in order, and those that touch are one; a single one is a pair."""
    if not steps:
        raise ValueError(tr("The steps of an intervention are empty; leave them out to edit every step."))
    given = sorted({_as_span(span) for span in steps}, key=lambda span: (span[0], span[1] is None, span[1] or 0))
    if any(start < 0 or stop is None or stop < 0 for start, stop in given):
        return tuple(given) if len(given) > 1 else given[0]
    merged: list[Span] = []
    for start, stop in given:
        last = merged[-1][1] if merged else None
        if last is not None and stop is not None and start <= last:
            merged[-1] = (merged[-1][0], max(last, stop))
        else:
            merged.append((start, stop))
    return tuple(merged) if len(merged) > 1 else merged[0]


def _as_span(steps: object) -> Span:
    if isinstance(steps, (slice, range)):
        if steps.step not in (None, 1):
            raise ValueError(tr("The steps of an intervention must be consecutive; got {steps}.", steps=shown(steps)))
        start, stop = steps.start, steps.stop
    elif isinstance(steps, (tuple, list)):
        if len(steps) != 2:
            raise ValueError(
                tr("The steps of an intervention are a pair (start, stop); got {steps}.", steps=shown(steps))
            )
        start, stop = steps
    else:
        start = _as_int(steps, _STEPS)
        stop = start + 1 if start != -1 else None
    start = 0 if start is None else _as_int(start, _STEPS)
    return start, None if stop is None else _as_int(stop, _STEPS)
