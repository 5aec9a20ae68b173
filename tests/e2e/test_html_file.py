"""A picture in a file of its own: opened from the disk, with the network cut, it answers keys and the pointer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, Page, expect
from watching import watch

import seqviz
from seqviz.language import speaking
from seqviz.scope import of_trace
from seqviz.scope.hosts.html import page as html

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def trace() -> seqviz.Trace:
    torch.manual_seed(0)
    return seqviz.capture(torch.nn.LSTM(2, 4), torch.randn(12, 1, 2))


@pytest.fixture
def file(trace, tmp_path: Path) -> Path:
    path = tmp_path / "a picture.html"
    path.write_text(html(of_trace(trace), "An LSTM in a file"), encoding="utf-8")
    return path


@pytest.fixture
def opened(browser: Browser, file: Path):
    """The file as somebody without a network opens it; nothing may go wrong in it, nor be asked for."""
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900})
    wrong: list[str] = []
    page = context.new_page()
    watch(page, wrong)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    expect(page.locator(".sv-scope[data-drawn]")).to_be_visible()
    yield page
    context.close()
    assert not [each for each in wrong if "asked another machine: file:" not in each], wrong
    assert {url.split("#")[0] for url in asked if not url.startswith(("data:", "blob:"))} == {file.as_uri()}


def test_every_row_is_drawn_and_the_numbers_are_the_traces(opened: Page, trace) -> None:
    expect(opened.locator(".sv-head")).to_have_count(7)
    expect(opened.get_by_role("heading", name="An LSTM in a file")).to_be_visible()
    opened.keyboard.press("ArrowRight")
    opened.keyboard.press("ArrowRight")
    expect(opened.locator(".sv-clock")).to_have_text("2 / 11")
    forget = float(trace["l0.f"][2, 0, 0])
    cells = opened.locator(".sv-table tbody tr").filter(has_text="forget gate").locator("td")
    expect(cells.nth(1)).to_have_text(f"{forget:.3f}")


def test_the_pointer_reads_a_value_and_a_click_chooses_it(opened: Page, trace) -> None:
    graph = opened.locator(".sv-graph")
    box = graph.bounding_box()
    # The first line of the second row, the forget gate's, at step 5.
    across, down = graph.evaluate(
        "({ _fullLayout: { xaxis, yaxis2 } }) => [xaxis._offset + xaxis.l2p(5), yaxis2._offset + 3]"
    )
    opened.mouse.move(box["x"] + across, box["y"] + down)
    expect(opened.locator(".sv-tip")).to_contain_text(f"{float(trace['l0.f'][5, 0, 0]):.4f}")
    opened.mouse.down()
    opened.mouse.up()
    expect(opened.locator(".sv-scope")).to_have_attribute("data-step", "5")


def test_the_view_stands_in_the_address_and_comes_back(opened: Page) -> None:
    opened.locator(".sv-plot").press("End")
    opened.locator(".sv-fold[data-signal=g]").click()
    expect(opened.locator(".sv-fold[data-signal=g]")).to_have_attribute("aria-expanded", "false")
    expect(opened).to_have_url(re.compile(r"#step=11&folded=g$"))
    opened.reload()
    expect(opened.locator(".sv-scope[data-drawn]")).to_be_visible()
    expect(opened.locator(".sv-clock")).to_have_text("11 / 11")
    expect(opened.locator(".sv-fold[data-signal=g]")).to_have_attribute("aria-expanded", "false")


def test_what_nobody_could_answer_is_not_offered(opened: Page) -> None:
    for name in ("Undo the last change (Ctrl+Z)", "Pin as baseline", "Inside the cell"):
        expect(opened.get_by_role("button", name=name)).to_be_hidden()
    expect(opened.get_by_role("spinbutton")).to_be_disabled()


def test_it_plays_and_is_saved_as_a_picture(opened: Page) -> None:
    opened.get_by_label("speed").select_option("60")
    opened.keyboard.press(" ")
    expect(opened.locator(".sv-clock")).to_have_text("11 / 11")
    with opened.expect_download() as saved:
        opened.get_by_label("Save the picture").select_option("svg")
    assert "forget gate" in Path(saved.value.path()).read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_follows_the_readers_colours_and_speaks_its_language(browser: Browser, trace, tmp_path, scheme) -> None:
    path = tmp_path / "zh.html"
    with speaking("zh"):
        path.write_text(html(of_trace(trace), "LSTM"), encoding="utf-8")
    context = browser.new_context(offline=True, color_scheme=scheme)
    page = context.new_page()
    page.goto(path.as_uri())
    expect(page.locator(".sv-scope[data-drawn]")).to_contain_text("遗忘门")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    dark = page.locator(".sv-scope").evaluate("root => root.classList.contains('sv-dark')")
    assert dark == (scheme == "dark")
    context.close()
