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
    lines: Mapping[str, int] | None = None,
    theme: str = "light",
    height: int = 260,
) -> go.Figure:
    """One line a name over common x values; `lines` gives names their places in the line colours.

    A logarithmic axis drops what is not above 0.
    """
    palette = look.LINES[theme]
    place = lines or {name: k + 1 for k, name in enumerate(named)}
    figure = go.Figure(
        [
            go.Scatter(x=list(x_values), y=list(values), name=name, mode="lines+markers",
                       line={"color": palette[place[name] % len(palette)],
                             "dash": look.DASHES[place[name] % len(palette)]})
            for name, values in named.items()
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
