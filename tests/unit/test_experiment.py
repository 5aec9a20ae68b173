"""An experiment is a value: checked, compared, never changed in place."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import numpy as np
import pytest
from experiments_drawn import SLOW, experiments, refused, sequences
from hypothesis import given
from hypothesis import strategies as st

from seqviz.experiment import (
    MAX_HIDDEN,
    MAX_INPUT,
    MAX_LAYERS,
    MAX_OUTPUT,
    PRESETS,
    Experiment,
    Init,
    InputEdit,
    Sequence,
    Tensor,
    WeightEdit,
)
from seqviz.experiment.interventions import Ablate, Clamp, Scale
from seqviz.experiment.value import fitting
from seqviz.vocabulary import BLOCKS, CELLS

# A value


@given(experiments(), experiments())
@SLOW
def test_equal_values_hash_equal_and_differing_ones_differ(one: Experiment, other: Experiment) -> None:
    assert (one == other) == (one.to_json() == other.to_json()) or "-0.0" in one.to_json() + other.to_json()
    assert replace(one) == one
    assert replace(one, init=replace(one.init, seed=one.init.seed ^ 1)) != one
    assert len({one, replace(one)}) == 1


def test_nothing_can_be_changed_in_place() -> None:
    experiment = Experiment(edits=(WeightEdit("readout.bias", 0, 0, 1.0),))
    for thing in (experiment, experiment.init, experiment.sequence, experiment.edits[0], Clamp("l0.f", 1.0)):
        with pytest.raises(FrozenInstanceError):
            setattr(thing, fields(thing)[0].name, "GRU")
    tensor = Tensor.of("readout.bias", [1.0])
    with pytest.raises(ValueError, match="read-only"):
        tensor.array()[0] = 2.0


def test_lists_are_taken_and_kept_as_tuples() -> None:
    edits = [WeightEdit("readout.bias", 0, 0, 1.0)]
    experiment = Experiment(edits=edits, interventions=[Ablate("l0.h")])  # type: ignore[arg-type]
    edits.append(WeightEdit("readout.bias", 0, 0, 2.0))
    assert isinstance(hash(experiment), int)
    assert len(experiment.edits) == 1


def test_a_later_edit_wins_and_their_order_does_not_matter() -> None:
    a, b, c = (WeightEdit("weight_hh_l0", 0, 1, v) for v in (1.0, 2.0, 3.0))
    other = WeightEdit("weight_hh_l0", 0, 0, 9.0)
    assert Experiment().edited([a, b]).edited([c, other]) == Experiment(edits=(other, c))
    assert Experiment().edited([other, a]) == Experiment().edited([a, other])
    s = Sequence().edited([InputEdit(3, 0, 1.0), InputEdit(1, 0, 5.0)]).edited([InputEdit(3, 0, 2.0)])
    assert s.edits == (InputEdit(1, 0, 5.0), InputEdit(3, 0, 2.0))


def test_numbers_are_kept_as_float32() -> None:
    assert WeightEdit("w", 0, 0, 0.1).value == float(np.float32(0.1))
    assert InputEdit(0, 0, 1 / 3).value == float(np.float32(1 / 3))
    assert WeightEdit("w", np.int64(1), 0, np.float32(2)) == WeightEdit("w", 1, 0, 2)  # type: ignore[arg-type]
    assert WeightEdit("w", 0, 0, 3.4028235e38).value == np.finfo(np.float32).max


def test_reset_takes_back_edits_and_nothing_else() -> None:
    base = Experiment(
        "GRU", 1, 4, init=Init("orthogonal", seed=4), interventions=(Clamp("l0.z", 1.0),),
        tensors=(Tensor.of("readout.bias", [3.0]),), sequence=Sequence("sine", edits=(InputEdit(0, 0, 1.0),)),
    )  # fmt: skip
    assert base.edited([WeightEdit("readout.bias", 0, 0, 1.0)]).reset() == base
    assert base.reset() == base


# changed()


@st.composite
def sizes(draw: st.DrawFn) -> dict[str, Any]:
    limits = {"input_size": MAX_INPUT, "hidden_size": MAX_HIDDEN, "output_size": MAX_OUTPUT, "num_layers": MAX_LAYERS}
    changes: dict[str, Any] = {
        name: draw(st.integers(1, high) | st.integers(1, min(high, 6)))
        for name, high in limits.items()
        if draw(st.booleans())
    }
    return {**changes, "cell": draw(st.sampled_from(CELLS))} if draw(st.booleans()) else changes


@given(experiments(), sizes())
@SLOW
def test_changed_never_fails_for_valid_sizes(experiment: Experiment, changes: dict[str, Any]) -> None:
    after = experiment.changed(**changes)
    assert {name: getattr(after, name) for name in changes} == changes
    if experiment.init.scheme not in PRESETS:
        assert after.init == experiment.init
    assert set(after.tensors) <= set(experiment.tensors)
    assert set(after.interventions) <= set(experiment.interventions)
    assert set(after.sequence.edits) <= set(experiment.sequence.edits)
    assert experiment.changed() == fitting(experiment)


@given(experiments(), sequences())
@SLOW
def test_changed_takes_any_sequence(experiment: Experiment, pair: tuple[Sequence, int]) -> None:
    sequence, width = pair
    after = experiment.changed(sequence=sequence, input_size=width)
    assert after.sequence == sequence
    if sequence.width:
        assert experiment.changed(sequence=sequence) == after


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("hidden", [3, 8])
def test_edits_stay_with_their_gate_and_unit(cell: str, hidden: int) -> None:
    before = Experiment(cell, 2, 5, num_layers=2)
    count = len(BLOCKS[cell])
    for name in ("weight_ih_l0", "weight_ih_l1", "weight_hh_l1", "bias_hh_l0"):
        for block in range(count):
            for unit in range(5):
                after = before.edited([WeightEdit(name, block * 5 + unit, 0, 7.0)]).changed(hidden_size=hidden)
                expected = (WeightEdit(name, block * hidden + unit, 0, 7.0),) if unit < hidden else ()
                assert after.edits == expected


def test_what_no_longer_fits_is_left_out() -> None:
    before = Experiment(
        "LSTM", 3, 5, 2, 2,
        tensors=(Tensor.of("weight_ih_l1", np.ones((20, 5))), Tensor.of("readout.bias", np.ones(2))),
        edits=(WeightEdit("weight_ih_l0", 0, 2, 1.0), WeightEdit("weight_hh_l0", 0, 4, 2.0),
               WeightEdit("bias_ih_l1", 19, 0, 3.0), WeightEdit("readout.weight", 1, 0, 4.0)),
        sequence=Sequence("noise", 40, edits=(InputEdit(30, 0, 1.0), InputEdit(1, 2, 2.0))),
        interventions=(Clamp("l0.f", 1.0, units=[4]), Ablate("l1.h"), Scale("x", 2.0, steps=slice(30, 40))),
    )  # fmt: skip

    def kept(**changes: Any) -> tuple:
        after = before.changed(**changes)
        return len(after.tensors), [e.value for e in after.edits], len(after.sequence.edits), after.interventions

    clamp, ablate, scale = before.interventions
    assert before.changed() == before
    assert sorted(kept(num_layers=1)[1]) == [1.0, 2.0, 4.0]
    assert kept(num_layers=1)[0] == 1
    assert kept(num_layers=1)[3] == (clamp, scale)
    assert sorted(kept(hidden_size=4)[1]) == [1.0, 4.0]
    assert kept(hidden_size=4)[3] == (ablate, scale)
    assert sorted(kept(input_size=2)[1]) == [2.0, 3.0, 4.0]
    assert kept(input_size=2)[2] == 1
    assert kept(cell="GRU") == (1, [4.0], 2, (ablate, scale))
    assert kept(output_size=1)[0] == 1
    assert kept(sequence=Sequence("sine", 20))[3] == (clamp, ablate)


def test_an_lstms_bias_is_not_taken_for_a_grus_of_the_same_shape() -> None:
    before = Experiment("LSTM", 1, 3, tensors=(Tensor.of("bias_ih_l0", np.ones(12)),))
    assert before.changed(cell="GRU", hidden_size=4).tensors == ()
    rnn = Experiment("RNN_TANH", 1, 3, tensors=(Tensor.of("bias_ih_l0", np.ones(3)),))
    assert rnn.changed(cell="RNN_RELU").tensors == rnn.tensors


def test_own_numbers_lose_or_gain_columns_and_a_text_becomes_a_wave() -> None:
    before = Experiment(input_size=2, sequence=Sequence.of_values([[1, 2], [3, 4]]))
    assert before.changed(input_size=1).sequence == Sequence.of_values([[1], [3]])
    assert before.changed(input_size=3).sequence == Sequence.of_values([[1, 2, 0], [3, 4, 0]])
    text = Experiment(input_size=2, sequence=Sequence.of_text("abba"))
    assert text.changed(hidden_size=3).sequence == text.sequence
    assert text.changed(input_size=5).sequence == Sequence(length=4)


@pytest.mark.parametrize("changes", [{"hidden_size": 0}, {"input_size": 10**9}, {"cell": "CNN"}, {"num_layers": 2.5}])
def test_changed_still_refuses_what_is_not_a_size(changes: dict[str, Any]) -> None:
    refused(lambda: Experiment().changed(**changes))


# Refusals


def test_too_many_edits() -> None:
    edits = [WeightEdit("weight_hh_l0", k % 1024, k // 1024, 0.0) for k in range(20_001)]
    assert "20,001 weight edits; at most 20,000 fit" in refused(lambda: Experiment(hidden_size=256).edited(edits))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Experiment(init="orthogonal"),
        lambda: Experiment(sequence=[1, 2]),
        lambda: Experiment(edits=3),
        lambda: Experiment(edits=[InputEdit(0, 0, 1.0)]),
        lambda: Experiment(tensors=[np.zeros(3)]),
        lambda: Experiment(interventions=7),
        lambda: Experiment(interventions=["l0.f"]),
        lambda: Experiment(hidden_size=10**5000),
        lambda: Sequence(edits=3),
        lambda: Sequence(values="abcd"),
        lambda: Sequence.of_values(["a"]),
        lambda: Sequence.of_values([[1, 2], [3]]),
        lambda: Sequence.of_values(None),
        lambda: Sequence.of_values(3.0),
        lambda: Sequence.of_values(np.zeros((0, 1))),
        lambda: Sequence.of_values(np.zeros((2001, 1))),
        lambda: Sequence.of_values(np.zeros((2, 257))),
        lambda: Sequence.of_values([1.0, float("nan")]),
        lambda: Sequence.of_values([1e39]),
        lambda: Sequence.of_text(""),
        lambda: Sequence.of_text("a" * 2001),
        lambda: Sequence.of_text("".join(map(chr, range(1000, 1257)))),
        lambda: Tensor("readout.bias", 3, b""),
        lambda: Tensor("readout.bias", (1, 1, 1), bytes(4)),
        lambda: Tensor.of("readout.bias", [math.inf]),
        lambda: WeightEdit("readout.bias", -1, 0, 1.0),
        lambda: WeightEdit("readout.bias", 0, 0, "1"),
        lambda: WeightEdit("readout.bias", 0, 0, True),
        lambda: InputEdit(2000, 0, 1.0),
    ],
)
def test_wrong_arguments_are_refused_in_one_sentence(make: Callable[[], Any]) -> None:
    refused(make)


def test_widths_lists_every_signal() -> None:
    widths = Experiment("GRU", 3, 5, num_layers=2).widths()
    assert widths["x"] == 3
    assert {"l0.r", "l0.z", "l0.n", "l0.h", "l1.n_pre", "l1.n_ih", "l1.r_hh"} <= set(widths)
    assert set(widths.values()) == {3, 5}
    assert len(widths) == 1 + 2 * (4 + 3 * 3)
