"""A copy of somebody's module in another precision, and a run of it in that precision throughout."""

from __future__ import annotations

import copy
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence
from torch.overrides import TorchFunctionMode

from seqviz.language import tr

__all__ = ["converted", "in_precision", "twin", "usable"]

_FACTORIES = {
    torch.zeros, torch.ones, torch.empty, torch.full, torch.rand, torch.randn, torch.eye, torch.linspace, torch.tensor
}  # fmt: skip


def in_precision(module: nn.Module, given: Any, dtype: torch.dtype) -> tuple[nn.Module, Any, AbstractContextManager]:
    """A copy of a module in ``dtype``, what it is given converted, and what to run it in.

    Raises:
        ValueError: no floating-point precision, or a module that cannot be copied.
    """
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise ValueError(tr("dtype must be torch.float32 or torch.float64; got {dtype}.", dtype=str(dtype)))
    try:
        with _Copying(dtype):
            other = twin(module)
        other = other.to(dtype)
    except (TypeError, RuntimeError, NotImplementedError, AttributeError) as error:
        raise ValueError(
            tr(
                "The module cannot be copied into {dtype} ({why}). Convert it yourself, with module.double(), and "
                "leave dtype out.",
                dtype=_word(dtype),
                why=str(error).split("\n")[0][:200],
            )
        ) from error
    return other, converted(given, dtype), _Throughout(dtype)


def twin(module: nn.Module) -> nn.Module:
    """A copy; what a module holds beside its weights and cannot be copied, a lock or an open file, it shares."""
    try:
        return copy.deepcopy(module)
    except TypeError:
        shared = {}
        for part in module.modules():
            for value in vars(part).values():
                try:
                    copy.deepcopy(value)
                except TypeError:
                    if not isinstance(value, dict):
                        shared[id(value)] = value
        return copy.deepcopy(module, shared)


def converted(value: Any, dtype: torch.dtype) -> Any:
    """Every floating-point tensor in tuples, lists and dicts in another precision."""
    return _mapped(value, lambda tensor: tensor.to(dtype) if tensor.is_floating_point() else tensor)


def usable(value: Any) -> Any:
    """The same with tensors that were made in inference mode copied: autograd does not take those."""
    return _mapped(value, lambda tensor: tensor.clone() if tensor.is_inference() else tensor)


def _mapped(value: Any, change: Any) -> Any:
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, PackedSequence):
        data = change(value.data)
        return value if data is value.data else value._replace(data=data)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_mapped(part, change) for part in value))
    if isinstance(value, (tuple, list)):
        return type(value)(_mapped(part, change) for part in value)
    return {key: _mapped(part, change) for key, part in value.items()} if type(value) is dict else value


class _Copying(TorchFunctionMode):
    """Lets ``deepcopy`` pass tensors that have a graph, and converts those that are no parameters on the way."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is Tensor.__deepcopy__ and not isinstance(args[0], nn.Parameter):
            tensor, memo = args
            if id(tensor) not in memo:
                memo[id(tensor)] = converted(tensor.detach().clone(), self.dtype)
            return memo[id(tensor)]
        return func(*args, **(kwargs or {}))


class _Throughout(TorchFunctionMode):
    """New tensors are of one precision, and ``float()`` gives it: a module in it meets no other."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func is Tensor.float:
            return args[0].to(self.dtype)
        if func in _FACTORIES and kwargs.get("dtype") is None:
            made = func(*args, **kwargs)
            return made.to(self.dtype) if made.is_floating_point() else made
        if kwargs.get("dtype") is torch.float32:
            kwargs["dtype"] = self.dtype
        if any(value is torch.float32 for value in args):
            args = tuple(self.dtype if value is torch.float32 else value for value in args)
        return func(*args, **kwargs)


def _word(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
