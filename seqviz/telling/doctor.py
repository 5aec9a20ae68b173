"""What the doctor says: titles, numbers, sources, cures, and what they did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from seqviz.language import Sentence, later, tr, trn
from seqviz.telling.numbers import Share, in_turn, short

__all__ = ["SOURCES", "UNITS", "of_diagnosis", "of_effect", "says", "source", "title"]

UNITS: Final = {
    "never_read": (later("Unit {units} is never read"), later("Units {units} are never read")),
    "forgets": (later("Unit {units} forgets at once"), later("Units {units} forget at once")),
    "writes_always": (later("Unit {units} writes at every step"), later("Units {units} write at every step")),
    "never_written": (later("Unit {units} is never written"), later("Units {units} are never written")),
    "never_back": (later("Unit {units} never comes back"), later("Units {units} never come back")),
    "dead": (later("Unit {units} never changes"), later("Units {units} never change")),
}
"""What is wrong with single units: of one, and of several."""

_WHOLE: Final = {
    "short_memory": later("Its memory is shorter than its sequences"),
    "saturated": later("Its states are saturated"),
    "saturated_gates": later("Its gates are saturated"),
    "exploding": later("Its gradient explodes on the way back"),
    "overflow": later("Its states overflow"),
    "scales": later("Its inputs are of very different scales"),
}

_SAYS: Final = {
    "never_read": later("Its output gate is at most {value} at all steps, while its cell holds up to {held}."),
    "forgets": later("Its half-life is {value} of a step; the sequences have {length}."),
    "writes_always": later("Its input gate stays above {value} at all steps: it cannot choose."),
    "never_written": later("Its gate lets at most {value} of anything new in, at all steps."),
    "never_back": later("Its cell grows to {value}; the next largest of {count} reaches {next}."),
    "dead": later("Its hidden state spreads by {value} over all steps and sequences; the liveliest unit's by {next}."),
    "short_memory": later("The longest half-life of its units, in steps: {value}; the sequences have {length}."),
    "saturated": later("Of its hidden states, {value} lie within 0.01 of −1 or 1."),
    "saturated_gates": later("Of its gates' values, {value} lie within 0.01 of 0 or 1."),
    "exploding": later("At step {step} the gradient is {value} times as large as where the loss is."),
    "scales": later("Input {wide} spreads {value} times as far as input {narrow}."),
}

_HOCHREITER: Final = later("Hochreiter and Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735")
_GERS: Final = later("Gers, Schmidhuber and Cummins 2000, https://doi.org/10.1162/089976600300015015")
_KARPATHY: Final = later("Karpathy, Johnson and Li 2015, https://arxiv.org/abs/1506.02078")
_PASCANU: Final = later("Pascanu, Mikolov and Bengio 2013, https://arxiv.org/abs/1211.5063")
_GLOROT: Final = later("Glorot and Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html")

SOURCES: Final = {
    "never_read": _KARPATHY,
    "forgets": later("Jozefowicz, Zaremba and Sutskever 2015, https://proceedings.mlr.press/v37/jozefowicz15.html"),
    "writes_always": _HOCHREITER,
    "never_written": _KARPATHY,
    "never_back": _GERS,
    "dead": later("Lu, Shin, Su and Karniadakis 2019, https://arxiv.org/abs/1903.06733"),
    "short_memory": later("Tallec and Ollivier 2018, https://arxiv.org/abs/1804.11188"),
    "saturated": _GLOROT,
    "saturated_gates": _KARPATHY,
    "exploding": _PASCANU,
    "overflow": _PASCANU,
    "scales": later("LeCun, Bottou, Orr and Müller 1998, https://doi.org/10.1007/3-540-49430-8_2"),
}


def title(kind: str, units: Sequence[int] = ()) -> Sentence:
    """What is wrong, in a few words."""
    if kind not in UNITS:
        return tr(_WHOLE[kind])
    one, several = UNITS[kind]
    listed = ", ".join(map(str, units[:6])) + (", …" if len(units) > 6 else "")
    return tr(one if len(units) == 1 else several, units=listed)


def says(kind: str, **numbers: Any) -> Sentence:
    """The numbers, in a sentence."""
    told = {k: short(n) if isinstance(n, float) and not isinstance(n, Share) else n for k, n in numbers.items()}
    return tr(_SAYS[kind], **told)


def source(kind: str) -> Sentence:
    """Where that is written."""
    return tr(SOURCES[kind])


def of_effect(before: float, after: float, steps: int, helps: bool) -> Sentence:
    """What a cure did."""
    numbers = {"before": short(before), "after": short(after)}
    if steps:
        return trn(
            "after {count} step of training: loss {after}, and {before} without it",
            "after {count} steps of training: loss {after}, and {before} without it",
            steps,
            **numbers,
        )
    if not helps and before == after:
        return tr("loss unchanged")
    if not helps and short(before) == short(after):
        return tr("loss {before}, unchanged to three digits", before=short(before))
    return tr("loss {before} → {after}", **numbers)


def of_diagnosis(
    count: int, best: tuple[float, float, int] | None, *, together: bool = False, untried: bool = False
) -> Sentence:
    """What it comes to."""
    if not count:
        if untried:
            return tr("Nothing stands out. With targets, cures could be tried and more be seen.")
        return tr("Nothing was found that a cure would mend.")
    found = trn("{count} finding.", "{count} findings.", count)
    if untried:
        return in_turn(found, tr("With targets, cures could be tried."))
    if best is None:
        return in_turn(found, tr("No cure that was tried helps."))
    before, after, steps = best
    numbers = {"before": short(before), "after": short(after)}
    if steps and together:
        after_training = trn(
            "All cures together, after {count} step of training: loss {after}; without them {before}.",
            "All cures together, after {count} steps of training: loss {after}; without them {before}.",
            steps,
            **numbers,
        )
        return in_turn(found, after_training)
    if together:
        return in_turn(found, tr("All cures together: loss {before} → {after}.", **numbers))
    return in_turn(found, _single(count, steps, numbers))


def _single(count: int, steps: int, numbers: dict[str, str]) -> Sentence:
    """What one cure did: of the only finding, or of one among several."""
    if steps and count == 1:
        return trn(
            "Its cure, after {count} step of training: loss {after}; without it {before}.",
            "Its cure, after {count} steps of training: loss {after}; without it {before}.",
            steps,
            **numbers,
        )
    if steps:
        return trn(
            "One cure alone, after {count} step of training: loss {after}; without it {before}.",
            "One cure alone, after {count} steps of training: loss {after}; without it {before}.",
            steps,
            **numbers,
        )
    own, one = later("Its cure: loss {before} → {after}."), later("One cure alone: loss {before} → {after}.")
    return tr(own if count == 1 else one, **numbers)
