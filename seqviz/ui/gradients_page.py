"""The gradient laboratory: knobs, scenes and the picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from seqviz import vocabulary as words
from seqviz.figures import curves
from seqviz.figures.theme import network_line
from seqviz.gradients.clipping import clip_update
from seqviz.gradients.studied import flows, networks, update_norms
from seqviz.language import Words, sentences, tr
from seqviz.runner import too_large
from seqviz.scope.hosts.streamlit import mount
from seqviz.telling.titles import whose_weights
from seqviz.ui.bench import Bench
from seqviz.ui.controls import controlled, opened, option, own_number, refuse, said, unkept, whole_number
from seqviz.ui.gallery import gallery, lit
from seqviz.ui.gradient_pictures import flow_message
from seqviz.ui.map_picture import map_section
from seqviz.ui.panels.network import CHRONO, knobs, one_more, scheme_names
from seqviz.ui.panels.rests import resting
from seqviz.ui.pictures import intervention_text, story
from seqviz.ui.rail import rail
from seqviz.ui.scenes import SCENES, lab
from seqviz.ui.why_picture import why_message
from seqviz.weights import set_parts

__all__ = ["SCENES", "lab", "laboratory"]

LOSSES = Words({"last": "at the last step", "sum": "at every step"})


@st.fragment
def laboratory() -> None:
    """Picture and knobs, side by side."""
    bench = lab()
    if bench.goto or bench.stale:
        bench.stale = False
        st.rerun()
    gallery(bench, "gradients", strip=True)
    with st.container(key="bench"):
        left, right = st.columns([8, 3], gap="medium")
        with right, st.container(key="controls"):
            _knobs(bench)
        with left, st.container(key="picture"):
            rail("gradients", bench)
            _picture(bench)


def _knobs(bench: Bench) -> None:
    experiment = bench.experiment
    said(bench)
    opened(bench)
    unkept(bench)

    _choice(bench, "loss", tr("Loss"), LOSSES.__getitem__)
    controlled(
        st.slider, tr("Sequence length"), experiment.sequence.length, lambda v: bench.change_wave(length=v),
        key="lab.length", min_value=1, max_value=max(1000, experiment.sequence.length),
        disabled=experiment.sequence.width is not None,
    )  # fmt: skip
    left, right = st.columns([2, 1])
    names = scheme_names(experiment.init.scheme)
    with left:
        controlled(
            st.selectbox, tr("Initial weights"), experiment.init.scheme, lambda v: bench.redraw(scheme=v),
            key="lab.scheme", options=list(names), format_func=names.__getitem__, help=tr(CHRONO),
        )  # fmt: skip
    with right:
        whole_number(
            bench, tr("Seed"), experiment.init.seed, lambda v: bench.redraw(seed=v), 0, 2**31 - 1, key="lab.seed"
        )
    one_more(bench, key="lab.more.cell")
    knobs(experiment.changed(cell=words.LSTM), bench.redraw, key="lab")
    controlled(
        st.slider, tr("Input scale"), experiment.sequence.amplitude, lambda v: bench.change_wave(amplitude=v),
        key="lab.scale", min_value=min(0.0, experiment.sequence.amplitude),
        max_value=max(4.0, experiment.sequence.amplitude), step=0.05,
    )  # fmt: skip
    controlled(
        st.slider, tr("Hidden units"), experiment.hidden_size, lambda v: bench.change(hidden_size=v), key="lab.hidden",
        min_value=1, max_value=max(64, experiment.hidden_size),
    )  # fmt: skip


def _choice(bench: Bench, name: str, label: str, names: Callable[[str], str] = str) -> None:
    option(st.segmented_control, label, bench, name, key=f"lab.{name}", names=names, required=True)


def _picture(bench: Bench) -> None:
    if says := too_large(bench.experiment):
        refuse(says)
        return
    found = flows(bench.experiment, bench.option("loss"))
    problems = {name: flow.problem for name, flow in found.items() if flow.problem}
    for name, problem in problems.items():
        refuse(tr("{name}: {says}", name=name, says=problem))
    parts = {name: set_parts(e) for name, e in networks(bench.experiment).items()}
    if says := whose_weights(parts, bench.experiment.init.seed):
        st.caption(says)
    if says := _held(bench):
        st.caption(says)
    if bench.experiment.cell not in [e.cell for e in networks(bench.experiment).values()]:
        squash = "ReLU" if networks(bench.experiment)["RNN"].cell == "RNN_RELU" else "tanh"
        says = tr("The RNN is shown with {squash} here, whatever it squashes by on the other pages.", squash=squash)
        st.caption(says)
    if message := why_message(bench, _scene(bench)):
        mount("why", message, lambda event: _heard(bench, event))
    map_section(bench)
    mount("flow", flow_message(bench), bench.event, bench.keep())
    nets, net = list(networks(bench.experiment)), bench.option("net")
    controlled(
        st.segmented_control, tr("Eigenvalues and singular values of"), net if net in nets else nets[0],
        lambda v: bench.choose("net", v), key="lab.net", options=nets, format_func=tr, required=True,
    )  # fmt: skip
    resting(networks(bench.experiment)[net if net in nets else nets[0]], bench, key="lab.rests")
    _clipping(bench)


def _scene(bench: Bench) -> str:
    """What is on the screen, in words: the scene's, or what a hand-set network is and claims."""
    scene = lit(bench, "gradients")
    if scene is not None:
        return tr(SCENES[scene][1])
    return story(bench.experiment)


def _heard(bench: Bench, event: dict[str, Any]) -> None:
    """The handle of the picture that says why was let go."""
    value = event.get("value")
    if event.get("type") == "bias" and isinstance(value, int | float):
        bench.redraw(forget_bias=float(value))
        bench.stale = True


def _held(bench: Bench) -> str:
    """What interventions each network is shown with: not every one has every signal."""
    says = []
    for name, experiment in networks(bench.experiment).items():
        if edits := [intervention_text(edit, experiment) for edit in experiment.interventions]:
            says.append(tr("The {name} is shown with: {edits}.", name=name, edits=tr("; ").join(edits)))
    without = [name for name, e in networks(bench.experiment).items() if not e.interventions]
    if says and without:
        says.append(tr("Without any: {names}.", names=tr(", ").join(without)))
    return sentences(says)


def _clipping(bench: Bench) -> None:
    """The update itself: its norm against the length, and what the two ways of clipping do to it."""
    opened = bench.option("more") == "clipping"
    controlled(
        st.toggle, tr("Show the update and its clipping"), opened,
        lambda on: bench.choose("more", "clipping" if on else ""), key="lab.more",
    )  # fmt: skip
    if not opened:
        return
    left, right = st.columns(2)
    with left:
        max_norm = own_number(bench, tr("Clip the norm at"), 1.0, 0.001, 1e6, step=0.5, key="lab.max_norm")
    with right:
        max_value = own_number(
            bench, tr("Clip each value at"), 0.01, 0.0001, 1e6, step=0.01, format="%.4f", key="lab.max_value"
        )
    rows = []
    for name, flow in flows(bench.experiment, bench.option("loss")).items():
        if flow.problem:
            continue
        update = clip_update(flow, max_norm, max_value)
        rows.append({
            tr("network"): name, tr("update"): update.norm, tr("norm clipped"): update.by_norm,
            tr("direction"): update.cosine_by_norm, tr("values clipped"): update.by_value,
            tr("direction") + " ": update.cosine_by_value, tr("loudest tenth"): update.loudest_steps,
        })  # fmt: skip
    if not rows:
        st.info(tr("There is no finite update to clip."))
        return
    st.table(pd.DataFrame(rows).set_index(tr("network")).style.format("{:.3g}"))
    st.caption(
        tr(
            "Norms of the update of the layer's weight matrices, those of x and of h. “Direction” is the cosine "
            "between before and after: clipping the norm keeps it and only shortens the step, clipping values turns "
            "it. “Loudest tenth” is the share of the update written by the loudest tenth of the steps, which neither "
            "changes."
        )
    )
    _norm_against_length(bench)


def _norm_against_length(bench: Bench) -> None:
    lengths, norms = update_norms(bench.experiment, bench.option("loss"))
    st.plotly_chart(
        curves(
            lengths, norms, x=tr("sequence length (steps)"), y=tr("norm of the update"), log_y=True,
            lines={name: network_line(name) for name in norms},
            theme=st.context.theme.type or "light",
        ),
        theme=None, key="lab.lengths", config={"displayModeBar": False},
    )  # fmt: skip
    grown = (
        tr(
            "{name}: the update's norm goes from {first:.2g} at length {short} to {last:.2g} at length {long}.",
            name=name, first=values[0], short=lengths[0], last=values[-1], long=lengths[-1],
        )
        for name, values in norms.items()
        if len(values) > 1 and np.isfinite([values[0], values[-1]]).all()
    )  # fmt: skip
    st.caption(sentences(grown))
