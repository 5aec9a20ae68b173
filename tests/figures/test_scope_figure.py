"""The static figure of a trace: the numbers in it, their scales, and its refusals."""

from __future__ import annotations

import html
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go
import pytest
import torch

import seqviz
from seqviz import vocabulary as words
from seqviz.figures import theme as look
from seqviz.networks.presets import preset

CELLS = ["LSTM", "GRU", "RNN_TANH", "RNN_RELU"]


@pytest.fixture(params=CELLS)
def trace(request) -> seqviz.Trace:
    experiment = seqviz.Experiment(
        cell=request.param, hidden_size=7, num_layers=2, sequence=seqviz.Sequence("sine", 30)
    )
    return seqviz.run(experiment)


def heatmaps(figure: go.Figure) -> dict[str, go.Heatmap]:
    return {drawn.name: drawn for drawn in figure.data if drawn.type == "heatmap"}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("layer", [0, 1])
def test_it_draws_every_signal_transposed(trace, layer, theme):
    figure = seqviz.figures.scope(trace, layer=layer, theme=theme)
    mode = trace.modes[""]
    found = heatmaps(figure)
    assert list(found) == list(words.PICTURE_ORDER[mode])
    for signal, drawn in found.items():
        np.testing.assert_array_equal(drawn.z, trace[f"l{layer}.{signal}"][:, 0].T)
        if words.is_gate(signal):
            assert (drawn.zmin, drawn.zmax) == (0, 1)
            assert _scale(drawn) == look.SEQUENTIAL[theme][signal]
        else:
            assert drawn.zmin == -drawn.zmax
            assert drawn.zmax >= np.abs(drawn.z).max()
            assert _scale(drawn) == look.DIVERGING[theme]
    lines = [drawn for drawn in figure.data if drawn.type == "scatter"]
    assert [drawn.name for drawn in lines] == ["x[0]", "y[0]"]
    np.testing.assert_array_equal(lines[0].y, trace["x"][:, 0, 0])
    np.testing.assert_array_equal(lines[1].y, trace["y"][:, 0, 0])
    assert figure.layout.template.layout.paper_bgcolor == look.SURFACES[theme]["paper"]


def _scale(drawn: go.Heatmap) -> list[list[float | str]]:
    return [list(stop) for stop in drawn.colorscale]


def test_rows_share_one_time_axis_and_do_not_overlap(trace):
    figure = seqviz.figures.scope(trace, title="A title", labels=[str(t) for t in range(30)])
    assert tuple(figure.layout.xaxis.range) == (-0.5, 29.5)
    assert {drawn.xaxis for drawn in figure.data} <= {None, "x"}
    axes = [axis for name, axis in figure.to_dict()["layout"].items() if name.startswith("yaxis")]
    domains = sorted(axis["domain"] for axis in axes)
    assert all(0 <= low < high <= 1 for low, high in domains)
    assert all(below[1] < above[0] for below, above in pairwise(domains))
    assert figure.layout.title.text == "A title"
    assert list(figure.layout.xaxis.ticktext) == [str(t) for t in range(30)]


def test_a_difference_is_now_minus_baseline_about_zero():
    experiment = preset("latch")
    changed = seqviz.run(experiment.edited([seqviz.WeightEdit("weight_ih_l0", 0, 0, 0.5)]))
    base = seqviz.run(experiment)
    figure = seqviz.figures.scope(changed, baseline=base, difference=True)
    for signal, drawn in heatmaps(figure).items():
        np.testing.assert_array_equal(drawn.z, (changed[f"l0.{signal}"] - base[f"l0.{signal}"])[:, 0].T)
        assert drawn.zmin == -drawn.zmax
        assert _scale(drawn) == look.DIVERGING["light"]
    same = heatmaps(seqviz.figures.scope(base, baseline=base, difference=True))
    assert not any(drawn.z.any() for drawn in same.values())
    assert all(drawn.zmax > 0 for drawn in same.values())


def test_batch_direction_and_module_are_chosen():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.GRU(3, 4, bidirectional=True))
    trace = seqviz.capture(net, torch.randn(9, 2, 3))
    prefix = next(iter(trace.modes))
    figure = seqviz.figures.scope(trace, batch=1, reverse=True, prefix=prefix)
    name = words.signal_name(0, "z", reverse=True, prefix=prefix)
    np.testing.assert_array_equal(heatmaps(figure)["z"].z, trace[name][:, 1].T)
    assert not np.array_equal(heatmaps(seqviz.figures.scope(trace, prefix=prefix))["z"].z, heatmaps(figure)["z"].z)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"layer": 5}, "no layer 5"),
        ({"reverse": True}, "no layer 0 in reverse"),
        ({"batch": 1}, "elements 0 to 0"),
        ({"batch": -1}, "elements 0 to 0"),
        ({"prefix": "encoder"}, "no recurrent module 'encoder'"),
        ({"difference": True}, "needs a baseline"),
    ],
)
def test_what_does_not_exist_is_refused_in_a_sentence(trace, wrong, says):
    with pytest.raises(ValueError, match=says) as refusal:
        seqviz.figures.scope(trace, **wrong)
    assert str(refusal.value).endswith(".")


def test_a_baseline_of_another_shape_is_refused():
    one, other = (seqviz.run(seqviz.Experiment(hidden_size=n)) for n in (3, 4))
    with pytest.raises(ValueError, match="other signals or shapes"):
        seqviz.figures.scope(one, baseline=other, difference=True)


def test_the_figure_can_be_written_down_and_drawing_changes_no_trace(trace):
    before = {name: trace[name].copy() for name in trace.signals}
    figure = seqviz.figures.scope(trace)
    assert go.Figure(figure.to_dict()) == figure
    assert '"heatmap"' in figure.to_json()
    assert all(np.array_equal(trace[name], values) for name, values in before.items())


def test_a_weight_matrix_is_drawn_about_zero():
    matrix = np.array([[0.5, -2.0], [1.0, 0.0], [0.25, 1.5]])
    (drawn,) = seqviz.figures.weight_matrix(matrix, title="W").data
    np.testing.assert_array_equal(drawn.z, matrix)
    assert (drawn.zmin, drawn.zmax) == (-2, 2)
    (bias,) = seqviz.figures.weight_matrix(matrix[:, 0]).data
    assert np.shape(bias.z) == (3, 1)
    (zeros,) = seqviz.figures.weight_matrix(np.zeros((2, 2))).data
    assert zeros.zmax > 0


@pytest.mark.parametrize(
    ("largest", "reach"),
    [(0.1, 0.1), (0.24, 0.24), (0.25, 1.0), (0.3, 1.0), (0.6, 1.0), (1.0, 1.0), (3.0, 3.0), (0.0, 1.0)],
)
def test_a_state_far_inside_1_sets_its_own_scale_and_others_share_1(largest, reach):
    values = np.zeros((5, 1, 2), np.float32)
    values[3, 0, 1] = -largest
    trace = seqviz.Trace({"x": np.zeros((5, 1, 1)), "l0.h": values, "y": np.zeros((5, 1, 1))}, modes={"": "RNN_TANH"})
    drawn = heatmaps(seqviz.figures.scope(trace))["h"]
    assert (drawn.zmin, drawn.zmax) == pytest.approx((-reach, reach))


def test_the_saturation_plot_has_closed_across_and_open_upwards():
    gate = np.full((10, 1, 3), 0.5)
    gate[:7, 0, 0], gate[:2, 0, 1], gate[2:, 0, 1] = 0.01, 0.02, 0.99
    signals = {f"l0.{name}": gate if name == "f" else np.full((10, 1, 3), 0.5) for name in words.PICTURE_ORDER["LSTM"]}
    figure = seqviz.figures.saturation(seqviz.Trace(signals, modes={"": "LSTM"}))
    (forget,) = [drawn for drawn in figure.data if drawn.name == "forget gate"]
    np.testing.assert_allclose(forget.x, [0.7, 0.2, 0.0])
    np.testing.assert_allclose(forget.y, [0.0, 0.8, 0.0])
    assert figure.layout.xaxis.title.text.startswith("closed")
    assert figure.layout.yaxis.title.text.startswith("open")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_wrong_with_a_run_stands_under_the_title(theme):
    x = torch.randn(9, 1, 3)
    x[3, 0, 2] = float("nan")
    layer = torch.nn.LSTM(3, 4)
    healthy, broken = seqviz.capture(layer, x.nan_to_num()), seqviz.capture(layer, x)
    plain, told = (seqviz.figures.scope(trace, theme=theme, title="Load") for trace in (healthy, broken))
    assert plain.layout.title.subtitle.text is None
    assert broken.problem
    assert told.layout.title.subtitle.text.replace("<br>", " ") == html.escape(broken.problem)
    assert told.layout.height > plain.layout.height
    assert told.layout.margin.t - plain.layout.margin.t == told.layout.height - plain.layout.height
