"""Safetensors from anybody: a header in JSON, then the numbers; https://huggingface.co/docs/safetensors."""

from __future__ import annotations

import json
import math
from functools import partial
from itertools import pairwise
from typing import Any, Final, TypeGuard

import numpy as np

from seqviz.language import tr
from seqviz.reading.networks.stored import FLOATS, Contents, Stored

__all__ = ["contents_of_safetensors", "looks_like_safetensors"]

MAX_HEADER: Final = 4 * 2**20
MAX_NAME: Final = 256

_TYPES: Final = {
    "F16": ("float16", 2), "BF16": ("bfloat16", 2), "F32": ("float32", 4), "F64": ("float64", 8), "I8": ("int8", 1),
    "U8": ("uint8", 1), "I16": ("int16", 2), "I32": ("int32", 4), "I64": ("int64", 8), "BOOL": ("bool", 1),
}  # fmt: skip


def looks_like_safetensors(data: bytes) -> bool:
    """Whether the bytes begin as such a file does: the length of a header, and its brace."""
    return data[8:9] == b"{" and 2 <= int.from_bytes(data[:8], "little") < 2**32


def contents_of_safetensors(data: bytes) -> Contents:
    """Every tensor of the file.

    Raises:
        ValueError: one sentence.
    """
    size = int.from_bytes(data[:8], "little")
    if size > MAX_HEADER:
        raise ValueError(tr("The file's list of contents is larger than {most} MiB.", most=MAX_HEADER // 2**20))
    damaged = tr("The safetensors file cannot be read; it may have been cut short or changed.")
    try:
        header = json.loads(data[8 : 8 + size])
    except (ValueError, RecursionError) as error:
        raise ValueError(damaged) from error
    if not isinstance(header, dict):
        raise ValueError(damaged)
    contents, spans = Contents(), []
    for name, entry in header.items():
        if name == "__metadata__" or len(name) > MAX_NAME:
            continue
        stored = _outline(name, entry, memoryview(data)[8 + size :])
        if stored is None:
            raise ValueError(damaged)
        contents.add(stored)
        spans.append(tuple(entry["data_offsets"]))
    contents.facts |= _ours(header.get("__metadata__"))
    if any(end > start for (_, end), (start, _) in pairwise(sorted(spans))):
        raise ValueError(tr("The file is damaged: two of its tensors lie on the same bytes."))
    return contents


def _ours(metadata: Any) -> dict[str, dict[str, Any]]:
    """The cell of a network that seqviz saved."""
    try:
        said = json.loads(metadata["seqviz"])["cell"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return {"": {"mode": said}} if isinstance(said, str) else {}


def _outline(name: str, entry: Any, numbers: memoryview) -> Stored | None:
    """A tensor of the header; None where the header says what cannot be."""
    if not isinstance(entry, dict) or not isinstance(entry.get("dtype"), str):
        return None
    shape, offsets = entry.get("shape"), entry.get("data_offsets")
    if not _sizes(shape) or len(shape) > 8 or not _sizes(offsets) or len(offsets) != 2:
        return None
    start, end = offsets
    dtype, width = _TYPES.get(entry["dtype"], (entry["dtype"], 0))
    if not start <= end <= len(numbers) or (width and end - start != math.prod(shape) * width):
        return None
    return Stored(name, tuple(shape), dtype, partial(_array, numbers[start:end], dtype, tuple(shape)))


def _sizes(given: Any) -> TypeGuard[list[int]]:
    return isinstance(given, list) and all(type(n) is int and 0 <= n < 2**40 for n in given)


def _array(view: memoryview, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    return np.frombuffer(view, FLOATS[dtype]).reshape(shape)
