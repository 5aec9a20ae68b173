"""What takes many runs asks, before each, whether somebody still waits."""

from __future__ import annotations

import time

import pytest

from seqviz import Experiment, Init, Sequence
from seqviz.doctor import doctor
from seqviz.doctor.measure import Training
from seqviz.memory import uses_memory
from seqviz.memory.nudges import nudge_lasts
from seqviz.patience import patience, worth
from seqviz.tasks import TASKS
from seqviz.trials import Trial, trial

SMALL = Experiment("LSTM", hidden_size=3, init=Init(seed=2), sequence=Sequence("sine", 12))


@pytest.mark.parametrize("ask", [doctor, uses_memory], ids=["doctor", "memory"])
def test_a_question_ends_with_a_sentence_where_nobody_waits(ask):
    task = TASKS["latch"].at_length(8)
    with patience(0.0), pytest.raises(ValueError, match="more than 0 seconds of computing"):
        ask(SMALL, task=task)
    with patience(1e6):
        assert ask(SMALL, task=task) is not None


class Clock:
    """Time passes by a second a look."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def train(asked: Trial) -> None:
    Training(asked, asked.answer()[1], 100, 1e-2).continued(asked.module, None, 0)


def nudge(asked: Trial) -> None:
    nudge_lasts(asked.module, asked.x)


@pytest.mark.parametrize("ask", [train, nudge])
def test_what_will_not_end_in_time_is_not_gone_on_with(ask, monkeypatch):
    """A hundred steps of training, or nine runs, are not gone on with where the first took too much of the time."""
    asked, clock = trial(SMALL, task=TASKS["latch"].at_length(8)), Clock()
    monkeypatch.setattr(time, "thread_time", clock)
    with patience(12.0), pytest.raises(ValueError, match="more than 12 seconds"):
        ask(asked)
    assert clock.now < 9


def test_what_is_to_come_counts_and_outside_nothing_does():
    worth(1e9)
    with patience(100.0):
        worth(50.0)
        with pytest.raises(ValueError, match="fewer units, steps or layers"):
            worth(200.0)
    worth(1e9)
