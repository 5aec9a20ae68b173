"""Inside the cell: the diagram of one step and one unit."""

from __future__ import annotations

import numpy as np
import streamlit as st

from seqviz import cells, weights
from seqviz import vocabulary as words
from seqviz.cells import signal_names
from seqviz.experiment import Experiment
from seqviz.language import sentences, tr
from seqviz.metrics import describe_overflow
from seqviz.runner import run
from seqviz.scope import pack
from seqviz.scope.headers import CellHeader
from seqviz.scope.hosts.streamlit import mount
from seqviz.sequences import steps_called
from seqviz.ui.bench import Bench
from seqviz.ui.controls import layer_choice, opened, said, unkept
from seqviz.ui.gallery import gallery
from seqviz.ui.pictures import rules, story, top
from seqviz.ui.rail import rail

__all__ = ["inside"]


@st.fragment
def inside() -> None:
    """The page: what is on the gates page, one step and one unit at a time."""
    bench = Bench.here()
    if bench.stale or bench.goto:
        bench.stale = False
        st.rerun()
    with st.container(key="bench"):
        left, right = st.columns([8, 3], gap="medium")
        with right, st.container(key="controls"):
            if not st.session_state.get("lecture"):
                said(bench)
                opened(bench)
                unkept(bench)
            gallery(bench, "cell")
        with left, st.container(key="picture"):
            rail("cell", bench)
            layer_choice(bench)
            mount("cell", cell_message(bench), bench.event, bench.keep())


def layer_arrays(experiment: Experiment, layer: int) -> dict[str, np.ndarray]:
    """Inputs, gates, states and weights of one layer for the diagram, which does the sums of one unit itself.

    What is before the squashing follows from these, but for what is held by hand: that alone is sent too.
    """
    held = {edit.signal for edit in experiment.interventions}
    trace = run(experiment, detail=bool(held))
    below = "x" if layer == 0 else words.signal_name(layer - 1, "h")
    arrays = {"x": trace[below][:, 0]}
    plain = signal_names(experiment.cell)
    for signal in signal_names(experiment.cell, detail=bool(held)):
        if signal in plain or words.signal_name(layer, signal) in held:
            arrays[signal] = trace[words.signal_name(layer, signal)][:, 0]
    parameters = weights.materialise(experiment)
    return arrays | {name: parameters[f"{name}_l{layer}"] for name in cells.get(experiment.cell).packing}


def cell_message(bench: Bench) -> bytes:
    """One layer of what is on the bench, as the diagram takes it."""
    experiment, layer = bench.experiment, bench.layer
    arrays = layer_arrays(experiment, layer)
    seq = experiment.sequence
    characters, marks = steps_called(seq)
    status: list[str] = [
        *_not_finite(experiment, arrays),
        tr("Dashed wires carry negative numbers; the wider a wire, the larger its number."),
    ]
    if layer:
        status.append(tr("In this layer x is the hidden state of the layer below."))
    if experiment.interventions:
        status.append(tr("This run has interventions: a value behind ≠ or “set to” is held by hand."))
    header: CellHeader = {
        "panel": "cell",
        "link": "cell",
        "id": f"{hash((experiment, layer)) & 0xFFFFFFFF:08x}",
        "cell": experiment.cell,
        "description": cells.get(experiment.cell).description(),
        "name": words.CELL_LABELS[experiment.cell],
        "steps": seq.length,
        "hidden": experiment.hidden_size,
        "inputs": arrays["x"].shape[1],
        "labels": characters,
        "marks": marks,
        "names": list(seq.alphabet or seq.names) or None if layer == 0 else None,
        "rules": rules(experiment),
        "layer": layer,
        "status": sentences(status),
        "headline": top(experiment).says,
        "story": sentences([story(experiment), tr(cells.get(experiment.cell).says)]),
        "opening": bench.opening,
        "address": bench.address(),
        "fields": bench.place.fields,
        "at": bench.view,
        "undo": bench.can_undo,
        "redo": bench.can_redo,
    }
    return pack(header, arrays, exact=True)


def _not_finite(experiment: Experiment, arrays: dict[str, np.ndarray]) -> list[str]:
    """From which step the layer's numbers are not finite, and the cause where nothing came in that was not."""
    signals = {"x", *signal_names(experiment.cell, detail=True)}
    says = describe_overflow(np.hstack([array for name, array in arrays.items() if name in signals]))
    if not says:
        return []
    given = (run(experiment)["x"], *weights.materialise(experiment).values())
    if not all(np.isfinite(array).all() for array in given):
        return [says]
    return [says, tr("The input and the weights are finite: the network overflowed.")]
