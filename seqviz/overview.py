"""Many steps in few columns, honestly: the smallest, the mean and the largest of each. numpy only."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np

from seqviz.checks import whole
from seqviz.language import later, tr, trn

__all__ = ["Overview", "overview"]

Array = np.ndarray[Any, np.dtype[Any]]

CHUNK: Final = 2**22
"""Numbers that are read at a time, of an array that lies on disk."""


class Overview(NamedTuple):
    """Columns of steps.

    ``low``, ``mean`` and ``high`` are ``(columns, H)``, of the array's dtype; column ``k`` stands for the steps from
    ``edges[k]`` up to, not including, ``edges[k + 1]``. NaN stays NaN. ``note`` says how many steps a column stands
    for; it is empty where each is one step, and nothing was left out.
    """

    low: Array
    mean: Array
    high: Array
    edges: Array
    note: str


def overview(array: Array, width: int, *, start: int = 0, stop: int | None = None) -> Overview:
    """At most ``width`` columns of the steps ``start`` to ``stop`` of ``(L, H)``, read in pieces.

    Columns are as equal as whole steps allow. A mean is taken in float64.

    Raises:
        ValueError: no column, or no step between ``start`` and ``stop``.
    """
    width = whole(width, later("The number of columns"), 1, 10**6)
    start, stop, _ = slice(start, stop).indices(len(array))
    if stop <= start:
        raise ValueError(tr("There is no step from {start} to {stop}.", start=start, stop=stop))
    edges = start + np.arange(min(width, stop - start) + 1) * (stop - start) // min(width, stop - start)
    shape = (len(edges) - 1, array.shape[1])
    low, high, total = np.empty(shape, array.dtype), np.empty(shape, array.dtype), np.empty(shape)
    most = max(1, CHUNK // max(1, array.shape[1]))
    for k, (first, last) in enumerate(pairwise(edges)):
        pieces = [array[at : min(at + most, last)] for at in range(first, last, most)]
        low[k] = np.min([piece.min(0) for piece in pieces], 0)
        high[k] = np.max([piece.max(0) for piece in pieces], 0)
        with np.errstate(invalid="ignore"):  # infinity less infinity
            total[k] = np.sum([piece.sum(0, dtype=np.float64) for piece in pieces], 0)
    mean = (total / np.diff(edges)[:, None]).astype(array.dtype)
    return Overview(low, mean, high, edges, _note(np.diff(edges)))


def _note(counts: Array) -> str:
    least, most = int(counts.min()), int(counts.max())
    if most == 1:
        return ""
    if least == most:
        return trn(
            "A column stands for {count:,} step: the smallest, the mean and the largest value.",
            "A column stands for {count:,} steps: the smallest, the mean and the largest value.",
            most,
        )
    return tr(
        "A column stands for {least:,} or {most:,} steps: the smallest, the mean and the largest value.",
        least=least,
        most=most,
    )
