"""What the address of the training page holds, and what of its networks the browser keeps for a reload."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

import streamlit as st

from seqviz.language import reason, tr
from seqviz.scope.headers import Addressed
from seqviz.scope.hosts.streamlit.tab import MARK, MAX_KEPT, fetch, shelve
from seqviz.tasks import TASKS
from seqviz.training import Course, recipes_of
from seqviz.training.written import from_text, to_text
from seqviz.ui.kept_files import TOO_LARGE
from seqviz.ui.trainer import WHICH, Trainer
from seqviz.ui.training_choices import MOST_SEEDS, OWN
from seqviz.ui.training_data import bring_back, brought, data_mark

__all__ = ["PROBLEM", "begun", "kept_run", "place"]

PROBLEM: Final = "training.problem"
"""The session key of why the networks that an address names are not there."""

_KEPT: Final = "training.mark"
_BEGUN: Final = "training.begun"
SWITCHES: Final = {"own": "train.race.own", "equal": "train.race.equal"}
"""The switches of a race, by what they are called in an address."""
NUMBERS: Final = {"seed": ("train.seed", 0, 10_000), "seeds": ("train.race.seeds", 1, MOST_SEEDS)}
"""The numbers: their fields, and from what to what they go. The first is the default."""
LOOK: Final = ("shown", "checkpoint")
"""Which network of a race is shown, and where the scrubber stands; where it follows the training neither is said."""
FIELDS: Final = ("task", "recipe", *NUMBERS, *SWITCHES, *LOOK, "run", "data")
_LONGEST: Final = 80
_AT: Final = "train.at"


def begun(work: Trainer) -> None:
    """What a session begins with: the choices in the address, and the networks that the browser kept."""
    if _BEGUN in st.session_state:
        return
    st.session_state[_BEGUN] = True
    given = st.query_params
    if (name := given.get("task", "")) in (*TASKS, *OWN):
        st.session_state.setdefault("train.task.kept", name)
        learned = name.removeprefix("own_")
        if (recipe := given.get("recipe")) in recipes_of(learned):
            st.session_state.setdefault(f"train.recipe.{learned}.kept", recipe)
    for field, (key, low, high) in NUMBERS.items():
        if (asked := _number(given.get(field, ""), low, high)) is not None:
            st.session_state.setdefault(f"{key}.kept", asked)
    if shown := given.get("shown", "")[:_LONGEST]:
        st.session_state.setdefault(WHICH, shown)
    if (at := _number(given.get("checkpoint", ""), 0, 99_999)) is not None:
        st.session_state.setdefault(_AT, at)
    for field, key in SWITCHES.items():
        if given.get(field) == "1":
            st.session_state.setdefault(f"{key}.kept", True)
    try:
        if name in OWN and brought(name) is None:
            bring_back(name, given.get("data", ""))
    except ValueError as refusal:
        st.session_state[PROBLEM] = reason(refusal)
    if not work.courses and (marked := given.get("run", "")).startswith((MARK, TOO_LARGE)):
        _bring_back(work, marked)


def _number(text: str, low: int, high: int) -> int | None:
    """A whole number of an address; None where it is none, or out of its range."""
    fits = text.isascii() and text.isdecimal() and len(text) < 6 and low <= int(text) <= high
    return int(text) if fits else None


def _bring_back(work: Trainer, marked: str) -> None:
    code = fetch(marked)
    try:
        if marked.startswith(TOO_LARGE):
            raise ValueError(tr("The networks of this training were too large for this browser to keep; train them "
                                "again."))  # fmt: skip
        if code is None:
            raise ValueError(tr("This browser has not kept the networks of this training; train them again."))
        courses = [Course.of(kept) for kept in from_text(code)]
    except ValueError as refusal:
        st.session_state[PROBLEM] = reason(refusal)
        return
    work.put(courses)
    st.session_state[_KEPT] = (_stand(courses), marked)


def kept_run(courses: list[Course], running: bool) -> str:
    """The mark of what the browser keeps of a run: all of it at its end, and on the way as often as it has doubled.

    Empty where it is too much to keep.
    """
    now = _stand(courses)
    known, marked = st.session_state.get(_KEPT, ((0, 0), ""))
    early = running and known[0] == now[0] and now[1] < 2 * known[1]
    if known == now or early or not now[1]:
        return str(marked) if known[0] == now[0] else ""
    text = to_text([each.kept() for each in courses if each.checkpoints], MAX_KEPT)
    marked = shelve(text) if text else ""
    st.session_state[_KEPT] = (now, marked)
    return marked


def _stand(courses: list[Course]) -> tuple[int, int]:
    """Which run, and how far it has come."""
    return courses[0].run if courses else 0, sum(c.checkpoints[-1].step + 1 for c in courses if c.checkpoints)


def _looked(courses: list[Course]) -> dict[str, str]:
    """Which network is shown, and at which checkpoint, as an address says it."""
    at = st.session_state.get(_AT)
    shown = st.session_state.get(WHICH) if len(courses) > 1 else None
    others = shown in {course.name for course in courses[:-1]}
    return dict(zip(LOOK, (str(shown) if others else "", "" if at is None else str(at)), strict=True))


def place(marked: str, courses: list[Course]) -> Addressed:
    """What the address says."""
    home = st.session_state
    name = home.get("train.task.kept", "")
    said = {
        "task": name,
        "recipe": home.get(f"train.recipe.{name.removeprefix('own_')}.kept", ""),
        **{field: _said(home.get(f"{key}.kept"), low) for field, (key, low, _) in NUMBERS.items()},
        **{field: "1" if home.get(f"{key}.kept") else "" for field, key in SWITCHES.items()},
        **_looked(courses),
        "run": marked or (TOO_LARGE if any(course.checkpoints for course in courses) else ""),
        "data": data_mark(name),
    }
    recipes = recipes_of(name.removeprefix("own_"))
    if said["recipe"] == next(iter(recipes), ""):
        said["recipe"] = ""
    if name == next(iter(TASKS)) and not said["recipe"]:
        said["task"] = ""
    return {"address": urlencode({key: text for key, text in said.items() if text}), "fields": FIELDS}


def _said(number: float | None, usual: int) -> str:
    """A number in an address; nothing where it is the usual one."""
    return "" if number in (None, usual) else f"{number:.0f}"
