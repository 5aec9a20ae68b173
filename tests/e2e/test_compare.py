"""The compare page in a real browser."""

from __future__ import annotations

import numpy as np
import pytest
from driving import number
from playwright.sync_api import expect

from seqviz.comparison import NETWORKS, compare
from seqviz.experiment import Experiment, Sequence
from seqviz.networks.presets import preset
from seqviz.sequences import generate
from seqviz.ui.compare_page import first

pytestmark = pytest.mark.browser


@pytest.fixture
def compared(visit):
    """The page at its own address, drawn."""
    return visit("/compare", picture=".sv-flow")


def test_shuffling_and_differences_are_drawn(compared):
    expect(compared.scope.get_by_role("heading", name="Shuffle the steps")).to_be_visible()
    rows = compared.scope.locator(".sv-head")
    expect(rows).to_have_count(8)
    first = compared.data("drawn")
    # What an output rests on is painted up to the step under the cursor.
    painted = "(canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.join()"
    resting = compared.scope.locator(".sv-resting")
    at_12 = resting.evaluate(painted)
    compared.page.mouse.move(*compared.at("x", 40))
    expect(compared.scope.locator(".sv-when")).to_have_text("step 40, 28 steps after")
    assert resting.evaluate(painted) != at_12
    compared.page.mouse.move(2, 2)
    compared.edits(compared.scope.get_by_role("button", name="Shuffle the steps").click)
    assert "input=shuffled" in compared.page.url
    expect(compared.plot).to_have_attribute("data-shuffling", "false")
    expect(compared.scope.locator(".sv-shuffling")).to_be_hidden()
    expect(compared.scope.locator(".sv-strands path")).to_have_count(48)
    expect(compared.scope.locator(".sv-headline")).to_contain_text("only moved along; the others changed")
    compared.edits(lambda: compared.choose("… minus that of", "as it is"))
    expect(rows).to_have_count(10)
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


def test_curves_heatmaps_readout_and_unrolled_cells_show_the_librarys_numbers(compared):
    experiment = first()
    x = generate(experiment.sequence, experiment.input_size)
    nudged = x.copy()
    nudged[12] += 1.0
    found, moved = compare(experiment, x), compare(experiment, nudged)
    data = compared.scope.locator(".sv-graph").first.evaluate(
        "(graph) => graph.data.map(({ type, y, z, line, yaxis }) => ({ type, y: y && [...y], yaxis, "
        "z: z?.map((r) => [...r]), dash: line?.dash }))"
    )
    lines = [trace["y"] for trace in data if trace["yaxis"] in ("y", "y2")]
    maps = [np.array(trace["z"]) for trace in data if trace["type"] == "heatmap"]
    for drawn, values in zip(lines, [x, *(found[n].y for n in NETWORKS)], strict=True):
        np.testing.assert_allclose(drawn, values[:, 0], atol=1e-6)
    for drawn, name in zip(maps, NETWORKS, strict=True):
        np.testing.assert_allclose(drawn.T, found[name].h, atol=1e-6)
    far = {name: np.linalg.norm(moved[name].h - found[name].h, axis=1) for name in NETWORKS}
    curves = [trace["y"] for trace in data if trace["yaxis"] == "y7"]
    foot = "dot"  # what is exactly 0 runs along the foot
    dashes = {trace["dash"] for trace in data if trace["yaxis"] == "y7"} - {foot}
    assert len(dashes) == 4, "networks are told by hue alone"
    curves = [curve for curve in curves if curve[12] is not None]
    for drawn, name in zip(curves, NETWORKS, strict=True):
        np.testing.assert_allclose(10.0 ** np.array(drawn[12], float), far[name][12], rtol=1e-5)
    assert curves[2][20] == pytest.approx(np.log10(far["GRU"][20]), abs=1e-4)
    compared.plot.focus()
    for _ in range(2):
        compared.page.keyboard.press("ArrowRight")
    unrolled = compared.scope.locator(".sv-unrolled")
    expect(unrolled.locator(".sv-now")).to_contain_text("t = 14")
    readout = [
        number(text)
        for text in compared.scope.locator(".sv-readout dd:not(.sv-left, .sv-when)").all_inner_texts()
        if "×" not in text
    ]
    np.testing.assert_allclose(readout, [far[name][14] for name in NETWORKS[4 - len(readout) :]], rtol=0.006)
    notes = unrolled.locator(".sv-value").all_text_contents()
    for signal, values in (("x", x[:, 0]), ("y", found["RNN"].y[:, 0])):
        shown = [number(note[2:]) for note in notes if note.startswith(f"{signal} ")]
        np.testing.assert_allclose(shown, values[11:17], atol=0.006)
    sizes = [number(note) for note in notes if note[0].isdigit()]
    np.testing.assert_allclose(sizes, np.linalg.norm(found["RNN"].h[11:17], axis=1), atol=0.006)
    compared.page.mouse.move(*compared.at("x", 30))
    expect(compared.scope.locator(".sv-tip")).to_contain_text("30")


def test_the_past_is_dimmed_while_it_plays(compared):
    veil = "() => parseFloat(document.querySelector('.sv-flow .sv-veil').style.width)"
    assert compared.page.evaluate(veil) == 0
    compared.scope.get_by_label("speed").select_option("4")
    compared.scope.locator(".sv-play").click()
    compared.until(f"() => ({veil})() > 100")
    compared.scope.locator(".sv-play").click()
    compared.until(f"() => ({veil})() === 0")


def test_what_is_folded_is_in_the_address(compared, visit):
    compared.scope.locator(".sv-fold[data-signal='GRU.h']").click()
    compared.until("() => location.hash.includes('folded=GRU.h')")
    other = visit(compared.page.url, picture=".sv-flow")
    expect(other.scope.locator(".sv-fold[data-signal='GRU.h']")).to_have_attribute("aria-expanded", "false")
    expect(other.scope.locator(".sv-fold[data-signal='RNN.h']")).to_have_attribute("aria-expanded", "true")


def left(compared) -> dict[str, float]:
    """What the readout says is left of the nudge at the cursor, in percent, by network."""
    rows = compared.scope.locator(".sv-readout > div").all()[1:]
    return {
        row.locator("dt").inner_text(): number(row.locator(".sv-left").inner_text().split("%")[0].strip("< "))
        for row in rows
    }


def assert_left(percent: dict[str, float], found: dict[str, np.ndarray], step: int) -> None:
    assert set(percent) == set(found)
    for name, said in percent.items():
        assert said == pytest.approx(100 * found[name][step] / found[name].max(), rel=0.06, abs=0.011), name


def responses(step: int) -> dict[str, np.ndarray]:
    experiment = first()
    x = generate(experiment.sequence, experiment.input_size)
    nudged = x.copy()
    nudged[step] += 1.0
    before, after = compare(experiment, x), compare(experiment, nudged)
    return {name: np.linalg.norm(after[name].h - before[name].h, axis=1) for name in NETWORKS}


def test_how_much_is_left_of_the_first_input_at_step_20_is_a_number(compared, visit):
    mark = compared.scope.get_by_role("slider", name="The step at which 1 is added")
    expect(mark).to_have_attribute("aria-valuenow", "12")
    box = mark.bounding_box()
    # While it is held, its curve and its numbers at the cursor are there already.
    sent = len(compared.sent)
    compared.drag((box["x"] + 20, box["y"] + 8), compared.at("x", 4, 0.1), release=False)
    expect(compared.scope.locator(".sv-when")).to_have_text("step 12, 8 steps after")
    expect(compared.scope.locator(".sv-following path[data-of='RNN.d']")).to_be_visible()
    assert_left(left(compared), responses(4), 12)
    assert len(compared.sent) == sent
    compared.edits(lambda: (compared.page.mouse.move(*compared.at("x", 0, 0.1)), compared.page.mouse.up()))
    expect(compared.scope.locator(".sv-following")).to_be_hidden()
    expect(mark).to_have_attribute("aria-valuenow", "0")
    assert "nudge=0" in compared.page.url
    compared.page.mouse.move(2, 2)
    compared.page.evaluate("location.hash = '#step=20'")
    expect(compared.scope.locator(".sv-clock")).to_have_text("20 / 47")
    assert_left(left(compared), responses(0), 20)
    other = visit(compared.page.url, picture=".sv-flow")
    assert other.data("drawn") == compared.data("drawn")
    assert left(other) == left(compared)


def test_the_nudge_goes_to_the_cursor_by_button_and_on_by_key(compared):
    compared.plot.focus()
    compared.page.keyboard.press("Shift+ArrowRight")
    compared.edits(compared.scope.get_by_role("button", name="Nudge this step").click)
    mark = compared.scope.locator(".sv-nudge")
    expect(mark).to_have_attribute("aria-valuenow", "22")
    mark.focus()
    compared.edits(lambda: compared.page.keyboard.press("ArrowRight"))
    expect(mark).to_have_attribute("aria-valuenow", "23")
    expect(compared.page.get_by_text("1 is added to the input at step 23")).to_be_visible()
    drawn = 10.0 ** float(compared.scope.locator(".sv-graph").first.evaluate(SOLID))
    assert drawn == pytest.approx(responses(23)["LSTM"][23], rel=1e-5)
    compared.plot.focus()
    compared.edits(lambda: compared.page.keyboard.press("Control+z"))
    expect(mark).to_have_attribute("aria-valuenow", "22")


SOLID = "(graph) => graph.data.filter(({ line }) => line?.dash === 'solid').at(-1).y[23]"
