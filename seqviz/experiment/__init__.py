"""The one value that everything on the screen is a function of, and how it is written down."""

from seqviz.experiment.value import (
    KINDS,
    MAX_HIDDEN,
    MAX_INPUT,
    MAX_LAYERS,
    MAX_OUTPUT,
    MAX_STEPS,
    PRESETS,
    SCHEMES,
    Experiment,
    Init,
    InputEdit,
    Sequence,
    Tensor,
    WeightEdit,
    parameter_shapes,
)

__all__ = [
    "KINDS",
    "MAX_HIDDEN",
    "MAX_INPUT",
    "MAX_LAYERS",
    "MAX_OUTPUT",
    "MAX_STEPS",
    "PRESETS",
    "SCHEMES",
    "Experiment",
    "Init",
    "InputEdit",
    "Sequence",
    "Tensor",
    "WeightEdit",
    "parameter_shapes",
]
