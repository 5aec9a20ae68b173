"""Whether somebody has done what a task asks: measured on their own experiment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from seqviz import cells, weights
from seqviz.checks import instance
from seqviz.experiment import Experiment
from seqviz.language import later, sentences, tr
from seqviz.lessons.experiments import changed, drawn, weight_edit
from seqviz.lessons.expressions import Node
from seqviz.lessons.lesson import Lesson, Task
from seqviz.lessons.measures import value
from seqviz.lessons.saying import asked, said
from seqviz.sequences import generate

__all__ = ["Answer", "allowed", "changes", "check", "meter", "prove"]

FREE = ("input", "what_if", "spectral_radius", "forget_bias")
"""What a task may leave free, besides weights by their names."""


@dataclass(frozen=True)
class Answer:
    """Whether a task is done, and the sentence that says what was measured."""

    passed: bool
    says: str


def allowed(name: str, start: Experiment) -> None:
    """Look whether this is something that a task can leave free.

    Raises:
        ValueError: it is not.
    """
    if name not in FREE:
        start.edited([weight_edit(start, name, 0.0)])


def check(task: Task, experiment: Experiment, language: str | None = None) -> Answer:
    """Measure whether an experiment does what a task asks.

    Args:
        task: of a step.
        experiment: the person's own setting.
        language: the one in which the lesson is read, where its input is a text in that language.
    """
    instance(experiment, Experiment, later("What is checked"))
    other = changes(task.start(language), experiment) - set(task.may)
    if other:
        return Answer(
            False,
            tr(
                "Only {may} may change here; this also changes {other}.",
                may=", ".join(task.may),
                other=", ".join(sorted(other)[:5]),
            ),
        )
    found = []
    for one in task.checks:
        on = drawn(experiment, dict(one.drawn))
        for comparison in _comparisons(one.that):
            if not value(comparison, on):
                return Answer(False, _failed(one.drawn, comparison, on))
        if not value(one.that, on):
            return Answer(False, _where(one.drawn, tr("{asked} does not hold.", asked=one.that.text)))
        found.append(_where(one.drawn, _holding(one.that, on)))
    return Answer(True, sentences(found))


def _comparisons(node: Node) -> Iterator[Node]:
    """Those that all have to hold; of an “or” none has to alone."""
    if node.op == "and":
        for part in node.parts:
            if part is not None:
                yield from _comparisons(part)
    elif node.op != "or":
        yield node


def _failed(drawn_: tuple[tuple[str, float], ...], comparison: Node, on: Experiment) -> str:
    return _where(drawn_, _told(comparison, on) or tr("{asked} does not hold.", asked=comparison.text))


def _holding(that: Node, on: Experiment) -> str:
    told = [_told(comparison, on) for comparison in _comparisons(that)]
    if told and all(told):
        return sentences(told)
    return tr("{asked} holds: {measured}.", asked=that.text, measured=_measured(that, on))


def _told(comparison: Node, on: Experiment) -> str:
    """What was measured and what is asked, in words; "" where a comparison is of another form."""
    left, right = comparison.parts if len(comparison.parts) == 2 else (None, None)
    if left is None or right is None:
        return ""
    if not _is_constant(right):
        first, second = value(left, on), value(right, on)
        names = {"what": said(left), "number": first, "other": said(right), "asked": second}
        return tr("{what}: {number:.4g}; {other}: {asked:.4g}.", **names) if comparison.op == "==" else ""
    wanted = asked(comparison.op, value(right, on))
    if wanted is None:
        return ""
    return tr("{what}: {number:.4g}; {asked}.", what=said(left), number=value(left, on), asked=wanted)


def _where(drawn_: tuple[tuple[str, float], ...], says: str) -> str:
    if not drawn_:
        return says
    if len(drawn_) > 3:
        return tr("On another input: {says}", says=says)
    places = ", ".join(f"x[{place}] = {number:g}" for place, number in drawn_)
    return tr("With {places}: {says}", places=places, says=says)


def _measured(node: Node, on: Experiment) -> str:
    sides = [side for side in _sides(node) if not _is_constant(side)]
    found = [tr("{what} is {number:.4g}", what=said(side), number=value(side, on)) for side in dict.fromkeys(sides)]
    return ", ".join(found)


def _sides(node: Node) -> Iterator[Node]:
    for part in node.parts:
        if part is not None and node.op in ("and", "or"):
            yield from _sides(part)
        elif part is not None:
            yield part


def _is_constant(node: Node) -> bool:
    return node.op in ("number", "-x") and all(part is None or _is_constant(part) for part in node.parts)


def meter(task: Task, experiment: Experiment) -> float:
    """The number that is shown beside the picture while a task is open."""
    return value(task.meter, experiment)


def changes(start: Experiment, experiment: Experiment) -> set[str]:
    """What an experiment changes of the one that a task began with: ``f.0.bias``, ``input``, ``what_if``, …"""
    sizes = [(e.cell, e.input_size, e.hidden_size, e.output_size, e.num_layers) for e in (start, experiment)]
    if sizes[0] != sizes[1]:
        return {"network"}
    found = set()
    for name in ("spectral_radius", "forget_bias"):
        if getattr(start.init, name) != getattr(experiment.init, name):
            found.add(name)
            start = replace(start, init=replace(start.init, **{name: getattr(experiment.init, name)}))
    before, after = (generate(e.sequence, e.input_size) for e in (start, experiment))
    if not np.array_equal(before, after):
        found.add("input")
    if start.interventions != experiment.interventions:
        found.add("what_if")
    return found | _weights(start, experiment)


def _weights(start: Experiment, experiment: Experiment) -> set[str]:
    before, after = (weights.materialise(e) for e in (start, experiment))
    cell, found = cells.get(start.cell), set()
    for name in before:
        for place in np.argwhere(before[name] != after[name])[:100]:
            row, col = int(place[0]), int(place[1]) if len(place) > 1 else 0
            block, unit = divmod(row, start.hidden_size)
            gate = "readout" if name.startswith("readout") else cell.packing[name.rpartition("_l")[0]][block][-1]
            term = "bias" if "bias" in name else f"{'x' if '_ih_' in name else 'h'}{col}"
            layer = "" if name.startswith("readout") or name.endswith("_l0") else f"l{name.rpartition('_l')[2]}."
            found.add(f"{layer}{gate}.{row if gate == 'readout' else unit}.{term}")
    return found


def prove(lesson: Lesson) -> list[str]:
    """Run everything that a lesson claims; give what does not hold.

    Every number is measured in every language. Of every task its start and its “nearly” must fail and its “passes”
    must pass.
    """
    wrong: list[str] = []
    for step in lesson.steps:
        for language in lesson.languages:
            for words in step.texts():
                for part, number in step.measured(words, language):
                    if not isinstance(part, str) and not np.isfinite(number):
                        wrong.append(
                            tr("{step}: {what} is {number}.", step=step.id, what=part.what.text, number=number)
                        )
        if step.task:
            wrong += [
                tr("{step}: {says}", step=step.id, says=says) for says in _unproved(step.task, lesson.languages[0])
            ]
    return wrong


def _unproved(task: Task, language: str) -> Iterator[str]:
    start = task.start(language)
    if check(task, start, language).passed:
        yield tr("the task is done before anybody begins.")
    good = check(task, changed(start, task.passes, language), language)
    if not good.passed:
        yield tr("“passes” does not pass: {says}", says=good.says)
    if check(task, changed(start, task.nearly, language), language).passed:
        yield tr("“nearly” passes.")
    for name, form in (("passes", task.passes), ("nearly", task.nearly)):
        if changes(start, changed(start, form, language)) - set(task.may):
            yield tr("“{name}” changes more than the task lets change.", name=name)
