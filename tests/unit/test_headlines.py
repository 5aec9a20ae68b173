"""The sentence on top is looked up in the run: true where it is said, and another where the run breaks it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import seqviz
from seqviz.experiment import Experiment, Init, InputEdit, Sequence
from seqviz.networks.presets import preset
from seqviz.telling.headlines import brief, headline
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
