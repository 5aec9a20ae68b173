"""Every gate of every step from what a recurrent layer took in and gave out.

A fused layer shows its hidden states only. Since ``h_{t-1}`` is known at every step, all the pre-activations
are one matrix product over the whole sequence, and an LSTM's cell state is one cheap scan of
``c_t = f_t * c_{t-1} + i_t * g_t``. Nothing is run again from its own outputs, so the recomputation does not
drift, even in a chaotic network; how far it is from torch is measured on every run.

How it is done stands in each cell's own file; what is here serves them all. The work is done in blocks of steps that
stay in the processor's cache. Torch multiplies and squashes; numpy, whose calls cost a fraction of torch's, does the
rest. A cell without a road of its own is computed from its lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import linear

from seqviz.capture.products import product
from seqviz.cells import road
from seqviz.cells.cell import Cell
from seqviz.cells.nodes import Nodes
from seqviz.cells.ran import named
from seqviz.cells.step import Named, Weights, parts
from seqviz.kept import give_way

__all__ = ["Layer", "Rebuilt", "Work", "largest", "previous", "rebuild", "worst"]

Array = np.ndarray[Any, np.dtype[Any]]

BLOCK_BYTES = 2**21
"""How much of the pre-activations to work on at a time: about a core's second-level cache."""

FEW = 4096
"""Numbers of a gate up to which it costs less to squash one gate too many than to leave it out."""


class Layer(NamedTuple):
    """One layer and direction of one call, with its steps in the order of processing.

    ``x`` ``(L, N, H_in)``; ``h`` ``(L, N, P or H)``, torch's own output; ``initial`` the states before the first step,
    ``(N, P or H)`` each; ``valid`` ``(L, N)``, false on padding, or ``None`` when every step is valid; ``gates``
    ``(4, L, N, H)`` those of an LSTM, where torch's own are known.
    """

    cell: Cell
    weights: Weights | Named
    x: Array
    h: Array
    initial: Mapping[str, Array]
    valid: Array | None
    gates: Array | None = None


class Rebuilt(NamedTuple):
    """Signals by name but for ``h``, each ``(L, N, H)``, and the largest ``|recomputed h - torch's h|``."""

    signals: dict[str, Array]
    parity: float


def rebuild(layer: Layer, detail: bool = False) -> Rebuilt:
    """All the signals of a layer; with ``detail`` also what is before the squashing, and its parts.

    Arrays come out in the dtype of ``layer.x``, 0 on padding. ``h`` is torch's, as it is in ``layer``. The weights
    must be free of gradients, or gradients off.
    """
    cell, work = layer.cell, Work(layer)
    hr = layer.weights.weight_hr if isinstance(layer.weights, Weights) else None
    cell = cell if hr is None else cell.projected(len(hr))
    names = [name for name in cell.hooks(detail=detail) if name != "h"]
    with np.errstate(all="ignore"):
        made = (cell.roads.rebuild or _from_the_lines)(work)
        signals = made[0]
        if further := [name for name in names if name not in signals]:
            nodes = _nodes(layer, cell, signals)
            signals |= {name: _own(nodes[cell.where[name]]) for name in further}
    if layer.valid is not None:
        for value in signals.values():
            value[~layer.valid] = 0
    return Rebuilt({name: signals[name] for name in names}, made[1])


def previous(state: Array, first: Array, valid: Array | None) -> Array:
    """The state before every step, ``(L, N, H)``, from the one after it and the one before the first, ``(N, H)``."""
    before = np.concatenate([first[None], state[:-1]])
    if valid is not None:
        np.copyto(before[1:], first, where=~valid[:-1, :, None])
    return before


def _from_the_lines(work: Work) -> tuple[dict[str, Array], float]:
    """Every signal of any cell; what hangs on a state other than h is computed step by step."""
    layer, cell = work.layer, work.layer.cell
    before = previous(layer.h, layer.initial["h"], layer.valid) if "h" in layer.initial else None
    made = road.rebuild(cell, named(cell, _packed(layer)), layer.x, layer.h, before, layer.initial, _torchs_product)
    work.compare(_own(made.h).copy(), slice(None))
    return {name: _own(made.nodes[cell.where[name]]) for name in cell.where if name != "h"}, work.parity


def _nodes(layer: Layer, cell: Cell, signals: Mapping[str, Array]) -> Nodes:
    """What the lines make of a layer whose signals are known."""
    states = {"h": layer.h} | {state: signals[state] for state in layer.initial if state != "h"}
    before = {state: previous(states[state], first, layer.valid) for state, first in layer.initial.items()}
    packed = _packed(layer)
    return Nodes(cell, named(cell, packed), layer.x, before, {**signals, "h": layer.h}, packed, _torchs_product)


def _torchs_product(rows: Array, weight: Array, bias: Array | None) -> Array:
    """The product as torch's layers make it: where parts of a sum overflow, other libraries end in other infinities.

    Into numpy's room, which lies in large pages: a first write to each of many small ones costs as much as the product.
    """
    found = np.empty((len(rows), len(weight)), rows.dtype)
    given, turned, out = Work.readable(rows), torch.from_numpy(weight).t(), torch.from_numpy(found)
    torch.mm(given, turned, out=out) if bias is None else torch.addmm(torch.from_numpy(bias), given, turned, out=out)
    return found


def _packed(layer: Layer) -> dict[str, Array]:
    return {name: tensor.numpy(force=True) for name, tensor in parts(layer.weights).items()}


def _own(array: Array) -> Array:
    """An array that can be written to."""
    return array if array.flags.writeable else array.copy()


class Work:
    """What a cell's road has to rebuild a layer with: products and squashings by torch, spans of steps, spare room.

    :meth:`compare` takes the h of a span as it was recomputed; ``parity`` is how far the worst was from torch's.
    """

    tensor: Callable[[Array], Tensor] = staticmethod(torch.from_numpy)
    sigmoid = staticmethod(torch.sigmoid)
    linear = staticmethod(linear)
    product = staticmethod(product)

    def __init__(self, layer: Layer) -> None:
        self.layer, self.parity = layer, 0.0

    def blocks(self, width: int) -> Blocks:
        """The layer in blocks of steps, each of `width` numbers a row."""
        return Blocks(self.layer, width)

    def joined(self, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor | None, blocks: Blocks) -> Joined:
        """The sum of two products, ``x`` with ``weight_ih`` and ``h`` with ``weight_hh``, as one."""
        return Joined(weight_ih, weight_hh, bias, blocks)

    def compare(self, h: Array, t: slice) -> None:
        """Take down how far h ``(steps, N, H)`` is from torch's on the valid steps of a span; ``h`` is used up."""
        layer = self.layer
        h -= layer.h[t]
        if layer.valid is not None:
            h[~layer.valid[t]] = 0
        self.parity = worst(self.parity, largest(h, layer.h[t]))

    @staticmethod
    def few(numbers: int) -> bool:
        """Whether a gate of so many numbers is squashed sooner than left out."""
        return numbers <= FEW

    @staticmethod
    def total(a: Tensor | None, b: Tensor | None) -> Tensor | None:
        """The sum of two biases."""
        return None if a is None or b is None else a + b

    @staticmethod
    def readable(rows: Array) -> Tensor:
        """The same numbers as a tensor, without a copy where torch can read them as they lie."""
        return torch.from_numpy(rows if rows.strides[0] > 0 < rows.strides[1] else rows.copy())

    @staticmethod
    def spare() -> Spare:
        """One buffer, used again for every block."""
        return Spare()


class Joined:
    """See :meth:`Work.joined`."""

    def __init__(self, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor | None, blocks: Blocks) -> None:
        self.width = weight_ih.shape[1]
        self.multiply = product(torch.cat([weight_ih, weight_hh], dim=1), bias, blocks.rows)
        self.both = np.empty((blocks.rows, self.width + weight_hh.shape[1]), blocks.layer.x.dtype)

    def __call__(self, x: Array, h: Array) -> Tensor:
        both = self.both[: len(x)]
        both[:, : self.width] = x
        both[:, self.width :] = h
        return self.multiply(torch.from_numpy(both))


class Spare:
    """One buffer, used again for every block."""

    def __init__(self) -> None:
        self.buffer: Array | None = None

    def like(self, array: Array) -> Array:
        """An uninitialised contiguous array of the shape ``(steps, N, H)`` of ``array``, no longer than the first."""
        if self.buffer is None:
            self.buffer = np.empty(array.shape, array.dtype)
        return self.buffer[: len(array)]


class Blocks:
    """The layer in blocks of steps, each of `width` numbers a row.

    Spans of steps, their rows when steps and batch are one axis, and the rows of ``x_t`` and of ``h_{t-1}``; ``rows``
    is the most that a block has of them.
    """

    def __init__(self, layer: Layer, width: int) -> None:
        steps, batch, _ = layer.x.shape
        self.layer = layer
        self.count = max(1, min(steps, BLOCK_BYTES // (batch * width * layer.x.itemsize)))
        self.rows = self.count * batch

    def spans(self) -> Iterator[slice]:
        """The spans of steps alone."""
        steps = len(self.layer.x)
        for start in range(0, steps, self.count):
            give_way()
            yield slice(start, min(start + self.count, steps))

    def __iter__(self) -> Iterator[tuple[slice, slice, Array, Array]]:
        layer, batch = self.layer, self.layer.x.shape[1]
        first = layer.initial["h"]
        for t in self.spans():
            start, stop = t.start, t.stop
            if not start:
                before = previous(layer.h[:stop], first, None if layer.valid is None else layer.valid[:stop])
            elif layer.valid is None:
                before = layer.h[start - 1 : stop - 1]
            else:
                inside = layer.valid[start - 1 : stop - 1, :, None]
                before = np.where(inside, layer.h[start - 1 : stop - 1], first)
            yield t, slice(start * batch, stop * batch), _rows(layer.x[t]), _rows(before)


def _rows(value: Array) -> Array:
    """``(steps, N, K)`` as ``(steps * N, K)``."""
    return value.reshape(-1, value.shape[2])


def largest(gap: Array, torchs: Array) -> float:
    """The largest ``|gap|``, which is used up; a number that is not finite in torch's own run is left out."""
    found = float(np.abs(gap, out=gap).max())
    if found != found:
        found = float(np.where(np.isnan(gap) & ~np.isfinite(torchs), 0, gap).max())
    return found


def worst(a: float, b: float) -> float:
    """The larger of two errors, or NaN if either is."""
    return a if a != a or a > b else b
