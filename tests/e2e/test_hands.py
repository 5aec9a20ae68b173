"""What the hands do in the pictures, to the pixel: strokes, clicks that are no drags, marks, the walk, playing."""

from __future__ import annotations

import numpy as np
import pytest
from driving import PLAYING, living
from playwright.sync_api import expect

import seqviz
from seqviz.experiment import Experiment, Init, Sequence
from seqviz.ui.bench import drawn

pytestmark = pytest.mark.browser


def stroke(screen, *points: tuple[int, float]) -> dict[int, float]:
    """Draw on the input by jumps from point to point (step, share of the row); the values that were drawn."""
    screen.edits(lambda: screen.drag(*(screen.at("x", step, share) for step, share in points), steps=1))
    return {edit.step: edit.value for edit in screen.experiment.sequence.edits}


@pytest.mark.parametrize("way", [1, -1])
def test_a_quick_stroke_is_a_straight_line_between_the_places_where_the_hand_was_seen(screen, way):
    points = [(10, 0.2), (20, 0.8), (26, 0.4)][::way]
    values = stroke(screen, *points)
    assert set(values) == set(range(10, 27))
    corners = [values[step] for step, _ in sorted(points)]
    line = np.interp(range(10, 27), sorted(step for step, _ in points), corners)
    np.testing.assert_allclose([values[step] for step in range(10, 27)], line, atol=0.0101)
    assert corners[0] > 0.4
    assert corners[1] < -0.4


@pytest.mark.parametrize(("share", "feature"), [(0.12, 1), (0.88, 0), (0.45, 2)])
def test_a_stroke_takes_the_nearest_of_several_lines(visit, share, feature):
    values = np.tile(np.array([[-0.9, 0.9, 0.05]], np.float32), (30, 1))
    given = Experiment(input_size=3, hidden_size=4, sequence=Sequence.of_values(values))
    screen = visit(f"/?e={given.to_url()}")
    stroke(screen, (12, share))
    assert {(edit.step, edit.feature) for edit in screen.experiment.sequence.edits} == {(12, feature)}


@pytest.mark.parametrize("row", ["f", "c"])
def test_a_drag_is_no_click_and_a_click_is_no_drag(screen, row):
    x, y = screen.at(row, 20)
    screen.drag((x, y), (x + 3, y), steps=1)
    expect(screen.scope).to_have_attribute("data-step", "20")
    expect(screen.scope).to_have_attribute("data-lens", "20")  # what was clicked is open, and nothing is dragged in it
    screen.page.keyboard.press("Escape")
    expect(screen.scope.locator(".sv-lens")).to_be_hidden()
    screen.drag((x, y), (x + 100, y), steps=3)
    screen.until("() => location.hash.includes('zoom=')")
    assert screen.data("step") == "20", "the end of a drag chose a step"


def test_a_click_on_a_heading_chooses_no_step(screen):
    screen.redraws(screen.scope.locator(".sv-fold[data-signal=g]").click)
    assert screen.data("step") == ""


def test_a_folded_input_and_an_old_run_are_not_drawn_on(screen):
    before, sent = screen.data("drawn"), len(screen.sent)
    screen.redraws(screen.scope.locator(".sv-fold[data-signal=x]").click)
    screen.drag(screen.at("x", 10, 0.2), screen.at("x", 20, 0.8))
    screen.redraws(screen.scope.locator(".sv-fold[data-signal=x]").click)
    assert len(screen.sent) == sent
    screen.redraws(screen.scope.get_by_role("button", name="Pin as baseline").click)
    sent = len(screen.sent)
    for view in ("Baseline", "Difference"):
        screen.redraws(screen.scope.get_by_role("radio", name=view).click)
        screen.drag(screen.at("x", 10, 0.2), screen.at("x", 20, 0.8))
    assert len(screen.sent) == sent
    assert screen.data("drawn") == before


@pytest.mark.parametrize("kind", ["pre", "ih", "hh"])
def test_what_is_held_before_the_squashing_is_marked_at_its_row_and_unit(visit, kind):
    edit = seqviz.Clamp(f"l0.i_{kind}", 0.5, units=[2], steps=(8, 16))
    given = Experiment(hidden_size=4, sequence=Sequence("sine", 32), interventions=(edit,))
    screen = visit(f"/?e={given.to_url()}")
    mark = screen.scope.locator(".sv-rule")
    expect(mark).to_have_count(1)
    box = mark.bounding_box()
    left, top = screen.at("i", 7.5, 2 / 4)
    right, foot = screen.at("i", 15.5, 3 / 4)
    drawn_at = [box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]]
    np.testing.assert_allclose(drawn_at, [left, top, right, foot], atol=1.5)


def test_under_the_pointer_everything_is_said_of_that_unit(screen):
    trace = seqviz.run(living())
    screen.page.mouse.move(*screen.at("f", 20, 5.5 / 16))
    expect(screen.scope.locator(".sv-why-title")).to_have_text("Step 20 of 63 · unit 5")
    expect(screen.scope.locator(".sv-axis-note")).to_have_text("unit 5")
    for signal in "figoch":
        assert screen.worth(signal) == pytest.approx(trace[f"l0.{signal}"][20, 0, 5], abs=0.0051)
    screen.page.mouse.move(2, 2)
    expect(screen.scope.locator(".sv-why-title")).to_have_text("Step 0 of 63 · unit 0")


def test_without_its_baseline_a_view_of_it_is_left(screen):
    screen.redraws(screen.scope.get_by_role("button", name="Pin as baseline").click)
    screen.redraws(screen.scope.get_by_role("radio", name="Difference").click)
    assert "run=difference" in screen.page.url
    screen.edits(lambda: screen.example("Random GRU"))
    expect(screen.scope.locator(".sv-segments")).to_be_hidden()
    trace = seqviz.run(drawn("GRU"))
    np.testing.assert_allclose(screen.values("z"), trace["l0.z"][:, 0].T, atol=1e-5)
    expect(screen.scope.locator(".sv-legend")).not_to_contain_text("baseline")
    assert "run=" not in screen.page.url


def test_playing_from_the_end_begins_at_the_beginning(screen):
    screen.plot.focus()
    screen.page.keyboard.press("End")
    expect(screen.scope).to_have_attribute("data-step", "63")
    begun = f"() => +document.querySelector('.sv-scope').dataset.step < 20 && ({PLAYING})()"
    screen.happens(lambda: screen.page.keyboard.press(" "), begun)
    screen.page.keyboard.press(" ")


def test_the_walk_back_from_the_whole_cell_begins_at_its_last_part(cell):
    said = cell.scope.locator(".sv-phase")
    for key, part in [("b", 5), ("b", 4), ("n", 5), ("n", 5)]:
        cell.page.keyboard.press(key)
        expect(said).to_contain_text(f"{part} of 5")
    cell.scope.get_by_role("button", name="Whole cell").click()
    expect(said).to_have_text("")
    for key, part in [("n", 1), ("b", 1), ("n", 2)]:
        cell.page.keyboard.press(key)
        expect(said).to_contain_text(f"{part} of 5")


def test_an_overflowed_run_of_a_short_sequence_keeps_its_hands(visit):
    given = Experiment("RNN_RELU", hidden_size=4, init=Init(gain=100.0, seed=1), sequence=Sequence("sine", 24))
    screen = visit(f"/?e={given.to_url()}")
    values = stroke(screen, (3, 0.5))
    assert list(values) == [3]
    assert values[3] == pytest.approx(0, abs=0.06)
