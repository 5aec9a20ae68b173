"""Hooks on chosen recurrent modules that take down every call which this thread makes."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from seqviz.capture.chains import Chain
from seqviz.capture.descent import Descent
from seqviz.capture.found import CELLS, LAYERS
from seqviz.capture.inside import straight
from seqviz.capture.kernels import Call, Kernel, Kernels, Order, Snapshots, finished, make_call
from seqviz.capture.observe import Observed
from seqviz.capture.problems import problem_of
from seqviz.capture.reconstruct import worst
from seqviz.experiment.interventions import Intervention, validate
from seqviz.language import later, tr
from seqviz.networks.layers import check_call, check_width, signal_widths
from seqviz.networks.readable import check_readable
from seqviz.trace import Trace

__all__ = ["Watch"]


class Watch:
    """Alive inside a ``with``; afterwards it has a chain of calls for every sequence of the modules.

    Args:
        targets: the modules by path.
        edits: of the signals of any of them.
        detail: whether the trace shows the signals before the squashing.
        beside: modules that are watched too, for the way back leads through them, but not shown.
        back: what makes a call's part of the way back, where that is asked for; all of them hang on ``seed``, a
            number that requires a gradient.
        alone: nobody but who asks gets what the one target returns, so that it need not be copied.
        first: what the first step of the run is called where something is wrong with it.
        follow: what the model does with states between two calls is followed (:func:`can_follow`).

    Other threads may run the same modules meanwhile: their calls are none of its business.
    """

    def __init__(
        self,
        targets: dict[str, nn.Module],
        edits: tuple[Intervention, ...] = (),
        *,
        detail: bool = False,
        beside: dict[str, nn.Module] | None = None,
        back: Callable[..., Any] | None = None,
        alone: bool = False,
        first: int = 0,
        follow: bool = True,
    ) -> None:
        self.targets, self.edits, self.detail, self.beside = targets, edits, detail, beside or {}
        self.alone, self.first, self.follow = alone, first, follow
        self.seed: Tensor | None = None
        self._back = back
        if back:
            with torch.inference_mode(False):
                self.seed = torch.zeros((), requires_grad=True)
        self.chains: list[Chain] = []
        self.taps: list[Any] = []
        self.widths: dict[str, int] = {}
        self._snapshots = Snapshots(needed=not alone or threading.active_count() > 1)
        self._counts = dict.fromkeys((*targets, *self.beside), 0)
        self._descent = Descent()
        self._handles: list[Any] = []
        self._alive: list[Frame] = []
        self._failed: Frame | None = None
        self.notes: list[str] = []
        self.gap = 0.0
        self._thread = threading.get_ident()

    def __enter__(self) -> Watch:
        for path, module in (self.targets | self.beside).items():
            before, after = _uncompiled(partial(self._before, path)), _uncompiled(self._after)
            self._handles.append(module.register_forward_pre_hook(before, with_kwargs=True))
            self._handles.append(module.register_forward_hook(after, prepend=True, always_call=True))
        if self.follow:
            self._descent.__enter__()
        return self

    def __exit__(self, kind: Any = None, error: BaseException | None = None, *_: object) -> None:
        if self.follow:
            self._descent.__exit__(None, None, None)
        for handle in self._handles:
            handle.remove()
        while self._alive:
            self._after()
        if self._failed and isinstance(error, Exception):
            self._failed.explain(error)

    def _before(self, path: str, module: nn.Module, args: Any = (), kwargs: Any = None) -> None:
        if threading.get_ident() != self._thread:
            return
        value = args[0] if args else (kwargs or {}).get("input")
        state = args[1] if len(args) > 1 else (kwargs or {}).get("hx")
        frame = Frame(path, module, value, state)
        frame.kernels = Kernels(_uncompiled(self._met))
        frame.kernels.__enter__()
        self._alive.append(frame)
        if not frame.own_forward():
            check_width(module, value)

    def _after(self, module: nn.Module | None = None, args: Any = (), *rest: Any) -> None:
        if threading.get_ident() != self._thread or not self._alive:
            return
        if module is not None and self._alive[-1].module is not module:
            return  # it failed before it began
        frame = self._alive.pop()
        frame.kernels.__exit__(None, None, None)
        self._failed = frame if module is not None and rest and rest[-1] is None else None
        if frame.own_forward() and rest and rest[-1] is not None:
            gap, note = frame.judge(rest[-1])
            self.gap = worst(self.gap, gap)
            self.notes += note

    def directly(self, kernel: Kernel, value: Tensor) -> Any:
        """What the function of the one target gives, without a call of the module itself."""
        return self._taken(next(iter(self.targets)), value, kernel, bare=True)

    def _met(self, kernel: Kernel) -> Any:
        """What one call of torch's function gives to go on with."""
        frame = self._alive[-1]
        with self._descent.pause():
            parts = self._taken(frame.path, frame.value, kernel)
        frame.met.append((kernel, parts))
        return kernel.result(parts)

    def _taken(self, path: str, value: Any, kernel: Kernel, *, bare: bool = False) -> tuple[Tensor, ...]:
        """Make a call that a module of this path was given ``value`` for, and take it down; `bare`, of nobody else."""
        check_readable((kernel.value, *kernel.states, *kernel.flat))
        back = self._back if torch.is_grad_enabled() else None
        tracked = torch.is_grad_enabled() and not self._back  # the module asks autograd itself, within its own call
        with torch.no_grad():
            copies = [self._snapshots.of(weight) for weight in kernel.flat]
            stack = kernel.stack(tuple(bare for _, bare in copies))
            call = make_call(kernel, stack, _order(value, kernel), torch.get_rng_state() if stack.drops else None)
            if call.x.shape[-1] and not call.x.numel():
                raise ValueError(tr("The input is empty: its shape is {shape}.", shape=tuple(kernel.value.shape)))
            chain = self._chain(path, call, kernel)
            short = straight(stack, call.x, call.first) if bare and not (self.detail or chain.edits) else None
            if short is None:
                with torch.set_grad_enabled(tracked):
                    parts = kernel.run(kernel.flat if tracked else tuple(copy for copy, _ in copies))
            else:
                parts = kernel.as_given(short.out, None), *short.last
            if chain.edits:
                parts = _as_given(kernel, call, parts, chain.edited(call))
            call = finished(call, kernel, parts, copied=not self.alone)
            chain.calls.append(call)
            if short:
                chain.knows(Observed(short.signals, short.parity))
        if back:
            tap = back(chain, len(chain.calls) - 1, kernel, call.packed)
            self.taps.append(tap)
            parts = tap.attach(parts, self.seed)
        chain.held = parts
        self._descent.begins(parts, call)
        return parts

    def _chain(self, path: str, call: Call, kernel: Kernel) -> Chain:
        """The chain that a call goes on with, or a new one."""
        for chain in reversed(self.chains):
            if chain.path == path and chain.continued_by(call, kernel):
                return chain
        for chain in reversed(self.chains):
            if chain.path == path and chain.resumed_by(call, self._descent.of(kernel.states)):
                call.changed = True
                return chain
        prefix = self.prefix(path, self._counts[path])
        self._counts[path] += 1
        chain = Chain(path, prefix, [])
        self.chains.append(chain)
        if path in self.beside or not self.edits:
            return chain
        widths = chain.named(signal_widths(call.stack))
        self.widths |= widths
        start = len(prefix) + 1 if prefix else 0
        mine = [edit for edit in self.edits if edit.signal in widths]
        validate(mine, widths, None)
        chain.edits = [_renamed(edit, edit.signal[start:]) for edit in mine]
        return chain

    def prefix(self, path: str, count: int = 0) -> str:
        """What stands before the names of the signals of a sequence of a module."""
        if count:
            return f"{path}[{count}]"
        return path if len(self.targets) > 1 else ""

    @property
    def shown(self) -> list[Chain]:
        """The sequences of the targets themselves."""
        return [chain for chain in self.chains if chain.path in self.targets]

    def cut(self) -> list[str]:
        """Which sequences of the targets ran without gradients, by name."""
        tapped = {id(tap.chain) for tap in self.taps}
        return [chain.prefix or str(tr("The layer")) for chain in self.shown if id(chain) not in tapped]

    def check(self) -> None:
        """Refuse a run that called nothing, and edits of what did not come up.

        Raises:
            ValueError: with what there is.
        """
        if not self.shown and self.notes:
            raise ValueError(" ".join(self.notes))
        if not self.shown:
            raise ValueError(tr("The run called none of {known}.", known=", ".join(map(repr, self.targets))))
        if self.edits:
            validate(self.edits, self.widths, None)
            for chain in self.shown:
                chain.check()

    def trace(self, further: dict[str, Any] | None = None) -> Trace:
        """What was taken down, and further signals."""
        arrays: dict[str, Any] = {}
        initial: dict[str, Any] = {}
        parity = self.gap
        with torch.no_grad():
            for chain in self.shown:
                arrays |= chain.named(chain.signals(self.detail))
                initial |= chain.named(chain.initial())
                parity = worst(parity, chain.observed().parity)
            problem = problem_of(self.shown, self.notes, self.first)
        modes = {chain.prefix: chain.stack.mode for chain in self.shown}
        lengths = {chain.prefix: chain.lengths for chain in self.shown}
        return Trace(arrays | (further or {}), initial, parity, modes, lengths, problem)


@dataclass(eq=False)
class Frame:
    """One call of a watched module while it runs: what it was given, and the functions it has called."""

    path: str
    module: nn.Module
    value: Any
    state: Any = None
    met: list[tuple[Kernel, tuple[Tensor, ...]]] = field(default_factory=list)
    kernels: Kernels = None  # type: ignore[assignment]

    def own_forward(self) -> bool:
        """Whether its class does something of its own around torch's."""
        forward = getattr(type(self.module), "forward", None)
        return "forward" in vars(self.module) or not any(forward is kind.forward for kind in LAYERS + CELLS)

    def explain(self, error: Exception) -> None:
        """Say in a sentence why torch refused this call, if that is what ``error`` comes from, and it can be told.

        Raises:
            ValueError: the sentence.
        """
        ran = (frame.f_locals.get("self") for frame, _ in traceback.walk_tb(error.__traceback__))
        if self.own_forward() or torch.is_autocast_enabled("cpu") or not any(one is self.module for one in ran):
            return
        try:
            check_call(self.module, self.value, self.state)
        except ValueError as why:
            raise (ValueError(f"{self.path}: {why}") if self.path else why) from error

    def judge(self, result: Any) -> tuple[float, list[str]]:
        """How far what it returns is from what torch's function gave, and what is to be said of it."""
        base = next(kind for kind in LAYERS + CELLS if isinstance(self.module, kind))
        called = f"nn.{base.__name__}" if base.__module__.startswith("torch.") else base.__name__
        named = {"name": self.path or tr("The layer"), "kind": type(self.module).__name__, "base": called}
        if not self.met:
            says = tr(
                "{name} is of class {kind}, whose own forward never runs {base}: there is nothing to see.", **named
            )
            return 0.0, [says]
        if len(self.met) > 1:
            return 0.0, []
        (kernel, parts), notes, gap = self.met[0], list[str](), 0.0
        packed = isinstance(self.value, nn.utils.rnn.PackedSequence)
        if kernel.sizes is not None and not packed and len(set(kernel.sizes.tolist())) > 1:
            inside = later("{name} is of class {kind}, which packs its input: the batch is in the packed order.")
            return 0.0, [tr(inside, **named)]
        given = self.value.data if isinstance(self.value, nn.utils.rnn.PackedSequence) else self.value
        if not isinstance(given, Tensor) or not _alike(given, kernel.value):
            inside = later(
                "{name} is of class {kind}, which changes its input; the signals are those of the {base} inside."
            )
            notes.append(tr(inside, **named))
        out = result[0] if type(result) in (tuple, list) else result
        out = out.data if isinstance(out, nn.utils.rnn.PackedSequence) else out
        if not isinstance(out, Tensor) or not _alike(out, parts[0]):
            inside = later(
                "{name} is of class {kind}, which changes its output; the signals are those of the {base} inside."
            )
            notes.append(tr(inside, **named))
            if isinstance(out, Tensor) and out.numel() == parts[0].numel():
                gap = float((out.detach().reshape(-1) - parts[0].detach().reshape(-1)).abs().max())
        return gap, notes


def _uncompiled(function: Any) -> Any:
    """The function as it is, where the module around is compiled too."""
    return torch.compiler.disable(function) if "torch._dynamo" in sys.modules else function


def _alike(a: Tensor, b: Tensor) -> bool:
    """Whether they hold the same numbers in the same order, NaN among them."""
    if a.numel() != b.numel():
        return False
    a, b = a.detach().reshape(-1), b.detach().reshape(-1)
    return bool(((a == b) | (a.isnan() & b.isnan())).all())


def _order(value: Any, kernel: Kernel) -> Order:
    """The order of the batch in a packed input."""
    if isinstance(value, nn.utils.rnn.PackedSequence) and kernel.sizes is not None:
        return value.sorted_indices, value.unsorted_indices
    return None, None


def _as_given(kernel: Kernel, call: Call, parts: tuple[Tensor, ...], run: Any) -> tuple[Tensor, ...]:
    """The output and states of an edited run in the form and precision of a kernel's own ``parts``."""
    out = kernel.as_given(run.out, call.packed)
    states = [kernel.state_as_given(s, call.packed) for s in run.states]
    found = states if kernel.cell else [out, *states]
    return tuple(new.to(old.dtype) for new, old in zip(found, parts, strict=True))


def _renamed(edit: Intervention, signal: str) -> Intervention:
    return replace(edit, signal=signal)


def names_ahead(watch: Watch, known: dict[str, int], targets: Iterable[str]) -> None:
    """Refuse, before anything runs, an edit of a signal that no call of the modules can have."""
    further = tuple(f"{path}[" for path in targets)
    named = [edit for edit in watch.edits if not str(getattr(edit, "signal", "")).startswith(further)]
    validate(named, known, None)
