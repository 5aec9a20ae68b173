"""What is said of a zip archive that cannot be read, and what the standard library raises about one."""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import Final

from seqviz.language import tr

__all__ = ["UNREADABLE", "damaged"]

UNREADABLE: Final = (
    zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, RuntimeError, ValueError, OverflowError,
)  # fmt: skip
"""Also what is not implemented, which is a RuntimeError."""


def damaged() -> str:
    """The sentence."""
    return tr("The file is a zip archive that cannot be opened; it may have been cut short or changed.")
