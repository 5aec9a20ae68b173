"""A sentence that is said of a run only while the run bears it out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from seqviz.language import Sentence, tr

__all__ = ["Claim", "Signals", "tell"]

Signals = Mapping[str, np.ndarray]
"""A run: each signal ``(L, H)`` by its name without the layer, among them ``x`` and ``y``."""


def _always(signals: Signals) -> bool:
    return True


@dataclass(frozen=True)
class Claim:
    """What is claimed of a run, and what on the run decides whether that is so.

    Args:
        says: the claim in English, marked with ``later``.
        fails: what is so instead, with the number that shows it; None while the claim holds.
        applies: whether the run can show it at all; where it cannot, nothing is said.
    """

    says: str
    fails: Callable[[Signals], Sentence | None]
    applies: Callable[[Signals], bool] = _always

    def on(self, signals: Signals) -> Sentence | None:
        """The claim where it holds, what is so instead where it does not, None where the run cannot show it."""
        if not self.applies(signals):
            return None
        return self.fails(signals) or tr(self.says)


def tell(claims: Iterable[Claim], signals: Signals) -> list[Sentence]:
    """What of these claims can be said of a run whose signals are finite, and what has to be said instead."""
    told = (claim.on(signals) for claim in claims)
    return [sentence for sentence in told if sentence is not None]
