"""Whether a network does better than repeating the last value, and than one value for all steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn

from seqviz.checks import shown
from seqviz.experiment import Experiment
from seqviz.language import tr
from seqviz.memory.found import Guesses
from seqviz.memory.ratios import ratio
from seqviz.trials import Ran, Trial, trial

__all__ = ["against_guesses", "guessed"]

FARTHEST: Final = 64
"""Steps ahead that are looked through for the input in the targets."""

Last = int | Sequence[int] | Tensor | None
"""The inputs that are the quantity which is predicted, or what repeating its last value predicts."""


def against_guesses(
    subject: nn.Module | Experiment, x: Any = None, targets: Any = None, last: Last = None, **judged: Any
) -> Guesses:
    """A network's loss in units of what needs no network: the last value again, and one value for all steps.

    Repeating the last value ("persistence", the least that a forecast is held against) needs targets that are later
    values of the input. That is found by looking for them there; where the input is scaled otherwise than the
    targets, or only its end is given, say it with ``last``. The one value for all steps is the best one for these
    very data: the mean, or the frequencies of classes.

    Args:
        subject, x, targets: as for :func:`seqviz.trials.trial`, which also takes the further arguments.
        last: which inputs are the quantities that are predicted, or the predictions themselves.

    Raises:
        ValueError: nothing to judge by, or inputs that there are not.
    """
    return guessed(trial(subject, x, targets, **judged), last)


def guessed(asked: Trial, last: Last = None) -> Guesses:
    """:func:`against_guesses` of a trial."""
    y, ran = asked.answer()
    errors, targets = asked.errors_of(y, ran), asked.targets
    if targets is None:
        return Guesses(errors.mean, None, None)
    constant = _constant(asked, y)
    predictions, ahead = _predictions(asked, ran, last)
    against = None if constant is None else ratio(errors, asked.errors_of(constant, ran))
    repeated = None
    if predictions is not None:
        repeated = ratio(errors, asked.errors_of(predictions.to(y.dtype), ran))
    return Guesses(errors.mean, repeated, against, ahead)


def _constant(asked: Trial, y: Any) -> Tensor | None:
    """An output that says the same at every step: the best one for these targets."""
    targets = asked.targets
    assert targets is not None
    if not isinstance(y, Tensor):
        return None
    if asked.loss == "cross_entropy":
        counted = targets.reshape(-1) if asked.mask is None else targets[asked.mask.bool()]
        often = torch.bincount(counted.long(), minlength=y.shape[-1]).to(y.dtype)
        return (often / often.sum()).log().clamp(min=-100.0).expand(y.shape)
    if targets.shape != y.shape and targets.numel() != y.numel():
        return None
    real = targets.to(torch.float64).reshape(y.shape)
    flat = real.reshape(-1, y.shape[-1] if y.dim() > 1 else 1)
    if asked.mask is not None and asked.mask.numel() == len(flat):
        flat = flat[asked.mask.reshape(-1).bool()]
    mean = flat.mean(0)
    if asked.loss == "bits":
        mean = torch.logit(mean, eps=1e-12)
    return (mean if y.dim() > 1 else mean.reshape(())).to(y.dtype).expand(y.shape)


def _predictions(asked: Trial, ran: Ran, last: Last) -> tuple[Tensor | None, int]:
    """What repeating the last value predicts, and how many steps ahead that is, where it is known."""
    x, targets = asked.x, asked.targets
    if isinstance(last, Tensor):
        return last, 0
    if asked.loss != "mse" or not isinstance(x, Tensor) or not x.is_floating_point() or targets is None:
        if last is not None:
            raise ValueError(tr("Repeating the last value needs an input of real numbers and targets of the same."))
        return None, 0
    seen = _seen(x, targets, ran)
    if seen is None:
        return None, 0
    if last is None:
        return _found(x, targets, seen, ran)
    wanted = [last] if isinstance(last, int) else list(last)
    width = targets.shape[-1] if targets.dim() == seen.dim() else 1
    if len(wanted) != width or not all(isinstance(k, int) and 0 <= k < seen.shape[-1] for k in wanted):
        raise ValueError(
            tr(
                "last must name an input, from 0 to {last}, for each of the {count} targets; got {given}.",
                last=seen.shape[-1] - 1,
                count=width,
                given=shown(last),
            )
        )
    return seen[..., wanted].reshape(targets.shape), 0


def _seen(x: Tensor, targets: Tensor, ran: Ran) -> Tensor | None:
    """The input at each step for which there is a target: all of it, or the last step of each sequence."""
    if x.shape[:-1] in (targets.shape[:-1], targets.shape):
        return x
    if x.dim() == 3 and len(targets) == ran.batch:
        end = x[:, -1] if ran.axis_of_batch(tuple(x.shape)) == 0 else x[-1]
        return end if end.shape[:-1] in (targets.shape[:-1], targets.shape) else None
    return None


def _found(x: Tensor, targets: Tensor, seen: Tensor, ran: Ran) -> tuple[Tensor | None, int]:
    """The inputs whose later values the targets are, looked for a few steps ahead."""
    wide = targets if targets.dim() == seen.dim() else targets.unsqueeze(-1)
    axis = 0 if seen is not x else 1 - (ran.axis_of_batch(tuple(x.shape)) or 0) if x.dim() == 3 else 0
    later, now = wide.movedim(axis, 0), seen.movedim(axis, 0)
    for ahead in range(1, min(FARTHEST, len(now) - 1) + 1):
        columns = [_column(later[:-ahead, ..., k], now[ahead:]) for k in range(later.shape[-1])]
        if all(column is not None for column in columns):
            return seen[..., columns].reshape(targets.shape), ahead
    return None, 0


def _column(wanted: Tensor, among: Tensor) -> int | None:
    """The input that is equal to a target throughout and is no constant; None if there is none."""
    if not wanted.numel() or bool((wanted == wanted.reshape(-1)[0]).all()):
        return None
    for k in range(among.shape[-1]):
        if torch.allclose(among[..., k].double(), wanted.double(), rtol=1e-5, atol=1e-8):
            return k
    return None
