"""Gradients where gates and states are saturated: right down to the smallest double, by an oracle of 700 digits."""

from __future__ import annotations

import math
from typing import Any

import mpmath as mp
import numpy as np
import pytest
import torch
from mp_cells import Oracle
from torch import nn

from seqviz import Experiment, Init, Sequence, network
from seqviz.gradients import gradient_flow
from seqviz.gradients.jacobians import highway_split, state_jacobians
from seqviz.runner import inputs


def layer(kind: str, gain: float, at: float, seed: int, **options: Any) -> nn.RNNBase:
    torch.manual_seed(seed)
    if kind.startswith("RNN"):
        rnn: nn.RNNBase = nn.RNN(2, 3, nonlinearity=kind[4:].lower(), **options)
    else:
        rnn = getattr(nn, kind)(2, 3, **options)
    with torch.no_grad():
        for name, parameter in rnn.named_parameters():
            parameter.mul_(gain)
            if name.startswith("bias_ih") and kind == "LSTM":
                parameter[3:6] = at
            if name.startswith("bias_ih") and kind == "GRU":
                parameter[3:6] = at
    return rnn.double()


SETTINGS = {
    "one layer": {},
    "two layers, both ways": {"num_layers": 2, "bidirectional": True},
    "without bias": {"bias": False},
    "projected": {"proj_size": 2},
}
CASES = [
    *((name, "LSTM", *at) for name in SETTINGS for at in ((1.0, 0.0), (20.0, 6.0), (60.0, 45.0), (5.0, -60.0))),
    *((name, "GRU", *at) for name in list(SETTINGS)[:2] for at in ((1.0, 0.0), (60.0, 50.0), (40.0, -50.0))),
    *((name, "RNN_TANH", at, 0.0) for name in list(SETTINGS)[:2] for at in (1.0, 30.0, 100.0)),
]


@pytest.mark.parametrize(("setting", "kind", "gain", "at"), CASES)
def test_every_state_gradient_is_right(setting: str, kind: str, gain: float, at: float) -> None:
    """At gains of 1 to 100, with forget or update gates of the bias `at`; torch's own autograd is 0 in most."""
    rnn = layer(kind, gain, at, 3, **SETTINGS[setting])
    x = torch.randn(5, 1, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    flow, oracle = gradient_flow(rnn, x), Oracle(rnn, x[:, 0].numpy())
    for name in flow.arrays:
        if name.endswith((".h", ".c")):
            found = flow[name][:, 0]
            np.testing.assert_allclose(found, oracle.gradients(name, found.shape[1]), rtol=1e-7, atol=1e-140)


def test_a_saturated_tanh_passes_on_what_it_should() -> None:
    """One unit held at tanh(21) by its input: each step multiplies by w sech(21)^2, where 1 - tanh(21)^2 is 0."""
    rnn = nn.RNN(1, 1, bias=False).double()
    with torch.no_grad():
        rnn.weight_hh_l0.fill_(1.0)
        rnn.weight_ih_l0.fill_(1.0)
    x = torch.full((5, 1, 1), 20.0, dtype=torch.float64)
    x[0] = 21.0
    found = gradient_flow(rnn, x)["l0.h"][:, 0, 0]
    a = 21.0  # tanh(21) is 1 to all digits of a double
    expected = (1 / math.cosh(a) ** 2) ** np.arange(4, -1, -1)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(found[0], 2.8e-71, rtol=0.02)


def test_an_lstm_whose_cell_runs_away_keeps_its_gradient() -> None:
    """Forget gates near 1 on noise: |c| reaches 37, and 1 - tanh(c)^2 is 0 from 19 on."""
    experiment = Experiment("LSTM", 1, 1, init=Init(forget_bias=5.0, seed=3), sequence=Sequence("noise", 200))
    net, x = network(experiment).double(), inputs(experiment).double()
    assert gradient_flow(net, x).log10_norms("l0.h")[0] == pytest.approx(-33.5827, abs=1e-4)
    assert state_jacobians(net, x).log10_singular_values()[0, 0] == pytest.approx(-33.3948, abs=1e-4)


def test_single_precision_is_right_where_torchs_gradient_is_0() -> None:
    rnn = layer("RNN_TANH", 15.0, 0.0, 3)
    x = torch.randn(5, 1, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    exact = gradient_flow(rnn, x)["l0.h"]
    found = gradient_flow(rnn.float(), x.float())["l0.h"]
    assert (np.abs(exact[:4]) > 1e-35).any()
    np.testing.assert_allclose(found, exact, rtol=2e-3, atol=1e-35)


@pytest.mark.parametrize("bias", [-10.0, -800.0, 30.0, 45.0])
def test_the_highway_of_gates_that_are_shut_or_open_to_the_last_digit(bias: float) -> None:
    """Without weights the forget gate is sigmoid(b): ln f = -ln(1 + exp(-b)), at 10 and at 800 decades alike."""
    rnn = nn.LSTM(1, 2).double()
    with torch.no_grad():
        for parameter in rnn.parameters():
            parameter.zero_()
        rnn.bias_ih_l0[2:4] = bias
    split = highway_split(rnn, torch.zeros(161, 1, 1, dtype=torch.float64))
    log_f = float(-mp.log(1 + mp.exp(-mp.mpf(bias))))
    np.testing.assert_allclose(split.log_direct[0], 160 * log_f, rtol=1e-13)
    np.testing.assert_allclose(split.log10_norms()[0][0], (160 * log_f + math.log(2) / 2) / math.log(10), rtol=1e-12)
