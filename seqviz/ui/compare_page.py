"""One input, four networks: the page that says what memory is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from seqviz import sequences
from seqviz.comparison import (
    WAVES,
    all_responses,
    answers,
    half_life_of,
    input_of,
    networks_of,
    responses,
    resting,
    set_in,
    shuffled,
    shuffling,
)
from seqviz.experiment import Experiment
from seqviz.figures.theme import network_line
from seqviz.kept import kept_spoken
from seqviz.language import again, tr
from seqviz.metrics import describe_overflow, short
from seqviz.runner import too_large
from seqviz.scope import pack
from seqviz.scope.headers import Curve, FlowHeader, FlowRow, NamedLine
from seqviz.scope.hosts.streamlit import mount
from seqviz.telling.order import (
    LATER,
    half_life_in_words,
    nudged_headline,
    order_headline,
    order_in_words,
    shuffled_headline,
)
from seqviz.telling.titles import whose_weights
from seqviz.ui.bench import Address, Bench
from seqviz.ui.controls import controlled, literal, opened, option, refuse, said, unkept, whole_number
from seqviz.ui.gallery import gallery
from seqviz.ui.panels.network import one_more
from seqviz.ui.pictures import story
from seqviz.ui.rail import rail
from seqviz.ui.scenes import DESK, EVERY, desk, first_compared
from seqviz.ui.weights_view import input_names

__all__ = ["comparison", "first"]

_ABOUT = 3.0
"""Powers of ten."""

first = first_compared


@st.fragment
def comparison() -> None:
    """Picture, controls, and what the numbers say."""
    bench = desk()
    if bench.goto or bench.stale:
        bench.stale = False
        st.rerun()
    gallery(bench, "compare", strip=True)
    with st.container(key="bench"):
        left, right = st.columns([8, 3], gap="medium")
        with right, st.container(key="controls"):
            _controls(bench)
        with left, st.container(key="picture"):
            rail("compare", bench)
            if says := whose_weights(set_in(bench.experiment), bench.experiment.init.seed):
                st.caption(says)
            if bench.experiment.interventions:
                st.caption(tr("Interventions play no part on this page: every network runs as its weights have it."))
            given = (bench.can_undo, bench.can_redo, bench.place)
            if says := too_large(bench.experiment):
                refuse(says)
                return
            mount("compare", _message(bench.experiment, _chosen(bench), *given), bench.event, bench.keep())
            _say(bench.experiment)
            _table(bench.experiment, bench.option("input"), _nudged(bench.experiment, bench.option("nudge")))


def _chosen(bench: Bench) -> tuple[str, str, str, int]:
    """The page's own settings: the input, what is subtracted, from whose hidden state, and the nudged step."""
    nudged = _nudged(bench.experiment, bench.option("nudge"))
    minus, net = (_there(bench.experiment, bench.option(name), DESK[name][0]) for name in ("minus", "net"))
    return bench.option("input"), minus, net, nudged


def _controls(bench: Bench) -> None:
    experiment = bench.experiment
    seq = experiment.sequence
    said(bench)
    opened(bench)
    unkept(bench)

    option(st.selectbox, tr("The input"), bench, "input", key="cmp.input", names=_called)
    kinds = [k for k in sequences.KIND_LABELS if k == seq.kind or k in WAVES]
    controlled(
        st.selectbox, tr("Kind"), seq.kind, lambda v: bench.change_wave(kind=v), key="cmp.kind", options=kinds,
        format_func=sequences.KIND_LABELS.__getitem__,
    )  # fmt: skip
    controlled(
        st.slider, tr("Steps"), seq.length, lambda v: bench.change_wave(length=v), key="cmp.length", min_value=1,
        max_value=max(200, seq.length), disabled=seq.width is not None,
    )  # fmt: skip
    controlled(
        st.slider, tr("Hidden units"), experiment.hidden_size, lambda v: bench.change(hidden_size=v), key="cmp.hidden",
        min_value=1, max_value=max(32, experiment.hidden_size),
    )  # fmt: skip
    whole_number(
        bench, tr("Seed of the weights"), experiment.init.seed, lambda v: bench.redraw(seed=v), 0, 2**31 - 1,
        key="cmp.seed",
    )  # fmt: skip
    if seq.length > 1:
        controlled(
            st.slider, tr("Nudged step"), _nudged(experiment, bench.option("nudge")),
            lambda v: bench.choose("nudge", _nudge_word(experiment, v)), key="cmp.nudge", min_value=0,
            max_value=seq.length - 1,
            help=tr("1 is added to the input at this step. Its mark in the picture can be dragged."),
        )  # fmt: skip
    one_more(bench, key="cmp.more")
    there = set(networks_of(experiment))
    _of_networks(bench, "net", tr("Hidden state in the last row"), "cmp.net", there)
    _of_networks(bench, "minus", tr("… minus that of"), "cmp.minus", there)


def _of_networks(bench: Bench, name: str, label: str, key: str, there: set[str]) -> None:
    """A setting that may name a network, of which only those on the screen can be chosen."""
    options = [choice for choice in DESK[name] if choice in there or choice not in EVERY]
    controlled(
        st.selectbox, label, _there(bench.experiment, bench.option(name), DESK[name][0]),
        lambda v: bench.choose(name, v), key=key, options=options, format_func=_called,
    )  # fmt: skip


def _there(experiment: Experiment, choice: str, otherwise: str) -> str:
    """A choice, or another one where it names a network that is not on the screen."""
    return otherwise if choice in EVERY and choice not in networks_of(experiment) else choice


def _called(choice: str) -> str:
    return sequences.KIND_LABELS[choice] if choice in WAVES else tr(choice)


def _nudged(experiment: Experiment, word: str) -> int:
    """The step that is nudged, by the page's setting; the last one where the sequence is too short for that."""
    length = experiment.sequence.length
    return min(int(word), length - 1) if word else length // 4


def _nudge_word(experiment: Experiment, step: int) -> str:
    return "" if step == _nudged(experiment, "") else str(step)


def _say(experiment: Experiment) -> None:
    """What shuffling does, in full, and what a hand-set network is and claims."""
    gaps, moved, sizes = shuffling(experiment)
    st.markdown(order_in_words(gaps, experiment.sequence.length, moved, sizes))
    if any(set_in(experiment).values()) and (says := story(experiment)):
        st.markdown(literal(says))


@kept_spoken
@np.errstate(divide="ignore")
def _message(
    experiment: Experiment, chosen: tuple[str, str, str, int], undo: bool, redo: bool, address: Address
) -> bytes:
    kind, minus, net, nudged = chosen
    x, found = input_of(experiment, kind, nudged), answers(experiment, kind, nudged)
    arrays: dict[str, np.ndarray] = {"x": x[:, 0]}
    curves: list[Curve] = []
    for name, response in responses(experiment, kind, nudged).items():
        arrays[f"{name}.d"] = np.log10(response)
        curves.append({"name": f"{name}.d", "label": tr(name), "line": network_line(name), "width": 2})
    for name, answer in found.items():
        arrays[f"{name}.y"], arrays[f"{name}.h"] = answer.y[:, 0], answer.h
    arrays |= _everywhere(experiment, kind)
    outputs = np.concatenate([answer.y[:, 0] for answer in found.values()])
    low, high = _reach(arrays)
    rows: list[FlowRow] = [
        *_moved(experiment, kind, arrays),
        _lines("x", _first_input(experiment), [("x", "x", 0)], x[:, 0], shape="hvh"),
        _lines("y", _first_outputs(experiment), [(f"{n}.y", tr(n), network_line(n)) for n in found], outputs),
        *(_states(tr(name), f"{name}.h", found[name].h) for name in found),
        {"signal": "norm", "kind": "norm", "symbol": "Δh",
         "name": tr("how far 1 more at step {step} moves h (log scale)", step=nudged), "width": 1,
         "hue": "h", "says": ""},
        *_rests(resting(experiment, kind, nudged), arrays),
    ]  # fmt: skip
    if minus != "nothing":
        other = found[minus].h if minus in found else answers(experiment, minus, nudged)[net].h
        arrays["difference"] = found[net].h - other
        gap = tr("{net} minus {minus}", net=tr(net), minus=_called(minus))
        rows.append(_states(gap, "difference", arrays["difference"]))
    arrays |= {"unrolled.x": x[:, 0], "unrolled.h": found["RNN"].h, "unrolled.y": found["RNN"].y[:, 0]}
    characters, marks = _called_steps(experiment, kind)
    header: FlowHeader = {
        "panel": "flow",
        "link": "compare",
        "id": f"{hash((experiment, chosen)) & 0xFFFFFFFF:08x}",
        "steps": experiment.sequence.length,
        "labels": characters,
        "marks": marks,
        "begin": min(nudged + LATER, experiment.sequence.length - 1) if kind == "one step nudged" else nudged,
        "nudge": nudged,
        "rows": rows,
        "curves": curves,
        "range": [min(high - 1.0, max(high - 8.0, low)), high],
        "measure": "‖Δh‖",
        "status": "",
        "spectrum": None,
        "unrolled": {"name": "RNN", "width": experiment.hidden_size},
        "address": address.query,
        "fields": address.fields,
        "shows": tr("The input {input}: {names}", input=_called(kind), names=tr(", ").join(map(tr, found))),
        "headline": _headline(experiment, kind, nudged),
        "tries": {"says": tr("Back in order") if kind == "shuffled" else tr("Shuffle the steps"), "edits": []},
        "undo": undo,
        "redo": redo,
    }
    return pack(header, arrays)


def _everywhere(experiment: Experiment, kind: str) -> dict[str, np.ndarray]:
    """log10 of the responses to a nudge at every step, for a hand that drags it: of each, from its own step on."""
    steps, shown = np.triu_indices(experiment.sequence.length), answers(experiment, "as it is")
    # Where the network itself, in float32, has overflowed, there is no number.
    there = {name: np.isfinite(answer.h).all(axis=1)[steps[1]] for name, answer in shown.items()}
    return {
        f"{name}.nudged": np.where(there[name], np.log10(found[steps]), np.nan)
        for name, found in all_responses(experiment, kind).items()
    }


def _reach(arrays: dict[str, np.ndarray]) -> tuple[float, float]:
    """From which power of ten to which the curves go; where it is about as far, those of every other nudge too, so that
    the axis stays while the mark is dragged."""

    def of(kind: str) -> tuple[float, float]:
        known = np.concatenate([np.zeros(0), *(a[np.isfinite(a)] for n, a in arrays.items() if n.endswith(kind))])
        return (float(np.floor(known.min())), float(np.ceil(known.max()))) if known.size else (-1.0, 0.0)

    (low, high), (least, most) = of(".d"), of(".nudged")
    return min(low, least), most if high < most <= high + _ABOUT else high


def _headline(experiment: Experiment, kind: str, nudged: int) -> str:
    """The sentence on top: what a nudge leaves, or who notices another order."""
    if kind == "one step nudged":
        left = {name: [float(v) for v in moved] for name, moved in responses(experiment, kind, nudged).items()}
        if says := nudged_headline(left, nudged):
            return says
    return (shuffled_headline if kind == "shuffled" else order_headline)(*shuffling(experiment)) or ""


def _moved(experiment: Experiment, kind: str, arrays: dict[str, np.ndarray]) -> list[FlowRow]:
    """Where every step of a shuffled input came from; nothing of one in order."""
    if kind != "shuffled":
        return []
    arrays["order"] = shuffled(experiment, 0)[0].astype(float)
    return [{"signal": "moved", "kind": "moved", "symbol": "⇄", "name": tr("where the steps went"), "array": "order",
             "width": 1, "hue": "x", "says": ""}]  # fmt: skip


def _rests(found: dict[str, np.ndarray], arrays: dict[str, np.ndarray]) -> list[FlowRow]:
    """Which inputs the output under the cursor rests on, a line a network."""
    if not found:
        return []
    arrays |= {f"{name}.rests": values for name, values in found.items()}
    named: list[NamedLine] = [
        {"name": f"{name}.rests", "label": tr(name), "line": network_line(name)} for name in found
    ]
    return [{"signal": "rests", "kind": "rests", "symbol": "∂y/∂x", "name": tr("inputs that y rests on"),
             "arrays": named, "width": len(named), "hue": "y",
             "says": tr("at the right: where 90% of it lies")}]  # fmt: skip


def _called_steps(experiment: Experiment, kind: str) -> tuple[list[str] | None, list[str] | None]:
    """What the steps of the chosen input are called: in another order they take their names with them."""
    called = sequences.steps_called(experiment.sequence)
    if kind != "shuffled":
        return called
    order = shuffled(experiment, 0)[0]
    characters, marks = ([names[t] for t in order] if names else None for names in called)
    return characters, marks


def _first_input(experiment: Experiment) -> str:
    """What the row of the input is called: it has room for one of several."""
    names = input_names(experiment)
    if len(names) == 1:
        return tr("input")
    name = f"“{names[0]}”" if experiment.sequence.kind == "text" else names[0]
    return tr("input {name} (of {count}; the others are not drawn)", name=name, count=len(names))


def _first_outputs(experiment: Experiment) -> str:
    count = experiment.output_size
    return tr("outputs") if count == 1 else tr("outputs 0 (of {count} each; the others are not drawn)", count=count)


def _lines(
    signal: str, name: str, arrays: list[tuple[str, str, int]], values: np.ndarray, shape: str = "linear"
) -> FlowRow:
    known = values[np.isfinite(values)]
    low, high = float(known.min(initial=-0.1)), float(known.max(initial=0.1))
    pad = 0.08 * (high - low)
    named: list[NamedLine] = [{"name": n, "label": label, "line": line} for n, label, line in arrays]
    return {"signal": signal, "kind": "lines", "symbol": signal, "name": name, "arrays": named, "width": 1,
            "hue": signal, "range": [low - pad, high + pad], "says": "", "shape": shape}  # fmt: skip


def _states(name: str, array: str, values: np.ndarray) -> FlowRow:
    most = float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
    return {"signal": array, "kind": "states", "symbol": "h", "name": name, "array": array, "width": values.shape[1],
            "hue": "h", "reach": most or 1.0, "says": describe_overflow(values) or f"±{short(most)}"}  # fmt: skip


def _table(experiment: Experiment, kind: str, nudged: int) -> None:
    """What each is made of, what it carries, and how long a nudge lasts."""
    found = answers(experiment, "as it is")
    rows = [
        {
            tr("network"): tr(name),
            tr("parameters"): found[name].parameters,
            tr("carried to the next step"): again(found[name].carries),
            tr("half-life of a nudge"): half_life_in_words(half_life_of(response), experiment.sequence.length),
        }
        for name, response in responses(experiment, kind, nudged).items()
    ]
    st.table(pd.DataFrame(rows), hide_index=True)
    st.caption(
        tr(
            "Half-life: 1 is added to the input at step {step}, and the change of h is followed from its largest value "
            "until it has halved.",
            step=nudged,
        )
    )
