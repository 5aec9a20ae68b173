"""Settings worth a look, for the pages that compare networks, and the bench of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from seqviz import cells
from seqviz import vocabulary as words
from seqviz.comparison import INPUTS, NETWORKS, WAVES
from seqviz.experiment import MAX_STEPS, Experiment, Init, Sequence
from seqviz.gradients.ranges import ACROSS, UP
from seqviz.gradients.studied import NETS
from seqviz.language import later
from seqviz.ui.bench import Bench

__all__ = ["COMPARED", "DESK", "EVERY", "SCENES", "desk", "first_compared", "first_scene", "lab"]

LAB = {
    "loss": ("last", "sum"),
    "net": tuple(dict.fromkeys((*NETS, *cells.families()))),
    "more": ("", "clipping"),
    "map": ("", "on"),
    "across": ACROSS,
    "up": UP,
}
"""The laboratory's own settings beside the experiment."""


def _setting(length: int = 200, amplitude: float = 1.0, **init: Any) -> Experiment:
    return Experiment(words.LSTM, 1, 32, init=Init(**init), sequence=Sequence("noise", length, amplitude=amplitude))


SCENES: dict[str, tuple[Experiment, str]] = {
    later("Vanishes"): (
        _setting(),
        later("Default weights: what becomes of the signal on its way back over 200 steps."),
    ),
    later("Explodes"): (
        _setting(120, spectral_radius=3.0, scheme="orthogonal"),
        later("Recurrent weights of spectral radius 3: each step may stretch the RNN's signal on its way back."),
    ),
    later("Identity keeps it"): (
        replace(_setting(scheme="identity"), sequence=Sequence("bits", 200, amplitude=0.3, seed=1)),
        later("The IRNN: identity weights and ReLU hand the gradient on unchanged, where a unit is above 0."),
    ),
    later("Forget bias rescues it"): (
        _setting(forget_bias=3.0),
        later("A forget bias of 3 opens the LSTM's forget gates to about 0.95; the RNN has no such knob."),
    ),
    later("Chrono reaches 500 steps"): (
        _setting(500, scheme="chrono"),
        later("Forget biases drawn for memories up to the length of the sequence."),
    ),
    later("Clipping caps the step"): (
        _setting(120, spectral_radius=3.0, scheme="orthogonal"),
        later(
            "Clipping makes an exploding update small. It does not change which steps wrote it: see the table below."
        ),
    ),
}


def first_scene() -> Experiment:
    """What a new visitor of the laboratory sees: the RNN's signal is gone, the LSTM's is not."""
    return SCENES["Forget bias rescues it"][0]


def lab() -> Bench:
    """The laboratory's own bench."""
    return Bench.here("gradients", first_scene, LAB)


EVERY = tuple(dict.fromkeys((*NETWORKS, *cells.families())))
DESK = {
    "input": INPUTS,
    "minus": (later("nothing"), *EVERY, *INPUTS, *WAVES),
    "net": (*NETWORKS[::-1], *EVERY[len(NETWORKS) :]),
    "nudge": ("", *map(str, range(MAX_STEPS))),
}
"""``minus`` is another network on the same input, or the same network on another input; ``nudge`` the step at which 1
is added, by default a quarter of the way."""


def first_compared() -> Experiment:
    """What a new visitor finds: a wave that nobody takes for its own shuffle, and networks of eight units."""
    return Experiment(words.LSTM, hidden_size=8, init=Init(gain=1.5, seed=1), sequence=Sequence("sine", 48))


def desk() -> Bench:
    """The comparison's own bench."""
    return Bench.here("compare", first_compared, DESK)


def _bits(**init: Any) -> Experiment:
    init = {"gain": 1.5, "seed": 1} | init
    return replace(first_compared(), init=Init(**init), sequence=Sequence("bits", 24, seed=2))


COMPARED: dict[str, tuple[Experiment, dict[str, str], str]] = {
    later("As it is"): (first_compared(), {}, later("one wave, four networks")),
    later("Shuffled"): (first_compared(), {"input": "shuffled"}, later("in another order")),
    later("Nudged"): (
        first_compared(),
        {"input": "one step nudged", "minus": "as it is", "nudge": "0"},
        later("1 more at first"),
    ),
    later("Bits"): (_bits(), {}, later("24 random bits")),
    later("Bits, kept"): (_bits(forget_bias=3.0), {}, later("forget gates open")),
}
"""What is compared: the experiment, the page's own settings, and a line that says what it is."""
