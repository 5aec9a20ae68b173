"""The operations of a tape in numpy: their values, and their slopes from what goes in.

A slope is computed from the argument and never as ``1 - tanh(a)**2`` or ``s * (1 - s)`` from the value, which are
exactly 0 in a double from ``|a|`` of 19 and 37 on, where the right ones are 1e-16 and less.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["SLOPES", "VALUES", "sech2", "sigmoid", "sigmoid_slope"]

Array = np.ndarray[Any, np.dtype[Any]]


def sigmoid(a: Array) -> Array:
    """``1 / (1 + exp(-a))``, as exact below as above 0."""
    e = np.exp(-np.abs(a))
    return np.where(a >= 0, 1.0, e) / (1 + e)


def sigmoid_slope(a: Array) -> Array:
    """``s (1 - s)`` at the argument ``a``: ``e / (1 + e)^2`` with ``e = exp(-|a|)``."""
    e = np.exp(-np.abs(a))
    return e / np.square(1 + e)


def sech2(a: Array) -> Array:
    """``1 - tanh(a)^2``: ``4 e / (1 + e)^2`` with ``e = exp(-2 |a|)``."""
    e = np.exp(-2 * np.abs(a))
    below = 1 + e
    below *= below
    e *= 4
    e /= below
    return e


VALUES: dict[str, Callable[..., Array]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "neg": np.negative,
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "relu": lambda a: np.maximum(a, 0),
    "exp": np.exp,
    "log": np.log,
    "abs": np.abs,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "softplus": lambda a: np.logaddexp(a, 0),
    "logsigmoid": lambda a: -np.logaddexp(-a, 0),
    "max": np.maximum,
    "min": np.minimum,
}
"""Each operation of its arguments; ``^`` is apart, for its power."""


def _first(a: Array, b: Array, larger: bool) -> tuple[Array, Array]:
    """Which of two values is taken; at a tie each has half the slope, as torch does it for two tensors."""
    share = (a > b if larger else a < b) + 0.5 * (a == b)
    return share, 1 - share


SLOPES: dict[str, Callable[..., tuple[Any, ...]]] = {
    "+": lambda v, a, b: (1.0, 1.0),
    "-": lambda v, a, b: (1.0, -1.0),
    "*": lambda v, a, b: (b, a),
    "/": lambda v, a, b: (1 / b, -v / b),
    "neg": lambda v, a: (-1.0,),
    "sigmoid": lambda v, a: (sigmoid_slope(a),),
    "tanh": lambda v, a: (sech2(a),),
    "relu": lambda v, a: (np.where(np.isnan(a), np.nan, a > 0),),
    "exp": lambda v, a: (v,),
    "log": lambda v, a: (1 / a,),
    "abs": lambda v, a: (np.sign(a),),
    "sqrt": lambda v, a: (0.5 / v,),
    "sin": lambda v, a: (np.cos(a),),
    "cos": lambda v, a: (-np.sin(a),),
    "softplus": lambda v, a: (sigmoid(a),),
    "logsigmoid": lambda v, a: (sigmoid(-a),),
    "max": lambda v, a, b: _first(a, b, larger=True),
    "min": lambda v, a, b: _first(a, b, larger=False),
}
"""The derivatives by each argument, from the value and the arguments."""
