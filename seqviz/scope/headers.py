"""What a picture's message says before its arrays, field by field: the twin of ``web/headers.js``.

A test holds the two files to the same names and types; mypy and tsc hold either side's code to its own file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

from seqviz.cells.cell import CellDescription
from seqviz.scope.beside_headers import (
    GalleryHeader,
    Layer,
    LessonChoice,
    LessonGuess,
    LessonHeader,
    LessonKnob,
    LessonSpot,
    LessonTask,
    MapAxis,
    MapHeader,
    Thumbnail,
)  # fmt: skip

__all__ = [
    "Addressed",
    "ArrayEntry", "CellDescription", "CellHeader", "Curve", "FlowHeader", "FlowRow", "GalleryHeader", "Layer",
    "LearningHeader", "LearningRow", "LessonChoice", "LessonGuess", "LessonHeader", "LessonKnob", "LessonSpot",
    "LessonTask", "LitRow", "MapAxis", "MapHeader", "ModelHeader", "NamedLine", "Packed", "Palette", "Rule",
    "ScopeHeader", "ScopeRow", "SpectrumHeader", "TabHeader", "Tail", "Thumbnail", "Try", "UnrolledHeader",
    "WeightsHeader", "WhyHeader", "WhyNet",
]  # fmt: skip


class Palette(TypedDict):
    """One theme's colours and fonts; scales as Plotly takes them, by signal where signals have their own."""

    paper: str
    well: str
    ink: str
    quiet: str
    rule: str
    changed: str
    font: str
    mono: str
    hues: Mapping[str, str]
    sequential: Mapping[str, Sequence[Any]]
    diverging: Sequence[Any]
    magnitude: Sequence[Any]
    lines: Sequence[str]
    dashes: Sequence[str]


class ArrayEntry(TypedDict):
    """Where an array lies behind the header, and how it is written: ``f4``, or ``u2`` from `low` to `high`."""

    name: str
    shape: Sequence[int]
    type: Literal["f4", "u2"]
    offset: int
    low: NotRequired[float]
    high: NotRequired[float]


class Packed(TypedDict):
    """What every message has beside its own."""

    language: str
    palettes: Mapping[str, Palette]
    arrays: Sequence[ArrayEntry]


class Addressed(TypedDict):
    """What an address says of its page, and all the names that it may use for that."""

    address: str
    fields: Sequence[str]


class Tail(TypedDict):
    """What stands after the arrays: the line between this tab and its session."""

    key: str
    session: str
    load: str | None
    heard: Mapping[str, int]
    keep: Sequence[str]
    wants: Sequence[str]
    place: Addressed | None
    folder: str
    plotly: str


class TabHeader(TypedDict):
    """No picture: the component that runs the whole page."""

    panel: Literal["tab"]


class Try(TypedDict):
    """One thing to try: the button, and the inputs it sets."""

    says: str
    edits: Sequence[Sequence[float]]


class Rule(TypedDict):
    """An intervention; `steps` as ``(first, stop)``, either of them None where it is open."""

    signal: str
    kind: Literal["clamp", "scale", "ablate"]
    value: float
    units: Sequence[int] | None
    steps: Sequence[Any] | None
    says: str


class LitRow(TypedDict):
    """Units of a row that something is said about, all of them where `units` is None, and its mark there."""

    signal: str
    units: Sequence[int] | None
    mark: str
    says: str


class ModelHeader(TypedDict):
    """The network, where the browser runs it itself; its weights are the arrays ``model.NAME``."""

    cell: CellDescription
    hidden: int
    layers: int
    inputs: int
    outputs: int
    columns: Mapping[str, int]


class ScopeRow(TypedDict):
    """One signal: a line has a `floor`, a gate what `closed` and `open` mean, a one-hot input its `names`."""

    signal: str
    name: str
    symbol: str
    kind: Literal["line", "onehot", "gate", "state"]
    width: int
    says: str
    note: NotRequired[str]
    floor: NotRequired[Sequence[float]]
    closed: NotRequired[str]
    open: NotRequired[str]
    names: NotRequired[Sequence[str]]
    reach: NotRequired[float]
    target: NotRequired[bool]


class ScopeHeader(TypedDict):
    """A run, signal by signal: the gates page, and (`plain`) the probe of the training page."""

    panel: Literal["scope"]
    link: str
    id: str
    title: str
    cell: str
    description: CellDescription
    layer: int
    layers: int
    steps: int
    hidden: int
    inputs: int
    labels: Sequence[str] | None
    rows: Sequence[ScopeRow]
    editable: bool
    status: str
    address: str
    fields: Sequence[str]
    headline: NotRequired[str]
    story: NotRequired[str]
    tries: NotRequired[Try | None]
    opening: NotRequired[bool]
    plain: NotRequired[bool]
    marks: NotRequired[Sequence[str] | None]
    names: NotRequired[Sequence[str] | None]
    rules: NotRequired[Sequence[Rule]]
    lit: NotRequired[Sequence[LitRow]]
    edited: NotRequired[Sequence[Sequence[int]]]
    at: NotRequired[Sequence[int] | None]
    undo: NotRequired[bool]
    redo: NotRequired[bool]
    reset: NotRequired[bool]
    baseline: NotRequired[bool]
    model: NotRequired[ModelHeader | None]


class CellHeader(TypedDict):
    """One layer, for the diagram of a step and a unit."""

    panel: Literal["cell"]
    link: str
    id: str
    cell: str
    description: CellDescription
    name: str
    steps: int
    hidden: int
    inputs: int
    labels: Sequence[str] | None
    marks: NotRequired[Sequence[str] | None]
    names: Sequence[str] | None
    rules: Sequence[Rule]
    layer: int
    status: str
    address: str
    fields: Sequence[str]
    headline: NotRequired[str]
    story: NotRequired[str]
    opening: NotRequired[bool]
    at: Sequence[int] | None
    undo: bool
    redo: bool


class NamedLine(TypedDict):
    """An array by what it is called, and its place among the palette's lines; those of one `group` are of one kind."""

    name: str
    label: str
    line: int
    group: NotRequired[str]


class Curve(TypedDict):
    """A line of the row of norms; without a `line` it is grey, without a `label` it is not in the legend."""

    name: str
    label: str
    line: int | None
    width: NotRequired[float]
    dash: NotRequired[str]


class FlowRow(TypedDict):
    """A row of several networks; which of the last fields it has is its kind's."""

    signal: str
    kind: Literal["norm", "lines", "states", "units", "share", "moved", "rests"]
    symbol: str
    name: str
    width: int
    hue: str
    says: str
    arrays: NotRequired[Sequence[NamedLine]]
    range: NotRequired[Sequence[float]]
    shape: NotRequired[str]
    array: NotRequired[str]
    reach: NotRequired[float]
    ceiling: NotRequired[float]


class SpectrumHeader(TypedDict):
    """Whose eigenvalues and singular values the arrays ``eig`` and ``sing`` are."""

    name: str
    line: int
    hidden: int
    singular: int
    reach: float
    floor: float
    says: str


class UnrolledHeader(TypedDict):
    """The network that is drawn cell by cell."""

    name: str
    width: int


class FlowHeader(TypedDict):
    """Several networks over time: gradients on their way back, or the four networks of the comparison."""

    panel: Literal["flow"]
    link: str
    id: str
    steps: int
    labels: NotRequired[Sequence[str] | None]
    marks: NotRequired[Sequence[str] | None]
    rows: Sequence[FlowRow]
    curves: Sequence[Curve]
    range: Sequence[float]
    status: str
    spectrum: SpectrumHeader | None
    address: str
    fields: Sequence[str]
    headline: NotRequired[str]
    shows: NotRequired[str]
    story: NotRequired[str]
    undo: bool
    redo: bool
    axis: NotRequired[str]
    begin: NotRequired[int]
    nudge: NotRequired[int]
    decades: NotRequired[int]
    measure: NotRequired[str]
    tries: NotRequired[Try | None]
    unrolled: NotRequired[UnrolledHeader]


class LearningRow(TypedDict):
    """One curve of the training, for every network."""

    signal: str
    symbol: str
    name: str
    log: bool
    hue: str
    says: str
    solved: NotRequired[float]
    chance: NotRequired[float]
    range: NotRequired[Sequence[float]]
    texts: NotRequired[Mapping[str, Mapping[str, str]]]


class LearningHeader(TypedDict):
    """The courses of a training at their checkpoints; `at` is where the scrubber was left. `title` is the task's."""

    panel: Literal["learning"]
    link: str
    id: str
    title: str
    run: int
    at: int | None
    count: int
    nets: Sequence[NamedLine]
    rows: Sequence[LearningRow]
    status: str


class WeightsHeader(TypedDict):
    """One block of the weights, from row `first` of torch's `parameter` on."""

    panel: Literal["weights"]
    link: str
    id: str
    parameter: str
    first: int
    rows: int
    cols: int
    bias: bool
    symbol: str
    names: Sequence[str] | None
    reads: str
    gate: str


class WhyNet(TypedDict):
    """A curve of the picture that says why, its array by `name`: what is left, in words, and of what."""

    name: str
    label: str
    line: int | None
    left: str
    says: str


class WhyHeader(TypedDict):
    """What arrives of a gradient beside the product of the forget gates.

    A curve is log10 of what is left of 1 at the last step. `bias` is what the handle stands at; the road is computed
    from the arrays ``drive`` ``(L, H)``, the forget gate's argument without its bias, ``biases`` and ``asks`` ``(H,)``,
    the biases and log10 of what the loss asks of each unit of c. Without a road there is no handle.
    """

    panel: Literal["why"]
    id: str
    steps: int
    hidden: int
    bias: float | None
    range: Sequence[float]
    road: str
    nets: Sequence[WhyNet]
    says: str
    story: str
