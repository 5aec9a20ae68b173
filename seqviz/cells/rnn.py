"""The plain recurrent network as torch documents it, https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html.

Elman 1990, https://doi.org/10.1207/s15516709cog1402_1.
"""

from seqviz.cells.cell import parse
from seqviz.cells.label import HIDDEN, Label
from seqviz.language import later

__all__ = ["RNN_RELU", "RNN_TANH"]

RNN_TANH = parse(
    "h = tanh(W_ih x + b_ih + W_hh h_prev + b_hh)",
    "RNN_TANH",
    label="RNN (tanh)",
    blocks="h",
    told="h",
    labels={"h": HIDDEN},
)
RNN_RELU = parse(
    "h = relu(W_ih x + b_ih + W_hh h_prev + b_hh)",
    "RNN_RELU",
    label="RNN (ReLU)",
    blocks="h",
    told="h",
    labels={"h": Label(later("hidden state"), "h", "0", later("large"))},
)
