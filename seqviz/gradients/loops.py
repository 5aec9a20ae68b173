"""What torch itself makes of a plain RNN's gradient in its precision: autograd through a loop over the steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from seqviz.experiment.interventions import Intervention, apply
from seqviz.networks.layers import cell_of, layer_weights

__all__ = ["loop_gradient"]


def loop_gradient(net: Any, x: Tensor, loss: str = "last", interventions: Iterable[Intervention] = ()) -> Tensor:
    """dL/dh_t of the first layer ``(L, N, H)`` as a loop over the documented line gives it in torch.

    It rounds as torch does in that precision, down to its smallest numbers, where :func:`seqviz.gradient_flow` takes
    those below the normal range for 0 and the slopes of saturated units from their pre-activations.

    Args:
        net: a :class:`seqviz.SequenceRNN` of one direction.
        x: its input ``(L, N, H_in)``, in the network's precision.
        loss: ``"last"`` or ``"sum"``, as for :func:`seqviz.gradient_flow`.
        interventions: edits of the run.
    """
    edits, first = tuple(interventions), []
    states = [x.new_zeros(x.shape[1], net.rnn.hidden_size) for _ in range(net.rnn.num_layers)]
    outputs = []
    with torch.enable_grad():
        for t, given in enumerate(x):

            def at(name: str, value: Tensor, t: int = t) -> Tensor:
                return apply([e for e in edits if e.signal == name], value, t, len(x))

            value = at("x", given)
            for k, h in enumerate(states):
                value = states[k] = _step(net, k, value, h, at)
                if not k:
                    value = states[0] = value if value.requires_grad else value.clone().requires_grad_()
                    first.append(value)
            outputs.append(net.readout(value))
        total = outputs[-1].sum() if loss == "last" else torch.stack(outputs).sum()
        found = torch.autograd.grad(total, first, allow_unused=True)
    return torch.stack([torch.zeros_like(h) if g is None else g for g, h in zip(found, first, strict=True)])


def _step(net: Any, layer: int, x: Tensor, h: Tensor, at: Callable[[str, Tensor], Tensor]) -> Tensor:
    """``h_t = tanh(x_t W_ih^T + b_ih + h_{t-1} W_hh^T + b_hh)``, or ReLU, with every edit in its place."""
    w: Any = layer_weights(net.rnn, layer, False)
    bias_ih, bias_hh = (0.0 if b is None else b for b in (w.bias_ih, w.bias_hh))
    pre = at(f"l{layer}.h_ih", x @ w.weight_ih.T + bias_ih)
    hh = h @ w.weight_hh.T + bias_hh
    edited = at(f"l{layer}.h_hh", hh)
    pre = pre + edited if edited is not hh else pre + h @ w.weight_hh.T + bias_hh
    squash: Any = getattr(torch, cell_of(net.rnn).torchs.removeprefix("rnn_"))
    return at(f"l{layer}.h", squash(at(f"l{layer}.h_pre", pre)))
