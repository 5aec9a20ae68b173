"""Files of networks as ONNX has them, made by hand; and a reader that is not a process of its own, for many of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper

from seqviz.reading.networks import NetworkFile, Stack
from seqviz.reading.networks.apart.frames import Refused
from seqviz.reading.networks.started import refusal

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def read_here(kind: str, files: Mapping[str, bytes]) -> list[tuple[dict[str, Any], bytes]]:
    """What the process would answer, without one: the truth of numbers does not need it, and it takes a while."""
    try:
        found = list(import_module(f"seqviz.reading.networks.apart.{kind}").records(dict(files)))
    except Refused as refused:
        raise refusal(refused.record) from None
    return [(json.loads(json.dumps(head)), bytes(body)) for head, body in found]


def output(file: NetworkFile, stack: Stack, x: torch.Tensor, **answers: Any) -> torch.Tensor:
    """What a stack gives when the network takes ``x``, turned as the file's own framework turns it."""
    module = file.module(stack, **answers)
    fed = file.fed(stack, x.transpose(0, 1) if module.batch_first else x)
    fed = fed.flip(0) if stack.backwards else fed
    with torch.no_grad():
        y = module(fed.transpose(0, 1) if module.batch_first else fed)[0]
    time = 1 if module.batch_first else 0
    return y.flip(time) if stack.turned_back else y


def node(
    kind: str,
    size: int,
    width: int,
    *,
    ways: int = 1,
    bias: bool = True,
    seed: int = 0,
    name: str = "x",
    to: str = "y",
    **attributes: Any,
) -> tuple[onnx.NodeProto, list[onnx.TensorProto]]:
    """A recurrent node with weights drawn from a seed, called by its output's name."""
    draw, rows = np.random.default_rng(seed), GATES[kind] * size
    shapes = {"W": (ways, rows, width), "R": (ways, rows, size)} | ({"B": (ways, 2 * rows)} if bias else {})
    tensors = [numpy_helper.from_array(draw.normal(0, 0.5, s).astype("<f4"), f"{to}_{k}") for k, s in shapes.items()]
    made = helper.make_node(kind, [name, *(t.name for t in tensors)], [to], hidden_size=size, **attributes)
    return made, tensors


def model(nodes: list[onnx.NodeProto], tensors: list[onnx.TensorProto], width: int, out: str = "y") -> onnx.ModelProto:
    """A graph from ``x`` to ``out``."""
    values = [helper.make_tensor_value_info(each, onnx.TensorProto.FLOAT, None) for each in ("x", out)]
    graph = helper.make_graph(nodes, "g", values[:1], values[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
