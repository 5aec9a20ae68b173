"""The prose that a character model learns from: seeded, long, and with something to remember in it."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from seqviz.tasks.prose import prose

PAIRS = {"en": ("(", ")"), "zh": ("（", "）")}


@pytest.mark.parametrize("language", PAIRS)
def test_the_same_seed_gives_the_same_prose(language: str) -> None:
    text = prose(20_000, language=language)
    assert len(text) >= 20_000
    assert text == prose(20_000, language=language)
    assert text != prose(20_000, seed=1, language=language)
    assert prose(5_000, language=language) == text[: len(prose(5_000, language=language))]


def test_it_comes_in_a_hundred_kilobytes_and_more() -> None:
    assert len(prose(150_000).encode()) >= 150_000
    assert len(prose(100_000, language="zh").encode()) >= 200_000


@pytest.mark.parametrize("language", PAIRS)
def test_quotes_and_brackets_close_in_their_line(language: str) -> None:
    opening, closing = PAIRS[language]
    lines = prose(20_000, language=language).splitlines()
    for line in lines:
        assert line.count(opening) == line.count(closing)
        assert line.count("“") == line.count("”")
        assert line.count('"') % 2 == 0
    text = "\n".join(lines)
    assert opening in text
    assert ('"' if language == "en" else "“") in text


@pytest.mark.parametrize("language", PAIRS)
def test_indentation_moves_by_one_level(language: str) -> None:
    """A line's level follows from the line before, so that there is something to carry over a whole line."""
    levels = [len(line) - len(line.lstrip(" ")) for line in prose(50_000, language=language).splitlines()]
    assert set(levels) == {0, 2, 4, 6}
    assert max(abs(a - b) for a, b in pairwise(levels)) == 2


def test_chinese_has_no_spaces_but_its_indentation() -> None:
    assert all(" " not in line.lstrip(" ") for line in prose(50_000, language="zh").splitlines())


def test_random_state_and_other_languages() -> None:
    random.seed(0)
    before = random.getstate()
    prose(1_000)
    assert random.getstate() == before
    with pytest.raises(ValueError, match="'en' or 'zh'"):
        prose(10, language="fr")
