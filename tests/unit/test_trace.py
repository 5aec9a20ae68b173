"""Trace: a frozen value that saves, loads, selects and tabulates."""

import dataclasses
import io
import json
import sys
import zipfile

import numpy as np
import pytest
import torch
from torch import nn
from torch_docs import Case, build

from seqviz.capture import capture
from seqviz.trace import Trace


@pytest.fixture
def trace():
    torch.manual_seed(0)
    rnn = build("LSTM", num_layers=2, bidirectional=True)
    case = Case(rnn, 6, form="packed")
    return capture(rnn, case.x, case.hx)


def small(**changes):
    fields = {
        "arrays": {"x": np.zeros((4, 1, 2), "f"), "l0.h": np.arange(12.0, dtype="f").reshape(4, 1, 3)},
        "initial": {"l0.h": np.full((1, 3), -1, "f")},
        "parity": 1e-7,
        "modes": {"": "GRU"},
        "all_lengths": {"": (4,)},
    }
    return Trace(**{**fields, **changes})


def test_it_is_frozen_and_does_not_freeze_what_it_was_given():
    array = np.zeros((4, 1, 2), "f")
    trace = Trace({"x": array})
    with pytest.raises(ValueError, match="read-only"):
        trace["x"][0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        trace.parity = 0.0
    with pytest.raises(TypeError):
        trace.arrays["y"] = array
    with pytest.raises(TypeError, match="unhashable"):
        hash(trace)
    array[0] = 1


def test_it_reads_as_a_collection_of_signals():
    trace = small()
    assert trace.signals == tuple(trace) == ("x", "l0.h")
    assert len(trace) == 2
    assert "l0.h" in trace
    assert "l0.f" not in trace
    assert trace.nbytes == (4 * 2 + 4 * 3 + 3) * 4
    assert trace.lengths == (4,)
    assert repr(trace) == "Trace(GRU, L=4, N=1, parity=1.0e-07, signals: x, l0.h)"
    with pytest.raises(KeyError, match=r"There is no signal 'l0\.f' in this trace\. It has x, l0\.h\."):
        trace["l0.f"]


def test_equality_is_of_everything():
    assert small() == small()
    nan = {"x": np.full((1, 1, 1), np.nan)}
    assert Trace(nan) == Trace({"x": np.full((1, 1, 1), np.nan)})
    for changes in (
        {"parity": 0.0},
        {"modes": {"": "LSTM"}},
        {"all_lengths": {"": (3,)}},
        {"initial": {}},
        {"arrays": {"x": np.zeros((4, 1, 2), "f")}},
        {"arrays": {"x": np.zeros((4, 1, 2)), "l0.h": small()["l0.h"]}},
    ):
        assert small(**changes) != small()
    assert small() != 3


def test_save_and_load_give_back_every_bit(trace, tmp_path):
    trace.save(tmp_path / "a.trace")
    assert Trace.load(tmp_path / "a.trace") == trace
    trace.save(str(tmp_path / "b.npz"))
    assert Trace.load(str(tmp_path / "b.npz")) == trace
    stream = io.BytesIO()
    trace.save(stream)
    stream.seek(0)
    again = Trace.load(stream)
    assert again == trace
    assert again.signals == trace.signals
    with pytest.raises(ValueError, match="read-only"):
        again["x"][0] = 1


def saved(trace):
    stream = io.BytesIO()
    trace.save(stream)
    return stream.getvalue()


def rewritten(data, change):
    """The archive with its members run through ``change(name, bytes)``; ``None`` drops one."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return out.getvalue()


def array_bytes(array, **options):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, **options)
    return stream.getvalue()


def about(**changes):
    """Replace fields of the description in the archive."""

    def change(name, content):
        if name != "about.npy":
            return content
        stream = io.BytesIO(content)
        fields = json.loads(str(np.lib.format.read_array(stream)))
        return array_bytes(np.array(json.dumps({**fields, **changes})))

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda name, content: None if name == "about.npy" else content,
        lambda name, content: None if name == "signal_0.npy" else content,
        lambda name, content: content[: len(content) // 2],
        lambda name, content: b"" if name == "signal_1.npy" else content,
        lambda name, content: array_bytes(np.zeros(3)) if name == "signal_1.npy" else content,
        lambda name, content: array_bytes(np.array([{}]), allow_pickle=True) if name == "signal_1.npy" else content,
        lambda name, content: array_bytes(np.array("not json")) if name == "about.npy" else content,
        about(format="other"),
        about(signals=3),
        about(modes=None),
        about(lengths={"": ["a"]}),
        about(lengths={"": [1]}),
        about(parity="x"),
    ],
)
def test_a_malformed_file_is_a_value_error(trace, change):
    with pytest.raises(ValueError, match="not a seqviz trace, or it is damaged"):
        Trace.load(io.BytesIO(rewritten(saved(trace), change)))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 nothing", b"\x80\x04." * 100])
def test_a_file_of_another_kind_is_a_value_error(data):
    with pytest.raises(ValueError, match="not a seqviz trace, or it is damaged"):
        Trace.load(io.BytesIO(data))


def test_a_truncated_file_is_a_value_error(trace):
    data = saved(trace)
    for cut in (10, len(data) // 2, len(data) - 5):
        with pytest.raises(ValueError, match="not a seqviz trace, or it is damaged"):
            Trace.load(io.BytesIO(data[:cut]))


def test_a_newer_version_is_named(trace):
    with pytest.raises(ValueError, match="format version 9; this program reads 1"):
        Trace.load(io.BytesIO(rewritten(saved(trace), about(version=9))))


def test_size_is_checked_before_anything_is_allocated(trace):
    with pytest.raises(ValueError, match="at most 100 are read"):
        Trace.load(io.BytesIO(saved(trace)), max_bytes=100)
    huge = array_bytes(np.zeros((1, 1, 1))).replace(b"(1, 1, 1), }", b"(10**9,1,1)}")
    header = np.lib.format.magic(1, 0)
    text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 1000, 1), }"
    text += b" " * (117 - len(text)) + b"\n"
    huge = header + len(text).to_bytes(2, "little") + text
    data = rewritten(saved(trace), lambda name, content: huge if name == "signal_0.npy" else content)
    with pytest.raises(ValueError, match="damaged"):
        Trace.load(io.BytesIO(data))


def test_sel_keeps_three_dimensions_and_counts_as_numpy_does(trace):
    part = trace.sel(step=slice(1, 4), unit=-1, batch=[0, 1, 2][1])
    for name in trace:
        array = trace[name][1:4, 1:2]
        expected = array if name == "x" else array[:, :, -1:]
        np.testing.assert_array_equal(part[name], expected)
    assert part.lengths == (3,)
    assert part.parity == trace.parity
    assert trace.sel() == trace
    assert trace.sel(step=0)["x"].shape == (1, 3, 3)


def test_sel_gives_the_state_before_its_first_step(trace):
    part = trace.sel(step=slice(2, 5))
    np.testing.assert_array_equal(part.initial["l0.h"], trace["l0.h"][1])
    for n, length in enumerate(trace.lengths):
        state = trace["l1_reverse.c"][5, n] if length > 5 else trace.initial["l1_reverse.c"][n]
        np.testing.assert_array_equal(part.initial["l1_reverse.c"][n], state)
    assert trace.sel(step=slice(0, 2)).initial["l0.h"].tolist() == trace.initial["l0.h"].tolist()
    assert part.lengths == tuple(max(0, min(n, 5) - 2) for n in trace.lengths)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"step": 6}, r"x has steps 0 to 5; step 6 does not exist\."),
        ({"step": -7}, "step −7 does not exist"),
        ({"batch": 3}, r"x has batch elements 0 to 2; batch element 3 does not exist\."),
        ({"unit": 4}, r"l0\.i has units 0 to 3; unit 4 does not exist\."),
        ({"step": slice(None, None, -1)}, "must run forwards"),
    ],
)
def test_sel_out_of_range_is_an_index_error_with_the_range(trace, where, words):
    with pytest.raises(IndexError, match=words):
        trace.sel(**where)


def test_the_table_has_one_row_a_number_and_no_padding(trace):
    frame = trace.to_dataframe()
    assert list(frame) == ["layer", "direction", "signal", "step", "batch", "unit", "value"]
    assert len(frame) == sum(trace.lengths) * (3 + 2 * 2 * 6 * 4)
    row = frame[
        (frame.layer == 1)
        & (frame.direction == "reverse")
        & (frame.signal == "f")
        & (frame.step == 2)
        & (frame.batch == 1)
        & (frame.unit == 3)
    ]
    assert row.value.tolist() == [trace["l1_reverse.f"][2, 1, 3]]
    assert frame[frame.signal == "x"].layer.isna().all()
    assert (frame[frame.batch == 0].step < trace.lengths[0]).all()


def test_the_table_of_several_modules_names_them():
    net = nn.Sequential(nn.GRU(2, 3), nn.Identity())
    net = nn.ModuleDict({"a": net[0], "b": nn.GRU(3, 2)})
    net.forward = lambda x: net["b"](net["a"](x)[0])
    trace = capture(net, torch.randn(4, 1, 2))
    frame = trace.to_dataframe()
    assert next(iter(frame)) == "module"
    assert set(frame.module) == {"a", "b"}
    assert len(frame) == sum(trace[name].size for name in trace)


def test_without_pandas_it_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        small().to_dataframe()
