"""A browser that trusts nothing: whatever goes wrong in a page, or leaves this machine, fails the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from driving import LIVING, Screen
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from watching import PATIENCE, forget, watch

PLAYWRIGHTS = (
    "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,"
    "LensOverlay,MediaRouter,PaintHolding,ThirdPartyStoragePartitioning,AvoidCorsURLLoaderRestartOnRedirect,"
    "OptimizationHints,NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch"
)
"""What Playwright leaves out of Chromium: a second list stands in its list's place."""
POPUPS = "WebUIOmniboxAimPopup,WebUIOmniboxPopup,WebUIOmniboxFullPopup,PreloadTopChromeWebUI"
"""Pages of the address bar, which nobody sees here: every page would load them too, a fifth of its time."""
FLAGS = [
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    f"--disable-features={PLAYWRIGHTS},{POPUPS}",
]

expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What was waited for in vain, on a machine that others use too, is waited for once more; the report says so.

    A number or a text that is wrong at once is wrong.
    """
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=["TimeoutError", "Locator expected"]))


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One Chromium for the whole run."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def bare_page(browser: Browser, server: str) -> Iterator[Page]:
    """A page of the app's own origin with nothing on it, from which its modules can be imported."""
    wrong: list[str] = []
    context = browser.new_context()
    page = context.new_page()
    watch(page, wrong)
    page.goto(f"{server}/_stcore/health")
    yield page
    context.close()
    assert not wrong, wrong


@pytest.fixture(scope="session")
def kept(browser: Browser) -> Iterator[list[BrowserContext]]:
    """Contexts that one test after another uses, so that what every page loads is fetched once."""
    contexts: list[BrowserContext] = []
    yield contexts
    for context in contexts:
        context.close()


GIVEN_LATER = {"viewport", "color_scheme", "reduced_motion"}
"""What a page can be given when its context stands already."""


@pytest.fixture
def visit(browser: Browser, server: str, kept: list[BrowserContext]) -> Iterator[Callable[..., Screen]]:
    """Open the app at an address, as a new person: ``visit("/?e=…", color_scheme="dark")``.

    Every person of a test has another context, with nothing in it but the app's own files.
    """
    people: list[BrowserContext] = []
    wrong: list[str] = []

    def new_person(options: dict[str, Any]) -> Page:
        if options.keys() <= GIVEN_LATER:
            number = sum(context in kept for context in people)
            if number == len(kept):
                kept.append(browser.new_context())
            people.append(kept[number])
        else:
            people.append(browser.new_context(**options))
        people[-1].set_default_timeout(PATIENCE)
        page = people[-1].new_page()
        if people[-1] in kept:
            forget(page, server)
            page.set_viewport_size(options.pop("viewport"))
            page.emulate_media(**options)
        return page

    def open_(
        address: str = "/", *, picture: str = ".sv-scope", wait: bool = True, at: str = server, **options: Any
    ) -> Screen:
        page = new_person({"viewport": {"width": 1280, "height": 900}, **options})
        watch(page, wrong)
        screen = Screen(page, at, picture)
        screen.go(address, wait=wait)
        return screen

    yield open_
    for context in people:
        if context in kept:
            for page in context.pages:
                page.close()
        else:
            context.close()
    assert not wrong, wrong


@pytest.fixture
def screen(visit: Callable[..., Screen]) -> Screen:
    """The gates page with a network of 16 units and random weights on a wave, drawn."""
    return visit(f"/{LIVING}")


@pytest.fixture
def cell(visit: Callable[..., Screen]) -> Screen:
    """The cell page of that network, at the first step of the first unit, drawn."""
    return visit(f"/cell{LIVING}#step=0", picture=".sv-cellview")
