"""What happens to the learning signal on its way back through time.

:func:`gradient_flow` gives dL/d(everything) at every step, by the recursions of :mod:`seqviz.backward` on the
captured gates; autograd is only asked for the way from the loss to the recurrent layer's output.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from seqviz import vocabulary as words
from seqviz.backward import LayerGradient, LayerRun, backward
from seqviz.capture import capture
from seqviz.fromloss import Loss, Tops, from_loss
from seqviz.language import tr
from seqviz.layers import Recurrent, read_input, read_output
from seqviz.norms import log10_norm, norm, outer_norms
from seqviz.trace import Trace

__all__ = ["GradientFlow", "connectivity", "gradient_flow"]


@dataclass(frozen=True, eq=False, repr=False)
class GradientFlow:
    """Gradients of one loss at every step.

    ``flow["l0.h"]`` is dL/dh_t ``(L, N, H)`` and ``flow["l0.c"]`` dL/dc_t: total derivatives, everything that
    follows included, as ``retain_grad`` gives for the state of a loop over the steps. So dL/dh_t holds the way by
    the output at t and the way by step t+1; dL/dc_t holds the way by h_t and the way by c_{t+1}.
    ``flow["l0.f_pre"]`` is the gradient at a gate's pre-activation (``l0.h_pre`` in a plain RNN), and ``flow["x"]``
    ``(L, N, H_in)`` the gradient at the recurrent layer's input x_t. Names, shapes and batch order are the trace's.

    Args:
        arrays: those, by name, read-only; padding holds 0.
        shares: torch's weight names to ``(L,)``: the Frobenius norm of what each step adds to dL/dW.
        weights: torch's weight names to the whole dL/dW.
        loss: its value.
        trace: the forward run.
        problem: a sentence where the numbers cannot be drawn (overflow, a gradient of 0 everywhere); else empty.
    """

    arrays: Mapping[str, np.ndarray]
    shares: Mapping[str, np.ndarray]
    weights: Mapping[str, np.ndarray]
    loss: float
    trace: Trace
    problem: str = field(default="")

    def __getitem__(self, name: str) -> np.ndarray:
        try:
            return self.arrays[name]
        except KeyError:
            known = ", ".join(self.arrays)
            raise KeyError(tr("There is no gradient {name!r}. There are {known}.", name=name, known=known)) from None

    def __repr__(self) -> str:
        steps, batch = self["x"].shape[:2]
        says = f", problem={self.problem!r}" if self.problem else ""
        return f"GradientFlow(loss={self.loss:.6g}, L={steps}, N={batch}, gradients: {', '.join(self.arrays)}{says})"

    def norms(self, name: str, batch: int | None = None) -> np.ndarray:
        """The Euclidean norm at every step, ``(L,)`` float64: over units, and over the batch unless one is chosen.

        0 only where every gradient is 0: numbers are scaled before they are squared.
        """
        return norm(self[name] if batch is None else self[name][:, batch : batch + 1], (1, 2))

    def log10_norms(self, name: str, batch: int | None = None) -> np.ndarray:
        """log10 of :meth:`norms`, also where that is beyond a double; -inf where every gradient is 0."""
        return log10_norm(self[name] if batch is None else self[name][:, batch : batch + 1], (1, 2))


def gradient_flow(
    module: nn.Module,
    x: Any,
    hx: Any = None,
    loss: Loss = "last",
    *,
    dtype: torch.dtype | None = None,
) -> GradientFlow:
    """dL/dh_t, dL/dc_t, dL/dx_t and dL/d(pre-activation) at every step, layer and direction.

    Args:
        module: one of our networks, an ``nn.RNN``, ``nn.GRU`` or ``nn.LSTM``, or a module with one of them that
            is called once. In training mode it must have no dropout between layers.
        x: its input, as :func:`seqviz.capture` takes it.
        hx: the state before the first step.
        loss: of the module's output (y of our networks, h of a recurrent layer, the first part of a tuple):
            ``"last"`` sums it over units and batch at each sequence's last step, or all of it where the module
            gives no steps but one answer; ``"sum"`` over all steps; ``"mean"`` takes the mean; ``(step, unit)``
            is that one output, summed over the batch; or a function of the output that gives a scalar.
        dtype: ``torch.float64`` runs a copy of the module in that precision. A gradient too small for the
            precision, below 1e-38 in float32 and 1e-308 in float64, is 0.

    Returns:
        A :class:`GradientFlow`.

    Raises:
        ValueError: no recurrent layer or several, or one that is called more than once; dropout in training
            mode; a loss that is no scalar or asks for an output that is not there.
    """
    if dtype is not None:
        module, x, hx = copy.deepcopy(module).to(dtype), _to(x, dtype), _to(hx, dtype)
    rnn = _recurrent(module)
    state = torch.get_rng_state()
    trace = capture(module, x, hx)
    with torch.random.fork_rng(devices=[]):  # a module that draws random numbers draws the same ones again
        torch.set_rng_state(state)
        value, tops = from_loss(module, rnn, x, hx, loss)
    given = read_input(rnn, tops.x, tops.hx)
    with np.errstate(over="ignore", invalid="ignore"), _flushing():  # `problem` says so, once
        arrays, shares, weights = _through_layers(rnn, trace, given, tops)
    problem = _problem(value, arrays)
    return GradientFlow(_frozen(arrays), _frozen(shares), _frozen(weights), value, trace, problem)


def _frozen(arrays: dict[str, np.ndarray]) -> Mapping[str, np.ndarray]:
    for array in arrays.values():
        array.flags.writeable = False
    return MappingProxyType(arrays)


@contextmanager
def _flushing() -> Iterator[None]:
    """Let this thread's processor take numbers too small for full precision as 0.

    A gradient that vanishes spends dozens of steps among them, and each operation on one costs a hundred others.
    """
    already = bool(torch.full((1,), 2e-38).div_(16.0).eq(0.0))
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(already)


def connectivity(
    module: nn.Module,
    x: Any,
    hx: Any = None,
    output: tuple[int, int] | str = "last",
    *,
    dtype: torch.dtype | None = None,
) -> np.ndarray:
    """How much each input step matters to a chosen output: the squared norm of its gradient.

    After Madsen 2019, https://distill.pub/2019/memorization-in-rnns/.

    Args:
        module, x, hx, dtype: as for :func:`gradient_flow`.
        output: ``(step, unit)`` of the module's output, or ``"last"``: the sum over its last step.

    Returns:
        ``(L, N)`` float64. A square below 5e-324, of a norm below 2e-162, is 0: ``gradient_flow(...).norms("x")``
        holds the norm itself.

    Raises:
        ValueError: as for :func:`gradient_flow`; no such output, a network that overflowed, or a square above 1.8e308.
    """
    if output != "last" and not isinstance(output, tuple):
        raise ValueError(tr("The output must be (step, unit) or 'last', not {output!r}.", output=output))
    flow = gradient_flow(module, x, hx, output, dtype=dtype)
    if not np.isfinite(flow["x"]).all():
        raise ValueError(flow.problem)
    with np.errstate(over="ignore"):
        squares: np.ndarray = norm(flow["x"], 2) ** 2
    if np.isinf(squares).any():
        raise ValueError(
            tr(
                "The squared norm is beyond what a double holds at step {step}; take gradient_flow(...).norms('x').",
                step=int(np.isinf(squares).any(axis=1).argmax()),
            )
        )
    return squares


def _to(value: Any, dtype: torch.dtype) -> Any:
    if isinstance(value, tuple) and not isinstance(value, PackedSequence):
        return tuple(_to(part, dtype) for part in value)
    if isinstance(value, PackedSequence):
        return value.to(dtype)
    return value.to(dtype) if isinstance(value, Tensor) and value.is_floating_point() else value


def _recurrent(module: nn.Module) -> Recurrent:
    found = [m for m in module.modules() if isinstance(m, nn.RNN | nn.GRU | nn.LSTM)]
    if (count := len(found)) != 1:
        raise ValueError(
            tr("A gradient flow needs a module with one recurrent layer stack; this one has {count}.", count=count)
        )
    rnn = found[0]
    if rnn.training and rnn.dropout and rnn.num_layers > 1:
        raise ValueError(tr("The module drops units out between its layers; call module.eval() first."))
    return rnn


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy()


def _through_layers(
    rnn: Recurrent, trace: Trace, given: Any, tops: Tops
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, np.ndarray]]:
    raw = tops.raw._replace(data=tops.out) if isinstance(tops.raw, PackedSequence) else tops.out
    e = _array(read_output(rnn, raw)).copy()
    states = [_array(s if s.dim() == 3 else s.unsqueeze(1)) for s in tops.states]
    lengths = None if given.lengths is None else given.lengths.numpy()
    directions = 2 if rnn.bidirectional else 1
    arrays: dict[str, np.ndarray] = {}
    shares: dict[str, np.ndarray] = {}
    weights: dict[str, np.ndarray] = {}
    for layer in range(rnn.num_layers - 1, -1, -1):
        parts = np.split(e, directions, axis=2)
        below = _array(given.x) if layer == 0 else _output(trace, layer - 1, directions)
        e = np.zeros_like(below)
        for k, part in enumerate(parts):
            run = _layer_run(rnn, trace, below, layer, bool(k), lengths)
            tail = [s[layer * directions + k] for s in states]
            found = backward(run, *_with_tail(part, tail, lengths, bool(k), run))
            _store(arrays, shares, weights, run, found, layer, bool(k))
            e += _oriented(found.x, bool(k))
    names = ["x", *(name for name in trace.signals if name in arrays), *(n for n in arrays if n.endswith("_pre"))]
    arrays["x"] = e
    return {name: arrays[name] for name in names}, shares, weights


def _output(trace: Trace, layer: int, directions: int) -> np.ndarray:
    names = [words.signal_name(layer, "h", reverse=bool(k)) for k in range(directions)]
    return np.concatenate([trace[name] for name in names], axis=2)


def _oriented(array: np.ndarray, reverse: bool) -> np.ndarray:
    """To or from the order of processing: a reverse direction starts at the last step."""
    return array[::-1] if reverse else array


def _layer_run(
    rnn: Recurrent, trace: Trace, below: np.ndarray, layer: int, reverse: bool, lengths: np.ndarray | None
) -> LayerRun:
    suffix = f"_l{layer}{'_reverse' if reverse else ''}"
    name = lambda signal: words.signal_name(layer, signal, reverse=reverse)  # noqa: E731
    signals = {s: _oriented(trace[name(s)], reverse) for s in words.SIGNALS[rnn.mode]}
    valid = None
    if lengths is not None:
        valid = _oriented(np.arange(len(below))[:, None] < lengths, reverse)
    before = {s: _before(signals[s], trace.initial[name(s)], valid) for s in ("h", "c") if s in signals}
    weight = lambda part: getattr(rnn, part + suffix, None)  # noqa: E731
    tensors = [weight(part) for part in ("weight_ih", "weight_hh", "bias_hh", "weight_hr", "bias_ih")]
    w_ih, w_hh, b_hh, w_hr, b_ih = (None if t is None else _array(t) for t in tensors)
    assert w_ih is not None
    assert w_hh is not None
    x = _oriented(below, reverse)
    return LayerRun(rnn.mode, x, signals, before["h"], before.get("c"), valid, w_ih, w_hh, b_hh, w_hr, b_ih)


def _before(state: np.ndarray, first: np.ndarray, valid: np.ndarray | None) -> np.ndarray:
    """The state before each step ``(L, N, H)``; after padding it is still the initial one."""
    shifted = np.concatenate([first[None], state[:-1]])
    if valid is None:
        return shifted
    started = np.concatenate([np.zeros_like(valid[:1]), valid[:-1]])
    return np.where(started[..., None], shifted, first[None])


def _with_tail(
    e: np.ndarray, tail: list[np.ndarray], lengths: np.ndarray | None, reverse: bool, run: LayerRun
) -> tuple[np.ndarray, np.ndarray | None]:
    """Add what reached h_n and c_n to the step that made them; give both in the order of processing."""
    e = _oriented(e, reverse).copy()
    last = np.full(e.shape[1], len(e) - 1) if lengths is None or reverse else lengths - 1
    batch = np.arange(e.shape[1])
    e[last, batch] += tail[0]
    if len(tail) == 1 or not tail[1].any():
        return e, None
    e_c = np.zeros_like(run.signals["c"])
    e_c[last, batch] += tail[1]
    return e, e_c


def _store(
    arrays: dict[str, np.ndarray],
    shares: dict[str, np.ndarray],
    weights: dict[str, np.ndarray],
    run: LayerRun,
    found: LayerGradient,
    layer: int,
    reverse: bool,
) -> None:
    name = lambda signal: words.signal_name(layer, signal, reverse=reverse)  # noqa: E731
    arrays[name("h")] = _oriented(found.h, reverse)
    if found.c is not None:
        arrays[name("c")] = _oriented(found.c, reverse)
    blocks = words.BLOCKS[run.mode]
    for block, part in zip(blocks, np.split(found.pre, len(blocks), axis=2), strict=True):
        arrays[name(f"{block}_pre")] = _oriented(part, reverse)
    suffix = f"_l{layer}{'_reverse' if reverse else ''}"
    pairs = {"weight_ih": (found.ih, run.x), "weight_hh": (found.hh, run.h_before)}
    if found.hr is not None:
        pairs["weight_hr"] = (found.hr, run.signals["o"] * np.tanh(run.signals["c"]))
    for weight, (left, right) in pairs.items():
        shares[weight + suffix] = _oriented(outer_norms(left, right), reverse)
        weights[weight + suffix] = left.reshape(-1, left.shape[2]).T @ right.reshape(-1, right.shape[2])


def _problem(loss: float, arrays: dict[str, np.ndarray]) -> str:
    if not np.isfinite(loss):
        return tr("The loss is {loss}: the network overflowed, so there is no gradient to draw.", loss=loss)
    if not all(np.isfinite(array).all() for array in arrays.values()):
        return tr(
            "The gradient overflowed to infinity on its way back; a smaller gain or spectral radius keeps it finite."
        )
    states = [array for name, array in arrays.items() if name.endswith(".h")]
    if not any(array.any() for array in states):
        return tr("The gradient is 0 everywhere: the loss does not depend on any hidden state.")
    return ""
