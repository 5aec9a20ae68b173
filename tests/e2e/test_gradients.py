"""The gradient laboratory in a real browser."""

from __future__ import annotations

import re
from functools import partial

import pytest
from playwright.sync_api import expect

from seqviz.ui.scenes import SCENES, first_scene

pytestmark = pytest.mark.browser


@pytest.fixture
def flow(visit):
    """The page at its own address, drawn."""
    return visit("/gradients", picture=".sv-flow")


def test_every_scene_is_drawn_and_none_like_another(flow):
    alerts = flow.page.locator("[data-testid=stException]")
    seen = {flow.data("drawn")}
    assert flow.experiment is None
    for name in [name for name, (experiment, _) in list(SCENES.items())[:5] if experiment != first_scene()]:
        flow.edits(partial(flow.example, name))
        assert flow.experiment == SCENES[name][0]
        expect(flow.page.get_by_text(SCENES[name][1])).to_be_visible()
        seen.add(flow.data("drawn"))
    assert len(seen) == 5
    assert alerts.count() == 0


def test_steps_by_key_ask_nobody_and_undo_brings_the_last_setting_back(flow):
    first = flow.data("drawn")
    flow.plot.focus()
    sent = len(flow.sent)
    flow.page.keyboard.press("Home")
    expect(flow.scope).to_have_attribute("data-step", "0")
    expect(flow.scope.locator(".sv-readout")).to_contain_text("step 0")
    flow.page.keyboard.press("Shift+ArrowRight")
    expect(flow.scope).to_have_attribute("data-step", "10")
    expect(flow.scope.locator(".sv-readout")).to_contain_text("step 10")
    assert len(flow.sent) == sent
    flow.edits(lambda: flow.example("Explodes"))
    flow.plot.focus()
    assert flow.edits(lambda: flow.page.keyboard.press("Control+z")) == first
    assert flow.experiment is None


def test_a_zoom_never_outlives_the_steps_it_shows(flow):
    flow.plot.evaluate("node => node.scrollIntoView({ behavior: 'instant' })")
    flow.drag(flow.at("norm", 150), flow.at("norm", 180))
    zoomed = "document.querySelector('.sv-flow .js-plotly-plot')._fullLayout.xaxis.range"
    flow.until(f"() => {zoomed}[0] > 125")
    flow.edits(lambda: flow.example("Explodes"))
    assert flow.page.evaluate(zoomed) == [-0.5, 119.5]


def test_the_address_brings_the_same_picture_to_another_person(flow, visit):
    flow.edits(lambda: flow.example("Explodes"))
    other = visit(flow.page.url, picture=".sv-flow")
    assert other.data("drawn") == flow.data("drawn")
    assert other.experiment == flow.experiment


def test_each_page_keeps_what_was_done_on_it(flow):
    flow.edits(lambda: flow.example("Explodes"))
    drawn = flow.data("drawn")
    flow.page.get_by_role("link", name="Gates").click()
    expect(flow.page.locator(".sv-scope[data-drawn]")).to_be_visible()
    expect(flow.page.locator(".sv-flow")).to_have_count(0)
    flow.page.get_by_role("link", name="Gradients").click()
    expect(flow.scope).to_have_attribute("data-drawn", drawn)
    assert flow.experiment == SCENES["Explodes"][0]


def test_one_click_from_a_cold_start_says_who_keeps_the_gradient(visit):
    gates = visit("/")
    gates.page.get_by_role("link", name="Gradients").click()
    says = gates.page.locator(".sv-why[data-drawn] .sv-why-says")
    expect(says).to_contain_text("the LSTM's gradient keeps 13%, the RNN's shrinks to 10⁻⁴⁴.")


def test_the_handle_follows_the_hand_by_itself_and_the_networks_come_when_it_rests(flow):
    why = flow.page.locator(".sv-why")
    expect(why).to_have_attribute("data-bias", "3.0")
    before, sent = why.get_attribute("data-drawn"), len(flow.sent)
    measured = why.locator("[data-net=LSTM]").get_attribute("points")
    with flow.page.expect_download() as saved:
        why.locator(".sv-why-foot select").select_option("svg")
    text = saved.value.path().read_text(encoding="utf-8")
    assert all(said in text for said in (why.locator(".sv-why-says").inner_text(), "13%", "/gradients"))
    box = why.locator(".sv-why-knob").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    flow.page.mouse.move(x, y)
    flow.page.mouse.down()
    flow.page.mouse.move(x, y - 40)
    flow.until("() => document.querySelector('.sv-why').dataset.bias !== '3.0'")
    held = why.get_attribute("data-bias")
    assert 3.0 < float(held) < 6
    assert why.locator("[data-net=LSTM]").get_attribute("points") == measured, "what is measured waits"
    assert len(flow.sent) == sent
    flow.page.mouse.up()
    flow.until("before => document.querySelector('.sv-why').dataset.drawn !== before", before)
    expect(why).to_have_attribute("data-bias", held)
    expect(why.locator(".sv-why-says")).to_contain_text(f"Forget bias {held}, ")
    flow.until("() => location.search.includes('e=')")
    assert flow.experiment.init.forget_bias == pytest.approx(float(held))
    assert why.locator("[data-net=LSTM]").get_attribute("points") != measured


def test_the_closed_form_is_on_the_screen_within_two_frames_of_the_hand(flow):
    """Counted in the page: frames from a press of an arrow to the new place of the handle."""
    frames = flow.page.evaluate(
        """async () => {
            const [handle, why] = [document.querySelector(".sv-why-handle"), document.querySelector(".sv-why")];
            const before = why.dataset.bias;
            handle.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowUp", bubbles: true }));
            let frames = 0;
            while (why.dataset.bias === before && frames < 60) {
                await new Promise(requestAnimationFrame);
                frames += 1;
            }
            return frames;
        }"""
    )
    assert frames <= 2


def test_the_map_comes_in_the_background_and_a_point_of_it_opens(visit):
    flow = visit("/gradients", picture=".sv-flow")
    flow.page.get_by_text("The map of vanishing", exact=True).click()
    maps = flow.page.locator(".sv-maps[data-drawn]")
    expect(maps).to_be_visible()
    first = maps.get_attribute("data-drawn")
    flow.until("first => (document.querySelector('.sv-maps')?.dataset.drawn ?? first) !== first", first)
    flow.page.get_by_role("button", name="Stop").click()
    expect(flow.page.get_by_role("button", name="Stop")).to_have_count(0)
    with flow.page.expect_download() as saved:
        maps.locator("select").select_option("svg")
    text = saved.value.path().read_text(encoding="utf-8")
    told = [maps.locator(of).inner_text() for of in (".sv-headline", ".sv-status", ".sv-maps-key span >> nth=-1")]
    told = [line[:40] for line in told]  # the file breaks its lines
    assert not {said for said in [*told, "on the screen", "forget gate bias ↑", "/gradients"] if said not in text}
    sheets, colours = maps.locator(".sv-maps-sheet"), re.findall(r'href="(data:image/png;[^"]+)"', text)
    assert len(colours) == sheets.count() > 1
    assert colours[0] == sheets.first.locator("canvas").evaluate("canvas => canvas.toDataURL()")
    sheet = maps.locator(".sv-maps-sheet").first
    sheet.focus()
    flow.page.keyboard.press("ArrowUp")
    expect(maps.locator(".sv-maps-readout")).to_have_text(re.compile(r"^LSTM, ρ 1\.00, bias 3\.25"))
    flow.page.keyboard.press("Enter")
    expect(flow.page.locator(".sv-why-says")).to_contain_text("orget bias 3.2")
    flow.until("() => location.search.includes('e=')")
    init = flow.experiment.init
    assert (init.spectral_radius, init.forget_bias) == pytest.approx((1.0, 3.25))
