"""What a network loses when its state is taken away every k steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from seqviz.capture.kernels import Kernel, Kernels
from seqviz.checks import listed, whole
from seqviz.experiment import Experiment
from seqviz.language import later, tr
from seqviz.memory.found import ResetCurve
from seqviz.memory.ratios import ratio
from seqviz.trials import Errors, Trial, trial

__all__ = ["reset_curve", "reset_every", "resetting"]


def reset_every(
    subject: nn.Module | Experiment, x: Any = None, targets: Any = None, ks: Iterable[int] | None = None, **judged: Any
) -> ResetCurve:
    """How much worse a network gets when its states are put back every k steps.

    The states of all its recurrent layers, and cells in a loop, are put back at the steps 0, k, 2k, ... to what they
    were before step 0; all else in the module is left alone. A bidirectional layer reads each k steps from both
    their ends. The module itself is not touched: a copy of it is run.

    Args:
        subject, x, targets: as for :func:`seqviz.trials.trial`, which also takes the further arguments: ``loss=``,
            ``mask=``, ``task=``, ``hx=``, ``kwargs=``, ``output=``.
        ks: the numbers of steps; by default 1, 2, 5, 10, ... up to the length of the sequences.

    Raises:
        ValueError: nothing to judge by, or a k that is no whole number from 1 on.
    """
    return reset_curve(trial(subject, x, targets, **judged), ks)


def reset_curve(asked: Trial, ks: Iterable[int] | None = None) -> ResetCurve:
    """:func:`reset_every` of a trial."""
    y, ran = asked.answer()
    base = asked.errors_of(y, ran)
    if ks is None:
        wanted = _round_numbers(ran.steps)
    else:
        given = listed(ks, later("The steps between resets"))
        wanted = sorted({whole(k, later("The steps between resets"), 1, 10**9) for k in given})
    if not wanted:
        raise ValueError(tr("Give at least one number of steps between resets."))
    found: list[Errors] = [base if k >= ran.steps else asked.errors(partial(resetting, k)) for k in wanted]
    return ResetCurve(
        tuple(wanted), tuple(e.mean for e in found), tuple(ratio(e, base) for e in found), base.mean, ran.steps
    )


def _round_numbers(steps: int) -> list[int]:
    """1, 2, 5, 10, ... below a number, and that."""
    rounds = (digit * 10**power for power in range(10) for digit in (1, 2, 5))
    return [*(k for k in rounds if k < steps), max(1, steps)]


@contextmanager
def resetting(every: int) -> Iterator[None]:
    """Inside, the recurrent functions that this thread calls lose their states at the steps 0, k, 2k, ..."""
    with Kernels(_Resets(every).met):
        yield


class _Place(NamedTuple):
    """Where a sequence of calls of one layer is: its first states, the last ones, and the steps so far."""

    first: tuple[Tensor, ...]
    last: tuple[Tensor, ...]
    steps: int


class _Resets:
    """Runs each call in pieces that begin from the first states of its sequence."""

    def __init__(self, every: int) -> None:
        self.every = every
        self.places: dict[int, _Place] = {}

    def met(self, kernel: Kernel) -> Any:
        place = self._place(kernel)
        parts, steps = self._cell(kernel, place) if kernel.cell else self._layer(kernel, place)
        states = parts if kernel.cell else parts[1:]
        self.places[id(kernel.flat[0])] = _Place(place.first, tuple(states), place.steps + steps)
        return kernel.result(parts)

    def _place(self, kernel: Kernel) -> _Place:
        """Where its sequence is: it goes on if it is given what the call before returned."""
        before = self.places.get(id(kernel.flat[0]))
        if before and all(map(_same, kernel.states, before.last)):
            return before
        return _Place(kernel.states, kernel.states, 0)

    def _cell(self, kernel: Kernel, place: _Place) -> tuple[tuple[Tensor, ...], int]:
        if place.steps % self.every == 0:
            kernel = kernel._replace(states=tuple(s[: len(kernel.value)] for s in place.first))
        return kernel.run(kernel.flat), 1

    def _layer(self, kernel: Kernel, place: _Place) -> tuple[tuple[Tensor, ...], int]:
        axis = 0 if kernel.sizes is not None or not kernel.batch_first else 1
        steps = len(kernel.sizes) if kernel.sizes is not None else kernel.value.shape[axis]
        outs, states, start = list[Tensor](), kernel.states, 0
        if kernel.sizes is None and place.steps % self.every == 0 and steps >= 2 * self.every:
            start = steps - steps % self.every
            out, states = _together(kernel, start, self.every, place.first)
            outs.append(out)
        while start < steps:
            at = place.steps + start
            stop = min(steps, start + self.every - at % self.every)
            part = _part(kernel, axis, start, stop)
            count = int(part.sizes[0]) if part.sizes is not None else part.value.shape[1 - axis]
            given = states if at % self.every else place.first
            out, *ends = part._replace(states=tuple(s[:, :count].contiguous() for s in given)).run(kernel.flat)
            outs.append(out)
            states = tuple(torch.cat([end, old[:, count:]], 1) for end, old in zip(ends, states, strict=True))
            start = stop
        return (torch.cat(outs, axis), *states), int(steps)


def _part(kernel: Kernel, axis: int, start: int, stop: int) -> Kernel:
    """Some steps of a call; the rows of a packed sequence lie one step after the other."""
    if kernel.sizes is None:
        return kernel._replace(value=kernel.value.narrow(axis, start, stop - start))
    first, last = int(kernel.sizes[:start].sum()), int(kernel.sizes[:stop].sum())
    return kernel._replace(value=kernel.value[first:last], sizes=kernel.sizes[start:stop])


def _together(kernel: Kernel, steps: int, every: int, first: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The first steps of a call, whole pieces of them, as one batch of pieces: the output and the last states."""
    value = (kernel.value.transpose(0, 1) if kernel.batch_first else kernel.value)[:steps]
    count, batch = steps // every, value.shape[1]
    pieces = value.reshape(count, every, batch, -1).transpose(0, 1).reshape(every, count * batch, -1)
    states = tuple(state.repeat(1, count, 1) for state in first)
    options = (*kernel.options[:-1], False) if kernel.batch_first else kernel.options
    out, *ends = kernel._replace(value=pieces, states=states, options=options).run(kernel.flat)
    whole = out.reshape(every, count, batch, -1).transpose(0, 1).reshape(steps, batch, -1)
    last = tuple(end[:, -batch:].contiguous() for end in ends)
    return whole.transpose(0, 1) if kernel.batch_first else whole, last


def _same(given: Tensor, returned: Tensor) -> bool:
    return given.shape == returned.shape and torch.equal(given, returned) and bool(given.count_nonzero())
