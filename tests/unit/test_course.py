"""Networks in training beside each other: where each stood, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seqviz.experiment import Experiment
from seqviz.language import speaking
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


@settings(deadline=None)
@given(
    score=st.floats(0, 1) | st.sampled_from([0.98965, 0.99, 0.9899999, 1.0]),
    below=st.floats(0, 0.05),
    above=st.floats(0, 0.05),
    exact=st.booleans(),
    name=st.sampled_from(["copy", "latch", "adding"]),
)
@example(score=0.98965, below=0.0, above=0.0, exact=True, name="copy")
@example(score=0.9, below=0.01, above=0.01, exact=False, name="copy")
def test_solved_is_said_of_nothing_else(score: float, below: float, above: float, exact: bool, name: str) -> None:
    found, course = TASKS[name], racing("LSTM, chrono")
    ends = (score, score) if exact else (score - below, score + above)
    standing = Standing(score, *ends, 1024, exact)
    reach = [end <= found.solved if found.smaller_is_better else end >= found.solved for end in ends]
    solved = standing.solves(found)
    assert solved == all(reach)
    last = replace(checkpoint(8), score=score, standing=standing, solved=solved)
    course = Course("GRU", found, course.recipe, course.start, 0, [last])
    for language, word in (("en", "solved"), ("zh", "学会"), ("de", "gelöst")):
        with speaking(language):
            says = verdict(course)
            assert word in says
            assert found.shown(ends[0]) in says
            assert found.shown(ends[1]) in says
    with speaking("en"):
        says = verdict(course)
        said = "not solved" if "not solved" in says else "perhaps" if "perhaps" in says else "solved"
        assert said == ("solved" if all(reach) else "perhaps" if any(reach) and not exact else "not solved")
