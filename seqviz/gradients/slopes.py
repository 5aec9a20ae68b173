"""One layer as it ran, and the derivatives of its single steps: what each signal passes on to the next.

The lines are those of torch's layers, as in :mod:`seqviz.cells`. Gradients and Jacobians both start here.

A squashing's slope, as ``1 - tanh(a)**2`` or ``s * (1 - s)``, is 0 in floating point from ``|a| = 19`` or
``a = 37`` on, where it is still far above what a double holds. There it is taken from the pre-activation ``a``:
``sech(a)**2 = 4e / (1 + e)**2`` with ``e = exp(-2|a|)``, and ``1 - sigmoid(a) = e / (1 + e)`` with ``e = exp(-a)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from seqviz import vocabulary as words
from seqviz.capture.reconstruct import scan
from seqviz.cells.operations import sech2, sigmoid

__all__ = [
    "GRUSlopes",
    "LSTMSlopes",
    "LayerRun",
    "blocks_gained",
    "complement",
    "gained",
    "gru_slopes",
    "log_gate",
    "lstm_slopes",
    "pre_activation",
    "rnn_slope",
    "rounded_away",
    "through",
    "to_products",
]

Array = np.ndarray

_NEAR = 0.99
"""From here on the distance to 1 is taken from the pre-activation; below it has all but two of its digits."""


@dataclass(frozen=True)
class LayerRun:
    """One layer and direction as it ran, in the order of processing.

    ``x`` ``(L, N, H_in)``; ``signals`` are its gates and states ``(L, N, H)``, and as far as they are known those
    before the squashing (``f_pre``, ``f_ih``, ``f_hh``; ``h_pre`` of a projection); ``h_before`` ``(L, N, P or H)``
    and ``c_before`` ``(L, N, H)`` are the states before each step; ``valid`` ``(L, N)`` or None; the weights
    are torch's: ``w_ih`` ``(G*H, H_in)``, ``w_hh`` ``(G*H, P or H)``, ``b_hh`` and ``b_ih`` ``(G*H,)``, ``w_hr``
    ``(P, H)``.

    ``gains`` is for a run with interventions: by signal (``f``, ``f_pre``, ``f_ih``, ``f_hh``, ``h``, ...) the factor
    by which a gradient is multiplied on its way from the signal's value after the edit to that before it, of a shape
    that broadcasts to the signal's: 0 where it was held, s where it was scaled by s, 1 where it was left alone. A
    signal that is not named was left alone. Values are those after the edits, and every signal must be there.
    """

    mode: str
    x: Array
    signals: Mapping[str, Array]
    h_before: Array
    c_before: Array | None
    valid: Array | None
    w_ih: Array
    w_hh: Array
    b_hh: Array | None
    w_hr: Array | None
    b_ih: Array | None = None
    gains: Mapping[str, Array] | None = None

    def at(self, index: Any) -> LayerRun:
        """Some of its steps."""
        return replace(
            self,
            x=self.x[index],
            signals={name: values[index] for name, values in self.signals.items()},
            h_before=self.h_before[index],
            c_before=None if self.c_before is None else self.c_before[index],
            valid=None if self.valid is None else self.valid[index],
            gains=self.gains and {n: g[index] if len(g) > 1 else g for n, g in self.gains.items()},
        )


class LSTMSlopes(NamedTuple):
    """Of an LSTM's step, each ``(L, N, H)``; m is h, or with a projection what is projected.

    ``i, f, g`` are dc_t/d(pre-activation), ``o`` is dm_t/d(o_pre), ``show`` dm_t/dc_t, ``keep`` dc_t/dc_{t-1}.
    """

    i: Array
    f: Array
    g: Array
    o: Array
    show: Array
    keep: Array


class GRUSlopes(NamedTuple):
    """Of a GRU's step, each ``(L, N, H)``.

    ``r, z, n`` are dh_t/d(pre-activation), ``n_hh`` is dh_t/d(W_hn h + b_hn), ``keep`` dh_t/dh_{t-1} past the gates.
    """

    r: Array
    z: Array
    n: Array
    n_hh: Array
    keep: Array


def lstm_slopes(run: LayerRun) -> LSTMSlopes:
    """See :class:`LSTMSlopes`."""
    i, f, g, o, c = (run.signals[name] for name in "ifgoc")
    assert run.c_before is not None
    m = "h" if run.w_hr is None else "h_pre"
    return LSTMSlopes(
        i=gained(g * _gate_slope(run, "i"), run, "i", "c"),
        f=gained(run.c_before * _gate_slope(run, "f"), run, "f", "c"),
        g=gained(i * _tanh_slope(run, "g"), run, "g", "c"),
        o=gained(np.tanh(c) * _gate_slope(run, "o"), run, "o", m),
        show=gained(o * sech2(c), run, m),
        keep=gained(f, run, "c"),
    )


def gru_slopes(run: LayerRun) -> GRUSlopes:
    """See :class:`GRUSlopes`."""
    to_n = gained(complement(run, "z") * _tanh_slope(run, "n"), run, "n", "h")
    product = gained(to_n, run, "n_pre")
    return GRUSlopes(
        r=gained(product * _n_hh(run) * _gate_slope(run, "r"), run, "r"),
        z=gained(_h_less_n(run) * _gate_slope(run, "z"), run, "z", "h"),
        n=to_n,
        n_hh=product * run.signals["r"],
        keep=gained(run.signals["z"], run, "h"),
    )


def rnn_slope(run: LayerRun) -> Array:
    """dh_t/d(h_pre) ``(L, N, H)``; NaN past an overflow, which a comparison alone would take for a dead unit."""
    if run.mode != words.RNN_RELU:
        return gained(_tanh_slope(run, "h"), run, "h")
    h = pre_activation(run, "h") if _edited(run, "h") else run.signals["h"]
    return gained(np.where(np.isfinite(h), h > 0, np.nan).astype(h.dtype), run, "h")


def rounded_away(run: LayerRun) -> bool:
    """Whether a slope that is not 0 was rounded to 0, being below what a double holds: at ``|a|`` of 373 or more."""
    if run.mode == words.RNN_RELU:
        return False
    curves = {words.LSTM: ("g",), words.GRU: ("n",)}.get(run.mode, ("h",))
    slopes = [_tanh_slope(run, name) for name in curves]
    slopes += [_gate_slope(run, name) for name in run.signals if name in words.BLOCKS[run.mode] and name not in curves]
    slopes += [sech2(run.signals["c"])] if "c" in run.signals else []
    return any(bool((slope == 0).any()) for slope in slopes)


def to_products(run: LayerRun, slopes: Array) -> Array:
    """From the pre-activations ``(L, N, G, H)`` on to the products with h; a GRU's third block is already at n_hh."""
    if run.gains is None or run.mode != words.GRU:
        return blocks_gained(slopes, run, "pre", "hh")
    r, z, n_hh = (slopes[:, :, k] for k in range(3))
    each = [gained(r, run, "r_pre", "r_hh"), gained(z, run, "z_pre", "z_hh"), gained(n_hh, run, "n_hh")]
    return np.stack(each, axis=2)


def gained(gradient: Array, run: LayerRun, *signals: str) -> Array:
    """A gradient ``(L, N, H)`` on its way from the values of some signals after their edits to those before."""
    for signal in signals:
        if _edited(run, signal):
            gradient = _times(gradient, run.gains[signal])  # type: ignore[index]
    return gradient


def blocks_gained(gradient: Array, run: LayerRun, *parts: str) -> Array:
    """:func:`gained` for ``(L, N, G, H)`` or ``(L, N, G*H)``, the blocks side by side; `parts` such as ``pre, hh``."""
    blocks = words.BLOCKS[run.mode]
    if not any(_edited(run, f"{block}_{part}") for block in blocks for part in parts):
        return gradient
    steps, batch = gradient.shape[:2]
    split = gradient.reshape(steps, batch, len(blocks), -1)
    each = [gained(split[:, :, k], run, *(f"{b}_{part}" for part in parts)) for k, b in enumerate(blocks)]
    return np.stack(each, axis=2).reshape(gradient.shape)


def _edited(run: LayerRun, signal: str) -> bool:
    return run.gains is not None and signal in run.gains


def _times(gradient: Array, gain: Array) -> Array:
    """Their product; nothing goes through what was held, whatever it is."""
    return np.where(gain == 0, 0, gradient * gain).astype(gradient.dtype, copy=False)


def complement(run: LayerRun, gate: str) -> Array:
    """1 minus a gate ``(L, N, H)``, as it is after an edit."""
    s = run.signals[gate]
    if _edited(run, gate):
        return 1 - s
    return 1 - s if s.max() <= _NEAR else _patched(1 - s, s > _NEAR, run, gate, lambda a: sigmoid(-a))


def log_gate(run: LayerRun, gate: str) -> Array:
    """The natural logarithm of a gate ``(L, N, H)``, as it is after an edit; right however shut or open it is."""
    s = run.signals[gate]
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(s)
    if _edited(run, gate):
        return log
    return _patched(log, (s > _NEAR) | (s < np.finfo(s.dtype).tiny), run, gate, lambda a: -np.logaddexp(0, -a))


def _gate_slope(run: LayerRun, gate: str) -> Array:
    if _edited(run, gate):
        a = pre_activation(run, gate)
        return sigmoid(-a) * sigmoid(a)
    return run.signals[gate] * complement(run, gate)


def _tanh_slope(run: LayerRun, signal: str) -> Array:
    if _edited(run, signal):
        return sech2(pre_activation(run, signal))
    s = run.signals[signal]
    slope = (1 - s) * (1 + s)
    return slope if max(s.max(), -s.min()) <= _NEAR else _patched(slope, np.abs(s) > _NEAR, run, signal, sech2)


def _patched(values: Array, where: Array, run: LayerRun, signal: str, of: Callable[[Array], Array]) -> Array:
    """Values with those at some places taken from the pre-activations instead; written to."""
    count = np.count_nonzero(where)
    if count:
        few = count < where.size // 32
        a = _some_pre_activations(run, signal, where) if few else pre_activation(run, signal)[where]
        values[where] = of(a)
    return values


def pre_activation(run: LayerRun, signal: str) -> Array:
    """What a signal is the squashing of, ``(L, N, H)``: as it was recorded, or made again."""
    if (known := run.signals.get(f"{signal}_pre")) is not None:
        return known
    rows, b_ih, b_hh = _block(run, signal)
    ih = through(run.x, run.w_ih[rows].T)
    ih += b_ih
    if signal == "n":
        return ih + run.signals["r"] * _n_hh(run)
    ih += through(run.h_before, run.w_hh[rows].T)
    ih += b_hh
    return ih


def _some_pre_activations(run: LayerRun, signal: str, where: Array) -> Array:
    """``pre_activation(run, signal)[where]`` without the others."""
    if (known := run.signals.get(f"{signal}_pre")) is not None:
        return known[where]
    t, n, unit = np.nonzero(where)
    rows, b_ih, b_hh = _block(run, signal)
    row = unit + rows.start
    ih = np.einsum("ab,ab->a", run.x[t, n], run.w_ih[row])
    hh = np.einsum("ab,ab->a", run.h_before[t, n], run.w_hh[row])
    ih, hh = ih + np.broadcast_to(b_ih, where.shape[2])[unit], hh + np.broadcast_to(b_hh, where.shape[2])[unit]
    return ih + (run.signals["r"][where] * hh if signal == "n" else hh)


def _h_less_n(run: LayerRun) -> Array:
    """A GRU's ``h_{t-1} - n_t`` ``(L, N, H)``, right where both have come close to the same 1.

    There it is carried along: ``h_t - n_{t+1} = z_t (h_{t-1} - n_t) + (n_t - n_{t+1})``, the last by the
    pre-activations.
    """
    n, z = run.signals["n"], run.signals["z"]
    plain = run.h_before - n
    if max(n.max(), -n.min()) <= _NEAR or any(_edited(run, signal) for signal in ("h", "z", "n")):
        return plain
    close = (np.minimum(np.abs(n), np.abs(run.h_before)) > _NEAR) & (n * run.h_before > 0)
    if not close.any():
        return plain
    a = pre_activation(run, "n")
    carried, keep = plain.copy(), np.zeros_like(z)
    going_on = np.ones(z.shape[:2], dtype=bool) if run.valid is None else run.valid.copy()
    going_on[1:] &= going_on[:-1]
    going_on[0] = False
    carried[1:] = np.where(going_on[1:, :, None], _tanh_gap(a[:-1], a[1:]), plain[1:])
    keep[1:] = np.where(going_on[1:, :, None], z[:-1], 0)
    scan(keep, carried, np.zeros_like(z[0]))
    return np.where(close, carried, plain)


def _tanh_gap(a: Array, b: Array) -> Array:
    """``tanh(a) - tanh(b)``, right also where both are close to the same 1."""
    e, least = np.exp(-2 * np.abs(a)), np.minimum(np.abs(a), np.abs(b))
    gap = np.sign(a - b) * -np.expm1(-2 * np.abs(a - b)) * 2 * np.exp(-2 * least)
    return np.where(a * b > 0, gap / (1 + e) / (1 + np.exp(-2 * np.abs(b))), np.tanh(a) - np.tanh(b))


def _n_hh(run: LayerRun) -> Array:
    """A GRU's ``W_hn h + b_hn`` ``(L, N, H)``."""
    if (known := run.signals.get("n_hh")) is not None:
        return known
    rows, _, b_hh = _block(run, "n")
    found = through(run.h_before, run.w_hh[rows].T)
    found += b_hh
    return found


def _block(run: LayerRun, signal: str) -> tuple[slice, Array | float, Array | float]:
    """The rows of a signal in torch's weights, and its biases, 0 where there are none."""
    size = len(run.w_hh) // len(words.BLOCKS[run.mode])
    k = words.BLOCKS[run.mode].index(signal)
    rows = slice(k * size, (k + 1) * size)
    return rows, 0.0 if run.b_ih is None else run.b_ih[rows], 0.0 if run.b_hh is None else run.b_hh[rows]


def through(gradient: Array, weight: Array) -> Array:
    """``(L, N, A) @ (A, B)`` as one product over all steps."""
    steps, batch, _ = gradient.shape
    return (gradient.reshape(steps * batch, -1) @ weight).reshape(steps, batch, -1)
