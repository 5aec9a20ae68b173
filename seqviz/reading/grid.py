"""All of a table's cells as columns: numbers where they are numbers, text where they are not.

A table is read in pieces, so that the memory it takes is that of its numbers and of the text that is kept.
"""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from seqviz.language import Sentence, tr
from seqviz.reading.blocks import cells_of, end_of
from seqviz.reading.dates import is_date
from seqviz.reading.numerals import PLAIN, Cell, Style, is_missing
from seqviz.reading.records import Block, Record

__all__ = ["EDGE", "GIVE_UP", "MAX_CELLS", "Column", "Grid", "number", "read_grid"]

GIVE_UP: Final = 5000
"""Lines without a single number after which a file is given up."""

MAX_CELLS: Final = 2**25
"""Numbers of a table: 33 million, a quarter of a GiB."""

EDGE: Final = 64
"""Lines at either end that may be something else than the table."""

MAX_COLUMNS: Final = 100_000

_PIECE: Final = 100_000
"""Cells that are turned into numbers at a time."""

_KEPT_TEXT: Final = 2000
"""Cells of text that are kept of a column that is nothing but text."""


@dataclass
class Column:
    """One column of cells.

    Attributes:
        texts: what the cells without a number hold, by their row; of a column of text, the first some thousand.
        marks: the signs and units that stand beside numbers, each with its code; no sign has code 0.
        dropped: whether `texts` is not complete.
        count, numbers: cells, and those of them that are numbers.
    """

    pieces: list[np.ndarray] = field(default_factory=list)
    coded: list[np.ndarray] = field(default_factory=list)
    texts: dict[int, str] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=lambda: {"": 0})
    dropped: bool = False
    count: int = 0
    numbers: int = 0

    def extend(self, cells: Sequence[str], style: Style, keep: bool) -> None:
        """Take more cells; text beyond the first thousands only where it is to be kept."""
        values, codes = _quick(cells, style), np.zeros(len(cells), np.uint8)
        if values is None:
            values = np.full(len(cells), np.nan)
            self._drop(keep)
            for k, cell in enumerate(cells):
                found = number(cell, style)
                code = None if found is None else self.marks.setdefault(found.beside, len(self.marks))
                if found is not None and code is not None and code < 256:
                    values[k], codes[k] = found.value, code
                    if not math.isinf(found.value):
                        continue
                if not self.dropped and (len(self.texts) < _KEPT_TEXT or not is_missing(cell)):
                    self.texts[self.count + k] = cell
        self._append(values, codes)

    def take(self, cells: np.ndarray | list[str], keep: bool) -> None:
        """Take cells of a block: numbers, NaN for an empty cell, or text that is neither a number nor missing."""
        if isinstance(cells, list):
            self._drop(keep)
            if not self.dropped:
                self.texts.update(zip(range(self.count, self.count + len(cells)), cells, strict=True))
            values = np.full(len(cells), np.nan)
        else:
            values = cells
            empty = np.flatnonzero(np.isnan(values))
            if len(empty):
                self._drop(keep)
            room = 0 if self.dropped else max(0, _KEPT_TEXT - len(self.texts))
            self.texts.update((self.count + int(k), "") for k in empty[:room])
        self._append(values, np.zeros(len(values), np.uint8))

    def _drop(self, keep: bool) -> None:
        self.dropped = self.dropped or not (keep or len(self.texts) < _KEPT_TEXT or self.numbers > len(self.texts))

    def _append(self, values: np.ndarray, codes: np.ndarray) -> None:
        self.numbers += int(np.count_nonzero(~np.isnan(values)))
        self.pieces.append(values)
        self.coded.append(codes)
        self.count += len(values)

    @property
    def values(self) -> np.ndarray:
        """float64 ``(L,)``: NaN where the cell is no number, infinite where it is too large for one."""
        return np.concatenate(self.pieces) if self.pieces else np.empty(0)

    @property
    def codes(self) -> np.ndarray:
        """uint8 ``(L,)``: which of `marks` stands beside each number."""
        return np.concatenate(self.coded) if self.coded else np.empty(0, np.uint8)


@dataclass
class Grid:
    """A table cut into columns.

    Attributes:
        columns: one for each place of the width that most lines have.
        lines: the number of the line on which each row begins.
        odd: rows of another width, by their place: their cells.
        top, bottom: the first and the last rows as they stand, by their place.
        remarks: lines that begin with a mark of comments, each with the place of the row that follows.
    """

    columns: list[Column]
    lines: array = field(default_factory=lambda: array("q"))
    odd: dict[int, list[str]] = field(default_factory=dict)
    top: dict[int, list[str]] = field(default_factory=dict)
    bottom: dict[int, list[str]] = field(default_factory=dict)
    remarks: list[tuple[int, Record]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.lines)

    def cell(self, row: int, column: int) -> str:
        """What a cell without a number holds; nothing where the row is shorter."""
        return self.columns[column].texts.get(row, "")


def number(cell: str, style: Style) -> Cell | None:
    """The number that a cell holds; ``1 Jan`` and ``2020 Q1`` are dates, not numbers of units."""
    found = style.read(cell)
    return None if found is not None and found.beside and is_date(cell) else found


def read_grid(
    rows: Iterable[Record | Block], width: int, style: Style, most_rows: int | None = None, remarks: bool = True
) -> Grid:
    """Every row of a table, in columns; with `remarks`, what begins with a mark of comments is no row.

    Raises:
        ValueError: the first some thousand lines hold no number, or there are too many rows or columns.
    """
    if width > MAX_COLUMNS:
        raise ValueError(
            tr("A line has {count:,} cells; at most {most:,} are read. Write one step a line.",
               count=width, most=MAX_COLUMNS)
        )  # fmt: skip
    grid = Grid([Column() for _ in range(width)])
    waiting: list[list[str]] = []
    last: deque[tuple[int, list[str]]] = deque(maxlen=EDGE)
    piece = max(1, min(GIVE_UP, _PIECE // width))
    limit = min(MAX_CELLS // width, MAX_CELLS if most_rows is None else most_rows)

    def add(line: int, cells: list[str]) -> None:
        if remarks and _is_remark(cells):
            if len(grid.remarks) < 1000 and not _is_rule(cells):
                grid.remarks.append((len(grid), Record(line, cells)))
            _check_remarks(grid, line)
            return
        place = len(grid)
        if place < EDGE:
            grid.top[place] = cells
        last.append((place, cells))
        if len(cells) != width and (fitted := _fitted(cells, width)) is not cells:
            if fitted is None:
                grid.odd[place] = cells
                fitted = (cells + [""] * width)[:width]
            cells = fitted
        grid.lines.append(line)
        waiting.append(cells)
        if len(waiting) == piece:
            _flush(grid, waiting, style)
            _check(grid, limit)

    for found in rows:
        if isinstance(found, Record):
            add(*found)
            continue
        _flush(grid, waiting, style)
        if _take(grid, found, style):
            last.extend(enumerate(end_of(found, EDGE), len(grid) - min(EDGE, found.height)))
            _check(grid, limit)
        else:
            for line, cells in found.records():
                add(line, cells)
    _flush(grid, waiting, style)
    _check(grid, limit)
    grid.bottom = dict(last)
    return grid


def _take(grid: Grid, block: Block, style: Style) -> bool:
    """Take all lines of a block at once; False where they need a closer look after all."""
    if len(grid) < EDGE or not any(column.numbers for column in grid.columns):
        return False
    words = [column.numbers * 2 < column.count for column in grid.columns]
    columns = cells_of(block, words, style)
    if columns is None:
        return False
    for column, cells, keep in zip(grid.columns, columns, _kept(words, columns), strict=True):
        column.take(cells, keep)
    grid.lines.extend(range(block.line, block.line + block.height))
    return True


def _kept(words: Sequence[bool], columns: Sequence[Sequence[str] | np.ndarray]) -> list[bool]:
    """Whether the text of each column is to be kept, by which of them are mostly text: the first two, and dates."""
    labels = np.cumsum(words)
    return [
        bool(text) and bool(k <= 2 or is_date(cells[0])) for text, k, cells in zip(words, labels, columns, strict=True)
    ]


def _is_remark(cells: Sequence[str]) -> bool:
    """Whether a line is a comment, or a rule drawn with dashes."""
    first = cells[0].lstrip()
    if first[:1] in ("#", "%") or first[:2] == "//":
        return not is_missing(first)
    return _is_rule(cells)


def _is_rule(cells: Sequence[str]) -> bool:
    joined = "".join(cells).replace("=", "-")
    return "---" in joined and not joined.strip("-+:| ")


def _fitted(cells: list[str], width: int) -> list[str] | None:
    """The row without empty cells beyond the width, or None where that is not its width."""
    if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
        return cells[:width]
    return None


def _check_remarks(grid: Grid, line: int) -> None:
    """Refuse a file that is comments without end."""
    if line > 4 * GIVE_UP and not any(column.numbers for column in grid.columns):
        raise ValueError(_no_number(line))


def _no_number(lines: int) -> Sentence:
    return tr("There is no number on the first {count:,} lines.", count=lines)


def _check(grid: Grid, limit: int) -> None:
    if len(grid) >= GIVE_UP and not any(column.numbers for column in grid.columns):
        raise ValueError(_no_number(GIVE_UP))
    if len(grid) > limit + 2 * EDGE:
        raise ValueError(tr("There are more than {most:,} rows of numbers; at most {most:,} steps fit.", most=limit))


def _flush(grid: Grid, waiting: list[list[str]], style: Style) -> None:
    if not waiting:
        return
    columns = list(zip(*waiting, strict=True))
    words = [column.numbers * 2 < column.count for column in grid.columns]
    for column, cells, keep in zip(grid.columns, columns, _kept(words, columns), strict=True):
        column.extend(cells, style, keep)
    waiting.clear()


def _quick(cells: Sequence[str], style: Style) -> np.ndarray | None:
    """The cells as numbers where all of them are plain ones; None asks for a closer look."""
    joined = "".join(cells)
    if "_" in joined:
        return None
    if style != PLAIN:
        if style.decimal == "," and "." in joined and style.group != ".":
            return None
        if style.group and not all(map(style.plain, cells)):
            return None
        cells = [style.bare(cell) for cell in cells]
    try:
        values = np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        return None
    return values if np.isfinite(values).all() else None
