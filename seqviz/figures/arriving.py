"""What arrives of a gradient, and what is left of a nudge: a line a network, each beside its number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

from seqviz.figures import theme as look
from seqviz.language import tr
from seqviz.telling.why import left

__all__ = ["arriving", "nudge"]

DECADES = 12.0
"""What is smaller lies below the picture; its number is beside its name."""


def arriving(
    logs: Mapping[str, Any], *, road: Any = None, theme: str = "light", width: int = 720, height: int = 380
) -> go.Figure:
    """What is left of each network's gradient on its way back from the last step, and why.

    Args:
        logs: by network, log10 of the gradient's norm at every step ``(L,)``: ``flow.log10_norms("l0.c")`` of an LSTM,
            ``"l0.h"`` of the others.
        road: log10 of what the product of an LSTM's forget gates alone hands back, ``(L,)``:
            :func:`seqviz.gradients.by_gates`.
        theme, width, height: as everywhere.
    """
    kept = {name: _from(np.asarray(values, dtype=np.float64), -1) for name, values in logs.items()}
    figure = go.Figure([_line(name, values, theme, values[0]) for name, values in kept.items()])
    if road is not None:
        gates = _from(np.asarray(road, dtype=np.float64), -1)
        line = {"color": look.HUES[theme]["f"], "dash": "dash", "width": 3}
        figure.add_scatter(y=gates, mode="lines", line=line, name=_named("f · f · f …", gates[0]))
        kept["road"] = gates
    return _dressed(figure, list(kept.values()), tr("what is left of the gradient"), theme, width, height)


def nudge(
    responses: Mapping[str, Any], *, at: int | None = None, theme: str = "light", width: int = 720, height: int = 380
) -> go.Figure:
    """What is left of a nudge at every step, as a share of the most that it moved h.

    Args:
        responses: by network, how far h is moved at every step ``(L,)``: :func:`seqviz.comparison.nudge_response`.
        at: the step whose numbers stand beside the names; by default the last.
        theme, width, height: as everywhere.
    """
    kept = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for name, values in responses.items():
            logs = np.log10(np.asarray(values, dtype=np.float64))
            kept[name] = _from(logs, int(np.argmax(np.where(np.isnan(logs), -np.inf, logs))))
    steps = len(next(iter(kept.values()), ()))
    step = steps - 1 if at is None else range(steps)[at]
    figure = go.Figure([_line(name, values, theme, values[step]) for name, values in kept.items()])
    if at is not None:
        figure.add_vline(x=step, line={"color": look.SURFACES[theme]["ink"], "width": 2})
    return _dressed(figure, list(kept.values()), tr("what is left of the nudge"), theme, width, height)


def _from(logs: np.ndarray, step: int) -> np.ndarray:
    """As a share of what a step has; where that is 0 or no number, so is all of it."""
    with np.errstate(invalid="ignore"):
        found: np.ndarray = logs - logs[step] if np.isfinite(logs[step]) else np.where(logs == -np.inf, logs, np.nan)
    return found


def _named(name: str, log: float) -> str:
    return tr("{name}: {left}", name=tr(name), left=left(float(log)))


def _line(name: str, logs: np.ndarray, theme: str, log: float) -> go.Scatter:
    place = look.network_line(name)
    line = {"color": look.LINES[theme][place], "dash": look.DASHES[place], "width": 3}
    return go.Scatter(y=np.where(np.isfinite(logs), logs, np.nan), mode="lines", name=_named(name, log), line=line)


def _dressed(figure: go.Figure, logs: list[np.ndarray], y: str, theme: str, width: int, height: int) -> go.Figure:
    known = np.concatenate([np.zeros(1), *(values[np.isfinite(values)] for values in logs)])
    low, high = max(-DECADES, np.floor(known.min())), min(DECADES, known.max())
    ticks = np.arange(np.floor(low), np.ceil(high) + 1, 3 if high - low > 5 else 1)
    axis = {"range": [min(low, high - 1) - 0.1, high + 0.1], "tickvals": ticks, "ticktext": [left(t) for t in ticks]}
    figure.update_layout(
        template=look.template(theme), width=width, height=height, xaxis_title=tr("step t"), yaxis=axis
    )
    return figure.update_yaxes(title={"text": y, "standoff": 8}, automargin=True)
