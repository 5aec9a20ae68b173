"""Files of trained networks as torch and safetensors write them, against torch's own layers; and hostile ones."""

from __future__ import annotations

import copy
import io
import os
import pickle
import pickletools
import re
import struct
import time
import weakref
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import seqviz
from seqviz import read_network
from seqviz.language import Sentence

TYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32, "float64": torch.float64}


def saved(thing: Any, **how: Any) -> bytes:
    file = io.BytesIO()
    torch.save(thing, file, **how)
    return file.getvalue()


def scripted(module: nn.Module) -> bytes:
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(module), file)
    return file.getvalue()


def tensors(state: dict[str, torch.Tensor]) -> bytes:
    return safetensors.torch.save({name: value.contiguous() for name, value in state.items()})


class Tagger(nn.Module):
    def __init__(self, layer: nn.Module, width: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(7, 3)
        self.encoder = nn.Sequential(layer)
        self.head = nn.Linear(width, 2)
        self.register_buffer("steps", torch.tensor(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.encoder(x)[0]


def checkpoint(model: nn.Module) -> dict[str, Any]:
    optimiser = torch.optim.Adam(model.parameters())
    sum(p.float().sum() for p in model.parameters()).backward()
    optimiser.step()
    return {"epoch": 3, "model_state_dict": model.state_dict(), "optimizer_states": [optimiser.state_dict()],
            "hyper_parameters": {"lr": 1e-3, "betas": (0.9, 0.999)}, "best": [0.5, None]}  # fmt: skip


KINDS: dict[str, tuple[Callable[[nn.Module], bytes], str]] = {
    "state dict": (lambda model: saved(model.state_dict()), "encoder.0"),
    "safetensors": (lambda model: tensors(model.state_dict()), "encoder.0"),
    "checkpoint": (lambda model: saved(checkpoint(model)), "model_state_dict.encoder.0"),
    "prefixed": (
        lambda model: saved({f"module._orig_mod.{k}": v for k, v in model.state_dict().items()}),
        "module._orig_mod.encoder.0",
    ),
    "whole module": (lambda model: saved(model), "encoder.0"),
    "inside a dict": (lambda model: saved({"net": model, "opt": None}), "net.encoder.0"),
    "TorchScript": (scripted, "encoder.0"),
    "protocol 4": (lambda model: saved(model, pickle_protocol=4), "encoder.0"),
}

SIZES = st.integers(1, 5)


@st.composite
def layers(draw: st.DrawFn) -> nn.RNNBase:
    make = draw(st.sampled_from([nn.LSTM, nn.GRU, nn.RNN]))
    hidden = draw(SIZES)
    options: dict[str, Any] = {name: draw(st.booleans()) for name in ("bias", "batch_first", "bidirectional")}
    if make is nn.LSTM and hidden > 1 and draw(st.booleans()):
        options["proj_size"] = draw(st.integers(1, hidden - 1))
    if make is nn.RNN:
        options["nonlinearity"] = draw(st.sampled_from(["tanh", "relu"]))
    torch.manual_seed(draw(st.integers(0, 99)))
    return make(draw(SIZES), hidden, draw(st.integers(1, 3)), **options).eval()


@given(layers(), st.sampled_from(sorted(KINDS)), st.sampled_from(sorted(TYPES)))
@settings(max_examples=120, deadline=None)
def test_every_layer_in_every_kind_of_file_gives_torchs_output(layer: nn.RNNBase, kind: str, dtype: str) -> None:
    write, name = KINDS[kind]
    out = (2 if layer.bidirectional else 1) * (layer.proj_size or layer.hidden_size)
    layer = layer.to(TYPES[dtype])
    file = read_network(write(Tagger(layer, out).to(TYPES[dtype]).eval()))
    (stack,) = file.stacks
    assert stack.name == name
    assert (stack.cell, stack.dtype) == (type(layer).__name__, dtype)
    gates = {"LSTM": "ifgo", "GRU": "rzn", "RNN": "h"}[stack.cell]
    assert stack.rows == {g: range(k * layer.hidden_size, (k + 1) * layer.hidden_size) for k, g in enumerate(gates)}
    for each in ("input_size", "hidden_size", "num_layers", "bidirectional", "proj_size", "bias"):
        assert getattr(stack, each) == getattr(layer, each), each
    whole = kind in ("whole module", "inside a dict", "protocol 4")
    answers: dict[str, Any] = {} if whole else {"batch_first": layer.batch_first}
    if isinstance(layer, nn.RNN) and not whole:
        answers["nonlinearity"] = layer.nonlinearity
    assert {q.name for q in stack.asked} == set(answers)
    module = file.module(stack, **answers)
    layer = layer.float()
    x = torch.randn(4, 3, layer.input_size)
    torch.testing.assert_close(module(x), layer(x), rtol=0, atol=1e-6)
    assert type(module) is type(layer)
    assert not module.training
    assert all(p.dtype == torch.float32 for p in module.parameters())
    assert any("was run" in note for note in file.notes) == (whole or kind == "TorchScript")
    assert ("optimiser" in " ".join(file.notes)) == (kind == "checkpoint")


@pytest.mark.parametrize("cell", [nn.LSTMCell, nn.GRUCell, nn.RNNCell])
@pytest.mark.parametrize("whole", [False, True])
def test_a_cell_is_read_as_a_layer(cell: type, whole: bool) -> None:
    made = cell(3, 4)
    file = read_network(saved(made if whole else made.state_dict()))
    x = torch.randn(5, 2, 3)
    state: Any = None
    for step in x:
        state = made(step, state)
    last = state[0] if isinstance(state, tuple) else state
    torch.testing.assert_close(file.module()(x)[0][-1], last, rtol=0, atol=1e-6)
    assert any("single step" in note for note in file.notes)
    assert [q.name for q in file.stacks[0].asked] == (["nonlinearity"] if cell is nn.RNNCell and not whole else [])


@pytest.mark.parametrize("new", [False, True])
@pytest.mark.parametrize("dim", [0, 1, None])
@pytest.mark.filterwarnings("ignore:.*weight_norm.*")
def test_weight_normalisation_is_worked_out(new: bool, dim: int | None) -> None:
    norm = nn.utils.parametrizations.weight_norm if new else nn.utils.weight_norm
    made = nn.GRU(3, 4)
    x, expected = torch.randn(5, 1, 3), made.state_dict()
    expected = {name: value.clone() for name, value in expected.items()}
    file = read_network(saved(norm(made, "weight_hh_l0", dim).state_dict()))
    plain = nn.GRU(3, 4)
    plain.load_state_dict(expected)
    torch.testing.assert_close(file.module()(x), plain(x), rtol=0, atol=1e-6)
    assert any("normalisation" in note for note in file.notes)


def test_views_of_shared_storage_are_read_where_they_lie() -> None:
    made = nn.LSTM(3, 4)
    flat = torch.cat([p.detach().reshape(-1) for p in made.parameters()])
    state, start = {}, 0
    for name, p in made.named_parameters():
        state[name] = flat[start : start + p.numel()].view(p.shape)
        start += p.numel()
    wide = torch.randn(4, 16)
    state["weight_hh_l0"] = wide.t()
    every = torch.randn(32, 6)
    state["weight_ih_l0"] = every[::2, ::2]
    module = read_network(saved(state)).module()
    torch.testing.assert_close(dict(module.named_parameters())["weight_hh_l0"].detach(), wide.t(), rtol=0, atol=0)
    torch.testing.assert_close(
        dict(module.named_parameters())["weight_ih_l0"].detach(), every[::2, ::2], rtol=0, atol=0
    )
    torch.testing.assert_close(module.bias_hh_l0, made.bias_hh_l0, rtol=0, atol=0)


def test_several_stacks_are_told_apart() -> None:
    model = nn.ModuleDict({"encoder": nn.LSTM(3, 4, 2), "decoder": nn.GRU(4, 5), "cell": nn.RNNCell(2, 3)})
    file = read_network(saved(model.state_dict()))
    assert [(s.name, s.cell, s.num_layers) for s in file.stacks] == [
        ("encoder", "LSTM", 2), ("decoder", "GRU", 1), ("cell", "RNN", 1)]  # fmt: skip
    assert isinstance(file.module("decoder"), nn.GRU)
    assert isinstance(file.module(2), nn.RNN)
    with pytest.raises(ValueError, match="no network 'coder' in the file; there are encoder, decoder, cell"):
        file.module("coder")


@pytest.mark.parametrize("make", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("head", [True, False])
def test_as_an_experiment_it_gives_the_same_states(make: type, head: bool) -> None:
    model = nn.ModuleDict({"rnn": make(3, 4, 2)} | ({"fc": nn.Linear(4, 2)} if head else {}))
    file = read_network(saved({"state_dict": model.state_dict()}))
    x = torch.randn(6, 1, 3)
    experiment = file.experiment().changed(sequence=seqviz.Sequence.of_values(x[:, 0].numpy()))
    trace = seqviz.run(experiment)
    with torch.no_grad():
        h = model["rnn"](x)[0]
        y = model["fc"](h) if head else torch.zeros(6, 1, 1)
    np.testing.assert_allclose(trace["l1.h"], h, atol=1e-6)
    np.testing.assert_allclose(trace["y"], y, atol=1e-6)
    assert any("readout" in note for note in file.notes) == head


@pytest.mark.parametrize(
    ("layer", "says"),
    [
        (nn.LSTM(2, 3, bidirectional=True), "backwards"),
        (nn.LSTM(2, 3, proj_size=1), "projection"),
        (nn.GRU(2, 300), "300 units"),
        (nn.GRU(2, 3, 5), "5 layers"),
    ],
)
def test_what_no_experiment_holds_is_said(layer: nn.Module, says: str) -> None:
    file = read_network(saved(layer.state_dict()))
    with pytest.raises(ValueError, match=says):
        file.experiment()


COPIES: dict[str, Callable[[nn.Module], nn.Module]] = {
    "itself": lambda module: module,
    "scripted": torch.jit.script,
    "scripted and saved": lambda module: torch.jit.load(io.BytesIO(scripted(module))),
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "pickle": lambda module: pickle.loads(pickle.dumps(module)),
    "torch.save": lambda module: torch.load(io.BytesIO(saved(module)), weights_only=False),
    "frozen": lambda module: torch.jit.freeze(torch.jit.script(module)),
    "traced": lambda module: torch.jit.trace(module, torch.randn(4, 2, 3), check_trace=False),
    "train and eval": lambda module: module.train().eval(),
}


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_what_is_read_can_be_copied_saved_and_scripted_as_torchs_own(way: str) -> None:
    torch.manual_seed(0)
    own = nn.ModuleDict({"rnn": nn.LSTM(3, 4, bidirectional=True), "head": nn.Linear(8, 2)}).eval()
    file, x = read_network(saved(own.state_dict())), torch.randn(5, 2, 3)
    layer = COPIES[way](
        nn.Sequential(file.module()).eval()
    )  # torch scripts a layer of its own within another module alone
    with torch.no_grad():
        torch.testing.assert_close(layer(x), own["rnn"](x), rtol=0, atol=1e-6)
        torch.testing.assert_close(COPIES[way](file.whole())(x), own["head"](own["rnn"](x)[0]), rtol=0, atol=1e-6)
        if way not in ("frozen", "traced"):  # whose numbers are a part of the program
            torch.testing.assert_close(layer.double()(x.double()), own.double()["rnn"](x.double()))


def test_what_is_read_is_saved_without_a_word_of_ours() -> None:
    """So that it opens where this package is not; and it goes when nobody holds it."""
    module = read_network(saved(nn.GRU(2, 3).state_dict())).module()
    assert list(module.state_dict()) == list(nn.GRU(2, 3).state_dict())
    assert b"seqviz" not in pickle.dumps(module)
    torch.testing.assert_close(copy.deepcopy(module)(torch.ones(4, 1, 2)), module(torch.ones(4, 1, 2)))
    with pytest.raises(ValueError, match=r"The input has .* the layer takes 2"):
        module(torch.ones(4, 1, 5))
    gone = weakref.ref(module)
    del module
    assert gone() is None


NEXT = nn.ModuleDict({"l10": nn.LSTMCell(4, 4), "l9": nn.LSTMCell(3, 4), "l12": nn.LSTMCell(4, 4)})


@pytest.mark.parametrize(
    ("net", "rows"),
    [
        (nn.ModuleList([nn.LSTMCell(3, 4), nn.LSTMCell(4, 5), nn.LSTMCell(5, 2)]), ["0, 1, 2"]),
        (nn.ModuleDict({"gru1": nn.GRU(3, 4, bidirectional=True), "gru2": nn.GRU(8, 2)}), ["gru1, gru2"]),
        (nn.ModuleDict({"lstm1": nn.LSTM(3, 4, proj_size=2), "lstm2": nn.LSTM(2, 2)}), ["lstm1, lstm2"]),
        (NEXT, ["l9, l10"]),
        (nn.ModuleDict({"gru1": nn.GRU(3, 4), "gru2": nn.GRU(3, 4)}), []),
        (nn.ModuleDict({"encoder": nn.GRU(3, 4), "decoder": nn.GRU(4, 4)}), []),
    ],
)
def test_networks_that_may_be_layers_of_one_are_said(net: nn.Module, rows: list[str]) -> None:
    notes = [note for note in read_network(saved(net.state_dict())).said if "layers of one network" in note]
    assert [note.partition(" may be layers")[0] for note in notes] == rows


def test_answers_are_checked_and_nothing_is_drawn() -> None:
    file = read_network(saved(nn.RNN(2, 3).state_dict()))
    for answers in ({"nonlinearity": "selu"}, {"batch_first": "yes"}, {"hidden_size": 3}):
        with pytest.raises(ValueError, match="is no answer here; there are batch_first: False, True; nonlinearity"):
            file.module(**answers)
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    assert file.module(nonlinearity="relu").nonlinearity == "relu"
    assert torch.rand(1) == expected


def test_it_is_opened_by_its_path_and_by_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "odd name.bin"
    path.write_bytes(tensors(nn.GRU(2, 3).state_dict()))
    assert read_network(path).name == read_network(str(path)).name == "odd name.bin"
    assert read_network(path.read_bytes(), "mine").name == "mine"
    with pytest.raises(ValueError, match="no file of the name"):
        read_network("a\0.pt")
    with pytest.raises(ValueError, match="as a path or as the bytes of a file, not int"):
        read_network(3)  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError):
        read_network(tmp_path / "none.pt")


def test_missing_and_further_parameters_are_said() -> None:
    state = dict(nn.LSTM(2, 3).state_dict())
    del state["bias_hh_l0"]
    file = read_network(saved({f"rnn.{k}": v for k, v in state.items()} | {"rnn.peephole": torch.ones(3)}))
    assert any("bias_hh_l0 is missing; zeros" in note for note in file.notes)
    assert any("peephole" in note and "another network" in note for note in file.notes)
    assert not file.module().bias_hh_l0.any()


def broken(**changes: Any) -> bytes:
    state = {name: value.clone() for name, value in nn.GRU(2, 3, 2).state_dict().items()}
    for name, value in changes.items():
        if value is None:
            del state[name]
        else:
            state[name] = value
    return saved(state)


def archive_of(entries: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name, content in entries.items():
            made.writestr(name, content)
    return file.getvalue()


NAN = torch.full((9, 3), float("nan"))
WRONG: dict[str, tuple[bytes, str]] = {
    "no weight": (broken(weight_ih_l1=None), "weight_ih_l1 is missing"),
    "shape": (broken(weight_ih_l1=torch.ones(9, 4)), r"weight_ih_l1 must have the shape \(9, 3\), not \(9, 4\)"),
    "square": (broken(weight_hh_l0=torch.ones(5, 3)), "5 rows and 3 columns"),
    "transposed": (broken(weight_hh_l0=torch.ones(3, 9)), "3 rows and 9 columns"),
    "one dimension": (broken(weight_hh_l0=torch.ones(9)), "9 rows and 0 columns"),
    "no dimension": (broken(weight_hh_l0=torch.tensor(1.0)), "0 rows and 0 columns"),
    "NaN": (broken(weight_hh_l0=NAN), "weight_hh_l0 hold NaN or infinity"),
    "infinity": (broken(bias_hh_l1=torch.full((9,), torch.inf)), "bias_hh_l1 hold NaN or infinity"),
    "beyond float32": (broken(bias_hh_l1=torch.full((9,), 1e300, dtype=torch.float64)), "NaN or infinity"),
    "whole numbers": (broken(weight_hh_l0=torch.ones(9, 3, dtype=torch.int8)), "holds int8"),
    "complex": (broken(weight_hh_l0=torch.ones(9, 3, dtype=torch.complex64)), "holds complex64"),
    "meta": (broken(weight_hh_l0=torch.ones(9, 3, device="meta")), "weight_hh_l0 holds meta"),
    "sparse": (broken(weight_hh_l0=torch.ones(9, 3).to_sparse()), "weight_hh_l0 holds sparse"),
    "quantised": (
        broken(weight_ih_l0=torch.quantize_per_tensor(torch.ones(9, 2), 0.1, 0, torch.qint8)),
        "weight_ih_l0 holds quantised",
    ),
    "float8": (broken(weight_hh_l0=torch.ones(9, 3).to(torch.float8_e4m3fn)), "weight_hh_l0 holds float8_e4m3fn"),
    "no first layer": (broken(weight_hh_l0=None), "weight_hh_l0 is missing"),
    "many networks": (
        saved({f"{k}.{name}": value for k in range(200) for name, value in nn.RNN(1, 1).state_dict().items()}),
        "more than 128 recurrent networks",
    ),
    "expanded": (broken(weight_hh_l0=torch.ones(1, 1).expand(9, 3)), "beyond the numbers"),
    "far layer": (broken(weight_hh_l900=torch.ones(9, 3)), "numbered up to 900; at most 64"),
    "before 1.6": (saved({"a": torch.ones(2)}, _use_new_zipfile_serialization=False), "there is a"),
    "a pickle": (pickle.dumps({"a": 1}), "holds no weights"),
    "no weights": (saved({"a": 1}), "holds no weights"),
    "no recurrent": (saved(nn.Linear(2, 3).state_dict()), "none of its 2 tensors .* weight, bias"),
    "one tensor": (saved({"weight": torch.ones(2)}), "there is weight"),
    "empty": (b"", "an empty file"),
    "git-lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "git lfs pull"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(40), "cut short or changed"),
    "page": (b"<!DOCTYPE html><html></html>", "web page"),
    "gzip": (b"\x1f\x8b\x08" + bytes(40), "gzip"),
    "table": (b"a,b\n1,2\n", "a table; it is data for a network, not a network"),
    "text": (b"Dear all,\nno table\n", "of no kind that is known .* .keras, .h5 and .onnx"),
    "scikit-learn": (pickle.dumps({"sklearn.linear_model": 1}), "scikit-learn, which has no recurrent layer"),
    "joblib": (zlib.compress(pickle.dumps({"a": 1})), "scikit-learn has no recurrent layer"),
    "TensorFlow Lite": (b"\x1c\0\0\0TFL3" + bytes(40), "made from"),
    "SavedModel": (archive_of({"m/saved_model.pb": b"1", "m/variables/variables.index": b"2"}), "load it in Keras"),
    "transformer": (saved(nn.TransformerEncoderLayer(4, 2, 4).state_dict()), "a transformer: it has attention"),
    "TorchScript of another kind": (scripted(nn.Linear(2, 3)), "none of its 2 tensors"),
    "cut": (saved(nn.GRU(2, 3).state_dict())[:-30], "cut short"),
    "a repository": (archive_of({"repo/": b"", "repo/README.md": b"1", "repo/net.py": b"2"}),
                     r"without a network in it; it holds repo/README\.md, repo/net\.py\. Bring"),
    "an empty archive": (archive_of({}), "zip archive"),
    "convolutions": (saved(nn.Conv2d(2, 3, 3).state_dict()), "a convolutional network"),
    "pictures as gates": (saved({"cell_list.0.conv.weight": torch.ones(8, 5, 3, 3)}), "a ConvLSTM"),
    "flat": (saved({"_fsdp_wrapped_module._flat_param": torch.ones(9)}), "FULL_STATE_DICT"),
    "not there": (b"404: Not Found", "a message of a server"),
    "no login": (b"Invalid username or password.\n", "download it again, perhaps after a login"),
    "MATLAB": (b"MATLAB 5.0 MAT-file, Platform: GLNXA64" + bytes(90), "exportONNXNetwork"),
    "Flax's SimpleCell": (saved({"params.SimpleCell_0.h.kernel": torch.ones(4, 4)}), "as Flax or Haiku"),
    "Haiku": (saved({"lstm/linear.w": torch.ones(7, 16), "lstm/linear.b": torch.ones(16)}), "as Flax or Haiku"),
    "msgpack": (b"\x81\xa6params\x81\xaaLSTMCell_0\x80", r"msgpack_restore and save it with safetensors\.flax"),
    "Python 2": (pickle.dumps({"a": 1}, 0), "protocol=2|of no kind"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_is_said(kind: str) -> None:
    data, says = WRONG[kind]
    with pytest.raises(ValueError, match=says) as refusal:
        read_network(data)
    assert isinstance(refusal.value.args[0], Sentence)
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("saved_model.pb", "a part of what TensorFlow saves; load it in Keras"),
        ("net.onnx.data", r"bring the \.onnx file that it belongs to, and this one with it"),
        ("series.csv", "a table; it is data"),
        ("net.tflite", "TensorFlow Lite; bring the"),
        ("net.mlmodel", "Core ML; bring the"),
        ("flax_model.msgpack", r"what Flax packs \(msgpack\)"),
        ("net.py", "the code of a network, not its weights"),
    ],
)
def test_some_are_known_by_their_names(name: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_network(b"\x0a\x1c numbers" + bytes(range(200)), name)


def test_a_part_that_cannot_be_read_does_not_take_the_rest_along() -> None:
    state = {f"good.{k}": v for k, v in nn.GRU(2, 3).state_dict().items()}
    state |= {f"bad.{k}": v for k, v in nn.GRU(2, 3).state_dict().items()} | {"bad.weight_hh_l0": NAN}
    file = read_network(saved(state))
    assert [stack.name for stack in file.stacks] == ["good"]
    assert any("bad.weight_hh_l0 hold NaN" in note for note in file.notes)


def archive(data: bytes, more: dict[str, bytes] | None = None, how: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as made:
        made.writestr("m/data.pkl", data)
        for name, content in (more or {}).items():
            made.writestr(f"m/{name}", content)
    return file.getvalue()


def described(size: tuple, stride: tuple, offset: Any = 0, kind: str = "FloatStorage", numel: int = 4) -> bytes:
    """The pickle of a dict with a tensor of four numbers as both weights of an nn.RNN."""
    inner = b"((X\x07\0\0\0storagectorch\n" + kind.encode() + b"\nX\x01\0\0\x000X\x03\0\0\0cpu"
    inner += pickle.dumps(numel, 2)[2:-1] + b"tQ"
    rest = b"".join(pickle.dumps(each, 2)[2:-1] for each in (offset, size, stride, False))
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n" + inner + rest + b"}tR"
    entries = (b"X\x0c\0\0\0" + name + tensor + b"s" for name in (b"weight_ih_l0", b"weight_hh_l0"))
    return b"\x80\x02}" + b"".join(entries) + b"."


class Runs:
    def __reduce__(self) -> tuple:
        return os.system, ("touch /tmp/seqviz-was-run",)


def doubled(levels: int) -> bytes:
    """A list that holds a list twice, which holds a list twice, and so on."""
    return b"\x80\x02]q\0" + b"".join(b"]h%cah%caq%c" % (k, k, k + 1) for k in range(levels)) + b"."


NUMBERS = {"data/0": np.ones(4, "<f4").tobytes()}
BOMBS: dict[str, bytes] = {
    "runs": archive(pickle.dumps(Runs(), 2)),
    "runs inside": archive(pickle.dumps({"weight_hh_l0": Runs()}, 2)),
    "bytearray": archive(b"\x80\x02c__builtin__\nbytearray\nJ\x00\x94\x35\x77\x85R."),
    "bytearray8": archive(b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"."),
    "long text": archive(b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b"."),
    "memo": archive(b"\x80\x02Nr\xff\xff\xff\xff."),
    "marks": archive(b"\x80\x02" + b"(" * 490_000 + b"."),
    "too many opcodes": archive(b"\x80\x02" + b"N0" * 2_000_000 + b"N."),
    "too long": archive(b"\x80\x02" + b"U\xff" + bytes(255) + b"0" * 2**24 + b"N."),
    "lists of lists": archive(doubled(60)),
    "tuples as a key": archive(b"\x80\x02}K\x01" + b"2\x86" * 60 + b"K\x01s."),
    "nested": archive(b"\x80\x02" + b"}X\x01\0\0\0a" * 5000 + b"N" + b"s" * 5000 + b"."),
    "nested tuples": archive(b"\x80\x02N" + b"\x85" * 490_000 + b"."),
    "digits": archive(b"\x80\x02L" + b"9" * 2**20 + b"L\n."),
    "stack underflow": archive(b"\x80\x020."),
    "extension": archive(b"\x80\x02\x82\x01."),
    "colliding keys": archive(
        b"\x80\x02}(" + b"".join(pickle.dumps(k * (2**61 - 1), 2)[2:-1] + b"N" for k in range(90_000)) + b"u."
    ),
    "deflated": archive(described((2, 2), (2, 1)), {"data/0": bytes(2**26)}, zipfile.ZIP_DEFLATED),
    "stride of zero": archive(described((10**6, 10**6), (0, 0)), NUMBERS),
    "beyond": archive(described((2, 2), (2, 2)), NUMBERS),
    "offset": archive(described((2, 2), (2, 1), 2), NUMBERS),
    "negative": archive(described((2, 2), (2, 1), -1), NUMBERS),
    "negative stride": archive(described((2, 2), (-2, 1), 3), NUMBERS),
    "huge sizes": archive(described((2**62, 2**62, 2**62), (0, 0, 0)), NUMBERS),
    "many tensors": saved({f"{k}": torch.zeros(0) for k in range(21_000)}),
    "many networks": tensors({f"{k}.weight_hh_l0": torch.zeros(1, 1) for k in range(19_000)}),
    "long names": archive(b"\x80\x02" + (b"}X\xfa\0\0\0" + b"a" * 250) * 60 + b"N" + b"s" * 60 + b"."),
    "a list of one": archive(b"\x80\x02](X\x01\0\0\0a]q\1" + b"h\1" * 450_000 + b"e."),
    "no storage": archive(described((2, 2), (2, 1))),
    "sizes as text": archive(described(("a", "b"), (2, 1)), NUMBERS),  # type: ignore[arg-type]
    "many entries": archive(b"\x80\x02N.", {f"data/{k}": b"" for k in range(60_000)}),
    "two lists": archive(b"\x80\x02N.", {"x/data.pkl": b"\x80\x02N."}),
    "header": struct.pack("<Q", 2**31) + b"{" + bytes(40),
    "brackets": struct.pack("<Q", 10**6) + b'{"a":' + b"[" * 10**6,
    "not a dict": struct.pack("<Q", 9) + b'{"a": []}',
    "off the end": struct.pack("<Q", 67) + b'{"weight_hh_l0":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}} ',
    "true as a size": struct.pack("<Q", 67) + b'{"weight_hh_l0":{"dtype":"F32","shape":[true],"data_offsets":[0,4]}}',
}  # fmt: skip


@pytest.mark.parametrize("kind", BOMBS)
def test_a_hostile_file_ends_in_a_sentence_and_runs_nothing(kind: str) -> None:
    mark = Path("/tmp/seqviz-was-run")
    mark.unlink(missing_ok=True)
    data = BOMBS[kind]
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the largest so far is forgotten
    before, begun = memory("VmHWM"), time.process_time()
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 any sentence, as long as it is one
        read_network(data)
    assert time.process_time() - begun < 2
    assert memory("VmHWM") - before < 400 * 2**10
    assert isinstance(refusal.value.args[0], Sentence)
    assert len(str(refusal.value)) < 400
    assert not mark.exists()


def memory(what: str) -> int:
    """KiB of this process."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.findall(rf"{what}:\s*(\d+) kB", status)[0])


@pytest.mark.parametrize("kind", ["beyond", "offset", "no storage"])
def test_a_tensor_that_is_not_all_in_the_file_is_never_read(kind: str) -> None:
    with pytest.raises(ValueError, match=r"reaches beyond the numbers|names m/data/0, which is not in it"):
        read_network(BOMBS[kind])
    assert read_network(archive(described((2, 2), (2, 1)), NUMBERS)).stacks[0].cell == "RNN"


def test_the_bombs_are_what_they_say() -> None:
    """Whole pickles, which are not refused for being cut short."""
    for kind in ("runs", "bytearray", "marks", "lists of lists", "tuples as a key", "nested", "colliding keys"):
        with zipfile.ZipFile(io.BytesIO(BOMBS[kind])) as made:
            assert sum(1 for _ in pickletools.genops(made.read("m/data.pkl"))) > 3, kind


def test_overlapping_tensors_of_safetensors_are_refused() -> None:
    entry = '"{}":{{"dtype":"F32","shape":[3,1],"data_offsets":[0,12]}}'
    head = ("{" + ",".join(entry.format(name) for name in ("weight_hh_l0", "weight_ih_l0")) + "}").encode()
    with pytest.raises(ValueError, match="lie on the same bytes"):
        read_network(struct.pack("<Q", len(head)) + head + np.ones(3, "<f4").tobytes())


WHOLE = (saved(nn.LSTM(2, 3).state_dict()), tensors(nn.GRU(2, 3).state_dict()), scripted(nn.GRU(2, 3)),
         saved(Tagger(nn.LSTM(2, 3), 3)), saved(nn.LSTM(2, 3), _use_new_zipfile_serialization=False),
         pickle.dumps(nn.GRU(2, 3).state_dict()))  # fmt: skip


@given(st.sampled_from(WHOLE), st.data())
@settings(max_examples=300, deadline=None)
def test_a_damaged_file_is_read_or_refused_in_one_sentence(whole: bytes, data: st.DataObject) -> None:
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(0, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    for each in (bytes(damaged), bytes(damaged[: data.draw(st.integers(0, len(damaged)))])):
        said, module = None, nn.Module()
        try:
            module = read_network(each).module()
        except ValueError as refusal:
            said = refusal.args[0]
        assert said is None or isinstance(said, Sentence), said
        assert all(p.isfinite().all() for p in module.parameters())


def test_a_changed_weight_does_not_go_unnoticed() -> None:
    layer = nn.LSTM(2, 3)
    data = saved(layer.state_dict())
    at = data.index(layer.weight_hh_l0.detach().numpy().tobytes())
    with pytest.raises(ValueError, match="checksum"):
        read_network(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])


def test_big_endian_files_are_read_as_such() -> None:
    layer = nn.GRU(2, 3)
    with zipfile.ZipFile(io.BytesIO(saved(layer.state_dict()))) as old:
        entries = {info.filename: old.read(info) for info in old.infolist()}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as new:
        for name, content in entries.items():
            swapped = np.frombuffer(content, "<f4").astype(">f4").tobytes() if "/data/" in name else content
            new.writestr(name, b"big" if name.endswith("/byteorder") else swapped)
    x = torch.randn(4, 1, 2)
    torch.testing.assert_close(read_network(file.getvalue()).module()(x), layer(x), rtol=0, atol=1e-6)
