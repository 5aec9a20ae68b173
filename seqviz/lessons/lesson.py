"""A lesson as the app uses it: frozen values, nothing computed until it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from seqviz.experiment import Experiment
from seqviz.language import current
from seqviz.lessons.expressions import Node
from seqviz.lessons.form import Changes
from seqviz.lessons.measures import value
from seqviz.lessons.words import Place, Text, Words, spoken
from seqviz.tasks import Task as Learned
from seqviz.training import Recipe

__all__ = ["Check", "Choice", "Guess", "Lesson", "Runs", "Step", "Task", "Training"]


@dataclass(frozen=True, repr=False)
class Runs:
    """The experiments of a lesson, by language and name; they differ where a text is typed in the reader's language."""

    by_language: Mapping[str, Mapping[str, Experiment]]

    def of(self, name: str, language: str | None = None) -> Experiment:
        """One of them, in a language or that of now."""
        wanted = language or current()
        return self.by_language.get(wanted, next(iter(self.by_language.values())))[name]


_NONE = Runs(MappingProxyType({}))


@dataclass(frozen=True)
class Choice:
    """One answer to a guess: what it says, whether it is right, and the reply to whoever picks it."""

    says: Words
    right: bool
    reply: Words


@dataclass(frozen=True)
class Guess:
    """A question, asked before the picture shows the answer."""

    ask: Words
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class Check:
    """A comparison that has to hold, on the setting as it is or with numbers drawn on its input."""

    drawn: tuple[tuple[str, float], ...]
    that: Node


@dataclass(frozen=True)
class Task:
    """Something to do on the step's experiment; :func:`seqviz.lessons.check` measures whether it is done.

    ``start`` is what it is done on, by language in ``runs``; ``may`` says what may change, ``passes`` and ``nearly``
    are a setting that does it and one that does not.
    """

    may: tuple[str, ...]
    meter: Node
    checks: tuple[Check, ...]
    passes: Changes
    nearly: Changes
    do: Words
    hint: Words | None
    show: str
    runs: Runs = field(repr=False, compare=False, default=_NONE)

    def start(self, language: str | None = None) -> Experiment:
        """The experiment that it begins with."""
        return self.runs.of(self.show, language)


@dataclass(frozen=True)
class Training:
    """What a step has to do with training: a ``task``, a ``recipe`` that is chosen, or ``runs``, the networks that are
    trained side by side at a press, by name, each from ``seeds`` seeds."""

    task: Learned
    recipe: str | None
    runs: Mapping[str, Recipe]
    seeds: int


@dataclass(frozen=True)
class Step:
    """One screen: a page, an experiment, where to look, and what is said.

    ``step``, ``unit`` and ``part`` are None where the page may choose; ``light`` are rows that stay bright, ``cover``
    those that are hidden until the guess is in; ``play`` says that it plays once by itself,
    ``train`` what is chosen, or trained, on the training page.
    """

    id: str
    page: str
    show: str
    against: str | None
    step: int | None
    unit: int | None
    part: int | None
    light: tuple[str, ...]
    cover: tuple[str, ...]
    play: bool
    say: Words | None
    guess: Guess | None
    task: Task | None
    note: Words | None
    train: Training | None = None
    runs: Runs = field(repr=False, compare=False, default=_NONE)

    def experiment(self, language: str | None = None) -> Experiment:
        """What this step shows."""
        return self.runs.of(self.show, language)

    def baseline(self, language: str | None = None) -> Experiment | None:
        """What it is compared with, if anything."""
        return None if self.against is None else self.runs.of(self.against, language)

    def written(self, words: Words, language: str | None = None) -> str:
        """Some of this step's words as Markdown, every number in them measured.

        Args:
            words: ``step.say``, ``step.guess.ask``, a choice's ``says`` or ``reply``, ``step.task.do``, …
            language: of the words; by default that of now.
        """
        return "".join(part if isinstance(part, str) else part.written(n) for part, n in self.measured(words, language))

    def measured(self, words: Words, language: str | None = None) -> list[tuple[str | Place, float]]:
        """The parts of some words: pairs of a text and 0, or of a place in the text and its number."""
        found: list[tuple[str | Place, float]] = []
        for part in spoken(words, language):
            if isinstance(part, str):
                found.append((part, 0.0))
            else:
                on = self.runs.of(part.run or self.show, language)
                found.append((part, value(part.what, on, self.baseline(language))))
        return found

    def texts(self) -> list[Words]:
        """Everything that is said at this step."""
        found = [self.say, self.note]
        if self.guess:
            found += [self.guess.ask, *(w for choice in self.guess.choices for w in (choice.says, choice.reply))]
        if self.task:
            found += [self.task.do, self.task.hint]
        return [words for words in found if words is not None]


@dataclass(frozen=True)
class Lesson:
    """An ordered list of steps with one goal. ``after`` names the lessons that come before it, ``short`` is its title
    in a word or two."""

    id: str
    title: Words
    short: Words
    goal: Words
    minutes: float
    after: tuple[str, ...]
    steps: tuple[Step, ...]
    languages: tuple[str, ...]
    runs: Runs = field(repr=False, compare=False, default=_NONE)

    def step(self, id: str) -> Step | None:
        """The step with this id, if there is one."""
        return next((step for step in self.steps if step.id == id), None)

    def experiments(self, language: str | None = None) -> Mapping[str, Experiment]:
        """All of its experiments, by name."""
        wanted = language or current()
        return self.runs.by_language.get(wanted, next(iter(self.runs.by_language.values())))


def plain(words: Mapping[str, Text], language: str | None = None) -> str:
    """A title or a goal, which hold no numbers to be measured, in a language."""
    return "".join(part for part in spoken(words, language) if isinstance(part, str))
