"""A run too long for memory, in blocks of steps: each is captured, written to a folder, and forgotten."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from seqviz.capture.found import LAYERS
from seqviz.capture.reconstruct import worst
from seqviz.capture.run import captured
from seqviz.checks import listed, shown, whole
from seqviz.folders import About, Writer, is_folder, open_arrays, read_about
from seqviz.language import later, tr
from seqviz.networks.layers import cell_of, check_input, layer_names, states_of
from seqviz.networks.modules import _Sequence
from seqviz.reading.files import path_of
from seqviz.trace import Trace

__all__ = ["BLOCK", "capture_blocks"]

BLOCK: Final = 4096
"""Steps of a block: enough to run at the speed of the whole, and a few MB for some hundred units."""


def capture_blocks(
    module: nn.Module,
    x: Any,
    path: str | PathLike[str] | None = None,
    *,
    block: int = BLOCK,
    hx: Any = None,
    detail: bool = False,
    signals: Iterable[str] | None = None,
    progress: Callable[[int, int], object] | None = None,
    stop: Callable[[], bool] = lambda: False,
    resume: bool = True,
) -> Trace:
    """Every signal of a sequence of any length, on disk, with no more than a block of it in memory.

    The states that a block ends in are those that the next one begins from, so that the numbers are
    :func:`seqviz.capture`'s of the whole up to rounding. ``module`` is called once a block, without gradients.

    Args:
        module: an ``nn.RNN``, ``nn.GRU`` or ``nn.LSTM`` or one of our networks, in one direction: a reverse
            direction begins at the end, which no block but the last one knows.
        x: the input as the module takes it, a tensor or an array of numpy, which may lie on disk (``np.memmap``);
            its steps are taken a block at a time.
        path: the folder to write to; without one, a temporary folder that goes with the trace.
        block: steps of a block.
        hx: the state before the first step.
        detail: also write the signals before the squashing.
        signals: the names of those to write; all by default.
        progress: called with the steps done and the steps there are, before the first block and after each.
        stop: asked before each block; once it says yes, the run ends with the blocks it has.
        resume: whether a run that was interrupted goes on from its last whole block. It must be of the same module,
            input and options, which digests tell; without it a trace in the folder is written anew.

    Returns:
        A :class:`~seqviz.Trace` whose arrays are mapped from the folder: ``trace["l0.f"][a:b]`` reads those steps
        alone. ``problem`` says where steps are missing. :meth:`seqviz.Trace.open` opens it again.

    Raises:
        ValueError: a module, input or state that this cannot take, a folder that holds something else; in one
            sentence that says what would be right.
    """
    rows = _Rows(_layer(module), x, hx)
    block = whole(block, later("The steps of a block"), 1, 10**9)
    wanted = None if signals is None else listed(signals, later("The signals"))
    if path is None:
        folder = Path(tempfile.mkdtemp(prefix="seqviz-"))
        try:
            trace = _Run(module, rows, folder, block, detail, wanted).over(progress, stop, resume=False)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        weakref.finalize(trace, shutil.rmtree, str(folder), True)
        return trace
    folder = path_of(path)
    if folder.exists() and not is_folder(folder) and (not folder.is_dir() or any(folder.iterdir())):
        says = later("{path} holds something else than a trace; choose a folder that is empty or not there.")
        raise ValueError(tr(says, path=shown(str(folder))))
    return _Run(module, rows, folder, block, detail, wanted).over(progress, stop, resume)


def _layer(module: Any) -> Any:
    """The recurrent layer of a module that can be run in blocks.

    Raises:
        ValueError: another module, or one whose blocks do not follow from each other.
    """
    layer: Any = module.rnn if isinstance(module, _Sequence) else module
    if not isinstance(layer, LAYERS):
        raise ValueError(
            tr(
                "{kind} cannot be run in blocks: give its nn.RNN, nn.GRU or nn.LSTM, with what that is given as input.",
                kind=type(module).__name__,
            )
        )
    if layer.bidirectional:
        raise ValueError(
            tr(
                "A bidirectional layer cannot be run in blocks: its reverse direction begins at the end. "
                "Give each direction as a layer of its own, the reverse one with the steps in reverse order."
            )
        )
    if layer.dropout and layer.training and layer.num_layers > 1:
        raise ValueError(tr("The layer drops units out at random between its layers; call module.eval() first."))
    return layer


class _Rows:
    """The input and the first state of a layer, a block of steps at a time, always with a batch."""

    def __init__(self, layer: Any, x: Any, hx: Any) -> None:
        if not isinstance(x, Tensor | np.ndarray) or not x.ndim:
            raise ValueError(
                tr(
                    "The input must be a tensor or an array of numpy, with all steps; got {kind}.",
                    kind=type(x).__name__,
                )
            )
        self.layer, self.x = layer, x
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
            return torch.from_numpy(np.array(part))
        except TypeError:
            raise ValueError(
                tr("The input must be of float32 or float64; got {dtype}.", dtype=str(part.dtype))
            ) from None


@dataclass
class _Run:
    """One run in blocks, into a folder."""

    module: nn.Module
    rows: _Rows
    folder: Path
    block: int
    detail: bool
    wanted: tuple[Any, ...] | None

    def over(self, progress: Callable[[int, int], object] | None, stop: Callable[[], bool], resume: bool) -> Trace:
        """Every block that is not there yet, and then the trace."""
        rows, tell = self.rows, progress or (lambda done, steps: None)
        writer, hx = None, rows.states
        if resume and is_folder(self.folder):
            about = self.before()
            if about.done:
                writer, hx = Writer(self.folder, about), _states(rows.layer, about.states)
        try:
            done = writer.about.done if writer else 0
            tell(done, rows.steps)
            while done < rows.steps and not stop():
                x = rows.block(done, min(done + self.block, rows.steps))
                given = hx if hx is None or len(hx) > 1 else hx[0]
                trace = captured(self.module, x, given, detail=self.detail, first=done)
                writer = writer or Writer(self.folder, self.about(trace))
                hx = self.write(writer, x, trace)
                done = writer.about.done
                tell(done, rows.steps)
        finally:
            if writer is not None:
                writer.close()
        if writer is None:
            raise ValueError(tr("The run was stopped before its first block; there is nothing to open."))
        return Trace.open(self.folder)

    def write(self, writer: Writer, x: Tensor, trace: Trace) -> tuple[Tensor, ...]:
        """Append a block, and give the states that the next one begins from."""
        about, ends = writer.about, {name: trace[name][-1] for name in trace.initial}
        writer.append(
            trace.arrays,
            parity=worst(about.parity, trace.parity),
            problem=str(about.problem or trace.problem),
            states=ends,
            seen=_digest(about.seen, x),
        )
        return _states(self.rows.layer, ends)

    def about(self, trace: Trace) -> About:
        """The description of a run that begins with this block."""
        names = trace.signals if self.wanted is None else self.wanted
        for name in names:
            if not isinstance(name, str) or name not in trace:
                raise ValueError(
                    tr("There is no signal {name}. There are {known}.", name=shown(name), known=", ".join(trace))
                )
        return About(
            {name: trace[name].shape[2] for name in names},
            trace[trace.signals[0]].dtype.newbyteorder("<").str,
            self.rows.steps,
            self.rows.batch,
            self.block,
            module=self.of_module(),
            source=self.of_options(),
            modes=dict(trace.modes),
            initial=dict(trace.initial),
        )

    def before(self) -> About:
        """The description of the run in the folder, which this one goes on with.

        Raises:
            ValueError: it is another run's, or damaged.
        """
        about, wrong = read_about(self.folder), ""
        open_arrays(self.folder, about)
        if about.module != self.of_module():
            wrong = later("The folder holds the run of another module; choose another folder, or give resume=False.")
        elif about.source != self.of_options():
            wrong = later("The folder holds a run with other options; choose another folder, or give resume=False.")
        elif about.done and set(about.states) != set(about.initial):
            wrong = later("The folder is not a seqviz trace, or it is damaged.")
        elif about.seen != self.of_input(about):
            wrong = later("The folder holds a run on another input; choose another folder, or give resume=False.")
        if wrong:
            raise ValueError(tr(wrong))
        return about

    def of_module(self) -> str:
        return _digest(repr(self.module), *self.module.state_dict().values())

    def of_options(self) -> str:
        rows = self.rows
        return _digest(self.block, bool(self.detail), self.wanted, rows.steps, rows.batch, *(rows.states or ()))

    def of_input(self, about: About) -> str:
        """The digest of the input of the steps that are done."""
        seen = ""
        for start in range(0, about.done, about.block):
            seen = _digest(seen, self.rows.block(start, min(start + about.block, about.done)))
        return seen


def _digest(*parts: Any) -> str:
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


def _states(layer: Any, ends: dict[str, Any]) -> tuple[Tensor, ...]:
    """The states that a block ended in as the layer takes them: ``(K, N, H)`` each."""
    device = next(layer.parameters()).device
    names = [end for end, _, _ in layer_names(layer)]
    stacked = (np.stack([ends[f"{end}.{state}"] for end in names]) for state in cell_of(layer).states)
    return tuple(torch.from_numpy(states).to(device) for states in stacked)
