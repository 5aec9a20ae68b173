"""Recurrent cells: what each is has one file, and what follows from its lines follows for every cell.

``lstm.py``, ``gru.py`` and ``rnn.py`` hold their equations as text, the order in which a lecturer tells them, and
what their signals are called. :func:`get` refuses a cell that it does not know; nothing falls through to another.

No torch is imported here; :mod:`seqviz.cells.step` and :mod:`seqviz.cells.layer` compute with it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from seqviz.cells.cell import Cell, parse
from seqviz.cells.gru import GRU
from seqviz.cells.label import Label
from seqviz.cells.lstm import LSTM
from seqviz.cells.rnn import RNN_RELU, RNN_TANH
from seqviz.cells.tokens import CellError
from seqviz.checks import shown
from seqviz.language import tr

__all__ = ["Cell", "CellError", "Label", "get", "names", "parse", "signal_names"]

_KNOWN: Final = {cell.name: cell for cell in (LSTM, GRU, RNN_TANH, RNN_RELU)}


def names() -> tuple[str, ...]:
    """The cells there are; torch's are called as ``nn.RNNBase.mode`` does."""
    return tuple(_KNOWN)


def get(name: str) -> Cell:
    """A cell by its name.

    Raises:
        ValueError: there is none of that name; the sentence gives those that there are.
    """
    try:
        return _KNOWN[name]
    except (KeyError, TypeError):
        known = ", ".join(_KNOWN)
        says = tr("There is no cell {name}; the cells are {known}.", name=shown(name), known=known)
        raise ValueError(says) from None


@lru_cache
def signal_names(mode: str, *, detail: bool = False, projected: bool = False) -> tuple[str, ...]:
    """The signals of one layer in the order they are shown; with ``detail`` each after its parts.

    Raises:
        ValueError: there is no such cell.
    """
    cell = get(mode)
    return (cell.projected(1) if projected else cell).hooks(detail=detail)
