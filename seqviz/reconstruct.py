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

from seqviz.cells import Weights, signal_names
from seqviz.vocabulary import BLOCKS, GRU, LSTM, RNN_TANH

__all__ = ["Layer", "Rebuilt", "largest", "previous", "rebuild", "scan", "worst"]

Array = np.ndarray[Any, np.dtype[Any]]

BLOCK_BYTES = 2**21
"""How much of the pre-activations to work on at a time: about a core's second-level cache."""


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


@torch.no_grad()
def rebuild(layer: Layer, detail: bool = False) -> Rebuilt:
    """All the signals of a layer; with ``detail`` also what is before the squashing, and its parts.

    Arrays come out in the dtype of ``layer.x``, 0 on padding. ``h`` is torch's, as it is in ``layer``.
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
    weight, bias = _joined(layer.weights, 4, 4)
    last, parity, spare = layer.c_0, 0.0, _Spare()
    for t, rows, inputs in _blocks(layer, 4 * size):
        z = flat[:, rows]
        _products(inputs, weight, bias, z)
        z[:2].sigmoid_()
        z[3].sigmoid_()
        np.tanh(g[t], out=g[t])
        u = np.multiply(i[t], g[t], out=spare.like(c[t]))
        if layer.valid is not None:
            gone = ~layer.valid[t, :, None]
            np.copyto(f[t], 1, where=gone)
            np.copyto(u, 0, where=gone)
        last = scan(f[t], u, last, c[t])  # type: ignore[arg-type]
        np.tanh(c[t], out=u)
        u *= o[t]
        if layer.weights.weight_hr is not None:
            u = linear(torch.from_numpy(u), layer.weights.weight_hr).numpy()
        parity = worst(parity, _gap(u, layer, t))
    return Rebuilt({"i": i, "f": f, "g": g, "o": o, "c": c}, parity)


def _gru(layer: Layer) -> Rebuilt:
    steps, batch, inner = layer.x.shape
    w, size = layer.weights, layer.weights.weight_hh.shape[1]
    gates = np.empty((3, steps, batch, size), layer.x.dtype)
    r, z, n = gates
    flat = torch.from_numpy(gates).view(3, steps * batch, size)
    weight, bias = _joined(w, 2, 3)
    n_ih = _third(w.weight_ih, w.bias_ih)
    n_hh = _third(w.weight_hh, w.bias_hh)
    parity, spare = 0.0, _Spare()
    for t, rows, inputs in _blocks(layer, 3 * size):
        r_and_z = flat[:2, rows]
        _products(inputs, weight, bias, r_and_z)
        r_and_z.sigmoid_()
        h = spare.like(n[t])
        _products(inputs[:, :inner], *n_ih, flat[2:, rows])
        _products(inputs[:, inner:], *n_hh, torch.from_numpy(h).view(1, -1, size))
        h *= r[t]
        n[t] += h
        np.tanh(n[t], out=n[t])
        np.subtract(inputs[:, inner:].numpy().reshape(h.shape), n[t], out=h)
        h *= z[t]
        h += n[t]
        parity = worst(parity, _gap(h, layer, t))
    return Rebuilt({"r": r, "z": z, "n": n}, parity)


def _rnn(layer: Layer) -> Rebuilt:
    size = layer.weights.weight_hh.shape[1]
    weight, bias = _joined(layer.weights, 1, 1)
    parity, spare = 0.0, _Spare()
    for t, _, inputs in _blocks(layer, size):
        h = spare.like(layer.h[t])
        _products(inputs, weight, bias, torch.from_numpy(h).view(1, -1, size))
        np.tanh(h, out=h) if layer.mode == RNN_TANH else np.maximum(h, 0, out=h)
        parity = worst(parity, _gap(h, layer, t))
    return Rebuilt({}, parity)


def _add_detail(layer: Layer, signals: dict[str, Array]) -> None:
    """Add what is before the squashing, and its parts, to the signals of a layer."""
    w, names = layer.weights, BLOCKS[layer.mode]
    before = torch.from_numpy(previous(layer.h, layer.h_0, layer.valid))
    ih = linear(torch.from_numpy(np.ascontiguousarray(layer.x)), w.weight_ih, w.bias_ih)
    hh = linear(before, w.weight_hh, w.bias_hh)
    for name, a, b in zip(names, ih.chunk(len(names), -1), hh.chunk(len(names), -1), strict=True):
        signals[f"{name}_ih"], signals[f"{name}_hh"] = a.numpy(), b.numpy()
        reset = signals["r"] if layer.mode == GRU and name == "n" else 1
        signals[f"{name}_pre"] = signals[f"{name}_ih"] + reset * signals[f"{name}_hh"]
    if w.weight_hr is not None:
        signals["h_pre"] = signals["o"] * np.tanh(signals["c"])


def scan(f: Array, u: Array, c_0: Array, c: Array) -> Array:
    """``c_t = f_t * c_{t-1} + u_t``, all ``(L, N, H)`` and ``c_0`` ``(N, H)``, into ``c``; returns the last one.

    A narrow state makes a long loop of tiny products, so a long sequence is cut into chunks: all of them run from
    0 at once beside the running product of their ``f``, and then each takes what the ones before it left.
    """
    steps, width = len(c), c[0].size
    if steps < 16 or width > 512:
        return _loop(f, u, c_0, c)
    if c.size <= 8192:
        np.copyto(c, u)
        return _chain(f.copy(), c, c_0)
    length = 8
    count = steps // length
    whole = count * length

    def cut(a: Array) -> Array:
        return a[:whole].reshape(count, length, *a.shape[1:]).swapaxes(0, 1)

    both = np.empty((length, 2, count, *c.shape[1:]), c.dtype)
    f_cut, u_cut = cut(f), cut(u)
    last = both[0]
    last[0], last[1] = u_cut[0], f_cut[0]
    for f_t, u_t, now in zip(f_cut[1:], u_cut[1:], both[1:], strict=True):
        np.multiply(f_t, last, now)
        now[0] += u_t
        last = now
    start = last[0].copy()
    _chain(last[1].copy(), start, c_0)
    kept = both[:, 1]
    kept[:, 1:] *= start[:-1]
    kept[:, 0] *= c_0
    np.add(both[:, 0], kept, out=cut(c))
    return _loop(f[whole:], u[whole:], c[whole - 1], c[whole:])


def _chain(f: Array, c: Array, c_0: Array) -> Array:
    """The same recurrence by doubling: ``c`` holds ``u`` at first, and ``f`` is used up; returns the last one.

    After a pass each step has swallowed twice as many before it, so ``log2(L)`` passes over all of them do.
    """
    c[0] += f[0] * c_0
    spare, reach = np.empty_like(c), 1
    while reach < len(c):
        earlier = spare[reach:]
        np.multiply(f[reach:], c[:-reach], earlier)
        c[reach:] += earlier
        np.multiply(f[reach:], f[:-reach], earlier)
        f[reach:] = earlier
        reach *= 2
    return c[-1]


def _loop(f: Array, u: Array, c_0: Array, c: Array) -> Array:
    last = c_0
    for f_t, u_t, c_t in zip(f, u, c, strict=True):
        np.multiply(f_t, last, c_t)
        c_t += u_t
        last = c_t
    return last


class _Spare:
    """One buffer, used again for every block."""

    def __init__(self) -> None:
        self.buffer: Array | None = None

    def like(self, array: Array) -> Array:
        """An uninitialised contiguous array of the shape ``(steps, N, H)`` of ``array``, no longer than the first."""
        if self.buffer is None:
            self.buffer = np.empty(array.shape, array.dtype)
        return self.buffer[: len(array)]


def _blocks(layer: Layer, width: int) -> Iterator[tuple[slice, slice, Tensor]]:
    """Spans of steps, their rows when steps and batch are one axis, and what they are computed from.

    That is ``[x_t, h_{t-1}]``, ``(steps * N, H_in + P or H)``, in one buffer that the next span overwrites.
    """
    steps, batch, inner = layer.x.shape
    count = max(1, min(steps, BLOCK_BYTES // (batch * width * layer.x.itemsize)))
    buffer = np.empty((count, batch, inner + layer.h.shape[2]), layer.x.dtype)
    flat = torch.from_numpy(buffer).view(count * batch, -1)
    for start in range(0, steps, count):
        t = slice(start, min(start + count, steps))
        used = t.stop - start
        buffer[:used, :, :inner] = layer.x[t]
        before = buffer[:used, :, inner:]
        before[1:] = layer.h[start : t.stop - 1]
        before[0] = layer.h[start - 1] if start else layer.h_0
        if layer.valid is not None:
            first = max(start, 1)
            gone = ~layer.valid[first - 1 : t.stop - 1, :, None]
            np.copyto(before[first - start :], layer.h_0, where=gone)
        yield t, slice(start * batch, t.stop * batch), flat[: used * batch]


def _joined(w: Weights, blocks: int, total: int) -> tuple[Tensor, Tensor | None]:
    """The first of the ``total`` blocks of the weights, for ``[x_t, h_{t-1}]``, and the sum of their biases.

    The weights are ``(blocks, H_in + P or H, H)`` and the biases ``(blocks, 1, H)``.
    """
    weight = torch.cat([w.weight_ih, w.weight_hh], 1)
    bias = None if w.bias_ih is None or w.bias_hh is None else (w.bias_ih + w.bias_hh).view(total, 1, -1)
    weight = weight.view(total, -1, weight.shape[1]).transpose(1, 2)
    if blocks == total:
        return weight, bias
    return weight[:blocks], None if bias is None else bias[:blocks]


def _third(weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """The candidate's block of a GRU's weights, ``(1, H_in or H, H)``, and of its bias, ``(1, 1, H)``."""
    size = len(weight) // 3
    return weight[2 * size :].t().unsqueeze(0), None if bias is None else bias[2 * size :].view(1, 1, size)


def _products(inputs: Tensor, weight: Tensor, bias: Tensor | None, out: Tensor) -> None:
    """``inputs`` ``(rows, K)`` times each of ``weight`` ``(blocks, K, H)``, into ``out`` ``(blocks, rows, H)``."""
    each = inputs.expand(len(weight), -1, -1)
    if bias is None:
        torch.bmm(each, weight, out=out)
    else:
        torch.baddbmm(bias, each, weight, out=out)


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
    return worst(high, -low)


def worst(a: float, b: float) -> float:
    """The larger of two errors, or NaN if either is."""
    return a if a != a or a > b else b
