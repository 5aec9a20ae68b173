"""Inside the cell: every number of one step and one unit."""

from seqviz.language import tr
from seqviz.ui.bench import Bench
from seqviz.ui.cell_page import inside
from seqviz.ui.gates_page import examples
from seqviz.ui.shell import follow, through_app

through_app()
bench = Bench.here()
follow(bench, "cell")
examples(bench, tr("Inside the cell"))
inside()
