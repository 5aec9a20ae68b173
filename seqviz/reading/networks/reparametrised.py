"""Weights that a file holds in parts, worked out as torch does it when it evaluates.

`torch.nn.utils.parametrizations <https://docs.pytorch.org/docs/stable/nn.html#module-torch.nn.utils>`_ and what was
before them, `torch.nn.utils.prune <https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.html>`_, and the
dropped weights of AWD-LSTM.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, NamedTuple

import numpy as np

from seqviz.language import later, tr
from seqviz.reading.networks.stored import Contents, Stored, brief

__all__ = ["worked_out"]

_WEIGHT: Final = r"(?P<name>.*(?:weight|bias)_[a-z]{2}(?:_l\d{1,3})?(?:_reverse)?)"
_NEW: Final = r"(?P<path>.*?)parametrizations\.(?P<name>[^.]*(?:weight|bias)_[a-z]{2}(?:_l\d{1,3})?(?:_reverse)?)"

Made = Callable[..., np.ndarray]


class _Way(NamedTuple):
    """How a weight is held: the ends of its parts, the first of them of its shape, what makes it, what is said."""

    start: str
    ends: tuple[str, ...]
    make: Made
    says: str


def _normed(direction: np.ndarray, size: np.ndarray) -> np.ndarray:
    """w = g v / |v|; Salimans and Kingma 2016."""
    over = tuple(axis for axis, n in enumerate(size.shape) if n == 1) if size.ndim == direction.ndim else None
    if size.ndim not in (0, direction.ndim) or any(
        n not in (1, m) for n, m in zip(size.shape, direction.shape, strict=False)
    ):
        raise ValueError("shapes")
    length = np.sqrt((direction**2).sum(axis=over, keepdims=size.ndim > 0))
    return size * direction / length


def _spectral(weight: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """w / (u w v), the vectors being those of the last step of the power iteration; Miyato and others 2018."""
    if weight.ndim != 2 or u.shape != weight.shape[:1] or v.shape != weight.shape[1:]:
        raise ValueError("shapes")
    return weight / (u @ weight @ v)


def _pruned(weight: np.ndarray, mask: np.ndarray) -> np.ndarray:
    if weight.shape != mask.shape:
        raise ValueError("shapes")
    return weight * mask


def _as_it_is(weight: np.ndarray) -> np.ndarray:
    return weight


_NORM: Final = later("Weight normalisation was worked out: g·v/|v| stands for g and v.")
_SPECTRAL: Final = later("Spectral normalisation was worked out: the weight over its largest singular value, as saved.")
_WAYS: Final = (
    _Way(_WEIGHT, ("_v", "_g"), _normed, _NORM),
    _Way(_NEW, (".original1", ".original0"), _normed, _NORM),
    _Way(_WEIGHT, ("_orig", "_u", "_v"), _spectral, _SPECTRAL),
    _Way(_NEW, (".original", ".0._u", ".0._v"), _spectral, _SPECTRAL),
    _Way(_WEIGHT, ("_orig", "_mask"), _pruned, later("What was pruned is 0: masks were laid over the weights.")),
    _Way(_WEIGHT, ("_raw",), _as_it_is, later("Weights that are dropped at random in training were taken whole.")),
)


def worked_out(contents: Contents) -> dict[str, Stored]:
    """The tensors, and in the place of parts what they make; a weight that is made otherwise is refused when read."""
    tensors, said = dict(contents.tensors), dict[str, None]()
    for way in _WAYS:
        pattern = re.compile(way.start + re.escape(way.ends[0]))
        for key in contents.tensors:
            found = pattern.fullmatch(key)
            if found is None or (name := _name(found)) in tensors:
                continue
            parts = [contents.tensors.get(key[: -len(way.ends[0])] + end) for end in way.ends]
            if all(part is not None for part in parts):
                given = [part for part in parts if part is not None]
                tensors[name] = Stored(name, given[0].shape, "float32", partial(_made, way.make, given))
                said[way.says] = None
    contents.notes += [tr(says) for says in said]
    return tensors | _others(contents.tensors, tensors)


def _name(found: re.Match[str]) -> str:
    return found.groupdict().get("path", "") + found["name"]


def _others(tensors: Mapping[str, Stored], known: Mapping[str, Stored]) -> dict[str, Stored]:
    """Weights of another parametrisation, whose numbers cannot be had."""
    found = {}
    for key, stored in tensors.items():
        match = re.fullmatch(_NEW + r"\.original0?", key)
        if match is not None and (name := _name(match)) not in known:
            found[name] = Stored(name, stored.shape, "float32", partial(_refused, name))
    return found


def _refused(name: str) -> np.ndarray:
    raise ValueError(
        tr(
            "{name} is worked out by a parametrisation that is not read; call "
            "torch.nn.utils.parametrize.remove_parametrizations, and save the state dict again.",
            name=brief(name),
        )
    )


def _made(make: Made, parts: list[Stored]) -> np.ndarray:
    numbers = [part.float32().astype(float) for part in parts]
    try:
        with np.errstate(divide="ignore", invalid="ignore"):  # a row of zeros has no direction, and is refused as NaN
            return np.asarray(make(*numbers), "<f4")
    except ValueError as error:
        says = tr("The parts of {name} do not fit each other.", name=brief(parts[0].name))
        raise ValueError(says) from error
