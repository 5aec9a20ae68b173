"""A table out of a file, in a real browser: what it is called stands beside the numbers."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

DAYS = [f"2021-03-{k + 1:02d}" for k in range(24)]
TABLE = "date;load;temp\n;[kW];[degC]\n" + "".join(f"{d};{k},5;{-k},25\n" for k, d in enumerate(DAYS))


def bring(screen, text: str) -> None:
    screen.panel("Sequence")
    screen.page.locator(".st-key-own-open summary").click()
    file = {"name": "load.csv", "mimeType": "text/csv", "buffer": text.encode()}
    screen.page.locator(".st-key-own-file input[type=file]").set_input_files(file)


def test_names_and_labels_stand_in_the_picture(screen):
    bring(screen, TABLE)
    expect(screen.page.get_by_text("kept as labels of the steps")).to_be_visible()
    expect(screen.page.get_by_text("line 2 (units)")).to_be_visible()
    title = screen.page.locator(".sv-why-title")
    expect(title).to_contain_text("(2021-03-01)")
    screen.page.locator(".sv-plot").focus()
    screen.page.keyboard.press("ArrowRight")
    expect(title).to_contain_text("Step 1 of 23 (2021-03-02)")
    expect(screen.page.locator(".sv-why-input")).to_contain_text("load")
    ticks = screen.page.locator(".sv-plot .xtick text")
    assert all(tick in DAYS for tick in ticks.all_text_contents())
    assert ticks.count() > 1
    assert screen.experiment.sequence.labels == tuple(DAYS)
    screen.page.reload()
    expect(title).to_contain_text("(2021-03-")


def test_missing_numbers_are_mended_by_a_button(screen):
    bring(screen, TABLE.replace("3,5;", "NA;", 1))
    alert = screen.page.locator("[data-testid=stAlert]")
    expect(alert).to_contain_text("column 2 (load) holds 'NA'")
    screen.page.get_by_role("button", name="Interpolate").click()
    expect(alert).to_have_count(0)
    expect(screen.page.get_by_text("1 missing number was filled in from its neighbours.")).to_be_visible()
    expect(screen.page.locator(".sv-why-title")).to_contain_text("(2021-03-01)")


@pytest.mark.parametrize("typed", ["abc", "999999", "-5", ""])
def test_units_that_will_not_do_are_answered_and_the_old_number_stays(screen, typed):
    screen.page.get_by_text("Network", exact=True).first.click()
    box = screen.page.locator(".st-key-net-hidden input")
    box.fill("") if typed == "abc" else box.fill(typed)
    if typed == "abc":
        box.press_sequentially(typed)
    box.press("Enter")
    expect(screen.page.locator("[data-testid=stAlert]")).to_contain_text("Hidden units must be")
    expect(box).to_have_value("16")
