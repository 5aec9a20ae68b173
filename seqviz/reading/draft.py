"""A table as it was found in a file, before columns and steps are chosen and missing values are dealt with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np

from seqviz.checks import shown
from seqviz.language import Sentence, later, tr, trn
from seqviz.reading.kinds import BOOL, DATE, EMPTY, NUMBER, TEXT
from seqviz.reading.numerals import is_missing

__all__ = [
    "Draft",
    "DraftColumn",
    "MissingValues",
    "left_out",
    "listed",
    "made_up",
    "mended",
    "not_a_number",
    "told_apart",
]

MISSING: Final = ("drop", "carry", "interpolate")


class MissingValues(ValueError):
    """A table lacks numbers. Its text says where the first place is and what can be done.

    Attributes:
        place: the sentence about the first place.
        count: how many places lack a number.
        steps: how many steps the table has.
        choices: the columns that can be asked for.
        chosen: those of them in which numbers are missing, and the others beside them.
    """

    def __init__(
        self, place: Sentence, count: int, steps: int, choices: tuple[str, ...], chosen: tuple[str, ...]
    ) -> None:
        self.place, self.count, self.steps, self.choices, self.chosen = place, count, steps, choices, chosen
        offer = trn(
            'One number is missing: missing="drop" leaves its step out, "carry" repeats the one before, '
            '"interpolate" goes straight from the one before to the next.',
            '{count:,} numbers are missing: missing="drop" leaves their steps out, "carry" repeats the one before, '
            '"interpolate" goes straight from the one before to the next.',
            count,
        )
        super().__init__(tr("{first} {second}", first=place, second=offer))


@dataclass(eq=False)
class DraftColumn:
    """One column of the file.

    Attributes:
        number: its place in the file, from 0.
        name: what stands over it, or a name made up.
        kind: one of ``seqviz.reading.kinds``.
        values: float64 ``(L,)``, NaN where there is no number.
        texts: what stands where there is no number, by step.
        labels: its cells as labels of the steps; None where it cannot label them.
        as_label: whether it labels the steps unless it is asked for.
        aside: whether it is left out unless it is asked for, and labels nothing.
        why: what it is, for the sentence that says that it was left out.
    """

    number: int
    name: str
    kind: str
    values: np.ndarray
    texts: dict[int, str] = field(default_factory=dict)
    labels: Callable[[], Sequence[str]] | None = None
    as_label: bool = False
    aside: bool = False
    why: Sentence | None = None

    @cached_property
    def holds_numbers(self) -> bool:
        """Whether it can be chosen."""
        return bool(np.isfinite(self.values).any())

    def title(self, named: bool) -> Sentence:
        """The column in a sentence: its number, from 1, and its name."""
        if named and self.name:
            return tr("column {number} ({name})", number=self.number + 1, name=brief(self.name))
        return tr("column {number}", number=self.number + 1)


@dataclass
class Draft:
    """What was found in a file.

    Attributes:
        columns: all of them.
        named: whether the names come from the file.
        notes: what was left out or converted so far, a sentence each.
        lines: the line of the file on which each step begins, where it has lines.
        odd: steps whose line has another number of cells than the others, each with the sentence about it.
    """

    columns: list[DraftColumn]
    named: bool = False
    notes: list[Sentence] = field(default_factory=list)
    lines: np.ndarray | None = None
    odd: dict[int, Sentence] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.columns[0].values) if self.columns else 0

    @property
    def choices(self) -> tuple[str, ...]:
        """The names of the columns that hold numbers."""
        return tuple(self.called[c.number] for c in self.columns if c.holds_numbers)

    @cached_property
    def called(self) -> dict[int, str]:
        """What each column can be asked for by, no two by the same, by its number; first those that hold numbers."""
        ordered = sorted(self.columns, key=lambda c: not c.holds_numbers)
        names = told_apart([c.name or made_up(c.number) for c in ordered])
        return {c.number: name for c, name in zip(ordered, names, strict=True)}


def made_up(number: int) -> str:
    """What a column without a name is called; numbers from 0."""
    return f"column {number + 1}"


def told_apart(names: Sequence[str]) -> tuple[str, ...]:
    """Names no two of which are the same: the second ``a`` is ``a (2)``, or what is free after it."""
    taken, counts, found = set(names), dict[str, int](), list[str]()
    for name in names:
        count = counts[name] = counts.get(name, 0) + 1
        unique = name
        while count > 1 and (unique := f"{name} ({count})") in taken:
            count = counts[name] = count + 1
        taken.add(unique)
        found.append(unique)
    return tuple(found)


def brief(text: str) -> str:
    """A name from a file, short enough for a sentence."""
    text = " ".join(text.split())
    return text if len(text) <= 40 else text[:37] + "..."


def left_out(what: Sentence, why: Sentence) -> Sentence:
    """A sentence that says what was left out, and what that is."""
    return tr("Left out: {what}.", what=tr("{thing} ({why})", thing=what, why=why))


def listed(items: Sequence[Any]) -> Any:
    """Several things one after the other."""
    said = items[0]
    for item in items[1:]:
        said = tr("{first}, {second}", first=said, second=item)
    return said


def place_of(draft: Draft, step: int, column: DraftColumn) -> Sentence:
    """Where a number should stand, to begin a sentence with."""
    title = column.title(draft.named)
    if draft.lines is None:
        return tr("Step {step}, {column}", step=step, column=title)
    return tr("Line {line}, {column}", line=int(draft.lines[step]), column=title)


def first_missing(draft: Draft, step: int, column: DraftColumn) -> Sentence:
    """What stands where a number should."""
    where, cell = place_of(draft, step, column), column.texts.get(step, "").strip()
    if not cell:
        return tr("{place} is empty; every place needs a number.", place=where)
    if is_missing(cell) or cell.lower().lstrip("+-").startswith(("inf", "∞")):
        return tr("{place} holds {cell}; only finite numbers will do.", place=where, cell=shown(cell))
    return not_a_number(where, cell)


def not_a_number(where: Sentence, cell: str) -> Sentence:
    """What is said of a cell that is no number."""
    said = later("{place} holds {cell}, which is not a number; write numbers such as 0.5 or -2.")
    return tr(said, place=where, cell=shown(cell.strip()))


def mended(draft: Draft, chosen: Sequence[DraftColumn], steps: np.ndarray, missing: str | None) -> tuple[Any, ...]:
    """The numbers of the chosen columns and steps, without gaps.

    Args:
        draft: the table.
        chosen: the columns.
        steps: the places of the steps.
        missing: one of ``MISSING``, or None, which refuses a table with gaps.

    Returns:
        float64 ``(L, F)``, the steps that are left, and what was done, a sentence each.

    Raises:
        MissingValues: numbers are missing and nothing is to be done about it.
        ValueError: a number is too large, or nothing is left.
    """
    values = np.column_stack([column.values[steps] for column in chosen])
    for step, column in np.argwhere(np.isinf(values))[:1]:
        place = place_of(draft, int(steps[step]), chosen[column])
        cell = chosen[column].texts.get(int(steps[step]), str(values[step, column]))
        said = later("{place} holds {cell}, beyond what a 32-bit float can hold (about 3.4e38).")
        if draft.lines is None:
            said = later("{place} holds {cell}; only finite numbers will do.")
        raise ValueError(tr(said, place=place, cell=shown(cell.strip())))
    odd = np.isin(steps, list(draft.odd)) if draft.odd else np.zeros(len(steps), bool)
    gaps = np.isnan(values)
    if not (gaps.any() or odd.any()):
        return values, steps, []
    if missing is None:
        raise _refusal(draft, chosen, steps, gaps, odd)
    hurt = gaps.any(axis=1) | odd
    if missing == "drop":
        return _dropped(values, steps, hurt)
    values[odd] = np.nan
    gaps = np.isnan(values)
    return _filled(values, steps, gaps, missing)


def _refusal(
    draft: Draft, chosen: Sequence[DraftColumn], steps: np.ndarray, gaps: np.ndarray, odd: np.ndarray
) -> MissingValues:
    first = int(np.argmax(gaps.any(axis=1) | odd))
    count = int(gaps[~odd].sum() + odd.sum())
    place = draft.odd.get(int(steps[first]))
    if place is None:
        place = first_missing(draft, int(steps[first]), chosen[int(np.argmax(gaps[first]))])
    names = tuple(draft.called[c.number] for c in chosen)
    return MissingValues(place, count, len(draft), draft.choices, names)


def _dropped(values: np.ndarray, steps: np.ndarray, hurt: np.ndarray) -> tuple[Any, ...]:
    if hurt.all():
        raise ValueError(tr("Every step lacks a number; leave out the columns that have none."))
    said = trn(
        "1 step was left out, because it lacks a number.", "{count:,} steps were left out, because they lack numbers.",
        int(hurt.sum()),
    )  # fmt: skip
    return values[~hurt], steps[~hurt], [said]


def _filled(values: np.ndarray, steps: np.ndarray, gaps: np.ndarray, missing: str) -> tuple[Any, ...]:
    place = np.arange(len(values))
    count = int(gaps.sum())
    for k in range(values.shape[1]):
        known = place[~gaps[:, k]]
        if not len(known):
            raise ValueError(tr("A column has no number at all; leave it out."))
        if missing == "interpolate":
            values[gaps[:, k], k] = np.interp(place[gaps[:, k]], known, values[known, k])
        else:
            before = np.maximum(np.searchsorted(known, place[gaps[:, k]], side="right") - 1, 0)
            values[gaps[:, k], k] = values[known[before], k]
    said = trn(
        "1 missing number was filled in from its neighbours.",
        "{count:,} missing numbers were filled in from their neighbours.",
        count,
    )
    if missing == "carry":
        said = trn(
            "1 missing number was filled in with the one before it.",
            "{count:,} missing numbers were filled in with the one before.",
            count,
        )
    return values, steps, [said]


KIND_WORDS: Final = {
    DATE: later("dates"),
    TEXT: later("text"),
    EMPTY: later("empty"),
    NUMBER: later("numbers"),
    BOOL: later("truth values"),
}
