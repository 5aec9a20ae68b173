"""Lyapunov exponents: how fast small changes of the state grow or shrink in the long run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from torch import nn

from seqviz.cells.ran import Ran
from seqviz.experiment.interventions import Intervention
from seqviz.gradients.norms import norm
from seqviz.gradients.onestep import as_it_ran, jacobians_of, overflow_of
from seqviz.language import tr, trn
from seqviz.trace import Trace

__all__ = ["lyapunov_exponents", "mean_log_determinant"]

Array = np.ndarray


def lyapunov_exponents(
    module: nn.Module,
    x: Any,
    hx: Any = None,
    *,
    trace: Trace | None = None,
    layer: int = 0,
    batch: int = 0,
    reverse: bool = False,
    count: int | None = None,
    interventions: Iterable[Intervention] = (),
) -> Array:
    """The average growth rates of small changes, per step, natural logarithms, largest first.

    By repeated QR of the Jacobians' product (Benettin et al. 1980, https://doi.org/10.1007/BF02128236; for
    recurrent networks Engelken, Wolf and Abbott 2023, https://doi.org/10.1103/PhysRevResearch.5.043044, and Vogt
    et al. 2022, https://doi.org/10.3389/fams.2022.818799). All exponents together average ``log|det J|``. A
    direction that a single step shrinks by 1e16 against another is beyond a double, and its exponent too high.

    Args:
        module, x, hx, trace, layer, batch, reverse, interventions: as for :func:`seqviz.step_jacobians`.
        count: how many, the largest first; all by default.

    Returns:
        ``(count,)``; -inf where a direction is lost exactly.

    Raises:
        ValueError: `count` is out of range, or the network overflowed.
    """
    ran, _ = as_it_ran(module, x, hx, trace, (layer, batch, reverse), interventions)
    if problem := overflow_of(ran):
        raise ValueError(problem)
    jacobians = _Formed(ran)
    size = jacobians.size
    count = size if count is None else count
    if not 1 <= count <= size:
        raise ValueError(
            trn(
                "There is {count} exponent; {asked} cannot be given.",
                "There are {count} exponents; {asked} cannot be given.",
                size,
                asked=count,
            )
        )
    return np.sort(_growth(jacobians, count))[::-1] / ran.steps


def mean_log_determinant(
    module: nn.Module,
    x: Any,
    hx: Any = None,
    *,
    trace: Trace | None = None,
    layer: int = 0,
    batch: int = 0,
    reverse: bool = False,
    interventions: Iterable[Intervention] = (),
) -> float:
    """The mean of ``ln |det J|`` over the steps: what all Lyapunov exponents together must give, by another road.

    Arguments and errors are those of :func:`lyapunov_exponents`; -inf where a step loses a direction exactly.
    """
    ran, _ = as_it_ran(module, x, hx, trace, (layer, batch, reverse), interventions)
    if problem := overflow_of(ran):
        raise ValueError(problem)
    return float(np.concatenate([np.linalg.slogdet(block)[1] for block in _Formed(ran).blocks()]).mean())


class _Formed:
    """The Jacobians of a run, formed some steps at a time: those of all steps may be gigabytes."""

    def __init__(self, ran: Ran) -> None:
        self.ran = ran
        self.size = sum(before.shape[2] for before in ran.before.values())
        self._first, self._block = 0, np.empty((0, self.size, self.size))

    def blocks(self) -> Iterator[Array]:
        """All of them, in order."""
        for first in range(0, self.ran.steps, _TOGETHER):
            yield jacobians_of(self.ran, slice(first, first + _TOGETHER))

    def __getitem__(self, steps: slice) -> Array:
        """Those of at most ``_TOGETHER`` steps.

        Raises:
            ValueError: one is beyond a double.
        """
        if not self._first <= steps.start <= steps.stop <= self._first + len(self._block):
            self._first = steps.start
            self._block = jacobians_of(self.ran, slice(steps.start, steps.start + 2 * _TOGETHER))
            if not np.isfinite(self._block).all():
                raise ValueError(tr("One step alone magnifies a change beyond what a double holds."))
        return self._block[steps.start - self._first : steps.stop - self._first]


_TOGETHER = 16
"""Steps between two QRs, at the most."""
_NATS = 15.0
"""What columns may lose against each other between two QRs; a double holds 36, and has those 21 to spare as digits."""
_ALONE = 30.0
"""The same over a single step, which cannot be made shorter: beyond it a direction may be lost."""


def _growth(jacobians: _Formed, count: int) -> Array:
    """The logs of what each of `count` orthogonal directions gained over all steps, ``(count,)``.

    Between two QRs the columns lose lambda_1 - lambda_min nats a step against each other, and how much that is
    changes along a run: a stretch that proves too long is gone over again in shorter ones. The directions start
    at random, so that where some are lost for good it is the last ones that have to go.
    """
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((jacobians.size,) * 2))[0][:, :count]
    total = np.zeros(count)
    every, t, steps = 1, 0, jacobians.ran.steps
    while t < steps and basis.shape[1]:
        stop = min(t + every, steps)
        most = _ALONE if stop - t == 1 else _NATS
        product, kept = _stretch(jacobians[t:stop], basis, most)
        turned, gained = _graded_qr(product)
        spread = float(np.ptp(gained)) if kept else np.inf
        if stop - t > 1 and not spread < most:
            every = max(1, (stop - t) // 4)
            continue
        rank = basis.shape[1] if spread < most else _rank(jacobians[t:stop][0], basis, product)
        if rank < basis.shape[1]:
            total[rank:] = -np.inf
            turned, gained = _graded_qr(product[:, :rank])
            spread = float(np.ptp(gained)) if rank else 0.0
        total[:rank] += gained
        every = int(np.clip(0.6 * _NATS * (stop - t) / max(spread, 1e-9), 1, _TOGETHER))
        basis, t = turned, stop
    return total


def _stretch(jacobians: Array, basis: Array, most_lost: float) -> tuple[Array, bool]:
    """The product of a few Jacobians with a basis; and whether no factor took more than so many nats off it."""
    product, kept = basis, True
    for jacobian in jacobians:
        most = np.abs(jacobian).max() * np.abs(product).max()
        product = jacobian @ product
        kept &= bool(np.abs(product).max(initial=0.0) > most * np.exp(-most_lost))
    return product, kept


def _rank(jacobian: Array, basis: Array, product: Array) -> int:
    """How many directions of a basis a single step leaves, of which each may be far smaller than the next.

    What is no larger than the rounding of the sums that made it is 0, and rows are brought to one size: a shut gate
    makes some many powers of ten smaller than others and takes nothing away.
    """
    rounding = len(jacobian) * np.finfo(float).eps
    clean = np.where(np.abs(product) > rounding * (np.abs(jacobian) @ np.abs(basis)), product, 0.0)
    rows = norm(clean, 1)
    alive = rows > 0
    singular = np.linalg.svd(clean[alive] / rows[alive, None], compute_uv=False)
    return int((singular > rounding * singular.max(initial=0.0)).sum())


def _graded_qr(a: Array) -> tuple[Array, Array]:
    """Q, and the logs of R's diagonal.

    Largest rows first: a shut gate makes rows many powers of ten smaller than others, and Householder's
    reflections keep their digits only in that order (Higham, Accuracy and Stability of Numerical Algorithms, 19.4).
    """
    order = np.argsort(-np.abs(a).max(axis=1, initial=0.0))
    q, r = np.linalg.qr(a[order])
    turned = np.empty_like(q)
    turned[order] = q
    with np.errstate(divide="ignore"):
        return turned, np.log(np.abs(np.diag(r)))
