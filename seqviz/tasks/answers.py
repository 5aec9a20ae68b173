"""What a network says, as a person reads it."""

from __future__ import annotations

import numpy as np

from seqviz.tasks.base import Task

__all__ = ["answers"]


def answers(task: Task, y: np.ndarray) -> np.ndarray:
    """Outputs as they are read: probabilities for classes and bits, plain numbers otherwise; ``(L, O)``."""
    if task.kind == "mse":
        return y
    if task.kind == "bits":
        return 1.0 / (1.0 + np.exp(-np.clip(y, -60, 60)))
    e = np.exp(y - y.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
