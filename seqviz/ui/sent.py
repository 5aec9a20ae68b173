"""Scripts and styles as a browser gets them: packed once a process, and not sent again where it has them.

Streamlit sends its own as they lie there, which is most of a first visit, and a component's anew at every visit.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import file_util

from seqviz.scope.bundle import WEB

__all__ = ["FOREVER", "Files"]

FOREVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
"""Of a file whose name says what it holds."""

_ASK: Final = {"Cache-Control": "no-cache"}
"""The browser keeps it, and asks at every visit whether it is still so."""

_KINDS: Final = {".js": "text/javascript", ".css": "text/css"}


class _Packed(NamedTuple):
    data: bytes
    tag: str


@lru_cache(1024)
def _packed(file: Path, _changed: int) -> _Packed:
    plain = file.read_bytes()
    return _Packed(gzip.compress(plain, 6, mtime=0), f'W/"{sha256(plain).hexdigest()[:16]}"')


class Files:
    """The files that are sent packed, by their addresses: Streamlit's own scripts, and the pictures'.

    Args:
        root: what stands before every address, empty or ``/name``.
    """

    def __init__(self, root: str) -> None:
        static = Path(file_util.get_static_dir())
        places = {f"{root}/static": (static / "static", FOREVER), _component(root): (WEB, _ASK)}
        self._files: dict[str, tuple[Path, Mapping[str, str]]] = {
            f"{address}/{file.relative_to(folder).as_posix()}": (file, headers)
            for address, (folder, headers) in places.items()
            for file in folder.rglob("*")
            if file.suffix in _KINDS
        }

    def answer(self, scope: Scope) -> ASGIApp | None:
        """What answers a request for one of them; None where Streamlit does."""
        found, headers = self._files.get(scope["path"]), Headers(scope=scope)
        if found is None or scope["method"] != "GET" or not _takes(headers):
            return None
        file, lasting = found

        async def send_it(scope: Scope, receive: Receive, send: Send) -> None:
            packed = await run_in_threadpool(_packed, file, file.stat().st_mtime_ns)
            about = {**lasting, "ETag": packed.tag, "Vary": "Accept-Encoding"}
            if headers.get("if-none-match") == packed.tag:
                answer = Response(status_code=304, headers=about)
            else:
                about["Content-Encoding"] = "gzip"
                answer = Response(packed.data, headers=about, media_type=_KINDS[file.suffix])
            await answer(scope, receive, send)

        return send_it


def _takes(headers: Headers) -> bool:
    """Whether a browser takes it packed and whole. Who asks from another site is Streamlit's to answer."""
    here = urlsplit(headers.get("origin", "")).netloc in ("", headers.get("host"))
    return here and "range" not in headers and "gzip" in headers.get("accept-encoding", "")


def _component(root: str) -> str:
    """Where Streamlit has a browser fetch the scripts of the pictures."""
    return f"{root}/_stcore/bidi-components/seqviz.scope"
