"""What torch's recurrent functions are given and give, met while a module runs.

Whatever a layer's class does around it (its weights parametrised, its input dropped out, its states in a list), in the
end it calls ``torch.lstm``, ``torch.gru_cell`` or one of their sisters; what this function is given is what is computed
with. Shapes in torch's letters: ``L`` steps, ``N`` batch, ``H_in`` input size, ``H`` hidden size, ``P`` projection
size, ``D`` directions, ``K`` layers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence
from torch.overrides import TorchFunctionMode

from seqviz.cells.step import Weights
from seqviz.networks.layers import Stack, to_packed
from seqviz.vocabulary import GRU, LSTM, RNN_RELU, RNN_TANH

__all__ = ["FUNCTIONS", "Call", "Kernel", "Kernels", "Order", "Snapshots", "finished", "make_call"]

_LAYERS = {torch.lstm: LSTM, torch.gru: GRU, torch.rnn_tanh: RNN_TANH, torch.rnn_relu: RNN_RELU}
_CELLS = {torch.lstm_cell: LSTM, torch.gru_cell: GRU, torch.rnn_tanh_cell: RNN_TANH, torch.rnn_relu_cell: RNN_RELU}
_KNOWN = {*_LAYERS, *_CELLS}

FUNCTIONS: dict[str, Any] = {mode: func for func, mode in _LAYERS.items()}
"""The function of torch that runs all the layers of a mode."""

Order = tuple[Tensor | None, Tensor | None]
"""The ``sorted_indices`` and ``unsorted_indices`` of a packed sequence."""


@dataclass(eq=False)
class Call:
    """One call of a recurrent function, time first and in the caller's batch order.

    ``x`` ``(L, N, H_in)``; ``h_0`` ``(D*K, N, P or H)`` and ``c_0`` ``(D*K, N, H)``, None but for an LSTM; ``out``
    ``(L, N, D*(P or H))``, ``h_n``, ``c_n`` alike, as torch gave them; ``lengths`` ``(N,)`` and ``packed`` of packed
    rows. ``random`` is the state of torch's generator before a call that drops units out. ``low`` names the half
    precision that the call ran in, empty for float32 and float64; the tensors are float32 then.
    """

    stack: Stack
    x: Tensor
    h_0: Tensor
    c_0: Tensor | None
    lengths: Tensor | None = None
    packed: PackedSequence | None = None
    random: Tensor | None = None
    low: str = ""
    out: Tensor = None  # type: ignore[assignment]
    h_n: Tensor = None  # type: ignore[assignment]
    c_n: Tensor | None = None

    @property
    def steps(self) -> int:
        return self.x.shape[0]

    @property
    def batch(self) -> int:
        return self.x.shape[1]

    def generator(self) -> torch.Generator | None:
        """A generator of its own that draws what the call drew between its layers."""
        if self.random is None:
            return None
        found = torch.Generator()
        found.set_state(self.random)
        return found


class Kernel(NamedTuple):
    """A recurrent function as it is about to be called; see :func:`read`."""

    func: Callable[..., Any]
    mode: str
    cell: bool
    value: Tensor
    sizes: Tensor | None
    states: tuple[Tensor, ...]
    flat: tuple[Tensor | None, ...]
    options: tuple[Any, ...]

    @property
    def batch_first(self) -> bool:
        return not self.cell and self.sizes is None and bool(self.options[-1])

    def run(self, flat: tuple[Tensor | None, ...]) -> tuple[Tensor, ...]:
        """Call it with these weights: the output and the last states, of a cell the states alone."""
        hx = self.states if self.mode == LSTM else self.states[0]
        if self.cell:
            out = self.func(self.value, hx, *flat)
            return out if self.mode == LSTM else (out,)
        given = (self.value, hx) if self.sizes is None else (self.value, self.sizes, hx)
        return self.func(*given, list(flat), *self.options)

    def result(self, parts: tuple[Tensor, ...]) -> Any:
        """The parts of :meth:`run` as the function itself returns them."""
        return parts[0] if self.cell and self.mode != LSTM else parts

    def stack(self, flat: tuple[Tensor | None, ...]) -> Stack:
        """The layers it computes, with these weights."""
        if self.cell:
            return Stack(self.mode, (Weights(*flat),))  # type: ignore[arg-type]
        bias, layers, dropout, training, both = self.options[:5]
        count = len(flat) // (layers * (2 if both else 1))
        rows: list[Any] = [flat[k : k + count] for k in range(0, len(flat), count)]
        made = [Weights(*r[:2], *(r[2:4] if bias else (None, None)), *r[4 if bias else 2 :]) for r in rows]
        return Stack(self.mode, tuple(made), both, float(dropout), training)

    def order(self, order: Order) -> PackedSequence | None:
        """Its packed input with the order of the batch that the caller had."""
        return None if self.sizes is None else PackedSequence(self.value, self.sizes, *order)

    def time_first(self, value: Tensor, packed: PackedSequence | None) -> Tensor:
        """An input or output of its own as ``(L, N, H)`` in the caller's batch order."""
        if self.cell:
            return value.unsqueeze(0)
        if packed is not None:
            return pad_packed_sequence(packed._replace(data=value))[0]
        return value.transpose(0, 1) if self.batch_first else value

    def as_given(self, value: Tensor, packed: PackedSequence | None) -> Tensor:
        """The inverse of :meth:`time_first`."""
        if self.cell:
            return value.squeeze(0)
        if packed is not None:
            return to_packed(value, packed)
        return value.transpose(0, 1) if self.batch_first else value

    def state(self, value: Tensor, packed: PackedSequence | None) -> Tensor:
        """A state of its own as ``(D*K, N, H)`` in the caller's batch order."""
        if self.cell:
            return value.unsqueeze(0)
        order = None if packed is None else packed.unsorted_indices
        return value if order is None else value.index_select(1, order)

    def state_as_given(self, value: Tensor, packed: PackedSequence | None) -> Tensor:
        """The inverse of :meth:`state`."""
        if self.cell:
            return value.squeeze(0)
        order = None if packed is None else packed.sorted_indices
        return value if order is None else value.index_select(1, order)


def read(func: Callable[..., Any], args: tuple[Any, ...]) -> Kernel:
    """The arguments of a recurrent function, as torch's modules give them, by what they mean."""
    mode = (_CELLS if func in _CELLS else _LAYERS)[func]
    many = lambda hx: tuple(hx) if mode == LSTM else (hx,)  # noqa: E731
    if func in _CELLS:
        value, hx, *flat = args
        return Kernel(func, mode, True, value, None, many(hx), (*flat, None, None)[:4], ())
    packed = not isinstance(args[3], bool)
    value, sizes, hx, flat, *options = args if packed else (args[0], None, *args[1:])
    return Kernel(func, mode, False, value, sizes, many(hx), tuple(flat), tuple(options))


class Snapshots:
    """Copies of weights as they were when a call began: another thread may train them meanwhile.

    They are not ``needed`` where there is none, and the run is over before anybody else's line is.
    """

    def __init__(self, *, needed: bool = True) -> None:
        self.needed = needed
        self._kept: dict[int, tuple[Tensor, Tensor, Tensor]] = {}

    def of(self, weight: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
        """A copy to call with, and the same without gradients: the same two while the numbers are the same.

        Torch takes another way for weights without gradients, which ends in other bits.
        """
        if weight is None:
            return None, None
        if not self.needed or not isinstance(weight, nn.Parameter) or weight.device.type != "cpu":
            return weight, weight.detach()  # made for this call; or one block for cuDNN, which copies would tear apart
        kept = self._kept.get(id(weight))
        if kept is None or kept[2].shape != weight.shape or not torch.equal(kept[2], weight):
            copy = weight.detach().clone().requires_grad_(weight.requires_grad)
            kept = self._kept[id(weight)] = (weight, copy, copy.detach())
        return kept[1:]


def make_call(kernel: Kernel, stack: Stack, order: Order, random: Tensor | None) -> Call:
    """The call that a kernel is about to make, its tensors free of any graph."""
    packed = kernel.order(order)
    x = kernel.time_first(kernel.value.detach(), packed)
    states = [kernel.state(s.detach(), packed) for s in kernel.states]
    lengths = None if packed is None else pad_packed_sequence(packed)[1]
    dtypes = {t.dtype for t in (x, *states, stack.weights[0].weight_ih)}
    if torch.is_autocast_enabled(x.device.type):
        dtypes.add(torch.get_autocast_dtype(x.device.type))
    low = next((d for d in (torch.bfloat16, torch.float16) if d in dtypes), None)
    call = Call(stack, x, states[0], states[1] if len(states) > 1 else None, lengths, packed, random)
    return call if low is None else _widened(call, low)


def _widened(call: Call, low: torch.dtype) -> Call:
    """The call in float32, of the numbers that its products were of."""
    wide: Any = lambda t: None if t is None else t.to(low).float()  # noqa: E731
    weights = tuple(Weights(*map(wide, w)) for w in call.stack.weights)
    return replace(
        call,
        stack=replace(call.stack, weights=weights),
        x=wide(call.x),
        h_0=call.h_0.float(),
        c_0=None if call.c_0 is None else call.c_0.float(),
        low=str(low).removeprefix("torch."),
    )


class Kernels(TorchFunctionMode):
    """Hands every recurrent function that this thread calls inside a ``with`` to ``meet``, which returns its result."""

    def __init__(self, meet: Callable[[Kernel], Any]) -> None:
        super().__init__()
        self.meet = meet

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _KNOWN and not kwargs:
            return self.meet(read(func, args))
        return func(*args, **(kwargs or {}))


def finished(call: Call, kernel: Kernel, parts: tuple[Tensor, ...], *, copied: bool = True) -> Call:
    """The call with what its function returned, copied where the module around may write to that later."""
    out, *states = (part.detach() for part in parts)
    states = [out, *states] if kernel.cell else states
    packed = call.packed
    out = kernel.time_first(out, packed)
    h_n, c_n = kernel.state(states[0], packed), kernel.state(states[1], packed) if len(states) > 1 else None
    low = call.low or ("bfloat16" if out.dtype == torch.bfloat16 else "")
    own: Any = lambda t: None if t is None else t.to(call.x.dtype, copy=copied)  # noqa: E731
    call.x, call.low = call.x.clone(), low
    call.out, call.h_n, call.c_n = own(out), own(h_n), own(c_n)
    return call
