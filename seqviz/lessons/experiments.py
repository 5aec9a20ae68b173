"""The experiments of a lesson, from their form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np

from seqviz import comparison, weights
from seqviz import vocabulary as words
from seqviz.checks import shown
from seqviz.experiment import Experiment, Init, InputEdit, Sequence, WeightEdit
from seqviz.experiment.interventions import Ablate, Clamp, Intervention, Scale
from seqviz.language import tr
from seqviz.lessons.form import Changes, ExperimentForm, RecipeForm, SequenceForm, TrainForm, WhatIf
from seqviz.lessons.lesson import Training
from seqviz.lessons.measures import no_step
from seqviz.networks.presets import preset
from seqviz.tasks import TASKS, Task
from seqviz.training import RECIPES, Recipe, prepare

__all__ = ["changed", "drawn", "experiment_of", "trained_by", "training_of", "weight_edit"]

_WEIGHT: Final = re.compile(r"(?P<gate>[a-z]+)\.(?P<unit>\d{1,3})\.(?:(?P<part>[xh])(?P<col>\d{1,3})|bias)", re.ASCII)
_STEPS: Final = re.compile(r"(\d{1,4})-(\d{1,4})", re.ASCII)
_SPAN: Final = re.compile(r"(\d{1,4})(?:-(\d{1,4}))?", re.ASCII)
_INPUT: Final = re.compile(r"(\d{1,4})(?:/(\d{1,3}))?", re.ASCII)


def experiment_of(form: ExperimentForm, made: Mapping[str, Experiment], language: str) -> Experiment:
    """One experiment; `made` are those that stand before it.

    Raises:
        ValueError: a sentence on what cannot be.
    """
    begins = {"preset": form.preset, "from": form.base, "cell": form.cell, "untrained": form.untrained}
    ways = [name for name, given in begins.items() if given]
    if len(ways) != 1 and ways != ["preset", "cell"]:
        raise ValueError(tr("An experiment begins with one of preset, from, cell or untrained."))
    if form.base is not None:
        if form.base not in made:
            raise ValueError(tr("There is no experiment {name} above this one.", name=shown(form.base)))
        return changed(made[form.base], form, language)
    if form.preset is not None:
        return changed(preset(form.preset, form.cell), form, language)
    if form.untrained is not None:
        found, recipe = trained_by(form.untrained.task, form.untrained.recipe)
        if form.untrained.length is not None:
            found = found.at_length(form.untrained.length)
        return changed(prepare(found, recipe, form.untrained.seed), form, language)
    if form.hidden is None:
        raise ValueError(tr("A cell needs “hidden”, its number of hidden units."))
    sequence = _sequence(form.sequence, language) if form.sequence else Sequence()
    start = Experiment(
        form.cell or words.LSTM,
        sequence.width or form.inputs or 1,
        form.hidden,
        form.outputs or 1,
        init=Init(**form.init.model_dump()) if form.init else Init("zeros"),
        sequence=sequence,
    )
    return changed(start, form.model_copy(update={"init": None, "sequence": None}), language)


def trained_by(task: str, recipe: str) -> tuple[Task, Recipe]:
    """A task and a recipe by their names in English.

    Raises:
        ValueError: there is no such one.
    """
    found, recipes = task_by(task), RECIPES[task]
    if recipe not in recipes:
        known = "; ".join(recipes)
        raise ValueError(tr("There is no recipe {name}; there are {known}.", name=shown(recipe), known=known))
    return found, recipes[recipe]


def task_by(name: str) -> Task:
    """A task by its name.

    Raises:
        ValueError: there is no such one.
    """
    if name not in RECIPES:
        raise ValueError(tr("There is no task {name}; there are {known}.", name=shown(name), known=", ".join(RECIPES)))
    return TASKS[name]


def training_of(form: TrainForm) -> Training:
    """What is trained, or chosen to be.

    Raises:
        ValueError: a sentence on what cannot be.
    """
    if (form.recipe is None) == (not form.runs):
        raise ValueError(tr("Training needs a “recipe” that is chosen, or “runs” that are trained."))
    task = task_by(form.task)
    runs = {name: _recipe(form.task, given) for name, given in form.runs.items()}
    if form.recipe is not None:
        trained_by(form.task, form.recipe)
    if form.length is not None:
        task = task.at_length(form.length)
    for recipe in runs.values():
        prepare(task, recipe)
    return Training(task, form.recipe, MappingProxyType(runs), form.seeds)


def _recipe(task: str, given: str | RecipeForm) -> Recipe:
    if isinstance(given, str):
        return trained_by(task, given)[1]
    return Recipe(
        given.cell, given.hidden, given.lr, given.scheme, given.forget_bias, given.memory, max_steps=given.steps,
    )  # fmt: skip


def changed(experiment: Experiment, form: Changes, language: str = "en") -> Experiment:
    """An experiment with what a form changes of it.

    Raises:
        ValueError: something named is not there.
    """
    if form.sequence is not None:
        experiment = replace(experiment, sequence=_sequence(form.sequence, language))
    if form.init is not None:
        set_here = form.init.model_dump(include=form.init.model_fields_set)
        experiment = replace(experiment, init=replace(experiment.init, **set_here))
    if form.weights:
        experiment = experiment.edited(weight_edit(experiment, name, v) for name, v in form.weights.items())
    experiment = drawn(experiment, form.input)
    if form.shuffle is not None:
        experiment = replace(experiment, sequence=Sequence.of_values(comparison.shuffled(experiment, form.shuffle)[1]))
    if form.what_if:
        held = tuple(_intervention(what) for what in form.what_if)
        experiment = replace(experiment, interventions=(*experiment.interventions, *held))
    return experiment


def drawn(experiment: Experiment, at: Mapping[str, float]) -> Experiment:
    """An experiment with numbers drawn on its input: ``{"12": 1}``, or ``{"12/1": 1}`` on input 1."""
    if not at:
        return experiment
    edits = []
    for place, number in at.items():
        match = _INPUT.fullmatch(place)
        if match is None:
            raise ValueError(tr("{place} is no step; write 12, or 12/1 for step 12 of input 1.", place=shown(place)))
        edits.append(InputEdit(int(match[1]), int(match[2] or 0), number))
    return replace(experiment, sequence=experiment.sequence.edited(edits))


def weight_edit(experiment: Experiment, name: str, number: float) -> WeightEdit:
    """The edit that ``f.0.bias: 4.6`` stands for; the experiment says, once edited, whether it has that column.

    Raises:
        ValueError: no such gate or unit.
    """
    match = _WEIGHT.fullmatch(name)
    if match is None:
        raise ValueError(
            tr("{name} is no weight; write gate.unit.term: f.0.bias, i.0.h1, g.0.x0, readout.0.h0.", name=shown(name))
        )
    gate, unit, part, col = match["gate"], int(match["unit"]), match["part"], int(match["col"] or 0)
    if gate == "readout":
        if part == "x":
            raise ValueError(tr("The readout reads h, not x."))
        edit = WeightEdit(f"readout.{'weight' if part else 'bias'}", unit, col, number)
    else:
        block = {"x": "ih", "h": "hh", None: "bias_ih"}[part]
        place = weights.place(experiment.cell, experiment.hidden_size, 0, gate, block, unit, col)
        edit = WeightEdit(*place, number)
    return edit


def _sequence(form: SequenceForm, language: str) -> Sequence:
    given = [n for n in ("kind", "values", "columns", "text") if getattr(form, n) is not None]
    if len(given) != 1:
        raise ValueError(tr("A sequence is given by one of kind, values, columns or text."))
    if form.text is not None:
        text, alphabet = (_said(words, language) for words in (form.text, form.alphabet))
        return Sequence.of_text(text, alphabet)
    if form.values is not None:
        return Sequence.of_values(np.array(form.values, dtype=np.float32))
    if form.columns is not None:
        return _of_columns(form)
    wave = form.model_dump(include={"length", "amplitude", "period", "seed"}, exclude_none=True)
    return Sequence(form.kind or "", **wave)


def _of_columns(form: SequenceForm) -> Sequence:
    if form.length is None or not form.columns:
        raise ValueError(tr("Columns need a “length”, the number of steps."))
    array = np.zeros((form.length, len(form.columns)), dtype=np.float32)
    for k, column in enumerate(form.columns):
        array[:, k] = column.fill
        for place, number in column.at.items():
            match = _SPAN.fullmatch(place)
            first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, form.length)
            if last >= form.length:
                raise ValueError(no_step(form.length - 1, place))
            array[first : last + 1, k] = number
    return Sequence.of_values(array)


def _said(given: str | dict[str, str] | None, language: str) -> str:
    if isinstance(given, dict):
        return given.get(language) or given.get("en") or next(iter(given.values()))
    return given or ""


def _intervention(form: WhatIf) -> Intervention:
    where: dict[str, tuple] = {}
    if form.units is not None:
        where["units"] = tuple(form.units)
    if form.steps is not None:
        match = _STEPS.fullmatch(str(form.steps))
        if match is None and not str(form.steps).isdecimal():
            raise ValueError(
                tr("Steps are one, 30, or the first and the last, 26-59; not {steps}.", steps=shown(form.steps))
            )
        first, last = (int(match[1]), int(match[2])) if match else (int(form.steps), int(form.steps))
        where["steps"] = (first, last + 1)
    given = (form.hold, form.at, form.scale, form.by, form.silence)
    if form.hold is not None and form.at is not None and given[2:] == (None, None, None):
        return Clamp(form.hold, form.at, **where)
    if form.scale is not None and form.by is not None and (form.hold, form.at, form.silence) == (None, None, None):
        return Scale(form.scale, form.by, **where)
    if form.silence is not None and given[:4] == (None, None, None, None):
        return Ablate(form.silence, **where)
    raise ValueError(tr("Write hold and at, or scale and by, or silence."))
