"""The scope as a static figure, and one weight matrix."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from seqviz import cells
from seqviz import vocabulary as words
from seqviz.figures import theme as look
from seqviz.language import again, tr
from seqviz.trace import Trace, no_layer

__all__ = ["scope", "weight_matrix"]

_LINE, _HEAT_UNIT, _HEADING, _FOOT, _TOP = 84, 5, 24, 44, 48
_PROBLEM = 16
"""Pixels of a line under the title."""


class _Row(NamedTuple):
    """A row of the figure: its signal, of which cell, what it is called, and its values ``(L, width)``."""

    signal: str
    cell: str
    heading: str
    values: np.ndarray

    @property
    def lines(self) -> bool:
        """Whether it is drawn as lines: few inputs or outputs."""
        return self.signal in ("x", "y") and self.values.shape[1] <= 6

    @property
    def height(self) -> int:
        """In pixels."""
        return _LINE if self.lines else int(np.clip(self.values.shape[1] * _HEAT_UNIT, 64, 240))


def scope(
    trace: Trace,
    *,
    layer: int = 0,
    batch: int = 0,
    reverse: bool = False,
    prefix: str = "",
    baseline: Trace | None = None,
    difference: bool = False,
    labels: Sequence[str] | None = None,
    theme: str = "light",
    title: str = "",
    width: int = 960,
) -> go.Figure:
    """Every signal of one layer as heatmaps on one time axis, with the input above and the output below.

    Args:
        trace: what :func:`seqviz.capture` or :func:`seqviz.run` gave.
        layer: which layer.
        batch: which element of the batch.
        reverse: the backward direction of a bidirectional layer.
        prefix: the path of the recurrent module, where the trace holds several.
        baseline: another trace of the same shapes, for `difference`.
        difference: draw `trace` minus `baseline`.
        labels: one text a step (characters).
        theme: ``light`` or ``dark``.
        title: above the picture.
        width: pixels.

    What is wrong with a run, its ``problem``, stands under the title.

    Raises:
        ValueError: the layer, batch element or prefix does not exist, or a difference has no baseline of
            the same shape.
    """
    rows = _rows(trace, layer, batch, reverse, prefix)
    if difference:
        if baseline is None:
            raise ValueError(tr("A difference needs a baseline: scope(trace, baseline=other, difference=True)."))
        rows = _minus(rows, _rows(baseline, layer, batch, reverse, prefix))
    figure = _figure(rows, difference, labels, theme, title, width)
    problems = dict.fromkeys(again(run.problem) for run in (trace, baseline) if run is not None and run.problem)
    if problems:
        lines = [part for says in problems for part in textwrap.wrap(html.escape(says), width // 7)]
        figure.layout.title.subtitle = {"text": "<br>".join(lines), "font": {"size": 12}}
        figure.layout.margin.t += _PROBLEM * len(lines)
        figure.layout.height += _PROBLEM * len(lines)
    return figure


def _rows(trace: Trace, layer: int, batch: int, reverse: bool, prefix: str) -> list[_Row]:
    """The rows, top to bottom."""
    if prefix not in trace.modes:
        known = ", ".join(repr(name) for name in trace.modes)
        raise ValueError(
            tr("There is no recurrent module {prefix!r} in this trace; it has {known}.", prefix=prefix, known=known)
        )
    mode = trace.modes[prefix]
    names = [(s, words.signal_name(layer, s, reverse=reverse, prefix=prefix)) for s in cells.get(mode).told]
    if names[-1][1] not in trace:
        raise ValueError(no_layer(layer, reverse))
    found = []
    for signal in ("x", *names, "y"):
        short, name = (signal, signal) if isinstance(signal, str) else signal
        if name not in trace:
            continue
        array = trace[name]
        if not 0 <= batch < array.shape[1]:
            last = array.shape[1] - 1
            raise ValueError(tr("The batch has elements 0 to {last}; {batch} does not exist.", last=last, batch=batch))
        heading = words.ENDS.get(short) or cells.get(mode).labels[short].name
        found.append(_Row(short, mode, heading, array[:, batch]))
    return found


def _minus(rows: list[_Row], old: list[_Row]) -> list[_Row]:
    if [(row.signal, row.values.shape) for row in rows] != [(row.signal, row.values.shape) for row in old]:
        raise ValueError(tr("The baseline has other signals or shapes than the trace, so nothing can be subtracted."))
    return [row._replace(values=row.values - before.values) for row, before in zip(rows, old, strict=True)]


def _figure(
    rows: list[_Row], difference: bool, labels: Sequence[str] | None, theme: str, title: str, width: int
) -> go.Figure:
    inner = sum(row.height for row in rows) + _HEADING * len(rows)
    layout: dict[str, Any] = {
        "template": look.template(theme),
        "width": width,
        "height": inner + _TOP + _FOOT,
        "margin": {"l": 56, "r": 96, "t": _TOP, "b": _FOOT},
        "title": {"text": title, "font": {"size": 16}},
        "showlegend": False,
        "annotations": [],
        "hovermode": "closest",
    }
    traces: list[Any] = []
    top = 0
    steps = len(rows[0].values)
    for k, row in enumerate(rows):
        top += _HEADING
        domain = [1 - (top + row.height) / inner, 1 - top / inner]
        axis = f"y{k + 1 if k else ''}"
        traces += _lines(row, axis, theme) if row.lines else [_heatmap(row, axis, difference, theme, domain)]
        layout[f"yaxis{k + 1 if k else ''}"] = _axis(row, domain)
        layout["annotations"].append(_heading(row, domain[1], theme))
        top += row.height
    layout["xaxis"] = {"anchor": axis, "title": {"text": tr("step t")}, "range": [-0.5, steps - 0.5], "showgrid": False}
    if labels is not None:
        layout["xaxis"] |= {"tickmode": "array", "tickvals": list(range(steps)), "ticktext": list(labels)}
    return go.Figure(data=traces, layout=layout)


def _lines(row: _Row, axis: str, theme: str) -> list[go.Scatter]:
    lines = look.LINES[theme]
    return [
        go.Scatter(
            x=np.arange(len(row.values)),
            y=column,
            yaxis=axis,
            mode="lines+markers",
            name=f"{row.signal}[{k}]",
            marker={"size": 4},
            line={"color": lines[k % len(lines)], "width": 2, "dash": look.DASHES[k % len(look.DASHES)]},
            hovertemplate=tr("step %{{x}}<br>{signal}[{k}] %{{y:.4f}}<extra></extra>", signal=row.signal, k=k),
        )
        for k, column in enumerate(row.values.T)
    ]


def _heatmap(row: _Row, axis: str, difference: bool, theme: str, domain: list[float]) -> go.Heatmap:
    low, high = _range(row, difference)
    return go.Heatmap(
        z=row.values.T,
        yaxis=axis,
        zmin=low,
        zmax=high,
        colorscale=look.DIVERGING[theme] if difference else look.scale_of(row.signal, theme, row.cell),
        name=row.signal,
        colorbar={
            "len": domain[1] - domain[0],
            "y": (domain[0] + domain[1]) / 2,
            "yanchor": "middle",
            "thickness": 8,
            "outlinewidth": 0,
            "tickvals": [low, high],
            "tickfont": {"size": 14},
            "tickformat": ".2~g",
        },
        hovertemplate=tr("{heading}<br>step %{{x}}, unit %{{y}}<br>%{{z:.4f}}<extra></extra>", heading=row.heading),
    )


def _range(row: _Row, difference: bool) -> tuple[float, float]:
    if words.is_gate(row.signal, row.cell) and not difference:
        return 0.0, 1.0
    finite = row.values[np.isfinite(row.values)]
    most = float(np.abs(finite).max()) if finite.size else 1.0
    if difference:
        return -(most or 1.0), most or 1.0
    # A state far inside ±1 would be all background; then its own largest value sets the scale.
    reach = most if most > 1.0 or 0.0 < most < 0.25 else 1.0
    return -reach, reach


def _axis(row: _Row, domain: list[float]) -> dict[str, Any]:
    if row.lines:
        return {"domain": domain, "nticks": 4}
    return {
        "domain": domain,
        "autorange": "reversed",
        "showgrid": False,
        "zeroline": False,
        "nticks": 4,
        "tickformat": "d",
    }


def _heading(row: _Row, y: float, theme: str) -> dict[str, Any]:
    return {
        "text": f"<b>{row.signal}</b>  {row.heading}",
        "x": 0,
        "xref": "paper",
        "xanchor": "left",
        "y": y,
        "yref": "paper",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"color": look.HUES[theme].get(row.signal, look.SURFACES[theme]["ink"]), "size": 14},
    }


def weight_matrix(
    matrix: np.ndarray,
    *,
    title: str = "",
    rows: str | None = None,
    columns: str | None = None,
    theme: str = "light",
    width: int = 420,
) -> go.Figure:
    """One weight matrix ``(H, columns)`` (or a bias ``(H,)``) on a scale symmetric about 0.

    `rows` and `columns` say what they are; by default the unit, and what it reads from.
    """
    rows = tr("unit") if rows is None else rows
    columns = tr("reads from") if columns is None else columns
    values = np.atleast_2d(np.asarray(matrix, dtype=float).T).T
    most = float(np.abs(values).max()) or 1.0
    figure = go.Figure(
        go.Heatmap(
            z=values,
            zmin=-most,
            zmax=most,
            colorscale=look.DIVERGING[theme],
            xgap=1,
            ygap=1,
            colorbar={"thickness": 8, "outlinewidth": 0},
            hovertemplate=f"{rows} %{{y}}, {columns} %{{x}}<br>%{{z:.4f}}<extra></extra>",
        )
    )
    figure.update_layout(
        template=look.template(theme),
        title=title,
        width=width,
        height=max(200, min(640, 90 + 18 * len(values))),
        xaxis={"title": columns, "tickformat": "d"},
        yaxis={"title": rows, "autorange": "reversed", "tickformat": "d"},
    )
    return figure
