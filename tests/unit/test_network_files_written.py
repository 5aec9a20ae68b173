"""Networks that people wrote themselves, each against its own forward pass in plain torch; and what is none."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from seqviz import cells, read_network
from seqviz.cells.layer import CellLayer

SIZES = st.integers(1, 4)


def parameter(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(*shape) * 0.5)


class Own(nn.Module):
    """A network whose step somebody wrote: ``step(x, h, c)`` gives the next h and c."""

    def __init__(self, make: Callable[[Any, int, int], Any], width: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.step = make(self, width, size)

    def forward(self, x: Tensor) -> Tensor:
        h = c = x.new_zeros(x.shape[1], self.size)
        out = []
        for x_t in x:
            h, c = self.step(x_t, h, c)
            out.append(h)
        return torch.stack(out)


def lstm(pre: Callable[[str, Tensor, Tensor], Tensor]) -> Any:
    def step(x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        i, f, o = (torch.sigmoid(pre(gate, x, h)) for gate in "ifo")
        c = f * c + i * torch.tanh(pre("g", x, h))
        return o * torch.tanh(c), c

    return step


def textbook(self: Any, width: int, size: int, names: str = "ifoc", w: str = "W_x{}", u: str = "W_h{}") -> Any:
    """x @ W_xi + h @ W_hi + b_i."""
    for gate in names:
        setattr(self, w.format(gate), parameter(width, size))
        setattr(self, u.format(gate), parameter(size, size))
        setattr(self, f"b_{gate}", parameter(size))

    def pre(gate: str, x: Tensor, h: Tensor) -> Tensor:
        gate = gate if gate in names else "c"
        of = [getattr(self, name.format(gate)) for name in (w, u, "b_{}")]
        return x @ of[0] + h @ of[1] + of[2]

    return lstm(pre)


def torchs(self: Any, width: int, size: int) -> Any:
    """W_ii x + b_ii + W_hi h + b_hi."""
    for gate in "ifgo":
        setattr(self, f"W_i{gate}", parameter(size, width))
        setattr(self, f"W_h{gate}", parameter(size, size))
        setattr(self, f"b_i{gate}", parameter(size))
        setattr(self, f"b_h{gate}", parameter(size))

    def pre(gate: str, x: Tensor, h: Tensor) -> Tensor:
        w, u, b, d = (getattr(self, f"{name}{gate}") for name in ("W_i", "W_h", "b_i", "b_h"))
        return x @ w.T + b + h @ u.T + d

    return lstm(pre)


def of_linears(self: Any, width: int, size: int) -> Any:
    for gate in "ifgo":
        setattr(self, f"x2{gate}", nn.Linear(width, size))
        setattr(self, f"h2{gate}", nn.Linear(size, size, bias=False))
    return lstm(lambda gate, x, h: getattr(self, f"x2{gate}")(x) + getattr(self, f"h2{gate}")(h))


def side_by_side(self: Any, width: int, size: int, first: str = "x") -> Any:
    names = {"i": "input_gate", "f": "forget_gate", "o": "output_gate", "g": "cell_gate"}
    for name in names.values():
        setattr(self, name, nn.Linear(width + size, size))
    return lstm(lambda gate, x, h: getattr(self, names[gate])(torch.cat([x, h] if first == "x" else [h, x], -1)))


def packed(self: Any, width: int, size: int, order: str = "ifgo") -> Any:
    self.x2h, self.h2h = nn.Linear(width, 4 * size), nn.Linear(size, 4 * size)
    return lstm(lambda gate, x, h: (self.x2h(x) + self.h2h(h)).chunk(4, -1)[order.index(gate)])


def letters(self: Any, width: int, size: int, order: str = "ifgo") -> Any:
    self.W, self.U, self.bias = parameter(width, 4 * size), parameter(size, 4 * size), parameter(4 * size)
    return lstm(lambda gate, x, h: (x @ self.W + h @ self.U + self.bias).chunk(4, -1)[order.index(gate)])


def all_gates(self: Any, width: int, size: int, order: str = "ifgo", first: str = "x") -> Any:
    self.gates = nn.Linear(width + size, 4 * size)
    return lstm(
        lambda gate, x, h: self.gates(torch.cat([x, h] if first == "x" else [h, x], -1)).chunk(4, -1)[order.index(gate)]
    )


def gru(self: Any, width: int, size: int, after: bool = False, kept: bool = True) -> Any:
    """d2l's GRU, whose z keeps, or the one of which 1 - z does; the reset before the product or after it."""
    for gate in "rzh":
        setattr(self, f"W_x{gate}", parameter(width, size))
        setattr(self, f"W_h{gate}", parameter(size, size))
        setattr(self, f"b_{gate}", parameter(size))

    def step(x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        r, z = (
            torch.sigmoid(x @ getattr(self, f"W_x{g}") + h @ getattr(self, f"W_h{g}") + getattr(self, f"b_{g}"))
            for g in "rz"
        )
        new = torch.tanh(x @ self.W_xh + (r * (h @ self.W_hh) if after else (r * h) @ self.W_hh) + self.b_h)
        return (z * h + (1 - z) * new if kept else (1 - z) * h + z * new), c

    return step


def gru_of_linears(self: Any, width: int, size: int) -> Any:
    for name in ("reset_gate", "update_gate", "candidate"):
        setattr(self, name, nn.Linear(width + size, size))

    def step(x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        r, z = (torch.sigmoid(gate(torch.cat([x, h], -1))) for gate in (self.reset_gate, self.update_gate))
        return z * h + (1 - z) * torch.tanh(self.candidate(torch.cat([x, r * h], -1))), c

    return step


def plain(self: Any, width: int, size: int) -> Any:
    self.Wxh, self.Whh, self.bh = parameter(size, width), parameter(size, size), parameter(size)
    return lambda x, h, c: (torch.tanh(x @ self.Wxh.T + h @ self.Whh.T + self.bh), c)


def with_(make: Callable[..., Any], **how: Any) -> Callable[[Any, int, int], Any]:
    return lambda self, width, size: make(self, width, size, **how)


# What is written, and the answers to what cannot be told from the file where the likelier ones are not right.
WRITTEN: dict[str, tuple[Callable[[Any, int, int], Any], dict[str, Any]]] = {
    "textbook": (textbook, {}),
    "textbook, W and U": (with_(textbook, w="W_{}", u="U_{}"), {}),
    "textbook, gates first": (with_(textbook, names="ifog", w="w_{}x", u="w_{}h"), {}),
    "torch's equations": (torchs, {}),
    "a layer for each": (of_linears, {}),
    "a layer for both": (side_by_side, {}),
    "the state first": (with_(side_by_side, first="h"), {"side_by_side": "h, x"}),
    "packed": (packed, {}),
    "packed otherwise": (with_(packed, order="fiog"), {"order": "fiog"}),
    "packed in letters": (with_(letters, order="iofg"), {"order": "iofg"}),
    "one layer": (all_gates, {}),
    "one layer otherwise": (with_(all_gates, order="ifog", first="h"), {"order": "ifog", "side_by_side": "h, x"}),
    "gru": (gru, {}),
    "gru of torch's kind": (with_(gru, after=True), {"reset_after": True}),
    "gru of the other mix": (with_(gru, kept=False), {"mixes": "(1 - z) * h + z * n"}),
    "gru of layers": (gru_of_linears, {}),
    "plain": (plain, {}),
}


def saved(module: nn.Module) -> bytes:
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    return file.getvalue()


@pytest.mark.parametrize("kind", WRITTEN)
@given(width=SIZES, size=st.integers(2, 5), seed=st.integers(0, 99), inside=st.booleans(), ended=st.booleans())
@settings(max_examples=8, deadline=None)
def test_what_somebody_wrote_gives_what_it_gave(
    kind: str, width: int, size: int, seed: int, inside: bool, ended: bool
) -> None:
    make, answers = WRITTEN[kind]
    torch.manual_seed(seed)
    own = Own(make, width, size)
    whole = nn.Module()
    whole.encoder = own
    if ended:
        whole.head = nn.Linear(size, size + width + 7)
    x = torch.randn(5, 2, width)
    expected = own(x).detach()
    file = read_network(saved(whole if inside else own))
    (stack,) = file.stacks
    assert (stack.input_size, stack.hidden_size, stack.name) == (width, size, "encoder" if inside else "")
    assert {question.name for question in stack.asked} >= set(answers)
    if kind in ("plain", "torch's equations") and width == size:
        answers = {"multiplies": "W @ x"}
    with torch.no_grad():
        one, two = file.module(**answers)(x)[0], file.answered(**answers).module()(x)[0]
        torch.testing.assert_close(one, expected, rtol=0, atol=1e-6)
        torch.testing.assert_close(two, expected, rtol=0, atol=1e-6)
        if WRITTEN[kind][1] and size > 2:
            assert not torch.allclose(file.module()(x)[0], expected, atol=1e-6)
    assert stack.readout == ("head" if inside and ended else "")
    assert any("was taken for an" in note and "written by hand" in note for note in file.notes)
    assert {move.gate for move in stack.moved} == set({"LSTM": "ifgo", "GRU": "rzn", "RNN": "h"}[stack.cell])
    for move in stack.moved:
        assert move.source in file.tensors


def test_the_rows_follow_the_answer() -> None:
    torch.manual_seed(0)
    file = read_network(saved(Own(packed, 3, 4))).answered(order="fiog")
    (stack,) = file.stacks
    spans = {move.gate: move.span for move in stack.moved if move.source == "x2h.weight"}
    assert spans == {"f": (0, 3), "i": (4, 7), "o": (8, 11), "g": (12, 15)}
    assert "order" not in {question.name for question in stack.asked}
    with pytest.raises(ValueError, match=r"'order' = 'oooo' is no answer here; .*order: ifgo, ifog"):
        read_network(saved(Own(packed, 3, 4))).module(order="oooo")


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.W, self.U, self.v = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 1)


class Heads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.W_q, self.W_k, self.W_v, self.W_o = (nn.Linear(8, 8) for _ in range(4))


class Experts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gate, self.up, self.down = nn.Linear(6, 8), nn.Linear(6, 16), nn.Linear(16, 6)


class Perceptron(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear, self.hidden, self.out = nn.Linear(7, 16), nn.Linear(16, 4), nn.Linear(4, 2)
        self.i, self.o, self.h = nn.Linear(7, 4), nn.Linear(4, 2), nn.Linear(4, 4)


@pytest.mark.parametrize("make", [Attention, Heads, Experts, Perceptron, lambda: nn.MultiheadAttention(8, 2)])
def test_what_is_called_alike_is_none(make: Callable[[], nn.Module]) -> None:
    with pytest.raises(ValueError, match="no recurrent layer"):
        read_network(saved(make()))


@pytest.mark.parametrize("whole", [False, True])
def test_a_layer_of_our_own_keeps_its_functions(whole: bool) -> None:
    """Its parameters have an LSTM's names, its candidate and its output another function."""
    torch.manual_seed(0)
    layer, x = CellLayer(cells.get("LSTM(sigmoid, silu, silu)"), 3, 4), torch.randn(6, 2, 3)
    stream = io.BytesIO()
    torch.save(layer if whole else {"net": layer.state_dict()}, stream)
    h = c = torch.zeros(2, 4)
    expected = []
    with torch.no_grad():
        w, u, b, d = (getattr(layer, f"{part}_l0") for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
        for x_t in x:
            i, f, g, o = (x_t @ w.T + b + h @ u.T + d).chunk(4, -1)
            c = f.sigmoid() * c + i.sigmoid() * nn.functional.silu(g)
            h = o.sigmoid() * nn.functional.silu(c)
            expected.append(h)
        found = read_network(stream.getvalue()).module()(x)[0]
    torch.testing.assert_close(found, torch.stack(expected), rtol=0, atol=1e-6)


@pytest.mark.parametrize("mode", ["LSTM(sigmoid, gelu, gelu)", "mine <b>", "GRU(sigmoid, silu)"])
def test_a_layer_of_a_cell_that_the_file_does_not_hold_is_refused(mode: str) -> None:
    state = CellLayer(cells.get("LSTM"), 3, 4).state_dict()
    state._metadata[""]["cell"] = mode
    stream = io.BytesIO()
    torch.save(state, stream)
    with pytest.raises(ValueError, match=r"whose lines are not in the file; .* give it to seqviz\.capture") as refusal:
        read_network(stream.getvalue())
    assert mode in str(refusal.value)


def dense(*shape: int, bias: bool = True) -> dict[str, Tensor]:
    return {"kernel": torch.randn(*shape) * 0.5} | ({"bias": torch.randn(shape[1])} if bias else {})


@pytest.mark.parametrize("mark", [".", "/"])
@pytest.mark.parametrize("width", [3, 4])
def test_cells_of_flax_are_read(width: int, mark: str) -> None:
    """Their equations as https://flax.readthedocs.io has them, with biases where ``flax.linen`` has them."""
    torch.manual_seed(0)
    x, h = torch.randn(6, width), torch.zeros(4)
    lstm = {f"{side}{g}": dense(width if side == "i" else 4, 4, bias=side == "h") for side in "ih" for g in "ifgo"}
    gru = {f"{side}{g}": dense(width if side == "i" else 4, 4, bias=side == "i" or g == "n")
           for side in "ih" for g in "rzn"}  # fmt: skip
    tensors = {mark.join(("params", cell, gate, part)): value for cell, gates in (("a", lstm), ("b", gru))
               for gate, parts in gates.items() for part, value in parts.items()}  # fmt: skip
    stream = io.BytesIO()
    torch.save(tensors, stream)
    file = read_network(stream.getvalue())

    def at(gates: dict[str, dict[str, Tensor]], name: str, value: Tensor) -> Tensor:
        return value @ gates[name]["kernel"] + gates[name].get("bias", torch.zeros(4))

    c, outs, h_2, others = torch.zeros(4), [], h, []
    for x_t in x:
        i, f, g, o = (at(lstm, f"i{k}", x_t) + at(lstm, f"h{k}", h) for k in "ifgo")
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        outs.append(h)
        r, z = ((at(gru, f"i{k}", x_t) + at(gru, f"h{k}", h_2)).sigmoid() for k in "rz")
        n = (at(gru, "in", x_t) + r * at(gru, "hn", h_2)).tanh()
        h_2 = (1 - z) * n + z * h_2
        others.append(h_2)
    assert [stack.name for stack in file.stacks] == ["params.a", "params.b"]
    with torch.no_grad():
        torch.testing.assert_close(file.module(0)(x)[0], torch.stack(outs), rtol=0, atol=1e-6)
        torch.testing.assert_close(file.module(1)(x)[0], torch.stack(others), rtol=0, atol=1e-6)
    assert not any(question.name == "multiplies" for stack in file.stacks for question in stack.asked)
