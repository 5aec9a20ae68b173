"""What gradient clipping does to a real update."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqviz.gradients import GradientFlow
from seqviz.gradients.norms import norm, scaled

__all__ = ["ClippedUpdate", "clip_update"]


@dataclass(frozen=True)
class ClippedUpdate:
    """An update before and after clipping.

    `norm` of the whole gradient of the recurrent stack's weight matrices, `by_norm` and `by_value` after
    ``torch.nn.utils.clip_grad_norm_`` and ``clip_grad_value_``; `cosine_by_norm`, `cosine_by_value`: how far
    the direction survives (1: unchanged, NaN where there is none). `loudest_steps`: the share of the summed step
    contributions that comes from the loudest tenth of the steps, which no clipping changes.
    """

    norm: float
    by_norm: float
    cosine_by_norm: float
    by_value: float
    cosine_by_value: float
    loudest_steps: float


def clip_update(flow: GradientFlow, max_norm: float = 1.0, max_value: float = 0.01) -> ClippedUpdate:
    """Clip the update that `flow` would make, both ways, as torch's own functions do.

    Their formulas: ``g * min(1, max_norm / (|g| + 1e-6))`` and ``clamp(g, -max_value, max_value)``
    (https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html), with norms that stay right
    where a square leaves the doubles.
    """
    parts = [np.asarray(g, dtype=np.float64).ravel() for name, g in flow.weights.items() if "weight_" in name]
    before = np.concatenate(parts)
    whole = float(norm(before, 0))
    by_norm, by_value = before * min(1.0, max_norm / (whole + 1e-6)), np.clip(before, -max_value, max_value)
    each = np.array([share for name, share in flow.shares.items() if "weight_" in name])
    shares = np.sort(scaled(each, (0, 1))[0].sum(axis=0))[::-1]
    loudest = max(1, len(shares) // 10)
    return ClippedUpdate(
        norm=whole,
        by_norm=float(norm(by_norm, 0)),
        cosine_by_norm=_cosine(before, by_norm),
        by_value=float(norm(by_value, 0)),
        cosine_by_value=_cosine(before, by_value),
        loudest_steps=float(shares[:loudest].sum() / shares.sum()) if shares.any() else 0.0,
    )


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Of the angle between two vectors; NaN where one of them is 0."""
    units = [part / norm(part, 0) for part in (scaled(a, 0)[0], scaled(b, 0)[0]) if part.any()]
    return float(np.dot(*units)) if len(units) == 2 else float("nan")
