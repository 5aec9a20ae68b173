"""A cell that nobody drew, as the cell page's message: its numbers out of a plain loop in torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from seqviz.cells import Cell
from seqviz.scope import pack

__all__ = ["PEEPHOLE", "cell_page", "loop"]

PEEPHOLE = """\
i = sigmoid(W_ii x + b_ii + W_hi h_prev + b_hi + p_i * c_prev)
f = sigmoid(W_if x + b_if + W_hf h_prev + b_hf + p_f * c_prev)
g = tanh(W_ig x + b_ig + W_hg h_prev + b_hg)
c = f * c_prev + i * g
o = sigmoid(W_io x + b_io + W_ho h_prev + b_ho + p_o * c)
h = o * tanh(c)"""


def loop(steps: int = 6, inputs: int = 2, hidden: int = 3, seed: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    """A peephole LSTM step by step: its weights by their names in the lines, and its signals ``(L, H)``."""
    draw = torch.Generator().manual_seed(seed)
    w = {f"W_i{g}": torch.randn(hidden, inputs, generator=draw) for g in "ifgo"}
    w |= {f"W_h{g}": torch.randn(hidden, hidden, generator=draw) for g in "ifgo"}
    w |= {f"b_{s}{g}": torch.randn(hidden, generator=draw) for s in "ih" for g in "ifgo"}
    w |= {f"p_{g}": torch.randn(hidden, generator=draw) for g in "ifo"}
    x = torch.randn(steps, inputs, generator=draw)
    h = c = torch.zeros(hidden)
    signals: dict[str, list[torch.Tensor]] = {name: [] for name in "ifgcoh"}
    for t in range(steps):
        pre = {g: w[f"W_i{g}"] @ x[t] + w[f"b_i{g}"] + w[f"W_h{g}"] @ h + w[f"b_h{g}"] for g in "ifgo"}
        i, f = torch.sigmoid(pre["i"] + w["p_i"] * c), torch.sigmoid(pre["f"] + w["p_f"] * c)
        g = torch.tanh(pre["g"])
        c = f * c + i * g
        o = torch.sigmoid(pre["o"] + w["p_o"] * c)
        h = o * torch.tanh(c)
        for name, value in zip("ifgcoh", (i, f, g, c, o, h), strict=True):
            signals[name].append(value)
    found = {name: torch.stack(values).numpy() for name, values in signals.items()}
    return {name: weight.numpy() for name, weight in w.items()}, {"x": x.numpy(), **found}


def cell_page(cell: Cell, weights: dict[str, np.ndarray], signals: dict[str, np.ndarray]) -> bytes:
    """The message of the cell page, with its weights packed as the cell's description says."""
    packed = {name: np.concatenate([weights[row] for row in rows]) for name, rows in cell.packing.items()}
    steps, hidden = signals["h"].shape
    header = {
        "panel": "cell", "link": "cell", "id": "1", "cell": cell.name, "description": cell.description(),
        "name": cell.name, "steps": steps, "hidden": hidden, "inputs": signals["x"].shape[1], "labels": None,
        "names": None, "rules": [], "layer": 0, "status": "", "address": "", "fields": [], "at": None,
        "undo": False, "redo": False,
    }  # fmt: skip
    return pack(header, signals | packed, exact=True)
