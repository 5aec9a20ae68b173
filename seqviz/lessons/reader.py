"""A lesson's file to its values, or every mistake in it with its line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import ValidationError

from seqviz.checks import shown
from seqviz.experiment import Experiment
from seqviz.language import LANGUAGES, reason, tr
from seqviz.lessons.checking import allowed
from seqviz.lessons.experiments import changed, drawn, experiment_of, training_of
from seqviz.lessons.expressions import Node, parse
from seqviz.lessons.form import CheckForm, GuessForm, LessonForm, StepForm, TaskForm
from seqviz.lessons.lesson import Check, Choice, Guess, Lesson, Runs, Step, Task, Training
from seqviz.lessons.measures import fits, no_step, no_unit
from seqviz.lessons.mistakes import LessonError, Mistake
from seqviz.lessons.source import Lines, Source, load
from seqviz.lessons.words import Place, Text, Words, read_text

__all__ = ["read"]

Made = TypeVar("Made")
At = tuple[str | int, ...]

_NAMED_LANGUAGES = tuple(LANGUAGES)


def read(text: Source) -> Lesson:
    """Read a lesson. Nothing is run.

    Args:
        text: the YAML, of the form that ``docs/lesson.schema.json`` describes; or its file, as a path or open.

    Raises:
        LessonError: a ``ValueError`` whose ``mistakes`` are all that were found, each with its line and a sentence.
        ValueError: a path that cannot be read, in one sentence.
    """
    data, lines = load(text)
    if not isinstance(data, dict):
        raise LessonError([Mistake(1, tr("A lesson is a map: it begins with “seqviz: lesson/1”."))])
    try:
        form = LessonForm.model_validate(data)
    except ValidationError as error:
        raise LessonError(_of_form(error, data, lines)) from error
    return _Reading(form, lines).lesson()


class _Reading:
    """One lesson's form on its way to values; mistakes are gathered, and raised together."""

    def __init__(self, form: LessonForm, lines: Lines) -> None:
        self.form, self.lines, self.mistakes = form, lines, list[Mistake]()
        self.languages = tuple(form.title)
        self.runs: dict[str, dict[str, Experiment]] = {}

    def lesson(self) -> Lesson:
        form = self.form
        self._look_at_ids()
        title, goal = self._words(form.title, ("title",)), self._words(form.goal, ("goal",))
        short = title if form.short is None else self._words(form.short, ("short",))
        self._experiments()
        self._stop()
        runs = Runs(MappingProxyType({lang: MappingProxyType(made) for lang, made in self.runs.items()}))
        steps = tuple(self._step(step, ("steps", k), runs) for k, step in enumerate(form.steps))
        self._stop()
        return Lesson(
            form.id, title, short, goal, float(form.minutes), tuple(form.after), steps, self.languages, runs
        )  # fmt: skip

    def _stop(self) -> None:
        if self.mistakes:
            raise LessonError(self.mistakes)

    def _wrong(self, at: At, says: str) -> None:
        self.mistakes.append(Mistake(self.lines.of(at), says))

    def _try(self, at: At, make: Callable[[], Made]) -> Made | None:
        try:
            return make()
        except (ValueError, OverflowError) as error:
            self._wrong(at, reason(error))
        return None

    def _look_at_ids(self) -> None:
        seen: set[str] = set()
        for k, step in enumerate(self.form.steps):
            if step.id in seen:
                self._wrong(("steps", k, "id"), tr("There are two steps with the id {id}.", id=shown(step.id)))
            seen.add(step.id)
        for language in self.languages:
            if language not in _NAMED_LANGUAGES:
                known = ", ".join(_NAMED_LANGUAGES)
                self._wrong(
                    ("title", language),
                    tr("The language is one of {known}, not {language}.", known=known, language=language),
                )

    def _experiments(self) -> None:
        for language in self.languages:
            made: dict[str, Experiment] = {}
            for name, form in self.form.experiments.items():
                at: At = ("experiments", name)
                if found := self._try(at, partial(experiment_of, form, made, language)):
                    made[name] = found
            self.runs[language] = made

    def _words(self, given: Mapping[str, str], at: At) -> Words:
        if missing := [language for language in self.languages if language not in given]:
            self._wrong(at, tr("This is not said in {languages}.", languages=", ".join(missing)))
        if more := [language for language in given if language not in self.languages]:
            self._wrong((*at, more[0]), tr("The title is not said in {languages}.", languages=", ".join(more)))
        found: dict[str, Text] = {}
        for language, markdown in given.items():
            found[language] = self._try((*at, language), partial(read_text, markdown)) or ()
        readable = {language: parts for language, parts in found.items() if parts}
        first = _measured(next(iter(readable.values()), ()))
        for language, parts in readable.items():
            if _measured(parts) != first:
                self._wrong((*at, language), tr("This measures other numbers than the first language does."))
        return MappingProxyType(found)

    def _step(self, form: StepForm, at: At, runs: Runs) -> Step:
        if form.say is None and form.task is None:
            self._wrong(at, tr("A step needs something to say, or a task."))
        for name, key in ((form.show, "show"), (form.against, "against")):
            if name is not None and name not in self.form.experiments:
                self._wrong((*at, key), tr("There is no experiment {name}.", name=shown(name)))
                self._stop()
        step = Step(
            form.id, form.page, form.show, form.against, form.at.step, form.at.unit, form.at.part, tuple(form.light),
            tuple(form.cover), form.play == "once",
            say=self._words(form.say, (*at, "say")) if form.say is not None else None,
            guess=self._guess(form.guess, (*at, "guess")) if form.guess else None,
            task=self._task(form.task, form.show, (*at, "task"), runs) if form.task else None,
            note=self._words(form.note, (*at, "note")) if form.note is not None else None,
            train=self._train(form, at),
            runs=runs,
        )  # fmt: skip
        self._look_at_place(step, at)
        self._look_at_numbers(step, form, at)
        return step

    def _train(self, form: StepForm, at: At) -> Training | None:
        if form.train is None:
            return None
        if form.page != "training":
            self._wrong((*at, "train"), tr("“train” belongs to the page training."))
        return self._try((*at, "train"), partial(training_of, form.train))

    def _guess(self, form: GuessForm, at: At) -> Guess:
        choices = []
        for k, choice in enumerate(form.choices):
            here: At = (*at, "choices", k)
            says = dict.fromkeys(self.languages, choice.says) if isinstance(choice.says, str) else choice.says
            choices.append(
                Choice(self._words(says, (*here, "says")), choice.right, self._words(choice.reply, (*here, "reply")))
            )
        if sum(choice.right for choice in choices) != 1:
            self._wrong((*at, "choices"), tr("Exactly one choice has “right: true”."))
        return Guess(self._words(form.ask, (*at, "ask")), tuple(choices))

    def _task(self, form: TaskForm, show: str, at: At, runs: Runs) -> Task:
        start = runs.of(show, self.languages[0])
        for k, name in enumerate(form.may):
            self._try((*at, "may", k), partial(allowed, name, start))
        checks = []
        given: list[str | CheckForm] = [form.check] if isinstance(form.check, str) else [*form.check]
        for k, check in enumerate(given):
            here: At = (*at, "check") if isinstance(form.check, str) else (*at, "check", k)
            if made := self._try(here, partial(_check, check, start)):
                checks.append(made)
        meter = self._try((*at, "meter"), partial(_fitting, form.meter, "number", start))
        for key, change in (("passes", form.passes), ("nearly", form.nearly)):
            self._try((*at, key), partial(changed, start, change))
        return Task(
            tuple(form.may), meter or Node("number", "number", "0"), tuple(checks), form.passes, form.nearly,
            self._words(form.do, (*at, "do")),
            self._words(form.hint, (*at, "hint")) if form.hint is not None else None, show, runs,
        )  # fmt: skip

    def _look_at_place(self, step: Step, at: At) -> None:
        e = step.experiment(self.languages[0])
        most = {"step": e.sequence.length, "unit": e.hidden_size}
        for key, found in (("step", step.step), ("unit", step.unit)):
            if found is not None and found >= most[key]:
                says = no_step if key == "step" else no_unit
                self._wrong((*at, "at", key), says(most[key] - 1, found))

    def _look_at_numbers(self, step: Step, form: StepForm, at: At) -> None:
        for words, where in _said(step, form, at):
            for language, parts in words.items():
                for place in parts:
                    if isinstance(place, Place):
                        self._try((*where, language), partial(self._look_at_number, place, step, language))

    def _look_at_number(self, place: Place, step: Step, language: str) -> None:
        if place.run and place.run not in self.form.experiments:
            raise ValueError(tr("There is no experiment {name}.", name=shown(place.run)))
        fits(place.what, step.runs.of(place.run or step.show, language), step.baseline(language))


def _said(step: Step, form: StepForm, at: At) -> Iterator[tuple[Words, At]]:
    for words, key in ((step.say, "say"), (step.note, "note")):
        if words is not None:
            yield words, (*at, key)
    if step.guess:
        yield step.guess.ask, (*at, "guess", "ask")
        for k, choice in enumerate(step.guess.choices):
            yield choice.says, (*at, "guess", "choices", k, "says")
            yield choice.reply, (*at, "guess", "choices", k, "reply")
    if step.task:
        yield step.task.do, (*at, "task", "do")
        if step.task.hint:
            yield step.task.hint, (*at, "task", "hint")


def _measured(parts: Text) -> list[tuple[str, str, str]]:
    return sorted((p.run, p.what.text, p.spec) for p in parts if isinstance(p, Place))


def _fitting(text: str, kind: str, experiment: Experiment) -> Node:
    node = parse(text, kind)
    fits(node, experiment)
    return node


def _check(form: str | CheckForm, start: Experiment) -> Check:
    if isinstance(form, str):
        return Check((), _fitting(form, "truth", start))
    drawn(start, form.with_)
    return Check(tuple(form.with_.items()), _fitting(form.that, "truth", start))


def _of_form(error: ValidationError, data: Any, lines: Lines) -> list[Mistake]:
    """pydantic's findings as sentences; of a value that fits none of several forms, one."""
    found: dict[tuple[int, str], Mistake] = {}
    kinds: set[At] = set()
    for each in error.errors(include_url=False):
        place = _there(each["loc"], data)
        if each["type"] == "missing":
            if place != each["loc"][:-1] and place != each["loc"]:
                continue
            says: str = tr("“{name}” is missing here.", name=str(each["loc"][-1]))
        elif place in kinds:
            continue
        else:
            kinds.add(place)
            says = _sentence(each, place)
        line = lines.of(place)
        found[line, says] = Mistake(line, says)
    return list(found.values())


def _there(loc: tuple, data: Any) -> At:
    """The part of a place that is in the document; pydantic names the forms that it tried in between."""
    found: list[str | int] = []
    at = data
    for key in loc:
        if (isinstance(at, dict) and key in at) or (isinstance(at, list) and isinstance(key, int) and key < len(at)):
            found.append(key)
            at = at[key]
        else:
            break
    return tuple(found)


def _sentence(error: Any, place: At) -> str:
    kind, context = error["type"], error.get("ctx", {})
    name, value = str(place[-1]) if place else "", shown(error.get("input"))
    if kind == "extra_forbidden":
        return tr("There is no “{name}” in this place of a lesson.", name=shown(name)[1:-1])
    if kind == "literal_error":
        return tr(
            "{value} will not do; it must be one of {known}.",
            value=value,
            known=context["expected"].replace(" or ", ", "),
        )
    if kind.endswith(("greater_than", "greater_than_equal", "less_than", "less_than_equal", "too_short", "too_long")):
        return tr("{value} is too small or too large, or too short or too long, for this place.", value=value)
    if kind == "string_pattern_mismatch":
        return tr("{value} is no name that can stand here: small letters, digits and hyphens.", value=value)
    wanted = {
        "string_type": tr("a text (in quotes, where it looks like a number)"), "int_type": tr("a whole number"),
        "int_from_float": tr("a whole number"), "float_type": tr("a number"), "bool_type": tr("true or false"),
        "list_type": tr("a list"), "dict_type": tr("a map, by language or by name"), "model_type": tr("a map"),
    }.get(kind)  # fmt: skip
    if wanted:
        return tr("{value} is not what belongs here, which is {wanted}.", value=value, wanted=wanted)
    return tr("{value} is not what belongs here.", value=value)
