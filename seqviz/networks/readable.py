"""Tensors whose numbers lie in no memory that could be read, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from seqviz.language import tr

__all__ = ["check_readable", "check_trainable"]


def check_readable(tensors: Iterable[Tensor | None]) -> None:
    """Refuse tensors that stand for numbers and hold none.

    Raises:
        ValueError: inside a transform of ``torch.func``, on the meta device, or fake.
    """
    wrapped = torch._C._functorch.is_functorch_wrapped_tensor
    for tensor in tensors:
        if tensor is None:
            continue
        if wrapped(tensor):
            raise ValueError(
                tr(
                    "The layer is called inside torch.vmap, torch.func.grad or a sister of theirs, where no number can "
                    "be read; give the module without them."
                )
            )
        if tensor.is_meta or type(tensor).__name__ == "FakeTensor":
            raise ValueError(
                tr(
                    "The layer's numbers are on the meta device, which holds shapes only: move the module with "
                    "module.to_empty(device='cpu'), load its weights, and give an input with numbers."
                )
            )


def check_trainable(module: nn.Module, recurrent: Iterable[nn.Module]) -> None:
    """Refuse a module that torch itself gives no gradients of; those of its recurrent layers are not torch's.

    Raises:
        ValueError: weights of other layers were made in ``torch.inference_mode()``.
    """
    own = {id(parameter) for layer in recurrent for parameter in layer.parameters()}
    if any(parameter.is_inference() and id(parameter) not in own for parameter in module.parameters()):
        raise ValueError(
            tr(
                "The module was made or loaded in torch.inference_mode(), so torch gives no gradients of it; "
                "copy.deepcopy(module), outside of that mode, has them."
            )
        )
