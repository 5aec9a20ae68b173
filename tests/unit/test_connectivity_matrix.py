"""All output steps at once give what is asked one by one, and what a plain loop of autograd gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import seqviz
from seqviz import Clamp, FeedForward, SequenceGRU, SequenceLSTM, SequenceRNN, connectivity, connectivity_matrix
from seqviz.cells import gru
from seqviz.cells.slopes import made_once
from seqviz.gradients import connected
from seqviz.gradients.onestep import as_it_ran

NETS = {"RNN": SequenceRNN, "GRU": SequenceGRU, "LSTM": SequenceLSTM, "FF": FeedForward}


def by_autograd(net: nn.Module, x: torch.Tensor, unit: int | None) -> np.ndarray:
    given = x.clone().requires_grad_()
    y = net(given)[:, 0]
    rows = []
    for step in range(len(x)):
        (grad,) = torch.autograd.grad(y[step].sum() if unit is None else y[step, unit], given, retain_graph=True)
        rows.append(grad[:, 0].square().sum(dim=1))
    return torch.stack(rows).numpy()


@settings(max_examples=30, deadline=None)
@given(
    kind=st.sampled_from(sorted(NETS)), layers=st.integers(1, 3), hidden=st.integers(1, 6), inputs=st.integers(1, 3),
    steps=st.integers(1, 15), unit=st.sampled_from([None, 0, 1]), seed=st.integers(0, 99),
)  # fmt: skip
def test_every_row_is_autograds(kind, layers, hidden, inputs, steps, unit, seed) -> None:
    torch.manual_seed(seed)
    net, x = NETS[kind](inputs, hidden, 2, layers).double(), torch.randn(steps, 1, inputs, dtype=torch.float64)
    found = connectivity_matrix(net, x, unit=unit)
    np.testing.assert_allclose(found, by_autograd(net, x, unit), rtol=1e-8, atol=1e-300)
    assert (found[np.triu_indices(steps, 1)] == 0).all()
    if kind == "FF":
        assert (found == np.diag(np.diag(found))).all()


def test_a_row_is_that_of_connectivity(monkeypatch) -> None:
    torch.manual_seed(0)
    net, x = SequenceLSTM(2, 5, 3, 2).double(), torch.randn(12, 3, 2, dtype=torch.float64)
    edits = [Clamp("x", 0.5, steps=(2, 4)), Clamp("l0.f", 0.9, units=[1])]
    found = connectivity_matrix(net, x, unit=1, batch=2, interventions=edits)
    for step in (0, 5, 11):
        np.testing.assert_allclose(
            found[step], connectivity(net, x, output=(step, 1), interventions=edits)[:, 2], rtol=1e-9
        )
    for name, few in (("_TOGETHER", 5), ("_NUMBERS", 1)):
        monkeypatch.setattr(connected, name, few)
        again = connectivity_matrix(net, x, unit=1, batch=2, interventions=edits)
        np.testing.assert_allclose(again, found, rtol=1e-12)


def test_the_slopes_of_a_run_that_is_repeated_are_reckoned_once() -> None:
    """And are those of each of its repetitions; another batch has its own."""
    torch.manual_seed(0)
    net, x = SequenceGRU(2, 5, 1).double(), torch.randn(12, 1, 2, dtype=torch.float64)
    run = as_it_ran(net, x, None, seqviz.capture(net, x), (0, 0, False), ())[0]
    asked: list[int] = []

    def of(ran):
        asked.append(ran.x.shape[1])
        return gru.slopes(ran)

    wide = connected._wide(run, 7)
    for one, each in zip(made_once(of, wide), gru.slopes(wide), strict=True):
        np.testing.assert_array_equal(one, each)
    made_once(of, run)
    made_once(of, replace(wide, x=wide.x.copy()))
    assert asked == [1, 1, 7]


def test_a_layer_of_torchs_sums_its_units() -> None:
    torch.manual_seed(0)
    layer, x = nn.GRU(2, 4).double(), torch.randn(8, 1, 2, dtype=torch.float64)
    np.testing.assert_allclose(connectivity_matrix(layer, x)[-1], connectivity(layer, x)[:, 0], rtol=1e-9)


@pytest.mark.parametrize(
    ("net", "options", "says"),
    [
        (nn.Sequential(nn.Linear(2, 2)), {}, "one of our networks"),
        (nn.LSTM(2, 2, bidirectional=True), {}, "one direction"),
        (SequenceRNN(2, 2, 2), {"unit": 2}, "output"),
        (FeedForward(2, 2, 2), {"unit": -1}, "output"),
    ],
)
def test_what_cannot_be_asked_says_so(net, options, says) -> None:
    with pytest.raises(ValueError, match=says):
        connectivity_matrix(net, torch.zeros(3, 1, 2), **options)


def test_the_figure_has_a_scale_for_each_row() -> None:
    matrix = np.array([[4.0, 0.0], [1e-3, 10.0]])
    drawn = seqviz.figures.connectivity(matrix).data[0]
    np.testing.assert_allclose(drawn.z, [[0, -6], [-4, 0]])
    np.testing.assert_array_equal(drawn.customdata, matrix)
    assert seqviz.figures.connectivity(np.zeros(3)).data[0].z.tolist() == [[-6, -6, -6]]
