"""What looks wrong in a run: numbers against thresholds, layer by layer. What of it is told is decided elsewhere."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from seqviz import counted
from seqviz.capture.found import CELLS, LAYERS, recurrent_modules
from seqviz.cells.layer import CellLayer
from seqviz.doctor import cures
from seqviz.doctor.finding import Cure, Row
from seqviz.metrics import half_life
from seqviz.networks.layers import layer_names
from seqviz.telling.numbers import Share
from seqviz.trace import Trace

__all__ = ["Part", "Sign", "of_inputs", "of_layers", "parts_of"]

Array = np.ndarray[Any, np.dtype[Any]]

SHUT: Final = 0.01
"""An output gate that is never above this is not read."""

OPEN: Final = 0.999
"""A gate that is never below this writes, or keeps, whatever comes."""

FEW: Final = 0.25
"""A fault of single units is one of this share of them at the most: more are a way of working."""

FORGETS: Final = 0.1
"""A unit that keeps less than this a step forgets at once,"""

LESS: Final = 0.25
"""and keeps less than this share of what the median unit keeps."""

LARGE: Final = 10.0
"""A cell that never comes back is larger than this,"""

FAR: Final = 3.0
"""and this many times as large as the next."""


class Part(NamedTuple):
    """One layer as it ran: its signals at all valid steps and sequences, ``(V, H)`` each, and how long it ran."""

    layer: cures.Layer
    prefix: str
    signals: dict[str, Array]
    steps: int

    def rows(self, *signals: str, units: tuple[int, ...] = ()) -> tuple[Row, ...]:
        """Rows of this layer, by their names in the trace."""
        return tuple(Row(f"{self.prefix}{self.layer.end}.{signal}", units) for signal in signals)


class Sign(NamedTuple):
    """Something that looks wrong, in numbers.

    ``cures`` are alternatives. ``certain`` is what is so whatever a cure does; a sign that is not is only told when its
    cure helps.
    """

    kind: str
    units: tuple[int, ...]
    rows: tuple[Row, ...]
    numbers: dict[str, Any]
    cures: tuple[Cure, ...]
    certain: bool = False


def parts_of(module: nn.Module, trace: Trace) -> Iterator[Part]:
    """The layers of a run's recurrent modules, each direction of its own."""
    targets = recurrent_modules(module, None)
    for path, found in targets.items():
        if not isinstance(found, LAYERS + CELLS):
            continue
        rnn: Any = found
        prefix = f"{path}." if len(targets) > 1 else ""
        ends = ["l0"] if isinstance(rnn, CELLS) else [end for end, _, _ in layer_names(rnn)]
        mode = trace.modes.get(path if len(targets) > 1 else "", "")
        for end in ends:
            names = [n for n in trace if n.startswith(f"{prefix}{end}.")]
            if names and mode:
                signals = {n.rpartition(".")[2]: _valid(trace, n) for n in names}
                steps = max(trace.lengths_of(names[0]))
                kind = rnn.cell if isinstance(rnn, CellLayer) else None
                layer = cures.Layer(path, end, mode, rnn.hidden_size, cell=isinstance(rnn, CELLS), kind=kind)
                yield Part(layer, prefix, signals, steps)


def _valid(trace: Trace, name: str) -> Array:
    array = trace[name]
    inside = np.arange(len(array))[:, None] < np.array(trace.lengths_of(name))
    return array[inside].astype(np.float64)


def of_layers(module: nn.Module, parts: list[Part]) -> Iterator[Sign]:
    """The signs of every layer."""
    for part in parts:
        if all(np.isfinite(a).all() for a in part.signals.values()):
            yield from _of_units(module, part)
            yield from _of_a_layer(module, part)


def _few(found: Array) -> tuple[int, ...]:
    """Units that are flagged, if they are few."""
    units = tuple(int(k) for k in np.flatnonzero(found))
    return units if 0 < len(units) <= max(1, int(FEW * len(found))) and len(found) > len(units) else ()


def _of_units(module: nn.Module, part: Part) -> Iterator[Sign]:
    s, layer = part.signals, part.layer
    written_off: set[int] = set()
    for sign in _of_gates(module, part):
        written_off |= set(sign.units) if sign.kind in ("never_read", "never_written") else set()
        yield sign
    spread = s["h"].std(axis=0)
    still = spread <= min(1e-4, 1e-3 * float(spread.max()))
    units = tuple(int(k) for k in np.flatnonzero(still) if k not in written_off)
    if units and len(units) < len(still):
        numbers = {"value": float(spread[list(units)].max()), "next": float(spread.max())}
        few = len(units) <= max(1, int(FEW * len(still)))
        yield Sign("dead", units, part.rows("h", units=units), numbers, (cures.redrawn(layer, units),), certain=few)


def _of_gates(module: nn.Module, part: Part) -> Iterator[Sign]:
    """The signs of the gates around every state that a gate keeps."""
    for state, (keep, sign) in part.layer.kind.keep_gates.items():
        if keep in part.layer.kind.gates:
            around = _Gates(module, part, state, keep, sign)
            yield from (*around.shown(), *around.written(), *around.kept())


class _Gates(NamedTuple):
    """A state of a layer, and the gate that keeps it; with −1 it is ``1 - f`` that keeps."""

    module: nn.Module
    part: Part
    state: str
    keep: str
    sign: int

    def shown(self) -> Iterator[Sign]:
        """A unit that holds something and is never read."""
        part, gate = self.part, self.part.layer.kind.show_gates.get(self.state)
        if gate is None:
            return
        value, state = part.signals[gate].max(axis=0), np.abs(part.signals[self.state]).max(axis=0)
        if units := _few((value < SHUT) & (np.tanh(state) > 0.1)):
            at = list(units)
            numbers = {"value": float(value[at].max()), "held": float(state[at].max())}
            yield self._sign("never_read", units, (gate, "h"), numbers, gate, certain=True)

    def written(self) -> Iterator[Sign]:
        """Units that write whatever comes, that grow far beyond all the others, or that nothing is let into."""
        s, gate = self.part.signals, self.part.layer.kind.write_gates.get(self.state)
        if gate is not None and (units := _few(s[gate].min(axis=0) > OPEN)):
            yield self._sign("writes_always", units, (gate,), {"value": float(s[gate][:, list(units)].min())}, gate)
        if self.state != "h":
            yield from self._never_back()
        gate, new = (gate, s[gate]) if gate is not None else (self.keep, 1 - self._kept)
        if units := _few(new.max(axis=0) < 1 - OPEN):
            numbers = {"value": float(new[:, list(units)].max())}
            yield self._sign("never_written", units, (gate, "h"), numbers, gate, certain=True)

    def kept(self) -> Iterator[Sign]:
        """Units that forget at once, unlike the others."""
        kept = self._kept.mean(axis=0)
        if units := _few((kept < FORGETS) & (kept < LESS * np.median(kept))):
            lasts = float(half_life(kept[list(units)]).max())
            numbers = {"value": lasts, "length": counted.steps(self.part.steps)}
            yield self._sign("forgets", units, (self.keep,), numbers, self.keep)

    def _never_back(self) -> Iterator[Sign]:
        top = np.abs(self.part.signals[self.state]).max(axis=0)
        if len(top) < 2:
            return
        first, second = np.argsort(top)[::-1][:2]
        if top[first] > LARGE and top[first] > FAR * top[second]:
            numbers = {"value": float(top[first]), "next": float(top[second]), "count": counted.units(len(top))}
            sign = self._sign("never_back", (int(first),), (self.state, self.keep), numbers, self.keep)
            yield sign._replace(cures=sign.cures + _there(cures.biases(self.module, self.part.layer, sign.units)))

    @property
    def _kept(self) -> Array:
        gate = self.part.signals[self.keep]
        return gate if self.sign > 0 else 1 - gate

    def _sign(
        self, kind: str, units: tuple[int, ...], rows: tuple[str, ...], numbers: dict[str, Any], gate: str, *,
        certain: bool = False,
    ) -> Sign:  # fmt: skip
        """With the gate's bias as a cure, and units that are of no use drawn anew as another."""
        tried = _there(cures.bias(self.module, self.part.layer, gate, units))
        tried += (cures.redrawn(self.part.layer, units),) if certain else ()
        return Sign(kind, units, self.part.rows(*rows, units=units), numbers, tried, certain=certain)


def _of_a_layer(module: nn.Module, part: Part) -> Iterator[Sign]:
    s, layer = part.signals, part.layer
    gates = [name for name in s if name in layer.kind.gates]
    if gates:
        values = np.concatenate([s[name].ravel() for name in gates])
        share = Share(((values < 0.01) | (values > 0.99)).mean())
        if share > 0.6:
            yield Sign("saturated_gates", (), part.rows(*gates), {"value": share}, (cures.shrunk(layer, 5.0),))
    if layer.kind.squashing == "tanh":
        share = Share((np.abs(s["h"]) > 0.99).mean())
        if share > 0.6:
            yield Sign("saturated", (), part.rows("h"), {"value": share}, (cures.shrunk(layer, 5.0),))
    yield from _short_memory(module, part)


def _short_memory(module: nn.Module, part: Part) -> Iterator[Sign]:
    kind = part.layer.kind
    keeps = [(gate, sign) for gate, sign in kind.keep_gates.values() if gate in kind.gates and gate in part.signals]
    if not keeps:
        return
    gate, sign = keeps[0]
    kept = part.signals[gate] if sign > 0 else 1 - part.signals[gate]
    with np.errstate(divide="ignore"):
        mean = np.exp(np.log(kept).mean(axis=0))
    longest = float(half_life(mean).max())
    if part.steps >= 10 and longest < part.steps / 4:
        numbers = {"value": longest, "length": counted.steps(part.steps)}
        yield Sign("short_memory", (), part.rows(gate), numbers, _there(cures.chrono(module, part.layer, part.steps)))


def _there(*found: Cure | None) -> tuple[Cure, ...]:
    return tuple(cure for cure in found if cure is not None)


def of_inputs(x: Any) -> Iterator[Sign]:
    """Inputs whose spreads are far from each other."""
    if not isinstance(x, Tensor) or not x.is_floating_point() or x.dim() < 2 or x.shape[-1] < 2:
        return
    flat = x.detach().reshape(-1, x.shape[-1]).double()
    if not bool(torch.isfinite(flat).all()):
        return
    mean, spread = flat.mean(0), flat.std(0, correction=0)
    moving = (spread > 0).nonzero()[:, 0]
    if len(moving) < 2:
        return
    wide, narrow = (int(moving[pick(spread[moving])]) for pick in (torch.argmax, torch.argmin))
    times = float(spread[wide] / spread[narrow])
    if times > 100 and math.isfinite(times):
        numbers = {"wide": wide, "narrow": narrow, "value": times}
        yield Sign("scales", (), (Row("x", (wide, narrow)),), numbers, (cures.standardised(mean, spread),))
