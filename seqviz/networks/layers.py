"""How torch's recurrent layers lay out what they take and give, and how to read it: time first.

Shapes in torch's letters: ``L`` steps, ``N`` batch, ``H_in`` input size, ``H`` hidden size, ``P`` projection
size, ``D`` directions, ``K`` layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from seqviz import cells
from seqviz.cells import Cell
from seqviz.cells.layer import CellLayer
from seqviz.cells.step import Named, Weights, parts
from seqviz.cells.taken import cell_of, check_states, check_taken, check_width, word
from seqviz.language import tr

__all__ = [
    "Recurrent",
    "Sequences",
    "Stack",
    "State",
    "between_layers",
    "cell_of",
    "check_call",
    "check_input",
    "check_taken",
    "check_width",
    "layer_names",
    "layer_weights",
    "module_widths",
    "read_input",
    "read_output",
    "signal_widths",
    "stack_of",
    "states_of",
    "step_cell",
    "to_packed",
    "write_output",
]

Recurrent = nn.RNN | nn.GRU | nn.LSTM | CellLayer
State = Tensor | tuple[Tensor, ...] | None


@dataclass(frozen=True)
class Stack:
    """The layers of one call: torch's options, and the very tensors it computed with.

    ``weights`` has an item a layer and direction, in torch's order: ``l0``, ``l0_reverse``, ``l1``, ...
    """

    cell: Cell
    weights: tuple[Weights | Named, ...]
    bidirectional: bool = False
    dropout: float = 0.0
    training: bool = False

    @property
    def mode(self) -> str:
        """The cell's name, for torch's cells torch's ``mode``."""
        return self.cell.name

    @property
    def num_layers(self) -> int:
        return len(self.weights) // (2 if self.bidirectional else 1)

    @property
    def input_size(self) -> int:
        first = self.weights[0]
        return first.weight_ih.shape[1] if isinstance(first, Weights) else self.cell.sizes_of(parts(first))[0]

    @property
    def hidden_size(self) -> int:
        first = self.weights[0]
        if isinstance(first, Weights):
            return first.weight_hh.shape[0] // len(self.cell.blocks)
        return self.cell.sizes_of(parts(first))[1]

    @property
    def proj_size(self) -> int:
        first = self.weights[0]
        return 0 if not isinstance(first, Weights) or first.weight_hr is None else first.weight_hr.shape[0]

    @property
    def drops(self) -> bool:
        """Whether units are dropped out between its layers."""
        return bool(self.dropout and self.training and self.num_layers > 1)

    def of(self, layer: int, reverse: bool) -> Weights | Named:
        """The weights of one layer and direction."""
        return self.weights[layer * (2 if self.bidirectional else 1) + reverse]


class Sequences(NamedTuple):
    """What a layer was given, time first.

    ``x`` is ``(L, N, H_in)`` in the caller's batch order; ``lengths`` is ``(N,)`` for a packed input, else
    ``None``; ``states`` are those before the first step, in the cell's order, ``(D*K, N, P or H)`` each.
    """

    x: Tensor
    lengths: Tensor | None
    states: tuple[Tensor, ...]


def read_input(rnn: Recurrent, value: Tensor | PackedSequence, hx: State) -> Sequences:
    """Bring the arguments of a torch recurrent layer to one layout."""
    if isinstance(value, PackedSequence):
        x, lengths = pad_packed_sequence(value)
    else:
        x, lengths = _time_first(rnn, value), None
    if isinstance(rnn, CellLayer):
        return Sequences(x, lengths, tuple(rnn.states_before(hx, x).values()))
    count = rnn.num_layers * (2 if rnn.bidirectional else 1)
    sizes = (rnn.proj_size or rnn.hidden_size, rnn.hidden_size)[: len(cell_of(rnn).states)]
    if hx is None:
        return Sequences(x, lengths, tuple(x.new_zeros(count, x.shape[1], size) for size in sizes))
    states = states_of(rnn, hx)
    return Sequences(x, lengths, tuple(s.unsqueeze(1) if s.dim() == 2 else s for s in states))


def states_of(rnn: Recurrent, hx: Any) -> tuple[Any, ...]:
    """``(h_0, c_0)`` of an LSTM, which torch takes as a list too, or ``(h_0,)``."""
    return tuple(hx) if isinstance(hx, (tuple, list)) else (hx,)


def read_output(rnn: Recurrent, value: Tensor | PackedSequence) -> Tensor:
    """The output of a torch recurrent layer as ``(L, N, D * (P or H))``, zero past the end of a sequence."""
    return pad_packed_sequence(value)[0] if isinstance(value, PackedSequence) else _time_first(rnn, value)


def _time_first(rnn: Recurrent, value: Tensor) -> Tensor:
    if value.dim() == 2:
        return value.unsqueeze(1)
    return value.transpose(0, 1) if rnn.batch_first else value


def write_output(rnn: Recurrent, out: Tensor, like: Tensor | PackedSequence) -> Tensor | PackedSequence:
    """The inverse of :func:`read_output`, in the form that goes with the input ``like``."""
    if isinstance(like, PackedSequence):
        data = to_packed(out, like)
        return PackedSequence(data, like.batch_sizes, like.sorted_indices, like.unsorted_indices)
    if like.dim() == 2:
        return out.squeeze(1)
    return out.transpose(0, 1) if rnn.batch_first else out


def _packed_index(like: PackedSequence) -> tuple[Tensor, Tensor]:
    """The step and the caller's batch index of every row of a packed sequence, each ``(rows,)``."""
    sizes = like.batch_sizes
    step = torch.repeat_interleave(torch.arange(len(sizes)), sizes)
    row = torch.cat([torch.arange(int(size)) for size in sizes])
    device = like.data.device
    step, row = step.to(device), row.to(device)
    return step, row if like.sorted_indices is None else like.sorted_indices[row]


def to_packed(padded: Tensor, like: PackedSequence) -> Tensor:
    """The rows of ``padded`` ``(L, N, H)`` in the order of the packed sequence ``like``: ``(rows, H)``."""
    return padded[_packed_index(like)]


def between_layers(
    stack: Stack, out: Tensor, packed: PackedSequence | None, draw: torch.Generator | None = None
) -> Tensor:
    """Dropout on ``(L, N, D*H)`` as torch applies it between layers, drawing the same random numbers.

    They come from ``draw``, so that torch's own generator, which other threads share, is left alone; or from that.
    """
    if not stack.drops:
        return out
    if packed is None:
        return _dropped(out, stack.dropout, draw)
    index = _packed_index(packed)
    return torch.zeros_like(out).index_put(index, _dropped(out[index], stack.dropout, draw))


def _dropped(value: Tensor, rate: float, draw: torch.Generator | None) -> Tensor:
    if draw is None or rate == 1:
        return dropout(value, rate, True)
    return value * torch.empty_like(value).bernoulli_(1 - rate, generator=draw).div_(1 - rate)


def layer_weights(rnn: Recurrent, layer: int, reverse: bool) -> Weights | Named:
    """The live parameters of one layer and direction."""
    if isinstance(rnn, CellLayer):
        return rnn.packed(layer)
    end = f"l{layer}_reverse" if reverse else f"l{layer}"
    bias_ih, bias_hh = (f"bias_ih_{end}", f"bias_hh_{end}") if rnn.bias else (None, None)
    return Weights(
        getattr(rnn, f"weight_ih_{end}"),
        getattr(rnn, f"weight_hh_{end}"),
        getattr(rnn, bias_ih) if bias_ih else None,
        getattr(rnn, bias_hh) if bias_hh else None,
        getattr(rnn, f"weight_hr_{end}") if rnn.proj_size else None,
    )


def stack_of(rnn: Recurrent) -> Stack:
    """A module's layers with its live parameters."""
    ways = (False, True) if rnn.bidirectional else (False,)
    weights = tuple(layer_weights(rnn, k, way) for k in range(rnn.num_layers) for way in ways)
    return Stack(cell_of(rnn), weights, rnn.bidirectional, float(rnn.dropout), rnn.training)


def layer_names(rnn: Recurrent | Stack) -> tuple[tuple[str, int, bool], ...]:
    """``(name, layer, reverse)`` in torch's order: ``l0``, ``l0_reverse``, ``l1``, ..."""
    return _layer_names(rnn.num_layers, rnn.bidirectional)


@lru_cache
def _layer_names(layers: int, both: bool) -> tuple[tuple[str, int, bool], ...]:
    ways = (False, True) if both else (False,)
    return tuple((f"l{k}{'_reverse' if way else ''}", k, way) for k in range(layers) for way in ways)


def signal_widths(rnn: Recurrent | Stack, *, detail: bool = True) -> dict[str, int]:
    """The number of units of ``x`` and of every signal of every layer, in the order they are shown."""
    projected, hidden = rnn.proj_size, rnn.hidden_size
    cell = rnn.cell if isinstance(rnn, Stack) else cell_of(rnn)
    cell = cell.projected(projected) if projected else cell
    own = _own_widths(cell, hidden, detail)
    widths = {"x": rnn.input_size}
    for end, _, _ in layer_names(rnn):
        for name, width in own:
            widths[f"{end}.{name}"] = width
    return widths


@lru_cache
def _own_widths(cell: Cell, hidden: int, detail: bool) -> tuple[tuple[str, int], ...]:
    return tuple((name, cell.width(cell.letter(name), 0, hidden)) for name in cell.hooks(detail=detail))


def module_widths(module: nn.Module) -> dict[str, int]:
    """:func:`signal_widths` of a layer or of a cell, from what its class says of itself."""
    if isinstance(module, Recurrent):
        return signal_widths(module)
    sizes: Any = module
    names = step_cell(module).hooks(detail=True)
    return {"x": sizes.input_size} | {f"l0.{name}": sizes.hidden_size for name in names}


def step_cell(module: nn.Module) -> Cell:
    """What an ``nn.LSTMCell`` or one of its sisters computes: its class is called after torch's function."""
    kind = next(kind.__name__ for kind in type(module).__mro__ if kind.__module__.startswith("torch.nn.modules"))
    torchs = kind.removesuffix("Cell").lower() + (f"_{said}" if (said := getattr(module, "nonlinearity", "")) else "")
    return next(cell for cell in map(cells.get, cells.names()) if cell.torchs == torchs)


def check_input(rnn: Recurrent, value: object, hx: object) -> None:
    """Refuse an input or a state that the layer cannot take, or whose run cannot be shown, in a plain sentence.

    Raises:
        ValueError: wrong type, dtype, number of dimensions, width or length of ``value`` or ``hx``.
    """
    dtype: torch.dtype = next(rnn.parameters()).dtype
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(
            tr(
                "The layer's weights are {dtype}; only float32 and float64 can be shown. Run it in float32: "
                "module.float().",
                dtype=word(dtype),
            )
        )
    check_taken(rnn, value, hx, mixed=False)


def check_call(module: nn.Module, value: object, hx: object) -> None:
    """Refuse what a layer or a cell inside somebody's model was called with, where it cannot be taken.

    Raises:
        ValueError: as :func:`check_input`, or the same for a cell.
    """
    if not isinstance(module, nn.RNNCellBase):
        check_input(module, value, hx)  # type: ignore[arg-type]
        return
    dtype = module.weight_hh.dtype
    if not isinstance(value, Tensor):
        raise ValueError(tr("The input must be a torch tensor; got {kind}.", kind=type(value).__name__))
    if value.dim() not in (1, 2):
        raise ValueError(
            tr("A cell takes one step, (N, H_in) or (H_in,); the input is {shape}.", shape=tuple(value.shape))
        )
    check_width(module, value)
    if value.dtype != dtype:
        given, own = word(value.dtype), word(dtype)
        raise ValueError(tr("The input is {given} and the layer's weights are {dtype}.", given=given, dtype=own))
    if hx is not None:
        check_states(hx, isinstance(module, nn.LSTMCell), [(*value.shape[:-1], module.hidden_size)] * 2, dtype)
