"""A person's data through a network that they brought: columns to inputs, and as much of a run as can be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch

from seqviz import counted
from seqviz.capture import capture
from seqviz.checks import shown
from seqviz.language import Sentence, tr
from seqviz.reading import Table
from seqviz.reading.networks import NetworkFile, Stack
from seqviz.trace import Trace

__all__ = ["MAX_WHOLE", "Inputs", "Look", "inputs_of_table", "inputs_of_text", "look", "look_at_trace"]

MAX_WHOLE: Final = 200_000
"""Steps of which every k-th is kept; of more the first so many."""

CHUNK: Final = 4096

_LISTED: Final = 8


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a network is given.

    Attributes:
        x: float32 ``(L, F)``.
        names: of the inputs.
        says: what was done to the data, a sentence each.
        mean, std: of each column, where they were taken off and divided by; else None.
        labels: of the steps.
    """

    x: np.ndarray
    names: tuple[str, ...]
    says: tuple[Sentence, ...] = ()
    mean: np.ndarray | None = None
    std: np.ndarray | None = None
    labels: tuple[str, ...] | None = None


def inputs_of_table(table: Table, size: int, columns: Sequence[str] = (), *, standardise: bool = False) -> Inputs:
    """The columns of a table as the inputs of a network, in their order.

    Args:
        table: as :func:`seqviz.read_table` gives it.
        size: how many inputs the network takes.
        columns: which ones; the first so many unless given.
        standardise: take each column's mean off and divide by its standard deviation over the table; a column that
            never changes becomes zeros.

    Raises:
        ValueError: too few or too many columns, or one that there is not.
    """
    wanted = list(columns) or list(table.names[:size])
    unknown = [name for name in wanted if name not in table.names]
    if unknown:
        raise ValueError(tr("The table has no column {name}; it has {known}.", name=shown(unknown[0]),
                            known=_some(table.names)))  # fmt: skip
    if len(wanted) != size:
        raise ValueError(
            tr("The network takes {size}, and {columns} of the table were chosen: {names}.", size=counted.inputs(size),
               columns=counted.columns(len(wanted)), names=_some(wanted))
        )  # fmt: skip
    x = table.values[:, [table.names.index(name) for name in wanted]]
    says, mean, std = [], None, None
    if len(table.names) > size and not columns:
        says.append(tr("The table has more columns than the network has inputs; the first ones were taken: {names}.",
                       names=_some(wanted)))  # fmt: skip
    if standardise:
        mean, std = x.mean(0), x.std(0)
        x = (x - mean) / np.where(std > 0, std, 1.0)
        says.append(tr("Each column was standardised: mean {mean}, standard deviation {std}.", mean=_numbers(mean),
                       std=_numbers(std)))  # fmt: skip
    limit = np.finfo(np.float32).max
    if (np.abs(x) > limit).any():
        raise ValueError(tr("The table holds numbers that are too large for float32."))
    return Inputs(x.astype("<f4"), tuple(wanted), tuple(says), mean, std, table.labels)


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
    module = file.module(stack, **(answers or {}))
    steps, given = len(x), torch.from_numpy(np.ascontiguousarray(x))[:, None]
    took = file.fed(stack, given)
    took = took.flip(0) if stack.backwards else took
    if stack.bidirectional and steps > MAX_WHOLE:
        raise ValueError(
            tr("A network that also runs backwards is looked at over at most {steps}.", steps=counted.steps(MAX_WHOLE))
        )
    if steps <= most:
        return Look(_captured(module, took, None))
    if whole:
        return _sampled(module, took[:MAX_WHOLE], most, steps)
    first = max(0, min(first, steps - 1))
    if stack.bidirectional:
        trace = _captured(module, took, None).sel(step=slice(first, first + most))
    else:
        trace = _captured(module, took[first : first + most], _state(module, took[:first]))
    return Look(trace, first, 1, _window(first, most, steps))


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


def _state(module: Any, x: torch.Tensor) -> Any:
    """What a run ends in, of which no step is kept."""
    state = None
    with torch.no_grad():
        for part in x.split(CHUNK) if len(x) else ():
            _, state = module(part.transpose(0, 1) if module.batch_first else part, state)
    return state


def _sampled(module: Any, x: torch.Tensor, most: int, steps: int) -> Look:
    """One of every k steps, a chunk in memory at a time."""
    every = -(-len(x) // most)
    parts: list[Trace] = []
    state = None
    if module.bidirectional:
        parts = [_captured(module, x, None).sel(step=slice(0, None, every))]
    else:
        for start in range(0, len(x), CHUNK - CHUNK % every or every):
            part = x[start : start + (CHUNK - CHUNK % every or every)]
            trace = _captured(module, part, state)
            parts.append(trace.sel(step=slice(0, None, every)))
            state = _state_after(module, part, state)
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    lengths = {prefix: (len(arrays["x"]),) for prefix in parts[0].all_lengths}
    joint = Trace(
        arrays, parts[0].initial, max(part.parity for part in parts), parts[0].modes, lengths, parts[0].problem
    )
    says = _one_in(every, len(x))
    if len(x) < steps:
        says = tr("{says} The other steps were left out.", says=says)
    return Look(joint, 0, every, says)


def _state_after(module: Any, x: torch.Tensor, state: Any) -> Any:
    with torch.no_grad():
        return module(x.transpose(0, 1) if module.batch_first else x, state)[1]


def _some(names: Sequence[str]) -> str:
    return ", ".join(shown(name) for name in names[:_LISTED]) + (", …" if len(names) > _LISTED else "")


def _numbers(values: np.ndarray) -> str:
    return ", ".join(f"{value:.4g}" for value in values[:_LISTED]) + (", …" if len(values) > _LISTED else "")
