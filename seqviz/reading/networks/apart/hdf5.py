"""The arrays of an HDF5 file by their paths, and its texts; https://docs.h5py.org.

Only what lies in the file itself is read: no link that leads elsewhere is followed, no number kept in another file,
nothing packed by a filter that would have to be loaded.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from typing import Any, Final

import h5py

from seqviz.reading.networks.apart.frames import MAX_BYTES, Record, Refused

__all__ = ["records"]

MAX_NODES: Final = 50_000
MAX_DEPTH: Final = 24
MAX_PATH: Final = 512
MAX_TEXT: Final = 2**23

_FILTERS: Final = frozenset({h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32})
_TEXTS: Final = ("name", "model_config", "keras_version", "backend")
_OPTIMISERS: Final = ("optimizer", "_optimizer", "optimizer_weights")


def records(files: dict[str, bytes]) -> Iterator[Record]:
    """First the texts and outlines of everything, then the numbers of each array that may be a weight."""
    (data,) = files.values()
    try:
        file = h5py.File(io.BytesIO(data), "r", locking=False)
    except OSError as error:
        raise Refused("damaged") from error
    texts: dict[str, dict[str, str]] = {}
    arrays: list[tuple[str, Any]] = []
    left = {"links": 0, "optimiser": 0}
    _walk(file, texts, arrays, left)
    yield {"texts": texts, "left": left}, b""
    sent = 0
    for path, found in arrays:
        shape, dtype = tuple(map(int, found.shape)), found.dtype.name
        head = {"path": path, "shape": shape, "dtype": dtype}
        if problem := _problem(found, shape):
            yield head | {"problem": problem}, b""
            continue
        sent += math.prod(shape) * found.dtype.itemsize
        if sent > MAX_BYTES:
            raise Refused("large")
        try:
            yield head, found[()].astype(found.dtype.newbyteorder("<")).tobytes()
        except (OSError, ValueError, RuntimeError):
            yield head | {"problem": "damaged"}, b""


def _walk(file: Any, texts: dict[str, dict[str, str]], arrays: list[tuple[str, Any]], left: dict[str, int]) -> None:
    """Every group and array, each once, however often it is linked to."""
    seen: set[int] = set()
    waiting: list[tuple[str, int, Any]] = [("", 0, file["/"])]
    while waiting:
        path, depth, node = waiting.pop()
        address = h5py.h5o.get_info(node.id).addr
        if address in seen:
            continue
        seen.add(address)
        if len(seen) > MAX_NODES or depth > MAX_DEPTH or len(path) > MAX_PATH:
            raise Refused("nested")
        said = {name: text for name in _TEXTS if (text := _text(node, name)) is not None}
        if said:
            texts[path] = said
        if isinstance(node, h5py.Dataset):
            arrays.append((path, node))
        elif isinstance(node, h5py.Group):
            waiting += reversed(_inside(path, depth, node, left))


def _inside(path: str, depth: int, group: Any, left: dict[str, int]) -> list[tuple[str, int, Any]]:
    found = []
    if len(group) > MAX_NODES:
        raise Refused("nested")
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            left["links"] += 1
        elif name in _OPTIMISERS and not path:
            left["optimiser"] += 1
        else:
            found.append((f"{path}/{name}" if path else name, depth + 1, group[name]))
    return found


def _text(node: Any, name: str) -> str | None:
    """An attribute that is one text."""
    if name not in node.attrs:
        return None
    attribute = node.attrs.get_id(name)
    if attribute.shape != () or attribute.dtype.kind not in "OS" or attribute.dtype.itemsize > MAX_TEXT:
        return None
    value = node.attrs[name]
    value = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    if not isinstance(value, str):
        return None
    if len(value) > MAX_TEXT:
        raise Refused("large")
    return value


def _problem(array: Any, shape: tuple[int, ...]) -> str:
    """Why an array's numbers are not read; empty where they are."""
    if array.dtype.kind != "f" or array.dtype.itemsize > 8 or not 0 < len(shape) <= 3 or 0 in shape:
        return "kind"
    plist = array.id.get_create_plist()
    if array.is_virtual or plist.get_external_count():
        return "elsewhere"
    filters = [plist.get_filter(k)[0] for k in range(plist.get_nfilters())]
    if not _FILTERS.issuperset(filters):
        return "filter"
    size, stored = math.prod(shape) * array.dtype.itemsize, array.id.get_storage_size()
    packed = h5py.h5z.FILTER_DEFLATE in filters
    if size > MAX_BYTES or size > (2**20 + 64 * stored if packed else stored):
        return "damaged"
    return ""
