"""Tasks on somebody's own data. The first part is learned from, the last part is what a network is judged by."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from seqviz.language import later, tr
from seqviz.parts import MAX_INPUT, MAX_STEPS
from seqviz.tasks.base import BITS, MSE, Batch, Draw, Task

__all__ = ["own_series", "own_text"]

SHORTEST_TEXT = 200
SHORTEST_SERIES = 40


def own_text(text: str, *, name: str = "text", label: str = later("Next character")) -> Task:
    """Predict the next character of somebody's text; the last tenth is held out.

    Chance is the entropy of single characters, ``memoryless`` that of a character given the one before. Half of
    chance is called solved, which for English is about 2.1 bits.

    Raises:
        ValueError: it is shorter than 200 characters, uses more than 256 different ones or one only.
    """
    if len(text) < SHORTEST_TEXT:
        raise ValueError(
            tr(
                "The text has {size} characters; at least {least} are needed to learn from.",
                size=len(text),
                least=SHORTEST_TEXT,
            )
        )
    try:
        points = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
    except UnicodeEncodeError as error:
        raise ValueError(tr("The text holds half of a character (a lone surrogate); type it again.")) from error
    found, places = np.unique(points, return_inverse=True)
    size = len(found)
    if not 2 <= size <= MAX_INPUT:
        raise ValueError(
            tr("The text uses {size} different characters; it takes 2 to {most} of them.", size=size, most=MAX_INPUT)
        )
    codes = torch.from_numpy(places.astype(np.int64))
    seen, unseen = _split(codes, 10)
    chance = _entropy(np.bincount(places))
    pairs = _entropy(np.bincount(places[:-1] * size + places[1:])) - _entropy(np.bincount(places[:-1]))
    return Task(
        name, label, later("Graves 2013, https://arxiv.org/abs/1308.0850"), size, size, min(64, len(unseen) - 1),
        "classes", BITS, chance, chance / 2, _characters(seen, size), "".join(map(chr, found)),
        held_out=_characters(unseen, size), longest=min(MAX_STEPS, len(seen) - 1), memoryless=pairs,
    )  # fmt: skip


def own_series(values: Any) -> Task:
    """Predict the next value of somebody's series; the last fifth is held out.

    Every column is scaled to mean 0 and variance 1 by the part that is learned from. Chance is the error of always
    saying its mean, ``memoryless`` that of the best linear guess from the present values, half of which is called
    solved.

    Args:
        values: ``(T,)`` or ``(T, features)``.

    Raises:
        ValueError: it is not such numbers, has fewer than 40 steps or more than 256 features, or a column that
            never changes in the first part.
    """
    series = _numbers(values)
    seen, unseen = _split(torch.from_numpy(series), 5)
    mean, spread = seen.mean(dim=0), seen.std(dim=0, correction=0)
    if bool((spread <= 1e-12 * seen.abs().amax(dim=0)).any()):
        raise ValueError(
            tr("A column of the series never changes in the part to learn from; there is nothing to predict.")
        )
    seen, unseen = (seen - mean) / spread, (unseen - mean) / spread
    chance = float(unseen[1:].square().mean())
    ahead = torch.linalg.lstsq(_with_one(seen[:-1]), seen[1:], driver="gelsd").solution
    linear = float((_with_one(unseen[:-1]) @ ahead - unseen[1:]).square().mean())
    width = series.shape[1]
    return Task(
        "series", later("Your own series: the next value"), "", width, width, min(50, len(unseen) - 1), "mse",
        MSE, chance, max(1e-4, min(chance, linear) / 2), _windows(seen.float()),
        held_out=_windows(unseen.float()), longest=min(MAX_STEPS, len(seen) - 1), memoryless=linear,
    )  # fmt: skip


def _split(data: Tensor, share: int) -> tuple[Tensor, Tensor]:
    """All but the last one in `share`, and that."""
    cut = len(data) - len(data) // share
    return data[:cut], data[cut:]


def _entropy(counts: np.ndarray) -> float:
    """In bits."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum())


def _numbers(values: Any) -> np.ndarray:
    """float64 ``(T, features)``."""
    try:
        series = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(tr("A series must be numbers in rows of the same length.")) from error
    series = series[:, None] if series.ndim == 1 else series
    if series.ndim != 2 or not 1 <= series.shape[1] <= MAX_INPUT:
        raise ValueError(tr("A series has the shape (steps, features) with up to {most} features.", most=MAX_INPUT))
    if (steps := len(series)) < SHORTEST_SERIES:
        raise ValueError(
            tr(
                "The series has {steps} steps; at least {least} are needed to learn from.",
                steps=steps,
                least=SHORTEST_SERIES,
            )
        )
    if not (np.abs(series) < 1e30).all():
        raise ValueError(tr("The series holds NaN, infinity or a number beyond 1e30; only finite numbers will do."))
    return series


def _with_one(x: Tensor) -> Tensor:
    """``(T, features)`` to ``(T, features + 1)``, for a linear guess with an intercept."""
    return torch.cat([x, torch.ones_like(x[:, :1])], dim=1)


def _windows(series: Tensor) -> Draw:
    """``x`` is a stretch of ``(T, features)``, the target is the same stretch one step on."""

    def draw(g: torch.Generator, n: int, length: int) -> Batch:
        found = _stretches(series, g, n, length)
        return Batch(found[:-1], found[1:], torch.ones(len(found) - 1, n))

    return draw


def _characters(codes: Tensor, size: int) -> Draw:
    """The same of characters ``(T,)``; ``x`` is one-hot."""

    def draw(g: torch.Generator, n: int, length: int) -> Batch:
        found = _stretches(codes, g, n, length)
        return Batch(functional.one_hot(found[:-1], size).float(), found[1:], torch.ones(len(found) - 1, n))

    return draw


def _stretches(data: Tensor, g: torch.Generator, n: int, length: int) -> Tensor:
    """``(length + 1, n, ...)`` of ``(T, ...)``; shorter where the data are."""
    length = min(length, len(data) - 1)
    starts = torch.randint(len(data) - length, (n,), generator=g)
    return data[starts[None] + torch.arange(length + 1)[:, None]]
