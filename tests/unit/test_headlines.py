"""The sentence on top is looked up in the run: true where it is said, and another where the run breaks it."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import seqviz
from seqviz.experiment import Experiment, Init, InputEdit, Sequence
from seqviz.language import Sentence
from seqviz.networks.presets import preset
from seqviz.telling.headlines import brief, headline
from seqviz.telling.order import order_headline
from seqviz.ui.pictures import signals

BITS = st.lists(st.integers(0, 1), min_size=2, max_size=40)


def told(experiment: Experiment):
    run = signals(seqviz.run(experiment), experiment.cell, 0)
    return headline(experiment.init.scheme, experiment.cell, run), run


def of_bits(name: str, bits: list[int], cell: str | None = None) -> Experiment:
    values = Sequence.of_values(np.array(bits, np.float32))
    return replace(preset(name, cell), sequence=values)


@given(BITS, st.sampled_from(["LSTM", "GRU"]))
@settings(max_examples=40, deadline=None)
def test_the_latch_is_told_by_its_first_bit_and_can_be_flipped(bits, cell):
    (says, tries), run = told(of_bits("latch", bits, cell))
    assert says == f"This unit keeps the first bit, {bits[0]}, for {len(bits)} steps."
    assert np.abs(run["y"] - bits[0]).max() <= 0.1
    assert tries.edits == ((0, 0, 1.0 - bits[0]),)
    assert tries.says == f"Make the first bit {1 - bits[0]}"
    flipped = of_bits("latch", bits, cell)
    flipped = replace(flipped, sequence=flipped.sequence.edited([InputEdit(*tries.edits[0])]))
    assert told(flipped)[0].says == f"This unit keeps the first bit, {1 - bits[0]}, for {len(bits)} steps."


@given(BITS)
@settings(max_examples=40, deadline=None)
def test_counter_and_parity_are_told_by_their_counts(bits):
    ones = sum(bits)
    (says, tries), _ = told(of_bits("counter", bits))
    if ones <= 24:
        assert says == f"This unit counts the ones: {ones} in {len(bits)} steps."
        step = bits.index(0) if 0 in bits else 0
        assert tries.edits == ((step, 0, 1.0 - bits[step]),)
    says = told(of_bits("toggle", bits))[0].says
    assert says.endswith("an odd number." if ones % 2 else "an even number.")
    assert f" {ones} in all" in says


def test_what_the_run_breaks_is_not_claimed():
    held = replace(preset("latch"), interventions=(seqviz.Clamp("l0.f", 0.5),))
    assert told(held)[0].says.startswith("It no longer keeps the first bit, 1: the output is ")
    forgets = replace(preset("counter"), init=replace(preset("counter").init, forget_bias=0.0))
    assert told(forgets)[0].says.startswith("It no longer counts the ones")
    assert told(replace(preset("latch"), sequence=Sequence("sine", 9)))[0].tries is None


@given(st.floats(0.05, 0.9999))
def test_how_long_it_lasts_is_the_closed_form(value):
    run = {"x": np.zeros((9, 1)), "f": np.full((9, 3), value), "c": np.ones((9, 3)), "h": np.ones((9, 3))}
    says = headline("", "LSTM", run).says
    half = np.log(0.5) / np.log(value)
    if value > 0.999:
        assert says == "The forget gate lets nothing go: what is in the cell stays."
    elif half < 1.05:
        assert says.endswith("half is gone within one.")
    else:
        assert float(says.split("after ")[1].split(" ")[0]) == pytest.approx(half, rel=0.06)


@pytest.mark.parametrize("cell", ["LSTM", "GRU", "RNN_TANH", "RNN_RELU"])
def test_every_network_has_a_sentence_and_every_row_a_short_one(cell):
    for sequence in (Sequence("sine", 1), Sequence("noise", 30), Sequence("sine", 5, amplitude=0.0)):
        (says, _), run = told(Experiment(cell, hidden_size=3, init=Init(gain=2.0), sequence=sequence))
        assert 10 < len(says) < 100
        for name, values in run.items():
            assert 0 < len(brief(name, values)) <= 34, brief(name, values)


def test_an_overflow_is_said_first():
    run = {"x": np.array([[1.0], [np.nan]]), "h": np.ones((2, 1)), "y": np.ones((2, 1))}
    assert headline("", "RNN", run).says == "RNN: Not a finite number at step 1."
    assert brief("x", run["x"]) == "overflows"


VALUES = st.floats(-1, 1, width=32) | st.sampled_from([0.0, -0.0, 1.0, 1e-30, -1e-30, 1e30, -1e30, 0.5, 0.996, 2.0])
SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 3))
KEPT = st.floats(0, 1, width=32) | st.sampled_from([0.0, -0.0, 1.0, 1e-30, 0.9991, 0.9999, 1.5])


def digits(text: str) -> list[float]:
    found = re.findall(r"(?<![\w.±])−?\d+(?:\.\d+)?(?:e[+-]\d+)?", text)
    return [float(one.replace("−", "-")) for one in found]


def alike(said: Sentence) -> None:
    for language in ("zh", "de"):
        other = said.into(language)
        assert sorted(set(digits(other)) - {0.0, 1.0}) == sorted(set(digits(said)) - {0.0, 1.0}), other


def read(said: float, value: float) -> bool:
    return abs(said - value) <= max(0.00502 * abs(value), 0.00502 if abs(value) >= 0.005 else 0)


@given(hnp.arrays(np.float32, SHAPES, elements=KEPT), st.sampled_from("fz"))
@example(np.full((400, 1), 0.9991, np.float32), "f")
@example(np.array([[0.5, 0.0], [0.5, 0.5]], np.float32), "f")
@example(np.full((3, 1), 1.5, np.float32), "f")
@example(np.array([[0.5, 0.5], [0.5, -1.0]], np.float32), "f")
def test_what_a_gate_keeps_is_what_a_plain_loop_keeps(gate, name):
    steps, units = gate.shape
    run = {"x": np.zeros((steps, 1)), name: gate, "h": np.ones((steps, units))}
    said = headline("", "cell", run).says
    left = [math.prod(float(gate[t, u]) for t in range(steps)) for u in range(units)]
    zeros = [(t, u) for t in range(steps) for u in range(units) if gate[t, u] <= 0]
    alike(said)
    assert ("keeps nothing" in said or "sign is turned" in said) == bool(zeros)
    if zeros:
        step, unit, *times = digits(said)
        assert (int(step), int(unit)) in zeros
        assert read(sum(times), float(gate[int(step), int(unit)]))
        return
    mean = math.exp(math.fsum(math.log(float(v)) for v in gate.flat) / gate.size)
    assert ("grows" in said) == (mean > 1)
    if "grows" in said:
        assert read(digits(said)[0], mean)
    elif "lets nothing go" in said:
        assert min(left) > 0.989
    elif "within one" in said:
        assert mean**1.05 < 0.5 + 1e-6
    else:
        (count,) = digits(said.split("half is gone after")[1])
        assert mean**count == pytest.approx(0.5, abs=0.03)


@given(hnp.arrays(np.float32, SHAPES, elements=VALUES))
def test_what_is_said_of_states_without_such_a_gate_is_so(h):
    said = headline("", "RNN", {"x": np.zeros((len(h), 1)), "h": h}).says
    flat = [float(v) for v in h.flat]
    alike(said)
    if "at every step" in said:
        assert not any(flat)
    elif "run from" in said:
        assert max(map(abs, flat)) > 1
        assert all(read(n, v) for n, v in zip(digits(said), (min(flat), max(flat)), strict=True))
    else:
        shut = "ReLU" in said
        count = sum(v == 0 for v in flat) if shut else sum(abs(v) > 0.9 for v in flat)
        assert min(flat) >= 0 if shut else max(map(abs, flat)) <= 1
        share = said.split("%")[0]
        exact = 100 * count / len(flat)
        low, high = {"<1": (0, 1), ">99": (99, 100)}.get(share) or (int(share) - 0.5, int(share) + 0.5)
        assert low <= exact <= high


@given(hnp.arrays(np.float32, SHAPES, elements=VALUES), st.sampled_from(["x", "y", "l0.h", "c", "f", "z"]))
@example(np.full((2, 1), 2.0, np.float32), "f")
@example(np.array([[-0.0], [-1e-30]], np.float32), "y")
def test_a_rows_few_words_are_so(values, name):
    said = brief(name, values)
    flat = [float(v) for v in values.flat]
    numbers = digits(said)
    alike(said)
    assert not re.search(r"−0\.00(?!\d)", said)
    assert len(said) <= 34
    if name == "y":
        assert read(numbers[0], float(values[-1, 0]))
    elif "from" in said:
        if 0.005 <= max(map(abs, flat)) < 1e4:
            assert numbers == pytest.approx([min(flat), max(flat)], abs=0.00502)
            return
        assert all(read(n, v) for n, v in zip(numbers, (min(flat), max(flat)), strict=True))
    elif "bit" in said:
        assert numbers == [len(flat), sum(flat)]
    elif "character" in said:
        assert numbers == [len(values)]
        assert all(sorted(map(float, row)) == [0.0] * (len(row) - 1) + [1.0] for row in values)
    elif "step 0 only" in said:
        assert len(values) > 1
        opened = "open at" in said
        assert all((v > 0.9) == opened for v in values[0])
        assert all((v < 0.1) == opened for v in values[1:].flat)
    elif "every unit holds" in said:
        most = max(map(abs, flat))
        assert all(max(unit) - min(unit) <= 0.00501 * most for unit in values.astype(float).T)
    else:
        slack = max(0.0101, 0.006 * abs(numbers[0]))
        assert all(abs(v - numbers[0]) <= slack for v in flat)


@given(hnp.arrays(np.float32, st.tuples(st.integers(1, 30), st.just(1)), elements=st.floats(-1, 1, width=32)))
@example(np.array([[1.0], [-1.0], [-1.0]], np.float32))
def test_the_leaky_sums_furthest_value_is_a_loops(x):
    total, sums = 0.0, []
    for value in x[:, 0]:
        total = 0.9 * total + float(value)
        sums.append(total)
    y = np.array(sums)[:, None]
    said = headline("leaky", "LSTM", {"x": x, "c": y, "h": y, "y": y}).says
    alike(said)
    step, value = digits(said.split("furthest from 0 at")[1])
    assert max(map(abs, sums)) == pytest.approx(abs(sums[int(step)]))
    assert read(value, sums[int(step)])


TEXT = st.lists(st.sampled_from("ab()"), min_size=1, max_size=40).map("".join)


@given(TEXT, st.sampled_from(["LSTM", "RNN_RELU"]))
@example("((((", "LSTM")
@example("a)", "RNN_RELU")
@example("(" * 30, "LSTM")
@settings(max_examples=60, deadline=None)
def test_the_depth_of_brackets_is_a_loops(text, cell):
    experiment = preset("brackets", cell).changed(sequence=Sequence.of_text(text, "ab()"))
    (says, tries), run = told(experiment)
    depth, depths = 0, []
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        depths.append(depth)
    alike(says)
    assert tries is None
    wrong = [t for t, d in enumerate(depths) if round(float(run["y"][t, 0])) != d]
    assert says.startswith("This unit knows how deep") == (not wrong)
    if wrong:
        assert int(says.values["step"]) == wrong[0]
        assert float(says.values["depth"]) == depths[wrong[0]]
        assert float(says.values["value"]) == round(float(run["y"][wrong[0], 0]))
    else:
        assert (says.values["depth"], depths[says.values["step"]]) == (max(depths), max(depths))


def top_of(text: str, alphabet: str, **run: np.ndarray) -> str:
    experiment = preset("brackets").changed(sequence=Sequence.of_text(text, alphabet))
    found = signals(seqviz.run(experiment), "LSTM", 0) | run
    return headline("brackets", "LSTM", found, alphabet).says


@given(st.lists(st.sampled_from("wxyz"), min_size=1, max_size=24).map("".join))
@example("xyxxyxzz")
def test_other_characters_are_not_said_to_be_brackets(text):
    says = top_of(text, "wxyz")
    counts = np.cumsum([{"y": 1, "z": -1}.get(character, 0) for character in text])
    alike(says)
    assert "bracket" not in says
    assert says.startswith("This unit counts “y” up and “z” down")
    furthest = int(np.abs(counts).argmax())
    assert (says.values["step"], float(says.values["value"])) == (furthest, counts[furthest])
    assert top_of(text, "wxyz", y=np.full((len(text), 1), 99.0)).startswith("The forget gate lets nothing go")


NAMES = ("Feed-forward", "RNN", "GRU", "LSTM")
GAPS = st.floats(0, 2) | st.sampled_from([0.0, 1e-9, 1e-6, 1e-5, math.nan, math.inf])


@given(st.lists(GAPS, min_size=4, max_size=4), st.integers(0, 9), st.floats(1e-3, 10))
def test_who_tells_the_order_is_who_changes_by_more_than_rounding(gaps, moved, size):
    by_name = dict(zip(NAMES, gaps, strict=True))
    said = order_headline(by_name, moved, dict.fromkeys(NAMES, size))
    assert (said is None) == (moved == 0 or not all(map(math.isfinite, gaps)))
    if said is None:
        return
    alike(said)
    most = max(gaps[1:])
    noticed = most > max(10 * gaps[0], 1e-6 * size)
    assert ("no network tells the difference" in said) == (not noticed)
    if noticed:
        assert by_name[str(said.values["name"])] == most
        assert float(said.values["gap"]) == most
