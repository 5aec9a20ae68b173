"""What is asked about a network that somebody brought: what it should give, whether it remembers, what is wrong."""

from __future__ import annotations

import shlex
from typing import Any, NamedTuple

import streamlit as st

from seqviz import counted
from seqviz.doctor import Diagnosis
from seqviz.language import reason, tr
from seqviz.scope.headers import LitRow
from seqviz.tasks import TASKS
from seqviz.ui.controls import controlled, into, literal, remembered, whole_number
from seqviz.ui.panels.doctor import doctor_panel
from seqviz.ui.yours import Yours

__all__ = ["Answered", "asked"]

OWN, NOTHING = "own", "nothing"


class Answered(NamedTuple):
    """What came of it: a sentence for the top, and the rows of the picture that findings mean."""

    says: str = ""
    lit: tuple[LitRow, ...] = ()


def asked(yours: Yours) -> Answered:
    """The questions about the network, and their answers."""
    try:
        yours.inputs()
    except ValueError:
        return Answered()  # said where the data are
    ways = _ways(yours)
    default = "adding" if yours.example else next(iter(ways))
    order = [default, *(way for way in ways if way != default)]
    way = remembered(st.selectbox, tr("Judged by"), order, key=f"yours.by.{default}", names=ways.__getitem__)
    same, own = (yours.judging, way), None
    try:
        if way == OWN:
            _targets(yours)
            own = yours.aim()
            for says in own.says:
                st.caption(literal(says))
            subject, judged, examined = own.module, own.given, own.pieces
        else:
            assert yours.file is not None
            subject = yours.file.whole(yours.shown, **yours.answered)
            judged = {"task": TASKS[way]} if way in TASKS else {"x": yours.run_inputs()}
            examined = judged
    except ValueError as refusal:
        st.caption(literal(reason(refusal)))
        return Answered()
    context = [tr("Judged by: {what}.", what=ways[way]), *(own.says if own is not None else ())]
    found = doctor_panel(
        subject, judged, key="yours.examined", same=same, look_at=yours.look_at, examined=examined, narrow=True,
        name=yours.name, context=context, again_by=_command(yours),
    )  # fmt: skip
    if found.diagnosis is not None:
        return Answered(found.diagnosis.sentence, _lit(found.diagnosis, yours))
    return Answered(found.memory.verdict if found.memory else "")


def _command(yours: Yours) -> str:
    """The command that opens the app on the same."""
    words = ["seqviz", "show", yours.name, *(["--stack", yours.shown.name] if yours.stack else [])]
    words += [f"--beside={name}" for name in yours.beside]
    words += [f"--answer={name}={answer}" for name, answer in yours.answered.items()]
    return shlex.join([*words, *_data(yours, yours.given[1])] if yours.given is not None else words)


def _data(yours: Yours, name: str) -> list[str]:
    """What the command says of the data, and of what was chosen of them."""
    words = ["--data", name, *(["--columns", ",".join(yours.columns)] if yours.columns else [])]
    words += [f"--missing={yours.missing}"] if yours.missing else []
    if yours.table is not None and len(yours.table.arrays) > 1:
        words.append(f"--array={yours.table.array}")
    words += ["--no-batch-first"] if yours.turned else []
    words += [f"--apart={yours.apart}"] if yours.apart else []
    words += [f"--sequence={yours.sequence}"] if yours.sequence else []
    return [*words, *([f"--{yours.scale.replace('_', '-')}"] if yours.scale else [])]


def _ways(yours: Yours) -> dict[str, str]:
    """What the network may be judged by, and what that is called."""
    ways: dict[str, str] = {OWN: tr("your own data")} if yours.table is not None or yours.text else {}
    sizes = yours.takes, yours.outputs
    ways |= {name: found.label for name, found in TASKS.items() if (found.inputs, found.outputs) == sizes}
    return ways | {NOTHING: tr("nothing: only what is certain is told")}


def _targets(yours: Yours) -> None:
    """Which columns it should have given, and when."""
    if yours.table is None:
        st.caption(tr("It should give the next character."))
        return
    names, ahead = yours.aims
    outputs = tr("It should give") if yours.outputs is None else tr(
        "It should give, for {outputs}", outputs=counted.outputs(yours.outputs)
    )  # fmt: skip
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        controlled(
            st.multiselect, outputs, names, lambda chosen: setattr(yours, "wanted", list(chosen)),
            key="yours.wanted", options=list(yours.table.names),
        )  # fmt: skip
    with right:
        whole_number(
            yours, tr("rows later"), ahead, into(yours, "ahead"), 0, max(0, len(yours.table.values) - 1),
            key="yours.ahead",
        )  # fmt: skip


def _lit(diagnosis: Diagnosis, yours: Yours) -> tuple[LitRow, ...]:
    """The findings' rows in the layer that is shown, as its picture calls them."""
    rows: list[LitRow] = []
    for number, finding in enumerate(diagnosis, 1):
        for row in finding.rows:
            path, _, signal = row.signal.rpartition(".")
            if path.rpartition(".")[2] == f"l{yours.layer}" and not yours.reverse and _of_last(path, yours):
                units: Any = list(row.units) or None
                rows.append({"signal": f"l{yours.layer}.{signal}", "units": units, "mark": str(number),
                             "says": finding.title})  # fmt: skip
    return tuple(rows)


def _of_last(path: str, yours: Yours) -> bool:
    """Whether a signal's path is of the last stack, which is the one that is shown."""
    module, _, _ = path.rpartition(".")
    return not module or module == f"layers.{len(yours.chain) - 1}"
