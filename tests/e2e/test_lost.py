"""A page whose session was replaced goes on by itself: the server was started again under it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from driving import HAPPENED, LIVING, PICTURES, Screen
from playwright.sync_api import Browser, expect
from watching import PATIENCE

from seqviz.experiment import Experiment, Sequence
from seqviz.sequences import KIND_LABELS
from seqviz.ui.bench import start

pytestmark = pytest.mark.browser

STATE = "() => document.querySelector('[data-testid=stApp]').dataset.testConnectionState"


@pytest.fixture
def open_at(browser: Browser) -> Iterator[Callable[..., Screen]]:
    """Open an address of a server that may go away: what the console says of that is not the page's fault."""
    contexts = []

    def open_(server: str, address: str, picture: str) -> Screen:
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 900}))
        contexts[-1].set_default_timeout(PATIENCE)
        page = contexts[-1].new_page()
        errors: list[Any] = []
        page.on("pageerror", lambda error: errors.append(error))
        screen = Screen(page, server, picture)
        screen.errors = errors
        screen.go(address)
        return screen

    yield open_
    for context in contexts:
        context.close()


def down(server: Any, *screens: Screen) -> None:
    server.stop()
    for screen in screens:
        screen.until(f"() => ({STATE})() !== 'CONNECTED'")


def up(server: Any, *screens: Screen, says: str = "set up anew") -> None:
    """Start the server again: every page says so of itself, for some seconds."""
    for screen in screens:
        screen.watch_for(f"() => document.querySelector('.sv-notice')?.textContent.includes('{says}')")
    server.start()
    for screen in screens:
        screen.until(f"() => ({STATE})() === 'CONNECTED'")
        screen.until(HAPPENED)
        screen.rest()


def restart(server: Any, *screens: Screen) -> None:
    down(server, *screens)
    up(server, *screens)


LEFT = """() => {
  window.dispatchEvent(new Event("pagehide"));
  return sessionStorage.getItem("seqviz.unheard");
}"""
"""What a page that is left would send again."""


def stroke(screen: Screen, step: int) -> None:
    screen.drag(screen.at("x", step, 0.9), screen.at("x", step + 4, 0.9))


def steps(screen: Screen) -> set[int]:
    experiment = screen.experiment
    return {edit.step for edit in experiment.sequence.edits} if experiment else set()


def test_gates_go_on_and_strokes_made_meanwhile_are_sent_again(lost, open_at):
    screen = open_at(lost.address, f"/{LIVING}", ".sv-scope")
    screen.edits(lambda: stroke(screen, 5))
    first = steps(screen)
    down(lost, screen)
    stroke(screen, 20)
    stroke(screen, 40)
    assert steps(screen) == first, "a stroke was heard without a server"
    up(lost, screen, says="set up anew from its address. 2 changes were sent again")
    screen.until("() => document.querySelector('.sv-scope').dataset.drawn && location.search.includes('e=')")
    expected = {*range(5, 10), *range(20, 25), *range(40, 45)}
    screen.becomes(lambda: steps(screen), expected)
    screen.rest()
    assert steps(screen) == expected
    stroke(screen, 50)
    stroke(screen, 56)
    screen.page.reload()  # before the address says so
    screen.becomes(lambda: steps(screen), expected | {*range(50, 55), *range(56, 61)})
    screen.rest()
    screen.edits(lambda: screen.example("Latch"))
    screen.becomes(lambda: screen.page.evaluate(LEFT), None)
    assert not screen.errors


OWN: dict[str, Callable[[Screen], Any]] = {
    "cell": lambda s: s.page.locator(".st-key-switches .st-key-lecture label").click(),
    "compare": lambda s: s.choose("Kind", KIND_LABELS["square"]),
    "gradients": lambda s: s.example("Explodes"),
}


def test_every_page_goes_on(lost, open_at):
    screens = {page: open_at(lost.address, f"/{page}", PICTURES[page]) for page in OWN}
    restart(lost, *screens.values())
    for page, screen in screens.items():
        before = screen.page.url
        OWN[page](screen)
        screen.until("(before) => location.href !== before", before)
        assert not screen.errors, page


def test_networks_in_training_are_there_again_and_learn_on(lost, open_at):
    screen = open_at(lost.address, "/training?task=order&recipe=LSTM,+forget+bias+1&seed=5", PICTURES["training"])
    page, clock = screen.page, screen.page.locator(".sv-learning .sv-clock")
    page.get_by_role("button", name="Train", exact=True).click()
    screen.until("() => +(document.querySelector('.sv-learning .sv-clock')?.textContent.slice(5) ?? 0) > 0")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".sv-learning .sv-status")).to_contain_text("Stopped.")
    expect(page.get_by_role("button", name="Train on")).to_be_visible()
    screen.rest()
    kept(screen, "run")
    says, step, address = page.locator(".sv-learning .sv-status").inner_text(), clock.inner_text(), page.url
    restart(lost, screen)
    expect(page.locator(".sv-learning .sv-status")).to_have_text(says)
    expect(clock).to_have_text(step)
    expect(page).to_have_url(address)
    page.reload()
    expect(clock).to_have_text(step)
    expect(page.get_by_role("spinbutton", name="Seed", exact=True)).to_have_value("5")
    page.get_by_role("button", name="Train on").click()
    screen.until("(was) => document.querySelector('.sv-learning .sv-clock')?.textContent !== was", step)
    assert not screen.errors


def test_a_network_and_its_data_are_there_again(lost, open_at, tmp_path):
    torch.manual_seed(0)
    torch.save(torch.nn.LSTM(1, 3, 2).state_dict(), tmp_path / "mine.pt")
    (tmp_path / "rain.csv").write_text("rain,wind\n" + "".join(f"{k % 3},{k % 5}\n" for k in range(30)), "utf-8")
    screen = open_at(lost.address, "/your_network", PICTURES["your_network"])
    page, place = screen.page, screen.page.locator("input[type=file]")
    screen.edits(lambda: place.nth(0).set_input_files(tmp_path / "mine.pt"))
    screen.edits(lambda: place.nth(1).set_input_files(tmp_path / "rain.csv"))
    screen.edits(lambda: page.get_by_text("Layer 2", exact=True).click())
    kept(screen, "net")
    kept(screen, "data")
    numbers, address = screen.values("h"), page.url
    restart(lost, screen)
    screen.until("() => document.querySelector('.sv-scope')?.dataset.drawn")
    screen.rest()
    assert screen.values("h") == numbers
    page.reload()
    expect(page.get_by_text("mine.pt")).to_be_visible()
    screen.until("() => document.querySelector('.sv-scope')?.dataset.drawn")
    screen.rest()
    assert screen.values("h") == numbers
    expect(page).to_have_url(address)
    screen.edits(lambda: page.get_by_text("Layer 1", exact=True).click())
    assert screen.values("h") != numbers
    assert not screen.errors


def test_two_restarts_in_a_row_and_what_the_address_holds_is_there(lost, open_at):
    screen = open_at(lost.address, "/gradients", ".sv-flow")
    screen.edits(lambda: screen.example("Explodes"))
    held = screen.experiment
    other = open_at(lost.address, f"/{LIVING}", ".sv-scope")
    for strokes in ([], [5, 20]):
        down(lost, screen, other)
        for step in strokes:
            stroke(other, step)
        if strokes:
            left = other.page.url
            other.page.goto("about:blank")  # while nobody is there to hear it
        up(lost, screen)
        screen.page.evaluate("() => document.querySelector('.sv-notice')?.click()")  # it goes by itself, too
        expect(screen.page.locator(".sv-notice")).to_have_count(0)
    assert screen.experiment == held
    expect(screen.page.locator(".sv-card").filter(has_text="Explodes")).to_have_attribute("aria-pressed", "true")
    screen.edits(lambda: screen.example("Forget bias rescues it"))
    screen.becomes(lambda: screen.experiment, None)
    other.go(left)
    other.becomes(lambda: steps(other), {*range(5, 10), *range(20, 25)})
    assert not other.errors


@pytest.fixture
def long_one() -> Experiment:
    """More numbers than an address holds."""
    values = np.random.default_rng(0).normal(size=(1500, 3)).round(3)
    return Experiment(input_size=3, hidden_size=8, sequence=Sequence.of_values(values))


def load(screen: Screen, tmp_path: Any, experiment: Experiment) -> None:
    file = tmp_path / "long.json"
    file.write_text(experiment.to_json())
    screen.panel("Save")
    screen.edits(lambda: screen.page.locator("input[type=file]").set_input_files(file))


def kept(screen: Screen, name: str = "e") -> str:
    """Wait until the browser keeps what the address names."""
    screen.until(
        """async (name) => {
      const marked = new URLSearchParams(location.search).get(name);
      if (!marked?.startsWith("~")) return false;
      const base = await new Promise((resolve) => {
        const opening = indexedDB.open("seqviz", 1); opening.onsuccess = () => resolve(opening.result); });
      if (!base.objectStoreNames.length) return false;
      const got = base.transaction("experiments").objectStore("experiments").get(marked.slice(1));
      return new Promise((resolve) => { got.onsuccess = () => { base.close(); resolve(!!got.result); }; });
    }""",
        name,
    )
    return screen.data("drawn")


def test_what_is_too_long_for_an_address_survives_a_reload_and_a_restart(lost, open_at, tmp_path, long_one):
    screen = open_at(lost.address, "/", ".sv-scope")
    load(screen, tmp_path, long_one)
    drawn, numbers, held = kept(screen), screen.values("h"), screen.page.url
    assert len(held) < 200
    screen.page.reload()
    expect(screen.scope).to_have_attribute("data-drawn", drawn)
    down(lost, screen)
    lost.start()
    screen.go(held)
    assert screen.values("h") == numbers
    expect(screen.page).to_have_url(held)
    expect(screen.page.locator(".st-key-controls")).to_contain_text("This browser keeps it")
    screen.rest()
    screen.edits(lambda: stroke(screen, 50))
    kept(screen)
    screen.picture = ".sv-cellview"
    screen.go(screen.page.url.replace("/?", "/cell?"))
    expect(screen.page.locator(".stMain")).to_contain_text("/ 1499")
    assert not screen.errors


def test_another_browser_says_that_it_has_not_kept_it(lost, open_at, tmp_path, long_one):
    screen = open_at(lost.address, "/", ".sv-scope")
    load(screen, tmp_path, long_one)
    kept(screen)
    address = screen.page.url
    screen.page.close()
    lost.stop()
    lost.start()
    other = open_at(lost.address, address, ".sv-scope")
    expect(other.page.locator("[data-testid=stAlert]")).to_contain_text("this browser has not kept it")
    assert other.experiment == start()
