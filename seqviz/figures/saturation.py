"""The saturation plot of Karpathy, Johnson and Li 2015, figure 2, https://arxiv.org/abs/1506.02078."""

from __future__ import annotations

import plotly.graph_objects as go

from seqviz import cells
from seqviz import vocabulary as words
from seqviz.figures import theme as look
from seqviz.language import tr
from seqviz.metrics import saturation as fractions
from seqviz.trace import Trace

__all__ = ["saturation"]


def saturation(trace: Trace, *, layer: int = 0, batch: int = 0, theme: str = "light", height: int = 320) -> go.Figure:
    """One mark a gate unit: the fraction of steps it is closed (below 0.1) against open (above 0.9).

    A unit on the upper left always lets through, one on the lower right never does.
    """
    (mode,) = trace.modes.values()
    figure = go.Figure()
    for signal in cells.get(mode).told:
        if not words.is_gate(signal, mode):
            continue
        closed, opened = fractions(trace[words.signal_name(layer, signal)][:, batch])
        name = cells.get(mode).labels[signal].name
        text = [tr("{gate}, unit {unit}", gate=name, unit=u) for u in range(len(closed))]
        figure.add_scatter(
            x=closed, y=opened, mode="markers", name=name, text=text,
            marker={"size": 11, "color": look.HUES[theme][signal], "opacity": 0.7},
            hovertemplate=tr("%{text}<br>closed %{x:.0%}, open %{y:.0%}<extra></extra>"),
        )  # fmt: skip
    figure.add_shape(type="line", x0=0, y0=1, x1=1, y1=0, line={"color": look.SURFACES[theme]["rule"], "dash": "dot"})
    figure.update_layout(
        template=look.template(theme),
        height=height,
        xaxis={"title": tr("closed: fraction of steps below 0.1"), "range": [-0.03, 1.03], "tickformat": ".0%"},
        yaxis={"title": tr("open: fraction of steps above 0.9"), "range": [-0.03, 1.03], "tickformat": ".0%"},
        legend={"orientation": "h", "y": 1.15},
    )
    return figure
