"""The map of vanishing on the gradients page: measured in the background, drawn as it comes, a click opens a point."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from seqviz import cells
from seqviz.experiment import Experiment
from seqviz.figures.maps import LEVELS, REACH
from seqviz.gradients.mapped import HALF, VanishingMap
from seqviz.gradients.ranges import moved, place_of, possible
from seqviz.language import Words, number, sentences, tr, trn
from seqviz.scope import pack
from seqviz.scope.headers import MapAxis, MapHeader
from seqviz.scope.hosts.streamlit import mount
from seqviz.telling.mapped import PLACES, describe_lengths, describe_map
from seqviz.ui.bench import Bench
from seqviz.ui.controls import controlled
from seqviz.ui.map_maker import MapMaker, map_maker

__all__ = ["map_message", "map_section"]

_NAMES = Words(
    {
        "spectral_radius": "spectral radius",
        "gain": "gain",
        "amplitude": "input scale",
        "forget_bias": "forget bias",
        "length": "length",
    }
)
_LABELS = Words(
    {
        "spectral_radius": "spectral radius ρ",
        "gain": "gain of the weights",
        "amplitude": "scale of the input",
        "forget_bias": "forget bias",
        "length": "length in steps",
    }
)
_SHORT = Words(
    {"spectral_radius": "ρ", "gain": "gain", "amplitude": "input scale", "forget_bias": "bias", "length": "length"}
)


def map_section(bench: Bench) -> None:
    """The switch, and the map where it is on."""
    controlled(
        st.toggle, tr("The map of vanishing"), bench.option("map") == "on",
        lambda on: bench.choose("map", "on" if on else ""), key="lab.map",
        help=tr("Forget bias against spectral radius, for hundreds of networks: where does the gradient survive?"),
    )  # fmt: skip
    maker = map_maker()
    if bench.option("map") != "on":
        if maker.running:
            maker.halt()
        return
    maker.begin(bench.experiment, *_axes(bench))
    st.fragment(_live, run_every=0.7 if maker.running else None)(bench, maker.running)


def _axes(bench: Bench) -> tuple[str, str]:
    """The two choices of what the map runs through, and what is chosen."""
    chosen = []
    for place, name, label, names in zip(
        st.columns(2), ("across", "up"), (tr("Across"), tr("Up")), possible(bench.experiment), strict=True
    ):
        word = bench.option(name) if bench.option(name) in names else names[0]
        with place:
            controlled(
                st.segmented_control, label, word, partial(bench.choose, name), key=f"lab.map.{name}", options=names,
                format_func=_NAMES.__getitem__, required=True,
            )  # fmt: skip
        chosen.append(word)
    return chosen[0], chosen[1]


def _live(bench: Bench, running: bool) -> None:
    maker = map_maker()
    if bench.stale or (running and not maker.running):
        bench.stale = False
        st.rerun()
    left, right = st.columns([6, 1], vertical_alignment="center")
    measured = sum(int(found.measured.sum()) for found in maker.found.values())
    if maker.running:
        left.progress(
            min(1.0, maker.progress), text=trn("{count} network measured", "{count} networks measured", f"{measured:,}")
        )
        right.button(tr("Stop"), key="lab.map.stop", on_click=maker.halt)
    elif not maker.done:
        left.caption(trn("Stopped: {count} network measured", "Stopped: {count} networks measured", f"{measured:,}"))
        right.button(tr("Go on"), key="lab.map.again", on_click=maker.again)
    if maker.found:
        mount("map", map_message(bench.experiment, maker), lambda event: _opened(bench, event))


def _opened(bench: Bench, event: dict[str, Any]) -> None:
    """A point was chosen: its settings go to the page."""
    found = map_maker().found.get(str(event.get("net")))
    column, row = event.get("column"), event.get("row")
    if event.get("type") != "point" or found is None or not isinstance(column, int) or not isinstance(row, int):
        return
    if 0 <= column < len(found.x) and 0 <= row < len(found.y):
        settings = {found.x.name: found.x.values[column], found.y.name: found.y.values[row]}
        bench.attempt(lambda: moved(bench.experiment, **settings))
        bench.stale = True


def map_message(experiment: Experiment, maker: MapMaker) -> bytes:
    """The bytes of the maps as far as they are measured."""
    found = maker.found
    some = next(iter(found.values()))
    arrays = {"x": np.array(some.x.values), "y": np.array(some.y.values)}
    for name, each in found.items():
        arrays |= {f"{name}.mean": each.filled(), f"{name}.low": each.low(), f"{name}.high": each.high()}
    here = place_of(experiment, some.x.name, some.y.name)
    header: MapHeader = {
        "panel": "map",
        "id": f"{hash(tuple(each.decades.tobytes() for each in found.values())) & 0xFFFFFFFF:08x}",
        "nets": list(found),
        "x": _axis(some.x.name, here[0]),
        "y": _axis(some.y.name, here[1]),
        "up": {name: _up(each) for name, each in found.items()},
        "columns": len(some.x),
        "rows": len(some.y),
        "reach": REACH,
        "levels": [*LEVELS, HALF, 0.0],
        "says": _says(here, maker),
        "about": _about(some),
    }  # fmt: skip
    return pack(header, arrays)


def _axis(name: str, here: float | None) -> MapAxis:
    return {"label": _LABELS[name], "short": _SHORT[name], "digits": 0 if name == "length" else 2, "here": here}


def _up(found: VanishingMap) -> str:
    """What runs upwards in a map: the bias of the gate that keeps the cell's state, by that gate's name."""
    if found.y.name != "forget_bias":
        return _LABELS[found.y.name]
    cell = cells.get(found.experiment.cell)
    return tr("{gate} bias", gate=cell.labels[next(iter(cell.keep_gates.values()))[0]].name)


def _about(found: VanishingMap) -> str:
    each = tr(
        "Each point: the mean of 3 networks of the sizes on the screen; decades gained or lost per 100 steps. "
        "Dots: the draws disagree whether it loses. Click a point to open it."
    )
    if found.y.name == "length":
        return each
    steps = found.experiment.sequence.length
    return sentences([each, trn("All run over {count} step.", "All run over {count} steps.", steps)])


def _says(here: tuple[float | None, float | None], maker: MapMaker) -> str:
    """The sentence on top, once all maps are done."""
    if not maker.done:
        going = tr("Where does the gradient survive? The map is being measured, ever finer.")
        return going if maker.running else tr("Where does the gradient survive? The map was stopped before its end.")
    found = maker.found
    some = next(iter(found.values()))
    column = some.x.nearest(here[0])
    place = tr(PLACES[some.x.name], value=number(some.x.values[column], ".2f"))
    if some.y.name == "length":
        row = some.y.nearest(here[1])
        lost = {name: float(each.filled()[row, column]) for name, each in found.items()}
        return describe_lengths(place, int(some.y.values[row]), lost)
    ends = [{name: each.reached(column, level) for name, each in found.items()} for level in (0.0, HALF)]
    return describe_map(place, *ends)
