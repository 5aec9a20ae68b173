"""A network examined: whether it uses its memory, what is wrong with it, and what cures do."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final, NamedTuple

import streamlit as st

from seqviz.doctor import Diagnosis, doctor
from seqviz.doctor.finding import Finding
from seqviz.experiment import Experiment
from seqviz.figures import lit, memory_use
from seqviz.language import again, reason, tr
from seqviz.memory import uses_memory
from seqviz.memory.found import MemoryUse
from seqviz.patience import patience
from seqviz.runner import inputs, run
from seqviz.tasks import TASKS
from seqviz.trace import Trace
from seqviz.ui.bench import Bench
from seqviz.ui.controls import literal, refuse, remembered
from seqviz.ui.shell import go

__all__ = ["Answers", "doctor_panel", "examination"]

CHART = {"displayModeBar": False}

PATIENCE: Final = 20.0
"""Seconds of computing that a question takes at the most."""


class Answers(NamedTuple):
    """What was found; None of what was not asked."""

    memory: MemoryUse | None
    diagnosis: Diagnosis | None


def doctor_panel(
    subject: Any,
    judged: dict[str, Any],
    *,
    key: str,
    same: Hashable,
    trace: Trace | None = None,
    look_at: Callable[[Any], None] | None = None,
    examined: dict[str, Any] | None = None,
    narrow: bool = False,
    name: str = "",
    context: Sequence[str] = (),
    again_by: str = "",
    shower: Callable[[Diagnosis], Callable[[Finding], Callable[[], None] | None]] | None = None,
) -> Answers:
    """Two questions about a network, each asked by a button and answered below it.

    Args:
        subject: a module, or an experiment, whose own run is the picture then.
        judged: what it is judged by: keyword arguments of :func:`seqviz.doctor.doctor`; without targets, a loss or a
            task only what is certain is told, and the question on memory is not asked.
        key: begins the names of the session's keys.
        same: what tells a network and its data from others: an answer is shown as long as it is the same.
        trace: the run in which rows are lit.
        look_at: shows a cured network, beside the one that it was.
        examined: what the doctor judges by, where that is cut otherwise than for the memory.
        narrow: for a column beside a picture that lights the rows itself.
        shower: of a diagnosis and a finding of it, what puts its rows into the picture, where they are not there.
        name, context, again_by: for the file of what was found, as :meth:`seqviz.doctor.Diagnosis.report` takes them.

    Returns:
        What was found, as far as it was asked about this.
    """
    asks = {name: judged.get(name) for name in ("targets", "loss", "task")}
    with st.container(horizontal=True, key=f"{key}-questions"):
        if any(value is not None for value in asks.values()):
            _asked(tr("Does it use its memory?"), f"{key}.memory", same, lambda: uses_memory(subject, **judged))
        _asked(tr("Examine it"), f"{key}.doctor", same, lambda: doctor(subject, **(examined or judged)))
    found = Answers(_answer(f"{key}.memory", same), _answer(f"{key}.doctor", same))
    if found.memory is not None:
        _memory(found.memory, key, narrow)
    if found.diagnosis is not None and narrow:
        _told(found.diagnosis, subject, key, look_at, shower)
    elif found.diagnosis is not None:
        if trace is None and isinstance(subject, Experiment):
            trace = run(subject)
        _diagnosis(found.diagnosis, subject, key, trace, look_at)
    if found.diagnosis is not None:
        if not again_by and isinstance(subject, Experiment):
            again_by = _code(subject, judged)
        page = found.diagnosis.report(name, context=context, again_by=again_by).encode("utf-8", "replace")
        st.download_button(
            tr("Save what was found"), page, "seqviz-findings.html", "text/html", on_click="ignore", key=f"{key}.report"
        )
    return found


def _code(experiment: Experiment, judged: dict[str, Any]) -> str:
    """Python that asks the doctor the same."""
    lines = ["import seqviz", f'experiment = seqviz.Experiment.from_url("{experiment.to_url()}")']
    task, given = judged.get("task"), "experiment"
    if task is not None:
        given += f', task=seqviz.tasks.task("{task.name}").at_length({task.length})'
    elif judged.get("targets") is not None:
        lines += ["from seqviz.runner import inputs", "x = inputs(experiment)"]
        given += ", x[:-1], x[1:]"
    return "\n".join([*lines, f"found = seqviz.doctor({given})", "print(found.sentence)"])


def examination(experiment: Experiment, *, key: str, known: str = "") -> None:
    """:func:`doctor_panel` of a network of no known purpose: what it is judged by is chosen first.

    Args:
        experiment: the network, on its sequence.
        key: begins the names of the session's keys.
        known: the name of the task that it was trained on, where that is known.
    """
    ways = _ways(experiment)
    first = [known] if known in ways else []
    order = [*first, *(way for way in ways if way not in first)]
    way = remembered(st.selectbox, tr("Judged by"), order, key=f"{key}.by.{order[0]}", names=ways.__getitem__)

    def look_at(cured: Experiment) -> None:
        bench = Bench.here()
        bench.put(cured)
        bench.baseline = experiment
        go("gates")

    doctor_panel(experiment, _judged(experiment, way), key=key, same=(experiment, way), look_at=look_at)


NOTHING, NEXT = "nothing", "next"


def _ways(experiment: Experiment) -> dict[str, str]:
    """What a network of these sizes may be judged by, and what that is called."""
    sizes = experiment.input_size, experiment.output_size
    ways = {NOTHING: tr("nothing: only what is certain is told")}
    if sizes[0] == sizes[1] and experiment.sequence.length > 2:
        ways[NEXT] = tr("the next value of its own sequence")
    fitting = {name: found.label for name, found in TASKS.items() if (found.inputs, found.outputs) == sizes}
    return ways | fitting


def _judged(experiment: Experiment, way: str) -> dict[str, Any]:
    if way in TASKS:
        return {"task": TASKS[way]}
    x = inputs(experiment)
    return {"x": x[:-1], "targets": x[1:]} if way == NEXT else {"x": x}


def _asked(label: str, place: str, same: Hashable, ask: Callable[[], Any]) -> None:
    """A button; the answer, or the sentence of a refusal, stays with what it is about."""
    if st.button(label, key=place):
        with st.spinner(tr("Cures are tried on the data; this takes some seconds.")):
            try:
                with patience(PATIENCE):
                    found: Any = ask()
            except ValueError as refusal:
                found = reason(refusal)
        st.session_state[f"{place}.answer"] = (same, found)


def _answer(place: str, same: Hashable) -> Any:
    """The answer, unless it is about another network; a refusal is said."""
    about, found = st.session_state.get(f"{place}.answer", (None, None))
    if about != same:
        return None
    if isinstance(found, str):
        refuse(again(found))
        return None
    return found


def _theme() -> str:
    return str(st.context.theme.type or "light")


def _memory(use: MemoryUse, key: str, narrow: bool) -> None:
    if narrow:
        st.markdown("  \n".join(f"**{literal(says)}**" for says in use.verdicts))
    figure = memory_use(use, theme=_theme(), stacked=narrow)
    st.plotly_chart(figure, theme=None, key=f"{key}.memory.chart", config=CHART)
    st.caption("  \n".join(literal(says) for says in use.sentences))


def _diagnosis(
    diagnosis: Diagnosis, subject: Any, key: str, trace: Trace | None, look_at: Callable[[Any], None] | None
) -> None:
    _summed_up(diagnosis, subject, key, look_at)
    left, right = st.columns([3, 2], gap="medium")
    with right:
        for number, finding in enumerate(diagnosis, 1):
            _card(number, finding, subject, key, look_at)
    with left:
        if trace is not None and diagnosis:
            rows = [
                (row.signal, row.units, str(number))
                for number, finding in enumerate(diagnosis, 1)
                for row in finding.rows
                if row.signal in trace
            ]
            if rows:
                st.plotly_chart(lit(trace, rows, theme=_theme()), theme=None, key=f"{key}.lit", config=CHART)
    _harmless(diagnosis, key)


def _told(
    diagnosis: Diagnosis, subject: Any, key: str, look_at: Callable[[Any], None] | None, shower: Any = None
) -> None:
    """All of it, one below the other."""
    _summed_up(diagnosis, subject, key, look_at)
    shows = shower(diagnosis) if shower is not None else lambda finding: None
    for number, finding in enumerate(diagnosis, 1):
        _card(number, finding, subject, key, look_at, shows(finding))
    _harmless(diagnosis, key)


def _summed_up(diagnosis: Diagnosis, subject: Any, key: str, look_at: Callable[[Any], None] | None) -> None:
    st.markdown(f"#### {literal(diagnosis.sentence)}")
    if look_at and diagnosis.helping:
        label = tr("Look at the cured network") if len(diagnosis.helping) > 1 else tr("Look at it with its cure")
        if st.button(label, key=f"{key}.cured", type="primary"):
            look_at(diagnosis.cured(subject))


def _harmless(diagnosis: Diagnosis, key: str) -> None:
    if diagnosis.harmless:
        odd = [tr("{title}. {says}", title=found.title, says=found.says) for found in diagnosis.harmless]
        with st.expander(tr("Looks odd, and its cure does not help"), key=f"{key}-harmless"):
            st.markdown("\n".join(f"- {literal(says)}" for says in odd))


def _card(
    number: int, finding: Finding, subject: Any, key: str, look_at: Callable[[Any], None] | None, show: Any = None
) -> None:
    """One finding: what it is, its numbers, where that is written, its cure and what that did."""
    with st.container(border=True, key=f"{key}-card-{number}"):
        st.markdown(f"**{number}. {literal(finding.title)}**  \n{literal(finding.says)}")
        if show is not None:
            st.button(tr("Show where it is"), key=f"{key}.show.{number}", on_click=show)
        if finding.cure is not None:
            did = "" if finding.effect is None else literal(str(finding.effect))
            alone = tr("Alone: {did}", did=did) if did else tr("Not tried: there is nothing to judge it by.")
            st.markdown(f"{literal(finding.cure.name)}  \n{alone}")
            changes = look_at and finding.cure.clip is None
            if changes and st.button(tr("Look at it with this cure"), key=f"{key}.cure.{number}"):
                assert look_at is not None
                look_at(finding.cure.apply(subject))
        else:
            st.markdown(tr("No cure is known."))
        st.caption(_linked(finding.source))


def _linked(source: str) -> str:
    before, mark, address = source.partition("https://")
    return f"{literal(before)}[{literal(address)}]({mark}{address})" if mark else literal(source)
