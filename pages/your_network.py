"""Your network: a file of a trained network, data, and its gates."""

from seqviz.ui.shell import through_app
from seqviz.ui.your_network_page import your_network

through_app()
your_network()
