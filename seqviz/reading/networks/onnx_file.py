"""Recurrent nodes of ONNX files; https://onnx.ai/onnx/operators/onnx__LSTM.html and its GRU and RNN pages.

ONNX stacks the gates in rows, an LSTM's in the order i, o, f, c, a GRU's z, r, h, one matrix a direction.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import numpy as np

from seqviz.cells.squashing import GATED_BY
from seqviz.language import Sentence, tr
from seqviz.reading.networks.foreign import Layer, not_computed, put, reordered
from seqviz.reading.networks.started import read_apart
from seqviz.reading.networks.stored import FLOATS, Contents, Stored, brief
from seqviz.reading.networks.told import Question, moves

__all__ = ["contents_of_onnx", "looks_like_onnx"]

_ORDERS: Final = {"LSTM": "iofg", "GRU": "zrn", "RNN": "h"}
_FUNCTIONS: Final = {"LSTM": ("sigmoid", "tanh", "tanh"), "GRU": ("sigmoid", "tanh"), "RNN": ("tanh",)}
_CALLED: Final = {"sigmoid": "sigmoid", "tanh": "tanh", "relu": "relu", "softsign": "softsign", "softplus": "softplus"}
_SLOPED: Final = {"hardsigmoid": {0.2: "hard_sigmoid_5", 1 / 6: "hard_sigmoid"}, "elu": {1.0: "elu"},
                  "leakyrelu": {0.01: "leaky_relu_100", 0.2: "leaky_relu"}}  # fmt: skip
"""Functions with a number, ``activation_alpha``, the one first that ONNX takes where none is given."""


def looks_like_onnx(data: bytes, name: str) -> bool:
    """Whether the bytes begin as a model does: its version, then another field."""
    return (
        name.lower().endswith(".onnx")
        or (
            not name.lower().endswith(".mlmodel")  # Core ML's begin alike
            and data[:1] == b"\x08"
            and data[1:2] < b"\x20"
            and data[2:3] in b"\x12\x1a\x2a\x32\x3a\x42"
        )
    )


def contents_of_onnx(data: bytes, beside: Mapping[str, bytes]) -> Contents:
    """The recurrent layers of an ONNX file.

    Args:
        data: the file.
        beside: by name, the files in which it keeps its weights.

    Raises:
        Beside: a file is missing.
        ValueError: one sentence.
    """
    (graph, _), *found = read_apart("onnx_graph", {"": data} | {f"/{name}": each for name, each in beside.items()})
    contents = Contents()
    layers: list[Layer] = []
    for head, body in found:
        if "linear" in head:
            _readout(head, body, contents)
        elif problem := _problem(head):
            contents.refused.append(problem)
        else:
            layers.append(_layer(head, body, graph["producer"], layers))
    put(layers, contents)
    contents.others = dict(graph["others"])
    if layers:
        contents.notes.append(tr("ONNX has the gates in another order than torch; the rows were put in torch’s."))
    if not layers and not contents.refused:
        contents.refused.append(_none(graph["counts"]))
    return contents


def _name(head: Mapping[str, Any]) -> str:
    said = head["name"].strip("/").replace("/", ".")
    return said or f"{head['node']}_{head['number']}"


def _problem(head: Mapping[str, Any]) -> Sentence | None:
    """Why a node cannot be read."""
    name, node, said = brief(_name(head)), head["node"], head["attributes"]
    if head.get("problem") == "input":
        return tr("The weights of {name} come from outside and are not in the file; export with export_params=True.",
                  name=name)  # fmt: skip
    if head.get("problem"):
        return tr("The weights of {name} are worked out by {node}, which is not read; export the network before it is "
                  "quantised or changed.", name=name, node=brief(head["problem"]))  # fmt: skip
    shapes = {each["part"]: tuple(each["shape"]) for each in head["arrays"]}
    size = shapes.get("R", (0,))[-1]
    if not _fits(node, size, shapes):
        return tr("The weights of {name} do not have the shapes of {node}; the file is damaged or its exporter wrong.",
                  name=name, node=f"ONNX {node}")  # fmt: skip
    widths = {each["width"] for each in head["initial"] if each["width"]} | {said.get("hidden_size", size)}
    if widths != {size}:
        return tr("{name} is an LSTM with a projection, which torch’s exporter writes wrongly; bring the .pt file of "
                  "model.state_dict() instead.", name=name)  # fmt: skip
    if _functions(node, said, shapes["W"][0]) is None:
        functions = brief(", ".join(map(str, said.get("activations") or ())))
        return tr("{name} squashes with {functions}, which is not read so. Train it with sigmoid and tanh, and export "
                  "it again.", name=name, functions=functions)  # fmt: skip
    if clip := said.get("clip"):
        limit = f"{clip:.4g}" if isinstance(clip, int | float) else brief(str(clip))
        return tr("{name} cuts off what goes into its functions at ±{limit} (clip), which is not read; train it "
                  "without, and export it again.", name=name, limit=limit)  # fmt: skip
    if said.get("input_forget"):
        return tr("{name} has no forget gate of its own, but 1 minus the input gate (input_forget), which is not read; "
                  "train it without, and export it again.", name=name)  # fmt: skip
    return None


def _functions(node: str, said: Mapping[str, Any], ways: int) -> tuple[str, ...] | None:
    """What a node squashes with, by the names in SQUASHINGS; None where that cannot be read."""
    given = [str(each).lower() for each in said.get("activations") or _FUNCTIONS[node] * ways]
    alphas, betas = (list(said.get(f"activation_{name}") or ()) for name in ("alpha", "beta"))
    found: list[str] = []
    for function in given:
        known = _SLOPED.get(function)
        alpha = (alphas.pop(0) if alphas else next(iter(known))) if known else 0.0
        beta = betas.pop(0) if betas and function == "hardsigmoid" else 0.5
        near = [name for slope, name in (known or {}).items() if abs(slope - alpha) < 1e-6 and abs(beta - 0.5) < 1e-6]
        if not near and function not in _CALLED:
            return None
        found.append(near[0] if near else _CALLED[function])
    count = len(_FUNCTIONS[node])
    gates = found[0] in GATED_BY or node == "RNN"
    return tuple(found[:count]) if len(found) == count * ways and found == found[:count] * ways and gates else None


def _fits(node: str, size: int, shapes: Mapping[str, tuple[int, ...]]) -> bool:
    rows, ways = len(_ORDERS[node]) * size, len(shapes.get("W", ())) and shapes["W"][0]
    wide = shapes["W"][-1] if ways else 0
    return (
        size > 0 and ways in (1, 2) and wide > 0
        and shapes["W"] == (ways, rows, wide) and shapes["R"] == (ways, rows, size)
        and shapes.get("B", (ways, 2 * rows)) == (ways, 2 * rows)
        and shapes.get("P", (ways, 3 * size)) == (ways, 3 * size)
    )  # fmt: skip


def _layer(head: Mapping[str, Any], body: bytes, producer: str, layers: list[Layer]) -> Layer:
    node, said, name = head["node"], head["attributes"], _name(head)
    arrays, start = {}, 0
    for each in head["arrays"]:
        shape, end = tuple(each["shape"]), start + math.prod(each["shape"]) * _width(each["dtype"])
        raw = partial(_array, body[start:end], each["dtype"], shape)
        arrays[each["part"]], start = Stored(each["name"], shape, each["dtype"], raw), end
    size, ways = arrays["R"].shape[-1], arrays["W"].shape[0]
    kind, source = head["takes"]
    before = next((layer for layer in layers if kind == layer.facts["node"] and source == layer.outlet), None)
    facts: dict[str, Any] = {"node": node, "batch_first": said.get("layout") == 1 or kind == "input turned"}
    if before is not None:
        facts["batch_first"] = before.facts["batch_first"]
    backwards = said.get("direction") == "reverse"
    facts |= {"backwards": backwards, "turned_back": backwards}
    functions = _functions(node, said, ways) or _FUNCTIONS[node]
    if node == "RNN" and functions[0] in ("tanh", "relu"):
        facts["nonlinearity"] = functions[0]
    elif functions != _FUNCTIONS[node]:
        facts["functions"] = functions
    if node == "GRU":
        facts |= _reset(name, said.get("linear_before_reset") == 1, producer)
    order = _ORDERS[node]
    moved = [move for part in "WR" for move in moves(node, order, size, arrays[part].name, columns=False)]
    directions = [_parts(node, arrays, way) for way in range(ways)]
    remarks = _remarks(name, head, backwards)
    if before is None and kind not in ("input", "input turned"):
        remarks.append(not_computed(name, brief(kind or source)))
    return Layer(name, node, directions, facts, tuple(moved), remarks,
                 before.name if before else "", size, outlet=head["gives"])  # fmt: skip


def _reset(name: str, after: bool, producer: str) -> dict[str, Any]:
    """Which GRU it is. A file of torch's says the other one where torch's exporter was 2.10 or older."""
    if after or not producer.startswith("pytorch"):
        return {"reset_after": after}
    says = tr(
        "The file says that {name} resets before the product; torch’s GRU never does, and exporters until torch 2.10 "
        "wrote that by mistake. It is read as torch’s.",
        name=brief(name),
    )
    return {"ask": (Question("reset_after", says, (True, False)),)}


def _remarks(name: str, head: Mapping[str, Any], backwards: bool) -> list[Sentence]:
    said = []
    if backwards:
        said.append(tr("{name} runs from the last step to the first; here it is given the sequence turned round.",
                       name=brief(name)))  # fmt: skip
    if any(each["given"] for each in head["initial"]):
        said.append(tr("{name} begins with a state that the network gives it; here it begins with zeros.",
                       name=brief(name)))  # fmt: skip
    if head["lengths"]:
        said.append(tr("{name} is told how long each sequence is; here all are as long as they are given.",
                       name=brief(name)))  # fmt: skip
    return said


def _parts(node: str, arrays: Mapping[str, Stored], way: int) -> dict[str, Stored]:
    turn = partial(reordered, cell=node, order=_ORDERS[node], columns=False, at=way)
    parts = {"weight_ih": turn(arrays["W"], name="weight_ih"), "weight_hh": turn(arrays["R"], name="weight_hh")}
    if "B" in arrays:
        for k, part in enumerate(("bias_ih", "bias_hh")):
            rows = arrays["B"].shape[1] // 2
            half = Stored(arrays["B"].name, (arrays["B"].shape[0], rows), arrays["B"].dtype,
                          partial(_half, arrays["B"], k * rows, (k + 1) * rows))  # fmt: skip
            parts[part] = turn(half, name=part)
    for k, part in enumerate(("p_i", "p_o", "p_f") if "P" in arrays else ()):
        size = arrays["P"].shape[1] // 3
        parts[part] = Stored(part, (size,), arrays["P"].dtype, partial(_piece, arrays["P"], way, k * size))
    return parts


def _piece(stored: Stored, way: int, start: int) -> np.ndarray:
    """One of the three vectors of peepholes."""
    return stored.raw()[way, start : start + stored.shape[1] // 3]


def _half(stored: Stored, start: int, end: int) -> np.ndarray:
    return stored.raw()[:, start:end]


def _array(body: bytes, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    return np.frombuffer(body, FLOATS[dtype]).reshape(shape)


def _width(dtype: str) -> int:
    return np.dtype(FLOATS.get(dtype, "u1" if dtype in ("bool", "int8", "uint8") else dtype)).itemsize


def _readout(head: Mapping[str, Any], body: bytes, contents: Contents) -> None:
    rows, columns = head["shape"]
    name = head["linear"].strip("/").replace("/", ".")
    both = np.frombuffer(body, "<f4")
    weight = both[: rows * columns].reshape(rows, columns)
    contents.add(Stored(f"{name}.weight", (rows, columns), "float32", lambda: weight))
    contents.add(Stored(f"{name}.bias", (rows,), "float32", lambda: both[rows * columns :]))


def _none(counts: Mapping[str, Any]) -> Sentence:
    """Why a graph has no recurrent node."""
    loops = [kind for kind in ("Loop", "Scan", "If") if counts[kind]]
    if counts["others"]:
        return tr("The recurrent layer in the file is of the kind {node}, which is not read; export the network before "
                  "it is quantised or changed.", node=brief(str(counts["others"])))  # fmt: skip
    if loops:
        return tr("The exporter wrote the recurrent layer as a {node} node, which is not read; bring the .pt, .keras "
                  "or .h5 file instead.", node=loops[0])  # fmt: skip
    return tr(
        "There is no LSTM, GRU or RNN node in the file: the exporter wrote the steps out one by one, or there is no "
        "recurrent layer. Export with torch.onnx.export(…, dynamo=False), or bring the .pt, .keras or .h5 file."
    )
