"""What the address of *Your network* holds, and what was brought there that the browser keeps for a reload."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import streamlit as st

from seqviz.language import tr
from seqviz.scope.headers import Addressed
from seqviz.scope.hosts.streamlit.tab import MARK, MAX_KEPT, fetch, shelve

if TYPE_CHECKING:
    from seqviz.ui.yours import Yours

__all__ = ["TOO_LARGE", "bring_back", "keep", "kept_file", "place"]

TOO_LARGE: Final = "too large"
"""In place of a mark: more than the browser keeps."""

FIELDS: Final = ("net", "data", "see")
_MOST_BYTES: Final = 2**28
_CHOICES: Final = {"stack": int, "layer": int, "batch": int, "first": int, "units": int, "reverse": bool, "whole": bool,
                   "sequence": int, "ahead": int}  # fmt: skip
_WORDS: Final = {"scale": ("standardise", "to_range")}


def kept_file(kind: str, files: Mapping[str, bytes], **more: Any) -> str:
    """The mark of files that the browser is to keep, with what has to be known of them."""
    if sum(map(len, files.values())) > MAX_KEPT:  # what is packed already grows by a third
        return TOO_LARGE
    rows = {name: base64.b64encode(zlib.compress(data, 1)).decode() for name, data in files.items()}
    text = json.dumps({"kind": kind, "files": rows, **more}, separators=(",", ":"))
    return shelve(text) if len(text) <= MAX_KEPT else TOO_LARGE


def place(yours: Yours) -> Addressed:
    """What the address says."""
    said = {"net": yours.net_kept, "data": yours.data_kept, "see": _choices(yours)}
    return {"address": urlencode({key: text for key, text in said.items() if text and text != TOO_LARGE}),
            "fields": FIELDS}  # fmt: skip


def keep(yours: Yours) -> dict[str, str]:
    """What the browser keeps."""
    marked = [text for text in (yours.net_kept, yours.data_kept) if text.startswith(MARK)]
    return {text.removeprefix(MARK): "" for text in marked}


def _choices(yours: Yours) -> str:
    """How it is looked at, where that is not the default."""
    named = (*_CHOICES, *_WORDS, "apart", "columns", "wanted")
    said: dict[str, Any] = {name: found for name in named if (found := getattr(yours, name))}
    if yours.ahead == 0:
        said["ahead"] = 0
    if yours.answers:
        said["answers"] = [[*key, answer] for key, answer in yours.answers.items()]
    return json.dumps(said, separators=(",", ":")) if said else ""


def bring_back(yours: Yours) -> None:
    """What the address names, out of what the browser has kept; what it has not is said."""
    given = st.query_params
    for name, take in (("net", _network), ("data", _data)):
        if (marked := given.get(name, "")).startswith(MARK):
            yours.attempt(partial(take, yours, marked))
            if yours.problem:
                return
    try:
        wanted = json.loads(given.get("see", "{}"))
        _look(yours, wanted if isinstance(wanted, dict) else {})
    except (ValueError, TypeError, RecursionError):
        return  # an address that was changed by hand: the file is shown as at first


def _files(marked: str, kind: str) -> tuple[dict[str, bytes], dict[str, Any]]:
    code = fetch(marked)
    if code is None:
        raise ValueError(tr("This browser has not kept the file that its address names; choose the file again."))
    try:
        document = json.loads(code)
        if document["kind"] != kind:
            raise ValueError("another kind")
        files = {str(name): _unpacked(text) for name, text in document["files"].items()}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, binascii.Error, zlib.error) as error:
        raise ValueError(tr("What this browser has kept cannot be read; choose the file again.")) from error
    return files, document


def _unpacked(text: str) -> bytes:
    unpacker = zlib.decompressobj()
    data = unpacker.decompress(base64.b64decode(text, validate=True), _MOST_BYTES)
    if not unpacker.eof:
        raise ValueError("cut short")
    return data


def _network(yours: Yours, marked: str) -> None:
    files, _ = _files(marked, "net")
    yours.take(files)


def _data(yours: Yours, marked: str) -> None:
    files, about = _files(marked, "data")
    (name, data), *_ = files.items()
    if about.get("typed"):
        yours.typed(data.decode("utf-8", "replace"))
    else:
        yours.bring(data, name, about.get("missing"))


def _look(yours: Yours, wanted: dict[str, Any]) -> None:
    for name, kind in _CHOICES.items():
        value = wanted.get(name)
        if type(value) is kind and isinstance(value, int) and 0 <= value < 2**31:
            setattr(yours, name, value)
    if yours.file is not None:
        yours.stack = min(yours.stack, len(yours.file.stacks) - 1)
    if wanted.get("scale") in _WORDS["scale"]:
        yours.scale = wanted["scale"]
    known = yours.table.names if yours.table is not None else ()
    yours.apart = next((name for name in yours.groups if wanted.get("apart") == name), yours.apart)
    for each in ("columns", "wanted"):
        names = wanted.get(each)
        if isinstance(names, list):
            setattr(yours, each, [name for name in names if name in known])
    for row in wanted.get("answers", []):
        stack, name, answer = row
        _answer(yours, str(stack), str(name), answer)


def _answer(yours: Yours, stack: str, name: str, answer: Any) -> None:
    """An answer, where its question is asked and it is one of those that may be given."""
    for each in yours.file.stacks if yours.file is not None else ():
        for question in each.asked:
            if (each.name, question.name) == (stack, name) and answer in question.choices:
                yours.answers[stack, name] = answer
