"""What the app's web server does beside Streamlit's own part: how it starts, a few answers, and headers.

``streamlit run app.py`` finds ``st.App(…, **serving(…))`` there and serves it.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import AsyncIterator, Iterable
from functools import cache
from html import escape
from pathlib import Path
from threading import Thread
from typing import Any, Final

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.formparsers import MultiPartParser
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config, file_util
from streamlit.runtime import Runtime
from streamlit.runtime.pages_manager import PagesManager

from seqviz.checks import shown
from seqviz.language import preferred, speaking, tr
from seqviz.lessons import shipped
from seqviz.scope.hosts.streamlit.tab import code_of
from seqviz.scope.library import FOLDER, address, library
from seqviz.ui.preview import card, preview
from seqviz.ui.sent import FOREVER, Files

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]

__all__ = ["raise_file_limit", "serving"]

UPLOADS: Final = 64 * 2**20
"""Bytes of uploads that one session may hold; the oldest make room. A page reads a file as soon as it is there."""

FILES: Final = (65_536, 10_240, 4096)
"""Open files that are asked for, the first that is granted: a kept session holds three, and a class has many."""

FEW: Final = 1024
"""Open files that are too few for a class that reloads its pages."""

SPARE: Final = 24
"""Open files that those who are there need at the most: a picture, a style, an upload."""

# Any page may frame the app (a course page does); nothing is loaded from elsewhere.
_POLICY: Final = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "media-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "connect-src": "'self' ws: wss: data: blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "*",
}
HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Content-Security-Policy": "; ".join(f"{what} {where}" for what, where in _POLICY.items()),
}
_UPLOAD: Final = re.compile(r"/_stcore/upload_file/(?P<session>[^/]+)/[^/]+$")
_CARDS: Final = {"Cache-Control": "public, max-age=86400"}

# Streamlit's client looks for its server below the address of a page first, and meets a 404 there. It is told.
_WHERE: Final = """<script>
  { const root = location.origin + location.pathname.replace(/\\/(%s)?\\/?$/, "/");
    window.__streamlit = { BACKEND_BASE_URL: root, MAIN_PAGE_BASE_URL: root }; }
</script>"""


async def _send_plotly(request: Request) -> Response:
    file = library()
    if request.path_params["digest"] != file.digest:
        return PlainTextResponse("not found", 404)
    headers = {**FOREVER, "Vary": "Accept-Encoding"}
    kind = "text/javascript"
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return Response(file.zipped, headers=headers | {"Content-Encoding": "gzip"}, media_type=kind)
    return Response(file.plain, headers=headers, media_type=kind)


async def _session(request: Request) -> Response:
    """Whether a session is the one at the other end of some browser's line; a browser asks about its own."""
    here = Runtime.exists() and Runtime.instance().is_active_session(request.path_params["session"])
    return PlainTextResponse("here" if here else "gone", headers={"Cache-Control": "no-store"})


async def _kept(request: Request) -> Response:
    """An experiment that is too long for an address, for the browser that keeps it."""
    code = code_of(request.path_params["digest"])
    return PlainTextResponse(code or "not found", 200 if code else 404, FOREVER if code else None)


def raise_file_limit() -> None:
    """Let this process have as many files open as the system lets it: many shells begin with 256 or 1,024.

    Where it lets it have too few for a class, one sentence in the terminal says so.
    """
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for files in FILES:  # macOS has a limit of its own below the hard one
        wanted = files if hard == resource.RLIM_INFINITY else min(files, hard)
        if soft == resource.RLIM_INFINITY or soft >= wanted:
            break
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    if soft != resource.RLIM_INFINITY and soft < FEW:
        said = tr(
            "This shell lets a program have {files:,} files open, enough for some {people:,} people at once. For more: "
            "ulimit -n 4096, before the app is started.",
            files=soft, people=soft // 4,
        )  # fmt: skip
        print(said, file=sys.stderr)


def _crowded() -> bool:
    """Whether another visitor, who takes four open files, would leave too few for those who are there.

    Sessions that are kept for people who left, or who loaded their page anew, make room first, the oldest first.
    """
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0] if resource is not None else FEW
    if not 0 < soft < FEW or not Path("/dev/fd").is_dir():
        return False
    spare = soft - len(list(Path("/dev/fd").iterdir()))
    if spare < SPARE and Runtime.exists():
        sessions: Any = getattr(Runtime.instance(), "_session_mgr", None)
        for kept in getattr(getattr(sessions, "_session_storage", None), "list", list)():
            if spare >= 2 * SPARE:
                break
            sessions.close_session(kept.session.id)
            spare += 3
    return spare < SPARE


def _make_room(scope: Scope, *, arrived: bool = False) -> None:
    """Let go of a session's oldest uploads, where another one is on its way and would be too much with them.

    Those that come side by side do not see each other on their way: room is made again when each has `arrived`.
    """
    found = _UPLOAD.search(scope["path"])
    if scope["method"] != "PUT" or found is None or not Runtime.exists():
        return
    files: Any = Runtime.instance().uploaded_file_mgr
    held = getattr(files, "file_storage", {}).get(session := found["session"], {})
    coming = Headers(scope=scope).get("content-length", "")
    known = coming.isdecimal() and len(coming) < 12
    room = UPLOADS if arrived else UPLOADS - (int(coming) if known else UPLOADS)
    total = sum(len(record.data) for record in held.values())
    for name, record in list(held.items()):
        if total <= max(0, room):
            break
        files.remove_file(session, name)
        total -= len(record.data)


@contextlib.asynccontextmanager
async def _life(app: st.App) -> AsyncIterator[None]:
    raise_file_limit()
    Thread(target=shipped, name="lessons", daemon=True).start()  # read before somebody asks
    yield


def serving(pages: Iterable[str]) -> dict[str, Any]:
    """What ``st.App`` needs beside the script: the first of `pages` is at the root, each other at its name."""
    # Before the first visit: two that come at once would else meet the flag halfway, and one skip the app.
    PagesManager.uses_pages_directory = False
    # Streamlit holds an upload in memory anyway: it does not go through a file first, for which there may be no room.
    MultiPartParser.spool_max_size = (config.get_option("server.maxUploadSize") + 1) * 2**20
    first, *others = pages
    base = (config.get_option("server.baseUrlPath") or "").strip("/")
    root = f"/{base}" if base else ""

    async def index(request: Request) -> Response:
        if _crowded():
            with speaking(preferred(request.headers.get("accept-language", ""))):
                says = tr("There are as many people here as this server has room for; come again in a while.")
            return PlainTextResponse(says, 503, {"Retry-After": "60", "Cache-Control": "no-store"})
        asked = request.url.path.rpartition("/")[2]
        page = asked if asked in others else first
        cards = f"{request.url.scheme}://{request.url.netloc}{root}/{FOLDER}/cards"
        accepted = request.headers.get("accept-language", "")
        told = await run_in_threadpool(preview, page, request.query_params, accepted, cards)
        text = _index("|".join(others)).replace("</head>", told + "</head>", 1)
        return HTMLResponse(text, headers={"Cache-Control": "no-cache", "Vary": "Accept-Language"})

    async def send_card(request: Request) -> Response:
        file = card(request.path_params.get("name", first))
        return FileResponse(file, headers=_CARDS) if file else PlainTextResponse("not found", 404)

    async def to_root(request: Request) -> Response:  # said relatively: a proxy may have taken a prefix away
        return RedirectResponse("./" + (f"?{query}" if (query := request.url.query) else ""))

    routes = [
        Route(f"{root}/{FOLDER}/plotly-{{digest}}.min.js", _send_plotly),
        Route(f"{root}/{FOLDER}/kept/{{digest}}", _kept),
        Route(f"{root}/{FOLDER}/card.png", send_card),  # where links from before look for the only one there was
        Route(f"{root}/{FOLDER}/cards/{{name}}.png", send_card),
        Route(f"{root}/{FOLDER}/session/{{session}}", _session),
        Route(f"{root}/{first}", to_root),
        Route(f"{root}/", index),
        *(Route(f"{root}/{name}", index) for name in others),
    ]
    return {"routes": routes, "middleware": [Middleware(_Around, root=root, pages=(first, *others))], "lifespan": _life}


@cache
def _index(pages: str) -> str:
    """Streamlit's own page, told where its server is; what it is called is left to what is told of the link."""
    text = (Path(file_util.get_static_dir()) / "index.html").read_text(encoding="utf-8")
    text = re.sub("<title>.*?</title>", "", text, count=1)
    return text.replace("<script", (_WHERE % pages) + "\n    <script", 1)


def _up(path: str, root: str) -> str:
    """The way from a path to the app's root: a proxy may have taken a prefix away that the browser has."""
    return "./" + "../" * (path.removeprefix(root).count("/") - 1)


class _Around:
    """Headers for every answer, and a sentence for whoever asks for a page that is not there."""

    def __init__(self, app: ASGIApp, root: str, pages: tuple[str, ...]) -> None:
        self.app, self.root, self.pages = app, root, pages
        self.files = Files(root)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and _crowded():
            await receive()
            await send({"type": "websocket.close", "code": 1013})  # try again later
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        _make_room(scope)
        answer = self._nowhere(scope) or self.files.answer(scope) or self.app
        try:
            await answer(scope, receive, headed)
        finally:
            _make_room(scope, arrived=True)

    def _nowhere(self, scope: Scope) -> Response | None:
        """The answer to who asks for what is elsewhere, or for a page of the app that does not exist."""
        path: str = scope["path"]
        if path.endswith("/bidi-components/seqviz.scope/plotly.min.js"):  # where it used to lie
            return RedirectResponse(f"{_up(path, self.root)}{address()}")
        place = path.removeprefix(self.root).strip("/")
        if place in self.pages and path.endswith("/"):
            query = scope["query_string"].decode("latin-1")
            return RedirectResponse(f"../{place}" + (f"?{query}" if query else ""))
        headers = Headers(scope=scope)
        asks = scope["method"] in ("GET", "HEAD") and "text/html" in headers.get("accept", "")
        if not asks or not path.startswith(self.root) or "." in place or place in ("", *self.pages):
            return None
        if place.split("/")[0] in ("_stcore", "media", "component", "static", "app", FOLDER):
            return None
        with speaking(preferred(headers.get("accept-language", ""))):
            return HTMLResponse(self._no_page(place, _up(path, self.root)), 404)

    def _no_page(self, place: str, up: str) -> str:
        first, *others = self.pages
        address = {first: up} | {name: f"{up}{name}" for name in others}
        links = [
            f'<a href="{at}">{escape(tr(name.capitalize().replace("_", " ")))}</a>' for name, at in address.items()
        ]
        says = tr("There is no page {name} here. The pages are:", name=shown(place))
        return (
            '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            "<style>body { font: 18px/1.6 sans-serif; margin: 4rem auto; max-width: 40rem; padding: 0 1rem; "
            "color-scheme: light dark; }</style>"
            f"<title>seqviz</title><p>{escape(says)}<p>{' · '.join(links)}"
        )
