"""One person's working state, without a page: undo, redo, and whatever a picture may send."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqviz
from seqviz.experiment import Experiment, Sequence
from seqviz.networks.presets import preset
from seqviz.ui.bench import LONGEST_ADDRESS, Bench, start


def test_undo_and_redo_walk_the_list_and_stop_at_its_ends():
    bench = Bench()
    first, second, third = start(), preset("latch"), preset("counter")
    bench.put(second)
    bench.put(third)
    bench.undo()
    assert bench.experiment == second
    bench.undo()
    bench.undo()
    assert bench.experiment == first
    assert not bench.can_undo
    bench.redo()
    bench.redo()
    bench.redo()
    assert bench.experiment == third
    assert not bench.can_redo


def test_a_change_after_undo_forgets_what_was_ahead():
    bench = Bench()
    bench.put(preset("latch"))
    bench.undo()
    bench.put(preset("counter"))
    assert not bench.can_redo
    bench.undo()
    assert bench.experiment == start()


def test_the_same_again_is_no_step():
    bench = Bench()
    bench.put(start())
    assert not bench.can_undo


def test_a_pages_own_settings_are_undone_like_all_else():
    bench = Bench(choices={"loss": ("last", "sum"), "more": ("", "clipping")})
    bench.choose("loss", "last")
    assert not bench.can_undo, "what is chosen already is no step"
    bench.choose("loss", "sum")
    bench.put(preset("leaky"))
    bench.put(preset("counter"), more="clipping")
    assert (bench.option("loss"), bench.option("more")) == ("sum", "clipping")
    assert parse_qs(bench.address()).keys() == {"e", "loss", "more"}
    bench.undo()
    assert (bench.experiment, bench.option("loss"), bench.option("more")) == (preset("leaky"), "sum", "")
    bench.undo()
    assert parse_qs(bench.address()) == {"e": [start().to_url()], "loss": ["sum"]}
    bench.undo()
    assert (bench.experiment, bench.option("loss")) == (start(), "last")
    assert parse_qs(bench.address()).keys() == {"e"}
    bench.redo()
    assert bench.option("loss") == "sum"
    bench.choose("loss", "last")
    assert not bench.can_redo
    bench.undo()
    assert bench.option("loss") == "sum"


def test_a_wish_to_see_a_step_is_new_in_every_session():
    wishes = []
    for session in (Bench(), Bench()):
        for _ in range(2):
            session.event({"type": "cell", "step": 3, "unit": 1})
            assert session.goto == "cell"
            assert session.view[:2] == (3, 1)
            wishes.append(session.view[2])
    assert len(set(wishes)) == 4
    assert max(wishes) < 2**53, "the browser cannot tell it from the next"


def test_the_list_is_bounded():
    bench = Bench()
    for seed in range(1, 500):
        bench.put(replace(start(), sequence=Sequence("noise", 4, seed=seed)))
    assert len(bench.history) < 400
    assert bench.experiment.sequence.seed == 499


def test_a_refused_change_keeps_everything_and_says_why():
    bench = Bench()
    assert not bench.attempt(lambda: replace(bench.experiment, hidden_size=10**9))
    assert bench.experiment == start()
    assert "256" in bench.problem
    assert bench.attempt(lambda: replace(bench.experiment, hidden_size=3))
    assert bench.problem == ""


def test_a_fault_of_the_program_is_not_taken_for_a_fault_of_the_person():
    def broken() -> Experiment:
        raise RuntimeError("a fault")

    with pytest.raises(RuntimeError):
        Bench().attempt(broken)


def test_events_from_the_picture():
    bench = Bench()
    bench.event({"type": "input", "edits": [[3, 0, 0.25], [4, 0, 0.5]]})
    assert [(e.step, e.value) for e in bench.experiment.sequence.edits] == [(3, 0.25), (4, 0.5)]
    bench.event({"type": "weight", "edits": [["weight_hh_l0", 0, 1, 2.0]]})
    assert bench.experiment.edits[0].value == 2.0
    bench.event({"type": "weight", "edits": [["bias_ih_l0", 5, 0, -1.0]]})
    bench.event({"type": "unedit", "places": [["weight_hh_l0", 0, 1]]})
    assert [e.parameter for e in bench.experiment.edits] == ["bias_ih_l0"]
    bench.event({"type": "pin"})
    assert bench.baseline == bench.experiment
    bench.event({"type": "reset"})
    assert bench.experiment.edits == ()
    assert len(bench.experiment.sequence.edits) == 2, "the sequence was reset too"
    bench.event({"type": "undo"})
    assert bench.experiment.edits
    bench.event({"type": "redo"})
    assert not bench.experiment.edits


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"type": "launch"},
        {"type": None},
        {"type": ["undo"]},
        {"type": {"a": 1}},
        {"type": "input"},
        {"type": "input", "edits": None},
        {"type": "input", "edits": 7},
        {"type": "input", "edits": [[1]]},
        {"type": "input", "edits": [[1, 0, "x"]]},
        {"type": "input", "edits": [[10**9, 0, 1.0]]},
        {"type": "input", "edits": [[-1, 0, 1.0]]},
        {"type": "input", "edits": [[1, 5, 1.0]]},
        {"type": "input", "edits": [[1, 0, float("nan")]]},
        {"type": "input", "edits": [[1, 0, None]]},
        {"type": "weight", "edits": [["nothing", 0, 0, 1.0]]},
        {"type": "weight", "edits": [["weight_hh_l0", 999, 0, 1.0]]},
        {"type": "weight", "edits": [["weight_hh_l0", 0, 0, float("inf")]]},
        {"type": "weight", "edits": [["weight_hh_l0", 0, 0, 1e300]]},
        {"type": "weight", "edits": "weight_hh_l0"},
        {"type": "weight", "edits": [[["a"], 0, 0, 1.0]]},
        {"type": "unedit"},
        {"type": "unedit", "places": [[["a"], {}]]},
        {"type": "unedit", "places": 3},
        {"type": "cell"},
        {"type": "gates", "step": None, "unit": 0},
        {"type": "cell", "step": float("inf"), "unit": 0},
        {"type": "cell", "step": "one", "unit": 0},
    ],
    ids=str,
)
def test_a_malformed_event_changes_nothing_and_raises_nothing(event):
    bench = Bench()
    bench.event(event)
    assert bench.experiment == start()
    assert not bench.can_undo
    assert bench.problem == "" or bench.problem.endswith(".")


def scalars() -> st.SearchStrategy:
    words = ["weight_hh_l0", "bias_ih_l0", "x", ""]
    return st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(words) | st.text(max_size=3)


@given(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["input", "weight", "unedit", "cell", "gates"])},
        optional={
            name: scalars() | st.lists(st.lists(scalars(), max_size=4) | scalars(), max_size=3)
            for name in ("edits", "places", "step", "unit")
        },
    )
)
def test_whatever_the_picture_sends_leaves_an_experiment_that_runs(event):
    bench = Bench()
    bench.event(event)
    assert not bench.problem or bench.experiment == start(), "it refused and changed something"
    seqviz.run(bench.experiment)


def test_the_address_brings_the_screen_back_and_is_empty_for_a_pages_own_first():
    assert Bench(first=start()).address() == ""
    bench = Bench()
    assert Experiment.from_url(parse_qs(bench.address())["e"][0]) == start()
    bench.put(preset("latch"))
    bench.event({"type": "pin"})
    bench.put(replace(preset("latch"), interventions=(seqviz.Scale("l0.f", 0.5),)))
    found = parse_qs(bench.address())
    assert Experiment.from_url(found["e"][0]) == bench.experiment
    assert Experiment.from_url(found["b"][0]) == preset("latch")
    assert not bench.too_long


def test_what_is_too_long_for_an_address_is_left_to_the_browser():
    bench = Bench()
    values = seqviz.sequences.generate(Sequence("noise", 2000), 4)
    bench.put(Experiment(input_size=4, sequence=Sequence.of_values(values)))
    assert len(bench.experiment.to_url()) > LONGEST_ADDRESS
    ((digest, code),) = bench.keep().items()
    assert bench.address() == f"e=~{digest}"
    assert Experiment.from_url(code) == bench.experiment
    assert bench.too_long
    bench.undo()
    assert Experiment.from_url(parse_qs(bench.address())["e"][0]) == start()
    assert not bench.too_long


def test_an_undo_list_holds_so_many_bytes_and_its_last_state_always():
    bench = Bench()
    for seed in range(40):
        values = seqviz.sequences.generate(Sequence("noise", 2000, seed=seed), 256)
        bench.put(Experiment(input_size=256, sequence=Sequence.of_values(values)))
    held = {id(state.experiment.sequence.values): state.experiment.sequence.values for state in bench.history}
    assert sum(map(len, held.values())) <= 32 * 2**20
    assert len(bench.history) > 10
    assert bench.at == len(bench.history) - 1
    assert bench.experiment.sequence.values == Sequence.of_values(values).values
    bench.undo()
    assert bench.experiment.sequence.values != Sequence.of_values(values).values


def test_edits_of_one_large_sequence_share_it_and_are_all_kept():
    bench = Bench()
    values = seqviz.sequences.generate(Sequence("noise", 2000), 256)
    bench.put(Experiment(input_size=256, sequence=Sequence.of_values(values)))
    for k in range(30):
        bench.event({"type": "input", "edits": [[k, 0, 0.5]]})
    assert len(bench.history) == 32
