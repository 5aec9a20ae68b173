"""What a network out of a file is judged by on a table: losses against plain loops and closed forms."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from seqviz import aims, read_network
from seqviz.aims import aim, share_of_guess
from seqviz.memory import uses_memory
from seqviz.trials import trial


def whole_of(rnn: nn.Module, head: nn.Module | None = None):
    stream = io.BytesIO()
    parts = {"rnn": rnn} | ({"head": head} if head is not None else {})
    torch.save(nn.ModuleDict(parts).state_dict(), stream)
    file = read_network(stream.getvalue())
    return file.whole(file.stacks[0])


def outputs(rnn: nn.Module, head: nn.Module, x: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return head(rnn(torch.from_numpy(x).float()[:, None])[0])[:, 0].double().numpy()


def loss_of(asked) -> float:
    return trial(asked.module, **asked.given).errors().mean


@given(
    st.sampled_from([nn.LSTM, nn.GRU, nn.RNN]), st.booleans(), st.integers(1, 2), st.integers(1, 3),
    st.integers(16, 50), st.integers(0, 12), st.integers(0, 99),
)  # fmt: skip
@settings(max_examples=30, deadline=None)
def test_the_loss_is_the_mean_square_of_what_comes_later(make, both, layers, columns, steps, ahead, seed):
    torch.manual_seed(seed)
    rnn = make(2, 4, layers, bidirectional=both)
    head = nn.Linear(8 if both else 4, columns)
    draw = np.random.default_rng(seed)
    x, wanted = draw.normal(size=(steps + ahead, 2)), draw.normal(size=(steps + ahead, columns))
    asked = aim(whole_of(rnn, head), x, wanted, ahead=ahead)
    y = outputs(rnn, head, x[:steps])
    assert asked.mask is None
    assert loss_of(asked) == pytest.approx(((y - wanted[ahead:]) ** 2).mean(), rel=1e-4)
    guess = ((wanted[ahead:] - wanted[ahead:].mean(0)) ** 2).mean()
    assert share_of_guess(asked) == pytest.approx(((y - wanted[ahead:]) ** 2).mean() / guess, rel=1e-4)


def test_bits_are_logits_and_whole_numbers_are_classes():
    torch.manual_seed(0)
    rnn, draw = nn.GRU(2, 4), np.random.default_rng(0)
    x = draw.normal(size=(40, 2))
    one, three = nn.Linear(4, 1), nn.Linear(4, 3)
    bits, classes = draw.integers(0, 2, (40, 1)).astype(float), draw.integers(0, 3, (40, 1)).astype(float)
    y = outputs(rnn, one, x)
    wanted = np.log1p(np.exp(-np.where(bits > 0, y, -y))).mean()
    assert loss_of(aim(whole_of(rnn, one), x, bits)) == pytest.approx(wanted, rel=1e-5)
    y = outputs(rnn, three, x)
    log = y - np.log(np.exp(y).sum(1, keepdims=True))
    wanted = -log[np.arange(40), classes[:, 0].astype(int)].mean()
    asked = aim(whole_of(rnn, three), x, classes)
    assert loss_of(asked) == pytest.approx(wanted, rel=1e-5)
    assert np.isnan(share_of_guess(asked))


@pytest.mark.parametrize("head", [None, 2])
def test_a_fitted_readout_is_the_least_squares_one_and_is_judged_by_what_it_has_not_seen(head):
    torch.manual_seed(0)
    rnn, draw = nn.LSTM(1, 5), np.random.default_rng(0)
    x = draw.normal(size=(400, 1))
    wanted = np.concatenate([np.zeros((1, 1)), x[:-1]])
    asked = aim(whole_of(rnn, head and nn.Linear(5, head)), x, wanted)
    with torch.no_grad():
        h = rnn(torch.from_numpy(x).float()[:, None])[0][:, 0].double().numpy()
    columns = np.column_stack([h, np.ones(400)])
    solved = np.linalg.lstsq(columns[:200], wanted[:200], rcond=None)[0]
    best = ((columns[200:] @ solved - wanted[200:]) ** 2).mean()
    assert asked.mask is not None
    assert loss_of(asked) == pytest.approx(best, rel=0.05)
    assert uses_memory(asked.module, **asked.given).resets.ratios[0].low > 1.0, "it needs the step before"


def test_long_tables_are_cut_to_what_can_be_run(monkeypatch):
    monkeypatch.setattr(aims, "MOST", 1000)
    torch.manual_seed(0)
    x = np.random.default_rng(0).normal(size=(1500, 1))
    asked = aim(whole_of(nn.GRU(1, 3), nn.Linear(3, 1)), x, x, ahead=1)
    assert len(asked.x) == 1000
    assert "the first 1,000 steps" in str(asked.says[0])
    pieces = asked.pieces
    assert pieces["x"].shape == (200, 5, 1)
    np.testing.assert_allclose(pieces["x"].transpose(0, 1).reshape(-1), x[:1000, 0], rtol=1e-6)
    np.testing.assert_allclose(pieces["targets"].transpose(0, 1).reshape(-1), x[1:1001, 0], rtol=1e-6)
    fitted = aim(whole_of(nn.GRU(1, 3)), x, x, ahead=1).pieces
    assert fitted["x"].shape[1] == 3, "pieces of the first half count for nothing"


def test_too_few_steps_are_said():
    x = np.zeros((18, 1))
    with pytest.raises(ValueError, match="at least 16 steps with what would have been right; there are 8"):
        aim(whole_of(nn.GRU(1, 3)), x, x, ahead=10)
    with pytest.raises(ValueError, match="there are 0"):
        aim(whole_of(nn.GRU(1, 3)), x, x, ahead=100)
