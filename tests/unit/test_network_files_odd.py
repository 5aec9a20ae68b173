"""Odd files that people have: weights in parts, prefixes, cells of our own, and what is no network after all."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import prune

import seqviz
from seqviz import Experiment, read_network
from seqviz.cells.gru_before import GRU_RESET_BEFORE
from seqviz.cells.layer import CellLayer
from seqviz.cells.peephole import PEEPHOLE
from seqviz.checkpoints import to_safetensors
from seqviz.language import Sentence


def saved(thing: Any, **how: Any) -> bytes:
    file = io.BytesIO()
    torch.save(thing, file, **how)
    return file.getvalue()


class Net(nn.Module):
    """What people save: a layer and its readout."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.head = nn.LSTM(3, 4), nn.Linear(4, 2)


def prefixed(net: Net, start: str) -> dict[str, torch.Tensor]:
    return {start + name: value for name, value in net.state_dict().items()}


def shadowed(net: Net) -> dict[str, Any]:
    return {"model": net.state_dict(), "ema": prefixed(net, "module.")}


WRAPPED = {
    "Lightning": lambda net: {"epoch": 3, "pytorch-lightning_version": "2.1", "state_dict": prefixed(net, "model."),
                              "optimizer_states": [torch.optim.Adam(net.parameters()).state_dict()],
                              "hyper_parameters": {"lr": 0.1}},
    "DataParallel": lambda net: prefixed(net, "module."),
    "torch.compile": lambda net: prefixed(net, "_orig_mod."),
    "both": lambda net: prefixed(net, "_orig_mod.module."),
    "EMA beside": shadowed,
    "a tuple": lambda net: (net.state_dict(), 3),
    "parameters": lambda net: dict(net.named_parameters()),
    "whole, of a class that is not here": lambda net: net,
}  # fmt: skip


@pytest.mark.parametrize("kind", WRAPPED)
def test_whatever_the_weights_are_wrapped_in(kind: str) -> None:
    torch.manual_seed(0)
    net, x = Net(), torch.randn(5, 2, 3)
    file = read_network(saved(WRAPPED[kind](net)))
    assert file.stacks[0].name.endswith("rnn")
    with torch.no_grad():
        torch.testing.assert_close(file.whole()(x), net.head(net.rnn(x)[0]), rtol=0, atol=1e-6)


def quantised() -> nn.Module:
    return torch.ao.quantization.quantize_dynamic(Net(), {nn.LSTM, nn.Linear}, dtype=torch.qint8)


NONE = {
    "an optimiser": (lambda: torch.optim.Adam(Net().parameters()).state_dict(), "optimiser's state alone; bring"),
    "quantised": (quantised, "is quantised; save it before"),
    "its state": (lambda: quantised().state_dict(), "is quantised; save it before"),
    "float8": (lambda: {k: v.to(torch.float8_e4m3fn) for k, v in Net().state_dict().items()}, "holds float8_e4m3fn"),
    "no names": (lambda: list(Net().parameters()), "no recurrent layer in the file: none of its 6 tensors"),
    "gates apart": (lambda: nn.ModuleDict({"W_xi": nn.Linear(3, 4), "W_hi": nn.Linear(4, 4)}).state_dict(),
                    "none of its 4 tensors is called weight_hh_l0"),
}  # fmt: skip


@pytest.mark.parametrize("kind", NONE)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_what_is_no_network_that_can_be_read_gets_a_sentence(kind: str) -> None:
    make, says = NONE[kind]
    with pytest.raises(ValueError, match=says):
        read_network(saved(make()))


def spectral(layer: nn.Module, name: str) -> nn.Module:
    return nn.utils.parametrizations.spectral_norm(layer, name, n_power_iterations=3)


def old_spectral(layer: nn.Module, name: str) -> nn.Module:
    return nn.utils.spectral_norm(layer, name)


def pruned(layer: nn.Module, name: str) -> nn.Module:
    return prune.l1_unstructured(layer, name, 0.4)


@pytest.mark.parametrize("change", [spectral, old_spectral, pruned])
@pytest.mark.parametrize("make", [nn.LSTM, nn.GRU, nn.LSTMCell])
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_weights_that_are_held_in_parts_are_worked_out_as_torch_does(change: Any, make: Any) -> None:
    torch.manual_seed(0)
    name = "weight_hh" if make is nn.LSTMCell else "weight_hh_l0"
    layer = change(make(3, 4), name)
    with torch.no_grad():
        layer(torch.randn(2, 3) if make is nn.LSTMCell else torch.randn(5, 2, 3))  # a step of the power iteration
    state = {key: value.clone() for key, value in layer.state_dict().items()}
    layer.eval()
    with torch.no_grad():
        layer(torch.randn(2, 3) if make is nn.LSTMCell else torch.randn(5, 2, 3))
        wanted = getattr(layer, name).clone()
    file = read_network(saved({f"net.{key}": value for key, value in state.items()}))
    np.testing.assert_allclose(file.stacks[0].parameters["weight_hh_l0"], wanted, atol=1e-6)
    assert any("worked out" in note or "pruned" in note for note in file.notes)
    assert not any("which torch’s layers do not have" in note for note in file.notes)


def test_dropped_weights_are_taken_whole() -> None:
    made = nn.LSTM(3, 4)
    state = {("weight_hh_l0_raw" if key == "weight_hh_l0" else key): value for key, value in made.state_dict().items()}
    file = read_network(saved(state))
    x = torch.randn(5, 2, 3)
    torch.testing.assert_close(file.module()(x), made(x), rtol=0, atol=1e-6)
    assert any("taken whole" in note for note in file.notes)


def test_another_parametrisation_is_named_with_what_helps() -> None:
    made = nn.utils.parametrizations.orthogonal(nn.RNN(3, 4), "weight_hh_l0")
    with pytest.raises(ValueError, match=r"weight_hh_l0 is worked out by .*remove_parametrizations, and save"):
        read_network(saved(made.state_dict()))


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("cell", [PEEPHOLE, GRU_RESET_BEFORE])
def test_a_cell_of_our_own_is_known_again(cell: Any, whole: bool) -> None:
    """Though a GRU that resets before the product has the names and shapes of torch's."""
    torch.manual_seed(0)
    net = nn.ModuleDict({"rnn": CellLayer(cell, 3, 4, 2), "head": nn.Linear(4, 1)})
    file = read_network(saved(net if whole else {"epoch": 3, "net": net.state_dict()}))
    x = torch.randn(5, 2, 3)
    with torch.no_grad():
        torch.testing.assert_close(file.module()(x)[0], net["rnn"](x)[0], rtol=0, atol=1e-6)
        torch.testing.assert_close(file.whole()(x), net["head"](net["rnn"](x)[0]), rtol=0, atol=1e-6)


@pytest.mark.parametrize("cell", ["GRU_RESET_BEFORE", "PEEPHOLE", "GRU", "LSTM", "RNN_RELU"])
def test_what_the_app_saves_is_known_again(cell: str) -> None:
    given_ = Experiment(cell, 3, 4, 2)
    file = read_network(to_safetensors(given_), answers={"nonlinearity": "relu"} if cell == "RNN_RELU" else None)
    x = torch.randn(5, 2, 3)
    with torch.no_grad():
        torch.testing.assert_close(file.whole()(x), seqviz.network(given_)(x), rtol=0, atol=1e-6)


ENDS = ("_orig", "_u", "_v", "_g", "_mask", "_raw")
SHAPES = st.sampled_from([(), (0,), (4,), (16,), (16, 4), (4, 16), (1, 4), (16, 1), (16, 4, 1)])
KINDS = st.sampled_from([torch.float32, torch.float64, torch.bool, torch.int64])


@given(st.dictionaries(st.sampled_from(ENDS), st.tuples(SHAPES, KINDS), min_size=1), st.booleans())
@settings(max_examples=150, deadline=None)
def test_parts_of_any_shapes_are_worked_out_or_refused_in_a_sentence(parts: dict[str, Any], zeros: bool) -> None:
    state = {"weight_ih_l0": torch.randn(16, 3), "bias_ih_l0": torch.randn(16), "bias_hh_l0": torch.randn(16)}
    for end, (shape, kind) in parts.items():
        state[f"weight_hh_l0{end}"] = (torch.zeros if zeros else torch.ones)(shape, dtype=kind)
    said: Any = Sentence("")
    try:
        assert read_network(saved(state)).stacks[0].parameters["weight_hh_l0"].shape == (16, 4)
    except ValueError as refusal:
        said = refusal.args[0]
    assert isinstance(said, Sentence)


def test_what_a_keras_model_would_run_is_never_looked_at() -> None:
    """Lambda layers and classes of one's own are names in a list; the layers beside them are read."""
    weights = io.BytesIO()
    with h5py.File(weights, "w") as made:
        for k, array in enumerate((np.ones((3, 8)), np.ones((2, 8)), np.ones(8))):
            made[f"layers/lstm/cell/vars/{k}"] = np.asarray(array, "<f4")
    code = {"class_name": "__lambda__", "config": {"code": "gASV", "defaults": None, "closure": None}}
    layers = [
        {"class_name": "Lambda", "module": "keras.layers", "config": {"name": "run", "function": code}},
        {"class_name": "Evil", "module": "os", "registered_name": "os.system", "config": {"name": "e", "command": "x"}},
        {"class_name": "LSTM", "module": "keras.layers", "config": {"name": "lstm", "units": 2}},
    ]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("config.json", json.dumps({"class_name": "Sequential", "config": {"layers": layers}}))
        made.writestr("model.weights.h5", weights.getvalue())
    file = read_network(archive.getvalue())
    assert [(stack.cell, stack.input_size, stack.hidden_size) for stack in file.stacks] == [("LSTM", 3, 2)]
