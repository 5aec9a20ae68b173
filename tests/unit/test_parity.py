"""What is said of how near a run is to torch's own: never less than it is, never −0, and nothing in the log."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch
from referee import well_made
from torch import nn
from torch.nn.functional import linear

import seqviz
from seqviz.capture import stepwise
from seqviz.capture.reconstruct import largest
from seqviz.sequences import generate
from seqviz.telling.trust import describe_parity

LAYERS = {
    "LSTM": lambda: nn.LSTM(1, 2),
    "GRU": lambda: nn.GRU(1, 2),
    "tanh": lambda: nn.RNN(1, 2),
    "ReLU": lambda: nn.RNN(1, 2, nonlinearity="relu"),
}


def filled(layer: nn.Module, value: float) -> nn.Module:
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.fill_(value)
    return layer


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("edits", [[], [seqviz.Clamp("l0.h", 0.5, steps=(1, 2))]], ids=["fast", "edited"])
def test_no_difference_is_0_and_not_minus_0(kind, edits):
    parity = seqviz.capture(filled(LAYERS[kind](), 0.0), torch.zeros(3, 1, 1), interventions=edits).parity
    assert math.copysign(1, parity) == 1
    assert parity == 0


def test_the_largest_difference_has_no_sign():
    for gaps, size in (([0.0, 0.0], 0.0), ([-0.0, -0.0], 0.0), ([-0.25, 0.125], 0.25), ([-0.125, 0.25], 0.25)):
        gap = torch.tensor(gaps).numpy()
        assert math.copysign(1, largest(gap, gap)) == 1
        assert largest(gap, gap) == size


@pytest.mark.parametrize("kind", LAYERS)
def test_an_overflow_leaves_nothing_in_the_log(kind):
    layer = filled(LAYERS[kind](), 3e38)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for edits in ([], [seqviz.Scale("l0.h", 2.0)]):
            seqviz.capture(layer, torch.ones(5, 1, 1), interventions=edits, detail=True)


@pytest.mark.parametrize("kind", LAYERS)
def test_sums_that_overflow_are_torchs_own(kind):
    """inf - inf is NaN or the first of the two, as whoever adds it up goes about it; nobody but torch is asked."""
    overflown = 0
    for seed in range(20):
        torch.manual_seed(seed)
        layer = type(LAYERS[kind]())(5, 5, **({"nonlinearity": "relu"} if kind == "ReLU" else {}))
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.copy_(torch.randn_like(parameter) * 10.0 ** (30 + seed % 7))
        x = torch.randn(12, 1, 5) * 10.0 ** (3 * (seed % 3))
        trace = seqviz.capture(layer, x, detail=True)
        before = torch.cat([torch.zeros(1, 1, 5), torch.from_numpy(trace["l0.h"][:-1].copy())])
        for part, value in (("ih", x), ("hh", before)):
            names = [name for name in trace.signals if name.endswith(f"_{part}")]
            weight, bias = (getattr(layer, f"{tensor}_{part}_l0").detach() for tensor in ("weight", "bias"))
            made = np.concatenate([trace[name] for name in names], axis=-1)
            np.testing.assert_array_equal(made[:, 0], linear(value[:, 0], weight, bias).numpy())
            overflown += not np.isfinite(made).all()
    assert overflown >= 6


def test_an_edit_of_one_direction_hides_no_difference_in_the_other(monkeypatch):
    honest = stepwise.alone

    def off_by_one(*args):
        return [part + 1 for part in honest(*args)]

    layer, x = nn.GRU(2, 3, bidirectional=True), torch.randn(6, 1, 2)
    edit = [seqviz.Clamp("l0_reverse.z", 0.5)]
    assert seqviz.capture(layer, x, interventions=edit).parity < 1e-6
    monkeypatch.setattr(stepwise, "alone", off_by_one)
    assert seqviz.capture(layer, x, interventions=edit).parity == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("parity", [0.0, 1e-300, 5.96e-8, 0.25, math.nan, math.inf])
@pytest.mark.parametrize("edited", [False, True])
def test_what_is_said_of_parity_is_its_number(parity, edited):
    said = describe_parity(parity, edited=edited)
    well_made(said)
    assert ("exactly" in said) == (parity == 0)
    assert ("not finite" in said) == (not math.isfinite(parity))
    assert ("your changes" in said) == (edited and math.isfinite(parity))
    if parity > 0 and math.isfinite(parity):
        assert float(said.values["off"]) == parity


def test_a_run_of_numbers_whose_squares_overflow_is_captured():
    """Its sums are off by more than a thousand roundings, so that a bound on them is asked for."""
    init = seqviz.Init(gain=90.0)
    loud = seqviz.Experiment("RNN_RELU", hidden_size=4, init=init, sequence=seqviz.Sequence("noise", 120))
    net, x = seqviz.network(loud).double(), torch.tensor(generate(loud.sequence, 1), dtype=torch.float64)[:, None]
    trace = seqviz.capture(net, x, detail=True)
    with torch.no_grad():
        right = net.rnn(x)[0].numpy()
    assert 1e160 < right.max() < math.inf
    np.testing.assert_allclose(trace["l0.h"], right, rtol=1e-9)
