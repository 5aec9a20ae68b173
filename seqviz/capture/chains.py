"""One sequence of a recurrent module over one call or several: which calls follow each other, and what they give."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqviz.capture.kernels import Call, Kernel
from seqviz.capture.observe import Observed, as_array, joined, lengths_of, observe
from seqviz.capture.reconstruct import Array, worst
from seqviz.capture.stepwise import step_by_step
from seqviz.experiment.interventions import Intervention, each_span, validate
from seqviz.language import tr
from seqviz.networks.layers import Stack, layer_names, signal_widths
from seqviz.networks.unroll import Unrolled

__all__ = ["Chain"]


@dataclass(eq=False)
class Chain:
    """The calls of one module in which each starts from the states that the one before it ended in, or some of them.

    ``prefix`` stands before the names of its signals; ``edits`` are those of its signals, named without it.
    """

    path: str
    prefix: str
    edits: list[Intervention]
    calls: list[Call] = field(default_factory=list)
    parts: list[Observed] = field(default_factory=list)
    held: tuple[Tensor, ...] = ()
    _seen: tuple[int, Observed] | None = None
    _steps: int = 0
    _counted: int = 0

    @property
    def stack(self) -> Stack:
        return self.calls[0].stack

    @property
    def steps(self) -> int:
        """How many steps the calls took so far."""
        while self._counted < len(self.calls):
            self._steps += self.calls[self._counted].steps
            self._counted += 1
        return self._steps

    @property
    def lengths(self) -> tuple[int, ...]:
        return lengths_of(self.calls)

    def continued_by(self, call: Call, kernel: Kernel) -> bool:
        """Whether a call starts from the last states of this chain, or the first batch elements of them.

        The numbers are compared, so that detaching and copying do not hide it; states of 0, which are where
        everything begins, must lie in the very memory of what was returned.
        """
        last = self.calls[-1]
        if call.packed is not None or last.packed is not None or call.stack.bidirectional:
            return False
        pairs = list(zip(call.first, last.last, strict=True))
        if not pairs or not all(_starts_with(first, before) for first, before in pairs):
            return False
        if any(first.count_nonzero() for first, _ in pairs):
            return True
        places = {_place(tensor) for tensor in self.held}
        return all(_place(state) in places for state in kernel.states)

    def resumed_by(self, call: Call, made_of: frozenset[Call]) -> bool:
        """Whether a call starts from the last states of this chain after something went over them.

        In a loop over the steps its states were ``made_of`` what the last call returned. Or, where a model hands
        numbers on and no tensors, a mask, a reset or zoneout explains them: every number is the one that the last call
        ended in, or the one that it started from, or 0, and some that are not 0 can only be of the first kind.
        """
        last = self.calls[-1]
        if call.packed is not None or last.packed is not None or call.stack.bidirectional:
            return False
        states = list(zip(call.first, last.last, last.first, strict=True))
        if not states or not all(first.shape == now.shape and first.device == now.device for first, now, _ in states):
            return False
        if last in made_of and call.steps == last.steps == 1:
            return not all(_are_rows_of(first, now) for first, now, _ in states)
        kinds = [(first == now, first == old, first == 0) for first, now, old in states]
        return all(bool((kept | held | reset).all()) for kept, held, reset in kinds) and any(
            bool((kept & ~held & ~reset).any()) for kept, held, reset in kinds
        )

    @property
    def changed(self) -> bool:
        """Whether somebody changed its states between two of its calls."""
        return any(call.changed for call in self.calls)

    def edited(self, call: Call) -> Unrolled:
        """Run a call again with the edits, and take down what it gives."""
        offset = self.steps
        if offset and any(_from_the_end(edit) for edit in self.edits):
            raise ValueError(
                tr(
                    "{path} goes through its sequence in several calls, so that steps cannot be counted from the end: "
                    "give the steps of an intervention from the start.",
                    path=self.path or type(self).__name__,
                )
            )
        seen, out = step_by_step(call, self.edits, offset)
        self.parts.append(seen)
        return out

    def observed(self) -> Observed:
        """Every signal over all the calls, each ``(L, N, H)``; those before the squashing only if there are edits."""
        if self._seen is None or self._seen[0] != len(self.calls):
            self._seen = len(self.calls), self._joined() if self.parts else observe(self.calls, detail=False)
        return self._seen[1]

    def knows(self, seen: Observed) -> None:
        """Take what is known of the calls so far from elsewhere."""
        self._seen = len(self.calls), seen

    def _joined(self) -> Observed:
        batch, parity = self.calls[0].batch, 0.0
        for part in self.parts:
            parity = worst(parity, part.parity)
        names = self.parts[0].signals
        return Observed({name: joined([part.signals[name] for part in self.parts], batch) for name in names}, parity)

    def signals(self, detail: bool) -> dict[str, Array]:
        """Its signals by their own names, as a trace shows them."""
        if detail and not self.parts:
            self.knows(observe(self.calls, detail=True))  # the others are among them
        found, stack = self.observed().signals, self.stack
        return {name: found[name] for name in signal_widths(stack, detail=detail)}

    def initial(self) -> dict[str, Array]:
        """The states before the first step, ``(N, H)``."""
        before = self.calls[0].before.items()
        names = enumerate(layer_names(self.stack))
        return {f"{end}.{name}": np.array(as_array(state)[k]) for k, (end, _, _) in names for name, state in before}

    def check(self) -> None:
        """Refuse an edit of a unit or step that there is not.

        Raises:
            ValueError: with those that there are.
        """
        if self.edits:
            validate(self.edits, signal_widths(self.stack), self.steps)

    def named(self, values: dict[str, Any]) -> dict[str, Any]:
        """The values by the names that they have beside other chains."""
        return {f"{self.prefix}.{name}": v for name, v in values.items()} if self.prefix else values


def _starts_with(first: Tensor, before: Tensor) -> bool:
    """Whether states ``(K, N, H)`` are the first rows of others."""
    if first.shape[1] > before.shape[1] or first.shape[::2] != before.shape[::2]:
        return False
    return first.device == before.device and torch.equal(first, before[:, : first.shape[1]])


def _are_rows_of(first: Tensor, before: Tensor) -> bool:
    """Whether states ``(K, N, H)`` are those of other batch elements: the batch was put into another order."""
    sums = [states.double().sum((0, 2)) for states in (first, before)]
    return bool(torch.isin(*sums).all()) and not torch.equal(*sums)


def _place(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _from_the_end(edit: Intervention) -> bool:
    return any(start < 0 or (stop is not None and stop < 0) for start, stop in each_span(edit.steps))
