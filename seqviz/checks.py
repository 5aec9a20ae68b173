"""Checks of what somebody gave, each with one plain sentence when it will not do."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterable
from typing import Any, Final

import numpy as np

__all__ = ["assign", "choice", "float32", "number", "shown", "whole"]

_TOO_LARGE: Final = 2.0**128 - 2.0**103
"""The smallest number that float32 rounds to infinity."""

_BRIEF: Final = reprlib.Repr()
_BRIEF.maxlevel, _BRIEF.maxstring, _BRIEF.maxother = 3, 200, 200


def number(value: Any, what: str) -> float:
    """A finite number, or a sentence that names `what`."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise ValueError(f"{what} must be a number, not {shown(value)}.")
    try:
        given = float(value)
    except OverflowError:
        given = math.inf
    if not math.isfinite(given):
        raise ValueError(f"{what} must be a finite number, not {given}.")
    return given


def float32(value: Any, what: str) -> float:
    """The float32 nearest to `value`, as a Python float: what the network will hold, bit for bit."""
    given = number(value, what)
    if abs(given) >= _TOO_LARGE:
        raise ValueError(f"{what} is {given:g}, beyond what a 32-bit float can hold (about 3.4e38).")
    return float(np.float32(given))


def whole(value: Any, what: str, low: int, high: int) -> int:
    """A whole number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ValueError(f"{what} must be a whole number from {low} to {high:,}, not {shown(value)}.")
    if not low <= value <= high:
        raise ValueError(f"{what} must be from {low} to {high:,}; {shown(int(value))} is outside.")
    return int(value)


def choice(value: Any, what: str, allowed: Iterable[str]) -> str:
    """One of the `allowed` words."""
    allowed = tuple(allowed)
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{what} must be one of {', '.join(allowed)}, not {shown(value)}.")
    return value


def shown(value: Any) -> str:
    """A value as it may stand in a sentence: its repr, cut short."""
    try:
        text = _BRIEF.repr(value)
    except ValueError:  # Python refuses to print an int of more than 4,300 digits
        text = "a number of thousands of digits"
    return text if len(text) <= 40 else text[:37] + "..."


def assign(target: Any, **values: Any) -> None:
    """Set fields of a frozen value while it is being made."""
    for name, value in values.items():
        object.__setattr__(target, name, value)
