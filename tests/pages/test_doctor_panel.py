"""The questions about a trained network: its memory, what is wrong with it, and its cures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import seqviz
from seqviz.checkpoints import load_asset
from seqviz.doctor import doctor
from seqviz.doctor.planting import plant
from seqviz.experiment import Tensor
from seqviz.memory import uses_memory
from seqviz.tasks import task
from seqviz.training import RECIPES, Course, train
from seqviz.ui.trainer import Trainer


@pytest.fixture
def work(monkeypatch) -> Trainer:
    found = Trainer()
    monkeypatch.setattr("seqviz.ui.trainer._session_trainer", lambda: found)
    return found


def ill():
    """The order task's network with a unit that is never read."""
    healthy = load_asset("order")
    weights = plant(seqviz.network(healthy), "never_read", [10, 20]).state_dict()
    tensors = tuple(Tensor.of(name.removeprefix("rnn."), value.numpy()) for name, value in weights.items())
    return replace(healthy, tensors=tensors)


def course(experiment):
    """A finished course whose only network is this one."""
    found, recipe = task("order"), replace(RECIPES["order"]["LSTM, chrono"], max_steps=0)
    made = Course("LSTM, chrono", found, recipe, experiment, 0)
    made.checkpoints = list(train(experiment, found, recipe))
    return made


@pytest.fixture
def room(visit, work):
    app = visit("training")
    app.at.session_state["train.task.kept"] = "order"
    app.at.session_state["train.examine.kept"] = True
    work.courses = [course(ill())]
    return app.run()


def press(app, key):
    app.at.button(key=key).click()
    return app.run()


def said(app):
    return " ".join(m.value for m in [*app.at.markdown, *app.at.caption]).replace("\\", "").replace("\u2060", "")


def test_nothing_is_computed_before_it_is_asked(room):
    assert room.at.button(key="train.examined.doctor")
    assert room.at.button(key="train.examined.memory")
    assert "finding" not in said(room)


def test_the_findings_are_the_librarys_and_its_cure_is_looked_at_beside_it(room, monkeypatch):
    gone: list[str] = []
    monkeypatch.setattr("seqviz.ui.training_page.go", gone.append)
    press(room, "train.examined.doctor")
    (experiment, *_), _ = room.at.session_state["train.examined.doctor.answer"]
    wanted = doctor(experiment, task=task("order"))
    told = said(room)
    assert str(wanted.sentence) in told
    for finding in wanted:
        for part in (finding.title, finding.says, finding.cure.name, str(finding.effect)):
            assert str(part) in told
    press(room, "train.examined.cured")
    assert gone == ["gates"]
    bench = room.at.session_state["bench.gates"]
    assert bench.baseline == experiment
    cured = wanted.cured(experiment)
    np.testing.assert_array_equal(seqviz.run(bench.experiment)["y"], seqviz.run(cured)["y"])


def test_the_memory_is_told_in_the_librarys_words(room):
    press(room, "train.examined.memory")
    found = uses_memory(ill(), task=task("order"))
    for sentence in found.sentences:
        assert str(sentence) in said(room)


def test_an_answer_about_another_network_is_not_shown(room, work):
    press(room, "train.examined.doctor")
    assert "finding" in said(room)
    work.courses = [course(load_asset("order"))]
    assert "finding" not in said(room.run())


def test_a_healthy_network_is_told_so(room, work):
    work.courses = [course(load_asset("order"))]
    press(room.run(), "train.examined.doctor")
    assert "Nothing was found that a cure would mend." in said(room)


def test_on_the_gates_page_one_says_what_it_is_judged_by(visit, monkeypatch):
    gone: list[str] = []
    monkeypatch.setattr("seqviz.ui.panels.doctor.go", gone.append)
    app = visit(e=ill().to_url())
    assert not [b for b in app.at.button if b.key == "gates.examined.doctor"], "it is folded up"
    app.at.session_state["gates.examine.kept"] = True
    app.run()
    (by,) = [box for box in app.at.selectbox if box.key.startswith("gates.examined.by")]
    assert by.options[0] == "nothing: only what is certain is told"
    assert not [b for b in app.at.button if b.key == "gates.examined.memory"]
    press(app, "gates.examined.doctor")
    assert "1 finding. With targets, cures could be tried." in said(app)
    assert "Not tried: there is nothing to judge it by." in said(app)
    app.at.selectbox(key=by.key).set_value(task("order").label)
    app.run()
    assert "1 finding" not in said(app), "the answer was to another question"
    press(app, "gates.examined.doctor")
    assert "Its cure: loss" in said(app)
    press(app, "gates.examined.cured")
    assert gone == ["gates"]
    assert app.bench.baseline.tensors == ill().tensors


def test_ones_own_network_is_examined_too(visit):
    app = visit("your_network")
    (by,) = [box for box in app.at.selectbox if box.key.startswith("yours.by")]
    assert by.value == "adding", "that is what the example was trained on"
    press(app, "yours.examined.doctor")
    assert "Nothing was found that a cure would mend." in said(app)
