"""Curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from seqviz.figures import theme as look

__all__ = ["curves"]


def curves(
    x_values: Sequence[float],
    named: Mapping[str, Sequence[float]],
    *,
    x: str = "",
    y: str = "",
    log_y: bool = False,
    theme: str = "light",
    height: int = 260,
) -> go.Figure:
    """One line a name over common x values; a logarithmic axis drops what is not above 0."""
    lines = look.LINES[theme]
    figure = go.Figure(
        [
            go.Scatter(x=list(x_values), y=list(values), name=name, mode="lines+markers",
                       line={"color": lines[(k + 1) % len(lines)]})
            for k, (name, values) in enumerate(named.items())
        ]
    )  # fmt: skip
    figure.update_layout(
        template=look.template(theme),
        height=height,
        xaxis_title=x,
        yaxis_title=y,
        legend={"orientation": "h", "y": 1.15},
    )
    figure.update_yaxes(type="log" if log_y else "linear", exponentformat="power")
    return figure
