"""A person's data through a network that they brought: columns to inputs, and as much of a run as can be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch

from seqviz import counted
from seqviz.capture import capture
from seqviz.checks import shown
from seqviz.language import Sentence, tr
from seqviz.reading import Table
from seqviz.reading.networks import NetworkFile, Stack
from seqviz.reading.networks.made import Whole
from seqviz.reading.networks.stored import brief
from seqviz.trace import Trace

__all__ = [
    "MAX_WHOLE", "Inputs", "Look", "Run", "columns_of_table", "ids_of_text", "inputs_of_ids", "inputs_of_table",
    "inputs_of_text", "look", "look_at_trace", "scaled", "sequences_in", "text_of",
]  # fmt: skip

MAX_WHOLE: Final = 200_000
"""Steps of which every k-th is kept; of more the first so many."""

CHUNK: Final = 4096

MOST_KEPT: Final = 2**25
"""Numbers of a run that are kept, for a network that also runs backwards: 128 MiB."""

_LISTED: Final = 8


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a network is given.

    Attributes:
        x: float32 ``(L, F)``.
        names: of the inputs.
        says: what was done to the data, a sentence each.
        mean, std: of each column, what was taken off and what the rest was divided by; None where nothing was.
        labels: of the steps.
    """

    x: np.ndarray
    names: tuple[str, ...]
    says: tuple[Sentence, ...] = ()
    mean: np.ndarray | None = None
    std: np.ndarray | None = None
    labels: tuple[str, ...] | None = None


def inputs_of_table(
    table: Table, size: int, columns: Sequence[str] = (), *, standardise: bool = False, to_range: bool = False
) -> Inputs:
    """The columns of a table as the inputs of a network, in their order.

    Args:
        table: as :func:`seqviz.read_table` gives it.
        size: how many inputs the network takes.
        columns: which ones; the first so many unless given.
        standardise: take each column's mean off and divide by its standard deviation over the table; a column that
            never changes becomes zeros.
        to_range: bring each column to the range from 0 to 1 over the table instead.

    Raises:
        ValueError: too few or too many columns, or one that there is not.
    """
    wanted = list(columns) or list(table.names[:size])
    if len(wanted) != size:
        raise ValueError(
            tr("The network takes {size}, and {columns} of the table were chosen: {names}.", size=counted.inputs(size),
               columns=counted.columns(len(wanted)), names=_some(wanted))
        )  # fmt: skip
    x, says = columns_of_table(table, wanted), list[Sentence]()
    if len(table.names) > size and not columns:
        says.append(tr("The table has more columns than the network has inputs; the first ones were taken: {names}.",
                       names=_some(wanted)))  # fmt: skip
    x, mean, std = scaled(x, standardise=standardise, to_range=to_range)
    if mean is not None and std is not None and standardise:
        says.append(tr("Each column was standardised: mean {mean}, standard deviation {std}.", mean=_numbers(mean),
                       std=_numbers(std)))  # fmt: skip
    elif mean is not None and std is not None:
        says.append(tr("Each column was brought to the range from 0 to 1: from {low} to {high}.", low=_numbers(mean),
                       high=_numbers(mean + std)))  # fmt: skip
    limit = np.finfo(np.float32).max
    if (np.abs(x) > limit).any():
        raise ValueError(tr("The table holds numbers that are too large for float32."))
    return Inputs(x.astype("<f4"), tuple(wanted), tuple(says), mean, std, table.labels)


def columns_of_table(table: Table, names: Sequence[str]) -> np.ndarray:
    """Some columns of a table, ``(L, F)`` float64, in this order.

    Raises:
        ValueError: one that there is not.
    """
    unknown = [name for name in names if name not in table.names]
    if unknown:
        raise ValueError(tr("The table has no column {name}; it has {known}.", name=shown(unknown[0]),
                            known=_some(table.names)))  # fmt: skip
    return table.values[:, [table.names.index(name) for name in names]]


def sequences_in(table: Table) -> dict[str, np.ndarray]:
    """By name, the columns that may tell sequences of a table apart, and the rows on which these begin.

    Where its file tells them apart, that is all, without a name. Such a column holds whole numbers, each of them in one
    run of rows, and on average two rows or more.
    """
    if table.starts is not None:
        return {"": table.starts}
    found = {}
    for name, values in zip(table.names, table.values.T, strict=True):
        starts = np.flatnonzero(np.diff(values, prepend=np.nan) != 0)
        once = 2 <= len(starts) <= len(values) // 2 and len(np.unique(values)) == len(starts)
        if once and (values == np.round(values)).all():
            found[name] = starts
    return found


def one_sequence(table: Table, starts: np.ndarray, number: int) -> Table:
    """The rows of one sequence of a table; ``starts`` are those on which its sequences begin."""
    some = slice(*[*starts, len(table.values)][number : number + 2])
    return replace(table, values=table.values[some], labels=table.labels and table.labels[some])


def first_columns(table: Table, size: int, apart: str) -> list[str]:
    """The first `size` columns of a table, but not `apart`, which tells its sequences apart; none where nothing does:
    then :func:`inputs_of_table` chooses."""
    return [name for name in table.names if name != apart][:size] if apart else []


def scaled(
    x: np.ndarray, *, standardise: bool = False, to_range: bool = False
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Columns ``(L, F)`` brought to one scale, what was taken off each, and what the rest was divided by."""
    if not (standardise or to_range):
        return x, None, None
    off, by = (x.mean(0), x.std(0)) if standardise else (x.min(0), np.ptp(x, axis=0))
    return (x - off) / np.where(by > 0, by, 1.0), off, by


def inputs_of_text(text: str, size: int) -> Inputs:
    """A text, one character a step; each character lights one input, in the order of the alphabet.

    Raises:
        ValueError: no text, or more different characters than inputs.
    """
    alphabet = sorted(set(text))
    if not text:
        raise ValueError(tr("The text is empty."))
    if len(alphabet) > size:
        raise ValueError(
            tr("Different characters in the text: {count}; the network takes {size}.", count=len(alphabet),
               size=counted.inputs(size))
        )  # fmt: skip
    x = np.zeros((len(text), size), "<f4")
    x[np.arange(len(text)), [alphabet.index(letter) for letter in text]] = 1
    says = tr(
        "Each character lights one input, in the order of the alphabet: {letters}. The file of the network does not "
        "say which character is which input.",
        letters=" ".join(map(repr, alphabet[:40])),
    )
    names = (*map(repr, alphabet), *(str(k) for k in range(len(alphabet), size)))
    return Inputs(x, names, (says,), labels=tuple(text))


def inputs_of_ids(ids: np.ndarray, table: np.ndarray, name: str) -> Inputs:
    """Ids of tokens through the embedding that stands before a network.

    Args:
        ids: whole numbers ``(L,)``.
        table: the embedding ``(V, F)``, float32.
        name: what it is called in the file.

    Raises:
        ValueError: another number than from 0 to V − 1.
    """
    wrong = np.flatnonzero((ids != np.round(ids)) | (ids < 0) | (ids >= len(table)))
    if len(wrong):
        raise ValueError(
            tr("Step {step} holds {value}; ids of the embedding {name} are whole numbers from 0 to {last}.",
               step=int(wrong[0]), value=f"{ids[wrong[0]]:g}", name=brief(name), last=len(table) - 1)
        )  # fmt: skip
    whole = ids.astype(int)
    says = tr(
        "The numbers are ids of tokens; each was looked up in the embedding {name} of the file.", name=brief(name)
    )
    labels = tuple(map(str, whole.tolist()))
    return Inputs(table[whole], tuple(map(str, range(table.shape[1]))), (says,), labels=labels)


def ids_of_text(text: str, count: int, name: str) -> np.ndarray:
    """The ids of a text's bytes, for an embedding of bytes; another one's are not known.

    Args:
        text: the text.
        count: the rows of the embedding.
        name: what it is called in the file.

    Raises:
        ValueError: it is not of 128 or 256 rows, or the text holds what such a one has not.
    """
    data = text.encode("utf-8", "replace")
    if count not in (128, 256) or max(data, default=0) >= count:
        raise ValueError(
            tr("The network takes ids of tokens, by the embedding {name} of {count}; which character or word has which "
               "id is not in the file. Bring a table with a column of ids.", name=brief(name), count=count)
        )  # fmt: skip
    return np.frombuffer(data, np.uint8).astype(float)


def text_of(data: bytes) -> str:
    """A text out of a file.

    Raises:
        ValueError: it is not written in UTF-8.
    """
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise ValueError(tr("The text must be written in UTF-8.")) from None


@dataclass(frozen=True, eq=False)
class Look:
    """A part of a run.

    Attributes:
        trace: of the steps that are kept.
        first: the first of them.
        every: 1, or k where one of every k steps is kept.
        says: what of the run this is; empty where it is all of it.
    """

    trace: Trace
    first: int = 0
    every: int = 1
    says: Sentence | str = ""


def look(
    file: NetworkFile, stack: Stack, x: np.ndarray, *, most: int = 2000, first: int = 0, whole: bool = False,
    answers: dict[str, Any] | None = None,
) -> Look:  # fmt: skip
    """Run a stack over data and keep what can be drawn.

    Args:
        file, stack: the network.
        x: what the network takes ``(L, F)``; it passes through the stacks that come before this one.
        most: steps to keep.
        first: the first step to keep; the steps before it are run and not kept.
        whole: keep one of every k steps of all instead, so that no more than `most` are left.
        answers: as in :meth:`NetworkFile.module`.

    Raises:
        ValueError: data that the network cannot take.
    """
    whole_network = file.whole(stack, readout=False, **(answers or {}))
    return Run(whole_network, x).look(most=most, first=first, whole=whole)


class Run:
    """A network over data, of which any part can be looked at; what was run once is not run again.

    Args:
        network: as :meth:`seqviz.NetworkFile.whole` gives it; its last layer is looked at.
        x: what it takes ``(L, F)``.
    """

    def __init__(self, network: Whole, x: np.ndarray) -> None:
        self.network, self.module, self.steps = network, network.last, len(x)
        self.given = torch.from_numpy(np.ascontiguousarray(x, "<f4"))[:, None]
        self._took: torch.Tensor | None = None
        self._marks: dict[int, Any] = {0: None}
        self._all: Trace | None = None

    def look(self, *, most: int = 2000, first: int = 0, whole: bool = False) -> Look:
        """As much of the run as can be drawn; the arguments are those of :func:`look`.

        Raises:
            ValueError: a run that is too long for a network that also runs backwards.
        """
        if self.module.bidirectional and self.steps > MAX_WHOLE:
            raise ValueError(
                tr("A network that also runs backwards is looked at over at most {steps}.",
                   steps=counted.steps(MAX_WHOLE))
            )  # fmt: skip
        if self.steps <= most:
            return Look(_captured(self.module, self.took, None))
        if whole:
            return self._sampled(most)
        first = max(0, min(first, self.steps - 1))
        if self.module.bidirectional:
            trace = self._both_ways().sel(step=slice(first, first + most))
        else:
            trace = _captured(self.module, self.took[first : first + most], self._state(first))
        return Look(trace, first, 1, _window(first, most, self.steps))

    @property
    def took(self) -> torch.Tensor:
        """What the layer takes: the input through the layers before it."""
        if self._took is None:
            with torch.no_grad():
                self._took = self.network.fed(self.given)
        return self._took

    def _both_ways(self) -> Trace:
        """All of a run that needs its end for its beginning; kept where it is small."""
        if self._all is not None:
            return self._all
        trace = _captured(self.module, self.took, None)
        if sum(array.size for array in trace.arrays.values()) <= MOST_KEPT:
            self._all = trace
        return trace

    def _state(self, step: int) -> Any:
        """The state before a step, from the last place before it whose state is known."""
        start = max(mark for mark in self._marks if mark <= step)
        state = self._marks[start]
        while start < step:
            stop = min(step, start - start % CHUNK + CHUNK)
            state = _state_after(self.module, self.took[start:stop], state)
            start = stop
            if start % CHUNK == 0:
                self._marks[start] = state
        return state

    def _sampled(self, most: int) -> Look:
        """One of every k steps, a chunk in memory at a time."""
        x = self.took[:MAX_WHOLE]
        every = -(-len(x) // most)
        parts: list[Trace] = []
        state = None
        if self.module.bidirectional:
            parts = [self._both_ways().sel(step=slice(0, None, every))]
        else:
            chunk = max(CHUNK // every, 1) * every
            for part in x.split(chunk):
                parts.append(_captured(self.module, part, state).sel(step=slice(0, None, every)))
                state = _state_after(self.module, part, state)
        says = _one_in(every, len(x))
        if len(x) < self.steps:
            says = tr("{says} The other steps were left out.", says=says)
        return Look(_joint(parts), 0, every, says)


def look_at_trace(trace: Trace, *, most: int = 2000, first: int = 0, whole: bool = False) -> Look:
    """As much of a saved run as can be drawn; the arguments are those of :func:`look`."""
    steps = len(trace[trace.signals[0]])
    if steps <= most:
        return Look(trace)
    if whole:
        every = -(-steps // most)
        return Look(trace.sel(step=slice(0, None, every)), 0, every, _one_in(every, steps))
    first = max(0, min(first, steps - 1))
    return Look(trace.sel(step=slice(first, first + most)), first, 1, _window(first, most, steps))


def _window(first: int, most: int, steps: int) -> Sentence:
    last = min(first + most, steps) - 1
    return tr("Steps {first:,} to {last:,} of {steps:,} are shown.", first=first, last=last, steps=steps)


def _one_in(every: int, steps: int) -> Sentence:
    return tr("Of {steps}, one in {every} is shown.", steps=counted.steps(steps), every=every)


def _captured(module: Any, x: torch.Tensor, state: Any) -> Trace:
    return capture(module, x.transpose(0, 1) if module.batch_first else x, state)


def _joint(parts: list[Trace]) -> Trace:
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    lengths = {prefix: (len(arrays["x"]),) for prefix in parts[0].all_lengths}
    return Trace(
        arrays, parts[0].initial, max(part.parity for part in parts), parts[0].modes, lengths, parts[0].problem
    )


def _state_after(module: Any, x: torch.Tensor, state: Any) -> Any:
    with torch.no_grad():
        return module(x.transpose(0, 1) if module.batch_first else x, state)[1]


def _some(names: Sequence[str]) -> str:
    return ", ".join(shown(name) for name in names[:_LISTED]) + (", …" if len(names) > _LISTED else "")


def _numbers(values: np.ndarray) -> str:
    return ", ".join(f"{value:.4g}" for value in values[:_LISTED]) + (", …" if len(values) > _LISTED else "")
