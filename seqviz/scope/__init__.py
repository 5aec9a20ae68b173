"""The scope: a trace as bytes (``message``), the scripts that draw them (``web/``), and what holds them (``hosts/``).

What a person does with the picture comes back to its host as one event at a time.
"""

from seqviz.scope.message import pack, palettes, row
from seqviz.scope.runs import of_trace

__all__ = ["of_trace", "pack", "palettes", "row"]
