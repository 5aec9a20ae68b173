"""Files that are no network that can be read, each with what would help."""

from __future__ import annotations

from typing import Final

from seqviz.language import later, tr

__all__ = ["refuse_other_files"]

_LEGACY: Final = bytes.fromhex("6cfc9c46f9206aa85019")
"""torch's magic number before version 1.6, as it stands in a pickle."""

_OTHERS: Final = (
    (b"version https://git-lfs", later("a pointer of git-lfs, not the file itself; run “git lfs pull” to get it")),
    (b"\x89HDF", later("an HDF5 file, as Keras writes it")),
    (b"GGUF", later("a GGUF file, a language model without recurrent layers")),
    (b"\x1f\x8b", later("packed with gzip; unpack it first")),
    (b"BZh", later("packed with bzip2; unpack it first")),
    (b"\xfd7zXZ", later("packed with xz; unpack it first")),
    (b"7z\xbc\xaf", later("a 7z archive; unpack it first")),
    (b"Rar!", later("a RAR archive; unpack it first")),
    (b"\x93NUMPY", later("an array saved by numpy, which has no names of weights; save a state dict with torch.save")),
    (b"%PDF", later("a PDF document")),
    (b"\x89PNG", later("a picture")),
    (b"\xff\xd8\xff", later("a picture")),
    (b"{", later("JSON, which lists a network at most; bring the file of its weights")),
    (b"[", later("JSON, which lists a network at most; bring the file of its weights")),
    (b"<", later("a web page or XML; the download may have needed a login")),
)


def refuse_other_files(data: bytes, name: str) -> None:
    """Say what a file is that begins as no network does.

    Raises:
        ValueError: always; one sentence.
    """
    said = _named(data, name)
    kinds = tr("Networks are read from .pt, .pth, .ckpt and .safetensors.")
    if said:
        raise ValueError(tr("This is {what}. {kinds}", what=tr(said), kinds=kinds))
    raise ValueError(tr("This file is of no kind that is known here. {kinds}", kinds=kinds))


def _named(data: bytes, name: str) -> str:
    if not data.strip(b"\0 \t\r\n"):
        return later("an empty file")
    if data[:1] == b"\x80" and _LEGACY in data[:64]:
        return later("written by torch before 1.6, or as it did then; open it with torch.load and torch.save it again")
    if data[:1] == b"\x80" and data[1:2] <= b"\x05":
        return later("a pickle that torch.save did not write; save model.state_dict() with torch.save instead")
    if data[257:262] == b"ustar":
        return later("a tar archive; unpack it first")
    if name.lower().endswith(".onnx"):
        return later("an ONNX file")
    if name.lower().endswith((".pb", ".tflite", ".index", ".data-00000-of-00001")):
        return later("a file of TensorFlow")
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    return next((what for magic, what in _OTHERS if start.startswith(magic)), "")
