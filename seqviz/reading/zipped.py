"""What is said of packed files that are not read, and what the standard library raises about a zip archive."""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import Final

from seqviz.language import later, tr

__all__ = ["PACKED", "UNREADABLE", "damaged"]

PACKED: Final = (
    (b"\x1f\x8b", later("packed with gzip; unpack it first")),
    (b"BZh", later("packed with bzip2; unpack it first")),
    (b"\xfd7zXZ", later("packed with xz; unpack it first")),
    (b"7z\xbc\xaf", later("a 7z archive; unpack it first")),
    (b"Rar!", later("a RAR archive; unpack it first")),
    (b"\x28\xb5\x2f\xfd", later("packed with Zstandard; unpack it first")),
    (b"\x04\x22\x4d\x18", later("packed with LZ4; unpack it first")),
)
"""How files begin that somebody has packed, and what is said of them."""

UNREADABLE: Final = (
    zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, RuntimeError, ValueError, OverflowError,
)  # fmt: skip
"""Also what is not implemented, which is a RuntimeError."""


def damaged() -> str:
    """The sentence."""
    return tr("The file is a zip archive that cannot be opened; it may have been cut short or changed.")
