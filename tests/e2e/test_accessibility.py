"""axe on every page, in both themes: nothing serious."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from driving import PICTURES, living
from playwright.sync_api import expect

from seqviz import Clamp

pytestmark = pytest.mark.browser


def test_every_page_is_looked_at(root):
    assert {path.stem for path in (root / "pages").glob("*.py")} == {path or "gates" for path in PICTURES}


RUN = """async ([script, rules]) => {
  if (!window.axe) (0, eval)(script);
  const { violations } = await window.axe.run({ runOnly: rules, resultTypes: ["violations"] });
  return violations.filter(({ impact }) => ["serious", "critical"].includes(impact))
    .map(({ id, nodes }) => [id, nodes[0].html.slice(0, 200)]);
}"""
AXE = Axe().axe_script


def serious(screen, rules: Sequence[str] = ("wcag2a", "wcag2aa")) -> list[tuple[str, str]]:
    return screen.page.evaluate(RUN, [AXE, list(rules)])


@pytest.mark.parametrize("path", PICTURES)
def test_nothing_serious_in_either_theme_and_every_picture_says_in_words_what_it_shows(visit, path):
    screen = visit(f"/{path}", picture=PICTURES[path], color_scheme="light")
    assert serious(screen) == []
    node = screen.scope.locator("svg.sv-diagram") if path == "cell" else screen.plot
    label = "aria-label" if path == "cell" else "aria-description"
    expect(node).to_have_attribute(label, re.compile(r"((\d+\.\d+|\d+×10|10[⁻⁰¹²³⁴-⁹]+).*){4}", re.DOTALL))
    if path == "cell":
        said = node.get_attribute(label) or ""
        node.focus()
        screen.page.keyboard.press("Shift+ArrowRight")
        expect(node).not_to_have_attribute(label, said)
    screen.recolour("dark")
    assert serious(screen) == []


def test_nothing_serious_while_the_class_guesses_at_what_somebody_holds(visit):
    experiment = replace(living(), interventions=(Clamp("l0.f", 0.0), Clamp("l0.o_pre", 2.0)))
    screen = visit(f"/cell?e={experiment.to_url()}#step=12", picture=".sv-cellview", color_scheme="light")
    expect(screen.scope.locator(".sv-held")).to_have_count(2)
    screen.scope.locator(".sv-opener").nth(4).click()
    expect(screen.scope.locator(".sv-bars:not([hidden])")).to_be_visible()
    assert serious(screen) == []
    screen.recolour("dark")
    assert serious(screen) == []
    screen.page.get_by_role("button", name="Next").click()
    screen.page.get_by_role("button", name="Hide values").click()
    screen.page.get_by_role("button", name="Next").click()
    expect(screen.scope.locator(".sv-phase")).to_contain_text("2 of 5")
    assert serious(screen) == []
    screen.recolour("light")
    assert serious(screen) == []


def test_nothing_serious_in_a_chinese_lecture_on_vectors_while_a_line_is_lit(visit):
    screen = visit("/cell?lang=zh&lecture=true#as=vectors", picture=".sv-cellview", color_scheme="light")
    lines = screen.scope.locator(".sv-lawline")
    lines.first.click()
    expect(screen.scope.locator(".sv-bars .sv-total")).to_be_visible()
    for scheme in ("light", "dark"):
        screen.recolour(scheme)
        for k in range(lines.count()):
            lines.nth(k).locator("b > span").first.hover()
            expect(lines.nth(k)).to_contain_class("sv-lit")
            # What is lit has other colours; all else is as it was.
            assert serious(screen, ["color-contrast"] if k else ["wcag2a", "wcag2aa"]) == []
