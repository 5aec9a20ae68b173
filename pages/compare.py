"""The same input through a feed-forward net, an RNN, a GRU and an LSTM."""

from seqviz.ui.compare_page import comparison
from seqviz.ui.shell import through_app

through_app()
comparison()
