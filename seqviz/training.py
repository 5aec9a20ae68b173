"""A trainer that is a generator of checkpoints: deterministic, stoppable between steps, resumable."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

import torch
from torch import nn

from seqviz import vocabulary as words
from seqviz.experiment import Experiment, Init, Sequence, Tensor
from seqviz.runner import network
from seqviz.tasks import Task
from seqviz.weights import materialise

__all__ = ["ANY", "RECIPES", "Checkpoint", "Recipe", "prepare", "train"]


@dataclass(frozen=True)
class Recipe:
    """How to train: Adam with gradient clipping, fresh batches.

    Args:
        cell, hidden_size: the network.
        lr: Adam's.
        scheme: how the weights start (:class:`seqviz.Init`), with `forget_bias` where given.
        memory: T of the chrono initialisation, in steps.
        batch, clip, max_steps, every: batch size, largest gradient norm, limits and the steps between checkpoints.
        curriculum: begin with two steps and add two each time the task is solved, up to the task's length.
        lesson: what this recipe shows.
    """

    cell: str = words.LSTM
    hidden_size: int = 32
    lr: float = 1e-2
    scheme: str = "default"
    forget_bias: float | None = None
    memory: int = 0
    batch: int = 64
    clip: float = 1.0
    max_steps: int = 1000
    every: int = 25
    curriculum: bool = False
    lesson: str = ""


_FAILS = "An instructive failure: "

RECIPES: Final[dict[str, dict[str, Recipe]]] = {
    "latch": {
        "LSTM, chrono": Recipe(hidden_size=16, scheme="chrono", memory=50, max_steps=400, every=10,
                               lesson="Forget biases drawn for long memories hold the bit from the first steps on."),
        "LSTM, default": Recipe(hidden_size=16, max_steps=1000,
                                lesson=_FAILS + "default gates lose the bit before the loss sees it."),
        "RNN, default": Recipe(
            words.RNN_TANH, 32, 3e-3, max_steps=1000, lesson="A matter of luck: only some seeds find it."
        ),
    },
    "adding": {
        "LSTM, chrono": Recipe(scheme="chrono", memory=50, max_steps=800),
        "GRU": Recipe(words.GRU, max_steps=800),
        "RNN, identity (IRNN)": Recipe(words.RNN_RELU, 64, 1e-3, "identity", max_steps=2000),
        "RNN, default": Recipe(words.RNN_TANH, 64, 1e-3, max_steps=2000, lesson=_FAILS + "it only learns the mean."),
    },
    "order": {
        "LSTM, chrono": Recipe(scheme="chrono", memory=100, max_steps=800),
        "LSTM, forget bias 1": Recipe(forget_bias=1.0, max_steps=1500,
                                      lesson=_FAILS + "a forget bias of 1 is too short a memory for 100 steps."),
    },
    "copy": {
        "LSTM, chrono": Recipe(hidden_size=64, lr=2e-2, scheme="chrono", memory=40, max_steps=1200),
        "RNN, orthogonal": Recipe(words.RNN_TANH, 64, 1e-3, "orthogonal", max_steps=1000),
        "GRU": Recipe(words.GRU, 64, max_steps=1200),
    },
    "parity": {
        "LSTM": Recipe(hidden_size=16, max_steps=600),
        "GRU": Recipe(words.GRU, 16, max_steps=600),
    },
    "parity_end": {
        "LSTM, all at once": Recipe(hidden_size=16, max_steps=1000,
                                    lesson=_FAILS + "judged at the end only, no gradient tells which bit mattered."),
        "LSTM, short ones first": Recipe(hidden_size=16, max_steps=1500, every=10, curriculum=True,
                                         lesson="The same task and loss, but with a curriculum of lengths."),
    },
    "brackets": {
        "LSTM, forget bias 1": Recipe(forget_bias=1.0, max_steps=800),
        "RNN, orthogonal": Recipe(words.RNN_TANH, 32, 3e-3, "orthogonal", max_steps=1500),
    },
    "sine": {"LSTM": Recipe(max_steps=800), "GRU": Recipe(words.GRU, max_steps=800)},
    "prose": {"LSTM, forget bias 1": Recipe(hidden_size=64, lr=2e-2, forget_bias=1.0, batch=16, max_steps=1200)},
}  # fmt: skip
"""Named defaults by task, the first being the one to start with. Some fail, and say why."""

ANY: Final[dict[str, Recipe]] = {"LSTM, forget bias 1": Recipe(forget_bias=1.0), "GRU": Recipe(words.GRU)}


@dataclass(frozen=True)
class Checkpoint:
    """Where training stood.

    Args:
        step: optimiser steps so far.
        loss: the mean training loss since the last checkpoint.
        score: on held-out sequences, the task's metric.
        grad_norm, clipped_norm: of the last gradient, before and after clipping.
        experiment: the network of this moment on the task's probe.
        length: the steps of the sequences now trained on.
        seconds: of CPU that the training steps took so far.
        reason: why training ended, on the last one; else empty.
        state: what resuming needs (optimiser and generators); not for reading.
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


def prepare(task: Task, recipe: Recipe, seed: int = 0) -> Experiment:
    """The untrained network of a recipe, on the task's probe.

    chrono's memory is the recipe's, not the probe's length: the biases are drawn for it and kept as tensors.
    """
    sequence, _, _ = task.probe()
    init = Init(scheme=recipe.scheme, forget_bias=recipe.forget_bias, seed=seed)
    base = Experiment(
        recipe.cell, task.inputs, recipe.hidden_size, task.outputs, init=init, sequence=sequence,
    )  # fmt: skip
    if recipe.scheme != "chrono":
        return base
    drawn = materialise(replace(base, sequence=Sequence("noise", max(3, recipe.memory))))
    return replace(base, tensors=tuple(Tensor.of(name, array) for name, array in drawn.items()))


@dataclass
class _Run:
    net: nn.Module
    optimizer: torch.optim.Adam
    draw: torch.Generator
    length: int
    step: int = 0
    seconds: float = 0.0

    def state(self) -> dict[str, Any]:
        return {
            "net": copy.deepcopy(self.net.state_dict()),
            "optimizer": copy.deepcopy(self.optimizer.state_dict()),
            "draw": self.draw.get_state(),
            "length": self.length,
            "step": self.step,
            "seconds": self.seconds,
        }

    def load(self, state: dict[str, Any]) -> None:
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(copy.deepcopy(state["optimizer"]))
        self.draw.set_state(state["draw"])
        self.length, self.step, self.seconds = state["length"], state["step"], state["seconds"]


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

    The same seed and number of threads give the same checkpoints, and a run that was stopped and resumed gives
    the same as one that was not. The random state of torch is left alone.

    Args:
        experiment: the network to start from, of :func:`prepare` or any of the task's sizes.
        task, recipe: what to learn and how.
        seed: of the batches.
        resume: go on from this checkpoint.
        stop: asked between steps; True ends the run after a last checkpoint.

    Raises:
        ValueError: the network's sizes are not the task's.
    """
    if (experiment.input_size, experiment.output_size) != (task.inputs, task.outputs):
        raise ValueError(
            f"The task has {task.inputs} inputs and {task.outputs} outputs; the network has "
            f"{experiment.input_size} and {experiment.output_size}."
        )
    net = network(experiment).train()
    parameters = [p.requires_grad_() for p in net.parameters()]
    short = min(2, task.length) if recipe.curriculum else task.length
    optimizer = torch.optim.Adam(parameters, lr=recipe.lr, fused=True)
    run = _Run(net, optimizer, torch.Generator().manual_seed(seed), short)
    if resume is not None:
        run.load(resume.state)
    held_out = torch.Generator().manual_seed(seed + 10_007)
    exam = task.batch(held_out, 256)
    last = _checkpoint(run, experiment, task, exam, math.nan, (0.0, 0.0))
    if resume is None:
        yield last
    yield from _loop(run, experiment, task, recipe, exam, last, stop)


def _loop(
    run: _Run, experiment: Experiment, task: Task, recipe: Recipe, exam: Any, last: Checkpoint, stop: Callable[[], bool]
) -> Iterator[Checkpoint]:
    losses: list[float] = []
    while True:
        start = time.thread_time()
        loss, norms = _step(run, task, recipe)
        run.seconds += time.thread_time() - start
        losses.append(loss)
        if not math.isfinite(loss) or not math.isfinite(norms[0]):
            yield replace(last, reason=f"The loss became {loss:.3g} at step {run.step}; this is the last good network.")
            return
        ending = run.step >= recipe.max_steps
        asked = stop()
        if run.step % recipe.every and not ending and not asked:
            continue
        last = _checkpoint(run, experiment, task, exam, sum(losses) / len(losses), norms)
        losses = []
        solved = task.is_solved(last.score) and run.length == task.length
        if recipe.curriculum and run.length < task.length:
            _lengthen(run, task)
        reason = "Solved." if solved else "Stopped." if asked else "It ran out of steps." if ending else ""
        yield replace(last, reason=reason)
        if reason:
            return


def _step(run: _Run, task: Task, recipe: Recipe) -> tuple[float, tuple[float, float]]:
    batch = task.batch(run.draw, recipe.batch, run.length)
    run.optimizer.zero_grad(set_to_none=True)
    loss = task.loss(run.net(batch.x), batch)
    loss.backward()
    norm = float(nn.utils.clip_grad_norm_(run.net.parameters(), recipe.clip))
    if math.isfinite(norm):
        run.optimizer.step()
    run.step += 1
    return float(loss.detach()), (norm, min(norm, recipe.clip))


def _lengthen(run: _Run, task: Task) -> None:
    """The next length of the curriculum, once the present one is solved."""
    draw = torch.Generator().manual_seed(run.step)
    batch = task.batch(draw, 256, run.length)
    with torch.no_grad():
        if task.is_solved(task.score(run.net(batch.x), batch)):
            run.length = min(task.length, run.length + 2)


def _checkpoint(
    run: _Run, experiment: Experiment, task: Task, exam: Any, loss: float, norms: tuple[float, float]
) -> Checkpoint:
    with torch.no_grad():
        score = task.score(run.net(exam.x), exam)
    tensors = tuple(
        Tensor.of(name.removeprefix("rnn."), value.detach().numpy()) for name, value in run.net.state_dict().items()
    )
    now = replace(experiment, tensors=tensors, edits=())
    return Checkpoint(run.step, loss, score, *norms, now, run.length, run.seconds, state=run.state())
