"""The LSTM with peepholes: its equations written once more by hand, torch's LSTM where it sees nothing, and timing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import seqviz
from seqviz import cells, weights
from seqviz.experiment import Experiment, Init, Sequence, Tensor
from seqviz.networks.modules import SequenceCell

L, N, F, H = 12, 3, 2, 5


def by_hand(net: SequenceCell, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Gers, Schraudolph and Schmidhuber 2002, in torch's names: i, f see the last cell state, o sees the new one."""
    p = dict(net.rnn.named_parameters())
    h, c = torch.zeros(N, H, dtype=x.dtype), torch.zeros(N, H, dtype=x.dtype)
    kept: dict[str, list[torch.Tensor]] = {name: [] for name in "ifgcoh"}
    for x_t in x:
        both = x_t @ p["weight_ih_l0"].T + p["bias_ih_l0"] + h @ p["weight_hh_l0"].T + p["bias_hh_l0"]
        a_i, a_f, a_g, a_o = both.chunk(4, -1)
        i, f = torch.sigmoid(a_i + p["p_i_l0"] * c), torch.sigmoid(a_f + p["p_f_l0"] * c)
        g = torch.tanh(a_g)
        c = f * c + i * g
        o = torch.sigmoid(a_o + p["p_o_l0"] * c)
        h = o * torch.tanh(c)
        for name, value in (("i", i), ("f", f), ("g", g), ("c", c), ("o", o), ("h", h)):
            value.retain_grad()
            kept[name].append(value)
    net.readout(h).sum().backward()
    return {name: torch.stack(values) for name, values in kept.items()} | {
        f"d{name}": torch.stack([v.grad if v.grad is not None else 0 * v for v in kept[name]]) for name in "hc"
    }


def test_its_signals_and_gradients_are_those_of_its_equations() -> None:
    torch.manual_seed(1)
    net, x = SequenceCell("PEEPHOLE", F, H, 1).double(), torch.randn(L, N, F, dtype=torch.float64)
    for name in ("p_i_l0", "p_f_l0", "p_o_l0"):
        nn.init.normal_(getattr(net.rnn, name))
    expected = by_hand(net, x)
    trace, flow = seqviz.capture(net, x), seqviz.gradient_flow(net, x)
    for name in "ifgcoh":
        np.testing.assert_allclose(trace[f"l0.{name}"], expected[name].detach(), atol=1e-14)
    for name in "hc":
        np.testing.assert_allclose(flow[f"l0.{name}"], expected[f"d{name}"], atol=1e-14)
    for name, parameter in net.rnn.named_parameters():
        np.testing.assert_allclose(flow.weights[name], parameter.grad, atol=1e-13, err_msg=name)
    assert trace.parity < 1e-14


def test_with_its_eyes_shut_it_is_torchs_lstm() -> None:
    torch.manual_seed(2)
    lstm, x = nn.LSTM(F, H, 2).double(), torch.randn(L, N, F, dtype=torch.float64)
    net = SequenceCell("PEEPHOLE", F, H, 1, 2).double()
    blind = {name: torch.zeros_like(p) for name, p in net.rnn.named_parameters() if name.startswith("p_")}
    net.rnn.load_state_dict(lstm.state_dict() | blind)
    mine, torchs = seqviz.capture(net.rnn, x, detail=True), seqviz.capture(lstm, x, detail=True)
    assert set(torchs) <= set(mine)
    for name in torchs:
        np.testing.assert_allclose(mine[name], torchs[name], atol=1e-14)
    own, other = (seqviz.gradient_flow(module, x, loss="sum") for module in (net.rnn, lstm))
    for name in other.arrays:
        np.testing.assert_allclose(own[name], other[name], atol=1e-12)
    split = [seqviz.highway_split(module, x) for module in (net.rnn, lstm)]
    for mine_, torchs_ in zip(split[0].log10_norms(), split[1].log10_norms(), strict=True):
        np.testing.assert_allclose(mine_, torchs_, atol=1e-10)


@pytest.mark.parametrize("seen", [True, False])
def test_it_times_what_an_lstm_cannot_see(seen: bool) -> None:
    """A cell that counts by 0.1 behind a shut output gate, which opens when the count has reached 1: by its peephole.

    What the gate reads of h is nothing all the while, so that without one it stays as it began.
    """
    blank = Experiment("PEEPHOLE", 1, 1, init=Init("zeros"), sequence=Sequence.of_values(np.zeros(20, np.float32)))
    biases = np.array([50.0, 50.0, np.arctanh(0.1), -95.0])  # i and f open, g adds 0.1, o shut
    tensors = [Tensor.of("bias_ih_l0", biases.astype(np.float32)), Tensor.of("p_o_l0", np.float32([100.0 * seen]))]
    trace = seqviz.run(
        Experiment("PEEPHOLE", 1, 1, init=Init("zeros"), sequence=blank.sequence, tensors=tuple(tensors))
    )
    np.testing.assert_allclose(trace["l0.c"][:, 0, 0], 0.1 * np.arange(1, 21), atol=1e-5)
    opened = trace["l0.o"][:, 0, 0] > 0.5
    assert opened.tolist() == [seen and step >= 9 for step in range(20)]


def test_how_its_peepholes_start() -> None:
    """As all else in torch, from U(-1/sqrt(H), 1/sqrt(H)); as nothing where all is nothing."""
    made = {s: weights.materialise(Experiment("PEEPHOLE", 1, 256, init=Init(s))) for s in ("default", "orthogonal")}
    for drawn in made.values():
        p = np.concatenate([drawn[f"p_{gate}_l0"] for gate in "ifo"])
        assert 0.9 / 16 < np.abs(p).max() <= 1 / 16
        assert abs(p.mean()) < 0.01
    zeros = weights.materialise(Experiment("PEEPHOLE", 1, 4, init=Init("zeros")))
    assert not any(array.any() for name, array in zeros.items() if name.startswith("p_"))
    lstm = weights.materialise(Experiment("LSTM", 1, 256))
    np.testing.assert_array_equal(made["default"]["weight_hh_l0"], lstm["weight_hh_l0"])


def test_what_it_is_made_of() -> None:
    cell = cells.get("PEEPHOLE")
    counts = [
        sum(a.size for a in weights.materialise(Experiment(name, 3, 7)).values()) for name in ("PEEPHOLE", "LSTM")
    ]
    assert counts[0] - counts[1] == 3 * 7
    assert cell.keep_gates == {"c": ("f", 1)}
    assert cell.gates == {"i", "f", "o"}
    assert "LSTM" in str(cell.label)
