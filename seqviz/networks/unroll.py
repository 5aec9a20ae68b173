"""A stack of recurrent layers computed step by step, with every signal in reach.

Shapes in torch's letters: ``L`` steps, ``N`` batch, ``H_in`` input size, ``H`` hidden size, ``P`` projection
size, ``D`` directions, ``K`` layers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from seqviz.cells.step import Step
from seqviz.networks.layers import Sequences, Stack, layer_names

__all__ = ["Unrolled", "unroll"]

AtStep = Callable[[str, Tensor, int], Tensor]
"""What happens at a signal: takes its name, its value ``(N, H)`` and the step, returns the value to go on with."""


class Unrolled(NamedTuple):
    """``out`` ``(L, N, D*(P or H))``, and the states after the last step in the cell's order, ``(D*K, N, ·)`` each."""

    out: Tensor
    states: tuple[Tensor, ...]


def unroll(stack: Stack, given: Sequences, at: AtStep, between: Callable[[Tensor], Tensor]) -> Unrolled:
    """Run a stack through ``at``, which is called once a signal and step, in the order of processing.

    Args:
        stack: its layers.
        given: the input and the states before the first step.
        at: see :data:`AtStep`.
        between: what happens to ``(L, N, D*H)`` between two layers.
    """
    out = torch.stack([at("x", value, step) for step, value in enumerate(given.x)])
    ends: list[tuple[Tensor, ...]] = []
    outs: list[Tensor] = []
    for index, (_, layer, reverse) in enumerate(layer_names(stack)):
        if not reverse:
            out, outs = between(out) if layer else out, []
        run = _run(stack, index, out, tuple(state[index] for state in given.states), given.lengths, at)
        outs.append(run.out)
        ends.append(run.states)
        if reverse or not stack.bidirectional:
            out = torch.cat(outs, -1)
    return Unrolled(out, tuple(map(torch.stack, zip(*ends, strict=True))))


def _run(
    stack: Stack, index: int, x: Tensor, first: tuple[Tensor, ...], lengths: Tensor | None, at: AtStep
) -> Unrolled:
    """One layer and direction: ``x`` ``(L, N, H_in)`` to ``out`` ``(L, N, P or H)`` and the last states."""
    end, _, reverse = layer_names(stack)[index]
    taken, states = Step(stack.cell, stack.weights[index]), dict(zip(stack.cell.states, first, strict=True))
    out: list[Tensor] = [x[0]] * len(x)
    for t in reversed(range(len(x))) if reverse else range(len(x)):

        def here(name: str, value: Tensor, t: int = t) -> Tensor:
            return at(f"{end}.{name}", value, t)

        s = taken(x[t], states, here)
        if lengths is None:
            states = {state: s[state] for state in states}
            out[t] = s["h"]
        else:
            valid = (t < lengths).to(x.device).unsqueeze(-1)
            states = {state: torch.where(valid, s[state], value) for state, value in states.items()}
            out[t] = torch.where(valid, s["h"], 0.0)
    return Unrolled(torch.stack(out), tuple(states.values()))
