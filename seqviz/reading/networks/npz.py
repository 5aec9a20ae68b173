"""Weights that ``numpy.savez`` wrote under their names, and numpy arrays in what ``torch.save`` wrote."""

from __future__ import annotations

import io
import zipfile
from functools import partial
from typing import Any, Final

import numpy as np

from seqviz.reading.networks import archives
from seqviz.reading.networks.pickled import Made, Name
from seqviz.reading.networks.stored import Contents, Stored, brief, cut_short
from seqviz.reading.npy import Header, read_header
from seqviz.reading.zipped import UNREADABLE, damaged

__all__ = ["contents_of_npz", "looks_like_npz", "pickled_array"]

_RUN: Final = "about.npy"
"""What a saved run has, and weights have not."""

_KINDS: Final = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "b1")


def looks_like_npz(data: bytes) -> bool:
    """Whether a file is an archive of named arrays, and no run of ours."""
    if data[:4] != b"PK\x03\x04":
        return False
    try:
        names = archives.names(data)
    except ValueError:
        return False
    return bool(names) and _RUN not in names and all(name.endswith(".npy") for name in names)


def contents_of_npz(data: bytes) -> Contents:
    """Every array of an ``.npz``, by its name.

    Raises:
        ValueError: one sentence.
    """
    entries, contents = archives.names(data), Contents()
    if sum(info.file_size for info in entries.values()) > min(archives.MAX_UNPACKED, 2**20 + 20 * len(data)):
        raise ValueError(damaged())
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            held = {name.removesuffix(".npy"): archive.read(info) for name, info in entries.items()}
    except UNREADABLE as error:
        raise ValueError(damaged()) from error
    for name, content in held.items():
        contents.add(_stored(name, read_header(content), content))
    return contents


def pickled_array(name: str, made: Made) -> Stored | None:
    """An array of numpy as a pickle describes it; None for anything else.

    Its state is ``(version, shape, dtype, fortran, bytes)``; in protocol 5 it has arguments in its place, ``(bytes,
    dtype, shape, order)``.
    """
    if not isinstance(made.by, Name) or not made.by.module.startswith("numpy."):
        return None
    if made.by.name == "_frombuffer" and isinstance(made.args, tuple) and len(made.args) == 4:
        held, dtype, shape, order = made.args
        fortran = order == "F"
    elif made.by.name == "_reconstruct" and isinstance(made.given, tuple) and len(made.given) == 5:
        _, shape, dtype, fortran, held = made.given
    else:
        return None
    known = isinstance(dtype, Made) and all(isinstance(part, tuple) for part in (dtype.given, dtype.args))
    known = known and len(dtype.given) > 1 and len(dtype.args) > 0
    sizes = isinstance(shape, tuple) and len(shape) <= 8 and all(type(n) is int and 0 <= n < 2**40 for n in shape)
    if not known or not sizes or not isinstance(held, bytes | bytearray):
        return None
    kind = f"{dtype.given[1]}{dtype.args[0]}"
    if kind[1:] not in _KINDS or kind[0] not in "<>=|":
        return Stored(name, shape, brief(kind), lambda: np.empty(()))
    return _stored(name, Header(np.dtype(kind), bool(fortran), shape, 0), bytes(held))


def _stored(name: str, header: Header, content: bytes) -> Stored:
    return Stored(name, header.shape, header.dtype.name, partial(_numbers, name, header, content))


def _numbers(name: str, header: Header, content: bytes) -> Any:
    if header.start + header.nbytes > len(content):
        raise cut_short(name)
    return header.array(content).astype(header.dtype.newbyteorder("<"), copy=False)
