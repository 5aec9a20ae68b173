"""What happens to the learning signal on its way back through time.

:func:`gradient_flow` gives dL/d(everything) at every step, by the recursions of :mod:`seqviz.gradients.backward` on the
captured gates; autograd is only asked for the way from the loss to the recurrent layer's output.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import nn

from seqviz.capture.descent import can_follow
from seqviz.capture.direct import called, direct
from seqviz.capture.found import LAYERS, recurrent_modules
from seqviz.capture.precision import in_precision, usable
from seqviz.capture.run import as_edits, as_keywords, check_ahead, own_output
from seqviz.capture.watch import Watch
from seqviz.experiment.interventions import Intervention
from seqviz.gradients.answers import Answer, Output
from seqviz.gradients.fromloss import Loss, scalar
from seqviz.gradients.gains import gains_of
from seqviz.gradients.norms import log10_norm, norm
from seqviz.gradients.taps import Tap
from seqviz.gradients.wayback import WayBack, way_back
from seqviz.language import tr
from seqviz.networks.readable import check_trainable
from seqviz.trace import Trace

__all__ = ["GradientFlow", "connectivity", "gradient_flow"]


@dataclass(frozen=True, eq=False, repr=False)
class GradientFlow:
    """Gradients of one loss at every step.

    ``flow["l0.h"]`` is dL/dh_t ``(L, N, H)`` and ``flow["l0.c"]`` dL/dc_t: total derivatives, everything that
    follows included, as ``retain_grad`` gives for the state of a loop over the steps. So dL/dh_t holds the way by
    the output at t and the way by step t+1; dL/dc_t holds the way by h_t and the way by c_{t+1}.
    ``flow["l0.f_pre"]`` is the gradient at a gate's pre-activation (``l0.h_pre`` in a plain RNN), and ``flow["x"]``
    ``(L, N, H_in)`` the gradient at the recurrent layer's input x_t. ``flow["l0.h_0"]`` and ``flow["l0.c_0"]``
    ``(N, H)`` are those at the states before the first step. Names, shapes and batch order are the trace's; with
    several recurrent modules every name has its module's before it, as in the trace. Like a trace, a flow is an
    iterable of its names, with a length.

    In a run with interventions each is the gradient at the value after the edit, which is the trace's. Beneath a
    value that is held it is 0.

    Args:
        arrays: those, by name, read-only; padding holds 0.
        shares: torch's names of weights and biases to ``(L,)``: the Frobenius norm of what each step adds to dL/dW.
        weights: torch's names of weights and biases to the whole dL/dW; a cell's have a layer's names.
        loss: its value.
        trace: the forward run.
        problem: a sentence where the numbers cannot be drawn (overflow, a gradient of 0 everywhere); else empty.
    """

    arrays: Mapping[str, np.ndarray]
    shares: Mapping[str, np.ndarray]
    weights: Mapping[str, np.ndarray]
    loss: float
    trace: Trace
    problem: str = field(default="")
    initial: Mapping[str, np.ndarray] = field(default_factory=dict)
    """``"l0.h_0"`` and ``"l0.c_0"`` to their gradients ``(N, H)``."""

    def __getitem__(self, name: str) -> np.ndarray:
        try:
            return self.arrays[name] if name in self.arrays else self.initial[name]
        except (KeyError, TypeError):
            known = ", ".join((*self.arrays, *self.initial))
            raise KeyError(tr("There is no gradient {name!r}. There are {known}.", name=name, known=known)) from None

    def __iter__(self) -> Iterator[str]:
        return iter((*self.arrays, *self.initial))

    def __len__(self) -> int:
        return len(self.arrays) + len(self.initial)

    def __contains__(self, name: object) -> bool:
        return name in self.arrays or name in self.initial

    def __repr__(self) -> str:
        steps, batch = next(iter(self.arrays.values())).shape[:2]
        says = f", problem={self.problem!r}" if self.problem else ""
        return f"GradientFlow(loss={self.loss:.6g}, L={steps}, N={batch}, gradients: {', '.join(self.arrays)}{says})"

    def norms(self, name: str, batch: int | None = None) -> np.ndarray:
        """The Euclidean norm at every step, ``(L,)`` float64: over units, and over the batch unless one is chosen.

        0 only where every gradient is 0: numbers are scaled before they are squared.
        """
        return norm(self[name] if batch is None else self[name][:, batch : batch + 1], (1, 2))

    def log10_norms(self, name: str, batch: int | None = None) -> np.ndarray:
        """log10 of :meth:`norms`, also where that is beyond a double; -inf where every gradient is 0."""
        return log10_norm(self[name] if batch is None else self[name][:, batch : batch + 1], (1, 2))


def gradient_flow(
    module: nn.Module,
    x: Any,
    hx: Any = None,
    loss: Loss = "last",
    *,
    dtype: torch.dtype | None = None,
    interventions: Iterable[Intervention] = (),
    modules: str | Iterable[str] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    output: Output = None,
    time_axis: int | None = None,
) -> GradientFlow:
    """dL/dh_t, dL/dc_t, dL/dx_t and dL/d(pre-activation) at every step, layer and direction.

    ``module`` is called once, as :func:`seqviz.capture` calls it but with gradients, and is left as that one call
    leaves it; its parameters' ``grad`` is not touched.

    Args:
        module: one of our networks, an ``nn.RNN``, ``nn.GRU`` or ``nn.LSTM``, or a module that contains some of them
            or of their cells. In training mode it must have no dropout between layers.
        x: its input, as :func:`seqviz.capture` takes it.
        hx: the state before the first step.
        loss: of the module's output (y of our networks, h of a recurrent layer, the first part of a tuple):
            ``"last"`` sums it over units and batch at each sequence's last step, or all of it where the module
            gives no steps but one answer; ``"sum"`` over all steps; ``"mean"`` takes the mean; ``(step, unit)``
            is that one output, summed over the batch; or a function of the output that gives a scalar.
        dtype: ``torch.float64`` runs a copy of the module in that precision. A gradient loses its digits
            below 1e-38 in float32 and 1e-308 in float64, and is 0 below 1e-45 and 5e-324, as torch's own is.
        interventions: edits of signals, as for :func:`seqviz.capture`: the gradients are those of the edited run.
        modules, kwargs: as for :func:`seqviz.capture`.
        output: which part of what the module returns the loss is of: an index, a key or attribute, or a function
            that picks it; where it is one tensor, or a tuple whose first part is meant, this can be left out.
        time_axis: the axis of that output which is time, where that cannot be told from the run.

    Returns:
        A :class:`GradientFlow`.

    Raises:
        ValueError: no recurrent layer, or all of them run without gradients; dropout between layers in training
            mode; a loss that is no scalar or asks for an output that is not there; an output in which time cannot
            be told.
    """
    edits, kwargs = as_edits(interventions), as_keywords(kwargs)
    module, (x, hx, kwargs), targets, running = _ready(module, (x, hx, kwargs), modules, dtype)
    beside = _beside(module, targets)
    check_trainable(module, (*targets.values(), *beside.values()))
    alone = direct(module) and not (callable(loss) or callable(output))  # else somebody may write to the output
    watch = Watch(targets, edits, beside=beside, back=Tap, alone=alone, follow=can_follow(module))
    check_ahead(module, watch, x, hx)
    with torch.inference_mode(False), torch.enable_grad():
        x, hx, kwargs = usable((x, hx, kwargs))
        with running:
            y = called(module, watch, x, hx, kwargs)
            watch.check()
            total = scalar(loss, Answer(y, watch.chains, watch.taps, own=module, output=output, time_axis=time_axis))
        cut, found = watch.cut(), way_back(total, watch)
    value, trace = float(total.detach()), watch.trace(own_output(module, targets, y))
    arrays, shares, weights, initial = map(_frozen, (found.arrays, found.shares, found.weights, found.initial))
    return GradientFlow(arrays, shares, weights, value, trace, _problem(value, found, trace, cut), initial)


def _ready(
    module: nn.Module, given: Any, modules: str | Iterable[str] | None, dtype: torch.dtype | None
) -> tuple[nn.Module, Any, dict[str, nn.Module], AbstractContextManager[Any]]:
    """The module and what it is given in the precision that was asked for, its recurrent modules, and what a run of it
    has to be inside of."""
    targets = recurrent_modules(module, modules)
    running: AbstractContextManager[Any] = nullcontext()
    if dtype is not None:
        module, given, running = in_precision(module, given, dtype)
        targets = recurrent_modules(module, modules)
    _refuse_dropout(targets)
    return module, given, targets, running


def _frozen(arrays: dict[str, np.ndarray]) -> Mapping[str, np.ndarray]:
    for array in arrays.values():
        array.flags.writeable = False
    return MappingProxyType(arrays)


def connectivity(
    module: nn.Module,
    x: Any,
    hx: Any = None,
    output: tuple[int, int] | str = "last",
    *,
    dtype: torch.dtype | None = None,
    interventions: Iterable[Intervention] = (),
    modules: str | None = None,
    kwargs: Mapping[str, Any] | None = None,
    part: Output = None,
    time_axis: int | None = None,
) -> np.ndarray:
    """How much each input step matters to a chosen output: the squared norm of its gradient.

    After Madsen 2019, https://distill.pub/2019/memorization-in-rnns/.

    Args:
        module, x, hx, dtype, interventions, kwargs, time_axis: as for :func:`gradient_flow`. An input that is held
            does not matter.
        output: ``(step, unit)`` of the module's output, or ``"last"``: the sum over its last step.
        part: which part of what the module returns is its output, as ``output`` of :func:`gradient_flow`.
        modules: the recurrent module whose input is looked at, where there are several; the first by default.

    Returns:
        ``(L, N)`` float64. A square below 5e-324, of a norm below 2e-162, is 0: ``gradient_flow(...).norms("x")``
        holds the norm itself.

    Raises:
        ValueError: as for :func:`gradient_flow`; no such output, a network that overflowed, or a square above 1.8e308.
    """
    if output != "last" and not isinstance(output, tuple):
        raise ValueError(tr("The output must be (step, unit) or 'last', not {output!r}.", output=output))
    edits = as_edits(interventions)
    flow = gradient_flow(
        module, x, hx, output, dtype=dtype, interventions=edits, modules=modules, kwargs=kwargs, output=part,
        time_axis=time_axis,
    )  # fmt: skip
    name = next(name for name in flow.arrays if name == "x" or name.endswith(".x"))
    found = flow[name]
    if not np.isfinite(found).all():
        raise ValueError(flow.problem)
    gain = gains_of(edits, name, len(found), {name: found.shape[2]}).get(name, 1.0)
    with np.errstate(over="ignore"):
        squares: np.ndarray = norm(found * gain, 2) ** 2
    if np.isinf(squares).any():
        raise ValueError(
            tr(
                "The squared norm is beyond what a double holds at step {step}; take gradient_flow(...).norms('x').",
                step=int(np.isinf(squares).any(axis=1).argmax()),
            )
        )
    return squares


def _refuse_dropout(targets: dict[str, nn.Module]) -> None:
    if any(map(_drops, targets.values())):
        raise ValueError(tr("The module drops units out between its layers; call module.eval() first."))


def _drops(module: Any) -> bool:
    return isinstance(module, LAYERS) and bool(module.training and module.dropout and module.num_layers > 1)


def _beside(module: nn.Module, targets: dict[str, nn.Module]) -> dict[str, nn.Module]:
    """The recurrent modules that were not asked for: the way back leads through them all the same."""
    chosen = {id(target) for target in targets.values()}
    found = recurrent_modules(module, None).items()
    return {path: other for path, other in found if id(other) not in chosen and not _drops(other)}


def _problem(loss: float, found: WayBack, trace: Trace, cut: list[str]) -> str:
    """What keeps the gradients from being drawn, and what is wrong with the run."""
    said = [_of_the_numbers(loss, found, cut), trace.problem]
    return " ".join(filter(None, said))


def _of_the_numbers(loss: float, found: WayBack, cut: list[str]) -> str:
    if not np.isfinite(loss):
        return tr("The loss is {loss}, so there is no gradient to draw.", loss=loss)
    if not all(math.isfinite(np.vdot(array, array)) or np.isfinite(array).all() for array in found.arrays.values()):
        return tr(
            "The gradient overflowed to infinity on its way back; a smaller gain or spectral radius keeps it finite."
        )
    if cut:
        return tr(
            "{names} ran without gradients, in torch.no_grad(), torch.inference_mode() or a checkpoint with "
            "use_reentrant=True inside the module: none arrives.",
            names=", ".join(cut),
        )
    states = [array for name, array in found.arrays.items() if name.endswith(".h")]
    if not any(array.any() for array in states):
        return tr("The gradient is 0 everywhere: the loss does not depend on any hidden state.")
    return ""
