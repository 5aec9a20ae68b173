"""The gates page in a real browser: what a person does, and what must not happen while they do it."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from driving import living
from playwright.sync_api import TimeoutError, expect

import seqviz
from seqviz import sequences

pytestmark = pytest.mark.browser

RESTED = """() => {
  const { previews, rested } = document.querySelector(".sv-scope").dataset;
  return previews === rested;
}"""
"""Whether Plotly has drawn what the hand has made."""

LSTM_ROWS = ["x", "f", "i", "g", "c", "o", "h", "y"]


def shown_equals(screen, experiment) -> None:
    """Every heatmap on the screen holds the numbers that the library gives for this experiment."""
    trace = seqviz.run(experiment)
    for signal in "figoch":
        np.testing.assert_allclose(screen.values(signal), trace[f"l0.{signal}"][:, 0].T, atol=1e-5)


def test_first_paint_is_a_living_lstm(screen):
    heads = screen.scope.locator(".sv-fold")
    assert [head.get_attribute("data-signal") for head in heads.all()] == LSTM_ROWS
    shown_equals(screen, living())
    assert all(np.ptp(screen.values(gate)) > 0.3 for gate in "fio"), "a gate does not move"
    assert screen.data("redraws") == "1", "the first picture was drawn more than once"
    assert screen.experiment == living()
    assert screen.page.locator("[data-testid=stAlert], [data-testid=stException]").count() == 0


def test_dragging_the_sequence_follows_the_hand_and_tells_the_server_once(screen):
    before = screen.values("c")
    sent, previews = len(screen.sent), int(screen.data("previews") or 0)
    screen.drag(screen.at("x", 10, 0.9), screen.at("x", 20, 0.1), screen.at("x", 30, 0.1), release=False)
    screen.until("n => +document.querySelector('.sv-scope').dataset.previews >= n", previews + 3)
    assert len(screen.sent) == sent, "the server was told before the hand let go"
    assert screen.experiment == living()
    screen.until(RESTED)
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
    np.testing.assert_allclose(drawn[:10], sequences.generate(living().sequence, 1)[:10, 0])
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
    trace = seqviz.run(living())
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


def heights(screen) -> dict[str, float]:
    """The height of every row's picture, in px."""
    return {signal: screen.at(signal, 0, 1)[1] - screen.at(signal, 0, 0)[1] for signal in LSTM_ROWS}


def test_folding_a_row_leaves_a_strip_and_unfolding_brings_it_back(screen):
    sent = len(screen.sent)
    tall = heights(screen)
    fold = screen.scope.locator(".sv-fold[data-signal=g]")
    screen.redraws(fold.click)
    expect(fold).to_have_attribute("aria-expanded", "false")
    folded = heights(screen)
    assert folded["g"] < 20
    assert folded["f"] > tall["f"], "the others were not given the room"
    assert len(screen.values("g")) == 1
    assert len(screen.values("f")) == 16, "another row was folded too"
    assert "folded=g" in screen.page.url
    screen.redraws(fold.click)
    assert heights(screen) == tall
    assert "folded" not in screen.page.url
    assert len(screen.sent) == sent


@pytest.mark.parametrize("by", ["mean", "similarity"])
def test_sorting_units_moves_whole_rows_and_changes_no_number(screen, by):
    before = {signal: screen.values(signal) for signal in "fh"}
    sent = len(screen.sent)
    screen.redraws(lambda: screen.scope.get_by_label("units by").select_option(by))
    after = {signal: screen.values(signal) for signal in "fh"}
    order = [before["h"].index(line) for line in after["h"]]
    assert sorted(order) == list(range(16))
    assert order != list(range(16))
    assert after["f"] == [before["f"][unit] for unit in order], "rows of one unit went apart"
    if by == "mean":
        means = [np.mean(line) for line in after["h"]]
        assert means in (sorted(means), sorted(means, reverse=True))
    screen.redraws(lambda: screen.scope.get_by_label("units by").select_option("index"))
    assert screen.values("h") == before["h"]
    assert len(screen.sent) == sent


def zoomed(screen) -> list[float]:
    return screen.page.evaluate("document.querySelector('.sv-scope .sv-graph')._fullLayout.xaxis.range")


def test_a_zoom_drawn_in_a_heatmap_is_kept_across_an_edit(screen):
    assert zoomed(screen) == [-0.5, 63.5]
    screen.drag(screen.at("c", 16), screen.at("c", 32))
    screen.until("() => location.hash.includes('zoom=')")
    low, high = zoomed(screen)
    assert abs(low - 16) < 1
    assert abs(high - 32) < 1
    assert screen.experiment == living(), "a zoom changed the sequence"
    screen.edits(lambda: screen.drag(screen.at("x", 18, 0.9), screen.at("x", 22, 0.9)))
    assert zoomed(screen) == [low, high]
    assert {edit.step for edit in screen.experiment.sequence.edits} == set(range(18, 23))
    screen.plot.focus()
    screen.edits(lambda: screen.page.keyboard.press("Control+z"))
    assert zoomed(screen) == [low, high]
    screen.page.mouse.dblclick(*screen.at("c", 24))
    screen.until("() => !location.hash.includes('zoom=')")
    screen.becomes(lambda: zoomed(screen), [-0.5, 63.5])


def test_a_zoom_never_outlives_the_steps_it_shows(screen):
    screen.drag(screen.at("c", 50), screen.at("c", 60))
    screen.until("() => location.hash.includes('zoom=')")
    screen.edits(lambda: screen.example("Brackets"))
    steps = screen.experiment.sequence.length
    assert steps < 50
    assert zoomed(screen) == [-0.5, steps - 0.5]
    assert "zoom=" not in screen.page.url


def test_a_pinned_baseline_and_the_difference_from_it(screen):
    expect(screen.scope.locator(".sv-segments")).to_be_hidden()
    screen.redraws(screen.scope.get_by_role("button", name="Pin as baseline").click)
    views = screen.scope.locator(".sv-segments")
    expect(views).to_be_visible()
    screen.edits(lambda: screen.drag(screen.at("x", 30, 0.05), screen.at("x", 40, 0.05)))
    old, new = seqviz.run(living()), seqviz.run(screen.experiment)
    sent = len(screen.sent)
    screen.redraws(views.get_by_role("radio", name="Difference").click)
    difference = np.array(screen.values("h"))
    np.testing.assert_allclose(difference, (new["l0.h"] - old["l0.h"])[:, 0].T, atol=1e-5)
    assert not difference[:, :30].any(), "the past differs"
    expect(screen.scope.locator(".sv-legend")).to_contain_text("less than baseline")
    screen.redraws(views.get_by_role("radio", name="Baseline").click)
    np.testing.assert_allclose(screen.values("h"), old["l0.h"][:, 0].T, atol=1e-5)
    screen.redraws(views.get_by_role("radio", name="Now").click)
    np.testing.assert_allclose(screen.values("h"), new["l0.h"][:, 0].T, atol=1e-5)
    assert len(screen.sent) == sent, "another view asked the server"
    assert "b=" in screen.page.url


@pytest.fixture
def matrix(screen):
    """The weight matrix, drawn: the forget gate's recurrent weights."""
    screen.panel("Weights")
    screen.choose("Which weights", "from last state")
    matrix = screen.page.locator(".sv-weights")
    expect(matrix.locator(".sv-weight-name")).to_have_text("W_hf[0, 0]")
    return matrix


def weight(experiment, row, col, gate="f", part="hh") -> float:
    values = seqviz.weights.materialise(experiment)
    return float(seqviz.weights.gate_view(values, experiment.cell, 0, gate, part)[row, col])


WRITTEN = """() => {
  window.written = [];
  new MutationObserver((all) => window.written.push(...all.map((one) => one.attributeName)))
    .observe(document.documentElement, { attributes: true, attributeFilter: ["lang"] });
}"""


def test_dragging_a_weight_follows_the_hand_and_tells_the_server_once(screen, matrix):
    x, y = screen.cell(matrix, 3, 5, 16, 16)
    sent, before, previews = len(screen.sent), screen.values("f"), int(screen.data("previews") or 0)
    paints = matrix.get_attribute("data-paints")
    screen.page.evaluate(WRITTEN)
    screen.drag((x, y), (x, y - 60), (x, y - 120), release=False)
    screen.until("n => +document.querySelector('.sv-scope').dataset.previews >= n", previews + 3)
    assert len(screen.sent) == sent, "the server was told before the hand let go"
    screen.until(RESTED)
    assert screen.values("f") != before
    assert matrix.get_attribute("data-paints") == paints, "the whole matrix was drawn while one cell was dragged"
    assert matrix.locator(".sv-cell").evaluate("cell => getComputedStyle(cell).backgroundColor") != "rgba(0, 0, 0, 0)"
    screen.edits(screen.page.mouse.up)
    expect(matrix).to_have_attribute("data-paints", f"{int(paints) + 1}")
    expect(matrix.locator(".sv-cell")).to_have_css("background-color", "rgba(0, 0, 0, 0)")
    assert screen.page.evaluate("window.written") == [], "written again, it has every style of the page found out anew"
    (edit,) = screen.experiment.edits
    assert weight(screen.experiment, 3, 5) == pytest.approx(weight(living(), 3, 5) + 2, abs=0.011)
    assert edit.value == np.float32(edit.value)
    shown_equals(screen, screen.experiment)
    expect(matrix.locator(".sv-weight-name")).to_have_text("W_hf[3, 5]")
    expect(matrix.locator(".sv-was")).to_have_text(f"was {weight(living(), 3, 5):.4f}".replace("-", "−"))
    marked = matrix.locator(".sv-graph").evaluate("graph => [[...graph.data[1].x], [...graph.data[1].y]]")
    assert marked == [[5], [3]], "another cell is marked as changed"


def test_a_weight_by_number_and_by_key_and_taken_back(screen, matrix):
    field = matrix.get_by_label("Weight, exact")
    field.fill("1.25")
    screen.edits(lambda: field.press("Enter"))
    assert weight(screen.experiment, 0, 0) == 1.25
    matrix.locator(".sv-plot").focus()
    screen.page.keyboard.press("ArrowRight")
    expect(matrix).to_have_attribute("data-cell", "0,1")
    drawn = weight(living(), 0, 1)
    screen.edits(lambda: screen.page.keyboard.press("+"))
    assert weight(screen.experiment, 0, 1) == pytest.approx(round(drawn + 0.1, 2), abs=1e-6)
    assert weight(screen.experiment, 0, 0) == 1.25
    assert len(screen.experiment.edits) == 2
    screen.edits(matrix.get_by_role("button", name="Take back").click)
    assert len(screen.experiment.edits) == 1
    assert weight(screen.experiment, 0, 1) == drawn
    shown_equals(screen, screen.experiment)
    standing = screen.data("drawn")
    sent = len(screen.sent)
    field.fill("")
    field.press("Tab")
    assert len(screen.sent) == sent, "an empty number was sent"
    assert screen.data("drawn") == standing


def test_reset_takes_back_weights_and_leaves_the_sequence(screen, matrix):
    screen.edits(lambda: screen.drag(screen.at("x", 5, 0.05), screen.at("x", 8, 0.05)))
    matrix.locator(".sv-plot").focus()
    screen.edits(lambda: screen.page.keyboard.press("-"))
    assert screen.experiment.edits
    reset = screen.scope.get_by_role("button", name="Reset weights")
    screen.edits(reset.click)
    assert not screen.experiment.edits
    assert len(screen.experiment.sequence.edits) == 4, "the sequence went with the weights"
    expect(reset).to_have_count(0)


def test_an_intervention_is_added_marked_and_removed(screen):
    screen.panel("What if")
    screen.choose("Signal", "output gate (l0.o)")
    value = screen.page.get_by_label("Value", exact=True)
    value.fill("0")
    value.press("Enter")
    screen.rest()
    expect(screen.scope.locator(".sv-rule")).to_have_count(0)
    screen.edits(screen.page.get_by_role("button", name="Add", exact=True).click)
    (rule,) = screen.experiment.interventions
    assert rule == seqviz.Clamp("l0.o", 0.0)
    mark = screen.scope.locator(".sv-rule")
    expect(mark).to_have_count(1)
    expect(mark).to_have_attribute("title", "clamp output gate (l0.o) to 0")
    assert not np.any(screen.values("h"))
    assert np.any(screen.values("c")), "the clamp went upstream"
    shown_equals(screen, screen.experiment)
    screen.edits(screen.page.get_by_role("button", name="✕").click)
    expect(mark).to_have_count(0)
    assert screen.experiment == living()


def test_undo_and_redo_by_button_and_by_key(screen):
    undo, redo = (screen.scope.get_by_role("button", name=name) for name in ("Undo", "Redo"))
    expect(undo).to_be_disabled()
    expect(redo).to_be_disabled()
    first = screen.data("drawn")
    second = screen.edits(lambda: screen.drag(screen.at("x", 5, 0.9), screen.at("x", 9, 0.9)))
    third = screen.edits(lambda: screen.drag(screen.at("x", 25, 0.9), screen.at("x", 29, 0.9)))
    assert len({first, second, third}) == 3
    assert screen.edits(undo.click) == second
    assert {edit.step for edit in screen.experiment.sequence.edits} == {5, 6, 7, 8, 9}
    screen.plot.focus()
    assert screen.edits(lambda: screen.page.keyboard.press("Control+z")) == first
    expect(undo).to_be_disabled()
    assert screen.experiment == living()
    shown_equals(screen, living())
    assert screen.edits(redo.click) == second
    screen.plot.focus()
    assert screen.edits(lambda: screen.page.keyboard.press("Control+Shift+z")) == third
    expect(redo).to_be_disabled()
    screen.edits(undo.click)
    screen.edits(lambda: screen.drag(screen.at("x", 40, 0.9), screen.at("x", 44, 0.9)))
    expect(redo).to_be_disabled()


def type_in_table(screen, row: int, text: str) -> None:
    """Type a number into the first column of the table on the page."""
    table = screen.page.get_by_test_id("stDataFrame")
    expect(table).to_be_visible()
    cell = table.get_by_test_id(f"glide-cell-1-{row}")
    expect(cell).to_be_attached()
    field = screen.page.locator("#portal input")
    for _ in range(10):  # a click that meets the table being drawn anew is lost, and so is a field
        table.scroll_into_view_if_needed()
        box = table.bounding_box()
        screen.page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 35 * (row + 1.5))
        screen.page.keyboard.press("Enter")
        with contextlib.suppress(TimeoutError):
            field.fill(text, timeout=5_000)
            field.press("Enter", timeout=5_000)
            return
    raise AssertionError("the table took no number")


def test_a_number_typed_into_the_table_is_the_number(screen):
    screen.panel("Sequence")
    screen.page.get_by_text("Table", exact=True).click()
    screen.edits(lambda: type_in_table(screen, 2, "0.125"))
    (edit,) = screen.experiment.sequence.edits
    assert (edit.step, edit.feature, edit.value) == (2, 0, 0.125)
    screen.edits(lambda: type_in_table(screen, 4, "-0.5"))
    assert [(e.step, e.value) for e in screen.experiment.sequence.edits] == [(2, 0.125), (4, -0.5)]
    shown_equals(screen, screen.experiment)
    before = screen.data("drawn")
    screen.plot.focus()
    assert screen.edits(lambda: screen.page.keyboard.press("Control+z")) != before
    (edit,) = screen.experiment.sequence.edits
    assert edit.step == 2, "undo left the table ahead of the picture"
