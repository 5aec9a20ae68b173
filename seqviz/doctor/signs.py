"""What looks wrong in a run: numbers against thresholds, layer by layer. What of it is told is decided elsewhere."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from seqviz import cells, counted
from seqviz.capture.found import CELLS, LAYERS, recurrent_modules
from seqviz.cells.layer import CellLayer
from seqviz.doctor import cures
from seqviz.doctor.finding import Cure, Row
from seqviz.metrics import half_life
from seqviz.networks.layers import layer_names
from seqviz.telling.numbers import Share
from seqviz.trace import Trace
from seqviz.vocabulary import GRU, LSTM, RNN_TANH, is_gate

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
    """The layers of torch's recurrent modules in a run, forward directions only."""
    targets = recurrent_modules(module, None)
    for path, found in targets.items():
        if isinstance(found, CellLayer) or not isinstance(found, LAYERS + CELLS):
            continue
        rnn: Any = found
        prefix = f"{path}." if len(targets) > 1 else ""
        if isinstance(rnn, CELLS):
            ends = [("l0", 0, False)]
        else:
            ends = [(end, k, way) for end, k, way in layer_names(rnn) if not way]
        mode = trace.modes.get(path if len(targets) > 1 else "", "")
        for end, _, _ in ends:
            names = [n for n in trace if n.startswith(f"{prefix}{end}.")]
            if names and mode:
                signals = {n.rpartition(".")[2]: _valid(trace, n) for n in names}
                steps = max(trace.lengths_of(names[0]))
                yield Part(
                    cures.Layer(path, end, mode, rnn.hidden_size, cell=isinstance(rnn, CELLS)), prefix, signals, steps
                )


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
    if layer.mode in (LSTM, GRU):
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
    s, layer = part.signals, part.layer

    def cure(gate: str, units: tuple[int, ...]) -> tuple[Cure, ...]:
        return _there(cures.bias(module, layer, gate, units))

    keep, write = ("f", "i") if layer.mode == LSTM else ("z", "z")
    if layer.mode == LSTM:
        held = np.abs(np.tanh(s["c"])).max(axis=0)
        if units := _few((s["o"].max(axis=0) < SHUT) & (held > 0.1)):
            at = list(units)
            numbers = {"value": float(s["o"][:, at].max()), "held": float(np.abs(s["c"][:, at]).max())}
            either = (*cure("o", units), cures.redrawn(layer, units))
            yield Sign("never_read", units, part.rows("o", "h", units=units), numbers, either, certain=True)
        if units := _few(s["i"].min(axis=0) > OPEN):
            yield Sign(
                "writes_always", units, part.rows("i", units=units),
                {"value": float(s["i"][:, list(units)].min())}, cure("i", units),
            )  # fmt: skip
        yield from _never_back(part, cure)
    new = s["i"] if layer.mode == LSTM else 1 - s["z"]
    if units := _few(new.max(axis=0) < 1 - OPEN):
        numbers = {"value": float(new[:, list(units)].max())}
        rows = part.rows(write, "h", units=units)
        either = (*cure(write, units), cures.redrawn(layer, units))
        yield Sign("never_written", units, rows, numbers, either, certain=True)
    kept = s[keep].mean(axis=0)
    if units := _few((kept < FORGETS) & (kept < LESS * np.median(kept))):
        lasts = float(half_life(kept[list(units)]).max())
        said: dict[str, Any] = {"value": lasts, "length": counted.steps(part.steps)}
        yield Sign("forgets", units, part.rows(keep, units=units), said, cure(keep, units))


def _never_back(part: Part, cure: Any) -> Iterator[Sign]:
    """A cell that grows far beyond all the others."""
    top = np.abs(part.signals["c"]).max(axis=0)
    if len(top) < 2:
        return
    first, second = np.argsort(top)[::-1][:2]
    if top[first] > LARGE and top[first] > FAR * top[second]:
        units = (int(first),)
        numbers = {"value": float(top[first]), "next": float(top[second]), "count": counted.units(len(top))}
        yield Sign("never_back", units, part.rows("c", "f", units=units), numbers, cure("f", units))


def _of_a_layer(module: nn.Module, part: Part) -> Iterator[Sign]:
    s, layer = part.signals, part.layer
    gates = [name for name in s if is_gate(name)]
    if gates:
        values = np.concatenate([s[name].ravel() for name in gates])
        share = Share(((values < 0.01) | (values > 0.99)).mean())
        if share > 0.6:
            yield Sign("saturated_gates", (), part.rows(*gates), {"value": share}, (cures.shrunk(layer, 5.0),))
    if layer.mode == RNN_TANH:
        share = Share((np.abs(s["h"]) > 0.99).mean())
        if share > 0.6:
            yield Sign("saturated", (), part.rows("h"), {"value": share}, (cures.shrunk(layer, 5.0),))
    yield from _short_memory(module, part)


def _short_memory(module: nn.Module, part: Part) -> Iterator[Sign]:
    keeps = [(gate, sign) for gate, sign in cells.get(part.layer.mode).keep_gates.values() if gate in part.signals]
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
