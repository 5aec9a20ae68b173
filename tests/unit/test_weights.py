"""Initial weights against torch and closed forms; views and places against torch's packed order."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from seqviz import cells, weights
from seqviz.experiment import Experiment, Init, Sequence, Tensor, WeightEdit, parameter_shapes
from seqviz.kept import SHELF
from seqviz.vocabulary import BLOCKS

GATED = ("LSTM", "GRU")

CELLS = [name for name in cells.names() if cells.get(name).torchs]
"""torch's, whose layers are the truth here."""


def torch_layer(cell: str, input_size: int, hidden_size: int, num_layers: int = 1) -> nn.RNNBase:
    if cell in GATED:
        return getattr(nn, cell)(input_size, hidden_size, num_layers)
    return nn.RNN(input_size, hidden_size, num_layers, nonlinearity=cell[4:].lower())


def drawn(cell: str = "LSTM", hidden: int = 24, inputs: int = 3, layers: int = 1, length: int = 48, **init) -> dict:  # type: ignore[no-untyped-def]
    experiment = Experiment(
        cell, inputs, hidden, 2, layers, init=Init(**init), sequence=Sequence("noise", length=length)
    )
    return dict(weights.materialise(experiment))


def changed_names(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> set[str]:
    return {name for name in a if a[name].tobytes() != b[name].tobytes()}


def blocks_of(parameters: dict, cell: str, layer: int, part: str) -> list[np.ndarray]:
    return [weights.gate_view(parameters, cell, layer, gate, part) for gate in BLOCKS[cell]]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2, 3, 4])
@pytest.mark.parametrize("hidden", [1, 7, 64, 256])
def test_default_is_what_torch_draws_bit_for_bit(cell: str, layers: int, hidden: int) -> None:
    seed = 1000 * layers + hidden
    held = weights.materialise(Experiment(cell, 5, hidden, 3, layers, init=Init(seed=seed)))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layer, readout = torch_layer(cell, 5, hidden, layers), nn.Linear(hidden, 3)
    theirs = {**layer.state_dict(), **{f"readout.{k}": v for k, v in readout.state_dict().items()}}
    assert list(held) == list(theirs)
    for name, value in theirs.items():
        assert held[name].tobytes() == value.numpy().tobytes(), name


def test_default_matches_torch_at_every_hidden_size() -> None:
    for hidden in range(1, 257):
        held = weights.materialise(Experiment("RNN_TANH", 1, hidden, init=Init(seed=hidden)))
        with torch.random.fork_rng():
            torch.manual_seed(hidden)
            layer, readout = nn.RNN(1, hidden), nn.Linear(hidden, 1)
        assert held["weight_hh_l0"].tobytes() == layer.weight_hh_l0.detach().numpy().tobytes(), hidden
        assert held["readout.weight"].tobytes() == readout.weight.detach().numpy().tobytes(), hidden
        assert held["readout.bias"].tobytes() == readout.bias.detach().numpy().tobytes(), hidden


@pytest.mark.parametrize("scheme", ["default", "xavier", "orthogonal", "identity", "chrono", "zeros", "latch"])
def test_drawing_leaves_the_global_generators_alone(scheme: str) -> None:
    torch.manual_seed(3)
    np.random.seed(3)
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()  # type: ignore[index]
    hidden = 2 if scheme == "latch" else 31
    weights.materialise(Experiment("LSTM", 1, hidden, init=Init(scheme, gain=1.1, seed=77)))
    assert torch.equal(before, torch.get_rng_state())
    assert (numpy_before == np.random.get_state()[1]).all()  # type: ignore[index]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("scheme", ["default", "xavier", "orthogonal", "identity", "chrono"])
def test_a_seed_means_one_draw(cell: str, scheme: str) -> None:
    SHELF.clear()
    first = drawn(cell, scheme=scheme, seed=5)
    SHELF.clear()
    assert not changed_names(first, drawn(cell, scheme=scheme, seed=5))
    assert "weight_ih_l0" in changed_names(first, drawn(cell, scheme=scheme, seed=6))


@pytest.mark.parametrize("cell", CELLS)
def test_xavier_fills_each_block_uniformly_up_to_its_bound(cell: str) -> None:
    held = drawn(cell, hidden=120, inputs=30, layers=2, scheme="xavier")
    for layer, part, fan_in in ((0, "ih", 30), (0, "hh", 120), (1, "ih", 120), (1, "hh", 120)):
        bound = math.sqrt(6 / (fan_in + 120))
        for block in blocks_of(held, cell, layer, part):
            assert np.abs(block).max() <= bound
            assert np.abs(block).max() > 0.99 * bound
            assert block.mean() == pytest.approx(0, abs=5 * bound / math.sqrt(3 * block.size))
            assert block.var() == pytest.approx(bound**2 / 3, rel=0.1)
    assert not any(held[name].any() for name in held if name.startswith("bias"))
    assert np.abs(held["readout.weight"]).max() <= 1 / math.sqrt(120)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("hidden", [1, 2, 33])
def test_orthogonal_recurrent_blocks(cell: str, hidden: int) -> None:
    held = drawn(cell, hidden, layers=2, scheme="orthogonal")
    for layer in (0, 1):
        blocks = blocks_of(held, cell, layer, "hh")
        for block in blocks:
            np.testing.assert_allclose(block @ block.T, np.eye(hidden), atol=3e-6)
        if hidden > 2:
            assert len({block.tobytes() for block in blocks}) == len(blocks)
        for block in blocks_of(held, cell, layer, "ih"):
            fan_in = 3 if layer == 0 else hidden
            assert 0 < np.abs(block).max() <= math.sqrt(6 / (fan_in + hidden))


@pytest.mark.parametrize("cell", CELLS)
def test_identity_is_the_irnn(cell: str) -> None:
    held = drawn(cell, hidden=100, inputs=40, layers=2, scheme="identity")
    for layer in (0, 1):
        for block in blocks_of(held, cell, layer, "hh"):
            np.testing.assert_array_equal(block, np.eye(100))
        for block in blocks_of(held, cell, layer, "ih"):
            assert block.std() == pytest.approx(0.1, rel=0.06)
            assert block.mean() == pytest.approx(0, abs=0.5 / math.sqrt(block.size))
            assert np.mean(np.abs(block) < 0.1) == pytest.approx(0.6827, abs=0.03), "normal, not uniform"
    assert not held["bias_ih_l0"].any()
    assert not held["bias_hh_l1"].any()


@pytest.mark.parametrize(("cell", "gate"), [("LSTM", "f"), ("GRU", "z")])
@pytest.mark.parametrize("length", [1, 2, 3, 10, 2000])
def test_chrono_biases_are_logs_of_uniform_times(cell: str, gate: str, length: int) -> None:
    held = drawn(cell, hidden=256, layers=2, length=length, scheme="chrono", seed=9)
    longest = max(3, length)
    for layer in (0, 1):
        keep = sum(weights.gate_view(held, cell, layer, gate, part) for part in ("bias_ih", "bias_hh"))
        times = np.exp(keep)
        assert times.min() >= 1 - 1e-6
        assert times.max() <= (longest - 1) * (1 + 1e-5)
        spread = (longest - 2) / math.sqrt(12)
        assert times.mean() == pytest.approx(longest / 2, abs=5 * spread / 16)
        assert times.std() == pytest.approx(spread, rel=0.15)
        if cell == "LSTM":
            shut = sum(weights.gate_view(held, cell, layer, "i", part) for part in ("bias_ih", "bias_hh"))
            np.testing.assert_array_equal(shut, -keep)
    plain = drawn(cell, hidden=256, layers=2, length=length, seed=9)
    assert changed_names(held, plain) == {f"bias_{part}_l{layer}" for part in ("ih", "hh") for layer in (0, 1)}


def test_only_chrono_looks_at_the_length_of_the_sequence() -> None:
    for scheme in ("default", "xavier", "orthogonal", "identity"):
        assert not changed_names(drawn(scheme=scheme, length=10), drawn(scheme=scheme, length=99))
    assert changed_names(drawn(scheme="chrono", length=10), drawn(scheme="chrono", length=99)) == {"bias_ih_l0"}
    assert not changed_names(drawn("RNN_TANH", scheme="chrono"), drawn("RNN_TANH"))


@pytest.mark.parametrize("cell", CELLS)
def test_zeros(cell: str) -> None:
    assert not any(array.any() for array in drawn(cell, layers=2, scheme="zeros").values())


@pytest.mark.parametrize("scheme", ["default", "xavier", "orthogonal", "identity", "chrono"])
@pytest.mark.parametrize("cell", CELLS)
def test_gain_multiplies_the_layers_matrices_and_nothing_else(cell: str, scheme: str) -> None:
    one, some = drawn(cell, layers=2, scheme=scheme), drawn(cell, layers=2, scheme=scheme, gain=1.7)
    matrices = {f"weight_{part}_l{layer}" for part in ("ih", "hh") for layer in (0, 1)}
    assert changed_names(one, some) == matrices
    for name in matrices:
        np.testing.assert_array_equal(some[name], one[name] * np.float32(1.7))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("radius", [0.0, 0.5, 1.0, 3.0])
def test_spectral_radius_of_every_recurrent_block(cell: str, radius: float) -> None:
    held, plain = drawn(cell, layers=2, spectral_radius=radius), drawn(cell, layers=2)
    assert changed_names(held, plain) == {"weight_hh_l0", "weight_hh_l1"}
    for layer in (0, 1):
        for block, before in zip(blocks_of(held, cell, layer, "hh"), blocks_of(plain, cell, layer, "hh"), strict=True):
            assert np.abs(np.linalg.eigvals(block.astype(np.float64))).max() == pytest.approx(radius, rel=1e-5)
            if radius:
                ratio = block / before
                np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-6)


def test_spectral_radius_overrides_the_gain_and_leaves_a_zero_block() -> None:
    held = drawn(gain=5.0, spectral_radius=0.9)
    assert weights.spectral_radius(held["weight_hh_l0"][:24]) == pytest.approx(0.9, rel=1e-5)
    assert not drawn(scheme="zeros", spectral_radius=0.9)["weight_hh_l0"].any()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("gain", [1e-38, 1e-44])
def test_a_tiny_gain_does_not_blow_up_under_a_spectral_radius(cell: str, gain: float) -> None:
    held = drawn(cell, layers=2, gain=gain, spectral_radius=100.0)
    assert all(np.isfinite(array).all() for array in held.values())


def test_spectral_radius_is_numpys() -> None:
    turn = np.array([[0.0, -2.0], [2.0, 0.0]])
    assert weights.spectral_radius(turn) == pytest.approx(2.0)
    assert weights.spectral_radius(np.array([[1.0, 99.0], [0.0, -3.0]])) == pytest.approx(3.0)


@pytest.mark.parametrize(("cell", "gate"), [("LSTM", "f"), ("GRU", "z")])
@pytest.mark.parametrize("value", [-2.0, 0.0, 1.0])
@pytest.mark.parametrize("scheme", ["default", "chrono"])
def test_forget_bias_is_the_sum_of_both_biases(cell: str, gate: str, value: float, scheme: str) -> None:
    plain, held = drawn(cell, layers=2, scheme=scheme), drawn(cell, layers=2, scheme=scheme, forget_bias=value)
    for layer in (0, 1):
        total = sum(weights.gate_view(held, cell, layer, gate, part) for part in ("bias_ih", "bias_hh"))
        np.testing.assert_array_equal(total, np.float32(value))
        for other in set(BLOCKS[cell]) - {gate}:
            for part in ("bias_ih", "bias_hh"):
                before, after = (weights.gate_view(p, cell, layer, other, part) for p in (plain, held))
                assert before.tobytes() == after.tobytes()
    assert all(name.startswith("bias") for name in changed_names(plain, held))


def test_forget_bias_says_nothing_to_a_plain_rnn() -> None:
    assert not changed_names(drawn("RNN_RELU"), drawn("RNN_RELU", forget_bias=3.0))


def torch_gates(cell: str, layer: nn.RNNBase, x: torch.Tensor, h: torch.Tensor) -> dict[str, torch.Tensor]:
    """Pre-activations of one step by torch's documented equations, from the packed parameters by name."""
    w_ih, w_hh, b_ih, b_hh = (p.detach() for p in layer.parameters())
    size = layer.hidden_size
    found = {}
    for k, gate in enumerate({"LSTM": "ifgo", "GRU": "rzn"}.get(cell, "h")):
        rows = slice(k * size, (k + 1) * size)
        found[gate] = torch.stack([w_ih[rows] @ x + b_ih[rows], w_hh[rows] @ h + b_hh[rows]])
    return found


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("part", weights.PARTS)
def test_a_placed_weight_moves_its_gate_and_unit_alone(cell: str, part: str) -> None:
    hidden, inputs, unit, col = 5, 3, 2, 0 if "bias" in part else 1
    torch.manual_seed(0)
    layer = torch_layer(cell, inputs, hidden)
    x, h = torch.randn(inputs), torch.randn(hidden)
    before = torch_gates(cell, layer, x, h)
    for gate in BLOCKS[cell]:
        name, row, column = weights.place(cell, hidden, 0, gate, part, unit, col)
        parameter = getattr(layer, name)
        kept = parameter.detach().clone()
        with torch.no_grad():
            (parameter if parameter.ndim == 1 else parameter[:, column])[row] += 1.0
        after = torch_gates(cell, layer, x, h)
        with torch.no_grad():
            parameter.copy_(kept)
        moved = {
            (g, side, u)
            for g in before
            for side in range(2)
            for u in range(hidden)
            if after[g][side, u] != before[g][side, u]
        }
        assert moved == {(gate, int(part.endswith("hh")), unit)}


@pytest.mark.parametrize("cell", GATED)
def test_torchs_own_layer_answers_as_the_placed_gate_says(cell: str) -> None:
    """A bias of 1000 on one gate of one unit, in the fused layer: what comes out is that gate's doing."""
    hidden, unit = 4, 1
    zero = {name: torch.zeros_like(p) for name, p in torch_layer(cell, 1, hidden).named_parameters()}

    def run(**biases: float) -> torch.Tensor:
        layer = torch_layer(cell, 1, hidden)
        layer.load_state_dict(zero)
        for gate, value in biases.items():
            name, row, _ = weights.place(cell, hidden, 0, gate, "bias_ih", unit, 0)
            with torch.no_grad():
                getattr(layer, name)[row] = value
        start = torch.full((1, hidden), 0.5)
        with torch.no_grad():
            state = layer(torch.zeros(1, 1), (start, start) if cell == "LSTM" else start)[1]
        return state[1][0, unit] if cell == "LSTM" else state[0, unit]

    if cell == "LSTM":
        assert run().item() == pytest.approx(0.25)
        assert run(f=1000.0).item() == pytest.approx(0.5)
        assert run(f=-1000.0, g=1000.0).item() == pytest.approx(0.5)
        assert run(f=-1000.0, g=1000.0, i=1000.0).item() == pytest.approx(1.0)
        assert run(o=1000.0).item() == run().item()
    else:
        assert run().item() == pytest.approx(0.25)
        assert run(z=1000.0).item() == pytest.approx(0.5)
        assert run(z=-1000.0, n=-1000.0).item() == pytest.approx(-1.0)
        assert run(r=1000.0).item() == run().item()


@pytest.mark.parametrize("cell", CELLS)
def test_gate_view_and_place_name_the_same_number(cell: str) -> None:
    hidden, inputs = 4, 3
    experiment = Experiment(cell, inputs, hidden, 1, 2)
    for layer in (0, 1):
        for part in weights.PARTS:
            for gate in BLOCKS[cell]:
                column = 0 if "bias" in part else 2
                edit = WeightEdit(*weights.place(cell, hidden, layer, gate, part, 3, column), value=42.0)
                held = weights.materialise(experiment.edited([edit]))
                view = weights.gate_view(held, cell, layer, gate, part)
                assert (view[3] if view.ndim == 1 else view[3, 2]) == 42.0
                assert sum((array == 42.0).sum() for array in held.values()) == 1
                assert np.shares_memory(view, held[edit.parameter])


def test_shapes_of_gate_views() -> None:
    held = drawn("GRU", hidden=6, inputs=3, layers=2)
    shapes = [weights.gate_view(held, "GRU", 0, "z", part).shape for part in weights.PARTS]
    assert shapes == [(6, 3), (6, 6), (6,), (6,)]
    assert weights.gate_view(held, "GRU", 1, "n", "ih").shape == (6, 6)


def test_a_gate_part_layer_or_unit_that_is_not_there() -> None:
    held = drawn("GRU")
    with pytest.raises(ValueError, match=r"GRU has no gate 'f'; its blocks are r, z, n"):
        weights.gate_view(held, "GRU", 0, "f", "ih")
    with pytest.raises(ValueError, match=r"one of ih, hh, bias_ih, bias_hh"):
        weights.gate_view(held, "GRU", 0, "r", "bias")
    with pytest.raises(KeyError):
        weights.gate_view(held, "GRU", 1, "r", "ih")
    for unit in (-1, 24):
        with pytest.raises(ValueError, match=r"units 0 to 23"):
            weights.place("GRU", 24, 0, "r", "ih", unit, 0)


floats32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.data())
@settings(max_examples=60)
def test_edits_are_held_bit_for_bit_and_touch_nothing_else(data: st.DataObject) -> None:
    base = Experiment(data.draw(st.sampled_from(CELLS)), 2, 3, 2, 2)
    shapes = parameter_shapes(base)
    edits = []
    for name in data.draw(st.lists(st.sampled_from(sorted(shapes)), max_size=6, unique=True)):
        rows, cols = (*shapes[name], 1)[:2]
        row, col = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, cols - 1))
        edits.append(WeightEdit(name, row, col, data.draw(floats32)))
    expected = {name: np.array(array) for name, array in weights.materialise(base).items()}
    for edit in edits:
        expected[edit.parameter].reshape(shapes[edit.parameter][0], -1)[edit.row, edit.col] = edit.value
    held = weights.materialise(base.edited(edits))
    assert {k: v.tobytes() for k, v in held.items()} == {k: v.tobytes() for k, v in expected.items()}
    assert not changed_names(dict(weights.initial(base.edited(edits))), dict(weights.materialise(base)))


@pytest.mark.parametrize("setting", ["gain", "forget_bias", "spectral_radius"])
def test_settings_that_compare_equal_give_the_same_bits_whichever_is_asked_first(setting: str) -> None:
    held = []
    for value in (0.0, -0.0):
        SHELF.clear()
        held.append(drawn(**{setting: value}))
    assert not changed_names(*held)


@pytest.mark.parametrize("first", [0.0, -0.0])
def test_minus_zero_is_not_mistaken_for_zero(first: float) -> None:
    for value in (first, -first):
        held = weights.materialise(Experiment().edited([WeightEdit("readout.bias", 0, 0, value)]))
        assert math.copysign(1, held["readout.bias"][0]) == math.copysign(1, value)


def test_tensors_replace_what_was_drawn_and_edits_come_after() -> None:
    values = np.random.default_rng(0).standard_normal((16, 4)).astype(np.float32)
    values[0, :3] = -0.0, 1e-45, 3.4028235e38
    base = Experiment("LSTM", 1, 4)
    loaded = replace(base, tensors=(Tensor.of("weight_hh_l0", values),))
    held = weights.materialise(loaded)
    assert held["weight_hh_l0"].tobytes() == values.tobytes()
    assert changed_names(dict(held), dict(weights.materialise(base))) == {"weight_hh_l0"}
    values[3, 3] = 9.0
    edited = weights.materialise(loaded.edited([WeightEdit("weight_hh_l0", 3, 3, 9.0)]))
    assert edited["weight_hh_l0"].tobytes() == values.tobytes()
    assert not changed_names(dict(weights.initial(loaded)), dict(weights.initial(base)))


def test_what_is_handed_out_cannot_be_changed() -> None:
    held = weights.materialise(Experiment())
    with pytest.raises(ValueError, match="read-only"):
        held["weight_ih_l0"][0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        weights.gate_view(held, "LSTM", 0, "f", "hh")[:] = 0.0
    with pytest.raises(TypeError):
        held["weight_ih_l0"] = np.zeros(3)  # type: ignore[index]
    assert all(a.dtype == np.float32 and a.flags.c_contiguous for a in held.values())


@pytest.mark.parametrize("cell", CELLS)
def test_names_and_shapes_are_torchs(cell: str) -> None:
    experiment = Experiment(cell, 3, 5, 2, 3)
    theirs = {name: tuple(p.shape) for name, p in torch_layer(cell, 3, 5, 3).named_parameters()}
    theirs |= {"readout.weight": (2, 5), "readout.bias": (2,)}
    shapes = parameter_shapes(experiment)
    assert list(shapes.items()) == list(theirs.items())
    assert {name: array.shape for name, array in weights.materialise(experiment).items()} == theirs
