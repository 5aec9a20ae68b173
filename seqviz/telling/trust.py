"""How near the numbers of a run are to torch's own."""

from __future__ import annotations

import math

from seqviz.language import Sentence, tr

__all__ = ["describe_parity"]


def describe_parity(parity: float, *, edited: bool = False) -> Sentence:
    """What :attr:`seqviz.Trace.parity` says of the numbers that are shown.

    Args:
        parity: the largest ``|recomputed - torch|`` over ``h`` and ``c``; NaN where only one of them is finite.
        edited: whether interventions make the run another one than torch's.
    """
    if not math.isfinite(parity):
        return tr("What is recomputed and torch's own run are not finite at the same places.")
    if edited and parity == 0:
        return tr("Computed step by step with your changes; untouched values are torch's exactly.")
    if edited:
        return tr(
            "Computed step by step with your changes; untouched values differ from torch's by {off:.1e} at most.",
            off=parity,
        )
    if parity == 0:
        return tr("Gates are recomputed from torch's own run; h and c agree with torch's exactly.")
    return tr(
        "Gates are recomputed from torch's own run; largest difference from torch in h and c: {off:.1e}.", off=parity
    )
