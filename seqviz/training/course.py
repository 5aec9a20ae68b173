"""A network in training: its checkpoints, where it stands beside others, and what is said of it."""

from __future__ import annotations

import itertools
import math
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from seqviz.experiment import Experiment
from seqviz.runner import run
from seqviz.tasks import Task
from seqviz.telling.training import describe_standing
from seqviz.training.recipes import Recipe
from seqviz.training.trainer import Checkpoint
from seqviz.training.written import Trained

__all__ = ["Course", "checkpoint_at", "common_steps", "verdict"]

KEPT = 384 * 2**20
"""Bytes that the networks of all checkpoints of the process share; each course has an equal part, when it goes on."""

RUNS = itertools.count(1)
"""A number for each run of the process."""

_COURSES: weakref.WeakSet[Course] = weakref.WeakSet()


@dataclass(eq=False)
class Course:
    """One network in training: its checkpoints so far, and which run the last of them are of."""

    name: str
    task: Task
    recipe: Recipe
    start: Experiment
    seed: int
    checkpoints: list[Checkpoint] = field(default_factory=list)
    error: str = ""
    run: int = 0
    extent: dict[str, tuple[float, float]] = field(default_factory=dict)
    measured: int = 0

    @classmethod
    def of(cls, kept: Trained) -> Course:
        """A network that was written down."""
        course = cls(kept.name, kept.task, kept.recipe, kept.start, kept.seed, [*kept.checkpoints], kept.error)
        course.run = next(RUNS)
        _COURSES.add(course)
        return course

    def kept(self) -> Trained:
        """It as it is written down."""
        return Trained(self.name, self.task, self.recipe, self.start, self.seed, tuple(self.checkpoints), self.error)

    def take(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint. Training goes on from the last one alone, and of large networks not every one is kept.

        Where there is no room, every second one goes, but for the first and the last: the picture gets coarser.
        """
        _COURSES.add(self)
        known = self.checkpoints
        if known:
            known = [*known[:-1], replace(known[-1], state=None)]
        size = sum(len(tensor.data) for tensor in checkpoint.experiment.tensors)
        room = KEPT // max(1, len(_COURSES))
        while len(known) > 2 and size * (len(known) + 1) > room:
            known = [known[0], *known[2:-1:2], known[-1]]
        self.measured = min(self.measured, len(known))
        self.checkpoints = [*known, checkpoint]

    @property
    def reason(self) -> str:
        """Why it ended; empty while it goes on."""
        return self.error or (self.checkpoints[-1].reason if self.checkpoints else "")

    @property
    def solved(self) -> bool:
        """Whether it has reached the task's threshold."""
        return bool(self.checkpoints) and self.checkpoints[-1].solved

    def measure(self) -> dict[str, tuple[float, float]]:
        """The least and the largest value of every signal of the probe, over all checkpoints so far."""
        for checkpoint in self.checkpoints[self.measured :]:
            for name, values in run(checkpoint.experiment).arrays.items():
                low, high = self.extent.get(name, (math.inf, -math.inf))
                self.extent[name] = min(low, float(values.min())), max(high, float(values.max()))
            self.measured += 1
        return self.extent


def common_steps(courses: Sequence[Course]) -> list[int]:
    """The optimiser steps at which any of the courses has a checkpoint: the places of the scrubber."""
    return sorted({c.step for course in courses for c in course.checkpoints})


def checkpoint_at(course: Course, courses: Sequence[Course], at: int | None) -> Checkpoint:
    """Where a course stood at a place of the scrubber that it shares with the others; None is the last place."""
    steps = common_steps(courses)
    step = steps[-1 if at is None else min(at, len(steps) - 1)]
    return max((c for c in course.checkpoints if c.step <= step), key=lambda c: c.step)


def verdict(course: Course) -> str:
    """Where a course stands, in a sentence."""
    if not course.checkpoints:
        return ""
    last, task = course.checkpoints[-1], course.task
    standing, score = last.standing, task.shown(last.score)
    if standing is None:
        return describe_standing(course.name, score, last.step, last.seconds)
    return describe_standing(
        course.name,
        score,
        last.step,
        last.seconds,
        solved="surely" if last.solved else "perhaps" if standing.may_solve(task) else "not",
        between=None if standing.exact else (task.shown(standing.low), task.shown(standing.high)),
        asked=standing.sequences if standing.exact or task.held_out is None else None,
    )
