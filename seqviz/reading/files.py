"""The bytes of what a person hands over: a path, the bytes themselves, or a file that is open."""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike, fspath
from pathlib import Path
from typing import IO, Any, Final

from seqviz.checks import shown
from seqviz.language import Sentence, later, tr

__all__ = [
    "GIVEN",
    "NoSuchFileError",
    "UnreadableFileError",
    "bytes_of",
    "is_given",
    "opened",
    "path_of",
    "refusing",
    "written",
]

Given = bytes | bytearray | memoryview | str | PathLike[str] | IO[bytes] | IO[str]
GIVEN: Final = (bytes, bytearray, memoryview, str, PathLike)


class UnreadableFileError(OSError, ValueError):
    """A path that cannot be read or written, in one sentence."""


class NoSuchFileError(UnreadableFileError, FileNotFoundError):
    """A path where nothing is."""


_WHY: Final[dict[type[OSError], Sentence | str]] = {
    FileNotFoundError: later("No such file: {name}."),
    NotADirectoryError: later("No such file: {name}."),
    IsADirectoryError: later("The path {name} is a folder, not a file."),
    PermissionError: later("The file {name} may not be opened: its owner or the system forbids it."),
}


_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def is_given(value: Any) -> bool:
    """Whether a value is one that :func:`bytes_of` takes."""
    return isinstance(value, GIVEN) or hasattr(value, "read")


def path_of(given: str | PathLike[str]) -> Path:
    """A path that the system can be asked about.

    Raises:
        ValueError: it is none.
    """
    try:
        text = fspath(given)
        text.encode()
    except (TypeError, AttributeError, UnicodeEncodeError) as error:
        raise ValueError(tr("No file has the path {path}.", path=shown(given))) from error
    if "\0" in str(text):
        raise ValueError(tr("There is no file of the name {name}.", name=shown(text)))
    if isinstance(text, bytes) or not text:
        raise ValueError(tr("No file has the path {path}.", path=shown(text)))
    return Path(text)


@contextmanager
def opened(given: str | PathLike[str]) -> Iterator[IO[bytes]]:
    """A file to read, open while it is looked at.

    Raises:
        UnreadableFileError: there is none, or it cannot be read.
        ValueError: it is no path.
    """
    path = path_of(given)
    with refusing(path):
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError
        if not stat.S_ISREG(kind):
            raise UnreadableFileError(tr("The path {name} is a device or a pipe, not a file.", name=_called(path)))
        stream = path.open("rb")
    with stream:
        yield stream


def _called(path: Path) -> str:
    """A path in a sentence; of a long one its end."""
    whole = shown(str(path))
    return whole if "..." not in whole else shown(path.name)


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    """What the system refuses about a path is said in a sentence."""
    try:
        yield
    except UnreadableFileError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise UnreadableFileError(tr("There is no room left on the disk for {name}.", name=_called(path))) from None
        kind = NoSuchFileError if isinstance(error, FileNotFoundError | NotADirectoryError) else UnreadableFileError
        said = _WHY.get(type(error), later("The file {name} cannot be opened."))
        raise kind(tr(said, name=_called(path))) from None


@contextmanager
def written(given: str | PathLike[str]) -> Iterator[IO[bytes]]:
    """A file to write, which is there when the block ends.

    Raises:
        UnreadableFileError: it cannot be written there.
        ValueError: it is no path.
    """
    path = path_of(given)
    if not path.parent.is_dir():
        raise NoSuchFileError(tr("There is no folder {name} to write a file to.", name=_called(path.parent)))
    with refusing(path):
        stream = path.open("wb")
    with stream:
        yield stream


def bytes_of(given: Any, most: int) -> tuple[bytes, str]:
    """What is in a file, and its name where it has one. A file that is open is read from where it stands.

    Args:
        given: a path, bytes, or an open file.
        most: bytes that are read.

    Raises:
        UnreadableFileError: the file cannot be read.
        ValueError: it holds more than `most` bytes, or `given` is none of these.
    """
    if isinstance(given, bytes | bytearray | memoryview):
        data, name = bytes(given) if memoryview(given).nbytes <= most else None, ""
    elif isinstance(given, str | PathLike):
        with opened(given) as stream:
            data, name = _read(stream, most), path_of(given).name
    else:
        data, name = _read(given, most), _name(given)
    if data is None:
        raise ValueError(tr("The file is larger than {most} MiB.", most=most // 2**20))
    return data, name


def _read(stream: Any, most: int) -> bytes | None:
    """All that is left of an open file; None where that is more than is read."""
    try:
        found = stream.read(most + 1)
    except UnicodeError as error:
        raise UnreadableFileError(
            tr("The file was opened as text in an encoding that it is not in; open it with open(path, 'rb').")
        ) from error
    except (OSError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise UnreadableFileError(tr("The open file cannot be read; open it with open(path, 'rb').")) from error
    if isinstance(found, str):
        found = found.encode("utf-8", "surrogatepass")
    if not isinstance(found, bytes):
        raise ValueError(tr("The open file gives {kind}, not bytes.", kind=type(found).__name__))
    return found if len(found) <= most else None


def _name(stream: Any) -> str:
    name = getattr(stream, "name", "")
    return Path(name).name if isinstance(name, str) else ""
