"""Networks of a file that may feed each other, by names and sizes, where the file does not say what feeds what."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from seqviz.language import Sentence, tr
from seqviz.reading.networks.stacks import Stack
from seqviz.reading.networks.stored import Contents, brief

__all__ = ["in_a_row"]

MOST: Final = 8
"""Names that are listed."""

_COUNTED: Final = re.compile(r"(.*?)(\d{1,4})(\D*)")


def in_a_row(contents: Contents, stacks: Sequence[Stack]) -> list[Sentence]:
    """A sentence about each row of networks whose names count up and each of which gives what the next one takes.

    Args:
        contents: of the file; networks are left out of which it says what they take.
        stacks: the networks in it.
    """
    named: dict[tuple[str, str], list[tuple[int, Stack]]] = {}
    for stack in stacks:
        found, facts = _COUNTED.fullmatch(stack.name), contents.facts.get(stack.name, {})
        if found and ("moved" not in facts or "written" in facts):
            named.setdefault((found[1], found[3]), []).append((int(found[2]), stack))
    rows: list[list[Stack]] = []
    for group in named.values():
        last: tuple[int, Stack] | None = None
        for number, stack in sorted(group, key=lambda each: each[0]):
            follows = last is not None and number == last[0] + 1 and _gives(last[1]) == stack.input_size
            rows[-1].append(stack) if follows else rows.append([stack])
            last = number, stack
    return [_says([brief(stack.name) for stack in row]) for row in rows if len(row) > 1]


def _gives(stack: Stack) -> int:
    """How many numbers a step."""
    return (stack.proj_size or stack.hidden_size) * (2 if stack.bidirectional and stack.merge == "concat" else 1)


def _says(names: list[str]) -> Sentence:
    return tr(
        "{names} may be layers of one network, for each takes as many inputs as the one before gives. The file does "
        "not say so, and each is read by itself: what a later one is to be given here is the output of the one before.",
        names=", ".join(names[:MOST]) + (", …" if len(names) > MOST else ""),
    )
