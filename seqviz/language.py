"""The language that sentences are said in.

A leaf: it imports nothing of seqviz but the catalogues. Every sentence stands in the code in English, which is also
its key there; what is built from it still knows how to be said in another language.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, reduce
from numbers import Real
from string import Formatter
from typing import Any, Final

from seqviz import locale

__all__ = [
    "LANGUAGES",
    "Sentence",
    "Words",
    "again",
    "current",
    "follow",
    "later",
    "number",
    "quoted",
    "raised",
    "reason",
    "sentences",
    "speaking",
    "tr",
    "trn",
    "use_language",
]


_RAISED: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def later(template: str) -> str:
    """Mark an English text that is said elsewhere, by ``tr``."""
    return template


# Translators: the name of your language, in your language.
LANGUAGES: Final = {"en": later("English"), **locale.names()}
"""What there is to choose from, each by its own name."""

_inside: ContextVar[str | None] = ContextVar("seqviz_language", default=None)


class _Process:
    """What holds for the whole process: who is asked for a reader's language, and the language where nobody is."""

    ask: Callable[[], str | None] = staticmethod(lambda: None)
    otherwise = "en"


def current() -> str:
    """The language of now, one of ``LANGUAGES``."""
    if (chosen := _inside.get()) is not None:
        return chosen
    return _Process.ask() or _Process.otherwise


def use_language(language: str) -> None:
    """Say everything in this language from now on: labels of figures, sentences, errors.

    Args:
        language: one of ``LANGUAGES``: ``en``, ``zh``, …

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


def preferred(accepted: str) -> str:
    """The first language of an ``Accept-Language`` header that there is, or English."""
    wishes = (wish.partition(";")[0].strip().lower().partition("-")[0] for wish in accepted.split(","))
    return next((code for code in wishes if code in LANGUAGES), "en")


def _known(language: str) -> str:
    if language not in LANGUAGES:
        raise ValueError(tr("The language is one of {known}, not {language!r}.", known=[*LANGUAGES], language=language))
    return language


class Sentence(str):
    """A sentence as it was said, and how it was made."""

    template: str
    values: dict[str, Any]
    one: str
    """The English form for 1, where something is counted."""
    language: str

    def into(self, language: str) -> Sentence:
        """The same in another language."""
        return self if language == self.language else _sentence(self.template, self.values, self.one, language)


def tr(template: str, /, **values: Any) -> Sentence:
    """Say a sentence in the language of now.

    Args:
        template: it, in English; with values, as ``str.format`` takes it.
        values: what goes into its braces; sentences among them are said in the same language, numbers as
            :func:`number` does it, unless they are quoted with ``!r``.
    """
    return _sentence(template, values, "", current())


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
    return _sentence(other, {**values, "count": count}, one, current())


def number(value: Any, spec: str = "") -> str:
    """A number as people read it, the same in every language: a point before the decimals, as in code and figures.

    The minus is the pictures'; what rounds to 0 has none. NaN is ``NaN``, infinity ``∞``, whatever the format.

    Args:
        value: it.
        spec: its format, as :func:`format` takes it.
    """
    if value != value:
        return "NaN"
    text = format(value, spec)
    if not text.startswith("-"):
        return text.replace("inf", "∞")
    return text[1:] if re.fullmatch(r"-[0.]+(e[+-]\d+)?%?", text) else f"−{text[1:]}".replace("inf", "∞")


def raised(exponent: int) -> str:
    """A power of ten as it is written: ``10⁻⁴⁴``."""
    return "10" + str(exponent).translate(_RAISED)


def sentences(parts: Iterable[str]) -> str:
    """Whole sentences one after the other, as the language of now does it; empty ones are left out."""
    said = list(filter(None, parts))
    return reduce(lambda first, second: tr("{first} {second}", first=first, second=second), said) if said else ""


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


def _sentence(template: str, values: dict[str, Any], one: str, language: str) -> Sentence:
    text = _form(template, values, one, language)
    if values:
        text = _filled(text, {k: v.into(language) if isinstance(v, Sentence) else v for k, v in values.items()})
    made = Sentence(text)
    made.template, made.values, made.one, made.language = template, values, one, language
    return made


def _form(template: str, values: dict[str, Any], one: str, language: str) -> str:
    """What is said in a language, before its braces are filled in."""
    count = _field(values["count"], _spec_of_count(template)).lstrip("−") if one else ""
    said = None if language == "en" else locale.read(language).text(one or template, count)
    if said is None:
        return one if count == "1" else template
    return said


def _filled(text: str, values: dict[str, Any]) -> str:
    """``str.format`` with numbers for people; a name in braces is a name alone."""
    said = []
    for literal, name, spec, conversion in _parsed(text):
        said.append(literal)
        if name is not None:
            value = values[name]
            shown = _CONVERSIONS[conversion](value) if conversion else value
            said.append(_field(shown, spec or ""))
    return "".join(said)


_BRIEF: Final = reprlib.Repr()
_BRIEF.maxlevel, _BRIEF.maxstring, _BRIEF.maxother = 3, 200, 200
_QUOTED: Final = 40
_LONGEST: Final = 2000


def quoted(value: object) -> str:
    """A value as it may stand in a sentence, whatever somebody gave: its repr, cut short. What ``!r`` means in `tr`."""
    try:
        text = _BRIEF.repr(value)
    except ValueError:  # Python refuses to print an int of more than 4,300 digits
        text = tr("a number of thousands of digits")
    text = " ".join(map(str.strip, text.splitlines()))
    return text if len(text) <= _QUOTED else text[: _QUOTED - 3] + "..."


_CONVERSIONS: Final[dict[str, Callable[[object], str]]] = {"r": quoted, "s": str, "a": ascii}


def _field(value: Any, spec: str) -> str:
    if isinstance(value, Real):
        if isinstance(value, int) and abs(value) >= 10**_QUOTED:
            return quoted(value)
        return number(value, spec)
    text = format(value, spec)
    return text if len(text) <= _LONGEST or isinstance(value, Sentence) else text[:_LONGEST] + "…"


@lru_cache(maxsize=4096)
def _parsed(text: str) -> tuple[tuple[str, str | None, str | None, str | None], ...]:
    return tuple(Formatter().parse(text))


@lru_cache(maxsize=4096)
def _spec_of_count(template: str) -> str:
    return next((spec or "" for _, name, spec, _ in _parsed(template) if name == "count"), "")
