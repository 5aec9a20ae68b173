"""The same input through four networks: what order means to them, what they carry, how long they remember."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from seqviz import cells
from seqviz.capture import capture
from seqviz.experiment import Experiment
from seqviz.gradients.connected import connectivity_matrix
from seqviz.gradients.norms import norm
from seqviz.kept import kept
from seqviz.language import later, tr
from seqviz.networks.modules import FeedForward
from seqviz.runner import network
from seqviz.sequences import KIND_LABELS, generate
from seqviz.weights import set_parts

__all__ = [
    "INPUTS",
    "NETWORKS",
    "WAVES",
    "Answer",
    "Shuffling",
    "all_responses",
    "answers",
    "compare",
    "half_life_of",
    "input_of",
    "networks_of",
    "nudge",
    "nudge_response",
    "nudge_responses",
    "order_gap",
    "responses",
    "resting",
    "rests_on",
    "set_in",
    "shuffled",
    "shuffling",
]

NETWORKS = (later("Feed-forward"), "RNN", "GRU", "LSTM")
"""Their names; the first is said by ``tr``."""

INPUTS = (later("as it is"), later("shuffled"), later("one step nudged"))
"""What can be done to the experiment's own input."""

RESTING = 300
"""Steps; the inputs that an output rests on are drawn for no longer sequences."""

_EVERYWHERE = 400_000
"""Steps squared, times units: a nudge at every step is followed for no larger networks."""
_AT_ONCE = 64

WAVES = tuple(kind for kind in KIND_LABELS if kind not in ("text", "values"))
"""What can be taken in its place."""


@dataclass(frozen=True)
class Answer:
    """One network on one input: ``h`` ``(L, H)`` of its last layer, ``y`` ``(L, O)``, and what it is made of."""

    h: np.ndarray
    y: np.ndarray
    parameters: int
    carries: str


def _recurrent(experiment: Experiment) -> dict[str, Experiment]:
    """The experiment as each recurrent cell; the experiment's own stands for its family: an RNN's squashing is kept, it
    belongs to its weights."""
    own, families = cells.get(experiment.cell), cells.families()
    chosen = {name: families[name][0] for name in networks_of(experiment)[1:]} | {own.family: own.name}
    return {name: experiment.changed(cell=cell, sequence=experiment.sequence) for name, cell in chosen.items()}


def networks_of(experiment: Experiment) -> tuple[str, ...]:
    """The names of the networks beside each other: NETWORKS, and the experiment's own cell where it is none of them."""
    family = cells.get(experiment.cell).family
    return NETWORKS if family in NETWORKS else (*NETWORKS, family)


def _carries(experiment: Experiment) -> str:
    """What a network's cell hands on to the next step."""
    states = cells.get(experiment.cell).states
    if states == ("h", "c"):
        return later("h and c")
    return ", ".join(states) if states else later("nothing")


def set_in(experiment: Experiment) -> dict[str, frozenset[str]]:
    """What each of the four networks keeps of the experiment's own weights (:func:`seqviz.weights.set_parts`).

    Weights belong to one kind of cell, so that beside a network that was set by hand or trained the others are
    drawn, but for a readout, which fits all three that are recurrent.
    """
    return {NETWORKS[0]: frozenset()} | {name: set_parts(e) for name, e in _recurrent(experiment).items()}


def _feed_forward(experiment: Experiment) -> FeedForward:
    """Of the experiment's sizes, drawn as ``torch.manual_seed(seed)`` and the constructor would draw it.

    ``nn.Linear`` draws weights and biases from U(-1/sqrt(n), 1/sqrt(n)), n its inputs
    (https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html). The generator is our own: the global
    one belongs to every thread.
    """
    sizes = (experiment.input_size, experiment.hidden_size, experiment.output_size, experiment.num_layers)
    with torch.device("meta"):
        net = FeedForward(*sizes)
    net.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(experiment.init.seed)
    for layer in net.modules():
        if isinstance(layer, nn.Linear):
            bound = 1 / math.sqrt(layer.in_features)
            for parameter in (layer.weight, layer.bias):
                nn.init.uniform_(parameter, -bound, bound, generator=generator)
    return net.eval()


def _networks(experiment: Experiment) -> dict[str, nn.Module]:
    networks: dict[str, nn.Module] = {NETWORKS[0]: _feed_forward(experiment)}
    return networks | {name: network(e) for name, e in _recurrent(experiment).items()}


def compare(experiment: Experiment, x: np.ndarray) -> dict[str, Answer]:
    """Run ``x`` ``(L, H_in)`` through the networks of the experiment's sizes and seed, by :func:`networks_of`."""
    answers, carries = {}, {name: _carries(e) for name, e in _recurrent(experiment).items()}
    for name, net in _networks(experiment).items():
        trace = capture(net, torch.from_numpy(np.array(x, dtype=np.float32))[:, None])
        h = trace[f"l{experiment.num_layers - 1}.h"][:, 0]
        count = sum(p.numel() for p in net.parameters())
        answers[name] = Answer(h, trace["y"][:, 0], count, tr(carries.get(name, later("nothing"))))
    return answers


def shuffled(experiment: Experiment, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The experiment's input in another order: the order ``(L,)`` and the input ``(L, H_in)``.

    It is drawn again until some step has another input than before, unless all steps have the same.
    """
    x = generate(experiment.sequence, experiment.input_size)
    draw = np.random.default_rng(seed)
    order = draw.permutation(len(x))
    while np.array_equal(x[order], x) and (x != x[0]).any():
        order = draw.permutation(len(x))
    return order, x[order]


def nudge(x: np.ndarray, step: int, by: float = 1.0) -> np.ndarray:
    """An input ``(..., H_in)`` with `by` added to every number of one step, as a copy; steps are the first axis."""
    moved = np.array(x)
    moved[step] += by
    return moved


def nudge_response(experiment: Experiment, x: np.ndarray, step: int, by: float = 1.0) -> dict[str, np.ndarray]:
    """How far h of each network's last layer moves when `by` is added to every input of one step.

    In float64, whose rounding is a billion times finer than what float32 leaves of two runs that are all but equal.

    Args:
        experiment: its sizes and seed.
        x: the input ``(L, H_in)``.
        step: which one.

    Returns:
        By network, the Euclidean norm over units at every step ``(L,)``; NaN where a run overflowed.
    """
    return {name: moved[0] for name, (moved, _) in _nudged(experiment, x, [range(len(x))[step]], by).items()}


def nudge_responses(experiment: Experiment, x: np.ndarray, by: float = 1.0) -> dict[str, np.ndarray]:
    """:func:`nudge_response` for a nudge at every step: by network ``(L, L)``, row s of a nudge at step s.

    Many nudges run at once, where sums are rounded in another order: what is smaller than a hundred times a double's
    rounding of h is 0 here.
    """
    parts = [_nudged(experiment, x, range(k, min(k + _AT_ONCE, len(x))), by) for k in range(0, len(x), _AT_ONCE)]
    found = {}
    for name in parts[0]:
        moved, sizes = (np.concatenate([part[name][k] for part in parts]) for k in range(2))
        found[name] = np.where(moved > 100 * np.finfo(np.float64).eps * sizes, moved, moved * 0.0)
    return found


def _nudged(
    experiment: Experiment, x: np.ndarray, steps: Sequence[int], by: float
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By network how far h moves ``(K, L)`` by a nudge at each of the steps, and how large it is ``(K, L)``: a sequence
    of a batch each, beside the one as it is."""
    batch = np.repeat(np.asarray(x, dtype=np.float64)[:, None], len(steps) + 1, axis=1)
    batch[steps, np.arange(len(steps))] += by
    moved = {}
    for name, net in _networks(experiment).items():
        h = _last_states(net.double(), torch.from_numpy(batch))
        with np.errstate(invalid="ignore"):  # infinity less infinity
            moved[name] = norm(h[:, :-1] - h[:, -1:], 2).T, norm(h[:, :-1], 2).T
    return moved


def _last_states(net: Any, x: torch.Tensor) -> np.ndarray:
    """h ``(L, N, H)`` of a network's last layer; of one with gates without these, which cost more than the run."""
    if isinstance(net, FeedForward):
        return capture(net, x)[f"l{net.num_layers - 1}.h"]
    with torch.no_grad():
        found: np.ndarray = net.rnn(x)[0].numpy()
    return found


def rests_on(experiment: Experiment, x: np.ndarray) -> dict[str, np.ndarray]:
    """Which inputs every output step of each network rests on, by :func:`seqviz.connectivity_matrix` in float64.

    Args:
        experiment: its sizes and seed.
        x: the input ``(L, H_in)``.

    Returns:
        By network, ``(L, L)``: the squared norm of the gradient of output row's step at the input column's step, of all
        outputs together. A network that overflowed is left out.
    """
    given = torch.from_numpy(np.array(x, dtype=np.float64))[:, None]
    found = {}
    for name, net in _networks(experiment).items():
        try:
            found[name] = connectivity_matrix(net.double(), given)
        except ValueError:  # it overflowed, as the picture says of it
            continue
    return found


def order_gap(before: Answer, after: Answer, order: np.ndarray) -> float:
    """How far the outputs of a shuffled input are from the old ones in that order; 0 where order is nothing."""
    with np.errstate(invalid="ignore"):  # infinity less infinity, where a network overflowed
        return float(np.abs(after.y - before.y[order]).max())


def half_life_of(response: np.ndarray) -> float:
    """Steps from its largest value until a response ``(L,)`` has fallen to half of it.

    A whole number; 0 for a response that is 0 throughout, inf where it never falls so far, nan where it is not
    finite: the network overflowed, and nothing can be said.
    """
    if not np.isfinite(response).all():
        return math.nan
    if not response.any():
        return 0.0
    peak = int(response.argmax())
    under = np.flatnonzero(response[peak:] <= response[peak] / 2)
    return float(under[0]) if under.size else math.inf


def input_of(experiment: Experiment, kind: str, step: int) -> np.ndarray:
    """An input ``(L, H_in)`` of the comparison: one of :data:`INPUTS`, or a wave of the experiment's length.

    Args:
        experiment: whose sequence it is.
        kind: of :data:`INPUTS` or :data:`WAVES`.
        step: where 1 is added, if it is nudged.
    """
    if kind in WAVES:
        return generate(experiment.sequence.as_wave(kind), experiment.input_size)
    if kind == "shuffled":
        return shuffled(experiment, 0)[1]
    x = generate(experiment.sequence, experiment.input_size)
    return nudge(x, step) if kind == "one step nudged" else x


def answers(experiment: Experiment, kind: str, step: int = 0) -> dict[str, Answer]:
    """The networks on :func:`input_of`; the same arrays for everybody who asks."""
    return _answers(experiment, kind, step if kind == "one step nudged" else 0)


@kept
def _answers(experiment: Experiment, kind: str, step: int) -> dict[str, Answer]:
    return compare(experiment, input_of(experiment, kind, step))


@kept
def responses(experiment: Experiment, kind: str, step: int) -> dict[str, np.ndarray]:
    """How far each network's hidden state moves, at every step ``(L,)``, when 1 is added to every input of one step.

    It is followed in float64; where the network itself, in float32, has overflowed, there is no number.
    """
    moved = nudge_response(experiment, input_of(experiment, _still(kind), step), step)
    shown = answers(experiment, kind, step)
    return {n: np.where(np.isfinite(shown[n].h).all(axis=1), moved[n], np.nan) for n in moved}


def all_responses(experiment: Experiment, kind: str) -> dict[str, np.ndarray]:
    """:func:`nudge_responses` of an input of the comparison; nothing where that would take long."""
    steps = experiment.sequence.length
    long = steps**2 * experiment.hidden_size * experiment.num_layers > _EVERYWHERE
    return {} if long else _all_responses(experiment, _still(kind))


@kept
def _all_responses(experiment: Experiment, kind: str) -> dict[str, np.ndarray]:
    return nudge_responses(experiment, input_of(experiment, kind, 0))


def _still(kind: str) -> str:
    """The input that a nudge is added to."""
    return "as it is" if kind == "one step nudged" else kind


@kept
def resting(experiment: Experiment, kind: str, step: int) -> dict[str, np.ndarray]:
    """:func:`rests_on` of an input of the comparison: gradient norms ``(L, L)``, each output's over its largest.

    Nothing of a sequence that is too long to be drawn so.
    """
    if experiment.sequence.length > RESTING:
        return {}
    shown = {}
    for name, squared in rests_on(experiment, input_of(experiment, kind, step)).items():
        norms = np.sqrt(squared)
        most = norms.max(axis=1, keepdims=True)
        with np.errstate(invalid="ignore"):  # infinity over infinity
            shares = np.divide(norms, most, out=np.zeros_like(norms), where=most > 0)
        shown[name] = np.where(np.isinf(norms), 1.0, shares)
    return shown


class Shuffling(NamedTuple):
    """What another order does: by network how far it is off, how many steps have another input, and by network its
    largest output."""

    gaps: dict[str, float]
    moved: int
    sizes: dict[str, float]


def shuffling(experiment: Experiment) -> Shuffling:
    """Of the experiment's input in the order of :func:`shuffled`."""
    order, x = shuffled(experiment, 0)
    before, after = (answers(experiment, kind) for kind in ("as it is", "shuffled"))
    gaps = {name: order_gap(before[name], after[name], order) for name in before}
    sizes = {name: float(np.abs(before[name].y).max()) for name in before}
    return Shuffling(gaps, int((x != input_of(experiment, "as it is", 0)).any(axis=1).sum()), sizes)
