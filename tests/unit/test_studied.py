"""The laboratory's numbers, without the app: closed forms, a run's own spectrum and highway, a map's place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import seqviz
from seqviz import Clamp, runner
from seqviz.experiment import Experiment, Init, InputEdit, Sequence
from seqviz.gradients.ranges import LONGEST, mapped_networks, place_of
from seqviz.gradients.studied import (
    NETS,
    flows,
    forget_road,
    gates_theory,
    has_jacobians,
    highway,
    networks,
    radius_theory,
    spectrum,
    states_shown,
    studied,
    update_norms,
)
from seqviz.kept import weight
from seqviz.runner import network
from seqviz.sequences import generate
from seqviz.weights import candidates_radius, materialise

HERE = Experiment("LSTM", 1, 3, init=Init(forget_bias=1.5, seed=4), sequence=Sequence("noise", 12))


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values.astype(float)))


def test_the_usual_networks_stand_side_by_side_and_another_beside_them() -> None:
    assert set(networks(HERE)) == set(NETS)
    assert networks(replace(HERE, init=Init("identity")))["RNN"].cell == "RNN_RELU"
    beside = networks(HERE.changed(cell="PEEPHOLE"))
    assert set(beside) - set(NETS) == {"Peephole"}
    assert states_shown(beside["Peephole"]) == ("h", "c")
    assert states_shown(beside["RNN"]) == ("h",)


def test_the_gates_closed_form_is_a_product_of_the_forget_biases() -> None:
    """log10 of the norm over units of what the loss asks of c times the sigmoid of the bias to the power of the way."""
    parameters = materialise(HERE)
    rows = slice(3, 6)
    bias = parameters["bias_ih_l0"][rows].astype(float) + parameters["bias_hh_l0"][rows]
    asked = flows(HERE, "last")["LSTM"]["l0.c"][-1, 0]
    wanted = [np.linalg.norm(asked * sigmoid(bias) ** (11 - t)) for t in range(12)]
    np.testing.assert_allclose(gates_theory(HERE), np.log10(wanted), atol=1e-9)


def test_the_radius_closed_form_falls_by_the_radius_at_every_step() -> None:
    plain = networks(HERE)["RNN"]
    measured = np.linspace(-3.0, 1.0, 12)
    curve, rho = radius_theory(plain, measured) or pytest.fail("a random matrix has a radius")
    own = np.abs(np.linalg.eigvals(materialise(plain)["weight_hh_l0"].astype(float))).max()
    assert rho == pytest.approx(own)
    np.testing.assert_allclose(curve, 1.0 + np.log10(own) * np.arange(11, -1, -1))
    nothing = replace(plain, init=replace(plain.init, spectral_radius=0.0))
    assert radius_theory(nothing, measured) is None


def test_the_road_of_the_gates_is_what_the_run_s_own_gates_leave() -> None:
    road, parts = forget_road(HERE, "last") or pytest.fail("one layer, no interventions: there is a road")
    f = seqviz.run(HERE)["l0.f"][:, 0].astype(float)
    asked = np.abs(flows(HERE, "last")["LSTM"]["l0.c"][-1, 0])
    wanted = [np.linalg.norm(asked * f[t + 1 :].prod(axis=0)) for t in range(12)]
    np.testing.assert_allclose(road, np.log10(wanted) - np.log10(wanted[-1]), atol=1e-5)
    np.testing.assert_allclose(sigmoid(parts["drive"] + parts["biases"]), f, atol=1e-6)
    for other in (replace(HERE, interventions=(Clamp("l0.f", 1.0),)), HERE.changed(num_layers=2)):
        assert forget_road(other, "last") is None
    assert forget_road(HERE, "sum") is None


def test_highway_and_spectrum_are_those_of_the_run() -> None:
    direct, rest = highway(HERE, "last") or pytest.fail("nothing overflows")
    f = seqviz.run(HERE)["l0.f"][:, 0].astype(float)
    wanted = [np.linalg.norm(f[t + 1 :].prod(axis=0)) for t in range(12)]
    np.testing.assert_allclose(direct, np.log10(wanted), atol=1e-5)
    assert rest.shape == (12,)
    found = spectrum(HERE, "last")
    assert found is not None
    jacobians = seqviz.step_jacobians(runner.network(HERE).double(), runner.inputs(HERE).double())
    for step, eigenvalues in zip(found.steps, found.eigenvalues, strict=True):
        own = np.linalg.eigvals(jacobians[step])
        np.testing.assert_allclose(np.sort(np.abs(eigenvalues)), np.sort(np.abs(own)), atol=1e-8)
    assert (found.steps[0], found.lags[0], found.lags[-1]) == (0, 0, 11)
    large = Experiment("LSTM", 1, 128, sequence=Sequence("noise", 500))
    assert not has_jacobians(large)
    assert spectrum(large, "last") is None


def test_a_map_knows_where_the_network_on_the_screen_lies() -> None:
    assert place_of(replace(HERE, init=Init(spectral_radius=0.7, forget_bias=2.0))) == pytest.approx((0.7, 2.0))
    edited = HERE.changed(num_layers=3, sequence=Sequence("noise", 400))
    for name, each in mapped_networks(edited).items():
        assert (each.cell, each.num_layers, each.sequence.length) == (name, 1, LONGEST)


def test_a_cell_without_a_recurrent_block_has_no_radius() -> None:
    plain = networks(HERE)["RNN"]
    own = np.abs(np.linalg.eigvals(materialise(plain)["weight_hh_l0"].astype(float))).max()
    assert candidates_radius(plain, materialise(plain)) == pytest.approx(own)


def test_what_is_kept_of_a_network_does_not_grow_with_its_layers():
    """A page asks for each of its networks many times, and may keep so many bytes of all."""

    def size(layers: int) -> int:
        found = studied(Experiment("LSTM", hidden_size=24, num_layers=layers, sequence=Sequence("noise", 60)), "last")
        assert set(found.flow.arrays) == {"l0.h", "l0.c"}
        return weight(found) - weight(found.flow.weights) - weight(found.flow.shares)

    assert size(4) < 1.1 * size(1)


SHORTENED = {
    "a wave": (Sequence("sine", 40, edits=(InputEdit(3, 0, 2.0), InputEdit(30, 0, 1.0))), 1),
    "a text": (Sequence.of_text("abbabaabab" * 2, "ab"), 2),
    "own numbers": (Sequence.of_values(np.cos(np.arange(48.0)).reshape(24, 2), ("a", "b"), list("x" * 24)), 2),
    "one step": (Sequence("step", 1), 1),
}


@pytest.mark.parametrize("kind", SHORTENED)
@pytest.mark.parametrize("loss", ["last", "sum"])
def test_the_update_at_each_length_is_torchs_on_the_first_steps(kind, loss):
    sequence, width = SHORTENED[kind]
    here = Experiment("GRU", width, 5, num_layers=2, sequence=sequence)
    lengths, norms = update_norms(here, loss)
    assert lengths == sorted({max(1, round(sequence.length * k / 8)) for k in range(1, 9)})
    assert set(norms) == {"RNN", "GRU", "LSTM"}
    whole = generate(sequence, width)
    for name, cell in {"RNN": "RNN_TANH", "GRU": "GRU", "LSTM": "LSTM"}.items():
        net = network(here.changed(cell=cell)).double()
        for length, found in zip(lengths, norms[name], strict=True):
            x = whole[:length]
            if sequence.kind == "sine":
                x = generate(Sequence("sine", length, edits=sequence.edits[: 1 + (length > 30)]), width)
            y = net(torch.from_numpy(x.copy()).double()[:, None])
            y = y[0] if isinstance(y, tuple) else y
            net.zero_grad()
            (y[-1] if loss == "last" else y).sum().backward()
            parts = [p.grad.norm() for n, p in net.named_parameters() if n.startswith("rnn.weight_")]
            assert found == pytest.approx(float(torch.stack(parts).norm()), rel=1e-9)
