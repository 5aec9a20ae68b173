"""The GRU as torch documents it, https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html.

Cho et al. 2014, https://arxiv.org/abs/1406.1078; as in torch, the reset gate multiplies after the product.

Beneath the lines are the same by hand, faster: the rebuild of every gate, the gradient's way back, the Jacobians.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from seqviz.cells import slopes as at
from seqviz.cells.by_hand import OPEN, SHUT, setter
from seqviz.cells.cell import parse
from seqviz.cells.label import HIDDEN, Label
from seqviz.cells.ran import Pulled, Ran
from seqviz.cells.roads import Back, Roads
from seqviz.cells.scan import scan
from seqviz.language import later

__all__ = ["GRU"]

Array = np.ndarray[Any, np.dtype[Any]]

LINES = """\
r = sigmoid(W_ir x + b_ir + W_hr h_prev + b_hr)
z = sigmoid(W_iz x + b_iz + W_hz h_prev + b_hz)
n = tanh(W_in x + b_in + r * (W_hn h_prev + b_hn))
h = (1 - z) * n + z * h_prev"""

LABELS = {
    "r": Label(later("reset gate"), "r", later("ignores the old state"), later("uses the old state")),
    "z": Label(later("update gate"), "z", later("takes the candidate"), later("keeps the old state")),
    "n": Label(later("candidate"), "n", later("would write −1"), later("would write +1")),
    "h": HIDDEN,
}


def rebuild(work: Any) -> tuple[dict[str, Array], float]:
    """The gates from one product over a block of steps, the candidate from two; how far h is from torch's."""
    layer, w = work.layer, work.layer.weights
    steps, batch, _ = layer.x.shape
    size = w.weight_hh.shape[1]
    gates = np.empty((3, steps, batch, size), layer.x.dtype)
    r, z, n = gates
    flat = work.tensor(gates).view(3, steps * batch, size)
    blocks, two = work.blocks(4 * size), 2 * size
    b_ih, b_hh = (None if b is None else (b[:two], b[two:]) for b in (w.bias_ih, w.bias_hh))
    bias = work.total(b_ih and b_ih[0], b_hh and b_hh[0])
    of_gates = work.joined(w.weight_ih[:two], w.weight_hh[:two], bias, blocks)
    of_x = work.product(w.weight_ih[two:], b_ih and b_ih[1], blocks.rows)
    of_h = work.product(w.weight_hh[two:], b_hh and b_hh[1], blocks.rows)
    for t, rows, x, before in blocks:
        work.sigmoid(of_gates(x, before).view(-1, 2, size).transpose(0, 1), out=flat[:2, rows])
        h = of_h(work.readable(before)).numpy().reshape(n[t].shape)
        h *= r[t]
        h += of_x(work.readable(x)).numpy().reshape(h.shape)
        np.tanh(h, out=n[t])
        np.subtract(before.reshape(h.shape), n[t], out=h)
        h *= z[t]
        h += n[t]
        work.compare(h, t)
    return {"r": r, "z": z, "n": n}, work.parity


class Slopes(NamedTuple):
    """Of every step.

    ``gates`` ``(L, N, 3, H)`` is dh_t/d(r_pre), dh_t/d(z_pre) and dh_t/d(W_hn h + b_hn), in torch's row order; ``n``
    ``(L, N, H)`` is dh_t/d(n_pre), ``keep`` dh_t/dh_{t-1} past the gates.
    """

    gates: Array
    n: Array
    keep: Array


def slopes(ran: Ran) -> Slopes:
    """See :class:`Slopes`."""
    to_n = at.gained(at.complement(ran, "z") * at.tanh_slope(ran, "n"), ran, "n", "h")
    product = at.gained(to_n, ran, "n_pre")
    gates = np.empty((*to_n.shape[:2], 3, to_n.shape[2]), to_n.dtype)  # block by block: memory asked for anew is slow
    gates[:, :, 0] = at.gained(product * _n_hh(ran) * at.gate_slope(ran, "r"), ran, "r")
    gates[:, :, 1] = at.gained(_h_less_n(ran) * at.gate_slope(ran, "z"), ran, "z", "h")
    gates[:, :, 2] = product * ran.signals["r"]
    return Slopes(gates, to_n, at.gained(ran.signals["z"], ran, "h"))


def _to_products(ran: Ran, slope: Array) -> Array:
    """From the pre-activations ``(L, N, 3, H)`` on to the products with h; the third block is already at n_hh."""
    if ran.gains is None:
        return slope
    r, z, n_hh = (slope[:, :, k] for k in range(3))
    each = [at.gained(r, ran, "r_pre", "r_hh"), at.gained(z, ran, "z_pre", "z_hh"), at.gained(n_hh, ran, "n_hh")]
    return np.stack(each, axis=2)


def pull(ran: Ran, e: Mapping[str, Array]) -> Pulled:
    """Carry what reaches h ``(L, N, H)`` back through the steps."""
    e_h = e["h"]
    slope, to_n, keep = at.reached(at.made_once(slopes, ran), e_h)
    to_hh = _to_products(ran, slope)
    steps, batch, _ = e_h.shape
    dh, dhh = e_h.copy(), np.empty(slope.shape, slope.dtype)
    carried = np.zeros_like(e_h[0])
    for mask, (dh_t, dhh_t, to_hh_t, keep_t) in at.steps_back(ran, dh, dhh, to_hh, keep):
        dh_t += carried
        if mask is not None:
            dh_t *= mask
        np.multiply(to_hh_t, dh_t[:, None], out=dhh_t)
        carried = np.dot(dhh_t.reshape(batch, -1), ran.w_hh)
        carried += dh_t * keep_t
    hh = dhh.reshape(steps, batch, -1)
    pre = hh.copy() if to_hh is slope else (dh[:, :, None] * slope).reshape(hh.shape)
    pre[..., -dh.shape[2] :] = dh * to_n
    ih = at.blocks_gained(pre, ran, "pre", "ih")
    h_0 = at.at_the_start(ran, hh) @ ran.w_hh + at.at_the_start(ran, dh) * at.at_the_start(ran, keep)
    found = {"h": dh} | at.split_blocks(ran, pre)
    return Pulled(found, at.through(ih, ran.w_ih), {"h": h_0}, at.packed_factors(ran, ih, hh))


def jacobians(ran: Ran) -> Array:
    """``d h_t / d h_{t-1}``, ``(L, H, H)``."""
    s = slopes(ran)
    to_hh = _to_products(ran, s.gates)[:, 0]
    found: Array = np.add.reduce([to_hh[:, k, :, None] * block for k, block in enumerate(np.split(ran.w_hh, 3))])
    diagonal = np.arange(found.shape[1])
    found[:, diagonal, diagonal] += s.keep[:, 0]
    return found


def back(ran: Ran, rows: int) -> Back:
    """``P J_t`` for rows of P, with no Jacobian formed."""
    s = slopes(ran)
    keep = s.keep[:, 0]
    through = at.Through(_to_products(ran, s.gates)[:, 0], ran.w_hh)

    def step(t: int, p_h: Array, p_c: Array, to_h: Array, to_c: Array) -> None:
        np.dot(p_h, through[t], out=to_h)
        np.add(to_h, p_h * keep[t], out=to_h)

    return step


def squashed(ran: Ran) -> list[Array]:
    """The slope of every squashing."""
    return [at.tanh_slope(ran, "n"), at.gate_slope(ran, "r"), at.gate_slope(ran, "z")]


def _n_hh(ran: Ran) -> Array:
    """``W_hn h + b_hn`` ``(L, N, H)``."""
    known = ran.signals.get("n_hh")
    return at.product_of(ran, "n", "hh") if known is None else known


def _h_less_n(ran: Ran) -> Array:
    """``h_{t-1} - n_t`` ``(L, N, H)``, right where both have come close to the same 1.

    There it is carried along: ``h_t - n_{t+1} = z_t (h_{t-1} - n_t) + (n_t - n_{t+1})``, the last by the
    pre-activations.
    """
    n, z, before = ran.signals["n"], ran.signals["z"], ran.before["h"]
    plain = before - n
    if max(n.max(), -n.min()) <= at.NEAR or any(at.edited(ran, signal) for signal in ("h", "z", "n")):
        return plain
    close = (np.minimum(np.abs(n), np.abs(before)) > at.NEAR) & (n * before > 0)
    if not close.any():
        return plain
    a = at.pre_activation(ran, "n")
    carried, keep = plain.copy(), np.zeros_like(z)
    going_on = np.ones(z.shape[:2], dtype=bool) if ran.valid is None else ran.valid.copy()
    going_on[1:] &= going_on[:-1]
    going_on[0] = False
    carried[1:] = np.where(going_on[1:, :, None], _tanh_gap(a[:-1], a[1:]), plain[1:])
    keep[1:] = np.where(going_on[1:, :, None], z[:-1], 0)
    scan(keep, carried, np.zeros_like(z[0]))
    return np.where(close, carried, plain)


def _tanh_gap(a: Array, b: Array) -> Array:
    """``tanh(a) - tanh(b)``, right also where both are close to the same 1."""
    e, least = np.exp(-2 * np.abs(a)), np.minimum(np.abs(a), np.abs(b))
    gap = np.sign(a - b) * -np.expm1(-2 * np.abs(a - b)) * 2 * np.exp(-2 * least)
    return np.where(a * b > 0, gap / (1 + e) / (1 + np.exp(-2 * np.abs(b))), np.tanh(a) - np.tanh(b))


_BLOCKS = "rzn"


def _latch(a: dict[str, Array]) -> None:
    # The update gate keeps the old state; unit 1 opens it only at the first step.
    set_ = setter(a, _BLOCKS)
    for unit in (0, 1):
        set_("z", unit, bias=SHUT, h1=60.0)
        set_("r", unit, bias=OPEN)
    set_("n", 0, bias=-4.0, x0=8.0)
    set_("n", 1, bias=4.0)
    a["readout.weight"][0, 0] = 0.5
    a["readout.bias"][0] = 0.5


def _leaky(a: dict[str, Array]) -> None:
    # z = 0.9: the new state is 0.9 of the old one and 0.1 of the candidate, tanh(0.1 x): a 1 puts 0.01 in.
    set_ = setter(a, _BLOCKS)
    set_("z", 0, bias=float(np.log(9.0)))
    set_("r", 0, bias=OPEN)
    set_("n", 0, x0=0.1)
    a["readout.weight"][0, 0] = 100.0


def _toggle(a: dict[str, Array]) -> None:
    # h is about +1 or -1. A 1 takes the candidate, which has the opposite sign; a 0 keeps the state.
    set_ = setter(a, _BLOCKS)
    set_("z", 0, bias=OPEN, x0=-40.0)
    set_("r", 0, bias=OPEN)
    set_("n", 0, bias=4.0, h0=-14.0)
    a["readout.weight"][0, 0] = 20.0
    a["readout.bias"][0] = -10.0


GRU = parse(
    LINES,
    "GRU",
    blocks=_BLOCKS,
    told="rznh",
    labels=LABELS,
    torchs="gru",
    says=later(
        "Reset, propose, mix: r scales what the candidate n reads of the old state; the new state is z "
        "times the old one and 1 − z times the candidate."
    ),
    by_hand={"latch": _latch, "leaky": _leaky, "toggle": _toggle},
    roads=Roads(rebuild, pull, jacobians, back, squashed),
)

CELLS = (GRU,)
