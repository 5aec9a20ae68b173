"""Layers of other frameworks into torch's names, shapes and order of gates; what was moved is kept to be shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from seqviz.language import Sentence, tr
from seqviz.reading.networks.stored import Contents, Stored, brief
from seqviz.reading.networks.told import GATES, Moved

__all__ = ["Layer", "not_computed", "put", "reordered"]


@dataclass
class Layer:
    """A layer of another framework.

    Attributes:
        name: as a person calls it.
        cell: ``LSTM``, ``GRU`` or ``RNN``.
        directions: one or two of them, by torch's names of parts (``weight_ih``), in torch's shapes and order.
        facts: what the file says beside the weights, as ``Contents.facts`` has it.
        moved: of its first direction.
        remarks: what was converted, or is to be doubted.
        after: the name of the layer whose output it takes, where it takes one's.
        size: of a state.
        inlet, outlet: what the file itself calls what comes in and what goes out.
    """

    name: str
    cell: str
    directions: list[dict[str, Stored]]
    facts: dict[str, Any]
    moved: tuple[Moved, ...] = ()
    remarks: list[Sentence] = field(default_factory=list)
    after: str = ""
    size: int = 0
    inlet: str = ""
    outlet: str = ""


def reordered(stored: Stored, cell: str, order: str, name: str, *, columns: bool, at: int | None = None) -> Stored:
    """A stored array with its blocks in torch's order, and turned where its gates lie in columns.

    Args:
        at: a row of it alone, a vector; None all of it.
    """
    shape = stored.shape if at is None else stored.shape[1:]
    shape = shape[::-1] if columns else shape
    return replace(stored, name=name, shape=shape, raw=partial(_turned, stored.raw, GATES[cell], order, columns, at))


def _turned(raw: Callable[[], np.ndarray], to: str, order: str, columns: bool, at: int | None) -> np.ndarray:
    array = raw() if at is None else raw()[at]
    array = array.T if columns else array
    size = len(array) // len(to)
    return np.concatenate([array[order.index(gate) * size : (order.index(gate) + 1) * size] for gate in to])


def not_computed(name: str, source: str) -> Sentence:
    """What is said of a layer that takes what neither the network takes nor another recurrent layer gives."""
    return tr("{name} takes what {source} gives, which is not computed here: give it that.", name=brief(name),
              source=source)  # fmt: skip


def _chains(layers: list[Layer]) -> list[list[Layer]]:
    """Those that follow each other and are alike, together."""
    named = {layer.name: layer for layer in layers}
    fed = [layer.after for layer in layers]
    chains: list[list[Layer]] = []
    for layer in layers:
        before = named.get(layer.after)
        chain = next((c for c in chains if before is not None and c[-1] is before), None)
        if chain is not None and fed.count(layer.after) == 1 and _alike(chain[-1], layer):
            chain.append(layer)
        else:
            chains.append([layer])
    return chains


def _alike(first: Layer, then: Layer) -> bool:
    mine, other = first.directions[0], then.directions[0]
    width = then.directions[0]["weight_ih"].shape[-1] if then.directions[0]["weight_ih"].shape else 0
    return (
        (first.cell, first.facts, first.size, len(first.directions)) == (then.cell, then.facts, then.size,
                                                                        len(then.directions))
        and mine.keys() == other.keys() and width == first.size * len(first.directions)
        and not first.facts.get("backwards") and first.facts.get("merge", "concat") == "concat"
    )  # fmt: skip


def _one(chain: list[Layer]) -> Layer:
    first = chain[0]
    names = [layer.name for layer in chain]
    if len(chain) == 1:
        return replace(first, name=_short(names, first.cell))
    remarks = [tr("{names} are alike and follow each other; they are read as the layers of one network.",
                  names=", ".join(map(brief, names)))]  # fmt: skip
    remarks += [remark for layer in chain for remark in layer.remarks]
    directions: list[dict[str, Stored]] = [{} for _ in first.directions]
    for k, layer in enumerate(chain):
        for whole, parts in zip(directions, layer.directions, strict=True):
            whole |= {f"{part}_l{k}": stored for part, stored in parts.items()}
    return replace(first, name=_short(names, first.cell), directions=directions, remarks=remarks)


def put(layers: list[Layer], contents: Contents) -> None:
    """The layers among the contents, by torch's names, each under a name of its own."""
    chains = _chains(layers)
    joint = [_one(chain) for chain in chains]
    ends = {old.name: new.name for chain, new in zip(chains, joint, strict=True) for old in chain}
    taken: set[str] = set()
    for layer in joint:
        name, k = layer.name, 2
        while name in taken:
            name, k = f"{layer.name} ({k})", k + 1
        taken.add(name)
        for parts, end in zip(layer.directions, ("", "_reverse"), strict=False):
            for part, stored in parts.items():
                part = part if "_l" in part else f"{part}_l0"
                contents.add(replace(stored, name=f"{name}.{part}{end}"))
        facts: dict[str, Any] = {"moved": layer.moved, "remarks": layer.remarks, "fed_by": ends.get(layer.after, "")}
        contents.facts[name] = layer.facts | facts


def _short(names: list[str], cell: str) -> str:
    """One name for layers: ``rnn.LSTM`` and ``rnn.LSTM_1`` are torch's ``rnn``."""
    stems = {re.sub(rf"\.{cell}(_\d+)?$", "", name) for name in names}
    return stems.pop() if len(stems) == 1 else " + ".join(names)
