"""What is wrong with a lesson, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from seqviz.language import tr, trn

__all__ = ["LessonError", "Mistake"]

_MOST: Final = 10


@dataclass(frozen=True)
class Mistake:
    """A sentence, and the line it is about, from 1."""

    line: int
    says: str

    def __str__(self) -> str:
        return tr("Line {line}: {says}", line=str(self.line), says=self.says)


class LessonError(ValueError):
    """A lesson that cannot be read; ``mistakes`` are all that were found, by line."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes), key=lambda mistake: mistake.line))
        said = [str(mistake) for mistake in self.mistakes[:_MOST]]
        more = len(self.mistakes) - _MOST
        if more > 0:
            said.append(trn("And {count} more mistake.", "And {count} more mistakes.", more))
        super().__init__("\n".join(said))
