"""What follows from a cell's lines in numpy: its run, the gradient's way back, and one step's Jacobian.

The general road for any cell. torch's cells have faster ones, which tests hold equal to this one. Shapes in torch's
letters; steps are in the order of processing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqviz.cells.cell import Cell
from seqviz.cells.operations import SLOPES, VALUES

__all__ = ["Pulled", "Values", "jacobians", "pull", "run"]

Array = np.ndarray[Any, np.dtype[Any]]
At = Callable[[str, int, Array], Array]


@dataclass(frozen=True)
class Values:
    """A run: every node's value ``(L, N, width)``, the weights by name, the states before the first step."""

    cell: Cell
    weights: Mapping[str, Array]
    nodes: tuple[Array, ...]

    def __getitem__(self, name: str) -> Array:
        """A hook point's values, ``(L, N, H)``."""
        return self.nodes[self.cell.where[name]]


@dataclass(frozen=True)
class Pulled:
    """Gradients: at every hook point ``(L, N, H)``, at the input, at the states before the first step, at weights."""

    at: Mapping[str, Array]
    x: Array
    initial: Mapping[str, Array]
    weights: Mapping[str, Array]


def run(
    cell: Cell, weights: Mapping[str, Array], x: Array, initial: Mapping[str, Array], at: At | None = None
) -> Values:
    """Every value of every step.

    Args:
        cell: what to compute.
        weights: by the names in the lines; a bias may be missing.
        x: ``(L, N, H_in)``.
        initial: every state before the first step, ``(N, H)``.
        at: called at every hook point of every step with its name, the step and its value ``(N, H)``; what it
            returns replaces the value.
    """
    steps, batch = x.shape[:2]
    hidden = next(len(weights[name]) for name, letters in cell.shapes.items() if letters[0] == "H" and name in weights)
    kind = np.result_type(x, *initial.values())
    nodes = cell.nodes
    widths = [cell.width(node.width, x.shape[-1], hidden) for node in nodes]
    found = [np.empty((steps, batch, width), kind) for width in widths]
    before = dict(initial)
    for t in range(steps):
        for k, node in enumerate(nodes):
            value = _value(node, [found[a][t] for a in node.args], x[t], before, weights)
            found[k][t] = value if at is None or node.op != "at" else at(node.name, t, value)
        before = {state: found[cell.where[state]][t] for state in cell.states}
    return Values(cell, weights, tuple(found))


def _value(node: Any, args: list[Array], x: Array, before: Mapping[str, Array], weights: Mapping[str, Array]) -> Any:
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


def pull(
    values: Values, outside: Mapping[str, Array], gains: Mapping[str, Array] | None = None, valid: Array | None = None
) -> Pulled:
    """Carry what reaches some signals from outside the recursion back through all steps.

    Args:
        values: the run.
        outside: gradients by hook point, ``(L, N, H)``; at h, usually.
        gains: by hook point, the factor of the gradient on its way from the value after an edit to the one before it.
        valid: ``(L, N)``, false on padding, over which a state's gradient is carried unchanged.
    """
    cell, nodes = values.cell, values.cell.nodes
    gains = gains or {}
    steps = len(values.nodes[0])
    slopes = [_slopes(values, k) for k in range(len(nodes))]
    flows = [np.zeros_like(value) for value in values.nodes]
    carried = {state: np.zeros_like(values[state][0]) for state in cell.states}
    for t in range(steps - 1, -1, -1):
        inside = None if valid is None else valid[t, :, None]
        for name, gradient in outside.items():
            flows[cell.where[name]][t] += gradient[t] if inside is None else gradient[t] * inside
        onward: dict[str, Array] = {}
        for state, gradient in carried.items():
            flow = gradient if inside is None else np.where(inside, gradient, 0.0)
            flows[cell.where[state]][t] += flow
            onward[state] = np.zeros_like(gradient) if inside is None else np.where(inside, 0.0, gradient)
        for k in range(len(nodes) - 1, -1, -1):
            _step_back(values, k, t, flows, slopes[k], gains, onward)
        carried = onward
    at = {name: flows[k] for name, k in cell.where.items()}
    return Pulled(at, _summed(values, flows, "x"), carried, _weights(values, flows))


def _slopes(values: Values, k: int) -> tuple[Any, ...]:
    node, args = values.cell.nodes[k], [values.nodes[a] for a in values.cell.nodes[k].args]
    if node.op == "^":
        return (node.value * args[0] ** (node.value - 1),)
    return SLOPES[node.op](values.nodes[k], *args) if node.op in SLOPES else ()


def _step_back(
    values: Values,
    k: int,
    t: int,
    flows: list[Array],
    slopes: tuple[Any, ...],
    gains: Mapping[str, Array],
    onward: dict[str, Array],
) -> None:
    """Hand a node's gradient at a step on to what it was made of."""
    node, flow = values.cell.nodes[k], flows[k][t]
    if node.op == "prev":
        onward[node.name] = onward[node.name] + flow
    elif node.op == "at":
        gain = gains.get(node.name)
        flows[node.args[0]][t] += flow if gain is None else flow * gain[t]
    elif node.op == "affine":
        flows[node.args[0]][t] += flow @ values.weights[node.name]
    else:
        for a, slope in zip(node.args, slopes, strict=True):
            if values.cell.nodes[a].op != "const":
                _add(flows[a], t, flow * (slope if np.isscalar(slope) else slope[t]))


def _add(flow: Array, t: int, piece: Array) -> None:
    """One number for all units takes what reaches any of them."""
    flow[t] += piece.sum(axis=-1, keepdims=True) if flow.shape[-1] == 1 != piece.shape[-1] else piece


def _summed(values: Values, flows: list[Array], op: str) -> Array:
    return sum((flows[k] for k, node in enumerate(values.cell.nodes) if node.op == op), np.zeros(1))


def _weights(values: Values, flows: list[Array]) -> dict[str, Array]:
    rows = lambda a: a.reshape(-1, a.shape[-1])  # noqa: E731
    found: dict[str, Array] = {}
    for k, node in enumerate(values.cell.nodes):
        if node.op == "vec":
            found[node.name] = found.get(node.name, 0.0) + rows(flows[k]).sum(axis=0)
        elif node.op == "affine":
            flow = rows(flows[k])
            found[node.name] = found.get(node.name, 0.0) + flow.T @ rows(values.nodes[node.args[0]])
            if node.bias:
                found[node.bias] = found.get(node.bias, 0.0) + flow.sum(axis=0)
    return found


def jacobians(values: Values, batch: int = 0, gains: Mapping[str, Array] | None = None) -> Array:
    """``d s_t / d s_{t-1}`` of every step, ``(L, S, S)``: the states in the cell's order, the input held fixed."""
    cell, gains = values.cell, gains or {}
    states = cell.states
    sizes = [values[state].shape[-1] for state in states]
    starts = dict(zip(states, np.cumsum([0, *sizes[:-1]]), strict=True))
    steps, total = len(values.nodes[0]), sum(sizes)
    tangents: list[Any] = []
    for k, node in enumerate(cell.nodes):
        if node.op == "prev":
            size = values.nodes[k].shape[-1]
            eye = np.zeros((size, total))
            eye[np.arange(size), starts[node.name] + np.arange(size)] = 1.0
            tangents.append(np.broadcast_to(eye, (steps, size, total)))
            continue
        slopes = [s if np.isscalar(s) else s[:, batch, :, None] for s in _slopes(values, k)]
        if node.op == "at":
            gain = gains.get(node.name)
            slopes = [1.0 if gain is None else gain[:, min(batch, gain.shape[1] - 1), :, None]]
        pairs = [(tangents[a], a) for a in node.args]
        if node.op == "affine":
            inner = pairs[0][0]
            tangents.append(None if inner is None else values.weights[node.name] @ inner)
            continue
        parts = [slope * tangent for (tangent, _), slope in zip(pairs, slopes, strict=True) if tangent is not None]
        tangents.append(sum(parts[1:], parts[0]) if parts else None)
    found = np.zeros((steps, total, total))
    for state, size in zip(states, sizes, strict=True):
        if (block := tangents[cell.where[state]]) is not None:
            found[:, starts[state] : starts[state] + size] = block
    return found
