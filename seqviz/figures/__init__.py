"""Arrays in, :class:`plotly.graph_objects.Figure` out. Nothing here shows or saves a figure."""

from seqviz.figures.arriving import arriving, nudge
from seqviz.figures.connected import connectivity
from seqviz.figures.fixed import fixed_points, lyapunov
from seqviz.figures.heatmaps import scope, weight_matrix
from seqviz.figures.lines import curves
from seqviz.figures.lit import lit
from seqviz.figures.maps import vanishing
from seqviz.figures.memory import memory_use
from seqviz.figures.race import race
from seqviz.figures.saturation import saturation
from seqviz.figures.tank import tank
from seqviz.figures.theme import template

__all__ = [
    "arriving",
    "connectivity",
    "curves",
    "fixed_points",
    "lit",
    "lyapunov",
    "memory_use",
    "nudge",
    "race",
    "saturation",
    "scope",
    "tank",
    "template",
    "vanishing",
    "weight_matrix",
]
