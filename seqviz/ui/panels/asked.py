"""What is asked about a network that somebody brought: what it should give, whether it remembers, what is wrong."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

import streamlit as st

from seqviz import counted
from seqviz.command import names_in_a_line
from seqviz.doctor import Diagnosis, Finding
from seqviz.language import reason, tr
from seqviz.scope.headers import LitRow
from seqviz.tasks import TASKS
from seqviz.ui.controls import controlled, into, literal, remembered, whole_number
from seqviz.ui.panels.doctor import doctor_panel
from seqviz.ui.yours import Yours
from seqviz.ui.yours_fits import best_scale, fits_best, fits_better

__all__ = ["Answered", "asked"]

OWN, NOTHING = "own", "nothing"
_SIGNAL: Final = re.compile(
    r"(?:layers\.(?P<level>\d+)(?:\.runs\.(?P<run>\d+))?\.)?l(?P<layer>\d+)(?P<reverse>_reverse)?\.\w+"
)


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
            _another_scale(yours)
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
        shower=lambda diagnosis: _shower(diagnosis, yours),
    )  # fmt: skip
    if found.diagnosis is not None:
        return Answered(found.diagnosis.sentence, _lit(found.diagnosis, yours))
    return Answered(found.memory.verdict if found.memory else "")


def _command(yours: Yours) -> str:
    """The command that opens the app on the same."""
    name = f"./{yours.name}" if yours.name.startswith("-") else yours.name
    words = ["seqviz", "show", name, *([f"--stack={yours.shown.name}"] if yours.stack else [])]
    words += [f"--beside={name}" for name in yours.beside]
    words += [f"--answer={name}={answer}" for name, answer in yours.answered.items()]
    if yours.given is not None:
        words += [f"--data={yours.given[1]}", *_data(yours)]
    elif yours.written:
        words += [f"--typed={yours.written}", *_data(yours)]
    return shlex.join(words)


def _data(yours: Yours) -> list[str]:
    """What the command says of what was chosen of the data, and of what the network is to give."""
    words = [f"--columns={names_in_a_line(yours.columns)}"] if yours.columns else []
    words += [f"--missing={yours.missing}"] if yours.missing else []
    if yours.table is not None and len(yours.table.arrays) > 1:
        words.append(f"--array={yours.table.array}")
    words += ["--no-batch-first"] if yours.turned else []
    words += [f"--apart={yours.apart}"] if yours.apart else []
    words += [f"--sequence={yours.sequence}"] if yours.sequence else []
    words += [f"--{each.replace('_', '-')}" for each in yours.scaled_by]
    words += [f"--aim={names_in_a_line(yours.wanted)}"] if yours.wanted else []
    return [*words, *([f"--ahead={yours.ahead}"] if yours.ahead is not None else [])]


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
    if not yours.wanted and names == [fits_best(yours)]:
        st.caption(
            literal(tr("The file does not say which column it gives; of those that it takes, it fits {name} best.",
                       name=names[0]))
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


def _another_scale(yours: Yours) -> None:
    """Where the network fits the data far better with its columns on another scale, that, and a button for it."""
    says, best = fits_better(yours), best_scale(yours)
    if says is not None:
        st.caption(literal(says))
        st.button(tr("Take them so"), key="yours.better", on_click=lambda: setattr(yours, "scale", best))


def _lit(diagnosis: Diagnosis, yours: Yours) -> tuple[LitRow, ...]:
    """The findings' rows in the stack, layer and direction that are in the picture, as it calls them."""
    rows: list[LitRow] = []
    for number, finding in enumerate(diagnosis, 1):
        for row in finding.rows:
            found = _place(row.signal, yours)
            if found == _Place(yours.pictured_at, yours.layer, yours.reverse) or (found and found.layer is None):
                signal = "x" if found.layer is None else f"l{yours.layer}.{row.signal.rpartition('.')[2]}"
                rows.append({"signal": signal, "units": list(row.units) or None, "mark": str(number),
                             "says": finding.title})  # fmt: skip
    return tuple(rows)


class _Place(NamedTuple):
    """Where a signal is to be seen: the stack's place in its chain, the layer, None of the input, and the direction."""

    level: int
    layer: int | None
    reverse: bool


def _place(signal: str, yours: Yours) -> _Place | None:
    """Where a signal of the judged module is to be seen; None where it is not."""
    if signal == "x":  # of the network itself
        return _Place(0, None, False) if not yours.pictured_at else None
    found = _SIGNAL.fullmatch(signal)
    if found is None:
        return None
    level = len(yours.chain) - 1 if found["level"] is None else int(found["level"])
    if found["run"] is not None:  # each layer and direction is a module of its own
        layer, way = divmod(int(found["run"]), 2)
        return _Place(level, layer, bool(way))
    return _Place(level, int(found["layer"]), found["reverse"] is not None)


def _shower(diagnosis: Diagnosis, yours: Yours) -> Callable[[Finding], Callable[[], None] | None]:
    """What puts the rows of a finding into the picture; of one whose rows are there already there is nothing."""
    marks = {row["mark"] for row in _lit(diagnosis, yours)}

    def of(finding: Finding) -> Callable[[], None] | None:
        number = str(list(diagnosis).index(finding) + 1)
        places = [found for row in finding.rows if (found := _place(row.signal, yours))]
        if number in marks or not places:
            return None
        return partial(_show, yours, places[0])

    return of


def _show(yours: Yours, place: _Place) -> None:
    yours.level, yours.layer, yours.reverse, yours.units = place.level, place.layer or 0, place.reverse, 0
