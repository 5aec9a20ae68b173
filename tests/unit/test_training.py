"""The trainer: recipes that solve their task, some that must not, and the same numbers every time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from seqviz.checkpoints import asset_names, from_safetensors, load_asset, to_safetensors
from seqviz.experiment import Experiment, WeightEdit
from seqviz.runner import network, run
from seqviz.tasks import TASKS, Task, task
from seqviz.training import RECIPES, Checkpoint, Recipe, prepare, train


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def trained(found: Task, recipe: Recipe, seed: int = 0) -> list[Checkpoint]:
    return list(train(prepare(found, recipe, seed), found, recipe, seed=seed))


FAST = [
    ("latch", "LSTM, chrono"),
    ("adding", "LSTM, chrono"),
    ("order", "LSTM, chrono"),
    ("copy", "RNN, orthogonal"),
    ("parity", "GRU"),
    ("parity_end", "LSTM, short ones first"),
    ("brackets", "LSTM, forget bias 1"),
    ("sine", "LSTM"),
]


@pytest.mark.parametrize(("name", "recipe"), FAST)
def test_fast_recipes_solve_their_task(name: str, recipe: str) -> None:
    last = trained(task(name), RECIPES[name][recipe])[-1]
    assert last.reason == "Solved."
    assert task(name).is_solved(last.score)


@pytest.mark.parametrize(
    ("name", "recipe"),
    [("latch", "LSTM, default"), ("order", "LSTM, forget bias 1"), ("parity_end", "LSTM, all at once")],
)
def test_instructive_failures_fail(name: str, recipe: str) -> None:
    found = task(name)
    last = trained(found, replace(RECIPES[name][recipe], max_steps=400, every=100))[-1]
    assert last.reason == "It ran out of steps."
    assert last.score == pytest.approx(found.chance, abs=0.1)


def test_latch_of_two_hundred_steps() -> None:
    found = task("latch").at_length(200)
    recipe = replace(RECIPES["latch"]["LSTM, chrono"], memory=200, max_steps=600)
    assert trained(found, recipe)[-1].reason == "Solved."


SHORT = Recipe(hidden_size=8, max_steps=40, every=10)


def test_the_same_seed_gives_the_same_checkpoints() -> None:
    a, b = (trained(task("adding"), SHORT, seed=3) for _ in range(2))
    other = trained(task("adding"), SHORT, seed=4)
    assert [c.experiment for c in a] == [c.experiment for c in b]
    assert [(c.loss, c.score, c.grad_norm) for c in a[1:]] == [(c.loss, c.score, c.grad_norm) for c in b[1:]]
    assert a[-1].experiment != other[-1].experiment


def test_stopped_and_resumed_is_uninterrupted() -> None:
    found = task("adding")
    start = prepare(found, SHORT)
    whole = list(train(start, found, SHORT))
    first = []
    for checkpoint in train(start, found, SHORT):
        first.append(checkpoint)
        if checkpoint.step == 20:
            break
    rest = list(train(start, found, SHORT, resume=first[-1]))
    assert [c.step for c in rest] == [30, 40]
    assert [c.experiment for c in rest] == [c.experiment for c in whole[3:]]
    assert [c.loss for c in rest] == [c.loss for c in whole[3:]]


def test_stopping_ends_with_a_last_checkpoint() -> None:
    asked = iter([False] * 13 + [True] * 100)
    found = list(train(prepare(task("adding"), SHORT), task("adding"), SHORT, stop=lambda: next(asked)))
    assert found[-1].reason == "Stopped."
    assert found[-1].step == 14


def test_divergence_ends_with_the_last_good_network() -> None:
    wild = replace(SHORT, cell="RNN_RELU", lr=1e30, clip=1e30)
    last = trained(task("adding"), wild)[-1]
    assert "last good network" in last.reason
    assert all(np.isfinite(t.array()).all() for t in last.experiment.tensors)


def test_the_random_state_is_left_alone() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    trained(task("latch"), replace(SHORT, max_steps=10))
    assert torch.equal(before, torch.get_rng_state())


def test_gradient_norms_are_before_and_after_clipping() -> None:
    checkpoints = trained(task("adding"), replace(SHORT, clip=0.05))
    assert any(c.grad_norm > 0.05 for c in checkpoints[1:])
    assert all(c.clipped_norm <= 0.05 + 1e-9 for c in checkpoints[1:])


def test_chrono_biases_are_the_papers() -> None:
    start = prepare(task("latch"), replace(RECIPES["latch"]["LSTM, chrono"], memory=100))
    tensors = {t.parameter: t.array() for t in start.tensors}
    forget = (tensors["bias_ih_l0"] + tensors["bias_hh_l0"])[16:32]
    assert (forget >= 0).all()
    assert (forget <= np.log(99)).all()
    np.testing.assert_allclose((tensors["bias_ih_l0"] + tensors["bias_hh_l0"])[:16], -forget, rtol=1e-6)


def test_a_checkpoint_is_an_experiment_that_answers_as_the_network_did() -> None:
    last = trained(task("parity"), RECIPES["parity"]["LSTM"])[-1]
    sequence, right, _ = task("parity").probe()
    y = run(last.experiment)["y"][:, 0, 0]
    assert ((y > 0) == (right[:, 0] > 0.5)).mean() > 0.9
    assert last.experiment.sequence == sequence


def test_wrong_sizes_get_a_sentence() -> None:
    with pytest.raises(ValueError, match="2 inputs and 1 outputs"):
        next(train(Experiment(), task("adding"), SHORT))


def test_files_hold_the_network_exactly() -> None:
    experiment = Experiment(hidden_size=4).edited([WeightEdit("weight_hh_l0", 1, 2, 0.125)])
    back = from_safetensors(to_safetensors(experiment))
    for name, value in network(experiment).state_dict().items():
        assert torch.equal(value, network(back).state_dict()[name])
    for bad in (b"", b"junk" * 50, to_safetensors(experiment)[:-7], b"\xff" * 100):
        with pytest.raises(ValueError, match="not a network saved by seqviz"):
            from_safetensors(bad)


@pytest.mark.parametrize("name", [n for n in TASKS if n != "parity_end"])
def test_the_networks_that_come_along_have_learned(name: str) -> None:
    assert name in asset_names()
    experiment, found = load_asset(name), TASKS[name]
    batch = found.batch(torch.Generator().manual_seed(99), 256)
    with torch.no_grad():
        score = found.score(network(experiment)(batch.x), batch)
    assert score == pytest.approx(found.solved, rel=0.5) if found.smaller_is_better else score > 0.97
