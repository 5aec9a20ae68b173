"""YAML to plain values, with the line of each; nothing but maps, lists, texts, numbers, true, false and null.

What could keep a computer busy is refused while it is read, event by event: too long a text, nesting too deep, too
many values, names for values (which can multiply), and tags (which can ask for any object).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from os import PathLike
from typing import IO, Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, Event, NodeEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from seqviz.checks import shown
from seqviz.language import tr
from seqviz.lessons.mistakes import LessonError, Mistake
from seqviz.reading.files import bytes_of

__all__ = ["MAX_SIZE", "Lines", "Source", "load"]

MAX_SIZE: Final = 100_000
"""Characters of a lesson."""
MAX_DEPTH: Final = 16
MAX_VALUES: Final = 10_000

Place = tuple[str | int, ...]
Source = str | bytes | PathLike[str] | IO[bytes] | IO[str]


class Lines:
    """The line of every value, by its place: ``("steps", 2, "page")``."""

    def __init__(self) -> None:
        self._at: dict[Place, int] = {(): 1}

    def note(self, place: Place, line: int) -> None:
        """Remember one; a key's line stays when its value is noted."""
        self._at.setdefault(place, line)

    def of(self, place: Iterable[Any]) -> int:
        """The line of a place, or of the innermost one around it that is there."""
        found = tuple(place)
        while found not in self._at:
            found = found[:-1]
        return self._at[found]


def load(text: Source) -> tuple[Any, Lines]:
    """The value of a YAML document, and its lines.

    Raises:
        LessonError: it is no YAML, or more than is taken.
        ValueError: a path that cannot be read, in one sentence.
    """
    if isinstance(text, PathLike) or hasattr(text, "read"):
        text = bytes_of(text, 4 * MAX_SIZE)[0]
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig", errors="replace")
    if not isinstance(text, str):
        raise LessonError([Mistake(1, tr("A lesson must be a text, not {value}.", value=shown(text)))])
    if len(text) > MAX_SIZE:
        raise LessonError([Mistake(1, tr("A lesson may have up to {most:,} characters.", most=MAX_SIZE))])
    if "\ufffd" in text:  # in the place of bytes that are none
        says = tr("The lesson is not UTF-8 text; save it as UTF-8.")
        raise LessonError([Mistake(_line(text, text.index("\ufffd")), says)])
    try:
        _look_through(YAML(typ="safe", pure=True).parse(text))
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise LessonError([Mistake(mark.line + 1 if mark else 1, _unreadable(str(error.problem)))]) from error
    except (YAMLError, ValueError) as error:
        if isinstance(error, LessonError):
            raise
        line = _line(text, getattr(error, "position", 0))
        raise LessonError([Mistake(line, tr("There is a character that cannot stand in YAML."))]) from error
    lines = Lines()
    return (None if node is None else _value(node, (), lines)), lines


def _line(text: str, position: int) -> int:
    return 1 + text.count("\n", 0, position)


def _look_through(events: Iterable[Event]) -> None:
    depth = 0
    for count, event in enumerate(events):
        line = event.start_mark.line + 1
        kind = type(event).__name__
        depth += kind.endswith("StartEvent") - kind.endswith("EndEvent")
        if depth - 2 > MAX_DEPTH:
            raise LessonError([Mistake(line, tr("Lists and maps may lie at most {most} deep.", most=MAX_DEPTH))])
        if count > MAX_VALUES:
            raise LessonError([Mistake(line, tr("A lesson may have up to {most:,} values.", most=MAX_VALUES))])
        if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor is not None):
            raise LessonError([Mistake(line, tr("Names for values (& and *) are not read; write the value again."))])
        if getattr(event, "tag", None) is not None or getattr(event, "ctag", None) is not None:
            raise LessonError([Mistake(line, tr("Tags (!) are not read; a value that begins with ! needs quotes."))])
        if kind == "DocumentStartEvent" and count > 1:
            raise LessonError([Mistake(line, tr("A file is one lesson: there may be no second “---”."))])


def _unreadable(problem: str) -> str:
    if "tab" in problem or "\\t" in problem:
        return tr("There is a tab; YAML wants spaces before a line's first word.")
    if "mapping values are not allowed" in problem:
        return tr(
            "A colon followed by a space is not expected here; a text that has one needs quotes, or stands below >-."
        )
    if "end of stream" in problem or "quoted scalar" in problem:
        return tr("A quote or a bracket is opened and not closed.")
    if "cannot start any token" in problem:
        return tr("A text that begins with @, ` or % needs quotes.")
    if (
        "but found" in problem
        or "but got" in problem
        or "could not find expected ':'" in problem
        or "did not find expected" in problem
    ):
        return tr(
            "The YAML breaks off here: look for a missing colon, comma, bracket or quote, and at the indentation."
        )
    return tr("This is not YAML: look at colons, quotes and the indentation.")


def _value(node: Node, place: Place, lines: Lines) -> Any:
    lines.note(place, node.start_mark.line + 1)
    if isinstance(node, SequenceNode):
        return [_value(item, (*place, k), lines) for k, item in enumerate(node.value)]
    if isinstance(node, MappingNode):
        return _map(node, place, lines)
    return _scalar(node) if isinstance(node, ScalarNode) else None


def _map(node: MappingNode, place: Place, lines: Lines) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, ScalarNode):
            raise LessonError(
                [
                    Mistake(
                        line,
                        tr("A word is expected before a colon; a text that begins with a brace needs quotes."),
                    )
                ]
            )
        name = key.value
        if name in found:
            raise LessonError([Mistake(line, tr("{name} stands here twice.", name=shown(name)))])
        lines.note((*place, name), line)
        found[name] = _value(value, (*place, name), lines)
    return found


def _scalar(node: ScalarNode) -> Any:
    kind, text = str(node.tag).rpartition(":")[2], node.value
    if kind == "bool":
        return text.lower() == "true"
    if kind == "null":
        return None
    if kind in ("int", "float"):
        number = _number(text)
        if number is None:
            line = node.start_mark.line + 1
            raise LessonError([Mistake(line, tr("{value} is not a number that can be read here.", value=shown(text)))])
        return number
    return text


def _number(text: str) -> int | float | None:
    try:
        return int(text) if len(text) < 20 else float(text)
    except ValueError:
        pass
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
