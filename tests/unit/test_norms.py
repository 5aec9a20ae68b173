"""Norms against numbers of any precision, over everything a double holds."""

from __future__ import annotations

import math
from typing import Any

import mpmath as mp
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import nn

from seqviz.gradients import connectivity, gradient_flow
from seqviz.gradients.clipping import clip_update
from seqviz.gradients.norms import log10_norm, norm, outer_norms

FINITE = st.floats(-1e308, 1e308, allow_nan=False)
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=5)


def exact(row: np.ndarray) -> Any:
    return mp.sqrt(mp.fsum(mp.mpf(float(v)) ** 2 for v in row))


@given(hnp.arrays(np.float64, SHAPES, elements=FINITE))
def test_a_norm_is_right_from_the_smallest_double_to_the_largest(rows: np.ndarray) -> None:
    with mp.workdps(60):
        for row, found, log in zip(rows, norm(rows, 1), log10_norm(rows, 1), strict=True):
            expected = exact(row)
            if not expected:
                assert found == 0
                assert log == -math.inf
                continue
            assert found == pytest.approx(float(expected), rel=1e-15, abs=5e-324)
            assert log == pytest.approx(float(mp.log10(expected)), rel=1e-14, abs=1e-14)


@pytest.mark.parametrize(("row", "expected"), [
    ([math.inf, 1.0], math.inf), ([-math.inf, 0.0], math.inf), ([math.nan, 1.0], math.nan), ([-0.0, 0.0], 0.0),
    ([], 0.0), ([3e-200, 4e-200], 5e-200), ([3e200, -4e200], 5e200),
])  # fmt: skip
def test_what_is_no_number_and_what_is_nothing(row: list[float], expected: float) -> None:
    np.testing.assert_allclose(norm(np.array([row]), 1), np.array([expected]), rtol=1e-15)


@given(
    hnp.arrays(np.float64, (3, 3, 2), elements=st.floats(-2, 2)),
    hnp.arrays(np.float64, (3, 3, 4), elements=st.floats(-2, 2)),
    st.integers(-150, 150), st.booleans(), st.sets(st.integers(0, 2)),
)  # fmt: skip
def test_the_norm_of_a_sum_of_outer_products(
    left: np.ndarray, right: np.ndarray, scale: int, cancels: bool, vanished: set[int]
) -> None:
    """Also where the batch elements take each other away, but for what one of them has in its last digit."""
    left = np.where(np.abs(left) < 1e-3, 0, left) * 10.0**scale
    left[list(vanished)] = 0
    if cancels:
        left[:, 1], right[:, 1] = -left[:, 0], right[:, 0] * (1 + 1e-9)
        left[:, 2] = 0
    made = np.einsum("tna,tnb->tab", left, right)
    rounding = 1e-15 * np.einsum("tna,tnb->tab", np.abs(left), np.abs(right))
    expected, slack = norm(made, (1, 2)), norm(rounding, (1, 2))
    least = 24 * np.finfo(np.float64).smallest_subnormal  # each of the 24 products below is rounded to one of these
    assert (np.abs(outer_norms(left, right) - expected) <= 1e-12 * expected + 4 * slack + least).all()


def test_a_gradient_of_0_times_what_is_no_number_is_no_number() -> None:
    left, right = np.zeros((4, 2, 3)), np.ones((4, 2, 5))
    left[3], right[1, 0, 0], right[2, 1, 4] = 1.0, np.nan, np.inf
    assert np.array_equal(outer_norms(left, right), [0.0, np.nan, np.nan, np.sqrt(4 * 15)], equal_nan=True)


def halving() -> nn.RNN:
    rnn = nn.RNN(1, 1, bias=False, nonlinearity="relu").double()
    with torch.no_grad():
        rnn.weight_hh_l0.fill_(0.5)
        rnn.weight_ih_l0.fill_(1.0)
    return rnn


def test_a_flow_that_halves_at_each_step_keeps_its_norm_down_to_the_smallest_double() -> None:
    flow = gradient_flow(halving(), torch.ones(900, 1, 1).double())
    np.testing.assert_array_equal(flow.norms("l0.h"), 2.0 ** -np.arange(899.0, -1, -1))
    assert flow.norms("l0.h")[300] == 2.0**-599
    assert (flow.shares["weight_ih_l0"] > 0).all()
    assert flow.problem == ""


def test_connectivity_beyond_a_double_is_refused_and_below_it_is_0() -> None:
    x = torch.ones(700, 1, 1).double()
    found = connectivity(halving(), x)[:, 0]
    np.testing.assert_array_equal(found, 4.0 ** -np.arange(699.0, -1, -1))
    assert found[0] == 0.0
    wild = halving()
    with torch.no_grad():
        wild.weight_hh_l0.fill_(4.0)
    assert np.isfinite(gradient_flow(wild, x[:300]).norms("x")).all()
    with pytest.raises(ValueError, match=r"beyond what a double holds at step 0; take gradient_flow"):
        connectivity(wild, x[:300])


@pytest.mark.parametrize("size", [1e-170, 1e-8, 1.0, 1e170])
def test_clipping_is_right_where_a_square_leaves_the_doubles(size: float) -> None:
    torch.manual_seed(0)
    rnn, x = nn.RNN(2, 3).double(), torch.randn(6, 1, 2, dtype=torch.float64)
    flow = gradient_flow(rnn, x, loss=lambda y: size * y.sum())
    plain = gradient_flow(rnn, x, loss=lambda y: y.sum())
    whole = clip_update(plain).norm
    update = clip_update(flow, max_norm=0.5, max_value=0.2)
    assert update.norm == pytest.approx(size * whole, rel=1e-12)
    assert update.by_norm == pytest.approx(min(size * whole, 0.5), rel=1e-5)
    assert update.cosine_by_norm == pytest.approx(1.0, abs=1e-12)
    assert update.loudest_steps == pytest.approx(clip_update(plain).loudest_steps, rel=1e-12)
    flat = np.concatenate([g.ravel() for name, g in plain.weights.items() if name.startswith("weight")])
    signs = np.sign(flat)
    turned = flat if size * whole < 1e-6 else signs if size > 1e3 else np.clip(flat, -0.2, 0.2)
    expected = turned @ flat / np.linalg.norm(turned) / np.linalg.norm(flat)
    assert update.cosine_by_value == pytest.approx(expected, rel=1e-12)


def test_nothing_to_clip_has_no_direction() -> None:
    update = clip_update(gradient_flow(nn.RNN(2, 3), torch.zeros(4, 1, 2), loss=lambda y: 0 * y.sum()))
    assert update.norm == update.by_norm == update.loudest_steps == 0
    assert math.isnan(update.cosine_by_norm)


def test_a_networks_shares_are_those_of_a_rescaled_loss() -> None:
    torch.manual_seed(0)
    rnn, x = nn.GRU(2, 3).double(), torch.randn(6, 4, 2, dtype=torch.float64)
    plain = gradient_flow(rnn, x)
    for size in (2.0**-600, 2.0**600):
        flow = gradient_flow(rnn, x, loss=lambda y, size=size: size * y[-1].sum())
        for name, share in plain.shares.items():
            np.testing.assert_allclose(flow.shares[name], size * share, rtol=1e-12)
        np.testing.assert_allclose(flow.norms("l0.h"), size * plain.norms("l0.h"), rtol=1e-12)
