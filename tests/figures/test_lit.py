"""Rows lit in a run."""

from __future__ import annotations

import numpy as np
import pytest

import seqviz


def test_the_named_signals_are_drawn_and_the_units_framed():
    trace = seqviz.run(seqviz.Experiment(hidden_size=6))
    figure = seqviz.figures.lit(trace, [("l0.f", (1, 4), "1"), ("l0.h", (), "2"), ("l0.f", (2,), "3")])
    assert [np.shape(heat.z) for heat in figure.data] == [(6, 48), (6, 48)]
    np.testing.assert_array_equal(figure.data[0].z, trace["l0.f"][:, 0].T)
    frames = [(s.y0, s.y1, s.yref) for s in figure.layout.shapes]
    assert frames == [(0.5, 1.5, "y"), (3.5, 4.5, "y"), (1.5, 2.5, "y"), (-0.5, 5.5, "y2")]
    assert [a.text for a in figure.layout.annotations if a.xanchor == "left"] == ["1", "1", "3", "2"]
    assert (figure.data[0].zmin, figure.data[0].zmax) == (0, 1)
    assert figure.data[1].zmin == -figure.data[1].zmax


def test_a_signal_that_is_not_there_gets_a_sentence():
    trace = seqviz.run(seqviz.Experiment(hidden_size=6))
    with pytest.raises(ValueError, match="no signal"):
        seqviz.figures.lit(trace, [("l0.q", (), "1")])
