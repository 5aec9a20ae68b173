"""ONNX: torch's two exporters, onnx's own node tests and reference evaluator; and what cannot be read."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from foreign_files import GATES, model, node, output, read_here
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper
from onnx.backend.test.case import node as cases
from onnx.backend.test.case.node import gru, lstm, rnn  # noqa: F401  they add to the list of cases
from onnx.reference import ReferenceEvaluator
from torch import nn

import seqviz
from seqviz import read_network
from seqviz.language import Sentence
from seqviz.reading.networks import onnx_file

SIZES = st.integers(1, 5)


@pytest.fixture(autouse=True)
def here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "apart" not in request.node.name:
        monkeypatch.setattr(onnx_file, "read_apart", read_here)


def exported(module: nn.Module, x: torch.Tensor, **how: Any) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (x,), file, dynamo=False, **how)
    return file.getvalue()


class Net(nn.Module):
    def __init__(self, layer: nn.RNNBase) -> None:
        super().__init__()
        self.rnn = layer
        self.fc = nn.Linear((2 if layer.bidirectional else 1) * layer.hidden_size, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.rnn(x)[0])


@st.composite
def nets(draw: st.DrawFn) -> Net:
    make = draw(st.sampled_from([nn.LSTM, nn.GRU, nn.RNN]))
    options: dict[str, Any] = {name: draw(st.booleans()) for name in ("bias", "batch_first", "bidirectional")}
    if make is nn.RNN:
        options["nonlinearity"] = draw(st.sampled_from(["tanh", "relu"]))
    torch.manual_seed(draw(st.integers(0, 99)))
    return Net(make(draw(SIZES), draw(SIZES), draw(st.integers(1, 3)), **options)).eval()


@given(nets(), st.booleans())
@settings(max_examples=12, deadline=None)
def test_torchs_script_exporter(net: Net, folded: bool) -> None:
    x = torch.randn(4, 3, net.rnn.input_size)
    file = read_network(exported(net, x, do_constant_folding=folded))
    (stack,) = file.stacks
    for each in ("input_size", "hidden_size", "num_layers", "bidirectional", "bias"):
        assert getattr(stack, each) == getattr(net.rnn, each), each
    assert stack.name == "rnn"
    assert stack.readout == "fc.MatMul"
    assert not stack.asked
    assert stack.known["batch_first"] == net.rnn.batch_first
    for name, parameter in net.rnn.named_parameters():
        np.testing.assert_array_equal(stack.parameters[name], parameter.detach())
    torch.testing.assert_close(file.module()(x)[0], net.rnn(x)[0], rtol=0, atol=1e-6)


@pytest.fixture(scope="session")
def dynamo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Net, Path]]:
    """torch's default exporter, which takes its time, once for each kind."""
    made = {}
    torch.manual_seed(0)
    kinds = {
        "lstm": nn.LSTM(3, 64, 2, batch_first=True, bidirectional=True), "gru": nn.GRU(3, 5, bias=False),
        "rnn": nn.RNN(3, 4), "projected": nn.LSTM(3, 4, proj_size=2),
    }  # fmt: skip
    for kind, layer in kinds.items():
        net = Net(layer).eval() if kind != "projected" else layer.eval()
        folder = tmp_path_factory.mktemp(kind)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(net, (torch.randn(5, 2, 3),), folder / "net.onnx", verbose=False)
        made[kind] = (net, folder / "net.onnx")
    return made


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_torchs_default_exporter_apart(kind: str, dynamo: Any) -> None:
    net, path = dynamo[kind]
    x = torch.randn(6, 2, 3)
    torch.testing.assert_close(read_network(path).module()(x)[0], net.rnn(x)[0], rtol=0, atol=1e-6)


def test_weights_in_a_file_beside_it(dynamo: Any) -> None:
    net, path = dynamo["lstm"]
    beside = path.with_suffix(".onnx.data")
    assert beside.stat().st_size > 0
    x = torch.randn(6, 2, 3)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, "model/net.onnx")
        archive.write(beside, "model/net.onnx.data")
    opened = [
        read_network([str(beside), str(path)]),
        read_network(path.read_bytes(), "net.onnx", beside={"net.onnx.data": beside}),
        read_network(path.read_bytes(), beside={"net.onnx.data": beside.read_bytes()}),
        read_network(packed.getvalue(), "net.zip"),
    ]
    for file in opened:
        torch.testing.assert_close(file.module()(x)[0], net.rnn(x)[0], rtol=0, atol=1e-6)
    with pytest.raises(ValueError, match=r"keeps its weights in net\.onnx\.data: bring both files"):
        read_network(path.read_bytes())
    with pytest.raises(ValueError, match="ends before the weights"):
        read_network(path.read_bytes(), beside={"net.onnx.data": b"short"})


def test_what_torchs_default_exporter_writes_wrongly_is_said(dynamo: Any) -> None:
    with pytest.raises(ValueError, match=r"projection, which torch’s exporter writes wrongly; bring the \.pt"):
        read_network(dynamo["projected"][1])
    with pytest.raises(ValueError, match=r"no LSTM, GRU or RNN node .* one by one.*dynamo=False"):
        read_network(dynamo["rnn"][1])


CASES = {case.name: case for case in cases._NodeTestCases if set(case.name.split("_")) & {"lstm", "gru", "rnn"}}


def test_onnx_has_its_cases() -> None:
    assert len(CASES) >= 18


@pytest.mark.parametrize("name", sorted(CASES))
def test_onnx_own_node_tests(name: str) -> None:
    case = CASES[name]
    made = onnx.ModelProto()
    made.CopyFrom(case.model)
    inputs, outputs = case.data_sets[0]
    names = [value.name for value in made.graph.input]
    given_ = dict(zip(names, inputs, strict=True))
    x = given_.pop("X")
    del made.graph.input[1:]
    made.graph.initializer.extend(numpy_helper.from_array(np.asarray(array), key) for key, array in given_.items())
    file = read_network(made.SerializeToString())
    (stack,) = file.stacks
    with torch.no_grad():
        batch = torch.from_numpy(np.asarray(x))
        time = 1 if stack.known["batch_first"] else 0
        y, state = file.module()(batch.flip(time) if stack.backwards else batch)
    last = state[0] if isinstance(state, tuple) else state
    at = [each.name for each in made.graph.output].index("Y_h") if any(
        each.name == "Y_h" for each in made.graph.output) else -1  # fmt: skip
    assert at >= 0
    expected = outputs[at]
    expected = expected.transpose(1, 0, 2) if stack.known["batch_first"] else expected
    np.testing.assert_allclose(last, expected, atol=1e-6)
    assert y.shape[-1] == stack.hidden_size * stack.directions


@st.composite
def graphs(draw: st.DrawFn) -> tuple[onnx.ModelProto, int, bool]:
    """One or two nodes between a transpose and what takes the directions apart, as exporters write them."""
    kind, turned = draw(st.sampled_from(sorted(GATES))), draw(st.booleans())
    width, size = draw(SIZES), draw(SIZES)
    direction = draw(st.sampled_from(["forward", "reverse", "bidirectional"]))
    attributes: dict[str, Any] = {"direction": direction}
    ways = 2 if direction == "bidirectional" else 1
    if kind == "GRU" and draw(st.booleans()):
        attributes["linear_before_reset"] = 1
    if draw(st.booleans()):
        attributes["activations"] = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"],
                                     "RNN": ["Tanh"]}[kind] * ways  # fmt: skip
    bias, peepholes, seed = draw(st.booleans()), draw(st.booleans()), draw(st.integers(0, 99))
    nodes, tensors = [], []
    value, wide = "x", width
    if turned:
        nodes.append(helper.make_node("Transpose", ["x"], ["x_t"], perm=[1, 0, 2]))
        value = "x_t"
    for k in range(draw(st.integers(1, 2))):
        made, weights = node(
            kind, size, wide, ways=ways, bias=bias, seed=seed + k, name=value, to=f"h{k}", **attributes
        )
        if peepholes and kind == "LSTM":
            eyes = np.random.default_rng(seed + k).normal(0, 0.5, (ways, 3 * size)).astype("<f4")
            weights.append(numpy_helper.from_array(eyes, f"p{k}"))
            made.input.extend([""] * (7 - len(made.input)) + [f"p{k}"])
        shape = numpy_helper.from_array(np.array([0, 0, -1]), f"shape{k}")
        nodes += [made, helper.make_node("Transpose", [f"h{k}"], [f"t{k}"], perm=[0, 2, 1, 3]),
                  helper.make_node("Reshape", [f"t{k}", f"shape{k}"], [f"y{k}"])]  # fmt: skip
        tensors += [*weights, shape]
        value, wide = f"y{k}", ways * size
    return model(nodes, tensors, width, value), width, turned


@given(graphs())
@settings(max_examples=80, deadline=None)
def test_what_the_reference_evaluator_gives(drawn: tuple[onnx.ModelProto, int, bool]) -> None:
    made, width, turned = drawn
    x = np.random.default_rng(1).normal(size=(4, 3, width)).astype("<f4")
    (expected,) = ReferenceEvaluator(made).run(None, {"x": x})
    file = read_network(made.SerializeToString())
    stack = file.stacks[-1]
    y = output(file, stack, torch.from_numpy(x))
    y = y.transpose(0, 1) if turned else y
    np.testing.assert_allclose(y, expected, atol=1e-6)
    assert stack.known["batch_first"] == turned
    said = {each.name: each.i for each in next(n for n in made.graph.node if n.op_type == stack.cell).attribute}
    assert stack.cell != "GRU" or stack.known["reset_after"] == bool(said.get("linear_before_reset"))


def test_which_rows_became_which_gate_is_said() -> None:
    made, tensors = node("LSTM", 8, 2)
    (stack,) = read_network(model([made], tensors, 2).SerializeToString()).stacks
    said = [move.says for move in stack.moved[:4]]
    assert said == [
        "Rows 0–7 of y_W became the input gate i.",
        "Rows 8–15 of y_W became the output gate o.",
        "Rows 16–23 of y_W became the forget gate f.",
        "Rows 24–31 of y_W became the candidate g.",
    ]
    weights = numpy_helper.to_array(tensors[0])[0]
    for move in stack.moved[:4]:
        first, last = move.to
        rows = weights[move.span[0] : move.span[1] + 1]
        np.testing.assert_array_equal(stack.parameters["weight_ih_l0"][first : last + 1], rows)


def test_an_old_gru_of_torchs_is_asked_about_and_both_can_be_looked_at() -> None:
    net = nn.GRU(3, 4)
    x = torch.randn(5, 2, 3)
    made = onnx.load_model_from_string(exported(net, x))
    for each in made.graph.node:
        for attribute in [a for a in each.attribute if a.name == "linear_before_reset"]:
            each.attribute.remove(attribute)
    file = read_network(made.SerializeToString())
    (question,) = file.stacks[0].asked
    assert question.choices == (True, False)
    assert "2.10" in question.says
    torch.testing.assert_close(file.module()(x)[0], net(x)[0], rtol=0, atol=1e-6)
    other = file.answered(reset_after=False)
    assert not other.stacks[0].asked
    assert not any("2.10" in note for note in other.notes)
    (expected, *_) = ReferenceEvaluator(made).run(None, {made.graph.input[0].name: x.numpy()})
    np.testing.assert_allclose(other.module()(x)[0].detach(), expected.reshape(5, 2, 4), atol=1e-6)
    assert (other.module()(x)[0] - net(x)[0]).abs().max() > 1e-3
    assert (
        read_network(made.SerializeToString(), answers={"reset_after": False}).stacks[0].known["reset_after"] is False
    )
    with pytest.raises(ValueError, match="no answer here"):
        file.answered(reset_after="perhaps")
    with pytest.raises(ValueError, match="no answer here"):
        file.answered(nonlinearity="relu")


def test_an_experiment_has_the_readout_of_the_graph() -> None:
    torch.manual_seed(0)
    net = Net(nn.LSTM(3, 4, 2)).eval()
    x = torch.randn(6, 1, 3)
    file = read_network(exported(net, x))
    experiment = file.experiment().changed(sequence=seqviz.Sequence.of_values(x[:, 0].numpy()))
    with torch.no_grad():
        np.testing.assert_allclose(seqviz.run(experiment)["y"], net(x), atol=1e-6)


def test_peepholes_become_an_experiment_of_their_own_cell() -> None:
    stack = (file := read_network(told("p", 7))).stacks[0]
    assert stack.peephole
    x = np.random.default_rng(0).normal(size=(5, 2)).astype("<f4")
    experiment = file.experiment().changed(sequence=seqviz.Sequence.of_values(x))
    assert experiment.cell == "PEEPHOLE"
    with torch.no_grad():
        expected = file.module()(torch.from_numpy(x)[:, None])[0]
    np.testing.assert_allclose(seqviz.run(experiment)["l0.h"], expected, atol=1e-6)


def bad(kind: str = "LSTM", **attributes: Any) -> bytes:
    made, tensors = node(kind, 3, 2, **attributes)
    return model([made], tensors, 2).SerializeToString()


def reshaped(name: str, shape: tuple[int, ...], value: float = 0.0) -> bytes:
    made, tensors = node("LSTM", 3, 2)
    kept = [each for each in tensors if not each.name.endswith(name)]
    kept.append(numpy_helper.from_array(np.full(shape, value, "<f4"), f"y_{name}"))
    return model([made], kept, 2).SerializeToString()


def through(*kinds: str) -> bytes:
    """Weights that come out of a node which does more than move them."""
    made, tensors = node("LSTM", 3, 2)
    nodes, value = [], "y_W"
    for kind in kinds:
        nodes.append(helper.make_node(kind, [value], [f"{kind}_out"]))
        value = f"{kind}_out"
    made.input[1] = value
    return model([*nodes, made], tensors, 2).SerializeToString()


def told(kind: str, place: int) -> bytes:
    made, tensors = node("LSTM", 3, 2)
    made.input.extend([""] * (place - len(made.input)) + [kind])
    shape = {4: (1,), 5: (1, 1, 3), 7: (1, 9)}[place]
    values = np.ones(shape, "<i4" if place == 4 else "<f4")
    return model([made], [*tensors, numpy_helper.from_array(values, kind)], 2).SerializeToString()


def no_weights() -> bytes:
    made, tensors = node("GRU", 3, 2)
    whole = model([made], tensors[1:], 2)
    whole.graph.input.append(helper.make_tensor_value_info("y_W", onnx.TensorProto.FLOAT, [1, 9, 2]))
    return whole.SerializeToString()


LOOP = helper.make_node("Scan", ["x"], ["y"], num_scan_inputs=1, body=helper.make_graph([], "b", [], []))
WRONG: dict[str, tuple[bytes, str]] = {
    "clip": (bad(clip=1.1), r"cuts off what goes into its functions at ±1\.1 \(clip\), .*; train it without"),
    "coupled": (bad(input_forget=1), r"1 minus the input gate \(input_forget\), .*; train it without"),
    "no gate": (bad(activations=["Relu", "Tanh", "Tanh"]), "squashes with Relu, Tanh, Tanh, which is not read so"),
    "affine": (bad("RNN", activations=["Affine"]), "squashes with Affine"),
    "too few": (bad(activations=["Sigmoid", "Tanh"]), "squashes with Sigmoid, Tanh"),
    "another slope": (bad(activations=["HardSigmoid", "Tanh", "Tanh"], activation_alpha=[0.3]), "squashes with Hard"),
    "another offset": (bad(activations=["HardSigmoid", "Tanh", "Tanh"], activation_beta=[0.4]), "squashes with Hard"),
    "shape of W": (reshaped("W", (1, 12)), "do not have the shapes of ONNX LSTM"),
    "shape of R": (reshaped("R", (1, 11, 3)), "do not have the shapes"),
    "shape of B": (reshaped("B", (1, 12)), "do not have the shapes"),
    "three ways": (reshaped("W", (3, 12, 2)), "do not have the shapes"),
    "no rows": (reshaped("R", (1, 0, 0)), "do not have the shapes"),
    "NaN": (reshaped("W", (1, 12, 2), np.nan), "hold NaN or infinity"),
    "worked out": (through("Relu"), "worked out by Relu"),
    "quantised": (through("DequantizeLinear"), "worked out by DequantizeLinear"),
    "weights as inputs": (no_weights(), "come from outside and are not in the file; export with export_params=True"),
    "a loop": (model([LOOP], [], 2).SerializeToString(), "as a Scan node"),
    "nothing recurrent": (model([helper.make_node("Relu", ["x"], ["y"])], [], 2).SerializeToString(), "dynamo=False"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_is_said(kind: str) -> None:
    data, says = WRONG[kind]
    with pytest.raises(ValueError, match=says) as refusal:
        read_network(data, "net.onnx")
    assert isinstance(refusal.value.args[0], Sentence)


def test_what_is_only_to_be_known_is_noted() -> None:
    assert any("how long each sequence is" in note for note in read_network(told("n", 4)).notes)
    assert any("begins with a state" in note for note in read_network(told("h", 5)).notes)
    assert any("last step to the first" in note for note in read_network(bad(direction="reverse")).notes)


@pytest.fixture(scope="module", autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize(
    ("kind", "domain", "says"),
    [
        ("DynamicQuantizeLSTM", "com.microsoft", r"of the kind com\.microsoft\.DynamicQuantizeLSTM, .* is quantised"),
        ("AttnLSTM", "com.microsoft", r"of the kind com\.microsoft\.AttnLSTM, which is not read"),
        ("GRU", "mine", r"of the kind mine\.GRU, which is not read"),
    ],
)
def test_recurrent_nodes_of_others_are_named(kind: str, domain: str, says: str) -> None:
    """Their weights may have ONNX's own shapes and another meaning."""
    made, tensors = node("LSTM" if kind != "GRU" else "GRU", 4, 3)
    made.op_type, made.domain = kind, domain
    with pytest.raises(ValueError, match=says):
        read_network(model([made], tensors, 3).SerializeToString())
