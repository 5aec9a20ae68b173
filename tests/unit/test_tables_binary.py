"""Tables in npy, Parquet and Excel, as their own libraries write them, and what is wrong with them."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.chart import LineChart, Reference

from seqviz import MissingValues, read_table

FRAME = pd.DataFrame({"load": [1.5, -3.0, 5.25], "count": [2, 4, 6]})


def saved(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def parquet(frame: pd.DataFrame) -> bytes:
    return frame.to_parquet()


def excel(frame: pd.DataFrame, **how: object) -> bytes:
    file = io.BytesIO()
    frame.to_excel(file, **how)  # type: ignore[arg-type]
    return file.getvalue()


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", ">f8", "i1", "u2", ">i4", "i8", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_of_every_real_type(dtype: str, order: str) -> None:
    array = np.array([[0, 1, 1], [1, 0, 1]], dtype=dtype, order=order)  # type: ignore[call-overload]
    for name in ("", "x.npy"):
        table = read_table(saved(array), name)
        np.testing.assert_array_equal(table.values, array.astype(float))
        assert table.labels is None


@pytest.mark.parametrize(
    ("shape", "steps"), [((4,), (4, 1)), ((4, 1, 3), (4, 3)), ((1, 4, 3), (4, 3)), ((1, 1, 3), (1, 3))]
)
def test_npy_with_a_batch_of_one(shape: tuple, steps: tuple) -> None:
    array = np.arange(np.prod(shape), dtype=float).reshape(shape)
    table = read_table(saved(array))
    np.testing.assert_array_equal(table.values.ravel(), array.ravel())
    assert len(table.values) == (4 if 4 in shape else 3)  # a single step of three is a line of numbers
    assert len(shape) < 3 or "the batch was left out" in " ".join(table.left_out)


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.zeros((4, 2, 3)), "batch of 2 sequences"),
        (np.zeros(()), "0 dimensions"),
        (np.zeros((1, 1, 1, 1)), "4 dimensions"),
        (np.zeros((0, 3)), "empty"),
        (np.zeros(3, complex), "complex"),
        (np.array(["a"]), "not numbers"),
        (np.array([1.0, np.inf]), "holds 'inf'; only finite"),
    ],
)
def test_what_an_npy_may_not_hold(array: np.ndarray, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_table(saved(array))


def test_missing_numbers_of_an_npy() -> None:
    with pytest.raises(MissingValues, match="Step 1, column 1"):
        read_table(saved(np.array([1.0, np.nan, 3.0])))
    np.testing.assert_array_equal(
        read_table(saved(np.array([1.0, np.nan, 3.0])), missing="interpolate").values[:, 0], [1, 2, 3]
    )


def test_parquet_with_dates_text_and_an_index() -> None:
    days = pd.date_range("2021-03-01", periods=3)
    table = read_table(parquet(FRAME.assign(day=days, note="ok", on=[True, False, True])))
    assert table.names == ("load", "count", "on")
    np.testing.assert_array_equal(table.values, [[1.5, 2, 1], [-3, 4, 0], [5.25, 6, 1]])
    assert table.labels is not None
    assert [label[:10] for label in table.labels] == ["2021-03-01", "2021-03-02", "2021-03-03"]
    assert "(note) (text)" in table.says
    indexed = read_table(parquet(FRAME.set_index(pd.Index(["a", "b", "c"], name="place"))))
    assert (indexed.names, indexed.labels) == (("load", "count"), ("a", "b", "c"))
    with pytest.raises(MissingValues, match=r"column 1 \(load\) is empty"):
        read_table(parquet(FRAME.assign(load=[1.0, None, 2.0])))


def test_excel_with_a_title_dates_and_other_sheets() -> None:
    frame = FRAME.copy()
    frame.insert(0, "day", [datetime(2021, 3, k) for k in (1, 2, 3)])
    table = read_table(excel(frame, index=False, startrow=2, startcol=1))
    np.testing.assert_array_equal(table.values, FRAME.to_numpy())
    assert table.names == ("load", "count")
    assert table.labels is not None
    assert table.labels[0].startswith("2021-03-01")
    file = io.BytesIO()
    with pd.ExcelWriter(file) as writer:
        pd.DataFrame({"about": ["words", "alone"]}).to_excel(writer, sheet_name="read me", index=False)
        FRAME.to_excel(writer, sheet_name="data")
    table = read_table(file.getvalue(), "book.xlsx")
    np.testing.assert_array_equal(table.values, FRAME.to_numpy())
    assert "Sheet data was read; 1 other was left out." in table.left_out


def test_parquet_of_text_lists_and_times() -> None:
    times = pd.to_datetime(["2024-01-01", "2024-01-02"])
    frame = pd.DataFrame({"when": times, "a": ["1,5", "2,5"], "b": ["x", "2"], "c": [[1, 2], [3]]})
    table = read_table(parquet(frame), "x.parquet")
    assert table.names == ("a",)
    assert table.values.tolist() == [[1.5], [2.5]]
    assert table.labels == ("2024-01-01 00:00:00", "2024-01-02 00:00:00")
    assert "column 4 (c) (lists or records)" in table.says
    with pytest.raises(ValueError, match=r"There is no column of numbers; column 1 \(c\) holds lists or records"):
        print(read_table(parquet(frame[["c"]])))


def test_a_sheet_with_formulas_that_nobody_computed_and_a_chart() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for k, row in enumerate([["a", "b"], [1, 2], [3, 4]]):
        sheet.append([*row[:1], row[1] if not k else f"=A{k + 1}*2"])
    chart = LineChart()
    chart.add_data(Reference(sheet, min_col=1, min_row=1, max_row=3))
    book.create_chartsheet().add_chart(chart)
    file = io.BytesIO()
    book.save(file)
    table = read_table(file.getvalue())
    assert (table.names, table.values.tolist()) == (("a",), [[1], [3]])
    assert "left out: column 2 (b) (empty)" in table.says


@pytest.mark.parametrize(
    ("cells", "values", "says"),
    [
        (["1,5", "2,5", "1.003,25"], [1.5, 2.5, 1003.25], "in the style of 1.180,5"),
        (["1,180.00", "2.5", "12"], [1180, 2.5, 12], "in the style of 1,180.5"),
        ([1.5, "2,5", 3], [1.5, 2.5, 3], "in the style of 1180,5"),
        (["1,5 kW", "2,5 kW", "3 kW"], [1.5, 2.5, 3], "“kW” beside the numbers was left out"),
        (["1.5", "2.5", 3], [1.5, 2.5, 3], ""),
    ],
)
def test_numbers_that_a_sheet_holds_as_text(cells: list, values: list, says: str) -> None:
    table = read_table(excel(pd.DataFrame({"load": cells, "n": [1, 2, 4]}), index=False))
    assert table.names == ("load", "n")
    np.testing.assert_array_equal(table.values, np.column_stack([values, [1, 2, 4]]))
    assert says in table.says
    assert says or table.left_out == ()


def test_cells_that_were_merged_name_all_their_columns() -> None:
    book = openpyxl.Workbook()
    for row in (["Power", None, "Temp", None], ["min", "max", "min", "max"], [1, 2, 3, 4], [5, 6, 7, 9]):
        book.active.append(row)
    book.active.merge_cells("A1:B1")
    book.active.merge_cells("C1:D1")
    file = io.BytesIO()
    book.save(file)
    assert read_table(file.getvalue()).names == ("Power min", "Power max", "Temp min", "Temp max")


def bomb(size: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(size // 2**20):
                sheet.write(bytes(2**20))
    return file.getvalue()


def test_an_archive_that_unpacks_to_too_much_is_refused_by_its_size() -> None:
    with pytest.raises(ValueError, match="unpacks to"):
        read_table(bomb(2**29 + 2**21))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"PK\x03\x04" + bytes(40), "cannot be opened"),
        (b"PAR1" + bytes(40), "Parquet file cannot be read"),
        (b"PAR1" + bytes(40) + b"PAR1", "Parquet file cannot be read"),
        (b"\xd0\xcf\x11\xe0" + bytes(40), "old Excel file"),
        (b"\x1f\x8b" + bytes(40), "gzip"),
        (b"%PDF-1.7", "PDF"),
        (b"\x89PNG\r\n", "picture"),
        (b"\x89HDF\r\n", "HDF5"),
        (b"\x93NUMPY", "not an npy file|header of the npy file"),
    ],
)
def test_other_files_are_named(data: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_table(data)


WHOLE = (parquet(FRAME), excel(FRAME, index=False), saved(FRAME.to_numpy()))


@given(st.sampled_from(WHOLE), st.data())
@settings(max_examples=120, deadline=None)
def test_a_damaged_file_is_read_or_refused_in_one_sentence(whole: bytes, data: st.DataObject) -> None:
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(4, len(damaged) - 1))
        damaged[place] = data.draw(st.integers(0, 255))
    cut = bytes(damaged[: data.draw(st.integers(8, len(damaged)))])
    for each in (bytes(damaged), cut):
        try:
            said = "" if np.isfinite(read_table(each).values).all() else "not finite"
        except ValueError as refusal:
            said = str(refusal)
        assert not said or (said[0].isupper() and said.endswith(".") and "rror" not in said), said
