"""Torch's cells with other functions in the place of sigmoid and tanh, as Keras and ONNX can have them.

Such a cell is its name: ``LSTM(hard_sigmoid_5, relu, relu)`` is the LSTM whose gates are hard sigmoids and whose
candidate and cell state go through rectifiers, in ONNX's order of a node's ``activations``; an RNN has one function.
The functions are those of https://keras.io/api/layers/activations, and of
https://onnx.ai/onnx/operators/onnx__LSTM.html with the numbers that ONNX takes unless told others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from seqviz.cells.cell import Cell, parse
from seqviz.cells.label import Label
from seqviz.language import later

__all__ = ["GATED_BY", "SQUASHINGS", "functions_of", "name_of", "squashing"]

SQUASHINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "sigmoid": "sigmoid(a)",
        "tanh": "tanh(a)",
        "relu": "relu(a)",
        "linear": "(a)",
        "hard_sigmoid": "max(0, min(1, (a) / 6 + 0.5))",
        "hard_sigmoid_5": "max(0, min(1, 0.2 * (a) + 0.5))",
        "hard_tanh": "max(-1, min(1, a))",
        "relu6": "min(6, relu(a))",
        "leaky_relu": "max(a, 0.2 * (a))",
        "leaky_relu_100": "max(a, 0.01 * (a))",
        "elu": "(relu(a) + exp(min(a, 0)) - 1)",
        "selu": "1.0507009873554805 * (relu(a) + 1.6732632423543772 * (exp(min(a, 0)) - 1))",
        "softplus": "softplus(a)",
        "softsign": "(a) / (1 + abs(a))",
        "silu": "(a) * sigmoid(a)",
        "mish": "(a) * tanh(softplus(a))",
        "exponential": "exp(a)",
    }
)
"""Each function of ``a`` as a line of a cell has it. ``hard_sigmoid`` is Keras 3's and torch's, of slope 1/6;
``hard_sigmoid_5`` ONNX's and that of Keras before 3, of slope 1/5."""

_PLACES: Final = {"LSTM": ("i", "f", "o", "g", "h"), "GRU": ("r", "z", "n"), "GRU_RESET_BEFORE": ("r", "z", "n"),
                  "PEEPHOLE": ("i", "f", "o", "g", "h"), "RNN_TANH": ("h",)}  # fmt: skip
_COUNTS: Final = {"LSTM": 3, "PEEPHOLE": 3, "GRU": 2, "GRU_RESET_BEFORE": 2, "RNN_TANH": 1}
_NAME: Final = re.compile(r"([A-Z_]{3,20})\(([a-z0-9_]{1,20}(?:, [a-z0-9_]{1,20}){0,2})\)")
_BOUNDED: Final = {"hard_tanh": ("−1", "+1"), "softsign": ("−1", "+1"), "relu": ("0", later("large")),
                   **dict.fromkeys(("sigmoid", "hard_sigmoid", "hard_sigmoid_5"), ("0", "1")), "relu6": ("0", "6"),
                   **dict.fromkeys(("softplus", "exponential"), ("0", later("large")))}  # fmt: skip
GATED_BY: Final = ("sigmoid", "hard_sigmoid", "hard_sigmoid_5")
"""Those that a gate may be: they run from 0 to 1."""


def name_of(base: str, functions: Sequence[str]) -> str:
    """The name of a cell of torch's with other functions; its own where they are its own."""
    own = ("tanh",) if base == "RNN_TANH" else ("sigmoid", "tanh", "tanh")[: _COUNTS[base]]
    return base if tuple(functions) == own else f"{base}({', '.join(functions)})"


def functions_of(name: str) -> tuple[str, ...]:
    """The functions in a name as :func:`name_of` makes it; none where it is no such name."""
    found = _NAME.fullmatch(name)
    functions = tuple(found[2].split(", ")) if found else ()
    known = found is not None and _COUNTS.get(found[1]) == len(functions) and set(functions) <= SQUASHINGS.keys()
    return functions if known else ()


@lru_cache(maxsize=64)
def squashing(name: str, get: Callable[[str], Cell]) -> Cell | None:
    """The cell of such a name; None where it is none.

    Args:
        name: as :func:`name_of` makes it.
        get: gives torch's cells.
    """
    functions = functions_of(name)
    if not functions:
        return None
    base = get(name.partition("(")[0])
    gates, candidate, shown = (*functions, *functions[-1:] * 2)[:3]
    lines = {line.partition("=")[0].strip(): line for line in base.text.split("\n")}
    labels = dict(base.labels)
    for place in _PLACES[base.name]:
        function = gates if place in "ifozr" or base.name == "RNN_TANH" else shown if place == "h" else candidate
        lines[place] = _with(lines[place], function)
        labels[place] = _label(labels[place], function, place in base.gates)
    text = "\n".join(lines.values())
    family = base.family or base.name
    return parse(text, name, label=f"{family} ({', '.join(dict.fromkeys(functions))})", blocks="".join(base.blocks),
                 told="".join(base.told), labels=labels, family=family, says=base.says)  # fmt: skip


def _with(line: str, function: str) -> str:
    """A line with the function in the place of the one around its last bracket."""
    start, call, argument = re.split(r"\b(sigmoid|tanh)\(", line)
    assert argument.endswith(")"), call
    inner = argument[:-1]
    # A value is read once by its name; a sum that is needed twice stands there twice.
    return start + re.sub(r"\ba\b", lambda _: f"({inner})", SQUASHINGS[function])


def _label(label: Label, function: str, gate: bool) -> Label:
    """The same signal between the values that it can now have."""
    if gate or function == "tanh":
        return label
    return Label(label.english, label.symbol, *_BOUNDED.get(function, (later("negative"), later("positive"))))
