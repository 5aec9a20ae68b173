"""``c_t = f_t * c_{t-1} + u_t`` over many steps, in a few passes."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["scan"]

Array = np.ndarray[Any, np.dtype[Any]]


def scan(f: Array, c: Array, c_0: Array) -> Array:
    """``c_t = f_t * c_{t-1} + u_t`` in place; returns the last one, ``(N, H)``.

    ``c`` ``(L, N, H)`` holds the ``u`` at first; ``f`` is ``(L, N, H)`` and ``c_0`` ``(N, H)``. A narrow state makes
    a long loop of tiny products, so a long sequence is cut into chunks: all of them run from 0 at once beside the
    running product of their ``f``, and then each takes what the ones before it left.
    """
    steps, width = len(c), c[0].size
    if steps < 16 or width > 512:
        return _loop(f, c, c_0)
    if c.size <= 8192:
        return _chain(f.copy(), c, c_0)
    length = 8
    count = steps // length
    whole = count * length
    f_cut, c_cut = (a[:whole].reshape(count, length, *a.shape[1:]).swapaxes(0, 1) for a in (f, c))
    both = np.empty((length, 2, count, *c.shape[1:]), c.dtype)
    last = both[0]
    last[0], last[1] = c_cut[0], f_cut[0]
    for f_t, u_t, now in zip(f_cut[1:], c_cut[1:], both[1:], strict=True):
        np.multiply(f_t, last, now)
        now[0] += u_t
        last = now
    start = last[0].copy()
    _chain(last[1].copy(), start, c_0)
    kept = both[:, 1]
    kept[:, 1:] *= start[:-1]
    kept[:, 0] *= c_0
    np.add(both[:, 0], kept, out=c_cut)
    return _loop(f[whole:], c[whole:], c[whole - 1])


def _loop(f: Array, c: Array, c_0: Array) -> Array:
    """:func:`scan`, step by step."""
    last, kept = c_0, np.empty_like(c_0)
    for f_t, c_t in zip(f, c, strict=True):
        np.multiply(f_t, last, kept)
        c_t += kept
        last = c_t
    return last


def _chain(f: Array, c: Array, c_0: Array) -> Array:
    """:func:`scan` by doubling; ``f`` is used up.

    After a pass each step has swallowed twice as many before it, so ``log2(L)`` passes over all of them do.
    """
    c[0] += f[0] * c_0
    spare, reach = np.empty_like(c), 1
    while reach < len(c):
        earlier, later, kept = spare[reach:], c[reach:], f[reach:]
        np.multiply(kept, c[:-reach], earlier)
        later += earlier
        if 2 * reach < len(c):
            np.multiply(kept, f[:-reach], earlier)
            kept[:] = earlier
        reach *= 2
    return c[-1]
