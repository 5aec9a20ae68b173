"""Numbers in the labels of figures, computed again in plain loops, in every language."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from torch import nn

import seqviz
from seqviz.checkpoints import load_asset
from seqviz.gradients.clipping import clip_update
from seqviz.gradients.maps import vanishing_map
from seqviz.language import speaking

LANGUAGES = ["en", "zh", "de"]


def numbers(text: str) -> list[float]:
    return [float(found.replace("−", "-")) for found in re.findall(r"[-−]?\d+(?:\.\d+)?", text)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_shares_of_variance_and_largest_eigenvalues_are_those_of_the_run_and_the_step(language: str) -> None:
    experiment = load_asset("flipflop")
    net, path = seqviz.network(experiment).double(), seqviz.run(experiment)["l0.h"][:, 0].astype(np.float64)
    points = seqviz.fixed_points(net, 0.0, starts=64)
    with speaking(language):
        figure = seqviz.figures.fixed_points(points, path)
    spread = np.linalg.eigvalsh(np.cov(path.T))[::-1]
    for k, axis in enumerate((figure.layout.xaxis, figure.layout.yaxis)):
        assert numbers(axis.title.text)[:2] == [k + 1, round(100 * spread[k] / spread.sum())]
        assert "%" in axis.title.text
    said = [text for trace in figure.data[1:3] for text in trace.text]
    assert len(said) == len(points)
    order = [*np.flatnonzero(points.stable), *np.flatnonzero(~points.stable)]

    def step(h: torch.Tensor) -> torch.Tensor:
        after: torch.Tensor = net.rnn(torch.zeros(1, 1, 3, dtype=torch.float64), h.reshape(1, 1, -1))[1].flatten()
        return after

    for k, text in zip(order, said, strict=True):
        slopes = torch.autograd.functional.jacobian(step, torch.from_numpy(points.states[k])).numpy()
        sizes = np.abs(np.linalg.eigvals(slopes))
        assert numbers(text)[0] == pytest.approx(sizes.max(), abs=6e-4)
        if not points.neutral[k]:
            assert numbers(text)[1] == (sizes > 1).sum()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_maps_numbers_are_decades_lost_per_hundred_steps(language: str) -> None:
    given = seqviz.Experiment("LSTM", 1, 3, sequence=seqviz.Sequence("noise", 21))
    found = vanishing_map(given, ("spectral_radius", [0.5, 1.0]), ("forget_bias", [0.0, 3.0]), draws=2)
    with speaking(language):
        heat = seqviz.figures.vanishing(found).data[0]
    for row in range(2):
        for column in range(2):
            right = [decades(found.at(column, row, draw)) for draw in range(2)]
            across, up, mean, low, high = heat.customdata[row, column]
            assert (across, up) == (found.x.values[column], found.y.values[row])
            np.testing.assert_allclose([mean, low, high], [np.mean(right), min(right), max(right)], atol=1e-5)


def decades(experiment: seqviz.Experiment) -> float:
    """By torch's autograd through a loop of its own cell: the slope of the line through the logs of all norms."""
    net, x = (
        seqviz.network(experiment).double(),
        torch.tensor(seqviz.sequences.generate(experiment.sequence, 1)).double(),
    )
    cell = nn.LSTMCell(1, 3).double()
    with torch.no_grad():
        for name, parameter in cell.named_parameters():
            parameter.copy_(getattr(net.rnn, f"{name}_l0"))
    h = c = torch.zeros(1, 3, dtype=torch.float64)
    states = []
    for value in x:
        h, c = cell(value[None], (h, c))
        c.retain_grad()
        states.append(c)
    net.readout(h).sum().backward()
    logs, steps = [float(state.grad.norm().log10()) for state in states], range(len(states))
    middle = sum(steps) / len(steps)
    slope = sum((t - middle) * log for t, log in zip(steps, logs, strict=True)) / sum((t - middle) ** 2 for t in steps)
    return -100 * slope


@pytest.mark.parametrize(("max_norm", "max_value"), [(1.0, 0.01), (0.05, 0.001), (1e6, 1e6)])
def test_what_clipping_does_is_what_torchs_own_does(max_norm: float, max_value: float) -> None:
    experiment = seqviz.Experiment("GRU", 1, 4, sequence=seqviz.Sequence("noise", 30))
    net, x = (
        seqviz.network(experiment).double(),
        torch.tensor(seqviz.sequences.generate(experiment.sequence, 1)).double(),
    )
    found = clip_update(seqviz.gradient_flow(net, x[:, None], loss="last"), max_norm, max_value)
    weights = [net.rnn.weight_ih_l0, net.rnn.weight_hh_l0]
    net.zero_grad()
    net(x[:, None])[-1].sum().backward()
    flat = lambda: torch.cat([weight.grad.flatten() for weight in weights]).clone()  # noqa: E731
    kept, whole = [weight.grad.clone() for weight in weights], flat()
    torch.nn.utils.clip_grad_value_(weights, max_value)
    by_value = flat()
    for weight, gradient in zip(weights, kept, strict=True):
        weight.grad = gradient.clone()
    torch.nn.utils.clip_grad_norm_(weights, max_norm)
    by_norm = flat()
    cosine = float((whole * by_value).sum() / whole.norm() / by_value.norm())
    right = [float(whole.norm()), float(by_norm.norm()), float(by_value.norm()), cosine]
    np.testing.assert_allclose([found.norm, found.by_norm, found.by_value, found.cosine_by_value], right, rtol=1e-4)
