"""Numbers that the theory gives, and that the library has to reproduce."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from seqviz import Experiment, Init, Sequence, gradient_flow, network
from seqviz import vocabulary as words
from seqviz.gradients.jacobians import highway_split, state_jacobians

H, H_IN = 64, 8


def at_rest(rho: float, lag: int) -> np.ndarray:
    """log10 norms of a tanh RNN at h = 0 with W = rho Q, Q orthogonal, at every step."""
    rnn = nn.RNN(1, 16, bias=False).double()
    with torch.no_grad():
        nn.init.orthogonal_(rnn.weight_hh_l0, gain=rho, generator=torch.Generator().manual_seed(0))
    return state_jacobians(rnn, torch.zeros(lag + 1, 1, 1, dtype=torch.float64)).log10_norms()


@pytest.mark.parametrize("rho", [0.5, 0.9, 1.0, 1.5])
def test_orthogonal_rnn_at_rest_is_rho_to_the_k(rho: float) -> None:
    logs = at_rest(rho, 2000)
    lags = np.arange(2000, -1, -1)
    np.testing.assert_allclose(logs, lags * math.log10(rho), atol=1e-9)


def zero_lstm(bias: float) -> nn.LSTM:
    lstm = nn.LSTM(1, 4)
    with torch.no_grad():
        for parameter in lstm.parameters():
            parameter.zero_()
        lstm.bias_ih_l0[4:8] = bias
    return lstm


@pytest.mark.parametrize(("bias", "expected"), [(1.0, 9.4643e-69), (3.0, 2.8144e-11), (5.0, 3.4816e-2)])
def test_zero_weight_lstm_keeps_sigma_of_its_bias(bias: float, expected: float) -> None:
    x = torch.zeros(501, 1, 1, dtype=torch.float64)
    split = highway_split(zero_lstm(bias).double(), x)
    np.testing.assert_allclose(np.exp(split.log_direct[0]), expected, rtol=1e-4)
    np.testing.assert_allclose(split.rest[0], 0.0, atol=1e-12)


@pytest.mark.parametrize("bias", [0.0, 1.0, 3.0, 5.0])
def test_the_gradient_at_the_cell_state_of_a_zero_weight_lstm(bias: float) -> None:
    """At c = 0 each step multiplies dL/dc by sigma(b), and h = tanh(c) / 2 passes half of dL/dh on."""
    flow = gradient_flow(zero_lstm(bias), torch.zeros(501, 1, 1), dtype=torch.float64)
    log_keep = -math.log1p(math.exp(-bias))
    expected = math.log(0.5) + log_keep * np.arange(500, -1, -1)
    np.testing.assert_allclose(np.log(flow["l0.c"][:, 0, 0]), expected, atol=1e-10)


def test_the_gradient_of_an_orthogonal_rnn_at_rest() -> None:
    rnn = nn.RNN(1, 16, bias=False).double()
    with torch.no_grad():
        nn.init.orthogonal_(rnn.weight_hh_l0, gain=0.9, generator=torch.Generator().manual_seed(0))
    norms = gradient_flow(rnn, torch.zeros(301, 1, 1, dtype=torch.float64)).norms("l0.h")
    np.testing.assert_allclose(norms, 4.0 * 0.9 ** np.arange(300, -1, -1), rtol=1e-10)


@pytest.mark.parametrize(("bias", "lag", "expected"), [(0.0, 20, 9.54e-7), (1.0, 20, 1.90e-3), (5.0, 100, 0.511)])
def test_short_highways(bias: float, lag: int, expected: float) -> None:
    x = torch.zeros(lag + 1, 1, 1, dtype=torch.float64)
    direct = np.exp(highway_split(zero_lstm(bias).double(), x).log_direct[0])
    np.testing.assert_allclose(direct, expected, rtol=3e-3)


@pytest.mark.parametrize("flushed", [False, True])
def test_float32_autograd_is_lost_where_the_log_scale_is_not(flushed: bool) -> None:
    lstm = zero_lstm(1.0)
    c_0 = torch.zeros(1, 1, 4, requires_grad=True)
    if not torch.set_flush_denormal(flushed):
        pytest.skip("this processor has no such mode")
    try:
        _, (_, c_n) = lstm(torch.zeros(500, 1, 1), (torch.zeros(1, 1, 4), c_0))
        c_n.sum().backward()
    finally:
        torch.set_flush_denormal(False)
    assert c_0.grad is not None
    # Stuck at the smallest number above 0, 24 powers of ten too large; or exactly 0 where the processor flushes.
    smallest = float(np.float32(0) if flushed else np.nextafter(np.float32(0), np.float32(1)))
    assert c_0.grad.double().eq(smallest).all()
    logs = state_jacobians(lstm, torch.zeros(501, 1, 1)).log10_norms("c_c")
    assert logs[0] == pytest.approx(math.log10(9.4643e-69), abs=1e-4)
    flow = gradient_flow(lstm, torch.zeros(501, 1, 1), dtype=torch.float64)
    assert flow["l0.c"][0, 0, 0] == pytest.approx(0.5 * 9.4643e-69, rel=1e-4)


SCHEMES = {
    "RNN default": (words.RNN_TANH, Init()),
    "IRNN": (words.RNN_RELU, Init("identity")),
    "LSTM default": (words.LSTM, Init()),
    "LSTM bias 1": (words.LSTM, Init(forget_bias=1.0)),
    "LSTM bias 3": (words.LSTM, Init(forget_bias=3.0)),
    "LSTM chrono": (words.LSTM, Init("chrono")),  # T, the sequence's length, is 600
}


def prepared(kind: str, seed: int) -> nn.Module:
    """The network of one row of the table below, in float64."""
    if kind in SCHEMES:
        cell, init = SCHEMES[kind]
        experiment = Experiment(cell, H_IN, H, init=replace(init, seed=seed), sequence=Sequence(length=600))
        return network(experiment).double()
    torch.manual_seed(seed)
    rnn = nn.RNN(H_IN, H)
    with torch.no_grad():
        if kind == "RNN orthogonal":  # and torch's own start from the input
            nn.init.orthogonal_(rnn.weight_hh_l0)
            rnn.bias_ih_l0.zero_()
            rnn.bias_hh_l0.zero_()
        else:
            rnn.weight_hh_l0.normal_(0, 1.5 / math.sqrt(H))
    return rnn.double()


TABLE = {
    "RNN default": ((-25, -22, 0.5), (-127, -112, 0.5)),
    "RNN orthogonal": ((-5.1, -4.6, 0.05), (-27, -25, 0.5)),
    "IRNN": ((0.0, 0.0, 0.005), (0.0, 0.0, 0.005)),
    "RNN gain 1.5": ((1.3, 2.5, 0.05), (4.3, 7.5, 0.05)),
    "LSTM default": ((-19, -19, 0.5), (-99, -97, 0.5)),
    "LSTM bias 1": ((-6, -6, 0.5), (-34, -31, 0.5)),
    "LSTM bias 3": ((0.6, 1.2, 0.05), (0.3, 2.3, 0.05)),
    "LSTM chrono": ((-0.1, -0.1, 0.05), (-0.3, -0.3, 0.05)),
}
"""log10 spectral norms at lags 100 and 500, of d h_T / d h_t and for an LSTM d c_T / d c_t: the lowest, the highest,
and half of the last digit that they are given to. 64 units, x ~ N(0, 1) of width 8."""

SEEDS = 15


def drawn_norms(kind: str) -> np.ndarray:
    """log10 norms ``(seeds, 2)`` at lags 100 and 500."""
    block = "c_c" if kind.startswith("LSTM") else "h_h"
    found = []
    for seed in range(SEEDS):
        draw = torch.Generator().manual_seed(seed)
        x = torch.randn(501, 1, H_IN, generator=draw, dtype=torch.float64)
        jacobians = state_jacobians(prepared(kind, seed), x)
        with np.errstate(divide="ignore"):
            sizes = np.log10(np.linalg.norm(getattr(jacobians, block)[[400, 0]], ord=2, axis=(1, 2)))
        found.append(sizes + jacobians.log_scale[[400, 0]] / math.log(10))
    return np.array(found)


@pytest.mark.parametrize("kind", TABLE)
def test_table_of_norms(kind: str) -> None:
    """The median over seeds: a single network may lie far outside, and one of gain 1.5 may even shrink."""
    found = drawn_norms(kind)
    for median, (low, high, digit) in zip(np.median(found, axis=0), TABLE[kind], strict=True):
        assert low - digit <= median <= high + digit
    if kind == "IRNN":  # exactly 1, until the last of its units has died
        assert all(abs(norm) < 1e-9 or norm == -np.inf for norm in found.flat)


def test_default_lstms_highway_is_a_sliver_of_the_total() -> None:
    """About 0.16% at lag 50, by the geometric mean: the share of one network may be ten times that or a tenth."""
    logs = []
    for seed in range(40):
        torch.manual_seed(seed)
        lstm = nn.LSTM(1, 32).double()
        direct, _, total = highway_split(lstm, torch.randn(51, 1, 1, dtype=torch.float64)).log10_norms()
        logs.append(direct[0] - total[0])
    assert 0.001 < 10 ** np.mean(logs) < 0.0025
    assert max(logs) < math.log10(0.1)
