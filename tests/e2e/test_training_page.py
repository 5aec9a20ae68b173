"""Watch it learn, in a real browser: start, watch the loss fall, stop, scrub, open in gates, reload."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from seqviz.tasks import task
from seqviz.training import Course, Recipe, prepare
from seqviz.training import train as training
from seqviz.ui.training_pictures import learning_message

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


LEFT_WHILE_DRAWING = """async (message) => {
  const from = "/_stcore/bidi-components/seqviz.scope/";
  const { default: mount } = await import(from + "hosts/streamlit.js");
  const { plotlyFrom } = await import(from + "hosts/plotly.js");
  const Plotly = await plotlyFrom(from + "plotly.min.js");
  const [react, purge] = [Plotly.react, Plotly.purge];
  const parentElement = document.body.appendChild(document.createElement("div"));
  const purged = new Promise((resolve) => { Plotly.purge = (graph) => resolve(purge(graph)); });
  const drawing = new Promise((resolve) => {
    Plotly.react = (...given) => {
      const done = react(...given);
      leave();
      resolve(done.then(() => "drawn", (error) => error.message));
      return done;
    };
  });
  const leave = mount({ data: Uint8Array.from(message), parentElement, setTriggerValue() {} });
  const says = await drawing;
  await purged;
  Object.assign(Plotly, { react, purge });
  return says;
}"""


def test_a_page_that_is_left_while_it_draws_ends_its_drawing(bare_page: Page) -> None:
    latch, recipe = task("latch"), Recipe(hidden_size=2, max_steps=2, every=1)
    course = Course("LSTM", latch, recipe, prepare(latch, recipe), 0)
    course.checkpoints = list(training(course.start, latch, recipe))
    assert bare_page.evaluate(LEFT_WHILE_DRAWING, list(learning_message([course], None))) == "drawn"


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


def test_chrono_and_the_probe_are_explained_where_they_are_first_named(page: Page) -> None:
    expect(page.get_by_text("The probe: one fixed example sequence")).to_be_visible()
    expect(page.get_by_text("chrono: forget and input biases drawn so that")).to_be_visible()
    page.get_by_role("combobox", name="Task").click()
    page.get_by_role("option", name="Parity of the bits so far").click()
    expect(page.get_by_text("chrono: forget and input biases drawn so that")).to_have_count(0)


def test_a_latch_is_learned_scrubbed_and_opened_in_gates(page: Page) -> None:
    train(page, "Latch")
    expect(learning(page).locator(".sv-status")).to_contain_text("Solved.")
    expect(page.get_by_text("Stop", exact=True)).to_have_count(0)
    expect(learning(page).locator(".sv-says").nth(1)).to_contain_text("solved")
    last = (learning(page).locator(".sv-clock").text_content() or "").removeprefix("step ")
    expect(page.locator(".sv-scope .sv-status")).to_have_text(f"The probe at optimiser step {last}.")
    expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")
    learned = page.locator(".sv-scope").get_attribute("data-drawn")
    learning(page).locator(".sv-plot").focus()
    page.keyboard.press("Home")
    expect(page.locator(".sv-scope .sv-status")).to_have_text("The probe at optimiser step 0.")
    expect(page.locator(".sv-scope")).not_to_have_attribute("data-drawn", learned or "")
    page.keyboard.press("End")
    expect(page.locator(".sv-scope")).to_have_attribute("data-drawn", learned or "")
    expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")
    page.get_by_role("button", name="Open in gates").click()
    expect(page.locator(".sv-scope:not(.sv-plain) .sv-headline")).to_be_in_viewport()
    expect(page.get_by_text("LSTM, 16 units, 50 steps")).to_be_visible()
    expect(page.locator(".sv-learning")).to_have_count(0)
    page.get_by_role("link", name="Training").click()
    expect(learning(page).locator(".sv-status")).to_contain_text("Solved.")


def saved(page: Page) -> tuple[str, dict]:
    """The name and the document of what “Save .json” gives."""
    with page.expect_download() as found:
        page.get_by_role("button", name="Save .json").click()
    return found.value.suggested_filename, json.loads(found.value.path().read_text())


def test_a_replay_takes_six_seconds_and_each_slider_says_what_it_moves_through(page: Page) -> None:
    train(page, "Latch")
    expect(learning(page).locator(".sv-status")).to_contain_text("Solved.")
    expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")
    speed, count = learning(page).get_by_label("speed"), learning(page).locator("input[type=range]")
    expect(speed.locator("option:checked")).to_have_text("all in 6 s")
    steps = float(count.get_attribute("max"))
    assert float(speed.input_value()) == pytest.approx(max(1.0, steps / 6))
    for picture, name in ((learning(page), "checkpoint"), (page.locator(".sv-scope"), "step")):
        expect(picture.locator(".sv-time .sv-place")).to_have_text(name)
        expect(picture.locator(".sv-time").get_by_role("slider", name=name, exact=True)).to_be_visible()
    learning(page).locator(".sv-plot").focus()
    page.keyboard.press("Home")
    expect(learning(page).locator("[aria-live=polite].sv-visually-hidden")).to_have_text("step 0")
    page.keyboard.press("ArrowRight")
    expect(learning(page).locator("[aria-live=polite].sv-visually-hidden")).to_have_text("step 10")


def test_an_earlier_checkpoint_stays_and_is_the_one_that_is_named_saved_and_opened(page: Page) -> None:
    train(page, "Latch")
    expect(learning(page).locator(".sv-status")).to_contain_text("Solved.")
    clock, told = learning(page).locator(".sv-clock"), page.locator(".sv-scope .sv-status")
    last = int((clock.text_content() or "").removeprefix("step "))
    caption = page.get_by_text(re.compile("^The checkpoint at step"))
    expect(caption).to_have_text(f"The checkpoint at step {last}:")
    _, learned = saved(page)
    learning(page).locator(".sv-plot").focus()
    for step in (last - 10, last - 20, last - 30):
        page.keyboard.press("ArrowLeft")
        expect(told).to_have_text(f"The probe at optimiser step {step}.")
        expect(clock).to_have_text(f"step {step}")
    expect(caption).to_have_text(f"The checkpoint at step {last - 30}:")
    expect(clock).to_have_text(f"step {last - 30}")
    name, document = saved(page)
    assert name == f"seqviz-latch-{last - 30}.json"
    assert document != learned
    page.get_by_role("link", name="Gates").click()
    expect(page.locator(".sv-scope:not(.sv-plain) .sv-headline")).to_be_visible()
    page.get_by_role("link", name="Training").click()
    expect(clock).to_have_text(f"step {last - 30}")
    expect(caption).to_have_text(f"The checkpoint at step {last - 30}:")
    page.get_by_role("button", name="Open in gates").click()
    expect(page.locator(".sv-scope:not(.sv-plain) .sv-headline")).to_be_visible()
    page.get_by_test_id("stButtonGroup").get_by_role("radio", name="Save", exact=True).click()
    with page.expect_download() as opened:
        page.get_by_role("button", name="Experiment as JSON").click()
    assert json.loads(opened.value.path().read_text()) == document


def test_a_run_that_goes_on_is_followed_again(page: Page) -> None:
    train(page, "Temporal order", "LSTM, forget bias 1")
    clock = learning(page).locator(".sv-clock")
    expect(clock).not_to_have_text("step 0")
    page.get_by_role("button", name="Stop").click()
    expect(learning(page).locator(".sv-status")).to_contain_text("Stopped.")
    expect(page.get_by_role("button", name="Train on")).to_be_visible()
    last = int((clock.text_content() or "").removeprefix("step "))
    learning(page).locator(".sv-plot").focus()
    page.keyboard.press("Home")
    expect(clock).to_have_text("step 0")
    expect(page.get_by_text("The checkpoint at step 0:")).to_be_visible()
    page.get_by_role("button", name="Train on").click()
    later = "last => +document.querySelector('.sv-learning .sv-clock').textContent.replace('step ', '') > last"
    page.wait_for_function(later, arg=last)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)


def test_a_long_run_stops_within_a_moment(page: Page) -> None:
    train(page, "Temporal order", "LSTM, forget bias 1")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    warned = page.get_by_text("This browser keeps the run for a reload")
    expect(warned).to_be_visible()
    expect(learning(page).locator(".sv-clock")).not_to_have_text("step 0")
    page.get_by_role("button", name="Stop").click()
    expect(learning(page).locator(".sv-status")).to_contain_text("Stopped.")
    expect(page.get_by_role("button", name="Train on")).to_be_visible()
    expect(warned).to_have_count(0)
    expect(page.get_by_role("button", name="Save .safetensors")).to_be_visible()
    expect(page.locator("[data-testid=stException]")).to_have_count(0)


def test_leaving_the_page_ends_the_work(page: Page) -> None:
    train(page, "Temporal order", "LSTM, forget bias 1")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(learning(page)).to_be_visible()
    page.get_by_role("link", name="Gates").click()
    expect(page.locator(".sv-scope:not(.sv-plain) .sv-headline")).to_be_visible()
    page.get_by_role("link", name="Training").click()
    expect(learning(page).locator(".sv-status")).to_contain_text("Stopped.")


def test_a_race_shows_three_networks(page: Page) -> None:
    page.get_by_role("button", name="Race all three").click()
    expect(learning(page).locator(".sv-legend")).to_contain_text("RNN")
    expect(learning(page).locator(".sv-legend")).to_contain_text("LSTM")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)


def test_what_save_gives_can_be_loaded_again(page: Page) -> None:
    train(page, "Latch")
    expect(learning(page).locator(".sv-status")).to_contain_text("Solved.")
    with page.expect_download() as found:
        page.get_by_role("button", name="Save .json").click()
    page.get_by_text("Load a network").click()
    name, document = found.value.suggested_filename, found.value.path().read_bytes()
    given = {"name": name, "mimeType": "application/json", "buffer": document}
    page.locator(".st-key-train-load-open input[type=file]").set_input_files([given])
    expect(page.get_by_text(name).first).to_be_visible()
    expect(page.locator("[data-testid=stAlert]")).to_have_count(0)
    page.get_by_role("link", name="Gates").click()
    expect(page.get_by_text("LSTM, 16 units, 50 steps")).to_be_visible()


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ([0.690, 0.695], None, 0.695),
        ([1e-6, 10.0], 1e-6, 10.0),
        ([0.5], None, 0.5),
        ([0.0, float("nan"), 3.0], None, 3.0),
    ],
)
def test_a_logarithmic_axis_spans_a_factor_of_four_at_least(
    bare_page: Page, values: list[float], low: float | None, high: float
) -> None:
    script = "async (v) => (await import('/_stcore/bidi-components/seqviz.scope/numbers.js')).decades(v)"
    start, end = (10**v for v in bare_page.evaluate(script, [v if v == v else None for v in values]))
    assert start <= (low if low is not None else high / 3.9)
    assert high <= end < 3 * high
    assert end / start > 4


def test_on_a_phone_training_begins_and_ends_without_scrolling(visit) -> None:
    screen = visit("/training", picture="[data-testid=stApp]", wait=False)
    page = screen.page
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator(".sv-scope[data-drawn]")).to_be_visible()
    begin = page.get_by_role("button", name="Train", exact=True)
    expect(begin).to_be_in_viewport()
    begin.click()
    expect(learning(page)).to_be_in_viewport()
    expect(begin).to_be_in_viewport()
