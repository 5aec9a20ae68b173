"""What a task is: batches, what is right, how it is scored, and a probe. Shapes in torch's letters."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from seqviz.checks import whole
from seqviz.language import later, tr
from seqviz.parts import MAX_STEPS, Sequence

__all__ = ["ACCURACY", "BITS", "MSE", "Batch", "Draw", "Task"]

ACCURACY: Final = later("accuracy")
BITS: Final = later("bits per character")
MSE: Final = later("mean squared error")
"""The metrics."""


@dataclass(frozen=True)
class Batch:
    """``x`` ``(L, N, H_in)`` float32; ``target`` ``(L, N, O)`` float32, or ``(L, N)`` classes; ``mask`` ``(L, N)``."""

    x: Tensor
    target: Tensor
    mask: Tensor


Draw = Callable[[torch.Generator, int, int], Batch]
"""``draw(generator, n, length)``: `n` sequences of `length` steps."""


@dataclass(frozen=True)
class Task:
    """What to learn.

    Args:
        name: for files.
        title, paper: what it is called, and the paper that it comes from, in English; ``label`` and ``source`` say
            them in the language of now.
        inputs, outputs: sizes of the network.
        length: steps, by default.
        kind: ``mse``, ``classes`` (cross-entropy) or ``bits`` (binary cross-entropy of one logit).
        metric: what the score is called, in English (``measure`` in the language of now); ``chance`` is its value for
            the best guess that ignores the input, ``solved`` the value to reach. Smaller is better for errors and
            bits per character, larger for accuracies.
        draw: ``draw(generator, n, length)`` gives a :class:`Batch`.
        symbols: the characters of the inputs, where they are one-hot.
        scored: which masked steps the score looks at; all by default.
        held_out: draws from what is never trained on, where the data are finite; else fresh draws are that.
        shortest, longest: the steps that the task makes sense for.
        memoryless: the score within reach of a network that sees the present step only, where that is better
            than chance and known.
    """

    name: str
    title: str
    paper: str
    inputs: int
    outputs: int
    length: int
    kind: str
    metric: str
    chance: float
    solved: float
    draw: Draw
    symbols: str = ""
    scored: Callable[[Batch], Tensor] | None = None
    held_out: Draw | None = None
    shortest: int = 1
    longest: int = MAX_STEPS
    memoryless: float | None = None

    @property
    def label(self) -> str:
        """What it is called on the screen."""
        return tr(self.title)

    @property
    def source(self) -> str:
        """The paper that it comes from; empty where there is none."""
        return tr(self.paper)

    @property
    def measure(self) -> str:
        """What the score is called on the screen."""
        return tr(self.metric)

    @property
    def smaller_is_better(self) -> bool:
        """Whether the score is an error."""
        return self.metric in (MSE, BITS)

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
        return whole(length, later("The length of a sequence of this task"), self.shortest, self.longest)

    def batch(self, generator: torch.Generator, n: int, length: int | None = None) -> Batch:
        """`n` fresh sequences of `length` steps, by default the task's.

        Raises:
            ValueError: a length that is not from ``shortest`` to ``longest``.
        """
        return self.draw(generator, n, self._checked(self.length if length is None else length))

    def exam(self, generator: torch.Generator, n: int) -> Batch:
        """`n` sequences to judge by, of data that are never trained on; fewer steps where those are few."""
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
        if self.metric == MSE:
            return float(functional.mse_loss(y[mask], batch.target[mask]))
        if self.metric == BITS:
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
