"""The map of vanishing as a static figure."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from seqviz import vocabulary as words
from seqviz.figures import theme as look
from seqviz.gradients.mapped import HALF, VanishingMap
from seqviz.gradients.settings import Axis
from seqviz.language import tr

__all__ = ["LEVELS", "REACH", "shade", "vanishing"]

REACH = 12.0
"""Decades per 100 steps at which the colours are full."""

LEVELS = (-10.0, -3.0, -1.0)
"""Thin contours; beside them are the lines of no loss and of one half."""


def shade(decades: np.ndarray) -> np.ndarray:
    """What the colours show of a value: its sign and the root of its size, ±1 from :data:`REACH` on."""
    found: np.ndarray = np.sign(decades) * np.sqrt(np.minimum(np.abs(decades), REACH) / REACH)
    return found


def vanishing(
    found: VanishingMap, *, draw: int | None = None, theme: str = "light", width: int = 560, height: int = 480
) -> go.Figure:
    """Decades gained or lost per 100 steps over two settings, the mean of the draws or one of them.

    The thick line is no loss; where some draws lose and others do not, a dotted shade lies over the map. Nothing is
    smoothed: what lies between measured points is interpolated.
    """
    values, surface = found.filled(draw), look.SURFACES[theme]
    figure = go.Figure(_heat(found, values, theme))
    for level in LEVELS:
        figure.add_trace(_line(values, level, f"{level:g}".replace("-", "−"), surface["quiet"], 1, "dot"))
    figure.add_trace(_line(values, HALF, tr("half is left"), surface["ink"], 1.5, "solid"))
    figure.add_trace(_line(values, 0.0, tr("no loss"), surface["ink"], 4, "solid"))
    if draw is None and len(found.decades) > 1:
        rows, columns = np.nonzero(found.split())
        figure.add_scatter(
            x=columns, y=rows, mode="markers", hoverinfo="skip", name=tr("draws disagree"),
            marker={"size": 3, "color": surface["ink"], "opacity": 0.6},
        )  # fmt: skip
    cell = words.CELL_LABELS[found.experiment.cell]
    figure.update_layout(
        template=look.template(theme), width=width, height=height, showlegend=False,
        title={"text": tr("{cell}: decades gained or lost per 100 steps", cell=cell), "font": {"size": 14}},
        xaxis=_ticks(found.x), yaxis=_ticks(found.y),
    )  # fmt: skip
    return figure


def _heat(found: VanishingMap, values: np.ndarray, theme: str) -> go.Heatmap:
    low, high = found.low(), found.high()
    across, up = np.meshgrid(found.x.values, found.y.values)
    ticks = [-REACH, -3.0, -1.0, 0.0, 1.0, 3.0, REACH]
    return go.Heatmap(
        z=shade(values), zmin=-1, zmax=1, colorscale=look.DIVERGING[theme], zsmooth=False,
        customdata=np.stack([across, up, values, low, high], axis=2),
        hovertemplate=tr(
            "{x} %{{customdata[0]:.3g}}<br>{y} %{{customdata[1]:.3g}}<br>%{{customdata[2]:.2f}} decades per 100 steps"
            "<br>draws: %{{customdata[3]:.2f}} to %{{customdata[4]:.2f}}<extra></extra>",
            x=found.x.label, y=found.y.label,
        ),
        colorbar={
            "thickness": 8, "outlinewidth": 0, "tickvals": shade(np.array(ticks)),
            "ticktext": [f"{t:+g}".replace("-", "−") if t else tr("keeps") for t in ticks],
        },
    )  # fmt: skip


def _line(values: np.ndarray, level: float, name: str, colour: str, width: float, dash: str) -> go.Contour:
    """One contour."""
    return go.Contour(
        z=values, autocontour=False, contours={"start": level, "end": level, "size": 1, "coloring": "none"},
        line={"color": colour, "width": width, "dash": dash, "smoothing": 0}, showscale=False, name=name,
        hoverinfo="skip",
    )  # fmt: skip


def _ticks(axis: Axis) -> dict[str, Any]:
    """Places on the grid with their values: the points lie evenly, on whatever scale the values do."""
    places = np.unique(np.linspace(0, len(axis) - 1, min(6, len(axis))).round().astype(int))
    texts = [f"{axis.values[k]:.3g}".replace("-", "−") for k in places]
    return {
        "tickvals": places,
        "ticktext": texts,
        "title": axis.label,
        "showgrid": False,
        "range": [-0.5, len(axis) - 0.5],
    }
