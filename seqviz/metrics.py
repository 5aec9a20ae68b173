"""Plain-number summaries of a trace, and the sentences made of them. numpy only."""

from __future__ import annotations

import math

import numpy as np

from seqviz import vocabulary as words
from seqviz.language import later, number, sentences, tr

__all__ = [
    "HIGH",
    "LOW",
    "describe",
    "describe_overflow",
    "describe_saturation",
    "half_life",
    "lag_under",
    "longest_run",
    "saturation",
    "short",
    "time_constant",
]

LOW, HIGH = 0.1, 0.9
"""Below LOW a gate counts as closed, above HIGH as open (Karpathy, Johnson and Li 2015, section 4.1,
https://arxiv.org/abs/1506.02078)."""


def saturation(gate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How often each unit of a gate is closed and open.

    Args:
        gate: ``(L, H)`` activations from 0 to 1.

    Returns:
        Two arrays ``(H,)``: the fraction of steps below 0.1, and above 0.9.
    """
    return (gate < LOW).mean(axis=0), (gate > HIGH).mean(axis=0)


def describe_saturation(gates: dict[str, np.ndarray]) -> str:
    """Which gates are shut and which stand open, in one sentence a gate.

    Args:
        gates: ``(L, H)`` activations from 0 to 1 by what the gate is called.
    """
    says = []
    for name, values in gates.items():
        closed, opened = (float(share.mean()) for share in saturation(values))
        says.append(
            tr("{gate}: closed {closed:.0%} and open {open:.0%} of the time.", gate=name, closed=closed, open=opened)
        )
    return sentences(says)


def time_constant(f: np.ndarray | float) -> np.ndarray:
    """Steps until a cell under a constant forget gate has lost all but 1/e: ``-1 / ln f``.

    From ``c_t = f^t c_0`` (Tallec and Ollivier 2018, section 2, https://arxiv.org/abs/1804.11188). inf where the
    gate never lets go (``f >= 1``), 0 where it lets go at once.

    Args:
        f: forget gates from 0 to 1, of any shape, which is that of the result.
    """
    f = np.asarray(f, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(f < 1.0, -1.0 / np.log(f), np.inf))


def half_life(f: np.ndarray | float) -> np.ndarray:
    """Steps until a cell under a constant forget gate has halved: ``ln 0.5 / ln f``.

    :func:`time_constant` times ln 2, and of its shape.
    """
    return math.log(2.0) * time_constant(f)


def lag_under(f: np.ndarray | float, share: float = 0.01) -> np.ndarray:
    """The first lag at which a cell under a constant forget gate holds less than a share of what it was given.

    The smallest whole k with ``f^k < share``; inf where the gate never lets go (``f >= 1``).

    Args:
        f: forget gates from 0 to 1, of any shape.
        share: above 0 and below 1.

    Raises:
        ValueError: a share outside that range.
    """
    if not 0.0 < share < 1.0:
        raise ValueError(tr("The share must lie above 0 and below 1; got {share!r}.", share=share))
    f = np.asarray(f, dtype=float)
    with np.errstate(divide="ignore"):
        lag = np.where(f < 1.0, np.log(share) / np.log(f), np.inf)
    # 0.1^2 is 0.01 and not under it; in doubles such a tie lands on either side.
    return np.floor(lag * (1 + 1e-12)) + 1


def longest_run(condition: np.ndarray) -> tuple[int, int]:
    """The longest unbroken run of True down the first axis of ``(L, H)``: its unit and its length."""
    best = np.zeros(condition.shape[1], dtype=int)
    run = np.zeros_like(best)
    for row in condition:
        run = np.where(row, run + 1, 0)
        np.maximum(best, run, out=best)
    unit = int(best.argmax())
    return unit, int(best[unit])


def describe_overflow(values: np.ndarray) -> str:
    """Since when values ``(L, H)`` are no finite numbers, in one sentence; nothing where all of them are."""
    broken = np.argwhere(~np.isfinite(values))
    if not len(broken):
        return ""
    return tr("Not a finite number from step {step} on: the network overflowed.", step=int(broken[0][0]))


def describe(signal: str, values: np.ndarray) -> str:
    """What one row of the picture shows now, in one sentence.

    Args:
        signal: its name, ``f`` or ``l0.f``; ``x`` and ``y`` for input and output.
        values: ``(L, H)``.
    """
    name = signal.rsplit(".", 1)[-1]
    if overflow := describe_overflow(values):
        return overflow
    if words.is_gate(name):
        return _describe_gate(values)
    if name == "x":
        low, high = short(values.min()), short(values.max())
        if len(values) == 1:
            return tr("1 step, from {low} to {high}.", low=low, high=high)
        return tr("{steps} steps, from {low} to {high}.", steps=len(values), low=low, high=high)
    if name == "y":
        last = tr(", ").join(short(v) for v in values[-1][:4])
        count = values.shape[1]
        if count > 4:
            return tr("Ends at {values} (the first 4 of {count}).", values=last, count=count)
        return tr("Ends at {values}.", values=last)
    return _describe_state(values)


def short(value: float) -> str:
    """A number as it stands in a sentence."""
    return number(value, ".2f" if abs(value) < 10_000 else ".2e")


_STAYS = {
    ("unit", "open", "steps"): later("Unit {unit} stays above 0.9 for {run} of {steps} steps."),
    ("unit", "open", "step"): later("Unit {unit} is above 0.9 at the only step."),
    ("unit", "shut", "steps"): later("Unit {unit} stays below 0.1 for {run} of {steps} steps."),
    ("unit", "shut", "step"): later("Unit {unit} is below 0.1 at the only step."),
    ("alone", "open", "steps"): later("Stays above 0.9 for {run} of {steps} steps."),
    ("alone", "open", "step"): later("Is above 0.9 at the only step."),
    ("alone", "shut", "steps"): later("Stays below 0.1 for {run} of {steps} steps."),
    ("alone", "shut", "step"): later("Is below 0.1 at the only step."),
}
_LARGEST = {
    ("unit", "zero"): later("0 in every unit at every step."),
    ("unit", "faded"): later(
        "Largest in unit {unit} at step {step}: {peak}. That unit ends at {last} ({share:.0%} of it)."
    ),
    ("unit", "turned"): later("Largest in unit {unit} at step {step}: {peak}. That unit ends at {last}."),
    ("unit", "whole"): later("Largest in unit {unit} at step {step}: {peak}. That unit ends at its largest."),
    ("alone", "zero"): later("0 at every step."),
    ("alone", "faded"): later("Largest at step {step}: {peak}. Ends at {last} ({share:.0%} of it)."),
    ("alone", "turned"): later("Largest at step {step}: {peak}. Ends at {last}."),
    ("alone", "whole"): later("Largest at step {step}: {peak}. Ends at its largest."),
}


def _describe_gate(values: np.ndarray) -> str:
    steps = len(values)
    open_unit, open_for = longest_run(values > HIGH)
    shut_unit, shut_for = longest_run(values < LOW)
    if not open_for and not shut_for:
        low, high = values.min(), values.max()
        return tr("Between {low:.2f} and {high:.2f}; never fully open or closed.", low=low, high=high)
    which = "open" if open_for >= shut_for else "shut"
    unit, run = (open_unit, open_for) if which == "open" else (shut_unit, shut_for)
    template = _STAYS[_whose(values), which, "steps" if steps > 1 else "step"]
    return tr(template, unit=unit, run=run, steps=steps)


def _describe_state(values: np.ndarray) -> str:
    """The largest value of all, and what has become of that unit at the last step."""
    step, unit = np.unravel_index(int(np.abs(values).argmax()), values.shape)
    last, peak = float(values[-1, unit]), float(values[step, unit])
    share = last / peak if peak else 0.0
    ends_at = short(last) if abs(last) >= 0.1 or not last else number(last, ".2g")
    end = "zero" if not peak else "turned" if share < 0 else "faded" if share < 0.995 else "whole"
    return tr(_LARGEST[_whose(values), end], unit=unit, step=step, peak=short(peak), last=ends_at, share=share)


def _whose(values: np.ndarray) -> str:
    """Whether a sentence has to say which unit it is about."""
    return "unit" if values.shape[1] > 1 else "alone"
