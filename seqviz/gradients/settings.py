"""The settings of an experiment that a map can run through, by name."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from seqviz import cells
from seqviz import vocabulary as words
from seqviz.checks import choice, listed, number
from seqviz.experiment import Experiment
from seqviz.language import Words, later, tr

__all__ = ["SETTINGS", "Axis", "axis", "with_setting"]

SETTINGS: Final[dict[str, str]] = Words(
    {
        "gain": "gain of the weights",
        "spectral_radius": "spectral radius of the recurrent blocks",
        "forget_bias": "forget bias",
        "memory": "memory of the chrono initialisation",
        "length": "length of the sequence",
        "amplitude": "scale of the input",
        "period": "period of the input",
        "hidden_size": "hidden units",
        "num_layers": "layers",
    }
)
"""What each is called on the screen."""

_OF_THE_DRAW: Final = ("gain", "spectral_radius", "forget_bias", "memory")
_OF_THE_INPUT: Final = ("length", "amplitude", "period")
_WHOLE: Final = ("memory", "length", "hidden_size", "num_layers")
MOST: Final = 1001
"""Values that an axis may have."""


@dataclass(frozen=True)
class Axis:
    """A setting and the values it takes, rising."""

    name: str
    values: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def label(self) -> str:
        """What it is called on the screen."""
        return SETTINGS[self.name]

    def nearest(self, value: float | None) -> int:
        """The place whose value is nearest, by ratio where they lie so; the middle one where none is asked for."""
        if value is None:
            return len(self) // 2
        scale = (lambda v: np.log(np.maximum(v, 1e-9))) if self.logarithmic else np.asarray
        return int(np.abs(scale(np.asarray(self.values)) - scale(np.asarray(value))).argmin())

    @property
    def logarithmic(self) -> bool:
        """Whether the values lie more evenly on a logarithmic scale than on a plain one."""
        values = np.asarray(self.values)
        if len(values) < 3 or values[0] <= 0:
            return False
        plain, log = np.diff(values), np.diff(np.log(values))
        return bool(np.ptp(log) / log.mean() < np.ptp(plain) / plain.mean())


def axis(given: Any, what: str) -> Axis:
    """``("forget_bias", values)`` as an :class:`Axis`; `what` is how a sentence names it.

    Raises:
        ValueError: no such setting, or values that are not numbers in rising order.
    """
    if isinstance(given, Axis):
        return given
    if not isinstance(given, tuple | list) or len(given) != 2:
        says = later("{what} must be a setting's name and its values, such as ('forget_bias', [0, 1, 2]).")
        raise ValueError(tr(says, what=tr(what)))
    name, values = given
    choice(name, what, SETTINGS)
    rising = [number(value, what) for value in listed(values, what)]
    if len(rising) < 2 or any(a >= b for a, b in itertools.pairwise(rising)):
        raise ValueError(tr("{what} needs two values or more, each larger than the one before it.", what=tr(what)))
    if len(rising) > MOST:
        raise ValueError(tr("{what} has more than {most:,} places.", what=tr(what), most=MOST))
    return Axis(name, tuple(rising))


def with_setting(experiment: Experiment, name: str, value: float) -> Experiment:
    """The experiment with a setting of another value.

    Raises:
        ValueError: the setting changes nothing here, or cannot have the value.
    """
    given: Any = int(value) if name in _WHOLE and float(value).is_integer() else value
    if name in _OF_THE_DRAW:
        if experiment.tensors:
            raise ValueError(tr("The weights are given as they are and not drawn: {name} changes nothing.", name=name))
        if name == "forget_bias" and not cells.get(experiment.cell).keep_gates:
            cell = words.CELL_LABELS[experiment.cell]
            raise ValueError(
                tr("{cell} has no gate that keeps its state: {name} changes nothing.", cell=cell, name=name)
            )
        if name == "memory" and experiment.init.scheme != "chrono":
            raise ValueError(tr("Only the chrono initialisation has a memory: {name} changes nothing.", name=name))
        return replace(experiment, init=replace(experiment.init, **{name: given}))
    if name in _OF_THE_INPUT:
        if experiment.sequence.width is not None:
            raise ValueError(
                tr("The input is given step by step and not drawn: it has no {name} to change.", name=name)
            )
        edits = experiment.sequence.edits
        if name == "length":
            edits = tuple(e for e in edits if e.step < value)
        return experiment.changed(sequence=replace(experiment.sequence, edits=edits, **{name: given}))
    return experiment.changed(**{name: given})
