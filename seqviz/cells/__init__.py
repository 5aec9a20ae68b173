"""Recurrent cells: what each is has one file, and what follows from its lines follows for every cell.

``lstm.py``, ``gru.py`` and ``rnn.py`` hold their equations as text, the order in which a lecturer tells them, what
their signals are called, and by hand what follows from the lines, faster. A file put beside them is a cell more.
:func:`get` refuses a cell that it does not know; nothing falls through to another.

No torch is imported here; :mod:`seqviz.cells.step` and :mod:`seqviz.cells.layer` compute with it.
"""

from __future__ import annotations

import copyreg
import pkgutil
from functools import lru_cache
from importlib import import_module
from typing import Any, Final

from seqviz.cells.cell import Cell, parse
from seqviz.cells.label import Label
from seqviz.cells.squashing import squashing
from seqviz.cells.tokens import CellError
from seqviz.checks import shown
from seqviz.language import tr

__all__ = ["Cell", "CellError", "Label", "families", "get", "names", "parse", "signal_names"]

_FIRST: Final = ("lstm", "gru", "rnn")
_LANGUAGE: Final = frozenset(
    (
        *("by_hand", "cell", "checked", "forward", "label", "layer", "nodes", "operations", "ran", "road", "roads"),
        *("scan", "slopes", "squashing", "step", "tape", "text", "tokens"),
    )
)
"""Every other file in this folder is a cell's, and names what is in it: ``CELLS = (LSTM,)``. What it has as ``FURTHER``
is known by its name and stands in no menu."""


def _known(which: str) -> dict[str, Cell]:
    files = [found.name for found in pkgutil.iter_modules(__path__) if found.name not in _LANGUAGE]
    ordered = sorted(files, key=lambda name: (name not in _FIRST, _FIRST.index(name) if name in _FIRST else 0, name))
    modules = (import_module(f"{__name__}.{name}") for name in ordered)
    return {cell.name: cell for module in modules for cell in getattr(module, which, ())}


_OFFERED: Final = _known("CELLS")
_KNOWN: Final = _OFFERED | _known("FURTHER")


def _reduced(cell: Cell) -> tuple[Any, tuple[str, ...]]:
    """What a pickle holds of a cell: its name, or its lines where it is not registered."""
    known = _KNOWN.get(cell.name) or squashing(cell.name, _KNOWN.__getitem__)
    return (get, (cell.name,)) if known is cell else (parse, (cell.text, cell.name))


copyreg.pickle(Cell, _reduced)


def names(*, further: bool = False) -> tuple[str, ...]:
    """The cells there are, with `further` also those of no menu; torch's are called as ``nn.RNNBase.mode`` does."""
    return tuple(_KNOWN if further else _OFFERED)


def get(name: str) -> Cell:
    """A cell by its name, which may be that of a cell with other functions: ``LSTM(sigmoid, relu, relu)``.

    Raises:
        ValueError: there is none of that name; the sentence gives those that there are.
    """
    try:
        return _KNOWN[name]
    except (KeyError, TypeError):
        if isinstance(name, str) and (found := squashing(name, _KNOWN.__getitem__)) is not None:
            return found
        known = ", ".join(_KNOWN)
        says = tr("There is no cell {name}; the cells are {known}.", name=shown(name), known=known)
        raise ValueError(says) from None


def families() -> dict[str, tuple[str, ...]]:
    """The cells by family, the first of each being the one that stands for it: ``RNN`` is RNN_TANH and RNN_RELU."""
    found: dict[str, tuple[str, ...]] = {}
    for name, cell in _KNOWN.items():
        found[cell.family] = (*found.get(cell.family, ()), name)
    return found


@lru_cache
def signal_names(mode: str, *, detail: bool = False, projected: bool = False) -> tuple[str, ...]:
    """The signals of one layer in the order they are shown; with ``detail`` each after its parts.

    Raises:
        ValueError: there is no such cell.
    """
    cell = get(mode)
    return (cell.projected(1) if projected else cell).hooks(detail=detail)
