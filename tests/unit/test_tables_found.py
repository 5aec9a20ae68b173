"""Tables as programs and offices write them, whose names, labels and ends are easily taken for something else."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from seqviz import read_table

THREE = "1.5,2\n4,5\n-3,8\n"
X = [[1.5, 2], [4, 5], [-3, 8]]


def led_by(labels: str, head: str, body: str = THREE) -> str:
    lines = [f"{label},{line}\n" for label, line in zip(labels.split("|"), body.splitlines(), strict=True)]
    return head + "".join(lines)


DAYS = "2020-01-01|2020-01-02|2020-01-03"

NAMED = {
    "quantiles": ("5%,95%\n" + THREE, "5% 95%", ""),
    "heights": ("10 m,20 m\n" + THREE, "10 m|20 m", ""),
    "hours": ("0h,6h\n" + THREE, "0h 6h", ""),
    "columns of pandas over dates": (led_by(DAYS, ",0,1\n"), "0 1", DAYS),
    "the same with a name": (led_by(DAYS, "time,0,1\n"), "0 1", DAYS),
    "columns of pandas over an index": (led_by("0|1|2", ",0,1\n"), "0 1", "0|1|2"),
    "columns of pandas over names": (led_by("a|b|c", "name,0,1\n"), "0 1", "a|b|c"),
    "each line in quotes": ("".join(f'"{line}"\n' for line in ("a,b\n" + THREE).splitlines()), "a b", ""),
    "twice in quotes": ('"a,""b"""\n"1.5,""2"""\n"4,""5"""\n"-3,""8"""\n', "a b", ""),
    "two marks of bytes": ("\ufeff\ufeffa,b\n" + THREE, "a b", ""),
    "the same name twice": ("a,a\n" + THREE, "a|a (2)", ""),
    "a second text names the rows": (
        "kind,place,a,b\n" + "".join(f"x,p{k},{line}\n" for k, line in enumerate(THREE.splitlines())),
        "a b", "p0|p1|p2",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", NAMED)
def test_names_and_labels_are_found(kind: str) -> None:
    text, names, labels = NAMED[kind]
    table = read_table(text)
    assert table.values.tolist() == X
    assert table.names == tuple(names.split("|") if "|" in names else names.split())
    assert table.labels == (tuple(labels.split("|")) if labels else None)
    assert table.named


NOT_NAMED = [
    "1 m,2 m\n3 m,4 m\n5 m,7 m\n",
    "0,1\n1.5,2\n4,5\n",
    "1,5%\n2,6%\n3,7%\n",
    '"1,5"\n"2,5"\n"3,75"\n',
    "0,1\n",
]


@pytest.mark.parametrize("text", NOT_NAMED)
def test_numbers_are_not_taken_for_names(text: str) -> None:
    table = read_table(text)
    assert not table.named
    assert table.values.size == (2 if text == "0,1\n" else 3 if '"' in text else 6)


ENDS = ["Итого", "Totale", "Jahr gesamt", "All year", "Razem", "合计", "Summer and winter", "Annual"]


@pytest.mark.parametrize("word", ENDS)
def test_a_line_of_words_below_dates_is_no_step(word: str) -> None:
    table = read_table("day;a\n" + "".join(f"0{k}.02.2020;{k}\n" for k in range(1, 5)) + f"{word};10\n")
    assert table.values[:, 0].tolist() == [1, 2, 3, 4]
    assert "line 6 (totals or notes)" in table.says


def test_a_colon_stands_for_no_number_as_eurostat_writes_it() -> None:
    table = read_table("time\tDE\tFR\n2020Q1\t1.5 p\t:\n2020Q2\t2.5\t3.5 b\n2020Q3\t2.7\t4.5\n", missing="drop")
    assert table.values.tolist() == [[2.5, 3.5], [2.7, 4.5]]
    assert table.labels == ("2020Q2", "2020Q3")


def test_what_counts_the_lines_without_a_name_is_told() -> None:
    says = "In column 1, numbers rise evenly, as times do"
    assert says in read_table("".join(f"{k},{k * k % 7}\n" for k in range(2000, 2006))).says
    assert says not in read_table("".join(f"{k},{2 * k}\n" for k in range(6))).says
    assert says not in read_table("".join(f"{k * k},{k % 3}\n" for k in range(6))).says


DATES = [
    "2020-01-0{} 00:00:00 CET",
    "2020-01-0{} 00:00:00 Europe/Berlin",
    "Wed Jan  {} 00:00:00 2020",
    "{} de enero de 2020",
    "{} мая 2020",
    "2020/1/{} 上午 8:00",
    "2020-1-{} 8:00:00 下午",
    "2020年1月{}日 12时00分",
    "2020-01-0{}T00",
    "2020010{}_0000",
    "2020 01 0{}",
    "Sat, 0{} Feb 2020 10:00:00 -0500",
    "1/{}/20 1:05 PM",
    "2020-01-0{}T00:00:00.000000000",
]


@pytest.mark.parametrize("form", DATES)
def test_dates_of_many_forms_are_dates(form: str) -> None:
    days = [form.format(k) for k in range(1, 5)]
    table = read_table("when;place;a\n" + "".join(f"{day};x{k};{k}\n" for k, day in enumerate(days)))
    assert table.labels == tuple(days)
    assert "column 1 (when) (dates, kept as labels of the steps)" in table.says
    assert "column 2 (place) (text)" in table.says


def test_many_columns_of_text_are_told_together() -> None:
    text = (
        ",".join(f"c{k}" for k in range(60)) + ",v\n" + ("x," * 60 + "1\n") + ("x," * 60 + "2\n") + ("y," * 60 + "4\n")
    )
    table = read_table(text)
    assert table.values.tolist() == [[1], [2], [4]]
    (says,) = table.left_out
    assert says.startswith("Left out: column 1 (c0), column 2 (c1),")
    assert says.endswith("column 8 (c7) and 52 more columns (text).")


def test_columns_of_one_name_can_each_be_asked_for() -> None:
    text = "a,a (2),a,b\n1,2,3,4\n5,6,7,8\n9,1,2,5\n"
    table = read_table(text)
    assert table.names == table.choices == ("a", "a (2)", "a (3)", "b")
    assert read_table(text, columns=["a (3)", "a"]).values.tolist() == [[3, 1], [7, 5], [2, 9]]
    assert read_table(text, columns=["a (3)"]).names == ("a (3)",)
    many = ",".join(["a"] * 3000) + "\n" + ",".join(["1"] * 3000) + "\n" + ",".join(["2"] * 3000) + "\n"
    assert len(set(read_table(many).names)) == 3000


def parquet(**columns: object) -> bytes:
    file = io.BytesIO()
    pd.DataFrame(columns).to_parquet(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("columns", "names", "labels"),
    [
        ({"day": ["2020-01-01", "2020-01-02", "2020-01-03"], "b": [1, 5, 3]}, ("b",), ("2020-01-01", "2020-01-03")),
        ({"place": ["p", "q", "r"], "b": [1, 5, 3]}, ("b",), ("p", "r")),
        ({"year": [2000, 2001, 2002], "b": [1, 5, 3]}, ("b",), ("2000", "2002")),
        ({"Unnamed: 0": [0, 1, 2], "b": [1, 5, 3]}, ("b",), ("0", "2")),
        ({"flag": ["x", "x", "x"], "b": [1, 5, 3]}, ("b",), None),
        ({"a": [4, 4, 1], "b": [1, 5, 3]}, ("a", "b"), None),
    ],
)
def test_parquet_is_labelled_as_a_text_of_the_same(columns, names, labels) -> None:
    for data in (parquet(**columns), pd.DataFrame(columns).to_csv(index=False).encode()):
        table = read_table(data)
        assert table.names == names
        assert np.array_equal(table.values[:, -1], [1, 5, 3])
        assert (table.labels and table.labels[::2]) == labels


OTHERS = {
    b"\x28\xb5\x2f\xfd\0": "packed with Zstandard",
    b"SQLite format 3\0": "a database",
    b"CDF\x01\0": "a NetCDF file",
    b"$FL2@(#)": "a file of SPSS",
    b"<stata_dta>": "a file of Stata",
    b"RDX3\nX\n": "a file of R",
    b"ORC\n": "an ORC file",
    b"Obj\x01avro": "an Avro file",
    b"\x80\x04\x95": "a pickle of Python",
    b"II*\0": "a picture",
    b"RIFF\0\0": "a recording",
    b"\x7fELF": "a program",
    b"<svg xmlns='x'>1,2": "HTML or XML",
    b"<div><p>1,2</p>": "HTML or XML",
    b"<!-- 1 --><html>": "HTML or XML",
}


@pytest.mark.parametrize("begin", OTHERS)
def test_more_kinds_of_files_are_named(begin: bytes) -> None:
    with pytest.raises(ValueError, match=OTHERS[begin]):
        read_table(begin + b"\n1,2\n3,4\n")
