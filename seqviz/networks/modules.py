"""Recurrent networks whose every signal can be observed and edited.

:func:`instrument` gives a twin of torch's recurrent layer that shares its parameters and computes step by
step through named :class:`HookPoint` modules. ``SequenceRNN``, ``SequenceGRU`` and ``SequenceLSTM`` are torch's
layers with a linear readout; ``FeedForward`` has their interface and no memory.

Shapes in torch's letters: ``L`` steps, ``N`` batch, ``H_in`` input size, ``H`` hidden size, ``P`` projection
size, ``D`` directions, ``K`` layers.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from seqviz import cells
from seqviz.cells.layer import CellLayer
from seqviz.language import tr
from seqviz.networks.layers import (
    Recurrent,
    State,
    between_layers,
    cell_of,
    check_input,
    layer_names,
    read_input,
    signal_widths,
    stack_of,
    write_output,
)
from seqviz.networks.unroll import unroll

__all__ = [
    "FeedForward",
    "HookPoint",
    "Instrumented",
    "SequenceCell",
    "SequenceGRU",
    "SequenceLSTM",
    "SequenceRNN",
    "instrument",
    "sequence",
]


class HookPoint(nn.Module):
    """The identity, there to be hooked.

    A forward hook gets ``(module, (value, step), value)``: ``value`` is ``(N, H)``, in the batch order of the
    input, and ``step`` is its index in the sequence. A hook that returns a tensor puts it in place of the value.
    Where sequences of different lengths are padded, the rows past the end of a sequence mean nothing.
    """

    def forward(self, value: Tensor, step: int) -> Tensor:
        return value


class Instrumented(nn.Module):
    """A torch recurrent layer computed step by step through hook points; made by :func:`instrument`.

    The call is that of `nn.LSTM <https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html>`_ and its
    sisters: same arguments, same returned values, same random numbers for dropout, in agreement forward and
    backward. Its parameters are those of the layer it was made from, held as ``layer``; so are its dropout
    mode and its training flag.

    Hook points are submodules named as the signals are: ``x``, ``l0.f``, ``l0.f_pre``, ``l0.f_ih``, ``l0.f_hh``,
    ``l0.c``, ``l0.h``, ``l1_reverse.h``; reach one by ``get_submodule``. Each is called once a step, in the order
    of processing, which for a reverse direction runs from the last step to the first.
    """

    def __init__(self, layer: Recurrent) -> None:
        super().__init__()
        self.layer = layer
        self.training = layer.training
        self.x = HookPoint()
        own = cell_of(layer)
        own = own.projected(layer.proj_size) if layer.proj_size else own
        for end, _, _ in layer_names(layer):
            points = nn.Module()
            for name in own.hooks(detail=True):
                points.add_module(name, HookPoint())
            self.add_module(end, points)

    def forward(self, input: Tensor | PackedSequence, hx: State = None) -> Any:
        layer = self.layer
        check_input(layer, input, hx)
        given = read_input(layer, input, hx)
        packed = input if isinstance(input, PackedSequence) else None
        stack = stack_of(layer)
        points = {name: self.get_submodule(name) for name in signal_widths(layer)}
        run = unroll(
            stack,
            given,
            lambda name, value, step: points[name](value, step),
            lambda value: between_layers(stack, value, packed),
        )
        states = run.states
        if isinstance(input, Tensor) and input.dim() == 2:
            states = tuple(s.squeeze(1) for s in states)
        return write_output(layer, run.out, input), states if len(states) > 1 else states[0]


def instrument(module: Recurrent) -> Instrumented:
    """A twin of ``module`` that shares its parameters and has a hook point at every signal.

    Args:
        module: an ``nn.RNN``, ``nn.GRU`` or ``nn.LSTM`` of any layers, directions, bias, projection and dropout, or a
            :class:`~seqviz.cells.layer.CellLayer`.

    Raises:
        ValueError: ``module`` is none of those.
    """
    if not isinstance(module, Recurrent):
        raise ValueError(
            tr("Only nn.RNN, nn.GRU and nn.LSTM can be instrumented; got {kind}.", kind=type(module).__name__)
        )
    return Instrumented(module)


class _Sequence(nn.Module):
    """A torch recurrent layer, ``rnn``, and a linear readout of its output at every step, ``readout``."""

    rnn: nn.Module
    readout: nn.Linear

    def forward(self, x: Tensor | PackedSequence, hx: State = None) -> Any:
        """``x`` ``(L, N, input_size)``, or as torch's layer takes it, to ``y`` ``(L, N, output_size)``.

        ``hx`` is the state before the first step, zero by default. A packed input gives a packed output.
        """
        out, _ = self.rnn(x, hx)
        return out._replace(data=self.readout(out.data)) if isinstance(out, PackedSequence) else self.readout(out)

    def instrumented(self) -> _Sequence:
        """A twin that shares every parameter and whose ``rnn`` has hook points; see :class:`Instrumented`."""
        twin = _Sequence()
        twin.rnn = self.rnn if isinstance(self.rnn, Instrumented) else instrument(self.rnn)  # type: ignore[arg-type]
        twin.readout = self.readout
        twin.training = self.training
        return twin

    def _build(self, kind: type[nn.RNNBase], sizes: tuple[int, int, int], **options: Any) -> None:
        _check_sizes(*sizes, options["num_layers"])
        if not 0 <= options["dropout"] <= 1:
            raise ValueError(tr("dropout must lie between 0 and 1; got {dropout}.", dropout=options["dropout"]))
        projected = options.get("proj_size", 0)
        if not 0 <= projected < sizes[1]:
            raise ValueError(
                tr(
                    "proj_size must be 0 or smaller than hidden_size, {hidden}; got {projected}.",
                    hidden=sizes[1],
                    projected=projected,
                )
            )
        self.rnn = kind(sizes[0], sizes[1], **options)  # type: ignore[arg-type]
        width = (projected or sizes[1]) * (2 if options["bidirectional"] else 1)
        self.readout = nn.Linear(width, sizes[2])


class SequenceRNN(_Sequence):
    """An ``nn.RNN`` and an ``nn.Linear`` on its output at every step.

    Args:
        input_size, hidden_size, output_size: features in, units, features out.
        num_layers: stacked layers.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        bias, bidirectional, dropout, batch_first: as in
            `nn.RNN <https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html>`_.

    Raises:
        ValueError: a size that is not a whole number of at least 1, or another option out of its range.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        num_layers: int = 1,
        *,
        nonlinearity: str = "tanh",
        bias: bool = True,
        bidirectional: bool = False,
        dropout: float = 0.0,
        batch_first: bool = False,
    ) -> None:
        super().__init__()
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(tr("nonlinearity must be 'tanh' or 'relu'; got {given!r}.", given=nonlinearity))
        self._build(
            nn.RNN,
            (input_size, hidden_size, output_size),
            num_layers=num_layers,
            nonlinearity=nonlinearity,
            bias=bias,
            bidirectional=bidirectional,
            dropout=dropout,
            batch_first=batch_first,
        )


class SequenceGRU(_Sequence):
    """An ``nn.GRU`` and an ``nn.Linear`` on its output at every step; arguments as :class:`SequenceRNN`."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        num_layers: int = 1,
        *,
        bias: bool = True,
        bidirectional: bool = False,
        dropout: float = 0.0,
        batch_first: bool = False,
    ) -> None:
        super().__init__()
        self._build(
            nn.GRU,
            (input_size, hidden_size, output_size),
            num_layers=num_layers,
            bias=bias,
            bidirectional=bidirectional,
            dropout=dropout,
            batch_first=batch_first,
        )


class SequenceLSTM(_Sequence):
    """An ``nn.LSTM`` and an ``nn.Linear`` on its output at every step; arguments as :class:`SequenceRNN`.

    ``proj_size`` is the width of the projected hidden state, 0 for none, as in ``nn.LSTM``.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        num_layers: int = 1,
        *,
        bias: bool = True,
        bidirectional: bool = False,
        dropout: float = 0.0,
        proj_size: int = 0,
        batch_first: bool = False,
    ) -> None:
        super().__init__()
        self._build(
            nn.LSTM,
            (input_size, hidden_size, output_size),
            num_layers=num_layers,
            bias=bias,
            bidirectional=bidirectional,
            dropout=dropout,
            proj_size=proj_size,
            batch_first=batch_first,
        )


class SequenceCell(_Sequence):
    """A cell of any lines, ``rnn`` a :class:`~seqviz.cells.layer.CellLayer`, and an ``nn.Linear`` on its output.

    Args:
        cell: its name in :func:`seqviz.cells.names`, or one that :func:`seqviz.cells.parse` made.
        input_size, hidden_size, output_size, num_layers: as :class:`SequenceRNN`.
        batch_first: whether input and output are ``(N, L, ·)``.

    Raises:
        ValueError: no such cell, or a size that is not a whole number of at least 1.
    """

    def __init__(
        self,
        cell: str | cells.Cell,
        input_size: int,
        hidden_size: int,
        output_size: int,
        num_layers: int = 1,
        *,
        batch_first: bool = False,
    ) -> None:
        super().__init__()
        _check_sizes(input_size, hidden_size, output_size, num_layers)
        found = cell if isinstance(cell, cells.Cell) else cells.get(cell)
        self.rnn = CellLayer(found, input_size, hidden_size, num_layers, batch_first=batch_first)
        self.readout = nn.Linear(found.width(found.letter("h"), input_size, hidden_size), output_size)


def sequence(cell: str, input_size: int, hidden_size: int, output_size: int, num_layers: int = 1) -> _Sequence:
    """A network of a registered cell: torch's own layer where torch has one, else its lines.

    Raises:
        ValueError: there is no such cell, or a size out of its range.
    """
    sizes = (input_size, hidden_size, output_size, num_layers)
    kind, *squash = cells.get(cell).torchs.split("_")
    if kind == "rnn":
        return SequenceRNN(*sizes, nonlinearity=squash[0])
    ours = {"lstm": SequenceLSTM, "gru": SequenceGRU}.get(kind)
    return SequenceCell(cell, *sizes) if ours is None else ours(*sizes)


class FeedForward(nn.Module):
    """The same perceptron at every step: what a network without memory can do.

    Hidden layers ``l0``, ``l1``, ... compute ``h = tanh(W x + b)`` and ``readout`` is an ``nn.Linear``. Each step
    is read on its own, so the order of the steps changes nothing but the order of the outputs.

    Args:
        input_size, hidden_size, output_size: features in, units, features out.
        num_layers: hidden layers.

    Raises:
        ValueError: a size that is not a whole number of at least 1.
    """

    def __init__(self, input_size: int, hidden_size: int, output_size: int, num_layers: int = 1) -> None:
        super().__init__()
        _check_sizes(input_size, hidden_size, output_size, num_layers)
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        for k in range(num_layers):
            width = hidden_size if k else input_size
            self.add_module(f"l{k}", nn.Sequential(nn.Linear(width, hidden_size), nn.Tanh()))
        self.readout = nn.Linear(hidden_size, output_size)

    def forward(self, x: Tensor, hx: State = None) -> Tensor:
        """``x`` ``(L, N, input_size)`` to ``y`` ``(L, N, output_size)``; any leading shape will do.

        Raises:
            ValueError: ``hx`` is not ``None``.
        """
        if hx is not None:
            raise ValueError(tr("A feed-forward network has no state: leave hx out."))
        for k in range(self.num_layers):
            x = self.get_submodule(f"l{k}")(x)
        return self.readout(x)


def _check_sizes(input_size: int, hidden_size: int, output_size: int, num_layers: int) -> None:
    named = {
        "input_size": input_size,
        "hidden_size": hidden_size,
        "output_size": output_size,
        "num_layers": num_layers,
    }
    for name, size in named.items():
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(tr("{name} must be a whole number of at least 1; got {size!r}.", name=name, size=size))
