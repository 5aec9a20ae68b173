"""What a person brings to learn from, one text or table a session; the browser keeps it for a reload."""

from __future__ import annotations

from typing import Final, NamedTuple

import streamlit as st

from seqviz.language import tr
from seqviz.scope.hosts.streamlit.tab import MARK
from seqviz.ui.controls import literal
from seqviz.ui.kept_files import TOO_LARGE, brought_back, kept_file

__all__ = ["Brought", "bring_back", "brought", "data_mark", "file_to_learn", "take"]

_HOME: Final = "train.brought"


class Brought(NamedTuple):
    """Data to learn from.

    Attributes:
        kind: the name of the choice that takes it, ``own_text`` or ``own_series``.
        name: of its file; empty where it was typed.
        data: what is in it.
        marked: the mark of what the browser keeps of it, or why it keeps none.
    """

    kind: str
    name: str
    data: bytes
    marked: str


def brought(kind: str) -> Brought | None:
    """What this session has of a kind."""
    found: Brought | None = st.session_state.get(_HOME)
    return found if found is not None and found.kind == kind else None


def take(kind: str, name: str, data: bytes) -> None:
    """Learn from this; from nothing where it is empty and was typed."""
    st.session_state[_HOME] = Brought(kind, name, data, kept_file(kind, {name: data})) if name or data else None


def bring_back(kind: str, marked: str) -> None:
    """What an address names, out of what the browser has kept.

    Raises:
        ValueError: the browser has not kept it, in one sentence.
    """
    if marked.startswith((MARK, TOO_LARGE)):
        files, _ = brought_back(marked, kind)
        for name, data in files.items():
            st.session_state[_HOME] = Brought(kind, name, data, marked)


def data_mark(kind: str) -> str:
    """The mark of what the browser keeps, or what it was too large to; empty where there is nothing."""
    found = brought(kind)
    return found.marked if found is not None else ""


def file_to_learn(label: str, types: list[str], kind: str, *, key: str) -> Brought | None:
    """A file to learn from. After a reload its field is empty, and says which file is there all the same."""

    def chosen() -> None:
        given = st.session_state[key]
        if given is not None:
            take(kind, given.name, given.getvalue())
        elif (had := brought(kind)) is not None and had.name:
            st.session_state[_HOME] = None

    given = st.file_uploader(label, type=types, key=key, on_change=chosen)
    if brought(kind) is None and given is not None:  # what was typed in its place is gone again
        take(kind, given.name, given.getvalue())
    found = brought(kind)
    if found is not None and found.name and given is None:
        st.caption(literal(found.name))
    if found is not None and found.marked.startswith(TOO_LARGE):
        st.caption(tr("This file is too large for the browser to keep: after a reload, choose it again."))
    return found
