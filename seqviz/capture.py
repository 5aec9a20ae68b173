"""Run a module once and keep every signal of its recurrent layers: :func:`capture`."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from seqviz.interventions import Intervention, apply, validate
from seqviz.language import tr
from seqviz.layers import (
    Recurrent,
    Sequences,
    check_input,
    layer_names,
    read_input,
    read_output,
    signal_widths,
)
from seqviz.network import FeedForward, Instrumented, _Sequence
from seqviz.observe import Observed, as_array, observe
from seqviz.reconstruct import worst
from seqviz.stepwise import step_by_step
from seqviz.trace import Trace

__all__ = ["FEED_FORWARD", "capture"]

FEED_FORWARD = "FEED_FORWARD"
"""What ``Trace.modes`` says of a :class:`~seqviz.network.FeedForward`."""


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

    Args:
        module: one of our networks, an ``nn.RNN``, ``nn.GRU`` or ``nn.LSTM``, or any module that contains some.
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
        each is under its module's name, ``encoder.l0.i``. A module called again in the same run is
        ``encoder[1]``, ``encoder[2]``, ...; ``y`` is the output of one of our networks. Batch elements are in the
        caller's order and padding is 0.

        ``parity`` is the largest ``|recomputed - torch|`` over ``h`` at every step and the last ``c``. With
        interventions each step is computed on its own by torch's cell from the recorded state before it, and the
        units that an edit touches at that step are left out.

    Raises:
        ValueError: nothing recurrent to look at, an input or state of the wrong kind, or an intervention on a
            signal, unit or step that does not exist; the sentence names what does.
    """
    edits = tuple(interventions)
    if isinstance(module, FeedForward):
        return _capture_feed_forward(module, x, hx, edits)
    targets = _targets(module, modules)
    if isinstance(module, (_Sequence, *_KINDS)):
        check_input(next(iter(targets.values())), x, hx)
    watch = _Watch(targets, edits, detail)
    if isinstance(module, _KINDS) and not edits and not _hooked(module):
        return _capture_bare(module, x, hx, watch)
    if edits:
        known = [_prefixed(watch.prefix(path), signal_widths(rnn)) for path, rnn in targets.items()]
        _check_names(edits, {k: v for widths in known for k, v in widths.items()}, targets)
    arguments = (x,) if hx is None else (x, hx)
    with torch.no_grad(), watch:
        y = module(*arguments, **(kwargs or {}))
    if not watch.modes:
        raise ValueError(tr("The run called none of {known}.", known=", ".join(map(repr, targets))))
    validate(edits, watch.widths, None)
    if isinstance(module, _Sequence):
        watch.arrays["y"] = as_array(read_output(next(iter(targets.values())), y)).copy()
    return watch.trace()


_KINDS = (nn.RNN, nn.GRU, nn.LSTM)


def _targets(module: nn.Module, modules: str | Iterable[str] | None) -> dict[str, Recurrent]:
    """The recurrent modules to look at, by path."""
    if modules is None and isinstance(module, _KINDS):
        return {"": module}
    inner = {id(m.layer) for m in module.modules() if isinstance(m, Instrumented)}
    found = {p: m for p, m in module.named_modules() if isinstance(m, _KINDS) and id(m) not in inner}
    if not found:
        if inner:
            raise ValueError(tr("Capture the network that this instrumented one was made from."))
        kind = type(module).__name__
        raise ValueError(tr("{kind} contains no nn.RNN, nn.GRU or nn.LSTM to look at.", kind=kind))
    if modules is None:
        return found
    wanted = (modules,) if isinstance(modules, str) else tuple(modules)
    known = ", ".join(map(repr, found))
    for path in wanted:
        if path not in found:
            raise ValueError(tr("There is no recurrent module {path!r}. There are {known}.", path=path, known=known))
    if not wanted:
        raise ValueError(tr("No module was chosen. There are {known}.", known=known))
    return {path: found[path] for path in wanted}


def _hooked(rnn: Recurrent) -> bool:
    """Whether a call must go by the hooks: the user has some, or dropout draws random numbers."""
    return bool(rnn._forward_hooks or rnn._forward_pre_hooks or (rnn.dropout and rnn.training))


@torch.no_grad()
def _capture_bare(rnn: Recurrent, x: Any, hx: Any, watch: _Watch) -> Trace:
    """The short way for a recurrent layer on its own: its output is ours alone, and no hook is needed."""
    out = rnn(x, hx)
    given = read_input(rnn, x, hx)
    packed = x if isinstance(x, PackedSequence) else None
    seen = observe(rnn, given, out, packed=packed, detail=watch.detail, owned=True)
    watch.keep("", rnn, given, seen)
    return watch.trace()


class _Watch:
    """Forward hooks on the chosen modules, alive inside a ``with``, that take down the signals of each call.

    Everything is copied during the call: the module around is free to write to the layer's output later.
    """

    def __init__(self, targets: dict[str, Recurrent], edits: tuple[Intervention, ...], detail: bool) -> None:
        self.targets, self.edits, self.detail = targets, edits, detail
        self.arrays: dict[str, Any] = {}
        self.initial: dict[str, Any] = {}
        self.modes: dict[str, str] = {}
        self.lengths: dict[str, tuple[int, ...]] = {}
        self.parity = 0.0
        self.widths: dict[str, int] = {}
        self._calls = dict.fromkeys(targets, 0)
        self._random: dict[str, Tensor] = {}
        self._handles: list[Any] = []
        self._thread = threading.get_ident()

    def __enter__(self) -> _Watch:
        for path, rnn in self.targets.items():

            def before(module: nn.Module, args: Any, path: str = path) -> None:
                if threading.get_ident() == self._thread:
                    self._random[path] = torch.get_rng_state()

            def after(module: Any, args: Any, *rest: Any, path: str = path) -> Any:
                # Another thread's call may meet this hook while it is being removed, and then gives no keywords.
                if threading.get_ident() == self._thread:
                    return self._call(path, module, args, *rest)
                return None

            if rnn.dropout and rnn.training:
                self._handles.append(rnn.register_forward_pre_hook(before))
            self._handles.append(rnn.register_forward_hook(after, prepend=True, with_kwargs=True))
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()

    def prefix(self, path: str, call: int = 0) -> str:
        """What stands before the names of the signals of a call of a module."""
        if call:
            return f"{path}[{call}]"
        return path if len(self.targets) > 1 else ""

    @torch.no_grad()
    def _call(self, path: str, rnn: Recurrent, args: Any, kwargs: Any, out: Any) -> Any:
        """Take down one call; returns the output to go on with, or ``None`` to leave it."""
        prefix = self.prefix(path, self._calls[path])
        self._calls[path] += 1
        value = args[0] if args else kwargs["input"]
        hx = args[1] if len(args) > 1 else kwargs.get("hx")
        check_input(rnn, value, hx)
        given = read_input(rnn, value, hx)
        widths = _prefixed(prefix, signal_widths(rnn))
        self.widths |= widths
        edits = [edit for edit in self.edits if edit.signal in widths]
        validate(edits, widths, len(given.x))
        inner = [(edit.signal.removeprefix(f"{prefix}." if prefix else ""), edit) for edit in edits]
        now = torch.get_rng_state() if path in self._random else None
        if now is not None:
            torch.set_rng_state(self._random[path])
        try:
            if edits:
                seen, out = step_by_step(rnn, value, hx, given, inner, self.detail)
            else:
                packed = value if isinstance(value, PackedSequence) else None
                seen = observe(rnn, given, out, packed=packed, detail=self.detail, owned=False)
                out = None
        finally:
            if now is not None:
                torch.set_rng_state(now)
        self.keep(prefix, rnn, given, seen)
        return out

    def trace(self) -> Trace:
        """What was taken down."""
        return Trace(self.arrays, self.initial, self.parity, self.modes, self.lengths)

    def keep(self, prefix: str, rnn: Recurrent, given: Sequences, seen: Observed) -> None:
        """Add what was seen of a call under its prefix."""
        self.parity = worst(self.parity, seen.parity)
        self.arrays |= _prefixed(prefix, seen.signals)
        h_0 = as_array(given.h_0).copy()
        c_0 = None if given.c_0 is None else as_array(given.c_0).copy()
        first = {}
        for k, (end, _, _) in enumerate(layer_names(rnn)):
            first[f"{end}.h"] = h_0[k]
            if c_0 is not None:
                first[f"{end}.c"] = c_0[k]
        self.initial |= _prefixed(prefix, first)
        self.modes[prefix] = rnn.mode
        steps, batch = given.x.shape[:2]
        self.lengths[prefix] = (steps,) * batch if given.lengths is None else tuple(given.lengths.tolist())


def _prefixed(prefix: str, named: dict[str, Any]) -> dict[str, Any]:
    return {f"{prefix}.{name}": value for name, value in named.items()} if prefix else named


def _check_names(edits: tuple[Intervention, ...], widths: dict[str, int], further: Iterable[str]) -> None:
    """Refuse, before anything runs, an edit of a signal that no call of the modules can have."""
    later = tuple(f"{path}[" for path in further)
    known = [e for e in edits if not isinstance(getattr(e, "signal", None), str) or not e.signal.startswith(later)]
    validate(known, widths, None)


def _capture_feed_forward(module: FeedForward, x: Any, hx: Any, edits: tuple[Intervention, ...]) -> Trace:
    """A network without memory: hooks on its hidden layers, each a whole ``(L, N, H)``."""
    if not isinstance(x, Tensor) or x.dim() not in (2, 3):
        raise ValueError(tr("The input must be a torch tensor of 3 dimensions, or 2 without a batch."))
    if (given := x.shape[-1]) != (wanted := module.input_size):
        raise ValueError(tr("The input has {given} features; the network takes {wanted}.", given=given, wanted=wanted))
    if x.dtype != (dtype := module.readout.weight.dtype):
        raise ValueError(
            tr("The input is {given} and the network's weights are {dtype}.", given=str(x.dtype), dtype=str(dtype))
        )
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
