"""What a network that is trained answers, before and after: the sentence on top of the training page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqviz.language import Sentence, tr, trn
from seqviz.telling.numbers import short

__all__ = ["after", "learned", "untrained"]


def untrained(answers: np.ndarray, right: np.ndarray, asked: np.ndarray) -> Sentence:
    """What an untrained network answers at the last step ``t`` at which it is asked.

    Args:
        answers, right: ``(L, O)``, as a person reads them: probabilities or plain numbers.
        asked: ``(L,)``, larger than 0 where an answer is asked for.
    """
    (steps,) = np.nonzero(asked > 0)
    t = int(steps[-1])
    if right.shape[1] > 1:
        worth = float(answers[t, int(right[t].argmax())])
        return tr(
            "Untrained, it gives the right answer at step {step} a probability of {share}.", step=t, share=short(worth)
        )
    return tr(
        "Untrained, it answers {value} at step {step}, where {right} is right.",
        value=short(float(answers[t, 0])), step=t, right=short(float(right[t, 0])),
    )  # fmt: skip


def learned(found: Sequence[tuple[str, int, int]], *, done: bool) -> Sentence:
    """How many networks of each name have learned, of how many; `done` once no more can come."""
    counts = tr(", ").join(tr("{name} {learned} of {count}", name=name, learned=k, count=n) for name, k, n in found)
    return tr("Learned: {counts}.", counts=counts) if done else tr("Learned so far: {counts}.", counts=counts)


def after(steps: int, measure: str, score: str, chance: str, name: str = "") -> Sentence:
    """A score after so many steps of training, beside that of guessing; `name` where several networks are trained."""
    said = trn("After {count:,} step of training", "After {count:,} steps of training", steps)
    if not steps:
        said = tr("Before training")
    if name:
        return tr(
            "{name}. {after}: {measure} {score}; guessing has {chance}.", name=name, after=said, measure=measure,
            score=score, chance=chance,
        )  # fmt: skip
    return tr(
        "{after}: {measure} {score}; guessing has {chance}.", after=said, measure=measure, score=score, chance=chance
    )
