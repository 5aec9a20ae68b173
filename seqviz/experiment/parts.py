"""What an Experiment is made of: how weights start, what goes in, and whole tensors."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np

from seqviz import cells, counted
from seqviz.checks import assign, choice, float32, listed, shown, whole
from seqviz.experiment.edits import InputEdit, WeightEdit, latest
from seqviz.experiment.limits import (
    MAX_EDITS,
    MAX_HIDDEN,
    MAX_INPUT,
    MAX_LAYERS,
    MAX_NAME,
    MAX_OUTPUT,
    MAX_STEPS,
)
from seqviz.language import later, tr, trn

__all__ = [
    "KINDS", "MAX_EDITS", "MAX_HIDDEN", "MAX_INPUT", "MAX_LAYERS", "MAX_OUTPUT", "MAX_STEPS", "PRESETS",
    "SCHEMES", "Init", "InputEdit", "Sequence", "Tensor", "WeightEdit", "latest",
]  # fmt: skip

SCHEMES: Final = ("default", "xavier", "orthogonal", "identity", "chrono", "zeros")


class HandSet(NamedTuple):
    """For what a network set by hand is set: its sizes, one output, one layer, and the cells, the usual one first."""

    input_size: int
    hidden_size: int
    cells: tuple[str, ...]


def _set_by_hand(name: str, input_size: int, hidden_size: int) -> HandSet:
    """The cells are those whose own file sets it."""
    known = tuple(cell for cell in cells.names() if name in cells.get(cell).by_hand)
    return HandSet(input_size, hidden_size, known)


HAND_SET: Final = {
    name: _set_by_hand(name, inputs, hidden)
    for name, inputs, hidden in (
        ("latch", 1, 2),
        ("counter", 1, 1),
        ("leaky", 1, 1),
        ("toggle", 1, 1),
        ("brackets", 4, 1),
    )
}
PRESETS: Final = tuple(HAND_SET)
KINDS: Final = (
    "impulse",
    "step",
    "sine",
    "square",
    "ramp",
    "noise",
    "two_pulses",
    "bits",
    "text",
    "values",
)


@dataclass(frozen=True, slots=True)
class Init:
    """How the weights are drawn, or which hand-set network they are.

    Args:
        scheme: one of ``SCHEMES`` (drawn) or ``PRESETS`` (set by hand).
        gain: multiplies every drawn weight matrix.
        spectral_radius: rescale each square recurrent block to this largest ``|eigenvalue|``; None leaves it.
        forget_bias: the forget gate's total bias (GRU: the update gate's); None leaves it as drawn.
        seed: of the generator that draws.
        memory: T of the chrono initialisation, in steps; 0 takes the sequence's length.
    """

    scheme: str = "default"
    gain: float = 1.0
    spectral_radius: float | None = None
    forget_bias: float | None = None
    seed: int = 0
    memory: int = 0

    def __post_init__(self) -> None:
        choice(self.scheme, later("The initialisation"), SCHEMES + PRESETS)
        assign(self, gain=float32(self.gain, later("The gain")), seed=whole(self.seed, later("The seed"), 0, 2**31 - 1))
        assign(self, memory=whole(self.memory, later("The memory of the chrono initialisation"), 0, 10**6))
        if abs(self.gain) > 100:
            raise ValueError(tr("The gain must be from −100 to 100; {gain:g} is outside.", gain=self.gain))
        if self.spectral_radius is not None:
            assign(self, spectral_radius=float32(self.spectral_radius, later("The spectral radius")))
            if not 0 <= self.spectral_radius <= 100:
                raise ValueError(
                    tr("The spectral radius must be from 0 to 100, not {radius:g}.", radius=self.spectral_radius)
                )
        if self.forget_bias is not None:
            assign(self, forget_bias=float32(self.forget_bias, later("The forget bias")))
            if abs(self.forget_bias) > 100:
                raise ValueError(
                    tr("The forget bias must be from −100 to 100; {bias:g} is outside.", bias=self.forget_bias)
                )


@dataclass(frozen=True, slots=True)
class Sequence:
    """What goes in: a named wave, a text, or somebody's own numbers.

    Args:
        kind: one of ``KINDS``.
        length: steps, 1 to 2,000. For ``text`` and ``values`` it follows from what was given.
        amplitude: of the wave, -1e6 to 1e6.
        period: in steps, where the wave has one (sine, square, ramp).
        seed: for ``noise`` and ``bits``.
        text: what was typed (``text``).
        alphabet: the characters that get a one-hot place each (``text``), in order.
        values: float32 little-endian bytes of an ``(L, H_in)`` array (``values``).
        edits: numbers changed afterwards.
        names: of the inputs, up to 40 characters each, or none (``values``).
        labels: of the steps, such as dates, up to 40 characters each, or none (``values``).
    """

    kind: str = "two_pulses"
    length: int = 48
    amplitude: float = 1.0
    period: float = 16.0
    seed: int = 0
    text: str = ""
    alphabet: str = ""
    values: bytes = b""
    edits: tuple[InputEdit, ...] = ()
    names: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def as_wave(self, kind: str) -> Sequence:
        """A wave of this length, and with its amplitude, period and seed; 1 for an amplitude of 0, which shows none."""
        return Sequence(kind, self.length, self.amplitude or 1.0, self.period, self.seed)

    def __post_init__(self) -> None:
        choice(self.kind, later("The kind of sequence"), KINDS)
        if not isinstance(self.text, str) or not isinstance(self.alphabet, str):
            raise ValueError(tr("A text sequence needs its text and its alphabet as strings."))
        if not isinstance(self.values, bytes):
            raise ValueError(tr("The numbers of a sequence must be float32 bytes."))
        if self.kind == "text":
            self._check_text()
        if self.kind == "values":
            self._check_values()
        assign(
            self,
            length=whole(self.length, later("The length of the sequence"), 1, MAX_STEPS),
            amplitude=float32(self.amplitude, later("The amplitude")),
            period=float32(self.period, later("The period")),
            seed=whole(self.seed, later("The sequence's seed"), 0, 2**31 - 1),
            edits=latest(self.edits, InputEdit, lambda e: (e.step, e.feature), later("input edits")),
        )
        if abs(self.amplitude) > 1e6:
            raise ValueError(
                tr("The amplitude must be from −1e6 to 1e6; {amplitude:g} is outside.", amplitude=self.amplitude)
            )
        if not self.period > 0:
            raise ValueError(tr("The period must be above 0 steps, not {period:g}.", period=self.period))
        self._check_names()
        if any(e.step >= self.length for e in self.edits):
            raise ValueError(
                tr("An edit names a step beyond the sequence, which has {steps}.", steps=counted.steps(self.length))
            )

    def _check_text(self) -> None:
        if not self.text:
            raise ValueError(tr("The text is empty; type at least one character."))
        if len(self.text) > MAX_STEPS:
            raise ValueError(
                trn(
                    "The text has {count:,} character; at most {most:,} fit.",
                    "The text has {count:,} characters; at most {most:,} fit.",
                    len(self.text),
                    most=MAX_STEPS,
                )
            )
        if len(set(self.alphabet)) != len(self.alphabet) or len(self.alphabet) > MAX_INPUT:
            raise ValueError(tr("The alphabet must be up to {most} different characters.", most=MAX_INPUT))
        if any("\ud800" <= character <= "\udfff" for character in self.text + self.alphabet):
            raise ValueError(tr("The text holds half of a character (a lone surrogate); type it again."))
        strange = sorted(set(self.text) - set(self.alphabet))
        if strange:
            raise ValueError(tr("The alphabet lacks {missing}, which the text uses.", missing=shown("".join(strange))))
        assign(self, length=len(self.text))

    def _check_values(self) -> None:
        if not 0 < len(self.values) <= 4 * MAX_STEPS * MAX_INPUT or len(self.values) % 4:
            raise ValueError(
                trn(
                    "The numbers of a sequence must be float32, 4 bytes each, up to {most:,} steps of "
                    "{features}; this is {count:,} byte.",
                    "The numbers of a sequence must be float32, 4 bytes each, up to {most:,} steps of "
                    "{features}; these are {count:,} bytes.",
                    len(self.values),
                    most=MAX_STEPS,
                    features=MAX_INPUT,
                )
            )
        if not np.isfinite(np.frombuffer(self.values, dtype="<f4")).all():
            raise ValueError(tr("The sequence holds NaN or infinity; only finite numbers will do."))

    def _check_names(self) -> None:
        for field, size in (("names", self.width), ("labels", self.length)):
            given = getattr(self, field)
            if not isinstance(given, tuple | list) or not all(isinstance(text, str) for text in given):
                raise ValueError(tr("The {what} of a sequence must be a list of texts.", what=field))
            if given and (self.kind != "values" or len(given) != size):
                raise ValueError(
                    tr(
                        "There are {count:,} {what} for {size:,} places; only own numbers have them, one for each.",
                        count=len(given),
                        what=field,
                        size=size or 0,
                    )
                )
            if any(len(text) > MAX_NAME or not text.isprintable() for text in given):
                raise ValueError(
                    tr(
                        "One of the {what} is longer than {most} characters, or not printable.",
                        what=field,
                        most=MAX_NAME,
                    )
                )
            assign(self, **{field: tuple(given)})

    @property
    def width(self) -> int | None:
        """The input size that text or own numbers ask for; None where any will do."""
        if self.kind == "text":
            return len(self.alphabet)
        return len(self.values) // 4 // self.length if self.kind == "values" else None

    def shortened(self, length: int) -> Sequence:
        """Its first steps, of a wave one of that length; with the edits that are left."""
        edits = tuple(edit for edit in self.edits if edit.step < length)
        if self.kind == "text":
            return replace(self, text=self.text[:length], edits=edits)
        size = len(self.values) // self.length * length
        return replace(self, length=length, edits=edits, values=self.values[:size], labels=self.labels[:length])

    @classmethod
    def of_values(cls, values: Any, names: Iterable[str] = (), labels: Iterable[str] = ()) -> Sequence:
        """A sequence of somebody's own numbers, from an array-like of shape ``(L, H_in)`` or ``(L,)``.

        Args:
            values: the numbers.
            names, labels: of the inputs and the steps; shortened to what fits.
        """
        try:
            with np.errstate(over="ignore"):
                array = np.asarray(values, dtype="<f4")
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(tr("A sequence must be numbers in rows of the same length.")) from error
        if array.ndim == 1:
            array = array[:, None]
        if array.ndim != 2 or 0 in array.shape:
            raise ValueError(
                tr("A sequence must have the shape (L, H_in) with L of 1 or more, not {shape}.", shape=array.shape)
            )
        if len(array) > MAX_STEPS or array.shape[1] > MAX_INPUT:
            raise ValueError(
                tr(
                    "The sequence has {steps} of {numbers}; at most {most_steps:,} steps of {most_features} fit.",
                    steps=counted.steps(len(array)),
                    numbers=counted.numbers(array.shape[1]),
                    most_steps=MAX_STEPS,
                    most_features=MAX_INPUT,
                )
            )
        if not np.isfinite(array).all():
            step = int(np.argwhere(~np.isfinite(array))[0][0])
            raise ValueError(
                tr("The sequence holds NaN, infinity or a number beyond float32 at step {step}.", step=step)
            )
        return cls(
            kind="values",
            length=len(array),
            values=np.ascontiguousarray(array).tobytes(),
            names=tuple(map(_brief, names)),
            labels=tuple(map(_brief, labels)),
        )

    @classmethod
    def of_text(cls, text: str, alphabet: str = "") -> Sequence:
        """One one-hot step a character. `alphabet` comes first; what it lacks is added, sorted."""
        if not isinstance(text, str) or not isinstance(alphabet, str):
            raise ValueError(tr("A text sequence needs its text and its alphabet as strings."))
        extra = "".join(sorted(set(text) - set(alphabet)))
        if len(alphabet) + len(extra) > MAX_INPUT:
            raise ValueError(
                trn(
                    "The text uses {count} character; at most {most} fit.",
                    "The text uses {count} different characters; at most {most} fit.",
                    len(alphabet) + len(extra),
                    most=MAX_INPUT,
                )
            )
        return cls(kind="text", text=text, alphabet=alphabet + extra, length=max(1, len(text)))

    def edited(self, edits: Iterable[InputEdit]) -> Sequence:
        """This sequence with more numbers changed; a later edit of the same number wins."""
        return replace(self, edits=(*self.edits, *listed(edits, later("The edits"))))


def _brief(text: str) -> str:
    """A name that fits, on one line."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    return plain if len(plain) <= MAX_NAME else plain[: MAX_NAME - 1] + "…"


@dataclass(frozen=True, slots=True)
class Tensor:
    """A whole parameter given as it is (loaded or trained): float32 little-endian bytes in C order."""

    parameter: str
    shape: tuple[int, ...]
    data: bytes

    def __post_init__(self) -> None:
        if not isinstance(self.shape, tuple | list) or not 1 <= len(self.shape) <= 2:
            raise ValueError(tr("A weight tensor has one or two sizes, not {shape}.", shape=shown(self.shape)))
        shape = tuple(whole(n, later("A size"), 1, 2**20) for n in self.shape)
        assign(self, shape=shape)
        if not isinstance(self.parameter, str) or not isinstance(self.data, bytes):
            raise ValueError(tr("A weight tensor needs a name and float32 bytes."))
        if len(self.data) != 4 * math.prod(shape):
            raise ValueError(
                trn(
                    "The values of {name} are {count:,} byte; the shape {shape} needs {needed:,}.",
                    "The values of {name} are {count:,} bytes; the shape {shape} needs {needed:,}.",
                    len(self.data),
                    name=shown(self.parameter),
                    shape=shape,
                    needed=4 * math.prod(shape),
                )
            )
        if not np.isfinite(self.array()).all():
            raise ValueError(tr("The weights of {name} hold NaN or infinity.", name=shown(self.parameter)))

    @classmethod
    def of(cls, parameter: str, array: Any) -> Tensor:
        """From an array-like of any shape."""
        try:
            with np.errstate(over="ignore"):  # what is beyond float32 is refused as infinite
                values = np.ascontiguousarray(array, dtype="<f4")
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(tr("A weight tensor must be numbers in rows of the same length.")) from error
        return cls(parameter, values.shape, values.tobytes())

    def array(self) -> np.ndarray:
        """Read-only float32 view, of `shape`."""
        return np.frombuffer(self.data, dtype="<f4").reshape(self.shape)
