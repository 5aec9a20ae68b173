"""The recurrent nodes of an ONNX graph, with the weights that its initializers give them; https://onnx.ai.

Weights that an exporter cuts and joins in the graph are worked out by onnx's own reference evaluator, from a part of
the graph that only moves numbers about. No external file is opened: its bytes are given, by name, or it is asked for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import helper, inliner, numpy_helper
from onnx.reference import ReferenceEvaluator

from seqviz.reading.networks.apart.frames import MAX_BYTES, Record, Refused

__all__ = ["records"]

MAX_NODES: Final = 200_000

RECURRENT: Final = ("LSTM", "GRU", "RNN")
_ENDING: Final = re.compile("(LSTM|GRU|RNN)$")
_MOVING: Final = frozenset(
    {"Identity", "Transpose", "Concat", "Slice", "Split", "Unsqueeze", "Squeeze", "Reshape", "Gather", "Cast",
     "Constant", "Shape", "Mul", "Add", "Sub", "Div", "Expand", "ConstantOfShape", "Range", "Neg"}
)  # fmt: skip

_PASSING: Final = frozenset(["Identity", "Transpose", "Squeeze", "Unsqueeze", "Reshape", "Dropout", "Cast", "Flatten"])
_SEEN: Final = ("LSTM", "GRU", "RNN", "Loop", "Scan", "If", "MatMul", "Gemm", "Sigmoid", "Attention", "Softmax", "Conv")


_DOING: Final = frozenset(
    [
        "Attention",
        "AveragePool",
        "BatchNormalization",
        "Celu",
        "Clip",
        "Conv",
        "ConvTranspose",
        "Einsum",
        "Elu",
        "Erf",
        "Gelu",
        "GlobalAveragePool",
        "GlobalMaxPool",
        "GroupNormalization",
        "HardSigmoid",
        "HardSwish",
        "InstanceNormalization",
        "LayerNormalization",
        "LeakyRelu",
        "LogSoftmax",
        "MaxPool",
        "Mish",
        "MultiHeadAttention",
        "PRelu",
        "ReduceMax",
        "ReduceMean",
        "Relu",
        "Selu",
        "Sigmoid",
        "Softmax",
        "Softplus",
        "Softsign",
        "Tanh",
    ]
)
"""What does more to numbers than to move them about."""

_LISTED: Final = 100


def _warm() -> None:
    """The evaluator opens its own files when it is first used, which a child may not any more."""
    value = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
    zero = numpy_helper.from_array(np.zeros(1, "<f4"), "x")
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [], [value], [zero])
    ReferenceEvaluator(helper.make_model(graph)).run(None, {})


_warm()


def records(files: dict[str, bytes]) -> Iterator[Record]:
    """First what the graph is, then each recurrent node and each matrix that may read it out, with their numbers."""
    (_, data), *beside = files.items()
    graph = _Graph(_model(data), {name.rpartition("/")[2]: each for name, each in beside})
    counts: dict[str, Any] = {kind: sum(node.op_type == kind for node in graph.nodes) for kind in _SEEN}
    others = [
        f"{node.domain}.{node.op_type}" for node in graph.nodes if not _recurrent(node) and _ENDING.search(node.op_type)
    ]
    counts["others"] = others[0].strip(".")[:60] if others else ""
    doing = {(node.name or node.op_type).strip("/").replace("/", ".")[-200:]: node.op_type
             for node in graph.nodes if node.op_type in _DOING}  # fmt: skip
    yield {"producer": graph.producer, "counts": counts, "others": dict([*doing.items()][:_LISTED])}, b""
    sent = 0
    for k, node in enumerate(filter(_recurrent, graph.nodes)):
        head = _described(graph, node, k)
        wanted = {part: value for part, value in zip("WRB", node.input[1:4], strict=False) if value}
        if len(node.input) > 7 and node.input[7]:
            wanted["P"] = node.input[7]
        arrays = graph.values(list(wanted.values()), head)
        sent += sum(array.nbytes for array in arrays)
        if sent > MAX_BYTES:
            raise Refused("large")
        head["arrays"] = [
            {"part": part, "name": value, "shape": array.shape, "dtype": array.dtype.name}
            for (part, value), array in zip(wanted.items(), arrays, strict=bool(arrays))
        ]
        yield head, b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)
    yield from _linear(graph)


def _recurrent(node: onnx.NodeProto) -> bool:
    """Whether a node is one of ONNX's own, and not another's of the same name."""
    return node.op_type in RECURRENT and node.domain in ("", "ai.onnx")


def _model(data: bytes) -> onnx.ModelProto:
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise Refused("damaged") from error
    if not model.graph.node:
        raise Refused("damaged")
    if len(model.graph.node) > MAX_NODES:
        raise Refused("nested")
    return inliner.inline_local_functions(model) if model.functions else model


class _Graph:
    """A graph: who makes each value, and the initializers, whose numbers may lie in files beside."""

    def __init__(self, model: onnx.ModelProto, beside: Mapping[str, bytes]) -> None:
        self.beside = beside
        self.producer = f"{model.producer_name} {model.producer_version}".strip()
        self.opsets = model.opset_import
        self.nodes = list(model.graph.node)
        self.made = {value: node for node in self.nodes for value in node.output if value}
        self.initializers = {tensor.name: tensor for tensor in model.graph.initializer}
        self.inputs = {value.name: value for value in model.graph.input if value.name not in self.initializers}

    def values(self, names: list[str], head: dict[str, Any]) -> list[np.ndarray]:
        """The numbers of some values; none, and a word in the head, where they depend on more than initializers."""
        plain = [self.initializers.get(name) for name in names]
        if all(tensor is not None for tensor in plain):
            return [numpy_helper.to_array(self.loaded(tensor)) for tensor in plain if tensor is not None]
        needed: list[onnx.NodeProto] = []
        if problem := self._needed(names, needed):
            head["problem"] = problem
            return []
        used = {value for node in needed for value in node.input} | set(names)
        tensors = [self.loaded(self.initializers[value]) for value in used if value in self.initializers]
        tensors += [self._outline(value) for value in used if value in self.inputs]
        outputs = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names]
        graph = helper.make_graph(needed, "weights", [], outputs, tensors)
        return list(ReferenceEvaluator(helper.make_model(graph, opset_imports=self.opsets)).run(None, {}))

    def _needed(self, names: list[str], needed: list[onnx.NodeProto]) -> str:
        """The nodes that make some values, in order; a word where one does more than move numbers about."""
        waiting: list[tuple[str, bool]] = [(name, False) for name in reversed(names)]
        seen: set[str] = set()
        placed: set[int] = set()
        while waiting:
            value, done = waiting.pop()
            node = self.made.get(value)
            if done and node is not None:
                if id(node) not in placed:
                    placed.add(id(node))
                    needed.append(node)
                continue
            if not value or value in seen or value in self.initializers or value in self.inputs:
                if value in self.inputs and value in names:
                    return "input"
                continue
            seen.add(value)
            if node is None or node.domain not in ("", "ai.onnx") or node.op_type not in _MOVING:
                return node.op_type if node is not None else "input"
            waiting.append((value, True))
            waiting += [(each, False) for each in node.input]
        return ""

    def _outline(self, name: str) -> onnx.TensorProto:
        """An input of the graph, of which only the shape can matter to weights."""
        kind = self.inputs[name].type.tensor_type
        shape = [dim.dim_value or 1 for dim in kind.shape.dim]
        if math.prod(shape) > 2**22:
            raise Refused("memory")
        return numpy_helper.from_array(np.zeros(shape, helper.tensor_dtype_to_np_dtype(kind.elem_type)), name)

    def loaded(self, tensor: onnx.TensorProto) -> onnx.TensorProto:
        """A tensor with its numbers in it.

        Raises:
            Refused: they lie in a file that was not given, or beyond its end.
        """
        if math.prod(tensor.dims) * 16 > 16 * MAX_BYTES or any(size < 0 for size in tensor.dims):
            raise Refused("large")
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            return tensor
        where = {entry.key: entry.value for entry in tensor.external_data}
        name = where.get("location", "").replace("\\", "/").rpartition("/")[2]
        if not name:
            raise Refused("damaged")
        if name not in self.beside:
            raise Refused("beside", name=name[:200])
        try:
            start, length = int(where.get("offset", 0)), int(where.get("length", -1))
        except ValueError:
            raise Refused("damaged") from None
        data = self.beside[name]
        end = start + length if length >= 0 else len(data)
        if not 0 <= start <= end <= len(data):
            raise Refused("beyond", name=name[:200])
        whole = onnx.TensorProto(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims)
        whole.raw_data = data[start:end]
        return whole

    def source(self, value: str) -> tuple[str, str]:
        """Where a value comes from, past what only moves it: the kind, and the node's output or the input's name."""
        swapped = False
        for _ in range(64):
            if value in self.inputs:
                return ("input turned" if swapped else "input"), value
            node = self.made.get(value)
            if node is None or node.op_type not in _PASSING or not node.input:
                return (node.op_type, value) if node is not None else ("", value)
            if node.op_type == "Transpose":
                swapped ^= list(_attributes(node).get("perm", ()))[:2] == [1, 0]
            value = node.input[0]
        return "", value


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {each.name: helper.get_attribute_value(each) for each in node.attribute if not each.ref_attr_name}


def _plain(value: Any) -> Any:
    """An attribute as JSON has it; None for what is no number, text or list of them."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, int | float | str):
        return value
    return [_plain(each) for each in value] if hasattr(value, "__len__") and len(value) < 1000 else None


def _described(graph: _Graph, node: onnx.NodeProto, number: int) -> dict[str, Any]:
    """A recurrent node as JSON."""
    said = {name: _plain(value) for name, value in _attributes(node).items()}
    inputs = [*node.input, *[""] * 8]
    kind, source = graph.source(inputs[0])
    return {
        "node": node.op_type, "name": node.name, "number": number, "attributes": said, "takes": [kind, source],
        "gives": node.output[0] if node.output else "", "lengths": bool(inputs[4]),
        "initial": [_initial(graph, value) for value in inputs[5:7] if value],
    }  # fmt: skip


def _initial(graph: _Graph, value: str) -> dict[str, Any]:
    """A state before the first step: whether it is other than zeros, and how wide it is, 0 where that is not known."""
    arrays = graph.values([value], {})
    if arrays:
        return {"given": bool(np.any(arrays[0])), "width": arrays[0].shape[-1] if arrays[0].ndim else 0}
    for _ in range(64):
        node = graph.made.get(value)
        if node is not None and node.op_type in ("Constant", "ConstantOfShape"):
            filled = _attributes(node).get("value", np.zeros(1))
            filled = numpy_helper.to_array(filled) if isinstance(filled, onnx.TensorProto) else filled
            return {"given": bool(np.any(filled)), "width": 0}
        if node is None or not node.input or node.op_type not in (*_PASSING, "Expand", "Slice"):
            break
        value = node.input[0]
        if value in graph.initializers:
            return _initial(graph, value)
    return {"given": True, "width": 0}


def _linear(graph: _Graph) -> Iterator[Record]:
    """Matrices that something is multiplied by, with what is added after: a Gemm, or a MatMul and an Add."""
    added = {value: node for node in graph.nodes if node.op_type == "Add" for value in node.input}
    for k, node in enumerate(node for node in graph.nodes if node.op_type in ("Gemm", "MatMul")):
        if len(node.input) < 2:
            continue
        add = added.get(node.output[0]) if node.op_type == "MatMul" else node
        tail = [value for value in (add.input if add is not None else ()) if value in graph.initializers]
        names = [node.input[1], tail[-1]] if tail and tail[-1] != node.input[1] else []
        if any(math.prod(graph.initializers[name].dims) > 2**22 for name in names if name in graph.initializers):
            continue
        arrays = graph.values(names, {}) if names else []
        if [array.ndim for array in arrays] != [2, 1]:
            continue
        said, (w, b) = _attributes(node), arrays
        w = w if node.op_type == "Gemm" and said.get("transB") else w.T
        if w.dtype != np.float32 or b.dtype != np.float32 or w.shape[0] != b.shape[0]:
            continue
        name = node.name or f"{node.op_type}_{k}"
        yield {"linear": name, "shape": w.shape}, np.ascontiguousarray(w).tobytes() + b.tobytes()
