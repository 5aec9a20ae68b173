"""A plain RNN's gradient as torch itself gives it: against autograd through the instrumented network, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import seqviz
from seqviz.experiment.interventions import Ablate, Clamp, Scale
from seqviz.gradients import gradient_flow
from seqviz.gradients.loops import loop_gradient

HELD = {
    "nothing": (),
    "states": (Clamp("l0.h", 0.3, units=1, steps=slice(2, 4)), Scale("l0.h", 1.5, steps=5)),
    "inputs": (Scale("x", -2.0, steps=slice(0, 3)), Scale("l0.h_ih", 0.5)),
    "before the squashing": (
        Ablate("l0.h_hh", units=0), Scale("l0.h_pre", 1.2), Clamp("l0.h_pre", 0.1, units=2, steps=6),
    ),
}  # fmt: skip


@pytest.mark.parametrize("loss", ["last", "sum"])
@pytest.mark.parametrize("held", HELD)
@pytest.mark.parametrize("options", [{}, {"nonlinearity": "relu"}, {"num_layers": 2}, {"bias": False}])
def test_in_float64_it_is_the_gradient_flow(options: dict[str, Any], held: str, loss: str) -> None:
    torch.manual_seed(0)
    net = seqviz.SequenceRNN(2, 3, 2, **options).double()
    x = torch.randn(8, 2, 2, dtype=torch.float64)
    expected = gradient_flow(net, x, loss=loss, interventions=HELD[held])["l0.h"]
    np.testing.assert_allclose(loop_gradient(net, x, loss, HELD[held]).numpy(), expected, atol=1e-12)


def test_a_loss_that_a_held_state_does_not_reach_has_no_gradient() -> None:
    net = seqviz.SequenceRNN(1, 2, 1)
    found = loop_gradient(net, torch.randn(4, 1, 1), interventions=[Ablate("l0.h", steps=3)])
    assert not found[:3].any()
    assert found[3].any()
