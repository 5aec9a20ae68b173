"""A trace that lies on disk: a folder of npy files and a description, written from its first step to its last.

    trace/
      about.json      format, version, names, how many steps are whole, what the run goes on from
      signal_0.npy    (L, N, H), the first signal, as numpy.save writes it
      signal_1.npy    ...

A file is as long as the steps that were written, so that what is whole can be opened while the rest is still missing.
No torch, and no trace: only what it is made of.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.lib import format as npy

from seqviz.language import tr, trn
from seqviz.reading.files import refusing
from seqviz.reading.npy import LONGEST_HEADER, Header, read_header

__all__ = ["ABOUT", "About", "Writer", "is_folder", "of_files", "open_arrays", "read_about"]

ABOUT: Final = "about.json"
FORMAT: Final = "seqviz.blocks"
VERSION: Final = 1

_LONGEST_ABOUT: Final = 64 * 2**20
"""Bytes of a description that are read: the states of a wide batch are most of it."""

_LONGEST_PROBLEM: Final = 4000
_MOST_SIGNALS: Final = 4096

_HELD: Final = 128 * 2**20
"""Bytes that are written before the system is told that it need not keep them in memory."""

_MOST_ELEMENTS: Final = 2**24
_ANY_SIZE: Final = 2**62

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass
class About:
    """What the folder says of itself.

    Args:
        signals: every signal's name and width, in the order to show them.
        dtype: of all of them, as numpy spells it.
        steps, batch: L and N of the whole run.
        block: steps of a block.
        done: steps that are whole in every file.
        passes, within: of a run that goes over the steps several times, the passes that are over, and the steps that
            the one now has gone; 0 as soon as it is the last one.
        module, source, seen: digests of the module, of how it was run, and of the input of the steps that are done.
        initial: the states before the first step, ``(N, H)`` by name, as lists.
        states: those after the last step that is done, by name.
        parity, modes, problem: as of a trace.
    """

    signals: dict[str, int]
    dtype: str
    steps: int
    batch: int
    block: int
    done: int = 0
    passes: int = 0
    within: int = 0
    module: str = ""
    source: str = ""
    seen: str = ""
    parity: float = 0.0
    modes: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    initial: dict[str, Any] = field(default_factory=dict)
    states: dict[str, Any] = field(default_factory=dict)


class _Refused(ValueError):
    """A folder that is turned down for a reason worth telling."""


_DAMAGE = (ArithmeticError, AttributeError, LookupError, MemoryError, OSError, RecursionError, TypeError, ValueError)


@contextmanager
def _refusing() -> Iterator[None]:
    """Whatever is wrong with a folder's files is said in one sentence, or in that of :class:`_Refused`."""
    try:
        yield
    except _Refused as error:
        raise ValueError(*error.args) from None
    except _DAMAGE as error:
        raise ValueError(tr("The folder is not a seqviz trace, or it is damaged.")) from error


def is_folder(path: Path) -> bool:
    """Whether a path is a folder that a trace was written to, whole or not."""
    return (path / ABOUT).is_file()


def read_about(path: Path) -> About:
    """The description of a folder, held against what its files can contain.

    Raises:
        ValueError: it is none, is damaged, or is of a newer version; in one sentence.
    """
    with _refusing():
        if (path / ABOUT).stat().st_size > _LONGEST_ABOUT:
            raise ValueError("damaged")
        return _about((path / ABOUT).read_bytes())


def of_files(files: Mapping[str, bytes]) -> tuple[About, dict[str, Array]]:
    """The description and the signals of a folder whose files are given, by name.

    Raises:
        ValueError: a file is missing, or they are no such folder's; in one sentence.
    """
    with _refusing():
        about = _about(files[ABOUT])
        missing = [name for k in range(len(about.signals)) if (name := f"signal_{k}.npy") not in files]
        if missing:
            raise _Refused(tr("{name} is missing; bring all files of the folder.", name=missing[0]))
        arrays = {}
        for k, (name, width) in enumerate(about.signals.items()):
            data, shape = files[f"signal_{k}.npy"], (about.done, about.batch, width)
            header = _header(data, len(data), about, width)
            arrays[name] = np.frombuffer(data, header.dtype, math.prod(shape), header.start).reshape(shape)
        return about, arrays


def _about(data: bytes) -> About:
    said = json.loads(data.decode("utf-8"))
    if not isinstance(said, dict) or said.pop("format") != FORMAT:
        raise ValueError("damaged")
    if (found := said.pop("version")) != VERSION:
        raise _Refused(
            tr("The trace has format version {found}; this program reads {known}.", found=found, known=VERSION)
        )
    about = About(**said)
    sizes = (about.steps, about.batch, about.block, about.done, about.passes, about.within, *about.signals.values())
    if not all(type(size) is int and 0 <= size < 2**48 for size in sizes) or about.done > about.steps:
        raise ValueError("damaged")
    if about.batch > _MOST_ELEMENTS or not isinstance(about.modes, dict):
        raise ValueError("damaged")
    if not about.block or not 0 < len(about.signals) <= _MOST_SIGNALS or about.dtype not in ("<f4", "<f8"):
        raise ValueError("damaged")
    about.parity, about.problem = float(about.parity), str(about.problem)[:_LONGEST_PROBLEM]
    about.modes = {str(key): str(value) for key, value in about.modes.items()}
    for name in ("initial", "states"):
        states = {str(key): _state(value, about) for key, value in getattr(about, name).items()}
        setattr(about, name, states)
    return about


def _state(value: Any, about: About) -> Array:
    array = np.array(value, dtype=about.dtype)
    if array.ndim != 2 or len(array) != about.batch:
        raise ValueError("damaged")
    return array


def open_arrays(path: Path, about: About) -> dict[str, Array]:
    """The signals, ``(done, N, H)`` each, mapped and not read.

    Raises:
        ValueError: a file is missing, cut short, or says something else than the description.
    """
    with _refusing():
        return {name: _mapped(path, k, about, width) for k, (name, width) in enumerate(about.signals.items())}


def _mapped(path: Path, k: int, about: About, width: int) -> Array:
    file = _file(path, k)
    shape = (about.done, about.batch, width)
    with file.open("rb") as stream:
        header = _header(stream.read(LONGEST_HEADER), file.stat().st_size, about, width)
    return np.zeros(shape, header.dtype) if 0 in shape else np.memmap(file, header.dtype, "r", header.start, shape)


def _header(data: bytes, size: int, about: About, width: int) -> Header:
    """Of a signal's file, held against the description: ``size`` is the length of the whole file."""
    header = read_header(data[:LONGEST_HEADER], _ANY_SIZE)
    if header.shape != (about.steps, about.batch, width) or header.fortran or header.dtype != np.dtype(about.dtype):
        raise ValueError("damaged")
    if size < header.start + math.prod((about.done, about.batch, width)) * header.dtype.itemsize:
        raise ValueError("damaged")
    return header


def _file(path: Path, k: int) -> Path:
    return path / f"signal_{k}.npy"


class Writer:
    """Writes blocks to the files of a folder; the description follows when all of them hold the block.

    Args:
        path: the folder, which is made.
        about: what it holds; where steps are done already, whatever lies behind them is cut off,
            but not where there is something ``beside``: then some files are ahead of others.
        beside: by name, the widths of what the run itself reads again; it is there until all steps are done.
    """

    def __init__(self, path: Path, about: About, beside: Mapping[str, int] | None = None) -> None:
        self.path, self.about, cut, beside = path, about, beside is None, beside or {}
        with refusing(path):
            path.mkdir(parents=True, exist_ok=True)
        places = [(name, width, _file(path, k)) for k, (name, width) in enumerate(about.signals.items())]
        places += [(name, width, path / f"beside_{k}.npy") for k, (name, width) in enumerate(beside.items())]
        self._beside = [file for name, _, file in places if name in beside]
        self._files: dict[str, _File] = {}
        self._held = 0
        if not (about.done or about.passes or about.within):
            self._begin(places)
            self._describe()
        try:
            for name, width, file in places:
                if file.exists() or about.done < about.steps or name not in beside:
                    self._files[name] = _File(file, about, width, cut=cut)
        except BaseException:
            self.close()
            raise

    def _begin(self, places: Iterable[tuple[str, int, Path]]) -> None:
        """Files that hold a header and no step."""
        about = self.about
        (self.path / ABOUT).unlink(missing_ok=True)
        for old in (*self.path.glob("signal_*.npy"), *self.path.glob("beside_*.npy")):
            old.unlink()
        for _, width, file in places:
            with file.open("wb") as stream:
                shape = (about.steps, about.batch, width)
                npy.write_array_header_1_0(stream, {"descr": about.dtype, "fortran_order": False, "shape": shape})

    def append(self, arrays: Mapping[str, Array], **known: Any) -> None:
        """Write the next block of every signal, each ``(steps, N, H)``, and then what is ``known`` of the run."""
        start = self.about.done
        steps = len(arrays[next(iter(self._files))])
        self.put({name: arrays[name] for name in self._files}, start, done=start + steps, **known)

    def put(self, arrays: Mapping[str, Array], start: int, **known: Any) -> None:
        """Write a block of some signals, from the step ``start`` on, and then what is ``known`` of the run by now."""
        with refusing(self.path):
            for name, array in arrays.items():
                if name in self._files:
                    self._held += self._files[name].write(np.ascontiguousarray(array, dtype=self.about.dtype), start)
            self._let_go()
            for name, value in known.items():
                setattr(self.about, name, value)
            self._describe()

    def take(self, name: str, steps: slice) -> Array:
        """Steps of a signal that were written, ``(steps, N, H)``.

        Raises:
            ValueError: they are not all there.
        """
        return self._files[name].read(steps)

    def _let_go(self) -> None:
        """Tell the system from time to time that what has been written will not soon be read.

        It then begins to write to the disk, and takes the room for what comes next. Otherwise it looks for fresh
        memory at every block, which at some gigabytes takes longer than the run itself.
        """
        if self._held < _HELD or not hasattr(os, "posix_fadvise"):  # Linux has it
            return
        self._held = 0
        for file in self._files.values():
            os.posix_fadvise(file.stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def _describe(self) -> None:
        """Put the description in its place in one move, so that it is the old one or the new one whenever we end."""
        said: dict[str, Any] = {"format": FORMAT, "version": VERSION} | asdict(self.about)
        for name in ("passes", "within"):
            if not said[name]:  # as it was before there were several passes
                del said[name]
        for name in ("initial", "states"):
            said[name] = {key: np.asarray(value).tolist() for key, value in said[name].items()}
        new = self.path / f"{ABOUT}.new"
        new.write_text(json.dumps(said), encoding="utf-8")
        new.replace(self.path / ABOUT)

    def close(self) -> None:
        """Close the files, and take away what nobody needs any more."""
        for file in self._files.values():
            file.stream.close()
        self._files.clear()
        if self.about.done == self.about.steps:
            for path in self._beside:
                path.unlink(missing_ok=True)


class _File:
    """A signal's file, open; with ``cut`` what lies behind the steps that are done is cut off."""

    def __init__(self, path: Path, about: About, width: int, *, cut: bool) -> None:
        self.shape, self.dtype = (about.batch, width), np.dtype(about.dtype)
        self.row = about.batch * width * self.dtype.itemsize
        self.stream: IO[bytes] = path.open("r+b", buffering=0)
        self.start = read_header(self.stream.read(LONGEST_HEADER), _ANY_SIZE).start
        if cut:
            self.stream.truncate(self.start + about.done * self.row)

    def write(self, block: Array, step: int) -> int:
        """Write steps, the first of which is ``step``; how many bytes those are."""
        self.stream.seek(self.start + step * self.row)
        left = block.data.cast("B") if block.size else memoryview(b"")
        while left:  # a disk that is nearly full takes a part
            left = left[self.stream.write(left) :]
        return block.nbytes

    def read(self, steps: slice) -> Array:
        """Steps that were written.

        Raises:
            ValueError: they are not all there.
        """
        self.stream.seek(self.start + steps.start * self.row)
        data = self.stream.read((steps.stop - steps.start) * self.row)
        if len(data) != (steps.stop - steps.start) * self.row:
            raise ValueError(tr("The folder is not a seqviz trace, or it is damaged."))
        return np.frombuffer(data, self.dtype).reshape(-1, *self.shape)


def unfinished(about: About) -> str:
    """What is said of a folder whose last steps are missing; empty where none is."""
    if about.done == about.steps:
        return ""
    return trn(
        "The run was interrupted: {count:,} step of {steps:,} is there.",
        "The run was interrupted: {count:,} steps of {steps:,} are there.",
        about.done,
        steps=about.steps,
    )
