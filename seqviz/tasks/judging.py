"""A network's standing in a task: its score on enough sequences to be sure, with an interval."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import torch
from torch import Tensor

from seqviz.tasks.base import Task
from seqviz.tasks.exams import FINAL, interval

__all__ = ["Standing", "judge"]

CHUNK: Final = 512
"""Sequences that go through the network at a time."""

LEAST: Final = 8
"""With fewer sequences than this, every step counts for itself in the interval."""


class Standing(NamedTuple):
    """A score with its confidence interval; where every sequence was asked, ``low`` and ``high`` are the score."""

    score: float
    low: float
    high: float
    sequences: int
    exact: bool

    def solves(self, task: Task) -> bool:
        """Whether all of the interval reaches the threshold."""
        return task.is_solved(self.high if task.smaller_is_better else self.low)

    def may_solve(self, task: Task) -> bool:
        """Whether some of it does."""
        return task.is_solved(self.low if task.smaller_is_better else self.high)


def judge(
    task: Task,
    answer: Callable[[Tensor], Tensor],
    generator: torch.Generator,
    n: int = FINAL,
    alpha: float = 0.05,
) -> Standing:
    """The score on `n` sequences of the task's exam, with an interval at confidence ``1 - alpha``.

    Args:
        task: what is to be done.
        answer: the network: ``x`` ``(L, N, H_in)`` to ``y`` ``(L, N, O)``.
        generator: draws the sequences. Where there are few, all of them are asked; where the data are finite, all
            that was held out, in at most `n` stretches.
        n: how many.
        alpha: how often the interval may miss.
    """
    whole = task.whole(n)
    batches = [whole] if whole is not None else (task.exam(generator, k) for k in _chunks(n))
    got, asked = [], []
    for batch in batches:
        for columns in torch.arange(batch.x.shape[1]).split(CHUNK):
            some = batch.only(columns)
            with torch.no_grad():
                right, count = task.marks(answer(some.x), some)
            got.append(right)
            asked.append(count)
    right, count = torch.cat(got, dim=1), torch.cat(asked, dim=1)
    sequences = right.shape[1]
    score = float(right.sum() / count.sum())
    if whole is not None and task.held_out is None:
        return Standing(score, score, score, sequences, True)
    if sequences < LEAST:
        return Standing(score, *interval(right.flatten(), count.flatten(), alpha, task.is_share), sequences, False)
    return Standing(score, *interval(right.sum(dim=0), count.sum(dim=0), alpha, task.is_share), sequences, False)


def _chunks(n: int) -> list[int]:
    return [min(CHUNK, n - done) for done in range(0, n, CHUNK)]
