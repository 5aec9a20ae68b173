"""A cell's lines in torch, in numpy and on the gradient's way back, against loops written by hand and autograd."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from cells_written import LOOPS, WRITTEN
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from seqviz import cells
from seqviz.cells import CellError, road
from seqviz.cells.step import Step, Weights, unpack
from seqviz.networks.layers import layer_weights

L, N, F, H = 7, 3, 2, 4
TORCHS = {"LSTM": nn.LSTM, "GRU": nn.GRU, "RNN_TANH": nn.RNN, "RNN_RELU": nn.RNN}


def drawn(cell: cells.Cell, seed: int = 0) -> tuple[dict[str, torch.Tensor], torch.Tensor, dict[str, torch.Tensor]]:
    """Weights, an input and states before it, of which all have gradients."""
    torch.manual_seed(seed)
    draw = lambda *shape: (torch.randn(*shape, dtype=torch.float64) * 0.8).requires_grad_()  # noqa: E731
    weights = {name: draw(*shape) for name, shape in cell.parameters(F, H).items()}
    initial = {s: draw(N, cell.sizes.get(s, H)) for s in cell.states}
    if "n" in initial and "m" in initial:  # a normaliser is positive
        initial["n"] = initial["n"].detach().abs().add(0.5).requires_grad_()
    return weights, draw(L, N, F), initial


def looped(step, x, states):
    """Every signal of every step, of a step function."""
    found = []
    for x_t in x:
        signals = step(x_t, states)
        states = {name: signals[name] for name in states}
        found.append(signals)
    return {name: torch.stack([signals[name] for signals in found]) for name in found[0]}


def numbers(named):
    return {name: value.detach().numpy() for name, value in named.items()}


@pytest.mark.parametrize("name", WRITTEN)
def test_the_lines_are_the_loop_that_is_written_by_hand(name):
    cell = WRITTEN[name]
    weights, x, initial = drawn(cell)
    expected = looped(lambda x_t, s: LOOPS[name](x_t, s, weights), x, initial)
    found = looped(Step(cell, weights), x, initial)
    rebuilt = road.run(cell, numbers(weights), x.detach().numpy(), numbers(initial))
    for signal, value in expected.items():
        torch.testing.assert_close(found[signal], value, atol=1e-13, rtol=1e-12)
        np.testing.assert_allclose(rebuilt[signal], value.detach().numpy(), atol=1e-13, rtol=1e-12)


@pytest.mark.parametrize("kind", TORCHS)
@pytest.mark.parametrize("proj", [0, 2])
def test_the_lines_of_torchs_cells_are_torchs_layers(kind, proj):
    cell = cells.get(kind)
    if proj and kind != "LSTM":
        pytest.skip("torch projects LSTMs only")
    torch.manual_seed(3)
    options = {"proj_size": proj} if proj else {"nonlinearity": "relu"} if kind == "RNN_RELU" else {}
    layer = TORCHS[kind](F, H, dtype=torch.float64, **options)
    packed = layer_weights(layer, 0, False)
    x, h_0, c_0 = (torch.randn(*shape, dtype=torch.float64) for shape in ((L, N, F), (N, proj or H), (N, H)))
    initial = {"h": h_0, "c": c_0} if kind == "LSTM" else {"h": h_0}
    states = (h_0[None], c_0[None]) if kind == "LSTM" else h_0[None]
    found = looped(Step(cell, packed), x, initial)
    torch.testing.assert_close(found["h"], layer(x, states)[0], atol=1e-14, rtol=0)
    named = numbers(unpack(cell, packed))
    rebuilt = road.run(cell.projected(proj) if proj else cell, named, x.numpy(), numbers(initial))
    for signal, value in found.items():
        np.testing.assert_allclose(rebuilt[signal], value.detach().numpy(), atol=1e-14)


@pytest.mark.parametrize("name", [*WRITTEN, *cells.names()])
def test_the_way_back_and_the_jacobians_are_autograds(name):
    cell = WRITTEN[name] if name in WRITTEN else cells.get(name)
    weights, x, initial = drawn(cell, 5)
    kept: dict[str, list[torch.Tensor]] = {}

    def at(signal, value):
        value = value.clone()
        value.retain_grad()
        kept.setdefault(signal, []).append(value)
        return value

    step = Step(cell, weights)
    found = looped(lambda x_t, s: step(x_t, s, at), x, initial)
    outside = {s: torch.randn_like(found[s]) for s in {"h", *cell.states}}
    sum((found[s] * e).sum() for s, e in outside.items()).backward()
    values = road.run(cell, numbers(weights), x.detach().numpy(), numbers(initial))
    pulled = road.pull(values, numbers(outside))
    for signal, steps in kept.items():
        expected = torch.stack([torch.zeros_like(v) if v.grad is None else v.grad for v in steps])
        np.testing.assert_allclose(pulled.at[signal], expected, atol=1e-11, rtol=1e-10, err_msg=signal)
    np.testing.assert_allclose(pulled.x, x.grad, atol=1e-11, rtol=1e-10)
    for given_, own in ((weights, pulled.weights), (initial, pulled.initial)):
        for key, value in given_.items():
            np.testing.assert_allclose(own[key], value.grad, atol=1e-11, rtol=1e-10, err_msg=key)

    t = 3
    before = {s: (found[s][t - 1].detach()[:1]).requires_grad_() for s in cell.states}

    def states_after(*states):
        after = step(x.detach()[t, :1], dict(zip(cell.states, states, strict=True)))
        return torch.cat([after[s] for s in cell.states], -1)[0]

    expected = torch.cat(
        [j[:, 0] for j in torch.autograd.functional.jacobian(states_after, tuple(before.values()))], -1
    )
    np.testing.assert_allclose(road.jacobians(values)[t], expected, atol=1e-12, rtol=1e-11)


def test_gains_and_padding_on_the_way_back():
    """A clamp of f at one step, and a sequence that ends early: what autograd says of a loop that does so."""
    cell = cells.get("LSTM")
    weights, x, initial = drawn(cell, 7)
    lengths = torch.tensor([7, 5, 2])
    step, states, kept, total = Step(cell, weights), dict(initial), [], 0.0
    for t, x_t in enumerate(x):
        at = lambda name, value, t=t: torch.full_like(value, 0.3) if (name, t) == ("f", 4) else value  # noqa: E731
        after = step(x_t, states, at)
        inside = (t < lengths)[:, None]
        states = {s: torch.where(inside, after[s], states[s]) for s in states}
        states["h"].retain_grad()
        kept.append(states["h"])
    total = states["h"].sum()
    total.backward()
    hold = lambda name, t, value: np.full_like(value, 0.3) if (name, t) == ("f", 4) else value  # noqa: E731
    values = road.run(cell, numbers(weights), x.detach().numpy(), numbers(initial), hold)
    valid = np.arange(L)[:, None] < lengths.numpy()
    gain = np.ones((L, 1, H))
    gain[4] = 0
    e = np.zeros((L, N, H))
    e[lengths.numpy() - 1, np.arange(N)] = 1
    pulled = road.pull(values, {"h": e}, {"f": gain}, valid)
    np.testing.assert_allclose(pulled.initial["h"], initial["h"].grad, atol=1e-12)
    np.testing.assert_allclose(pulled.initial["c"], initial["c"].grad, atol=1e-12)
    np.testing.assert_allclose(pulled.weights["W_hf"], weights["W_hf"].grad, atol=1e-12)


def test_what_keeps_a_state_is_found_in_the_lines():
    keeps = {name: dict(cell.keep_gates) for name, cell in WRITTEN.items()}
    assert dict(cells.get("LSTM").keep_gates) == {"c": ("f", 1)}
    assert dict(cells.get("GRU").keep_gates) == {"h": ("z", 1)}
    assert keeps["MGU"] == {"h": ("f", -1)}
    assert keeps["coupled gates"] == {"c": ("f", 1)}
    assert keeps["LSTM of 1997"] == keeps["IndRNN"] == {}
    assert cells.get("GRU").gates == {"r", "z"}
    assert WRITTEN["JANET"].gates == {"f"}


def test_hook_points_are_named_as_today():
    assert tuple(cells.get("GRU").where) == (
        *("r_ih", "r_hh", "r_pre", "r", "z_ih", "z_hh", "z_pre", "z", "n_ih", "n_hh", "n_pre", "n", "h"),
    )
    assert cells.signal_names("LSTM", detail=True, projected=True)[-2:] == ("h_pre", "h")
    assert "m_ih" not in WRITTEN["sLSTM"].where
    assert {"a_ch", "d_ch"} <= set(WRITTEN["odd ones"].where)


def test_an_unknown_cell_is_refused_by_name():
    for wrong in ("QRNN", "lstm", "", None, 3, ["LSTM"], "x" * 10_000):
        with pytest.raises(ValueError, match="the cells are LSTM, GRU, RNN_TANH, RNN_RELU") as caught:
            cells.get(wrong)
        assert len(str(caught.value)) < 400


@pytest.mark.parametrize("text", ["c_{t-1}", "c_{(t-1)}", "c[t-1]", "c₋₁", "c_old", "c_prev", "c_{t−1}"])
def test_the_step_before_is_read_as_papers_write_it(text):
    cell = cells.parse(f"c = sigmoid(W_f x) * {text} + W_c x\nh = tanh(c_t)")
    assert cell.states == ("c",)


def test_torchs_documentation_pages_can_be_pasted():
    latex = r"""\begin{array}{ll}
        r_t = \sigma(W_{ir} x_t + b_{ir} + W_{hr} h_{(t-1)} + b_{hr}) \\
        z_t = \sigma(W_{iz} x_t + b_{iz} + W_{hz} h_{(t-1)} + b_{hz}) \\
        n_t = \tanh(W_{in} x_t + b_{in} + r_t \odot (W_{hn} h_{(t-1)}+ b_{hn})) \\
        h_t = (1 - z_t) \odot n_t + z_t \odot h_{(t-1)}
    \end{array}"""
    assert cells.parse(latex).nodes == cells.get("GRU").nodes


WRONG = {
    "": ("There are no equations yet.", 1, 1),
    "f = sigmoid(W_f x)\nc = ff * c_prev\nh = c": ("No line sets ff.", 2, 5),
    "h = sigmod(W_xh x + W_hh h_prev + b_h)": ("There is no function sigmod. Did you mean sigmoid?", 1, 5),
    "h = Tanh(W_xh x + b_h)": ("Tanh begins with a capital", 1, 5),
    "c = f * c_prev\nf = sigmoid(W_f x)\nh = c": ("f is set in line 2, below", 1, 5),
    "h = tanh(W_xh x + W_hh h + b_h)": ("h stands on both sides of its =.", 1, 24),
    "h = tanh(W_xh x + W_hh h' + b_h)": ("A prime can mean the old or the new value.", 1, 25),
    "h = tanh(W_xh * x)": ("W_xh is a matrix: write W_xh x", 1, 15),
    "h = tanh(W_xh + x)": ("W_xh is a matrix: what does it multiply?", 1, 10),
    "h = tanh(W_xh [h_prev, x])": ("Vectors are not joined here.", 1, 15),
    "h = layernorm(W_xh x)": ("layernorm mixes the units with each other", 1, 5),
    "h = dropout(W_xh x)": ("dropout is random", 1, 5),
    "h = tanh(W_xh x + b_h": ("This ( is never closed.", 1, 9),
    "h = tanh(W_xh x))": ("This ) closes nothing.", 1, 17),
    "h = x + W_xh x": ("x has as many numbers as the input has, but here one number a unit must stand.", 1, 5),
    "h = f g\nf = 1": ("Between f and g a sign is missing.", 1, 7),
    "h = 1": ("h is a plain number", 1, 1),
    "g = tanh(W_g x)": ("No line sets h", 1, 1),
    "h = W_a x + W_a h_prev": ("W_a is used for two shapes", 1, 13),
    "h = tanh(W_xh x_prev)": ("The input of the step before is not kept.", 1, 15),
    "h = W_xh x\nh = h": ("h is already set in line 1", 2, 1),
    "a = 1 / 0\nh = a * W_xh x": ("This number cannot be computed.", 1, 7),
    "h = __import__('os').system('ls')": ("The character '_' has no meaning here.", 1, 5),
    "h = max(W_xh x)": ("max takes two values, not 1.", 1, 5),
    "h = W_xh x ; start k = 1": ("k is no state", 1, 20),
    "h = W_xh x\nsize h = 0": ("A size is a whole number", 2, 6),
    "h = W_xh x\nfixed W_hx": ("There is no weight W_hx.", 2, 7),
    "W_a = 3": ("W_a begins with a capital", 1, 1),
    "tanh(W_xh x)": ("This line sets nothing", 1, 1),
    "h = tanh W_xh x": ("tanh is a function: write tanh(…).", 1, 5),
    "h = W_xh x @ h_prev": ("@ multiplies by a matrix", 1, 12),
    "h_prev = W_xh x": ("The value of the step before cannot be set", 1, 1),
    "h = " + "(" * 90 + "x" + ")" * 90: ("Too many brackets and signs inside each other.", 1, 66),
    "h = " + "-" * 90 + "W_xh x": ("Too many brackets and signs inside each other.", 1, 66),
    "x" * 6001: ("A cell has at most 6,000 characters; this has 6,001.", 1, 1),
}


@pytest.mark.parametrize(("text", "says"), WRONG.items(), ids=lambda v: str(v)[:40])
def test_a_slip_is_named_with_its_place(text, says):
    with pytest.raises(CellError) as caught:
        cells.parse(text)
    error = caught.value
    assert (str(error.message)[: len(says[0])], error.line, error.column) == says
    assert isinstance(error, ValueError)


def test_an_error_shows_the_line_and_what_to_do():
    with pytest.raises(CellError) as caught:
        cells.parse("f = sigmoid(W_f x)\nc = ff * c_prev\nh = c")
    assert str(caught.value).split("\n") == [
        "line 2, column 5: No line sets ff.",
        "    c = ff * c_prev",
        "        ^^",
        "    Did you mean f?",
    ]


def test_what_is_odd_is_a_warning():
    assert [str(w) for w in cells.parse("a = W_a x\nk = k_prev + 1\nh = 0.5 * h_prev + b_h").warnings] == [
        "line 1: a is never used.",
        "line 2: the state k never reaches h.",
    ]
    assert "no memory" in cells.parse("h = W_xh x").warnings[0]


PIECES = [
    *"()+-*/^=,;@#[]{}'0123456789.\n ",
    "h",
    "c",
    "x",
    "_prev",
    "W_",
    "b_",
    "tanh",
    "sigmoid",
    "max",
    "start ",
    "size ",
]
MANGLED = st.tuples(
    st.sampled_from([cells.get("LSTM").text, cells.get("GRU").text, WRITTEN["sLSTM"].text]),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 6), st.sampled_from(PIECES)), min_size=1, max_size=6),
)


def refusal(text: str) -> CellError | None:
    try:
        assert "h" in cells.parse(text).where
    except CellError as error:
        return error
    return None


@given(MANGLED)
def test_a_mangled_text_is_a_cell_or_a_sentence_with_a_place_inside_it(drawn_):
    text, changes = drawn_
    for place, cut, piece in changes:
        k = int(place * len(text))
        text = text[:k] + piece + text[k + cut :]
    if error := refusal(text):
        lines = text.split("\n")
        assert str(error)
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1]) + 3


@given(st.text(max_size=400))
def test_any_text_is_a_cell_or_a_sentence(text):
    error = refusal(text)
    assert error is None or str(error)


def test_packed_weights_are_views_of_their_blocks():
    layer = nn.GRU(F, H)
    named = unpack(cells.get("GRU"), layer_weights(layer, 0, False))
    assert torch.equal(named["W_hz"], layer.weight_hh_l0[H : 2 * H])
    assert named["b_in"].data_ptr() == layer.bias_ih_l0[2 * H :].data_ptr()
    assert set(named) == set(cells.get("GRU").shapes)
    assert "b_ir" not in unpack(cells.get("GRU"), Weights(layer.weight_ih_l0, layer.weight_hh_l0))


def test_the_scripts_tests_have_these_cells():
    """What a page is sent of each, as the registry has it now."""
    path = Path(__file__).parents[2] / "tools" / "browser_cells.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.FILE.read_text(encoding="utf-8") == tool.described(), "run: python tools/browser_cells.py"
    known = json.loads(tool.described())
    assert known == {name: json.loads(json.dumps(cells.get(name).description())) for name in cells.names(further=True)}
