"""How one step passes a small change of the state on: the Jacobian ``d s_t / d s_{t-1}``, from the gates alone.

The derivatives of the documented lines of torch's layers,
https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html and its GRU and RNN pages. The state s is h, and
(h, c) for an LSTM, of one layer, direction and batch element; the layer's input is held fixed. Steps are in the
order of processing: for a reverse direction index 0 is the last step of the sequence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from seqviz import vocabulary as words
from seqviz.capture import capture
from seqviz.cells import signal_names
from seqviz.experiment.interventions import Intervention
from seqviz.gradients.gains import gains_of
from seqviz.gradients.slopes import LayerRun, gru_slopes, lstm_slopes, rnn_slope, to_products
from seqviz.language import tr
from seqviz.trace import Trace, no_layer

__all__ = ["Run", "read_run", "step_jacobians"]

Array = np.ndarray


@dataclass(frozen=True)
class Run:
    """One layer, direction and batch element as it ran: a :class:`LayerRun` with N = 1, in float64."""

    layer: LayerRun

    @property
    def mode(self) -> str:
        """torch's name of the cell."""
        return self.layer.mode

    @property
    def steps(self) -> int:
        """How many there were."""
        return len(self.layer.h_before)

    @property
    def size(self) -> int:
        """The number of units."""
        return self.layer.w_hh.shape[1]

    @property
    def problem(self) -> str:
        """A sentence if the run left the finite numbers, else empty."""
        bad = np.zeros(self.steps, dtype=bool)
        for values in self.layer.signals.values():
            bad |= ~np.isfinite(values).all(axis=(1, 2))
        if not bad.any():
            return ""
        return tr("The network overflowed at step {step}: it has no Jacobians from there.", step=int(bad.argmax()))

    def jacobians(self, index: Any = slice(None)) -> Array:
        """``d s_t / d s_{t-1}`` of the chosen steps, ``(len(index), S, S)``."""
        run = self.layer.at(index)
        with np.errstate(over="ignore", invalid="ignore"):  # `problem` says so
            return {words.LSTM: _lstm, words.GRU: _gru}.get(self.mode, _rnn)(run)


def read_run(
    module: nn.Module,
    x: Any,
    hx: Any,
    trace: Trace | None,
    where: tuple[int, int, bool],
    interventions: Iterable[Intervention] = (),
) -> tuple[Run, Trace]:
    """Run the module, unless its trace is given, and pick the layer, batch element and direction `where`.

    Raises:
        ValueError: several recurrent modules, a projection, or a layer, direction or batch element that is not there;
            interventions with a trace that lacks what is before the squashing.
    """
    if isinstance(module, Trace):
        raise ValueError(tr("A trace has no weights: give the module first, and its trace as trace=."))
    edits = tuple(interventions)
    if trace is None:
        trace = capture(module, x, hx, edits, detail=bool(edits) or _drops_out(module))
    if (count := len(trace.modes)) != 1:
        raise ValueError(tr("Jacobians need one recurrent module, called once; this trace has {count}.", count=count))
    (mode,) = trace.modes.values()
    if mode not in words.CELLS:
        raise ValueError(tr("The network has no recurrent state, so it has no Jacobians through time."))
    return Run(_layer_run(module, trace, mode, where, edits)), trace


def _recurrent(module: nn.Module) -> Any:
    return next((m for m in module.modules() if isinstance(m, nn.RNNBase)), None)


def _drops_out(module: nn.Module) -> bool:
    """Whether what a deeper layer took in is not what the one below it gave."""
    rnn = _recurrent(module)
    return rnn is not None and bool(rnn.dropout and rnn.training)


def _layer_run(
    module: nn.Module, trace: Trace, mode: str, where: tuple[int, int, bool], edits: tuple[Intervention, ...]
) -> LayerRun:
    layer, batch, reverse = where
    end = f"l{layer}{'_reverse' if reverse else ''}"
    if f"{end}.h" not in trace:
        raise ValueError(no_layer(layer, reverse))
    lengths = trace.lengths_of(f"{end}.h")
    if not 0 <= batch < len(lengths):
        last = len(lengths) - 1
        raise ValueError(tr("There are batch elements 0 to {last}; {batch} does not exist.", last=last, batch=batch))
    steps, way = lengths[batch], slice(None, None, -1 if reverse else 1)

    def of(name: str) -> Array:
        return trace[name][:steps, batch : batch + 1].astype(np.float64, copy=False)[way]

    known = signal_names(mode, detail=True)
    signals = {name: of(f"{end}.{name}") for name in known if f"{end}.{name}" in trace}
    if (edits or _drops_out(module)) and len(signals) < len(known):
        raise ValueError(
            tr("Jacobians of a run with interventions or dropout need its trace with detail=True, or no trace.")
        )
    first = {
        name: trace.initial[f"{end}.{name}"][None, batch : batch + 1].astype(np.float64)
        for name in "hc"[: 1 + ("c" in signals)]
    }
    before = {name: np.concatenate([first[name], signals[name][:-1]]) for name in first}
    below = ["x"] if not layer else [n for n in (f"l{layer - 1}.h", f"l{layer - 1}_reverse.h") if n in trace]
    given = np.concatenate([of(name) for name in below], axis=2)
    widths = {name: trace[name].shape[2] for name in trace}
    gains = {name: gain[:steps][way] for name, gain in gains_of(edits, end, len(trace["x"]), widths).items()}
    weights = _weights(module, end)
    return LayerRun(
        mode, given, signals, before["h"], before.get("c"), None, weights["weight_ih"], weights["weight_hh"],
        weights.get("bias_hh"), None, weights.get("bias_ih"), gains or None,
    )  # fmt: skip


def _weights(module: nn.Module, end: str) -> dict[str, Array]:
    rnn = _recurrent(module)
    if rnn is None:
        raise ValueError(tr("The module has no nn.RNN, nn.GRU or nn.LSTM."))
    if rnn.proj_size:
        raise ValueError(tr("Jacobians of an LSTM with a projection are not available; its gradient flow is."))
    tensors = {part: getattr(rnn, f"{part}_{end}", None) for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
    return {part: t.detach().cpu().numpy().astype(np.float64) for part, t in tensors.items() if t is not None}


def step_jacobians(
    module: nn.Module,
    x: Any,
    hx: Any = None,
    *,
    trace: Trace | None = None,
    layer: int = 0,
    batch: int = 0,
    reverse: bool = False,
    interventions: Iterable[Intervention] = (),
) -> Array:
    """``d s_t / d s_{t-1}`` at every step, ``(L, S, S)`` float64: s is h, and (h, c) for an LSTM.

    Args:
        module: a network or layer with one recurrent stack.
        x, hx: its input, as for :func:`seqviz.capture`; not run again where `trace` is given.
        trace: its run, if there is one already.
        layer, batch, reverse: which state; in a deeper layer the output of the layer below is held fixed.
        interventions: edits of the run, as for :func:`seqviz.capture`. States are those after their edits, so
            that one that is held has no derivative. A given `trace` must be the edited run's, with ``detail=True``.

    Raises:
        ValueError: no such state, several recurrent modules, or an LSTM with a projection.
    """
    return read_run(module, x, hx, trace, (layer, batch, reverse), interventions)[0].jacobians()


def _rnn(run: LayerRun) -> Array:
    return to_products(run, rnn_slope(run))[:, 0, :, None] * run.w_hh


def _gru(run: LayerRun) -> Array:
    s = gru_slopes(run)
    to_hh = to_products(run, np.stack([s.r, s.z, s.n_hh], axis=2))[:, 0]
    found = np.add.reduce([to_hh[:, k, :, None] * block for k, block in enumerate(np.split(run.w_hh, 3))])
    diagonal = np.arange(found.shape[1])
    found[:, diagonal, diagonal] += s.keep[:, 0]
    return found


def _lstm(run: LayerRun) -> Array:
    s = lstm_slopes(run)
    to_hh = to_products(run, np.stack([s.i, s.f, s.g, s.o], axis=2))[:, 0]
    *into_c, out = (to_hh[:, k, :, None] * block for k, block in enumerate(np.split(run.w_hh, 4)))
    show, keep, c_h = s.show[:, 0], s.keep[:, 0], np.add.reduce(into_c)
    steps, size = keep.shape
    found = np.zeros((steps, 2 * size, 2 * size))
    found[:, :size, :size] = out + show[:, :, None] * c_h
    found[:, size:, :size] = c_h
    diagonal = np.arange(size)
    found[:, diagonal, size + diagonal] = show * keep
    found[:, size + diagonal, size + diagonal] = keep
    return found
