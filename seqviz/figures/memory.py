"""Does it use its memory? How long a nudge lasts, what resets cost, and two guesses, in one picture."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from seqviz.figures import theme as look
from seqviz.language import tr, trn
from seqviz.memory.found import MemoryUse

__all__ = ["memory_use"]

FAINT = 40
"""Units at the most whose own curves are drawn."""


def memory_use(found: MemoryUse, *, theme: str = "light", height: int = 380, stacked: bool = False) -> go.Figure:
    """Three panels under a verdict.

    Left, what is left of a nudge at each lag, as a share of its largest: bold all units of a layer together, faint
    the single units of the first layer. Middle, the loss when the states are reset every k steps, in units of the
    loss without, with 95 % intervals. Right, the loss in units of two guesses' that need no network. With ``stacked``
    they stand one above the other, without the verdict, for a narrow place.
    """
    titles = [tr("What is left of a nudge"), tr("Loss with resets"), tr("Beside guesses")]
    if stacked:
        figure = make_subplots(rows=3, vertical_spacing=0.13, row_heights=[0.38, 0.38, 0.24], subplot_titles=titles)
    else:
        figure = make_subplots(
            cols=3, column_widths=[0.38, 0.38, 0.24], horizontal_spacing=0.09, subplot_titles=titles
        )  # fmt: skip
    places = [{"row": k if stacked else 1, "col": 1 if stacked else k} for k in (1, 2, 3)]
    _nudge(figure, found, theme, places[0])
    _resets(figure, found, theme, places[1])
    _guesses(figure, found, theme, places[2])
    surface = look.SURFACES[theme]
    figure.update_layout(
        template=look.template(theme),
        height=2 * height if stacked else height,
        margin={"t": 30, "l": 56, "r": 16, "b": 48},
        showlegend=False,
    )
    if not stacked:
        title = {"text": "<br>".join(found.verdicts), "x": 0.0, "xref": "container", "font": {"size": 17}}
        figure.update_layout(title=title, margin={"t": 104})
    figure.update_xaxes(tickangle=0, row=places[2]["row"], col=places[2]["col"])
    figure.update_annotations(font={"size": 14, "color": surface["ink"]})
    return figure


def _nudge(figure: go.Figure, found: MemoryUse, theme: str, at: dict[str, int]) -> None:
    lasting, surface = found.lasting, look.SURFACES[theme]
    lags = np.arange(lasting.lags)
    first = next(iter(lasting.units))
    for k, unit in enumerate(lasting.units[first].T[:FAINT]):
        figure.add_scatter(
            x=lags, y=_share(unit), mode="lines", line={"color": surface["quiet"], "width": 1}, opacity=0.35,
            name=tr("unit {unit}", unit=k), **at,
        )  # fmt: skip
    palette = look.LINES[theme]
    for k, (end, curve) in enumerate(lasting.together.items()):
        figure.add_scatter(
            x=lags, y=_share(curve), mode="lines", line={"color": palette[(k + 1) % len(palette)], "width": 3},
            name=end, **at,
        )  # fmt: skip
        half = lasting.half_life[end]
        if math.isfinite(half) and half > 0:
            peak = int(np.argmax(curve))
            figure.add_scatter(
                x=[peak + half], y=[_share(curve)[peak + int(half)]], mode="markers",
                marker={"size": 10, "color": palette[(k + 1) % len(palette)]},
                name=trn("half gone after {count} step", "half gone after {count} steps", int(half)), **at,
            )  # fmt: skip
    figure.add_hline(y=0.5, line={"color": surface["quiet"], "dash": "dot", "width": 1}, **at)
    figure.update_xaxes(title_text=tr("steps after the nudge"), **at)
    figure.update_yaxes(range=[0, 1.05], tickformat=".0%", **at)


def _share(curve: np.ndarray) -> np.ndarray:
    """A response as a share of its largest value."""
    top = float(curve.max(initial=0.0))
    return curve / top if top > 0 else curve


def _resets(figure: go.Figure, found: MemoryUse, theme: str, at: dict[str, int]) -> None:
    curve, colour = found.resets, look.LINES[theme][1]
    values = [r.value if math.isfinite(r.value) else None for r in curve.ratios]
    bars = {
        "type": "data",
        "symmetric": False,
        "array": [max(0.0, r.high - r.value) if r.known else None for r in curve.ratios],
        "arrayminus": [max(0.0, r.value - r.low) if r.known else None for r in curve.ratios],
        "color": colour,
    }
    figure.add_scatter(
        x=list(curve.ks), y=values, mode="lines+markers", line={"color": colour, "width": 3}, error_y=bars,
        name=tr("loss with resets"), **at,
    )  # fmt: skip
    _one(figure, theme, at)
    named = [tr("never") if k >= curve.steps else f"{k}" for k in curve.ks]
    ticks = {"tickvals": list(curve.ks), "ticktext": named}
    figure.update_xaxes(title_text=tr("steps between resets"), type="log", **ticks, **at)
    above = [value for value in values if value]
    wide = bool(above) and max(above) > 20 * min(above)
    figure.update_yaxes(ticksuffix="×", **at, **({"type": "log"} if wide else {"rangemode": "tozero"}))


def _guesses(figure: go.Figure, found: MemoryUse, theme: str, at: dict[str, int]) -> None:
    named = [
        (tr("repeating the last value"), found.guesses.last),
        (tr("one value for all steps"), found.guesses.constant),
    ]
    known = [(name, ratio) for name, ratio in named if ratio is not None and math.isfinite(ratio.value)]
    for place, (name, ratio) in enumerate(known):
        colour = look.LINES[theme][2 + place]
        figure.add_scatter(
            x=[name], y=[ratio.value], mode="markers+text", marker={"size": 12, "color": colour}, name=name,
            text=[f"{ratio.value:.3g}×"], textposition="middle right",
            error_y={
                "type": "data", "symmetric": False, "color": colour,
                "array": [max(0.0, ratio.high - ratio.value) if ratio.known else None],
                "arrayminus": [max(0.0, ratio.value - ratio.low) if ratio.known else None],
            },
            **at,
        )  # fmt: skip
    if not known:
        figure.add_annotation(
            text=tr("no guess fits this loss"), showarrow=False, xref="x3 domain", yref="y3 domain", x=0.5, y=0.5
        )
    _one(figure, theme, at)
    figure.update_xaxes(range=[-0.5, max(1, len(known)) - 0.3], **at)
    figure.update_yaxes(ticksuffix="×", rangemode="tozero", **at)


def _one(figure: go.Figure, theme: str, at: dict[str, int]) -> None:
    """The line at which two losses are equal."""
    figure.add_hline(y=1.0, line={"color": look.SURFACES[theme]["quiet"], "dash": "dot", "width": 1}, **at)
