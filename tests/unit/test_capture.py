"""capture against torch's documented recurrences in float64, over everything torch's layers can do."""

import gc
import math
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch_docs import KINDS, Case, build

from seqviz.capture import capture, reconstruct
from seqviz.cells import signal_names
from seqviz.cells.scan import scan
from seqviz.experiment.interventions import Ablate, Clamp, Scale
from seqviz.networks.modules import FeedForward, SequenceGRU, SequenceLSTM, SequenceRNN

FORMS = ["batch", "unbatched", "packed"]


def compare(trace, expected, tolerance, names=None):
    for name in names or expected:
        np.testing.assert_allclose(trace[name], expected[name], atol=tolerance, rtol=tolerance, err_msg=name)


def tolerance(dtype):
    return 1e-5 if dtype == torch.float32 else 1e-12


@settings(max_examples=400)
@given(
    kind=st.sampled_from(KINDS),
    layers=st.integers(1, 3),
    both=st.booleans(),
    batch_first=st.booleans(),
    bias=st.booleans(),
    proj=st.sampled_from([0, 2]),
    form=st.sampled_from(FORMS),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    given_state=st.booleans(),
    steps=st.integers(1, 20),
    detail=st.booleans(),
    edited=st.booleans(),
)
def test_every_signal_is_the_documented_one(
    kind, layers, both, batch_first, bias, proj, form, dtype, given_state, steps, detail, edited
):
    options = {"num_layers": layers, "bidirectional": both, "batch_first": batch_first, "bias": bias}
    rnn = build(kind, proj=proj, dtype=dtype, **options)
    case = Case(rnn, steps, form=form, given=given_state)
    edits = [Scale("l0.h", 1.0)] if edited else []
    trace = capture(rnn, case.x, case.hx, edits, detail=detail)
    names = signal_names(kind, detail=detail, projected=bool(rnn.proj_size))
    ends = [f"l{k}{way}" for k in range(layers) for way in (("", "_reverse") if both else ("",))]
    assert trace.signals == ("x", *(f"{end}.{name}" for end in ends for name in names))
    compare(trace, case.expected(), tolerance(dtype), trace.signals)
    assert trace.parity < tolerance(dtype)
    assert trace["x"].dtype == trace["l0.h"].dtype == np.dtype(str(dtype).removeprefix("torch."))
    assert trace.modes == {"": kind}
    assert trace.lengths == tuple(case.lengths or [steps] * trace["x"].shape[1])
    for k, end in enumerate(ends):
        np.testing.assert_array_equal(trace.initial[f"{end}.h"], case.arrays[1][k].astype(trace["x"].dtype))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("steps", "batch", "size"), [(400, 1, 24), (61, 1, 200), (700, 2, 64), (90, 40, 130)])
def test_long_and_wide_runs_go_through_the_same_numbers(kind, steps, batch, size):
    """Sizes at which the work is cut into blocks and chunks."""
    torch.manual_seed(0)
    rnn = build(kind, 5, size)
    x = torch.randn(steps, batch, 5)
    trace = capture(rnn, x)
    out, _ = rnn(x)
    np.testing.assert_array_equal(trace["l0.h"], out.detach().numpy())
    assert trace.parity < 5e-6
    half = capture(rnn, x[:7])
    compare(trace.sel(step=slice(0, 7)), half.arrays, 2e-6)
    if kind == "LSTM":
        f, i, g, o = (trace[f"l0.{k}"].astype(float) for k in "figo")
        c = np.zeros((batch, size))
        for t in range(steps):
            c = f[t] * c + i[t] * g[t]
            np.testing.assert_allclose(trace["l0.c"][t], c, atol=5e-6)
            np.testing.assert_allclose(o[t] * np.tanh(c), trace["l0.h"][t], atol=5e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", FORMS)
def test_where_the_blocks_are_cut_does_not_matter(kind, form, monkeypatch):
    rnn = build(kind, num_layers=2, bidirectional=True, dtype=torch.float64)
    case = Case(rnn, 11, form=form)
    monkeypatch.setattr(reconstruct, "BLOCK_BYTES", 1000)
    trace = capture(rnn, case.x, case.hx)
    compare(trace, case.expected(), 1e-12, trace.signals)
    assert trace.parity < 1e-12


@settings(max_examples=150)
@given(steps=st.integers(1, 300), width=st.sampled_from([1, 7, 90, 600]), kept=st.floats(0, 1), seed=st.integers(0, 9))
def test_the_scan_is_the_loop(steps, width, kept, seed):
    random = np.random.default_rng(seed)
    f = np.clip(random.random((steps, 1, width)) + kept - 0.5, 0, 1)
    c, c_0 = random.standard_normal((steps, 1, width)), random.standard_normal((1, width))
    expected, last = [], c_0
    for t in range(steps):
        last = f[t] * last + c[t]
        expected.append(last)
    found = scan(f, c, c_0)
    np.testing.assert_allclose(c, expected, atol=1e-11)
    np.testing.assert_array_equal(found, c[-1])


def test_a_chaotic_network_does_not_drift():
    """Run again from its own rounding errors a chaotic network ends elsewhere; the reconstruction does not."""
    torch.manual_seed(0)
    rnn = nn.RNN(3, 64)
    with torch.no_grad():
        rnn.weight_hh_l0.normal_(0, 4 / math.sqrt(64))
    assert capture(rnn, torch.randn(300, 1, 3)).parity < 5e-6


def test_the_parity_is_a_measurement():
    """A layer whose output is not what its weights say is reported as such."""

    class Off(nn.LSTM):
        def forward(self, x, hx=None):
            out, states = super().forward(x, hx)
            return out + 0.25, states

    assert capture(Off(3, 4), torch.randn(5, 2, 3)).parity > 0.05
    rnn = nn.LSTM(3, 4)
    rnn.register_forward_hook(lambda module, args, out: (out[0] + 0.25, out[1]))
    assert capture(rnn, torch.randn(5, 2, 3)).parity < 1e-6  # a hook of the user's sees torch's output after us


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("edited", [False, True])
@pytest.mark.parametrize("train", [False, True])
def test_dropout_draws_the_numbers_of_one_ordinary_call(kind, form, edited, train):
    rnn = build(kind, num_layers=3, bidirectional=True, dropout=0.5, dtype=torch.float64).train(train)
    case = Case(rnn, form=form)
    edits = [Scale("l2.h", 1.0)] if edited else []
    torch.manual_seed(3)
    out, _ = rnn(case.x, case.hx)
    state = torch.get_rng_state()
    torch.manual_seed(3)
    trace = capture(rnn, case.x, case.hx, edits)
    assert torch.equal(torch.get_rng_state(), state)
    padded = nn.utils.rnn.pad_packed_sequence(out)[0] if form == "packed" else out
    padded = padded.unsqueeze(1) if form == "unbatched" else padded
    top = np.concatenate([trace["l2.h"], trace["l2_reverse.h"]], -1)
    np.testing.assert_allclose(top, padded.detach().numpy(), atol=1e-13)
    assert trace.parity < 1e-13


def snapshot(module):
    hooks = [
        {name: list(getattr(m, name)) for name in vars(m) if "hooks" in name and hasattr(getattr(m, name), "__len__")}
        for m in module.modules()
    ]
    grads = [(id(p), p.requires_grad, p.grad, p._version) for p in module.parameters()]
    values = [p.detach().clone() for p in module.parameters()]
    return hooks, [m.training for m in module.modules()], grads, sorted(vars(module)), values


class Tagger(nn.Module):
    """Somebody's model: token ids in, an encoder and a decoder that is called twice."""

    def __init__(self, fail=False):
        super().__init__()
        self.embed = nn.Embedding(10, 3)
        self.encoder = nn.LSTM(3, 4, batch_first=True, bidirectional=True)
        self.decoder = nn.GRU(8, 5, batch_first=True)
        self.drop = nn.Dropout(0.3)
        self.fail = fail

    def forward(self, tokens, scale=1.0):
        out, _ = self.encoder(self.embed(tokens) * scale)
        self.seen = out
        out = self.drop(out.relu_())  # in place: what was captured must not move
        first, h = self.decoder(out)
        second, _ = self.decoder(out[:, :3], -h)
        if self.fail:
            raise RuntimeError("broken")
        return first.sum(1) + second.sum(1)


def test_any_module_keeps_its_names_and_calls():
    net, tokens = Tagger().eval(), torch.randint(10, (2, 6))
    trace = capture(net, tokens, kwargs={"scale": 2.0})
    embedded = net.embed(tokens) * 2
    expected = capture(net.encoder, embedded)
    for name in expected:
        np.testing.assert_array_equal(trace[f"encoder.{name}"], expected[name])
    assert trace["decoder.l0.r"].shape == (6, 2, 5)
    assert trace["decoder[1].l0.r"].shape == (3, 2, 5)
    assert trace.modes == {"encoder": "LSTM", "decoder": "GRU", "decoder[1]": "GRU"}
    assert trace.all_lengths["decoder[1]"] == (3, 3)
    assert trace.lengths_of("decoder[1].l0.h") == (3, 3)
    np.testing.assert_array_equal(trace.initial["decoder[1].l0.h"], -trace["decoder.l0.h"][-1])
    assert trace.parity < 1e-6
    assert len(trace.to_dataframe()) == sum(trace[name].size for name in trace)


def test_modules_are_chosen_by_name():
    net, tokens = Tagger().eval(), torch.randint(10, (2, 6))
    trace = capture(net, tokens, modules="encoder")
    assert trace.signals == capture(net.encoder, net.embed(tokens)).signals
    again = capture(net, tokens, modules=["decoder"])
    assert {"x", "l0.h", "decoder[1].l0.h"} <= set(again)
    with pytest.raises(ValueError, match=r"no recurrent module 'rnn'\. There are 'encoder', 'decoder'\."):
        capture(net, tokens, modules=["rnn"])
    with pytest.raises(ValueError, match="No module was chosen"):
        capture(net, tokens, modules=[])


@pytest.mark.parametrize("fail", [False, True])
@pytest.mark.parametrize("edits", [(), (Ablate("encoder.l0.h", units=1),)])
def test_the_module_is_left_as_one_ordinary_call_leaves_it(fail, edits):
    net, tokens = Tagger(fail).train(), torch.randint(10, (2, 6))
    net.encoder.register_forward_hook(lambda module, args, out: None)
    net.seen = None
    before = snapshot(net)

    def call(run):
        torch.manual_seed(5)
        if fail:
            with pytest.raises(RuntimeError, match="broken"):
                run()
        else:
            run()
        return torch.get_rng_state()

    ordinary = call(lambda: net(tokens))
    captured = call(lambda: capture(net, tokens, interventions=edits))
    assert torch.equal(ordinary, captured)
    after = snapshot(net)
    assert after[:4] == before[:4]
    assert all(torch.equal(a, b) for a, b in zip(after[4], before[4], strict=True))
    assert not net.seen.requires_grad
    assert torch.is_grad_enabled()


def test_downstream_modules_work_on_the_edited_output():
    net, tokens = Tagger().eval(), torch.randint(10, (2, 6))
    edits = [Clamp("encoder.l0.h", 0.5), Clamp("encoder.l0_reverse.h", -1), Ablate("decoder[1].l0.z", steps=1)]
    trace = capture(net, tokens, interventions=edits)
    assert np.all(trace["decoder.x"][:, :, :4] == 0.5)
    assert np.all(trace["decoder.x"][:, :, 4:] == 0)
    assert np.all(trace["decoder[1].l0.z"][1] == 0)
    assert not np.any(trace["decoder.l0.z"] == 0)
    np.testing.assert_array_equal(trace["decoder[1].l0.h"][1], trace["decoder[1].l0.n"][1])


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (Clamp("l0.f", 1), r"no signal 'l0\.f'\. The signals of this network are encoder\.x, encoder\.l0\.i"),
        (Clamp("encoder.l0.f", 1, units=4), r"encoder\.l0\.f has units 0 to 3; unit 4 does not exist"),
        (Clamp("encoder.l0.f", 1, steps=6), "steps 0 to 5; step 6 does not exist"),
        (Clamp("decoder[1].l0.z", 1, steps=3), "steps 0 to 2; step 3 does not exist"),
        (Clamp("decoder[2].l0.z", 1), r"no signal 'decoder\[2\]\.l0\.z'.* decoder\[1\]\.l0\.z"),
    ],
)
def test_an_edit_of_what_does_not_exist_names_what_does(edit, words):
    net, tokens = Tagger().eval(), torch.randint(10, (2, 6))
    with pytest.raises(ValueError, match=words):
        capture(net, tokens, interventions=[edit])
    assert not net.encoder._forward_hooks


@pytest.mark.parametrize("kind", [SequenceRNN, SequenceGRU, SequenceLSTM])
@pytest.mark.parametrize("options", [{}, {"batch_first": True, "bidirectional": True}])
def test_our_networks_end_in_y(kind, options):
    net, x = kind(3, 4, 2, **options), torch.randn(5, 6, 3)
    trace = capture(net, x)
    with torch.no_grad():
        y = net(x)
    assert trace.signals[0] == "x"
    assert trace.signals[-1] == "y"
    np.testing.assert_array_equal(trace["y"], (y.transpose(0, 1) if options else y).numpy())
    assert trace["l0.h"].shape == (*trace["x"].shape[:2], 4)
    edited = capture(net, x, interventions=[Ablate("l0.h"), *([Ablate("l0_reverse.h")] if options else [])])
    np.testing.assert_allclose(edited["y"], np.broadcast_to(net.readout.bias.detach(), edited["y"].shape))
    case = Case(net.rnn, form="packed", given=False)
    packed = capture(net, case.x)
    assert packed.lengths == tuple(case.lengths)
    assert np.all(packed["y"][case.lengths[0] :, 0] == 0)


def test_a_feed_forward_network():
    net, x = FeedForward(3, 4, 2, 2), torch.randn(5, 6, 3)
    trace = capture(net, x)
    assert trace.signals == ("x", "l0.h", "l1.h", "y")
    w, b = (net.l0[0].weight.detach().numpy(), net.l0[0].bias.detach().numpy())
    np.testing.assert_allclose(trace["l0.h"], np.tanh(x.numpy() @ w.T + b), atol=1e-6)
    np.testing.assert_array_equal(trace["y"], net(x).detach().numpy())
    assert (trace.parity, trace.lengths) == (0, (5,) * 6)
    edited = capture(net, x, interventions=[Ablate("l0.h", steps=2), Clamp("x", 1, units=0, steps=0)])
    assert np.all(edited["l0.h"][2] == 0)
    assert np.all(edited["x"][0, :, 0] == 1)
    assert not np.array_equal(edited["l0.h"][0], trace["l0.h"][0])
    np.testing.assert_array_equal(edited["y"][[1, 3, 4]], trace["y"][[1, 3, 4]])
    assert not np.array_equal(edited["y"][[0, 2]], trace["y"][[0, 2]])
    assert capture(net, x[:, 0])["y"].shape == (5, 1, 2)
    assert not net.l0._forward_hooks
    for wrong, words in ((x.double(), "float64"), (x[..., :2], "2 features"), (x[0, 0], "dimensions")):
        with pytest.raises(ValueError, match=words):
            capture(net, wrong)
    with pytest.raises(ValueError, match="no state"):
        capture(net, x, torch.zeros(1))


@pytest.mark.parametrize(
    ("x", "hx", "words"),
    [
        (torch.randn(5, 2, 4), None, "has 4 features; the layer takes 3"),
        (torch.randn(5, 2, 3).double(), None, "input is float64 and the layer's weights are float32"),
        (torch.zeros(5, 2, 3, dtype=torch.int64), None, "input is int64"),
        (torch.randn(3), None, "3 dimensions, or 2 without a batch; got 1"),
        (torch.randn(0, 2, 3), None, "input is empty"),
        (torch.randn(5, 0, 3), None, "input is empty"),
        (np.zeros((5, 2, 3)), None, "must be a torch tensor or a PackedSequence; got ndarray"),
        (torch.randn(5, 2, 3), torch.zeros(1, 2, 4), r"state of an LSTM is \(h_0, c_0\)"),
        (torch.randn(5, 2, 3), (torch.zeros(1, 2, 5), torch.zeros(1, 2, 4)), r"h_0 must have shape \(1, 2, 4\)"),
        (torch.randn(5, 2, 3), (torch.zeros(1, 2, 4), torch.zeros(1, 2, 4).double()), "c_0 is float64"),
    ],
)
@pytest.mark.parametrize("module", [nn.LSTM(3, 4), SequenceLSTM(3, 4, 1)])
def test_an_input_of_the_wrong_kind_is_refused_in_a_sentence(module, x, hx, words):
    with pytest.raises(ValueError, match=words):
        capture(module, x, hx)


def test_modules_without_recurrence_and_other_dtypes_are_refused():
    with pytest.raises(ValueError, match=r"Linear contains no nn\.RNN, nn\.GRU or nn\.LSTM"):
        capture(nn.Linear(3, 4), torch.randn(5, 3))
    with pytest.raises(ValueError, match="weights are bfloat16; only float32 and float64"):
        capture(nn.LSTM(3, 4, dtype=torch.bfloat16), torch.randn(5, 2, 3, dtype=torch.bfloat16))
    net = SequenceLSTM(3, 4, 1)
    net.forward = lambda x: x
    with pytest.raises(ValueError, match="called none of 'rnn'"):
        capture(net, torch.randn(5, 2, 3))
    with pytest.raises(ValueError, match="Capture the network that this instrumented one was made from"):
        capture(SequenceLSTM(3, 4, 1).instrumented(), torch.randn(5, 2, 3))
    with pytest.raises(ValueError, match="Clamp, an Ablate or a Scale"):
        capture(nn.LSTM(3, 4), torch.randn(5, 2, 3), interventions=["l0.f"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_shown_as_the_network_computes_them(kind, value):
    torch.manual_seed(0)
    rnn = build(kind)
    x = torch.randn(8, 2, 3)
    x[3, 0, 1] = value
    trace = capture(rnn, x)
    with torch.no_grad():
        np.testing.assert_array_equal(trace["l0.h"], rnn(x)[0].numpy())
    assert trace.parity < 1e-6
    for name in trace.signals[1:]:
        assert np.isfinite(trace[name][:3]).all()
        assert np.isfinite(trace[name][:, 1]).all()


def test_weights_that_change_are_read_again():
    rnn, x = nn.LSTM(3, 4), torch.randn(5, 2, 3)
    assert capture(rnn, x).parity < 1e-6
    rnn.weight_ih_l0 = nn.Parameter(torch.randn_like(rnn.weight_ih_l0))
    rnn.weight_hh_l0.data = torch.randn_like(rnn.weight_hh_l0)
    rnn.bias_hh_l0.data.numpy()[:] = 1
    assert capture(rnn, x).parity < 1e-6
    assert capture(rnn.double(), x.double()).parity < 1e-14
    normed = torch.nn.utils.parametrizations.weight_norm(nn.LSTM(3, 4), "weight_hh_l0")
    case = Case(normed, form="packed")
    assert capture(normed, case.x, case.hx).parity < 1e-6


def test_what_was_captured_does_not_move_with_the_caller():
    rnn, x, h_0 = nn.GRU(3, 4), torch.randn(5, 2, 3), torch.zeros(1, 2, 4)
    trace = capture(rnn, x, h_0)
    kept = {name: trace[name].copy() for name in trace}
    x.zero_()
    h_0.fill_(9)
    for name, value in kept.items():
        np.testing.assert_array_equal(trace[name], value)
    assert np.all(trace.initial["l0.h"] == 0)


@pytest.mark.parametrize("shape", [(5, 2, 3), (5, 3)])
def test_what_a_network_without_memory_was_given_does_not_move(shape):
    x = torch.randn(*shape)
    trace = capture(FeedForward(3, 4, 1), x)
    kept = trace["x"].copy()
    x.zero_()
    assert kept.any()
    np.testing.assert_array_equal(trace["x"], kept)


@pytest.mark.parametrize("kind", [FeedForward, SequenceLSTM])
def test_one_module_may_be_captured_by_several_threads_at_once(kind):
    net = kind(2, 4, 1).eval()
    inputs = [torch.full((6, 1, 2), value) for value in (-1.0, 0.5, 2.0)]
    alone = [capture(net, x) for x in inputs]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda k: (k % 3, capture(net, inputs[k % 3])), range(300)))
    for k, trace in found:
        for name in trace.signals:
            np.testing.assert_array_equal(trace[name], alone[k][name])


def test_another_thread_may_run_the_module_meanwhile():
    net = Tagger().eval()
    tokens = torch.randint(10, (2, 6))
    start, stop = threading.Event(), threading.Event()

    def other():
        start.set()
        while not stop.is_set():
            net(tokens)

    thread = threading.Thread(target=other)
    thread.start()
    start.wait()
    try:
        for _ in range(20):
            assert set(capture(net, tokens).modes) == {"encoder", "decoder", "decoder[1]"}
    finally:
        stop.set()
        thread.join()


def buffers(trace):
    """Bytes of the different buffers that a trace keeps alive."""
    found = {}
    for array in (*trace.arrays.values(), *trace.initial.values()):
        owner = array
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        start = owner.__array_interface__["data"][0]
        found[start] = max(found.get(start, 0), owner.nbytes)
    return sum(found.values())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("detail", [False, True])
def test_it_holds_little_more_than_what_it_returns(kind, both, detail):
    rnn = build(kind, 8, 32, num_layers=2, bidirectional=both)
    trace = capture(rnn, torch.randn(100, 4, 8), detail=detail)
    assert trace.nbytes >= sum(trace[name].nbytes for name in trace)
    assert buffers(trace) <= 1.5 * trace.nbytes


def test_gradients_are_not_kept():
    rnn, x = nn.LSTM(3, 4), torch.randn(5, 2, 3, requires_grad=True)
    capture(rnn, x)
    capture(rnn, x, interventions=[Ablate("l0.f")])
    assert x.grad is None
    assert rnn.weight_ih_l0.grad is None


@pytest.mark.parametrize("make", [lambda: nn.LSTM(3, 4), lambda: nn.Sequential(nn.GRU(3, 4))])
def test_nothing_of_a_run_waits_for_the_collector(make):
    """A cycle would keep every signal of a run in memory until Python looks for such."""
    module, x = make(), torch.randn(5, 1, 3)
    capture(module, x)
    gc.collect()
    gc.disable()
    try:
        capture(module, x)
        assert gc.collect() == 0
    finally:
        gc.enable()
