"""The separator, the quotes and the style of numbers of a whole table, by what its lines agree on."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from seqviz.language import Sentence, tr
from seqviz.reading.dates import is_date
from seqviz.reading.numerals import LONGEST_CELL, PLAIN, STYLES, Style, is_missing, tidy
from seqviz.reading.records import records

__all__ = ["SEPARATORS", "Dialect", "dialect_of", "style_of"]

SEPARATORS: Final = ("\t", ";", "|", ",", " ", "")
"""What may stand between cells, in the order of preference; nothing where a line is one cell."""

_CELLS: Final = 2000
"""Different cells that the style is judged by."""


@dataclass(frozen=True)
class Dialect:
    """How a table is written.

    Args:
        separator: one of ``SEPARATORS``.
        quote: what stands round cells that hold a separator.
        style: how numbers are written.
        doubts: sentences about what could be read in two ways.
    """

    separator: str
    quote: str = '"'
    style: Style = PLAIN
    doubts: tuple[Sentence, ...] = ()


@dataclass(frozen=True)
class _Candidate:
    """The sample cut at one separator."""

    separator: str
    rows: list[list[str]]
    style: Style
    width: int
    score: float


def dialect_of(lines: Sequence[str], separator: str | None = None, decimal: str | None = None) -> Dialect:
    """The dialect in which the lines agree best.

    Args:
        lines: the first lines of the table, some hundred.
        separator, decimal: what is known already.
    """
    if (told := _told_separator(lines)) is not None:
        lines, separator = lines[1:], separator if separator is not None else told
    quote = _quote(lines)
    known = SEPARATORS if separator is None else (separator,)
    tried = [_cut(lines, s, quote, decimal) for s in known if separator is not None or not s or _occurs(s, lines)]
    best = max(tried, key=lambda c: round(c.score, 2))
    whole = next((c for c in tried if not c.separator), None)
    commas = next((c for c in tried if c.separator == ","), None)
    if best is whole and commas and commas.score > 0 and decimal is None and _is_ragged(commas, whole):
        best = commas
    doubts: tuple[Sentence, ...] = ()
    if best.separator in (",", " ") and whole and whole.score >= best.score - 0.005 > 0:
        single, doubts = _one_or_several(best, whole, decimal)
        best = whole if single else best
    if decimal is None and not doubts:
        doubts = _doubtful_marks(best)
    return Dialect(best.separator, quote, best.style, doubts)


def style_of(cells: Iterable[str], separator: str, decimal: str | None = None) -> Style:
    """The style that reads most of the cells; of several, the one that such tables use.

    Where ``1,180`` could be either, it is a decimal between semicolons or tabs, and 1180 elsewhere.
    """
    distinct = list(dict.fromkeys(cells))[:_CELLS]
    doubtful = [
        c for c in distinct if len(c) <= LONGEST_CELL and PLAIN.read(c) is None and re.search(r"[0-9]", tidy(c))
    ]
    dotted = [c for c in distinct if "." in c and len(c) <= LONGEST_CELL]
    styles = [s for s in STYLES if decimal in (None, s.decimal)]
    if not doubtful and decimal != ",":
        return PLAIN
    if separator not in (";", "\t"):
        styles.sort(key=lambda s: (s.decimal == ",", s.group == "lakh"))

    def read(style: Style) -> int:
        return sum(style.read(c) is not None for c in (*doubtful, *dotted))

    return max(styles, key=read, default=PLAIN)


def _told_separator(lines: Sequence[str]) -> str | None:
    """Excel's own line, ``sep=;``."""
    first = lines[0].strip().strip('"').lower() if lines else ""
    return first[4:] if re.fullmatch(r"sep=[,;|\t]", first) else None


def _quote(lines: Sequence[str]) -> str:
    """The mark round cells: single ones only where there are no double ones and they stand at both ends."""
    if any('"' in line for line in lines):
        return '"'
    edges = sum(len(re.findall(r"(?:^|[,;\t|])'[^',;\t|]*+'(?=[,;\t|\r\n]|$)", line[:2000])) for line in lines)
    return "'" if edges > len(lines) // 2 else '"'


def _occurs(separator: str, lines: Sequence[str]) -> bool:
    marks = (" ", "\t") if separator == " " else (separator,)
    return sum(any(mark in line.strip() for mark in marks) for line in lines) * 4 > len(lines)


def _cut(lines: Sequence[str], separator: str, quote: str, decimal: str | None) -> _Candidate:
    try:
        rows = [r.cells for r in records(lines, separator, quote)]
    except (csv.Error, ValueError):
        rows = [r.cells for r in records((line[:100_000] for line in lines), separator, "")]
    style = style_of((cell for row in rows for cell in row), separator, decimal)
    kinds = [Counter(_kind(cell, style) for cell in row) for row in rows]
    numeric = [k for k, row in enumerate(rows) if kinds[k]["number"]]
    widths = Counter(len(rows[k]) for k in numeric)
    cells, agree = widths.most_common(1)[0] if widths else (1, 0)
    width = max((_width(rows[k]) for k in numeric if len(rows[k]) == cells), default=1)
    good = sum(kinds[k]["number"] for k in numeric)
    bad = sum(kinds[k]["strange"] for k in range(len(rows)))
    score = agree / max(1, len(numeric)) * good / max(1, good + bad) if width > 1 or not separator or cells > 1 else 0.0
    if score and _is_named(rows, numeric, width, kinds, separator):
        score += 0.4
    return _Candidate(separator, rows, style, width, score)


def _is_ragged(cut: _Candidate, whole: _Candidate) -> bool:
    """Whether lines such as ``1,2`` and ``3`` are rather a table with a number missing than decimals and wholes."""
    cells = [tidy(row[0]) for row in whole.rows if whole.style.read(row[0]) is not None]
    wholes = sum("," not in cell for cell in cells)
    zeros = any(re.search(r",0[0-9]", cell) for cell in cells)
    return whole.score < 1.3 and cut.width > 1 and wholes > 0 and not zeros and (wholes < 2 or len(cells) < 8)


def _is_named(rows: list[list[str]], numeric: list[int], width: int, kinds: list[Counter[str]], separator: str) -> bool:
    """Whether the line over the first numbers has as many words as there are columns."""
    above = numeric[0] - 1
    if above < 0 or _width(rows[above]) != width or kinds[above]["missing"]:
        return False
    return bool(separator) or not re.search(r"[,;\t|]", rows[above][0])


def _width(row: list[str]) -> int:
    """Cells of a row without the empty ones at its end."""
    size = len(row)
    while size > 1 and not row[size - 1].strip():
        size -= 1
    return size


def _kind(cell: str, style: Style) -> str:
    """``number``, ``missing``, ``date``, ``strange`` (holds digits and is none of these) or ``word``."""
    if is_missing(cell):
        return "missing"
    if is_date(cell):
        return "date"
    if style.read(cell) is not None:
        return "number"
    return "strange" if re.search(r"[0-9]", cell) else "word"


_GROUPS: Final = re.compile(r"[+-]?[0-9]{1,3}(?:[, ][0-9]{3})++(?:[.,][0-9]++)?")
_COMMA: Final = re.compile(r"([+-]?[0-9]++),([0-9]++)")


def _one_or_several(cut: _Candidate, whole: _Candidate, decimal: str | None) -> tuple[bool, tuple[Sentence, ...]]:
    """Whether lines such as ``21,0`` are one number each; and a sentence where that could be taken otherwise."""
    found = [(tidy(row[0]), cell) for row in whole.rows if (cell := whole.style.read(row[0])) is not None]
    texts = [text for text, _ in found]
    if cut.separator == " " and whole.style == PLAIN:
        return all(cell.beside for _, cell in found), ()
    if cut.separator == "," and (decimal == "," or any(re.search(r",0[0-9]", text) for text in texts)):
        return True, ()
    counted = [row[0] for row in cut.rows if row and row[0].isdecimal()]
    counts = len(counted) > 2 and all(int(b[:9]) - int(a[:9]) == 1 for a, b in pairwise(counted))
    grouped = len(texts) > 2 and all(map(_GROUPS.fullmatch, texts)) and not counts
    if grouped or (cut.separator == "," and _carries(texts)):
        several = tr(
            "A line such as {example} was read as one number, not as several.",
            example=texts[0],
        )
        return True, (several,)
    same = len({len(text.rpartition(",")[2]) for text in texts}) == 1
    if cut.separator == "," and cut.width == 2 and same and len(texts) > 3:
        one = tr("A line such as {example} was read as two numbers, not as one with a decimal comma.", example=texts[0])
        return False, (one,)
    return False, ()


_EITHER: Final = re.compile(r"[+-]?[1-9][0-9]{0,2}([,.])[0-9]{3}")


def _doubtful_marks(found: _Candidate) -> tuple[Sentence, ...]:
    """A sentence where every mark in every number could be a decimal mark or stand between thousands."""
    cells = {tidy(cell) for row in found.rows for cell in row}
    marked = sorted(cell for cell in cells if re.search(r"[0-9][,.][0-9]", cell) and found.style.read(cell) is not None)
    matches = [_EITHER.fullmatch(cell) for cell in marked]
    marks = {match[1] for match in matches if match}
    if (
        len(marked) < 2
        or not all(matches)
        or len(marks) != 1
        or ((mark := marks.pop()) == "." and found.separator == ",")
    ):
        return ()
    if mark == "." and found.separator != ";":
        return ()
    read = {
        style: style.read(marked[0])
        for style in (found.style, Style("."), Style(","), Style(".", ","), Style(",", "."))
    }
    values = [cell.value for cell in read.values() if cell is not None]
    other = next(value for value in values if value != values[0])
    return (
        tr(
            "{example} was read as {value:g}; it could also be {other:g}.",
            example=marked[0],
            value=values[0],
            other=other,
        ),
    )


def _carries(texts: Sequence[str]) -> bool:
    """Whether what follows the comma falls when what is before it rises by 1, as digits of one number do."""
    pairs = [match.groups() for text in texts if (match := _COMMA.fullmatch(text))]
    if len(pairs) < 8 or len(pairs) < len(texts) or len({len(part) for _, part in pairs}) > 1:
        return False
    wholes, parts = zip(*((abs(int(a[:15])), int(b[:15])) for a, b in pairs), strict=True)
    turns = [k for k in range(1, len(wholes)) if abs(wholes[k] - wholes[k - 1]) == 1]
    opposite = sum((wholes[k] - wholes[k - 1]) * (parts[k] - parts[k - 1]) < 0 for k in turns)
    still = sum(a == b for a, b in pairwise(wholes))
    several = len(turns) >= 4 and len(set(parts)) >= 5
    return several and len(turns) + still >= 0.9 * (len(wholes) - 1) and opposite >= 0.8 * len(turns)
