"""Instrumented networks against torch's fused layers, forward and backward, and the networks of our own."""

import copy
import gc

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import PackedSequence
from torch_docs import KINDS, Case, build

from seqviz.experiment import Experiment
from seqviz.networks.modules import FeedForward, HookPoint, SequenceGRU, SequenceLSTM, SequenceRNN, instrument
from seqviz.runner import network


def tensors(result):
    """All the tensors of what a recurrent layer returned."""
    out, states = result
    out = out.data if isinstance(out, PackedSequence) else out
    return [out, *(states if isinstance(states, tuple) else (states,))]


@settings(max_examples=150)
@given(
    kind=st.sampled_from(KINDS),
    layers=st.integers(1, 3),
    both=st.booleans(),
    batch_first=st.booleans(),
    bias=st.booleans(),
    proj=st.sampled_from([0, 2]),
    form=st.sampled_from(["batch", "unbatched", "packed"]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    dropout=st.sampled_from([0.0, 0.4]),
    given_state=st.booleans(),
    steps=st.integers(1, 9),
)
def test_it_is_the_fused_layer_forward_and_backward(
    kind, layers, both, batch_first, bias, proj, form, dtype, dropout, given_state, steps
):
    options = {"num_layers": layers, "bidirectional": both, "batch_first": batch_first, "bias": bias}
    rnn = build(kind, proj=proj, dtype=dtype, dropout=dropout if layers > 1 else 0.0, **options)
    case = Case(rnn, steps, form=form, given=given_state)
    twin = instrument(rnn)
    results, gradients = [], []
    for module in (rnn, twin):
        torch.manual_seed(7)
        found = tensors(module(case.x, case.hx))
        results.append((*found, torch.rand(1)))
        gradients.append(torch.autograd.grad(sum((v * v.cos()).sum() for v in found), list(rnn.parameters())))
    close = {"atol": 2e-5, "rtol": 1e-4} if dtype == torch.float32 else {"atol": 1e-11, "rtol": 1e-10}
    for theirs, ours in zip(*results, strict=True):
        assert theirs.shape == ours.shape
        torch.testing.assert_close(ours, theirs, **close)
    for theirs, ours in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs, **close)


@pytest.mark.parametrize("kind", KINDS)
def test_gradcheck(kind):
    torch.manual_seed(0)
    twin = instrument(build(kind, 2, 3, num_layers=2, bidirectional=True, dtype=torch.float64))
    x = torch.randn(3, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v: twin(v)[0], (x,))


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_are_shared_and_stay_so(kind):
    rnn = build(kind)
    twin, x = instrument(rnn), torch.randn(4, 2, 3)
    assert {id(p) for p in twin.parameters()} == {id(p) for p in rnn.parameters()}
    rnn.weight_ih_l0 = nn.Parameter(torch.randn_like(rnn.weight_ih_l0))
    rnn.weight_hh_l0.data = torch.randn_like(rnn.weight_hh_l0)
    torch.testing.assert_close(twin(x)[0], rnn(x)[0])
    rnn.double()
    torch.testing.assert_close(twin(x.double())[0], rnn(x.double())[0])


def test_a_weight_norm_is_honoured():
    rnn = torch.nn.utils.parametrizations.weight_norm(nn.LSTM(3, 4), "weight_hh_l0")
    x = torch.randn(5, 2, 3)
    torch.testing.assert_close(instrument(rnn)(x)[0], rnn(x)[0])


def test_hook_points_carry_the_names_of_the_signals():
    twin = instrument(nn.LSTM(3, 4, num_layers=2, bidirectional=True, proj_size=2))
    for name in ("x", "l0.f", "l0.f_pre", "l0.f_ih", "l0.f_hh", "l0.c", "l0.h_pre", "l1_reverse.h"):
        assert isinstance(twin.get_submodule(name), HookPoint)


def test_hooks_see_each_step_in_the_order_of_processing():
    twin = instrument(nn.LSTM(3, 4, bidirectional=True))
    seen = {"l0.f": [], "l0_reverse.f": []}
    for name, steps in seen.items():
        twin.get_submodule(name).register_forward_hook(
            lambda point, args, out, steps=steps: steps.append((args[1], tuple(out.shape)))
        )
    twin(torch.randn(3, 2, 3))
    assert seen["l0.f"] == [(0, (2, 4)), (1, (2, 4)), (2, (2, 4))]
    assert seen["l0_reverse.f"] == [(2, (2, 4)), (1, (2, 4)), (0, (2, 4))]


def test_a_hook_that_returns_a_tensor_edits_and_gradients_flow_through_it():
    rnn = nn.LSTM(3, 4)
    twin, x = instrument(rnn), torch.randn(5, 2, 3)
    handle = twin.get_submodule("l0.f").register_forward_hook(lambda point, args, out: torch.ones_like(out))
    out, (_, c_n) = twin(x)
    i, g = (twin.get_submodule(f"l0.{k}") for k in "ig")
    added = []
    for point in (i, g):
        point.register_forward_hook(lambda point, args, out: added.append(out))
    again = twin(x)[1][1]
    total = sum(a * b for a, b in zip(added[::2], added[1::2], strict=True))
    torch.testing.assert_close(c_n[0], total)  # with f = 1 the cell adds up everything that i lets in
    torch.testing.assert_close(again, c_n)
    out.sum().backward()
    forget = rnn.weight_ih_l0.grad[4:8]
    assert forget.abs().max() == 0
    assert rnn.weight_ih_l0.grad[:4].abs().max() > 0
    handle.remove()
    torch.testing.assert_close(twin(x)[0], rnn(x)[0])


def test_a_packed_input_is_seen_in_the_callers_order():
    rnn = nn.GRU(3, 4)
    case = Case(rnn, form="packed", given=False)
    twin, first = instrument(rnn), []
    twin.x.register_forward_hook(lambda point, args, out: first.append(out))
    twin(case.x)
    torch.testing.assert_close(first[0].double().numpy(), case.arrays[0][0])


@pytest.mark.parametrize("module", [nn.Linear(2, 2), nn.LSTMCell(2, 2), 3])
def test_only_recurrent_layers_can_be_instrumented(module):
    with pytest.raises(ValueError, match=r"Only nn\.RNN, nn\.GRU and nn\.LSTM"):
        instrument(module)


@pytest.mark.parametrize("kind", [SequenceRNN, SequenceGRU, SequenceLSTM, FeedForward])
@pytest.mark.parametrize(
    "sizes", [(0, 1, 1), (1, -2, 1), (1, 1, 0), (1, 1, 1, 0), (1.5, 1, 1), ("8", 1, 1), (True, 1, 1)]
)
def test_sizes_are_whole_numbers_of_at_least_one(kind, sizes):
    with pytest.raises(ValueError, match="must be a whole number of at least 1; got"):
        kind(*sizes)


def test_other_options_are_refused_in_a_sentence():
    with pytest.raises(ValueError, match="'tanh' or 'relu'"):
        SequenceRNN(1, 2, 1, nonlinearity="gelu")
    with pytest.raises(ValueError, match="dropout must lie between 0 and 1"):
        SequenceGRU(1, 2, 1, dropout=1.5)
    with pytest.raises(ValueError, match="proj_size must be 0 or smaller than hidden_size"):
        SequenceLSTM(1, 2, 1, proj_size=2)


@pytest.mark.parametrize("kind", [SequenceRNN, SequenceGRU, SequenceLSTM])
@pytest.mark.parametrize("options", [{}, {"bidirectional": True, "bias": False}, {"batch_first": True}])
def test_a_network_is_torchs_layer_and_a_readout(kind, options):
    net = kind(3, 4, 2, 2, **options)
    x = torch.randn(5, 6, 3)
    y = net(x)
    assert y.shape == (5, 6, 2)
    torch.testing.assert_close(y, net.readout(net.rnn(x)[0]))
    twin = net.instrumented()
    torch.testing.assert_close(twin(x), y)
    assert {id(p) for p in twin.parameters()} == {id(p) for p in net.parameters()}
    assert "l0.h" in dict(twin.rnn.named_modules())


def test_a_projection_narrows_the_readout():
    net = SequenceLSTM(3, 4, 2, proj_size=2)
    assert net.readout.in_features == 2
    assert net(torch.randn(5, 1, 3)).shape == (5, 1, 2)


def test_a_packed_input_gives_a_packed_output():
    net = SequenceLSTM(3, 4, 2)
    case = Case(net.rnn, form="packed", given=False)
    assert isinstance(net(case.x), PackedSequence)


def test_a_feed_forward_network_does_not_care_about_order():
    net = FeedForward(3, 4, 2, 2)
    x, order = torch.randn(7, 2, 3), torch.randperm(7)
    torch.testing.assert_close(net(x)[order], net(x[order]))
    assert net(x).shape == (7, 2, 2)
    with pytest.raises(ValueError, match="no state"):
        net(x, torch.zeros(1, 2, 4))


def test_an_instrumented_twin_leaves_the_layer_as_it_was():
    rnn = nn.LSTM(3, 4)
    before = (dict(rnn.__dict__), list(rnn.named_modules()), len(rnn._forward_hooks))
    twin = instrument(rnn)
    twin(torch.randn(3, 1, 3))
    del twin
    gc.collect()
    assert (dict(rnn.__dict__), list(rnn.named_modules()), len(rnn._forward_hooks)) == before


@pytest.mark.parametrize("cell", ["LSTM", "GRU", "RNN_TANH", "RNN_RELU"])
def test_networks_of_one_experiment_share_nothing_that_can_be_changed(cell):
    experiment = Experiment(cell, hidden_size=3, num_layers=2)
    x = torch.randn(5, 1, 1)
    first, second = network(experiment), network(experiment)
    before = second(x)
    torch.testing.assert_close(first(x), before, rtol=0, atol=0)
    with torch.no_grad():
        for parameter in first.parameters():
            parameter.add_(1)
    first.rnn.register_forward_hook(lambda *_: 1 / 0)
    first.train()
    first.extra = nn.Linear(1, 1)
    first.double()
    for other in (second, network(experiment)):
        torch.testing.assert_close(other(x), before, rtol=0, atol=0)
        assert not other.training
        assert {name for name, _ in other.named_children()} == {"rnn", "readout"}
    second(x).sum().backward()
    assert all(p.grad is not None and p.grad.device.type == "cpu" for p in second.parameters())
    copied = copy.deepcopy(second)
    torch.testing.assert_close(copied(x), before, rtol=0, atol=0)
    assert not torch.equal(copied.double()(x.double()).float(), torch.zeros_like(before))
