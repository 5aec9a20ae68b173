"""The sentence under each row of the picture: every claim is computed again in plain loops."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from referee import leaves, well_made

from seqviz.language import Sentence, speaking
from seqviz.metrics import describe, describe_overflow, describe_saturation, longest_run, saturation, short
from seqviz.telling.numbers import Number, Share

Rows = list[list[float]]
SPECIAL = [0.0, -0.0, 0.1, 0.9, 1.0, -1.0, 0.5, 0.95, 0.05, 0.0999, 0.9001, 200.0, 201.0, 0.995, 5e-324, 1e-45, 1e308]
SPECIAL += [-3e38, 9999.6, 999.7, 0.00414, 0.0022]


@st.composite
def arrays(draw: st.DrawFn, elements: st.SearchStrategy[float]) -> np.ndarray:
    steps, units = draw(st.integers(1, 9)), draw(st.integers(1, 3))
    kind = draw(st.sampled_from([np.float32, np.float64]))
    pool = draw(st.lists(elements, min_size=1, max_size=4))
    flat = draw(st.lists(st.sampled_from(pool), min_size=steps * units, max_size=steps * units))
    with np.errstate(over="ignore"):
        return np.array(flat, dtype=kind).reshape(steps, units)


finite = arrays(st.sampled_from(SPECIAL) | st.floats(-1e30, 1e30) | st.floats(-1, 1)).filter(
    lambda values: bool(np.isfinite(values).all())
)
gates = arrays(st.sampled_from([0.0, -0.0, 0.1, 0.9, 1.0, 0.95, 0.05, 0.5]) | st.floats(0, 1))
anything = arrays(st.sampled_from([*SPECIAL, math.nan, math.inf, -math.inf]))


def runs(rows: Rows, holds: Callable[[float], bool]) -> list[tuple[int, int, int]]:
    """Every unbroken run, as (length, first step, unit)."""
    found = []
    for unit in range(len(rows[0])):
        start = None
        for step in range(len(rows) + 1):
            now = step < len(rows) and holds(rows[step][unit])
            if now and start is None:
                start = step
            if not now and start is not None:
                found.append((step - start, start, unit))
                start = None
    return found


def is_the_longest(rows: Rows, end: str, v: dict[str, Any]) -> bool:
    holds = above if end == "above" else below
    found, others = runs(rows, holds), runs(rows, below if end == "above" else above)
    best = max(length for length, _, _ in found)
    ties = [(start, unit) for length, start, unit in found if length == best]
    return (
        (v["start"], v["unit"]) == min(ties)
        and v["run"] == best == v["stop"] - v["start"] + 1
        and v["ties"] == len(ties)
        and best >= max((length for length, _, _ in others), default=0)
    )


def above(value: float) -> bool:
    return value > 0.9


def below(value: float) -> bool:
    return value < 0.1


def always(rows: Rows, holds: Callable[[float], bool]) -> list[int]:
    return [unit for unit in range(len(rows[0])) if all(holds(row[unit]) for row in rows)]


def peaks(rows: Rows) -> list[tuple[int, int]]:
    """Where the value farthest from 0 stands, in the order of time."""
    most = max(abs(value) for row in rows for value in row)
    return [(step, unit) for step, row in enumerate(rows) for unit, value in enumerate(row) if abs(value) == most]


def is_the_peak(rows: Rows, v: dict[str, Any], once: bool) -> bool:
    found = peaks(rows)
    return found[0] == (v["step"], v["unit"]) and v["peak"] == rows[v["step"]][v["unit"]] and (len(found) == 1) == once


def all_are(rows: Rows, value: float) -> bool:
    return all(number == value for row in rows for number in row)


def within(rows: Rows) -> bool:
    return not any(above(value) or below(value) for row in rows for value in row)


def width(rows: Rows) -> int:
    return len(rows[0])


def low_high(rows: Rows) -> tuple[float, float]:
    flat = [value for row in rows for value in row]
    return min(flat), max(flat)


def end_of(rows: Rows, v: dict[str, Any]) -> float:
    assert v["step"] < len(rows) - 1, "what it ends at is where it is largest"
    return rows[-1][v["unit"]]


Judge = Callable[[Rows, dict[str, Any]], bool]
JUDGES: dict[str, Judge] = {
    "{value} at every step.": lambda r, v: width(r) == 1 and all_are(r, v["value"]),
    "{value} in every unit at every step.": lambda r, v: width(r) > 1 and all_are(r, v["value"]),
    "{value} at every step, neither above 0.9 nor below 0.1.": lambda r, v: within(r) and all_are(r, v["value"]),
    "About {value} at every step, neither above 0.9 nor below 0.1.": lambda r, v: (
        within(r) and all(math.isclose(n, v["value"], rel_tol=0.01) for row in r for n in row)
    ),
    "Between {low} and {high}: never above 0.9 or below 0.1.": lambda r, v: (
        within(r) and (v["low"], v["high"]) == low_high(r)
    ),
    "Every unit is above 0.9 at every step.": lambda r, v: 1 < width(r) == len(always(r, above)),
    "Every unit is below 0.1 at every step.": lambda r, v: 1 < width(r) == len(always(r, below)),
    "Above 0.9 at every step.": lambda r, v: width(r) == 1 == len(always(r, above)),
    "Below 0.1 at every step.": lambda r, v: width(r) == 1 == len(always(r, below)),
    "Unit {unit} is above 0.9 at every step.": lambda r, v: always(r, above) == [v["unit"]] and width(r) > 1,
    "Unit {unit} is below 0.1 at every step.": lambda r, v: always(r, below) == [v["unit"]] and width(r) > 1,
    "Ends at the same value.": lambda r, v: end_of(r, v) == v["peak"],
    "Ends within 1% of that.": lambda r, v: 0.99 <= end_of(r, v) / v["peak"] < 1,
    "Ends at {last} ({share} of it).": lambda r, v: (
        v["last"] == end_of(r, v) and 0 < end_of(r, v) / v["peak"] == v["share"] < 0.99
    ),
    "Ends at {last}.": lambda r, v: v["last"] == end_of(r, v) and end_of(r, v) / v["peak"] <= 0,
}
for end_, judge_ in {"above 0.9": above, "below 0.1": below}.items():
    JUDGES[f"{{count}} of {{units}} are {end_} at every step, unit {{unit}} the first of them."] = (
        lambda r, v, judge_=judge_: (
            (always(r, judge_)[0], len(always(r, judge_)), width(r)) == (v["unit"], v["here"], v["count"])
            and 1 < v["here"] < width(r)
        )
    )
    for where in ("", "unit {unit}, "):
        for tie in ("", ", the first of {ties} as long"):
            JUDGES[f"Longest {end_}: {where}steps {{start}} to {{stop}} ({{run}} in a row){tie}."] = (
                lambda r, v, end_=end_, where=where, tie=tie: (
                    is_the_longest(r, end_[:5], v) and (width(r) > 1) == bool(where) and (v["ties"] > 1) == bool(tie)
                )
            )
    cap = end_.capitalize()
    for template in (
        f"{cap} at step {{start}} alone.",
        f"{cap} in unit {{unit}} at step {{start}} alone.",
        f"{cap} for one step at a time, first at step {{start}}.",
        f"{cap} for one step at a time, first in unit {{unit}} at step {{start}}.",
    ):
        JUDGES[template] = lambda r, v, end_=end_, template=template: (
            is_the_longest(r, end_[:5], v)
            and v["run"] == 1
            and (v["ties"] == 1) == ("alone" in template)
            and (width(r) > 1) == ("unit" in template)
        )
for template, once, last in (
    ("Farthest from 0 at step {step}, for the first time: {peak}.", False, None),
    ("Farthest from 0 at step {step}: {peak}.", True, False),
    ("Farthest from 0 at the last step: {peak}.", True, True),
    ("Farthest from 0 first in unit {unit} at step {step}: {peak}.", False, None),
    ("Farthest from 0 in unit {unit} at step {step}: {peak}.", True, False),
    ("Farthest from 0 in unit {unit} at the last step: {peak}.", True, True),
):
    JUDGES[template] = lambda r, v, once=once, last=last, template=template: (
        is_the_peak(r, v, once) and last in (None, v["step"] == len(r) - 1) and (width(r) > 1) == ("unit" in template)
    )
for template in [t for t in JUDGES if t.startswith("Ends ")]:
    JUDGES[f"That unit e{template[1:]}"] = JUDGES[template]


def judge(sentence: str, values: np.ndarray) -> None:
    """Every claim of a sentence is true of these values."""
    assert isinstance(sentence, Sentence)
    well_made(sentence)
    rows, known = values.astype(float).tolist(), leaves(sentence)
    if sentence.template == "{first} {second}":
        parts = [sentence.values["first"], sentence.values["second"]]
        assert (len(rows[0]) > 1) == parts[1].startswith("That unit")
    else:
        parts = [sentence]
    for part in parts:
        v = known | ({"here": part.values["count"]} if "units" in part.values else {})
        assert JUDGES[part.template](rows, v), (part, rows)
    for value in known.values():
        if isinstance(value, Number) and value:
            shown = float(f"{value}")
            assert shown == pytest.approx(float(value), rel=0.0051) or abs(value) < 1e-300, (sentence, value)


@given(gates)
@example(np.array([[0.95], [0.95], [0.5], [0.95], [0.95]]))
@example(np.full((4, 1), 0.9, np.float32))
@example(np.array([[0.89999], [0.9]]))
@example(np.array([[0.95, 0.01], [0.95, 0.01]]))
def test_what_is_said_of_a_gate_is_so(values):
    judge(describe("l0.f", values), values)


@given(finite)
@example(np.array([[201.0], [200.0]]))
@example(np.array([[0.00414], [0.0022]]))
@example(np.array([[-0.0]]))
@example(np.array([[5e-324], [-5e-324]]))
@example(np.array([[0.5], [-0.5], [0.5]]))
def test_what_is_said_of_a_state_is_so(values):
    judge(describe("h", values), values)


@given(finite)
def test_what_is_said_of_the_input_is_so(values):
    said, rows = describe("x", values), values.astype(float).tolist()
    well_made(said)
    v, (low, high) = leaves(said), low_high(rows)
    assert v["count"] == len(rows)
    if "width" in v:
        assert all(sorted(row) == [0.0] * (len(row) - 1) + [1.0] and len(row) == v["width"] > 1 for row in rows)
    elif "value" in v:
        same = low == high
        assert v["value"] == low
        assert ("about" not in said) == same
        assert low == high or math.isclose(low, high, rel_tol=0.01)
    else:
        assert (v["low"], v["high"]) == (low, high)
        assert low < high


@given(finite)
def test_the_output_is_said_with_its_last_values(values):
    said = describe("y", values)
    well_made(said)
    shown = said.values["values"].split(", ")
    for text, value in zip(shown, values[-1][:4].tolist(), strict=True):
        assert text.startswith("−") == (value < 0)
        assert float(text.replace("−", "-")) == pytest.approx(value, rel=0.0051, abs=1e-300)


@given(anything, st.sampled_from(["x", "f", "h", "y"]))
@example(np.array([[0.0], [1.0], [math.inf], [2.0]]), "h")
@example(np.array([[0.0], [math.nan], [math.inf]]), "h")
def test_where_a_number_is_not_finite_is_said_first(values, signal):
    broken = [t for t, row in enumerate(values.tolist()) if not all(map(math.isfinite, row))]
    said = describe(signal, values)
    assert str(describe_overflow(values)) == (str(said) if broken else "")
    well_made(said)
    if not broken:
        return
    assert said.values["step"] == broken[0]
    if "from step" in said:
        assert broken == list(range(broken[0], len(values)))
        assert len(broken) > 1
    elif "broken" in said.values:
        assert (said.values["broken"], leaves(said)["count"]) == (len(broken), len(values))
    else:
        assert len(broken) == 1


@given(st.dictionaries(st.sampled_from(["forget gate", "input gate"]), gates, min_size=1))
def test_what_is_said_of_saturation_is_so(given_gates):
    said = describe_saturation(given_gates)
    for name, values in given_gates.items():
        flat = [value for row in values.astype(float).tolist() for value in row]
        closed, opened = (Share(sum(map(holds, flat)) / len(flat)) for holds in (below, above))
        assert f"{name}: closed {closed} and open {opened} of the time." in said


def test_a_share_is_all_or_nothing_only_where_it_is():
    shares = [0.0, 1e-9, 0.004, 0.01, 0.254, 0.5, 0.99, 0.994, 0.996, 1.0]
    assert [f"{Share(s)}" for s in shares] == ["0%", "<1%", "<1%", "1%", "25%", "50%", "99%", ">99%", ">99%", "100%"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (-0.0, "0"), (0.8, "0.8"), (-0.0022, "−0.0022"), (201, "201"), (999.7, "1000"), (9999.4, "9999"),
     (9999.6, "1e+04"), (3e38, "3e+38"), (1.4e-45, "1.4e-45"), (2 / 3, "0.667")],
)  # fmt: skip
def test_a_number_has_three_digits(value, text):
    assert short(value) == text


def test_the_longest_run_is_unbroken():
    rows = np.array([[1, 1], [1, 0], [0, 1], [1, 1], [1, 1], [0, 1]], dtype=bool)
    assert longest_run(rows) == (1, 4)
    assert longest_run(np.zeros((3, 2), dtype=bool)) == (0, 0)
    assert longest_run(np.ones((3, 2), dtype=bool)) == (0, 3)


def test_a_gate_at_a_threshold_is_neither_open_nor_closed():
    closed, opened = saturation(np.array([[0.1, 0.9], [0.09999, 0.90001]]))
    np.testing.assert_array_equal(closed, [0.5, 0.0])
    np.testing.assert_array_equal(opened, [0.0, 0.5])
    for kind in (np.float32, np.float64):
        values = np.array([[0.1, 0.9]], kind)
        assert describe("f", values) == "Between 0.1 and 0.9: never above 0.9 or below 0.1."
        assert describe("f", values[:, :1]) == "0.1 at every step, neither above 0.9 nor below 0.1."


def test_as_long_open_as_shut_is_told_as_open():
    assert describe("f", np.array([[0.0], [0.0], [1.0], [1.0]])) == "Longest above 0.9: steps 2 to 3 (2 in a row)."


@pytest.mark.parametrize(
    ("last", "end"),
    [(200.0, "Ends at the same value."), (199.0, "Ends within 1% of that."), (198.0, "Ends within 1% of that."),
     (197.0, "Ends at 197 (98% of it)."), (1.0, "Ends at 1 (<1% of it)."), (0.0, "Ends at 0."), (-0.0, "Ends at 0."),
     (-200.0, "Ends at −200.")],
)  # fmt: skip
def test_where_a_state_ends_is_measured_against_its_peak(last, end):
    values = np.array([[1.0], [200.0], [3.0], [last]])
    said = describe("c", values)
    judge(said, values)
    assert str(said).endswith(end)


def test_sentences_read_well():
    gate = np.full((48, 4), 0.5)
    gate[3:44, 3] = 0.95
    assert describe("l0.f", gate) == "Longest above 0.9: unit 3, steps 3 to 43 (41 in a row)."
    with speaking("zh"):
        assert describe("l0.f", gate) == "高于 0.9 最久：隐藏单元 3，第 3 至 43 步（连续 41 步）。"
    state = np.zeros((6, 3))
    state[4, 1], state[5, 1] = -0.8, -0.2
    assert describe("c", state) == "Farthest from 0 in unit 1 at step 4: −0.8. That unit ends at −0.2 (25% of it)."
    assert describe("c", np.array([[201.0], [200.0]])) == "Farthest from 0 at step 0: 201. Ends within 1% of that."
    assert describe("h", np.zeros((6, 3))) == "0 in every unit at every step."
    assert describe("h", np.array([[0.0], [1.0], [np.inf], [2.0]])) == "Not a finite number at step 2."
    assert describe("x", np.array([[0.5, -1.0]])) == "1 step, from −1 to 0.5."
    assert describe("x", np.eye(4)[[0, 2, 1]]) == "3 steps: at each, one of 4 inputs is 1, the others are 0."
    assert describe("y", np.arange(7.0)[None]) == "Ends at 0, 1, 2, 3 (the first 4 of 7)."


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (3,), (2, 2, 2)])
def test_a_row_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match="at least one step of one unit"):
        describe("h", np.zeros(shape))
