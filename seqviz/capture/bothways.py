"""A bidirectional layer in blocks of steps: one pass over the sequence for each layer and direction.

The reverse direction of a layer begins at the last step, so its blocks are taken from the end. A layer above reads both
directions of the one below from the folder. The forward direction of the last layer comes last of all: what it has
passed is whole in every file.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from seqviz.capture.chains import Chain
from seqviz.capture.found import LAYERS
from seqviz.capture.kernels import Call, Kernel, Kernels, make_call
from seqviz.capture.longrun import Run, digest
from seqviz.capture.observe import as_array
from seqviz.capture.problems import at_the_start, in_a_pass
from seqviz.capture.reconstruct import worst
from seqviz.capture.run import captured
from seqviz.cells.step import Weights, parts
from seqviz.folders import About, Writer
from seqviz.language import tr
from seqviz.networks.layers import cell_of, layer_names, signal_widths
from seqviz.networks.modules import _Sequence
from seqviz.trace import Trace

__all__ = ["BothWays"]


class _Pass(NamedTuple):
    """One layer and direction, which a layer of its own computes."""

    end: str
    layer: int
    reverse: bool
    alone: nn.Module
    first: tuple[Tensor, ...]


class BothWays(Run):
    """A bidirectional layer, in a pass for each of its layers and directions."""

    @cached_property
    def call(self) -> Call:
        """What the layer computes with, met while its module takes the first step."""
        return _met(self.module, self.rows.layer, self.rows.block(0, 1), self.rows.states)

    @cached_property
    def passes(self) -> list[_Pass]:
        """In their order: of each layer first the reverse direction."""
        stack, found = self.call.stack, []
        for k, (end, layer, reverse) in enumerate(layer_names(stack)):
            first = tuple(state[k : k + 1] for state in self.call.first)
            found.append(_Pass(end, layer, reverse, _alone(self.rows.layer, stack.weights[k]), first))
        return sorted(found, key=lambda each: (each.layer, not each.reverse))

    def go_on(self, writer: Writer | None) -> Writer:
        writer = writer or self.writer(self.ahead())
        about = writer.about
        number, gone = self.place(about)
        each = self.passes[number]
        span = self.span(gone, reverse=each.reverse)
        trace = self.passed(each, self.entry(writer, each.layer, span), about if gone else None)
        arrays = {name.replace("l0.", f"{each.end}."): turned(a, each.reverse) for name, a in trace.arrays.items()}
        x = arrays.pop("x")
        problem = self.problem(writer.about, number, arrays, x, span.start, str(trace.problem))
        if not number:
            arrays["x"] = x
            about.seen = digest(about.seen, self.rows.block(span.start, span.stop))
        if number == len(self.passes) - 1 and isinstance(self.module, _Sequence):
            arrays["y"] = self.read_out(writer, arrays[f"{each.end}.h"], span)
        ends = {f"{each.end}.{name}": trace[f"l0.{name}"][-1] for name in cell_of(self.rows.layer).states}
        states = {**about.states, **ends}
        place = self.placed(number, gone + span.stop - span.start)
        writer.put(
            arrays, span.start, parity=worst(about.parity, trace.parity), problem=problem, states=states, **place
        )
        return writer

    def passed(self, each: _Pass, x: Tensor, about: About | None) -> Trace:
        """A block of a pass, its steps in the order of processing."""
        states = each.first
        if about is not None:
            kept = (about.states[f"{each.end}.{name}"] for name in cell_of(self.rows.layer).states)
            states = tuple(torch.from_numpy(np.array(state)[None]).to(x.device) for state in kept)
        x = x.flip(0) if each.reverse else x
        return captured(each.alone, x, states if len(states) > 1 else states[0], detail=self.detail)

    def problem(self, about: About, number: int, arrays: dict[str, Any], x: Any, first: int, told: str) -> str:
        """What is wrong with the run by now: what went in, else what the first pass met in its own order."""
        entered = not number and bool(told) and not np.isfinite(x).all()  # at an earlier step than what is known
        if not told or (about.problem and not (entered and not at_the_start(Chain("", "", [], [self.call])))):
            return about.problem
        return in_a_pass(arrays, x, first, told, above=self.passes[number].layer > 0)

    def entry(self, writer: Writer, layer: int, span: slice) -> Tensor:
        """What a layer takes in a block of steps, ``(steps, N, H_in)``."""
        if layer:
            both = [writer.take(f"l{layer - 1}{way}.h", span) for way in ("", "_reverse")]
            return torch.from_numpy(np.concatenate(both, -1)).to(self.rows.device)
        x = self.rows.block(span.start, span.stop)
        return x.transpose(0, 1) if self.rows.layer.batch_first else x

    def read_out(self, writer: Writer, h: Any, span: slice) -> Any:
        """What the readout makes of the last layer's forward direction ``h`` and the reverse one."""
        both = torch.from_numpy(np.concatenate([h, writer.take(f"{self.passes[-2].end}.h", span)], -1))
        with torch.no_grad():
            return as_array(self.module.readout(both.to(self.rows.device)))  # type: ignore[operator]

    def ahead(self) -> About:
        """The description of the run before its first block."""
        layer, call = self.rows.layer, self.call
        widths = signal_widths(call.stack, detail=self.detail)
        if isinstance(self.module, _Sequence):
            widths["y"] = self.module.readout.out_features
        chain = Chain("", "", [], [call])
        about = self.described(widths, as_array(call.x).dtype, {"": layer.mode}, chain.initial())
        about.problem = at_the_start(chain)
        return about

    def writer(self, about: About) -> Writer:
        """With the states that the layers above read, where they are not among the signals."""
        width = self.rows.layer.proj_size or self.rows.layer.hidden_size
        names = [f"{each.end}.h" for each in self.passes]
        return Writer(self.folder, about, {name: width for name in names if name not in about.signals})

    def place(self, about: About) -> tuple[int, int]:
        """Which pass is to go on, and how many steps it has gone."""
        return (len(self.passes) - 1, about.done) if about.done else (about.passes, about.within)

    def placed(self, number: int, gone: int) -> dict[str, int]:
        """The same as the description has it."""
        if number == len(self.passes) - 1:
            return {"passes": 0, "within": 0, "done": gone}
        return {"passes": number + 1, "within": 0} if gone == self.rows.steps else {"passes": number, "within": gone}

    def span(self, gone: int, *, reverse: bool) -> slice:
        """The steps of the next block of a pass."""
        steps = self.rows.steps
        if reverse:
            return slice(max(0, steps - gone - self.block), steps - gone)
        return slice(gone, min(steps, gone + self.block))

    def gone(self, about: About) -> int:
        number, gone = self.place(about)
        return (number * self.rows.steps + gone) // len(self.passes)

    def begun(self, about: About) -> bool:
        return bool(about.done or about.passes or about.within)

    def known(self, about: About) -> bool:
        number, gone = self.place(about)
        if number >= len(self.passes) or gone > self.rows.steps:
            return False
        wanted = {f"{self.passes[number].end}.{name}" for name in cell_of(self.rows.layer).states}
        return not gone or wanted <= set(about.states)

    def seen(self, about: About) -> Iterator[Tensor]:
        number, gone = self.place(about)
        there, most = 0, self.rows.steps if number else gone
        while there < most:
            span = self.span(there, reverse=True)
            there += span.stop - span.start
            yield self.rows.block(span.start, span.stop)


def turned(array: Any, reverse: bool) -> Any:
    """Steps in their own order, out of that of processing."""
    return array[::-1] if reverse else array


def _met(module: nn.Module, layer: Any, x: Tensor, states: tuple[Tensor, ...] | None) -> Call:
    """The one call of torch's function that a module makes for an input.

    Raises:
        ValueError: its class does something of its own around that.
    """
    met: list[tuple[Kernel, tuple[Tensor, ...]]] = []

    def meet(kernel: Kernel) -> Any:
        met.append((kernel, kernel.run(kernel.flat)))
        return kernel.result(met[-1][1])

    given = () if states is None else (states if len(states) > 1 else states[0],)
    with torch.no_grad(), Kernels(meet):
        out = module(x, *given)
    if len(met) == 1:
        kernel, made = met[0]
        out = out if isinstance(module, _Sequence) else out[0]
        with torch.no_grad():
            wanted = module.readout(made[0]) if isinstance(module, _Sequence) else made[0]
        if _same(kernel.value, x) and isinstance(out, Tensor) and _same(out, wanted):
            weights = tuple(None if w is None else w.detach() for w in kernel.flat)
            return make_call(kernel, kernel.stack(weights), (None, None), None)
    raise ValueError(
        tr(
            "{kind} does something of its own around {layer}; in both directions, that cannot be run in blocks. Give "
            "an {layer} with its weights, and with what that is given as input.",
            kind=type(layer).__name__,
            layer=f"nn.{_torchs(layer).__name__}",
        )
    )


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and bool(((a == b) | (a.isnan() & b.isnan())).all())


def _torchs(layer: Any) -> Any:
    return next(kind for kind in LAYERS if isinstance(layer, kind))


def _alone(layer: Any, weights: Any) -> nn.Module:
    """torch's own layer of one direction with these very weights, which takes the steps first."""
    assert isinstance(weights, Weights)
    options: dict[str, Any] = {"bias": weights.bias_ih is not None}
    if weights.weight_hr is not None:
        options["proj_size"] = len(weights.weight_hr)
    if isinstance(layer, nn.RNN):
        options["nonlinearity"] = layer.nonlinearity
    size = weights.weight_hh.shape[0] // len(cell_of(layer).blocks)
    made: nn.Module = _torchs(layer)(weights.weight_ih.shape[1], size, device="meta", **options)
    for name, weight in parts(weights).items():
        setattr(made, f"{name}_l0", nn.Parameter(weight, requires_grad=False))
    return made.eval()
