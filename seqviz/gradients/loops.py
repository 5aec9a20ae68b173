"""What torch itself makes of a gradient in its precision: autograd through a loop over the steps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from seqviz.cells.step import Step
from seqviz.experiment.interventions import Intervention, apply
from seqviz.networks.layers import cell_of, layer_weights

__all__ = ["loop_gradient"]


def loop_gradient(net: Any, x: Tensor, loss: str = "last", interventions: Iterable[Intervention] = ()) -> Tensor:
    """dL/dh_t of the first layer ``(L, N, H)`` as a loop over the documented lines gives it in torch.

    It rounds as torch does in that precision, down to its smallest numbers, where :func:`seqviz.gradient_flow` takes
    those below the normal range for 0 and the slopes of saturated units from their pre-activations.

    Args:
        net: a :class:`seqviz.SequenceRNN` or one of its sisters, of one direction.
        x: its input ``(L, N, H_in)``, in the network's precision.
        loss: ``"last"`` or ``"sum"``, as for :func:`seqviz.gradient_flow`.
        interventions: edits of the run.
    """
    edits, first, outputs, rnn = tuple(interventions), list[Tensor](), list[Tensor](), net.rnn
    cell = cell_of(rnn)
    steps = [Step(cell, layer_weights(rnn, k, False)) for k in range(rnn.num_layers)]
    states = [_before(step, x, rnn.hidden_size) for step in steps]
    with torch.enable_grad():
        for t, given in enumerate(x):

            def at(name: str, value: Tensor, t: int = t) -> Tensor:
                return apply([e for e in edits if e.signal == name], value, t, len(x))

            value = at("x", given)
            for k, step in enumerate(steps):

                def here(name: str, value: Tensor, k: int = k) -> Tensor:
                    value = at(f"l{k}.{name}", value)
                    if (k, name) == (0, "h"):
                        value = value if value.requires_grad else value.clone().requires_grad_()
                        first.append(value)
                    return value

                found = step(value, states[k], here)
                value, states[k] = found["h"], {state: found[state] for state in cell.states}
            outputs.append(net.readout(value))
        total = outputs[-1].sum() if loss == "last" else torch.stack(outputs).sum()
        found_at = torch.autograd.grad(total, first, allow_unused=True)
    return torch.stack([torch.zeros_like(h) if g is None else g for g, h in zip(found_at, first, strict=True)])


def _before(step: Step, x: Tensor, hidden: int) -> dict[str, Tensor]:
    cell = step.cell
    width = {state: cell.width(cell.letter(state), 0, hidden) for state in cell.states}
    return {state: x.new_full((x.shape[1], size), cell.start.get(state, 0.0)) for state, size in width.items()}
