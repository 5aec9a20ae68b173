"""plotly.js as it is sent to a browser: once, under a name that says what it holds.

It is a build of what the scope draws with, lines and heatmaps, a quarter of the whole; ``tools/plotly`` makes it.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["FOLDER", "Library", "address", "library"]

FOLDER: Final = "seqviz"
"""The folder below the app's root under which the app itself answers, beside Streamlit."""


class Library(NamedTuple):
    """The file, plain and compressed, and a digest of it."""

    digest: str
    plain: bytes
    zipped: bytes


@cache
def library() -> Library:
    """Read and compressed once a process; nothing is written, so that an installation may be read-only."""
    plain = (Path(__file__).parent / "web" / "plotly.min.js").read_bytes()
    return Library(hashlib.sha256(plain).hexdigest()[:16], plain, gzip.compress(plain, 9, mtime=0))


def address() -> str:
    """Where it lies below the app's root."""
    return f"{FOLDER}/plotly-{library().digest}.min.js"
