"""A lesson that a person plays: which step, what was answered and set, and how an address brings it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import streamlit as st

from seqviz.experiment import Experiment
from seqviz.experiment.value import fitting
from seqviz.language import current, reason
from seqviz.lessons import Lesson, Step
from seqviz.scope.hosts.streamlit.tab import LONG, MARK, fetch, mark
from seqviz.ui.bench import Bench, State, start
from seqviz.ui.lesson_shelf import find
from seqviz.ui.scenes import desk, lab

__all__ = ["BENCHES", "FIELDS", "PASSED", "SHOWN", "Playing", "begin", "leave", "playing", "resume"]

BENCHES: Final[Mapping[str, Callable[[], Bench]]] = {
    "gates": Bench.here, "cell": Bench.here, "training": Bench.here, "gradients": lab, "compare": desk,
}  # fmt: skip
"""The bench of every page."""

FIELDS: Final = ("lesson", "at", "did", "mine")
"""What of an address is a lesson's."""

SHOWN: Final = "s"
"""The answer of who asked to be shown, among the numbers of choices."""
PASSED: Final = "p"

_PLACE: Final = "playing"
_MOST_OWN: Final = 4000
"""Characters of an address for the settings of other steps; what is longer its browser keeps."""
_WAVES: Final = {"input": "as it is", "minus": "nothing", "nudge": "", "loss": "last", "more": ""}
"""The pages' own settings with which a lesson shows its experiments."""


class Held(NamedTuple):
    """What a bench had."""

    history: list[State]
    at: int
    baseline: Experiment | None
    layer: int

    @classmethod
    def of(cls, bench: Bench) -> Held:
        return cls(bench.history, bench.at, bench.baseline, bench.layer)

    def back(self, bench: Bench) -> None:
        bench.history, bench.at, bench.baseline, bench.layer = self
        bench.problem = ""


@dataclass
class Playing:
    """One person's way through a lesson. `name` is what an address calls it, `code` an own one's text for its browser.

    ``did`` is the answer to each step's guess, or that its task is done; ``own`` what was set at other steps.
    """

    name: str
    lesson: Lesson
    code: str = ""
    at: int = 0
    did: dict[str, str] = field(default_factory=dict)
    own: dict[str, Held] = field(default_factory=dict)
    before: dict[str, Held] = field(default_factory=dict)
    language: str = "en"
    goto: str = ""
    opened: str = field(default_factory=lambda: token_hex(8))

    @property
    def step(self) -> Step:
        """The one that is shown."""
        return self.lesson.steps[self.at]

    def bench(self, step: Step | None = None) -> Bench:
        """Where a step's experiment lies."""
        return BENCHES[(step or self.step).page]()

    @property
    def changed(self) -> bool:
        """Whether somebody has set something else than the lesson has."""
        bench, step = self.bench(), self.step
        if step.page == "training":
            return False
        return bench.experiment != _fits(step) or bench.baseline != step.baseline(current())

    # --- ways ----------------------------------------------------------------------------------------

    def go(self, at: int) -> None:
        """Show another step; what was set at this one is kept."""
        if self.changed:
            self.own[self.step.id] = Held.of(self.bench())
        self.at = max(0, min(at, len(self.lesson.steps) - 1))
        self.enter()

    def enter(self) -> None:
        """Put this step's experiment on its page, or what was set there before."""
        step, bench = self.step, self.bench()
        self.language = current()
        self.before.setdefault(_room(step.page), Held.of(bench))
        held = self.own.pop(step.id, None)
        if held is not None:
            held.back(bench)
        else:
            self.reset(anew=True)
        if step.train:
            task = step.train.task.name
            st.session_state["train.task.kept"] = task
            if step.train.recipe:
                st.session_state[f"train.recipe.{task}.kept"] = step.train.recipe
        bench.opening, bench.stale = False, True
        self.goto = step.page

    def reset(self, *, anew: bool = False) -> None:
        """The lesson's own setting of this step; undo brings back what was there, unless it is shown `anew`."""
        step, bench = self.step, self.bench()
        if step.page == "training":
            return
        try:
            wanted = _fits(step)
        except ValueError as refusal:
            bench.problem = reason(refusal)
            return
        chosen = {name: word for name, word in _WAVES.items() if name in bench.choices}
        first = step.light[0].split(".")[0] if step.light else ""
        if first in bench.choices.get("net", ()):
            chosen["net"] = first
        if anew:
            bench.history, bench.at, bench.problem, bench.layer = [State(wanted)], 0, "", 0
            bench.put(wanted, **chosen)
            bench.history, bench.at = bench.history[-1:], 0
        else:
            bench.put(wanted, **chosen)
        bench.baseline = step.baseline(current())

    def speak(self) -> None:
        """Where a text goes in that another language has otherwise, show that, unless somebody has changed it."""
        before, self.language = self.language, current()
        bench, step = self.bench(), self.step
        if before != self.language and step.page != "training" and bench.experiment == _fits(step, before):
            self.reset(anew=True)

    # --- the address ---------------------------------------------------------------------------------

    def address(self) -> str:
        """The query that brings this place and all answers back; the page's own says what is on the screen."""
        wanted = {"lesson": self.name, "at": str(self.at + 1)}
        if self.did:
            wanted["did"] = "~".join(f"{step}.{answer}" for step, answer in self.did.items())
        if mine := self._mine()[0]:
            wanted["mine"] = "~".join(mine)
        return urlencode(wanted)

    def keep(self) -> dict[str, str]:
        """What the browser has to keep for a reload, by digest: the lesson's own text, and long settings."""
        return self._mine()[1] | ({self.name.removeprefix(MARK): self.code} if self.code else {})

    def _mine(self) -> tuple[list[str], dict[str, str]]:
        """What was set at other steps, as an address says it; and the codes by digest of what is too long for it."""
        said, keep, room = [], dict[str, str](), _MOST_OWN
        for step, held in self.own.items():
            code = held.history[held.at].experiment.to_url()
            if len(code) > room:
                digest = mark(code).removeprefix(MARK)
                code, keep[digest] = f"{LONG}{digest}", code
            room -= len(code)
            said.append(f"{step}.{code}")
        return said, keep

    def read_answers(self, did: str, mine: str) -> None:
        """Take up what an address says was answered and set; what it cannot mean is left out."""
        for step, answer in _pairs(did):
            guess, task = step_of(self.lesson, step, "guess"), step_of(self.lesson, step, "task")
            known = {SHOWN, *map(str, range(len(guess.choices)))} if guess else set[str]()
            if answer in known or (task and answer == PASSED):
                self.did[step] = answer
        for name, code in _pairs(mine):
            at = self.lesson.step(name)
            if at is None or len(code) > _MOST_OWN:
                continue
            try:
                found = fitting(Experiment.from_url(_whole(code)))
            except ValueError:
                continue  # an address that was cut off loses that setting, and nothing else
            self.own[name] = Held([State(_fits(at)), State(found)], 1, at.baseline(current()), 0)


def _whole(code: str) -> str:
    """A setting's code, or what its browser has kept of a long one; nothing where it has not."""
    return fetch(MARK + code.removeprefix(LONG)) or "" if code.startswith(LONG) else code


def step_of(lesson: Lesson, id: str, part: str) -> Any:
    """The guess or the task of a step, if it has one."""
    return getattr(lesson.step(id), part, None)


def _room(page: str) -> str:
    return page if page in ("gradients", "compare") else "gates"


def _fits(step: Step, language: str | None = None) -> Experiment:
    return fitting(step.experiment(language or current()))


def _pairs(text: str) -> list[tuple[str, str]]:
    found = [part.partition(".") for part in text[: 4 * _MOST_OWN].split("~")[:100]]
    return [(name, rest) for name, _, rest in found if rest]


def playing() -> Playing | None:
    """The lesson that this session plays, if any."""
    found: Playing | None = st.session_state.get(_PLACE)
    return found


def begin(name: str, lesson: Lesson, code: str = "") -> None:
    """Open a lesson at its first step."""
    leave()
    now = st.session_state[_PLACE] = Playing(name, lesson, code)
    now.enter()


def leave() -> None:
    """Close it, and bring back what was on the pages before."""
    now = playing()
    st.session_state[_PLACE] = None
    if now is None:
        return
    for page, held in now.before.items():
        bench = BENCHES[page]()
        held.back(bench)
        bench.stale = True


def resume(here: str) -> str:
    """The lesson that an address names is taken up, once a session; gives a sentence where it cannot be.

    `here` is the page of the address: what that page shows is the person's own where the address says what.
    """
    if f"{_PLACE}.read" in st.session_state:
        return str(st.session_state[f"{_PLACE}.read"])
    says, given = "", st.query_params.to_dict()
    if "lesson" in given:
        try:
            now = Playing(*find(given["lesson"]))
        except ValueError as refusal:
            says = reason(refusal)
        else:
            _take_up(now, given, here)
    st.session_state[f"{_PLACE}.read"] = says
    return says


def _take_up(now: Playing, given: Mapping[str, str], here: str) -> None:
    at, steps = given.get("at", "1"), [step.id for step in now.lesson.steps]
    if at in steps:
        now.at = steps.index(at)
    elif at.isdecimal() and at.isascii():
        now.at = max(0, min(int(at[:4]) - 1, len(steps) - 1))
    now.read_answers(given.get("did", ""), given.get("mine", ""))
    st.session_state[_PLACE] = now
    now.language = current()
    if _room(here) != _room(now.step.page) or "e" not in given:
        now.enter()
        return
    bench = now.bench()
    now.before[_room(here)] = Held([State(bench.first or start())], 0, None, 0)
    now.own.pop(now.step.id, None)
    if bench.history == [State(bench.experiment)]:
        bench.history, bench.at = [State(_fits(now.step)), *bench.history], 1
    now.goto = now.step.page
