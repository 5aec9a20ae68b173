"""Files that are no network that can be read, each with what would help."""

from __future__ import annotations

import re
from typing import Final

from seqviz.language import later, tr
from seqviz.reading.zipped import PACKED

__all__ = ["refuse_other_files", "refuse_other_pickles"]

_OTHERS: Final = (
    (b"version https://git-lfs", later("a pointer of git-lfs, not the file itself; run “git lfs pull” to get it")),
    (b"# xet version", later("a pointer of git-xet, not the file itself; run “git xet pull” or download it again")),
    (b"GGUF", later("a GGUF file, a language model without recurrent layers")),
    *PACKED,
    (b"\x93NUMPY", later("one array saved by numpy, without a name; save all weights by their names with numpy.savez")),
    (b"MATLAB", later("a file of MATLAB; export the network there with exportONNXNetwork")),
    (b"(dp0", later("a pickle as Python 2 wrote it; load it and save it again with pickle.dump(…, protocol=2)")),
    (b"%PDF", later("a PDF document")),
    (b"\x89PNG", later("a picture")),
    (b"\xff\xd8\xff", later("a picture")),
    (b"{", later("JSON, which lists a network at most; bring the file of its weights")),
    (b"[", later("JSON, which lists a network at most; bring the file of its weights")),
    (b"x\x01", later("packed with zlib, as joblib does it; a model of scikit-learn has no recurrent layer")),
    (b"x\x9c", later("packed with zlib, as joblib does it; a model of scikit-learn has no recurrent layer")),
    (b"x^", later("packed with zlib, as joblib does it; a model of scikit-learn has no recurrent layer")),
    (b"x\xda", later("packed with zlib, as joblib does it; a model of scikit-learn has no recurrent layer")),
    (b"<", later("a web page or XML; the download may have needed a login")),
)

_PICKLES: Final = (
    (b"sklearn", later("a model of scikit-learn, which has no recurrent layer")),
    (b"xgboost", later("a model of XGBoost, which has no recurrent layer")),
    (b"lightgbm", later("a model of LightGBM, which has no recurrent layer")),
    (b"joblib", later("a file of joblib; save the arrays by their names with numpy.savez")),
    (b"pandas", later("a table of pandas; save it as .csv or .parquet and bring it as data")),
    (b"keras", later('a pickled model of Keras; save it with model.save("model.keras")')),
)
_MSGPACK: Final = later(
    "what Flax packs (msgpack); in Python, restore it with flax.serialization.msgpack_restore and save it with "
    'safetensors.flax.save_file(flax.traverse_util.flatten_dict(params, sep="."), "net.safetensors")'
)
_MAPS: Final = tuple(bytes([first]) for first in (*range(0x81, 0x90), 0xDE, 0xDF))
"""How a dictionary begins in msgpack."""

_HEAD: Final = 2**16
_SHORT: Final = 1000
_MESSAGE: Final = re.compile(
    rb"^[\x20-\x7e\s]*(\b40[1347]\b|not found|denied|invalid|unauthori|forbidden|expired)", re.IGNORECASE
)
"""What servers say where a file cannot be had."""


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


def refuse_other_pickles(data: bytes) -> None:
    """Say what a pickle without recurrent layers is, where the names in it tell.

    Raises:
        ValueError: they do; one sentence.
    """
    said = next((what for word, what in _PICKLES if word in data[:_HEAD]), "")
    if said:
        raise ValueError(tr("This is {what}.", what=tr(said)))


def _named(data: bytes, name: str) -> str:
    ending = name.lower()
    if not data.strip(b"\0 \t\r\n"):
        return later("an empty file")
    if (
        len(data) < _SHORT
        and data[:1] not in b"{[<%"
        and _MESSAGE.search(data)
        and not ending.endswith((".py", ".csv"))
    ):
        return later("a message of a server in the place of the file; download it again, perhaps after a login")
    if ending.endswith(".msgpack") or (data[:1] in _MAPS and b"params" in data[:_SHORT]):
        return _MSGPACK
    if data[257:262] == b"ustar":
        return later("a tar archive; unpack it first")
    if data[4:8] == b"TFL3" or ending.endswith(".tflite"):
        return later("a file of TensorFlow Lite; bring the .keras or .h5 file that it was made from")
    if ending.endswith((".mlmodel", ".mlpackage")):
        return later("a model of Core ML; bring the file that it was converted from")
    if ending.endswith((".py", ".ipynb")):
        return later("the code of a network, not its weights; run it and save model.state_dict() with torch.save")
    if ending.endswith((".pb", ".index", ".meta")) or ".data-00000-of-" in ending:
        return later('a part of what TensorFlow saves; load it in Keras and save it with model.save("model.keras")')
    if ending.endswith((".data", ".bin", ".onnx_data")):
        return later("the weights of another file alone; bring the .onnx file that it belongs to, and this one with it")
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    found = next((what for magic, what in _OTHERS if start.startswith(magic)), "")
    return found or (later("a table; it is data for a network, not a network") if _table(data, ending) else "")


def _table(data: bytes, name: str) -> bool:
    """Whether it is lines of text that have separators, as many in each."""
    if name.endswith((".csv", ".tsv")):
        return True
    lines = data[:4096].splitlines()[:4]
    plain = all(byte >= 32 or byte in b"\t\r\n" for byte in data[:4096])
    counts = [{line.count(mark) for line in lines} for mark in (b",", b";", b"\t")]
    return plain and len(lines) > 1 and any(len(each) == 1 and each != {0} for each in counts)
