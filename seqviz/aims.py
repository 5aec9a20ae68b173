"""What a network out of a file is judged by on a person's own table: columns that it should have given.

Shapes: ``L`` steps, ``T`` targets, ``O`` outputs of the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from seqviz import counted
from seqviz.language import Sentence, tr, trn
from seqviz.reading.networks.made import Whole, linear
from seqviz.telling.numbers import short
from seqviz.trials import trial

__all__ = ["MOST", "PIECE", "Aim", "aim", "share_of_guess"]

MOST: Final = 20_000
"""Steps at the most by which a network is judged."""

PIECE: Final = 200
"""Steps of the pieces that a long table is cut into, where many runs are made."""

WORK: Final = 2_000_000_000
"""Steps times weights of a run at the most, and of all pieces together a tenth of it: they are run many times."""

FEWEST: Final = 16
"""Steps at the least by which a network is judged."""

RIDGE: Final = 1e-3
"""Of a readout that is fitted, in units of the mean square of the states."""


@dataclass(frozen=True, eq=False)
class Aim:
    """A network, what it is given, and what would have been right.

    Attributes:
        module: takes ``x`` and gives ``(L, 1, O)``.
        x: ``(L, 1, F)``.
        targets: ``(L, 1, T)``, of classes ``(L, 1)``.
        loss: one of :data:`seqviz.trials.LOSSES`.
        mask: which losses count ``(L, 1)``; None all of them.
        says: what it is judged by, a sentence each.
    """

    module: Whole
    x: Tensor
    targets: Tensor
    loss: str
    mask: Tensor | None = None
    says: tuple[Sentence, ...] = ()

    @property
    def given(self) -> dict[str, Any]:
        """Keyword arguments of :func:`seqviz.memory.uses_memory`: all steps in one sequence."""
        return {"x": self.x, "targets": self.targets, "loss": self.loss, "mask": self.mask}

    @property
    def pieces(self) -> dict[str, Any]:
        """Keyword arguments of :func:`seqviz.doctor.doctor`: a long table in pieces of 200 steps, side by side."""
        count = min(len(self.x) // PIECE, max(2, WORK // 10 // (PIECE * _weights(self.module))))
        if count < 2:
            return self.given

        def cut(values: Tensor) -> Tensor:
            inside = values[len(values) - count * PIECE :, 0]
            return inside.reshape(count, PIECE, *inside.shape[1:]).transpose(0, 1)

        mask = None if self.mask is None else cut(self.mask)
        keep = slice(None) if mask is None else mask.any(0)
        x, targets = cut(self.x)[:, keep], cut(self.targets)[:, keep]
        return {"x": x, "targets": targets, "loss": self.loss, "mask": None if mask is None else mask[:, keep]}


def aim(network: Whole, x: np.ndarray, wanted: np.ndarray, *, ahead: int = 0) -> Aim:
    """What a network is judged by: columns of a table, at the same row or some rows later.

    A network whose outputs are as many as the columns is held to them as it is: by the mean square, or where the
    columns are bits as logits. Several outputs and one column of whole numbers are classes. Else, and where the file
    holds no readout, one is fitted to the states by least squares on the first half of the steps, and the second half
    is what counts.

    Args:
        network: as :meth:`seqviz.NetworkFile.whole` gives it.
        x: what it takes ``(L, F)``.
        wanted: the columns ``(L, T)``.
        ahead: how many rows later.

    Raises:
        ValueError: too few steps.
    """
    steps = min(len(x) - ahead, MOST, max(4 * PIECE, WORK // _weights(network)))
    if steps < FEWEST:
        raise ValueError(
            trn("Judging needs at least {least} steps with what would have been right; there is {count}.",
                "Judging needs at least {least} steps with what would have been right; there are {count}.",
                max(0, steps), least=FEWEST)
        )  # fmt: skip
    given = torch.from_numpy(np.ascontiguousarray(x[:steps], "<f4"))[:, None]
    right = np.ascontiguousarray(wanted[ahead : ahead + steps], "<f4")
    says = []
    if len(x) - ahead > steps:
        says.append(tr("It is judged by the first {steps}.", steps=counted.steps(steps)))
    outputs = None if network.readout is None else network.readout.out_features
    kind = _kind(outputs, right)
    mask = None
    if kind is None:
        network, mask, kind = _fitted(network, given, right), _second_half(steps), "mse"
        says.append(_of_fitting(outputs, right.shape[1]))
    targets = torch.from_numpy(right)[:, None]
    targets = targets[..., 0].long() if kind == "cross_entropy" else targets
    return Aim(network, given, targets, kind, mask, (*says, _of_loss(kind, right)))


def share_of_guess(asked: Aim) -> float:
    """The loss in units of that of the best single value for all steps; NaN where the loss is of another kind."""
    if asked.loss != "mse":
        return float("nan")
    found = trial(asked.module, **asked.given).errors().mean
    those = asked.targets if asked.mask is None else asked.targets[asked.mask]
    guess = float(those.reshape(-1, asked.targets.shape[-1]).var(0, correction=0).mean())
    return found / guess if guess > 0 else float("nan")


def _weights(network: Whole) -> int:
    return max(1, sum(parameter.numel() for parameter in network.parameters()))


def _kind(outputs: int | None, right: np.ndarray) -> str | None:
    """The loss by which so many outputs are held to columns; None where they cannot be."""
    whole = bool((right == np.round(right)).all())
    if outputs == right.shape[1]:
        return "bits" if whole and right.min() >= 0 and right.max() <= 1 else "mse"
    if outputs is not None and right.shape[1] == 1 and whole and right.min() >= 0 and right.max() < outputs:
        return "cross_entropy"
    return None


def _fitted(network: Whole, x: Tensor, right: np.ndarray) -> Whole:
    """The network with a readout that least squares gives on the first half of the steps."""
    bare = network.with_readout(None)
    half = max(1, len(x) // 2)
    with torch.no_grad():
        h = bare(x)[:half, 0].double()
    y = torch.from_numpy(right[:half]).double()
    middle, level = h.mean(0), y.mean(0)
    square = (h - middle).T @ (h - middle)
    ridge = RIDGE * float(square.diagonal().mean()) + 1e-9
    weight = torch.linalg.solve(square + ridge * torch.eye(len(square)).double(), (h - middle).T @ (y - level)).T
    return network.with_readout(linear(weight, level - weight @ middle))


def _second_half(steps: int) -> Tensor:
    return (torch.arange(steps) >= steps // 2)[:, None]


def _of_fitting(outputs: int | None, columns: int) -> Sentence:
    if outputs is None:
        return tr("The file has no readout that fits; one was fitted to the states on the first half of the steps, and "
                  "the second half counts.")  # fmt: skip
    return tr("The readout gives {outputs}, and {columns} were chosen; another was fitted to the states on the first "
              "half of the steps, and the second half counts.", outputs=counted.outputs(outputs),
              columns=counted.columns(columns))  # fmt: skip


def _of_loss(kind: str, right: np.ndarray) -> Sentence:
    if kind == "cross_entropy":
        return tr("The loss is the cross entropy of the classes.")
    if kind == "bits":
        return tr("The columns are bits, and the outputs are taken as logits: the loss is the cross entropy.")
    return tr("The loss is the mean square; the columns vary by {spread} around their mean.",
              spread=short(float(right.var(0).mean())))  # fmt: skip
