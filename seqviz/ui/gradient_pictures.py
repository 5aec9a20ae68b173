"""Three networks, one loss: the numbers and the message of the gradient laboratory's picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from seqviz import vocabulary as words
from seqviz import weights
from seqviz.experiment import Experiment
from seqviz.fading import describe_fading
from seqviz.gradients import GradientFlow, gradient_flow
from seqviz.jacobians import StateJacobians, highway_split, state_jacobians
from seqviz.kept import kept, kept_spoken
from seqviz.language import number, sentences, tr
from seqviz.runner import inputs, network
from seqviz.ui.bench import Bench
from seqviz.ui.scope import pack

__all__ = ["LINE", "NETS", "flow_message", "flows", "networks"]

NETS = ("RNN", "GRU", "LSTM")
LINE = {"RNN": 2, "GRU": 3, "LSTM": 1}
"""Each network's place in theme.LINES."""

_DECADES = 60
_UNIT_DECADES = 12
_JACOBIAN_WORK = 400_000_000


def networks(experiment: Experiment) -> dict[str, Experiment]:
    """The same settings as an RNN (ReLU with the identity start, as the IRNN is), a GRU and an LSTM."""
    rnn = words.RNN_RELU if experiment.init.scheme == "identity" else words.RNN_TANH
    return {n: experiment.changed(cell=c) for n, c in zip(NETS, (rnn, words.GRU, words.LSTM), strict=True)}


@kept
def _flow(experiment: Experiment, loss: str, double: bool) -> GradientFlow:
    x, net = inputs(experiment), network(experiment)
    return gradient_flow(net.double(), x.double(), loss=loss) if double else gradient_flow(net, x, loss=loss)


def flows(experiment: Experiment, loss: str) -> dict[str, GradientFlow]:
    """Every network's gradient flow, in float64."""
    return {name: _flow(e, loss, True) for name, e in networks(experiment).items()}


@kept
def _jacobians(experiment: Experiment) -> StateJacobians:
    return state_jacobians(
        network(experiment).double(), inputs(experiment).double(), trace=_flow(experiment, "last", True).trace
    )


def _log10(values: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log10(np.abs(values))


@dataclass
class _Picture:
    """What is being put together."""

    arrays: dict[str, np.ndarray]
    curves: list[dict[str, Any]]
    rows: list[dict[str, Any]]

    def curve(self, name: str, label: str, values: np.ndarray, line: int | None, **look: Any) -> None:
        self.arrays[name] = values
        self.curves.append({"name": name, "label": label, "line": line, **look})


def _theory(picture: _Picture, found: dict[str, GradientFlow], nets: dict[str, Experiment]) -> list[str]:
    """The closed forms for the present setting, drawn from the last step back; and how far they hold."""
    says = []
    steps = len(found["RNN"]["l0.h"])
    lag = np.arange(steps - 1, -1, -1)
    w = weights.gate_view(weights.materialise(nets["RNN"]), nets["RNN"].cell, 0, "h", "hh")
    rho = weights.spectral_radius(w)
    if rho > 0:
        measured = _log10(found["RNN"].norms("l0.h"))
        curve = measured[-1] + lag * np.log10(rho)
        picture.curve("rnn.theory", tr("ρ^k, ρ = {rho:.3g}", rho=rho), curve, LINE["RNN"], dash="dot", width=1.5)
        says.append(_ratio("RNN", tr("ρ^k with ρ = {rho:.3g}", rho=rho), measured[0], curve[0]))
    bias = _forget_bias(nets["LSTM"])
    with np.errstate(over="ignore", divide="ignore"):
        log_f = -np.log1p(np.exp(-bias)) / np.log(10.0)
        last = _log10(found["LSTM"]["l0.c"][-1, 0])
    exponents = last[None] + lag[:, None] * log_f[None]
    top = exponents.max(axis=1, keepdims=True)
    curve = top[:, 0] + 0.5 * np.log10((10.0 ** (2 * (exponents - np.where(np.isfinite(top), top, 0.0)))).sum(axis=1))
    picture.curve("lstm.theory", tr("σ(b)^k of the forget biases b"), curve, LINE["LSTM"], dash="dot", width=1.5)
    says.append(_ratio("LSTM", "σ(b)^k", _log10(found["LSTM"].norms("l0.c"))[0], curve[0]))
    return says


def _forget_bias(experiment: Experiment) -> np.ndarray:
    parameters = weights.materialise(experiment)
    parts = [weights.gate_view(parameters, words.LSTM, 0, "f", part) for part in ("bias_ih", "bias_hh")]
    return parts[0].astype(float) + parts[1]


def _ratio(name: str, law: str, measured: float, closed: float) -> str:
    gap = measured - closed
    if not np.isfinite(gap):
        return ""
    times = f"{10**gap:.2f}" if abs(gap) < 2 else f"10^{number(gap, '.1f')}"
    return tr("{name} at step 0: {times} times the closed form {law}.", name=name, times=times, law=law)


def _norm_row(picture: _Picture, found: dict[str, GradientFlow], nets: dict[str, Experiment], loss: str) -> list[str]:
    for name in NETS:
        picture.curve(f"{name}.h", f"{name} h", _log10(found[name].norms("l0.h")), LINE[name], width=2.4)
    picture.curve("LSTM.c", "LSTM c", _log10(found["LSTM"].norms("l0.c")), LINE["LSTM"], dash="dash", width=1.6)
    single = _log10(_flow(nets["RNN"], loss, False).norms("l0.h").astype(np.float64))
    lost = np.isneginf(single) & (picture.arrays["RNN.h"] < -30) & np.isfinite(picture.arrays["RNN.h"])
    says: list[str] = []
    if lost.any():
        picture.curve("RNN.f32", tr("RNN h in float32"), single, None, width=1.2)
        says.append(
            tr(
                "In float32 the RNN's gradient is lost, at 0 or stuck near 1e-45, at {lost} of {steps} steps: "
                "the grey curve falls off the picture where the true one only becomes small.",
                lost=int(lost.sum()),
                steps=len(lost),
            )
        )
    return says


def _unit_rows(picture: _Picture, found: dict[str, GradientFlow]) -> tuple[float, float]:
    logs = {name: _log10(found[name]["l0.h"][:, 0]) for name in NETS}
    finite = np.concatenate([a[np.isfinite(a)] for a in logs.values()])
    ceiling = float(np.ceil(finite.max())) if finite.size else 0.0
    for name, values in logs.items():
        picture.arrays[f"{name}.units"] = values
        says = describe_fading(picture.arrays[f"{name}.h"])
        picture.rows.append({"signal": name.lower(), "kind": "units", "array": f"{name}.units", "symbol": name,
                             "name": tr("∂L/∂h by unit"), "width": values.shape[1], "says": says,
                             "hue": "h"})  # fmt: skip
    return ceiling - _UNIT_DECADES, ceiling


def _highway_row(picture: _Picture, lstm: Experiment) -> str:
    if lstm.sequence.length * (2 * lstm.hidden_size) ** 3 > _JACOBIAN_WORK:
        return tr("The highway split is left out: this many steps and units would take too long to draw live.")
    x = inputs(lstm).double()
    trace = _flow(lstm, "last", True).trace
    split = highway_split(network(lstm).double(), x, trace=trace, jacobians=_jacobians(lstm))
    if not np.isfinite(split.rest).all():
        return tr("The highway split is left out: the network overflowed.")
    direct, rest, _ = split.log10_norms()
    share = np.zeros_like(direct)
    known = np.isfinite(direct) | np.isfinite(rest)
    share[known] = 1.0 / (1.0 + 10.0 ** np.clip(rest[known] - direct[known], -300, 300))
    picture.arrays |= {"highway.share": share, "highway.direct": direct, "highway.rest": rest}
    says = tr(
        "At lag {lag} the highway is {share:.2g} of the two; ½ or more back to lag {held}.",
        lag=len(share) - 1, share=share[0], held=_held(share),
    )  # fmt: skip
    picture.rows.append({"signal": "highway", "kind": "share", "symbol": "∂c/∂c", "hue": "c", "says": says,
                         "name": tr("highway (product of forget gates) and the rest"), "width": 1})  # fmt: skip
    return ""


def _held(share: np.ndarray) -> int:
    """The largest lag up to which the highway is at least half, without a break."""
    below = np.flatnonzero(share < 0.5)
    return len(share) - 1 - (int(below[-1]) + 1 if below.size else 0)


def _spectrum(picture: _Picture, name: str, experiment: Experiment) -> dict[str, Any] | None:
    size = experiment.hidden_size * (2 if name == "LSTM" else 1)
    if experiment.sequence.length * size**3 > _JACOBIAN_WORK:
        return None
    found = _jacobians(experiment)
    if not all(np.isfinite(a).all() for a in (found.h_h, found.step(slice(None)))):
        return None
    length = experiment.sequence.length
    count = int(np.clip(60_000 // size**2, 6, 48))
    steps = np.unique(np.linspace(0, length - 1, min(count, length)).round().astype(int))
    eigenvalues = found.eigenvalues(steps)
    lags = np.unique(np.linspace(0, length - 1, min(40, length)).round().astype(int))
    values = np.linalg.svd(found.h_h[length - 1 - lags], compute_uv=False)
    singular = _log10(values) + found.log_scale[length - 1 - lags, None] / np.log(10.0)
    picture.arrays |= {"eig.re": eigenvalues.real, "eig.im": eigenvalues.imag, "eig.step": steps.astype(float),
                       "sing.lag": lags.astype(float), "sing.values": singular}  # fmt: skip
    reach = float(np.clip(np.abs(eigenvalues).max() * 1.1, 1.15, 50.0))
    top = singular[-1, 0]
    return {"name": name, "line": LINE[name], "hidden": size, "singular": experiment.hidden_size, "reach": reach,
            "floor": float(singular[np.isfinite(singular)].max() - _DECADES) if np.isfinite(singular).any() else 0.0,
            "says": tr("Largest singular value at lag {lag}: 10^{top:.1f}.", lag=lags[-1], top=top)}  # fmt: skip


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
def _message(experiment: Experiment, loss: str, net: str, undo: bool, redo: bool, address: str) -> bytes:
    nets = networks(experiment)
    found = flows(experiment, loss)
    problems = [tr("{name}: {says}", name=name, says=flow.problem) for name, flow in found.items() if flow.problem]
    picture = _Picture({}, [], [])
    notes = _norm_row(picture, found, nets, loss)
    theory = _theory(picture, found, nets) if loss == "last" else []
    picture.rows.append({"signal": "norm", "kind": "norm", "symbol": "‖∂L/∂h‖", "width": 1, "hue": "h",
                         "name": tr("gradient norm at every step"),
                         "says": tr("Dotted: the closed forms.")})  # fmt: skip
    floor, ceiling = _unit_rows(picture, found)
    notes.append(_highway_row(picture, nets["LSTM"]))
    header = {
        "panel": "flow",
        "axis": tr("step t (the loss is at the right)"),
        "link": "gradients",
        "id": f"{hash((experiment, loss, net)) & 0xFFFFFFFF:08x}",
        "steps": experiment.sequence.length,
        "rows": picture.rows,
        "curves": picture.curves,
        "range": _range(picture),
        "floor": floor,
        "ceiling": ceiling,
        "status": sentences([*problems, *theory, *notes]),
        "spectrum": _spectrum(picture, net, nets[net]),
        "address": address,
        "undo": undo,
        "redo": redo,
    }
    return pack(header, picture.arrays)


def flow_message(bench: Bench) -> bytes:
    """The bytes of the gradient laboratory's picture for what is on the bench."""
    return _message(
        bench.experiment, bench.option("loss"), bench.option("net"), bench.can_undo, bench.can_redo, bench.address()
    )
