"""Tasks that need memory: batches, what is right, chance, and a probe whose answer can be seen.

Every task draws fresh batches from a generator, so nothing can be learned by heart. Shapes in torch's letters;
a target is only asked for where the mask is 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from seqviz.checks import whole
from seqviz.parts import MAX_INPUT, MAX_STEPS, Sequence
from seqviz.prose import prose

__all__ = ["TASKS", "Batch", "Task", "own_series", "own_text", "task"]


@dataclass(frozen=True)
class Batch:
    """``x`` ``(L, N, H_in)`` float32; ``target`` ``(L, N, O)`` float32, or ``(L, N)`` classes; ``mask`` ``(L, N)``."""

    x: Tensor
    target: Tensor
    mask: Tensor


@dataclass(frozen=True)
class Task:
    """What to learn.

    Args:
        name, label: for files and for the screen.
        source: the paper that it comes from.
        inputs, outputs: sizes of the network.
        length: steps, by default.
        kind: ``mse``, ``classes`` (cross-entropy) or ``bits`` (binary cross-entropy of one logit).
        metric: what the score is called; ``chance`` is its value for the best guess that ignores the input,
            ``solved`` the value to reach. Smaller is better for errors and bits per character, larger for
            accuracies.
        draw: ``draw(generator, n, length)`` gives a :class:`Batch`.
        symbols: the characters of the inputs, where they are one-hot.
        scored: which masked steps the score looks at; all by default.
        held_out: draws from what is never trained on, where the data are finite; else fresh draws are that.
        shortest, longest: the steps that the task makes sense for.
        memoryless: the score within reach of a network that sees the present step only, where that is better
            than chance and known.
    """

    name: str
    label: str
    source: str
    inputs: int
    outputs: int
    length: int
    kind: str
    metric: str
    chance: float
    solved: float
    draw: Callable[[torch.Generator, int, int], Batch]
    symbols: str = ""
    scored: Callable[[Batch], Tensor] | None = None
    held_out: Callable[[torch.Generator, int, int], Batch] | None = None
    shortest: int = 1
    longest: int = MAX_STEPS
    memoryless: float | None = None

    @property
    def smaller_is_better(self) -> bool:
        """Whether the score is an error."""
        return self.metric in ("mean squared error", "bits per character")

    def is_solved(self, score: float) -> bool:
        """Whether a score reaches the threshold."""
        return score <= self.solved if self.smaller_is_better else score >= self.solved

    def at_length(self, length: int) -> Task:
        """The same task over another number of steps.

        Raises:
            ValueError: it is not from ``shortest`` to ``longest``.
        """
        return replace(self, length=self._checked(length))

    def _checked(self, length: int) -> int:
        return whole(length, "The length of a sequence of this task", self.shortest, self.longest)

    def batch(self, generator: torch.Generator, n: int, length: int | None = None) -> Batch:
        """`n` fresh sequences of `length` steps, by default the task's.

        Raises:
            ValueError: a length that is not from ``shortest`` to ``longest``.
        """
        return self.draw(generator, n, self._checked(self.length if length is None else length))

    def exam(self, generator: torch.Generator, n: int) -> Batch:
        """`n` sequences to judge by, of data that are never trained on."""
        return self.batch(generator, n) if self.held_out is None else self.held_out(generator, n, self.length)

    def loss(self, y: Tensor, batch: Batch) -> Tensor:
        """The mean loss over the masked steps of ``y`` ``(L, N, O)``."""
        mask = batch.mask.bool()
        if self.kind == "mse":
            return functional.mse_loss(y[mask], batch.target[mask])
        if self.kind == "bits":
            return functional.binary_cross_entropy_with_logits(y[mask][:, 0], batch.target[mask][:, 0])
        return functional.cross_entropy(y[mask], batch.target[mask])

    def score(self, y: Tensor, batch: Batch) -> float:
        """The metric of ``y`` ``(L, N, O)``."""
        mask = (batch.mask if self.scored is None else self.scored(batch)).bool()
        if self.metric == "mean squared error":
            return float(functional.mse_loss(y[mask], batch.target[mask]))
        if self.metric == "bits per character":
            return float(functional.cross_entropy(y[mask], batch.target[mask])) / math.log(2)
        if self.kind == "bits":
            return float(((y[mask][:, 0] > 0) == (batch.target[mask][:, 0] > 0.5)).float().mean())
        return float((_guess(self, y[mask]) == batch.target[mask]).float().mean())

    def probe(self, seed: int = 1) -> tuple[Sequence, np.ndarray, np.ndarray]:
        """A fixed sequence whose right answer can be seen.

        Returns:
            The sequence, the right outputs ``(L, O)`` (classes one-hot, bits 0 or 1), and the mask ``(L,)``.
        """
        batch = self.exam(torch.Generator().manual_seed(seed), 1)
        if self.kind == "classes":
            target = functional.one_hot(batch.target[:, 0].long(), self.outputs).float()
        else:
            target = batch.target[:, 0]
        x = batch.x[:, 0]
        if self.symbols:
            text = "".join(self.symbols[k] for k in x.argmax(dim=1).tolist())
            return Sequence.of_text(text, self.symbols), target.numpy(), batch.mask[:, 0].numpy()
        return Sequence.of_values(x.numpy()), target.numpy(), batch.mask[:, 0].numpy()


def _guess(task: Task, y: Tensor) -> Tensor:
    """The class that is chosen; for brackets only between the two closing ones."""
    if task.name == "brackets":
        return 2 + y[:, 2:].argmax(dim=1)
    return y.argmax(dim=1)


def _last(length: int, n: int) -> Tensor:
    mask = torch.zeros(length, n)
    mask[-1] = 1
    return mask


def _adding(g: torch.Generator, n: int, length: int) -> Batch:
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
    return Batch(x, target, _last(length, n))


def _copy(g: torch.Generator, n: int, length: int) -> Batch:
    count = 5
    delay = length - 2 * count - 1
    if delay < 0:
        raise ValueError(f"Copying five symbols takes at least {2 * count + 1} steps, not {length}.")
    data = torch.randint(4, (count, n), generator=g)
    tokens = torch.full((length, n), 4)
    tokens[:count] = data
    tokens[count + delay] = 5
    target = torch.zeros(length, n, dtype=torch.long)
    target[-count:] = data
    mask = torch.zeros(length, n)
    mask[-count:] = 1
    return Batch(functional.one_hot(tokens, 6).float(), target, mask)


def _order(g: torch.Generator, n: int, length: int) -> Batch:
    tokens = torch.randint(2, 6, (length, n), generator=g)
    span = max(1, length // 10)
    rows = torch.arange(n)
    kinds = torch.randint(2, (2, n), generator=g)
    for which, start in ((0, span), (1, 5 * span)):
        place = (start + torch.randint(span, (n,), generator=g)).clamp(max=length - 1)
        tokens[place, rows] = kinds[which]
    target = torch.zeros(length, n, dtype=torch.long)
    target[-1] = 2 * kinds[0] + kinds[1]
    return Batch(functional.one_hot(tokens, 6).float(), target, _last(length, n))


def _latch(g: torch.Generator, n: int, length: int) -> Batch:
    bit = torch.randint(2, (n,), generator=g).float()
    x = 0.2 * torch.randn(length, n, 1, generator=g)
    x[0, :, 0] = 2 * bit - 1
    target = torch.zeros(length, n, 1)
    target[-1, :, 0] = bit
    return Batch(x, target, _last(length, n))


def _parity(g: torch.Generator, n: int, length: int) -> Batch:
    bits = torch.randint(2, (length, n, 1), generator=g).float()
    return Batch(bits, bits.cumsum(dim=0) % 2, torch.ones(length, n))


def _parity_end(g: torch.Generator, n: int, length: int) -> Batch:
    whole = _parity(g, n, length)
    return Batch(whole.x, whole.target, _last(length, n))


def _brackets(g: torch.Generator, n: int, length: int) -> Batch:
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


def _closing(batch: Batch) -> Tensor:
    return batch.mask * (batch.target >= 2)


def _sine(g: torch.Generator, n: int, length: int) -> Batch:
    period = 12 + 20 * torch.rand(n, generator=g)
    phase = 2 * math.pi * torch.rand(n, generator=g)
    t = torch.arange(length + 1)[:, None]
    wave = torch.sin(2 * math.pi * t / period + phase)[..., None]
    mask = torch.ones(length, n)
    mask[: min(4, length - 1)] = 0  # two points do not fix a wave
    return Batch(wave[:-1], wave[1:], mask)


def _text(codes: Tensor, size: int) -> Callable[[torch.Generator, int, int], Batch]:
    def draw(g: torch.Generator, n: int, length: int) -> Batch:
        starts = torch.randint(len(codes) - length, (n,), generator=g)
        found = codes[starts[None] + torch.arange(length + 1)[:, None]]
        return Batch(functional.one_hot(found[:-1], size).float(), found[1:], torch.ones(length, n))

    return draw


def own_text(text: str, *, name: str = "text", label: str = "Next character") -> Task:
    """Predict the next character of somebody's text.

    Raises:
        ValueError: it is shorter than 200 characters or uses more than 256 different ones.
    """
    symbols = "".join(sorted(set(text)))
    if len(text) < 200:
        raise ValueError(f"The text has {len(text)} characters; at least 200 are needed to learn from.")
    if len(symbols) > MAX_INPUT:
        raise ValueError(f"The text uses {len(symbols)} different characters; at most {MAX_INPUT} fit.")
    place = {character: k for k, character in enumerate(symbols)}
    codes = torch.tensor([place[character] for character in text])
    length = min(64, len(text) // 3)
    counts = torch.bincount(codes).float()
    shares = counts / counts.sum()
    chance = float(-(shares * shares.log2()).sum())
    return Task(
        name, label, "Graves 2013, https://arxiv.org/abs/1308.0850", len(symbols), len(symbols), length, "classes",
        "bits per character", chance, 0.6 * chance, _text(codes, len(symbols)), symbols,
    )  # fmt: skip


def own_series(values: Any) -> Task:
    """Predict the next value of somebody's series, scaled to mean 0 and variance 1.

    Args:
        values: ``(T,)`` or ``(T, features)``.

    Raises:
        ValueError: fewer than 40 steps, or a series that never changes.
    """
    series = np.asarray(values, dtype=np.float32)
    series = series[:, None] if series.ndim == 1 else series
    if len(series) < 40:
        raise ValueError(f"The series has {len(series)} steps; at least 40 are needed to learn from.")
    spread = series.std(axis=0)
    if not np.all(spread > 0) or not np.isfinite(spread).all():
        raise ValueError("A column of the series never changes or is not finite; there is nothing to predict.")
    scaled = torch.from_numpy((series - series.mean(axis=0)) / spread)
    length = min(50, len(series) // 2)

    def draw(g: torch.Generator, n: int, steps: int) -> Batch:
        steps = min(steps, len(scaled) - 2)
        starts = torch.randint(len(scaled) - steps, (n,), generator=g)
        found = scaled[starts[None] + torch.arange(steps + 1)[:, None]]
        return Batch(found[:-1], found[1:], torch.ones(steps, n))

    width = scaled.shape[1]
    return Task("series", "Your own series: the next value", "", width, width, length, "mse", "mean squared error",
                1.0, 0.1, draw)  # fmt: skip


_LSTM_PAPER = "Hochreiter and Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735"

TASKS: Final[dict[str, Task]] = {
    t.name: t
    for t in (
        Task("latch", "Latch: recall the first bit", "Bengio, Simard and Frasconi 1994, https://doi.org/10.1109/72.279181",
             1, 1, 50, "bits", "accuracy", 0.5, 0.99, _latch),
        Task("adding", "Adding: the sum of two marked numbers", _LSTM_PAPER,
             2, 1, 50, "mse", "mean squared error", 1 / 6, 0.01, _adding),
        Task("order", "Temporal order: which of X and Y came when", _LSTM_PAPER,
             6, 4, 100, "classes", "accuracy", 0.25, 0.99, _order, "XYabcd"),
        Task("copy", "Copy five symbols after a delay", "Arjovsky, Shah and Bengio 2016, https://arxiv.org/abs/1511.06464",
             6, 4, 31, "classes", "accuracy", 0.25, 0.99, _copy, "ABCD_?"),
        Task("parity", "Parity of the bits so far", "Graves 2016, https://arxiv.org/abs/1603.08983",
             1, 1, 16, "bits", "accuracy", 0.5, 0.99, _parity),
        Task("parity_end", "Parity, judged at the end only", "Graves 2016, https://arxiv.org/abs/1603.08983",
             1, 1, 16, "bits", "accuracy", 0.5, 0.99, _parity_end),
        Task("brackets", "Brackets (Dyck-2): which one closes", "Hewitt et al. 2020, https://arxiv.org/abs/2010.07515",
             4, 4, 64, "classes", "accuracy", 0.5, 0.99, _brackets, "([)]", _closing),
        Task("sine", "Sine: the next value", "Elman 1990, https://doi.org/10.1207/s15516709cog1402_1",
             1, 1, 60, "mse", "mean squared error", 0.5, 0.002, _sine),
        replace(own_text(prose(100_000), name="prose", label="Prose: the next character"), solved=0.45),
    )
}  # fmt: skip


def task(name: str) -> Task:
    """A task by its name.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in TASKS:
        raise ValueError(f"There is no task {name!r}; there are {', '.join(TASKS)}.")
    return TASKS[name]
