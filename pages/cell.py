"""Inside the cell: every number of one step and one unit."""

from seqviz.ui.bench import Bench
from seqviz.ui.cell_page import inside
from seqviz.ui.shell import follow, through_app

through_app()
follow(Bench.here(), "cell")
inside()
