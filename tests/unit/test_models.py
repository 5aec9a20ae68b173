"""Other people's models: cells in loops, several stacks, outputs of any shape; against autograd on the same model."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given as drawing
from hypothesis import settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils import parametrizations
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.utils.checkpoint import checkpoint

import seqviz
from seqviz import Ablate, Clamp, Scale, capture, connectivity, gradient_flow
from seqviz.experiment.interventions import apply

L, N, F, H = 9, 3, 4, 5


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def seeded(make: Callable[[], nn.Module]) -> Any:
    torch.manual_seed(0)
    return make().double()


def close(found: Any, expected: Any, scale: float = 1e-9) -> None:
    expected = np.asarray(expected)
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(found, expected, rtol=0, atol=scale * np.abs(expected).max())


def at_the_input(model: nn.Module, x: Tensor, loss: Callable[[Any], Tensor]) -> np.ndarray:
    """dL/dx by autograd."""
    x = x.clone().requires_grad_()
    (found,) = torch.autograd.grad(loss(model(x)), x)
    return found.numpy()


class Loop(nn.Module):
    """A cell, or a layer that takes some steps at a time, in a loop."""

    def __init__(self, kind: str, chunk: int = 1, detach: bool = False) -> None:
        super().__init__()
        self.inner: Any = getattr(nn, kind)(F, H)
        self.chunk, self.detach = chunk, detach

    def forward(self, x: Tensor) -> Tensor:
        state, outs = None, []
        for part in x if isinstance(self.inner, nn.RNNCellBase) else x.split(self.chunk):
            found = self.inner(part, state)
            if isinstance(self.inner, nn.RNNCellBase):
                out, state = (found[0] if isinstance(found, tuple) else found)[None], found
            else:
                out, state = found
            if self.detach:
                state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
            outs.append(out)
        return torch.cat(outs)


@pytest.mark.parametrize("detach", [False, True])
@pytest.mark.parametrize(
    ("kind", "chunk"),
    [("LSTMCell", 1), ("GRUCell", 1), ("RNNCell", 1), ("LSTM", 1), ("GRU", 4), ("RNN", 2), ("LSTM", 9)],
)
def test_one_sequence_in_several_calls_is_one_sequence(kind: str, chunk: int, detach: bool) -> None:
    model, x = seeded(lambda: Loop(kind, chunk, detach)), drawn(L, N, F)
    whole = getattr(nn, kind.removesuffix("Cell"))(F, H).double()
    ends = "_l0" if kind.endswith("Cell") else ""
    whole.load_state_dict({f"{name}{ends}": value for name, value in model.inner.state_dict().items()})
    flow, expected = gradient_flow(model, x), capture(whole, x)
    assert flow.trace.signals == expected.signals
    for name in expected.signals:
        close(flow.trace[name], expected[name])
    assert flow.trace.parity < 1e-12
    assert flow.trace.lengths == (L,) * N
    close(flow["x"], at_the_input(model, x, lambda y: y[-1].sum()))
    assert flow["x"][0].any() == (not detach or chunk == 9)
    model.zero_grad()
    model(x)[-1].sum().backward()
    for name, parameter in model.inner.named_parameters():
        close(flow.weights[f"{name}{ends}"], parameter.grad)


@pytest.mark.parametrize("kind", ["LSTMCell", "GRU"])
def test_edits_act_at_the_steps_of_the_whole_sequence(kind: str) -> None:
    model, x = seeded(lambda: Loop(kind)), drawn(L, N, F)
    gate = "f" if kind == "LSTMCell" else "z"
    edits = [Clamp(f"l0.{gate}", 1.0, steps=[2, slice(5, 8)]), Scale("l0.h", 0.5, units=1, steps=(4, None))]
    trace = capture(model, x, interventions=edits)
    whole = getattr(nn, kind.removesuffix("Cell"))(F, H).double()
    ends = "_l0" if kind.endswith("Cell") else ""
    whole.load_state_dict({f"{name}{ends}": value for name, value in model.inner.state_dict().items()})
    expected = capture(whole, x, interventions=edits)
    for name in expected.signals:
        close(trace[name], expected[name])
    close(gradient_flow(model, x, interventions=edits)["l0.h"], gradient_flow(whole, x, interventions=edits)["l0.h"])
    held = (trace[f"l0.{gate}"] == 1).all(axis=(1, 2))
    assert held.tolist() == [t in (2, 5, 6, 7) for t in range(L)]
    with pytest.raises(ValueError, match="from the start"):
        capture(model, x, interventions=[Ablate("l0.h", steps=-1)])
    with pytest.raises(ValueError, match="steps 0 to 8; step 9"):
        capture(model, x, interventions=[Ablate("l0.h", steps=9)])


def test_calls_that_do_not_follow_each_other_are_not_one_sequence() -> None:
    class Reordered(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.GRUCell(F, H)

        def forward(self, x: Tensor) -> Tensor:
            h = x.new_zeros(N, H)
            for given in x:
                h = self.cell(given, h)[torch.tensor([1, 0, 2])]
            return h

    model, x = seeded(Reordered), drawn(4, N, F)
    flow = gradient_flow(model, x)
    assert list(flow.trace.modes) == ["", "cell[1]", "cell[2]", "cell[3]"]
    close(np.concatenate([flow[f"{p}x"] for p in ("", "cell[1].", "cell[2].", "cell[3].")]),
          at_the_input(model, x, lambda y: y.sum()))  # fmt: skip


def test_independent_runs_that_begin_and_end_at_zero_stay_apart() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.LSTM(F, H, bias=False)

        def forward(self, x: Tensor) -> Tensor:
            zero = (x.new_zeros(1, N, H), x.new_zeros(1, N, H))
            return self.rnn(0 * x, zero)[0] + self.rnn(x, (zero[0].clone(), zero[1].clone()))[0]

    assert list(capture(seeded(Twice), drawn(L, N, F)).modes) == ["", "rnn[1]"]


def test_a_batch_that_shrinks_as_its_sequences_end() -> None:
    class Shrinking(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.LSTMCell(F, H)

        def forward(self, x: Tensor) -> Tensor:
            h = c = x.new_zeros(N, H)
            outs = []
            for t, count in enumerate([3, 3, 3, 3, 2, 2, 1, 1, 1]):
                h, c = self.cell(x[t, :count], (h[:count], c[:count]))
                outs.append(torch.cat([h, h.new_zeros(N - count, H)]))
            return torch.stack(outs)

    model, x = seeded(Shrinking), drawn(L, N, F)
    flow = gradient_flow(model, x)
    assert flow.trace.lengths == (9, 6, 4)
    assert flow.trace["l0.c"].shape == (L, N, H)
    ends = torch.tensor([8, 5, 3])
    close(flow["x"], at_the_input(model, x, lambda y: y[ends, torch.arange(N)].sum()))


class Attending(nn.Module):
    """An encoder, and a decoder that looks at all of its steps before each of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = nn.GRU(F, H, batch_first=True), nn.GRU(F + H, H, batch_first=True)
        self.fc = nn.Linear(H, 6)

    def forward(self, x: Tensor, y: Tensor, *, scale: float = 1.0) -> Tensor:
        seen, h = self.encoder(x)
        outs = []
        for given in y.unbind(1):
            weight = torch.softmax((h[0][:, None] * seen).sum(-1), -1)
            context = (weight[..., None] * seen).sum(1)
            out, h = self.decoder(torch.cat([given, context], -1)[:, None], h)
            outs.append(scale * self.fc(out[:, 0]))
        return torch.stack(outs, 1)


def test_gradients_go_from_a_decoder_to_an_encoder() -> None:
    model, x, y = seeded(Attending), drawn(N, L, F), drawn(N, 6, F, seed=1)
    flow = gradient_flow(model, x, y, kwargs={"scale": 2.0})
    expected = at_the_input(lambda given: model(given, y, scale=2.0), x, lambda out: out[:, -1].sum())  # type: ignore[arg-type]
    close(flow["encoder.x"], expected.transpose(1, 0, 2))
    assert flow["decoder.l0.h"].shape == (6, N, H)
    alone = gradient_flow(model, x, y, modules="encoder", kwargs={"scale": 2.0})
    close(alone["x"], flow["encoder.x"])
    assert set(alone.trace.modes) == {""}
    close(connectivity(model, x, y, output=(5, 2), modules="encoder") ** 0.5,
          np.linalg.norm(at_the_input(lambda g: model(g, y), x, lambda o: o[:, 5, 2].sum()), axis=2).T)  # type: ignore[arg-type]  # fmt: skip


SHAPES: dict[str, tuple[Callable[[Tensor], Any], Callable[[Any], Tensor]]] = {
    "time first": (lambda o: o, lambda y: y[-1].sum()),
    "batch first": (lambda o: o.transpose(0, 1), lambda y: y[:, -1].sum()),
    "time last": (lambda o: o.permute(1, 2, 0), lambda y: y[..., -1].sum()),
    "flat": (lambda o: o.reshape(-1, H), lambda y: y.reshape(-1, y.shape[0] // N * 0 + N, H)[-1].sum()),
    "flat, batch first": (lambda o: o.transpose(0, 1).reshape(-1, H), lambda y: y.reshape(N, -1, H)[:, -1].sum()),
    "no units": (lambda o: o[..., 0], lambda y: y[-1].sum()),
    "last step": (lambda o: o[-1], lambda y: y.sum()),
    "mean": (lambda o: o.mean(0), lambda y: y.sum()),
    "a class for each step": (lambda o: o[-1] @ o.new_ones(H, len(o)), lambda y: y.sum()),
    "one number": (lambda o: o.square().sum(), lambda y: y.sum()),
    "list of steps": (lambda o: list(o.unbind(0)), lambda y: y[-1].sum()),
    "pair": (lambda o: (o, o[-1:]), lambda y: y[0][-1].sum()),
    "dict": (lambda o: {"y": o}, lambda y: y["y"][-1].sum()),
}


class Shaped(nn.Module):
    def __init__(self, shape: Callable[[Tensor], Any], **options: Any) -> None:
        super().__init__()
        self.rnn, self.shape = nn.GRU(F, H, **options), shape

    def forward(self, x: Any) -> Any:
        return self.shape(self.rnn(x)[0])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("steps", [1, 3, 9])
def test_the_last_step_is_found_in_an_output_of_any_shape(shape: str, steps: int) -> None:
    """Three steps of a batch of three: no size tells them apart, only the graph does."""
    turn, last = SHAPES[shape]
    model, x = seeded(lambda: Shaped(turn)), drawn(steps, N, F)
    close(gradient_flow(model, x)["x"], at_the_input(model, x, last))


def test_an_output_at_a_step_is_that_step() -> None:
    model, x = seeded(lambda: Shaped(lambda o: o.transpose(0, 1))), drawn(N, N, F)
    for step in range(N):
        flow = gradient_flow(model, x, loss=(step, 1))
        close(flow["x"], at_the_input(model, x, lambda y, t=step: y[:, t, 1].sum()))
        assert not flow["x"][step + 1 :].any()


def test_rows_of_a_packed_output() -> None:
    class Rows(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.GRU(F, H)

        def forward(self, x: Tensor) -> Tensor:
            return self.rnn(pack_padded_sequence(x, [5, 9, 7], enforce_sorted=False))[0].data

    model, x = seeded(Rows), drawn(L, N, F)

    def padded(given: Tensor) -> Tensor:
        return pad_packed_sequence(model.rnn(pack_padded_sequence(given, [5, 9, 7], enforce_sorted=False))[0])[0]

    ends = torch.tensor([4, 8, 6])
    expected = at_the_input(padded, x, lambda y: y[ends, torch.arange(N)].sum())  # type: ignore[arg-type]
    close(gradient_flow(model, x)["x"], expected)


def test_what_cannot_be_told_is_asked_for() -> None:
    model, x = seeded(lambda: Shaped(lambda o: o[::2])), drawn(L, N, F)
    with pytest.raises(ValueError, match="time_axis="):
        gradient_flow(model, x)
    close(gradient_flow(model, x, time_axis=0)["x"], at_the_input(model, x, lambda y: y[-1].sum()))
    with pytest.raises(ValueError, match=r"time_axis must be an axis.*got 7"):
        gradient_flow(model, x, time_axis=7)


@dataclasses.dataclass
class Output:
    hidden: Tensor
    logits: Tensor


@pytest.mark.parametrize("output", ["logits", lambda found: found.logits])
def test_a_part_of_the_output_is_picked(output: Any) -> None:
    model, x = seeded(lambda: Shaped(lambda o: Output(o[-1], 2 * o))), drawn(L, N, F)
    close(gradient_flow(model, x, output=output)["x"], at_the_input(model, x, lambda y: y.logits[-1].sum()))
    with pytest.raises(ValueError, match=r"a Output; say with output=.*It has 'hidden', 'logits'"):
        gradient_flow(model, x)
    with pytest.raises(ValueError, match="has no 'y'"):
        gradient_flow(model, x, output="y")


SIGNALS = {"LSTM": "i f g o c h f_pre g_ih o_hh", "GRU": "r z n h n_pre n_hh z_ih", "RNN": "h h_pre h_ih h_hh"}


@settings(max_examples=60)
@drawing(kind=st.sampled_from(sorted(SIGNALS)), both=st.booleans(), layers=st.integers(1, 2), data=st.data())
def test_gradients_of_an_edited_network(kind: str, both: bool, layers: int, data: Any) -> None:
    rnn: Any = seeded(lambda: getattr(nn, kind)(F, H, layers, bidirectional=both))
    ends = [f"l{k}{way}" for k in range(layers) for way in (("", "_reverse") if both else ("",))]
    names = ["x", *(f"{end}.{name}" for end in ends for name in SIGNALS[kind].split())]
    edits: list[Any] = []
    for name in data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=4)):
        start = data.draw(st.integers(0, 6))
        steps = data.draw(st.sampled_from([None, start, [start, slice(7, 9)], (start, None)]))
        units = data.draw(st.sampled_from([None, 1, [0, 2]]))
        edits.append(data.draw(st.sampled_from([Clamp(name, 0.3, units, steps), Scale(name, -1.5, units, steps)])))  # type: ignore[arg-type]
    x = drawn(L, N, F).requires_grad_()
    twin = seqviz.instrument(rnn)
    for name in {edit.signal for edit in edits}:
        mine = [edit for edit in edits if edit.signal == name]
        hook = lambda point, args, value, mine=mine: apply(mine, value, args[1], L)  # noqa: E731
        twin.get_submodule(name).register_forward_hook(hook)
    start = tuple(drawn(layers * (1 + both), N, H, seed=k).requires_grad_() for k in range(2 if kind == "LSTM" else 1))
    out, _ = twin(x, start if kind == "LSTM" else start[0])
    (out[-1].sin().sum() + 0 * sum(part.sum() for part in (x, *start))).backward()
    hx = [s.detach() for s in start]
    flow = gradient_flow(rnn, x.detach(), tuple(hx) if kind == "LSTM" else hx[0], lambda y: y[-1].sin().sum(),
                         interventions=edits)  # fmt: skip
    under = flow["x"].copy()
    for t in range(L):
        one = torch.ones(1, F, dtype=torch.float64)
        mine = [edit for edit in edits if edit.signal == "x"]
        under[t] *= (apply(mine, one, t, L) - apply(mine, 0 * one, t, L)).numpy()
    np.testing.assert_allclose(under, x.grad, rtol=0, atol=1e-10)
    for k, end in enumerate(ends):
        for state, name in zip(start, ("h_0", "c_0"), strict=False):
            grad = torch.zeros_like(state) if state.grad is None else state.grad
            np.testing.assert_allclose(flow[f"{end}.{name}"], grad[k], rtol=0, atol=1e-10)


class Counting(nn.Module):
    """Everything about it changes with a call."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.drop = nn.BatchNorm1d(F), nn.Dropout(0.3)
        self.rnn = parametrizations.spectral_norm(nn.LSTM(F, H), "weight_hh_l0")
        self.calls, self.state = 0, None

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        out, state = self.rnn(self.drop(self.norm(x.transpose(1, 2)).transpose(1, 2)), self.state)
        self.state = tuple(s.detach() for s in state)
        return out


@pytest.mark.parametrize(
    "run",
    [
        capture,
        gradient_flow,
        lambda m, x: capture(m, x, interventions=[Ablate("l0.f", steps=2)]),
        lambda m, x: connectivity(m, x, output=(3, 0)),
    ],
)
def test_a_call_changes_what_one_ordinary_call_changes(run: Callable[..., Any]) -> None:
    (ordinary, ours), x = (seeded(Counting).train() for _ in range(2)), drawn(L, N, F)
    torch.manual_seed(3)
    ordinary(x)
    after = torch.get_rng_state()
    torch.manual_seed(3)
    run(ours, x)
    assert torch.equal(torch.get_rng_state(), after)
    assert ours.calls == 1
    for name, value in ordinary.state_dict().items():
        assert torch.equal(ours.state_dict()[name], value), name
    if run in (capture, gradient_flow):
        assert all(torch.equal(a, b) for a, b in zip(ours.state, ordinary.state, strict=True))
    assert all(p.grad is None for p in ours.parameters())


def test_another_thread_may_train_the_module_meanwhile() -> None:
    """Its gradients are all there, and each of ours is of weights that were the layer's at one time."""
    model, x = seeded(lambda: Shaped(lambda o: o)), drawn(L, N, F)
    stop, missed, errors = threading.Event(), [], []

    def train() -> None:
        try:
            while not stop.is_set():
                model.zero_grad()
                model(x).sum().backward()
                missed.extend(name for name, p in model.named_parameters() if p.grad is None)
                with torch.no_grad():
                    for p in model.parameters():
                        p.mul_(0.9999)
                assert torch.is_grad_enabled()
        except Exception as error:  # noqa: BLE001  (told in the test's own thread)
            errors.append(error)

    thread = threading.Thread(target=train)
    thread.start()
    try:
        flows = [gradient_flow(model, x) for _ in range(25)]
    finally:
        stop.set()
        thread.join()
    assert not errors
    assert not missed
    assert all(flow.trace.parity < 1e-12 and not flow.problem for flow in flows)


@pytest.mark.parametrize(
    "change",
    [
        lambda rnn: parametrizations.weight_norm(rnn, "weight_hh_l0"),
        lambda rnn: torch.nn.utils.weight_norm(rnn, "weight_hh_l0"),
        lambda rnn: parametrizations.spectral_norm(rnn, "weight_ih_l0").eval(),
        lambda rnn: parametrizations.orthogonal(rnn, "weight_hh_l0"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_made_weights_in_another_precision(change: Callable[[nn.Module], nn.Module]) -> None:
    torch.manual_seed(0)
    model, x = change(nn.RNN(F, H)), drawn(L, N, F).float()
    model(x)
    flow = gradient_flow(model, x, dtype=torch.float64)
    assert flow["x"].dtype == np.float64
    close(flow["x"], at_the_input(model, x, lambda out: out[0][-1].sum()), 1e-5)


class Shifted(nn.LSTM):
    def forward(self, x: Tensor, hx: Any = None) -> Any:
        out, states = super().forward(2 * x, hx)
        return out + 0.25, states


def test_a_layer_that_does_something_of_its_own_is_seen_from_inside() -> None:
    rnn, x = seeded(lambda: Shifted(F, H)), drawn(L, N, F)
    plain = nn.LSTM(F, H).double()
    plain.load_state_dict(rnn.state_dict())
    trace, expected = capture(rnn, x), capture(plain, 2 * x)
    for name in expected.signals:
        close(trace[name], expected[name])
    assert "changes its input" in trace.problem
    assert "changes its output" in trace.problem
    assert trace.parity == pytest.approx(0.25)
    assert "problem=" in repr(trace)
    assert capture(plain, x).problem == ""


def test_a_layer_that_changed_while_it_ran_is_said() -> None:
    class Lying(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.GRU(F, H)

        def forward(self, x: Tensor) -> Tensor:
            return self.rnn(x)[0]

    model, x = Lying(), drawn(L, N, F).float()
    assert capture(model, x).problem == ""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert "bfloat16" in capture(model, x).problem


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize(("steps", "size", "gain"), [(2000, 8, 1.0), (60, 512, 1.0), (300, 64, 4.0), (50, 16, 40.0)])
def test_a_healthy_network_raises_no_alarm(kind: str, steps: int, size: int, gain: float) -> None:
    torch.manual_seed(0)
    rnn = getattr(nn, kind)(3, size, 2)
    with torch.no_grad():
        for p in rnn.parameters():
            p.mul_(gain)
    assert capture(rnn, 3 * torch.randn(steps, 2, 3)).problem == ""


def test_where_nan_and_infinity_entered() -> None:
    rnn, x = nn.LSTM(F, H), torch.randn(L, N, F)
    bad = x.clone()
    bad[3, 1, 2] = float("nan")
    assert capture(rnn, bad).problem == "The input holds NaN at step 3, batch element 1, feature 2."
    assert "The input holds NaN at step 3" in gradient_flow(rnn, bad).problem
    bad[3, 1, 2] = float("inf")
    assert capture(rnn, bad).problem == "The input holds infinity at step 3, batch element 1, feature 2."
    state = torch.zeros(1, N, H)
    state[0, 2, 4] = float("nan")
    said = capture(rnn, x, (torch.zeros(1, N, H), state)).problem
    assert said == "The initial state l0.c_0 holds NaN at batch element 2, unit 4."
    wild = nn.RNN(1, 2, nonlinearity="relu", bias=False)
    with torch.no_grad():
        wild.weight_hh_l0.copy_(torch.eye(2) * 1e20)
        wild.weight_ih_l0.fill_(1.0)
    assert "l0.h becomes infinite at step 2, batch element 0, unit 0" in capture(wild, torch.ones(5, 1, 1)).problem
    with torch.no_grad():
        rnn.weight_hh_l0[7, 3] = float("nan")
    assert capture(rnn, x).problem.startswith("weight_hh_l0 holds NaN at [7, 3]")


def test_what_is_not_torchs_is_named() -> None:
    class MambaBlock(nn.Module):
        pass

    with pytest.raises(ValueError, match="It has 0: MambaBlock, which are none of torch's"):
        capture(nn.Sequential(MambaBlock()), drawn(L, N, F))
    with pytest.raises(ValueError, match="scripted and runs where no hook reaches: rnn: GRU"):
        capture(torch.jit.script(ScriptMe()), drawn(L, N, F))


class ScriptMe(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(F, H)

    def forward(self, x: Tensor) -> Tensor:
        return self.rnn(x)[0]


@pytest.mark.parametrize(
    "wrong",
    [{"interventions": 5}, {"modules": 3}, {"kwargs": 3}, {"interventions": ["l0.f"]}, {"modules": [4]}, {"hx": "h"}],
)
def test_arguments_of_the_wrong_type_get_a_sentence(wrong: dict[str, Any]) -> None:
    for run in (capture, gradient_flow):
        with pytest.raises(ValueError, match=r"list|dict|Clamp|recurrent module|\(h_0, c_0\)"):
            run(nn.LSTM(F, H), torch.randn(L, N, F), **wrong)


@pytest.mark.parametrize("reentrant", [False, True])
def test_a_checkpointed_layer_has_its_gradients_or_says_why_not(reentrant: bool) -> None:
    class Checkpointed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.GRU(F, H)

        def forward(self, x: Tensor) -> Tensor:
            return checkpoint(lambda given: self.rnn(given)[0], x, use_reentrant=reentrant)

    net, x = Checkpointed(), torch.randn(L, N, F, requires_grad=True)
    flow = gradient_flow(net, x)
    assert ("use_reentrant=True" in flow.problem) is reentrant
    if not reentrant:
        np.testing.assert_allclose(flow["l0.h"], gradient_flow(net.rnn, x)["l0.h"], atol=1e-6)


def test_layers_that_run_without_gradients_are_said() -> None:
    class Frozen(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.fc = nn.GRU(F, H), nn.Linear(H, 2)

        def forward(self, x: Tensor) -> Tensor:
            with torch.no_grad():
                out = self.rnn(x)[0]
            return self.fc(out)

    flow = gradient_flow(Frozen(), torch.randn(L, N, F))
    assert "ran without gradients" in flow.problem
    assert not flow["x"].any()
    assert gradient_flow(ScriptMe().requires_grad_(False), torch.randn(L, N, F))["x"].any()
    with torch.inference_mode():
        assert gradient_flow(ScriptMe(), torch.randn(L, N, F))["x"].any()


def test_a_users_error_comes_through() -> None:
    class Broken(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.GRU(F, H)

        def forward(self, x: Tensor) -> Tensor:
            raise LookupError("mine")

    for run in (capture, gradient_flow):
        with pytest.raises(LookupError, match="mine"):
            run(Broken(), torch.randn(L, N, F))
        with pytest.raises(ValueError, match="7 features; the layer takes 4"):
            run(ScriptMe(), torch.randn(L, N, 7))


class Around(nn.Module):
    """Hands its arguments on to a layer or a cell."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, *args: Any) -> Tensor:
        found = self.inner(*args)
        return found[0] if isinstance(found, tuple) else found


_STATE = (torch.zeros(1, N, H), torch.zeros(1, N, H))
_WRONG: list[tuple[Callable[..., nn.Module], Any, Any, str]] = [
    (nn.LSTM, None, None, "got NoneType"),
    (nn.LSTM, np.zeros((L, N, F)), None, "got ndarray"),
    (nn.GRU, [1.0, 2.0], None, "got list"),
    (nn.LSTM, torch.zeros(L, N, 1, F), None, "3 dimensions, or 2 without a batch; got 4"),
    (nn.LSTM, torch.zeros(0, N, F), None, "is empty"),
    (nn.LSTM, torch.zeros(L, N, F, dtype=torch.float64), None, "float64 and the layer's weights are float32"),
    (nn.LSTM, torch.zeros(L, N, F, dtype=torch.long), None, "int64 and the layer's weights are float32"),
    (nn.LSTM, torch.zeros(L, N, F), torch.zeros(1, N, H), r"\(h_0, c_0\)"),
    (nn.GRU, torch.zeros(L, N, F), _STATE, "one tensor, h_0"),
    (nn.LSTM, torch.zeros(L, 2, F), _STATE, r"h_0 must have shape \(1, 2, 5\); got \(1, 3, 5\)"),
    (nn.RNN, torch.zeros(L, F), torch.zeros(1, N, H), r"h_0 must have shape \(1, 5\)"),
    (
        nn.GRU,
        torch.zeros(L, N, F),
        torch.zeros(1, N, H, dtype=torch.float64),
        "h_0 is float64 and the input is float32",
    ),
    (nn.LSTMCell, None, None, "a torch tensor; got NoneType"),
    (nn.GRUCell, torch.zeros(()), None, r"one step, \(N, H_in\)"),
    (nn.GRUCell, torch.zeros(N, F, dtype=torch.float64), None, "float64 and the layer's weights are float32"),
    (nn.LSTMCell, torch.zeros(N, F), torch.zeros(N, H), r"\(h_0, c_0\)"),
    (
        nn.LSTMCell,
        torch.zeros(N, F),
        (torch.zeros(N, H), torch.zeros(2, H)),
        r"c_0 must have shape \(3, 5\); got \(2, 5\)",
    ),
    (nn.RNNCell, torch.zeros(N, F), torch.zeros(N, H, 1), r"h_0 must have shape \(3, 5\)"),
]


@pytest.mark.parametrize("run", [capture, gradient_flow])
@pytest.mark.parametrize(("kind", "x", "hx", "says"), _WRONG, ids=[f"{k.__name__} {s}" for k, _, _, s in _WRONG])
def test_what_a_layer_inside_a_model_cannot_take_is_said(
    run: Callable[..., Any], kind: Callable[..., nn.Module], x: Any, hx: Any, says: str
) -> None:
    with pytest.raises(ValueError, match=f"inner: .*{says}"):
        run(Around(kind(F, H)), x, hx)


def test_an_error_that_a_model_makes_of_a_layers_is_its_own() -> None:
    class Tells(Around):
        def forward(self, *args: Any) -> Tensor:
            try:
                return super().forward(*args)
            except AttributeError:
                pass
            raise LookupError("mine")

    for run in (capture, gradient_flow):
        with pytest.raises(LookupError, match="mine"):
            run(Tells(nn.GRU(F, H)), None)


def test_a_lock_or_a_generator_in_a_module_does_not_stand_in_the_way_of_another_precision():
    class Locked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.fc = nn.LSTM(4, 5), nn.Linear(5, 2)
            self.lock, self.rows, self.locks = threading.Lock(), (k for k in range(3)), [threading.Lock()]

        def forward(self, x):
            with self.lock:
                return self.fc(self.rnn(x)[0])

    torch.manual_seed(4)
    model, x = Locked(), torch.randn(9, 3, 4)
    flow, lock = gradient_flow(model, x, dtype=torch.float64), model.lock
    plain = nn.LSTM(4, 5)
    plain.load_state_dict(model.rnn.state_dict())
    wanted = gradient_flow(plain.double(), x.double(), loss=lambda y: model.fc.double()(y)[-1].sum())
    np.testing.assert_allclose(flow["l0.h"], wanted["l0.h"], rtol=1e-12, atol=1e-15)
    assert model.lock is lock
    assert not lock.locked()
