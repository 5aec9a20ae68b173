"""The GRU as torch documents it, https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html.

Cho et al. 2014, https://arxiv.org/abs/1406.1078; as in torch, the reset gate multiplies after the product.
"""

from seqviz.cells.cell import parse
from seqviz.cells.label import HIDDEN, Label
from seqviz.language import later

__all__ = ["GRU"]

GRU = parse(
    """\
r = sigmoid(W_ir x + b_ir + W_hr h_prev + b_hr)
z = sigmoid(W_iz x + b_iz + W_hz h_prev + b_hz)
n = tanh(W_in x + b_in + r * (W_hn h_prev + b_hn))
h = (1 - z) * n + z * h_prev""",
    "GRU",
    blocks="rzn",
    told="rznh",
    labels={
        "r": Label(later("reset gate"), "r", later("ignores the old state"), later("uses the old state")),
        "z": Label(later("update gate"), "z", later("takes the candidate"), later("keeps the old state")),
        "n": Label(later("candidate"), "n", later("would write −1"), later("would write +1")),
        "h": HIDDEN,
    },
)
