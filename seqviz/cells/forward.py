"""A cell's lines run forward in numpy: from its own states, or rebuilt from the h that came out.

Shapes in torch's letters; steps are in the order of processing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from seqviz.cells.cell import Cell
from seqviz.cells.nodes import Multiply, Nodes, times, value_of
from seqviz.cells.tape import Node

__all__ = ["Rebuilt", "Values", "hanging", "rebuild", "run"]

Array = np.ndarray[Any, np.dtype[Any]]
At = Callable[[str, int, Array], Array]


@dataclass(frozen=True)
class Values:
    """A run: every node's value ``(L, N, width)``, the weights by name, the states before the first step."""

    cell: Cell
    weights: Mapping[str, Array]
    nodes: Any

    def __getitem__(self, name: str) -> Array:
        """A hook point's values, ``(L, N, H)``."""
        found: Array = self.nodes[self.cell.where[name]]
        return found


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
    kept = {state: np.empty((steps + 1, *start.shape), kind) for state, start in initial.items()}
    for state, start in initial.items():
        kept[state][0] = start
    before = {state: values[:-1] for state, values in kept.items()}
    again = set(range(len(cell.nodes))) if at is not None else hanging(cell, set(cell.states))
    found: list[Array] = []
    stepwise: list[tuple[int, Node]] = []
    for k, node in enumerate(cell.nodes):
        shape = (steps, batch, cell.width(node.width, x.shape[-1], hidden))
        if node.op in ("x", "prev"):
            found.append(x if node.op == "x" else before[node.name])
        elif k not in again:
            found.append(np.broadcast_to(value_of(node, [found[a] for a in node.args], x, before, weights), shape))
        elif node.op == "at" and at is None:
            found.append(found[node.args[0]])
        else:
            found.append(np.empty(shape, kind))
            stepwise.append((k, node))
    for t in range(steps):
        now = {state: values[t] for state, values in kept.items()}
        for k, node in stepwise:
            value = value_of(node, [found[a][t] for a in node.args], x[t], now, weights)
            found[k][t] = value if at is None or node.op != "at" else at(node.name, t, value)
        for state in cell.states:
            kept[state][t + 1] = found[cell.where[state]][t]
    return Values(cell, weights, tuple(found))


class Rebuilt(NamedTuple):
    """Every node's values, and h as the lines make it from torch's h of the step before, ``(L, N, H)``."""

    nodes: Nodes
    h: Array


def rebuild(
    cell: Cell,
    weights: Mapping[str, Array],
    x: Array,
    h: Array,
    before_h: Array | None,
    initial: Mapping[str, Array],
    multiply: Multiply = times,
) -> Rebuilt:
    """Every value of every step where h is known: nothing is run again from its own h, so nothing drifts.

    Args:
        cell, weights, x: as for :func:`run`.
        h: as it came out, ``(L, N, H)``.
        before_h: the same before each step; None where h is no state.
        initial: the states before the first step, ``(N, H)``.
        multiply: as for :class:`~seqviz.cells.nodes.Nodes`.
    """
    states = [state for state in cell.states if state != "h"]
    found = {state: np.empty((*x.shape[:2], initial[state].shape[-1]), x.dtype) for state in states}
    before = {state: np.empty_like(values) for state, values in found.items()}
    if before_h is not None:
        before["h"] = before_h
    nodes = Nodes(cell, weights, x, before, {}, multiply=multiply)
    if states:
        _run_states(nodes, found, before, initial)
    signals = {state: found[state] for state in states}
    whole = Nodes(cell, weights, x, before, signals, multiply=multiply)
    made = whole[cell.nodes[cell.where["h"]].args[0]]
    return Rebuilt(Nodes(cell, weights, x, before, signals | {"h": h}, multiply=multiply), made)


def _run_states(nodes: Nodes, found: dict[str, Array], before: dict[str, Array], initial: Mapping[str, Array]) -> None:
    """Fill the states other than h, and their values before each step: what hangs on none of them is there already."""
    cell = nodes.cell
    hangs = hanging(cell, set(found))
    wanted = _wanted(cell, [cell.where[state] for state in found], hangs)
    ready = {a: nodes[a] for k in wanted for a in cell.nodes[k].args if a not in hangs}
    now = dict(initial)
    for t, x in enumerate(nodes.x):
        values: dict[int, Any] = {}
        for state in found:
            before[state][t] = now[state]
        for k in wanted:
            node = cell.nodes[k]
            args = [values[a] if a in hangs else ready[a][t] for a in node.args]
            values[k] = value_of(node, args, x, now, nodes.weights)
        for state, kept in found.items():
            where = cell.where[state]
            kept[t] = values[where] if where in hangs else nodes[where][t]
            now[state] = kept[t]


def hanging(cell: Cell, states: set[str]) -> set[int]:
    """The nodes that depend, within a step, on the last value of some states."""
    found: set[int] = set()
    for k, node in enumerate(cell.nodes):
        if (node.op == "prev" and node.name in states) or found.intersection(node.args):
            found.add(k)
    return found


def _wanted(cell: Cell, tops: list[int], among: set[int]) -> list[int]:
    """The nodes that some are made of, themselves included, in the order of computation."""
    found, waiting = set[int](), [k for k in tops if k in among]
    while waiting:
        k = waiting.pop()
        if k not in found:
            found.add(k)
            waiting += [a for a in cell.nodes[k].args if a in among]
    return sorted(found)
