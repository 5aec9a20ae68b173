"""The LSTM with peepholes: its gates look at the cell state, which the output gate may have shut away from h.

Gers and Schmidhuber 2000, https://doi.org/10.1109/IJCNN.2000.861302; the lines are those of Gers, Schraudolph and
Schmidhuber 2002, https://jmlr.org/papers/v3/gers02a.html: input and forget gate see the cell state of the step before,
the output gate that of this step, each unit its own, by one weight.
"""

from __future__ import annotations

from seqviz.cells.cell import parse
from seqviz.cells.lstm import LABELS
from seqviz.language import later

__all__ = ["PEEPHOLE"]

PEEPHOLE = parse(
    """\
i = sigmoid(W_ii x + b_ii + W_hi h_prev + b_hi + p_i * c_prev)
f = sigmoid(W_if x + b_if + W_hf h_prev + b_hf + p_f * c_prev)
g = tanh(W_ig x + b_ig + W_hg h_prev + b_hg)
c = f * c_prev + i * g
o = sigmoid(W_io x + b_io + W_ho h_prev + b_ho + p_o * c)
h = o * tanh(c)""",
    "PEEPHOLE",
    label=later("LSTM with peepholes"),
    family=later("Peephole"),
    blocks="ifgo",
    told="figcoh",
    labels=LABELS,
    says=later(
        "Forget, write, show, with eyes on the cell: the gates f and i also read the last cell state c, and the gate o "
        "the new one, each unit its own, so that a gate knows what is kept even where h does not show it."
    ),
)

CELLS = (PEEPHOLE,)
