"""How one step passes a small change of the state on: the Jacobian ``d s_t / d s_{t-1}``, from the gates alone.

The derivatives of the documented lines of torch's layers,
https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html and its GRU and RNN pages. The state s is h, and
(h, c) for an LSTM, of one layer, direction and batch element; the layer's input is held fixed. Steps are in the
order of processing: for a reverse direction index 0 is the last step of the sequence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from torch import nn

from seqviz.capture import FEED_FORWARD, capture
from seqviz.capture.direct import direct
from seqviz.cells import Cell, road
from seqviz.cells.layer import CellLayer
from seqviz.cells.ran import Ran
from seqviz.cells.step import Weights, parts
from seqviz.experiment.interventions import Intervention
from seqviz.gradients.gains import gains_of
from seqviz.language import tr
from seqviz.networks.layers import cell_of, layer_weights, step_cell
from seqviz.trace import Trace, no_layer

__all__ = ["as_it_ran", "jacobians_of", "overflow_of", "step_jacobians"]

Array = np.ndarray


def overflow_of(ran: Ran) -> str:
    """A sentence if a run left the finite numbers, else empty."""
    bad = np.zeros(ran.steps, dtype=bool)
    for values in ran.signals.values():
        bad |= ~np.isfinite(values).all(axis=(1, 2))
    if not bad.any():
        return ""
    return tr("The network overflowed at step {step}: it has no Jacobians from there.", step=int(bad.argmax()))


def jacobians_of(ran: Ran, index: Any = slice(None)) -> Array:
    """``d s_t / d s_{t-1}`` of the chosen steps of a run with N = 1, ``(len(index), S, S)``."""
    some = ran.at(index)
    with np.errstate(over="ignore", invalid="ignore"):  # `overflow_of` says so
        if some.cell.roads.jacobians:
            found: Array = some.cell.roads.jacobians(some)
            return found
        return road.jacobians(road.Values(some.cell, some.nodes.weights, some.nodes), gains=some.gains)


def as_it_ran(
    module: nn.Module,
    x: Any,
    hx: Any,
    trace: Trace | None,
    where: tuple[int, int, bool],
    interventions: Iterable[Intervention] = (),
) -> tuple[Ran, Trace]:
    """Run the module, unless its trace is given, and pick the layer, batch element (N = 1) and direction `where`.

    The one value that Jacobians, highway, exponents and closed forms are made of, in float64.

    Raises:
        ValueError: several recurrent modules, a projection, or a layer, direction or batch element that is not there;
            interventions with a trace that lacks what is before the squashing; a module that changes the state between
            its steps.
    """
    if isinstance(module, Trace):
        raise ValueError(tr("A trace has no weights: give the module first, and its trace as trace=."))
    edits = tuple(interventions)
    if trace is None:
        trace = capture(module, x, hx, edits, detail=bool(edits) or _drops_out(module))
    if (count := len(trace.modes)) != 1:
        raise ValueError(tr("Jacobians need one recurrent module, called once; this trace has {count}.", count=count))
    (mode,) = trace.modes.values()
    rnn = _recurrent(module)
    if mode == FEED_FORWARD:
        raise ValueError(tr("The network has no recurrent state, so it has no Jacobians through time."))
    if rnn is None:
        raise ValueError(tr("The module has no nn.RNN, nn.GRU or nn.LSTM, and none of their cells."))
    if getattr(rnn, "proj_size", 0):
        raise ValueError(tr("Jacobians of an LSTM with a projection are not available; its gradient flow is."))
    ran = _ran(rnn, trace, where, edits)
    if not direct(module):
        _check_steps(ran, {edit.signal.split(".")[-1] for edit in edits}, trace.parity)
    return ran, trace


def _check_steps(ran: Ran, edited: set[str], parity: float) -> None:
    """Refuse a run whose steps do not follow each other by the module's own weights alone.

    Raises:
        ValueError: they do not.
    """
    products = [name for name in ran.signals if name.endswith("_hh") and name not in edited]
    again = replace(ran, signals={}).nodes
    for name in products or ([] if edited else ["h"]):
        was = ran.signals[name]
        gap, size = np.abs(again[ran.cell.where[name]] - was), np.abs(was)
        known = np.isfinite(gap) & np.isfinite(size)
        if (gap[known] > max(1e-3, 30 * parity) * size[known].max(initial=1.0)).any():
            raise ValueError(
                tr(
                    "The module changes the state between its steps, or runs with other weights than its own: there is "
                    "no Jacobian from one step to the next. gradient_flow takes it as it is."
                )
            )


def _recurrent(module: nn.Module) -> Any:
    return next((m for m in module.modules() if isinstance(m, nn.RNNBase | CellLayer | nn.RNNCellBase)), None)


def _drops_out(module: nn.Module) -> bool:
    """Whether what a deeper layer took in is not what the one below it gave."""
    rnn = _recurrent(module)
    return bool(getattr(rnn, "dropout", 0) and rnn.training)


def _ran(rnn: Any, trace: Trace, where: tuple[int, int, bool], edits: tuple[Intervention, ...]) -> Ran:
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

    alone = isinstance(rnn, nn.RNNCellBase)
    cell: Cell = step_cell(rnn) if alone else cell_of(rnn)
    known = cell.hooks(detail=True)
    signals = {name: of(f"{end}.{name}") for name in known if f"{end}.{name}" in trace}
    if (edits or _drops_out(rnn)) and len(signals) < len(known):
        raise ValueError(
            tr("Jacobians of a run with interventions or dropout need its trace with detail=True, or no trace.")
        )
    first = {s: trace.initial[f"{end}.{s}"][None, batch : batch + 1].astype(np.float64) for s in cell.states}
    before = {name: np.concatenate([first[name], signals[name][:-1]]) for name in first}
    below = ["x"] if not layer else [n for n in (f"l{layer - 1}.h", f"l{layer - 1}_reverse.h") if n in trace]
    given = np.concatenate([of(name) for name in below], axis=2)
    widths = {name: trace[name].shape[2] for name in trace}
    gains = {name: gain[:steps][way] for name, gain in gains_of(edits, end, len(trace["x"]), widths).items()}
    tensors = parts(
        Weights(rnn.weight_ih, rnn.weight_hh, rnn.bias_ih, rnn.bias_hh) if alone else layer_weights(rnn, layer, reverse)
    )
    weights = {name: tensor.numpy(force=True).astype(np.float64) for name, tensor in tensors.items()}
    return Ran(cell, given, signals, before, weights, None, gains or None)


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
    return jacobians_of(as_it_ran(module, x, hx, trace, (layer, batch, reverse), interventions)[0])
