"""Run an edited recurrent layer step by step, so that everything downstream of an edit is recomputed."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from seqviz.capture.kernels import Call
from seqviz.capture.observe import Observed, alone, as_array, valid_steps
from seqviz.capture.reconstruct import Array, largest, previous, worst
from seqviz.experiment.interventions import Intervention, apply, spans
from seqviz.networks.layers import Sequences, between_layers, layer_names, signal_widths
from seqviz.networks.unroll import Unrolled, unroll

__all__ = ["step_by_step"]

Edits = list[Intervention]


def step_by_step(call: Call, edits: Edits, offset: int) -> tuple[Observed, Unrolled]:
    """Run a call again, one step after the other, with the edits at its signals.

    Args:
        call: what was called with what.
        edits: in the order to apply them, their signals named as the layer's own, ``l0.f``.
        offset: how many steps of the same sequence earlier calls took.

    Returns:
        Every signal, those before the squashing among them, each ``(L, N, H)``; the parity described in
        :func:`seqviz.capture.capture`; and the output and the last states of the edited layer.
    """
    stack, steps, draw = call.stack, call.steps, call.generator()
    kept: dict[str, list[Tensor]] = {name: [call.x[0]] * steps for name in signal_widths(stack)}

    def at(name: str, value: Tensor, step: int) -> Tensor:
        mine = [edit for edit in edits if edit.signal == name]
        kept[name][step] = value = apply(mine, value, step + offset, steps + offset) if mine else value
        return value

    given = Sequences(call.x, call.lengths, call.first)
    with torch.autocast(call.x.device.type, enabled=False):
        out = unroll(stack, given, at, lambda value: between_layers(stack, value, call.packed, draw))
    signals = {name: torch.stack(values) for name, values in kept.items()}
    valid = valid_steps([call])
    if valid is not None:
        gone = torch.from_numpy(~valid).unsqueeze(-1)
        for signal in signals.values():
            signal.masked_fill_(gone.to(signal.device), 0)
    touched = {end: _touched(end, edits, (offset, steps), stack.hidden_size) for end, _, _ in layer_names(stack)}
    found = {name: as_array(signal) for name, signal in signals.items()}
    return Observed(found, _parity(call, signals, touched)), out


def _parity(call: Call, signals: dict[str, Tensor], touched: dict[str, Array]) -> float:
    """The largest ``|recorded - torch|`` over h and c, each step by torch from the recorded state before it.

    All the steps are one batch of sequences of length 1 for torch's fused function. The units of a step that an
    edit touches are left out; with a projection, which mixes the units of ``h``, the whole ``h`` of that step is.
    """
    stack, x, error, valid = call.stack, signals["x"], 0.0, valid_steps([call])
    draw, outs = call.generator(), list[Tensor]()
    for index, (end, layer, reverse) in enumerate(layer_names(stack)):
        if not reverse:
            x = between_layers(stack, torch.cat(outs, -1), call.packed, draw) if layer else x
            outs = []
        outs.append(signals[f"{end}.h"])
        states = {name: (signals[f"{end}.{name}"], first[index]) for name, first in call.before.items()}
        before = [_previous(now, first, valid, reverse) for now, first in states.values()]
        after = alone(stack.cell, [stack.weights[index]], _one_batch(x), [_one_batch(state) for state in before])[1:]
        for (name, (now, _)), again in zip(states.items(), after, strict=True):
            gap = as_array(now - again.view_as(now))
            if gap.shape[-1] != touched[end].shape[-1] or (stack.proj_size and name == "h"):
                gap[touched[end].any(-1)] = 0
            else:
                np.copyto(gap, 0, where=touched[end][:, None])
            if valid is not None:
                gap[~valid] = 0
            error = worst(error, largest(gap, as_array(now)))
    return error


def _one_batch(value: Tensor) -> Tensor:
    """``(L, N, H)`` as ``L * N`` sequences of one step, ``(1, L * N, H)``."""
    return value.reshape(1, -1, value.shape[-1])


def _previous(state: Tensor, first: Tensor, valid: Array | None, reverse: bool) -> Tensor:
    """The state before every step, ``(L, N, H)``, in the order of the sequence."""
    way = slice(None, None, -1 if reverse else 1)
    before = previous(as_array(state)[way], as_array(first), None if valid is None else valid[way])
    return torch.from_numpy(before[way].copy()).to(state.device)


def _touched(end: str, edits: Edits, steps: tuple[int, int], width: int) -> Array:
    """``(L, H)``, true where an edit of a signal of the layer ``end`` acts; ``steps`` are offset and L."""
    offset, count = steps
    touched = np.zeros((offset + count, width), bool)
    for edit in edits:
        if edit.signal.startswith(f"{end}."):
            for start, stop in spans(edit.steps, offset + count):
                touched[start:stop, slice(None) if edit.units is None else list(edit.units)] = True
    return touched[offset:]
