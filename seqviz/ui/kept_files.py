"""Files that a person brought, as text that the browser keeps for a reload."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from typing import Any, Final

from seqviz.checks import shown
from seqviz.language import tr
from seqviz.scope.hosts.streamlit.tab import MAX_KEPT, fetch, shelve

__all__ = ["TOO_LARGE", "brought_back", "kept_file"]

TOO_LARGE: Final = "!"
"""What stands in place of a mark's first sign where files are more than the browser keeps: their names follow."""

_MOST_BYTES: Final = 2**28
_LONGEST_NAME: Final = 80


def kept_file(kind: str, files: Mapping[str, bytes], **more: Any) -> str:
    """The mark of files that the browser is to keep, with what has to be known of them."""
    too_large = TOO_LARGE + ", ".join(files)[:_LONGEST_NAME]
    if sum(map(len, files.values())) > MAX_KEPT:  # what is packed already grows by a third
        return too_large
    rows = {name: base64.b64encode(zlib.compress(data, 1)).decode() for name, data in files.items()}
    text = json.dumps({"kind": kind, "files": rows, **more}, separators=(",", ":"))
    return shelve(text) if len(text) <= MAX_KEPT else too_large


def brought_back(marked: str, kind: str) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The files of a mark by name, and what was kept with them.

    Raises:
        ValueError: this browser has not kept them, or something else; in one sentence.
    """
    if marked.startswith(TOO_LARGE):
        name = shown(marked.removeprefix(TOO_LARGE)[:_LONGEST_NAME])
        raise ValueError(tr("{name} was too large for this browser to keep; choose it again.", name=name))
    code = fetch(marked)
    if code is None:
        raise ValueError(tr("This browser has not kept the file that its address names; choose the file again."))
    try:
        document = json.loads(code)
        if document["kind"] != kind:
            raise ValueError("another kind")
        files = {str(name): _unpacked(text) for name, text in document["files"].items()}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, binascii.Error, zlib.error) as error:
        raise ValueError(tr("What this browser has kept cannot be read; choose the file again.")) from error
    return files, document


def _unpacked(text: str) -> bytes:
    unpacker = zlib.decompressobj()
    data = unpacker.decompress(base64.b64decode(text, validate=True), _MOST_BYTES)
    if not unpacker.eof:
        raise ValueError("cut short")
    return data
