"""Training as it went, of one network or of several that race, with a band over their seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from seqviz.figures import theme as look
from seqviz.language import tr

__all__ = ["race"]


class Checkpoint(Protocol):
    """What is read of a :class:`seqviz.training.Checkpoint`."""

    @property
    def step(self) -> int: ...
    @property
    def loss(self) -> float: ...
    @property
    def score(self) -> float: ...


def race(
    runs: Mapping[str, Sequence[Sequence[Checkpoint]]], *, theme: str = "light", width: int = 720, height: int = 420
) -> go.Figure:
    """Score and loss over the steps of training; several seeds of a network have a band from the least to the most.

    Args:
        runs: by the network's name, a list of checkpoints a seed, as :func:`seqviz.training.train` gives them.
        theme, width, height: as everywhere.

    Raises:
        ValueError: a run has no checkpoint.
    """
    if any(not seed for seeds in runs.values() for seed in seeds):
        raise ValueError(tr("A run needs at least one checkpoint."))
    figure = make_subplots(rows=2, shared_xaxes=True, vertical_spacing=0.08)
    for row, of in ((1, "score"), (2, "loss")):
        for name, seeds in runs.items():
            _network(figure, name, seeds, of, row, theme)
    figure.update_layout(template=look.template(theme), width=width, height=height)
    figure.update_yaxes(title=tr("score"), row=1)
    figure.update_yaxes(title=tr("loss"), type="log", dtick="D2", row=2)
    figure.update_xaxes(title=tr("optimiser step"), row=2)
    return figure


def _network(
    figure: go.Figure, name: str, seeds: Sequence[Sequence[Checkpoint]], of: str, row: int, theme: str
) -> None:
    place = look.network_line(name.split(",")[0])
    colour = look.LINES[theme][place]
    if len(seeds) > 1:
        steps, low, high = _band(seeds, of)
        edge = {"x": steps, "mode": "lines", "line": {"width": 0}, "showlegend": False, "hoverinfo": "skip"}
        figure.add_scatter(y=low, **edge, row=row, col=1)
        figure.add_scatter(y=high, fill="tonexty", fillcolor=f"{colour}2e", **edge, row=row, col=1)
    for k, seed in enumerate(seeds):
        known = [c for c in seed if np.isfinite(getattr(c, of))]
        figure.add_scatter(
            x=[c.step for c in known], y=[getattr(c, of) for c in known], name=name, legendgroup=name,
            showlegend=row == 1 and k == 0, mode="lines", row=row, col=1,
            line={"color": colour, "dash": look.DASHES[place], "width": 2 if len(seeds) == 1 else 1},
        )  # fmt: skip


def _band(seeds: Sequence[Sequence[Checkpoint]], of: str) -> tuple[list[int], np.ndarray, np.ndarray]:
    """The least and the most at every step that some seed has; a run that has ended stands where it ended."""
    known = [{c.step: float(getattr(c, of)) for c in seed if np.isfinite(getattr(c, of))} for seed in seeds]
    steps = sorted(set().union(*known))
    values = np.full((len(seeds), len(steps)), np.nan)
    for k, at in enumerate(known):
        for n, step in enumerate(steps):
            values[k, n] = at.get(step, values[k, n - 1] if n else np.nan)
    return steps, np.nanmin(values, axis=0), np.nanmax(values, axis=0)
