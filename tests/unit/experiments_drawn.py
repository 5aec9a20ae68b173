"""Experiments for hypothesis to draw, and the checks of a refusal."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from seqviz.experiment import (
    KINDS,
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
from seqviz.experiment.interventions import Ablate, Clamp, Scale
from seqviz.vocabulary import CELLS

SLOW = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

floats32 = st.one_of(
    st.floats(width=32, allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 1e-45, -1e-45, 1.1754942e-38, 3.4028234663852886e38, 0.1]),
)
seeds = st.integers(0, 2**31 - 1)
inits = st.builds(
    Init,
    scheme=st.sampled_from(SCHEMES + PRESETS),
    gain=st.floats(-100, 100),
    spectral_radius=st.none() | st.floats(0, 100),
    forget_bias=st.none() | st.floats(-100, 100),
    seed=seeds,
)


@st.composite
def sequences(draw: st.DrawFn) -> tuple[Sequence, int]:
    """A sequence and an input size that fits it."""
    kind = draw(st.sampled_from(KINDS))
    if kind == "text":
        text = draw(st.text(min_size=1, max_size=12))
        sequence = Sequence.of_text(text, "".join(sorted(set(draw(st.text(max_size=5))))))
    elif kind == "values":
        rows, width = draw(st.integers(1, 6)), draw(st.integers(1, 3))
        sequence = Sequence.of_values(draw(st.lists(floats32, min_size=rows * width, max_size=rows * width)))
        sequence = replace(sequence, length=rows)
    else:
        shape = {"length": st.integers(1, MAX_STEPS), "amplitude": st.floats(-1e6, 1e6), "seed": seeds}
        periods = st.floats(1e-30, 1e30)
        sequence = draw(st.builds(Sequence, kind=st.just(kind), period=periods, **shape))  # type: ignore[arg-type]
    width = sequence.width or draw(st.integers(1, 4))
    places = st.tuples(st.integers(0, sequence.length - 1), st.integers(0, width - 1), floats32)
    return sequence.edited(InputEdit(*place) for place in draw(st.lists(places, max_size=4))), width


@st.composite
def experiments(draw: st.DrawFn) -> Experiment:
    """Any experiment: edited weights, tensors, sequences and interventions included."""
    sequence, width = draw(sequences())
    base = Experiment(
        draw(st.sampled_from(CELLS)),
        width,
        draw(st.integers(1, 6)),
        draw(st.integers(1, 3)),
        draw(st.integers(1, 3)),
        init=draw(inits),
        sequence=sequence,
    )
    shapes = parameter_shapes(base)
    names = st.sampled_from(sorted(shapes))
    edits, tensors = [], []
    for name in draw(st.lists(names, max_size=5)):
        rows, cols = (*shapes[name], 1)[:2]
        edits.append(WeightEdit(name, draw(st.integers(0, rows - 1)), draw(st.integers(0, cols - 1)), draw(floats32)))
    for name in draw(st.lists(names, max_size=2, unique=True)):
        bits = draw(st.integers(0, 2**32 - 1))
        array = np.random.default_rng(bits).standard_normal(shapes[name]).astype(np.float32)
        array.flat[0] = draw(floats32)
        tensors.append(Tensor.of(name, array))
    interventions = [draw(intervention(base)) for _ in range(draw(st.integers(0, 3)))]
    return replace(base, edits=tuple(edits), tensors=tuple(tensors), interventions=tuple(interventions))


@st.composite
def intervention(draw: st.DrawFn, experiment: Experiment) -> Clamp | Ablate | Scale:
    widths = experiment.widths()
    signal = draw(st.sampled_from(sorted(widths)))
    units = draw(st.none() | st.lists(st.integers(0, widths[signal] - 1), min_size=1, max_size=3))
    start = draw(st.integers(0, experiment.sequence.length - 1))
    steps = draw(st.sampled_from([None, (start, None), (start, start + 1)]))
    kind = draw(st.sampled_from([Clamp, Ablate, Scale]))
    if kind is Ablate:
        return Ablate(signal, units, steps)  # type: ignore[arg-type]
    return kind(signal, draw(floats32), units, steps)


def bits(value: Any) -> Any:
    """A value with its floats as bit patterns, so that -0.0 and 0.0 differ."""
    if isinstance(value, float):
        return struct.pack("<d", value)
    if is_dataclass(value):
        return (type(value).__name__, *(bits(getattr(value, f.name)) for f in fields(value)))
    return tuple(map(bits, value)) if isinstance(value, tuple) else (type(value).__name__, value)


def refused(read: Callable[[], Any]) -> str:
    """The sentence of a refusal; nothing but a plain ValueError will do."""
    with pytest.raises(ValueError, match=r".") as caught:
        read()
    assert type(caught.value) is ValueError
    check_sentence(str(caught.value))
    return str(caught.value)


def check_sentence(message: str) -> None:
    assert re.match(r"([A-Z]|\"|weight_|bias_|readout|l\d|x ).*\.$", message), message
    assert not re.search(r"Traceback|Error\b|Exception|line \d+ column|codec|__init__|argument", message), message


def read_or_refused(read: Callable[[Any], Experiment], given_: Any) -> Experiment | None:
    """What was read, or None when it was refused in a sentence."""
    try:
        return read(given_)
    except ValueError as error:
        refusal = error
    assert type(refusal) is ValueError, repr(refusal)
    check_sentence(str(refusal))
    return None
