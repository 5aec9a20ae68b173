"""Experiment in, Trace out."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, TypeVar

import torch
from torch import nn

from seqviz.capture import capture
from seqviz.checks import instance
from seqviz.experiment import Experiment
from seqviz.kept import kept, turn
from seqviz.language import later, tr
from seqviz.networks.modules import sequence
from seqviz.sequences import generate
from seqviz.trace import Trace
from seqviz.weights import materialise

__all__ = ["MOST_WORK", "inputs", "network", "run", "too_large", "work"]

MOST_WORK: Final = 270_000_000
"""Of :func:`work`, up to which several networks or a gradient are computed while a person waits."""

Net = TypeVar("Net", bound=nn.Module)


def network(experiment: Experiment) -> nn.Module:
    """The experiment's network in eval mode: a :class:`~seqviz.SequenceRNN`, ``GRU`` or ``LSTM``, or of a cell that
    torch does not have a :class:`~seqviz.networks.SequenceCell`; float32.

    torch's global random state is left alone. Every call gives a network of its own, free to change.
    """
    instance(experiment, Experiment, later("What is run"))
    sizes = (experiment.input_size, experiment.hidden_size, experiment.output_size, experiment.num_layers)
    net = _twin(_blank(experiment.cell, *sizes))
    state = {
        name if name.startswith("readout.") else f"rnn.{name}": torch.from_numpy(array.copy())
        for name, array in materialise(experiment).items()
    }
    net.load_state_dict(state, assign=True)
    return net


@lru_cache(64)
def _blank(cell: str, inputs: int, hidden: int, outputs: int, layers: int) -> nn.Module:
    """A network in eval mode whose parameters have shapes and no numbers: setting one up takes as long as a run."""
    with torch.device("meta"):
        return sequence(cell, inputs, hidden, outputs, layers).eval()


def _twin(module: Net) -> Net:
    """Another module like a blank one, whose parameters can be assigned without a change to the first."""
    twin = type(module).__new__(type(module))
    for name, held in vars(module).items():
        vars(twin)[name] = held.copy() if isinstance(held, dict | list) else held
    vars(twin)["_modules"] = {name: _twin(part) for name, part in module._modules.items() if part is not None}
    return twin


def inputs(experiment: Experiment) -> torch.Tensor:
    """The experiment's sequence as its network takes it: float32 ``(L, 1, H_in)``, free to change."""
    return torch.from_numpy(generate(experiment.sequence, experiment.input_size).copy())[:, None]


def work(experiment: Experiment) -> int:
    """About how many multiplications one run is, of a plain RNN; a GRU has three times as many, an LSTM four times."""
    return experiment.sequence.length * experiment.num_layers * experiment.hidden_size**2


def too_large(experiment: Experiment) -> str:
    """Why several networks of this size, or their gradients, would keep everybody waiting; empty where they are soon
    there."""
    needed = work(experiment)
    if needed <= MOST_WORK:
        return ""
    return tr(
        "This is too large to be drawn here: steps × layers × hidden units² is {needed:,}, and at most {most:,} will "
        "do. Take fewer steps or units.",
        needed=needed,
        most=MOST_WORK,
    )


@kept
def _run(experiment: Experiment, detail: bool) -> Trace:
    net, x = network(experiment), inputs(experiment)
    with turn(work(experiment)):
        return capture(net, x, interventions=experiment.interventions, detail=detail)


def run(experiment: Experiment, *, detail: bool = False) -> Trace:
    """Run an experiment.

    Args:
        experiment: what to run.
        detail: also keep the pre-activations and their parts from the input and the last state.

    Returns:
        The trace, batch 1: ``x`` ``(L, 1, H_in)``, each layer's gates and states ``(L, 1, H)``, ``y``
        ``(L, 1, output_size)``. Equal experiments may share one trace; its arrays are read-only.
    """
    return _run(instance(experiment, Experiment, later("What is run")), bool(detail))
