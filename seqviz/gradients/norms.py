"""Euclidean norms that neither underflow nor overflow on the way: numbers are scaled before they are squared."""

from __future__ import annotations

import numpy as np

__all__ = ["log10_norm", "norm", "outer_norms", "scaled"]

Array = np.ndarray
SQUARES = (1e-270, 1e300)
"""Sums of squares between which no square was lost that would count."""

Axes = int | tuple[int, ...]


def scaled(values: Array, axis: Axes) -> tuple[Array, Array]:
    """Values as float64 of size 1 at most, and the exponents that were taken out, over some axes.

    Returns:
        ``values * 2**-exponent``, and the exponents, whole numbers, with those axes kept at length 1. Numbers that
        are 0, infinite or NaN stay as they are.
    """
    values = np.asarray(values, dtype=np.float64)
    size = np.abs(values).max(axis=axis, keepdims=True, initial=0.0)
    exponent = np.frexp(np.where(np.isfinite(size), size, 0.0))[1]
    if np.abs(exponent).max(initial=0) < 1000:
        return values * np.ldexp(1.0, -exponent), exponent  # many times as fast as ldexp of each
    return np.ldexp(values, -exponent), exponent


def norm(values: Array, axis: Axes) -> Array:
    """The Euclidean norm over some axes, in float64: 0 only where every number is 0, from 5e-324 to 1.8e308."""
    with np.errstate(over="ignore", under="ignore"):
        squares: Array = np.square(values, dtype=np.float64).sum(axis=axis)
    # A double holds the square of any smaller number; of its own those whose sum is far from both of its ends.
    if values.dtype.itemsize < 8 or (squares.size and SQUARES[0] < squares.min() <= squares.max() < SQUARES[1]):
        return np.sqrt(squares)
    small, exponent = scaled(values, axis)
    with np.errstate(over="ignore"):
        found: Array = np.ldexp(_root(small, axis), np.squeeze(exponent, axis=axis))
    return found


def log10_norm(values: Array, axis: Axes) -> Array:
    """log10 of :func:`norm`, also where that is beyond a double; -inf only where every number is 0."""
    small, exponent = scaled(values, axis)
    with np.errstate(divide="ignore"):
        found: Array = np.log10(_root(small, axis)) + np.squeeze(exponent, axis=axis) * np.log10(2.0)
    return found


def _root(values: Array, axis: Axes) -> Array:
    with np.errstate(over="ignore"):
        found: Array = np.sqrt(np.square(values).sum(axis=axis))
    return found


def outer_norms(left: Array, right: Array) -> Array:
    """The Frobenius norm of each step's sum of outer products, ``(L,)`` float64, without making one of them.

    ``|sum_n a_n b_n^T|^2 = sum_nm (a_n.a_m)(b_n.b_m)``; where the sum all but cancels, which leaves this no digits,
    the products are made.

    Args:
        left, right: ``(L, N, A)`` and ``(L, N, B)``.
    """
    if left.shape[1] == 1:
        return norm(left[:, 0], 1) * norm(right[:, 0], 1)
    found = np.zeros(len(left))
    there = _counts(left, right)
    count = max(1, 2**18 // left[0].size)
    for start in range(0, len(there), count):
        some = there[start : start + count]
        found[some] = _block_norms(_picked(left, some), _picked(right, some))
    return found


def _counts(left: Array, right: Array) -> Array:
    """The steps whose products are not all 0: those that a gradient reached before it vanished."""
    there = np.asarray(left.any(axis=(1, 2)))
    if not there.all():
        there[~there] = ~np.isfinite(right[~there]).all(axis=(1, 2))
    return np.flatnonzero(there)


def _picked(values: Array, steps: Array) -> Array:
    """Some steps of values, without a copy where they follow each other."""
    whole = steps[-1] - steps[0] + 1 == len(steps)
    return values[steps[0] : steps[-1] + 1] if whole else values[steps]


def _block_norms(left: Array, right: Array) -> Array:
    """:func:`outer_norms` of a few steps, which stay in the processor's cache."""
    size = np.maximum(left.max(axis=(1, 2)), -left.min(axis=(1, 2)))
    exponent = np.frexp(np.where(np.isfinite(size), size, 0.0))[1]
    with np.errstate(over="ignore", invalid="ignore"):
        a = _times_power(left, -exponent[:, None])
        found, sure = _roots(a @ a.transpose(0, 2, 1), right @ right.transpose(0, 2, 1))
        found = np.ldexp(found, exponent)
    if not sure.all():
        found[~sure] = _scaled_norms(left[~sure], right[~sure])
    return found


def _roots(a: Array, b: Array) -> tuple[Array, Array]:
    """Norms ``(L,)`` from the products of the vectors on each side ``(L, N, N)``, and whether they can be relied on:
    no number is so small or large that their product leaves the precision, and the sum does not cancel."""
    gram = a * b
    whole, edge = gram.sum(axis=(1, 2), dtype=np.float64), np.ldexp(1.0, np.finfo(gram.dtype).maxexp * 2 // 5)
    sizes = np.stack([np.einsum("tnn->tn", part) for part in (a, b)])
    inside = ((sizes > 1 / edge) & (sizes < edge)).all(axis=(0, 2))
    # The diagonal is what the sum would be without any cancellation.
    return np.sqrt(np.maximum(whole, 0.0)), inside & (whole > 1e-3 * np.einsum("tnn->t", gram).astype(np.float64))


def _scaled_norms(left: Array, right: Array) -> Array:
    """:func:`outer_norms` with every vector brought to one size."""
    (by_left, is_left), (by_right, is_right) = _exponents(left), _exponents(right)
    total = np.where(is_left & is_right, by_left + by_right, -10_000)
    most = total.max(axis=1, keepdims=True)
    a, b = _times_power(left, np.maximum(total - most, -100) - by_left), _times_power(right, -by_right)
    found, sure = _roots(a @ a.transpose(0, 2, 1), b @ b.transpose(0, 2, 1))
    found[~sure] = norm(a[~sure].astype(np.float64).transpose(0, 2, 1) @ b[~sure], (1, 2))
    with np.errstate(over="ignore"):
        made: Array = np.ldexp(found, most[:, 0])
    return made


def _exponents(values: Array) -> tuple[Array, Array]:
    """Of the largest number of each vector ``(L, N, A)``, ``(L, N)``; and whether there is one, or all are 0."""
    size = np.maximum(values.max(axis=2), -values.min(axis=2))
    return np.frexp(np.where(np.isfinite(size), size, 0.0))[1], size != 0


def _times_power(values: Array, exponent: Array) -> Array:
    """``values * 2**exponent`` ``(L, N, A)``: by multiplying, which is many times as fast as ``ldexp``."""
    most = np.finfo(values.dtype).maxexp - 1
    while exponent.any():
        part = np.clip(exponent, -most, most)
        values, exponent = values * np.ldexp(np.ones(1, values.dtype), part)[..., None], exponent - part
    return values
