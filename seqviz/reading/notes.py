"""What was converted in a column, or may be something else than it seems: a sentence each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from seqviz.language import Sentence, later, tr, trn
from seqviz.reading.dates import backwards
from seqviz.reading.dialect import Dialect
from seqviz.reading.draft import Draft, DraftColumn, brief
from seqviz.reading.grid import Column
from seqviz.reading.kinds import BOOL, DATE, NUMBER, is_time_word
from seqviz.reading.numerals import MULTIPLIERS, PLAIN, Style

__all__ = ["notes_on_columns", "scaled", "style_said"]

_STAND_INS: Final = tuple(sign * (10.0**k - 1) for k in (2, 3, 4, 5) for sign in (-1, 1)) + tuple(
    sign * size for size in (99.9, 999.9, 99.99, 999.99, 1e20, 1e30) for sign in (-1, 1)
)
"""Numbers such as −999 that files write where they have none."""

_MENTIONED: Final = 12


def _parted(mark: str) -> tuple[str, str]:
    """What stands beside a number as a unit and what multiplies it: ``$ k`` is ``$`` and ``k``."""
    unit, _, last = mark.rpartition(" ")
    return (unit, last) if mark and last in MULTIPLIERS else (mark, "")


def _multipliers(column: Column) -> list[str]:
    """What multiplies a column's numbers, mark by mark; nothing where it is one unit for all of them, or several."""
    parts = [_parted(mark) for mark in column.marks]
    used = np.unique(column.codes[~np.isnan(column.values)]).tolist()
    units = {parts[k][0] for k in used if any(parts[k])}
    words = {parts[k][1] for k in used}
    return [word for _, word in parts] if len(units) < 2 and len(words) > 1 else []


def scaled(column: Column) -> np.ndarray:
    """A column's numbers ``(L,)``; K, M, B beside them multiplied in where they differ.

    Where other units differ, what has not the commonest one is taken as no number.
    """
    values, marks, codes = column.values, [m for m in column.marks if m], column.codes
    if words := _multipliers(column):
        return values * np.array([MULTIPLIERS[word] for word in words])[codes]
    if len(marks) < 2:
        return values
    counts = np.bincount(codes[~np.isnan(values)], minlength=len(column.marks))
    common = 1 + int(np.argmax(counts[1:]))
    other = (codes != common) & (codes != 0)
    names = list(column.marks)
    for row in np.flatnonzero(other)[:5000].tolist():
        column.texts.setdefault(row, f"{values[row]:g} {names[codes[row]]}")
    return np.where(other, np.nan, values)


def style_said(style: Style) -> Sentence:
    """How numbers are written, by an example."""
    read = style.read(style.example)
    says = later("Numbers were read in the style of {example}, which is {value}.")
    return tr(says, example=style.example, value=f"{read.value:.15g}" if read else "")


def notes_on_columns(draft: Draft, columns: Sequence[Column], rows: np.ndarray, dialect: Dialect) -> list[Sentence]:
    """Signs and units that were left out, how numbers are written, stand-ins for missing values, order of dates."""
    said: list[Sentence] = []
    if dialect.style != PLAIN:
        said.append(style_said(dialect.style))
    numeric = [c for c in draft.columns if c.kind in (NUMBER, BOOL) and not (c.as_label or c.aside)]
    alone = sum(c.kind == NUMBER for c in draft.columns) == 1
    for column in numeric:
        said += _about(draft, column, columns[column.number], rows, alone)
    for column in draft.columns:
        if column.kind == DATE and column.as_label and column.labels and backwards(column.labels()[:1000]):
            said.append(tr("The dates run backwards: the newest step comes first."))
    if len(said) > _MENTIONED:
        said = [
            *said[:_MENTIONED],
            trn("And {count} more remark.", "And {count} more remarks.", len(said) - _MENTIONED),
        ]
    return said


def _about(draft: Draft, column: DraftColumn, cells: Column, rows: np.ndarray, alone: bool) -> list[Sentence]:
    said: list[Sentence] = []
    title = column.title(draft.named)
    if column.kind == BOOL:
        said.append(tr("In {column}, truth values were read as 1 and 0.", column=title))
    marks = [mark for mark in cells.marks if mark]
    if marks and np.any(cells.codes[rows] != 0):
        if words := list(dict.fromkeys(filter(None, _multipliers(cells)))):
            says = later("In {column}, {marks} multiplies the numbers.")
            if len(words) > 1:
                says = later("In {column}, {marks} multiply the numbers.")
            said.append(tr(says, column=title, marks=", ".join(words)))
        else:
            mark = brief(max(marks, key=lambda m: int((cells.codes == cells.marks[m]).sum())))
            said.append(tr("In {column}, “{mark}” beside the numbers was left out.", column=title, mark=mark))
    if (
        not alone
        and _rises_evenly(column.values)
        and (is_time_word(column.name) if draft.named else _counts_alone(draft, column))
    ):
        said.append(tr("In {column}, numbers rise evenly, as times do; leave it out if it is no input.", column=title))
    return said + _stand_ins(column, title)


def _counts_alone(draft: Draft, column: DraftColumn) -> bool:
    """Whether the first of unnamed columns rises evenly, by whole numbers and beside none that does, over five steps
    and more."""
    others = [c.values for c in draft.columns if c.kind == NUMBER and c is not column]
    first = column.number == 0 and len(column.values) > 4 and not (column.values[:1000] % 1).any()
    return first and not any(map(_rises_evenly, others))


def _rises_evenly(values: np.ndarray) -> bool:
    steps = np.diff(values[:1000])
    return len(steps) > 1 and float(steps.min()) > 0 and float(np.ptp(steps)) <= 1e-6 * float(steps.max())


def _stand_ins(column: DraftColumn, title: Sentence) -> list[Sentence]:
    """Numbers that files write where they have none: far from all the others, and always the same."""
    values = column.values[np.isfinite(column.values)]
    for value in _STAND_INS if len(values) > 3 else ():
        same = values == value
        if not same.any() or same.all():
            continue
        rest = values[~same]
        spread = float(np.ptp(rest)) if len(rest) else 0.0
        if min(abs(value - float(rest.min())), abs(value - float(rest.max()))) > 3 * spread and (
            value < rest.min() or value > rest.max()
        ):
            return [
                trn(
                    "In {column}, {value:g} stands once, and may mean that a number is missing.",
                    "In {column}, {value:g} stands {count} times, and may mean that numbers are missing.",
                    int(same.sum()), column=title, value=value,
                )
            ]  # fmt: skip
    return []
