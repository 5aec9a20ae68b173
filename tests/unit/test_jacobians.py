"""State Jacobians against autograd, and identities that hold whatever the weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import Tensor, nn

import seqviz
from seqviz.cells import signal_names
from seqviz.experiment.interventions import Ablate, Clamp, Scale, apply
from seqviz.gradients.jacobians import highway_split, state_jacobians
from seqviz.gradients.lyapunov import lyapunov_exponents
from seqviz.gradients.onestep import step_jacobians

H = 5


def layer(kind: str, width: int = 3, **options: Any) -> nn.RNNBase:
    torch.manual_seed(3)
    if kind.startswith("RNN"):
        return nn.RNN(width, H, nonlinearity=kind[4:].lower(), **options).double()
    return getattr(nn, kind)(width, H, **options).double()


def sample(steps: int = 12, batch: int = 1) -> Tensor:
    return torch.randn(steps, batch, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(5))


def by_autograd(rnn: nn.RNNBase, x: Tensor, state: Tensor) -> np.ndarray:
    """The Jacobian of the last state with respect to `state`, by running torch's layer from it."""

    def final(s: Tensor) -> Tensor:
        h, c = s[:H].reshape(1, 1, H), s[H:].reshape(1, 1, -1)
        if rnn.mode == "LSTM":
            _, (h_n, c_n) = rnn(x, (h, c))
            return torch.cat([h_n.flatten(), c_n.flatten()])
        return rnn(x, h)[1].flatten()

    return torch.autograd.functional.jacobian(final, state).numpy()


KINDS = ["LSTM", "GRU", "RNN_TANH", "RNN_RELU"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("t", [0, 6, 10])
def test_products_are_the_derivative_of_the_rest_of_the_run(kind: str, t: int) -> None:
    rnn, x = layer(kind), sample()
    trace = seqviz.capture(rnn, x)
    found = state_jacobians(rnn, x)
    states = [trace[f"l0.{s}"][t, 0] for s in ("h", "c") if f"l0.{s}" in trace]
    expected = by_autograd(rnn, x[t + 1 :], torch.from_numpy(np.concatenate(states)))
    scale = np.exp(found.log_scale[t])
    np.testing.assert_allclose(scale * found.h_h[t], expected[:H, :H], atol=1e-13)
    if kind == "LSTM":
        for name, block in (("h_c", expected[:H, H:]), ("c_h", expected[H:, :H]), ("c_c", expected[H:, H:])):
            np.testing.assert_allclose(scale * getattr(found, name)[t], block, atol=1e-13)


def test_the_total_lets_the_hidden_state_follow() -> None:
    rnn, x = layer("LSTM"), sample()
    trace = seqviz.capture(rnn, x)
    found = state_jacobians(rnn, x)
    t = 4
    o = torch.from_numpy(trace["l0.o"][t, 0].copy())

    def final(c: Tensor) -> Tensor:
        h = o * torch.tanh(c)
        return rnn(x[t + 1 :], (h.reshape(1, 1, H), c.reshape(1, 1, H)))[1][1].flatten()

    expected = torch.autograd.functional.jacobian(final, torch.from_numpy(trace["l0.c"][t, 0].copy())).numpy()
    np.testing.assert_allclose(np.exp(found.log_scale[t]) * found.c_total()[t], expected, atol=1e-13)


def test_reverse_second_layer_and_batch_element() -> None:
    torch.manual_seed(1)
    rnn = nn.GRU(3, H, num_layers=2, bidirectional=True).double()
    x = sample(batch=2)
    trace = seqviz.capture(rnn, x)
    found = step_jacobians(rnn, x, layer=1, batch=1, reverse=True)
    below = torch.from_numpy(np.concatenate([trace["l0.h"], trace["l0_reverse.h"]], axis=2))
    cell = nn.GRUCell(2 * H, H).double()
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    cell.load_state_dict({name: getattr(rnn, f"{name}_l1_reverse") for name in names})
    t = 5
    before = torch.from_numpy(trace["l1_reverse.h"][t + 1, 1].copy())
    expected = torch.autograd.functional.jacobian(lambda h: cell(below[t, 1], h), before).numpy()
    np.testing.assert_allclose(found[len(x) - 1 - t], expected, atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reverse", [False, True])
def test_products_of_a_deeper_layer_of_one_of_several_packed_sequences(kind: str, reverse: bool) -> None:
    """From given states; the second layer alone, on what the first one gave, is the reference."""
    rnn = layer(kind, num_layers=2, bidirectional=True)
    draw = torch.Generator().manual_seed(6)
    start = [torch.randn(4, 3, H, dtype=torch.float64, generator=draw) for _ in "hc"]
    hx: Any = tuple(start) if kind == "LSTM" else start[0]
    x = nn.utils.rnn.pack_padded_sequence(sample(batch=3), [9, 12, 7], enforce_sorted=False)
    trace = seqviz.capture(rnn, x, hx)
    found = state_jacobians(rnn, x, hx, layer=1, batch=0, reverse=reverse)
    suffix = "_reverse" if reverse else ""
    alone = layer(kind, width=2 * H)
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    alone.load_state_dict({f"{name}_l0": getattr(rnn, f"{name}_l1{suffix}") for name in names})
    below = torch.from_numpy(np.concatenate([trace["l0.h"], trace["l0_reverse.h"]], axis=2)[:9, :1].copy())
    below = below.flip(0) if reverse else below
    assert len(found.h_h) == 9
    for t in (0, 4, 7):
        at = 8 - t if reverse else t
        states = [trace[f"l1{suffix}.{s}"][at, 0] for s in ("h", "c") if f"l1{suffix}.{s}" in trace]
        expected = by_autograd(alone, below[t + 1 :], torch.from_numpy(np.concatenate(states)))
        scale = np.exp(found.log_scale[t])
        np.testing.assert_allclose(scale * found.h_h[t], expected[:H, :H], atol=1e-13)
        if kind == "LSTM":
            np.testing.assert_allclose(scale * found.c_c[t], expected[H:, H:], atol=1e-13)
            np.testing.assert_allclose(scale * found.h_c[t], expected[:H, H:], atol=1e-13)


@pytest.mark.parametrize("kind", KINDS[:3])
def test_two_thousand_steps_neither_underflow_nor_overflow(kind: str) -> None:
    rnn = layer(kind)
    for gain, sign in ((0.3, -1), (8.0, 1)):
        with torch.no_grad():
            rnn.weight_hh_l0.normal_(0, gain / H**0.5, generator=torch.Generator().manual_seed(0))
        logs = state_jacobians(rnn, sample(2001)).log10_norms()
        assert np.isfinite(logs).all()
        assert logs[-1] == 0.0
        if sign < 0:
            assert logs[0] < -310


def test_an_exploding_product_goes_beyond_what_a_double_holds() -> None:
    rnn = nn.RNN(1, 4, nonlinearity="relu", bias=False).double()
    with torch.no_grad():
        rnn.weight_hh_l0.copy_(2.0 * torch.eye(4))
    trace = seqviz.Trace(
        arrays={"x": np.zeros((2001, 1, 1)), "l0.h": np.ones((2001, 1, 4))},
        initial={"l0.h": np.ones((1, 4))}, parity=0.0, modes={"": "RNN_RELU"}, all_lengths={"": (2001,)},
    )  # fmt: skip
    logs = state_jacobians(rnn, None, trace=trace).log10_norms()
    assert logs[0] == pytest.approx(2000 * np.log10(2.0), rel=1e-12)


def test_singular_values_and_norms_agree_with_numpy() -> None:
    rnn, x = layer("LSTM"), sample()
    found = state_jacobians(rnn, x)
    whole = np.exp(found.log_scale)[:, None, None] * found.h_h
    expected = np.linalg.svd(whole, compute_uv=False)
    np.testing.assert_allclose(10 ** found.log10_singular_values(), expected, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(10 ** found.log10_norms(), expected[:, 0], rtol=1e-10)
    np.testing.assert_allclose(
        10 ** found.log10_norms(kind="frobenius"), np.linalg.norm(whole, axis=(1, 2)), rtol=1e-10
    )
    np.testing.assert_allclose(
        np.sort_complex(found.eigenvalues([3])[0]), np.sort_complex(np.linalg.eigvals(step_jacobians(rnn, x)[3]))
    )


def test_highway_and_rest_sum_to_the_total() -> None:
    rnn, x = layer("LSTM"), sample(60)
    trace = seqviz.capture(rnn, x)
    found, split = state_jacobians(rnn, x), highway_split(rnn, x)
    total = split.rest + np.einsum("th,hk->thk", split.direct, np.eye(H))
    np.testing.assert_allclose(total, found.c_c, atol=1e-12)
    f = trace["l0.f"][:, 0]
    for t in (0, 30, 58, 59):
        expected = f[t + 1 :].prod(axis=0)
        np.testing.assert_allclose(np.exp(split.log_direct[t]), expected, rtol=1e-12)
        np.testing.assert_allclose(np.exp(split.log_scale[t]) * split.direct[t], expected, rtol=1e-9)


def test_the_rest_is_not_rounding_noise_where_the_highway_is_nearly_all() -> None:
    lstm = layer("LSTM")
    with torch.no_grad():
        lstm.weight_hh_l0.zero_()
    assert not highway_split(lstm, sample(300)).rest.any()
    # To first order in the recurrent weights the rest is proportional to them.
    norms = []
    for size in (1e-9, 2e-9):
        with torch.no_grad():
            lstm.weight_hh_l0.normal_(0, size, generator=torch.Generator().manual_seed(0))
        norms.append(highway_split(lstm, sample(40)).log10_norms()[1][:-2])  # at lag 1 there is no rest
    np.testing.assert_allclose(norms[1] - norms[0], np.log10(2.0), atol=1e-6)


@pytest.mark.parametrize("kind", KINDS[:3])
@pytest.mark.parametrize("steps", [12, 200])
def test_exponents_sum_to_the_mean_log_determinant(kind: str, steps: int) -> None:
    rnn, x = layer(kind), sample(steps)
    exponents = lyapunov_exponents(rnn, x)
    expected = np.linalg.slogdet(step_jacobians(rnn, x))[1].mean()
    assert exponents.sum() == pytest.approx(expected, abs=1e-9)
    assert (np.diff(exponents) <= 0).all()


@pytest.mark.parametrize(("kind", "gain"), [("GRU", 20.0), ("LSTM", 5.0), ("RNN_TANH", 5.0)])
def test_the_interval_follows_a_run_that_turns_violent(kind: str, gain: float) -> None:
    """Quiet for 100 steps, in which long stretches between two QRs are right, and then saturated."""
    rnn, x = layer(kind), sample(300)
    x[:100] = 0.0
    with torch.no_grad():
        rnn.weight_ih_l0.mul_(gain)
    expected = np.linalg.slogdet(step_jacobians(rnn, x))[1].mean()
    assert lyapunov_exponents(rnn, x).sum() == pytest.approx(expected, rel=1e-5)


def test_directions_that_dead_units_lose_are_lost_for_good() -> None:
    rnn = layer("RNN_RELU")
    with torch.no_grad():
        rnn.bias_ih_l0[:2] = -100.0
        rnn.bias_ih_l0[2:] = 100.0
    exponents = lyapunov_exponents(rnn, sample(100))
    assert np.isfinite(exponents[:3]).all()
    assert np.isneginf(exponents[3:]).all()
    living = rnn.weight_hh_l0.detach().numpy()[2:, 2:]
    assert exponents[:3].sum() == pytest.approx(np.linalg.slogdet(living)[1], abs=0.05)


def test_exponents_of_a_scaled_rotation_are_its_scale() -> None:
    rnn = nn.RNN(1, 8, bias=False).double()
    with torch.no_grad():
        nn.init.orthogonal_(rnn.weight_hh_l0, gain=0.8)
    np.testing.assert_allclose(
        lyapunov_exponents(rnn, torch.zeros(300, 1, 1, dtype=torch.float64)), np.log(0.8), atol=1e-10
    )


@pytest.mark.parametrize("kind", KINDS[:3])
def test_a_few_exponents_are_the_largest(kind: str) -> None:
    rnn, x = layer(kind), sample(400)
    every = lyapunov_exponents(rnn, x)
    for count in range(1, len(every)):
        np.testing.assert_allclose(lyapunov_exponents(rnn, x, count=count), every[:count], atol=1e-9)


def test_bad_requests_get_a_sentence() -> None:
    rnn, x = layer("GRU"), sample()
    with pytest.raises(ValueError, match="Only an LSTM"):
        highway_split(rnn, x)
    with pytest.raises(ValueError, match="no layer 3"):
        state_jacobians(rnn, x, layer=3)
    with pytest.raises(ValueError, match="5 exponents"):
        lyapunov_exponents(rnn, x, count=6)
    with pytest.raises(ValueError, match="c_c needs an LSTM"):
        state_jacobians(rnn, x).log10_norms("c_c")
    with pytest.raises(ValueError, match="needs an LSTM"):
        state_jacobians(rnn, x).c_total()
    with pytest.raises(ValueError, match="one of h_h, h_c"):
        state_jacobians(rnn, x).log10_norms("h_z")
    with pytest.raises(ValueError, match="spectral or frobenius"):
        state_jacobians(rnn, x).log10_norms(kind="largest")
    with pytest.raises(ValueError, match="'h' or 'both'"):
        state_jacobians(rnn, x, of="c")
    with pytest.raises(ValueError, match="elements 0 to 0; 1 does not"):
        state_jacobians(rnn, x, batch=1)
    with pytest.raises(ValueError, match="trace="):
        state_jacobians(seqviz.capture(rnn, x), x)  # type: ignore[arg-type]
    lstm = layer("LSTM")
    with pytest.raises(ValueError, match="of='both'"):
        highway_split(lstm, x, jacobians=state_jacobians(lstm, x, of="h"))
    with pytest.raises(ValueError, match="of='both'"):
        state_jacobians(lstm, x, of="h").log10_norms("c_c")
    with pytest.raises(ValueError, match="projection"):
        state_jacobians(layer("LSTM", proj_size=2), x)
    with pytest.raises(ValueError, match="no recurrent state"):
        state_jacobians(seqviz.FeedForward(3, 4, 1), x.float())


def test_an_overflow_is_said_and_does_not_raise_on_the_way_to_a_picture() -> None:
    rnn, x = layer("RNN_RELU"), sample(8)
    with torch.no_grad():
        rnn.weight_hh_l0.copy_(torch.eye(H, dtype=torch.float64) * 1e200)
        rnn.weight_ih_l0.fill_(1.0)
    found = state_jacobians(rnn, x.abs())
    assert "overflowed at step" in found.problem
    assert np.isnan(found.log10_norms()[:-1]).all()
    assert np.isnan(found.log10_norms(kind="frobenius")[:-1]).all()
    broken = state_jacobians(layer("LSTM"), x * float("nan"))
    assert "overflowed at step 0" in broken.problem
    assert np.isnan(broken.log10_norms()[0])
    assert np.isnan(broken.log10_singular_values()[0]).all()
    assert np.isnan(broken.eigenvalues()).all()
    assert state_jacobians(layer("LSTM"), x).problem == ""
    with pytest.raises(ValueError, match="overflowed"):
        lyapunov_exponents(layer("LSTM"), x * float("nan"))


def test_one_step_is_the_identity() -> None:
    rnn, x = layer("LSTM"), sample(1)
    found = state_jacobians(rnn, x)
    np.testing.assert_array_equal(found.h_h[0], np.eye(H))
    assert found.log10_norms()[0] == 0.0
    assert lyapunov_exponents(rnn, x).shape == (2 * H,)


def edited_by_autograd(rnn: nn.RNNBase, x: Tensor, edits: list[Any], t: int) -> np.ndarray:
    """d s_T / d s_t ``(S, S)`` of the instrumented twin with the edits in it, states after their edits."""
    names = ["h", "c"] if rnn.mode == "LSTM" else ["h"]
    twin, moved, ends = seqviz.instrument(rnn), {}, {}  # type: ignore[arg-type]

    def hook(name: str) -> Any:
        mine = [e for e in edits if e.signal == name]

        def run(_: nn.Module, args: Any, value: Tensor) -> Tensor:
            value = apply(mine, value, args[1], len(x))
            signal = name.removeprefix("l0.")
            if signal in names and args[1] == t:
                moved[signal] = torch.zeros_like(value, requires_grad=True)
                value = value.detach() + moved[signal]  # so that h is held where c is moved
            if signal in names and args[1] == len(x) - 1:
                ends[signal] = value
            return value

        return run

    for name, point in twin.named_modules():
        if type(point).__name__ == "HookPoint":
            point.register_forward_hook(hook(name))
    twin(x)
    wanted = [moved[name] for name in names]
    rows = []
    for name in names:
        for k in range(H):
            end = ends[name][0, k]
            grads = torch.autograd.grad(end, wanted, retain_graph=True, allow_unused=True) if end.requires_grad else []
            rows.append(torch.cat([torch.zeros(1, H) if g is None else g for g in grads or [None] * len(names)], 1)[0])
    return torch.stack(rows).double().detach().numpy()


@pytest.mark.parametrize("kind", KINDS)
def test_jacobians_of_a_run_with_interventions(kind: str) -> None:
    """Held, silenced and scaled signals of every sort, on some units and steps, against autograd through the run."""
    rnn, x = layer(kind), sample(6)
    for seed in range(10):
        edits = drawn_edits(kind, seed)
        found = state_jacobians(rnn, x, interventions=edits)
        steps = step_jacobians(rnn, x, interventions=edits)
        for t in (1, 4):
            expected = edited_by_autograd(rnn, x, edits, t)
            scale, size = np.exp(found.log_scale[t]), max(1.0, np.abs(expected).max())
            np.testing.assert_allclose(scale * found.h_h[t], expected[:H, :H], atol=1e-12 * size)
            if kind == "LSTM":
                for name, block in (("h_c", expected[:H, H:]), ("c_h", expected[H:, :H]), ("c_c", expected[H:, H:])):
                    np.testing.assert_allclose(scale * getattr(found, name)[t], block, atol=1e-12 * size)
        np.testing.assert_allclose(steps[5], edited_by_autograd(rnn, x, edits, 4), atol=1e-12)
        if kind == "LSTM":
            split = highway_split(rnn, x, interventions=edits)
            total = split.rest + np.einsum("th,hk->thk", split.direct, np.eye(H))
            np.testing.assert_allclose(total, found.c_c, atol=1e-9)


def drawn_edits(kind: str, seed: int) -> list[Any]:
    draw = np.random.default_rng(seed)
    edits: list[Any] = []
    for name in signal_names(kind, detail=True):
        if draw.random() < 0.4:
            units = tuple(draw.choice(H, size=draw.integers(1, H), replace=False).tolist())
            steps = (int(draw.integers(0, 5)), None)
            kinds = [Clamp(f"l0.{name}", 0.7, units, steps), Ablate(f"l0.{name}", units, steps),
                     Scale(f"l0.{name}", -1.7, units, steps), Scale(f"l0.{name}", 2.5, units, steps)]  # fmt: skip
            edits.append(kinds[draw.integers(0, 4)])
    return edits


def test_a_forget_gate_that_is_held_is_what_a_step_keeps() -> None:
    """At -1 each step turns the cell over: the eigenvalue is -1, where the gate alone would give less than 1."""
    rnn, x = layer("LSTM"), sample(8)
    with torch.no_grad():
        rnn.weight_hh_l0.zero_()
    held = [Clamp("l0.f", -1.0)]
    found = state_jacobians(rnn, x, interventions=held)
    np.testing.assert_allclose(np.sort(found.eigenvalues([3])[0].real), [-1.0] * H + [0.0] * H, atol=1e-12)
    split = highway_split(rnn, x, interventions=held)
    np.testing.assert_allclose(
        np.exp(split.log_scale)[:, None] * split.direct, (-1.0) ** np.arange(7, -1, -1)[:, None] * np.ones(H)
    )
    assert not split.log_direct.any()
    exponents = lyapunov_exponents(rnn, sample(400), interventions=held)
    np.testing.assert_allclose(exponents[:H], 0.0, atol=0.01)
    assert np.isneginf(exponents[H:]).all()


def test_a_trace_of_an_edited_run_needs_its_detail() -> None:
    rnn, x, held = layer("GRU"), sample(), [Clamp("l0.z", 0.5)]
    with pytest.raises(ValueError, match="detail=True"):
        step_jacobians(rnn, x, trace=seqviz.capture(rnn, x, None, held), interventions=held)
    trace = seqviz.capture(rnn, x, None, held, detail=True)
    found = step_jacobians(rnn, x, trace=trace, interventions=held)
    np.testing.assert_array_equal(found, step_jacobians(rnn, x, interventions=held))


def relu_run(weight: np.ndarray, x: np.ndarray) -> tuple[nn.RNN, Tensor]:
    size = len(weight)
    rnn = nn.RNN(size, size, bias=False, nonlinearity="relu").double()
    with torch.no_grad():
        rnn.weight_hh_l0.copy_(torch.tensor(weight))
        rnn.weight_ih_l0.copy_(torch.eye(size))
    return rnn, torch.tensor(x, dtype=torch.float64)[:, None]


def test_units_that_die_in_turn_leave_nothing() -> None:
    rnn, x = relu_run(np.eye(2), np.array([[1.0, -5.0], [-5.0, 1.0]]))
    np.testing.assert_array_equal(lyapunov_exponents(rnn, x), [-np.inf, -np.inf])
    np.testing.assert_array_equal(lyapunov_exponents(rnn.float(), x.float()), [-np.inf, -np.inf])


WHOLE = st.integers(1, 4).flatmap(
    lambda size: st.tuples(
        st.one_of(
            hnp.arrays(np.int64, (size, size), elements=st.integers(-2, 2)),
            st.tuples(*[hnp.arrays(np.int64, size, elements=st.integers(-2, 2))] * 2).map(lambda two: np.outer(*two)),
        ),
        hnp.arrays(np.int64, st.tuples(st.integers(1, 6), st.just(size)), elements=st.integers(-6, 8)),
        st.sampled_from([-300, -20, 0, 20, 300]),
    )
)


@settings(deadline=None, max_examples=60)
@given(WHOLE)
@example((np.array([[1, -1], [1, -1]]), np.full((4, 2), 8), 0))  # its square is 0
@example((np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]]), np.full((4, 3), 8), 0))
def test_a_direction_is_lost_exactly_where_the_whole_product_loses_it(drawn: Any) -> None:
    """In whole numbers, times a power of 2: the rank of the product, and the sum of the logs, are known exactly."""
    weight, x, power = drawn
    if power > 20 and len(x) > 3:
        x = x[:3]
    rnn, inputs = relu_run(weight * 2.0**power, x * 1.0)
    jacobians = step_jacobians(rnn, inputs)
    whole, logs = sympy.eye(len(weight)), 0.0
    for jacobian in jacobians:
        exact = sympy.Matrix((jacobian / 2.0**power).astype(int).tolist())
        whole = exact * whole
        det = abs(exact.det())
        logs += float(sympy.log(det)) if det else -np.inf
    exponents = lyapunov_exponents(rnn, inputs)
    assert np.isfinite(exponents).sum() == whole.rank()
    assert (exponents < np.inf).all()
    if np.isfinite(logs):
        mean = logs / len(inputs) + len(weight) * power * np.log(2.0)
        assert exponents.sum() == pytest.approx(mean, abs=1e-9 * max(1, abs(power)))


def test_the_total_of_a_split_is_both_of_its_parts() -> None:
    rnn, x = layer("LSTM"), sample(30)
    split, found = highway_split(rnn, x), state_jacobians(rnn, x)
    direct, rest, total = split.log10_norms()
    np.testing.assert_allclose(total, found.log10_norms("c_c", "frobenius"), atol=1e-9)
    diagonal = np.einsum("thk,hk->thk", np.ones((30, H, H)), np.eye(H)) * np.exp(split.log_direct)[:, None]
    np.testing.assert_allclose(direct, np.log10(np.linalg.norm(diagonal, axis=(1, 2))), atol=1e-9)
    assert (total[:-2] != rest[:-2]).all()


def test_a_product_that_a_single_step_all_but_stops_keeps_its_cell_part() -> None:
    """Gates that shut by 10^-173 a step: squares leave the doubles, and h has no part in what is left."""
    rnn = nn.LSTM(1, 2).double()
    with torch.no_grad():
        for parameter in rnn.parameters():
            parameter.zero_()
        rnn.bias_ih_l0[2:4] = -400.0
    found = state_jacobians(rnn, torch.zeros(20, 1, 1, dtype=torch.float64))
    lag = np.arange(19, -1, -1)
    np.testing.assert_allclose(found.log10_norms("c_c"), lag * -400 / np.log(10), rtol=1e-12)
    assert np.isneginf(found.log10_norms("h_h")[:-1]).all()
    assert np.isfinite(found.log10_norms("h_c")[:-1]).all()


def test_exponents_of_rows_many_powers_of_ten_apart() -> None:
    """A shut gate's rows are tiny; their digits are kept only where the reflections begin at the largest rows."""
    rnn = layer("GRU")
    with torch.no_grad():
        rnn.bias_ih_l0[H : 2 * H] = torch.tensor([-40.0, 3.0, -35.0, 2.0, -38.0])
        rnn.weight_hh_l0[2 * H :] *= 1e-9
    x = sample(60)
    expected = np.linalg.slogdet(step_jacobians(rnn, x))[1].mean()
    assert lyapunov_exponents(rnn, x).sum() == pytest.approx(expected, rel=1e-6)


def test_a_tiny_row_above_a_large_one_keeps_its_digits() -> None:
    """Eigenvalues 1 and -1e-30: reflections that begin at the tiny row leave rounding, 1e-16, for the second."""
    rnn, x = relu_run(np.array([[1e-30, 2e-30], [1.0, 1.0]]), np.ones((40, 2)))
    assert lyapunov_exponents(rnn, x).sum() == pytest.approx(np.log(1e-30), rel=1e-12)
