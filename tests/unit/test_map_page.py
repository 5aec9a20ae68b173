"""The map on the page: measured in the background, its message, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqviz import Clamp, Experiment, Init, Sequence, vanishing_map
from seqviz.gradients.mapped import HALF, point_of
from seqviz.gradients.ranges import ACROSS, LONGEST, UP, mapped_networks, moved, place_of, possible, values_of
from seqviz.gradients.settings import axis
from seqviz.scope.message import header_of
from seqviz.telling.mapped import describe_map
from seqviz.ui import map_maker, map_picture
from seqviz.ui.map_maker import MapMaker
from seqviz.weights import materialise

SMALL = Experiment("LSTM", 1, 3, sequence=Sequence("noise", 12))


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(map_maker, "FINE", (5, 5))


def made(experiment: Experiment) -> MapMaker:
    maker = MapMaker()
    maker.begin(experiment)
    maker.thread.join(60)
    assert not maker.running
    return maker


def test_what_is_measured_is_the_librarys_map(few):
    maker = made(SMALL)
    assert maker.progress == 1
    x, y = ("spectral_radius", np.geomspace(0.25, 4, 5)), ("forget_bias", np.linspace(-2, 8, 5))
    for name, e in mapped_networks(SMALL).items():
        np.testing.assert_array_equal(maker.found[name].decades, vanishing_map(e, x, y).decades)


def test_another_map_takes_the_place_of_the_first_and_halt_ends_it(few):
    maker = MapMaker()
    maker.begin(SMALL)
    first = maker.found
    maker.begin(replace(SMALL, hidden_size=4))
    assert maker.found is not first
    maker.halt()
    assert not maker.running
    assert map_maker._SEATS.acquire(timeout=5), "the seat was not given back"
    map_maker._SEATS.release()


def test_a_network_is_mapped_as_it_is_drawn_and_over_a_hundred_steps():
    odd = Experiment(
        "GRU", 2, 5, num_layers=2, init=Init(forget_bias=2.0), sequence=Sequence("sine", 700),
        interventions=(Clamp("l0.z", 1.0),),
    )  # fmt: skip
    for e in mapped_networks(odd).values():
        assert (e.num_layers, e.interventions, e.sequence.length, e.hidden_size) == (1, (), LONGEST, 5)
    own = Experiment(sequence=Sequence.of_values(np.zeros(300)))
    assert mapped_networks(own)["LSTM"].sequence.length == 300
    # The settings that the map runs through do not make it another map; what weighs the input does.
    assert mapped_networks(odd) == mapped_networks(replace(odd, init=Init(spectral_radius=2.0)))
    assert mapped_networks(odd) != mapped_networks(replace(odd, init=Init(gain=3.0)))
    assert mapped_networks(odd) != mapped_networks(replace(odd, init=Init(seed=5)))


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(ACROSS), st.sampled_from(UP), st.integers(0, 4), st.integers(0, 4),
    st.builds(Init, st.sampled_from(["default", "chrono", "orthogonal"]), gain=st.sampled_from([1.0, 3.0]),
              forget_bias=st.none() | st.just(1.5), spectral_radius=st.none() | st.just(2.0)),
    st.sampled_from(["LSTM", "GRU", "RNN_TANH"]), st.integers(3, 90),
)  # fmt: skip
def test_the_point_that_opens_is_the_one_that_was_measured(x, y, column, row, init, cell, length):
    """Weights and input, for every pair of settings; and opened, it is where the circle stands."""
    shown = Experiment(cell, 1, 3, init=init, sequence=Sequence("noise", length, amplitude=0.5))
    across, up = axis((x, values_of(x, 5)), "x"), axis((y, values_of(y, 5)), "y")
    opened = moved(shown, **{x: across.values[column], y: up.values[row]})
    for e in mapped_networks(shown, x, y).values():
        measured = point_of(e, across, up, column, row)
        drawn = opened.changed(cell=e.cell)
        for name, weight in materialise(measured).items():
            np.testing.assert_array_equal(weight, materialise(drawn)[name], err_msg=name)
        assert measured.sequence == drawn.sequence
    at = place_of(opened, x, y)
    assert at == pytest.approx((across.values[column], up.values[row]), rel=1e-4, abs=1e-5)
    assert mapped_networks(opened, x, y) == mapped_networks(shown, x, y)


def test_lengths_are_whole_and_an_rnn_has_a_map_of_them(few):
    maker = MapMaker()
    maker.begin(SMALL, "gain", "length")
    maker.thread.join(60)
    assert maker.done
    assert list(maker.found) == ["LSTM", "GRU", "RNN"]
    header = header_of(map_picture.map_message(SMALL, maker))
    assert (header["x"]["here"], header["y"]["here"]) == (1.0, 12.0)
    assert header["up"]["RNN"] == "length in steps"
    gains, lengths = (maker.found["RNN"].x.values, maker.found["RNN"].y.values)
    assert all(steps.is_integer() for steps in lengths)
    row = int(np.abs(np.log(np.array(lengths) / 12)).argmin())
    assert f"over {lengths[row]:.0f} steps" in header["says"]
    for name, each in maker.found.items():
        value = each.filled()[row, list(gains).index(1.0)]
        assert f"{name} {value:+.1f}".replace("-", "−") in header["says"]
    given = Experiment("LSTM", 1, 3, sequence=Sequence.of_values([1.0, 2.0]))
    assert possible(given) == (("spectral_radius", "gain"), ("forget_bias",))


def test_what_was_stopped_is_said_to_be_and_goes_on(few):
    maker = MapMaker()
    maker.begin(SMALL)
    maker.stop.set()
    maker.thread.join(60)
    assert not maker.done
    if maker.found:
        assert "stopped" in header_of(map_picture.map_message(SMALL, maker))["says"]
    maker.again()
    maker.thread.join(60)
    assert maker.done
    thread = maker.thread
    maker.begin(SMALL)
    assert maker.thread is thread, "what is there is not measured again"


def test_the_message_says_where_nothing_is_lost(few):
    maker = made(SMALL)
    header = header_of(map_picture.map_message(SMALL, maker))
    assert (header["columns"], header["rows"], header["nets"]) == (5, 5, ["LSTM", "GRU"])
    assert header["levels"][-2:] == [HALF, 0.0]
    column = int(np.abs(np.log(np.geomspace(0.25, 4, 5) / header["x"]["here"])).argmin())
    lost = maker.found["LSTM"].filled()[:, column] < 0
    assert ("the LSTM loses nothing" in header["says"]) == (not lost[-1])
    del maker.found["GRU"]
    assert "loses" not in header_of(map_picture.map_message(SMALL, maker))["says"]


@given(st.none() | st.floats(-2, 8), st.none() | st.floats(-2, 8), st.floats(0.25, 4))
def test_what_is_said_names_the_place_it_is_said_of(lossless, half, radius):
    said = describe_map(f"ρ = {radius:.2f}", {"LSTM": lossless}, {"LSTM": half})
    assert f"ρ = {radius:.2f}" in said
    assert ("loses nothing" in said) == (lossless is not None)
    assert ("half is left" in said) == (lossless is None and half is not None)
    shown = lossless if lossless is not None else half
    assert shown is None or f"{shown:.1f}".replace("-", "−").removeprefix("−") in said


def test_the_bias_from_which_on_nothing_is_lost_is_the_last_crossing():
    found = vanishing_map(SMALL, ("gain", [0.5, 1.0]), ("forget_bias", [0.0, 1.0, 2.0, 3.0]), draws=1, coarse=1)
    wild = replace(found, decades=np.array([[[-1, 1], [1, 1], [-1, 1], [1.0, 1]]]))
    assert wild.reached(0, 0.0) == 2.5
    assert wild.reached(1, 0.0) == 0.0
    assert replace(wild, decades=-wild.decades).reached(0, 0.0) is None


def test_where_the_largest_bias_has_no_gradient_nothing_is_said_to_be_lost():
    found = vanishing_map(SMALL, ("gain", [0.5, 1.0]), ("forget_bias", [0.0, 1.0]), draws=1, coarse=1)
    wild = replace(found, decades=np.array([[[1.0, 1], [np.nan, -1]]]))
    end = wild.reached(0, 0.0)
    assert "lose" not in describe_map("ρ = 1", {"RNN": end}, {"RNN": end})
    assert "at the largest bias" in describe_map("ρ = 1", {"RNN": wild.reached(1, 0.0)}, {"RNN": None})
