"""Zip archives that people pack networks into, opened with care."""

from __future__ import annotations

import io
import zipfile
from typing import Final

from seqviz.language import tr
from seqviz.reading.networks.shards import is_part
from seqviz.reading.zipped import UNREADABLE, damaged

__all__ = ["NETWORKS", "entry", "folder_of", "names", "unpacked"]

MAX_ENTRIES: Final = 50_000
MAX_UNPACKED: Final = 2**28
NETWORKS: Final = (".onnx", ".keras", ".h5", ".hdf5", ".pt", ".pth", ".ckpt", ".pkl", ".safetensors")
"""How the names of files of networks end."""


def names(data: bytes) -> dict[str, zipfile.ZipInfo]:
    """What an archive lists.

    Raises:
        ValueError: it cannot be opened, or lists too much.
    """
    if data.count(b"PK\x01\x02") > MAX_ENTRIES:
        raise ValueError(tr("The archive has more than {most:,} entries.", most=MAX_ENTRIES))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {info.filename: info for info in archive.infolist()}
    except UNREADABLE as error:
        raise ValueError(damaged()) from error


def entry(data: bytes, name: str) -> bytes | None:
    """The bytes of an entry; None where there is none of the name.

    Raises:
        ValueError: it is damaged, or unpacks to far more than it is.
    """
    info = names(data).get(name)
    if info is None:
        return None
    if info.file_size > min(MAX_UNPACKED, 2**20 + 20 * min(info.compress_size, len(data))):
        raise ValueError(damaged())
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return archive.read(info)
    except UNREADABLE as error:
        raise ValueError(damaged()) from error


def unpacked(data: bytes) -> tuple[str, dict[str, bytes]] | None:
    """The one file of a network in an archive, its name first, and what lies beside it; None where there is none.

    Raises:
        ValueError: there are several, or it is what TensorFlow saves.
    """
    listed = [name for name in names(data) if not name.endswith("/") and not name.startswith("__MACOSX/")]
    if any(name.rpartition("/")[2] in ("saved_model.pb", "keras_metadata.pb") for name in listed):
        raise ValueError(
            tr('This is a SavedModel of TensorFlow; load it in Keras and save it with model.save("model.keras").')
        )
    found = [name for name in listed if name.lower().endswith(NETWORKS)]
    if len(found) > 1 and all(map(is_part, found)):
        found = found[:1]
    if len(found) > 1:
        raise ValueError(tr("The archive holds several networks; bring one of them."))
    if not found:
        return None
    (main,) = found
    folder = main.rpartition("/")[0]
    beside = [name for name in listed if name != main and name.rpartition("/")[0] == folder]
    sizes = names(data)
    if sum(sizes[name].file_size for name in (main, *beside)) > MAX_UNPACKED:
        raise ValueError(tr("The archive holds more than {most} MiB.", most=MAX_UNPACKED // 2**20))
    return main, {name.rpartition("/")[2]: entry(data, name) or b"" for name in (main, *beside)}


def folder_of(data: bytes, name: str) -> dict[str, bytes] | None:
    """The files that lie in an archive beside one of this name, and it; None where there is none.

    Raises:
        ValueError: it is damaged, or holds too much.
    """
    listed = names(data)
    main = next((each for each in listed if each.rpartition("/")[2] == name), None)
    if main is None:
        return None
    folder = main.rpartition("/")[0]
    inside = [each for each in listed if each.rpartition("/")[0] == folder and not each.endswith("/")]
    if sum(listed[each].file_size for each in inside) > MAX_UNPACKED:
        raise ValueError(tr("The archive holds more than {most} MiB.", most=MAX_UNPACKED // 2**20))
    return {each.rpartition("/")[2]: entry(data, each) or b"" for each in inside}
