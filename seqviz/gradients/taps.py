"""The way back through the calls of recurrent layers: autograd goes between them, our recursions go through them.

A call's outputs hang on a :class:`Tap` in place of torch's own graph. Where a loss reaches it, it carries the gradient
back from the captured gates, keeps what it finds at every step, and hands on what reaches the input and the states.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.utils.rnn import PackedSequence

from seqviz.capture.chains import Chain
from seqviz.capture.kernels import Call, Kernel
from seqviz.capture.observe import as_array, valid_steps
from seqviz.capture.reconstruct import Array, previous
from seqviz.cells.ran import Pulled, Ran
from seqviz.cells.step import parts
from seqviz.gradients.backward import backward
from seqviz.gradients.gains import gains_of
from seqviz.language import tr
from seqviz.networks.layers import layer_names, signal_widths

__all__ = ["Passed", "Tap", "oriented", "tap_of"]


class Passed(NamedTuple):
    """One layer and direction of one call on the way back, in the order of processing."""

    run: Ran
    gradient: Pulled


class Tap:
    """One call on the way back.

    ``passed`` has what was found, by layer and direction, once a loss came by; ``x`` ``(L, N, H_in)`` is the
    gradient at its input, and ``under`` that beneath the edits of the input. ``outputs`` are the tensors that the
    module got. While it is ``muted`` nothing goes through it.
    """

    def __init__(self, chain: Chain, index: int, kernel: Kernel, packed: PackedSequence | None) -> None:
        self.chain: Chain | None = chain
        self.index, self.kernel, self.packed = index, kernel, packed
        self.offset = chain.steps - chain.calls[index].steps
        self.muted = False
        self.passed: dict[str, Passed] = {}
        self.x: Array | None = None
        self.under: Array | None = None
        self.outputs: tuple[Tensor, ...] = ()

    def attach(self, parts: tuple[Tensor, ...], seed: Tensor | None) -> tuple[Tensor, ...]:
        """The outputs of the call, with this tap behind them."""
        own = tuple(part.clone() if part._is_view() else part for part in parts)
        self.outputs = _Through.apply(self, own, seed, self.kernel.value, *self.kernel.states)
        return self.outputs

    def clear(self) -> None:
        """Forget what was found: a module may have gone back through its own run."""
        self.passed, self.x, self.under = {}, None, None

    def close(self) -> None:
        """The run is over: nothing comes by any more, and nothing is held for it."""
        self.chain, self.outputs = None, ()

    def back(self, grads: tuple[Tensor | None, ...]) -> tuple[Tensor, ...]:
        """From the gradients at the outputs, where there are any, to those at the input and the states."""
        if self.chain is None:
            raise RuntimeError(tr("The run of seqviz.gradient_flow is over; detach the states that the module kept."))
        call, kernel = self.chain.calls[self.index], self.kernel
        e, *tails = self._arrived(call, grads)
        initial = {name: np.zeros(first.shape, e.dtype) for name, first in call.before.items()}
        signals = self._signals(call)
        with np.errstate(over="ignore", invalid="ignore"):  # `problem` says so, once
            names = list(enumerate(layer_names(call.stack)))
            for layer in range(call.stack.num_layers - 1, -1, -1):
                ends = [(k, end, reverse) for k, (end, at, reverse) in names if at == layer]
                below = _below(signals, layer, len(ends))
                parts, e = np.split(e, len(ends), axis=2), np.zeros_like(below)
                for part, (k, end, reverse) in zip(parts, ends, strict=True):
                    run = self._run(call, signals, below, (k, end, reverse))
                    gradient = backward(run, _with_tails(part, [tail[k] for tail in tails], call, reverse))
                    self.passed[end] = Passed(run, gradient)
                    e += oriented(gradient.x, reverse)
                    for name, found in gradient.initial.items():
                        initial[name][k] = found
        self.x, gain = e, self._gains("x", reverse=False).get("x")
        self.under = e if gain is None else np.where(gain == 0, 0, e * gain).astype(e.dtype)
        value = kernel.as_given(_tensor(self.under, kernel.value), call.packed)
        states = zip(initial.values(), kernel.states, strict=True)
        return value, *(kernel.state_as_given(_tensor(found, state), call.packed) for found, state in states)

    def places(self, grads: list[Tensor | None]) -> list[Tensor]:
        """Each ``(steps, N)``: where gradients at the outputs are not 0; a state's is at the step that made it."""
        assert self.chain is not None
        call, kernel = self.chain.calls[self.index], self.kernel
        found = []
        for k, grad in enumerate(grads):
            if grad is None:
                continue
            if k == 0 and not kernel.cell:
                found.append(kernel.time_first(grad, call.packed).ne(0).any(-1).cpu())
                continue
            reached = kernel.state(grad, call.packed).ne(0).any(-1).cpu()
            steps = torch.zeros(call.steps, call.batch, dtype=torch.bool)
            last = torch.full((call.batch,), call.steps) if call.lengths is None else call.lengths
            ways = 2 if call.stack.bidirectional else 1
            steps[last - 1, torch.arange(call.batch)] |= reached[::ways].any(0)
            if ways == 2:
                steps[0] |= reached[1::2].any(0)
            found.append(steps)
        return found

    def _arrived(self, call: Call, grads: tuple[Tensor | None, ...]) -> list[Array]:
        """dL/d(output) ``(L, N, D*H)``, and at the last states ``(D*K, N, H)``, as far as they were reached."""
        kind, kernel = call.x.dtype, self.kernel
        e = torch.zeros_like(call.out) if grads[0] is None else kernel.time_first(grads[0].to(kind), call.packed)
        states = [None, *grads[1:]] if kernel.cell else grads[1:]
        found = [as_array(e)]
        for state, like in zip(states, call.last, strict=True):
            whole = torch.zeros_like(like) if state is None else kernel.state(state.to(kind), call.packed)
            found.append(as_array(whole))
        return found

    def _signals(self, call: Call) -> dict[str, Array]:
        assert self.chain is not None
        found = self.chain.observed().signals
        if len(self.chain.calls) == 1:
            return found
        span = slice(self.offset, self.offset + call.steps)
        return {name: array[span, : call.batch] for name, array in found.items()}

    def _run(self, call: Call, signals: dict[str, Array], below: Array, place: tuple[int, str, bool]) -> Ran:
        k, end, reverse = place
        cell, width = call.stack.cell, call.stack.proj_size
        weights = {name: as_array(tensor) for name, tensor in parts(call.stack.weights[k]).items()}
        start = len(end) + 1
        mine = {n[start:]: oriented(a, reverse) for n, a in signals.items() if n.startswith(f"{end}.")}
        valid = valid_steps([call])
        valid = None if valid is None else oriented(valid, reverse)
        before = {name: previous(mine[name], as_array(first[k]), valid) for name, first in call.before.items()}
        gains = self._gains(end, reverse) or None
        cell = cell.projected(width) if width else cell
        return Ran(cell, oriented(below, reverse), mine, before, weights, valid, gains)

    def _gains(self, end: str, reverse: bool) -> dict[str, Array]:
        """What the edits do to a gradient that passes them, in the order of processing."""
        assert self.chain is not None
        if not self.chain.edits:
            return {}
        call = self.chain.calls[self.index]
        stop = self.offset + call.steps
        found = gains_of(self.chain.edits, end, stop, signal_widths(call.stack))
        return {name: oriented(gain[self.offset :], reverse) for name, gain in found.items()}


class _Through(torch.autograd.Function):
    """What autograd sees of a tap."""

    @staticmethod
    def forward(ctx: Any, tap: Tap, parts: tuple[Tensor, ...], seed: Tensor, *given: Tensor) -> tuple[Tensor, ...]:
        ctx.tap = tap
        ctx.set_materialize_grads(False)
        return parts

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Any, ...]:
        if ctx.tap.muted:
            return (None,) * (4 + len(ctx.tap.kernel.states))
        return None, None, None, *ctx.tap.back(grads)


def oriented(array: Array, reverse: bool) -> Array:
    """To or from the order of processing: a reverse direction starts at the last step."""
    return array[::-1] if reverse else array


def _tensor(found: Array, like: Tensor) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(found)).to(like.device, like.dtype)


def _below(signals: dict[str, Array], layer: int, directions: int) -> Array:
    """The input ``(L, N, ...)`` of a layer."""
    if not layer:
        return signals["x"]
    names = [f"l{layer - 1}{'_reverse' if way else ''}.h" for way in range(directions)]
    return signals[names[0]] if directions == 1 else np.concatenate([signals[name] for name in names], axis=2)


def _with_tails(e: Array, tails: list[Array], call: Call, reverse: bool) -> dict[str, Array]:
    """What reached h and the last states, each at the step that made it and in the order of processing."""
    found = {"h": oriented(e, reverse).copy()}
    ends = None if reverse else call.lengths
    last = np.full(call.batch, call.steps - 1) if ends is None else ends.numpy() - 1
    batch = np.arange(call.batch)
    for name, tail in zip(call.before, tails, strict=True):
        if name == "h" or tail.any():
            found.setdefault(name, np.zeros((*e.shape[:2], tail.shape[1]), e.dtype))[last, batch] += tail
    return found


def tap_of(node: Any) -> Tap | None:
    """The tap behind a node of autograd's graph, if there is one."""
    tap = getattr(node, "tap", None)
    return tap if isinstance(tap, Tap) else None
