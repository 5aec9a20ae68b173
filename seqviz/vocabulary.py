"""The words of the project: kinds of cell, names of signals, their order and labels.

A leaf: it imports nothing of seqviz and no numerical library. Names are torch's
(https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html and its GRU and RNN pages).
"""

from __future__ import annotations

from dataclasses import dataclass

LSTM, GRU, RNN_TANH, RNN_RELU = "LSTM", "GRU", "RNN_TANH", "RNN_RELU"

CELLS: tuple[str, ...] = (LSTM, GRU, RNN_TANH, RNN_RELU)
"""The kinds of cell, as torch spells them in ``nn.RNNBase.mode``."""

CELL_LABELS = {LSTM: "LSTM", GRU: "GRU", RNN_TANH: "RNN (tanh)", RNN_RELU: "RNN (ReLU)"}

BLOCKS: dict[str, tuple[str, ...]] = {
    LSTM: ("i", "f", "g", "o"),
    GRU: ("r", "z", "n"),
    RNN_TANH: ("h",),
    RNN_RELU: ("h",),
}
"""Row blocks of torch's packed ``weight_ih``/``weight_hh``, top to bottom: block ``k`` is rows ``k*H:(k+1)*H``."""

SIGNALS: dict[str, tuple[str, ...]] = {
    LSTM: ("i", "f", "g", "o", "c", "h"),
    GRU: ("r", "z", "n", "h"),
    RNN_TANH: ("h",),
    RNN_RELU: ("h",),
}
"""What one layer computes at a step, in the order of computation."""

PICTURE_ORDER: dict[str, tuple[str, ...]] = {
    LSTM: ("f", "i", "g", "c", "o", "h"),
    GRU: ("r", "z", "n", "h"),
    RNN_TANH: ("h",),
    RNN_RELU: ("h",),
}
"""The order in which a lecturer tells it, top to bottom on the screen."""

GATES = frozenset("ifo") | frozenset("rz")
"""Signals that come out of a logistic sigmoid and run from 0 (closed) to 1 (open)."""


@dataclass(frozen=True)
class Label:
    """How a signal is called on the screen.

    ``name`` stands alone, ``symbol`` is the letter in the equations, ``closed`` and ``open`` say what
    the two ends of its scale mean.
    """

    name: str
    symbol: str
    closed: str
    open: str


LABELS: dict[tuple[str, str], Label] = {
    (LSTM, "f"): Label("forget gate", "f", "drops the old cell state", "keeps the old cell state"),
    (LSTM, "i"): Label("input gate", "i", "lets nothing in", "lets the candidate in"),
    (LSTM, "g"): Label("candidate", "g", "would write −1", "would write +1"),
    (LSTM, "c"): Label("cell state", "c", "negative", "positive"),
    (LSTM, "o"): Label("output gate", "o", "hides the cell state", "shows the cell state"),
    (LSTM, "h"): Label("hidden state", "h", "−1", "+1"),
    (GRU, "r"): Label("reset gate", "r", "ignores the old state", "uses the old state"),
    (GRU, "z"): Label("update gate", "z", "takes the candidate", "keeps the old state"),
    (GRU, "n"): Label("candidate", "n", "would write −1", "would write +1"),
    (GRU, "h"): Label("hidden state", "h", "−1", "+1"),
    (RNN_TANH, "h"): Label("hidden state", "h", "−1", "+1"),
    (RNN_RELU, "h"): Label("hidden state", "h", "0", "large"),
}


def signal_name(layer: int, signal: str, *, reverse: bool = False, prefix: str = "") -> str:
    """The dotted name of a signal: ``l0.f``, ``l1_reverse.h``, ``encoder.l0.c``."""
    path = f"l{layer}{'_reverse' if reverse else ''}.{signal}"
    return f"{prefix}.{path}" if prefix else path


def is_gate(signal: str) -> bool:
    """Whether a signal (with or without its layer, ``f`` or ``l0.f``) runs from 0 to 1."""
    return signal.rsplit(".", 1)[-1] in GATES
