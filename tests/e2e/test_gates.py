"""The gates page in a real browser: what a person does, and what must not happen while they do it."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect

import seqviz
from seqviz import sequences
from seqviz.ui.bench import start

pytestmark = pytest.mark.browser

LSTM_ROWS = ["x", "f", "i", "g", "c", "o", "h", "y"]


def shown_equals(screen, experiment) -> None:
    """Every heatmap on the screen holds the numbers that the library gives for this experiment."""
    trace = seqviz.run(experiment)
    for signal in "figoch":
        np.testing.assert_allclose(screen.values(signal), trace[f"l0.{signal}"][:, 0].T, atol=1e-5)


def test_first_paint_is_a_living_lstm(screen):
    heads = screen.scope.locator(".sv-fold")
    assert [head.get_attribute("data-signal") for head in heads.all()] == LSTM_ROWS
    shown_equals(screen, start())
    assert all(np.ptp(screen.values(gate)) > 0.3 for gate in "fio"), "a gate does not move"
    assert screen.data("redraws") == "1", "the first picture was drawn more than once"
    assert screen.experiment is None
    assert screen.page.locator("[data-testid=stAlert], [data-testid=stException]").count() == 0


def test_dragging_the_sequence_follows_the_hand_and_tells_the_server_once(screen):
    before = screen.values("c")
    sent, previews = len(screen.sent), int(screen.data("previews") or 0)
    screen.drag(screen.at("x", 10, 0.9), screen.at("x", 20, 0.1), screen.at("x", 30, 0.1), release=False)
    screen.until("n => +document.querySelector('.sv-scope').dataset.previews >= n", previews + 3)
    assert len(screen.sent) == sent, "the server was told before the hand let go"
    assert screen.experiment is None
    during = screen.values("c")
    assert during != before
    np.testing.assert_allclose(
        np.array(during)[:, :10], np.array(before)[:, :10], atol=1e-5, err_msg="the past changed"
    )
    screen.edits(screen.page.mouse.up)
    told = screen.experiment
    assert {edit.step for edit in told.sequence.edits} == set(range(10, 31))
    drawn = sequences.generate(told.sequence, 1)[:, 0]
    assert drawn[10] < -0.5
    assert drawn[20] > 0.5
    np.testing.assert_allclose(drawn[:10], sequences.generate(start().sequence, 1)[:10, 0])
    shown_equals(screen, told)


def test_a_step_by_key_moves_the_band_within_two_frames_and_asks_nobody(screen):
    screen.plot.focus()
    sent, redraws = len(screen.sent), screen.data("redraws")
    moved = screen.page.evaluate("""async () => {
      const plot = document.querySelector(".sv-scope .sv-plot");
      const place = () => plot.querySelector(".sv-band").getBoundingClientRect().left;
      const frame = () => new Promise(requestAnimationFrame);
      const before = place();
      plot.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
      await frame();
      await frame();
      return place() - before;
    }""")
    assert moved > 2
    assert screen.data("step") == "1"
    for key, step in [("ArrowRight", 2), ("Shift+ArrowRight", 12), ("ArrowLeft", 11), ("End", 63), ("Home", 0)]:
        screen.page.keyboard.press(key)
        expect(screen.scope).to_have_attribute("data-step", str(step))
    screen.page.keyboard.press("ArrowLeft")
    expect(screen.scope).to_have_attribute("data-step", "0")
    screen.page.keyboard.press("PageDown")
    expect(screen.scope.locator(".sv-why-title")).to_have_text("Step 1 of 63 · unit 0")
    screen.page.keyboard.press("ArrowDown")
    expect(screen.scope.locator(".sv-why-title")).to_have_text("Step 1 of 63 · unit 1")
    assert len(screen.sent) == sent, "a step asked the server"
    assert screen.data("redraws") == redraws, "a step drew the heatmaps anew"
    assert screen.page.url.endswith("#step=1&unit=1")


def test_space_plays_and_pauses_without_the_server(screen):
    screen.plot.focus()
    sent = len(screen.sent)
    play = screen.scope.locator(".sv-play")
    screen.page.keyboard.press(" ")
    expect(play).to_have_attribute("aria-pressed", "true")
    screen.until("() => +document.querySelector('.sv-scope').dataset.step >= 3")
    screen.page.keyboard.press(" ")
    expect(play).to_have_attribute("aria-pressed", "false")
    stopped = screen.data("step")
    screen.page.evaluate("async () => { for (let k = 0; k < 12; k++) await new Promise(requestAnimationFrame); }")
    assert screen.data("step") == stopped, "it went on after the pause"
    screen.scope.get_by_label("speed").select_option("60")
    screen.page.keyboard.press("Escape")
    play.click()
    expect(screen.scope).to_have_attribute("data-step", "63")
    expect(play).to_have_attribute("aria-pressed", "false")
    assert len(screen.sent) == sent


def test_hovering_says_the_value_of_the_place_under_the_pointer(screen):
    trace = seqviz.run(start())
    sent = len(screen.sent)
    screen.page.mouse.move(*screen.at("f", 20, 3.5 / 16))
    tip = screen.scope.get_by_role("tooltip")
    expect(tip).to_be_visible()
    expect(tip).to_contain_text("forget gate · unit 3")
    expect(tip).to_contain_text(f"{trace['l0.f'][20, 0, 3]:.4f}")
    expect(tip).to_contain_text(f"{trace['l0.f'][19, 0, 3]:.4f}")
    screen.page.mouse.move(2, 2)
    expect(tip).to_be_hidden()
    assert len(screen.sent) == sent
    assert screen.data("step") == "", "hovering moved the pinned step"
