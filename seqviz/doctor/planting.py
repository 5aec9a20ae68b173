"""Faults to plant in a network, for tests, benchmarks and lectures: what the doctor must find."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import torch
from torch import nn

from seqviz.capture.precision import twin
from seqviz.doctor.cures import Layer
from seqviz.vocabulary import GRU, LSTM

__all__ = ["FAULTS", "plant"]

Plant = Callable[[nn.Module, Layer, list[int]], None]


def _bias(gate: str, value: float, module: nn.Module, layer: Layer, units: list[int]) -> None:
    layer.set_bias(module, gate, units, value)
    for part in layer.blocks(module, [name for name in layer.kind.weights_of(gate) if name.startswith("W")]):
        part[units] *= 0.1


def _dead(module: nn.Module, layer: Layer, units: list[int]) -> None:
    """Nothing comes in; a unit of rectifiers is far below 0 besides, where no gradient gets in either."""
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        whole = layer.parameter(module, name)
        if whole is not None:
            for start in range(0, len(whole), layer.size):
                whole[start : start + layer.size][units] = 0.0
    if layer.mode == "RNN_RELU" and (bias := layer.parameter(module, "bias_ih")) is not None:
        bias[units] = -10.0


FAULTS: Final[dict[str, tuple[tuple[str, ...], Plant]]] = {
    "never_read": ((LSTM,), partial(_bias, "o", -12.0)),
    "forgets": ((LSTM,), partial(_bias, "f", -6.0)),
    "writes_always": ((LSTM,), partial(_bias, "i", 12.0)),
    "never_written": ((LSTM,), partial(_bias, "i", -14.0)),
    "never_written ": ((GRU,), partial(_bias, "z", 14.0)),
    "forgets ": ((GRU,), partial(_bias, "z", -8.0)),
    "dead": (("RNN_TANH", "RNN_RELU"), _dead),
}
"""Faults of single units by the kind that the doctor calls them: for which cells, and how."""


def plant(module: nn.Module, fault: str, units: Sequence[int], *, path: str = "rnn", layer: int = 0) -> nn.Module:
    """A copy of a module with a fault in some units of one layer of its recurrent module at ``path``."""
    copy, rnn = twin(module), _recurrent(module, path)
    place = Layer(path, f"l{layer}", rnn.mode, rnn.hidden_size, kind=getattr(rnn, "cell", None))
    with torch.no_grad():
        FAULTS[fault][1](copy, place, list(units))
    return copy


def _recurrent(module: nn.Module, path: str) -> Any:
    return module.get_submodule(path)
