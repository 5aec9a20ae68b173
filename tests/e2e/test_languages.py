"""Every language that has a catalogue: no sentence of a page is left in English, and nothing is wider than its page."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

import pytest
from driving import PICTURES, Screen
from playwright.sync_api import expect
from test_chinese import EVERYTHING, LATE, PANELS
from test_chinese import english as latin

from seqviz import locale
from seqviz.language import LANGUAGES

pytestmark = pytest.mark.browser

TRANSLATED = sorted(set(LANGUAGES) - {"en"})
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@cache
def english(language: str) -> re.Pattern[str]:
    """What a page would say if one of its sentences had not been said in the language: words, not signs and names."""
    texts = locale.read(language).texts
    found = []
    for text, forms in texts.items():
        plain = re.sub(r"\{[^}]*\}", "", text)
        if text not in forms and re.search("[A-Za-z]{3}", plain) and (plain == text or len(plain.split()) > 3):
            found.append(re.sub(r"\\\{.*?\\\}", "[^a-z]+", re.escape(text)))
    return re.compile("|".join(found))


def left_in_english(language: str, texts: list[str]) -> list[str]:
    own = {form for forms in locale.read(language).texts.values() for form in forms}
    return sorted({text for text in texts if text not in own and english(language).fullmatch(text)})


def assert_all_is_said(screen: Screen, language: str) -> None:
    """Nothing is left in English; in Chinese not even a word of Latin letters that is no name.

    Streamlit's own words are said by the page's frame, which takes it some frames.
    """
    screen.until("() => !document.querySelector('[aria-label^=Help]')")
    screen.becomes(lambda: left_in_english(language, screen.page.evaluate(EVERYTHING)), [])
    if language == "zh":
        assert latin(screen) == []


def test_every_page_is_read(root):
    assert {path.stem for path in (root / "pages").glob("*.py")} == {path or "gates" for path in PICTURES}


def test_a_page_in_english_would_be_found():
    assert left_in_english("de", ["forget gate", "Vergessensgatter", "64 steps, from −1 to 1."]) != []
    assert left_in_english("de", ["Vergessensgatter", "Training", "LSTM", "64 Schritte, von −1 bis 1."]) == []


BAR = """() => {
  const bar = ["stExpandSidebarButton", "stMenuButton", "stButton"].map((name) => `[data-testid=${name}]`);
  const found = document.querySelectorAll(`${bar[0]}, .st-key-switches :is(${bar[1]}, ${bar[2]}, .stCheckbox)`);
  const places = [...found].map((node) => node.getBoundingClientRect()).map(({ left, right }) => [left, right]);
  return places.sort((one, other) => one[0] - other[0]);
}"""


def assert_the_bar_has_room(screen) -> None:
    """On small phones too nothing lies over the button that opens the list of pages, or over another switch."""
    for width in (390, 360):
        screen.page.set_viewport_size({"width": width, "height": 844})
        screen.until("() => document.querySelector('[data-testid=stExpandSidebarButton]')?.clientWidth")
        places = screen.page.evaluate(BAR)
        assert len(places) == 4
        assert places[0][0] >= 0
        assert places[-1][1] <= width
        assert all(one[1] <= other[0] + 1 for one, other in pairwise(places)), (width, places)


@pytest.mark.parametrize("path", PICTURES)
@pytest.mark.parametrize("language", TRANSLATED)
def test_no_page_is_left_in_english_or_wider_than_the_window(visit, language, path):
    screen = visit(f"/{path}?lang={language}", picture=PICTURES[path], viewport={"width": 1280, "height": 844})
    assert_all_is_said(screen, language)
    expect(screen.page.locator("html")).to_have_attribute("lang", locale.read(language).tag)
    if language == "zh":
        assert locale.read(language).tag == "zh-CN"
        expect(screen.page).to_have_title(re.compile("[\u4e00-\u9fff]"))
    expect(screen.page.locator(".st-key-language")).to_contain_text(LANGUAGES[language])
    assert screen.page.evaluate(WIDE) <= 0
    screen.resize(390, 844)
    screen.until(f"() => {WIDE} <= 0")
    assert_all_is_said(screen, language)
    if not path:
        assert_the_bar_has_room(screen)
    expect(screen.page.locator(".st-key-language")).to_contain_text(LANGUAGES[language])


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_panel_is_left_in_english(visit, language):
    screen = visit(f"/?lang={language}")
    for panel in PANELS:
        (called,) = locale.read(language).texts[panel]
        screen.panel(panel, called)
        for expander in screen.page.locator(".st-key-controls summary").all():
            expander.click()
            screen.rest()
        for late in LATE.get(panel, []) if language == "zh" else []:
            expect(screen.page.locator(".st-key-controls").get_by_label(late).first).to_be_attached()
        assert_all_is_said(screen, language)
