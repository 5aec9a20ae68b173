"""A stack of recurrent layers computed step by step, with every signal in reach.

Shapes in torch's letters: ``L`` steps, ``N`` batch, ``H_in`` input size, ``H`` hidden size, ``P`` projection
size, ``D`` directions, ``K`` layers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from seqviz import cells
from seqviz.cells.step import Step
from seqviz.networks.layers import Sequences, Stack, layer_names

__all__ = ["Unrolled", "unroll"]

AtStep = Callable[[str, Tensor, int], Tensor]
"""What happens at a signal: takes its name, its value ``(N, H)`` and the step, returns the value to go on with."""


class Unrolled(NamedTuple):
    """``out`` ``(L, N, D*(P or H))``, and ``h_n`` ``(D*K, N, P or H)``, ``c_n`` ``(D*K, N, H)`` or None."""

    out: Tensor
    h_n: Tensor
    c_n: Tensor | None


def unroll(stack: Stack, given: Sequences, at: AtStep, between: Callable[[Tensor], Tensor]) -> Unrolled:
    """Run a stack through ``at``, which is called once a signal and step, in the order of processing.

    Args:
        stack: its layers.
        given: the input and the states before the first step.
        at: see :data:`AtStep`.
        between: what happens to ``(L, N, D*H)`` between two layers.
    """
    out = torch.stack([at("x", value, step) for step, value in enumerate(given.x)])
    h_n: list[Tensor] = []
    c_n: list[Tensor] = []
    outs: list[Tensor] = []
    for index, (end, layer, reverse) in enumerate(layer_names(stack)):
        if not reverse:
            out, outs = between(out) if layer else out, []
        c_0 = None if given.c_0 is None else given.c_0[index]
        run = _run(stack, end, out, given.h_0[index], c_0, given.lengths, at)
        outs.append(run.out)
        h_n.append(run.h_n)
        if run.c_n is not None:
            c_n.append(run.c_n)
        if reverse or not stack.bidirectional:
            out = torch.cat(outs, -1)
    return Unrolled(out, torch.stack(h_n), torch.stack(c_n) if c_n else None)


def _run(
    stack: Stack, end: str, x: Tensor, h: Tensor, c: Tensor | None, lengths: Tensor | None, at: AtStep
) -> Unrolled:
    """One layer and direction: ``x`` ``(L, N, H_in)`` to ``out`` ``(L, N, P or H)`` and the last ``h, c``."""
    index = [name for name, _, _ in layer_names(stack)].index(end)
    reverse, taken = end.endswith("_reverse"), Step(cells.get(stack.mode), stack.weights[index])
    out: list[Tensor] = [h] * len(x)
    for t in reversed(range(len(x))) if reverse else range(len(x)):

        def here(name: str, value: Tensor, t: int = t) -> Tensor:
            return at(f"{end}.{name}", value, t)

        s = taken(x[t], {"h": h} if c is None else {"h": h, "c": c}, here)
        if lengths is None:
            h, c = s["h"], s.get("c")
            out[t] = h
        else:
            valid = (t < lengths).to(h.device).unsqueeze(-1)
            h = torch.where(valid, s["h"], h)
            c = None if c is None else torch.where(valid, s["c"], c)
            out[t] = torch.where(valid, s["h"], 0.0)
    return Unrolled(torch.stack(out), h, c)
