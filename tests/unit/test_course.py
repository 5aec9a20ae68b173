"""Networks in training beside each other: where each stood, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import torch

from seqviz.experiment import Experiment
from seqviz.tasks import TASKS, Task
from seqviz.tasks.judging import Standing, judge
from seqviz.training import RECIPES, Checkpoint, Course, checkpoint_at, common_steps, prepare, verdict


def racing(name: str, *steps: int) -> Course:
    latch, recipe = TASKS["latch"], RECIPES["latch"][name]
    return Course(name, latch, recipe, prepare(latch, recipe), 0, [checkpoint(step) for step in steps])


def checkpoint(step: int) -> Checkpoint:
    return Checkpoint(step, 1.0, 0.5, 1.0, 1.0, Experiment(), 64, 0.0)


def test_courses_share_their_places_and_each_stands_where_it_last_was() -> None:
    courses = [racing("LSTM, chrono", 0, 20, 40), racing("RNN, default", 0, 30)]
    assert common_steps(courses) == [0, 20, 30, 40]
    assert [[checkpoint_at(course, courses, at).step for at in range(4)] for course in courses] == [
        [0, 20, 20, 40],
        [0, 0, 30, 30],
    ]
    assert [checkpoint_at(course, courses, at).step for course in courses for at in (None, 99)] == [40, 40, 30, 30]


def test_nothing_is_said_of_a_network_that_has_not_begun() -> None:
    assert verdict(racing("LSTM, chrono")) == ""


def test_the_verdict_says_how_sure_it_is() -> None:
    latch, copy = TASKS["latch"], TASKS["copy"]
    course, last = racing("LSTM, chrono"), checkpoint(1)

    def says(found: Task, score: float, standing: Standing | None, solved: bool) -> str:
        checkpoint = replace(last, score=score, standing=standing, solved=solved, step=1, seconds=0.04)
        return verdict(Course("GRU", found, course.recipe, course.start, 0, [checkpoint]))

    assert says(latch, 0.98965, None, False) == "GRU: 0.9897 after 1 step (0.0 s of CPU)."
    sure = judge(latch, lambda x: x[:1].expand(len(x), -1, -1), torch.Generator().manual_seed(0))
    assert says(latch, 1.0, sure, True) == (
        "GRU: 1 after 1 step (0.0 s of CPU), solved: from 0.999 to 1, by 4,096 fresh sequences."
    )
    close = sure._replace(score=0.9905, low=0.9861, high=0.9931)
    assert says(latch, 0.9905, close, False) == (
        "GRU: 0.991 after 1 step (0.0 s of CPU), perhaps solved: from 0.986 to 0.993, by 4,096 fresh sequences."
    )
    exact = sure._replace(score=0.9926, low=0.9926, high=0.9926, sequences=1024, exact=True)
    assert says(copy, 0.9926, exact, True) == (
        "GRU: 0.993 after 1 step (0.0 s of CPU), solved: exact, on all 1,024 sequences there are."
    )
