"""The cells against torch's documented lines, torch's own cells and closed forms."""

import math

import numpy as np
import pytest
import torch
from cells_written import WRITTEN
from torch import nn
from torch_docs import KINDS, build, step

from seqviz import cells
from seqviz.cells import signal_names
from seqviz.cells.layer import CellLayer
from seqviz.cells.step import Step, Weights
from seqviz.networks.layers import layer_weights


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def run(rnn, x, h, c, at=None):
    return Step(cells.get(rnn.mode), layer_weights(rnn, 0, False))(x, {"h": h, "c": c}, at)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("proj", [0, 2])
def test_every_value_is_the_documented_one(kind, bias, proj):
    torch.manual_seed(1)
    rnn = build(kind, bias=bias, proj=proj, dtype=torch.float64)
    x, c = torch.randn(5, 3, dtype=torch.float64), torch.randn(5, 4, dtype=torch.float64)
    h = torch.randn(5, rnn.proj_size or 4, dtype=torch.float64)
    found = run(rnn, x, h, c)
    expected = step(rnn, "l0", x.numpy(), h.numpy(), c.numpy())
    assert set(found) == set(expected) == set(signal_names(rnn.mode, detail=True, projected=bool(rnn.proj_size)))
    for name, value in expected.items():
        np.testing.assert_allclose(found[name].detach().numpy(), value, atol=1e-14)


@pytest.mark.parametrize(("kind", "cell"), [("LSTM", nn.LSTMCell), ("GRU", nn.GRUCell), ("RNN_TANH", nn.RNNCell)])
def test_a_step_is_torchs_cell(kind, cell):
    torch.manual_seed(2)
    theirs = cell(3, 4, dtype=torch.float64)
    rnn = build(kind, dtype=torch.float64)
    rnn.load_state_dict({f"{name}_l0": value for name, value in theirs.state_dict().items()})
    x, h, c = (torch.randn(5, n, dtype=torch.float64) for n in (3, 4, 4))
    out = theirs(x, (h, c)) if kind == "LSTM" else theirs(x, h)
    expected = {"h": out[0], "c": out[1]} if kind == "LSTM" else {"h": out}
    found = run(rnn, x, h, c)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, atol=1e-14, rtol=0)


def test_the_textbook_lstm_step():
    """f = .7, i = .4, g = .8, o = .6 and c = 1 give c = 1.02 and h = 0.6 tanh(1.02) = 0.462."""
    biases = torch.tensor([logit(0.4), logit(0.7), math.atanh(0.8), logit(0.6)], dtype=torch.float64)
    zero = torch.zeros(4, 1, dtype=torch.float64)
    one = torch.ones(1, 1, dtype=torch.float64)
    found = Step(cells.get("LSTM"), Weights(zero, zero, biases, torch.zeros_like(biases)))(one, {"h": one, "c": one})
    assert found["c"].item() == pytest.approx(1.02, abs=1e-12)
    assert found["h"].item() == pytest.approx(0.462, abs=5e-4)


def test_the_reset_gate_multiplies_after_the_product_with_its_bias_inside():
    """r = .25, b_in = 0, W_hn h + b_hn = 2: the candidate is tanh(.5), not tanh(2 * .25 h + b)."""
    zero = torch.zeros(3, 1, dtype=torch.float64)
    b_hh = torch.tensor([logit(0.25), 0.0, 2.0], dtype=torch.float64)
    h = torch.full((1, 1), 3.0, dtype=torch.float64)
    found = Step(cells.get("GRU"), Weights(zero, zero, torch.zeros_like(b_hh), b_hh))(h, {"h": h})
    assert found["n"].item() == pytest.approx(math.tanh(0.5), abs=1e-12)
    assert found["h"].item() == pytest.approx(0.5 * math.tanh(0.5) + 0.5 * 3, abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_an_edit_of_any_value_reaches_what_comes_after_it_and_nothing_before(kind):
    torch.manual_seed(3)
    rnn = build(kind)
    x, h, c = torch.randn(2, 3), torch.rand(2, 4), torch.rand(2, 4)
    plain = run(rnn, x, h, c)
    order = list(plain)
    for name in order:
        edited = run(rnn, x, h, c, lambda n, value, name=name: value + 0.5 if n == name else value)
        assert list(edited) == order
        for before in order[: order.index(name)]:
            assert torch.equal(edited[before], plain[before])
        assert not torch.equal(edited["h"], plain["h"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch_first", [False, True])
def test_a_layer_from_lines_is_called_and_trained_as_torchs(kind, batch_first):
    torch.manual_seed(8)
    theirs = build(kind, num_layers=2, batch_first=batch_first, dtype=torch.float64)
    ours = CellLayer(cells.get(kind), 3, 4, 2, batch_first=batch_first).double()
    assert {name: p.shape for name, p in ours.named_parameters()} == {n: p.shape for n, p in theirs.named_parameters()}
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(6, 5, 3, dtype=torch.float64)
    state = tuple(torch.randn(2, 6 if batch_first else 5, 4, dtype=torch.float64) for _ in "hc")
    given = (None, state if kind == "LSTM" else state[0])
    for hx in given:
        (out, ends), (wanted, their_ends) = ours(x, hx), theirs(x, hx)
        torch.testing.assert_close(out, wanted, atol=1e-13, rtol=0)
        torch.testing.assert_close(ends, their_ends, atol=1e-13, rtol=0)
    out.square().sum().backward()
    wanted.square().sum().backward()
    for name, parameter in theirs.named_parameters():
        torch.testing.assert_close(ours.get_parameter(name).grad, parameter.grad, atol=1e-11, rtol=1e-9)
    alone, _ = ours(x[0] if batch_first else x[:, 0])
    torch.testing.assert_close(alone, ours(x)[0][0] if batch_first else ours(x)[0][:, 0])


def test_fixed_weights_are_not_trained_and_wrong_shapes_are_refused():
    layer = CellLayer(WRITTEN["leaky echo state"], 3, 4)
    assert [name for name, p in layer.named_parameters() if p.requires_grad] == []
    x = torch.randn(6, 5, 3)
    assert layer(x)[1].shape == (1, 5, 4)
    for wrong in (torch.randn(6, 5, 2), torch.randn(3), None, [1]):
        with pytest.raises(ValueError, match="input"):
            layer(wrong)
    for wrong in (torch.zeros(1, 4, 4), (torch.zeros(1, 5, 4),) * 2, "h"):
        with pytest.raises(ValueError, match=r"h_0 must|states are h"):
            layer(x, wrong)
