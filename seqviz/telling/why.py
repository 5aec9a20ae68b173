"""Why a gradient arrives: what is left of it in words, and what the product of the forget gates has to do with it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from seqviz.language import Sentence, later, number, raised, tr
from seqviz.telling.titles import step_count

__all__ = ["GONE", "describe_gone", "describe_road", "describe_why", "left"]

GONE = -6.0
"""The log10 of what is left below which a gradient is said to be gone: a millionth."""

_GROWS = math.log10(1.995)
_TWICE = math.log10(2.0)


def left(log: float) -> str:
    """What is left of 1, by its log10: ``13%``, ``1/9,300``, and below a millionth ``10⁻⁴⁴``; above 1 ``×2.9``.

    Two digits, so that a share is right to 5 %, a power of ten to a factor of 3.2.
    """
    if math.isnan(log):
        return tr("not a number")
    if log == -math.inf:
        return tr("nothing")
    if abs(log) > 6 - 1e-9:
        return raised(round(log)) if math.isfinite(log) else "∞"
    if log > _GROWS:
        return f"×{_two(10.0**log)}"
    if log >= -2 - 1e-9:
        return f"{_two(100 * 10.0**log)}%"
    return f"1/{_two(10.0**-log)}"


def _two(value: float) -> str:
    """Two significant digits, thousands marked."""
    digits = 1 - math.floor(math.log10(value) + 1e-12)
    rounded = round(value, digits)
    return f"{rounded:,.{max(0, digits)}f}" if digits > 0 and rounded < 10 else f"{rounded:,.0f}"


def describe_why(logs: Mapping[str, float], steps: int, bias: float | None) -> Sentence:
    """What becomes of the gradient from the last step to the first, in the LSTM and in the RNN.

    Args:
        logs: log10 of what is left of it, by network.
        steps: of the sequence.
        bias: the forget bias; None where it is as drawn.
    """
    said = {"lstm": _fate(logs["LSTM"]), "rnn": _fate(logs["RNN"]), "steps": step_count(steps)}
    if bias is None:
        return tr("Over {steps} the LSTM's gradient {lstm}; the RNN's {rnn}.", **said)
    says = later("Forget bias {bias}, {steps}: the LSTM's gradient {lstm}, the RNN's {rnn}.")
    return tr(says, bias=number(bias, ".1f"), **said)


def _fate(log: float) -> Sentence:
    if math.isnan(log):
        return tr("is not a number")
    if log == -math.inf:
        return tr("is lost: exactly 0")
    if log > _GROWS:
        return tr("grows {times}", times=left(log))
    if log >= -2 - 1e-9:
        return tr("keeps {share}", share=left(log))
    return tr("shrinks to {share}", share=left(log))


def describe_gone(logs: Sequence[float], where: str) -> str:
    """Where a gradient is shown, and up to which step all but a millionth of it is gone, where it is.

    Args:
        logs: log10 of what is left of it at every step, the first to the last.
        where: what is shown of it there.
    """
    here = next((t for t, log in enumerate(logs) if not log < GONE), len(logs)) - 1
    return where if here < 0 else tr("{where}; under a millionth up to step {step}", where=where, step=here)


def describe_road(road: float, arrives: float) -> Sentence:
    """How the product of the forget gates, the road through c alone, compares with what arrives; both by log10."""
    if not (math.isfinite(road) and math.isfinite(arrives)):
        return tr("on the road through c alone")
    if arrives - road > _TWICE:
        return tr("on the road through c alone; paths through h bring the rest")
    if road - arrives > _TWICE:
        return tr("on the road through c alone; paths through h take some of it away")
    return tr("on the road through c alone: about all that arrives")
