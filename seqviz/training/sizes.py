"""Networks of as many parameters: a race in which nobody has more to learn with than another."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from functools import partial

from seqviz.experiment import Experiment
from seqviz.training.recipes import Recipe
from seqviz.weights import materialise

__all__ = ["at_parameters", "parameters_of"]

MOST = 256
"""Hidden units."""


def parameters_of(cell: str, inputs: int, hidden: int, outputs: int) -> int:
    """How many numbers a network of one layer of these sizes learns, its readout among them."""
    found = materialise(Experiment(cell, inputs, hidden, output_size=outputs))
    return sum(array.size for array in found.values())


def at_parameters(recipe: Recipe, inputs: int, outputs: int, wanted: int) -> Recipe:
    """The recipe with as many hidden units as come nearest to so many parameters, 1 to 256."""
    count = partial(parameters_of, recipe.cell, inputs, outputs=outputs)
    above = bisect_left(range(1, MOST + 1), wanted, key=lambda hidden: count(hidden=hidden)) + 1
    near = min({max(1, above - 1), min(above, MOST)}, key=lambda hidden: abs(count(hidden=hidden) - wanted))
    return replace(recipe, hidden_size=near)
