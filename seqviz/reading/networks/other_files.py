"""Files that are no network that can be read, each with what would help."""

from __future__ import annotations

from typing import Final

from seqviz.language import later, tr

__all__ = ["refuse_other_files"]

_LEGACY: Final = bytes.fromhex("6cfc9c46f9206aa85019")
"""torch's magic number before version 1.6, as it stands in a pickle."""

_OTHERS: Final = (
    (b"version https://git-lfs", later("a pointer of git-lfs, not the file itself; run “git lfs pull” to get it")),
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
    (b"x\x01", later("packed with zlib, as joblib does it; a model of scikit-learn has no recurrent layer")),
    (b"x\x9c", later("packed with zlib, as joblib does it; a model of scikit-learn has no recurrent layer")),
    (b"x\xda", later("packed with zlib, as joblib does it; a model of scikit-learn has no recurrent layer")),
    (b"<", later("a web page or XML; the download may have needed a login")),
)


def refuse_other_files(data: bytes, name: str) -> None:
    """Say what a file is that begins as no network does.

    Raises:
        ValueError: always; one sentence.
    """
    said = _named(data, name)
    kinds = tr("Networks are read from .pt, .pth, .ckpt, .safetensors, .keras, .h5 and .onnx.")
    if said:
        raise ValueError(tr("This is {what}. {kinds}", what=tr(said), kinds=kinds))
    raise ValueError(tr("This file is of no kind that is known here. {kinds}", kinds=kinds))


def _named(data: bytes, name: str) -> str:
    ending = name.lower()
    if not data.strip(b"\0 \t\r\n"):
        return later("an empty file")
    if data[:1] == b"\x80" and _LEGACY in data[:64]:
        return later("written by torch before 1.6, or as it did then; open it with torch.load and torch.save it again")
    if data[:1] == b"\x80" and data[1:2] <= b"\x05":
        return _pickle(data)
    if data[257:262] == b"ustar":
        return later("a tar archive; unpack it first")
    if data[4:8] == b"TFL3" or ending.endswith(".tflite"):
        return later("a file of TensorFlow Lite; bring the .keras or .h5 file that it was made from")
    if ending.endswith((".pb", ".index", ".meta")) or ".data-00000-of-" in ending:
        return later('a part of what TensorFlow saves; load it in Keras and save it with model.save("model.keras")')
    if ending.endswith((".data", ".bin", ".onnx_data")):
        return later("the weights of another file alone; bring the .onnx file that it belongs to, and this one with it")
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    found = next((what for magic, what in _OTHERS if start.startswith(magic)), "")
    return found or (later("a table; it is data for a network, not a network") if _table(data, ending) else "")


def _pickle(data: bytes) -> str:
    if b"sklearn" in data[:4096]:
        return later("a model of scikit-learn, which has no recurrent layer")
    return later("a pickle that torch.save did not write; save model.state_dict() with torch.save instead")


def _table(data: bytes, name: str) -> bool:
    """Whether it is lines of text that have separators, as many in each."""
    if name.endswith((".csv", ".tsv")):
        return True
    lines = data[:4096].splitlines()[:4]
    plain = all(byte >= 32 or byte in b"\t\r\n" for byte in data[:4096])
    counts = [{line.count(mark) for line in lines} for mark in (b",", b";", b"\t")]
    return plain and len(lines) > 1 and any(len(each) == 1 and each != {0} for each in counts)
