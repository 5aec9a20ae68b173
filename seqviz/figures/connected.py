"""Which inputs the outputs rest on, as a static figure."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from seqviz.figures import theme as look
from seqviz.language import tr

__all__ = ["connectivity"]

_DECADES = 6


def connectivity(
    matrix: np.ndarray, *, title: str = "", theme: str = "light", width: int = 480, height: int = 440
) -> go.Figure:
    """Output steps over input steps: the squared norm of the gradient, each row on a scale of its own.

    Args:
        matrix: of :func:`seqviz.connectivity_matrix`, ``(L, L)``, or one row of it ``(L,)``.
        title, theme, width, height: as everywhere.

    Colour is the logarithm, from the largest of the row down to a millionth of it.
    """
    rows = np.atleast_2d(np.asarray(matrix, dtype=np.float64))
    most = rows.max(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.clip(np.log10(rows / most), -_DECADES, 0)
    share[~np.isfinite(share)] = -_DECADES
    figure = go.Figure(
        go.Heatmap(
            z=share, zmin=-_DECADES, zmax=0, colorscale=look.MAGNITUDE[theme], customdata=rows,
            hovertemplate=tr("output at step %{y}, input of step %{x}<br>%{customdata:.3g}<extra></extra>"),
            colorbar={
                "thickness": 8, "outlinewidth": 0, "tickvals": [-_DECADES, -3, 0],
                "ticktext": ["10⁻⁶", "10⁻³", tr("most")],
            },
        )
    )  # fmt: skip
    figure.update_layout(
        template=look.template(theme), width=width, height=height, title={"text": title, "font": {"size": 14}},
        xaxis={"title": tr("input of step"), "showgrid": False},
        yaxis={"title": tr("output at step"), "showgrid": False, "autorange": "reversed"},
    )  # fmt: skip
    return figure
