"""gradient_flow against autograd, in float64."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

import seqviz
from seqviz.gradients import connectivity, gradient_flow
from seqviz.gradients.clipping import clip_update

KINDS = ("LSTM", "GRU", "RNN_TANH", "RNN_RELU")
LENGTHS = [5, 9, 7]


def layer(kind: str, **options: Any) -> nn.RNNBase:
    torch.manual_seed(1)
    if kind.startswith("RNN"):
        return nn.RNN(4, 5, nonlinearity=kind[4:].lower(), **options).double()
    return getattr(nn, kind)(4, 5, **options).double()


def sample(steps: int = 9, batch: int = 3) -> Tensor:
    return torch.randn(steps, batch, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


def wavy(out: Any) -> Tensor:
    """A loss in which every output has a part of its own."""
    data = out.data if isinstance(out, nn.utils.rnn.PackedSequence) else out
    weights = torch.linspace(-1, 2, data.shape[-1], dtype=data.dtype)
    return (torch.sin(1.3 * data) * weights).sum()


def autograd(rnn: nn.RNNBase, x: Any, loss: Any, hx: Any = None) -> dict[str, np.ndarray]:
    """Gradients at every hook point of the instrumented twin: (L, N, H) by signal."""
    kept: dict[str, dict[int, Tensor]] = {}

    def keep(name: str) -> Any:
        def hook(_: nn.Module, args: Any, value: Tensor) -> Tensor:
            held = value if value.requires_grad else value.clone().requires_grad_()
            held.retain_grad()
            kept.setdefault(name, {})[args[1]] = held
            return held

        return hook

    twin = seqviz.instrument(rnn)
    for name, module in twin.named_modules():
        if type(module).__name__ == "HookPoint":
            module.register_forward_hook(keep(name))
    out, _ = twin(x) if hx is None else twin(x, hx)
    loss(out).backward()
    zero = lambda v: torch.zeros_like(v) if v.grad is None else v.grad  # noqa: E731
    return {name: torch.stack([zero(v[t]) for t in sorted(v)]).numpy() for name, v in kept.items()}


def close(found: np.ndarray, expected: np.ndarray) -> None:
    scale = np.abs(expected).max()
    assert scale > 0
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * scale)


VARIANTS = [
    (kind, layers, both, proj, packed)
    for kind, layers, both, proj, packed in itertools.product(KINDS, (1, 2, 3), (False, True), (0, 3), (False, True))
    if not proj or kind == "LSTM"
]


@pytest.mark.parametrize(("kind", "layers", "both", "proj", "packed"), VARIANTS)
def test_equals_autograd(kind: str, layers: int, both: bool, proj: int, packed: bool) -> None:
    options = {"num_layers": layers, "bidirectional": both} | ({"proj_size": proj} if proj else {})
    rnn = layer(kind, **options)
    x = pack_padded_sequence(sample(), LENGTHS, enforce_sorted=False) if packed else sample()
    flow = gradient_flow(rnn, x, loss=wavy)
    expected = autograd(rnn, x, wavy)
    assert {name for name in flow.arrays if not name.endswith("_pre")} >= {"x", "l0.h"}
    assert [*flow] == [*flow.arrays, *flow.initial]
    assert len(flow) == len([*flow])
    assert "l0.h_0" in flow
    assert "l9.h" not in flow
    valid = np.arange(9)[:, None, None] < np.array(LENGTHS)[None, :, None] if packed else np.ones((1, 1, 1))
    for name, array in flow.arrays.items():
        close(array * valid, expected[name] * valid)
        if packed:
            assert not (array * ~valid).any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("both", [False, True])
def test_weight_gradients_and_each_steps_share(kind: str, both: bool) -> None:
    rnn = layer(kind, num_layers=2, bidirectional=both)
    x = sample()
    flow = gradient_flow(rnn, x, loss=wavy)
    wavy(rnn(x)[0]).backward()
    for name, found in flow.weights.items():
        close(found, getattr(rnn, name).grad.numpy())
    trace = flow.trace
    blocks = [flow[f"l0.{b}_pre"] for b in seqviz.vocabulary.BLOCKS[kind]]
    outer = np.einsum("tng,tni->tgi", np.concatenate(blocks, axis=2), trace["x"])
    np.testing.assert_allclose(flow.shares["weight_ih_l0"], np.linalg.norm(outer, axis=(1, 2)), rtol=1e-10)


def test_a_loop_over_the_steps_of_an_lstm_cell() -> None:
    rnn = layer("LSTM")
    x = sample(batch=1)
    cell = nn.LSTMCell(4, 5).double()
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in rnn.state_dict().items()})
    h, c = torch.zeros(1, 5, dtype=torch.float64), torch.zeros(1, 5, dtype=torch.float64)
    hs, cs = [], []
    for t in range(len(x)):
        h, c = cell(x[t], (h, c))
        h.retain_grad()
        c.retain_grad()
        hs.append(h)
        cs.append(c)
    hs[-1].sum().backward()
    flow = gradient_flow(rnn, x)
    close(flow["l0.h"], np.stack([v.grad.numpy() for v in hs]))
    close(flow["l0.c"], np.stack([v.grad.numpy() for v in cs]))


@pytest.mark.parametrize("name", ["last", "sum", "mean"])
@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_our_networks_and_named_losses(kind: str, name: str) -> None:
    torch.manual_seed(3)
    net = getattr(seqviz, f"Sequence{kind}")(4, 5, 2, num_layers=2).double()
    x = sample().requires_grad_()
    y = net(x)
    {"last": y[-1].sum(), "sum": y.sum(), "mean": y.mean()}[name].backward()
    flow = gradient_flow(net, x.detach(), loss=name)
    assert x.grad is not None
    close(flow["x"], x.grad.numpy())
    assert flow.loss == pytest.approx({"last": y[-1].sum(), "sum": y.sum(), "mean": y.mean()}[name].item(), rel=1e-12)


class Classifier(nn.Module):
    """A user's model that reads the final states."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.LSTM(4, 5, num_layers=2, batch_first=True)
        self.head = nn.Linear(10, 3)

    def forward(self, x: Tensor) -> Tensor:
        _, (h, c) = self.encoder(x)
        return self.head(torch.cat([h[-1], c[-1]], dim=-1))


def test_a_model_that_reads_only_its_final_states() -> None:
    torch.manual_seed(4)
    model = Classifier().double()
    x = sample().transpose(0, 1).contiguous().requires_grad_()
    model(x)[:, 1].sum().backward()
    expected = {n: p.grad.clone() for n, p in model.encoder.named_parameters() if p.grad is not None}
    model.zero_grad()
    flow = gradient_flow(model, x.detach(), loss=lambda y: y[:, 1].sum())
    assert x.grad is not None
    close(flow["x"], x.grad.transpose(0, 1).numpy())
    for name, found in flow.weights.items():
        close(found, expected[name].numpy())
    assert all(p.grad is None for p in model.parameters())
    assert not model.encoder._forward_hooks


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_final_states_of_packed_sequences_from_given_states(kind: str) -> None:
    """Each direction ends, and starts, elsewhere in each sequence."""

    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = layer(kind, num_layers=2, bidirectional=True)

        def forward(self, x: Any, hx: Any) -> Tensor:
            out, states = self.rnn(x, hx)
            ends = torch.cat(states) if kind == "LSTM" else states
            return wavy(out) + wavy(ends * torch.linspace(1, 2, len(ends), dtype=ends.dtype)[:, None, None])

    model, x = Reader(), sample().requires_grad_()
    draw = torch.Generator().manual_seed(3)
    start = [torch.randn(4, 3, 5, dtype=torch.float64, generator=draw) for _ in range(2)]
    hx = tuple(start) if kind == "LSTM" else start[0]
    packed = pack_padded_sequence(x, LENGTHS, enforce_sorted=False)
    model(packed, hx).backward()
    flow = gradient_flow(model, packed, hx, loss=lambda total: total)
    assert x.grad is not None
    close(flow["x"], x.grad.numpy())
    for name, found in flow.weights.items():
        close(found, getattr(model.rnn, name).grad.numpy())


def test_given_states_unbatched_and_without_bias() -> None:
    rnn = layer("GRU", bias=False)
    x = sample()[:, 0]
    hx = torch.full((1, 5), 0.3, dtype=torch.float64)
    flow = gradient_flow(rnn, x, hx, loss=lambda out: wavy(out))
    expected = autograd(rnn, x[:, None], wavy, hx[:, None])
    close(flow["l0.h"], expected["l0.h"])


def test_the_random_state_is_left_alone() -> None:
    rnn = layer("LSTM")
    torch.manual_seed(7)
    before = torch.get_rng_state()
    gradient_flow(rnn, sample())
    assert torch.equal(before, torch.get_rng_state())


def test_connectivity_is_the_squared_gradient() -> None:
    rnn = layer("GRU")
    x = sample().requires_grad_()
    rnn(x)[0][6, :, 2].sum().backward()
    assert x.grad is not None
    close(connectivity(rnn, x.detach(), output=(6, 2)), (x.grad**2).sum(-1).numpy())
    assert not connectivity(rnn, x.detach(), output=(6, 2))[7:].any()
    with pytest.raises(ValueError, match="'last'"):
        connectivity(rnn, x.detach(), output="first")


def test_what_cannot_be_drawn_is_said() -> None:
    rnn = layer("LSTM")
    assert gradient_flow(rnn, sample()).problem == ""
    assert "loss is NaN" in gradient_flow(rnn, sample() * float("nan")).problem
    assert "0 everywhere" in gradient_flow(rnn, sample(), loss=lambda y: (0 * y).sum()).problem
    wild = layer("RNN_RELU")
    with torch.no_grad():
        wild.weight_hh_l0.copy_(torch.eye(5, dtype=torch.float64) * 1e200)
    assert gradient_flow(wild, sample(3) * 0 + 1e-300, loss=lambda y: y[-1].mul(1e-300).sum()).problem


class Calls(nn.Module):
    """Calls its layer so many times, each from a state of its own."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.rnn, self.times = nn.GRU(4, 5).double(), times

    def forward(self, x: Tensor) -> Tensor:
        return sum((self.rnn(k * x)[0] for k in range(self.times)), torch.zeros(()))


def test_a_layer_that_is_called_several_times_has_a_sequence_for_each() -> None:
    model, x = Calls(3), sample()
    flow = gradient_flow(model, x, loss=wavy)
    inputs = [(k * x).requires_grad_() for k in range(3)]
    wavy(sum(model.rnn(given)[0] for given in inputs)).backward()
    for prefix, given in zip(("", "rnn[1].", "rnn[2]."), inputs, strict=True):
        assert given.grad is not None
        close(flow[f"{prefix}x"], given.grad.numpy())
    with pytest.raises(ValueError, match="run called none"):
        gradient_flow(Calls(0), x, loss="sum")


def test_the_last_step_of_each_sequence_and_of_none() -> None:
    """``last`` where the output is packed, batch first, without a batch, or one answer for each sequence."""
    rnn = layer("GRU")
    packed = gradient_flow(rnn, pack_padded_sequence(sample(), LENGTHS, enforce_sorted=False))
    for k, steps in enumerate(LENGTHS):
        close(packed["l0.h"][:steps, k], gradient_flow(rnn, sample()[:steps, k])["l0.h"][:, 0])
    first = layer("GRU", batch_first=True)
    close(gradient_flow(first, sample().transpose(0, 1))["x"], gradient_flow(rnn, sample())["x"])
    torch.manual_seed(4)
    model = Classifier().double()
    x = sample().transpose(0, 1)
    close(gradient_flow(model, x)["x"], gradient_flow(model, x, loss=lambda y: y.sum())["x"])
    with pytest.raises(ValueError, match="no steps"):
        connectivity(model, x, output=(0, 0))


def test_a_padded_readout_of_a_packed_sequence_ends_where_each_sequence_does() -> None:
    class Padded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = layer("GRU")

        def forward(self, x: Any) -> Tensor:
            return nn.utils.rnn.pad_packed_sequence(self.rnn(x)[0])[0]

    x = pack_padded_sequence(sample(), LENGTHS, enforce_sorted=False)
    model = Padded()
    close(gradient_flow(model, x)["x"], gradient_flow(model.rnn, x)["x"])


def test_a_loss_without_a_gradient_is_said() -> None:
    flow = gradient_flow(layer("LSTM"), sample(), loss=lambda y: torch.tensor(3.0))
    assert "0 everywhere" in flow.problem
    assert flow.loss == 3.0
    assert not flow["l0.c"].any()


def test_a_run_that_draws_random_numbers_is_one_run() -> None:
    """Dropout in the head: the loss and the trace see the same mask, and the state moves on as one call moves it."""

    class Dropped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.drop, self.rnn = nn.Dropout(0.5), layer("GRU")

        def forward(self, x: Tensor) -> Tensor:
            return self.rnn(self.drop(x))[0]

    model, x = Dropped(), sample()
    torch.manual_seed(7)
    flow = gradient_flow(model, x, loss="sum")
    after = torch.get_rng_state()
    torch.manual_seed(7)
    assert flow.loss == pytest.approx(float(model(x).sum().detach()), rel=1e-12)
    assert torch.equal(after, torch.get_rng_state())
    assert flow.loss == pytest.approx(flow.trace["l0.h"].sum(), rel=1e-12)


def test_the_processors_way_with_tiny_numbers_is_left_as_it_was() -> None:
    tiny = np.full(3, 1e-40, dtype=np.float32)
    for wanted in (True, False):
        torch.set_flush_denormal(wanted)
        try:
            gradient_flow(layer("LSTM"), sample())
            assert (tiny * np.float32(0.5)).any() != wanted
        finally:
            torch.set_flush_denormal(False)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("shrunk", [0.3, 0.6])
def test_what_vanishes_in_float32_vanishes_as_torchs_own_does(kind: str, shrunk: float) -> None:
    """Down to the smallest number above 0, through those that have lost their digits."""
    torch.manual_seed(0)
    rnn, x = getattr(nn, kind)(1, 8), torch.randn(200, 1, 1)
    with torch.no_grad():
        rnn.weight_hh_l0.mul_(shrunk)
        if kind != "RNN":
            rnn.bias_ih_l0[8:16] -= 2.0  # the gate that keeps is shut
    flow, state, kept = gradient_flow(rnn, x), None, []
    for given in x.split(1):
        _, state = rnn(given, state)
        kept.append(state[0] if kind == "LSTM" else state)
        kept[-1].retain_grad()
    kept[-1].sum().backward()
    right = np.array([0.0 if h.grad is None else float(h.grad.double().norm()) for h in kept])
    np.testing.assert_allclose(flow.norms("l0.h"), right, rtol=1e-3, atol=2e-43)
    tiny = (right < 1e-38) & (right > 1e-42)
    assert tiny.any()
    assert flow.norms("l0.h")[tiny].all()


def test_the_result_is_a_value() -> None:
    flow = gradient_flow(layer("LSTM"), sample())
    with pytest.raises(ValueError, match="read-only"):
        flow["l0.h"][0] = 0.0
    assert len(repr(flow)) < 200
    assert flow != gradient_flow(layer("LSTM"), sample())


def test_connectivity_of_a_batch_first_layer_and_a_packed_one() -> None:
    rnn, first = layer("GRU"), layer("GRU", batch_first=True)
    expected = connectivity(rnn, sample(), output=(4, 2))
    close(connectivity(first, sample().transpose(0, 1), output=(4, 2)), expected)
    packed = pack_padded_sequence(sample(), LENGTHS, enforce_sorted=False)
    close(connectivity(rnn, packed, output=(4, 2)), expected)
    with pytest.raises(ValueError, match="steps 0 to 8 and units 0 to 4; step 9, unit 2"):
        connectivity(rnn, sample(), output=(9, 2))
    with pytest.raises(ValueError, match="loss is NaN"):
        connectivity(rnn, sample() * float("nan"))


def test_connectivity_holds_squares_that_float32_does_not() -> None:
    torch.manual_seed(0)
    found = connectivity(nn.RNN(1, 8), torch.randn(120, 1, 1))
    small = found[(found > 0) & (found < 1e-46)]
    assert small.size


def test_bad_requests_get_a_sentence() -> None:
    rnn = layer("LSTM", num_layers=2, dropout=0.5)
    with pytest.raises(ValueError, match=r"call module\.eval\(\)"):
        gradient_flow(rnn, sample())
    rnn.eval()
    with pytest.raises(ValueError, match="not 'first'"):
        gradient_flow(rnn, sample(), loss="first")
    with pytest.raises(ValueError, match="one number"):
        gradient_flow(rnn, sample(), loss=lambda y: y)
    with pytest.raises(ValueError, match=r"contains no nn\.RNN"):
        gradient_flow(nn.Linear(2, 2), sample())
    with pytest.raises(KeyError, match=r"l0\.h"):
        gradient_flow(rnn, sample())["nothing"]


def test_float64_sees_what_float32_loses() -> None:
    torch.manual_seed(0)
    net = seqviz.SequenceRNN(1, 8, 1)
    x = torch.randn(400, 1, 1)
    assert gradient_flow(net, x).norms("l0.h")[0] == 0.0
    assert 0.0 < gradient_flow(net, x, dtype=torch.float64).norms("l0.h")[0] < 1e-45


def test_clipping_is_torchs() -> None:
    rnn = layer("RNN_TANH")
    x = sample()
    flow = gradient_flow(rnn, x, loss=lambda y: 100 * wavy(y))
    (100 * wavy(rnn(x)[0])).backward()
    matrices = [rnn.weight_ih_l0, rnn.weight_hh_l0]
    before = torch.cat([p.grad.flatten() for p in matrices])
    total = nn.utils.clip_grad_norm_(matrices, 1.0)
    after = torch.cat([p.grad.flatten() for p in matrices])
    update = clip_update(flow, max_norm=1.0, max_value=0.5)
    assert update.norm == pytest.approx(float(total), rel=1e-10)
    assert update.by_norm == pytest.approx(float(after.norm()), rel=1e-10)
    assert update.cosine_by_norm == pytest.approx(1.0, abs=1e-12)
    assert update.by_value == pytest.approx(float(before.clamp(-0.5, 0.5).norm()), rel=1e-10)
    assert 0 < update.cosine_by_value < 1 - 1e-6


PROJECTED = [*((kind, 0) for kind in KINDS), ("LSTM", 3)]


@pytest.mark.parametrize("kind", ["GRU", "RNN_TANH", "RNN_RELU"])
def test_a_loop_over_the_steps_of_a_cell_without_a_cell_state(kind: str) -> None:
    rnn, x = layer(kind), sample()
    cell = nn.GRUCell(4, 5) if kind == "GRU" else nn.RNNCell(4, 5, nonlinearity=kind[4:].lower())
    cell.double().load_state_dict({k.removesuffix("_l0"): v for k, v in rnn.state_dict().items()})
    h, hs = torch.zeros(3, 5, dtype=torch.float64), []
    for given in x:
        h = cell(given, h)
        h.retain_grad()
        hs.append(h)
    torch.stack(hs).square().mean().backward()
    flow = gradient_flow(rnn, x, loss=lambda out: out.square().mean())
    close(flow["l0.h"], torch.stack([v.grad for v in hs if v.grad is not None]).numpy())
    close(flow.weights["weight_hh_l0"], cell.weight_hh.grad.numpy())


@pytest.mark.parametrize(("kind", "proj"), PROJECTED)
@pytest.mark.parametrize("shape", ["time first", "batch first", "unbatched"])
def test_given_states_without_bias_in_every_shape(kind: str, proj: int, shape: str) -> None:
    options: dict[str, Any] = {"num_layers": 2, "bias": False} | ({"proj_size": proj} if proj else {})
    rnn, turned = layer(kind, **options), layer(kind, **options, batch_first=shape == "batch first")
    x = sample(batch=1 if shape == "unbatched" else 3)
    draw = torch.Generator().manual_seed(5)
    wide = [proj or 5, 5] if kind == "LSTM" else [5]
    start = [torch.randn(2, x.shape[1], width, dtype=torch.float64, generator=draw) for width in wide]
    pair = lambda parts: tuple(parts) if kind == "LSTM" else parts[0]  # noqa: E731
    expected = autograd(rnn, x, wavy, pair(start))
    given = {"time first": x, "batch first": x.transpose(0, 1), "unbatched": x[:, 0]}[shape]
    states = [s[:, 0] for s in start] if shape == "unbatched" else start
    flow = gradient_flow(turned, given, pair(states), loss=wavy)
    assert len(flow.arrays) > 4
    for name, array in flow.arrays.items():
        close(array, expected[name])


@pytest.mark.parametrize(("kind", "proj"), PROJECTED)
@pytest.mark.parametrize("batch", [1, 3])
def test_shares_are_the_norms_of_what_each_step_adds(kind: str, proj: int, batch: int) -> None:
    """Each step's share by autograd: a layer whose weights are a leaf of their own at that step alone."""
    rnn = layer(kind, **({"proj_size": proj} if proj else {}))
    x = sample(steps=6, batch=batch)
    leaves = [{n: p.detach().clone().requires_grad_() for n, p in rnn.named_parameters()} for _ in x]
    state, outs = None, []
    for given, own in zip(x, leaves, strict=True):
        out, state = torch.func.functional_call(rnn, own, (given[None], state))
        outs.append(out)
    wavy(torch.cat(outs)).backward()
    flow = gradient_flow(rnn, x, loss=wavy)
    assert set(flow.shares) == set(flow.weights) == set(leaves[0])
    for name, found in flow.shares.items():
        parts = [own[name].grad for own in leaves]
        close(found, np.array([float(part.norm()) for part in parts if part is not None]))
        close(flow.weights[name], sum(part for part in parts if part is not None).numpy())


@pytest.mark.parametrize("training", [False, True])
def test_a_module_is_left_as_it_was(training: bool) -> None:
    model = Classifier().double().train(training)
    model.encoder.weight_ih_l0.grad = torch.full_like(model.encoder.weight_ih_l0, 7.0)
    model.head.weight.requires_grad_(False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        flow = gradient_flow(model, sample().transpose(0, 1))
        assert not torch.is_grad_enabled()
    assert flow["x"].any()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(m.training == training for m in model.modules())
    assert not any(m._forward_hooks or m._forward_pre_hooks or m._backward_hooks for m in model.modules())
    assert model.encoder.weight_ih_l0.grad.eq(7.0).all()
    assert [n for n, p in model.named_parameters() if p.grad is not None] == ["encoder.weight_ih_l0"]
    assert [n for n, p in model.named_parameters() if not p.requires_grad] == ["head.weight"]


def test_a_failing_module_is_left_as_it_was_too() -> None:
    def refuse(_: Tensor) -> Tensor:
        raise RuntimeError("no loss today")

    model = Classifier().double()
    with pytest.raises(RuntimeError, match="no loss today"):
        gradient_flow(model, sample().transpose(0, 1), loss=refuse)
    with pytest.raises(ValueError, match="the layer takes 4"):
        gradient_flow(model, sample()[..., :2])
    assert torch.is_grad_enabled()
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_an_overflow_on_the_way_back_is_said_in_its_own_sentence() -> None:
    rnn = layer("RNN_RELU")
    with torch.no_grad():
        rnn.weight_hh_l0.copy_(torch.eye(5, dtype=torch.float64) * 1e200)
        rnn.weight_ih_l0.fill_(1e-300)
        rnn.bias_ih_l0.zero_()
        rnn.bias_hh_l0.zero_()
    start = torch.full((1, 1, 5), 1e-300, dtype=torch.float64)
    flow = gradient_flow(rnn, torch.zeros(2, 1, 4, dtype=torch.float64), start, loss=lambda y: 1e200 * y[-1].sum())
    assert np.isfinite(flow.loss)
    assert "overflowed to infinity on its way back" in flow.problem
    with pytest.raises(ValueError, match="output"):
        connectivity(rnn, torch.zeros(2, 1, 4, dtype=torch.float64), output=(0, 9))


@pytest.mark.parametrize("kind", KINDS)
def test_a_length_of_one(kind: str) -> None:
    rnn, x = layer(kind), sample(steps=1)
    flow = gradient_flow(rnn, x, loss=wavy)
    close(flow["l0.h"], autograd(rnn, x, wavy)["l0.h"])
    assert not flow.weights["weight_hh_l0"].any()
    assert flow.problem == ""


def test_another_precision_runs_a_copy() -> None:
    model, x = Classifier(), sample().transpose(0, 1).float()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    flow = gradient_flow(model, x, dtype=torch.float64)
    assert flow["x"].dtype == np.float64
    assert all(p.dtype == torch.float32 and torch.equal(p, before[n]) for n, p in model.named_parameters())
    close(flow["x"], gradient_flow(model.double(), x.double())["x"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch", [1, 3])
def test_shares_of_a_reverse_direction_stand_at_their_steps(kind: str, batch: int) -> None:
    rnn, x = layer(kind, bidirectional=True), sample(batch=batch)
    flow = gradient_flow(rnn, x, loss=wavy)
    for end in ("l0", "l0_reverse"):
        pre = np.concatenate([flow[f"{end}.{b}_pre"] for b in seqviz.vocabulary.BLOCKS[kind]], axis=2)
        outer = np.einsum("tng,tni->tgi", pre, x.numpy())
        np.testing.assert_allclose(flow.shares[f"weight_ih_{end}"], np.linalg.norm(outer, axis=(1, 2)), rtol=1e-9)


@pytest.mark.parametrize("which", [0, 1])
def test_what_reaches_the_final_hidden_or_cell_states_alone(which: int) -> None:
    class Ends(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = layer("LSTM", num_layers=2)

        def forward(self, x: Tensor) -> Tensor:
            return wavy(self.rnn(x)[1][which])

    model, x = Ends(), sample().requires_grad_()
    model(x).backward()
    assert x.grad is not None
    close(gradient_flow(model, x.detach(), loss=lambda total: total)["x"], x.grad.numpy())
