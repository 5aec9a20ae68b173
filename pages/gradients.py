"""The gradient laboratory: what becomes of the learning signal on its way back through time."""

from seqviz.ui.gradients_page import laboratory
from seqviz.ui.scenes import lab
from seqviz.ui.shell import follow, through_app

through_app()
follow(lab(), "gradients")
laboratory()
