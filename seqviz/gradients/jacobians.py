"""How a small change of the state travels over any number of steps, and what that says.

The state is h, and for an LSTM (h, c), of one layer, direction and batch element; the layer's input is held
fixed, so that in a deeper layer the layers below do not move. Everything is float64 from the gates on, and
products carry a logarithmic scale, so that a lag of thousands of steps neither underflows nor overflows. Vanishing
and exploding products: Pascanu, Mikolov and Bengio 2013, https://arxiv.org/abs/1211.5063.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import nn

from seqviz import vocabulary as words
from seqviz.experiment.interventions import Intervention
from seqviz.gradients.norms import log10_norm
from seqviz.gradients.onestep import Run, read_run
from seqviz.gradients.slopes import LSTMSlopes, gru_slopes, log_gate, lstm_slopes, rnn_slope, to_products
from seqviz.language import tr
from seqviz.trace import Trace

__all__ = [
    "HighwaySplit",
    "StateJacobians",
    "highway_split",
    "state_jacobians",
]

Array = np.ndarray
_LOW, _HIGH = 1e-3, 1e3
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
    run, _ = read_run(module, x, hx, trace, (layer, batch, reverse), interventions)
    is_lstm = run.mode == words.LSTM
    size = run.size
    rows = 2 * size if is_lstm and of == "both" else size
    with np.errstate(over="ignore", invalid="ignore"):  # `problem` says so, once
        slopes = lstm_slopes(run.layer) if is_lstm else None
        back = _lstm_back(run, slopes, rows) if slopes else _gru_back(run) if run.mode == words.GRU else _rnn_back(run)
        on_h, on_c, log_scale = _products(back, run.steps, rows, size, is_lstm)
    blocks: dict[str, Any] = {"h_h": on_h[:, :size], "h_c": None, "c_h": None, "c_c": None, "c_to_h": None}
    if slopes:
        blocks |= {"h_c": on_c[:, :size], "c_to_h": slopes.show[:, 0]}
        if rows > size:
            blocks |= {"c_h": on_h[:, size:], "c_c": on_c[:, size:]}
    return StateJacobians(log_scale, **blocks, step=run.jacobians, problem=run.problem or _overflow(on_h, on_c))


def _overflow(*products: Array) -> str:
    """An overflow stays once it is there, so the first step tells."""
    if all(np.isfinite(p[0]).all() for p in products if p.size):
        return ""
    return tr("One step alone magnifies a change beyond what a double holds.")


Back = Callable[[int, Array, Array, Array, Array], Any]
"""``back(t, p_h, p_c, to_h, to_c)``: ``P J_t`` for the columns of h and of c, ``(rows, H)`` each, put into the
last two; the Jacobian itself is never formed."""


def _rnn_back(run: Run) -> Back:
    slope, w = to_products(run.layer, rnn_slope(run.layer))[:, 0], run.layer.w_hh
    return lambda t, p_h, p_c, to_h, to_c: np.dot(p_h * slope[t], w, out=to_h)


def _gru_back(run: Run) -> Back:
    s = gru_slopes(run.layer)
    keep = s.keep[:, 0]
    through = _Through(to_products(run.layer, np.stack([s.r, s.z, s.n_hh], axis=2))[:, 0], run.layer.w_hh)

    def back(t: int, p_h: Array, p_c: Array, to_h: Array, to_c: Array) -> None:
        np.dot(p_h, through[t], out=to_h)
        np.add(to_h, p_h * keep[t], out=to_h)

    return back


def _lstm_back(run: Run, s: LSTMSlopes, rows: int) -> Back:
    keep, show, w = s.keep[:, 0], s.show[:, 0], run.layer.w_hh
    to_hh = to_products(run.layer, np.stack([s.i, s.f, s.g, s.o], axis=2))[:, 0]
    through_c, to_o, w_o = _Through(to_hh[:, :3], w[: 3 * run.size]), to_hh[:, 3], w[3 * run.size :]
    on_c, on_o, by_o = (np.empty((rows, run.size)) for _ in range(3))

    def back(t: int, p_h: Array, p_c: Array, to_h: Array, to_c: Array) -> None:
        # What leaves h through tanh(c) joins what is already on c.
        np.multiply(p_h, show[t], out=on_c)
        np.add(on_c, p_c, out=on_c)
        np.multiply(p_h, to_o[t], out=on_o)
        np.dot(on_c, through_c[t], out=to_h)
        np.dot(on_o, w_o, out=by_o)
        np.add(to_h, by_o, out=to_h)
        np.multiply(on_c, keep[t], out=to_c)

    return back


class _Through:
    """``diag(a_t) W`` summed over gates, ``(H, H)`` at step t: one product by it replaces one for each gate.

    Formed for a block of steps at a time, by one small product for each unit.
    """

    _STEPS = 32

    def __init__(self, slopes: Array, weight: Array) -> None:
        """From slopes ``(L, gates, H)`` and ``weight`` ``(gates*H, H)``."""
        self._slopes = slopes.transpose(2, 0, 1).copy()  # (H, L, gates)
        self._blocks = np.stack(np.split(weight, slopes.shape[1]), axis=1)  # (H, gates, H)
        self._first, self._formed = len(slopes), np.empty((0, 0, 0))

    def __getitem__(self, t: int) -> Array:
        if not self._first <= t < self._first + len(self._formed):
            self._first = max(0, t + 1 - self._STEPS)
            formed = np.matmul(self._slopes[:, self._first : t + 1], self._blocks)
            self._formed = formed.transpose(1, 0, 2).copy()
        return self._formed[t - self._first]


def _products(back: Back, steps: int, rows: int, size: int, is_lstm: bool) -> tuple[Array, Array, Array]:
    """The first `rows` rows of ``P_t = J_T ... J_{t+1}``: ``(L, rows, H)`` on h and on c, and the logs taken out.

    Without a cell state the part on c is ``(L, 0, H)``.
    """
    on_h, on_c = np.empty((steps, rows, size)), np.empty((steps, rows if is_lstm else 0, size))
    log_scale = np.zeros(steps)
    on_h[-1], on_c[-1] = np.eye(rows, size), np.eye(on_c.shape[1], size, -size)
    for t in range(steps - 2, -1, -1):
        h, c = on_h[t], on_c[t]
        back(t + 1, on_h[t + 1], on_c[t + 1], h, c)
        log_scale[t] = log_scale[t + 1]
        most = (np.vdot(h, h) + np.vdot(c, c)) ** 0.5
        if _LOW < most < _HIGH:
            continue
        if not 0 < most < np.inf:  # a square can leave the doubles where the number does not
            most = max(np.abs(h).max(), np.abs(c).max(initial=0.0))
        if 0 < most < np.inf:
            h /= most
            c /= most
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
    run, trace = read_run(module, x, hx, trace, (layer, batch, reverse), interventions)
    if run.mode != words.LSTM:
        cell = words.CELL_LABELS[run.mode]
        raise ValueError(tr("Only an LSTM has a cell-state highway; this is {cell}.", cell=cell))
    where: dict[str, Any] = {"layer": layer, "batch": batch, "reverse": reverse, "interventions": interventions}
    found = jacobians or state_jacobians(module, x, hx, trace=trace, **where)
    if found.c_c is None or found.c_h is None:
        raise ValueError(tr("The highway needs the rows of c_T: state_jacobians(..., of='both')."))
    slopes = lstm_slopes(run.layer)
    keep = slopes.keep[:, 0]
    log_keep = _log_keep(run, keep)
    log_direct = _from_the_end(np.add, log_keep, 0.0)
    direct = np.exp(log_direct - found.log_scale[:, None]) * _from_the_end(np.multiply, np.sign(keep), 1.0)
    rest = found.c_c.copy()
    diagonal = np.arange(rest.shape[1])
    enters = found.c_h[:, diagonal, diagonal] * slopes.show[:, 0]
    rest[:, diagonal, diagonal] = _rest_on_diagonal(enters, np.sign(keep), log_keep, found.log_scale)
    return HighwaySplit(found.log_scale, direct, rest, log_direct)


def _log_keep(run: Run, keep: Array) -> Array:
    """The natural logarithm of what each step keeps of c, ``(L, H)``, its sign left out."""
    if run.layer.gains:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(np.abs(keep))
    return log_gate(run.layer, "f")[:, 0]


def _from_the_end(add: np.ufunc, values: Array, nothing: float) -> Array:
    """Values ``(L, H)`` put together from step t+1 to the last, for every t."""
    after = np.concatenate([values[1:], np.full_like(values[:1], nothing)])
    found: Array = add.accumulate(after[::-1], axis=0)[::-1]
    return found


def _rest_on_diagonal(enters: Array, sign: Array, log_keep: Array, log_scale: Array) -> Array:
    """The diagonal of the rest ``(L, H)`` by its own recursion; as total minus highway it would be rounding noise
    wherever the highway is nearly all there is. `enters`: what goes by h, the diagonal of ``d c_T / d h_t`` times
    dh_t/dc_t; what a step keeps of c by its sign and logarithm."""
    rest = np.zeros_like(enters)
    keeps = sign * np.exp(log_keep + np.diff(log_scale, prepend=log_scale[:1])[:, None])
    for t in range(len(rest) - 1, 0, -1):
        rest[t - 1] = (rest[t] + enters[t]) * keeps[t]
    return rest
