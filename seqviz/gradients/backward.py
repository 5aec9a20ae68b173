"""The recursions that carry a gradient back through one layer, from the gates alone and with no graph.

Backpropagation through time as written out by hand in the file of each of torch's cells, :mod:`seqviz.cells.lstm` and
its sisters; of a cell without, what follows from its lines. Everything is time first and in the order of processing;
``e`` is what reaches the states from outside the recursion.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from seqviz.cells import road
from seqviz.cells.ran import Pulled, Ran
from seqviz.gradients.norms import log10_norm

__all__ = ["backward", "log10_backward", "rounded_away"]

Array = np.ndarray
_LOG2 = float(np.log10(2.0))


def backward(ran: Ran, e: Mapping[str, Array]) -> Pulled:
    """Carry ``e`` back through a layer: by state ``(L, N, H)``, that of h always among them.

    A step that the loss does not reach has the gradient 0, whatever the network did there.
    """
    return (ran.cell.roads.pull or road.pull_back)(ran, e)


def rounded_away(ran: Ran) -> bool:
    """Whether a slope that is not 0 was rounded to 0, being below what a double holds: at ``|a|`` of 373 or more."""
    found = (ran.cell.roads.slopes or road.squashed)(ran)
    return any(bool((slope == 0).any()) for slope in found)


_STRETCH = 16
"""Steps between two looks at the size of what is carried: it may change by 18 decades at each."""


def log10_backward(ran: Ran, e: Array) -> dict[str, Array]:
    """log10 of the norms of the gradient at h and at every other state, ``(L,)`` each, however far beyond a double.

    The recursion is linear: what goes on from one stretch of steps to the one before it is brought back to ordinary
    size, and the exponent kept. -inf where every gradient is 0. For a run of valid steps only, in float64; ``e``
    ``(L, N, H)`` is what reaches h from outside.
    """
    steps, names = len(e), dict.fromkeys(("h", *ran.cell.states))
    logs = {name: np.empty(steps) for name in names}
    carried: dict[str, Array] = {}
    taken_out = 0
    for stop in range(steps, 0, -_STRETCH):
        span = slice(max(0, stop - _STRETCH), stop)
        given = {"h": np.ldexp(e[span], -taken_out)}
        for state, gradient in carried.items():
            given.setdefault(state, np.zeros((len(e[span]), *gradient.shape)))[-1] += gradient
        found = backward(ran.at(span), given)
        for name, log in logs.items():
            log[span] = log10_norm(found.at[name], (1, 2)) + taken_out * _LOG2
        size = max((np.abs(part).max(initial=0.0) for part in found.initial.values()), default=0.0)
        exponent = int(np.frexp(size)[1]) if np.isfinite(size) else 0
        taken_out += exponent
        carried = {state: np.ldexp(gradient, -exponent) for state, gradient in found.initial.items()}
    return logs
