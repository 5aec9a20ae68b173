"""Capture in blocks: the numbers of the whole, on disk, whatever the block, and a run that goes on where it was."""

from __future__ import annotations

import json
import math
import os
import re

import numpy as np
import pytest
import torch
from alike import SLACK, same
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import seqviz
from seqviz import folders
from seqviz.folders import ABOUT


def layer(kind, inputs=3, units=4, **options):
    torch.manual_seed(5)
    return getattr(nn, kind)(inputs, units, **options)


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(["RNN", "GRU", "LSTM"]),
    layers=st.integers(1, 3),
    steps=st.integers(1, 40),
    batch=st.sampled_from([0, 1, 3]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    first=st.booleans(),
    bias=st.booleans(),
    stated=st.booleans(),
    detail=st.booleans(),
    draw=st.data(),
)
def test_blocks_of_any_size_give_what_the_whole_gives(
    kind, layers, steps, batch, dtype, first, bias, stated, detail, draw
):
    block = draw.draw(st.one_of(st.just(1), st.just(steps), st.integers(1, steps + 3)))
    net = layer(kind, num_layers=layers, batch_first=first, bias=bias).to(dtype)
    made = torch.Generator().manual_seed(steps)
    shape = (steps, 3) if not batch else (batch, steps, 3) if first else (steps, batch, 3)
    x = torch.randn(shape, generator=made, dtype=dtype)
    hx = None
    if stated:
        sizes = (layers, 4) if not batch else (layers, batch, 4)
        states = tuple(torch.randn(sizes, generator=made, dtype=dtype) for _ in range(2))
        hx = states if kind == "LSTM" else states[0]
    trace = seqviz.capture_blocks(net, x, block=block, hx=hx, detail=detail)
    same(trace, seqviz.capture(net, x, hx, detail=detail), SLACK[dtype])
    assert trace.problem == ""
    assert trace.parity <= SLACK[dtype]


@pytest.mark.parametrize("block", [1, 7, 20, 64])
def test_a_network_with_a_readout_and_a_projection(block):
    torch.manual_seed(1)
    x = torch.randn(20, 2, 3)
    for net in (seqviz.SequenceLSTM(3, 5, 2, 2, proj_size=3), seqviz.SequenceGRU(3, 5, 2), seqviz.SequenceRNN(3, 5, 2)):
        same(seqviz.capture_blocks(net, x, block=block), seqviz.capture(net, x), 2e-6)


def test_the_numbers_are_torchs_own():
    net, x = layer("LSTM", num_layers=2), torch.randn(50, 2, 3)
    with torch.no_grad():
        out, (_, c_n) = net(x)
    trace = seqviz.capture_blocks(net, x, block=8)
    np.testing.assert_allclose(trace["l1.h"], out.numpy(), atol=2e-6)
    np.testing.assert_allclose(trace["l0.c"][-1], c_n[0].numpy(), atol=2e-6)


def test_an_input_on_disk_is_taken_as_it_lies(tmp_path):
    x = np.random.default_rng(0).standard_normal((30, 1, 3)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    net = layer("GRU")
    trace = seqviz.capture_blocks(net, np.load(tmp_path / "x.npy", mmap_mode="r"), block=7)
    same(trace, seqviz.capture(net, torch.from_numpy(x)), 2e-6)


def test_no_call_of_the_layer_is_longer_than_a_block():
    net, lengths = layer("LSTM"), []
    net.register_forward_hook(lambda module, args, out: lengths.append(len(args[0])))
    seqviz.capture_blocks(net, torch.randn(23, 1, 3), block=5)
    assert lengths == [5, 5, 5, 5, 3]


def test_a_folder_opens_again_and_slices(tmp_path):
    net, x = layer("LSTM"), torch.randn(30, 2, 3)
    made = seqviz.capture_blocks(net, x, tmp_path / "run", block=8)
    trace = seqviz.Trace.open(tmp_path / "run")
    assert trace == made
    assert isinstance(trace["l0.f"], np.memmap)
    assert trace.lengths == (30, 30)
    whole = seqviz.capture(net, x)
    np.testing.assert_allclose(trace["l0.f"][9:17], whole["l0.f"][9:17], atol=2e-6)
    part = trace.sel(step=slice(9, 17))
    np.testing.assert_array_equal(part.initial["l0.c"], trace["l0.c"][8])
    np.testing.assert_array_equal(np.load(tmp_path / "run" / "signal_1.npy"), trace["l0.i"])
    with pytest.raises(ValueError, match="read-only"):
        trace["l0.f"][0] = 1


def test_a_saved_trace_opens_too(tmp_path):
    trace = seqviz.capture(layer("GRU"), torch.randn(5, 1, 3))
    trace.save(tmp_path / "run.npz")
    assert seqviz.Trace.open(tmp_path / "run.npz") == trace


def test_a_temporary_folder_goes_with_its_trace(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    trace = seqviz.capture_blocks(layer("GRU"), torch.randn(9, 1, 3), block=4)
    assert list(tmp_path.iterdir())
    del trace
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="no signal"):
        seqviz.capture_blocks(layer("GRU"), torch.randn(9, 1, 3), signals=["l0.q"])
    assert not list(tmp_path.iterdir())


def test_chosen_signals_alone_are_written(tmp_path):
    net, x = layer("LSTM"), torch.randn(30, 1, 3)
    trace = seqviz.capture_blocks(net, x, tmp_path / "run", block=7, signals=["l0.f"])
    assert trace.signals == ("l0.f",)
    np.testing.assert_allclose(trace["l0.f"], seqviz.capture(net, x)["l0.f"], atol=2e-6)
    assert len(list((tmp_path / "run").glob("*.npy"))) == 1


class Interrupted(Exception):
    pass


def interrupted(net, x, folder, at, **options):
    def tell(done, steps):
        if done >= at:
            raise Interrupted

    with pytest.raises(Interrupted):
        seqviz.capture_blocks(net, x, folder, progress=tell, **options)


@pytest.mark.parametrize("signals", [None, ["l0.i"]])
@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_an_interrupted_run_goes_on_from_its_last_whole_block(tmp_path, kind, signals):
    net, x = layer(kind, num_layers=2), torch.randn(50, 2, 3)
    signals = signals and (["l0.h"] if kind != "LSTM" else signals)
    calls, told = [], []
    net.register_forward_hook(lambda module, args, out: calls.append(len(args[0])))
    interrupted(net, x, tmp_path, 24, block=8, signals=signals)
    calls.clear()
    half = seqviz.Trace.open(tmp_path)
    assert len(half[half.signals[0]]) == 24
    assert half.problem == "The run was interrupted: 24 steps of 50 are there."
    with (tmp_path / "signal_0.npy").open("ab") as stream:
        stream.write(b"a block that was cut short")
    done = seqviz.capture_blocks(
        net, x, tmp_path, block=8, signals=signals, progress=lambda done, steps: told.append((done, steps))
    )
    assert calls == [8, 8, 8, 2]
    assert told == [(24, 50), (32, 50), (40, 50), (48, 50), (50, 50)]
    assert done.problem == ""
    whole = seqviz.capture_blocks(net, x, block=8, signals=signals)
    assert done == whole


def test_a_run_that_is_whole_is_not_run_again(tmp_path):
    net, x, calls = layer("GRU"), torch.randn(20, 1, 3), []
    first = seqviz.capture_blocks(net, x, tmp_path, block=8)
    net.register_forward_hook(lambda module, args, out: calls.append(len(args[0])))
    assert seqviz.capture_blocks(net, x, tmp_path, block=8) == first
    assert calls == []


def test_a_run_is_stopped_when_asked(tmp_path):
    net, x, left = layer("GRU"), torch.randn(20, 1, 3), iter([False, False, True])
    half = seqviz.capture_blocks(net, x, tmp_path, block=4, stop=lambda: next(left))
    assert len(half["l0.h"]) == 8
    with pytest.raises(ValueError, match="stopped before its first block"):
        seqviz.capture_blocks(net, x, stop=lambda: True)


def test_what_is_another_run_is_not_gone_on_with(tmp_path):
    net, x = layer("GRU"), torch.randn(20, 1, 3)
    interrupted(net, x, tmp_path, 8, block=4)
    other = layer("GRU")
    with torch.no_grad():
        other.weight_hh_l0[0, 0] += 1e-7
    with pytest.raises(ValueError, match="another module"):
        seqviz.capture_blocks(other, x, tmp_path, block=4)
    changed = x.clone()
    changed[7] += 1e-6
    with pytest.raises(ValueError, match="another input"):
        seqviz.capture_blocks(net, changed, tmp_path, block=4)
    for options in ({"block": 5}, {"hx": torch.ones(1, 1, 4)}, {"detail": True}, {"signals": ["x"]}):
        with pytest.raises(ValueError, match="other options"):
            seqviz.capture_blocks(net, x, tmp_path, **({"block": 4} | options))
    again = seqviz.capture_blocks(other, x, tmp_path, block=4, resume=False)
    same(again, seqviz.capture(other, x), 2e-6)


def test_a_folder_of_somebodys_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="something else than a trace"):
        seqviz.capture_blocks(layer("GRU"), torch.randn(9, 1, 3), tmp_path)
    with pytest.raises(ValueError, match="something else than a trace"):
        seqviz.capture_blocks(layer("GRU"), torch.randn(9, 1, 3), tmp_path / "thesis.txt")
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_what_is_wrong_is_said_with_the_step_of_the_whole():
    net, x = layer("LSTM"), torch.randn(20, 2, 3)
    x[13, 1, 2] = math.nan
    trace = seqviz.capture_blocks(net, x, block=5)
    assert trace.problem == seqviz.capture(net, x).problem
    assert "step 13" in trace.problem
    grows = nn.RNN(1, 1, nonlinearity="relu", bias=False)
    with torch.no_grad():
        grows.weight_hh_l0.fill_(100.0)
        grows.weight_ih_l0.fill_(1.0)
    x = torch.ones(40, 1, 1)
    assert seqviz.capture_blocks(grows, x, block=3).problem == seqviz.capture(grows, x).problem != ""


@pytest.mark.parametrize(
    ("net", "x", "says"),
    [
        (nn.LSTM(3, 4, 2, dropout=0.5), torch.zeros(5, 1, 3), "eval"),
        (nn.Sequential(nn.LSTM(3, 4)), torch.zeros(5, 1, 3), "give its nn.RNN"),
        (nn.Linear(3, 4), torch.zeros(5, 1, 3), "give its nn.RNN"),
        (None, torch.zeros(5, 1, 3), "give its nn.RNN"),
        (nn.LSTM(3, 4), torch.zeros(5, 1, 2), "2 features"),
        (nn.LSTM(3, 4), torch.zeros(5, 1, 3).double(), "float64"),
        (nn.LSTM(3, 4), torch.zeros(0, 1, 3), "empty"),
        (nn.LSTM(3, 4), torch.zeros(3), "3 dimensions"),
        (nn.LSTM(3, 4), torch.tensor(3.0), "a tensor or an array"),
        (nn.LSTM(3, 4), [[1.0]], "a tensor or an array"),
        (nn.LSTM(3, 4), np.zeros((5, 1, 3), dtype="U1"), "float32 or float64"),
    ],
)
def test_what_cannot_be_run_in_blocks_gets_a_sentence(net, x, says, tmp_path):
    with pytest.raises(ValueError, match=says):
        seqviz.capture_blocks(net, x, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("block", [0, -1, 1.5, "x", None])
def test_a_block_is_a_whole_number(block):
    with pytest.raises(ValueError, match="steps of a block"):
        seqviz.capture_blocks(layer("GRU"), torch.randn(5, 1, 3), block=block)


@pytest.fixture
def folder(tmp_path):
    seqviz.capture_blocks(layer("LSTM"), torch.randn(20, 2, 3), tmp_path / "run", block=6)
    return tmp_path / "run"


def damaged(folder):
    with pytest.raises(ValueError, match=r"damaged|version") as caught:
        seqviz.Trace.open(folder)
    assert str(caught.value).count(".") == 1
    with pytest.raises(ValueError, match=r"damaged|version"):
        seqviz.Trace.of_files({path.name: path.read_bytes() for path in folder.iterdir()})


def test_a_folder_whose_files_are_given_is_the_same_trace(folder):
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    opened, given_ = seqviz.Trace.open(folder), seqviz.Trace.of_files(files)
    same(given_, opened, 0)
    assert given_.problem == opened.problem
    del files["signal_2.npy"]
    with pytest.raises(ValueError, match=r"signal_2\.npy is missing; bring all files of the folder\."):
        seqviz.Trace.of_files(files)


@given(change=st.sampled_from(["cut", "flip", "drop", "swap"]), where=st.floats(0, 1), value=st.integers(0, 255))
@settings(max_examples=60, deadline=None)
def test_damaged_files_are_refused_or_read_and_never_break(tmp_path_factory, change, where, value):
    folder = tmp_path_factory.mktemp("runs") / "run"
    seqviz.capture_blocks(layer("LSTM"), torch.randn(9, 1, 3), folder, block=4)
    files = sorted(folder.iterdir())
    file = files[int(where * (len(files) - 1))]
    data = bytearray(file.read_bytes())
    place = int(where * (len(data) - 1))
    if change == "cut":
        file.write_bytes(data[:place])
    elif change == "flip":
        data[place] = value
        file.write_bytes(data)
    elif change == "drop":
        file.unlink()
    else:
        file.write_bytes(files[0].read_bytes())
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    for opened in (lambda: seqviz.Trace.open(folder), lambda: seqviz.Trace.of_files(files)):
        said = ""
        try:
            assert opened()["l0.f"].shape == (9, 1, 4)
        except ValueError as error:
            said = str(error)
        except KeyError:  # a letter of a signal's name
            assert change == "flip"
        assert not said or re.search("damaged|version|missing", said)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"done": 10**12},
        {"done": -1},
        {"done": 21},
        {"done": True},
        {"steps": 10**11, "done": 10**11},
        {"batch": 0},
        {"batch": 2**40, "initial": {}, "states": {}, "done": 0},
        {"block": 0},
        {"dtype": "O"},
        {"dtype": "<f8"},
        {"signals": {}},
        {"signals": {"x": 10**9}},
        {"signals": [["x", 3]]},
        {"initial": {"l0.h": [[[1.0]]]}},
        {"initial": {"l0.h": "x"}},
        {"modes": 3},
        {"parity": "x"},
        {"more": 1},
        {"version": 2},
    ],
)
def test_a_description_that_lies_is_refused(folder, change):
    said = json.loads((folder / ABOUT).read_text())
    (folder / ABOUT).write_text(json.dumps(said | change))
    damaged(folder)


def test_a_description_that_is_none_is_refused(folder):
    for text in ("", "[", "[]", "3", "[" * 100_000, '{"format": "seqviz.blocks"}'):
        (folder / ABOUT).write_text(text)
        damaged(folder)
    (folder / ABOUT).unlink()
    damaged(folder)


def test_a_file_outside_is_never_asked_for(folder):
    """Names of files are counted, not read from the description."""
    said = json.loads((folder / ABOUT).read_text())
    said["signals"] = {"../../x": 3} | {k: v for k, v in said["signals"].items() if k != "x"}
    (folder / ABOUT).write_text(json.dumps(said))
    assert seqviz.Trace.open(folder)["../../x"].shape == (20, 2, 3)


@settings(max_examples=60, deadline=None)
@given(steps=st.integers(1, 60), width=st.integers(1, 80), draw=st.data())
def test_an_overview_holds_every_value_of_its_columns(steps, width, draw):
    array = np.random.default_rng(steps).standard_normal((steps, 2, 3)).astype(np.float32)
    trace = seqviz.Trace({"x": array})
    start = draw.draw(st.integers(0, steps - 1))
    stop = draw.draw(st.integers(start + 1, steps))
    seen = trace.overview("x", width, batch=1, start=start, stop=stop)
    assert len(seen.low) == min(width, stop - start)
    assert (seen.edges[0], seen.edges[-1]) == (start, stop)
    assert set(np.diff(seen.edges)) <= {(stop - start) // len(seen.low), -(-(stop - start) // len(seen.low))}
    for k, (a, b) in enumerate(zip(seen.edges[:-1], seen.edges[1:], strict=True)):
        part = array[a:b, 1].astype(float)
        np.testing.assert_array_equal(seen.low[k], part.min(0).astype(np.float32))
        np.testing.assert_array_equal(seen.high[k], part.max(0).astype(np.float32))
        np.testing.assert_allclose(seen.mean[k], part.mean(0), rtol=1e-6, atol=1e-7)
    assert (seen.note == "") == (stop - start <= width)


def test_an_overview_is_read_in_pieces_and_keeps_what_is_no_number(monkeypatch):
    monkeypatch.setattr("seqviz.overview.CHUNK", 6)
    array = np.arange(40, dtype=np.float32).reshape(20, 1, 2)
    seen = seqviz.Trace({"x": array}).overview("x", 2)
    np.testing.assert_array_equal(seen.mean, [[9, 10], [29, 30]])
    assert seen.note == "A column stands for 10 steps: the smallest, the mean and the largest value."
    array[3, 0, 0] = np.nan
    seen = seqviz.Trace({"x": array}).overview("x", 2)
    assert np.isnan(seen.low[0, 0])
    assert np.isnan(seen.mean[0, 0])
    assert seen.high[1].tolist() == [38, 39]


def test_an_overview_of_nothing_gets_a_sentence():
    trace = seqviz.Trace({"x": np.zeros((5, 1, 2), np.float32)})
    with pytest.raises(ValueError, match="number of columns"):
        trace.overview("x", 0)
    with pytest.raises(ValueError, match="no step"):
        trace.overview("x", 3, start=5)
    with pytest.raises(IndexError, match="batch element 1 does not exist"):
        trace.overview("x", 3, batch=1)


def test_what_is_written_is_let_go_of_and_reads_the_same(monkeypatch, tmp_path):
    """The system is told of every file, again and again, and not at every block."""
    told: list[tuple[int, ...]] = []
    monkeypatch.setattr(folders, "_HELD", 1600)
    monkeypatch.setattr(os, "posix_fadvise", lambda *about: told.append(about), raising=False)
    monkeypatch.setattr(os, "POSIX_FADV_DONTNEED", 4, raising=False)
    torch.manual_seed(0)
    layer, x = nn.LSTM(2, 3), torch.randn(60, 1, 2)
    trace = seqviz.capture_blocks(layer, x, tmp_path / "run", block=10)
    whole = seqviz.capture(layer, x)
    for name in whole.signals:
        np.testing.assert_allclose(trace[name], whole[name], atol=1e-6)
    block = 10 * 4 * sum(trace[name].shape[2] for name in trace.signals)
    assert block == 800
    assert len(told) == 3 * len(trace.signals), "at every second of six blocks"
    assert {about[1:] for about in told} == {(0, 0, 4)}
