"""What Keras saves: ``.keras``, ``.weights.h5`` and the older HDF5 of ``model.save("x.h5")``.

Layouts read in files of Keras 3.15 and in its source, ``keras/src/layers/rnn``: matrices have the inputs as rows and
the gates as columns, an LSTM's in the order i, f, c, o, a GRU's z, r, h; https://keras.io/api/layers/recurrent_layers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import numpy as np

from seqviz.language import Sentence, tr
from seqviz.reading.networks.archives import entry
from seqviz.reading.networks.foreign import Layer, not_computed, put, reordered
from seqviz.reading.networks.kerasconfig import Described, Place, description, is_cudnn
from seqviz.reading.networks.started import read_apart
from seqviz.reading.networks.stored import FLOATS, OPTIMISER, Contents, Stored, brief, cut_short
from seqviz.reading.networks.told import BY_BLOCKS, GATES, Question, moves

__all__ = ["contents_of_hdf5", "contents_of_keras", "looks_like_hdf5", "looks_like_keras"]

MAX_CONFIG: Final = 2**24
_WEIGHTS: Final = "model.weights.h5"
_NEW: Final = re.compile(r"(?:(.*)/)?vars/(\d{1,2})")
_OLD: Final = re.compile(r"(?:(.*)/)?(kernel|recurrent_kernel|bias)(?::0)?")
_PARTS: Final = ("kernel", "recurrent_kernel", "bias")
_ORDERS: Final = {"LSTM": "ifgo", "GRU": "zrn", "RNN": "h"}


@dataclass
class _Cell:
    """The arrays of a cell, and where they lie."""

    path: str
    arrays: dict[str, Stored] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """By shape; empty where it is no recurrent cell."""
        first, second = (self.arrays.get(part) for part in _PARTS[:2])
        if first is None or second is None or len(first.shape) != 2 or len(second.shape) != 2:
            return ""
        rows, columns = second.shape
        fits = rows > 0 and columns % rows == 0 and first.shape[1] == columns
        return BY_BLOCKS.get(columns // rows, "") if fits else ""


def looks_like_keras(data: bytes) -> bool:
    """Whether a zip archive is one that Keras 3 wrote, by the names in it."""
    return _WEIGHTS.encode() in data[-(2**16) :]


def looks_like_hdf5(data: bytes) -> bool:
    """Whether the bytes begin as HDF5 does."""
    return data[:8] == b"\x89HDF\r\n\x1a\n"


def contents_of_keras(data: bytes) -> Contents:
    """The layers of a ``.keras`` file.

    Raises:
        ValueError: one sentence.
    """
    weights = entry(data, _WEIGHTS)
    if weights is None:
        raise ValueError(tr('The .keras file holds no weights; save it again with model.save("model.keras").'))
    return contents_of_hdf5(weights, entry(data, "config.json") or b"", _version(entry(data, "metadata.json") or b""))


def _version(metadata: bytes) -> str:
    """Keras' version, as a ``.keras`` file has it; empty where it does not say."""
    try:
        said = json.loads(metadata[:MAX_CONFIG])
    except (ValueError, RecursionError):
        return ""
    return str(said.get("keras_version", ""))[:20] if isinstance(said, dict) else ""


def contents_of_hdf5(data: bytes, config: bytes = b"", version: str = "") -> Contents:
    """The layers of an HDF5 file that Keras wrote.

    Args:
        data: the file.
        config: what ``model.to_json()`` gives, for a file of weights alone.
        version: of Keras, where it is known.

    Raises:
        ValueError: one sentence.
    """
    (first, _), *found = read_apart("hdf5", {"file": data})
    texts: dict[str, dict[str, str]] = first["texts"]
    top = texts.get("", {})
    listed = config.decode("utf-8", "replace") or top.get("model_config", "")
    says = description(listed, version or top.get("keras_version", ""))
    arrays = {head["path"]: _stored(head, body) for head, body in found}
    contents = Contents()
    cells, dense = _sorted(arrays)
    layers: dict[str, Layer] = {}
    places = [(cell, says.place(cell.path, texts)) for cell in cells]
    for cell, place in sorted(places, key=lambda each: each[1].order):
        _read(cell, place, layers, contents)
    _feeding(list(layers.values()), says)
    contents.notes += _converted(places)
    put(list(layers.values()), contents)
    for other in dense:
        _readout(other, says.place(other.path, texts).name, contents)
    for path, stored in arrays.items():
        contents.tensors.setdefault(path, stored)
    contents.others = says.others(texts)
    if not cells:
        contents.refused.append(_none(says, arrays))
    if first["left"]["links"]:
        contents.notes.append(tr("Links that lead elsewhere were left out."))
    if first["left"]["optimiser"]:
        contents.notes.append(tr(OPTIMISER))
    return contents


def _stored(head: Mapping[str, Any], body: bytes) -> Stored:
    shape, dtype, path = tuple(head["shape"]), head["dtype"], head["path"]
    if not (problem := head.get("problem")):
        return Stored(path, shape, dtype, partial(_array, body, dtype, shape))
    return Stored(path, shape, dtype, partial(_refuse, path, problem))


def _array(body: bytes, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    return np.frombuffer(body, FLOATS[dtype]).reshape(shape)


def _refuse(path: str, problem: str) -> np.ndarray:
    if problem == "elsewhere":
        raise ValueError(tr("The numbers of {name} lie in another file, which is not read.", name=brief(path)))
    if problem == "filter":
        raise ValueError(tr("{name} is packed in a way that is not read; save the model again with Keras.",
                            name=brief(path)))  # fmt: skip
    raise cut_short(path)


def _sorted(arrays: Mapping[str, Stored]) -> tuple[list[_Cell], list[_Cell]]:
    """Recurrent cells, and layers that multiply by one matrix, in the order of the file."""
    found: dict[str, _Cell] = {}
    for path, stored in arrays.items():
        if new := _NEW.fullmatch(path):
            cell = found.setdefault(new[1] or "", _Cell(new[1] or ""))
            part = _PARTS[int(new[2])] if int(new[2]) < len(_PARTS) else new[2]
        elif old := _OLD.fullmatch(path):
            cell, part = found.setdefault(old[1] or "", _Cell(old[1] or "")), old[2]
        else:
            continue
        cell.arrays[part] = stored
    cells = [cell for cell in found.values() if cell.kind and cell.arrays.keys() <= set(_PARTS)]
    return cells, [cell for cell in found.values() if cell not in cells]


def _read(cell: _Cell, place: Place, layers: dict[str, Layer], into: Contents) -> None:
    """A cell into the layer that it belongs to, whose other direction may be there already."""
    kind, size, bias = cell.kind, cell.arrays["recurrent_kernel"].shape[0], cell.arrays.get("bias")
    if problem := place.problem(kind, size, bias):
        into.refused.append(problem)
        return
    if is_cudnn(kind, size, bias):
        cell = _of_cudnn(cell, kind, size)
        into.notes.append(tr("{name} is a CuDNN{cell}: each gate’s weights were turned as Keras does it, and both its "
                             "biases kept.", name=brief(place.name), cell=kind))  # fmt: skip
    parts, name, how = _parts(kind, size, cell), place.name, _how(kind, size, bias, place)
    if place.backward and name in layers and len(layers[name].directions) == 1:
        if _alike(layers[name], kind, size, how):
            layers[name].directions.append(parts)
        else:
            del layers[name]
            into.refused.append(tr("The backward layer of {name} is not like its forward layer, which is not read; "
                                   "train it with Bidirectional(layer), where both are alike, and save it again.",
                                   name=brief(name)))  # fmt: skip
        return
    name = name if name not in layers else cell.path.replace("/", ".")
    facts: dict[str, Any] = {"batch_first": True, "backwards": place.goes_backwards, "merge": place.merge, **how}
    moved = [
        move for part in _PARTS[:2] for move in moves(kind, _ORDERS[kind], size, cell.arrays[part].name, columns=True)
    ]
    facts["ask"] = _asked(name, kind, facts)
    remarks = list(place.remarks())
    new = _NEW.fullmatch(cell.arrays["kernel"].name)
    if new and new[1] and new[1].rpartition("/")[2] != "cell" and "/cells/" not in new[1]:
        remarks.append(tr("{name} is a single step; it is read as a layer that takes all steps.",
                          name=brief(name)))  # fmt: skip
    layers[name] = Layer(name, kind, [parts], facts, tuple(moved), remarks, "", size, *place.ends)


def _how(kind: str, size: int, bias: Stored | None, place: Place) -> dict[str, Any]:
    """What a cell computes, beside its weights, as far as the file says it."""
    how: dict[str, Any] = {}
    if kind == "GRU" and (reset := place.reset_after(size, bias)) is not None:
        how["reset_after"] = reset
    functions = () if is_cudnn(kind, size, bias) else place.functions(kind)
    if kind == "RNN" and place.activation("activation") and not functions:
        how["nonlinearity"] = place.activation("activation")
    if functions:
        how["functions"] = functions
    return how


def _alike(forward: Layer, kind: str, size: int, how: Mapping[str, Any]) -> bool:
    """Whether a backward direction computes what its forward one does."""
    same = all(forward.facts.get(name) == how.get(name) for name in ("reset_after", "nonlinearity", "functions"))
    return same and (forward.cell, forward.size) == (kind, size)


def _of_cudnn(cell: _Cell, kind: str, size: int) -> _Cell:
    """The arrays of a CuDNNLSTM or CuDNNGRU as those of an LSTM or GRU with two rows of biases.

    As Keras 2 does it when it loads such weights into another layer, ``_convert_rnn_weights`` in
    ``keras/saving/legacy/hdf5_format.py``: a gate's kernel is stored by columns, its recurrent kernel turned.
    """
    kernel, recurrent, bias = (cell.arrays[part] for part in _PARTS)
    count = len(GATES[kind])
    arrays = {
        "kernel": replace(kernel, raw=partial(_gatewise, kernel.raw, count, True)),
        "recurrent_kernel": replace(recurrent, raw=partial(_gatewise, recurrent.raw, count, False)),
        "bias": replace(bias, shape=(2, count * size), raw=lambda: bias.raw().reshape(2, -1)),
    }
    return _Cell(cell.path, arrays)


def _gatewise(raw: Callable[[], np.ndarray], gates: int, by_columns: bool) -> np.ndarray:
    blocks = np.hsplit(raw(), gates)
    return np.hstack([b.T.reshape(b.shape, order="F") if by_columns else b.T for b in blocks])


def _asked(name: str, kind: str, facts: Mapping[str, Any]) -> tuple[Question, ...]:
    """What only the model's list of layers says of a GRU without biases."""
    if kind != "GRU" or "reset_after" in facts:
        return ()
    says = tr("The file does not say whether {name} resets after the product, Keras’ default, or before it.",
              name=brief(name))  # fmt: skip
    return (Question("reset_after", says, (True, False)),)


def _feeding(layers: list[Layer], says: Described) -> None:
    """Which layer takes another's output, past those that change nothing; what is not computed is said."""
    outlets = {layer.outlet: layer.name for layer in layers if layer.outlet}
    for layer in layers:
        if "\0" in layer.inlet:  # between the cells of one layer
            layer.after = outlets.get(layer.inlet, "")
        elif layer.inlet:
            source = says.source(layer.inlet, frozenset(outlets))
            if isinstance(source, str):
                layer.after = outlets[source]
            elif source is not None and source.kind != "Embedding":
                layer.remarks.append(not_computed(layer.name, f"{brief(source.name)} ({brief(source.kind)})"))


def _converted(cells: list[tuple[_Cell, Place]]) -> Iterator[Sentence]:
    """What was done to the arrays of all cells."""
    if not cells:
        return
    yield tr("The matrices were turned: Keras has the gates in columns, torch in rows.")
    biases = [len(cell.arrays["bias"].shape) for cell, _ in cells if "bias" in cell.arrays]
    if 1 in biases:
        yield tr("Keras has one bias; it became bias_ih, and bias_hh is zeros.")
    if 2 in biases:
        yield tr("The first row of a GRU’s bias became bias_ih, the second bias_hh.")
    if any(place.entry is None for _, place in cells):
        yield tr("The file does not list how its layers are set; Keras’ defaults were taken, sigmoid for the gates and "
                 "tanh.")  # fmt: skip


def _parts(kind: str, size: int, cell: _Cell) -> dict[str, Stored]:
    turn = partial(reordered, cell=kind, order=_ORDERS[kind])
    parts = {
        "weight_ih": turn(cell.arrays["kernel"], name="weight_ih", columns=True),
        "weight_hh": turn(cell.arrays["recurrent_kernel"], name="weight_hh", columns=True),
    }
    bias = cell.arrays.get("bias")
    if bias is not None and len(bias.shape) == 2:
        parts["bias_ih"] = turn(bias, name="bias_ih", columns=False, at=0)
        parts["bias_hh"] = turn(bias, name="bias_hh", columns=False, at=1)
    elif bias is not None:
        parts["bias_ih"] = turn(bias, name="bias_ih", columns=False)
        zeros = partial(np.zeros, bias.shape, "<f4")
        parts["bias_hh"] = Stored("bias_hh", (len(GATES[kind]) * size,), "float32", zeros)
    return parts


def _readout(layer: _Cell, name: str, contents: Contents) -> None:
    """A matrix and a bias, as torch's nn.Linear has them."""
    kernel, bias = layer.arrays.get("kernel"), layer.arrays.get("recurrent_kernel", layer.arrays.get("bias"))
    if kernel is None or bias is None or len(kernel.shape) != 2 or bias.shape != kernel.shape[1:]:
        return
    weight = Stored(f"{name}.weight", kernel.shape[::-1], kernel.dtype, lambda: kernel.raw().T)
    contents.add(weight)
    contents.add(Stored(f"{name}.bias", bias.shape, bias.dtype, bias.raw))


def _none(says: Described, arrays: Mapping[str, Stored]) -> Sentence:
    """Why a file has no recurrent layer."""
    kinds = list(dict.fromkeys(entry.kind for entry in says.named.values() if entry.kind != "InputLayer"))
    if any(kind.startswith("ConvLSTM") for kind in kinds):
        return tr("The recurrent layer in the file is a ConvLSTM, whose gates are pictures; it is not read.")
    if not arrays:
        return tr('The HDF5 file holds no arrays; save the model with model.save("model.keras").')
    names = ", ".join(brief(name) for name in (kinds or list(arrays))[:4])
    return tr(
        "There is no LSTM, GRU or SimpleRNN in the file that Keras would have saved; there is {names}.", names=names
    )
