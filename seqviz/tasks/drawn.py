"""Fresh batches without end: every function draws ``n`` sequences of ``length`` steps from a generator.

A target is only asked for where the mask is 1.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from seqviz.tasks.base import Batch

__all__ = [
    "adding", "after_first", "bit_strings", "brackets", "brackets_without_memory", "closing", "copies", "copy",
    "every_copy", "every_parity", "every_parity_end", "flipflop", "flipflop_without_memory",
    "latch", "openings", "order", "orders", "parity", "parity_end", "sine", "sine_without_memory",
]  # fmt: skip


COPIED: Final = 5
"""Symbols to copy."""

PULSES: Final = 0.1
"""How often a channel of the flip-flop has a pulse."""

DEEPEST: Final = 5
"""Brackets that are open at once, at the most."""


def last(length: int, n: int) -> Tensor:
    mask = torch.zeros(length, n)
    mask[-1] = 1
    return mask


def adding(g: torch.Generator, n: int, length: int) -> Batch:
    x = torch.zeros(length, n, 2)
    x[..., 0] = torch.rand(length, n, generator=g)
    half = max(1, length // 2)
    first = torch.randint(half, (n,), generator=g)
    second = half + torch.randint(max(1, length - half), (n,), generator=g)
    rows = torch.arange(n)
    x[first, rows, 1] = 1
    x[second, rows, 1] = 1
    target = torch.zeros(length, n, 1)
    target[-1, :, 0] = (x[..., 0] * x[..., 1]).sum(dim=0)
    return Batch(x, target, last(length, n))


def copy(g: torch.Generator, n: int, length: int) -> Batch:
    return _copied(torch.randint(4, (COPIED, n), generator=g), length)


def every_copy(length: int, n: int) -> Batch:
    """All the sequences there are."""
    return _copied(torch.cartesian_prod(*[torch.arange(4)] * COPIED).t(), length)


def copies(length: int) -> int:
    """How many those are."""
    return 4**COPIED


def _copied(data: Tensor, length: int) -> Batch:
    """The sequences that ask for ``data`` ``(5, N)``."""
    n = data.shape[1]
    tokens = torch.full((length, n), 4)
    tokens[:COPIED] = data
    tokens[length - COPIED - 1] = 5
    target = torch.zeros(length, n, dtype=torch.long)
    target[-COPIED:] = data
    mask = torch.zeros(length, n)
    mask[-COPIED:] = 1
    return Batch(functional.one_hot(tokens, 6).float(), target, mask)


def order(g: torch.Generator, n: int, length: int) -> Batch:
    tokens = torch.randint(2, 6, (length, n), generator=g)
    span = max(1, length // 10)
    rows = torch.arange(n)
    kinds = torch.randint(2, (2, n), generator=g)
    for which, start in ((0, span), (1, 5 * span)):
        place = (start + torch.randint(span, (n,), generator=g)).clamp(max=length - 1)
        tokens[place, rows] = kinds[which]
    target = torch.zeros(length, n, dtype=torch.long)
    target[-1] = 2 * kinds[0] + kinds[1]
    return Batch(functional.one_hot(tokens, 6).float(), target, last(length, n))


def orders(length: int) -> int:
    """How many different sequences there are."""
    return max(1, length // 10) ** 2 * 4 ** (length - 1)


def latch(g: torch.Generator, n: int, length: int) -> Batch:
    bit = torch.randint(2, (n,), generator=g).float()
    x = 0.2 * torch.randn(length, n, 1, generator=g)
    x[0, :, 0] = 2 * bit - 1
    target = torch.zeros(length, n, 1)
    target[-1, :, 0] = bit
    return Batch(x, target, last(length, n))


def flipflop(g: torch.Generator, n: int, length: int) -> Batch:
    """Three channels of rare pulses, +1 or -1, all three at the first step: what was each channel's last one?"""
    signs = 2.0 * torch.randint(2, (length, n, 3), generator=g) - 1
    pulses = torch.rand(length, n, 3, generator=g) < PULSES
    pulses[0] = True
    step = torch.where(pulses, torch.arange(length)[:, None, None], 0).cummax(dim=0).values
    return Batch(torch.where(pulses, signs, 0.0), signs.gather(0, step), torch.ones(length, n))


def flipflop_without_memory(length: int) -> float:
    """The least mean squared error from the present step only: at a pulse it is known, else 0 is the best guess."""
    return (1 - PULSES) * (length - 1) / length


def parity(g: torch.Generator, n: int, length: int) -> Batch:
    return _parity(torch.randint(2, (length, n, 1), generator=g).float())


def _parity(bits: Tensor) -> Batch:
    return Batch(bits, bits.cumsum(dim=0) % 2, torch.ones(bits.shape[:2]))


def every_parity(length: int, n: int) -> Batch:
    """All the sequences of bits that there are."""
    return _parity((torch.arange(2**length) >> torch.arange(length)[:, None] & 1).float()[..., None])


def bit_strings(length: int) -> int:
    """How many those are."""
    return 2**length


def after_first(batch: Batch) -> Tensor:
    """The steps at which the bit of now is not yet the answer."""
    mask = batch.mask.clone()
    mask[0] = 0
    return mask


def parity_end(g: torch.Generator, n: int, length: int) -> Batch:
    return _at_end(parity(g, n, length))


def every_parity_end(length: int, n: int) -> Batch:
    return _at_end(every_parity(length, n))


def _at_end(batch: Batch) -> Batch:
    return Batch(batch.x, batch.target, last(*batch.mask.shape))


def brackets(g: torch.Generator, n: int, length: int) -> Batch:
    """Two kinds of brackets, at most five deep; the next one is to be predicted."""
    coins = torch.rand(length + 1, n, generator=g).numpy()
    kinds = torch.randint(2, (length + 1, n), generator=g).numpy()
    tokens = np.zeros((length + 1, n), dtype=np.int64)
    stack, depth, rows = np.zeros((DEEPEST, n), dtype=np.int64), np.zeros(n, dtype=np.int64), np.arange(n)
    for t in range(length + 1):
        opens = (depth == 0) | ((depth < DEEPEST) & (coins[t] < 0.5))
        tokens[t] = np.where(opens, kinds[t], 2 + stack[depth - 1, rows])
        stack[depth[opens], rows[opens]] = kinds[t][opens]
        depth += np.where(opens, 1, -1)
    found = torch.from_numpy(tokens)
    return Batch(functional.one_hot(found[:-1], 4).float(), found[1:], torch.ones(length, n))


def openings(length: int) -> int:
    """How many different sequences of `length` brackets there are."""
    ways = [1] + [0] * DEEPEST
    for _ in range(length):
        opened, closed = [0, *(2 * w for w in ways[:-1])], [*ways[1:], 0]
        ways = [a + b for a, b in zip(opened, closed, strict=True)]
    return sum(ways)


def closing(batch: Batch) -> Tensor:
    return batch.mask * (batch.target >= 2)


def brackets_without_memory(length: int) -> float:
    """The best share of right closing brackets from the present bracket only, for the `length` steps of a sequence.

    After an opening bracket only its own kind can close; after a closing one both kinds are as likely.
    """
    depth = np.zeros((DEEPEST + 1, 2))  # how likely each depth is, by whether the last bracket opened
    depth[0, 0] = 1.0
    known = unknown = 0.0
    for t in range(length + 1):
        closes = depth * np.r_[0.0, np.full(DEEPEST - 1, 0.5), 1.0][:, None]
        if t:
            unknown, known = unknown + closes[:, 0].sum(), known + closes[:, 1].sum()
        opens = (depth - closes).sum(axis=1)
        depth = np.stack([np.r_[closes.sum(axis=1)[1:], 0.0], np.r_[0.0, opens[:-1]]], axis=1)
    return float((known + unknown / 2) / (known + unknown)) if known else 0.5


def sine_without_memory() -> float:
    """The least mean squared error from the present value x only.

    With the phase uniform, E[next | x, period] is x cos(2 pi / period), so the best guess is x E[cos] and its error
    (1 - E[cos]^2) / 2 over the periods from 12 to 32.
    """
    return float(1 - np.cos(2 * math.pi / np.linspace(12, 32, 10_001)).mean() ** 2) / 2


def sine(g: torch.Generator, n: int, length: int) -> Batch:
    period = 12 + 20 * torch.rand(n, generator=g)
    phase = 2 * math.pi * torch.rand(n, generator=g)
    t = torch.arange(length + 1)[:, None]
    wave = torch.sin(2 * math.pi * t / period + phase)[..., None]
    mask = torch.ones(length, n)
    mask[: min(4, length - 1)] = 0  # two points do not fix a wave
    return Batch(wave[:-1], wave[1:], mask)
