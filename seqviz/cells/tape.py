"""The tape: a cell's lines as one list of small operations, equal ones once, with every width known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seqviz.cells.checked import Checked
from seqviz.cells.text import Expression, Line, walk
from seqviz.cells.tokens import Token, fail, near
from seqviz.language import Sentence, tr, trn

__all__ = ["Node", "Tape"]

MAX_NODES = 400
"""Operations of a step; the largest published cell tried (a full gate recurrence LSTM) has 59."""

_OTHER = {"+": "-", "-": "+"}


@dataclass(frozen=True)
class Node:
    """``op``: x, prev, const, vec, affine, at, +, -, *, /, ^, neg, or a function.

    ``affine`` is a matrix, in ``name``, times a value, with a bias in ``bias``; ``at`` is the identity with the name
    of a hook point; ``args`` are nodes above. ``width`` is H, X, the name of a signal with a size, or empty: a number.
    """

    op: str
    args: tuple[int, ...] = ()
    name: str = ""
    bias: str = ""
    value: float = 0.0
    width: str = "H"


class Tape:
    """Made from checked lines: ``nodes``, ``where`` each hook point is, and the ``shapes`` of the weights."""

    def __init__(self, checked: Checked) -> None:
        self.checked = checked
        self.nodes: list[Node] = []
        self.where: dict[str, int] = {}
        self.shapes: dict[str, tuple[str, ...]] = {}
        self._known: dict[Node, int] = {}
        self._first: dict[str, Token | None] = {}
        self._here = ""
        for line in checked.lines:
            if line.name not in checked.numbers:
                self._line(line)
        for name, token in checked.fixed_at.items():
            if name not in self.shapes:
                meant = near(name, self.shapes)
                hint = tr("Did you mean {meant}?", meant=meant) if meant else ""
                fail(tr("There is no weight {name}.", name=name), token, hint)

    def _add(self, op: str, *args: int, **more: Any) -> int:
        """A node's index; an equal one is used again, but every hook point is a node of its own."""
        node = Node(op, args, **more)
        if op != "at" and node in self._known:
            return self._known[node]
        self.nodes.append(node)
        self._known[node] = len(self.nodes) - 1
        return self._known[node]

    def _letter(self, name: str) -> str:
        if name == "x":
            return "X"
        if name in self.checked.numbers:
            return ""
        return name if name in self.checked.sizes else "H"

    def _line(self, line: Line) -> None:
        self._here, want, e = line.name, self._letter(line.name), line.expression
        if e.op == "call" and len(e.args) == 1 and e.args[0].op not in ("name", "prev", "number"):
            inner = self._hook(f"{line.name}_pre", self._expression(e.args[0], want), want)
            node = self._add(e.name, inner, width=want)
        elif e.op == "mat":
            node = self._product(e, None, want, hooked=True)
        else:
            node = self._expression(e, want)
        self._hook(line.name, node, want)
        if len(self.nodes) > MAX_NODES:
            fail(tr("A cell has at most {most} operations.", most=MAX_NODES), line.at)

    def _hook(self, name: str, node: int, want: str) -> int:
        if name in self.checked.by_name and name != self._here:
            return node
        k, unique = 2, name
        while unique in self.where:
            unique, k = f"{name}{k}", k + 1
        self.where[unique] = self._add("at", node, name=unique, width=want)
        return self.where[unique]

    def _parameter(self, name: str, shape: tuple[str, ...], at: Token | None) -> None:
        known = self.shapes.setdefault(name, shape)
        first = self._first.setdefault(name, at)
        if known != shape:
            line = first.line if first else 1
            says = tr("{name} is used for two shapes, here and in line {line}.", name=name, line=line)
            fail(says, at, tr("Give the second one a name of its own."))

    def _expression(self, e: Expression, want: str) -> int:
        if e.op == "number":
            return self._add("const", value=e.value, width="")
        if e.op in ("name", "prev"):
            return self._named(e, want)
        if e.op in ("+", "-"):
            return self._sum(e, want)
        if e.op == "mat":
            return self._part(e, self._product(e, None, want), want)
        args = [self._expression(arg, want) for arg in e.args]
        width = want if e.op == "call" or any(self.nodes[a].width for a in args) else ""
        if e.op == "^":
            return self._add("^", *args, value=e.value, width=width)
        return self._add(e.name or e.op, *args, width=width)

    def _named(self, e: Expression, want: str) -> int:
        if e.op == "name" and e.name in self.checked.numbers:
            return self._add("const", value=self.checked.numbers[e.name], width="")
        if e.op == "name" and e.name != "x" and e.name not in self.where:
            self._parameter(e.name, (want,), e.at)
            return self._add("vec", name=e.name, width=want)
        if (have := self._letter(e.name)) != want:
            value = f"{e.name}_prev" if e.op == "prev" else e.name
            hint = tr("Multiply it by a matrix: {product}", product=f"W_{e.name}{self._here} {value}")
            says = tr(
                "{name} has {have}, but here {want} must stand.",
                name=e.name,
                have=self._size(have),
                want=self._size(want),
            )
            fail(says, e.at, hint)
        if e.op == "prev":
            return self._add("prev", name=e.name, width=want)
        return self._add("x", width="X") if e.name == "x" else self.where[e.name]

    def _size(self, letter: str) -> Sentence:
        if letter == "X":
            return tr("as many numbers as the input has")
        if letter == "H":
            return tr("one number a unit")
        return trn("{count} number", "{count} numbers", self.checked.sizes.get(letter, 1))

    def _product(self, e: Expression, bias: Expression | None, want: str, *, hooked: bool = False) -> int:
        inner = e.args[0]
        width = self._source(inner)
        node = self._expression(inner, width)
        if hooked and inner.op not in ("name", "prev"):  # h = W_hr (o * tanh(c)): torch's projection
            node = self._hook(f"{self._here}_pre", node, width)
        self._parameter(e.name, (want, width), e.at)
        if bias is not None:
            self._parameter(bias.name, (want,), bias.at)
        return self._add("affine", node, name=e.name, bias=bias.name if bias else "", width=want)

    def _source(self, e: Expression) -> str:
        """The width of what a matrix reads: of the first name in it that is under no other matrix."""
        if e.op in ("name", "prev"):
            return self._letter(e.name)
        return "H" if e.op == "mat" else next((letter for letter in map(self._source, e.args) if letter), "")

    def _part(self, e: Expression, node: int, want: str) -> int:
        """A product in a sum is a hook point: ``f_ih`` from x, ``f_hh`` from h, else by what it reads."""
        inner = e.args[0]
        before = {a.name for a in walk(inner) if a.op == "prev"}
        if inner.op == "name" and inner.name == "x":
            letter = "i"
        elif inner.op in ("name", "prev"):
            letter = inner.name
        else:
            letter = before.pop() if len(before) == 1 else e.name.partition("_")[2][:1] or "m"
        return self._hook(f"{self._here}_{letter}h", node, want)

    def _sum(self, e: Expression, want: str) -> int:
        terms = _terms(e, "+")
        biases = {
            t.name.partition("_")[2]: t
            for sign, t in terms
            if sign == "+" and t.op == "name" and t.name[:2] == "b_" and t.name not in self.where
        }
        own: dict[int, Expression] = {}
        for k, (sign, t) in enumerate(terms):  # a bias belongs to the matrix of the same subscript, W_hn and b_hn
            if t.op == "mat" and sign == "+" and (bias := biases.pop(t.name.partition("_")[2], None)):
                own[k] = bias
        taken = {id(bias) for bias in own.values()}
        total = -1
        for k, (sign, t) in enumerate(terms):
            if id(t) in taken:
                continue
            if t.op == "mat":
                node = self._part(t, self._product(t, own.get(k), want), want)
            else:
                node = self._expression(t, want)
            if total < 0:
                total = node if sign == "+" else self._add("neg", node, width=self.nodes[node].width)
            else:
                width = want if self.nodes[total].width or self.nodes[node].width else ""
                total = self._add(sign, total, node, width=width)
        return total


def _terms(e: Expression, sign: str) -> list[tuple[str, Expression]]:
    """A sum as its signed terms, from the left."""
    if e.op not in ("+", "-"):
        return [(sign, e)]
    return _terms(e.args[0], sign) + _terms(e.args[1], sign if e.op == "+" else _OTHER[sign])
