"""Torch's documented recurrences, step by step in numpy float64: the oracle for every signal.

Written from https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html and its GRU and RNN pages.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

Array = np.ndarray[Any, np.dtype[Any]]


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def step(rnn: Any, end: str, x: Array, h: Array, c: Array | None) -> dict[str, Array]:
    """Every value of one step, each ``(N, H)``; ``h`` is ``(N, P)`` with a projection."""
    size = rnn.hidden_size
    weights = {k: v.detach().double().numpy() for k, v in rnn.named_parameters()}

    def part(side: str, block: int, value: Array) -> Array:
        rows = slice(block * size, (block + 1) * size)
        bias = weights[f"bias_{side}_{end}"][rows] if rnn.bias else 0
        return value @ weights[f"weight_{side}_{end}"][rows].T + bias

    s: dict[str, Array] = {}
    names = {"LSTM": "ifgo", "GRU": "rzn"}.get(rnn.mode, "h")
    for k, name in enumerate(names):
        s[f"{name}_ih"], s[f"{name}_hh"] = part("ih", k, x), part("hh", k, h)
        s[f"{name}_pre"] = s[f"{name}_ih"] + s[f"{name}_hh"]
    if rnn.mode == "LSTM":
        for name in "ifo":
            s[name] = sigmoid(s[f"{name}_pre"])
        s["g"] = np.tanh(s["g_pre"])
        s["c"] = s["f"] * c + s["i"] * s["g"]
        s["h"] = s["o"] * np.tanh(s["c"])
        if rnn.proj_size:
            s["h_pre"] = s["h"]
            s["h"] = s["h_pre"] @ weights[f"weight_hr_{end}"].T
    elif rnn.mode == "GRU":
        s["r"], s["z"] = sigmoid(s["r_pre"]), sigmoid(s["z_pre"])
        s["n_pre"] = s["n_ih"] + s["r"] * s["n_hh"]
        s["n"] = np.tanh(s["n_pre"])
        s["h"] = (1 - s["z"]) * s["n"] + s["z"] * h
    else:
        s["h"] = np.tanh(s["h_pre"]) if rnn.mode == "RNN_TANH" else np.maximum(s["h_pre"], 0)
    return s


def signals(rnn: Any, x: Array, h_0: Array, c_0: Array, lengths: list[int] | None = None) -> dict[str, Array]:
    """Every signal of every layer, ``(L, N, H)``, 0 on padding; ``x`` is ``(L, N, H_in)``, no dropout."""
    steps, batch, _ = x.shape
    valid = np.arange(steps)[:, None] < np.array(lengths or [steps] * batch)
    found: dict[str, Array] = {"x": x * valid[..., None]}
    below = x
    for layer in range(rnn.num_layers):
        ways = ("", "_reverse") if rnn.bidirectional else ("",)
        for way, suffix in enumerate(ways):
            index = layer * len(ways) + way
            h, c = h_0[index], c_0[index]
            for t in reversed(range(steps)) if way else range(steps):
                values = step(rnn, f"l{layer}{suffix}", below[t], h, c)
                keep = valid[t][:, None]
                for name, value in values.items():
                    out = found.setdefault(f"l{layer}{suffix}.{name}", np.zeros((steps, *value.shape)))
                    out[t] = value * keep
                h = np.where(keep, values["h"], h)
                c = np.where(keep, values["c"], c) if "c" in values else c
        below = np.concatenate([found[f"l{layer}{suffix}.h"] for suffix in ways], -1)
    return found


KINDS = ("LSTM", "GRU", "RNN_TANH", "RNN_RELU")


def build(kind: str, inner: int = 3, size: int = 4, *, proj: int = 0, **options: Any) -> Any:
    """A torch layer of one of ``KINDS``; ``proj`` counts for the LSTM only."""
    if kind == "LSTM":
        return nn.LSTM(inner, size, proj_size=proj, **options)
    if kind == "GRU":
        return nn.GRU(inner, size, **options)
    return nn.RNN(inner, size, nonlinearity=kind.removeprefix("RNN_").lower(), **options)


class Case:
    """A layer, an input and a state in one of torch's forms, with the same numbers time first for the oracle."""

    def __init__(self, rnn: Any, steps: int = 6, *, form: str = "batch", given: bool = True, seed: int = 0) -> None:
        make = torch.Generator().manual_seed(seed)
        dtype, self.rnn = rnn.weight_ih_l0.dtype, rnn
        batch = 1 if form == "unbatched" else 3
        x = torch.randn(steps, batch, rnn.input_size, generator=make, dtype=dtype)
        count = rnn.num_layers * (2 if rnn.bidirectional else 1)
        widths = (rnn.proj_size or rnn.hidden_size, rnn.hidden_size)
        h_0, c_0 = (torch.randn(count, batch, w, generator=make, dtype=dtype) * given for w in widths)
        self.lengths = [max(1, steps - 2), steps, max(1, steps // 2)] if form == "packed" else None
        self.arrays = [v.double().numpy() for v in (x, h_0, c_0)]
        one = form == "unbatched"
        states = [v.squeeze(1) if one else v for v in (h_0, c_0)]
        self.hx: Any = None
        if given:
            self.hx = tuple(states) if rnn.mode == "LSTM" else states[0]
        laid = x.squeeze(1) if one else x.transpose(0, 1).contiguous() if rnn.batch_first else x
        self.x: Any = laid
        if self.lengths:
            self.x = pack_padded_sequence(laid, self.lengths, rnn.batch_first, enforce_sorted=False)

    def expected(self) -> dict[str, Array]:
        return signals(self.rnn, *self.arrays, self.lengths)
