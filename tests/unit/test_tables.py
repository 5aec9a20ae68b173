"""Tables that people bring: what each of them says, and what has to be said about it."""

from __future__ import annotations

import re

import numpy as np
import pytest

from seqviz import MissingValues, Table, read_table

X = [[1.5, 2.0], [-3.0, 4.0], [5.25, 6.0], [7.0, 8.5]]
"""What most of the tables below hold."""

BODY = "1.5,2.0\n-3.0,4.0\n5.25,6.0\n7.0,8.5\n"


def said(table: Table) -> str:
    return " ".join(table.left_out)


def dated(start: str, text: str = BODY) -> str:
    return "".join(f"{start.format(k + 1)}{line}\n" for k, line in enumerate(text.splitlines()))


def quoted(mark: str, decimal: str = ".") -> str:
    lines = [line.split(",") for line in BODY.split()]
    return "".join(",".join(f"{mark}{c.replace('.', decimal)}{mark}" for c in line) + "\n" for line in lines)


SHAPES = {
    "plain": (BODY, None, None, ""),
    "names": ("load,temp\n" + BODY, "load temp", None, ""),
    "names in quotes, with commas": ('"load, kW","temp, °C"\n' + BODY, ["load, kW", "temp, °C"], None, ""),
    "names over two lines in quotes": ('"load\nin kW","temp"\n' + BODY, ["load\nin kW", "temp"], None, ""),
    "doubled quotes": ('"the ""load""",temp\n' + BODY, ['the "load"', "temp"], None, ""),
    "semicolons": ("load;temp\n" + BODY.replace(",", ";"), "load temp", None, ""),
    "tabs": ("load\ttemp\n" + BODY.replace(",", "\t"), "load temp", None, ""),
    "pipes": ("load|temp\n" + BODY.replace(",", "|"), "load temp", None, ""),
    "blanks": ("load  temp\n" + BODY.replace(",", "   "), "load temp", None, ""),
    "blanks in front": (
        "  load temp\n" + "".join("   " + s.replace(",", "  ") + "\n" for s in BODY.split()),
        "load temp",
        None,
        "",
    ),
    "commas and blanks": ("load, temp\n" + BODY.replace(",", ", "), "load temp", None, ""),
    "semicolons and blanks": ("load ; temp\n" + BODY.replace(",", " ; "), "load temp", None, ""),
    "decimal commas": ("load;temp\n" + BODY.replace(",", ";").replace(".", ","), "load temp", None, "1180,5"),
    "decimal commas, tabs": (BODY.replace(",", "\t").replace(".", ","), None, None, "1180,5"),
    "decimal commas, blanks": (BODY.replace(",", "  ").replace(".", ","), None, None, "1180,5"),
    "decimal commas in quotes": (quoted('"', ","), None, None, "1180,5"),
    "single quotes": ("'load','temp'\n" + quoted("'"), "load temp", None, ""),
    "all in quotes": ('"load","temp"\n' + quoted('"'), "load temp", None, ""),
    "Excel's line": ("sep=;\nload;temp\n" + BODY.replace(",", ";"), "load temp", None, ""),
    "old line ends": (("load,temp\n" + BODY).replace("\n", "\r"), "load temp", None, ""),
    "Windows' line ends": (("load,temp\n" + BODY).replace("\n", "\r\n"), "load temp", None, ""),
    "no last line end": (BODY.rstrip("\n"), None, None, ""),
    "blank lines": ("\n\nload,temp\n\n" + BODY.replace("\n", "\n\n") + "\n\n", "load temp", None, ""),
    "a mark of bytes": ("\ufeffload,temp\n" + BODY, "load temp", None, ""),
    "separators at the end": ("load,temp,\n" + BODY.replace("\n", ",\n"), "load temp", None, ""),
    "separators at the end, no names": (BODY.replace("\n", ",\n"), None, None, ""),
    "many separators at the end": ("load,temp,,,\n" + BODY.replace("\n", ",,,\n"), "load temp", None, ""),
    "comments": ("# made by hand\n# twice\nload,temp\n" + BODY + "# the end\n", "load temp", None, "comments"),
    "names on a comment": ("# load temp\n" + BODY.replace(",", " "), "load temp", None, ""),
    "names on a comment, commas": ("#load,temp\n" + BODY, "load temp", None, ""),
    "percent comments": ("% made by hand\n" + BODY, None, None, "comments"),
    "units": ("load,temp\n[kW],[°C]\n" + BODY, "load temp", None, "line 2 \\(units\\)"),
    "units without brackets": ("load,temp\nkW,°C\n" + BODY, "load temp", None, "line 2 \\(units\\)"),
    "types": ("load,temp\nfloat,float\n" + BODY, "load temp", None, "line 2"),
    "names in two lines": ("load,load\nday,night\n" + BODY, ["load day", "load night"], None, ""),
    "a title": ("Weather of March\nload,temp\n" + BODY, "load temp", None, "line 1 \\(text above the table\\)"),
    "a title with separators": ("Weather of March,\nload,temp\n" + BODY, "load temp", None, "line 1 \\(text above"),
    "settings above": (
        "Station: Bergen\nHeight,12\nOwner,nobody,at all\n\nload,temp\n" + BODY,
        "load temp",
        None,
        "lines 1 to 3",
    ),
    "settings in columns above": (
        "Station,Bergen\nHeight,12\nload,temp\n" + BODY,
        "load temp",
        None,
        "lines 1 to 2|lines 1, 2",
    ),
    "a source below": (BODY + "Source: the weather office\n", None, None, "line 5 \\(totals or notes\\)"),
    "totals below": (dated("2020-01-0{},") + "Total,10.75,20.5\n", None, "2020-01-0{}", "line 5 \\(totals or notes\\)"),
    "totals below names of rows": (dated("s{},") + "Mean,2.7,5.1\n", None, "s{}", "line 5 \\(totals or notes\\)"),
    "a note in the middle": (
        "load,temp\n1.5,2.0\n-3.0,4.0\nthe sensor was moved\n5.25,6.0\n7.0,8.5\n",
        "load temp",
        None,
        "line 4 \\(no numbers\\)",
    ),
    "names once more": (
        "load,temp\n1.5,2.0\n-3.0,4.0\nload,temp\n5.25,6.0\n7.0,8.5\n",
        "load temp",
        None,
        "line 4 \\(the names once more\\)",
    ),
    "ISO dates": (
        "date,load,temp\n" + dated("2020-01-0{},"),
        "load temp",
        "2020-01-0{}",
        "column 1 \\(date\\) \\(dates, kept as labels",
    ),
    "ISO dates and times": (
        "date,load,temp\n" + dated("2020-01-01 0{}:00:00,"),
        "load temp",
        "2020-01-01 0{}:00:00",
        "dates",
    ),
    "ISO with T and Z": (
        "date,load,temp\n" + dated("2020-01-01T0{}:00:00Z,"),
        "load temp",
        "2020-01-01T0{}:00:00Z",
        "dates",
    ),
    "German dates": (
        "Datum;load;temp\n" + dated("0{}.01.2020;", BODY.replace(",", ";").replace(".", ",")),
        "load temp",
        "0{}.01.2020",
        "dates",
    ),
    "American dates": ("date,load,temp\n" + dated("1/{}/2020,"), "load temp", "1/{}/2020", "dates"),
    "Chinese dates": ("日期,load,temp\n" + dated("2020年1月{}日,"), "load temp", "2020年1月{}日", "dates"),
    "dates with months' names": ("date,load,temp\n" + dated("0{}-Jan-2020,"), "load temp", "0{}-Jan-2020", "dates"),
    "dates in quotes with commas": (
        "date,load,temp\n" + dated('"Jan 0{}, 2020",'),
        "load temp",
        "Jan 0{}, 2020",
        "dates",
    ),
    "dates without names": (dated("2020-01-0{},"), None, "2020-01-0{}", "column 1 \\(dates"),
    "dates last": (
        "load,temp,date\n" + "".join(f"{s},2020-01-0{k + 1}\n" for k, s in enumerate(BODY.split())),
        "load temp",
        "2020-01-0{}",
        "column 3 \\(date\\)",
    ),
    "date and time apart": (
        "date time load temp\n" + dated("2020-01-01 0{}:00 ", BODY.replace(",", " ")),
        "load temp",
        "2020-01-01 0{}:00",
        "dates",
    ),
    "times of day": ("time,load,temp\n" + dated("0{}:30,"), "load temp", "0{}:30", "dates"),
    "quarters": ("q,load,temp\n" + dated("2020Q{},"), "load temp", "2020Q{}", "dates"),
    "years": ("year,load,temp\n" + dated("200{},"), "load temp", "200{}", "years or times"),
    "days as numbers": ("date,load,temp\n" + dated("2020010{},"), "load temp", "2020010{}", "years or times"),
    "seconds since 1970": (
        "timestamp,load,temp\n" + dated("158000000{},"),
        "load temp",
        "158000000{}",
        "years or times",
    ),
    "months and years with a point": (
        "month,load,temp\n" + dated("0{}.2020,"),
        "load temp",
        "0{}.2020",
        "years or times",
    ),
    "dates in pieces": (
        "year,month,day,load,temp\n" + dated("2020,1,{},"),
        "load temp",
        "2020 1 {}",
        "column 3 \\(day\\)",
    ),
    "an index and dates": (
        "No,date,load,temp\n" + dated("{0},2020-01-0{0},"),
        "load temp",
        "2020-01-0{}",
        "column 1 \\(No",
    ),
    "brackets round names": ("<DATE>,load,temp\n" + dated("2020010{},"), "load temp", "2020010{}", "years or times"),
    "index of pandas": (",load,temp\n" + dated("{},"), "load temp", "{}", "column 1 \\(it numbers the lines"),
    "index, read twice": ("Unnamed: 0,load,temp\n" + dated("{},"), "load temp", "{}", "it numbers the lines"),
    "index with a name": ("index,load,temp\n" + dated("{},"), "load temp", "{}", "it numbers the lines"),
    "names of rows, as R": ("load,temp\n" + dated("row{},"), "load temp", "row{}", "labels of the steps"),
    "names of rows in quotes, as R": (
        '"load" "temp"\n' + dated('"{}" ', BODY.replace(",", " ")),
        "load temp",
        "{}",
        "names of the rows",
    ),
    "names of rows": ("station,load,temp\n" + dated("s{},"), "load temp", "s{}", "text, kept as labels"),
    "text that repeats": (
        "load,temp,flag\n" + BODY.replace("\n", ",ok\n"),
        "load temp",
        None,
        "column 3 \\(flag\\) \\(text\\)",
    ),
    "an empty column": (
        "load,none,temp\n" + BODY.replace(",", ",,"),
        "load temp",
        None,
        "column 2 \\(none\\) \\(empty\\)",
    ),
    "numbers as names": ("0,1\n" + BODY, "0 1", None, ""),
    "years as names": ("2019,2020\n1.5,2.0\n-3.0,4.0\n5.25,6.0\n7.0,8.5\n", "2019 2020", None, ""),
    "years as names beside names": ("station,2019,2020\n" + dated("s{},"), "2019 2020", "s{}", "text, kept as labels"),
    "a table of Markdown": (
        "| load | temp |\n|------|------|\n" + "".join(f"| {s.replace(',', ' | ')} |\n" for s in BODY.split()),
        "load temp",
        None,
        "",
    ),
    "percent signs": ("load,temp\n" + BODY.replace("\n", "%\n"), "load temp", None, "column 2 \\(temp\\), “%”"),
    "money": (
        "load,temp\n" + "".join(re.sub(r"^(-?)", r"\1$", s) + "\n" for s in BODY.split()),
        "load temp",
        None,
        "“\\$”",
    ),
    "units in the cells": ("load,temp\n" + BODY.replace(",", " kW,"), "load temp", None, "“kW”"),
    "degrees in the cells": ("load,temp\n" + BODY.replace("\n", "°C\n"), "load temp", None, "“°C”"),
    "minus signs of print": ("load,temp\n" + BODY.replace("-", "−"), "load temp", None, ""),
    "plus signs": ("load,temp\n" + BODY.replace("1.5", "+1.5"), "load temp", None, ""),
    "accountants' minus": ("load,temp\n" + BODY.replace("-3.0", "(3.0)"), "load temp", None, ""),
    "a minus behind": ("load,temp\n" + BODY.replace("-3.0", "3.0-"), "load temp", None, ""),
    "exponents": ("1.5e0,2E0\n-3.0e+0,.4e1\n525e-2,6.\n0.7E1,85e-1\n", None, None, ""),
    "Fortran's exponents": (
        "0.15D+01 0.2D+01\n-0.3D+01 0.4D+01\n0.525D+01 0.6D+01\n0.7D+01 0.85D+01\n",
        None,
        None,
        "",
    ),
    "full-width digits": ("load，temp\n" + BODY.translate({c: c + 0xFEE0 for c in range(0x2B, 0x3A)}), None, None, ""),
}


@pytest.mark.parametrize("kind", SHAPES)
def test_tables_of_every_kind(kind: str) -> None:
    text, names, label, says = SHAPES[kind]
    table = read_table(text)
    np.testing.assert_array_equal(table.values, X)
    assert table.values.dtype == np.float64
    assert not table.values.flags.writeable
    if names is not None:
        assert table.names == tuple(names.split() if isinstance(names, str) else names)
        assert table.named
    assert len(table.names) == 2
    assert table.labels == (tuple(label.format(k + 1) for k in range(4)) if label else None)
    assert re.search(says, said(table)), said(table)
    if not says:
        assert not table.left_out, said(table)


NUMBERS = {
    "decimal comma, one column": ("Temperatur\n21,0\n21,6\n22\n22,7\n", [21.0, 21.6, 22, 22.7]),
    "decimal comma, one column, no name": (
        "".join(
            f"{v:.1f}\n".replace(".", ",") for v in (21.0, 21.6, 22.2, 22.7, 23.2, 23.5, 23.8, 24.0, 23.9, 22.9, 22.4)
        ),
        [21.0, 21.6, 22.2, 22.7, 23.2, 23.5, 23.8, 24.0, 23.9, 22.9, 22.4],
    ),
    "decimal comma, zeros behind it": ("0,05\n0,07\n1,25\n", [0.05, 0.07, 1.25]),
    "thousands": ("Price\n1,180.00\n1,186.64\n999.5\n", [1180.0, 1186.64, 999.5]),
    "thousands without a name": ("1,180.00\n1,186.64\n1,193.09\n", [1180.0, 1186.64, 1193.09]),
    "millions": ("Price\n1,180,000\n21,186,640\n999\n", [1180000, 21186640, 999]),
    "thousands in quotes": ('Price\n"1,180"\n"1,186"\n"999"\n', [1180, 1186, 999]),
    "German thousands": ("Preis\n1.180,00\n1.186,64\n999,5\n", [1180.0, 1186.64, 999.5]),
    "German millions without decimals": ("Preis\n1.180.000\n1.186\n999\n", [1180000, 1186, 999]),
    "blanks between thousands": ("Prix\n1 180,5\n1 186,64\n999,5\n", [1180.5, 1186.64, 999.5]),
    "blanks that do not break": ("Prix\n1\u00a0180,5\n1\u202f186,64\n999,5\n", [1180.5, 1186.64, 999.5]),
    "thin blanks": ("Prix\n1\u2009180.5\n1\u2009186.64\n999.5\n", [1180.5, 1186.64, 999.5]),
    "Swiss": ("Preis\n1'180.5\n1'186.64\n999.5\n", [1180.5, 1186.64, 999.5]),
    "Swiss as printed": ("Preis\n1’180.5\n1’186.64\n999.5\n", [1180.5, 1186.64, 999.5]),
    "lakhs": ('Price\n"1,18,000.5"\n"18,000"\n"1,23,45,678"\n', [118000.5, 18000, 12345678]),
    "K, M and B": ("Vol\n1.5M\n890.5K\n2B\n12\n", [1.5e6, 890.5e3, 2e9, 12]),
    "euros behind": ("Preis\n12,50 €\n13,75 €\n9,99 €\n", [12.5, 13.75, 9.99]),
    "yuan": ("价格\n12.5元\n13元\n9元\n", [12.5, 13, 9]),
    "powers of ten": ("x\n1.5×10^3\n2.5x10^-2\n3 × 10^0\n", [1500, 0.025, 3]),
    "truth values": ("on\nTrue\nFalse\nTRUE\n", [1, 0, 1]),
    "yes and no": ("on\nyes\nno\nyes\n", [1, 0, 1]),
    "a line": ("1, 2, 3.5\n", [1, 2, 3.5]),
    "a line with decimal commas": ("1,5; 2; 3,5\n", [1.5, 2, 3.5]),
    "one number": ("5", [5]),
    "a title of many words": ('"monthly totals in thousands, Jan 49 - Dec 60"\n112\n118\n132\n', [112, 118, 132]),
    "the same without quotes": ("monthly totals in thousands, Jan 49 - Dec 60\n112\n118\n132\n", [112, 118, 132]),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_however_they_are_written(kind: str) -> None:
    text, values = NUMBERS[kind]
    np.testing.assert_allclose(read_table(text).values[:, 0], values, rtol=1e-15)
    assert read_table(text).values.shape == (len(values), 1)


def test_what_could_be_read_otherwise_is_said() -> None:
    assert "2 steps of 2 columns" in read_table("1,5\n2,7\n").says
    assert "two numbers, not as one with a decimal comma" in said(read_table("1,5\n2,7\n3,1\n4,2\n"))
    assert "it could also be 1180" in said(read_table("a;b\n1.180;2\n2.345;3\n"))
    assert "1.18; it could also be 1180" in said(read_table("a;b\n1,180;2\n2,345;3\n"))
    assert "1180; it could also be 1.18" in said(read_table("a\n1,180\n2,345\n"))
    np.testing.assert_array_equal(read_table("a\n1,180\n2,345\n", decimal=",").values, [[1.18], [2.345]])
    np.testing.assert_array_equal(read_table("a;b\n1.180;2\n2.345;3\n", decimal=",").values, [[1180, 2], [2345, 3]])
    np.testing.assert_array_equal(read_table("1,5\n2,7\n", decimal=",").values, [[1.5], [2.7]])
    np.testing.assert_array_equal(read_table("1 5\n2 7\n", separator=" ").values, [[1, 5], [2, 7]])
    assert "−999 stands once" in said(read_table("a,b\n1,2\n2,3\n-999,5\n4,6\n3,7\n"))
    assert "the newest step comes first" in said(read_table("d,x\n05/03/2020,1\n04/03/2020,2\n03/03/2020,3\n"))
    assert "numbers rise evenly, as times do" in said(read_table("t,x\n0.0,1\n0.1,5\n0.2,3\n"))
    assert "a single line of numbers" in said(read_table("1,2,3"))
    assert "has to be turned" in said(read_table("\n".join(",".join(map(str, range(k, k + 30))) for k in (1, 5))))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("name", ["温度", "Température", "気温", "Größe", "load"])
def test_unicode_is_recognised(encoding: str, name: str) -> None:
    table = read_table(f"{name},x\n1.5,2\n3,4\n".encode(encoding))
    assert table.names == (name, "x")
    assert not table.left_out


@pytest.mark.parametrize(
    ("encoding", "text", "says"),
    [
        ("gbk", "日期,温度（℃）,电力负荷\n", "GB18030"),
        ("gb18030", "日期,负荷,风速\n", "GB18030"),
        ("shift_jis", "日付,気温,降水量\n", "Shift-JIS"),
        ("cp932", "日付,データ,センサー\n", "Shift-JIS"),
        ("big5", "日期,溫度,電力負荷\n", "Big5"),
        ("euc_kr", "날짜,온도,전력\n", "EUC-KR"),
        ("cp1251", "Дата,Температура,Давление\n", "Windows-1251"),
        ("latin-1", "Date,Température,Débit\n", "Windows-1252"),
        ("cp1252", "Datum,Größe in €,für °C\n", "Windows-1252"),
    ],
)
def test_older_encodings_are_recognised_and_said(encoding: str, text: str, says: str) -> None:
    table = read_table((text + "2020-01-01,1.5,2\n2020-01-02,3,4\n").encode(encoding))
    assert table.names == tuple(text.strip().split(",")[1:])
    assert f"The text was read as {says}" in said(table)


GAPS = "date,a,b\n2020-01-01,1,2\n2020-01-02,,3\n2020-01-03,4,NA\n2020-01-04,6,9\n"


@pytest.mark.parametrize("word", ["", "NA", "n/a", "NaN", "null", "-", "—", "?", "...", "#N/A", "#DIV/0!", "缺失", " "])
def test_a_missing_number_is_refused_with_its_place_and_an_offer(word: str) -> None:
    with pytest.raises(MissingValues) as caught:
        read_table(f"a,b\n1,2\n{word},3\n4,5\n6,7\n")
    assert "Line 3, column 1 (a)" in str(caught.value)
    assert 'missing="drop"' in str(caught.value)
    assert (caught.value.count, caught.value.steps, caught.value.choices) == (1, 4, ("a", "b"))


@pytest.mark.parametrize(
    ("missing", "values", "labels"),
    [
        ("drop", [[1, 2], [6, 9]], ("2020-01-01", "2020-01-04")),
        ("carry", [[1, 2], [1, 3], [4, 3], [6, 9]], 4),
        ("interpolate", [[1, 2], [2.5, 3], [4, 6], [6, 9]], 4),
    ],
)
def test_missing_numbers_are_mended_as_asked(missing: str, values: list, labels: tuple | int) -> None:
    table = read_table(GAPS, missing=missing)
    np.testing.assert_array_equal(table.values, values)
    assert table.labels == labels if isinstance(labels, tuple) else len(table.labels or ()) == labels
    assert re.search("2 (steps were left out|missing numbers were filled in)", said(table))


def test_missing_numbers_at_the_ends_and_elsewhere() -> None:
    np.testing.assert_array_equal(
        read_table("a\nx\n1\n\n3\nNA\n5\nNA\n", missing="carry").values[:, 0], [1, 3, 3, 5, 5]
    )
    np.testing.assert_array_equal(read_table("a,b\n,1\n3,1\n,1\n", missing="interpolate").values[:, 0], [3, 3, 3])
    np.testing.assert_array_equal(read_table(GAPS, rows=slice(3, None)).values, [[6, 9]])
    np.testing.assert_array_equal(read_table(GAPS, columns=["a"], rows=slice(2, 4)).values, [[4], [6]])
    with pytest.raises(ValueError, match="Every step lacks a number"):
        read_table("a,b\n1,\n,2\n", missing="drop")
    with pytest.raises(ValueError, match="must be one of drop, carry, interpolate"):
        read_table(GAPS, missing="guess")


def test_columns_and_rows_are_chosen_by_name_and_number() -> None:
    text = ",a,b,note\n" + "".join(f"{k},{k + 0.5},{-k},ok\n" for k in range(6))
    np.testing.assert_array_equal(read_table(text, columns=["b", "a"]).values[2], [-2, 2.5])
    np.testing.assert_array_equal(read_table(text, columns=[2]).values[2], [-2])
    np.testing.assert_array_equal(read_table(text, columns=[0, 1]).values[2], [2, 2.5])
    np.testing.assert_array_equal(read_table(text, columns="a", rows=slice(1, 4)).values, [[1.5], [2.5], [3.5]])
    assert read_table(text, rows=slice(None, None, -1)).labels == tuple("543210")
    turned = read_table(text, transpose=True)
    assert (turned.values.shape, turned.names, turned.labels) == ((2, 6), tuple("012345"), ("a", "b"))
    for wrong, says in (({"columns": ["c"]}, "no column 'c'"), ({"columns": ["note"]}, "holds no numbers"),
                        ({"columns": [9]}, "no column 9"), ({"columns": 3.5}, "no column 3.5"),
                        ({"columns": object}, "no column <class"), ({"columns": []}, "No column is chosen"),
                        ({"rows": slice(9, 12)}, "no such rows"), ({"rows": 3}, "must be a slice")):  # fmt: skip
        with pytest.raises(ValueError, match=says):
            read_table(text, **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("\n \n\t\n", "empty"),
        ("hello", "Line 1, column 1 holds 'hello', which is not a number"),
        ("a,b\nc,d\ne,f\n", "not a number"),
        ("1,2\n3\n5,6\n", "Line 2 has 1 number and line 1 has 2; every line needs the same count"),
        ("a,b\n1,2\n3\n5,6\n", "Line 3 has 1 number and line 2 has 2"),
        ("a,b\n1,2\n3,4,5\n5,6\n", "Line 3 has 3 numbers and line 2 has 2"),
        ("a\n1\nbroken\n3\n4\n", "Line 3, column 1 \\(a\\) holds 'broken', which is not a number"),
        ("a\n1\ninf\n3\n", "Line 3, column 1 \\(a\\) holds 'inf'; only finite"),
        ("a\n1\n1e999\n3\n", "Line 3, column 1 \\(a\\) holds '1e999', beyond"),
        ("a,b\n5 kW,1\n500 W,2\n6 kW,3\n", "holds '500 W'"),
        ("a,b\n21,0,22,5\n21,6,23,0\n", "twice as many cells as there are names"),
        ('{"a": [1, 2]}', "JSON"),
        ("[[1, 2], [3, 4]]", "JSON or a printed list"),
        ("<html><table><tr><td>1</td></tr></table></html>", "HTML"),
    ],
)
def test_what_is_no_table_is_refused_with_the_place(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_table(text)
    with pytest.raises(ValueError, match=says):
        read_table(text.encode())


def test_a_path_is_read_and_a_long_table_too(tmp_path) -> None:
    values = np.round(np.random.default_rng(0).normal(size=(20_000, 3)), 6)
    path = tmp_path / "series.csv"
    np.savetxt(path, values, delimiter=",", header="a,b,c", fmt="%.6f")
    for given in (path, str(path), path.read_bytes(), path.read_text()):
        table = read_table(given)
        np.testing.assert_array_equal(table.values, values)
        assert table.names == ("a", "b", "c")
    with pytest.raises(OSError, match="nowhere"):
        read_table(tmp_path / "nowhere.csv")


@pytest.mark.parametrize("thing", [None, 3, [1, 2], np.zeros(3), object()])
def test_something_else_than_a_file_is_refused(thing: object) -> None:
    with pytest.raises(ValueError, match="must be given as bytes, as text or as a path"):
        read_table(thing)  # type: ignore[arg-type]
