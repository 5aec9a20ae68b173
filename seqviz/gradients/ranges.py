"""The maps of the gradients page: which settings they run through, of what networks, and where the one that is there
lies on them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np

from seqviz import weights
from seqviz.experiment import Experiment
from seqviz.gradients.closed import forget_bias
from seqviz.gradients.studied import networks
from seqviz.vocabulary import GRU, LSTM

__all__ = ["ACROSS", "LONGEST", "UP", "mapped_networks", "moved", "place_of", "possible", "values_of"]

ACROSS: Final = ("spectral_radius", "gain", "amplitude")
UP: Final = ("forget_bias", "length")
"""Settings that a map may have across, and up."""

LONGEST: Final = 100
"""Steps that a wave has on a map of :func:`mapped_networks`, at the most: what is lost is counted per 100 steps."""

_OF_THE_INPUT: Final = ("amplitude", "length")
_LENGTHS: Final = (5, 400)


def possible(experiment: Experiment) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those of :data:`ACROSS` and :data:`UP` that change something: an input given step by step has no length."""
    if experiment.sequence.width is None:
        return ACROSS, UP
    return tuple(n for n in ACROSS if n not in _OF_THE_INPUT), tuple(n for n in UP if n not in _OF_THE_INPUT)


def values_of(name: str, count: int) -> tuple[float, ...]:
    """The values that a setting takes on a map, rising: evenly, or by ratio; whole ones may be fewer."""
    if name == "forget_bias":
        return tuple(np.linspace(-2.0, 8.0, count).tolist())
    if name == "length":
        return tuple(np.unique(np.geomspace(*_LENGTHS, count).round()).tolist())
    return tuple(np.geomspace(0.25, 4.0, count).tolist())


def mapped_networks(
    experiment: Experiment, x: str = "spectral_radius", y: str = "forget_bias"
) -> dict[str, Experiment]:
    """The experiment as an LSTM and a GRU of one layer, drawn, as nobody has edited it, over 100 steps at the most, and
    without what the map runs through; as an RNN too where no bias of a gate is asked for.

    Two experiments that differ in nothing else have one map.
    """
    init, seq = experiment.init, experiment.sequence
    if init.scheme == "chrono" and init.memory is None and y != "length":
        init = replace(init, memory=seq.length)
    bare = experiment.changed(tensors=(), edits=(), interventions=(), num_layers=1, init=init)
    if seq.width is None and (seq.length > LONGEST or y == "length"):
        bare = bare.changed(sequence=replace(seq, length=LONGEST, edits=()))
    bare = moved(bare, **dict.fromkeys((x, y)))
    found = {name: bare.changed(cell=name) for name in (LSTM, GRU)}
    return found if y == "forget_bias" else found | {"RNN": bare.changed(cell=networks(experiment)["RNN"].cell)}


def moved(experiment: Experiment, **settings: float | None) -> Experiment:
    """The experiment at other settings of a map, its weights drawn; None is the value that is there where nobody chose.

    Where the gain is varied, nothing may give the recurrent blocks a radius of their own.
    """
    init, seq = experiment.init, experiment.sequence
    for name, value in settings.items():
        if name == "gain":
            init = replace(init, gain=1.0 if value is None else value, spectral_radius=None)
        elif name == "amplitude":
            seq = seq if seq.width is not None else replace(seq, amplitude=1.0 if value is None else value)
        elif name == "length":
            if value is not None and seq.width is None:
                seq = replace(seq, length=int(value), edits=tuple(e for e in seq.edits if e.step < value))
        else:
            drawn: dict[str, Any] = {name: value}
            init = replace(init, **drawn)
    return experiment.changed(init=init, sequence=seq, tensors=())


def place_of(
    experiment: Experiment, x: str = "spectral_radius", y: str = "forget_bias"
) -> tuple[float | None, float | None]:
    """Where an experiment lies on a map, as an LSTM: the spectral radius of its forget gate's block and its mean forget
    bias as they are, the other settings as they are set; None for a gain that does not decide the radius."""
    return _place(experiment, x), _place(experiment, y)


def _place(experiment: Experiment, name: str) -> float | None:
    if name in _OF_THE_INPUT:
        return float(getattr(experiment.sequence, name))
    if name == "gain":
        return None if experiment.tensors or experiment.init.spectral_radius is not None else experiment.init.gain
    shown = networks(experiment)[LSTM]
    if name == "forget_bias":
        return float(forget_bias(shown).mean())
    return weights.spectral_radius(weights.gate_view(weights.materialise(shown), shown.cell, 0, "f", "hh"))
