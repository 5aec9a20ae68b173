"""Any cell as a torch module that is called as torch's recurrent layers are."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence
from torch.overrides import handle_torch_function, has_torch_function

from seqviz import counted
from seqviz.cells.cell import Cell
from seqviz.cells.step import Named, Step
from seqviz.language import tr

__all__ = ["CellLayer", "Hook", "run_cell"]

Hook = Callable[[str, int, Tensor], Tensor]
"""What happens at a signal of a step: takes ``l0.f``, the step and the value ``(N, H)``; what it returns goes on."""


def run_cell(
    value: Tensor, states: tuple[Tensor, ...], flat: list[Tensor], cell: Cell, layers: int, at: Hook | None = None
) -> tuple[Tensor, ...]:
    """A cell's layers step by step: what ``torch.lstm`` is to an LSTM, and met where that is.

    Args:
        value: ``(L, N, H_in)``.
        states: before the first step, in the cell's order, ``(layers, N, H)`` each.
        flat: every layer's parameters, in the order of :attr:`Cell.packing`, one layer after the other.
        cell, layers: what is run, and how many are stacked.
        at: see :data:`Hook`.

    Returns:
        The output ``(L, N, H)`` and the last states.
    """
    if has_torch_function((value,)):
        found: tuple[Tensor, ...] = handle_torch_function(run_cell, (value,), value, states, flat, cell, layers)
        return found
    ends: list[list[Tensor]] = [[] for _ in states]
    count = len(cell.packing)
    for layer in range(layers):
        named = Named(zip(cell.packing, flat[layer * count : (layer + 1) * count], strict=True))
        step, out = Step(cell, named), []
        now = {state: first[layer] for state, first in zip(cell.states, states, strict=True)}
        for t, x_t in enumerate(value):
            touch = None if at is None else partial(_touched, at, layer, t)
            signals = step(x_t, now, touch)
            now = {state: signals[state] for state in cell.states}
            out.append(signals["h"])
        value = torch.stack(out)
        for kept, last in zip(ends, now.values(), strict=True):
            kept.append(last)
    return value, *map(torch.stack, ends)


def _touched(at: Hook, layer: int, t: int, name: str, value: Tensor) -> Tensor:
    return at(f"l{layer}.{name}", t, value)


class CellLayer(nn.Module):
    """A cell run over a sequence, computed step by step from its lines; autograd goes through.

    The call is that of `nn.LSTM <https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html>`_ and its
    sisters: ``output, state = layer(input, state)``. Parameters are named and packed as torch does where the cell has
    torch's blocks (``weight_ih_l0``), else by their names in the lines (``p_f_l0``), and start as torch's do, from
    U(-1/sqrt(H), 1/sqrt(H)). Weights that the text calls ``fixed`` are not trained.

    Args:
        cell: what to run.
        input_size, hidden_size, num_layers: as in ``nn.LSTM``.
        batch_first: whether input and output are ``(N, L, ·)``.

    A state is one tensor ``(num_layers, N, H)``, or a tuple of them in the cell's order where it has several.
    """

    bidirectional, dropout, proj_size, bias = False, 0.0, 0, True

    def __init__(
        self, cell: Cell, input_size: int, hidden_size: int, num_layers: int = 1, *, batch_first: bool = False
    ) -> None:
        super().__init__()
        self.cell, self.mode = cell, cell.name
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.batch_first = batch_first
        bound = 1 / math.sqrt(hidden_size)
        for layer in range(num_layers):
            width = input_size if layer == 0 else cell.width(cell.letter("h"), input_size, hidden_size)
            for name, shape in cell.packed_shapes(width, hidden_size).items():
                trained = not cell.fixed.intersection(cell.packing[name])
                parameter = nn.Parameter(torch.empty(shape).uniform_(-bound, bound), requires_grad=trained)
                self.register_parameter(f"{name}_l{layer}", parameter)

    def __repr__(self) -> str:
        return f"CellLayer({self.mode}, {self.input_size}, {self.hidden_size}, num_layers={self.num_layers})"

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Notes the cell beside a state dict, whose names may be those of another one."""
        super()._save_to_state_dict(destination, prefix, keep_vars)
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]]["cell"] = self.mode

    def packed(self, layer: int) -> Named:
        """A layer's parameters by their names in :attr:`Cell.packing`."""
        return Named({name: getattr(self, f"{name}_l{layer}") for name in self.cell.packing})

    def named(self, layer: int) -> dict[str, Tensor]:
        """A layer's parameters by their names in the lines."""
        return self.cell.unpack(self.packed(layer))

    def initial(self, like: Tensor) -> dict[str, Tensor]:
        """The states before the first step, ``(num_layers, N, H)`` each, for an input ``(L, N, H_in)``."""
        return {
            state: like.new_full(
                (self.num_layers, like.shape[1], self.cell.width(self.cell.letter(state), 0, self.hidden_size)),
                self.cell.start.get(state, 0.0),
            )
            for state in self.cell.states
        }

    def forward(self, input: Tensor, hx: Any = None, at: Hook | None = None) -> tuple[Tensor, Any]:
        """``input`` ``(L, N, H_in)``, ``(L, H_in)``, or ``(N, L, H_in)`` with ``batch_first``; see the class.

        Raises:
            ValueError: an input or a state of another shape.
        """
        alone = isinstance(input, Tensor) and input.dim() == 2
        x = self._time_first(input)
        before = tuple(self.states_before(hx, x, alone=alone).values())
        flat = [tensor for layer in range(self.num_layers) for tensor in self.packed(layer).values()]
        more = () if at is None else (at,)
        x, *states = run_cell(x, before, flat, self.cell, self.num_layers, *more)
        if alone:
            x, states = x.squeeze(1), [state.squeeze(1) for state in states]
        elif self.batch_first:
            x = x.transpose(0, 1)
        return x, states[0] if len(states) == 1 else tuple(states)

    def check(self, value: Any, hx: Any) -> None:
        """Refuse an input or a state that the layer cannot take.

        Raises:
            ValueError: as :meth:`forward`.
        """
        self.states_before(hx, self._time_first(value), alone=value.dim() == 2)

    def _time_first(self, input: Any) -> Tensor:
        if isinstance(input, PackedSequence):
            says = tr("{cell} takes no packed sequence: give a padded one, (L, N, H_in).", cell=self.mode)
            raise ValueError(says)
        if not isinstance(input, Tensor) or input.dim() not in (2, 3):
            raise ValueError(tr("The input must be a torch tensor of 3 dimensions, or 2 without a batch."))
        if (given := input.shape[-1]) != self.input_size:
            says = tr(
                "The input has {features}; the layer takes {size}.",
                features=counted.features(given),
                size=self.input_size,
            )
            raise ValueError(says)
        if input.dim() == 2:
            return input.unsqueeze(1)
        return input.transpose(0, 1) if self.batch_first else input

    def states_before(self, hx: Any, x: Tensor, *, alone: bool = False) -> dict[str, Tensor]:
        """The states before the first step by name, ``(num_layers, N, H)`` each; ``x`` is ``(L, N, H_in)``.

        Raises:
            ValueError: a state of another shape, or more or fewer of them.
        """
        expected = self.initial(x)
        if hx is None:
            return expected
        given = list(hx) if isinstance(hx, tuple | list) else [hx]
        if len(given) != len(expected):
            known, count = ", ".join(expected), len(given)
            raise ValueError(tr("The cell's states are {known}; got {count} of them.", known=known, count=count))
        found = {}
        for (state, wanted), value in zip(expected.items(), given, strict=True):
            flat = isinstance(value, Tensor) and value.dim() == 2 and (alone or x.shape[1] == 1)
            value = value.unsqueeze(1) if flat else value
            if not isinstance(value, Tensor) or value.shape != wanted.shape:
                got = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
                says = tr(
                    "{name} must have shape {shape}; got {got}.", name=f"{state}_0", shape=tuple(wanted.shape), got=got
                )
                raise ValueError(says)
            found[state] = value
        return found
