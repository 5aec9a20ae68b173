"""The map of vanishing: its values are gradient_flow's, and refining it leaves them alone."""

from __future__ import annotations

import itertools
from dataclasses import replace

import distributed
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import seqviz
from seqviz import Clamp, Experiment, Init, Scale, Sequence, gradient_flow, network, vanishing_map, vanishing_maps
from seqviz.figures.maps import shade, vanishing
from seqviz.gradients.abreast import log10_norms
from seqviz.gradients.fading import decades_per_100
from seqviz.gradients.mapped import filled
from seqviz.gradients.settings import SETTINGS, axis, with_setting
from seqviz.runner import inputs

BASE = Experiment("LSTM", 1, 6, sequence=Sequence("noise", 30))
RADII, BIASES = ("spectral_radius", np.geomspace(0.25, 4, 9)), ("forget_bias", np.linspace(-2, 8, 11))


def one_by_one(experiment: Experiment, signal: str, loss: str = "last") -> np.ndarray:
    """The same by autograd's road, a network at a time."""
    flow = gradient_flow(
        network(experiment).double(), inputs(experiment).double(), loss=loss, interventions=experiment.interventions
    )
    return flow.log10_norms(signal)


@settings(max_examples=40, deadline=None)
@given(
    cell=st.sampled_from(["LSTM", "GRU", "RNN_TANH", "RNN_RELU"]),
    layers=st.integers(1, 3),
    hidden=st.integers(1, 9),
    inputs_=st.integers(1, 3),
    length=st.integers(1, 25),
    loss=st.sampled_from(["last", "sum"]),
    scheme=st.sampled_from(["default", "xavier", "orthogonal", "identity", "chrono"]),
    gains=st.lists(st.floats(0.1, 3), min_size=1, max_size=5),
    edited=st.booleans(),
    data=st.data(),
)
def test_networks_abreast_are_those_of_gradient_flow(
    cell, layers, hidden, inputs_, length, loss, scheme, gains, edited, data
):
    base = Experiment(cell, inputs_, hidden, 2, layers, sequence=Sequence("noise", length))
    if edited:
        base = replace(
            base, interventions=(Scale("l0.h", 0.5, steps=(0, 1)), Clamp(f"l{layers - 1}.h", 0.3, units=(0,)))
        )
    several = [replace(base, init=Init(scheme, gain=gain, seed=k)) for k, gain in enumerate(gains)]
    signal = data.draw(st.sampled_from([f"l{k}.{s}" for k in range(layers) for s in ("hc" if cell == "LSTM" else "h")]))
    found = log10_norms(several, signal, loss)
    for got, experiment in zip(found, several, strict=True):
        right = one_by_one(experiment, signal, loss)
        np.testing.assert_array_equal(np.isneginf(got), np.isneginf(right))
        held = right > -290
        np.testing.assert_allclose(got[held], right[held], atol=1e-8)


@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_every_point_is_gradient_flows(cell):
    base = replace(BASE, cell=cell)
    found = vanishing_map(base, RADII, BIASES, draws=2)
    assert found.done
    assert found.signal == ("l0.c" if cell == "LSTM" else "l0.h")
    for draw, row, column in [(0, 0, 0), (1, 10, 8), (0, 4, 4), (1, 0, 8)]:
        assert found.measured[draw, row, column]
        right = decades_per_100(one_by_one(found.at(column, row, draw), found.signal))
        assert found.decades[draw, row, column] == pytest.approx(right, abs=1e-7)
        init = found.at(column, row, draw).init
        assert (init.seed, init.forget_bias) == (draw, pytest.approx(BIASES[1][row]))


def test_refining_measures_less_and_changes_no_value():
    fine = vanishing_map(BASE, RADII, BIASES, coarse=1)
    seen = list(vanishing_maps(BASE, RADII, BIASES))
    last = seen[-1]
    assert fine.measured.all()
    assert not last.measured.all()
    np.testing.assert_array_equal(last.decades[last.measured], fine.decades[last.measured])
    # What is not measured lies between corners that differ by a decade at most, and is that near.
    assert np.abs(last.filled() - fine.filled()).max() < 2
    progress = [found.progress for found in seen]
    assert progress == sorted(progress)
    assert progress[-1] == 1 > progress[-2]
    for before, after in itertools.pairwise(seen):
        assert (after.measured | ~before.measured).all()
    first = next(k for k, found in enumerate(seen) if found.measured[0, ::4, ::4].all())
    assert all(np.isfinite(found.filled()).all() for found in seen[first:]), "no picture has holes from then on"
    assert all(np.isfinite([found.low(), found.high()]).all() for found in seen[first:])


def test_a_tolerance_of_many_decades_leaves_the_coarse_grid_where_no_draw_changes_its_sign():
    losing = ("forget_bias", np.linspace(-2, 0, 9))
    found = vanishing_map(BASE, ("spectral_radius", np.linspace(0.1, 0.4, 9)), losing, tolerance=1e9)
    assert (found.decades[found.measured] < 0).all()
    assert found.measured.sum() == 3 * 3 * 3


@pytest.mark.parametrize("b", [-3.0, 0.0, 4.0])
def test_an_lstm_without_weights_loses_what_its_gate_takes(b):
    base = replace(BASE, init=Init("xavier", gain=0.0))
    found = vanishing_map(base, ("amplitude", [0.5, 1.0]), ("forget_bias", [b, b + 1]), draws=2)
    kept = 1 / (1 + np.exp(-np.array([b, b + 1])))
    np.testing.assert_allclose(found.decades, np.broadcast_to(100 * np.log10(kept)[:, None], (2, 2, 2)), rtol=1e-6)


def test_several_jobs_give_the_same():
    alone = vanishing_map(BASE, RADII, BIASES, draws=2)
    np.testing.assert_array_equal(vanishing_map(BASE, RADII, BIASES, draws=2, jobs=2).decades, alone.decades)


def test_machines_give_the_same():
    """Dask as joblib's backend: what runs in one process here runs on as many machines as the client has."""
    alone = vanishing_map(BASE, RADII, BIASES, draws=2)
    with distributed.Client(processes=False, n_workers=1, dashboard_address=None):
        many = vanishing_map(BASE, RADII, BIASES, draws=2, jobs=-1, backend="dask")
    np.testing.assert_array_equal(many.decades, alone.decades)


def test_stop_ends_with_what_there_is():
    seen = list(vanishing_maps(BASE, RADII, BIASES, stop=lambda: True))
    assert len(seen) == 1
    assert not seen[0].done
    assert 0 < seen[0].measured.sum() <= 32


@pytest.mark.parametrize("name", ["length", "hidden_size", "num_layers"])
def test_settings_that_change_the_shape(name):
    found = vanishing_map(BASE, (name, [1, 2, 3]), ("gain", [0.5, 1.0, 2.0]), draws=1)
    assert found.measured[:, ::2, ::2].all()
    for column, value in ((0, 1), (2, 3)):
        e = found.at(column, 2)
        assert getattr(e, name, None) == value or e.sequence.length == value
        right = decades_per_100(one_by_one(e, "l0.c"))
        assert found.decades[0, 2, column] == pytest.approx(right, abs=1e-7, nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(corners=st.lists(st.floats(-9, 9), min_size=4, max_size=4), wide=st.integers(1, 5), tall=st.integers(1, 5))
def test_what_is_filled_lies_between_its_corners_and_moves_none(corners, wide, tall):
    values = np.full((tall + 1, wide + 1), np.nan)
    values[[0, 0, -1, -1], [0, -1, 0, -1]] = corners
    found = filled(values, [(0, wide, 0, tall)])
    assert (found >= min(corners) - 1e-9).all()
    assert (found <= max(corners) + 1e-9).all()
    np.testing.assert_allclose(found[[0, 0, -1, -1], [0, -1, 0, -1]], corners, atol=1e-12)
    np.testing.assert_allclose(
        found[0, wide // 2], corners[0] + (corners[1] - corners[0]) * (wide // 2) / wide, atol=1e-9
    )


def test_crossings_and_the_band_of_draws_that_disagree():
    found = vanishing_map(BASE, RADII, BIASES, coarse=1)
    for column, heights in enumerate(found.crossings()):
        signs = np.sign(found.decades[:, :, column].mean(axis=0))
        assert len(heights) == (signs[:-1] != signs[1:]).sum()
        for y in heights:
            k = np.searchsorted(BIASES[1], y) - 1
            a, b = found.decades[:, k : k + 2, column].mean(axis=0)
            step = BIASES[1][1] - BIASES[1][0]
            assert a + (b - a) * (y - BIASES[1][k]) / step == pytest.approx(0, abs=1e-9)
    lost = found.decades < 0
    np.testing.assert_array_equal(found.split(), lost.any(axis=0) & ~lost.all(axis=0))
    assert found.split().any()


def test_a_point_is_a_network_that_runs():
    found = vanishing_map(BASE, RADII, BIASES, draws=1)
    assert seqviz.run(found.at(2, 3)).problem == ""


def test_overflow_is_no_number_and_is_measured():
    base = Experiment("RNN_RELU", 1, 4, init=Init("identity"), sequence=Sequence("step", 2000))
    found = vanishing_map(base, ("spectral_radius", [0.5, 9.0]), ("amplitude", [1.0, 2.0]), draws=1)
    assert found.done
    assert found.measured.all()
    assert np.isnan(found.decades[0, :, 1]).all()
    assert np.isfinite(found.decades[0, :, 0]).all()
    vanishing(found)


@pytest.mark.parametrize(
    ("change", "axes", "says"),
    [
        ({}, (("speed", [1, 2]), BIASES), "one of gain, spectral_radius"),
        ({}, (RADII, RADII), "not spectral_radius twice"),
        ({}, (("gain", [1.0]), BIASES), "two values or more"),
        ({}, (("gain", [2.0, 1.0]), BIASES), "larger than the one before"),
        ({}, (("gain", [1.0, float("nan")]), BIASES), "finite"),
        ({}, (("gain", [1.0, 1000.0]), BIASES), "from −100 to 100"),
        ({}, (("length", [1.5, 3]), BIASES), "whole number"),
        ({}, ("gain", BIASES), "a setting's name and its values"),
        ({"cell": "RNN_TANH"}, (RADII, BIASES), "no gate that keeps"),
        ({"sequence": Sequence.of_values([1.0, 2.0])}, (("length", [1, 2]), BIASES), "no length"),
        ({}, (("memory", [1, 2]), BIASES), "chrono"),
    ],
)
def test_what_makes_no_map_is_refused_in_a_sentence(change, axes, says):
    with pytest.raises(ValueError, match=says):
        vanishing_maps(BASE.changed(**change), *axes)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"draws": 0}, "draws"),
        ({"jobs": 0}, "1 or more"),
        ({"signal": "l1.h"}, "signal"),
        ({"loss": "mean"}, "loss"),
        ({"coarse": 0}, "coarse"),
    ],
)
def test_options_are_checked(options, says):
    with pytest.raises(ValueError, match=says):
        vanishing_maps(BASE, RADII, BIASES, **options)


def test_trained_weights_have_no_draw_to_vary():
    trained = replace(BASE, tensors=(seqviz.Tensor.of("readout.bias", [0.0]),))
    with pytest.raises(ValueError, match="not drawn"):
        vanishing_maps(trained, RADII, BIASES)


def test_every_setting_can_be_set():
    base = Experiment("LSTM", 1, 4, init=Init("chrono"), sequence=Sequence("sine", 20))
    for name in SETTINGS:
        assert with_setting(base, name, 2.0) != base


def test_an_axis_knows_its_scale():
    assert axis(RADII, "x").logarithmic
    assert not axis(BIASES, "x").logarithmic
    assert not axis(("gain", [1.0, 2.0, 3.0]), "x").logarithmic


def test_the_figure_shows_the_values_and_the_line():
    found = vanishing_map(BASE, RADII, BIASES)
    for theme in ("light", "dark"):
        figure = seqviz.figures.vanishing(found, theme=theme)
        heat, lines = figure.data[0], [d for d in figure.data if d.type == "contour"]
        np.testing.assert_allclose(heat.customdata[..., 2], found.filled())
        np.testing.assert_allclose(heat.z, shade(found.filled()))
        assert heat.zsmooth is False
        assert lines[-1].contours.start == 0
        assert lines[-1].line.smoothing == 0
        dots = figure.data[-1]
        assert len(dots.x) == found.split().sum()
    np.testing.assert_allclose(shade(np.array([-50.0, -12.0, 0.0, 3.0])), [-1, -1, 0, 0.5])


def test_machines_that_nobody_connected_are_asked_for_in_a_sentence() -> None:
    """And a backend that joblib does not have."""
    pytest.importorskip("distributed")
    given = Experiment("LSTM", 1, 2, sequence=Sequence("noise", 6))
    x, y = ("gain", [0.5, 1.0, 2.0]), ("forget_bias", [0.0, 2.0])
    for backend, says in (("dask", "distributed.Client"), ("carrier pigeons", "no backend 'carrier pigeons'")):
        with pytest.raises(ValueError, match=says):
            vanishing_map(given, x, y, draws=2, jobs=2, backend=backend)
