"""Every hand-set network, loaded into torch's own layers, does what it says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from seqviz import sequences, weights
from seqviz.experiment import PRESETS, Experiment, Init
from seqviz.experiment.parts import HAND_SET
from seqviz.networks.presets import PRESET_LABELS, PRESET_STORIES, preset, preset_parameters

CELLS = [(name, cell) for name, found in HAND_SET.items() for cell in found.cells]


def output(name: str, cell: str, x: np.ndarray) -> np.ndarray:
    """The preset's readout at every step, from torch's fused layer: ``(L, N, H_in)`` to ``(L, N)``."""
    experiment = preset(name, cell)
    arrays = preset_parameters(name, experiment)
    sizes = (experiment.input_size, experiment.hidden_size)
    layer: nn.Module = {
        "LSTM": lambda: nn.LSTM(*sizes),
        "GRU": lambda: nn.GRU(*sizes),
        "RNN_TANH": lambda: nn.RNN(*sizes),
        "RNN_RELU": lambda: nn.RNN(*sizes, nonlinearity="relu"),
    }[cell]()
    readout = nn.Linear(experiment.hidden_size, 1)
    layer.load_state_dict({k: torch.from_numpy(v) for k, v in arrays.items() if not k.startswith("readout")})
    readout.load_state_dict({k: torch.from_numpy(arrays[f"readout.{k}"]) for k in ("weight", "bias")})
    with torch.no_grad():
        return readout(layer(torch.from_numpy(x.astype(np.float32)))[0])[..., 0].numpy()


def bits(length: int, count: int, seed: int, ones: float = 0.5) -> np.ndarray:
    """Random zeros and ones, ``(L, N, 1)``."""
    return (np.random.default_rng(seed).random((length, count, 1)) < ones).astype(np.float32)


@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
@pytest.mark.parametrize("ones", [0.0, 0.02, 0.5, 0.98, 1.0])
def test_latch_answers_the_first_bit_for_two_thousand_steps(cell: str, ones: float) -> None:
    x = bits(2000, 40, 1, ones)
    x[0, :20], x[0, 20:] = 0.0, 1.0
    y = output("latch", cell, x)
    assert ((y > 0.5) == (x[0, :, 0] == 1.0)).all()
    assert np.abs(y - x[0, :, 0]).max() < 0.01
    np.testing.assert_array_equal(y[1:], np.broadcast_to(y[1], y[1:].shape))


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.sampled_from(["LSTM", "GRU"]))
@settings(max_examples=40)
def test_latch_of_any_bits(given_bits: list[bool], cell: str) -> None:
    y = output("latch", cell, np.array(given_bits, dtype=np.float32)[:, None, None])
    assert ((y > 0.5) == given_bits[0]).all()


@pytest.mark.parametrize("length", [24, 200, 2000])
def test_counter_counts_to_24(length: int) -> None:
    x = bits(length, 60, 2, 20 / length)
    counts = x.cumsum(0)[..., 0]
    y = output("counter", "LSTM", x)
    assert counts.max() >= 24
    np.testing.assert_array_equal(np.rint(y)[counts <= 24], counts[counts <= 24])


def test_counter_stops_being_right_past_24() -> None:
    y = np.rint(output("counter", "LSTM", np.ones((30, 1, 1))))[:, 0]
    assert int(np.argmax(y != np.arange(1, 31))) + 1 == 25


def test_the_relu_counter_has_no_end() -> None:
    x = bits(2000, 20, 3)
    np.testing.assert_array_equal(output("counter", "RNN_RELU", x), x.cumsum(0)[..., 0])


def leaky_sum(x: np.ndarray) -> np.ndarray:
    """``s_t = sum_k 0.9^(t-k) x_k`` in float64, straight from the definition: ``(L, N, 1)`` to ``(L, N)``."""
    lags = np.arange(len(x))[:, None] - np.arange(len(x))[None]
    return np.tril(0.9 ** np.maximum(lags, 0)) @ x[..., 0].astype(np.float64)


@pytest.mark.parametrize(("cell", "tolerance"), [("LSTM", 0.02), ("GRU", 0.005), ("RNN_TANH", 0.05)])
def test_leaky_output_is_the_leaky_sum_while_that_is_small(cell: str, tolerance: float) -> None:
    x = np.zeros((100, 30, 1), dtype=np.float32)
    place = np.random.default_rng(4).integers(0, 40, 30)
    x[place, np.arange(30), 0] = np.linspace(-1, 1, 30)
    x[place + 30, np.arange(30), 0] = 1.0
    exact = leaky_sum(x)
    assert np.abs(output("leaky", cell, x) - exact).max() < tolerance


def test_the_relu_integrator_is_exact_for_inputs_that_are_not_negative() -> None:
    x = np.random.default_rng(5).random((300, 10, 1)).astype(np.float32)
    np.testing.assert_allclose(output("leaky", "RNN_RELU", x), leaky_sum(x), rtol=3e-6)


@pytest.mark.parametrize("cell", ["LSTM", "GRU", "RNN_TANH"])
def test_leaky_matches_its_recurrence_for_any_input(cell: str) -> None:
    x = np.random.default_rng(6).standard_normal((400, 20, 1)) * 3
    state, expected = np.zeros(20), []
    for x_t in x[..., 0]:
        if cell == "LSTM":
            state = 0.9 * state + np.tanh(0.1 * x_t)
            expected.append(10 * np.tanh(state))
        elif cell == "GRU":
            state = 0.9 * state + 0.1 * np.tanh(0.1 * x_t)
            expected.append(100 * state)
        else:
            state = np.tanh(0.9 * state + 0.1 * x_t)
            expected.append(10 * state)
    np.testing.assert_allclose(output("leaky", cell, x), expected, atol=2e-5)


@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_leaky_state_halves_every_6_6_steps(cell: str) -> None:
    x = np.zeros((67, 1, 1))
    x[0] = 1.0
    y = output("leaky", cell, x)[:, 0]
    assert y[66] / y[0] == pytest.approx(0.5**10, rel=0.06)
    assert np.log(0.5) / np.log(0.9) == pytest.approx(6.6, abs=0.05)


@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
@pytest.mark.parametrize("ones", [0.0, 0.01, 0.5, 0.99, 1.0])
def test_toggle_is_parity(cell: str, ones: float) -> None:
    x = bits(2000, 40, 7, ones)
    odd = x.cumsum(0)[..., 0] % 2 == 1
    y = output("toggle", cell, x)
    np.testing.assert_array_equal(y > 0, odd)
    assert np.abs(y).min() > 4, "every answer is far from the threshold"


@given(st.lists(st.booleans(), min_size=1, max_size=200), st.sampled_from(["LSTM", "GRU"]))
@settings(max_examples=40)
def test_toggle_of_any_bits(given_bits: list[bool], cell: str) -> None:
    y = output("toggle", cell, np.array(given_bits, dtype=np.float32)[:, None, None])
    count = 0
    for t, bit in enumerate(given_bits):
        count += bit
        assert (y[t, 0] > 0) == (count % 2 == 1)


def walk(length: int, count: int, low: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Random texts over ``ab()`` whose depth stays in [low, 24]: one-hot ``(L, N, 4)`` and depths ``(L, N)``."""
    draw = np.random.default_rng(seed)
    x, depths = np.zeros((length, count, 4), dtype=np.float32), np.zeros((length, count), dtype=int)
    for n in range(count):
        depth, up = 0, draw.uniform(0.25, 0.75)
        for t in range(length):
            symbol = 2 + int(draw.random() > up) if draw.random() < 0.7 else int(draw.integers(2))
            if (symbol == 2 and depth == 24) or (symbol == 3 and depth == low):
                symbol = 0
            depth += {2: 1, 3: -1}.get(symbol, 0)
            x[t, n, symbol], depths[t, n] = 1.0, depth
    return x, depths


@pytest.mark.parametrize("length", [50, 2000])
def test_brackets_tell_the_depth_from_minus_24_to_24(length: int) -> None:
    x, depths = walk(length, 20, -24, 8)
    np.testing.assert_array_equal(np.rint(output("brackets", "LSTM", x)), depths)
    if length == 2000:
        assert depths.min() == -24
        assert depths.max() == 24


def test_the_relu_brackets_tell_any_depth_and_stop_at_zero() -> None:
    x, depths = walk(2000, 20, 0, 9)
    np.testing.assert_array_equal(output("brackets", "RNN_RELU", x), depths)
    x[:] = 0
    x[:, :, 2] = 1
    np.testing.assert_array_equal(output("brackets", "RNN_RELU", x)[-1], 2000)
    closers = np.zeros((5, 1, 4))
    closers[:3, :, 3], closers[3:, :, 2] = 1, 1
    np.testing.assert_array_equal(output("brackets", "RNN_RELU", closers)[:, 0], [0, 0, 0, 1, 2])


@pytest.mark.parametrize(("name", "cell"), CELLS)
def test_numbers_are_round_and_the_example_runs(name: str, cell: str) -> None:
    experiment = preset(name, cell)
    for array in preset_parameters(name, experiment).values():
        for value in array.ravel():
            round_ = value == np.float32(np.log(9.0)) or np.float32(round(float(value), 2)) == value
            assert round_, f"{value} is not a number to read"
    held = weights.materialise(experiment)
    assert {k: v.tobytes() for k, v in held.items()} == {
        k: v.tobytes() for k, v in preset_parameters(name, experiment).items()
    }
    x = sequences.generate(experiment.sequence, experiment.input_size)
    assert np.isfinite(output(name, cell, x[:, None])).all()


@pytest.mark.parametrize(("name", "cell"), CELLS)
def test_the_settings_of_drawn_weights_work_on_a_hand_set_network_too(name: str, cell: str) -> None:
    base = preset(name, cell)
    plain = preset_parameters(name, base)

    def held(**changes: float) -> Mapping[str, np.ndarray]:
        return weights.materialise(replace(base, init=replace(base.init, **changes)))  # type: ignore[arg-type]

    for parameter, array in held(gain=0.5).items():
        matrix = parameter in ("weight_ih_l0", "weight_hh_l0")
        np.testing.assert_array_equal(array, plain[parameter] * np.float32(0.5 if matrix else 1.0))
    kept = {"LSTM": 1, "GRU": 1}.get(cell)
    hidden = base.hidden_size
    for parameter, array in held(forget_bias=-3.0).items():
        expected = plain[parameter].copy()
        if kept is not None and parameter.startswith("bias"):
            expected[kept * hidden : (kept + 1) * hidden] = -3.0 if parameter == "bias_ih_l0" else 0.0
        np.testing.assert_array_equal(array, expected)
    for k, block in enumerate(np.split(held(spectral_radius=0.5)["weight_hh_l0"], len(plain["bias_hh_l0"]) // hidden)):
        was = np.abs(np.linalg.eigvals(plain["weight_hh_l0"][k * hidden : (k + 1) * hidden])).max()
        assert np.abs(np.linalg.eigvals(block)).max() == pytest.approx(0.5 if was else 0.0)


def test_logit_of_nine_tenths_is_what_the_leaky_gate_holds() -> None:
    assert 1 / (1 + np.exp(-np.log(9.0))) == pytest.approx(0.9, abs=1e-15)


def test_the_example_sequences_show_what_the_story_says() -> None:
    x = sequences.generate(preset("counter").sequence, 1)
    assert set(np.unique(x)) == {0.0, 1.0}
    assert x.sum() <= 24
    text = preset("brackets").sequence.text
    assert text.count("(") == text.count(")") > 3


def test_names_labels_and_stories_go_together() -> None:
    assert tuple(PRESET_LABELS) == tuple(PRESET_STORIES) == PRESETS == tuple(HAND_SET)
    assert all(re.fullmatch(r"[A-Z].*\.", story) for story in PRESET_STORIES.values())


def test_a_preset_that_is_not_there_or_does_not_fit_says_so() -> None:
    with pytest.raises(ValueError, match=r"no preset 'clock'; there are latch, counter"):
        preset("clock")
    with pytest.raises(ValueError, match=r"counter is set by hand for LSTM, RNN \(ReLU\); choose one of these cells"):
        preset("counter", "GRU")
    for cell in ("CNN", ""):
        with pytest.raises(ValueError, match=r"choose one of these cells"):
            preset("latch", cell)
    with pytest.raises(ValueError, match=r"choose one of these cells"):
        preset_parameters("latch", preset("latch").changed(cell="RNN_TANH"))
    with pytest.raises(ValueError, match=r"2 hidden units, one output and one layer"):
        preset_parameters("latch", Experiment(hidden_size=3))


def test_weights_that_no_longer_fit_are_drawn_with_the_seed_that_was_chosen() -> None:
    latch = replace(preset("latch"), init=replace(preset("latch").init, seed=7))
    for changed in (latch.changed(hidden_size=5), latch.changed(cell="RNN_TANH")):
        assert (changed.init.scheme, changed.init.seed) == ("default", 7)
        drawn = Experiment(changed.cell, hidden_size=changed.hidden_size, init=Init(seed=7))
        for name, array in weights.materialise(drawn).items():
            np.testing.assert_array_equal(weights.materialise(changed)[name], array)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("cell", ["LSTM", "GRU", "RNN_TANH", "RNN_RELU"])
def test_another_cell_keeps_what_is_set_by_hand_for_it_and_is_drawn_where_nothing_is(name: str, cell: str) -> None:
    changed = preset(name).changed(cell=cell)
    assert (changed.cell, changed.sequence) == (cell, preset(name).sequence)
    assert changed.init.scheme == (name if cell in HAND_SET[name].cells else "default")
    weights.materialise(changed)
    wider = preset(name).changed(hidden_size=9)
    assert (wider.hidden_size, wider.init.scheme) == (9, "default")
    weights.materialise(wider)
