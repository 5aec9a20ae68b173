"""The compare page in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from seqviz.experiment import Experiment, Sequence
from seqviz.presets import preset

pytestmark = pytest.mark.browser


@pytest.fixture
def compared(visit):
    """The page at its own address, drawn."""
    return visit("/compare", picture=".sv-flow")


def test_shuffling_and_differences_are_drawn(compared):
    expect(compared.page.get_by_text("Shuffle the steps")).to_be_visible()
    rows = compared.scope.locator(".sv-head")
    expect(rows).to_have_count(7)
    first = compared.data("drawn")
    compared.edits(lambda: compared.choose("The input", "shuffled"))
    assert "input=shuffled" in compared.page.url
    compared.edits(lambda: compared.choose("… minus that of", "as it is"))
    expect(rows).to_have_count(8)
    assert compared.data("drawn") != first
    expect(compared.page.locator("[data-testid=stException]")).to_have_count(0)


def test_a_choice_is_taken_back_by_key(compared):
    first = compared.data("drawn")
    compared.edits(lambda: compared.choose("The input", "shuffled"))
    compared.plot.focus()
    assert compared.edits(lambda: compared.page.keyboard.press("Control+z")) == first
    expect(compared.page.get_by_role("combobox", name="The input")).to_have_value("as it is")
    assert "input=" not in compared.page.url


def test_the_unrolled_network_follows_the_cursor(compared):
    unrolled = compared.scope.locator(".sv-unrolled")
    expect(unrolled.locator(".sv-now")).to_contain_text("t = 12")
    sent = len(compared.sent)
    compared.plot.focus()
    compared.page.keyboard.press("ArrowRight")
    expect(unrolled.locator(".sv-now")).to_contain_text("t = 13")
    assert len(compared.sent) == sent


def test_the_address_brings_the_choice_and_the_step_back(compared, visit):
    compared.edits(lambda: compared.choose("The input", "shuffled"))
    compared.plot.focus()
    compared.page.keyboard.press("Shift+ArrowRight")
    compared.until("() => location.hash === '#step=22'")
    other = visit(compared.page.url, picture=".sv-flow")
    assert other.data("drawn") == compared.data("drawn")
    expect(other.scope.locator(".sv-clock")).to_have_text("22 / 47")
    expect(other.scope.locator(".sv-unrolled .sv-now")).to_contain_text("t = 22")


def test_a_single_step_is_drawn_as_points(visit):
    one = Experiment("LSTM", hidden_size=4, sequence=Sequence("two_pulses", 1))
    compared = visit(f"/compare?e={one.to_url()}", picture=".sv-flow")
    expect(compared.scope.locator(".scatterlayer .point")).to_have_count(1 + 4 + 4)
    expect(compared.scope.locator(".xtick text")).to_have_text(["0"])


def test_what_is_exactly_0_is_drawn_apart_and_named(visit):
    latch = visit(f"/compare?e={preset('latch').to_url()}", picture=".sv-flow")
    expect(latch.scope.locator(".sv-legend")).to_contain_text("at the foot: exactly 0")
    dotted = "graph => graph.data.filter((trace) => trace.line?.dash === 'dot').map((trace) => trace.y.includes(null))"
    assert latch.scope.locator(".sv-graph").first.evaluate(dotted) == [True, True, False, False]
    expect(latch.page.get_by_role("cell", name="was not moved")).to_have_count(2)
    assert "LSTM from 0 at step 0 to 0 at step 23, largest at step 0: 0" in (
        latch.plot.get_attribute("aria-description") or ""
    )
