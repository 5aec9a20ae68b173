"""The controls beside the picture, one module a panel."""

from __future__ import annotations

from collections.abc import Callable

from seqviz.language import later
from seqviz.ui.bench import Bench
from seqviz.ui.panels.network import network_panel
from seqviz.ui.panels.save import save_panel
from seqviz.ui.panels.sequence import sequence_panel
from seqviz.ui.panels.weights import weights_panel
from seqviz.ui.panels.whatif import whatif_panel

__all__ = ["PANELS"]

PANELS: dict[str, Callable[[Bench], None]] = {
    later("Sequence"): sequence_panel,
    later("Network"): network_panel,
    later("Weights"): weights_panel,
    later("What if"): whatif_panel,
    later("Save"): save_panel,
}
