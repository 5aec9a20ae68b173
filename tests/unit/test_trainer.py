"""What a session's trainer keeps of a run."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from seqviz.experiment import Experiment, Tensor
from seqviz.tasks import TASKS
from seqviz.training import RECIPES, Checkpoint, Course, prepare
from seqviz.training import course as courses


def course() -> Course:
    task = TASKS["latch"]
    recipe = next(iter(RECIPES["latch"].values()))
    return Course("one", task, recipe, prepare(task, recipe), 0)


def checkpoint(step: int, hidden: int = 8) -> Checkpoint:
    array = np.full((4 * hidden, hidden), step, "f4")
    network = Experiment(hidden_size=hidden, tensors=(Tensor.of("weight_hh_l0", array),))
    return Checkpoint(step, 1.0, 0.5, 1.0, 1.0, network, 64, 0.0, state={"step": step})


def size(several: list[Course]) -> int:
    return sum(len(t.data) for c in several for k in c.checkpoints for t in k.experiment.tensors)


def test_only_the_last_checkpoint_can_be_resumed_from() -> None:
    taken = course()
    for step in range(5):
        taken.take(checkpoint(step))
    assert [k.step for k in taken.checkpoints] == [0, 1, 2, 3, 4]
    assert [k.state for k in taken.checkpoints] == [None] * 4 + [{"step": 4}]


def test_large_networks_keep_fewer_checkpoints_the_first_and_the_last_among_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gc.collect()
    monkeypatch.setattr(courses, "_COURSES", type(courses._COURSES)())
    one = len(checkpoint(0).experiment.tensors[0].data)
    monkeypatch.setattr(courses, "KEPT", 24 * one)
    several = [course() for _ in range(3)]
    for step in range(200):
        for each in several:
            each.take(checkpoint(step))
            each.measured = len(each.checkpoints)
    assert size(several) <= 24 * one
    for each in several:
        steps = [k.step for k in each.checkpoints]
        assert (steps[0], steps[-1]) == (0, 199)
        assert steps == sorted(set(steps))
        assert len(steps) >= 4


def test_what_is_measured_stays_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courses, "KEPT", 1)
    taken = course()
    for step in range(4):
        taken.take(checkpoint(step))
        before = dict(taken.measure())
        assert taken.measured == len(taken.checkpoints) <= 3
        for name, (low, high) in before.items():
            assert taken.extent[name][0] <= low <= high <= taken.extent[name][1]
    assert taken.extent
