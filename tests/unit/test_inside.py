"""What is read out of torch's own run of an LSTM is that run, and what the documented recurrence gives."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.overrides import TorchFunctionMode
from torch_docs import Case

from seqviz import SequenceLSTM, capture
from seqviz.capture import inside
from seqviz.capture.direct import run_straight

SIZES = st.integers(1, 9)


@settings(max_examples=150, deadline=None)
@given(
    layers=st.integers(1, 3),
    batch_first=st.booleans(),
    bias=st.booleans(),
    state=st.booleans(),
    steps=st.integers(1, 30),
    sizes=st.tuples(SIZES, st.integers(1, 80)),
    readout=st.booleans(),
    seed=st.integers(0, 9),
)
def test_the_straight_way_is_torchs_run(layers, batch_first, bias, state, steps, sizes, readout, seed):
    """``h`` and ``y`` to the last bit, every signal within rounding of the recurrence in double precision."""
    torch.manual_seed(seed)
    options = {"num_layers": layers, "batch_first": batch_first}
    module = SequenceLSTM(*sizes, 2, **options) if readout else nn.LSTM(*sizes, bias=bias, **options)
    layer = module.rnn if readout else module
    case = Case(layer, steps, given=state)
    found = run_straight(module, case.x, case.hx)
    assert found is not None
    out = layer(case.x, case.hx)[0]
    h = out.transpose(0, 1) if batch_first else out
    np.testing.assert_array_equal(found[f"l{layers - 1}.h"], h.detach().numpy())
    if readout:
        y = module(case.x, case.hx)
        np.testing.assert_allclose(found["y"], (y.transpose(0, 1) if batch_first else y).detach(), rtol=0, atol=1e-6)
    right = case.expected()
    for name in [name for name in found if name != "y"]:
        np.testing.assert_allclose(found[name], right[name], rtol=1e-5, atol=2e-6, err_msg=name)
    assert found.parity < 1e-6
    assert found.lengths == (steps,) * found["x"].shape[1]
    assert found.problem == ""


@pytest.mark.parametrize(("steps", "batch", "size"), [(70, 3, 64), (33, 1, 128)])
def test_blocks_of_any_size_give_the_same_bits(monkeypatch, steps, batch, size):
    torch.manual_seed(1)
    layer, x = nn.LSTM(4, size, 2), torch.randn(steps, batch, 4)
    whole = run_straight(layer, x, None)
    assert whole is not None
    for rows in (1, 7, 32):
        monkeypatch.setattr(inside, "BLOCK_BYTES", rows * batch * inside._stride(size) * 4)
        cut = run_straight(layer, x, None)
        assert cut is not None
        assert list(cut) == list(whole)
        for name in whole:
            np.testing.assert_array_equal(cut[name], whole[name], err_msg=name)


def test_a_workspace_laid_out_in_another_way_is_not_believed(monkeypatch):
    """Neither where the small run shows it, nor where only the run itself does."""
    torch.manual_seed(2)
    layer, x = nn.LSTM(3, 20), torch.randn(12, 2, 3)
    right = capture(layer, x)
    assert run_straight(layer, x, None) is not None
    for trusting in (False, True):
        monkeypatch.setattr(inside, "_stride", lambda size: 4 * size + 1)
        known = (lambda *size: True) if trusting else inside._known.__wrapped__
        monkeypatch.setattr(inside, "_known", known)
        assert run_straight(layer, x, None) is None
        found = capture(layer, x)
        for name in right:
            np.testing.assert_allclose(found[name], right[name], rtol=0, atol=1e-6, err_msg=name)
        monkeypatch.undo()


def test_gates_in_another_order_are_not_believed(monkeypatch):
    """``i`` and ``g`` swapped lead to the same ``c``: parity alone would not see it."""
    torch.manual_seed(2)
    through = inside._through

    def swapped(*given):
        out, gates, ends = through(*given)
        return out, gates[[2, 1, 0, 3]], ends

    monkeypatch.setattr(inside, "_through", swapped)
    monkeypatch.setattr(inside, "_known", inside._known.__wrapped__)
    layer, x = nn.LSTM(3, 20), torch.randn(12, 2, 3)
    assert run_straight(layer, x, None) is None
    assert (capture(layer, x)["l0.i"] > 0).all()


class _Looking(TorchFunctionMode):
    """Somebody who hears of every call of torch's functions."""

    def __init__(self) -> None:
        super().__init__()
        self.met: list[object] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.met.append(func)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    ("layer", "around"),
    [
        (nn.LSTM(3, 4).double(), contextlib.nullcontext()),
        (nn.LSTM(3, 4, proj_size=2), contextlib.nullcontext()),
        (nn.LSTM(3, 4, bidirectional=True), contextlib.nullcontext()),
        (nn.LSTM(3, 4, 2, dropout=0.5), contextlib.nullcontext()),
        (nn.GRU(3, 4), contextlib.nullcontext()),
        (nn.LSTM(3, 4), torch.backends.mkldnn.flags(enabled=False)),
        (nn.LSTM(3, 4), torch.autocast("cpu", torch.bfloat16)),
        (nn.LSTM(3, 4), _Looking()),
    ],
)
def test_where_torch_goes_another_way_so_do_we(layer, around):
    x = torch.randn(6, 2, 3, dtype=layer.weight_ih_l0.dtype)
    with around:
        assert run_straight(layer, x, None) is None
        capture(layer, x)
    if isinstance(around, _Looking):
        assert torch.lstm in around.met


def test_a_run_that_is_not_finite_takes_a_closer_look():
    layer, x = nn.LSTM(3, 4), torch.randn(6, 2, 3)
    for value in (torch.nan, torch.inf):
        x[2, 1, 0] = value
        assert run_straight(layer, x, None) is None
        assert "step 2, batch element 1, feature 0" in capture(layer, x).problem


def test_states_and_weights_that_do_not_lie_in_one_piece():
    torch.manual_seed(3)
    layer, x = nn.LSTM(3, 4), torch.randn(6, 2, 3).transpose(0, 1).contiguous().transpose(0, 1)
    layer.weight_hh_l0.data = torch.randn(4, 16).t()
    layer.weight_ih_l0.data = torch.randn(16, 6)[:, ::2]
    states = torch.randn(1, 4, 2).transpose(1, 2), torch.randn(1, 1, 4).expand(1, 2, 4)
    found = capture(layer, x, states)
    wanted = layer.double()(x.double(), tuple(s.double() for s in states))[0]
    np.testing.assert_allclose(found["l0.h"], wanted.detach(), rtol=0, atol=1e-6)
