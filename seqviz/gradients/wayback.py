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
from seqviz.gradients.norms import norm, outer_norms
from seqviz.gradients.taps import Passed, Tap, flushing, oriented
from seqviz.networks.layers import layer_names
from seqviz.vocabulary import BLOCKS

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
    with np.errstate(over="ignore", invalid="ignore"), flushing():
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
        self.whole = self.taps[0] if len(chain.calls) == 1 and self.taps else None

    def result(self) -> WayBack:
        """Everything, in the trace's order: signals first, then pre-activations."""
        found, pres = WayBack({}, {}, {}, {}), {}
        signals, stack = self.chain.observed().signals, self.chain.stack
        found.arrays["x"] = self._filled(signals["x"].shape[2], lambda tap: tap.x)
        for k, (end, layer, reverse) in enumerate(layer_names(stack)):
            for state in ("c", "h"):
                if (like := signals.get(f"{end}.{state}")) is not None:
                    name = f"{end}.{state}"
                    found.arrays[name] = self._states(end, state, like.shape[2], reverse)
                    found.initial[f"{name}_0"] = self._start(end, f"{state}_0", like.shape[2])
            pre = self._of(end, reverse, stack.weights[k].weight_ih.shape[0], lambda p: p.gradient.pre)
            for block, part in zip(BLOCKS[stack.mode], np.split(pre, len(BLOCKS[stack.mode]), axis=2), strict=True):
                pres[f"{end}.{block}_pre"] = part
            self._weights(found, k, f"_l{layer}{'_reverse' if reverse else ''}", end, reverse)
        found.arrays.update(pres)
        return found

    def _weights(self, found: WayBack, k: int, suffix: str, end: str, reverse: bool) -> None:
        """What every step adds to the gradients of the weights of a layer, and all of it."""
        w_ih, w_hh, b_ih, b_hh, w_hr = self.chain.stack.weights[k]
        of = lambda width, pick: self._of(end, reverse, width, pick)  # noqa: E731
        ih = of(len(w_ih), lambda p: p.gradient.ih)
        one = all(tap.passed[end].gradient.hh is tap.passed[end].gradient.ih for tap in self.taps)
        hh = ih if one else of(len(w_hh), lambda p: p.gradient.hh)
        pairs = {
            "weight_ih": (ih, of(w_ih.shape[1], lambda p: p.run.x)),
            "weight_hh": (hh, of(w_hh.shape[1], lambda p: p.run.h_before)),
        }
        if w_hr is not None:
            pairs["weight_hr"] = (of(w_hr.shape[0], lambda p: p.gradient.hr), of(w_hr.shape[1], _unprojected))
        for weight, (left, right) in pairs.items():
            found.shares[weight + suffix] = self._outer(left, right)
            found.weights[weight + suffix] = left.reshape(-1, left.shape[2]).T @ right.reshape(-1, right.shape[2])
        if b_ih is None or b_hh is None:
            return
        at_ih = ih.sum(axis=1)
        at_hh = at_ih if hh is ih else hh.sum(axis=1)
        found.shares["bias_ih" + suffix] = self._size(ih) if ih.shape[1] == 1 else norm(at_ih, 1)
        found.shares["bias_hh" + suffix] = self._size(hh) if hh.shape[1] == 1 else norm(at_hh, 1)
        found.weights["bias_ih" + suffix], found.weights["bias_hh" + suffix] = at_ih.sum(axis=0), at_hh.sum(axis=0)

    def _outer(self, left: Array, right: Array) -> Array:
        """:func:`outer_norms`; a single sequence's factors are measured once for all the products."""
        return outer_norms(left, right) if left.shape[1] > 1 else self._size(left) * self._size(right)

    def _size(self, array: Array) -> Array:
        """The norm at every step ``(L,)`` of an array ``(L, 1, A)``."""
        known = self._sizes.get(id(array))
        if known is None:
            known = self._sizes[id(array)] = (array, norm(array[:, 0], 1))
        return known[1]

    def _states(self, end: str, state: str, width: int, reverse: bool) -> Array:
        return self._of(end, reverse, width, lambda passed: getattr(passed.gradient, state))

    def _start(self, end: str, name: str, width: int) -> Array:
        """What reached the state before the first call."""
        first = next((tap for tap in self.taps if tap.index == 0), None)
        kind = self.chain.calls[0].x.dtype
        blank = np.zeros((self.chain.calls[0].batch, width), str(kind).removeprefix("torch."))
        return blank if first is None else np.array(getattr(first.passed[end].gradient, name))

    def _of(self, end: str, reverse: bool, width: int, pick: Callable[[Passed], Array | None]) -> Array:
        return self._filled(width, lambda tap: oriented(_there(pick(tap.passed[end])), reverse))

    def _filled(self, width: int, pick: Callable[[Tap], Array | None]) -> Array:
        """``(L, N, width)`` in the order of the sequence, 0 at the calls that the loss did not reach."""
        if self.whole is not None:
            return _there(pick(self.whole))
        first = self.chain.calls[0]
        kind = str(first.x.dtype).removeprefix("torch.")
        found = np.zeros((self.chain.steps, first.batch, width), kind)
        for tap in self.taps:
            part = _there(pick(tap))
            found[tap.offset : tap.offset + len(part), : part.shape[1]] = part
        return found


def _there(array: Array | None) -> Array:
    assert array is not None
    return array


def _unprojected(passed: Passed) -> Array:
    """What an LSTM's projection projects, as it was after its edits."""
    signals = passed.run.signals
    known = signals.get("h_pre")
    return signals["o"] * np.tanh(signals["c"]) if known is None else known
