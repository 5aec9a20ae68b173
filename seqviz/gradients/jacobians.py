"""How a small change of the state travels over any number of steps, and what that says.

The state is h, and for an LSTM (h, c), of one layer, direction and batch element; the layer's input is held
fixed, so that in a deeper layer the layers below do not move. Everything is float64 from the gates on, and
products carry a logarithmic scale, so that a lag of thousands of steps neither underflows nor overflows. Vanishing
and exploding products: Pascanu, Mikolov and Bengio 2013, https://arxiv.org/abs/1211.5063.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from torch import nn

from seqviz.cells import road
from seqviz.cells.ran import Ran
from seqviz.cells.roads import Back
from seqviz.cells.slopes import gained, log_gate
from seqviz.experiment.interventions import Intervention
from seqviz.gradients.norms import log10_norm
from seqviz.gradients.onestep import as_it_ran, jacobians_of, overflow_of
from seqviz.language import tr
from seqviz.trace import Trace

__all__ = [
    "HighwaySplit",
    "StateJacobians",
    "highway_of_run",
    "highway_split",
    "jacobians_of_run",
    "state_jacobians",
]

Array = np.ndarray
_LOW, _HIGH = 1e-3, 1e3
_FORMED = 32
"""Jacobians that are formed at a time, of a cell without a road of its own."""
_BLOCKS = ("h_h", "h_c", "c_h", "c_c", "c_total")


@dataclass(frozen=True, eq=False)
class StateJacobians:
    """Products of step Jacobians from every step to the last.

    ``d h_T / d h_t = exp(log_scale[t]) * h_h[t]``, and so on: blocks ``(L, H, H)`` with entries of ordinary
    size, ``log_scale`` ``(L,)`` natural logarithms. ``h_c``, ``c_h``, ``c_c`` are None but for an LSTM.
    ``step(index)`` gives single step Jacobians ``(len(index), S, S)``. ``problem`` is a sentence where the run
    overflowed, and then blocks hold NaN; else it is empty.

    Two derivatives of c_T with respect to c_t are in use and both are here: ``c_c`` holds h_t fixed, as one
    step of the recursion does ("direct"); :meth:`c_total` lets c_t move h_t too, ``M_cc + M_ch diag(o(1 -
    tanh(c)^2))``, which is what dL/dc_t of a loss means.
    """

    log_scale: Array
    h_h: Array = field(repr=False)
    h_c: Array | None = field(repr=False)
    c_h: Array | None = field(repr=False)
    c_c: Array | None = field(repr=False)
    c_to_h: Array | None = field(repr=False)
    step: Callable[[Any], Array] = field(repr=False)
    problem: str = ""

    def c_total(self) -> Array:
        """``d c_T / d c_t`` with h_t moving along, ``(L, H, H)``, on the scale of ``log_scale``."""
        if self.c_c is None or self.c_h is None or self.c_to_h is None:
            raise ValueError(tr("d c_T / d c_t needs an LSTM, and the rows of c_T: of='both'."))
        return self.c_c + self.c_h * self.c_to_h[:, None, :]

    def log10_norms(self, block: str = "h_h", kind: str = "spectral") -> Array:
        """log10 of the norm of a block at every step, ``(L,)``; -inf where it is exactly 0, NaN after an overflow.

        `block`: ``h_h``, ``h_c``, ``c_h``, ``c_c`` or ``c_total``. `kind`: ``spectral`` or ``frobenius``.
        """
        if kind not in ("spectral", "frobenius"):
            raise ValueError(tr("The kind of norm must be spectral or frobenius, not {kind!r}.", kind=kind))
        if kind == "frobenius":
            return log10_norm(self._block(block), (1, 2)) + self.log_scale / np.log(10.0)
        return _log10(_finite(_largest_singular, self._block(block)), self.log_scale)

    def log10_singular_values(self, block: str = "h_h", every: int = 1) -> Array:
        """log10 of all singular values, ``(ceil(L / every), H)``, largest first.

        A double has 16 digits: those some 15 powers of ten below the largest at their step are made of rounding.
        """
        values = _finite(lambda a: np.linalg.svd(a, compute_uv=False), self._block(block)[::every])
        return _log10(values, self.log_scale[::every, None])

    def _block(self, block: str) -> Array:
        if block not in _BLOCKS:
            known = ", ".join(_BLOCKS)
            raise ValueError(tr("The block must be one of {known}, not {block!r}.", known=known, block=block))
        values = self.c_total() if block == "c_total" else getattr(self, block)
        if values is None:
            if self.c_to_h is None:
                raise ValueError(tr("{block} needs an LSTM.", block=block))
            raise ValueError(tr("{block} needs an LSTM, and the rows of c_T: of='both'.", block=block))
        return values

    def eigenvalues(self, steps: Any = None) -> Array:
        """Eigenvalues of single step Jacobians, complex ``(len(steps), S)``; of all steps by default."""
        return _finite(np.linalg.eigvals, self.step(slice(None) if steps is None else np.asarray(steps)))


def _finite(compute: Callable[[Array], Array], matrices: Array) -> Array:
    """`compute` on a stack ``(L, H, H)``; NaN for a matrix that is not finite, where LAPACK would raise."""
    bad = ~np.isfinite(matrices).all(axis=(1, 2))
    if not bad.any():
        return compute(matrices)
    found = compute(np.where(bad[:, None, None], 0.0, matrices))
    found[bad] = np.nan
    return found


def _largest_singular(matrices: Array) -> Array:
    found: Array = np.linalg.norm(matrices, ord=2, axis=(1, 2))
    return found


def _log10(values: Array, log_scale: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.log10(values) + log_scale / np.log(10.0)


def state_jacobians(
    module: nn.Module,
    x: Any,
    hx: Any = None,
    *,
    trace: Trace | None = None,
    layer: int = 0,
    batch: int = 0,
    reverse: bool = False,
    of: str = "both",
    interventions: Iterable[Intervention] = (),
) -> StateJacobians:
    """``d h_T / d h_t``, ``d c_T / d c_t`` and the mixed blocks for every t, T the last step to be processed.

    The slopes of gates near 0 or 1 are taken from their pre-activations, and are right however small they are. States
    are as exact as the module's precision: give a float64 module where that matters.

    Args:
        module, x, hx, trace, layer, batch, reverse, interventions: as for :func:`seqviz.step_jacobians`.
        of: ``"h"`` carries the rows of h_T only, at half the price; ``"both"`` also those of c_T.

    Returns:
        A :class:`StateJacobians`, in the order of processing. At t = T the blocks are the identity (or 0).

    Raises:
        ValueError: no such state, several recurrent modules, or an LSTM with a projection.
    """
    if of not in ("h", "both"):
        raise ValueError(tr("of must be 'h' or 'both', not {of!r}.", of=of))
    ran, _ = as_it_ran(module, x, hx, trace, (layer, batch, reverse), interventions)
    return jacobians_of_run(ran, of)


def jacobians_of_run(ran: Ran, of: str = "both") -> StateJacobians:
    """:func:`state_jacobians` of a layer as it ran, with N = 1."""
    widths = [ran.before[state].shape[2] for state in ran.cell.states]
    if "h" not in ran.cell.states:
        says = tr("{cell} carries nothing of h to the next step: it has no d h_T / d h_t.", cell=ran.cell.label)
        raise ValueError(says)
    size, others = widths[0], sum(widths[1:])
    rows = size + others if of == "both" else size
    with np.errstate(over="ignore", invalid="ignore"):  # `problem` says so, once
        back = ran.cell.roads.back(ran, rows) if ran.cell.roads.back else _by_jacobians(ran, size)
        on_h, on_others, log_scale = _products(back, ran.steps, rows, (size, others))
        c_to_h = road.within(_values(ran), "h", "c", gains=ran.gains) if "c" in ran.cell.states else None
    blocks: dict[str, Any] = {"h_h": on_h[:, :size], "h_c": None, "c_h": None, "c_c": None, "c_to_h": c_to_h}
    if "c" in ran.cell.states:
        start = sum(widths[1 : ran.cell.states.index("c")])
        c = slice(start, start + ran.before["c"].shape[2])
        blocks["h_c"] = on_others[:, :size, c]
        if rows > size:
            own = slice(size + c.start, size + c.stop)
            blocks |= {"c_h": on_h[:, own], "c_c": on_others[:, own, c]}
    problem = overflow_of(ran) or _overflow(on_h, on_others)
    return StateJacobians(log_scale, **blocks, step=partial(jacobians_of, ran), problem=problem)


def _values(ran: Ran) -> road.Values:
    return road.Values(ran.cell, ran.nodes.weights, ran.nodes)


def _by_jacobians(ran: Ran, size: int) -> Back:
    """The way back of any cell, by its Jacobians themselves, formed a few steps at a time."""
    formed: dict[int, Array] = {}

    def back(t: int, p_h: Array, p_o: Array, to_h: Array, to_o: Array) -> None:
        if t not in formed:
            formed.clear()
            first = max(0, t + 1 - _FORMED)
            formed.update(zip(range(first, t + 1), jacobians_of(ran, slice(first, t + 1)), strict=True))
        j = formed[t]
        if len(j) == size:
            np.matmul(p_h, j, out=to_h)
            return
        np.add(p_h @ j[:size, :size], p_o @ j[size:, :size], out=to_h)
        np.add(p_h @ j[:size, size:], p_o @ j[size:, size:], out=to_o)

    return back


def _overflow(*products: Array) -> str:
    """An overflow stays once it is there, so the first step tells."""
    if all(np.isfinite(p[0]).all() for p in products if p.size):
        return ""
    return tr("One step alone magnifies a change beyond what a double holds.")


def _products(back: Back, steps: int, rows: int, sizes: tuple[int, int]) -> tuple[Array, Array, Array]:
    """The first `rows` rows of ``P_t = J_T ... J_{t+1}``: on h and on the other states, ``(L, rows, ·)``, and the logs
    taken out.

    Without other states the part on them is ``(L, 0, H)``.
    """
    size, others = sizes
    on = np.empty((steps, rows * (size + others)))  # a step's numbers side by side: one scale, and one look at them
    on_h = on[:, : rows * size].reshape(steps, rows, size)
    on_c = on[:, rows * size :].reshape(steps, rows if others else 0, others or size)
    log_scale = np.zeros(steps)
    on_h[-1], on_c[-1] = np.eye(rows, size), np.eye(*on_c.shape[1:], -size)
    for t in range(steps - 2, -1, -1):
        back(t + 1, on_h[t + 1], on_c[t + 1], on_h[t], on_c[t])
        log_scale[t] = log_scale[t + 1]
        both = on[t]
        most = np.vdot(both, both) ** 0.5
        if _LOW < most < _HIGH:
            continue
        if not 0 < most < np.inf:  # a square can leave the doubles where the number does not
            most = np.abs(both).max()
        if 0 < most < np.inf:
            both /= most
            log_scale[t] += np.log(most)
    return on_h, on_c, log_scale


@dataclass(frozen=True, eq=False)
class HighwaySplit:
    """``d c_T / d c_t`` with h_t held fixed, as the direct path and the rest.

    ``total = exp(log_scale) * (diag(direct) + rest)``: `direct` ``(L, H)``, `rest` ``(L, H, H)``. `log_direct`
    ``(L, H)`` is the sum of ln f from t+1 to T, good at any lag and for any gate: f is taken from its
    pre-activation where it is rounded to 0 or 1. Under interventions f is what a step keeps of c, in absolute value.
    """

    log_scale: Array
    direct: Array = field(repr=False)
    rest: Array = field(repr=False)
    log_direct: Array = field(repr=False)

    def log10_norms(self) -> tuple[Array, Array, Array]:
        """log10 of the Frobenius norms of the direct path, the rest and the total, each ``(L,)``."""
        high = self.log_direct.max(axis=1, keepdims=True)
        finite = np.where(np.isfinite(high), high, 0.0)
        direct = log10_norm(np.exp(self.log_direct - finite), 1) + finite[:, 0] / np.log(10.0)
        total = self.rest.copy()
        diagonal = np.arange(total.shape[1])
        total[:, diagonal, diagonal] += self.direct
        rest, whole = (log10_norm(a, (1, 2)) + self.log_scale / np.log(10.0) for a in (self.rest, total))
        return direct, rest, np.where(np.isneginf(whole), direct, whole)


def highway_split(
    module: nn.Module,
    x: Any,
    hx: Any = None,
    *,
    trace: Trace | None = None,
    layer: int = 0,
    batch: int = 0,
    reverse: bool = False,
    jacobians: StateJacobians | None = None,
    interventions: Iterable[Intervention] = (),
) -> HighwaySplit:
    """Split an LSTM's ``d c_T / d c_t`` into the cell-state highway, the product of forget gates, and the rest.

    The highway is the constant error carousel of Hochreiter and Schmidhuber 1997,
    https://doi.org/10.1162/neco.1997.9.8.1735, with a forget gate on it; the rest are all paths that leave the
    cell through h and come back.

    Args:
        module, x, hx, trace, layer, batch, reverse, interventions: as for :func:`seqviz.step_jacobians`.
        jacobians: from :func:`state_jacobians` on the same run, if they are there already.

    Raises:
        ValueError: the network is no LSTM, or `jacobians` lack the rows of c_T.
    """
    ran, trace = as_it_ran(module, x, hx, trace, (layer, batch, reverse), interventions)
    return highway_of_run(ran, jacobians)


def highway_of_run(ran: Ran, jacobians: StateJacobians | None = None) -> HighwaySplit:
    """:func:`highway_split` of a layer as it ran, with N = 1."""
    gate = _highway_gate(ran)
    found = jacobians or jacobians_of_run(ran, "both")
    if found.c_c is None or found.c_h is None:
        raise ValueError(tr("The highway needs the rows of c_T: state_jacobians(..., of='both')."))
    keep = gained(ran.signals[gate], ran, "c")[:, 0]
    log_keep = _log_keep(ran, gate, keep)
    log_direct = _from_the_end(np.add, log_keep, 0.0)
    direct = np.exp(log_direct - found.log_scale[:, None]) * _from_the_end(np.multiply, np.sign(keep), 1.0)
    rest = found.c_c.copy()
    diagonal = np.arange(rest.shape[1])
    if (ways := _ways(ran, keep)) is not None:
        on_h = found.c_h[:, diagonal, diagonal]
        own = _rest_on_diagonal(ways, on_h, direct, (np.sign(keep), log_keep), found.log_scale)
        rest[:, diagonal, diagonal] = own
    else:
        rest[:, diagonal, diagonal] -= direct
    return HighwaySplit(found.log_scale, direct, rest, log_direct)


class _Ways(NamedTuple):
    """What a step makes of c beside keeping it, each ``(L, H)``: ``show`` dh_t/dc_t, ``more`` dc_t/dc_{t-1} by other
    ways than the keeping gate's factor (a peephole), ``aside`` dh_t/dc_{t-1} by ways that do not pass c_t."""

    show: Array
    more: Array
    aside: Array


def _ways(ran: Ran, keep: Array) -> _Ways | None:
    """None where units mix on the way."""
    values, gains = _values(ran), ran.gains
    show = road.within(values, "h", "c", gains=gains)
    whole = road.within(values, "c", "c", gains=gains, before=True)
    aside = road.within(values, "h", "c", gains=gains, before=True, past="c")
    return None if show is None or whole is None or aside is None else _Ways(show, whole - keep, aside)


def _highway_gate(ran: Ran) -> str:
    """The gate that keeps c.

    Raises:
        ValueError: no gate does.
    """
    gate, sign = ran.cell.keep_gates.get("c", ("", 0))
    if sign != 1:
        cell = ran.cell.label
        raise ValueError(tr("Only an LSTM has a cell-state highway; this is {cell}.", cell=cell))
    return gate


def _log_keep(ran: Ran, gate: str, keep: Array) -> Array:
    """The natural logarithm of what each step keeps of c, ``(L, H)``, its sign left out."""
    if ran.gains or gate not in ran.cell.gates:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(np.abs(keep))
    return log_gate(ran, gate)[:, 0]


def _from_the_end(add: np.ufunc, values: Array, nothing: float) -> Array:
    """Values ``(L, H)`` put together from step t+1 to the last, for every t."""
    after = np.concatenate([values[1:], np.full_like(values[:1], nothing)])
    found: Array = add.accumulate(after[::-1], axis=0)[::-1]
    return found


def _rest_on_diagonal(ways: _Ways, on_h: Array, direct: Array, keep: tuple[Array, Array], log_scale: Array) -> Array:
    """The diagonal of the rest ``(L, H)`` by its own recursion; as total minus highway it would be rounding noise
    wherever the highway is nearly all there is. `on_h`: the diagonal of ``d c_T / d h_t``; what a step keeps of c by
    its sign and logarithm."""
    rest = np.zeros_like(on_h)
    grown = np.diff(log_scale, prepend=log_scale[:1])[:, None]
    keeps, grown = keep[0] * np.exp(keep[1] + grown), np.exp(grown)
    enters, more = on_h * ways.show, ways.more * grown
    besides = direct * more + on_h * ways.aside * grown
    for t in range(len(rest) - 1, 0, -1):
        rest[t - 1] = (rest[t] + enters[t]) * (keeps[t] + more[t]) + besides[t]
    return rest
