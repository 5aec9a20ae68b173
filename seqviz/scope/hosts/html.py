"""The scope as one file: a double click opens it, without a server or a network, and it can still be stepped."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Any

from seqviz.figures import theme
from seqviz.language import tr
from seqviz.scope.bundle import WEB, bundled
from seqviz.scope.library import library
from seqviz.scope.message import header_of

__all__ = ["page"]

_PAGE = """\
<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
<main class="sv-root"><noscript>{without}</noscript></main>
<script id="message" type="text/plain">{message}</script>
<script>{plotly}</script>
<script type="module">{script}</script>
</body>
</html>
"""

_START = """
const root = document.querySelector(".sv-root");
root.replaceChildren();
scope.open(root, document.querySelector("#message").textContent, globalThis.Plotly);
"""

_STYLE = """
:root {{ color-scheme: light dark; {light} }}
@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}
body {{ margin: 0; padding: 1rem 1.5rem 3rem; background: var(--sv-paper); color: var(--sv-ink);
  font-family: var(--sv-font); }}
h1 {{ font-size: var(--sv-t3, 18px); margin: 0 0 .75rem; }}
"""


def page(message: bytes, title: str) -> str:
    """A page of HTML with one picture in it, complete: scripts, Plotly, numbers. Some 1.4 MB.

    It answers the keyboard and the pointer as in the app, asks nothing of any server, and needs none: its policy
    (``Content-Security-Policy``) forbids it. What would change the run is not offered, as nobody could compute it.

    Args:
        message: of a picture, as :func:`seqviz.scope.of_trace` makes one.
        title: what stands above it and in the window's title.

    Returns:
        HTML, to be written as UTF-8.

    Raises:
        ValueError: the bytes are no message.
    """
    header = header_of(message)
    script = bundled("hosts/html.js", "scope") + _START
    parts = [_inside(library().plain.decode()), _inside(script)]
    hashes = " ".join(f"'sha256-{_digest(part)}'" for part in parts)
    return _PAGE.format(
        lang=escape(header["language"]),
        policy=f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:",
        title=escape(title),
        style=_style(header["palettes"]),
        without=escape(tr("This picture is drawn by a script, and scripts are switched off here.")),
        message=base64.b64encode(message).decode(),
        plotly=parts[0],
        script=parts[1],
    )


def _style(palettes: dict[str, Any]) -> str:
    variables = {
        name: "; ".join(f"--sv-{key}: {palette[key]}" for key in ("paper", "ink")) for name, palette in palettes.items()
    }
    fonts = f"; --sv-font: {theme.FONT}; --sv-mono: {theme.MONO}"
    own = _STYLE.format(light=variables["light"] + fonts, dark=variables["dark"])
    return theme.css() + (WEB / "scope.css").read_text(encoding="utf-8") + own


def _inside(script: str) -> str:
    """A script as it may stand in a page: nothing in it ends the element or begins a comment."""
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
