"""A trace as a file: an npz archive, written and read bit for bit, without running anything that is in it."""

from __future__ import annotations

import json
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from os import SEEK_CUR, PathLike
from typing import IO, Any, NamedTuple

import numpy as np

from seqviz.language import tr, trn
from seqviz.reading.files import written
from seqviz.reading.npy import LONGEST_HEADER, read_header

__all__ = ["MAX_BYTES", "Parts", "module_of", "read_trace", "write_trace"]

FORMAT = "seqviz.trace"
VERSION = 1
MAX_BYTES = 2**30
"""The largest file that :meth:`seqviz.Trace.load` reads unless told otherwise, in bytes once unpacked."""

MAX_PROBLEM = 4000
"""Characters of a problem that are read at the most."""

Array = np.ndarray[Any, np.dtype[Any]]


class _Refused(ValueError):
    """A file that :func:`read_trace` turns down for a reason worth telling."""


_DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading a file that is not a whole trace can raise: numpy reads an array's header as Python source."""

_LONGEST_EMPTY = 2**20
"""The largest size of an array that holds nothing, and so needs no bytes for it."""

_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LONGEST_ABOUT = 16 * 2**20
"""Bytes of a trace's description: a number for each batch element is most of it."""


class Parts(NamedTuple):
    """What a trace is made of, in the order in which it takes them."""

    arrays: Mapping[str, Array]
    initial: Mapping[str, Array]
    parity: float
    modes: Mapping[str, str]
    all_lengths: Mapping[str, tuple[int, ...]]
    problem: str


def module_of(signal: str, modules: Iterable[str]) -> str:
    """The prefix, of these, of the module that a signal belongs to; empty where it is none of theirs."""
    return max((p for p in modules if p and signal.startswith(f"{p}.")), key=len, default="")


def write_trace(trace: Parts, file: str | PathLike[str] | IO[bytes]) -> None:
    """See :meth:`seqviz.Trace.save`."""
    about = {
        "format": FORMAT,
        "version": VERSION,
        "signals": list(trace.arrays),
        "initial": list(trace.initial),
        "parity": trace.parity,
        "modes": dict(trace.modes),
        "lengths": {k: list(v) for k, v in trace.all_lengths.items()},
        "problem": trace.problem,
    }
    arrays = {f"signal_{k}": a for k, a in enumerate(trace.arrays.values())}
    arrays |= {f"initial_{k}": a for k, a in enumerate(trace.initial.values())}
    arrays["about"] = np.array(json.dumps(about))
    if hasattr(file, "write"):
        np.savez_compressed(file, allow_pickle=False, **arrays)
    elif not isinstance(file, (str, PathLike)):
        raise ValueError(tr("A trace is a path or a binary file, not {value!r}.", value=file))
    else:
        with written(file) as stream:
            np.savez_compressed(stream, allow_pickle=False, **arrays)


def read_trace(stream: IO[bytes], max_bytes: int) -> Parts:
    """See :meth:`seqviz.Trace.load`; what is no whole trace is refused."""
    try:
        if not _begins(stream):
            raise _Refused(tr("The file is not a seqviz trace, or it is damaged: it is empty."))
        with zipfile.ZipFile(stream) as archive:
            items = archive.infolist()
            total = sum(item.file_size for item in items)
            if total > max_bytes:
                said = trn(
                    "The trace unpacks to {count:,} byte; at most {most:,} are read.",
                    "The trace unpacks to {count:,} bytes; at most {most:,} are read.",
                    total,
                    most=max_bytes,
                )
                raise _Refused(said)
            if any(item.compress_type not in _COMPRESSIONS for item in items):
                raise _Refused(tr("The trace is compressed in a way that seqviz does not write: only deflate is."))
            return _from_archive(archive)
    except _Refused as error:
        raise ValueError(*error.args) from None
    except _DAMAGE as error:
        raise ValueError(tr("The file is not a seqviz trace, or it is damaged.")) from error


def _begins(stream: Any) -> bool:
    """Whether an open file holds anything; it is where it was when this returns."""
    try:
        first = stream.read(1)
        stream.seek(-len(first), SEEK_CUR)
    except (OSError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise _Refused(tr("The open file cannot be read; open it with open(path, 'rb').")) from error
    if not isinstance(first, bytes):
        raise _Refused(tr("The open file cannot be read; open it with open(path, 'rb')."))
    return bool(first)


def _from_archive(archive: zipfile.ZipFile) -> Parts:
    if archive.getinfo("about.npy").file_size > _LONGEST_ABOUT:
        raise ValueError("damaged")
    about = json.loads(str(_member(archive, "about", kinds="U")))
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise ValueError("damaged")
    if (found := about["version"]) != VERSION:
        said = tr("The trace has format version {found}; this program reads {known}.", found=found, known=VERSION)
        raise _Refused(said)
    groups = {}
    for group, stem, dims in (("signals", "signal", 3), ("initial", "initial", 2)):
        arrays = {str(n): _member(archive, f"{stem}_{k}") for k, n in enumerate(about[group])}
        if any(array.ndim != dims for array in arrays.values()):
            raise ValueError("damaged")
        groups[group] = arrays
    modes = {str(k): str(v) for k, v in about["modes"].items()}
    lengths = {str(k): tuple(int(n) for n in v) for k, v in about["lengths"].items()}
    problem = str(about.get("problem", ""))[:MAX_PROBLEM]
    parts = Parts(groups["signals"], groups["initial"], float(about["parity"]), modes, lengths, problem)
    for name, array in parts.arrays.items():
        steps, batch, _ = array.shape
        known = lengths.get(module_of(name, lengths))
        # Elements without a step are no bytes in the file: they have to stand in the description.
        if known is None and not steps and batch:
            raise ValueError("damaged")
        if known is not None and (len(known) != batch or not all(0 <= n <= steps for n in known)):
            raise ValueError("damaged")
    return parts


def _member(archive: zipfile.ZipFile, name: str, kinds: str = "f") -> Array:
    """One array of an npz archive, refused before it is allocated if its header claims more than the file holds."""
    info = archive.getinfo(f"{name}.npy")
    with archive.open(info) as stream:
        header = read_header(stream.read(LONGEST_HEADER), info.file_size, text="U" in kinds)
    empty = 0 in header.shape and max(header.shape) > _LONGEST_EMPTY
    if header.dtype.kind not in kinds or empty:
        raise ValueError("damaged")
    return header.array(archive.read(info))
