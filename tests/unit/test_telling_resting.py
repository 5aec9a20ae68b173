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
    assert f"at {others} that it leaves" in said
    assert ("1 place that" in said) == (stable == 1)


@given(rates=RATES, off=st.sampled_from([0.0, 1e-9, 0.5]))
def test_whether_runs_part_is_the_sign_of_the_largest_exponent(rates, off):
    total = float(rates.sum()) + off * (1 + abs(rates.sum()))
    first, second = describe_exponents(rates, total)
    assert ("neither" in first) == (abs(rates[0]) < 1e-3)
    assert (" part, " in first) == (rates[0] >= 1e-3)
    assert (" meet, " in first) == (rates[0] <= -1e-3)
    assert ("beyond what a double holds" in second) == (off == 0.5)


def test_a_lost_direction_is_said_to_be_lost():
    says = describe_exponents(np.array([-0.1, -math.inf]), -math.inf)
    assert "lost exactly" in says[1]
    assert "gone after a step" in describe_exponents(np.array([-math.inf]), -math.inf)[0]
