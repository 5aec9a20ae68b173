"""What a file holds beside its recurrent networks and what reads them out: named, for none of it is computed here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from seqviz.language import Sentence, tr
from seqviz.reading.networks.stacks import Stack
from seqviz.reading.networks.stored import FLOATS, OWN, Contents, brief

__all__ = ["left_out"]

MOST: Final = 8
"""Names that are listed."""

_EMPTY: Final = frozenset({"Identity", "Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict",
                           "DataParallel", "DistributedDataParallel", "AveragedModel"})  # fmt: skip
_CELLS: Final = frozenset({"LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell", "CellLayer"})
_HELD: Final = re.compile(r"_(g|u|v|orig|mask|raw)$")
"""Parts that a weight is worked out of."""

_PART: Final = re.compile(r"\.(weight|bias|running_mean|running_var|in_proj_weight|in_proj_bias)$")


def left_out(contents: Contents, stacks: list[Stack], embeddings: Iterable[str]) -> list[Sentence]:
    """A sentence about the other layers, functions and weights of a file; none where there are none.

    Args:
        contents: of the file.
        stacks: the recurrent networks in it.
        embeddings: the names of the tables that give them their inputs.
    """
    embeddings = [*embeddings]
    used = {name for stack in stacks for name in stack.used} | {*embeddings}
    used |= {f"{stack.readout}.{part}" for stack in stacks if stack.readout for part in ("weight", "bias")}
    carried = {stack.name for stack in stacks} | {_PART.sub("", name) for name in used}
    carried |= {path for path in contents.others or () if any(f"/{path}/" in f"/{name}" for name in embeddings)}
    leads = {end for stack in stacks for end in _above(stack.name)}
    others = _weights(contents, used) if contents.others is None else _modules(contents.others, carried, leads)
    if not others:
        return []
    listed = ", ".join(others[:MOST]) + (", …" if len(others) > MOST else "")
    return [
        tr("Beside the recurrent networks and what reads them out, the file holds {names}; that is not computed here.",
           names=listed)
    ]  # fmt: skip


def _modules(listed: dict[str, str], carried: set[str], leads: set[str]) -> list[str]:
    """By what the file lists: its layers and functions, each with its class, but not what only holds others."""
    hold = {end for path in listed for end in _above(path)}
    found: dict[str, str] = {}
    for path, kind in sorted(listed.items(), key=lambda each: each[0].count(".")):
        name = kind.removeprefix(OWN)
        plain = name in _EMPTY or name.rpartition(".")[2] in _CELLS
        if plain or path in carried or path in leads or "parametrizations." in path:
            continue
        if (kind != name and path in hold) or any(end in found for end in _above(path)):
            continue
        found[path] = f"{brief(path)} ({brief(name)})" if path else brief(name)
    return [found[path] for path in listed if path in found]


def _above(path: str) -> list[str]:
    """What something lies in, by its path."""
    return ["", *(path[: dot.start()] for dot in re.finditer(r"\.", path))] if path else []


def _weights(contents: Contents, used: set[str]) -> list[str]:
    """By the names of weights, where the file lists no layers."""
    others = [name for name, each in contents.tensors.items() if each.dtype in FLOATS and name not in used]
    others = [name for name in others if "parametrizations." not in name and _HELD.sub("", name) not in used]
    paths = [_PART.sub("", name) for name in others]
    return [brief(path) for path in dict.fromkeys(paths) if path]
