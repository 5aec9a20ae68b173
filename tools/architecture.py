"""Draw ``docs/architecture.svg``: the rooms of seqviz, and which of them import which, read from the code.

``python tools/architecture.py`` writes it anew; a test fails when it no longer says what the code does. A row imports
from the rows below it. Of two ways from one room to another, only the longer is drawn.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Final

__all__ = ["PICTURE", "drawing", "edges", "room_of"]

ROOT: Final = Path(__file__).parents[1]
PICTURE: Final = ROOT / "docs" / "architecture.svg"

ROWS: Final = (
    ("app and pages",),
    ("ui",),
    ("hosts", "lessons"),
    ("scope", "training"),
    ("figures",),
    ("comparison",),
    ("tasks", "gradients"),
    ("capture",),
    ("networks",),
    ("trace",),
    ("reading", "telling"),
    ("experiment",),
    ("cells",),
    ("words",),
)
"""The rooms from what a person sees down to what nothing stands below."""

SAYS: Final = {
    "app and pages": "controls, then one call",
    "ui": "everything that imports Streamlit",
    "hosts": "Streamlit, a notebook, one file",
    "lessons": "lessons as data, checked",
    "figures": "arrays in, Plotly figures out",
    "scope": "a run as a message, and scripts",
    "tasks": "what a network learns",
    "training": "checkpoints, one after another",
    "telling": "numbers into sentences",
    "capture": "hooks on anybody's module",
    "gradients": "the way back",
    "comparison": "networks judged: memory, doctor",
    "trace": "what a run produced",
    "networks": "instrumented modules",
    "reading": "tables, text, network files",
    "experiment": "the value on the screen",
    "cells": "what a recurrent cell is",
    "words": "language, catalogues, checks",
}

MEMBERS: Final = {
    "language": "words", "locale": "words", "checks": "words", "counted": "words", "kept": "words",
    "patience": "words",
    "indexing": "words", "vocabulary": "cells", "sequences": "experiment", "weights": "networks", "runner": "capture",
    "metrics": "trace", "overview": "trace", "folders": "trace", "checkpoints": "training", "memory": "comparison",
    "trials": "comparison",
    "doctor": "comparison", "looked": "comparison", "aims": "comparison", "command": "hosts", "batches": "reading",
}  # fmt: skip
"""Modules that have no folder of their own, by the room that they belong to."""

WIDTH, HEIGHT, ACROSS, DOWN = 236, 44, 262, 70


def room_of(module: str) -> str | None:
    """The room of a module by its dotted name; None for what is not ours."""
    parts = module.split(".")
    if parts[0] in ("app", "pages"):
        return "app and pages"
    if parts[0] != "seqviz" or len(parts) == 1:
        return None
    if parts[1:3] == ["scope", "hosts"]:
        return "hosts"
    return parts[1] if parts[1] in SAYS else MEMBERS.get(parts[1])


def _imported(path: Path) -> Iterable[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def edges() -> set[tuple[str, str]]:
    """Every pair of rooms of which the first imports the second."""
    found = set()
    files = [*(ROOT / "seqviz").rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "app.py"]
    for path in files:
        here = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
        for module in _imported(path) if here else ():
            there = room_of(module)
            if there and there != here:
                found.add((here, there))
    return found


def _longest(found: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Without those that a longer way stands for; a pair that imports each other is kept."""
    down = {pair for pair in found if _row(pair[0]) < _row(pair[1])}
    below: dict[str, set[str]] = {}
    for rooms in reversed(ROWS):
        for room in rooms:
            direct = {b for a, b in down if a == room}
            below[room] = direct | {c for b in direct for c in below[b]}
    kept = {(a, b) for a, b in down if not any(b in below[c] for d, c in down if d == a and c != b)}
    return kept | (found - down)


def _row(room: str) -> int:
    return next(k for k, rooms in enumerate(ROWS) if room in rooms)


def _places() -> dict[str, tuple[float, float]]:
    """The middle of each room's box."""
    wide = max(map(len, ROWS)) * ACROSS
    return {
        room: (wide / 2 + (i - (len(rooms) - 1) / 2) * ACROSS, 36 + k * DOWN)
        for k, rooms in enumerate(ROWS)
        for i, room in enumerate(rooms)
    }


def drawing() -> str:
    """The picture as SVG, readable on paper and on a dark page."""
    at = _places()
    wide, tall = max(map(len, ROWS)) * ACROSS, len(ROWS) * DOWN
    lines = []
    for a, b in sorted(_longest(edges())):
        (x, y), (u, v) = at[a], at[b]
        if _row(a) < _row(b):
            top, end = y + HEIGHT / 2, v - HEIGHT / 2 - 3
            bend = (end - top) / 2
            way = f"M{x:g} {top:g} C{x:g} {top + bend:g} {u:g} {end - bend:g} {u:g} {end:g}"
        else:
            side = 1 if u > x else -1
            way = f"M{x + side * WIDTH / 2:g} {y:g} L{u - side * (WIDTH / 2 + 3):g} {v:g}"
        lines.append(f'<path d="{way}"><title>{escape(a)} imports {escape(b)}</title></path>')
    boxes = [
        f'<g><rect x="{x - WIDTH / 2:g}" y="{y - HEIGHT / 2:g}" width="{WIDTH}" height="{HEIGHT}" rx="7"/>'
        f'<text x="{x:g}" y="{y - 4:g}" class="name">{escape(room)}</text>'
        f'<text x="{x:g}" y="{y + 14:g}">{escape(SAYS[room])}</text></g>'
        for room, (x, y) in at.items()
    ]
    style = (
        "svg{color-scheme:light dark;font:13px system-ui,sans-serif;text-anchor:middle}"
        "text{fill:#1b2029}.name{font-weight:600;font-size:15px}"
        "rect{fill:#f4f5f8;stroke:#7a8290}path{fill:none;stroke:#7a8290;stroke-width:1.4;marker-end:url(#tip)}"
        "marker path{fill:#7a8290;stroke:none;marker-end:none}"
        "@media(prefers-color-scheme:dark){text{fill:#e8eaf0}rect{fill:#1d222c;stroke:#8b93a3}"
        "path{stroke:#8b93a3}marker path{fill:#8b93a3}}"
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {tall}" role="img" '
            'aria-label="The rooms of seqviz; an arrow goes from what imports to what is imported">',
            f"<style>{style}</style>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            'orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>',
            *lines,
            *boxes,
            "</svg>",
            "",
        ]
    )


if __name__ == "__main__":
    PICTURE.write_text(drawing(), encoding="utf-8")
    print(PICTURE.relative_to(ROOT))
