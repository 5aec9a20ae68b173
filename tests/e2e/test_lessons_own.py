"""A teacher's own file: a mistake has its line and a sentence; mended, it is played, and its link brings it along."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

LESSON = """\
seqviz: lesson/1
id: mine
title: {en: The leak}
goal: {en: See a tenth go at every step.}
minutes: 1
experiments:
  leaky: {preset: leaky}
steps:
  - id: first
    page: gates
    show: leaky
    light: [c]
    guess:
      ask: {en: What stays of c at each step?}
      choices:
        - {says: {en: Half}, reply: {en: "No, **more**."}}
        - {says: {en: Nine tenths}, right: true, reply: {en: So it is.}}
    say: {en: "The forget gate is {{l0.f[5] .2f}}."}
  - id: second
    page: cell
    show: leaky
    at: {step: 3, part: 2}
    say: {en: Here it is multiplied.}
"""
WRONG = LESSON.splitlines().index("    page: cell") + 1


def bring(page, text: str) -> None:
    file = {"name": "mine.yaml", "mimeType": "application/yaml", "buffer": text.encode()}
    page.locator(".st-key-lessons-own input[type=file]").set_input_files(file)


def test_a_mistake_in_ones_own_lesson_has_its_line_and_the_mended_one_plays_for_whoever_has_the_link(visit):
    screen = visit("/", reduced_motion="reduce")
    page = screen.page
    page.get_by_role("button", name="Lessons").click()
    dialog = page.get_by_role("dialog")
    bring(page, LESSON.replace("page: cell", "page: cells"))
    expect(dialog).to_contain_text(f"Line {WRONG}: 'cells' will not do; it must be one of")
    bring(page, LESSON)
    expect(dialog).not_to_contain_text("will not do")
    dialog.get_by_role("button", name="The leak").click()
    rail = page.locator(".sv-rail")
    expect(rail).to_have_attribute("data-at", "0")
    expect(rail.get_by_role("heading", name="The leak")).to_be_visible()
    rail.press("1")
    expect(rail.locator(".sv-picked .sv-reply strong")).to_have_text("more")
    expect(rail.locator(".sv-rail-says")).to_have_text("The forget gate is 0.90.")
    page.keyboard.press("PageDown")
    expect(page).to_have_url(re.compile(r"/cell\?.*lesson=y.*at=2"))
    expect(page.locator(".sv-cellview .sv-phase")).to_contain_text("2 of 5")
    other = visit(page.url, picture=".sv-cellview")
    expect(other.page.locator(".sv-rail-says")).to_have_text("Here it is multiplied.")
    other.page.keyboard.press("PageUp")
    expect(other.page.locator(".sv-picked .sv-reply strong")).to_have_text("more")
