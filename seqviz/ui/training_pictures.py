"""The messages of the training page: its curves, and the probe through one checkpoint."""

from __future__ import annotations

import numpy as np

from seqviz import cells
from seqviz.experiment import Experiment
from seqviz.figures.theme import network_line
from seqviz.kept import kept_spoken
from seqviz.language import sentences, tr
from seqviz.runner import run
from seqviz.scope import pack
from seqviz.scope.headers import LearningHeader, LearningRow, ScopeHeader, ScopeRow
from seqviz.sequences import steps_called
from seqviz.tasks import Task
from seqviz.tasks.answers import answers
from seqviz.telling.learned import after, learned, untrained
from seqviz.training import Checkpoint
from seqviz.training.course import Course, common_steps, verdict
from seqviz.ui.pictures import signal_rows, signals, title
from seqviz.ui.training_choices import called, kind_of
from seqviz.vocabulary import signal_name

Extent = tuple[tuple[str, tuple[float, float]], ...]

__all__ = ["Extent", "counted", "learning_message", "probe_message", "standing", "unlearned"]


def _line(course: Course) -> int:
    return network_line(cells.get(course.recipe.cell).family)


def learning_message(courses: list[Course], at: int | None) -> bytes:
    """Loss, score and gradient norms of every course at its checkpoints, on common optimiser steps.

    `at` is where the person left the scrubber, for a picture that is made anew.
    """
    task = courses[0].task
    steps = common_steps(courses)
    place = {step: k for k, step in enumerate(steps)}
    arrays: dict[str, np.ndarray] = {"step": np.array(steps, dtype=float)}
    for course in courses:
        for signal, field in (("loss", "loss"), ("score", "score"), ("norm", "grad_norm")):
            values = np.full(len(steps), np.nan)
            for checkpoint in course.checkpoints:
                if checkpoint.step or signal == "score":
                    values[place[checkpoint.step]] = getattr(checkpoint, field)
            arrays[f"{course.name}.{signal}"] = values
    lasting = [course.checkpoints[-1] for course in courses if course.checkpoints]
    score: LearningRow = {
        "signal": "score",
        "symbol": "",
        "name": task.measure,
        "log": task.smaller_is_better,
        "hue": "x",
        "chance": task.chance,
        "solved": task.solved,
        "texts": {c.name: {str(place[k.step]): task.shown(k.score) for k in c.checkpoints} for c in courses},
        "says": sentences(verdicts(courses)),
    }
    if not task.smaller_is_better:
        score["range"] = [0.0, 1.05]
    rows: list[LearningRow] = [
        {"signal": "loss", "symbol": "", "name": tr("training loss"), "log": True, "hue": "x", "says": ""},
        score,
        {"signal": "norm", "symbol": "", "name": tr("gradient norm before clipping"), "log": True, "hue": "x",
         "says": tr("Clipped at {clip:g}.", clip=courses[0].recipe.clip), "solved": courses[0].recipe.clip},
    ]  # fmt: skip
    header: LearningHeader = {
        "panel": "learning",
        "link": "learning",
        "id": f"{len(steps)}.{sum(c.step for c in lasting)}",
        "title": task.label,
        "run": courses[0].run,
        "at": at,
        "count": len(steps),
        "nets": [
            {"name": c.name, "label": called(c.name), "line": _line(c), "group": kind_of(c.name)} for c in courses
        ],
        "rows": rows,
        "status": sentences(tr("{name}: {says}", name=called(c.name), says=c.reason) for c in courses if c.reason),
    }
    return pack(header, arrays)


def verdicts(courses: list[Course]) -> list[str]:
    """Where the courses stand: each by itself, or of several seeds how many have solved the task."""
    kinds: dict[str, list[Course]] = {}
    for course in courses:
        kinds.setdefault(kind_of(course.name), []).append(course)
    if all(len(alike) == 1 for alike in kinds.values()):
        return [verdict(course) for course in courses]
    solved = {name: sum(bool(c.checkpoints and c.checkpoints[-1].solved) for c in kinds[name]) for name in kinds}
    return [
        tr("{name}: {solved} of {count} solved.", name=called(name), solved=solved[name], count=len(kinds[name]))
        for name in kinds
    ]


def standing(course: Course, checkpoint: Checkpoint, *, named: bool) -> str:
    """Where a network stood at a checkpoint; `named` where it is one of several."""
    task = course.task
    score, chance = task.shown(checkpoint.score), task.shown(task.chance)
    return after(checkpoint.step, task.measure, score, chance, tr(course.name) if named else "")


def counted(courses: list[Course]) -> str:
    """How many of each kind have learned; nothing where each is trained from one seed."""
    kinds: dict[str, list[Course]] = {}
    for course in courses:
        kinds.setdefault(kind_of(course.name), []).append(course)
    if all(len(alike) == 1 for alike in kinds.values()):
        return ""
    found = [(called(name), sum(c.solved for c in alike), len(alike)) for name, alike in kinds.items()]
    return learned(found, done=all(course.reason for course in courses))


def unlearned(experiment: Experiment, task: Task) -> str:
    """What an untrained network makes of the probe."""
    _, right, asked = task.probe()
    return untrained(answers(task, run(experiment)["y"][:, 0]), right, asked)


def _scale(row: ScopeRow, extent: dict[str, tuple[float, float]], task: Task) -> None:
    """What a row's picture has to reach, so that all the checkpoints of a run are drawn on one scale."""
    name = row["signal"] if row["kind"] == "line" else signal_name(0, row["signal"])
    if name not in extent or (name == "y" and task.kind != "mse"):
        return
    low, high = extent[name]
    if row["kind"] == "state":
        row["reach"] = max(-low, high)
    elif row["kind"] == "line":
        row["floor"] = [min(row["floor"][0], low), max(row["floor"][1], high)]


@kept_spoken
def probe_message(experiment: Experiment, task: Task, step: int, extent: Extent = ()) -> bytes:
    """The probe through the network of one checkpoint, its answers beside the right ones.

    `extent` has the least and the largest value of every signal over what this is compared with, which is then drawn
    on one scale.
    """
    _, right, mask = task.probe()
    trace = run(experiment)
    shown = signals(trace, experiment.cell, 0)
    shown["y"] = answers(task, shown["y"])
    rows = signal_rows(experiment, shown)
    for row in rows:
        _scale(row, dict(extent), task)
    name = tr("answer") if task.kind == "mse" else tr("answer, 0 to 1")
    rows[-1] |= {"name": name, "target": True, "note": tr("{says}; ○ is right", says=rows[-1]["note"])}
    target = np.where(mask[:, None] > 0, right, np.nan)
    characters, marks = steps_called(experiment.sequence)
    header: ScopeHeader = {
        "panel": "scope",
        "link": "training",
        "id": f"{hash((experiment, step, extent)) & 0xFFFFFFFF:08x}",
        "title": tr("{task}: {network}", task=task.label, network=title(experiment)),
        "cell": experiment.cell,
        "description": cells.get(experiment.cell).description(),
        "layer": 0,
        "layers": 1,
        "steps": experiment.sequence.length,
        "hidden": experiment.hidden_size,
        "inputs": experiment.input_size,
        "labels": characters,
        "marks": marks,
        "names": list(experiment.sequence.names) or None,
        "rows": rows,
        "editable": False,
        "plain": True,
        "address": "",
        "fields": (),
        "status": tr("The probe at optimiser step {step}.", step=step),
    }
    return pack(header, shown | {"target": target})
