"""Inside the cell in a real browser: every number against the trace, the walk, and the way back."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from driving import LIVING, living, number
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import expect

from seqviz import Clamp, Experiment, Init, Sequence, cells, preset, run, vocabulary
from seqviz.cells import signal_names
from seqviz.ui.bench import drawn
from seqviz.ui.cell_page import layer_arrays
from seqviz.weights import materialise

pytestmark = pytest.mark.browser

STEP = """async ([header, arrays, step, unit]) => {
  const { StepValues } = await import("/_stcore/bidi-components/seqviz.scope/stepvalues.js");
  const { formOf } = await import("/_stcore/bidi-components/seqviz.scope/form.js");
  const typed = Object.entries(arrays).map(([name, values]) => [name, Float32Array.from(values)]);
  const { unpack } = await import("/_stcore/bidi-components/seqviz.scope/tape.js");
  const { description } = formOf(header.description);
  const given = Object.fromEntries(typed);
  const all = new StepValues({ ...header, description }, given, unpack(description, given, ""), step);
  const whole = Object.fromEntries(Object.entries(all.named).map(([name, values]) => [name, [...values]]));
  const { v, made } = all.ofUnit(unit);
  return [whole, v, made];
}"""


def given_to_the_browser(experiment: Experiment, layer: int) -> tuple[dict[str, Any], dict[str, list[float]]]:
    arrays = layer_arrays(experiment, layer)
    header = {"cell": experiment.cell, "hidden": experiment.hidden_size, "inputs": arrays["x"].shape[1]}
    header["description"] = cells.get(experiment.cell).description()
    return header, {name: np.ravel(a).tolist() for name, a in arrays.items()}


def test_every_number_is_the_traces(cell):
    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        kind=st.sampled_from(vocabulary.CELLS),
        sizes=st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 3)),
        seed=st.integers(0, 1000),
        data=st.data(),
    )
    def sweep(kind: str, sizes: tuple[int, int, int], seed: int, data: st.DataObject) -> None:
        inputs, hidden, layers = sizes
        experiment = Experiment(
            kind, inputs, hidden, 1, layers, Init(gain=2.0, seed=seed), sequence=Sequence("noise", 9)
        )
        layer, step, unit = (data.draw(st.integers(0, n - 1)) for n in (layers, 9, hidden))
        if data.draw(st.booleans()):
            known = [f"l{layer}.{s}" for s in signal_names(kind, detail=True)]
            held = Clamp(data.draw(st.sampled_from(known)), 0.25, units=data.draw(st.sampled_from([None, [unit]])))
            experiment = replace(experiment, interventions=(held,))
        whole, found, made = cell.page.evaluate(STEP, [*given_to_the_browser(experiment, layer), step, unit])
        trace = run(experiment, detail=True)
        for block in vocabulary.BLOCKS[kind]:
            for signal in (f"{block}_ih", f"{block}_hh", f"{block}_pre", block):
                expected = float(trace[f"l{layer}.{signal}"][step, 0, unit])
                assert abs(found[signal] - expected) <= 1e-6 * max(1.0, abs(expected)), signal
        weights = materialise(experiment)
        x = trace["x" if layer == 0 else f"l{layer - 1}.h"][step, 0].astype(float)
        for k, block in enumerate(vocabulary.BLOCKS[kind]):
            rows = slice(k * hidden, (k + 1) * hidden)
            np.testing.assert_allclose(whole[f"{block}_ih:w"], weights[f"weight_ih_l{layer}"][rows] @ x, atol=1e-6)
            np.testing.assert_allclose(whole[f"{block}_hh:b"], weights[f"bias_hh_l{layer}"][rows], atol=1e-6)
            for signal in (f"{block}_ih", f"{block}_hh", f"{block}_pre", block):
                expected = trace[f"l{layer}.{signal}"][step, 0]
                np.testing.assert_allclose(whole[signal], expected, rtol=1e-6, atol=1e-6, err_msg=signal)
            assert whole[block][unit] == found[block]
            squash = torch.relu if kind == "RNN_RELU" else torch.tanh if block in "gnh" else torch.sigmoid
            expected = float(squash(torch.tensor(found[f"{block}_pre"], dtype=torch.float64)))
            assert made[block] == pytest.approx(expected, rel=1e-6, abs=1e-6)
        if experiment.interventions:
            return
        if kind == "LSTM":
            assert abs(found["kept"] + found["written"] - float(trace[f"l{layer}.c"][step, 0, unit])) < 1e-5
        if kind == "GRU":
            assert abs(found["kept"] + found["written"] - float(trace[f"l{layer}.h"][step, 0, unit])) < 1e-6

    sweep()


def arrived(cell, step: int) -> None:
    """Wait until the numbers of a step stand everywhere: the clock changes with them, when their motion has ended."""
    expect(cell.scope.locator(".sv-clock")).to_have_text(f"{step} / 63")


def shown(cell, look: str) -> list[float]:
    texts = cell.scope.locator(f".sv-bars .{look} .sv-barvalue").all_inner_texts()
    return [number(text) for text in texts]


def test_the_bars_of_a_sum_add_up_to_it(cell):
    cell.scope.locator("svg.sv-diagram").focus()
    cell.page.keyboard.press("Shift+ArrowRight")
    arrived(cell, 10)
    whole = float(run(living(), detail=True)["l0.f_pre"][10, 0, 0])
    for form in ("One unit", "As vectors"):
        cell.scope.get_by_role("radio", name=form).click()
        cell.scope.locator(".sv-lawline").nth(0).click()
        expect(cell.scope.locator(".sv-bars .sv-subtotal")).to_have_count(2)
        terms, parts, (total,) = shown(cell, "sv-subtotal"), shown(cell, "sv-part"), shown(cell, "sv-total")
        assert len(parts) == 2 + 8
        assert sum(terms) == pytest.approx(total, abs=0.002)
        assert sum(parts[:2]) == pytest.approx(terms[0], abs=0.002)
        assert sum(parts[2:]) == pytest.approx(terms[1], abs=0.006)
        assert total == pytest.approx(whole, abs=0.0006)
        cell.scope.locator(".sv-lawline").nth(3).click()
        expect(cell.scope.locator(".sv-bars .sv-subtotal").first).to_contain_text("f · c₋₁")
        assert sum(shown(cell, "sv-subtotal")) == pytest.approx(shown(cell, "sv-total")[0], abs=0.002)
        cell.scope.locator(".sv-lawline").nth(3).click()


def test_every_number_in_the_drawing_is_the_traces(cell):
    trace = run(living(), detail=True)
    cell.scope.locator("svg.sv-diagram").focus()
    cell.page.keyboard.press("Shift+ArrowRight")
    wires = {"f": "f", "i": "i", "g": "g", "o": "o", "c": "c", "h": "h", "to_f": "f_pre", "to_o": "o_pre"}
    for wire, signal in wires.items():
        value = float(trace[f"l0.{signal}"][10, 0, 0])
        label = cell.scope.locator(f"svg [data-link={wire}] .sv-value")
        expect(label).to_have_text(f"{value:.3f}".replace("-", "−"))


def strips(cell, line: int) -> list[str]:
    rows = cell.scope.locator(".sv-eq").nth(line).locator(".sv-vecrow")
    return rows.locator(".sv-barvalue").all_inner_texts()


def test_vectors_show_every_term_of_every_unit(cell):
    trace = run(living(), detail=True)
    cell.scope.get_by_role("radio", name="As vectors").click()
    expect(cell.scope.locator(".sv-eq").first.locator(".sv-vecrow")).to_have_count(6)
    expect(cell.scope.locator(".sv-numbers").first).to_be_hidden()
    terms = [number(value) for value in strips(cell, 0)]
    assert sum(terms[:4]) == pytest.approx(terms[4], abs=0.003)
    assert terms[5] == pytest.approx(float(trace["l0.f"][0, 0, 0]), abs=0.0006)
    strip = cell.scope.locator(".sv-eq").first.locator(".sv-strip").last
    box = strip.bounding_box()
    seventh = {"x": 7.5 / 16 * box["width"], "y": box["height"] / 2}
    strip.hover(position=seventh)
    expect(cell.scope.locator(".sv-eq").first.locator(".sv-barvalue").last).to_have_text(
        f"{trace['l0.f'][0, 0, 7]:.3f}"
    )
    expect(cell.scope.get_by_label("unit", exact=True)).to_have_value("0")
    strip.click(position=seventh)
    expect(cell.scope.get_by_label("unit", exact=True)).to_have_value("7")
    cell.until("() => location.hash.includes('as=vectors') && location.hash.includes('unit=7')")
    colours = strip.locator("canvas").evaluate("(c) => [...c.getContext('2d').getImageData(0, 0, c.width, 1).data]")
    assert len({tuple(colours[k : k + 4]) for k in range(0, 64, 4)}) > 4, "the strip shows no differences"
    cell.page.get_by_role("button", name="Hide values").click()
    expect(cell.scope.locator(".sv-eq").first.locator(".sv-barvalue").last).to_have_text("?")


@pytest.mark.parametrize("kind", ["Random GRU", "Random RNN"])
def test_vectors_of_every_cell_add_up(cell, kind):
    cell.scope.get_by_role("radio", name="As vectors").click()
    cell.edits(lambda: cell.example(kind))
    cell.scope.locator("svg.sv-diagram").focus()
    cell.page.keyboard.press("Shift+ArrowRight")
    arrived(cell, 10)
    for line in range(cell.scope.locator(".sv-eq").count()):
        *terms, total, value = [number(text) for text in strips(cell, line)]
        if line == 1:  # the GRU's candidate: the reset product stands beside what it is made of
            terms = [terms[0], terms[1], terms[3]]
        if line < 3:
            assert sum(terms) == pytest.approx(total, abs=0.004)
        else:  # the state of before stands above its share of the new one
            written, _, kept = *terms, total
            assert written + kept == pytest.approx(value, abs=0.004)


def test_the_walk_dims_what_is_not_reached_and_hides_what_is_to_be_guessed(cell):
    dim = cell.scope.locator("svg .sv-dim")
    expect(dim).to_have_count(0)
    cell.page.get_by_role("button", name="Next").click()
    expect(cell.scope.locator(".sv-phase")).to_contain_text("1 of 5")
    assert dim.count() > 15
    cell.page.get_by_role("button", name="Next").click()
    told, forgets = cell.scope.locator(".sv-told"), run(living())["l0.f"][0, 0, 0]
    expect(told).to_have_text(f"The forget gate says what share of the old cell state stays: {forgets:.3f} of 0.000.")
    cell.page.get_by_role("button", name="Hide values").click()
    expect(cell.scope.locator(".sv-lawline").nth(0)).to_contain_text("= ?")
    expect(told).to_have_text("The forget gate says what share of the old cell state stays: ? of 0.000.")
    cell.page.get_by_role("button", name="Reveal").click()
    expect(cell.scope.locator(".sv-lawline").nth(0)).not_to_contain_text("?")
    cell.page.get_by_role("button", name="Whole cell").click()
    expect(dim).to_have_count(0)
    box = cell.scope.locator(".sv-box").filter(has_text="tanh").last
    box.click()  # what it does is told at a press
    expect(cell.scope.locator(".sv-phase")).to_contain_text("5 of 5: output gate")
    expect(told).to_contain_text("What it hides stays in c.")
    expect(cell.scope.locator(".sv-diagram")).to_have_css("outline-style", "none")
    box.click()
    expect(cell.scope.locator(".sv-phase")).to_have_text("")


@pytest.mark.parametrize("kind", ["Random LSTM", "Random GRU", "Random RNN"])
def test_what_is_to_be_guessed_stands_nowhere(cell, kind):
    if kind != "Random LSTM":
        cell.edits(lambda: cell.example(kind))
    cell.scope.locator("svg.sv-diagram").focus()
    cell.page.keyboard.press("Shift+ArrowRight")
    arrived(cell, 10)
    bench = {"Random LSTM": "LSTM", "Random GRU": "GRU", "Random RNN": "RNN_TANH"}[kind]
    trace = run(drawn(bench))
    secrets = {f"{trace[f'l0.{s}'][10, 0, 0]:.3f}".replace("-", "−") for s in vocabulary.SIGNALS[bench]}
    cell.page.get_by_role("button", name="Hide values").click()
    cell.scope.get_by_role("radio", name="As vectors").click()
    cell.scope.get_by_role("radio", name="One unit").click()
    expect(cell.scope.locator(".sv-lawline").last).to_contain_text("?")
    everything = cell.scope.evaluate(
        "(n) => n.textContent + [...n.querySelectorAll('svg, svg *')].map((e) => e.getAttribute('aria-label')).join()"
    )
    assert [value for value in secrets if value in everything] == []
    assert "stroke-dasharray: 7" not in cell.scope.locator("svg .sv-wire[data-link=h]").inner_html()


def test_one_value_is_hidden_wherever_it_stands_and_shown_again(cell):
    wire = cell.scope.locator("svg [data-link=f] .sv-value")
    lines = cell.scope.locator(".sv-lawline")
    value = wire.text_content() or ""
    assert lines.nth(3).inner_text().count(value) == 1
    wire.click()
    expect(wire).to_have_text("?")
    expect(lines.nth(0)).to_contain_text("= ?")
    expect(lines.nth(3)).to_contain_text("? × ")
    assert value not in (cell.scope.locator("svg.sv-diagram").get_attribute("aria-label") or "")
    expect(lines.nth(1)).not_to_contain_text("?")
    cell.scope.get_by_role("radio", name="As vectors").click()
    expect(cell.scope.locator(".sv-eq").first.locator(".sv-barvalue").last).to_have_text("?")
    assert strips(cell, 1)[-1] != "?"
    cell.page.get_by_role("button", name="Reveal").click()
    expect(wire).to_have_text(value)


def test_steps_ask_nobody_and_move_the_numbers(cell):
    expect(cell.scope.locator(".sv-lawline").first).to_be_visible()
    before = cell.scope.locator(".sv-lawline").first.inner_text()
    cell.scope.locator("svg.sv-diagram").focus()
    sent = len(cell.sent)
    cell.page.keyboard.press("Shift+ArrowRight")
    expect(cell.scope).to_have_attribute("data-step", "10")
    expect(cell.scope.locator(".sv-clock")).to_have_text("10 / 63")
    assert cell.scope.locator(".sv-lawline").first.inner_text() != before
    assert len(cell.sent) == sent


def test_hovering_a_line_lights_its_wire(cell):
    lit = cell.scope.locator("svg .sv-lit")
    expect(lit).to_have_count(0)
    cell.scope.locator(".sv-lawline").nth(4).locator("b [data-link=o]").hover()
    expect(lit).to_have_count(3)
    cell.scope.locator(".sv-lawline").nth(4).locator("b [data-link=h_]").hover()
    expect(lit).to_have_count(1)
    middle = "(path) => { const b = path.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; }"
    cell.page.mouse.move(*cell.scope.locator("svg [data-link=kept] .sv-hit").evaluate(middle))
    expect(cell.scope.locator(".sv-lawline").nth(3).locator("b .sv-lit")).to_have_text("ft ⊙ ct−1")
    cell.scope.locator(".sv-status").hover()
    expect(lit).to_have_count(0)


ALONE = """(root) => {
  const linked = (where) => [...root.querySelectorAll(`${where} [data-link]`)].map((node) => node.dataset.link);
  const light = (node) => node.dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
  const dark = [];
  for (const [here, there] of [["svg", ".sv-lines"], [".sv-lines", "svg"]]) {
    for (const name of new Set(linked(here))) {
      light(root.querySelector(`${here} [data-link="${name}"]`));
      if (!root.querySelector(`${there} .sv-lit`)) dark.push(`${here} ${name}`);
    }
  }
  return dark;
}"""
"""Wires that light no term, and terms that light no wire."""


def test_every_cell_is_drawn_and_every_wire_lights_a_term_and_every_term_a_wire(cell):
    for kind in (None, "Random GRU", "Random RNN", "Latch"):
        if kind:
            cell.edits(lambda kind=kind: cell.example(kind))
        expect(cell.scope.locator("svg .sv-wire").first).to_be_attached()
        assert "NaN" not in cell.scope.inner_text()
        assert cell.scope.evaluate(ALONE) == [], kind


def test_there_and_back_keeps_the_step_and_the_unit(screen):
    screen.page.mouse.click(*screen.at("f", 7, 0.6))
    expect(screen.scope).to_have_attribute("data-step", "7")
    title = screen.scope.locator(".sv-why-title").inner_text()
    unit = re.search(r"unit (\d+)", title)
    assert unit is not None
    # The cell opens where one is: its numbers are those at the end of the rows, and the picture is found where it went.
    expect(screen.scope).to_have_attribute("data-lens", "7")
    expect(screen.scope.locator(".sv-lens:not(.sv-lens-opening)")).to_be_visible()
    opened = screen.scope.locator(".sv-lens-number").all_text_contents()
    for signal in "figc":
        assert f"{screen.worth(signal):+.2f}".replace("-", "−").removeprefix("+") in {
            t.removeprefix("+") for t in opened
        }
    # Its memory is a bar as full as what is kept, on a scale from 0 as far as the unit goes in the run.
    trace, k = run(living()), int(unit[1])
    c, f = trace["l0.c"][:, 0, k], trace["l0.f"][:, 0, k]
    expect(screen.scope.locator("[data-bar]")).to_have_count(3)
    soft, bar = (
        screen.scope.locator(f".sv-lens-picture {at}").first.evaluate("node => +node.getAttribute('height')")
        for at in ("[data-fill=soft]", "[data-bar=before]")
    )
    assert soft / bar == pytest.approx(abs(f[7] * c[6]) / (max(0, c.max()) - min(0, c.min())), abs=0.01)
    screen.page.keyboard.press("ArrowRight")
    expect(screen.scope).to_have_attribute("data-lens", "8")
    expect(screen.scope.locator(".sv-lens:not(.sv-lens-opening)")).to_be_visible()
    after = screen.scope.locator(".sv-lens").bounding_box()
    screen.page.mouse.click(after["x"] + after["width"] + 2, after["y"] + 0.4 * after["height"])
    expect(screen.scope).to_have_attribute("data-lens", "9")
    for _ in range(2):
        screen.page.keyboard.press("ArrowLeft")
    screen.page.keyboard.press("Escape")
    expect(screen.scope).to_have_attribute("data-lens", "")
    expect(screen.scope.locator(".sv-why-title")).to_contain_text("Step 7")
    title = screen.scope.locator(".sv-why-title").inner_text()
    unit = re.search(r"unit (\d+)", title)
    screen.page.get_by_role("button", name="Inside the cell").click()
    view = screen.page.locator(".sv-cellview")
    expect(view.locator(".sv-clock")).to_have_text("7 / 63")
    expect(view.get_by_label("unit", exact=True)).to_have_value(unit[1])
    screen.page.keyboard.press("ArrowRight")
    expect(view.locator(".sv-clock")).to_have_text("8 / 63")
    screen.page.keyboard.press("ArrowLeft")
    view.get_by_role("button", name="See all units").click()
    expect(screen.scope.locator(".sv-why-title")).to_have_text(title)
    expect(screen.page.locator("[data-testid=stException]")).to_have_count(0)


def test_memory_is_a_tank_whose_numbers_wait_for_its_motion(visit):
    cell = visit(f"/cell{LIVING}#step=14&unit=2&as=memory", picture=".sv-cellview")
    view, press = cell.page.locator(".sv-memory"), cell.page.keyboard.press
    expect(view).to_have_attribute("data-at", "3")
    lines = [number(text.rsplit("= ", 1)[1]) for text in view.locator(".sv-memory-line").all_text_contents()]
    before, kept, now, shown = lines
    expect(cell.scope.locator(".sv-headline")).to_contain_text(f"{100 * kept / before:.0f}% of the old memory stays")
    press("ArrowRight")
    # While it moves, no line of a later part can be read; when it has ended, all can.
    cell.until("""() => { const { at } = document.querySelector(".sv-memory").dataset;
      const waits = [...document.querySelectorAll(".sv-memory-line")].map((p) => p.classList.contains("sv-waits"));
      if (waits.some((hidden, k) => hidden !== +at < k)) throw new Error(`${at} ${waits}`);
      return at === "3"; }""")
    after = [number(text.rsplit("= ", 1)[1]) for text in view.locator(".sv-memory-line").all_text_contents()]
    assert after[0] == now
    assert abs(shown) <= 1
    press("v")
    expect(view).to_be_hidden()
    expect(cell.scope.locator(".sv-diagram").first).to_be_visible()


def test_a_phone_never_scrolls_sideways(visit):
    phone = visit(f"/cell{LIVING}", picture=".sv-cellview", viewport={"width": 390, "height": 844}, is_mobile=True)
    assert phone.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_a_text_names_its_characters(visit):
    page = visit(f"/cell?e={preset('brackets').to_url()}", picture=".sv-cellview")
    page.scope.locator(".sv-lawline").nth(1).click()
    expect(page.scope.locator(".sv-barrow").filter(has_text="x “(”")).to_have_count(1)
