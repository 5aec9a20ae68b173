"""Many networks of one shape at once: the gradient's size at every step of each, by the lines of their cell.

A network of 32 units is so small that asking for it costs more than computing it. Here as many as fit are one run of
:mod:`seqviz.cells.road`, each an element of the batch with weights of its own. :func:`seqviz.gradient_flow` gives the
same numbers one network at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from seqviz import cells
from seqviz.cells import road
from seqviz.experiment import Experiment
from seqviz.experiment.interventions import Intervention, apply
from seqviz.gradients.gains import gains_of
from seqviz.gradients.norms import log10_norm
from seqviz.sequences import generate
from seqviz.weights import drawn

__all__ = ["abreast", "log10_norms"]

Array = np.ndarray
_BYTES = 96 * 2**20
"""What one run may hold, about."""


class _Each:
    """Matrices ``(N, A, B)``, one for each element of a batch, that multiply ``(N, A)`` and ``(L, N, A)``."""

    __array_ufunc__ = None  # numpy leaves ``@`` to us

    def __init__(self, values: Array) -> None:
        self.values = values

    def __len__(self) -> int:
        return int(self.values.shape[1])

    @property
    def T(self) -> _Each:
        return _Each(self.values.swapaxes(1, 2))

    def __rmatmul__(self, left: Array) -> Array:
        if left.ndim == 2:
            found: Array = np.matmul(left[:, None], self.values)[:, 0]
            return found
        return np.matmul(left.swapaxes(0, 1), self.values).swapaxes(0, 1)


def abreast(experiment: Experiment) -> int:
    """How many networks like this one are run at once."""
    nodes = 3 * len(cells.get(experiment.cell).nodes) * experiment.num_layers
    return max(1, _BYTES // (8 * nodes * experiment.sequence.length * experiment.hidden_size))


def log10_norms(experiments: Sequence[Experiment], signal: str, loss: str = "last") -> Array:
    """log10 of the norm of the gradient at every step of each network, ``(N, L)`` float64; -inf where it is 0.

    Args:
        experiments: of one cell, one set of sizes and one length; their weights and inputs may differ.
        signal: where, as ``l0.h`` or ``l0.c``.
        loss: the sum of the outputs, at the ``"last"`` step or of all (``"sum"``).
    """
    first = experiments[0]
    cell, steps, parts = cells.get(first.cell), first.sequence.length, [drawn(e) for e in experiments]
    edits = first.interventions
    x = np.stack([generate(e.sequence, e.input_size) for e in experiments], axis=1).astype(np.float64)
    runs = []
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # what is not finite stays so and is seen
        for layer in range(first.num_layers):
            names = cell.packing
            packed = [{name: part[f"{name}_l{layer}"] for name in names} for part in parts]
            unpacked = [cell.unpack(one) for one in packed]
            weights = {name: _stacked([one[name] for one in unpacked]) for name in unpacked[0]}
            widths = {s: cell.width(cell.letter(s), x.shape[2], first.hidden_size) for s in cell.states}
            start = {s: np.full((len(parts), width), cell.start.get(s, 0.0)) for s, width in widths.items()}
            runs.append(road.run(cell, weights, x, start, _edited(edits, layer, steps)))
            x = runs[-1]["h"]
        asked = np.zeros_like(x)
        readout = np.stack([part["readout.weight"] for part in parts]).sum(axis=1, dtype=np.float64)
        asked[-1 if loss == "last" else slice(None)] = readout
        return _norms(first, runs, asked, signal).T


def _stacked(values: list[Array]) -> Any:
    """A parameter of every network: matrices as :class:`_Each`, vectors as rows."""
    found = np.stack(values).astype(np.float64)
    return _Each(found) if found.ndim == 3 else found


def _edited(edits: Sequence[Intervention], layer: int, steps: int) -> Callable[[str, int, Array], Array] | None:
    by_name: dict[str, list[Intervention]] = {}
    for edit in edits:
        by_name.setdefault(edit.signal, []).append(edit)
    if not by_name:
        return None

    def at(name: str, t: int, value: Array) -> Array:
        here = by_name.get(f"l{layer}.{name}")
        return value if here is None else apply(here, torch.from_numpy(value), t, steps).numpy()

    return at


def _norms(like: Experiment, runs: list[road.Values], asked: Array, signal: str) -> Array:
    """The norms ``(L, N)``: from the last layer down to the one that is asked for."""
    steps, widths = like.sequence.length, like.widths()
    end, name = signal.split(".")
    for layer in range(len(runs) - 1, -1, -1):
        gains = gains_of(like.interventions, f"l{layer}", steps, widths)
        pulled = road.pull(runs[layer], {"h": asked}, gains)
        if f"l{layer}" == end:
            return log10_norm(pulled.at[name], 2)
        asked = pulled.x
    raise AssertionError(signal)
