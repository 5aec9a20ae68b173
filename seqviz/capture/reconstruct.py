"""Every gate of every step from what a fused recurrent layer took in and gave out.

A fused layer shows its hidden states only. Since ``h_{t-1}`` is known at every step, all the pre-activations
are one matrix product over the whole sequence, and an LSTM's cell state is one cheap scan of
``c_t = f_t * c_{t-1} + i_t * g_t``. Nothing is run again from its own outputs, so the recomputation does not
drift, even in a chaotic network; how far it is from torch is measured on every run.

The work is done in blocks of steps that stay in the processor's cache. Torch multiplies and squashes; numpy,
whose calls cost a fraction of torch's, does the rest.

The lines are those of
`nn.RNN <https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html>`_,
`nn.GRU <https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html>`_ and
`nn.LSTM <https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html>`_.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import linear

from seqviz.capture.products import product
from seqviz.cells import signal_names
from seqviz.cells.step import Weights
from seqviz.vocabulary import BLOCKS, GRU, LSTM, RNN_TANH

__all__ = ["Layer", "Rebuilt", "largest", "previous", "rebuild", "scan", "worst"]

Array = np.ndarray[Any, np.dtype[Any]]

BLOCK_BYTES = 2**21
"""How much of the pre-activations to work on at a time: about a core's second-level cache."""

FEW = 4096
"""Numbers of a gate up to which it costs less to squash one gate too many than to leave it out."""


class Layer(NamedTuple):
    """One layer and direction of one call, with its steps in the order of processing.

    ``x`` ``(L, N, H_in)``; ``h`` ``(L, N, P or H)``, torch's own output; ``h_0`` ``(N, P or H)``; ``c_0``
    ``(N, H)`` or ``None``; ``valid`` ``(L, N)``, false on padding, or ``None`` when every step is valid.
    """

    mode: str
    weights: Weights
    x: Array
    h: Array
    h_0: Array
    c_0: Array | None
    valid: Array | None


class Rebuilt(NamedTuple):
    """Signals by name but for ``h``, each ``(L, N, H)``, and the largest ``|recomputed h - torch's h|``."""

    signals: dict[str, Array]
    parity: float


def rebuild(layer: Layer, detail: bool = False) -> Rebuilt:
    """All the signals of a layer; with ``detail`` also what is before the squashing, and its parts.

    Arrays come out in the dtype of ``layer.x``, 0 on padding. ``h`` is torch's, as it is in ``layer``. The weights
    must be free of gradients, or gradients off.
    """
    kinds = {LSTM: _lstm, GRU: _gru}
    with np.errstate(all="ignore"):
        signals, parity = kinds.get(layer.mode, _rnn)(layer)
        if detail:
            _add_detail(layer, signals)
    if layer.valid is not None:
        for value in signals.values():
            value[~layer.valid] = 0
    names = signal_names(layer.mode, detail=detail, projected=layer.weights.weight_hr is not None)
    return Rebuilt({name: signals[name] for name in names if name != "h"}, parity)


def previous(state: Array, first: Array, valid: Array | None) -> Array:
    """The state before every step, ``(L, N, H)``, from the one after it and the one before the first, ``(N, H)``."""
    before = np.concatenate([first[None], state[:-1]])
    if valid is not None:
        np.copyto(before[1:], first, where=~valid[:-1, :, None])
    return before


def _lstm(layer: Layer) -> Rebuilt:
    steps, batch, _ = layer.x.shape
    size, kind = layer.weights.weight_hh.shape[0] // 4, layer.x.dtype
    gates, c = np.empty((4, steps, batch, size), kind), np.empty((steps, batch, size), kind)
    i, f, g, o = gates
    flat = torch.from_numpy(gates).view(4, steps * batch, size)
    last, parity, spare = layer.c_0, 0.0, _Spare()
    w = layer.weights
    blocks = _Blocks(layer, 4 * size)
    multiply = _Joined(w.weight_ih, w.weight_hh, _sum(w.bias_ih, w.bias_hh), blocks)
    for t, rows, x, before in blocks:
        z = multiply(x, before).view(-1, 4, size).transpose(0, 1)
        if len(x) * size <= FEW:
            torch.sigmoid(z, out=flat[:, rows])
        else:
            torch.sigmoid(z[:2], out=flat[:2, rows])
            torch.sigmoid(z[3], out=flat[3, rows])
        np.tanh(z[2].numpy().reshape(g[t].shape), out=g[t])
        np.multiply(i[t], g[t], out=c[t])
        if layer.valid is not None:
            gone = ~layer.valid[t, :, None]
            np.copyto(f[t], 1, where=gone)
            np.copyto(c[t], 0, where=gone)
        last = scan(f[t], c[t], last)  # type: ignore[arg-type]
        h = np.tanh(c[t], out=spare.like(c[t]))
        h *= o[t]
        if w.weight_hr is not None:
            h = linear(torch.from_numpy(h), w.weight_hr).numpy()
        parity = worst(parity, _gap(h, layer, t))
    return Rebuilt({"i": i, "f": f, "g": g, "o": o, "c": c}, parity)


def _gru(layer: Layer) -> Rebuilt:
    steps, batch, _ = layer.x.shape
    w, size = layer.weights, layer.weights.weight_hh.shape[1]
    gates = np.empty((3, steps, batch, size), layer.x.dtype)
    r, z, n = gates
    flat = torch.from_numpy(gates).view(3, steps * batch, size)
    blocks, two = _Blocks(layer, 4 * size), 2 * size
    b_ih, b_hh = (None if b is None else (b[:two], b[two:]) for b in (w.bias_ih, w.bias_hh))
    of_gates = _Joined(w.weight_ih[:two], w.weight_hh[:two], _sum(b_ih and b_ih[0], b_hh and b_hh[0]), blocks)
    of_x = product(w.weight_ih[two:], b_ih and b_ih[1], blocks.rows)
    of_h = product(w.weight_hh[two:], b_hh and b_hh[1], blocks.rows)
    parity = 0.0
    for t, rows, x, before in blocks:
        torch.sigmoid(of_gates(x, before).view(-1, 2, size).transpose(0, 1), out=flat[:2, rows])
        h = of_h(_readable(before)).numpy().reshape(n[t].shape)
        h *= r[t]
        h += of_x(_readable(x)).numpy().reshape(h.shape)
        np.tanh(h, out=n[t])
        np.subtract(before.reshape(h.shape), n[t], out=h)
        h *= z[t]
        h += n[t]
        parity = worst(parity, _gap(h, layer, t))
    return Rebuilt({"r": r, "z": z, "n": n}, parity)


def _rnn(layer: Layer) -> Rebuilt:
    w, size = layer.weights, layer.weights.weight_hh.shape[1]
    blocks, parity = _Blocks(layer, size), 0.0
    multiply = _Joined(w.weight_ih, w.weight_hh, _sum(w.bias_ih, w.bias_hh), blocks)
    for t, _, x, before in blocks:
        h = multiply(x, before).numpy().reshape(layer.h[t].shape)
        np.tanh(h, out=h) if layer.mode == RNN_TANH else np.maximum(h, 0, out=h)
        parity = worst(parity, _gap(h, layer, t))
    return Rebuilt({}, parity)


class _Joined:
    """The sum of two products, ``x`` with ``weight_ih`` and ``h`` with ``weight_hh``, as one."""

    def __init__(self, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor | None, blocks: _Blocks) -> None:
        self.width = weight_ih.shape[1]
        self.multiply = product(torch.cat([weight_ih, weight_hh], dim=1), bias, blocks.rows)
        self.both = np.empty((blocks.rows, self.width + weight_hh.shape[1]), blocks.layer.x.dtype)

    def __call__(self, x: Array, h: Array) -> Tensor:
        both = self.both[: len(x)]
        both[:, : self.width] = x
        both[:, self.width :] = h
        return self.multiply(torch.from_numpy(both))


def _add_detail(layer: Layer, signals: dict[str, Array]) -> None:
    """Add what is before the squashing, and its parts, to the signals of a layer."""
    w, names = layer.weights, BLOCKS[layer.mode]
    shape = (*layer.x.shape[:2], len(names), w.weight_hh.shape[0] // len(names))
    before = previous(layer.h, layer.h_0, layer.valid)
    ih = linear(_readable(_rows(layer.x)), w.weight_ih, w.bias_ih).numpy().reshape(shape)
    hh = linear(_readable(_rows(before)), w.weight_hh, w.bias_hh).numpy().reshape(shape)
    for k, name in enumerate(names):
        signals[f"{name}_ih"], signals[f"{name}_hh"] = ih[:, :, k], hh[:, :, k]
        reset = signals["r"] if layer.mode == GRU and name == "n" else 1
        signals[f"{name}_pre"] = ih[:, :, k] + reset * hh[:, :, k]
    if w.weight_hr is not None:
        signals["h_pre"] = signals["o"] * np.tanh(signals["c"])


def scan(f: Array, c: Array, c_0: Array) -> Array:
    """``c_t = f_t * c_{t-1} + u_t`` in place; returns the last one, ``(N, H)``.

    ``c`` ``(L, N, H)`` holds the ``u`` at first; ``f`` is ``(L, N, H)`` and ``c_0`` ``(N, H)``. A narrow state makes
    a long loop of tiny products, so a long sequence is cut into chunks: all of them run from 0 at once beside the
    running product of their ``f``, and then each takes what the ones before it left.
    """
    steps, width = len(c), c[0].size
    if steps < 16 or width > 512:
        return _loop(f, c, c_0)
    if c.size <= 8192:
        return _chain(f.copy(), c, c_0)
    length = 8
    count = steps // length
    whole = count * length
    f_cut, c_cut = (a[:whole].reshape(count, length, *a.shape[1:]).swapaxes(0, 1) for a in (f, c))
    both = np.empty((length, 2, count, *c.shape[1:]), c.dtype)
    last = both[0]
    last[0], last[1] = c_cut[0], f_cut[0]
    for f_t, u_t, now in zip(f_cut[1:], c_cut[1:], both[1:], strict=True):
        np.multiply(f_t, last, now)
        now[0] += u_t
        last = now
    start = last[0].copy()
    _chain(last[1].copy(), start, c_0)
    kept = both[:, 1]
    kept[:, 1:] *= start[:-1]
    kept[:, 0] *= c_0
    np.add(both[:, 0], kept, out=c_cut)
    return _loop(f[whole:], c[whole:], c[whole - 1])


def _loop(f: Array, c: Array, c_0: Array) -> Array:
    """:func:`scan`, step by step."""
    last, kept = c_0, np.empty_like(c_0)
    for f_t, c_t in zip(f, c, strict=True):
        np.multiply(f_t, last, kept)
        c_t += kept
        last = c_t
    return last


def _chain(f: Array, c: Array, c_0: Array) -> Array:
    """:func:`scan` by doubling; ``f`` is used up.

    After a pass each step has swallowed twice as many before it, so ``log2(L)`` passes over all of them do.
    """
    c[0] += f[0] * c_0
    spare, reach = np.empty_like(c), 1
    while reach < len(c):
        earlier, later, kept = spare[reach:], c[reach:], f[reach:]
        np.multiply(kept, c[:-reach], earlier)
        later += earlier
        if 2 * reach < len(c):
            np.multiply(kept, f[:-reach], earlier)
            kept[:] = earlier
        reach *= 2
    return c[-1]


class _Spare:
    """One buffer, used again for every block."""

    def __init__(self) -> None:
        self.buffer: Array | None = None

    def like(self, array: Array) -> Array:
        """An uninitialised contiguous array of the shape ``(steps, N, H)`` of ``array``, no longer than the first."""
        if self.buffer is None:
            self.buffer = np.empty(array.shape, array.dtype)
        return self.buffer[: len(array)]


class _Blocks:
    """The layer in blocks of steps, each of `width` numbers a row.

    Spans of steps, their rows when steps and batch are one axis, and the rows of ``x_t`` and of ``h_{t-1}``; ``rows``
    is the most that a block has of them.
    """

    def __init__(self, layer: Layer, width: int) -> None:
        steps, batch, _ = layer.x.shape
        self.layer = layer
        self.count = max(1, min(steps, BLOCK_BYTES // (batch * width * layer.x.itemsize)))
        self.rows = self.count * batch

    def __iter__(self) -> Iterator[tuple[slice, slice, Array, Array]]:
        layer, (steps, batch, _) = self.layer, self.layer.x.shape
        for start in range(0, steps, self.count):
            stop = min(start + self.count, steps)
            if not start:
                before = previous(layer.h[:stop], layer.h_0, None if layer.valid is None else layer.valid[:stop])
            elif layer.valid is None:
                before = layer.h[start - 1 : stop - 1]
            else:
                inside = layer.valid[start - 1 : stop - 1, :, None]
                before = np.where(inside, layer.h[start - 1 : stop - 1], layer.h_0)
            yield slice(start, stop), slice(start * batch, stop * batch), _rows(layer.x[start:stop]), _rows(before)


def _rows(value: Array) -> Array:
    """``(steps, N, K)`` as ``(steps * N, K)``."""
    return value.reshape(-1, value.shape[2])


def _readable(rows: Array) -> Tensor:
    """The same numbers as a tensor, without a copy where torch can read them as they lie."""
    return torch.from_numpy(rows if rows.strides[0] > 0 < rows.strides[1] else rows.copy())


def _sum(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    """The sum of two biases."""
    return None if a is None or b is None else a + b


def _gap(h: Array, layer: Layer, t: slice) -> float:
    """The largest ``|h - torch's h|`` on the valid steps of a span; ``h`` is used up."""
    h -= layer.h[t]
    if layer.valid is not None:
        h[~layer.valid[t]] = 0
    return largest(h, layer.h[t])


def largest(gap: Array, torchs: Array) -> float:
    """The largest ``|gap|``; a number that is not finite in torch's own run is left out."""
    high, low = float(gap.max()), float(gap.min())
    if high != high or low != low:
        gap = np.where(np.isnan(gap) & ~np.isfinite(torchs), 0, gap)
        high, low = float(gap.max()), float(gap.min())
    return worst(high, 0.0 - low)  # -low would be -0.0 where nothing differs


def worst(a: float, b: float) -> float:
    """The larger of two errors, or NaN if either is."""
    return a if a != a or a > b else b
