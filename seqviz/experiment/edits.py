"""Single numbers that a hand has changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from seqviz.checks import assign, float32, shown, whole
from seqviz.experiment.limits import MAX_EDITS, MAX_INPUT, MAX_STEPS
from seqviz.language import later, tr

__all__ = ["InputEdit", "WeightEdit", "latest"]


@dataclass(frozen=True, slots=True)
class InputEdit:
    """One number of the sequence that was changed: ``x[step, feature] = value`` (kept as float32)."""

    step: int
    feature: int
    value: float

    def __post_init__(self) -> None:
        assign(
            self,
            step=whole(self.step, later("A step"), 0, MAX_STEPS - 1),
            feature=whole(self.feature, later("A feature"), 0, MAX_INPUT - 1),
            value=float32(self.value, later("The value at step {step}"), step=self.step),
        )


@dataclass(frozen=True, slots=True)
class WeightEdit:
    """One weight that was changed: ``parameter[row, col] = value`` (kept as float32; a bias has col 0).

    `parameter` is torch's name (``weight_ih_l0``), or ``readout.weight`` / ``readout.bias``.
    """

    parameter: str
    row: int
    col: int
    value: float

    def __post_init__(self) -> None:
        if not isinstance(self.parameter, str):
            raise ValueError(tr("A parameter's name must be text, not {name}.", name=shown(self.parameter)))
        assign(
            self,
            row=whole(self.row, later("A row"), 0, 2**20),
            col=whole(self.col, later("A column"), 0, 2**20),
            value=float32(self.value, later("The weight at row {row}, column {col}"), row=self.row, col=self.col),
        )


def latest(items: Any, kind: type, key: Any, what: str) -> tuple:
    """The last edit of each place, in a fixed order, so that equal states are equal values."""
    if not isinstance(items, Iterable):
        raise ValueError(tr("The {what} must be a list, not {found}.", what=tr(what), found=shown(items)))
    items = tuple(items)
    if not all(isinstance(item, kind) for item in items):
        raise ValueError(tr("The {what} hold something else.", what=tr(what)))
    kept = {key(item): item for item in items}
    if len(kept) > MAX_EDITS:
        raise ValueError(
            tr("There are {count:,} {what}; at most {most:,} fit.", count=len(kept), what=tr(what), most=MAX_EDITS)
        )
    return tuple(kept[place] for place in sorted(kept))
