"""What several stories look up in a run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from seqviz.language import Sentence, tr
from seqviz.telling.claims import Signals
from seqviz.telling.numbers import Number

__all__ = ["before", "first", "first_input", "has", "no_bits", "place", "several"]


def place(wrong: np.ndarray) -> tuple[int, int]:
    """Step and unit of the largest of ``(L, H)``, the first of them in time."""
    step, unit = np.unravel_index(int(wrong.argmax()), wrong.shape)
    return int(step), int(unit)


def first(wrong: np.ndarray) -> int | None:
    """The first step at which something of ``(L,)`` is True."""
    places = np.flatnonzero(wrong)
    return int(places[0]) if places.size else None


def before(state: np.ndarray) -> np.ndarray:
    """The state before each step ``(L,)``, from nothing."""
    return np.concatenate([[0.0], state[:-1]])


def first_input(signals: Signals) -> np.ndarray:
    """The input, or the first of several, at each step ``(L,)``."""
    return signals["x"][:, 0].astype(float)


def no_bits(signals: Signals) -> Sentence | None:
    x = first_input(signals)
    if (step := first((x != 0) & (x != 1))) is None:
        return None
    return tr("It was set for zeros and ones; the input at step {step} is {value}.", step=step, value=Number(x[step]))


def has(bit: int) -> Callable[[Signals], bool]:
    return lambda signals: no_bits(signals) is None and bool((first_input(signals) == bit).any())


def several(signals: Signals) -> bool:
    return len(signals["x"]) > 1
