"""The short way through a layer or a network gives what the call of the module itself gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from seqviz import SequenceGRU, SequenceLSTM, SequenceRNN, capture, gradient_flow, state_jacobians, step_jacobians
from seqviz.capture.direct import direct

MODULES = {
    "lstm": lambda: nn.LSTM(3, 5),
    "projected, both ways": lambda: nn.LSTM(3, 5, 2, proj_size=2, bidirectional=True, batch_first=True),
    "gru, dropout": lambda: nn.GRU(3, 5, 3, dropout=0.5, bias=False),
    "relu": lambda: nn.RNN(3, 5, 2, nonlinearity="relu"),
    "network": lambda: SequenceLSTM(3, 5, 2, proj_size=4, batch_first=True),
    "network of GRUs": lambda: SequenceGRU(3, 5, 2, 2, bidirectional=True),
    "plain network": lambda: SequenceRNN(3, 5, 2),
}


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("given", [False, True])
def test_the_short_way_is_the_modules_own(name: str, given: bool) -> None:
    """Output, states and random numbers are those of torch's call; so are the signals, within rounding, with a hook."""
    torch.manual_seed(3)
    module, x = MODULES[name](), torch.randn(7, 4, 3)
    rnn = getattr(module, "rnn", module)
    batch = 7 if rnn.batch_first else 4
    count = rnn.num_layers * (2 if rnn.bidirectional else 1)
    h_0, c_0 = torch.randn(count, batch, rnn.proj_size or 5), torch.randn(count, batch, 5)
    hx = ((h_0, c_0) if rnn.mode == "LSTM" else h_0) if given else None
    assert direct(module)
    torch.manual_seed(4)
    short, state = capture(module, x, hx), torch.get_rng_state()
    torch.manual_seed(4)
    own = module(x, hx)
    assert torch.equal(state, torch.get_rng_state())
    handles = [m.register_forward_hook(lambda *_: None) for m in module.modules()]
    assert not direct(module)
    torch.manual_seed(4)
    long = capture(module, x, hx)
    assert (list(short), list(short.initial)) == (list(long), list(long.initial))
    assert (short.modes, short.all_lengths, short.problem) == (long.modes, long.all_lengths, long.problem)
    assert short.parity < 5e-7
    for here, there in ((short.arrays, long.arrays), (short.initial, long.initial)):
        for signal, value in here.items():
            np.testing.assert_allclose(value, there[signal], rtol=1e-5, atol=5e-7, err_msg=signal)
    for handle in handles:
        handle.remove()
    if module is not rnn:
        y = own.transpose(0, 1) if rnn.batch_first else own
        np.testing.assert_array_equal(short["y"], y.detach().numpy())


def test_whoever_has_a_say_is_asked() -> None:
    """A hook, a forward or a class of somebody's own, or a part that is not ours: then the module itself is called."""
    lstm, net = nn.LSTM(3, 5), SequenceLSTM(3, 5, 2)
    assert direct(lstm)
    assert direct(net)
    assert not direct(type("Own", (nn.LSTM,), {})(3, 5))
    assert not direct(nn.Sequential(lstm))
    lstm.register_forward_pre_hook(lambda module, args: (args[0] * 2,))
    assert not direct(lstm)
    x = torch.randn(6, 1, 3)
    np.testing.assert_array_equal(capture(lstm, x)["x"], 2 * x.numpy())
    net.rnn.forward = lambda x, hx=None: nn.LSTM.forward(net.rnn, -x, hx)  # type: ignore[method-assign]
    assert not direct(net)
    np.testing.assert_array_equal(capture(net, x)["x"], -x.numpy())
    third = SequenceLSTM(3, 5, 2)
    third.extra = nn.LSTM(3, 5)
    assert not direct(third)
    calls: list[nn.Module] = []
    handle = nn.modules.module.register_module_forward_hook(lambda module, *_: calls.append(module))
    try:
        whole = nn.GRU(3, 5)
        assert not direct(whole)
        capture(whole, x)
    finally:
        handle.remove()
    assert whole in calls


def test_the_caller_may_write_to_what_it_gave() -> None:
    """The trace shares nothing with the input, the states or the weights."""
    lstm, x, hx = nn.LSTM(3, 5), torch.randn(6, 2, 3), (torch.randn(1, 2, 5), torch.randn(1, 2, 5))
    trace, same = capture(lstm, x, hx), capture(lstm, x.clone(), tuple(s.clone() for s in hx))
    with torch.no_grad():
        for tensor in (x, *hx, *lstm.parameters()):
            tensor.fill_(7)
    assert trace == same


@pytest.mark.parametrize("kind", [nn.LSTM, SequenceLSTM])
def test_states_in_a_list_are_states(kind: type[nn.Module]) -> None:
    """torch takes ``[h_0, c_0]`` as well as ``(h_0, c_0)``; a GRU's state in a list is refused, as torch refuses it."""
    module = kind(3, 5, 1) if kind is nn.LSTM else kind(3, 5, 2)
    x, pair = torch.randn(6, 1, 3), (torch.randn(1, 1, 5), torch.randn(1, 1, 5))
    ways = (capture, gradient_flow, state_jacobians, step_jacobians)
    for way in ways:
        found, wanted = way(module, x, list(pair)), way(module, x, pair)
        if way is capture:
            assert found == wanted
            np.testing.assert_array_equal(found.initial["l0.c"], pair[1][0].numpy())
        elif way is gradient_flow:
            np.testing.assert_array_equal(found["l0.h"], wanted["l0.h"])
        elif way is state_jacobians:
            np.testing.assert_array_equal(found.h_h, wanted.h_h)
        else:
            np.testing.assert_array_equal(found, wanted)
    for wrong in ([pair[0]], [*pair, pair[0]], pair[0], []):
        with pytest.raises(ValueError, match=r"\(h_0, c_0\)"):
            capture(module, x, wrong)
    with pytest.raises(ValueError, match="one tensor"):
        capture(nn.GRU(3, 5), x, [pair[0]])


def summed(output: Any) -> torch.Tensor:
    """The sum of everything that a layer or network gives at its steps."""
    first = output[0] if type(output) is tuple else output
    return first.data.sum() if isinstance(first, nn.utils.rnn.PackedSequence) else first.sum()


@pytest.mark.parametrize("form", ["batch", "unbatched", "packed"])
def test_gradients_of_the_short_way_are_those_of_the_long(form: str) -> None:
    """A loss of one's own, which may write to the output, takes the long way; the numbers are the same."""
    torch.manual_seed(5)
    for module in (nn.LSTM(3, 5, 2), SequenceLSTM(3, 5, 2), nn.GRU(3, 5)):
        given: Any = torch.randn(7, 3) if form == "unbatched" else torch.randn(7, 4, 3)
        if form == "packed":
            given = nn.utils.rnn.pack_padded_sequence(given, [7, 3, 7, 1], enforce_sorted=False)
        short, long = gradient_flow(module, given, loss="sum"), gradient_flow(module, given, loss=summed)
        assert list(short.arrays) == list(long.arrays)
        for name, value in short.arrays.items():
            np.testing.assert_allclose(value, long[name], rtol=1e-4, atol=1e-6, err_msg=name)
        assert short.loss == pytest.approx(long.loss, rel=1e-5)
