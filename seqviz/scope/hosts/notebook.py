"""The scope in a cell of a notebook, through anywidget: ``pip install seqviz[notebook]``.

>>> from seqviz.scope.hosts.notebook import widget
>>> widget(seqviz.scope.of_trace(trace))
"""

from __future__ import annotations

from functools import cache
from typing import Any

from seqviz.figures import theme
from seqviz.language import tr
from seqviz.scope.bundle import WEB, bundled
from seqviz.scope.library import library
from seqviz.scope.message import header_of

try:
    import anywidget
    import traitlets
except ImportError:  # an extra: widget() says so
    anywidget = None  # type: ignore[assignment, unused-ignore]

__all__ = ["widget"]

_STYLE = """
.sv-root {{ color-scheme: light; padding: .5rem; background: var(--sv-paper); {base}
  --sv-paper: var(--jp-layout-color0, var(--vscode-editor-background, #fff));
  --sv-ink: var(--jp-ui-font-color0, var(--vscode-editor-foreground, #1b2029)); }}
.sv-root.sv-dark {{ color-scheme: dark; }}
"""


def widget(message: bytes) -> Any:
    """A message of a picture as a widget; what it shows is the value of its cell.

    Its ``message`` can be set to another one, which is drawn in place. The view is not kept with the notebook: for
    that see :func:`seqviz.scope.hosts.html.page`.

    Args:
        message: of a picture, as :func:`seqviz.scope.of_trace` makes one.

    Raises:
        ImportError: anywidget is not installed.
        ValueError: the bytes are no message.
    """
    if anywidget is None:
        raise ImportError(tr("A picture in a notebook needs anywidget: pip install anywidget"))
    header_of(message)
    return _kind()(message=message)


@cache
def _kind() -> type[Any]:
    """The class of the widgets, whose scripts a notebook is sent once."""
    plotly = library().plain.decode()
    # Plotly first and once a page, in a scope of its own: it names itself on what it finds as `this`.
    own = f"globalThis.Plotly ??= (() => {{ {plotly}; return Plotly; }})();\n"
    script = own + bundled("hosts/notebook.js", "scope")
    base = f"--sv-font: {theme.FONT}; --sv-mono: {theme.MONO};"
    style = theme.css().replace(":root", ".sv-root") + (WEB / "scope.css").read_text(encoding="utf-8")
    return type(
        "Scope",
        (anywidget.AnyWidget,),
        {
            "__doc__": "A picture of a run.",
            "_esm": script + "\nexport default { render: scope.render };\n",
            "_css": style + _STYLE.format(base=base),
            "message": traitlets.Bytes().tag(sync=True),
            "event": traitlets.Dict().tag(sync=True),
        },
    )
