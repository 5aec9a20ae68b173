"""From a loss back to the output of a recurrent layer: the part of the way that autograd goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from seqviz.language import tr
from seqviz.layers import Recurrent

__all__ = ["Loss", "Tops", "from_loss"]

Loss = str | tuple[int, int] | Callable[[Tensor], Tensor]
"""``"last"``, ``"sum"``, ``"mean"``, ``(step, unit)``, or a function of a module's output."""


@dataclass
class Tops:
    """The call of the recurrent stack, and what reaches it from the loss: at its output, and at its final states."""

    out: Tensor
    states: tuple[Tensor, ...]
    x: Any
    hx: Any
    raw: Any


class _Cut:
    """Hooks that run the recurrent layer without a graph and start a new one at what it returns."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, Any, Any]] = []
        self.leaves: list[Tensor] = []

    def before(self, *_: Any) -> None:
        torch.set_grad_enabled(False)

    def after(self, _: nn.Module, args: tuple, kwargs: dict[str, Any], out: Any) -> Any:
        torch.set_grad_enabled(True)
        value, states = out
        x = args[0] if args else kwargs["input"]
        self.calls.append((x, args[1] if len(args) > 1 else kwargs.get("hx"), value))
        packed = isinstance(value, PackedSequence)
        parts = states if isinstance(states, tuple) else (states,)
        self.leaves = [part.detach().requires_grad_() for part in (value.data if packed else value, *parts)]
        leaf, *tails = self.leaves
        return (value._replace(data=leaf) if packed else leaf), tuple(tails) if isinstance(states, tuple) else tails[0]


def from_loss(module: nn.Module, rnn: Recurrent, x: Any, hx: Any, loss: Loss) -> tuple[float, Tops]:
    """Run the module once with its recurrent output cut loose, and let autograd come back to that cut."""
    cut = _Cut()
    handles = [rnn.register_forward_pre_hook(cut.before), rnn.register_forward_hook(cut.after, with_kwargs=True)]
    try:
        with torch.enable_grad():
            out = module(x) if hx is None else module(x, hx)
            if len(cut.calls) != 1:
                raise ValueError(
                    tr("The recurrent layer must be called once in a run; it was {calls} times.", calls=len(cut.calls))
                )
            total = _scalar(loss, out, rnn, cut.calls[0][2])
            grads = _gradients(total, cut.leaves)
    finally:
        for handle in handles:
            handle.remove()
    return float(total.detach()), Tops(grads[0], tuple(grads[1:]), *cut.calls[0])


def _gradients(total: Tensor, leaves: list[Tensor]) -> list[Tensor]:
    """dL/d(leaf), 0 for one that the loss does not depend on."""
    if not total.requires_grad:
        return [torch.zeros_like(leaf) for leaf in leaves]
    found = torch.autograd.grad(total, leaves, allow_unused=True)
    return [torch.zeros_like(leaf) if g is None else g for g, leaf in zip(found, leaves, strict=True)]


def _scalar(loss: Loss, out: Any, rnn: Recurrent, h: Any) -> Tensor:
    """The loss of the module's output; `h` is what the recurrent layer itself gave."""
    value = out[0] if isinstance(out, tuple) and not isinstance(out, PackedSequence) else out
    if callable(loss):
        total = loss(value)
        if not isinstance(total, Tensor) or total.numel() != 1:
            raise ValueError(tr("The loss must give one number, a tensor with a single element."))
        return total.reshape(())
    if loss in ("sum", "mean"):
        data = value.data if isinstance(value, PackedSequence) else value
        return data.sum() if loss == "sum" else data.mean()
    if loss != "last" and not isinstance(loss, tuple):
        raise ValueError(
            tr("The loss must be 'last', 'sum', 'mean' or a function of the output, not {loss!r}.", loss=loss)
        )
    y = _steps_of(value, rnn, h)
    if isinstance(loss, tuple):
        return _output_at(y, *loss)
    if y is None:
        return value.sum()
    if isinstance(h, PackedSequence):
        lengths = pad_packed_sequence(h)[1]
        return y[lengths - 1, torch.arange(len(lengths))].sum()
    return y[-1].sum()


def _steps_of(value: Any, rnn: Recurrent, h: Any) -> Tensor | None:
    """A module's output as ``(L, N, ...)``, or None where it has no steps: fewer dimensions than the layer's."""
    if isinstance(value, PackedSequence):
        return pad_packed_sequence(value)[0]
    batched = isinstance(h, PackedSequence) or h.dim() == 3
    if value.dim() < (3 if batched else 2):
        return None
    if not batched:
        return value.unsqueeze(1)
    return value.transpose(0, 1) if rnn.batch_first else value


def _output_at(y: Tensor | None, step: int, unit: int) -> Tensor:
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
