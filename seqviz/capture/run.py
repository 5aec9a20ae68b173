"""Run a module once and keep every signal of its recurrent layers: :func:`capture`."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from seqviz import counted
from seqviz.capture.descent import can_follow
from seqviz.capture.direct import called, direct, run_straight
from seqviz.capture.found import LAYERS, recurrent_modules
from seqviz.capture.observe import as_array
from seqviz.capture.watch import Watch, names_ahead
from seqviz.cells.taken import check_form
from seqviz.checks import shown
from seqviz.experiment.interventions import Intervention, apply, validate
from seqviz.language import tr
from seqviz.networks.layers import check_input, module_widths, read_output
from seqviz.networks.modules import FeedForward, _Sequence
from seqviz.networks.readable import check_readable
from seqviz.trace import Trace

__all__ = ["FEED_FORWARD", "capture", "captured"]

FEED_FORWARD = "FEED_FORWARD"
"""What ``Trace.modes`` says of a :class:`~seqviz.networks.modules.FeedForward`."""


def capture(
    module: nn.Module,
    x: Any,
    hx: Any = None,
    interventions: Iterable[Intervention] = (),
    *,
    detail: bool = False,
    modules: str | Iterable[str] | None = None,
    kwargs: Mapping[str, Any] | None = None,
) -> Trace:
    """Run ``module`` once and return every signal of its recurrent layers.

    ``module`` is called as ``module(x)``, or ``module(x, hx)`` when ``hx`` is given, without gradients, and is left
    as that one call leaves it: same hooks, mode and parameters, and the random state as far on as the call takes it.
    An ``nn.LSTM`` in float32, or one of our networks of it, runs as it does with gradients on, which can differ from a
    run without them in the last bit.

    Args:
        module: one of our networks, an ``nn.RNN``, ``nn.GRU`` or ``nn.LSTM``, or any module that contains some of
            these or of their cells, ``nn.LSTMCell`` and so on.
        x: the input: ``(L, N, H_in)``, ``(N, L, H_in)`` with ``batch_first``, ``(L, H_in)`` or a ``PackedSequence``
            for a recurrent layer or one of our networks; for any other module whatever it takes.
        hx: the state before the first step, as torch's layers take it.
        interventions: edits of signals, with everything downstream of them recomputed, in the layer and in the
            module around it. Signals before the squashing (``l0.f_pre``, ``l0.f_ih``, ``l0.f_hh``) can be edited too.
        detail: also return those signals.
        modules: the names of the recurrent modules to look at, as in ``module.named_modules()``; all by default.
        kwargs: further keyword arguments for ``module``.

    Returns:
        A :class:`~seqviz.trace.Trace`. With one recurrent module its signals are ``x``, ``l0.i``, ...; with several
        each is under its module's name, ``encoder.l0.i``. Calls of one module that each start from the states in
        which the one before ended (in a loop over the steps also from what the model made of them, such as a
        normalised state) are one sequence, whose steps are in the order of the calls; other further calls in the
        same run are ``encoder[1]``, ``encoder[2]``, ... ``y`` is the output of one of our networks. Batch
        elements are in the caller's order and padding is 0.

        ``parity`` is the largest ``|recomputed - torch|`` over ``h`` at every step and the last ``c``. With
        interventions each step is computed on its own by torch's cell from the recorded state before it, and the
        units that an edit touches at that step are left out.

    Raises:
        ValueError: nothing recurrent to look at, an input or state of the wrong kind, or an intervention on a
            signal, unit or step that does not exist; the sentence names what does.
    """
    return captured(module, x, hx, interventions, detail=detail, modules=modules, kwargs=kwargs)


def captured(
    module: nn.Module,
    x: Any,
    hx: Any = None,
    interventions: Iterable[Intervention] = (),
    *,
    detail: bool = False,
    modules: str | Iterable[str] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    first: int = 0,
) -> Trace:
    """:func:`capture` of a part of a longer run, whose first step is called ``first`` in what ``problem`` says."""
    edits, keywords = as_edits(interventions), as_keywords(kwargs)
    if isinstance(module, FeedForward):
        return _capture_feed_forward(module, x, hx, edits)
    if not (edits or keywords or detail) and modules is None and direct(module):
        found = run_straight(module, x, hx)
        if found is not None:
            return found
    targets = recurrent_modules(module, modules)
    watch = Watch(targets, edits, detail=detail, alone=direct(module), first=first, follow=can_follow(module))
    check_ahead(module, watch, x, hx)
    with torch.no_grad():
        y = called(module, watch, x, hx, keywords)
    watch.check()
    return watch.trace(own_output(module, targets, y))


def as_edits(interventions: Any) -> tuple[Intervention, ...]:
    """The interventions as a tuple.

    Raises:
        ValueError: they are not several.
    """
    if not isinstance(interventions, Iterable) or isinstance(interventions, str):
        raise ValueError(tr("The interventions must be a list; got {given}.", given=shown(interventions)))
    return tuple(interventions)


def as_keywords(kwargs: Any) -> dict[str, Any]:
    """The further arguments as a dict.

    Raises:
        ValueError: they are no mapping of names.
    """
    if kwargs is None:
        return {}
    if not isinstance(kwargs, Mapping) or not all(isinstance(name, str) for name in kwargs):
        raise ValueError(tr("kwargs must be a dict of keyword arguments; got {given}.", given=shown(kwargs)))
    return dict(kwargs)


def check_ahead(module: nn.Module, watch: Watch, x: Any, hx: Any) -> None:
    """Refuse, before anything runs, what cannot be run, or edits of signals that no call can have.

    Raises:
        ValueError: with a sentence that says what would be right.
    """
    targets = watch.targets
    first = next(iter(targets.values()))
    if isinstance(module, (_Sequence, *LAYERS)) and isinstance(first, LAYERS):
        check_input(first, x, hx)
    if watch.edits:
        known: dict[str, int] = {}
        for path, target in targets.items():
            prefix = watch.prefix(path)
            widths = module_widths(target)
            known |= {f"{prefix}.{name}": width for name, width in widths.items()} if prefix else widths
        names_ahead(watch, known, targets)


def own_output(module: nn.Module, targets: dict[str, nn.Module], y: Any) -> dict[str, Any]:
    """``y``, time first, of one of our networks."""
    if not isinstance(module, _Sequence):
        return {}
    rnn: Any = next(iter(targets.values()))
    return {"y": as_array(read_output(rnn, y)).copy()}


def _capture_feed_forward(module: FeedForward, x: Any, hx: Any, edits: tuple[Intervention, ...]) -> Trace:
    """A network without memory: hooks on its hidden layers, each a whole ``(L, N, H)``."""
    if isinstance(x, Tensor):
        check_form(x)
        check_readable((x, module.readout.weight))
    if not isinstance(x, Tensor) or x.dim() not in (2, 3):
        raise ValueError(tr("The input must be a torch tensor of 3 dimensions, or 2 without a batch."))
    if (given := x.shape[-1]) != (wanted := module.input_size):
        raise ValueError(
            tr("The input has {features}; the network takes {wanted}.", features=counted.features(given), wanted=wanted)
        )
    if x.dtype != (dtype := module.readout.weight.dtype):
        raise ValueError(
            tr("The input is {given} and the network's weights are {dtype}.", given=str(x.dtype), dtype=str(dtype))
        )
    if not x.numel():
        raise ValueError(tr("The input is empty: its shape is {shape}.", shape=tuple(x.shape)))
    steps = len(x)
    widths = {"x": module.input_size} | {f"l{k}.h": module.hidden_size for k in range(module.num_layers)}
    validate(edits, widths, steps)
    signals: dict[str, Tensor] = {}
    thread = threading.get_ident()

    def keep(name: str, value: Tensor) -> Tensor:
        mine = [e for e in edits if e.signal == name]
        value = torch.stack([apply(mine, v, t, steps) for t, v in enumerate(value)]) if mine else value
        signals[name] = (value if value.dim() == 3 else value.unsqueeze(1)).clone()
        return value

    handles = []
    try:
        with torch.no_grad():
            for k in range(module.num_layers):

                def hook(layer: Any, args: Any, out: Tensor, name: str = f"l{k}.h") -> Tensor | None:
                    return keep(name, out) if threading.get_ident() == thread else None

                handles.append(module.get_submodule(f"l{k}").register_forward_hook(hook))
            keep("y", module(keep("x", x), hx))
    finally:
        for handle in handles:
            handle.remove()
    batch = signals["x"].shape[1]
    arrays = {name: as_array(value) for name, value in signals.items()}
    return Trace(arrays, {}, 0.0, {"": FEED_FORWARD}, {"": (steps,) * batch})
