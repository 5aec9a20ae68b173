"""A person's own numbers: typed, or out of a file whose columns and steps can be chosen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import streamlit as st

from seqviz import sequences
from seqviz.experiment import MAX_STEPS, Experiment
from seqviz.experiment import Sequence as Input
from seqviz.language import Sentence, Words, again, tr, trn
from seqviz.reading.parsing import parse_numbers
from seqviz.reading.tables import MissingValues, Table, read
from seqviz.ui.bench import Bench
from seqviz.ui.controls import controlled, literal, upload, whole_number

__all__ = ["MAX_OWN", "MENDS", "TABLES", "own_controls"]

MAX_OWN: Final = 25_000_000
"""Characters that are typed, or bytes of a file, at the most."""

MAX_ROWS: Final = 2**20
"""Steps of a file, out of which those of the picture are chosen."""

TABLES: Final = ["csv", "tsv", "txt", "dat", "npy", "parquet", "xlsx"]
_FILE: Final = "own.file"
_BROUGHT: Final = "own.brought"
MENDS: Final = Words(
    {"drop": "Leave those steps out", "carry": "Repeat the number before", "interpolate": "Interpolate"}
)
"""What can be done about missing numbers."""

_LONGEST_TYPED: Final = 20_000


@dataclass(frozen=True)
class Wish:
    """What is asked of a file: columns (none: those of numbers), steps from `first` to before `stop`, and the rest."""

    columns: tuple[str, ...] = ()
    first: int = 0
    stop: int | None = None
    missing: str | None = None
    transpose: bool = False


@dataclass(frozen=True)
class Brought:
    """What is known of the file that was brought, for the controls below it."""

    wish: Wish
    says: str
    choices: tuple[str, ...]
    chosen: tuple[str, ...]
    steps: int
    gaps: bool = False
    wide: bool = False


def own_controls(bench: Bench) -> None:
    """Typed numbers and files. What was typed stays, whether it could be read or not."""
    _typed_numbers(bench)
    upload(
        tr("Table (CSV, Excel, Parquet) or array (npy): one step a line"), TABLES, bench,
        lambda given: _take(bench, given), key=_FILE,
    )  # fmt: skip
    given, brought = st.session_state.get(_FILE), st.session_state.get(_BROUGHT)
    if given is None:
        st.session_state.pop(_BROUGHT, None)
    elif brought is not None:
        _about(bench, given, brought)


def _typed_numbers(bench: Bench) -> None:
    """The box shows the numbers that are loaded, or what was typed last and could not be read."""

    def typed() -> None:
        text = st.session_state["own.text"]
        bench.attempt(lambda: _of_text(bench, text))
        st.session_state["own.kept"] = (text, bench.experiment.sequence)

    text, at = st.session_state.get("own.kept", ("", None))
    st.session_state["own.text"] = text if at == bench.experiment.sequence else _as_typed(bench.experiment)
    st.text_area(
        tr("Numbers: one step a line, or separated by commas"),
        key="own.text",
        on_change=typed,
        height=100,
        placeholder="0, 0.5, 1, 0.5, 0",
    )


def _of_text(bench: Bench, text: str) -> Experiment:
    if len(text) > MAX_OWN:
        raise ValueError(tr("The text is longer than {most} million characters.", most=MAX_OWN // 10**6))
    array = parse_numbers(text)
    return bench.experiment.changed(sequence=Input.of_values(array), input_size=array.shape[1])


def _as_typed(experiment: Experiment) -> str:
    """Own numbers as somebody would type them; nothing where they are too many to read."""
    seq, width = experiment.sequence, experiment.input_size
    if seq.kind != "values" or seq.length * width > _LONGEST_TYPED // 8:
        return ""
    rows = [", ".join(map(str, row)) for row in sequences.generate(seq, width)]  # as short as float32 allows
    return (", " if width == 1 else "\n").join(rows)


# A file


def _take(bench: Bench, given: Any, wish: Wish | None = None) -> Experiment:
    """The experiment on what a file holds. What is said of it, and what can be chosen, is kept for the controls."""
    wish = wish or Wish()
    data = given.getvalue()
    if len(data) > MAX_OWN:
        raise ValueError(tr("The file is larger than {most} MB.", most=MAX_OWN // 10**6))
    rows = None if wish.stop is None else slice(wish.first, wish.stop)
    old: Brought | None = st.session_state.get(_BROUGHT) if wish != Wish() else None
    st.session_state.pop(_BROUGHT, None)
    try:
        table = read(
            data, given.name, columns=wish.columns or None, rows=rows, missing=wish.missing, transpose=wish.transpose,
            most_rows=MAX_ROWS, keep=True,
        )  # fmt: skip
    except MissingValues as gap:
        st.session_state[_BROUGHT] = Brought(wish, _missing(gap), gap.choices, gap.chosen, gap.steps, gaps=True)
        raise ValueError(gap.place) from gap
    except ValueError:
        if old:
            st.session_state[_BROUGHT] = old
        raise
    steps = old.steps if old and rows else len(table.values)
    shown = table.values[:MAX_STEPS]
    wide = wish.transpose or (len(table.values) > 1 and table.values.shape[1] >= max(20, 5 * len(table.values)))
    chosen = tuple(name for name in table.choices if name in table.names)
    wish = replace(wish, stop=wish.stop if rows else min(steps, MAX_STEPS))
    st.session_state[_BROUGHT] = Brought(wish, _says(table, steps, rows), table.choices, chosen, steps, wide=wide)
    labels = table.labels[: len(shown)] if table.labels else ()
    sequence = Input.of_values(shown, table.names if table.named else (), labels)
    return bench.experiment.changed(sequence=sequence, input_size=shown.shape[1])


def _missing(gap: MissingValues) -> Sentence:
    return trn(
        "One number is missing. What shall be done?", "{count:,} numbers are missing. What shall be done?", gap.count
    )


def _says(table: Table, steps: int, rows: slice | None) -> Sentence:
    """What the table is, and how much of it the picture shows."""
    if rows is None and steps > MAX_STEPS:
        shown = tr(
            "The picture shows the first {most:,} of {steps}; others can be chosen.",
            most=MAX_STEPS,
            steps=trn("{count:,} step", "{count:,} steps", steps),
        )
        return tr("{first} {second}", first=table.says, second=shown)
    if rows is not None and len(table.values) > MAX_STEPS:
        shown = tr("The picture shows the first {most:,} of those steps.", most=MAX_STEPS)
        return tr("{first} {second}", first=table.says, second=shown)
    return table.says


def _about(bench: Bench, given: Any, brought: Brought) -> None:
    """What is said of the file, and the choice of columns and steps."""
    st.caption(literal(again(brought.says)))

    def again_with(**changes: Any) -> None:
        bench.attempt(lambda: _take(bench, given, replace(brought.wish, **changes)))

    if brought.gaps:
        for word in MENDS:
            st.button(MENDS[word], key=f"own.{word}", on_click=again_with, kwargs={"missing": word}, width="stretch")
    if len(brought.choices) > 1 and not brought.wish.transpose:
        controlled(
            st.multiselect, tr("Columns"), [c for c in brought.chosen if c in brought.choices],
            lambda names: again_with(columns=tuple(names)), key="own.columns", options=list(brought.choices),
        )  # fmt: skip
    if brought.steps > 1 and not brought.wish.transpose:
        _range(bench, brought, again_with)
    if brought.wide:
        controlled(
            st.checkbox, tr("Each line is an input, each column a step"), brought.wish.transpose,
            lambda turned: again_with(transpose=turned, columns=(), first=0, stop=None), key="own.turned",
        )  # fmt: skip


def _range(bench: Bench, brought: Brought, again_with: Any) -> None:
    """The first and the last step; moving the first past the last takes the last along."""
    wish, most = brought.wish, brought.steps
    stop = most if wish.stop is None else min(wish.stop, most)

    def from_(first: int) -> None:
        first = min(first, most - 1)
        end = (
            stop if first < stop <= first + MAX_STEPS else min(most, first + min(MAX_STEPS, max(1, stop - wish.first)))
        )
        again_with(first=first, stop=end)

    def to(last: int) -> None:
        again_with(stop=max(wish.first, last) + 1)

    left, right = st.columns(2)
    with left:
        whole_number(bench, tr("First step"), min(wish.first, most - 1), from_, 0, most - 1, key="own.first")
    with right:
        whole_number(bench, tr("Last step"), stop - 1, to, 0, most - 1, key="own.last")
