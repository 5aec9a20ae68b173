"""Delimited text into a draft: the dialect by the first lines, then all of it, then what each part is."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import chain, islice
from typing import Final

import numpy as np

from seqviz.language import Sentence, later, tr, trn
from seqviz.reading.dialect import Dialect, dialect_of, style_of
from seqviz.reading.draft import Draft, DraftColumn, left_out, listed, not_a_number
from seqviz.reading.grid import Column, Grid, number, read_grid
from seqviz.reading.kinds import (
    BOOL,
    DATE,
    EMPTY,
    NUMBER,
    TEXT,
    all_different,
    counts_steps,
    kinds_of,
    months,
    parts_of_dates,
    reads_as_time,
    truth,
)
from seqviz.reading.layout import Layout, layout_of
from seqviz.reading.notes import notes_on_columns, scaled
from seqviz.reading.numerals import Style, is_missing
from seqviz.reading.records import Block, Lines, Record, each, head, of_matrix, unwrapped, with_blocks

__all__ = ["draft_of_records", "draft_of_text", "find_labels"]

_SAMPLE: Final = 400
_WIDE: Final = re.compile(r"[0-9０-９] ?[，；、\u3000] ?[-+－＋.．0-9０-９]")
"""Numbers apart as a Chinese or Japanese keyboard types it."""

_APART: Final = re.compile(r"[0-9.][ \t]{1,9}[-+.0-9]")

_ENCODINGS = {
    "gb18030": "GB18030 (GBK)", "cp932": "Shift-JIS", "big5": "Big5", "euc_kr": "EUC-KR", "cp1251": "Windows-1251",
    "cp1252": "Windows-1252 (Latin-1)", "latin-1": "Latin-1",
}  # fmt: skip
"""Encodings that were guessed; what has a mark, or is UTF-8 or UTF-16 throughout, is none of them."""


def draft_of_text(lines: Lines, separator: str | None, decimal: str | None, most_rows: int | None) -> Draft:
    """What a delimited text holds; arguments and errors as ``seqviz.read_table``."""
    sample = head(lines, _SAMPLE)
    if any(map(_WIDE.search, sample)):
        lines = replace(lines, wide=True)
        sample = head(lines, _SAMPLE)
    if sample and separator in (None, " ") and all(map(_is_of_matrix, sample)):
        lines = replace(lines, matrix=True)
        sample = head(lines, _SAMPLE)
    if separator is None and _are_wrapped(sample):
        lines = replace(lines, wrapped=True)
        sample = head(lines, _SAMPLE)
    if not sample:
        raise ValueError(tr("The sequence is empty; give at least one number."))
    dialect = dialect_of(sample, separator, decimal)
    told = sample[0].strip().strip('"').lower().startswith("sep=")

    def rows(quote: str) -> Iterable[Record | Block]:
        found = with_blocks(lines, dialect.separator, quote)
        return islice(found, 1, None) if told else found

    try:
        draft = _read(lambda: rows(dialect.quote), dialect, decimal, most_rows)
    except csv.Error:
        draft = _read_unquoted(lambda: rows(""), dialect, decimal, most_rows)
    if lines.encoding in _ENCODINGS:
        draft.notes.append(tr("The text was read as {encoding}.", encoding=_ENCODINGS[lines.encoding]))
    draft.notes += dialect.doubts
    return draft


def _is_of_matrix(line: str) -> bool:
    """Whether a line ends as rows of a matrix do, and has numbers with blanks between them."""
    row = of_matrix(line)
    return line.rstrip().endswith((";", "]")) and ";" not in row and _APART.search(row) is not None


def _are_wrapped(sample: list[str]) -> bool:
    """Whether somebody has put each line in quotes as a whole: all hold as many separators, and more than a decimal
    comma or a first line of names."""
    inside = [unwrapped(line) for line in sample]
    if len(inside) < 2 or not all(inside):
        return False
    counts = {mark: {line.count(mark) for line in inside} for mark in ",;\t"}
    several = max((min(found) for found in counts.values() if len(found) == 1), default=0)
    return several > 1 or (several == 1 and not re.search(r"[0-9]", inside[0]))


def _read_unquoted(
    rows: Callable[[], Iterable[Record | Block]], dialect: Dialect, decimal: str | None, most: int | None
) -> Draft:
    try:
        return _read(rows, dialect, decimal, most)
    except csv.Error:
        raise ValueError(tr("A cell of the table is longer than any number; this is no table of numbers.")) from None


def draft_of_records(rows: Callable[[], Iterable[Record]]) -> Draft:
    """What cells that somebody else took apart hold, numbers as Python writes them."""
    return _read(rows, Dialect(","), None, None)


def _read(
    rows: Callable[[], Iterable[Record | Block]], dialect: Dialect, decimal: str | None, most_rows: int | None
) -> Draft:
    width = _common_width(each(rows()), dialect.style)
    grid = read_grid(rows(), width, dialect.style, most_rows)
    if grid.remarks and not any(column.numbers for column in grid.columns):
        grid = read_grid(rows(), width, dialect.style, most_rows, remarks=False)
    kinds = kinds_of(grid)
    unread = [
        t for c, kind in zip(grid.columns, kinds, strict=True) if kind == NUMBER for t in islice(c.texts.values(), 500)
    ]
    if any(not is_missing(text) for text in unread):
        sample = [cell for row in chain(grid.top.values(), grid.bottom.values()) for cell in row]
        style = style_of([*sample, *unread], dialect.separator, decimal)
        if style != dialect.style:
            again = read_grid(rows(), width, style, most_rows)
            if sum(c.numbers for c in again.columns) > sum(c.numbers for c in grid.columns):
                grid, kinds, dialect = again, kinds_of(again), replace(dialect, style=style)
    return _draft(grid, kinds, layout_of(grid, kinds, dialect.style), dialect)


def _common_width(rows: Iterable[Record], style: Style) -> int:
    """The width of most of the first rows, of those with numbers where there are any; the first of several."""
    first = [cells for _, cells in islice(rows, _SAMPLE)]
    if not first:
        raise ValueError(tr("The sequence is empty; give at least one number."))
    numeric = [cells for cells in first if any(number(cell, style) for cell in cells)]
    return Counter(map(len, numeric or first)).most_common(1)[0][0]


def _draft(grid: Grid, kinds: list[str], layout: Layout, dialect: Dialect) -> Draft:
    rows = layout.rows
    if not len(rows) or not any(
        column.numbers or kind == BOOL for column, kind in zip(grid.columns, kinds, strict=True)
    ):
        raise ValueError(_nothing(grid))
    _refuse_commas_twice(grid, layout, dialect)
    columns = []
    for k, (column, kind) in enumerate(zip(grid.columns, kinds, strict=True)):
        name = layout.names[k] if layout.names else ""
        columns.append(_column(k, column, kind, name, layout, rows))
    if len(rows) == 1:  # a single step says too little to call a column text
        first = 0 if layout.names is None else 1
        columns[first:] = [
            replace(c, kind=NUMBER) if c.kind == TEXT or (c.kind == EMPTY and (c.name or not first)) else c
            for c in columns[first:]
        ]
    lines = np.frombuffer(grid.lines, np.int64)
    draft = Draft(columns, layout.names is not None, [], lines[rows], {})
    find_labels(draft, shifted=layout.shifted)
    draft.odd = _odd(grid, rows, lines, len(kinds))
    draft.notes = [*_about_lines(layout, lines, grid), *notes_on_columns(draft, grid.columns, rows, dialect)]
    return draft


def _refuse_commas_twice(grid: Grid, layout: Layout, dialect: Dialect) -> None:
    """Decimal commas between commas: two names over ``21,0,22,5``."""
    width = len(grid.columns)
    named = [row for row in layout.preamble if 2 * len(grid.top[row]) == width > 2]
    cells = [grid.top[row] for row in grid.top if row in layout.rows and len(grid.top[row]) == width]
    if dialect.separator == "," and named and all(cell.isdecimal() for row in cells for cell in row[1::2]):
        raise ValueError(
            tr(
                "The lines have twice as many cells as there are names: decimal commas between commas cannot be told "
                "apart. Write decimals with a point, or separate the cells with semicolons."
            )
        )


def _nothing(grid: Grid) -> Sentence:
    found = [(k, row, text) for k, c in enumerate(grid.columns) for row, text in c.texts.items() if text.strip()]
    for k, row, text in sorted(found, key=lambda cell: not any(map(str.isdigit, cell[2]))):  # rather no name
        where = tr("Line {line}, {column}", line=grid.lines[row], column=tr("column {number}", number=k + 1))
        return not_a_number(where, text)
    return tr("The sequence is empty; give at least one number.")


def _column(k: int, column: Column, kind: str, name: str, layout: Layout, rows: np.ndarray) -> DraftColumn:
    values = (truth(column) if kind == BOOL else scaled(column))[rows]
    texts = _by_step(column.texts, rows)

    def labels() -> list[str]:
        if kind == NUMBER:
            return [
                texts.get(step, f"{value:.15g}") if value == value else texts.get(step, "")
                for step, value in enumerate(values.tolist())
            ]
        return [texts.get(step, "").strip() for step in range(len(values))]

    why = tr("nearly empty") if kind == EMPTY and not np.isnan(values).all() else None
    return DraftColumn(k, name, kind, values, texts, None if column.dropped else labels, why=why)


def _by_step(texts: dict[int, str], rows: np.ndarray) -> dict[int, str]:
    """Texts by the row of the grid as texts by the step."""
    first, count = int(rows[0]), len(rows)
    if rows[-1] - first == count - 1:  # nothing is left out in between
        return {row - first: text for row, text in texts.items() if 0 <= row - first < count}
    place = {row: step for step, row in enumerate(rows.tolist())} if texts else {}
    return {place[row]: text for row, text in texts.items() if row in place}


def find_labels(draft: Draft, *, shifted: bool = False) -> None:
    """Decide which columns label the steps: dates, else what counts the lines, else names of rows."""
    dates = [c for c in draft.columns if c.kind == DATE and c.labels]
    for column in dates[:2]:
        column.as_label = True
    others = [c for c in draft.columns if c.kind == NUMBER]
    if draft.named and not dates:
        pieces = parts_of_dates([c.name for c in draft.columns])
        if len(others) > len(pieces) and all(draft.columns[k].kind == NUMBER for k in pieces):
            for k in pieces:
                draft.columns[k].as_label, draft.columns[k].why = True, tr("years or times")
                dates.append(draft.columns[k])
    free = [c for c in others if not c.as_label]
    left = len(free)
    for column in free if len(others) > 1 else ():
        why = _numbers_that_label(column, column.name if draft.named else None, shifted)
        if why is not None and left > 1:
            column.as_label, column.aside, column.why = not dates, bool(dates), why
            if column.labels and (dated := months(column.values, column.name)) is not None:
                column.labels = dated.copy
            left -= 1
    texts = [c for c in draft.columns if c.kind == TEXT and c.labels]
    if not any(c.as_label for c in draft.columns):
        for column in texts:
            named = column.labels() if column.labels else []
            column.as_label = (shifted and column.number == 0) or all_different(named)
            if column.as_label:
                break


def _numbers_that_label(column: DraftColumn, name: str | None, shifted: bool) -> Sentence | None:
    if shifted and column.number == 0:
        return tr("names of the rows")
    if counts_steps(column.values, name):
        return tr("it numbers the lines")
    return tr("years or times") if reads_as_time(column.values, name) else None


def _odd(grid: Grid, rows: np.ndarray, lines: np.ndarray, width: int) -> dict[int, Sentence]:
    """Steps on lines of another width, each with its sentence."""
    place = {row: step for step, row in enumerate(rows.tolist())} if grid.odd else {}
    wrong = later("Line {line} has {found} and line {first} has {wanted}; every line needs the same count.")
    first = next((row for row in rows.tolist() if row not in grid.odd), None)
    return {
        place[row]: tr(
            wrong,
            line=int(lines[row]),
            found=trn("{count:,} number", "{count:,} numbers", len(cells)),
            first=int(lines[first if first is not None else row]),
            wanted=width,
        )
        for row, cells in grid.odd.items()
        if row in place
    }


def _about_lines(layout: Layout, lines: np.ndarray, grid: Grid) -> list[Sentence]:
    """A sentence for each kind of line that is no step."""
    said = []
    for rows, what in (
        (layout.preamble, later("text above the table")),
        (layout.units, later("units")),
        (layout.repeats, later("the names once more")),
        (layout.remarks, later("no numbers")),
        (layout.footer, later("totals or notes")),
    ):
        if rows:
            numbers = [int(lines[row]) for row in rows]
            said.append(left_out(_lines_said(numbers), tr(what)))
    comments = [record.line for _, record in grid.remarks]
    if comments:
        said.append(left_out(_lines_said(comments), tr("comments")))
    if layout.doubtful:
        said.append(tr("The first line of numbers was read as names of the columns."))
    return said


def _lines_said(numbers: list[int]) -> Sentence:
    if len(numbers) == 1:
        return tr("line {line}", line=numbers[0])
    if numbers[-1] - numbers[0] == len(numbers) - 1:
        return tr("lines {first} to {last}", first=numbers[0], last=numbers[-1])
    if len(numbers) > 6:
        return trn("{count:,} line", "{count:,} lines", len(numbers))
    return tr("lines {numbers}", numbers=listed([str(n) for n in numbers]))
