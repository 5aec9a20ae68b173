"""What every page shares, where a whole app is not needed to see it."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from seqviz.scope.hosts import streamlit
from seqviz.scope.hosts.streamlit import tab
from seqviz.ui import shell

OPEN = Path("/dev/fd")


@pytest.mark.skipif(not OPEN.is_dir(), reason="this system does not list a process's open files")
def test_what_is_sent_leaves_at_once_and_no_file_stays_open():
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socketpair()[0]:
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
        before = len([*OPEN.iterdir()])
        shell._send_at_once()
        assert listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert len([*OPEN.iterdir()]) == before
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as taken:
            assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_what_a_picture_says_when_its_page_has_been_left_is_no_error(monkeypatch):
    made, heard = {}, []
    monkeypatch.setattr(streamlit, "_component", lambda: lambda **given: made.update(given))
    streamlit.mount("left", b"", heard.append)
    made["on_edit_change"]()
    assert heard == []


def test_a_browser_that_cannot_keep_what_it_is_asked_to_says_so(visit, monkeypatch):
    app = visit("training")
    assert app.warnings == []
    held: dict[str, object] = {}
    with monkeypatch.context() as patch:
        patch.setattr(tab.st, "session_state", held)
        for event in ({"keeps": False}, {"keeps": "yes"}, {"codes": None}):
            tab.bring(event)
    for name, value in held.items():
        app.at.session_state[name] = value
    (said,) = app.run().warnings
    assert said.startswith("This browser keeps nothing of this page")
