"""One step of each recurrent cell, written as torch documents it, with every intermediate value in reach.

Shapes in torch's letters: ``N`` batch, ``H_in`` input size, ``H`` hidden size, ``P`` projection size.
The lines are those of the documentation pages of
`nn.RNN <https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html>`_,
`nn.GRU <https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html>`_ and
`nn.LSTM <https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html>`_.

A signal ``f`` is made of ``f_ih`` (from the input, with ``b_ih``) and ``f_hh`` (from the last state, with
``b_hh``), summed into ``f_pre`` and squashed into ``f``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import linear

from seqviz.vocabulary import BLOCKS, GRU, LSTM, RNN_TANH, SIGNALS

__all__ = ["At", "Signals", "Weights", "gru_step", "lstm_step", "rnn_step", "signal_names"]

At = Callable[[str, Tensor], Tensor]
"""What happens at a signal: takes its name and value, returns the value to go on with."""


class Weights(NamedTuple):
    """The tensors of one layer and direction, named and packed as torch does.

    ``weight_ih`` is ``(blocks * H, H_in)``, ``weight_hh`` is ``(blocks * H, H or P)``, the biases are
    ``(blocks * H,)`` or ``None``, and ``weight_hr``, of an LSTM with ``proj_size``, is ``(P, H)``.
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor | None = None
    bias_hh: Tensor | None = None
    weight_hr: Tensor | None = None


class Signals(dict[str, Tensor]):
    """The values of one step by name. Calling it passes a value through ``at`` and remembers the result."""

    def __init__(self, at: At | None) -> None:
        super().__init__()
        self._at = at

    def __call__(self, name: str, value: Tensor) -> Tensor:
        self[name] = value = value if self._at is None else self._at(name, value)
        return value

    def parts(self, names: tuple[str, ...], x: Tensor, h: Tensor, w: Weights) -> list[Tensor]:
        """``[a_ih, a_hh, b_ih, b_hh, ...]`` for the blocks ``a, b, ...``, each ``(N, H)``."""
        ih = linear(x, w.weight_ih, w.bias_ih).chunk(len(names), -1)
        hh = linear(h, w.weight_hh, w.bias_hh).chunk(len(names), -1)
        pairs = zip(names, ih, hh, strict=True)
        return [self(f"{k}_{p}", v) for k, a, b in pairs for p, v in (("ih", a), ("hh", b))]


def rnn_step(x: Tensor, h: Tensor, w: Weights, at: At | None = None, *, mode: str = RNN_TANH) -> Signals:
    """``h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)``, or ``relu`` when ``mode`` is ``RNN_RELU``.

    Args:
        x: input at this step, ``(N, H_in)``.
        h: hidden state of the step before, ``(N, H)``.
        w: the weights of the layer.
        at: called at every signal; what it returns replaces the value.

    Returns:
        ``h_ih, h_hh, h_pre, h``, each ``(N, H)``.
    """
    s = Signals(at)
    squash = torch.tanh if mode == RNN_TANH else torch.relu
    h_ih, h_hh = s.parts(BLOCKS[mode], x, h, w)
    s("h", squash(s("h_pre", h_ih + h_hh)))
    return s


def gru_step(x: Tensor, h: Tensor, w: Weights, at: At | None = None) -> Signals:
    """One GRU step; arguments as :func:`rnn_step`. Returns ``r, z, n, h`` and their parts, each ``(N, H)``.

    The reset gate multiplies ``W_hn h_{t-1} + b_hn`` after the product, as torch does.
    """
    s = Signals(at)
    r_ih, r_hh, z_ih, z_hh, n_ih, n_hh = s.parts(BLOCKS[GRU], x, h, w)
    r = s("r", torch.sigmoid(s("r_pre", r_ih + r_hh)))
    z = s("z", torch.sigmoid(s("z_pre", z_ih + z_hh)))
    n = s("n", torch.tanh(s("n_pre", n_ih + r * n_hh)))
    s("h", (1 - z) * n + z * h)
    return s


def lstm_step(x: Tensor, h: Tensor, c: Tensor, w: Weights, at: At | None = None) -> Signals:
    """One LSTM step; arguments as :func:`rnn_step`, and ``c``, the cell state before, ``(N, H)``.

    Returns ``i, f, g, o, c, h`` and their parts, each ``(N, H)``. With a projection ``h`` is ``(N, P)`` and
    ``h_pre`` is ``o * tanh(c)`` before it, ``(N, H)``.
    """
    s = Signals(at)
    i_ih, i_hh, f_ih, f_hh, g_ih, g_hh, o_ih, o_hh = s.parts(BLOCKS[LSTM], x, h, w)
    i = s("i", torch.sigmoid(s("i_pre", i_ih + i_hh)))
    f = s("f", torch.sigmoid(s("f_pre", f_ih + f_hh)))
    g = s("g", torch.tanh(s("g_pre", g_ih + g_hh)))
    o = s("o", torch.sigmoid(s("o_pre", o_ih + o_hh)))
    c = s("c", f * c + i * g)
    h = o * torch.tanh(c)
    s("h", h if w.weight_hr is None else linear(s("h_pre", h), w.weight_hr))
    return s


@lru_cache
def signal_names(mode: str, *, detail: bool = False, projected: bool = False) -> tuple[str, ...]:
    """The signals of one layer in the order they are shown; with ``detail`` each after its parts."""
    names: list[str] = []
    for name in SIGNALS[mode]:
        if detail and name in BLOCKS[mode]:
            names += [f"{name}_ih", f"{name}_hh", f"{name}_pre"]
        elif detail and projected and name == "h":
            names.append("h_pre")
        names.append(name)
    return tuple(names)
