"""The gates page: what goes in, what happens at every step, why, and what if."""

from seqviz.ui.bench import Bench
from seqviz.ui.gates_page import workbench
from seqviz.ui.shell import follow, through_app

through_app()
follow(Bench.here(), "gates")
workbench()
