"""The numbers and sentences of the gradient laboratory's picture, where they are known from elsewhere."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from seqviz import Experiment, Init, Sequence, network
from seqviz.experiment.interventions import Clamp
from seqviz.gradients.studied import NETS, networks, studied
from seqviz.runner import inputs
from seqviz.ui.bench import Address
from seqviz.ui.gradient_pictures import _message
from seqviz.ui.gradients_page import SCENES


def shown(experiment: Experiment, unpack: Any, loss: str = "last", net: str = "RNN") -> tuple[dict, dict]:
    return unpack(_message(experiment, loss, net, False, False, Address("", ())))


def noise(length: int, hidden: int = 32, **init: Any) -> Experiment:
    return Experiment("LSTM", 1, hidden, init=Init(**init), sequence=Sequence("noise", length))


def loop_in_float32(experiment: Experiment) -> np.ndarray:
    """The norms of dL/dh_t ``(L,)`` of the RNN, by a plain loop in torch."""
    net, x = network(experiment), inputs(experiment)
    w_ih, w_hh, b_ih, b_hh = (net.rnn._parameters[f"{name}_l0"] for name in
                              ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))  # fmt: skip
    h, states = torch.zeros(1, w_hh.shape[0]), []
    for value in x:
        h = torch.tanh(value @ w_ih.T + b_ih + h @ w_hh.T + b_hh)
        h.retain_grad()
        states.append(h)
    net.readout(h).sum().backward()
    return np.array([float(h.grad.double().norm()) for h in states])


@pytest.mark.parametrize(("length", "zero", "off"), [(150, 0, 0), (200, 0, 2), (300, 100, 4)])
def test_the_float32_curve_is_torchs(unpack: Any, length: int, zero: int, off: int) -> None:
    header, arrays = shown(noise(length), unpack)
    expected = loop_in_float32(networks(noise(length))["RNN"])
    assert (expected == 0).sum() == zero
    assert ("RNN.f32" in arrays) == bool(zero or off)
    if "RNN.f32" in arrays:
        with np.errstate(divide="ignore"):
            np.testing.assert_allclose(arrays["RNN.f32"], np.log10(expected), atol=1e-4)
    said = header["status"]
    assert ("In float32" in said) == bool(zero or off)
    if zero:
        assert f"exactly 0 at {zero} of {length} steps" in said
        assert f"At {off} more it is off by more than 10%" in said
    elif off:
        assert f"off by more than 10% at {off} of {length} steps" in said


def test_a_gradient_far_beyond_a_double_is_followed(unpack: Any) -> None:
    """Identity and ReLU at a spectral radius of 4: all but 4 of 500 steps get under 1 %, and no norm is infinite."""
    setting = Experiment("LSTM", 1, 32, init=Init("identity", spectral_radius=4.0),
                         sequence=Sequence("bits", 500, amplitude=0.3, seed=1))  # fmt: skip
    header, arrays = shown(setting, unpack)
    rnn = next(row for row in header["rows"] if row["signal"] == "rnn")
    assert "496 of 500 steps get less than 1% of the largest" in rnn["says"]
    assert np.isfinite(arrays["RNN.h"]).all()
    assert arrays["RNN.h"][0] == pytest.approx(arrays["RNN.h"][-1] + 499 * np.log10(4), abs=0.2)


def test_a_saturated_lstms_gradient(unpack: Any) -> None:
    header, arrays = shown(noise(200, 1, forget_bias=5.0, seed=3), unpack, net="LSTM")
    assert arrays["LSTM.h"][0] == pytest.approx(-33.5827, abs=1e-3)
    assert header["spectrum"]["says"] == "Largest singular value at lag 199: 10^−33.4."


def test_a_radius_of_0_leaves_nothing_before_the_last_step(unpack: Any) -> None:
    header, _ = shown(noise(200, spectral_radius=0.0), unpack)
    rnn = next(row for row in header["rows"] if row["signal"] == "rnn")
    assert rnn["says"].startswith("Exactly 0 at every step before the last. 199 of 200 steps get less than 1%")
    assert header["spectrum"]["says"] == "Largest singular value at lag 199: exactly 0."


def test_a_thousand_steps_end_far_below_a_double_and_not_at_0() -> None:
    rnn = networks(noise(1500))["RNN"]
    found = studied(rnn, "last")
    logs, rounded = found.logs, found.rounded
    assert not rounded
    assert logs["h"][0] == pytest.approx(-330.48, abs=0.01)


def test_closed_forms_are_named_only_where_they_are_drawn(unpack: Any) -> None:
    for loss, dotted in (("last", True), ("sum", False)):
        header, arrays = shown(noise(60), unpack, loss)
        assert ("Dotted" in header["rows"][0]["says"]) == dotted
        assert ("lstm.theory" in arrays) == dotted


def test_a_shut_highway_is_said_in_full(unpack: Any) -> None:
    setting = noise(200, forget_bias=-10.0)
    header, _ = shown(setting, unpack)
    row = next(row for row in header["rows"] if row["signal"] == "highway")
    found = re.search(r"the highway is 10\^−(\d+\.\d) of the two", row["says"])
    assert found
    assert float(found[1]) == pytest.approx(697, abs=1)


@pytest.mark.parametrize("scene", list(SCENES))
@pytest.mark.parametrize("loss", ["last", "sum"])
def test_no_scene_says_what_is_no_number(unpack: Any, scene: str, loss: str) -> None:
    header, _ = shown(SCENES[scene][0], unpack, loss)
    said = " ".join([header["status"], header["spectrum"]["says"], *(row["says"] for row in header["rows"])])
    assert not re.search(r"\binf|\bnan|\b1 steps|10\^[+−]?(inf|nan)|100%", said)


def test_rows_many_powers_of_ten_apart_have_scales_of_their_own(unpack: Any) -> None:
    header, arrays = shown(SCENES["Explodes"][0], unpack)
    rows = {row["signal"]: row for row in header["rows"] if row["kind"] == "units"}
    assert set(rows) == {"rnn", "gru", "lstm", "lstm.c"}
    for row in rows.values():
        assert row["ceiling"] == pytest.approx(arrays[row["array"]].max(), abs=1e-4)
    assert rows["rnn"]["ceiling"] - rows["lstm"]["ceiling"] > 10


def test_the_scene_of_the_forget_bias_does_not_argue_with_its_rows(unpack: Any) -> None:
    header, _ = shown(SCENES["Forget bias rescues it"][0], unpack)
    says = {row["signal"]: row["says"] for row in header["rows"]}
    assert "No step gets less than 1%" in says["lstm.c"]
    assert "190 of 200 steps get less than 1%" in says["rnn"]


def test_a_held_forget_gate_is_in_the_numbers_and_on_the_page(unpack: Any, visit: Any) -> None:
    setting = replace(noise(30, 4), interventions=(Clamp("l0.f", -1.0),))
    _, arrays = shown(setting, unpack, net="LSTM")
    _, free = shown(noise(30, 4), unpack, net="LSTM")
    assert (arrays["LSTM.c"] != free["LSTM.c"]).any()
    np.testing.assert_array_equal(arrays["GRU.h"], free["GRU.h"])
    assert arrays["eig.re"].min() < -0.5
    page = visit("gradients", e=setting.to_url())
    said = " ".join(caption.value for caption in page.at.caption)
    assert "The LSTM is shown with: clamp forget gate (l0.f) to −1." in said
    assert "Without any: RNN, GRU." in said
    assert set(NETS) == {"RNN", "GRU", "LSTM"}


def test_the_eigenvalues_are_those_of_every_step_where_that_is_quick(unpack: Any) -> None:
    _, arrays = shown(noise(200), unpack, net="LSTM")
    np.testing.assert_array_equal(arrays["eig.step"], np.arange(200))
