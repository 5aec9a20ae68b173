"""The list of lessons, in the order in which they are taught, and a person's own file."""

from __future__ import annotations

from typing import Any

import streamlit as st

from seqviz.language import reason, tr, trn
from seqviz.lessons import Lesson, LessonError, plain, read, shipped
from seqviz.scope.hosts.streamlit.tab import mark
from seqviz.ui.controls import literal, refuse
from seqviz.ui.lesson_shelf import encoded, link_of, served, text_of
from seqviz.ui.playing import begin, playing, resume
from seqviz.ui.shell import go

__all__ = ["lead", "lessons_button", "way"]

_WAY = "lessons.way"


def lessons_button() -> None:
    """In the bar of every page."""
    if st.button(tr("Lessons"), key="lessons", type="tertiary", icon=":material/menu_book:"):
        st.dialog(tr("Lessons"), width="medium")(_list)()


def way() -> None:
    """The shipped lessons in a line, each one press away; nothing while one is played, or in a lecture."""
    now = playing()
    if now is not None and now.goto:
        st.rerun()
    if now is not None or st.session_state.get("lecture"):
        return
    with st.container(key="lessons-line"):
        st.pills(
            tr("Lessons"), range(1, len(shipped()) + 1), key=_WAY, on_change=_from_way, label_visibility="collapsed",
            format_func=lambda k: f"{k} {plain(shipped()[k - 1].short)}",
        )  # fmt: skip


def _from_way() -> None:
    """Open the lesson that was pressed; what is pressed does not stay."""
    chosen, st.session_state[_WAY] = st.session_state[_WAY], None
    if chosen is not None:
        begin(str(chosen), shipped()[chosen - 1])


def lead(here: str) -> None:
    """Go where the lesson is that is played; take one up that the address names."""
    if says := resume(here or "gates"):
        refuse(says)
    now = playing()
    if now is None:
        return
    page, now.goto = now.goto, ""
    if page and page != (here or "gates"):
        go(page)


def _list() -> None:
    st.caption(tr("Each is a few minutes long, and asks before it tells."))
    for k, lesson in enumerate(shipped(), 1):
        _entry(str(k), lesson, f"{k} · ")
    for name, own in served().items():
        if isinstance(own, LessonError):
            refuse(tr("{name}: {says}", name=name, says=reason(own)))
        else:
            _entry(name, own, "")
    given = st.file_uploader(tr("Your own lesson (YAML)"), type=["yaml", "yml"], key="lessons.own")
    if given is not None:
        _own(given)


def _entry(name: str, lesson: Lesson, number: str, code: str = "") -> None:
    short = name[:60]  # a lesson that is its own link has a long one
    with st.container(key=f"lesson-entry-{number or 'own'}{short}"):
        if st.button(number + literal(plain(lesson.title)), key=f"lessons.{short}", type="tertiary"):
            begin(name, lesson, code)
            st.rerun()
        minutes = trn("{count:g} minute", "{count:g} minutes", lesson.minutes)
        st.caption(f"{literal(plain(lesson.goal))} ({minutes})")


def _own(given: Any) -> None:
    """A lesson from a file of somebody's own, or every mistake in it with its line."""
    text = text_of(given.getvalue())
    try:
        lesson = read(text)
    except LessonError as error:
        for says in str(error).splitlines():
            refuse(says)
        return
    if link := link_of(text):
        _entry(link, lesson, "")
        st.caption(tr("Its address holds the whole lesson: open it, copy the link, and whoever has the link has it."))
        return
    code = encoded(text)
    _entry(mark(code), lesson, "", code)
    st.caption(tr("It is too long for an address: only this browser has it. A folder of the server's serves a class."))
