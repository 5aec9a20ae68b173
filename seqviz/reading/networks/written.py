"""LSTMs, GRUs and RNNs that people wrote themselves, found by how their weights are called and by their shapes.

``W_xi``, ``W_hi`` and ``b_i`` as in textbooks; an ``nn.Linear`` for each gate, over the input and the state apart or
side by side (``forget_gate.weight``); one for all gates (``x2h`` and ``h2h``, or ``gates``). What neither name nor
shape says, the order of the gates above all, is guessed, said and asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from seqviz.language import Sentence, tr
from seqviz.reading.networks.stored import FLOATS, Contents, Stored, brief
from seqviz.reading.networks.told import GATES, Moved, Question

__all__ = ["Own", "add_written"]

_WORDS: Final = {
    "input": "i", "in": "i", "inp": "i", "write": "i", "forget": "f", "output": "o", "out": "o", "cell": "g",
    "candidate": "g", "cand": "g", "memory": "g", "cellgate": "g", "c_tilde": "g", "ctilde": "g", "chat": "g",
    "reset": "r", "update": "z", "new": "n", "u": "z", "hidden": "n", "htilde": "n", "hhat": "n",
}  # fmt: skip
_LETTER: Final = "[ifocgrznuh]"
_WORD: Final = "|".join(sorted((word for word in _WORDS if len(word) > 1), key=len, reverse=True))
_GATE: Final = rf"(?P<gate>{_WORD}|{_LETTER})"
_SIDED: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?:w|weight|linear|fc)?(?P<side>[xh])(?:2|to)?{_GATE}(?:gate)?",
        rf"(?:w|weight|linear|fc)?{_GATE}(?:gate)?(?P<side>[xh])",
        rf"(?:w|weight)(?P<side>i){_GATE}",
        rf"(?P<side>u){_GATE}",
    )
)
_BIASES: Final = re.compile(rf"(?:b|bias)(?P<side>[xih]?){_GATE}")
_JOINT: Final = re.compile(rf"(?:w|weight|linear|fc|gate|lin)?{_GATE}(?:t|gate|layer|linear|fc|net|weight|weights)?")
_PACKED_X: Final = frozenset(
    (
        "x2h", "i2h", "wih", "wxh", "wx", "wi", "win", "w", "ih", "xh", "input2hidden", "inputtohidden", "fcx",
        "linearx", "linearih", "kernel", "weightx", "weightih", "wxgates", "xlinear", "xgates", "inputs",
    )
)  # fmt: skip
_PACKED_H: Final = frozenset(
    (
        "h2h", "whh", "wh", "u", "uh", "hh", "hidden2hidden", "hiddentohidden", "fch", "linearh", "linearhh",
        "recurrentkernel", "recurrent", "weighth", "weighthh", "wrec", "whgates", "hlinear", "hgates", "hiddens",
    )
)  # fmt: skip
_PACKED_B: Final = frozenset(
    (
        "b", "bias", "bh", "bx", "bih", "bhh", "bi",
    )
)  # fmt: skip
_PACKED: Final = frozenset(
    (
        "gates", "combined", "i2h", "x2h", "fcgates", "lineargates", "allgates", "ifgo", "fused", "wgates",
        "gatelinear", "gateslinear", "linearcombined",
    )
)  # fmt: skip
_PLAIN_H: Final = frozenset(
    (
        "h2h", "whh", "hh", "hidden2hidden", "hiddentohidden", "weighthh", "wrec", "linearhh",
    )
)  # fmt: skip
"""What a plain network's matrix must be called: W and U are many another thing's too."""
_PARTS: Final = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
_ORDERS: Final = {"LSTM": ("ifgo", "ifog", "iofg", "fiog", "figo", "fgio", "igfo"), "GRU": ("rzn", "zrn")}


_FLAX: Final = re.compile(r"(.*?)([ih])([ifgornz])[./](kernel|bias)")
"""https://flax.readthedocs.io/en/latest/api_reference/flax.linen/layers.html#flax.linen.LSTMCell: ``hf.kernel``, of
x @ W; where it starts, what it multiplies, the gate."""


@dataclass
class _Leaf:
    """A matrix and its bias, or either; ``linear`` where they are an nn.Linear's, whose rows are what comes out."""

    weight: Stored | None = None
    bias: Stored | None = None
    linear: bool = False


@dataclass
class Own:
    """A network that was found: by gate its matrices and biases, each of one part or packed with others.

    Attributes:
        x, h: of each gate (``""`` where all are packed) the matrix that multiplies the input, and the state.
        joint: the same where both lie side by side.
        b: of each gate its biases, those that torch would add to ``x`` first.
        turned: whether rows are what goes in; None where it cannot be told.
    """

    cell: str
    size: int
    inputs: int
    x: dict[str, Stored] = field(default_factory=dict)
    h: dict[str, Stored] = field(default_factory=dict)
    joint: dict[str, Stored] = field(default_factory=dict)
    b: dict[str, list[Stored]] = field(default_factory=dict)
    turned: bool | None = False

    @property
    def names(self) -> set[str]:
        """Of its tensors in the file."""
        matrices = [*self.x.values(), *self.h.values(), *self.joint.values()]
        return {each.name for each in (*matrices, *(b for biases in self.b.values() for b in biases))}

    @property
    def packed(self) -> bool:
        """Whether one matrix holds all gates."""
        return self.cell != "RNN" and "" in (self.joint or self.h)

    def questions(self, name: Sentence | str) -> tuple[Question, ...]:
        """What had to be guessed."""
        asked = []
        if self.packed:
            says = tr("The order of the gates in {name} is not in the file; torch’s is taken.", name=name)
            asked.append(Question("order", says, _ORDERS[self.cell]))
        if self.joint:
            says = tr("Whether {name} takes the input first and then the state, or the other way round, is not in the "
                      "file; the input first is taken.", name=name)  # fmt: skip
            asked.append(Question("side_by_side", says, ("x, h", "h, x")))
        if self.turned is None:
            says = tr("Whether {name} multiplies from the left or the right cannot be told from square matrices; "
                      "x @ W is taken.", name=name)  # fmt: skip
            asked.append(Question("multiplies", says, ("x @ W", "W @ x")))
        if self.cell == "GRU":
            says = tr("Which side of the mix the update gate z of {name} keeps is not in the file; torch’s is taken.",
                      name=name)  # fmt: skip
            asked.append(Question("mixes", says, ("z * h + (1 - z) * n", "(1 - z) * h + z * n")))
        if self.cell == "GRU" and not self.joint:
            twice = any(len(biases) > 1 for biases in self.b.values())
            says = tr("Whether {name} resets before or after the product with the state is not in the file.", name=name)
            asked.append(Question("reset_after", says, (True, False) if twice else (False, True)))
        return tuple(asked)

    def parts(self, said: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """torch's four parameters of the first layer, with these answers."""
        turned = said.get("multiplies", "x @ W") == "x @ W" if self.turned is None else self.turned
        order = str(said.get("order", GATES[self.cell]))
        found: dict[str, list[np.ndarray]] = {name: [] for name in _PARTS}
        for gate in GATES[self.cell]:
            key = "" if "" in (self.joint or self.h) else gate
            at = order.index(gate) if key == "" else None
            x, h = self._matrices(key, at, turned, said)
            biases = [self._block(each.float32(), at) for each in self.b.get(key, [])]
            b = [*biases, *[np.zeros(self.size, "<f4")] * 2][:2]
            sign = -1 if gate == "z" and str(said.get("mixes", "z")).startswith("(") else 1
            for name, array in zip(found, (x, h, *b), strict=True):
                found[name].append(sign * array)
        return {name: np.ascontiguousarray(np.concatenate(blocks), "<f4") for name, blocks in found.items()}

    def _matrices(
        self, key: str, at: int | None, turned: bool, said: Mapping[str, Any]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Of a gate what multiplies the input ``(H, X)``, and the state ``(H, H)``."""
        if self.joint:
            whole = self._block(_upright(self.joint[key], turned), at)
            if said.get("side_by_side", "x, h") == "x, h":
                return whole[:, : self.inputs], whole[:, self.inputs :]
            return whole[:, self.size :], whole[:, : self.size]
        return self._block(_upright(self.x[key], turned), at), self._block(_upright(self.h[key], turned), at)

    def _block(self, array: np.ndarray, at: int | None) -> np.ndarray:
        return array if at is None else array[at * self.size : (at + 1) * self.size]

    def moved(self, said: Mapping[str, Any]) -> tuple[Moved, ...]:
        """Which rows of the file's matrices became which gate."""
        order, size = str(said.get("order", GATES[self.cell])), self.size
        found = []
        for side in (self.joint,) if self.joint else (self.x, self.h):
            for gate in order:
                at = order.index(gate) * size if "" in side else 0
                to = GATES[self.cell].index(gate) * size
                source = side["" if "" in side else gate].name
                columns = bool(self.turned) or (self.turned is None and said.get("multiplies", "x @ W") == "x @ W")
                found.append(Moved(source, columns, (at, at + size - 1), gate, self.cell, (to, to + size - 1)))
        return tuple(found)


def _upright(stored: Stored, turned: bool) -> np.ndarray:
    array = stored.float32()
    return array.T if turned else array


def add_written(contents: Contents) -> None:
    """Put networks that people wrote themselves among the tensors, by torch's names of an LSTM, a GRU or an RNN."""
    for start, leaves in _modules(contents.tensors).items():
        own = None if {"weighthhl0", "weighthh"} & leaves.keys() else _found(leaves, contents.tensors)
        if own is None:
            continue
        if own.turned is None and all(_FLAX.fullmatch(name) for name in own.names):
            own.turned = True
        name = start.rstrip(".")
        called = brief(name) if name else tr("the network")
        first = own.moved({})[0].source
        questions = own.questions(called)
        said = tr("{name} was taken for an {cell} that was written by hand, by the names and shapes of {tensor} and "
                  "those beside it. The file does not say how it squashes; torch’s functions are taken.", name=called,
                  cell=own.cell, tensor=brief(first))  # fmt: skip
        facts: dict[str, Any] = {"remarks": [said], "ask": questions, "written": own, "moved": own.moved({})}
        if own.cell == "GRU" and own.joint:
            facts["reset_after"] = False  # r scales the state that the candidate's matrix then takes
        contents.facts[name] = {**contents.facts.get(name, {}), **facts}
        shapes = {part: array.shape for part, array in _outline(own).items()}
        for part, shape in shapes.items():
            contents.add(Stored(f"{start}{part}", shape, "float32", _later(own, part)))


def _later(own: Own, part: str) -> Any:
    return lambda: own.parts({})[part]


def _outline(own: Own) -> dict[str, np.ndarray]:
    """The shapes that the parameters will have, with no numbers looked at."""
    rows = len(GATES[own.cell]) * own.size
    shapes = {"weight_ih_l0": (rows, own.inputs), "weight_hh_l0": (rows, own.size)}
    shapes |= {"bias_ih_l0": (rows,), "bias_hh_l0": (rows,)} if own.b else {}  # type: ignore[dict-item]
    return {name: np.broadcast_to(np.zeros((), "<f4"), shape) for name, shape in shapes.items()}


def _modules(tensors: Mapping[str, Stored]) -> dict[str, dict[str, _Leaf]]:
    """What lies in each module, by names that are lowered and without their lines: ``W_xi`` is ``wxi``."""
    found: dict[str, dict[str, _Leaf]] = {}
    for key, stored in tensors.items():
        if stored.dtype not in FLOATS or len(stored.shape) not in (1, 2) or 0 in stored.shape:
            continue
        path, _, last = key.rpartition(".")
        linear = last in ("weight", "bias") and bool(path) and f"{path}.weight" in tensors
        flax = _FLAX.fullmatch(key)
        start, _, leaf = (path if linear else key).rpartition(".")
        if flax and (not flax[1] or flax[1][-1] in "./"):
            start, leaf = flax[1][:-1].replace("/", "."), f"w{'x' if flax[2] == 'i' else 'h'}{flax[3]}"
        squeezed = re.sub(r"[^a-z0-9]", "", leaf.lower())
        each = found.setdefault(f"{start}." if start else "", {}).setdefault(squeezed, _Leaf(linear=linear))
        if len(stored.shape) == 2 and each.weight is None:
            each.weight = stored
        elif len(stored.shape) == 1 and each.bias is None:
            each.bias = stored
    return found


def _found(leaves: Mapping[str, _Leaf], tensors: Mapping[str, Stored]) -> Own | None:
    return _by_gate(leaves) or _by_side(leaves) or _side_by_side(leaves, tensors)


def _letters(gates: set[str]) -> tuple[str, dict[str, str]] | None:
    """Which cell has such gates, and of each letter of torch's the one that was written; None where none has."""
    plain = {"c": "g", "g": "g", "h": "n", "n": "n", "u": "z", "z": "z"}
    for cell, wanted in (("LSTM", set("ifgo")), ("GRU", set("rzn"))):
        # The hidden state's own letter stands for a GRU's candidate, and in an LSTM for nothing.
        known = {plain.get(gate, gate): gate for gate in sorted(gates) if cell == "GRU" or gate not in "hnuzr"}
        if cell == "GRU" and "n" not in known and "g" in known:
            known["n"] = known["g"]
        if wanted <= known.keys():
            return cell, {gate: known[gate] for gate in wanted}
    return None


def _gate_of(found: re.Match[str]) -> str:
    return _WORDS.get(found["gate"], found["gate"]) if len(found["gate"]) > 1 else found["gate"]


def _by_gate(leaves: Mapping[str, _Leaf]) -> Own | None:
    """A matrix of its own for each gate."""
    x, h, joint = dict[str, _Leaf](), dict[str, _Leaf](), dict[str, _Leaf]()
    biases: dict[str, list[Stored]] = {}
    for name, leaf in leaves.items():
        sided = next((found for pattern in _SIDED if (found := pattern.fullmatch(name))), None)
        if leaf.weight is not None and sided is not None:
            (h if sided["side"] in "hu" else x)[_gate_of(sided)] = leaf
        if leaf.weight is not None and (alone := _JOINT.fullmatch(name)):
            joint.setdefault(_gate_of(alone), leaf)
        if leaf.weight is None and leaf.bias is not None and (bias := _BIASES.fullmatch(name)):
            biases.setdefault(_gate_of(bias), []).append(leaf.bias)
    for inputs, states in ((x, h), (joint, h), (joint, None)):
        known = _letters(set(inputs) if states is None else set(inputs) & set(states))
        if known is not None and (own := _put(*known, inputs, states, biases)) is not None:
            return own
    return None


def _put(
    cell: str, written: Mapping[str, str], x: Mapping[str, _Leaf], h: Mapping[str, _Leaf] | None,
    biases: Mapping[str, list[Stored]],
) -> Own | None:  # fmt: skip
    """The gates' matrices together, where their shapes agree."""
    first = {gate: x[letter] for gate, letter in written.items()}
    second = {gate: h[letter] for gate, letter in written.items()} if h is not None else {}
    shapes = {leaf.weight.shape for leaf in first.values() if leaf.weight is not None}
    squares = {leaf.weight.shape for leaf in second.values() if leaf.weight is not None}
    if len(shapes) != 1 or (second and len(squares) != 1):
        return None
    (shape,) = shapes
    linear = next(iter(first.values())).linear
    own = _sized(cell, shape, next(iter(squares), None), linear)
    if own is None:
        return None
    for gate, letter in written.items():
        mine = [leaf.bias for leaf in (first[gate], second.get(gate)) if leaf is not None and leaf.bias is not None]
        mine += biases.get(letter, [])
        if any(each.shape != (own.size,) for each in mine) or len(mine) > 2:
            return None
        if mine:
            own.b[gate] = mine
    stored = {gate: leaf.weight for gate, leaf in first.items() if leaf.weight is not None}
    if second:
        own.x, own.h = stored, {gate: leaf.weight for gate, leaf in second.items() if leaf.weight is not None}
    else:
        own.joint = stored
    return own


def _sized(cell: str, shape: tuple[int, ...], square: tuple[int, ...] | None, linear: bool) -> Own | None:
    """Sizes by the shapes of a gate's matrices; None where they do not fit each other."""
    if square is not None:
        size = square[0]
        if square != (size, size) or size not in shape:
            return None
        inputs = shape[1] if shape[0] == size else shape[0]
        turned = False if linear else None if shape == square else shape[0] != size
        return None if linear and shape[0] != size else Own(cell, size, inputs, turned=turned)
    out, together = (shape[0], shape[1]) if linear else (min(shape), max(shape))
    if together <= out:
        return None
    return Own(cell, out, together - out, turned=not linear and shape[0] == together)


def _by_side(leaves: Mapping[str, _Leaf]) -> Own | None:
    """One matrix for all gates that multiplies the input, and one that multiplies the state."""
    named = {name: leaf for name, leaf in leaves.items() if leaf.weight is not None}
    pairs = [(named[x], named[h]) for x in named for h in named if x in _PACKED_X and h in _PACKED_H and x != h]
    for x, h in pairs:
        assert x.weight is not None
        assert h.weight is not None
        rows, columns = h.weight.shape
        size, all_rows = min(rows, columns), max(rows, columns)
        cell = {4: "LSTM", 3: "GRU", 1: "RNN"}.get(all_rows // size) if all_rows % size == 0 else None
        turned: bool | None = rows < columns
        if cell == "RNN":
            shape = x.weight.shape
            turned = False if h.linear else None if shape == h.weight.shape else shape[0] != size
        known = cell != "RNN" or any(named.get(name) is h for name in _PLAIN_H)
        if cell is None or not known or all_rows not in x.weight.shape:
            continue
        inputs = x.weight.shape[0 if turned else 1]
        own = Own(cell, size, inputs, turned=turned)
        wanted = (inputs, all_rows) if turned else (all_rows, inputs)
        loose = [leaf.bias for name, leaf in leaves.items() if leaf.weight is None and name in _PACKED_B]
        mine = [each for each in (x.bias, h.bias, *loose) if each is not None and each.shape == (all_rows,)][:2]
        if x.weight.shape == wanted:
            key = "" if cell != "RNN" else "h"
            own.x, own.h = {key: x.weight}, {key: h.weight}
            own.b = {key: mine} if mine else {}
            return own
    return None


def _side_by_side(leaves: Mapping[str, _Leaf], tensors: Mapping[str, Stored]) -> Own | None:
    """One matrix for all gates, over the input and the state together; sizes by the layer that reads the state."""
    for name, leaf in leaves.items():
        if leaf.weight is None or name not in _PACKED:
            continue
        rows, columns = leaf.weight.shape if leaf.linear else sorted(leaf.weight.shape)
        others = [each.shape for each in tensors.values() if each is not leaf.weight and len(each.shape) == 2]
        for cell, blocks in (("LSTM", 4), ("RNN", 1)):  # a GRU's candidate takes another state than its gates
            size = rows // blocks
            wide = {size, columns} if cell == "RNN" else {size}
            read = any(shape[1] in wide or (not leaf.linear and shape[0] in wide) for shape in others)
            named = "gate" in name if cell == "LSTM" else name == "i2h" and read
            if rows % blocks or size >= columns or not (named or (cell == "LSTM" and read)):
                continue
            own = Own(cell, size, columns - size, turned=not leaf.linear and leaf.weight.shape[0] == columns)
            key = "" if cell != "RNN" else "h"
            own.joint = {key: leaf.weight}
            own.b = {key: [leaf.bias]} if leaf.bias is not None else {}
            return own
    return None
