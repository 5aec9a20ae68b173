"""Changes of a network that may cure it. Each makes a changed copy."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from seqviz import cells
from seqviz.capture.precision import twin
from seqviz.cells import Cell
from seqviz.doctor.finding import Cure
from seqviz.language import tr, trn
from seqviz.telling.numbers import short

__all__ = ["Layer", "Standardised", "bias", "biases", "chrono", "clip", "redrawn", "shrunk", "standardised", "tamed"]

SEED = 0
"""Of what is drawn in a cure."""


class Layer:
    """One layer of a recurrent module, by its path and the end of its parameters' names, in any copy of the module.

    Args:
        path: of the recurrent module.
        end: of its parameters' names, ``l0``.
        mode: the name of its cell.
        size: its units.
        cell: whether it is one of torch's cells, whose parameters' names have no end.
        kind: its cell, where that is none of the registered ones.
    """

    def __init__(
        self, path: str, end: str, mode: str, size: int, *, cell: bool = False, kind: Cell | None = None
    ) -> None:
        self.path, self.end, self.mode, self.size = path, end, mode, size
        self.kind = kind or cells.get(mode)
        self._suffix = "" if cell else f"_{end}"

    def parameter(self, module: nn.Module, name: str) -> Tensor | None:
        """``weight_ih``, ``bias_hh`` and so on; None where the layer has none."""
        found: Tensor | None = getattr(module.get_submodule(self.path), f"{name}{self._suffix}", None)
        return found

    def blocks(self, module: nn.Module, weights: Sequence[str]) -> list[Tensor]:
        """Weights by their names in the cell's lines, as views of the parameters that hold them; not those it lacks."""
        places = [self.kind.place(weight, self.size) for weight in weights]
        found = [(self.parameter(module, name), rows) for name, rows in places]
        return [whole[rows] for whole, rows in found if whole is not None]

    def drawn(self) -> list[str]:
        """The weights that are drawn and trained and have a row a unit, parameter by parameter."""
        kind = self.kind
        every = (weight for rows in kind.packing.values() for weight in rows)
        return [weight for weight in every if kind.shapes[weight][0] == "H" and weight not in kind.fixed]

    def bias(self, module: nn.Module, gate: str) -> Tensor | None:
        """The bias of a gate, ``(H,)``, both of torch's together; None where there is none."""
        parts = self.blocks(module, self.kind.biases_of(gate))
        return torch.stack([part.detach() for part in parts]).sum(0) if parts else None

    def set_bias(self, module: nn.Module, gate: str, units: Any, value: Any) -> None:
        """Give units of a gate a bias, in the first of torch's two."""
        for k, part in enumerate(self.blocks(module, self.kind.biases_of(gate))):
            part[units] = 0.0 if k else value


def _changed(change: Callable[[nn.Module], None], module: nn.Module) -> nn.Module:
    copy = twin(module)
    with torch.no_grad():
        change(copy)
    return copy


def bias(module: nn.Module, layer: Layer, gate: str, units: Sequence[int]) -> Cure | None:
    """Gives some units the median bias of the others; None where there is no bias, or no other unit."""
    own = layer.bias(module, gate)
    others = [k for k in range(layer.size) if k not in units]
    if own is None or not others:
        return None
    value = float(own[others].median())

    def change(copy: nn.Module) -> None:
        layer.set_bias(copy, gate, list(units), value)

    name = tr("Bias of the {gate}: {value}", gate=layer.kind.labels[gate].name, value=short(value))
    return Cure(name, partial(_changed, change))


def biases(module: nn.Module, layer: Layer, units: Sequence[int]) -> Cure | None:
    """Gives all gates of some units the median biases of the others; None where there is no bias, or no other unit."""
    each = [bias(module, layer, gate, units) for gate in layer.kind.blocks]
    if not each or any(cure is None for cure in each):
        return None

    def change(module: nn.Module) -> nn.Module:
        for cure in each:
            module = cure.change(module) if cure is not None else module
        return module

    return Cure(tr("Biases of all gates: those of the other units"), change)


def redrawn(layer: Layer, units: Sequence[int]) -> Cure:
    """Draws what comes into some units anew, as torch would: from U(-1/sqrt(H), 1/sqrt(H))."""

    def change(copy: nn.Module) -> None:
        bound, draw = 1 / math.sqrt(layer.size), torch.Generator().manual_seed(SEED)
        for part in layer.blocks(copy, layer.drawn()):
            fresh = torch.empty(part[list(units)].shape).uniform_(-bound, bound, generator=draw)
            part[list(units)] = fresh.to(part)

    name = trn("The weights into the unit drawn anew", "The weights into {count} units drawn anew", len(units))
    return Cure(name, partial(_changed, change), trained=True)


def chrono(module: nn.Module, layer: Layer, steps: int) -> Cure | None:
    """Biases for memories of every length up to the sequences', log U(1, T - 1) (Tallec and Ollivier 2018)."""
    cell = layer.kind
    keeps = {state: kept for state, kept in cell.keep_gates.items() if layer.bias(module, kept[0]) is not None}
    if not keeps:
        return None

    def change(copy: nn.Module) -> None:
        draw = torch.Generator().manual_seed(SEED)
        for state, (gate, sign) in keeps.items():
            keep = torch.empty(layer.size).uniform_(1.0, max(3, steps) - 1.0, generator=draw).log_()
            layer.set_bias(copy, gate, slice(None), sign * keep)
            if state in cell.write_gates:
                layer.set_bias(copy, cell.write_gates[state], slice(None), -keep)

    name = trn("Chrono biases for {count} step", "Chrono biases for {count} steps", steps)
    return Cure(name, partial(_changed, change), trained=True)


def shrunk(layer: Layer, factor: float) -> Cure:
    """Divides the layer's weights and biases, so that its sums are of the size that the squashing tells apart."""

    def change(copy: nn.Module) -> None:
        for part in layer.blocks(copy, layer.drawn()):
            part.div_(factor)

    name = tr("The layer's weights divided by {factor}", factor=short(factor))
    return Cure(name, partial(_changed, change), trained=True)


def tamed(module: nn.Module, layer: Layer, *, trained: bool) -> Cure | None:
    """Scales the recurrent weights to a spectral radius of 1; None where theirs is not above that."""
    whole = layer.parameter(module, "weight_hh")
    if whole is None or whole.shape[0] != whole.shape[1]:
        return None
    radius = float(torch.linalg.eigvals(whole.detach().double()).abs().max())
    if not radius > 1.0:
        return None

    def change(copy: nn.Module) -> None:
        weight = layer.parameter(copy, "weight_hh")
        assert weight is not None
        weight.div_(radius)

    name = tr("Recurrent weights divided by {radius}, to a spectral radius of 1", radius=short(radius))
    return Cure(name, partial(_changed, change), trained=trained)


def clip(at: float = 1.0) -> Cure:
    """Clips the norm of the gradient while it is trained (Pascanu, Mikolov and Bengio 2013)."""
    return Cure(tr("The gradient's norm clipped at {at}", at=short(at)), twin, clip=at, trained=True)


class Standardised(nn.Module):
    """A module whose input is standardised first, feature by feature."""

    def __init__(self, module: nn.Module, mean: Tensor, spread: Tensor) -> None:
        super().__init__()
        self.module = module
        self.mean: Tensor
        self.spread: Tensor
        self.register_buffer("mean", mean)
        self.register_buffer("spread", spread)
        self.training = module.training

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        """``x`` with its features on the last axis, and whatever else the module takes."""
        return self.module(self.scaled(x), *args, **kwargs)

    def scaled(self, x: Tensor) -> Tensor:
        """An input with its features on the last axis as the module itself takes it."""
        return (x - self.mean.to(x)) / self.spread.to(x)

    def folded(self) -> nn.Module:
        """One of our networks with the same outputs: what is done to the inputs is done by its weights."""
        copy = twin(self.module)
        rnn: Any = copy.rnn
        with torch.no_grad():
            weight = rnn.weight_ih_l0
            weight.div_(self.spread.to(weight))
            rnn.bias_ih_l0.sub_(weight @ self.mean.to(weight))
        return copy


def standardised(mean: Tensor, spread: Tensor) -> Cure:
    """Brings every input to mean 0 and spread 1; a constant one only to mean 0."""

    def change(module: nn.Module) -> nn.Module:
        return Standardised(twin(module), mean, torch.where(spread > 0, spread, 1.0))

    return Cure(tr("Inputs standardised: mean 0, spread 1"), change, trained=True)
