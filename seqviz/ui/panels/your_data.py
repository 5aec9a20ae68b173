"""The data for a network that somebody brought: a table, sequences or a text, and what of them it is given."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from seqviz import counted
from seqviz.language import again, reason, tr
from seqviz.reading import Table
from seqviz.ui.controls import controlled, into, literal, refuse, whole_number
from seqviz.ui.panels.own import MENDS
from seqviz.ui.yours import SCALES, Yours
from seqviz.ui.yours_kept import found_again

__all__ = ["your_data"]


def your_data(yours: Yours) -> None:
    """A file or what is typed, what it was read as, and what of it the network is given."""
    if yours.file is None:
        return

    def chosen() -> None:
        def bring(given: Any) -> None:
            yours.bring(given.getvalue(), given.name)
            found_again(yours, "data", yours.data_kept)

        if (given := st.session_state["yours.data"]) is not None:
            yours.attempt(lambda: bring(given))

    def typed() -> None:
        yours.attempt(lambda: yours.typed(st.session_state["yours.text"]))

    st.file_uploader(
        tr("Data: a table, one step a line, an array of sequences, or a text"), key="yours.data", on_change=chosen
    )
    if yours.gaps and yours.given is not None:
        for word in MENDS:
            mend = partial(yours.bring, *yours.given, word)
            st.button(MENDS[word], key=f"yours.{word}", width="stretch", on_click=yours.attempt, args=(mend,))
    with st.expander(tr("Type it instead"), key="yours-type"):
        st.text_area(tr("Numbers, one step a line, or a text"), key="yours.text", on_change=typed, height=100)
    if yours.table is not None:
        _columns(yours)


def _columns(yours: Yours) -> None:
    table = yours.table
    assert table is not None
    if yours.data_name:
        st.markdown(f"**{literal(yours.data_name)}**  \n{literal(again(table.says))}")
    _sequences(yours)
    names = [name for name in table.names if name != yours.apart]
    if len(names) > 1:
        inputs = counted.inputs(yours.takes)
        controlled(
            st.multiselect, tr("Columns, in the order of the {inputs}", inputs=inputs), yours.chosen,
            lambda names: setattr(yours, "columns", _there(yours, names)), key="yours.columns", options=names,
        )  # fmt: skip
    if not yours.takes_ids:
        controlled(
            st.segmented_control, tr("Each column"), yours.scale, lambda scale: setattr(yours, "scale", scale),
            key="yours.scale", options=list(SCALES), format_func=lambda scale: tr(SCALES[scale]), required=True,
        )  # fmt: skip
    try:
        for says in yours.inputs().says:
            st.caption(literal(says))
    except ValueError as refusal:
        refuse(reason(refusal))


def _there(yours: Yours, names: list[str]) -> list[str]:
    """Columns of the table that is there now: a choice may come that was made of the one before."""
    return [name for name in names if yours.table is not None and name in yours.table.names]


def _sequences(yours: Yours) -> None:
    """Which rows of the table are one sequence, where the file or a column may tell."""
    groups = yours.groups
    if yours.given is not None and yours.table is not None and yours.table.arrays:
        _arrays(yours, yours.given, yours.table)
    elif groups:
        controlled(
            st.selectbox, tr("A new sequence begins with each"), yours.apart,
            lambda name: setattr(yours, "apart", name), key="yours.apart", options=["", *groups],
            format_func=lambda name: name or tr("nothing: the table is one sequence"),
        )  # fmt: skip
    if yours.apart in groups:
        count = len(groups[yours.apart])
        whole_number(
            yours, tr("Sequence, of {count}", count=count), yours.sequence, into(yours, "sequence"), 0, count - 1,
            key="yours.sequence",
        )  # fmt: skip


def _arrays(yours: Yours, given: tuple[bytes, str], table: Table) -> None:
    """Which of a file's arrays the data are, and what its axes are."""

    def bring(array: str, turned: bool) -> None:
        yours.attempt(lambda: yours.bring(*given, array=array, turned=turned))

    if len(table.arrays) > 1:
        controlled(
            st.selectbox, tr("Array in the file"), table.array, lambda array: bring(array, False), key="yours.array",
            options=list(table.arrays),
        )  # fmt: skip
    if table.starts is not None or yours.turned:
        controlled(
            st.segmented_control, tr("Its axes"), yours.turned, lambda turned: bring(table.array, turned),
            key="yours.turned", options=[False, True], required=True,
            format_func=lambda turned: tr("steps, sequences") if turned else tr("sequences, steps"),
        )  # fmt: skip
