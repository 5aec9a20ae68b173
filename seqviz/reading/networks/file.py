"""What :func:`~seqviz.read_network` gives: the recurrent networks of a file, and what may be done with them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from seqviz import counted
from seqviz.checks import shown
from seqviz.experiment import MAX_HIDDEN, MAX_INPUT, MAX_LAYERS, MAX_OUTPUT, Experiment, Tensor, parameter_shapes
from seqviz.language import Sentence, tr
from seqviz.reading.networks.made import Whole, cell_of, linear, made
from seqviz.reading.networks.stacks import Stack
from seqviz.reading.networks.stored import FLOATS, Stored, brief

__all__ = ["NetworkFile"]

_EMBEDS: Final = re.compile(r"^(?!.*(?:pos(?:ition(?:al)?)?_?(?:emb|enc)|wpe)).*(?:emb|wte|lookup|word_?vec)")

_QUANTISED: Final = ("_packed_params", "_all_weight_values", "_quantized")


@dataclass(frozen=True, eq=False)
class NetworkFile:
    """The recurrent networks of a file.

    Attributes:
        name: the file's.
        stacks: each with its name in the file, cell, sizes, and what had to be guessed.
        said: of the whole file, what was converted or left out, a sentence each.
        tensors: everything that the file holds, by name.
    """

    name: str
    stacks: tuple[Stack, ...]
    said: tuple[str, ...]
    tensors: MappingProxyType[str, Stored]

    @property
    def notes(self) -> tuple[str, ...]:
        """What was converted, left out or must be asked, a sentence each."""
        return (*self.said, *(note for each in self.stacks for note in (*each.remarks, *each.guessed)))

    def __repr__(self) -> str:
        return f"NetworkFile({self.name!r}, {list(self.stacks)!r})"

    def answered(self, stack: Stack | str | int | None = None, **answers: Any) -> NetworkFile:
        """The same with answers to what a stack leaves open: they are no longer asked.

        Args:
            stack: which; None each that asks for it.
            answers: as in :meth:`module`.

        Raises:
            ValueError: there is no such stack, question or answer.
        """
        chosen = self.stacks if stack is None else (self._stack(stack),)
        for name in answers:
            if stack is None and not any(name == question.name for each in chosen for question in each.asked):
                _answered(self.stacks[0], {name: answers[name]})
        return replace(self, stacks=tuple(_told(each, answers) if each in chosen else each for each in self.stacks))

    def fed(self, stack: Stack | str | int, x: torch.Tensor) -> torch.Tensor:
        """What a stack takes when the network takes ``x``: through each stack that comes before it.

        Args:
            stack: one of ``stacks``, its name, or its place.
            x: ``(L, N, H_in)``, whatever the modules take first.

        Returns:
            ``(L, N, H)``.

        Raises:
            ValueError: there is no such stack.
        """
        with torch.no_grad():
            out: torch.Tensor = self.whole(stack, readout=False).fed(x)
        return out.flip(0) if self._stack(stack).backwards else out

    def chain(self, stack: Stack | str | int = 0) -> list[Stack]:
        """The stacks that lead to one, the first of them taking what the network takes, and it.

        Raises:
            ValueError: there is no such stack.
        """
        found = [self._stack(stack)]
        while found[0].fed_by:
            found.insert(0, self._stack(found[0].fed_by))
        return found

    def whole(self, stack: Stack | str | int = 0, *, readout: bool = True, **answers: Any) -> Whole:
        """A stack with those that come before it, and with what reads it out, as one module.

        Args:
            stack: one of ``stacks``, its name, or its place.
            readout: whether the layer that ``readout`` names is to be there, if there is one.
            answers: as in :meth:`module`, of this stack.

        Returns:
            A module ``(L, N, H_in)`` to ``(L, N, O)``, for evaluation; without a readout to the states of the stack.

        Raises:
            ValueError: there is no such stack, question or answer.
        """
        chain = self.chain(stack)
        layers = [self.module(each, **(answers if each is chain[-1] else {})) for each in chain]
        arrays = self._readout(chain[-1]) if readout else None
        turns = [(each.backwards, each.turned_back, each.merge) for each in chain]
        head = None if arrays is None else linear(*(torch.from_numpy(array.copy()) for array in arrays.values()))
        return Whole(layers, turns, head).eval()

    def module(self, stack: Stack | str | int = 0, **answers: Any) -> nn.Module:
        """torch's own layer with the weights of a stack, in float32 and for evaluation.

        Args:
            stack: one of ``stacks``, its name, or its place.
            answers: to what its ``asked`` asks (``nonlinearity="relu"``, ``batch_first=True``); what the file says
                of it, else the first choice, without one.

        Returns:
            An ``nn.LSTM``, ``nn.GRU`` or ``nn.RNN``; ``output, state = module(x)``. A GRU that resets before the
            product, which torch has not, is a :class:`~seqviz.cells.layer.CellLayer` called in the same way.

        Raises:
            ValueError: there is no such stack, question or answer.
        """
        chosen = self._stack(stack)
        said = _answered(chosen, answers)
        return made(chosen, said)

    def experiment(self, stack: Stack | str | int = 0, **answers: Any) -> Experiment:
        """A stack as an experiment of the app; its readout is the layer that ``readout`` names, else zeros.

        Args:
            stack, answers: as in :meth:`module`.

        Raises:
            ValueError: there is no such stack, question or answer, or the stack is beyond what an experiment has.
        """
        chosen = self._stack(stack)
        said = _answered(chosen, answers)
        problem = _beyond(chosen)
        if problem:
            raise ValueError(problem)
        arrays = dict(chosen.arrays(said)) | self._read_out(chosen)
        cell = cell_of(chosen, said)
        outputs = len(arrays["readout.bias"])
        blank = Experiment(cell, chosen.input_size, chosen.hidden_size, outputs, chosen.num_layers)
        zeros = {name: np.zeros(shape, "<f4") for name, shape in parameter_shapes(blank).items()}
        tensors = tuple(Tensor.of(name, array) for name, array in sorted((zeros | arrays).items()))
        return Experiment(cell, chosen.input_size, chosen.hidden_size, outputs, chosen.num_layers, tensors=tensors)

    def _readout(self, chosen: Stack) -> dict[str, np.ndarray] | None:
        weight, bias = (self.tensors.get(f"{chosen.readout}.{part}") for part in ("weight", "bias"))
        if not chosen.readout or weight is None or bias is None:
            return None
        return {"readout.weight": weight.float32(), "readout.bias": bias.float32()}

    def _read_out(self, chosen: Stack) -> dict[str, np.ndarray]:
        """The readout of an experiment: the file's, or zeros where it has none that is small enough."""
        found = self._readout(chosen)
        if found is None or len(found["readout.bias"]) > MAX_OUTPUT:
            return {"readout.weight": np.zeros((1, chosen.hidden_size), "<f4"), "readout.bias": np.zeros(1, "<f4")}
        return found

    def embedding(self, stack: Stack | str | int = 0) -> str:
        """The name of the table ``(V, H_in)`` that gives a network its inputs for ids of tokens, by its name and sizes.

        Of several the one whose name begins as that of the first stack does; empty where none is known.

        Raises:
            ValueError: there is no such stack.
        """
        first = self.chain(stack)[0]
        fitting = [
            name for name, stored in self.tensors.items()
            if _EMBEDS.search(name.lower()) and len(stored.shape) == 2 and stored.shape[1] == first.input_size
            and stored.dtype in FLOATS
        ]  # fmt: skip
        shared = {name: _shared(name, f"{first.name}.") for name in fitting}
        best = [name for name in fitting if shared[name] == max(shared.values())]
        return best[0] if len(best) == 1 else ""

    def _stack(self, stack: Stack | str | int) -> Stack:
        if isinstance(stack, Stack):
            return stack
        for k, each in enumerate(self.stacks):
            if stack == each.name or (stack == k and not isinstance(stack, bool)):
                return each
        known = ", ".join(brief(each.name) or "“”" for each in self.stacks[:12])
        raise ValueError(
            tr("There is no network {name} in the file; there are {known}.", name=shown(stack), known=known)
        )


def _shared(one: str, other: str) -> int:
    """Letters that two names begin with."""
    return next((k for k, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _told(stack: Stack, answers: Mapping[str, Any]) -> Stack:
    """A stack with those of the answers that it asks for."""
    mine = {question.name: answers[question.name] for question in stack.asked if question.name in answers}
    if not mine:
        return stack
    _answered(stack, mine)
    left, known = tuple(question for question in stack.asked if question.name not in mine), {**stack.known, **mine}
    return replace(stack, known=known, asked=left, parameters=stack.arrays(known), moved=stack.moves(known))


def _answered(stack: Stack, answers: Mapping[str, Any]) -> dict[str, Any]:
    """An answer to each thing that torch's layer wants to know."""
    allowed: dict[str, tuple[Any, ...]] = {"batch_first": (False, True)}
    if stack.cell == "RNN":
        allowed["nonlinearity"] = ("tanh", "relu")
    if stack.cell == "GRU" and ("reset_after" in stack.known or any(q.name == "reset_after" for q in stack.asked)):
        allowed["reset_after"] = (True, False)
    allowed |= {question.name: question.choices for question in stack.asked}
    for name, answer in answers.items():
        if name not in allowed or not any(answer is choice or answer == choice for choice in allowed[name]):
            known = "; ".join(f"{key}: {', '.join(map(str, choices))}" for key, choices in allowed.items())
            raise ValueError(tr("{name} = {answer} is no answer here; there are {known}.", name=shown(name),
                                answer=shown(answer), known=known))  # fmt: skip
    first = {name: choices[0] for name, choices in allowed.items()} | {q.name: q.choices[0] for q in stack.asked}
    return {"reset_after": True, **first, **stack.known, **answers}


def _beyond(stack: Stack) -> Sentence | None:
    """Why a stack is no experiment."""
    if stack.bidirectional:
        return tr("The network runs backwards too; an experiment runs forwards alone.")
    if stack.functions:
        return tr("The network squashes with {functions}; an experiment does with sigmoid and tanh.",
                  functions=", ".join(dict.fromkeys(stack.functions)))  # fmt: skip
    if stack.proj_size:
        return tr("The network has a projection; an experiment has none.")
    sizes = ((stack.input_size, MAX_INPUT), (stack.hidden_size, MAX_HIDDEN), (stack.num_layers, MAX_LAYERS))
    if any(size > most for size, most in sizes):
        return tr(
            "The network has {inputs}, {units} and {layers}; an experiment has at most "
            "{most_inputs}, {most_units} and {most_layers}.",
            inputs=counted.inputs(stack.input_size), units=counted.units(stack.hidden_size),
            layers=counted.layers(stack.num_layers),
            most_inputs=MAX_INPUT, most_units=MAX_HIDDEN, most_layers=MAX_LAYERS,
        )  # fmt: skip
    return None
