"""Numbers as they stand in a sentence: three digits, and no share rounded to all or nothing."""

from __future__ import annotations

from seqviz.language import Sentence, number, tr

__all__ = ["Number", "Share", "in_turn", "short"]


class Number(float):
    """A number that is said with three significant digits, and stays the number that it is."""

    def __format__(self, spec: str) -> str:
        return super().__format__(spec) if spec else _three_digits(float(self))


class Share(float):
    """A share from 0 to 1 that is said in whole per cent: 0% and 100% only where it is exactly that."""

    def __format__(self, spec: str) -> str:
        if spec:
            return super().__format__(spec)
        if 0.0 < self < 0.01:
            return "<1%"
        if 0.99 < self < 1.0:
            return ">99%"
        return f"{float(self):.0%}"


def _three_digits(value: float) -> str:
    size = abs(value)
    if 999.5 <= size < 9999.5:
        return f"{value:.0f}"
    return f"{value:.3g}"


def short(value: float) -> str:
    """A number as it stands in a sentence."""
    return number(Number(value))


def in_turn(first: str, second: str) -> Sentence:
    """Two sentences one after the other, still one that can be said in another language."""
    return tr("{first} {second}", first=first, second=second)
