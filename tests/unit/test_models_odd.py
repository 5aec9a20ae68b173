"""Models that go their own ways: states that are changed between steps, transforms, and tensors without numbers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import seqviz
from seqviz import Clamp, Scale, capture, gradient_flow

L, N, F, H = 9, 3, 4, 5
KINDS = ("LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell")
Change = Callable[[int, Tensor, Tensor], Tensor]


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


class Changing(nn.Module):
    """A cell, or a layer of one step, whose state passes through a function between the steps."""

    def __init__(self, kind: str, change: Change) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.inner: Any = getattr(nn, kind)(F, H).double()
        self.change = change

    def forward(self, x: Tensor) -> Tensor:
        state: Any = None
        outs = []
        for t, given in enumerate(x if isinstance(self.inner, nn.RNNCellBase) else x.split(1)):
            found = self.inner(given, state)
            now = found if isinstance(self.inner, nn.RNNCellBase) else found[1]
            pairs = zip(now, state or now, strict=True) if isinstance(now, tuple) else None
            state = tuple(self.change(t, a, b) for a, b in pairs) if pairs else self._alone(t, now, state)
            outs.append((state[0] if isinstance(state, tuple) else state).reshape(-1, H))
        return torch.stack(outs)

    def _alone(self, t: int, now: Tensor, before: Tensor | None) -> Tensor:
        return self.change(t, now, now if before is None else before)


KEPT = torch.tensor([[1, 1, 1], [1, 1, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], [1, 1, 1], [0, 1, 0], [1, 0, 0]])
ZONES = drawn(L, N, H, seed=5) > -0.3
CHANGES: dict[str, Change] = {
    "mask": lambda t, now, old: torch.where(KEPT[t, :, None] > 0, now, old),
    "reset": lambda t, now, old: now * torch.where((KEPT[t] > 0) | (t % 3 > 0), 1.0, 0.0)[:, None],
    "zoneout": lambda t, now, old: torch.where(ZONES[t], now, old),
    "dropout": lambda t, now, old: now * ZONES[t] / 0.6,
    "layer norm": lambda t, now, old: nn.functional.layer_norm(now, (H,)),
    "written into a buffer": lambda t, now, old: _through_a_buffer(0.9 * now),
}


def _through_a_buffer(state: Tensor) -> Tensor:
    buffer = torch.zeros(2, *state.shape, dtype=state.dtype)
    buffer[1] = state
    return buffer[1]


def weighed(y: Tensor) -> Tensor:
    return (y * torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view(y.shape)).sum()


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_state_that_is_changed_between_the_steps_is_one_sequence_and_said(kind: str, change: str) -> None:
    model, x = Changing(kind, CHANGES[change]), drawn(L, N, F)
    flow = gradient_flow(model, x, loss=weighed)
    assert flow.trace["l0.h"].shape == (L, N, H)
    assert list(flow.trace.modes) == [""]
    assert flow.trace.parity < 1e-12
    assert "does not always go on from the state that it ended in" in flow.problem
    given = x.clone().requires_grad_()
    weighed(model(given)).backward()
    np.testing.assert_allclose(flow["x"], given.grad, atol=1e-12)
    for name, parameter in model.inner.named_parameters():
        np.testing.assert_allclose(flow.weights[name.removesuffix("_l0") + "_l0"], parameter.grad, atol=1e-11)
    held = capture(model, x, interventions=[Clamp("l0.h", 0.5, units=1, steps=(4, 6))])
    assert [bool((h[:, 1] == 0.5).all()) for h in held["l0.h"]] == [t in (4, 5) for t in range(L)]
    with pytest.raises(ValueError, match="no Jacobian from one step to the next"):
        seqviz.step_jacobians(model, x)
    with pytest.raises(ValueError, match="no Jacobian from one step to the next"):
        seqviz.step_jacobians(model, x, interventions=[Scale("l0.h", 0.5, units=0, steps=(2, 4))])


def test_calls_from_the_same_states_are_not_one_sequence() -> None:
    """A learned start of every sequence, and many inputs tried out from one state."""

    class Same(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell, self.start = nn.GRUCell(F, H), nn.Parameter(torch.ones(N, H))

        def forward(self, x: Tensor) -> Tensor:
            return torch.stack([self.cell(given, self.start) for given in x])

    trace = capture(Same(), torch.randn(3, N, F))
    assert list(trace.modes) == ["", "cell[1]", "cell[2]"]
    assert trace.problem == ""


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_jacobians_of_a_cell_in_a_loop_are_those_of_the_layer(kind: str) -> None:
    model, x = Changing(f"{kind}Cell", lambda t, now, old: now), drawn(L, N, F)
    layer = getattr(nn, kind)(F, H).double()
    layer.load_state_dict({f"{name}_l0": value for name, value in model.inner.state_dict().items()})
    for edits in ([], [Scale("l0.h", 0.5, units=1, steps=(2, 5))]):
        found = seqviz.step_jacobians(model, x, batch=1, interventions=edits)
        np.testing.assert_allclose(found, seqviz.step_jacobians(layer, x, batch=1, interventions=edits), atol=1e-12)
    exponents = [seqviz.lyapunov_exponents(module, x) for module in (model, layer)]
    np.testing.assert_allclose(exponents[0], exponents[1], atol=1e-9)


def test_jacobians_of_weights_that_are_not_the_modules_are_refused() -> None:
    class Doubled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.GRU(F, H)

        def forward(self, x: Tensor) -> Any:
            doubled = {name: 2 * weight for name, weight in self.rnn.named_parameters()}
            return torch.func.functional_call(self.rnn, doubled, (x,))[0]

    with pytest.raises(ValueError, match="other weights than its own"):
        seqviz.step_jacobians(Doubled(), torch.randn(L, N, F))


class Around(nn.Module):
    """A function around a layer."""

    def __init__(self, layer: nn.Module, function: Callable[[nn.Module, Tensor], Any]) -> None:
        super().__init__()
        self.rnn, self.function = layer, function

    def forward(self, x: Tensor) -> Any:
        return self.function(self.rnn, x)


def _gradient(rnn: nn.Module, x: Tensor) -> Tensor:
    return torch.func.grad(lambda v: rnn(v)[0].sum())(x)


def _jacobian(rnn: nn.Module, x: Tensor) -> Tensor:
    return torch.func.jacrev(lambda v: rnn(v)[0][-1])(x)


def _shared_weights(rnn: nn.Module, x: Tensor) -> Tensor:
    """An ensemble: as many sets of weights as there are batch elements."""
    sets = {name: torch.stack([weight] * N) for name, weight in rnn.named_parameters()}
    return torch.vmap(lambda w, v: torch.func.functional_call(rnn, w, (v,))[0], in_dims=(0, 1))(sets, x)


X = torch.randn(L, N, F)
NO_NUMBERS = "meta device"
TRANSFORMED = "inside torch.vmap"
ODD: dict[str, tuple[Callable[[], nn.Module], Any, str]] = {
    "vmap": (lambda: Around(nn.GRU(F, H), lambda rnn, x: torch.vmap(lambda v: rnn(v)[0], 1)(x)), X, TRANSFORMED),
    "vmap of cells": (lambda: Around(nn.LSTMCell(F, H), lambda c, x: torch.vmap(c)(x[0])), X, TRANSFORMED),
    "ensemble": (lambda: Around(nn.LSTM(F, H), _shared_weights), X, TRANSFORMED),
    "grad": (lambda: Around(nn.RNN(F, H), _gradient), X, TRANSFORMED),
    "jacrev": (lambda: Around(nn.GRU(F, H), _jacobian), X, TRANSFORMED),
    "meta layer": (lambda: nn.LSTM(F, H, device="meta"), X.to("meta"), NO_NUMBERS),
    "meta cell": (lambda: nn.GRUCell(F, H, device="meta"), X[0].to("meta"), NO_NUMBERS),
    "meta model": (lambda: Around(nn.GRU(F, H), lambda rnn, x: rnn(x)[0]).to("meta"), X.to("meta"), NO_NUMBERS),
    "meta weights": (lambda: nn.RNN(F, H, device="meta"), X, NO_NUMBERS),
    "meta network": (lambda: seqviz.SequenceGRU(F, H, 1).to("meta"), X.to("meta"), NO_NUMBERS),
    "sparse": (lambda: Around(nn.GRU(F, H), lambda rnn, x: rnn(x)[0]), X.to_sparse(), "x.to_dense()"),
    "sparse layer": (lambda: nn.LSTM(F, H), X.to_sparse(), "x.to_dense()"),
    "nested": (
        lambda: Around(nn.LSTM(F, H), lambda rnn, x: rnn(x)[0]),
        torch.nested.nested_tensor([X[:3, 0], X[:5, 0]]),
        "padded tensor or a PackedSequence",
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("run", [capture, gradient_flow])
@pytest.mark.parametrize("odd", ODD)
def test_what_holds_no_numbers_is_said(odd: str, run: Callable[..., Any]) -> None:
    make, x, words = ODD[odd]
    with pytest.raises(ValueError, match=words.replace("(", r"\(").replace(")", r"\)")):
        run(make(), x)


@pytest.mark.parametrize("run", [capture, gradient_flow])
def test_what_torch_itself_cannot_run_is_said(run: Callable[..., Any]) -> None:
    def with_states(rnn: nn.Module, x: Tensor) -> Any:
        """Past the layer's own checks, states of another batch."""
        return torch.gru(x, torch.zeros(1, 7, H), rnn._flat_weights, True, 1, 0.0, False, False, False)[0]

    class Past(nn.GRU):
        def forward(self, x: Tensor) -> Any:  # type: ignore[override]
            return with_states(self, x)

    for model in (Past(F, H), Around(Past(F, H), lambda rnn, x: rnn(x))):
        with pytest.raises(ValueError, match="torch cannot run this GRU on what it is given") as said:
            run(model, X)
        assert isinstance(said.value, RuntimeError)
        assert len(str(said.value)) < 400


def test_a_model_that_asks_autograd_within_its_own_call() -> None:
    def slope(rnn: nn.Module, x: Tensor) -> Tensor:
        x = x.detach().requires_grad_()
        with torch.enable_grad():
            return torch.autograd.grad(rnn(x)[0].sum(), x)[0]

    for layer in (nn.GRU(F, H), nn.LSTM(F, H, 2)):
        trace, plain = capture(Around(layer, slope), X), capture(layer, X)
        np.testing.assert_allclose(trace["l0.h"], plain["l0.h"], atol=1e-6)


def test_a_module_that_was_made_in_inference_mode() -> None:
    with torch.inference_mode():
        model = nn.Sequential(nn.Linear(F, F), nn.GRU(F, H))
        alone = Around(nn.GRU(F, H), lambda rnn, x: rnn(x)[0])
    assert capture(model, X).parity < 1e-6
    assert gradient_flow(alone, X)["x"].any()
    with pytest.raises(ValueError, match=r"copy\.deepcopy"):
        gradient_flow(model, X)
    assert gradient_flow(copy.deepcopy(model), X)["x"].any()


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda rnn, x: rnn(x)[0].argmax(-1), "int64, of which there is no gradient"),
        (lambda rnn, x: rnn(x)[0] > 0, "bool, of which there is no gradient"),
        (lambda rnn, x: torch.fft.fft(rnn(x)[0], dim=0), "complex64, of which there is no gradient"),
    ],
)
@pytest.mark.parametrize("run", [gradient_flow, seqviz.connectivity])
def test_an_output_that_has_no_gradient(function: Any, words: str, run: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=words):
        run(Around(nn.GRU(F, H), function), X)


def test_a_loss_that_is_complex() -> None:
    model = Around(nn.GRU(F, H), lambda rnn, x: torch.fft.fft(rnn(x)[0], dim=0))
    with pytest.raises(ValueError, match="The loss is complex"):
        gradient_flow(model, X, loss=lambda y: y.sum())
    found = gradient_flow(model, X, loss=lambda y: y.abs().sum())["x"]
    x = X.clone().requires_grad_()
    model(x).abs().sum().backward()
    np.testing.assert_allclose(found, x.grad, atol=1e-5)
