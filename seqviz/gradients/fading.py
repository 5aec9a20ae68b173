"""How fast a signal fades or grows along time. numpy only; :mod:`seqviz.telling.gradients` puts it into words."""

from __future__ import annotations

import numpy as np

from seqviz.telling.gradients import describe_fading

__all__ = ["decades_per_100", "describe_fading", "first_under", "starving_share"]


def decades_per_100(log_norms: np.ndarray) -> float:
    """Powers of ten gained per 100 steps of travel back in time (negative: lost).

    Args:
        log_norms: log10 of the norm at every step ``(L,)``, the loss at the end; NaN if fewer than two are finite.
    """
    places = np.flatnonzero(np.isfinite(log_norms))
    if len(places) < 2:
        return float("nan")
    slope = np.polyfit(places, log_norms[places], 1)[0]
    return float(-100.0 * slope)


def first_under(log_norms: np.ndarray, decades: float = 6.0) -> int | None:
    """How many steps before the end the signal first is `decades` below its largest value; None if never."""
    finite = log_norms[np.isfinite(log_norms)]
    if not finite.size:
        return None
    under = np.flatnonzero(log_norms < finite.max() - decades)
    return int(len(log_norms) - 1 - under[-1]) if under.size else None


def starving_share(log_norms: np.ndarray, share: float = 0.01) -> float:
    """The fraction of steps that receive less than `share` of the largest gradient."""
    finite = log_norms[np.isfinite(log_norms)]
    if not finite.size:
        return 1.0
    return float((~(log_norms >= finite.max() + np.log10(share))).mean())
