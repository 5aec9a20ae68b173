"""What a picture says of itself: keys it promises, numbers at the cursor, marks of the impossible, the saved file."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from driving import LIVING, living, number
from playwright.sync_api import expect

import seqviz
from seqviz.experiment import Experiment, Init, Sequence
from seqviz.networks.presets import preset

pytestmark = pytest.mark.browser


def test_keys_are_left_to_what_has_a_use_for_them(screen):
    scrubber = screen.scope.locator(".sv-scrubber")
    screen.page.get_by_role("radio", name="Weights", exact=True).focus()
    screen.page.keyboard.press("ArrowRight")
    screen.rest()
    screen.panel("Sequence")
    for field in ("Period (steps)", "Amplitude"):
        box = screen.page.get_by_label(field)
        box.focus()
        for key in ("ArrowLeft", "ArrowRight", " "):
            screen.page.keyboard.press(key)
    slider = screen.page.get_by_role("slider", name="Steps")
    slider.focus()
    screen.edits(lambda: screen.page.keyboard.press("ArrowLeft"))
    expect(scrubber).to_have_value("0")
    expect(screen.scope.locator(".sv-play")).not_to_have_attribute("aria-pressed", "true")
    screen.page.evaluate("document.activeElement.blur()")
    screen.edits(lambda: screen.page.keyboard.press("Control+z"))
    assert screen.experiment == living()


def test_while_something_is_drawn_nothing_lies_over_it(screen):
    tip = screen.scope.get_by_role("tooltip")
    screen.page.mouse.move(*screen.at("x", 10, 0.5))
    expect(tip).to_be_visible()
    previews = int(screen.data("previews") or 0)
    screen.drag(screen.at("x", 10, 0.5), screen.at("x", 20, 0.2), release=False)
    screen.until("n => +document.querySelector('.sv-scope').dataset.previews > n", previews)
    expect(tip).to_be_hidden()
    screen.edits(screen.page.mouse.up)
    expect(tip).to_be_hidden()
    screen.page.mouse.move(*screen.at("x", 24, 0.5))
    expect(tip).to_be_visible()


def test_the_readout_is_that_of_the_run_that_is_shown(screen):
    screen.redraws(screen.scope.get_by_role("button", name="Pin as baseline").click)
    screen.edits(lambda: screen.drag(screen.at("x", 30, 0.05), screen.at("x", 40, 0.05)))
    old, new = seqviz.run(living()), seqviz.run(screen.experiment)
    screen.page.evaluate("location.hash = '#step=36&unit=5'")
    expect(screen.scope.locator(".sv-clock")).to_have_text("36 / 63")
    expect(screen.scope.locator(".sv-axis-note")).to_have_text("unit 5")
    for view in (None, "Baseline", "Difference"):
        if view:
            screen.redraws(screen.scope.get_by_role("radio", name=view).click)
        for signal in "figoch":
            now, then = (trace[f"l0.{signal}"][36, 0, 5] for trace in (new, old))
            there = {None: now, "Baseline": then, "Difference": now - then}[view]
            assert screen.worth(signal) == pytest.approx(there, abs=0.0051)


COLOURS = """(signal) => {
  const plot = document.querySelector(".sv-scope .sv-plot");
  const k = [...plot.querySelectorAll(".sv-fold")].findIndex((b) => b.dataset.signal === signal);
  const graph = plot.querySelector(".sv-graph");
  const found = graph.data.find((t) => (t.yaxis ?? "y") === (k ? `y${k + 1}` : "y"));
  return { zmin: found.zmin, zmax: found.zmax, scale: found.colorscale };
}"""


def colour(look: dict, value: float) -> str:
    """The end of the stretch of a scale in which a value lies, as Plotly's own lookup goes."""
    share = min(1.0, max(0.0, (value - look["zmin"]) / (look["zmax"] - look["zmin"])))
    return next(colour for at, colour in look["scale"] if share <= at)


@pytest.mark.parametrize("value", [-1.0, -0.05, 1.02, 7.0])
def test_a_gate_that_is_held_where_none_can_be_is_not_drawn_like_0_or_1(visit, value):
    given = Experiment(
        hidden_size=4, init=Init(gain=2.5, seed=3), sequence=Sequence("sine", 32),
        interventions=(seqviz.Clamp("l0.f", value, units=[1]),),
    )  # fmt: skip
    screen = visit(f"/?e={given.to_url()}")
    look = screen.page.evaluate(COLOURS, "f")
    assert colour(look, value) == "#c2246c"
    assert "#c2246c" not in {colour(look, inside) for inside in (0.0, 0.3, 1.0)}
    assert "#c2246c" not in str(screen.page.evaluate(COLOURS, "i")["scale"])
    expect(screen.scope.locator(".sv-legend")).to_contain_text("outside 0 to 1")
    head = screen.scope.locator(".sv-head").filter(has_text="forget gate").locator(".sv-range")
    low, high = head.inner_text().split(" to ")
    trace = seqviz.run(given)["l0.f"]
    assert [number(low), number(high)] == pytest.approx([trace.min(), trace.max()], abs=0.006)


def test_within_0_and_1_a_gates_colours_are_as_ever(screen):
    look = screen.page.evaluate(COLOURS, "f")
    assert (look["zmin"], look["zmax"]) == (0, 1)
    expect(screen.scope.locator(".sv-legend")).not_to_contain_text("outside")


def test_the_cell_page_opens_where_something_happens(visit):
    cell = visit(f"/cell{LIVING}", picture=".sv-cellview")
    c = seqviz.run(living())["l0.c"][:, 0]
    step, unit = np.unravel_index(np.abs(np.diff(c, axis=0)).argmax(), c[1:].shape)
    expect(cell.scope.locator(".sv-clock")).to_have_text(f"{step + 1} / 63")
    expect(cell.scope.get_by_label("unit", exact=True)).to_have_value(str(unit))
    assert "#" not in cell.page.url
    cell.page.keyboard.press("Home")
    cell.scope.locator("svg.sv-diagram").focus()
    cell.page.keyboard.press("Home")
    assert "step=0" in cell.page.url
    other = visit(cell.page.url, picture=".sv-cellview")
    expect(other.scope.locator(".sv-clock")).to_have_text("0 / 63")


def test_numbers_wires_and_clock_change_together(visit):
    cell = visit(f"/cell{LIVING}#step=12", picture=".sv-cellview")
    seen = cell.page.evaluate("""async () => {
      const root = document.querySelector(".sv-cellview");
      const look = () => [".sv-clock", "[data-link=f] .sv-value", ".sv-eq .sv-numbers"]
        .map((name) => root.querySelector(name).textContent).join(" | ");
      const seen = new Set([look()]);
      const press = new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true });
      root.querySelector("svg.sv-diagram").dispatchEvent(press);
      for (let k = 0; k < 40; k++) { seen.add(look()); await new Promise(requestAnimationFrame); }
      return [...seen];
    }""")
    assert [said.split(" / ")[0] for said in seen] == ["12", "13"], seen


def saved(screen) -> str:
    """The picture as an SVG file's text."""
    with screen.page.expect_download() as caught:
        screen.scope.get_by_label("Save the picture").select_option("svg")
    return re.sub(r"<[^>]+>", " ", Path(caught.value.path()).read_text()).replace("\n", " ")


def test_a_saved_difference_says_what_it_is(visit):
    held = preset("latch")
    screen = visit(f"/?e={held.to_url()}")
    screen.redraws(screen.scope.get_by_role("button", name="Pin as baseline").click)
    clamped = Experiment(
        cell=held.cell, input_size=held.input_size, hidden_size=held.hidden_size, init=held.init,
        sequence=held.sequence, interventions=(seqviz.Clamp("l0.f", 0.5, units=[0]),),
    )  # fmt: skip
    other = visit(f"/?e={clamped.to_url()}&b={held.to_url()}#run=difference")
    text = saved(other)
    for said in ("difference, now minus baseline", "the same in both runs", "clamp forget gate (l0.f) to 0.5", "±0.5"):
        assert said in text, said
    assert "now minus baseline" not in saved(screen)
