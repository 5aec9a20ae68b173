"""The language that sentences are said in.

A leaf: it imports nothing of seqviz. Every sentence stands in the code in English, which is also its key in
``locale/<language>.json``; what is built from it still knows how to be said in another language.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache, wraps
from numbers import Real
from pathlib import Path
from string import Formatter
from typing import Any, Final, TypeVar

__all__ = [
    "LANGUAGES",
    "Sentence",
    "Words",
    "again",
    "current",
    "follow",
    "later",
    "number",
    "reason",
    "sentences",
    "speaking",
    "spoken_cache",
    "tr",
    "trn",
    "use_language",
]

LANGUAGES: Final = {"en": "English", "zh": "简体中文"}

_inside: ContextVar[str | None] = ContextVar("seqviz_language", default=None)


class _Process:
    """What holds for the whole process: who is asked for a reader's language, and the language where nobody is."""

    ask: Callable[[], str | None] = staticmethod(lambda: None)
    otherwise = "en"


Made = TypeVar("Made")


def current() -> str:
    """The language of now: ``en`` or ``zh``."""
    if (chosen := _inside.get()) is not None:
        return chosen
    return _Process.ask() or _Process.otherwise


def use_language(language: str) -> None:
    """Say everything in this language from now on: labels of figures, sentences, errors.

    Args:
        language: ``en`` or ``zh``.

    Raises:
        ValueError: another one.
    """
    _Process.otherwise = _known(language)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """The language inside a ``with`` block; arguments and errors as :func:`use_language`."""
    token = _inside.set(_known(language))
    try:
        yield
    finally:
        _inside.reset(token)


def follow(ask: Callable[[], str | None]) -> None:
    """Let an application say which language its present reader wants; None where it has no reader."""
    _Process.ask = staticmethod(ask)


def _known(language: str) -> str:
    if language not in LANGUAGES:
        raise ValueError(tr("The language is one of {known}, not {language!r}.", known=[*LANGUAGES], language=language))
    return language


class Sentence(str):
    """A sentence as it was said, and how it was made."""

    template: str
    values: dict[str, Any]
    one: str = ""
    """The English form for one, where something is counted."""

    def into(self, language: str) -> str:
        """The same in another language."""
        return _said(self.template, self.values, language, self.one)


def tr(template: str, /, **values: Any) -> Sentence:
    """Say a sentence in the language of now.

    Args:
        template: it, in English; with values, as ``str.format`` takes it.
        values: what goes into its braces; sentences among them are said in the same language, numbers as
            :func:`number` does it, unless they are quoted with ``!r``.
    """
    return _sentence(template, values)


def trn(one: str, other: str, count: Any, /, **values: Any) -> Sentence:
    """Say a sentence that counts something, in the form that the language of now has for that number.

    ``trn("{count} step", "{count} steps", n)``. The form is chosen by the number as it is read, so that
    ``{count:.1f}`` gives "1.0 decades" and ``{count:g}`` "1 decade". A sentence with two counts is put together
    from counted nouns: ``tr("{run} of {steps}", run=3, steps=trn("{count} step", "{count} steps", n))``.

    Args:
        one: the English form for 1.
        other: the English form for every other number; with ``one``, the key in the catalogues.
        count: the number, in the braces as ``{count}``.
        values: what else goes into the braces, as in :func:`tr`.
    """
    return _sentence(other, {**values, "count": count}, one)


def _sentence(template: str, values: dict[str, Any], one: str = "") -> Sentence:
    made = Sentence(_said(template, values, current(), one))
    made.template, made.values, made.one = template, values, one
    return made


def later(template: str) -> str:
    """Mark an English text that is said elsewhere, by ``tr``."""
    return template


def number(value: Any, spec: str = "") -> str:
    """A number as people read it, formatted with `spec`: a minus as in the pictures, none before what rounds to 0."""
    text = format(value, spec)
    if not text.startswith("-"):
        return text
    return text[1:] if re.fullmatch(r"-[0.]+%?", text) else f"−{text[1:]}"


class _Formatter(Formatter):
    """``str.format`` with numbers for people."""

    def format_field(self, value: Any, format_spec: str) -> str:
        said: str = number(value, format_spec) if isinstance(value, Real) else super().format_field(value, format_spec)
        return said


_FORMATTER = _Formatter()


def sentences(parts: Iterable[str]) -> str:
    """Whole sentences one after the other, as the language of now does it; empty ones are left out."""
    return ("" if current() == "zh" else " ").join(filter(None, parts))


def again(text: str) -> str:
    """A sentence that was kept, in the language of now; other text as it is."""
    return text.into(current()) if isinstance(text, Sentence) else text


def reason(error: BaseException) -> str:
    """What an error says: the sentence that it was raised with, where it was one."""
    first = error.args[0] if error.args else ""
    return first if isinstance(first, Sentence) else str(error)


class Words(dict[str, str]):
    """Labels by what they are called in the code, said in the language of now when they are looked up.

    Its ``items()`` and ``values()`` are as they stand in the code.
    """

    def __getitem__(self, key: str) -> str:
        return tr(super().__getitem__(key))

    def get(self, key: str, otherwise: Any = None) -> Any:
        return tr(super().__getitem__(key)) if key in self else otherwise


def spoken_cache(maxsize: int) -> Callable[[Callable[..., Made]], Callable[..., Made]]:
    """``functools.lru_cache`` for what holds sentences: the language is one of the arguments."""

    def decorate(function: Callable[..., Made]) -> Callable[..., Made]:
        @lru_cache(maxsize=maxsize)
        def kept(language: str, *args: Hashable, **kwargs: Hashable) -> Made:
            return function(*args, **kwargs)

        @wraps(function)
        def asked(*args: Hashable, **kwargs: Hashable) -> Made:
            return kept(current(), *args, **kwargs)

        return asked

    return decorate


def _said(template: str, values: dict[str, Any], language: str, one: str = "") -> str:
    if language != "en":
        text = _catalogue(language).get(template, template)
    else:
        text = one if one and _is_one(template, values["count"]) else template
    if not values:
        return text
    said = {k: v.into(language) if isinstance(v, Sentence) else v for k, v in values.items()}
    return _FORMATTER.vformat(text, (), said)


def _is_one(template: str, count: Any) -> bool:
    """English's plural rule: 1 without a decimal, as the template shows it."""
    return _FORMATTER.format_field(count, _spec_of_count(template)).lstrip("−") == "1"


@cache
def _spec_of_count(template: str) -> str:
    return next((spec or "" for _, name, spec, _ in _FORMATTER.parse(template) if name == "count"), "")


@cache
def _catalogue(language: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in sorted((Path(__file__).with_name("locale") / language).glob("*.json")):
        found |= json.loads(file.read_text(encoding="utf-8"))
    return found
