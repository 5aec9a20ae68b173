"""A cell that nobody drew, on its page: a drawing, equations and sums follow from its lines, with torch's numbers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from cell_pages import PEEPHOLE, cell_page, loop
from driving import number
from playwright.sync_api import Browser, Page, expect
from watching import watch

from seqviz.cells import parse
from seqviz.scope.hosts.html import page as html

pytestmark = pytest.mark.browser
WEIGHTS, SIGNALS = loop()


@pytest.fixture
def cell(browser: Browser, tmp_path: Path):
    path = tmp_path / "cell.html"
    path.write_text(html(cell_page(parse(PEEPHOLE, "other"), WEIGHTS, SIGNALS), "A peephole LSTM"), encoding="utf-8")
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, reduced_motion="reduce")
    page = context.new_page()
    wrong: list[str] = []
    watch(page, wrong)
    page.goto(path.as_uri() + "#step=3&unit=1")
    expect(page.locator(".sv-cellview[data-drawn]")).to_be_visible()
    yield page
    context.close()
    assert not [each for each in wrong if "file:" not in each], wrong


def test_every_signals_equation_ends_in_its_value(cell: Page) -> None:
    for signal in "ifgcoh":
        result = cell.locator(f".sv-lawline[data-link={signal}] .sv-result")
        expect(result).to_have_text(f"= {SIGNALS[signal][3, 1]:.3f}".replace("-", "−"))


def test_a_peephole_stands_in_its_equation_with_its_numbers(cell: Page) -> None:
    line = cell.locator(".sv-lawline[data-link=f]")
    expect(line).to_contain_text("pf ⊙ ct−1")
    says = line.locator(".sv-numbers").inner_text()
    x, h, c = SIGNALS["x"][3], SIGNALS["h"][2], SIGNALS["c"][2, 1]
    terms = [
        WEIGHTS["W_if"][1] @ x,
        WEIGHTS["b_if"][1],
        WEIGHTS["W_hf"][1] @ h,
        WEIGHTS["b_hf"][1],
        WEIGHTS["p_f"][1],
        c,
    ]
    found = [number(text.replace(" ", "")) for text in re.findall(r"(?:− ?)?\d+\.\d+", says)]
    assert np.allclose(found, [*terms, SIGNALS["f"][3, 1]], atol=6e-4)


def test_a_sum_is_taken_apart_and_adds_up(cell: Page) -> None:
    cell.locator(".sv-lawline[data-link=o] .sv-opener").click()
    rows = cell.locator(".sv-barrow:visible")
    values = {
        look: [number(text) for text in rows.locator(f":scope.{look} .sv-barvalue").all_inner_texts()]
        for look in ("sv-subtotal", "sv-part", "sv-total")
    }
    assert len(values["sv-subtotal"]) == 3
    assert len(values["sv-part"]) == 2 + 1 + 3 + 1
    assert sum(values["sv-subtotal"]) == pytest.approx(values["sv-total"][0], abs=3e-3)
    assert 1 / (1 + np.exp(-values["sv-total"][0])) == pytest.approx(SIGNALS["o"][3, 1], abs=1e-3)


def test_the_drawing_has_a_box_a_gate_and_a_number_on_each_wire(cell: Page) -> None:
    expect(cell.locator("svg .sv-box")).to_have_count(5)  # three σ, tanh of g, tanh of c
    for name in "ifgc":
        wire = cell.locator(f"svg .sv-wire[data-link={name}] .sv-value").first
        assert number(wire.text_content()) == pytest.approx(SIGNALS[name][3, 1], abs=6e-3)


def test_every_wire_and_box_has_a_colour(cell: Page) -> None:
    drawn = "lines => lines.map(line => getComputedStyle(line).stroke)"
    strokes = cell.locator("svg .sv-wire .sv-line").evaluate_all(drawn)
    assert strokes
    assert "none" not in strokes
    name = cell.locator("svg .sv-wire[data-link^='#']").first.get_attribute("aria-label")
    assert "#" not in name


def test_the_walk_goes_line_by_line_and_hides(cell: Page) -> None:
    cell.get_by_role("button", name="Next", exact=True).click()
    expect(cell.locator(".sv-phase")).to_contain_text("1 of 7: what comes in")
    cell.get_by_role("button", name="Next", exact=True).click()
    cell.get_by_role("button", name="Hide values").click()
    expect(cell.locator(".sv-lawline[data-link=i] .sv-result")).to_have_text("= ?")


def test_as_vectors_every_unit_has_its_cell(cell: Page) -> None:
    cell.get_by_role("radio", name="As vectors").click()
    strip = cell.locator(".sv-eq").filter(has=cell.locator(".sv-lawline[data-link=c]")).locator(".sv-vecrow").last
    expect(strip.locator(".sv-barvalue")).to_have_text(f"{SIGNALS['c'][3, 1]:.3f}".replace("-", "−"))
