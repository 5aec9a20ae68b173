"""Both directions in blocks: torch's numbers, whatever the block, and a run that goes on wherever it was ended."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from alike import SLACK, same
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import parametrizations

import seqviz
from seqviz.folders import ABOUT


def layer(kind="LSTM", inputs=3, units=4, layers=2, **options):
    torch.manual_seed(7)
    return getattr(nn, kind)(inputs, units, layers, bidirectional=True, **options)


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
    projected=st.booleans(),
    draw=st.data(),
)
def test_both_directions_are_torchs_own(
    kind, layers, steps, batch, dtype, first, bias, stated, detail, projected, draw
):
    block = draw.draw(st.one_of(st.just(1), st.just(steps), st.integers(1, steps + 3)))
    options = {"proj_size": 2} if projected and kind == "LSTM" else {}
    net = layer(kind, layers=layers, batch_first=first, bias=bias, **options).to(dtype)
    made = torch.Generator().manual_seed(steps)
    shape = (steps, 3) if not batch else (batch, steps, 3) if first else (steps, batch, 3)
    x = torch.randn(shape, generator=made, dtype=dtype)
    hx = None
    if stated:
        sizes = [(2 * layers, *([batch] if batch else []), size) for size in (options.get("proj_size", 4), 4)]
        states = tuple(torch.randn(size, generator=made, dtype=dtype) for size in sizes)
        hx = states if kind == "LSTM" else states[0]
    trace = seqviz.capture_blocks(net, x, block=block, hx=hx, detail=detail)
    same(trace, seqviz.capture(net, x, hx, detail=detail), SLACK[dtype])
    with torch.no_grad():
        out, last = net(x, hx)
    out = out.unsqueeze(1) if not batch else out.transpose(0, 1) if first else out
    ours = np.concatenate([trace[f"l{layers - 1}.h"], trace[f"l{layers - 1}_reverse.h"]], -1)
    np.testing.assert_allclose(ours, out.numpy(), atol=SLACK[dtype], rtol=0)
    if kind == "LSTM":
        c_n = last[1].unsqueeze(1) if not batch else last[1]
        np.testing.assert_allclose(trace["l0.c"][-1], c_n[0].numpy(), atol=SLACK[dtype], rtol=0)
        np.testing.assert_allclose(trace["l0_reverse.c"][0], c_n[1].numpy(), atol=SLACK[dtype], rtol=0)
    assert trace.problem == ""
    assert trace.parity <= SLACK[dtype]


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_a_network_with_a_readout(kind, tmp_path):
    torch.manual_seed(1)
    net = getattr(seqviz, f"Sequence{kind}")(3, 5, 2, 2, bidirectional=True)
    x = torch.randn(20, 2, 3)
    trace = seqviz.capture_blocks(net, x, tmp_path / "run", block=7)
    same(trace, seqviz.capture(net, x))
    assert seqviz.Trace.open(tmp_path / "run") == trace
    files = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    assert seqviz.Trace.of_files(files) == trace
    assert set(files) == {ABOUT, *(f"signal_{k}.npy" for k in range(len(trace)))}


def test_no_call_is_longer_than_a_block_and_the_input_may_lie_on_disk(tmp_path, monkeypatch):
    calls = []
    for name in ("lstm", "mkldnn_rnn_layer"):
        whole = getattr(torch, name)
        monkeypatch.setattr(torch, name, lambda x, *rest, whole=whole: (calls.append(len(x)), whole(x, *rest))[1])
    np.save(tmp_path / "x.npy", np.random.default_rng(0).standard_normal((50, 1, 3), np.float32))
    x, net = np.load(tmp_path / "x.npy", mmap_mode="r"), layer(layers=1)
    trace = seqviz.capture_blocks(net, x, block=9)
    assert calls
    assert max(calls) <= 9
    same(trace, seqviz.capture(net, torch.from_numpy(np.array(x))))


def test_chosen_signals_alone_are_left(tmp_path):
    net, x = layer(layers=3), torch.randn(30, 2, 3)
    trace = seqviz.capture_blocks(net, x, tmp_path / "run", block=7, signals=["l2_reverse.f", "l0.h"])
    assert trace.signals == ("l2_reverse.f", "l0.h")
    whole = seqviz.capture(net, x)
    for name in trace:
        np.testing.assert_allclose(trace[name], whole[name], atol=2e-6)
    assert {path.name for path in (tmp_path / "run").iterdir()} == {ABOUT, "signal_0.npy", "signal_1.npy"}


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("signals", [None, ["l1.o"]])
@pytest.mark.parametrize("layers", [1, 2])
def test_a_run_goes_on_from_wherever_it_was_ended(tmp_path, layers, signals):
    """Every block of every pass is the last of some session, and the one after it is torn."""
    net, x = layer(layers=layers), torch.randn(20, 2, 3)
    signals = signals and [f"l{layers - 1}.o"]
    whole = seqviz.capture_blocks(net, x, block=8, signals=signals)
    told, there = [], []
    for _ in range(3 * 2 * layers + 1):
        count = 0

        def tell(done, steps):
            nonlocal count
            told.append((done, steps))
            count += 1
            if count > 1:
                raise Interrupted

        try:
            found = seqviz.capture_blocks(net, x, tmp_path, block=8, signals=signals, progress=tell)
        except Interrupted:
            half = seqviz.Trace.open(tmp_path)
            there.append(len(half[half.signals[0]]))
            assert ("interrupted" in half.problem) == (there[-1] < 20)
            for name in half:
                np.testing.assert_array_equal(half[name], whole[name][: there[-1]])
    assert found == whole
    assert there == [0] * (3 * (2 * layers - 1)) + [8, 16, 20]
    assert told == sorted(told)
    assert told[-1] == (20, 20)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".npy"}
    assert not list(tmp_path.glob("beside*"))


def test_a_stopped_run_ends_with_the_steps_it_has(tmp_path):
    net, x = layer("GRU", layers=1), torch.randn(20, 1, 3)
    left = iter([False] * 7 + [True])
    half = seqviz.capture_blocks(net, x, tmp_path, block=4, stop=lambda: next(left))
    assert half["l0.h"].shape == half["l0_reverse.h"].shape == (8, 1, 4)
    np.testing.assert_allclose(half["l0_reverse.h"], seqviz.capture(net, x)["l0_reverse.h"][:8], atol=2e-6)
    assert half.problem == "The run was interrupted: 8 steps of 20 are there."


_KILLED = """
import os, signal, sys
import torch
from torch import nn
import seqviz
from seqviz import folders

torch.set_num_threads(1)
torch.manual_seed(7)
net, x = nn.LSTM(3, 4, 2, bidirectional=sys.argv[2] == "both"), torch.randn(60, 2, 3)
put, left = folders.Writer.put, int(sys.argv[3])

def dies(self, arrays, start, **known):
    global left
    left -= 1
    if left == 0:  # some signals of this block are written, the description is not
        arrays = dict(list(arrays.items())[: len(arrays) // 2])
        self._describe = lambda: os.kill(os.getpid(), signal.SIGKILL)
    put(self, arrays, start, **known)

folders.Writer.put = dies
seqviz.capture_blocks(net, x, sys.argv[1], block=8)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system cannot kill so")
def test_a_killed_run_goes_on(tmp_path):
    """The process is killed in the middle of writing a block: in one direction, and in a pass of both."""
    runs = [("one", 4, 24), ("both", 12, 0)]
    around = {**os.environ, "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen([sys.executable, "-c", _KILLED, str(tmp_path / f"{way}{left}"), way, str(left)], env=around)
        for way, left, _ in runs
    ]
    for process, (way, left, there) in zip(started, runs, strict=True):
        assert process.wait(timeout=120) == -signal.SIGKILL
        torch.manual_seed(7)
        net, x = nn.LSTM(3, 4, 2, bidirectional=way == "both"), torch.randn(60, 2, 3)
        folder = tmp_path / f"{way}{left}"
        assert len(seqviz.Trace.open(folder)["l0.h"]) == there
        told = []
        trace = seqviz.capture_blocks(
            net, x, folder, block=8, progress=lambda done, steps, told=told: told.append(done)
        )
        assert told[0] > 0
        assert trace == seqviz.capture_blocks(net, x, block=8)
        same(trace, seqviz.capture(net, x))


def test_what_is_another_run_is_not_gone_on_with(tmp_path):
    net, x, left = layer("GRU"), torch.randn(20, 1, 3), iter([False, False, True])
    seqviz.capture_blocks(net, x, tmp_path, block=4, stop=lambda: next(left))
    other, changed = layer("GRU"), x.clone()
    with torch.no_grad():
        other.weight_hh_l1_reverse[0, 0] += 1e-7
    changed[15] += 1e-6  # of the blocks that were seen, which are the last
    with pytest.raises(ValueError, match="another module"):
        seqviz.capture_blocks(other, x, tmp_path, block=4)
    with pytest.raises(ValueError, match="another input"):
        seqviz.capture_blocks(net, changed, tmp_path, block=4)
    with pytest.raises(ValueError, match="other options"):
        seqviz.capture_blocks(net, x, tmp_path, block=5)
    assert seqviz.capture_blocks(net, x, tmp_path, block=4).problem == ""


@pytest.mark.parametrize(
    "change", [{"passes": 9}, {"passes": -1}, {"passes": "x"}, {"within": 21}, {"within": True}, {"states": {}}]
)
def test_a_description_that_lies_is_refused(tmp_path, change):
    net, x, left = layer("GRU"), torch.randn(20, 1, 3), iter([False, False, True])
    seqviz.capture_blocks(net, x, tmp_path, block=4, stop=lambda: next(left))
    said = json.loads((tmp_path / ABOUT).read_text())
    assert said["within"] == 8
    (tmp_path / ABOUT).write_text(json.dumps(said | change))
    with pytest.raises(ValueError, match="damaged"):
        seqviz.capture_blocks(net, x, tmp_path, block=4)


def test_what_was_cut_off_is_refused_where_it_is_read_again(tmp_path):
    net, x, left = layer("GRU"), torch.randn(20, 1, 3), iter([False] * 11 + [True])
    trace = seqviz.capture_blocks(net, x, tmp_path, block=4, stop=lambda: next(left))
    file = tmp_path / f"signal_{trace.signals.index('l0_reverse.h')}.npy"
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(ValueError, match="damaged"):
        seqviz.capture_blocks(net, x, tmp_path, block=4)


def overflowing(reverse):
    net = nn.RNN(1, 1, nonlinearity="relu", bias=False, bidirectional=True)
    with torch.no_grad():
        for end in ("", "_reverse"):
            getattr(net, f"weight_hh_l0{end}").fill_(100.0 if (end != "") == reverse else 0.5)
            getattr(net, f"weight_ih_l0{end}").fill_(1.0)
    return net


def with_nan(where):
    net, x = layer(), torch.randn(40, 2, 3)
    if where == "input":
        x[13, 1, 2] = math.nan
        x[31, 0, 0] = math.nan
    elif where == "weight":
        with torch.no_grad():
            net.weight_hh_l1_reverse[2, 1] = math.nan
    return net, x


@pytest.mark.parametrize(
    ("net", "x"),
    [with_nan("input"), with_nan("weight"), *((overflowing(way), torch.ones(40, 1, 1)) for way in (True, False))],
)
def test_what_is_wrong_is_said_as_of_the_whole(net, x):
    trace, whole = seqviz.capture_blocks(net, x, block=6), seqviz.capture(net, x)
    assert trace.problem == whole.problem != ""


class Scaled(nn.LSTM):
    def forward(self, x, hx=None):
        return super().forward(2 * x, hx)


class Plain(nn.LSTM):
    """A class of somebody's that adds nothing to a call."""


def test_a_layer_that_does_something_of_its_own_is_refused(tmp_path):
    torch.manual_seed(0)
    net, x = Scaled(3, 4, bidirectional=True), torch.randn(20, 1, 3)
    with pytest.raises(ValueError, match=r"Scaled does something of its own around nn\.LSTM"):
        seqviz.capture_blocks(net, x, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    plain = Plain(3, 4, bidirectional=True)
    same(seqviz.capture_blocks(plain, x, block=6), seqviz.capture(plain, x))


def test_weights_that_are_made_when_they_are_used(tmp_path):
    net, x = layer("GRU", layers=1), torch.randn(20, 1, 3)
    parametrizations.weight_norm(net, "weight_hh_l0_reverse")
    with torch.no_grad():
        net.parametrizations.weight_hh_l0_reverse.original0.mul_(1.5)
    same(seqviz.capture_blocks(net, x, block=6), seqviz.capture(net, x))


def test_the_random_numbers_of_others_are_left_alone():
    net, x = layer(), torch.randn(20, 1, 3)
    before = torch.get_rng_state()
    seqviz.capture_blocks(net, x, block=6)
    assert torch.equal(torch.get_rng_state(), before)
