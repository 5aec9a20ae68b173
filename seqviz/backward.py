"""The recursions that carry a gradient back through one layer, from the gates alone and with no graph.

Backpropagation through time as written out for torch's cells; the LSTM's goes back to Hochreiter and
Schmidhuber 1997 (https://doi.org/10.1162/neco.1997.9.8.1735) with the forget gate of Gers, Schmidhuber and
Cummins 2000. Everything is time first and in the order of processing; ``e`` is what reaches a state from
outside the recursion.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from seqviz import vocabulary as words

__all__ = ["LayerGradient", "LayerRun", "backward"]

Array = np.ndarray


@dataclass(frozen=True)
class LayerRun:
    """One layer and direction as it ran, in the order of processing.

    ``x`` ``(L, N, H_in)``; ``signals`` are its gates and states ``(L, N, H)``; ``h_before`` ``(L, N, P or H)``
    and ``c_before`` ``(L, N, H)`` are the states before each step; ``valid`` ``(L, N)`` or None; the weights
    are torch's: ``w_ih`` ``(G*H, H_in)``, ``w_hh`` ``(G*H, P or H)``, ``b_hh`` ``(G*H,)``, ``w_hr`` ``(P, H)``.
    """

    mode: str
    x: Array
    signals: dict[str, Array]
    h_before: Array
    c_before: Array | None
    valid: Array | None
    w_ih: Array
    w_hh: Array
    b_hh: Array | None
    w_hr: Array | None


@dataclass(frozen=True)
class LayerGradient:
    """``h`` ``(L, N, P or H)`` and ``c`` ``(L, N, H)``: dL/dh_t and dL/dc_t, everything that follows included.

    ``ih`` and ``hh`` ``(L, N, G*H)``: the gradient at the two products ``W_ih x + b_ih`` and ``W_hh h + b_hh``
    (the same but for the GRU's n); ``pre`` the gradient at the pre-activations; ``x`` ``(L, N, H_in)``.
    """

    h: Array
    c: Array | None
    pre: Array
    hh: Array
    x: Array
    projected: Array | None


def backward(run: LayerRun, e: Array, e_c: Array | None) -> LayerGradient:
    """Carry ``e`` ``(L, N, P or H)`` (and ``e_c`` for the cell states, ``(L, N, H)``) back through a layer."""
    step = {words.LSTM: _lstm, words.GRU: _gru}.get(run.mode, _rnn)
    return step(run, e, e_c)


def _steps_back(run: LayerRun, *arrays: Array) -> Iterator[tuple[Array | None, tuple[Array, ...]]]:
    """The last step first: its ``(N, 1)`` mask, None where every step is valid, and a view of each array."""
    masks: Iterable[Array | None] = repeat(None) if run.valid is None else run.valid[::-1, :, None]
    return zip(masks, zip(*(array[::-1] for array in arrays), strict=True))  # noqa: B905  (the masks may be endless)


def _lstm(run: LayerRun, e: Array, e_c: Array | None) -> LayerGradient:
    i, f, g, o, c = (run.signals[name] for name in "ifgoc")
    assert run.c_before is not None
    tanh_c = np.tanh(c)
    to_c = o * (1 - tanh_c**2)
    # dc/d(i, f, g) and dh/d(o) at the pre-activations, in torch's row order.
    slope = np.stack([g * i * (1 - i), run.c_before * f * (1 - f), i * (1 - g**2), tanh_c * o * (1 - o)], axis=2)
    steps, batch, _ = c.shape
    dh, dc = e.copy(), np.zeros_like(c) if e_c is None else e_c.copy()
    unprojected = None if run.w_hr is None else np.empty_like(c)
    dm_all = dh if unprojected is None else unprojected
    dz = np.empty_like(slope)
    from_h, from_c = np.zeros_like(e[0]), np.zeros_like(c[0])
    for mask, (dh_t, dc_t, dm, dz_t, slope_t, to_c_t, f_t) in _steps_back(run, dh, dc, dm_all, dz, slope, to_c, f):
        dh_t += from_h
        if mask is not None:
            dh_t *= mask
        if run.w_hr is not None:
            dm[:] = dh_t @ run.w_hr
        dc_t += dm * to_c_t
        dc_t += from_c
        if mask is not None:
            dc_t *= mask
        dz_t[:, :3] = dc_t[:, None]
        dz_t[:, 3] = dm
        dz_t *= slope_t
        from_h = np.dot(dz_t.reshape(batch, -1), run.w_hh)
        np.multiply(dc_t, f_t, out=from_c)
    flat = dz.reshape(steps, batch, -1)
    return LayerGradient(dh, dc, flat, flat, _through(flat, run.w_ih), unprojected)


def _gru(run: LayerRun, e: Array, e_c: Array | None) -> LayerGradient:
    r, z, n = (run.signals[name] for name in "rzn")
    steps, batch, hidden = n.shape
    q = _through(run.h_before, run.w_hh[2 * hidden :].T)
    if run.b_hh is not None:
        q += run.b_hh[2 * hidden :]
    to_n = (1 - z) * (1 - n**2)
    # dh/d(r, z) at the pre-activations, and dh/d(W_hn h + b_hn).
    slope = np.stack([to_n * q * r * (1 - r), (run.h_before - n) * z * (1 - z), to_n * r], axis=2)
    dh, dhh = e.copy(), np.empty_like(slope)
    carried = np.zeros_like(e[0])
    for mask, (dh_t, dhh_t, slope_t, z_t) in _steps_back(run, dh, dhh, slope, z):
        dh_t += carried
        if mask is not None:
            dh_t *= mask
        np.multiply(slope_t, dh_t[:, None], out=dhh_t)
        carried = np.dot(dhh_t.reshape(batch, -1), run.w_hh)
        carried += dh_t * z_t
    flat = dhh.reshape(steps, batch, -1)
    pre = flat.copy()
    pre[..., 2 * hidden :] = dh * to_n
    return LayerGradient(dh, None, pre, flat, _through(pre, run.w_ih), None)


def _rnn(run: LayerRun, e: Array, e_c: Array | None) -> LayerGradient:
    h = run.signals["h"]
    slope = (h > 0).astype(h.dtype) if run.mode == words.RNN_RELU else 1 - h**2
    dh, dz = e.copy(), np.empty_like(slope)
    carried = np.zeros_like(e[0])
    for mask, (dh_t, dz_t, slope_t) in _steps_back(run, dh, dz, slope):
        dh_t += carried
        if mask is not None:
            dh_t *= mask
        np.multiply(dh_t, slope_t, out=dz_t)
        carried = np.dot(dz_t, run.w_hh)
    return LayerGradient(dh, None, dz, dz, _through(dz, run.w_ih), None)


def _through(gradient: Array, weight: Array) -> Array:
    """``(L, N, A) @ (A, B)`` as one product over all steps."""
    steps, batch, _ = gradient.shape
    return (gradient.reshape(steps * batch, -1) @ weight).reshape(steps, batch, -1)
