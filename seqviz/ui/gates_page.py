"""The parts of the gates page."""

from __future__ import annotations

import streamlit as st

from seqviz.experiment import Experiment, Init, Sequence
from seqviz.presets import PRESET_LABELS, preset
from seqviz.ui import scope
from seqviz.ui.bench import Bench
from seqviz.ui.panels import PANELS
from seqviz.ui.pictures import scope_message, story, title

__all__ = ["examples", "workbench"]


def _drawn(cell: str = "LSTM") -> Experiment:
    return Experiment(
        cell=cell, hidden_size=16, init=Init(forget_bias=1.0 if cell == "LSTM" else None), sequence=Sequence("two_pulses")
    )


def workbench() -> None:
    """Controls and picture, side by side; a change redraws this part alone."""
    _workbench()


@st.fragment
def _workbench() -> None:
    bench = Bench.here()
    with st.container(key="bench"):
        left, right = st.columns([3, 8], gap="medium")
        with left, st.container(key="controls"):
            _controls(bench)
        with right, st.container(key="picture"):
            _picture(bench)
    bench.write_address()


def _controls(bench: Bench) -> None:
    chosen = st.segmented_control(
        "Controls", list(PANELS), default="Sequence", key="panel", label_visibility="collapsed", required=True
    )
    if bench.problem:
        st.warning(bench.problem, icon=":material/error:")
    PANELS[chosen or "Sequence"](bench)


def _picture(bench: Bench) -> None:
    experiment = bench.experiment
    st.markdown(f"**{title(experiment)}**  \n{story(experiment)}")
    if experiment.num_layers > 1:
        layers = list(range(experiment.num_layers))
        st.session_state["layer"] = bench.layer
        st.segmented_control("Layer shown", layers, format_func=lambda k: f"Layer {k + 1}", key="layer",
                             on_change=lambda: setattr(bench, "layer", st.session_state["layer"] or 0))  # fmt: skip
    scope.mount("scope", scope_message(bench), bench.event)
