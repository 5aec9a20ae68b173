"""The gradient laboratory in a real browser."""

from __future__ import annotations

from functools import partial

import pytest
from playwright.sync_api import expect

from seqviz.ui.gradients_page import SCENES

pytestmark = pytest.mark.browser


@pytest.fixture
def flow(visit):
    """The page at its own address, drawn."""
    return visit("/gradients", picture=".sv-flow")


def test_every_scene_is_drawn_and_none_like_another(flow):
    alerts = flow.page.locator("[data-testid=stException]")
    seen = {flow.data("drawn")}
    assert flow.experiment is None
    for name in list(SCENES)[1:5]:
        flow.edits(partial(flow.example, name))
        assert flow.experiment == SCENES[name][0]
        expect(flow.page.get_by_text(SCENES[name][1])).to_be_visible()
        seen.add(flow.data("drawn"))
    assert len(seen) == 5
    assert alerts.count() == 0


def test_steps_by_key_ask_nobody_and_undo_brings_the_last_setting_back(flow):
    first = flow.data("drawn")
    flow.plot.focus()
    sent = len(flow.sent)
    flow.page.keyboard.press("Home")
    expect(flow.scope).to_have_attribute("data-step", "0")
    expect(flow.scope.locator(".sv-readout")).to_contain_text("step 0")
    flow.page.keyboard.press("Shift+ArrowRight")
    expect(flow.scope).to_have_attribute("data-step", "10")
    expect(flow.scope.locator(".sv-readout")).to_contain_text("step 10")
    assert len(flow.sent) == sent
    flow.edits(lambda: flow.example("Explodes"))
    flow.plot.focus()
    assert flow.edits(lambda: flow.page.keyboard.press("Control+z")) == first
    assert flow.experiment is None


def test_a_zoom_never_outlives_the_steps_it_shows(flow):
    flow.drag(flow.at("norm", 150), flow.at("norm", 180))
    zoomed = "document.querySelector('.sv-flow .js-plotly-plot')._fullLayout.xaxis.range"
    flow.until(f"() => {zoomed}[0] > 125")
    flow.edits(lambda: flow.example("Explodes"))
    assert flow.page.evaluate(zoomed) == [-0.5, 119.5]


def test_the_address_brings_the_same_picture_to_another_person(flow, visit):
    flow.edits(lambda: flow.example("Explodes"))
    other = visit(flow.page.url, picture=".sv-flow")
    assert other.data("drawn") == flow.data("drawn")
    assert other.experiment == flow.experiment


def test_a_phone_never_scrolls_sideways(visit):
    phone = visit("/gradients", picture=".sv-flow", viewport={"width": 390, "height": 844}, is_mobile=True)
    assert phone.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_each_page_keeps_what_was_done_on_it(flow):
    flow.edits(lambda: flow.example("Explodes"))
    drawn = flow.data("drawn")
    flow.page.get_by_role("link", name="Gates").click()
    expect(flow.page.locator(".sv-scope[data-drawn]")).to_be_visible()
    expect(flow.page.locator(".sv-flow")).to_have_count(0)
    flow.page.get_by_role("link", name="Gradients").click()
    expect(flow.scope).to_have_attribute("data-drawn", drawn)
    assert flow.experiment == SCENES["Explodes"][0]
