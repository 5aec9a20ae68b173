"""The GRU as it was first written: the reset gate multiplies the old state before the matrix does.

Cho et al. 2014, https://arxiv.org/abs/1406.1078; Keras has it as ``GRU(reset_after=False)``, ONNX as
``linear_before_reset=0``. torch's own multiplies after the product.
"""

from seqviz.cells.cell import parse
from seqviz.cells.gru import LABELS
from seqviz.language import later

__all__ = ["GRU_RESET_BEFORE"]

GRU_RESET_BEFORE = parse(
    """\
r = sigmoid(W_ir x + b_ir + W_hr h_prev + b_hr)
z = sigmoid(W_iz x + b_iz + W_hz h_prev + b_hz)
n = tanh(W_in x + b_in + W_hn (r * h_prev) + b_hn)
h = (1 - z) * n + z * h_prev""",
    "GRU_RESET_BEFORE",
    label="GRU (reset before)",
    blocks="rzn",
    told="rznh",
    labels=LABELS,
    says=later(
        "Reset, propose, mix: r scales the old state before the candidate n reads it; the new state is z times the old "
        "one and 1 − z times the candidate."
    ),
)

CELLS = (GRU_RESET_BEFORE,)
