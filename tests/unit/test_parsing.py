"""A person's own numbers: what is read, and the one sentence for everything that is not."""

from __future__ import annotations

import io
import pickle
import re
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.lib import format as npy_format

from seqviz.experiment import MAX_INPUT, MAX_STEPS
from seqviz.reading.parsing import parse_csv, parse_npy, parse_numbers

Parser = Callable[..., np.ndarray]


def sentence(parse: Parser, data: object, input_size: int | None = None) -> str:
    """What the parser says about data that will not do; one plain sentence."""
    with pytest.raises(ValueError, match=r".") as caught:
        parse(data, input_size)
    message = str(caught.value)
    assert type(caught.value) is ValueError
    assert is_plain(message), message
    return message


def is_plain(message: str) -> bool:
    """One sentence in words, nothing of Python's or numpy's own."""
    strange = r"Traceback|Error\b|Exception|dtype\(|codec|numpy\.(?!save)|literal|allow_pickle|object at 0x|\n"
    return bool(re.match(r"[A-Z].*\.$", message)) and len(message) < 300 and not re.search(strange, message)


def read_or_refused(parse: Parser, data: object, input_size: int | None = None) -> None:
    """Whatever the data are: a good array, or a ValueError whose sentence is plain."""
    try:
        array = parse(data, input_size)
    except ValueError as error:
        refusal: Exception | None = error
    else:
        refusal = None
    if refusal is not None:
        assert type(refusal) is ValueError
        assert is_plain(str(refusal)), str(refusal)
        return
    assert array.dtype == np.float32
    assert array.ndim == 2
    assert 1 <= len(array) <= MAX_STEPS
    assert 1 <= array.shape[1] <= (input_size or MAX_INPUT)
    assert np.isfinite(array).all()


def saved(array: object, **options: bool) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def headed(descr: object, shape: object, data: bytes = b"", order: object = False) -> bytes:
    """An npy file whose header says anything at all."""
    text = repr({"descr": descr, "fortran_order": order, "shape": shape}).encode("latin1") + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


# Typed numbers


@pytest.mark.parametrize(
    "text",
    ["0 .5 -1", "0, 0.5, -1", "0,.5,-1", "0;.5;-1", "0\t.5\t-1", " 0  5e-1,-1.0 ,", "0\n.5\n−1\n", "0\r\n.5\r\n\r\n-1"],
)  # fmt: skip
@pytest.mark.parametrize("input_size", [None, 1])
def test_one_number_a_step(text: str, input_size: int | None) -> None:
    array = parse_numbers(text, input_size)
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, np.array([[0], [0.5], [-1]], dtype=np.float32))


@pytest.mark.parametrize(
    "text", ["1 2\n3 4", "1,2\n3,4\n", "\n1;2\n\n3;4", "1\t2\n3\t4", "a b\n1 2\n3 4", "1, 2,\n3, 4,"]
)
@pytest.mark.parametrize("input_size", [None, 2])
def test_one_line_a_step(text: str, input_size: int | None) -> None:
    np.testing.assert_array_equal(parse_numbers(text, input_size), [[1, 2], [3, 4]])


def test_a_single_line_is_one_step_when_the_network_has_several_inputs() -> None:
    np.testing.assert_array_equal(parse_numbers("1 2 3", 3), [[1, 2, 3]])
    assert "Line 1 has 4 numbers; the network's input size is 3" in sentence(parse_numbers, "1 2 3 4", 3)


def test_a_line_of_as_many_numbers_as_there_can_be_steps() -> None:
    assert parse_numbers(" ".join(["-1.2345678e-12"] * MAX_STEPS)).shape == (MAX_STEPS, 1)
    assert "2,001 numbers; at most 2,000 steps fit" in sentence(parse_numbers, "1 " * (MAX_STEPS + 1))


# CSV


@pytest.mark.parametrize("separator", [",", ";", "\t", " ", ", ", " ; "])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("header", [[], ["time", "x1"], ['"time, s"', "x"]])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_csv_in_every_dialect(separator: str, end: str, header: list[str], bom: str) -> None:
    lines = [["1.5", "2"], ['"-3"', "4e0"]]
    text = bom + end.join(separator.join(line) for line in ([header] if header else []) + lines) + end
    for data in (text, text.encode()):
        np.testing.assert_array_equal(parse_csv(data), [[1.5, 2], [-3, 4]])


def test_a_csv_row_is_a_step_even_alone() -> None:
    assert parse_csv("1,2,3").shape == (1, 3)
    assert parse_csv(b"1\n2\n3").shape == (3, 1)
    assert parse_csv(bytearray(b"1,2")).shape == (1, 2)


@given(
    st.lists(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=3, max_size=3), min_size=1)
)
@settings(max_examples=60)
def test_numbers_written_down_are_read_back_bit_for_bit(rows: list[list[float]]) -> None:
    array = np.array(rows, dtype=np.float32)
    for separator in (",", "; ", "\t", " "):
        text = "\n".join(separator.join(repr(float(v)) for v in row) for row in array)
        assert parse_csv(text, 3).tobytes() == array.tobytes()
    buffer = io.BytesIO()
    np.savetxt(buffer, array, delimiter=",")
    assert parse_csv(buffer.getvalue()).tobytes() == array.tobytes()


def test_the_largest_float32_fits_as_numpy_prints_it() -> None:
    assert parse_numbers("3.4028235e+38")[0, 0] == np.finfo(np.float32).max
    assert "beyond what a 32-bit float can hold" in sentence(parse_numbers, "3.4028236e+38")


@pytest.mark.parametrize("parse", [parse_numbers, parse_csv])
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        (" \n\t\n\r\n", "empty"),
        ("\ufeff", "empty"),
        (",,\n", "Line 1, column 1 is empty|sequence is empty"),
        ("1\n2\nx\n", "Line 3, column 1 holds 'x', which is not a number"),
        ("1,2\n3,four", "Line 2, column 2 holds 'four'"),
        ("a,b", "Line 1, column 1 holds 'a', which is not a number"),
        ("a,1\n2,3", "Line 1, column 1 holds 'a'"),
        ("<script>alert(1)</script>", "Line 1, column 1 holds '<script>"),
        ("1 🙂 3", "Line 1, column 2 holds '🙂'"),
        ("1\n" + "z" * 10_000, r"Line 2, column 1 holds 'z+\.\.\., which is not a number"),
        ("1_000 2", "holds '1_000'"),
        ("0x10", "holds '0x10'"),
        ("① 2", "holds '①'"),
        ("1\x002", r"holds '1\\x002'"),
        ("1\n\nnan", "Line 3, column 1 holds 'nan'; only finite numbers"),
        ("1 2\n3 -Infinity", "Line 2, column 2 holds '-Infinity'; only finite"),
        ("NaN,NaN\n1,2", "Line 1, column 1 holds 'NaN'"),
        ("1\n1e39", r"line 2, column 1 is 1e\+39, beyond what a 32-bit float can hold"),
        ("1 1e999", "Line 1, column 2 holds '1e999', beyond"),
        ("9" * 5000, "beyond what a 32-bit float"),
        ("1,2\n3\n", "Line 2 has 1 number and line 1 has 2; every line needs the same count"),
        ("x,y\n\n1,2\n3,4,5", "Line 4 has 3 numbers and line 3 has 2"),
        ("1,,2", "Line 1, column 2 is empty"),
        ("1;2\n;3", "Line 2, column 1 is empty"),
        ("1\t\t2", "Line 1, column 2 is empty"),
    ],
)
def test_what_a_table_may_not_hold(parse: Parser, text: str, says: str) -> None:
    assert re.search(says, sentence(parse, text))
    if parse is parse_csv:
        assert re.search(says, sentence(parse, text.encode()))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\nc,d\n1,2", "Line 2, column 1 holds 'c'"),
        ("0,5;0,7", "Line 1 writes '0,5', which may be one number or two: write decimals with a point, as 0.5"),
        ("1\n0,5\t0,7", "Line 2 writes '0,5'"),
        ("0,5 0,7 1,2", "Line 1 writes '0,5'"),
        ('"0,5","0,7"', "Line 1 writes '0,5'"),
        ("0,05\n0,07", "Line 1 writes '0,05'"),
        ("1,000.5", "Line 1 writes '1,000.5'.*thousands"),
    ],
)
def test_typed_commas_that_may_be_decimal_ones_are_asked_about(text: str, says: str) -> None:
    assert re.search(says, sentence(parse_numbers, text))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a,b\nc,d\n1,2", [[1, 2]]),
        ("0,5;0,7", [[0.5, 0.7]]),
        ("0,5 0,7 1,2", [[0.5, 0.7, 1.2]]),
        ('"0,5","0,7"', [[0.5, 0.7]]),
        ("0,05\n0,07", [[0.05], [0.07]]),
        ("1,000.5", [[1000.5]]),
    ],
)
def test_a_file_shows_which_commas_are_decimal_ones(text: str, values: list[list[float]]) -> None:
    np.testing.assert_array_equal(parse_csv(text), np.float32(values))


def test_a_width_that_the_network_does_not_have() -> None:
    assert (
        sentence(parse_csv, "1,2,3\n4,5,6", 2)
        == "Line 1 has 3 numbers; the network's input size is 2, so each line needs 2."
    )
    assert "decimals with a point: 0.5, not 0,5" in sentence(parse_csv, "0,5\n0,7", 1)
    assert "0.5, not 0,5" in sentence(parse_numbers, "0,5\n0,7", 1)
    assert f"at most {MAX_INPUT} fit in a step" in sentence(parse_csv, ",".join(["1"] * 257))
    for parse in (parse_csv, parse_numbers, parse_npy):
        for wrong in (0, 257, 10**9, "2", True):
            assert "input size must be" in sentence(parse, saved(np.zeros(3)) if parse is parse_npy else "1", wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("as_text", [False, True])
def test_ten_million_rows_are_refused_without_reading_them(as_text: bool) -> None:
    data: bytes | str = "0.5\n" * 10**7 if as_text else b"0.5\n" * 10**7
    tracemalloc.start()
    started = time.process_time()
    message = sentence(parse_csv, data)
    spent, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert message == "There are more than 2,000 rows of numbers; at most 2,000 steps fit."
    assert spent < 1
    assert peak < 4 * 2**20


def test_exactly_as_many_rows_as_fit() -> None:
    assert parse_csv("x\n" + "1\n" * MAX_STEPS).shape == (MAX_STEPS, 1)
    for parse in (parse_csv, parse_numbers):
        assert "more than 2,000 rows" in sentence(parse, "1\n" * (MAX_STEPS + 1))
    assert parse_csv("\n".join([",".join(["-1.25e-10"] * MAX_INPUT)] * 20)).shape == (20, MAX_INPUT)


def test_one_endless_line_is_refused() -> None:
    for parse in (parse_numbers, parse_csv):
        assert "Line 2 is 10,000,000 characters long" in sentence(parse, "1\n" + "1," * 5_000_000)


@pytest.mark.parametrize("data", [b"1\n\xff\xfe2", b"1\n\x80", "1;1\n2;é".encode("latin1")])
def test_bytes_of_no_number_in_any_encoding(data: bytes) -> None:
    assert "which is not a number" in sentence(parse_csv, data)


def test_utf16_is_read_and_an_archive_is_refused() -> None:
    np.testing.assert_array_equal(parse_csv("1,2\n".encode("utf-16")), [[1, 2]])
    sentence(parse_csv, b"PK\x03\x04\x14\x00\x06\x00" + bytes(range(256)))


def test_something_that_is_not_text_at_all() -> None:
    for thing in (None, 3, [1, 2], np.zeros(3)):
        sentence(parse_numbers, thing)
        sentence(parse_csv, thing)
        sentence(parse_npy, thing)
    sentence(parse_numbers, b"1 2")
    sentence(parse_npy, "1 2")


cells = st.one_of(
    st.sampled_from([",", ";", "\t", " ", "\n", "\r", "\r\n", '"', "\ufeff", "−", "nan", "1e400", "0,5", "e", "."]),
    st.integers().map(str),
    st.floats().map(repr),
    st.text(st.characters(), max_size=4),
)


@given(st.lists(cells, max_size=20).map("".join), st.sampled_from([None, 1, 2]))
@example("\ud800", None)
@settings(max_examples=400)
def test_any_text_is_read_or_refused_in_one_sentence(text: str, input_size: int | None) -> None:
    for parse in (parse_numbers, parse_csv):
        read_or_refused(parse, text, input_size)


@given(st.binary(max_size=60))
@settings(max_examples=300)
def test_any_bytes_are_read_or_refused_in_one_sentence(data: bytes) -> None:
    for parse in (parse_csv, parse_npy):
        read_or_refused(parse, data)


# npy


@pytest.mark.parametrize(
    "kind", ["<f2", "<f4", ">f4", "<f8", ">f8", "<i1", "<i2", ">i4", "<i8", "<u1", "<u8", "?", np.longdouble]
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_of_every_real_type(kind: str, order: str) -> None:
    array = np.array([[1, 0], [1, 1], [0, 1]], dtype=kind, order=order)  # type: ignore[call-overload]
    read = parse_npy(saved(array), 2)
    assert read.dtype == np.float32
    assert read.flags.c_contiguous
    assert read.flags.writeable
    np.testing.assert_array_equal(read, [[1, 0], [1, 1], [0, 1]])


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_npy_of_every_version(version: tuple[int, int]) -> None:
    buffer = io.BytesIO()
    array = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    npy_format.write_array(buffer, array, version=version)
    assert parse_npy(buffer.getvalue()).tobytes() == array.tobytes()


def test_npy_of_one_dimension_is_one_input() -> None:
    assert parse_npy(saved(np.arange(4)), 1).shape == (4, 1)
    assert parse_npy(bytearray(saved(np.arange(4)))).shape == (4, 1)
    assert parse_npy(memoryview(saved(np.zeros((MAX_STEPS, MAX_INPUT), dtype="f2")))).shape == (MAX_STEPS, MAX_INPUT)


class Bomb:
    """Says so if it is ever unpickled."""

    def __reduce__(self) -> tuple:
        return (pytest.fail, ("it was unpickled",))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (saved(np.float32(3)), "has 0 dimensions; a sequence has two"),
        (saved(np.zeros((2, 2, 2))), "has 3 dimensions"),
        (saved(np.zeros((0, 3))), "empty"),
        (saved(np.zeros((3, 0))), "empty"),
        (saved(np.zeros(0)), "empty"),
        (saved(np.zeros(2001)), "has 2,001 steps; at most 2,000 fit"),
        (saved(np.zeros((2, 257))), "257 numbers; at most 256 fit"),
        (saved(np.array([Bomb()], dtype=object), allow_pickle=True), "pickled objects, which are never opened"),
        (headed("|O", (3,)), "pickled objects"),
        (pickle.dumps([1, 2]), "not an npy file"),
        (saved(np.zeros(3, complex)), "complex numbers"),
        (saved(np.array(["a", "b"])), "holds '<U1', not numbers"),
        (saved(np.array([b"a"])), "not numbers"),
        (saved(np.zeros(2, dtype=[("a", "f4"), ("b", "f4")])), "named fields 'a, b', .*column_stack"),
        (headed([("x" * 900, "<f4")], (1,), bytes(4)), "named fields 'xxx"),
        (headed([3], (1,), bytes(4)), "not numbers"),
        (saved(np.array(["2020"], dtype="M8[D]")), "not numbers"),
        (saved(np.array([[1, 2], [3, np.nan]])), r"NaN at \[1, 1\]; only finite"),
        (saved(np.array([1, -np.inf])), r"−∞ at \[1, 0\]; only finite"),
        (saved(np.array([0, 1e39])), r"1e\+39 at \[1, 0\]; a 32-bit float ends"),
        (headed("<f4", (10**12, 3), b"1234"), "cut short or its header is wrong.* 12,000,000,000,000 bytes and 4 are"),
        (headed("<f8", (2**62, 2**62)), "cut short or its header is wrong"),
        (headed("<f8", (0, 2**62)), "empty"),
        (headed("<f8", (10**30,)), "header of the npy file cannot be read"),
        (headed("<f8", (-1, -8), bytes(64)), "header of the npy file cannot be read"),
        (headed("<f8", (True, 1), bytes(64)), "header of the npy file cannot be read"),
        (headed("<f8", [1, 1], bytes(64)), "header of the npy file cannot be read"),
        (headed("<f8", (1, 1), bytes(64), order="yes"), "header of the npy file cannot be read"),
        (headed("<f8", (1.0,), bytes(64)), "header of the npy file cannot be read"),
        (headed("f99999999", (1,), bytes(64)), "not numbers"),
        (headed("(2,)f4", (1,), bytes(64)), "not numbers"),
        (headed("f4,f4", (1,), bytes(64)), "not numbers"),
        (headed({"a": 1}, (1,), bytes(64)), "not numbers"),
        (headed(3, (1,), bytes(64)), "not numbers"),
        (saved(np.zeros(10))[:-3], "needs 80 bytes and 77 are there"),
        (saved(np.zeros(10))[:40], "header of the npy file cannot be read"),
        (saved(np.zeros(10))[:7], "not an npy file"),
        (b"", "not an npy file"),
        (b"\x93NUMPY\x09\x00" + bytes(99), "header of the npy file cannot be read"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(99), "header of the npy file cannot be read"),
        (b"\x93NUMPY\x01\x00\x20\x00" + b"(" * 32, "header of the npy file cannot be read"),
        (b"\x93NUMPY\x01\x00\x00\x20" + b"[" * 0x2000, "header of the npy file cannot be read"),
        (b"\x93NUMPY\x01\x00\x20\x00" + b"__import__('os').system('true')".ljust(32), "header of the npy file"),
        (b"PK\x03\x04" + bytes(40), "zip or npz archive"),
        (b"1,2\n3,4\n1,2\n3,4\n", "not an npy file"),
    ],
)  # fmt: skip
def test_what_an_npy_may_not_be(data: bytes, says: str) -> None:
    assert re.search(says, sentence(parse_npy, data))


def test_npy_of_another_width() -> None:
    assert sentence(parse_npy, saved(np.zeros((4, 3))), 2) == "Each step has 3 numbers; the network's input size is 2."
    assert "1 number;" in sentence(parse_npy, saved(np.zeros(4)), 2)


def test_a_header_that_promises_a_terabyte_costs_nothing() -> None:
    tracemalloc.start()
    sentence(parse_npy, headed("<f8", (10**6, 10**6), bytes(1000)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


@given(st.data())
@settings(max_examples=300)
def test_a_damaged_npy_is_read_or_refused_in_one_sentence(data: st.DataObject) -> None:
    whole = bytearray(saved(np.arange(6, dtype=np.float32).reshape(3, 2)))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    for damaged in (bytes(whole), cut):
        read_or_refused(parse_npy, damaged)


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("1，2，3", [1, 2, 3]),
        ("０．５、－１、２", [0.5, -1, 2]),
        ("0，5，10", [0, 5, 10]),
        ("1；2", [1, 2]),
        ("1\u30002", [1, 2]),
    ],
)
def test_what_a_chinese_keyboard_types_is_read(typed, values):
    np.testing.assert_array_equal(parse_numbers(typed)[:, 0], np.float32(values))
    np.testing.assert_array_equal(parse_csv(typed.encode())[0], np.float32(values))
