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

from seqviz import cells
from seqviz.cells import Cell
from seqviz.cells.layer import run_cell
from seqviz.cells.step import Named, Weights, parts
from seqviz.language import tr
from seqviz.networks.layers import Stack, to_packed

__all__ = ["FUNCTIONS", "Call", "Kernel", "Kernels", "NotRun", "Order", "Snapshots", "finished", "make_call"]

_TORCHS = [cell for cell in map(cells.get, cells.names()) if cell.torchs]
_LAYERS: dict[Any, Cell] = {getattr(torch, cell.torchs): cell for cell in _TORCHS}
_CELLS: dict[Any, Cell] = {getattr(torch, f"{cell.torchs}_cell"): cell for cell in _TORCHS}
_KNOWN = {*_LAYERS, *_CELLS, run_cell}

FUNCTIONS: dict[str, Any] = {cell.name: func for func, cell in _LAYERS.items()}
"""The function of torch that runs all the layers of a mode."""

Order = tuple[Tensor | None, Tensor | None]
"""The ``sorted_indices`` and ``unsorted_indices`` of a packed sequence."""


@dataclass(eq=False)
class Call:
    """One call of a recurrent function, time first and in the caller's batch order.

    ``x`` ``(L, N, H_in)``; ``first`` the states before the first step in the cell's order, ``(D*K, N, P or H)`` each;
    ``out`` ``(L, N, D*(P or H))`` and ``last``, the states after the last step, as torch gave them; ``lengths``
    ``(N,)`` and ``packed`` of packed rows. ``random`` is the state of torch's generator before a call that drops units
    out. ``low`` names the half precision that the call ran in, empty for float32 and float64; the tensors are float32
    then. ``changed`` is true where somebody changed the states since the call before it in the same sequence.
    """

    stack: Stack
    x: Tensor
    first: tuple[Tensor, ...]
    lengths: Tensor | None = None
    packed: PackedSequence | None = None
    random: Tensor | None = None
    low: str = ""
    changed: bool = False
    out: Tensor = None  # type: ignore[assignment]
    last: tuple[Tensor, ...] = ()

    @property
    def steps(self) -> int:
        return self.x.shape[0]

    @property
    def batch(self) -> int:
        return self.x.shape[1]

    @property
    def before(self) -> dict[str, Tensor]:
        """The states before the first step by name."""
        return dict(zip(self.stack.cell.states, self.first, strict=True))

    def generator(self) -> torch.Generator | None:
        """A generator of its own that draws what the call drew between its layers."""
        if self.random is None:
            return None
        found = torch.Generator()
        found.set_state(self.random)
        return found


class NotRun(ValueError, NotImplementedError):
    """What torch says of a call that it cannot make, in a sentence; caught as what torch raises, too."""


class Kernel(NamedTuple):
    """A recurrent function as it is about to be called; see :func:`read`."""

    func: Callable[..., Any]
    what: Cell
    cell: bool
    value: Tensor
    sizes: Tensor | None
    states: tuple[Tensor, ...]
    flat: tuple[Tensor | None, ...]
    options: tuple[Any, ...]

    @property
    def batch_first(self) -> bool:
        return bool(self.what.torchs) and not self.cell and self.sizes is None and bool(self.options[-1])

    def run(self, flat: tuple[Tensor | None, ...]) -> tuple[Tensor, ...]:
        """Call it with these weights: the output and the last states, of a cell the states alone.

        Raises:
            NotRun: torch cannot.
        """
        try:
            return self._run(flat)
        except RuntimeError as error:
            raise NotRun(
                tr(
                    "torch cannot run this {kind} on what it is given ({why}). In float32, outside of torch.autocast "
                    "and all on one device it can.",
                    kind=self.what.name,
                    why=str(error).split("\n")[0][:200].rstrip("."),
                )
            ) from error

    def _run(self, flat: tuple[Tensor | None, ...]) -> tuple[Tensor, ...]:
        if not self.what.torchs:
            found: tuple[Tensor, ...] = self.func(self.value, self.states, list(flat), self.what, *self.options)
            return found
        several = len(self.states) > 1
        hx = self.states if several else self.states[0]
        if self.cell:
            out = self.func(self.value, hx, *flat)
            return out if several else (out,)
        given = (self.value, hx) if self.sizes is None else (self.value, self.sizes, hx)
        return self.func(*given, list(flat), *self.options)

    def result(self, parts: tuple[Tensor, ...]) -> Any:
        """The parts of :meth:`run` as the function itself returns them."""
        return parts[0] if self.cell and len(self.states) == 1 else parts

    def stack(self, flat: tuple[Tensor | None, ...]) -> Stack:
        """The layers it computes, with these weights."""
        if not self.what.torchs:
            names = tuple(self.what.packing)
            cut = range(0, len(flat), len(names))
            each: Any = (Named(zip(names, flat[k : k + len(names)], strict=True)) for k in cut)  # type: ignore[arg-type]
            return Stack(self.what, tuple(each))
        if self.cell:
            return Stack(self.what, (Weights(*flat),))  # type: ignore[arg-type]
        bias, layers, dropout, training, both = self.options[:5]
        count = len(flat) // (layers * (2 if both else 1))
        rows: list[Any] = [flat[k : k + count] for k in range(0, len(flat), count)]
        made = [Weights(*r[:2], *(r[2:4] if bias else (None, None)), *r[4 if bias else 2 :]) for r in rows]
        return Stack(self.what, tuple(made), both, float(dropout), training)

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
    if func is run_cell:
        value, states, flat, what, *options = args
        return Kernel(func, what, False, value, None, tuple(states), tuple(flat), tuple(options))
    what = (_CELLS if func in _CELLS else _LAYERS)[func]
    many = lambda hx: tuple(hx) if len(what.states) > 1 else (hx,)  # noqa: E731
    if func in _CELLS:
        value, hx, *flat = args
        return Kernel(func, what, True, value, None, many(hx), (*flat, None, None)[:4], ())
    packed = not isinstance(args[3], bool)
    value, sizes, hx, flat, *options = args if packed else (args[0], None, *args[1:])
    return Kernel(func, what, False, value, sizes, many(hx), tuple(flat), tuple(options))


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
    states = tuple(kernel.state(s.detach(), packed) for s in kernel.states)
    lengths = None if packed is None else pad_packed_sequence(packed)[1]
    dtypes = {t.dtype for t in (x, *states, next(iter(parts(stack.weights[0]).values())))}
    if torch.is_autocast_enabled(x.device.type):
        dtypes.add(torch.get_autocast_dtype(x.device.type))
    low = next((d for d in (torch.bfloat16, torch.float16) if d in dtypes), None)
    call = Call(stack, x, states, lengths, packed, random)
    return call if low is None else _widened(call, low)


def _widened(call: Call, low: torch.dtype) -> Call:
    """The call in float32, of the numbers that its products were of."""
    wide: Any = lambda t: t.to(low).float()  # noqa: E731
    weights = tuple(each_weight(wide, w) for w in call.stack.weights)
    return replace(
        call,
        stack=replace(call.stack, weights=weights),
        x=wide(call.x),
        first=tuple(state.float() for state in call.first),
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
    last = tuple(kernel.state(state, packed) for state in states)
    low = call.low or ("bfloat16" if out.dtype == torch.bfloat16 else "")
    own: Any = lambda t: t.to(call.x.dtype, copy=copied)  # noqa: E731
    call.x, call.low = call.x.clone(), low
    call.out, call.last = own(out), tuple(map(own, last))
    return call


def each_weight(change: Callable[[Tensor], Tensor], weights: Weights | Named) -> Weights | Named:
    """A layer's weights, each of them changed."""
    if isinstance(weights, Named):
        return Named({name: change(tensor) for name, tensor in weights.items()})
    return Weights(*(None if w is None else change(w) for w in weights))  # type: ignore[arg-type]
