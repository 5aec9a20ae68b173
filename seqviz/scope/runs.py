"""A trace as a message: one layer and direction of one batch element, for any of the hosts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count as count_from
from zlib import crc32

import numpy as np

from seqviz import cells
from seqviz import vocabulary as words
from seqviz.checks import shown
from seqviz.language import again, sentences, tr
from seqviz.metrics import describe
from seqviz.scope.headers import LitRow, ScopeHeader, ScopeRow
from seqviz.scope.message import pack, row
from seqviz.telling import headlines
from seqviz.telling.titles import network_title
from seqviz.telling.trust import describe_parity
from seqviz.trace import Trace

__all__ = ["LINES", "of_trace", "signals"]

LINES = 6
"""Features of the input that are drawn as a line each; more are lines of a heatmap."""


def signals(
    trace: Trace, cell: str, layer: int = 0, *, reverse: bool = False, prefix: str = "", batch: int = 0
) -> dict[str, np.ndarray]:
    """One layer's signals by their short names, ``(L, H)``, between the input ``x`` and, where there is one, ``y``."""
    path = f"{prefix}." if prefix else ""
    found = {"x": trace[f"{path}x"][:, batch]}
    for signal in cells.get(cell).told:
        found[signal] = trace[words.signal_name(layer, signal, reverse=reverse, prefix=prefix)][:, batch]
    if f"{path}y" in trace:
        found["y"] = trace[f"{path}y"][:, batch]
    return found


def of_trace(
    trace: Trace, layer: int = 0, *, reverse: bool = False, prefix: str | None = None, batch: int = 0, title: str = "",
    headline: str = "", names: Sequence[str] = (), marks: Sequence[str] = (), lit: Sequence[LitRow] = (),
    baseline: Trace | None = None,
) -> bytes:  # fmt: skip
    """The scope's message of what :func:`seqviz.capture` found, to be put into a page, a notebook or a file.

    Args:
        trace: of one run.
        layer: which layer of the module.
        reverse: its other direction, where it has two.
        prefix: the recurrent module by its name, ``"encoder"``; the first one unless given.
        batch: which batch element. Steps past its length are left out.
        title: what a saved picture is called; the kind and size of the network unless given.
        headline: the sentence on top; how long the run holds on to what it has unless given.
        names: of the inputs.
        marks: of the steps, a date say.
        lit: rows of which something is said, marked in the picture.
        baseline: another run of the same network, to look at in the same place and to take off.

    Returns:
        What :func:`seqviz.scope.hosts.html.page` and the notebook take.

    Raises:
        ValueError: there is no such module, layer, direction or batch element.
    """
    module = _module(trace, prefix)
    cell = trace.modes[module]
    length = _length(trace, words.signal_name(layer, "h", reverse=reverse, prefix=module), batch)
    found = {
        name: values[:length]
        for name, values in signals(trace, cell, layer, reverse=reverse, prefix=module, batch=batch).items()
    }
    told = headline or headlines.headline("", words.cell_label(cell), found, kind=cell).says
    called = list(names) if len(set(names)) == len(names) == found["x"].shape[1] else None
    layers = next(k for k in count_from(1) if words.signal_name(k, "h", prefix=module) not in trace)
    hidden = found["h"].shape[1]
    header: ScopeHeader = {
        "panel": "scope",
        "link": "run",
        "id": f"{crc32(b''.join(values.tobytes() for values in found.values())):08x}",
        "title": title or network_title(cell, hidden, layers, length),
        "cell": cell,
        "description": cells.get(cell).description(),
        "layer": layer,
        "layers": layers,
        "steps": length,
        "hidden": hidden,
        "inputs": found["x"].shape[1],
        "labels": None,
        "rows": _rows(found, cell, called),
        "editable": False,
        "status": sentences([describe_parity(trace.parity), again(trace.problem)]),
        "address": "",
        "fields": (),
        "headline": told,
        "names": called,
        "marks": list(marks)[:length] if len(marks) >= length else None,
        "lit": lit,
    }
    if baseline is not None:
        old = signals(baseline, cell, layer, reverse=reverse, prefix=module, batch=batch)
        header["baseline"] = all(name in old and len(old[name]) >= length for name in found)
        found |= {f"baseline.{name}": values[:length] for name, values in old.items() if header["baseline"]}
    return pack(header, found)


def _length(trace: Trace, name: str, batch: int) -> int:
    """How many steps a batch element of a signal has.

    Raises:
        ValueError: there is no such signal or batch element.
    """
    if name not in trace:
        raise ValueError(tr("There is no signal {name} in this trace; it has {known}.", name=shown(name),
                            known=tr(", ").join(trace.signals)))  # fmt: skip
    last = trace[name].shape[1] - 1
    if not isinstance(batch, int) or not 0 <= batch <= last:
        raise ValueError(tr("The batch element must be from 0 to {last}, not {batch}.", last=last,
                            batch=shown(batch)))  # fmt: skip
    return trace.lengths_of(name)[batch]


def _rows(found: dict[str, np.ndarray], cell: str, names: list[str] | None) -> list[ScopeRow]:
    """A row for each signal, with what is said of it; of many inputs each has a line of its own."""
    rows = [row(name, cell, values.shape[1], describe(name, values, cell)) for name, values in found.items()]
    for each, values in zip(rows, found.values(), strict=True):
        each["note"] = headlines.brief(each["signal"], values, cell)
    if (width := found["x"].shape[1]) > LINES:
        rows[0] |= {"kind": "onehot", "names": names or [str(k) for k in range(width)]}
    return rows


def _module(trace: Trace, prefix: str | None) -> str:
    if prefix is None and trace.modes:
        return next(iter(trace.modes))
    if prefix in trace.modes:
        return str(prefix)
    known = tr(", ").join(map(shown, trace.modes)) or tr("none")
    raise ValueError(tr("There is no recurrent module {prefix} in this trace; it has {known}.",
                        prefix=shown(prefix), known=known))  # fmt: skip
