"""One step of any cell in torch, from its lines, with every intermediate value in reach and autograd through it.

Shapes in torch's letters: ``N`` batch, ``H_in`` input size, ``H`` hidden size, ``P`` projection size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import linear, logsigmoid, softplus

from seqviz.cells.cell import Cell
from seqviz.cells.tape import Node

__all__ = ["At", "Named", "Step", "Weights", "parts", "unpack"]

At = Callable[[str, Tensor], Tensor]
"""What happens at a signal: takes its name and value, returns the value to go on with."""


class Weights(NamedTuple):
    """The tensors of one layer and direction, named and packed as torch does.

    ``weight_ih`` is ``(blocks * H, H_in)``, ``weight_hh`` is ``(blocks * H, H or P)``, the biases are
    ``(blocks * H,)`` or ``None``, and ``weight_hr``, of an LSTM with ``proj_size``, is ``(P, H)``.
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor | None = None
    bias_hh: Tensor | None = None
    weight_hr: Tensor | None = None


class Named(dict[str, Tensor]):
    """The tensors of one layer of a cell that torch does not have, by their names in :attr:`Cell.packing`."""


def parts(weights: Weights | Named) -> dict[str, Tensor]:
    """The tensors of a layer by name, those that are there."""
    named = weights._asdict() if isinstance(weights, Weights) else weights
    return {name: tensor for name, tensor in named.items() if tensor is not None}


def unpack(cell: Cell, weights: Weights | Named) -> dict[str, Tensor]:
    """Packed weights by their names in the lines, as views: ``W_if`` is block f of ``weight_ih``."""
    found = cell.unpack(parts(weights))
    hr = weights.weight_hr if isinstance(weights, Weights) else None
    return found if hr is None else found | {"W_hr": hr}


class Step:
    """A cell with its weights: ``step(x, before)`` gives every signal of one step.

    Args:
        cell: what to compute.
        weights: packed tensors, or any cell's by the names in its lines; those of a bias may be missing.
    """

    def __init__(self, cell: Cell, weights: Weights | Mapping[str, Tensor]) -> None:
        if isinstance(weights, Weights) and weights.weight_hr is not None:
            cell = cell.projected(len(weights.weight_hr))
        self.cell = cell
        self._packed = parts(weights) if isinstance(weights, Weights | Named) else {}
        self._named: Mapping[str, Tensor] = unpack(cell, weights) if isinstance(weights, Weights | Named) else weights
        self._first: list[Any] = [None] * len(cell.nodes)
        self._code: list[tuple[int, Callable[[list[Any]], Any]]] = []
        self._groups = {products[0]: (read, products) for read, products in cell.groups}
        for k, node in enumerate(cell.nodes):
            self._read(k, node)
        self._inputs = [k for k, node in enumerate(cell.nodes) if node.op == "x"]
        self._before = [(k, node.name) for k, node in enumerate(cell.nodes) if node.op == "prev"]

    def _read(self, k: int, node: Node) -> None:
        if node.op == "const":
            self._first[k] = node.value
        elif node.op == "vec":
            self._first[k] = self._named[node.name]
        elif node.op == "affine":
            if k in self._groups:
                self._group(*self._groups[k])
        elif node.op not in ("x", "prev", "at"):
            self._code.append((k, _OPERATIONS[node.op](*node.args, node.value)))
        elif node.op == "at":
            self._code.append((-1 - k, _hook(node.name, node.args[0])))

    def _group(self, read: int, products: tuple[int, ...]) -> None:
        """One product for all that read the same value; its parts are views."""
        nodes = [self.cell.nodes[k] for k in products]
        weight, bias = self._together(nodes)
        sizes = [len(self._named[node.name]) for node in nodes]
        if len(products) == 1:
            self._code.append((products[0], lambda v: linear(v[read], weight, bias)))
            return

        def parts(v: list[Any]) -> Any:
            found = linear(v[read], weight, bias).split(sizes, -1)
            for k, part in zip(products[1:], found[1:], strict=True):
                v[k] = part
            return found[0]

        self._code.append((products[0], parts))

    def _together(self, nodes: list[Node]) -> tuple[Tensor, Tensor | None]:
        """The matrices and biases of a group: torch's own tensors where the group is one of them."""
        names = [node.name for node in nodes]
        for stem, part in (("W_i", "ih"), ("W_h", "hh")):
            if f"weight_{part}" in self._packed and names == [stem + block for block in self.cell.blocks]:
                return self._packed[f"weight_{part}"], self._packed.get(f"bias_{part}")
        weight = torch.cat([self._named[name] for name in names]) if len(names) > 1 else self._named[names[0]]
        biases = [self._named.get(node.bias) if node.bias else None for node in nodes]
        if all(bias is None for bias in biases):
            return weight, None
        rows = [self._named[name] for name in names]
        filled = [r.new_zeros(len(r)) if bias is None else bias for r, bias in zip(rows, biases, strict=True)]
        return weight, torch.cat(filled)

    def __call__(self, x: Tensor, before: Mapping[str, Tensor], at: At | None = None) -> dict[str, Tensor]:
        """Every hook point's value by name, in the order of computation, each ``(N, H)`` or as wide as its lines say.

        Args:
            x: the input at this step, ``(N, H_in)``.
            before: every state before this step.
            at: called at every hook point; what it returns replaces the value.
        """
        v = self._first.copy()
        for k in self._inputs:
            v[k] = x
        for k, name in self._before:
            v[k] = before[name]
        found: dict[str, Tensor] = {}
        for k, compute in self._code:
            if k >= 0:
                v[k] = compute(v)
                continue
            name, value = compute(v)
            found[name] = v[-1 - k] = value if at is None else at(name, value)
        return found


def _hook(name: str, read: int) -> Callable[[list[Any]], tuple[str, Any]]:
    return lambda v: (name, v[read])


def _one(function: Callable[[Tensor], Tensor]) -> Callable[..., Callable[[list[Any]], Any]]:
    return lambda a, _: lambda v: function(v[a])


def _extreme(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Callable[[list[Any]], Any]]:
    """``max`` or ``min``, also against a number; at a tie each side has half the slope, as of two tensors."""

    def compute(v: list[Any], a: int, b: int) -> Tensor:
        like = v[a] if isinstance(v[a], Tensor) else v[b]
        return function(*(value if isinstance(value, Tensor) else like.new_tensor(value) for value in (v[a], v[b])))

    return lambda a, b, _: lambda v: compute(v, a, b)


_OPERATIONS: dict[str, Callable[..., Callable[[list[Any]], Any]]] = {
    "+": lambda a, b, _: lambda v: v[a] + v[b],
    "-": lambda a, b, _: lambda v: v[a] - v[b],
    "*": lambda a, b, _: lambda v: v[a] * v[b],
    "/": lambda a, b, _: lambda v: v[a] / v[b],
    "^": lambda a, power: lambda v: v[a] ** power,
    "neg": lambda a, _: lambda v: -v[a],
    "sigmoid": _one(torch.sigmoid),
    "tanh": _one(torch.tanh),
    "relu": _one(torch.relu),
    "exp": _one(torch.exp),
    "log": _one(torch.log),
    "abs": _one(torch.abs),
    "sqrt": _one(torch.sqrt),
    "sin": _one(torch.sin),
    "cos": _one(torch.cos),
    "softplus": _one(softplus),
    "logsigmoid": _one(logsigmoid),
    "max": _extreme(torch.maximum),
    "min": _extreme(torch.minimum),
}
