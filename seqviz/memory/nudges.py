"""How long a nudge lasts: what is left in each unit, step by step, of a change that came in once."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from seqviz.capture.found import CELLS, recurrent_modules
from seqviz.capture.precision import in_precision
from seqviz.capture.run import as_keywords, capture
from seqviz.checks import listed, number, whole
from seqviz.comparison import half_life_of
from seqviz.experiment import Experiment
from seqviz.gradients.norms import norm
from seqviz.language import later, tr
from seqviz.memory.found import Lasting
from seqviz.networks.layers import check_call
from seqviz.patience import worth
from seqviz.runner import inputs, network
from seqviz.trace import Trace

__all__ = ["nudge_lasts"]

NUDGES: Final = 8
"""How many steps are nudged, one run each."""

Array = np.ndarray[Any, np.dtype[Any]]


def nudge_lasts(
    subject: nn.Module | Experiment,
    x: Any = None,
    *,
    by: float | None = None,
    at: Iterable[int] | None = None,
    modules: str | None = None,
    hx: Any = None,
    kwargs: Mapping[str, Any] | None = None,
) -> Lasting:
    """Change every input of a recurrent module at one step, and see how long its states are another.

    In float64, on copies: one run without the nudge and one for each of the steps.

    Args:
        subject: a module with a recurrent layer, or an experiment.
        x: its input; an experiment's own by default.
        by: how much; the standard deviation of what the recurrent module is given by default, 1 where that is 0.
        at: the steps to nudge; by default eight in the first half, so that half of the steps are left to look at.
        modules: which recurrent module is nudged, where there are several; the first by default.
        hx, kwargs: further arguments of the module.

    Raises:
        ValueError: no recurrent module, or steps that there are not.
    """
    module = network(subject) if isinstance(subject, Experiment) else subject
    if x is None and isinstance(subject, Experiment):
        x = inputs(subject)
    path = next(iter(recurrent_modules(module, modules)))
    keywords = as_keywords(kwargs)

    begun, done = time.thread_time(), 0

    def seen(step: int | None, size: float) -> Trace:
        nonlocal done
        worth((time.thread_time() - begun) * (NUDGES + 1 - done) / done if done else 0.0)
        done += 1
        twin, given, running = in_precision(module, (x, hx, keywords), torch.float64)
        with running, _nudging(twin.get_submodule(path), step, size):
            return capture(twin, given[0], given[1], modules=path or None, kwargs=given[2])

    before = seen(None, 0.0)
    total = len(before["x"])
    size = _spread(before) if by is None else number(by, later("The size of the nudge"))
    if at is None:
        steps = sorted({int(k) for k in np.linspace(0, max(0, total // 2 - 1), NUDGES)})
    else:
        given = listed(at, later("The nudged steps"))
        steps = sorted({whole(k, later("A nudged step"), 0, total - 1) for k in given})
    if not steps:
        raise ValueError(tr("Give at least one step to nudge."))
    lags = total - steps[-1]
    moved = [_moved(before, seen(step, size), step, lags) for step in steps]
    units = {end: _root_of_mean_square([m[end] for m in moved]) for end in moved[0]}
    together = {end: norm(array, 1) for end, array in units.items()}
    half_lives = {end: np.array([half_life_of(unit) for unit in array.T]) for end, array in units.items()}
    return Lasting(
        units, together, half_lives, {end: half_life_of(a) for end, a in together.items()}, size, tuple(steps)
    )


def _spread(trace: Trace) -> float:
    """The standard deviation of what the module is given, all inputs together; 1 where nothing changes."""
    valid = np.arange(len(trace["x"]))[:, None] < np.array(trace.lengths_of("x"))
    found = float(trace["x"][valid].std(axis=0).mean()) if valid.any() else 0.0
    return found if np.isfinite(found) and found > 0 else 1.0


def _moved(before: Trace, after: Trace, step: int, lags: int) -> dict[str, Array]:
    """How far the state of each unit of each layer moved, ``(K, N, H)``; a reverse direction is left out."""
    found: dict[str, Array] = {}
    for name in before:
        end, _, signal = name.rpartition(".")
        if signal not in ("h", "c") or end.endswith("_reverse"):
            continue
        if before[name].shape[2] != before[f"{end}.h"].shape[2]:
            continue  # a cell state beside a projected h, which has other units
        with np.errstate(invalid="ignore", over="ignore"):
            gap = np.abs(after[name] - before[name])[step : step + lags]
            found[end] = np.hypot(found[end], gap) if end in found else gap
    return found


def _root_of_mean_square(gaps: list[Array]) -> Array:
    """Of ``(K, N, H)`` each, over them and the batch, ``(K, H)``; scaled, so that small ones do not vanish."""
    every = np.concatenate(gaps, axis=1)
    return norm(every, 1) / np.sqrt(every.shape[1])


@contextmanager
def _nudging(module: nn.Module, step: int | None, by: float) -> Iterator[None]:
    """Add to every input of one step that a recurrent module is given in the order of its calls."""
    done = 0

    def before(module: nn.Module, args: Any, kwargs: Any) -> Any:
        nonlocal done
        value, *others = args if args else (kwargs.get("input"),)
        plain = isinstance(value, Tensor) and not value.is_nested and value.dim()
        if not (plain or isinstance(value, PackedSequence)):
            check_call(module, value, None)
        steps, changed = _changed(module, value, None if step is None else step - done, by)
        done += steps
        return (changed, *others), {k: v for k, v in kwargs.items() if k != "input"}

    handle = module.register_forward_pre_hook(before, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


def _changed(module: Any, value: Any, step: int | None, by: float) -> tuple[int, Any]:
    """How many steps an input has, and the same with one of them nudged, if that is among them."""
    if isinstance(value, PackedSequence):
        sizes = value.batch_sizes
        if step is None or not 0 <= step < len(sizes):
            return len(sizes), value
        data, start = value.data.clone(), int(sizes[:step].sum())
        data[start : start + int(sizes[step])] += by
        return len(sizes), value._replace(data=data)
    if isinstance(module, CELLS):
        return 1, value + by if step == 0 else value
    axis = 1 if value.dim() == 3 and module.batch_first else 0
    steps = value.shape[axis]
    if step is None or not 0 <= step < steps:
        return steps, value
    changed: Tensor = value.clone()
    changed.select(axis, step).add_(by)
    return steps, changed
