"""The messages of the training page: its curves, and the probe through one checkpoint."""

from __future__ import annotations

import numpy as np

from seqviz import cells
from seqviz.experiment import Experiment
from seqviz.figures.theme import network_line
from seqviz.kept import kept_spoken
from seqviz.language import sentences, tr, trn
from seqviz.runner import run
from seqviz.scope import pack
from seqviz.scope.headers import LearningHeader, LearningRow, ScopeHeader, ScopeRow
from seqviz.sequences import steps_called
from seqviz.tasks import Task
from seqviz.tasks.answers import answers
from seqviz.training import Checkpoint
from seqviz.ui.pictures import signal_rows, signals, title
from seqviz.ui.trainer import Course
from seqviz.vocabulary import signal_name

Extent = tuple[tuple[str, tuple[float, float]], ...]

__all__ = ["Extent", "checkpoint_at", "learning_message", "probe_message", "verdict"]


def _line(course: Course) -> int:
    return network_line(cells.get(course.recipe.cell).family)


def common_steps(courses: list[Course]) -> list[int]:
    """The optimiser steps at which any of the courses has a checkpoint: the places of the scrubber."""
    return sorted({c.step for course in courses for c in course.checkpoints})


def checkpoint_at(course: Course, courses: list[Course], at: int | None) -> Checkpoint:
    """Where a course stood at a place of the scrubber that it shares with the others; None is the last place."""
    steps = common_steps(courses)
    step = steps[-1 if at is None else min(at, len(steps) - 1)]
    return max((c for c in course.checkpoints if c.step <= step), key=lambda c: c.step)


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
        "says": sentences(verdict(course) for course in courses),
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
        "run": courses[0].run,
        "at": at,
        "count": len(steps),
        "nets": [{"name": course.name, "label": tr(course.name), "line": _line(course)} for course in courses],
        "rows": rows,
        "status": sentences(tr("{name}: {says}", name=tr(c.name), says=c.reason) for c in courses if c.reason),
    }
    return pack(header, arrays)


def verdict(course: Course) -> str:
    """Where a course stands, in a sentence."""
    if not course.checkpoints:
        return ""
    last, task = course.checkpoints[-1], course.task
    steps = trn("{count} step", "{count} steps", last.step)
    values = {"name": tr(course.name), "score": task.shown(last.score), "steps": steps, "seconds": last.seconds}
    standing = last.standing
    if standing is None:
        return tr("{name}: {score} after {steps} ({seconds:.1f} s of CPU).", **values)
    if standing.exact:
        values["asked"] = trn(
            "all {count:,} sequence there is", "all {count:,} sequences there are", standing.sequences
        )
        return tr("{name}: {score} after {steps} ({seconds:.1f} s of CPU), solved: exact, on {asked}.", **values)
    values |= {"low": task.shown(standing.low), "high": task.shown(standing.high)}
    if task.held_out is not None:
        values["asked"] = tr("all that was held out")
    else:
        values["asked"] = trn("{count:,} fresh sequence", "{count:,} fresh sequences", standing.sequences)
    if last.solved:
        return tr(
            "{name}: {score} after {steps} ({seconds:.1f} s of CPU), solved: from {low} to {high}, by {asked}.",
            **values,
        )
    return tr(
        "{name}: {score} after {steps} ({seconds:.1f} s of CPU), perhaps solved: from {low} to {high}, by {asked}.",
        **values,
    )


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
    rows[-1] |= {"name": tr("answer") if task.kind == "mse" else tr("answer (probability)"), "target": True}
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
