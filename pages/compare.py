"""The same input through a feed-forward net, an RNN, a GRU and an LSTM."""

from seqviz.ui.compare_page import comparison
from seqviz.ui.scenes import desk
from seqviz.ui.shell import follow, through_app

through_app()
follow(desk(), "compare")
comparison()
