"""The LSTM as torch documents it, https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html.

Hochreiter and Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735; the forget gate is of Gers, Schmidhuber
and Cummins 2000, https://doi.org/10.1162/089976600300015015.

Beneath the lines are the same by hand, faster: the rebuild of every gate, the gradient's way back, the Jacobians.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from seqviz.cells import slopes as at
from seqviz.cells.by_hand import OPEN, SHUT, setter
from seqviz.cells.cell import parse
from seqviz.cells.label import HIDDEN, Label
from seqviz.cells.operations import sech2
from seqviz.cells.ran import Pulled, Ran
from seqviz.cells.roads import Back, Roads
from seqviz.cells.scan import scan
from seqviz.language import later

__all__ = ["LSTM"]

Array = np.ndarray[Any, np.dtype[Any]]

LINES = """\
i = sigmoid(W_ii x + b_ii + W_hi h_prev + b_hi)
f = sigmoid(W_if x + b_if + W_hf h_prev + b_hf)
g = tanh(W_ig x + b_ig + W_hg h_prev + b_hg)
o = sigmoid(W_io x + b_io + W_ho h_prev + b_ho)
c = f * c_prev + i * g
h = o * tanh(c)"""

LABELS = {
    "f": Label(later("forget gate"), "f", later("drops the old cell state"), later("keeps the old cell state")),
    "i": Label(later("input gate"), "i", later("lets nothing in"), later("lets the candidate in")),
    "g": Label(later("candidate"), "g", later("would write −1"), later("would write +1")),
    "c": Label(later("cell state"), "c", later("negative"), later("positive")),
    "o": Label(later("output gate"), "o", later("hides the cell state"), later("shows the cell state")),
    "h": HIDDEN,
}


def rebuild(work: Any) -> tuple[dict[str, Array], float]:
    """Every gate from one product over a block of steps, if torch's are not known, and c by a scan."""
    layer, w = work.layer, work.layer.weights
    steps, batch, _ = layer.x.shape
    size, kind = w.weight_hh.shape[0] // 4, layer.x.dtype
    blocks, gates, c = work.blocks(4 * size), layer.gates, np.empty((steps, batch, size), kind)
    spans = blocks.spans()
    if gates is None:
        gates = np.empty((4, steps, batch, size), kind)
        spans = _squashed(work, blocks, gates)
    i, f, g, o = gates
    last, spare = layer.initial["c"], work.spare()
    for t in spans:
        np.multiply(i[t], g[t], out=c[t])
        if layer.valid is not None:
            gone = ~layer.valid[t, :, None]
            np.copyto(f[t], 1, where=gone)
            np.copyto(c[t], 0, where=gone)
        last = scan(f[t], c[t], last)
        h = np.tanh(c[t], out=spare.like(c[t]))
        h *= o[t]
        if w.weight_hr is not None:
            h = work.linear(work.tensor(h), w.weight_hr).numpy()
        work.compare(h, t)
    return {"i": i, "f": f, "g": g, "o": o, "c": c}, work.parity


def _squashed(work: Any, blocks: Any, gates: Array) -> Iterator[slice]:
    """Fill in the gates ``(4, L, N, H)``, a block of steps after the other."""
    w, (_, steps, batch, size) = work.layer.weights, gates.shape
    flat, g = work.tensor(gates).view(4, steps * batch, size), gates[2]
    multiply = work.joined(w.weight_ih, w.weight_hh, work.total(w.bias_ih, w.bias_hh), blocks)
    for t, rows, x, before in blocks:
        z = multiply(x, before).view(-1, 4, size).transpose(0, 1)
        if work.few(len(x) * size):
            work.sigmoid(z, out=flat[:, rows])
        else:
            work.sigmoid(z[:2], out=flat[:2, rows])
            work.sigmoid(z[3], out=flat[3, rows])
        np.tanh(z[2].numpy().reshape(g[t].shape), out=g[t])
        yield t


class Slopes(NamedTuple):
    """Of every step; m is h, or with a projection what is projected.

    ``pre`` ``(L, N, 4, H)`` is dc_t/d(pre-activation) of i, f and g, and dm_t/d(o_pre), in torch's row order; ``show``
    ``(L, N, H)`` is dm_t/dc_t, ``keep`` dc_t/dc_{t-1}.
    """

    pre: Array
    show: Array
    keep: Array


def slopes(ran: Ran) -> Slopes:
    """See :class:`Slopes`."""
    i, f, g, o, c = (ran.signals[name] for name in "ifgoc")
    m = "h" if ran.w_hr is None else "h_pre"
    pre = np.empty((*c.shape[:2], 4, c.shape[2]), c.dtype)  # filled block by block: memory asked for anew is slow
    pre[:, :, 0] = at.gained(g * at.gate_slope(ran, "i"), ran, "i", "c")
    pre[:, :, 1] = at.gained(ran.before["c"] * at.gate_slope(ran, "f"), ran, "f", "c")
    pre[:, :, 2] = at.gained(i * at.tanh_slope(ran, "g"), ran, "g", "c")
    pre[:, :, 3] = at.gained(np.tanh(c) * at.gate_slope(ran, "o"), ran, "o", m)
    return Slopes(pre, at.gained(o * sech2(c), ran, m), at.gained(f, ran, "c"))


def pull(ran: Ran, e: Mapping[str, Array]) -> Pulled:
    """Carry what reaches h ``(L, N, P or H)``, and c ``(L, N, H)``, back through the steps."""
    e_h, e_c = e["h"], e.get("c")
    slope, show, keep = at.reached(at.made_once(slopes, ran), e_h, e_c)
    to_hh = at.blocks_gained(slope, ran, "pre", "hh")
    steps, batch = e_h.shape[:2]
    dh, dc = e_h.copy(), np.zeros_like(show) if e_c is None else e_c.copy()
    gain = np.ones((steps, 1, 1), e_h.dtype) if ran.w_hr is None else at.gained(np.ones_like(e_h), ran, "h")
    m_all = dh if ran.w_hr is None else np.empty_like(show)
    dz = np.empty(slope.shape, slope.dtype)
    from_h, from_c, w_hh = np.zeros_like(e_h[0]), np.zeros_like(show[0]), ran.w_hh
    # Views of dz and dc in the shapes that a step needs, made once: a step of a few units is short.
    hh, by_c, by_m = dz.reshape(steps, batch, -1), dz[:, :, :3], dz[:, :, 3]
    rows = at.steps_back(ran, dh, dc, dc[:, :, None], m_all, dz, hh, by_c, by_m, to_hh, show, keep, gain)
    for mask, (dh_t, dc_t, dc_each, dm, dz_t, hh_t, by_c_t, by_m_t, to_hh_t, show_t, keep_t, gain_t) in rows:
        dh_t += from_h
        if mask is not None:
            dh_t *= mask
        if ran.w_hr is not None:
            dm[:] = (dh_t * gain_t) @ ran.w_hr
        dc_t += dm * show_t
        dc_t += from_c
        if mask is not None:
            dc_t *= mask
        by_c_t[:] = dc_each
        by_m_t[:] = dm
        dz_t *= to_hh_t
        from_h = np.dot(hh_t, w_hh)
        np.multiply(dc_t, keep_t, out=from_c)
    pre = hh if to_hh is slope else (np.stack([dc, dc, dc, m_all], axis=2) * slope).reshape(hh.shape)
    ih = at.blocks_gained(pre, ran, "pre", "ih")
    first = {"h": at.at_the_start(ran, hh) @ ran.w_hh, "c": at.at_the_start(ran, dc) * at.at_the_start(ran, keep)}
    factors = at.packed_factors(ran, ih, hh, None if ran.w_hr is None else (dh * gain, _unprojected(ran)))
    return Pulled({"c": dc, "h": dh} | at.split_blocks(ran, pre), at.through(ih, ran.w_ih), first, factors)


def _unprojected(ran: Ran) -> Array:
    """What the projection projects, as it was after its edits."""
    known = ran.signals.get("h_pre")
    return ran.signals["o"] * np.tanh(ran.signals["c"]) if known is None else known


def jacobians(ran: Ran) -> Array:
    """``d (h, c)_t / d (h, c)_{t-1}``, ``(L, 2H, 2H)``."""
    s = slopes(ran)
    to_hh = at.blocks_gained(s.pre, ran, "pre", "hh")[:, 0]
    *into_c, out = (to_hh[:, k, :, None] * block for k, block in enumerate(np.split(ran.w_hh, 4)))
    show, keep, c_h = s.show[:, 0], s.keep[:, 0], np.add.reduce(into_c)
    steps, size = keep.shape
    found = np.zeros((steps, 2 * size, 2 * size))
    found[:, :size, :size] = out + show[:, :, None] * c_h
    found[:, size:, :size] = c_h
    diagonal = np.arange(size)
    found[:, diagonal, size + diagonal] = show * keep
    found[:, size + diagonal, size + diagonal] = keep
    return found


def back(ran: Ran, rows: int) -> Back:
    """``P J_t`` for `rows` rows of P, with no Jacobian formed."""
    s, size = slopes(ran), ran.w_hh.shape[1]
    keep, show, w = s.keep[:, 0], s.show[:, 0], ran.w_hh
    to_hh = at.blocks_gained(s.pre, ran, "pre", "hh")[:, 0]
    through_c, to_o, w_o = at.Through(to_hh[:, :3], w[: 3 * size]), to_hh[:, 3], w[3 * size :]
    on_c, on_o, by_o = (np.empty((rows, size)) for _ in range(3))

    def step(t: int, p_h: Array, p_c: Array, to_h: Array, to_c: Array) -> None:
        # What leaves h through tanh(c) joins what is already on c.
        np.multiply(p_h, show[t], out=on_c)
        np.add(on_c, p_c, out=on_c)
        np.multiply(p_h, to_o[t], out=on_o)
        np.dot(on_c, through_c[t], out=to_h)
        np.dot(on_o, w_o, out=by_o)
        np.add(to_h, by_o, out=to_h)
        np.multiply(on_c, keep[t], out=to_c)

    return step


def squashed(ran: Ran) -> list[Array]:
    """The slope of every squashing."""
    return [at.tanh_slope(ran, "g"), *(at.gate_slope(ran, gate) for gate in "ifo"), sech2(ran.signals["c"])]


_BLOCKS = "ifgo"


def _latch(a: dict[str, Array]) -> None:
    # Unit 0 is the memory, unit 1 is set by the first step and then keeps the memory's gates shut.
    set_ = setter(a, _BLOCKS)
    set_("f", 0, bias=OPEN)
    set_("i", 0, bias=OPEN, h1=-80.0)
    set_("g", 0, bias=-4.0, x0=8.0)
    set_("o", 0, bias=OPEN)
    set_("f", 1, bias=OPEN)
    set_("i", 1, bias=OPEN, h1=-80.0)
    set_("g", 1, bias=4.0)
    set_("o", 1, bias=OPEN)
    a["readout.weight"][0, 0] = 0.66
    a["readout.bias"][0] = 0.5


def _counter(a: dict[str, Array]) -> None:
    # c grows by 0.01 at every 1; h = tanh(c) is nearly c while it is small: 100 h rounds to the count up to 24.
    set_ = setter(a, _BLOCKS)
    set_("f", 0, bias=OPEN)
    set_("i", 0, bias=SHUT, x0=40.0)
    set_("g", 0, bias=0.01)
    set_("o", 0, bias=OPEN)
    a["readout.weight"][0, 0] = 100.0


def _leaky(a: dict[str, Array]) -> None:
    # f = 0.9: what is in the cell falls by a tenth a step; a 1 puts 0.1 in, and the readout shows it as 1.
    set_ = setter(a, _BLOCKS)
    set_("f", 0, bias=float(np.log(9.0)))
    set_("i", 0, bias=OPEN)
    set_("g", 0, x0=0.1)
    set_("o", 0, bias=OPEN)
    a["readout.weight"][0, 0] = 10.0


def _toggle(a: dict[str, Array]) -> None:
    # h is about +0.76 or -0.76. A 1 shuts the forget gate and writes the opposite sign; a 0 keeps.
    set_ = setter(a, _BLOCKS)
    set_("f", 0, bias=OPEN, x0=-40.0)
    set_("i", 0, bias=SHUT, x0=40.0)
    set_("g", 0, bias=4.0, h0=-14.0)
    set_("o", 0, bias=OPEN)
    a["readout.weight"][0, 0] = 20.0
    a["readout.bias"][0] = -10.0


def _brackets(a: dict[str, Array]) -> None:
    # "(" writes +0.01 into the cell, ")" writes -0.01, letters shut the input gate; right from −24 to 24.
    set_ = setter(a, _BLOCKS)
    set_("f", 0, bias=OPEN)
    set_("i", 0, bias=SHUT, x2=40.0, x3=40.0)
    set_("g", 0, x2=0.01, x3=-0.01)
    set_("o", 0, bias=OPEN)
    a["readout.weight"][0, 0] = 100.0


LSTM = parse(
    LINES,
    "LSTM",
    blocks=_BLOCKS,
    told="figcoh",
    labels=LABELS,
    torchs="lstm",
    says=later(
        "Forget, write, show: the cell state c, the upper line, is multiplied by f, and i × g is added; "
        "the hidden state h, the lower line, is o × tanh(c)."
    ),
    by_hand={"latch": _latch, "counter": _counter, "leaky": _leaky, "toggle": _toggle, "brackets": _brackets},
    roads=Roads(rebuild, pull, jacobians, back, squashed),
)

CELLS = (LSTM,)
