"""What is wrong with a run, in sentences: digits lost, a layer that is not what its class says, where NaN came from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from seqviz.capture.chains import Chain
from seqviz.capture.observe import Array, as_array
from seqviz.cells.step import parts
from seqviz.language import later, tr
from seqviz.networks.layers import Stack, layer_names

__all__ = ["at_the_start", "in_a_pass", "problem_of"]

_NAN = (
    later("{what} holds NaN at step {step}, batch element {batch}, {unit}."),
    later("{what} holds infinity at step {step}, batch element {batch}, {unit}."),
)
_MADE = (
    later("{what} becomes NaN at step {step}, batch element {batch}, {unit}: the network overflowed."),
    later("{what} becomes infinite at step {step}, batch element {batch}, {unit}: the network overflowed."),
)


def problem_of(chains: list[Chain], notes: list[str], first: int = 0) -> str:
    """Sentences on what is wrong with the sequences, empty where nothing is; ``notes`` are known already.

    Their first step is called ``first``.
    """
    said = [_low(chain) for chain in chains] + notes + [_changed(chain) for chain in chains]
    said += [_not_finite(chain, first) or _unlike(chain) for chain in chains]
    return " ".join(dict.fromkeys(filter(None, said)))


def at_the_start(chain: Chain) -> str:
    """What is wrong with the weights and the states that a sequence begins with; empty where nothing is."""
    return _weights(chain.stack) or _states(chain)


def in_a_pass(signals: dict[str, Array], x: Array, first: int, told: str, *, above: bool) -> str:
    """A sentence on what is wrong with some steps of one layer and direction; empty where nothing is.

    Args:
        signals: by the names that they have in the whole, each ``(L, N, H)``, in the order of the steps.
        x: what the layer takes.
        first: what its first step is called.
        told: what is said where all numbers are finite.
        above: whether it takes what another layer makes, of which it has been said where that is not finite.
    """
    if not np.isfinite(x).all():
        return "" if above else _entered("", x, first)
    return _made(signals, first) or told


def _low(chain: Chain) -> str:
    low = next((call.low for call in chain.calls if call.low), "")
    if not low:
        return ""
    digits = 2 if low == "bfloat16" else 3
    return tr(
        "{name} ran in {low}, which holds {digits} digits; its signals were made in float32 from what it gave.",
        name=_name(chain),
        low=low,
        digits=digits,
    )


def _changed(chain: Chain) -> str:
    if not chain.changed:
        return ""
    return tr(
        "{name} does not always go on from the state that it ended in: between its calls the model changes it (a mask, "
        "a reset, zoneout, dropout, a normalisation).",
        name=_name(chain),
    )


def _name(chain: Chain) -> str:
    return chain.prefix or tr("The layer")


def _unlike(chain: Chain) -> str:
    """The recomputed signals are further from torch's than rounding explains."""
    seen = chain.observed()
    if seen.parity <= 1e3 * _epsilon(chain) or seen.parity <= _rounding(chain, seen.signals):
        return ""
    return tr(
        "{name} gave what differs from its recomputed signals by {parity:.2g}, more than rounding explains: "
        "it computes something of its own, or changed while it ran.",
        name=_name(chain),
        parity=seen.parity,
    )


def _epsilon(chain: Chain) -> float:
    first = chain.calls[0]
    low = {"bfloat16": 2**-8, "float16": 2**-11}.get(first.low)
    if low is not None:
        return low
    if first.x.dtype == torch.float32 and (first.x.is_cuda or torch.get_float32_matmul_precision() != "highest"):
        return 2**-8  # products in TF32 or bfloat16
    return torch.finfo(first.x.dtype).eps


def _rounding(chain: Chain, signals: dict[str, Array]) -> float:
    """A bound on how far two ways of computing the same sequence may be apart.

    A sum of products is off by its epsilon times the sum of their sizes; what a cell state adds up over the steps
    adds up their errors too.
    """
    stack, steps = chain.stack, chain.steps
    grown = max(math.sqrt(steps), steps / 32) if set(stack.cell.states) - {"h"} else 1.0
    worst = 0.0
    for k, (end, layer, _) in enumerate(layer_names(stack)):
        below = ["x"] if not layer else [f"{e}.h" for e, at, _ in layer_names(stack) if at == layer - 1]
        entry = max(_size(signals[name]) for name in below)
        gates = max((_size(a) for n, a in signals.items() if n.startswith(f"{end}.") and n[-2:] != ".h"), default=0.0)
        state = max(_size(signals[f"{end}.h"]), float(chain.calls[0].first[0][k].abs().max()))
        sizes = {name: tensor.abs() for name, tensor in parts(stack.weights[k]).items()}
        sums = _sums(sizes, entry, state, max(entry, state, gates))
        wide = 1.0 + float(sizes["weight_hr"].sum(1).max()) if "weight_hr" in sizes else 1.0
        worst = max(worst, (1 + sums) * (1 + gates) * (1 + gates) * wide)  # a power would raise where it overflows
    return 16 * _epsilon(chain) * worst * grown


def _sums(sizes: dict[str, Any], entry: float, state: float, most: float) -> float:
    """The largest that a sum of products can be: of the input, of h, and of whatever else a weight multiplies."""
    reads = {"weight_ih": entry, "weight_hh": state, "bias_ih": 1.0, "bias_hh": 1.0}
    packed = [reads[name] * (size.sum(1) if size.dim() > 1 else size) for name, size in sizes.items() if name in reads]
    others = [size for name, size in sizes.items() if name not in reads and name != "weight_hr"]
    further = sum(most * float((size.sum(1) if size.dim() > 1 else size).max()) for size in others)
    return (float(sum(packed).max()) if packed else 0.0) + further


def _size(array: Array) -> float:
    return float(np.abs(array).max(initial=0.0))


def _not_finite(chain: Chain, offset: int) -> str:
    """Where NaN or infinity entered, or was made; empty where every number is finite."""
    first, last = chain.calls[0], chain.calls[-1]
    signals = chain.observed().signals
    ends = [*first.first, *last.last]
    quick = [as_array(s) for s in ends] + [signals["x"]]
    everything = list(signals.values()) if chain.parts else quick
    with np.errstate(over="ignore", invalid="ignore"):
        squares = sum(float(np.vdot(array, array)) for array in everything)
        if math.isfinite(squares) or all(np.isfinite(a).all() for a in everything):
            return ""
    entered = at_the_start(chain) or _entered(chain.prefix, signals["x"], offset)
    return entered or _made(chain.named(signals), offset)


def _weights(stack: Stack) -> str:
    for (end, _, _), weights in zip(layer_names(stack), stack.weights, strict=True):
        for part, weight in parts(weights).items():
            if not bool(torch.isfinite(weight).all()):
                place = [int(k) for k in (~torch.isfinite(weight)).nonzero()[0]]
                says = (
                    later("{name} holds NaN at {place}.")
                    if bool(torch.isnan(weight[tuple(place)]))
                    else later("{name} holds infinity at {place}.")
                )
                return tr(says, name=f"{part}_{end}", place=place)
    return ""


def _entered(prefix: str, x: Array, offset: int) -> str:
    wrong = np.argwhere(~np.isfinite(x))
    if not len(wrong):
        return ""
    step, batch, feature = map(int, wrong[0])
    what = tr("The input of {name}", name=prefix) if prefix else tr("The input")
    says = _NAN[0 if np.isnan(x[step, batch, feature]) else 1]
    return tr(says, what=what, step=step + offset, batch=batch, unit=tr("feature {feature}", feature=feature))


def _states(chain: Chain) -> str:
    for name, states in chain.calls[0].before.items():
        if not bool(torch.isfinite(states).all()):
            k, batch, unit = (int(i) for i in (~torch.isfinite(states)).nonzero()[0])
            says = (
                later("The initial state {what} holds NaN at batch element {batch}, unit {unit}.")
                if bool(torch.isnan(states[k, batch, unit]))
                else later("The initial state {what} holds infinity at batch element {batch}, unit {unit}.")
            )
            what = next(iter(chain.named({f"{layer_names(chain.stack)[k][0]}.{name}_0": 0})))
            return tr(says, what=what, batch=batch, unit=unit)
    return ""


def _made(signals: dict[str, Array], offset: int) -> str:
    """The first step, in the order of processing, at which a number stops being finite."""
    found: list[tuple[int, int, str, Any]] = []
    for order, (name, array) in enumerate(signals.items()):
        wrong = np.argwhere(~np.isfinite(array))
        if len(wrong):
            reverse = "_reverse." in name
            place = wrong[wrong[:, 0].argmax()] if reverse else wrong[0]
            found.append((len(array) - 1 - int(place[0]) if reverse else int(place[0]), order, name, place))
    if not found:
        return ""
    _, _, name, place = min(found, key=lambda item: item[:2])
    step, batch, unit = map(int, place)
    says = _MADE[0 if np.isnan(signals[name][step, batch, unit]) else 1]
    return tr(says, what=name, step=step + offset, batch=batch, unit=tr("unit {unit}", unit=unit))
