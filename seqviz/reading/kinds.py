"""What each column of a table holds: numbers, dates, truth values, text, nothing; and which of them label the steps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Final

import numpy as np

from seqviz.reading.dates import is_date
from seqviz.reading.grid import EDGE, Column, Grid
from seqviz.reading.numerals import BOOLEANS, is_missing, tidy

__all__ = [
    "BOOL",
    "DATE",
    "EMPTY",
    "NUMBER",
    "TEXT",
    "all_different",
    "counts_steps",
    "is_time_word",
    "kinds_of",
    "months",
    "parts_of_dates",
    "reads_as_time",
    "rises_by_one",
    "truth",
]

NUMBER, DATE, BOOL, TEXT, EMPTY = "number", "date", "bool", "text", "empty"

_LOOKED_AT: Final = 5000
_YEAR_WORDS: Final = "year years yr jahr année annee an año ano anno jaar год 年 年份 年度"
_COUNTER_WORDS: Final = (
    "index idx id # no no. nr nr. row rownames rowname row_names obs step t time epoch iteration iter sample ...1 "
    "unnamed:0 level_0 record zeile 序号 编号 行号 番号 步"
)
_TIME_WORDS: Final = (
    "date datetime timestamp time day datum zeit zeitpunkt fecha data unix unixtime epoch ts month period yyyymmdd "
    "日期 时间 日時 日付"
)
_DATES: Final = frozenset(["date", "datetime", "datum", "fecha", "data", "timestamp", "日期", "时间", "日時", "日付"])
_YEARS: Final = frozenset(_YEAR_WORDS.split())
_COUNTERS: Final = frozenset(_COUNTER_WORDS.split())
_TIMES: Final = frozenset(_TIME_WORDS.split())


_PIECES: Final = (
    ("month", "months", "mo", "mon", "mm", "monat", "mois", "mes", "月", "月份"),
    ("day", "days", "dd", "tag", "jour", "dia", "día", "日"),
    ("hour", "hours", "hr", "hh", "stunde", "heure", "hora", "时", "小时", "時"),
    ("minute", "minutes", "min", "mi", "分", "分钟"),
)


def kinds_of(grid: Grid) -> list[str]:
    """The kind of each column, by the cells below the table's head."""
    first = len(grid) // 3 if len(grid) <= 3 * EDGE else EDGE
    return [_kind(column, first, len(grid)) for column in grid.columns]


def _kind(column: Column, first: int, count: int) -> str:
    if column.numbers == 0 and column.dropped:
        texts = list(column.texts.values())
    else:
        texts = list(islice((text for row, text in column.texts.items() if row >= first), _LOOKED_AT))
    numbers = int(np.count_nonzero(~np.isnan(column.values[first:])))
    if column.dropped and numbers * 2 < count - first:
        numbers = 0
    words = [text for text in texts if not is_missing(text)]
    if not numbers and not words:
        return EMPTY
    if numbers and numbers >= len(words):
        return NUMBER
    if words and all(tidy(word).lower() in BOOLEANS for word in words):
        return BOOL
    return DATE if sum(map(is_date, words)) * 2 > len(words) else TEXT


def truth(column: Column) -> np.ndarray:
    """A column of truth values as 1 and 0, ``(L,)``; what is neither stays NaN."""
    values = column.values
    for row, text in column.texts.items():
        values[row] = BOOLEANS.get(tidy(text).lower(), np.nan)
    return values


def counts_steps(values: np.ndarray, name: str | None) -> bool:
    """Whether a column only numbers the lines: 0, 1, 2, ... or 1, 2, 3, ... under a name that says so, or none.

    Args:
        values: its numbers.
        name: what stands over it, nothing where the place is empty; None where the table has no names.
    """
    if name is None or len(values) < 2 or values[0] not in (0, 1) or not rises_by_one(values):
        return False
    return not (bare := _bare(name)) or bare in _COUNTERS


def rises_by_one(values: np.ndarray) -> bool:
    """Whether each number is one more than the one before."""
    return np.array_equal(values, values[0] + np.arange(len(values)))


def reads_as_time(values: np.ndarray, name: str | None) -> bool:
    """Whether numbers are years, months, days or seconds since 1970 under such a name, growing or falling throughout.

    Months are written 01.2020, days 20240131 or counted from 1900; only Excel's days since 1900, here those from 1950
    to 2120, have fractions.
    """
    if name is None or len(values) < 2 or not np.isfinite(values).all():
        return False
    if months(values, name) is not None:
        return True
    if not ((np.diff(values) >= 0).all() or (np.diff(values) <= 0).all()) or values[0] == values[-1]:
        return False
    bare = _bare(name)
    low, high = float(values.min()), float(values.max())
    if bare in _DATES and low >= 18264 and high <= 80_000:
        return True
    if (values % 1).any():
        return False
    if bare in _YEARS:
        return low >= 1000 and high <= 3000
    days = low >= 18000101 and high <= 22001231 and bool(((values % 100 <= 31) & (values // 100 % 100 <= 12)).all())
    seconds = low >= 10**8 and high < 10**19
    return bare in _TIMES and (days or seconds or (low >= 1800 and high <= 2200))


def months(values: np.ndarray, name: str) -> list[str] | None:
    """Numbers as the months ``01.2020`` that they are; None where they are none, jump about, or have another name."""
    month = np.floor(values)
    year = np.rint((values - month) * 1e4)
    bare = _bare(name)
    if bare not in _TIMES and bare not in _PIECES[0]:
        return None
    fits = (month >= 1) & (month <= 12) & (year >= 1800) & (year <= 2200) & (abs(values - month - year / 1e4) < 1e-9)
    steps = np.diff(12 * year + month)
    if len(values) < 2 or not fits.all() or not ((steps > 0).all() or (steps < 0).all()):
        return None
    return [f"{value:07.4f}" for value in values.tolist()]


def is_time_word(name: str) -> bool:
    """Whether a column's name says that it holds times or numbers of steps."""
    return (bare := _bare(name)) in _TIMES or bare in _COUNTERS or bare in _YEARS


def parts_of_dates(names: Sequence[str]) -> list[int]:
    """The places of columns that hold dates in pieces: year, month and perhaps day, hour, minute, side by side."""
    words = [_bare(name) for name in names]
    start = next((k for k, word in enumerate(words) if word in _YEARS), None)
    if start is None:
        return []
    stop = start + 1
    for known in _PIECES:
        if stop < len(words) and words[stop] in known:
            stop += 1
    return list(range(start, stop)) if stop > start + 1 else []


def _bare(name: str) -> str:
    """A name without blanks and brackets, in small letters."""
    return re.sub(r"[\s<>()\[\]]", "", name.lower())


def all_different(texts: Sequence[str]) -> bool:
    """Whether nearly no two texts are the same."""
    return len(set(texts)) >= 0.9 * len(texts)
