"""The words of the project: kinds of cell, names of signals, their order and labels.

What belongs to one cell stands in its own file in :mod:`seqviz.cells`. Names are torch's
(https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html and its GRU and RNN pages).
"""

from __future__ import annotations

from seqviz import cells
from seqviz.cells import Label
from seqviz.language import Words

LSTM, GRU, RNN_TANH, RNN_RELU = "LSTM", "GRU", "RNN_TANH", "RNN_RELU"

CELLS: tuple[str, ...] = cells.names()
"""The kinds of cell, as torch spells them in ``nn.RNNBase.mode``."""

_ALL = {name: cells.get(name) for name in CELLS}

CELL_LABELS = Words({name: cell.label for name, cell in _ALL.items()})

BLOCKS: dict[str, tuple[str, ...]] = {name: cell.blocks for name, cell in _ALL.items()}
"""Row blocks of torch's packed ``weight_ih``/``weight_hh``, top to bottom: block ``k`` is rows ``k*H:(k+1)*H``."""

SIGNALS: dict[str, tuple[str, ...]] = {name: cell.signals for name, cell in _ALL.items()}
"""What one layer computes at a step, in the order of computation."""

PICTURE_ORDER: dict[str, tuple[str, ...]] = {name: cell.told for name, cell in _ALL.items()}
"""The order in which a lecturer tells it, top to bottom on the screen."""

GATES = frozenset[str]().union(*(cell.gates for cell in _ALL.values()))
"""Signals that come out of a logistic sigmoid and run from 0 (closed) to 1 (open)."""

LABELS: dict[tuple[str, str], Label] = {
    (name, signal): label for name, cell in _ALL.items() for signal, label in cell.labels.items()
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
