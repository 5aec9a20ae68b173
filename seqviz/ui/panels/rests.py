"""Where the network on the screen comes to rest, and how its runs part or draw together."""

from __future__ import annotations

from typing import Final

import numpy as np
import streamlit as st

from seqviz.experiment import Experiment
from seqviz.figures import fixed_points as fixed_points_drawn
from seqviz.figures import lyapunov
from seqviz.gradients.fixed import fixed_points
from seqviz.gradients.lyapunov import lyapunov_exponents, mean_log_determinant
from seqviz.gradients.rests import FixedPoints
from seqviz.kept import kept, turn
from seqviz.language import reason, sentences, tr
from seqviz.runner import inputs, network, run, work
from seqviz.telling.resting import describe_exponents, describe_rests
from seqviz.ui.controls import Answers, own_number, refuse, unfolding

__all__ = ["resting"]

_STARTS: Final = 2048
_WORK: Final = (2_000_000, 250_000_000)
"""Starts times the square, and times the cube, of a state's numbers: fewer start where a network is large."""
_FEWEST: Final = 10
"""Starts of which there is something to be said."""
_GROWTH: Final = 8_000_000_000
"""Steps times the cube of a state's numbers up to which exponents are reckoned: some seconds."""
_SHOWN: Final = 16
"""Exponents that are drawn, the largest."""


def resting(experiment: Experiment, page: Answers, *, key: str) -> None:
    """The question, and below it its answer once it is opened.

    Args:
        experiment: the network, and the run around whose states the search begins.
        page: where what is refused is said.
        key: begins the names of the session's keys.
    """
    with unfolding(tr("Where does it come to rest?"), key) as shown:
        if not shown.open:
            return
        value = own_number(page, tr("While every input stays at"), 0.0, -1e3, 1e3, step=0.5, key=f"{key}.input")
        try:
            _answer(experiment, value, key)
        except ValueError as refusal:
            refuse(reason(refusal))


def _answer(experiment: Experiment, value: float, key: str) -> None:
    bare = experiment.changed(interventions=())
    found, path = _found(bare, value)
    theme = str(st.context.theme.type or "light")
    st.markdown(f"#### {_says(found)}")
    figures = {"chart": fixed_points_drawn(found, path, theme=theme)}
    says = [tr("How its runs part is left out: this many steps and units would take too long to draw live.")]
    if len(path) * path.shape[1] ** 3 <= _GROWTH:
        exponents, total = _exponents(experiment)
        figures["exponents"] = lyapunov(exponents[:_SHOWN], theme=theme)
        says = describe_exponents(exponents, total, len(path))
    for column, (name, figure) in zip(st.columns([7, 3]), figures.items(), strict=False):
        column.plotly_chart(figure, theme=None, key=f"{key}.{name}", config={"displayModeBar": False})
    st.markdown(sentences(says))
    notes = [
        tr(
            "The plane is that of the run's two principal components; the line is the run on its own input. Points "
            "after Sussillo and Barak 2013, by Newton's method from the run's states and beside them."
        )
    ]
    if experiment.interventions:
        notes.append(tr("Places of rest are those of the network without its interventions."))
    st.caption(sentences(notes))


def _says(found: FixedPoints) -> str:
    stable, neutral = found.stable, found.neutral
    return describe_rests(
        int(stable.sum()), int((~stable & ~neutral).sum()), found.starts, stay=int(found.found[neutral].sum()),
        slow=len(found.slow) if found.lingers else 0, drift=float(found.drift.max(initial=0.0)),
    )  # fmt: skip


@kept
def _found(experiment: Experiment, value: float) -> tuple[FixedPoints, np.ndarray]:
    """The places of rest, and the run's states ``(L, S)``."""
    trace, net = run(experiment), network(experiment).double()
    states = [s for s in ("l0.h", "l0.c") if s in trace]
    path = np.concatenate([trace[s][:, 0] for s in states], axis=1)
    size = path.shape[1]
    starts = min(_STARTS, _WORK[0] // size**2, _WORK[1] // size**3)
    if starts < _FEWEST:
        most = int((_WORK[1] / _FEWEST) ** (1 / 3))
        raise ValueError(
            tr("Places of rest are searched for in networks whose states are at most {most} numbers; these are {size}.",
               most=most, size=size)
        )  # fmt: skip
    with turn(starts * size**3):
        return fixed_points(net, value, trace=trace, starts=starts), path


@kept
def _exponents(experiment: Experiment) -> tuple[np.ndarray, float]:
    """All exponents of the run, and the mean log-determinant of its steps."""
    net, x, edits = network(experiment).double(), inputs(experiment).double(), experiment.interventions
    with turn(work(experiment) * experiment.hidden_size):
        return lyapunov_exponents(net, x, interventions=edits), mean_log_determinant(net, x, interventions=edits)
