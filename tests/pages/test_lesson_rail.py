"""Every step of every shipped lesson as a person meets it, and what comes of hands, addresses and hostile files."""

from __future__ import annotations

import re

import pytest

from seqviz import lessons
from seqviz.ui import playing, rail

LESSONS = lessons.shipped()
PAGED = {"cell": "gates"}


def told(app, unpack):
    (found,) = [c for c in app.at.get("bidi_component") if c.key == "lesson"]
    return unpack(found.proto.bytes)[0]


def flat(parts):
    """The words of some elements."""
    return "".join(part if isinstance(part, str) else flat(part[2:]) for part in parts)


def plain(markdown):
    return re.sub(r"[\s*_`\\]", "", markdown)


def hand(app, unpack, **event):
    """The hand does something in the rail, and the page runs again; it goes where the lesson goes."""
    now = app.at.session_state["playing"]
    app.bench.stale = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(playing, "current", lambda: "en")
        patch.setattr(playing, "BENCHES", Benches(app))
        rail._heard(event, now, app.bench)
    app.run()
    return told(app, unpack)


class Benches(dict):
    """The benches of the session under test, by page: outside of a run there is no session to ask."""

    def __init__(self, app):
        super().__init__()
        self.app = app

    def __missing__(self, page):
        room = page if page in ("gradients", "compare") else "gates"
        return lambda: self.app.at.session_state[f"bench.{room}"]


@pytest.mark.parametrize("number", range(1, len(LESSONS) + 1))
def test_every_step_says_what_was_measured_and_shows_its_experiment(visit, unpack, number):
    lesson = LESSONS[number - 1]
    for k, step in enumerate(lesson.steps):
        app = visit(step.page, lesson=str(number), at=step.id)
        header = told(app, unpack)
        assert (header["at"], header["title"]) == (k, lessons.plain(lesson.title, "en"))
        if step.page != "training":
            assert app.experiment == step.experiment("en")
            assert app.bench.baseline == step.baseline("en")
        assert not header["changed"]
        assert not header["elsewhere"]
        spot = header["spot"]
        assert (spot["step"], spot["unit"], spot["light"]) == (step.step, step.unit, list(step.light))
        if step.guess:
            assert flat(header["guess"]["asks"]).strip()
            assert header["says"] == []
            assert {choice["right"] for choice in header["guess"]["choices"]} == {None}
            assert all(choice["reply"] == [] for choice in header["guess"]["choices"])
            assert spot["cover"] == list(step.cover)
        elif step.say:
            assert plain(flat(header["says"])) == plain(step.written(step.say, "en"))
        if step.task:
            assert not header["task"]["passed"]
            assert plain(flat(header["task"]["does"])) == plain(step.written(step.task.do, "en"))
        assert app.warnings == []
