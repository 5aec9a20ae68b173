"""What the three questions on memory come to, in sentences that the numbers bear out."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqviz.comparison import half_life_of
from seqviz.telling.memory import COST, Standing, costly, of_guesses, of_nudge, of_resets, verdict, verdicts

NAN = math.nan


def standing(ratios=((3.0, 2.5, 3.5),), ks=(1,), **changed):
    values = {
        "half_life": 5.0, "lags": 25, "ks": ks, "ratios": ratios, "loss": 0.5, "steps": 50, "last": None,
        "constant": None,
    }  # fmt: skip
    return Standing(**(values | changed))


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (standing(), "It uses its memory: reset at every step, its loss is 3 times as large."),
        (standing(((3.0, NAN, NAN),)), "It uses its memory: reset at every step, its loss is 3 times as large."),
        (standing(((1.0, 0.99, 1.01),)), "It does not use its memory: reset at every step, it does as well."),
        (standing(((1.02, 1.01, 1.03),)), "It does not use its memory: reset at every step, it does as well."),
        (standing(((1.3, 0.8, 1.9),)), "Whether it uses its memory cannot be told from these data."),
        (
            standing(((0.5, 0.4, 0.6),)),
            "Its memory does harm: reset at every step, its loss is 0.5 of what it is.",
        ),
        (
            standing(((1.0, 0.9, 1.04),), (10,)),
            "It does not use a memory of more than 10 steps: reset that often, it does as well.",
        ),
        (
            standing(((math.inf, math.inf, math.inf),), loss=0.0),
            "It uses its memory: it makes no error, and does when it is reset at every step.",
        ),
        (standing(loss=NAN), "Its loss is no finite number: nothing can be said of its memory."),
        (standing(steps=1), "Its sequences are too short for resets: nothing can be said of its memory."),
    ],
)
def test_the_first_sentence_says_what_the_resets_show(found, says):
    assert verdict(found) == says


@pytest.mark.parametrize(
    ("ratio", "says"),
    [
        ((0.4, 0.3, 0.5), "It beats repeating the last value: its loss is 0.4 times that."),
        ((0.97, 0.9, 1.04), "It is no better than repeating the last value: its loss is 0.97 times that."),
        ((1.5, 1.2, 1.8), "Repeating the last value is better: its loss is 1.5 times that."),
        ((0.4, NAN, NAN), "It beats repeating the last value: its loss is 0.4 times that."),
        ((0.99, NAN, NAN), "It is no better than repeating the last value: its loss is 0.99 times that."),
    ],
)
def test_the_second_sentence_says_how_it_stands_beside_a_guess(ratio, says):
    assert verdicts(standing(last=ratio, constant=(0.1, 0.1, 0.1)))[1] == says
    other = says.replace("repeating the last value", "one value for all steps")
    other = other.replace("Repeating the last value", "One value for all steps")
    assert verdicts(standing(constant=ratio))[1] == other


def test_without_a_guess_there_is_one_sentence():
    assert len(verdicts(standing())) == 1
    assert of_guesses(standing()) == "There is no guess to hold this loss against."


@given(value=st.floats(0.01, 100), down=st.floats(0, 1), up=st.floats(0, 10), known=st.booleans())
def test_the_sentence_never_says_more_than_the_interval(value, down, up, known):
    low, high = (value * (1 - down), value * (1 + up)) if known else (NAN, NAN)
    said = verdict(standing(((value, low, high),)))
    if said.startswith("It uses"):
        assert value > COST
        assert not known or low > 1
    elif said.startswith("It does not"):
        assert value <= COST or not known
        assert not known or high <= COST or value <= 1 or low > 1
    elif said.startswith("Its memory does harm"):
        assert value < 1
        assert not known or high < 1
    else:
        assert said.startswith("Whether")
        assert known
        assert low <= 1 < high


@pytest.mark.parametrize(
    ("half_life", "says"),
    [
        (1.0, "A nudge is half gone 1 step after its largest."),
        (7.0, "A nudge is half gone 7 steps after its largest."),
        (math.inf, "A nudge is not half gone in the 25 steps that were looked at."),
        (0.0, "A nudge of the input moves no state."),
        (NAN, "The network overflows: how long a nudge lasts cannot be said."),
    ],
)
def test_how_long_a_nudge_lasts(half_life, says):
    assert of_nudge(standing(half_life=half_life)) == says


def test_from_where_on_resets_cost_no_more():
    ks = (1, 2, 5, 10, 50)
    large, none = (3.0, 2.0, 4.0), (1.0, 0.9, 1.1)
    assert of_resets(standing((large, large, large, none, none), ks)) == (
        "Resets every 5 steps or more often cost it; every 10 steps no more."
    )
    assert of_resets(standing((large, large, large, large, none), ks)) == (
        "Every reset costs it: even every 10 steps, its loss is larger."
    )
    assert of_resets(standing((none,) * 5, ks)) == "Resets cost it nothing that these data show."
    assert of_resets(standing(loss=math.inf)) == "The loss is no finite number."


RATIO = st.tuples(st.floats(0.3, 3.0), st.floats(0, 0.6), st.floats(0, 0.6), st.booleans()).map(
    lambda r: (r[0], r[0] * (1 - r[1]), r[0] * (1 + r[2])) if r[3] else (r[0], NAN, NAN)
)


@given(ratios=st.lists(RATIO, min_size=1, max_size=5), steps=st.integers(1, 60))
def test_every_reset_that_is_spoken_of_does_what_is_said_of_it(ratios, steps):
    ks = (1, 2, 5, 10, 50)[: len(ratios)]
    said = of_resets(standing(tuple(ratios), ks, steps=steps))
    costs = {k: costly(r) for k, r in zip(ks, ratios, strict=True) if k < steps}
    chinese = said.into("zh")
    assert set(re.findall(r"[0-9]+", chinese)) - {"1"} == set(re.findall(r"[0-9]+", said)) - {"1"}
    if "cannot be told" in said:
        assert None in costs.values() or sorted(costs.values(), reverse=True) != list(costs.values())
    elif "nothing that these data show" in said:
        assert not any(costs.values())
    else:
        numbers = [int(n) for n in re.findall(r"[0-9]+", said)]
        more = numbers.pop() if "no more" in said else None
        last = numbers.pop() if numbers else 1
        assert all(cost for k, cost in costs.items() if k <= last)
        assert costs[more] is False if more else max(costs) == last


def test_a_cost_is_larger_surely_and_by_enough():
    assert costly((1.2, 1.1, 1.3)) is True
    assert costly((1.02, 1.01, 1.03)) is False
    assert costly((1.2, 0.9, 1.5)) is None
    assert costly((0.8, 0.7, 1.5)) is False
    assert costly((1.2, NAN, NAN)) is True
    assert costly((1.0, NAN, NAN)) is False


@given(
    sizes=st.lists(st.sampled_from([0.0, 1e-300, 0.1, 0.4, 0.5, 0.9, 1.0, 3.0, math.nan]), min_size=1, max_size=12),
    more=st.integers(0, 3),
)
def test_a_nudge_is_half_gone_where_a_loop_finds_it(sizes, more):
    sizes = sizes + [sizes[-1]] * more
    half, lags = half_life_of(np.array(sizes)), len(sizes)
    said = of_nudge(standing(half_life=half, lags=lags))
    if any(math.isnan(size) for size in sizes):
        assert said == "The network overflows: how long a nudge lasts cannot be said."
    elif not any(sizes):
        assert said == "A nudge of the input moves no state."
    else:
        top = sizes.index(max(sizes))
        gone = [k - top for k in range(top, lags) if sizes[k] <= max(sizes) / 2]
        number = int(re.findall(r"\d+", said)[0])
        assert number == (gone[0] if gone else lags)
        assert ("is not half gone" in said) == (not gone)
        assert bool(re.search(r"\b1 step\b", said)) == (number == 1)
        for language in ("zh", "de"):
            assert re.findall(r"\d+", said.into(language)) == [str(number)] or number == 1


GUESS = st.none() | st.sampled_from([0.0, 1.0, math.inf, 1e-300, 1e300]) | st.floats(1e-6, 1e6)


@given(last=GUESS, constant=GUESS, loss=st.sampled_from([0.0, 0.5, math.nan, math.inf]))
def test_the_guesses_are_said_with_the_numbers_of_the_ratios(last, constant, loss):
    given_last, given_constant = (None if value is None else (value, NAN, NAN) for value in (last, constant))
    said = of_guesses(standing(last=given_last, constant=given_constant, loss=loss))
    told = []
    if math.isfinite(loss):
        told = [value for value in (last, constant) if value is not None]
        assert ("no guess" in said) == (not told)
        assert ("repeating the last" in said) == (last is not None)
        assert ("one value" in said) == (constant is not None)
    else:
        assert said == "The loss is no finite number."
    for one in (said, said.into("zh"), said.into("de")):
        numbers = re.findall(r"∞|\d+(?:\.\d+)?(?:e[+-]\d+)?", one)
        found = [float(number.replace("∞", "inf")) for number in numbers]
        assert found == pytest.approx(told, rel=0.00502) or sorted(found) == pytest.approx(sorted(told), rel=0.00502)
