"""One home for every colour: the Plotly templates, one hue a gate, one diverging scale for states.

Hues are from the colour-blind-safe palette of Okabe and Ito (https://jfly.uni-koeln.de/color/); every
sequential scale changes lightness in one direction only, so that it can be read in grey.
"""

from __future__ import annotations

from typing import Final

import plotly.graph_objects as go

from seqviz import vocabulary as words

__all__ = ["DIVERGING", "FONT", "HUES", "LINES", "MAGNITUDE", "MONO", "SEQUENTIAL", "SURFACES", "scale_of", "template"]

FONT: Final = '"Source Sans", "Source Sans Pro", system-ui, sans-serif'
MONO: Final = '"Source Code Pro", ui-monospace, monospace'

SURFACES: Final = {
    "light": {"paper": "#ffffff", "well": "#f5f4f0", "ink": "#1f2430", "quiet": "#5c6370", "rule": "#dcdad3"},
    "dark": {"paper": "#0e1117", "well": "#1a1f29", "ink": "#eceef2", "quiet": "#a3abb8", "rule": "#343b48"},
}

HUES: Final[dict[str, dict[str, str]]] = {
    "light": {
        "f": "#0072b2",
        "i": "#00785a",
        "o": "#9c3f77",
        "r": "#9a6500",
        "z": "#1c6f8c",
        "g": "#6b5b00",
        "n": "#6b5b00",
        "c": "#b84a00",
        "h": "#4a3fa0",
        "x": "#3d4450",
        "y": "#3d4450",
    },
    "dark": {
        "f": "#56b4e9",
        "i": "#2cc29a",
        "o": "#e39cc6",
        "r": "#f0b43c",
        "z": "#6fd0e8",
        "g": "#e0d060",
        "n": "#e0d060",
        "c": "#ff9a5c",
        "h": "#a99ff5",
        "x": "#c5cbd6",
        "y": "#c5cbd6",
    },
}
"""One hue a signal, on every page; legible as text (WCAG AA) on the theme's paper."""

_MIDDLES: Final = {"f": "#6aaed6", "i": "#5fbf9f", "o": "#d08bb4", "r": "#dfa83f", "z": "#74b9cf"}
_DEEP: Final = {"f": "#08306b", "i": "#00402f", "o": "#5a1942", "r": "#5e3c00", "z": "#083d50"}
_BRIGHT: Final = {"f": "#bfe3ff", "i": "#b4f5df", "o": "#ffd3ea", "r": "#ffe2a6", "z": "#c9f3ff"}

Scale = list[list[float | str]]

SEQUENTIAL: Final[dict[str, dict[str, Scale]]] = {
    "light": {gate: [[0.0, "#f5f4f0"], [0.5, _MIDDLES[gate]], [1.0, _DEEP[gate]]] for gate in _MIDDLES},
    "dark": {gate: [[0.0, "#1a1f29"], [0.5, HUES["light"][gate]], [1.0, _BRIGHT[gate]]] for gate in _MIDDLES},
}
"""A scale a gate: 0 is the surface, 1 stands out from it."""

DIVERGING: Final[dict[str, Scale]] = {
    "light": [
        [0.0, "#0b3c6f"],
        [0.25, "#5b9bd5"],
        [0.5, "#f5f4f0"],
        [0.75, "#ee8a4a"],
        [1.0, "#8a2f00"],
    ],
    "dark": [
        [0.0, "#a8d4ff"],
        [0.25, "#3d7fbf"],
        [0.5, "#1a1f29"],
        [0.75, "#cf6a2a"],
        [1.0, "#ffd0ae"],
    ],
}
"""For candidates, states and weights: 0 is the surface, blue below, orange above."""

MAGNITUDE: Final[dict[str, Scale]] = {
    "light": [[0.0, "#f5f4f0"], [0.35, "#c9b3dd"], [0.7, "#7a4aa8"], [1.0, "#2b0a4d"]],
    "dark": [[0.0, "#1a1f29"], [0.35, "#5b3a86"], [0.7, "#b07fe0"], [1.0, "#f4e6ff"]],
}
"""For the size of a gradient, on a logarithmic scale."""

LINES: Final = {
    "light": ["#1f2430", "#0072b2", "#b84a00", "#00785a", "#9c3f77", "#9a6500"],
    "dark": ["#eceef2", "#56b4e9", "#ff9a5c", "#2cc29a", "#e39cc6", "#f0b43c"],
}
"""For the features of a sequence and for the outputs, in order."""


def scale_of(signal: str, theme: str = "light") -> Scale:
    """The colour scale of a signal (``f`` or ``l0.f``): sequential for gates, diverging for the rest."""
    name = signal.rsplit(".", 1)[-1]
    return SEQUENTIAL[theme][name] if words.is_gate(name) else DIVERGING[theme]


def template(theme: str = "light") -> go.layout.Template:
    """The project's Plotly template, ``light`` or ``dark``."""
    surface = SURFACES[theme]
    axis = {
        "gridcolor": surface["rule"],
        "linecolor": surface["rule"],
        "zerolinecolor": surface["rule"],
        "tickfont": {"color": surface["quiet"], "size": 11, "family": MONO},
        "title": {"font": {"color": surface["quiet"], "size": 12}},
    }
    return go.layout.Template(
        layout={
            "paper_bgcolor": surface["paper"],
            "plot_bgcolor": surface["well"],
            "font": {"family": FONT, "color": surface["ink"], "size": 13},
            "colorway": LINES[theme],
            "xaxis": axis,
            "yaxis": axis,
            "margin": {"l": 56, "r": 16, "t": 40, "b": 40},
            "hoverlabel": {"font": {"family": MONO}},
        }
    )
