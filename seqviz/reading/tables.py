"""A table of numbers, whoever wrote it: delimited text, an array saved by numpy, Parquet, Excel."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from seqviz.checks import choice, shown
from seqviz.kept import kept_spoken
from seqviz.language import Sentence, later, tr, trn
from seqviz.reading.binary import draft_of_excel, draft_of_npy, draft_of_parquet, refuse_other_files
from seqviz.reading.draft import (
    KIND_WORDS,
    MISSING,
    Draft,
    DraftColumn,
    MissingValues,
    left_out,
    listed,
    made_up,
    mended,
    told_apart,
)
from seqviz.reading.encodings import encoding_of
from seqviz.reading.files import bytes_of, is_given
from seqviz.reading.grid import MAX_CELLS
from seqviz.reading.kinds import BOOL, EMPTY, NUMBER
from seqviz.reading.records import Lines
from seqviz.reading.text import draft_of_text

__all__ = ["MAX_FILE", "MissingValues", "Table", "read_table"]

MAX_FILE: Final = 2**28
"""Bytes of a file that are read: 256 MiB."""

_TOLD: Final = 8
"""Columns that are told one by one where more are left out for the same reason."""

_LEFT_OUT: Final = later("Left out: {what}.")


@dataclass(frozen=True, eq=False)
class Table:
    """Numbers that somebody brought.

    Attributes:
        values: read-only float64 ``(L, F)``, ``L`` steps of ``F`` columns, all of them finite.
        names: the columns' names, made up where the file has none.
        labels: a label for each step (a date, the name of a row); None where the file has none.
        left_out: what was left out or converted, a sentence each.
        named: whether the names come from the file.
        lines: the line of the file on which each step begins; None where it has no lines.
        choices: the columns of the file that can be asked for, those that were left out too.
        starts: the row on which each sequence begins, where the file tells several apart; else None.
        arrays: by name, the arrays of the file that can be asked for; ``array`` is the one that this is.
    """

    values: np.ndarray
    names: tuple[str, ...]
    labels: tuple[str, ...] | None = None
    left_out: tuple[Sentence, ...] = ()
    named: bool = False
    lines: np.ndarray | None = None
    choices: tuple[str, ...] = ()
    starts: np.ndarray | None = None
    arrays: tuple[str, ...] = ()
    array: str = ""

    def __repr__(self) -> str:
        return f"Table({self.values.shape}: {', '.join(self.names[:8])})"

    @property
    def says(self) -> Sentence:
        """Its size and what was left out, in one sentence; then what was converted."""
        steps, columns = self.values.shape
        size = tr(
            "{steps} of {columns}",
            steps=trn("{count:,} step", "{count:,} steps", steps),
            columns=trn("{count:,} column", "{count:,} columns", columns),
        )
        gone = [said.values["what"] for said in self.left_out if said.template == _LEFT_OUT]
        whole = tr("{size}; left out: {what}.", size=size, what=listed(gone)) if gone else tr("{size}.", size=size)
        for said in self.left_out:
            if said.template != _LEFT_OUT:
                whole = tr("{first} {second}", first=whole, second=said)
        return whole


def read_table(
    data: bytes | str | PathLike[str] | IO[bytes] | IO[str],
    name: str = "",
    *,
    columns: Iterable[str | int] | None = None,
    rows: slice | None = None,
    missing: str | None = None,
    transpose: bool = False,
    separator: str | None = None,
    decimal: str | None = None,
) -> Table:
    """Read a table: one step a line, one input a column.

    Delimited text in any common dialect and encoding (what separates, how decimals and thousands are written and
    what stands in quotes is decided for the whole table), arrays saved by ``numpy.save``, Parquet, and Excel's
    .xlsx. Lines of names, units, titles, totals and comments, columns of dates, row names and text are found;
    whatever is left out or converted is said in ``left_out``.

    Args:
        data: the file's bytes, its text, a path to it, or the open file. A string is a path if it is one line that
            names a file.
        name: the file's name, whose ending tells kinds of files apart that look alike.
        columns: which ones, by name or by number from 0 over the file's columns; None takes those of numbers.
        rows: which steps, as a slice of those found.
        missing: what to do where a number is missing: ``"drop"`` the step, ``"carry"`` the number before it on,
            ``"interpolate"`` between its neighbours. None refuses the table and says where.
        transpose: whether the file has one column a step and one line an input.
        separator, decimal: of text, where they are known: one of tab, ``;``, ``|``, ``,``, a blank, or nothing
            where each line is one cell; ``.`` or ``,``.

    Raises:
        MissingValues: a ValueError; numbers are missing, and `missing` does not say what to do.
        ValueError: one sentence that says what is wrong, and where.
        OSError: (and a ValueError) the path cannot be opened, in one sentence.
    """
    return read(
        data,
        name,
        columns=columns,
        rows=rows,
        missing=missing,
        transpose=transpose,
        separator=separator,
        decimal=decimal,
    )


def read(
    data: Any,
    name: str,
    *,
    columns: Iterable[str | int] | None = None,
    rows: slice | None = None,
    missing: str | None = None,
    transpose: bool = False,
    separator: str | None = None,
    decimal: str | None = None,
    is_path: bool = True,
    along: bool = True,
    most_rows: int | None = None,
    keep: bool = False,
) -> Table:
    """:func:`read_table`, and more.

    Args:
        keep: whether the same file is likely to be asked for again, with other columns or steps.
        is_path: whether a string may be a path.
        along: whether a single line is one step a number.
        most_rows: at which reading stops.
    """
    if missing is not None:
        choice(missing, later("What to do about missing numbers"), MISSING)
    if decimal is not None:
        choice(decimal, later("The decimal mark"), (".", ","))
    if separator is not None:
        choice(separator, later("The separator"), ("\t", ";", "|", ",", " ", ""))
    if rows is not None and not isinstance(rows, slice):
        raise ValueError(tr("The rows must be a slice, such as slice(0, 100), not {found}.", found=shown(rows)))
    given, (data, name) = data, _content(data, name, is_path)
    try:
        draft = (_kept_draft if keep else _draft)(data, name, separator, decimal, most_rows)
    except ValueError:
        if is_path and given is data and _means_a_path(given):
            bytes_of(given, MAX_FILE)  # says why it is none
        raise
    steps = _steps(draft, rows)
    table = replace(_chosen(draft, columns, steps, missing), choices=draft.choices)
    if transpose:
        return _transposed(table)
    table = _wide(table)
    if along and len(table.values) == 1 < table.values.shape[1] and not table.named and table.labels is None:
        said = tr("The file is a single line of numbers, read as one step a number.")
        values = np.ascontiguousarray(table.values.T)
        turned = _table(values, (made_up(0),), None, (*table.left_out, said), False, None)
        return replace(turned, choices=table.choices)
    return table


def _content(data: Any, name: str, is_path: bool) -> tuple[bytes | str, str]:
    """What the file holds, and its name."""
    name = name if isinstance(name, str) else ""
    if isinstance(data, str) and not (is_path and _is_file(data)):
        if len(data) > MAX_FILE:
            raise ValueError(tr("The file is larger than {most} MiB.", most=MAX_FILE // 2**20))
        return data, name
    if not is_given(data):
        raise ValueError(
            tr("A table must be given as bytes, as text or as a path, not {kind}.", kind=type(data).__name__)
        )
    found, called = bytes_of(data, MAX_FILE)
    return found, name or called


def _is_file(text: str) -> bool:
    """Whether a text is one line that names a file."""
    try:
        return 0 < len(text) < 1024 and "\n" not in text and Path(text).is_file()
    except (OSError, ValueError):
        return False


def _means_a_path(text: Any) -> bool:
    """Whether a text without numbers is likely to name a file that is not there: its ending or its slashes say so."""
    return (
        isinstance(text, str)
        and re.fullmatch(r"[^\n\r\t,;|\0<>]{1,1000}", text) is not None
        and (
            re.search(r"\.[A-Za-z]\w{1,8}$|[\\/][^\\/]*[^\W\d][^\\/]*$", text) is not None
            or (re.search(r"\w", text) is not None and Path(text).is_dir())
        )
    )


def _draft(data: bytes | str, name: str, separator: str | None, decimal: str | None, most_rows: int | None) -> Draft:
    if isinstance(data, bytes):
        if data[:6] == b"\x93NUMPY" or name.lower().endswith(".npy"):
            return draft_of_npy(data)
        if data[:4] == b"PAR1" or name.lower().endswith(".parquet"):
            return draft_of_parquet(data)
        if data[:4] == b"PK\x03\x04":
            return draft_of_excel(data)
        refuse_other_files(data)
    else:
        refuse_other_files(data[:400].encode("utf-8", "replace"))
    encoding = "" if isinstance(data, str) else encoding_of(data)
    return draft_of_text(Lines(data, encoding), separator, decimal, most_rows)


_kept_draft = kept_spoken(_draft)


def _steps(draft: Draft, rows: slice | None) -> np.ndarray:
    try:
        steps = np.arange(len(draft))[rows if rows is not None else slice(None)]
    except (TypeError, ValueError) as error:
        raise ValueError(tr("The rows must be a slice of whole numbers, not {found}.", found=shown(rows))) from error
    if not len(steps):
        if not len(draft):
            raise ValueError(tr("The sequence is empty; it needs at least one step with one number."))
        raise ValueError(tr("There are no such rows; the table has {count:,}.", count=len(draft)))
    return steps


def _chosen(draft: Draft, columns: Iterable[str | int] | None, steps: np.ndarray, missing: str | None) -> Table:
    """The chosen columns, labels, and sentences about the rest."""
    numeric = [c for c in draft.columns if c.kind in (NUMBER, BOOL)]
    chosen = [c for c in numeric if not (c.as_label or c.aside)] or numeric
    if columns is not None:
        chosen = _asked_for(draft, columns)
    if not chosen:
        raise ValueError(_no_numbers(draft))
    if len(steps) * len(chosen) > MAX_CELLS:
        raise ValueError(
            tr(
                "The table has {count:,} numbers; at most {most:,} are read.",
                count=len(steps) * len(chosen),
                most=MAX_CELLS,
            )
        )
    taken = set(chosen)
    labelling = [c for c in draft.columns if c.as_label and c.labels is not None and c not in taken]
    values, left, done = mended(draft, chosen, steps, missing)
    labels = _joined([c.labels() for c in labelling if c.labels], left) if labelling else None
    notes = _about_columns(draft, [c for c in draft.columns if c not in taken], labelling)
    if columns is not None:
        notes = [_about(draft, c, True) for c in labelling]
    lines = None if draft.lines is None else draft.lines[left]
    names = tuple(draft.called[c.number] for c in chosen)
    said = (*(n for n in notes if n is not None), *draft.notes, *done)
    return _table(values, names, labels, said, draft.named, lines)


def _asked_for(draft: Draft, columns: Iterable[str | int]) -> list[DraftColumn]:
    asked = list(columns) if isinstance(columns, Iterable) and not isinstance(columns, str) else [columns]
    found = []
    for wish in asked:
        same = [c for c in draft.columns if draft.called[c.number] == wish] if isinstance(wish, str) else []
        if isinstance(wish, int | np.integer) and not isinstance(wish, bool) and 0 <= wish < len(draft.columns):
            same = [draft.columns[wish]]
        if not same:
            known = ", ".join(draft.called[c.number] for c in draft.columns[:20])
            raise ValueError(
                tr("There is no column {wish}; the table has {known}.", wish=shown(wish), known=known[:200])
            )
        if not np.isfinite(same[0].values).any():
            raise ValueError(tr("Column {name} holds no numbers.", name=shown(draft.called[same[0].number])))
        found.append(same[0])
    if not found:
        raise ValueError(tr("No column is chosen; choose at least one."))
    return found


def _no_numbers(draft: Draft) -> Sentence:
    for column in draft.columns:
        for step, text in column.texts.items():
            line = step + 1 if draft.lines is None else int(draft.lines[step])
            return tr(
                "There is no column of numbers; line {line}, column {column} holds {cell}, which is not a number.",
                line=line, column=column.number + 1, cell=shown(text.strip()),
            )  # fmt: skip
    for column in draft.columns:
        if column.kind != EMPTY:
            why = column.why or tr(KIND_WORDS[column.kind])
            return tr(
                "There is no column of numbers; {column} holds {kind}.", column=column.title(draft.named), kind=why
            )
    return tr("The sequence is empty; give at least one number.")


def _about_columns(
    draft: Draft, left: Sequence[DraftColumn], labelling: Sequence[DraftColumn]
) -> list[Sentence | None]:
    """What is said of columns that are left out: one by one, or together where many are so for one reason."""
    of_kind: dict[Any, list[DraftColumn]] = {}
    for column in left:
        alike = column in labelling or column.why is not None or column.kind == EMPTY
        of_kind.setdefault(column if alike else column.kind, []).append(column)
    found: list[Sentence | None] = []
    for column in left:
        same = of_kind.get(column.kind, [])
        if len(same) <= _TOLD or column not in same:
            found.append(_about(draft, column, column in labelling))
        elif column is same[0]:
            some = listed([c.title(draft.named) for c in same[:_TOLD]])
            rest = trn("{some} and {count:,} more column", "{some} and {count:,} more columns", len(same) - _TOLD,
                       some=some)  # fmt: skip
            found.append(left_out(rest, tr(KIND_WORDS[column.kind])))
    return found


def _about(draft: Draft, column: DraftColumn, label: bool) -> Sentence | None:
    """What is said of a column that is not among the numbers."""
    if column.kind == "empty" and not (draft.named and column.name):
        return None
    why = column.why or tr(KIND_WORDS[column.kind])
    if label:
        why = tr("{what}, kept as labels of the steps", what=why)
    return left_out(column.title(draft.named), why)


def _joined(labels: Sequence[Sequence[str]], steps: np.ndarray) -> tuple[str, ...]:
    rows = zip(*labels, strict=True) if len(labels) > 1 else ((label,) for label in labels[0])
    joined = [" ".join(filter(None, row)) for row in rows]
    return tuple(joined[step] for step in steps.tolist())


def _wide(table: Table) -> Table:
    """The table, and a hint that it may have to be turned where it has few steps of many columns."""
    steps, columns = table.values.shape
    if steps < 2 or columns < 20 or columns < 5 * steps:
        return table
    said = tr(
        "The table has only {steps} of {columns}: perhaps each line is an input, and the table has to be turned.",
        steps=trn("{count:,} step", "{count:,} steps", steps),
        columns=trn("{count:,} column", "{count:,} columns", columns),
    )
    return replace(table, left_out=(*table.left_out, said))


def _transposed(table: Table) -> Table:
    names = table.labels or tuple(map(made_up, range(len(table.values))))
    labels = table.names if table.named else None
    turned = _table(np.ascontiguousarray(table.values.T), names, labels, table.left_out, table.labels is not None, None)
    return replace(turned, choices=table.choices)


def _table(values: np.ndarray, names: Any, labels: Any, said: Any, named: bool, lines: Any) -> Table:
    values.flags.writeable = False
    return Table(values, told_apart(tuple(names)), labels, tuple(said), named, lines)
