"""What the compare page says of the order of the steps, and a shuffle that is one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from referee import numbers, well_made

from seqviz import Experiment, Sequence
from seqviz.comparison import NETWORKS, shuffled
from seqviz.language import speaking
from seqviz.sequences import generate
from seqviz.telling.order import half_life_in_words, nudged_headline, order_in_words, shuffled_headline
from seqviz.telling.titles import network_title, step_count, whose_weights

NONE = dict.fromkeys(NETWORKS, 0.0)
SIZES = st.sampled_from([0.0, 1e-7, 1e-6, 5e-6, 0.25, 1.0, 2e38, math.nan, math.inf])


def named(text: str, before: str, after: str) -> list[str]:
    """The networks that are named between two pieces of a sentence."""
    return text.split(before)[1].split(after)[0].split(", ")


@given(
    gaps=st.fixed_dictionaries(dict.fromkeys(NETWORKS, SIZES)),
    sizes=st.fixed_dictionaries({name: st.sampled_from([1e-3, 1.0, 1e3]) for name in NETWORKS}),
)
@example(gaps=NONE, sizes=dict.fromkeys(NETWORKS, 1.0))
def test_who_is_said_to_tell_the_order_is_who_does(gaps, sizes):
    said = order_in_words(gaps, 9, 9, sizes)
    finite = {name: gap for name, gap in gaps.items() if math.isfinite(gap)}
    forward = finite.get("Feed-forward", 0.0)
    least = {name: max(10 * forward, 1e-6 * sizes[name]) for name in NETWORKS}
    can = {name for name, gap in finite.items() if name != "Feed-forward" and gap > least[name]}
    cannot = set(finite) - can - {"Feed-forward"}
    assert ("Shuffle the steps" in said) == ("Feed-forward" in finite)
    assert ("exactly the same" in said) == (finite.get("Feed-forward") == 0)
    assert ("outputs change" in said) == bool(can)
    if can:
        changes = {part.split(" by up to ")[0]: part.split(" by up to ")[1] for part in named(said, "change: ", ". ")}
        changes = {name: by.removesuffix(".") for name, by in changes.items()}
        assert set(changes) == can
        assert all(float(by) == pytest.approx(gaps[name], rel=0.005) for name, by in changes.items())
        assert ("The others can" in said) == (len(can) == 3 and "Feed-forward" in finite)
    exact = all(gaps[name] == 0 for name in cannot)
    assert ("makes no difference to" in said) == bool(cannot and exact)
    assert ("than rounding does" in said) == bool(cannot and not exact)
    assert ("Overflowed" in said) == (len(finite) < 4)
    assert "inf" not in said
    assert "nan" not in said
    with speaking("zh"):
        assert numbers(order_in_words(gaps, 9, 9, sizes)) == numbers(said)


@given(st.integers(2, 9))
def test_where_nothing_is_moved_nothing_is_said_of_the_order(steps):
    said = order_in_words(NONE, steps, 0)
    assert "moves nothing" in said
    assert "difference" not in said
    assert "no order to shuffle" in order_in_words(NONE, 1)


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=1, max_size=6), st.integers(0, 3))
@example([0.0, 1.0], 0)
@example([0.0, 1.0, 0.0], 0)
@example([1.0, 1.0], 0)
def test_a_shuffle_moves_something_wherever_it_can(values, seed):
    x = np.array(values, np.float32)
    experiment = Experiment(sequence=Sequence.of_values(x))
    order, after = shuffled(experiment, seed)
    assert sorted(order) == list(range(len(x)))
    np.testing.assert_array_equal(after[:, 0], x[order])
    assert (after[:, 0].tolist() == values) == (len(set(values)) == 1)


def test_a_shuffle_that_moves_something_at_once_is_the_first_that_is_drawn():
    experiment = Experiment(sequence=Sequence("noise", 40))
    order, after = shuffled(experiment, 5)
    np.testing.assert_array_equal(order, np.random.default_rng(5).permutation(40))
    np.testing.assert_array_equal(after, generate(experiment.sequence, 1)[order])


def test_half_lives_in_words():
    found: list[Any] = [half_life_in_words(steps, 9) for steps in (0.0, 1.0, 7.0, math.inf, math.nan)]
    assert found == ["was not moved", "1 step", "7 steps", "never here", "overflowed"]
    assert half_life_in_words(math.inf, 1) == "one step is too short to say"


def test_a_network_is_called_by_its_sizes():
    assert network_title("LSTM", 1, 1, 1) == "LSTM, 1 unit, 1 step"
    assert network_title("RNN_RELU", 2, 3, 24) == "RNN (ReLU), 2 units, 3 layers, 24 steps"
    for counts in ((1, 1, 1), (2, 3, 24), (1, 2, 1)):
        well_made(network_title("GRU", *counts))
    assert [step_count(n) for n in (0, 1, 2)] == ["0 steps", "1 step", "2 steps"]


BOTH, RECURRENT, READOUT, NOTHING = (frozenset(x) for x in (("recurrent", "readout"), ("recurrent",), ("readout",), ()))


@given(st.dictionaries(st.sampled_from(NETWORKS), st.sampled_from([BOTH, RECURRENT, READOUT, NOTHING]), min_size=1))
def test_weights_are_called_drawn_where_some_are(parts):
    said = whose_weights(parts, 3)
    kept = set(parts.values())
    assert bool(said) == (kept != {NOTHING})
    assert ("drawn, with seed 3" in said) == bool(said and kept != {BOTH})
    assert ("only the readout" in said) == (READOUT in kept)


@given(gaps=st.fixed_dictionaries(dict.fromkeys(NETWORKS, SIZES)))
def test_the_sentence_on_a_shuffled_input_names_those_whose_answers_changed(gaps):
    said = shuffled_headline(gaps, 5, dict.fromkeys(NETWORKS, 1.0))
    if not all(map(math.isfinite, gaps.values())):
        assert said is None
        return
    least = max(10 * gaps["Feed-forward"], 1e-6)
    can = [name for name in NETWORKS[1:] if gaps[name] > least]
    assert ("every network’s" in said) == (not can)
    assert ("the others changed" in said) == (len(can) == 3)
    if 0 < len(can) < 3:
        assert set(said.split("changed: ")[1].removesuffix(".").split(", ")) == set(can)
    assert shuffled_headline(gaps, 0, dict.fromkeys(NETWORKS, 1.0)) is None


@given(
    kept=st.fixed_dictionaries({name: st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0, 1.1]) for name in NETWORKS}),
    steps=st.integers(2, 60),
    step=st.integers(0, 40),
)
@example(kept=dict.fromkeys(NETWORKS, 0.0), steps=40, step=0)
@example(kept={"Feed-forward": 0.0, "RNN": 0.2, "GRU": 0.9, "LSTM": 0.5}, steps=48, step=0)
def test_what_is_said_to_be_left_of_a_nudge_is_its_share_20_steps_later(kept, steps, step):
    step = min(step, steps - 1)
    moved = {name: [0.0] * step + [3.0 * share**k for k in range(steps - step)] for name, share in kept.items()}
    said = nudged_headline(moved, step)
    later = min(20, steps - 1 - step)
    if later == 0:
        assert said is None
        return
    left = {name: share**later / max(1.0, share ** (steps - 1 - step)) for name, share in kept.items()}
    if not any(left.values()):
        assert "nothing is left" in said
        return
    who, percent = named(said, ", the ", " keeps")[0], said.split(": ")[1].removesuffix("%.")
    assert left[who] == pytest.approx(max(left.values()))
    if percent == "<0.01":
        assert left[who] < 1e-4
    else:
        assert float(percent) == pytest.approx(100 * left[who], rel=0.06)
    assert said.startswith(f"{later} step after" if later == 1 else f"{later} steps after")


def test_of_a_nudge_in_a_network_that_overflows_nothing_is_said():
    assert nudged_headline({name: [1.0, math.nan] for name in NETWORKS}, 0) is None
