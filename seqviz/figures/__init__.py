"""Arrays in, :class:`plotly.graph_objects.Figure` out. Nothing here shows or saves a figure."""

from seqviz.figures.heatmaps import scope, weight_matrix
from seqviz.figures.lines import curves
from seqviz.figures.maps import vanishing
from seqviz.figures.memory import memory_use
from seqviz.figures.saturation import saturation
from seqviz.figures.theme import template

__all__ = ["curves", "memory_use", "saturation", "scope", "template", "vanishing", "weight_matrix"]
