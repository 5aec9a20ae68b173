"""Tables drawn at random in every dialect come back as they were; random and damaged bytes end in a sentence."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqviz import Table, read_table
from seqviz.reading import records as cutting
from seqviz.reading.numerals import STYLES, Style
from seqviz.reading.records import Lines
from seqviz.reading.text import draft_of_text

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "utf-32")
WORDS = ("load", "temp", "flow rate", "wind, north", 'the "old" one', "温度", "负荷", "level\nupper")


def grouped(number: float, style: Style) -> str:
    """A number as `style` writes it, exactly."""
    sign, text = ("-" if number < 0 else ""), f"{abs(number):.2f}"
    whole, part = text.split(".")
    if style.group == "lakh":
        head, tail = whole[:-3], whole[-3:]
        pairs = [head[max(0, k - 2) : k] for k in range(len(head), 0, -2)][::-1]
        whole = ",".join([*pairs, tail])
    elif style.group:
        whole = style.group.join(re.findall(r".{1,3}(?=(?:.{3})*$)", whole))
    return sign + whole + style.decimal + part


@st.composite
def tables(draw: st.DrawFn) -> tuple[bytes, np.ndarray, list[str] | None, list[str] | None]:
    """A file, and what it says: numbers, names, labels."""
    steps, width = draw(st.integers(4, 30)), draw(st.integers(2, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    values = np.round(rng.uniform(-1, 1, (steps, width)) * 10.0 ** rng.integers(1, 8, (steps, width)), 2)
    values = np.where(values == 0, 0.5, values)
    style = draw(st.sampled_from(STYLES))
    separator = draw(st.sampled_from([";", "\t", "|", ","]))
    names = draw(st.none() | st.just(list(rng.permutation(WORDS)[:width])))
    dated = draw(st.booleans())
    labels = [f"20{k // 12:02d}-{k % 12 + 1:02d}-17" for k in range(steps)] if dated else None
    rows = [[grouped(v, style) for v in row] for row in values.tolist()]
    if labels:
        rows = [[label, *row] for label, row in zip(labels, rows, strict=True)]
    out = io.StringIO()
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    writer = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator=draw(st.sampled_from(["\n", "\r\n"])))
    if names:
        writer.writerow((["day"] if labels else []) + names)
    writer.writerows(rows)
    text = draw(st.sampled_from(["", "\n\n"])) + out.getvalue() + draw(st.sampled_from(["", "\n"]))
    encoding = draw(st.sampled_from(ENCODINGS))
    return text.encode(encoding), values, names, labels


@given(tables())
@settings(max_examples=250, deadline=None)
def test_a_table_in_any_dialect_is_read_back(drawn: tuple) -> None:
    data, values, names, labels = drawn
    table = read_table(data)
    np.testing.assert_array_equal(table.values, values)
    assert not names or table.names == tuple(names)
    assert table.labels == (tuple(labels) if labels else None)


def read_or_refused(data: bytes | str) -> None:
    """A table, or one sentence."""
    try:
        table: Table | None = read_table(data)
    except ValueError as refusal:
        table, said = None, str(refusal)
    if table is None:
        assert re.match(r"[A-Z].*[.]$", said, re.DOTALL), said
        assert not re.search(r"Traceback|Error\b|codec|pandas|arrow::|object at 0x", said), said
        assert len(said) < 600
    else:
        assert np.isfinite(table.values).all()
        assert len(table.names) == table.values.shape[1] > 0
        assert table.labels is None or len(table.labels) == len(table.values)
        assert len(table.says) < 5000


@given(tables(), st.data())
@settings(max_examples=250, deadline=None)
def test_a_damaged_table_is_read_or_refused(drawn: tuple, data: st.DataObject) -> None:
    damaged = bytearray(drawn[0])
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, max(0, len(damaged) - 1)))
        damaged[place : place + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    read_or_refused(bytes(damaged))


BITS = [
    *(
        [
            "1",
            "0",
            "-",
            "+",
            ".",
            ",",
            ";",
            "|",
            '"',
            "'",
            "e5",
            "#",
            "%",
            "2020-01-01",
            "x",
            "°C",
            "（",
            "，",
            "nan",
            "1.5",
            "-2",
            "(",
            ")",
            "total",
            "1,180.00",
            "12:30",
            "true",
            "kW",
        ]
    ),
    *("\t", " ", "\n", "\r", "\ufeff", "\x00", "\u2028", "a,b\n", "1,2\n", "sep=;\n"),
]


@given(st.lists(st.sampled_from(BITS), max_size=60).map("".join) | st.text(max_size=60) | st.binary(max_size=200))
@settings(max_examples=500, deadline=None)
def test_anything_is_read_or_refused(data: bytes | str) -> None:
    read_or_refused(data)


@pytest.mark.parametrize("line", [b",\n", b"a\n", b"#\n", b"\n", b";;;\n", b'"\n', b"2020-01-01\n", b"-\n", b"x;y\n"])
def test_a_file_without_numbers_is_given_up_early(line: bytes) -> None:
    """Of two million lines no more than some ten thousand are looked at."""
    read = 0

    class Watched(Lines):
        def __iter__(self) -> Iterator[str]:
            nonlocal read
            for each in super().__iter__():
                read += 1
                yield each

    with pytest.raises(ValueError, match=r"number|nothing|empty|longer"):
        draft_of_text(Watched(line * 2_000_000, "utf-8"), None, None, None)
    assert read < 100_000


ODD_LINES = (
    "# a note", "", "  ", "5;;", "nan;1;2", "1e999;2;3", "1;2", "-;--;---", "n/a;2;3", " 7 ; 8 ; 9 ", '"1";2;3',
    "+1.5;2.5e-3;.5", "1_0;2;3", "0x1p3;1;1", "12 kW;2;3", "x;y;z", "1;2;3;;", "inf;1;1", "٣;1;1", "∞;1;1",
    "3;\x0c;1", "1;2;3\r1;2;3", "2,5;1,5;3", "# a;2;3", "//;2;3", "---;2;3", "cold; mild;3",
)  # fmt: skip
KINDS = (
    lambda k: f"{k / 7:.6f}",
    lambda k: "" if k % 3 else f"{k}",
    lambda k: f"2020-01-{1 + k % 28:02d} 10:{k % 60:02d}",
    lambda k: ("mild", "cold", "n/a", "12")[k % (2 + k // 90)],
    lambda k: f"{-k}e-2",
)


def everything(text: bytes) -> object:
    """All that a reading says; or the sentence that refuses it."""
    try:
        draft = draft_of_text(Lines(text, "utf-8"), None, None, None)
    except ValueError as error:
        return str(error)
    columns = [
        (c.name, c.kind, c.values.tobytes(), c.texts, c.as_label, c.aside, c.labels() if c.labels else None)
        for c in draft.columns
    ]
    return columns, draft.named, draft.notes, None if draft.lines is None else draft.lines.tolist(), draft.odd


def alike(kinds: Sequence[Callable[[int], str]], odd: list[tuple[int, str]], separator: str, end: str) -> bool:
    """Whether a table with odd lines reads in blocks as it reads line by line."""
    lines = [separator.join("abc"[: len(kinds)]), *(separator.join(kind(k) for kind in kinds) for k in range(140))]
    for place, line in odd:
        lines.insert(place, line.replace(";", separator))
    text = end.join(lines).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "CHUNK", 10**9)
        wanted = everything(text)
        patch.setattr(cutting, "CHUNK", 150)
        return everything(text) == wanted


@settings(max_examples=10)
@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=3),
    odd=st.lists(st.tuples(st.integers(70, 140), st.sampled_from(ODD_LINES)), max_size=2),
    separator=st.sampled_from(";,\t "),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_many_lines_at_once_are_read_as_one_by_one(kinds, odd, separator, end):
    assert alike(kinds, odd, separator, end)


@pytest.mark.parametrize(
    "first", [KINDS[0], KINDS[2], lambda k: ("mild", "cold")[k % 2]], ids=["number", "date", "word"]
)
def test_an_odd_line_is_met_as_one_by_one(first):
    """Every other block of these tables is taken at once."""
    kinds = (first, KINDS[0], KINDS[4])
    assert [line for line in ODD_LINES if not alike(kinds, [(110, line)], ";", "\n")] == []


def test_a_large_table_is_read_in_blocks(monkeypatch):
    text = "a;b\n" + "".join(f"{k};{k / 8}\n" for k in range(60_000))
    one_by_one, looked_at = cutting.Block.records, []
    monkeypatch.setattr(cutting.Block, "records", lambda block: looked_at.append(block.height) or one_by_one(block))
    table = read_table(text.replace("59999;", "7;"))
    assert looked_at
    assert max(looked_at) <= 64  # the last lines of a block, which may be no steps
    assert table.values.shape == (60_000, 2)
    assert np.array_equal(table.values[:-1, 0], np.arange(59_999))
    assert np.array_equal(table.values[:, 1], np.arange(60_000) / 8)
    assert table.values[-1, 0] == 7
    assert table.lines is not None
    assert np.array_equal(table.lines, np.arange(2, 60_002))
