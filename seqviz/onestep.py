"""How one step passes a small change of the state on: the Jacobian ``d s_t / d s_{t-1}``, from the gates alone.

The derivatives of the documented lines of torch's layers,
https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html and its GRU and RNN pages. The state s is h, and
(h, c) for an LSTM, of one layer, direction and batch element; the layer's input is held fixed. Steps are in the
order of processing: for a reverse direction index 0 is the last step of the sequence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from seqviz import vocabulary as words
from seqviz.capture import capture
from seqviz.language import tr
from seqviz.trace import Trace, no_layer

__all__ = ["Run", "gru_slopes", "lstm_slopes", "read_run", "rnn_slope", "step_jacobians"]

Array = np.ndarray


@dataclass(frozen=True)
class Run:
    """One layer, direction and batch element as it ran, in float64.

    ``s`` holds its signals ``(L, H)``, and ``h_`` and ``c_``, the states before each step; ``w`` is
    ``weight_hh`` ``(G*H, H)`` and ``b`` ``bias_hh`` ``(G*H,)``.
    """

    mode: str
    s: dict[str, Array]
    w: Array
    b: Array | None

    @property
    def problem(self) -> str:
        """A sentence if the run left the finite numbers, else empty."""
        bad = np.zeros(len(self.s["h"]), dtype=bool)
        for values in self.s.values():
            bad |= ~np.isfinite(values).all(axis=1)
        if not bad.any():
            return ""
        return tr("The network overflowed at step {step}: it has no Jacobians from there.", step=int(bad.argmax()))

    def jacobians(self, index: Any = slice(None)) -> Array:
        """``d s_t / d s_{t-1}`` of the chosen steps, ``(len(index), S, S)``."""
        s = {name: values[index] for name, values in self.s.items()}
        return {words.LSTM: _lstm, words.GRU: _gru}.get(self.mode, _rnn)(self.mode, s, self.w, self.b)


def read_run(
    module: nn.Module, x: Any, hx: Any, trace: Trace | None, layer: int, batch: int, reverse: bool
) -> tuple[Run, Trace]:
    """Run the module, unless its trace is given, and pick one layer, batch element and direction.

    Raises:
        ValueError: several recurrent modules, a projection, or a layer, direction or batch element that is not there.
    """
    if isinstance(module, Trace):
        raise ValueError(tr("A trace has no weights: give the module first, and its trace as trace=."))
    trace = capture(module, x, hx) if trace is None else trace
    if (count := len(trace.modes)) != 1:
        raise ValueError(tr("Jacobians need one recurrent module, called once; this trace has {count}.", count=count))
    (mode,) = trace.modes.values()
    if mode not in words.CELLS:
        raise ValueError(tr("The network has no recurrent state, so it has no Jacobians through time."))
    s = _signals(trace, mode, layer, batch, reverse)
    return Run(mode, s, *_weights(module, layer, reverse)), trace


def _signals(trace: Trace, mode: str, layer: int, batch: int, reverse: bool) -> dict[str, Array]:
    found = {}
    for signal in words.SIGNALS[mode]:
        name = words.signal_name(layer, signal, reverse=reverse)
        if name not in trace:
            raise ValueError(no_layer(layer, reverse))
        lengths = trace.lengths_of(name)
        if not 0 <= batch < len(lengths):
            last = len(lengths) - 1
            raise ValueError(
                tr("There are batch elements 0 to {last}; {batch} does not exist.", last=last, batch=batch)
            )
        values = trace[name][: lengths[batch], batch].astype(np.float64)
        found[signal] = values[::-1] if reverse else values
        if signal in "hc":
            first = trace.initial[name][batch : batch + 1].astype(np.float64)
            found[f"{signal}_"] = np.concatenate([first, found[signal][:-1]])
    return found


def _weights(module: nn.Module, layer: int, reverse: bool) -> tuple[Array, Array | None]:
    rnn = next((m for m in module.modules() if isinstance(m, nn.RNNBase)), None)
    if rnn is None:
        raise ValueError(tr("The module has no nn.RNN, nn.GRU or nn.LSTM."))
    if rnn.proj_size:
        raise ValueError(tr("Jacobians of an LSTM with a projection are not available; its gradient flow is."))
    suffix = f"_l{layer}{'_reverse' if reverse else ''}"
    tensors = (getattr(rnn, part + suffix, None) for part in ("weight_hh", "bias_hh"))
    w, b = (None if t is None else t.detach().cpu().numpy().astype(np.float64) for t in tensors)
    assert w is not None
    return w, b


def step_jacobians(
    module: nn.Module,
    x: Any,
    hx: Any = None,
    *,
    trace: Trace | None = None,
    layer: int = 0,
    batch: int = 0,
    reverse: bool = False,
) -> Array:
    """``d s_t / d s_{t-1}`` at every step, ``(L, S, S)`` float64: s is h, and (h, c) for an LSTM.

    Args:
        module: a network or layer with one recurrent stack.
        x, hx: its input, as for :func:`seqviz.capture`; not run again where `trace` is given.
        trace: its run, if there is one already.
        layer, batch, reverse: which state; in a deeper layer the output of the layer below is held fixed.

    Raises:
        ValueError: no such state, several recurrent modules, or an LSTM with a projection.
    """
    return read_run(module, x, hx, trace, layer, batch, reverse)[0].jacobians()


def rnn_slope(mode: str, s: dict[str, Array]) -> Array:
    """dh/d(h_pre), ``(L, H)``; NaN past an overflow, which a comparison alone would take for a dead unit."""
    h = s["h"]
    return np.where(np.isfinite(h), h > 0, np.nan) if mode == words.RNN_RELU else 1 - h**2


def gru_slopes(s: dict[str, Array], w: Array, b: Array | None) -> tuple[Array, Array, Array]:
    """dh/d(r_pre), dh/d(z_pre) and dh/d(W_hn h + b_hn), each ``(L, H)``."""
    r, z, n, before = s["r"], s["z"], s["n"], s["h_"]
    w_n = np.split(w, 3)[2]
    q = before @ w_n.T + (0.0 if b is None else np.split(b, 3)[2])
    to_n = (1 - z) * (1 - n**2)
    return to_n * q * r * (1 - r), (before - n) * z * (1 - z), to_n * r


def lstm_slopes(s: dict[str, Array]) -> tuple[Array, tuple[Array, Array, Array, Array]]:
    """dh/dc, and dc/d(i_pre), dc/d(f_pre), dc/d(g_pre), dh/d(o_pre), each ``(L, H)``."""
    i, f, g, o, tanh_c = s["i"], s["f"], s["g"], s["o"], np.tanh(s["c"])
    into_c = (g * i * (1 - i), s["c_"] * f * (1 - f), i * (1 - g**2))
    return o * (1 - tanh_c**2), (*into_c, tanh_c * o * (1 - o))


def _rnn(mode: str, s: dict[str, Array], w: Array, b: Array | None) -> Array:
    return rnn_slope(mode, s)[:, :, None] * w


def _gru(mode: str, s: dict[str, Array], w: Array, b: Array | None) -> Array:
    slopes = gru_slopes(s, w, b)
    found = np.add.reduce([a[:, :, None] * block for a, block in zip(slopes, np.split(w, 3), strict=True)])
    diagonal = np.arange(found.shape[1])
    found[:, diagonal, diagonal] += s["z"]
    return found


def _lstm(mode: str, s: dict[str, Array], w: Array, b: Array | None) -> Array:
    to_h, (to_i, to_f, to_g, to_o) = lstm_slopes(s)
    w_i, w_f, w_g, w_o = np.split(w, 4)
    steps, size = to_h.shape
    c_h = to_i[:, :, None] * w_i + to_f[:, :, None] * w_f + to_g[:, :, None] * w_g
    found = np.zeros((steps, 2 * size, 2 * size))
    found[:, :size, :size] = to_o[:, :, None] * w_o + to_h[:, :, None] * c_h
    found[:, size:, :size] = c_h
    diagonal = np.arange(size)
    found[:, diagonal, size + diagonal] = to_h * s["f"]
    found[:, size + diagonal, size + diagonal] = s["f"]
    return found
