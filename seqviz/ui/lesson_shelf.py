"""Lessons by the name that an address has for them: shipped ones, a folder of the server's, a link, one's own file."""

from __future__ import annotations

import base64
import os
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Final

from seqviz.checks import shown
from seqviz.language import current, tr
from seqviz.lessons import Lesson, LessonError, read, shipped
from seqviz.lessons.source import MAX_SIZE
from seqviz.scope.hosts.streamlit.tab import MARK, fetch

__all__ = ["FOLDER", "decoded", "encoded", "find", "link_of", "served", "text_of"]

FOLDER: Final = "SEQVIZ_LESSONS"
"""The variable of the environment that names a folder of lessons to be offered beside the shipped ones."""

_LINK: Final = "y~"
"""How a lesson begins that stands in an address as a whole."""
_LONGEST_LINK: Final = 6000
"""Characters of an address that a lesson may take; a longer one is kept by its browser."""
_MOST: Final = 100
"""Files of that folder that are read."""


def served() -> dict[str, Lesson | LessonError]:
    """The lessons of the server's own folder by their files' names without the ending, or what is wrong with each."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return {}
    files = sorted(file for ending in ("*.yaml", "*.yml") for file in Path(folder).glob(ending))[:_MOST]
    return {file.stem: _read(file, file.stat().st_mtime_ns, current()) for file in files if file.is_file()}


@lru_cache(maxsize=_MOST)
def _read(file: Path, changed: int, language: str) -> Lesson | LessonError:
    """One of them as it was `changed` last; what is wrong is said in a `language`."""
    try:
        return read(text_of(file.read_bytes()))
    except LessonError as error:
        return error


def text_of(data: bytes) -> str:
    """The text of a lesson's file; a character that is no UTF-8 is found by the reader, with its line."""
    return data[: 4 * MAX_SIZE + 1].decode("utf-8-sig", errors="replace")


def encoded(text: str) -> str:
    """A lesson's text as a browser keeps it."""
    return zlib.compress(text.encode()).hex()


def decoded(code: str) -> str:
    """The text again.

    Raises:
        ValueError: it is none, or longer than a lesson may be.
    """
    try:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(bytes.fromhex(code), 4 * MAX_SIZE + 1)
        return data.decode()
    except (ValueError, zlib.error) as error:
        raise ValueError(tr("This browser has kept something that is no lesson.")) from error


def link_of(text: str) -> str:
    """A lesson's text as an address holds it, so that a link brings it to anybody; empty where it is too long."""
    code = base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).rstrip(b"=").decode()
    return _LINK + code if len(code) <= _LONGEST_LINK else ""


def _of_link(name: str) -> Lesson:
    code = name.removeprefix(_LINK)
    try:
        if len(code) > _LONGEST_LINK:
            raise ValueError("more than a link holds")
        packed = base64.b64decode(code.encode("ascii") + b"=" * (-len(code) % 4), b"-_", validate=True)
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(packed, 4 * MAX_SIZE + 1).decode()
        if not unpacker.eof:
            raise ValueError("cut short")
    except (ValueError, zlib.error) as error:
        says = tr("The address does not hold a whole lesson; it may have been cut short or changed.")
        raise ValueError(says) from error
    return read(text)


def find(name: str) -> tuple[str, Lesson, str]:
    """The lesson that an address names, its shortest name and the text that its browser has to keep.

    Raises:
        ValueError: there is none, or it has mistakes.
    """
    if name.startswith(MARK):
        code = fetch(name)
        if code is None:
            raise ValueError(tr("This browser has not kept that lesson: open its file again."))
        return name, read(decoded(code)), code
    if name.startswith(_LINK):
        return name, _of_link(name), ""
    known = shipped()
    if name.isdecimal() and name.isascii() and 0 < int(name[:4]) <= len(known):
        return name, known[int(name[:4]) - 1], ""
    for k, lesson in enumerate(known):
        if lesson.id == name:
            return str(k + 1), lesson, ""
    own = served().get(name)
    if own is None:
        raise ValueError(tr("There is no lesson {name}.", name=shown(name)))
    if isinstance(own, LessonError):
        raise own
    return name, own, ""
