"""A cell's text, read into lines of equations.

    text      = { line | directive }               a line reads what stands above it
    line      = name "=" sum
    sum       = product { ("+" | "-") product }
    product   = factor { ("*" | "/") factor }      unit by unit
    factor    = "-" factor | primary [ "^" number ]
    primary   = number | name | name"_prev" | function "(" sum { "," sum } ")" | "(" sum ")" | MATRIX ["@"] primary
    directive = "start" name "=" number { "," … }  the value before the first step, 0 otherwise
              | "fixed" weight { "," weight }      weights that are not trained
              | "size" name "=" number             a value of another width than H

``c`` is this step's value and ``c_prev`` the last step's, on every line, wherever it stands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from seqviz.cells.tokens import ALIASES, FUNCTIONS, Token, fail, is_matrix, near, tokens
from seqviz.language import Sentence, later, tr

__all__ = ["Directive", "Expression", "Line", "read", "walk"]

MAX_LINES, MAX_DEPTH = 60, 60
"""Of lines in a text, and of brackets and signs inside each other (Python's own stack holds many times that)."""

_MIXES = later("{name} mixes the units with each other; only a matrix may.")
_OUTER = later("{name} makes a matrix of values; a cell's values are vectors, one number a unit.")
_RANDOM = later("{name} is random; a line gives the same value every time.")
_JOINS = later("{name} joins vectors; give each its own matrix instead: W_a x + W_b h_prev.")
_REFUSED = {
    **dict.fromkeys(("norm", "layernorm", "LayerNorm", "mean", "sum", "var", "softmax", "dot", "cumsum"), _MIXES),
    **dict.fromkeys(("outer", "matmul", "transpose"), _OUTER),
    **dict.fromkeys(("dropout", "random", "rand", "noise", "zoneout"), _RANDOM),
    **dict.fromkeys(("concat", "cat", "stack"), _JOINS),
}
"""Words that people will try, and why they cannot be had."""

Read = TypeVar("Read")


@dataclass(frozen=True)
class Expression:
    """A tree: ``op`` is number, name (this step's), prev, mat, call, +, -, *, /, ^ or neg."""

    op: str
    args: tuple[Expression, ...] = ()
    name: str = ""
    value: float = 0.0
    at: Token | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Line:
    """``name = expression``."""

    name: str
    expression: Expression
    at: Token


@dataclass(frozen=True)
class Directive:
    """``start``, ``fixed`` or ``size`` of one name."""

    word: str
    name: str
    value: float
    at: Token


def walk(expression: Expression) -> list[Expression]:
    """An expression and everything inside it, from the left."""
    return [expression, *(inner for arg in expression.args for inner in walk(arg))]


def read(text: str) -> tuple[list[Line], list[Directive]]:
    """The lines of a text, and what it says beside them.

    Raises:
        CellError: with the place and the remedy.
    """
    return _Parser(text).read()


class _Parser:
    """Recursive descent over the tokens of a text."""

    def __init__(self, text: str) -> None:
        self.found, self.k, self.depth = tokens(text), 0, 0
        self.lines: list[Line] = []
        self.said: list[Directive] = []

    @property
    def now(self) -> Token:
        return self.found[self.k]

    def take(self) -> Token:
        self.k += 1
        return self.found[self.k - 1]

    def skip(self, kind: str) -> bool:
        """Whether the next token is of a kind, and then go past it."""
        here = self.now.kind == kind
        self.k += here
        return here

    def read(self) -> tuple[list[Line], list[Directive]]:
        while self.k < len(self.found):
            if self.skip("newline"):
                continue
            if self.now.kind != "name":
                fail(tr("A line begins with the name that it sets, such as h = tanh(W_xh x + b_h)."), self.now)
            if self.now.text in ("start", "fixed", "size") and self.found[self.k + 1].kind == "name":
                self.directive()
            else:
                self.line()
        return self.lines, self.said

    def line(self) -> None:
        token = self.take()
        _check_settable(token, self.now)
        if not self.skip("="):
            fail(tr("After {name} an = is missing.", name=token.text), self.now)
        self.lines.append(Line(token.text, self.sum(), token))
        self.end()
        if len(self.lines) > MAX_LINES:
            fail(tr("A cell has at most {most} lines.", most=MAX_LINES), token)

    def directive(self) -> None:
        word = self.take().text
        while self.now.kind == "name":
            token, value = self.take(), 0.0
            if word != "fixed":
                wrong = tr("Write {word} {name} = a number.", word=word, name=token.text)
                if not self.skip("="):
                    fail(wrong, self.now)
                value = -1.0 if self.skip("-") else 1.0
                if self.now.kind != "number":
                    fail(wrong, self.now)
                value *= float(self.take().text)
            self.said.append(Directive(word, token.text, value, token))
            self.skip(",")
        self.end()

    def end(self) -> None:
        if self.now.kind == ")":
            fail(tr("This ) closes nothing."), self.now)
        if self.now.kind != "newline":
            fail(tr("{sign!r} is not expected here.", sign=self.now.text), self.now)

    def deeper(self, inner: Callable[[], Read]) -> Read:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            fail(tr("Too many brackets and signs inside each other."), self.now)
        found = inner()
        self.depth -= 1
        return found

    def sum(self) -> Expression:
        left = self.product()
        while self.now.kind in ("+", "-"):
            sign = self.take()
            left = Expression(sign.kind, (left, self.product()), at=sign)
        return left

    def product(self) -> Expression:
        left = self.factor()
        while self.now.kind in ("*", "/"):
            sign = self.take()
            left = Expression(sign.kind, (left, self.factor()), at=sign)
        if self.now.kind == "@":
            hint = tr("Matrices begin with a capital letter.")
            fail(tr("@ multiplies by a matrix: on its left stands one, such as W_xh @ x."), self.now, hint)
        if self.now.kind in ("name", "number", "("):
            _no_sign(left, self.now)
        return left

    def factor(self) -> Expression:
        if self.now.kind == "-":
            sign = self.take()
            return Expression("neg", (self.deeper(self.factor),), at=sign)
        self.skip("+")
        base = self.primary()
        if self.now.kind != "^":
            return base
        sign = self.take()
        minus = self.skip("-")
        if self.now.kind != "number":
            fail(tr("After ^ stands a number, such as a^2."), self.now)
        return Expression("^", (base,), value=float(self.take().text) * (-1 if minus else 1), at=sign)

    def primary(self) -> Expression:
        token = self.now
        if token.kind == "(":
            return self.bracket()
        if token.kind not in ("number", "name"):
            fail(*_ends_early(token, self.found[self.k - 1]))
        self.k += 1
        if token.kind == "number":
            return Expression("number", value=float(token.text), at=token)
        name = ALIASES.get(token.text, token.text)
        if name in FUNCTIONS:
            return self.call(name, token)
        if not is_matrix(name):
            return Expression("prev" if token.before else "name", name=name, at=token)
        if self.now.kind == "(" and (small := ALIASES.get(name.lower(), name.lower())) in FUNCTIONS:
            says = tr(
                "{name} begins with a capital, so it would be a matrix. Did you mean {small}?", name=name, small=small
            )
            fail(says, token)
        return self.matrix(name, token)

    def matrix(self, name: str, token: Token) -> Expression:
        if token.before:
            fail(tr("{name} is a matrix: it is the same at every step.", name=name), token)
        if self.now.kind in ("*", "/"):
            says = tr("{name} is a matrix: write {name} x or {name} @ x; * multiplies unit by unit.", name=name)
            fail(says, self.now)
        self.skip("@")
        if self.now.kind not in ("name", "("):
            hint = tr("Write it right before a vector: {name} x or {name} (r * h_prev).", name=name)
            fail(tr("{name} is a matrix: what does it multiply?", name=name), token, hint)
        return Expression("mat", (self.deeper(self.primary),), name=name, at=token)

    def bracket(self) -> Expression:
        opened = self.take()
        inner = self.deeper(self.sum)
        self.close(opened)
        return inner

    def call(self, name: str, token: Token) -> Expression:
        opened = self.now
        if not self.skip("("):
            fail(tr("{name} is a function: write {name}(…).", name=name), token)
        args = [self.deeper(self.sum)]
        while self.skip(","):
            args.append(self.deeper(self.sum))
        self.close(opened)
        if len(args) != (wanted := FUNCTIONS[name]):
            one = tr("{name} takes one value, not {count}.", name=name, count=len(args))
            fail(one if wanted == 1 else tr("{name} takes two values, not {count}.", name=name, count=len(args)), token)
        return Expression("call", tuple(args), name=name, at=token)

    def close(self, opened: Token) -> None:
        if self.now.kind == "newline":
            fail(tr("This ( is never closed."), opened)
        if not self.skip(")"):
            fail(tr("Here a ) or a sign is expected, not {sign!r}.", sign=self.now.text), self.now)


def _check_settable(token: Token, following: Token) -> None:
    name = token.text
    if token.before:
        fail(tr("The value of the step before cannot be set: write {name} = …", name=name), token)
    if following.kind == "(" and name in FUNCTIONS | ALIASES:
        fail(tr("This line sets nothing: write a name and = before {name}(…).", name=name), token)
    if following.kind != "=":
        return
    if name == "x":
        fail(tr("x is the input: it cannot be set."), token)
    if name in FUNCTIONS | ALIASES:
        fail(tr("{name} is a function: it cannot be set.", name=name), token)
    if is_matrix(name):
        says = tr("{name} begins with a capital, so it is a matrix that is learned: it cannot be set.", name=name)
        fail(says, token)


def _no_sign(left: Expression, following: Token) -> None:
    """Two values side by side: a function that there is not, or a missing sign."""
    a, b = left.at.text if left.at else "", following.text
    if left.op in ("name", "prev") and following.kind == "(":
        if left.name in _REFUSED:
            fail(tr(_REFUSED[left.name], name=left.name), left.at)
        if meant := near(left.name, [*FUNCTIONS, *ALIASES]):
            says = tr("There is no function {name}. Did you mean {meant}?", name=left.name, meant=meant)
            fail(says, left.at)
        known = ", ".join(FUNCTIONS)
        hint = tr("To multiply unit by unit write {name} * (…). Functions: {known}.", name=left.name, known=known)
        fail(tr("There is no function {name}.", name=left.name), left.at, hint)
    hint = tr("{a} * {b} multiplies unit by unit; only a matrix, in capitals, stands right before a vector.", a=a, b=b)
    fail(tr("Between {a} and {b} a sign is missing.", a=a, b=b), following, hint)


def _ends_early(token: Token, before: Token) -> tuple[Sentence, Token, str]:
    if token.kind == "newline":
        return tr("Here the line ends too early."), token, tr("Something must follow {sign!r}.", sign=before.text)
    if token.kind == "=":
        return tr("One line has one =."), token, ""
    if token.kind == ")":
        return tr("Between the brackets something is missing."), token, ""
    return tr("{sign!r} is not expected here.", sign=token.text), token, ""
