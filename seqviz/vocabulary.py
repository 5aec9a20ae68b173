"""The words of the project: kinds of cell, names of signals, their order and labels.

A leaf: it imports nothing of seqviz but the language, and no numerical library. Names are torch's
(https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html and its GRU and RNN pages).
"""

from __future__ import annotations

from dataclasses import dataclass

from seqviz.language import Words, later, tr

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

    ``symbol`` is the letter in the equations; the rest is kept in English and said in the language of now.
    """

    _name: str
    symbol: str
    _closed: str
    _open: str

    @property
    def name(self) -> str:
        """What it is called where it stands alone."""
        return tr(self._name)

    @property
    def closed(self) -> str:
        """What the lower end of its scale means."""
        return tr(self._closed)

    @property
    def open(self) -> str:
        """What the upper end of its scale means."""
        return tr(self._open)


LABELS: dict[tuple[str, str], Label] = {
    (LSTM, "f"): Label(later("forget gate"), "f", later("drops the old cell state"), later("keeps the old cell state")),
    (LSTM, "i"): Label(later("input gate"), "i", later("lets nothing in"), later("lets the candidate in")),
    (LSTM, "g"): Label(later("candidate"), "g", later("would write −1"), later("would write +1")),
    (LSTM, "c"): Label(later("cell state"), "c", later("negative"), later("positive")),
    (LSTM, "o"): Label(later("output gate"), "o", later("hides the cell state"), later("shows the cell state")),
    (LSTM, "h"): Label(later("hidden state"), "h", "−1", "+1"),
    (GRU, "r"): Label(later("reset gate"), "r", later("ignores the old state"), later("uses the old state")),
    (GRU, "z"): Label(later("update gate"), "z", later("takes the candidate"), later("keeps the old state")),
    (GRU, "n"): Label(later("candidate"), "n", later("would write −1"), later("would write +1")),
    (GRU, "h"): Label(later("hidden state"), "h", "−1", "+1"),
    (RNN_TANH, "h"): Label(later("hidden state"), "h", "−1", "+1"),
    (RNN_RELU, "h"): Label(later("hidden state"), "h", "0", later("large")),
}


ENDS = Words({"x": "input sequence", "y": "output"})
"""What comes in and what goes out."""


def signal_name(layer: int, signal: str, *, reverse: bool = False, prefix: str = "") -> str:
    """The dotted name of a signal: ``l0.f``, ``l1_reverse.h``, ``encoder.l0.c``."""
    path = f"l{layer}{'_reverse' if reverse else ''}.{signal}"
    return f"{prefix}.{path}" if prefix else path


def is_gate(signal: str) -> bool:
    """Whether a signal (with or without its layer, ``f`` or ``l0.f``) runs from 0 to 1."""
    return signal.rsplit(".", 1)[-1] in GATES
