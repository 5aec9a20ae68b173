"""Finite data in two parts: stretches of the first to learn from, of the last to judge by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Final

import numpy as np
import torch
from torch import Tensor

from seqviz.tasks.base import Batch

__all__ = ["Finite"]

ENOUGH: Final = 0.5
"""With a smaller share of the first part's stretches left to learn from, the data only repeat themselves."""


class Finite:
    """Data ``(T, ...)`` along its first axis.

    A stretch to learn from that says the same as one to judge by is left out, as in a text that quotes itself.

    Args:
        seen, unseen: the part to learn from and the part to judge by.
        batch: makes a batch of stretches ``(L + 1, N, ...)``, the last row of which is only a target.
    """

    def __init__(self, seen: Tensor, unseen: Tensor, batch: Callable[[Tensor], Batch]) -> None:
        self.seen, self.unseen, self._batch = seen, unseen, batch
        self._starts = lru_cache(maxsize=4)(self._allowed)

    def draw(self, g: torch.Generator, n: int, length: int) -> Batch:
        """`n` stretches to learn from."""
        starts = self._starts(length)
        if starts is None:
            return self.cut(self.seen, torch.randint(len(self.seen) - length, (n,), generator=g), length)
        return self.cut(self.seen, starts[torch.randint(len(starts), (n,), generator=g)], length)

    def held_out(self, g: torch.Generator, n: int, length: int) -> Batch:
        """`n` stretches to judge by; shorter where there are few steps."""
        length = min(length, len(self.unseen) - 1)
        return self.cut(self.unseen, torch.randint(len(self.unseen) - length, (n,), generator=g), length)

    def place(self, g: torch.Generator, length: int) -> int:
        """Where the first stretch that :meth:`held_out` draws with this generator begins in the part to judge by."""
        length = min(length, len(self.unseen) - 1)
        return int(torch.randint(len(self.unseen) - length, (1,), generator=g))

    def every(self, length: int, n: int) -> Batch:
        """All that there is to judge by, each target once, in stretches; `n` of them, evenly, where there are more."""
        last = len(self.unseen) - 1
        length = min(length, last)
        starts = torch.arange(0, last, length)
        again = (starts - (last - length)).clamp(min=0)  # steps of the last stretch that the one before it has
        batch = self.cut(self.unseen, starts - again, length)
        batch = replace(batch, mask=(torch.arange(length)[:, None] >= again).float())
        if len(starts) <= n:
            return batch
        return batch.only(torch.linspace(0, len(starts) - 1, n).round().long())

    def repeats(self, length: int) -> bool:
        """Whether stretches that are judged by are also learned from, because little else is there."""
        return self._starts(length) is None

    def cut(self, data: Tensor, starts: Tensor, length: int) -> Batch:
        """The stretches of `length` steps that begin there."""
        return self._batch(data[starts[None] + torch.arange(length + 1)[:, None]])

    def _allowed(self, length: int) -> Tensor | None:
        """Where a stretch to learn from may begin; None where too few would be left."""
        short = min(length, len(self.unseen) - 1)
        both = _stretches(np.concatenate([_codes(self.seen), _codes(self.unseen)]), short)
        of_exam = both[len(self.seen) : len(self.seen) + len(self.unseen) - short]
        same = np.isin(both[: len(self.seen) - short + 1], of_exam)
        before = np.concatenate([[0], np.cumsum(same)])
        count = len(self.seen) - length
        inside = before[length - short + 1 :][:count] - before[:count]
        starts = np.flatnonzero(inside == 0)
        return torch.from_numpy(starts) if len(starts) >= max(1, ENOUGH * count) else None


def _codes(data: Tensor) -> np.ndarray:
    """A number of 64 bits for each row of ``(T, ...)``, equal where the rows are."""
    rows = data.reshape(len(data), -1)
    bits = (rows + 0.0).view(torch.int32) if rows.is_floating_point() else rows
    odd = 2 * torch.randint(2**62, (bits.shape[1],), generator=torch.Generator().manual_seed(1)) + 1
    mixed = (bits.long() * odd).sum(dim=1).numpy().view(np.uint64)
    return (mixed ^ (mixed >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9) + np.uint64(1)


def _stretches(codes: np.ndarray, length: int) -> np.ndarray:
    """A hash of every stretch of `length` codes ``(T,)``: a polynomial modulo 2^64, in linear time."""
    base = 0x9E3779B97F4A7C15
    up, down = (
        np.cumprod(np.r_[np.uint64(1), np.full(len(codes) - 1, factor, dtype=np.uint64)])
        for factor in (base, pow(base, -1, 2**64))
    )
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(codes * up)])
    return (sums[length:] - sums[: len(sums) - length]) * down[: len(sums) - length]
