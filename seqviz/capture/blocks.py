"""A run too long for memory, in blocks of steps: each is captured, written to a folder, and forgotten."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable
from os import PathLike
from pathlib import Path
from typing import Any, Final

from torch import nn

from seqviz.capture.bothways import BothWays
from seqviz.capture.found import LAYERS
from seqviz.capture.longrun import OneWay, Rows
from seqviz.checks import listed, shown, whole
from seqviz.folders import is_folder
from seqviz.language import later, tr
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

    A bidirectional module is gone over once for each layer and direction, the reverse directions from the end of the
    sequence; a layer above the first reads what the one below has written. The module itself is called for one step
    alone, which tells the weights that it computes with. Its steps are whole, and can be opened while the rest is
    missing, when the last of these passes has come to them.

    Args:
        module: an ``nn.RNN``, ``nn.GRU`` or ``nn.LSTM``, or one of our networks.
        x: the input as the module takes it, a tensor or an array of numpy, which may lie on disk (``np.memmap``);
            its steps are taken a block at a time.
        path: the folder to write to; without one, a temporary folder that goes with the trace.
        block: steps of a block.
        hx: the state before the first step.
        detail: also write the signals before the squashing.
        signals: the names of those to write; all by default.
        progress: called with the steps done and the steps there are, before the first block and after each; over
            several passes with their mean.
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
    rows = Rows(_layer(module), x, hx)
    kind = BothWays if rows.layer.bidirectional else OneWay
    block = whole(block, later("The steps of a block"), 1, 10**9)
    wanted = None if signals is None else listed(signals, later("The signals"))
    if path is None:
        folder = Path(tempfile.mkdtemp(prefix="seqviz-"))
        try:
            trace = kind(module, rows, folder, block, detail, wanted).over(progress, stop, resume=False)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        weakref.finalize(trace, shutil.rmtree, str(folder), True)
        return trace
    folder = path_of(path)
    if folder.exists() and not is_folder(folder) and (not folder.is_dir() or any(folder.iterdir())):
        says = later("{path} holds something else than a trace; choose a folder that is empty or not there.")
        raise ValueError(tr(says, path=shown(str(folder))))
    return kind(module, rows, folder, block, detail, wanted).over(progress, stop, resume)


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
    if layer.dropout and layer.training and layer.num_layers > 1:
        raise ValueError(tr("The layer drops units out at random between its layers; call module.eval() first."))
    return layer
