"""What wires, boxes, bars and strips look like, against the numbers that they stand for."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from driving import PLAYING, number
from playwright.sync_api import expect

from seqviz import Ablate, Clamp, Experiment, Init, Sequence, run
from seqviz import vocabulary as words
from seqviz.scope import palettes
from seqviz.ui.bench import drawn

pytestmark = pytest.mark.browser

BOXES = {"LSTM": "figo", "GRU": "rnz", "RNN_TANH": "h"}

WIRES = """(svg) => [...svg.querySelectorAll(".sv-wire[role=button]")].map((wire) => {
  const { strokeDasharray, strokeWidth } = wire.querySelector(".sv-line").style;
  return [wire.querySelector(".sv-value").textContent, parseFloat(strokeWidth), strokeDasharray !== ""];
})"""

FILL = "(svg, name) => svg.querySelector(`.sv-box[data-link=${name}] rect`).style.fill"


@pytest.fixture
def at_step(visit):
    """The cell page at a step of a network."""

    def open_(experiment: Experiment, step: int, view: str = "", **options):
        address = f"/cell?e={experiment.to_url()}#step={step}{view}"
        return visit(address, picture=".sv-cellview", **options)

    return open_


@pytest.mark.parametrize("kind", BOXES)
def test_wires_are_as_wide_and_as_dashed_as_their_numbers_and_boxes_as_full(at_step, kind):
    cell = at_step(drawn(kind), 12)
    svg = cell.scope.locator("svg.sv-diagram")
    wires = svg.evaluate(WIRES)
    assert len(wires) > 4
    assert {dashed for _, _, dashed in wires} == {True, False}
    for text, width, dashed in wires:
        size = abs(number(text))
        assert dashed == (number(text) < 0), text
        assert width == pytest.approx(1.6 + 8 * size / (1 + size), abs=0.02), text
    trace = run(drawn(kind))
    for box in BOXES[kind]:
        full = round(45 * min(1.0, abs(float(trace[f"l0.{box}"][12, 0, 0]))))
        assert re.findall(r"(\d+)%", svg.evaluate(FILL, box)) == [f"{full}"], box


def test_bars_are_as_long_as_their_numbers_and_on_their_side(at_step):
    cell = at_step(drawn("LSTM"), 12)
    cell.scope.locator(".sv-lawline").first.click()
    expect(cell.scope.locator(".sv-bars .sv-total")).to_be_visible()
    bars = cell.scope.locator(".sv-bars .sv-barrow").evaluate_all(
        "(rows) => rows.map((row) => [row.querySelector('.sv-barvalue').textContent, row.querySelector('b').style])"
        ".map(([text, style]) => [text, parseFloat(style.width), style.left === '50%', style.right === '50%'])"
    )
    most = max(abs(number(text)) for text, *_ in bars)
    assert len({width for _, width, *_ in bars}) > 5
    for text, width, right, left in bars:
        assert width == pytest.approx(50 * abs(number(text)) / most, abs=0.3), text
        assert (left, right) == (number(text) < 0, number(text) >= 0) or number(text) == 0, text


def colour(scale: list[list], share: float) -> np.ndarray:
    """A colour of a scale between its two nearest stops, as a canvas mixes it."""
    stops = np.array([at for at, _ in scale])
    channels = np.array([[int(code[k : k + 2], 16) for k in (1, 3, 5)] for _, code in scale])
    return np.array([np.interp(share, stops, channels[:, k]) for k in range(3)])


def test_strips_have_the_colours_of_their_numbers(at_step):
    cell = at_step(drawn("LSTM"), 12, "&as=vectors&unit=5", color_scheme="light")
    line = cell.scope.locator(".sv-eq").first
    pixels = "(c) => [...c.getContext('2d').getImageData(0, 0, c.width, 1).data]"
    palette, trace = palettes()["light"], run(drawn("LSTM"), detail=True)
    reach = number(line.locator(".sv-range").inner_text().removeprefix("±"))
    looks = {-1: ("f", palette["sequential"]["f"], 0.0, 1.0), -2: ("f_pre", palette["diverging"], -reach, reach)}
    for row, (signal, scale, low, high) in looks.items():
        found = np.array(line.locator(".sv-strip canvas").nth(row).evaluate(pixels)).reshape(16, 4)[:, :3]
        shares = (trace[f"l0.{signal}"][12, 0] - low) / (high - low)
        assert np.ptp(found, axis=0).max() > 40
        np.testing.assert_allclose(found, [colour(scale, share) for share in shares], atol=6)
    mark = line.locator(".sv-vecmark").first.evaluate("(mark) => [mark.style.left, mark.style.width]")
    assert [float(size.removesuffix("%")) for size in mark] == [100 * 5 / 16, 100 / 16]


STEPPED = """(svg) => {
  const text = () => svg.querySelector("[data-link=f] .sv-value").textContent;
  const before = text();
  svg.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
  return [before, text()];
}"""


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_numbers_travel_unless_the_person_wishes_for_rest(at_step, motion):
    cell = at_step(drawn("LSTM"), 12, reduced_motion=motion)
    before, after = cell.scope.locator("svg.sv-diagram").evaluate(STEPPED)
    there = f"{run(drawn('LSTM'))['l0.f'][13, 0, 0]:.3f}"
    assert (after == there) == (motion == "reduce")
    assert before != there
    expect(cell.scope.locator("svg [data-link=f] .sv-value")).to_have_text(there)


def test_the_sum_of_an_rnn_does_not_tell_its_result(at_step):
    cell = at_step(drawn("RNN_TANH"), 12, "&part=2")
    expect(cell.scope.locator(".sv-phase")).to_have_text("2 of 3: sum")
    result = cell.scope.locator(".sv-numbers [data-link=h]")
    expect(result).to_have_class(re.compile("sv-dim"))
    cell.scope.get_by_role("radio", name="As vectors").click()
    expect(cell.scope.locator(".sv-vecrow").last).to_have_class(re.compile("sv-dim"))
    cell.page.get_by_role("button", name="Next").click()
    expect(cell.scope.locator(".sv-vecrow").last).not_to_have_class(re.compile("sv-dim"))
    cell.scope.get_by_role("radio", name="One unit").click()
    expect(result).not_to_have_class(re.compile("sv-dim"))


def test_a_held_input_is_marked_for_every_unit_and_a_held_sum_without_a_wire_at_its_box(at_step):
    held = replace(drawn("GRU"), interventions=(Ablate("x", units=(0,)), Clamp("l0.n_pre", 2.0)))
    for unit in (0, 1):
        cell = at_step(held, 12, f"&unit={unit}")
        expect(cell.scope.locator("svg [data-link=x] .sv-value")).to_have_text("≠ 0.000")
        expect(cell.scope.locator("svg .sv-box[data-link=n]")).to_have_class(re.compile("sv-set"))
        expect(cell.scope.locator("svg .sv-box[data-link=r]")).not_to_have_class(re.compile("sv-set"))


def test_the_address_keeps_the_part_of_the_walk_and_what_is_hidden(at_step, visit):
    cell = at_step(drawn("GRU"), 12)
    cell.page.get_by_role("button", name="Next").click()
    cell.page.get_by_role("button", name="Next").click()
    cell.page.get_by_role("button", name="Hide values").click()
    cell.until("() => location.hash === '#step=12&part=2&values=hidden'")
    other = visit(cell.page.url, picture=".sv-cellview")
    expect(other.scope.locator(".sv-phase")).to_have_text("2 of 5: reset gate")
    expect(other.scope.locator("svg [data-link=r] .sv-value")).to_have_text("?")
    other.scope.locator("svg.sv-diagram").focus()
    other.page.get_by_role("button", name="Reveal").click()
    other.page.get_by_role("button", name="Whole cell").click()
    other.until("() => location.hash === '#step=12'")


def test_a_new_step_is_a_new_guess(at_step):
    cell = at_step(drawn("LSTM"), 12, "&values=hidden")
    wire = cell.scope.locator("svg [data-link=f] .sv-value")
    wire.click()
    expect(wire).not_to_have_text("?")
    cell.page.keyboard.press("ArrowRight")
    expect(wire).to_have_text("?")


def test_a_question_mark_is_pressed_by_key_and_the_keys_stay(at_step):
    cell = at_step(drawn("GRU"), 12, "&values=hidden")
    asked = cell.scope.locator(".sv-lawline").first.get_by_role("button", name="?")
    count = asked.count()
    asked.last.focus()
    cell.page.keyboard.press("Enter")
    expect(asked).to_have_count(count - 1)
    cell.page.keyboard.press("ArrowRight")
    expect(cell.scope).to_have_attribute("data-step", "13")


def test_a_switch_that_was_clicked_gives_the_keys_to_the_picture(visit):
    cell = visit("/cell", picture=".sv-cellview")
    cell.page.locator(".st-key-lecture label").first.click()
    cell.until("() => location.search.includes('lecture=true')")
    cell.rest()
    cell.happens(lambda: cell.page.keyboard.press(" "), PLAYING)
    assert "lecture=true" in cell.page.url


def test_what_32_bits_cannot_hold_is_infinite(at_step):
    loud = Experiment("RNN_RELU", hidden_size=8, init=Init(gain=60.0), sequence=Sequence("sine", 60))
    step, unit = np.argwhere(np.isinf(run(loud)["l0.h"][:, 0]))[0]
    cell = at_step(loud, step, f"&unit={unit}")
    expect(cell.scope.locator(".sv-numbers").first).to_contain_text("= ∞")
    assert "Infinity" not in cell.scope.inner_text()


@pytest.mark.parametrize("kind", words.CELLS)
def test_in_a_lecture_no_result_is_parted_from_its_sign(visit, kind):
    lecture = {"viewport": {"width": 1024, "height": 768}}
    page = visit(f"/cell?lecture=true&e={drawn(kind).to_url()}", picture=".sv-cellview", **lecture)
    found = page.scope.locator(".sv-result").evaluate_all(RESULTS)
    assert found
    assert {lines for lines, _ in found} == {1}
    if kind == "LSTM":  # a sum of four terms has room for its result, but for the one in a tanh
        assert [first for _, first in found].count(False) <= 1


RESULTS = """(all) => all.map((node) => [new Set([...node.getClientRects()].map((r) => Math.round(r.top))).size,
  node.getBoundingClientRect().top - node.closest(".sv-numbers").getBoundingClientRect().top < 10])"""
"""On how many lines a result with its sign stands, and whether that is the equation's first."""
