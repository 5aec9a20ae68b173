"""Inside the cell: the diagram of one step and one unit."""

from __future__ import annotations

from typing import Any

import streamlit as st

from seqviz import vocabulary as words
from seqviz import weights
from seqviz.experiment import Experiment
from seqviz.language import Words, tr
from seqviz.runner import run
from seqviz.sequences import labels
from seqviz.ui import scope
from seqviz.ui.bench import Bench
from seqviz.ui.controls import said
from seqviz.ui.gates_page import layer_choice
from seqviz.ui.pictures import title
from seqviz.ui.scope import pack

__all__ = ["inside"]

PARTS = {"w_ih": "weight_ih_l{}", "w_hh": "weight_hh_l{}", "b_ih": "bias_ih_l{}", "b_hh": "bias_hh_l{}"}

NOTES = Words(
    {
        words.LSTM: "Forget, write, update, show: the cell state c is the upper line, "
        "the hidden state h the lower one.",
        words.GRU: "torch applies the reset gate after the product: r multiplies W_hn h + b_hn, the bias included.",
        words.RNN_TANH: "One sum and one squashing: everything the network remembers has to pass through it.",
        words.RNN_RELU: "One sum and one squashing: everything the network remembers has to pass through it.",
    }
)


@st.fragment
def inside() -> None:
    """The page: what is on the gates page, one step and one unit at a time."""
    bench = Bench.here()
    if bench.stale:
        bench.stale = False
        st.rerun()
    st.markdown(f"**{title(bench.experiment)}**  \n{NOTES[bench.experiment.cell]}")
    said(bench)
    layer_choice(bench)
    scope.mount("cell", cell_message(bench.experiment, bench.layer, bench.address(), bench.view), bench.event)


def cell_message(experiment: Experiment, layer: int, address: str, view: tuple[int, int, int] | None) -> bytes:
    """Inputs, gates, states and weights of one layer for the diagram, which does the sums of one unit itself."""
    trace = run(experiment)
    below = "x" if layer == 0 else words.signal_name(layer - 1, "h")
    arrays = {"x": trace[below][:, 0]}
    for signal in words.SIGNALS[experiment.cell]:
        arrays[signal] = trace[words.signal_name(layer, signal)][:, 0]
    parameters = weights.materialise(experiment)
    arrays |= {name: parameters[torch_name.format(layer)] for name, torch_name in PARTS.items()}
    seq = experiment.sequence
    text = seq.kind == "text"
    status: str = tr("Dashed wires carry negative numbers; the wider a wire, the larger its number.")
    if experiment.interventions:
        changed = tr("This run has interventions: a value that was changed by hand does not follow from its sum.")
        status = f"{status} {changed}"
    header: dict[str, Any] = {
        "panel": "cell",
        "link": "cell",
        "id": f"{hash((experiment, layer)) & 0xFFFFFFFF:08x}",
        "cell": experiment.cell,
        "name": words.CELL_LABELS[experiment.cell],
        "steps": seq.length,
        "hidden": experiment.hidden_size,
        "inputs": arrays["x"].shape[1],
        "labels": labels(seq) if text else None,
        "names": list(seq.alphabet) if text and layer == 0 else None,
        "status": status,
        "address": address,
        "at": view,
    }
    return pack(header, arrays, exact=True)
