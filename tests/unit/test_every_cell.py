"""Every registered cell, and cells that nobody registered: each road is held to the lines, to torch and to autograd.

A cell is tested here by being registered. A loop in numpy that reads the cell's lines, and not its tape, is the judge.
"""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from cells_written import WRITTEN
from torch import nn

import seqviz
from seqviz import cells
from seqviz.capture.reconstruct import Layer, rebuild
from seqviz.cells import Cell, parse, road
from seqviz.cells.layer import CellLayer
from seqviz.cells.text import Expression
from seqviz.gradients.jacobians import state_jacobians
from seqviz.gradients.lyapunov import lyapunov_exponents
from seqviz.gradients.onestep import as_it_ran, jacobians_of, step_jacobians
from seqviz.networks.layers import layer_weights
from seqviz.networks.modules import instrument, sequence

L, N, F, H = 9, 3, 2, 4
REGISTERED = cells.names(further=True)
EVERY: dict[str, Cell] = {name: cells.get(name) for name in REGISTERED} | WRITTEN

FUNCTIONS: dict[str, Any] = {
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "tanh": np.tanh,
    "relu": lambda a: np.maximum(a, 0),
    "exp": np.exp,
    "abs": np.abs,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "softplus": lambda a: np.log1p(np.exp(a)),
    "logsigmoid": lambda a: -np.log1p(np.exp(-a)),
    "max": np.maximum,
    "min": np.minimum,
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "neg": np.negative,
}


def interpreted(e: Expression, known: dict[str, Any], before: dict[str, Any], weights: dict[str, Any]) -> Any:
    """The value of a line at one step for one sequence, from its expression alone."""
    args = [interpreted(arg, known, before, weights) for arg in e.args]
    if e.op == "number":
        return e.value
    if e.op == "prev":
        return before[e.name]
    if e.op == "name":
        return known[e.name] if e.name in known else weights[e.name]
    if e.op == "mat":
        return weights[e.name] @ args[0]
    return args[0] ** e.value if e.op == "^" else FUNCTIONS[e.name or e.op](*args)


def by_the_lines(cell: Cell, weights: dict[str, Any], x: Any, initial: dict[str, Any]) -> dict[str, np.ndarray]:
    """Every signal ``(L, N, H)`` by a plain loop over steps and sequences."""
    found = {name: np.zeros((len(x), x.shape[1], len(weights_of(cell, name, initial)))) for name in cell.signals}
    for n in range(x.shape[1]):
        before = {state: value[n] for state, value in initial.items()}
        for t in range(len(x)):
            known: dict[str, Any] = {"x": x[t, n]}
            for line in cell.lines:
                known[line.name] = interpreted(line.expression, known, before, weights)
            for name in cell.signals:
                found[name][t, n] = known[name]
            before = {state: known[state] for state in cell.states}
    return found


def weights_of(cell: Cell, name: str, initial: dict[str, Any]) -> range:
    return range(cell.sizes.get(name, H))


def layer_of(cell: Cell, seed: int = 0, layers: int = 1) -> Any:
    """A module in float64: torch's own where there is one."""
    torch.manual_seed(seed)
    if not cell.torchs:
        made: Any = CellLayer(cell, F, H, layers)
    else:
        kind, *squash = cell.torchs.split("_")
        options = {"nonlinearity": squash[0]} if squash else {}
        made = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[kind](F, H, layers, **options)
    return made.double()


def given(cell: Cell, layers: int = 1, seed: int = 1) -> tuple[torch.Tensor, Any]:
    torch.manual_seed(seed)
    x = torch.randn(L, N, F, dtype=torch.float64)
    states = tuple(0.3 * torch.randn(layers, N, cell.sizes.get(s, H), dtype=torch.float64) for s in cell.states)
    if cell.name == "sLSTM":  # its normaliser is positive
        states = tuple(s.abs() + 0.5 if n == "n" else s for n, s in zip(cell.states, states, strict=True))
    return x, states if len(states) > 1 else states[0] if states else None


def numbers(named: Any) -> dict[str, np.ndarray]:
    return {name: value.detach().numpy() for name, value in named.items()}


def parts_of(rnn: Any, cell: Cell, k: int = 0) -> dict[str, np.ndarray]:
    weights = layer_weights(rnn, k, False)
    packed = weights if isinstance(weights, dict) else weights._asdict()
    return cell.unpack({name: value.detach().numpy() for name, value in packed.items() if value is not None})


def tupled(hx: Any) -> tuple[Any, ...]:
    return hx if isinstance(hx, tuple) else () if hx is None else (hx,)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("layers", [1, 2])
def test_a_capture_is_what_the_lines_say(name, layers):
    cell = EVERY[name]
    rnn, (x, hx) = layer_of(cell, layers=layers), given(cell, layers)
    trace = seqviz.capture(rnn, x, hx, detail=True)
    below = x.numpy()
    for k in range(layers):
        initial = {s: value[k].numpy() for s, value in zip(cell.states, tupled(hx), strict=True)}
        expected = by_the_lines(cell, parts_of(rnn, cell, k), below, initial)
        for signal, values in expected.items():
            np.testing.assert_allclose(trace[f"l{k}.{signal}"], values, atol=1e-11, rtol=1e-10, err_msg=signal)
        below = expected["h"]
        assert set(cell.where) == {s.removeprefix(f"l{k}.") for s in trace if s.startswith(f"l{k}.")}
    assert trace.parity < 1e-12
    assert not trace.problem
    assert trace.modes == {"": cell.name}


@pytest.mark.parametrize("name", EVERY)
def test_the_rebuild_by_hand_is_the_lines(name):
    """And a wrong h is seen: parity is as far as it was moved."""
    cell = EVERY[name]
    rnn, (x, hx) = layer_of(cell), given(cell)
    weights, out = layer_weights(rnn, 0, False), rnn(x, hx)[0].detach().numpy()
    first = {s: value[0].numpy() for s, value in zip(cell.states, tupled(hx), strict=True)}
    with torch.no_grad():
        found = rebuild(Layer(cell, weights, x.numpy(), out, first, None), detail=True)
    expected = road.run(cell, parts_of(rnn, cell), x.numpy(), first)
    for signal, values in found.signals.items():
        np.testing.assert_allclose(values, expected[signal], atol=1e-11, rtol=1e-10, err_msg=signal)
    moved = out.copy()
    moved[-1] += 0.25
    with torch.no_grad():
        assert rebuild(Layer(cell, weights, x.numpy(), moved, first, None)).parity == pytest.approx(0.25)


EDITS = {
    "clamp": lambda s: [seqviz.Clamp(f"l0.{s}", 0.3, units=(1,), steps=(2, 5))],
    "scale": lambda s: [seqviz.Scale(f"l0.{s}", 0.5, steps=(1, 7)), seqviz.Ablate("x", units=(0,), steps=(3, 4))],
}


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("edit", [None, *EDITS])
def test_the_gradients_are_autograds_through_the_hook_points(name, edit):
    """With an edit of each signal and part in turn, at the states, pre-activations, input, weights and first states."""
    cell = EVERY[name]
    for signal in cell.where if edit else ("h",):
        rnn, (x, hx) = layer_of(cell, 3), given(cell)
        edits = EDITS[edit](signal) if edit else []
        start = tuple(s.clone().requires_grad_() for s in tupled(hx))
        x = x.clone().requires_grad_()
        states: Any = start if len(start) > 1 else start[0] if start else None
        expected, out = by_autograd(rnn, x, states, edits)
        flow = seqviz.gradient_flow(rnn, x.detach(), hx, loss=wavy, interventions=edits)
        for key in flow.arrays:
            close(flow[key], expected[key])
        for key, value in zip(cell.states, start, strict=True):
            close(flow[f"l0.{key}_0"], value.grad[0].numpy() if value.grad is not None else np.zeros(1))
        for key, parameter in rnn.named_parameters():
            if not parameter.requires_grad:
                continue
            close(flow.weights[key], np.zeros(1) if parameter.grad is None else parameter.grad.numpy())
        np.testing.assert_allclose(flow.trace["l0.h"], out.detach(), atol=1e-12)


def wavy(out: torch.Tensor) -> torch.Tensor:
    """A loss that asks something else of every output."""
    out = out[0] if isinstance(out, tuple) else out
    return (out * torch.cos(torch.arange(out.numel(), dtype=out.dtype)).reshape(out.shape)).sum()


def close(found: np.ndarray, expected: Any) -> None:
    expected = np.asarray(expected)
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), rtol=1e-9, atol=1e-10)


def by_autograd(rnn: Any, x: torch.Tensor, hx: Any, edits: list[Any]) -> tuple[dict[str, np.ndarray], torch.Tensor]:
    """The gradient at every hook point after its edit, by torch; and the output."""
    twin, kept = instrument(rnn), {}
    twin.zero_grad()
    for signal, point in twin.named_modules():
        if signal and type(point).__name__ == "HookPoint":
            point.register_forward_hook(keeper(signal, edits, kept))
    out, _ = twin(x, hx)
    wavy(out).backward()
    zero = lambda v: torch.zeros_like(v) if v.grad is None else v.grad  # noqa: E731
    return {name: torch.stack([zero(v[t]) for t in sorted(v)]).numpy() for name, v in kept.items()}, out


def keeper(signal: str, edits: list[Any], kept: dict[str, dict[int, torch.Tensor]]) -> Any:
    def hook(_: Any, args: Any, value: torch.Tensor) -> torch.Tensor:
        mine = [edit for edit in edits if edit.signal == signal]
        value = seqviz.experiment.interventions.apply(mine, value, args[1], L) * 1
        value.requires_grad_() if not value.requires_grad else value.retain_grad()
        kept.setdefault(signal, {})[args[1]] = value
        return value

    return hook


@pytest.mark.parametrize("name", EVERY)
def test_the_jacobians_are_autograds(name):
    cell = EVERY[name]
    rnn, (x, hx) = layer_of(cell, 5), given(cell)
    found = step_jacobians(rnn, x, hx, batch=1)
    ran, _ = as_it_ran(rnn, x, hx, None, (0, 1, False))
    np.testing.assert_allclose(found, road.jacobians(road.Values(cell, ran.nodes.weights, ran.nodes)), atol=1e-12)
    step = cells.step.Step(cell, layer_weights(rnn, 0, False))
    for t in (0, 4):
        before = tuple(torch.from_numpy(ran.before[s][t].copy()) for s in cell.states)

        def after(*states: torch.Tensor, t: int = t) -> torch.Tensor:
            signals = step(x[t, 1:2], dict(zip(cell.states, states, strict=True)))
            return torch.cat([signals[s] for s in cell.states], -1)[0]

        if before:
            blocks = torch.autograd.functional.jacobian(after, before)
            np.testing.assert_allclose(found[t], torch.cat([b[:, 0] for b in blocks], -1), atol=1e-11)


@pytest.mark.parametrize("name", [name for name, cell in EVERY.items() if "h" in cell.states])
def test_products_of_jacobians_and_exponents(name):
    """Products over the steps are the products, and the exponents add up to log|det J|."""
    cell = EVERY[name]
    rnn, (x, hx) = layer_of(cell, 5), given(cell)
    found = state_jacobians(rnn, x, hx)
    steps = step_jacobians(rnn, x, hx)
    whole = np.eye(steps.shape[1])
    for t in range(L - 2, -1, -1):
        whole = whole @ steps[t + 1]
        h = slice(0, H)
        np.testing.assert_allclose(np.exp(found.log_scale[t]) * found.h_h[t], whole[h, h], atol=1e-12)
        if "c" in cell.states:
            start = H * cell.states.index("c")
            c = slice(start, start + H)
            assert found.c_c is not None
            np.testing.assert_allclose(np.exp(found.log_scale[t]) * found.c_c[t], whole[c, c], atol=1e-12)
    dets = np.linalg.slogdet(steps)[1]
    if np.isfinite(dets).all() and (dets > -60).all():
        total = lyapunov_exponents(rnn, x, hx).sum()
        assert total == pytest.approx(dets.mean(), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("name", [name for name, cell in EVERY.items() if cell.keep_gates.get("c", ("", 0))[1] == 1])
def test_the_highway_and_the_rest_are_the_whole(name):
    cell = EVERY[name]
    if "h" not in cell.states:
        pytest.skip("h is not carried")
    rnn, (x, hx) = layer_of(cell, 5), given(cell)
    split = seqviz.highway_split(rnn, x, hx)
    found = state_jacobians(rnn, x, hx)
    gate = cell.keep_gates["c"][0]
    gates = seqviz.capture(rnn, x, hx)[f"l0.{gate}"][:, 0]
    assert found.c_c is not None
    for t in range(L):
        direct = np.exp(split.log_scale[t]) * split.direct[t]
        np.testing.assert_allclose(direct, gates[t + 1 :].prod(axis=0), atol=1e-12)
        np.testing.assert_allclose(split.rest[t] + np.diag(split.direct[t]), found.c_c[t], atol=1e-12)


def test_the_highway_of_a_long_run_whose_output_gate_reads_the_old_cell_state():
    """What passes c_t by counts too, also where the products have been brought to another size on the way."""
    lines = """
        f = sigmoid(W_f x + R_f h_prev + b_f)
        g = tanh(W_g x + R_g h_prev + b_g)
        c = f * c_prev + (1 - f) * g
        o = sigmoid(W_o x + R_o h_prev + p_o * c_prev + b_o)
        h = o * tanh(c)"""
    rnn, x = layer_of(parse(lines, "old peephole"), 5), torch.randn(80, 1, F, dtype=torch.float64)
    split, found = seqviz.highway_split(rnn, x), state_jacobians(rnn, x)
    assert len(set(found.log_scale)) > 2, "nothing was brought to another size"
    assert found.c_c is not None
    for t in range(80):
        np.testing.assert_allclose(split.rest[t] + np.diag(split.direct[t]), found.c_c[t], rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("name", REGISTERED)
def test_a_network_of_every_registered_cell(name):
    net = sequence(name, F, H, 2, 2).double()
    x = torch.randn(L, N, F, dtype=torch.float64)
    trace = seqviz.capture(net, x)
    np.testing.assert_allclose(trace["y"], net(x).detach(), atol=0)
    twin = net.instrumented()
    torch.testing.assert_close(twin(x), net(x), atol=1e-12, rtol=0)
    ran = jacobians_of(as_it_ran(net, x, None, None, (1, 0, False))[0])
    assert np.isfinite(ran).all()


@pytest.mark.parametrize("name", EVERY)
def test_a_module_of_a_cell_can_be_copied_and_pickled(name):
    layer, x = CellLayer(EVERY[name], F, H).double(), torch.randn(L, N, F, dtype=torch.float64)
    twin, again = copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))
    assert twin.cell is EVERY[name]
    torch.testing.assert_close(twin(x)[0], layer(x)[0], rtol=0, atol=0)
    torch.testing.assert_close(again(x)[0], layer(x)[0], rtol=0, atol=0)
    assert (again.cell is EVERY[name]) == (name in REGISTERED)


@pytest.mark.parametrize("name", REGISTERED)
def test_a_run_in_blocks_is_the_whole_run(name):
    net, x = sequence(name, F, H, 2).double(), torch.randn(L, N, F, dtype=torch.float64)
    whole, parts = seqviz.capture(net, x), seqviz.capture_blocks(net, x, block=4)
    for signal in whole:
        np.testing.assert_allclose(parts[signal], whole[signal], atol=1e-13)
