"""The words of a lesson: Markdown in several languages, with numbers that are measured when they are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from seqviz.checks import shown
from seqviz.language import current, number, raised, tr
from seqviz.lessons.expressions import Node, parse

__all__ = ["Place", "Text", "Words", "read_text", "spoken"]

_PLACE: Final = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_INSIDE: Final = re.compile(
    r"\s*(?P<what>.+?)(?:\s+of\s+(?P<run>[\w-]+))?\s+(?P<spec>,?\.\d[fe%])\s*", re.ASCII | re.DOTALL
)
_WEB: Final = re.compile(r"https?://[^/\s]", re.ASCII)
_LINK: Final = re.compile(r"\]\(([^)]*)")
_MARKDOWN: Final = MarkdownIt("commonmark", {"html": True})


@dataclass(frozen=True)
class Place:
    """A number to be measured: on which experiment (empty: the step's), what, and how it is written."""

    run: str
    what: Node
    spec: str

    def written(self, found: float) -> str:
        """The number as it stands in the sentence."""
        text = number(found, self.spec)
        digits, e, exponent = text.partition("e")
        if not e:
            return text
        return raised(int(exponent)) if digits == "1" else f"{digits}×{raised(int(exponent))}"


Text = tuple[str | Place, ...]
"""Markdown and the numbers in it, in order."""

Words = Mapping[str, Text]
"""A text by language."""


def read_text(markdown: str) -> Text:
    """Take ``{{l0.c[26] .3f}}`` and ``{{half_life(l0.c) of leaky .0f}}`` out of a text.

    Raises:
        ValueError: a number that cannot be measured, or something that is not shown: HTML, a picture.
    """
    _check_markdown(markdown)
    parts: list[str | Place] = []
    for k, piece in enumerate(_PLACE.split(markdown)):
        if k % 2:
            parts.append(_place(piece))
        elif piece:
            if "{{" in piece or "}}" in piece:
                raise ValueError(tr("A number stands between two braces and two braces; some are missing."))
            parts.append(piece)
    return tuple(parts)


def _place(inside: str) -> Place:
    match = _INSIDE.fullmatch(inside)
    if match is None:
        raise ValueError(
            tr(
                "{text} is no number to measure; write what, of another experiment perhaps, and the digits, as in "
                "y[-1] of leaky .2f.",
                text=shown(inside.strip()),
            )
        )
    return Place(match["run"] or "", parse(match["what"], "number"), match["spec"])


def _check_markdown(markdown: str) -> None:
    for token in _MARKDOWN.parse(_PLACE.sub("0", markdown)):
        for inner in (token, *(token.children or ())):
            if inner.type in ("html_block", "html_inline"):
                raise ValueError(tr("HTML is not shown: {text}; write Markdown.", text=shown(inner.content.strip())))
            if inner.type == "image":
                raise ValueError(tr("A lesson shows the app's pictures and no others."))
            if (address := _no_page(inner)) is not None:
                raise ValueError(tr("A link leads to a page of the web, https://…, not to {address}.", address=address))


def _no_page(token: Token) -> str | None:
    """Where a link leads that leads to no page of the web; quoted."""
    if token.type == "link_open":
        address = str(token.attrGet("href") or "")
        return None if _WEB.match(address) else shown(address)
    left = _LINK.search(token.content) if token.type == "text" else None  # what Markdown itself takes for no link
    return shown(left[1]) if left else None


def spoken(words: Mapping[str, Text], language: str | None = None) -> Text:
    """The text in a language, by default that of now; else in English, else in the first there is."""
    wanted = language or current()
    return words.get(wanted) or words.get("en") or next(iter(words.values()))
