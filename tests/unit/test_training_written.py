"""Networks in training as text: what goes on from it is what would have come without it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqviz.tasks import own_series, own_text, task
from seqviz.training import ANY, RECIPES, prepare, train
from seqviz.training.written import Trained, from_text, to_text
from seqviz.ui.training_choices import MOST_SEEDS

ROOM = 2**24


def series():
    walk = np.random.default_rng(0).normal(size=(300, 2)).cumsum(0)
    return own_series(walk, names=["tide", "wind"], labels=[f"day {k}" for k in range(300)])


def trained(learned, recipe, stop_at=10**9, **changes) -> Trained:
    recipe = replace(recipe, **changes)
    start, seen = prepare(learned, recipe, 3), iter(range(10**9))
    made = train(start, learned, recipe, seed=3, stop=lambda: next(seen) >= stop_at)
    return Trained("LSTM, default", learned, recipe, start, 3, tuple(made))


def bare(course: Trained):
    return [replace(c, state=None) for c in course.checkpoints]


@pytest.fixture(scope="module")
def latch() -> Trained:
    return trained(task("latch"), RECIPES["latch"]["LSTM, default"], 25, max_steps=40, every=2)


def test_every_checkpoint_comes_back(latch):
    (back,) = from_text(to_text([latch], ROOM))
    assert bare(back) == bare(latch)
    assert (back.name, back.seed, back.start, back.task) == (latch.name, 3, latch.start, latch.task)
    assert replace(back.recipe, shows="") == replace(latch.recipe, shows="")
    assert [c.reason for c in back.checkpoints][-1] == "Stopped."


def test_the_largest_race_of_the_page_comes_back(latch):
    names = [f"{name} · {seed}" for seed in range(MOST_SEEDS) for name in ("RNN", "GRU", "LSTM", "LSTM with peepholes")]
    kept = to_text([replace(latch, name=name, checkpoints=latch.checkpoints[:3]) for name in names], ROOM)
    assert [course.name for course in from_text(kept)] == names


@pytest.mark.parametrize("learned", [series(), own_text("the cat sat on the mat. " * 30), task("latch")])
def test_training_goes_on_as_if_it_had_never_been_interrupted(learned):
    whole = trained(learned, ANY["GRU"], max_steps=30, every=10, hidden_size=4)
    half = trained(learned, ANY["GRU"], 15, max_steps=30, every=10, hidden_size=4)
    (back,) = from_text(to_text([half], ROOM))
    rest = list(train(back.start, back.task, back.recipe, seed=back.seed, resume=back.checkpoints[-1]))
    assert rest[-1].experiment == whole.checkpoints[-1].experiment
    expected = whole.checkpoints[-len(rest) :]
    assert [(c.step, c.loss, c.score) for c in rest] == [(c.step, c.loss, c.score) for c in expected]


def test_own_data_have_their_names_and_their_chance_again():
    learned = series()
    (back,) = from_text(to_text([trained(learned, ANY["GRU"], max_steps=2, every=1, hidden_size=2)], ROOM))
    assert back.task.probe()[0] == learned.probe()[0]
    assert back.task.probe()[0].names == ("tide", "wind")
    assert back.task.probe()[0].labels[0].startswith("day 2")
    assert (back.task.chance, back.task.memoryless) == (learned.chance, learned.memoryless)


def test_where_there_is_little_room_some_checkpoints_are_kept_evenly(latch):
    text = to_text([latch], ROOM)
    some = to_text([latch], len(text) * 3 // 4)
    assert 0 < len(some) <= len(text) * 3 // 4
    steps = [c.step for c in from_text(some)[0].checkpoints]
    assert steps[0] == 0
    assert steps[-1] == latch.checkpoints[-1].step
    assert 2 <= len(steps) < len(latch.checkpoints)
    assert to_text([latch], 20_000) == ""


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_was_changed_is_refused_in_one_sentence_or_still_whole(latch, data):
    document = json.loads(to_text([latch], ROOM))
    places, node = [], document
    while isinstance(node, dict | list) and node:
        key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        places.append((node, key))
        node = node[key]
    node, key = places[-1]
    values = st.sampled_from([None, True, -1, 0, 2.5, 10**30, "", "x", "AAAA", [], {}, [[]], "{x}", "eJwDAAAAAAE="])
    node[key] = data.draw(values)
    try:
        (back,) = from_text(json.dumps(document))
    except ValueError as error:
        refused = error
    else:
        assert back.start.hidden_size == 16
        return
    assert str(refused).startswith("What was kept of a training cannot be read")
