"""axe on every page, in both themes: nothing serious."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from driving import PICTURES, living
from playwright.sync_api import expect

from seqviz import Clamp

pytestmark = pytest.mark.browser


def test_every_page_is_looked_at(root):
    assert {path.stem for path in (root / "pages").glob("*.py")} == {path or "gates" for path in PICTURES}


def serious(screen) -> list[tuple[str, str]]:
    found = Axe().run(screen.page, options={"runOnly": ["wcag2a", "wcag2aa"]})
    return [
        (v["id"], v["nodes"][0]["html"][:200])
        for v in found.response["violations"]
        if v["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PICTURES)
def test_nothing_serious(visit, path, scheme):
    screen = visit(f"/{path}", picture=PICTURES[path], color_scheme=scheme)
    screen.rest()
    assert serious(screen) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_while_the_class_guesses_at_what_somebody_holds(visit, scheme):
    experiment = replace(living(), interventions=(Clamp("l0.f", 0.0), Clamp("l0.o_pre", 2.0)))
    address = f"/cell?e={experiment.to_url()}#step=12"
    screen = visit(address, picture=".sv-cellview", color_scheme=scheme)
    expect(screen.scope.locator(".sv-held")).to_have_count(2)
    screen.scope.locator(".sv-opener").nth(4).click()
    assert serious(screen) == []
    screen.page.get_by_role("button", name="Next").click()
    screen.page.get_by_role("button", name="Hide values").click()
    screen.page.get_by_role("button", name="Next").click()
    assert serious(screen) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_in_a_chinese_lecture_on_vectors_while_a_line_is_lit(visit, scheme):
    screen = visit("/cell?lang=zh&lecture=true#as=vectors", picture=".sv-cellview", color_scheme=scheme)
    lines = screen.scope.locator(".sv-lawline")
    lines.first.click()
    expect(screen.scope.locator(".sv-bars .sv-total")).to_be_visible()
    for k in range(lines.count()):
        lines.nth(k).locator("b > span").first.hover()
        expect(lines.nth(k)).to_contain_class("sv-lit")
        assert serious(screen) == []


@pytest.mark.parametrize("path", PICTURES)
def test_every_picture_says_in_words_what_it_shows(visit, path):
    screen = visit(f"/{path}", picture=PICTURES[path])
    node = screen.scope.locator("svg.sv-diagram") if path == "cell" else screen.plot
    said = node.get_attribute("aria-label" if path == "cell" else "aria-description") or ""
    assert len(re.findall(r"\d+\.\d+|\d+×10|10[⁻⁰¹²³⁴-⁹]+", said)) >= 4, said
    if path == "cell":
        node.focus()
        screen.page.keyboard.press("Shift+ArrowRight")
        expect(node).not_to_have_attribute("aria-label", said)
