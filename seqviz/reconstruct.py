"""Every gate of every step from what a fused recurrent layer took in and gave out.

A fused layer shows its hidden states only. Since ``h_{t-1}`` is known at every step, all the pre-activations
are one matrix product over the whole sequence, and an LSTM's cell state is one cheap scan of
``c_t = f_t * c_{t-1} + i_t * g_t``. Nothing is run again from its own outputs, so the recomputation does not
drift, even in a chaotic network; how far it is from torch is measured on every run.

The lines are those of
`nn.RNN <https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html>`_,
`nn.GRU <https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html>`_ and
`nn.LSTM <https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html>`_.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from seqviz.cells import Weights, signal_names
from seqviz.network import (
    Recurrent,
    Sequences,
    between_layers,
    layer_weights,
    read_cell_state,
    read_output,
    to_packed,
)
from seqviz.vocabulary import BLOCKS, GRU, LSTM, RNN_TANH

__all__ = ["Layer", "Observed", "Rebuilt", "observe", "rebuild"]


class Layer(NamedTuple):
    """One layer and direction of one call, with its steps in the order of processing.

    ``x`` ``(L, N, H_in)``; ``h`` ``(L, N, P or H)``, torch's own output; ``h_0`` ``(N, P or H)``; ``c_0``
    ``(N, H)`` or ``None``; ``valid`` ``(L, N)``, false on padding, or ``None`` when every step is valid.
    """

    mode: str
    weights: Weights
    x: Tensor
    h: Tensor
    h_0: Tensor
    c_0: Tensor | None
    valid: Tensor | None


class Rebuilt(NamedTuple):
    """Signals by name, each ``(L, N, H)``, and the largest ``|recomputed h - torch's h|``."""

    signals: dict[str, Tensor]
    parity: float


def rebuild(layer: Layer, detail: bool = False) -> Rebuilt:
    """All the signals of a layer; with ``detail`` also what is before the squashing, and its parts."""
    kinds = {LSTM: _lstm, GRU: _gru}
    signals, h = kinds.get(layer.mode, _rnn)(layer, detail)
    error = (h - layer.h).abs_()
    signals["h"] = layer.h.clone()
    if layer.valid is not None:
        gone = ~layer.valid.unsqueeze(-1)
        error.masked_fill_(gone, 0)
        for value in signals.values():
            value.masked_fill_(gone, 0)
    names = signal_names(layer.mode, detail=detail, projected=layer.weights.weight_hr is not None)
    return Rebuilt({name: signals[name] for name in names}, float(error.max()))


def previous(state: Tensor, first: Tensor, valid: Tensor | None) -> Tensor:
    """The state before every step, ``(L, N, H)``, of the state after it and the one before the first, ``(N, H)``."""
    before = torch.cat([first.unsqueeze(0), state[:-1]])
    if valid is not None:
        before[1:] = torch.where(valid[:-1].unsqueeze(-1), before[1:], first)
    return before


def _parts(layer: Layer, before: Tensor) -> tuple[Tensor, Tensor]:
    """The two products, from the input and from the last state, each ``(L, N, blocks * H)``."""
    w = layer.weights
    ih = torch.nn.functional.linear(layer.x, w.weight_ih, w.bias_ih)
    hh = torch.nn.functional.linear(before, w.weight_hh, w.bias_hh)
    return ih, hh


def _named(mode: str, ih: Tensor, hh: Tensor) -> dict[str, Tensor]:
    """The parts under their names, each ``(L, N, H)``."""
    names = BLOCKS[mode]
    found = {}
    for end, value in (("ih", ih), ("hh", hh)):
        for name, block in zip(names, value.chunk(len(names), -1), strict=True):
            found[f"{name}_{end}"] = block
    return found


def _rnn(layer: Layer, detail: bool) -> tuple[dict[str, Tensor], Tensor]:
    ih, hh = _parts(layer, previous(layer.h, layer.h_0, layer.valid))
    pre = ih + hh
    h = torch.tanh(pre) if layer.mode == RNN_TANH else torch.relu(pre)
    return ({**_named(layer.mode, ih, hh), "h_pre": pre} if detail else {}), h


def _gru(layer: Layer, detail: bool) -> tuple[dict[str, Tensor], Tensor]:
    before = previous(layer.h, layer.h_0, layer.valid)
    ih, hh = _parts(layer, before)
    s = _named(GRU, ih, hh)
    size = layer.weights.weight_hh.shape[1]
    rz_pre = ih[..., : 2 * size] + hh[..., : 2 * size]
    s["r_pre"], s["z_pre"] = rz_pre.chunk(2, -1)
    s["r"], s["z"] = torch.sigmoid(rz_pre).chunk(2, -1)
    s["n_pre"] = s["n_ih"] + s["r"] * s["n_hh"]
    s["n"] = torch.tanh(s["n_pre"])
    h = s["n"] + s["z"] * (before - s["n"])
    return (s if detail else {name: s[name] for name in "rzn"}), h


def _lstm(layer: Layer, detail: bool) -> tuple[dict[str, Tensor], Tensor]:
    ih, hh = _parts(layer, previous(layer.h, layer.h_0, layer.valid))
    pre = ih + hh
    s = {}
    for name, value in zip(BLOCKS[LSTM], pre.chunk(4, -1), strict=True):
        s[name] = torch.tanh(value) if name == "g" else torch.sigmoid(value)
        s[f"{name}_pre"] = value
    s |= _named(LSTM, ih, hh)
    f, u = s["f"], s["i"] * s["g"]
    if layer.valid is not None:
        gone = ~layer.valid.unsqueeze(-1)
        f, u = f.masked_fill(gone, 1), u.masked_fill(gone, 0)
    s["c"] = scan(f, u, layer.c_0)
    h = s["o"] * torch.tanh(s["c"])
    if layer.weights.weight_hr is not None:
        s["h_pre"] = h
        h = torch.nn.functional.linear(h, layer.weights.weight_hr)
    return (s if detail else {name: s[name] for name in "ifgoc"}), h


def scan(f: Tensor, u: Tensor, c_0: Tensor) -> Tensor:
    """``c_t = f_t * c_{t-1} + u_t`` from ``c_0`` ``(N, H)``; ``f`` and ``u`` are ``(L, N, H)``."""
    c = torch.empty_like(u)
    last = c_0
    for t in range(len(u)):
        last = torch.addcmul(u[t], f[t], last, out=c[t])
    return c


class Observed(NamedTuple):
    """The signals of all the layers of one call, each ``(L, N, H)``, and how far they are from torch."""

    signals: dict[str, Tensor]
    parity: float


def observe(rnn: Recurrent, value: Tensor | PackedSequence, given: Sequences, out: Any, detail: bool) -> Observed:
    """Rebuild every layer of one call of a fused module.

    Args:
        rnn: the module.
        value: what it was called with, and ``given``, the same and its state time first.
        out: what it returned: the output and ``h_n`` or ``(h_n, c_n)``.
        detail: also the signals before the squashing.

    The layers below the last one give their output to nobody, so each is run on its own, by the function that
    the module itself calls and on the same input.
    """
    signals = {"x": given.x.clone()}
    last, c_n = read_output(rnn, out[0]), read_cell_state(rnn, out[1])
    packed = value if isinstance(value, PackedSequence) else None
    valid, x, parity = valid_steps(given), given.x, 0.0
    for k in range(rnn.num_layers):
        x = between_layers(rnn, x, packed) if k else x
        h = last if k == rnn.num_layers - 1 else run_layer(rnn, k, x, given, packed)
        for end, index, reverse, mine in directions(rnn, k, h):
            c_0 = None if given.c_0 is None else given.c_0[index]
            steps = Layer(rnn.mode, layer_weights(rnn, k, reverse), x, mine, given.h_0[index], c_0, valid)
            rebuilt = rebuild(backwards(steps) if reverse else steps, detail)
            found = {name: v.flip(0) if reverse else v for name, v in rebuilt.signals.items()}
            signals |= {f"{end}.{name}": v for name, v in found.items()}
            parity = worst(parity, rebuilt.parity)
            if c_n is not None:
                c = final(found["c"], given.lengths, reverse)
                parity = worst(parity, float((c - c_n[index]).abs().max()))
        x = h
    return Observed(signals, parity)


def directions(rnn: Recurrent, k: int, h: Tensor) -> Iterator[tuple[str, int, bool, Tensor]]:
    """``(name, index in the states, reverse, its part of h)`` of the directions of layer ``k``."""
    count = 2 if rnn.bidirectional else 1
    for way, part in enumerate(h.chunk(count, -1)):
        yield f"l{k}{'_reverse' if way else ''}", k * count + way, bool(way), part


def backwards(layer: Layer) -> Layer:
    """The same layer with its steps the other way round."""
    valid = None if layer.valid is None else layer.valid.flip(0)
    return layer._replace(x=layer.x.flip(0), h=layer.h.flip(0), valid=valid)


def valid_steps(given: Sequences) -> Tensor | None:
    """``(L, N)``, false past the end of a sequence; ``None`` when nothing is packed."""
    if given.lengths is None:
        return None
    return (torch.arange(len(given.x)).unsqueeze(-1) < given.lengths).to(given.x.device)


def final(value: Tensor, lengths: Tensor | None, reverse: bool) -> Tensor:
    """The value ``(N, H)`` at the last step to be processed, of ``(L, N, H)``."""
    if reverse:
        return value[0]
    return value[-1] if lengths is None else value[lengths - 1, torch.arange(value.shape[1])]


def worst(a: float, b: float) -> float:
    """The larger of two errors, or NaN if either is."""
    return a if a != a or a > b else b


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
