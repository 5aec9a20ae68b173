"""What the doctor's cures did and what it comes to, read back as numbers in every language."""

from __future__ import annotations

import math
import re

from hypothesis import example, given
from hypothesis import strategies as st

from seqviz.telling.doctor import of_diagnosis, of_effect

LOSSES = st.one_of(
    st.sampled_from([0.0, -0.0, math.nan, math.inf, 1e-300, 5e-324, 1e300, 0.5, 0.50001, 999.6, 9999.6]),
    st.floats(1e-6, 1e6),
    st.floats(0.5, 0.52),
)
NUMBER = r"−?(?:\d+(?:\.\d+)?(?:e[+-]\d+)?|∞|NaN)"


def read(text: str) -> list[float]:
    """Every number in a sentence, in the order in which it stands there; pieces of words are none."""
    found = re.findall(rf"(?<![A-Za-z\d.]){NUMBER}", text)
    return [math.nan if n == "NaN" else float(n.replace("−", "-").replace("∞", "inf")) for n in found]


def near(said: float, value: float) -> bool:
    return (math.isnan(said) and math.isnan(value)) or said == value or abs(said - value) <= 0.00502 * abs(value)


def same_numbers(said) -> None:
    for language in ("zh", "de"):
        other = said.into(language)
        assert other != said
        assert sorted(map(str, read(other))) == sorted(map(str, read(said))), other
        assert not re.search(r"\bloss\b|\bcures?\b", other)


@given(before=LOSSES, after=LOSSES, steps=st.sampled_from([0, 1, 2, 100]), helps=st.booleans())
@example(0.5, 0.50001, 0, False)
@example(math.nan, math.nan, 0, False)
def test_an_effect_says_both_losses_or_that_they_are_the_same(before, after, steps, helps):
    said = of_effect(before, after, steps, helps)
    numbers = read(said)
    if steps:
        count, with_it, without = numbers
        assert (count, bool(re.search(r"1 step of", said))) == (steps, steps == 1)
        assert near(with_it, after)
        assert near(without, before)
    elif said == "loss unchanged":
        assert before == after
    elif "unchanged" in said:
        assert near(numbers[0], before)
        assert near(numbers[0], after)
    else:
        assert near(numbers[0], before)
        assert near(numbers[1], after)
        assert helps or before != after
    same_numbers(said)


@given(
    count=st.integers(0, 12),
    best=st.none() | st.tuples(LOSSES, LOSSES, st.sampled_from([0, 1, 2, 100])),
    together=st.booleans(),
    untried=st.booleans(),
)
@example(3, (0.5, 0.25, 0), False, False)
def test_what_it_comes_to_counts_and_never_lends_one_cure_to_several_findings(count, best, together, untried):
    said = of_diagnosis(count, best, together=together, untried=untried)
    numbers = read(said)
    assert ("targets" in said) == untried
    same_numbers(said)
    if not count:
        assert not numbers
        return
    assert numbers.pop(0) == count
    assert said.startswith(f"{count} finding" + ("." if count == 1 else "s."))
    if untried or best is None:
        assert not numbers
        assert ("No cure" in said) == (not untried)
        return
    before, after, steps = best
    told = [(steps, after, before) if steps else (before, after)][0]
    assert all(near(number, value) for number, value in zip(numbers, told, strict=True))
    assert ("All cures" in said) == together
    assert ("Its cure" in said) == (count == 1 and not together)
    assert ("One cure" in said) == (count > 1 and not together)
    assert bool(re.search(r"\b1 step of", said)) == (steps == 1)
