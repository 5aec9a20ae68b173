"""What is said of a network beside its weights: what was moved, and what the file leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seqviz import cells
from seqviz.language import Sentence, tr
from seqviz.reading.networks.stored import brief

__all__ = ["BY_BLOCKS", "GATES", "Moved", "Question", "moves", "of_torch"]

_OF_TORCH = {family: cells.get(names[0]) for family, names in cells.families().items() if cells.get(names[0]).torchs}

GATES = {family: "".join(cell.blocks) for family, cell in _OF_TORCH.items()}
"""torch's order of the blocks of a packed matrix, top to bottom."""

BY_BLOCKS = {len(gates): family for family, gates in GATES.items()}
"""``LSTM``, ``GRU`` or ``RNN`` by how many blocks its matrices have."""


def of_torch(kind: str) -> cells.Cell:
    """The cell of ``LSTM``, ``GRU`` or ``RNN``; of the last that with tanh, which has the same blocks as the other."""
    return _OF_TORCH[kind]


@dataclass(frozen=True)
class Question:
    """What a file cannot say.

    Attributes:
        name: of the answer, a keyword of ``NetworkFile.module``.
        says: why it is asked, and what is taken without an answer.
        choices: the answers there are, the likelier first; it is taken where nothing is answered.
    """

    name: str
    says: Sentence
    choices: tuple[Any, ...]


@dataclass(frozen=True)
class Moved:
    """Which rows or columns of an array of the file are which gate.

    Attributes:
        source: the array's name in the file.
        columns: whether columns are meant; else rows.
        span: the first and the last of them.
        gate: torch's letter.
        cell: ``LSTM``, ``GRU`` or ``RNN``.
        to: the first and the last row that they are in torch's matrix.
    """

    source: str
    columns: bool
    span: tuple[int, int]
    gate: str
    cell: str
    to: tuple[int, int]

    @property
    def label(self) -> str:
        """What the gate is called."""
        return of_torch(self.cell).labels[self.gate].name

    @property
    def says(self) -> Sentence:
        """The move in a sentence."""
        values = {"first": self.span[0], "last": self.span[1], "source": brief(self.source), "gate": self.gate}
        if self.columns:
            return tr("Columns {first}–{last} of {source} became the {label} {gate}.", label=self.label, **values)
        return tr("Rows {first}–{last} of {source} became the {label} {gate}.", label=self.label, **values)


def moves(cell: str, order: str, size: int, source: str, *, columns: bool) -> list[Moved]:
    """The blocks of an array whose gates lie in this order."""
    to = GATES[cell]
    return [
        Moved(source, columns, (k * size, (k + 1) * size - 1), gate, cell,
              (to.index(gate) * size, (to.index(gate) + 1) * size - 1))
        for k, gate in enumerate(order)
    ]  # fmt: skip
