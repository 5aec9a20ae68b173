"""The message of the picture that says why: what is left of a gradient, beside the product of the forget gates."""

from __future__ import annotations

import math

import numpy as np

from seqviz.experiment import Experiment
from seqviz.figures.theme import network_line
from seqviz.gradients.studied import forget_road, networks, states_shown, studied
from seqviz.kept import kept_spoken
from seqviz.language import later, tr
from seqviz.scope import pack
from seqviz.scope.headers import WhyHeader, WhyNet
from seqviz.telling.why import describe_gone, describe_road, describe_why, left
from seqviz.ui.bench import Address, Bench

__all__ = ["why_message"]

_SAYS = {"c": later("∂L/∂c, back at step 0"), "h": later("∂L/∂h, back at step 0")}
_FIRST = ("LSTM", "GRU", "RNN")
_LEAST, _MOST = -12.0, 12.0
"""Decades that are drawn; what lies outside is said in words."""
_ROUNDING = 1e-6


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
            "says": describe_gone(arrays[name].tolist(), tr(_SAYS.get(signal, _SAYS["h"]))),
        }
        for name, signal in signals.items()
    ]
    road, parts = forget_road(nets["LSTM"], loss) or (None, {})
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


def _range(curves: list[np.ndarray]) -> list[float]:
    finite = np.concatenate([logs[np.isfinite(logs)] for logs in curves])
    low = float(np.floor(np.clip(finite.min(initial=0.0), _LEAST, -1.0) / 3) * 3)
    most = min(float(finite.max(initial=0.0)), _MOST)
    # What grows a little is seen to grow; 1 is at the very top where nothing does.
    high = 0.0 if most < _ROUNDING else most + 0.05 if most < 1.0 else math.ceil(most / 3) * 3.0
    return [low, high]
