"""Every step of every shipped lesson as a person meets it, and what comes of hands, addresses and hostile files."""

from __future__ import annotations

import base64
import re
import zlib
from urllib.parse import parse_qs

import pytest

from seqviz import lessons
from seqviz.lessons.experiments import changed
from seqviz.lessons.markdown import elements
from seqviz.lessons.shipped import FOLDER
from seqviz.scope.hosts.streamlit import tab
from seqviz.ui import playing, rail
from seqviz.ui.lesson_shelf import find, link_of

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


def test_a_hand_answers_sets_goes_on_and_comes_back(visit, unpack):
    app = visit(lesson="4", at="ten-times")
    step = LESSONS[3].step("ten-times")
    right = [choice.right for choice in step.guess.choices].index(True)
    header = hand(app, unpack, type="guess", choice=right)
    assert [choice["right"] for choice in header["guess"]["choices"]] == [c.right for c in step.guess.choices]
    assert header["spot"]["cover"] == []
    assert parse_qs(header["address"])["did"] == [f"ten-times.{right}"]
    header = hand(app, unpack, type="go", at=6)
    assert (header["at"], header["task"]["passed"]) == (6, False)
    header = hand(app, unpack, type="set", name="f.0.bias", value=4.2)
    assert (header["task"]["passed"], header["changed"]) == (False, True)
    assert header["task"]["says"] == "half-life of c, in steps: 47; more than 50 is asked."
    header = hand(app, unpack, type="set", name="f.0.bias", value=4.3)
    assert header["task"]["passed"]
    mine = app.experiment
    header = hand(app, unpack, type="go", at=1)
    asked = parse_qs(header["address"])
    again = visit("gates", **{name: values[0] for name, values in asked.items()})
    assert told(again, unpack)["steps"] == header["steps"]
    hand(app, unpack, type="go", at=6)
    assert app.experiment == mine
    assert not hand(app, unpack, type="back")["changed"]


def test_what_was_set_at_another_step_and_is_too_long_for_an_address_is_kept_by_the_browser(visit, unpack, monkeypatch):
    monkeypatch.setattr(playing, "_MOST_OWN", 50)
    app = visit(lesson="4", at="fifty")
    hand(app, unpack, type="set", name="f.0.bias", value=4.3)
    mine = app.experiment
    header = hand(app, unpack, type="go", at=1)
    asked = {name: values[0] for name, values in parse_qs(header["address"]).items()}
    step, digest = asked["mine"].split(".*")
    assert (step, [digest]) == ("fifty", app.tail("lesson")["keep"])
    again = visit(**asked)
    hand(again, unpack, type="go", at=6)
    assert again.experiment == mine
    tab._CODES.clear()  # the server was started again
    assert visit(**asked).tail("tab")["wants"] == [digest]


NONSENSE = [
    {},
    {"type": "set", "name": "i.0.bias", "value": 1},
    {"type": "set", "name": "f.0.bias", "value": "x"},
    {"type": "go", "at": "x"},
    {"type": "guess", "choice": 9},
]


@pytest.mark.parametrize("event", NONSENSE)
def test_what_a_hand_cannot_mean_changes_nothing(visit, unpack, event):
    app = visit(lesson="4", at="fifty")
    before = app.experiment
    assert hand(app, unpack, **event)["at"] == 6
    assert app.experiment == before


@pytest.mark.parametrize("name", ["99", "0", "nothing", "../../etc/passwd", "<b>", "³", "", "1" * 500_000])
def test_an_address_of_no_lesson_is_answered_with_a_sentence(visit, name):
    app = visit(lesson=name)
    assert len(app.warnings) == 1
    assert app.at.session_state["playing"] is None if "playing" in app.at.session_state else True


@pytest.mark.parametrize("did", ["half.1~~x.9~ten-times.77~fifty.p", "." * 9000, "~" * 500])
def test_answers_of_an_address_that_mean_nothing_are_left_out(visit, unpack, did):
    header = told(visit(lesson="4", at="2", did=did, mine=did), unpack)
    assert set(parse_qs(header["address"]).get("did", ["fifty.p"])) == {"fifty.p"}


def test_a_folder_of_lessons_is_served_and_a_mistake_has_its_line(visit, unpack, tmp_path, monkeypatch):
    text = (FOLDER / "04-forget-gate.yaml").read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "bad.yaml").write_text(text.replace("page: cell", "page: cells", 1), encoding="utf-8")
    monkeypatch.setenv("SEQVIZ_LESSONS", str(tmp_path))
    assert told(visit(lesson="mine", at="2"), unpack)["title"] == "The forget gate"
    (says,) = visit(lesson="bad").warnings
    assert re.match(r"Line \d+: 'cells' will not do", says)


def test_a_link_holds_a_whole_lesson(visit, unpack):
    """And one that was cut short, changed, or is a bomb gets a sentence."""
    link = link_of((FOLDER / "04-forget-gate.yaml").read_text(encoding="utf-8"))
    header = told(visit("cell", lesson=link, at="2", did="ten-times.0"), unpack)
    assert (header["title"], header["at"]) == ("The forget gate", 1)
    assert parse_qs(header["address"]) == {"lesson": [link], "at": ["2"], "did": ["ten-times.0"]}
    bomb = "y~" + base64.urlsafe_b64encode(zlib.compress(b"a" * 2_000_000)).decode().rstrip("=")
    for name in (link[:-40], link[:40], link.replace("a", "b"), "y~", "y~" + "x" * 10**6, "y~é", bomb):
        with pytest.raises(ValueError, match=r"\S.*\.$") as refused:
            find(name)
        assert len(str(refused.value)) < 300
    assert link_of("".join(map(chr, range(256, 9000)))) == ""


@pytest.mark.parametrize(("at", "shown"), [("-1", 0), ("99", 6), ("³", 0), ("9" * 10**5, 6), ("NaN", 0)])
def test_a_place_that_a_lesson_does_not_have_is_its_nearest(visit, unpack, at, shown):
    assert told(visit(LESSONS[3].steps[shown].page, lesson="4", at=at), unpack)["at"] == shown


def test_hostile_words_become_no_element_of_theirs():
    built = elements("<script>x</script> [a](javascript:alert(1)) ![p](https://x/y.png) [ok](https://x.y)")
    found = re.findall(r"\['(\w+)', '([^']*)'", str(built))
    assert [tag for tag, _ in found if tag not in ("p", "a")] == []
    assert all(address.startswith("https://") for tag, address in found if tag == "a")


def test_a_settings_change_of_a_passing_task_is_the_lessons_own():
    for lesson in LESSONS:
        for step in lesson.steps:
            if step.task:
                start = step.task.start("en")
                assert lessons.changes(start, changed(start, step.task.passes)) <= set(step.task.may)


@pytest.mark.parametrize("number", [k for k, lesson in enumerate(LESSONS, 1) if lesson.steps[0].page == "gates"])
def test_every_lesson_is_one_press_away_from_the_first_screen(visit, number):
    app = visit("gates")
    way = app.at.button_group(key="lessons.way")
    assert [one.content for one in way.proto.options] == [
        f"{k} {lessons.plain(lesson.short, 'en')}" for k, lesson in enumerate(LESSONS, 1)
    ]
    way.set_value(number).run()
    app.sound()
    assert app.at.session_state["playing"].name == str(number)
    assert not [group for group in app.at.button_group if group.key == "lessons.way"]
