"""Arrays saved by numpy, Parquet and Excel into a draft. What a file says of its size is read before the file is."""

from __future__ import annotations

import io
import math
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import numpy as np

from seqviz.language import Sentence, later, tr, trn
from seqviz.reading.dates import is_date
from seqviz.reading.dialect import style_of
from seqviz.reading.draft import Draft, DraftColumn
from seqviz.reading.grid import EDGE, MAX_CELLS
from seqviz.reading.kinds import BOOL, DATE, EMPTY, NUMBER, TEXT
from seqviz.reading.notes import style_said
from seqviz.reading.npy import read_header
from seqviz.reading.numerals import PLAIN, is_missing
from seqviz.reading.records import Record
from seqviz.reading.text import draft_of_records, find_labels
from seqviz.reading.zipped import PACKED, UNREADABLE, damaged

__all__ = ["draft_of_excel", "draft_of_npy", "draft_of_parquet", "refuse_other_files"]

MAX_UNPACKED: Final = 2**29
"""Bytes that an Excel or Parquet file may unpack to."""

MAX_COLUMNS: Final = 10_000

_OTHERS: Final = (
    (b"\xd0\xcf\x11\xe0", later("an old Excel file (.xls); save it as .xlsx or CSV")),
    *PACKED,
    (b"%PDF", later("a PDF document; save the table as CSV")),
    (b"\x89HDF", later("an HDF5 file; save the table as CSV or the array with numpy.save")),
    (b"MATLAB 5.0", later("a MATLAB file; save the table as CSV or the array with numpy.save")),
    (b"\x89PNG", later("a picture")),
    (b"\xff\xd8\xff", later("a picture")),
    (b"GIF8", later("a picture")),
    (b"ARROW1", later("an Arrow file; save the table as Parquet or CSV")),
    (b"{\\rtf", later("a text document; save the table as CSV")),
    (b"SQLite format 3", later("a database; save its table as CSV")),
    (b"CDF\x01", later("a NetCDF file; save the table as CSV or the array with numpy.save")),
    (b"CDF\x02", later("a NetCDF file; save the table as CSV or the array with numpy.save")),
    (b"$FL2", later("a file of SPSS; save the table as CSV")),
    (b"<stata_dta>", later("a file of Stata; save the table as CSV")),
    (b"RDX3\n", later("a file of R; save the table as CSV")),
    (b"FEA1", later("an Arrow file; save the table as Parquet or CSV")),
    (b"ORC\n", later("an ORC file; save the table as Parquet or CSV")),
    (b"Obj\x01", later("an Avro file; save the table as Parquet or CSV")),
    (b"\x80\x02", later("a pickle of Python, which is never opened; save the table as CSV or Parquet")),
    (b"\x80\x03", later("a pickle of Python, which is never opened; save the table as CSV or Parquet")),
    (b"\x80\x04", later("a pickle of Python, which is never opened; save the table as CSV or Parquet")),
    (b"\x80\x05", later("a pickle of Python, which is never opened; save the table as CSV or Parquet")),
    (b"II*\0", later("a picture")),
    (b"MM\0*", later("a picture")),
    (b"RIFF", later("a recording of sound or film")),
    (b"ID3\x03", later("a recording of sound or film")),
    (b"ID3\x04", later("a recording of sound or film")),
    (b"OggS", later("a recording of sound or film")),
    (b"fLaC", later("a recording of sound or film")),
    (b"MZ\x90", later("a program")),
    (b"\x7fELF", later("a program")),
)


def refuse_other_files(data: bytes) -> None:
    """Raise a sentence where the first bytes are those of a kind of file that holds no table of text."""
    for mark, what in _OTHERS:
        if data.startswith(mark):
            raise ValueError(tr("This is no table but {what}.", what=tr(what)))
    begin = data[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if re.match(rb'\{\s*["\}]|\[\s*[\[{"0-9.-]', begin):
        raise ValueError(tr("This is JSON or a printed list, not a table; write one step a line, with commas."))
    if re.match(rb"<!doctype html|<!--|<\?xml|<(?:html|head|body|table|thead|tr|div|p|span|svg|pre|ul)[\s>]", begin):
        raise ValueError(tr("This is a page of HTML or XML, not a table; save the table as CSV or .xlsx."))


def draft_of_npy(data: bytes) -> Draft:
    """An array of shape ``(L,)``, ``(L, F)`` or ``(L, 1, F)``."""
    header = read_header(data)
    shape, notes = header.shape, []
    if len(shape) == 3 and shape[1] == 1:
        notes.append(tr("The array is (steps, batch of 1, inputs), {shape}; the batch was left out.", shape=str(shape)))
        shape = (shape[0], shape[2])
    elif len(shape) == 3 and shape[0] == 1:
        notes.append(tr("The array is (batch of 1, steps, inputs), {shape}; the batch was left out.", shape=str(shape)))
        shape = shape[1:]
    if len(shape) == 3:
        raise ValueError(
            tr(
                "The array holds a batch of {count} sequences, {shape}; save one of them.",
                count=shape[1],
                shape=str(shape),
            )
        )
    if len(shape) not in (1, 2):
        raise ValueError(
            tr("The array has {count} dimensions; a sequence has two, (steps, inputs), or one.", count=len(shape))
        )
    steps, features = (*shape, 1)[:2]
    _check_size(steps, features)
    array = header.array(data).reshape(steps, features)
    if header.dtype.kind == "b":
        notes.append(tr("Truth values were read as 1 and 0."))
    with np.errstate(over="ignore", invalid="ignore"):
        values = array.astype(np.float64)
    texts = [_not_finite(values[:, k]) for k in range(features)]
    columns = [DraftColumn(k, "", NUMBER, values[:, k], texts[k]) for k in range(features)]
    return Draft(columns, False, notes)


def _not_finite(values: np.ndarray) -> dict[int, str]:
    return {int(k): f"{values[k]:g}" for k in np.flatnonzero(~np.isfinite(values))[:100]}


def _check_size(steps: int, features: int) -> None:
    if steps == 0 or features == 0:
        raise ValueError(tr("The sequence is empty; it needs at least one step with one number."))
    if steps * features > MAX_CELLS or features > MAX_COLUMNS:
        raise ValueError(
            tr(
                "The table has {steps} of {columns}; at most {most:,} numbers in {most_columns:,} columns are read.",
                steps=trn("{count:,} step", "{count:,} steps", steps),
                columns=trn("{count:,} column", "{count:,} columns", features),
                most=MAX_CELLS,
                most_columns=MAX_COLUMNS,
            )
        )


@contextmanager
def _no_raw_errors(broken: Sentence) -> Iterator[None]:
    """Whatever a library raises about a damaged file is said in one sentence; our own sentences pass."""
    try:
        yield
    except Exception as error:
        if isinstance(error, ValueError) and error.args and isinstance(error.args[0], Sentence):
            raise
        raise ValueError(broken) from error


# Parquet


def draft_of_parquet(data: bytes) -> Draft:
    """A Parquet file: columns of numbers, truth values, times and text."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise ValueError(tr("Reading Parquet needs pyarrow: pip install pyarrow")) from None
    with _no_raw_errors(tr("The Parquet file cannot be read; it may have been cut short or changed.")):
        file = parquet.ParquetFile(io.BytesIO(data))
        about = file.metadata
        _check_size(about.num_rows, about.num_columns)
        unpacked = sum(about.row_group(k).total_byte_size for k in range(about.num_row_groups))
        if unpacked > MAX_UNPACKED or about.num_row_groups > about.num_rows:
            raise _too_large(unpacked)
        table, index = file.read(), _index_columns(file)
        columns = [
            _arrow_column(pa, k, name, table.column(k), name in index) for k, name in enumerate(table.column_names)
        ]
    draft = Draft(columns, any(c.name for c in columns), [])
    if not any(c.as_label for c in columns):
        find_labels(draft)
    return draft


def _index_columns(file: Any) -> set[str]:
    """The columns that pandas keeps an index in."""
    about = file.schema_arrow.pandas_metadata or {}
    return {name for name in about.get("index_columns", []) if isinstance(name, str)}


def _arrow_column(pa: Any, k: int, name: str, column: Any, index: bool) -> DraftColumn:
    kind = column.type
    types = pa.types
    if types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    labels: Callable[[], list[str]] | None = None
    texts: dict[int, str] = {}
    values = np.full(len(column), np.nan)
    what, why = TEXT, tr("names of the rows") if index else None
    if types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        values = np.array(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)
        texts = _not_finite(np.where(np.isnan(values), 0, values))
        what = BOOL if types.is_boolean(kind) else NUMBER
        labels = lambda: [f"{value:.15g}" for value in values.tolist()]  # noqa: E731
    elif types.is_temporal(kind):
        what = DATE
        labels = lambda: [_brief_time(text or "") for text in column.cast(pa.string()).to_pylist()]  # noqa: E731
    elif types.is_nested(kind):
        why = tr("lists or records")
    elif types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        labels = lambda: [" ".join((text or "").split())[:200] for text in column.to_pylist()]  # noqa: E731
        texts_said = [text for text in column.slice(0, EDGE).to_pylist() if text]
        if (numbers := _numbers_as_text(column.to_pylist())) is not None:
            what, values = NUMBER, numbers
        elif 2 * sum(map(is_date, texts_said)) > len(texts_said):
            what = DATE
    if column.null_count == len(column):
        what = EMPTY
    shown_name = "" if name.startswith("__index_level_") else name
    found = DraftColumn(k, shown_name, what, values, texts, labels, index and labels is not None)
    found.why = why
    return found


def _brief_time(text: str) -> str:
    """A time without zeros where a second has no fraction."""
    return re.sub(r"(?<=:\d\d)\.0+(?!\d)", "", text)


def _numbers_as_text(texts: list[str | None]) -> np.ndarray | None:
    """The numbers of a column of text that holds nothing else, in the style that reads them; else None."""
    cells = [text or "" for text in texts]
    said = [cell for cell in cells if not is_missing(cell)]
    style = style_of(said, ";")
    if not said or any(style.read(cell) is None for cell in said[:EDGE]):
        return None
    found = [None if is_missing(cell) else style.read(cell) for cell in cells]
    if sum(cell is not None and not cell.beside for cell in found) < len(said):
        return None
    return np.array([math.nan if cell is None else cell.value for cell in found])


def _too_large(size: int) -> ValueError:
    return ValueError(
        tr("The file unpacks to {size:,} bytes; at most {most:,} are read.", size=size, most=MAX_UNPACKED)
    )


# Excel


def draft_of_excel(data: bytes) -> Draft:
    """The first sheet of an .xlsx file that holds numbers."""
    try:
        import openpyxl
    except ImportError:
        raise ValueError(tr("Reading Excel files needs openpyxl: pip install openpyxl")) from None
    _check_archive(data)
    said = tr("The Excel file cannot be read; it may have been cut short or changed. Save it again, or as CSV.")
    with _no_raw_errors(said), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # openpyxl cannot read a workbook row by row where one of its sheets is a chart
        charted = b"xl/chartsheets/" in data and len(data) < 2**22
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=not charted, data_only=True)
        every = [sheet for sheet in book.worksheets if hasattr(sheet, "iter_rows")]
        sheets = [sheet for sheet in every if sheet.sheet_state == "visible"] or every
        for sheet in sheets:
            rows, notes = _numbers_read(_of_one_width(list(_sheet_rows(sheet))))
            if any(_is_number(cell) for _, cells in rows for cell in cells):
                draft = _sheet_draft(sheet.title, rows, len(sheets))
                draft.notes += notes
                return draft
    raise ValueError(tr("No sheet of the Excel file holds a number."))


def _of_one_width(rows: list[Record]) -> list[Record]:
    """Rows as wide as the widest of the first ones: a sheet does not say where a row ends."""
    width = max((len(cells) for _, cells in rows[:EDGE]), default=0)
    return [Record(line, cells + [""] * (width - len(cells))) for line, cells in rows]


class _Typed(str):
    """A cell that holds text, be it a number."""


def _numbers_read(rows: list[Record]) -> tuple[list[Record], list[Sentence]]:
    """Rows whose numbers that are written as text are as Python writes them, and in which style they were."""
    style = style_of([cell for _, cells in rows for cell in cells if isinstance(cell, _Typed)], ";")
    if style == PLAIN:
        return rows, []

    def bare(cell: str) -> str:
        read = style.read(cell) if isinstance(cell, _Typed) else None
        return cell if read is None else f"{read.value!r} {read.beside}".rstrip()

    return [Record(line, [bare(cell) for cell in cells]) for line, cells in rows], [style_said(style)]


def _sheet_draft(title: str, rows: list[Record], sheets: int) -> Draft:
    draft = draft_of_records(lambda: iter(rows))
    if sheets > 1:
        draft.notes.append(
            trn(
                "Sheet {title} was read; 1 other was left out.",
                "Sheet {title} was read; {count} others were left out.",
                sheets - 1,
                title=title[:40],
            )
        )
    return draft


def _check_archive(data: bytes) -> None:
    """Refuse an archive that is no workbook, or unpacks to too much; a file's own sizes are checked as it unpacks."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            size = sum(info.file_size for info in archive.infolist())
            kind = archive.read("mimetype")[:80] if "mimetype" in names and size <= MAX_UNPACKED else b""
    except UNREADABLE as error:
        raise ValueError(damaged()) from error
    if b"opendocument" in kind:
        raise ValueError(tr("This is a LibreOffice file (.ods); save it as .xlsx or CSV."))
    if any(name.endswith(".npy") for name in names):
        raise ValueError(tr("This is a zip or npz archive; save one array with numpy.save to get an npy file."))
    if "xl/workbook.xml" not in names:
        raise ValueError(tr("This is a zip archive, not a table; unpack it first."))
    if size > MAX_UNPACKED or len(names) > 10_000:
        raise _too_large(size)


def _sheet_rows(sheet: Any) -> Iterator[Record]:
    """The rows of a sheet that hold something, from its first to its last column in use."""
    cells = 0
    for line, row in enumerate(sheet.iter_rows(values_only=True), 1):
        said = [_cell(value) for value in row[:MAX_COLUMNS]]
        while said and not said[-1]:
            said.pop()
        cells += len(said) + 1
        if cells > MAX_CELLS // 16:
            raise ValueError(tr("The sheet has more than {most:,} cells; save it as CSV.", most=MAX_CELLS // 16))
        if said:
            yield Record(line, said)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    return _Typed(str(value)[:1000]) if not isinstance(value, timedelta) else str(value)


def _is_number(cell: str) -> bool:
    return cell[:1] in "+-.0123456789" and cell not in ("", "-", ".")
