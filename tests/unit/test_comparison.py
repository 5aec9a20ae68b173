"""What order means to each network, by its own outputs; half-lives by closed forms."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

import seqviz
from seqviz import Experiment, Init, Sequence
from seqviz.comparison import (
    INPUTS,
    NETWORKS,
    WAVES,
    Answer,
    all_responses,
    answers,
    compare,
    half_life_of,
    input_of,
    networks_of,
    nudge_response,
    nudge_responses,
    order_gap,
    responses,
    rests_on,
    shuffled,
    shuffling,
)
from seqviz.networks.modules import FeedForward
from seqviz.runner import network
from seqviz.sequences import generate
from seqviz.weights import materialise

EXPERIMENT = Experiment(hidden_size=6, init=Init(gain=2.0, seed=3), sequence=Sequence("noise", 40))


def test_only_the_feed_forward_net_cannot_tell_the_order() -> None:
    order, x = shuffled(EXPERIMENT, 5)
    original = generate(EXPERIMENT.sequence, 1)
    assert sorted(order) == list(range(40))
    np.testing.assert_array_equal(x, original[order])
    before, after = compare(EXPERIMENT, original), compare(EXPERIMENT, x)
    gaps = {name: order_gap(before[name], after[name], order) for name in NETWORKS}
    assert gaps["Feed-forward"] < 1e-6
    assert all(gaps[name] > 0.01 for name in NETWORKS[1:])


def test_parameters_are_torchs_count() -> None:
    found = compare(EXPERIMENT, generate(EXPERIMENT.sequence, 1))
    for name, kind in (("RNN", torch.nn.RNN), ("GRU", torch.nn.GRU), ("LSTM", torch.nn.LSTM)):
        expected = sum(p.numel() for p in kind(1, 6).parameters()) + 6 + 1
        assert found[name].parameters == expected
    assert [found[name].carries for name in NETWORKS] == ["nothing", "h", "h", "h and c"]


def test_the_feed_forward_net_is_the_one_that_torch_draws_from_the_seed() -> None:
    x = generate(EXPERIMENT.sequence, 1)
    torch.manual_seed(3)
    net = FeedForward(1, 6, 1)
    np.testing.assert_allclose(
        compare(EXPERIMENT, x)["Feed-forward"].y, net(torch.tensor(x)).detach().numpy(), atol=1e-6
    )


def test_the_gap_is_the_largest_one() -> None:
    h = np.zeros((3, 1))
    before, after = (Answer(h, np.array(y)[:, None], 0, "") for y in ([1.0, 2.0, 3.0], [3.0, 1.5, 1.0]))
    assert order_gap(before, after, np.array([2, 1, 0])) == 0.5


def test_people_who_compare_at_once_get_their_own_answers() -> None:
    inputs = [np.full((12, 1), value, np.float32) for value in (-1.0, 0.5, 2.0)]
    alone = [compare(EXPERIMENT, x) for x in inputs]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda k: (k % 3, compare(EXPERIMENT, inputs[k % 3])), range(90)))
    for k, answered in found:
        for name in NETWORKS:
            np.testing.assert_array_equal(answered[name].h, alone[k][name].h)


def test_the_random_state_is_left_alone() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    compare(Experiment(hidden_size=5), generate(Sequence("sine", 8), 1))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(("f", "steps"), [(0.5, 1), (0.9, 7), (0.99, 69)])
def test_half_life_is_the_closed_form(f: float, steps: int) -> None:
    response = np.concatenate([np.zeros(10), f ** np.arange(200)])
    assert half_life_of(response) == steps


def test_half_life_of_what_never_falls_and_of_nothing() -> None:
    assert half_life_of(np.ones(5)) == np.inf
    assert half_life_of(np.zeros(5)) == 0


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_overflowed_has_no_half_life(value: float) -> None:
    assert np.isnan(half_life_of(np.array([0.0, 1.0, value])))
    assert np.isnan(half_life_of(np.full(3, value)))


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_the_rnn_squashes_as_the_experiment_does(nonlinearity: str) -> None:
    experiment = Experiment(
        f"RNN_{nonlinearity.upper()}", hidden_size=5, init=Init(gain=2.0), sequence=Sequence("noise", 12)
    )
    x = generate(experiment.sequence, 1)
    layer = torch.nn.RNN(1, 5, nonlinearity=nonlinearity)
    parameters = materialise(experiment)
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            parameter.copy_(torch.tensor(parameters[name]))
        expected, _ = layer(torch.tensor(x)[:, None])
    np.testing.assert_allclose(compare(experiment, x)["RNN"].h, expected[:, 0].numpy(), atol=1e-6)


def test_the_state_that_is_compared_is_the_last_layers() -> None:
    experiment = Experiment("GRU", hidden_size=4, num_layers=3, sequence=Sequence("noise", 9))
    found = compare(experiment, generate(experiment.sequence, 1))
    trace = seqviz.run(experiment)
    np.testing.assert_allclose(found["GRU"].h, trace["l2.h"][:, 0], atol=1e-6)
    assert np.abs(trace["l2.h"] - trace["l0.h"]).max() > 0.01
    with torch.no_grad():
        for name in ("RNN", "LSTM"):
            other = experiment.changed(cell="RNN_TANH" if name == "RNN" else name)
            np.testing.assert_allclose(found[name].h, seqviz.run(other)["l2.h"][:, 0], atol=1e-6)


def test_a_nudge_is_followed_down_to_the_rounding_of_float64() -> None:
    """Against plain loops in float64: where float32 leaves noise of 1e-8, and squares below 1e-38 none at all."""
    experiment = Experiment("RNN_TANH", hidden_size=4, init=Init(gain=0.5), sequence=Sequence("noise", 60))
    x = generate(experiment.sequence, 1)
    found = nudge_response(experiment, x, 3)
    assert set(found) == set(NETWORKS)
    rnn = torch.nn.RNNCell(1, 4).double()
    parameters = materialise(experiment)
    with torch.no_grad():
        for name, parameter in rnn.named_parameters():
            parameter.copy_(torch.tensor(parameters[f"{name}_l0"]))
        h = torch.zeros(2, 4, dtype=torch.float64)
        expected = []
        for t, value in enumerate(x):
            given = torch.tensor(value).double().expand(2, 1).clone()
            given[1] += t == 3
            h = rnn(given, h)
            expected.append(float((h[1] - h[0]).norm()))
    np.testing.assert_allclose(found["RNN"], expected, rtol=1e-6, atol=1e-15)
    assert not found["RNN"][:3].any()
    assert 0 < found["RNN"][25] < 1e-9
    assert not np.delete(found["Feed-forward"], 3).any()


def test_a_nudge_in_a_network_that_overflows_is_no_number_and_one_that_grows_is() -> None:
    experiment = Experiment("RNN_RELU", hidden_size=2, init=Init("identity", gain=100.0), sequence=Sequence("bits", 90))
    found = nudge_response(experiment, generate(experiment.sequence, 1), 0)["RNN"]
    assert np.isfinite(found).all()
    assert found[-1] > 1e154
    longer = Experiment("RNN_RELU", hidden_size=2, init=Init("identity", gain=100.0), sequence=Sequence("bits", 200))
    assert np.isnan(nudge_response(longer, generate(longer.sequence, 1), 0)["RNN"][-1])


@pytest.mark.parametrize("steps", [1, 9, 70])
@pytest.mark.parametrize("cell", ["LSTM", "PEEPHOLE"])
def test_a_nudge_at_every_step_is_that_of_each_step(cell: str, steps: int) -> None:
    experiment = Experiment(cell, hidden_size=4, init=Init(gain=1.5, seed=2), sequence=Sequence("noise", steps))
    x = generate(experiment.sequence, 1)
    found = nudge_responses(experiment, x)
    assert set(found) == set(networks_of(experiment))
    for step in {0, steps // 2, steps - 1}:
        for name, right in nudge_response(experiment, x, step).items():
            np.testing.assert_allclose(found[name][step], right, rtol=1e-6, atol=1e-13, err_msg=name)
            assert not found[name][step, :step].any(), "nothing is moved before it"
    assert (found["Feed-forward"] > 0).sum() == steps, "it remembers nothing"


def test_a_latch_that_is_shut_is_moved_by_no_nudge_but_the_first() -> None:
    latch = seqviz.preset("latch")
    found = all_responses(latch, "as it is")["LSTM"]
    assert (found[0] > 1e-4).all()
    assert not found[1:].any()


def test_a_nudge_at_every_step_is_not_followed_where_that_takes_long() -> None:
    assert all_responses(Experiment(hidden_size=64, sequence=Sequence("noise", 200)), "as it is") == {}


def test_what_an_output_rests_on_is_what_autograd_says() -> None:
    """Every network, by one backward pass an output step; the feed-forward net rests on its own step alone."""
    experiment = Experiment(hidden_size=4, init=Init(gain=1.5, seed=2), sequence=Sequence("noise", 9))
    x = generate(experiment.sequence, 1)
    found = rests_on(experiment, x)
    assert tuple(found) == NETWORKS
    own = np.eye(9, dtype=bool)
    assert (found["Feed-forward"][~own] == 0).all()
    assert (found["Feed-forward"][own] > 0).all()
    for name in NETWORKS[1:]:
        cell = {"RNN": "RNN_TANH"}.get(name, name)
        net = network(experiment.changed(cell=cell)).double()
        for step in (0, 4, 8):
            given = torch.tensor(x, dtype=torch.float64)[:, None].requires_grad_()
            net(given)[step].sum().backward()
            np.testing.assert_allclose(found[name][step], given.grad[:, 0, 0].numpy() ** 2, rtol=1e-6, atol=1e-18)


def test_an_overflowing_network_rests_on_nothing_that_is_drawn() -> None:
    wild = Experiment("RNN_RELU", hidden_size=4, init=Init(gain=90.0), sequence=Sequence("noise", 250))
    assert "RNN" not in rests_on(wild, generate(wild.sequence, 1))
    assert "LSTM" in rests_on(wild, generate(wild.sequence, 1))


def test_every_input_of_the_comparison_is_what_it_is_called():
    experiment = Experiment("LSTM", 2, 3, sequence=Sequence("noise", 9, seed=2))
    own = generate(experiment.sequence, 2)
    np.testing.assert_array_equal(input_of(experiment, "as it is", 4), own)
    nudged = input_of(experiment, "one step nudged", 4)
    np.testing.assert_array_equal(nudged - own, np.eye(9)[4][:, None] * [1.0, 1.0])
    assert sorted(map(tuple, input_of(experiment, "shuffled", 4))) == sorted(map(tuple, own))
    for kind in WAVES:
        assert input_of(experiment, kind, 4).shape == (9, 2), kind


@pytest.mark.parametrize("kind", INPUTS)
def test_a_nudge_moves_nothing_before_it_and_no_memory_of_a_network_without_one(kind):
    experiment = Experiment("GRU", 1, 4, sequence=Sequence("noise", 9, seed=2))
    found = responses(experiment, kind, 4)
    assert all((moved[:4] == 0).all() and moved[4] > 0 for moved in found.values())
    assert (found["Feed-forward"][5:] == 0).all()
    assert (found["LSTM"][5:] > 0).all()


def test_a_shuffle_is_told_by_how_far_each_network_is_off():
    experiment = Experiment("LSTM", 1, 4, sequence=Sequence("noise", 9, seed=2))
    gaps, moved, sizes = shuffling(experiment)
    order, x = shuffled(experiment, 0)
    assert moved == int((x != generate(experiment.sequence, 1)).any(axis=1).sum()) > 5
    before, after = answers(experiment, "as it is"), compare(experiment, x)
    for name in NETWORKS:
        assert gaps[name] == pytest.approx(np.abs(after[name].y - before[name].y[order]).max())
        assert sizes[name] == pytest.approx(np.abs(before[name].y).max())
    assert gaps["Feed-forward"] == 0 < gaps["LSTM"]
