"""What is said of a hand-set network holds on its run: every claim is looked up again in plain loops."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from referee import well_made

import seqviz
from seqviz.experiment import Experiment, InputEdit, Sequence, WeightEdit
from seqviz.experiment.parts import HAND_SET
from seqviz.language import Sentence, speaking
from seqviz.networks.presets import preset
from seqviz.telling.claims import Claim, tell
from seqviz.telling.stories import STORIES, preset_story
from seqviz.ui.pictures import signals, story
from seqviz.vocabulary import PICTURE_ORDER, is_gate

Run = dict[str, list[list[float]]]
Values = dict[str, Any]


def column(run: Run, name: str, unit: int = 0) -> list[float]:
    return [row[unit] for row in run[name]]


def counts(run: Run) -> list[float]:
    total, found = 0.0, []
    for value in column(run, "x"):
        total += value
        found.append(total)
    return found


def depths(run: Run) -> list[float]:
    total, found = 0.0, []
    for row in run["x"]:
        total += row[2] - row[3]
        found.append(total)
    return found


def leaky(run: Run) -> list[float]:
    return [sum(0.9 ** (t - k) * run["x"][k][0] for k in range(t + 1)) for t in range(len(run["x"]))]


def is_bits(run: Run) -> bool:
    return all(value in (0, 1) for value in column(run, "x"))


def is_text(run: Run) -> bool:
    return all(sorted(row) == [0, 0, 0, 1] for row in run["x"])


def added(run: Run, t: int) -> float:
    """What a step adds to what the forget gate keeps of the cell state."""
    return run["c"][t][0] - (run["f"][t][0] * run["c"][t - 1][0] if t else 0.0)


def change(run: Run, t: int) -> float:
    return run["h"][t][0] - (run["h"][t - 1][0] if t else 0.0)


def steps_of(run: Run) -> range:
    return range(len(run["x"]))


def shut(run: Run, gate: str, t: int) -> bool:
    return all(value < 0.1 for value in run[gate][t])


def opened(run: Run, gate: str, t: int) -> bool:
    return all(value > 0.9 for value in run[gate][t])


def stays(run: Run, state: str) -> bool:
    kept = column(run, state)
    return all(abs(value - kept[0]) <= 0.01 * abs(kept[0]) for value in kept)


def coasting(run: Run, state: str) -> dict[int, float]:
    """What is left of the state, by steps without input at which there was something to keep."""
    kept = column(run, state)
    return {
        t: kept[t] / kept[t - 1] for t in steps_of(run)[1:] if run["x"][t][0] == 0 and abs(kept[t - 1]) > 1e-30
    }  # fmt: skip


def lasting(run: Run, unit: int) -> float:
    return math.prod(column(run, "f", unit))


def reads(run: Run, signal: str, v: Values, unit: int = 0) -> bool:
    """The value that is quoted stands where it is said to stand."""
    return bool(v["value"] == run[signal][v["step"]][unit])


Judge = Callable[[Run, Values], bool]
JUDGES: dict[str, Judge] = {
    "It keeps the first bit and ignores whatever comes after: the output stays within 0.1 of that bit.": lambda r, v: (
        r["x"][0][0] in (0, 1) and all(abs(y - r["x"][0][0]) <= 0.1 for y in column(r, "y"))
    ),
    "The input at step 0 is {value}, neither 0 nor 1: there is no bit to keep.": lambda r, v: (
        v["value"] == r["x"][0][0] not in (0, 1)
    ),
    "It no longer keeps the first bit, {bit}: the output is {value} at step {step}.": lambda r, v: (
        v["bit"] == r["x"][0][0] and reads(r, "y", v) and abs(v["value"] - v["bit"]) > 0.1
    ),
    "The input gate opens at step 0 and never again.": lambda r, v: (
        opened(r, "i", 0) and all(shut(r, "i", t) for t in steps_of(r)[1:])
    ),
    "The input gate is no longer shut after step 0: unit {unit} reaches {value} at step {step}.": lambda r, v: (
        v["step"] > 0 and reads(r, "i", v, v["unit"]) and v["value"] == max(max(row) for row in r["i"][1:]) >= 0.1
    ),
    "The input gate is not open at step 0: unit {unit} is at {value}.": lambda r, v: (
        v["value"] == r["i"][0][v["unit"]] == min(r["i"][0]) <= 0.9
    ),
    "The update gate takes the candidate at step 0; after that it keeps the old state.": lambda r, v: (
        shut(r, "z", 0) and all(opened(r, "z", t) for t in steps_of(r)[1:])
    ),
    "The update gate no longer keeps the old state after step 0: unit {unit} falls to {value} at step {step}.": (
        lambda r, v: (
            v["step"] > 0 and reads(r, "z", v, v["unit"]) and v["value"] == min(min(row) for row in r["z"][1:]) <= 0.9
        )
    ),
    "The update gate does not take the candidate at step 0: unit {unit} is at {value}.": lambda r, v: (
        v["value"] == r["z"][0][v["unit"]] == max(r["z"][0]) >= 0.1
    ),
    "The cell state of unit 0 stays where it was put.": lambda r, v: stays(r, "c"),
    "The hidden state of unit 0 stays where it was put.": lambda r, v: stays(r, "h"),
    "The cell state of unit 0 does not stay: it is {first} at step 0 and {value} at step {step}.": lambda r, v: (
        not stays(r, "c") and reads(r, "c", v) and v["first"] == r["c"][0][0] != v["value"]
    ),
    "The hidden state of unit 0 does not stay: it is {first} at step 0 and {value} at step {step}.": lambda r, v: (
        not stays(r, "h") and reads(r, "h", v) and v["first"] == r["h"][0][0] != v["value"]
    ),
    "It was set for zeros and ones; the input at step {step} is {value}.": lambda r, v: (
        reads(r, "x", v) and v["value"] not in (0, 1) and all(x in (0, 1) for x in column(r, "x")[: v["step"]])
    ),
    "It counts the ones: the output, rounded, is how many there have been.": lambda r, v: (
        is_bits(r) and all(abs(y - n) <= 0.5 for y, n in zip(column(r, "y"), counts(r), strict=True))
    ),
    "It no longer counts the ones: the output rounds to {value} at step {step}, where the count is {count}.": (
        lambda r, v: v["value"] == round(r["y"][v["step"]][0]) != v["count"] == counts(r)[v["step"]]
    ),
    "Past 24 the tanh bends the output down: it rounds to {value} at step {step}, where the count is {count}.": (
        lambda r, v: (
            v["value"] == round(r["y"][v["step"]][0]) != v["count"] == counts(r)[v["step"]] > 24
            and abs(r["c"][v["step"]][0] - v["count"] / 100) < 0.005
        )
    ),
    "Each 1 adds 0.01 to the cell state, and a 0 adds nothing.": lambda r, v: (
        is_bits(r) and all(abs(added(r, t) - r["x"][t][0] / 100) <= 0.0005001 for t in steps_of(r))
    ),
    "At step {step} a {bit} adds {value} to the cell state.": lambda r, v: (
        v["bit"] == r["x"][v["step"]][0]
        and v["value"] == pytest.approx(added(r, v["step"]), rel=1e-6, abs=1e-12)
        and abs(v["value"] - v["bit"] / 100) > 0.0005
    ),
    "The forget gate is 1 throughout, so that nothing is lost.": lambda r, v: (
        all(abs(f - 1) < 0.0005 for row in r["f"] for f in row)
        and all(lasting(r, unit) > 0.99 for unit in range(len(r["f"][0])))
    ),
    "The forget gate is not 1 throughout: {value:.5g} at step {step}.": lambda r, v: (
        v["value"] in r["f"][v["step"]]
        and abs(v["value"] - 1) == max(abs(f - 1) for row in r["f"] for f in row)
        and f"{v['value']:.5g}" != "1"
    ),
    "The forget gate is a little less than 1: of what was in the cell before step 0, {share} would be left.": (
        lambda r, v: (
            v["share"] == pytest.approx(min(lasting(r, unit) for unit in range(len(r["f"][0])))) and v["share"] <= 0.99
        )
    ),
    "Each 1 adds 1 to the hidden state, and nothing is lost.": lambda r, v: (
        is_bits(r) and all(abs(change(r, t) - r["x"][t][0]) <= 0.0010001 for t in steps_of(r))
    ),
    "At step {step} a {bit} changes the hidden state by {value}.": lambda r, v: (
        v["bit"] == r["x"][v["step"]][0] and v["value"] == change(r, v["step"]) and abs(v["value"] - v["bit"]) > 0.001
    ),
    "It reads one character a step; the input at step {step} is none.": lambda r, v: (
        sorted(r["x"][v["step"]]) != [0, 0, 0, 1]
    ),
    "It knows how many brackets are open: the output, rounded, is that depth.": lambda r, v: (
        is_text(r) and all(abs(y - n) <= 0.5 for y, n in zip(column(r, "y"), depths(r), strict=True))
    ),
    "It no longer tells the depth: the output rounds to {value} at step {step}, where the depth is {depth}.": (
        lambda r, v: v["value"] == round(r["y"][v["step"]][0]) != v["depth"] == depths(r)[v["step"]]
    ),
    "ReLU stops at 0: at step {step} the depth is {depth} and the output {value}.": lambda r, v: (
        v["value"] == round(r["y"][v["step"]][0]) != v["depth"] == depths(r)[v["step"]] < 0 == r["h"][v["step"]][0]
    ),
    "Beyond 24 the tanh bends the output: it rounds to {value} at step {step}, where the depth is {depth}.": (
        lambda r, v: (
            v["value"] == round(r["y"][v["step"]][0]) != v["depth"] == depths(r)[v["step"]]
            and abs(v["depth"]) > 24
            and abs(r["c"][v["step"]][0] - v["depth"] / 100) < 0.005
        )
    ),
    "“(” adds 0.01 to the cell state and “)” takes it away; letters change nothing.": lambda r, v: (
        is_text(r) and all(abs(added(r, t) - (x[2] - x[3]) / 100) <= 0.0005001 for t, x in enumerate(r["x"]))
    ),
    "Step {step} adds {value} to the cell state.": lambda r, v: (
        v["value"] == pytest.approx(added(r, v["step"]), rel=1e-6, abs=1e-12)
        and abs(v["value"] - (r["x"][v["step"]][2] - r["x"][v["step"]][3]) / 100) > 0.0005
    ),
    "“(” adds 1 to the hidden state and “)” takes it away, down to 0; letters change nothing.": lambda r, v: (
        is_text(r)
        and all(
            abs(r["h"][t][0] - max(0.0, r["h"][t][0] - change(r, t) + x[2] - x[3])) <= 0.0010001
            for t, x in enumerate(r["x"])
        )
    ),
    "Step {step} changes the hidden state by {value}.": lambda r, v: v["value"] == change(r, v["step"]),
    (
        "It adds up its input and forgets a tenth of the sum at every step; the output is that sum, to within 5% of "
        "its largest."
    ): lambda r, v: (
        any(column(r, "x"))
        and all(abs(y - s) <= 0.05001 * max(map(abs, leaky(r))) for y, s in zip(column(r, "y"), leaky(r), strict=True))
    ),
    (
        "It was set to add up its input and to forget a tenth of the sum at every step; that sum is {sum} at step "
        "{step}, and the output is {value}."
    ): lambda r, v: (
        reads(r, "y", v)
        and v["sum"] == pytest.approx(leaky(r)[v["step"]], abs=1e-9 * max(map(abs, leaky(r))))
        and abs(v["sum"] - v["value"]) > 0.0499 * max(map(abs, leaky(r)))
    ),
    "It holds no negative sum: at step {step} the sum is {sum}, and the output is {value}.": lambda r, v: (
        reads(r, "y", v)
        and v["sum"] == pytest.approx(leaky(r)[v["step"]], abs=1e-9 * max(map(abs, leaky(r))))
        and v["sum"] < 0 == r["h"][v["step"]][0]
    ),
    "Every 1 flips it: the output is above 0 after an odd number of ones, and below 0 after an even number.": (
        lambda r, v: (
            is_bits(r)
            and all((y > 0) == (n % 2 == 1) and y != 0 for y, n in zip(column(r, "y"), counts(r), strict=True))
        )
    ),
    "It no longer tells odd from even: the output is {value} at step {step}, where the count of ones is {count}.": (
        lambda r, v: (
            reads(r, "y", v)
            and v["count"] == counts(r)[v["step"]]
            and (v["value"] <= 0 if v["count"] % 2 else v["value"] >= 0)
        )
    ),
}
for state, word in (("c", "cell"), ("h", "hidden")):
    JUDGES[f"Where nothing comes in, the {word} state keeps 0.9 of itself a step: it halves every 6.6 steps."] = (
        lambda r, v, state=state: (
            bool(coasting(r, state))
            and all(
                math.isclose(math.log(0.5) / math.log(kept), 6.6, abs_tol=0.4) for kept in coasting(r, state).values()
            )
        )
    )
    JUDGES[
        f"Nothing comes in at step {{step}}, and the {word} state becomes {{value}} times what it was, not 0.9 times."
    ] = lambda r, v, state=state: v["value"] == coasting(r, state)[v["step"]] and abs(v["value"] - 0.9) > 0.005


def before(run: Run, t: int) -> float:
    return run["h"][t - 1][0] if t else 0.0


for keep, candidate, lets_go, holds_on, wrong in (
    (
        "f", "g",
        "At a 1 the forget gate drops the old state, and the candidate has the opposite sign.",
        "At a 0 the forget gate keeps everything and the input gate lets nothing in.",
        "the forget gate does not drop the old state",
    ),
    (
        "z", "n",
        "At a 1 the update gate takes the candidate, which has the opposite sign.",
        "At a 0 the update gate keeps the old state.",
        "the update gate does not take the candidate",
    ),
):  # fmt: skip
    JUDGES[lets_go] = lambda r, v, keep=keep, candidate=candidate: all(
        r[keep][t][0] < 0.1 and before(r, t) * r[candidate][t][0] <= 0 for t in steps_of(r) if r["x"][t][0] == 1
    )
    JUDGES[holds_on] = lambda r, v, keep=keep: all(
        r[keep][t][0] > 0.9 and (keep == "z" or r["i"][t][0] < 0.1) for t in steps_of(r) if r["x"][t][0] == 0
    )
    JUDGES[f"At step {{step}} a 1 comes in, and {wrong}: it is {{value}}."] = lambda r, v, keep=keep: (
        r["x"][v["step"]][0] == 1 and reads(r, keep, v) and v["value"] >= 0.1
    )
SAME_SIGN = "At step {step} a 1 comes in, and the candidate, {value}, has the sign of the old state, {old}."
JUDGES[SAME_SIGN] = lambda r, v: (
    r["x"][v["step"]][0] == 1
    and reads(r, "g" if "g" in r else "n", v)
    and v["old"] == before(r, v["step"])
    and v["old"] * v["value"] > 0
)
JUDGES["At step {step} a 0 comes in, and the old state is not kept as it is: {gate} is {value}."] = lambda r, v: (
    r["x"][v["step"]][0] == 0
    and reads(r, v["gate"], v)
    and (v["value"] >= 0.1 if v["gate"] == "i" else v["value"] <= 0.9)
)


def judged(said: list[Sentence], run: dict[str, np.ndarray]) -> None:
    rows = {name: values.astype(float).tolist() for name, values in run.items()}
    for sentence in said:
        well_made(sentence)
        assert JUDGES[sentence.template](rows, sentence.values), (sentence, rows)


@pytest.mark.parametrize(("name", "cell"), STORIES)
def test_a_story_is_told_whole_of_the_network_as_it_was_set(name, cell):
    experiment = preset(name, cell)
    run = signals(seqviz.run(experiment), cell, 0)
    told = tell(STORIES[name, cell], run)
    assert [sentence.template for sentence in told] == [claim.says for claim in STORIES[name, cell]]
    judged(told, run)
    assert story(experiment) == " ".join(told)


def test_every_network_that_is_set_by_hand_has_a_story():
    assert set(STORIES) == {(name, cell) for name, found in HAND_SET.items() for cell in found.cells}


@pytest.mark.parametrize(("name", "cell"), STORIES)
def test_a_story_speaks_of_what_the_cell_has(name, cell):
    said = " ".join(claim.says for claim in STORIES[name, cell])
    parts = {"f": "forget gate", "i": "input gate", "z": "update gate", "r": "reset gate", "c": "cell state"}
    for signal, words in parts.items():
        assert signal in PICTURE_ORDER[cell] or words not in said, words
    for other in ("LSTM", "GRU", "RNN"):
        assert other not in said


LIVE = st.sampled_from([0.0, -0.0, 0.01, 0.02, 0.5, 0.761, 0.9, 1.0, -1.0, -0.5, 25.0, 1e-40, 5e-324, 1e300, -1e30])
GATE = st.sampled_from([0.0, 1.0, 0.05, 0.1, 0.5, 0.9, 0.95, 0.9, 0.9996, 0.999999])
GIVEN = st.sampled_from([0.0, 1.0, 1.0, 0.0, -0.0, 0.5, -1.0])


@st.composite
def runs(draw: st.DrawFn, name: str, cell: str) -> dict[str, np.ndarray]:
    """Signals of the right shapes, with any numbers."""
    found = HAND_SET[name]
    steps = draw(st.integers(1, 8))

    def values(elements: st.SearchStrategy[float], width: int) -> np.ndarray:
        pool = draw(st.lists(elements, min_size=1, max_size=3))
        size = steps * width
        return np.array(draw(st.lists(st.sampled_from(pool), min_size=size, max_size=size))).reshape(steps, width)

    x = values(GIVEN, found.input_size)
    if name == "brackets" and draw(st.booleans()):
        x = np.eye(4)[draw(st.lists(st.integers(0, 3), min_size=steps, max_size=steps))]
    run = {"x": x}
    for signal in PICTURE_ORDER[cell]:
        run[signal] = values(GATE if is_gate(signal) else LIVE, found.hidden_size)
    return run | {"y": values(LIVE | st.floats(-30, 30), 1)}


@pytest.mark.parametrize(("name", "cell"), STORIES)
@given(data=st.data())
@settings(max_examples=30)
def test_whatever_is_said_of_any_run_is_so(name, cell, data):
    run = data.draw(runs(name, cell))
    judged(tell(STORIES[name, cell], run), run)


NOTHING = "Nothing in this input shows what it was set to do."


@st.composite
def changed(draw: st.DrawFn) -> Experiment:
    """A hand-set network after a person has had it in their hands."""
    name, cell = draw(st.sampled_from(sorted(STORIES)))
    e = preset(name, cell)
    what = draw(st.sampled_from(["gain", "forget_bias", "spectral_radius", "weight", "clamp", "input", "wave"]))
    if what in ("gain", "forget_bias", "spectral_radius"):
        least = 0.0 if what == "spectral_radius" else -3.0
        e = replace(e, init=replace(e.init, **{what: draw(st.sampled_from([least, 0.0, 0.5, 0.9, 1.1, 3.0]))}))
    elif what == "weight":
        row = draw(st.integers(0, e.hidden_size - 1))
        e = replace(e, edits=(WeightEdit("weight_hh_l0", row, 0, draw(st.floats(-100, 100, width=32))),))
    elif what == "clamp":
        signal = draw(st.sampled_from(PICTURE_ORDER[cell]))
        spans = st.tuples(st.integers(0, 5), st.integers(6, 12))
        e = replace(
            e, interventions=(seqviz.Clamp(f"l0.{signal}", draw(st.floats(-2, 2, width=32)), steps=draw(spans)),)
        )
    elif what == "input":
        edit = InputEdit(draw(st.integers(0, 10)), 0, draw(st.floats(-2, 2, width=32)))
        e = replace(e, sequence=replace(e.sequence, edits=(edit,)))
    else:
        assume(name != "brackets")
        kind = draw(st.sampled_from(["bits", "sine", "square", "noise", "step", "impulse"]))
        e = e.changed(sequence=Sequence(kind, draw(st.integers(1, 60))))
    return e


@given(changed())
@settings(max_examples=60, deadline=None)
@example(replace(preset("counter"), init=replace(preset("counter").init, forget_bias=0.0)))
@example(replace(preset("leaky", "RNN_TANH"), sequence=Sequence("square", 64)))
@example(replace(preset("leaky", "RNN_RELU"), sequence=Sequence("sine", 64)))
def test_what_is_said_after_any_change_is_so(experiment):
    run = signals(seqviz.run(experiment), experiment.cell, 0)
    key = (experiment.init.scheme, experiment.cell)
    if all(np.isfinite(values).all() for values in run.values()):
        judged(tell(STORIES[key], run), run)
        assert preset_story(*key, run) in (" ".join(tell(STORIES[key], run)), NOTHING)


def test_what_no_longer_holds_is_said_with_its_number():
    counter = preset("counter")
    without = replace(counter, init=replace(counter.init, forget_bias=0.0))
    assert story(without) == (
        "It no longer counts the ones: the output rounds to 0 at step 1, where the count is 1. "
        "Each 1 adds 0.01 to the cell state, and a 0 adds nothing. "
        "The forget gate is not 1 throughout: 0.5 at step 0."
    )
    long = replace(counter, sequence=Sequence.of_values(np.ones(30, np.float32)))
    assert "Past 24 the tanh bends the output down: it rounds to 24 at step 24, where the count is 25." in story(long)
    clamped = replace(preset("latch"), interventions=(seqviz.Clamp("l0.i", 0.43, units=(0,), steps=(7, 8)),))
    assert "The input gate is no longer shut after step 0: unit 0 reaches 0.43 at step 7." in story(clamped)


def said_of(name: str, cell: str, signal: str, change: Callable[[np.ndarray], np.ndarray], length: int = 24) -> str:
    """The story of a hand-set network whose run has one signal changed."""
    experiment = preset(name, cell).changed(sequence=Sequence("impulse", length))
    run = signals(seqviz.run(experiment), cell, 0)
    run[signal] = change(run[signal].astype(float))
    told = tell(STORIES[name, cell], run)
    judged(told, run)
    return " ".join(told)


@pytest.mark.parametrize(("off", "holds"), [(0.0, True), (0.09, True), (-0.09, True), (0.11, False), (-0.11, False)])
def test_a_latch_keeps_its_bit_to_a_tenth(off, holds):
    said = said_of("latch", "LSTM", "y", lambda y: np.round(y) + off)
    assert ("ignores whatever comes after" in said) == holds
    assert ("no longer keeps" in said) != holds


@pytest.mark.parametrize(("f", "length", "says"), [
    (1.0, 24, "1 throughout, so that nothing is lost"),
    (0.9996, 24, "1 throughout, so that nothing is lost"),
    (0.9996, 200, "92% would be left"),
    (0.999, 24, "not 1 throughout: 0.999 at step 0"),

])  # fmt: skip
def test_a_forget_gate_is_1_where_nothing_is_lost(f, length, says):
    assert says in said_of("counter", "LSTM", "f", lambda gate: np.full_like(gate, f), length)


@pytest.mark.parametrize(("kept", "holds"), [(0.9, True), (0.896, True), (0.904, True), (0.894, False), (0.906, False)])
def test_a_state_that_halves_every_6_6_steps_keeps_nine_tenths(kept, holds):
    said = said_of("leaky", "GRU", "h", lambda h: kept ** np.arange(len(h))[:, None])
    assert ("halves every 6.6 steps" in said) == holds
    assert ("times what it was" in said) != holds


def test_an_overflow_is_all_that_is_said():
    run = signals(seqviz.run(preset("counter")), "LSTM", 0)
    run["c"] = run["c"].copy()
    run["c"][3] = np.inf
    said = preset_story("counter", "LSTM", run)
    assert said == "The network overflowed at step 3: what it was set to do is lost."


def test_a_text_of_other_characters_is_not_said_to_have_brackets():
    other = preset("brackets").changed(sequence=Sequence.of_text("abcdcc", "abcd"))
    assert "here these are “c” and “d”" in story(other)


def test_one_step_shows_nothing_of_a_latch():
    assert story(preset("latch").changed(sequence=Sequence("bits", 1))) == (
        "Nothing in this input shows what it was set to do."
    )


def test_a_story_is_told_in_chinese():
    english = story(preset("latch"))
    with speaking("zh"):
        chinese = story(preset("latch"))
    assert "输入门" in chinese
    assert "input" in english


def test_drawn_weights_are_called_drawn_and_trained_ones_are_not():
    drawn = Experiment("GRU", hidden_size=4)
    assert story(drawn) == "Its weights are drawn at random: it was taught nothing, and no unit has a task."
    assert story(replace(drawn, edits=(WeightEdit("weight_hh_l0", 0, 0, 1.0),))) == ""


def test_a_claim_that_a_run_cannot_show_is_left_out():
    claim = Claim("Nothing.", lambda signals: None, lambda signals: len(signals["x"]) > 1)
    assert tell([claim], {"x": np.zeros((1, 1))}) == []
    assert tell([claim], {"x": np.zeros((2, 1))}) == ["Nothing."]
