"""Markdown to a tree of elements that a page may build: no HTML, no pictures, no addresses but web links."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

__all__ = ["elements"]

_MARKDOWN: Final = MarkdownIt("commonmark", {"html": False}).disable(["image", "html_block", "html_inline"])
_TAGS: Final = frozenset({"p", "em", "strong", "ul", "ol", "li", "blockquote", "h3", "h4"})
_HEADINGS: Final = {"h1": "h3", "h2": "h3", "h5": "h4", "h6": "h4"}
_SAFE: Final = ("https://", "http://")


def elements(markdown: str) -> list[Any]:
    """The text as nested lists: a text is itself, an element ``[tag, address, *children]``.

    The address is that of a link, to a page of the web, and "" for every other element.
    """
    root: list[Any] = []
    open_: list[list[Any]] = [root]
    for token in _flat(_MARKDOWN.parse(markdown)):
        if token.nesting == 1:
            element = _element(token)
            open_[-1].append(element)
            open_.append(element)
        elif token.nesting == -1:
            open_.pop()
        else:
            _leaf(token, open_[-1])
    return root


def _flat(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type == "inline":
            yield from _flat(token.children or [])
        elif not token.hidden:
            yield token


def _element(token: Token) -> list[Any]:
    if token.type == "link_open":
        address = str(token.attrGet("href") or "")
        return ["a", address] if address.startswith(_SAFE) else ["span", ""]
    tag = _HEADINGS.get(token.tag, token.tag)
    return [tag if tag in _TAGS else "span", ""]


def _leaf(token: Token, into: list[Any]) -> None:
    if token.type in ("code_inline", "code_block", "fence"):
        into.append(["code" if token.type == "code_inline" else "pre", "", token.content])
    elif token.type == "hardbreak":
        into.append(["br", ""])
    elif token.type == "hr":
        into.append(["hr", ""])
    elif token.type == "softbreak":
        into.append("\n")
    elif token.content:
        into.append(token.content)
