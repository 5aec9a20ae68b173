"""The map of vanishing on the gradients page: measured in the background, drawn as it comes, a click opens a point."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from seqviz import cells
from seqviz.experiment import Experiment
from seqviz.figures.maps import LEVELS, REACH
from seqviz.gradients.mapped import HALF, VanishingMap
from seqviz.gradients.maps import mapped_networks, place_of
from seqviz.language import tr, trn
from seqviz.scope import pack
from seqviz.scope.headers import MapHeader
from seqviz.scope.hosts.streamlit import mount
from seqviz.telling.mapped import describe_map
from seqviz.ui.bench import Bench
from seqviz.ui.controls import controlled
from seqviz.ui.map_maker import map_maker

__all__ = ["map_message", "map_section"]


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
    asked = _varied(bench.experiment)
    if maker.of != asked:
        maker.begin(asked)
    st.fragment(_live, run_every=0.7 if maker.running else None)(bench, maker.running)


def _varied(experiment: Experiment) -> Experiment:
    """What the map is of: the experiment without the settings that the map runs through."""
    lstm = mapped_networks(experiment)["LSTM"]
    return lstm.changed(init=type(lstm.init)(lstm.init.scheme, seed=lstm.init.seed, memory=lstm.init.memory))


def _live(bench: Bench, running: bool) -> None:
    maker = map_maker()
    if bench.stale or (running and not maker.running):
        bench.stale = False
        st.rerun()
    if maker.running:
        left, right = st.columns([6, 1], vertical_alignment="center")
        measured = sum(int(found.measured.sum()) for found in maker.found.values())
        left.progress(
            min(1.0, maker.progress), text=trn("{count} network measured", "{count} networks measured", f"{measured:,}")
        )
        right.button(tr("Stop"), key="lab.map.stop", on_click=maker.halt)
    if maker.found:
        mount("map", map_message(bench.experiment, maker.found), lambda event: _opened(bench, event))


def _opened(bench: Bench, event: dict[str, Any]) -> None:
    """A point was chosen: its settings go to the page."""
    found = map_maker().found.get(str(event.get("net")))
    column, row = event.get("column"), event.get("row")
    if event.get("type") != "point" or found is None or not isinstance(column, int) or not isinstance(row, int):
        return
    if 0 <= column < len(found.x) and 0 <= row < len(found.y):
        bench.redraw(spectral_radius=found.x.values[column], forget_bias=found.y.values[row])
        bench.stale = True


def map_message(experiment: Experiment, found: dict[str, VanishingMap]) -> bytes:
    """The bytes of the maps as far as they are measured."""
    some = next(iter(found.values()))
    arrays = {"x": np.array(some.x.values), "y": np.array(some.y.values)}
    for name, each in found.items():
        arrays |= {f"{name}.mean": each.filled(), f"{name}.low": each.low(), f"{name}.high": each.high()}
    radius, bias = place_of(experiment)
    header: MapHeader = {
        "panel": "map",
        "id": f"{hash(tuple(each.decades.tobytes() for each in found.values())) & 0xFFFFFFFF:08x}",
        "nets": list(found),
        "keeps": {name: _keeping_gate(each.experiment.cell) for name, each in found.items()},
        "columns": len(some.x),
        "rows": len(some.y),
        "reach": REACH,
        "levels": [*LEVELS, HALF, 0.0],
        "radius": radius,
        "bias": bias,
        "says": _says(radius, found),
        "about": tr(
            "Each point: the mean of 3 networks of the sizes on the screen; decades gained or lost per 100 steps. "
            "Dots: the draws disagree whether it loses. Click a point to open it."
        ),
    }  # fmt: skip
    return pack(header, arrays)


def _keeping_gate(name: str) -> str:
    """What the gate is called that keeps a cell's state."""
    cell = cells.get(name)
    return cell.labels[next(iter(cell.keep_gates.values()))[0]].name


def _says(radius: float, found: dict[str, VanishingMap]) -> str:
    """The sentence on top, once both maps are done."""
    if not all(each.done for each in found.values()) or len(found) < 2:
        return tr("Where does the gradient survive? The map is being measured, ever finer.")
    column = int(np.abs(np.log(np.array(next(iter(found.values())).x.values) / max(radius, 1e-6))).argmin())
    ends = [{name: each.reached(column, level) for name, each in found.items()} for level in (0.0, HALF)]
    return describe_map(next(iter(found.values())).x.values[column], *ends)
