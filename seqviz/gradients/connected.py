"""Which inputs every output rests on: :func:`seqviz.connectivity` of all output steps in one go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from seqviz.capture import capture
from seqviz.capture.found import LAYERS
from seqviz.cells.ran import Ran
from seqviz.checks import whole
from seqviz.experiment.interventions import Intervention
from seqviz.gradients.backward import backward
from seqviz.gradients.gains import gains_of
from seqviz.gradients.norms import norm
from seqviz.gradients.onestep import as_it_ran, overflow_of
from seqviz.indexing import BATCH, as_slice
from seqviz.language import later, tr
from seqviz.networks.modules import FeedForward, _Sequence

__all__ = ["connectivity_matrix"]

Array = np.ndarray
_NUMBERS: Final = 8_000_000
"""What the way back holds at once, about: it goes through some of the output steps at a time."""
_TOGETHER: Final = 64
"""Output steps that go back together at the most: the way back begins at the last of them."""


def connectivity_matrix(
    module: nn.Module,
    x: Any,
    *,
    unit: int | None = None,
    batch: int = 0,
    interventions: Iterable[Intervention] = (),
) -> Array:
    """The squared norm of every output step's gradient at every input step, ``(L, L)`` float64.

    Row T is what :func:`seqviz.connectivity` gives for step T; after Madsen 2019,
    https://distill.pub/2019/memorization-in-rnns/. Above the diagonal it is 0: no output rests on what comes later.

    Args:
        module: one of our networks, or an ``nn.RNN``, ``nn.GRU`` or ``nn.LSTM``, in one direction; its precision is
            that of the result.
        x: its input, as :func:`seqviz.capture` takes it.
        unit: which output; by default their sum.
        batch: whose.
        interventions: edits of a recurrent run. An input that is held does not matter.

    Raises:
        ValueError: another module, both directions, no such output, or a network that overflowed.
    """
    edits = tuple(interventions)
    if isinstance(module, FeedForward):
        return _without_memory(module, x, unit, batch)
    rnn: Any = module.rnn if isinstance(module, _Sequence) else module
    if not isinstance(rnn, LAYERS) or rnn.bidirectional:
        raise ValueError(
            tr("All output steps at once needs one of our networks or a layer of torch's, in one direction.")
        )
    trace = capture(module, x, interventions=edits, detail=True)
    runs = [as_it_ran(module, x, None, trace, (layer, batch, False), edits)[0] for layer in range(rnn.num_layers)]
    if problem := next(filter(None, map(overflow_of, runs)), ""):
        raise ValueError(problem)
    asked = _asked(module, rnn, unit)
    steps, each = runs[0].steps, max(1, min(_TOGETHER, _NUMBERS // (4 * runs[0].steps * rnn.hidden_size)))
    gain = gains_of(edits, "x", steps, {"x": rnn.input_size}).get("x", 1.0)
    parts = [range(k, min(steps, k + each)) for k in range(0, steps, each)]
    norms = np.concatenate([norm(_at_inputs(runs, asked, part) * gain, 2).T for part in parts])
    with np.errstate(over="ignore"):
        found: Array = norms**2
    return found


def _asked(module: nn.Module, rnn: Any, unit: int | None) -> Array:
    """What an output asks of h, ``(H,)``."""
    if isinstance(module, _Sequence):
        weight = module.readout.weight.detach().cpu().double().numpy()
    else:
        weight = np.eye(rnn.hidden_size)
    if unit is None:
        return weight.sum(axis=0)
    found: Array = weight[whole(unit, later("The output"), 0, len(weight) - 1)]
    return found


def _at_inputs(runs: list[Ran], asked: Array, outputs: range) -> Array:
    """The gradients of some output steps at every input ``(L, N, H_in)``: each of them is an element of a batch that
    ran through the same values. None of them rests on what comes after the last."""
    count, steps = len(outputs), outputs.stop
    e = np.zeros((steps, count, len(asked)))
    e[outputs, np.arange(count)] = asked
    for run in reversed(runs):
        e = backward(_wide(run.at(slice(steps)), count), {"h": e}).x
    found = np.zeros((runs[0].steps, *e.shape[1:]))
    found[:steps] = e
    return found


def _wide(run: Ran, count: int) -> Ran:
    """The run as a batch of `count` that are all the same; nothing is copied."""

    def wide(array: Array) -> Array:
        return np.broadcast_to(array, (array.shape[0], count, *array.shape[2:]))

    return replace(
        run,
        x=wide(run.x),
        signals={name: wide(values) for name, values in run.signals.items()},
        before={state: wide(values) for state, values in run.before.items()},
    )


def _without_memory(module: FeedForward, x: Any, unit: int | None, batch: int) -> Array:
    """A step's output rests on its own input alone."""
    given = torch.from_numpy(np.array(capture(module, x)["x"])).requires_grad_()
    element = as_slice(batch, given.shape[1], BATCH, "x")
    y = module(given)
    total = y if unit is None else y[..., whole(unit, later("The output"), 0, y.shape[-1] - 1)]
    (found,) = torch.autograd.grad(total.sum(), given)
    return np.diag(norm(found.double().numpy()[:, element][:, 0], 1) ** 2)
