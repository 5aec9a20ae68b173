"""Take the pictures that links are shown with, a lecture's view of every page and lesson: ``python tools/cards.py``."""

from __future__ import annotations

import os
import sys
import time
import urllib.request
from contextlib import closing, contextmanager
from io import BytesIO
from socket import socket
from subprocess import Popen
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from seqviz.lessons import shipped
from seqviz.networks.presets import preset
from seqviz.ui.preview import CARDS, PAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["cards"]

WINDOW = {"width": 1400, "height": 735}
SIZE = (1200, 630)
COLOURS = 128
LATCH = f"&e={preset('latch').to_url()}#step=9"
AT = {"gates": LATCH, "cell": LATCH, "compare": "#step=12"}
"""What of a page is shown, where that is not what it opens on."""
REST = """() => document.querySelector("[data-testid=stApp]")?.dataset.testScriptState === "notRunning"
  && document.querySelector(".sv-timed[data-drawn], .sv-why")"""


@contextmanager
def _app() -> Iterator[str]:
    with closing(socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", "--server.headless=true"]
    app = Popen(command)
    try:
        while True:
            time.sleep(0.2)
            try:
                urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=5)
                break
            except OSError:
                continue
        yield f"http://localhost:{port}"
    finally:
        app.terminate()


def _taken(page: Page, address: str) -> Image.Image:
    page.goto(address)
    page.wait_for_function(REST, timeout=60_000)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1000)
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)
    return picture.quantize(COLOURS, dither=Image.Dither.NONE)


def cards() -> None:
    """Write all of them."""
    CARDS.mkdir(exist_ok=True)
    wanted = {name: f"{'' if name == 'gates' else name}?lecture=true{AT.get(name, '')}" for name in PAGES}
    for number, lesson in enumerate(shipped(), start=1):
        first = lesson.steps[0].page
        wanted[lesson.id] = f"{'' if first == 'gates' else first}?lesson={number}&lecture=true"
    with _app() as server, sync_playwright() as playwright:
        program = os.environ.get("SEQVIZ_CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for name, address in wanted.items():
            context = browser.new_context(viewport=WINDOW, color_scheme="light", reduced_motion="reduce", locale="en")
            _taken(context.new_page(), f"{server}/{address}").save(CARDS / f"{name}.png", optimize=True)
            context.close()
        browser.close()


if __name__ == "__main__":
    cards()
