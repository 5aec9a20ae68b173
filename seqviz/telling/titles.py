"""What a network is called above its picture, and whose weights it has."""

from __future__ import annotations

from collections.abc import Mapping

from seqviz import vocabulary as words
from seqviz.language import Sentence, sentences, tr, trn

__all__ = ["network_title", "step_count", "whose_weights"]


def network_title(cell: str, units: int, layers: int, steps: int) -> Sentence:
    """A network and its input in a few words: ``LSTM, 16 units, 2 layers, 64 steps``.

    Args:
        cell: torch's mode.
        units: of each layer.
        layers: of the network.
        steps: of its input.
    """
    made = {
        "cell": words.cell_label(cell),
        "units": trn("{count} unit", "{count} units", units),
        "steps": step_count(steps),
    }
    if layers == 1:
        return tr("{cell}, {units}, {steps}", **made)
    return tr("{cell}, {units}, {layers}, {steps}", layers=trn("{count} layer", "{count} layers", layers), **made)


def step_count(n: int) -> Sentence:
    """So many steps, in words."""
    return trn("{count} step", "{count} steps", n)


def whose_weights(parts: Mapping[str, frozenset[str]], seed: int) -> str:
    """Which of several networks keep weights that were set by hand or trained, by what each keeps; or nothing."""
    whole = [tr(name) for name, kept in parts.items() if "recurrent" in kept]
    readout = [tr(name) for name, kept in parts.items() if kept == {"readout"}]
    if not whole and not readout:
        return ""
    says = []
    if whole:
        says.append(tr("With weights set by hand or trained: {names}.", names=tr(", ").join(whole)))
    if readout:
        says.append(tr("With only the readout set by hand or trained: {names}.", names=tr(", ").join(readout)))
    if any(kept != {"recurrent", "readout"} for kept in parts.values()):
        says.append(tr("All other weights are drawn, with seed {seed}.", seed=seed))
    return sentences(says)
