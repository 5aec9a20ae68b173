"""A generator of checkpoints: deterministic, stoppable between steps, resumable."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from seqviz import counted
from seqviz.experiment import Experiment, Init, Tensor
from seqviz.language import tr
from seqviz.runner import network
from seqviz.tasks import Batch, Standing, Task, judge
from seqviz.training.recipes import Recipe
from seqviz.weights import initial, materialise

__all__ = ["Checkpoint", "prepare", "train"]


EXAM: Final = 256
"""Held-out sequences that a checkpoint is scored on; where that score reaches the threshold, many more are asked."""

DOUBT: Final = 0.05
"""How often a network that misses the threshold may be called solved, whenever and however often it is asked."""

GRACE: Final = 0.5
"""Seconds of CPU that a long exam may take although the run was asked to stop."""

DIVERGED: Final = 1e3
"""A loss of this many times the first (or 1, if that is more) has diverged."""


@dataclass(frozen=True)
class Checkpoint:
    """Where training stood.

    Args:
        step: optimiser steps so far.
        loss: the mean training loss since the last checkpoint.
        score: on held-out sequences, the task's metric: on 256 of them, or as ``standing`` says.
        grad_norm, clipped_norm: of the last gradient, before and after clipping.
        experiment: the network of this moment on the task's probe.
        length: the steps of the sequences now trained on.
        seconds: of CPU that the training steps took so far.
        reason: why training ended, on the last one; else empty.
        state: what resuming needs (optimiser and generators); not for reading.
        standing: the score on thousands of fresh sequences, which are asked where 256 reach the threshold, or on all
            that there are; else None.
        solved: whether the whole interval of that reaches the threshold.
    """

    step: int
    loss: float
    score: float
    grad_norm: float
    clipped_norm: float
    experiment: Experiment
    length: int
    seconds: float
    reason: str = ""
    state: Any = field(default=None, repr=False, compare=False)
    standing: Standing | None = None
    solved: bool = False


def prepare(task: Task, recipe: Recipe, seed: int = 0) -> Experiment:
    """The untrained network of a recipe, on the task's probe.

    chrono's memory is the recipe's, not the probe's length: the biases are drawn for it, and kept as tensors too.
    """
    sequence, _, _ = task.probe()
    chrono = recipe.scheme == "chrono"
    init = Init(
        scheme=recipe.scheme, forget_bias=recipe.forget_bias, seed=seed, memory=max(3, recipe.memory) if chrono else 0
    )
    base = Experiment(
        recipe.cell, task.inputs, recipe.hidden_size, task.outputs, init=init, sequence=sequence,
    )  # fmt: skip
    if not chrono:
        return base
    return replace(base, tensors=tuple(Tensor.of(name, array) for name, array in materialise(base).items()))


def _short(experiment: Experiment) -> Experiment:
    """The same network without tensors that are just what it starts with, so that it fits an address."""
    drawn = initial(experiment)
    if all(np.array_equal(tensor.array(), drawn[tensor.parameter]) for tensor in experiment.tensors):
        return replace(experiment, tensors=())
    return experiment


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread for torch: small networks are no slower, and the numbers do not depend on the machine."""
    before = torch.get_num_threads()
    if before != 1:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if before != 1:
            torch.set_num_threads(before)


class _Interrupted(Exception):
    """The run was asked to stop in the middle of a long exam."""


class _Run:
    """A network in training. Everything but the network that the next step depends on is in :meth:`state`."""

    def __init__(self, experiment: Experiment, task: Task, recipe: Recipe, seed: int, stop: Callable[[], bool]) -> None:
        self.experiment, self.task, self.recipe, self.stop = experiment, task, recipe, stop
        self.net = network(experiment).train()
        parameters = [p.requires_grad_() for p in self.net.parameters()]
        self.optimizer = torch.optim.Adam(parameters, lr=recipe.lr, fused=True)
        self.draw = torch.Generator().manual_seed(seed)
        self.seed, self.asked = seed, 0  # how often the long exam was taken
        self.owed = False  # whether one that was due was interrupted
        whole = task.whole() if task.held_out is None else None
        self.exam: Batch = whole or task.exam(torch.Generator().manual_seed(seed + 10_007), EXAM)
        self.length = min(max(2, task.shortest), task.length) if recipe.curriculum else task.length
        self.step, self.seconds, self.first = 0, 0.0, math.nan
        self.losses: list[float] = []  # since the last checkpoint that was due
        self.norms = (0.0, 0.0)

    def state(self) -> dict[str, Any]:
        kept = {name: getattr(self, name) for name in ("length", "step", "seconds", "first", "norms", "asked", "owed")}
        return kept | {
            "optimizer": copy.deepcopy(self.optimizer.state_dict()),
            "draw": self.draw.get_state(),
            "losses": list(self.losses),
        }

    def load(self, state: dict[str, Any]) -> None:
        state = dict(state)
        self.optimizer.load_state_dict(copy.deepcopy(state.pop("optimizer")))
        self.draw.set_state(state.pop("draw"))
        self.losses = list(state.pop("losses"))
        for name, value in state.items():
            setattr(self, name, value)

    @property
    def due(self) -> bool:
        """Whether this is a step of a checkpoint, wherever training ends."""
        return self.step % self.recipe.every == 0

    def advance(self) -> None:
        """One optimiser step on a fresh batch."""
        start, recipe = time.thread_time(), self.recipe
        batch = self.task.batch(self.draw, recipe.batch, self.length)
        for group in self.optimizer.param_groups:
            group["lr"] = recipe.lr * 0.5 ** (self.step / recipe.half_life) if recipe.half_life else recipe.lr
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.task.loss(self.net(batch.x), batch)
        loss.backward()
        norm = float(nn.utils.clip_grad_norm_(self.net.parameters(), recipe.clip))
        if math.isfinite(norm):
            self.optimizer.step()
        self.step += 1
        self.norms = (norm, min(norm, recipe.clip))
        self.losses.append(float(loss.detach()))
        if self.step == 1:
            self.first = self.losses[0]
        self.seconds += time.thread_time() - start

    def broken(self) -> str:
        """A sentence if the numbers can no longer be trained on; else empty."""
        loss = self.losses[-1]
        if not math.isfinite(loss):
            return tr(
                "The loss became {loss:.3g} at step {step}; this is the last good network.", loss=loss, step=self.step
            )
        if not math.isfinite(self.norms[0]):
            return tr(
                "The gradient's norm became {norm:.3g} at step {step}; this is the last good network.",
                norm=self.norms[0],
                step=self.step,
            )
        return ""

    def answers(self) -> torch.Tensor:
        """The network's ``y`` ``(L, N, O)`` of the held-out sequences."""
        with torch.no_grad():
            y: torch.Tensor = self.net(self.exam.x)
        return y

    def diverged(self, y: torch.Tensor) -> str:
        """The same at a checkpoint, which has to hold finite weights and a loss that is not absurd."""
        loss = self.losses[-1]
        if self.length == self.task.length:
            loss = max(loss, float(self.task.loss(y, self.exam)))
        if not all(bool(p.isfinite().all()) for p in self.net.parameters()):
            return tr("The weights became infinite at step {step}; this is the last good network.", step=self.step)
        if not loss <= DIVERGED * max(1.0, self.first):
            return tr(
                "The loss grew from {first:.3g} to {loss:.3g} by step {step}; this is the last good network.",
                first=self.first,
                loss=loss,
                step=self.step,
            )
        return ""

    def checkpoint(self, y: torch.Tensor) -> Checkpoint:
        """The network now; one that is due also moves the curriculum on and starts a new mean of the losses."""
        task = self.task
        score, standing = task.score(y, self.exam), self._standing(y)
        solved = standing is not None and standing.solves(task)
        loss = sum(self.losses) / len(self.losses) if self.losses else math.nan
        if self.due:
            self.losses = []
            if self.length < task.length and self._solved_so_far():
                self.length = min(task.length, self.length + 2)
        return Checkpoint(
            self.step, loss, score if standing is None else standing.score, *self.norms, self._network(), self.length,
            self.seconds, tr("Solved.") if solved else "", self.state(), standing, solved,
        )  # fmt: skip

    def _network(self) -> Experiment:
        """The network now; the untrained one as it was given, or by how its weights start."""
        if not self.step:
            return _short(self.experiment)
        tensors = tuple(
            Tensor.of(name.removeprefix("rnn."), value.numpy()) for name, value in self.net.state_dict().items()
        )
        return replace(self.experiment, tensors=tensors, edits=())

    def _standing(self, y: torch.Tensor) -> Standing | None:
        """The long exam, where the short one reaches the threshold.

        The first score that passes is a lucky one, so it is taken on fresh sequences; and because the last of many
        attempts would be a lucky one too, the k-th may err with ``DOUBT / (k (k + 1))``, which adds up to ``DOUBT``.
        """
        task = self.task
        if not self.step or self.length != task.length or not task.is_solved(task.score(y, self.exam)):
            return None
        generator = torch.Generator().manual_seed(20_011 + 10_007 * self.seed + self.step)
        start, asked = time.thread_time(), self.asked + 1

        def answer(x: torch.Tensor) -> torch.Tensor:
            if time.thread_time() - start > GRACE and self.stop():
                raise _Interrupted
            y: torch.Tensor = self.net(x)
            return y

        try:
            found = judge(task, answer, generator, alpha=2 * DOUBT / (asked * (asked + 1)))
        except _Interrupted:
            self.owed = self.due
            return None
        self.asked, self.owed = asked, False
        return found

    def resumed(self, last: Checkpoint) -> Checkpoint:
        """The checkpoint to go on from, with the long exam that it owes taken."""
        self.load(last.state)
        last = replace(last, reason="")
        if not self.owed or (standing := self._standing(self.answers())) is None:
            return last
        solved = standing.solves(self.task)
        return replace(
            last, score=standing.score, standing=standing, solved=solved, reason=tr("Solved.") if solved else "",
            state=self.state(),
        )  # fmt: skip

    def _solved_so_far(self) -> bool:
        """Whether the present length of the curriculum is solved."""
        if not self.step:
            return False
        batch = self.task.batch(torch.Generator().manual_seed(self.step), EXAM, self.length)
        with torch.no_grad():
            return self.task.is_solved(self.task.score(self.net(batch.x), batch))


def train(
    experiment: Experiment,
    task: Task,
    recipe: Recipe,
    *,
    seed: int = 0,
    resume: Checkpoint | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Checkpoint]:
    """Train a network and yield a checkpoint every ``recipe.every`` steps, the untrained one first.

    The same seed gives the same checkpoints, on one thread whatever torch is set to, and a run that was stopped
    and resumed gives the same as one that was not. The random state of torch is left alone. The last checkpoint
    says why it is the last; where nothing was trained since the one before, it repeats that one. Loss or weights
    that are no longer finite, or a loss of a thousand times the first, end training at the last good network.

    Args:
        experiment: the network to start from, of :func:`prepare` or any of the task's sizes.
        task, recipe: what to learn and how.
        seed: of the batches.
        resume: go on from this checkpoint, whose weights then take the experiment's place.
        stop: asked before the first step, after each, and during a long exam; True ends the run with a last
            checkpoint. An exam that is left out so is taken when the run goes on.

    Raises:
        ValueError: the network's sizes are not the task's, or not those of the checkpoint to resume.
    """
    if (experiment.input_size, experiment.output_size) != (task.inputs, task.outputs):
        raise ValueError(
            tr(
                "The task has {inputs} and {outputs}; the network has {own_inputs} and {own_outputs}.",
                inputs=counted.inputs(task.inputs),
                outputs=counted.outputs(task.outputs),
                own_inputs=experiment.input_size,
                own_outputs=experiment.output_size,
            )
        )
    if resume is not None and _sizes(resume.experiment) != _sizes(experiment):
        raise ValueError(tr("The checkpoint to resume is of another network: cell, sizes or layers differ."))
    with _one_thread():
        run = _Run(experiment if resume is None else resume.experiment, task, recipe, seed, stop)
        last = run.checkpoint(run.answers()) if resume is None else run.resumed(resume)
    if resume is None:
        yield last
    yield from _loop(run, last)


def _sizes(e: Experiment) -> tuple:
    return e.cell, e.input_size, e.hidden_size, e.output_size, e.num_layers


def _loop(run: _Run, last: Checkpoint) -> Iterator[Checkpoint]:
    """Steps until there is a reason to end."""

    def ending() -> str:
        if run.step >= run.recipe.max_steps:
            return tr("It ran out of steps.")
        return tr("Stopped.") if run.owed or run.stop() else ""

    if end := last.reason or ending():
        yield replace(last, reason=end)
        return
    while not end:
        with _one_thread():
            run.advance()
            problem, end = run.broken(), ending()
            wanted = run.due or bool(end)
            if wanted and not problem:
                y = run.answers()
                problem = run.diverged(y)
                last = last if problem else run.checkpoint(y)
        end = problem or last.reason or end or (tr("Stopped.") if run.owed else "")
        if wanted or end:
            yield replace(last, reason=end)
