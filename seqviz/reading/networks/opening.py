"""A file of a trained network, whoever wrote it: :func:`read_network`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, Final

from seqviz.language import Sentence, tr, trn
from seqviz.reading.files import bytes_of, is_given, path_of
from seqviz.reading.networks.archives import NETWORKS, unpacked
from seqviz.reading.networks.file import NetworkFile
from seqviz.reading.networks.in_a_row import in_a_row
from seqviz.reading.networks.keras import contents_of_hdf5, contents_of_keras, looks_like_hdf5, looks_like_keras
from seqviz.reading.networks.left_out import left_out
from seqviz.reading.networks.legacy import (
    contents_of_legacy,
    contents_of_pickle,
    looks_like_legacy,
    looks_like_pickle,
)
from seqviz.reading.networks.npz import contents_of_npz, looks_like_npz
from seqviz.reading.networks.onnx_file import contents_of_onnx, looks_like_onnx
from seqviz.reading.networks.other_files import refuse_other_files, refuse_other_pickles
from seqviz.reading.networks.pt import contents_of_pt
from seqviz.reading.networks.safetensors import contents_of_safetensors, looks_like_safetensors
from seqviz.reading.networks.shards import is_part, joined, parts_named
from seqviz.reading.networks.stacks import stacks_of
from seqviz.reading.networks.started import Beside
from seqviz.reading.networks.stored import OPTIMISER, Contents, brief

__all__ = ["MAX_FILE", "read_network"]

MAX_FILE: Final = 2**28
"""Bytes of a file that are read: 256 MiB."""

MAX_BESIDE: Final = 8

_TRANSFORMER: Final = ("self_attn", "attention", "attn.", "q_proj", "query_key_value")
_RECURRENT: Final = ("lstm", "gru", "rnn", "cell", "recurrent")
_FLAX: Final = re.compile(r"(^|[./])(params[./].*|[^./]+[./])(kernel|linear[./][wb])$|[./]~[./]")
_QUANTISED: Final = ("_packed_params", "_all_weight_values", "_quantized")

Given = bytes | str | PathLike[str] | IO[bytes]


def read_network(
    path_or_bytes: Given | Sequence[str | PathLike[str]],
    name: str = "",
    *,
    beside: Mapping[str, Given] | None = None,
    answers: Mapping[str, Any] | None = None,
) -> NetworkFile:
    """Read the recurrent layers of a trained network; nothing in the file is run.

    ``.pt``, ``.pth`` and ``.ckpt`` as ``torch.save`` and ``torch.jit.save`` write them, and wrote before version 1.6
    (state dicts wherever they lie in the file, Lightning's checkpoints, whole pickled modules, TorchScript), plain
    pickles of tensors or of numpy's arrays, ``.safetensors``, what Keras saves
    (``.keras``, ``.weights.h5``, ``.h5``), ``.onnx``, and arrays by name in an ``.npz``; also one of them in a zip.
    What kind it is, its content says, not its name. Gates are put in torch's order, and what was moved is said.

    HDF5 and ONNX are read in a process of its own that is killed if it takes too long or too much memory.

    Args:
        path_or_bytes: a path to the file, what it holds, or the open file; several paths where an ONNX file keeps its
            weights in another file, which is also found by itself where it lies in the same folder.
        name: the file's name.
        beside: by name, files that lie beside it: the weights of an ONNX file, the ``config.json`` of a
            ``.weights.h5`` (what ``model.to_json()`` gives).
        answers: to what the file leaves open, see :meth:`NetworkFile.answered`.

    Raises:
        ValueError: one sentence that says what is wrong and what would help.
        OSError: (and a ValueError) the path cannot be opened, in one sentence.
    """
    around = {key: _content(each, "")[0] for key, each in (beside or {}).items()}
    folder: Path | None = None
    if isinstance(path_or_bytes, list | tuple):
        path_or_bytes, more = _main(path_or_bytes)
        around |= more
    if isinstance(path_or_bytes, str | PathLike):
        folder = path_of(path_or_bytes).parent
    data, name = _content(path_or_bytes, name)
    if data[:4] == b"PK\x03\x04" and not looks_like_keras(data) and b"/data.pkl" not in data:
        data, around, name = _inside(data, around, name)
    parts = parts_named(data, name)
    contents = _parts(parts, data, name, around, folder) if parts else _contents(data, name, around, folder)
    stacks, refused = stacks_of(contents)
    if not stacks and not refused and looks_like_pickle(data):
        refuse_other_pickles(data)
    if not stacks:
        raise ValueError(refused[0] if refused else _nothing(contents))
    file = NetworkFile(name, tuple(stacks), (*contents.notes, *refused), MappingProxyType(contents.tensors))
    tables = [table for stack in stacks if (table := file.embedding(stack))]
    file = replace(file, said=(*file.said, *in_a_row(contents, stacks), *left_out(contents, stacks, tables)))
    return file.answered(**answers) if answers else file


def _parts(parts: list[str], data: bytes, name: str, around: Mapping[str, bytes], folder: Path | None) -> Contents:
    """What several files hold together.

    Raises:
        ValueError: one of them is missing.
    """
    found: dict[str, Contents] = {}
    size = 0
    for part in parts:
        given = data if part == name else around.get(part)
        given = _lies_beside(part, folder) if given is None else given
        if given is None:
            says = tr("The network lies in several files, and {name} is missing: bring all of them, together or in one "
                      "zip.", name=brief(part))  # fmt: skip
            raise ValueError(says)
        size += len(given)
        if size > MAX_FILE:
            raise ValueError(tr("The file is larger than {most} MiB.", most=MAX_FILE // 2**20))
        found[part] = _contents(given, part, {}, None)
    return joined(found)


def _lies_beside(name: str, folder: Path | None) -> bytes | None:
    """A file of the folder, by a name that leads nowhere else; None where it is not there."""
    plain = name not in ("", ".", "..") and not any(letter in name for letter in "/\\\0")
    if folder is None or not plain or not (folder / name).is_file():
        return None
    return _content(folder / name, "")[0]


def _inside(data: bytes, around: dict[str, bytes], name: str) -> tuple[bytes, dict[str, bytes], str]:
    """The network in an archive, what lies beside it, and its name; the archive itself where it holds none."""
    found = unpacked(data)
    if found is None:
        return data, around, name
    (main, files), several = found, name
    name = main.rpartition("/")[2]
    return files.pop(name), files | around, name if is_part(name) else several


def _main(paths: Sequence[Any]) -> tuple[Any, dict[str, bytes]]:
    """Of several paths the network's, and the others by name."""
    if not paths or not all(isinstance(path, str | PathLike) for path in paths):
        raise ValueError(tr("Several files are given as a list of paths."))
    ordered = sorted(map(path_of, paths), key=lambda path: path.suffix.lower() in (".data", ".json", ".bin"))
    several = [path.name for path in ordered if path.name.lower().endswith(NETWORKS)]
    if len(several) > 1 and not all(map(is_part, several)):
        raise ValueError(tr("Several networks were given, {names}; bring one of them, with what belongs to it.",
                            names=", ".join(brief(name) for name in several[:4])))  # fmt: skip
    return ordered[0], {path.name: _content(path, "")[0] for path in ordered[1:]}


def _content(given: Any, name: str) -> tuple[bytes, str]:
    if not is_given(given):
        raise ValueError(
            tr("A network must be given as a path or as the bytes of a file, not {kind}.", kind=type(given).__name__)
        )
    data, called = bytes_of(given, MAX_FILE)
    return data, (name if isinstance(name, str) else "") or called


def _contents(data: bytes, name: str, beside: Mapping[str, bytes], folder: Path | None) -> Contents:
    if looks_like_npz(data):
        return contents_of_npz(data)
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return contents_of_keras(data) if looks_like_keras(data) else contents_of_pt(data)
    if looks_like_hdf5(data):
        return contents_of_hdf5(data, next((each for each in beside.values() if each[:1] == b"{"), b""))
    if looks_like_safetensors(data):
        return contents_of_safetensors(data)
    if looks_like_onnx(data, name):
        return _onnx(data, dict(beside), folder)
    if looks_like_legacy(data):
        return contents_of_legacy(data)
    if looks_like_pickle(data):
        return contents_of_pickle(data)
    refuse_other_files(data, name)
    raise AssertionError


def _onnx(data: bytes, beside: dict[str, bytes], folder: Path | None) -> Contents:
    """An ONNX file, with the files beside it as it asks for them."""
    for _ in range(MAX_BESIDE):
        try:
            return contents_of_onnx(data, beside)
        except Beside as missing:
            found = None if missing.name in beside else _lies_beside(missing.name, folder)
            if found is None:
                raise
            beside[missing.name] = found
    raise ValueError(tr("The network keeps its weights in more than {most} files.", most=MAX_BESIDE))


def _nothing(contents: Contents) -> Sentence:
    """Why no recurrent layer was found."""
    if any("quantized" in str(facts.get("module")) for facts in contents.facts.values()):
        return tr("The network in the file is quantised; save it before it is quantised.")
    if not contents.tensors and any(note.template == OPTIMISER for note in contents.notes):
        return tr("The file holds an optimiser's state alone; bring the file of model.state_dict().")
    if not contents.tensors:
        return tr("The file holds no weights; save model.state_dict() with torch.save.")
    if any(word in key for key in contents.tensors for word in _QUANTISED):
        return tr("The network in the file is quantised; save it before it is quantised.")
    if any("flat_param" in key for key in contents.tensors):
        return tr("The weights lie flat as FSDP keeps them, without their shapes; save them with FULL_STATE_DICT.")
    if any(word in key for key in contents.tensors for word in _TRANSFORMER):
        return tr("This is a transformer: it has attention and no recurrent layer, so there are no gates to see.")
    if any(_FLAX.search(key) for key in contents.tensors):
        return tr("The weights are called as Flax or Haiku (JAX) call theirs, and none of them are the gates of Flax’s "
                  "LSTM or GRU cells, which are read. Save them by torch’s names with numpy.savez: weight_ih_l0, "
                  "weight_hh_l0, bias_ih_l0, the gates one below the other.")  # fmt: skip
    named = [key.lower() for key in contents.tensors]
    kernels = [key.lower() for key, stored in contents.tensors.items() if len(stored.shape) in (4, 5)]
    if any(word in key for key in kernels for word in _RECURRENT):
        return tr("This looks like a ConvLSTM: its gates are pictures at every step, which cannot be shown here.")
    if kernels and not any(word in key for key in named for word in _RECURRENT):
        return tr("This is a convolutional network: it has no recurrent layer, so there are no gates to see.")
    return trn(
        "There is no recurrent layer in the file: none of its tensors is called weight_hh_l0 or so; there is {names}.",
        "There is no recurrent layer in the file: none of its {count:,} tensors is called weight_hh_l0 or so; "
        "there are {names}.",
        len(contents.tensors),
        names=", ".join(brief(key) for key in list(contents.tensors)[:4]),
    )
