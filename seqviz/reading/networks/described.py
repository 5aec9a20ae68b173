"""What the pickles of torch describe: which storages, which tensors of them, and what modules say of themselves."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np

from seqviz.language import Sentence, tr
from seqviz.reading.networks.npz import pickled_array
from seqviz.reading.networks.pickled import Made, Name, Ordered
from seqviz.reading.networks.stored import NUMBERS, OPTIMISER, OWN, Contents, Stored, brief, cut_short

__all__ = ["Storage", "build", "find_tensors", "storage_of", "whole_module"]

MAX_DEPTH: Final = 64
MAX_NAME: Final = 256
MAX_PATH: Final = 512

_STORAGES: Final = {
    "HalfStorage": "float16", "BFloat16Storage": "bfloat16", "FloatStorage": "float32", "DoubleStorage": "float64",
    "CharStorage": "int8", "ByteStorage": "uint8", "ShortStorage": "int16", "IntStorage": "int32",
    "LongStorage": "int64", "BoolStorage": "bool", "ComplexFloatStorage": "complex64",
    "QInt8Storage": "qint8", "QUInt8Storage": "quint8", "QInt32Storage": "qint32",
}  # fmt: skip
_FUNCTIONS: Final = ("torch.nn.functional", "torch._C._nn", "torch._C._special")
_BUILT_IN: Final = Name("torch._C", "_VariableFunctionsClass")
_GETS: Final = (("builtins", "getattr"), ("__builtin__", "getattr"))
_FACTS: Final = ("mode", "nonlinearity", "batch_first")


class Storage(NamedTuple):
    """Numbers in a row, which lie outside the pickle.

    Attributes:
        dtype: torch's name of their type.
        key: what they are called in the file.
        view: gives the bytes of that name; raises ValueError with a sentence where the file does not hold them.
        big: whether the last byte of each is its first.
        start: the first of them that is meant.
    """

    dtype: str
    key: str
    view: Callable[[str], memoryview]
    big: bool = False
    start: int = 0


class _Promised(NamedTuple):
    """A tensor that the pickle describes."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def array(self, name: str) -> np.ndarray:
        """Its numbers, a view of its storage; ``name`` is for the sentence where they are not all there."""
        dtype = np.dtype(NUMBERS[self.storage.dtype])
        view = self.storage.view(self.storage.key)
        reach = self.offset + sum((n - 1) * s for n, s in zip(self.size, self.stride, strict=True))
        count = math.prod(self.size)
        held = len(view) // dtype.itemsize
        if count and (reach >= held or count > held):
            raise cut_short(name)
        flat = np.frombuffer(view, dtype.newbyteorder(">") if self.storage.big else dtype, count=held)
        if not count:
            return flat[:0].reshape(self.size)
        strides = [stride * dtype.itemsize for stride in self.stride]
        return np.lib.stride_tricks.as_strided(flat[self.offset :], self.size, strides, writeable=False)


_LOOKED_INTO: Final = (_Promised, dict, list, tuple, Made)
_BEFORE_TENSORS: Final = (("torch.nn.parameter", "Parameter"), ("torch.autograd.variable", "Variable"))
"""What torch wrote around a tensor before version 0.4."""

_OTHER_TENSORS: Final = {
    "_rebuild_qtensor": "quantised",
    "_rebuild_sparse_tensor": "sparse",
    "_rebuild_meta_tensor_no_storage": "meta",
    "_rebuild_nested_tensor": "nested",
}


def storage_of(description: Any, view: Callable[[str], memoryview], big: bool = False) -> Any:
    """``("storage", torch.FloatStorage, "0", "cpu", numel)``, in old files a part of it behind that; or a class.

    Args:
        description: as the pickle has it.
        view, big: of the storages of this file.
    """
    if description[0] == "module" and isinstance(description[1], Name):  # with its source, which is not looked at
        return description[1]
    kind, storage, key, _, _, *part = description
    if kind != "storage" or not isinstance(storage, Name) or not isinstance(key, str) or len(key) > MAX_NAME:
        raise ValueError("not a storage of torch")
    start = part[0][1] if part and part[0] is not None else 0
    if type(start) is not int or not 0 <= start < 2**40:
        raise ValueError("not a part of a storage")
    return Storage(_STORAGES.get(storage.name, storage.name), key, view, big, start)


def build(by: Any, args: Any) -> Any:
    """The few things that weights are made of; anything else is noted down."""
    if isinstance(by, Name) and isinstance(args, tuple):
        if by == ("collections", "OrderedDict"):
            return _ordered(args)
        if by == ("_codecs", "encode") and args[1:] == ("latin1",) and isinstance(args[0], str):
            return args[0].encode("latin1", "replace")  # as protocol 2 writes bytes
        if by.module == "torch._utils" and by.name in ("_rebuild_tensor_v2", "_rebuild_tensor"):
            return _promised(*args[:4]) or Made(by, args)
        if by.module == "torch._utils" and by.name in ("_rebuild_parameter", "_rebuild_parameter_with_state"):
            return args[0]
        if by in _BEFORE_TENSORS and args and isinstance(args[0], _Promised):
            return args[0]
        if by.module == "torch._tensor" and by.name == "_rebuild_from_type_v2" and len(args) > 2:
            return build(args[0], args[2]) if args[0] != by else Made(by, args)
    return Made(by, args)


def _ordered(args: tuple[Any, ...]) -> Ordered:
    """Python 2 wrote an OrderedDict's items as a list of pairs."""
    pairs = args[0] if args and isinstance(args[0], list) else []
    return Ordered((p[0], p[1]) for p in pairs if isinstance(p, list | tuple) and len(p) == 2 and isinstance(p[0], str))


def _promised(storage: Any, offset: Any, size: Any, stride: Any) -> _Promised | None:
    numbers = (offset, *size, *stride)
    if not isinstance(storage, Storage) or not isinstance(size, tuple) or not isinstance(stride, tuple):
        return None
    if len(size) != len(stride) or len(size) > 8 or not all(type(n) is int and 0 <= n < 2**40 for n in numbers):
        return None
    return _Promised(storage, storage.start + offset, size, stride)


def find_tensors(top: Any, contents: Contents) -> None:
    """Add every tensor, and what modules say of themselves; each container is looked into once."""
    seen: set[int] = set()
    waiting: list[tuple[str, int, Any]] = [("", 0, top)] if isinstance(top, _LOOKED_INTO) else []
    optimisers = 0
    while waiting:
        path, depth, value = waiting.pop()
        if isinstance(value, _Promised):
            contents.add(Stored(path, value.size, value.storage.dtype, partial(value.array, path)))
            continue
        if isinstance(value, Made) and (kind := _other_tensor(value)):
            contents.add(Stored(path, (), kind, lambda: np.empty(())))
            continue
        if isinstance(value, Made) and (array := pickled_array(path, value)):
            contents.add(array)
            continue
        if id(value) in seen:
            continue
        seen.add(id(value))
        if depth > MAX_DEPTH:
            raise ValueError(tr("The file's contents lie in one another more than {most} deep.", most=MAX_DEPTH))
        if isinstance(value, dict) and {"state", "param_groups"} <= value.keys():
            optimisers += 1
            continue
        if isinstance(value, Ordered) and isinstance(value.state, dict):
            contents.facts |= _cells(path, value.state.get("_metadata"))
        if isinstance(value, Made) and isinstance(value.state, dict) and (others := _others(path, value)):
            contents.others = (contents.others or {}) | others
        if isinstance(value, Made) and isinstance(value.state, dict) and "_parameters" in value.state:
            facts = {name: value.state[name] for name in _FACTS if isinstance(value.state.get(name), str | bool)}
            contents.facts[path] = facts | {"class": _name_of(value), "module": _home_of(value)}
        inside = [
            (_joined(path, key), depth + 1, each)
            for key, each in _inside(value)
            if isinstance(each, _LOOKED_INTO) and len(path) + len(key) < MAX_PATH
        ]
        waiting += reversed(inside)
    if optimisers:
        contents.notes.append(tr(OPTIMISER))


def whole_module(contents: Contents) -> list[Sentence]:
    """What is said where the file holds a module and not its state alone."""
    names = [facts["class"] for facts in contents.facts.values() if "module" in facts]
    if not names:
        return []
    return [
        tr("The file holds a whole pickled module, {name}; its weights were read, and none of its code was run.",
           name=names[0])
    ]  # fmt: skip


def _others(path: str, made: Made) -> dict[str, str]:
    """A module by its path with its class, and the functions that it has as attributes; nothing of anything else."""
    home = _home_of(made)
    if "_parameters" not in made.state and not home.startswith("__torch__"):
        return {}
    own = not home.removeprefix("__torch__.").startswith("torch.")
    found = {path: f"{OWN}{_name_of(made)}" if own else _name_of(made)}
    for key, value in made.state.items():
        if called := _function(value):
            found[_joined(path, str(key))] = brief(called)
    return found


def _function(value: Any) -> str:
    """What a function of torch's is called, which a module has as an attribute; empty for anything else."""
    if isinstance(value, Name):
        return value.name if value.module in _FUNCTIONS else ""
    if isinstance(value, Made) and value.by in _GETS and isinstance(value.args, tuple):
        return str(value.args[-1]) if value.args[:1] == (_BUILT_IN,) else ""
    return ""


def _cells(path: str, metadata: Any) -> dict[str, dict[str, Any]]:
    """Which cells the modules of a state dict are of, where that is noted beside it."""
    noted = metadata.items() if isinstance(metadata, dict) else ()
    return {
        _joined(path, name): {"mode": said["cell"], "class": "CellLayer"}
        for name, said in noted
        if isinstance(said, dict) and isinstance(said.get("cell"), str)
    }


def _other_tensor(made: Made) -> str:
    """The kind of a tensor that is not a plain one, to be named where it is wanted; empty for anything else."""
    if not isinstance(made.by, Name) or made.by.module != "torch._utils":
        return ""
    if made.by.name == "_rebuild_tensor_v3" and isinstance(made.args, tuple) and len(made.args) > 6:
        return brief(made.args[6].name) if isinstance(made.args[6], Name) else ""
    return _OTHER_TENSORS.get(made.by.name, "")


def _inside(value: Any) -> Iterator[tuple[str, Any]]:
    """What lies in a container, with its part of the path; a module's own drawers add nothing to it."""
    if isinstance(value, list | tuple):
        yield from ((str(k), each) for k, each in enumerate(value))
        return
    if isinstance(value, Made):
        state = value.state if isinstance(value.state, dict) else {}
        drawers = [state[d] for d in ("_parameters", "_buffers", "_modules") if isinstance(state.get(d), dict | Made)]
        for drawer in drawers or [state]:
            yield from (drawer.items if isinstance(drawer, Made) else drawer).items()
        yield from value.items.items()
        return
    yield from value.items()


def _joined(path: str, key: str) -> str:
    return ".".join(filter(None, (path, key)))


def _home_of(made: Made) -> str:
    return brief(made.by.module) if isinstance(made.by, Name) else ""


def _name_of(made: Made) -> str:
    return brief(made.by.name) if isinstance(made.by, Name) else "?"
