"""The form of a lesson's file; :mod:`seqviz.lessons.read` makes the values of it that the app uses.

A map that lacks something, or has something more, is a mistake; so a slip of the keyboard is found and not skipped.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["MAX_STEPS", "PAGES", "LessonForm", "schema"]

PAGES: Final = ("gates", "cell", "compare", "gradients", "training")
MAX_STEPS: Final = 40
_ID: Final = r"^[a-z0-9][a-z0-9-]{0,39}$"

Id = Annotated[str, Field(pattern=_ID)]
Markdown = Annotated[str, Field(min_length=1, max_length=2000)]
Texts = Annotated[dict[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")], Markdown], Field(min_length=1)]
"""Markdown by language: en, zh, de, …; with ``{{measure .3f}}`` for numbers."""
Inputs = Annotated[dict[str, float], Field(description="Steps and the number to be drawn there: {12: 1}.")]
Measure = Annotated[str, Field(min_length=1, description="A measure: half_life(l0.c), y[-1], l0.h[0, 1] is unit 1.")]
Check = Annotated[str, Field(min_length=1, description="A comparison of measures: half_life(l0.c) > 50.")]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Column(_Form):
    """One input over time: a number throughout, others at some steps: ``{3: 1, 10-19: 1}``."""

    fill: float = 0.0
    at: Inputs = {}


class SequenceForm(_Form):
    """What goes in: a wave by its kind, ``values``, ``columns``, or a ``text`` with its ``alphabet``."""

    kind: Literal["impulse", "step", "sine", "square", "ramp", "noise", "two_pulses", "bits"] | None = None
    length: int | None = Field(None, ge=1, le=2000)
    amplitude: float | None = None
    period: float | None = None
    seed: int | None = None
    values: list[float] | None = Field(None, description="Numbers, one a step, of one input.")
    columns: list[Column] | None = None
    text: Markdown | Texts | None = None
    alphabet: Markdown | Texts | None = None


class InitForm(_Form):
    """How weights are drawn that are not set by hand."""

    scheme: Literal["default", "xavier", "orthogonal", "identity", "chrono", "zeros"] = "default"
    gain: float = 1.0
    spectral_radius: float | None = None
    forget_bias: float | None = None
    seed: int = 0
    memory: int = 0


class WhatIf(_Form):
    """One signal that is held (``hold`` and ``at``), scaled (``scale`` and ``by``) or silenced (``silence``)."""

    hold: str | None = None
    at: float | None = None
    scale: str | None = None
    by: float | None = None
    silence: str | None = None
    steps: int | str | None = Field(None, description="A step, or the first and the last: 26-59.")
    units: list[int] | None = None


class Untrained(_Form):
    """A network of the training page before its first step, on the task's example sequence."""

    task: str
    recipe: str = Field(description="As the training page calls it in English: LSTM, chrono.")
    seed: int = Field(0, ge=0, le=10_000)
    length: int | None = Field(None, ge=1, le=500)


class RecipeForm(_Form):
    """A network and how it is trained, where the training page has no such recipe."""

    cell: str = "LSTM"
    hidden: int = Field(16, ge=1, le=64)
    lr: float = Field(1e-2, gt=0, le=1)
    scheme: Literal["default", "orthogonal", "identity", "chrono"] = "default"
    forget_bias: float | None = None
    memory: int = Field(0, ge=0, le=2000)
    steps: int = Field(600, ge=1, le=5000, description="Steps of the optimiser, at most.")


class TrainForm(_Form):
    """What is chosen on the training page, or what is trained there at a press in the rail (``runs``)."""

    task: str
    recipe: str | None = None
    length: int | None = Field(None, ge=1, le=500, description="Steps of a sequence; the task's own by default.")
    seeds: int = Field(1, ge=1, le=5, description="So many times, each from another seed.")
    runs: dict[Annotated[str, Field(min_length=1, max_length=40)], str | RecipeForm] = Field(
        {}, max_length=4, description="By the name that is shown: a recipe's name, or a network."
    )


class Changes(_Form):
    """What is changed of an experiment."""

    sequence: SequenceForm | None = None
    shuffle: int | None = Field(None, ge=0, description="The steps in another order, drawn from this seed.")
    init: InitForm | None = None
    weights: dict[str, float] = Field({}, description="gate.unit.term: f.0.bias, i.0.h1, g.0.x0, readout.0.h0.")
    input: Inputs = {}
    what_if: list[WhatIf] = []


class ExperimentForm(Changes):
    """A network and what it is run on: a ``preset``, another one's (``from``), or a ``cell`` with its sizes."""

    preset: Literal["latch", "counter", "leaky", "toggle", "brackets"] | None = None
    base: Id | None = Field(None, alias="from")
    cell: str | None = Field(None, description="LSTM, GRU, RNN_TANH, RNN_RELU, or another that seqviz knows.")
    untrained: Untrained | None = None
    hidden: int | None = Field(None, ge=1, le=256)
    inputs: int | None = Field(None, ge=1, le=256)
    outputs: int | None = Field(None, ge=1, le=256)


class At(_Form):
    """Where to look."""

    step: int | None = Field(None, ge=0)
    unit: int | None = Field(None, ge=0)
    part: int | None = Field(None, ge=1, le=5, description="Of the cell page: which part of the step is told.")


class ChoiceForm(_Form):
    """One answer to a guess, and what is replied to whoever picks it."""

    says: Markdown | Texts = Field(description="The answer; a text for every language, or one for all.")
    right: bool = False
    reply: Texts


class GuessForm(_Form):
    """A question; its answer is hidden until somebody guesses."""

    ask: Texts
    choices: list[ChoiceForm] = Field(min_length=2, max_length=6)


class CheckForm(_Form):
    """A comparison that has to hold on another input: the program draws it and runs again."""

    with_: Inputs = Field(alias="with")
    that: Check


class TaskForm(_Form):
    """Something to do, which the program checks on the person's own setting."""

    may: list[str] = Field(
        min_length=1, description="What may change: weights (f.0.bias), input, what_if, spectral_radius, forget_bias."
    )
    meter: Measure = Field(description="Shown beside the picture, always current.")
    check: Check | list[CheckForm]
    passes: Changes = Field(description="A setting that passes.")
    nearly: Changes = Field(description="One that does not, but nearly.")
    do: Texts
    hint: Texts | None = None


class StepForm(_Form):
    """One screen of a lesson, and what is said there."""

    id: Id
    page: Literal["gates", "cell", "compare", "gradients", "training"]
    show: Id = Field(description="The name of an experiment.")
    against: Id | None = Field(None, description="An experiment that stays in view, to compare with.")
    at: At = Field(default_factory=lambda: At.model_validate({}))
    light: list[str] = Field([], description="Rows or curves that stay bright: f, c, y, RNN, LSTM.c.")
    cover: list[str] = Field([], description="Rows that are hidden until the guess is in.")
    train: TrainForm | None = Field(None, description="On the training page: what is chosen there.")
    play: Literal["once"] | None = None
    guess: GuessForm | None = None
    say: Texts | None = Field(None, description="The sentence beside the picture.")
    task: TaskForm | None = None
    note: Texts | None = Field(None, description="For the lecturer, in lecture mode only.")


class LessonForm(_Form):
    """A lesson of seqviz."""

    seqviz: Literal["lesson/1"]
    id: Id
    title: Texts
    short: Texts | None = Field(None, description="The title in a word or two, where many stand in a row.")
    goal: Texts
    minutes: float = Field(gt=0, le=90)
    after: list[Id] = Field([], description="The ids of lessons that come before.")
    experiments: dict[Id, ExperimentForm] = Field(min_length=1, max_length=60)
    steps: list[StepForm] = Field(min_length=1, max_length=MAX_STEPS)


def schema() -> dict[str, Any]:
    """The form as a JSON schema, for editors that complete and check while a lesson is written."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **LessonForm.model_json_schema(by_alias=True)}
