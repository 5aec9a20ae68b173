"""Does a network use its memory? How long a nudge lasts, what a reset costs, and whether guessing does as well."""

from seqviz.memory.found import Guesses, Lasting, MemoryUse, Ratio, ResetCurve
from seqviz.memory.guesses import against_guesses
from seqviz.memory.nudges import nudge_lasts
from seqviz.memory.resets import reset_every
from seqviz.memory.together import uses_memory

__all__ = [
    "Guesses",
    "Lasting",
    "MemoryUse",
    "Ratio",
    "ResetCurve",
    "against_guesses",
    "nudge_lasts",
    "reset_every",
    "uses_memory",
]
