"""Whatever the public functions are given in the place of numbers, they say in one sentence what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import seqviz
from seqviz import memory
from seqviz.language import Sentence

X, Y = torch.randn(6, 2, 3), torch.randn(6, 2, 2)


class Tagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.head = nn.LSTM(3, 4), nn.Linear(4, 2)

    def forward(self, x: Any) -> torch.Tensor:
        return self.head(self.rnn(x)[0])


MODULES: dict[str, nn.Module] = {
    "layer": nn.GRU(3, 2, batch_first=True), "ours": seqviz.SequenceLSTM(3, 4, 2), "theirs": Tagger(),
    "both": nn.RNN(3, 4, bidirectional=True), "no memory": seqviz.FeedForward(3, 4, 2),
}  # fmt: skip

GIVEN: dict[str, Any] = {
    "numpy": X.numpy(), "a list": X.tolist(), "uneven": [[1.0, 2.0], [1.0]], "nothing": None, "a text": "abc",
    "wide": torch.randn(6, 2, 4), "flat": torch.randn(3), "deep": X[None], "a number": torch.tensor(1.0),
    "whole": X.long(), "truth": X > 0, "double": X.double(), "half": X.half(), "complex": X.to(torch.complex64),
    "no step": X[:0], "no sequence": X[:, :0], "no feature": torch.zeros(6, 2, 0), "sparse": X.to_sparse(),
    "nowhere": X.to("meta"), "objects": np.array([[None]]), "texts": np.array([["a"]]),
    "two": (X, X), "named": {"x": X},
    "nested": torch.nested.nested_tensor([torch.randn(3, 3), torch.randn(2, 3)]),
}  # fmt: skip

INPUTS: dict[str, Callable[[Any, Any], Any]] = {
    "capture": seqviz.capture,
    "capture_blocks": seqviz.capture_blocks,
    "gradient_flow": seqviz.gradient_flow,
    "connectivity": seqviz.connectivity,
    "connectivity_matrix": seqviz.connectivity_matrix,
    "state_jacobians": seqviz.state_jacobians,
    "step_jacobians": seqviz.step_jacobians,
    "highway_split": seqviz.highway_split,
    "lyapunov_exponents": seqviz.lyapunov_exponents,
    "doctor": lambda m, x: seqviz.doctor(m, x, Y, steps=1),
    "uses_memory": lambda m, x: memory.uses_memory(m, x, Y),
    "reset_every": lambda m, x: memory.reset_every(m, x, Y),
    "nudge_lasts": memory.nudge_lasts,
    "targets": lambda m, x: memory.reset_every(m, X, x),
    "mask": lambda m, x: memory.reset_every(m, X, Y, mask=x),
    "a state": lambda m, x: seqviz.capture(m, X, x),
    "starts": lambda m, x: seqviz.fixed_points(m, starts=x),
    "a rest": seqviz.fixed_points,
}


@pytest.mark.parametrize("name", INPUTS)
def test_what_cannot_be_taken_gets_a_sentence(name: str) -> None:
    refused = 0
    for kind, module in MODULES.items():
        if kind == "theirs" and name == "a state":
            continue  # its forward takes none, which Python says
        for what, given in GIVEN.items():
            try:
                INPUTS[name](module, given)
            except (ValueError, IndexError) as error:
                said, refused = str(error), refused + 1
                ours = isinstance(error.args[0], Sentence) or said.startswith(("rnn: ", "The loss is NaN"))
                assert ours, (kind, what, said)
                assert "\n" not in said, (kind, what)
                assert len(said) < 400, (kind, what)
    assert refused > 3 * len(GIVEN)


def test_numbers_in_any_form_are_taken() -> None:
    net, twice = seqviz.SequenceLSTM(3, 4, 2), X[:, :1].expand(6, 2, 3)
    turned = X.transpose(0, 1).contiguous().transpose(0, 1)
    for x in (X, X.clone().requires_grad_(), nn.Parameter(X), twice, turned):
        plain = x.detach().clone().contiguous()
        for name in ("capture", "gradient_flow", "uses_memory", "capture_blocks"):
            if name == "uses_memory":
                assert INPUTS[name](net, x).verdicts == INPUTS[name](net, plain).verdicts
            else:
                signal = INPUTS[name](net, x)["l0.h"]
                np.testing.assert_allclose(signal, INPUTS[name](net, plain)["l0.h"], atol=1e-6)
    wanted = memory.reset_every(net, X, Y)
    for targets in (Y.numpy(), Y.tolist(), Y.clone().requires_grad_()):
        np.testing.assert_allclose(memory.reset_every(net, X, targets).losses, wanted.losses, rtol=1e-6)
