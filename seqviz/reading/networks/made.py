"""A stack as a torch module: torch's own layer where torch has it, else the cell from its lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from seqviz import cells
from seqviz.cells.cell import Cell
from seqviz.cells.gru_before import GRU_RESET_BEFORE
from seqviz.cells.layer import CellLayer
from seqviz.cells.peephole import PEEPHOLE
from seqviz.cells.squashing import name_of
from seqviz.cells.taken import check_one_device, check_taken, checking
from seqviz.language import tr
from seqviz.reading.networks.stacks import Stack

__all__ = ["BothWays", "Whole", "cell_of", "linear", "made"]

_LAYERS: Final = MappingProxyType({"LSTM": nn.LSTM, "GRU": nn.GRU, "RNN": nn.RNN})


class BothWays(nn.Module):
    """A cell run over a sequence forwards and backwards, as ``nn.LSTM(bidirectional=True)`` does.

    The call is torch's: ``input`` ``(L, N, H_in)``, or ``(N, L, H_in)`` with ``batch_first``; the output has both
    directions side by side, the states are ``(num_layers * 2, N, H)``.
    """

    def __init__(self, cell: Cell, input_size: int, hidden_size: int, num_layers: int = 1, *,
                 batch_first: bool = False) -> None:  # fmt: skip
        super().__init__()
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.batch_first, self.bidirectional, self.mode = batch_first, True, cell.name
        widths = [input_size] + [2 * hidden_size] * (num_layers - 1)
        self.runs = nn.ModuleList(CellLayer(cell, width, hidden_size) for width in widths for _ in range(2))

    def check(self, value: Any, hx: Any) -> None:
        """Refuse an input or a state that the layer cannot take.

        Raises:
            ValueError: one of another shape, or a state of a cell that has several.
        """
        if not isinstance(value, Tensor):
            raise ValueError(tr("{cell} takes no packed sequence: give a padded one, (L, N, H_in).", cell=self.mode))
        batch = () if value.dim() == 2 else (value.shape[0 if self.batch_first else 1],)
        wanted = (len(self.runs), *batch, self.hidden_size)
        if hx is not None and (not isinstance(hx, Tensor) or hx.shape != wanted):
            got = tuple(hx.shape) if isinstance(hx, Tensor) else type(hx).__name__
            raise ValueError(tr("{name} must have shape {shape}; got {got}.", name="h_0", got=got, shape=wanted))

    def forward(self, input: Tensor, hx: Any = None) -> tuple[Tensor, Any]:
        """``output, h_n``, or ``output, (h_n, c_n)``; a state that is given belongs to a cell with one state.

        Raises:
            ValueError: an input or a state of another shape.
        """
        check_taken(self, input, hx)
        alone, state = input.dim() == 2, hx
        x = input.unsqueeze(1) if alone else input.transpose(0, 1) if self.batch_first else input
        if alone and state is not None:
            state = state.unsqueeze(1)
        ends: list[tuple[Tensor, ...]] = []
        for layer in range(self.num_layers):
            out = []
            for way in range(2):
                k = 2 * layer + way
                first = None if state is None else state[k : k + 1]
                y, end = self.runs[k](x.flip(0) if way else x, first)
                out.append(y.flip(0) if way else y)
                ends.append(end if isinstance(end, tuple) else (end,))
            x = torch.cat(out, -1)
        states = [torch.cat(each) for each in zip(*ends, strict=True)]
        states = [state.squeeze(1) for state in states] if alone else states
        y = x.squeeze(1) if alone else x.transpose(0, 1) if self.batch_first else x
        return y, states[0] if len(states) == 1 else tuple(states)


class Whole(nn.Module):
    """A network out of a file as one module: recurrent layers that feed each other, and what reads the last one out.

    The call is a layer's without a state: ``x`` ``(L, N, H_in)``, or ``(L, H_in)``; the output is ``(L, N, O)`` with a
    readout, and ``(L, N, H_out)`` without one.

    Args:
        layers: the first one first.
        turns: of each, whether it takes the last step first, whether its output is then turned again, and how its
            directions are put together.
        readout: what reads out the last one.
    """

    __jit_unused_properties__ = ("last",)

    def __init__(
        self, layers: Sequence[nn.Module], turns: Sequence[tuple[bool, bool, str]], readout: nn.Linear | None = None
    ) -> None:
        super().__init__()
        self.layers, self.turns = nn.ModuleList(layers), tuple(turns)
        self.readout = readout

    def with_readout(self, readout: nn.Linear | None) -> Whole:
        """The same layers, read out by something else."""
        return Whole(list(self.layers), self.turns, readout)

    def up_to(self, place: int) -> Whole:
        """The same up to one of its layers, by its place, which nothing reads out but the last one's readout."""
        layers = list(self.layers)[: place + 1]
        return Whole(layers, self.turns[: place + 1], self.readout if len(layers) == len(self.layers) else None)

    @property
    def last(self) -> Any:
        """The last of the layers."""
        return self.layers[-1]

    def fed(self, x: Tensor) -> Tensor:
        """What the last layer takes, ``(L, N, H_in)``, the step that it takes first being the first.

        Raises:
            ValueError: an input that the first one cannot take.
        """
        self._check(x)
        for turns, layer in list(zip(self.turns, self.layers, strict=True))[:-1]:
            x = _given(layer(_taken(x, turns, layer.batch_first))[0], turns, layer.batch_first)  # type: ignore[arg-type]
        return x.flip(0) if self.turns[-1][0] else x

    def forward(self, x: Tensor) -> Tensor:
        """The output at each step of ``x``.

        Raises:
            ValueError: an input that the first layer cannot take.
        """
        if not torch.jit.is_scripting():
            self._check(x)
        for k, layer in enumerate(self.layers):
            turns = self.turns[k]
            x = _given(layer(_taken(x, turns, layer.batch_first))[0], turns, layer.batch_first)  # type: ignore[arg-type]
        if self.readout is None:
            return x
        return self.readout(x)

    def _check(self, x: Tensor) -> None:
        first: Any = self.layers[0]
        if isinstance(x, PackedSequence):
            raise ValueError(tr("The network takes no packed sequence: give a padded one, (L, N, H_in)."))
        check_taken(first, x, None)
        check_one_device(first, x)


def _taken(x: Tensor, turns: tuple[bool, bool, str], batch_first: bool) -> Tensor:
    """What a layer takes of ``(L, N, H_in)``, or ``(L, H_in)``; scripted with :class:`Whole`."""
    took = x.flip(0) if turns[0] else x
    return took.transpose(0, 1) if batch_first and x.dim() == 3 else took


def _given(out: Tensor, turns: tuple[bool, bool, str], batch_first: bool) -> Tensor:
    """What comes out of it for the next one; scripted with :class:`Whole`."""
    if batch_first and out.dim() == 3:
        out = out.transpose(0, 1)
    if turns[2] != "concat":
        forth, back = out.chunk(2, -1)
        out = forth * back if turns[2] == "mul" else (forth + back) / (2 if turns[2] == "ave" else 1)
    return out.flip(0) if turns[1] else out


def made(stack: Stack, said: Mapping[str, Any]) -> nn.Module:
    """The module of a stack, with answers to all that it asks; float32, for evaluation."""
    cell = cells.get(cell_of(stack, said))
    if not cell.torchs:
        return checking(_of_lines(stack, cell, said)).eval()
    options: dict[str, Any] = {"bias": stack.bias, "batch_first": said["batch_first"]}
    options |= {"bidirectional": stack.bidirectional, "num_layers": stack.num_layers}
    if stack.cell == "LSTM":
        options["proj_size"] = stack.proj_size
    if stack.cell == "RNN":
        options["nonlinearity"] = said["nonlinearity"]
    # Made without numbers first, so that nothing is drawn from torch's generator.
    layer = _LAYERS[stack.cell](stack.input_size, stack.hidden_size, device="meta", **options)
    layer.to_empty(device="cpu")
    _fill(layer, {name: name for name, _ in layer.named_parameters()}, stack.arrays(said))
    return checking(layer).eval()


def cell_of(stack: Stack, said: Mapping[str, Any]) -> str:
    """The name of a stack's cell, with answers to all that it asks."""
    if stack.cell == "RNN":
        name = f"RNN_{said['nonlinearity'].upper()}"
    elif stack.peephole:
        name = PEEPHOLE.name
    else:
        name = stack.cell if stack.cell != "GRU" or said["reset_after"] else GRU_RESET_BEFORE.name
    return name_of("RNN_TANH" if stack.cell == "RNN" else name, stack.functions) if stack.functions else name


def linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    """A readout of ``weight`` ``(O, H)`` and ``bias`` ``(O,)``; float32, for evaluation, nothing drawn at random."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], device="meta").to_empty(device="cpu")
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
    return layer.eval()


def _of_lines(stack: Stack, cell: Cell, said: Mapping[str, Any]) -> nn.Module:
    kind: type[CellLayer | BothWays] = BothWays if stack.bidirectional else CellLayer
    with torch.device("meta"):
        layer = kind(cell, stack.input_size, stack.hidden_size, stack.num_layers, batch_first=said["batch_first"])
    layer.to_empty(device="cpu")
    names = {name: name for name, _ in layer.named_parameters()}
    if stack.bidirectional:
        for name in names:
            _, k, part = name.split(".")
            names[name] = part.replace("_l0", f"_l{int(k) // 2}") + ("_reverse" if int(k) % 2 else "")
    _fill(layer, names, stack.arrays(said))
    return layer


def _fill(layer: nn.Module, names: Mapping[str, str], arrays: Mapping[str, np.ndarray]) -> None:
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            given = arrays.get(names[name])
            parameter.zero_() if given is None else parameter.copy_(torch.from_numpy(given.copy()))
