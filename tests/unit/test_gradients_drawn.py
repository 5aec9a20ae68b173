"""gradient_flow of drawn networks, inputs and outputs: against autograd on a plain loop, and at 700 digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mp_cells import Oracle
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from seqviz import gradient_flow

SHAPES = ("steps", "flat", "permuted", "one step", "final state", "pair")
F, H, C = 2, 3, 7


class Model(nn.Module):
    """A layer and a readout, whose output has one of many shapes."""

    def __init__(self, rnn: nn.RNNBase, shape: str) -> None:
        super().__init__()
        self.rnn, self.shape = rnn, shape
        self.fc = nn.Linear((rnn.proj_size or rnn.hidden_size) * (2 if rnn.bidirectional else 1), C).to(rnn.dtype_)

    def forward(self, x: Any) -> Any:
        out, state = self.rnn(x)
        packed = isinstance(out, PackedSequence)
        first = self.rnn.batch_first and not packed
        if packed:
            out, _ = pad_packed_sequence(out)
        if self.shape == "final state":
            return (state[0] if isinstance(state, tuple) else state)[-1]
        y = self.fc(out)
        if self.shape == "flat":
            return y.reshape(-1, C)
        if self.shape == "permuted":
            return y.permute(0, 2, 1) if first else y.permute(1, 2, 0)
        if self.shape == "one step":
            return y[:, -1] if first else y[-1]
        return (y, state) if self.shape == "pair" else y


def one_way(rnn: nn.RNNBase, end: str, given: list[Tensor], kept: list[Tensor]) -> list[Tensor]:
    """One layer and direction over the steps of one sequence, by the lines of torch's documentation."""
    w = {name: p.detach().double() for name, p in rnn.named_parameters()}
    size = rnn.hidden_size
    h, c = torch.zeros(rnn.proj_size or size, dtype=torch.float64), torch.zeros(size, dtype=torch.float64)
    for x in given:
        ih = w[f"weight_ih_{end}"] @ x + w.get(f"bias_ih_{end}", torch.zeros(()).double())
        hh = w[f"weight_hh_{end}"] @ h + w.get(f"bias_hh_{end}", torch.zeros(()).double())
        if rnn.mode == "LSTM":
            i, f, g, o = (ih + hh).split(size)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            h = w[f"weight_hr_{end}"] @ h if rnn.proj_size else h
        elif rnn.mode == "GRU":
            (i_r, i_z, i_n), (h_r, h_z, h_n) = ih.split(size), hh.split(size)
            z = (i_z + h_z).sigmoid()
            h = (1 - z) * (i_n + (i_r + h_r).sigmoid() * h_n).tanh() + z * h
        else:
            h = (ih + hh).tanh() if rnn.mode == "RNN_TANH" else (ih + hh).relu()
        h = h if h.requires_grad else h.clone().requires_grad_()
        h.retain_grad()
        kept.append(h)
    return kept


def by_loops(model: Model, x: Tensor, length: int) -> tuple[Tensor, dict[str, list[Tensor]]]:
    """The output (or final state) of one sequence that the loss reads, and h by signal."""
    rnn, kept = model.rnn, dict[str, list[Tensor]]()
    given = list(x[:length].detach().double())
    for layer in range(rnn.num_layers):
        ways = []
        for reverse in (False, True) if rnn.bidirectional else (False,):
            end, turn = f"l{layer}{'_reverse' if reverse else ''}", -1 if reverse else 1
            kept[f"{end}.h"] = one_way(rnn, end, given[::turn], [])[::turn]
            ways.append(kept[f"{end}.h"])
        given = [torch.cat(parts) for parts in zip(*ways, strict=True)]
    if model.shape == "final state":
        return (kept[f"l{rnn.num_layers - 1}_reverse.h"][0] if rnn.bidirectional else given[-1]), kept
    y = given[-1] @ model.fc.weight.detach().double().T + model.fc.bias.detach().double()
    return y, kept


@st.composite
def cases(draw: st.DrawFn) -> tuple[Model, Any, Tensor, list[int]]:
    """A model, what it is given, the same as ``(L, N, F)``, and the lengths."""
    kind = draw(st.sampled_from(["LSTM", "GRU", "RNN_TANH", "RNN_RELU"]))
    options: dict[str, Any] = {
        "num_layers": draw(st.integers(1, 3)), "bidirectional": draw(st.booleans()),
        "batch_first": draw(st.booleans()), "bias": draw(st.booleans()),
    }  # fmt: skip
    if kind == "LSTM":
        options["proj_size"] = draw(st.sampled_from([0, 0, 2]))
    if kind.startswith("RNN"):
        options["nonlinearity"] = kind[4:].lower()
    torch.manual_seed(draw(st.integers(0, 10**6)))
    dtype = draw(st.sampled_from([torch.float64, torch.float32]))
    rnn: Any = getattr(nn, kind[:3] if kind.startswith("RNN") else kind)(F, H, **options).to(dtype)
    rnn.dtype_ = dtype
    steps, batch = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    x = torch.randn(steps, batch, F, dtype=dtype)
    shape = draw(st.sampled_from(SHAPES))
    packed = shape not in ("flat", "permuted", "one step") and draw(st.booleans())
    if not packed:
        return Model(rnn, shape), x.transpose(0, 1) if rnn.batch_first else x, x, [steps] * batch
    lengths = [steps, *(draw(st.integers(1, steps)) for _ in range(batch - 1))]
    lengths = draw(st.permutations(lengths))
    return Model(rnn, shape), pack_padded_sequence(x, lengths, enforce_sorted=False), x, lengths


def found_in(model: Model, x: Any) -> Any:
    """The flow of the last step, or of an output without steps; None where it is asked which axis is time."""
    loss = "sum" if model.shape in ("one step", "final state") else "last"
    output = 0 if model.shape == "pair" else None
    try:
        return gradient_flow(model, x, loss=loss, output=output)
    except ValueError as says:
        if "time_axis" not in str(says) or model.shape not in ("flat", "permuted"):
            raise
        return None


@settings(max_examples=60, deadline=None)
@given(cases())
def test_gradients_are_those_of_a_plain_loop(case: tuple[Model, Any, Tensor, list[int]]) -> None:
    model, x, padded, lengths = case
    flow = found_in(model, x)
    if flow is None:
        return
    near = 1e-9 if padded.dtype == torch.float64 else 3e-4
    expected: dict[str, np.ndarray] = {}
    for n, length in enumerate(lengths):
        read, kept = by_loops(model, padded[:, n], length)
        read.sum().backward()
        for name, steps in kept.items():
            into = expected.setdefault(name, np.zeros((len(padded), len(lengths), len(steps[0]))))
            for t, h in enumerate(steps):
                into[t, n] = 0 if h.grad is None else h.grad.numpy()
    for name, values in expected.items():
        np.testing.assert_allclose(flow[name], values, rtol=0, atol=near * max(np.abs(values).max(), 1e-3))


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["LSTM", "GRU", "RNN"]),
    st.floats(0.5, 80.0),
    st.floats(-70.0, 70.0),
    st.integers(0, 10**6),
    st.integers(2, 6),
)
def test_saturated_gradients_are_those_of_700_digits(kind: str, gain: float, at: float, seed: int, steps: int) -> None:
    torch.manual_seed(seed)
    rnn: nn.RNNBase = getattr(nn, kind)(2, 2).double()
    with torch.no_grad():
        for name, parameter in rnn.named_parameters():
            parameter.mul_(gain)
            if name == "bias_ih_l0" and kind != "RNN":
                parameter[2:4] = at
    x = torch.randn(steps, 1, 2, dtype=torch.float64)
    flow, oracle = gradient_flow(rnn, x), Oracle(rnn, x[:, 0].numpy(), 700)
    for name in ("l0.h", "l0.c") if kind == "LSTM" else ("l0.h",):
        found, right = flow[name][:, 0], oracle.gradients(name, 2)
        # States are doubles: a pre-activation of hundreds is rounded by 1e-13 or so, and a slope by that relatively.
        np.testing.assert_allclose(found, right, rtol=1e-6, atol=1e-140)


def test_a_packed_sequence_alone_has_its_steps_where_any_other_has() -> None:
    torch.manual_seed(0)
    rnn: Any = nn.GRU(F, H).double()
    rnn.dtype_ = torch.float64
    model, x = Model(rnn, "steps"), torch.randn(5, 1, F, dtype=torch.float64)
    found = gradient_flow(model, pack_padded_sequence(x, [5]))["l0.h"]
    np.testing.assert_allclose(found, gradient_flow(model, x)["l0.h"], rtol=1e-12, atol=0)
    assert np.abs(found).min() > 0
