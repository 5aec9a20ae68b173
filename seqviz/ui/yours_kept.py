"""What the address of *Your network* holds, and what was brought there that the browser keeps for a reload."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import streamlit as st

from seqviz.scope.headers import Addressed
from seqviz.scope.hosts.streamlit.tab import MARK
from seqviz.ui.kept_files import TOO_LARGE, brought_back

if TYPE_CHECKING:
    from seqviz.ui.yours import Yours

__all__ = ["bring_back", "found_again", "keep", "place"]

FIELDS: Final = ("net", "data", "see")
_CHOICES: Final = {"stack": int, "layer": int, "batch": int, "first": int, "units": int, "reverse": bool, "whole": bool,
                   "sequence": int, "ahead": int, "level": int}  # fmt: skip
_WORDS: Final = {"scale": ("standardise", "to_range")}


def place(yours: Yours) -> Addressed:
    """What the address says; of what is missed, what it said."""
    said = {"net": yours.net_kept, "data": yours.data_kept, "see": _choices(yours)}
    said = {key: text or yours.missed.get(key, "") for key, text in said.items()}
    return {"address": urlencode({key: text for key, text in said.items() if text}), "fields": FIELDS}


def keep(yours: Yours) -> dict[str, str]:
    """What the browser keeps."""
    marked = [text for text in (yours.net_kept, yours.data_kept) if text.startswith(MARK)]
    return {text.removeprefix(MARK): "" for text in marked}


def _choices(yours: Yours) -> str:
    """How it is looked at, where that is not the default."""
    named = (*_CHOICES, *_WORDS, "apart", "columns", "wanted")
    said: dict[str, Any] = {name: found for name in named if (found := getattr(yours, name)) and found != -1}
    if yours.level == 0:
        said["level"] = 0
    if yours.ahead == 0:
        said["ahead"] = 0
    if yours.answers:
        said["answers"] = [[*key, answer] for key, answer in yours.answers.items()]
    return json.dumps(said, separators=(",", ":")) if said else ""


def bring_back(yours: Yours) -> None:
    """What the address names, out of what the browser has kept; what it has not is said, and missed."""
    _take_up(yours, {name: st.query_params.get(name, "") for name in FIELDS}, ("net", "data"))


def found_again(yours: Yours, name: str, marked: str) -> None:
    """A network or data were chosen: where they are what was missed, whatever else the address said comes with them."""
    if name == "data" and yours.example:  # of a network that is still missed
        return
    said, yours.missed = yours.missed, {}
    if said and said[name] == marked:
        _take_up(yours, said, ("data",) if name == "net" else ())


def _take_up(yours: Yours, said: dict[str, str], names: tuple[str, ...]) -> None:
    for name in names:
        if said[name].startswith((MARK, TOO_LARGE)):
            yours.attempt(partial({"net": _network, "data": _data}[name], yours, said[name]))
            if yours.problem:
                yours.missed = said
                return
    try:
        wanted = json.loads(said["see"] or "{}")
        _look(yours, wanted if isinstance(wanted, dict) else {})
    except (ValueError, TypeError, RecursionError):
        return  # an address that was changed by hand: the file is shown as at first


def _network(yours: Yours, marked: str) -> None:
    files, _ = brought_back(marked, "net")
    yours.take(files)


def _data(yours: Yours, marked: str) -> None:
    files, about = brought_back(marked, "data")
    (name, data), *_ = files.items()
    if about.get("typed"):
        yours.typed(data.decode("utf-8", "replace"))
    else:
        array = about.get("array")
        yours.bring(data, name, about.get("missing"), array=array if isinstance(array, str) else None,
                    turned=about.get("turned") is True)  # fmt: skip


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
