"""What travels to the pictures has the same fields, with the same types, in Python and in the scripts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, NotRequired, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from seqviz.scope import headers

SCRIPT = Path(headers.__file__).with_name("web") / "headers.js"
PYTHON = {name: found for name, found in vars(headers).items() if is_typeddict(found)}
PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", NoneType: "null", Any: "any"}
TYPEDEF = re.compile(r"/\*\*(?:(?!\*/).)*?@typedef \{object\} (\w+)\n((?:(?!\*/).)*?)\*/", re.DOTALL)
PROPERTY = re.compile(r"@property \{(.+)\} (\[?)(\w+)(\]?)$", re.MULTILINE)


def spelled(annotation: Any) -> str:
    """A type of Python's as JSDoc has it; what need not be there is told by the brackets of its name, not here."""
    if annotation in PLAIN:
        return PLAIN[annotation]
    if is_typeddict(annotation):
        return annotation.__name__
    origin, given = get_origin(annotation), get_args(annotation)
    if origin is NotRequired:
        return spelled(given[0])
    if origin is Literal:
        return " | ".join(f'"{word}"' for word in given)
    if origin is UnionType:
        return " | ".join(map(spelled, given))
    if origin is Mapping:
        return f"Record<{spelled(given[0])}, {spelled(given[1])}>"
    assert origin is Sequence, f"no spelling for {annotation}"
    return f"{spelled(given[0])}[]"


def declared(text: str) -> dict[str, dict[str, tuple[str, bool]]]:
    """Every typedef of an object in a script: its properties' types, and whether they are always there."""
    found = {}
    for name, body in TYPEDEF.findall(text):
        assert body.count("@property") == len(PROPERTY.findall(body)), f"{name} has a line that cannot be read"
        found[name] = {field: (kind, not opened) for kind, opened, field, _ in PROPERTY.findall(body)}
    return found


JAVASCRIPT = declared(SCRIPT.read_text(encoding="utf-8"))


def test_both_sides_know_the_same_messages():
    assert sorted(JAVASCRIPT) == sorted(PYTHON) == sorted(headers.__all__)


@pytest.mark.parametrize("name", sorted(PYTHON))
def test_the_fields_of_both_sides_are_the_same(name):
    hints = get_type_hints(PYTHON[name], include_extras=True)
    assert JAVASCRIPT[name] == {
        field: (spelled(kind), get_origin(kind) is not NotRequired) for field, kind in hints.items()
    }
