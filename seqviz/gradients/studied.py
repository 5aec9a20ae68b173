"""The laboratory of the gradient: networks side by side on one loss, each built once and run once in float64."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from seqviz import cells, weights
from seqviz.cells.ran import Ran
from seqviz.experiment import Experiment
from seqviz.gradients.backward import log10_backward, rounded_away
from seqviz.gradients.clipping import clip_update
from seqviz.gradients.closed import by_gates, by_radius, forget_bias, log10_sigmoid
from seqviz.gradients.flow import GradientFlow, gradient_flow
from seqviz.gradients.jacobians import StateJacobians, highway_of_run, jacobians_of_run
from seqviz.gradients.loops import loop_gradient
from seqviz.gradients.norms import log10_norm
from seqviz.gradients.onestep import as_it_ran, overflow_of
from seqviz.kept import kept, turn
from seqviz.runner import MOST_WORK, inputs, network, run, work

__all__ = [
    "NETS",
    "Gates",
    "Spectrum",
    "Studied",
    "flows",
    "forget_road",
    "gates_theory",
    "has_jacobians",
    "highway",
    "networks",
    "radius_theory",
    "spectrum",
    "state_jacobians",
    "states_shown",
    "studied",
    "update_norms",
]

Array = np.ndarray[Any, np.dtype[Any]]

NETS: Final = ("RNN", "GRU", "LSTM")
"""The kinds of network that are always there."""

_JACOBIAN_WORK = 400_000_000
"""Steps times numbers of a Jacobian times its rows, up to which it is computed while a person waits."""

_EIGENVALUE_WORK = 60_000_000

_PARTS: Final = ((8, MOST_WORK // 40), (4, MOST_WORK // 10), (2, math.inf))
"""Into how many lengths a sequence is cut whose run is so much work."""

_DIGITS = 1e-14
"""A singular value that is so much smaller than the largest is made of rounding."""

_SMALLEST = -290.0

_SINGLE = -30.0
"""Where log10 of a gradient is larger, float32 holds it to all its digits."""


def networks(experiment: Experiment) -> dict[str, Experiment]:
    """The same settings as an RNN (ReLU with the identity start, as the IRNN is), a GRU and an LSTM, and as the
    experiment's own cell where it is none of these."""
    families, own = cells.families(), cells.get(experiment.cell)
    identity = experiment.init.scheme == "identity"
    chosen = {name: families[name][-1 if identity else 0] for name in NETS}
    if own.family not in chosen:
        chosen[own.family] = own.name
    return {name: experiment.changed(cell=cell) for name, cell in chosen.items()}


def states_shown(experiment: Experiment) -> tuple[str, ...]:
    """The states whose gradient is drawn: h, and another one that a gate keeps."""
    return ("h", *(state for state in cells.get(experiment.cell).keep_gates if state != "h"))


@dataclass(frozen=True)
class Studied:
    """A network of the laboratory, built once and run once in float64, and what that run says.

    Of its ``flow`` the first layer's states are kept, and what it does to the weights: with every signal of every layer
    the networks of a page would be more than is kept at all, and each would be run again wherever it is asked for.
    ``logs`` is log10 of the norms of dL/ds_t of the first layer's states, ``(L,)`` each, however small; ``rounded``
    whether a slope was so small that a double took it for 0; ``single`` the same of h as torch in float32 gives it,
    where that differs and was asked for.
    """

    flow: GradientFlow
    ran: Ran
    logs: Mapping[str, Array]
    rounded: bool
    single: Array | None


@kept
def studied(experiment: Experiment, loss: str) -> Studied:
    """Build a network, run it with its gradient, and read the run."""
    net, x, edits = network(experiment), inputs(experiment), experiment.interventions
    exact, wide = copy.deepcopy(net).double(), x.double()
    with turn(10 * work(experiment)):
        flow = gradient_flow(exact, wide, loss=loss, interventions=edits)
        ran, _ = as_it_ran(exact, wide, None, None if edits else flow.trace, (0, 0, False), edits)
        flow = _of_first_layer(experiment, flow)
        logs, rounded = _log10_norms(experiment, loss, flow, ran)
        h, plain = logs["h"], cells.get(experiment.cell).family == NETS[0]
        small = plain and bool((h[np.isfinite(h)] < _SINGLE).any())
        single = log10_norm(loop_gradient(net, x, loss, edits).numpy(), (1, 2)) if small else None
    return Studied(flow, ran, logs, rounded, single)


def _of_first_layer(experiment: Experiment, flow: GradientFlow) -> GradientFlow:
    """The gradient at the states that are shown, on its own."""
    arrays = {name: flow.arrays[name].copy() for name in (f"l0.{state}" for state in states_shown(experiment))}
    trace = replace(flow.trace, arrays={}, initial={})
    return replace(flow, arrays=arrays, initial={}, trace=trace)


def flows(experiment: Experiment, loss: str) -> dict[str, GradientFlow]:
    """Every network's gradient flow, in float64."""
    return {name: studied(e, loss).flow for name, e in networks(experiment).items()}


@kept
def update_norms(experiment: Experiment, loss: str) -> tuple[list[int], dict[str, list[float]]]:
    """Sequence lengths up to the experiment's, evenly, and the norm of each network's update at each; NaN where one
    overflowed. Fewer lengths of what takes long."""
    longest, parts = experiment.sequence.length, next(n for n, most in _PARTS if work(experiment) <= most)
    lengths = sorted({max(1, round(longest * k / parts)) for k in range(1, parts + 1)})
    norms: dict[str, list[float]] = {}
    for name, net in networks(experiment).items():
        shorter = [net.changed(sequence=net.sequence.shortened(length)) for length in lengths[:-1]]
        found = [_flow(each, loss) for each in shorter]
        norms[name] = [_norm_of(flow) for flow in (*found, studied(net, loss).flow)]
    return lengths, norms


def _flow(experiment: Experiment, loss: str) -> GradientFlow:
    with turn(10 * work(experiment)):
        net, x = network(experiment).double(), inputs(experiment).double()
        return gradient_flow(net, x, loss=loss, interventions=experiment.interventions)


def _norm_of(flow: GradientFlow) -> float:
    return float("nan") if flow.problem else clip_update(flow).norm


def has_jacobians(experiment: Experiment) -> bool:
    """Whether its Jacobians are computed while a person waits."""
    size = experiment.hidden_size * len(cells.get(experiment.cell).states)
    return experiment.sequence.length * size**3 <= _JACOBIAN_WORK


@kept
def state_jacobians(experiment: Experiment, loss: str) -> StateJacobians:
    """The Jacobians of a network's run."""
    with turn(work(experiment) * experiment.hidden_size):
        return jacobians_of_run(studied(experiment, loss).ran)


def _log10_norms(experiment: Experiment, loss: str, flow: GradientFlow, ran: Ran) -> tuple[dict[str, Array], bool]:
    """See :class:`Studied`."""
    if experiment.num_layers > 1 or overflow_of(ran):
        found = {name: flow.log10_norms(f"l0.{name}") for name in states_shown(experiment)}
        return found, any((logs < _SMALLEST).any() and not np.isneginf(logs).all() for logs in found.values())
    # What the loss itself asks of h: at the last step all that there is.
    e = np.zeros_like(flow["l0.h"])
    e[-1 if loss == "last" else slice(None)] = flow["l0.h"][-1]
    return log10_backward(ran, e), rounded_away(ran)


def radius_theory(experiment: Experiment, measured: Array) -> tuple[Array, float] | None:
    """log10 of ``|dL/dh_t|`` ``(L,)`` as it would be where every step shrinks by the spectral radius, and the radius.

    None where the radius is 0.

    Args:
        experiment: a plain network.
        measured: log10 of the norm as it was found, ``(L,)``.
    """
    w = weights.gate_view(weights.materialise(experiment), experiment.cell, 0, "h", "hh")
    rho = weights.spectral_radius(w)
    return (by_radius(measured[-1], rho, len(measured)), rho) if rho > 0 else None


def gates_theory(experiment: Experiment) -> Array:
    """log10 of ``|dL/dc_t|`` ``(L,)`` of an LSTM whose forget gates are what their biases alone make them."""
    steps = experiment.sequence.length
    gates = np.tile(log10_sigmoid(forget_bias(experiment)), (steps - 1, 1))
    return by_gates(_asked(experiment, "last"), gates)


class Gates(dict[str, Array]):
    """What an LSTM's way back through c alone is computed from at any forget bias.

    ``drive`` ``(L, H)`` is a forget gate's sum without its biases, ``biases`` ``(H,)``, ``asks`` ``(H,)`` log10 of
    what the loss asks of c at the last step.
    """


def forget_road(experiment: Experiment, loss: str) -> tuple[Array, Gates] | None:
    """log10 of what arrives at each step ``(L,)`` by an LSTM's c alone, from the last step's on.

    None where the road is not one of forget gates alone: with interventions, several layers, or a loss at every step;
    and where the network overflowed.
    """
    if loss != "last" or experiment.num_layers > 1 or experiment.interventions:
        return None
    trace = run(experiment, detail=True)
    pre, biases = trace["l0.f_pre"][:, 0].astype(np.float64), forget_bias(experiment)
    asks = _asked(experiment, loss)
    if not np.isfinite(pre).all() or not np.isfinite(asks).any():
        return None
    size = by_gates(asks, log10_sigmoid(pre[1:]))
    return size - size[-1], Gates(drive=pre - biases, biases=biases, asks=asks)


def _asked(experiment: Experiment, loss: str) -> Array:
    """log10 of what the loss asks of each unit of c at the last step, ``(H,)``."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Array = np.log10(np.abs(studied(experiment, loss).flow["l0.c"][-1, 0]))
    return found


def highway(experiment: Experiment, loss: str) -> tuple[Array, Array] | None:
    """log10 of the two parts of dc_L/dc_t ``(L,)``, the product of the forget gates and the rest.

    None where the network overflowed.
    """
    split = highway_of_run(studied(experiment, loss).ran, state_jacobians(experiment, loss))
    direct, rest, _ = split.log10_norms()
    return (direct, rest) if np.isfinite(split.rest).all() else None


@dataclass(frozen=True)
class Spectrum:
    """The Jacobians of a run: ``eigenvalues`` ``(K, S)`` of one step's at ``steps`` ``(K,)``, and ``singular``
    ``(M, H)``, log10 of the singular values of dh_L/dh over ``lags`` ``(M,)`` steps back; NaN what is rounding."""

    steps: Array
    eigenvalues: Array
    lags: Array
    singular: Array


def spectrum(experiment: Experiment, loss: str) -> Spectrum | None:
    """Of a network small enough for it; None of a larger one, and of one that overflowed."""
    if not has_jacobians(experiment):
        return None
    found = state_jacobians(experiment, loss)
    if not all(np.isfinite(a).all() for a in (found.h_h, found.step(slice(None)))):
        return None
    length = experiment.sequence.length
    size = experiment.hidden_size * len(cells.get(experiment.cell).states)
    steps = _spread(length, max(6, _EIGENVALUE_WORK // size**3))
    lags = _spread(length, 40)
    values = np.linalg.svd(found.h_h[length - 1 - lags], compute_uv=False)
    values[values < _DIGITS * values[:, :1]] = np.nan
    with np.errstate(divide="ignore"):
        singular = np.log10(values) + found.log_scale[length - 1 - lags, None] / np.log(10.0)
    return Spectrum(steps, found.eigenvalues(steps), lags, singular)


def _spread(length: int, most: int) -> Array:
    """At most so many whole numbers from 0 to length − 1, evenly."""
    found: Array = np.unique(np.linspace(0, length - 1, min(most, length)).round().astype(int))
    return found
