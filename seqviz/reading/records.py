"""Lines of a text, and the cells of each: RFC 4180 as the csv module of the standard library reads it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final, NamedTuple

from seqviz.language import tr

__all__ = ["MAX_LINE", "Block", "Lines", "Record", "each", "head", "of_matrix", "records", "unwrapped", "with_blocks"]

MAX_LINE: Final = 2**22
"""Characters of a line that are read: half a million numbers."""

BLANK_LINES: Final = 20_000
"""Lines without a single cell after which a file is given up."""

CHUNK: Final = 2**18
"""Characters after which a text is cut for blocks, at the next end of a line."""

_ONE_BYTE: Final = ("utf-8", "utf-8-sig", "latin-1", "cp1252", "cp1251", "gb18030", "cp932", "big5", "euc_jp", "euc_kr")
"""Encodings in which ASCII's bytes stand for themselves."""

_SEPARATORS: Final = {ord("，"): ", ", ord("、"): ", ", ord("；"): ";", ord("\u3000"): " "}
_OPENING: Final = re.compile(r"(?:\w{1,100}+ ?=)? ?\[")
_WRAPPED: Final = re.compile(r'"((?:[^"]|"")*+)"')
_ENDS: Final = re.compile(r"[^\r\n]*+(?:\r\n?|\n)?+")


class Record(NamedTuple):
    """A line's cells (or those of several lines, where a quoted cell goes on over their ends)."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Block:
    """Many lines that need not be looked at one by one: ASCII without a quote, a lone carriage return or a blank line.

    Attributes:
        line: the number of its first line.
        text: its lines with their ends.
        separator, quote: as of :func:`records`.
    """

    line: int
    text: bytes
    separator: str
    quote: str

    @property
    def height(self) -> int:
        """How many lines it has."""
        return self.text.count(b"\n") + (not self.text.endswith(b"\n"))

    def records(self) -> Iterator[Record]:
        """The same lines one by one."""
        lines = self.text.decode("ascii").splitlines(keepends=True)
        for number, cells in records(lines, self.separator, self.quote):
            yield Record(self.line + number - 1, cells)


@dataclass(frozen=True)
class Lines:
    """The lines of a text, as often as they are asked for; nothing is copied whole."""

    data: bytes | str
    encoding: str
    wide: bool = False
    """Whether full-width commas and semicolons separate, too."""
    matrix: bool = False
    """Whether the lines are rows of a matrix: ``A = [1 2;``, ``3 4];``."""
    wrapped: bool = False
    """Whether each line is a single cell in quotes that holds the line itself."""
    first: int = 1
    """The number of the first line."""

    def __iter__(self) -> Iterator[str]:
        found = self._of_text(self.data) if isinstance(self.data, str) else self._of_bytes(self.data)
        if self.wrapped:
            found = (unwrapped(line) or line for line in found)
        if self.wide:
            found = (line.translate(_SEPARATORS) for line in found)
        return (of_matrix(line) + "\n" for line in found) if self.matrix else found

    def chunks(self) -> Iterator[bytes | str] | None:
        """The text in pieces of many whole lines; None where lines have to be looked at one by one."""
        if self.wide or self.matrix or self.wrapped or not (isinstance(self.data, str) or self.encoding in _ONE_BYTE):
            return None
        return _pieces(self.data)

    def _of_bytes(self, data: bytes) -> Iterator[str]:
        stream = io.TextIOWrapper(io.BytesIO(data), self.encoding, newline="")
        number = self.first
        while line := stream.readline(MAX_LINE + 1):
            if len(line) > MAX_LINE:
                length = len(line)
                while not line.endswith(("\n", "\r")) and (line := stream.readline(MAX_LINE)):
                    length += len(line)
                raise _endless(number, length)
            yield line
            number += 1

    def _of_text(self, data: str) -> Iterator[str]:
        at, number = int(data.startswith("\ufeff")), self.first
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


def _pieces(data: Any) -> Iterator[Any]:
    end, start = ("\n" if isinstance(data, str) else b"\n"), 0
    while start < len(data):
        stop = data.find(end, start + CHUNK) + 1 or len(data)
        yield data[start:stop]
        start = stop


def of_matrix(line: str) -> str:
    """The numbers on a line of a matrix as Matlab and Octave write it."""
    row = line.strip().removesuffix(";").removesuffix("]")
    return row[match.end() :] if (match := _OPENING.match(row)) else row


def unwrapped(line: str) -> str:
    """The line that a line holds as a single cell in quotes; nothing where it is none."""
    return match[1].replace('""', '"') + "\n" if (match := _WRAPPED.fullmatch(line.rstrip())) else ""


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
    for found in _cut(source, None, separator, quote):
        if isinstance(found, Record):
            yield found


def with_blocks(lines: Lines, separator: str, quote: str = '"') -> Iterator[Record | Block]:
    """The same, with blocks of lines in place of their records where these need no closer look."""
    chunks = lines.chunks()
    feed = None if chunks is None else _Feed(lines, chunks)
    return _cut(lines if feed is None else feed, feed, separator, quote)


def each(rows: Iterable[Record | Block]) -> Iterator[Record]:
    """Records one by one, those of blocks too."""
    for found in rows:
        yield from (found,) if isinstance(found, Record) else found.records()


def _cut(source: Iterable[str], feed: _Feed | None, separator: str, quote: str) -> Iterator[Record | Block]:
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
    line, nothing, taken = 1, True, 0
    for cells in reader:
        if cells and (len(cells) > 1 or cells[0].strip()):
            nothing = False
            yield Record(line, cells if quote else [cell.strip().strip('"') for cell in cells])
        elif nothing and line > BLANK_LINES:
            raise ValueError(tr("There is nothing on the first {count:,} lines.", count=BLANK_LINES))
        line = reader.line_num + taken + 1
        while feed is not None and not nothing and (block := feed.block()) is not None:
            yield (found := Block(line, block, separator, quote))
            taken += found.height
            line += found.height


class _Feed:
    """The lines of a text in chunks; a chunk that is not begun yet may be taken as a block."""

    def __init__(self, lines: Lines, chunks: Iterator[bytes | str]) -> None:
        self._lines, self._chunks = lines, chunks
        self._waiting: bytes | str | None = None
        self._now: Iterator[str] = iter(())
        self._ahead: str | None = None
        self._line = 1

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line, self._ahead = self._ahead or next(self._now, None), None
        if line is not None:
            self._line += 1
            return line
        chunk = self._waiting if self._waiting is not None else next(self._chunks)
        self._waiting = None
        self._now = iter(replace(self._lines, data=chunk, first=self._line))
        return next(self)

    def block(self) -> bytes | None:
        """The next chunk, where the one before it is at its end and this one needs no closer look."""
        self._ahead = self._ahead or next(self._now, None)
        if self._ahead is not None:
            return None
        self._waiting = next(self._chunks, None) if self._waiting is None else self._waiting
        if self._waiting is None or not self._waiting.isascii():
            return None
        text = self._waiting.encode() if isinstance(self._waiting, str) else self._waiting
        if any(mark in text for mark in _MARKS) or text.count(b"\r") != text.count(b"\r\n") or _has_blank_line(text):
            return None
        self._waiting = None
        self._line += text.count(b"\n") + (not text.endswith(b"\n"))
        return text


_MARKS: Final = (b'"', b"'", b"\x0b", b"\x0c", b"\x1c", b"\x1d", b"\x1e", b"\x1f")
"""Quotes, and what Python takes for the end of a line, or :func:`records` for a separator that no text has."""

_BLANK: Final = re.compile(rb"[ \t]++\r?\n")


def _has_blank_line(text: bytes) -> bool:
    if text[:1] in b"\r\n" or b"\n\n" in text or b"\n\r" in text or _BLANK.match(text):
        return True
    return any(mark in text and re.search(mark + _BLANK.pattern, text) for mark in (b"\n ", b"\n\t"))


_BLANKS: Final = re.compile(r"[ \t]++")


def _squeezed(line: str) -> str:
    return _BLANKS.sub(" ", line).strip(" ")
