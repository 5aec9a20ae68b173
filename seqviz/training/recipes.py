"""How each task is trained: the settings, by name. Some are made to fail, and say why."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from seqviz import cells
from seqviz import vocabulary as words
from seqviz.checks import whole
from seqviz.language import later, tr

__all__ = ["ANY", "RECIPES", "Recipe", "recipes_of"]


@dataclass(frozen=True)
class Recipe:
    """How to train: Adam with gradient clipping, fresh batches.

    Args:
        cell, hidden_size: the network.
        lr: Adam's.
        scheme: how the weights start (:class:`seqviz.Init`), with `forget_bias` where given.
        memory: T of the chrono initialisation, in steps.
        batch, clip, max_steps, every: batch size, largest gradient norm, limits and the steps between checkpoints.
        half_life: steps in which the learning rate halves; 0 keeps it.
        curriculum: begin with short sequences and add two steps each time the task is solved, up to its length.
        shows: what can be learned from it, in English; ``lesson`` says it in the language of now.

    Raises:
        ValueError: no such cell, or a number out of its range; the network's own are checked by :func:`prepare`.
    """

    cell: str = words.LSTM
    hidden_size: int = 32
    lr: float = 1e-2
    scheme: str = "default"
    forget_bias: float | None = None
    memory: int = 0
    batch: int = 64
    clip: float = 1.0
    max_steps: int = 1000
    every: int = 25
    curriculum: bool = False
    shows: str = ""
    half_life: int = 0

    def __post_init__(self) -> None:
        cells.get(self.cell)
        whole(self.batch, later("The batch size"), 1, 4096)
        whole(self.max_steps, later("The number of steps"), 0, 10**7)
        whole(self.every, later("The steps between checkpoints"), 1, 10**7)
        whole(self.half_life, later("The half-life of the learning rate"), 0, 10**7)
        if not 0 < self.lr < math.inf:
            raise ValueError(tr("The learning rate must be a number above 0, not {value!r}.", value=self.lr))
        if not 0 < self.clip < math.inf:
            raise ValueError(tr("The largest gradient norm must be a number above 0, not {value!r}.", value=self.clip))

    @property
    def lesson(self) -> str:
        """What this recipe shows; empty where nothing is said of it."""
        return tr(self.shows)


RECIPES: Final[dict[str, dict[str, Recipe]]] = {
    "latch": {
        later("LSTM, chrono"): Recipe(
            hidden_size=16, scheme="chrono", memory=50, max_steps=400, every=10,
            shows=later("Forget biases drawn for long memories hold the bit from the first steps on."),
        ),
        later("LSTM, default"): Recipe(
            hidden_size=16, max_steps=1000,
            shows=later("An instructive failure: default gates lose the bit before the loss sees it."),
        ),
        later("RNN, default"): Recipe(
            words.RNN_TANH, 32, 3e-3, max_steps=1000, shows=later("A matter of luck: only some seeds find it."),
        ),
    },
    "adding": {
        "LSTM, chrono": Recipe(scheme="chrono", memory=50, max_steps=800),
        "GRU": Recipe(words.GRU, max_steps=800),
        later("RNN, identity (IRNN)"): Recipe(words.RNN_RELU, 64, 1e-3, "identity", max_steps=2000),
        "RNN, default": Recipe(
            words.RNN_TANH, 64, 1e-3, max_steps=2000, shows=later("An instructive failure: it only learns the mean."),
        ),
    },
    "order": {
        "LSTM, chrono": Recipe(scheme="chrono", memory=100, max_steps=800),
        later("LSTM, forget bias 1"): Recipe(
            forget_bias=1.0, max_steps=1500,
            shows=later("An instructive failure: a forget bias of 1 is too short a memory for 100 steps."),
        ),
    },
    "copy": {
        "LSTM, chrono": Recipe(hidden_size=64, lr=2e-2, scheme="chrono", memory=40, max_steps=1200),
        later("RNN, orthogonal"): Recipe(words.RNN_TANH, 64, 1e-3, "orthogonal", max_steps=1000),
        "GRU": Recipe(words.GRU, 64, max_steps=1200),
    },
    "flipflop": {
        "GRU": Recipe(words.GRU, 24, max_steps=1500),
        "LSTM, forget bias 1": Recipe(hidden_size=24, forget_bias=1.0, max_steps=1500),
        "RNN, orthogonal": Recipe(words.RNN_TANH, 32, 3e-3, "orthogonal", max_steps=2000),
    },
    "parity": {
        "LSTM": Recipe(hidden_size=16, max_steps=600),
        "GRU": Recipe(words.GRU, 16, max_steps=600),
    },
    "parity_end": {
        later("LSTM, all at once"): Recipe(
            hidden_size=16, max_steps=1000,
            shows=later("An instructive failure: judged at the end only, no gradient tells which bit mattered."),
        ),
        later("LSTM, short ones first"): Recipe(
            hidden_size=16, max_steps=1500, every=10, curriculum=True,
            shows=later("The same task and loss, but with a curriculum of lengths."),
        ),
    },
    "brackets": {
        "LSTM, forget bias 1": Recipe(forget_bias=1.0, max_steps=800),
        "RNN, orthogonal": Recipe(words.RNN_TANH, 32, 3e-3, "orthogonal", max_steps=1500),
    },
    "sine": {"LSTM": Recipe(max_steps=800), "GRU": Recipe(words.GRU, max_steps=800)},
    "prose": {"LSTM, forget bias 1": Recipe(hidden_size=64, lr=2e-2, forget_bias=1.0, batch=16, max_steps=1200)},
    "prose_zh": {"LSTM, forget bias 1": Recipe(hidden_size=64, lr=2e-2, forget_bias=1.0, batch=16, max_steps=1200)},
    "text": {"LSTM, forget bias 1": Recipe(hidden_size=64, lr=2e-2, forget_bias=1.0, batch=16, max_steps=3000)},
}  # fmt: skip
"""Named defaults by task, the first being the one to start with. Some fail, and say why. ``tr`` says a name."""

ANY: Final[dict[str, Recipe]] = {"LSTM, forget bias 1": Recipe(forget_bias=1.0), "GRU": Recipe(words.GRU)}


def recipes_of(name: str) -> dict[str, Recipe]:
    """The recipes of a task by title, the first being the one to start with; ``tr`` says a title.

    A cell that has none of its own is trained as the first of them is, under its label.
    """
    known = RECIPES.get(name, ANY)
    first = next(iter(known.values()))
    families = {cells.get(recipe.cell).family for recipe in known.values()}
    others = [cell for cell in map(cells.get, cells.names()) if not cell.torchs and cell.family not in families]
    return known | {cell.label: replace(first, cell=cell.name, shows="") for cell in others}
