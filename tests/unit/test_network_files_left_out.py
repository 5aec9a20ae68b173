"""What a file holds beside its recurrent networks is named; what lies in several files is read together."""

from __future__ import annotations

import io
import json
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from foreign_files import model, node, read_here
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from safetensors.torch import save
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations

import seqviz
from seqviz import read_network
from seqviz.reading.networks import onnx_file

BESIDE = "Beside the recurrent networks and what reads them out, the file holds "


def saved(thing: Any) -> bytes:
    file = io.BytesIO()
    torch.save(thing, file)
    return file.getvalue()


def scripted(module: nn.Module) -> bytes:
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(module), file)
    return file.getvalue()


def beside(data: bytes) -> str:
    """What is said of the rest; empty where nothing is."""
    said = [str(note) for note in read_network(data).said if BESIDE in note]
    assert len(said) < 2
    return said[0].removeprefix(BESIDE).partition(";")[0] if said else ""


class Own(nn.Module):
    """Of a class that torch has not."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


LEAVES = [
    nn.GELU(), nn.Softplus(), nn.SiLU(), nn.PReLU(), nn.Softmax(-1), nn.LayerNorm(4), nn.BatchNorm1d(4), nn.Dropout(),
    nn.Embedding(9, 5), nn.Conv1d(4, 4, 1), nn.MultiheadAttention(4, 2), nn.Flatten(), nn.Bilinear(4, 4, 1), Own(),
]  # fmt: skip


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: type(leaf).__name__)
def test_every_other_layer_of_a_whole_module_is_named(leaf: nn.Module) -> None:
    net = nn.Sequential(nn.LSTM(3, 4), nn.ModuleDict({"in side": leaf}), nn.Identity())
    assert beside(saved(net)) == f"1.in side ({type(leaf).__name__})"
    assert beside(saved({"model": nn.DataParallel(net)})) == f"model.module.1.in side ({type(leaf).__name__})"


class Tagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.rnn = nn.Embedding(11, 3), nn.LSTM(3, 4)
        self.norm, self.act, self.head = nn.LayerNorm(4), nn.GELU(), nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.act(self.norm(self.rnn(self.embedding(x))[0])))


def test_what_is_carried_over_is_not() -> None:
    assert beside(saved(Tagger())) == "norm (LayerNorm), act (GELU)"
    assert beside(scripted(Tagger())) == "norm (LayerNorm), act (GELU)"
    assert beside(saved(Tagger().state_dict())) == "norm"
    assert beside(save(Tagger().state_dict())) == "norm"
    for plain in (nn.LSTM(3, 4), nn.Sequential(nn.GRU(3, 4)), nn.ModuleDict({"a": nn.LSTMCell(3, 4)})):
        assert not beside(saved(plain))
        assert not beside(saved(plain.state_dict()))
    parametrizations.weight_norm(normed := nn.LSTM(3, 4), "weight_hh_l0")
    assert not beside(saved(normed.state_dict()))
    many = nn.ModuleList([nn.LSTM(3, 4), *(nn.ReLU() for _ in range(20))])
    assert beside(saved(many)).count("ReLU") == 8
    assert beside(saved(many)).endswith(", …")


def test_functions_that_are_attributes_are_named() -> None:
    net: Any = nn.Sequential(nn.LSTM(3, 4))
    net.act, net.squash, net.kind = functional.gelu, torch.tanh, torch.float32
    assert beside(saved(net)) == "act (gelu), squash (tanh)"


@pytest.mark.parametrize("name", ["ln_ih.weight", "norm.0.weight", "p_i"])
def test_a_cell_with_more_in_it_is_doubted(name: str) -> None:
    layer = nn.LSTM(3, 4)
    state = {f"lstm.{key}": value for key, value in layer.state_dict().items()} | {f"lstm.{name}": torch.ones(16)}
    (note,) = [note for note in read_network(saved(state)).notes if "Beside the weights of lstm" in note]
    assert f"lies {name}" in note
    assert "another network than this" in note


def test_keys_of_any_kind_are_followed() -> None:
    layer = nn.LSTM(3, 4)
    for key in (7, 1.5, ("net", 2), b"net", None, frozenset({1})):
        file = read_network(saved({"epoch": 3, key: layer.state_dict()}))
        assert torch.equal(file.module(0).weight_hh_l0, layer.weight_hh_l0), key


@pytest.fixture
def parts(tmp_path: Path) -> tuple[Path, nn.Module]:
    """A network in two files, and the list of them."""
    layer = nn.LSTM(3, 4, 2)
    state = {f"net.{key}": value for key, value in layer.state_dict().items()}
    names = [f"model-0000{k}-of-00002.safetensors" for k in (1, 2)]
    for k, name in enumerate(names):
        (tmp_path / name).write_bytes(save({key: value for key, value in state.items() if f"_l{k}" in key}))
    listed = {key: names["_l1" in key] for key in state}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": listed}))
    return tmp_path, layer


def test_a_network_in_several_files_is_one(parts: tuple[Path, nn.Module]) -> None:
    folder, layer = parts
    files = sorted(folder.iterdir())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file in files:
            archive.writestr(f"my model/{file.name}", file.read_bytes())
    given: list[Any] = [*files, files, files[:2], packed.getvalue()]
    x = torch.randn(5, 1, 3)
    for each in given:
        file = read_network(each)
        (stack,) = file.stacks
        assert stack.num_layers == 2
        torch.testing.assert_close(file.module(stack)(x)[0], layer(x)[0], rtol=0, atol=1e-6)
        assert any("read together: model-00001-of-00002.safetensors" in note for note in file.notes)


def test_a_part_alone_is_no_network(parts: tuple[Path, nn.Module]) -> None:
    folder, _ = parts
    one, two, index = sorted(folder.iterdir())
    for data, name in ((one.read_bytes(), one.name), (index.read_bytes(), index.name)):
        with pytest.raises(
            ValueError, match=r"lies in several files, and model-0000\d-of-00002.safetensors is missing"
        ):
            read_network(data, name)
    two.unlink()
    with pytest.raises(ValueError, match=r"00002-of-00002\.safetensors is missing"):
        read_network(one)
    index.write_text(json.dumps({"weight_map": {"a": "../../secret.pt"}}))
    with pytest.raises(ValueError, match=r"\.\./\.\./secret\.pt is missing"):
        read_network(index)
    index.write_text(json.dumps({"weight_map": {str(k): f"{k}.pt" for k in range(99)}}))
    with pytest.raises(ValueError, match="more than 64 files"):
        read_network(index)
    for wrong in ('{"weight_map": 3}', '{"weight_map": {}}', '{"weight_map": ['):
        index.write_text(wrong)
        with pytest.raises(ValueError, match="This is JSON"):
            read_network(index)


def test_several_networks_are_not_one(tmp_path: Path) -> None:
    for name in ("a.pt", "b.pt"):
        (tmp_path / name).write_bytes(saved(nn.LSTM(3, 4).state_dict()))
    with pytest.raises(ValueError, match=r"Several networks were given, a\.pt, b\.pt"):
        read_network([tmp_path / "a.pt", tmp_path / "b.pt"])


def between(op: str, *values: str) -> Any:
    """An LSTM, what stands between, and another one, which takes what that gives."""
    first, some = node("LSTM", 4, 3, name="x", to="a")
    then, more = node("LSTM", 4, 4, name="z", to="y", seed=1)
    axis = numpy_helper.from_array(np.array([1]), "one")
    middle = [helper.make_node("Squeeze", ["a", "one"], ["s"]), helper.make_node(op, ["s", *values], ["z"])]
    return model([first, *middle, then], [*some, *more, axis], 3)


@pytest.mark.parametrize("op", ["Identity", "Relu", "Neg", "Add"])
def test_what_stands_between_two_layers_is_said(op: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_file, "read_apart", read_here)
    made = between(op, *(["s"] if op == "Add" else []))
    file = read_network(made.SerializeToString(), "net.onnx")
    notes = [note for note in file.notes if "not computed here: give it that" in note]
    if op == "Identity":
        x = np.random.default_rng(0).normal(size=(6, 2, 3)).astype("f4")
        wanted = ReferenceEvaluator(made).run(None, {"x": x})[0][:, 0]
        np.testing.assert_allclose(file.whole(-1 % len(file.stacks))(torch.from_numpy(x)).detach(), wanted, atol=1e-6)
        assert not notes
    else:
        assert [stack.fed_by for stack in file.stacks] == ["", ""]
        assert [f"takes what {op} gives" in note for note in notes] == [True]


class Pair(nn.Module):
    pass


def wrong_inputs() -> dict[str, Any]:
    x = torch.randn(5, 2, 3)
    return {
        "an array of numpy": (x.numpy(), "must be a torch tensor"),
        "a list": ([[1.0]], "must be a torch tensor"),
        "nothing": (None, "must be a torch tensor"),
        "a wrong width": (torch.randn(5, 2, 4), "4 features"),
        "one dimension": (x[0, 0], "3 dimensions"),
        "four dimensions": (x[None], "3 dimensions"),
        "a number": (torch.tensor(1.0), "3 dimensions"),
        "whole numbers": (x.long(), "int64"),
        "float64": (x.double(), "float64"),
        "half precision": (x.half(), "float16"),
        "no step": (x[:0], "empty"),
        "no batch": (x[:, :0], "empty"),
        "a sparse tensor": (x.to_sparse(), "sparse"),
        "numbers nowhere": (x.to("meta"), "on meta"),
    }


CELLS = {
    "LSTM": nn.LSTM(3, 4), "GRU": nn.GRU(3, 4, batch_first=True), "RNN": nn.RNN(3, 4, bidirectional=True),
    "projection": nn.LSTM(3, 4, 2, proj_size=2),
}  # fmt: skip


@pytest.mark.parametrize("kind", [*CELLS, "before", "both before"])
def test_a_layer_out_of_a_file_says_what_it_cannot_take(kind: str) -> None:
    layer = CELLS.get(kind) or nn.GRU(3, 4, bidirectional=kind == "both before")
    data = saved(layer.state_dict())
    if kind in CELLS:
        file = read_network(data)
    else:
        onnx, tensors = node("GRU", 4, 3, ways=2 if "both" in kind else 1, name="x", to="y",
                             direction="bidirectional" if "both" in kind else "forward")  # fmt: skip
        file = read_network(model([onnx], tensors, 3).SerializeToString(), "net.onnx")
    module, network = file.module(0), file.whole(0)
    for what, (given, says) in wrong_inputs().items():
        for call in (module, network, partial(file.fed, 0)):
            with pytest.raises(ValueError, match=says) as caught:
                call(given)
            assert "\n" not in str(caught.value), what
    x = torch.randn(5, 2, 3)
    assert network(x).shape[:2] == (5, 2)
    np.testing.assert_allclose(network(x[:, 0]).detach(), network(x[:, :1]).detach()[:, 0], atol=1e-6)
    for state in (torch.zeros(9, 9, 9), torch.zeros(1), 3, (torch.zeros(1),) * 5):
        with pytest.raises(ValueError, match=r"h_0|state"):
            module(x, state)
    assert module(x.requires_grad_())[0].requires_grad
    assert module(x.transpose(0, 1).contiguous().transpose(0, 1))[0].isfinite().all()


def test_a_layer_out_of_a_file_is_torchs_own_otherwise() -> None:
    layer = nn.LSTM(3, 4)
    module: Any = read_network(saved(layer.state_dict())).module(0)
    x = torch.randn(6, 2, 3)
    packed = nn.utils.rnn.pack_padded_sequence(x, torch.tensor([6, 3]))
    torch.testing.assert_close(module(packed)[0].data, layer(packed)[0].data, rtol=0, atol=1e-6)
    torch.testing.assert_close(module.half()(x.half())[0], layer.half()(x.half())[0])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert module.float()(x.bfloat16())[0].dtype == torch.bfloat16
    assert seqviz.capture(module, x) == seqviz.capture(layer.float(), x)
