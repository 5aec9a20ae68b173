"""The controls beside the picture, one module a panel."""

from __future__ import annotations

from collections.abc import Callable

from seqviz.ui.bench import Bench
from seqviz.ui.panels.network import network_panel
from seqviz.ui.panels.save import save_panel
from seqviz.ui.panels.sequence import sequence_panel
from seqviz.ui.panels.weights import weights_panel
from seqviz.ui.panels.whatif import whatif_panel

__all__ = ["PANELS"]

PANELS: dict[str, Callable[[Bench], None]] = {
    "Sequence": sequence_panel,
    "Network": network_panel,
    "Weights": weights_panel,
    "What if": whatif_panel,
    "Save": save_panel,
}
