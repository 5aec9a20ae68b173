"""A file of a trained network, whoever wrote it: :func:`read_network`."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from seqviz import counted
from seqviz.checks import shown
from seqviz.experiment import MAX_HIDDEN, MAX_INPUT, MAX_LAYERS, MAX_OUTPUT, Experiment, Tensor, parameter_shapes
from seqviz.language import Sentence, tr, trn
from seqviz.reading.networks.other_files import refuse_other_files
from seqviz.reading.networks.pt import contents_of_pt
from seqviz.reading.networks.safetensors import contents_of_safetensors, looks_like_safetensors
from seqviz.reading.networks.stacks import Stack, stacks_of
from seqviz.reading.networks.stored import Contents, Stored, brief

__all__ = ["MAX_FILE", "NetworkFile", "read_network"]

MAX_FILE: Final = 2**28
"""Bytes of a file that are read: 256 MiB."""

_LAYERS: Final = MappingProxyType({"LSTM": nn.LSTM, "GRU": nn.GRU, "RNN": nn.RNN})
_QUANTISED: Final = ("_packed_params", "_all_weight_values", "_quantized")


@dataclass(frozen=True, eq=False)
class NetworkFile:
    """The recurrent networks of a file.

    Attributes:
        name: the file's.
        stacks: each with its name in the file, cell, sizes, and what had to be guessed.
        notes: what was converted, left out or must be asked, a sentence each.
        tensors: everything that the file holds, by name.
    """

    name: str
    stacks: tuple[Stack, ...]
    notes: tuple[str, ...]
    tensors: MappingProxyType[str, Stored]

    def __repr__(self) -> str:
        return f"NetworkFile({self.name!r}, {list(self.stacks)!r})"

    def module(self, stack: Stack | str | int = 0, **answers: Any) -> nn.RNNBase:
        """torch's own layer with the weights of a stack, in float32 and for evaluation.

        Args:
            stack: one of ``stacks``, its name, or its place.
            answers: to what its ``asked`` asks (``nonlinearity="relu"``, ``batch_first=True``); what the file says
                of it, else the first choice, without one.

        Returns:
            An ``nn.LSTM``, ``nn.GRU`` or ``nn.RNN``; ``output, state = module(x)``.

        Raises:
            ValueError: there is no such stack, question or answer.
        """
        chosen = self._stack(stack)
        said = _answered(chosen, answers)
        options: dict[str, Any] = {"bias": chosen.bias, "batch_first": said["batch_first"]}
        options |= {"bidirectional": chosen.bidirectional, "num_layers": chosen.num_layers}
        if chosen.cell == "LSTM":
            options["proj_size"] = chosen.proj_size
        if chosen.cell == "RNN":
            options["nonlinearity"] = said["nonlinearity"]
        # Made without numbers first, so that nothing is drawn from torch's generator.
        layer = _LAYERS[chosen.cell](chosen.input_size, chosen.hidden_size, device="meta", **options)
        layer.to_empty(device="cpu")
        with torch.no_grad():
            for name, parameter in layer.named_parameters():
                parameter.copy_(torch.from_numpy(chosen.parameters[name].copy()))
        return layer.eval()

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
        arrays = dict(chosen.parameters) | self._readout(chosen)
        cell = f"RNN_{said['nonlinearity'].upper()}" if chosen.cell == "RNN" else chosen.cell
        outputs = len(arrays["readout.bias"])
        blank = Experiment(cell, chosen.input_size, chosen.hidden_size, outputs, chosen.num_layers)
        zeros = {name: np.zeros(shape, "<f4") for name, shape in parameter_shapes(blank).items()}
        tensors = tuple(Tensor.of(name, array) for name, array in sorted((zeros | arrays).items()))
        return Experiment(cell, chosen.input_size, chosen.hidden_size, outputs, chosen.num_layers, tensors=tensors)

    def _readout(self, chosen: Stack) -> dict[str, np.ndarray]:
        weight, bias = (self.tensors.get(f"{chosen.readout}.{part}") for part in ("weight", "bias"))
        if not chosen.readout or weight is None or bias is None or weight.shape[0] > MAX_OUTPUT:
            return {"readout.weight": np.zeros((1, chosen.hidden_size), "<f4"), "readout.bias": np.zeros(1, "<f4")}
        return {"readout.weight": weight.float32(), "readout.bias": bias.float32()}

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


def read_network(path_or_bytes: bytes | str | PathLike[str], name: str = "") -> NetworkFile:
    """Read the recurrent layers of a trained network; nothing in the file is run.

    ``.pt``, ``.pth`` and ``.ckpt`` as ``torch.save`` and ``torch.jit.save`` write them (state dicts wherever they lie
    in the file, Lightning's checkpoints, whole pickled modules, TorchScript) and ``.safetensors``. What kind it is, its
    content says, not its name.

    Args:
        path_or_bytes: a path to the file, or what it holds.
        name: the file's name.

    Raises:
        ValueError: one sentence that says what is wrong and what would help.
        OSError: the path cannot be opened.
    """
    data, name = _content(path_or_bytes, name)
    contents = _contents(data, name)
    stacks, refused = stacks_of(contents)
    if not stacks:
        raise ValueError(refused[0] if refused else _nothing(contents))
    notes = [*contents.notes, *(f for each in stacks for f in (*each.remarks, *each.guessed)), *refused]
    return NetworkFile(name, tuple(stacks), tuple(notes), MappingProxyType(contents.tensors))


def _content(given: Any, name: str) -> tuple[bytes, str]:
    if isinstance(given, str | PathLike):
        if "\0" in str(given):
            raise ValueError(tr("There is no file of the name {name}.", name=shown(str(given))))
        path = Path(given)
        if path.stat().st_size > MAX_FILE:
            raise ValueError(tr("The file is larger than {most} MiB.", most=MAX_FILE // 2**20))
        return path.read_bytes(), name or path.name
    if not isinstance(given, bytes | bytearray | memoryview):
        raise ValueError(
            tr("A network must be given as a path or as the bytes of a file, not {kind}.", kind=type(given).__name__)
        )
    if memoryview(given).nbytes > MAX_FILE:
        raise ValueError(tr("The file is larger than {most} MiB.", most=MAX_FILE // 2**20))
    return bytes(given), name if isinstance(name, str) else ""


def _contents(data: bytes, name: str) -> Contents:
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return contents_of_pt(data)
    if looks_like_safetensors(data):
        return contents_of_safetensors(data)
    refuse_other_files(data, name)
    raise AssertionError


def _nothing(contents: Contents) -> Sentence:
    """Why no recurrent layer was found."""
    if not contents.tensors:
        return tr("The file holds no weights; save model.state_dict() with torch.save.")
    if any(word in key for key in contents.tensors for word in _QUANTISED):
        return tr("The network in the file is quantised; save it before it is quantised.")
    return trn(
        "There is no recurrent layer in the file: none of its tensors is called weight_hh_l0 or so; there is {names}.",
        "There is no recurrent layer in the file: none of its {count:,} tensors is called weight_hh_l0 or so; "
        "there are {names}.",
        len(contents.tensors),
        names=", ".join(brief(key) for key in list(contents.tensors)[:4]),
    )


def _answered(stack: Stack, answers: dict[str, Any]) -> dict[str, Any]:
    """An answer to each thing that torch's layer wants to know."""
    allowed: dict[str, tuple[Any, ...]] = {"batch_first": (False, True)}
    if stack.cell == "RNN":
        allowed["nonlinearity"] = ("tanh", "relu")
    for name, answer in answers.items():
        if name not in allowed or not any(answer is choice or answer == choice for choice in allowed[name]):
            known = "; ".join(f"{key}: {', '.join(map(str, choices))}" for key, choices in allowed.items())
            raise ValueError(tr("{name} = {answer} is no answer here; there are {known}.", name=shown(name),
                                answer=shown(answer), known=known))  # fmt: skip
    return {name: choices[0] for name, choices in allowed.items()} | dict(stack.known) | answers


def _beyond(stack: Stack) -> Sentence | None:
    """Why a stack is no experiment."""
    if stack.bidirectional:
        return tr("The network runs backwards too; an experiment runs forwards alone.")
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
