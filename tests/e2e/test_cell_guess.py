"""Inside the cell: what is to be guessed stands nowhere, and what is held by hand is never passed off as a sum."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from driving import living
from playwright.sync_api import expect

from seqviz import Ablate, Clamp, Experiment, Scale, preset, run, vocabulary
from seqviz.ui.bench import drawn

pytestmark = pytest.mark.browser

STEP = 21
"""At this step no number that is to be guessed happens to read like one that may be seen."""
KINDS = {"LSTM": "Random LSTM", "GRU": "Random GRU", "RNN_TANH": "Random RNN"}
EVERYTHING = """(root) => [root.textContent, ...[...root.querySelectorAll("*")]
  .flatMap((node) => [...node.attributes].map((a) => a.value))].join(" | ")"""


def at_step(visit, kind: str) -> Any:
    """A random network of this kind, some steps in."""
    code = "" if kind == "LSTM" else f"?e={drawn(kind).to_url()}"
    page = visit(f"/cell{code}#step={STEP}", picture=".sv-cellview")
    expect(page.scope.locator(".sv-clock")).to_have_text(f"{STEP} / 63")
    return page


def text(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")


def secrets(kind: str) -> set[str]:
    """Every number of the step that stands on a wire behind the inputs, as the page writes it."""
    trace = run(drawn(kind), detail=True)

    def at(name: str) -> float:
        return float(trace[f"l0.{name}"][STEP, 0, 0])

    blocks = vocabulary.BLOCKS[kind]
    values = [at(name) for name in vocabulary.SIGNALS[kind]] + [at(f"{block}_pre") for block in blocks]
    before = {name: float(trace[f"l0.{name}"][STEP - 1, 0, 0]) for name in ("c", "h") if f"l0.{name}" in trace}
    if kind == "LSTM":
        values += [at("f") * before["c"], at("i") * at("g"), np.tanh(at("c"))]
    elif kind == "GRU":
        values += [at("n_ih"), at("n_hh"), at("r") * at("n_hh"), 1 - at("z")]
        values += [at("z") * before["h"], (1 - at("z")) * at("n")]
    else:
        values += [at("h_ih"), at("h_hh")]
    return {text(value) for value in values} - {text(value) for value in before.values()}


@pytest.mark.parametrize("kind", KINDS)
def test_hidden_values_stand_in_no_line_bar_strip_wire_or_label(visit, kind):
    page = at_step(visit, kind)
    hidden = secrets(kind)
    assert len(hidden) > 3
    openers = page.scope.locator(".sv-opener")
    for form in ("One unit", "As vectors"):
        page.scope.get_by_role("radio", name=form).click()
        shown = ""
        for k in range(openers.count()):
            openers.nth(k).click()
            shown += page.scope.evaluate(EVERYTHING)
            openers.nth(k).click()
        assert [value for value in hidden if value not in shown] == [], "the test looks for what is never written"
        page.page.get_by_role("button", name="Hide values").click()
        for k in range(openers.count()):
            openers.nth(k).click()
            expect(page.scope.locator(".sv-bars:not([hidden]) .sv-barrow").first).to_be_visible()
            found = page.scope.evaluate(EVERYTHING)
            assert [value for value in hidden if value in found] == []
            asked, told = bars(page)
            assert asked <= {0.0}
            assert max(told, default=50.0) == 50.0, "a length is measured against a hidden one"
            openers.nth(k).click()
        if form == "As vectors":
            assert_ranges_are_those_of_visible_strips(page, kind)
        page.page.get_by_role("button", name="Reveal").click()


def bars(page) -> tuple[set[float], set[float]]:
    """The lengths of the bars that ask, and of those that say a number."""
    rows = page.scope.locator(".sv-bars:not([hidden]) .sv-barrow").evaluate_all(
        "(rows) => rows.map((row) => [row.querySelector('.sv-barvalue').textContent, "
        "parseFloat(row.querySelector('b').style.width)])"
    )
    return {size for said, size in rows if said == "?"}, {size for said, size in rows if said != "?"}


def assert_ranges_are_those_of_visible_strips(page, kind: str) -> None:
    hidden = np.abs(run(drawn(kind), detail=True)["l0.h"][STEP, 0]).max()
    assert f"±{hidden:.2f}" != page.scope.locator(".sv-eq").last.locator(".sv-range").inner_text()
    strips = page.scope.locator(".sv-vecrow").filter(has_text=re.compile(r"\?$"))
    assert strips.count() > 0
    for strip in strips.all():
        assert strip.locator("canvas").evaluate("(c) => c.style.visibility") == "hidden"
        expect(strip.locator(".sv-strip")).to_have_attribute("aria-label", re.compile("to be guessed"))


def test_a_question_mark_shows_its_value_when_it_is_asked(visit):
    cell = at_step(visit, "LSTM")
    wire = cell.scope.locator("svg [data-link=f].sv-wire")
    said = wire.locator(".sv-value")
    value = said.text_content() or ""

    def ask(by: str) -> None:
        if by == "click":
            said.click()
        else:
            wire.focus()
            cell.page.keyboard.press(by)

    for by in ("click", "Enter"):
        cell.page.get_by_role("button", name="Hide values").click()
        expect(said).to_have_text("?")
        ask(by)
        expect(said).to_have_text(value)
        expect(cell.scope.locator("svg [data-link=i] .sv-value")).to_have_text("?")
        for _ in range(4):
            cell.page.get_by_role("button", name="Next").click()
            expect(said).to_have_text(value)
        cell.page.get_by_role("button", name="Whole cell").click()
        ask(by)
        expect(said).to_have_text("?")
        cell.page.get_by_role("button", name="Reveal").click()
        expect(said).to_have_text(value)


PLACES = [
    ".sv-eq:nth-child(1) .sv-numbers .sv-ask",
    ".sv-eq:nth-child(1) .sv-total .sv-ask",
    ".sv-eq:nth-child(4) .sv-numbers .sv-ask >> nth=0",
    ".sv-eq:nth-child(1) .sv-vecrow:last-child .sv-ask",
]
"""Where a question mark stands."""


def test_every_question_mark_can_be_asked(visit):
    cell = at_step(visit, "LSTM")
    values = run(living(), detail=True)
    asked = cell.scope.locator("svg .sv-wire .sv-value", has_text=re.compile(r"^\?$"))
    opened = cell.scope.locator(".sv-opener[aria-expanded=true]")
    for place in PLACES:
        cell.scope.get_by_role("radio", name="As vectors" if "vecrow" in place else "One unit").click()
        if "total" in place:
            cell.scope.locator(".sv-opener").first.click()
            expect(opened).to_have_count(1)
        cell.page.get_by_role("button", name="Hide values").click()
        expect(cell.page.get_by_role("button", name="Reveal")).to_be_visible()
        hidden, lines = asked.count(), opened.count()
        cell.scope.locator(place).click()
        expect(asked).to_have_count(hidden - 1)
        assert opened.count() == lines, "the line opened instead"
        shown, wire = ("f_pre", "to_f") if "total" in place else ("f", "f")
        value = text(float(values[f"l0.{shown}"][STEP, 0, 0]))
        expect(cell.scope.locator(f"svg [data-link={wire}] .sv-value")).to_have_text(value)
        cell.page.get_by_role("button", name="Reveal").click()
        expect(asked).to_have_count(0)
        if "total" in place:
            cell.scope.locator(".sv-opener").first.click()
            expect(opened).to_have_count(0)


def test_a_gate_is_hidden_with_what_is_left_of_one(visit):
    cell = at_step(visit, "GRU")
    z, rest = (cell.scope.locator(f"svg .sv-wire[data-link={name}] .sv-value") for name in ("z", "one_z"))
    z.click()
    expect(rest).to_have_text("?")
    rest.click()
    expect(z).not_to_have_text("?")


def test_a_hidden_character_stands_in_no_chip_and_no_bar(visit):
    experiment = preset("brackets")
    page = visit(f"/cell?e={experiment.to_url()}#step=3", picture=".sv-cellview")
    chips = page.scope.locator(".sv-chip")
    characters = list(experiment.sequence.text)
    assert chips.all_inner_texts() == characters
    page.scope.locator(".sv-opener").nth(1).click()
    named = page.scope.locator(".sv-barrow").filter(has_text="x “")
    assert named.count() > 1
    page.scope.locator("svg [data-link=x] .sv-value").click()
    expect(chips).to_have_text([*characters[:3], *"?" * (len(characters) - 3)])
    expect(named).to_have_count(0)
    page.scope.locator("svg.sv-diagram").focus()
    page.page.keyboard.press("ArrowLeft")
    expect(chips).to_have_text([*characters[:2], *"?" * (len(characters) - 2)])  # when the numbers have arrived
    expect(page.scope.locator(".sv-chip.sv-on")).to_have_count(1)
    page.page.get_by_role("button", name="Reveal").click()
    expect(chips).to_have_text(characters)


def test_another_example_covers_nothing(cell):
    cell.scope.locator("svg [data-link=f] .sv-value").click()
    expect(cell.page.get_by_role("button", name="Reveal")).to_be_visible()
    cell.edits(lambda: cell.example("Latch"))
    expect(cell.scope.locator("svg [data-link=f] .sv-value")).not_to_have_text("?")
    expect(cell.page.get_by_role("button", name="Hide values")).to_be_visible()


# --- what is held by hand ---------------------------------------------------------------------------------


def held(visit, *edits: Any, of: Experiment | None = None) -> Any:
    experiment = replace(of or living(), interventions=edits)
    return visit(f"/cell?e={experiment.to_url()}#step={STEP}", picture=".sv-cellview"), run(experiment, detail=True)


def sigmoid(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


def test_a_clamped_gate_stands_beside_what_its_sum_gives(visit):
    page, trace = held(visit, Clamp("l0.f", 0.0))
    line = page.scope.locator(".sv-lawline").nth(0)
    would = text(sigmoid(trace["l0.f_pre"][STEP, 0, 0]))
    expect(line).to_contain_text(f") = {would}, set to 0.000")
    expect(line.locator(".sv-held")).to_have_attribute("title", re.compile("clamp forget gate"))
    wire = page.scope.locator("svg .sv-wire[data-link=f]")
    expect(wire.locator(".sv-value")).to_have_text("≠ 0.000")
    expect(wire).to_have_attribute("aria-label", re.compile(r"f: 0.000 \(clamp forget gate .* to 0\)"))
    expect(page.scope.locator("svg .sv-box.sv-set")).to_have_count(1)
    expect(page.scope.locator(".sv-lawline").nth(1).locator(".sv-held")).to_have_count(0)
    page.scope.get_by_role("radio", name="As vectors").click()
    expect(page.scope.locator(".sv-eq").first.locator(".sv-barvalue").last).to_have_text("≠ 0.000")
    page.page.get_by_role("button", name="Hide values").click()
    assert would not in page.scope.evaluate(EVERYTHING)
    expect(page.scope.locator(".sv-held")).to_have_count(0)


def test_a_clamped_sum_is_the_one_that_is_squashed(visit):
    page, trace = held(visit, Clamp("l0.f_pre", 2.0, units=[0]))
    line = page.scope.locator(".sv-lawline").nth(0)
    expect(line).to_contain_text(f", set to 2.000) = {text(sigmoid(2.0))}")
    expect(page.scope.locator("svg [data-link=to_f] .sv-value")).to_have_text("≠ 2.000")
    line.click()
    total, actual = page.scope.locator(".sv-bars:not([hidden]) .sv-total").all()
    own = float(trace["l0.f_ih"][STEP, 0, 0] + trace["l0.f_hh"][STEP, 0, 0])
    assert total.locator(".sv-barvalue").inner_text() == text(own)
    assert actual.inner_text().split() == ["set", "to", "2.000"]
    page.scope.get_by_label("unit", exact=True).select_option("1")
    expect(page.scope.locator("svg .sv-set")).to_have_count(0)


@pytest.mark.parametrize(
    ("kind", "signal"), [("LSTM", "f_ih"), ("LSTM", "o_hh"), ("GRU", "n_ih"), ("GRU", "z_hh"), ("RNN_TANH", "h_ih")]
)
def test_a_held_part_of_a_sum_is_one_number_in_both_forms(visit, kind, signal):
    page, trace = held(visit, Clamp(f"l0.{signal}", 2.0), of=drawn(kind))
    block = signal[0]
    laws = {"LSTM": "figco", "GRU": "rnz", "RNN_TANH": "h"}[kind]
    k = laws.index(block)
    total = float(trace[f"l0.{block}_pre"][STEP, 0, 0])
    expect(page.scope.locator(".sv-lawline").nth(k)).to_contain_text(re.compile(r"\[[^\]]*, set to 2\.000\]"))
    wire = {"f": "to_f", "o": "to_o", "n": "to_n", "z": "to_z", "h": "pre"}[block]
    expect(page.scope.locator(f"svg .sv-wire[data-link={wire}].sv-set title")).to_have_text(re.compile(" to 2"))
    page.scope.get_by_role("radio", name="As vectors").click()
    rows = page.scope.locator(".sv-eq").nth(k).locator(".sv-vecrow")
    texts = [text.replace("−", "-") for text in rows.locator(".sv-barvalue").all_inner_texts()]
    assert texts.count("≠ 2.000") == 1
    *terms, shown, _ = [float(text.removeprefix("≠ ")) for text in texts]
    if block == "n":
        terms = [terms[0], terms[-1]]
    assert sum(terms) == pytest.approx(shown, abs=0.004)
    assert shown == pytest.approx(total, abs=0.0006)


def test_every_hand_on_a_value_is_named(visit):
    page, _ = held(visit, Clamp("l0.f", 0.3), Scale("l0.f", 0.5))
    wire = page.scope.locator("svg .sv-wire[data-link=f]")
    expect(wire).to_have_attribute("aria-label", re.compile(r"f: 0\.150 \(clamp .* to 0\.3; scale .* by 0\.5\)"))


@pytest.mark.parametrize(("signal", "line"), [("l0.c", 3), ("l0.h", 5)])
def test_a_changed_state_stands_beside_its_equation(visit, signal, line):
    page, trace = held(visit, Scale(signal, 0.5))
    at = {name: float(trace[f"l0.{name}"][STEP, 0, 0]) for name in "figoch"}
    made = at["f"] * float(trace["l0.c"][STEP - 1, 0, 0]) + at["i"] * at["g"]
    if signal == "l0.h":
        made = at["o"] * np.tanh(at["c"])
    expect(page.scope.locator(".sv-lawline").nth(line)).to_contain_text(
        f" = {text(made)}, set to {text(at[signal[-1]])}"
    )


def test_a_term_of_a_gru_that_is_silenced_adds_nothing(visit):
    page, trace = held(visit, Ablate("l0.n_hh"), of=drawn("GRU"))
    line = page.scope.locator(".sv-lawline").nth(1)
    expect(line).to_contain_text("set to 0.000)")
    line.click()
    *_, product, zero = page.scope.locator(".sv-bars:not([hidden]) .sv-subtotal").all_inner_texts()
    assert zero.split() == ["set", "to", "0.000"]
    assert not product.endswith("0.000")
    total = page.scope.locator(".sv-bars:not([hidden]) .sv-total .sv-barvalue").inner_text()
    assert total == text(float(trace["l0.n_ih"][STEP, 0, 0]))


def test_the_gates_page_does_not_pass_a_held_state_off_as_a_sum(visit):
    experiment = replace(living(), interventions=(Clamp("l0.c", 0.5),))
    page = visit(f"/?e={experiment.to_url()}#step={STEP}")
    cell, hidden = page.scope.locator(".sv-equations p").all()
    expect(cell).to_contain_text(re.compile(r"≠ 0\.500 \(clamp cell state .* to 0\.5\)"))
    expect(hidden).not_to_contain_text("≠")
