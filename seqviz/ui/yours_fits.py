"""On which scale of its columns a network fits the person's data, and which of them it gives: found out by trying."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from seqviz import looked
from seqviz.aims import aim, share_of_guess
from seqviz.language import Sentence, tr
from seqviz.telling.numbers import short
from seqviz.ui.yours_data import SCALES

if TYPE_CHECKING:
    from seqviz.ui.yours import Yours

__all__ = ["best_scale", "fits_best", "fits_better"]

BETTER: Final = 0.5
"""Another scale or column is told of where the loss is this share of what it is."""

MANY: Final = 8
"""Columns of which it is found out which one a network gives."""

FEW: Final = 1000
"""Steps by which that is found out."""


def fits_better(yours: Yours) -> Sentence | None:
    """What is said of another scale of the columns on which the network does far better than on this one."""
    shares, best = _shares(yours), best_scale(yours)
    if shares is None or best is None:
        return None
    return tr(
        "With its columns {scale} it fits these data better: its loss is then {share} of that of one value "
        "throughout; now it is {now} of it.",
        scale=tr(SCALES[best]), share=short(shares[best]), now=short(shares[yours.scale]),
    )  # fmt: skip


def best_scale(yours: Yours) -> str | None:
    """That scale; None where there is none."""
    shares = _shares(yours)
    if shares is None or yours.outputs is None:
        return None
    best = min(shares, key=lambda scale: shares[scale])
    return best if shares[best] < BETTER * min(1.0, shares[yours.scale]) else None


def _shares(yours: Yours) -> dict[str, float] | None:
    """The loss on every scale of the columns, over that of one value; None where nothing can be judged."""

    def found() -> dict[str, float] | None:
        try:
            return {scale: share_of_guess(yours.aim_on(scale)) for scale in SCALES}
        except ValueError:
            return None

    return None if yours.takes_ids else yours.latest.of("shares", yours.judging, found)


def fits_best(yours: Yours) -> str:
    """Of the columns that a network of one output takes, the one whose next value it gives far better than the first's.

    Empty where there is none.
    """
    taken = yours.chosen
    if yours.outputs != 1 or not 1 < len(taken) <= MANY or yours.takes_ids:
        return ""
    key = (*yours.key()[:3], *taken, yours.apart, yours.sequence)
    shares = yours.latest.of("fits", key, lambda: _of_columns(yours))
    best = min(shares, key=lambda name: shares[name], default="")
    return best if best and shares[best] < min(1.0, BETTER * shares[taken[0]]) else ""


def _of_columns(yours: Yours) -> dict[str, float]:
    """Of each column that the network takes the loss over that of one value, on the scale that is best for it."""
    assert yours.file is not None
    network, shares = yours.file.whole(yours.shown, **yours.answered), dict.fromkeys(yours.chosen, np.inf)
    for scale in SCALES:
        try:
            x = yours.inputs(scale).x[:FEW]
            columns = looked.scaled(looked.columns_of_table(yours.rows, yours.chosen), **yours.scaled_on(scale))[0]
            found = [share_of_guess(aim(network, x, column[:FEW, None], ahead=1)) for column in columns.T]
        except ValueError:
            return {}
        for name, share in zip(yours.chosen, found, strict=True):
            shares[name] = min(shares[name], share if np.isfinite(share) else np.inf)
    return shares
