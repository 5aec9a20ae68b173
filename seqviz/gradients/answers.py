"""What a module returns, and where time lies in it.

Which axes are time and batch is known from the numbers of steps and of sequences that the recurrent layer ran through,
and is read off the run's own graph: what the output at step t of element n is made of must be the layer's output at
that step and element. Where neither tells, the sentence says what to give.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from seqviz.capture.chains import Chain
from seqviz.capture.found import CELLS, LAYERS
from seqviz.checks import shown
from seqviz.gradients.reach import Reach, direct_taps
from seqviz.gradients.taps import Tap
from seqviz.language import tr
from seqviz.networks.modules import _Sequence

__all__ = ["Answer", "Output"]

Output = int | str | Callable[[Any], Any] | None
"""Which part of what a module returns is meant: an index, a key or the name of an attribute, or a function."""


class View(NamedTuple):
    """A way to read an output as ``(L, N, ...)``: what it is called, and how to turn the output."""

    name: tuple[Any, ...]
    turn: Callable[[Tensor], Tensor]


class Answer:
    """A module's output, or the part of it that is meant.

    Args:
        returned: what the module returned.
        chains, taps: the sequences of the run, and the way back through their calls.
        own: the module itself.
        output: see :data:`Output`.
        time_axis: the axis of time where it is known.

    ``lengths`` are those of the sequences where they differ, once :meth:`steps` was asked for.
    """

    def __init__(
        self,
        returned: Any,
        chains: list[Chain],
        taps: list[Tap],
        *,
        own: Any,
        output: Output = None,
        time_axis: int | None = None,
    ) -> None:
        self.chains, self.taps, self.own, self.time_axis = chains, taps, own, time_axis
        self.value = picked(returned, output, {chain.steps for chain in chains})
        self.lengths: tuple[int, ...] | None = None

    def tensor(self) -> Any:
        """The output as a tensor or a packed sequence.

        Raises:
            ValueError: it is neither, or holds no real numbers.
        """
        if not isinstance(self.value, Tensor | PackedSequence):
            raise ValueError(
                tr(
                    "The module returns a {kind}, not a tensor; say with output= which part of it is meant.",
                    kind=type(self.value).__name__,
                )
            )
        if not (data := self.value.data).is_floating_point():
            raise ValueError(
                tr(
                    "The output is {dtype}, of which there is no gradient; pick a part of real numbers with output=, "
                    "or give the loss as a function of the output.",
                    dtype=str(data.dtype).removeprefix("torch."),
                )
            )
        return self.value

    def steps(self) -> Tensor | None:
        """The output as ``(L, N, ...)``, or None where it is one answer without steps.

        Raises:
            ValueError: which axis is time cannot be told.
        """
        y = self.tensor()
        if isinstance(y, PackedSequence):
            padded, lengths = pad_packed_sequence(y)
            self.lengths = tuple(lengths.tolist())
            return _with_units(padded)
        if self.time_axis is not None:
            return self._along(y, self.time_axis)
        if isinstance(self.own, (_Sequence, *LAYERS)):
            self._ragged(self.chains[0])
            rnn: Any = self.own.rnn if isinstance(self.own, _Sequence) else self.own
            return y.unsqueeze(1) if y.dim() == 2 else y.transpose(0, 1) if rnn.batch_first else y
        if isinstance(self.own, CELLS):
            return y.unsqueeze(0)
        return self._searched(y)

    def _ragged(self, chain: Chain) -> None:
        if len(set(chain.lengths)) > 1:
            self.lengths = chain.lengths

    def _along(self, y: Tensor, axis: int) -> Tensor:
        if isinstance(axis, bool) or not isinstance(axis, int) or not -y.dim() <= axis < y.dim():
            raise ValueError(
                tr(
                    "time_axis must be an axis of the output, whose shape is {shape}; got {axis}.",
                    shape=tuple(y.shape),
                    axis=shown(axis),
                )
            )
        turned = y.movedim(axis, 0)
        chain = self.chains[-1]
        if len(turned) == chain.steps and chain.calls[0].batch in turned.shape[1:]:
            self._ragged(chain)
            turned = turned.movedim(turned.shape.index(chain.calls[0].batch, 1), 1)
        return _with_units(turned) if turned.dim() > 1 else turned.reshape(-1, 1, 1)

    def _searched(self, y: Tensor) -> Tensor | None:
        """:meth:`steps` of somebody's model: the view that the shape allows and the graph bears out."""
        direct = direct_taps(y)
        chains = list(dict.fromkeys(tap.chain for tap in direct if tap.chain is not None)) or self.chains[-1:]
        rated: dict[tuple[Any, ...], tuple[int, View, Chain]] = {}
        for chain in chains:
            reach = Reach(y, chain, direct, self.taps)
            for view in views(y, chain):
                rating = reach.rating(view.turn)
                if view.name not in rated or rating > rated[view.name][0]:
                    rated[view.name] = (rating, view, chain)
        possible = [item for item in rated.values() if item[0] > 0]
        best = [item for item in possible if item[0] == max(rating for rating, _, _ in possible)]
        if len(best) == 1:
            _, view, chain = best[0]
            self._ragged(chain)
            return _with_units(view.turn(y))
        if not possible and all(Reach(y, chain, direct, self.taps).everywhere_alike() for chain in chains):
            return None
        first = chains[-1]
        raise ValueError(
            tr(
                "Where time lies in the output, of shape {shape}, cannot be told from the layer's steps, {steps}, and "
                "its batch, {batch}. Say with time_axis= which axis is time, pick a part of it with output=, or give "
                "the loss as a function of the output.",
                shape=tuple(y.shape),
                steps=first.steps,
                batch=first.calls[0].batch,
            )
        )


def _with_units(y: Tensor) -> Tensor:
    return y.unsqueeze(-1) if y.dim() == 2 else y


def views(y: Tensor, chain: Chain) -> list[View]:
    """The ways in which an output of this shape can hold a sequence's steps and batch."""
    steps, batch, shape = chain.steps, chain.calls[0].batch, tuple(y.shape)
    if steps == 1:
        return [View(("one",), lambda y: y.unsqueeze(0).unsqueeze(0))]
    found = []
    for a in (k for k, size in enumerate(shape) if size == steps):
        beside: list[int | None] = [b for b, size in enumerate(shape) if size == batch and b != a]
        found += [View((a, b), partial(_moved, axes=(a, b))) for b in ([None] if batch == 1 else beside)]
    if shape and shape[0] == steps * batch and batch > 1:
        for first in (True, False):
            found.append(View(("flat", first), partial(_split, steps=steps, batch=batch, time_first=first)))
    packed = chain.calls[0].packed
    if packed is not None and batch > 1 and shape and shape[0] == len(packed.data):
        found.append(View(("packed",), partial(_padded, packed=packed)))
    return found


def _moved(y: Tensor, axes: tuple[int, int | None]) -> Tensor:
    """Time and batch to the front; a batch of one may have no axis."""
    time, batch = axes
    return y.movedim(time, 0).unsqueeze(1) if batch is None else y.movedim((time, batch), (0, 1))


def _split(y: Tensor, steps: int, batch: int, time_first: bool) -> Tensor:
    """An axis that holds every step of every sequence, as two."""
    if time_first:
        return y.reshape(steps, batch, *y.shape[1:])
    return y.reshape(batch, steps, *y.shape[1:]).transpose(0, 1)


def _padded(y: Tensor, packed: PackedSequence) -> Tensor:
    return pad_packed_sequence(packed._replace(data=y))[0]


def picked(returned: Any, output: Output, steps: set[int]) -> Any:
    """The part of what a module returned that is meant.

    Raises:
        ValueError: there is no such part, or several might be meant.
    """
    if output is None:
        return _the_obvious(returned, steps)
    if callable(output):
        return output(returned)
    if isinstance(output, bool) or not isinstance(output, int | str):
        raise ValueError(tr("output must be an index, a name or a function; got {output}.", output=shown(output)))
    try:
        if isinstance(output, int) or isinstance(returned, Mapping):
            return returned[output]
        return getattr(returned, output)
    except (KeyError, IndexError, TypeError, AttributeError):
        raise ValueError(
            tr(
                "The module returns a {kind}, which has no {output}.{known}",
                kind=type(returned).__name__,
                output=shown(output),
                known=_known(returned),
            )
        ) from None


def _the_obvious(returned: Any, steps: set[int]) -> Any:
    if isinstance(returned, Tensor | PackedSequence):
        return returned
    if isinstance(returned, Mapping) or (dataclasses.is_dataclass(returned) and not isinstance(returned, type)):
        parts = {name: part for name, part in _named(returned).items() if isinstance(part, Tensor | PackedSequence)}
        if len(parts) == 1:
            return next(iter(parts.values()))
        raise ValueError(
            tr(
                "The module returns a {kind}; say with output= which part of it is meant.{known}",
                kind=type(returned).__name__,
                known=_known(returned),
            )
        )
    if isinstance(returned, tuple | list) and returned:
        tensors = all(isinstance(part, Tensor) for part in returned)
        alike = tensors and len({part.shape for part in returned}) == 1
        if alike and len(returned) in steps and (len(returned) > 2 or isinstance(returned, list)):
            return torch.stack(list(returned))
        return _the_obvious(returned[0], steps)
    return returned


def _named(returned: Any) -> dict[str, Any]:
    if isinstance(returned, Mapping):
        return {str(name): part for name, part in returned.items()}
    return {f.name: getattr(returned, f.name) for f in dataclasses.fields(returned)}


def _known(returned: Any) -> str:
    if isinstance(returned, Mapping) or (dataclasses.is_dataclass(returned) and not isinstance(returned, type)):
        return " " + tr("It has {names}.", names=", ".join(shown(name) for name in _named(returned)))
    if isinstance(returned, tuple | list):
        return " " + tr("It has parts 0 to {last}.", last=len(returned) - 1)
    return ""
