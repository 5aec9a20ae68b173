"""What the message of a lesson's rail says, field by field; :mod:`seqviz.scope.headers` gathers it with the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypedDict

__all__ = ["LessonChoice", "LessonGuess", "LessonHeader", "LessonKnob", "LessonSpot", "LessonTask"]


class LessonSpot(TypedDict):
    """Where a lesson's step wants to be looked at; `light` and `cover` name rows or curves."""

    key: str
    step: int | None
    unit: int | None
    part: int | None
    light: Sequence[str]
    cover: Sequence[str]
    play: bool


class LessonChoice(TypedDict):
    """An answer to a guess. Texts are elements: a text, or a list of the tag, an address and what is in it."""

    says: Sequence[Any]
    reply: Sequence[Any]
    right: bool | None
    picked: bool


class LessonGuess(TypedDict):
    """A question, and whether it was answered."""

    asks: Sequence[Any]
    choices: Sequence[LessonChoice]
    answered: bool


class LessonKnob(TypedDict):
    """A number that a task leaves free."""

    name: str
    value: float | None


class LessonTask(TypedDict):
    """Something to do, and what was measured of the setting on the page."""

    does: Sequence[Any]
    hint: Sequence[Any]
    measured: str
    says: str
    passed: bool
    knobs: Sequence[LessonKnob]
    draws: bool


class LessonHeader(TypedDict):
    """A step of a lesson: no picture, but what is said beside one. `steps` are open, done, or have nothing to do."""

    panel: Literal["lesson"]
    id: str
    title: str
    at: int
    steps: Sequence[str]
    says: Sequence[Any]
    guess: LessonGuess | None
    task: LessonTask | None
    note: Sequence[Any]
    changed: bool
    elsewhere: bool
    spot: LessonSpot
    address: str
    fields: Sequence[str]
