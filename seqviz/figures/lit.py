"""A run with some of its rows lit: what a finding is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from seqviz import vocabulary as words
from seqviz.figures import theme as look
from seqviz.language import tr
from seqviz.trace import Trace

__all__ = ["lit"]

Row = tuple[str, Sequence[int], str]
"""A signal, its units (none are all of them), and the label of their finding."""


def lit(trace: Trace, rows: Sequence[Row], *, batch: int = 0, theme: str = "light", row_height: int = 110) -> go.Figure:
    """The signals that are named, one above the other as units by steps, with frames around the units meant.

    Raises:
        ValueError: a signal that the trace does not have.
    """
    names = list(dict.fromkeys(signal for signal, _, _ in rows))
    for name in names:
        if name not in trace:
            raise ValueError(tr("There is no signal {name}. There are {known}.", name=name, known=", ".join(trace)))
    mode = next(iter(trace.modes.values()), "")
    figure = make_subplots(
        rows=max(1, len(names)), cols=1, shared_xaxes=True, vertical_spacing=min(0.08, 0.3 / max(1, len(names))),
        subplot_titles=[_title(name, mode) for name in names],
    )  # fmt: skip
    surface = look.SURFACES[theme]
    for place, name in enumerate(names, 1):
        values = trace[name][:, batch].T
        figure.add_trace(_heat(name, values, theme, mode), row=place, col=1)
        for signal, units, label in rows:
            if signal == name:
                _frame(figure, place, list(units), values.shape, label, surface)
        figure.update_yaxes(autorange="reversed", title_text=tr("unit"), row=place, col=1)
    figure.update_xaxes(title_text=tr("step"), row=max(1, len(names)), col=1)
    figure.update_layout(
        template=look.template(theme),
        height=60 + row_height * max(1, len(names)),
        margin={"t": 36, "l": 56, "r": 48, "b": 44},
    )
    figure.update_annotations(selector={"xanchor": "center"}, font={"size": 14, "color": surface["ink"]})
    return figure


def _title(name: str, mode: str) -> str:
    label = words.LABELS.get((mode, name.rsplit(".", 1)[-1]))
    return tr("{name} ({signal})", name=label.name, signal=name) if label else name


def _heat(name: str, values: np.ndarray, theme: str, mode: str) -> go.Heatmap:
    ends: dict[str, Any] = {"zmin": 0.0, "zmax": 1.0}
    if not words.is_gate(name, mode):
        finite = values[np.isfinite(values)]
        most = float(np.abs(finite).max(initial=0.0)) or 1.0
        ends = {"zmin": -most, "zmax": most}
    hover = tr("unit %{y}, step %{x}: %{z:.4g}<extra></extra>")
    return go.Heatmap(
        z=values, colorscale=look.scale_of(name, theme, mode), showscale=False, hovertemplate=hover, **ends
    )


def _frame(figure: go.Figure, place: int, units: list[int], shape: tuple[int, ...], label: str, surface: Any) -> None:
    """A frame around single rows, or around all of them."""
    spans = [(u - 0.5, u + 0.5) for u in units if u < shape[0]] or [(-0.5, shape[0] - 0.5)]
    for low, high in spans:
        figure.add_shape(
            type="rect", x0=-0.5, x1=shape[1] - 0.5, y0=low, y1=high, line={"color": surface["ink"], "width": 2},
            row=place, col=1,
        )  # fmt: skip
        figure.add_annotation(
            x=shape[1] - 0.5, y=(low + high) / 2, text=label, showarrow=False, xanchor="left", xshift=6,
            font={"size": 14, "color": surface["ink"]}, row=place, col=1,
        )  # fmt: skip
