"""torch's recurrent layers in numbers of any precision, as an oracle: the documented lines and nothing else.

Gradients come from the difference of two runs, one with a state moved by so little that at hundreds of digits the
quotient is the derivative: no formula of a derivative stands here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
from torch import nn

Vector = list[Any]


class Oracle:
    """A layer, run at `digits` digits on ``x`` ``(L, H_in)``; the loss is the sum of its output at the last step."""

    def __init__(self, rnn: nn.RNNBase, x: np.ndarray, digits: int = 300) -> None:
        mp.mp.dps = digits
        self.rnn, self.x = rnn, [[mp.mpf(float(v)) for v in row] for row in x]
        self.weights = {name: self._exact(p.detach().double().numpy()) for name, p in rnn.named_parameters()}
        self.small = mp.mpf(10) ** (-digits // 2)
        self.loss = self._loss("", 0, 0)

    def _exact(self, array: np.ndarray) -> Any:
        if array.ndim == 1:
            return [mp.mpf(float(v)) for v in array]
        return [[mp.mpf(float(v)) for v in row] for row in array]

    def gradient(self, signal: str, step: int, unit: int) -> Any:
        """dL/d(a state, after the step that made it), ``signal`` as in a trace: ``l0.h``."""
        return (self._loss(signal, step, unit) - self.loss) / self.small

    def gradients(self, signal: str, width: int) -> np.ndarray:
        """All of them ``(L, width)``, as doubles."""
        steps = range(len(self.x))
        return np.array([[float(self.gradient(signal, t, k)) for k in range(width)] for t in steps])

    def _loss(self, signal: str, step: int, unit: int) -> Any:
        def moved(name: str, t: int, values: Vector) -> Vector:
            if name != signal or t != step:
                return values
            return [v + self.small if k == unit else v for k, v in enumerate(values)]

        given = self.x
        for layer in range(self.rnn.num_layers):
            ways = [self._run(layer, reverse, given, moved) for reverse in ((0, 1) if self.rnn.bidirectional else (0,))]
            given = [[v for way in ways for v in way[t]] for t in range(len(given))]
        return mp.fsum(given[-1])

    def _run(self, layer: int, reverse: int, given: list[Vector], moved: Callable[..., Vector]) -> list[Vector]:
        end = f"l{layer}{'_reverse' if reverse else ''}"
        size = self.rnn.hidden_size
        h: Vector = [mp.mpf(0)] * (self.rnn.proj_size or size)
        c: Vector = [mp.mpf(0)] * size
        out: list[Vector] = [h] * len(given)
        for t in reversed(range(len(given))) if reverse else range(len(given)):
            h, c = self._step(end, given[t], h, c, lambda name, v, t=t: moved(f"{end}.{name}", t, v))
            out[t] = h
        return out

    def _step(self, end: str, x: Vector, h: Vector, c: Vector, at: Callable[..., Vector]) -> tuple[Vector, Vector]:
        ih = self._linear(f"weight_ih_{end}", f"bias_ih_{end}", x)
        hh = self._linear(f"weight_hh_{end}", f"bias_hh_{end}", h)
        size, mode = self.rnn.hidden_size, self.rnn.mode
        block = lambda a, k: a[k * size : (k + 1) * size]  # noqa: E731
        summed = [a + b for a, b in zip(ih, hh, strict=True)]
        if mode == "LSTM":
            i, f, o = ([sigmoid(v) for v in block(summed, k)] for k in (0, 1, 3))
            g = [mp.tanh(v) for v in block(summed, 2)]
            c = at("c", [f[k] * c[k] + i[k] * g[k] for k in range(size)])
            m = [o[k] * mp.tanh(c[k]) for k in range(size)]
            projection = self.weights.get(f"weight_hr_{end}")
            return at("h", m if projection is None else [dot(row, m) for row in projection]), c
        if mode == "GRU":
            r, z = ([sigmoid(v) for v in block(summed, k)] for k in (0, 1))
            n = [mp.tanh(block(ih, 2)[k] + r[k] * block(hh, 2)[k]) for k in range(size)]
            return at("h", [(1 - z[k]) * n[k] + z[k] * h[k] for k in range(size)]), c
        squash = mp.tanh if mode == "RNN_TANH" else lambda v: max(v, mp.mpf(0))
        return at("h", [squash(v) for v in summed]), c

    def _linear(self, weight: str, bias: str, value: Vector) -> Vector:
        b = self.weights.get(bias, [mp.mpf(0)] * len(self.weights[weight]))
        return [dot(row, value) + add for row, add in zip(self.weights[weight], b, strict=True)]


def sigmoid(a: Any) -> Any:
    return 1 / (1 + mp.exp(-a))


def dot(a: Vector, b: Vector) -> Any:
    return mp.fsum(u * v for u, v in zip(a, b, strict=True))
