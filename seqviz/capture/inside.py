"""The gates that torch's own run of an LSTM computed with, out of what it keeps for the way back.

On a processor torch runs an LSTM through oneDNN, one layer after the other, and with gradients on oneDNN keeps every
gate of every step in a workspace. To read them there costs a copy; to compute them again costs one more product of the
whole sequence with the weights, which is most of what the run itself costs. How the workspace is laid out is
oneDNN's affair: before the numbers of a size are believed, a small run of it is compared with
:func:`~seqviz.capture.reconstruct.rebuild`, and what is read goes through the same lines to ``c`` and ``h``, which are
compared with torch's at every step.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from seqviz import cells
from seqviz.capture.observe import as_array
from seqviz.capture.reconstruct import BLOCK_BYTES, Array, Layer, largest, rebuild, worst
from seqviz.cells.step import Weights
from seqviz.kept import give_way
from seqviz.networks.layers import Stack, layer_names
from seqviz.vocabulary import LSTM

__all__ = ["Straight", "straight"]

_LSTM = 2
"""What torch's function for one layer calls an LSTM."""

SURE = 1e-4
"""How far from torch's numbers, in float32, nobody asks why."""


class Straight(NamedTuple):
    """An LSTM's output ``(L, N, H)`` and last states ``(K, N, H)``, and what its trace is made of."""

    out: Tensor
    last: tuple[Tensor, ...]
    signals: dict[str, Array]
    initial: dict[str, Array]
    parity: float


def straight(stack: Stack, x: Tensor, states: tuple[Tensor, ...]) -> Straight | None:
    """Run an LSTM as torch does with gradients on.

    The numbers are to the last bit those of ``module(x)`` with gradients on; without, torch packs the weights in
    another way, and the last bit can differ.

    Args:
        stack: its layers, their weights free of gradients.
        x: the input, ``(L, N, H_in)``.
        states: ``h_0`` and ``c_0``, each ``(K, N, H)``.

    Returns:
        ``None`` where torch would not go this way, where nobody knows it, or where something is wrong with what came
        of it, which takes a closer look.
    """
    if not (_plain(stack) and _undisturbed(x)):
        return None
    signals, initial, parity = {"x": as_array(x).copy()}, dict[str, Array](), 0.0
    ends, last = [as_array(state) for state in states], list[tuple[Tensor, ...]]()
    for k, ((end, _, _), weights) in enumerate(zip(layer_names(stack), _weights(stack), strict=True)):
        h_0, c_0 = ends[0][k], ends[1][k]
        if not _known(x.shape[1], x.shape[2], len(h_0[0])):
            return None
        entry = as_array(x) if k else signals["x"]
        begin = states if stack.num_layers == 1 else tuple(state[k : k + 1] for state in states)
        x, gates, after = _through(weights, x, begin)
        h, (h_n, c_n) = as_array(x), (as_array(state)[0] for state in after)
        rebuilt = rebuild(Layer(stack.cell, weights, entry, h, {"h": h_0, "c": c_0}, None, gates))
        parity = worst(parity, worst(rebuilt.parity, largest(rebuilt.signals["c"][-1] - c_n, c_n)))
        signals |= {f"{end}.{name}": value for name, value in rebuilt.signals.items()}
        signals[f"{end}.h"] = h
        initial |= {f"{end}.h": h_0.copy(), f"{end}.c": c_0.copy()}
        ends += [h_n, c_n]
        last.append(after)
    if not parity <= SURE or not math.isfinite(sum([float(np.vdot(a, a)) for a in (signals["x"], *ends)])):
        return None
    states = last[0] if len(last) == 1 else tuple(map(torch.cat, zip(*last, strict=True)))
    return Straight(x, states, signals, initial, parity)


def _plain(stack: Stack) -> bool:
    """Whether it is an LSTM of the kind that torch hands to oneDNN, with one direction."""
    if stack.cell.name != LSTM or stack.bidirectional or stack.proj_size or stack.drops:
        return False
    return all(w.weight_hh.is_cpu and w.weight_hh.dtype == torch.float32 for w in _weights(stack))


def _weights(stack: Stack) -> list[Weights]:
    return [weights for weights in stack.weights if isinstance(weights, Weights)]


def _undisturbed(x: Tensor) -> bool:
    """Whether torch would run an LSTM on this input through oneDNN, and nobody looks on."""
    if not (type(x) is Tensor and x.is_cpu and x.numel() and torch._C._get_mkldnn_enabled()):
        return False
    watched = torch._C._len_torch_function_stack() or torch._C._len_torch_dispatch_stack()
    return not watched and not torch.is_autocast_enabled("cpu")


def _through(weights: Weights, x: Tensor, states: tuple[Tensor, ...]) -> tuple[Tensor, Array, tuple[Tensor, Tensor]]:
    """One layer's output, gates ``(4, L, N, H)`` and last states, in blocks whose workspace stays in the cache."""
    steps, batch, _ = x.shape
    h, c = (state.contiguous() for state in states)
    size = h.shape[2]
    w_ih, w_hh, b_ih, b_hh, _ = weights
    if b_ih is None or b_hh is None:
        b_ih = b_hh = w_ih.new_zeros(4 * size)
    rows = _stride(size)
    count = max(1, BLOCK_BYTES // (4 * batch * rows * 4))
    gates, x = np.empty((4, steps, batch, size), np.float32), x.contiguous()
    # In numpy's room, which lies in large pages: a first write to each small one would cost a third of the run.
    out = torch.from_numpy(np.empty((steps, batch, size), np.float32)) if count < steps else None
    for start in range(0, steps, count):
        give_way()
        part = x if out is None else x[start : start + count]
        with torch.enable_grad():
            made, h, c, kept = torch.mkldnn_rnn_layer(
                part, w_ih, w_hh, b_ih, b_hh, h, c, False, [], _LSTM, size, 1, True, False, False, True
            )
        numbers = kept.numpy().view(np.float32)[: len(part) * batch * rows].reshape(len(part), batch, rows)
        into = gates[:, start : start + count].transpose(1, 2, 0, 3)
        np.copyto(into, numbers[:, :, : 4 * size].reshape(len(part), batch, 4, size))
        if out is not None:
            out[start : start + count] = made
    return made if out is None else out, gates, (h, c)


def _stride(size: int) -> int:
    """Numbers from one row of gates to the next: whole lines of the cache, and no multiple of 1 KiB."""
    rows = -(-4 * size // 16) * 16
    return rows + 16 if rows % 256 == 0 else rows


@lru_cache(maxsize=1024)
def _known(batch: int, width: int, size: int) -> bool:
    """Whether the workspace of a size holds the gates where :func:`_through` reads them: found out by comparing."""
    if not torch.backends.mkldnn.is_available():
        return False
    shapes = (4 * size, width), (4 * size, size), (4 * size,), (4 * size,)
    scale = size**-0.5
    made = [torch.arange(1.0, 1 + math.prod(shape)).sin_().view(shape) * scale for shape in shapes]
    x = torch.cos(torch.arange(3.0 * batch * width)).view(3, batch, width)
    weights, zero = Weights(*made), torch.zeros(1, batch, size)
    try:
        out, gates, _ = _through(weights, x, (zero, zero))
    except (RuntimeError, TypeError, ValueError, AttributeError):
        return False
    first = dict.fromkeys("hc", zero[0].numpy())
    right = rebuild(Layer(cells.get(LSTM), weights, x.numpy(), out.numpy(), first, None)).signals
    return all(np.allclose(gates[k], right[name], rtol=0, atol=1e-5) for k, name in enumerate("ifgo"))
