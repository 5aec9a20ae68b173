"""A browser that trusts nothing: whatever goes wrong in a page, or leaves this machine, fails the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from driving import Screen
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

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


@pytest.fixture
def visit(browser: Browser, server: str) -> Iterator[Callable[..., Screen]]:
    """Open the app at an address, as a new person: ``visit("/?e=…", color_scheme="dark")``."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def open_(address: str = "/", *, wait: bool = True, **options: Any) -> Screen:
        options = {"viewport": {"width": 1280, "height": 900}, **options}
        context = browser.new_context(**options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(f"an error in the page: {error}"))
        page.on("console", lambda said: wrong.append(f"on the console: {said.text}") if said.type == "error" else None)
        page.on("request", lambda asked: wrong.extend(_abroad(asked.url)))
        page.on("websocket", lambda socket: wrong.extend(_abroad(socket.url)))
        screen = Screen(page, server)
        screen.go(address, wait=wait)
        return screen

    yield open_
    for context in contexts:
        context.close()
    assert not wrong, wrong


@pytest.fixture
def screen(visit: Callable[..., Screen]) -> Screen:
    """The gates page as a new visitor finds it, drawn."""
    return visit("/")


def _abroad(url: str) -> list[str]:
    parts = urlsplit(url)
    if parts.scheme in ("data", "blob", "about") or parts.hostname in HERE:
        return []
    return [f"asked another machine: {url}"]
