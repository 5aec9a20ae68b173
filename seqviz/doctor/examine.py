"""The doctor: signs, cures tried on the data, and what of it is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from seqviz.capture.precision import twin
from seqviz.capture.run import as_keywords, capture
from seqviz.checks import number, whole
from seqviz.doctor import cures
from seqviz.doctor.finding import Cure, Diagnosis, Effect, Finding
from seqviz.doctor.measure import Bench, Training, split
from seqviz.doctor.signs import Part, Sign, of_inputs, of_layers, parts_of
from seqviz.experiment import Experiment
from seqviz.gradients.answers import Output
from seqviz.gradients.flow import gradient_flow
from seqviz.language import later
from seqviz.runner import inputs, network
from seqviz.tasks import Task
from seqviz.telling.doctor import says, source, title
from seqviz.trace import Trace
from seqviz.trials import Loss, Ran, Trial, trial

__all__ = ["doctor"]

EXPLODES: Final = 3.0
"""Powers of ten by which a gradient is larger at some step than where the loss is."""

SEEN: Final = 64
"""Sequences that are looked at."""

SEEDS: Final = (0, 1)
"""Of the trainings."""

HARDLY: Final = 1.01
"""A cure without which the loss is not larger than this many times is left out."""


def doctor(
    subject: nn.Module | Experiment,
    x: Any = None,
    targets: Any = None,
    *,
    loss: Loss = None,
    mask: Any = None,
    task: Task | None = None,
    hx: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    output: Output = None,
    steps: int = 100,
    lr: float = 1e-2,
) -> Diagnosis:
    """What is wrong with a recurrent network, what might cure it, and what that did on the data.

    Signs are read off one run; each has a cure that can be applied at once, and each cure is tried on the data, alone
    and together with the others, since cures that alone do nothing or harm may together mend a network. What shows as
    it is (a gate's bias) is judged as it is; what only training shows (chrono biases, standardised inputs, clipping)
    after ``steps`` steps of Adam with and without it, from two seeds, on every other sequence, judged by the rest.
    A sign is told if it is certain, a unit that never changes say, or if its cure helps; else it is listed as
    harmless. The module itself is not touched.

    Args:
        subject: a module with recurrent layers, or an experiment.
        x: its input; an experiment's own by default.
        targets, loss, mask, task, hx, kwargs, output: what is judged by, as for :func:`seqviz.trials.trial`. With
            none of them only what is certain is told, and no cure is tried.
        steps, lr: of the trainings.

    Returns:
        A :class:`~seqviz.doctor.Diagnosis`, a sequence of :class:`~seqviz.doctor.Finding`.

    Raises:
        ValueError: nothing recurrent, or targets that do not fit.
    """
    whole(steps, later("The number of steps"), 1, 10**6)
    number(lr, later("The learning rate"))
    if task is None and targets is None and loss is None:
        module = network(subject) if isinstance(subject, Experiment) else subject
        x = inputs(subject) if x is None and isinstance(subject, Experiment) else x
        return _unjudged(Trial(module, x, None, None, None, hx, as_keywords(kwargs), output))
    given = {"loss": loss, "mask": mask, "task": task, "hx": hx, "kwargs": kwargs, "output": output}
    asked = trial(subject, x, targets, **given)
    _, ran = asked.answer()
    if task is not None:
        pool = replace(trial(subject, **given, seed=1), module=asked.module)
        judged = asked
    else:
        pool, judged = split(asked, ran)
    return _judged(judged, Training(pool, pool.answer()[1], steps, lr), judged.answer()[1])


def _unjudged(asked: Trial) -> Diagnosis:
    """What is certain without anything to judge by."""
    found = [replace(_finding(s), cure=next(iter(s.cures), None)) for s in _signs(asked) if s.certain]
    return Diagnosis(tuple(found), untried=True)


def _judged(asked: Trial, training: Training, ran: Ran) -> Diagnosis:
    few = asked.some(torch.arange(min(SEEN, ran.batch)), ran) if ran.batch > SEEN else asked
    signs = list(_signs(few))
    if not any(sign.kind == "overflow" for sign in signs):
        signs += _on_the_way_back(few)
    bench = Bench(asked, training, SEEDS)
    chosen = [_best(bench, sign) for sign in signs]
    helping = _together(bench, chosen)
    findings, harmless = list[Finding](), list[Finding]()
    for k, (sign, (cure, effect)) in enumerate(zip(signs, chosen, strict=True)):
        helps = k in helping or (effect is not None and effect.helps and not effect.steps)
        found = replace(_finding(sign), cure=cure, effect=effect, shared=k in helping)
        (findings if sign.certain or helps else harmless).append(found)
    together = bench.effect(_those(chosen, helping)) if len(helping) > 1 else None
    return Diagnosis(tuple(findings), together, bench.now.mean, tuple(harmless))


Tried = tuple[Cure | None, Effect | None]
"""A sign's best cure, and what it did alone."""


def _best(bench: Bench, sign: Sign) -> Tried:
    tried = [(cure, bench.effect([cure])) for cure in sign.cures]
    return min(tried, key=lambda pair: (not pair[1].helps, _after(pair[1])), default=(None, None))


def _those(chosen: list[Tried], places: Iterable[int]) -> list[Cure]:
    return [cure for k in places if (cure := chosen[k][0]) is not None]


def _together(bench: Bench, chosen: list[Tried]) -> list[int]:
    """The signs whose cures help together: all of them, less those without which the rest does as well."""
    at_once = [k for k, (cure, _) in enumerate(chosen) if cure is not None and not cure.trained]
    kept, best = list(at_once), bench.errors(_those(chosen, at_once)).mean
    for k in sorted(at_once, key=lambda k: -_after(chosen[k][1])):
        rest = [other for other in kept if other != k]
        without = bench.errors(_those(chosen, rest)).mean
        if without <= best * HARDLY:
            kept, best = rest, without
    if not kept or not bench.at_once(_those(chosen, kept)).helps:
        kept = []
    there = _those(chosen, kept)
    for k, (cure, effect) in enumerate(chosen):
        if cure is None or not cure.trained or effect is None or not effect.helps:
            continue
        if not there or bench.effect([cure], there).helps:
            kept.append(k)
    trained = any(cure.trained for cure in _those(chosen, kept))
    if len(kept) > 1 and trained and not bench.effect(_those(chosen, kept)).helps:
        return []
    return sorted(kept)


def _after(effect: Effect | None) -> float:
    return float("inf") if effect is None or effect.after != effect.after else effect.after


def _finding(sign: Sign) -> Finding:
    told = sign.numbers.get("problem") or says(sign.kind, **sign.numbers)
    return Finding(sign.kind, title(sign.kind, sign.units), told, source(sign.kind), sign.rows, certain=sign.certain)


def _signs(asked: Trial) -> Iterator[Sign]:
    module = asked.module
    trace = capture(twin(module), asked.x, asked.hx, kwargs=asked.kwargs)
    parts = list(parts_of(module, trace))
    yield from _overflow(module, trace, parts)
    yield from of_inputs(asked.x)
    yield from of_layers(module, parts)


def _overflow(module: nn.Module, trace: Trace, parts: list[Part]) -> Iterator[Sign]:
    """A run whose numbers stopped being finite, though what came in was."""
    if not np.isfinite(trace[next(iter(trace))]).all() or all(np.isfinite(trace[name]).all() for name in trace):
        return
    for part in parts:
        if not np.isfinite(part.signals["h"]).all():
            cure = cures.tamed(module, part.layer, trained=False)
            numbers = {"problem": trace.problem}
            yield Sign("overflow", (), part.rows("h"), numbers, () if cure is None else (cure,), certain=True)


def _on_the_way_back(asked: Trial) -> Iterator[Sign]:
    """A gradient that is far larger at some step than where the loss is."""
    try:
        flow = gradient_flow(
            twin(asked.module), asked.x, asked.hx, asked.total, dtype=torch.float64, kwargs=asked.kwargs,
            output=asked.output,
        )  # fmt: skip
    except ValueError:
        return  # a module that cannot be copied into float64, or whose loss cannot: nothing is said of it
    for part in parts_of(asked.module, flow.trace):
        name = f"{part.prefix}{part.layer.end}.h"
        logs = flow.log10_norms(name)
        places = np.flatnonzero(np.isfinite(logs))
        if not len(places):
            continue
        last = int(places[0 if part.layer.end.endswith("_reverse") else -1])  # in the order of processing
        step = int(places[logs[places].argmax()])
        if logs[step] - logs[last] > EXPLODES:
            factor = float(10 ** (logs[step] - logs[last]))
            numbers = {"step": step, "value": factor}
            tamed = cures.tamed(asked.module, part.layer, trained=True)
            yield Sign("exploding", (), part.rows("h"), numbers, (cures.clip(), *(() if tamed is None else (tamed,))))
