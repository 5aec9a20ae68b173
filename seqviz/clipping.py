"""What gradient clipping does to a real update."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from seqviz.gradients import GradientFlow

__all__ = ["ClippedUpdate", "clip_update"]


@dataclass(frozen=True)
class ClippedUpdate:
    """An update before and after clipping.

    `norm` of the whole gradient of the recurrent stack's weight matrices, `by_norm` and `by_value` after
    ``torch.nn.utils.clip_grad_norm_`` and ``clip_grad_value_``; `cosine_by_norm`, `cosine_by_value`: how far
    the direction survives (1: unchanged). `loudest_steps`: the share of the summed step contributions that
    comes from the loudest tenth of the steps, which no clipping changes.
    """

    norm: float
    by_norm: float
    cosine_by_norm: float
    by_value: float
    cosine_by_value: float
    loudest_steps: float


def clip_update(flow: GradientFlow, max_norm: float = 1.0, max_value: float = 0.01) -> ClippedUpdate:
    """Clip the update that `flow` would make, both ways, by torch's own functions."""
    before = _vector(flow)
    by_norm = _clipped(before, lambda p: torch.nn.utils.clip_grad_norm_([p], max_norm))
    by_value = _clipped(before, lambda p: torch.nn.utils.clip_grad_value_([p], max_value))
    shares = np.sort(sum(s for s in flow.shares.values()))[::-1]
    loudest = max(1, len(shares) // 10)
    return ClippedUpdate(
        norm=float(before.norm()),
        by_norm=float(by_norm.norm()),
        cosine_by_norm=_cosine(before, by_norm),
        by_value=float(by_value.norm()),
        cosine_by_value=_cosine(before, by_value),
        loudest_steps=float(shares[:loudest].sum() / shares.sum()) if shares.sum() > 0 else 0.0,
    )


def _vector(flow: GradientFlow) -> torch.Tensor:
    parts = [np.asarray(g, dtype=np.float64).ravel() for g in flow.weights.values()]
    return torch.from_numpy(np.concatenate(parts))


def _clipped(gradient: torch.Tensor, clip: object) -> torch.Tensor:
    parameter = torch.nn.Parameter(torch.zeros_like(gradient))
    parameter.grad = gradient.clone()
    clip(parameter)  # type: ignore[operator]
    return parameter.grad


def _cosine(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(torch.nn.functional.cosine_similarity(a, b, dim=0))
