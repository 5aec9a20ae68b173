"""What a network is judged by: an input, what would have been right, and a loss of the two.

Shapes in torch's letters: ``L`` steps, ``N`` batch, ``O`` outputs; in the module's own layout, time or batch first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

from seqviz.capture.explained import explained
from seqviz.capture.found import LAYERS, recurrent_modules
from seqviz.capture.kernels import Kernel, Kernels
from seqviz.capture.precision import twin
from seqviz.capture.run import as_keywords
from seqviz.cells.taken import numbers
from seqviz.checks import shown
from seqviz.experiment import Experiment
from seqviz.gradients.answers import Output, picked
from seqviz.language import later, tr
from seqviz.patience import worth
from seqviz.runner import inputs, network
from seqviz.tasks import Task

__all__ = ["LOSSES", "Errors", "Loss", "Trial", "trial"]

Loss = str | Callable[..., Tensor] | None
"""``"mse"``, ``"cross_entropy"``, ``"bits"``, or a function of the output, and of the targets where there are any."""

LOSSES: Final = ("mse", "cross_entropy", "bits")
_OF_TASKS: Final = {"mse": "mse", "bits": "bits", "classes": "cross_entropy"}

EXAM: Final = 256
"""Sequences that are drawn of a task."""

BLOCKS: Final = 40
"""Pieces at the most that the steps of few sequences are cut into."""

SHORTEST: Final = 8
"""Steps of such a piece at the least."""

FEW: Final = 8
"""With fewer sequences than this, blocks of steps are the pieces."""

Array = np.ndarray[Any, np.dtype[Any]]


class Errors(NamedTuple):
    """A loss in pieces that may be drawn anew: sequences, or blocks of steps where those are few.

    ``sums`` ``(P,)`` float64 of the losses of a piece, and ``counts`` ``(P,)`` how many they are.
    """

    sums: Array
    counts: Array

    @property
    def mean(self) -> float:
        """The loss over all pieces."""
        return float(self.sums.sum() / self.counts.sum())


@dataclass(frozen=True, eq=False)
class Trial:
    """A module, what it is given, and how its output is judged; see :func:`trial`."""

    module: nn.Module
    x: Any
    targets: Tensor | None
    loss: Loss
    mask: Tensor | None = None
    hx: Any = None
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    output: Output = None

    def of(self, module: nn.Module) -> Trial:
        """The same of another module."""
        return replace(self, module=module)

    def some(self, chosen: Tensor, ran: Ran) -> Trial:
        """The same of some sequences of the batch, in whatever is given of it; of all where the input is no tensor."""

        def part(value: Any) -> Any:
            axis = ran.axis_of_batch(tuple(value.shape)) if isinstance(value, Tensor) else None
            return value if axis is None else value.index_select(axis, chosen.to(value.device))

        if part(self.x) is self.x:
            return self
        kwargs = {name: part(value) for name, value in self.kwargs.items()}
        state: Any = self.hx
        if state is not None:
            many = tuple(s.index_select(1, chosen) for s in (state if isinstance(state, tuple | list) else (state,)))
            state = many if isinstance(state, tuple | list) else many[0]
        x, targets, mask = part(self.x), part(self.targets), part(self.mask)
        return replace(self, x=x, targets=targets, mask=mask, hx=state, kwargs=kwargs)

    def answer(self, inside: Callable[[], AbstractContextManager[Any]] = nullcontext) -> tuple[Any, Ran]:
        """What a copy of the module gives, run in a context, and which steps its recurrent layers took."""
        worth()
        copy, ran = self.of(twin(self.module)), Ran()
        with torch.no_grad(), inside(), ran.watching():
            returned = copy._called()
        return picked(returned, self.output, {ran.steps}), ran

    def forward(self) -> Any:
        """What the module itself gives, with gradients where they are on."""
        return picked(self._called(), self.output, set())

    def _called(self) -> Any:
        with explained():
            return self.module(*((self.x,) if self.hx is None else (self.x, self.hx)), **self.kwargs)

    def errors(self, inside: Callable[[], AbstractContextManager[Any]] = nullcontext) -> Errors:
        """The losses of a run in a context.

        Raises:
            ValueError: a loss that does not fit the output.
        """
        y, ran = self.answer(inside)
        return self.errors_of(y, ran)

    def errors_of(self, y: Any, ran: Ran) -> Errors:
        """The losses of an output."""
        found = self.losses(y).detach().double()
        mask = torch.ones_like(found) if self.mask is None or found.dim() == 0 else self._mask(found)
        return _pieces(found.numpy(force=True), mask.numpy(force=True), ran)

    def losses(self, y: Any) -> Tensor:
        """The loss of an output, as finely as it is known: one number, or one for each step and sequence."""
        if not callable(self.loss):
            assert self.targets is not None
            return elementwise(str(self.loss), _tensor(y), self.targets)
        found = self.loss(y) if self.targets is None else self.loss(y, self.targets)
        if not isinstance(found, Tensor) or not found.numel():
            raise ValueError(tr("The loss must give a tensor of numbers; got {kind}.", kind=type(found).__name__))
        return found

    def total(self, y: Any) -> Tensor:
        """The loss of an output as one number, to be trained on."""
        found = self.losses(y)
        if self.mask is None or found.dim() == 0:
            return found.mean()
        mask = self._mask(found).to(found.dtype)
        return (found * mask).sum() / mask.sum()

    def _mask(self, found: Tensor) -> Tensor:
        assert self.mask is not None
        if self.mask.shape != found.shape:
            raise ValueError(
                tr(
                    "The mask must have the shape of the losses, {wanted}; it has {shape}.",
                    wanted=tuple(found.shape),
                    shape=tuple(self.mask.shape),
                )
            )
        return self.mask.to(found.device, torch.float64)


def trial(
    subject: nn.Module | Experiment,
    x: Any = None,
    targets: Any = None,
    *,
    loss: Loss = None,
    mask: Any = None,
    task: Task | None = None,
    hx: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    output: Output = None,
    seed: int = 0,
) -> Trial:
    """What a network is judged by.

    Args:
        subject: a module with recurrent layers, or an experiment.
        x: its input; an experiment's own sequence by default.
        targets: what would be right, in the layout of the output: real numbers (mean squared error), class numbers
            (cross entropy) or truth values (of logits).
        loss: another loss than that: one of ``LOSSES``, or a function of the output, and of the targets if there are
            any. Losses that are not averaged, one for each step or sequence, allow intervals.
        mask: which losses count, in their shape.
        task: instead of all these, sequences of a task's exam.
        hx, kwargs: further arguments of the module.
        output: which part of what it returns is meant, as for :func:`seqviz.gradient_flow`.
        seed: of the task's sequences.

    Raises:
        ValueError: nothing to judge by, or a module that drops units out.
    """
    module = network(subject) if isinstance(subject, Experiment) else subject
    recurrent_modules(module, None)
    _refuse_random(module)
    if task is not None:
        batch = task.exam(torch.Generator().manual_seed(seed), EXAM)
        return Trial(module, batch.x, batch.target, _OF_TASKS[task.kind], batch.mask)
    if x is None and isinstance(subject, Experiment):
        x = inputs(subject)
    if targets is None and not callable(loss):
        raise ValueError(tr("Give targets, what would have been right, or a loss as a function of the output."))
    if targets is not None:
        targets = numbers(targets, later("The targets"))
        loss = _named(loss, targets)
    made = None if mask is None else numbers(mask, later("The mask"))
    return Trial(module, x, targets, loss, made, hx, as_keywords(kwargs), output)


def _named(loss: Loss, targets: Tensor) -> Loss:
    if callable(loss):
        return loss
    if loss is None:
        return "bits" if targets.dtype == torch.bool else "mse" if targets.is_floating_point() else "cross_entropy"
    if loss not in LOSSES:
        raise ValueError(
            tr("The loss must be one of {known} or a function; got {loss}.", known=", ".join(LOSSES), loss=shown(loss))
        )
    return loss


def _refuse_random(module: nn.Module) -> None:
    for part in module.modules():
        rate = part.dropout if isinstance(part, LAYERS) else getattr(part, "p", 0)
        drops = isinstance(part, (*LAYERS, nn.modules.dropout._DropoutNd))
        if drops and part.training and isinstance(rate, float | int) and rate > 0:
            raise ValueError(tr("The module drops units out at random; call module.eval() first."))


def _tensor(y: Any) -> Tensor:
    if isinstance(y, PackedSequence):
        return y.data
    if not isinstance(y, Tensor):
        raise ValueError(
            tr(
                "The module returns a {kind}, not a tensor; say with output= which part of it is meant.",
                kind=type(y).__name__,
            )
        )
    return y


def elementwise(kind: str, y: Tensor, targets: Tensor) -> Tensor:
    """The loss at each step of each sequence: the targets' shape without outputs.

    Raises:
        ValueError: targets that do not fit the output.
    """
    targets = targets.to(y.device)
    if kind == "cross_entropy":
        if y.dim() < 1 or y.shape[:-1] != targets.shape:
            raise _unfit(y, targets)
        if targets.numel() and not (int(targets.min()) >= 0 and int(targets.max()) < y.shape[-1]):
            says = tr("The classes must be from 0 to {last}; the targets have others.", last=y.shape[-1] - 1)
            raise ValueError(says)
        flat = functional.cross_entropy(y.reshape(-1, y.shape[-1]), targets.reshape(-1).long(), reduction="none")
        return flat.reshape(targets.shape)
    if y.shape != targets.shape and y.shape == (*targets.shape, 1):
        targets = targets.unsqueeze(-1)
    elif y.shape != targets.shape and (*y.shape, 1) == targets.shape:
        y = y.unsqueeze(-1)
    if y.shape != targets.shape or not y.dim():
        raise _unfit(y, targets)
    if y.dim() == 1:
        y, targets = y.unsqueeze(-1), targets.unsqueeze(-1)
    if kind == "mse":
        found = (y - targets.to(y.dtype)).square()
    else:
        found = functional.binary_cross_entropy_with_logits(y, targets.to(y.dtype), reduction="none")
    return found.mean(-1)


def _unfit(y: Tensor, targets: Tensor) -> ValueError:
    return ValueError(
        tr(
            "The targets have the shape {targets} and the output {output}, which do not fit each other.",
            targets=tuple(targets.shape),
            output=tuple(y.shape),
        )
    )


class Ran:
    """Which steps and sequences the recurrent layers of a run went through, and in which layout."""

    def __init__(self) -> None:
        self.steps, self.batch, self.batch_first = 0, 0, False
        self._cells: dict[int, int] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Take it down while a module runs."""
        with Kernels(self._met):
            yield

    def _met(self, kernel: Kernel) -> Any:
        if kernel.cell:
            weight = id(kernel.flat[0])
            self._cells[weight] = self._cells.get(weight, 0) + 1
            steps, batch = self._cells[weight], len(kernel.value)
        elif kernel.sizes is not None:
            steps, batch = len(kernel.sizes), int(kernel.sizes[0])
        else:
            steps, batch = (kernel.value.shape[k] for k in ((1, 0) if kernel.batch_first else (0, 1)))
        if steps > self.steps:
            self.steps, self.batch, self.batch_first = int(steps), int(batch), kernel.batch_first
        return kernel.result(kernel.run(kernel.flat))

    def axis_of_batch(self, shape: tuple[int, ...]) -> int | None:
        """Which axis of what a module gave, of a loss or a target, are the sequences; None where that is not one."""
        pair = shape[:2]
        if len(pair) == 2 and sorted(pair) == sorted((self.steps, self.batch)):
            return (0 if self.batch_first else 1) if self.steps == self.batch else pair.index(self.batch)
        return 0 if shape and shape[0] == self.batch > 1 else None


def _pieces(losses: Array, mask: Array, ran: Ran) -> Errors:
    """Losses and how they count, by sequences or by blocks of steps."""
    losses, mask = (a.reshape(1) if not a.ndim else a for a in (losses, mask))
    axis = ran.axis_of_batch(losses.shape)
    with np.errstate(invalid="ignore"):
        weighed = np.where(mask > 0, losses * mask, 0.0)
    rows = [np.moveaxis(a, axis, 0) if axis is not None else a[None] for a in (weighed, mask)]
    flat = [row.reshape(len(row), -1) for row in rows]
    batch, steps = flat[0].shape
    if batch < FEW:
        count = max(1, min(steps // SHORTEST, BLOCKS // batch))
        parts = [np.array_split(a, count, axis=1) for a in flat]
        sums, counts = (np.concatenate([part.sum(1) for part in a]) for a in parts)
    else:
        sums, counts = (a.sum(1) for a in flat)
    keep = counts > 0
    if not keep.any():
        raise ValueError(tr("The mask lets no loss count."))
    return Errors(sums[keep], counts[keep])
