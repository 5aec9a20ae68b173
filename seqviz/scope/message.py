"""A message to the scripts that draw: a length, a JSON header, arrays end to end. ``web/bytes.js`` reads it."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from seqviz import cells, language
from seqviz import vocabulary as words
from seqviz.checks import shown
from seqviz.figures import theme
from seqviz.language import tr
from seqviz.scope.headers import ArrayEntry, Packed, Palette, ScopeRow

__all__ = ["header_of", "pack", "palettes", "row"]

FLOAT_BUDGET = 2_000_000
"""Numbers that are sent as float32; more are sent as 16-bit codes, each array's 65,536 values over its own range.

So a number is off by at most half a step, 1/131,070 of the range, and what the browser's float32 rounds off."""


@cache
def palettes() -> dict[str, Palette]:
    """Every colour the browser needs, for both themes."""
    return {
        name: {
            "paper": surface["paper"],
            "well": surface["well"],
            "ink": surface["ink"],
            "quiet": surface["quiet"],
            "rule": surface["rule"],
            "changed": surface["changed"],
            "font": theme.FONT,
            "mono": theme.MONO,
            "hues": theme.HUES[name],
            "sequential": theme.SEQUENTIAL[name],
            "diverging": theme.DIVERGING[name],
            "magnitude": theme.MAGNITUDE[name],
            "lines": theme.LINES[name],
            "dashes": theme.DASHES,
        }
        for name, surface in theme.SURFACES.items()
    }


def pack(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray], *, exact: bool = False) -> bytes:
    """One message to the browser: a length, a JSON header padded to 4 bytes, the arrays end to end.

    `exact` sends float32 whatever the size.
    """
    large = not exact and sum(array.size for array in arrays.values()) > FLOAT_BUDGET
    parts: list[bytes] = []
    index: list[ArrayEntry] = []
    offset = 0
    for name, array in arrays.items():
        coded = large and not name.startswith("model.") and bool(np.isfinite(array).all())
        entry: ArrayEntry = {"name": name, "shape": array.shape, "type": "u2" if coded else "f4", "offset": offset}
        if coded:
            low, high = float(array.min()), float(array.max())
            width = (high - low) or 1.0
            content = np.rint((array.astype(np.float64) - low) * (65535 / width)).astype("<u2").tobytes()
            entry["low"], entry["high"] = low, low + width
        else:
            content = np.ascontiguousarray(array, dtype="<f4").tobytes()
        content += b"\0" * (-len(content) % 4)
        index.append(entry)
        parts.append(content)
        offset += len(content)
    packed: Packed = {"language": language.current(), "palettes": {}, "arrays": index}
    text = _as_text({**header, **packed}).replace(b'"palettes":{}', _painted(), 1)
    text += b" " * (-len(text) % 4)
    return b"".join((struct.pack("<I", len(text)), text, *parts))


def _as_text(header: Mapping[str, Any]) -> bytes:
    return json.dumps(header, separators=(",", ":"), allow_nan=False).encode()


@cache
def _painted() -> bytes:
    """The colours as they stand in every header: more text than all the rest of it."""
    return _as_text({"palettes": palettes()})[1:-1]


def header_of(message: bytes) -> dict[str, Any]:
    """What a message says before its arrays.

    Raises:
        ValueError: the bytes are no message.
    """
    refused = ValueError(tr("These bytes are no message of the scope: {start}.", start=shown(bytes(message[:40]))))
    try:
        (length,) = struct.unpack_from("<I", message)
        header = json.loads(message[4 : 4 + length])
    except (struct.error, ValueError):
        raise refused from None
    if not isinstance(header, dict) or not {"panel", "language", "palettes", "arrays"} <= header.keys():
        raise refused
    return header


def row(signal: str, cell: str, width: int, says: str) -> ScopeRow:
    """The header's description of one row of the scope."""
    if signal in ("x", "y"):
        return {
            "signal": signal,
            "name": words.ENDS[signal],
            "symbol": signal,
            "kind": "line",
            "width": width,
            "says": says,
            "floor": [-1.0, 1.0] if signal == "x" else [0.0, 1.0],
        }
    label = cells.get(cell).labels[signal]
    return {
        "signal": signal,
        "name": label.name,
        "symbol": label.symbol,
        "kind": "gate" if words.is_gate(signal, cell) else "state",
        "width": width,
        "says": says,
        "closed": label.closed,
        "open": label.open,
    }
