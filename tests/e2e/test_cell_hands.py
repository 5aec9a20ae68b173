"""Inside the cell: the keyboard, undo, and what the page says and shows of a run as a whole."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from seqviz.ui.bench import drawn

pytestmark = pytest.mark.browser


def test_undo_brings_the_last_example_back(cell):
    first = cell.data("drawn")
    expect(cell.scope.get_by_role("button", name="Undo")).to_be_disabled()
    cell.edits(lambda: cell.example("Random GRU"))
    undo = cell.scope.get_by_role("button", name="Undo")
    undo.focus()
    assert cell.edits(lambda: cell.page.keyboard.press("Enter")) == first
    expect(undo).to_be_disabled()
    expect(cell.scope.locator("svg.sv-diagram")).to_be_focused()
    cell.edits(lambda: cell.page.keyboard.press("Control+y"))
    assert cell.edits(lambda: cell.page.keyboard.press("Control+z")) == first
    expect(cell.scope.locator("svg [data-link=f].sv-box")).to_be_visible()
    cell.edits(cell.scope.get_by_role("button", name="Redo").click)
    expect(cell.scope.locator("svg [data-link=z].sv-box")).to_be_visible()


def test_every_term_is_reached_and_lit_by_the_keyboard(cell):
    law = cell.scope.locator(".sv-lawline").last.locator("b")
    first = law.locator("[data-link]").first
    first.focus()
    lit = cell.scope.locator("svg .sv-lit")
    expect(lit).not_to_have_count(0)
    seen = {cell.page.evaluate("document.activeElement.dataset.link")}
    for _ in range(2):
        cell.page.keyboard.press("Tab")
        seen.add(cell.page.evaluate("document.activeElement.dataset.link"))
        expect(lit).not_to_have_count(0)
    assert seen == {"h", "o", "tanh_c"}
    cell.scope.get_by_label("unit", exact=True).focus()
    expect(cell.scope.locator(".sv-lit")).to_have_count(0)
    cell.scope.locator(".sv-opener").first.focus()
    cell.page.keyboard.press("Enter")
    expect(cell.scope.locator(".sv-opener").first).to_have_attribute("aria-expanded", "true")
    cell.page.keyboard.press("Enter")
    expect(cell.scope.locator(".sv-bars:not([hidden])")).to_have_count(0)


def test_nothing_stays_lit_when_the_pointer_is_gone(cell):
    cell.scope.locator(".sv-lawline").first.hover()
    expect(cell.scope.locator(".sv-lit")).not_to_have_count(0)
    cell.page.mouse.move(2, 2)
    expect(cell.scope.locator(".sv-lit")).to_have_count(0)


def test_what_is_not_reached_is_not_reached_by_the_keyboard_either(cell):
    cell.page.get_by_role("button", name="Next").click()
    expect(cell.scope.locator(".sv-phase")).to_contain_text("1 of 5")
    wires = cell.scope.locator("svg .sv-wire.sv-dim[role=button]")
    assert wires.count() > 5
    assert {wire.get_attribute("tabindex") for wire in wires.all()} == {"-1"}
    assert {wire.get_attribute("aria-hidden") for wire in wires.all()} == {"true"}
    assert cell.scope.locator(".sv-eq.sv-dim").evaluate_all("(lines) => lines.every((line) => line.inert)")


def test_the_walks_keys_need_no_focus(cell):
    assert cell.page.evaluate("document.activeElement === document.body")
    cell.page.keyboard.press("n")
    expect(cell.scope.locator(".sv-phase")).to_contain_text("1 of 5")
    cell.page.keyboard.press("n")
    cell.page.keyboard.press("b")
    expect(cell.scope.locator(".sv-phase")).to_contain_text("1 of 5")
    cell.page.locator(".st-key-lecture label").first.click()
    cell.until("() => location.search.includes('lecture=true')")
    cell.rest()
    cell.page.keyboard.press("n")
    expect(cell.scope.locator(".sv-phase")).to_contain_text("2 of 5")


def test_an_overflowed_run_says_so(visit):
    experiment = replace(drawn("RNN_RELU"), init=replace(drawn("RNN_RELU").init, gain=100))
    page = visit(f"/cell?e={experiment.to_url()}", picture=".sv-cellview")
    expect(page.scope.locator(".sv-status")).to_contain_text("the network overflowed")


def test_every_wire_stands_out_from_its_ground(cell):
    for theme in ("light", "dark"):
        cell.page.emulate_media(color_scheme=theme)
        cell.go("/cell")
        assert cell.scope.evaluate(WEAKEST) >= 3.0, theme


WEAKEST = """(root) => {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const luminance = (...colors) => {
    for (const color of colors) { pen.fillStyle = color; pen.fillRect(0, 0, 1, 1); }
    const [r, g, b] = [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3)
      .map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = luminance(getComputedStyle(root.querySelector(".sv-hull")).fill);
  return Math.min(...[...root.querySelectorAll("svg .sv-wire .sv-line")].map((line) => {
    const own = luminance(getComputedStyle(line).stroke);
    return (Math.max(own, ground) + 0.05) / (Math.min(own, ground) + 0.05);
  }));
}"""
