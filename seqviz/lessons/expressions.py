"""What a lesson measures, as a teacher writes it: ``half_life(l0.c) > 50 and y[-1] < 0.1``.

An expression is made of numbers, signals at a step (``l0.c[26]``, ``h[0, 1]`` is unit 1 at step 0, ``y[-1]``), the
measures of :data:`MEASURES`, ``+ - * /``, comparisons, ``and``, ``or`` and brackets. It is read once from left to
right, into a tree of bounded size; nothing of it is ever given to Python. What it says about a network is found by
:mod:`seqviz.lessons.measures`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from seqviz.checks import shown
from seqviz.language import tr, trn

__all__ = ["MEASURES", "NETWORKS", "Kind", "Node", "Parameter", "parse"]

MAX_LENGTH: Final = 300
MAX_DEPTH: Final = 12

NETWORKS: Final = ("RNN", "GRU", "LSTM", "FeedForward")

Kind = str
"""``number``, ``truth``, ``signal`` (its name), ``series`` (a number a step), ``network`` (one of NETWORKS)."""


@dataclass(frozen=True)
class Parameter:
    """What a measure is given: a kind, and the number that stands for it where it is left out."""

    name: str
    kind: Kind
    otherwise: float | str | None = None
    optional: bool = False


_SIGNAL, _UNIT = Parameter("signal", "signal"), Parameter("unit", "number", 0.0, True)
_CELL = Parameter("cell", "network", None, True)

MEASURES: Final[dict[str, tuple[Kind, tuple[Parameter, ...]]]] = {
    "half_life": ("number", (_SIGNAL, _UNIT)),
    "peak": (
        "number",
        (_SIGNAL, Parameter("first", "number", 0.0, True), Parameter("last", "number", -1.0, True), _UNIT),
    ),
    "highest": ("number", (_SIGNAL, _UNIT)),
    "lowest": ("number", (_SIGNAL, _UNIT)),
    "mean": ("number", (_SIGNAL, _UNIT)),
    "product": (
        "number",
        (_SIGNAL, Parameter("first", "number", 0.0, True), Parameter("last", "number", -1.0, True), _UNIT),
    ),
    "count": ("number", (_SIGNAL, Parameter("value", "number"), _UNIT)),
    "parity": ("series", (_SIGNAL,)),
    "apart": ("number", (_SIGNAL, Parameter("other", "series"), _UNIT)),
    "moved": ("number", (_SIGNAL, _UNIT)),
    "output": ("series", (Parameter("network", "network"),)),
    "gradient": ("series", (_SIGNAL,)),
    "eigenvalue": ("series", ()),
    "gain": ("number", (_SIGNAL, _CELL)),
    "arrives": ("number", (_SIGNAL, _CELL)),
    "slope": ("number", (_SIGNAL, _CELL)),
    "learns": ("number", (Parameter("length", "number"), Parameter("steps", "number"), Parameter("seeds", "number"))),
    "parameters": ("number", ()),
    "abs": ("number", (Parameter("value", "number"),)),
    "round": ("number", (Parameter("value", "number"), Parameter("digits", "number", 0.0, True))),
}
"""Every measure: what it gives, and what it is given, in order."""


@dataclass(frozen=True)
class Node:
    """A part of an expression.

    Args:
        op: ``number``, ``signal``, ``network``, ``at`` (a series or signal at a step), ``call``, ``-x``, an
            arithmetic sign, a comparison, ``and``, ``or``.
        kind: what it gives.
        text: as it was written.
        value: of a number, or the name of a signal, network or measure.
        parts: what it is made of; of a call in the order of the measure's parameters, None where left out.
    """

    op: str
    kind: Kind
    text: str
    value: float | str = 0.0
    parts: tuple[Node | None, ...] = ()


_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:e-?\d{1,2})?)|(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)"
    r"|(?P<sign><=|>=|==|!=|[-+*/<>()\[\],=]))",
    re.ASCII,
)
_COMPARED: Final = ("<", "<=", ">", ">=", "==", "!=")


def parse(text: str, kind: Kind) -> Node:
    """Read an expression that gives this kind of thing.

    Raises:
        ValueError: a sentence on what is wrong.
    """
    if not isinstance(text, str) or not text.strip():
        raise ValueError(tr("A measure is expected here, such as half_life(l0.c)."))
    if len(text) > MAX_LENGTH:
        raise ValueError(tr("A measure may have up to {most} characters.", most=MAX_LENGTH))
    found = _Reader(text).whole()
    if found.kind != kind:
        if kind == "truth":
            raise ValueError(tr("{text} is true or false of no network; compare it with a number.", text=shown(text)))
        raise ValueError(_not_a_number(found))
    return found


def _not_a_number(found: Node) -> str:
    if found.kind in ("signal", "series"):
        return tr("{text} is a number at every step; say which step, as in y[-1].", text=shown(found.text))
    return tr("{text} is not a number.", text=shown(found.text))


class _Reader:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self.text, self.tokens, self.k, self.depth = text, list(_tokens(text)), 0, 0

    def whole(self) -> Node:
        found = self._any()
        if self._next() is not None:
            raise ValueError(tr("{word} is not expected here.", word=shown(self._next())))
        return found

    def _next(self) -> str | None:
        return self.tokens[self.k][1] if self.k < len(self.tokens) else None

    def _take(self, *signs: str) -> str | None:
        found = self._next()
        if found in signs:
            self.k += 1
            return found
        return None

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            raise ValueError(tr("A {sign} is missing in {text}.", sign=sign, text=shown(self.text)))

    def _since(self, k: int) -> str:
        return self.text[self.tokens[k][2] : self.tokens[self.k - 1][3]]

    def _made(
        self, start: int, op: str, kind: Kind, value: float | str = 0.0, parts: tuple[Node | None, ...] = ()
    ) -> Node:
        return Node(op, kind, self._since(start), value, parts)

    def _any(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ValueError(tr("Brackets may lie at most {most} deep.", most=MAX_DEPTH))
        found = self._joined("or")
        self.depth -= 1
        return found

    def _joined(self, word: str) -> Node:
        start = self.k
        parts = [self._joined("and") if word == "or" else self._compared()]
        while self._take(word):
            parts.append(self._joined("and") if word == "or" else self._compared())
        if len(parts) == 1:
            return parts[0]
        for part in parts:
            if part.kind != "truth":
                raise ValueError(tr("“{word}” joins comparisons; {text} is none.", word=word, text=shown(part.text)))
        return self._made(start, word, "truth", parts=tuple(parts))

    def _compared(self) -> Node:
        start, left = self.k, self._sum()
        sign = self._take(*_COMPARED)
        if sign is None:
            if self._next() == "=":
                raise ValueError(tr("Two things are compared by ==, not by =."))
            return left
        right = self._sum()
        if self._next() in _COMPARED:
            raise ValueError(tr("Compare two things at a time, and join comparisons by “and”."))
        return self._made(start, sign, "truth", parts=(_number(left), _number(right)))

    def _sum(self) -> Node:
        return self._chain(("+", "-"))

    def _chain(self, signs: tuple[str, ...]) -> Node:
        below = (lambda: self._chain(("*", "/"))) if signs[0] == "+" else self._signed
        start, found = self.k, below()
        while sign := self._take(*signs):
            right = below()
            found = self._made(start, sign, "number", parts=(_number(found), _number(right)))
        return found

    def _signed(self) -> Node:
        start, signs = self.k, 0
        while self._take("-"):
            signs += 1
        found = self._atom()
        return found if not signs else self._made(start, "-x" if signs % 2 else "+x", "number", parts=(_number(found),))

    def _atom(self) -> Node:
        start = self.k
        if self._next() is None:
            raise ValueError(tr("{text} breaks off.", text=shown(self.text)))
        if self._take("("):
            found = self._any()
            self._need(")")
            return found
        sort, word, _, _ = self.tokens[self.k]
        self.k += 1
        if sort == "number":
            return self._made(start, "number", "number", float(word))
        if sort != "name" or word in ("and", "or"):
            raise ValueError(tr("{word} is not expected here.", word=shown(word)))
        return self._step_of(start, self._named(start, word))

    def _named(self, start: int, word: str) -> Node:
        if self._next() == "(":
            return self._call(start, word)
        if word in NETWORKS:
            return self._made(start, "network", "network", word)
        if word in MEASURES:
            raise ValueError(tr("{name} needs brackets: {name}(…).", name=word))
        return self._made(start, "signal", "signal", word if "." in word or word in ("x", "y") else f"l0.{word}")

    def _step_of(self, start: int, found: Node) -> Node:
        if not self._take("["):
            return found
        if found.kind not in ("signal", "series"):
            raise ValueError(tr("{text} is one number and has no steps.", text=shown(found.text)))
        places = [_whole(self._signed())]
        if self._take(","):
            if found.kind == "series":
                raise ValueError(tr("{text} has steps and no units.", text=shown(found.text)))
            places.append(_whole(self._signed()))
        self._need("]")
        return self._made(start, "at", "number", parts=(found, *places))

    def _call(self, start: int, name: str) -> Node:
        if name not in MEASURES:
            known = ", ".join(MEASURES)
            raise ValueError(tr("There is no measure {name}; there are {known}.", name=shown(name), known=known))
        gives, wanted = MEASURES[name]
        given: dict[str, Node] = {}
        self._need("(")
        while self._next() != ")":
            if given:
                self._need(",")
            parameter = self._parameter(name, wanted, given)
            given[parameter.name] = _of_kind(self._any(), parameter, name)
        self._need(")")
        for parameter in wanted:
            if parameter.name not in given and not parameter.optional:
                raise ValueError(tr("{name} also needs its {what}.", name=name, what=parameter.name))
        return self._made(start, "call", gives, name, tuple(given.get(p.name) for p in wanted))

    def _parameter(self, name: str, wanted: tuple[Parameter, ...], given: dict[str, Node]) -> Parameter:
        by_name = self.k + 1 < len(self.tokens) and self.tokens[self.k + 1][1] == "="
        word = self._next()
        free = [p for p in wanted if p.name not in given and (not by_name or p.name == word)]
        if not free and by_name:
            raise ValueError(tr("{name} takes no {word} here.", name=name, word=shown(word)))
        if not free:
            raise ValueError(
                trn(
                    "{name} takes {count} value at most.",
                    "{name} takes {count} values at most.",
                    len(wanted),
                    name=name,
                )
            )
        if by_name:
            self.k += 2
        return free[0]


def _number(node: Node) -> Node:
    if node.kind != "number":
        raise ValueError(_not_a_number(node))
    return node


def _whole(node: Node) -> Node:
    if node.op not in ("number", "-x") or not _constant(node).is_integer():
        raise ValueError(tr("A step or unit is a whole number, not {text}.", text=shown(node.text)))
    return Node("number", "number", node.text, _constant(node))


def _constant(node: Node) -> float:
    if node.op == "-x" and node.parts[0] is not None:
        return -_constant(node.parts[0])
    return float(node.value) if node.op == "number" else 0.5


def _of_kind(node: Node, parameter: Parameter, name: str) -> Node:
    if parameter.kind == node.kind or (parameter.kind == "series" and node.kind == "signal"):
        return _whole(node) if parameter.kind == "number" and name not in ("abs", "round", "count") else node
    if parameter.kind == "number":
        raise ValueError(_not_a_number(node))
    what = {
        "signal": tr("the name of a signal, such as l0.c"),
        "series": tr("a signal or parity(x)"),
        "network": ", ".join(NETWORKS),
    }[parameter.kind]
    raise ValueError(tr("{name} wants {what}, not {text}.", name=name, what=what, text=shown(node.text)))


def _tokens(text: str) -> list[tuple[str, str, int, int]]:
    found, k, end = [], 0, len(text.rstrip())
    while k < end:
        match = _TOKEN.match(text, k)
        if match is None:
            raise ValueError(tr("{sign} cannot stand in a measure.", sign=shown(text[k:].strip()[0])))
        sort = match.lastgroup or ""
        found.append((sort, match[sort], match.start(sort), match.end(sort)))
        k = match.end()
    return found
