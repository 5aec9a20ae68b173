"""Many plain lines at once, by a reader in C: the cells that :mod:`seqviz.reading.grid` would read one by one."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from itertools import islice
from typing import Any, Final

import numpy as np

from seqviz.reading.numerals import Style, is_missing
from seqviz.reading.records import Block

__all__ = ["cells_of", "end_of"]

_DATED: Final = re.compile(
    r"[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}"
    r"(?:[ T][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
).fullmatch
_REMARK: Final = re.compile(rb"^ *+(?:[#%]|//)|---|===|=-|-=", re.MULTILINE)
_BLANKS: Final = re.compile(rb"[ \t]++")
_ENDS: Final = re.compile(rb"^ | (?=\r?$)", re.MULTILINE)


def cells_of(block: Block, words: Sequence[bool], style: Style) -> list[np.ndarray | list[str]] | None:
    """The columns of a block.

    Args:
        block: its lines.
        words: whether each column has been text so far.
        style: how numbers are written.

    Returns:
        For each column float64 ``(L,)``, NaN where a cell is empty, or its text, in which no cell is a number or says
        that there is none. None where any line or cell asks for a closer look.
    """
    text, separator = block.text, block.separator or "\x1f"
    if style.group or (any(words) and _asks(block, separator)):
        return None
    try:
        import pyarrow as arrow
        import pyarrow.csv as arrow_csv
    except ImportError:  # lines are read one by one
        return None
    if separator == " ":
        text = _ENDS.sub(b"", _BLANKS.sub(b" ", text))
    names = [str(k) for k in range(len(words))]
    kinds = {name: arrow.string() if word else arrow.float64() for name, word in zip(names, words, strict=True)}
    try:
        table = arrow_csv.read_csv(
            io.BytesIO(text),
            arrow_csv.ReadOptions(use_threads=False, column_names=names, block_size=2 * len(text) + 1),
            arrow_csv.ParseOptions(delimiter=separator, quote_char=False, ignore_empty_lines=False),
            arrow_csv.ConvertOptions(
                column_types=kinds, null_values=[""], strings_can_be_null=False, decimal_point=style.decimal
            ),
        )
    except (arrow.ArrowInvalid, arrow.ArrowNotImplementedError):
        return None
    if table.num_rows != block.height:
        return None
    columns = [_column(table.column(k), word, style) for k, word in enumerate(words)]
    found = [column for column in columns if column is not None]
    return found if len(found) == len(columns) else None


def _asks(block: Block, separator: str) -> bool:
    """Whether lines with words may be comments, or have blanks that are no part of a cell."""
    blank = separator != " " and f"{separator} ".encode() in block.text
    return blank or not block.quote or _REMARK.search(block.text) is not None


def _column(column: Any, word: bool, style: Style) -> np.ndarray | list[str] | None:
    if word:
        cells: list[str] = column.to_pylist()
        others = {cell for cell in cells if not _DATED(cell)}
        return None if any(is_missing(cell) or style.read(cell) is not None for cell in others) else cells
    values = column.to_numpy()
    return values if np.isfinite(values).sum() == len(values) - column.null_count else None


def end_of(block: Block, count: int) -> list[list[str]]:
    """The cells of the last lines of a block."""
    start = len(block.text.rstrip(b"\r\n"))
    for _ in range(min(count, block.height)):
        start = block.text.rfind(b"\n", 0, start)
        if start < 0:
            break
    tail = Block(0, block.text[start + 1 :], block.separator, block.quote)
    return [cells for _, cells in islice(tail.records(), count)]
