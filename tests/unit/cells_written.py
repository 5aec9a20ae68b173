"""Cells as text, and each once more as a plain step that shares nothing with the text's readers."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from seqviz.cells import Cell, parse

sigmoid, tanh, relu, exp = torch.sigmoid, torch.tanh, torch.relu, torch.exp

TEXTS = {
    "GRU, reset before": """
        z = sigmoid(W_z x + b_z + U_z h_prev)
        r = sigmoid(W_r x + b_r + U_r h_prev)
        n = tanh(W_n x + b_n + U_n (r * h_prev))
        h = (1 - z) * n + z * h_prev""",
    "LSTM of 1997": """
        i = sigmoid(W_i x + R_i h_prev + b_i)
        g = tanh(W_g x + R_g h_prev + b_g)
        o = sigmoid(W_o x + R_o h_prev + b_o)
        c = c_prev + i * g
        h = o * tanh(c)""",
    "coupled gates": """
        z = tanh(W_z x + R_z h_prev + b_z)
        f = sigmoid(W_f x + R_f h_prev + p_f * c_prev + b_f)
        c = f * c_prev + (1 - f) * z
        o = sigmoid(W_o x + R_o h_prev + p_o * c + b_o)
        h = o * tanh(c)""",
    "MGU": """
        f = sigmoid(W_f x + U_f h_prev + b_f)
        n = tanh(W_n x + U_n (f * h_prev) + b_n)
        h = (1 - f) * h_prev + f * n""",
    "JANET": """
        beta = 1
        s = W_f x + U_f h_prev + b_f
        f = sigmoid(s)
        g = tanh(W_g x + U_g h_prev + b_g)
        c = f * c_prev + (1 - sigmoid(s - beta)) * g
        h = c""",
    "sLSTM": """
        z = tanh(W_z x + R_z h_prev + b_z)
        o = sigmoid(W_o x + R_o h_prev + b_o)
        a = W_i x + R_i h_prev + b_i
        l = logsigmoid(W_f x + R_f h_prev + b_f)
        m = max(l + m_prev, a)
        i = exp(a - m)
        f = exp(l + m_prev - m)
        c = f * c_prev + i * z
        n = f * n_prev + i
        h = o * c / n""",
    "minLSTM": """
        f = sigmoid(W_f x + b_f)
        i = sigmoid(W_i x + b_i)
        n = W_n x + b_n
        keep = f / (f + i)
        h = keep * h_prev + (1 - keep) * n""",
    "leaky echo state": """
        leak = 0.3
        n = tanh(W_in x + W_res h_prev + b_n)
        h = (1 - leak) * h_prev + leak * n
        fixed W_in, W_res, b_n""",
    "IndRNN": "h = relu(W_xh x + u_h * h_prev + b_h)",
    "reads the input before": """
        k = W_xk x
        h = tanh(W_xh x + W_kh k_prev + W_hh h_prev + b_h)""",
    "low rank": """
        k = V_k h_prev
        h = tanh(W_xh x + U_h k + b_h)
        size k = 2""",
    "odd ones": """
        a = sigmoid(W_xa x + W_ca c_prev + p_a * d_prev + b_a)
        d = a * d_prev + (1 - a) * tanh(W_xd x + W_dd c_prev)
        c = min(0.9 * c_prev + 0.1 * d, 2)
        h = W_ch (c * d) / (1 + abs(d)) + softplus(p_h * c_prev)^2 - sqrt(exp(-d)) + sin(d) * cos(c)
        start c = 0.5""",
}

WRITTEN: dict[str, Cell] = {name: parse(text, name) for name, text in TEXTS.items()}

P = dict[str, Tensor]
S = dict[str, Tensor]


def _gru(x: Tensor, s: S, p: P) -> S:
    h = s["h"]
    z = sigmoid(x @ p["W_z"].T + p["b_z"] + h @ p["U_z"].T)
    r = sigmoid(x @ p["W_r"].T + p["b_r"] + h @ p["U_r"].T)
    n = tanh(x @ p["W_n"].T + p["b_n"] + (r * h) @ p["U_n"].T)
    return {"z": z, "r": r, "n": n, "h": (1 - z) * n + z * h}


def _gate(x: Tensor, h: Tensor, p: P, name: str, more: Tensor | float = 0.0) -> Tensor:
    return x @ p[f"W_{name}"].T + h @ p[f"R_{name}"].T + more + p[f"b_{name}"]


def _lstm_1997(x: Tensor, s: S, p: P) -> S:
    i, o = sigmoid(_gate(x, s["h"], p, "i")), sigmoid(_gate(x, s["h"], p, "o"))
    g = tanh(_gate(x, s["h"], p, "g"))
    c = s["c"] + i * g
    return {"i": i, "g": g, "o": o, "c": c, "h": o * tanh(c)}


def _coupled(x: Tensor, s: S, p: P) -> S:
    z = tanh(_gate(x, s["h"], p, "z"))
    f = sigmoid(_gate(x, s["h"], p, "f", p["p_f"] * s["c"]))
    c = f * s["c"] + (1 - f) * z
    o = sigmoid(_gate(x, s["h"], p, "o", p["p_o"] * c))
    return {"z": z, "f": f, "c": c, "o": o, "h": o * tanh(c)}


def _mgu(x: Tensor, s: S, p: P) -> S:
    f = sigmoid(x @ p["W_f"].T + s["h"] @ p["U_f"].T + p["b_f"])
    n = tanh(x @ p["W_n"].T + (f * s["h"]) @ p["U_n"].T + p["b_n"])
    return {"f": f, "n": n, "h": (1 - f) * s["h"] + f * n}


def _janet(x: Tensor, s: S, p: P) -> S:
    a = x @ p["W_f"].T + s["h"] @ p["U_f"].T + p["b_f"]
    g = tanh(x @ p["W_g"].T + s["h"] @ p["U_g"].T + p["b_g"])
    c = sigmoid(a) * s["c"] + (1 - sigmoid(a - 1)) * g
    return {"s": a, "f": sigmoid(a), "g": g, "c": c, "h": c}


def _slstm(x: Tensor, s: S, p: P) -> S:
    """Without the stabiliser: the same h (Beck et al. 2024, appendix A.1, https://arxiv.org/abs/2405.04517)."""
    z, o = tanh(_gate(x, s["h"], p, "z")), sigmoid(_gate(x, s["h"], p, "o"))
    i, f = exp(_gate(x, s["h"], p, "i")), sigmoid(_gate(x, s["h"], p, "f"))
    scale = exp(s["m"])
    c, n = f * s["c"] * scale + i * z, f * s["n"] * scale + i
    m = torch.maximum(torch.log(f) + s["m"], _gate(x, s["h"], p, "i"))
    return {"z": z, "o": o, "m": m, "c": c / exp(m), "n": n / exp(m), "h": o * c / n}


def _min_lstm(x: Tensor, s: S, p: P) -> S:
    f, i = sigmoid(x @ p["W_f"].T + p["b_f"]), sigmoid(x @ p["W_i"].T + p["b_i"])
    n = x @ p["W_n"].T + p["b_n"]
    return {"f": f, "i": i, "n": n, "h": f / (f + i) * s["h"] + i / (f + i) * n}


def _echo(x: Tensor, s: S, p: P) -> S:
    n = tanh(x @ p["W_in"].T + s["h"] @ p["W_res"].T + p["b_n"])
    return {"n": n, "h": 0.7 * s["h"] + 0.3 * n}


def _ind(x: Tensor, s: S, p: P) -> S:
    return {"h": relu(x @ p["W_xh"].T + p["u_h"] * s["h"] + p["b_h"])}


def _input_before(x: Tensor, s: S, p: P) -> S:
    h = tanh(x @ p["W_xh"].T + s["k"] @ p["W_kh"].T + s["h"] @ p["W_hh"].T + p["b_h"])
    return {"k": x @ p["W_xk"].T, "h": h}


def _low_rank(x: Tensor, s: S, p: P) -> S:
    k = s["h"] @ p["V_k"].T
    return {"k": k, "h": tanh(x @ p["W_xh"].T + k @ p["U_h"].T + p["b_h"])}


def _odd(x: Tensor, s: S, p: P) -> S:
    a = sigmoid(x @ p["W_xa"].T + s["c"] @ p["W_ca"].T + p["p_a"] * s["d"] + p["b_a"])
    d = a * s["d"] + (1 - a) * tanh(x @ p["W_xd"].T + s["c"] @ p["W_dd"].T)
    c = torch.clamp(0.9 * s["c"] + 0.1 * d, max=2)
    h = (c * d) @ p["W_ch"].T / (1 + d.abs()) + torch.log1p(exp(p["p_h"] * s["c"])) ** 2
    return {"a": a, "d": d, "c": c, "h": h - exp(-d / 2) + torch.sin(d) * torch.cos(c)}


LOOPS: dict[str, Callable[[Tensor, S, P], S]] = {
    "GRU, reset before": _gru,
    "LSTM of 1997": _lstm_1997,
    "coupled gates": _coupled,
    "MGU": _mgu,
    "JANET": _janet,
    "sLSTM": _slstm,
    "minLSTM": _min_lstm,
    "leaky echo state": _echo,
    "IndRNN": _ind,
    "reads the input before": _input_before,
    "low rank": _low_rank,
    "odd ones": _odd,
}
