"""Which steps and batch elements of a recurrent layer's output a part of a module's output is made of."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from seqviz.capture.chains import Chain
from seqviz.gradients.taps import Tap, tap_of

__all__ = ["Reach", "direct_taps"]


def direct_taps(y: Tensor) -> list[Tap]:
    """The calls that an output hangs on with no other call in between."""
    found: list[Tap] = []
    seen: set[object] = set()
    waiting = [] if y.grad_fn is None else [y.grad_fn]
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if (tap := tap_of(node)) is not None:
            found.append(tap)
        else:
            waiting += [after for after, _ in node.next_functions if after is not None]
    return sorted(found, key=lambda tap: tap.offset)


class Reach:
    """How an output hangs on the steps and batch elements of one sequence, asked of autograd place by place.

    ``taps`` are the calls that it hangs on with no other in between, ``every`` all of the run.
    """

    def __init__(self, y: Tensor, chain: Chain, taps: list[Tap], every: list[Tap]) -> None:
        self.y, self.chain, self.every = y, chain, every
        self.taps = [tap for tap in taps if tap.chain is chain]
        self.steps, self.batch = chain.steps, chain.calls[0].batch

    def of(self, part: Tensor) -> Tensor:
        """``(L, N)``, true where a part of the output hangs on the layer's output."""
        found = torch.zeros(self.steps, self.batch, dtype=torch.bool)
        if not part.requires_grad or not self.taps:
            return found
        draw = torch.Generator().manual_seed(0)
        weights = 1 + torch.rand(part.shape, generator=draw)
        total = (part * weights.to(part.device, part.dtype)).sum()
        outputs = [out for tap in self.taps for out in tap.outputs]
        grads = iter(self._grads(total, outputs))
        for tap in self.taps:
            rows = found[tap.offset :]
            for place in tap.places([next(grads) for _ in tap.outputs]):
                rows[: len(place), : place.shape[1]] |= place
        return found

    def _grads(self, total: Tensor, outputs: list[Tensor]) -> tuple[Tensor | None, ...]:
        """Gradients at outputs of the layer by the ways that lead through no other call."""
        for tap in self.every:
            tap.muted = True
        try:
            return torch.autograd.grad(total, outputs, retain_graph=True, allow_unused=True)
        finally:
            for tap in self.every:
                tap.muted = False

    def rating(self, turn: Callable[[Tensor], Tensor]) -> int:
        """How well a view as ``(L, N, ...)`` is borne out: 0 not at all, 1 not told, 2 among others, 3 exactly."""
        turned = turn(self.y)
        if self.steps == 1:
            return 3
        lengths = self.chain.lengths
        last = self.batch - 1
        ratings = [self._at(turned, step, n) for step, n in {(0, last), (lengths[0] - 1, 0), (lengths[last] - 1, last)}]
        return min(ratings)

    def _at(self, turned: Tensor, step: int, element: int) -> int:
        reached = self.of(turned[step, element])
        if not reached.any():
            return 1
        if not reached[step, element]:
            return 0
        others = reached.clone()
        others[:, element] = False
        if others.any():
            return 1
        return 3 if int(reached.sum()) == 1 else 2

    def everywhere_alike(self) -> bool:
        """Whether all of an output hangs on the same steps, so that it is one answer and has no time of its own."""
        y = self.y
        if y.dim() == 0 or not self.taps:
            return True
        sets = []
        for axis in range(y.dim()):
            if y.shape[axis] == self.batch and self.batch > 1:
                continue
            sets += [self.of(y.select(axis, k)).any(1) for k in {0, y.shape[axis] - 1}]
        told = [steps for steps in sets if steps.any()]
        return all(torch.equal(steps, told[0]) for steps in told)
