"""The reader of lessons: what it makes of a file, what it says of a wrong one, and what keeps it short."""

from __future__ import annotations

import json
import math
import time
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import seqviz
from seqviz import InputEdit, Sequence, lessons, weights
from seqviz.lessons.expressions import MEASURES, parse
from seqviz.lessons.measures import _Measuring, value
from seqviz.ui.lesson_shelf import text_of

ROOT = Path(__file__).parents[2]

SMALL = """\
seqviz: lesson/1
id: small
title: {en: Small, de: Klein}
goal: {en: See it., de: Sieh es.}
minutes: 1
experiments:
  leaky:
    preset: leaky
    sequence: {kind: impulse, length: 60}
  held:
    from: leaky
    what_if:
      - {hold: l0.f, at: 1, steps: 10-19}
steps:
  - id: one
    page: gates
    show: held
    against: leaky
    at: {step: 20, unit: 0}
    light: [f, c]
    say:
      en: It is **{{l0.c[20] .3f}}** and was {{l0.c[20] of leaky .3f}}.
      de: Es ist **{{l0.c[20] .3f}}** und war {{l0.c[20] of leaky .3f}}.
  - id: two
    page: gates
    show: leaky
    task:
      may: [f.0.bias]
      meter: half_life(l0.c)
      check: half_life(l0.c) > 20
      passes: {weights: {f.0.bias: 4.3}}
      nearly: {weights: {f.0.bias: 3}}
      do: {en: Make it last., de: Mach es haltbar.}
"""


def mistakes(text: str) -> list[tuple[int, str]]:
    with pytest.raises(ValueError, match="Line ") as caught:
        lessons.read(text)
    assert isinstance(caught.value, lessons.LessonError)
    return [(mistake.line, mistake.says) for mistake in caught.value.mistakes]


def swapped(old: str, new: str) -> str:
    assert SMALL.count(old) == 1, old
    return SMALL.replace(old, new)


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_a_lesson_is_frozen_values_and_its_experiments():
    lesson = lessons.read(SMALL)
    one, two = lesson.steps
    leaky = replace(seqviz.preset("leaky"), sequence=Sequence("impulse", 60))
    assert (lesson.id, lesson.minutes, lesson.languages) == ("small", 1.0, ("en", "de"))
    assert lessons.plain(lesson.title, "de") == "Klein"
    assert one.baseline() == leaky
    assert one.experiment() == replace(leaky, interventions=(seqviz.Clamp("l0.f", 1.0, steps=(10, 20)),))
    assert (one.page, one.step, one.unit, one.part, one.light) == ("gates", 20, 0, None, ("f", "c"))
    assert (two.task.may, two.say, two.guess) == (("f.0.bias",), None, None)
    with pytest.raises(FrozenInstanceError):
        one.page = "cell"


def test_numbers_in_a_sentence_are_those_of_the_run():
    one = lessons.read(SMALL).steps[0]
    now, before = (seqviz.run(e)["l0.c"][20, 0, 0] for e in (one.experiment(), one.baseline()))
    assert one.written(one.say, "en") == f"It is **{now:.3f}** and was {before:.3f}."
    assert one.written(one.say, "de") == f"Es ist **{now:.3f}** und war {before:.3f}."
    with seqviz.language.speaking("de"):
        assert one.written(one.say).startswith("Es ist")
    with seqviz.language.speaking("zh"):
        assert one.written(one.say).startswith("It is"), "a language that a lesson lacks is answered in English"


def test_a_task_is_measured_on_the_persons_own_setting():
    task = lessons.read(SMALL).steps[1].task
    start = task.start()

    def at(bias: float) -> seqviz.Experiment:
        return start.edited([seqviz.WeightEdit(*weights.place("LSTM", 1, 0, "f", "bias_ih", 0, 0), bias)])

    for bias in (3.0, 3.3, 3.4, 4.0, 4.3):
        lasts = -math.log(2) / math.log(1 / (1 + math.exp(-bias)))
        answer = lessons.check(task, at(bias))
        assert answer.passed == (lasts > 20), bias
        assert f"half-life of c, in steps: {math.ceil(lasts)}; more than" in answer.says
    other = lessons.check(task, replace(at(4.3), sequence=Sequence("step", 60)))
    assert (other.passed, other.says) == (False, "Only f.0.bias may change here; this also changes input.")
    assert lessons.changes(start, replace(at(4.3), cell="LSTM", interventions=(seqviz.Ablate("l0.f"),))) == {
        "f.0.bias",
        "what_if",
    }
    assert lessons.prove(lessons.read(SMALL)) == []


def test_a_task_that_is_no_task_is_told():
    assert lessons.prove(lessons.read(swapped("nearly: {weights: {f.0.bias: 3}}", "nearly: {weights: {f.0.bias: 4}}")))
    assert lessons.prove(lessons.read(swapped("passes: {weights: {f.0.bias: 4.3}}", "passes: {}")))
    assert (
        "before anybody begins"
        in lessons.prove(lessons.read(swapped("check: half_life(l0.c) > 20", "check: half_life(l0.c) > 2")))[0]
    )
    assert lessons.prove(
        lessons.read(swapped("passes: {weights: {f.0.bias: 4.3}}", "passes: {weights: {f.0.bias: 4.3, i.0.bias: 5}}"))
    )


WRONG = [
    ("page: gates\n    show: held", "page: gate\n    show: held", "page: gate\n", "must be one of 'gates', 'cell'"),
    ("id: one", "id: two", "id: two\n    page: gates\n    show: leaky", "two steps with the id 'two'"),
    ("id: one", "id: One!", "id: One!", "'One!' is no name that can stand here"),
    ("    light: [f, c]\n", "    lights: [f, c]\n", "lights", "There is no “lights”"),
    ("    show: held\n", "", "- id: one", "“show” is missing"),
    ("show: held", "show: hold", "show: hold", "There is no experiment 'hold'"),
    ("against: leaky", "against: leak", "against: leak\n", "There is no experiment 'leak'"),
    ("at: {step: 20", "at: {step: 60", "at: {step: 60", "steps 0 to 59; step 60"),
    ("unit: 0}", "unit: 1}", "at: {step: 20, unit: 1}", "units 0 to 0; unit 1"),
    ("at: {step: 20", "at: {step: twenty", "at: {step: twenty", "'twenty' is not what belongs here, which is a whole"),
    ("minutes: 1", "minutes: '1'", "minutes", "which is a number"),
    ("preset: leaky", "preset: leak", "preset: leak\n", "must be one of"),
    ("from: leaky", "from: later", "held:", "no experiment 'later' above"),
    ("hold: l0.f", "hold: l0.q", "held:", "l0.q"),
    ("steps: 10-19", "steps: 10-", "held:", "not '10-'"),
    ("length: 60", "length: 6000", "length: 6000", "too small or too large"),
    ("check: half_life(l0.c) > 20", "check: half_life(l0.c)", "check:", "compare it with a number"),
    ("check: half_life(l0.c) > 20", "check: half_live(l0.c) > 20", "check:", "no measure 'half_live'"),
    ("check: half_life(l0.c) > 20", "check: half_life(l0.k) > 20", "check:", "no signal 'l0.k'"),
    ("check: half_life(l0.c) > 20", "check: y[60] > 20", "check:", "step 60 does not exist"),
    ("may: [f.0.bias]", "may: [f.0.bios]", "may:", "'f.0.bios' is no weight"),
    ("may: [f.0.bias]", "may: [f.1.bias]", "may:", "unit 1 does not exist"),
    ("passes: {weights: {f.0.bias: 4.3}}", "passes: {weights: {z.0.bias: 4.3}}", "passes:", "LSTM has no gate 'z'"),
    ("en: It is **{{l0.c[20] .3f}}**", "en: It is **{{l0.c[20] .2f}}**", "de: Es ist", "other numbers than the first"),
    ("was {{l0.c[20] of leaky .3f}}", "was {{l0.c[20] of leek .3f}}", "de: Es ist", "other numbers"),
    ("en: It is **{{l0.c[20] .3f}}**", "en: It is **{{l0.c[20]}}**", "en: It is", "is no number to measure"),
    ("en: It is **{{l0.c[20] .3f}}**", "en: It is **{l0.c[20] .3f}}**", "en: It is", "some are missing"),
    ("en: It is", "en: <script>alert(1)</script> It is", "en: <script>", "HTML is not shown"),
    ("en: It is", "en: '![x](https://example.org/x.png)' #", "en: '!", "no others"),
    ("do: {en: Make it last., de: Mach es haltbar.}", "do: {en: Make it last.}", "do:", "not said in de"),
    ("goal: {en: See it., de: Sieh es.}", "goal: See it.", "goal:", "by language"),
    ("id: small", "id: small\nid: smaller", "id: smaller", "'id' stands here twice"),
    ("id: small", "id: &a small", "id: &a", "Names for values"),
    ("id: small", "id: !!python/object/apply:os.system ['id']", "id: !!", "Tags (!)"),
    ("    page: gates\n    show: leaky", "\tpage: gates\n    show: leaky", "\tpage", "There is a tab"),
    ("de: Klein}", "de: Klein", "goal", "missing colon, comma, bracket or quote"),
    ("de: Sieh es.}", "de: Sieh es.}\n---\na: 1", "---", "second “---”"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "where", "says"), WRONG, ids=[f"{w[1][:30]!r}" for w in WRONG])
def test_a_mistake_has_its_line_and_a_sentence(old, new, where, says):
    text = swapped(old, new)
    found = mistakes(text)
    assert any(says in sentence for _, sentence in found), found
    assert line_of(text, where) in [line for line, sentence in found if says in sentence], found


def test_all_mistakes_are_told_at_once_and_in_order():
    text = SMALL.replace("page: gates", "page: gate").replace("minutes: 1\n", "")
    found = mistakes(text)
    assert len(found) == 3
    assert [line for line, _ in found] == sorted(line for line, _ in found)


@pytest.mark.parametrize("text", ["", "[]", "1", "null", "- a", "a", "\0", "\ud800", None, b"seqviz"], ids=repr)
def test_what_is_no_lesson_gets_a_sentence(text):
    assert mistakes(text)


HOSTILE = {
    "brackets": "a: " + "[" * 90_000,
    "bracket lines": "a: " + "[\n" * 40_000,
    "braces": "a: " + "{" * 90_000,
    "dashes": "- " * 45_000,
    "questions": "? " * 45_000,
    "deep": "\n".join(" " * k + "a:" for k in range(400)),
    "many": "\n".join(f"a{k}: 1" for k in range(12_000))[:99_000],
    "long": "a: " + "x" * 200_000,
    "aliases": "a: &a [x, x]\n" + "".join(f"b{k}: &b{k} [*a, *a]\n" for k in range(9)),
    "digits": "minutes: " + "9" * 90_000,
    "marks": "a: " + "*" * 90_000,
    "words": SMALL.replace("en: See it.", "en: '" + "[" * 60_000 + "'"),
    "emphasis": SMALL.replace("en: See it.", "en: '" + "*a _b " * 10_000 + "'"),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_would_keep_a_computer_busy_is_refused_soon(text):
    began = time.process_time()
    assert mistakes(text)
    assert time.process_time() - began < 10


FORGET = (ROOT / "assets" / "lessons" / "04-forget-gate.yaml").read_text(encoding="utf-8")
SAYS = "The forget gate says what"
WRONG = {
    "in the Chinese of Windows": (FORGET.encode("gbk", errors="replace"), 3, "save it as UTF-8"),
    "in two bytes a letter": (FORGET.encode("utf-16"), 1, "save it as UTF-8"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(99), 1, "save it as UTF-8"),
    "half a letter": (FORGET.replace("page: cell", "page: ce\ud800ll", 1).encode(errors="surrogatepass"), 38, "UTF-8"),
    "a zero": (FORGET.replace("page: cell", "page: ce\0ll", 1).encode(), 38, "cannot stand in YAML"),
    "a tab": (FORGET.replace("    page: cell", "\tpage: cell", 1).encode(), 38, "a tab"),
    "a script": (FORGET.replace(SAYS, "[x](javascript:alert(1))", 1).encode(), 42, "'javascript:alert"),
    "data": (FORGET.replace(SAYS, "[x](data:text/html,hi)", 1).encode(), 42, "'data:text"),
    "a place of this site": (FORGET.replace(SAYS, "[x](/gates?e=1)", 1).encode(), 42, "'/gates?e=1'"),
    "nowhere": (FORGET.replace(SAYS, "[x](http://)", 1).encode(), 42, "'http://'"),
    "half a link": (FORGET.replace(SAYS, "[x](http:// y", 1).encode(), 42, "'http://"),
    "markup": (FORGET.replace(SAYS, "<img src=x onerror=alert(1)>", 1).encode(), 42, "HTML is not shown"),
}


@pytest.mark.parametrize(("data", "line", "says"), WRONG.values(), ids=WRONG)
def test_a_file_that_is_wrong_in_one_place_gets_that_line(data, line, says):
    for source in (data, text_of(data)):
        ((found, said),) = mistakes(source)
        assert (found, says in said) == (line, True), said


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_how_a_file_marks_its_lines_and_its_beginning_is_all_the_same(ends):
    assert lessons.read(b"\xef\xbb\xbf" + FORGET.replace("\n", ends).encode()).id == "forget-gate"
    linked = FORGET.replace(SAYS, "[c\\[26\\]](https://a.b/c) and [x] (y)", 1)
    assert lessons.read(linked.replace("\n", ends)).id == "forget-gate"


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_broken_file_gets_sentences_and_nothing_else(data):
    text = SMALL
    for _ in range(data.draw(st.integers(1, 3))):
        k = data.draw(st.integers(0, len(text) - 1))
        middle = data.draw(st.one_of(st.text(max_size=3), st.sampled_from("{}[]:,-|>&*!%@`'\"#?\n\t ")))
        text = text[:k] + middle + text[k + data.draw(st.integers(0, 8)) :]
    found: tuple = ()
    try:
        lessons.read(text)
    except lessons.LessonError as error:
        found = error.mistakes
    assert all(1 <= m.line <= text.count("\n") + 2 and m.says and len(m.says) < 500 for m in found)


# --- expressions ----------------------------------------------------------------------------------------------------

LATCH = seqviz.preset("latch")


def measure(text: str, experiment=LATCH, kind: str = "number", against=None) -> float:
    return value(parse(text, kind), experiment, against)


numbers = st.integers(0, 40).map(str) | st.decimals(0, 9, places=2).map(str)
sums = st.recursive(
    numbers,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" + ", "-", " * ", "/"]), inner).map("".join),
        inner.map("({})".format),
        inner.map("-{}".format),
        inner.map("abs({})".format),
    ),
    max_leaves=8,
)


@given(sums)
@settings(deadline=None)
def test_arithmetic_is_pythons(text):
    try:
        expected = float(eval(text))
    except ZeroDivisionError:
        assert math.isnan(measure(text)) or math.isfinite(measure(text))
        return
    assert measure(text) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@given(sums, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), sums, st.sampled_from([" and ", " or "]), sums)
@settings(deadline=None)
def test_comparisons_are_pythons(a, sign, b, word, c):
    text = f"{a} {sign} {b}{word}{c} < {a}"
    try:
        expected = bool(eval(f"({a} {sign} {b}){word}({c} < {a})"))
    except ZeroDivisionError:
        return
    assert bool(measure(text, kind="truth")) == expected


REFUSED = [
    "__import__('os')", "x.__class__", "lambda: 1", "y[0", "y[-1]]", "1 2", "y", "l0.c > 1", "y[0.5]", "y[y[0]]",
    "y[24]", "y[-25]", "y[0, 1]", "l0.q[0]", "half_life", "half_life()", "half_life(3)", "half_life(l0.c, unit=2)",
    "half_life(l0.c, l0.h)", "half_life(l0.c, nit=0)", "count(x)", "parity(x)", "parity(x)[0, 0]", "abs(RNN)", "1 < 2",
    "gradient(l0.f)[0]", "gain(l0.h, cell=FeedForward)", "moved(y)", "peak(y, 0, 24)", "output(LSTM)", "'y'", "1e400 +",
    "y[0] if 1 else 2", "2 ** 3", "é", "", " ", "(" * 20 + "1" + ")" * 20, "1+" * 200 + "1", "abs(1, 2)", "1.2.3",
    "and", "abs(1 < 2)", "round(1, y)", "-l0.c", "half_life(l0.c)[0]", "apart(l0.c, 3)", "[1]", "y.z[0]", "x = 1",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_measure_is_refused_with_a_sentence(text):
    with pytest.raises(ValueError, match=r"\S.*[.…)]$") as caught:
        measure(text)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("text", ["1 < 2 < 3", "y[0] = 1", "y[0]", "1 and 2", "1 < 2 and y[0]", "not 1 < 2"])
def test_what_is_no_comparison_is_refused(text):
    with pytest.raises(ValueError, match=r"\S"):
        measure(text, kind="truth")


@given(st.text(alphabet="xyl0.ch[]()<>=+-*/ ,12and orpk_life", max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_measure_or_gets_a_sentence(text):
    for kind in ("number", "truth"):
        found: float | str = ""
        try:
            found = measure(text, kind=kind)
        except ValueError as error:
            found = str(error)
        assert found != ""


def test_reading_an_expression_takes_a_time_that_grows_with_its_length():
    assert measure("-" * 290 + "1") == 1.0
    assert measure("1" + "-1" * 149) == -148.0
    with pytest.raises(ValueError, match="300 characters"):
        parse("1" + "+1" * 150, "number")
    with pytest.raises(ValueError, match="at most 12 deep"):
        parse("abs(" * 13 + "1" + ")" * 13, "number")


def test_measures_are_what_numpy_finds():
    trace = seqviz.run(LATCH)
    x, y, c, h = (trace[name][:, 0].astype(float) for name in ("x", "y", "l0.c", "l0.h"))
    other = replace(LATCH, sequence=LATCH.sequence.edited([InputEdit(0, 0, 0.0)]))
    ramp = replace(LATCH, interventions=(seqviz.Scale("l0.c", 0.9),))
    decays = seqviz.run(ramp)["l0.c"][:, 0, 1]
    assert measure("h[0, 1]") == h[0, 1]
    assert measure("c[-1]") == c[-1, 0]
    assert measure("peak(y, 3, 5)") == np.abs(y[3:6]).max()
    assert measure("peak(l0.c, unit=1)") == np.abs(c[:, 1]).max()
    assert measure("highest(l0.c) - lowest(l0.c)") == c[:, 0].max() - c[:, 0].min()
    assert measure("count(x, 1)") == x.sum() == 12
    assert measure("parity(x)[-1]") == x.sum() % 2
    assert measure("apart(y, parity(x))") == np.abs(y[:, 0] - np.cumsum(x) % 2).max()
    assert measure("moved(y)", against=other) == np.abs(y - seqviz.run(other)["y"][:, 0]).max()
    assert (
        measure("half_life(l0.c, 1)", ramp)
        == np.flatnonzero(decays <= decays.max() / 2)[decays.argmax() :].min() - decays.argmax()
    )
    assert measure("parameters()") == sum(p.numel() for p in seqviz.network(LATCH).parameters())
    assert measure("round(3.14159, 2)") == 3.14
    assert measure("round(13780, -2)") == 13800


def test_gradients_are_those_of_the_closed_form():
    e = seqviz.Experiment(
        "RNN_RELU", 1, 1, init=seqviz.Init("identity", spectral_radius=0.9), sequence=Sequence.of_values(np.ones(40))
    )
    e = e.edited([seqviz.WeightEdit("weight_ih_l0", 0, 0, 1.0)])
    assert measure("gain(l0.h)", e) == pytest.approx(39 * math.log10(0.9), rel=1e-6)
    assert measure("arrives(l0.h)", e) == pytest.approx(0.9**39, rel=1e-5)
    assert measure("gradient(l0.h)[0] / gradient(l0.h)[-1]", e) == pytest.approx(0.9**39, rel=1e-5)
    held = replace(e, interventions=(seqviz.Clamp("l0.h", 1.0, steps=20),))
    assert measure("gradient(l0.h)[10]", held) == 0.0, "what is held lets no gradient by"


def test_every_measure_is_measured():
    assert all(hasattr(_Measuring, f"_{name}") for name in MEASURES)


# --- the schema -------------------------------------------------------------------------------------------------------


def test_the_schema_for_editors_is_in_step():
    written = json.loads((ROOT / "docs" / "lesson.schema.json").read_text(encoding="utf-8"))
    assert written == lessons.schema(), "python -m seqviz.lessons schema > docs/lesson.schema.json"
    assert {"page", "show", "say", "guess", "task"} <= set(written["$defs"]["StepForm"]["properties"])
    assert written["additionalProperties"] is False
    assert "from" in written["$defs"]["ExperimentForm"]["properties"]


def test_the_guide_for_teachers_is_true():
    guide = (ROOT / "docs" / "lessons.md").read_text(encoding="utf-8")
    lesson = lessons.read(guide.split("```yaml\n")[2].split("```")[0])
    assert lessons.prove(lesson) == []
    assert lesson.steps[0].written(lesson.steps[0].say, "en") == "Half is gone after **70** steps."
    assert all(f"`{name}(" in guide for name in MEASURES), "every measure is told"
