"""Tables that people bring: what each of them says, and what has to be said about it."""

from __future__ import annotations

import re

import numpy as np
import pytest

from seqviz import Table, read_table

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
