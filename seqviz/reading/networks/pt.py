"""What ``torch.save`` and ``torch.jit.save`` write, read without torch and without running any of it.

The file is a zip archive: ``NAME/data.pkl`` describes objects, ``NAME/data/0`` and so on hold the numbers, all of it
uncompressed; https://docs.pytorch.org/docs/stable/notes/serialization.html.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from functools import partial

from seqviz.language import tr
from seqviz.reading.networks import archives
from seqviz.reading.networks.described import build, find_tensors, storage_of, whole_module
from seqviz.reading.networks.pickled import read_pickle
from seqviz.reading.networks.stored import Contents, brief
from seqviz.reading.zipped import damaged

__all__ = ["contents_of_pt"]


def contents_of_pt(data: bytes) -> Contents:
    """Every tensor of a ``.pt``, ``.pth`` or ``.ckpt``, by its path: state dicts wherever they lie, whole modules.

    Raises:
        ValueError: one sentence.
    """
    archive = _Archive(data)
    contents = Contents()
    stored = partial(storage_of, view=lambda key: archive.view(f"{archive.root}data/{key}"), big=archive.big)
    top = read_pickle(archive.read(archive.root + "data.pkl"), build, stored)
    if archive.script:
        contents.notes.append(tr("The file is a TorchScript program; its weights were read, and none of it was run."))
    find_tensors(top, contents)
    if not archive.script:
        contents.notes += whole_module(contents)
    return contents


class _Archive:
    """The zip archive, its entries as views of the file's bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = memoryview(data)
        self.views: dict[str, memoryview] = {}
        self.entries = archives.names(data)
        roots = [name[: -len("data.pkl")] for name in self.entries if name.endswith("/data.pkl")]
        if not roots and any(name.endswith("archive_format") or ".pt2" in name for name in self.entries):
            raise ValueError(
                tr(
                    "This is a program saved by torch.export (.pt2), which is not read; in Python: "
                    'torch.save(torch.export.load("net.pt2").state_dict, "net.pt")'
                )
            )
        if not roots and self.entries:
            names = [brief(name) for name in self.entries if not name.endswith("/")][:3]
            raise ValueError(
                tr("This is a zip archive without a network in it; it holds {names}. Bring the file of the network’s "
                   "weights.", names=", ".join(names) or "–")
            )  # fmt: skip
        if len(roots) != 1:
            raise ValueError(
                tr("This is a zip archive, but not one that torch.save wrote; bring the .pt file as it was saved.")
            )
        self.root = roots[0]
        self.script = any(name.startswith(self.root + "code/") for name in self.entries)
        self.big = self._byte_order() == b"big"
        mine = [
            info for name, info in self.entries.items() if name.startswith((self.root + "data/", self.root + "data."))
        ]
        if any(info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 for info in mine):
            raise ValueError(
                tr("The archive was packed again after torch wrote it; bring the .pt file as torch.save wrote it.")
            )
        if sum(info.file_size for info in mine) > len(data):
            raise ValueError(damaged())

    def _byte_order(self) -> bytes:
        info = self.entries.get(self.root + "byteorder")
        known = info is not None and info.compress_type == zipfile.ZIP_STORED and info.file_size < 16
        return self.read(self.root + "byteorder").strip() if known else b""

    def read(self, name: str) -> bytes:
        return bytes(self.view(name))

    def view(self, name: str) -> memoryview:
        """The bytes of an entry, held against its checksum when it is first looked at."""
        if name not in self.views:
            self.views[name] = self._checked(name)
        return self.views[name]

    def _checked(self, name: str) -> memoryview:
        wrong = tr("The file is damaged: {name} in it does not agree with its checksum.", name=brief(name))
        info = self.entries.get(name)
        if info is None:
            raise ValueError(tr("The file is incomplete: it names {name}, which is not in it.", name=brief(name)))
        head = bytes(self.data[info.header_offset : info.header_offset + 30])
        if len(head) < 30 or head[:4] != b"PK\x03\x04":
            raise ValueError(wrong)
        start = info.header_offset + 30 + sum(struct.unpack("<HH", head[26:]))
        view = self.data[start : start + info.file_size]
        if len(view) != info.file_size or zlib.crc32(view) != info.CRC:
            raise ValueError(wrong)
        return view
