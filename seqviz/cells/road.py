"""What follows from a cell's lines in numpy: its run, the gradient's way back, and one step's Jacobian.

The general road for any cell. torch's cells have faster ones, which tests hold equal to this one. Shapes in torch's
letters; steps are in the order of processing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from seqviz.cells.cell import Cell
from seqviz.cells.forward import Rebuilt, Values, hanging, rebuild, run
from seqviz.cells.nodes import Nodes
from seqviz.cells.operations import SLOPES
from seqviz.cells.ran import Pulled, Ran

__all__ = ["Pulled", "Rebuilt", "Values", "jacobians", "pull", "pull_back", "rebuild", "run", "within"]

Array = np.ndarray[Any, np.dtype[Any]]


def pull_back(ran: Ran, e: Mapping[str, Array]) -> Pulled:
    """:func:`pull` of a layer as it ran; ``e`` is what reaches its states from outside the recursion.

    A step that the loss does not reach has the gradient 0, whatever the network did there.
    """
    return pull(Values(ran.cell, ran.nodes.weights, ran.nodes), e, ran.gains, ran.valid)


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
    like = next(iter(outside.values()))
    steps, batch = like.shape[:2]
    dark = _dark(outside, steps, batch)
    slopes = [_lit(_slopes(values, k), dark) for k in range(len(nodes))]
    kind = np.result_type(*outside.values())
    flows = _blank(values, {cell.where[name] for name in (*outside, *cell.states)}, gains, (steps, batch), kind)
    carried = {state: np.zeros_like(flows[cell.where[state]][0]) for state in cell.states}
    again, after = _in_turn(cell, flows)
    for t in range(steps - 1, -1, -1):
        inside = None if valid is None else valid[t, :, None]
        for name, gradient in outside.items():
            flows[cell.where[name]][t] += gradient[t] if inside is None else gradient[t] * inside
        onward: dict[str, Array] = {}
        for state, gradient in carried.items():
            flow = gradient if inside is None else np.where(inside, gradient, 0.0)
            flows[cell.where[state]][t] += flow
            onward[state] = np.zeros_like(gradient) if inside is None else np.where(inside, 0.0, gradient)
        for k in again:
            _step_back(values, k, t, flows, slopes[k], gains, onward)
        carried = onward
    for k in after:
        _step_back(values, k, slice(None), flows, slopes[k], gains, {})
    at = {name: flows[k] for name, k in cell.where.items()}
    x = sum((flows[k] for k, node in enumerate(nodes) if node.op == "x"), np.zeros(1, kind))
    if x.ndim == 1:  # the cell does not see its input
        x = np.zeros((steps, batch, _input_width(values)), kind)
    return Pulled(at, x, carried, _factors(values, flows))


def _blank(
    values: Values, own: set[int], gains: Mapping[str, Array], shape: tuple[int, int], kind: np.dtype[Any]
) -> list[Array]:
    """Where every node's gradient is gathered, ``(L, N, width)``: one array for a node and the only one that reads it
    where that hands on what it gets as it is.

    Args:
        values: the run.
        own: nodes that get something from elsewhere too, and so have an array of their own.
        gains: as for :func:`pull`.
        shape: ``(L, N)``.
        kind: the type of the numbers.
    """
    nodes = values.cell.nodes
    readers: list[list[int]] = [[] for _ in nodes]
    for k, node in enumerate(nodes):
        for a in node.args:
            readers[a].append(k)
    found: list[Any] = [None] * len(nodes)
    for k in range(len(nodes) - 1, -1, -1):
        width = values.nodes[k].shape[-1]
        if k not in own and len(readers[k]) == 1:
            (reader,) = readers[k]
            by = nodes[reader]
            same = by.op == "+" or (by.op == "at" and by.name not in gains)
            if same and found[reader].shape[-1] == width:
                found[k] = found[reader]
        if found[k] is None:
            found[k] = np.zeros((*shape, width), kind)
    return found


def _in_turn(cell: Cell, flows: list[Array]) -> tuple[list[int], list[int]]:
    """The nodes that hand something on, in the order of the way back: those that reach the step before, and those that
    do not, which can wait until all steps are there."""
    hangs = hanging(cell, set(cell.states))
    again, after = list[int](), list[int]()
    for k in range(len(cell.nodes) - 1, -1, -1):
        node = cell.nodes[k]
        if node.op == "prev" or hangs.intersection(node.args):
            again.append(k)
        elif node.args:
            after.append(k)
    still = lambda k: any(flows[a] is not flows[k] for a in cell.nodes[k].args) or not cell.nodes[k].args  # noqa: E731
    return [k for k in again if still(k)], [k for k in after if still(k)]


def _input_width(values: Values) -> int:
    return int(values.nodes.x.shape[-1]) if isinstance(values.nodes, Nodes) else 1


def _dark(outside: Mapping[str, Array], steps: int, batch: int) -> Array:
    """``(L, N)``: the steps after the last one that the loss reaches."""
    asked = np.zeros((steps, batch), bool)
    for gradient in outside.values():
        asked |= gradient.any(axis=2)
    return ~np.logical_or.accumulate(asked[::-1], axis=0)[::-1]


def _lit(slopes: tuple[Any, ...], dark: Array) -> tuple[Any, ...]:
    """Slopes, 0 at dark steps where one is not finite: there 0 times NaN has to be 0."""
    return tuple(s if np.isscalar(s) or np.isfinite(np.sum(s)) else np.where(dark[..., None], 0, s) for s in slopes)


def _slopes(values: Values, k: int) -> tuple[Any, ...]:
    node, args = values.cell.nodes[k], values.cell.nodes[k].args
    if node.op == "^":
        return (node.value * values.nodes[args[0]] ** (node.value - 1),)
    if node.op in ("+", "-"):
        return (1.0, 1.0 if node.op == "+" else -1.0)
    return SLOPES[node.op](values.nodes[k], *(values.nodes[a] for a in args)) if node.op in SLOPES else ()


def _step_back(
    values: Values,
    k: int,
    t: int | slice,
    flows: list[Array],
    slopes: tuple[Any, ...],
    gains: Mapping[str, Array],
    onward: dict[str, Array],
) -> None:
    """Hand a node's gradient at a step, or at some, on to what it was made of."""
    node, flow = values.cell.nodes[k], flows[k][t]
    if node.op == "prev":
        onward[node.name] = onward[node.name] + flow
    elif node.op == "at":
        gain = gains.get(node.name)
        flows[node.args[0]][t] += flow if gain is None else _held(flow, gain[t if len(gain) > 1 else 0])
    elif node.op == "affine":
        flows[node.args[0]][t] += flow @ values.weights[node.name]
    else:
        for a, slope in zip(node.args, slopes, strict=True):
            if values.cell.nodes[a].op != "const" and flows[a] is not flows[k]:
                _add(flows[a], t, flow * (slope if np.isscalar(slope) else slope[t]))


def _held(flow: Array, gain: Array) -> Array:
    """Their product; nothing goes through what was held, whatever it is."""
    found: Array = np.where(gain == 0, 0, flow * gain)
    return found


def _add(flow: Array, t: int | slice, piece: Array) -> None:
    """One number for all units takes what reaches any of them."""
    flow[t] += piece.sum(axis=-1, keepdims=True) if flow.shape[-1] == 1 != piece.shape[-1] else piece


def _factors(values: Values, flows: list[Array]) -> dict[str, tuple[Array, Array | None]]:
    """What the gradient of each weight is the product of; a weight that is used twice has both, one batch after
    the other."""
    found: dict[str, tuple[Array, Array | None]] = {}

    def add(name: str, left: Array, right: Array | None) -> None:
        if name in found:
            first, second = found[name]
            left = np.concatenate([first, left], axis=1)
            right = None if right is None or second is None else np.concatenate([second, right], axis=1)
        found[name] = (left, right)

    for k, node in enumerate(values.cell.nodes):
        if node.op == "vec":
            add(node.name, flows[k], None)
        elif node.op == "affine":
            add(node.name, flows[k], values.nodes[node.args[0]])
            if node.bias and node.bias in values.weights:
                add(node.bias, flows[k], None)
    return found


def jacobians(values: Values, batch: int = 0, gains: Mapping[str, Array] | None = None) -> Array:
    """``d s_t / d s_{t-1}`` of every step, ``(L, S, S)``: the states in the cell's order, the input held fixed."""
    cell, gains = values.cell, gains or {}
    states = cell.states
    sizes = [values[state].shape[-1] for state in states]
    starts = dict(zip(states, np.cumsum([0, *sizes[:-1]]), strict=True))
    steps, total = len(values["h"]), sum(sizes)
    tangents: list[Any] = []
    for k, node in enumerate(cell.nodes):
        if node.op == "prev":
            size = values.nodes[k].shape[-1]
            eye = np.zeros((size, total))
            eye[np.arange(size), starts[node.name] + np.arange(size)] = 1.0
            tangents.append(np.broadcast_to(eye, (steps, size, total)))
            continue
        inner = [tangents[a] for a in node.args]
        if all(tangent is None for tangent in inner):
            tangents.append(None)
            continue
        if node.op == "affine":
            tangents.append(values.weights[node.name] @ inner[0])
            continue
        slopes = [s if np.isscalar(s) else s[:, batch, :, None] for s in _slopes(values, k)]
        if node.op == "at":
            gain = gains.get(node.name)
            slopes = [1.0 if gain is None else gain[:, min(batch, gain.shape[1] - 1), :, None]]
        parts = [_scaled(slope, tangent) for tangent, slope in zip(inner, slopes, strict=True) if tangent is not None]
        tangents.append(sum(parts[1:], parts[0]))
    found = np.zeros((steps, total, total))
    for state, size in zip(states, sizes, strict=True):
        if (block := tangents[cell.where[state]]) is not None:
            found[:, starts[state] : starts[state] + size] = block
    return found


def _scaled(slope: Any, tangent: Array) -> Array:
    if not isinstance(slope, np.ndarray):
        times: Array = tangent if slope == 1 else tangent * float(slope)
        return times
    found: Array = np.where(slope == 0, 0, slope * tangent)
    return found


def within(
    values: Values,
    of: str,
    by: str,
    batch: int = 0,
    gains: Mapping[str, Array] | None = None,
    *,
    before: bool = False,
    past: str = "",
) -> Array | None:
    """``d of_t / d by_t`` within a step, unit by unit ``(L, H)``, everything of the step before held fixed; None where
    a matrix stands between, so that units mix. With ``before`` by the value of ``by`` before the step, h held fixed;
    with ``past`` by those ways only that do not pass that signal."""
    cell, gains = values.cell, gains or {}
    steps = len(values["h"])
    tangents: list[Any] = [None] * len(cell.nodes)
    for k, node in enumerate(cell.nodes):
        if (node.op == "prev" and node.name == by) if before else k == cell.where[by]:
            tangents[k] = np.ones((steps, values[by].shape[-1]))
            continue
        inner = [tangents[a] for a in node.args]
        if node.op == "prev" or (past and k == cell.where[past]) or all(tangent is None for tangent in inner):
            continue
        if node.op == "affine":
            return None
        slopes = [s if np.isscalar(s) else s[:, batch] for s in _slopes(values, k)]
        if node.op == "at":
            gain = gains.get(node.name)
            slopes = [1.0 if gain is None else gain[:, min(batch, gain.shape[1] - 1)]]
        parts = [_scaled(slope, tangent) for tangent, slope in zip(inner, slopes, strict=True) if tangent is not None]
        tangents[k] = sum(parts[1:], parts[0])
        if k == cell.where[of]:
            break
    found: Array | None = tangents[cell.where[of]]
    nothing: Array = np.zeros((steps, values[of].shape[-1]))
    return nothing if found is None else found


def squashed(ran: Ran) -> list[Array]:
    """The slope of every squashing that is never exactly 0."""
    values, curves = Values(ran.cell, ran.nodes.weights, ran.nodes), ("sigmoid", "tanh", "softplus", "logsigmoid")
    return [_slopes(values, k)[0] for k, node in enumerate(ran.cell.nodes) if node.op in curves]
