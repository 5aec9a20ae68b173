"""Examples as small pictures, in an order that teaches: what each is and claims, one click away."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np

from seqviz import vocabulary as words
from seqviz.experiment import Experiment
from seqviz.kept import kept_spoken
from seqviz.language import later, tr
from seqviz.networks.presets import preset
from seqviz.runner import run
from seqviz.scope import pack
from seqviz.scope.headers import GalleryHeader, Layer, Thumbnail
from seqviz.scope.hosts.streamlit import mount
from seqviz.ui.bench import Bench, drawn
from seqviz.ui.scenes import COMPARED, SCENES, desk, lab

__all__ = ["EXAMPLES", "FILE", "Example", "choose", "gallery", "heat_layer", "line_layer", "lit"]

FILE: Final = Path(__file__).with_name("thumbnails.json")
"""Small pictures that take too long to compute at a visit; ``tools/thumbnails.py`` makes them."""

WIDE: Final = 48
"""Steps of a small picture."""


class Example(NamedTuple):
    """One example: the page it is opened on, what it is called, what it claims, and what it sets."""

    page: str
    title: str
    line: str
    make: Callable[[], Experiment]
    chosen: Mapping[str, str] = MappingProxyType({})


def _scene(name: str) -> Example:
    more = "clipping" if name.startswith("Clipping") else ""
    return Example("gradients", name, _SCENE_LINES[name], lambda: SCENES[name][0], {"more": more})


def _compared(name: str) -> Example:
    experiment, chosen, line = COMPARED[name]
    others = {"input": "as it is", "minus": "nothing", "nudge": ""}
    return Example("compare", name, line, lambda: experiment, others | chosen)


_SCENE_LINES: Final = {
    "Vanishes": later("200 steps back"),
    "Explodes": later("spectral radius 3"),
    "Identity keeps it": later("weights and ReLU"),
    "Forget bias rescues it": later("gates open at 0.95"),
    "Chrono reaches 500 steps": later("biases for long spans"),
    "Clipping caps the step": later("not the gradient"),
}

_RANDOM: Final = later("weights drawn at random")

EXAMPLES: Final[dict[str, dict[str, Example]]] = {
    "gates": {
        "latch": Example("gates", later("Latch"), later("keeps the first bit"), lambda: preset("latch")),
        "counter": Example("gates", later("Counter"), later("counts the ones"), lambda: preset("counter")),
        "toggle": Example("gates", later("Parity"), later("flips at every 1"), lambda: preset("toggle")),
        "brackets": Example("gates", later("Brackets"), later("how deep is a(b(ab)…"), lambda: preset("brackets")),
        "leaky": Example("gates", later("Leaky sum"), later("forgets a tenth a step"), lambda: preset("leaky")),
        "Vanishes": _scene("Vanishes")._replace(title=later("It vanishes"), line=later("gradient over 200 steps")),
        "Shuffled": _compared("Shuffled")._replace(title=later("Who notices order?"), line=later("four networks")),
        words.LSTM: Example("gates", later("Random LSTM"), _RANDOM, lambda: drawn(words.LSTM)),
        words.GRU: Example("gates", later("Random GRU"), _RANDOM, lambda: drawn(words.GRU)),
        words.RNN_TANH: Example("gates", later("Random RNN"), _RANDOM, lambda: drawn(words.RNN_TANH)),
    },
    "gradients": {name: _scene(name) for name in SCENES},
    "compare": {name: _compared(name) for name in COMPARED},
}
"""Every page's examples, in the order in which they are shown; the cell has those of the gates."""


def of(page: str) -> dict[str, Example]:
    """The examples of a page."""
    return EXAMPLES["gates" if page == "cell" else page]


@cache
def _known() -> dict[Experiment, str]:
    return {example.make(): name for name, example in EXAMPLES["gates"].items() if example.page == "gates"}


def lit(bench: Bench, page: str) -> str | None:
    """The example that is on the screen, if it is one."""
    if page in ("gates", "cell"):
        return _known().get(bench.experiment)
    for name, example in of(page).items():
        if example.make() == bench.experiment and all(bench.option(k) == v for k, v in example.chosen.items()):
            return name
    return None


_BENCHES: Final[dict[str, Callable[[], Bench]]] = {"gradients": lab, "compare": desk}


def choose(bench: Bench, page: str, name: Any) -> None:
    """Open an example, on another page where it belongs there; what is no example changes nothing."""
    example = of(page).get(name) if isinstance(name, str) else None
    if example is None:
        return
    here = page in ("gates", "cell") if example.page == "gates" else example.page == page
    there = bench if here else _BENCHES[example.page]()
    there.layer = 0
    there.put(example.make(), **example.chosen)
    bench.stale = True
    if not here:
        bench.goto = example.page


def gallery(bench: Bench, page: str, *, strip: bool = False) -> None:
    """The examples of a page; `strip` for a low one over the picture."""

    def chosen(event: dict[str, Any]) -> None:
        if event.get("type") == "example":
            choose(bench, page, event.get("name"))

    mount("gallery", _message(page, lit(bench, page), strip), chosen)


@kept_spoken
def _message(page: str, shown: str | None, strip: bool) -> bytes:
    entries: list[Thumbnail] = [
        {"name": name, "title": tr(e.title), "line": tr(e.line), "layers": _layers(page, name, e)}
        for name, e in of(page).items()
    ]
    header: GalleryHeader = {
        "panel": "gallery", "id": f"{page}.{shown}", "heading": tr("Examples"), "strip": strip, "entries": entries,
        "lit": shown,
    }  # fmt: skip
    return pack(header, {})


def _layers(page: str, name: str, example: Example) -> list[Layer]:
    if example.page != "gates":
        return _stored()[f"{example.page}.{name}"]
    return _drawn(name)


@cache
def _stored() -> dict[str, list[Layer]]:
    found: dict[str, list[Layer]] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


@cache
def _drawn(name: str) -> list[Layer]:
    """The small picture of a network on the gates page, from its own run."""
    trace = run(EXAMPLES["gates"][name].make())
    x, y = trace["x"][:, 0, 0], trace["y"][:, 0, 0]
    if name == "latch":
        kept = heat_layer(trace["l0.c"][:, 0, :1], 1.0)
        return [_bars(x), kept | {"top": 0.4, "height": 0.6}]
    if name == "toggle":
        return [heat_layer(trace["l0.h"][:, 0], float(np.abs(trace["l0.h"]).max()))]
    if name in ("counter", "brackets", "leaky"):
        return [line_layer([float(v) for v in y])]
    h = trace["l0.h"][:, 0, :8]
    return [heat_layer(h, float(np.abs(h).max()))]


def _rounded(values: Any) -> list[float]:
    return [round(float(v), 3) for v in values]


def _sampled(values: np.ndarray) -> np.ndarray:
    """At most :data:`WIDE` of the steps, the first and the last among them."""
    steps = len(values)
    return values if steps <= WIDE else values[np.linspace(0, steps - 1, WIDE).round().astype(int)]


def _bars(x: np.ndarray) -> Layer:
    return {"kind": "bars", "values": [_rounded(x)], "low": 0.0, "high": 1.0, "top": 0.0, "height": 0.34}


def line_layer(values: list[float], line: int = 0, between: tuple[float, float] | None = None) -> Layer:
    """One line; `line` is its place among the palette's, `between` its range, by default its own with 0."""
    sampled = _sampled(np.array(values))
    low, high = between or (min(0.0, float(sampled.min())), float(sampled.max()))
    return {
        "kind": "line", "values": [_rounded(sampled)], "low": low, "high": high, "top": 0.08, "height": 0.84,
        "line": line,
    }  # fmt: skip


def heat_layer(values: np.ndarray, most: float) -> Layer:
    """A heatmap of ``(L, H)``, from ``-most`` to ``most``."""
    return {
        "kind": "heat", "values": [_rounded(unit) for unit in _sampled(values).T], "low": -most, "high": most,
        "top": 0.0, "height": 1.0,
    }  # fmt: skip
