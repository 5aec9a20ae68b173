"""What cures do to the loss: as they are, or after a short training with and without them."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from seqviz.capture.precision import twin
from seqviz.doctor.finding import Cure, Effect
from seqviz.memory.ratios import ratio
from seqviz.patience import worth
from seqviz.trials import Errors, Ran, Trial

__all__ = ["Bench", "Training", "split"]

WORTH: Final = 0.95
"""A loss that fell to this share of what it was has fallen."""

TRAINED: Final = 0.9
"""The same after trainings, which end here and there."""

BATCH: Final = 64
"""Sequences of a step of training."""


class Training:
    """A short training by Adam, the same whenever it is asked for.

    Args:
        pool: what is learned from.
        ran: which layout that is in.
        steps, lr: how many steps, and Adam's rate.
    """

    def __init__(self, pool: Trial, ran: Ran, steps: int, lr: float) -> None:
        self.pool, self.ran, self.steps, self.lr = pool, ran, steps, lr

    def continued(self, module: nn.Module, clip: float | None, seed: int) -> nn.Module:
        """A copy of a module after the steps; it ends early where its loss is no number."""
        module = twin(module)
        parameters = [p.requires_grad_() for p in module.parameters() if p.is_floating_point()]
        optimizer = torch.optim.Adam(parameters, lr=self.lr)
        draw, count = torch.Generator().manual_seed(seed), max(1, self.ran.batch)
        begun = time.thread_time()
        for step in range(self.steps):
            worth((time.thread_time() - begun) / max(1, step) * (self.steps - step))
            chosen = torch.randperm(count, generator=draw)[:BATCH]
            batch = (self.pool.some(chosen, self.ran) if count > 1 else self.pool).of(module)
            with torch.enable_grad():
                loss = batch.total(batch.forward())
                if not math.isfinite(float(loss.detach())):
                    break
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
            if clip is not None:
                nn.utils.clip_grad_norm_(parameters, clip)
            optimizer.step()
        return module


class Bench:
    """Measures cures on what a network is judged by.

    Args:
        judged: that.
        training: what is trained on, where cures need it.
        seeds: of the trainings; a cure has to help in each.
    """

    def __init__(self, judged: Trial, training: Training, seeds: Sequence[int]) -> None:
        self.judged, self.training, self.seeds = judged, training, tuple(seeds)
        self.now = judged.errors()
        self._known: dict[tuple[int, ...], Errors] = {}

    def errors(self, cures: Sequence[Cure]) -> Errors:
        """The losses with cures, as they are."""
        return self._of(_cured(self.judged.module, cures)) if cures else self.now

    def effect(self, cures: Sequence[Cure], beside: Sequence[Cure] = ()) -> Effect:
        """What cures do together, after a training if one of them needs it, where others are there already."""
        if any(cure.trained for cure in cures):
            return self._after_training(cures, beside)
        return self.at_once(cures)

    def at_once(self, cures: Sequence[Cure]) -> Effect:
        """What they do as they are."""
        after = self.errors(cures)
        found = ratio(after, self.now)
        helps = found.value <= WORTH and (found.high < 1.0 if found.known else found.value <= TRAINED)
        helps = helps or (math.isfinite(after.mean) and not math.isfinite(self.now.mean))
        return Effect(self.now.mean, after.mean, found, 0, helps)

    def _after_training(self, cures: Sequence[Cure], beside: Sequence[Cure]) -> Effect:
        pairs: list[tuple[Errors, Errors]] = []
        for seed in self.seeds:
            pairs.append((self._trained((*beside, *cures), seed), self._trained(tuple(beside), seed)))
            if not _better(*pairs[-1]):
                break  # it has to help each time
        helps = len(pairs) == len(self.seeds) and all(_better(*pair) for pair in pairs)
        after, before = (_joined([pair[k] for pair in pairs]) for k in (0, 1))
        return Effect(before.mean, after.mean, ratio(after, before), self.training.steps, helps)

    def _trained(self, cures: tuple[Cure, ...], seed: int) -> Errors:
        """The losses after a training that begins from these cures; each is made once."""
        key = (seed, *map(id, cures))
        if key not in self._known:
            clip = min((cure.clip for cure in cures if cure.clip is not None), default=None)
            start = _cured(self.judged.module, cures)
            self._known[key] = self._of(self.training.continued(start, clip, seed))
        return self._known[key]

    def _of(self, module: nn.Module) -> Errors:
        return self.judged.of(module).errors()


def _cured(module: nn.Module, cures: Sequence[Cure]) -> nn.Module:
    for cure in cures:
        module = cure.change(module)
    return module


def _better(after: Errors, before: Errors) -> bool:
    """Whether a training ended better, surely: by a tenth of the loss, and in the interval."""
    found = ratio(after, before)
    if not math.isfinite(before.mean):
        return math.isfinite(after.mean)
    return math.isfinite(found.value) and found.value <= TRAINED and (not found.known or found.high < 1.0)


def _joined(errors: list[Errors]) -> Errors:
    sums, counts = (np.sum([getattr(e, name) for e in errors], axis=0) for name in ("sums", "counts"))
    return Errors(np.asarray(sums), np.asarray(counts))


def split(asked: Trial, ran: Ran) -> tuple[Trial, Trial]:
    """What is learned from and what is judged by: every other sequence, or the same where there are few."""
    if ran.batch < 16:
        return asked, asked
    every: Any = torch.arange(ran.batch)
    return asked.some(every[::2], ran), asked.some(every[1::2], ran)
