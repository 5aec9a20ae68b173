"""A GRU that reads its input alone, and the same with a keep factor that can turn the state around.

Feng et al. 2024, https://arxiv.org/abs/2410.01201, have the first as minGRU; with z in the place of their 1 − z, as
torch's GRU has it. What is kept and what is written do not depend on the state, so a step is linear in it. Grazzi et
al. 2024, https://arxiv.org/abs/2411.12537, show that keep factors between 0 and 1 can follow no parity, and that
those from −1 to 1 can.
"""

from __future__ import annotations

from seqviz.cells.cell import parse
from seqviz.cells.gru import LABELS as OF_GRU
from seqviz.cells.label import HIDDEN, Label
from seqviz.language import later

__all__ = ["MINGRU", "MINGRU_SIGNED"]

_LINES = """\
z = {function}(W_iz x + b_iz)
n = W_in x + b_in
h = (1 - z) * n + z * h_prev"""

_N = Label(later("candidate"), "n", later("would write negative"), later("would write positive"))

MINGRU = parse(
    _LINES.format(function="sigmoid"),
    "MINGRU",
    label="minGRU",
    blocks="zn",
    told="znh",
    labels={"z": OF_GRU["z"], "n": _N, "h": HIDDEN},
    says=later(
        "Propose and mix, by the input alone: neither the candidate n nor the gate z reads the old state; the new "
        "state is z times the old one and 1 − z times the candidate."
    ),
)

MINGRU_SIGNED = parse(
    _LINES.format(function="tanh"),
    "MINGRU_SIGNED",
    label=later("minGRU with a sign"),
    blocks="zn",
    told="znh",
    labels={
        "z": Label(later("keep factor"), "z", later("turns the old state around"), later("keeps the old state")),
        "n": _N,
        "h": HIDDEN,
    },
    says=later(
        "A minGRU whose keep factor z comes out of a tanh: it runs from −1 to 1, and at −1 the old state is turned "
        "around."
    ),
)

CELLS = ()
FURTHER = (MINGRU, MINGRU_SIGNED)
