"""How a table writes its numbers: decimal mark, marks between groups of digits, signs and units beside them.

A style holds for a whole table. Every pattern here reads a cell in time proportional to its length.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

__all__ = ["BOOLEANS", "LONGEST_CELL", "MULTIPLIERS", "PLAIN", "STYLES", "Cell", "Style", "is_missing", "tidy"]

LONGEST_CELL: Final = 200
"""Characters of a cell that may be a number."""

_TIDY: Final = (
    {0xFF01 + k: 0x21 + k for k in range(94)}
    | dict.fromkeys((0x2212, 0x2010, 0x2011, 0x2012, 0x2013, 0xFE63), "-")
    | dict.fromkeys((0xA0, 0x2007, 0x2008, 0x2009, 0x200A, 0x202F, 0x3000), " ")
    | dict.fromkeys((0x2019, 0x2018, 0x02BC, 0xB4), "'")
    | dict.fromkeys((0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF), None)
    | {0xFFE0: "¢", 0xFFE1: "£", 0xFFE5: "¥", 0xFFE6: "₩", 0x066B: ".", 0x066C: ","}
    | {zero + k: str(k) for zero in (0x0660, 0x06F0, 0x0966, 0x09E6, 0x0E50) for k in range(10)}
)  # fmt: skip
"""Full-width characters, every minus, every blank that does not break, apostrophes; marks without a width; the digits
of Arabic, Persian, Hindi, Bengali and Thai."""

_MISSING_WORDS: Final = (
    "na n/a #n/a #na nan -nan +nan null none nil missing <na> nat n.a. n.d. nd n.v. k.a. #value! #div/0! #ref! #num! "
    "#name? #null! #nv #wert! #bezug! #zahl! #spill! #calc! #field! "
    "1.#ind -1.#ind 1.#qnan -1.#qnan (null) [null] undefined void 缺失 缺测 无 空 欠測"
)
MISSING: Final = frozenset([*_MISSING_WORDS.split(), "#n/a n/a"])
BOOLEANS: Final = {
    **dict.fromkeys(("true", "yes", "y", "t", "on", "是", "真", "wahr", "ja", "vrai", "oui"), 1.0),
    **dict.fromkeys(("false", "no", "n", "f", "off", "否", "假", "falsch", "nein", "faux", "non"), 0.0),
}
MULTIPLIERS: Final = {
    "K": 1e3,
    "k": 1e3,
    "M": 1e6,
    "B": 1e9,
    "T": 1e12,
    "": 1.0,
    "万": 1e4,
    "亿": 1e8,
    "萬": 1e4,
    "億": 1e8,
    **dict.fromkeys(("G", "bn", "Mrd", "Mrd.", "billion"), 1e9),
    **dict.fromkeys(("mn", "mln", "Mio", "Mio.", "million"), 1e6),
    **dict.fromkeys(("Tsd", "Tsd.", "thousand"), 1e3),
    **dict.fromkeys(("lakh", "L"), 1e5),
    **dict.fromkeys(("crore", "cr", "Cr"), 1e7),
}
"""What shortens large numbers. Where a column holds several of them, they multiply; one alone is a unit."""

_MONEY: Final = (
    r"[$€£¥￥₹₽₩₺฿₫₱₪]|(?:US|R|A|C|HK|NT|CA|AU|NZ|S)\$|CHF|USD|EUR|GBP|JPY|CNY|RMB|INR|AUD|CAD|HKD|KRW|SEK|NOK|DKK|RUB"
    r"|BRL|ZAR|MXN|SGD|TWD|PLN|TRY|Rs\.?|kr\.?|Fr\.?"
)
_UNIT: Final = r"(?!(?:st|nd|rd|th)\b)(?:[^\W\d_]|[%‰°µ$€£¥₹₽₩₺฿'″′℃℉Ω])[^0-9]{0,15}(?:(?<=[mst])[23])?|[*†‡]{1,3}"
_EXPONENT: Final = r"(?:[eEdD][+-]?[0-9]++| ?[x×*·] ?10\^?[+-]?[0-9]++)?+"
_FRACTION: Final = {".": r"(?:\.[0-9]*+)?+", ",": r"(?:,[0-9]++)?+"}
_GROUPED: Final = {
    "": r"[0-9]++",
    "lakh": r"(?:[1-9][0-9]?(?:,[0-9]{2}(?![0-9]))*+,[0-9]{3}|[0-9]++)",
    **{mark: rf"(?:[1-9][0-9]{{0,2}}(?:{re.escape(mark)}[0-9]{{3}})++|[0-9]++)" for mark in (",", ".", " ", "'")},
}


class Cell(NamedTuple):
    """A number as it was written: its value without the sign or unit beside it, and that."""

    value: float
    beside: str


@dataclass(frozen=True, slots=True)
class Style:
    """How a table writes numbers.

    Args:
        decimal: ``.`` or ``,``.
        group: what stands between groups of three digits (``,``, ``.``, a blank, ``'``), ``lakh`` for 1,18,000,
            or nothing.
    """

    decimal: str = "."
    group: str = ""

    def read(self, cell: str) -> Cell | None:
        """The number that a cell holds, or None."""
        if len(cell) > LONGEST_CELL:
            return Cell(math.inf, "") if cell.isascii() and cell.strip().isdigit() else None
        if not (match := _pattern(self)(tidy(cell))):
            return None
        minus, money, minus_2, digits, power, minus_3, beside, bracket = match.groups()
        if (minus == "(") != bool(bracket) or sum(m in ("-", "(") for m in (minus, minus_2, minus_3)) > 1:
            return None
        if self.group:
            digits = digits.translate(_GROUP_MARKS[self])
        digits = digits.replace(self.decimal, ".")
        if power:
            digits += "e" + (power[1:] if power[0] in "eEdD" else power.partition("10")[2].lstrip("^"))
        negative = "-" in (minus, minus_2, minus_3) or minus == "("
        value = -float(digits) if negative else float(digits)
        return Cell(value, " ".join(filter(None, (money, (beside or "").strip()))))

    @property
    def plain(self) -> Callable[[str], object]:
        """Whether a cell is a number with nothing beside it."""
        return _plain(self)

    def bare(self, cell: str) -> str:
        """A plain cell as Python writes the number."""
        if self.group:
            cell = cell.translate(_GROUP_MARKS[self])
        return cell.replace(",", ".") if self.decimal == "," else cell

    @property
    def example(self) -> str:
        """A number written in this style."""
        marks = {"": "1180", "lakh": "1,18,000"}
        return marks.get(self.group, f"1{self.group}180") + f"{self.decimal}5"


_AS_TEXT: Final = re.compile(r"""="([^"]*+)"|'([^']++)""").fullmatch
"""What stands in a cell of Excel, or in a file for it, that is to be taken as text: ``="1.5"``, ``'1.5``."""


@cache
def _pattern(style: Style) -> Callable[[str], re.Match[str] | None]:
    digits = rf"(?:{_GROUPED[style.group]}{_FRACTION[style.decimal]}|{re.escape(style.decimal)}[0-9]++)"
    return re.compile(rf"([+(-]?) ?({_MONEY})? ?([+-]?) ?({digits})({_EXPONENT})(-?)(?: ?({_UNIT}))??(\)?)").fullmatch


@cache
def _plain(style: Style) -> Callable[[str], re.Match[str] | None]:
    return re.compile(rf"[+-]?{_GROUPED[style.group]}{_FRACTION[style.decimal]}(?:[eE][+-]?[0-9]++)?+").fullmatch


PLAIN: Final = Style()
STYLES: Final = tuple(
    Style(decimal, group)
    for group in ("", ",", ".", " ", "'", "lakh")
    for decimal in (".", ",")
    if decimal != group and not (group == "lakh" and decimal == ",")
)
"""Every style that is known, the simplest first."""

_GROUP_MARKS: Final = {
    style: {ord("," if style.group == "lakh" else style.group): None} for style in STYLES if style.group
}


def tidy(cell: str) -> str:
    """A cell with ASCII's digits, signs and blanks, without blanks or quotes around it."""
    if cell[:2] == '="' or cell[:1] == "'":
        match = _AS_TEXT(cell.strip())
        cell = (match[1] or match[2] or "") if match else cell
    return cell.strip() if cell.isascii() else cell.strip().translate(_TIDY).strip(" \t")


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no value."""
    if len(cell) > LONGEST_CELL:
        return False
    bare = tidy(cell).lower()
    return bare in MISSING or not bare.strip("-—―…*?./:")
