"""Widgets that show a value and hand back what a person makes of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import streamlit as st

from seqviz.checks import number, whole
from seqviz.experiment import Experiment
from seqviz.language import again, later, reason, tr, trn
from seqviz.scope.hosts.streamlit.tab import keeps
from seqviz.ui.bench import Bench

__all__ = [
    "controlled",
    "into",
    "layer_choice",
    "literal",
    "number_field",
    "opened",
    "option",
    "own_number",
    "own_toggle",
    "refuse",
    "remembered",
    "said",
    "table",
    "unfolding",
    "unkept",
    "upload",
    "whole_number",
]


def literal(says: str) -> str:
    """A text that may quote what somebody typed, so that none of it is read as Markdown."""
    escaped = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", says)
    # Streamlit looks for bare addresses once more when that is done: a word joiner, unseen, keeps them apart.
    return re.sub(r"(?=\\@)|(?<=http)(?=s?\\:)|(?<=www)(?=\\\.)", "\u2060", escaped, flags=re.IGNORECASE)


LONGEST = 2000
"""Characters of a warning, whatever it quotes."""


def refuse(says: str) -> None:
    """A warning that says what was refused."""
    st.warning(literal(says if len(says) <= LONGEST else says[:LONGEST] + "…"), icon=":material/error:")


def said(bench: Bench) -> None:
    """What had to be refused. Its place is always there, so that nothing below it is made anew and folds up."""
    with st.container():
        if bench.problem:
            refuse(again(bench.problem))


def opened(bench: Bench) -> None:
    """Which task and checkpoint a network from the training page is of, as long as its weights are still those."""
    with st.container():
        origin = bench.origin
        if origin is not None and _network(origin.experiment) == _network(bench.experiment):
            st.caption(
                trn(
                    "From training. {task}: {name}, after {count:,} step.",
                    "From training. {task}: {name}, after {count:,} steps.",
                    origin.step,
                    task=tr(origin.task),
                    name=tr(origin.course),
                )
            )


def _network(e: Experiment) -> tuple[Any, ...]:
    """What of an experiment is the network."""
    return e.cell, e.input_size, e.hidden_size, e.output_size, e.num_layers, e.init, e.tensors, e.edits


def unkept(bench: Bench) -> None:
    """What an address cannot hold, and who keeps it. Its place is always there too."""
    with st.container():
        if bench.too_long:
            st.caption(
                tr(
                    "This experiment is too long for an address. This browser keeps it for a reload; to hand it on, "
                    "save it as a file: “Save” on the gates page."
                )
                if bench.keep() and keeps()
                else tr(
                    "This experiment is too large for an address and for the browser to keep: reloading the page loses "
                    "it. “Save” on the gates page keeps it as a file."
                )
            )


def controlled(
    widget: Callable[..., Any], label: str, value: Any, change: Callable[[Any], Any], *, key: str, **options: Any
) -> None:
    """A widget that always shows `value` and hands what the person chooses to `change`.

    The experiment is the one home of every setting, so after undo, reset or a pasted address the widget
    shows what is, not what it was last moved to.
    """

    def chosen() -> None:
        given = st.session_state[key]
        if given is not None:
            change(given)

    st.session_state[key] = value
    widget(label, key=key, on_change=chosen, **options)


class Answers(Protocol):
    """Where a page keeps what had to be refused, to be said at the head of its controls."""

    problem: str


def number_field(
    page: Answers, label: str, value: float, change: Callable[[Any], Any], low: float, high: float,
    *, key: str, whole: bool = False, **look: Any,
) -> None:  # fmt: skip
    """A number as :func:`controlled`; what is none, or outside of `low` to `high`, is answered with a sentence.

    Streamlit's own fields would take letters for the lowest number, and 3.7 for 3, without a word.
    """

    def chosen() -> None:
        try:
            change(_checked(st.session_state[key], label, low, high, whole))
        except ValueError as refusal:
            page.problem = reason(refusal)

    st.session_state[key] = float(value)
    look = {"step": 1.0, "format": "%.0f"} | look if whole else look
    st.number_input(label, value=None, key=key, on_change=chosen, **look)


def into(page: Answers, name: str) -> Callable[[Any], None]:
    """What puts a number into one of a page's own attributes; what was refused before is forgotten with it."""

    def put(value: Any) -> None:
        page.problem = ""
        setattr(page, name, value)

    return put


def whole_number(
    page: Answers, label: str, value: int, change: Callable[[int], Any], low: int, high: int, *, key: str, **look: Any
) -> None:
    """A whole number as :func:`number_field`."""
    number_field(page, label, value, change, low, high, key=key, whole=True, **look)


def own_number(page: Answers, label: str, first: float, low: float, high: float, *, key: str, **look: Any) -> float:
    """A number that nothing but its field keeps, `first` to begin with; else as :func:`number_field`."""
    home = f"{key}.kept"
    kept: float = st.session_state.get(home, first)
    now = st.session_state[home] = min(max(kept, low), high)

    def keep(number: float) -> None:
        st.session_state[home], page.problem = number, ""

    number_field(page, label, now, keep, low, high, key=key, **look)
    return now


def _checked(given: float | None, label: str, low: float, high: float, of_wholes: bool) -> float:
    """What was typed into a field: Streamlit gives nothing where it is no number, and every number as a float."""
    if given is None:
        says = later("{what} must be a number from {low:,.10g} to {high:,.10g}.")
        if of_wholes:
            says = later("{what} must be a whole number from {low} to {high:,}.")
        raise ValueError(tr(says, what=label, low=low, high=high))
    if of_wholes:
        return whole(int(given) if given.is_integer() else given, label, int(low), int(high))
    if not low <= number(given, label) <= high:
        says = later("{what} must be from {low:,.10g} to {high:,.10g}; {value:g} is outside.")
        raise ValueError(tr(says, what=label, low=low, high=high, value=given))
    return given


def upload(label: str, kinds: list[str], bench: Bench, read: Callable[[Any], Experiment], *, key: str) -> None:
    """A file that becomes the experiment of `bench`. What had to be refused about it goes when it is taken away."""
    refused = f"{key}.refused"

    def chosen() -> None:
        given = st.session_state[key]
        if given is not None:
            bench.attempt(lambda: read(given))
            st.session_state[refused] = bench.problem
        elif bench.problem == st.session_state.get(refused):
            bench.problem = ""

    st.file_uploader(label, type=kinds, key=key, on_change=chosen)


def remembered(
    widget: Callable[..., Any],
    label: str,
    choices: Sequence[str],
    *,
    key: str,
    names: Callable[[str], str],
    **look: Any,
) -> str:
    """A choice that nothing but this widget keeps, whatever language its `names` are said in.

    A widget hands back the name that it shows, so that one which was shown in another language would be lost.
    """
    home = f"{key}.kept"
    kept: Any = st.session_state.get(home)
    now: str = kept if kept in choices else choices[0]
    st.session_state[home] = now
    keep = st.session_state.__setitem__
    controlled(widget, label, now, lambda v: keep(home, v), key=key, options=choices, format_func=names, **look)
    return now


def own_toggle(label: str, *, key: str) -> bool:
    """A switch that nothing but itself keeps, on other pages too; off to begin with."""
    home = f"{key}.kept"
    now = bool(st.session_state.get(home))
    keep = st.session_state.__setitem__
    controlled(st.toggle, label, now, lambda on: keep(home, on), key=key)
    return now


def option(
    widget: Callable[..., Any],
    label: str,
    bench: Bench,
    name: str,
    *,
    key: str,
    names: Callable[[str], str] = str,
    **look: Any,
) -> None:
    """One of the page's own settings beside the experiment (:meth:`Bench.option`)."""
    choices = list(bench.choices[name])
    choose = bench.choose
    controlled(
        widget, label, bench.option(name), lambda v: choose(name, v), key=key, options=choices, format_func=names,
        **look,
    )  # fmt: skip


def unfolding(label: str, key: str) -> Any:
    """An expander that knows whether it is open, and stays so when its label is said in another language."""
    kept = f"{key}.kept"
    shown = st.expander(label, expanded=st.session_state.get(kept, False), key=key, on_change="rerun")
    st.session_state[kept] = shown.open
    return shown


def table(name: str, array: np.ndarray, columns: Sequence[str], apply: Callable[[dict], Any]) -> None:
    """An exact table of a matrix; `apply` gets ``{(row, col): value}`` as cells are typed.

    The editor is only made anew when the matrix changed elsewhere, so that typing down a column keeps
    its place.
    """
    import pandas as pd  # a fifth of a second, which the first picture need not wait for

    memory = st.session_state.setdefault(f"table.{name}", {"base": None, "epoch": 0})
    key = f"table.{name}.{memory['epoch']}"
    base = memory["base"]
    typed = _typed(key, columns)
    if base is None or base.shape != array.shape or not np.array_equal(_with(base, typed), array):
        memory["base"], memory["epoch"] = array.copy(), memory["epoch"] + 1
        key = f"table.{name}.{memory['epoch']}"
    frame = pd.DataFrame(memory["base"], columns=list(columns))
    config = {c: st.column_config.NumberColumn(format="%.4f", step=0.0001, width="small") for c in columns}
    st.data_editor(
        frame,
        key=key,
        column_config=config,
        height=min(320, 38 + 35 * len(frame)),
        on_change=lambda: apply(_typed(key, columns)),
    )


def _typed(key: str, columns: Sequence[str]) -> dict[tuple[int, int], float]:
    rows = (st.session_state.get(key) or {}).get("edited_rows", {})
    place = {column: k for k, column in enumerate(columns)}
    return {
        (int(r), place[c]): v for r, cells in rows.items() for c, v in cells.items() if v is not None and c in place
    }


def _with(base: np.ndarray, typed: dict[tuple[int, int], float]) -> np.ndarray:
    array = base.copy()
    for (row, col), value in typed.items():
        if row < array.shape[0]:
            array[row, col] = value
    return array


def layer_choice(bench: Bench) -> None:
    """Which layer is shown, where there are several."""
    experiment = bench.experiment
    if experiment.num_layers > 1:
        layers = list(range(experiment.num_layers))
        st.session_state["layer"] = bench.layer
        st.segmented_control(
            tr("Layer shown"),
            layers,
            label_visibility="collapsed",
            format_func=lambda k: tr("Layer {k}", k=k + 1),
            key="layer",
            on_change=bench.show_layer,
        )
