"""The trainer: recipes that solve their task, some that must not, and the same numbers every time."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from seqviz.experiment import Experiment
from seqviz.runner import run
from seqviz.tasks import Batch, Standing, Task, judge, task
from seqviz.training import RECIPES, Checkpoint, Recipe, prepare, train, trainer
from seqviz.training.written import Trained, from_text, to_text
from seqviz.weights import materialise


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


CURRICULUM = Recipe(hidden_size=16, max_steps=140, every=10, curriculum=True, half_life=50)
NUMBERS = ("step", "loss", "score", "grad_norm", "clipped_norm", "length", "experiment", "reason")


def numbers(checkpoints: list[Checkpoint]) -> list[tuple]:
    return [tuple(getattr(c, name) for name in NUMBERS) for c in checkpoints]


@pytest.mark.parametrize(("name", "recipe"), [("adding", SHORT), ("parity_end", CURRICULUM)])
def test_resumed_at_any_checkpoint_is_uninterrupted(name: str, recipe: Recipe) -> None:
    found = task(name)
    start = prepare(found, recipe)
    whole = list(train(start, found, recipe))
    assert [c.step for c in whole] == list(range(0, recipe.max_steps + 1, 10))
    for k, checkpoint in enumerate(whole[:-1]):
        assert numbers(list(train(start, found, recipe, resume=checkpoint))) == numbers(whole[k + 1 :])


def test_stopped_between_checkpoints_and_resumed_is_uninterrupted() -> None:
    found = task("parity_end")
    start = prepare(found, CURRICULUM)
    whole = list(train(start, found, CURRICULUM))
    for steps in (101, 105, 109, 110):
        asked = iter([False] * steps + [True])
        stopped = list(train(start, found, CURRICULUM, stop=lambda asked=asked: next(asked)))[-1]
        assert (stopped.step, stopped.reason) == (steps, "Stopped.")
        rest = list(train(start, found, CURRICULUM, resume=stopped))
        assert numbers(rest) == numbers(whole)[1 + steps // 10 :]


def test_a_long_exam_that_is_stopped_is_taken_when_the_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until then the network is not called solved; what was kept of the run owes the exam, too."""
    found, recipe = task("latch").at_length(8), Recipe(hidden_size=8, max_steps=200, every=10)
    start, inside = prepare(found, recipe), []
    whole = list(train(start, found, recipe))
    assert whole[-1].solved
    passed = next(c for c in whole if c.step and found.is_solved(c.score))

    def judged(task: Task, answer: Callable, *given: torch.Generator, alpha: float) -> Standing:
        inside.append(0)

        def counted(x: torch.Tensor) -> torch.Tensor:
            inside[-1] += 1
            return answer(x)

        return judge(task, counted, *given, alpha=alpha)

    with monkeypatch.context() as patch:
        patch.setattr(trainer, "GRACE", -1.0)
        patch.setattr(trainer, "judge", judged)
        stopped = list(train(start, found, recipe, stop=lambda: bool(inside)))
    last = stopped[-1]
    assert inside == [1], "nothing is asked after the stop"
    assert (last.step, last.reason, last.solved, last.standing) == (passed.step, "Stopped.", False, None)
    (kept,) = from_text(to_text([Trained("LSTM", found, recipe, start, 0, tuple(stopped))], 2**24))
    for resume in (last, kept.checkpoints[-1]):
        again = list(train(start, found, recipe, resume=resume))[-1]
        assert numbers([again]) == numbers(whole[-1:])
        assert again.standing == whole[-1].standing


def test_a_run_of_fewer_steps_goes_on_as_one_of_more() -> None:
    found, start = task("adding"), prepare(task("adding"), SHORT)
    first = list(train(start, found, replace(SHORT, max_steps=25)))[-1]
    assert (first.step, first.reason) == (25, "It ran out of steps.")
    assert numbers(list(train(start, found, SHORT, resume=first))) == numbers(list(train(start, found, SHORT)))[3:]


def test_nothing_is_trained_where_nothing_is_to_be_done() -> None:
    found, start = task("adding"), prepare(task("adding"), SHORT)
    last = list(train(start, found, SHORT))[-1]
    assert numbers(list(train(start, found, SHORT, resume=last))) == numbers([last])
    at_once = list(train(start, found, SHORT, stop=lambda: True))
    assert [(c.step, c.reason) for c in at_once] == [(0, ""), (0, "Stopped.")]


@pytest.mark.parametrize("every", [1, 10])
@pytest.mark.parametrize(
    ("lr", "reason"), [(1e6, "The loss grew from 1.48 to "), (1e30, "The loss "), (3e38, "The (loss|weights) became ")]
)
def test_divergence_ends_with_the_last_good_network(lr: float, every: int, reason: str) -> None:
    checkpoints = trained(task("adding"), replace(SHORT, lr=lr, every=every))
    last = checkpoints[-1]
    assert re.match(reason, last.reason)
    assert last.reason.endswith("this is the last good network.")
    assert last.step == 0
    assert last.experiment == checkpoints[0].experiment
    assert last.score < 10


def test_a_gradient_beyond_float32_ends_it_too() -> None:
    class Steep(Task):
        def loss(self, y: torch.Tensor, batch: Batch) -> torch.Tensor:
            return (y - y.detach()).sum() * 1e38 * 1e5 + 1.0

    found = Steep(**vars(task("adding")))
    last = trained(found, SHORT)[-1]
    assert last.step == 0
    assert last.reason == "The gradient's norm became NaN at step 1; this is the last good network."


def test_the_learning_rate_halves() -> None:
    found, recipe = task("adding"), replace(SHORT, half_life=20)
    steps = list(train(prepare(found, recipe), found, recipe))
    rates = [c.state["optimizer"]["param_groups"][0]["lr"] for c in steps[1:]]
    assert rates == pytest.approx([1e-2 * 0.5 ** ((c.step - 1) / 20) for c in steps[1:]])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"lr": 0.0}, "learning rate must be a number above 0"),
        ({"lr": float("nan")}, "learning rate must be a number above 0"),
        ({"clip": float("inf")}, "largest gradient norm must be"),
        ({"batch": 0}, "batch size must be from 1"),
        ({"every": 0}, "steps between checkpoints must be from 1"),
        ({"max_steps": -1}, "number of steps must be from 0"),
    ],
)
def test_impossible_recipes_get_a_sentence(changes: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(SHORT, **changes)


def test_the_number_of_threads_is_one_inside_and_as_before_outside() -> None:
    before = torch.get_num_threads()
    seen = []

    class Nosy(Task):
        def loss(self, y: torch.Tensor, batch: Batch) -> torch.Tensor:
            seen.append(torch.get_num_threads())
            return super().loss(y, batch)

    try:
        torch.set_num_threads(2)
        for _ in train(prepare(task("adding"), SHORT), Nosy(**vars(task("adding"))), SHORT):
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert set(seen) == {1}


def test_a_checkpoint_of_another_network_is_not_resumed() -> None:
    found = task("adding")
    first = next(train(prepare(found, SHORT), found, SHORT))
    with pytest.raises(ValueError, match="of another network"):
        next(train(prepare(found, replace(SHORT, hidden_size=9)), found, SHORT, resume=first))


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
    with pytest.raises(ValueError, match="2 inputs and 1 output;"):
        next(train(Experiment(), task("adding"), SHORT))


def test_solved_with_the_last_step_is_solved() -> None:
    found, recipe = task("latch"), RECIPES["latch"]["LSTM, chrono"]
    last = trained(found, recipe)[-1]
    for most, reason in ((last.step, "Solved."), (last.step - 10, "It ran out of steps.")):
        ended = trained(found, replace(recipe, max_steps=most))[-1]
        assert (ended.step, ended.reason, ended.solved) == (most, reason, reason == "Solved.")


class Lucky(Task):
    """A short exam that a network may pass by luck: its right answers are counted ten times."""

    def score(self, y: torch.Tensor, batch: Batch) -> float:
        return min(1.0, super().score(y, batch) + 0.1)


def test_one_lucky_exam_does_not_solve_a_task() -> None:
    found, recipe = Lucky(**vars(task("latch"))), replace(RECIPES["latch"]["LSTM, default"], max_steps=60, every=20)
    easy = replace(found, solved=0.55)
    checkpoints = trained(easy, recipe)
    assert [c.solved for c in checkpoints] == [False] * 4
    assert checkpoints[-1].reason == "It ran out of steps."
    asked = [c.standing for c in checkpoints if c.standing is not None]
    assert asked
    assert checkpoints[-1].state["asked"] == len(asked)
    for standing in asked:
        assert standing.sequences == 4096
        assert standing.low < 0.55
    assert all(c.score == c.standing.score for c in checkpoints if c.standing is not None)


def test_each_attempt_at_the_long_exam_may_err_less() -> None:
    """The intervals widen with every attempt, so that their doubts add up to 5 %."""
    found = Lucky(**vars(replace(task("latch"), solved=0.55)))
    recipe = replace(RECIPES["latch"]["LSTM, default"], max_steps=5, every=1)
    widths = [c.standing.high - c.standing.low for c in trained(found, recipe) if c.standing]
    assert len(widths) >= 3
    assert widths == sorted(widths)
    assert widths[2] / widths[0] == pytest.approx(2.6383 / 1.9600, rel=0.02)  # normal quantiles of .05/12 and .05/2


def test_the_untrained_network_is_told_by_how_it_starts() -> None:
    for name, recipe in (("latch", "LSTM, chrono"), ("adding", "GRU"), ("parity", "LSTM")):
        found = task(name)
        start = prepare(found, RECIPES[name][recipe])
        first = next(train(start, found, RECIPES[name][recipe])).experiment
        assert first.tensors == ()
        assert len(first.to_url()) < 1500
        assert all(np.array_equal(materialise(first)[k], v) for k, v in materialise(start).items())
        assert Experiment.from_url(first.to_url()) == first


def test_a_loaded_network_keeps_its_tensors_untrained() -> None:
    found = task("latch")
    start = prepare(found, RECIPES["latch"]["LSTM, chrono"])
    other = replace(start, init=replace(start.init, seed=5))
    assert next(train(other, found, SHORT)).experiment == other
