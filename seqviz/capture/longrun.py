"""A run in blocks of steps, into a folder: what it is given, how it goes on where it was, and one direction of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from seqviz.capture.reconstruct import worst
from seqviz.capture.run import captured
from seqviz.cells.taken import check_form
from seqviz.checks import shown
from seqviz.folders import About, Writer, is_folder, open_arrays, read_about
from seqviz.language import later, tr
from seqviz.networks.layers import cell_of, check_input, layer_names, states_of
from seqviz.trace import Trace

__all__ = ["OneWay", "Rows", "Run", "digest", "stacked"]


class Rows:
    """The input and the first state of a layer, a block of steps at a time, always with a batch."""

    def __init__(self, layer: Any, x: Any, hx: Any) -> None:
        if not isinstance(x, Tensor | np.ndarray) or not x.ndim:
            raise ValueError(
                tr(
                    "The input must be a tensor or an array of numpy, with all steps; got {kind}.",
                    kind=type(x).__name__,
                )
            )
        if isinstance(x, Tensor):
            check_form(x)
        self.layer, self.x = layer, x
        self.device = next(layer.parameters()).device
        self.axis = 1 if layer.batch_first and x.ndim == 3 else 0
        self.steps = int(x.shape[self.axis])
        check_input(layer, self.block(0, 1) if x.ndim == 3 else self._taken(slice(0, 1)), hx)
        self.batch = int(x.shape[1 - self.axis]) if x.ndim == 3 else 1
        self.states = None if hx is None else tuple(s if s.dim() == 3 else s.unsqueeze(1) for s in states_of(layer, hx))

    def block(self, start: int, stop: int) -> Tensor:
        """Those steps, in the layer's own layout, with a batch."""
        taken = self._taken(slice(start, stop))
        return taken if taken.dim() != 2 else taken.unsqueeze(0 if self.layer.batch_first else 1)

    def _taken(self, steps: slice) -> Tensor:
        part: Any = self.x[:, steps] if self.axis else self.x[steps]
        if isinstance(part, Tensor):
            return part.detach()
        try:
            return torch.from_numpy(np.array(part)).to(self.device)
        except TypeError:
            raise ValueError(
                tr("The input must be of float32 or float64; got {dtype}.", dtype=str(part.dtype))
            ) from None


@dataclass
class Run:
    """One run in blocks, into a folder. A kind of it says how a block is made, and what has to be known for the next.

    Args:
        module: what is run.
        rows: what it is given.
        folder: where to.
        block: steps of a block.
        detail: whether the signals before the squashing are written too.
        wanted: the names of those that are written; None all of them.
    """

    module: nn.Module
    rows: Rows
    folder: Path
    block: int
    detail: bool
    wanted: tuple[Any, ...] | None

    def over(self, progress: Callable[[int, int], object] | None, stop: Callable[[], bool], resume: bool) -> Trace:
        """Every block that is not there yet, and then the trace."""
        tell = progress or (lambda done, steps: None)
        writer = self.resumed() if resume and is_folder(self.folder) else None
        steps = self.rows.steps
        try:
            tell(self.gone(writer.about) if writer else 0, steps)
            while (writer is None or writer.about.done < steps) and not stop():
                writer = self.go_on(writer)
                tell(self.gone(writer.about), steps)
        finally:
            if writer is not None:
                writer.close()
        if writer is None:
            raise ValueError(tr("The run was stopped before its first block; there is nothing to open."))
        return Trace.open(self.folder)

    def go_on(self, writer: Writer | None) -> Writer:
        """Run the next block and write it; the first makes the writer."""
        raise NotImplementedError

    def gone(self, about: About) -> int:
        """How many steps that is, of all."""
        return about.done

    def begun(self, about: About) -> bool:
        """Whether the folder holds a block."""
        return about.done > 0

    def known(self, about: About) -> bool:
        """Whether the folder holds the states that the next block begins from."""
        return not about.done or set(about.states) == set(about.initial)

    def seen(self, about: About) -> Iterator[Tensor]:
        """The blocks of the input that were looked at, in the order in which they were."""
        for start in range(0, about.done, about.block):
            yield self.rows.block(start, min(start + about.block, about.done))

    def writer(self, about: About) -> Writer:
        """What writes to the folder."""
        return Writer(self.folder, about)

    def described(self, widths: dict[str, int], dtype: Any, modes: Any, initial: Any) -> About:
        """The description of a run that begins.

        Raises:
            ValueError: a signal was asked for that there is not.
        """
        names = tuple(widths) if self.wanted is None else self.wanted
        for name in names:
            if not isinstance(name, str) or name not in widths:
                raise ValueError(
                    tr("There is no signal {name}. There are {known}.", name=shown(name), known=", ".join(widths))
                )
        return About(
            {name: widths[name] for name in names},
            np.dtype(dtype).newbyteorder("<").str,
            self.rows.steps,
            self.rows.batch,
            self.block,
            module=self.of_module(),
            source=self.of_options(),
            modes=dict(modes),
            initial=dict(initial),
        )

    def resumed(self) -> Writer | None:
        """What goes on with the run in the folder; None where that has not begun.

        Raises:
            ValueError: it is another run's, or damaged.
        """
        about, wrong = read_about(self.folder), ""
        open_arrays(self.folder, about)
        if about.module != self.of_module():
            wrong = later("The folder holds the run of another module; choose another folder, or give resume=False.")
        elif about.source != self.of_options():
            wrong = later("The folder holds a run with other options; choose another folder, or give resume=False.")
        elif not self.known(about):
            wrong = later("The folder is not a seqviz trace, or it is damaged.")
        elif about.seen != digested(self.seen(about)):
            wrong = later("The folder holds a run on another input; choose another folder, or give resume=False.")
        if wrong:
            raise ValueError(tr(wrong))
        return self.writer(about) if self.begun(about) else None

    def of_module(self) -> str:
        """A digest of the module."""
        return digest(repr(self.module), *self.module.state_dict().values())

    def of_options(self) -> str:
        """A digest of how it is run."""
        rows = self.rows
        return digest(self.block, bool(self.detail), self.wanted, rows.steps, rows.batch, *(rows.states or ()))


class OneWay(Run):
    """A layer in one direction, whose module is called once a block."""

    def go_on(self, writer: Writer | None) -> Writer:
        rows, done = self.rows, writer.about.done if writer else 0
        x = rows.block(done, min(done + self.block, rows.steps))
        hx = rows.states if writer is None else stacked(rows.layer, writer.about.states)
        trace = captured(self.module, x, hx if hx is None or len(hx) > 1 else hx[0], detail=self.detail, first=done)
        if writer is None:
            widths = {name: array.shape[2] for name, array in trace.arrays.items()}
            writer = self.writer(self.described(widths, trace[trace.signals[0]].dtype, trace.modes, trace.initial))
        about = writer.about
        writer.append(
            trace.arrays,
            parity=worst(about.parity, trace.parity),
            problem=str(about.problem or trace.problem),
            states={name: trace[name][-1] for name in trace.initial},
            seen=digest(about.seen, x),
        )
        return writer


def digest(*parts: Any) -> str:
    """Of texts, numbers and tensors, the numbers of those bit for bit."""
    made = hashlib.sha256()
    for part in parts:
        if isinstance(part, Tensor):
            array = np.ascontiguousarray(part.detach().numpy(force=True))
            made.update(f"{array.dtype}{array.shape}".encode())
            made.update(array.reshape(-1).view(np.uint8).data if array.size else b"")
        else:
            made.update(f"{part!r};".encode())
    return made.hexdigest()


def digested(blocks: Iterable[Tensor]) -> str:
    """Of the blocks of an input, one after the other; empty where there is none."""
    seen = ""
    for block in blocks:
        seen = digest(seen, block)
    return seen


def stacked(layer: Any, ends: dict[str, Any]) -> tuple[Tensor, ...]:
    """The states that a block ended in as the layer takes them: ``(K, N, H)`` each."""
    device = next(layer.parameters()).device
    names = [end for end, _, _ in layer_names(layer)]
    found = (np.stack([ends[f"{end}.{state}"] for end in names]) for state in cell_of(layer).states)
    return tuple(torch.from_numpy(states).to(device) for states in found)
