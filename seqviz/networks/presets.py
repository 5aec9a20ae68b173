"""Networks set by hand, each of which does something that can be checked by reading the numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from seqviz import cells
from seqviz import vocabulary as words
from seqviz.experiment import Experiment, Init, Sequence, parameter_shapes
from seqviz.experiment.parts import HAND_SET
from seqviz.language import Words, sentences, tr, trn
from seqviz.telling.stories import STORIES

__all__ = ["PRESET_LABELS", "PRESET_STORIES", "preset", "preset_parameters"]

_BITS = (1, 0, 0, 1, 0, 1, 1, 0, 0, 0, 1, 0, 1, 1, 1, 0, 0, 1, 0, 0, 1, 1, 0, 1)


def _bits(values: tuple[int, ...]) -> Sequence:
    return Sequence.of_values(np.array(values, dtype=np.float32))


PRESETS: Final[dict[str, Sequence]] = {
    "latch": _bits(_BITS),
    "counter": _bits(_BITS),
    "leaky": Sequence("two_pulses", 48),
    "toggle": _bits(_BITS),
    "brackets": Sequence.of_text("a(b(ab)a(b(a)b))a(b)", "ab()"),
}
"""What each is shown on; how its weights are set stands in each cell's own file."""

PRESET_LABELS: Final[dict[str, str]] = Words(
    {
        "latch": "Latch",
        "counter": "Counter",
        "leaky": "Leaky integrator",
        "toggle": "Toggle (parity)",
        "brackets": "Bracket depth",
    }
)
_INSIDE: Final[dict[str, str]] = Words(
    {
        "latch": "latch",
        "counter": "counter",
        "leaky": "leaky integrator",
        "toggle": "toggle (parity)",
        "brackets": "bracket depth",
    }
)
"""The labels inside a sentence."""


class _Stories(Mapping[str, str]):
    """What each was set to do, in its first kind of cell; :mod:`seqviz.telling.stories` looks whether it does."""

    def __getitem__(self, name: str) -> str:
        return sentences(tr(claim.says) for claim in STORIES[name, HAND_SET[name].cells[0]])

    def __iter__(self) -> Iterator[str]:
        return iter(PRESETS)

    def __len__(self) -> int:
        return len(PRESETS)


PRESET_STORIES: Final[Mapping[str, str]] = _Stories()


def preset(name: str, cell: str | None = None) -> Experiment:
    """A hand-set network with a sequence that shows what it does.

    Args:
        name: ``latch``, ``counter``, ``leaky``, ``toggle`` or ``brackets``.
        cell: torch's mode; by default the first that the preset has.

    Raises:
        ValueError: no such preset, or it does not exist for this cell.
    """
    if not isinstance(name, str) or name not in PRESETS:
        raise ValueError(tr("There is no preset {name!r}; there are {known}.", name=name, known=", ".join(PRESETS)))
    return Experiment(
        cell=HAND_SET[name].cells[0] if cell is None else _hand_set_cell(name, cell),
        input_size=HAND_SET[name].input_size,
        hidden_size=HAND_SET[name].hidden_size,
        init=Init(scheme=name),
        sequence=PRESETS[name],
    )


def _hand_set_cell(name: str, cell: str) -> str:
    """The cell, if the preset is set by hand for it."""
    if cell not in HAND_SET[name].cells:
        raise ValueError(
            tr(
                "The {preset} is set by hand for {known}; choose one of these cells.",
                preset=_INSIDE[name],
                known=", ".join(words.CELL_LABELS[c] for c in HAND_SET[name].cells),
            )
        )
    return cell


def preset_parameters(name: str, experiment: Experiment) -> dict[str, np.ndarray]:
    """The arrays of a hand-set network, by torch's names.

    Raises:
        ValueError: the experiment's cell or sizes are not the preset's.
    """
    known = HAND_SET[name]
    cell = _hand_set_cell(name, experiment.cell)
    have = (experiment.input_size, experiment.hidden_size, experiment.output_size, experiment.num_layers)
    if have != (known.input_size, known.hidden_size, 1, 1):
        raise ValueError(
            trn(
                "The {preset} is set by hand for input size {inputs}, {count} hidden unit, one output and one layer; "
                "other sizes need drawn weights.",
                "The {preset} is set by hand for input size {inputs}, {count} hidden units, one output and one layer; "
                "other sizes need drawn weights.",
                known.hidden_size,
                preset=_INSIDE[name],
                inputs=known.input_size,
            )
        )
    arrays = {n: np.zeros(shape, dtype=np.float32) for n, shape in parameter_shapes(experiment).items()}
    cells.get(cell).by_hand[name](arrays)
    return arrays
