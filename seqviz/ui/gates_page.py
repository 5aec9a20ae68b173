"""The parts of the gates page."""

from __future__ import annotations

from functools import cache

import streamlit as st

from seqviz.experiment import Experiment
from seqviz.language import Words, tr
from seqviz.networks.presets import PRESET_LABELS, preset
from seqviz.scope.hosts.streamlit import mount
from seqviz.ui.bench import Bench, drawn
from seqviz.ui.controls import literal, opened, said, unkept
from seqviz.ui.panels import PANELS
from seqviz.ui.pictures import scope_message, story, title

__all__ = ["examples", "layer_choice", "workbench"]


DRAWN = Words({"LSTM": "Random LSTM", "GRU": "Random GRU", "RNN_TANH": "Random RNN"})
SHORT = Words({"leaky": "Leaky sum", "toggle": "Parity", "brackets": "Brackets"})


def examples(bench: Bench, heading: str) -> None:
    """The page's heading, and one click to each network worth a look."""
    left, right = st.columns([3, 8], gap="medium", vertical_alignment="center")
    left.markdown(f"### {heading}")
    names = Words([*DRAWN.items(), *PRESET_LABELS.items(), *SHORT.items()])

    def open_() -> None:
        # A click on the one that is lit takes it away: it asks for that example again.
        chosen = st.session_state["example"] or st.session_state["example.lit"]
        if chosen is not None:
            bench.layer = 0
            bench.put(preset(chosen) if chosen in PRESET_LABELS else drawn(chosen))

    st.session_state["example"] = st.session_state["example.lit"] = _lit(bench)
    right.pills(
        tr("Examples"),
        list(names),
        format_func=names.__getitem__,
        key="example",
        on_change=open_,
        label_visibility="collapsed",
    )


@cache
def _examples() -> dict[Experiment, str]:
    """Every example's name by what it shows. Looked into at each run of the page, so made once."""
    return {drawn(name): name for name in DRAWN} | {preset(name): name for name in PRESET_LABELS}


def _lit(bench: Bench) -> str | None:
    """The example that is on the screen, if it is one."""
    return _examples().get(bench.experiment)


@st.fragment
def workbench() -> None:
    """Controls and picture, side by side; a change redraws this part alone, unless an example was left."""
    bench = Bench.here()
    if _lit(bench) != st.session_state.get("example.lit"):
        st.rerun()
    with st.container(key="bench"):
        left, right = st.columns([3, 8], gap="medium")
        with left, st.container(key="controls"):
            bench.stale = False
            _controls(bench)
        with right, st.container(key="picture"):
            _picture()


def _controls(bench: Bench) -> None:
    chosen = st.segmented_control(
        tr("Controls"),
        list(PANELS),
        default="Sequence",
        format_func=tr,
        key="panel",
        label_visibility="collapsed",
        required=True,
    )
    said(bench)
    opened(bench)
    unkept(bench)
    PANELS[chosen or "Sequence"](bench)


@st.fragment
def _picture() -> None:
    """A fragment of its own: a stroke on the input leaves the controls as they are and need not redraw them."""
    bench = Bench.here()
    if bench.stale or _lit(bench) != st.session_state.get("example.lit"):
        bench.stale = False
        st.rerun()
    experiment = bench.experiment
    st.markdown(f"**{title(experiment)}**  \n{literal(story(experiment))}")
    layer_choice(bench)
    mount("scope", scope_message(bench), bench.event, bench.keep())


def layer_choice(bench: Bench) -> None:
    """Which layer is shown, where there are several."""
    experiment = bench.experiment
    if experiment.num_layers > 1:
        layers = list(range(experiment.num_layers))
        st.session_state["layer"] = bench.layer
        st.segmented_control(
            tr("Layer shown"),
            layers,
            label_visibility="collapsed",
            format_func=lambda k: tr("Layer {k}", k=k + 1),
            key="layer",
            on_change=bench.show_layer,
        )
