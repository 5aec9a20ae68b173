"""A person's own numbers, read safely: typed or pasted, a CSV file, or an array saved by numpy.

Whatever is wrong comes back as a ValueError with one plain sentence that says where. Sizes are checked
before anything is allocated, and nothing is ever unpickled.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Final, NamedTuple, NoReturn

import numpy as np

from seqviz.checks import float32, shown, whole
from seqviz.experiment import MAX_INPUT, MAX_STEPS
from seqviz.language import later, tr
from seqviz.reading.draft import MissingValues
from seqviz.reading.npy import read_header
from seqviz.reading.tables import read

__all__ = ["parse_csv", "parse_npy", "parse_numbers"]

MAX_LINE: Final = 2**18
"""Characters that are read of one line; 2,000 numbers of 17 digits are a fifth of it."""

_NUMBER: Final = re.compile(r"[+-]?(?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?\d++)?+", re.ASCII)
_NOT_FINITE: Final = re.compile(r"[+-]?(nan|inf|infinity|∞)", re.IGNORECASE)
_LINE: Final = re.compile(r"[^ \r\n][^\r\n]*+")
_DECIMAL_COMMA: Final = re.compile(r"[+-]?\d++,\d++(?:[eE][+-]?\d++)?+", re.ASCII)
_ZERO_AFTER_COMMA: Final = re.compile(r"(?<![\d.])\d++,0\d++(?:\.\d++)?+", re.ASCII)
_BOM: Final = "\ufeff"


class _Row(NamedTuple):
    line: int
    cells: list[str]


def parse_numbers(text: str, input_size: int | None = None) -> np.ndarray:
    """Numbers that somebody typed or pasted.

    A single line of several numbers is one step a number (unless `input_size` is above 1: then it is one
    step). Several lines are one step a line. Numbers are separated by spaces, commas, semicolons or tabs,
    full-width ones too.

    Args:
        text: what was typed.
        input_size: H_in that each step must have; None takes what is there.

    Returns:
        float32 array ``(L, H_in)``.

    Raises:
        ValueError: one sentence that says what is wrong, on which line, and what would be right.
    """
    if not isinstance(text, str):
        raise ValueError(tr("The numbers must be text, not {kind}.", kind=type(text).__name__))
    return _table(text, _checked(input_size))


def parse_csv(data: bytes | str, input_size: int | None = None) -> np.ndarray:
    """A CSV file: one step a line, one input a column.

    It is read as :func:`seqviz.read_table` reads it, which also says what was left out and converted. A single
    line is one step.

    Args:
        data: the file's bytes or its text.
        input_size: H_in that each step must have; None takes what is there.

    Returns:
        float32 array ``(L, H_in)``.

    Raises:
        ValueError: one sentence that says what is wrong, on which line and column.
    """
    if isinstance(data, bytearray | memoryview):
        data = bytes(data)
    if not isinstance(data, bytes | str):
        raise ValueError(tr("A CSV file must be given as bytes or text, not {kind}.", kind=type(data).__name__))
    width = _checked(input_size)
    try:
        table = read(data, "", is_path=False, along=False, most_rows=MAX_STEPS)
    except MissingValues as refusal:
        raise ValueError(refusal.place) from refusal
    steps, features = table.values.shape
    line = 1 if table.lines is None else int(table.lines[0])
    _check_row(features, line, width)
    if steps > MAX_STEPS:
        raise ValueError(
            tr("There are more than {most:,} rows of numbers; at most {most:,} steps fit.", most=MAX_STEPS)
        )
    for step, column in np.argwhere(np.abs(table.values) >= 2.0**128 - 2.0**103)[:1].tolist():
        line = step + 1 if table.lines is None else int(table.lines[step])
        where = later("The number at line {line}, column {column}")
        float32(float(table.values[step, column]), where, line=line, column=column + 1)
    return table.values.astype(np.float32)


def parse_npy(data: bytes, input_size: int | None = None) -> np.ndarray:
    """An array saved by ``numpy.save``, of shape ``(L, H_in)`` or ``(L,)``.

    Args:
        data: the file's bytes.
        input_size: H_in that each step must have; None takes what is there.

    Returns:
        float32 array ``(L, H_in)``.

    Raises:
        ValueError: one sentence; the header is checked before any number is read, and pickles are refused.
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise ValueError(tr("An npy file must be given as bytes, not {kind}.", kind=type(data).__name__))
    data, width = bytes(data), _checked(input_size)
    header = read_header(data)
    if (count := len(header.shape)) not in (1, 2):
        raise ValueError(
            tr(
                "The array has {count} dimensions; a sequence has two, (steps, inputs), or one.",
                count=count,
            )
        )
    steps, features = (*header.shape, 1)[:2]
    _check_size(steps, features, width)
    return _as_float32(header.array(data).reshape(steps, features))


def _checked(input_size: int | None) -> int | None:
    return None if input_size is None else whole(input_size, later("The input size"), 1, MAX_INPUT)


def _check_size(steps: int, features: int, width: int | None) -> None:
    if steps == 0 or features == 0:
        raise ValueError(tr("The sequence is empty; it needs at least one step with one number."))
    if steps > MAX_STEPS:
        raise ValueError(tr("The sequence has {steps:,} steps; at most {most:,} fit.", steps=steps, most=MAX_STEPS))
    if features > MAX_INPUT:
        raise ValueError(tr("Each step has {count:,} numbers; at most {most} fit.", count=features, most=MAX_INPUT))
    if width is not None and features != width:
        if features == 1:
            raise ValueError(tr("Each step has 1 number; the network's input size is {width}.", width=width))
        raise ValueError(
            tr("Each step has {count} numbers; the network's input size is {width}.", count=features, width=width)
        )


# Typed text


def _table(text: str, width: int | None) -> np.ndarray:
    """Rows of cells to ``(L, H_in)``; reading stops at the first row that is wrong or one too many."""
    values: list[list[float]] = []
    first: int | None = None
    header: _Row | None = None
    for row in _rows(text):
        if first is None and header is None and _is_header(row.cells):
            header = row
            continue
        if len(values) == MAX_STEPS:
            raise ValueError(
                tr("There are more than {most:,} rows of numbers; at most {most:,} steps fit.", most=MAX_STEPS)
            )
        values.append([_value(cell, row.line, k) for k, cell in enumerate(row.cells, 1)])
        if first is None:
            first = row.line
        elif len(values[-1]) != len(values[0]):
            _refuse_ragged(row.line, len(values[-1]), first, len(values[0]))
        if len(values) > 1:
            _check_row(len(values[-1]), row.line, width)
    if not values and header:
        _value(header.cells[0], header.line, 1)
    if not values:
        raise ValueError(tr("The sequence is empty; give at least one number."))
    if len(values) == 1 and not header and width in (None, 1):
        if len(values[0]) > MAX_STEPS:
            raise ValueError(
                tr("The line has {count:,} numbers; at most {most:,} steps fit.", count=len(values[0]), most=MAX_STEPS)
            )
        values = [[value] for value in values[0]]
    elif len(values) == 1:
        _check_row(len(values[0]), first or 1, width)
    return np.array(values, dtype=np.float32)


def _refuse_ragged(line: int, count: int, first: int, wanted: int) -> NoReturn:
    wrong = later("Line {line} has {count} numbers and line {first} has {wanted}; every line needs the same count.")
    if count == 1:
        wrong = later("Line {line} has 1 number and line {first} has {wanted}; every line needs the same count.")
    raise ValueError(tr(wrong, line=line, count=count, first=first, wanted=wanted))


def _check_row(found: int, line: int, width: int | None) -> None:
    if found > MAX_INPUT:
        raise ValueError(
            tr(
                "Line {line} has {count:,} numbers; at most {most} fit in a step, which is one line.",
                line=line,
                count=found,
                most=MAX_INPUT,
            )
        )
    if width is not None and found != width:
        if found == 1:
            wrong = later("Line {line} has 1 number; the network's input size is {width}, so each line needs {width}.")
        elif found == 2 * width:
            wrong = later(
                "Line {line} has {count} numbers; the network's input size is {width}, so each line needs {width} "
                "(write decimals with a point: 0.5, not 0,5)."
            )
        else:
            wrong = later(
                "Line {line} has {count} numbers; the network's input size is {width}, so each line needs {width}."
            )
        raise ValueError(tr(wrong, line=line, count=found, width=width))


_WIDE = {0xFF01 + k: 0x21 + k for k in range(94)} | {0xFF0C: ", ", 0x3001: ", ", 0x3000: " ", 0x2212: "-"}
"""What a Chinese or Japanese keyboard types for digits, points and commas. Such a comma always separates."""


def _rows(data: str) -> Iterator[_Row]:
    """Every line that is not blank, cut into cells."""
    for line, text in _lines(data):
        _check_commas(text, line)
        cells = _cells(text)
        if len(cells) > 1 and not cells[-1]:
            cells.pop()
        if any(cells):
            yield _Row(line, cells)


def _lines(data: str) -> Iterator[tuple[int, str]]:
    """``(line number from 1, text)`` of lines with something on them, one at a time."""
    line, seen = 1, 0
    for match in _LINE.finditer(data):
        between = data[seen : match.start()]
        line += _breaks(between)
        seen = match.end()
        if match.end() - match.start() > MAX_LINE:
            raise ValueError(
                tr(
                    "Line {line} is {length:,} characters long, more than any row of numbers; "
                    "at most {most:,} steps fit.",
                    line=line,
                    length=match.end() - match.start(),
                    most=MAX_STEPS,
                )
            )
        content = match.group()
        yield line, (content.lstrip(_BOM) if line == 1 else content).translate(_WIDE)


def _breaks(between: str) -> int:
    """Line breaks in a run of blanks: ``\\n``, ``\\r\\n`` or the old ``\\r``."""
    return between.count("\n") or between.count("\r")


def _cells(text: str) -> list[str]:
    if ";" in text:
        parts = text.split(";")
    elif "," in text or "\t" in text:
        parts = re.split(r" *[,\t] *| +", text.strip(" "))
    else:
        parts = text.split()
    return [part.strip().strip('"').strip() for part in parts]


def _check_commas(text: str, line: int) -> None:
    """Refuse commas that may be decimal commas, where reading them as separators would be a guess."""
    between = re.split(r"[;\t\"]", text) if re.search(r"[;\t\"]", text) else []
    words = between or (text.split() if " " in text.strip() else [])
    parts = [word.strip() for word in words if word.strip(" ,")]
    found = [part for part in parts if _DECIMAL_COMMA.fullmatch(part)]
    odd = _ZERO_AFTER_COMMA.search(text)
    if (between and found) or (len(found) > 1 and len(found) == len(parts)) or odd:
        sample = odd.group() if odd else found[0]
        raise ValueError(
            tr(
                "Line {line} writes {sample}, which may be one number or two: write decimals with a point, as "
                "0.5, thousands without a mark, and a space after each comma that separates.",
                line=line,
                sample=shown(sample),
            )
        )


def _is_header(cells: list[str]) -> bool:
    return any(cells) and not any(_NUMBER.fullmatch(c) or _NOT_FINITE.fullmatch(c) for c in cells)


def _value(cell: str, line: int, column: int) -> float:
    wrong = ""
    if not cell:
        wrong = later("Line {line}, column {column} is empty; every place needs a number.")
    elif _NOT_FINITE.fullmatch(cell):
        wrong = later("Line {line}, column {column} holds {cell}; only finite numbers will do.")
    elif not _NUMBER.fullmatch(cell):
        wrong = later(
            "Line {line}, column {column} holds {cell}, which is not a number; write numbers such as 0.5 or -2."
        )
    elif not math.isfinite(float(cell)):
        wrong = later("Line {line}, column {column} holds {cell}, beyond what a 32-bit float can hold (about 3.4e38).")
    if wrong:
        raise ValueError(tr(wrong, line=line, column=column, cell=shown(cell)))
    return float32(float(cell), later("The number at line {line}, column {column}"), line=line, column=column)


def _as_float32(array: np.ndarray) -> np.ndarray:
    """``(L, H_in)`` of real numbers to float32, every one finite and within its range."""
    for bad, wrong in (
        (
            ~np.isfinite(array),
            later("The array holds {value} at [{step}, {feature}]; only finite numbers will do."),
        ),
        (
            np.abs(array.astype(np.longdouble)) >= 2.0**128 - 2.0**103,
            later("The array holds {value} at [{step}, {feature}]; a 32-bit float ends at about 3.4e38."),
        ),
    ):
        if bad.any():
            step, feature = (int(n) for n in np.argwhere(bad)[0])
            raise ValueError(tr(wrong, value=array[step, feature], step=step, feature=feature))
    return np.array(array, dtype=np.float32, order="C")
