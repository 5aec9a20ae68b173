"""The first minute: a story that plays by itself, one thing to try, data near the top, nothing too small to read."""

from __future__ import annotations

import numpy as np
import pytest
from driving import PICTURES
from playwright.sync_api import expect

from seqviz.networks.presets import preset
from seqviz.ui.bench import drawn

pytestmark = pytest.mark.browser

FIRST_DATA = """(picture) => {
  const first = document.querySelector(".sv-why .sv-why-well");
  if (first) return first.getBoundingClientRect().top;
  const root = document.querySelector(picture);
  const graph = root.querySelector(".sv-graph");
  const layout = graph?._fullLayout;
  const top = layout ? graph.getBoundingClientRect().top + layout.yaxis._offset
                     : root.querySelector(".sv-diagram").getBoundingClientRect().top;
  return top;
}"""
SMALL = """(least) => [...document.querySelectorAll("body *")].filter((node) => {
  const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
  if (!own || node.closest("sub, sup, .sv-caret, .sv-visually-hidden, script, style, noscript")) return false;
  if (node.matches("tspan")) return false;  // what stands low or high beside its text
  if (node.closest("[data-testid=stIconMaterial]")) return false;
  const [box, style] = [node.getBoundingClientRect(), getComputedStyle(node)];
  if (!box.width || !box.height || style.visibility === "hidden" || style.clipPath.includes("inset")) return false;
  return parseFloat(style.fontSize) < least;
}).map((node) => {
  const { fontSize } = getComputedStyle(node);
  return `${node.tagName}.${node.getAttribute("class")} ${fontSize} ${node.textContent.trim().slice(0, 30)}`;
})"""


def test_the_story_plays_once_by_itself_and_stays(visit):
    screen = visit("/", viewport={"width": 1280, "height": 800})
    expect(screen.scope.get_by_role("heading", name="This unit keeps the first bit, 1, for 24 steps.")).to_be_visible()
    screen.until("() => document.querySelector('.sv-scope').dataset.step === '23'")
    expect(screen.scope.locator(".sv-play")).to_have_attribute("aria-pressed", "false")
    gate = np.array(screen.values("i"))
    assert gate[:, 0].min() > 0.9, "no gate is seen open"
    assert gate[:, 1:].max() < 0.1, "no gate is seen shut"
    assert np.ptp(screen.values("c"), axis=1).max() < 0.01, "nothing is held"
    assert screen.experiment is None
    assert "#" not in screen.page.url, "what played by itself was written down"


def test_nothing_plays_for_those_who_ask_for_less_motion(visit):
    screen = visit("/", reduced_motion="reduce")
    expect(screen.scope.locator(".sv-play")).to_have_attribute("aria-pressed", "false")
    assert screen.data("step") in ("", "0")
    moved = visit("/")
    moved.until("() => +document.querySelector('.sv-scope').dataset.step > 0")
    assert screen.data("step") in ("", "0")


def test_a_hand_ends_the_story_and_the_address_says_what_is_there(visit):
    screen = visit("/", reduced_motion="reduce")
    screen.page.keyboard.press("ArrowRight")
    expect(screen.scope).to_have_attribute("data-step", "1")
    screen.until("() => location.search.includes('e=') && location.hash === '#step=1'")
    assert screen.experiment == preset("latch")


def test_what_is_asked_to_be_tried_turns_the_whole_picture(visit):
    screen = visit("/", reduced_motion="reduce")
    before = np.array(screen.values("c"))[0]
    screen.edits(screen.scope.get_by_role("button", name="Make the first bit 0").click)
    expect(screen.scope.get_by_role("heading", name="This unit keeps the first bit, 0, for 24 steps.")).to_be_visible()
    assert np.sign(before).tolist() == (-np.sign(np.array(screen.values("c"))[0])).tolist()
    screen.edits(screen.scope.get_by_role("button", name="Make the first bit 1").click)
    expect(screen.scope.get_by_role("heading", name="This unit keeps the first bit, 1, for 24 steps.")).to_be_visible()


@pytest.mark.parametrize(("address", "picture"), [("/#step=12&unit=3", ".sv-scope"), ("/cell#step=5", ".sv-cellview")])
def test_a_link_from_before_the_story_opens_what_it_said(visit, address, picture):
    screen = visit(address, picture=picture)
    screen.until("() => location.search.includes('e=')")
    assert screen.experiment == drawn("LSTM")
    assert f"step={address.split('step=')[1].split('&')[0]}" in screen.page.url


@pytest.mark.parametrize("path", PICTURES)
def test_the_first_data_are_near_the_top_and_no_text_is_too_small_to_read(visit, path):
    picture = PICTURES[path]
    screen = visit(f"/{path}", picture=picture, viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    assert screen.page.evaluate(FIRST_DATA, picture) <= 150
    expect(screen.page.locator(".sv-dock")).to_have_count(1)
    box = screen.page.locator(".sv-dock").bounding_box()
    assert box["y"] + box["height"] == pytest.approx(800, abs=1)
    assert screen.still_finds(SMALL, 13.9) == []


def test_the_gates_fit_the_window_and_use_it(visit):
    screen = visit("/", viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    for width, height in [(1280, 800), (1920, 1080), (1440, 900)]:
        screen.resize(width, height)
        foot, right = screen.at("y", 23, 1)[1], screen.plot.bounding_box()
        assert height - 140 < foot < height - 60
        assert right["x"] + right["width"] > width - 440


def test_on_a_phone_the_picture_comes_first_and_play_is_under_the_thumb(visit):
    phone = visit("/", viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True, reduced_motion="reduce")
    assert phone.page.evaluate(FIRST_DATA, ".sv-scope") < 170
    play = phone.scope.locator(".sv-play").bounding_box()
    assert play["y"] > 844 - 70
    assert play["height"] >= 40
    assert phone.page.locator(".sv-gallery").bounding_box()["y"] > phone.plot.bounding_box()["y"]
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_link_is_copied_with_a_button(visit):
    screen = visit("/", reduced_motion="reduce", permissions=["clipboard-read", "clipboard-write"])
    screen.scope.get_by_role("button", name="Copy link").click()
    expect(screen.scope.get_by_role("button", name="Copied")).to_be_visible()
    copied = screen.page.evaluate("navigator.clipboard.readText()")
    assert "e=" in copied
    other = visit(copied)
    assert other.experiment == preset("latch")
