"""The message of the picture that says why: what is left of a gradient, beside the product of the forget gates."""

from __future__ import annotations

import numpy as np

from seqviz.experiment import Experiment
from seqviz.figures.theme import network_line
from seqviz.gradients.closed import by_gates, forget_bias, log10_sigmoid
from seqviz.kept import kept_spoken
from seqviz.language import later, tr
from seqviz.runner import run
from seqviz.scope import pack
from seqviz.scope.headers import WhyHeader, WhyNet
from seqviz.telling.why import describe_road, describe_why, left
from seqviz.ui.bench import Address, Bench
from seqviz.ui.gradient_pictures import networks, states_shown, studied

__all__ = ["why_message"]

_SAYS = {"c": later("∂L/∂c, back at step 0"), "h": later("∂L/∂h, back at step 0")}
_FIRST = ("LSTM", "GRU", "RNN")
_LEAST, _MOST = -12.0, 12.0
"""Decades that are drawn; what lies outside is said in words."""


def why_message(bench: Bench, story: str = "") -> bytes | None:
    """The bytes of the picture for what is on the bench; None where a network has no gradient at the last step.

    `story` is what is on the screen, in words.
    """
    return _message(bench.experiment, bench.option("loss"), bench.place, story)


@kept_spoken
def _message(experiment: Experiment, loss: str, address: Address, story: str) -> bytes | None:
    nets = networks(experiment)
    order = [*_FIRST, *(name for name in nets if name not in _FIRST)]
    signals = {name: states_shown(nets[name])[-1] for name in order}
    arrays = {}
    for name, signal in signals.items():
        logs = studied(nets[name], loss).logs[signal]
        if not np.isfinite(logs[-1]):
            return None
        arrays[name] = logs - logs[-1]
    ends = {name: float(logs[0]) for name, logs in arrays.items()}
    shown: list[WhyNet] = [
        {
            "name": name,
            "label": tr(name),
            "line": network_line(name),
            "left": left(ends[name]),
            "says": tr(_SAYS.get(signal, _SAYS["h"])),
        }
        for name, signal in signals.items()
    ]
    road, parts = _road(nets["LSTM"], loss)
    bias = experiment.init.forget_bias
    header: WhyHeader = {
        "panel": "why",
        "id": f"{hash((experiment, loss)) & 0xFFFFFFFF:08x}",
        "steps": experiment.sequence.length,
        "hidden": experiment.hidden_size,
        "bias": bias,
        "range": _range([*arrays.values(), *([] if road is None else [road])]),
        "road": "" if road is None else describe_road(float(road[0]), ends["LSTM"]),
        "nets": shown,
        "says": describe_why(ends, experiment.sequence.length, bias),
        "story": story,
    }
    return pack(header, arrays | parts)


def _road(lstm: Experiment, loss: str) -> tuple[np.ndarray | None, dict[str, np.ndarray]]:
    """log10 of what arrives by c alone, and what the browser computes it from at any bias; nothing where the road is
    not one of forget gates alone: with interventions, several layers, or a loss at every step."""
    if loss != "last" or lstm.num_layers > 1 or lstm.interventions:
        return None, {}
    trace = run(lstm, detail=True)
    pre, biases = trace["l0.f_pre"][:, 0].astype(np.float64), forget_bias(lstm)
    asks = _log10(studied(lstm, loss).flow["l0.c"][-1, 0])
    if not np.isfinite(pre).all() or not np.isfinite(asks).any():
        return None, {}
    size = by_gates(asks, log10_sigmoid(pre[1:]))
    return size - size[-1], {"drive": pre - biases, "biases": biases, "asks": asks}


def _log10(values: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        found: np.ndarray = np.log10(np.abs(values))
    return found


def _range(curves: list[np.ndarray]) -> list[float]:
    finite = np.concatenate([logs[np.isfinite(logs)] for logs in curves])
    low = float(np.floor(np.clip(finite.min(initial=0.0), _LEAST, -1.0) / 3) * 3)
    high = float(np.ceil(np.clip(finite.max(initial=0.0) - 0.3, 0.0, _MOST) / 3) * 3)
    return [low, high]
