"""What every page shares: process-wide settings made once, and the stylesheet."""

from __future__ import annotations

import contextlib
import gc
import os
import socket
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import streamlit as st
import torch
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state.session_state import SessionState, WStates

import seqviz
from seqviz import language
from seqviz.figures.theme import css
from seqviz.language import LANGUAGES, tr
from seqviz.scope import pack
from seqviz.scope.hosts.streamlit import mount, tab
from seqviz.ui.bench import Bench
from seqviz.ui.controls import refuse

__all__ = ["follow", "go", "listen", "settle", "through_app"]


@st.cache_resource(show_spinner=False)
def _once() -> str:
    """Freeze what the imports made, so that later collections need not walk it."""
    gc.collect()
    gc.freeze()
    # Who computes hands the interpreter over ten times sooner than Python's 5 ms: an edit takes it several times.
    sys.setswitchinterval(0.0005)
    _send_at_once()
    _walk_copies()
    return seqviz.__version__


def _walk_copies() -> None:
    """Have Streamlit walk over a copy of what a session's widgets say, or walk once more.

    A run begins while the one before it still ends, each with a lock of its own around the same dict. Now and then
    that changed under the walk, and the run ended with a RuntimeError.
    """
    WStates.__iter__ = lambda self: iter(tuple(self.states))  # type: ignore[method-assign]
    leave_out = SessionState._remove_stale_widgets

    def patiently(self: SessionState, active: frozenset[str]) -> None:
        for _ in range(_TRIES - 1):
            try:
                return leave_out(self, active)
            except RuntimeError:  # what it walks over itself changed size: the other run is there for a moment
                continue
        return leave_out(self, active)

    SessionState._remove_stale_widgets = patiently  # type: ignore[assignment, method-assign]


def _send_at_once() -> None:
    """Turn Nagle's algorithm off on this process's TCP sockets; connections inherit it from the listening one.

    Streamlit binds its socket in a way that keeps asyncio from doing so (the socket's protocol number is 0). An
    answer is several small messages, and the last would wait some 40 ms for the browser's delayed acknowledgement.
    """
    open_files = Path("/dev/fd")
    for entry in open_files.iterdir() if open_files.is_dir() else ():
        try:
            if not stat.S_ISSOCK(os.fstat(int(entry.name)).st_mode):
                continue
            ours = os.dup(int(entry.name))
        except OSError:
            continue  # it was closed meanwhile
        try:
            twin = socket.socket(fileno=ours)
        except OSError:
            os.close(ours)
            continue
        with twin, contextlib.suppress(OSError):
            if twin.family in (socket.AF_INET, socket.AF_INET6) and twin.type == socket.SOCK_STREAM:
                twin.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def listen() -> None:
    """Say everything in the language that the person at the other end has switched to."""
    language.follow(_wanted)


def _wanted() -> str | None:
    if get_script_run_ctx(suppress_warning=True) is None:
        return None
    chosen = st.session_state.get("lang") or _in_address()
    return chosen if chosen in LANGUAGES else "en"


def _in_address() -> str | None:
    """The language that a link asks for; links from before there were several say ``zh=true``."""
    return st.query_params.get("lang") or ("zh" if st.query_params.get("zh") == "true" else None)


def _languages() -> None:
    """The choice of a language. A hidden field keeps its short name in the address, from page to page."""
    if "zh" in st.query_params and "lang" not in st.session_state:
        st.session_state["lang"] = language.current()
        asked = st.query_params.to_dict() | {"lang": language.current()}
        del asked["zh"]
        st.query_params.from_dict(asked)
    with st.container(key="language-kept"):
        st.selectbox(tr("Language"), [*LANGUAGES], key="lang", bind="query-params")
    st.menu_button(
        LANGUAGES[language.current()], [*LANGUAGES], format_func=LANGUAGES.__getitem__, key="language", type="tertiary",
        icon=":material/translate:", on_click=_chosen,
    )  # fmt: skip


def _chosen() -> None:
    st.session_state["lang"] = st.session_state["language"]


_TRIES = 20

STAGE = Path(__file__).with_name("stage.css")
"""A lecture: the picture fills the window."""


def settle(assets: Path, more: Callable[[], None]) -> None:
    """Prepare this run, with the icon and the style in `assets`; `more` is shown among the switches of every page.

    Script threads do not inherit torch's thread count, so each run sets it.
    """
    st.set_page_config(None, str(assets / "icon.svg"), "wide", "collapsed")
    torch.set_num_threads(1)
    _once()
    st.html(assets / "style.css")
    with st.container(key="switches", horizontal=True):
        more()
        _languages()
        st.toggle(
            tr("Lecture"), key="lecture", bind="query-params",
            help=tr(
                "The picture fills the window, in large type. ? lists its keys; a clicker's page keys move the step, "
                "and Esc leads back."
            ),
        )  # fmt: skip
    _keep_line()
    _unkept()
    st.html(f"<style>{css(stage=st.session_state['lecture'])}</style>")
    if st.session_state["lecture"]:
        st.html(STAGE)


def _keep_line() -> None:
    """The browser's line to this session, outside every part of a page that runs by itself.

    Nothing else is shown while the browser is asked for an experiment that only it has kept.
    """
    wants = tab.missing()
    with st.container(key="line"):
        message = pack({"panel": "tab"}, {})
        mount("tab", message, tab.bring, wants=wants)
    if wants:
        st.caption(tr("Fetching the experiment that this browser keeps …"))
        st.stop()


def _unkept() -> None:
    """That the browser cannot keep what it was asked to. Its place is always there, so that the page below it stays."""
    with st.container():
        if not tab.keeps():
            refuse(
                tr(
                    "This browser keeps nothing of this page: its storage is blocked or full. What is too long for the "
                    "address is lost when the page is loaded again; save it as a file."
                )
            )


def through_app() -> None:
    """Leave Streamlit's automatic navigation, and begin this run anew.

    Until ``st.navigation`` has been called once in a process, Streamlit takes a folder named ``pages`` for that
    navigation. The very first visit, if it is to a page's own address, would skip the app, and switches drawn under
    it would not stay in the address from page to page.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()


def go(page: str) -> NoReturn:
    """Open another page. Its address starts empty, but for the switches of every page: they are bound to it."""
    st.switch_page(f"pages/{page}.py", query_params={})


def follow(bench: Bench, here: str) -> None:
    """Go to the page that an event in the picture asked for."""
    page, bench.goto = bench.goto, ""
    if page and page != here:
        go(page)
