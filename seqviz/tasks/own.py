"""Tasks on somebody's own data. The first part is learned from, the last part is what a network is judged by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from seqviz import counted
from seqviz.checks import listed
from seqviz.experiment.parts import MAX_INPUT, MAX_STEPS
from seqviz.language import later, tr, trn
from seqviz.tasks.base import BITS, MSE, Batch, Task
from seqviz.tasks.finite import Finite

__all__ = ["MAX_ROWS", "own_series", "own_text"]

SHORTEST_TEXT = 200
SHORTEST_SERIES = 40

MAX_ROWS: Final = 1_000_000
"""Steps of a series to learn from. A picture shows fewer at once; what is learned from has no need to fit one."""

MAX_NUMBERS: Final = 20_000_000

FARTHEST: Final = 1e6
"""How many of its standard deviations a value may lie from its column's mean."""


def own_text(text: str, *, name: str = "text", label: str = later("Next character")) -> Task:
    """Predict the next character of somebody's text; the last tenth is held out.

    Chance is the entropy of single characters in the part that is held out, ``memoryless`` that of a character given
    the one before, in all of the text. Half of chance is called solved, which for English is about 2.1 bits.

    Raises:
        ValueError: it is no text, is shorter than 200 characters, or uses more than 256 different ones, or one only
            in one of the two parts.
    """
    if not isinstance(text, str):
        raise ValueError(tr("A text to learn from must be text, not {kind}.", kind=type(text).__name__))
    if len(text) < SHORTEST_TEXT:
        raise ValueError(
            trn(
                "The text has {count} character; at least {least} are needed to learn from.",
                "The text has {count} characters; at least {least} are needed to learn from.",
                len(text),
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
            trn(
                "The text uses only {count} character; it takes 2 to {most} of them.",
                "The text uses {count} different characters; it takes 2 to {most} of them.",
                size,
                most=MAX_INPUT,
            )
        )
    data = Finite(*_split(torch.from_numpy(places.astype(np.int64)), 10), lambda codes: _characters(codes, size))
    counts = [np.bincount(part.numpy()) for part in (data.seen, data.unseen)]
    if any((each > 0).sum() < 2 for each in counts):
        raise ValueError(
            tr("The first nine tenths and the last tenth of the text must each use two characters or more.")
        )
    chance = _entropy(counts[1])
    pairs = _entropy(np.bincount(places[:-1] * size + places[1:])) - _entropy(np.bincount(places[:-1]))
    return Task(
        name, label, later("Graves 2013, https://arxiv.org/abs/1308.0850"), size, size, min(64, len(data.unseen) - 1),
        "classes", BITS, chance, chance / 2, data.draw, "".join(map(chr, found)), held_out=data.held_out,
        every=data.every, repeats=data.repeats, longest=min(MAX_STEPS, len(data.seen) - 1), memoryless=pairs, data=text,
    )  # fmt: skip


def own_series(values: Any, *, names: Iterable[str] = (), labels: Iterable[str] = ()) -> Task:
    """Predict the next value of somebody's series; the last fifth is held out.

    Every column is scaled to mean 0 and variance 1 by the part that is learned from. Chance is the error of always
    saying its mean, ``memoryless`` that of the best linear guess from the present values, half of which is called
    solved.

    Args:
        values: ``(T,)`` or ``(T, features)``, real numbers.
        names: of the features, for the pictures.
        labels: of the steps.

    Raises:
        ValueError: it is not such numbers, has fewer than 40 or more than 1,000,000 steps or more than 256 features,
            a column that never changes in the first part, a last part that never changes at all, or one that is
            out of all proportion to the first; names or labels that are not as many.
    """
    series = _numbers(values)
    named = _called(names, later("The names"), series.shape[1])
    labelled = _called(labels, later("The labels"), len(series))
    seen, unseen = _split(torch.from_numpy(series), 5)
    largest = seen.abs().amax(dim=0).clamp(min=torch.finfo(seen.dtype).tiny)  # so that no square under- or overflows
    seen, unseen = seen / largest, unseen / largest
    mean, spread = seen.mean(dim=0), seen.std(dim=0, correction=0)
    if bool((spread <= 1e-12 * seen.abs().amax(dim=0)).any()):
        raise ValueError(
            tr("A column of the series never changes in the part to learn from; there is nothing to predict.")
        )
    seen, unseen = (seen - mean) / spread, (unseen - mean) / spread
    if float(max(seen.abs().max(), unseen.abs().max())) > FARTHEST:
        raise ValueError(
            tr(
                "A value of the series lies more than {most:,.0f} times as far from the mean as the part to learn "
                "from varies; leave it out, or take logarithms.",
                most=FARTHEST,
            )
        )
    if bool((unseen == unseen[0]).all()):
        raise ValueError(
            tr("The last fifth of the series, which a network is judged by, never changes; choose another stretch.")
        )
    chance = float(unseen[1:].square().mean())
    ahead = torch.linalg.lstsq(_with_one(seen[:-1]), seen[1:], driver="gelsd").solution
    linear = float((_with_one(unseen[:-1]) @ ahead - unseen[1:]).square().mean())
    width, data = series.shape[1], Finite(seen.float(), unseen.float(), _values)
    of_exam = labelled[len(seen) :]

    def called(g: torch.Generator, length: int) -> tuple[str, ...]:
        return of_exam[(first := data.place(g, length)) : first + length]

    return Task(
        "series", later("Your own series: the next value"), "", width, width, min(50, len(unseen) - 1), "mse",
        MSE, chance, max(1e-4, min(chance, linear) / 2), data.draw, held_out=data.held_out, every=data.every,
        repeats=data.repeats, longest=min(MAX_STEPS, len(seen) - 1), memoryless=linear, names=named,
        called=called if of_exam else None, data=(series, named, of_exam),
    )  # fmt: skip


def _called(given: Iterable[str], what: str, count: int) -> tuple[str, ...]:
    """As many names as there are things, or none."""
    names = listed(given, what)
    if names and (len(names) != count or not all(isinstance(name, str) for name in names)):
        raise ValueError(
            tr("{what} must be {count:,} texts, not {found:,}.", what=tr(what), count=count, found=len(names))
        )
    return names


def _split(data: Tensor, share: int) -> tuple[Tensor, Tensor]:
    """All but the last one in `share`, and that."""
    cut = len(data) - len(data) // share
    return data[:cut], data[cut:]


def _entropy(counts: np.ndarray) -> float:
    """In bits."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum())


def _numbers(values: Any) -> np.ndarray:
    """float64 ``(T, features)``, a copy."""
    try:
        given = np.asarray(values)
        if given.dtype.kind not in "biufO":
            raise ValueError(given.dtype)
        series = np.array(given, dtype=np.float64)
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise ValueError(tr("A series must be numbers in rows of the same length, and no complex ones.")) from error
    series = series[:, None] if series.ndim == 1 else series
    if series.ndim != 2 or not 1 <= series.shape[1] <= MAX_INPUT:
        raise ValueError(tr("A series has the shape (steps, features) with up to {most} features.", most=MAX_INPUT))
    if (steps := len(series)) < SHORTEST_SERIES:
        raise ValueError(
            trn(
                "The series has {count} step; at least {least} are needed to learn from.",
                "The series has {count} steps; at least {least} are needed to learn from.",
                steps,
                least=SHORTEST_SERIES,
            )
        )
    if steps > MAX_ROWS or series.size > MAX_NUMBERS:
        raise ValueError(
            tr(
                "The series has {steps} of {numbers}; at most {most_steps:,} steps and {most:,} numbers in all "
                "are learned from.",
                steps=counted.steps(steps),
                numbers=counted.numbers(series.shape[1]),
                most_steps=MAX_ROWS,
                most=MAX_NUMBERS,
            )
        )
    if not (np.abs(series) < 1e30).all():
        raise ValueError(tr("The series holds NaN, infinity or a number beyond 1e30; only finite numbers will do."))
    return series


def _with_one(x: Tensor) -> Tensor:
    """``(T, features)`` to ``(T, features + 1)``, for a linear guess with an intercept."""
    return torch.cat([x, torch.ones_like(x[:, :1])], dim=1)


def _values(found: Tensor) -> Batch:
    """``x`` is a stretch of ``(L + 1, N, features)``, the target is the same stretch one step on."""
    return Batch(found[:-1], found[1:], torch.ones(len(found) - 1, found.shape[1]))


def _characters(found: Tensor, size: int) -> Batch:
    """The same of characters ``(L + 1, N)``; ``x`` is one-hot."""
    return Batch(functional.one_hot(found[:-1], size).float(), found[1:], torch.ones(len(found) - 1, found.shape[1]))
