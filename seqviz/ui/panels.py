"""The controls beside the picture: sequence, network, weights, what-if, save."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from seqviz import sequences, weights
from seqviz import vocabulary as words
from seqviz.experiment import (
    MAX_HIDDEN,
    MAX_LAYERS,
    MAX_STEPS,
    SCHEMES,
    Experiment,
    Init,
    WeightEdit,
)
from seqviz.experiment import Sequence as Input
from seqviz.interventions import Ablate, Clamp, Scale
from seqviz.parsing import parse_csv, parse_npy, parse_numbers
from seqviz.ui import scope
from seqviz.ui.bench import Bench
from seqviz.ui.pictures import intervention_text
from seqviz.ui.save import save_panel
from seqviz.ui.weights_view import weight_message

__all__ = ["PANELS"]

SCHEME_LABELS = {
    "default": "torch's default",
    "xavier": "Xavier (Glorot)",
    "orthogonal": "orthogonal",
    "identity": "identity (IRNN)",
    "chrono": "chrono",
    "zeros": "all zeros",
}


def controlled(
    widget: Callable[..., Any], label: str, value: Any, change: Callable[[Any], Any], *, key: str, **options: Any
) -> None:
    """A widget that always shows `value` and hands what the person chooses to `change`.

    The experiment is the one home of every setting, so after undo, reset or a pasted address the widget
    shows what is, not what it was last moved to.
    """

    def chosen() -> None:
        given = st.session_state[key]
        if given is not None:
            change(given)

    st.session_state[key] = value
    widget(label, key=key, on_change=chosen, **options)


def table(bench: Bench, name: str, array: np.ndarray, columns: Sequence[str], apply: Callable[[dict], Any]) -> None:
    """An exact table of a matrix; `apply` gets ``{(row, col): value}`` as cells are typed.

    The editor is only made anew when the matrix changed elsewhere, so that typing down a column keeps
    its place.
    """
    memory = st.session_state.setdefault(f"table.{name}", {"base": None, "epoch": 0})
    key = f"table.{name}.{memory['epoch']}"
    base = memory["base"]
    typed = _typed(key, columns)
    if base is None or base.shape != array.shape or not np.array_equal(_with(base, typed), array):
        memory["base"], memory["epoch"] = array.copy(), memory["epoch"] + 1
        key = f"table.{name}.{memory['epoch']}"
    frame = pd.DataFrame(memory["base"], columns=list(columns))
    config = {c: st.column_config.NumberColumn(format="%.4f", step=0.0001, width="small") for c in columns}
    st.data_editor(
        frame, key=key, column_config=config, height=min(320, 38 + 35 * len(frame)),
        on_change=lambda: apply(_typed(key, columns)),
    )  # fmt: skip


def _typed(key: str, columns: Sequence[str]) -> dict[tuple[int, int], float]:
    rows = (st.session_state.get(key) or {}).get("edited_rows", {})
    place = {column: k for k, column in enumerate(columns)}
    return {
        (int(r), place[c]): v for r, cells in rows.items() for c, v in cells.items() if v is not None and c in place
    }


def _with(base: np.ndarray, typed: dict[tuple[int, int], float]) -> np.ndarray:
    array = base.copy()
    for (row, col), value in typed.items():
        if row < array.shape[0]:
            array[row, col] = value
    return array


# --- sequence ---------------------------------------------------------------------------------------


def sequence_panel(bench: Bench) -> None:
    """What goes in: a preset wave, typed text, typed numbers, a file, or the table."""
    experiment = bench.experiment
    seq = experiment.sequence
    st.caption("Draw on the input in the picture, or start from one of these.")
    controlled(
        st.selectbox, "Kind", seq.kind, lambda kind: bench.attempt(lambda: _of_kind(experiment, kind)),
        key="seq.kind", options=list(sequences.KIND_LABELS), format_func=sequences.KIND_LABELS.__getitem__,
    )  # fmt: skip
    if seq.kind == "text":
        _text_controls(bench)
    elif seq.kind == "values":
        _own_controls(bench)
    else:
        _wave_controls(bench)
    if seq.kind != "values":
        with st.expander("Your own numbers"):
            _own_controls(bench)
    if seq.kind != "text":
        with st.expander("Table", expanded=False):
            array = sequences.generate(seq, experiment.input_size)
            columns = [f"x[{k}]" for k in range(experiment.input_size)]
            table(bench, "sequence", array, columns, lambda cells: _set_inputs(bench, cells))


def _set_inputs(bench: Bench, cells: dict[tuple[int, int], float]) -> None:
    edits = [[row, col, value] for (row, col), value in cells.items()]
    bench.event({"type": "input", "edits": edits})


def _of_kind(experiment: Experiment, kind: str) -> Experiment:
    seq = experiment.sequence
    if kind == "text":
        given = Input.of_text("a(b(ab)a)b", seq.alphabet)
        return experiment.changed(sequence=given, input_size=len(given.alphabet))
    if kind == "values":
        return experiment.changed(sequence=Input.of_values(sequences.generate(seq, experiment.input_size)))
    wave = Input(kind, seq.length, seq.amplitude or 1.0, seq.period, seq.seed)
    return experiment.changed(sequence=wave)


def _wave_controls(bench: Bench) -> None:
    experiment = bench.experiment
    seq = experiment.sequence

    def put(**changes: Any) -> None:
        bench.attempt(lambda: _with_wave(experiment, changes))

    top = max(200, seq.length)
    controlled(st.slider, "Steps", seq.length, lambda v: put(length=v), key="seq.length", min_value=2 if seq.length > 1 else 1, max_value=top)  # fmt: skip
    left, right = st.columns(2)
    with left:
        controlled(st.number_input, "Amplitude", float(seq.amplitude), lambda v: put(amplitude=v), key="seq.amplitude", step=0.1, format="%.2f")  # fmt: skip
    with right:
        if seq.kind in ("noise", "bits"):
            controlled(st.number_input, "Seed", seq.seed, lambda v: put(seed=v), key="seq.seed", min_value=0, max_value=2**31 - 1)  # fmt: skip
        elif seq.kind in ("sine", "square", "ramp"):
            controlled(st.number_input, "Period (steps)", float(seq.period), lambda v: put(period=v), key="seq.period", min_value=1.0, step=1.0, format="%.1f")  # fmt: skip
        else:
            controlled(st.number_input, "Steps, exact", seq.length, lambda v: put(length=v), key="seq.exact", min_value=1, max_value=MAX_STEPS)  # fmt: skip


def _with_wave(experiment: Experiment, changes: dict[str, Any]) -> Experiment:
    seq = experiment.sequence
    length = changes.get("length", seq.length)
    kept = tuple(e for e in seq.edits if e.step < length)
    return experiment.changed(sequence=replace(seq, **{"edits": kept, **changes}))


def _text_controls(bench: Bench) -> None:
    experiment = bench.experiment

    def put(text: str) -> None:
        def make() -> Experiment:
            if not text:
                raise ValueError("The text is empty; type at least one character.")
            given = Input.of_text(text, experiment.sequence.alphabet)
            return experiment.changed(sequence=given, input_size=len(given.alphabet))

        bench.attempt(make)

    controlled(st.text_area, "Text, one character a step", experiment.sequence.text, put, key="seq.text", max_chars=MAX_STEPS)  # fmt: skip
    size = len(experiment.sequence.alphabet)
    st.caption(f"{size} characters have an input each. A new character adds one, and with it a column of weights.")


def _own_controls(bench: Bench) -> None:
    """Typed numbers and files. What was typed stays, whether it could be read or not."""
    experiment = bench.experiment

    def put(read: Callable[[], np.ndarray]) -> None:
        def make() -> Experiment:
            array = read()
            given = Input.of_values(array)
            return experiment.changed(sequence=given, input_size=array.shape[1])

        bench.attempt(make)

    def typed() -> None:
        text = st.session_state["own.text"]
        st.session_state["own.kept"] = text
        put(lambda: parse_numbers(text))

    st.session_state.setdefault("own.text", st.session_state.get("own.kept", ""))
    st.text_area(
        "Numbers: one step a line, or separated by commas", key="own.text", on_change=typed, height=100,
        placeholder="0, 0.5, 1, 0.5, 0",
    )  # fmt: skip

    def uploaded() -> None:
        given = st.session_state["own.file"]
        if given is not None:
            data = given.getvalue()
            put(lambda: parse_npy(data) if given.name.lower().endswith(".npy") else parse_csv(data))

    st.file_uploader("CSV or npy file, shape (L, H_in)", type=["csv", "txt", "npy"], key="own.file", on_change=uploaded)  # fmt: skip


# --- network ----------------------------------------------------------------------------------------


def network_panel(bench: Bench) -> None:
    """The cell, its sizes, and how its weights start."""
    experiment = bench.experiment
    init = experiment.init

    def put(**changes: Any) -> None:
        bench.attempt(lambda: _resized(experiment, changes))

    def start(**changes: Any) -> None:
        bench.attempt(lambda: replace(experiment, init=replace(init, **changes), tensors=()))

    controlled(st.selectbox, "Cell", experiment.cell, lambda v: put(cell=v), key="net.cell", options=list(words.CELLS), format_func=words.CELL_LABELS.__getitem__)  # fmt: skip
    left, right = st.columns(2)
    with left:
        controlled(st.number_input, "Hidden units", experiment.hidden_size, lambda v: put(hidden_size=v), key="net.hidden", min_value=1, max_value=MAX_HIDDEN)  # fmt: skip
    with right:
        controlled(st.number_input, "Layers", experiment.num_layers, lambda v: put(num_layers=v), key="net.layers", min_value=1, max_value=MAX_LAYERS)  # fmt: skip
    schemes = list(SCHEMES) if init.scheme in SCHEMES else [init.scheme, *SCHEMES]
    names = {**SCHEME_LABELS, init.scheme: SCHEME_LABELS.get(init.scheme, f"set by hand: {init.scheme}")}
    left, right = st.columns([2, 1])
    with left:
        controlled(st.selectbox, "Initial weights", init.scheme, lambda v: start(scheme=v), key="net.scheme", options=schemes, format_func=names.__getitem__)  # fmt: skip
    with right:
        controlled(st.number_input, "Seed", init.seed, lambda v: start(seed=v), key="net.seed", min_value=0, max_value=2**31 - 1, disabled=init.scheme not in SCHEMES)  # fmt: skip
    _knobs(experiment, start)


def _knobs(experiment: Experiment, start: Callable[..., None]) -> None:
    """The sliders a lecturer reaches for. Each shows the present network's own value until it is moved."""
    init = experiment.init
    initial = weights.initial(experiment)
    hidden = experiment.hidden_size
    controlled(st.slider, "Gain of all weight matrices", float(init.gain), lambda v: start(gain=v), key="net.gain", min_value=0.0, max_value=max(4.0, init.gain), step=0.05)  # fmt: skip
    gate = {words.LSTM: "f", words.GRU: "z"}.get(experiment.cell)
    if gate:
        biases = [weights.gate_view(initial, experiment.cell, 0, gate, part) for part in ("bias_ih", "bias_hh")]
        now = float((biases[0] + biases[1]).mean()) if init.forget_bias is None else init.forget_bias
        label = "Forget gate bias" if gate == "f" else "Update gate bias (keeps the state)"
        controlled(st.slider, label, round(min(10.0, max(-10.0, now)), 2), lambda v: start(forget_bias=v), key="net.forget", min_value=-10.0, max_value=10.0, step=0.1)  # fmt: skip
    block = words.BLOCKS[experiment.cell][-2 if experiment.cell == words.LSTM else -1]
    matrix = weights.gate_view(initial, experiment.cell, 0, block, "hh")
    now = weights.spectral_radius(matrix) if init.spectral_radius is None else init.spectral_radius
    controlled(st.slider, "Spectral radius of the recurrent blocks", round(min(4.0, now), 2), lambda v: start(spectral_radius=v), key="net.radius", min_value=0.0, max_value=4.0, step=0.01, disabled=hidden < 1)  # fmt: skip
    if init.spectral_radius is not None or init.forget_bias is not None or init.gain != 1.0:
        st.button("As drawn", on_click=start, kwargs={"gain": 1.0, "forget_bias": None, "spectral_radius": None}, help="Take the three sliders back")  # fmt: skip


def _resized(experiment: Experiment, changes: dict[str, Any]) -> Experiment:
    """A network of another shape. A hand-set one gives way to torch's default draw."""
    if experiment.init.scheme not in SCHEMES:
        changes = {**changes, "init": Init(seed=experiment.init.seed)}
    return experiment.changed(**changes)


# --- weights ----------------------------------------------------------------------------------------


def weights_panel(bench: Bench) -> None:
    """One block of the packed matrices, by gate and by where it reads from."""
    experiment = bench.experiment
    blocks = [b for b in words.PICTURE_ORDER[experiment.cell] if b in words.BLOCKS[experiment.cell]]
    names = {b: f"{words.LABELS[experiment.cell, b].name}" for b in blocks}
    names["readout"] = "readout (y)"
    gate = st.selectbox("Gate", [*blocks, "readout"], format_func=names.__getitem__, key="weights.gate")
    parts = {"ih": "from input", "hh": "from last state", "bias_ih": "input bias", "bias_hh": "state bias"}
    if gate == "readout":
        parts = {"weight": "weights", "bias": "bias"}
    part = st.selectbox("Which weights", list(parts), format_func=parts.__getitem__, key=f"weights.part.{gate == 'readout'}")  # fmt: skip
    view, message = weight_message(experiment, bench.layer, str(gate), str(part))
    scope.mount("weights", message, bench.event)
    with st.expander("Table"):
        columns = list(view.columns)
        table(bench, f"{view.parameter}.{gate}.{part}", view.matrix, columns, lambda cells: bench.attempt(
            lambda: experiment.edited(WeightEdit(*view.place(r, c), value) for (r, c), value in cells.items())))  # fmt: skip
    if experiment.edits:
        count = len(experiment.edits)
        many = "1 weight" if count == 1 else f"{count} weights"
        st.caption(f"{many} changed by hand. “Reset weights” takes every change back.")


# --- what if ----------------------------------------------------------------------------------------


def whatif_panel(bench: Bench) -> None:
    """Interventions: hold a gate, silence a unit, scale a signal, for a span of steps."""
    experiment = bench.experiment
    st.caption("Change a signal while the network runs; everything after it is computed again.")
    kind = st.segmented_control("What to do", ["clamp", "ablate", "scale"], default="clamp", key="whatif.kind", required=True)  # fmt: skip
    signal_names = {words.signal_name(bench.layer, s): words.LABELS[experiment.cell, s].name for s in words.PICTURE_ORDER[experiment.cell]}  # fmt: skip
    signal = st.selectbox("Signal", list(signal_names), format_func=lambda s: f"{signal_names[s]} ({s})", key="whatif.signal")  # fmt: skip
    units = st.multiselect("Units (none chosen: all)", list(range(experiment.hidden_size)), key="whatif.units")
    last = experiment.sequence.length - 1
    if last > 0:
        steps = st.slider("Steps, first to last", 0, last, (0, last), key=f"whatif.steps.{last}")
    else:
        steps = (0, 0)
    value = 0.0
    if kind != "ablate":
        value = st.number_input("Value" if kind == "clamp" else "Factor", value=1.0, step=0.1, key="whatif.value")

    def add() -> None:
        where: dict[str, Any] = {"units": tuple(units) or None, "steps": None if steps == (0, last) else (steps[0], steps[1] + 1)}  # fmt: skip
        make = {
            "clamp": lambda: Clamp(str(signal), value, **where),
            "scale": lambda: Scale(str(signal), value, **where),
            "ablate": lambda: Ablate(str(signal), **where),
        }[str(kind)]
        bench.attempt(lambda: replace(experiment, interventions=(*experiment.interventions, make())))

    st.button("Add", on_click=add, type="primary", key="whatif.add")

    def remove(k: int) -> None:
        rest = tuple(e for j, e in enumerate(experiment.interventions) if j != k)
        bench.put(replace(experiment, interventions=rest))

    for k, edit in enumerate(experiment.interventions):
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.markdown(f":material/front_hand: {intervention_text(edit)}")
        right.button("✕", key=f"whatif.remove.{k}", on_click=remove, args=(k,), help="Remove this intervention")
    if not experiment.interventions:
        st.caption("Nothing is changed yet. Pin the run as the baseline first to see the difference.")


PANELS: dict[str, Callable[[Bench], None]] = {
    "Sequence": sequence_panel,
    "Network": network_panel,
    "Weights": weights_panel,
    "What if": whatif_panel,
    "Save": save_panel,
}
