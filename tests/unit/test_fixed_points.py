"""Fixed points against closed forms, against torch's own step, and against what Sussillo and Barak found."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import seqviz
from seqviz import fixed_points
from seqviz.checkpoints import load_asset
from seqviz.gradients.fixed import fixed_points as from_its_room
from seqviz.gradients.rests import FixedPoints, principal
from seqviz.tasks import task

CELLS = {"RNN": nn.RNN, "GRU": nn.GRU, "LSTM": nn.LSTM}


def set_to(module: nn.Module, **values: object) -> nn.Module:
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(torch.as_tensor(values.get(name, 0.0), dtype=torch.float64))
    return module


def one_unit(w: float, b: float = 0.0) -> nn.Module:
    return set_to(nn.RNN(1, 1).double(), weight_hh_l0=w, bias_ih_l0=b)


def test_one_tanh_unit_rests_at_three_places() -> None:
    found = fixed_points(one_unit(1.5))
    right = 0.8586  # h = tanh(1.5 h)
    for _ in range(60):
        right = np.tanh(1.5 * right)
    assert sorted(found.h[:, 0]) == pytest.approx([-right, 0.0, right], abs=1e-12)
    assert list(found.stable) == [True, True, False]
    assert found.radius == pytest.approx([1.5 * (1 - right**2)] * 2 + [1.5], abs=1e-9)
    assert list(found.unstable_directions) == [0, 0, 1]
    assert found.found.sum() == found.starts == 512


@pytest.mark.parametrize(("w", "places"), [(0.5, 1), (0.999, 1), (1.01, 3), (-1.5, 1), (3.0, 3)])
def test_one_tanh_unit_forks_at_a_weight_of_one(w: float, places: int) -> None:
    found = fixed_points(one_unit(w))
    assert len(found) == places
    centre = int(np.abs(found.h[:, 0]).argmin())
    assert found.eigenvalues[centre, 0] == pytest.approx(w, abs=1e-6)
    assert found.stable[centre] == (abs(w) < 1)


def test_a_fold_takes_two_of_the_three_away() -> None:
    """h = tanh(1.5 h + b): with b above the fold, artanh(s) - 1.5 s at s = sqrt(1/3), one place is left."""
    s = np.sqrt(1 / 3)
    fold = abs(np.arctanh(s) - 1.5 * s)
    assert len(fixed_points(one_unit(1.5, 0.99 * fold))) == 3
    assert len(fixed_points(one_unit(1.5, 1.01 * fold))) == 1


def test_the_input_moves_the_place() -> None:
    rnn = set_to(nn.RNN(2, 1).double(), weight_ih_l0=[[1.0, -2.0]], weight_hh_l0=0.0)
    assert fixed_points(rnn, [0.3, 0.1]).h == pytest.approx(np.tanh([[0.1]]), abs=1e-12)
    assert fixed_points(rnn, 0.5).h == pytest.approx(np.tanh([[-0.5]]), abs=1e-12)


@pytest.mark.parametrize("bias", [-1.0, 0.0, 2.0])
def test_an_lstm_without_weights_rests_where_what_comes_is_what_goes(bias: float) -> None:
    b = [0.4, 0.4, bias, bias, 0.7, 0.7, -0.3, -0.3]  # i, f, g, o of two units
    lstm = set_to(nn.LSTM(1, 2).double(), bias_ih_l0=b)
    found = fixed_points(lstm)
    sigma = lambda a: 1 / (1 + np.exp(-a))  # noqa: E731
    c = sigma(0.4) * np.tanh(0.7) / (1 - sigma(bias))
    assert found.states == pytest.approx(np.array([[sigma(-0.3) * np.tanh(c)] * 2 + [c] * 2]), abs=1e-10)
    assert np.sort_complex(found.eigenvalues[0]) == pytest.approx([0, 0, sigma(bias), sigma(bias)], abs=1e-9)


def test_a_gru_without_weights_rests_at_its_candidate() -> None:
    gru = set_to(nn.GRU(1, 2).double(), bias_ih_l0=[0.0, 0.0, 1.0, 1.0, 0.5, -0.5])
    found = fixed_points(gru)
    assert found.h == pytest.approx(np.tanh([[0.5, -0.5]]), abs=1e-10)
    assert found.radius == pytest.approx([1 / (1 + np.exp(-1))], abs=1e-9)


def step_of(module: nn.Module, x: np.ndarray, size: int):
    """torch's own step as a function of the state."""
    given_x = torch.from_numpy(x).reshape(1, 1, -1)

    def step(state: torch.Tensor) -> torch.Tensor:
        parts = [part.reshape(1, 1, -1) for part in state.split(size)]
        _, after = module(given_x, parts[0] if len(parts) == 1 else tuple(parts))
        return after.flatten() if isinstance(after, torch.Tensor) else torch.cat([a.flatten() for a in after])

    return step


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(sorted(CELLS)), hidden=st.integers(1, 5), inputs=st.integers(1, 3), gain=st.floats(0.2, 4),
    seed=st.integers(0, 50), bias=st.booleans(), value=st.floats(-2, 2),
)  # fmt: skip
def test_torchs_own_step_leaves_every_point_where_it_is(kind, hidden, inputs, gain, seed, bias, value) -> None:
    torch.manual_seed(seed)
    module = CELLS[kind](inputs, hidden, bias=bias).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(gain * hidden**0.5)
    found = fixed_points(module, value, starts=64)
    step = step_of(module, found.input, hidden)
    for state, eigenvalues in zip(found.states, found.eigenvalues, strict=True):
        s = torch.from_numpy(state)
        np.testing.assert_allclose(step(s).detach().numpy(), state, atol=1e-8 * (1 + np.abs(state).max()))
        right = np.linalg.eigvals(torch.autograd.functional.jacobian(step, s).numpy())
        np.testing.assert_allclose(np.abs(eigenvalues), np.sort(np.abs(right))[::-1], atol=1e-4)
    near = [np.linalg.norm(a - b) for k, a in enumerate(found.states) for b in found.states[:k]]
    assert not near or min(near) > 1e-7
    assert (np.diff(found.radius) >= -1e-12).all()


def test_stable_points_hold_and_others_let_go() -> None:
    """Run on from beside each point: it comes back to the stable ones only."""
    net = seqviz.network(load_asset("flipflop")).double()
    points = flip_flop()
    for k in range(len(points)):
        _, values, vectors = 0, *np.linalg.eig(jacobian(net, points.states[k]))
        away = np.real(vectors[:, np.abs(values).argmax()])
        start = points.states[k] + 1e-4 * away / np.linalg.norm(away)
        h = torch.from_numpy(start).reshape(1, 1, -1)
        _, last = net.rnn(torch.zeros(300, 1, 3, dtype=torch.float64), h)
        back = np.linalg.norm(last.detach().numpy().ravel() - points.states[k]) < 1e-5
        assert back == points.stable[k]


def jacobian(net: nn.Module, state: np.ndarray) -> np.ndarray:
    step = step_of(net.rnn, np.zeros(3), len(state))
    return torch.autograd.functional.jacobian(step, torch.from_numpy(state)).numpy()


@cache
def flip_flop() -> FixedPoints:
    net, found = seqviz.network(load_asset("flipflop")), task("flipflop")
    x = found.exam(torch.Generator().manual_seed(0), 32).x
    return fixed_points(net, 0.0, trace=seqviz.capture(net, x), starts=2048)


def test_a_flip_flop_of_three_bits_rests_at_the_eight_corners() -> None:
    points = flip_flop()
    net = seqviz.network(load_asset("flipflop")).double()
    answers = net.readout(torch.from_numpy(points.h)).detach().numpy()
    corners = {tuple(np.sign(y).astype(int)) for y in answers[points.stable]}
    assert points.stable.sum() == len(corners) == 8
    assert np.abs(np.abs(answers[points.stable]) - 1).max() < 0.1
    # A cube: the middles of its edges, of its faces and of itself have one, two and three ways out.
    inside = np.abs(answers).max(axis=1) < 1.5
    assert np.bincount(points.unstable_directions[inside]).tolist() == [8, 12, 6, 1]
    halfway = (np.abs(answers[inside]) < 0.6).sum(axis=1)
    np.testing.assert_array_equal(halfway, points.unstable_directions[inside])


def test_a_run_leads_to_them_where_its_pulses_end() -> None:
    net, points = seqviz.network(load_asset("flipflop")).double(), flip_flop()
    x = torch.zeros(300, 1, 3, dtype=torch.float64)
    x[0, 0] = torch.tensor([1.0, -1.0, 1.0])
    h = seqviz.capture(net, x)["l0.h"][-1, 0]
    nearest = int(np.linalg.norm(points.h - h, axis=1).argmin())
    assert points.stable[nearest]
    assert np.linalg.norm(points.h[nearest] - h) < 1e-6


def test_where_everything_stays_nothing_returns_and_nothing_leaves() -> None:
    """relu(h) is h wherever h >= 0: a line of places, and below it everything comes to 0."""
    found = fixed_points(set_to(nn.RNN(1, 1, nonlinearity="relu").double(), weight_hh_l0=1.0), starts=[[0.2], [0.7]])
    assert sorted(found.h[:, 0]) == [0.2, 0.7]
    assert found.neutral.all()
    assert not found.stable.any()
    assert not found.unstable_directions.any()
    # A thousandth to either side is no such place.
    for w, stable in ((0.999, True), (1.001, False)):
        near = fixed_points(one_unit(w))
        centre = int(np.abs(near.h[:, 0]).argmin())
        assert (near.stable[centre], near.neutral[centre]) == (stable, False)


@pytest.mark.parametrize(("by", "slow"), [(1e-6, True), (1e-3, False)])
def test_what_creeps_is_told_from_what_rests(by: float, slow: bool) -> None:
    """relu(h + by) moves by that much at every h >= 0, and rests nowhere."""
    rnn = set_to(nn.RNN(1, 1, nonlinearity="relu").double(), weight_hh_l0=1.0, bias_ih_l0=by)
    found = fixed_points(rnn, starts=np.linspace(0.1, 0.9, 9)[:, None])
    assert len(found) == 0
    assert found.lingers == slow
    if slow:
        assert found.drift == pytest.approx([by] * 9, rel=1e-6)


def test_a_run_that_holds_still_does_not_hide_where_else_it_rests() -> None:
    """One unit's run that stays at one of two places: the search still finds the other."""
    rnn = one_unit(1.5)
    h = torch.full((1, 1, 1), 0.8585, dtype=torch.float64)
    trace = seqviz.capture(rnn, torch.zeros(5, 1, 1, dtype=torch.float64), h)
    assert len(fixed_points(rnn, trace=trace)) == 3


def test_the_plane_of_a_run_that_holds_still_is_that_of_its_places() -> None:
    rng = np.random.default_rng(0)
    places = rng.normal(size=(50, 3)) * [3.0, 0.1, 1.0] + 2
    plane = principal(np.full((9, 3), 2.0), places)
    assert list(plane.share) == [0.0, 0.0]
    assert np.abs(plane.axes) == pytest.approx(np.array([[1, 0, 0], [0, 0, 1]]), abs=0.1)
    moving = principal(np.outer(np.arange(9.0), [0, 1, 0]) + 2, places)
    assert moving.share == pytest.approx([1.0, 0.0])
    assert np.abs(moving.axes) == pytest.approx(np.array([[0, 1, 0], [1, 0, 0]]), abs=0.1)


def test_starts_of_ones_own_and_what_they_found() -> None:
    found = fixed_points(one_unit(1.5), starts=np.array([[0.9], [0.8], [-0.7]]))
    assert found.starts == 3
    assert sorted(found.found) == [1, 2]


def test_a_network_that_never_rests_has_none() -> None:
    """relu(h + 1) grows for ever."""
    rnn = set_to(nn.RNN(1, 1, nonlinearity="relu").double(), weight_hh_l0=1.0, bias_ih_l0=1.0)
    found = fixed_points(rnn)
    assert len(found) == 0
    assert found.stable.shape == (0,)
    assert "0 points" in repr(found)
    seqviz.figures.fixed_points(found, np.random.default_rng(0).normal(size=(5, 1)))


OVERFLOWS = seqviz.Experiment(
    "RNN_RELU", 1, 3, init=seqviz.Init("identity", spectral_radius=9.0), sequence=seqviz.Sequence("step", 200)
)


@pytest.mark.parametrize(
    ("make", "options", "says"),
    [
        (lambda: nn.LSTM(1, 2, num_layers=2), {}, "one recurrent layer"),
        (lambda: nn.LSTM(1, 2, bidirectional=True), {}, "one recurrent layer"),
        (lambda: nn.LSTM(1, 2, proj_size=1), {}, "one recurrent layer"),
        (lambda: nn.Linear(1, 2), {}, "contains no nn.RNN"),
        (lambda: nn.GRU(2, 2), {"x": [1.0, 2.0, 3.0]}, "as the network has inputs, 2"),
        (lambda: nn.GRU(2, 2), {"x": float("nan")}, "finite"),
        (lambda: nn.GRU(2, 2), {"starts": 0}, "starts"),
        (lambda: nn.LSTM(2, 2), {"starts": np.zeros((3, 2))}, r"\(N, 4\)"),
        (lambda: nn.GRU(2, 2), {"trace": seqviz.run(seqviz.Experiment("GRU", hidden_size=3))}, "another network"),
        (lambda: nn.RNN(1, 3, nonlinearity="relu"), {"trace": seqviz.run(OVERFLOWS)}, "overflowed at step"),
    ],
)
def test_what_has_no_fixed_points_says_so(make, options, says) -> None:
    with pytest.raises(ValueError, match=says):
        fixed_points(make(), **options)


def test_the_plane_is_that_of_the_largest_variance() -> None:
    rng = np.random.default_rng(0)
    states = rng.normal(size=(400, 4)) * [0.1, 5.0, 0.2, 2.0] + 3
    plane = principal(states)
    values, vectors = np.linalg.eigh(np.cov(states.T))
    for k in range(2):
        assert abs(plane.axes[k] @ vectors[:, -1 - k]) == pytest.approx(1, abs=1e-9)
        assert plane.share[k] == pytest.approx(values[-1 - k] / values.sum(), abs=1e-9)
    assert plane.place(states).mean(axis=0) == pytest.approx([0, 0], abs=1e-9)
    assert principal(np.ones((3, 1))).place(np.ones((2, 1))) == pytest.approx(np.zeros((2, 2)))


def test_the_figure_places_them_on_the_plane_of_the_run() -> None:
    points = flip_flop()
    path = seqviz.run(load_asset("flipflop"))["l0.h"][:, 0]
    figure = seqviz.figures.fixed_points(points, path, exponents=[-0.1, -0.4])
    run, stable, others, bars = figure.data
    plane = principal(path)
    np.testing.assert_allclose(np.c_[run.x, run.y], plane.place(path))
    np.testing.assert_allclose(np.c_[stable.x, stable.y], plane.place(points.states[points.stable]))
    assert len(others.x) == len(points) - 8
    assert list(bars.y) == [-0.1, -0.4]


@settings(max_examples=20, deadline=None)
@given(kind=st.sampled_from(sorted(CELLS)), hidden=st.integers(1, 6), steps=st.integers(1, 60), seed=st.integers(0, 99))
def test_exponents_add_up_to_the_mean_log_determinant(kind, hidden, steps, seed) -> None:
    torch.manual_seed(seed)
    module, x = CELLS[kind](2, hidden).double(), torch.randn(steps, 1, 2, dtype=torch.float64)
    total = seqviz.mean_log_determinant(module, x)
    assert seqviz.lyapunov_exponents(module, x).sum() == pytest.approx(total, abs=1e-6 * (1 + abs(total)))
    assert from_its_room is fixed_points


@pytest.mark.parametrize("seed", [16, 21, 24, 25, 36, 38])
def test_exponents_keep_their_digits_where_one_direction_dies_much_faster(seed: int) -> None:
    """Of one LSTM unit's two directions one loses e^2.5 more a step: gone from a double after a dozen steps. The
    determinant of a product is the product of determinants, however many steps lie between."""
    torch.manual_seed(seed)
    module, x = nn.LSTM(2, 1).double(), torch.randn(120, 1, 2, dtype=torch.float64)
    total = seqviz.mean_log_determinant(module, x)
    assert seqviz.lyapunov_exponents(module, x).sum() == pytest.approx(total, abs=1e-8)
