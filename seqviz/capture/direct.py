"""The short way through torch's layers and our networks: where nobody else has a say in a call, it needs no hooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as torchs

from seqviz import cells
from seqviz.capture.inside import straight
from seqviz.capture.kernels import FUNCTIONS, Kernel
from seqviz.capture.observe import as_array
from seqviz.capture.watch import Watch
from seqviz.cells.taken import is_checked
from seqviz.networks.layers import check_input, layer_names, states_of
from seqviz.networks.modules import SequenceGRU, SequenceLSTM, SequenceRNN
from seqviz.trace import Trace
from seqviz.vocabulary import LSTM

__all__ = ["called", "direct", "run_straight"]

_OURS = (SequenceRNN, SequenceGRU, SequenceLSTM)
_LAYERS = (nn.RNN, nn.GRU, nn.LSTM)
_FORWARDS: dict[type, Any] = {kind: kind.forward for kind in (*_LAYERS, *_OURS, nn.Linear)}
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_GLOBAL: tuple[dict[int, Any], ...] = tuple(getattr(torchs, f"_global{name}") for name in _HOOKS)


def direct(module: nn.Module) -> bool:
    """Whether a call of a module is one of torch's functions, and a readout, and nobody sees what is in between."""
    if type(module) not in _OURS:
        return type(module) in _LAYERS and _plain(module)
    parts = module._modules
    inside = parts.keys() == {"rnn", "readout"} and type(module.rnn) in _LAYERS and type(module.readout) is nn.Linear
    return inside and all(map(_plain, (module, *parts.values())))  # type: ignore[arg-type]


def _plain(module: nn.Module) -> bool:
    """Whether a module is one of torch's layers or of our networks, and a call of it runs that and nothing else."""
    mine = vars(module)
    forward = _FORWARDS.get(type(module))
    if forward is None or forward is not type(module).forward or "forward" in mine:
        return False
    if mine.get("_compiled_call_impl") and not is_checked(module):
        return False
    return not any(_GLOBAL) and not any(mine[name] for name in _HOOKS)


def called(module: nn.Module, watch: Watch, x: Any, hx: Any, keywords: Mapping[str, Any]) -> Any:
    """What ``module(x, hx)`` returns while it is watched."""
    if watch.alone and not keywords and isinstance(x, Tensor) and x.dim() == 3:
        layer = module.rnn if type(module) in _OURS else module
        result = watch.directly(_kernel(layer, x, hx), x)
        if layer is module:
            return result[0], result[1:] if len(result) > 2 else result[1]
        return module.readout(result[0])  # type: ignore[operator]
    with watch:
        return module(*((x,) if hx is None else (x, hx)), **keywords)


def run_straight(module: nn.Module, x: Any, hx: Any) -> Trace | None:
    """The trace of a direct module, read out of torch's own run; ``None`` where that is not to be had."""
    layer: Any = module.rnn if type(module) in _OURS else module
    if layer.mode != LSTM or type(x) is not Tensor or x.dim() != 3:
        return None
    check_input(layer, x, hx)
    with torch.no_grad():
        kernel = _kernel(layer, x.detach(), hx)
        stack = kernel.stack(tuple([None if w is None else w.detach() for w in kernel.flat]))
        found = straight(stack, kernel.time_first(kernel.value, None), tuple([s.detach() for s in kernel.states]))
        if found is None:
            return None
        if layer is not module:
            found.signals["y"] = as_array(module.readout(found.out))  # type: ignore[operator]
    steps, batch, _ = found.out.shape
    return Trace(found.signals, found.initial, found.parity, {"": LSTM}, {"": (steps,) * batch})


def _kernel(layer: Any, x: Tensor, hx: Any) -> Kernel:
    """What the layer's forward hands to torch's function for an input with a batch."""
    if hx is None:
        count, batch = len(layer_names(layer)), x.shape[0 if layer.batch_first else 1]
        zeros = torch.zeros(count, batch, layer.hidden_size, dtype=x.dtype, device=x.device)
        narrow = torch.zeros(count, batch, layer.proj_size, dtype=x.dtype, device=x.device) if layer.proj_size else None
        hx = (zeros if narrow is None else narrow, zeros)
    flat = tuple(layer._flat_weights)
    ways = (layer.bidirectional, layer.batch_first)
    options = (layer.bias, layer.num_layers, layer.dropout, layer.training, *ways)
    cell = cells.get(layer.mode)
    states = states_of(layer, hx)[: len(cell.states)]
    return Kernel(FUNCTIONS[layer.mode], cell, False, x, None, states, flat, options)
