"""What interventions do to a gradient that passes them: the factor at each signal, step and unit."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch

from seqviz.experiment.interventions import Intervention, apply

__all__ = ["gains_of"]


def gains_of(
    interventions: Iterable[Intervention], end: str, steps: int, widths: dict[str, int]
) -> dict[str, np.ndarray]:
    """The gains of one layer and direction, as :class:`seqviz.cells.ran.Ran` takes them.

    Every edit is a line, value times gain plus level, so its gain is what it makes of 1 less what it makes of 0.

    Args:
        interventions: the run's; those of other layers are left out.
        end: the layer and direction, ``l0`` or ``l1_reverse``; or ``x``, the input.
        steps: how many the sequence has.
        widths: the number of units of every signal, ``l0.f`` and so on.

    Returns:
        By signal, ``f`` or ``f_pre``, ``(L, 1, H)`` float64, in the order of the sequence.
    """
    named: dict[str, list[Intervention]] = {}
    for edit in interventions:
        if edit.signal == end or edit.signal.startswith(f"{end}."):
            named.setdefault(edit.signal, []).append(edit)
    gains = {}
    for signal, edits in named.items():
        one = torch.ones(1, widths[signal], dtype=torch.float64)
        rows = [apply(edits, one, t, steps) - apply(edits, one * 0, t, steps) for t in range(steps)]
        gains[signal.removeprefix(f"{end}.")] = torch.stack(rows).numpy()
    return gains
