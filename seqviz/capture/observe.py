"""Every signal of one sequence that a recurrent module ran through, from what it was given and gave."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_packed_sequence

from seqviz.capture.kernels import FUNCTIONS, Call, each_weight
from seqviz.capture.reconstruct import Array, Layer, largest, rebuild, worst
from seqviz.cells import Cell
from seqviz.cells.layer import run_cell
from seqviz.cells.step import Named, Weights, parts
from seqviz.networks.layers import between_layers, to_packed

__all__ = ["Observed", "alone", "as_array", "joined", "observe", "valid_steps"]


class Observed(NamedTuple):
    """The signals of all the layers of a sequence, each ``(L, N, H)``, and how far they are from torch."""

    signals: dict[str, Array]
    parity: float


def observe(calls: list[Call], *, detail: bool) -> Observed:
    """Rebuild every layer of one sequence, run through in one call or in several that follow each other.

    Args:
        calls: those, each from the states that the one before it ended in, unless they were changed in between; their
            tensors become the signals'.
        detail: also the signals before the squashing.

    The layers below the last one give their output to nobody, so each is run on its own, by the function that
    the module itself calls and on the same input; one step's output is its last state.
    """
    first, batch, valid = calls[0], calls[0].batch, valid_steps(calls)
    inputs, draws = [call.x for call in calls], [call.generator() for call in calls]
    signals, parity = {"x": joined([as_array(x) for x in inputs], batch)}, 0.0
    count, layers = (2 if first.stack.bidirectional else 1), first.stack.num_layers
    for k in range(layers):
        if k:
            rows = zip(calls, inputs, draws, strict=True)
            inputs = [between_layers(call.stack, x, call.packed, draw) for call, x, draw in rows]
        outs = [c.out if k == layers - 1 else run_layer(c, k, x) for c, x in zip(calls, inputs, strict=True)]
        entry, whole = (joined([as_array(value) for value in values], batch) for values in (inputs, outs))
        size = whole.shape[2] // count
        for way in range(count):
            index, end = k * count + way, f"l{k}_reverse" if way else f"l{k}"
            h = whole[:, :, way * size : (way + 1) * size]
            rebuilt = _rebuilt(calls, index, entry, h, valid, detail)
            signals |= {f"{end}.{name}": value for name, value in rebuilt.signals.items()}
            signals[f"{end}.h"] = h
            parity = worst(parity, rebuilt.parity)
        inputs = outs
    return Observed(signals, parity)


def _rebuilt(calls: list[Call], index: int, x: Array, h: Array, valid: Array | None, detail: bool) -> Observed:
    """The signals of one layer and direction but for h; calls that go on from each other are one piece of work."""
    pieces, parity = [], 0.0
    reverse = bool(calls[0].stack.bidirectional and index % 2)
    for members, span in _pieces(calls, index):
        start, inside = members[0], None if valid is None else valid[span]
        first = {state: _filled(as_array(value)[index], x.shape[1]) for state, value in start.before.items()}
        weights = on_cpu(start.stack.weights[index])
        layer = Layer(start.stack.cell, weights, x[span], h[span], first, inside)
        rebuilt = rebuild(backwards(layer) if reverse else layer, detail)
        found = {name: value[::-1] if reverse else value for name, value in rebuilt.signals.items()}
        parity = worst(parity, rebuilt.parity)
        for k, state in enumerate(start.stack.cell.states):
            if state != "h":
                parity = worst(parity, _state_gap(members, index, k, found[state], reverse))
        pieces.append(found)
    return Observed({name: joined([piece[name] for piece in pieces], x.shape[1]) for name in pieces[0]}, parity)


def _pieces(calls: list[Call], index: int) -> Iterator[tuple[list[Call], slice]]:
    """Runs of calls that computed with the same numbers, each from the states of the one before, and their steps."""
    members: list[Call] = []
    start = stop = 0
    for call in calls:
        if members and (call.changed or not _equal(members[-1].stack.weights[index], call.stack.weights[index])):
            yield members, slice(start, stop)
            members, start = [], stop
        members.append(call)
        stop += call.steps
    yield members, slice(start, stop)


def _equal(a: Weights | Named, b: Weights | Named) -> bool:
    mine, others = parts(a), parts(b)
    return mine.keys() == others.keys() and all(m is others[n] or torch.equal(m, others[n]) for n, m in mine.items())


def _state_gap(calls: list[Call], index: int, k: int, state: Array, reverse: bool) -> float:
    """The largest ``|recomputed - torch|`` over the k-th states that the calls ended in, such as an LSTM's c."""
    gap, stop = 0.0, 0
    for call in calls:
        start, stop = stop, stop + call.steps
        torchs = as_array(call.last[k])[index]
        gap = worst(gap, largest(final(state[start:stop, : call.batch], call.lengths, reverse) - torchs, torchs))
    return gap


def joined(arrays: list[Array], batch: int) -> Array:
    """Arrays ``(L, N, H)`` one after the other, 0 for the batch elements that a later one has no more."""
    return arrays[0] if len(arrays) == 1 else np.concatenate([_filled(array, batch) for array in arrays])


def _filled(array: Array, batch: int) -> Array:
    """``(..., N, H)`` with rows of 0 up to a batch."""
    missing = batch - array.shape[-2]
    if not missing:
        return array
    return np.concatenate([array, np.zeros((*array.shape[:-2], missing, array.shape[-1]), array.dtype)], -2)


def as_array(value: Tensor) -> Array:
    """The numbers of a tensor, shared with it where it lies in the processor's memory."""
    return value.numpy(force=True)


def on_cpu(weights: Weights | Named) -> Weights | Named:
    """The weights in the processor's memory, and without gradients."""
    if not torch.is_grad_enabled() and next(iter(parts(weights).values())).is_cpu:
        return weights
    return each_weight(lambda w: w.detach().cpu(), weights)


def backwards(layer: Layer) -> Layer:
    """The same layer with its steps the other way round."""
    valid = None if layer.valid is None else layer.valid[::-1]
    return layer._replace(x=layer.x[::-1], h=layer.h[::-1], valid=valid)


def lengths_of(calls: list[Call]) -> tuple[int, ...]:
    """Valid steps of each batch element: an element ends where a call takes it up no more."""
    if calls[0].lengths is not None:
        return tuple(calls[0].lengths.tolist())
    if calls[-1].batch == calls[0].batch:
        return (sum(call.steps for call in calls),) * calls[0].batch
    steps = np.array([call.steps for call in calls])
    inside = np.array([call.batch for call in calls])[:, None] > np.arange(calls[0].batch)
    return tuple(int(n) for n in steps @ inside)


def valid_steps(calls: list[Call]) -> Array | None:
    """``(L, N)``, false past the end of a sequence; ``None`` when all are of one length."""
    if calls[0].lengths is None and calls[-1].batch == calls[0].batch:
        return None
    steps = sum(call.steps for call in calls)
    return np.arange(steps)[:, None] < np.array(lengths_of(calls))


def final(value: Array, lengths: Tensor | None, reverse: bool) -> Array:
    """The value ``(N, H)`` at the last step to be processed, of ``(L, N, H)``."""
    if reverse:
        return value[0]
    return value[-1] if lengths is None else value[lengths.numpy() - 1, np.arange(value.shape[1])]


def run_layer(call: Call, k: int, x: Tensor) -> Tensor:
    """Torch's own output ``(L, N, D*H)`` of layer ``k`` alone, by the function that the whole module calls."""
    stack, packed = call.stack, call.packed
    count = 2 if stack.bidirectional else 1
    rows = slice(k * count, (k + 1) * count)
    if call.steps == 1 and packed is None and stack.cell.torchs:
        return torch.cat(tuple(call.last[0][rows]), -1).unsqueeze(0)
    weights = list(stack.weights[rows])
    state = [s[rows] for s in call.first]
    if packed is None:
        return alone(stack.cell, weights, x, state)[0]
    order = packed.sorted_indices
    state = state if order is None else [s[:, order] for s in state]
    data = alone(stack.cell, weights, to_packed(x, packed), state, packed.batch_sizes)[0]
    return pad_packed_sequence(packed._replace(data=data))[0]


def alone(
    cell: Cell, weights: list[Weights | Named], x: Tensor, state: list[Tensor], batch_sizes: Tensor | None = None
) -> tuple[Tensor, ...]:
    """Torch's fused function on one layer, or a cell's lines: ``x`` ``(L, N, H_in)`` to the output and the last states.

    ``weights`` has one item a direction; ``state`` has the cell's, each ``(D, N, H)``. With ``batch_sizes`` the input
    and output are the rows of a packed sequence.
    """
    flat = [w for way in weights for w in parts(way).values()]
    with torch.autocast(x.device.type, enabled=False):
        if not cell.torchs:
            return run_cell(x, tuple(state), flat, cell, 1)
        run: Any = FUNCTIONS[cell.name]
        hx = state if len(state) > 1 else state[0]
        options = (flat, "bias_ih" in parts(weights[0]), 1, 0.0, False, len(weights) == 2)
        return run(x, hx, *options, False) if batch_sizes is None else run(x, batch_sizes, hx, *options)
