"""How a network is set by hand: a gate of a unit at a time, by what its sum reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["OPEN", "SHUT", "setter"]

Array = np.ndarray[Any, np.dtype[Any]]

SHUT, OPEN = -20.0, 20.0
"""Gate pre-activations at which a float32 sigmoid is 2e-9, as good as 0, and 1 exactly."""


def setter(arrays: dict[str, Array], blocks: str) -> Callable[..., None]:
    """A function that sets one gate of one unit of the first layer in torch's packed arrays, which it writes to.

    ``set_("f", 0, bias=20.0, x0=1.0, h1=-2.0)``: ``bias``, ``x0``… from the input, ``h0``… from the last state.
    """
    hidden = len(arrays["bias_ih_l0"]) // len(blocks)

    def set_(gate: str, unit: int, **terms: float) -> None:
        row = blocks.index(gate) * hidden + unit
        for name, value in terms.items():
            if name == "bias":
                arrays["bias_ih_l0"][row] = value
            else:
                part = "weight_ih_l0" if name[0] == "x" else "weight_hh_l0"
                arrays[part][row, int(name[1:])] = value

    return set_
