"""From what a module returns to the one number whose gradient is wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from seqviz.checks import shown
from seqviz.gradients.answers import Answer
from seqviz.language import tr

__all__ = ["Loss", "scalar"]

Loss = str | tuple[int, int] | Callable[[Any], Tensor]
"""``"last"``, ``"sum"``, ``"mean"``, ``(step, unit)``, or a function of a module's output."""


def scalar(loss: Loss, answer: Answer) -> Tensor:
    """The loss of a module's output.

    Raises:
        ValueError: no such loss, or one that asks for an output that is not there.
    """
    if callable(loss):
        total = loss(answer.value)
        if not isinstance(total, Tensor) or total.numel() != 1:
            raise ValueError(tr("The loss must give one number, a tensor with a single element."))
        if total.is_complex():
            raise ValueError(tr("The loss is complex; a gradient is of a real number, such as loss.abs()."))
        return total.reshape(())
    if isinstance(loss, str) and loss in ("sum", "mean"):
        value = answer.tensor()
        data = value.data if isinstance(value, PackedSequence) else value
        return data.sum() if loss == "sum" else data.mean()
    if isinstance(loss, tuple):
        return _output_at(answer.steps(), loss)
    if loss != "last":
        raise ValueError(
            tr("The loss must be 'last', 'sum', 'mean' or a function of the output, not {loss}.", loss=shown(loss))
        )
    y = answer.steps()
    if y is None:
        return answer.tensor().sum()
    if answer.lengths is None:
        return y[-1].sum()
    lengths = torch.tensor(answer.lengths, device=y.device)
    return y[lengths - 1, torch.arange(len(lengths), device=y.device)].sum()


def _output_at(y: Tensor | None, place: tuple[Any, ...]) -> Tensor:
    if len(place) != 2 or not all(isinstance(k, int) and not isinstance(k, bool) for k in place):
        raise ValueError(tr("An output is chosen as (step, unit), two whole numbers; got {place}.", place=shown(place)))
    step, unit = place
    if y is None:
        raise ValueError(
            tr("The module gives one answer and no steps; ask for 'last' or give a function of its output.")
        )
    if not (0 <= step < len(y) and 0 <= unit < y.shape[-1]):
        raise ValueError(
            tr(
                "The output has steps 0 to {last_step} and units 0 to {last_unit}; "
                "step {step}, unit {unit} does not exist.",
                last_step=len(y) - 1,
                last_unit=y.shape[-1] - 1,
                step=step,
                unit=unit,
            )
        )
    return y[step, ..., unit].sum()
