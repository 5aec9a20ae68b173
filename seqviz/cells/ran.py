"""One layer and direction as it ran: the one value that gradients, Jacobians and what follows from them are made of.

Shapes in torch's letters: ``L`` steps, ``N`` batch, ``H_in`` input size, ``H`` hidden size, ``P`` projection size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from seqviz.cells.cell import Cell
from seqviz.cells.nodes import Nodes

__all__ = ["Pulled", "Ran", "rows"]

Array = np.ndarray[Any, np.dtype[Any]]
Pair = tuple[Array, Array | None]


@dataclass(frozen=True, eq=False)
class Ran:
    """A layer and direction as it ran, in the order of processing.

    Args:
        cell: what it computes; of a layer with a projection :meth:`Cell.projected`.
        x: ``(L, N, H_in)``.
        signals: its gates and states ``(L, N, H)``, and as far as they are known those before the squashing
            (``f_pre``, ``f_ih``, ``f_hh``; ``h_pre`` of a projection).
        before: by state, its values before each step ``(L, N, H)``.
        weights: packed and named as torch does, without the layer: ``weight_ih`` ``(G*H, H_in)``, ``weight_hh``
            ``(G*H, P or H)``, ``bias_ih``, ``bias_hh`` ``(G*H,)``, ``weight_hr`` ``(P, H)``; what the cell does not
            pack has its name in the lines. A bias that is not there is left out.
        valid: ``(L, N)``, false on padding, or None where every step is valid.
        gains: for a run with interventions: by signal (``f``, ``f_pre``, ``f_ih``, ``f_hh``, ``h``, ...) the factor by
            which a gradient is multiplied on its way from the signal's value after the edit to that before it, of a
            shape that broadcasts to the signal's: 0 where it was held, s where it was scaled by s, 1 where it was
            left alone. A signal that is not named was left alone. Values are those after the edits, and every signal
            must be there.
    """

    cell: Cell
    x: Array
    signals: Mapping[str, Array]
    before: Mapping[str, Array]
    weights: Mapping[str, Array]
    valid: Array | None = None
    gains: Mapping[str, Array] | None = None

    @property
    def steps(self) -> int:
        """How many there were."""
        return len(self.x)

    @cached_property
    def w_ih(self) -> Array:
        """``(G*H, H_in)``."""
        return self.weights["weight_ih"]

    @cached_property
    def w_hh(self) -> Array:
        """``(G*H, P or H)``."""
        return self.weights["weight_hh"]

    @cached_property
    def w_hr(self) -> Array | None:
        """``(P, H)`` of a projection."""
        return self.weights.get("weight_hr")

    @cached_property
    def nodes(self) -> Nodes:
        """Every value of every step, computed from the signals where it is asked for."""
        return Nodes(self.cell, named(self.cell, self.weights), self.x, self.before, self.signals, self.weights)

    def at(self, index: Any) -> Ran:
        """Some of its steps."""
        return replace(
            self,
            x=self.x[index],
            signals={name: values[index] for name, values in self.signals.items()},
            before={state: values[index] for state, values in self.before.items()},
            valid=None if self.valid is None else self.valid[index],
            gains=self.gains and {n: g[index] if len(g) > 1 else g for n, g in self.gains.items()},
        )


@dataclass(frozen=True)
class Pulled:
    """A gradient on its way back through a layer, everything that follows included.

    In a run with interventions each is the gradient at the value after the edit, but for the factors, which are at the
    products themselves, before anything is done to them: those that make the weights' gradients.

    Args:
        at: by state and by pre-activation (``h``, ``c``, ``f_pre``), ``(L, N, H)``.
        x: ``(L, N, H_in)``.
        initial: by state, at its values before the first step ``(N, H)``.
        factors: by parameter, packed or by its name in the lines, what its gradient at each step is the product of:
            ``(L, N, rows)`` and ``(L, N, columns)``, or None for a vector, whose gradient is the first alone.
    """

    at: Mapping[str, Array]
    x: Array
    initial: Mapping[str, Array]
    factors: Mapping[str, Pair] = field(default_factory=dict)

    @property
    def weights(self) -> dict[str, Array]:
        """The gradients of the parameters that :attr:`factors` names, over all steps."""
        return {
            name: rows(left).sum(axis=0) if right is None else rows(left).T @ rows(right)
            for name, (left, right) in self.factors.items()
        }


def named(cell: Cell, packed: Mapping[str, Array]) -> dict[str, Array]:
    """A layer's weights by their names in the lines."""
    found = cell.unpack(packed)
    return found | {"W_hr": packed["weight_hr"]} if "weight_hr" in packed else found


def rows(array: Array) -> Array:
    """``(L, N, A)`` as ``(L * N, A)``."""
    return array.reshape(-1, array.shape[-1])
