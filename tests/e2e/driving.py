"""How a test drives the scope: every wait is for something that the page says of itself."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, TimeoutError, WebSocket, expect

from seqviz.experiment import Experiment
from seqviz.ui.bench import drawn

__all__ = ["HAPPENED", "LIVING", "PICTURES", "PLAYING", "Screen", "living", "number"]

PICTURES = {
    "": ".sv-scope",
    "cell": ".sv-cellview",
    "compare": ".sv-flow",
    "gradients": ".sv-flow",
    "training": ".sv-scope",
    "your_network": ".sv-scope",
}
"""The first picture of every page, by the page's address."""


HAPPENED = "() => window.happened"
PLAYING = "() => !!document.querySelector('.sv-play[aria-pressed=true]')"


def living() -> Experiment:
    """A network whose gates move: 16 units and random weights, on a wave of 64 steps."""
    return drawn("LSTM")


LIVING = f"?e={living().to_url()}"


def number(text: str) -> float:
    """A number as it stands on a page."""
    return float(text.replace("−", "-"))


class Screen:
    """One person's page."""

    def __init__(self, page: Page, server: str, picture: str = ".sv-scope") -> None:
        self.page = page
        self.picture = picture
        self.server = server
        self.sent: list[Any] = []
        page.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: self.sent.append(frame))

    def go(self, address: str, *, wait: bool = True) -> None:
        """Open an address of the app, and wait until the picture stands."""
        self.page.goto(self.server + address if address.startswith("/") else address)
        if wait:
            expect(self.scope).to_have_attribute("data-drawn", _ANY)
            self.rest()

    # --- what the page says of itself ---------------------------------------------------------------

    @property
    def scope(self) -> Locator:
        return self.page.locator(self.picture)

    @property
    def plot(self) -> Locator:
        return self.scope.locator(".sv-plot")

    def data(self, name: str) -> str:
        """One of the scope's data attributes, or nothing."""
        return self.scope.get_attribute(f"data-{name}") or ""

    @property
    def experiment(self) -> Experiment | None:
        """What the address says is on the screen; None where it says nothing, the example."""
        code = parse_qs(urlsplit(self.page.url).query).get("e")
        return Experiment.from_url(code[0]) if code else None

    def until(self, script: str, arg: Any = None) -> None:
        """Wait until a condition holds in the page; it is asked at every frame."""
        self.page.wait_for_function(script, arg=arg)

    def still_finds(self, script: str, arg: Any = None) -> list[Any]:
        """What a script still finds in the page when that had time to go: nothing, or what never goes."""
        with suppress(TimeoutError):
            self.page.wait_for_function(f"(arg) => !({script})(arg).length", arg=arg, timeout=20_000)
            return []  # asking again could meet what is drawn next, on its way
        return self.page.evaluate(script, arg)

    def becomes(self, read: Callable[[], Any], wanted: Any) -> None:
        """Wait until what is read from here is as wanted; it is read at every frame."""
        end = time.monotonic() + 60
        while (found := read()) != wanted and time.monotonic() < end:
            self.page.evaluate("() => new Promise(requestAnimationFrame)")
        assert found == wanted

    def happens(self, act: Callable[[], Any], script: str) -> None:
        """Do something, and wait until a condition held in the page since: it may be over by then."""
        self.watch_for(script)
        act()
        self.until(HAPPENED)

    def watch_for(self, script: str) -> None:
        """Note in the page, from now on, when a condition holds there: then HAPPENED does from then on."""
        self.page.evaluate(_WATCH % script)

    def resize(self, width: int, height: int) -> None:
        """Give the window another size, and wait until the picture has been drawn at it."""
        if self.page.viewport_size == {"width": width, "height": height}:
            return
        drawn = self.data("redraws")
        self.page.set_viewport_size({"width": width, "height": height})
        if self.scope.locator(".sv-graph").count():  # else the browser alone lays it out
            expect(self.scope).not_to_have_attribute("data-redraws", drawn)
        self.frames()
        self.rest()

    def recolour(self, scheme: str) -> None:
        """Wish for light or dark, and wait until Streamlit and the pictures have it."""
        self.page.emulate_media(color_scheme=scheme)
        self.until(_COLOURED, scheme == "dark")
        self.rest()

    def rest(self) -> None:
        """Wait until Streamlit has nothing left to do, and Plotly has drawn what was painted meanwhile."""
        self.until(_AT_REST)

    def frames(self) -> None:
        """Let pass what the browser does by its next frames."""
        self.page.evaluate(_FRAMES)

    def redraws(self, act: Callable[[], Any]) -> None:
        """Do something that draws the picture anew, and wait until that has been done and all is quiet."""
        before = int(self.data("redraws") or 0)
        act()
        self.until("([p, n]) => +(document.querySelector(p)?.dataset.redraws ?? 0) > n", [self.picture, before])
        self.rest()

    def edits(self, act: Callable[[], Any]) -> str:
        """Do something that changes the experiment; the new drawing's id."""
        before = self.data("drawn")
        act()
        expect(self.scope).not_to_have_attribute("data-drawn", before)
        self.rest()
        return self.data("drawn")

    # --- places ---------------------------------------------------------------------------------------

    def at(self, signal: str, step: float, share: float = 0.5) -> tuple[float, float]:
        """The pixel of a step in a row; `share` runs down from the top of the row to its foot."""
        return tuple(self.page.evaluate(_PLACE, [self.picture, signal, step, share]))

    def drag(self, *path: tuple[float, float], release: bool = True, steps: int = 6) -> None:
        """Press at the first point, move through the others."""
        mouse = self.page.mouse
        mouse.move(*path[0])
        mouse.down()
        for point in path[1:]:
            mouse.move(*point, steps=steps)
        if release:
            mouse.up()

    def values(self, signal: str) -> list[list[float]]:
        """The numbers in the picture of one heatmap row, units down, steps across."""
        return self.page.evaluate(_NUMBERS, signal)

    def worth(self, signal: str) -> float:
        """The number that stands at the right end of a row, of the chosen unit at the step under the cursor."""
        heads = self.scope.locator(".sv-fold").evaluate_all("(all) => all.map((b) => b.dataset.signal)")
        return number(self.scope.locator(".sv-end-value").nth(heads.index(signal)).inner_text().removeprefix("+"))

    def panel(self, name: str, called: str = "") -> None:
        """Open one of the panels beside the picture, by what it is `called` there, and wait until it is there."""
        self.page.get_by_test_id("stButtonGroup").get_by_role("radio", name=called or name, exact=True).click()
        expect(self.page.locator(_PANELS[name])).to_be_visible()
        self.rest()

    def choose(self, label: str, option: str) -> None:
        """Choose an option of one of Streamlit's select boxes."""
        self.page.get_by_role("combobox", name=label).click()
        self.page.get_by_role("option", name=option, exact=True).click()
        self.rest()

    def example(self, name: str) -> None:
        """Choose one of the examples by what it is called."""
        self.page.locator(".sv-gallery").get_by_role("button", name=name).click()

    def speak(self, name: str) -> None:
        """Choose a language at the top of the page, by its own name."""
        self.page.locator(".st-key-language button").click()
        self.page.get_by_role("menuitem", name=name, exact=True).click()

    def cell(self, matrix: Locator, row: int, col: int, rows: int, cols: int) -> tuple[float, float]:
        """The pixel of one weight's cell."""
        return tuple(matrix.locator(".sv-graph").evaluate(_CELL, [(row + 0.5) / rows, (col + 0.5) / cols]))


_PANELS = {
    "Sequence": ".st-key-seq-kind",
    "Network": ".st-key-net-hidden",
    "Weights": ".sv-weights[data-drawn]",
    "What if": ".st-key-whatif-add",
    "Save": ".st-key-save-load",
}
"""One thing that only this panel holds."""

_ANY = re.compile(".+")

_WATCH = """() => {
  window.happened = false;
  const ask = () => { if ((%s)()) window.happened = true; else requestAnimationFrame(ask); };
  ask();
}"""

_FRAMES = "async () => { for (let k = 0; k < 3; k++) await new Promise(requestAnimationFrame); }"

_COLOURED = """(dark) => {
  const [red] = getComputedStyle(document.querySelector("[data-testid=stApp]")).backgroundColor.match(/\\d+/g);
  const roots = [...document.querySelectorAll(".sv-root:is(.sv-timed, .sv-why)")];
  return red < 128 === dark && roots.every((root) => root.classList.contains("sv-dark") === dark);
}"""

_AT_REST = """() => document.querySelector("[data-testid=stApp]")?.dataset.testScriptState === "notRunning"
  && [...document.querySelectorAll(".sv-scope")]
    .every(({ dataset: { previews, rested } }) => (previews ?? rested) === rested)
  && !document.querySelector(".sv-weights[data-resting]")"""

_PLACE = """([picture, signal, step, share]) => {
  const plot = document.querySelector(`${picture} .sv-plot`);
  const heads = [...plot.querySelectorAll(".sv-fold")].map((b) => b.dataset.signal);
  const graph = plot.querySelector(".js-plotly-plot, .sv-graph");
  const layout = graph._fullLayout;
  const k = heads.indexOf(signal);
  const axis = layout[k ? `yaxis${k + 1}` : "yaxis"];
  const box = plot.getBoundingClientRect();
  return [box.left + layout.xaxis._offset + layout.xaxis.l2p(step), box.top + axis._offset + share * axis._length];
}"""

_NUMBERS = """(signal) => {
  const plot = document.querySelector(".sv-scope .sv-plot");
  const k = [...plot.querySelectorAll(".sv-fold")].findIndex((b) => b.dataset.signal === signal);
  const graph = plot.querySelector(".js-plotly-plot, .sv-graph");
  const found = graph.data.filter((t) => (t.yaxis ?? "y") === (k ? `y${k + 1}` : "y"));
  return found.flatMap((t) => (t.z ? [...t.z] : [t.y])).map((line) => [...line]);
}"""

_CELL = """(graph, [down, across]) => {
  const { xaxis, yaxis } = graph._fullLayout;
  const box = graph.getBoundingClientRect();
  return [box.left + xaxis._offset + across * xaxis._length, box.top + yaxis._offset + down * yaxis._length];
}"""
