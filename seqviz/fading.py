"""How fast a signal fades or grows along time, in words. numpy only."""

from __future__ import annotations

import numpy as np

from seqviz.language import later, tr

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


def describe_fading(log_norms: np.ndarray) -> str:
    """One sentence from the numbers: how fast, where it is lost, and who starves."""
    if not np.isfinite(log_norms).any():
        return tr("No gradient reaches any step: it is exactly 0.")
    if len(log_norms) == 1:
        return tr("One step only: there is no way back to travel.")
    rate, starving, lost = decades_per_100(log_norms), starving_share(log_norms), first_under(log_norms)
    if not abs(rate) >= 0.3 and starving > 0.5:
        says = later(
            "Drops at the end, then keeps its size on the way back; {starving:.0%} of steps get less than 1% of the "
            "largest."
        )
    elif not abs(rate) >= 0.3:
        says = later("Keeps its size; {starving:.0%} of steps get less than 1% of the largest.")
    elif rate > 0:
        says = later("Gains {pace:.3g} decades per 100 steps; {starving:.0%} of steps get less than 1% of the largest.")
    elif lost is None:
        says = later("Loses {pace:.3g} decades per 100 steps; {starving:.0%} of steps get less than 1% of the largest.")
    elif lost == 1:
        says = later(
            "Loses {pace:.3g} decades per 100 steps, under a millionth 1 step before the end; "
            "{starving:.0%} of steps get less than 1% of the largest."
        )
    else:
        says = later(
            "Loses {pace:.3g} decades per 100 steps, under a millionth {lost} steps before the end; "
            "{starving:.0%} of steps get less than 1% of the largest."
        )
    return tr(says, pace=abs(rate), starving=starving, lost=lost)
