"""Recurrent networks whose every signal can be observed and edited.

:func:`instrument` gives a twin of torch's recurrent layer that shares its parameters and computes step by
step through named :class:`HookPoint` modules. ``SequenceRNN``, ``SequenceGRU`` and ``SequenceLSTM`` are torch's
layers with a linear readout; ``FeedForward`` has their interface and no memory.

Shapes in torch's letters: ``L`` steps, ``N`` batch, ``H_in`` input size, ``H`` hidden size, ``P`` projection
size, ``D`` directions, ``K`` layers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from seqviz.cells import At, Signals, Weights, gru_step, lstm_step, rnn_step, signal_names
from seqviz.vocabulary import GRU, LSTM

__all__ = [
    "FeedForward",
    "HookPoint",
    "Instrumented",
    "SequenceGRU",
    "SequenceLSTM",
    "SequenceRNN",
    "instrument",
]

Recurrent = nn.RNN | nn.GRU | nn.LSTM
State = Tensor | tuple[Tensor, Tensor] | None


class HookPoint(nn.Module):
    """The identity, there to be hooked.

    A forward hook gets ``(module, (value, step), value)``: ``value`` is ``(N, H)``, in the batch order of the
    input, and ``step`` is its index in the sequence. A hook that returns a tensor puts it in place of the value.
    Where sequences of different lengths are padded, the rows past the end of a sequence mean nothing.
    """

    def forward(self, value: Tensor, step: int) -> Tensor:
        return value


class Sequences(NamedTuple):
    """What a layer was given, time first.

    ``x`` is ``(L, N, H_in)`` in the caller's batch order; ``lengths`` is ``(N,)`` for a packed input, else
    ``None``; ``h_0`` is ``(D*K, N, P or H)`` and ``c_0`` is ``(D*K, N, H)``, ``None`` but for an LSTM.
    """

    x: Tensor
    lengths: Tensor | None
    h_0: Tensor
    c_0: Tensor | None


def read_input(rnn: Recurrent, value: Tensor | PackedSequence, hx: State) -> Sequences:
    """Bring the arguments of a torch recurrent layer to one layout."""
    if isinstance(value, PackedSequence):
        x, lengths = pad_packed_sequence(value)
    else:
        x, lengths = _time_first(rnn, value), None
    count = rnn.num_layers * (2 if rnn.bidirectional else 1)
    sizes = (rnn.proj_size or rnn.hidden_size, rnn.hidden_size)
    if hx is None:
        h_0, c_0 = (x.new_zeros(count, x.shape[1], size) for size in sizes)
    else:
        h_0, c_0 = hx if isinstance(hx, tuple) else (hx, hx)
        if h_0.dim() == 2:
            h_0, c_0 = h_0.unsqueeze(1), c_0.unsqueeze(1)
    return Sequences(x, lengths, h_0, c_0 if rnn.mode == LSTM else None)


def read_output(rnn: Recurrent, value: Tensor | PackedSequence) -> Tensor:
    """The output of a torch recurrent layer as ``(L, N, D * (P or H))``, zero past the end of a sequence."""
    return pad_packed_sequence(value)[0] if isinstance(value, PackedSequence) else _time_first(rnn, value)


def read_cell_state(rnn: Recurrent, states: Any) -> Tensor | None:
    """``c_n`` ``(D*K, N, H)`` out of what an LSTM returned as its states; ``None`` for the other cells."""
    if rnn.mode != LSTM:
        return None
    return states[1] if states[1].dim() == 3 else states[1].unsqueeze(1)


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


def between_layers(rnn: Recurrent, out: Tensor, packed: PackedSequence | None) -> Tensor:
    """Dropout on ``(L, N, D*H)`` as torch applies it between layers, drawing the same random numbers."""
    if not (rnn.dropout and rnn.training):
        return out
    if packed is None:
        return dropout(out, rnn.dropout, True)
    index = _packed_index(packed)
    return torch.zeros_like(out).index_put(index, dropout(out[index], rnn.dropout, True))


def layer_weights(rnn: Recurrent, layer: int, reverse: bool) -> Weights:
    """The live parameters of one layer and direction."""
    end = f"l{layer}{'_reverse' if reverse else ''}"
    names = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"] if rnn.bias else ["weight_ih", "weight_hh"]
    weights = {name: getattr(rnn, f"{name}_{end}") for name in names}
    if rnn.proj_size:
        weights["weight_hr"] = getattr(rnn, f"weight_hr_{end}")
    return Weights(**weights)


def layer_names(rnn: Recurrent) -> list[tuple[str, int, bool]]:
    """``(name, layer, reverse)`` in torch's order: ``l0``, ``l0_reverse``, ``l1``, ..."""
    ways = (False, True) if rnn.bidirectional else (False,)
    return [(f"l{k}{'_reverse' if way else ''}", k, way) for k in range(rnn.num_layers) for way in ways]


def signal_widths(rnn: Recurrent, *, detail: bool = True) -> dict[str, int]:
    """The number of units of ``x`` and of every signal of every layer, in the order they are shown."""
    projected = bool(rnn.proj_size)
    names = signal_names(rnn.mode, detail=detail, projected=projected)
    widths = {"x": rnn.input_size}
    for end, _, _ in layer_names(rnn):
        for name in names:
            widths[f"{end}.{name}"] = rnn.proj_size if projected and name == "h" else rnn.hidden_size
    return widths


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
        names = signal_names(layer.mode, detail=True, projected=bool(layer.proj_size))
        for end, _, _ in layer_names(layer):
            points = nn.Module()
            for name in names:
                points.add_module(name, HookPoint())
            self.add_module(end, points)

    def forward(self, input: Tensor | PackedSequence, hx: State = None) -> Any:
        layer = self.layer
        check_input(layer, input, hx)
        given = read_input(layer, input, hx)
        packed = input if isinstance(input, PackedSequence) else None
        out = torch.stack([self.x(value, step) for step, value in enumerate(given.x)])
        h_n: list[Tensor] = []
        c_n: list[Tensor] = []
        directions = 2 if layer.bidirectional else 1
        for k in range(layer.num_layers):
            if k:
                out = between_layers(layer, out, packed)
            outs = []
            for way in range(directions):
                index = k * directions + way
                c_0 = None if given.c_0 is None else given.c_0[index]
                run = self._run(k, bool(way), out, given.h_0[index], c_0, given.lengths)
                outs.append(run[0])
                h_n.append(run[1])
                if run[2] is not None:
                    c_n.append(run[2])
            out = torch.cat(outs, -1)
        states = [torch.stack(s) if given.x.dim() == 3 else s for s in (h_n, c_n) if s]
        if packed is None and input.dim() == 2:
            states = [s.squeeze(1) for s in states]
        return write_output(layer, out, input), tuple(states) if len(states) == 2 else states[0]

    def _run(
        self, layer: int, reverse: bool, x: Tensor, h: Tensor, c: Tensor | None, lengths: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """One layer and direction: ``x`` ``(L, N, H_in)`` to ``out`` ``(L, N, P or H)`` and the last ``h, c``."""
        weights = layer_weights(self.layer, layer, reverse)
        points = self.get_submodule(f"l{layer}{'_reverse' if reverse else ''}")._modules
        out: list[Tensor] = [h] * len(x)
        for t in reversed(range(len(x))) if reverse else range(len(x)):

            def at(name: str, value: Tensor, t: int = t) -> Tensor:
                return points[name](value, t)  # type: ignore[misc]

            s = self._step(x[t], h, c, weights, at)
            if lengths is None:
                h, c = s["h"], s.get("c")
                out[t] = h
            else:
                valid = (t < lengths).to(h.device).unsqueeze(-1)
                h = torch.where(valid, s["h"], h)
                c = None if c is None else torch.where(valid, s["c"], c)
                out[t] = torch.where(valid, s["h"], 0.0)
        return torch.stack(out), h, c

    def _step(self, x: Tensor, h: Tensor, c: Tensor | None, weights: Weights, at: At) -> Signals:
        if c is not None:
            return lstm_step(x, h, c, weights, at)
        if self.layer.mode == GRU:
            return gru_step(x, h, weights, at)
        return rnn_step(x, h, weights, at, mode=self.layer.mode)


def instrument(module: Recurrent) -> Instrumented:
    """A twin of ``module`` that shares its parameters and has a hook point at every signal.

    Args:
        module: an ``nn.RNN``, ``nn.GRU`` or ``nn.LSTM`` of any layers, directions, bias, projection and dropout.

    Raises:
        ValueError: ``module`` is not one of those three.
    """
    if not isinstance(module, Recurrent):
        raise ValueError(f"Only nn.RNN, nn.GRU and nn.LSTM can be instrumented; got {type(module).__name__}.")
    return Instrumented(module)


def check_input(rnn: Recurrent, value: object, hx: object) -> None:
    """Refuse an input or a state that the layer cannot take, in a plain sentence.

    Raises:
        ValueError: wrong type, dtype, number of dimensions, width or length of ``value`` or ``hx``.
    """
    dtype = rnn.weight_ih_l0.dtype
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"The layer's weights are {_word(dtype)}; only float32 and float64 can be shown.")
    data = value.data if isinstance(value, PackedSequence) else value
    if not isinstance(data, Tensor):
        raise ValueError(f"The input must be a torch tensor or a PackedSequence; got {type(value).__name__}.")
    if data.dtype != dtype:
        raise ValueError(f"The input is {_word(data.dtype)} and the layer's weights are {_word(dtype)}.")
    packed = isinstance(value, PackedSequence)
    if not packed and data.dim() not in (2, 3):
        raise ValueError(f"The input must have 3 dimensions, or 2 without a batch; got {data.dim()}.")
    if data.shape[-1] != rnn.input_size:
        raise ValueError(f"The input has {data.shape[-1]} features; the layer takes {rnn.input_size}.")
    if data.numel() == 0 and rnn.input_size:
        raise ValueError(f"The input is empty: its shape is {tuple(data.shape)}.")
    if hx is not None:
        _check_state(rnn, value, data, hx)


def _check_state(rnn: Recurrent, value: object, data: Tensor, hx: object) -> None:
    lstm = rnn.mode == LSTM
    states = hx if isinstance(hx, tuple) else (hx,)
    if len(states) != (2 if lstm else 1) or isinstance(hx, tuple) != lstm:
        raise ValueError("The state of an LSTM is (h_0, c_0)." if lstm else "The state is one tensor, h_0.")
    count = rnn.num_layers * (2 if rnn.bidirectional else 1)
    if isinstance(value, PackedSequence):
        batch = int(value.batch_sizes[0])
    else:
        batch = 1 if data.dim() == 2 else data.shape[0 if rnn.batch_first else 1]
    unbatched = data.dim() == 2 and not isinstance(value, PackedSequence)
    widths = (rnn.proj_size or rnn.hidden_size, rnn.hidden_size)
    for name, state, width in zip(("h_0", "c_0"), states, widths, strict=False):
        shape = (count, width) if unbatched else (count, batch, width)
        if not isinstance(state, Tensor) or tuple(state.shape) != shape:
            got = tuple(state.shape) if isinstance(state, Tensor) else type(state).__name__
            raise ValueError(f"{name} must have shape {shape}; got {got}.")
        if state.dtype != data.dtype:
            raise ValueError(f"{name} is {_word(state.dtype)} and the input is {_word(data.dtype)}.")


def _word(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


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
            raise ValueError(f"dropout must lie between 0 and 1; got {options['dropout']}.")
        projected = options.get("proj_size", 0)
        if not 0 <= projected < sizes[1]:
            raise ValueError(f"proj_size must be 0 or smaller than hidden_size, {sizes[1]}; got {projected}.")
        self.rnn = kind(sizes[0], sizes[1], **options)
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
            raise ValueError(f"nonlinearity must be 'tanh' or 'relu'; got {nonlinearity!r}.")
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
            raise ValueError("A feed-forward network has no state: leave hx out.")
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
            raise ValueError(f"{name} must be a whole number of at least 1; got {size!r}.")
