"""The picture of the rooms says what the code does."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
spec = importlib.util.spec_from_file_location("architecture", ROOT / "tools" / "architecture.py")
architecture = importlib.util.module_from_spec(spec)
spec.loader.exec_module(architecture)


def test_the_picture_is_the_codes():
    known = architecture.PICTURE.read_text(encoding="utf-8")
    assert known == architecture.drawing(), "run: python tools/architecture.py"


def test_every_module_has_a_room():
    modules = {path.relative_to(ROOT).with_suffix("").parts for path in (ROOT / "seqviz").rglob("*.py")}
    homeless = {parts[1] for parts in modules if len(parts) > 1 and not architecture.room_of(".".join(parts))}
    assert homeless <= {"__init__"}, "name their room in tools/architecture.py"


def test_imports_go_down_the_picture():
    up = {(a, b) for a, b in architecture.edges() if architecture._row(a) >= architecture._row(b)}
    assert up == set()


def test_what_is_left_out_is_reached_another_way():
    every, kept = architecture.edges(), architecture._longest(architecture.edges())
    reach: dict[str, set[str]] = {}
    for rooms in reversed(architecture.ROWS):
        for room in rooms:
            direct = {b for a, b in kept if a == room}
            reach[room] = direct.union(*(reach[b] for b in direct))
    assert all(b in reach[a] for a, b in every)
    assert kept < every


def test_it_can_be_read_on_light_and_dark_pages():
    text = architecture.PICTURE.read_text(encoding="utf-8")
    assert "prefers-color-scheme:dark" in text
    assert len(re.findall("<rect", text)) == len(architecture.SAYS)
