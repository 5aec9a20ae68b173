"""What ``torch.save`` wrote before version 1.6, and plain pickles; read without running any of it.

Before it was a zip archive, a file was five pickles one after another, and then the numbers of each storage behind
their count: ``_legacy_save`` in
`torch/serialization.py <https://github.com/pytorch/pytorch/blob/v2.8.0/torch/serialization.py>`_. A tensor in a plain
pickle is such a file of its own.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Final

from seqviz.language import tr
from seqviz.reading.networks.described import Storage, build, find_tensors, storage_of, whole_module
from seqviz.reading.networks.other_files import refuse_other_pickles
from seqviz.reading.networks.pickled import Made, Name, Steps, read_pickle
from seqviz.reading.networks.stored import Contents, brief
from seqviz.reading.zipped import damaged

__all__ = ["contents_of_legacy", "contents_of_pickle", "looks_like_legacy", "looks_like_pickle"]

MAGIC: Final = bytes.fromhex("6cfc9c46f9206aa85019")
"""torch's number at the start of such a file, as it stands in a pickle."""

VERSION: Final = 1001
MAX_PLAIN: Final = 2**27
"""Bytes of a plain pickle, which has its numbers in it."""

_WIDTHS: Final = {
    "float16": 2, "bfloat16": 2, "float32": 4, "float64": 8, "int8": 1, "uint8": 1, "int16": 2, "int32": 4,
    "int64": 8, "bool": 1, "complex64": 8, "ComplexDoubleStorage": 16, "qint8": 1, "quint8": 1, "qint32": 4,
    "UntypedStorage": 1,
}  # fmt: skip
_NESTED: Final = Name("torch.storage", "_load_from_bytes")
_Build = Callable[[Any, Any], Any]


def looks_like_legacy(data: bytes) -> bool:
    """Whether a file begins as torch's did before version 1.6."""
    return data[:1] == b"\x80" and MAGIC in data[:64]


def looks_like_pickle(data: bytes) -> bool:
    """Whether a file begins as a pickle does."""
    return data[:1] == b"\x80" and b"\x02" <= data[1:2] <= b"\x05"


def contents_of_legacy(data: bytes) -> Contents:
    """Every tensor of such a file, by its path, as of a newer one.

    Raises:
        ValueError: one sentence.
    """
    contents = Contents()
    find_tensors(_Legacy(data).top, contents)
    contents.notes += whole_module(contents)
    return contents


def contents_of_pickle(data: bytes) -> Contents:
    """Every tensor and every array of numpy in a plain pickle, by its path.

    Raises:
        ValueError: one sentence.
    """
    contents = Contents()
    try:
        top = read_pickle(data, _builder(), _nothing, most=MAX_PLAIN)
    except ValueError:
        refuse_other_pickles(data)
        raise
    find_tensors(top, contents)
    contents.notes += whole_module(contents) or [
        tr("The file is a pickle; its numbers were read, and none of it was run.")
    ]
    return contents


class _Legacy:
    """The pickles of a file, and where in it its storages lie."""

    def __init__(self, data: bytes, steps: Steps | None = None) -> None:
        self.data, steps = memoryview(data), steps or Steps()
        self.dtypes: dict[str, str] = {}
        file = io.BytesIO(data)
        _, version, _ = (read_pickle(file, Made, _nothing, steps=steps) for _ in range(3))
        if version != VERSION:
            raise ValueError(tr("The file was written by a version of torch that is not known; save it again."))
        self.top = read_pickle(file, build, self._stored, steps=steps)
        keys = read_pickle(file, Made, _nothing, steps=steps)
        self.places = self._places(keys if isinstance(keys, list) else [], file.tell())

    def _stored(self, description: Any) -> Any:
        found = storage_of(description, self._view)
        if isinstance(found, Storage):
            self.dtypes[found.key] = found.dtype
        return found

    def _places(self, keys: list[Any], at: int) -> dict[str, slice]:
        """Of each storage the bytes that it lies in, behind their count."""
        places: dict[str, slice] = {}
        for key in keys:
            width = _WIDTHS.get(self.dtypes.get(key, "")) if isinstance(key, str) else None
            count = int.from_bytes(self.data[at : at + 8], "little")
            if width is None or count > len(self.data):
                raise ValueError(damaged())
            places[key] = slice(at + 8, at + 8 + count * width)
            at = places[key].stop
        return places

    def _view(self, key: str) -> memoryview:
        place = self.places.get(key)
        if place is None:
            raise ValueError(tr("The file is incomplete: it names {name}, which is not in it.", name=brief(key)))
        return self.data[place]


def _builder() -> _Build:
    """What a plain pickle is made of: as any, and storages that are files of their own."""
    steps = Steps()

    def made(by: Any, args: Any) -> Any:
        if by == _NESTED and isinstance(args, tuple) and args and isinstance(args[0], bytes):
            return _Legacy(args[0], steps).top
        return build(by, args)

    return made


def _nothing(description: Any) -> Any:
    """A plain pickle has nothing outside it."""
    raise ValueError("numbers outside the pickle")
