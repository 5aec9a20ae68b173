"""The plain recurrent network as torch documents it, https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html.

Elman 1990, https://doi.org/10.1207/s15516709cog1402_1.

Beneath the lines are the same by hand, faster: the check against torch, the gradient's way back, the Jacobians.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from seqviz.cells import slopes as at
from seqviz.cells.cell import Cell, parse
from seqviz.cells.label import HIDDEN, Label
from seqviz.cells.ran import Pulled, Ran
from seqviz.cells.roads import Back, Roads
from seqviz.language import later

__all__ = ["RNN_RELU", "RNN_TANH"]

Array = np.ndarray[Any, np.dtype[Any]]
Slope = Callable[[Ran], Array]


def _tanh(ran: Ran) -> Array:
    """dh_t/d(h_pre) ``(L, N, H)``."""
    return at.gained(at.tanh_slope(ran, "h"), ran, "h")


def _relu(ran: Ran) -> Array:
    """The same of ReLU; NaN past an overflow, which a comparison alone would take for a dead unit."""
    h = at.pre_activation(ran, "h") if at.edited(ran, "h") else ran.signals["h"]
    return at.gained(np.where(np.isfinite(h), h > 0, np.nan).astype(h.dtype), ran, "h")


def _roads(slope: Slope, squash: Callable[[Array], Any], squashed: Callable[[Ran], list[Array]]) -> Roads:
    """The fast roads with one squashing: its slope, itself in place, and its slopes that may be rounded to 0."""

    def rebuild(work: Any) -> tuple[dict[str, Array], float]:
        w, layer = work.layer.weights, work.layer
        blocks = work.blocks(w.weight_hh.shape[1])
        multiply = work.joined(w.weight_ih, w.weight_hh, work.total(w.bias_ih, w.bias_hh), blocks)
        for t, _, x, before in blocks:
            h = multiply(x, before).numpy().reshape(layer.h[t].shape)
            squash(h)
            work.compare(h, t)
        return {}, work.parity

    def pull(ran: Ran, e: Mapping[str, Array]) -> Pulled:
        (to_pre,) = at.reached(at.made_once(lambda one: [slope(one)], ran), e["h"])
        to_hh = at.blocks_gained(to_pre, ran, "pre", "hh")
        dh, hh = e["h"].copy(), np.empty(to_pre.shape, to_pre.dtype)
        carried = np.zeros_like(dh[0])
        for mask, (dh_t, hh_t, to_hh_t) in at.steps_back(ran, dh, hh, to_hh):
            dh_t += carried
            if mask is not None:
                dh_t *= mask
            np.multiply(dh_t, to_hh_t, out=hh_t)
            carried = np.dot(hh_t, ran.w_hh)
        pre = hh if to_hh is to_pre else dh * to_pre
        ih = at.blocks_gained(pre, ran, "pre", "ih")
        first = {"h": at.at_the_start(ran, hh) @ ran.w_hh}
        return Pulled({"h": dh, "h_pre": pre}, at.through(ih, ran.w_ih), first, at.packed_factors(ran, ih, hh))

    def jacobians(ran: Ran) -> Array:
        return at.blocks_gained(slope(ran), ran, "pre", "hh")[:, 0, :, None] * ran.w_hh

    def back(ran: Ran, rows: int) -> Back:
        to_hh, w = at.blocks_gained(slope(ran), ran, "pre", "hh")[:, 0], ran.w_hh
        return lambda t, p_h, p_c, to_h, to_c: np.dot(p_h * to_hh[t], w, out=to_h)

    return Roads(rebuild, pull, jacobians, back, squashed)


def _counter(a: dict[str, Array]) -> None:
    for part in ("weight_ih_l0", "weight_hh_l0", "readout.weight"):
        a[part][0, 0] = 1.0


def _leaky(a: dict[str, Array]) -> None:
    # A 1 puts 0.1 in. tanh bends the state a little at every step; ReLU not at all, but holds no negative sum.
    a["weight_hh_l0"][0, 0] = 0.9
    a["weight_ih_l0"][0, 0] = 0.1
    a["readout.weight"][0, 0] = 10.0


def _brackets(a: dict[str, Array]) -> None:
    # ReLU stops at 0: a ")" with nothing open changes nothing.
    a["weight_ih_l0"][0, 2:] = 1.0, -1.0
    a["weight_hh_l0"][0, 0] = 1.0
    a["readout.weight"][0, 0] = 1.0


def _plain(name: str, squash: str, **more: Any) -> Cell:
    """The plain network with a squashing."""
    return parse(
        f"h = {squash}(W_ih x + b_ih + W_hh h_prev + b_hh)", f"RNN_{squash.upper()}", label=name, blocks="h", told="h",
        family="RNN", torchs=f"rnn_{squash}", **more,
    )  # fmt: skip


RNN_TANH = _plain(
    "RNN (tanh)",
    "tanh",
    labels={"h": HIDDEN},
    says=later("One sum, squashed by tanh: everything the network remembers has to pass through it."),
    by_hand={"leaky": _leaky},
    roads=_roads(_tanh, lambda h: np.tanh(h, out=h), lambda ran: [at.tanh_slope(ran, "h")]),
)
RNN_RELU = _plain(
    "RNN (ReLU)",
    "relu",
    labels={"h": Label(later("hidden state"), "h", "0", later("large"))},
    says=later("One sum, cut off below 0: everything the network remembers has to pass through it."),
    by_hand={"counter": _counter, "leaky": _leaky, "brackets": _brackets},
    roads=_roads(_relu, lambda h: np.maximum(h, 0, out=h), lambda ran: []),
)

CELLS = (RNN_TANH, RNN_RELU)
