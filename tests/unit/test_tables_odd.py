"""Tables as programs, bazaars and people write them that are neither plain nor rare."""

from __future__ import annotations

import contextlib
import re
import time

import pytest

from seqviz import read_table
from seqviz.reading import tables

ROWS: dict[str, tuple[str, list, str]] = {
    "a matrix of Matlab": ("1 2 3;\n4 5 6;\n7 8 9;\n", [[1, 2, 3], [4, 5, 6], [7, 8, 9]], ""),
    "with its name": ("A = [1 2;\n-4 5e1;\n7 8];\n", [[1, 2], [-4, 50], [7, 8]], ""),
    "a column of decimal commas, closed": ("1,5;\n2,5;\n3,0;\n", [[1.5], [2.5], [3]], "1180,5"),
    "semicolons at the ends": ("a;b;\n1,5;2;\n3,5;4;\n", [[1.5, 2], [3.5, 4]], "1180,5"),
    "yen of both widths": ("p,q\n¥1200,1\n￥1300,2\n", [[1200, 1], [1300, 2]], "“¥” beside the numbers"),
    "digits of Arabic": ("a,b\n١,٢\n٣,٤\n", [[1, 2], [3, 4]], ""),
    "a decimal mark of Arabic": ("a,b\n١٫٥,٢\n٣,٤\n", [[1.5, 2], [3, 4]], ""),
    "digits of Persian": ("t,v\n۱,۲۰\n۳,۴\n", [[1, 20], [3, 4]], ""),
    "digits of Hindi": ("a,b\n१,२\n३,४\n", [[1, 2], [3, 4]], ""),
    "binary sizes": ("t,mem\nx,512M\ny,1.5G\nz,300K\n", [[512e6], [1.5e9], [300e3]], "M, G, K multiply"),
    "German sizes": ("t;v\nx;1,2 Mio.\ny;3 Mrd.\nz;900 Tsd.\n", [[1.2e6], [3e9], [9e5]], "multiply"),
    "Indian sizes": ("t,v\nx,1.2 crore\ny,5 lakh\nz,2 crore\n", [[1.2e7], [5e5], [2e7]], "multiply"),
    "one size is a unit": ("t,v\nx,1.2 crore\ny,5 crore\n", [[1.2], [5]], "“crore” beside the numbers was left out"),
    "ranks are words": ("rank,v\n1st,3\n2nd,4\n3rd,5\n", [[3], [4], [5]], "text, kept as labels"),
    "a line of separators over the numbers": (",,\n1,2,3\n4,5,6\n", [[1, 2, 3], [4, 5, 6]], ""),
    "Excel's days": ("Date,v\n45292,1\n45293,2\n45296,3\n", [[1], [2], [3]], "years or times, kept as labels"),
    "Excel's days and hours": ("日期,v\n45292.5,1\n45292.75,2\n45293.25,3\n", [[1], [2], [3]], "years or times"),
    "days by another name are numbers": ("load,v\n45292,1\n45293,2\n", [[45292, 1], [45293, 2]], ""),
    "months that go on into the next year": (
        "Datum,v\n11.2020,1\n12.2020,2\n01.2021,3\n", [[1], [2], [3]], "kept as labels",
    ),
    "months backwards": ("date,v\n02.2020,1\n01.2020,2\n12.2019,3\n", [[1], [2], [3]], "years or times"),
    "months by another name are numbers": ("load,v\n1.2020,1\n2.2020,2\n", [[1.202, 1], [2.202, 2]], ""),
    "months that jump about are numbers": ("date,v\n1.2020,1\n3.2020,2\n2.2020,2\n",
                                           [[1.202, 1], [3.202, 2], [2.202, 2]], ""),
    "dates that jump about are numbers": (
        "Date,v\n45292,1\n45290,2\n45296,3\n", [[45292, 1], [45290, 2], [45296, 3]], "",
    ),
    "hardly anything": ("a,b\n1,1\nNA,2\n,3\n-,4\n?,5\nNA,6\nNA,7\n", [[k] for k in range(1, 8)], "nearly empty"),
    "one step and a comma": ("a,b,\n1,2,\n", [[1, 2]], ""),
    "Excel's own misses": (
        "a,b\n1,1\n#NV,2\n#N/A N/A,3\n#WERT!,4\n?,5\nNA,6\nNA,7\n", [[k] for k in range(1, 8)], "empty",
    ),
    "numbers that Excel takes for text": ('a,b\n="1.5",2\n="2.5",4\n\'3.5,6\n', [[1.5, 2], [2.5, 4], [3.5, 6]], ""),
    "separators at the ends of the steps alone": ("a,b\n1.5,2,\n2.5,4,\n3.5,6,\n", [[1.5, 2], [2.5, 4], [3.5, 6]], ""),
    "a preamble as wide as the table": (
        "Berlin, North, 3\nMade on 2024-01-01, 12:00\n\na,b\n1.5,2\n2.5,4\n3.5,6\n", [[1.5, 2], [2.5, 4], [3.5, 6]],
        "text above the table",
    ),
    "money in thousands": ("a\n$1.2k\n$3k\n$900\n", [[1200], [3000], [900]], "k multiplies the numbers"),
    "thousands and plain ones": ("a\n1.5K\n12\n3K\n", [[1500], [12], [3000]], "K multiplies the numbers"),
    "two signs of a thousand": ("a\n1.5K\n12k\n3K\n", [[1500], [12000], [3000]], "K, k multiply the numbers"),
    "a table of psql": (" a    |  b\n------+-----\n  1.5 |   2\n    3 |   4\n(2 rows)\n", [[1.5, 2], [3, 4]], "totals"),
    "a table of MySQL": (
        "+-----+---+\n| a   | b |\n+-----+---+\n| 1.5 | 2 |\n| 3   | 4 |\n+-----+---+\n", [[1.5, 2], [3, 4]], "",
    ),
    "a table of LaTeX": ("1.5 & 2 \\\\\n3 & 4 \\\\\n", [[1.5, 2], [3, 4]], "text"),
    "blocks of gnuplot": ("# x y\n1.5 2\n3 4\n\n\n5 6\n", [[1.5, 2], [3, 4], [5, 6]], ""),
    "line ends of every kind": ("a,b\r\n1.5,2\n3,4\r5,6\r\n7,8", [[1.5, 2], [3, 4], [5, 6], [7, 8]], ""),
    "quotes here and there": ('a,b\n"1,5",2\n3,"4"\n"5,25",6\n', [[1.5, 2], [3, 4], [5.25, 6]], "1180,5"),
    "a quote that nobody closed": ('a,b\n1,2\n3,"4\n5,6\n', [[1, 2], [3, 4], [5, 6]], ""),
    "smaller than any number": ("a\n1\n-1e-400\n3\n", [[1], [0], [3]], ""),
    "nothing at all": ("a,b\n,1\n,2\n,3\n", [[1], [2], [3]], "(empty)"),
}  # fmt: skip


@pytest.mark.parametrize("kind", ROWS)
def test_tables_of_odder_kinds(kind: str) -> None:
    text, values, says = ROWS[kind]
    table = read_table(text)
    assert table.values.tolist() == values
    assert says in table.says
    if not says:
        assert table.left_out == ()
    assert read_table(text.encode()).values.tolist() == values


def test_names_over_several_columns_are_those_of_each() -> None:
    body = "1,2,3,4\n5,6,7,8\n9,10,11,13\n"
    assert read_table("Power,,Temp,\nmin,max,min,max\n" + body).names == (
        "Power min", "Power max", "Temp min", "Temp max",
    )  # fmt: skip
    dated = "".join(f"2020-01-0{k},1,{k}\n" for k in range(1, 5))
    assert read_table(",Power,\ndate,min,max\n" + dated).names == ("Power min", "Power max")


@pytest.mark.parametrize("wrong", ["1.234.567", "1.2.3", "12..5", "1,2,3 4"])
def test_a_number_that_is_none_is_no_second_name(wrong: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"Line 2, column 1 (a) holds '{wrong}'")):
        print(read_table(f"a;b\n{wrong};1\n1.5;2\n2.5;3\n", separator=";"))


def test_their_names_stand_over_their_columns() -> None:
    for kind in ("separators at the ends of the steps alone", "a preamble as wide as the table"):
        assert read_table(ROWS[kind][0]).names == ("a", "b")


@pytest.mark.parametrize("name", ["気温,湿度", "センサー,おんど"])
def test_japanese_of_unix_is_read(name: str) -> None:
    table = read_table(f"{name}\n1.5,2\n2.5,4\n".encode("euc_jp"))
    assert ",".join(table.names) == name
    assert table.values.tolist() == [[1.5, 2], [2.5, 4]]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lat,lon\n52°30',13°24'\n48°10',11°30'\n", 'Line 2, column 1 holds "52°30\'"'),
        ("a,b\n1+2j,x\n2+3j,y\n", "Line 2, column 1 holds '1+2j'"),
    ],
)
def test_what_cannot_be_read_is_quoted_where_it_stands(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        print(read_table(text))


@pytest.mark.parametrize("piece", ["[", "1 2;", "A = ", "1 2] ", "] ", "; ", "x" * 50 + " = [1 2"])
def test_lines_of_a_matrix_are_read_in_linear_time(piece: str) -> None:
    begun = time.process_time()
    with contextlib.suppress(ValueError):
        print(read_table(piece * (100_000 // len(piece)) + "x;"))
    assert time.process_time() - begun < 20


WIDE = {
    "one line": ("1,", 1),
    "a few lines": ("1,", 3),
    "units": ("1kg,", 3),
    "text": ("ab,1,", 3),
    "dates": ("2024-01-01,1,", 3),
    "names of counters": ("id,", 1),
}


@pytest.mark.parametrize("kind", WIDE)
def test_a_wide_table_takes_time_in_proportion_to_its_width(kind: str) -> None:
    piece, lines = WIDE[kind]

    def took(width: int) -> float:
        end = "v\n" if kind == "names of counters" else "1\n"
        row = piece * (width // piece.count(",")) + end
        text = row + "1," * width + "1\n" + "2," * width + "2\n" if kind == "names of counters" else row * lines
        begun = time.process_time()
        assert read_table(text).values.size
        return time.process_time() - begun

    took(100)
    narrow = min(took(800), took(800))
    assert any(took(8000) < 40 * max(0.02, narrow) for _ in range(3))  # once in three: others use this machine


def test_more_columns_than_a_table_has_are_refused() -> None:
    with pytest.raises(ValueError, match="A line has 500,001 cells; at most 100,000 are read"):
        print(read_table("1 " * 500_001))


def test_another_choice_of_columns_does_not_read_the_file_again(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "date,a,b\n" + "".join(f"2024-01-{k:02},{k},{k * k}\n" for k in range(1, 29))
    data = text.encode()
    whole = tables.read(data, "kept.csv", keep=True)
    monkeypatch.setattr(tables, "draft_of_text", lambda *_: pytest.fail("it was read again"))
    chosen = tables.read(bytes(bytearray(data)), "kept.csv", columns=["b"], rows=slice(3, 5), keep=True)
    assert chosen.values.tolist() == [[16], [25]]
    assert chosen.labels == ("2024-01-04", "2024-01-05")
    again = tables.read(data, "kept.csv", keep=True)
    assert again.values.tolist() == whole.values.tolist()
    assert (again.left_out, again.names, again.labels) == (whole.left_out, whole.names, whole.labels)
