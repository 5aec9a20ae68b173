"""A lecture on the keyboard alone: everything fits, nothing jumps, every key works before anything has the focus."""

from __future__ import annotations

import re
from functools import partial

import pytest
from driving import PICTURES
from legible import CUT, OUTSIDE, SCROLLED, SMALL, TOUCHING, WIDE
from playwright.sync_api import expect

from seqviz.networks.presets import preset
from seqviz.ui.gallery import EXAMPLES

pytestmark = pytest.mark.browser

PROJECTOR, OTHERS = (1024, 768), [(1280, 720), (1920, 1080)]

PLACES = """() => {
  const kept = ".sv-root > *, .st-key-picture, .sv-cellgrid > *, .sv-eq, "
    + ".sv-plot, .sv-diagram, .sv-lawline, .sv-top, .sv-head, .sv-end-row";
  return [...document.querySelectorAll(kept)]
    .filter((node) => node.getClientRects().length && !node.matches(".sv-visually-hidden"))
    .map((node) => [node.className.baseVal ?? node.className, node.getBoundingClientRect()])
    .map(([name, { x, y, width, height }]) => [name, ...[x, y, width, height].map(Math.round)]);
}"""
"""Where everything in the pictures stands, and how large it is."""
MORE = {"compare": 1, "gradients": 2}
"""Other pictures of a page, in the place of the first one."""
FILLS = """() => [...document.querySelectorAll(".sv-unrolled, .sv-spectrum")]
  .some(({ clientHeight }) => clientHeight > innerHeight / 2)"""
SETTLED = """() => !document.querySelector(".sv-diagram")
  || document.querySelector(".sv-chip.sv-on")?.textContent !== `0`"""


def stage(visit, path: str, language: str = ""):
    width, height = PROJECTOR
    return visit(
        f"/{path}?lecture=true{language}", picture=PICTURES[path], viewport={"width": width, "height": height},
        reduced_motion="reduce",
    )  # fmt: skip


def assert_fits(screen) -> None:
    """Nothing hangs out of the window, is too small, cut off or written over; there is nothing to scroll to."""
    for wrong in (OUTSIDE, SMALL, CUT, TOUCHING):
        assert screen.still_finds(wrong) == []
    assert screen.page.evaluate(SCROLLED) == 0
    assert screen.page.evaluate(WIDE) == 0


@pytest.mark.parametrize("path", PICTURES)
def test_everything_fits_and_can_be_read_from_the_last_row_and_nothing_jumps(visit, path):
    screen = stage(visit, path)
    assert_fits(screen)
    assert_nothing_jumps(screen)
    for size in OTHERS:
        screen.resize(*size)
        assert_fits(screen)
    for _ in range(MORE.get(path, 0)):
        screen.page.keyboard.press("ArrowDown")
        assert_fits(screen)
    if path in MORE:
        screen.until(FILLS)
        screen.page.set_viewport_size(dict(zip(("width", "height"), PROJECTOR, strict=True)))
        assert_fits(screen)


@pytest.mark.parametrize("path", PICTURES)
def test_nothing_jumps_in_other_languages_either(visit, path):
    screen = stage(visit, path, "&lang=zh")
    assert_nothing_jumps(screen)
    assert_fits(screen)
    if path in MORE:  # German is the longest
        screen.speak("Deutsch")
        expect(screen.page.locator("html")).to_have_attribute("lang", "de")
        screen.rest()
        assert_fits(screen)


@pytest.mark.parametrize("at", ["cell?lesson=4&at=6", "training?lesson=10&at=1"])
def test_a_lesson_on_the_stage_stands_beside_a_picture_that_fits(visit, at):
    """Once a question has been answered, its step has the most to say."""
    path = at.partition("?")[0]
    screen = visit(
        f"/{at}&lecture=true&lang=de", picture=PICTURES[path], viewport={"width": 1024, "height": 768},
        reduced_motion="reduce",
    )  # fmt: skip
    screen.page.locator(".sv-rail").press("1")
    expect(screen.page.locator(".sv-picked .sv-reply")).not_to_be_empty()
    screen.rest()
    assert_fits(screen)
    screen.resize(1280, 720)
    assert_fits(screen)
    if path == "cell":
        expect(screen.scope.locator(".sv-lawline").last).to_be_in_viewport(ratio=1)


def assert_nothing_jumps(screen) -> None:
    assert screen.page.evaluate(WIDE) == 0
    (screen.plot if screen.picture != PICTURES["cell"] else screen.scope.locator("svg.sv-diagram")).focus()
    screen.page.keyboard.press("Home")
    expect(screen.scope).to_have_attribute("data-step", "0")
    before = screen.page.evaluate(PLACES)
    for step in range(1, 8):
        screen.page.keyboard.press("ArrowRight" if step % 2 else "PageDown")
        expect(screen.scope).to_have_attribute("data-step", f"{step}")
        assert screen.page.evaluate(PLACES) == before, f"the page moved at step {step}"
    screen.until(SETTLED)
    assert screen.page.evaluate(PLACES) == before
    screen.page.keyboard.press("PageUp")
    expect(screen.scope).to_have_attribute("data-step", "6")


@pytest.mark.parametrize("lecture", ["", "?lecture=true"])
def test_every_key_works_on_a_freshly_loaded_page(visit, lecture):
    screen = visit(f"/{lecture}", reduced_motion="reduce")
    press = screen.page.keyboard.press
    press("ArrowRight")
    expect(screen.scope).to_have_attribute("data-step", "1")
    press("ArrowDown")
    screen.until("() => location.hash.includes('unit=1')")
    press("ArrowUp")
    screen.until("() => !location.hash.includes('unit')")
    press("h")
    expect(screen.scope.locator(".sv-end-value").first).to_have_text("?")
    press("h")
    expect(screen.scope.locator(".sv-end-value").first).not_to_have_text("?")
    press("Shift+?")
    expect(screen.scope.get_by_role("dialog", name="Keys")).to_be_visible()
    press("Escape")
    expect(screen.scope.get_by_role("dialog", name="Keys")).to_be_hidden()
    press("End")
    expect(screen.scope).to_have_attribute("data-step", "23")
    screen.happens(lambda: press("Space"), "() => +document.querySelector('.sv-scope').dataset.step < 23")
    press("Space")
    screen.edits(lambda: press("2"))
    assert screen.experiment == preset("counter")
    press("f")
    screen.until(f"() => location.search.includes('lecture=true') === {'false' if lecture else 'true'}")


def test_training_fills_the_stage_and_is_replayed_by_keys(visit):
    screen = stage(visit, "training")
    screen.page.get_by_role("button", name="Train", exact=True).click()
    learning = screen.page.locator(".sv-learning")
    expect(learning.locator(".sv-status")).to_contain_text("Solved.")
    screen.rest()
    assert_fits(screen)
    says = screen.page.locator(".st-key-title h3")
    expect(says).to_have_text(re.compile(r"^After \d+ steps of training: accuracy .*; guessing has 0.5\.$"))
    screen.page.keyboard.press("Home")
    expect(says).to_have_text(re.compile("^Before training: accuracy"))
    expect(learning.locator(".sv-pill")).to_have_text("0")
    screen.page.keyboard.press("ArrowRight")
    expect(says).to_have_text(re.compile("^After 10 steps"))
    expect(learning.locator(".sv-pill")).to_have_text("10")


def test_a_letter_that_is_typed_into_a_field_is_a_letter(visit):
    screen = visit("/", reduced_motion="reduce")
    screen.panel("Sequence")
    screen.page.locator(".st-key-seq-length input, .st-key-seq-kind input").first.focus()
    before = screen.data("drawn")
    screen.page.locator(".st-key-seq-kind input").press("2")
    screen.page.keyboard.press("Escape")
    screen.rest()
    assert screen.data("drawn") == before


def test_a_lecture_on_gradients_needs_no_mouse(visit):
    """Five minutes: it arrives, why, step by step, the eigenvalues, it explodes, and a guess before each."""
    screen = stage(visit, "gradients")
    press = screen.page.keyboard.press
    why = screen.page.locator(".sv-root.sv-why")
    expect(why.locator(".sv-headline")).to_have_text(re.compile("the LSTM's gradient keeps 13%.*10⁻⁴⁴"))
    expect(why.locator(".sv-why-picture")).to_be_visible()
    press("h")
    expect(why.locator(".sv-headline")).to_be_hidden()
    expect(why.locator(".sv-why-card b").first).to_be_hidden()
    press("h")
    expect(why.locator(".sv-headline")).to_be_visible()
    press("ArrowDown")
    expect(screen.plot).to_be_visible()
    expect(why.locator(".sv-why-picture")).to_be_hidden()
    press("Home")
    expect(screen.scope).to_have_attribute("data-step", "0")
    press("h")
    expect(screen.scope.locator(".sv-readout dd").nth(1)).to_have_text("?")
    press("h")
    press("ArrowDown")
    expect(screen.scope.locator(".sv-spectrum")).to_be_visible()
    expect(screen.plot).to_be_hidden()
    press("ArrowRight")
    expect(screen.scope).to_have_attribute("data-step", "1")
    for _ in range(2):
        press("ArrowUp")
    expect(why.locator(".sv-why-picture")).to_be_visible()
    for key, name in [("2", "Explodes"), ("1", "Vanishes"), ("5", "Chrono reaches 500 steps")]:
        screen.edits(partial(press, key))
        assert screen.experiment == EXAMPLES["gradients"][name].make()
        expect(screen.page.locator(".sv-card[aria-pressed=true]")).to_contain_text(name)
        assert screen.still_finds(OUTSIDE) == []
    press("Escape")
    screen.until("() => !location.search.includes('lecture=true')")


def test_a_lecture_on_the_cell_needs_no_mouse(visit):
    """From the gates into the cell and back: each part in turn, a guess, another unit, another example."""
    screen = stage(visit, "")
    press = screen.page.keyboard.press
    for _ in range(3):
        press("ArrowRight")
    expect(screen.scope).to_have_attribute("data-step", "3")
    press("Enter")  # in its column first, then on the whole screen
    expect(screen.scope).to_have_attribute("data-lens", "3")
    press("Enter")
    cell = screen.page.locator(".sv-cellview")
    expect(cell.locator(".sv-diagram")).to_be_visible()
    screen.until("() => location.pathname.endsWith('/cell') && location.search.includes('lecture=true')")
    screen.rest()
    expect(cell.locator(".sv-clock")).to_have_text("3 / 23")
    press("n")
    expect(cell.locator(".sv-phase")).to_contain_text("1 of 5")
    press("n")
    expect(cell.locator(".sv-phase")).to_contain_text("2 of 5")
    press("b")
    expect(cell.locator(".sv-phase")).to_contain_text("1 of 5")
    press("h")
    expect(cell.locator(".sv-value").filter(has_text="?").first).to_be_visible()
    press("h")
    expect(cell.locator(".sv-value").filter(has_text="?")).to_have_count(0)
    press("ArrowDown")
    screen.until("() => location.hash.includes('unit=1')")
    press("ArrowRight")
    expect(cell.locator(".sv-clock")).to_have_text("4 / 23")
    before = cell.get_attribute("data-drawn")
    press("3")
    expect(cell).not_to_have_attribute("data-drawn", before)
    expect(cell.locator(".sv-headline")).to_contain_text("flips at every 1")
    press("Enter")
    screen.until("() => !location.pathname.endsWith('/cell')")
    expect(screen.page.locator(".sv-scope .sv-headline")).to_contain_text("flips at every 1")
