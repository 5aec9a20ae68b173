"""What is watched in a page while a test drives it, how long it is waited for, and what is left of it after."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, WebSocket
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

__all__ = ["PATIENCE", "forget", "watch"]

HERE = {"localhost", "127.0.0.1"}
PATIENCE = 60_000
"""Milliseconds that a wait may take on a busy machine before it counts as never."""


def watch(page: Page, wrong: list[str]) -> None:
    """Write down whatever goes wrong in a page, or leaves this machine."""
    page.on("pageerror", lambda error: wrong.append(f"an error in the page: {error}"))
    page.on("console", lambda said: wrong.extend(_complaint(said)))
    page.on("request", lambda asked: wrong.extend(_abroad(asked.url)))
    page.on("websocket", lambda socket: _listen(socket, wrong))


def forget(page: Page, origin: str) -> None:
    """Take away what a browser keeps for an origin: cookies, storage, databases."""
    session = page.context.new_cdp_session(page)
    session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
    session.detach()


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
