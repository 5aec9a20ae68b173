"""What one run of a network produced: named arrays and nothing else.

Shapes in torch's letters: ``L`` steps, ``N`` batch, ``H`` units; time first.
"""

from __future__ import annotations

import io
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from os import PathLike
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from seqviz.folders import About, of_files, open_arrays, read_about, unfinished
from seqviz.indexing import BATCH, STEPS, UNITS, Index, as_slice
from seqviz.language import Sentence, tr
from seqviz.overview import Overview, overview
from seqviz.reading.files import opened, path_of, refusing
from seqviz.reading.traces import MAX_BYTES, Parts, module_of, read_trace, write_trace

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MAX_BYTES", "Trace"]

Array = np.ndarray[Any, np.dtype[Any]]
_SIGNAL = re.compile(r"(?:(?P<module>.+)\.)?l(?P<layer>\d+)(?P<reverse>_reverse)?\.(?P<name>\w+)")


@dataclass(frozen=True, eq=False, repr=False)
class Trace:
    """Every signal of one run.

    ``trace["l0.f"]`` is a read-only array ``(L, N, H)``. A trace is also an iterable of its signals' names, with
    a length, and two traces are equal when everything in them is.

    Args:
        arrays: signal name to ``(L, N, H)``, in the order to show them: ``x``, then layer by layer, then ``y``.
        initial: ``"l0.h"`` or ``"l0.c"`` to the state before the first step to be processed, ``(N, H)``; for a
            reverse direction that step is the last one.
        parity: the largest ``|recomputed - torch|`` over ``h`` and ``c``, in the units of the signals.
        modes: prefix of a recurrent module (``""`` when there is one) to torch's ``mode``: ``"LSTM"``, ``"GRU"``,
            ``"RNN_TANH"`` or ``"RNN_RELU"``.
        all_lengths: prefix to the number of valid steps of each batch element. Past them the arrays hold 0.
        problem: sentences on what makes the numbers doubtful (digits lost in half precision, a layer that computes
            something of its own, where NaN or infinity entered); else empty.
    """

    arrays: Mapping[str, Array]
    initial: Mapping[str, Array] = field(default_factory=dict)
    parity: float = 0.0
    modes: Mapping[str, str] = field(default_factory=dict)
    all_lengths: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    problem: str = ""

    def __post_init__(self) -> None:
        for name in ("arrays", "initial", "modes", "all_lengths"):
            if not isinstance(part := getattr(self, name), Mapping):
                raise ValueError(tr("The {name} of a trace must be a mapping, not {part!r}.", name=name, part=part))
        for name in ("arrays", "initial"):
            frozen = {key: _read_only(value) for key, value in getattr(self, name).items()}
            object.__setattr__(self, name, MappingProxyType(frozen))
        for name in ("modes", "all_lengths"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def signals(self) -> tuple[str, ...]:
        """The names of the signals, in the order to show them."""
        return tuple(self.arrays)

    @property
    def lengths(self) -> tuple[int, ...]:
        """Valid steps of each batch element; of the first module where there are several (see ``all_lengths``)."""
        return next(iter(self.all_lengths.values()), ())

    @property
    def nbytes(self) -> int:
        """Bytes held by all the arrays."""
        return sum(a.nbytes for group in (self.arrays, self.initial) for a in group.values())

    def __getitem__(self, name: str) -> Array:
        try:
            return self.arrays[name]
        except (KeyError, TypeError):
            known = ", ".join(self.arrays)
            raise KeyError(
                tr("There is no signal {name!r} in this trace. It has {known}.", name=name, known=known)
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)

    def __contains__(self, name: object) -> bool:
        return name in self.arrays

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Trace):
            return NotImplemented
        same = (self.modes, self.all_lengths, self.problem) == (other.modes, other.all_lengths, other.problem)
        return (
            same
            and np.array_equal(self.parity, other.parity, equal_nan=True)
            and _equal(self.arrays, other.arrays)
            and _equal(self.initial, other.initial)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        kinds = ", ".join(f"{k}: {v}" if k else v for k, v in self.modes.items())
        shape = next(iter(self.arrays.values())).shape if self.arrays else (0, 0, 0)
        names = ", ".join(self.arrays)
        says = f", problem={str(self.problem)!r}" if self.problem else ""
        return f"Trace({kinds}, L={shape[0]}, N={shape[1]}, parity={self.parity:.1e}, signals: {names}{says})"

    def _prefix(self, signal: str) -> str:
        """The module that a signal belongs to, as a key of ``all_lengths``."""
        return module_of(signal, self.all_lengths)

    def lengths_of(self, signal: str) -> tuple[int, ...]:
        """Valid steps of each batch element of a signal."""
        steps, batch = self[signal].shape[:2]
        return self.all_lengths.get(self._prefix(signal), (steps,) * batch)

    def sel(self, step: Index = None, unit: Index = None, batch: Index = None) -> Trace:
        """A part of the trace, of three dimensions still; an int keeps one item.

        Args:
            step: which steps. ``initial`` becomes the state before the first of them to be processed.
            unit: which units of the recurrent signals; ``x`` and ``y`` have features, and keep them all.
            batch: which batch elements.

        Raises:
            IndexError: an int that does not exist; the sentence gives the range. Slices clip, as in Python.
        """
        arrays, lengths, initial = {}, {}, dict(self.initial)
        for name, array in self.arrays.items():
            sizes = array.shape
            wanted = None if _parse(name) is None else unit
            steps = as_slice(step, sizes[0], STEPS, name)
            rows = as_slice(batch, sizes[1], BATCH, name)
            columns = as_slice(wanted, sizes[2], UNITS, name)
            arrays[name] = array[steps, rows, columns]
            valid = np.array(self.lengths_of(name), dtype=int)[rows]
            kept = np.arange(sizes[0])[steps]
            lengths[self._prefix(name)] = tuple(int((kept < n).sum()) for n in valid)
            if name in initial:
                before = self._state_before(name, kept)
                initial[name] = before[rows, columns]
        known = {prefix: lengths[prefix] for prefix in self.all_lengths if prefix in lengths}
        return Trace(arrays, initial, self.parity, self.modes, known, self.problem)

    def _state_before(self, name: str, kept: Array) -> Array:
        """The state ``(N, H)`` that the first processed one of the steps ``kept`` started from."""
        array, first = self.arrays[name], self.initial[name]
        if not len(kept):
            return first
        parsed = _parse(name)
        if parsed is None or not parsed["reverse"]:
            return array[kept[0] - 1] if kept[0] else first
        after = int(kept[-1]) + 1
        if after == len(array):
            return first
        valid = np.array(self.lengths_of(name))[:, None]
        return np.where(after < valid, array[after], first)

    def to_dataframe(self) -> pd.DataFrame:
        """One row a number: ``layer, direction, signal, step, batch, unit, value``.

        ``layer`` and ``direction`` are missing for ``x`` and ``y``. Steps past the end of a sequence are left out.
        With several recurrent modules a first column, ``module``, tells them apart.

        Raises:
            ImportError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise ImportError(tr("Trace.to_dataframe needs pandas: pip install pandas")) from None
        frames = [self._frame(pd, name) for name in self.arrays]
        frame = pd.concat(frames, ignore_index=True)
        frame["layer"] = frame["layer"].astype("Int64")
        for column in ("module", "direction", "signal"):
            frame[column] = frame[column].astype("category")
        return frame if any(self.modes) else frame.drop(columns="module")

    def _frame(self, pd: Any, name: str) -> pd.DataFrame:
        array, prefix = self.arrays[name], self._prefix(name)
        parsed = _parse(name)
        valid = np.arange(array.shape[0])[:, None] < np.array(self.lengths_of(name))
        step, batch = np.nonzero(valid)
        units = array.shape[2]
        return pd.DataFrame(
            {
                "module": prefix,
                "layer": int(parsed["layer"]) if parsed else pd.NA,
                "direction": ("reverse" if parsed["reverse"] else "forward") if parsed else None,
                "signal": parsed["name"] if parsed else name.rsplit(".", 1)[-1],
                "step": np.repeat(step, units),
                "batch": np.repeat(batch, units),
                "unit": np.tile(np.arange(units), len(step)),
                "value": array[step, batch].reshape(-1),
            }
        )

    def save(self, file: str | PathLike[str] | IO[bytes]) -> None:
        """Write an npz archive that :meth:`load` reads back bit for bit."""
        parts = Parts(self.arrays, self.initial, self.parity, self.modes, self.all_lengths, str(self.problem))
        write_trace(parts, file)

    def overview(self, signal: str, width: int, *, batch: int = 0, start: int = 0, stop: int | None = None) -> Overview:
        """A signal in at most ``width`` columns of steps: the smallest, the mean and the largest of each.

        Args:
            signal: its name.
            width: columns at the most.
            batch: which batch element.
            start, stop: which steps; all by default.

        Raises:
            IndexError: a batch element that does not exist.
            ValueError: no column, or no step.
        """
        array = self[signal]
        return overview(array[:, as_slice(batch, array.shape[1], BATCH, signal)][:, 0], width, start=start, stop=stop)

    @classmethod
    def open(cls, path: str | PathLike[str]) -> Trace:
        """The trace in a folder that :func:`seqviz.capture_blocks` wrote, or in a file that :meth:`save` wrote.

        The arrays of a folder are mapped: what is not looked at is not read. Of a run that was interrupted the steps
        that are whole are opened, and ``problem`` says so.

        Raises:
            ValueError: it is neither, is of a newer version, or is damaged; in one sentence.
            OSError: (and a ValueError) there is nothing to open, in one sentence.
        """
        if not isinstance(path, (str, PathLike)):
            raise ValueError(tr("A trace is a path or a binary file, not {value!r}.", value=path))
        folder = path_of(path)
        with refusing(folder):
            if not stat.S_ISDIR(folder.stat().st_mode):
                return cls.load(folder)
        about = read_about(folder)
        return cls._of_folder(about, open_arrays(folder, about))

    @classmethod
    def of_files(cls, files: Mapping[str, bytes]) -> Trace:
        """The trace in a folder's files, by name, such as somebody uploads them; see :meth:`open`.

        Raises:
            ValueError: a file is missing, or they are no trace; in one sentence.
        """
        return cls._of_folder(*of_files(files))

    @classmethod
    def _of_folder(cls, about: About, arrays: Mapping[str, Array]) -> Trace:
        problem = " ".join(filter(None, (unfinished(about), about.problem)))
        lengths = dict.fromkeys(about.modes, (about.done,) * about.batch)
        return cls(arrays, about.initial, about.parity, about.modes, lengths, problem)

    @classmethod
    def load(cls, file: str | PathLike[str] | bytes | IO[bytes], *, max_bytes: int = MAX_BYTES) -> Trace:
        """Read what :meth:`save` wrote. No code in the file is run, and nothing is allocated before its size is known.

        Raises:
            ValueError: the file is not a trace, is of a newer version, is damaged, or unpacks to over ``max_bytes``.
            OSError: (and a ValueError) the file cannot be opened, in one sentence.
        """
        if not isinstance(max_bytes, int):
            raise ValueError(tr("The largest size must be a whole number of bytes, not {value!r}.", value=max_bytes))
        if isinstance(file, (str, PathLike)):
            with opened(file) as stream:
                return cls(*read_trace(stream, max_bytes))
        if isinstance(file, bytes | bytearray | memoryview):
            file = io.BytesIO(file)
        if not hasattr(file, "read") or not hasattr(file, "seek"):
            raise ValueError(tr("A trace is a path or a binary file, not {value!r}.", value=file))
        return cls(*read_trace(file, max_bytes))


def _parse(name: str) -> re.Match[str] | None:
    return _SIGNAL.fullmatch(name)


def _read_only(array: Array) -> Array:
    view = array.view() if isinstance(array, np.ndarray) else np.array(array)
    view.setflags(write=False)
    return view


def _equal(a: Mapping[str, Array], b: Mapping[str, Array]) -> bool:
    if list(a) != list(b):
        return False
    return all(a[k].dtype == b[k].dtype and np.array_equal(a[k], b[k], equal_nan=True) for k in a)


def no_layer(layer: int, reverse: bool) -> Sentence:
    """What is said where a trace lacks a layer, or its backward direction."""
    if reverse:
        return tr("There is no layer {layer} in reverse in this trace.", layer=layer)
    return tr("There is no layer {layer} in this trace.", layer=layer)
