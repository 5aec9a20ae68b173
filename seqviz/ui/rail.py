"""The rail of a lesson: where one is, what is said and asked there, and what was measured of the person's setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from seqviz import weights
from seqviz.experiment import Experiment
from seqviz.experiment.interventions import Clamp
from seqviz.language import current, number, reason, tr, trn
from seqviz.lessons import Guess, Step, Task, Training, check, meter, plain
from seqviz.lessons.experiments import weight_edit
from seqviz.lessons.markdown import elements
from seqviz.lessons.saying import said
from seqviz.lessons.words import Text
from seqviz.scope import pack
from seqviz.scope.headers import LessonChoice, LessonGuess, LessonHeader, LessonKnob, LessonSpot, LessonTask
from seqviz.scope.hosts.streamlit import mount
from seqviz.training import Course, prepare
from seqviz.ui.bench import Bench
from seqviz.ui.controls import refuse
from seqviz.ui.playing import FIELDS, PASSED, SHOWN, Playing, leave, playing
from seqviz.ui.trainer import start
from seqviz.ui.training_choices import of_seed

__all__ = ["rail"]

DRAWN = ("spectral_radius", "forget_bias")
"""What a task may leave free of how weights are drawn."""


def rail(page: str, bench: Bench) -> None:
    """The lesson that is played, beside the picture of a page; nothing where there is none."""
    now = playing()
    if now is None:
        return
    now.speak()
    with st.container(key="lesson-rail"):
        mount("lesson", pack(_header(now, page), {}), lambda event: _heard(event, now, bench), now.keep())
        if now.step.page == page and bench.problem:
            refuse(bench.problem)


def _header(now: Playing, page: str) -> LessonHeader:
    step, lesson = now.step, now.lesson
    answer = now.did.get(step.id) if step.guess else SHOWN
    here = step.page == page
    task = _task(now, step.task) if step.task and here else None
    return {
        "panel": "lesson",
        "id": f"{lesson.id}.{step.id}.{current()}.{answer}",
        "opened": now.opened,
        "title": plain(lesson.title),
        "at": now.at,
        "steps": [_standing(now, one) for one in lesson.steps],
        "says": _said(step, step.say) if answer is not None else [],
        "guess": _guess(step, step.guess, answer) if step.guess else None,
        "task": task,
        "trains": _trains(step) if here else "",
        "note": _said(step, step.note),
        "changed": here and now.changed,
        "elsewhere": not here,
        "spot": _spot(now, step, answer is None),
        "address": now.address(),
        "fields": FIELDS,
    }


def _trains(step: Step) -> str:
    """What is trained at a press; empty where nothing is."""
    if step.train is None or not step.train.runs:
        return ""
    names = tr(", ").join(map(tr, step.train.runs))
    return trn("Train {names}: {count} seed", "Train {names}: {count} seeds each", step.train.seeds, names=names)


def _train(training: Training) -> None:
    """Train what a step asks for, every network from each seed."""
    start(
        [
            Course(
                of_seed(name, seed, 0), training.task, recipe,
                prepare(training.task, recipe, seed), seed,
            )
            for seed in range(training.seeds)
            for name, recipe in training.runs.items()
        ]
    )  # fmt: skip


def _standing(now: Playing, step: Step) -> str:
    """Of one step: whether there is something to do, and whether that is done."""
    if step.guess is None and step.task is None:
        return ""
    return "done" if step.id in now.did else "open"


def _spot(now: Playing, step: Step, covered: bool) -> LessonSpot:
    return {
        "key": f"{now.lesson.id}.{step.id}",
        "step": step.step,
        "unit": step.unit,
        "part": step.part,
        "light": step.light,
        "cover": step.cover if covered else (),
        "play": step.play,
    }


def _said(step: Step, words: Mapping[str, Text] | None) -> list[Any]:
    """Some words of a step as elements, its numbers measured; a sentence in their place where that cannot be."""
    if words is None:
        return []
    try:
        return elements(step.written(words))
    except ValueError as refusal:
        return [["p", "", reason(refusal)]]


def _guess(step: Step, guess: Guess, answer: str | None) -> LessonGuess:
    """The question; which choice is right, and what is replied, only once somebody has answered."""
    known = answer is not None
    choices: list[LessonChoice] = [
        {
            "says": _said(step, choice.says),
            "reply": _said(step, choice.reply) if known and (answer == str(k) or choice.right) else [],
            "right": choice.right if known else None,
            "picked": answer == str(k),
        }
        for k, choice in enumerate(guess.choices)
    ]
    return {"asks": _said(step, guess.ask), "choices": choices, "answered": known}


def _task(now: Playing, task: Task) -> LessonTask:
    """What is to be done, and what is measured of the setting on the page."""
    step, experiment = now.step, now.bench().experiment
    try:
        answer = check(task, experiment, current())
        passed, says, found = answer.passed, answer.says, number(meter(task, experiment), ".4g")
    except ValueError as refusal:
        passed, says, found = False, reason(refusal), "–"
    if passed:
        now.did[step.id] = PASSED
    return {
        "does": _said(step, task.do),
        "hint": _said(step, task.hint),
        "measured": tr("{what}: {found}", what=said(task.meter), found=found),
        "says": says,
        "passed": passed,
        "knobs": [knob for name in task.may if (knob := _knob(name, experiment))],
        "draws": "input" in task.may,
    }


def _knob(name: str, experiment: Experiment) -> LessonKnob | None:
    """A number that may be set, as it is now; None where the network on the page has not got it."""
    if name in DRAWN:
        return {"name": name, "value": getattr(experiment.init, name)}
    if name == "what_if":
        held = {edit.value for edit in experiment.interventions if isinstance(edit, Clamp)}
        return {"name": name, "value": held.pop()} if len(held) == 1 else None
    try:
        edit = weight_edit(experiment, name, 0.0)
        array = weights.materialise(experiment)[edit.parameter]
        return {"name": name, "value": round(float(array.reshape(len(array), -1)[edit.row, edit.col]), 6)}
    except (ValueError, LookupError):
        return None


def _heard(event: dict[str, Any], now: Playing, bench: Bench) -> None:
    """What the hand did in the rail; what it cannot mean changes nothing."""
    kind, step = event.get("type"), now.step
    bench.stale = True
    if kind == "go" and isinstance(event.get("at"), int):
        now.go(event["at"])
    elif kind == "guess" and step.guess and step.id not in now.did:
        choice = event.get("choice")
        right = isinstance(choice, int) and 0 <= choice < len(step.guess.choices)
        now.did[step.id] = str(choice) if right else SHOWN
    elif kind == "again":
        now.did.pop(step.id, None)
    elif kind == "back":
        now.reset()
    elif kind == "there":
        now.goto = step.page
    elif kind == "set":
        _set(now, event.get("name"), event.get("value"))
    elif kind == "train" and step.train is not None and step.train.runs:
        _train(step.train)
    elif kind in ("undo", "redo"):
        now.bench().event({"type": kind})
    elif kind == "leave":
        leave()


def _set(now: Playing, name: Any, value: Any) -> None:
    """One of the numbers that the task leaves free."""
    task, bench = now.step.task, now.bench()
    if task is None or name not in task.may or isinstance(value, bool) or not isinstance(value, int | float):
        return
    if name in DRAWN:
        bench.redraw(**{name: float(value)})
    elif name == "what_if":
        bench.attempt(lambda: _holding(bench.experiment, float(value)))
    else:
        bench.attempt(lambda: bench.experiment.edited([weight_edit(bench.experiment, name, float(value))]))


def _holding(experiment: Experiment, value: float) -> Experiment:
    """Whatever is held is held at another value."""
    edits = tuple(replace(e, value=value) if isinstance(e, Clamp) else e for e in experiment.interventions)
    return replace(experiment, interventions=edits)
