"""The one value that everything on the screen is a function of.

An :class:`Experiment` says which network is run on which sequence. It is frozen and hashable, so that
undo is a list of them, a link is one of them written down, and a cache key is its hash. Nothing here
computes: :func:`seqviz.run` does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from seqviz import cells, counted
from seqviz import vocabulary as words
from seqviz.checks import assign, choice, float32, listed, shown, whole
from seqviz.experiment import codec
from seqviz.experiment.interventions import Clamp, Intervention, Scale, validate
from seqviz.experiment.parts import (
    HAND_SET,
    KINDS,
    MAX_HIDDEN,
    MAX_INPUT,
    MAX_LAYERS,
    MAX_OUTPUT,
    MAX_STEPS,
    PRESETS,
    SCHEMES,
    Init,
    InputEdit,
    Sequence,
    Tensor,
    WeightEdit,
    latest,
)
from seqviz.kept import Fixed
from seqviz.language import later, tr, trn

__all__ = [
    "KINDS", "MAX_HIDDEN", "MAX_INPUT", "MAX_LAYERS", "MAX_OUTPUT", "MAX_STEPS", "PRESETS", "SCHEMES",
    "Experiment", "Init", "InputEdit", "Sequence", "Tensor", "WeightEdit", "fitting", "parameter_shapes",
]  # fmt: skip

MAX_INTERVENTIONS: Final = 64


@dataclass(frozen=True, slots=True)
class Experiment(Fixed):
    """A network and what it is run on. Frozen and hashable; equal values give equal runs.

    Args:
        cell: one of :func:`seqviz.cells.names`; torch's are ``LSTM``, ``GRU``, ``RNN_TANH``, ``RNN_RELU``.
        input_size, hidden_size, output_size, num_layers: torch's; up to 256, 256, 256 and 4.
        init: how the weights start.
        tensors: whole parameters that replace drawn ones (a trained network).
        edits: single weights changed after that.
        sequence: the input, batch 1.
        interventions: :class:`~seqviz.Clamp`, :class:`~seqviz.Ablate`, :class:`~seqviz.Scale`.

    Raises:
        ValueError: a field is out of range or names something that this network does not have. The
            message is one plain sentence.
    """

    cell: str = words.LSTM
    input_size: int = 1
    hidden_size: int = 16
    output_size: int = 1
    num_layers: int = 1
    init: Init = field(default_factory=Init)
    tensors: tuple[Tensor, ...] = ()
    edits: tuple[WeightEdit, ...] = ()
    sequence: Sequence = field(default_factory=Sequence)
    interventions: tuple[Intervention, ...] = ()
    __hash__ = Fixed.__hash__

    def __post_init__(self) -> None:
        choice(self.cell, later("The cell"), cells.names(further=True))
        assign(
            self,
            input_size=whole(self.input_size, later("The input size"), 1, MAX_INPUT),
            hidden_size=whole(self.hidden_size, later("The hidden size"), 1, MAX_HIDDEN),
            output_size=whole(self.output_size, later("The output size"), 1, MAX_OUTPUT),
            num_layers=whole(self.num_layers, later("The number of layers"), 1, MAX_LAYERS),
        )
        if not isinstance(self.init, Init) or not isinstance(self.sequence, Sequence):
            raise ValueError(tr("An experiment needs an Init and a Sequence."))
        self._check_sequence()
        self._check_weights()
        self._check_interventions()

    def _check_sequence(self) -> None:
        seq = self.sequence
        if seq.kind == "text" and len(seq.alphabet) != self.input_size:
            raise ValueError(
                trn(
                    "The alphabet has {count} character, so the input size must be {count}, not {size}.",
                    "The alphabet has {count} characters, so the input size must be {count}, not {size}.",
                    len(seq.alphabet),
                    size=self.input_size,
                )
            )
        if seq.kind == "values" and len(seq.values) != 4 * seq.length * self.input_size:
            raise ValueError(
                tr(
                    "The sequence holds {numbers}; for {steps} of input size {size} there must be {needed:,}.",
                    numbers=counted.numbers(len(seq.values) // 4),
                    steps=counted.steps(seq.length),
                    size=self.input_size,
                    needed=seq.length * self.input_size,
                )
            )
        if any(e.feature >= self.input_size for e in seq.edits):
            raise ValueError(tr("An edit names an input beyond the input size, {size}.", size=self.input_size))

    def _check_weights(self) -> None:
        assign(
            self,
            tensors=latest(self.tensors, Tensor, lambda t: t.parameter, later("weight tensors")),
            edits=latest(self.edits, WeightEdit, lambda e: (e.parameter, e.row, e.col), later("weight edits")),
        )
        shapes = parameter_shapes(self)
        for name in [tensor.parameter for tensor in self.tensors] + [edit.parameter for edit in self.edits]:
            if name not in shapes:
                raise ValueError(
                    tr(
                        "There is no parameter {name}; this network has {known}.",
                        name=shown(name),
                        known=", ".join(shapes),
                    )
                )
        for tensor in self.tensors:
            if tensor.shape != shapes[tensor.parameter]:
                raise ValueError(
                    tr(
                        "{name} must have the shape {needed}, not {shape}.",
                        name=tensor.parameter,
                        needed=shapes[tensor.parameter],
                        shape=tensor.shape,
                    )
                )
        for edit in self.edits:
            if not _has_place(shapes, edit):
                rows, cols = (*shapes[edit.parameter], 1)[:2]
                raise ValueError(
                    tr(
                        "{name} has {rows} and {columns}; row {row}, column {col} does not exist.",
                        name=edit.parameter,
                        rows=counted.rows(rows),
                        columns=counted.columns(cols),
                        row=edit.row,
                        col=edit.col,
                    )
                )

    def _check_interventions(self) -> None:
        if not isinstance(self.interventions, Iterable):
            raise ValueError(tr("The interventions must be a list, not {found}.", found=shown(self.interventions)))
        assign(self, interventions=tuple(self.interventions))
        if len(self.interventions) > MAX_INTERVENTIONS:
            raise ValueError(
                tr(
                    "At most {most} interventions fit, not {count}.",
                    most=MAX_INTERVENTIONS,
                    count=len(self.interventions),
                )
            )
        if self.interventions:
            validate(self.interventions, self.widths(), self.sequence.length)
        for edit in self.interventions:
            if isinstance(edit, Clamp):
                float32(edit.value, later("The value of an intervention"))
            elif isinstance(edit, Scale):
                float32(edit.factor, later("The factor of an intervention"))

    def widths(self) -> dict[str, int]:
        """Every signal that can be edited, with its number of units; pre-activations included."""
        cell = cells.get(self.cell)
        found = {"x": self.input_size}
        for layer in range(self.num_layers):
            for signal in (*cell.signals, *(name for name in cell.where if name not in cell.signals)):
                found[words.signal_name(layer, signal)] = self.hidden_size
        return found

    def edited(self, edits: Iterable[WeightEdit]) -> Experiment:
        """This experiment with more weights changed; a later edit of the same weight wins."""
        return replace(self, edits=(*self.edits, *listed(edits, later("The edits"))))

    def changed(self, **changes: Any) -> Experiment:
        """This experiment with other sizes, cell or sequence; what no longer fits is left out.

        Weight edits stay with their gate and unit when the hidden size changes, and go when the gates do.
        Tensors, input edits and interventions that name a place which the new network or sequence lacks
        go too. Own numbers lose or gain columns (of zeros) with the input size, and a text gives way to a
        wave; a new text or array brings its input size along. A hand-set network that is not set for what
        it was given gives way to torch's default draw. So no valid size or cell ever fails.
        """
        bare_changes: dict[str, Any] = {"tensors": (), "edits": (), "interventions": (), **changes}
        given = changes.get("sequence")
        if given is None:
            width = whole(changes.get("input_size", self.input_size), later("The input size"), 1, MAX_INPUT)
            bare_changes["sequence"] = _of_width(replace(self.sequence, edits=()), width)
        elif isinstance(given, Sequence) and given.width is not None:
            bare_changes.setdefault("input_size", given.width)
        bare = replace(self, **bare_changes)
        kept: dict[str, Any] = {}
        if "tensors" not in changes:
            kept["tensors"] = _tensors_that_fit(self, bare)
        if "edits" not in changes:
            kept["edits"] = tuple(e for e in (_moved(e, self, bare) for e in self.edits) if e is not None)
        if "interventions" not in changes:
            kept["interventions"] = tuple(i for i in self.interventions if _applies(i, bare))
        if given is None:
            length, width = bare.sequence.length, bare.input_size
            edits = tuple(e for e in self.sequence.edits if e.step < length and e.feature < width)
            kept["sequence"] = replace(bare.sequence, edits=edits)
        return fitting(replace(bare, **kept))

    def reset(self) -> Experiment:
        """The same initial weights again: every weight edit taken back, the drawing untouched."""
        return replace(self, edits=())

    def to_json(self, *, indent: int | None = None) -> str:
        """The experiment as a JSON document; fields at their defaults are left out."""
        return codec.to_json(self, indent)

    @classmethod
    def from_json(cls, text: str | bytes) -> Experiment:
        """Read :meth:`to_json`'s document.

        Raises:
            ValueError: the document is not one, is of another version, or describes something impossible.
        """
        return codec.from_json(cls, text)

    def to_url(self) -> str:
        """The experiment as text that fits in an address: deflated JSON in base64url."""
        return codec.to_url(self)

    @classmethod
    def from_url(cls, code: str) -> Experiment:
        """Read :meth:`to_url`'s text.

        Raises:
            ValueError: the text was cut short, changed by hand, or unpacks to something impossible.
        """
        return codec.from_url(cls, code)


def parameter_shapes(experiment: Experiment) -> dict[str, tuple[int, ...]]:
    """Every parameter's shape, by torch's name, in torch's order, the readout's at the end."""
    cell, hidden = cells.get(experiment.cell), experiment.hidden_size
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(experiment.num_layers):
        width = experiment.input_size if layer == 0 else hidden
        shapes |= {f"{name}_l{layer}": shape for name, shape in cell.packed_shapes(width, hidden).items()}
    shapes["readout.weight"] = (experiment.output_size, hidden)
    shapes["readout.bias"] = (experiment.output_size,)
    return shapes


def fitting(experiment: Experiment) -> Experiment:
    """The experiment, or with torch's default draw where a hand-set network was given another shape or cell."""
    known = HAND_SET.get(experiment.init.scheme)
    have = (experiment.input_size, experiment.hidden_size, experiment.output_size, experiment.num_layers)
    if known is None or (experiment.cell in known.cells and have == (known.input_size, known.hidden_size, 1, 1)):
        return experiment
    return replace(experiment, init=Init(seed=experiment.init.seed))


def _has_place(shapes: dict[str, tuple[int, ...]], edit: WeightEdit) -> bool:
    rows, cols = (*shapes.get(edit.parameter, (0,)), 1)[:2]
    return edit.row < rows and edit.col < cols


def _tensors_that_fit(old: Experiment, new: Experiment) -> tuple[Tensor, ...]:
    shapes, same = parameter_shapes(new), _packed_alike(old, new)
    return tuple(
        tensor
        for tensor in old.tensors
        if shapes.get(tensor.parameter) == tensor.shape and (same or tensor.parameter.startswith("readout"))
    )


def _packed_alike(old: Experiment, new: Experiment) -> bool:
    return cells.get(old.cell).packing == cells.get(new.cell).packing


def _moved(edit: WeightEdit, old: Experiment, new: Experiment) -> WeightEdit | None:
    """The same gate and unit in a network of another hidden size, or None if it has no such place."""
    if not edit.parameter.startswith("readout"):
        block, unit = divmod(edit.row, old.hidden_size)
        if not _packed_alike(old, new) or unit >= new.hidden_size:
            return None
        edit = replace(edit, row=block * new.hidden_size + unit)
    return edit if _has_place(parameter_shapes(new), edit) else None


def _applies(intervention: Intervention, experiment: Experiment) -> bool:
    try:
        validate((intervention,), experiment.widths(), experiment.sequence.length)
    except ValueError:
        return False
    return True


def _of_width(sequence: Sequence, width: int) -> Sequence:
    """The sequence for another input size: columns cut or filled with zeros; a text becomes a wave."""
    if sequence.width in (None, width):
        return sequence
    if sequence.kind == "text":
        return Sequence(length=sequence.length)
    old = np.frombuffer(sequence.values, dtype="<f4").reshape(sequence.length, -1)
    new = np.zeros((sequence.length, width), dtype="<f4")
    new[:, : old.shape[1]] = old[:, :width]
    names = (*sequence.names, *(f"x[{k}]" for k in range(old.shape[1], width)))[:width] if sequence.names else ()
    return replace(sequence, values=new.tobytes(), names=names)
