"""Where a table begins and ends, and which of its lines name the columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from seqviz.reading.dates import is_date
from seqviz.reading.grid import Grid
from seqviz.reading.kinds import BOOL, DATE, EMPTY, NUMBER, TEXT, rises_by_one
from seqviz.reading.numerals import BOOLEANS, PLAIN, Style, is_missing, tidy

__all__ = ["Layout", "layout_of"]

_UNITS: Final = re.compile(
    r"[\[(<{].{0,30}[\])>}]|.{0,12}[%°µ/²³^].{0,12}|-|[kMGmµcdhn]?(?:W|V|A|Hz|Pa|g|m|l|L|s|J|N|Wh|K|C|F|bar|rad|mol|cd|eq)"
    r"|h|hr|hrs|min|sec|day|days|deg|degC|degF|ppm|ppb|psi|mph|kmh|kn|usd|eur|cny|rmb|float\d*|int\d*|integer|number|numeric"
    r"|double|real|string|str|text|date|datetime|bool|category|元|万元|亿元|度|米|千瓦|秒|个|次|人|吨|摄氏度",
    re.IGNORECASE,
)
_TOTALS: Final = re.compile(
    r"(?:grand |sub-?)?total|sum|summe|gesamt|mean|average|avg|mittelwert|moyenne|somme|promedio|suma|median|count|std"
    r"|итого|всего|среднее|totale|totaal|razem|toplam|summa|celkem|gemiddelde|annual"
    r"|sources?|notes?|quelle|hinweis|fuente|legend|copyright|©|generated|exported|end of|eof"
    r"|合计|总计|小计|平均|来源|数据来源|注|备注|合計|出典|計",
    re.IGNORECASE,
)
_OVER_LABELS: Final = frozenset(["name", "names", "id", "index", "key", "label", "labels", "row", "station"])
"""What stands over names of rows."""
_DIGITS: Final = re.compile(r"[+-]?[0-9][0-9.,' ]*")
_EXTREMES: Final = re.compile(r"min|max|minimum|maximum|最大|最小", re.IGNORECASE)


@dataclass
class Layout:
    """The parts of a table.

    Attributes:
        names: what stands over each column; None where nothing does.
        shifted: whether the names stand over all columns but the first, as R writes them.
        rows: the places of the rows that are steps.
        preamble, units, footer, repeats, remarks: places of rows that are something else.
        doubtful: whether the line of names could be a first row of numbers.
    """

    names: list[str] | None
    rows: np.ndarray
    preamble: list[int]
    units: list[int]
    footer: list[int]
    repeats: list[int]
    remarks: list[int]
    shifted: bool = False
    doubtful: bool = False


def layout_of(grid: Grid, kinds: Sequence[str], style: Style) -> Layout:
    """Find the head and the foot of a table, and what does not belong to it in between."""
    reader = _Reader(grid, kinds, style)
    heads = reader.heads()
    start = heads[-1] + 1 if heads else reader.first_row()
    doubtful = False
    if not heads and (certain := reader.numbers_as_names(start)) is not None:
        heads, start, doubtful = [start], start + 1, not certain
    names, units, shifted = reader.names(heads, start)
    stop = reader.last_row(start) + 1
    repeats, remarks = reader.inside(start, stop, heads)
    rows = np.setdiff1d(np.arange(start, stop), [*repeats, *remarks], assume_unique=True)
    preamble = [row for row in range(start) if row not in heads and any(map(str.strip, reader.row(row)))]
    preamble += [row for row in heads if row in reader.titles]
    return Layout(
        names, rows, sorted(preamble), units, list(range(stop, len(grid))), repeats, remarks, shifted, doubtful
    )


class _Reader:
    """Looks at rows of a grid as they stand."""

    def __init__(self, grid: Grid, kinds: Sequence[str], style: Style) -> None:
        self.grid, self.kinds, self.style = grid, kinds, style
        self.numeric = [k for k, kind in enumerate(kinds) if kind in (NUMBER, BOOL)]
        self.titles: set[int] = set()

    def row(self, place: int) -> list[str]:
        """The cells of a row near either end."""
        cells = self.grid.top.get(place)
        return cells if cells is not None else self.grid.bottom[place]

    def is_number(self, cell: str, column: int) -> bool:
        """Whether a cell is one of those that a numeric column is made of."""
        if self.kinds[column] == BOOL:
            return tidy(cell).lower() in self.truths(column)
        return self.style.read(cell) is not None

    def truths(self, column: int) -> set[str]:
        """The truth values that a column uses below its first line, which may be a name such as ``on``."""
        below = (cells[column] for place, cells in self.grid.top.items() if place and column < len(cells))
        return {word for word in (tidy(cell).lower() for cell in below) if word in BOOLEANS}

    def in_numeric(self, cells: Sequence[str]) -> list[tuple[int, str]]:
        return [(k, cells[k]) for k in self.numeric if k < len(cells)]

    def heads(self) -> list[int]:
        """The places of the lines of names (and units) over the numbers: the last such lines, one after the other."""
        found = [place for place in self.grid.top if place + 1 < len(self.grid) and self.is_head(place)]
        found = [place for place in found if all(self.may_precede(above) for above in range(place))]
        block: list[int] = []
        for place in reversed(found):
            if block and (place != block[0] - 1 or self._parted(place)):
                break
            block.insert(0, place)
        # Below words, digits that are no number are a number that somebody got wrong, and no name.
        for at, place in enumerate(block[1:], 1):
            said = [cell for _, cell in self.in_numeric(self.row(place)) if not is_missing(cell)]
            if all(_DIGITS.fullmatch(tidy(cell)) and not is_date(cell) for cell in said):
                return block[:at]
        return block

    def _parted(self, place: int) -> bool:
        """Whether a blank line parts a row from the next one, and none the rows after it."""
        first, second, third = (self.grid.lines[place + k] for k in range(3))
        return second - first > 1 and third - second == 1

    def _full(self, cells: list[str]) -> list[str]:
        """The cells of a row; those that it lacks over columns where nothing stands are empty."""
        rest = self.kinds[len(cells) :]
        return cells + [""] * len(rest) if rest and all(kind == EMPTY for kind in rest) else cells

    def is_head(self, place: int) -> bool:
        """Whether a row has words where the columns below have numbers."""
        cells = self._full(self.row(place))
        width = len(self.kinds)
        if self.is_shifted(place):
            cells = ["", *cells]
        if (len(cells) != width and any(cell.strip() for cell in cells[width:])) or len(cells) < width:
            return False
        cells = cells[:width]
        over = self.in_numeric(cells)
        words = [c for k, c in over if not is_missing(c) and not self.is_number(c, k)]
        numbers = [c for k, c in over if self.is_number(c, k)]
        if any(self.kinds[k] == DATE and is_date(c) for k, c in enumerate(cells)):
            return False
        if not words:
            return place == 0 and self._marked(cells)
        return not numbers or (len(self.grid) > 2 and all(map(_is_year, numbers)))

    def _marked(self, cells: Sequence[str]) -> bool:
        """Whether numbers on the first line are names: each has a unit beside it, as none below has, or the first cell
        is no number or date where all below are and the others count from 0."""
        over, below = self.in_numeric(cells), [row for place, row in self.grid.top.items() if place]
        if not below or (len(over) < 2 and len(cells) < 2):
            return False
        beside = [(k, self.style.read(cell)) for k, cell in over]
        if len(over) > 1 and all(cell is not None and cell.beside for _, cell in beside):
            units = {self.style.read(row[k]) for row in below for k, _ in over if k < len(row)}
            return all(cell is None or not cell.beside for cell in units)
        counted = [tidy(cell) for k, cell in over if k]
        if not counted or counted != [str(k) for k in range(len(counted))] or self.kinds[0] == EMPTY:
            return False
        first, under = tidy(cells[0]), [tidy(row[0]) for row in below]
        if self.kinds[0] == DATE:
            return not is_date(first) and all(map(is_date, under))
        if self.kinds[0] == TEXT:
            return is_missing(first) or first.lower() in _OVER_LABELS
        return not first and all(self.is_number(cell, 0) for cell in under)

    def is_shifted(self, place: int) -> bool:
        """Whether the first line leaves out the place over the names of rows, as R writes it."""
        width = len(self.kinds)
        if place or width < 2 or len(self._full(self.row(0))) != width - 1 or self.is_head(1):
            return False
        if self.kinds[0] in (DATE, TEXT):
            return True
        values = self.grid.columns[0].values[1:]
        return len(values) > 1 and rises_by_one(values)

    def may_precede(self, place: int) -> bool:
        """Whether a row may stand above the names: it is no row of numbers only."""
        cells = [cell for cell in self.row(place) if cell.strip()]
        return len(cells) != len(self.kinds) or any(self.style.read(cell) is None for cell in cells)

    def first_row(self) -> int:
        """The first row that looks like the table, where no line names the columns."""
        for place in sorted(self.grid.top):
            if place == 0 and len(self.grid) > 1 and not any(map(str.strip, self.row(0))):
                continue  # a line of separators alone, where names could stand
            over = self.in_numeric(self.row(place))
            numbers = sum(self.is_number(cell, k) for k, cell in over)
            if place not in self.grid.odd and (numbers or not any(not is_missing(c) for _, c in over)):
                return place
            if place in self.grid.odd and not self._apart(place):
                return place
        return 0

    def _apart(self, place: int) -> bool:
        """Whether a row of another width is no row of numbers."""
        cells = [cell for cell in self.grid.odd[place] if cell.strip()]
        return any(self.style.read(cell) is None and not is_missing(cell) for cell in cells)

    def numbers_as_names(self, start: int) -> bool | None:
        """Whether the first row of numbers names the columns: certainly, probably (False), or not (None)."""
        if start + 2 >= len(self.grid) or start in self.grid.odd:
            return None
        over = [tidy(cell) for _, cell in self.in_numeric(self.row(start))]
        if not over or not all(re.fullmatch(r"[0-9]{1,6}", cell) for cell in over):
            return None
        names = [int(cell) for cell in over]
        below = [place for place in self.grid.top if place > start and place not in self.grid.odd]
        columns = [[tidy(self.row(place)[k]) for place in below] for k in self.numeric]
        points = all(self._has_point(c) for column in columns for c in column if not is_missing(c))
        steady = [len({len(c.rpartition(self.style.decimal)[2]) for c in column}) == 1 for column in columns]
        wholes = any(
            re.fullmatch(rf"-?[0-9]+{re.escape(self.style.decimal)}0+", c) for column in columns for c in column
        )
        counted = names in (list(range(len(names))), list(range(1, len(names) + 1)))
        gaps = {b - a for a, b in pairwise(names)}
        rising = bool(gaps) and min(gaps) > 0
        years = rising and all(map(_is_year, over)) and len(gaps) == 1
        years = years and not any(_is_year(c) for column in columns for c in column)
        certain = points and (wholes or (all(steady) and len(below) >= 8))
        if years or (certain and (counted or rising) and len(below) >= (2 if len(names) > 1 else 8)):
            return True
        return False if counted and len(names) > 1 and points and len(below) >= 8 else None

    def _has_point(self, cell: str) -> bool:
        return self.style.decimal in cell or "e" in cell.lower()

    def names(self, heads: list[int], start: int) -> tuple[list[str] | None, list[int], bool]:
        """What stands over the columns, the places of the lines of units, and whether R wrote it."""
        width = len(self.kinds)
        rows = {place: [tidy(cell) for cell in self._full(self.row(place))] for place in heads}
        shifted = bool(heads) and self.is_shifted(heads[0])
        rows = {place: ["", *cells] if shifted else cells[:width] for place, cells in rows.items()}
        units = [place for place in heads[1:] if self._are_units(rows[place])]
        titled = [place for place in heads[:-1] if width > 1 and rows[place][0] and sum(map(bool, rows[place])) == 1]
        self.titles.update(titled)
        named = [self.plain(place, shifted) for place in heads if place not in units and place not in titled]
        if not named:
            return self._remark(start), units, shifted
        named = [*(_spread(upper, named[-1]) for upper in named[:-1]), named[-1]]
        return [" ".join(filter(None, parts)) for parts in zip(*named, strict=True)], units, shifted

    def plain(self, place: int, shifted: bool) -> list[str]:
        """The names on a line as they stand."""
        cells = [cell.strip().strip("\ufeff") for cell in self._full(self.row(place))]
        return ["", *cells] if shifted else cells[: len(self.kinds)]

    def _are_units(self, cells: Sequence[str]) -> bool:
        said = [cell for cell in cells if cell]
        if "max" in map(str.lower, said):  # beside it "min" is no minute
            return False
        return bool(said) and 2 * sum(_UNITS.fullmatch(cell) is not None for cell in said) > len(said)

    def _remark(self, start: int) -> list[str] | None:
        """Names on a comment just above the numbers, as numpy.savetxt and gnuplot write them."""
        above = [remark for remark in self.grid.remarks if remark[0] == start]
        if not above:
            return None
        cells = [tidy(cell) for cell in above[-1][1].cells]
        cells[0] = cells[0].lstrip("#%/ ")
        cells = cells if cells[0] or len(cells) == len(self.kinds) else cells[1:]
        if len(cells) != len(self.kinds) or any(PLAIN.read(cell) for cell in cells) or not any(cells):
            return None
        self.grid.remarks.remove(above[-1])
        return cells

    def last_row(self, start: int) -> int:
        """The last row that is a step; below it stand totals, sources and notes."""
        place = len(self.grid) - 1
        while place > start and place in self.grid.bottom and self.is_foot(place):
            place -= 1
        return place

    def is_foot(self, place: int) -> bool:
        """Whether a row at the end sums up or says where the table is from."""
        cells = self.row(place)
        said = [tidy(cell) for cell in cells if cell.strip()]
        numbers = sum(self.is_number(cell, k) for k, cell in self.in_numeric(cells))
        if place in self.grid.odd:
            return self._apart(place)
        if not said:
            return True
        if self.style.read(said[0]) is None and _TOTALS.match(said[0]):
            return True
        dates = any(
            kind == DATE and is_missing(cells[k]) is False and not is_date(cells[k])
            for k, kind in enumerate(self.kinds)
        )
        if dates and (not numbers or _EXTREMES.match(said[0]) or not re.search(r"[0-9]", said[0])):
            return True
        labelled = any(kind in (DATE, TEXT) for kind in self.kinds)
        return not numbers and (len(said) == 1 and (" " in said[0] or (len(cells) > 1 and not labelled)))

    def inside(self, start: int, stop: int, heads: Sequence[int]) -> tuple[list[int], list[int]]:
        """Rows between the steps that repeat the names, and rows of words alone."""
        if len(self.kinds) < 2 and not heads:
            return [], []
        named = [[tidy(cell) for cell in self.row(place)] for place in heads]
        foreign = sorted({row for k in self.numeric for row in self.grid.columns[k].texts if start <= row < stop})
        repeats, remarks = [], []
        for row in foreign:
            cells = self.grid.odd.get(row) or [self._shown(row, k) for k in range(len(self.kinds))]
            if [tidy(cell) for cell in cells] in named:
                repeats.append(row)
            elif len(self.kinds) > 1 and self._says_nothing(row, cells):
                remarks.append(row)
        return repeats, remarks

    def _shown(self, row: int, column: int) -> str:
        return self.grid.cell(row, column)

    def _says_nothing(self, row: int, cells: Sequence[str]) -> bool:
        """Whether a row holds words and neither a number nor a label: a note in the middle, or blanks."""
        if any(not np.isnan(self._value(row, k)) for k in range(len(self.kinds))):
            return False
        said = [cell for cell in cells if not is_missing(cell)]
        if row in self.grid.odd:
            return bool(said) and not any(self.style.read(cell) for cell in self.grid.odd[row])
        labelled = any(kind in (DATE, TEXT) for kind in self.kinds)
        return len(said) == 1 and not is_date(said[0]) and not (labelled and " " not in said[0])

    def _value(self, row: int, column: int) -> float:
        return self._values(column)[row]

    def _values(self, column: int) -> np.ndarray:
        if not hasattr(self, "_kept"):
            self._kept: dict[int, np.ndarray] = {}
        if column not in self._kept:
            self._kept[column] = self.grid.columns[column].values
        return self._kept[column]


def _spread(upper: list[str], lower: list[str]) -> list[str]:
    """Names over several columns, as merged cells leave them: each up to the next, where a name stands below."""
    filled: list[str] = []
    for k, name in enumerate(upper):
        carries = bool(k and not name and lower[k] and lower[k - 1])
        filled.append(filled[-1] if carries else name)
    return filled


def _is_year(cell: str) -> bool:
    return re.fullmatch(r"(?:1[5-9]|2[01])[0-9]{2}", tidy(cell)) is not None
