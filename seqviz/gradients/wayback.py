"""What a loss left at every step on its way back through the calls of a run, put together by sequence."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from seqviz.capture.chains import Chain
from seqviz.capture.reconstruct import Array
from seqviz.capture.watch import Watch
from seqviz.cells.ran import rows
from seqviz.cells.step import parts
from seqviz.gradients.norms import norm, outer_norms
from seqviz.gradients.taps import Tap, oriented
from seqviz.networks.layers import layer_names, signal_widths

__all__ = ["WayBack", "way_back"]


class WayBack(NamedTuple):
    """Gradients by name: at signals ``(L, N, H)``, of each step's part of a weight ``(L,)``, of weights, and at the
    initial states ``(N, H)``."""

    arrays: dict[str, Array]
    shares: dict[str, Array]
    weights: dict[str, Array]
    initial: dict[str, Array]


def way_back(total: Tensor, watch: Watch) -> WayBack:
    """Let autograd go from a loss to every call that it depends on, and gather what was found there."""
    for tap in watch.taps:
        tap.clear()
    if watch.seed is not None and total.requires_grad:
        torch.autograd.grad(total, watch.seed, allow_unused=True)
    found = WayBack({}, {}, {}, {})
    with np.errstate(over="ignore", invalid="ignore"):
        for chain in watch.shown:
            one = _Gathered(chain, [tap for tap in watch.taps if tap.chain is chain])
            for mine, all_of_them in zip(one.result(), found, strict=True):
                all_of_them |= chain.named(mine)
    for tap in watch.taps:
        tap.close()
    return found


class _Gathered:
    """The gradients of one sequence, over all its calls."""

    def __init__(self, chain: Chain, taps: list[Tap]) -> None:
        self.chain, self.taps = chain, [tap for tap in taps if tap.x is not None]
        self._sizes: dict[int, tuple[Array, Array]] = {}
        self._added: dict[int, tuple[Array, Array, Array]] = {}
        self._gathered: dict[tuple[int, ...], Array] = {}
        self.whole = self.taps[0] if len(chain.calls) == 1 and self.taps else None

    def result(self) -> WayBack:
        """Everything, in the trace's order: signals first, then pre-activations."""
        found, pres = WayBack({}, {}, {}, {}), {}
        stack = self.chain.stack
        widths = signal_widths(stack)
        found.arrays["x"] = self._filled(widths["x"], lambda tap: tap.x)
        for k, (end, layer, reverse) in enumerate(layer_names(stack)):
            for state in dict.fromkeys((*reversed(stack.cell.states), "h")):
                name = f"{end}.{state}"
                found.arrays[name] = self._signal(end, state, widths[name], reverse)
                if state in stack.cell.states:
                    found.initial[f"{name}_0"] = self._start(end, state, widths[name])
            for signal in stack.cell.where:
                if signal.endswith("_pre"):
                    name = f"{end}.{signal}"
                    pres[name] = self._signal(end, signal, widths[name], reverse)
            self._weights(found, k, f"_l{layer}{'_reverse' if reverse else ''}", end, reverse)
        found.arrays.update(pres)
        return found

    def _weights(self, found: WayBack, k: int, suffix: str, end: str, reverse: bool) -> None:
        """What every step adds to the gradients of the weights of a layer, and all of it."""
        packing = self.chain.stack.cell.packing
        for name, tensor in parts(self.chain.stack.weights[k]).items():
            if not self.taps:
                kind = str(tensor.dtype).removeprefix("torch.")
                found.shares[name + suffix] = np.zeros(self.chain.steps)
                found.weights[name + suffix] = np.zeros(tuple(tensor.shape), kind)
                continue
            known = self._known(end, name, packing.get(name, (name,)))
            blocks = [self._factors(end, reverse, row) for row in known]
            shares = [self._share(left, right) for left, right in blocks]
            found.shares[name + suffix] = shares[0] if len(shares) == 1 else norm(np.stack(shares), 0)
            whole = [self._whole(left, right) for left, right in blocks]
            found.weights[name + suffix] = whole[0] if len(whole) == 1 else np.concatenate(whole)

    def _known(self, end: str, name: str, blocks: tuple[str, ...]) -> tuple[str, ...]:
        """A packed weight's own name where its gradient was made in one piece, else those of its blocks."""
        one = all(name in tap.passed[end].gradient.factors for tap in self.taps)
        return (name,) if one else blocks

    def _factors(self, end: str, reverse: bool, name: str) -> tuple[Array, Array | None]:
        """What the gradient of a weight is the product of, ``(L, N, ·)`` each, over all calls."""
        pairs = [tap.passed[end].gradient.factors[name] for tap in self.taps]
        one = self._side(end, reverse, name, 0)
        return one, None if pairs[0][1] is None else self._side(end, reverse, name, 1)

    def _side(self, end: str, reverse: bool, name: str, side: int) -> Array:
        sides = [_there(tap.passed[end].gradient.factors[name][side]) for tap in self.taps]
        key = tuple(map(id, sides))
        if key not in self._gathered:
            pick = lambda tap: oriented(_there(tap.passed[end].gradient.factors[name][side]), reverse)  # noqa: E731
            self._gathered[key] = self._filled(sides[0].shape[2], pick, max(part.shape[1] for part in sides))
        return self._gathered[key]

    def _share(self, left: Array, right: Array | None) -> Array:
        """The norm of what each step adds, ``(L,)``."""
        if right is not None:
            return self._outer(left, right)
        return self._size(left) if left.shape[1] == 1 else self._per_step(left)[1]

    def _whole(self, left: Array, right: Array | None) -> Array:
        """A weight's whole gradient."""
        return self._per_step(left)[0].sum(axis=0) if right is None else rows(left).T @ rows(right)

    def _per_step(self, left: Array) -> tuple[Array, Array]:
        """What every step adds to a bias, ``(L, A)``, and its norm ``(L,)``: once for both biases of a block."""
        known = self._added.get(id(left))
        if known is None:
            added = left.sum(axis=1)
            known = self._added[id(left)] = (left, added, norm(added, 1))
        return known[1:]

    def _outer(self, left: Array, right: Array) -> Array:
        """:func:`outer_norms`; a single sequence's factors are measured once for all the products."""
        return outer_norms(left, right) if left.shape[1] > 1 else self._size(left) * self._size(right)

    def _size(self, array: Array) -> Array:
        """The norm at every step ``(L,)`` of an array ``(L, 1, A)``."""
        known = self._sizes.get(id(array))
        if known is None:
            known = self._sizes[id(array)] = (array, norm(array[:, 0], 1))
        return known[1]

    def _signal(self, end: str, signal: str, width: int, reverse: bool) -> Array:
        return self._filled(width, lambda tap: oriented(tap.passed[end].gradient.at[signal], reverse))

    def _start(self, end: str, state: str, width: int) -> Array:
        """What reached the state before the first call."""
        first = next((tap for tap in self.taps if tap.index == 0), None)
        kind = self.chain.calls[0].x.dtype
        blank = np.zeros((self.chain.calls[0].batch, width), str(kind).removeprefix("torch."))
        return blank if first is None else np.array(first.passed[end].gradient.initial[state])

    def _filled(self, width: int, pick: Callable[[Tap], Array | None], batch: int = 0) -> Array:
        """``(L, N, width)`` in the order of the sequence, 0 at the calls that the loss did not reach."""
        if self.whole is not None:
            return _there(pick(self.whole))
        first = self.chain.calls[0]
        kind = str(first.x.dtype).removeprefix("torch.")
        found = np.zeros((self.chain.steps, max(batch, first.batch), width), kind)
        for tap in self.taps:
            part = _there(pick(tap))
            found[tap.offset : tap.offset + len(part), : part.shape[1]] = part
        return found


def _there(array: Array | None) -> Array:
    assert array is not None
    return array
