"""Parts of an axis as they are asked for: a step, a slice of steps, or all."""

from __future__ import annotations

import numpy as np

from seqviz.language import later, tr

__all__ = ["BATCH", "STEPS", "UNITS", "Index", "as_slice"]

Index = int | slice | None

STEPS = (
    later("A slice of steps must run forwards; got {index!r}."),
    later("{name} has steps 0 to {last}; step {index} does not exist."),
)
BATCH = (
    later("A slice of batch elements must run forwards; got {index!r}."),
    later("{name} has batch elements 0 to {last}; batch element {index} does not exist."),
)
UNITS = (
    later("A slice of units must run forwards; got {index!r}."),
    later("{name} has units 0 to {last}; unit {index} does not exist."),
)


def as_slice(index: Index, size: int, says: tuple[str, str], name: str) -> slice:
    """The slice that an index of an axis of ``size`` items means; an int keeps its axis.

    Raises:
        IndexError: an item that does not exist, or a slice that runs backwards.
        TypeError: no index.
    """
    if index is None:
        return slice(None)
    parts = (index.start, index.stop, index.step) if isinstance(index, slice) else (index,)
    if any(part is not None and not isinstance(part, int | np.integer) for part in parts):
        said = tr("An index is a whole number, a slice of whole numbers, or None; not {index!r}.", index=index)
        raise TypeError(said)
    if isinstance(index, slice):
        if index.step is not None and index.step < 1:
            raise IndexError(tr(says[0], index=index))
        return index
    if not -size <= index < size:
        raise IndexError(tr(says[1], name=name, last=size - 1, index=index))
    start = index + size if index < 0 else index
    return slice(start, start + 1)
