"""The visual system, once: type, space, motion, one hue a gate, ink for values, ramps, and how networks are told apart.

Gates are colour, values are ink. A gate's ramp ends at the gate's own hue, so that full colour is an open gate. What
flows is ink; its sign is orange above 0 and graphite below. Networks differ by dash as well as by hue. The colours were
searched for the largest least distance (CIEDE2000) under three kinds of colour-blindness; ``tests/figures`` measures.
"""

from __future__ import annotations

from typing import Final

import plotly.graph_objects as go

from seqviz import cells
from seqviz import vocabulary as words

__all__ = [
    "DASHES",
    "DIVERGING",
    "FONT",
    "HUES",
    "LINES",
    "MAGNITUDE",
    "MONO",
    "MOTION",
    "NETWORK_LINES",
    "SEQUENTIAL",
    "SIGNS",
    "SPACE",
    "SURFACES",
    "TYPE",
    "css",
    "network_line",
    "scale_of",
    "template",
]

FONT: Final = '"Source Sans", "Source Sans Pro", system-ui, sans-serif'
MONO: Final = '"Source Code Pro", ui-monospace, monospace'

TYPE: Final = {"page": {"t1": 14, "t2": 17, "t3": 26}, "stage": {"t1": 18, "t2": 22, "t3": 32}}
"""Three sizes in px: notes and ticks; titles, values and text; the sentence on top. Only subscripts are smaller."""

SPACE: Final = (4, 8, 12, 16, 24, 40)

MOTION: Final = {
    "fast": (120, "ease-out"),
    "move": (320, "cubic-bezier(.2,.7,.2,1)"),
    "flow": (520, "cubic-bezier(.45,.05,.35,1)"),
    "swap": (700, "cubic-bezier(.45,.05,.35,1)"),
}
"""How long, in ms, and how: a press, a part that makes room, numbers that flow, columns that change places."""

SURFACES: Final = {
    "light": {
        "paper": "#ffffff",
        "well": "#f3f4f6",
        "panel": "#fafbfc",
        "ink": "#1b2029",
        "quiet": "#545c69",
        "rule": "#d5d9e0",
        "focus": "#246ed2",
        "changed": "#c2246c",
    },
    "dark": {
        "paper": "#0e1117",
        "well": "#181d26",
        "panel": "#131820",
        "ink": "#f2f4f8",
        "quiet": "#a8b0bd",
        "rule": "#333b48",
        "focus": "#6aa5e0",
        "changed": "#ff7ab6",
    },
}

SIGNS: Final = {"light": {"pos": "#ab5702", "neg": "#202429"}, "dark": {"pos": "#f8aa34", "neg": "#dfe7f0"}}
"""A sign as a letter; the ends of the diverging scale are a little softer."""

_GATES: Final = {
    "light": {"f": "#246ed2", "i": "#006d4d", "o": "#7a1c5a"},
    "dark": {"f": "#6aa5e0", "i": "#5fe0a8", "o": "#cf6396"},
}
_OTHERS: Final = {"light": {"g": "#5a501e", "h": "#655c89"}, "dark": {"g": "#a99f6a", "h": "#b4b4c8"}}


def _likened() -> dict[str, str]:
    """The LSTM's signal whose hue each signal has, of every cell.

    A GRU's reset gate reads like an input gate, its update gate decides what is shown. What has no letter of these is
    taken by what it does: a gate that keeps a state is a forget gate, one that lets in an input gate.
    """
    found = {"f": "f", "i": "i", "o": "o", "r": "i", "z": "o", "g": "g", "n": "g", "c": "c", "h": "h"}
    for cell in map(cells.get, cells.names(further=True)):
        keeps, writes = {gate for gate, _ in cell.keep_gates.values()}, set(cell.write_gates.values())
        for signal in cell.signals:
            gate = "f" if signal in keeps else "i" if signal in writes else "o"
            found.setdefault(signal, gate if signal in cell.gates else "c" if signal in cell.states else "g")
    return found


_LIKENED: Final = _likened()


def _hues(theme: str) -> dict[str, str]:
    """A theme's hue of every signal."""
    ink = SURFACES[theme]["ink"]
    own = {**_GATES[theme], **_OTHERS[theme], "c": ink}
    return {signal: own[like] for signal, like in _LIKENED.items()} | {"x": ink, "y": ink}


HUES: Final[dict[str, dict[str, str]]] = {theme: _hues(theme) for theme in SURFACES}
"""One hue a signal, on every page; legible as text (WCAG AA) on the theme's paper and well."""

Scale = list[list[float | str]]


def _scale(stops: str) -> Scale:
    colours = stops.split()
    return [[k / (len(colours) - 1), colour] for k, colour in enumerate(colours)]


_RAMPS: Final = {
    "light": {
        "f": "#f3f4f6 #d9e4f3 #c0d3f0 #a7c3ec #8eb2e8 #75a2e3 #5c91de #4280d8 #246ed2",
        "i": "#f3f4f6 #d8e3df #bdd1c9 #a2c0b3 #87af9e #6d9e89 #518e74 #337d60 #006d4d",
        "o": "#f3f4f6 #e6d8e1 #d8bdcd #c9a3b9 #ba88a5 #ab6e92 #9b557f #8b3a6c #7a1c5a",
        "sign": "#2a3038 #4f555e #767c86 #9fa4ad #c8cbd1 #f3f4f6 #efd4b9 #eab37b #d9924a #c0722b #a65200",
        "size": "#f3f4f6 #d4d6da #b7b9be #9a9da3 #7e8288 #63676f #4a4e56 #31363f #1b2029",
    },
    "dark": {
        "f": "#181d26 #222c3a #2b3b4f #354c65 #3f5d7c #4a6e94 #5480ad #5f92c6 #6aa5e0",
        "i": "#181d26 #223235 #2b4844 #345f54 #3d7764 #469074 #4eaa85 #57c597 #5fe0a8",
        "o": "#181d26 #2d2633 #422f40 #58384d #6f405b #864969 #9e5278 #b65a87 #cf6396",
        "sign": "#d3dae4 #b2bac5 #929aa7 #6b737f #3f4651 #181d26 #4d3b2c #865927 #b47525 #d39035 #f3ab45",
        "size": "#181d26 #2f343c #474c54 #61656d #7c8087 #989ca2 #b5b8be #d3d6db #f2f4f8",
    },
}

SEQUENTIAL: Final[dict[str, dict[str, Scale]]] = {
    theme: {signal: _scale(ramps[like]) for signal, like in _LIKENED.items() if like in _GATES[theme]}
    for theme, ramps in _RAMPS.items()
}
"""A scale a gate: 0 is the surface, 1 the gate's own hue."""

DIVERGING: Final[dict[str, Scale]] = {theme: _scale(ramps["sign"]) for theme, ramps in _RAMPS.items()}
"""For candidates, states and weights: 0 is the surface, graphite below, orange above."""

MAGNITUDE: Final[dict[str, Scale]] = {theme: _scale(ramps["size"]) for theme, ramps in _RAMPS.items()}
"""For the size of a gradient, on a logarithmic scale."""

LINES: Final = {
    "light": ["#1b2029", "#35149c", "#8a3a1c", "#0e6478", "#6f6f6f", "#ab5702"],
    "dark": ["#f2f4f8", "#8474fd", "#e0693f", "#8ae0fb", "#9a9b9d", "#f8aa34"],
}
"""For the features of a sequence and for the outputs, in order; the networks have the second to the fifth."""

DASHES: Final = ["solid", "solid", "2px,5px", "14px,5px,3px,5px", "1px,4px", "8px,3px"]
"""A line's dash, as Plotly takes it, by its place in :data:`LINES`."""

NETWORK_LINES: Final = {"LSTM": 1, "RNN": 2, "GRU": 3, "Feed-forward": 4}
"""Each network's place in :data:`LINES` and :data:`DASHES`."""


def network_line(name: str) -> int:
    """A network's place; one without a place of its own has the last."""
    return NETWORK_LINES.get(name, len(LINES["light"]) - 1)


def scale_of(signal: str, theme: str = "light", cell: str = "") -> Scale:
    """The colour scale of a cell's signal (``f`` or ``l0.f``): sequential for gates, diverging for the rest.

    A gate whose letter is another cell's state has the scale of a size. Without a cell, the first that has such a
    signal.
    """
    if not words.is_gate(signal, cell):
        return DIVERGING[theme]
    return SEQUENTIAL[theme].get(signal.rsplit(".", 1)[-1], MAGNITUDE[theme])


def css(stage: bool = False) -> str:
    """Every token as a variable ``--sv-…`` of a page; a colour follows the page's own ``color-scheme``.

    `stage` is the lecture's larger type.
    """
    both = {
        **{name: (SURFACES["light"][name], SURFACES["dark"][name]) for name in SURFACES["light"]},
        **{f"hue-{name}": (HUES["light"][name], HUES["dark"][name]) for name in HUES["light"]},
        **{name: (SIGNS["light"][name], SIGNS["dark"][name]) for name in SIGNS["light"]},
    }
    colours = [f"--sv-{name}: light-dark({light}, {dark});" for name, (light, dark) in both.items()]
    space = [f"--sv-s{k}: {px}px;" for k, px in enumerate(SPACE, 1)]
    motion = [f"--sv-{name}: {ms}ms {how};" for name, (ms, how) in MOTION.items()]
    sizes = [f"--sv-{name}: {px}px;" for name, px in TYPE["stage" if stage else "page"].items()]
    return f":root {{ {' '.join([*colours, *space, *motion, *sizes])} }}"


def template(theme: str = "light") -> go.layout.Template:
    """The project's Plotly template, ``light`` or ``dark``."""
    surface = SURFACES[theme]
    small = TYPE["page"]["t1"]
    axis = {
        "gridcolor": surface["rule"],
        "linecolor": surface["rule"],
        "zerolinecolor": surface["rule"],
        "tickfont": {"color": surface["quiet"], "size": small},
        "title": {"font": {"color": surface["quiet"], "size": small}},
    }
    return go.layout.Template(
        layout={
            "paper_bgcolor": surface["paper"],
            "plot_bgcolor": surface["well"],
            "font": {"family": FONT, "color": surface["ink"], "size": small},
            "colorway": LINES[theme],
            "xaxis": axis,
            "yaxis": axis,
            "margin": {"l": 56, "r": 16, "t": 40, "b": 40},
            "hoverlabel": {"font": {"family": FONT}},
        }
    )
