"""What the three questions on memory find, and what it comes to. No torch: numbers and sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from seqviz.language import Sentence
from seqviz.telling.memory import Standing, of_guesses, of_nudge, of_resets, verdict, verdicts

__all__ = ["Guesses", "Lasting", "MemoryUse", "Ratio", "ResetCurve"]

Array = np.ndarray[Any, np.dtype[Any]]


class Ratio(NamedTuple):
    """A ratio of two losses with its 95 % interval; without one, ``low`` and ``high`` are NaN."""

    value: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        """Whether there is an interval."""
        return not math.isnan(self.low)


@dataclass(frozen=True)
class Lasting:
    """What is left of a nudge at each lag.

    Args:
        units: by layer, ``"l0"``, ``(K, H)``: how far the state of each unit moved, h and the cell state together, at
            lags 0 to K - 1; the root of the mean square over the nudged steps and the batch.
        together: by layer, ``(K,)``: the Euclidean norm of that over the units.
        half_lives: by layer, ``(H,)``: steps from its largest value until a unit's has fallen to half; 0 for a unit
            that never moved, inf where that is longer than the lags.
        half_life: by layer, the same of all its units together.
        by: the size of the nudge, at every input of one step.
        steps: the nudged steps.
    """

    units: Mapping[str, Array]
    together: Mapping[str, Array]
    half_lives: Mapping[str, Array]
    half_life: Mapping[str, float]
    by: float
    steps: tuple[int, ...]

    @property
    def lags(self) -> int:
        """How many lags were looked at."""
        return len(next(iter(self.together.values())))

    @property
    def longest(self) -> float:
        """The longest half-life of a layer."""
        return max(self.half_life.values())


@dataclass(frozen=True)
class ResetCurve:
    """A loss whose network is reset every k steps.

    Args:
        ks: k, rising; a run is never reset where k is not below ``steps``.
        losses: the loss at each k.
        ratios: how many times the loss without a reset that is.
        loss: the loss without a reset.
        steps: of the longest run of a recurrent layer.
    """

    ks: tuple[int, ...]
    losses: tuple[float, ...]
    ratios: tuple[Ratio, ...]
    loss: float
    steps: int


@dataclass(frozen=True)
class Guesses:
    """A network beside two that need no learning.

    Args:
        loss: the network's.
        last: how many times the loss of repeating the last value that is; None where the targets are no later values
            of the input.
        constant: the same of the one best value for all steps; None where the loss is a function that takes no
            other output.
        ahead: how many steps later the targets' values stand in the input; 0 where that is not known.
    """

    loss: float
    last: Ratio | None
    constant: Ratio | None
    ahead: int = 0


@dataclass(frozen=True)
class MemoryUse:
    """What :func:`seqviz.memory.uses_memory` found."""

    lasting: Lasting
    resets: ResetCurve
    guesses: Guesses

    @property
    def numbers(self) -> Standing:
        """What the sentences are made of."""
        curve, guesses = self.resets, self.guesses
        return Standing(
            half_life=self.lasting.longest,
            lags=self.lasting.lags,
            ks=curve.ks,
            ratios=curve.ratios,
            loss=curve.loss,
            steps=curve.steps,
            last=guesses.last,
            constant=guesses.constant,
        )

    @property
    def verdict(self) -> Sentence:
        """Whether it uses its memory, and whether it beats guessing."""
        return verdict(self.numbers)

    @property
    def verdicts(self) -> tuple[Sentence, ...]:
        """The sentences of the verdict, one by one."""
        return verdicts(self.numbers)

    @property
    def sentences(self) -> tuple[Sentence, Sentence, Sentence]:
        """One on each question: the nudge, the resets, the guesses."""
        return of_nudge(self.numbers), of_resets(self.numbers), of_guesses(self.numbers)
