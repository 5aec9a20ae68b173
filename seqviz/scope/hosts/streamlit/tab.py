"""One browser tab and the session that serves it: what was heard of what the hand did, and what the browser keeps.

A session may be replaced: the server was started again, or nobody was connected for too long. The new one knows
nothing, and the browser (``web/tab.js``) has it run the page anew, sends again what was not heard, and hands over
experiments that are too long for an address.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from seqviz.kept import Shelf
from seqviz.scope.headers import Addressed, Tail
from seqviz.scope.library import FOLDER, address

__all__ = [
    "LONG",
    "MARK",
    "MAX_KEPT",
    "bring",
    "code_of",
    "fetch",
    "fresh",
    "keeps",
    "mark",
    "missing",
    "shelve",
    "tail",
]

MARK: Final = "~"
"""What an address has before the digest of an experiment that is too long for it."""

LONG: Final = "*"
"""The same among the settings of a lesson's steps, which a mark parts."""

MAX_KEPT: Final = 12 * 2**20
"""Characters of an experiment's code that a browser is asked to keep."""

_CODES: Final = Shelf(4 * MAX_KEPT)
"""Codes of experiments too long for an address, by digest; the browser fetches here what it is to keep."""

_HEARD: Final = "tab.heard"
_BROUGHT: Final = "tab.brought"
_KEEPS: Final = "tab.keeps"
_MOST: Final = 1000
_MOST_MISSING: Final = 32
_NAMES: Final = ("e", "b", "lesson", "run", "net", "data")
"""What in an address may be a mark."""
_DIGEST: Final = re.compile(r"[0-9a-f]{32}")


def fresh(key: str, sent: Any) -> Iterator[dict[str, Any]]:
    """The events of a picture that had not been heard: the browser sends all that it has no word of, numbered."""
    if isinstance(sent, dict) and "type" in sent:  # a host without a line of this kind sends one at a time
        yield sent
        return
    if not isinstance(sent, dict) or not isinstance(sent.get("events"), list):
        return
    load = sent.get("load")
    if not isinstance(load, str) or len(load) > 64:
        return
    heard = _heard(load)
    for row in sent["events"][:_MOST]:
        if not isinstance(row, list) or len(row) != 2 or not isinstance(row[0], int) or not isinstance(row[1], dict):
            continue
        number, event = row
        if number > heard.get(key, 0):
            heard[key] = number
            yield event


def _heard(load: str) -> dict[str, int]:
    """The last number heard of each picture since the page was loaded; `load` is the name of that loading."""
    known: tuple[Any, dict[str, int]] | None = st.session_state.get(_HEARD)
    if known is None or known[0] != load:
        known = st.session_state[_HEARD] = (load, {})
    return known[1]


def tail(
    key: str,
    keep: Mapping[str, str] | None = None,
    wants: list[str] | None = None,
    place: Addressed | None = None,
) -> bytes:
    """What every message says beside its picture: JSON padded to 4 bytes, ``tab ``, and its length.

    Args:
        key: of the picture.
        keep: what the browser keeps for a reload, by digest; nothing as a code where it lies here already.
        wants: digests of such that this session needs back.
        place: what the address says, where the picture does not write it.
    """
    context = get_script_run_ctx(suppress_warning=True)
    load, heard = st.session_state.get(_HEARD) or (None, {})
    for digest, code in (keep or {}).items():
        if code:
            _CODES.put(digest, code)
    about: Tail = {
        "key": key,
        "session": context.session_id if context else "",
        "load": load,
        "heard": heard,
        "keep": list(keep or {}),
        "wants": wants or [],
        "place": place,
        "folder": FOLDER,
        "plotly": address(),
    }
    text = json.dumps(about, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    return text + struct.pack("<4sI", b"tab ", len(text))


def shelve(code: str) -> str:
    """Lay something down for the browser to fetch and keep; its mark."""
    marked = mark(code)
    _CODES.put(marked.removeprefix(MARK), code)
    return marked


def mark(code: str) -> str:
    """What stands in an address in place of a code that is too long for it."""
    return MARK + sha256(code.encode()).hexdigest()[:32]


def fetch(marked: str) -> str | None:
    """The code that a mark in an address stands for; None where neither this process nor the browser has it."""
    digest = marked.removeprefix(MARK)
    brought: dict[str, str | None] = st.session_state.get(_BROUGHT, {})
    code: str | None = _CODES.peek(digest) or brought.get(digest)
    if digest in brought:
        brought[digest] = None  # it is the bench's now
    return code


def code_of(digest: str) -> str | None:
    """The code that a browser is to keep."""
    code: str | None = _CODES.peek(digest)
    return code


def missing() -> list[str]:
    """Digests in the address of what only the browser can have, and has not been asked for yet."""
    brought = st.session_state.get(_BROUGHT, {})
    given = [st.query_params.get(name, "") for name in _NAMES]
    digests = [text[1:] for text in given if text.startswith(MARK)]
    digests += [text.rpartition(LONG)[2] for text in st.query_params.get("mine", "").split(MARK) if LONG in text]
    digests = [digest for digest in digests if _DIGEST.fullmatch(digest)][:_MOST_MISSING]
    return [digest for digest in digests if _CODES.peek(digest) is None and digest not in brought]


def keeps() -> bool:
    """Whether the browser could keep what it was last asked to."""
    return bool(st.session_state.get(_KEEPS, True))


def bring(event: Mapping[str, Any]) -> None:
    """What the browser says: whether it can keep what it is asked to, and codes by digest, in answer to what was
    missing; None where it has not got one."""
    codes = event.get("codes")
    if isinstance(able := event.get("keeps"), bool):
        st.session_state[_KEEPS] = able
    if not isinstance(codes, dict):
        return
    brought = st.session_state.setdefault(_BROUGHT, {})
    for digest, code in list(codes.items())[:_MOST_MISSING]:
        whole = isinstance(code, str) and len(code) <= MAX_KEPT and mark(code) == MARK + str(digest)
        brought[str(digest)[:32]] = code if whole else None
        if whole:
            _CODES.put(digest, code)
