"""A browser that trusts nothing: whatever goes wrong in a page, or leaves this machine, fails the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from driving import LIVING, Screen
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, WebSocket, expect, sync_playwright
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
HERE = {"localhost", "127.0.0.1"}
PATIENCE = 60_000
"""Milliseconds that a wait may take on a busy machine before it counts as never."""

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One Chromium for the whole run; every test has a context of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, "--no-first-run"])
        yield browser
        browser.close()


def watch(page: Page, wrong: list[str]) -> None:
    """Write down whatever goes wrong in a page, or leaves this machine."""
    page.on("pageerror", lambda error: wrong.append(f"an error in the page: {error}"))
    page.on("console", lambda said: wrong.extend(_complaint(said)))
    page.on("request", lambda asked: wrong.extend(_abroad(asked.url)))
    page.on("websocket", lambda socket: _listen(socket, wrong))


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


@pytest.fixture
def visit(browser: Browser, server: str) -> Iterator[Callable[..., Screen]]:
    """Open the app at an address, as a new person: ``visit("/?e=…", color_scheme="dark")``."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def open_(
        address: str = "/", *, picture: str = ".sv-scope", wait: bool = True, at: str = server, **options: Any
    ) -> Screen:
        options = {"viewport": {"width": 1280, "height": 900}, **options}
        context = browser.new_context(**options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        watch(page, wrong)
        screen = Screen(page, at, picture)
        screen.go(address, wait=wait)
        return screen

    yield open_
    for context in contexts:
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


def _complaint(said: ConsoleMessage) -> list[str]:
    if said.type != "error":
        return []
    return [f"on the console: {said.text} ({said.location['url']})"]


def _listen(socket: WebSocket, wrong: list[str]) -> None:
    wrong.extend(_abroad(socket.url))
    socket.on("framereceived", lambda frame: wrong.extend(_reference(frame)))


def _reference(frame: bytes | str) -> list[str]:
    """Streamlit's client may have dropped what a reference refers to, and gives up when it has."""
    message = ForwardMsg.FromString(frame) if isinstance(frame, bytes) else ForwardMsg()
    return ["a reference to an earlier message"] if message.WhichOneof("type") == "ref_hash" else []


def _abroad(url: str) -> list[str]:
    parts = urlsplit(url)
    if parts.scheme in ("data", "blob", "about") or parts.hostname in HERE:
        return []
    return [f"asked another machine: {url}"]
