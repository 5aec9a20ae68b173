"""Watch it learn, in a real browser: start, watch the loss fall, stop, scrub, open in gates, reload."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

TASK_KEYS = {"Temporal order": "order"}
"""The task's name in the key of its list of recipes."""


@pytest.fixture
def page(visit) -> Page:
    """The training page, before anything was trained."""
    screen = visit("/training", picture="[data-testid=stApp]", wait=False)
    expect(screen.page.locator(".sv-scope[data-drawn]")).to_be_visible()
    return screen.page


def learning(page: Page) -> Locator:
    return page.locator(".sv-learning")


def train(page: Page, task: str, recipe: str | None = None) -> None:
    page.get_by_role("combobox", name="Task").click()
    page.get_by_role("option", name=re.compile(task)).first.click()
    if recipe:
        # The recipes are the task's own: until its answer is there, the list still holds the last task's.
        expect(page.locator(f".st-key-train-recipe-{TASK_KEYS[task]}")).to_be_visible()
        page.get_by_role("combobox", name="Network and recipe").click()
        page.get_by_role("option", name=recipe, exact=True).click()
    expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")
    page.get_by_role("button", name="Train", exact=True).click()


def test_a_latch_is_learned_scrubbed_and_opened_in_gates(page: Page) -> None:
    train(page, "Latch")
    expect(learning(page).locator(".sv-status")).to_contain_text("Solved.")
    expect(page.get_by_text("Stop", exact=True)).to_have_count(0)
    expect(learning(page).locator(".sv-says").nth(1)).to_contain_text("solved")
    learned = page.locator(".sv-scope").get_attribute("data-drawn")
    learning(page).locator(".sv-plot").focus()
    page.keyboard.press("Home")
    expect(page.locator(".sv-scope .sv-status")).to_have_text("The probe at optimiser step 0.")
    assert page.locator(".sv-scope").get_attribute("data-drawn") != learned
    page.keyboard.press("End")
    expect(page.locator(".sv-scope")).to_have_attribute("data-drawn", learned or "")
    expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")
    page.get_by_role("button", name="Open in gates").click()
    expect(page.get_by_role("heading", name="Inside the gates")).to_be_visible()
    expect(page.get_by_text("LSTM, 16 units, 50 steps")).to_be_visible()
    expect(page.locator(".sv-learning")).to_have_count(0)
    page.get_by_role("link", name="Training").click()
    expect(learning(page).locator(".sv-status")).to_contain_text("Solved.")


def test_a_long_run_stops_within_a_moment(page: Page) -> None:
    train(page, "Temporal order", "LSTM, forget bias 1")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(learning(page).locator(".sv-clock")).not_to_have_text("step 0")
    page.get_by_role("button", name="Stop").click()
    expect(learning(page).locator(".sv-status")).to_contain_text("Stopped.")
    expect(page.get_by_role("button", name="Train on")).to_be_visible()
    expect(page.locator("[data-testid=stException]")).to_have_count(0)


def test_leaving_the_page_ends_the_work(page: Page) -> None:
    train(page, "Temporal order", "LSTM, forget bias 1")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(learning(page)).to_be_visible()
    page.get_by_role("link", name="Gates").click()
    expect(page.get_by_role("heading", name="Inside the gates")).to_be_visible()
    page.get_by_role("link", name="Training").click()
    expect(learning(page).locator(".sv-status")).to_contain_text("Stopped.")


def test_a_race_shows_three_networks(page: Page) -> None:
    page.get_by_role("button", name="Race all three").click()
    expect(learning(page).locator(".sv-legend")).to_contain_text("RNN")
    expect(learning(page).locator(".sv-legend")).to_contain_text("LSTM")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
