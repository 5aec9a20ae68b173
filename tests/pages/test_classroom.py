"""The training page's controls and sentences, without a browser."""

from __future__ import annotations

from dataclasses import replace

import pytest

from seqviz.experiment import Experiment
from seqviz.tasks import task
from seqviz.training import RECIPES, prepare, train
from seqviz.ui.trainer import Course, Trainer

ANOTHER = "You chose another task."


@pytest.fixture
def work(monkeypatch) -> Trainer:
    """The session's trainer; the harness would have all its sessions share one."""
    found = Trainer()
    monkeypatch.setattr("seqviz.ui.trainer._session_trainer", lambda: found)
    return found


def trained(*names: str, steps: int = 4) -> list[Course]:
    """Latch by these recipes, for a few steps."""
    latch, courses = task("latch"), []
    for name in names:
        recipe = replace(RECIPES["latch"][name], max_steps=steps, every=2)
        course = Course(name, latch, recipe, prepare(latch, recipe), 0)
        course.checkpoints = list(train(course.start, latch, recipe))
        courses.append(course)
    return courses


def heading(app) -> str:
    """What stands above the curves."""
    (found,) = [m.value for m in app.at.markdown if m.value.startswith("**Latch: recall the first bit**")]
    return found


def test_the_picture_says_what_it_is_of_whatever_is_chosen_beside_it(visit, work):
    app = visit("training")
    work.courses = trained("LSTM, default")
    app.run()
    line = "LSTM, default: 16 units, learning rate 0.01, at most 4 steps"
    assert heading(app) == f"**Latch: recall the first bit**  \n{line}"
    assert not app.at.info
    for other in ("sine", "own_text"):
        app.at.session_state["train.task.kept"] = other
        app.run()
        assert line in heading(app)
        (said,) = app.at.info
        assert said.value.startswith(ANOTHER)
    assert app.at.button(key="train.open.gates"), "the earlier run can no longer be opened"
    app.at.session_state["train.task.kept"] = "latch"
    assert not app.run().at.info


def test_a_race_says_by_which_recipe_each_network_learns(visit, work):
    app = visit("training")
    known = RECIPES["latch"]
    says = app.at.button(key="train.race").help
    for name in ("RNN, default", "LSTM, chrono"):
        recipe = known[name]
        wanted = f"- {name}: {recipe.hidden_size} units, learning rate {recipe.lr:g}, at most {recipe.max_steps} steps"
        assert wanted in says
    assert "- GRU: 16 units, learning rate 0.01, at most 400 steps" in says
    work.courses = trained("RNN, default", "LSTM, chrono")
    assert heading(app.run()).splitlines()[1:] == [
        "RNN, default: 32 units, learning rate 0.003, at most 4 steps  ",
        "LSTM, chrono: 16 units, learning rate 0.01, at most 4 steps",
    ]


@pytest.mark.parametrize(("at", "step"), [(None, 4), (1, 2), (0, 0)])
@pytest.mark.parametrize("which", ["RNN, default", "LSTM, chrono"])
def test_the_network_that_is_looked_at_is_the_one_that_opens(visit, work, monkeypatch, which, at, step):
    app = visit("training")
    work.courses = trained("RNN, default", "LSTM, chrono")
    app.at.session_state["train.which.kept"] = which
    app.at.session_state["train.at"] = at
    app.run()
    assert f"{which}: the checkpoint at step {step}:" in [c.value for c in app.at.caption]
    monkeypatch.setattr("seqviz.ui.training_page.go", lambda page: None)  # the harness has no other page
    app.at.button(key="train.open.gates").click()
    app.run()
    (wanted,) = [c.checkpoints[step // 2].experiment for c in work.courses if c.name == which]
    assert app.at.session_state["bench.gates"].experiment == wanted


def test_a_network_from_gates_is_named_as_what_it_is(visit, work):
    app = visit("training")
    app.at.session_state["bench.gates"].put(Experiment("RNN_TANH", hidden_size=5))
    app.run()
    app.at.toggle(key="train.from").set_value(True)
    app.run()
    app.at.button(key="train.begin").click()
    app.run()
    work.stop.set()
    work.thread.join(60)
    assert heading(app.run()).endswith("Network from gates: 5 units, learning rate 0.01, at most 400 steps")
    assert "train.saturation" not in [t.key for t in app.at.toggle], "an RNN has no gates that saturate"
