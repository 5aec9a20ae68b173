"""Measures in words: ``half_life(l0.c) > 50`` as somebody would say it."""

from __future__ import annotations

from typing import Final

from seqviz.language import later, tr
from seqviz.lessons.expressions import Node

__all__ = ["asked", "said"]

_ASKED: Final = {
    ">": later("more than {number:.4g} is asked"),
    ">=": later("at least {number:.4g} is asked"),
    "<": later("less than {number:.4g} is asked"),
    "<=": later("at most {number:.4g} is asked"),
    "==": later("exactly {number:.4g} is asked"),
}


def said(node: Node) -> str:
    """What an expression measures, in words; where there are none, as it is written."""
    if node.op == "at":
        return _at(node)
    if node.op == "-":
        return tr("{a} minus {b}", a=_part(node, 0), b=_part(node, 1))
    if node.op != "call":
        return str(node.value).removeprefix("l0.") if node.op == "signal" else node.text
    first = _part(node, 0)
    if node.value == "peak":
        return _peak(node, first)
    if node.value == "count" and node.parts[1] is not None:
        return tr("number of steps with {signal} = {number}", signal=first, number=node.parts[1].text)
    if node.value == "learns":
        length, steps, seeds = ("" if part is None else part.text for part in node.parts)
        return tr("seeds of {seeds} that learn {length} steps within {steps}", seeds=seeds, length=length, steps=steps)
    if node.value == "apart" and node.parts[1] is not None:
        return tr("largest distance of {signal} from {other}", signal=first, other=_part(node, 1))
    known = {
        "half_life": later("half-life of {signal}, in steps"),
        "gain": later("gain of the gradient on {signal}, in powers of ten"),
        "arrives": later("share of the gradient on {signal} that arrives at the first step"),
        "round": later("{signal}, rounded"),
        "abs": later("size of {signal}"),
        "parity": later("parity of {signal}"),
        "mean": later("mean of {signal}"),
        "product": later("product of {signal}"),
        "eigenvalue": later("largest eigenvalue of a step"),
    }.get(str(node.value))
    return tr(known, signal=first) if known else node.text


def _part(node: Node, k: int) -> str:
    part = node.parts[k] if k < len(node.parts) else None
    return said(part) if part is not None else ""


def _at(node: Node) -> str:
    series, step, *more = node.parts
    if series is None or step is None:
        return node.text
    unit = more[0] if more else None
    name = said(series) + (f"[{unit.text}]" if unit is not None else "")
    if step.text == "-1":
        return tr("{signal} at the last step", signal=name)
    return tr("{signal} at step {step}", signal=name, step=step.text)


def _peak(node: Node, signal: str) -> str:
    _, first, last, *_ = node.parts
    if first is None:
        return tr("largest size of {signal}", signal=signal)
    if last is None:
        return tr("largest size of {signal} from step {first} on", signal=signal, first=first.text)
    return tr("largest size of {signal} from step {first} to {last}", signal=signal, first=first.text, last=last.text)


def asked(op: str, number: float) -> str | None:
    """What a comparison with a number asks for; None where there are no words for it."""
    return tr(_ASKED[op], number=number) if op in _ASKED else None
