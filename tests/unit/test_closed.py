"""The closed forms against products of plain numbers, in mpmath, and torch's own biases."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import torch

from seqviz.comparison import nudge
from seqviz.experiment import Experiment, Init
from seqviz.gradients.closed import by_gates, by_radius, forget_bias, log10_sigmoid
from seqviz.runner import network
from seqviz.tasks import TASKS
from seqviz.tasks.answers import answers


def test_a_radius_is_a_power():
    np.testing.assert_allclose(by_radius(-1.0, 0.5, 4), np.log10([0.0125, 0.025, 0.05, 0.1]))


@pytest.mark.parametrize("pre", [-800.0, -40.0, -0.5, 0.0, 30.0])
def test_gates_multiply_however_small(pre):
    """Past 1e-308, where a double's own product would be 0."""
    rng = np.random.default_rng(0)
    z, last = pre + rng.normal(size=(5, 3)), rng.normal(size=3)
    gates = [[1 / (1 + mpmath.exp(-v)) for v in row] for row in z]
    right = []
    for t in range(6):
        parts = [mpmath.mpf(10) ** last[k] * mpmath.fprod(row[k] for row in gates[t:]) for k in range(3)]
        right.append(float(mpmath.log10(mpmath.sqrt(sum(part**2 for part in parts)))))
    np.testing.assert_allclose(by_gates(last, log10_sigmoid(z)), right, rtol=1e-12, atol=1e-13)


def test_a_gradient_of_0_stays_0():
    assert np.isneginf(by_gates(np.full(2, -np.inf), np.zeros((3, 2)))).all()


def test_the_forget_bias_is_the_sum_of_torchs_two():
    given = Experiment("LSTM", 2, 5, init=Init(forget_bias=1.5, seed=4))
    rnn = next(m for m in network(given).modules() if hasattr(m, "bias_ih_l0"))
    np.testing.assert_allclose(forget_bias(given), (rnn.bias_ih_l0 + rnn.bias_hh_l0)[5:10].detach(), rtol=1e-6)


def test_a_nudge_is_a_copy_with_more_at_one_step():
    x = np.zeros((3, 2))
    assert nudge(x, 1, 0.5).tolist() == [[0, 0], [0.5, 0.5], [0, 0]]
    assert not x.any()


@pytest.mark.parametrize("kind", ["bits", "classes"])
def test_answers_are_torchs_probabilities(kind):
    task = next(t for t in TASKS.values() if (t.kind == "bits") == (kind == "bits") and t.kind != "mse")
    y = torch.randn(6, max(task.outputs, 1), generator=torch.Generator().manual_seed(0)).double() * 20
    right = torch.sigmoid(y) if kind == "bits" else torch.softmax(y, 1)
    np.testing.assert_allclose(answers(task, y.numpy()), right, rtol=1e-12)
