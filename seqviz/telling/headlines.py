"""The one sentence on top of a picture, computed from what is drawn, with a thing to try; and a row's own few words.

A hand-set network's sentence is looked up in the run before it is said; where the run breaks it, what is so instead is
said. Any other network is told by how long it holds on to what it has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from seqviz import vocabulary as words
from seqviz.language import Sentence, later, number, tr, trn
from seqviz.telling.claims import Signals
from seqviz.telling.counting import brackets, counts, is_the_leaky_sum, tells_the_depth
from seqviz.telling.keeping import keeps_the_first_bit, tells_parity
from seqviz.telling.numbers import Number, Share, short
from seqviz.telling.rows import HIGH, LOW, describe_overflow
from seqviz.telling.seen import first_input, no_bits, place

__all__ = ["Headline", "Try", "brief", "headline"]


class Try(NamedTuple):
    """What a person is asked to try: its button, and the inputs it sets as ``(step, feature, value)``."""

    says: Sentence
    edits: tuple[tuple[int, int, float], ...]


class Headline(NamedTuple):
    """The sentence on top, and one thing to try."""

    says: Sentence
    tries: Try | None = None


def headline(name: str, cell: str, signals: Signals, alphabet: str = "", *, kind: str = "") -> Headline:
    """The sentence on top of a run's picture.

    Args:
        name: of the hand-set network, or any other word where it is none.
        cell: what it is called on the screen.
        signals: the run; see :data:`seqviz.telling.claims.Signals`.
        alphabet: the characters that the inputs stand for, where the input is a text.
        kind: the cell's own name, one of :func:`seqviz.cells.names`; without it a forget gate f keeps c, or an update
            gate z the state h.
    """
    for values in signals.values():
        if says := describe_overflow(values):
            return Headline(tr(later("{cell}: {says}"), cell=cell, says=says))
    if name == "brackets" and alphabet and alphabet[2:4] != "()":
        return Headline(_up_and_down(signals, alphabet, kind))
    if name in _SET:
        return _SET[name](signals)
    return Headline(_holding(signals, kind))


def _flip(signals: Signals, step: int) -> Try | None:
    """Another bit at this step, where the input is bits."""
    if no_bits(signals) is not None or signals["x"].shape[1] != 1:
        return None
    bit = 1 - int(first_input(signals)[step])
    says = tr("Make the first bit {bit}", bit=bit) if step == 0 else tr("Make step {step} a {bit}", step=step, bit=bit)
    return Try(says, ((step, 0, float(bit)),))


def _latch(signals: Signals) -> Headline:
    tries = _flip(signals, 0)
    if (broken := keeps_the_first_bit(signals)) is not None:
        return Headline(broken, tries)
    bit, steps = int(first_input(signals)[0]), len(signals["x"])
    return Headline(
        trn(
            "This unit keeps the first bit, {bit}, for {count} step.",
            "This unit keeps the first bit, {bit}, for {count} steps.",
            steps,
            bit=bit,
        ),
        tries,
    )


def _counter(signals: Signals) -> Headline:
    if (broken := counts(signals)) is not None:
        return Headline(broken)
    x = first_input(signals)
    zeros = np.flatnonzero(x == 0)
    tries = _flip(signals, int(zeros[0])) if zeros.size else _flip(signals, 0)
    return Headline(
        trn(
            "This unit counts the ones: {ones} in {count} step.",
            "This unit counts the ones: {ones} in {count} steps.",
            len(x),
            ones=int(x.sum()),
        ),
        tries,
    )


def _toggle(signals: Signals) -> Headline:
    tries = _flip(signals, 0)
    if (broken := tells_parity(signals)) is not None:
        return Headline(broken, tries)
    ones = int(first_input(signals).sum())
    odd = later("This unit flips at every 1: {ones} in all, an odd number.")
    even = later("This unit flips at every 1: {ones} in all, an even number.")
    return Headline(tr(odd if ones % 2 else even, ones=ones), tries)


def _leaky(signals: Signals) -> Headline:
    if (broken := is_the_leaky_sum(signals)) is not None:
        return Headline(broken)
    y = signals["y"][:, 0].astype(float)
    step = int(np.abs(y).argmax())
    return Headline(
        tr(
            "This unit adds up its input and forgets a tenth a step: furthest from 0 at step {step}, with {value}.",
            value=short(float(y[step])), step=step,
        )
    )  # fmt: skip


def _brackets(signals: Signals) -> Headline:
    if (broken := tells_the_depth(signals)) is not None:
        return Headline(broken)
    depth = np.cumsum(brackets(signals))
    step = int(depth.argmax())
    return Headline(
        tr("This unit knows how deep the brackets are: {depth} at step {step}.", depth=int(depth[step]), step=step)
    )


def _up_and_down(signals: Signals, alphabet: str, cell: str) -> Sentence:
    """What counts brackets, where other characters stand in their place."""
    if len(alphabet) < 4 or tells_the_depth(signals) is not None:
        return _holding(signals, cell)
    count = np.cumsum(brackets(signals))
    step = int(np.abs(count).argmax())
    return tr(
        "This unit counts “{up}” up and “{down}” down: furthest from 0 at step {step}, with {value}.",
        up=alphabet[2], down=alphabet[3], step=step, value=Number(count[step]),
    )  # fmt: skip


_SET: Final[dict[str, Callable[[Signals], Headline]]] = {
    "latch": _latch,
    "counter": _counter,
    "toggle": _toggle,
    "leaky": _leaky,
    "brackets": _brackets,
}


_KEPT: Final = {
    ("c", "f", 1): (later("the cell state"), later("The forget gate lets nothing go: what is in the cell stays.")),
    ("h", "z", 1): (later("the old state"), later("The update gate lets nothing go: the old state stays.")),
}
"""What a gate keeps is called, and what is said where it lets nothing go, by state, gate and sign."""


def _holding(signals: Signals, cell: str) -> Sentence:
    """How long what is held lasts under the gate that keeps it, on average; without one, how bent the states are."""
    for state, gate, sign in words.keepers(cell) if cell else _KEPT:
        if gate in signals:
            values = signals[gate].astype(float)
            return _keeping(values if sign > 0 else 1 - values, *_kept(state, gate, sign))
    h = signals["h"].astype(float)
    if not h.any():
        return tr("Its states are exactly 0 at every step.")
    if (h >= 0).all() and (h == 0).any():
        shut = Share((h == 0).mean())
        return tr("{share} of its states are exactly 0, where a ReLU lets nothing through.", share=shut)
    if np.abs(h).max() > 1 or (cell and words.squashing(cell) != "tanh"):
        return tr("Its states run from {low} to {high}.", low=short(float(h.min())), high=short(float(h.max())))
    return tr(
        "{share} of its states lie beyond ±0.9, where tanh is flat and little can be learned.",
        share=Share((np.abs(h) > HIGH).mean()),
    )


def _kept(state: str, gate: str, sign: int) -> tuple[str, Sentence]:
    """What :data:`_KEPT` has, and of any other cell the same by its letters."""
    if (state, gate, sign) in _KEPT:
        kept, lasting = _KEPT[state, gate, sign]
        return tr(kept), tr(lasting)
    factor = gate if sign > 0 else f"1 − {gate}"
    return state, tr(
        "{factor} is 1, which lets nothing of {state} go: what is in it stays.", factor=factor, state=state
    )


def _keeping(gate: np.ndarray, kept: str, lasting: Sentence) -> Sentence:
    """Half-life under the geometric mean of a gate ``(L, H)``: what many steps in a row leave is a product."""
    if gate.min() <= 0:
        step, unit = place(gate <= 0)
        if gate[step, unit] < 0:
            said = later("At step {step} unit {unit} keeps {factor} × {kept}: its sign is turned.")
            return tr(said, step=step, unit=unit, factor=short(float(gate[step, unit])), kept=kept)
        return tr("At step {step} unit {unit} keeps nothing of {kept}.", step=step, unit=unit, kept=kept)
    mean = float(np.exp(np.log(gate).mean()))
    if mean > 1:
        return tr("On average {kept} grows, {times} times a step.", times=short(mean), kept=kept)
    if gate.min() > 0.999 and np.log(gate).sum(axis=0).min() > np.log(0.99):
        return lasting
    half = float(np.log(0.5) / np.log(mean))
    if half < 1.05:
        return tr("On average {share} of {kept} is kept a step: half is gone within one.", share=Share(mean), kept=kept)
    return trn(
        "On average {share} of {kept} is kept a step: half is gone after {count} step.",
        "On average {share} of {kept} is kept a step: half is gone after {count} steps.",
        short(float(f"{half:.2g}")),
        share=Share(mean), kept=kept,
    )  # fmt: skip


def brief(signal: str, values: np.ndarray, cell: str = "") -> Sentence:
    """A cell's row ``(L, H)`` in a few words, beside its heading; :func:`seqviz.telling.rows.describe` says more."""
    values = np.asarray(values, dtype=float)
    if not np.isfinite(values).all():
        return tr("overflows")
    name = signal.rsplit(".", 1)[-1]
    low, high = float(values.min()), float(values.max())
    if name == "x":
        return _brief_input(values, low, high)
    if name == "y":
        return tr("ends at {value}", value=_signed(values[-1, 0]))
    if words.is_gate(name, cell):
        if (said := _brief_gate(values, low, high)) is not None:
            return said
    elif len(values) > 1 and (np.ptp(values, axis=0) <= 0.005 * np.abs(values).max()).all() and high - low > 0:
        return tr("every unit holds what it has")
    elif len(values) > 1 and high - low <= 0.005 * max(abs(low), abs(high)):
        return tr("holds {value} throughout", value=_signed(high))
    return _ends(low, high)


def _signed(value: float) -> str:
    """Two decimals, and three digits of what they would show as 0 or not at all as a number to read."""
    return _beside(value, abs(value))


def _beside(value: float, size: float) -> str:
    """The same of a value beside another one; `size` is the larger one's."""
    return number(value, ".2f") if size == 0 or 0.005 <= size < 1e4 else short(value)


def _ends(low: float, high: float) -> Sentence:
    size = max(abs(low), abs(high))
    return tr("from {low} to {high}", low=_beside(low, size), high=_beside(high, size))


def _brief_input(values: np.ndarray, low: float, high: float) -> Sentence:
    steps = len(values)
    if values.shape[1] == 1 and np.isin(values, (0.0, 1.0)).all():
        return trn("{count} bit; ones: {ones}", "{count} bits; ones: {ones}", steps, ones=int(values.sum()))
    if values.shape[1] > 1 and np.isin(values, (0.0, 1.0)).all() and (values.sum(axis=1) == 1).all():
        return trn("{count} character", "{count} characters", steps)
    return _ends(low, high)


def _brief_gate(values: np.ndarray, low: float, high: float) -> Sentence | None:
    if low >= 0.995 and high < 1.005:
        return tr("1.00 at every step: open")
    if low > -0.005 and high <= 0.005:
        return tr("0.00 at every step: shut")
    if high - low <= 0.005:
        return tr("{value} at every step", value=_signed(high))
    if len(values) > 1 and values[0].min() > HIGH and values[1:].max() < LOW:
        return tr("open at step 0 only, then shut")
    if len(values) > 1 and values[0].max() < LOW and values[1:].min() > HIGH:
        return tr("shut at step 0 only, then open")
    return None
