"""Fixed points and a run's path over the two directions in which the run's states differ most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from seqviz.figures import theme as look
from seqviz.gradients.rests import FixedPoints, principal
from seqviz.language import tr, trn
from seqviz.telling.numbers import Share, short

__all__ = ["fixed_points", "lyapunov"]


_Kind = tuple[np.ndarray, str, dict[str, Any], Sequence[str]]


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

    Stable points are filled, those that it leaves are rings whose text says how many directions lead away, and those
    where everything stays, or all but stays, are diamonds.

    Args:
        found: of :func:`seqviz.fixed_points`.
        path: the run's states ``(L, S)``, as :attr:`FixedPoints.states` has them: h, and then c of an LSTM.
        exponents: Lyapunov exponents of a long run, drawn beside it as bars.
        theme, width, height: as everywhere.
    """
    path = np.asarray(path, dtype=np.float64)
    plane = principal(path, np.concatenate([found.states, found.slow.reshape(-1, path.shape[1])]))
    surface = look.SURFACES[theme]
    beside = exponents is not None
    figure = make_subplots(1, 2, column_widths=[0.7, 0.3]) if beside else go.Figure()
    way = plane.place(path)
    figure.add_scatter(
        x=way[:, 0], y=way[:, 1], mode="lines+markers", name=tr("the run"), text=[str(t) for t in range(len(way))],
        line={"color": surface["quiet"], "width": 1}, marker={"size": 3, "color": surface["quiet"]},
        hovertemplate=tr("step %{text}<extra></extra>"),
    )  # fmt: skip
    for places, name, marker, text in _kinds(found):
        at = plane.place(places) if len(places) else np.empty((0, 2))
        figure.add_scatter(
            x=at[:, 0], y=at[:, 1], mode="markers", name=name, text=text, hovertemplate="%{text}<extra></extra>",
            marker={"size": 12, "color": surface["ink"], "line": {"width": 2}, **marker},
        )  # fmt: skip
    axes = [_axis(k + 1, float(plane.share[k])) for k in range(2)]
    figure.update_layout(
        template=look.template(theme), width=width, height=height, xaxis_title=axes[0], yaxis_title=axes[1],
        legend={"orientation": "h", "y": 1.1},
    )  # fmt: skip
    if beside:
        _bars(figure, np.asarray(exponents, dtype=np.float64), surface["ink"], row=1, col=2)
    return figure


def _kinds(found: FixedPoints) -> list[_Kind]:
    """The places of each kind, what it is called, how it is marked, and what is said of each place."""
    stable, stays = found.stable, found.neutral[~found.stable]
    rings: dict[str, Any] = {
        "symbol": np.where(stays, "diamond-open", "circle-open"),
        "size": np.where(stays, 7, 12),
        "line": {"width": 1 if stays.all() else 2},
    }
    others = tr("everything stays") if len(stays) and stays.all() else tr("not stable")
    kinds: list[_Kind] = [
        (found.states[stable], tr("stable"), {"symbol": "circle"}, _texts(found, stable)),
        (found.states[~stable], others, rings, _texts(found, ~stable)),
    ]
    if found.lingers:
        says = [tr("a step moves it by {drift}", drift=short(float(d))) for d in found.drift]
        small = {"symbol": "diamond-open", "size": 5, "line": {"width": 1}}
        kinds.append((found.slow, tr("all but rests"), small, says))
    return kinds


def _axis(k: int, share: float) -> str:
    if not share:
        return tr("component {k}: the run does not move in it", k=k)
    return tr("component {k}, {share} of the run's variance", k=k, share=Share(share))


def _texts(found: FixedPoints, chosen: np.ndarray) -> list[str]:
    return [
        tr("largest |eigenvalue| {radius:.3f}", radius=found.radius[k])
        + "<br>"
        + (
            tr("neither returns nor leaves")
            if found.neutral[k]
            else trn("{count} direction leads away", "{count} directions lead away", int(found.unstable_directions[k]))
        )
        for k in np.flatnonzero(chosen)
    ]


def lyapunov(exponents: Any, *, theme: str = "light", width: int = 320, height: int = 460) -> go.Figure:
    """Lyapunov exponents as bars: above 0 two runs that begin side by side part, below they meet.

    Args:
        exponents: of :func:`seqviz.lyapunov_exponents`, largest first; one of -inf, a lost direction, has no bar.
        theme, width, height: as everywhere.
    """
    figure = go.Figure()
    _bars(figure, np.asarray(exponents, dtype=np.float64), look.SURFACES[theme]["ink"])
    return figure.update_layout(template=look.template(theme), width=width, height=height)


def _bars(figure: go.Figure, exponents: np.ndarray, colour: str, **where: int) -> None:
    figure.add_bar(
        x=np.arange(1, len(exponents) + 1), y=exponents, marker={"color": colour}, showlegend=False, **where,
        hovertemplate=tr("exponent %{x}: %{y:.4f} per step<extra></extra>"),
    )  # fmt: skip
    whole = {"tickmode": "linear", "dtick": max(1, -(-len(exponents) // 8)), "tick0": 1}
    figure.update_xaxes(title=tr("Lyapunov exponents"), **whole, **where)
    title = {"text": tr("growth per step, natural logarithm"), "standoff": 8}
    figure.update_yaxes(title=title, automargin=True, **where)
