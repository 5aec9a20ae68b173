"""The one value that everything on the screen is a function of.

An :class:`Experiment` says which network is run on which sequence. It is frozen and hashable, so that
undo is a list of them, a link is one of them written down, and a cache key is its hash. Nothing here
computes: :func:`seqviz.run` does.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

import numpy as np

from seqviz import vocabulary as words
from seqviz.interventions import Ablate, Clamp, Intervention, Scale, validate

__all__ = ["Experiment", "Init", "InputEdit", "Sequence", "Tensor", "WeightEdit", "parameter_shapes"]

FORMAT: Final = 1
MAX_STEPS: Final = 2000
MAX_HIDDEN: Final = 256
MAX_LAYERS: Final = 4
MAX_INPUT: Final = 256
MAX_OUTPUT: Final = 256
MAX_EDITS: Final = 20_000
MAX_INTERVENTIONS: Final = 64
MAX_DOCUMENT: Final = 32 * 2**20
"""Bytes of JSON that are read at the most; a link is unpacked no further than this."""

SCHEMES: Final = ("default", "xavier", "orthogonal", "identity", "chrono", "zeros")
PRESETS: Final = ("latch", "counter", "leaky", "toggle", "brackets")
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


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise ValueError(f"{what} must be a number, not {_shown(value)}.")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{what} must be a finite number, not {value if abs(number) != math.inf else number}.")
    return number


def _float32(value: Any, what: str) -> float:
    """The float32 nearest to `value`, as a Python float: what the network will hold, bit for bit."""
    number = _number(value, what)
    if abs(number) > float(np.finfo(np.float32).max):
        raise ValueError(f"{what} is {number:g}, beyond what a 32-bit float can hold (about 3.4e38).")
    return float(np.float32(number))


def _whole(value: Any, what: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ValueError(f"{what} must be a whole number from {low} to {high:,}, not {_shown(value)}.")
    if not low <= value <= high:
        raise ValueError(f"{what} must be from {low} to {high:,}; {_shown(int(value))} is outside.")
    return int(value)


def _choice(value: Any, what: str, allowed: Iterable[str]) -> str:
    allowed = tuple(allowed)
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{what} must be one of {', '.join(allowed)}, not {_shown(value)}.")
    return value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _set(target: Any, **values: Any) -> None:
    for name, value in values.items():
        object.__setattr__(target, name, value)


@dataclass(frozen=True, slots=True)
class Init:
    """How the weights are drawn, or which hand-set network they are.

    Args:
        scheme: one of ``SCHEMES`` (drawn) or ``PRESETS`` (set by hand).
        gain: multiplies every drawn weight matrix.
        spectral_radius: rescale each square recurrent block to this largest ``|eigenvalue|``; None leaves it.
        forget_bias: the forget gate's total bias (GRU: the update gate's); None leaves it as drawn.
        seed: of the generator that draws.
    """

    scheme: str = "default"
    gain: float = 1.0
    spectral_radius: float | None = None
    forget_bias: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        _choice(self.scheme, "The initialisation", SCHEMES + PRESETS)
        _set(self, gain=_float32(self.gain, "The gain"), seed=_whole(self.seed, "The seed", 0, 2**31 - 1))
        if abs(self.gain) > 100:
            raise ValueError(f"The gain must be from -100 to 100; {self.gain:g} is outside.")
        if self.spectral_radius is not None:
            _set(self, spectral_radius=_float32(self.spectral_radius, "The spectral radius"))
            if not 0 <= self.spectral_radius <= 100:
                raise ValueError(f"The spectral radius must be from 0 to 100, not {self.spectral_radius:g}.")
        if self.forget_bias is not None:
            _set(self, forget_bias=_float32(self.forget_bias, "The forget bias"))
            if abs(self.forget_bias) > 100:
                raise ValueError(f"The forget bias must be from -100 to 100; {self.forget_bias:g} is outside.")


@dataclass(frozen=True, slots=True)
class InputEdit:
    """One number of the sequence that was changed: ``x[step, feature] = value`` (kept as float32)."""

    step: int
    feature: int
    value: float

    def __post_init__(self) -> None:
        _set(
            self,
            step=_whole(self.step, "A step", 0, MAX_STEPS - 1),
            feature=_whole(self.feature, "A feature", 0, MAX_INPUT - 1),
            value=_float32(self.value, f"The value at step {self.step}"),
        )


@dataclass(frozen=True, slots=True)
class Sequence:
    """What goes in: a named wave, a text, or somebody's own numbers.

    Args:
        kind: one of ``KINDS``.
        length: steps, 1 to 2,000. For ``text`` and ``values`` it follows from what was given.
        amplitude: of the wave.
        period: in steps, where the wave has one (sine, square, ramp); the distance for ``two_pulses``.
        seed: for ``noise`` and ``bits``.
        text: what was typed (``text``).
        alphabet: the characters that get a one-hot place each (``text``), in order.
        values: float32 little-endian bytes of an ``(L, H_in)`` array (``values``).
        edits: numbers changed afterwards.
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

    def __post_init__(self) -> None:
        _choice(self.kind, "The kind of sequence", KINDS)
        if self.kind == "text":
            self._check_text()
        if not isinstance(self.values, bytes):
            raise ValueError("The numbers of a sequence must be float32 bytes.")
        _set(
            self,
            length=_whole(self.length, "The length of the sequence", 1, MAX_STEPS),
            amplitude=_float32(self.amplitude, "The amplitude"),
            period=_float32(self.period, "The period"),
            seed=_whole(self.seed, "The sequence's seed", 0, 2**31 - 1),
            edits=_latest(self.edits, InputEdit, lambda e: (e.step, e.feature), "input edits"),
        )
        if not self.period > 0:
            raise ValueError(f"The period must be above 0 steps, not {self.period:g}.")
        if any(e.step >= self.length for e in self.edits):
            raise ValueError(f"An edit names a step beyond the sequence, which has {self.length} steps.")

    def _check_text(self) -> None:
        if not isinstance(self.text, str) or not isinstance(self.alphabet, str):
            raise ValueError("A text sequence needs its text and its alphabet as strings.")
        if not self.text:
            raise ValueError("The text is empty; type at least one character.")
        if len(self.text) > MAX_STEPS:
            raise ValueError(f"The text has {len(self.text):,} characters; at most {MAX_STEPS:,} fit.")
        if len(set(self.alphabet)) != len(self.alphabet) or len(self.alphabet) > MAX_INPUT:
            raise ValueError(f"The alphabet must be up to {MAX_INPUT} different characters.")
        strange = sorted(set(self.text) - set(self.alphabet))
        if strange:
            raise ValueError(f"The alphabet lacks {_shown(''.join(strange))}, which the text uses.")
        _set(self, length=len(self.text))

    @classmethod
    def of_values(cls, values: Any) -> Sequence:
        """A sequence of somebody's own numbers, from an array-like of shape ``(L, H_in)`` or ``(L,)``."""
        array = np.asarray(values, dtype="<f4")
        if array.ndim == 1:
            array = array[:, None]
        if array.ndim != 2 or 0 in array.shape:
            raise ValueError(f"A sequence must have the shape (L, H_in) with L of 1 or more, not {array.shape}.")
        if len(array) > MAX_STEPS or array.shape[1] > MAX_INPUT:
            raise ValueError(
                f"The sequence has {len(array):,} steps of {array.shape[1]:,} numbers; "
                f"at most {MAX_STEPS:,} steps of {MAX_INPUT} fit."
            )
        if not np.isfinite(array).all():
            step = int(np.argwhere(~np.isfinite(array))[0][0])
            raise ValueError(f"The sequence holds a value that is not a finite number at step {step}.")
        return cls(kind="values", length=len(array), values=np.ascontiguousarray(array).tobytes())

    @classmethod
    def of_text(cls, text: str, alphabet: str = "") -> Sequence:
        """One one-hot step a character. `alphabet` comes first; characters that it lacks are added, sorted."""
        extra = "".join(sorted(set(text) - set(alphabet)))
        if len(alphabet) + len(extra) > MAX_INPUT:
            raise ValueError(
                f"The text uses {len(alphabet) + len(extra)} different characters; at most {MAX_INPUT} fit."
            )
        return cls(kind="text", text=text, alphabet=alphabet + extra, length=max(1, len(text)))

    def edited(self, edits: Iterable[InputEdit]) -> Sequence:
        """This sequence with more numbers changed; a later edit of the same number wins."""
        return replace(self, edits=(*self.edits, *edits))


@dataclass(frozen=True, slots=True)
class WeightEdit:
    """One weight that was changed: ``parameter[row, col] = value`` (kept as float32; a bias has col 0).

    `parameter` is torch's name (``weight_ih_l0``), or ``readout.weight`` / ``readout.bias``.
    """

    parameter: str
    row: int
    col: int
    value: float

    def __post_init__(self) -> None:
        if not isinstance(self.parameter, str):
            raise ValueError(f"A parameter's name must be text, not {_shown(self.parameter)}.")
        _set(
            self,
            row=_whole(self.row, "A row", 0, 2**20),
            col=_whole(self.col, "A column", 0, 2**20),
            value=_float32(self.value, f"The weight at row {self.row}, column {self.col}"),
        )


@dataclass(frozen=True, slots=True)
class Tensor:
    """A whole parameter given as it is (loaded or trained): float32 little-endian bytes in C order."""

    parameter: str
    shape: tuple[int, ...]
    data: bytes

    def __post_init__(self) -> None:
        shape = tuple(_whole(n, "A size", 1, 2**20) for n in self.shape)
        _set(self, shape=shape)
        if not isinstance(self.parameter, str) or not isinstance(self.data, bytes):
            raise ValueError("A weight tensor needs a name and float32 bytes.")
        if len(self.data) != 4 * math.prod(shape):
            raise ValueError(
                f"The values of {_shown(self.parameter)} are {len(self.data):,} bytes; "
                f"the shape {shape} needs {4 * math.prod(shape):,}."
            )
        if not np.isfinite(self.array()).all():
            raise ValueError(f"The weights of {_shown(self.parameter)} hold NaN or infinity.")

    @classmethod
    def of(cls, parameter: str, array: Any) -> Tensor:
        """From an array-like of any shape."""
        values = np.ascontiguousarray(array, dtype="<f4")
        return cls(parameter, values.shape, values.tobytes())

    def array(self) -> np.ndarray:
        """Read-only float32 view, of `shape`."""
        return np.frombuffer(self.data, dtype="<f4").reshape(self.shape)


def _latest(items: Any, kind: type, key: Any, what: str) -> tuple:
    """The last edit of each place, in a fixed order, so that equal states are equal values."""
    items = tuple(items)
    if not all(isinstance(item, kind) for item in items):
        raise ValueError(f"The {what} hold something else.")
    kept = {key(item): item for item in items}
    if len(kept) > MAX_EDITS:
        raise ValueError(f"There are {len(kept):,} {what}; at most {MAX_EDITS:,} fit.")
    return tuple(kept[place] for place in sorted(kept))


@dataclass(frozen=True, slots=True)
class Experiment:
    """A network and what it is run on. Frozen and hashable; equal values give equal runs.

    Args:
        cell: torch's mode, one of ``LSTM``, ``GRU``, ``RNN_TANH``, ``RNN_RELU``.
        input_size, hidden_size, output_size, num_layers: torch's; up to 256, 256, 256 and 4.
        init: how the weights start.
        tensors: whole parameters that replace drawn ones (a trained network).
        edits: single weights changed after that.
        sequence: the input, batch 1.
        interventions: :class:`~seqviz.Clamp`, :class:`~seqviz.Ablate`, :class:`~seqviz.Scale`.

    Raises:
        ValueError: a field is out of range or names something that this network does not have. The
            message is one plain sentence.
    """

    cell: str = words.LSTM
    input_size: int = 1
    hidden_size: int = 16
    output_size: int = 1
    num_layers: int = 1
    init: Init = field(default_factory=Init)
    tensors: tuple[Tensor, ...] = ()
    edits: tuple[WeightEdit, ...] = ()
    sequence: Sequence = field(default_factory=Sequence)
    interventions: tuple[Intervention, ...] = ()

    def __post_init__(self) -> None:
        _choice(self.cell, "The cell", words.CELLS)
        _set(
            self,
            input_size=_whole(self.input_size, "The input size", 1, MAX_INPUT),
            hidden_size=_whole(self.hidden_size, "The hidden size", 1, MAX_HIDDEN),
            output_size=_whole(self.output_size, "The output size", 1, MAX_OUTPUT),
            num_layers=_whole(self.num_layers, "The number of layers", 1, MAX_LAYERS),
        )
        if not isinstance(self.init, Init) or not isinstance(self.sequence, Sequence):
            raise ValueError("An experiment needs an Init and a Sequence.")
        self._check_sequence()
        self._check_weights()
        _set(self, interventions=tuple(self.interventions))
        if len(self.interventions) > MAX_INTERVENTIONS:
            raise ValueError(f"At most {MAX_INTERVENTIONS} interventions fit, not {len(self.interventions)}.")
        if self.interventions:
            validate(self.interventions, self.widths(), self.sequence.length)

    def _check_sequence(self) -> None:
        seq = self.sequence
        if seq.kind == "text" and len(seq.alphabet) != self.input_size:
            raise ValueError(
                f"The alphabet has {len(seq.alphabet)} characters, so the input size must be "
                f"{len(seq.alphabet)}, not {self.input_size}."
            )
        if seq.kind == "values" and len(seq.values) != 4 * seq.length * self.input_size:
            raise ValueError(
                f"The sequence holds {len(seq.values) // 4:,} numbers; {seq.length} steps of input size "
                f"{self.input_size} need {seq.length * self.input_size:,}."
            )
        if any(e.feature >= self.input_size for e in seq.edits):
            raise ValueError(f"An edit names an input beyond the input size, {self.input_size}.")

    def _check_weights(self) -> None:
        _set(
            self,
            tensors=_latest(self.tensors, Tensor, lambda t: t.parameter, "weight tensors"),
            edits=_latest(self.edits, WeightEdit, lambda e: (e.parameter, e.row, e.col), "weight edits"),
        )
        shapes = parameter_shapes(self)
        for item in (*self.tensors, *self.edits):
            if item.parameter not in shapes:
                raise ValueError(
                    f"There is no parameter {_shown(item.parameter)}. This network has {', '.join(shapes)}."
                )
        for tensor in self.tensors:
            if tensor.shape != shapes[tensor.parameter]:
                raise ValueError(
                    f"{tensor.parameter} must have the shape {shapes[tensor.parameter]}, not {tensor.shape}."
                )
        for edit in self.edits:
            rows, cols = (*shapes[edit.parameter], 1)[:2]
            if edit.row >= rows or edit.col >= cols:
                raise ValueError(
                    f"{edit.parameter} has {rows} rows and {cols} columns; "
                    f"row {edit.row}, column {edit.col} does not exist."
                )

    def widths(self) -> dict[str, int]:
        """Every signal that can be edited, with its number of units; pre-activations included."""
        found = {"x": self.input_size}
        for layer in range(self.num_layers):
            for signal in words.SIGNALS[self.cell]:
                found[words.signal_name(layer, signal)] = self.hidden_size
            for block in words.BLOCKS[self.cell]:
                for suffix in ("pre", "ih", "hh"):
                    found[words.signal_name(layer, f"{block}_{suffix}")] = self.hidden_size
        return found

    def edited(self, edits: Iterable[WeightEdit]) -> Experiment:
        """This experiment with more weights changed; a later edit of the same weight wins."""
        return replace(self, edits=(*self.edits, *edits))

    def changed(self, **changes: Any) -> Experiment:
        """This experiment with other sizes, cell or sequence; what no longer fits is left out.

        Weight edits, tensors, input edits and interventions that name a place which the new network or
        sequence lacks are dropped, so that making a network smaller never fails.
        """
        bare = replace(
            self,
            **{
                "tensors": (),
                "edits": (),
                "interventions": (),
                "sequence": replace(self.sequence, edits=()),
                **changes,
            },
        )
        kept = bare
        for name in ("tensors", "edits", "interventions"):
            if name not in changes:
                kept = _keep_what_fits(kept, name, getattr(self, name))
        if "sequence" not in changes:
            length, width = kept.sequence.length, kept.input_size
            edits = tuple(e for e in self.sequence.edits if e.step < length and e.feature < width)
            kept = replace(kept, sequence=replace(kept.sequence, edits=edits))
        return kept

    def reset(self) -> Experiment:
        """The same initial weights again: every weight edit taken back, the drawing untouched."""
        return replace(self, edits=())

    def to_json(self, *, indent: int | None = None) -> str:
        """The experiment as a JSON document; fields at their defaults are left out."""
        return json.dumps(_to_plain(self), indent=indent, ensure_ascii=False, separators=_separators(indent))

    @classmethod
    def from_json(cls, text: str | bytes) -> Experiment:
        """Read :meth:`to_json`'s document.

        Raises:
            ValueError: the document is not one, is of a later version, or describes something impossible.
        """
        if len(text) > MAX_DOCUMENT:
            raise ValueError(f"The experiment file is larger than {MAX_DOCUMENT // 2**20} MB.")
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError("This is not an experiment: it cannot be read as JSON.") from error
        return _from_plain(document)

    def to_url(self) -> str:
        """The experiment as text that fits in an address: deflated JSON in base64url."""
        packed = zlib.compress(self.to_json().encode(), 9)
        return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()

    @classmethod
    def from_url(cls, code: str) -> Experiment:
        """Read :meth:`to_url`'s text.

        Raises:
            ValueError: the text was cut short, changed by hand, or unpacks to something impossible.
        """
        broken = "The address does not hold a whole experiment; it may have been cut short or changed."
        try:
            packed = base64.b64decode(code.encode("ascii") + b"=" * (-len(code) % 4), b"-_", validate=True)
            unpacker = zlib.decompressobj()
            text = unpacker.decompress(packed, MAX_DOCUMENT)
            if not unpacker.eof:
                raise ValueError(broken)
            text.decode()
        except (binascii.Error, UnicodeError, zlib.error) as error:
            raise ValueError(broken) from error
        return cls.from_json(text)


def parameter_shapes(experiment: Experiment) -> dict[str, tuple[int, ...]]:
    """Every parameter's shape, by torch's name, in torch's order, the readout's at the end."""
    hidden = experiment.hidden_size
    rows = hidden * len(words.BLOCKS[experiment.cell])
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(experiment.num_layers):
        shapes[f"weight_ih_l{layer}"] = (rows, experiment.input_size if layer == 0 else hidden)
        shapes[f"weight_hh_l{layer}"] = (rows, hidden)
        shapes[f"bias_ih_l{layer}"] = (rows,)
        shapes[f"bias_hh_l{layer}"] = (rows,)
    shapes["readout.weight"] = (experiment.output_size, hidden)
    shapes["readout.bias"] = (experiment.output_size,)
    return shapes


def _keep_what_fits(experiment: Experiment, name: str, items: tuple) -> Experiment:
    try:
        return replace(experiment, **{name: items})
    except ValueError:
        fitting = [item for item in items if _fits(experiment, name, item)]
        return replace(experiment, **{name: tuple(fitting)})


def _fits(experiment: Experiment, name: str, item: Any) -> bool:
    try:
        replace(experiment, **{name: (item,)})
    except ValueError:
        return False
    return True


# --- the document ---------------------------------------------------------------------------------

_KINDS: Final[dict[str, type]] = {"clamp": Clamp, "ablate": Ablate, "scale": Scale}
_PARTS: Final[dict[str, Any]] = {
    "init": Init,
    "sequence": Sequence,
}
_ROWS: Final[dict[str, type]] = {"edits": WeightEdit, "tensors": Tensor}


def _separators(indent: int | None) -> tuple[str, str]:
    return (",", ":") if indent is None else (",", ": ")


def _to_plain(experiment: Experiment) -> dict[str, Any]:
    return {"seqviz": FORMAT, **_fields(experiment)}


def _fields(value: Any) -> dict[str, Any]:
    default = type(value)() if isinstance(value, Experiment | Init | Sequence) else None
    found = {}
    for item in fields(value):
        content = getattr(value, item.name)
        if default is None or content != getattr(default, item.name):
            found[item.name] = _plain(content)
    return found


def _plain(content: Any) -> Any:
    if isinstance(content, bytes):
        return base64.b64encode(content).decode()
    if isinstance(content, InputEdit):
        return [content.step, content.feature, content.value]
    if isinstance(content, WeightEdit):
        return [content.parameter, content.row, content.col, content.value]
    if isinstance(content, Clamp | Ablate | Scale):
        kind = next(name for name, cls in _KINDS.items() if type(content) is cls)
        return {"kind": kind, **{f.name: _plain(getattr(content, f.name)) for f in fields(content)}}
    if isinstance(content, Init | Sequence | Tensor):
        return _fields(content)
    if isinstance(content, tuple):
        return [_plain(item) for item in content]
    return content


def _from_plain(document: Any) -> Experiment:
    if not isinstance(document, dict) or "seqviz" not in document:
        raise ValueError('This is not an experiment: it lacks the field "seqviz" with the format\'s version.')
    version = document["seqviz"]
    if version != FORMAT or isinstance(version, bool):
        raise ValueError(
            f"The experiment is of format {_shown(version)}; this version of seqviz reads format {FORMAT}."
        )
    body = {name: content for name, content in document.items() if name != "seqviz"}
    _known(body, Experiment, "The experiment")
    for name, cls in _PARTS.items():
        if name in body:
            body[name] = _part(cls, body[name])
    if "edits" in body:
        body["edits"] = tuple(_row(WeightEdit, row, 4) for row in _list(body["edits"], "edits"))
    if "tensors" in body:
        body["tensors"] = tuple(_tensor(row) for row in _list(body["tensors"], "tensors"))
    if "interventions" in body:
        rows = _list(body["interventions"], "interventions")
        body["interventions"] = tuple(_intervention(row) for row in rows)
    return _build(Experiment, body, "The experiment")


def _part(cls: type, content: Any) -> Any:
    what = f"The {cls.__name__.lower()}"
    _known(content, cls, what)
    body = dict(content)
    if "edits" in body:
        body["edits"] = tuple(_row(InputEdit, row, 3) for row in _list(body["edits"], "edits"))
    if "values" in body:
        body["values"] = _bytes(body["values"])
    return _build(cls, body, what)


def _tensor(content: Any) -> Tensor:
    _known(content, Tensor, "A weight tensor")
    body = {**content, "data": _bytes(content.get("data"))}
    body["shape"] = tuple(_list(body.get("shape"), "shape"))
    return _build(Tensor, body, "A weight tensor")


def _intervention(content: Any) -> Intervention:
    if not isinstance(content, dict):
        raise ValueError("An intervention must be an object with its kind.")
    body = dict(content)
    cls = _KINDS[_choice(body.pop("kind", None), "The kind of an intervention", _KINDS)]
    _known(body, cls, "An intervention")
    for name in ("units", "steps"):
        if isinstance(body.get(name), list):
            body[name] = tuple(body[name])
    return _build(cls, body, "An intervention")


def _row(cls: type, content: Any, width: int) -> Any:
    if not isinstance(content, list) or len(content) != width:
        raise ValueError(f"An edit must be a list of {width} values, not {_shown(content)}.")
    return _build(cls, dict(zip((f.name for f in fields(cls)), content, strict=True)), "An edit")


def _list(content: Any, what: str) -> list:
    if not isinstance(content, list):
        raise ValueError(f'"{what}" must be a list, not {_shown(content)}.')
    return content


def _bytes(content: Any) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except (TypeError, ValueError) as error:
        raise ValueError("Numbers in the experiment must be base64 text of float32 bytes.") from error


def _known(body: Any, cls: type, what: str) -> None:
    if not isinstance(body, Mapping):
        raise ValueError(f"{what} must be an object with named fields, not {_shown(body)}.")
    names = [f.name for f in fields(cls)]
    strange = [name for name in body if name not in names]
    if strange:
        raise ValueError(f"{what} has no field {_shown(strange[0])}. Its fields are {', '.join(names)}.")


def _build(cls: type, body: dict[str, Any], what: str) -> Any:
    try:
        return cls(**body)
    except TypeError as error:
        raise ValueError(f"{what} is not complete or holds a value of the wrong type.") from error
