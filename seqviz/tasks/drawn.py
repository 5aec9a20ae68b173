"""Fresh batches without end: every function draws ``n`` sequences of ``length`` steps from a generator.

A target is only asked for where the mask is 1.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from seqviz.tasks.base import Batch

__all__ = [
    "adding", "brackets", "closing", "copy", "latch", "order", "parity", "parity_end", "sine", "sine_without_memory",
]  # fmt: skip


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
    count = 5
    delay = length - 2 * count - 1
    data = torch.randint(4, (count, n), generator=g)
    tokens = torch.full((length, n), 4)
    tokens[:count] = data
    tokens[count + delay] = 5
    target = torch.zeros(length, n, dtype=torch.long)
    target[-count:] = data
    mask = torch.zeros(length, n)
    mask[-count:] = 1
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


def latch(g: torch.Generator, n: int, length: int) -> Batch:
    bit = torch.randint(2, (n,), generator=g).float()
    x = 0.2 * torch.randn(length, n, 1, generator=g)
    x[0, :, 0] = 2 * bit - 1
    target = torch.zeros(length, n, 1)
    target[-1, :, 0] = bit
    return Batch(x, target, last(length, n))


def parity(g: torch.Generator, n: int, length: int) -> Batch:
    bits = torch.randint(2, (length, n, 1), generator=g).float()
    return Batch(bits, bits.cumsum(dim=0) % 2, torch.ones(length, n))


def parity_end(g: torch.Generator, n: int, length: int) -> Batch:
    whole = parity(g, n, length)
    return Batch(whole.x, whole.target, last(length, n))


def brackets(g: torch.Generator, n: int, length: int) -> Batch:
    """Two kinds of brackets, at most five deep; the next one is to be predicted."""
    coins = torch.rand(length + 1, n, generator=g).numpy()
    kinds = torch.randint(2, (length + 1, n), generator=g).numpy()
    tokens = np.zeros((length + 1, n), dtype=np.int64)
    for k in range(n):
        stack: list[int] = []
        for t in range(length + 1):
            if not stack or (len(stack) < 5 and coins[t, k] < 0.5):
                stack.append(int(kinds[t, k]))
                tokens[t, k] = stack[-1]
            else:
                tokens[t, k] = 2 + stack.pop()
    found = torch.from_numpy(tokens)
    return Batch(functional.one_hot(found[:-1], 4).float(), found[1:], torch.ones(length, n))


def closing(batch: Batch) -> Tensor:
    return batch.mask * (batch.target >= 2)


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
