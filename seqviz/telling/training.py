"""Where a network stands in its training, in a sentence."""

from __future__ import annotations

from typing import Literal

from seqviz.language import later, tr, trn

__all__ = ["Solved", "describe_standing"]

Solved = Literal["", "surely", "perhaps", "not"]
"""Whether a task is solved; empty where nobody asked."""

_EXACT: dict[str, str] = {
    "surely": later("{name}: {score} after {steps} ({seconds:.1f} s of CPU), solved: exact, on {asked}."),
    "not": later("{name}: {score} after {steps} ({seconds:.1f} s of CPU), not solved: exact, on {asked}."),
}
_BETWEEN: dict[str, str] = {
    "surely": later(
        "{name}: {score} after {steps} ({seconds:.1f} s of CPU), solved: from {low} to {high}, by {asked}."
    ),
    "perhaps": later(
        "{name}: {score} after {steps} ({seconds:.1f} s of CPU), perhaps solved: from {low} to {high}, by {asked}."
    ),
    "not": later(
        "{name}: {score} after {steps} ({seconds:.1f} s of CPU), not solved: from {low} to {high}, by {asked}."
    ),
}


def describe_standing(
    name: str,
    score: str,
    steps: int,
    seconds: float,
    *,
    solved: Solved = "",
    between: tuple[str, str] | None = None,
    asked: int | None = None,
) -> str:
    """A network's score after so many steps, and whether its task is solved.

    Args:
        name: the network's; kept in English.
        score: as it is shown.
        steps: of the optimiser.
        seconds: of the processor.
        solved: surely, perhaps, not, or not judged.
        between: the ends of the score's interval, as they are shown; None where every sequence there is was asked.
        asked: how many sequences it was judged by; None for all that was held out.
    """
    after = trn("{count} step", "{count} steps", steps)
    values = {"name": tr(name), "score": score, "steps": after, "seconds": seconds}
    if not solved:
        return tr("{name}: {score} after {steps} ({seconds:.1f} s of CPU).", **values)
    if between is None:
        values["asked"] = trn("all {count:,} sequence there is", "all {count:,} sequences there are", asked or 0)
        return tr(_EXACT[solved], **values)
    by = (
        tr("all that was held out")
        if asked is None
        else trn("{count:,} fresh sequence", "{count:,} fresh sequences", asked)
    )
    return tr(_BETWEEN[solved], low=between[0], high=between[1], asked=by, **values)
