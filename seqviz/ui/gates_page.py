"""The parts of the gates page."""

from __future__ import annotations

import streamlit as st

from seqviz.language import later, tr
from seqviz.scope.hosts.streamlit import mount
from seqviz.tasks import TASKS
from seqviz.ui.bench import Bench
from seqviz.ui.controls import layer_choice, opened, said, unfolding, unkept
from seqviz.ui.gallery import gallery
from seqviz.ui.lesson_list import way
from seqviz.ui.panels import PANELS
from seqviz.ui.panels.doctor import examination
from seqviz.ui.panels.rests import resting
from seqviz.ui.pictures import scope_message
from seqviz.ui.rail import rail

__all__ = ["workbench"]


EXAMPLES = later("Examples")


@st.fragment
def workbench() -> None:
    """Picture and, at its side, examples and controls; a change redraws this part alone, unless it leaves the page.

    The picture is what a person waits for, so it is made and sent first.
    """
    bench = Bench.here()
    if bench.goto:
        st.rerun()
    way()
    # Streamlit copies what a fragment lies in at each of its runs: one container is entered, and not every one around.
    left, right = st.container(key="bench").columns([8, 3], gap="medium")
    try:
        bench.stale = False
        with left.container(key="picture"):
            _picture()
    finally:
        bench.stale = True  # the run may end before it has come to the controls
    with right.container(key="controls"):
        _controls(bench)
    bench.stale = False


def _controls(bench: Bench) -> None:
    if st.session_state.get("lecture"):  # nothing else is shown there
        gallery(bench, "gates")
        return
    chosen = st.segmented_control(
        tr("Controls"),
        [EXAMPLES, *PANELS],
        default=EXAMPLES,
        format_func=tr,
        key="panel",
        label_visibility="collapsed",
        required=True,
    )
    said(bench)
    opened(bench)
    unkept(bench)
    if chosen in PANELS:
        PANELS[chosen](bench)
    else:
        gallery(bench, "gates")


@st.fragment
def _picture() -> None:
    """A fragment of its own: a stroke on the input leaves the controls as they are and need not redraw them."""
    bench = Bench.here()
    if bench.stale or bench.goto:
        bench.stale = False
        st.rerun()
    rail("gates", bench)
    layer_choice(bench)
    mount("scope", scope_message(bench), bench.event, bench.keep())
    if st.session_state.get("lecture"):
        return
    with unfolding(tr("Examine this network"), "gates.examine") as shown:
        if shown.open:
            examination(bench.experiment, key="gates.examined", known=_task(bench))
    resting(bench.experiment, bench, key="gates.rests")


def _task(bench: Bench) -> str:
    """The name of the task that the network was trained on, if it came from there; else empty."""
    origin = bench.origin
    return "" if origin is None else next((name for name, each in TASKS.items() if each.title == origin.task), "")
