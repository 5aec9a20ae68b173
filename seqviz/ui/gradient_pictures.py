"""Three networks, one loss: the numbers and the message of the gradient laboratory's picture."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from seqviz import cells, weights
from seqviz.cells.ran import Ran
from seqviz.experiment import Experiment
from seqviz.figures.theme import network_line
from seqviz.gradients import GradientFlow, gradient_flow
from seqviz.gradients.backward import log10_backward, rounded_away
from seqviz.gradients.closed import by_gates, by_radius, forget_bias, log10_sigmoid
from seqviz.gradients.jacobians import StateJacobians, highway_of_run, jacobians_of_run
from seqviz.gradients.loops import loop_gradient
from seqviz.gradients.norms import log10_norm
from seqviz.gradients.onestep import as_it_ran, overflow_of
from seqviz.kept import kept, kept_spoken, turn
from seqviz.language import sentences, tr
from seqviz.runner import inputs, network, work
from seqviz.scope import pack
from seqviz.scope.headers import Curve, FlowHeader, FlowRow, SpectrumHeader
from seqviz.sequences import steps_called
from seqviz.telling.gradients import (
    describe_fading,
    describe_highway,
    describe_precision,
    describe_singular,
    describe_theory,
    highway_share,
)
from seqviz.ui.bench import Address, Bench
from seqviz.ui.scenes import NETS

__all__ = [
    "NETS", "flow_message", "flows", "networks", "states_shown", "studied",
]  # fmt: skip


_DECADES = 60
_UNIT_DECADES = 12
_JACOBIAN_WORK = 400_000_000
_EIGENVALUE_WORK = 60_000_000
_DIGITS = 1e-14
"""A singular value that is so much smaller than the largest is made of rounding, and not drawn."""
_SMALLEST = -290.0
_SINGLE = -30.0
"""Where log10 of a gradient is larger, float32 holds it to all its digits."""


def networks(experiment: Experiment) -> dict[str, Experiment]:
    """The same settings as an RNN (ReLU with the identity start, as the IRNN is), a GRU and an LSTM, and as the
    experiment's own cell where it is none of these."""
    families, own = cells.families(), cells.get(experiment.cell)
    identity = experiment.init.scheme == "identity"
    chosen = {name: families[name][-1 if identity else 0] for name in NETS}
    if own.family not in chosen:
        chosen[own.family] = own.name
    return {name: experiment.changed(cell=cell) for name, cell in chosen.items()}


def states_shown(experiment: Experiment) -> tuple[str, ...]:
    """The states whose gradient is drawn: h, and another one that a gate keeps."""
    return ("h", *(state for state in cells.get(experiment.cell).keep_gates if state != "h"))


@dataclass(frozen=True)
class Studied:
    """A network of the laboratory, built once and run once in float64, and what that run says.

    ``logs`` is log10 of the norms of dL/ds_t of the first layer's states, ``(L,)`` each, however small; ``rounded``
    whether a slope was so small that a double took it for 0; ``single`` the same of h as torch in float32 gives it,
    where that differs and was asked for.
    """

    flow: GradientFlow
    ran: Ran
    logs: Mapping[str, np.ndarray]
    rounded: bool
    single: np.ndarray | None


@kept
def studied(experiment: Experiment, loss: str) -> Studied:
    """Build a network, run it with its gradient, and read the run."""
    net, x, edits = network(experiment), inputs(experiment), experiment.interventions
    exact, wide = copy.deepcopy(net).double(), x.double()
    with turn(10 * work(experiment)):
        flow = gradient_flow(exact, wide, loss=loss, interventions=edits)
        ran, _ = as_it_ran(exact, wide, None, None if edits else flow.trace, (0, 0, False), edits)
        logs, rounded = _log10_norms(experiment, loss, flow, ran)
        h, plain = logs["h"], cells.get(experiment.cell).family == NETS[0]
        small = plain and bool((h[np.isfinite(h)] < _SINGLE).any())
        single = log10_norm(loop_gradient(net, x, loss, edits).numpy(), (1, 2)) if small else None
    return Studied(flow, ran, logs, rounded, single)


def flows(experiment: Experiment, loss: str) -> dict[str, GradientFlow]:
    """Every network's gradient flow, in float64."""
    return {name: studied(e, loss).flow for name, e in networks(experiment).items()}


@kept
def _jacobians(experiment: Experiment, loss: str) -> StateJacobians:
    with turn(work(experiment) * experiment.hidden_size):
        return jacobians_of_run(studied(experiment, loss).ran)


def _log10_norms(experiment: Experiment, loss: str, flow: GradientFlow, ran: Ran) -> tuple[dict[str, np.ndarray], bool]:
    """See :class:`Studied`."""
    if experiment.num_layers > 1 or overflow_of(ran):
        found = {name: flow.log10_norms(f"l0.{name}") for name in states_shown(experiment)}
        return found, any((logs < _SMALLEST).any() and not np.isneginf(logs).all() for logs in found.values())
    # What the loss itself asks of h: at the last step all that there is.
    e = np.zeros_like(flow["l0.h"])
    e[-1 if loss == "last" else slice(None)] = flow["l0.h"][-1]
    return log10_backward(ran, e), rounded_away(ran)


def _log10(values: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log10(np.abs(values))


@dataclass
class _Picture:
    """What is being put together."""

    arrays: dict[str, np.ndarray]
    curves: list[Curve]
    rows: list[FlowRow]

    def curve(self, name: str, label: str, values: np.ndarray, line: int | None, width: float, dash: str = "") -> None:
        self.arrays[name] = values
        curve: Curve = {"name": name, "label": label, "line": line, "width": width}
        if dash:
            curve["dash"] = dash
        self.curves.append(curve)


def _theory(picture: _Picture, nets: dict[str, Experiment]) -> list[str]:
    """The closed forms for the present setting, drawn from the last step back; and how far they hold."""
    says = []
    measured = picture.arrays["RNN.h"]
    w = weights.gate_view(weights.materialise(nets["RNN"]), nets["RNN"].cell, 0, "h", "hh")
    rho = weights.spectral_radius(w)
    if rho > 0:
        curve = by_radius(measured[-1], rho, len(measured))
        picture.curve(
            "rnn.theory", tr("ρ^k, ρ = {rho:.3g}", rho=rho), curve, network_line("RNN"), dash="dot", width=1.5
        )
        says.append(describe_theory("RNN", tr("ρ^k with ρ = {rho:.3g}", rho=rho), measured[0], curve[0]))
    says += [tr("No closed form is drawn for {name}.", name=tr(name)) for name in nets if name not in NETS]
    gates = np.tile(log10_sigmoid(forget_bias(nets["LSTM"])), (len(measured) - 1, 1))
    last = _log10(studied(nets["LSTM"], "last").flow["l0.c"][-1, 0])
    curve = by_gates(last, gates)
    picture.curve(
        "lstm.theory", tr("σ(b)^k of the forget biases b"), curve, network_line("LSTM"), dash="dot", width=1.5
    )
    says.append(describe_theory("LSTM", "σ(b)^k", picture.arrays["LSTM.c"][0], curve[0]))
    return says


def _norm_row(picture: _Picture, nets: dict[str, Experiment], loss: str) -> str:
    """The curves, and a sentence where float32 loses the RNN's."""
    for name, experiment in nets.items():
        logs, line, said = studied(experiment, loss).logs, network_line(name), tr(name)
        picture.curve(f"{name}.h", f"{said} h", logs["h"], line, width=2.4)
        for state in states_shown(experiment)[1:]:
            picture.curve(f"{name}.{state}", f"{said} {state}", logs[state], line, dash="dash", width=1.6)
    single = studied(nets["RNN"], loss).single
    if single is None:
        return ""
    if says := describe_precision("RNN", single, picture.arrays["RNN.h"]):
        picture.curve("RNN.f32", tr("RNN h in float32"), single, None, width=1.2)
    return says


def _unit_rows(picture: _Picture, found: dict[str, GradientFlow], nets: dict[str, Experiment], loss: str) -> None:
    """Every unit of every state, each row on a scale of its own: networks may be many powers of ten apart."""
    for name, signal in ((name, signal) for name, e in nets.items() for signal in states_shown(e)):
        values, logs = _log10(found[name][f"l0.{signal}"][:, 0]), picture.arrays[f"{name}.{signal}"]
        finite = values[np.isfinite(values)]
        array = f"{name}.{signal}.units"
        picture.arrays[array] = values
        says = describe_fading(logs, rounded=studied(nets[name], loss).rounded)
        short = name.lower() if name in NETS else nets[name].cell.lower()
        if signal == "h" and "c" in states_shown(nets[name]):
            says = tr("An LSTM remembers by c: the next row tells what is left of it.")
        picture.rows.append({
            "signal": short if signal == "h" else f"{short}.{signal}", "kind": "units", "array": array,
            "symbol": tr(name), "name": tr("∂L/∂{signal} by unit", signal=signal), "width": values.shape[1],
            "ceiling": float(finite.max()) if finite.size else 0.0, "hue": signal,
            "says": says,
        })  # fmt: skip


def _highway_row(picture: _Picture, nets: dict[str, Experiment], loss: str) -> str:
    """The LSTM's highway, or that of the experiment's own cell where it has one too."""
    name = next((n for n, e in nets.items() if n not in NETS and cells.get(e.cell).has_highway), "LSTM")
    lstm = nets[name]
    if lstm.sequence.length * (2 * lstm.hidden_size) ** 3 > _JACOBIAN_WORK:
        return tr("The highway split is left out: this many steps and units would take too long to draw live.")
    split = highway_of_run(studied(lstm, loss).ran, _jacobians(lstm, loss))
    direct, rest, _ = split.log10_norms()
    share = highway_share(direct, rest)
    if not np.isfinite(split.rest).all():
        return tr("The highway split is left out: the network overflowed.")
    picture.arrays |= {"highway.share": 10.0**share, "highway.direct": direct, "highway.rest": rest}
    what = tr("highway (product of forget gates) and the rest")
    what = what if name in NETS else tr("{name}: highway and the rest", name=tr(name))
    picture.rows.append({"signal": "highway", "kind": "share", "symbol": "∂c/∂c", "hue": "c",
                         "name": what, "width": 1,
                         "says": describe_highway(share)})  # fmt: skip
    return ""


def _spectrum(picture: _Picture, name: str, experiment: Experiment, loss: str) -> SpectrumHeader | None:
    size = experiment.hidden_size * len(cells.get(experiment.cell).states)
    if experiment.sequence.length * size**3 > _JACOBIAN_WORK:
        return None
    found = _jacobians(experiment, loss)
    if not all(np.isfinite(a).all() for a in (found.h_h, found.step(slice(None)))):
        return None
    length = experiment.sequence.length
    count = max(6, _EIGENVALUE_WORK // size**3)
    steps = np.unique(np.linspace(0, length - 1, min(count, length)).round().astype(int))
    eigenvalues = found.eigenvalues(steps)
    lags = np.unique(np.linspace(0, length - 1, min(40, length)).round().astype(int))
    values = np.linalg.svd(found.h_h[length - 1 - lags], compute_uv=False)
    values[values < _DIGITS * values[:, :1]] = np.nan
    singular = _log10(values) + found.log_scale[length - 1 - lags, None] / np.log(10.0)
    picture.arrays |= {"eig.re": eigenvalues.real, "eig.im": eigenvalues.imag, "eig.step": steps.astype(float),
                       "sing.lag": lags.astype(float), "sing.values": singular}  # fmt: skip
    reach = float(np.clip(np.abs(eigenvalues).max() * 1.1, 1.15, 50.0))
    return {"name": tr(name), "line": network_line(name), "hidden": size,
            "singular": experiment.hidden_size, "reach": reach,
            "floor": float(singular[np.isfinite(singular)].max() - _DECADES) if np.isfinite(singular).any() else 0.0,
            "says": describe_singular(int(lags[-1]), singular[-1, 0])}  # fmt: skip


def _range(picture: _Picture) -> list[float]:
    drawn = [a[np.isfinite(a)] for n, a in picture.arrays.items() if n.endswith((".h", ".c"))]
    finite = np.concatenate(drawn)
    if not finite.size:
        return [-1.0, 1.0]
    high = float(np.ceil(finite.max() + 0.2))
    low = float(np.floor(finite.min() - 0.2))
    return [max(low, high - _DECADES), max(high, low + 1.0)]


@kept_spoken
@np.errstate(all="ignore")
def _message(experiment: Experiment, loss: str, net: str, undo: bool, redo: bool, address: Address) -> bytes:
    nets = networks(experiment)
    found = flows(experiment, loss)
    net = net if net in nets else NETS[0]
    problems = [tr("{name}: {says}", name=name, says=flow.problem) for name, flow in found.items() if flow.problem]
    picture = _Picture({}, [], [])
    notes = [_norm_row(picture, nets, loss)]
    theory = _theory(picture, nets) if loss == "last" else []
    picture.rows.append({"signal": "norm", "kind": "norm", "symbol": "‖∂L/∂h‖", "width": 1, "hue": "h",
                         "name": tr("gradient norm at every step"),
                         "says": tr("Dotted: the closed forms.") if theory else ""})  # fmt: skip
    _unit_rows(picture, found, nets, loss)
    notes.append(_highway_row(picture, nets, loss))
    characters, marks = steps_called(experiment.sequence)
    header: FlowHeader = {
        "panel": "flow",
        "axis": tr("step (the loss is at the right)"),
        "link": "gradients",
        "id": f"{hash((experiment, loss, net)) & 0xFFFFFFFF:08x}",
        "steps": experiment.sequence.length,
        "labels": characters,
        "marks": marks,
        "rows": picture.rows,
        "curves": picture.curves,
        "range": _range(picture),
        "decades": _UNIT_DECADES,
        "status": sentences([*problems, *theory, *notes]),
        "spectrum": _spectrum(picture, net, nets[net], loss),
        "address": address.query,
        "fields": address.fields,
        "undo": undo,
        "redo": redo,
    }
    return pack(header, picture.arrays)


def flow_message(bench: Bench) -> bytes:
    """The bytes of the gradient laboratory's picture for what is on the bench."""
    given = (bench.can_undo, bench.can_redo, bench.place)
    return _message(bench.experiment, bench.option("loss"), bench.option("net"), *given)
