"""Watch it learn: training in front of the class."""

from seqviz.ui.bench import Bench
from seqviz.ui.shell import follow, through_app
from seqviz.ui.training_page import classroom

through_app()
follow(Bench.here(), "training")
classroom()
