"""The app in a page of another site, as a course page shows it, in a browser that keeps third-party cookies back."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import torch
from playwright.sync_api import Browser, FrameLocator, expect
from torch import nn
from watching import PATIENCE, watch

import seqviz
from seqviz.experiment import Experiment, Sequence
from seqviz.lessons.shipped import FOLDER
from seqviz.ui.training_choices import OWN

pytestmark = pytest.mark.browser

LESSON = next(iter(sorted(FOLDER.glob("*.yaml"))))


@pytest.fixture
def course(server: str, tmp_path: Path) -> Iterator[str]:
    """A page of another site than 127.0.0.1, where the app is."""
    frame = f'<iframe src="{server}/" style="border: 0; width: 100%; height: 880px"></iframe>'
    (tmp_path / "course.html").write_text(f'<link rel="icon" href="data:,">{frame}', encoding="utf-8")
    with ThreadingHTTPServer(("localhost", 0), partial(Quiet, directory=tmp_path)) as host:
        Thread(target=host.serve_forever, daemon=True).start()
        yield f"http://localhost:{host.server_port}/course.html"
        host.shutdown()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing is written to the terminal."""


@pytest.fixture
def framed(browser: Browser, course: str) -> Iterator[FrameLocator]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    wrong: list[str] = []
    watch(page, wrong)
    control = context.new_cdp_session(page)
    control.send("Network.enable")
    control.send(
        "Network.setCookieControls",
        {
            "enableThirdPartyCookieRestriction": True,
            "disableThirdPartyCookieMetadata": True,
            "disableThirdPartyCookieHeuristics": True,
        },
    )
    page.goto(course)
    yield page.frame_locator("iframe")
    context.close()
    assert not wrong, wrong


def file(name: str, content: bytes | str) -> dict[str, object]:
    data = content.encode() if isinstance(content, str) else content
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def network() -> bytes:
    stream = io.BytesIO()
    torch.save(nn.GRU(2, 5).state_dict(), stream)
    return stream.getvalue()


def run() -> bytes:
    stream = io.BytesIO()
    seqviz.capture(nn.GRU(2, 5), torch.randn(30, 1, 2)).save(stream)
    return stream.getvalue()


def test_whatever_can_be_brought_arrives(framed):
    """Every place that takes a file, on every page."""
    app, picture = framed.locator(".stApp"), framed.locator(".sv-scope")
    experiment = Experiment(sequence=Sequence("sine", 33)).to_json()

    def panel(name: str) -> None:
        framed.get_by_test_id("stButtonGroup").get_by_role("radio", name=name, exact=True).click()

    def bring(place: str, *files: dict[str, object]) -> None:
        framed.locator(f"{place} input[type=file]").set_input_files(files)

    panel("Save")
    bring(".st-key-save-load", file("saved.json", experiment))
    expect(picture).to_contain_text("33 steps")
    panel("Sequence")
    framed.locator(".st-key-own-open summary").click()
    bring(".st-key-own-file", file("own.csv", "load\n" + "".join(f"{k % 5}\n" for k in range(21))))
    expect(picture).to_contain_text("21 steps")
    framed.locator(".st-key-lessons button").click()
    bring("[role=dialog]", file("mine.yaml", LESSON.read_bytes()))
    expect(framed.get_by_role("dialog")).to_contain_text("Its address holds the whole lesson")
    framed.get_by_role("dialog").get_by_label("Close").click()
    framed.get_by_role("link", name="Your network").click()
    bring(".st-key-yours-network", file("mine.pt", network()))
    bring(".st-key-yours-data", file("own.csv", "a,b\n" + "".join(f"{k % 5},{k % 3}\n" for k in range(40))))
    expect(picture).to_contain_text("40 steps")
    bring(".st-key-yours-network", file("run.npz", run()))
    expect(picture).to_contain_text("30 steps")
    framed.get_by_role("link", name="Training").click()
    framed.locator(".st-key-train-load-open summary").click()
    bring(".st-key-train-load", file("saved.json", experiment))
    expect(framed.locator(".st-key-train-load")).to_contain_text("saved.json")
    for task, field, name in (("own_text", "textfile", "mine.txt"), ("own_series", "csv", "own.csv")):
        framed.get_by_role("combobox", name="Task").click()
        framed.get_by_role("option", name=OWN[task]).click()
        bring(f".st-key-train-{field}", file(name, "0.5\n0.25\n0.75\n0.125\n" * 100))
        expect(framed.get_by_role("button", name="Train", exact=True)).to_be_visible()
    expect(app).not_to_contain_text("Error")
