"""How long somebody waits for an answer that takes many runs: each asks before it begins whether it is worth while."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from seqviz.language import trn

__all__ = ["patience", "worth"]

_UNTIL: ContextVar[tuple[float, float] | None] = ContextVar("until", default=None)


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Inside, what would take more than so many seconds of this thread's processor time in all is refused."""
    token = _UNTIL.set((time.thread_time() + seconds, seconds))
    try:
        yield
    finally:
        _UNTIL.reset(token)


def worth(ahead: float = 0.0) -> None:
    """Whether there is time for what comes next, `ahead` seconds of it as far as that is known.

    Raises:
        ValueError: there is not.
    """
    until = _UNTIL.get()
    if until is not None and time.thread_time() + ahead > until[0]:
        raise ValueError(
            trn(
                "This would take more than {count} second of computing, which is too long to wait for on a page; take "
                "fewer units, steps or layers. In Python it may take as long as it needs.",
                "This would take more than {count} seconds of computing, which is too long to wait for on a page; take "
                "fewer units, steps or layers. In Python it may take as long as it needs.",
                round(until[1]),
            )
        )
