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
from seqviz.gradients.norms import log10_norm
from seqviz.gradients.slopes import (
    LayerRun,
    blocks_gained,
    gained,
    gru_slopes,
    lstm_slopes,
    rnn_slope,
    through,
    to_products,
)

__all__ = ["LayerGradient", "LayerRun", "backward", "log10_backward"]

Array = np.ndarray
_LOG2 = float(np.log10(2.0))


@dataclass(frozen=True)
class LayerGradient:
    """``h`` ``(L, N, P or H)`` and ``c`` ``(L, N, H)``: dL/dh_t and dL/dc_t, everything that follows included.

    ``pre`` ``(L, N, G*H)`` is the gradient at the pre-activations; ``ih`` and ``hh`` that at the two products
    ``W_ih x + b_ih`` and ``W_hh h + b_hh``; ``x`` ``(L, N, H_in)``; ``h_0`` ``(N, P or H)`` and ``c_0`` ``(N, H)``
    at the states before the first step. With a projection ``hr`` ``(L, N, P)`` is that at the product ``W_hr m``.

    In a run with interventions each is the gradient at the value after the edit, but for ``ih``, ``hh`` and ``hr``,
    which are at the products themselves, before anything is done to them: those that make the weights' gradients.
    """

    h: Array
    c: Array | None
    pre: Array
    ih: Array
    hh: Array
    x: Array
    h_0: Array
    c_0: Array | None
    hr: Array | None


def backward(run: LayerRun, e: Array, e_c: Array | None) -> LayerGradient:
    """Carry ``e`` ``(L, N, P or H)`` (and ``e_c`` for the cell states, ``(L, N, H)``) back through a layer.

    A step that the loss does not reach has the gradient 0, whatever the network did there.
    """
    step = {words.LSTM: _lstm, words.GRU: _gru}.get(run.mode, _rnn)
    return step(run, e, e_c)


def _steps_back(run: LayerRun, *arrays: Array) -> Iterator[tuple[Array | None, tuple[Array, ...]]]:
    """The last step first: its ``(N, 1)`` mask, None where every step is valid, and a view of each array."""
    masks: Iterable[Array | None] = repeat(None) if run.valid is None else run.valid[::-1, :, None]
    return zip(masks, zip(*(array[::-1] for array in arrays), strict=True))  # noqa: B905  (the masks may be endless)


def _lstm(run: LayerRun, e: Array, e_c: Array | None) -> LayerGradient:
    s = lstm_slopes(run)
    # dc/d(i, f, g) and dm/d(o) at the pre-activations, in torch's row order.
    slope, show, keep = _reached([np.stack([s.i, s.f, s.g, s.o], axis=2), s.show, s.keep], e, e_c)
    to_hh, steps, batch = to_products(run, slope), *e.shape[:2]
    dh, dc = e.copy(), np.zeros_like(show) if e_c is None else e_c.copy()
    gain = np.ones((steps, 1, 1), e.dtype) if run.w_hr is None else gained(np.ones_like(e), run, "h")
    m_all = dh if run.w_hr is None else np.empty_like(show)
    dz = np.empty_like(slope)
    from_h, from_c = np.zeros_like(e[0]), np.zeros_like(show[0])
    rows = _steps_back(run, dh, dc, m_all, dz, to_hh, show, keep, gain)
    for mask, (dh_t, dc_t, dm, dz_t, to_hh_t, show_t, keep_t, gain_t) in rows:
        dh_t += from_h
        if mask is not None:
            dh_t *= mask
        if run.w_hr is not None:
            dm[:] = (dh_t * gain_t) @ run.w_hr
        dc_t += dm * show_t
        dc_t += from_c
        if mask is not None:
            dc_t *= mask
        dz_t[:, :3] = dc_t[:, None]
        dz_t[:, 3] = dm
        dz_t *= to_hh_t
        from_h = np.dot(dz_t.reshape(batch, -1), run.w_hh)
        np.multiply(dc_t, keep_t, out=from_c)
    hh = dz.reshape(steps, batch, -1)
    pre = hh if to_hh is slope else (np.stack([dc, dc, dc, m_all], axis=2) * slope).reshape(hh.shape)
    ih = blocks_gained(pre, run, "pre", "ih")
    h_0, c_0 = _at_the_start(run, hh) @ run.w_hh, _at_the_start(run, dc) * _at_the_start(run, keep)
    hr = None if run.w_hr is None else dh * gain
    return LayerGradient(dh, dc, pre, ih, hh, through(ih, run.w_ih), h_0, c_0, hr)


def _gru(run: LayerRun, e: Array, e_c: Array | None) -> LayerGradient:
    s = gru_slopes(run)
    # dh/d(r, z) at the pre-activations, and dh/d(W_hn h + b_hn).
    slope, to_n, keep = _reached([np.stack([s.r, s.z, s.n_hh], axis=2), s.n, s.keep], e)
    to_hh = to_products(run, slope)
    steps, batch, _ = e.shape
    dh, dhh = e.copy(), np.empty_like(slope)
    carried = np.zeros_like(e[0])
    for mask, (dh_t, dhh_t, to_hh_t, keep_t) in _steps_back(run, dh, dhh, to_hh, keep):
        dh_t += carried
        if mask is not None:
            dh_t *= mask
        np.multiply(to_hh_t, dh_t[:, None], out=dhh_t)
        carried = np.dot(dhh_t.reshape(batch, -1), run.w_hh)
        carried += dh_t * keep_t
    hh = dhh.reshape(steps, batch, -1)
    pre = hh.copy() if to_hh is slope else (dh[:, :, None] * slope).reshape(hh.shape)
    pre[..., -dh.shape[2] :] = dh * to_n
    ih = blocks_gained(pre, run, "pre", "ih")
    h_0 = _at_the_start(run, hh) @ run.w_hh + _at_the_start(run, dh) * _at_the_start(run, keep)
    return LayerGradient(dh, None, pre, ih, hh, through(ih, run.w_ih), h_0, None, None)


def _rnn(run: LayerRun, e: Array, e_c: Array | None) -> LayerGradient:
    (slope,) = _reached([rnn_slope(run)], e)
    to_hh = to_products(run, slope)
    dh, hh = e.copy(), np.empty_like(slope)
    carried = np.zeros_like(e[0])
    for mask, (dh_t, hh_t, to_hh_t) in _steps_back(run, dh, hh, to_hh):
        dh_t += carried
        if mask is not None:
            dh_t *= mask
        np.multiply(dh_t, to_hh_t, out=hh_t)
        carried = np.dot(hh_t, run.w_hh)
    pre = hh if to_hh is slope else dh * slope
    ih = blocks_gained(pre, run, "pre", "ih")
    return LayerGradient(dh, None, pre, ih, hh, through(ih, run.w_ih), _at_the_start(run, hh) @ run.w_hh, None, None)


def _at_the_start(run: LayerRun, array: Array) -> Array:
    """``(N, ...)``: an array ``(L, N, ...)`` at the first step of each sequence."""
    if run.valid is None:
        return array[0]
    return array[run.valid.argmax(axis=0), np.arange(run.valid.shape[1])]


def _reached(slopes: list[Array], *e: Array | None) -> list[Array]:
    """Slopes, 0 at the steps after the last one that the loss reaches: there 0 times NaN has to be 0."""
    if all(np.isfinite(slope.sum()) for slope in slopes):
        return slopes
    asked = np.logical_or.reduce([part.any(axis=2) for part in e if part is not None])
    dark = ~np.logical_or.accumulate(asked[::-1], axis=0)[::-1]
    return [np.where(dark.reshape(*dark.shape, *(1,) * (slope.ndim - 2)), 0, slope) for slope in slopes]


_STRETCH = 16
"""Steps between two looks at the size of what is carried: it may change by 18 decades at each."""


def log10_backward(run: LayerRun, e: Array) -> tuple[Array, Array | None]:
    """log10 of the norms of dL/dh_t and dL/dc_t, ``(L,)`` each, however far beyond a double they are.

    The recursion is linear: what goes on from one stretch of steps to the one before it is brought back to ordinary
    size, and the exponent kept. -inf where every gradient is 0. For a run of valid steps only, in float64; c is None
    but for an LSTM.
    """
    steps = len(e)
    log_h, log_c = np.empty(steps), np.empty(steps)
    carried_h, carried_c, taken_out = np.zeros_like(e[0]), None, 0
    for stop in range(steps, 0, -_STRETCH):
        span = slice(max(0, stop - _STRETCH), stop)
        given = np.ldexp(e[span], -taken_out)
        given[-1] += carried_h
        e_c = None
        if carried_c is not None:
            e_c = np.zeros((len(given), *carried_c.shape))
            e_c[-1] = carried_c
        found = backward(run.at(span), given, e_c)
        log_h[span] = log10_norm(found.h, (1, 2)) + taken_out * _LOG2
        if found.c is not None:
            log_c[span] = log10_norm(found.c, (1, 2)) + taken_out * _LOG2
        size = max(np.abs(part).max(initial=0.0) for part in (found.h_0, found.c_0) if part is not None)
        exponent = int(np.frexp(size)[1]) if np.isfinite(size) else 0
        taken_out += exponent
        carried_h = np.ldexp(found.h_0, -exponent)
        carried_c = None if found.c_0 is None else np.ldexp(found.c_0, -exponent)
    return log_h, log_c if run.c_before is not None else None
