"""What goes in."""

from __future__ import annotations

import streamlit as st

from seqviz import sequences
from seqviz.experiment import MAX_STEPS, Experiment
from seqviz.experiment import Sequence as Input
from seqviz.language import tr, trn
from seqviz.ui.bench import TABLE, Bench
from seqviz.ui.controls import controlled, number_field, table, unfolding, whole_number
from seqviz.ui.panels.own import own_controls

__all__ = ["sequence_panel"]


def sequence_panel(bench: Bench) -> None:
    """What goes in: a preset wave, typed text, typed numbers, a file, or the table."""
    experiment = bench.experiment
    seq = experiment.sequence
    if seq.kind == "text":
        st.caption(tr("One step a character. Type another text below."))
    else:
        st.caption(tr("Draw on the input in the picture, or start from one of these."))
    controlled(
        st.selectbox,
        tr("Kind"),
        seq.kind,
        lambda kind: bench.attempt(lambda: _of_kind(bench.experiment, kind)),
        key="seq.kind",
        options=list(sequences.KIND_LABELS),
        format_func=sequences.KIND_LABELS.__getitem__,
    )
    if seq.kind == "text":
        _text_controls(bench)
    elif seq.kind == "values":
        own_controls(bench)
    else:
        _wave_controls(bench)
    if seq.kind != "values":
        with st.expander(tr("Your own numbers"), key="own.open"):
            own_controls(bench)
    if seq.kind != "text":
        shown = unfolding(tr("Table"), TABLE)
        if shown.open:
            array = sequences.generate(seq, experiment.input_size)
            named = len(set(seq.names)) == experiment.input_size
            columns = list(seq.names) if named else [f"x[{k}]" for k in range(experiment.input_size)]
            with shown:
                table("sequence", array, columns, lambda cells: _set_inputs(bench, cells))


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
    return experiment.changed(sequence=seq.as_wave(kind))


def _wave_controls(bench: Bench) -> None:
    experiment = bench.experiment
    seq = experiment.sequence
    put = bench.change_wave
    top = max(200, seq.length)
    controlled(
        st.slider,
        tr("Steps"),
        seq.length,
        lambda v: put(length=v),
        key="seq.length",
        min_value=2 if seq.length > 1 else 1,
        max_value=top,
    )
    left, right = st.columns(2)
    with left:
        number_field(
            bench, tr("Amplitude"), seq.amplitude, lambda v: put(amplitude=v), -1e6, 1e6, key="seq.amplitude", step=0.1
        )
    with right:
        if seq.kind in ("noise", "bits"):
            whole_number(bench, tr("Seed"), seq.seed, lambda v: put(seed=v), 0, 2**31 - 1, key="seq.seed")
        elif seq.kind in ("sine", "square", "ramp"):
            number_field(
                bench, tr("Period (steps)"), seq.period, lambda v: put(period=v), 1, 1e6, key="seq.period", step=1.0,
                format="%.1f",
            )  # fmt: skip
        else:
            whole_number(bench, tr("Steps, exact"), seq.length, lambda v: put(length=v), 1, MAX_STEPS, key="seq.exact")


def _text_controls(bench: Bench) -> None:
    experiment = bench.experiment

    def put(text: str) -> None:
        def make() -> Experiment:
            if not text:
                raise ValueError(tr("The text is empty; type at least one character."))
            now = bench.experiment
            given = Input.of_text(text, now.sequence.alphabet if now.sequence.kind == "text" else "")
            return now.changed(sequence=given, input_size=len(given.alphabet))

        bench.attempt(make)

    controlled(
        st.text_area,
        tr("Text, one character a step"),
        experiment.sequence.text,
        put,
        key="seq.text",
        max_chars=MAX_STEPS,
    )
    size = len(experiment.sequence.alphabet)
    st.caption(
        trn(
            "{count} character has an input. A new character adds one, and with it a column of weights.",
            "{count} characters have an input each. A new character adds one, and with it a column of weights.",
            size,
        )
    )
