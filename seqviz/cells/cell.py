"""What a recurrent cell is: its lines, and the tape of small operations that everything else reads.

No numerical library. The names of hook points follow from the lines: ``f = sigmoid(…)`` has ``f_pre`` inside its
squashing; a product in a sum is a part of its own, ``f_ih`` from x and ``f_hh`` from ``h_prev``, with the bias of the
same subscript.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any, TypedDict

from seqviz.cells.checked import Checked, check
from seqviz.cells.label import Label
from seqviz.cells.roads import Roads
from seqviz.cells.tape import Node, Tape
from seqviz.cells.text import Expression, Line, read, walk
from seqviz.cells.tokens import CellError
from seqviz.checks import shown
from seqviz.language import current, later, tr

__all__ = ["Cell", "CellDescription", "parse"]


class CellDescription(TypedDict):
    """A cell as :meth:`Cell.description` gives it; a node is op, args, name, bias, value, width. ``keep`` is by state
    the gate that keeps it and its sign; ``labels`` by signal its name, what its ends mean, and its symbol."""

    name: str
    label: str
    text: str
    told: Sequence[str]
    gates: Sequence[str]
    keep: Mapping[str, Sequence[Any]]
    labels: Mapping[str, Sequence[str]]
    states: Sequence[str]
    start: Mapping[str, float]
    sizes: Mapping[str, int]
    signals: Sequence[str]
    where: Mapping[str, int]
    packing: Mapping[str, Sequence[str]]
    nodes: Sequence[Sequence[Any]]


@dataclass(frozen=True, eq=False, repr=False)
class Cell:
    """A cell as its lines describe it; made by :func:`parse`.

    Args:
        name: what the registry and torch's ``mode`` call it, ``LSTM``.
        text: its lines.
        lines: the same, read.
        states: what is carried from step to step, h first.
        start: their values before the first step, where they are not 0.
        fixed: weights that are not trained.
        sizes: the widths of signals that are not as wide as the units.
        shapes: each weight's sizes by letter, ``("H", "X")``: H the units, X the input, else a signal with a size.
        nodes: the tape. A line of plain numbers has none.
        where: each hook point's node, in the order of computation.
        warnings: sentences about what is odd and not wrong.
        label: what a person calls it.
        blocks: the row blocks of torch's packed weights, top to bottom, where the cell is torch's.
        told: its signals in the order in which a lecturer tells them, top to bottom on the screen.
        labels: what each signal is called.
        family: what it is called beside other kinds of cell, where several are of one kind: both plain networks are
            ``RNN``.
        torchs: the name of torch's function that runs it, ``lstm``; empty for a cell that torch does not have.
        says: what it does, in two sentences; kept in English.
        by_hand: networks set by hand, each a function that fills arrays of zeros, by the name of the preset.
        roads: its hand-written fast roads; what is not there follows from the lines.
    """

    name: str
    text: str
    lines: tuple[Line, ...]
    states: tuple[str, ...]
    start: Mapping[str, float]
    fixed: frozenset[str]
    sizes: Mapping[str, int]
    shapes: Mapping[str, tuple[str, ...]]
    nodes: tuple[Node, ...]
    where: Mapping[str, int]
    warnings: tuple[str, ...]
    label: str = ""
    blocks: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    labels: Mapping[str, Label] = field(default_factory=dict)
    family: str = ""
    torchs: str = ""
    says: str = ""
    by_hand: Mapping[str, Any] = field(default_factory=dict)
    roads: Roads = field(default_factory=Roads)

    def __repr__(self) -> str:
        return f"Cell({self.name!r}, states: {', '.join(self.states)}, signals: {', '.join(self.signals)})"

    @cached_property
    def signals(self) -> tuple[str, ...]:
        """What the lines set, in the order of computation."""
        return tuple(line.name for line in self.lines if line.name in self.where)

    def __deepcopy__(self, memo: Any) -> Cell:
        return self

    def hooks(self, *, detail: bool = False) -> tuple[str, ...]:
        """Its signals in the order in which they are shown; with ``detail`` each after its parts."""
        return tuple(self.where) if detail else self.signals

    @cached_property
    def gates(self) -> frozenset[str]:
        """Signals that come out of a sigmoid, logistic or hard, and run from 0 (closed) to 1 (open)."""
        calls = {line.name: line.expression for line in self.lines}
        return frozenset(s for s in self.signals if _from_0_to_1(calls[s]))

    @cached_property
    def keep_gates(self) -> Mapping[str, tuple[str, int]]:
        """By state, the signal that says how much of it is kept, and its sign: −1 where ``1 - f`` is what keeps.

        Found in the lines: the factor of ``c_prev`` among the terms that c is the sum of.
        """
        found: dict[str, tuple[str, int]] = {}
        for state in self.states:
            for k in self._terms(self.where[state]):
                if kept := self._factor(k, state):
                    found.setdefault(state, kept)
        return MappingProxyType(found)

    @property
    def squashing(self) -> str:
        """The function that h comes out of, ``tanh``; nothing where its line is a sum or a product."""
        expression = next(line.expression for line in self.lines if line.name == "h")
        return expression.name if expression.op == "call" else ""

    @property
    def has_highway(self) -> bool:
        """Whether a gate says how much of a cell state c is kept, as an LSTM's forget gate does."""
        return "h" in self.states and self.keep_gates.get("c", ("", 0))[1] == 1

    @cached_property
    def write_gates(self) -> Mapping[str, str]:
        """By state, the gate that lets something new in, where it is another than the one that keeps: LSTM's i."""
        found: dict[str, str] = {}
        for state, (keep, _) in self.keep_gates.items():
            for k in self._terms(self.where[state]):
                node = self.nodes[k]
                gates = {self.nodes[a].name for a in node.args if self.nodes[a].op == "at"} & self.gates - {keep}
                if node.op == "*" and len(gates) == 1:
                    found.setdefault(state, gates.pop())
        return MappingProxyType(found)

    @cached_property
    def show_gates(self) -> Mapping[str, str]:
        """By state other than h, the gate that says how much of it h shows: LSTM's o in ``h = o * tanh(c)``."""
        found: dict[str, str] = {}
        for k in self._terms(self.where["h"]):
            node = self.nodes[k]
            gates = {self.nodes[a].name for a in node.args if self.nodes[a].op == "at"} & self.gates
            shown = {self._squashed(a) for a in node.args} & set(self.states) - {"h"}
            if node.op == "*" and len(gates) == len(shown) == 1:
                found.setdefault(shown.pop(), gates.pop())
        return MappingProxyType(found)

    def _squashed(self, k: int) -> str:
        """The signal that a node is, or is a function of."""
        node = self.nodes[k]
        while node.op != "at" and len(node.args) == 1:
            node = self.nodes[node.args[0]]
        return node.name if node.op == "at" else ""

    def _terms(self, top: int) -> list[int]:
        node = self.nodes[top]
        return [k for a in node.args for k in self._terms(a)] if node.op in ("at", "+", "-") and node.args else [top]

    def _factor(self, k: int, state: str) -> tuple[str, int] | None:
        node = self.nodes[k]
        if node.op != "*" or not any(self.nodes[a].op == "prev" and self.nodes[a].name == state for a in node.args):
            return None
        others = [self.nodes[a] for a in node.args if self.nodes[a].op != "prev"]
        if len(others) != 1:
            return None
        if others[0].op == "at":
            return others[0].name, 1
        if others[0].op == "-":
            one, gate = (self.nodes[a] for a in others[0].args)
            if one.op == "const" and one.value == 1 and gate.op == "at":
                return gate.name, -1
        return None

    @cached_property
    def packing(self) -> Mapping[str, tuple[str, ...]]:
        """A layer's parameters, each with the names in the lines that are its row blocks, top to bottom.

        A cell with ``blocks`` packs as torch does: ``weight_ih`` is ``W_ii``, ``W_if``, … one under the other. What
        is left has a parameter of its own name.
        """
        found: dict[str, tuple[str, ...]] = {}
        for part, stem in (("weight_ih", "W_i"), ("weight_hh", "W_h"), ("bias_ih", "b_i"), ("bias_hh", "b_h")):
            rows = tuple(stem + block for block in self.blocks)
            if rows and all(name in self.shapes for name in rows):
                found[part] = rows
        packed = {name for rows in found.values() for name in rows}
        return MappingProxyType(found | {name: (name,) for name in self.shapes if name not in packed})

    def description(self) -> CellDescription:
        """What a script needs to compute and to print the cell, as JSON takes it. It is not to be changed."""
        known = self._described.get(language := current())
        if known is None:
            known = self._described[language] = self._describe()
        return known

    @cached_property
    def _described(self) -> dict[str, CellDescription]:
        return {}

    def _describe(self) -> CellDescription:
        return {
            "name": self.name,
            "label": tr(self.label),
            "text": self.text,
            "told": list(self.told),
            "gates": [signal for signal in self.signals if signal in self.gates],
            "keep": {state: list(kept) for state, kept in self.keep_gates.items()},
            "labels": {s: [label.name, label.closed, label.open, label.symbol] for s, label in self.labels.items()},
            "states": list(self.states),
            "start": dict(self.start),
            "sizes": dict(self.sizes),
            "signals": list(self.signals),
            "where": dict(self.where),
            "packing": {name: list(rows) for name, rows in self.packing.items()},
            "nodes": [[n.op, list(n.args), n.name, n.bias, n.value, n.width] for n in self.nodes],
        }

    def weights_of(self, signal: str) -> tuple[str, ...]:
        """The weights in a signal's line, by their names there, in the order of reading."""
        line = next((line for line in self.lines if line.name == signal), None)
        read = [] if line is None else [e.name for e in walk(line.expression) if e.op in ("mat", "name")]
        return tuple(dict.fromkeys(name for name in read if name in self.shapes))

    def biases_of(self, signal: str) -> tuple[str, ...]:
        """The biases in a signal's line, by their names there."""
        return tuple(name for name in self.weights_of(signal) if name.startswith("b"))

    @cached_property
    def recurrent(self) -> tuple[str, ...]:
        """The square matrices that multiply what hangs on the step before."""
        hangs: set[int] = set()
        for k, node in enumerate(self.nodes):
            if node.op == "prev" or hangs.intersection(node.args):
                hangs.add(k)
        found = (n.name for n in self.nodes if n.op == "affine" and n.args[0] in hangs)
        return tuple(dict.fromkeys(name for name in found if self.shapes[name] == ("H", "H")))

    def place(self, weight: str, hidden_size: int) -> tuple[str, slice]:
        """The parameter that holds a weight of the lines, without its layer, and the weight's rows in it.

        Raises:
            ValueError: there is no such weight.
        """
        for part, rows in self.packing.items():
            if weight in rows:
                sizes = [self.width(self.shapes[row][0], 0, hidden_size) for row in rows]
                start = sum(sizes[: rows.index(weight)])
                return part, slice(start, start + sizes[rows.index(weight)])
        raise ValueError(tr("There is no weight {name}.", name=shown(weight)))

    def width(self, letter: str, input_size: int, hidden_size: int) -> int:
        """How many numbers a letter of :attr:`shapes` stands for."""
        return {"H": hidden_size, "X": input_size, "": 1}.get(letter) or self.sizes[letter]

    def letter(self, signal: str) -> str:
        """A signal's width as a letter of :attr:`shapes`."""
        return self.nodes[self.where[signal]].width

    def parameters(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """The shape of every weight."""
        width = lambda letter: self.width(letter, input_size, hidden_size)  # noqa: E731
        return {name: tuple(map(width, letters)) for name, letters in self.shapes.items()}

    @lru_cache(maxsize=64)  # noqa: B019  (cells are few and live as long as the process)
    def projected(self, size: int) -> Cell:
        """The same with torch's ``proj_size``: what h was is ``h_pre``, and h is ``W_hr`` times it."""
        lines = self.text.split("\n")
        h = next(line for line in self.lines if line.name == "h")
        name, _, expression = lines[h.at.line - 1].partition("=")
        lines[h.at.line - 1] = f"{name}= W_hr ({expression.strip()})"
        text = "\n".join([*lines, f"size h = {size}"])
        taken = ("label", "blocks", "told", "labels", "family", "torchs", "says", "by_hand", "roads")
        return replace(parse(text, self.name), **{name: getattr(self, name) for name in taken})

    def packed_shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """The shape of every parameter of a layer, by its name in :attr:`packing`."""
        shapes = self.parameters(input_size, hidden_size)
        return {
            name: (sum(shapes[row][0] for row in rows), *shapes[rows[0]][1:]) for name, rows in self.packing.items()
        }

    def sizes_of(self, packed: Mapping[str, Any]) -> tuple[int, int]:
        """A layer's input size and number of units, from its parameters."""
        named, found = self.unpack(packed), {"X": 0, "H": 0}
        for name, value in named.items():
            found |= {
                letter: size for letter, size in zip(self.shapes[name], value.shape, strict=True) if letter in found
            }
        return found["X"], found["H"]

    def unpack(self, packed: Mapping[str, Any]) -> dict[str, Any]:
        """A layer's parameters, arrays or tensors, by their names in the lines: views of their rows.

        A parameter that is missing is left out, such as the biases of a layer without any.
        """
        found: dict[str, Any] = {}
        for name, rows in self.packing.items():
            if (whole := packed.get(name)) is not None:
                size = len(whole) // len(rows)
                found |= {row: whole[k * size : (k + 1) * size] for k, row in enumerate(rows)}
        return found

    @cached_property
    def groups(self) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """Products that read the same value, ``(node read, products)``: one matrix product serves them all."""
        found: dict[int, list[int]] = {}
        for k, node in enumerate(self.nodes):
            if node.op == "affine":
                found.setdefault(node.args[0], []).append(k)
        return tuple((read, tuple(products)) for read, products in found.items())


def _from_0_to_1(squashed: Expression) -> bool:
    """Whether it is ``sigmoid(…)``, or ``max(0, min(1, …))``."""
    if squashed.op != "call" or squashed.name != "max":
        return squashed.op == "call" and squashed.name == "sigmoid"
    low, inner = squashed.args
    bounded = inner.op == "call" and inner.name == "min" and inner.args[0].op == "number"
    return low.op == "number" and low.value == 0 and bounded and inner.args[0].value == 1


def parse(
    text: str,
    name: str = "",
    *,
    label: str = "",
    blocks: str = "",
    told: str = "",
    labels: Mapping[str, Label] | None = None,
    **further: Any,
) -> Cell:
    """Read a cell's lines; see :mod:`seqviz.cells.text` for how they are written.

    What no line says is given beside them, as :class:`Cell` names it: ``family``, ``torchs``, ``says``, ``by_hand``,
    ``roads``. A signal without a label is called by its letter.

    Raises:
        CellError: a ``ValueError`` with line, column and a remedy.
    """
    try:
        checked = check(*read(text))
        tape = Tape(checked)
    except CellError as error:
        error.source = text
        raise
    made = Cell(
        name,
        text,
        tuple(checked.lines),
        checked.states,
        MappingProxyType(checked.start),
        checked.fixed,
        MappingProxyType(checked.sizes),
        MappingProxyType(tape.shapes),
        tuple(tape.nodes),
        MappingProxyType(tape.where),
        _warnings(checked, tape),
        label or name,
        tuple(blocks),
        **further,
    )
    named = {signal: Label(signal, signal, *_ends(made, signal)) for signal in made.signals} | dict(labels or {})
    family = made.family or made.label
    return replace(made, told=tuple(told) or made.signals, labels=MappingProxyType(named), family=family)


def _ends(cell: Cell, signal: str) -> tuple[str, str]:
    """What the ends of a signal's scale are called where nobody has said it."""
    return (later("closed"), later("open")) if signal in cell.gates else (later("negative"), later("positive"))


def _warnings(checked: Checked, tape: Tape) -> tuple[str, ...]:
    reads_input = any(node.op == "x" for node in tape.nodes)
    return checked.warnings(reads_input=reads_input)
