"""Run an edited recurrent layer step by step, so that everything downstream of an edit is recomputed."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from seqviz.cells import signal_names
from seqviz.interventions import Intervention, apply, resolve_steps
from seqviz.layers import Recurrent, Sequences, between_layers, layer_names, layer_weights
from seqviz.network import instrument
from seqviz.observe import Observed, as_array, fused, valid_steps
from seqviz.reconstruct import Array, largest, previous, worst

__all__ = ["step_by_step"]

Edits = list[tuple[str, Intervention]]


def step_by_step(
    rnn: Recurrent, value: Any, hx: Any, given: Sequences, edits: Edits, detail: bool
) -> tuple[Observed, Any]:
    """Run an instrumented twin of ``rnn`` with the edits in its hook points.

    Args:
        rnn: the module.
        value: what it was called with, and ``hx``; ``given``, the same time first.
        edits: ``(signal, intervention)`` in the order to apply them.
        detail: also return the signals before the squashing.

    Returns:
        The signals, each ``(L, N, H)``; the parity described in :func:`seqviz.capture.capture`; and the output of the
        edited layer, as torch's layer would return it.
    """
    twin, steps = instrument(rnn), len(given.x)
    names = signal_names(rnn.mode, detail=detail, projected=bool(rnn.proj_size))
    wanted = ["x", *(f"{end}.{name}" for end, _, _ in layer_names(rnn) for name in names)]
    for target in {signal for signal, _ in edits}:
        mine = [edit for signal, edit in edits if signal == target]

        def edit(point: Any, args: Any, out: Tensor, mine: list[Intervention] = mine) -> Tensor:
            return apply(mine, out, args[1], steps)

        twin.get_submodule(target).register_forward_hook(edit)
    kept = {name: _record(twin.get_submodule(name), steps) for name in wanted}
    random = torch.get_rng_state() if rnn.dropout and rnn.training else None
    out = twin(value, hx)
    signals = {name: torch.stack(values) for name, values in kept.items()}
    if given.lengths is not None:
        gone = torch.from_numpy(~valid_steps(given)).unsqueeze(-1)  # type: ignore[operator]
        for signal in signals.values():
            signal.masked_fill_(gone.to(signal.device), 0)
    if random is not None:
        torch.set_rng_state(random)
    found = {name: as_array(signal) for name, signal in signals.items()}
    return Observed(found, _parity(rnn, value, given, signals, edits)), out


def _record(point: nn.Module, steps: int) -> list[Tensor]:
    """A list that the point fills with its value at each step, ``(N, H)``, in the order of the sequence."""
    values: list[Any] = [None] * steps

    def keep(point: Any, args: Any, out: Tensor) -> None:
        values[args[1]] = out

    point.register_forward_hook(keep)
    return values


def _parity(rnn: Recurrent, value: Any, given: Sequences, signals: dict[str, Tensor], edits: Edits) -> float:
    """The largest ``|recorded - torch|`` over h and c, each step by torch from the recorded state before it.

    All the steps are one batch of sequences of length 1 for torch's fused function. The units of a step that an
    edit touches are left out; with a projection, which mixes the units of ``h``, the whole ``h`` of that step is.
    """
    packed = value if isinstance(value, PackedSequence) else None
    x, error, valid = signals["x"], 0.0, valid_steps(given)
    for k in range(rnn.num_layers):
        x = between_layers(rnn, x, packed) if k else x
        ends = [f"l{k}", f"l{k}_reverse"][: 2 if rnn.bidirectional else 1]
        for way, end in enumerate(ends):
            index = k * len(ends) + way
            states = {"h": (signals[f"{end}.h"], given.h_0[index])}
            if given.c_0 is not None:
                states["c"] = (signals[f"{end}.c"], given.c_0[index])
            before = [_previous(now, first, valid, bool(way)) for now, first in states.values()]
            weights = layer_weights(rnn, k, bool(way))
            after = fused(rnn.mode, [weights], _one_batch(x), [_one_batch(state) for state in before])[1:]
            touched = _touched(end, edits, len(x), rnn.hidden_size)
            for (name, (now, _)), again in zip(states.items(), after, strict=True):
                gap = as_array(now - again.view_as(now))
                if rnn.proj_size and name == "h":
                    gap[touched.any(-1)] = 0
                else:
                    np.copyto(gap, 0, where=touched[:, None])
                if valid is not None:
                    gap[~valid] = 0
                error = worst(error, largest(gap, as_array(now)))
        x = torch.cat([signals[f"{end}.h"] for end in ends], -1)
    return error


def _one_batch(value: Tensor) -> Tensor:
    """``(L, N, H)`` as ``L * N`` sequences of one step, ``(1, L * N, H)``."""
    return value.reshape(1, -1, value.shape[-1])


def _previous(state: Tensor, first: Tensor, valid: Array | None, reverse: bool) -> Tensor:
    """The state before every step, ``(L, N, H)``, in the order of the sequence."""
    way = slice(None, None, -1 if reverse else 1)
    before = previous(as_array(state)[way], as_array(first), None if valid is None else valid[way])
    return torch.from_numpy(before[way].copy()).to(state.device)


def _touched(end: str, edits: Edits, steps: int, width: int) -> Array:
    """``(L, H)``, true where an edit of a signal of the layer ``end`` acts."""
    touched = np.zeros((steps, width), bool)
    for name, edit in edits:
        if name.startswith(f"{end}."):
            start, stop = resolve_steps(edit.steps, steps)
            touched[start:stop, slice(None) if edit.units is None else list(edit.units)] = True
    return touched
