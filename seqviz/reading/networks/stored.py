"""A tensor as it lies in a file: its outline is known at once, its numbers are looked at when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from seqviz.language import Sentence, later, tr

__all__ = ["FLOATS", "NUMBERS", "OPTIMISER", "OWN", "Contents", "Stored", "brief", "cut_short"]

FLOATS: Final = MappingProxyType({"float16": "<f2", "bfloat16": "<u2", "float32": "<f4", "float64": "<f8"})
"""The types of weights that are read, by torch's names, and how numpy sees their bytes."""

NUMBERS: Final = MappingProxyType(
    dict(FLOATS) | {"int8": "|i1", "uint8": "|u1", "int16": "<i2", "int32": "<i4", "int64": "<i8", "bool": "|b1"}
)
"""The types of numbers, in the same way; other than weights they are data."""

OPTIMISER: Final = later("What an optimiser keeps was left out.")
"""Said where that was in a file."""

OWN: Final = "*"

MAX_TENSORS: Final = 20_000

_BLOCK: Final = 2**20
_SHOWN: Final = 80


@dataclass(frozen=True, eq=False)
class Stored:
    """A tensor of a file.

    Attributes:
        name: its name in the file, with the names of what it lies in, joined by points.
        shape: its sizes.
        dtype: torch's name of its type, ``float32``.
        raw: gives its bytes as an array of `shape` and of the type in :data:`FLOATS`, without a copy where it can;
            raises ValueError with a sentence where the file does not hold them.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    raw: Callable[[], np.ndarray]

    def check_type(self) -> None:
        """Refuse what is no plain tensor of floating point numbers.

        Raises:
            ValueError: it is another kind.
        """
        if self.dtype not in FLOATS:
            raise ValueError(
                tr("{name} holds {dtype}; weights are read from float16, bfloat16, float32 and float64 alone.",
                   name=brief(self.name), dtype=brief(self.dtype))
            )  # fmt: skip

    def float32(self) -> np.ndarray:
        """Its numbers as a float32 array of `shape`, a view of the file where they lie there so.

        Raises:
            ValueError: it is of another kind, is not all in the file, or holds what is no finite float32.
        """
        self.check_type()
        raw = self.raw()
        values = raw if raw.dtype == "<f4" else np.empty(raw.shape, "<f4")
        for at in _blocks(raw.shape):
            if values is not raw:
                with np.errstate(over="ignore", invalid="ignore"):  # what is beyond float32 is refused as infinite
                    values[at] = _widened(raw[at]) if self.dtype == "bfloat16" else raw[at]
            if not np.isfinite(values[at]).all():
                raise ValueError(tr("The weights of {name} hold NaN or infinity.", name=brief(self.name)))
        return values

    def numbers(self) -> np.ndarray:
        """Its numbers, of any type in :data:`NUMBERS`, whatever they are.

        Raises:
            ValueError: they are not all in the file.
        """
        raw = self.raw()
        return _widened(raw) if self.dtype == "bfloat16" else raw


@dataclass
class Contents:
    """What a reader found in a file.

    Attributes:
        tensors: by their names.
        facts: what the file says of a module beside its weights, by the module's name.
        notes: what was left out or converted.
        refused: why a layer of it cannot be read, a sentence each.
        others: by path, the class of each layer and function that it lists, with :data:`OWN` before it where that is a
            class of somebody's own; None where it lists none.
    """

    tensors: dict[str, Stored] = field(default_factory=dict)
    facts: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    notes: list[Sentence] = field(default_factory=list)
    refused: list[Sentence] = field(default_factory=list)
    others: dict[str, str] | None = None

    def add(self, tensor: Stored) -> None:
        """One more tensor.

        Raises:
            ValueError: there are too many.
        """
        if len(self.tensors) >= MAX_TENSORS:
            raise ValueError(tr("The file holds more than {most:,} tensors.", most=MAX_TENSORS))
        self.tensors[tensor.name] = tensor


def brief(name: str) -> str:
    """A name of the file as it may stand in a sentence: its end, on one line."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in name[-2 * _SHOWN :])
    return plain if len(plain) <= _SHOWN else "…" + plain[1 - _SHOWN :]


def cut_short(name: str) -> ValueError:
    """What is raised where the file has fewer numbers than a tensor of it says."""
    return ValueError(tr("The file is damaged: {name} reaches beyond the numbers that it holds.", name=brief(name)))


def _widened(half: np.ndarray) -> np.ndarray:
    """The upper half of a float32 is what bfloat16 keeps."""
    return (half.astype("<u4") << 16).view("<f4")


def _blocks(shape: tuple[int, ...]) -> Iterator[slice | tuple[()]]:
    """Rows of about a million numbers at a time."""
    if not shape:
        yield ()
        return
    rows = max(1, _BLOCK // max(1, int(np.prod(shape[1:], dtype=float))))
    for start in range(0, shape[0], rows):
        yield slice(start, start + rows)
