"""Three networks, one loss: the numbers and the message of the gradient laboratory's picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqviz import cells
from seqviz.experiment import Experiment
from seqviz.figures.theme import network_line
from seqviz.gradients import GradientFlow
from seqviz.gradients.studied import (
    NETS,
    flows,
    gates_theory,
    has_jacobians,
    highway,
    networks,
    radius_theory,
    spectrum,
    states_shown,
    studied,
)
from seqviz.kept import kept_spoken
from seqviz.language import sentences, tr, trn
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

__all__ = ["flow_message"]


_DECADES = 60
_UNIT_DECADES = 12


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
    if theory := radius_theory(nets["RNN"], measured):
        curve, rho = theory
        picture.curve(
            "rnn.theory", tr("ρ^k, ρ = {rho:.3g}", rho=rho), curve, network_line("RNN"), dash="dot", width=1.5
        )
        says.append(describe_theory("RNN", tr("ρ^k with ρ = {rho:.3g}", rho=rho), measured[0], curve[0]))
    says += [tr("No closed form is drawn for {name}.", name=tr(name)) for name in nets if name not in NETS]
    curve = gates_theory(nets["LSTM"])
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
        if signal == "h" and (kept := states_shown(nets[name])[1:]):
            says = tr(
                "{name} remembers by {state}: the next row tells what is left of it.", name=tr(name), state=kept[0]
            )
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
    if not has_jacobians(lstm):
        return tr("The highway split is left out: this many steps and units would take too long to draw live.")
    parts = highway(lstm, loss)
    if parts is None:
        return tr("The highway split is left out: the network overflowed.")
    direct, rest = parts
    share = highway_share(direct, rest)
    picture.arrays |= {"highway.share": 10.0**share, "highway.direct": direct, "highway.rest": rest}
    what = tr("highway (f · f · f …) and the rest")
    what = what if name in NETS else tr("{name}: highway and the rest", name=tr(name))
    picture.rows.append({"signal": "highway", "kind": "share", "symbol": "∂c/∂c", "hue": "c",
                         "name": what, "width": 1,
                         "says": describe_highway(share)})  # fmt: skip
    return ""


def _spectrum(picture: _Picture, name: str, experiment: Experiment, loss: str) -> SpectrumHeader | None:
    found = spectrum(experiment, loss)
    if found is None:
        return None
    eigenvalues, singular = found.eigenvalues, found.singular
    picture.arrays |= {"eig.re": eigenvalues.real, "eig.im": eigenvalues.imag, "eig.step": found.steps.astype(float),
                       "sing.lag": found.lags.astype(float), "sing.values": singular}  # fmt: skip
    reach = float(np.clip(np.abs(eigenvalues).max() * 1.1, 1.15, 50.0))
    return {"name": tr(name), "line": network_line(name), "hidden": eigenvalues.shape[1],
            "singular": experiment.hidden_size, "reach": reach,
            "floor": float(singular[np.isfinite(singular)].max() - _DECADES) if np.isfinite(singular).any() else 0.0,
            "says": describe_singular(int(found.lags[-1]), singular[-1, 0])}  # fmt: skip


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
        "shows": trn(
            "Gradients on their way back over {count} step: {names}",
            "Gradients on their way back over {count} steps: {names}",
            experiment.sequence.length,
            names=tr(", ").join(map(tr, nets)),
        ),
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
