"""Lines of a text, and the cells of each: RFC 4180 as the csv module of the standard library reads it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

from seqviz.language import tr

__all__ = ["MAX_LINE", "Lines", "Record", "head", "of_matrix", "records"]

MAX_LINE: Final = 2**22
"""Characters of a line that are read: half a million numbers."""

BLANK_LINES: Final = 20_000
"""Lines without a single cell after which a file is given up."""

_SEPARATORS: Final = {ord("，"): ", ", ord("、"): ", ", ord("；"): ";", ord("\u3000"): " "}
_OPENING: Final = re.compile(r"(?:\w{1,100}+ ?=)? ?\[")
_ENDS: Final = re.compile(r"[^\r\n]*+(?:\r\n?|\n)?+")


class Record(NamedTuple):
    """A line's cells (or those of several lines, where a quoted cell goes on over their ends)."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Lines:
    """The lines of a text, as often as they are asked for; nothing is copied whole."""

    data: bytes | str
    encoding: str
    wide: bool = False
    """Whether full-width commas and semicolons separate, too."""
    matrix: bool = False
    """Whether the lines are rows of a matrix: ``A = [1 2;``, ``3 4];``."""

    def __iter__(self) -> Iterator[str]:
        found = self._of_text(self.data) if isinstance(self.data, str) else self._of_bytes(self.data)
        if self.wide:
            found = (line.translate(_SEPARATORS) for line in found)
        return (of_matrix(line) + "\n" for line in found) if self.matrix else found

    def _of_bytes(self, data: bytes) -> Iterator[str]:
        stream = io.TextIOWrapper(io.BytesIO(data), self.encoding, newline="")
        number = 1
        while line := stream.readline(MAX_LINE + 1):
            if len(line) > MAX_LINE:
                length = len(line)
                while not line.endswith(("\n", "\r")) and (line := stream.readline(MAX_LINE)):
                    length += len(line)
                raise _endless(number, length)
            yield line
            number += 1

    def _of_text(self, data: str) -> Iterator[str]:
        at, number = int(data.startswith("\ufeff")), 1
        while at < len(data):
            match = _ENDS.match(data, at)
            end = match.end() if match else len(data)
            if end - at > MAX_LINE:
                raise _endless(number, end - at)
            yield data[at:end]
            at, number = end, number + 1


def _endless(number: int, length: int) -> ValueError:
    said = tr("Line {line} is {length:,} characters long, more than any row of numbers.", line=number, length=length)
    return ValueError(said)


def of_matrix(line: str) -> str:
    """The numbers on a line of a matrix as Matlab and Octave write it."""
    row = line.strip().removesuffix(";").removesuffix("]")
    return row[match.end() :] if (match := _OPENING.match(row)) else row


def head(source: Iterable[str], most: int) -> list[str]:
    """The first lines of a text that hold something, up to `most` of them and some hundred thousand characters."""
    found: list[str] = []
    left = 2**18
    for line in islice(source, BLANK_LINES):
        if line.strip(" \t\r\n"):
            found.append(line)
            left -= len(line)
        if len(found) == most or left < 0:
            break
    return found


def records(source: Iterable[str], separator: str, quote: str = '"') -> Iterator[Record]:
    """Every line that is not blank, cut into cells; numbers of lines count from 1.

    Args:
        source: the lines, with their ends.
        separator: one character; a blank stands for any run of blanks and tabs, nothing for lines of one cell.
        quote: what may stand round a cell; nothing leaves marks as they are.

    Raises:
        csv.Error: the quotes do not match, or a cell is longer than 131,072 characters.
        ValueError: nothing stands on the first lines, or a line is too long.
    """
    if separator == " ":
        source = (_squeezed(line) for line in source)
    reader = csv.reader(
        source,
        delimiter=separator or "\x1f",
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        skipinitialspace=True,
        strict=True,
    )
    line = 1
    nothing = True
    for cells in reader:
        if cells and (len(cells) > 1 or cells[0].strip()):
            nothing = False
            yield Record(line, cells if quote else [cell.strip().strip('"') for cell in cells])
        elif nothing and line > BLANK_LINES:
            raise ValueError(tr("There is nothing on the first {count:,} lines.", count=BLANK_LINES))
        line = reader.line_num + 1


_BLANKS: Final = re.compile(r"[ \t]++")


def _squeezed(line: str) -> str:
    return _BLANKS.sub(" ", line).strip(" ")
