"""Fixed points: the states at which a network rests while its input stays the same, and whether it returns to them.

After Sussillo and Barak 2013, https://doi.org/10.1162/NECO_a_00409: many starts, each led to where F(s) = s. Here by
Newton's method on F(s) - s with the cell's own Jacobian, damped after Levenberg and Marquardt where a whole step would
lead away, in float64.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from seqviz.capture.found import LAYERS, recurrent_modules
from seqviz.cells import Cell, road
from seqviz.cells.step import unpack
from seqviz.cells.taken import numbers
from seqviz.checks import number, whole
from seqviz.gradients.rests import FixedPoints
from seqviz.language import later, tr
from seqviz.networks.layers import cell_of, layer_weights
from seqviz.trace import Trace

__all__ = ["fixed_points"]

Array = np.ndarray

_SETTLED: Final = 1e-12
"""A residual of this size, over that of the state, is rounding."""
_RESTS: Final = 1e-9
_SLOW: Final = 1e-4
"""A step of this size, over that of the state, is next to none."""
_STEPS: Final = 200
_MOST: Final = 100_000
_STILL: Final = 0.01
"""A run that moves a unit by less says nothing of where it could be."""
_AT_ONCE: Final = 4_000_000
"""Numbers of the Jacobians that are held at once."""


def fixed_points(
    module: nn.Module,
    x: Any = 0.0,
    *,
    trace: Trace | None = None,
    starts: Any = 512,
    spread: float = 0.5,
    seed: int = 0,
    merge: float = 1e-6,
) -> FixedPoints:
    """The states at which a network rests while its input is `x`.

    A point that no start is led to is not found: more starts find more. Where a whole line of states rests, there are
    as many points as starts; where a network only seems to rest, ``slow`` has the places.

    Args:
        module: a network or layer with one recurrent layer in one direction, without projection.
        x: the input that stays: a number for all inputs, or ``(H_in,)``.
        trace: a run, around whose states (of the whole batch) half of the search begins, the other half anywhere
            between the least and the most of each unit, from -1 to 1 where the run hardly moves it; by default it
            begins at random, h from -1 to 1.
        starts: how many, or the states themselves, ``(N, S)``.
        spread: how far a state of the run is moved, in its own standard deviation; else that of a drawn c.
        seed: of the draw.
        merge: two points that lie nearer than this, over the size of a state, are one.

    Returns:
        A :class:`FixedPoints`, which may be empty.

    Raises:
        ValueError: several recurrent layers, a projection, or an input or starts of another shape.
    """
    cell, weights, inputs, widths = _network(module)
    given = _given(x, inputs)
    step = _Step(cell, weights, given, widths)
    first = _starts(starts, trace, widths, spread, seed)
    with np.errstate(over="ignore", invalid="ignore"):
        ends, sizes = (np.concatenate(part) for part in zip(*(_ends(step, p) for p in _parts(first)), strict=True))
        moves = sizes / (1 + np.linalg.norm(ends, axis=1))
        kept, counts = _merged(ends[moves <= _RESTS], number(merge, later("The distance of two points")))
        values, jacobians = step(kept)
    slow = (moves > _RESTS) & (moves <= _SLOW)
    eigenvalues = np.linalg.eigvals(jacobians) if len(kept) else np.zeros(kept.shape)
    eigenvalues = np.take_along_axis(eigenvalues, np.argsort(-np.abs(eigenvalues), axis=1), 1).astype(complex)
    order = np.argsort(np.abs(eigenvalues).max(axis=1, initial=0.0), kind="stable")
    residual = np.linalg.norm(values - kept, axis=1)
    return FixedPoints(
        kept[order], eigenvalues[order], residual[order], counts[order], given, len(first), widths.get("h", 0),
        ends[slow], sizes[slow],
    )  # fmt: skip


class _Step:
    """One step of the network from any number of states: the next ones, and its Jacobian at each."""

    def __init__(self, cell: Cell, weights: Mapping[str, Array], x: Array, widths: Mapping[str, int]) -> None:
        self.cell, self.weights, self.x = cell, weights, x
        self.cuts = np.cumsum(list(widths.values()))[:-1]

    def __call__(self, states: Array) -> tuple[Array, Array]:
        """From ``(N, S)`` to ``(N, S)`` and ``(N, S, S)``."""
        before = dict(zip(self.cell.states, np.split(states, self.cuts, axis=1), strict=True))
        x = np.broadcast_to(self.x, (1, len(states), len(self.x)))
        run = road.run(self.cell, self.weights, x, before)
        after = np.concatenate([run[state][0] for state in self.cell.states], axis=1)
        # Every state is a step of its own, of a batch of one: their Jacobians come in one go.
        each = road.Values(self.cell, self.weights, tuple(node.swapaxes(0, 1) for node in run.nodes))
        return after, road.jacobians(each)


def _network(module: nn.Module) -> tuple[Cell, dict[str, Array], int, dict[str, int]]:
    """The cell, its weights in float64 by their names in the lines, the number of inputs, and the states' widths."""
    rnns: list[Any] = [m for m in recurrent_modules(module, None).values() if isinstance(m, LAYERS)]
    if len(rnns) != 1 or rnns[0].num_layers != 1 or rnns[0].bidirectional or rnns[0].proj_size:
        raise ValueError(
            tr("Fixed points are found of a network with one recurrent layer in one direction and without projection.")
        )
    (rnn,) = rnns
    cell = cell_of(rnn)
    tensors = unpack(cell, layer_weights(rnn, 0, False))
    named = {name: tensor.numpy(force=True).astype(np.float64) for name, tensor in tensors.items()}
    widths = {s: cell.width(cell.letter(s), rnn.input_size, rnn.hidden_size) for s in cell.states}
    return cell, named, rnn.input_size, widths


def _given(x: Any, inputs: int) -> Array:
    try:
        given = numbers(x, later("The input"), torch.float64).detach().double().numpy(force=True)
        found = np.broadcast_to(given, (inputs,)).copy()
    except ValueError as error:
        raise ValueError(
            tr("The input must be a number, or as many as the network has inputs, {count}.", count=inputs)
        ) from error
    if not np.isfinite(found).all():
        raise ValueError(tr("The input must be finite."))
    return found


def _starts(starts: Any, trace: Trace | None, widths: Mapping[str, int], spread: float, seed: int) -> Array:
    size = sum(widths.values())
    if not isinstance(starts, int | np.integer):
        given = numbers(starts, later("The starts"), torch.float64).detach().double().numpy(force=True)
        if given.ndim != 2 or given.shape[1] != size or not np.isfinite(given).all():
            raise ValueError(
                tr("The starts must be finite states (N, {size}), not {shape}.", size=size, shape=given.shape)
            )
        return given
    count, spread = whole(starts, later("The number of starts"), 1, _MOST), number(spread, later("The spread"))
    draw = np.random.default_rng(seed)
    if trace is None:
        drawn = [
            draw.uniform(-1, 1, (count, width)) if s == "h" else spread * draw.normal(size=(count, width))
            for s, width in widths.items()
        ]
        return np.concatenate(drawn, axis=1)
    run = np.concatenate([trace[f"l0.{s}"] for s in widths], axis=2).astype(np.float64)
    visited = run.reshape(-1, run.shape[2])
    if visited.shape[1] != size:
        says = later("The trace is of another network: the width of its states is {other}, not {size}.")
        raise ValueError(tr(says, other=visited.shape[1], size=size))
    if (lost := ~np.isfinite(run).all(axis=(1, 2))).any():
        says = later("The run overflowed at step {step}: there is nothing around its states to search.")
        raise ValueError(tr(says, step=int(lost.argmax())))
    near = visited[draw.integers(len(visited), size=count)] + spread * visited.std(axis=0) * draw.normal(
        size=(count, size)
    )
    low, high = visited.min(axis=0), visited.max(axis=0)
    still = high - low < _STILL
    low, high = np.where(still, np.minimum(low, -1), low), np.where(still, np.maximum(high, 1), high)
    return np.where(np.arange(count)[:, None] % 2, draw.uniform(low, high, (count, size)), near).astype(np.float64)


def _parts(states: Array) -> list[Array]:
    each = max(1, _AT_ONCE // max(1, states.shape[1] ** 2))
    return [states[k : k + each] for k in range(0, len(states), each)]


def _ends(step: _Step, states: Array) -> tuple[Array, Array]:
    """Where states are led to ``(N, S)``, and how far a step moves them there: Newton's, damped while it leads away."""
    states, damping = states.copy(), np.full(len(states), 1e-2)
    after, jacobians = step(states)
    rest, eye = after - states, np.eye(states.shape[1])
    for _ in range(_STEPS):
        size = np.linalg.norm(rest, axis=1)
        going = np.isfinite(size) & (size > _SETTLED * (1 + np.linalg.norm(states, axis=1)))
        if not going.any():
            break
        where = np.flatnonzero(going)
        a, r = jacobians[where] - eye, rest[where]
        square = np.matmul(a.swapaxes(1, 2), a)
        least = damping[where] * np.minimum(1.0, size[where]) + 1e-14 * (1 + np.abs(square).max(axis=(1, 2)))
        square += least[:, None, None] * eye
        moved = np.linalg.solve(square, -np.einsum("nij,ni->nj", a, r)[..., None])[..., 0]
        tried, slopes = step(states[where] + moved)
        left = tried - (states[where] + moved)
        better = np.linalg.norm(left, axis=1) < size[where]
        damping[where] = np.clip(np.where(better, damping[where] / 5, damping[where] * 5), 1e-13, 1e8)
        taken = where[better]
        states[taken] += moved[better]
        rest[taken], jacobians[taken] = left[better], slopes[better]
    return states, np.linalg.norm(rest, axis=1)


def _merged(states: Array, merge: float) -> tuple[Array, Array]:
    """One of each group of states that lie together, and how many there were."""
    kept, counts, left = [], [], states
    while len(left):
        near = np.linalg.norm(left - left[0], axis=1) < merge * (1 + np.linalg.norm(left[0]))
        near[0] = True
        kept.append(left[0])
        counts.append(int(near.sum()))
        left = left[~near]
    return np.array(kept).reshape(-1, states.shape[1]), np.array(counts, dtype=int)
