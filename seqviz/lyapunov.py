"""Lyapunov exponents: how fast small changes of the state grow or shrink in the long run."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import nn

from seqviz.language import tr
from seqviz.onestep import read_run
from seqviz.trace import Trace

__all__ = ["lyapunov_exponents"]

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
) -> Array:
    """The average growth rates of small changes, per step, natural logarithms, largest first.

    By repeated QR of the Jacobians' product (Benettin et al. 1980, https://doi.org/10.1007/BF02128236; for
    recurrent networks Engelken, Wolf and Abbott 2023, https://doi.org/10.1103/PhysRevResearch.5.043044, and Vogt
    et al. 2022, https://doi.org/10.3389/fams.2022.818799). All exponents together average ``log|det J|``. A
    direction that a single step shrinks by 1e16 against another is beyond a double, and its exponent too high.

    Args:
        module, x, hx, trace, layer, batch, reverse: as for :func:`seqviz.step_jacobians`.
        count: how many, the largest first; all by default.

    Returns:
        ``(count,)``; -inf where a direction is lost exactly.

    Raises:
        ValueError: `count` is out of range, or the network overflowed.
    """
    run, _ = read_run(module, x, hx, trace, layer, batch, reverse)
    if run.problem:
        raise ValueError(run.problem)
    jacobians = run.jacobians()
    size = jacobians.shape[1]
    count = size if count is None else count
    if not 1 <= count <= size:
        raise ValueError(tr("There are {size} exponents; {count} cannot be given.", size=size, count=count))
    return np.sort(_growth(jacobians, count))[::-1] / len(jacobians)


_NATS = 15.0
"""What columns may lose against each other between two QRs; a double holds 36."""


def _growth(jacobians: Array, count: int) -> Array:
    """The logs of what each of `count` orthogonal directions gained over all steps, ``(count,)``.

    Between two QRs the columns lose lambda_1 - lambda_min nats a step against each other, and how much that is
    changes along a run: a stretch that proves too long is gone over again in shorter ones.
    """
    ranks = jacobians.any(axis=2).sum(axis=1)
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((jacobians.shape[1],) * 2))[0][:, :count]
    total = np.zeros(count)
    every, t = 1, 0
    while t < len(jacobians):
        stop = min(t + every, len(jacobians))
        product = basis
        for jacobian in jacobians[t:stop]:
            product = jacobian @ product
        rank = min(basis.shape[1], int(ranks[t:stop].min()))
        turned, gained = _graded_qr(product, rank)
        spread = float(np.ptp(gained)) if rank else 0.0
        if stop - t > 1 and not spread < 2 * _NATS:
            every = max(1, (stop - t) // 4)
            continue
        total[:rank] += gained
        total[rank:] = -np.inf
        if not rank:
            break
        every = int(np.clip(_NATS * (stop - t) / max(spread, 1e-9), 1, 16))
        basis, t = turned, stop
    return total


def _graded_qr(a: Array, rank: int) -> tuple[Array, Array]:
    """The first `rank` columns of Q, and the logs of R's diagonal.

    Largest rows first: a shut gate makes rows many powers of ten smaller than others, and Householder's
    reflections keep their digits only in that order (Higham, Accuracy and Stability of Numerical Algorithms, 19.4).
    """
    order = np.argsort(-np.abs(a).max(axis=1))
    q, r = np.linalg.qr(a[order])
    turned = np.empty_like(q)
    turned[order] = q
    with np.errstate(divide="ignore"):
        return turned[:, :rank], np.log(np.abs(np.diag(r)[:rank]))
