"""What the counter, the bracket counter and the leaky integrator are checked for: sums of the input."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from seqviz.language import Sentence, later, tr
from seqviz.telling.claims import Signals
from seqviz.telling.numbers import Number, Share
from seqviz.telling.seen import before, first, first_input, no_bits, place

__all__ = [
    "brackets_add_a_hundredth",
    "brackets_add_one",
    "coasts",
    "counts",
    "forget_gate_is_one",
    "has_input",
    "is_text",
    "is_the_leaky_sum",
    "keeps_nine_tenths",
    "ones_add_a_hundredth",
    "ones_add_one",
    "tells_the_depth",
]


def forget_gate_is_one(signals: Signals) -> Sentence | None:
    f = signals["f"].astype(float)
    step, unit = place(np.abs(f - 1))
    if abs(f[step, unit] - 1) >= 0.0005:
        return tr(
            "The forget gate is not 1 throughout: {value:.5g} at step {step}.", value=Number(f[step, unit]), step=step
        )
    left = float(f.prod(axis=0).min())
    if left <= 0.99:
        return tr(
            "The forget gate is a little less than 1: of what was in the cell before step 0, {share} would be left.",
            share=Share(left),
        )  # fmt: skip
    return None


def added(signals: Signals) -> np.ndarray:
    """What each step ``(L,)`` adds to what the forget gate keeps of the cell state."""
    c, f = (signals[name][:, 0].astype(float) for name in "cf")
    return np.asarray(c - f * before(c))


def ones_add_a_hundredth(signals: Signals) -> Sentence | None:
    more, x = added(signals), first_input(signals)
    if (step := first(np.abs(more - 0.01 * x) > 0.0005)) is None:
        return None
    return tr(
        "At step {step} a {bit} adds {value} to the cell state.",
        step=step, bit=int(x[step]), value=Number(more[step]),
    )  # fmt: skip


def ones_add_one(signals: Signals) -> Sentence | None:
    h, x = signals["h"][:, 0].astype(float), first_input(signals)
    more = h - before(h)
    if (step := first(np.abs(more - x) > 0.001)) is None:
        return None
    return tr(
        "At step {step} a {bit} changes the hidden state by {value}.",
        step=step, bit=int(x[step]), value=Number(more[step]),
    )  # fmt: skip


def counts(signals: Signals) -> Sentence | None:
    if (other := no_bits(signals)) is not None:
        return other
    count, y = np.cumsum(first_input(signals)), np.rint(signals["y"][:, 0].astype(float))
    if (step := first(y != count)) is None:
        return None
    if count[step] > 24 and "c" in signals and abs(signals["c"][step, 0] - 0.01 * count[step]) < 0.005:
        wrong = later(
            "Past 24 the tanh bends the output down: it rounds to {value} at step {step}, where the count is {count}."
        )
    else:
        wrong = later(
            "It no longer counts the ones: the output rounds to {value} at step {step}, where the count is {count}."
        )
    return tr(wrong, count=int(count[step]), value=Number(y[step]), step=step)


def no_characters(signals: Signals) -> Sentence | None:
    x = signals["x"]
    step = first(((x != 0) & (x != 1)).any(axis=1) | (x.sum(axis=1) != 1))
    return None if step is None else tr("It reads one character a step; the input at step {step} is none.", step=step)


def is_text(signals: Signals) -> bool:
    return no_characters(signals) is None


def brackets(signals: Signals) -> np.ndarray:
    """1 where a bracket opens, -1 where one closes, ``(L,)``."""
    return np.asarray(signals["x"][:, 2].astype(float) - signals["x"][:, 3])


def tells_the_depth(signals: Signals) -> Sentence | None:
    if (other := no_characters(signals)) is not None:
        return other
    depth, y = np.cumsum(brackets(signals)), np.rint(signals["y"][:, 0].astype(float))
    if (step := first(y != depth)) is None:
        return None
    said = {"value": Number(y[step]), "step": step, "depth": Number(depth[step])}
    if depth[step] < 0 and "c" not in signals and not signals["h"][step, 0]:
        return tr("ReLU stops at 0: at step {step} the depth is {depth} and the output {value}.", **said)
    if abs(depth[step]) > 24 and "c" in signals and abs(signals["c"][step, 0] - 0.01 * depth[step]) < 0.005:
        return tr(
            "Beyond 24 the tanh bends the output: it rounds to {value} at step {step}, where the depth is {depth}.",
            **said,
        )
    return tr(
        "It no longer tells the depth: the output rounds to {value} at step {step}, where the depth is {depth}.", **said
    )


def brackets_add_a_hundredth(signals: Signals) -> Sentence | None:
    more = added(signals)
    if (step := first(np.abs(more - 0.01 * brackets(signals)) > 0.0005)) is None:
        return None
    return tr("Step {step} adds {value} to the cell state.", step=step, value=Number(more[step]))


def brackets_add_one(signals: Signals) -> Sentence | None:
    h = signals["h"][:, 0].astype(float)
    old = before(h)
    if (step := first(np.abs(h - np.maximum(old + brackets(signals), 0.0)) > 0.001)) is None:
        return None
    return tr("Step {step} changes the hidden state by {value}.", step=step, value=Number(h[step] - old[step]))


def leaky_sum(signals: Signals) -> np.ndarray:
    sums, total = [], 0.0
    for value in first_input(signals):
        total = 0.9 * total + float(value)
        sums.append(total)
    return np.array(sums)


def is_the_leaky_sum(signals: Signals) -> Sentence | None:
    y, exact = signals["y"][:, 0].astype(float), leaky_sum(signals)
    step = int(np.abs(y - exact).argmax())
    if abs(y[step] - exact[step]) <= 0.05 * np.abs(exact).max():
        return None
    said = {"step": step, "sum": Number(exact[step]), "value": Number(y[step])}
    relu = signals.keys() == {"x", "h", "y"} and exact[step] < 0 and not signals["h"][step, 0]
    if relu:
        return tr("It holds no negative sum: at step {step} the sum is {sum}, and the output is {value}.", **said)
    return tr(
        "It was set to add up its input and to forget a tenth of the sum at every step; that sum is {sum} at step "
        "{step}, and the output is {value}.",
        **said,
    )


def coasting(state: np.ndarray, signals: Signals) -> np.ndarray:
    """The steps at which nothing comes in and something is there to keep."""
    return np.flatnonzero((first_input(signals) == 0) & (np.abs(before(state)) > 1e-30))


def has_input(signals: Signals) -> bool:
    return bool(first_input(signals).any())


def coasts(name: str) -> Callable[[Signals], bool]:
    return lambda signals: bool(coasting(signals[name][:, 0].astype(float), signals).size)


def keeps_nine_tenths(name: str, otherwise: str) -> Callable[[Signals], Sentence | None]:
    def fails(signals: Signals) -> Sentence | None:
        state = signals[name][:, 0].astype(float)
        places = coasting(state, signals)
        kept = state[places] / before(state)[places]
        worst = int(np.abs(kept - 0.9).argmax())
        if abs(kept[worst] - 0.9) <= 0.005:
            return None
        return tr(otherwise, step=int(places[worst]), value=Number(kept[worst]))

    return fails
