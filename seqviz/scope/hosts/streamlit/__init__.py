"""The scope in a Streamlit page: a component that hosts Plotly, and the browser tab it lies in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import streamlit as st

from seqviz.kept import answered, answering
from seqviz.scope.headers import Addressed
from seqviz.scope.hosts.streamlit import tab

__all__ = ["mount"]


@cache
def _component() -> Callable[..., Any]:
    return st.components.v2.component(
        "seqviz.scope",
        html='<div class="sv-root"></div>',
        js="hosts/streamlit.js",
        css="hosts/streamlit.css",
        isolate_styles=False,
    )


def mount(
    key: str,
    message: bytes,
    on_event: Callable[[dict[str, Any]], None],
    keep: Mapping[str, str] | None = None,
    wants: list[str] | None = None,
    place: Addressed | None = None,
) -> None:
    """Draw a packed message; `on_event` gets each thing the person does, before the rerun.

    `keep`, `wants` and `place` are of :func:`tab.tail`: what the browser keeps for a reload, what it has to give, and
    the address of a page whose pictures have none of their own.
    """

    def handle() -> None:
        # A picture may still speak when its page has been left.
        answering()
        for event in tab.fresh(key, st.session_state.get(key, {}).get("edit")):
            on_event(event)

    _component()(key=key, data=message + tab.tail(key, keep, wants, place), on_edit_change=handle)
    answered()
