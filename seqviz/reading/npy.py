"""The header of an array saved by ``numpy.save``, read before anything is allocated; nothing is unpickled."""

from __future__ import annotations

import ast
import math
import re
from typing import Any, Final, NamedTuple

import numpy as np

from seqviz.checks import shown
from seqviz.language import later, tr, trn

__all__ = ["LONGEST_HEADER", "Header", "read_header"]

LONGEST_HEADER: Final = 2**14
"""Bytes of a header that are read; those that numpy writes have some hundred."""


class Header(NamedTuple):
    """What an npy file says of its array.

    Attributes:
        dtype: of real numbers or booleans.
        fortran: whether the first index runs fastest.
        shape: its shape.
        start: the byte at which the numbers begin.
    """

    dtype: np.dtype
    fortran: bool
    shape: tuple[int, ...]
    start: int

    @property
    def nbytes(self) -> int:
        """Bytes of the numbers."""
        return math.prod(self.shape) * self.dtype.itemsize

    def array(self, data: bytes) -> np.ndarray:
        """The numbers of the file, a view of its bytes, of `shape`."""
        flat = np.frombuffer(data, self.dtype, math.prod(self.shape), self.start)
        return flat.reshape(self.shape, order="F" if self.fortran else "C")


def read_header(data: bytes, size: int | None = None, *, text: bool = False) -> Header:
    """The header at the start of an npy file; the format is numpy's NEP 1.

    Args:
        data: the file, or its first ``LONGEST_HEADER`` bytes.
        size: the length of the whole file, where `data` is only its beginning.
        text: whether it may also hold text.

    Raises:
        ValueError: it is no such file, or holds something else than real numbers, or fewer than it says.
    """
    if data[:2] == b"PK":
        raise ValueError(tr("This is a zip or npz archive; save one array with numpy.save to get an npy file."))
    if data[:6] != b"\x93NUMPY" or len(data) < 12:
        raise ValueError(tr("This is not an npy file; save the array with numpy.save."))
    wide = 2 if data[6] == 1 else 4
    start = 8 + wide + int.from_bytes(data[8 : 8 + wide], "little")
    broken = tr("The header of the npy file cannot be read; it may have been cut short or changed.")
    if data[6] not in (1, 2, 3) or start > min(len(data), LONGEST_HEADER):
        raise ValueError(broken)
    try:
        header = ast.literal_eval(data[8 + wide : start].decode("utf-8" if data[6] == 3 else "latin1").strip())
        descr, order, shape = header["descr"], header["fortran_order"], header["shape"]
    except (ValueError, TypeError, KeyError, IndexError, SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(broken) from error
    if not isinstance(order, bool) or not isinstance(shape, tuple) or not all(map(_is_size, shape)):
        raise ValueError(broken)
    is_text = text and isinstance(descr, str) and re.fullmatch(r"[<>|=]?U[0-9]{1,8}", descr)
    found = Header(np.dtype(descr) if is_text else _dtype(descr), order, shape, start)
    have = (len(data) if size is None else size) - start
    if found.nbytes > have:
        raise ValueError(
            trn(
                "The npy file is cut short or its header is wrong: the shape {shape} needs {count:,} byte "
                "and {have:,} are there.",
                "The npy file is cut short or its header is wrong: the shape {shape} needs {count:,} bytes "
                "and {have:,} are there.",
                found.nbytes,
                shape=shown(shape),
                have=have,
            )
        )
    return found


def _is_size(n: Any) -> bool:
    return isinstance(n, int) and not isinstance(n, bool) and 0 <= n < 2**63


def _dtype(descr: Any) -> np.dtype:
    """Real numbers and booleans only, decided by the letters before numpy is asked."""
    if isinstance(descr, str):
        letter = descr.lstrip("<>|=")[:1]
        if letter == "O":
            raise ValueError(
                tr("The npy file holds pickled objects, which are never opened; save plain numbers instead.")
            )
        if letter in ("c", "F", "D"):
            raise ValueError(tr("The npy file holds complex numbers; save real numbers, such as their real parts."))
        if re.fullmatch(r"[<>|=]?(f(2|4|8|16)|[iu][1248]|b1|\?)", descr):
            try:
                return np.dtype(descr)
            except TypeError as error:
                raise ValueError(
                    tr("The npy file holds numbers of type {dtype}; save float32.", dtype=shown(descr))
                ) from error
    if isinstance(descr, list) and descr and all(isinstance(field, tuple) and field for field in descr):
        said = later(
            "The npy file holds an array with the named fields {names}, not plain numbers; save "
            "np.column_stack([array[name] for name in array.dtype.names])."
        )
        raise ValueError(tr(said, names=shown(", ".join(str(field[0]) for field in descr[:20]))))
    raise ValueError(tr("The npy file holds {dtype}, not numbers; save a float32 array.", dtype=shown(descr)))
