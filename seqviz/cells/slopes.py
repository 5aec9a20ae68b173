"""The slopes of a layer's squashings as it ran, right however saturated they are.

A squashing's slope, as ``1 - tanh(a)**2`` or ``s * (1 - s)``, is 0 in floating point from ``|a| = 19`` or
``a = 37`` on, where it is still far above what a double holds. There it is taken from the pre-activation ``a``:
``sech(a)**2 = 4e / (1 + e)**2`` with ``e = exp(-2|a|)``, and ``1 - sigmoid(a) = e / (1 + e)`` with ``e = exp(-a)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import repeat
from typing import Any

import numpy as np

from seqviz.cells.cell import Cell
from seqviz.cells.operations import sech2, sigmoid
from seqviz.cells.ran import Ran

__all__ = [
    "Through",
    "at_the_start",
    "blocks_gained",
    "complement",
    "edited",
    "gained",
    "gate_slope",
    "log_gate",
    "made_once",
    "packed_factors",
    "pre_activation",
    "product_of",
    "reached",
    "split_blocks",
    "steps_back",
    "tanh_slope",
    "through",
]

Array = np.ndarray[Any, np.dtype[Any]]

NEAR = 0.99
"""From here on the distance to 1 is taken from the pre-activation; below it has all but two of its digits."""


def gained(gradient: Array, ran: Ran, *signals: str) -> Array:
    """A gradient ``(L, N, H)`` on its way from the values of some signals after their edits to those before."""
    for signal in signals:
        if edited(ran, signal):
            gradient = _times(gradient, ran.gains[signal])  # type: ignore[index]
    return gradient


def blocks_gained(gradient: Array, ran: Ran, *parts: str) -> Array:
    """:func:`gained` for ``(L, N, G, H)`` or ``(L, N, G*H)``, the blocks side by side; `parts` such as ``pre, hh``."""
    blocks = ran.cell.blocks
    if not any(edited(ran, f"{block}_{part}") for block in blocks for part in parts):
        return gradient
    steps, batch = gradient.shape[:2]
    split = gradient.reshape(steps, batch, len(blocks), -1)
    each = [gained(split[:, :, k], ran, *(f"{b}_{part}" for part in parts)) for k, b in enumerate(blocks)]
    return np.stack(each, axis=2).reshape(gradient.shape)


def edited(ran: Ran, signal: str) -> bool:
    """Whether an intervention acts on a signal."""
    return ran.gains is not None and signal in ran.gains


def _times(gradient: Array, gain: Array) -> Array:
    """Their product; nothing goes through what was held, whatever it is."""
    return np.where(gain == 0, 0, gradient * gain).astype(gradient.dtype, copy=False)


def complement(ran: Ran, gate: str) -> Array:
    """1 minus a gate ``(L, N, H)``, as it is after an edit."""
    s = ran.signals[gate]
    if edited(ran, gate):
        return 1 - s
    return 1 - s if s.max() <= NEAR else _patched(1 - s, s > NEAR, ran, gate, lambda a: sigmoid(-a))


def log_gate(ran: Ran, gate: str) -> Array:
    """The natural logarithm of a gate ``(L, N, H)``, as it is after an edit; right however shut or open it is."""
    s = ran.signals[gate]
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(s)
    if edited(ran, gate):
        return log
    return _patched(log, (s > NEAR) | (s < np.finfo(s.dtype).tiny), ran, gate, lambda a: -np.logaddexp(0, -a))


def gate_slope(ran: Ran, gate: str) -> Array:
    """The slope of a gate's sigmoid, ``(L, N, H)``."""
    if edited(ran, gate):
        a = pre_activation(ran, gate)
        return sigmoid(-a) * sigmoid(a)
    return ran.signals[gate] * complement(ran, gate)


def tanh_slope(ran: Ran, signal: str) -> Array:
    """The slope of the tanh that a signal comes out of, ``(L, N, H)``."""
    if edited(ran, signal):
        return sech2(pre_activation(ran, signal))
    s = ran.signals[signal]
    slope = (1 - s) * (1 + s)
    return slope if max(s.max(), -s.min()) <= NEAR else _patched(slope, np.abs(s) > NEAR, ran, signal, sech2)


def _patched(values: Array, where: Array, ran: Ran, signal: str, of: Callable[[Array], Array]) -> Array:
    """Values with those at some places taken from the pre-activations instead; written to."""
    count = np.count_nonzero(where)
    if count:
        few = count < where.size // 32
        a = _some_pre_activations(ran, signal, where) if few else pre_activation(ran, signal)[where]
        values[where] = of(a)
    return values


def pre_activation(ran: Ran, signal: str) -> Array:
    """What a signal is the squashing of, ``(L, N, H)``: as it was recorded, or made again."""
    if (known := ran.signals.get(f"{signal}_pre")) is not None:
        return known
    kind = _sum_of(ran.cell, signal)
    if kind is None:
        return ran.nodes[ran.cell.where[f"{signal}_pre"]]
    ih = product_of(ran, signal, "ih")
    hh = product_of(ran, signal, "hh")
    if kind:
        hh *= ran.signals[kind]
    ih += hh
    return ih


def _some_pre_activations(ran: Ran, signal: str, where: Array) -> Array:
    """``pre_activation(ran, signal)[where]`` without the others."""
    kind = _sum_of(ran.cell, signal)
    if kind is None or f"{signal}_pre" in ran.signals:
        return pre_activation(ran, signal)[where]
    t, n, unit = np.nonzero(where)
    rows, b_ih, b_hh = _block(ran, signal)
    row = unit + rows.start
    ih = np.einsum("ab,ab->a", ran.x[t, n], ran.w_ih[row])
    hh = np.einsum("ab,ab->a", ran.before["h"][t, n], ran.w_hh[row])
    ih, hh = ih + np.broadcast_to(b_ih, where.shape[2])[unit], hh + np.broadcast_to(b_hh, where.shape[2])[unit]
    return ih + (ran.signals[kind][where] * hh if kind else hh)


@cache
def _sum_of(cell: Cell, signal: str) -> str | None:
    """How the two products of a block are added up: plainly (empty), the second times a gate (GRU's r); None where
    there is more in the sum."""
    pre = cell.where.get(f"{signal}_pre")
    if pre is None or signal not in cell.blocks:
        return None
    total = cell.nodes[cell.nodes[pre].args[0]]
    ih, hh = cell.where.get(f"{signal}_ih"), cell.where.get(f"{signal}_hh")
    if total.op != "+" or total.args[0] != ih:
        return None
    second = cell.nodes[total.args[1]]
    if total.args[1] == hh:
        return ""
    gates = [cell.nodes[a].name for a in second.args if cell.nodes[a].op == "at" and a != hh]
    return gates[0] if second.op == "*" and hh in second.args and len(gates) == 1 else None


def product_of(ran: Ran, signal: str, part: str) -> Array:
    """``W_ih x + b_ih`` or ``W_hh h + b_hh`` of a block, ``(L, N, H)``; an array of its own."""
    rows, *biases = _block(ran, signal)
    value, weight = (ran.x, ran.w_ih) if part == "ih" else (ran.before["h"], ran.w_hh)
    found = through(value, weight[rows].T)
    found += biases[part == "hh"]
    return found


def _block(ran: Ran, signal: str) -> tuple[slice, Array | float, Array | float]:
    """The rows of a signal in torch's weights, and its biases, 0 where there are none."""
    size, k = len(ran.w_hh) // len(ran.cell.blocks), ran.cell.blocks.index(signal)
    rows = slice(k * size, (k + 1) * size)
    b_ih, b_hh = (ran.weights.get(name) for name in ("bias_ih", "bias_hh"))
    return rows, 0.0 if b_ih is None else b_ih[rows], 0.0 if b_hh is None else b_hh[rows]


def through(gradient: Array, weight: Array) -> Array:
    """``(L, N, A) @ (A, B)`` as one product over all steps."""
    steps, batch, _ = gradient.shape
    return (gradient.reshape(steps * batch, -1) @ weight).reshape(steps, batch, -1)


def packed_factors(
    ran: Ran, ih: Array, hh: Array, hr: tuple[Array, Array] | None = None
) -> dict[str, tuple[Array, Array | None]]:
    """What the gradients of torch's packed weights are the products of; see :class:`seqviz.cells.ran.Pulled`."""
    found: dict[str, tuple[Array, Array | None]] = {"weight_ih": (ih, ran.x), "weight_hh": (hh, ran.before["h"])}
    if hr is not None:
        found["weight_hr"] = hr
    return found | {name: (left, None) for name, left in (("bias_ih", ih), ("bias_hh", hh)) if name in ran.weights}


def split_blocks(ran: Ran, pre: Array) -> dict[str, Array]:
    """The gradient at all pre-activations ``(L, N, G*H)``, by block."""
    blocks = ran.cell.blocks
    size = pre.shape[2] // len(blocks)
    return {f"{block}_pre": pre[..., k * size : (k + 1) * size] for k, block in enumerate(blocks)}


def steps_back(ran: Ran, *arrays: Array) -> Iterator[tuple[Array | None, tuple[Array, ...]]]:
    """The last step first: its ``(N, 1)`` mask, None where every step is valid, and a view of each array."""
    masks: Iterable[Array | None] = repeat(None) if ran.valid is None else ran.valid[::-1, :, None]
    return zip(masks, zip(*(array[::-1] for array in arrays), strict=True))  # noqa: B905  (the masks may be endless)


def at_the_start(ran: Ran, array: Array) -> Array:
    """``(N, ...)``: an array ``(L, N, ...)`` at the first step of each sequence."""
    if ran.valid is None:
        return array[0]
    return array[ran.valid.argmax(axis=0), np.arange(ran.valid.shape[1])]


def made_once(of: Callable[[Ran], Iterable[Array]], ran: Ran) -> list[Array]:
    """Slopes ``(L, N, ...)`` of a run; of one whose batch is one sequence over and over, those of that one."""
    batch = ran.x.shape[1]
    values = (ran.x, *ran.signals.values(), *ran.before.values())
    if batch == 1 or ran.valid is not None or any(value.strides[1] for value in values):
        return [*of(ran)]
    each = of(ran.at((slice(None), slice(1))))
    return [np.broadcast_to(slope, (len(slope), batch, *slope.shape[2:])) for slope in each]


def reached(slopes: list[Array], *e: Array | None) -> list[Array]:
    """Slopes, 0 at the steps after the last one that the loss reaches: there 0 times NaN has to be 0."""
    if all(np.isfinite(slope.sum()) for slope in slopes):
        return slopes
    asked = np.logical_or.reduce([part.any(axis=2) for part in e if part is not None])
    dark = ~np.logical_or.accumulate(asked[::-1], axis=0)[::-1]
    return [np.where(dark.reshape(*dark.shape, *(1,) * (slope.ndim - 2)), 0, slope) for slope in slopes]


class Through:
    """``diag(a_t) W`` summed over gates, ``(H, H)`` at step t: one product by it replaces one for each gate.

    Formed for a block of steps at a time, by one small product for each unit, into the same memory: what ``[t]`` gives
    holds until another step is asked for.
    """

    _NUMBERS = 2**16
    """That are formed at a time: few enough to stay near the processor."""

    def __init__(self, slopes: Array, weight: Array) -> None:
        """From slopes ``(L, gates, H)`` and ``weight`` ``(gates*H, H)``."""
        steps, gates, size = slopes.shape
        self._slopes = slopes.transpose(2, 0, 1).copy()  # (H, L, gates)
        self._blocks = np.stack(np.split(weight, gates), axis=1)  # (H, gates, H)
        self._formed = np.empty((min(steps, max(1, self._NUMBERS // size**2)), size, size))
        self._first, self._count = steps, 0

    def __getitem__(self, t: int) -> Array:
        if not self._first <= t < self._first + self._count:
            self._first = max(0, t + 1 - len(self._formed))
            self._count = t + 1 - self._first
            by_unit = self._formed[: self._count].transpose(1, 0, 2)
            np.matmul(self._slopes[:, self._first : t + 1], self._blocks, out=by_unit)
        return self._formed[t - self._first]
