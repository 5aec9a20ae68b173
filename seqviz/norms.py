"""Euclidean norms that neither underflow nor overflow on the way: numbers are scaled before they are squared."""

from __future__ import annotations

import numpy as np

__all__ = ["log10_norm", "norm", "scaled"]

Array = np.ndarray
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
    return np.ldexp(values, -exponent), exponent


def norm(values: Array, axis: Axes) -> Array:
    """The Euclidean norm over some axes, in float64: 0 only where every number is 0, from 5e-324 to 1.8e308."""
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
