"""The recursions of one layer: with interventions, at the initial states, and where the run left the numbers."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

import seqviz
from seqviz import cells
from seqviz.cells import road, signal_names
from seqviz.cells.ran import Pulled, Ran
from seqviz.experiment.interventions import Ablate, Clamp, Scale, apply
from seqviz.gradients.backward import backward
from seqviz.gradients.gains import gains_of
from seqviz.networks.layers import signal_widths

KINDS = ("LSTM", "GRU", "RNN_TANH", "RNN_RELU")
H, L, N = 4, 7, 3
LENGTHS = [5, 7, 3]


def layer(kind: str, **options: Any) -> nn.RNNBase:
    torch.manual_seed(1)
    if kind.startswith("RNN"):
        return nn.RNN(2, H, nonlinearity=kind[4:].lower(), **options).double()
    return getattr(nn, kind)(2, H, **options).double()


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def wavy(out: Tensor) -> Tensor:
    return (torch.sin(1.3 * out) * torch.linspace(-1, 2, out.shape[-1], dtype=out.dtype)).sum()


def edited_at(kind: str, projected: bool, seed: int, end: str) -> list[Any]:
    """Three edits of each signal at most, some on top of each other."""
    draw = np.random.default_rng(seed)
    edits: list[Any] = []
    for name in signal_names(kind, detail=True, projected=projected):
        width = 2 if projected and name == "h" else H
        for _ in range(draw.integers(0, 3)):
            units = None if draw.random() < 0.3 else tuple(draw.choice(width, size=draw.integers(1, width)).tolist())
            start = int(draw.integers(0, L))
            steps = (start, int(draw.integers(start + 1, L + 1)))
            what = [Clamp(f"{end}.{name}", 0.7, units, steps), Ablate(f"{end}.{name}", units, steps),
                    Scale(f"{end}.{name}", -1.7, units, steps), Scale(f"{end}.{name}", 2.5, units, steps)]  # fmt: skip
            edits.append(what[draw.integers(0, 4)])
    return edits


def by_autograd(rnn: Any, x: Any, hx: Any, edits: list[Any]) -> tuple[dict[str, np.ndarray], Tensor]:
    """Gradients at the edited values of the instrumented twin's hook points; its output."""
    kept: dict[str, dict[int, Tensor]] = {}
    twin = seqviz.instrument(rnn)
    for name, point in twin.named_modules():
        if type(point).__name__ != "HookPoint":
            continue

        def hook(_: nn.Module, args: Any, value: Tensor, name: str = name) -> Tensor:
            value = apply([e for e in edits if e.signal == name], value, args[1], L)
            value = value if value.requires_grad else value.clone().requires_grad_()
            value.retain_grad()
            kept.setdefault(name, {})[args[1]] = value
            return value

        point.register_forward_hook(hook)
    out, _ = twin(x, hx)
    wavy(out.data if isinstance(out, nn.utils.rnn.PackedSequence) else out).backward()
    zero = lambda v: torch.zeros_like(v) if v.grad is None else v.grad  # noqa: E731
    return {name: torch.stack([zero(v[t]) for t in sorted(v)]).numpy() for name, v in kept.items()}, out


def run_of(rnn: Any, x: Any, hx: Any, edits: list[Any], reverse: bool, valid: Any) -> tuple[Ran, np.ndarray]:
    """One layer as it ran, and dL/d(its output), in the order of processing."""
    end, way = ("l0_reverse", -1) if reverse else ("l0", 1)
    trace = seqviz.capture(rnn, x, hx, edits, detail=True)
    names = signal_names(rnn.mode, detail=True, projected=bool(rnn.proj_size))
    signals = {name: trace[f"{end}.{name}"][::way] for name in names}
    valid = None if valid is None else valid[::way]

    def before(name: str) -> np.ndarray:
        first = trace.initial[f"{end}.{name}"][None]
        shifted = np.concatenate([first, signals[name][:-1]])
        if valid is None:
            return shifted
        return np.where(np.concatenate([np.zeros_like(valid[:1]), valid[:-1]])[..., None], shifted, first)

    suffix = f"_{end}"
    named = {n.removesuffix(suffix): p.detach().numpy() for n, p in rnn.named_parameters() if n.endswith(suffix)}
    out = torch.from_numpy(trace[f"{end}.h"].copy()).requires_grad_()
    both = [trace[f"{e}.h"] for e in ("l0", "l0_reverse") if f"{e}.h" in trace]
    parts = [out if e == int(reverse) else torch.from_numpy(v.copy()) for e, v in enumerate(both)]
    wavy(torch.cat(parts, -1)).backward()
    assert out.grad is not None
    e = out.grad.numpy()[::way] * (1 if valid is None else valid[..., None])
    cell = cells.get(rnn.mode)
    cell = cell.projected(rnn.proj_size) if rnn.proj_size else cell
    gains = {name: gain[::way] for name, gain in gains_of(edits, end, L, signal_widths(rnn)).items()}
    states = {name: before(name) for name in cell.states}
    return Ran(cell, trace["x"][::way], signals, states, named, valid, gains or None), e


def close(found: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * max(1.0, np.abs(expected).max()))


CASES = [(k, p, r) for k, p, r in itertools.product(KINDS, (0, 2), (False, True)) if not p or k == "LSTM"]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("kind", "proj", "reverse"), CASES)
def test_interventions_on_every_signal_are_as_in_autograd(kind: str, proj: int, reverse: bool, packed: bool) -> None:
    rnn: Any = layer(kind, bidirectional=reverse, **({"proj_size": proj} if proj else {}))
    end, way = ("l0_reverse", -1) if reverse else ("l0", 1)
    rows = 2 if reverse else 1
    for seed in range(12):
        start = [drawn(rows, N, width, seed=seed + k).requires_grad_() for k, width in enumerate((proj or H, H))]
        hx: Any = tuple(start) if kind == "LSTM" else start[0]
        x: Any = drawn(L, N, 2, seed=seed)
        x = pack_padded_sequence(x, LENGTHS, enforce_sorted=False) if packed else x
        valid = np.arange(L)[:, None] < np.array(LENGTHS) if packed else None
        edits = edited_at(kind, bool(proj), seed, end) if seed else []
        rnn.zero_grad()
        expected, _ = by_autograd(rnn, x, hx, edits)
        run, e = run_of(rnn, x, hx, edits, reverse, valid)
        inside = 1 if valid is None else valid[..., None]
        for road_ in (backward, road.pull_back):  # by hand, and as it follows from the lines
            found = road_(run, {"h": e})
            for signal in ("h", "c", *(f"{block}_pre" for block in run.cell.blocks)):
                if signal in run.signals:
                    close(found.at[signal][::way], expected[f"{end}.{signal}"] * inside)
            for state, gradient in zip(start, found.initial.values(), strict=False):
                if state.grad is not None:
                    close(gradient, state.grad[-1].numpy())
                    assert seed or gradient.any(), "nothing is held, and nothing arrives"
            check_weights(rnn, end, run, found)


def check_weights(rnn: Any, end: str, run: Ran, found: Pulled) -> None:
    """The factors make the gradients of the weights and the biases."""
    own = run.cell.packing | {"weight_hr": ("W_hr",)}
    made = found.weights
    for name in run.weights:
        grad = getattr(rnn, f"{name}_{end}").grad
        whole = made[name] if name in made else np.concatenate([made[row] for row in own[name]])
        close(whole, np.zeros(1) if grad is None else grad.numpy())
