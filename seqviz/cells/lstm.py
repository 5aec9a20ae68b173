"""The LSTM as torch documents it, https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html.

Hochreiter and Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735; the forget gate is of Gers, Schmidhuber
and Cummins 2000, https://doi.org/10.1162/089976600300015015.
"""

from seqviz.cells.cell import parse
from seqviz.cells.label import HIDDEN, Label
from seqviz.language import later

__all__ = ["LSTM"]

LSTM = parse(
    """\
i = sigmoid(W_ii x + b_ii + W_hi h_prev + b_hi)
f = sigmoid(W_if x + b_if + W_hf h_prev + b_hf)
g = tanh(W_ig x + b_ig + W_hg h_prev + b_hg)
o = sigmoid(W_io x + b_io + W_ho h_prev + b_ho)
c = f * c_prev + i * g
h = o * tanh(c)""",
    "LSTM",
    blocks="ifgo",
    told="figcoh",
    labels={
        "f": Label(later("forget gate"), "f", later("drops the old cell state"), later("keeps the old cell state")),
        "i": Label(later("input gate"), "i", later("lets nothing in"), later("lets the candidate in")),
        "g": Label(later("candidate"), "g", later("would write −1"), later("would write +1")),
        "c": Label(later("cell state"), "c", later("negative"), later("positive")),
        "o": Label(later("output gate"), "o", later("hides the cell state"), later("shows the cell state")),
        "h": HIDDEN,
    },
)
