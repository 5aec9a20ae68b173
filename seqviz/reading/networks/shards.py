"""A network whose weights lie in several files: which they are, and all of them together.

``model-00001-of-00002.safetensors``, with or without the ``model.safetensors.index.json`` that lists them, as
https://huggingface.co/docs/safetensors/main/en/metadata_parsing#sharded-files has them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from seqviz.language import tr
from seqviz.reading.networks.stored import Contents, brief

__all__ = ["is_part", "joined", "parts_named"]

MAX_PARTS: Final = 64
MAX_INDEX: Final = 2**24

_NAMED: Final = re.compile(r"(.*[-_])(\d{1,5})(-of-)(\d{1,5})(\.(?:safetensors|bin|pt|pth|ckpt))")


def is_part(name: str) -> bool:
    """Whether a file is one of several, by its name."""
    return _NAMED.fullmatch(name) is not None


def parts_named(data: bytes, name: str) -> list[str]:
    """The files that a network lies in, by the name of one of them, or by the list of them; none where it is one file.

    Raises:
        ValueError: it lists far too many.
    """
    found = _NAMED.fullmatch(name)
    if found is not None:
        start, number, of, count, end = found.groups()
        parts = [f"{start}{k:0{len(number)}d}{of}{count}{end}" for k in range(1, min(int(count), MAX_PARTS + 1) + 1)]
    else:
        parts = _listed(data)
    if len(parts) > MAX_PARTS:
        raise ValueError(tr("The network lies in more than {most} files.", most=MAX_PARTS))
    return parts if found is None or name in parts else []


def _listed(data: bytes) -> list[str]:
    if data[:512].lstrip()[:1] != b"{" or len(data) > MAX_INDEX or b'"weight_map"' not in data:
        return []
    try:
        listed: Any = json.loads(data)["weight_map"]
        return sorted({str(name) for name in listed.values()})[: MAX_PARTS + 1]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


def joined(parts: Mapping[str, Contents]) -> Contents:
    """What all of them hold.

    Raises:
        ValueError: they hold too many tensors.
    """
    whole = Contents()
    for contents in parts.values():
        for tensor in contents.tensors.values():
            whole.add(tensor)
        whole.facts |= contents.facts
        if contents.others is not None:
            whole.others = (whole.others or {}) | contents.others
        whole.notes += [note for note in contents.notes if note not in whole.notes]
        whole.refused += contents.refused
    names = ", ".join(brief(name) for name in [*parts][:4]) + (", …" if len(parts) > 4 else "")
    whole.notes.append(tr("The network lies in several files; they were read together: {names}.", names=names))
    return whole
