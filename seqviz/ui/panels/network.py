"""The cell, its sizes, and how its weights start."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from seqviz import cells, weights
from seqviz import vocabulary as words
from seqviz.checkpoints import asset_names, load_asset
from seqviz.comparison import NETWORKS
from seqviz.experiment import MAX_HIDDEN, MAX_LAYERS, SCHEMES, Experiment
from seqviz.language import Words, later, tr
from seqviz.networks.presets import PRESET_LABELS
from seqviz.tasks import TASKS
from seqviz.ui.bench import Bench
from seqviz.ui.controls import controlled, whole_number

__all__ = ["CHRONO", "SCHEME_LABELS", "knobs", "network_panel", "one_more", "scheme_names"]

SCHEME_LABELS = Words(
    {
        "default": "torch's default",
        "xavier": "Xavier (Glorot)",
        "orthogonal": "orthogonal",
        "identity": "identity (IRNN)",
        "chrono": "chrono",
        "zeros": "all zeros",
    }
)
_KEEPS = Words({"f": "Forget gate bias", "z": "Update gate bias (keeps the state)"})
"""What the bias of a gate that keeps the state is called."""

CHRONO = later(
    "chrono: forget and input biases drawn so that the units remember for up to the length of the sequence "
    "(Tallec and Ollivier 2018, https://arxiv.org/abs/1804.11188)."
)


def scheme_names(present: str) -> dict[str, str]:
    """What initial weights can be chosen, and the hand-set network where that is present, with their labels."""
    label = tr("set by hand: {name}", name=PRESET_LABELS.get(present, present))
    by_hand = {} if present in SCHEMES else {present: label}
    return by_hand | {scheme: SCHEME_LABELS[scheme] for scheme in SCHEMES}


def network_panel(bench: Bench) -> None:
    """The cell, its sizes, and how its weights start."""
    experiment = bench.experiment
    init = experiment.init

    controlled(
        st.selectbox,
        tr("Cell"),
        experiment.cell,
        lambda v: bench.change(cell=v),
        key="net.cell",
        options=list(dict.fromkeys((*words.CELLS, experiment.cell))),
        format_func=words.CELL_LABELS.__getitem__,
    )
    left, right = st.columns(2)
    with left:
        whole_number(
            bench, tr("Hidden units"), experiment.hidden_size, lambda v: bench.change(hidden_size=v), 1, MAX_HIDDEN,
            key="net.hidden",
        )  # fmt: skip
    with right:
        whole_number(
            bench, tr("Layers"), experiment.num_layers, lambda v: bench.change(num_layers=v), 1, MAX_LAYERS,
            key="net.layers",
        )  # fmt: skip
    names = scheme_names(init.scheme)
    left, right = st.columns([2, 1])
    with left:
        controlled(
            st.selectbox,
            tr("Initial weights"),
            init.scheme,
            lambda v: bench.redraw(scheme=v),
            key="net.scheme",
            options=list(names),
            format_func=names.__getitem__,
            help=tr(CHRONO),
        )
    with right:
        whole_number(
            bench, tr("Seed"), init.seed, lambda v: bench.redraw(seed=v), 0, 2**31 - 1, key="net.seed",
            disabled=init.scheme not in SCHEMES,
        )  # fmt: skip
    knobs(experiment, bench.redraw)
    _trained(bench)


def _trained(bench: Bench) -> None:
    """Networks that come with the project and have learned something."""
    names = {name: TASKS[name].label for name in asset_names() if name in TASKS}
    if not names:
        return

    def open_() -> None:
        chosen = st.session_state["net.trained"]
        if chosen is not None:
            bench.attempt(lambda: load_asset(chosen))
            st.session_state["net.trained"] = None

    st.selectbox(
        tr("Open a trained network"), list(names), index=None, format_func=names.__getitem__, key="net.trained",
        on_change=open_, placeholder=tr("choose a task"),
    )  # fmt: skip


def one_more(bench: Bench, key: str) -> None:
    """On a page that shows the usual networks side by side: a further cell beside them, where there is another."""
    now = bench.experiment.cell
    others = [name for name in dict.fromkeys((*cells.names(), now)) if cells.get(name).family not in NETWORKS]
    if not others:
        return
    labels = {"": tr("no other"), **{name: words.CELL_LABELS[name] for name in others}}
    controlled(
        st.selectbox, tr("One more network"), now if now in others else "",
        lambda cell: bench.change(cell=cell or words.LSTM), key=key, options=list(labels),
        format_func=labels.__getitem__,
    )  # fmt: skip


def knobs(experiment: Experiment, start: Callable[..., None], key: str = "net") -> None:
    """The sliders a lecturer reaches for. Each shows the present network's own value until it is moved."""
    init = experiment.init
    initial = weights.initial(experiment)
    hidden = experiment.hidden_size
    controlled(
        st.slider,
        tr("Gain of all weight matrices"),
        float(init.gain),
        lambda v: start(gain=v),
        key=f"{key}.gain",
        min_value=min(0.0, init.gain),
        max_value=max(4.0, init.gain),
        step=0.05,
    )
    cell = cells.get(experiment.cell)
    gate, sign = next(iter(cell.keep_gates.values()), ("", 1))
    parts = [part for part in weights.parts_of(cell.name, gate) if part.startswith("b")] if gate in cell.gates else []
    if parts:
        total = sum(weights.gate_view(initial, cell.name, 0, gate, part).astype(float) for part in parts)
        now = sign * float(np.mean(total)) if init.forget_bias is None else init.forget_bias
        label = (
            _KEEPS[gate] if gate in _KEEPS else tr("Bias that keeps the state ({gate})", gate=cell.labels[gate].name)
        )
        controlled(
            st.slider,
            label,
            (shown := round(min(100.0, max(-100.0, now)), 2)),
            lambda v: start(forget_bias=v),
            key=f"{key}.forget",
            min_value=min(-10.0, shown),
            max_value=max(10.0, shown),
            step=0.1,
        )
    now = weights.candidates_radius(experiment, initial) if init.spectral_radius is None else init.spectral_radius
    controlled(
        st.slider,
        tr("Spectral radius of the recurrent blocks"),
        (shown := round(min(100.0, now), 2)),
        lambda v: start(spectral_radius=v),
        key=f"{key}.radius",
        min_value=0.0,
        max_value=max(4.0, shown),
        step=0.01,
        disabled=hidden < 1,
    )
    if init.spectral_radius is not None or init.forget_bias is not None or init.gain != 1.0:
        st.button(
            tr("Weights as drawn"),
            on_click=start,
            kwargs={"gain": 1.0, "forget_bias": None, "spectral_radius": None},
            help=tr("Take the three sliders back"),
        )
