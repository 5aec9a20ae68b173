"""Plain numbers and the sentences made of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from seqviz.gradients.fading import decades_per_100, first_under, starving_share
from seqviz.metrics import describe_saturation, half_life, lag_under, saturation, time_constant


def test_what_is_no_number_lasts_for_no_number_of_steps() -> None:
    """NaN among forget gates is NaN among times, and its neighbours are what they are without it."""
    gates = np.array([0.5, math.nan, 1.0, 0.0])
    for found, half in ((half_life(gates), 1.0), (time_constant(gates), 1 / math.log(2)), (lag_under(gates, 0.3), 2.0)):
        assert found[0] == pytest.approx(half)
        assert math.isnan(found[1])
        assert found[2] == math.inf
        assert found[3] in (0, 1)
    assert math.isnan(half_life(math.nan))


def test_half_life_and_time_constant() -> None:
    assert 0.9 ** float(half_life(0.9)) == pytest.approx(0.5)
    assert 0.9 ** float(time_constant(0.9)) == pytest.approx(1 / math.e)
    assert float(half_life(0.5)) == pytest.approx(1.0)
    assert half_life(1.0) == time_constant(1.5) == np.inf
    assert half_life(0.0) == 0


def test_lag_under_is_the_first_whole_step_below() -> None:
    np.testing.assert_array_equal(lag_under([0.0, 0.1, 0.5, 0.9, 0.999, 1.0]), [1, 3, 7, 44, 4603, np.inf])
    assert lag_under(0.5, 0.25) == 3
    for f in np.random.default_rng(0).uniform(0.01, 0.99, 200):
        lag = int(lag_under(f))
        assert f**lag < 0.01 <= f ** (lag - 1)
    for share in (0.0, 1.0):
        with pytest.raises(ValueError, match="above 0 and below 1"):
            lag_under(0.5, share)


def test_saturation_counts_steps() -> None:
    closed, opened = saturation(np.array([[0.05, 0.95], [0.5, 0.95], [0.05, 0.5], [0.05, 0.95]]))
    np.testing.assert_allclose(closed, [0.75, 0.0])
    np.testing.assert_allclose(opened, [0.0, 0.75])


def test_a_straight_fall_is_measured_exactly() -> None:
    logs = -0.2 * np.arange(100, -1, -1.0)
    assert decades_per_100(logs) == pytest.approx(-20)
    assert first_under(logs, 6.0) == 31
    assert starving_share(logs) == pytest.approx(90 / 101)


def test_a_single_value_has_no_pace() -> None:
    assert math.isnan(decades_per_100(np.array([1.0])))
    assert first_under(np.zeros(5)) is None


def test_saturation_in_words_counts_what_is_shut_and_open():
    gate = np.array([[0.05, 0.95], [0.5, 0.95], [0.05, 0.95], [0.05, 0.5]])
    said = describe_saturation({"forget gate": gate, "input gate": 1 - gate})
    assert said == (
        "forget gate: closed 38% and open 38% of the time. input gate: closed 38% and open 38% of the time."
    )


def test_a_gate_at_a_threshold_is_neither_closed_nor_open() -> None:
    closed, opened = saturation(np.array([[0.1, 0.0], [0.9, 1.0], [0.05, 0.0], [0.95, 0.5]]))
    assert closed.tolist() == [0.25, 0.5]
    assert opened.tolist() == [0.25, 0.25]
