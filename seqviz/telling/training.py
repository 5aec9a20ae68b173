"""Where a network stands in its training, in a sentence."""

from __future__ import annotations

from typing import Literal

from seqviz.language import tr, trn

__all__ = ["describe_standing"]


def describe_standing(
    name: str,
    score: str,
    steps: int,
    seconds: float,
    *,
    solved: Literal["", "exact", "surely", "perhaps"] = "",
    between: tuple[str, str] = ("", ""),
    asked: int | None = None,
) -> str:
    """A network's score after so many steps, and whether its task is solved.

    Args:
        name: the network's; kept in English.
        score: as it is shown.
        steps: of the optimiser.
        seconds: of the processor.
        solved: by every sequence that there is, surely, perhaps, or not judged.
        between: the ends of the score's interval, as they are shown.
        asked: how many sequences it was judged by; None for all that was held out.
    """
    after = trn("{count} step", "{count} steps", steps)
    values = {"name": tr(name), "score": score, "steps": after, "seconds": seconds}
    if not solved:
        return tr("{name}: {score} after {steps} ({seconds:.1f} s of CPU).", **values)
    if solved == "exact":
        values["asked"] = trn("all {count:,} sequence there is", "all {count:,} sequences there are", asked or 0)
        return tr("{name}: {score} after {steps} ({seconds:.1f} s of CPU), solved: exact, on {asked}.", **values)
    by = (
        tr("all that was held out")
        if asked is None
        else trn("{count:,} fresh sequence", "{count:,} fresh sequences", asked)
    )
    values |= {"low": between[0], "high": between[1], "asked": by}
    if solved == "surely":
        return tr(
            "{name}: {score} after {steps} ({seconds:.1f} s of CPU), solved: from {low} to {high}, by {asked}.",
            **values,
        )
    return tr(
        "{name}: {score} after {steps} ({seconds:.1f} s of CPU), perhaps solved: from {low} to {high}, by {asked}.",
        **values,
    )
