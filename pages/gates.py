"""The gates page: what goes in, what happens at every step, why, and what if."""

from seqviz.language import tr
from seqviz.ui.bench import Bench
from seqviz.ui.gates_page import examples, workbench
from seqviz.ui.shell import follow, through_app

through_app()
bench = Bench.here()
follow(bench, "gates")
examples(bench, tr("Inside the gates"))
workbench()
