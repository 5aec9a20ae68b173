"""Fixed points and a run's path over the two directions in which the run's states differ most."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from seqviz.figures import theme as look
from seqviz.gradients.rests import FixedPoints, principal
from seqviz.language import tr, trn

__all__ = ["fixed_points"]


def fixed_points(
    found: FixedPoints,
    path: Any,
    *,
    exponents: Any = None,
    theme: str = "light",
    width: int = 720,
    height: int = 460,
) -> go.Figure:
    """Where a network rests, on the plane of a run's two principal components, with the way that the run took.

    Stable points are filled, the others are rings whose text says how many directions lead away.

    Args:
        found: of :func:`seqviz.fixed_points`.
        path: the run's states ``(L, S)``, as :attr:`FixedPoints.states` has them: h, and then c of an LSTM.
        exponents: Lyapunov exponents of a long run, drawn beside it as bars.
        theme, width, height: as everywhere.
    """
    path = np.asarray(path, dtype=np.float64)
    plane, surface = principal(path), look.SURFACES[theme]
    beside = exponents is not None
    figure = make_subplots(1, 2, column_widths=[0.7, 0.3]) if beside else go.Figure()
    way = plane.place(path)
    figure.add_scatter(
        x=way[:, 0], y=way[:, 1], mode="lines+markers", name=tr("the run"), text=[str(t) for t in range(len(way))],
        line={"color": surface["quiet"], "width": 1}, marker={"size": 3, "color": surface["quiet"]},
        hovertemplate=tr("step %{text}<extra></extra>"),
    )  # fmt: skip
    for kind, name, symbol in ((True, tr("stable"), "circle"), (False, tr("not stable"), "circle-open")):
        chosen = found.stable == kind
        places = plane.place(found.states[chosen]) if chosen.any() else np.empty((0, 2))
        figure.add_scatter(
            x=places[:, 0], y=places[:, 1], mode="markers", name=name, text=_texts(found, chosen),
            marker={"symbol": symbol, "size": 12, "color": surface["ink"], "line": {"width": 2}},
            hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    axes = [tr("component {k}, {share:.0%} of the run's variance", k=k + 1, share=plane.share[k]) for k in range(2)]
    figure.update_layout(
        template=look.template(theme), width=width, height=height, xaxis_title=axes[0], yaxis_title=axes[1],
        legend={"orientation": "h", "y": 1.1},
    )  # fmt: skip
    if beside:
        _bars(figure, np.asarray(exponents, dtype=np.float64), surface["ink"])
    return figure


def _texts(found: FixedPoints, chosen: np.ndarray) -> list[str]:
    return [
        tr("largest |eigenvalue| {radius:.3f}", radius=found.radius[k])
        + "<br>"
        + trn("{count} direction leads away", "{count} directions lead away", int(found.unstable_directions[k]))
        for k in np.flatnonzero(chosen)
    ]


def _bars(figure: go.Figure, exponents: np.ndarray, colour: str) -> None:
    figure.add_bar(
        x=np.arange(1, len(exponents) + 1), y=exponents, marker={"color": colour}, showlegend=False, row=1, col=2,
        hovertemplate=tr("exponent %{x}: %{y:.4f} per step<extra></extra>"),
    )  # fmt: skip
    figure.update_xaxes(title=tr("Lyapunov exponents"), row=1, col=2)
    figure.update_yaxes(title=tr("growth per step, natural logarithm"), row=1, col=2)
