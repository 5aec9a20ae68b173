"""Checks of what somebody gave, each with one plain sentence when it will not do.

``what`` is how the sentence names the value: English marked by ``later``, with the values that go into its braces,
so that a value that is right costs no sentence.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from seqviz.language import later, tr

__all__ = ["assign", "choice", "float32", "number", "shown", "whole"]

_TOO_LARGE: Final = 2.0**128 - 2.0**103
"""The smallest number that float32 rounds to infinity."""

_BRIEF: Final = reprlib.Repr()
_BRIEF.maxlevel, _BRIEF.maxstring, _BRIEF.maxother = 3, 200, 200


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


def shown(value: Any) -> str:
    """A value as it may stand in a sentence: its repr, cut short."""
    try:
        text = _BRIEF.repr(value)
    except ValueError:  # Python refuses to print an int of more than 4,300 digits
        text = tr("a number of thousands of digits")
    return text if len(text) <= 40 else text[:37] + "..."


def assign(target: Any, **values: Any) -> None:
    """Set fields of a frozen value while it is being made."""
    for name, value in values.items():
        object.__setattr__(target, name, value)
