"""Every signal of one call of a recurrent module, from its input and its output."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from seqviz.cells.step import Weights
from seqviz.layers import (
    Recurrent,
    Sequences,
    between_layers,
    layer_weights,
    read_cell_state,
    read_output,
    to_packed,
)
from seqviz.reconstruct import Array, Layer, largest, rebuild, worst
from seqviz.vocabulary import GRU, LSTM, RNN_TANH

__all__ = ["Observed", "as_array", "fused", "observe", "valid_steps"]


class Observed(NamedTuple):
    """The signals of all the layers of one call, each ``(L, N, H)``, and how far they are from torch."""

    signals: dict[str, Array]
    parity: float


def observe(
    rnn: Recurrent, given: Sequences, out: Any, *, packed: PackedSequence | None, detail: bool, owned: bool
) -> Observed:
    """Rebuild every layer of one call of a fused module.

    Args:
        rnn: the module.
        given: what it was called with.
        out: what it returned: the output and ``h_n`` or ``(h_n, c_n)``.
        packed: its input, if that was packed.
        detail: also the signals before the squashing.
        owned: nobody else holds ``out``, so that it may be kept and need not be copied.

    The layers below the last one give their output to nobody, so each is run on its own, by the function that
    the module itself calls and on the same input.
    """
    x, valid, c_n = given.x, valid_steps(given), read_cell_state(rnn, out[1])
    h_0, c_0 = as_array(given.h_0), None if given.c_0 is None else as_array(given.c_0)
    ends = None if c_n is None else as_array(c_n)
    signals, parity = {"x": as_array(x).copy()}, 0.0
    count = 2 if rnn.bidirectional else 1
    for k in range(rnn.num_layers):
        x = between_layers(rnn, x, packed) if k else x
        top = k == rnn.num_layers - 1
        h = read_output(rnn, out[0]) if top else run_layer(rnn, k, x, given, packed)
        entry, whole = as_array(x), as_array(h)
        size = whole.shape[2] // count
        for way in range(count):
            mine, index = whole[:, :, way * size : (way + 1) * size], k * count + way
            weights = on_cpu(layer_weights(rnn, k, bool(way)))
            first = None if c_0 is None else c_0[index]
            layer = Layer(rnn.mode, weights, entry, mine, h_0[index], first, valid)
            rebuilt = rebuild(backwards(layer) if way else layer, detail)
            end = f"l{k}_reverse" if way else f"l{k}"
            for name, value in rebuilt.signals.items():
                signals[f"{end}.{name}"] = value[::-1] if way else value
            signals[f"{end}.h"] = mine if owned or not top else mine.copy()
            parity = worst(parity, rebuilt.parity)
            if ends is not None:
                last = final(signals[f"{end}.c"], given.lengths, bool(way))
                parity = worst(parity, largest(last - ends[index], ends[index]))
        x = h
    return Observed(signals, parity)


def as_array(value: Tensor) -> Array:
    """The numbers of a tensor, shared with it where it lies in the processor's memory."""
    return value.numpy(force=True)


def on_cpu(weights: Weights) -> Weights:
    """The weights in the processor's memory, and without gradients."""
    if weights.weight_ih.is_cpu and not torch.is_grad_enabled():
        return weights
    return Weights(*(None if w is None else w.detach().cpu() for w in weights))  # type: ignore[arg-type]


def backwards(layer: Layer) -> Layer:
    """The same layer with its steps the other way round."""
    valid = None if layer.valid is None else layer.valid[::-1]
    return layer._replace(x=layer.x[::-1], h=layer.h[::-1], valid=valid)


def valid_steps(given: Sequences) -> Array | None:
    """``(L, N)``, false past the end of a sequence; ``None`` when nothing is packed."""
    return None if given.lengths is None else np.arange(len(given.x))[:, None] < given.lengths.numpy()


def final(value: Array, lengths: Tensor | None, reverse: bool) -> Array:
    """The value ``(N, H)`` at the last step to be processed, of ``(L, N, H)``."""
    if reverse:
        return value[0]
    return value[-1] if lengths is None else value[lengths.numpy() - 1, np.arange(value.shape[1])]


def run_layer(rnn: Recurrent, k: int, x: Tensor, given: Sequences, packed: PackedSequence | None) -> Tensor:
    """Torch's own output ``(L, N, D*H)`` of layer ``k`` alone, by the function that the whole module calls."""
    count = 2 if rnn.bidirectional else 1
    rows = slice(k * count, (k + 1) * count)
    weights = [layer_weights(rnn, k, bool(way)) for way in range(count)]
    state = [s[rows] for s in (given.h_0, given.c_0) if s is not None]
    if packed is None:
        return fused(rnn.mode, weights, x, state)[0]
    order = packed.sorted_indices
    state = state if order is None else [s[:, order] for s in state]
    data = fused(rnn.mode, weights, to_packed(x, packed), state, packed.batch_sizes)[0]
    return pad_packed_sequence(packed._replace(data=data))[0]


def fused(
    mode: str, weights: list[Weights], x: Tensor, state: list[Tensor], batch_sizes: Tensor | None = None
) -> tuple[Tensor, ...]:
    """Torch's fused function on one layer: ``x`` ``(L, N, H_in)`` to the output and the last states.

    ``weights`` has one item a direction; ``state`` is ``[h_0]`` or ``[h_0, c_0]``, each ``(D, N, H)``. With
    ``batch_sizes`` the input and output are the rows of a packed sequence.
    """
    run: Any = {LSTM: torch.lstm, GRU: torch.gru, RNN_TANH: torch.rnn_tanh}.get(mode, torch.rnn_relu)
    flat = [w for way in weights for w in way if w is not None]
    hx = state if mode == LSTM else state[0]
    options = (flat, weights[0].bias_ih is not None, 1, 0.0, False, len(weights) == 2)
    return run(x, hx, *options, False) if batch_sizes is None else run(x, batch_sizes, hx, *options)
