"""One block of the weights, as a matrix and as a table."""

from __future__ import annotations

import streamlit as st

from seqviz import vocabulary as words
from seqviz.experiment import WeightEdit
from seqviz.language import Words, tr, trn
from seqviz.scope.hosts.streamlit import mount
from seqviz.ui.bench import Bench
from seqviz.ui.controls import remembered, table, unfolding
from seqviz.ui.weights_view import weight_message
from seqviz.weights import gates_with_weights, parts_of

__all__ = ["weights_panel"]


def weights_panel(bench: Bench) -> None:
    """One block of the packed matrices, by gate and by where it reads from."""
    experiment = bench.experiment
    blocks = gates_with_weights(experiment.cell)
    names = {b: words.LABELS[experiment.cell, b].name for b in blocks}
    names["readout"] = tr("readout (y)")
    gate = remembered(st.selectbox, tr("Gate"), [*blocks, "readout"], key="weights.gate", names=names.__getitem__)
    known = Words({"ih": "from input", "hh": "from last state", "bias_ih": "input bias", "bias_hh": "state bias"})
    parts: dict[str, str] = Words({"weight": "weights", "bias": "bias"})
    if gate != "readout":
        parts = {part: known.get(part, part) for part in parts_of(experiment.cell, gate)}
    place = f"weights.part.{','.join(parts)}"
    part = remembered(st.selectbox, tr("Which weights"), list(parts), key=place, names=parts.__getitem__)
    view, message = weight_message(experiment, bench.layer, gate, part)
    mount("weights", message, bench.event)
    shown = unfolding(tr("Table"), "weights.table")
    if shown.open:
        columns = list(view.columns)
        with shown:
            table(
                f"{view.parameter}.{gate}.{part}",
                view.matrix,
                columns,
                lambda cells: bench.attempt(
                    lambda: bench.experiment.edited(
                        WeightEdit(*view.place(r, c), value) for (r, c), value in cells.items()
                    )
                ),
            )
    if experiment.edits:
        count = len(experiment.edits)
        many = trn("{count} weight changed by hand.", "{count} weights changed by hand.", count)
        st.caption(tr("{many} “Reset weights” takes every change back.", many=many))
