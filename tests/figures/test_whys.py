"""Figures that say why, against the numbers that they are drawn from."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import seqviz
from seqviz import figures
from seqviz.cells import parse
from seqviz.cells.layer import CellLayer
from seqviz.comparison import nudge_response
from seqviz.figures import theme as look
from seqviz.gradients import by_gates


def called(figure, start: str):
    (found,) = [trace for trace in figure.data if (trace.name or "").startswith(start)]
    return found


def test_what_arrives_is_a_share_of_what_the_last_step_gets() -> None:
    torch.manual_seed(0)
    lstm, x = nn.LSTM(1, 6).double(), torch.randn(40, 1, 1, dtype=torch.float64)
    flow = seqviz.gradient_flow(lstm, x)
    asked, gates = flow["l0.c"][-1, 0], seqviz.capture(lstm, x)["l0.f"][1:, 0]
    with np.errstate(divide="ignore"):
        road = by_gates(np.log10(np.abs(asked)), np.log10(gates))
    figure = figures.arriving({"LSTM": flow.log10_norms("l0.c")}, road=road)
    norms = [np.linalg.norm(flow["l0.c"][t, 0]) for t in range(40)]
    drawn = called(figure, "LSTM")
    np.testing.assert_allclose(10.0 ** np.array(drawn.y), np.array(norms) / norms[-1], rtol=1e-6)
    # The road, in a plain loop: what the loss asks of c, times a forget gate a step back.
    carried = asked.copy()
    for t in range(39, 0, -1):
        carried = carried * gates[t - 1]
    back = math.log10(np.linalg.norm(carried) / np.linalg.norm(asked))
    assert called(figure, "f · f").y[0] == pytest.approx(back, abs=1e-9)
    said = drawn.name.removeprefix("LSTM: ")
    assert said.startswith(f"1/{10 ** -drawn.y[0]:,.0f}"[:3]) or "⁻" in said or "%" in said
    assert figure.layout.yaxis.range[1] >= max(drawn.y)


def test_what_is_left_of_a_nudge_is_a_share_of_its_most_and_read_where_one_asks() -> None:
    experiment = seqviz.Experiment(hidden_size=4, sequence=seqviz.Sequence("noise", 30))
    found = nudge_response(experiment, seqviz.sequences.generate(experiment.sequence, 1), 5)
    figure = figures.nudge(found, at=12)
    drawn = called(figure, "RNN")
    np.testing.assert_allclose(10.0 ** np.array(drawn.y[5:]), found["RNN"][5:] / found["RNN"].max(), rtol=1e-6)
    assert np.isnan(np.array(drawn.y[:5], float)).all()
    assert called(figure, "Feed-forward").name.endswith("nothing")
    percent = 100 * found["GRU"][12] / found["GRU"].max()
    assert called(figure, "GRU").name == f"GRU: {float(f'{percent:.2g}'):g}%"
    assert figure.layout.shapes[0].x0 == 12
    assert figures.nudge({"LSTM": np.zeros(4), "GRU": [np.nan] * 4}).data[1].name.endswith("not a number")


@pytest.mark.parametrize("step", [0, 7, -1])
def test_a_tank_is_filled_with_what_is_kept_and_what_is_poured(step: int) -> None:
    torch.manual_seed(1)
    lstm, x = nn.LSTM(1, 3), torch.randn(20, 1, 1)
    trace = seqviz.capture(lstm, x)
    with torch.no_grad():
        states = [lstm(x[:t])[1] for t in range(1, 21)]
    at = step % 20
    (h, c), before = states[at], states[at - 1][1] if at else torch.zeros(1, 1, 3)
    kept, poured, shows, covered = figures.tank(trace, step, 2).data
    assert kept.y[0] == pytest.approx(float(before[0, 0, 2]), abs=1e-5)
    assert kept.y[1] == kept.y[2] == pytest.approx(float(trace["l0.f"][at, 0, 2] * before[0, 0, 2]), abs=1e-5)
    assert kept.y[2] + poured.y[0] == pytest.approx(float(c[0, 0, 2]), abs=1e-5)
    assert shows.y[0] == pytest.approx(float(h[0, 0, 2]), abs=1e-5)
    assert shows.y[0] + covered.y[0] == pytest.approx(math.tanh(float(c[0, 0, 2])), abs=1e-5)


MINGRU = parse(
    """
    z = sigmoid(W_iz x + b_iz)
    n = W_in x + b_in
    h = (1 - z) * h_prev + z * n""",
    "MINGRU",
)


@pytest.mark.parametrize(("module", "keep"), [
    (lambda: nn.GRU(1, 3), lambda s: s["z"]), (lambda: CellLayer(MINGRU, 1, 3), lambda s: 1 - s["z"]),
])  # fmt: skip
def test_a_tank_of_any_state_that_a_gate_keeps(module, keep) -> None:
    torch.manual_seed(2)
    net, x = module(), torch.randn(9, 1, 1)
    trace = seqviz.capture(net, x)
    with torch.no_grad():
        h = net(x)[0][:, 0, 1].tolist()
    now = {name.removeprefix("l0."): float(trace[name][5, 0, 1]) for name in trace if name.startswith("l0.")}
    given = None if isinstance(net, nn.GRU) else MINGRU
    kept, poured = figures.tank(trace, 5, 1, cell=given).data
    assert kept.y[0] == pytest.approx(h[4], abs=1e-5)
    assert kept.y[2] == pytest.approx(keep(now) * h[4], abs=1e-5)
    assert kept.y[2] + poured.y[0] == pytest.approx(h[5], abs=1e-5)
    said = " ".join(figures.tank(trace, 5, 1, cell=given).layout.xaxis.ticktext)
    assert f"{now['n']:.2f}".replace("-", "−") in said


def test_what_is_no_tank_is_refused_in_a_sentence() -> None:
    x = torch.randn(4, 1, 1)
    plain, gru = seqviz.capture(nn.RNN(1, 2), x), seqviz.capture(nn.GRU(1, 2), x)
    for trace, options, says in [
        (plain, {}, "no gate that keeps its state"), (gru, {"cell": "LSTM"}, "no signal i of layer 0"),
        (gru, {"layer": 1}, "no layer 1"), (gru, {"cell": "ELMAN"}, "ELMAN"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=says):
            figures.tank(trace, 1, **options)


def test_a_race_has_a_line_a_seed_and_a_band_from_the_least_to_the_most() -> None:
    at = lambda step, loss, score: SimpleNamespace(step=step, loss=loss, score=score)  # noqa: E731
    seeds = [[at(0, math.nan, 0.5), at(10, 0.7, 0.6), at(20, 0.3, 0.9)], [at(0, math.nan, 0.4), at(10, 0.2, 1.0)]]
    figure = figures.race({"LSTM, chrono": seeds, "RNN": seeds[:1]})
    score = [trace for trace in figure.data if trace.yaxis == "y"]
    low, high, first, second, alone = score
    assert list(low.x) == [0, 10, 20]
    assert list(low.y) == [0.4, 0.6, 0.9]
    assert list(high.y) == [0.5, 1.0, 1.0], "a run that has ended stands where it ended"
    assert (list(first.y), list(second.y)) == ([0.5, 0.6, 0.9], [0.4, 1.0])
    assert alone.line.dash == look.DASHES[look.network_line("RNN")]
    loss = [trace for trace in figure.data if trace.yaxis == "y2" and trace.name == "LSTM, chrono"]
    assert [list(trace.x) for trace in loss] == [[10, 20], [10]]
    with pytest.raises(ValueError, match="checkpoint"):
        figures.race({"LSTM": [[]]})
