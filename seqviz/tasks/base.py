"""What a task is: batches, what is right, how it is scored, and a probe. Shapes in torch's letters."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from seqviz.checks import whole
from seqviz.experiment.parts import MAX_STEPS, Sequence
from seqviz.language import later, tr, trn
from seqviz.tasks.exams import FEW, FINAL, SHARE, kept, printed

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

    def only(self, columns: Tensor) -> Batch:
        """Some of the sequences."""
        return Batch(self.x[:, columns], self.target[:, columns], self.mask[:, columns])


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
        held_out: draws from what is never trained on, where the data are finite; else the exam's share of all
            sequences is that.
        space: how many different sequences of a length there are; None where they are beyond counting.
        every: ``every(length, n)``: all of them, where they are equally likely and may be few; for finite data all
            that was held out, in at most `n` stretches.
        repeats: ``repeats(length)``: whether finite data say the same so often that what was held out was met in
            training all the same.
        shortest, longest: the steps that the task makes sense for.
        memoryless: the score within reach of a network that sees the present step only, where that is better
            than chance and known.
        names: of the inputs, where they have any.
        called: ``called(generator, length)``: the labels of the steps of the first stretch that ``held_out`` draws
            with that generator, where the steps have any.
        data: what a task on somebody's own data was made of: the text; or the values ``(T, features)``,
            the names, and the labels of the last part.
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
    space: Callable[[int], int] | None = None
    every: Callable[[int, int], Batch] | None = None
    repeats: Callable[[int], bool] | None = None
    shortest: int = 1
    longest: int = MAX_STEPS
    memoryless: float | None = None
    names: tuple[str, ...] = ()
    called: Callable[[torch.Generator, int], tuple[str, ...]] | None = None
    data: Any = field(default=None, compare=False, repr=False)

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

    @property
    def is_share(self) -> bool:
        """Whether the score is a share of right answers."""
        return not self.smaller_is_better

    def is_solved(self, score: float) -> bool:
        """Whether a score reaches the threshold. A network is judged by the end of an interval, a score by itself."""
        return score <= self.solved if self.smaller_is_better else score >= self.solved

    def shown(self, score: float) -> str:
        """A score as it is printed: never rounded to the threshold, to chance, or to all right, from below or above."""
        return printed(score, (self.solved, self.chance, 1.0) if self.is_share else (self.solved, self.chance))

    def at_length(self, length: int) -> Task:
        """The same task over another number of steps.

        Raises:
            ValueError: it is not from ``shortest`` to ``longest``.
        """
        return replace(self, length=self._checked(length))

    def _checked(self, length: int) -> int:
        return whole(length, later("The length of a sequence of this task"), self.shortest, self.longest)

    def batch(self, generator: torch.Generator, n: int, length: int | None = None) -> Batch:
        """`n` fresh sequences of `length` steps, by default the task's, none of them of the exam (see ``apart``).

        Raises:
            ValueError: a length that is not from ``shortest`` to ``longest``.
        """
        return self._sifted(generator, n, self._checked(self.length if length is None else length), exam=False)

    def exam(self, generator: torch.Generator, n: int) -> Batch:
        """`n` sequences to judge by, none of which :meth:`batch` ever gives where ``apart`` says so.

        Fewer steps than the task's where the data that were held out are few.
        """
        if self.held_out is not None:
            return self.held_out(generator, n, self.length)
        return self._sifted(generator, n, self.length, exam=True)

    def whole(self, n: int = FINAL) -> Batch | None:
        """All that a network can be judged by, at most `n` stretches of finite data; None where it is without end."""
        if self.every is None or (self.held_out is None and not self._few(self.length)):
            return None
        return self.every(self.length, n)

    @property
    def apart(self) -> bool:
        """Whether no sequence of the exam is ever trained on; ``judged`` says why not."""
        if self.repeats is not None:
            return not self.repeats(self.length)
        return not self._few(self.length)

    @property
    def judged(self) -> str:
        """What the exam asks, in a sentence."""
        if self.held_out is not None:
            if self.apart:
                return tr("Judged by the last part of the data; no stretch of it is ever trained on.")
            return tr(
                "Judged by the last part of the data, which repeats the part learned from: "
                "it cannot tell learning from remembering."
            )
        if self.apart:
            return tr("Judged by fresh sequences that are never trained on.")
        count = self.space(self.length) if self.space else 0
        return trn(
            "There is only {count:,} sequence of this length, too few to keep any from training.",
            "There are only {count:,} different sequences of this length, too few to keep any from training.",
            count,
        )

    def _few(self, length: int) -> bool:
        return self.space is not None and self.space(length) < FEW

    def _sifted(self, generator: torch.Generator, n: int, length: int, exam: bool) -> Batch:
        """`n` sequences on one side of the line between exam and training, where there is one to draw."""
        if self.held_out is not None or self._few(length):
            return self.draw(generator, n, length)
        parts, missing = [], n
        while missing > 0:
            drawn = self.draw(generator, (SHARE + 1) * missing if exam else missing + missing // 2 + 1, length)
            fitting = (kept(drawn.x) == exam).nonzero()[:missing, 0]
            parts.append(drawn.only(fitting))
            missing -= len(fitting)
        if len(parts) == 1:
            return parts[0]
        return Batch(*(torch.cat([getattr(p, name) for p in parts], dim=1) for name in ("x", "target", "mask")))

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
        right, count = self.marks(y, batch)
        return float(right.sum() / count.sum())

    def marks(self, y: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """What the metric is the mean of, and how often: two ``(L, N)`` float64, 0 at steps that are not scored."""
        mask = (batch.mask if self.scored is None else self.scored(batch)).bool()
        if self.metric == MSE:
            each = (y - batch.target).square().mean(dim=2)
        elif self.metric == BITS:
            each = functional.cross_entropy(y.movedim(2, 1), batch.target, reduction="none") / math.log(2)
        elif self.kind == "bits":
            each = (y[..., 0] > 0) == (batch.target[..., 0] > 0.5)
        else:
            each = _guess(self, y) == batch.target
        return torch.where(mask, each.double(), 0.0), mask.double()

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
        labels = self.called(torch.Generator().manual_seed(seed), len(x)) if self.called else ()
        return Sequence.of_values(x.numpy(), self.names, labels), target.numpy(), batch.mask[:, 0].numpy()


def _guess(task: Task, y: Tensor) -> Tensor:
    """The class that is chosen; for brackets only between the two closing ones."""
    if task.name == "brackets":
        return 2 + y[..., 2:].argmax(dim=-1)
    return y.argmax(dim=-1)
