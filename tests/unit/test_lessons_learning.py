"""The numbers of the lessons about learning and about one sign, measured once more by torch's own gradient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_lessons_shipped import FACTS as OTHERS
from test_lessons_shipped import LESSONS, Facts, said_alike
from torch import nn

import seqviz


def arriving(F: Facts, name: str, state: str = "c", cell: str = "LSTM") -> float:
    """The share of the last output's gradient on a state that arrives at the first step, by torch's own cells."""
    experiment = F.lesson.experiments("en")[name]
    if cell != experiment.cell:
        experiment = experiment.changed(cell=cell)
    kept = {n: torch.tensor(a.astype(float)) for n, a in seqviz.weights.materialise(experiment).items()}
    H = experiment.hidden_size
    made = (nn.LSTMCell if cell == "LSTM" else nn.RNNCell)(experiment.input_size, H).double()
    made.load_state_dict({n.removesuffix("_l0"): a for n, a in kept.items() if n.endswith("_l0")})
    h, c = torch.zeros(1, H, dtype=torch.float64), torch.zeros(1, H, dtype=torch.float64)
    h.requires_grad_(), c.requires_grad_()
    states = []
    for x in torch.tensor(seqviz.run(experiment)["x"].astype(float)):
        h, c = made(x, (h, c)) if cell == "LSTM" else (made(x, h), c)
        states.append({"h": h, "c": c}[state])
        states[-1].retain_grad()
    # Through c alone or through h: the state's own gradient is what all of its paths bring.
    (h @ kept["readout.weight"].T).sum().backward()
    return float(states[0].grad.norm() / states[-1].grad.norm())


def why_does_it_learn() -> Facts:
    F = Facts("why-does-it-learn")
    F.set("which-one", "1,233", "50", "0.69")
    f = F.run("default", "l0.f", 3)
    F.measured("half-a-gate", "0.537", f.max()), F.set("half-a-gate", "3", "49")
    means = seqviz.run(F.lesson.experiments("en")["default"])["l0.f"][:, 0].mean(axis=0)
    assert means.argmax() == 3
    small, chrono = arriving(F, "default", "h"), arriving(F, "chrono", "h")
    assert f"{small:.0e}" == "7e-14"
    F.measured("what-reaches-the-bit", "0.0012", chrono)
    F.set("what-reaches-the-bit", "49", "0", "1", "14")
    (
        F.measured("bias-one", "0.00003", arriving(F, "bias-one")),
        F.measured("bias-one", "1.41", arriving(F, "bias-three")),
    )
    F.set("bias-one", "1", "49", "0.73", "2", "50", "3")
    assert 0.73**2.3 < 0.5 < 0.73**2
    F.set("open-the-road", "0.95", "49")
    assert 1 / 13 < 0.95**49 < 1 / 11
    return F


def predict_then_run() -> Facts:
    F = Facts("predict-then-run")
    F.set("swap", "49", "1,000"), F.set("one-knob"), F.set("run-again")
    f = F.run("lstm", "l0.f", 3)
    F.measured("its-gates", "0.50", f.min()), F.measured("its-gates", "0.54", f.max()), F.set("its-gates", "3")
    assert f"{arriving(F, 'lstm', 'h'):.0e}" == "7e-14"
    assert f"{arriving(F, 'lstm', 'h', 'RNN_TANH'):.0e}" == "1e-13"
    F.measured("whose-gradient", "0.16", arriving(F, "open", "h")), F.set("whose-gradient", "50", "5", "13", "14")
    return F


def one_sign() -> Facts:
    F = Facts("one-sign")
    bits = F.run("all-kept", "x")
    counts, knows, turns = (F.run(name, "l0.c") for name in ("all-kept", "none-kept", "turned"))
    odd = np.cumsum(bits) % 2
    assert np.allclose(counts, 0.9993 * np.cumsum(bits), atol=0.01)
    assert np.allclose(turns, 0.9993 * odd, atol=1e-3)
    assert np.allclose(knows, 0.9993, atol=1e-3)
    F.measured("counts", "0.999", counts[0]), F.measured("counts", "11.99", counts[-1]), F.set("counts", "1")
    F.measured("only-knows", "0.999", knows[-1]), F.set("only-knows", "1")
    F.measured("turns", "0.999", turns[0]), F.measured("turns", "0.000", turns[3]), F.set("turns", "1")
    h = F.run("slides", "l0.h")
    for text, number in zip(("0.205", "0.355", "0.464", "0.761"), -h[[0, 1, 2, -1]], strict=True):
        F.measured("only-slides", text, number)
    assert (np.diff(h) < 0).all(), "it never turns back"
    F.set("only-slides", "1", "0")
    toggle = seqviz.run(seqviz.preset("toggle"))
    assert len(toggle["x"]) == 24
    F.measured("memory-without-gradient", "0.000", arriving(F, "toggle")), F.set("memory-without-gradient", "24")
    F.set("choose-it", "0.1", "1")
    return F


FACTS = {facts.lesson.id: facts for facts in (why_does_it_learn(), predict_then_run(), one_sign())}


def test_every_lesson_has_its_facts():
    assert {*OTHERS, *FACTS} == {*LESSONS}


@pytest.mark.parametrize(("lesson", "step"), [(name, step.id) for name in FACTS for step in LESSONS[name].steps])
def test_every_number_that_is_said_of_learning_was_measured(lesson, step):
    found = LESSONS[lesson]
    said_alike(found, found.step(step), FACTS[lesson].found.get(step, set()))


def test_a_keep_factor_of_a_wrong_sign_or_size_is_no_parity():
    start = LESSONS["one-sign"].experiments("en")["half-kept"]
    bits = seqviz.run(start)["x"][:, 0, 0]
    for k, good in ((-1.0, True), (-0.9, False), (1.0, False), (0.0, False)):
        held = replace(start, interventions=tuple(replace(e, value=k) for e in start.interventions))
        c = seqviz.run(held)["l0.c"][:, 0, 0]
        assert (np.abs(c - np.cumsum(bits) % 2).max() < 0.1) == good
