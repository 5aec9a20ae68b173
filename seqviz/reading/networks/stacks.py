"""Keys of a file into recurrent layers as torch has them: which cell, its sizes, layers, directions and projection.

The names are those of `nn.LSTM <https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html>`_ and of
``nn.LSTMCell``; what a cell is follows from the rows of ``weight_hh_l0``: four blocks of its columns are an LSTM, three
a GRU, one an RNN.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from seqviz import counted
from seqviz.cells.gru_before import GRU_RESET_BEFORE
from seqviz.cells.peephole import PEEPHOLE
from seqviz.cells.squashing import functions_of
from seqviz.language import Sentence, reason, tr
from seqviz.reading.networks.reparametrised import worked_out
from seqviz.reading.networks.stored import FLOATS, Contents, Stored, brief
from seqviz.reading.networks.told import BY_BLOCKS, GATES, Moved, Question, moves
from seqviz.reading.networks.written import Own, add_written

__all__ = ["Question", "Stack", "stacks_of"]

MAX_NUMBERS: Final = 2**26
"""Recurrent weights of a file that are read: 256 MiB as float32."""

MAX_LAYERS: Final = 64
MAX_STACKS: Final = 128

MERGED: Final = ("sum", "mul", "ave")
"""How two directions become one, where they do not stand side by side."""

_NAMED: Final = re.compile(
    r"(.*?)(?:(weight_ih|weight_hh|bias_ih|bias_hh|weight_hr)(?:_l(\d{1,3})(_reverse)?)?|"
    r"(?<![A-Za-z0-9])(p_[ifo])_l(\d{1,3})(_reverse)?)"
)
_OURS: Final = ("LSTM", "GRU", "RNN_TANH", "RNN_RELU", GRU_RESET_BEFORE.name, PEEPHOLE.name)
"""Cells that are read by their names; their functions may differ."""

_WITHIN: Final = re.compile(r"(^|\.)(out_proj|attn|self_attn|attention|lora_[AB])\.")
"""Linear layers that are a part of another."""

_PEEPHOLES: Final = ("p_i", "p_f", "p_o")


@dataclass(frozen=True, eq=False)
class Stack:
    """One recurrent network of a file: all its layers and directions.

    Attributes:
        name: its name in the file, with the names of what it lies in; empty where its weights lie on top.
        cell: ``LSTM``, ``GRU`` or ``RNN``.
        input_size, hidden_size, num_layers: torch's.
        bidirectional: whether each layer also runs backwards.
        proj_size: of an LSTM with a projection; 0 without one.
        bias: whether it has biases.
        dtype: torch's name of the type in the file, several joined by commas.
        parameters: read-only float32 arrays by torch's names, in its shapes and order of gates.
        known: answers that the file itself gives: ``nonlinearity``, ``batch_first``, ``reset_after``.
        asked: what it leaves open.
        readout: the name of the linear layer that may read it out; empty where none or several would fit.
        remarks: what was converted, or is to be doubted.
        moved: which rows or columns of the file's arrays became which gate, of the first layer.
        fed_by: the stack of the file whose output it takes; empty where it takes what the network takes.
        backwards: whether it takes the last step first; ``turned_back`` whether its output is then turned again.
        merge: how the file's framework puts two directions together: ``concat``, ``sum``, ``mul`` or ``ave``.
        functions: what it squashes with where that is not torch's sigmoid and tanh, as
            :func:`seqviz.cells.squashing.name_of` takes them.
        written: of a network that was written by hand, what its parameters are made of, with whatever answers.
        used: the names of its tensors in the file.
    """

    name: str
    cell: str
    input_size: int
    hidden_size: int
    num_layers: int
    bidirectional: bool
    proj_size: int
    bias: bool
    dtype: str
    parameters: Mapping[str, np.ndarray]
    known: Mapping[str, Any]
    asked: tuple[Question, ...]
    readout: str = ""
    remarks: tuple[Sentence, ...] = ()
    moved: tuple[Moved, ...] = ()
    fed_by: str = ""
    backwards: bool = False
    turned_back: bool = False
    merge: str = "concat"
    functions: tuple[str, ...] = ()
    written: Own | None = None
    used: frozenset[str] = frozenset()

    def arrays(self, said: Mapping[str, Any]) -> Mapping[str, np.ndarray]:
        """``parameters``, with answers to what the file leaves open of them."""
        return self.parameters if self.written is None else self.written.parts(said)

    def moves(self, said: Mapping[str, Any]) -> tuple[Moved, ...]:
        """``moved``, with such answers."""
        return self.moved if self.written is None else self.written.moved({**self.known, **said})

    def __repr__(self) -> str:
        kind = f"{self.cell}, {self.input_size}, {self.hidden_size}, num_layers={self.num_layers}"
        more = (", bidirectional=True" if self.bidirectional else "") + (
            f", proj_size={self.proj_size}" if self.proj_size else ""
        )
        return f"Stack({self.name!r}, {kind}{more})"

    @property
    def peephole(self) -> bool:
        """Whether it is an LSTM whose gates also look at the cell state, :mod:`seqviz.cells.peephole`."""
        return "p_i_l0" in self.parameters

    @property
    def directions(self) -> int:
        """1, or 2 where each layer also runs backwards."""
        return 2 if self.bidirectional else 1

    @property
    def rows(self) -> dict[str, range]:
        """Which rows of the file's matrices are which gate's, by torch's letters."""
        blocks = tuple(GATES[self.cell])
        size = self.hidden_size
        return {gate: range(k * size, (k + 1) * size) for k, gate in enumerate(blocks)}

    @property
    def guessed(self) -> tuple[Sentence, ...]:
        """What had to be guessed, a sentence each."""
        return tuple(question.says for question in self.asked)


def stacks_of(contents: Contents) -> tuple[list[Stack], list[str]]:
    """Every recurrent network of a file, and a sentence about each that cannot be read.

    Raises:
        ValueError: they hold too many numbers.
    """
    stacks: list[Stack] = []
    refused: list[str] = []
    total = 0
    add_written(contents)
    groups = _groups(worked_out(contents))
    if len(groups) > MAX_STACKS:
        raise ValueError(tr("The file holds more than {most} recurrent networks.", most=MAX_STACKS))
    for name, group in groups:
        total += sum(int(np.prod(part.shape, dtype=float)) for part in group.parts.values())
        if total > MAX_NUMBERS:
            raise ValueError(tr("The recurrent layers hold more than {most:,} weights.", most=MAX_NUMBERS))
        try:
            stacks.append(_stack(name, group, contents))
        except ValueError as error:
            refused.append(reason(error))
    return stacks, [*refused, *contents.refused]


@dataclass
class _Group:
    """Parameters of one name, by torch's names of them; a cell's are called those of a first layer."""

    parts: dict[str, Stored]
    alone: bool


def _groups(tensors: Mapping[str, Stored]) -> list[tuple[str, _Group]]:
    groups: dict[tuple[str, bool], _Group] = {}
    for key, stored in tensors.items():
        found = _NAMED.fullmatch(key)
        if found:
            before, part, layer, reverse = found[1], *(found.groups()[1:4] if found[2] else found.groups()[4:])
            group = groups.setdefault((before, layer is None), _Group({}, layer is None))
            group.parts[f"{part}_l{int(layer or 0)}{reverse or ''}"] = stored
    return [(name.rstrip("._"), g) for (name, _), g in groups.items() if _whole(g)]


def _whole(group: _Group) -> bool:
    """Whether a group is worth a word where it is not complete: by torch's names of layers."""
    return "weight_hh_l0" in group.parts or not (group.alone or all(part[:2] == "p_" for part in group.parts))


def _stack(name: str, group: _Group, contents: Contents) -> Stack:
    parts = group.parts
    if "weight_hh_l0" not in parts:
        raise ValueError(tr("In {name}, {part} is missing.", name=_shown(name), part="weight_hh_l0"))
    for part in parts.values():
        part.check_type()
    hidden, cell = _hidden_and_cell(parts)
    layers = 1 + max(int(re.findall(r"_l(\d+)", part)[-1]) for part in parts)
    if layers > MAX_LAYERS:
        raise ValueError(
            tr(
                "In {name}, the layers are numbered up to {last}; at most {most} are read.",
                name=_shown(name),
                last=layers - 1,
                most=MAX_LAYERS,
            )
        )
    both = any(part.endswith("_reverse") for part in parts)
    proj = parts["weight_hr_l0"].shape[0] if "weight_hr_l0" in parts else 0
    bias = any(part.startswith("bias") for part in parts)
    width = _second(parts, "weight_ih_l0")
    wanted = _wanted(cell, width, hidden, layers, both, proj, bias)
    if cell == "LSTM" and "p_i_l0" in parts and not proj:
        wanted |= {
            part.replace("weight_ih", p): (hidden,) for part in wanted if "weight_ih" in part for p in _PEEPHOLES
        }
    arrays, remarks = _arrays(name, parts, wanted)
    if group.alone:
        remarks.append(tr("As an nn.{cell}Cell, {name} is a single step; it is read as a layer that takes all steps.",
                          name=_shown(name), cell=cell))  # fmt: skip
    facts = contents.facts.get(name, {})
    functions = tuple(facts.get("functions") or _functions(name, cell, facts))
    written: Own | None = facts.get("written")
    remarks += [] if written is not None else _beside(name, group, contents)
    known = _known(cell, facts)
    remarks += facts.get("remarks", ())
    start = "" if "moved" in facts else name.rpartition(".")[0]
    merge = facts["merge"] if both and facts.get("merge") in MERGED else "concat"
    used = {stored.name for stored in parts.values()} | (written.names if written is not None else set())
    readout = _readout(start, used, (2 if both and merge == "concat" else 1) * (proj or hidden), contents.tensors)
    if readout:
        remarks.append(tr("{layer} was taken for the readout of {name}: it is the one linear layer that fits.",
                          layer=brief(readout), name=_shown(name)))  # fmt: skip
    dtypes = ", ".join(sorted({part.dtype for part in parts.values()}))
    settled = known.keys() | ({"nonlinearity"} if functions else set())
    asked = (*(q for q in _questions(name, cell, group.alone) if q.name not in settled), *facts.get("ask", ()))
    if functions:
        remarks.append(tr("{name} squashes with {functions}; it is computed from its lines.", name=_shown(name),
                          functions=", ".join(dict.fromkeys(functions))))  # fmt: skip
    return Stack(
        name, cell, width, hidden, layers, both, proj, bias, dtypes, arrays, known, asked, readout, tuple(remarks),
        facts.get("moved") or _in_place(cell, hidden, parts), facts.get("fed_by", ""), facts.get("backwards", False),
        facts.get("turned_back", False), merge, functions, written, frozenset(used),
    )  # fmt: skip


def _in_place(cell: str, hidden: int, parts: Mapping[str, Stored]) -> tuple[Moved, ...]:
    """torch's own blocks, which stay where they are."""
    names = [parts[part].name for part in ("weight_ih_l0", "weight_hh_l0") if part in parts]
    return tuple(move for name in names for move in moves(cell, GATES[cell], hidden, name, columns=False))


def _hidden_and_cell(parts: Mapping[str, Stored]) -> tuple[int, str]:
    """By rows and columns: G·H rows of H columns, or of P with a projection ``(P, H)``."""
    rows, columns = parts["weight_hh_l0"].shape[0] if parts["weight_hh_l0"].shape else 0, _second(parts, "weight_hh_l0")
    hidden = _second(parts, "weight_hr_l0") if "weight_hr_l0" in parts else columns
    cell = BY_BLOCKS.get(rows // hidden) if hidden and rows % hidden == 0 else None
    if cell is None or ("weight_hr_l0" in parts and cell != "LSTM"):
        raise ValueError(
            tr(
                "{name} has {rows} and {columns}; torch's LSTM, GRU and RNN have 4, 3 or 1 times as "
                "many rows as units.",
                name=brief(parts["weight_hh_l0"].name),
                rows=counted.rows(rows),
                columns=counted.columns(columns),
            )
        )
    return hidden, cell


def _second(parts: Mapping[str, Stored], part: str) -> int:
    """The columns of a matrix; 0 where there is none."""
    return parts[part].shape[1] if part in parts and len(parts[part].shape) == 2 else 0


def _wanted(
    cell: str, width: int, hidden: int, layers: int, both: bool, proj: int, bias: bool
) -> dict[str, tuple[int, ...]]:
    """Every parameter's shape, by torch's name and in its order."""
    rows, out = len(GATES[cell]) * hidden, proj or hidden
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(layers):
        for end in (f"_l{layer}", f"_l{layer}_reverse")[: 2 if both else 1]:
            shapes[f"weight_ih{end}"] = (rows, width if layer == 0 else out * (2 if both else 1))
            shapes[f"weight_hh{end}"] = (rows, out)
            if bias:
                shapes |= {f"bias_ih{end}": (rows,), f"bias_hh{end}": (rows,)}
            if proj:
                shapes[f"weight_hr{end}"] = (proj, hidden)
    return shapes


def _arrays(
    name: str, parts: Mapping[str, Stored], wanted: Mapping[str, tuple[int, ...]]
) -> tuple[dict[str, np.ndarray], list[Sentence]]:
    arrays, zeros = {}, []
    for part, shape in wanted.items():
        if part not in parts:
            if not part.startswith("bias"):
                raise ValueError(tr("In {name}, {part} is missing.", name=_shown(name), part=part))
            zeros.append(part)
            arrays[part] = np.zeros(shape, "<f4")
        elif parts[part].shape != shape:
            raise ValueError(
                tr("{name} must have the shape {shape}, not {given}.", name=brief(parts[part].name), shape=shape,
                   given=parts[part].shape)
            )  # fmt: skip
        elif 0 in shape:
            raise ValueError(tr("{name} is empty.", name=brief(parts[part].name)))
        else:
            arrays[part] = parts[part].float32()
        arrays[part].flags.writeable = False
    odd = sorted(set(parts) - set(wanted))
    if odd:
        raise ValueError(tr("In {name}, {part} does not fit the other weights.", name=_shown(name), part=odd[0]))
    remarks = []
    if zeros:
        remarks.append(tr("In {name}, {parts} is missing; zeros were put there.", name=_shown(name),
                          parts=", ".join(zeros[:4]) + (", …" if len(zeros) > 4 else "")))  # fmt: skip
    if any(stored.dtype in ("float16", "bfloat16") for stored in parts.values()):
        remarks.append(tr("The weights of {name} were widened to float32, which changes none.", name=_shown(name)))
    if any(stored.dtype == "float64" for stored in parts.values()):
        remarks.append(tr("The weights of {name} were rounded from float64 to float32.", name=_shown(name)))
    return arrays, remarks


def _beside(name: str, group: _Group, contents: Contents) -> list[Sentence]:
    """Parameters that torch's layer has not, under the very same name: then it may be another equation."""
    mine = {stored.name for stored in group.parts.values()}
    start = f"{name}." if name else ""
    others = [
        key[len(start) :]
        for key, stored in contents.tensors.items()
        if key.startswith(start) and key not in mine and stored.dtype in FLOATS
        and ("." not in key[len(start) :] or (start and "parametrizations." not in key))
    ]  # fmt: skip
    others = [other for other in others if not re.search(r"_[ih][hr](_l\d+)?(_reverse)?_(g|u|v|orig|mask|raw)$", other)]
    if not others:
        return []
    return [
        tr("Beside the weights of {name} lies {other}, which torch’s layers do not have; if the network used it there, "
           "it is another network than this.", name=_shown(name), other=brief(others[0]))
    ]  # fmt: skip


def _known(cell: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What a pickled module says of itself: ``mode`` RNN_TANH or RNN_RELU, a cell's ``nonlinearity`` tanh or relu."""
    known: dict[str, Any] = {}
    if isinstance(facts.get("batch_first"), bool):
        known["batch_first"] = facts["batch_first"]
    said = facts.get("nonlinearity") or str(facts.get("mode", "")).removeprefix("RNN_").lower()
    if cell == "RNN" and said in ("tanh", "relu"):
        known["nonlinearity"] = said
    if isinstance(facts.get("reset_after"), bool):
        known["reset_after"] = facts["reset_after"]
    elif str(facts.get("mode")).partition("(")[0] == GRU_RESET_BEFORE.name:
        known["reset_after"] = False
    return known


def _functions(name: str, cell: str, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """What a layer of one of our cells squashes with, where that is other than torch's.

    Raises:
        ValueError: it is of a cell whose lines the file does not hold.
    """
    mode = str(facts.get("mode", "")) if facts.get("class") == "CellLayer" else ""
    found = functions_of(mode)
    if mode and mode not in _OURS and len(found) != {"LSTM": 3, "GRU": 2, "RNN": 1}[cell]:
        raise ValueError(tr("{name} is a layer of the cell {given}, whose lines are not in the file; make the layer in "
                            "Python and give it to seqviz.capture.", name=_shown(name), given=brief(mode)))  # fmt: skip
    return found


def _questions(name: str, cell: str, alone: bool) -> list[Question]:
    asked = []
    if cell == "RNN":
        says = tr("The file does not say whether {name} squashes with tanh or relu; tanh is taken.", name=_shown(name))
        asked.append(Question("nonlinearity", says, ("tanh", "relu")))
    if not alone:
        says = tr(
            "The file does not say whether {name} takes the batch first; torch’s default is taken: it does not.",
            name=_shown(name),
        )
        asked.append(Question("batch_first", says, (False, True)))
    return asked


def _readout(start: str, used: set[str], width: int, tensors: Mapping[str, Stored]) -> str:
    """The one linear layer with a bias, beside the recurrent one, that takes as many inputs as that gives."""
    start = start and f"{start}."
    fitting = [
        key[: -len(".weight")]
        for key, stored in tensors.items()
        if key.startswith(start) and key.endswith(".weight") and key not in used and not _WITHIN.search(key)
        and stored.dtype in FLOATS and len(stored.shape) == 2 and stored.shape[1] == width and stored.shape[0] > 0
        and getattr(tensors.get(key[: -len("weight")] + "bias"), "shape", None) == stored.shape[:1]
    ]  # fmt: skip
    return fitting[0] if len(fitting) == 1 else ""


def _shown(name: str) -> Sentence | str:
    return brief(name) if name else tr("the network")
