"""Closed forms: how a gradient would go back through one matrix, or through the forget gates, alone.

Exponents, base 10, because the numbers leave what a double can hold.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from seqviz import weights
from seqviz.experiment import Experiment
from seqviz.gradients.norms import log10_norm

__all__ = ["by_gates", "by_radius", "forget_bias", "log10_sigmoid"]

Array = np.ndarray[Any, np.dtype[Any]]


def by_radius(last: float, radius: float, steps: int) -> Array:
    """log10 of ``|last| radius^k``, k steps before the end, ``(L,)``: a linear network along its largest eigenvector.

    Args:
        last: log10 of the norm at the last step.
        radius: the spectral radius of ``W_hh``, above 0.
        steps: L.
    """
    return last + np.arange(steps - 1, -1, -1) * np.log10(radius)


def by_gates(last: Array, gates: Array) -> Array:
    """log10 of the norm over units of ``dL/dc_t`` ``(L,)`` where the cell state alone carries it back.

    ``c_t = f_t * c_{t-1} + ...``, so that every step back multiplies by its forget gate.

    Args:
        last: log10 of ``|dL/dc|`` at the last step, by unit ``(H,)``.
        gates: log10 of the forget gates of steps 1 to L - 1, ``(L - 1, H)``.
    """
    gone = np.concatenate([np.cumsum(gates[::-1], axis=0)[::-1], np.zeros((1, gates.shape[1]))])
    exponents = last + gone
    top = exponents.max(axis=1, keepdims=True)
    size: Array = top[:, 0] + log10_norm(10.0 ** (exponents - np.where(np.isfinite(top), top, 0.0)), 1)
    return size


def log10_sigmoid(pre: Array) -> Array:
    """log10 of ``sigmoid(pre)``, exact where the sigmoid is 0 or 1 in a double."""
    found: Array = -np.logaddexp(0.0, -pre) / np.log(10.0)
    return found


def forget_bias(experiment: Experiment) -> Array:
    """The total bias of each unit's forget gate in the first layer, ``(H,)``."""
    parameters = weights.materialise(experiment)
    parts = [weights.gate_view(parameters, experiment.cell, 0, "f", part) for part in ("bias_ih", "bias_hh")]
    total: Array = parts[0].astype(float) + parts[1]
    return total
