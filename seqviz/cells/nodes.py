"""The values of a cell's tape over all the steps of a run at once, each computed when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from seqviz.cells.cell import Cell
from seqviz.cells.operations import VALUES
from seqviz.cells.tape import Node

__all__ = ["Multiply", "Nodes", "times", "value_of"]

Array = np.ndarray[Any, np.dtype[Any]]
Multiply = Callable[[Array, Array, Array | None], Array]
"""Rows ``(n, K)``, weight ``(M, K)`` and bias ``(M,)`` to ``rows @ weight.T + bias`` ``(n, M)``."""


def times(rows: Array, weight: Array, bias: Array | None) -> Array:
    """The product by numpy."""
    found: Array = rows @ weight.T
    if bias is not None:
        found += bias
    return found


class Nodes:
    """``nodes[k]`` is the value of node k at every step, ``(L, N, width)``; the states before each step are known.

    Args:
        cell: whose tape.
        weights: by the names in the lines; a bias may be missing.
        x: ``(L, N, H_in)``.
        before: by state, its values before each step ``(L, N, H)``.
        signals: values of hook points that are known, and taken as they are; the others are computed.
        packed: torch's packed weights, where they are at hand: what reads the same value is one of them.
        multiply: the product to use. Where a sum overflows, what it gives hangs on the library that adds it up.
    """

    def __init__(
        self,
        cell: Cell,
        weights: Mapping[str, Array],
        x: Array,
        before: Mapping[str, Array],
        signals: Mapping[str, Array],
        packed: Mapping[str, Array] | None = None,
        multiply: Multiply = times,
    ) -> None:
        self.packed, self.multiply = packed or {}, multiply
        self.cell, self.weights, self.x, self.before, self.signals = cell, weights, x, before, signals
        self._found: list[Array | None] = [None] * len(cell.nodes)
        self._groups = {k: (read, products) for read, products in cell.groups for k in products}

    def __len__(self) -> int:
        return len(self._found)

    def __getitem__(self, k: int) -> Array:
        waiting = [k]
        while waiting:
            here = waiting[-1]
            if self._found[here] is None:
                if missing := [a for a in self._needed(here) if self._found[a] is None]:
                    waiting += missing
                    continue
                self._compute(here)
            waiting.pop()
        found = self._found[k]
        assert found is not None
        return found

    def width(self, k: int) -> int:
        """How many numbers a step of a node has."""
        letter = self.cell.nodes[k].width
        if letter in ("X", ""):
            return self.x.shape[-1] if letter else 1
        return self.cell.sizes.get(letter) or self._hidden

    @property
    def _hidden(self) -> int:
        return next(len(self.weights[n]) for n, s in self.cell.shapes.items() if s[0] == "H" and n in self.weights)

    def _needed(self, k: int) -> tuple[int, ...]:
        node = self.cell.nodes[k]
        return () if node.op == "at" and node.name in self.signals else node.args

    def _compute(self, k: int) -> None:
        node = self.cell.nodes[k]
        if node.op == "at" and node.name in self.signals:
            self._found[k] = self.signals[node.name]
        elif node.op == "affine":
            self._products(*self._groups[k])
        else:
            args = [self._found[a] for a in node.args]
            value = value_of(node, args, self.x, self.before, self.weights)
            shape = (*self.x.shape[:2], self.width(k))
            self._found[k] = (
                value if np.shape(value) == shape else np.broadcast_to(np.asarray(value, self.x.dtype), shape)
            )

    def _products(self, read: int, products: tuple[int, ...]) -> None:
        """All that multiply the same value, as one product; its parts are views."""
        value, nodes = self._found[read], [self.cell.nodes[k] for k in products]
        assert value is not None
        weight = self._together(tuple(node.name for node in nodes))
        bias = self._biases(nodes) if any(node.bias in self.weights for node in nodes) else None
        found = self.multiply(value.reshape(-1, value.shape[-1]), weight, bias).reshape(*value.shape[:2], -1)
        stop = 0
        for k, node in zip(products, nodes, strict=True):
            start, stop = stop, stop + len(self.weights[node.name])
            self._found[k] = found[..., start:stop]

    def _together(self, names: tuple[str, ...]) -> Array:
        """Weights one under the other: a packed one where it is made of just these."""
        if len(names) == 1:
            return self.weights[names[0]]
        for part, blocks in self.cell.packing.items():
            if blocks == names and part in self.packed:
                return self.packed[part]
        return np.concatenate([self.weights[name] for name in names])

    def _biases(self, nodes: list[Node]) -> Array:
        if all(node.bias in self.weights for node in nodes):
            return self._together(tuple(node.bias for node in nodes))
        blank = [np.zeros(len(self.weights[node.name]), self.x.dtype) for node in nodes]
        return np.concatenate([self.weights.get(node.bias, zero) for node, zero in zip(nodes, blank, strict=True)])


def value_of(node: Node, args: list[Any], x: Array, before: Mapping[str, Array], weights: Mapping[str, Array]) -> Any:
    """A node's value from those that it reads: at a step ``(N, width)``, or at all of them."""
    if node.op == "x":
        return x
    if node.op == "prev":
        return before[node.name]
    if node.op == "const":
        return node.value
    if node.op == "vec":
        return weights.get(node.name, 0.0)
    if node.op == "at":
        return args[0]
    if node.op == "^":
        return args[0] ** node.value
    if node.op == "affine":
        return args[0] @ weights[node.name].T + weights.get(node.bias, 0.0)
    return VALUES[node.op](*args)
