"""A cell's memory in one step as a filled bar: what is kept of it, what is poured in, what shows."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from seqviz.figures import theme as look
from seqviz.language import tr
from seqviz.trace import Trace

__all__ = ["tank"]


def tank(
    trace: Trace, step: int, unit: int = 0, *, layer: int = 0, batch: int = 0, theme: str = "light", width: int = 640,
    height: int = 380,
) -> go.Figure:  # fmt: skip
    """An LSTM's cell state in one step: as it was, what the forget gate leaves, what is poured in, and what shows.

    Args:
        trace: of an LSTM, which begins at a state of 0.
        step, unit, layer, batch: which.
        theme, width, height: as everywhere.

    Raises:
        ValueError: the trace holds no cell state of that layer.
        IndexError: no such step, unit or element of the batch.
    """
    if f"l{layer}.c" not in trace or f"l{layer}.f" not in trace:
        raise ValueError(tr("There is no cell state of layer {layer} in this trace.", layer=layer))
    f, i, g, o, c, h = (trace[f"l{layer}.{name}"][:, batch, unit].astype(np.float64) for name in "figoch")
    step = range(len(c))[step]
    before = c[step - 1] if step else 0.0
    kept, poured = f[step] * before, i[step] * g[step]
    names = ["c<sub>t−1</sub>", "f · c<sub>t−1</sub>", "c<sub>t</sub>", "h<sub>t</sub>"]
    surface = look.SURFACES[theme]
    soft, full, shown = (look.SIGNS[theme]["neg" if value < 0 else "pos"] for value in (before, poured, h[step]))
    figure = go.Figure()
    _bar(figure, names[:3], [before, kept, kept], tr("kept"), soft, 0.55)
    _bar(figure, names[2:3], [poured], tr("poured in"), full, 0.95)
    _bar(figure, names[3:], [h[step]], tr("shows"), shown, 0.95)
    covered = np.tanh(c[step]) - h[step]
    _bar(figure, names[3:], [covered], tr("covered by o"), surface["quiet"], 0.3)
    ends = [before, kept, c[step], h[step]]
    ways = [
        "",
        f"{f[step]:.2f} × {before:.3g}",
        f"{kept:.3g}<br>+ {i[step]:.2f} × {g[step]:.2f}",
        f"{o[step]:.2f} × tanh(c)",
    ]
    for name, top, end in zip(names, [before, kept, c[step], np.tanh(c[step])], ends, strict=True):
        text = f"<b>{end:.3g}</b>".replace("-", "−")
        figure.add_annotation(x=name, y=max(0.0, top), text=text, showarrow=False, yshift=12)
    said = [f"{name}<br>{way}".replace("-", "−") for name, way in zip(names, ways, strict=True)]
    figure.update_xaxes(tickvals=names, ticktext=said, tickangle=0, automargin=True)
    figure.update_layout(
        template=look.template(theme), width=width, height=height, barmode="relative",
        title={"text": tr("Step {step}, unit {unit}", step=step, unit=unit)}, showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        margin={"t": 84},
    )  # fmt: skip
    return figure


def _bar(figure: go.Figure, x: list[str], y: list[float], name: str, colour: str, opacity: float) -> None:
    figure.add_bar(x=x, y=y, name=name, marker={"color": colour}, opacity=opacity, hovertemplate="%{y:.4f}")
