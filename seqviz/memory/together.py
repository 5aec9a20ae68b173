"""The three questions at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import nn

from seqviz.experiment import Experiment
from seqviz.memory.found import MemoryUse
from seqviz.memory.guesses import Last, guessed
from seqviz.memory.nudges import nudge_lasts
from seqviz.memory.resets import reset_curve
from seqviz.trials import trial

__all__ = ["uses_memory"]


def uses_memory(
    subject: nn.Module | Experiment,
    x: Any = None,
    targets: Any = None,
    *,
    ks: Iterable[int] | None = None,
    last: Last = None,
    by: float | None = None,
    **judged: Any,
) -> MemoryUse:
    """How long a nudge lasts, how much worse it gets when it is reset, and whether it beats guessing.

    Args:
        subject, x, targets, judged: as for :func:`seqviz.trials.trial`.
        ks: as for :func:`seqviz.memory.reset_every`.
        last: as for :func:`seqviz.memory.against_guesses`.
        by: the nudge, as for :func:`seqviz.memory.nudge_lasts`.

    Raises:
        ValueError: nothing to judge by, or what one of the three refuses.
    """
    asked = trial(subject, x, targets, **judged)
    return MemoryUse(
        nudge_lasts(asked.module, asked.x, by=by, hx=asked.hx, kwargs=asked.kwargs),
        reset_curve(asked, ks),
        guessed(asked, last),
    )
