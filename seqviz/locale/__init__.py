"""The catalogues: a language is one gettext file, ``<language>/seqviz.po``, for Python and the scripts alike.

English stands in the code and needs none. ``tools/catalogue.py`` keeps the files in step with the code.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from gettext import c2py
from pathlib import Path

__all__ = ["FOLDER", "Catalogue", "file", "names", "read"]

FOLDER = Path(__file__).parent
_NAME = re.compile(r'^msgid "English"\nmsgstr "(.+)"$', re.MULTILINE)


@dataclass(frozen=True)
class Catalogue:
    """What one language says.

    Attributes:
        tag: the language as the web names it: ``zh-CN``.
        texts: the translations by their English (for 1, if it counts); more than one where the language counts so.
        forms: which of them is said for a CLDR category of numbers.
        category: the CLDR category of a number; a decimal's zeros count.
    """

    tag: str
    texts: dict[str, tuple[str, ...]]
    forms: dict[str, int]
    category: Callable[[Decimal], str]

    def text(self, english: str, count: str = "") -> str | None:
        """The translation, in the form for a count as it is read (``1.0``); None where there is none."""
        found = self.texts.get(english)
        if found is None or len(found) == 1:
            return found and found[0]
        return found[self.form(count)]

    def form(self, count: str) -> int:
        """Which of several forms is said for a count as it is read."""
        try:
            category = self.category(Decimal(count.replace(",", "")))
        except (InvalidOperation, ValueError, OverflowError):  # NaN, infinity, a power of ten
            category = "other"
        return self.forms.get(category, max(self.forms.values()))


def file(language: str) -> Path:
    """Where a language stands."""
    return FOLDER / language / "seqviz.po"


def names() -> dict[str, str]:
    """Every language that has a catalogue, as it calls itself."""
    found = {path.parent.name: _NAME.search(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*/seqviz.po")}
    return {language: name[1] for language, name in sorted(found.items()) if name}


@cache
def read(language: str) -> Catalogue:
    """The catalogue of a language other than English."""
    from babel.messages.pofile import read_po

    with file(language).open("rb") as source:
        known = read_po(source)
    if known.locale is None:
        raise ValueError(f"{file(language)} does not name its language")
    texts: dict[str, tuple[str, ...]] = {}
    for message in known:
        said = tuple(map(str, message.string if isinstance(message.string, tuple) else (message.string or "",)))
        if message.id and all(said) and not message.fuzzy:
            texts[message.id if isinstance(message.id, str) else message.id[0]] = said
    rule, form = known.locale.plural_form, c2py(known.plural_expr)
    forms = {rule(n): form(n) for n in reversed(range(1001))}
    return Catalogue(str(known.locale_identifier).replace("_", "-"), texts, forms, rule)
