"""What the messages of what stands beside a picture say, the examples, a lesson's rail and maps, field by field.

:mod:`seqviz.scope.headers` gathers them with the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

__all__ = [
    "GalleryHeader", "Layer", "LessonChoice", "LessonGuess", "LessonHeader", "LessonKnob", "LessonSpot", "LessonTask",
    "MapAxis", "MapHeader", "Thumbnail",
]  # fmt: skip


class Layer(TypedDict):
    """A part of a small picture: bars or a line of one list of values, or a heatmap of several, from `low` to `high`.

    `top` and `height` are shares of the picture; `line` is a place among the palette's lines.
    """

    kind: Literal["bars", "line", "heat"]
    values: Sequence[Sequence[float]]
    low: float
    high: float
    top: float
    height: float
    line: NotRequired[int]


class Thumbnail(TypedDict):
    """An example: its key, what it is called and claims, and a small picture of its numbers."""

    name: str
    title: str
    line: str
    layers: Sequence[Layer]


class GalleryHeader(TypedDict):
    """Examples to choose from; `lit` is on the screen."""

    panel: Literal["gallery"]
    id: str
    heading: str
    strip: bool
    entries: Sequence[Thumbnail]
    lit: str | None


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
    """A step of a lesson: no picture, but what is said beside one. `steps` are open, done, or have nothing to do.

    `opened` names one opening of the lesson: what is still on its way when that is left is drawn nowhere.
    """

    panel: Literal["lesson"]
    id: str
    opened: str
    title: str
    at: int
    steps: Sequence[str]
    says: Sequence[Any]
    guess: LessonGuess | None
    task: LessonTask | None
    trains: str
    note: Sequence[Any]
    changed: bool
    elsewhere: bool
    spot: LessonSpot
    address: str
    fields: Sequence[str]


class MapAxis(TypedDict):
    """A setting that a map runs through: what it is called, in full and beside a number, how many decimals its values
    have, and where the network on the screen lies."""

    label: str
    short: str
    digits: int
    here: float | None


class MapHeader(TypedDict):
    """Maps of vanishing, as far as they are measured: ``NET.mean``, ``NET.low``, ``NET.high`` ``(rows, columns)``; NaN
    is no number, or none yet. `up`: what runs upwards in each. `levels`: the contours, half and none last.
    """

    panel: Literal["map"]
    id: str
    nets: Sequence[str]
    x: MapAxis
    y: MapAxis
    up: Mapping[str, str]
    columns: int
    rows: int
    reach: float
    levels: Sequence[float]
    says: str
    about: str
