"""What recurrent layers take: checked before torch says in words of its own that it cannot.

Shapes in torch's letters: ``L`` steps, ``N`` batch, ``H_in`` input size, ``H`` hidden size, ``P`` projection size.
"""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from seqviz import cells, counted
from seqviz.cells.cell import Cell
from seqviz.cells.layer import CellLayer
from seqviz.language import tr

__all__ = [
    "cell_of",
    "check_form",
    "check_one_device",
    "check_states",
    "check_taken",
    "check_width",
    "checking",
    "is_checked",
    "numbers",
    "word",
]


def cell_of(rnn: Any) -> Cell:
    """What a recurrent layer computes."""
    return rnn.cell if isinstance(rnn, CellLayer) else cells.get(rnn.mode)


def checking(layer: nn.Module) -> nn.Module:
    """The layer itself; from now on a call of it with what it cannot take raises a ValueError of one sentence.

    It stays torch's own in all else: it is scripted, compiled, copied and saved as if nothing had been added, for a
    hook would be scripted with it and pickled by a name of ours. Its copies are torch's alone.
    """
    layer._compiled_call_impl = _Checked(layer)
    return layer


def is_checked(layer: nn.Module) -> bool:
    """Whether a layer is called through :func:`checking` alone, neither compiled since nor copied."""
    return isinstance(vars(layer).get("_compiled_call_impl"), _Checked)


class _Checked:
    """A call of a layer, held weakly so that it goes when nobody else holds it. In a copy and in a file it is None."""

    def __init__(self, layer: nn.Module) -> None:
        self._own = weakref.ref(layer)

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return type(None), ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        layer: Any = self._own()
        if layer is None:
            raise ReferenceError(tr("The layer that this is a shallow copy of is gone; take copy.deepcopy."))
        if not (torch.compiler.is_compiling() or torch.jit.is_tracing()):
            value = args[0] if args else kwargs.get("input")
            check_taken(layer, value, args[1] if len(args) > 1 else kwargs.get("hx"))
            check_one_device(layer, value)
        return layer._call_impl(*args, **kwargs)


def check_one_device(module: nn.Module, value: Any) -> None:
    """Refuse an input that is not where the weights of a module are.

    Raises:
        ValueError: it is on another device.
    """
    data: Tensor = value.data if isinstance(value, PackedSequence) else value
    device = next(module.parameters()).device
    if data.device != device:
        says = tr(
            "The input is on {given} and the weights are on {device}: give x.to({device!r}).",
            given=str(data.device),
            device=str(device),
        )
        raise ValueError(says)


def check_form(value: Tensor) -> None:
    """Refuse an input that is not laid out in steps and units.

    Raises:
        ValueError: a nested or a sparse tensor.
    """
    if value.is_nested:
        raise ValueError(
            tr("The input is a nested tensor, which the layer does not take; give a padded tensor or a PackedSequence.")
        )
    if value.layout != torch.strided:
        raise ValueError(tr("The input is a sparse tensor; give the same as an ordinary one, x.to_dense()."))


def numbers(value: Any, what: str, dtype: torch.dtype | None = None) -> Tensor:
    """A tensor or an array, or lists of numbers, as a tensor.

    Args:
        value: that.
        what: what the sentence calls it, marked by ``later``.
        dtype: of Python's own numbers; torch's default unless given.

    Raises:
        ValueError: it is none of these, or holds no numbers.
    """
    try:
        found = torch.as_tensor(value) if hasattr(value, "dtype") else torch.as_tensor(value, dtype=dtype)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        found = None
    if found is None or found.is_nested or found.layout != torch.strided or found.is_meta or found.is_complex():
        raise ValueError(tr("{what} must be numbers, as a tensor, an array or lists of one length; got {kind}.",
                            what=tr(what), kind=type(value).__name__))  # fmt: skip
    return found


def check_width(module: nn.Module, value: object) -> None:
    """Refuse an input that a layer or cell cannot take, before torch does in words of its own.

    Raises:
        ValueError: the wrong number of features, or several steps for a cell.
    """
    sizes: Any = module
    data = value.data if isinstance(value, PackedSequence) else value
    if not isinstance(data, Tensor):
        return
    check_form(data)
    if not data.dim():
        return
    if isinstance(module, nn.RNNCellBase) and data.dim() > 2:
        raise ValueError(
            tr("A cell takes one step, (N, H_in) or (H_in,); the input is {shape}.", shape=tuple(data.shape))
        )
    if data.shape[-1] != sizes.input_size:
        raise ValueError(
            tr(
                "The input has {features}; the layer takes {size}.",
                features=counted.features(data.shape[-1]),
                size=sizes.input_size,
            )
        )


def check_taken(rnn: Any, value: object, hx: object, *, mixed: bool | None = None) -> None:
    """Refuse an input or a state that torch would refuse, in a plain sentence.

    Args:
        rnn: a recurrent layer.
        value, hx: what it is given.
        mixed: whether the input may be of another dtype than the weights; within ``torch.autocast`` by default.

    Raises:
        ValueError: wrong type, dtype, number of dimensions, width or length of ``value`` or ``hx``.
    """
    dtype: torch.dtype = next(rnn.parameters()).dtype
    data = value.data if isinstance(value, PackedSequence) else value
    if not isinstance(data, Tensor):
        raise ValueError(
            tr("The input must be a torch tensor or a PackedSequence; got {kind}.", kind=type(value).__name__)
        )
    mixed = torch._C._is_any_autocast_enabled() if mixed is None else mixed
    if data.dtype != dtype and not mixed:
        raise ValueError(
            tr(
                "The input is {given} and the layer's weights are {dtype}.",
                given=word(data.dtype),
                dtype=word(dtype),
            )
        )
    packed = isinstance(value, PackedSequence)
    if not packed and data.dim() not in (2, 3):
        raise ValueError(tr("The input must have 3 dimensions, or 2 without a batch; got {count}.", count=data.dim()))
    check_width(rnn, value)
    if data.numel() == 0 and rnn.input_size:
        raise ValueError(tr("The input is empty: its shape is {shape}.", shape=tuple(data.shape)))
    if hasattr(rnn, "check"):
        rnn.check(value, hx)
    elif hx is not None:
        _check_state(rnn, value, data, hx)


def _check_state(rnn: Any, value: object, data: Tensor, hx: object) -> None:
    lstm = len(cell_of(rnn).states) > 1
    count = rnn.num_layers * (2 if rnn.bidirectional else 1)
    if isinstance(value, PackedSequence):
        batch = int(value.batch_sizes[0])
    else:
        batch = 1 if data.dim() == 2 else data.shape[0 if rnn.batch_first else 1]
    unbatched = data.dim() == 2 and not isinstance(value, PackedSequence)
    widths = (rnn.proj_size or rnn.hidden_size, rnn.hidden_size)
    shapes: list[tuple[int, ...]] = [(count, *(() if unbatched else (batch,)), width) for width in widths]
    check_states(hx, lstm, shapes, data.dtype)


def check_states(hx: object, lstm: bool, shapes: list[tuple[int, ...]], dtype: torch.dtype) -> None:
    """Refuse states that are not of these shapes and of the input's dtype."""
    states: Any = hx if isinstance(hx, (tuple, list)) else (hx,)
    if len(states) != (2 if lstm else 1) or isinstance(hx, (tuple, list)) != lstm:
        raise ValueError(tr("The state of an LSTM is (h_0, c_0).") if lstm else tr("The state is one tensor, h_0."))
    for name, state, shape in zip(("h_0", "c_0"), states, shapes, strict=False):
        plain = isinstance(state, Tensor) and not state.is_nested
        if not plain or tuple(state.shape) != shape:
            got = tuple(state.shape) if plain else type(state).__name__
            raise ValueError(tr("{name} must have shape {shape}; got {got}.", name=name, shape=shape, got=got))
        if state.dtype != dtype:
            own, given = word(state.dtype), word(dtype)
            raise ValueError(tr("{name} is {dtype} and the input is {given}.", name=name, dtype=own, given=given))


def word(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
