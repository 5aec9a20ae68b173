"""Networks as files: safetensors with the experiment's JSON in its metadata. Nothing is ever unpickled."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from seqviz.checks import shown
from seqviz.experiment import Experiment, Tensor, parameter_shapes
from seqviz.language import tr
from seqviz.weights import materialise

__all__ = ["asset_names", "from_safetensors", "load_asset", "to_safetensors"]

MAX_FILE: Final = 32 * 2**20
MAX_HEADER: Final = 4 * 2**20
ASSETS: Final = Path(__file__).resolve().parent.parent / "assets" / "weights"


class _Library(NamedTuple):
    """What is needed of safetensors."""

    load: Callable[[bytes], dict[str, np.ndarray]]
    save: Callable[..., bytes]
    Error: type[Exception]


def _safetensors(asked: str) -> _Library:
    try:
        safetensors = importlib.import_module("safetensors")
        numpy = importlib.import_module("safetensors.numpy")
    except ImportError:
        raise ImportError(tr("{function} needs safetensors: pip install safetensors", function=asked)) from None
    return _Library(numpy.load, numpy.save, safetensors.SafetensorError)


def to_safetensors(experiment: Experiment) -> bytes:
    """Every weight of the network, edits included, with the experiment in the metadata.

    Raises:
        ImportError: safetensors is not installed.
    """
    save = _safetensors("to_safetensors").save
    bare = replace(experiment, tensors=(), edits=())
    return save(dict(materialise(experiment)), metadata={"seqviz": bare.to_json()})


def from_safetensors(data: bytes) -> Experiment:
    """Read what :func:`to_safetensors` wrote.

    Raises:
        ValueError: the file is too large, damaged, not of seqviz, or its weights are not all of its experiment's,
            in their shapes, finite and float32.
        ImportError: safetensors is not installed.
    """
    library = _safetensors("from_safetensors")
    if not isinstance(data, bytes | bytearray):
        raise ValueError(tr("A network's file is bytes, not {found}.", found=shown(data)))
    if len(data) > MAX_FILE:
        raise ValueError(tr("The file is larger than {most} MB.", most=MAX_FILE // 2**20))
    try:
        size = int.from_bytes(data[:8], "little")
        if size > MAX_HEADER:
            raise ValueError("the header is too large")
        text = json.loads(data[8 : 8 + size])["__metadata__"]["seqviz"]
        arrays = library.load(bytes(data))
    except (ValueError, KeyError, TypeError, AttributeError, library.Error, RecursionError, MemoryError) as error:
        raise ValueError(
            tr("This is not a network saved by seqviz: its safetensors header does not say so.")
        ) from error
    bare = replace(Experiment.from_json(text), edits=())
    shapes = parameter_shapes(bare)
    for name, array in arrays.items():
        if array.dtype != np.float32:
            raise ValueError(
                tr("The weights of {name} are {dtype}; seqviz saves float32.", name=shown(name), dtype=str(array.dtype))
            )
        if name in shapes and array.shape != (shape := shapes[name]):
            raise ValueError(
                tr("{name} must have the shape {shape}, not {given}.", name=name, shape=shape, given=array.shape)
            )
    missing = [name for name in shapes if name not in arrays]
    if missing:
        raise ValueError(tr("The file lacks the weights {missing}.", missing=", ".join(missing)))
    return replace(bare, tensors=tuple(Tensor.of(name, array) for name, array in sorted(arrays.items())))


def asset_names() -> tuple[str, ...]:
    """The trained networks that come with the project."""
    return tuple(sorted(path.stem for path in ASSETS.glob("*.safetensors")))


def load_asset(name: str) -> Experiment:
    """A trained network that comes with the project, on its task's probe.

    Raises:
        ValueError: there is none of that name (an installed package has none; the project's folder has).
    """
    known = asset_names()
    if not known:
        raise ValueError(tr("There is no trained network {name!r}; there are none here.", name=name))
    if name not in known:
        raise ValueError(
            tr("There is no trained network {name!r}; there are {known}.", name=name, known=", ".join(known))
        )
    return from_safetensors((ASSETS / f"{name}.safetensors").read_bytes())
