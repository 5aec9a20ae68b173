"""How much an Experiment may hold."""

from __future__ import annotations

from typing import Final

__all__ = ["MAX_EDITS", "MAX_HIDDEN", "MAX_INPUT", "MAX_LAYERS", "MAX_NAME", "MAX_OUTPUT", "MAX_STEPS"]

MAX_STEPS: Final = 2000
MAX_HIDDEN: Final = 256
MAX_LAYERS: Final = 4
MAX_INPUT: Final = 256
MAX_OUTPUT: Final = 256
MAX_EDITS: Final = 20_000
MAX_NAME: Final = 40
"""Characters of the name of an input or the label of a step."""
