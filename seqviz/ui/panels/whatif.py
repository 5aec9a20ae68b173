"""Interventions: what if this gate were open, that unit silent?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from seqviz import vocabulary as words
from seqviz.experiment.interventions import Ablate, Clamp, Intervention, Scale
from seqviz.language import Words, tr
from seqviz.ui.bench import Bench
from seqviz.ui.controls import own_number, remembered
from seqviz.ui.pictures import intervention_text, signal_text

__all__ = ["whatif_panel"]

KINDS = Words({"clamp": "clamp", "ablate": "ablate", "scale": "scale"})


def whatif_panel(bench: Bench) -> None:
    """Interventions: hold a gate, silence a unit, scale a signal, for a span of steps."""
    experiment = bench.experiment
    st.caption(tr("Change a signal while the network runs; everything after it is computed again."))
    kind = remembered(
        st.segmented_control, tr("What to do"), list(KINDS), key="whatif.kind", names=KINDS.__getitem__, required=True
    )
    signals = [words.signal_name(bench.layer, s) for s in words.PICTURE_ORDER[experiment.cell]]
    signal = remembered(
        st.selectbox, tr("Signal"), signals, key="whatif.signal", names=lambda s: signal_text(s, experiment.cell)
    )
    units = st.multiselect(tr("Units (none chosen: all)"), list(range(experiment.hidden_size)), key="whatif.units")
    last = experiment.sequence.length - 1
    steps = (0, 0)
    if last:
        steps = st.slider(tr("Steps, first to last"), 0, last, (0, last), key=f"whatif.steps.{last}")
    value = 0.0
    if kind != "ablate":
        label, first = (tr("Value"), 1.0) if kind == "clamp" else (tr("Factor"), 0.5)
        value = own_number(bench, label, first, -1e6, 1e6, step=0.1, key=f"whatif.value.{kind}")

    def add() -> None:
        where: dict[str, Any] = {
            "units": tuple(units) or None,
            "steps": None if steps == (0, last) else (steps[0], steps[1] + 1),
        }
        makers: dict[str, Callable[[], Intervention]] = {
            "clamp": lambda: Clamp(signal, value, **where),
            "scale": lambda: Scale(signal, value, **where),
            "ablate": lambda: Ablate(signal, **where),
        }
        now = bench.experiment
        bench.attempt(lambda: replace(now, interventions=(*now.interventions, makers[kind]())))

    st.button(tr("Add"), on_click=add, type="primary", key="whatif.add")

    def remove(k: int) -> None:
        now = bench.experiment
        bench.put(replace(now, interventions=now.interventions[:k] + now.interventions[k + 1 :]))

    for k, edit in enumerate(experiment.interventions):
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.markdown(f":material/front_hand: {intervention_text(edit, experiment)}")
        right.button("✕", key=f"whatif.remove.{k}", on_click=remove, args=(k,), help=tr("Remove this intervention"))
    if not experiment.interventions:
        st.caption(
            tr("Nothing is changed yet. Pin the run as the baseline first to see the difference.")
            if bench.baseline is None
            else tr("Nothing is changed yet. The difference from the pinned baseline can be shown over the picture.")
        )
