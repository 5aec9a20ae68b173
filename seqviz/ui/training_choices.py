"""What can be trained: the tasks, a person's own data, and who runs in a race."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import streamlit as st

from seqviz import cells
from seqviz.comparison import NETWORKS
from seqviz.kept import kept
from seqviz.language import Sentence, Words, again, later, tr, trn
from seqviz.reading import MissingValues, read_table
from seqviz.tasks import TASKS, Task, own_series, own_text
from seqviz.training import Recipe, at_parameters, parameters_of, recipes_of
from seqviz.ui.controls import controlled, literal
from seqviz.ui.panels.own import MENDS, TABLES
from seqviz.ui.training_data import brought, file_to_learn, take

__all__ = ["OWN", "called", "kind_of", "listed", "of_seed", "racers", "task_of", "thresholds"]

MAX_TEXT: Final = 5_000_000
"""Bytes of a text to learn from."""
MOST_SEEDS: Final = 6
OWN = Words({"own_text": "Your own text: the next character", "own_series": "Your own CSV: the next value"})

RACE: Final = {family: cells.families()[family][0] for family in NETWORKS if family in cells.families()}

NAMES: Final = {
    ("RNN", "default"): later("RNN, default"),
    ("RNN", "orthogonal"): later("RNN, orthogonal"),
    ("RNN", "identity"): later("RNN, identity"),
    ("GRU", "default"): later("GRU, default"),
    ("GRU", "bias"): later("GRU, update gate bias 1"),
    ("GRU", "chrono"): later("GRU, chrono"),
    ("GRU", "orthogonal"): later("GRU, orthogonal"),
    ("GRU", "identity"): later("GRU, identity"),
    ("LSTM", "default"): later("LSTM, default"),
    ("LSTM", "bias"): later("LSTM, forget bias 1"),
    ("LSTM", "chrono"): later("LSTM, chrono"),
    ("LSTM", "orthogonal"): later("LSTM, orthogonal"),
    ("LSTM", "identity"): later("LSTM, identity"),
}
"""A racer by its cell and its kind of start."""


_SEED: Final = " · "


def of_seed(name: str, seed: int, first: int) -> str:
    """The name of a racer of several seeds: the first has that of its recipe alone."""
    return name if seed == first else f"{name}{_SEED}{seed}"


def kind_of(name: str) -> str:
    """What a racer is named after, whatever its seed."""
    return name.split(_SEED)[0]


def called(name: str) -> Sentence:
    """A racer as it is said."""
    kind, _, seed = name.partition(_SEED)
    return tr("{name}, seed {seed}", name=tr(kind), seed=seed) if seed else tr(kind)


def task_of(name: str) -> Task | None:
    """The chosen task; None while a person's own data has still to be given."""
    if name == "own_text":
        had = brought(name)
        typed = had.data.decode() if had is not None and not had.name else ""
        controlled(
            st.text_area, tr("Text to learn from"), typed,
            lambda text: take(name, "", text.encode("utf-8", "replace")), key="train.text", height=120,
        )  # fmt: skip
        given = file_to_learn(tr("or a text file"), ["txt", "md"], name, key="train.textfile")
        return _own_text(_decoded(given.data)) if given is not None else None
    if name == "own_series":
        label = tr("Table (CSV, Excel, Parquet) or array (npy): one step a line")
        given = file_to_learn(label, TABLES, name, key="train.csv")
        return _of_table(given.data, given.name) if given is not None else None
    return TASKS[name]


@kept
def _own_text(text: str) -> Task:
    """A task of somebody's text, made once and not at each run of the page: a long text takes most of a second."""
    return own_text(text)


def _of_table(data: bytes, name: str) -> Task:
    """A task of somebody's table; what was left out of it is said, and where numbers are missing it is asked."""
    mend = st.session_state.get("train.mend.kept")
    gap: MissingValues | None = None
    try:
        found, says = _own_series(data, name, mend)
    except MissingValues as missing:
        gap = missing
    if gap is not None or mend is not None:
        keep = st.session_state.__setitem__
        controlled(
            st.selectbox, tr("What to do about missing numbers"), mend, lambda word: keep("train.mend.kept", word),
            key="train.mend", options=list(MENDS), format_func=MENDS.__getitem__,
        )  # fmt: skip
    if gap is not None:
        raise ValueError(gap.place)
    st.caption(literal(again(says)))
    return found


@kept
def _own_series(data: bytes, name: str, missing: str | None) -> tuple[Task, Sentence]:
    """The same of somebody's table, and what is said of it."""
    table = read_table(data, name, missing=missing)
    names = table.names if table.named else ()
    return own_series(table.values, names=names, labels=table.labels or ()), table.says


def _decoded(data: bytes) -> str:
    if len(data) > MAX_TEXT:
        most = MAX_TEXT // 10**6
        raise ValueError(tr("The text is larger than {most} MB; a part of it is enough to learn from.", most=most))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(tr("The file is not UTF-8 text; save it as UTF-8 and choose it again.")) from None


def thresholds(found: Task) -> str:
    """What the score is, by guessing and at its threshold."""
    return tr(
        "{metric}: chance {chance}, solved {solved}.",
        metric=found.measure.capitalize(),
        chance=found.shown(found.chance),
        solved=found.shown(found.solved),
    )


def racers(found: Task, chosen: str, recipe: Recipe, own: bool = False, equal: bool = False) -> dict[str, Recipe]:
    """The three cells in a race, by name, and the chosen one where it is none of them.

    All start as the chosen recipe does, where they have the gates for it; with `own`, each by the first recipe that
    the task has for it. Sizes and learning rates are each cell's own; with `equal` all have about as many parameters
    as the chosen one.
    """
    most = parameters_of(recipe.cell, found.inputs, recipe.hidden_size, found.outputs)
    racing = {}
    for family, cell in (RACE | {_family(recipe): recipe.cell}).items():
        known = [(title, r) for title, r in recipes_of(found.name).items() if _family(r) == family]
        plain = Recipe(cell, recipe.hidden_size, 1e-2 if cells.get(cell).gates else 3e-3, max_steps=recipe.max_steps)
        title, racer = known[0] if known else (family, plain)
        if not own and _family(recipe) == family:
            title, racer = chosen, recipe
        elif not own:
            start = _start(recipe, cell)
            bias = recipe.forget_bias if start == "bias" else None
            scheme = "default" if start == "bias" else start
            title, racer = (
                NAMES.get((family, start), family),
                replace(
                    racer, scheme=scheme, forget_bias=bias, memory=recipe.memory, curriculum=recipe.curriculum, shows=""
                ),
            )
        if equal:
            racer = at_parameters(racer, found.inputs, found.outputs, most)
        racing[title] = replace(racer, every=25)
    return racing


def _family(recipe: Recipe) -> str:
    return cells.get(recipe.cell).family


def _start(recipe: Recipe, cell: str) -> str:
    """The recipe's kind of start for a cell; one that no gate keeps, as a plain RNN, has no bias that could be set."""
    start = "bias" if recipe.forget_bias is not None else recipe.scheme
    return "default" if not cells.get(cell).keep_gates and start in ("bias", "chrono") else start


def listed(recipes: dict[str, Recipe]) -> list[str]:
    """What is trained and how, a line for each."""
    return [
        tr(
            "{name}: {units}, learning rate {lr:g}, at most {steps}",
            name=tr(name),
            units=trn("{count} unit", "{count} units", recipe.hidden_size),
            lr=recipe.lr,
            steps=trn("{count:,} step", "{count:,} steps", recipe.max_steps),
        )
        for name, recipe in recipes.items()
    ]
