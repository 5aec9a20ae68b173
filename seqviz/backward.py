"""The recursions that carry a gradient back through one layer, from the gates alone and with no graph.

Backpropagation through time as written out for torch's cells; the LSTM's goes back to Hochreiter and
Schmidhuber 1997 (https://doi.org/10.1162/neco.1997.9.8.1735) with the forget gate of Gers, Schmidhuber and
Cummins 2000. Everything is time first and in the order of processing; ``e`` is what reaches a state from
outside the recursion.
"""

from __future__ import annotations

from dataclasses import dataclass

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


def _masked(run: LayerRun, t: int, gradient: Array) -> Array:
    return gradient if run.valid is None else gradient * run.valid[t][:, None]


def _lstm(run: LayerRun, e: Array, e_c: Array | None) -> LayerGradient:
    i, f, g, o, c = (run.signals[name] for name in "ifgoc")
    assert run.c_before is not None
    tanh_c = np.tanh(c)
    to_c = o * (1 - tanh_c**2)
    # d/d(i, f, g) of c and d/d(o) of h, at the pre-activations, in torch's row order.
    slope = np.stack([g * i * (1 - i), run.c_before * f * (1 - f), i * (1 - g**2), tanh_c * o * (1 - o)], axis=2)
    steps, batch, hidden = c.shape
    dh, dc, dz = np.zeros_like(e), np.zeros_like(c), np.zeros((steps, batch, 4, hidden), dtype=c.dtype)
    from_h, from_c = np.zeros_like(e[0]), np.zeros_like(c[0])
    dm_all = np.zeros_like(c) if run.w_hr is not None else None
    for t in range(steps - 1, -1, -1):
        dh[t] = _masked(run, t, e[t] + from_h)
        dm = dh[t] if run.w_hr is None else dh[t] @ run.w_hr
        if dm_all is not None:
            dm_all[t] = dm
        dc[t] = _masked(run, t, dm * to_c[t] + from_c + (0 if e_c is None else e_c[t]))
        np.multiply(slope[t, :, :3], dc[t][:, None], out=dz[t, :, :3])
        np.multiply(slope[t, :, 3], dm, out=dz[t, :, 3])
        from_h = dz[t].reshape(batch, -1) @ run.w_hh
        from_c = dc[t] * f[t]
    flat = dz.reshape(steps, batch, -1)
    return LayerGradient(dh, dc, flat, flat, flat @ run.w_ih, dm_all)


def _gru(run: LayerRun, e: Array, e_c: Array | None) -> LayerGradient:
    r, z, n = (run.signals[name] for name in "rzn")
    steps, batch, hidden = n.shape
    q = run.h_before @ run.w_hh[2 * hidden :].T
    if run.b_hh is not None:
        q = q + run.b_hh[2 * hidden :]
    to_n = (1 - z) * (1 - n**2)
    to_z = (run.h_before - n) * z * (1 - z)
    to_r = to_n * q * r * (1 - r)
    dh = np.zeros_like(e)
    slope = np.concatenate([to_r, to_z, to_n * r], axis=2)
    dhh = np.zeros_like(slope)
    carried = np.zeros_like(e[0])
    for t in range(steps - 1, -1, -1):
        dh[t] = _masked(run, t, e[t] + carried)
        np.multiply(slope[t].reshape(batch, 3, hidden), dh[t][:, None], out=dhh[t].reshape(batch, 3, hidden))
        carried = dh[t] * z[t] + dhh[t] @ run.w_hh
    pre = dhh.copy()
    pre[..., 2 * hidden :] = dh * to_n
    return LayerGradient(dh, None, pre, dhh, pre @ run.w_ih, None)


def _rnn(run: LayerRun, e: Array, e_c: Array | None) -> LayerGradient:
    h = run.signals["h"]
    slope = (h > 0).astype(h.dtype) if run.mode == words.RNN_RELU else 1 - h**2
    dh, dz = np.zeros_like(e), np.zeros_like(e)
    carried = np.zeros_like(e[0])
    for t in range(len(h) - 1, -1, -1):
        dh[t] = _masked(run, t, e[t] + carried)
        dz[t] = dh[t] * slope[t]
        carried = dz[t] @ run.w_hh
    return LayerGradient(dh, None, dz, dz, dz @ run.w_ih, None)
