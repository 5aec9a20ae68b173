"""Does it use its memory: nudges, resets and guesses, against closed forms and plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from cells_written import WRITTEN
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import seqviz
from seqviz.capture.precision import twin
from seqviz.cells.layer import CellLayer
from seqviz.memory import against_guesses, nudge_lasts, reset_every, uses_memory
from seqviz.memory.ratios import ratio
from seqviz.memory.resets import resetting
from seqviz.trials import Errors


def filled(net, **values):
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
        for name, value in values.items():
            net.get_parameter(name).copy_(
                torch.as_tensor(value, dtype=torch.float32).reshape(net.get_parameter(name).shape)
            )
    return net


def leaky(*keeps):
    """Units that keep a share of themselves at each step, and add the input."""
    size = len(keeps)
    net = filled(nn.RNN(1, size, nonlinearity="relu"), weight_hh_l0=torch.diag(torch.tensor(keeps)))
    with torch.no_grad():
        net.weight_ih_l0.fill_(1.0)
    return net


def integrator(keep=1.0):
    """``s_t = keep s_{t-1} + x_t`` of any sign: a positive and a negative part, and their difference."""
    net = seqviz.SequenceRNN(1, 2, 1, nonlinearity="relu")
    own = [[keep, -keep], [-keep, keep]]
    return filled(net, **{"rnn.weight_ih_l0": [1.0, -1.0], "rnn.weight_hh_l0": own, "readout.weight": [1.0, -1.0]})


def noise(steps, batch=16, seed=0):
    return torch.randn(steps, batch, 1, generator=torch.Generator().manual_seed(seed))


@given(keeps=st.lists(st.floats(0.3, 0.97), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_a_leaky_units_nudge_has_the_half_life_of_its_keep(keeps):
    keeps = [float(np.float32(keep)) for keep in keeps]
    found = nudge_lasts(leaky(*keeps), torch.rand(80, 2, 1) + 1)
    exact = [math.log(0.5) / math.log(keep) for keep in keeps]
    assume(all(abs(value - round(value)) > 1e-6 for value in exact))
    wanted = [math.ceil(value) for value in exact]
    assert found.lags == 80 - found.steps[-1]
    np.testing.assert_array_equal(found.half_lives["l0"], [w if w < found.lags else math.inf for w in wanted])
    lags = np.arange(found.lags)
    np.testing.assert_allclose(
        found.units["l0"], found.by * np.array(keeps)[None] ** lags[:, None], rtol=1e-6, atol=1e-13
    )
    assert found.half_life["l0"] == found.longest


def test_a_nudge_is_as_large_as_the_input_changes_or_as_asked():
    x = torch.cat([torch.ones(30, 4, 1), 3 * torch.ones(30, 4, 1)])
    assert nudge_lasts(leaky(0.5), x).by == pytest.approx(1.0)
    assert nudge_lasts(leaky(0.5), torch.ones(9, 1, 1)).by == 1.0
    found = nudge_lasts(leaky(0.5), x, by=0.25, at=[3])
    np.testing.assert_allclose(found.units["l0"][:3, 0], [0.25, 0.125, 0.0625], rtol=1e-9)
    assert found.steps == (3,)


def test_a_cell_that_never_forgets_keeps_a_nudge():
    found = nudge_lasts(seqviz.preset("counter"))
    assert math.isinf(found.longest)
    assert math.isinf(found.half_lives["l0"][0])


def test_a_unit_that_nothing_moves_has_no_half_life():
    net = filled(nn.RNN(1, 2), weight_ih_l0=[0.5, 0.0])
    found = nudge_lasts(net, noise(20))
    np.testing.assert_array_equal(found.half_lives["l0"], [1, 0])


class Packs(nn.Module):
    """Somebody's model: a batch-first layer whose padding is packed away, and one answer for each sequence."""

    def __init__(self, kind=nn.LSTM):
        super().__init__()
        torch.manual_seed(2)
        self.rnn, self.head = kind(2, 5, batch_first=True), nn.Linear(5, 3)

    def forward(self, x, lengths):
        out, _ = self.rnn(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
        out, _ = pad_packed_sequence(out, batch_first=True)
        return self.head(out)


class Loops(nn.Module):
    """A cell in a loop."""

    def __init__(self, kind=nn.LSTMCell):
        super().__init__()
        torch.manual_seed(2)
        self.cell, self.head = kind(2, 5), nn.Linear(5, 1)

    def forward(self, x):
        state, outs = None, []
        for row in x:
            state = self.cell(row, state)
            outs.append(self.head(state[0] if isinstance(state, tuple) else state))
        return torch.stack(outs)


class Streams(nn.Module):
    """A layer that is called for a few steps at a time, with the states handed on."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(2)
        self.rnn = nn.GRU(2, 5, 2)

    def forward(self, x):
        outs, state = [], None
        for part in x.split(3):
            out, state = self.rnn(part, state)
            outs.append(out)
        return torch.cat(outs)


def reset_loop(net, x, every, hx=None):
    """torch's own layer, piece by piece, each from the first state."""
    pieces = x.split(every, dim=1 if net.batch_first and x.dim() == 3 else 0)
    with torch.no_grad():
        outs = [net(piece, hx)[0] for piece in pieces]
    return torch.cat(outs, dim=1 if net.batch_first and x.dim() == 3 else 0)


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from([nn.RNN, nn.GRU, nn.LSTM]),
    every=st.integers(1, 14),
    steps=st.integers(1, 12),
    batch=st.sampled_from([0, 1, 3]),
    layers=st.integers(1, 2),
    first=st.booleans(),
    both=st.booleans(),
    stated=st.booleans(),
)
def test_a_reset_layer_is_torchs_layer_piece_by_piece(kind, every, steps, batch, layers, first, both, stated):
    torch.manual_seed(0)
    net = kind(2, 3, layers, batch_first=first, bidirectional=both)
    x = torch.randn((steps, 2) if not batch else (batch, steps, 2) if first else (steps, batch, 2))
    hx = None
    if stated:
        sizes = (layers * (1 + both), 3) if not batch else (layers * (1 + both), batch, 3)
        states = tuple(torch.randn(sizes) for _ in range(2))
        hx = states if kind is nn.LSTM else states[0]
    with torch.no_grad(), resetting(every):
        out, ends = net(x, hx)
    wanted = reset_loop(net, x, every, hx)
    torch.testing.assert_close(out, wanted, atol=1e-6, rtol=1e-6)
    h_n = ends[0] if kind is nn.LSTM else ends
    last = x[:, -((steps - 1) % every + 1) :] if first and batch else x[-((steps - 1) % every + 1) :]
    with torch.no_grad():
        wanted = net(last, hx)[1]
    torch.testing.assert_close(h_n, wanted[0] if kind is nn.LSTM else wanted, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("every", [1, 3, 4, 20])
@pytest.mark.parametrize("cell", ["coupled gates", "GRU, reset before", "sLSTM"])
def test_a_layer_of_any_cell_is_reset(cell, every, first):
    torch.manual_seed(0)
    net = CellLayer(WRITTEN[cell], 2, 3, 2, batch_first=first)
    x = torch.randn(4, 10, 2) if first else torch.randn(10, 4, 2)
    with torch.no_grad(), resetting(every):
        found = net(x)[0]
    torch.testing.assert_close(found, reset_loop(net, x, every), atol=1e-6, rtol=1e-6)
    assert nudge_lasts(net, x).longest > 0


@pytest.mark.parametrize("every", [1, 2, 3, 4, 5, 9, 20])
def test_a_packed_batch_is_reset_element_by_element(every):
    net, x, lengths = Packs(), torch.randn(3, 9, 2), torch.tensor([4, 9, 6])
    with torch.no_grad(), resetting(every):
        found = net(x, lengths)
    for n, length in enumerate(lengths.tolist()):
        wanted = net.head(reset_loop(net.rnn, x[n : n + 1, :length], every)[0])
        torch.testing.assert_close(found[n, :length], wanted, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("every", [1, 2, 3, 4, 7, 30])
@pytest.mark.parametrize("kind", [nn.LSTMCell, nn.GRUCell, nn.RNNCell])
def test_a_cell_in_a_loop_is_reset(every, kind):
    net, x = Loops(kind), torch.randn(10, 3, 2)
    with torch.no_grad(), resetting(every):
        found = net(x)
    with torch.no_grad():
        wanted = torch.cat([net(part) for part in x.split(every)])
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("every", [1, 2, 3, 4, 5, 6, 8, 30])
def test_steps_are_counted_over_the_calls_of_one_sequence(every):
    net, x = Streams(), torch.randn(11, 2, 2)
    with torch.no_grad(), resetting(every):
        found = net(x)
    torch.testing.assert_close(found, reset_loop(net.rnn, x, every), atol=1e-6, rtol=1e-6)


def test_a_second_sequence_begins_anew():
    net, x = Streams(), torch.randn(4, 2, 2)
    with torch.no_grad(), resetting(3):
        first, second = net(x), net(x)
    torch.testing.assert_close(first, second)


def test_a_network_without_recurrence_loses_nothing():
    net = seqviz.SequenceRNN(1, 4, 1)
    with torch.no_grad():
        net.rnn.weight_hh_l0.zero_()
        net.rnn.bias_hh_l0.zero_()
    x = noise(50)
    curve = reset_every(net, x, x.roll(-1, 0))
    assert curve.ks == (1, 2, 5, 10, 20, 50)
    np.testing.assert_allclose([r.value for r in curve.ratios], 1, rtol=1e-5)
    found = uses_memory(net, x, x.roll(-1, 0))
    assert found.verdict.startswith("It does not use its memory: reset at every step, it does as well.")


@pytest.mark.parametrize("every", [1, 3, 7, 25, 50, 60])
def test_what_an_integrator_loses_is_the_sum_that_was_taken_away(every):
    """It is told to give the sum so far; a reset takes the sum up to it."""
    x = noise(50, 4)
    sums = x.cumsum(0)
    curve = reset_every(integrator(), x, sums, [every])
    lost = np.zeros((50, 4))
    for t in range(50):
        start = t - t % every
        lost[t] = x[:start, :, 0].sum(0).numpy()
    assert curve.losses[0] == pytest.approx(float((lost**2).mean()), rel=1e-4, abs=1e-9)
    assert curve.loss == pytest.approx(0, abs=1e-9)


def test_the_latch_pays_for_resets():
    latch = seqviz.preset("latch")
    wanted = torch.from_numpy(seqviz.run(latch)["y"].copy())
    found = uses_memory(latch, targets=wanted)
    assert found.resets.loss == pytest.approx(0, abs=1e-12)
    assert found.resets.ratios[0].value > 1e3
    assert "uses its memory" in found.verdict


def test_a_task_is_judged_by_its_own_exam():
    trained = seqviz.tasks.task("latch")
    recipe = seqviz.training.RECIPES["latch"]["LSTM, chrono"]
    *_, last = seqviz.training.train(seqviz.training.prepare(trained, recipe), trained, recipe)
    assert last.solved
    found = uses_memory(last.experiment, task=trained)
    assert found.resets.ratios[0].low > 5
    assert found.guesses.last is None
    assert found.guesses.constant.high < 0.2
    assert math.isinf(found.lasting.longest)
    assert found.verdict.startswith("It uses its memory: reset at every step, its loss is")
    assert "It beats one value for all steps" in found.verdict
    exam = trained.exam(torch.Generator().manual_seed(0), 256)
    with torch.no_grad():
        wanted = float(trained.loss(seqviz.network(last.experiment)(exam.x), exam))
    assert found.resets.loss == pytest.approx(wanted, rel=1e-4)


def repeats():
    """A network that gives its last input again."""
    return integrator(0.0)


def series(phi, steps=400, batch=32):
    """x_t = phi x_{t-1} + noise of variance 1, from its long run."""
    e, x = noise(steps + 1, batch, 4), torch.zeros(steps + 1, batch, 1)
    x[0] = e[0] / math.sqrt(1 - phi**2)
    for t in range(1, steps + 1):
        x[t] = phi * x[t - 1] + e[t]
    return x[:-1], x[1:]


def test_a_network_that_repeats_the_last_value_is_as_good_as_that():
    x, wanted = series(0.6)
    found = uses_memory(repeats(), x, wanted)
    assert found.guesses.ahead == 1
    np.testing.assert_allclose(found.guesses.last, 1, rtol=1e-5)
    assert found.verdict == (
        "It does not use its memory: reset at every step, it does as well. "
        "It is no better than repeating the last value: its loss is 1 times that."
    )


@pytest.mark.parametrize("phi", [-0.5, 0.3, 0.8])
def test_the_best_forecast_of_a_series_is_as_much_better_as_theory_says(phi):
    """Errors: 1 of the best; 2 / (1 + phi) of the last value; 1 / (1 - phi^2) of the mean (Box and Jenkins, 3.2)."""
    x, wanted = series(phi)
    net = repeats()
    with torch.no_grad():
        net.readout.weight.mul_(phi)
    found = against_guesses(net, x, wanted)
    assert found.last.low <= (1 + phi) / 2 <= found.last.high
    assert found.constant.low <= 1 - phi**2 <= found.constant.high
    assert found.last.high - found.last.low < 0.1


def test_the_last_value_is_found_where_it_stands():
    torch.manual_seed(0)
    rows = torch.randn(60, 5, 3).cumsum(0)
    x, wanted = rows[:-4], rows[4:, :, [2, 0]]
    net = seqviz.SequenceGRU(3, 4, 2)
    found = against_guesses(net, x, wanted)
    assert found.ahead == 4
    naive = (x[..., [2, 0]] - wanted).square().mean()
    assert found.last.value == pytest.approx(found.loss / float(naive), rel=1e-4)
    scaled = against_guesses(net, x, wanted * 2 + 1)
    assert scaled.last is None
    assert scaled.constant is not None
    said = against_guesses(net, x, wanted * 2 + 1, last=[2, 0])
    naive = (x[..., [2, 0]] - (wanted * 2 + 1)).square().mean()
    assert said.last.value == pytest.approx(said.loss / float(naive), rel=1e-4)
    given = against_guesses(net, x, wanted * 2 + 1, last=x[..., [2, 0]] * 2 + 1)
    assert given.last.value == pytest.approx(
        given.loss / float(4 * (x[..., [2, 0]] - wanted).square().mean()), rel=1e-4
    )


class Windows(nn.Module):
    """One forecast for each window, batch first."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.lstm, self.head = nn.LSTM(1, 4, batch_first=True), nn.Linear(4, 1)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


def test_windows_of_a_series_are_told_by_their_next_ones():
    rows = torch.randn(80, 1).cumsum(0)
    x = rows.unfold(0, 10, 1)[:-1].transpose(1, 2)
    wanted = rows[10:]
    found = uses_memory(Windows(), x, wanted)
    assert found.guesses.ahead == 1
    naive = (x[:, -1] - wanted).square().mean()
    assert found.guesses.last.value == pytest.approx(found.guesses.loss / float(naive), rel=1e-4)
    assert found.resets.steps == 10
    assert found.resets.ratios[0].known


def test_classes_are_held_against_their_frequencies():
    torch.manual_seed(0)
    net, x = seqviz.SequenceGRU(2, 4, 3), torch.randn(20, 12, 2)
    wanted = torch.randint(3, (20, 12))
    found = against_guesses(net, x, wanted)
    often = torch.bincount(wanted.reshape(-1), minlength=3) / wanted.numel()
    entropy = float(-(often * often.log()).sum())
    assert found.constant.value == pytest.approx(found.loss / entropy, rel=1e-5)
    assert found.last is None


def test_a_masked_loss_is_of_what_counts():
    x, net = noise(20, 12), repeats()
    wanted = x.clone()
    wanted[3] += 5
    mask = torch.ones(20, 12)
    mask[3] = 0
    assert reset_every(net, x, wanted, mask=mask).loss == pytest.approx(0, abs=1e-12)
    assert reset_every(net, x, wanted).loss == pytest.approx(25 / 20, rel=1e-5)


def test_a_loss_of_ones_own():
    x = noise(20, 12)
    own = reset_every(repeats(), x, loss=lambda y: (y - x - 1).abs().mean())
    assert own.loss == pytest.approx(1, rel=1e-5)
    assert not own.ratios[0].known
    fine = reset_every(repeats(), x, x, loss=lambda y, wanted: (y - wanted - 1).abs().mean(-1))
    assert fine.ratios[0].known
    assert fine.loss == pytest.approx(1, rel=1e-5)


def test_a_module_is_left_as_it_was():
    class Counts(Windows):
        def forward(self, x):
            self.calls = getattr(self, "calls", 0) + 1
            return super().forward(x)

    net = Counts()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    uses_memory(net, torch.randn(9, 6, 1), torch.randn(9, 1))
    assert not hasattr(net, "calls")
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())
    assert not net.lstm._forward_hooks
    assert not net.lstm._forward_pre_hooks


def test_an_interval_holds_the_truth_as_often_as_it_says():
    """Of 300 made sets of losses whose true ratio is 1.5, some 95 % of the intervals hold it."""
    draw, held = np.random.default_rng(0), 0
    for _ in range(300):
        base = draw.gamma(4, 1, 40)
        above = 1.5 * base * draw.gamma(20, 1 / 20, 40)
        found = ratio(Errors(above, np.ones(40)), Errors(base, np.ones(40)))
        held += found.low <= 1.5 <= found.high
    assert 0.89 <= held / 300 <= 0.99


def test_nothing_over_nothing_is_one():
    zero, some = Errors(np.zeros(10), np.ones(10)), Errors(np.ones(10), np.ones(10))
    assert ratio(zero, zero) == (1, 1, 1)
    assert ratio(some, zero) == (math.inf, math.inf, math.inf)
    assert not ratio(Errors(np.ones(3), np.ones(3)), Errors(np.ones(3), np.ones(3))).known


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: reset_every(nn.Linear(1, 1), noise(5), noise(5)), "contains no"),
        (lambda: reset_every(repeats(), noise(5)), "Give targets"),
        (lambda: reset_every(repeats(), noise(5), noise(6)), "do not fit each other"),
        (lambda: reset_every(repeats(), noise(5), noise(5), [0]), "between resets"),
        (lambda: reset_every(repeats(), noise(5), noise(5), []), "at least one"),
        (lambda: reset_every(repeats(), noise(5), noise(5), 3), "must be a list"),
        (lambda: reset_every(repeats(), noise(5), noise(5), loss="mae"), "must be one of"),
        (lambda: reset_every(repeats(), noise(5), loss=lambda y: 3), "must give a tensor"),
        (lambda: reset_every(repeats(), noise(5), noise(5), mask=torch.ones(5)), "mask must have the shape"),
        (lambda: reset_every(repeats(), noise(5), noise(5), mask=torch.zeros(5, 16)), "lets no loss count"),
        (lambda: reset_every(nn.LSTM(1, 2, 2, dropout=0.5), noise(5), noise(5)), "eval"),
        (lambda: reset_every(repeats(), noise(5), torch.zeros(5, 16).long() + 7), "classes must be"),
        (lambda: against_guesses(repeats(), noise(5), noise(5), last=3), "must name an input"),
        (lambda: nudge_lasts(repeats(), noise(5), at=[5]), "nudged step"),
        (lambda: nudge_lasts(repeats(), noise(5), at=[]), "at least one step"),
        (lambda: nudge_lasts(repeats(), noise(5), by=math.nan), "size of the nudge"),
        (lambda: nudge_lasts(repeats(), torch.zeros(5, 1, 2)), "2 features"),
    ],
)
def test_what_cannot_be_asked_gets_a_sentence(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_a_copy_shares_nothing_that_is_trained():
    net = repeats()
    assert twin(net).readout.weight is not net.readout.weight
