"""The words and signs of a cell's lines, and what is said when one of them has no place there.

Read by hand and not by Python's own parser: ``W_xf x`` is how every paper writes it and no Python, and nothing that
somebody typed is evaluated. Every pattern is linear and every size is bounded.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

from seqviz.language import Sentence, tr

__all__ = ["ALIASES", "FUNCTIONS", "CellError", "Token", "fail", "is_matrix", "is_vector", "near", "tokens"]

FUNCTIONS = {
    **dict.fromkeys(
        ("sigmoid", "tanh", "relu", "exp", "log", "softplus", "logsigmoid", "abs", "sqrt", "sin", "cos"), 1
    ),
    **dict.fromkeys(("max", "min"), 2),
}
"""What a line may call, and how many values each takes."""

ALIASES = {"σ": "sigmoid", "sigma": "sigmoid", "sig": "sigmoid", "logistic": "sigmoid", "ln": "log", "ReLU": "relu"}

MAX_CHARACTERS, MAX_WORDS = 6000, 300
"""Of a whole text, and of a line: several times what any published cell has."""

_TIMES = {"*", "⊙", "·", "×", "∘", r"\odot", r"\circ", r"\cdot", r"\times"}
_SIGNS = {"−": "-", "**": "^"} | dict.fromkeys(_TIMES, "*")
_NAME = re.compile(
    r"\\?[A-Za-z\u0370-\u03ff]++[0-9]*+(?:_(?:\{[^{}\n]{0,40}\}|[A-Za-z0-9]++))*+(?:\[t(?:\s?[-−]\s?1)?\]|₋₁|ₜ₋₁|ₜ)?"
)
_NUMBER = re.compile(r"(?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?\d++)?")
_SIGN = re.compile(r"\*\*|[-−+*/⊙·×∘@^()=,]")
_LATEX = re.compile(
    r"\\begin\{[^{}]{0,40}\}(?:\{[^{}]{0,40}\})?|\\end\{[^{}]{0,40}\}|\\left|\\right|\\[,;! ]|\\quad|&|\$"
)
_BEFORE = {"t-1", "t−1", "(t-1)", "(t−1)", "prev", "old", "last"}


@dataclass(frozen=True)
class Token:
    """A word or sign: its ``kind`` is ``name``, ``number``, ``newline`` or the sign itself; line and column from 1."""

    kind: str
    text: str
    line: int
    column: int
    width: int
    before: bool = False
    """Whether it is the value of the step before: ``c_prev``, ``c_{t-1}``."""


class CellError(ValueError):
    """What is wrong with a cell's text, where (line and column from 1), and what would be right.

    ``str()`` of it gives all of that in a few lines: the sentence, the line, a caret under the place, the remedy.
    """

    def __init__(self, message: Sentence, at: Token | None = None, hint: str = "", *, before: bool = False) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint
        self.line, self.column, self.width = (at.line, at.column, at.width) if at else (1, 1, 1)
        self.before = before
        """Whether ``_prev`` behind the name would put it right."""
        self.source = ""

    def __str__(self) -> str:
        where = tr("line {line}, column {column}: {says}", line=self.line, column=self.column, says=self.message)
        lines = self.source.split("\n")
        if not 1 <= self.line <= len(lines) or not self.source:
            return "\n".join(filter(None, (where, self.hint)))
        caret = " " * (self.column - 1) + "^" * max(1, self.width)
        return "\n    ".join(filter(None, (where, lines[self.line - 1], caret, self.hint)))


def fail(message: Sentence, at: Token | None = None, hint: str = "", *, before: bool = False) -> NoReturn:
    """Refuse the text at a token."""
    raise CellError(message, at, hint, before=before)


def near(name: str, among: Iterable[str]) -> str:
    """The known name that was probably meant, or nothing."""
    lower = {known.lower(): known for known in among}
    found = difflib.get_close_matches(name.lower()[:40], list(lower), 1, 0.6)
    return lower[found[0]] if found else ""


def is_matrix(name: str) -> bool:
    """A capital letter begins a learned matrix."""
    return name[0].isascii() and name[0].isupper()


def is_vector(name: str) -> bool:
    """``b``, ``b_…`` are biases, ``p_… w_… u_…`` learned vectors that multiply unit by unit."""
    return name == "b" or name[:2] in ("b_", "p_", "w_", "u_")


def tokens(text: str) -> list[Token]:
    """The text as words and signs, each line ended by a ``newline``."""
    if len(text) > MAX_CHARACTERS:
        fail(tr("A cell has at most {most:,} characters; this has {count:,}.", most=MAX_CHARACTERS, count=len(text)))
    found: list[Token] = []
    for number, raw in enumerate(text.split("\n"), 1):
        line = _LATEX.sub(lambda m: " " * len(m[0]), raw).replace("\\\\", "; ")
        words = list(_words(line, number))
        if len(words) > MAX_WORDS:
            fail(tr("A line has at most {most} words and signs.", most=MAX_WORDS), words[MAX_WORDS])
        found += [*words, Token("newline", "", number, len(line) + 1, 1)]
    return found


def _words(line: str, number: int) -> Iterable[Token]:
    k = 0
    while k < len(line) and line[k] != "#":
        column = k + 1
        if line[k].isspace():
            k += 1
        elif line[k] == ";":
            yield Token("newline", ";", number, column, 1)
            k += 1
        elif m := _NAME.match(line, k):
            yield _name(m[0], number, column)
            k = m.end()
        elif m := _NUMBER.match(line, k):
            yield Token("number", m[0], number, column, len(m[0]))
            k = m.end()
        elif m := _SIGN.match(line, k):
            yield Token(_SIGNS.get(m[0], m[0]), m[0], number, column, len(m[0]))
            k = m.end()
        else:
            _strange(Token("", line[k], number, column, 1))


def _strange(token: Token) -> NoReturn:
    if token.text in "'’′":
        hint = tr("Write c_prev for the value of the step before, and c for this step.")
        fail(tr("A prime can mean the old or the new value."), token, hint)
    if token.text == "[":
        hint = tr("Instead of W_f [h_prev, x] write W_hf h_prev + W_xf x: it is the same sum.")
        fail(tr("Vectors are not joined here."), token, hint)
    if token.text in "]{}":
        fail(tr("Brackets are round here: ( and ), not {sign}.", sign=token.text), token)
    fail(tr("The character {sign!r} has no meaning here.", sign=token.text), token)


def _name(raw: str, line: int, column: int) -> Token:
    """A name without its marks of time; what it keeps of its subscripts tells names apart."""
    at = Token("name", raw, line, column, len(raw))
    if raw in _TIMES:
        return Token("*", raw, line, column, len(raw))
    text = raw.lstrip("\\")
    before = bool(m := re.search(r"(?:\[t\s?[-−]\s?1\]|ₜ?₋₁)$", text))
    text = text[: m.start()] if m else re.sub(r"(?:\[t\]|ₜ)$", "", text)
    head, *below = re.findall(r"^[^_]+|_(?:\{[^}]*\}|[A-Za-z0-9]+)", text)
    kept = [head]
    for part in (s[1:].strip("{}").replace(" ", "") for s in below):
        if part in _BEFORE:
            before = True
        elif part.startswith("t+"):
            fail(
                tr("There is no step after this one."), at, tr("Write h for this step and h_prev for the step before.")
            )
        elif part != "t" or is_matrix(head) or head == "b":
            kept.append(part.removesuffix(",t"))
    return Token("name", "_".join(kept), line, column, len(raw), before)
