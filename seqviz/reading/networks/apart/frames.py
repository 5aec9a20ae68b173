"""Records between two processes, and the limits of the one that reads."""

from __future__ import annotations

import codecs
import json
import signal
import struct
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Final

try:
    import resource
except ImportError:  # Windows has none; there the parent's patience is the only limit
    resource = None  # type: ignore[assignment]

__all__ = ["MAX_BYTES", "MEMORY", "SECONDS", "Record", "Refused", "answer", "frame", "frames"]

SECONDS: Final = 1.5
"""Of computing, after everything is imported."""

MEMORY: Final = 500 * 2**20
"""Bytes beside the file itself."""

MAX_BYTES: Final = 2**28
"""Of numbers that a child sends."""

Record = tuple[dict[str, Any], bytes]


class Refused(Exception):
    """A code that the parent has a sentence for, and what belongs in it."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.record = {"refused": code, **values}


def frame(head: Mapping[str, Any], body: bytes | memoryview = b"") -> Iterator[bytes | memoryview]:
    """A record as it travels: two lengths in eight bytes each, JSON, bytes."""
    text = json.dumps(head).encode()
    yield struct.pack("<QQ", len(text), len(body)) + text
    yield body


def frames(file: BinaryIO, most: int = 2**62) -> Iterator[Record]:
    """The records of a stream, of at most so many bytes in all.

    Raises:
        ValueError: it ends within one, or is longer.
    """
    while lengths := file.read(16):
        if len(lengths) < 16:
            raise ValueError("a record is cut")
        text, body = struct.unpack("<QQ", lengths)
        most -= text + body
        if most < 0:
            raise ValueError("too much is sent")
        head = json.loads(file.read(text))
        found = file.read(body)
        if len(found) < body or not isinstance(head, dict):
            raise ValueError("a record is cut")
        yield head, found


def answer(work: Callable[[dict[str, bytes]], Iterable[Record]]) -> None:
    """Read files from the input, within limits, and write what is found; the last record says that it is the last."""
    files = {head["name"]: body for head, body in frames(sys.stdin.buffer)}
    _limit(sum(map(len, files.values())))
    out = sys.stdout.buffer
    try:
        for head, body in work(files):
            out.writelines(frame(head, body))
    except Refused as refused:
        out.writelines(frame(refused.record))
    except MemoryError:
        out.writelines(frame({"refused": "memory"}))
    except Exception:  # noqa: BLE001  whatever the libraries raise on a damaged file; its words are for programmers
        out.writelines(frame({"refused": "damaged"}))
    out.writelines(frame({"last": True}))
    out.flush()


def _limit(size: int) -> None:
    """Little time, little memory beside the files, and no file but the three that are open."""
    for name in ("ascii", "latin-1", "utf-16", "utf-32"):
        codecs.lookup(name)  # Python opens their files when they are first used
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, SECONDS + size / 2**26)
    if resource is not None:
        most = MEMORY + 3 * size
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
