"""What comparing networks shows: who can tell the order of the steps, and how long a nudge lasts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from seqviz.language import Sentence, later, sentences, tr, trn
from seqviz.telling.numbers import Number, short
from seqviz.telling.titles import step_count

__all__ = ["LATER", "half_life_in_words", "nudged_headline", "order_headline", "order_in_words", "shuffled_headline"]

MEMORYLESS = "Feed-forward"
LATER = 20
"""Steps after a nudge at which the headline says what is left of it."""
ROUNDING = 1e-6
"""Differences up to this share of the largest output come from rounding in float32."""


def order_in_words(
    gaps: Mapping[str, float], steps: int, moved: int | None = None, sizes: Mapping[str, float] | None = None
) -> str:
    """Who could tell the order of the steps.

    Args:
        gaps: by network, how far the outputs of a shuffled input are from the old ones in that order; the
            feed-forward net's is what rounding does.
        steps: of the input.
        moved: at how many of them the shuffled input is another than before; all by default.
        sizes: each network's largest ``|output|``; 1 by default.
    """
    if steps == 1:
        return tr("One step only: there is no order to shuffle.")
    if moved == 0:
        return tr("Shuffling moves nothing here: the input is the same in the new order. It says nothing of the order.")
    lost = [name for name, gap in gaps.items() if not math.isfinite(gap)]
    forward = gaps[MEMORYLESS] if MEMORYLESS not in lost else 0.0
    others = [name for name in gaps if name != MEMORYLESS and name not in lost]
    noticed = _noticed(gaps, others, forward, sizes)
    still = [name for name in others if name not in noticed]
    says = [] if MEMORYLESS in lost else [_forward(forward)]
    if noticed:
        by = _list(tr("{name} by up to {gap}", name=tr(name), gap=Number(gaps[name])) for name in noticed)
        all_can = later("The others can, and their outputs change: {others}.")
        some_can = later("These can, and their outputs change: {others}.")
        says.append(tr(some_can if still or lost else all_can, others=by))
    if still and max(gaps[name] for name in still) == 0:
        says.append(tr("On this input the order makes no difference to {names}.", names=_list(map(tr, still))))
    elif still:
        says.append(
            tr(
                "On this input the order makes no more difference than rounding does, {gap} at most, to {names}.",
                gap=Number(max(gaps[name] for name in still)), names=_list(map(tr, still)),
            )
        )  # fmt: skip
    if lost:
        says.append(tr("Overflowed, so that nothing can be said of the order: {names}.", names=_list(map(tr, lost))))
    return sentences(says)


def _noticed(
    gaps: Mapping[str, float], others: Iterable[str], forward: float, sizes: Mapping[str, float] | None
) -> list[str]:
    """Whose outputs change by more than rounding does."""
    least = {name: max(10 * forward, ROUNDING * (sizes[name] if sizes else 1.0)) for name in others}
    return [name for name in least if gaps[name] > least[name]]


def _of_all(gaps: Mapping[str, float], moved: int, sizes: Mapping[str, float]) -> list[str] | None:
    """Whose outputs notice the order; None where no step has another input, or a network overflowed."""
    if moved == 0 or not all(map(math.isfinite, gaps.values())):
        return None
    return _noticed(gaps, [name for name in gaps if name != MEMORYLESS], gaps[MEMORYLESS], sizes)


def order_headline(gaps: Mapping[str, float], moved: int, sizes: Mapping[str, float]) -> Sentence | None:
    """:func:`order_in_words` in one short sentence; None where there is nothing to say of the order."""
    noticed = _of_all(gaps, moved, sizes)
    if noticed is None:
        return None
    if not noticed:
        return tr("Shuffle this input, and no network tells the difference.")
    most = max(noticed, key=gaps.__getitem__)
    return tr(
        "Shuffle the steps: only memory notices, the {name}’s by up to {gap}.",
        name=tr(most), gap=Number(gaps[most]),
    )  # fmt: skip


def shuffled_headline(gaps: Mapping[str, float], moved: int, sizes: Mapping[str, float]) -> Sentence | None:
    """The same once the steps are shuffled: who moved along with them, and who gives other answers."""
    noticed = _of_all(gaps, moved, sizes)
    if noticed is None:
        return None
    if not noticed:
        return tr("Shuffled: every network’s answers only moved along with the steps.")
    if len(noticed) == len(gaps) - 1:
        return tr("Shuffled: the feed-forward net’s answers only moved along; the others changed.")
    return tr(
        "Shuffled: the feed-forward net’s answers only moved along; changed: {names}.", names=_list(map(tr, noticed))
    )


def nudged_headline(responses: Mapping[str, Sequence[float]], step: int) -> Sentence | None:
    """Who still holds how much of a nudge, :data:`LATER` steps later or at the end; None where that cannot be said.

    Args:
        responses: by network, how far its state is moved at every step; what is left is a share of the largest.
        step: that was nudged.
    """
    steps = len(responses[MEMORYLESS])
    at = min(step + LATER, steps - 1)
    if at == step or not all(math.isfinite(value) for moved in responses.values() for value in moved):
        return None
    left = {name: moved[at] / max(moved) for name, moved in responses.items() if max(moved) > 0}
    most = max(left, key=left.__getitem__, default=None)
    if most is None or left[most] == 0:
        return trn(
            "{count} step after 1 more at step {step}, nothing is left of it in any network.",
            "{count} steps after 1 more at step {step}, nothing is left of it in any network.",
            at - step, step=step,
        )  # fmt: skip
    return trn(
        "{count} step after 1 more at step {step}, the {name} keeps the most of it: {percent}%.",
        "{count} steps after 1 more at step {step}, the {name} keeps the most of it: {percent}%.",
        at - step, step=step, name=tr(most), percent=_percent(left[most]),
    )  # fmt: skip


def _percent(share: float) -> str:
    percent = 100 * share
    return short(float(f"{percent:.2g}")) if percent >= 0.01 else "<" + short(0.01)


def _forward(gap: float) -> Sentence:
    if gap == 0:
        return tr(
            "**Shuffle the steps**, and the feed-forward net gives exactly the same numbers in another order: it has "
            "no memory and cannot tell the order."
        )
    return tr(
        "**Shuffle the steps**, and the feed-forward net gives the same numbers in another order, but for rounding "
        "({gap} at most): it has no memory and cannot tell the order.",
        gap=Number(gap),
    )


def _list(names: Iterable[str]) -> str:
    return tr(", ").join(names)


def half_life_in_words(steps: float, length: int) -> str:
    """What :func:`seqviz.comparison.half_life_of` found in a sequence of this length."""
    if steps == 0:
        return tr("was not moved")
    if length == 1:
        return tr("one step is too short to say")
    if math.isnan(steps):
        return tr("overflowed")
    return tr("never here") if math.isinf(steps) else step_count(int(steps))
