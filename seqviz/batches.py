"""Sequences side by side in arrays ``(N, L, F)``, out of ``.npy``, ``.npz`` and ``.pt``, as a table of all their steps.

Shapes: ``N`` sequences of ``L`` steps of ``F`` numbers.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from os import PathLike
from typing import IO, Final

import numpy as np

from seqviz.checks import shown
from seqviz.language import Sentence, tr, trn
from seqviz.reading import Table, read_table
from seqviz.reading.files import bytes_of
from seqviz.reading.networks import archives
from seqviz.reading.networks.legacy import contents_of_legacy, contents_of_pickle, looks_like_legacy, looks_like_pickle
from seqviz.reading.networks.npz import looks_like_npz
from seqviz.reading.networks.pt import contents_of_pt
from seqviz.reading.networks.stored import Stored, brief
from seqviz.reading.npy import LONGEST_HEADER, Header, read_header
from seqviz.reading.tables import MAX_FILE
from seqviz.reading.zipped import UNREADABLE, damaged

__all__ = ["MAX_NUMBERS", "read_sequences"]

MAX_NUMBERS: Final = 2**24
"""Numbers of sequences that are kept; of more the first sequences."""

_REAL: Final = ("float16", "bfloat16", "float32", "float64", "int8", "uint8", "int16", "int32", "int64", "bool")

_NO_NUMBERS: Final = re.compile(rb"\A\x93NUMPY.{0,40}'descr': *'[|<>]?[OUS]", re.DOTALL)
Array = tuple[tuple[int, ...], Callable[[], np.ndarray]]
"""Its shape, and what gives its numbers."""


def read_sequences(
    path_or_bytes: bytes | str | PathLike[str] | IO[bytes],
    name: str = "",
    *,
    array: str | None = None,
    batch_first: bool = True,
    ids: bool = False,
    missing: str | None = None,
) -> Table:
    """Sequences of a file of arrays, one below the other; ``Table.starts`` says where each of them begins.

    An ``.npy``, an ``.npz``, or tensors and arrays as ``torch.save`` and ``pickle`` write them, in which nothing is
    run. Steps at the end of a sequence that hold NaN alone are padding and are left out. Any other file is read as by
    :func:`seqviz.read_table`.

    Args:
        path_or_bytes: a path to the file, what it holds, or the open file.
        name: the file's name.
        array: which of the file's arrays; unless given the first of three dimensions, else of two, else of one.
        batch_first: whether an array is ``(N, L, F)``; else it is ``(L, N, F)``.
        ids: whether an array of two dimensions holds sequences of ids, ``(N, L)``; else it is one sequence, ``(L, F)``.
        missing: of a table, what to do about missing numbers.

    Raises:
        ValueError: one sentence.
    """
    data, called = bytes_of(path_or_bytes, MAX_FILE)
    name = name or called
    arrays = _arrays(data)
    if arrays is None:
        return read_table(data, name, missing=missing)
    able = {key: each for key, each in arrays.items() if 1 <= len(each[0]) <= 3 and 0 not in each[0]}
    if not able:
        raise ValueError(tr("The file holds no array of one to three dimensions; a sequence has two, (steps, inputs)."))
    chosen = _chosen(able, array)
    shape, numbers = able[chosen]
    batch_first = batch_first or len(shape) < 3
    sizes = _sizes(shape, batch_first=batch_first, ids=ids)
    most = max(1, MAX_NUMBERS // (sizes[1] * sizes[2]))
    values = numbers()
    values = values[:most] if sizes[0] > 1 and batch_first else values[:, :most] if len(shape) == 3 else values
    values = (values if batch_first else values.swapaxes(0, 1)).reshape(-1, *sizes[1:]).astype(float)
    if values.size > 2 * MAX_NUMBERS:
        raise ValueError(tr("The array has more than {most:,} numbers.", most=2 * MAX_NUMBERS))
    rows, starts = _without_padding(values)
    says = [_read_as(shape, sizes, batch_first=batch_first)]
    if len(values) < sizes[0]:
        says.append(tr("The first {count:,} of its {all:,} sequences were taken.", count=len(values), all=sizes[0]))
    if len(rows) < values.shape[0] * values.shape[1]:
        says.append(tr("Steps at the ends that hold NaN alone were left out as padding."))
    rows.flags.writeable = False
    table = Table(rows, tuple(map(str, range(sizes[2]))), left_out=tuple(says))
    return replace(table, starts=starts if len(starts) > 1 else None, arrays=tuple(able), array=chosen)


def _arrays(data: bytes) -> dict[str, Array] | None:
    """The arrays of a file by name; None where it is no file of arrays, or one that is a table as well."""
    if data[:6] == b"\x93NUMPY":
        header = read_header(data)
        return {"": (header.shape, lambda: header.array(data))} if len(header.shape) == 3 else None
    if looks_like_npz(data):
        return _of_npz(data)
    if looks_like_legacy(data):
        return _of_tensors(contents_of_legacy(data).tensors)
    if looks_like_pickle(data):
        return _of_tensors(contents_of_pickle(data).tensors)
    if data[:4] == b"PK\x03\x04" and b"/data.pkl" in data:
        return _of_tensors(contents_of_pt(data).tensors)
    return None


def _of_npz(data: bytes) -> dict[str, Array]:
    """Those of an archive; only what is asked for is unpacked."""
    found: dict[str, Array] = {}
    for name, info in archives.names(data).items():
        head = _entry(data, name, LONGEST_HEADER)
        if not _NO_NUMBERS.search(head):
            header = read_header(head, info.file_size)
            found[name.removesuffix(".npy")] = (header.shape, partial(_unpacked, data, name, header))
    return found


def _unpacked(data: bytes, name: str, header: Header) -> np.ndarray:
    if header.start + header.nbytes > archives.MAX_UNPACKED:
        raise ValueError(tr("The archive holds more than {most} MiB.", most=archives.MAX_UNPACKED // 2**20))
    return header.array(_entry(data, name, header.start + header.nbytes))


def _entry(data: bytes, name: str, size: int) -> bytes:
    """The beginning of what an archive holds under a name."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(name) as entry:
            return entry.read(size)
    except UNREADABLE as error:
        raise ValueError(damaged()) from error


def _of_tensors(tensors: Mapping[str, Stored]) -> dict[str, Array]:
    if any("weight_hh" in name for name in tensors):
        raise ValueError(tr("This is a file of a network, not a table and not sequences."))
    return {name: (each.shape, each.numbers) for name, each in tensors.items() if each.dtype in _REAL}


def _chosen(arrays: Mapping[str, Array], wanted: str | None) -> str:
    if wanted is not None:
        if wanted not in arrays:
            known = ", ".join(brief(name) for name in list(arrays)[:12])
            raise ValueError(tr("There is no array {name} in the file; there are {known}.", name=shown(wanted),
                                known=known))  # fmt: skip
        return wanted
    return max(arrays, key=lambda name: len(arrays[name][0]))


def _sizes(shape: tuple[int, ...], *, batch_first: bool, ids: bool) -> tuple[int, int, int]:
    """``(N, L, F)`` of an array of one to three dimensions."""
    if len(shape) == 3:
        return (shape[0], shape[1], shape[2]) if batch_first else (shape[1], shape[0], shape[2])
    if len(shape) == 2:
        return (shape[0], shape[1], 1) if ids else (1, shape[0], shape[1])
    return 1, shape[0], 1


def _read_as(shape: tuple[int, ...], sizes: tuple[int, int, int], *, batch_first: bool) -> Sentence:
    count = trn("{count:,} sequence", "{count:,} sequences", sizes[0])
    if len(shape) == 3 and not batch_first:
        return tr("The array {shape} was read as (steps, sequences, inputs): {count}.", shape=str(shape), count=count)
    if len(shape) == 3:
        return tr("The array {shape} was read as (sequences, steps, inputs): {count}.", shape=str(shape), count=count)
    if sizes[0] > 1:
        return tr("The array {shape} was read as sequences of ids: {count}.", shape=str(shape), count=count)
    return tr("The array {shape} was read as one sequence.", shape=str(shape))


def _without_padding(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The steps ``(rows, F)`` of sequences ``(N, L, F)``, and the row on which each begins."""
    there = ~np.isnan(values).all(-1)
    lengths = np.where(there.any(1), values.shape[1] - there[:, ::-1].argmax(1), 0)
    rows = values[np.arange(values.shape[1]) < lengths[:, None]]
    if not len(rows):
        raise ValueError(tr("The array holds NaN alone."))
    bad = np.argwhere(~np.isfinite(rows))
    starts = np.cumsum(lengths) - lengths
    if len(bad):
        row = int(bad[0, 0])
        k = int(np.searchsorted(starts, row, "right")) - 1
        raise ValueError(tr("Sequence {k} of the array holds {value} at step {step}; give numbers in its place.", k=k,
                            value=f"{rows[tuple(bad[0])]:g}", step=row - int(starts[k])))  # fmt: skip
    return rows, starts[lengths > 0]
