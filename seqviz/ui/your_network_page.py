"""The parts of the page *Your network*: a file, what is in it, data, and the gates."""

from __future__ import annotations

import re
from functools import partial
from html import escape
from typing import Any, Final

import streamlit as st
import torch

from seqviz import counted
from seqviz import vocabulary as words
from seqviz.experiment import MAX_STEPS, Experiment
from seqviz.experiment import Sequence as Input
from seqviz.language import again, reason, tr
from seqviz.looked import Look
from seqviz.reading.networks import Stack
from seqviz.reading.networks.told import GATES, Moved
from seqviz.scope import of_trace
from seqviz.scope.headers import LitRow
from seqviz.scope.hosts.streamlit import mount
from seqviz.trace import Trace
from seqviz.ui.bench import Bench
from seqviz.ui.controls import controlled, into, literal, refuse, whole_number
from seqviz.ui.kept_files import TOO_LARGE
from seqviz.ui.panels.asked import Answered, asked
from seqviz.ui.panels.your_data import your_data
from seqviz.ui.rail import rail
from seqviz.ui.scenes import lab
from seqviz.ui.shell import go
from seqviz.ui.yours import MOST, Yours
from seqviz.ui.yours_kept import keep, place

__all__ = ["your_network"]

NUMBERS: Final = 1_500_000
"""Numbers in a picture."""

WIDE: Final = 24
"""Letters of a name that the left column has room for."""


def your_network() -> None:
    """The page: what was brought at the left, its picture, and what is asked about it at the right."""
    yours = Yours.here()
    rail("your_network", Bench.here())
    with st.container(key="yours"):
        left, middle, right = st.columns([3, 7, 3], gap="medium")
        with left, st.container(key="yours-brought"):
            with st.container():  # what comes and goes above a field may not move it while its file is on the way
                _network(yours)
            with st.container():
                your_data(yours)
        with right, st.container(key="yours-asked"):
            answered = asked(yours) if yours.file is not None else Answered()
        with middle, st.container(key="yours-picture"):
            _picture(yours, answered)


def _network(yours: Yours) -> None:
    def chosen() -> None:
        files = {file.name: file.getvalue() for file in st.session_state["yours.network"] or ()}
        if files:
            yours.attempt(lambda: yours.take(files))
        else:
            yours.problem = ""

    st.file_uploader(
        tr("A trained network: .pt, .keras, .onnx, …; or a run, .npz"), accept_multiple_files=True,
        key="yours.network", on_change=chosen,
        help=tr(
            "Nothing in the file is run, and nothing is written to the server's disk. Your browser keeps a copy for a "
            "reload. Of a run in a folder bring all its files, or a zip of it."
        ),
    )  # fmt: skip
    with st.container():
        if yours.problem:
            refuse(again(yours.problem))
    if yours.example:
        st.caption(tr("Until you bring your own, this is a network that adds two marked numbers."))
    if any(kept.startswith(TOO_LARGE) for kept in (yours.net_kept, yours.data_kept)):
        st.caption(tr("These files are too large for the browser to keep: after a reload, choose them again."))
    st.markdown(f"**{literal(yours.name)}**")
    if yours.file is not None:
        _stacks(yours)


def _stacks(yours: Yours) -> None:
    file = yours.file
    assert file is not None
    if len(file.stacks) > 1:
        names = _told_apart([stack.name for stack in file.stacks])
        controlled(
            st.selectbox, tr("Network in the file"), yours.stack, lambda k: _look_at(yours, k), key="yours.stack",
            options=list(range(len(file.stacks))), format_func=lambda k: names[k] or tr("the network"),
        )  # fmt: skip
    stack = yours.shown
    st.caption(literal(_size(stack)))
    st.markdown(f"**{tr('Which rows became which gate')}**")
    st.markdown(_blocks(stack.moves(yours.answered)), unsafe_allow_html=True)
    for question in stack.asked:
        if question.name == "batch_first":  # one sequence is given, in the order that the module takes
            continue
        controlled(
            st.segmented_control, literal(again(question.says)), yours.answered.get(question.name, question.choices[0]),
            partial(yours.answer, question.name), key=f"yours.{stack.name}.{question.name}",
            options=list(question.choices), format_func=str, required=True,
        )  # fmt: skip
    notes = [*file.said, *stack.remarks]
    if notes:
        with st.expander(tr("What was done with the file"), key="yours-notes"):
            st.markdown("\n".join(f"- {literal(again(note))}" for note in notes))


def _told_apart(names: list[str]) -> list[str]:
    """Long names without the path that all of them begin with, so that a narrow list shows where they differ."""
    parts = [name.split(".") for name in names]
    same = next((k for k, each in enumerate(zip(*parts, strict=False)) if len(set(each)) > 1), 0)
    same = min(same, min(map(len, parts)) - 1) if max(map(len, names)) > WIDE else 0
    return [f"…{'.'.join(each[same:])}" for each in parts] if same else names


def _look_at(yours: Yours, stack: int) -> None:
    yours.stack, yours.level, yours.layer, yours.reverse, yours.units = stack, -1, 0, False, 0


def _show_level(yours: Yours, level: int) -> None:
    yours.level, yours.layer, yours.reverse, yours.units = level, 0, False, 0


def _size(stack: Stack) -> str:
    sizes = [counted.inputs(stack.input_size), counted.units(stack.hidden_size), counted.layers(stack.num_layers)]
    more = [tr("both directions")] if stack.bidirectional else []
    more += [tr("a projection to {size}", size=stack.proj_size)] if stack.proj_size else []
    numbers = sum(array.size for array in stack.parameters.values())
    kind = ", ".join(map(str, [stack.cell, *sizes, *more, *dict.fromkeys(stack.functions), stack.dtype]))
    says = tr("{kind}; weights: {numbers:,}", kind=kind, numbers=numbers)
    return tr("{name}: {says}", name=stack.name, says=says) if stack.name else says


def _blocks(moved: tuple[Moved, ...]) -> str:
    """What multiplies the input, as the file has it, each gate's part in its colour."""
    rows, first = [], moved[: len(GATES[moved[0].cell])]
    sources = list(dict.fromkeys(move.source for move in first))
    names = [source.removesuffix(".weight").rpartition(".") for source in sources]
    short = {source: name[-12:] for source, (_, _, name) in zip(sources, names, strict=True)}
    for move in first:
        colour = f"var(--sv-hue-{move.gate}, var(--sv-ink))"
        span = f"{move.span[0]}–{move.span[1]}" if len(sources) == 1 else escape(short[move.source])
        rows.append(
            f'<div style="display:flex;gap:8px;align-items:center" title="{escape(move.says)}"><span style="background:'
            f'{colour};color:var(--sv-paper);min-width:76px;text-align:center;padding:1px 4px">{span}</span>'
            f"<span><b>{escape(move.gate)}</b> {escape(move.label)}</span></div>"
        )
    where = tr("columns") if moved[0].columns else tr("rows")
    source = sources[0] if len(sources) == 1 else names[0][0]
    source = source if len(source) <= 60 else f"…{source[-60:]}"
    says = escape(tr("{where} of {source}", where=where, source=source) if len(sources) == 1 else source)
    below = f'<div style="font-size:14px;overflow-wrap:anywhere">{says}</div>'
    return f'<div class="sv-moved" style="margin-bottom:12px">{"".join(rows)}{below}</div>'


def _picture(yours: Yours, answered: Answered) -> None:
    if yours.file is None and yours.trace is None:
        return
    try:
        seen, cured = yours.run(), None
        if yours.file is not None:
            cured = yours.run_cured()
    except ValueError as refusal:
        refuse(reason(refusal))
        return
    trace = seen.trace if cured is None else cured
    with st.container(key="yours-over"):  # always there: the picture below it keeps its place, and is not made anew
        prefix, some = _over(yours, trace, seen.says)
    try:
        message = of_trace(
            trace.sel(unit=some), yours.layer, reverse=yours.reverse, prefix=prefix, batch=yours.batch,
            headline=answered.says, lit=_among(answered.lit, some), **_called(yours, seen),
            baseline=None if cured is None else seen.trace.sel(unit=some),
        )  # fmt: skip
    except (ValueError, KeyError) as refusal:
        refuse(reason(refusal) if isinstance(refusal, ValueError) else tr("This part of the run was not saved."))
        return
    mount("yours.scope", message, lambda event: None, keep(yours), place=place(yours))
    if yours.file is not None:
        _further(yours)


def _over(yours: Yours, trace: Trace, says: Any) -> tuple[str, slice]:
    """What is said and chosen above the picture: the module's name, and which units are shown."""
    if yours.file is not None and trace is not yours.run().trace:
        _back(yours)
    if yours.file is not None and yours.table is None:
        for said in yours.inputs().says:
            st.caption(literal(said))
    prefix = _choices(yours, trace)
    steps, units = _steps(yours, says), _units(yours, trace, prefix)
    for said in (steps, _of_units(units, trace, yours, prefix)):
        if said:
            st.caption(literal(said))
    return prefix, slice(None) if units is None else units


def _back(yours: Yours) -> None:
    """Whose run it is that is shown, and the way back."""
    with st.container(horizontal=True, key="yours-cured", vertical_alignment="center"):
        st.markdown(f"**{tr('This is the network with its cure; the baseline is the one that you brought.')}**")
        st.button(tr("Back to mine"), key="yours.back", on_click=lambda: setattr(yours, "cured", None))


def _called(yours: Yours, seen: Look) -> dict[str, Any]:
    """What the inputs and the steps are called, where the data say so."""
    if yours.file is None or yours.pictured.fed_by:
        return {}
    given = yours.inputs()
    marks = _without_seconds(given.labels or ())[seen.first :: seen.every]
    return {
        "names": given.names if yours.table is not None else (),
        "marks": marks[::-1] if yours.pictured.backwards else marks,
    }


def _without_seconds(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Dates with as much of their times as tells them apart."""
    if labels and all(re.fullmatch(r".*\d\d:\d\d:00", label) for label in labels):
        return tuple(label[:-3] for label in labels)
    return labels


def _among(lit: tuple[LitRow, ...], some: slice) -> list[LitRow]:
    """The rows that are lit, with their units as the picture counts them."""
    first, last = some.start or 0, some.stop
    found = []
    for row in lit:
        if row["signal"] == "x":
            found.append(row)
            continue
        units = row["units"] and [u - first for u in row["units"] if u >= first and (last is None or u < last)]
        if units or row["units"] is None:
            found.append(row | {"units": units})
    return found


def _choices(yours: Yours, trace: Trace) -> str:
    """Which module, layer, direction and sequence; gives the module's name."""
    prefixes = list(trace.modes)
    places = st.container(horizontal=True, key="yours-choices")
    prefix = prefixes[0] if prefixes else ""
    with places:
        if len(prefixes) > 1:
            prefix = str(st.selectbox(tr("Module"), prefixes, key="yours.module"))
        if yours.file is not None and len(yours.chain) > 1:
            names = _told_apart([stack.name for stack in yours.chain])
            controlled(
                st.segmented_control, tr("Network shown"), yours.pictured_at, partial(_show_level, yours),
                key="yours.level", options=list(range(len(names))), format_func=names.__getitem__, required=True,
            )  # fmt: skip
        layers = _layers(trace, prefix)
        yours.layer = min(yours.layer, layers - 1)
        if layers > 1:
            controlled(
                st.segmented_control, tr("Layer shown"), yours.layer, lambda k: setattr(yours, "layer", k),
                key="yours.layer", options=list(range(layers)), format_func=lambda k: tr("Layer {k}", k=k + 1),
                required=True,
            )  # fmt: skip
        both = words.signal_name(yours.layer, "h", reverse=True, prefix=prefix) in trace
        yours.reverse = yours.reverse and both
        if both:
            controlled(
                st.segmented_control, tr("Direction"), yours.reverse, lambda way: setattr(yours, "reverse", way),
                key="yours.reverse", options=[False, True], required=True,
                format_func=lambda way: tr("backwards") if way else tr("forwards"),
            )  # fmt: skip
        count = trace[words.signal_name(yours.layer, "h", reverse=yours.reverse, prefix=prefix)].shape[1]
        yours.batch = min(yours.batch, count - 1)
        if count > 1:
            whole_number(
                yours, tr("Sequence, of {count}", count=count), yours.batch, into(yours, "batch"), 0, count - 1,
                key="yours.batch",
            )  # fmt: skip
    return prefix


def _layers(trace: Trace, prefix: str) -> int:
    layers = 1
    while words.signal_name(layers, "h", prefix=prefix) in trace:
        layers += 1
    return layers


def _steps(yours: Yours, says: Any) -> Any:
    """Which steps of a long run, where not all can be seen; gives what is said of them."""
    total = len(yours.trace[yours.trace.signals[0]]) if yours.trace is not None else len(yours.inputs().x)
    if total <= MOST:
        return ""
    with st.container(horizontal=True, key="yours-steps", vertical_alignment="bottom"):
        if not yours.whole:
            whole_number(
                yours, tr("First step"), yours.first, into(yours, "first"), 0, total - 1, key="yours.first",
                step=float(MOST),
            )  # fmt: skip
        controlled(
            st.toggle, tr("The whole run, some of its steps"), yours.whole, lambda on: setattr(yours, "whole", on),
            key="yours.whole",
        )  # fmt: skip
    return says


def _units(yours: Yours, trace: Trace, prefix: str) -> slice | None:
    """As many units as a picture holds; None where that is all of them."""
    h = trace[words.signal_name(yours.layer, "h", reverse=yours.reverse, prefix=prefix)]
    steps, _, total = h.shape
    most = max(16, NUMBERS // (8 * max(steps, 1)))
    if total <= most:
        return None
    whole_number(
        yours, tr("First unit"), yours.units, into(yours, "units"), 0, total - 1, key="yours.units", step=float(most),
    )  # fmt: skip
    return slice(yours.units, min(yours.units + most, total))


def _of_units(units: slice | None, trace: Trace, yours: Yours, prefix: str) -> Any:
    if units is None:
        return ""
    total = trace[words.signal_name(yours.layer, "h", reverse=yours.reverse, prefix=prefix)].shape[2]
    return tr("Units {first} to {last} of {total:,} are shown; the picture counts them from 0.", first=units.start,
              last=units.stop - 1, total=total)  # fmt: skip


def _further(yours: Yours) -> None:
    """On to the other pages, where the network fits them."""
    try:
        experiment = _experiment(yours)
    except ValueError as refusal:
        st.caption(literal(reason(refusal)))
        return
    pages = {"gates": tr("Open in Gates"), "cell": tr("Open in Cell"), "gradients": tr("Open in Gradients")}
    with st.container(horizontal=True, key="yours-further"):
        for page, says in pages.items():
            if st.button(says, key=f"yours.open.{page}"):
                (lab() if page == "gradients" else Bench.here()).put(experiment)
                go(page)


def _experiment(yours: Yours) -> Experiment:
    """The network and as many steps of its data as an experiment has."""
    file = yours.file
    assert file is not None
    made = file.experiment(yours.shown, **yours.answered)
    x = file.fed(yours.shown, torch.from_numpy(yours.inputs().x)[:, None])[:, 0].numpy()
    x = x[::-1] if yours.shown.backwards else x
    first = min(yours.first, max(0, len(x) - 1))
    return made.changed(sequence=Input.of_values(x[first : first + MAX_STEPS]))
