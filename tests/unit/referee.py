"""Judges of sentences: whether a sentence is well made, and whether both languages hold the same numbers."""

from __future__ import annotations

import re
from typing import Any

from seqviz.language import LANGUAGES, Sentence

_NUMBER = re.compile(r"[<>]?−?\d+(?:\.\d+)?(?:e[+-]\d+)?%?")
_FAULTS = re.compile(
    r"(?<![\d.])1 (?:steps|units|ones|inputs|rows|columns|others|features|decades|networks)\b|−0(?![.\d])|-0(?![.\d])"
    r"|\b(?:nan|inf|None|True|False)\b|[{}]|  |\.\."
)


def numbers(text: str) -> list[str]:
    """Every number of a text, in the order of size of their letters: the languages order them as they like."""
    return sorted(_NUMBER.findall(text))


def leaves(sentence: Sentence) -> dict[str, Any]:
    """The values of a sentence and of the sentences in it, by name."""
    found: dict[str, Any] = {}
    for name, value in sentence.values.items():
        found |= leaves(value) if isinstance(value, Sentence) else {name: value}
    return found


def well_made(sentence: str) -> None:
    """No "1 steps", no "−0", no "nan", the same numbers in every language, every number right to three digits."""
    assert isinstance(sentence, Sentence), sentence
    english = sentence.into("en")
    for language in LANGUAGES:
        text = sentence.into(language)
        assert text, sentence.template
        assert not _FAULTS.search(text), text
        assert numbers(text) == numbers(english), (text, english)
