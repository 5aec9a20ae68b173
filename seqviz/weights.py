"""How weights start, and views of torch's packed matrices by gate.

torch stacks the gates' blocks: rows ``k*H:(k+1)*H`` of ``weight_ih`` and ``weight_hh`` belong to gate k in
the order i, f, g, o (LSTM) or r, z, n (GRU);
https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor, nn

from seqviz import cells
from seqviz import vocabulary as words
from seqviz.checks import instance
from seqviz.experiment import PRESETS, SCHEMES, Experiment, Init, parameter_shapes
from seqviz.kept import kept
from seqviz.language import later, tr
from seqviz.networks.presets import preset_parameters

__all__ = [
    "PARTS", "candidates_radius", "drawn", "gate_view", "gates_with_weights", "initial", "materialise", "parts_of",
    "place", "set_parts", "spectral_radius",
]  # fmt: skip

Parameters = Mapping[str, np.ndarray]

PARTS = ("ih", "hh", "bias_ih", "bias_hh")
"""Where a gate's weights read from: the input, the last state, and torch's two biases."""


def materialise(experiment: Experiment) -> Parameters:
    """Every parameter as the network will hold it: drawn, loaded tensors put in, then edits.

    Returns:
        torch's parameter names to read-only float32 arrays, of :func:`~seqviz.experiment.parameter_shapes`.
    """
    return _materialise(_network_of(experiment))


def drawn(experiment: Experiment) -> Parameters:
    """The same as :func:`materialise`, and not kept: for who goes through thousands of networks, each once."""
    return _made(_network_of(experiment))


def initial(experiment: Experiment) -> Parameters:
    """The parameters before any edit and before loaded tensors: as drawn, or as set by hand.

    Raises:
        ValueError: a hand-set network was asked for in other sizes than it has.
    """
    return _materialise(_network_of(experiment, bare=True))


def set_parts(experiment: Experiment) -> frozenset[str]:
    """Which parts hold weights that were set by hand or trained: ``recurrent``, ``readout``; the rest is drawn."""
    if experiment.init.scheme in PRESETS:
        return frozenset({"recurrent", "readout"})
    changed = {*(tensor.parameter for tensor in experiment.tensors), *(edit.parameter for edit in experiment.edits)}
    return frozenset("readout" if name.startswith("readout.") else "recurrent" for name in changed)


def _network_of(experiment: Experiment, bare: bool = False) -> tuple:
    """What the weights depend on: the cache's key. chrono looks at a length: its own, or the sequence's."""
    e = instance(experiment, Experiment, later("What has weights"))
    length = (e.init.memory or e.sequence.length) if e.init.scheme == "chrono" else 0
    shape = (e.cell, e.input_size, e.hidden_size, e.output_size, e.num_layers)
    tensors, edits = ((), ()) if bare else (e.tensors, e.edits)
    # 0.0 and -0.0 are equal in a key but not bit for bit, so the places of -0.0 are part of it.
    minus = tuple(k for k, edit in enumerate(edits) if edit.value == 0 and math.copysign(1, edit.value) < 0)
    return (shape, e.init, length, tensors, edits, minus)


def _made(key: tuple) -> Parameters:
    shape, init, length, tensors, edits, _ = key
    blank = Experiment(shape[0], *shape[1:])
    arrays = _draw(blank, init, length)
    for tensor in tensors:
        arrays[tensor.parameter] = tensor.array().astype(np.float32)
    for edit in edits:
        array = arrays[edit.parameter]
        array[(edit.row, edit.col) if array.ndim == 2 else edit.row] = edit.value
    for array in arrays.values():
        array.flags.writeable = False
    return MappingProxyType(arrays)


_materialise = kept(_made)


def _draw(blank: Experiment, init: Init, length: int) -> dict[str, np.ndarray]:
    shapes = parameter_shapes(blank)
    if init.scheme in SCHEMES:
        tensors = _scheme(blank, init, length, shapes)
    else:
        tensors = {name: torch.from_numpy(a) for name, a in preset_parameters(init.scheme, blank).items()}
    # Adding 0.0 turns -0.0 into 0.0: the two are one key of the cache, so they must give the same bits.
    for name, tensor in tensors.items():
        if tensor.ndim == 2 and init.gain != 1.0 and not name.startswith("readout"):
            tensor.mul_(init.gain + 0.0)
    if init.spectral_radius is not None:
        _rescale(blank, tensors, init.spectral_radius + 0.0)
    if init.forget_bias is not None:
        _set_forget_bias(blank, tensors, init.forget_bias + 0.0)
    return {name: np.ascontiguousarray(tensor.numpy(), dtype=np.float32) for name, tensor in tensors.items()}


def _scheme(blank: Experiment, init: Init, length: int, shapes: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Draw every parameter in torch's order from one generator, so that a seed means what it does in torch.

    ``default`` is U(-1/sqrt(H), 1/sqrt(H)): after ``torch.manual_seed(seed)``, ``nn.LSTM(...)`` and then
    ``nn.Linear(...)`` hold the same numbers.
    """
    generator = torch.Generator().manual_seed(init.seed)
    bound = 1 / math.sqrt(blank.hidden_size)
    tensors = {name: torch.empty(shape).uniform_(-bound, bound, generator=generator) for name, shape in shapes.items()}
    if init.scheme == "default":
        return tensors
    if init.scheme == "chrono":
        _chrono(blank, tensors, length, generator)
        return tensors
    cell = cells.get(blank.cell)
    for name, tensor in tensors.items():
        part, readout = name.rpartition("_l")[0], name.startswith("readout")
        vector = tensor.ndim == 1 and not readout and not part.startswith("b")
        if init.scheme == "zeros":
            tensor.zero_()
        elif readout or vector:
            continue
        elif tensor.ndim == 1:
            tensor.zero_()
        else:
            rows = cell.packing[part]
            for row, block in zip(rows, tensor.chunk(len(rows)), strict=True):
                _fill(block, row in cell.recurrent, init.scheme, generator)
    return tensors


def _fill(block: Tensor, recurrent: bool, scheme: str, generator: torch.Generator) -> None:
    """One gate's ``(H, ·)`` block, in place.

    Xavier: Glorot and Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html. Orthogonal recurrent
    blocks: Saxe, McClelland and Ganguli 2013, https://arxiv.org/abs/1312.6120. Identity (IRNN), with
    N(0, 0.1) from the input: Le, Jaitly and Hinton 2015, https://arxiv.org/abs/1504.00941.
    """
    if scheme == "orthogonal" and recurrent:
        nn.init.orthogonal_(block, generator=generator)
    elif scheme == "identity":
        nn.init.eye_(block) if recurrent else block.normal_(0.0, 0.1, generator=generator)
    else:
        nn.init.xavier_uniform_(block, generator=generator)


def _chrono(blank: Experiment, tensors: dict[str, Tensor], length: int, generator: torch.Generator) -> None:
    """Biases for memories of every length up to T: forget gate log U(1, T-1), input gate its negative.

    Tallec and Ollivier 2018, https://arxiv.org/abs/1804.11188; T is ``Init.memory``, or the sequence's length. The
    forget gate is whatever keeps the state in the cell's lines, as the update gate does in torch's GRU.
    """
    longest, cell = max(3, length), cells.get(blank.cell)
    for layer in range(blank.num_layers):
        for state, (gate, sign) in cell.keep_gates.items():
            keep = torch.empty(blank.hidden_size).uniform_(1.0, longest - 1.0, generator=generator).log_()
            _set_gate_bias(blank, tensors, layer, gate, sign * keep)
            if state in cell.write_gates:
                _set_gate_bias(blank, tensors, layer, cell.write_gates[state], -keep)


def _set_gate_bias(blank: Experiment, tensors: dict[str, Tensor], layer: int, gate: str, value: Tensor) -> None:
    """Make the sum of a gate's biases `value`, all of it in the first, torch's ``bias_ih``."""
    cell = cells.get(blank.cell)
    biases = [name for name in cell.weights_of(gate) if name.startswith("b")]
    for k, bias in enumerate(biases):
        part, rows = cell.place(bias, blank.hidden_size)
        tensors[f"{part}_l{layer}"][rows] = 0.0 if k else value


def _set_forget_bias(blank: Experiment, tensors: dict[str, Tensor], value: float) -> None:
    """The bias that keeps the old state, in every layer; a plain RNN has none.

    Jozefowicz, Zaremba and Sutskever 2015, https://proceedings.mlr.press/v37/jozefowicz15.html: an LSTM
    should start with 1. In torch's GRU it is the update gate that keeps the old state.
    """
    for layer in range(blank.num_layers):
        for gate, sign in cells.get(blank.cell).keep_gates.values():
            _set_gate_bias(blank, tensors, layer, gate, torch.tensor(sign * value))


def _rescale(blank: Experiment, tensors: dict[str, Tensor], radius: float) -> None:
    """Give every ``(H, H)`` recurrent block this spectral radius; a block of radius 0 stays."""
    cell = cells.get(blank.cell)
    for layer in range(blank.num_layers):
        for name in cell.recurrent:
            part, rows = cell.place(name, blank.hidden_size)
            block = tensors[f"{part}_l{layer}"][rows]
            now = spectral_radius(block.numpy())
            if now > 0:
                # In float64: after a tiny gain the factor alone is beyond float32.
                block.copy_(block.double() * (radius / now))


def spectral_radius(matrix: np.ndarray) -> float:
    """The largest ``|eigenvalue|`` of a square matrix ``(H, H)``."""
    return float(np.abs(np.linalg.eigvals(np.asarray(matrix, dtype=np.float64))).max())


def candidates_radius(experiment: Experiment, parameters: Parameters) -> float:
    """The spectral radius of the recurrent block that the first layer's candidate reads; 0 where none does."""
    cell = cells.get(experiment.cell)
    candidates = [signal for signal in cell.told if signal not in cell.gates]
    read = [name for signal in candidates for name in cell.weights_of(signal) if name in cell.recurrent]
    if not read:
        return 0.0
    part, rows = cell.place(read[0], experiment.hidden_size)
    return spectral_radius(parameters[f"{part}_l0"][rows])


_STEMS = {"ih": "W_i", "hh": "W_h", "bias_ih": "b_i", "bias_hh": "b_h"}


def parts_of(cell: str, gate: str) -> tuple[str, ...]:
    """The parts of a gate's weights: of PARTS those that it has, and any other weight of its line by its name there."""
    found = cells.get(cell)
    known = {stem + gate: part for part, stem in _STEMS.items()}
    return tuple(known.get(name, name) for name in sorted(found.weights_of(gate), key=lambda n: _order(known.get(n))))


def _order(part: str | None) -> int:
    return PARTS.index(part) if part else len(PARTS)


def gates_with_weights(cell: str) -> tuple[str, ...]:
    """The signals whose lines have weights, in the order in which they are told."""
    return tuple(signal for signal in cells.get(cell).told if parts_of(cell, signal))


def _place(cell: str, hidden_size: int, layer: int, gate: str, part: str) -> tuple[str, slice]:
    """The parameter that holds a part of a gate, and its rows."""
    known, parts = gates_with_weights(cell), parts_of(cell, gate)
    if not parts:
        raise ValueError(
            tr(
                "{cell} has no gate {gate!r}; its blocks are {blocks}.",
                cell=words.CELL_LABELS[cell],
                gate=gate,
                blocks=", ".join(known),
            )
        )
    if part not in parts:
        raise ValueError(tr("The part must be one of {known}, not {part!r}.", known=", ".join(parts), part=part))
    name, rows = cells.get(cell).place(_STEMS[part] + gate if part in _STEMS else part, hidden_size)
    return f"{name}_l{layer}", rows


def gate_view(parameters: Parameters, cell: str, layer: int, gate: str, part: str) -> np.ndarray:
    """One gate's block of a packed parameter, as a view.

    Args:
        parameters: from :func:`materialise`, or any dict of torch's names.
        cell: torch's mode.
        layer: from 0.
        gate: a block of the cell, ``i`` or ``r``.
        part: one of :func:`parts_of`, ``ih`` or ``p_f``.

    Returns:
        ``(H, H_in)`` for ``ih``, ``(H, H)`` for ``hh``, ``(H,)`` for a bias or another vector.

    Raises:
        ValueError: no such gate or part. KeyError: no such layer.
    """
    name, rows = _place(cell, _hidden(parameters, cell, layer), layer, gate, part)
    return parameters[name][rows]


def _hidden(parameters: Parameters, cell: str, layer: int) -> int:
    packing = cells.get(cell).packing
    return cells.get(cell).sizes_of({name: parameters[f"{name}_l{layer}"] for name in packing})[1]


def place(cell: str, hidden_size: int, layer: int, gate: str, part: str, row: int, col: int) -> tuple[str, int, int]:
    """Where a cell of :func:`gate_view`'s block lies: parameter, row and column of a WeightEdit.

    Raises:
        ValueError: no such gate, part or unit; a column is checked by the Experiment.
    """
    if not 0 <= row < hidden_size:
        raise ValueError(tr("There are units 0 to {last}; unit {unit} does not exist.", last=hidden_size - 1, unit=row))
    name, rows = _place(cell, hidden_size, layer, gate, part)
    return name, rows.start + row, col
