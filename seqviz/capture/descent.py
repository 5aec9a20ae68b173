"""Which tensors of a running model were made of a recurrent call's states: what stands between two of its calls."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakIdKeyDictionary

from seqviz.cells.taken import is_checked

__all__ = ["Descent", "can_follow"]


class Descent(TorchFunctionMode):
    """Follows what recurrent calls returned through every function of torch that this thread calls inside a ``with``.

    A state that is normalised, dropped out, scaled or mixed on its way to the next call is still one that comes from
    the call before. Tensors are held weakly, and nothing of theirs is read or written.
    """

    def __init__(self) -> None:
        super().__init__()
        self._paused = False
        self._last: Any = WeakIdKeyDictionary()

    @contextmanager
    def pause(self) -> Iterator[None]:
        """What is computed inside is nobody's."""
        self._paused = True
        try:
            yield
        finally:
            self._paused = False

    def begins(self, tensors: Iterable[Tensor], call: Any) -> None:
        """These are what a call returned."""
        for tensor in tensors:
            self._last[tensor] = frozenset((call,))

    def of(self, tensors: Iterable[Tensor]) -> frozenset[Any]:
        """The calls whose results these were made of, with no other call in between."""
        return frozenset().union(*(self._last.get(tensor, ()) for tensor in tensors))

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        if self._paused or not len(self._last):
            return found
        calls = self.of(_tensors((args, kwargs)))
        if calls:
            written = args[:1] if found is None else found  # such as what __setitem__ wrote to
            for tensor in _tensors(written):
                self._last[tensor] = calls
        return found


def _tensors(given: Any) -> Iterator[Tensor]:
    if isinstance(given, Tensor):
        yield given
    elif isinstance(given, list | tuple):
        for part in given:
            yield from _tensors(part)
    elif isinstance(given, dict):
        yield from _tensors(list(given.values()))


def can_follow(module: nn.Module) -> bool:
    """Whether torch's functions are called one by one when a module runs: not where it was compiled."""
    return "torch._dynamo" not in sys.modules or not any(map(_is_compiled, module.modules()))


def _is_compiled(module: nn.Module) -> bool:
    if type(module).__name__ == "OptimizedModule":
        return True
    return vars(module).get("_compiled_call_impl") is not None and not is_checked(module)
