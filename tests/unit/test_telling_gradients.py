"""What is said of a gradient's way back, computed again from the numbers that it is said of."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from seqviz.language import speaking
from seqviz.telling.gradients import (
    Power,
    describe_fading,
    describe_highway,
    describe_precision,
    describe_singular,
    describe_theory,
    highway_share,
)

LOGS = st.one_of(
    st.just(-np.inf), st.just(-0.0), st.floats(-3, 3), st.floats(-1e4, 1e4), st.sampled_from([0.0, -2.0, 308.3, -323.0])
)
WAYS = hnp.arrays(np.float64, st.integers(1, 30), elements=LOGS)
SMOOTH = st.builds(
    lambda steps, pace, drop, at, zeros: np.r_[
        np.full(zeros, -np.inf), np.arange(steps) * pace, np.full(at, steps * pace + drop)
    ],
    st.integers(1, 40), st.sampled_from([0.0, 0.01, -0.01, 0.2, -3.0, 20.0]), st.sampled_from([0.0, 4.0, -4.0]),
    st.integers(0, 3), st.integers(0, 3),
)  # fmt: skip


def log_of(text: str) -> float:
    """The log10 of a number as it is said."""
    text = text.replace("−", "-")
    if power := re.fullmatch(r"10\^(-?[\d.]+)", text):
        return float(power[1])
    with np.errstate(divide="ignore"):
        return float(np.log10(float(text)))


def near(said: str, log: float) -> None:
    if np.isneginf(log):
        assert said == "0"
    else:
        assert log_of(said) == pytest.approx(log, abs=0.051 if "^" in said else 0.0022)


@given(st.one_of(WAYS, SMOOTH))
@example(np.r_[np.full(199, -np.inf), 0.0])
@example(np.zeros(50))
@example(np.linspace(0, -11, 120))
@example(np.array([-30.0, -7.0, 0.0]))
def test_every_claim_about_a_way_back_holds(logs: np.ndarray) -> None:
    said = describe_fading(logs)
    zero, steps = np.isneginf(logs), len(logs)
    assert not re.search(r"inf|nan|\\b1 (steps|decades)\\b|100%", said)
    if zero.all():
        assert said == "No gradient reaches any step: it is exactly 0."
        return
    if steps == 1:
        assert said == "One step only: there is no way back to travel."
        return
    count = int((logs < logs.max() - 2).sum())
    found = re.search(r"(No step|\d+ of \d+ steps?) gets? less than 1% of the largest, (\S+) at step (\d+)\.", said)
    assert found
    assert found[1] == (f"{count} of {steps} steps" if count else "No step")
    assert count < steps
    near(found[2], float(logs.max()))
    assert logs[int(found[3])] == logs.max()
    check_zeros(said, zero)
    check_trend(said, logs)


def check_zeros(said: str, zero: np.ndarray) -> None:
    assert ("xactly 0" in said) == bool(zero.any())
    if at := re.search(r"Exactly 0 at every step before step (\d+)", said):
        assert zero[: int(at[1])].all()
        assert not zero[int(at[1]) :].any()
    if at := re.search(r"Exactly 0 at (\d+) of", said):
        assert int(at[1]) == zero.sum()
    if "before the last" in said:
        assert zero[:-1].all()


def check_trend(said: str, logs: np.ndarray) -> None:
    places = np.flatnonzero(np.isfinite(logs))
    found = logs[places]
    third = np.log10(3.0) + 1e-9
    if "its size" in said:
        assert not np.isneginf(logs).any()
    if said.startswith("Keeps its size"):
        assert np.ptp(found) <= third
        if ratio := re.search(r"the smallest is (\S+) times the largest\.", said):
            near(ratio[1], -float(np.ptp(found)))
        else:
            assert np.ptp(found) < 0.0022
    if at := re.search(r"(Drops|Grows) to (\S+) (?:of|times) its last value (\d+) steps? before the end", said):
        turn = len(logs) - 1 - int(at[3])
        near(at[2], logs[turn] - logs[-1])
        assert (logs[turn] < logs[-1]) == (at[1] == "Drops")
        assert np.ptp(logs[: turn + 1]) <= third
    if pace := re.search(r"(Loses|Gains) (\S+) decades? per 100 steps\.", said):
        exact = (found[-1] - found[0]) / (places[-1] - places[0]) * 100
        assert float(pace[2]) == pytest.approx(abs(exact), rel=0.006)
        assert (exact > 0) == (pace[1] == "Loses")
    if up := re.search(r"Goes up and down by a factor of (\S+); at step (\d+) it is (\S+) times its last value", said):
        near(up[1], float(np.ptp(found)))
        near(up[3], logs[int(up[2])] - logs[-1])
    if len(found) > 1 and not np.isneginf(logs).any():
        assert re.match(r"Keeps|Drops|Grows|Loses|Gains|Goes up", said)


@given(st.one_of(WAYS, SMOOTH), st.booleans())
def test_chinese_says_the_same_numbers(logs: np.ndarray, rounded: bool) -> None:
    def numbers(text: str) -> list[str]:
        found = re.findall(r"10\^−?[\d.]+|\d[\d.]*(?:e[+-]\d+)?", text)
        return sorted(number.rstrip(".") for number in found if number.rstrip(".") not in ("0", "1", "100"))

    english = describe_fading(logs, rounded)
    with speaking("zh"):
        chinese = describe_fading(logs, rounded)
    assert numbers(english) == numbers(chinese)
    assert not re.search(r"[A-Za-z]{4}", chinese)


def test_an_exact_0_and_what_a_double_cannot_hold_are_two_sentences() -> None:
    logs = np.array([-np.inf, -np.inf, -5.0, 0.0])
    assert "Exactly 0 at every step before step 2." in describe_fading(logs)
    assert "Below what a double holds, and taken for 0, at 2 of 4 steps." in describe_fading(logs, rounded=True)
    nothing = np.full(3, -np.inf)
    assert describe_fading(nothing) != describe_fading(nothing, rounded=True)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_what_is_no_number_is_counted_and_nothing_else_is_said(broken: float) -> None:
    assert describe_fading(np.array([0.0, broken, 1.0])) == "Not a finite number at 1 of 3 steps."


@given(hnp.arrays(np.float64, (2, 12), elements=st.one_of(st.just(-np.inf), st.floats(-1000, 1000))))
def test_the_highways_share_is_computed_in_logarithms(both: np.ndarray) -> None:
    direct, rest = both
    share = highway_share(direct, rest)
    for log, d, r in zip(share, direct, rest, strict=True):
        if np.isneginf(d) and np.isneginf(r):
            assert np.isnan(log)
        else:
            assert log == pytest.approx(-np.logaddexp(0, (r - d) * np.log(10)) / np.log(10), abs=1e-9)
    said = describe_highway(share)
    if np.isnan(share[0]):
        assert "both are exactly 0" in said
        return
    found = re.match(r"At lag 11 the highway is (\S+) of the two; ½ or more (all the way|back to lag (\d+))\.", said)
    assert found
    near(found[1], float(share[0]))
    held = int(found[3] or 11)
    assert held == 0 or (share[11 - held :] >= np.log10(0.5)).all()
    assert held == 11 or not (share[10 - held :] >= np.log10(0.5)).all()


def test_a_share_far_below_a_double_is_said_as_it_is() -> None:
    assert "10^−697.2 of the two" in describe_highway(np.array([-697.2, 0.0]))
    assert describe_singular(3, -np.inf) == "Largest singular value at lag 3: exactly 0."
    assert describe_singular(3, -697.2) == "Largest singular value at lag 3: 10^−697.2."


def test_what_float32_loses_is_counted() -> None:
    exact = np.array([-60.0, -44.3, -44.0, -10.0, 0.0])
    single = np.array([-np.inf, -44.85, -44.0, -10.0, 0.0])
    said = describe_precision("RNN", single, exact)
    assert "exactly 0 at 1 of 5 steps" in said
    assert "At 1 more it is off" in said
    assert "off by more than 10% at 1 of 4 steps" in describe_precision("RNN", single[1:], exact[1:])
    assert describe_precision("RNN", single[2:], exact[2:]) == ""
    assert describe_precision("RNN", np.full(2, -np.inf), np.full(2, -np.inf)) == ""


def test_a_closed_form_that_is_0_is_compared_with_nothing() -> None:
    assert describe_theory("RNN", "ρ^k", -np.inf, 3.0) == describe_theory("RNN", "ρ^k", 3.0, -np.inf) == ""
    assert "10^−44.6 times the closed form ρ^k" in describe_theory("RNN", "ρ^k", 0.0, 44.6)


@pytest.mark.parametrize(("log", "said"), [
    (-np.inf, "0"), (0.0, "1"), (-0.0, "1"), (-697.24, "10^−697.2"), (12.06, "10^12.1"), (-3.0, "0.001"), (2.0, "100"),
])  # fmt: skip
def test_powers(log: float, said: str) -> None:
    assert f"{Power(log)}" == said
