"""What the latch and the toggle are checked for: what a gate lets in, what a state keeps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from seqviz.language import Sentence, tr
from seqviz.telling.claims import Signals
from seqviz.telling.numbers import Number
from seqviz.telling.rows import HIGH, LOW
from seqviz.telling.seen import before, first, first_input, no_bits, place

__all__ = ["flips", "holds", "input_gate_shuts", "keeps_the_first_bit", "stays", "tells_parity", "update_gate_shuts"]


def keeps_the_first_bit(signals: Signals) -> Sentence | None:
    bit, y = float(first_input(signals)[0]), signals["y"][:, 0].astype(float)
    if bit not in (0.0, 1.0):
        return tr("The input at step 0 is {value}, neither 0 nor 1: there is no bit to keep.", value=Number(bit))
    if (step := first(np.abs(y - bit) > 0.1)) is None:
        return None
    return tr(
        "It no longer keeps the first bit, {bit}: the output is {value} at step {step}.",
        bit=int(bit), value=Number(y[step]), step=step,
    )  # fmt: skip


def input_gate_shuts(signals: Signals) -> Sentence | None:
    step, unit = place(signals["i"][1:])
    if (value := signals["i"][1 + step, unit]) >= LOW:
        return tr(
            "The input gate is no longer shut after step 0: unit {unit} reaches {value} at step {step}.",
            unit=unit, value=Number(value), step=1 + step,
        )  # fmt: skip
    unit = int(signals["i"][0].argmin())
    if (value := signals["i"][0, unit]) <= HIGH:
        return tr("The input gate is not open at step 0: unit {unit} is at {value}.", unit=unit, value=Number(value))
    return None


def update_gate_shuts(signals: Signals) -> Sentence | None:
    step, unit = place(-signals["z"][1:])
    if (value := signals["z"][1 + step, unit]) <= HIGH:
        return tr(
            "The update gate no longer keeps the old state after step 0: unit {unit} falls to {value} at step {step}.",
            unit=unit, value=Number(value), step=1 + step,
        )  # fmt: skip
    unit = int(signals["z"][0].argmax())
    if (value := signals["z"][0, unit]) >= LOW:
        return tr(
            "The update gate does not take the candidate at step 0: unit {unit} is at {value}.",
            unit=unit, value=Number(value),
        )  # fmt: skip
    return None


def stays(state: str, moved: str) -> Callable[[Signals], Sentence | None]:
    def fails(signals: Signals) -> Sentence | None:
        kept = signals[state][:, 0].astype(float)
        step = int(np.abs(kept - kept[0]).argmax())
        if abs(kept[step] - kept[0]) <= 0.01 * abs(kept[0]):
            return None
        return tr(moved, first=Number(kept[0]), value=Number(kept[step]), step=step)

    return fails


def tells_parity(signals: Signals) -> Sentence | None:
    if (other := no_bits(signals)) is not None:
        return other
    count, y = np.cumsum(first_input(signals)), signals["y"][:, 0].astype(float)
    if (step := first(np.where(count % 2 == 1, y <= 0, y >= 0))) is None:
        return None
    return tr(
        "It no longer tells odd from even: the output is {value} at step {step}, where the count of ones is {count}.",
        count=int(count[step]), value=Number(y[step]), step=step,
    )  # fmt: skip


def flips(gate: str, candidate: str, shut: str, sign: str) -> Callable[[Signals], Sentence | None]:
    """At a 1 the gate lets go of the old state, and the candidate has the other sign than what it replaces."""

    def fails(signals: Signals) -> Sentence | None:
        at = np.flatnonzero(first_input(signals) == 1)
        kept, old, new = signals[gate][at, 0], before(signals["h"][:, 0])[at], signals[candidate][at, 0]
        worst = int(kept.argmax())
        if kept[worst] >= LOW:
            return tr(shut, step=int(at[worst]), value=Number(kept[worst]))
        if (wrong := first(old * new > 0)) is not None:
            return tr(sign, step=int(at[wrong]), value=Number(new[wrong]), old=Number(old[wrong]))
        return None

    return fails


def holds(gates: dict[str, bool], otherwise: str) -> Callable[[Signals], Sentence | None]:
    """At a 0 each of these gates is open (True) or shut."""

    def fails(signals: Signals) -> Sentence | None:
        at = np.flatnonzero(first_input(signals) == 0)
        for gate, opened in gates.items():
            values = signals[gate][at, 0]
            worst = int((-values if opened else values).argmax())
            if (values[worst] <= HIGH) if opened else (values[worst] >= LOW):
                return tr(otherwise, gate=gate, step=int(at[worst]), value=Number(values[worst]))
        return None

    return fails
