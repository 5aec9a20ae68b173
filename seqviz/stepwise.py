"""Run an edited recurrent layer step by step, so that everything downstream of an edit is recomputed."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from seqviz.cells import signal_names
from seqviz.interventions import Intervention, apply, resolve_steps
from seqviz.network import (
    HookPoint,
    Recurrent,
    Sequences,
    between_layers,
    instrument,
    layer_names,
    layer_weights,
)
from seqviz.reconstruct import directions, fused, previous, valid_steps, worst

__all__ = ["step_by_step"]

Edits = list[tuple[str, Intervention]]


def step_by_step(
    rnn: Recurrent, value: Any, hx: Any, given: Sequences, edits: Edits, detail: bool
) -> tuple[dict[str, Tensor], float, Any]:
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
    for signal in {signal for signal, _ in edits}:
        mine = [edit for name, edit in edits if name == signal]

        def edit(point: Any, args: Any, out: Tensor, mine: list[Intervention] = mine) -> Tensor:
            return apply(mine, out, args[1], steps)

        twin.get_submodule(signal).register_forward_hook(edit)
    kept = {name: _record(twin.get_submodule(name), steps) for name in wanted}  # type: ignore[arg-type]
    random = torch.get_rng_state() if rnn.dropout and rnn.training else None
    out = twin(value, hx)
    signals = {name: torch.stack(values) for name, values in kept.items()}
    valid = valid_steps(given)
    if valid is not None:
        for kept_value in signals.values():
            kept_value.masked_fill_(~valid.unsqueeze(-1), 0)
    if random is not None:
        torch.set_rng_state(random)
    return signals, _parity(rnn, value, given, signals, edits), out


def _record(point: HookPoint, steps: int) -> list[Tensor]:
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
        count = 2 if rnn.bidirectional else 1
        h = torch.cat([signals[f"l{k}{end}.h"] for end in ("", "_reverse")[:count]], -1)
        for end, index, reverse, mine in directions(rnn, k, h):
            states = {"h": (mine, given.h_0[index])}
            if given.c_0 is not None:
                states["c"] = (signals[f"{end}.c"], given.c_0[index])
            before = [_previous(*state, valid, reverse) for state in states.values()]
            weights = layer_weights(rnn, k, reverse)
            after = fused(rnn.mode, [weights], _one_batch(x), [_one_batch(value) for value in before])[1:]
            touched = _touched(end, edits, len(x), rnn.hidden_size)
            for (name, (now, _)), again in zip(states.items(), after, strict=True):
                off = touched.any(-1, keepdim=True) if rnn.proj_size and name == "h" else touched
                gap = (now - again.view_as(now)).abs_().masked_fill_(off.unsqueeze(1).to(now.device), 0)
                gap = gap if valid is None else gap.masked_fill_(~valid.unsqueeze(-1), 0)
                error = worst(error, float(gap.max()))
        x = h
    return error


def _one_batch(value: Tensor) -> Tensor:
    """``(L, N, H)`` as ``L * N`` sequences of one step, ``(1, L * N, H)``."""
    return value.reshape(1, -1, value.shape[-1])


def _previous(state: Tensor, first: Tensor, valid: Tensor | None, reverse: bool) -> Tensor:
    """The state before every step, ``(L, N, H)``, in the order of the sequence."""
    if not reverse:
        return previous(state, first, valid)
    return previous(state.flip(0), first, None if valid is None else valid.flip(0)).flip(0)


def _touched(end: str, edits: Edits, steps: int, width: int) -> Tensor:
    """``(L, H)``, true where an edit of a signal of the layer ``end`` acts."""
    touched = torch.zeros(steps, width, dtype=torch.bool)
    for name, edit in edits:
        if name.startswith(f"{end}."):
            start, stop = resolve_steps(edit.steps, steps)
            touched[start:stop, slice(None) if edit.units is None else list(edit.units)] = True
    return touched
