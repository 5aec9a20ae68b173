"""How a small change of the state travels: step Jacobians, their products over any lag, and what they say.

The state is h, and for an LSTM (h, c), of one layer, direction and batch element; the layer's input is held
fixed. Everything is float64, and products carry a logarithmic scale, so that a lag of thousands of steps
neither underflows nor overflows. Vanishing and exploding products: Pascanu, Mikolov and Bengio 2013,
https://arxiv.org/abs/1211.5063.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import nn

from seqviz import vocabulary as words
from seqviz.capture import capture
from seqviz.trace import Trace

__all__ = [
    "HighwaySplit",
    "StateJacobians",
    "highway_split",
    "lyapunov_exponents",
    "state_jacobians",
    "step_jacobians",
]

Array = np.ndarray
_LOW, _HIGH = 1e-3, 1e3
_CHECK_EVERY = 4
"""Steps between looks at the scale of a product: a step of norm 1e70 is needed to leave a double in between."""


@dataclass(frozen=True)
class StateJacobians:
    """Products of step Jacobians from every step to the last.

    ``d h_T / d h_t = exp(log_scale[t]) * h_h[t]``, and so on: blocks ``(L, H, H)`` with entries of ordinary
    size, ``log_scale`` ``(L,)`` natural logarithms. ``h_c``, ``c_h``, ``c_c`` are None but for an LSTM.
    ``step(index)`` gives single step Jacobians ``(len(index), S, S)``.

    Two derivatives of c_T with respect to c_t are in use and both are here: ``c_c`` holds h_t fixed, as one
    step of the recursion does ("direct"); :meth:`c_total` lets c_t move h_t too, ``M_cc + M_ch diag(o(1 -
    tanh(c)^2))``, which is what dL/dc_t of a loss means.
    """

    log_scale: Array
    h_h: Array
    h_c: Array | None
    c_h: Array | None
    c_c: Array | None
    c_to_h: Array | None
    step: Callable[[Any], Array] = field(repr=False)

    def c_total(self) -> Array:
        """``d c_T / d c_t`` with h_t moving along, ``(L, H, H)``, on the scale of ``log_scale``."""
        if self.c_c is None or self.c_h is None or self.c_to_h is None:
            raise ValueError("Only an LSTM has a cell state.")
        return self.c_c + self.c_h * self.c_to_h[:, None, :]

    def log10_norms(self, block: str = "h_h", kind: str = "spectral") -> Array:
        """log10 of the norm of a block at every step, ``(L,)``; -inf where it is exactly 0.

        `block`: ``h_h``, ``h_c``, ``c_h``, ``c_c`` or ``c_total``. `kind`: ``spectral`` or ``frobenius``.
        """
        values = self._block(block)
        order: Any = {"spectral": 2, "frobenius": "fro"}[kind]
        return _log10(np.linalg.norm(values, ord=order, axis=(1, 2)), self.log_scale)

    def log10_singular_values(self, block: str = "h_h", every: int = 1) -> Array:
        """log10 of all singular values, ``(ceil(L / every), H)``, largest first."""
        values = np.linalg.svd(self._block(block)[::every], compute_uv=False)
        return _log10(values, self.log_scale[::every, None])

    def _block(self, block: str) -> Array:
        values = self.c_total() if block == "c_total" else getattr(self, block)
        if values is None:
            raise ValueError(f"Only an LSTM has {block}; this network has h_h.")
        return values

    def eigenvalues(self, steps: Any = None) -> Array:
        """Eigenvalues of single step Jacobians, complex ``(len(steps), S)``; of all steps by default."""
        return np.linalg.eigvals(self.step(slice(None) if steps is None else np.asarray(steps)))


def _log10(values: Array, log_scale: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.log10(values) + log_scale / np.log(10.0)


def _signals(
    source: nn.Module | Trace, x: Any, hx: Any, layer: int, batch: int, reverse: bool
) -> tuple[str, dict[str, Array], Trace]:
    trace = source if isinstance(source, Trace) else capture(source, x, hx)
    if len(trace.modes) != 1:
        raise ValueError(f"Jacobians need one recurrent module; this trace has {len(trace.modes)}.")
    (mode,) = trace.modes.values()
    found = {}
    for signal in words.SIGNALS[mode]:
        name = words.signal_name(layer, signal, reverse=reverse)
        if name not in trace:
            raise ValueError(f"There is no layer {layer}{' in reverse' if reverse else ''} in this trace.")
        steps = trace.lengths[batch] if trace.lengths else len(trace[name])
        values = trace[name][:steps, batch].astype(np.float64)
        first = trace.initial.get(name)
        found[signal] = values[::-1] if reverse else values
        if signal in "hc" and first is not None:
            found[f"{signal}_"] = np.concatenate([first[batch : batch + 1].astype(np.float64), found[signal][:-1]])
    return mode, found, trace


def _weights(module: nn.Module, layer: int, reverse: bool) -> tuple[Array, Array | None]:
    rnn = next((m for m in module.modules() if isinstance(m, nn.RNNBase)), None)
    if rnn is None:
        raise ValueError("The module has no nn.RNN, nn.GRU or nn.LSTM.")
    if rnn.proj_size:
        raise ValueError("Jacobians of an LSTM with a projection are not defined on (h, c) of one size.")
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
    """
    mode, s, _ = _signals(trace or module, x, hx, layer, batch, reverse)
    w, b = _weights(module, layer, reverse)
    return _STEPS.get(mode, _rnn)(mode, s, w, b)


def _rnn(mode: str, s: dict[str, Array], w: Array, b: Array | None) -> Array:
    slope = (s["h"] > 0).astype(float) if mode == words.RNN_RELU else 1 - s["h"] ** 2
    return slope[:, :, None] * w


def _gru_slopes(s: dict[str, Array], w: Array, b: Array | None) -> tuple[Array, Array, Array]:
    """dh/d(r_pre), dh/d(z_pre) and dh/d(W_hn h + b_hn), each ``(L, H)``."""
    r, z, n, before = s["r"], s["z"], s["n"], s["h_"]
    w_n = np.split(w, 3)[2]
    q = before @ w_n.T + (0.0 if b is None else np.split(b, 3)[2])
    to_n = (1 - z) * (1 - n**2)
    return to_n * q * r * (1 - r), (before - n) * z * (1 - z), to_n * r


def _gru(mode: str, s: dict[str, Array], w: Array, b: Array | None) -> Array:
    slopes = _gru_slopes(s, w, b)
    found = np.add.reduce([a[:, :, None] * block for a, block in zip(slopes, np.split(w, 3), strict=True)])
    diagonal = np.arange(found.shape[1])
    found[:, diagonal, diagonal] += s["z"]
    return found


def _lstm_slopes(s: dict[str, Array]) -> tuple[Array, tuple[Array, Array, Array, Array]]:
    """dh/dc, and dc/d(i_pre), dc/d(f_pre), dc/d(g_pre), dh/d(o_pre), each ``(L, H)``."""
    i, f, g, o, tanh_c = s["i"], s["f"], s["g"], s["o"], np.tanh(s["c"])
    into_c = (g * i * (1 - i), s["c_"] * f * (1 - f), i * (1 - g**2))
    return o * (1 - tanh_c**2), (*into_c, tanh_c * o * (1 - o))


def _lstm(mode: str, s: dict[str, Array], w: Array, b: Array | None) -> Array:
    to_h, (to_i, to_f, to_g, to_o) = _lstm_slopes(s)
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


_STEPS = {words.LSTM: _lstm, words.GRU: _gru}


def state_jacobians(
    module: nn.Module,
    x: Any,
    hx: Any = None,
    *,
    trace: Trace | None = None,
    layer: int = 0,
    batch: int = 0,
    reverse: bool = False,
    of: str = "both",
) -> StateJacobians:
    """``d h_T / d h_t``, ``d c_T / d c_t`` and the mixed blocks for every t, T the last step.

    Args:
        module, x, hx, trace, layer, batch, reverse: as for :func:`step_jacobians`.
        of: ``"h"`` carries the rows of h_T only, at half the price; ``"both"`` also those of c_T.

    Returns:
        A :class:`StateJacobians`. At t = T the blocks are the identity (or 0).
    """
    mode, s, _ = _signals(trace or module, x, hx, layer, batch, reverse)
    w, b = _weights(module, layer, reverse)
    size = s["h"].shape[1]
    is_lstm = mode == words.LSTM
    rows = 2 * size if is_lstm and of != "h" else size
    back = {words.LSTM: _lstm_back, words.GRU: _gru_back}.get(mode, _rnn_back)(mode, s, w, b)
    on_h, on_c, log_scale = _products(back, len(s["h"]), rows, size)
    blocks: dict[str, Any] = {"h_h": on_h[:, :size], "h_c": None, "c_h": None, "c_c": None}
    if is_lstm:
        blocks["h_c"] = on_c[:, :size]
        if rows > size:
            blocks |= {"c_h": on_h[:, size:], "c_c": on_c[:, size:]}
    to_h = s["o"] * (1 - np.tanh(s["c"]) ** 2) if is_lstm else None

    def step(index: Any) -> Array:
        return _STEPS.get(mode, _rnn)(mode, {name: values[index] for name, values in s.items()}, w, b)

    return StateJacobians(log_scale, **blocks, c_to_h=to_h, step=step)


Back = Callable[[int, Array, Array, Array, Array], Any]
"""``back(t, p_h, p_c, to_h, to_c)``: ``P J_t`` for the columns of h and of c, ``(rows, H)`` each, put into the
last two; the Jacobian itself is never formed."""


def _rnn_back(mode: str, s: dict[str, Array], w: Array, b: Array | None) -> Back:
    slope = (s["h"] > 0).astype(float) if mode == words.RNN_RELU else 1 - s["h"] ** 2
    return lambda t, p_h, p_c, to_h, to_c: np.dot(p_h * slope[t], w, out=to_h)


def _gru_back(mode: str, s: dict[str, Array], w: Array, b: Array | None) -> Back:
    z, slopes = s["z"], np.stack(_gru_slopes(s, w, b), axis=-1)[:, :, None]
    blocks = np.stack(np.split(w, 3), axis=1)

    def back(t: int, p_h: Array, p_c: Array, to_h: Array, to_c: Array) -> None:
        # diag(a) W of the three gates add up to one (H, H) matrix, cheaper than three products.
        np.dot(p_h, np.matmul(slopes[t], blocks)[:, 0], out=to_h)
        to_h += p_h * z[t]

    return back


def _lstm_back(mode: str, s: dict[str, Array], w: Array, b: Array | None) -> Back:
    f, show, (*into_c, to_o) = s["f"], *_lstm_slopes(s)
    slopes = np.stack(into_c, axis=-1)[:, :, None]
    blocks, w_o = np.stack(np.split(w, 4)[:3], axis=1), np.split(w, 4)[3]

    def back(t: int, p_h: Array, p_c: Array, to_h: Array, to_c: Array) -> None:
        # What leaves h through tanh(c) joins what is already on c.
        on_c = p_h * show[t]
        on_c += p_c
        np.dot(on_c, np.matmul(slopes[t], blocks)[:, 0], out=to_h)
        to_h += np.dot(p_h * to_o[t], w_o)
        np.multiply(on_c, f[t], out=to_c)

    return back


def _products(back: Back, steps: int, rows: int, size: int) -> tuple[Array, Array, Array]:
    """The first `rows` rows of ``P_t = J_T ... J_{t+1}``: ``(L, rows, H)`` on h and on c, and the logs taken out."""
    on_h, on_c = np.zeros((steps, rows, size)), np.zeros((steps, rows, size))
    log_scale = np.zeros(steps)
    on_h[-1], on_c[-1] = np.eye(rows, size), np.eye(rows, size, -size)
    for t in range(steps - 2, -1, -1):
        back(t + 1, on_h[t + 1], on_c[t + 1], on_h[t], on_c[t])
        log_scale[t] = log_scale[t + 1]
        if t % _CHECK_EVERY:
            continue
        most = max(np.abs(on_h[t]).max(), np.abs(on_c[t]).max())
        if 0 < most < np.inf and not _LOW < most < _HIGH:
            on_h[t] /= most
            on_c[t] /= most
            log_scale[t] += np.log(most)
    return on_h, on_c, log_scale


@dataclass(frozen=True)
class HighwaySplit:
    """``d c_T / d c_t`` with h_t held fixed, as the direct path and the rest.

    ``total = exp(log_scale) * (diag(direct) + rest)``: `direct` ``(L, H)``, `rest` ``(L, H, H)``. `log_direct`
    ``(L, H)`` is the sum of ln f from t+1 to T, good at any lag.
    """

    log_scale: Array
    direct: Array
    rest: Array
    log_direct: Array

    def log10_norms(self) -> tuple[Array, Array, Array]:
        """log10 of the Frobenius norms of the direct path, the rest and the total, each ``(L,)``."""
        high = self.log_direct.max(axis=1, keepdims=True)
        finite = np.where(np.isfinite(high), high, 0.0)
        size = np.linalg.norm(np.exp(self.log_direct - finite), axis=1)
        direct = _log10(size, finite[:, 0])
        total = self.rest.copy()
        diagonal = np.arange(total.shape[1])
        total[:, diagonal, diagonal] += self.direct
        norms = [_log10(np.linalg.norm(a, axis=(1, 2)), self.log_scale) for a in (self.rest, total)]
        return direct, norms[0], norms[1]


def highway_split(
    module: nn.Module,
    x: Any,
    hx: Any = None,
    *,
    trace: Trace | None = None,
    layer: int = 0,
    batch: int = 0,
    reverse: bool = False,
    jacobians: StateJacobians | None = None,
) -> HighwaySplit:
    """Split an LSTM's ``d c_T / d c_t`` into the cell-state highway, the product of forget gates, and the rest.

    The highway is the constant error carousel of Hochreiter and Schmidhuber 1997 with a forget gate on it;
    the rest are all paths that leave the cell through h and come back.
    """
    mode, s, trace = _signals(trace or module, x, hx, layer, batch, reverse)
    if mode != words.LSTM:
        raise ValueError(f"Only an LSTM has a cell-state highway; this is {words.CELL_LABELS[mode]}.")
    where: dict[str, Any] = {"layer": layer, "batch": batch, "reverse": reverse}
    found = jacobians or state_jacobians(module, x, hx, trace=trace, **where)
    if found.c_c is None:
        raise ValueError("The highway needs the rows of c_T: state_jacobians(..., of='both').")
    with np.errstate(divide="ignore"):
        log_f = np.log(s["f"])
    later = np.concatenate([log_f[1:], np.zeros_like(log_f[:1])])
    log_direct = np.cumsum(later[::-1], axis=0)[::-1]
    direct = np.exp(log_direct - found.log_scale[:, None])
    rest = found.c_c.copy()
    diagonal = np.arange(rest.shape[1])
    rest[:, diagonal, diagonal] -= direct
    return HighwaySplit(found.log_scale, direct, rest, log_direct)


def lyapunov_exponents(
    module: nn.Module,
    x: Any,
    hx: Any = None,
    *,
    trace: Trace | None = None,
    layer: int = 0,
    batch: int = 0,
    reverse: bool = False,
    count: int | None = None,
) -> Array:
    """The average growth rates of small changes, per step, natural logarithms, largest first.

    By repeated QR of the Jacobians' product (Benettin et al. 1980; for recurrent networks Vogt et al. 2022,
    https://doi.org/10.3389/fams.2022.818799). Between two QRs the columns lose about lambda_1 - lambda_min
    nats a step against each other and a double holds 36, so the interval is measured first and chosen so
    that at most about 15 are lost. All exponents together average ``log|det J|``.

    Args:
        count: how many, the largest first; all by default.

    Returns:
        ``(count,)``; -inf where a direction is lost exactly.
    """
    where: dict[str, Any] = {"layer": layer, "batch": batch, "reverse": reverse}
    jacobians = step_jacobians(module, x, hx, trace=trace, **where)
    size = jacobians.shape[1]
    count = size if count is None else count
    if not 1 <= count <= size:
        raise ValueError(f"There are {size} exponents; {count} cannot be given.")
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((size, size)))[0][:, :count]
    total = np.zeros(count)
    every, t = 1, 0
    while t < len(jacobians):
        stop = min(t + every, len(jacobians))
        for k in range(t, stop):
            basis = jacobians[k] @ basis
        basis, triangle = np.linalg.qr(basis)
        with np.errstate(divide="ignore"):
            gained = np.log(np.abs(np.diag(triangle)))
        total += gained
        finite = gained[np.isfinite(gained)]
        spread = (finite.max() - finite.min()) / (stop - t) if finite.size else np.inf
        every = int(np.clip(15.0 / max(spread, 1e-9), 1, 16)) if finite.size == count else 1
        t = stop
    return np.sort(total / len(jacobians))[::-1]
