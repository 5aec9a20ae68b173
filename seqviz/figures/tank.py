"""A cell's memory in one step as a filled bar: what is kept of it, what is poured in, what shows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from seqviz import cells
from seqviz.cells import Cell
from seqviz.cells.operations import VALUES
from seqviz.checks import choice, instance
from seqviz.figures import theme as look
from seqviz.language import later, number, tr
from seqviz.trace import Trace

__all__ = ["tank"]


class _Factor(NamedTuple):
    """A gate or a candidate, or 1 less a gate, at the step: how it is written, and its number."""

    name: str
    value: float


def tank(
    trace: Trace, step: int, unit: int = 0, *, layer: int = 0, batch: int = 0, cell: str | Cell | None = None,
    theme: str = "light", width: int = 640, height: int = 380,
) -> go.Figure:  # fmt: skip
    """A state that a gate keeps, in one step: as it was, what the gate leaves, what is poured in, and what shows.

    Of an LSTM that is c, shown through its output gate; of a GRU h, kept by its update gate.

    Args:
        trace: it begins at the state that the cell begins with, 0 for torch's.
        step, unit, layer, batch: which.
        cell: the layer's, or its name; found by the signals of the trace where it is left out.
        theme, width, height: as everywhere.

    Raises:
        ValueError: the cell has no gate that keeps its state, cannot be told from the signals, or is another than
            the one that was traced.
        IndexError: no such step, unit or element of the batch.
    """
    at = _Moment(trace, _cell_of(trace, layer, cell), layer, batch, unit, step)
    state, kept = at.state, at.keep.value * at.before
    poured, now = at.now - kept, at.now
    names = [f"{state}<sub>t−1</sub>", f"{at.keep.name} · {state}<sub>t−1</sub>", f"{state}<sub>t</sub>"]
    pour = " × ".join(number(factor.value, ".2f") for factor in at.pour) or number(poured, ".3g")
    ways = ["", f"{at.keep.value:.2f} × {at.before:.3g}", f"{kept:.3g}<br>+ {pour}"]
    tops, ends = [at.before, kept, now], [at.before, kept, now]
    figure = go.Figure()
    soft, full = (look.SIGNS[theme]["neg" if value < 0 else "pos"] for value in (at.before, poured))
    _bar(figure, names, [at.before, kept, kept], tr("kept"), soft, 0.55)
    _bar(figure, names[2:], [poured], tr("poured in"), full, 0.95)
    if at.shown is not None:
        gate, through, whole = at.shown
        h = at.value("h")
        names, ways = [*names, "h<sub>t</sub>"], [*ways, f"{gate.value:.2f} × {through}"]
        tops, ends = [*tops, whole], [*ends, h]
        _bar(figure, names[3:], [h], tr("shows"), look.SIGNS[theme]["neg" if h < 0 else "pos"], 0.95)
        says = tr("covered by {gate}", gate=gate.name)
        _bar(figure, names[3:], [whole - h], says, look.SURFACES[theme]["quiet"], 0.3)
    for name, top, end in zip(names, tops, ends, strict=True):
        text = f"<b>{end:.3g}</b>".replace("-", "−")
        figure.add_annotation(x=name, y=max(0.0, top), text=text, showarrow=False, yshift=12)
    said = [f"{name}<br>{way}".replace("-", "−") for name, way in zip(names, ways, strict=True)]
    figure.update_xaxes(tickvals=names, ticktext=said, tickangle=0, automargin=True)
    figure.update_layout(
        template=look.template(theme), width=width, height=height, barmode="relative",
        title={"text": tr("Step {step}, unit {unit}", step=at.step, unit=unit)}, showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        margin={"t": 84},
    )  # fmt: skip
    return figure


def _cell_of(trace: Trace, layer: int, given: str | Cell | None) -> Cell:
    """The layer's cell: the one that is given, or the first whose signals are all there and that keeps a state."""
    if given is not None:
        known = given if isinstance(given, Cell) else cells.get(choice(given, later("The cell"), cells.names()))
        cell = instance(known, Cell, later("The cell"))
    else:
        of_layer = {name.removeprefix(f"l{layer}.") for name in trace if name.startswith(f"l{layer}.")}
        if not of_layer:
            raise ValueError(tr("There is no layer {layer} in this trace.", layer=layer))
        there = [each for each in map(cells.get, cells.names()) if set(each.signals) <= of_layer]
        if not there:
            raise ValueError(tr("No cell has the signals of layer {layer}; name it, as in cell='GRU'.", layer=layer))
        cell = max(there, key=lambda each: (bool(each.keep_gates), len(each.signals)))
    if not cell.keep_gates:
        raise ValueError(tr("{cell} has no gate that keeps its state: there is no memory to fill.", cell=cell.label))
    missing = [signal for signal in cell.signals if f"l{layer}.{signal}" not in trace]
    if missing:
        says = later("There is no signal {signal} of layer {layer} in this trace: it is of another cell than {cell}.")
        raise ValueError(tr(says, signal=missing[0], layer=layer, cell=cell.label))
    return cell


class _Moment:
    """A unit of a layer in one step, by the cell's lines."""

    def __init__(self, trace: Trace, cell: Cell, layer: int, batch: int, unit: int, step: int) -> None:
        self.cell, self.trace, self.place = cell, trace, (layer, batch, unit)
        self.state = next((state for state in cell.keep_gates if state != "h"), "h")
        gate, sign = cell.keep_gates[self.state]
        values = trace[f"l{layer}.{self.state}"][:, batch, unit]
        self.step = range(len(values))[step]
        self.now = float(values[self.step])
        self.before = float(values[self.step - 1]) if self.step else cell.start.get(self.state, 0.0)
        self.keep = self._gate(gate) if sign == 1 else _less(self._gate(gate))

    def _gate(self, name: str) -> _Factor:
        return _Factor(name, self.value(name))

    def value(self, name: str) -> float:
        """A signal's."""
        layer, batch, unit = self.place
        values = self.trace[f"l{layer}.{name}"][self.step, batch]
        return float(values[0 if len(values) == 1 else unit])  # one number for all units has the width 1

    @property
    def pour(self) -> list[_Factor]:
        """What is multiplied to what comes in; nothing where that is no product of two."""
        gates = {self.cell.keep_gates[self.state][0], self.cell.write_gates.get(self.state)}
        for node in self.cell.nodes:
            factors = [self._factor(a) for a in node.args] if node.op == "*" else []
            if factors and None not in factors and gates & {self._named(a) for a in node.args}:
                return [factor for factor in factors if factor is not None]
        return []

    def _named(self, k: int) -> str:
        node = self.cell.nodes[k]
        return self._named(node.args[1]) if node.op == "-" else node.name if node.op == "at" else ""

    def _factor(self, k: int) -> _Factor | None:
        """A signal, or 1 less one."""
        node, nodes = self.cell.nodes[k], self.cell.nodes
        if node.op == "at" and node.name in self.cell.signals:
            return self._gate(node.name)
        if node.op != "-" or nodes[node.args[0]].op != "const" or nodes[node.args[0]].value != 1:
            return None
        inner = self._factor(node.args[1])
        return None if inner is None else _less(inner)

    @property
    def shown(self) -> tuple[_Factor, str, float] | None:
        """The gate on what h shows of the state, what that gate multiplies, and its value; None where there is none."""
        gate = self.cell.show_gates.get(self.state)
        layer = self.place[0]
        if gate is None or self.trace[f"l{layer}.h"].shape[2] != self.trace[f"l{layer}.{self.state}"].shape[2]:
            return None
        for node in self.cell.nodes:
            if node.op != "*" or gate not in map(self._named, node.args):
                continue
            others = [a for a in node.args if self._named(a) != gate]
            if others and (found := self._through(others[0])) is not None:
                return self._gate(gate), *found
        return None

    def _through(self, k: int) -> tuple[str, float] | None:
        """A function of the state, as it is written and its value."""
        node = self.cell.nodes[k]
        if node.op == "at" and node.name == self.state:
            return self.state, self.now
        if len(node.args) != 1 or node.op not in VALUES:
            return None
        inner = self._through(node.args[0])
        return None if inner is None else (f"{node.op}({inner[0]})", float(VALUES[node.op](np.asarray(inner[1]))))


def _less(factor: _Factor) -> _Factor:
    return _Factor(f"(1 − {factor.name})", 1 - factor.value)


def _bar(figure: go.Figure, x: list[str], y: list[float], name: str, colour: str, opacity: float) -> None:
    figure.add_bar(x=x, y=y, name=name, marker={"color": colour}, opacity=opacity, hovertemplate="%{y:.4f}")
