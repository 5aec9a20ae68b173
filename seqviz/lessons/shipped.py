"""The lessons that come with seqviz."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from seqviz.language import later
from seqviz.lessons.lesson import Lesson
from seqviz.lessons.reader import read

__all__ = ["FOLDER", "shipped"]

FOLDER: Final = Path(__file__).resolve().parents[2] / "assets" / "lessons"


RUNS: Final = (
    later("bias 1"), later("bias 3"), later("LSTM, bias 3"), later("RNN, orthogonal"), later("minGRU with a sign"),
)  # fmt: skip
"""What the shipped lessons call networks that are trained, beside the recipes' own names."""


@cache
def shipped() -> tuple[Lesson, ...]:
    """All of them, in the order in which they are taught."""
    return tuple(read(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yaml")))
