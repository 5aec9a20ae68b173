"""Every number in every sentence of the shipped lessons against the run, and every task against its settings.

The numbers are measured here once more, in numpy and without the reader's own language of measures.
"""

from __future__ import annotations

import re
from decimal import Decimal

import numpy as np
import pytest
import torch

import seqviz
from seqviz import comparison, lessons, sequences
from seqviz.lessons.experiments import changed
from seqviz.lessons.shipped import FOLDER

LESSONS = {lesson.id: lesson for lesson in lessons.shipped()}
NUMBER = re.compile(r"(?<![A-Za-z0-9_.])[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![A-Za-z_])")
STEPS = [(name, step.id) for name, lesson in LESSONS.items() for step in lesson.steps]


class Facts:
    """What was measured for each step, as it is written."""

    def __init__(self, lesson: str) -> None:
        self.lesson, self.found = LESSONS[lesson], dict[str, set[str]]()

    def run(self, name: str, signal: str, unit: int = 0) -> np.ndarray:
        return seqviz.run(self.lesson.experiments("en")[name])[signal][:, 0, unit].astype(float)

    def measured(self, step: str, text: str, number: float, unit: float | None = None) -> None:
        """`number` is what is written as `text`, to its last digit or to the nearest `unit`."""
        shown = Decimal(text.replace(",", ""))
        last = Decimal(str(unit)) if unit else Decimal(1).scaleb(int(shown.as_tuple().exponent))
        assert abs(Decimal(repr(float(number))) - shown) <= last / 2, f"{step}: {text} is written, {number} measured"
        self.set(step, text.lstrip("-"))

    def set(self, step: str, *texts: str) -> None:
        """Numbers of the setting, and of wrong answers: steps, weights."""
        self.found.setdefault(step, set()).update(texts)


def numbers(text: str) -> set[str]:
    return {token.lstrip("-−") for token in NUMBER.findall(text)}


def half_life(values: np.ndarray) -> int:
    top = int(np.abs(values).argmax())
    return int(np.flatnonzero(np.abs(values[top:]) <= abs(values[top]) / 2)[0])


def forget_gate() -> Facts:
    F = Facts("forget-gate")
    f, c, slow = F.run("leaky", "l0.f"), F.run("leaky", "l0.c"), F.run("slow", "l0.c")
    F.measured("share", "0.900", f[26]), F.measured("share", "0.100", c[25]), F.measured("share", "0.090", c[26])
    F.measured("half", "7", half_life(c)), F.measured("half", "0.048", c[32]), F.measured("half", "0.100", c[25])
    assert c[32] < c[25] / 2 < c[31]
    for text, number in (
        ("0.90", f[0]),
        ("0.99", F.run("slow", "l0.f")[0]),
        ("7", half_life(c)),
        ("70", half_life(slow)),
    ):
        F.measured("ten-times", text, number)
    F.measured("ten-times", "0.01", 1 - F.run("slow", "l0.f")[0]), F.measured("ten-times", "0.10", 1 - f[0])
    F.set("ten-times", "8", "1")
    cut = F.run("shut-once", "l0.c")
    F.measured("shut-once", "0.065", cut[29]), F.measured("shut-once", "0.000", np.abs(cut[30:]).max())
    F.measured("shut-once", "0.900", F.run("shut-once", "l0.f")[31]), F.set("shut-once", "30")
    held = F.run("paused", "l0.c")
    for text, number in (("0.090", held[60]), ("0.090", c[26]), ("0.002", c[60]), ("0.100", held[59])):
        F.measured("paused", text, number)
    F.set("paused", "1", "26", "59", "60")
    marked = F.run("marked", "l0.c")
    for text, number in (("0.100", marked[0]), ("1.200", marked[11]), ("0.100", marked[12])):
        F.measured("same-step", text, number)
    F.measured("same-step", "0.000", F.run("marked", "l0.f")[12]), F.set("same-step", "12", "0", "1")
    F.measured("fifty", "7", half_life(c)), F.measured("fifty", "0.9", f[0]), F.set("fifty", "50")
    return F


def cell_state() -> Facts:
    F = Facts("cell-state")
    f, i, g, c, h = (F.run("filling", f"l0.{s}") for s in "figch")
    for text, number in (("1.000", f[1]), ("1.000", i[1]), ("0.462", c[0]), ("0.462", g[1]), ("0.924", c[1])):
        F.measured("kept-and-written", text, number)
    for text, number in (("0.462", g[5]), ("11.09", c[23]), ("1.00", h[23]), ("24", len(c))):
        F.measured("no-ceiling", text, number)
    F.set("no-ceiling", "1")
    x, y, count = F.run("counter", "x"), F.run("counter", "y"), F.run("counter", "l0.c")
    for text, number in (("12", x.sum()), ("0.12", count[-1]), ("11.94", y[-1]), ("0.01", F.run("counter", "l0.g")[0])):
        F.measured("twelve", text, number)
    assert round(y[-1]) == 12
    F.set("twelve", "1")
    lstm, rnn = F.run("lstm-counts", "y"), F.run("rnn-counts", "y")
    for text, number in (("23.5", lstm[23]), ("23.5", lstm[-1]), ("21.5", rnn[23]), ("8.5", rnn[-1])):
        F.measured("silence", text, number)
    assert F.run("rnn-counts", "x").tolist() == F.run("lstm-counts", "x").tolist() == [1.0] * 24 + [0.0] * 176
    F.set("silence", "1", "0.01", "24", "176", "23", "0")
    (
        F.measured("anew", "6.99", F.run("cut", "y")[-1]),
        F.measured("anew", "11.94", y[-1]),
        F.measured("anew", "7", x[12:].sum()),
    )
    F.set("anew", "12", "1"), F.set("zeros", "0", "1")
    return F


def output_gate() -> Facts:
    F = Facts("output-gate")
    c, h, o = (F.run("teller", f"l0.{s}") for s in "cho")
    hidden = np.delete(h, [10, 20])
    for text, number in (
        ("0.999", c.min()),
        ("0.999", c.max()),
        ("0.761", h[10]),
        ("0.761", h[20]),
        ("0.000", np.abs(hidden).max()),
    ):
        F.measured("asked", text, number)
    F.set("asked", "0", "10", "20")
    (
        F.measured("not-lost", "0.000", np.abs(h[:10]).max()),
        F.measured("not-lost", "0.999", c[9]),
        F.set("not-lost", "9", "10", "0"),
    )
    (
        F.measured("opens", "1.000", o[10]),
        F.measured("opens", "0.999", c[10]),
        F.measured("opens", "0.761", h[10]),
        F.set("opens", "10"),
    )
    right, wrong, odd = (
        F.run("toggle", "l0.c"),
        F.run("toggle-hidden", "l0.c"),
        np.cumsum(F.run("toggle", "x")) % 2 == 1,
    )
    F.measured("hidden-from-itself", "-1.00", right[12]), F.measured("hidden-from-itself", "1.00", wrong[12])
    assert ((right > 0) == odd).all()
    assert ((wrong[:12] > 0) == odd[:12]).all()
    assert ((wrong[12:] > 0) != odd[12:]).all()
    F.set("hidden-from-itself", "1", "6", "11", "12", "0")
    F.measured("reads-x-only", "0.12", F.run("counter-hidden", "l0.c")[-1])
    assert np.allclose(F.run("counter-hidden", "l0.c"), F.run("counter", "l0.c"), atol=1e-7)
    F.set("seal", "0.05", "0.9")
    return F


def keep_the_first_bit() -> Facts:
    F = Facts("keep-the-first-bit")
    x, y, i = F.run("latch", "x"), F.run("latch", "y"), F.run("latch", "l0.i")
    for text, number in (("24", len(y)), ("1", x[0]), ("1.00", y.min()), ("1.00", y.max()), ("23", len(y) - 1)):
        F.measured("story", text, number)
    F.set("story", "0")
    F.measured("flip", "1.00", F.run("other-later", "y")[-1]), F.measured("flip", "0.00", F.run("other-first", "y")[-1])
    assert np.array_equal(F.run("other-later", "y"), y)
    F.set("flip", "12", "0")
    for text, number in (("1.000", i[0]), ("0.000", i[1:].max()), ("0.761", F.run("latch", "l0.h", 1)[0]), ("1", x[3])):
        F.measured("guard", text, number)
    weights = seqviz.weights.materialise(F.lesson.experiments()["latch"])
    (
        F.measured("guard", "-80", seqviz.weights.gate_view(weights, "LSTM", 0, "i", "hh")[0, 1]),
        F.set("guard", "0", "1", "3"),
    )
    F.measured("no-guard", "0.50", F.run("unguarded", "y")[-1]), F.measured("no-guard", "12", x.sum())
    F.measured("no-guard", "12", (x == 0).sum()), F.set("no-guard", "0", "1", "1.00", "0.00")
    leak = F.run("leaking", "y")
    for text, number in (
        ("0.900", F.run("leaking", "l0.f")[1]),
        ("0.089", F.run("leaking", "l0.c")[-1]),
        ("0.559", leak[-1]),
        ("0.441", F.run("leaking-other", "y")[-1]),
    ):
        F.measured("leak", text, number)
    assert (np.diff(leak) < 0).all()
    F.set("leak", "0", "1", "23")
    latch = F.lesson.experiments()["latch"]
    flow = seqviz.gradient_flow(
        seqviz.network(latch).double(), torch.tensor(seqviz.run(latch)["x"].astype(float)), loss="last"
    )
    on_c, on_h = flow.norms("l0.c"), flow.norms("l0.h")
    (
        F.measured("signal", "0.277", on_c.min()),
        F.measured("signal", "0.277", on_c.max()),
        F.measured("signal", "0.000", on_h[:-1].max()),
    )
    assert on_h[-1] > 0.1
    F.set("repair", "0.9", "0.1", "1", "0")
    return F


def what_an_rnn_carries() -> Facts:
    F = Facts("what-an-rnn-carries")
    h, one, small, large, minus = (F.run(name, "l0.h") for name in ("fades", "one", "small", "large", "minus"))
    assert np.allclose(h, _squashed(0.8, 0.9, 101), atol=1e-6)
    for text, number in (("0.800", h[0]), ("0.720", 0.9 * h[0]), ("0.617", np.tanh(0.9 * h[0])), ("0.617", h[1])):
        F.measured("one-number", text, number)
    F.set("one-number", "1", "0", "0.9")
    F.measured("fades", "0.800", h[0]), F.measured("fades", "0.058", h[20]), F.set("fades", "20")
    F.measured("times-one", "0.800", one[0]), F.measured("times-one", "0.121", one[100])
    assert (np.diff(one) < 0).all()
    F.set("times-one", "1", "100", "0.000", "0")
    for text, number in (
        ("0.859", small[30]),
        ("0.859", large[30]),
        ("0.859", -minus[30]),
        ("0.000", small[30] - large[30]),
    ):
        F.measured("sign-not-amount", text, number)
    F.measured("sign-not-amount", "30", 3 / 0.1), F.set("sign-not-amount", "0.1", "3", "1", "1.5")
    F.measured("relu", "3", F.run("relu", "l0.h")[100], unit=1e-6)
    F.measured("relu", "0", np.abs(F.run("relu-minus", "l0.h")).max(), unit=1e-9)
    F.set("relu", "1", "100"), F.set("hold-the-sign", "0.9", "100")
    return F


def _squashed(start: float, weight: float, steps: int) -> list[float]:
    found = [start]
    while len(found) < steps:
        found.append(float(np.tanh(weight * found[-1])))
    return found


def input_gate() -> Facts:
    F = Facts("input-gate")
    g, i, c = (F.run("register", f"l0.{s}") for s in "gic")
    assert np.allclose(F.run("register", "x"), np.sin(2 * np.pi * np.arange(24) / 7), atol=1e-6)
    (
        F.measured("shut", "-0.75", g.min()),
        F.measured("shut", "0.75", g.max()),
        F.measured("shut", "0.000", np.abs(c[:2]).max()),
    )
    F.set("shut", "1")
    F.measured("written", "1.000", i[2]), F.measured("written", "0.751", g[2]), F.measured("written", "0.751", c[2])
    F.set("written", "2")
    for text, number in (("0.751", c[10]), ("-0.409", g[11]), ("0.342", c[11])):
        F.measured("adds", text, number)
    F.set("adds", "11")
    text, candidate = F.lesson.experiments("en")["brackets"].sequence.text, F.run("brackets", "l0.g")
    F.measured("sign", "0.01", candidate[text.index("(")]), F.measured("sign", "-0.01", candidate[text.index(")")])
    letters = [k for k, sign in enumerate(text) if sign in "ab"]
    assert text[1] == "("
    assert text[6] == ")"
    assert not (F.run("brackets", "l0.i") * candidate)[letters].any()
    assert not candidate[letters].any()
    F.measured("always-open", "0.000", np.abs(F.run("always-open", "y") - F.run("brackets", "y")).max())
    F.measured("always-open", "1", F.run("always-open", "l0.i").min()), F.set("always-open", "0")
    F.set("replace", "0.02", "1", "20")
    return F


def vanish_explode() -> Facts:
    F = Facts("vanish-explode")

    def gain(name: str, cell: str = "RNN_TANH") -> float:
        """log10 of the first step's gradient over the last's, by autograd in a plain loop."""
        e = F.lesson.experiments()[name].changed(cell=cell)
        net, states = seqviz.network(e).double(), []
        w = {key: value.detach() for key, value in net.rnn.state_dict().items()}
        h = torch.zeros(1, e.hidden_size, dtype=torch.float64)
        for x in torch.tensor(seqviz.run(e)["x"].astype(float)):
            h = x @ w["weight_ih_l0"].T + h @ w["weight_hh_l0"].T + w["bias_ih_l0"] + w["bias_hh_l0"]
            h = (h.relu() if cell == "RNN_RELU" else h.tanh()).requires_grad_()
            h.retain_grad()
            states.append(h)
        net.readout(h).sum().backward()
        return float(torch.log10(states[0].grad.norm() / states[-1].grad.norm()))

    relu = [
        ("fades", "0.000027", "fades"),
        ("larger", "131.5", "fades"),
        ("fades", "0.000027", "grows"),
        ("nearly-one", "0.366", "near-one"),
        ("over-one", "2.70", "near-one"),
        ("exactly-one", "1.00", "near-one"),
    ]
    for name, text, step in relu:
        F.measured(step, text, 10 ** gain(name, "RNN_RELU"))
    F.measured("grows", "13,800", 10 ** gain("grows", "RNN_RELU"), unit=100)
    (
        F.set("fades", "0.9", "1.05", "100"),
        F.set("grows", "0.9", "1.1", "100", "10"),
        F.set("near-one", "0.99", "1.01", "1", "100"),
    )
    F.measured("quiet", "17.6", gain("quiet")), F.set("quiet", "16", "1.5", "100")
    loud = F.lesson.experiments()["loud"].changed(cell="RNN_TANH")
    eigenvalues = np.linalg.eigvals(seqviz.weights.materialise(loud)["weight_hh_l0"])
    assert np.allclose(np.abs(eigenvalues), 1.5, atol=1e-5)
    F.measured("loud", "13.1", -gain("loud")), F.measured("loud", "0.405", (1 - seqviz.run(loud)["l0.h"] ** 2).mean())
    F.set("loud", "4", "1"), F.set("narrow-road", "10", "100")
    gated = F.lesson.experiments()["gated"]
    flow = seqviz.gradient_flow(
        seqviz.network(gated).double(), torch.tensor(seqviz.run(gated)["x"].astype(float)), loss="last"
    )
    F.measured("gated", "53.9", -gain("gated")), F.set("gated", "200", "3")
    F.measured("gated", "2.6", np.log10(flow.norms("l0.h")[-1] / flow.norms("l0.h")[0]))
    return F


def does_order_matter() -> Facts:
    F = Facts("does-order-matter")

    def says(name: str, network: str, language: str = "en") -> np.ndarray:
        e = F.lesson.experiments(language)[name]
        return comparison.compare(e, sequences.generate(e.sequence, e.input_size))[network].y[:, 0]

    for text, number in zip(("0.097", "-0.270", "-0.110"), says("dog", "Feed-forward"), strict=True):
        F.measured("letter-by-letter", text, number)
    F.set("another-order")
    assert np.array_equal(says("dog", "Feed-forward"), says("god", "Feed-forward")[::-1])
    for other in ("RNN", "GRU", "LSTM"):
        assert not np.allclose(says("dog", other), says("god", other)[::-1], atol=0.01)
    for name in ("dog", "god"):
        assert np.array_equal(says(name, "RNN"), says(name, "RNN", "zh")), "the Chinese words give the same numbers"
    (
        F.measured("another-past", "-0.112", says("dog", "RNN")[1]),
        F.measured("another-past", "0.208", says("god", "RNN")[1]),
    )
    before, after = F.run("counting", "y"), F.run("shuffled", "y")
    assert sorted(F.run("counting", "x")) == sorted(F.run("shuffled", "x"))
    for text, number in (
        ("12", before[-1]),
        ("12", after[-1]),
        ("2", np.abs(before - after).max()),
        ("24", len(before)),
    ):
        F.measured("counting", text, number)
    F.set("counting", "1")
    first, last = F.run("ones-first", "y"), F.run("ones-last", "y")
    F.measured("later-counts-more", "1.05", first[-1]), F.measured("later-counts-more", "2.71", last[-1])
    F.set("later-counts-more", "3", "9", "0", "1"), F.set("place-them", "2.6", "1", "0")
    return F


FACTS = {
    facts.lesson.id: facts
    for facts in (
        does_order_matter(),
        vanish_explode(),
        what_an_rnn_carries(),
        input_gate(),
        forget_gate(),
        cell_state(),
        output_gate(),
        keep_the_first_bit(),
    )
}


@pytest.mark.parametrize(("lesson", "step"), [place for place in STEPS if place[0] in FACTS])
def test_every_number_in_every_sentence_was_measured(lesson, step):
    found, step = LESSONS[lesson], LESSONS[lesson].step(step)
    said_alike(found, step, FACTS[lesson].found[step.id])


def said_alike(found, step, known):
    """Every number that is said is among those that are `known`, and every language says the same."""
    for words in step.texts():
        said = {language: numbers(step.written(words, language)) for language in found.languages}
        for language, tokens in said.items():
            assert tokens <= known, f"{language}: {step.written(words, language)}"
            differ = (tokens ^ said["en"]) - {"0", "1", "2"}  # bits, which English spells out: ones and zeros
            assert not differ, f"{language} and en say other numbers: {step.written(words, language)}"


@pytest.mark.parametrize("lesson", LESSONS)
def test_what_a_lesson_claims_of_its_tasks_holds(lesson):
    assert lessons.prove(LESSONS[lesson]) == []
    tasks = [step.task for step in LESSONS[lesson].steps if step.task]
    assert tasks, "a lesson ends on something to do"
    for task in tasks:
        start = task.start()
        assert lessons.check(task, changed(start, task.passes)).passed
        assert not lessons.check(task, changed(start, task.nearly)).passed
        assert not lessons.check(task, start).passed


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_is_complete(lesson):
    found = LESSONS[lesson]
    assert set(found.languages) == set(seqviz.language.LANGUAGES)
    assert 5 <= len(found.steps) <= 8
    assert found.minutes <= 5
    assert any(step.guess for step in found.steps)
    for step in found.steps:
        shown = step.experiment()
        rows = {"x", "y", *seqviz.vocabulary.SIGNALS[shown.cell]}
        if step.page in ("gates", "cell"):
            assert {*step.light, *step.cover} <= rows
        assert step.part is None or step.page == "cell"


def test_the_order_is_that_of_the_files():
    names = [path.stem for path in sorted(FOLDER.glob("*.yaml"))]
    assert [name.partition("-")[2] for name in names] == list(LESSONS)
