"""One matrix product by the faster of the two libraries that torch brings.

torch multiplies float32 matrices with MKL, which leaves most of an AMD processor unused; its own recurrent layers and
convolutions go through oneDNN, which does not. On other processors MKL is as good, and for small matrices better
everywhere. So the first product of a size on this machine is made in both ways, and what was faster is kept.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final

import torch
from torch import Tensor

__all__ = ["Product", "product"]

Product = Callable[[Tensor], Tensor]
"""``inputs`` ``(rows, K)`` to ``inputs @ weight.T + bias`` ``(rows, M)``; overwritten by the next call."""

SMALL: Final = 20_000
"""Multiplications below which oneDNN's 20 µs of preparation are not worth trying."""

GAIN: Final = 0.9
"""What oneDNN must need of MKL's time to be taken."""

_FASTER: dict[tuple[int, int, int], bool] = {}
_LOCK = threading.Lock()


def product(weight: Tensor, bias: Tensor | None, rows: int) -> Product:
    """The product with ``weight`` ``(M, K)`` and ``bias`` ``(M,)``, for blocks of at most `rows` rows.

    The weights must be free of gradients, or gradients off.
    """
    if weight.dtype == torch.float32 and rows * weight.numel() > SMALL and _onednn_is_faster(rows, *weight.shape):
        return _onednn(weight, bias, rows)
    return _mkl(weight, bias, rows)


def _mkl(weight: Tensor, bias: Tensor | None, rows: int) -> Product:
    out, turned = weight.new_empty(rows, len(weight)), weight.t()

    def call(inputs: Tensor) -> Tensor:
        into = out if inputs.shape[0] == rows else out[: inputs.shape[0]]
        return torch.mm(inputs, turned, out=into) if bias is None else torch.addmm(bias, inputs, turned, out=into)

    return call


def _onednn(weight: Tensor, bias: Tensor | None, rows: int) -> Product:
    ops: Any = torch.ops.mkldnn
    packed = ops._reorder_linear_weight(weight.contiguous(), rows)

    def call(inputs: Tensor) -> Tensor:
        made: Tensor = ops._linear_pointwise(inputs, packed, bias, "none", [], "")
        return made

    return call


def _onednn_is_faster(rows: int, outputs: int, inner: int) -> bool:
    """Measured once in a process for every size up to a factor of two, in about a dozen products."""
    size = (min(rows, 2048).bit_length(), outputs.bit_length(), inner.bit_length())
    found = _FASTER.get(size)
    if found is None:
        with _LOCK:
            found = _FASTER.get(size)
            if found is None:
                found = _FASTER[size] = _measured(min(rows, 2048), outputs, inner)
    return found


def _measured(rows: int, outputs: int, inner: int) -> bool:
    """Whether oneDNN wins on this machine, where it is there and gives the same numbers."""
    if not (torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")):
        return False
    inputs, weight = (torch.linspace(-1, 1, n * inner).view(n, inner) for n in (rows, outputs))
    bias = torch.zeros(outputs)
    calls = [make(weight, bias, rows) for make in (_mkl, _onednn)]
    same = torch.allclose(calls[0](inputs), calls[1](inputs), rtol=1e-4, atol=1e-4)
    mkl, onednn = (min(_seconds(make, weight, bias, inputs) for _ in range(5)) for make in (_mkl, _onednn))
    return same and onednn < GAIN * mkl


def _seconds(make: Callable[[Tensor, Tensor, int], Product], weight: Tensor, bias: Tensor, inputs: Tensor) -> float:
    """Of one product, oneDNN's packing of the weights included."""
    start = time.thread_time()
    make(weight, bias, len(inputs))(inputs)
    return time.thread_time() - start
