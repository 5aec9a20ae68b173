"""What is said of fixed points and exponents is read back from drawn numbers."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seqviz.telling.resting import describe_exponents, describe_rests

RATES = st.lists(st.floats(-3, 3), min_size=1, max_size=5).map(lambda found: np.sort(np.array(found))[::-1])


@given(stable=st.integers(0, 5), others=st.integers(0, 5), starts=st.integers(1, 5000))
def test_places_are_counted_by_whether_it_returns(stable, others, starts):
    said = describe_rests(stable, others, starts)
    assert f"{starts:,} start" in said
    assert (f"{starts:,} starts" in said) == (starts != 1)
    if not stable + others:
        assert "no place" in said
        return
    assert f"at {stable} place" in said
    assert (f"at {others} that it leaves" in said) == (others > 0)
    assert ("1 place that" in said) == (stable == 1)


@given(stay=st.integers(1, 9), places=st.integers(0, 2), slow=st.integers(0, 9))
def test_what_stays_and_what_creeps_is_no_place_that_it_returns_to(stay, places, slow):
    said = describe_rests(places, 0, 4000, stay=stay, slow=slow, drift=2.5e-7)
    assert f"{stay} of 4,000 starts come" in said  # "comes" for one
    assert ("returns to" in said) == (places > 0)
    assert "no place" not in said
    assert (f" {slow} come" in said and "by 10⁻⁶ at most" in said) == (slow > 0)


@given(rates=RATES, off=st.sampled_from([0.0, 1e-9, 0.5]))
def test_whether_runs_part_is_the_sign_of_the_largest_exponent(rates, off):
    total = float(rates.sum()) + off * (1 + abs(rates.sum()))
    first, second = describe_exponents(rates, total)
    assert ("neither" in first) == (abs(rates[0]) < 1e-3)
    assert (" part, " in first) == (rates[0] >= 1e-3)
    assert (" meet, " in first) == (rates[0] <= -1e-3)
    assert ("beyond what a double holds" in second) == (off == 0.5)


@given(rate=st.floats(-0.2, 0.2).filter(lambda rate: abs(rate) >= 1e-3), steps=st.integers(1, 300))
def test_what_neither_doubles_nor_halves_in_the_run_is_not_told_as_if_it_went_on(rate, steps):
    said = describe_exponents(np.array([rate]), rate, steps)[0]
    assert ("less than a factor of 2" in said) == (0.5 < math.exp(rate) ** steps < 2)
    assert (" every " in said) != ("less than a factor" in said)


def test_a_lost_direction_is_said_to_be_lost():
    says = describe_exponents(np.array([-0.1, -math.inf]), -math.inf)
    assert "lost exactly" in says[1]
    assert "gone after a step" in describe_exponents(np.array([-math.inf]), -math.inf)[0]
