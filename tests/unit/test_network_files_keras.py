"""What Keras saves, against Keras itself on torch; and what of it cannot be read."""

from __future__ import annotations

import io
import json
import os
import warnings
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from foreign_files import output, read_here
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import seqviz
from seqviz import read_network
from seqviz.language import Sentence
from seqviz.reading.networks import keras as keras_files

os.environ["KERAS_BACKEND"] = "torch"
import keras  # after its backend is chosen

L = keras.layers
SIZES = st.integers(1, 4)
KINDS = ("keras", "weights.h5", "h5")
FUNCTIONS = ["tanh", "relu", "linear", "sigmoid", "hard_sigmoid", "hard_tanh", "relu6", "leaky_relu", "elu", "selu",
             "softplus", "softsign", "silu", "mish", "exponential", None]  # fmt: skip


@pytest.fixture(autouse=True)
def here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "apart" not in request.node.name:
        monkeypatch.setattr(keras_files, "read_apart", read_here)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keras")


def saved(model: keras.Model, folder: Path, kind: str) -> bytes:
    path = folder / f"model.{kind}"
    path.unlink(missing_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save_weights(path) if kind == "weights.h5" else model.save(path)
    return path.read_bytes()


def drawn(model: keras.Model, seed: int) -> keras.Model:
    draw = np.random.default_rng(seed)
    model.set_weights([draw.normal(0, 0.4, tuple(w.shape)) for w in model.weights])
    return model


@st.composite
def layers(draw: st.DrawFn, name: str, others: bool = False) -> keras.Layer:
    """A layer that gives a sequence, of any kind and with any of the settings that torch can follow."""
    options: dict[str, Any] = {"use_bias": draw(st.booleans())}
    kind = draw(st.sampled_from(["LSTM", "GRU", "SimpleRNN"]))
    if kind == "GRU":
        options["reset_after"] = draw(st.booleans())
    if kind == "SimpleRNN" or others:
        options["activation"] = draw(st.sampled_from(FUNCTIONS if others else ["tanh", "relu"]))
    if kind != "SimpleRNN" and others:
        options["recurrent_activation"] = draw(st.sampled_from(["sigmoid", "hard_sigmoid"]))
    size, how = draw(SIZES), draw(st.sampled_from(["layer", "layer", "both", "cell", "cells", "backwards"]))
    if how == "cell":
        return L.RNN(getattr(L, f"{kind}Cell")(size, **options), return_sequences=True, name=name)
    if how == "cells":
        cells = [getattr(L, f"{kind}Cell")(size, **options), L.LSTMCell(draw(SIZES))]
        return L.RNN(cells, return_sequences=True, name=name)
    made = getattr(L, kind)
    if how == "both":
        return L.Bidirectional(made(size, return_sequences=True, **options), name=name)
    return made(size, return_sequences=True, go_backwards=how == "backwards", name=name, **options)


@st.composite
def models(draw: st.DrawFn, others: bool = False) -> keras.Model:
    keras.utils.clear_session(free_memory=False)
    width, stack = (
        draw(SIZES),
        [draw(layers(name, others)) for name in ("first", "my second", "третий")[: draw(st.integers(1, 3))]],
    )
    if draw(st.booleans()):
        stack.insert(1, L.Dropout(0.5))
    if draw(st.booleans()):
        return drawn(keras.Sequential([keras.Input((None, width)), *stack]), draw(st.integers(0, 99)))
    value = first = keras.Input((None, width))
    for each in stack:
        value = each(value)
    return drawn(keras.Model(first, value), draw(st.integers(0, 99)))


@given(models(), st.sampled_from(["keras", "h5"]))
@settings(max_examples=40, deadline=None, phases=[Phase.generate])
def test_every_model_gives_what_keras_gives(folder: Path, model: keras.Model, kind: str) -> None:
    x = np.random.default_rng(0).normal(size=(3, 5, model.input_shape[-1])).astype("<f4")
    expected = model(x).detach().numpy()
    file = read_network(saved(model, folder, kind))
    y = output(file, file.stacks[-1], torch.from_numpy(x))
    np.testing.assert_allclose(y, expected, atol=1e-6)
    assert not any(stack.asked for stack in file.stacks)
    assert all(stack.functions == () for stack in file.stacks)
    names = {part for stack in file.stacks for part in stack.name.split(" + ")}
    for layer in model.layers:
        if not isinstance(layer, L.Dropout | L.InputLayer):
            assert any(name == layer.name or name.startswith(f"{layer.name}.") for name in names)


@given(models(others=True), st.sampled_from(["keras", "h5"]))
@settings(max_examples=30, deadline=None, phases=[Phase.generate])
def test_every_function_of_keras_is_kerass(folder: Path, model: keras.Model, kind: str) -> None:
    x = np.random.default_rng(0).normal(size=(2, 4, model.input_shape[-1])).astype("<f4")
    expected = model(x).detach().numpy()
    if not np.abs(expected).max() < 1e3:  # what is exponential may go anywhere
        return
    file = read_network(saved(model, folder, kind))
    y = output(file, file.stacks[-1], torch.from_numpy(x))
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_weights_alone_are_read_with_what_is_asked(folder: Path, data: st.DataObject) -> None:
    keras.utils.clear_session(free_memory=False)
    layer = data.draw(layers("one"))
    model = drawn(keras.Sequential([keras.Input((None, 3)), layer]), 3)
    x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("<f4")
    file = read_network(saved(model, folder, "weights.h5"))
    cells = getattr(getattr(layer, "cell", None), "cells", None)
    if cells:
        assert len(file.stacks) == 2
        return
    inner = layer.forward_layer if isinstance(layer, L.Bidirectional) else layer
    cell = getattr(inner, "cell", inner)
    answers: dict[str, Any] = {}
    (stack,) = file.stacks
    if stack.cell == "RNN":
        answers["nonlinearity"] = cell.activation.__name__
    if stack.cell == "GRU" and not cell.use_bias:
        answers["reset_after"] = cell.reset_after
    assert {question.name for question in stack.asked} == set(answers)
    turned = x[:, ::-1] if getattr(layer, "go_backwards", False) else x
    with torch.no_grad():
        y = file.answered(**answers).module()(torch.from_numpy(turned.copy()))[0]
    np.testing.assert_allclose(y, model(x).detach(), atol=1e-6)
    assert any("does not list how its layers are set" in note for note in file.notes)
    told = read_network(saved(model, folder, "weights.h5"), beside={"config.json": model.to_json().encode()})
    assert not told.stacks[0].asked
    np.testing.assert_allclose(output(told, told.stacks[0], torch.from_numpy(x)), model(x).detach(), atol=1e-6)


def model_of(*layers: keras.Layer) -> keras.Model:
    keras.utils.clear_session(free_memory=False)
    return drawn(keras.Sequential([keras.Input((None, 3)), *layers]), 1)


@pytest.mark.parametrize("kind", KINDS)
def test_as_a_process_apart(folder: Path, kind: str) -> None:
    model = model_of(L.LSTM(4, return_sequences=True), L.Dense(2))
    x = np.random.default_rng(0).normal(size=(1, 6, 3)).astype("<f4")
    file = read_network(saved(model, folder, kind), f"my.{kind}")
    experiment = file.experiment().changed(sequence=seqviz.Sequence.of_values(x[0]))
    np.testing.assert_allclose(seqviz.run(experiment)["y"][:, 0], model(x)[0].detach(), atol=1e-6)


def test_which_columns_became_which_gate_is_said(folder: Path) -> None:
    model = model_of(L.GRU(4))
    (stack,) = read_network(saved(model, folder, "keras")).stacks
    said = [move.says for move in stack.moved[:3]]
    assert said == [
        "Columns 0–3 of layers/gru/cell/vars/0 became the update gate z.",
        "Columns 4–7 of layers/gru/cell/vars/0 became the reset gate r.",
        "Columns 8–11 of layers/gru/cell/vars/0 became the candidate n.",
    ]
    kernel = model.get_weights()[0]
    for move in stack.moved[:3]:
        rows = stack.parameters["weight_ih_l0"][move.to[0] : move.to[1] + 1]
        np.testing.assert_array_equal(rows, kernel[:, move.span[0] : move.span[1] + 1].T.astype("<f4"))


def test_layers_that_are_alike_are_one_network_and_others_feed_each_other(folder: Path) -> None:
    model = model_of(*(L.LSTM(size, return_sequences=True, name=f"l{k}") for k, size in enumerate((4, 4, 2))))
    file = read_network(saved(model, folder, "keras"))
    assert [(s.name, s.num_layers, s.fed_by) for s in file.stacks] == [("l0 + l1", 2, ""), ("l2", 1, "l0 + l1")]
    assert any("are alike and follow each other" in note for note in file.notes)


class Tagger(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = L.Bidirectional(L.LSTM(3, return_sequences=True))
        self.inside = keras.Sequential([L.GRU(2, name="deep")])
        self.step = L.LSTMCell(2)

    def call(self, x: Any) -> Any:
        self.step(x[:, 0], [x[:, 0, :2]] * 2)
        return self.inside(self.encoder(x))


def test_models_of_ones_own_and_models_in_models(folder: Path) -> None:
    keras.utils.clear_session(free_memory=False)
    model, x = Tagger(), np.random.default_rng(0).normal(size=(2, 4, 3)).astype("<f4")
    model(x)
    drawn(model, 2)
    file = read_network(saved(model, folder, "keras"))
    assert {stack.name for stack in file.stacks} == {"encoder", "inside.deep", "lstm_cell"}
    with torch.no_grad():
        between = file.module("encoder")(torch.from_numpy(x))[0]
        np.testing.assert_allclose(between, model.encoder(x).detach(), atol=1e-6)
        last = file.module("inside.deep")(between)[0][:, -1]
    np.testing.assert_allclose(last, model(x).detach(), atol=1e-6)
    assert any("lstm_cell is a single step" in note for note in file.notes)


@pytest.mark.parametrize("mode", ["sum", "mul", "ave", "concat"])
def test_directions_are_put_together_before_what_comes_next(folder: Path, mode: str) -> None:
    """Side by side in the picture; merged where another layer or the readout takes them."""
    both = L.Bidirectional(L.GRU(4, return_sequences=True, name="one"), merge_mode=mode, name="both")
    model = model_of(both, L.LSTM(2, return_sequences=True, name="next"), L.Dense(1, name="out"))
    x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("<f4")
    for kind in ("keras", "h5"):
        file = read_network(saved(model, folder, kind))
        with torch.no_grad():
            halves = file.module("both")(torch.from_numpy(x))[0].chunk(2, -1)
            whole = file.whole("next")(torch.from_numpy(x).transpose(0, 1)).transpose(0, 1)
        one, two = halves
        merged = {"sum": one + two, "mul": one * two, "ave": (one + two) / 2, "concat": torch.cat(halves, -1)}[mode]
        np.testing.assert_allclose(merged, model.layers[0](x).detach(), atol=1e-6)
        np.testing.assert_allclose(whole, model(x).detach(), atol=1e-6)
        assert any(f"merge_mode={mode}" in note for note in file.notes) == (mode != "concat")
    alone = read_network(saved(model_of(both, L.Dense(2, name="out")), folder, "keras"))
    assert alone.stacks[0].readout == "out"


@pytest.mark.parametrize("kind", ["keras", "h5", "weights.h5"])
@pytest.mark.parametrize(
    "backward",
    [
        L.GRU(4, reset_after=False, return_sequences=True, go_backwards=True, name="other"),
        L.GRU(3, return_sequences=True, go_backwards=True, name="other"),
        L.LSTM(4, return_sequences=True, go_backwards=True, name="other"),
        L.GRU(4, activation="relu", return_sequences=True, go_backwards=True, name="other"),
        L.GRU(4, return_sequences=True, go_backwards=True, name="other"),
    ],
    ids=["before", "size", "lstm", "relu", "alike"],
)
def test_a_backward_layer_of_its_own_is_alike_or_refused(
    folder: Path, kind: str, backward: keras.Layer, request: pytest.FixtureRequest
) -> None:
    forward = L.GRU.from_config({"units": 4, "return_sequences": True, "name": "one"})
    backward = type(backward).from_config(backward.get_config())
    model = model_of(L.Bidirectional(forward, backward_layer=backward, name="both"))
    case = request.node.callspec.id.split("-")
    if "alike" in case and kind != "weights.h5":
        x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("<f4")
        with torch.no_grad():
            y = read_network(saved(model, folder, kind)).module()(torch.from_numpy(x))[0]
        np.testing.assert_allclose(y, model(x).detach(), atol=1e-6)
    elif "alike" not in case and not ("relu" in case and kind == "weights.h5"):  # where the file tells the two apart
        with pytest.raises(ValueError, match=r"backward layer of both is not like its .*; train it with Bidirectional"):
            read_network(saved(model, folder, kind))


@pytest.mark.parametrize("kind", ["keras", "h5"])
def test_several_cells_of_one_layer_turn_the_sequence_once(folder: Path, kind: str) -> None:
    cells = [L.LSTMCell(4), L.LSTMCell(4)]
    model = model_of(L.RNN(cells, return_sequences=True, go_backwards=True))
    x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("<f4")
    file = read_network(saved(model, folder, kind))
    with torch.no_grad():
        y = file.whole(file.stacks[-1])(torch.from_numpy(x).transpose(0, 1)).transpose(0, 1)
    np.testing.assert_allclose(y, model(x).detach(), atol=1e-6)
    both = model_of(L.Bidirectional(L.RNN([L.LSTMCell(4), L.LSTMCell(4)], return_sequences=True), name="both"))
    with pytest.raises(ValueError, match=r"one of several cells in a Bidirectional, .* one Bidirectional\(layer\)"):
        read_network(saved(both, folder, kind))


def test_what_is_to_be_known_is_noted(folder: Path) -> None:
    keras.utils.clear_session(free_memory=False)
    stateful = keras.Sequential([keras.Input(batch_shape=(2, 4, 3)), L.LSTM(2, stateful=True)])
    trained = keras.Sequential([keras.Input((4, 3)), L.GRU(3, go_backwards=True)])
    trained.compile("adam", "mse")
    trained.fit(np.zeros((2, 4, 3)), np.zeros((2, 3)), verbose=0)
    notes = " ".join(
        note for model in (stateful, trained) for note in read_network(saved(model, folder, "keras")).notes
    )
    for part in ("is stateful", "go_backwards=True", "optimiser keeps was left out", "Keras has one bias"):
        assert part in notes


@pytest.mark.parametrize("kind", ["keras", "h5"])
@pytest.mark.parametrize(
    ("layer", "says"),
    [
        (lambda: L.LSTM(2, recurrent_activation="tanh"), "has recurrent_activation=tanh, .* sigmoid, hard"),
        (lambda: L.GRU(2, activation="gelu"), "has activation=gelu, which is not read; read are .* Train it with one"),
        (lambda: L.SimpleRNN(2, activation=L.ReLU(max_value=2)), r"has activation=ReLU\(…\), which is not read"),
        (lambda: L.Dense(2), "no LSTM, GRU or SimpleRNN in the file .*; there is (Dense|TimeDistributed)"),
    ],
)
def test_other_functions_are_said(folder: Path, kind: str, layer: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says) as refusal:
        read_network(saved(model_of(layer()), folder, kind))
    assert isinstance(refusal.value.args[0], Sentence)


def old(arrays: dict[str, np.ndarray], config: dict[str, Any] | None = None) -> bytes:
    """The older HDF5, as TensorFlow wrote it."""
    file = io.BytesIO()
    with h5py.File(file, "w") as made:
        made.attrs["keras_version"] = b"2.4.0"
        if config is not None:
            made.attrs["model_config"] = json.dumps(config).encode()
        for name, array in arrays.items():
            made[f"model_weights/{name}:0"] = np.asarray(array, "<f4")
    return file.getvalue()


def test_what_tensorflow_wrote(folder: Path) -> None:
    model = model_of(L.LSTM(2, name="lstm_7", return_sequences=True), L.Dense(1, name="out"))
    kernel, recurrent, bias, weight, offset = model.get_weights()
    arrays = {"lstm_7/lstm_7/lstm_cell_3/kernel": kernel, "lstm_7/lstm_7/lstm_cell_3/recurrent_kernel": recurrent,
              "lstm_7/lstm_7/lstm_cell_3/bias": bias, "out/out/kernel": weight, "out/out/bias": offset}  # fmt: skip
    listed = [{"class_name": "LSTM", "config": {"name": "lstm_7", "units": 2, "activation": "tanh",
                                                "recurrent_activation": "sigmoid"}}]  # fmt: skip
    for config in (None, {"class_name": "Sequential", "config": {"layers": listed}},
                   {"class_name": "Sequential", "config": listed}):  # fmt: skip
        file = read_network(old(arrays, config))
        assert (file.stacks[0].name, file.stacks[0].readout) == ("lstm_7", "out")
        x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("<f4")
        with torch.no_grad():
            h = file.module()(torch.from_numpy(x))[0]
        np.testing.assert_allclose(h @ weight + offset, model(x).detach(), atol=1e-6)
    listed[0]["config"]["recurrent_activation"] = "hard_sigmoid"
    file = read_network(old(arrays, {"class_name": "Sequential", "config": listed}))
    assert any("of slope 1/5, as Keras 2 has them" in note for note in file.notes)
    with torch.no_grad():
        h = file.module()(torch.from_numpy(x))[0]
    np.testing.assert_allclose(h, hard_lstm(x, kernel, recurrent, bias), atol=1e-6)


def hard_lstm(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Keras 2's LSTM with its hard sigmoid, clip(0.2 a + 0.5, 0, 1); keras/backend/numpy_backend.py of its 2.3."""
    h = c = np.zeros((len(x), len(recurrent)))
    found = []
    for x_t in np.moveaxis(x, 1, 0):
        i, f, g, o = np.split(x_t @ kernel + h @ recurrent + bias, 4, axis=1)
        i, f, o = (np.clip(0.2 * gate + 0.5, 0, 1) for gate in (i, f, o))
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
        found.append(h)
    return np.stack(found, 1)


def of_cudnn(weights: list[np.ndarray], gates: int) -> list[np.ndarray]:
    """What CuDNNLSTM or CuDNNGRU would hold, as Keras 2 turned the weights of an LSTM or GRU into theirs.

    https://github.com/keras-team/keras/blob/v2.15.0/keras/saving/legacy/hdf5_format.py, ``_convert_rnn_weights``.
    """

    def each(kernels: np.ndarray, turn: Any) -> np.ndarray:
        return np.hstack([turn(kernel) for kernel in np.hsplit(kernels, gates)])

    kernel, recurrent, bias = weights
    kernel = each(kernel, lambda k: k.T.reshape(k.shape, order="C"))
    recurrent = each(recurrent, lambda k: k.T)
    bias = np.tile(0.5 * bias, 2) if bias.ndim == 1 else bias.reshape(-1)
    return [kernel, recurrent, bias]


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize(("cell", "gates"), [("LSTM", 4), ("GRU", 3)])
def test_cudnns_layers_are_read_as_keras_converts_them(cell: str, gates: int, both: bool, listed: bool) -> None:
    layer = getattr(L, cell)(4, return_sequences=True, name="a")
    model = model_of(L.Bidirectional(layer, name="a") if both else layer)
    inner, weights, arrays = f"cu_dnn{cell.lower()}", model.get_weights(), {}
    for k, way in enumerate(("forward_", "backward_") if both else ("",)):
        parts = zip(("kernel", "recurrent_kernel", "bias"), of_cudnn(weights[3 * k : 3 * k + 3], gates), strict=True)
        arrays |= {f"a/a/{way}{inner}/{name}" if both else f"a/a/{name}": array for name, array in parts}
    config: dict[str, Any] = {"class_name": f"CuDNN{cell}", "config": {"name": "a", "units": 4}}
    if both:
        config = {"class_name": "Bidirectional", "config": {"name": "a", "layer": config, "merge_mode": "concat"}}
    file = read_network(old(arrays, {"class_name": "Sequential", "config": [config]} if listed else None))
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("<f4")
    with torch.no_grad():
        np.testing.assert_allclose(file.module()(torch.from_numpy(x))[0], model(x).detach(), atol=1e-6)
    assert not file.stacks[0].asked or not listed
    assert any(f"is a CuDNN{cell}" in note for note in file.notes)


def test_a_config_that_cannot_be_read_leaves_the_weights(folder: Path) -> None:
    data = saved(model_of(L.LSTM(2)), folder, "keras")
    for config in (
        b"",
        b"{",
        b"[" * 100_000,
        b"null",
        b'{"config": {"layers": [[[]], 3, {"config": []}]}}',
        b"\xff\xfe",
    ):
        packed = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(packed, "w") as after:
            for info in before.infolist():
                after.writestr(info, config if info.filename == "config.json" else before.read(info))
        assert len(read_network(packed.getvalue()).stacks) == 1
