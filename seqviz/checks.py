"""Checks of what somebody gave, each with one plain sentence when it will not do.

``what`` is how the sentence names the value: English marked by ``later``, with the values that go into its braces,
so that a value that is right costs no sentence.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final, TypeVar

import numpy as np

from seqviz.language import later, quoted, tr

__all__ = ["assign", "choice", "float32", "instance", "listed", "number", "shown", "whole"]

Kind = TypeVar("Kind")

_TOO_LARGE: Final = 2.0**128 - 2.0**103
"""The smallest number that float32 rounds to infinity."""


def number(value: Any, what: str, **where: Any) -> float:
    """A finite number, or a sentence that names `what`."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise ValueError(tr("{what} must be a number, not {value}.", what=tr(what, **where), value=shown(value)))
    try:
        given = float(value)
    except OverflowError:
        given = math.inf
    if not math.isfinite(given):
        raise ValueError(tr("{what} must be a finite number, not {value}.", what=tr(what, **where), value=given))
    return given


def float32(value: Any, what: str, **where: Any) -> float:
    """The float32 nearest to `value`, as a Python float: what the network will hold, bit for bit."""
    given = number(value, what, **where)
    if abs(given) >= _TOO_LARGE:
        raise ValueError(
            tr(
                "{what} is {value:g}, beyond what a 32-bit float can hold (about 3.4e38).",
                what=tr(what, **where),
                value=given,
            )
        )
    return float(np.float32(given))


def whole(value: Any, what: str, low: int, high: int, **where: Any) -> int:
    """A whole number from `low` to `high`."""
    wrong = ""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        wrong, given = later("{what} must be a whole number from {low} to {high:,}, not {value}."), shown(value)
    elif not low <= value <= high:
        wrong, given = later("{what} must be from {low} to {high:,}; {value} is outside."), shown(int(value))
    if wrong:
        raise ValueError(tr(wrong, what=tr(what, **where), low=low, high=high, value=given))
    return int(value)


def choice(value: Any, what: str, allowed: Iterable[str], **where: Any) -> str:
    """One of the `allowed` words."""
    allowed = tuple(allowed)
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(
            tr(
                "{what} must be one of {allowed}, not {value}.",
                what=tr(what, **where),
                allowed=", ".join(allowed),
                value=shown(value),
            )
        )
    return value


def instance(value: Any, kind: type[Kind], what: str) -> Kind:
    """A value of this class, or a sentence that names `what`."""
    if not isinstance(value, kind):
        raise ValueError(
            tr("{what} must be of the kind {kind}, not {value}.", what=tr(what), kind=kind.__name__, value=shown(value))
        )
    return value


def listed(values: Any, what: str) -> tuple[Any, ...]:
    """What an iterable gives, or a sentence that names `what`."""
    if not isinstance(values, Iterable):
        raise ValueError(tr("{what} must be a list, not {value}.", what=tr(what), value=shown(values)))
    try:
        return tuple(values)
    except TypeError as error:  # an array of no dimensions calls itself iterable
        raise ValueError(tr("{what} must be a list, not {value}.", what=tr(what), value=shown(values))) from error


def shown(value: Any) -> str:
    """A value as it may stand in a sentence: its repr, cut short."""
    return quoted(value)


def assign(target: Any, **values: Any) -> None:
    """Set fields of a frozen value while it is being made."""
    for name, value in values.items():
        object.__setattr__(target, name, value)
