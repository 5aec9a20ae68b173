"""The words of the project: kinds of cell, names of signals, their order and labels.

What belongs to one cell stands in its own file in :mod:`seqviz.cells`. Names are torch's
(https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html and its GRU and RNN pages).
"""

from __future__ import annotations

from typing import TypeVar

from seqviz import cells
from seqviz.cells import Label
from seqviz.language import Sentence, Words, tr

Value = TypeVar("Value")

LSTM, GRU, RNN_TANH, RNN_RELU = "LSTM", "GRU", "RNN_TANH", "RNN_RELU"

CELLS: tuple[str, ...] = cells.names()
"""The kinds of cell, as torch spells them in ``nn.RNNBase.mode``."""

_ALL = {name: cells.get(name) for name in cells.names(further=True)}


class _ByCell(dict[str, Value]):
    """What each cell has of something. Another name is refused as :func:`seqviz.cells.get` refuses it."""

    def __missing__(self, name: str) -> Value:
        raise KeyError(cells.get(name).name)


class _Labels(Words):
    """The same of words."""

    def __missing__(self, name: str) -> str:
        raise KeyError(cells.get(name).name)


CELL_LABELS = _Labels({name: cell.label for name, cell in _ALL.items()})


def cell_label(name: str) -> Sentence:
    """What a cell is called, one with other functions too (:mod:`seqviz.cells.squashing`)."""
    return tr(cells.get(name).label)


BLOCKS = _ByCell[tuple[str, ...]]({name: cell.blocks for name, cell in _ALL.items()})
"""Row blocks of torch's packed ``weight_ih``/``weight_hh``, top to bottom: block ``k`` is rows ``k*H:(k+1)*H``."""

SIGNALS = _ByCell[tuple[str, ...]]({name: cell.signals for name, cell in _ALL.items()})
"""What one layer computes at a step, in the order of computation."""

PICTURE_ORDER = _ByCell[tuple[str, ...]]({name: cell.told for name, cell in _ALL.items()})
"""The order in which a lecturer tells it, top to bottom on the screen."""

_FIRST = {signal: cell for cell in reversed(_ALL.values()) for signal in cell.signals}

GATES = frozenset(signal for signal, cell in _FIRST.items() if signal in cell.gates)
"""Signals that come out of a logistic sigmoid and run from 0 (closed) to 1 (open), in the first cell that has them."""

LABELS: dict[tuple[str, str], Label] = {
    (name, signal): label for name, cell in _ALL.items() for signal, label in cell.labels.items()
}

ENDS = Words({"x": "input sequence", "y": "output"})
"""What comes in and what goes out."""


def signal_name(layer: int, signal: str, *, reverse: bool = False, prefix: str = "") -> str:
    """The dotted name of a signal: ``l0.f``, ``l1_reverse.h``, ``encoder.l0.c``."""
    path = f"l{layer}{'_reverse' if reverse else ''}.{signal}"
    return f"{prefix}.{path}" if prefix else path


def is_gate(signal: str, cell: str = "") -> bool:
    """Whether a signal (with or without its layer, ``f`` or ``l0.f``) runs from 0 to 1.

    Args:
        signal: its name.
        cell: whose; by default the first that has a signal of this name, torch's before all others.

    Raises:
        ValueError: there is no such cell.
    """
    return signal.rsplit(".", 1)[-1] in (cells.get(cell).gates if cell else GATES)


def keepers(cell: str) -> list[tuple[str, str, int]]:
    """State, gate and sign of each gate that keeps a state of a cell; the sign is −1 where ``1 - f`` is what keeps.

    Raises:
        ValueError: there is no such cell.
    """
    found = cells.get(cell)
    return [(state, gate, sign) for state, (gate, sign) in found.keep_gates.items() if gate in found.gates]


def squashing(cell: str) -> str:
    """:attr:`seqviz.cells.Cell.squashing` of a cell by its name.

    Raises:
        ValueError: there is no such cell.
    """
    return cells.get(cell).squashing
