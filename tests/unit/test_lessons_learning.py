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
    F.set("which-one", "1,233", "50", "0.69", "0", "1", "2", "3", "400", "1,000")
    assert f"{np.log(2):.2f}" == "0.69"
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
    F.set("one-or-three", "1", "3", "5", "0", "400", "50", "0.731", "2.2", "14.3")
    gates = [1 / (1 + np.exp(-bias)) for bias in (1.0, 3.0)]
    assert [f"{gates[0]:.3f}", *(f"{np.log(0.5) / np.log(gate):.1f}" for gate in gates)] == ["0.731", "2.2", "14.3"]
    F.set("choose-a-bias", "0.95", "49", "5", "100")
    assert 1 / 13 < 0.95**49 < 1 / 11
    assert f"{gates[1]:.2f}" == "0.95"
    return F


def predict_then_run() -> Facts:
    F = Facts("predict-then-run")
    F.set("swap", "19", "20", "1,233", "1,293", "0", "1", "2", "3", "600"), F.set("one-knob", "5", "100")
    F.set("run-again", "3")
    rnn = F.lesson.step("swap").train.runs["RNN"]
    made = nn.RNN(1, rnn.hidden_size).parameters(), nn.Linear(rnn.hidden_size, 1).parameters()
    assert sum(p.numel() for part in made for p in part) == 1293
    f = F.run("lstm", "l0.f", 3)
    F.measured("its-gates", "0.47", f.min()), F.measured("its-gates", "0.53", f.max()), F.set("its-gates", "3")
    lstm, other = arriving(F, "lstm", "h"), arriving(F, "lstm", "h", "RNN_TANH")
    assert [f"{lstm:.0e}", f"{other:.0e}"] == ["3e-06", "7e-06"]
    assert lstm < other / 2
    F.measured("whose-gradient", "0.05", arriving(F, "open", "h"))
    F.set("whose-gradient", "20", "5", "06")
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


LEARN = {
    ("why-does-it-learn", "which-one"): {"LSTM, default": 0, "LSTM, chrono": 3},
    ("why-does-it-learn", "one-or-three"): {"bias 1": 0, "bias 3": 5},
    ("predict-then-run", "swap"): {"RNN": 3, "LSTM": 0},
    ("predict-then-run", "run-again"): {"RNN": 3, "LSTM, bias 3": 3},
}
"""On how many seeds each network learns, as the lessons say; read off a loop of its own that asks for every bit."""


def right_at_the_end(trained, task, seed=99):
    """The share of fresh sequences whose last answer is the first bit, by torch's own layers."""
    e = trained.experiment
    kept = {n: torch.tensor(a.copy()) for n, a in seqviz.weights.materialise(e).items()}
    layer = (nn.LSTM if e.cell == "LSTM" else nn.RNN)(e.input_size, e.hidden_size)
    layer.load_state_dict({n: a for n, a in kept.items() if n.endswith("_l0")})
    x = torch.randn(task.length, 2000, 1, generator=torch.Generator().manual_seed(seed)) * 0.2
    bits = torch.randint(2, (2000,), generator=torch.Generator().manual_seed(seed))
    x[0, :, 0] = 2.0 * bits - 1
    with torch.no_grad():
        y = layer(x)[0][-1] @ kept["readout.weight"].T + kept["readout.bias"]
    return float(((y[:, 0] > 0) == (bits > 0)).float().mean())


@pytest.mark.parametrize(("lesson", "step"), LEARN)
def test_what_is_said_to_be_learned_is_learned_and_the_other_is_not(lesson, step):
    said = LESSONS[lesson].step(step).train
    assert [*said.runs] == [*LEARN[lesson, step]]
    for name, recipe in said.runs.items():
        ends = []
        for seed in range(said.seeds):
            *_, last = seqviz.training.train(
                seqviz.training.prepare(said.task, recipe, seed), said.task, recipe, seed=seed
            )
            ends.append(last)
        shares = [right_at_the_end(last, said.task) for last in ends]
        wanted = LEARN[lesson, step][name]
        assert [last.solved for last in ends].count(True) == wanted, name
        assert sum(share > 0.97 for share in shares) == wanted, (name, shares)
        assert all(share > 0.97 or share < 0.6 for share in shares), (name, shares)


def test_a_keep_factor_of_a_wrong_sign_or_size_is_no_parity():
    start = LESSONS["one-sign"].experiments("en")["half-kept"]
    bits = seqviz.run(start)["x"][:, 0, 0]
    for k, good in ((-1.0, True), (-0.9, False), (1.0, False), (0.0, False)):
        held = replace(start, interventions=tuple(replace(e, value=k) for e in start.interventions))
        c = seqviz.run(held)["l0.c"][:, 0, 0]
        assert (np.abs(c - np.cumsum(bits) % 2).max() < 0.1) == good
