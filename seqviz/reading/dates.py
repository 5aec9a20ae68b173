"""Whether a cell is a date or a time of day, and where it stands in time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from seqviz.reading.numerals import tidy

__all__ = ["backwards", "is_date"]

_NAMED: Final = r"UTC|GMT|C?E[SD]?T|[CMPWB][SD]?T|JST|IST|[a-z]{2,12}/[a-z_]{2,20}"
_ZONE: Final = rf"(?: ?(?:Z|{_NAMED}|[+-][0-9]{{2}}:?(?:[0-9]{{2}})?))?"
_SECONDS: Final = r"(?::[0-6][0-9](?:[.,][0-9]{1,9})?)?"
_HALF: Final = r"(?:上午|下午|午前|午後|오전|오후)"
_TIME: Final = (
    rf"(?:(?:{_HALF} ?)?[0-2]?[0-9]:[0-5][0-9]{_SECONDS}(?: ?(?:[ap]\.?m\.?|{_HALF}))?{_ZONE}"
    r"|[0-2]?[0-9](?:时|時|点)(?:[0-5]?[0-9]分(?:[0-5]?[0-9]秒)?)?)"
)
_MONTHS: Final = (
    "jan feb mar apr may jun jul aug sep sept oct nov dec january february march april june july august september "
    "october november december mär mrz mai okt dez januar februar märz juni juli oktober dezember janv févr fév avr "
    "juin juil août déc janvier février mars avril juillet septembre octobre novembre décembre ene abr ago dic "
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre gen mag giu lug set "
    "января февраля марта апреля мая июня июля августа сентября октября ноября декабря "
    "ott gennaio febbraio aprile maggio giugno luglio settembre ottobre novembre dicembre"
)
_MONTH: Final = "(?:" + "|".join(sorted(_MONTHS.split(), key=len, reverse=True)) + r")\.?"
_DAY: Final = "|".join(
    (
        r"[0-9]{4}[-/.][0-9]{1,2}(?:[-/.][0-9]{1,2})?",
        r"[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:[0-9]{4}|[0-9]{2})",
        r"(?:0?[1-9]|1[0-2])[-/][0-9]{4}",
        rf"[0-9]{{1,2}}(?:st|nd|rd|th|\.)?[- /]?{_MONTH}(?:[- /,]{{1,2}}(?:[0-9]{{4}}|'?[0-9]{{2}}))?",
        rf"{_MONTH}(?:[- /]{{1,2}}[0-9]{{1,2}}(?:st|nd|rd|th)?)?(?:[- /,]{{1,2}}(?:[0-9]{{4}}|'?[0-9]{{2}}))?",
        rf"[0-9]{{4}}[- /]{_MONTH}(?:[- /][0-9]{{1,2}})?",
        r"[0-9]{4}年(?:[0-9]{1,2}月(?:[0-9]{1,2}日)?)?|[0-9]{1,2}月(?:[0-9]{1,2}日)?",
        r"[0-9]{4}[- ]?[QqWw][0-9]{1,2}(?:-[1-7])?|[Qq][1-4][-/ ]?[0-9]{4}|[0-9]{4}M[0-9]{2}",
        r"[0-9]{8}T[0-9]{4,6}Z?|[0-9]{8}[_-][0-9]{4,6}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}",
        r"[0-9]{4} [0-9]{2} [0-9]{2}",
        rf"[0-9]{{1,2}} de {_MONTH}(?: de [0-9]{{4}})?",
        rf"{_MONTH} {{1,2}}[0-9]{{1,2}} [0-9]{{1,2}}:[0-9]{{2}}:[0-9]{{2}} (?:[A-Z]{{3,4}} )?[0-9]{{4}}",
    )
)  # fmt: skip
_WEEKDAY: Final = (
    r"(?:(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so)[a-z]{0,7}\.?,? |(?:星期|周)[一二三四五六日天] ?)"
)
_DATE: Final = re.compile(
    rf"(?:{_WEEKDAY})?(?:(?:{_DAY})(?:[T ,_-]{{1,2}}{_TIME})?|{_TIME}(?:[ ,]{{1,2}}(?:{_DAY}))?)", re.IGNORECASE
)
_LONGEST: Final = 60


def is_date(cell: str) -> bool:
    """Whether a cell is a date, a time of day, or both; a bare number is none."""
    text = tidy(cell)
    return len(text) <= _LONGEST and _DATE.fullmatch(text) is not None


def backwards(cells: Sequence[str]) -> bool:
    """Whether dates in numbers run from the newest to the oldest, read in the one order that they all allow."""
    parts = [tuple(int(n) for n in re.findall(r"[0-9]{1,9}", cell[:_LONGEST])) for cell in cells]
    if len(parts) < 3 or any(len(p) != len(parts[0]) or len(p) < 3 for p in parts):
        return False
    orders = [(0, 1, 2)] if all(p[0] > 31 for p in parts) else [(2, 1, 0), (2, 0, 1)]
    for year, month, day in orders:
        if all(1 <= p[month] <= 12 and 1 <= p[day] <= 31 for p in parts):
            keys = [(p[year], p[month], p[day], *p[3:]) for p in parts]
            return all(a >= b for a, b in pairwise(keys)) and keys[0] > keys[-1]
    return False
