"""One block of the weights, as the matrix component shows it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqviz import vocabulary as words
from seqviz import weights
from seqviz.experiment import Experiment
from seqviz.language import Words, tr
from seqviz.scope import pack
from seqviz.scope.headers import WeightsHeader

__all__ = ["WeightView", "input_names", "weight_message"]

READS = Words({"ih": "row: unit, column: input", "hh": "row: unit, column: unit it reads"})


@dataclass(frozen=True)
class WeightView:
    """A block: `matrix` ``(rows, cols)`` is rows ``first:first+rows`` of torch's `parameter`."""

    parameter: str
    first: int
    matrix: np.ndarray
    original: np.ndarray
    symbol: str
    columns: tuple[str, ...]
    reads: str

    def place(self, row: int, col: int) -> tuple[str, int, int]:
        """Where a cell of the matrix lies in the packed parameter."""
        return self.parameter, self.first + row, col


def weight_view(experiment: Experiment, layer: int, gate: str, part: str) -> WeightView:
    """The block of `gate` (or ``readout``) and `part` (``ih``, ``hh``, ``bias_ih``, ``bias_hh``)."""
    now, before = weights.materialise(experiment), weights.materialise(experiment.reset())
    if gate == "readout":
        parameter, first, rows = f"readout.{part}", 0, experiment.output_size
        symbol = "W_y" if part == "weight" else "b_y"
        reads = tr("row: output, column: hidden unit") if part == "weight" else tr("one bias an output")
    else:
        parameter, first, _ = weights.place(experiment.cell, experiment.hidden_size, layer, gate, part, 0, 0)
        rows = len(weights.gate_view(now, experiment.cell, layer, gate, part))
        symbol = _symbol(gate, part)
        reads = READS.get(part, tr("one bias a unit") if part.startswith("b") else tr("one weight a unit"))
    pick = [_matrix(found[parameter])[first : first + rows] for found in (now, before)]
    names = _columns(experiment, layer, part, pick[0].shape[1])
    return WeightView(parameter, first, pick[0], pick[1], symbol, names, reads)


def _symbol(gate: str, part: str) -> str:
    """The weight by its name in the cell's lines."""
    stems = {"ih": "W_i", "hh": "W_h", "bias_ih": "b_i", "bias_hh": "b_h"}
    return f"{stems[part]}{gate}" if part in stems else part


def _columns(experiment: Experiment, layer: int, part: str, count: int) -> tuple[str, ...]:
    if count == 1 and part not in ("ih", "hh", "weight"):
        return (tr("bias") if part.startswith("b") else part,)
    return input_names(experiment) if part == "ih" and layer == 0 else tuple(map(str, range(count)))


def input_names(experiment: Experiment) -> tuple[str, ...]:
    """What each of the inputs is called: by its character in a text, by its column in a table, else by its number."""
    if experiment.sequence.kind == "text":
        return tuple(experiment.sequence.alphabet.replace(" ", "␣").replace("\n", "↵").replace("\t", "⇥"))
    return experiment.sequence.names or tuple(map(str, range(experiment.input_size)))


def _matrix(array: np.ndarray) -> np.ndarray:
    return array if array.ndim == 2 else array[:, None]


def weight_message(experiment: Experiment, layer: int, gate: str, part: str) -> tuple[WeightView, bytes]:
    """The view and its bytes for the browser."""
    view = weight_view(experiment, layer, gate, part)
    names = view.columns if view.columns != tuple(map(str, range(len(view.columns)))) else None
    header: WeightsHeader = {
        "panel": "weights",
        "link": "gates",
        "id": f"{hash((experiment, gate, part)) & 0xFFFFFFFF:08x}",
        "parameter": view.parameter,
        "first": view.first,
        "rows": view.matrix.shape[0],
        "cols": view.matrix.shape[1],
        "bias": part not in ("ih", "hh", "weight") and view.matrix.shape[1] == 1,
        "symbol": view.symbol,
        "names": names,
        "reads": view.reads,
        "gate": words.LABELS[experiment.cell, gate].name if gate != "readout" else tr("readout (y)"),
    }
    return view, pack(header, {"matrix": view.matrix, "original": view.original})
