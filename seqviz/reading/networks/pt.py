"""What ``torch.save`` and ``torch.jit.save`` write, read without torch and without running any of it.

The file is a zip archive: ``NAME/data.pkl`` describes objects, ``NAME/data/0`` and so on hold the numbers, all of it
uncompressed; https://docs.pytorch.org/docs/stable/notes/serialization.html.
"""

from __future__ import annotations

import math
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np

from seqviz.language import tr
from seqviz.reading.networks import archives
from seqviz.reading.networks.npz import pickled_array
from seqviz.reading.networks.pickled import Made, Name, Ordered, read_pickle
from seqviz.reading.networks.stored import FLOATS, OPTIMISER, Contents, Stored, brief, cut_short
from seqviz.reading.zipped import damaged

__all__ = ["contents_of_pt"]

MAX_DEPTH: Final = 64
MAX_NAME: Final = 256
MAX_PATH: Final = 512

_STORAGES: Final = {
    "HalfStorage": "float16", "BFloat16Storage": "bfloat16", "FloatStorage": "float32", "DoubleStorage": "float64",
    "CharStorage": "int8", "ByteStorage": "uint8", "ShortStorage": "int16", "IntStorage": "int32",
    "LongStorage": "int64", "BoolStorage": "bool", "ComplexFloatStorage": "complex64",
    "QInt8Storage": "qint8", "QUInt8Storage": "quint8", "QInt32Storage": "qint32",
}  # fmt: skip
_FACTS: Final = ("mode", "nonlinearity", "batch_first")


class _Storage(NamedTuple):
    dtype: str
    key: str
    numel: int


class _Promised(NamedTuple):
    """A tensor that the pickle describes."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


_LOOKED_INTO: Final = (_Promised, dict, list, tuple, Made)
_OTHER_TENSORS: Final = {
    "_rebuild_qtensor": "quantised",
    "_rebuild_sparse_tensor": "sparse",
    "_rebuild_meta_tensor_no_storage": "meta",
    "_rebuild_nested_tensor": "nested",
}


def contents_of_pt(data: bytes) -> Contents:
    """Every tensor of a ``.pt``, ``.pth`` or ``.ckpt``, by its path: state dicts wherever they lie, whole modules.

    Raises:
        ValueError: one sentence.
    """
    archive = _Archive(data)
    contents = Contents()
    top = read_pickle(archive.read(archive.root + "data.pkl"), _build, _stored)
    if archive.script:
        contents.notes.append(tr("The file is a TorchScript program; its weights were read, and none of it was run."))
    _walk(top, contents, archive)
    if any("class" in facts for facts in contents.facts.values()) and not archive.script:
        contents.notes.append(
            tr(
                "The file holds a whole pickled module, {name}; its weights were read, and none of its code was run.",
                name=next(facts["class"] for facts in contents.facts.values() if "class" in facts),
            )
        )
    return contents


class _Archive:
    """The zip archive, its entries as views of the file's bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = memoryview(data)
        self.views: dict[str, memoryview] = {}
        self.entries = archives.names(data)
        roots = [name[: -len("data.pkl")] for name in self.entries if name.endswith("/data.pkl")]
        if not roots and any(name.endswith("archive_format") or ".pt2" in name for name in self.entries):
            raise ValueError(
                tr("This is a program saved by torch.export (.pt2); save model.state_dict() with torch.save instead.")
            )
        if len(roots) != 1:
            raise ValueError(
                tr("This is a zip archive, but not one that torch.save wrote; bring the .pt file as it was saved.")
            )
        self.root = roots[0]
        self.script = any(name.startswith(self.root + "code/") for name in self.entries)
        self.big = self._byte_order() == b"big"
        mine = [
            info for name, info in self.entries.items() if name.startswith((self.root + "data/", self.root + "data."))
        ]
        if any(info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 for info in mine):
            raise ValueError(
                tr("The archive was packed again after torch wrote it; bring the .pt file as torch.save wrote it.")
            )
        if sum(info.file_size for info in mine) > len(data):
            raise ValueError(damaged())

    def _byte_order(self) -> bytes:
        info = self.entries.get(self.root + "byteorder")
        known = info is not None and info.compress_type == zipfile.ZIP_STORED and info.file_size < 16
        return self.read(self.root + "byteorder").strip() if known else b""

    def read(self, name: str) -> bytes:
        return bytes(self.view(name))

    def view(self, name: str) -> memoryview:
        """The bytes of an entry, held against its checksum when it is first looked at."""
        if name not in self.views:
            self.views[name] = self._checked(name)
        return self.views[name]

    def _checked(self, name: str) -> memoryview:
        wrong = tr("The file is damaged: {name} in it does not agree with its checksum.", name=brief(name))
        info = self.entries.get(name)
        if info is None:
            raise ValueError(tr("The file is incomplete: it names {name}, which is not in it.", name=brief(name)))
        head = bytes(self.data[info.header_offset : info.header_offset + 30])
        if len(head) < 30 or head[:4] != b"PK\x03\x04":
            raise ValueError(wrong)
        start = info.header_offset + 30 + sum(struct.unpack("<HH", head[26:]))
        view = self.data[start : start + info.file_size]
        if len(view) != info.file_size or zlib.crc32(view) != info.CRC:
            raise ValueError(wrong)
        return view

    def array(self, name: str, tensor: _Promised) -> np.ndarray:
        """A tensor's numbers, a view of its storage."""
        dtype = np.dtype(FLOATS[tensor.storage.dtype])
        key = f"{self.root}data/{tensor.storage.key}"
        view = self.view(key)
        reach = tensor.offset + sum((n - 1) * s for n, s in zip(tensor.size, tensor.stride, strict=True))
        count = math.prod(tensor.size)
        held = len(view) // dtype.itemsize
        if count and (reach >= held or count > held):
            raise cut_short(name)
        flat = np.frombuffer(view, dtype.newbyteorder(">") if self.big else dtype, count=held)
        if not count:
            return flat[:0].reshape(tensor.size)
        strides = [stride * dtype.itemsize for stride in tensor.stride]
        return np.lib.stride_tricks.as_strided(flat[tensor.offset :], tensor.size, strides, writeable=False)


def _stored(description: Any) -> Any:
    """``("storage", torch.FloatStorage, "0", "cpu", numel)``."""
    kind, storage, key, _, numel = description
    if kind != "storage" or not isinstance(storage, Name) or not isinstance(key, str) or len(key) > MAX_NAME:
        raise ValueError("not a storage of torch")
    return _Storage(_STORAGES.get(storage.name, storage.name), key, int(numel))


def _build(by: Any, args: Any) -> Any:
    """The few things that weights are made of; anything else is noted down."""
    if isinstance(by, Name) and isinstance(args, tuple):
        if by == ("collections", "OrderedDict"):
            return _ordered(args)
        if by.module == "torch._utils" and by.name in ("_rebuild_tensor_v2", "_rebuild_tensor"):
            return _promised(*args[:4]) or Made(by, args)
        if by.module == "torch._utils" and by.name in ("_rebuild_parameter", "_rebuild_parameter_with_state"):
            return args[0]
        if by.module == "torch._tensor" and by.name == "_rebuild_from_type_v2" and len(args) > 2:
            return _build(args[0], args[2]) if args[0] != by else Made(by, args)
    return Made(by, args)


def _ordered(args: tuple[Any, ...]) -> Ordered:
    """Python 2 wrote an OrderedDict's items as a list of pairs."""
    pairs = args[0] if args and isinstance(args[0], list) else []
    return Ordered((p[0], p[1]) for p in pairs if isinstance(p, list | tuple) and len(p) == 2 and isinstance(p[0], str))


def _promised(storage: Any, offset: Any, size: Any, stride: Any) -> _Promised | None:
    numbers = (offset, *size, *stride)
    if not isinstance(storage, _Storage) or not isinstance(size, tuple) or not isinstance(stride, tuple):
        return None
    if len(size) != len(stride) or len(size) > 8 or not all(type(n) is int and 0 <= n < 2**40 for n in numbers):
        return None
    return _Promised(storage, offset, size, stride)


def _walk(top: Any, contents: Contents, archive: _Archive) -> None:
    """Find every tensor, and what modules say of themselves; each container is looked into once."""
    seen: set[int] = set()
    waiting: list[tuple[str, int, Any]] = [("", 0, top)] if isinstance(top, _LOOKED_INTO) else []
    optimisers = 0
    while waiting:
        path, depth, value = waiting.pop()
        if isinstance(value, _Promised):
            raw = partial(archive.array, path, value)
            contents.add(Stored(path, value.size, value.storage.dtype, raw))
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


def _cells(path: str, metadata: Any) -> dict[str, dict[str, Any]]:
    """Which cells the modules of a state dict are of, where that is noted beside it."""
    noted = metadata.items() if isinstance(metadata, dict) else ()
    return {
        _joined(path, name): {"mode": said["cell"]}
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
