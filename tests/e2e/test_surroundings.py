"""Around the picture: the address, themes, narrow screens, the keyboard, typed text, files."""

from __future__ import annotations

import base64
import io
import json
import re
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from driving import LIVING, PICTURES, PLAYING, living
from PIL import Image
from playwright.sync_api import expect
from watching import forget

import seqviz
from seqviz.experiment import Experiment
from seqviz.scope import palettes

pytestmark = pytest.mark.browser


def test_the_copied_address_brings_the_same_screen_to_another_person(screen, visit):
    screen.panel("Weights")
    matrix = screen.page.locator(".sv-weights")
    matrix.locator(".sv-plot").focus()
    screen.edits(lambda: screen.page.keyboard.press("+"))
    screen.redraws(screen.scope.get_by_role("button", name="Pin as baseline").click)
    screen.edits(lambda: screen.drag(screen.at("x", 10, 0.9), screen.at("x", 14, 0.9)))
    screen.redraws(screen.scope.locator(".sv-fold[data-signal=o]").click)
    screen.redraws(lambda: screen.scope.get_by_label("units by").select_option("mean"))
    screen.redraws(screen.scope.get_by_role("radio", name="Difference").click)
    screen.plot.focus()
    screen.page.keyboard.press("Shift+ArrowRight")
    screen.until("() => location.hash.includes('step=') && location.hash.includes('run=difference')")
    step = screen.data("step")
    other = visit(screen.page.url)
    assert other.data("drawn") == screen.data("drawn")
    assert other.experiment == screen.experiment
    assert other.experiment.edits
    for signal in "xfigcohy":
        assert other.values(signal) == screen.values(signal)
    expect(other.scope.locator(".sv-fold[data-signal=o]")).to_have_attribute("aria-expanded", "false")
    expect(other.scope.locator(".sv-clock")).to_have_text(f"{step} / 63")
    expect(other.scope.get_by_role("radio", name="Difference")).to_have_attribute("aria-checked", "true")
    expect(other.scope.get_by_role("button", name="Undo")).to_be_disabled()
    assert other.page.url == screen.page.url
    assert screen.data("step") == step, "one person moved the other's picture"


def colours(screen) -> tuple[str, str]:
    """The page's background, and the open end of the forget gate's scale."""
    paper = screen.page.locator("[data-testid=stApp]").evaluate("node => getComputedStyle(node).backgroundColor")
    scale = screen.page.evaluate(
        "[...document.querySelector('.sv-scope .sv-graph').data].find((t) => t.type === 'heatmap').colorscale"
    )
    return paper, json.dumps(scale)


def test_light_and_dark_have_colours_of_their_own(visit):
    light, dark = visit(f"/{LIVING}", color_scheme="light"), visit(f"/{LIVING}", color_scheme="dark")
    (paper, scale), (night, bright) = colours(light), colours(dark)
    assert paper == "rgb(255, 255, 255)"
    assert night == "rgb(14, 17, 23)"
    assert scale != bright
    assert "#f3f4f6" in scale
    assert "#181d26" in bright
    assert light.values("f") == dark.values("f"), "the theme changed a number"
    sent = len(light.sent)
    light.redraws(lambda: light.page.emulate_media(color_scheme="dark"))
    light.becomes(lambda: colours(light), (night, bright))
    assert len(light.sent) == sent


def test_a_phone_shows_the_picture_first_and_never_scrolls_sideways(visit):
    phone = visit(f"/{LIVING}", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = phone.page
    sideways = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(sideways) == 0
    picture, controls = page.locator(".st-key-picture").bounding_box(), page.locator(".st-key-controls").bounding_box()
    assert picture["y"] + picture["height"] <= controls["y"] + 1, "the controls stand before the picture"
    assert picture["x"] >= 0
    assert picture["x"] + picture["width"] <= 390
    assert_readout_parts_no_name_from_its_number(phone)
    for name in ["Network", "Weights", "What if", "Save", "Sequence"]:
        phone.panel(name)
        assert page.evaluate(sideways) == 0, name
    small = page.evaluate("""() => [...document.querySelectorAll(".sv-bar button, .sv-time button")]
      .filter((b) => b.offsetParent && b.getBoundingClientRect().height < 40).map((b) => b.textContent)""")
    assert small == [], "too small for a finger"


def assert_readout_parts_no_name_from_its_number(phone) -> None:
    names, values = (phone.scope.locator(part).all() for part in (".sv-name", ".sv-end-value"))
    for name, value in zip(names, values, strict=True):
        told, shown = name.bounding_box(), value.bounding_box()
        assert told["y"] <= shown["y"] + shown["height"] / 2 <= told["y"] + told["height"]
        assert told["x"] + told["width"] < shown["x"]
        assert shown["x"] + shown["width"] <= 390
        assert re.fullmatch(r"−?\d+\.\d+", value.inner_text())


def test_every_page_is_looked_at_on_a_phone(root):
    assert {path.stem for path in (root / "pages").glob("*.py")} == {page or "gates" for page in PICTURES}


@pytest.mark.parametrize("page", PICTURES)
def test_no_page_scrolls_a_phone_sideways_and_a_heading_stands_over_its_picture(visit, page):
    phone = visit(f"/{page}", picture=PICTURES[page], viewport={"width": 390, "height": 844}, is_mobile=True)
    assert phone.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    picture, controls = phone.scope.bounding_box(), phone.page.locator(".st-key-controls")
    assert picture["x"] >= 0
    assert picture["x"] + picture["width"] <= 390
    if page and controls.count():
        assert picture["y"] < controls.bounding_box()["y"], "the controls stand before the picture"
    if page not in ("cell", "your_network"):  # there: names
        heading = phone.page.locator("h1.sv-headline, h3").first.bounding_box()
        assert heading["y"] + heading["height"] <= phone.plot.bounding_box()["y"]


def test_a_lecture_has_large_type_and_no_controls_and_is_part_of_the_address(screen, visit):
    switch = screen.page.locator(".st-key-lecture")
    controls = screen.page.locator(".st-key-controls")
    size = "node => parseFloat(getComputedStyle(node).fontSize)"
    clock = screen.scope.locator(".sv-clock")
    small, wide = clock.evaluate(size), screen.scope.bounding_box()["width"]
    before = screen.data("drawn")
    expect(controls).to_be_visible()
    switch.locator("label").click()
    expect(controls).to_be_hidden()
    screen.until("() => location.search.includes('lecture=true')")
    screen.rest()
    screen.becomes(lambda: clock.evaluate(size) > 1.2 * small, True)
    screen.becomes(lambda: screen.scope.bounding_box()["width"] > 1.2 * wide, True)
    assert screen.data("drawn") == before, "the switch changed the experiment"
    screen.edits(lambda: screen.drag(screen.at("x", 10, 0.9), screen.at("x", 14, 0.9)))
    assert "lecture=true" in screen.page.url, "an edit ended the lecture"
    sent = len(screen.sent)
    screen.plot.focus()
    screen.page.keyboard.press("PageDown")
    expect(screen.scope).to_have_attribute("data-step", "15")
    assert len(screen.sent) == sent
    other = visit(screen.page.url)
    expect(other.page.locator(".st-key-controls")).to_be_hidden()
    assert other.experiment == screen.experiment
    other.page.locator(".st-key-lecture label").click()
    expect(other.page.locator(".st-key-controls")).to_be_visible()
    expect(controls).to_be_hidden()


@pytest.mark.parametrize(
    "view",
    ["#step=99999&unit=99999", "#zoom=500_900", "#zoom=-1e9_1e9", "#by=nothing&folded=q.%3Cb%3E&step=-1&zoom=a_b"],
)
def test_a_view_of_places_that_are_not_there_shows_those_that_are(visit, view):
    screen = visit("/" + view)
    assert len(screen.values("f")) == 16
    low, high = screen.page.evaluate("document.querySelector('.sv-scope .sv-graph')._fullLayout.xaxis.range")
    assert -0.5 <= low < high <= 63.5, "the picture is of steps that are not there"
    assert screen.scope.locator(".sv-clock").inner_text().split(" / ")[0] in {str(k) for k in range(64)}
    assert "NaN" not in screen.scope.inner_text()
    assert "undefined" not in screen.scope.inner_text()
    screen.edits(lambda: screen.drag(screen.at("x", 5, 0.9), screen.at("x", 9, 0.9)))


def test_two_people_never_meet(screen, visit):
    other = visit(f"/{LIVING}")
    before, numbers = other.data("drawn"), other.values("h")
    screen.edits(lambda: screen.drag(screen.at("x", 5, 0.9), screen.at("x", 9, 0.9)))
    mine = screen.experiment
    other.edits(lambda: other.example("Latch"))
    assert other.experiment == seqviz.preset("latch")
    assert screen.experiment == mine
    screen.plot.focus()
    screen.edits(lambda: screen.page.keyboard.press("Control+z"))
    assert screen.data("drawn") == before
    assert screen.values("h") == numbers
    assert other.experiment == seqviz.preset("latch"), "one person's undo reached the other"


def tab_to(screen, condition: str, most: int = 60) -> None:
    """Press Tab until the focused element meets a condition."""
    for _ in range(most):
        screen.page.keyboard.press("Tab")
        if screen.page.evaluate(f"() => {{ const node = document.activeElement; return {condition}; }}"):
            return
    pytest.fail(f"Tab never reached what has {condition}")


def test_the_keyboard_alone_reaches_and_changes_everything_in_the_picture(screen):
    keys = screen.page.keyboard
    tab_to(screen, "node.textContent === 'Pin as baseline'")
    outline = screen.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "nothing shows where the focus is"
    screen.redraws(lambda: keys.press("Enter"))
    tab_to(screen, "node.matches('.sv-scope .sv-plot')")
    keys.press("End")
    expect(screen.scope).to_have_attribute("data-step", "63")
    tab_to(screen, "node.matches('.sv-fold[data-signal=i]')")
    screen.redraws(lambda: keys.press("Enter"))
    expect(screen.scope.locator(".sv-fold[data-signal=i]")).to_have_attribute("aria-expanded", "false")
    tab_to(screen, "node.matches('.sv-why-input input')")
    keys.press("Control+a")
    keys.type("0.75")
    screen.edits(lambda: keys.press("Enter"))
    (edit,) = screen.experiment.sequence.edits
    assert (edit.step, edit.feature, edit.value) == (63, 0, 0.75)
    assert screen.data("step") == "63", "typing a number moved the step"


def test_typed_markup_and_emoji_stay_text(screen):
    page = screen.page
    screen.panel("Sequence")
    screen.edits(lambda: screen.choose("Kind", seqviz.sequences.KIND_LABELS["text"]))
    text = "a<script>window.hurt=1</script><img src=x onerror=hurt=1>🙂é b"
    field = page.get_by_label("Text, one character a step")
    field.fill(text)
    screen.edits(lambda: field.press("Control+Enter"))
    assert screen.experiment.sequence.text == text
    assert "".join(screen.scope.locator(".xtick text").all_text_contents()) == text.replace(" ", "␣")
    page.mouse.move(*screen.at("f", text.index("🙂")))
    expect(screen.scope.get_by_role("tooltip")).to_contain_text("“🙂”")
    assert page.evaluate("window.hurt") is None
    assert page.locator(".sv-root script, .sv-root img, [data-testid=stMain] img[src=x]").count() == 0
    screen.panel("Weights")
    screen.choose("Which weights", "from input")
    expect(page.locator(".sv-weights")).to_be_visible()
    assert page.locator(".sv-root script, .sv-root img").count() == 0


BAD_ADDRESSES = {
    "cut short": ("/?e=" + living().to_url()[:20], "The example is shown instead."),
    "markup": ("/?e=%3Cscript%3E", "The example is shown instead."),
    "noise": ("/?e=" + "A" * 400, "The example is shown instead."),
    "bad baseline": ("/?b=nonsense&layer=99", "The baseline is left out."),
}


@pytest.mark.parametrize("case", BAD_ADDRESSES)
def test_a_bad_address_is_answered_with_a_sentence_and_a_picture(visit, case):
    address, says = BAD_ADDRESSES[case]
    screen = visit(address)
    alert = screen.page.locator("[data-testid=stAlert]")
    expect(alert).to_have_count(1)
    expect(alert).to_contain_text(says)
    assert "Traceback" not in alert.inner_text()
    assert len(screen.values("f")) == (16 if "?b=" in address else 2)
    shown = screen.experiment
    assert shown == (living() if "?b=" in address else seqviz.preset("latch")), "the bad address is still in place"
    screen.edits(lambda: screen.drag(screen.at("x", 5, 0.9), screen.at("x", 9, 0.9)))
    expect(alert).to_have_count(0)


def download(screen, act) -> bytes:
    with screen.page.expect_download() as waiting:
        act()
    return Path(waiting.value.path()).read_bytes()


def test_what_is_downloaded_is_what_is_on_the_screen(screen):
    screen.edits(lambda: screen.drag(screen.at("x", 5, 0.9), screen.at("x", 9, 0.9)))
    trace = seqviz.run(screen.experiment)
    screen.panel("Save")
    button = screen.page.get_by_role
    written = pd.read_csv(io.BytesIO(download(screen, button("button", name="Trace as CSV").click)))
    one = written[(written.layer == 0) & (written.signal == "f") & (written.unit == 3)].sort_values("step")
    np.testing.assert_allclose(one.value, trace["l0.f"][:, 0, 3], atol=1e-6)
    archive = download(screen, button("button", name="Trace as npz").click)
    loaded = seqviz.Trace.load(io.BytesIO(archive))
    assert loaded.signals == trace.signals
    np.testing.assert_array_equal(loaded["l0.c"], trace["l0.c"])
    document = download(screen, button("button", name="Experiment as JSON").click)
    assert Experiment.from_json(document.decode()) == screen.experiment
    picture = screen.scope.get_by_label("Save the picture")
    svg = download(screen, lambda: picture.select_option("svg")).decode()
    assert svg.startswith("<svg")
    assert "forget gate" in svg
    png = download(screen, lambda: picture.select_option("png"))
    assert png.startswith(b"\x89PNG")
    assert len(png) > 20_000
    assert screen.data("drawn"), "saving took the picture away"


def test_a_picture_is_saved_as_it_plays(visit):
    screen = visit("/", reduced_motion="reduce")
    gif = download(screen, lambda: screen.scope.get_by_label("Save the picture").select_option("gif"))
    with Image.open(io.BytesIO(gif)) as film:
        assert (film.format, film.n_frames, film.info["loop"]) == ("GIF", 24, 0)
        shown = []
        for k in range(24):
            film.seek(k)
            shown.append(np.asarray(film.convert("RGB"), dtype=int))
            assert film.info["duration"] == (1600 if k == 23 else pytest.approx(1000 / 12, abs=10))
    blue = np.array([int(palettes()["light"]["hues"]["f"][k : k + 2], 16) for k in (1, 3, 5)])
    # The forget gate is open throughout: its row is full up to the chosen step, and veiled behind it.
    full = [(abs(frame - blue).sum(axis=2) < 24).sum() for frame in shown]
    assert full[0] > 100
    assert np.diff(full).min() > 0.5 * full[0]
    assert full[23] == pytest.approx(24 * full[0], rel=0.15)


def test_the_cell_is_saved_with_its_equations_and_what_is_hidden_stays_so(visit):
    screen = visit("/cell#step=3&values=hidden", picture=".sv-cellview", reduced_motion="reduce")
    picture = screen.scope.get_by_label("Save the picture")
    svg = download(screen, lambda: picture.select_option("svg")).decode()
    texts = [re.sub("<[^>]+>", "", text) for text in re.findall(r"<text.*?</text>", svg)]
    assert texts[0] == screen.scope.locator(".sv-headline").text_content()
    assert "ct = ft ⊙ ct−1 + it ⊙ gt" in texts
    assert "= ? × ? = ?" in texts
    assert any("Step 3, unit 0" in text for text in texts)
    assert screen.page.url in "".join(texts).replace("&amp;", "&")
    assert "var(--" not in svg
    assert download(screen, lambda: picture.select_option("png")).startswith(b"\x89PNG")


def test_a_saved_experiment_is_loaded_again_and_a_broken_one_refused(screen, tmp_path):
    wanted = seqviz.preset("counter")
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(wanted.to_json())
    bad.write_text(wanted.to_json()[:-9])
    screen.panel("Save")
    upload = screen.page.locator("input[type=file]")
    screen.edits(lambda: upload.set_input_files(good))
    assert screen.experiment == wanted
    drawn = screen.data("drawn")
    upload.set_input_files(bad)
    expect(screen.page.locator("[data-testid=stAlert]")).to_have_count(1)
    assert screen.experiment == wanted
    assert screen.data("drawn") == drawn


@pytest.mark.parametrize("page", PICTURES)
def test_keys_and_a_clicker_drive_a_page_and_its_lecture_wherever_the_focus_is(visit, page):
    screen = visit(f"/{page}", picture=PICTURES[page])
    press, scrubber = screen.page.keyboard.press, screen.scope.locator(".sv-scrubber")
    play, step = screen.scope.locator(".sv-play"), 0
    assert screen.page.evaluate("document.activeElement === document.body")

    def goes(key: str, by: int = 0) -> None:
        nonlocal step
        press(key)
        step += by
        expect(scrubber).to_have_value(f"{step}")

    goes("Home")  # what plays by itself stops when somebody does something
    expect(play).to_have_attribute("aria-pressed", "false")
    goes("ArrowRight", 1)
    screen.happens(lambda: press(" "), PLAYING)
    press(" ")
    expect(play).to_have_attribute("aria-pressed", "false")
    goes("Home", -step)
    goes("PageDown")  # without a lecture it belongs to the page
    screen.page.locator(".st-key-lecture label").first.click()
    screen.until("() => location.search.includes('lecture=true')")
    screen.rest()
    goes("PageDown", 1)  # the focus is on the switch
    goes("ArrowRight", 1)
    scrubber.focus()
    goes("PageDown", 1)
    goes("PageUp", -1)
    screen.speak("简体中文")
    screen.until("() => location.search.includes('lang=zh') && document.documentElement.lang === 'zh-CN'")
    screen.rest()
    goes("ArrowRight", 1)
    if page == "cell":
        screen.scope.locator(".sv-segment").last.click()
        goes("ArrowRight", 1)
        expect(screen.scope.locator(".sv-segment").last).to_have_attribute("aria-checked", "true")


@pytest.mark.parametrize("page", ["", "cell", "compare"])
def test_another_place_in_the_address_is_gone_to(visit, page):
    screen = visit(f"/{page}#step=5", picture=PICTURES[page])
    clock = screen.scope.locator(".sv-clock")
    expect(clock).to_have_text(re.compile("^5 /"))
    screen.page.evaluate("location.hash = '#step=9&unit=3&as=vectors&by=mean'")
    expect(clock).to_have_text(re.compile("^9 /"))
    if page == "cell":
        expect(screen.scope.get_by_label("unit", exact=True)).to_have_value("3")
        expect(screen.scope.locator(".sv-vecrow").first).to_be_visible()
    elif page == "":
        expect(screen.scope.locator(".sv-why-title")).to_contain_text("unit 3")
        expect(screen.scope.get_by_label("units by")).to_have_value("mean")
    screen.page.go_back()
    expect(clock).to_have_text(re.compile("^5 /"))


def test_playing_goes_on_in_the_other_language(visit):
    screen = visit(f"/cell{LIVING}#step=0", picture=".sv-cellview")
    screen.scope.get_by_label("speed").select_option("4")
    screen.scope.locator(".sv-play").click()
    screen.speak("简体中文")
    expect(screen.scope.locator(".sv-bar")).to_contain_text("上一部分")
    expect(screen.scope.locator(".sv-play")).to_have_attribute("aria-pressed", "true")
    step = int(screen.scope.locator(".sv-scrubber").input_value())
    screen.until("(step) => +document.querySelector('.sv-scrubber').value > step", step)


@pytest.mark.parametrize(
    "written", ["![x](http://example.com/a.png)", "www.example.com a@example.com", "<b>x</b> $x$ :red[x] **x**"]
)
def test_what_an_address_says_is_not_read_as_markup(visit, written):
    document = Experiment(interventions=(seqviz.Ablate("l0.f"),)).to_json().replace("l0.f", written)
    packed = base64.urlsafe_b64encode(zlib.compress(document.encode())).rstrip(b"=").decode()
    warning = visit(f"/?e={packed}").page.get_by_test_id("stAlert")
    expect(warning).to_contain_text("There is no signal")
    assert written in warning.inner_text().replace("\u2060", "")
    expect(warning.locator("a, img, b, strong, .katex, [style*=color]")).to_have_count(0)


def test_on_a_phone_the_menus_close_sign_closes_it_and_nothing_else(visit):
    phone = visit(f"/{LIVING}", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = phone.page
    page.get_by_test_id("stExpandSidebarButton").tap()
    close = page.get_by_test_id("stSidebarCollapseButton").get_by_role("button")
    expect(close).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".st-key-switches")).to_be_hidden()
    close.tap()
    expect(page.get_by_test_id("stExpandSidebarButton")).to_be_visible()
    expect(page.locator(".st-key-switches")).to_be_visible()
    phone.rest()
    assert "lecture" not in page.url


KEEPS = """async () => {
  document.cookie = "kept=1";
  for (const kept of [localStorage, sessionStorage]) kept.setItem("kept", "1");
  const opening = indexedDB.open("kept", 1);
  await new Promise((resolve) => { opening.onsuccess = resolve; });
}"""
FINDS = """async () => [
  document.cookie, localStorage.length, sessionStorage.length, (await indexedDB.databases()).length,
]"""


def test_the_next_person_finds_nothing_of_the_last(browser, server):
    """One browser context serves one test after another."""
    context = browser.new_context()
    last, following = context.new_page(), context.new_page()
    last.goto(f"{server}/_stcore/health")
    last.evaluate(KEEPS)
    last.close()
    forget(following, server)
    following.goto(f"{server}/_stcore/health")
    assert following.evaluate(FINDS) == ["", 0, 0, 0]
    context.close()
