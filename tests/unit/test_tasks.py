"""Tasks: the right answers by plain Python, chance by closed forms, probes that can be run."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seqviz.parts import MAX_STEPS
from seqviz.prose import prose
from seqviz.tasks import TASKS, Batch, own_series, own_text, task


def drawn(name: str, n: int = 64, seed: int = 0, length: int | None = None) -> Batch:
    return TASKS[name].batch(torch.Generator().manual_seed(seed), n, length)


@pytest.mark.parametrize("name", TASKS)
def test_shapes_and_the_same_seed_draws_the_same(name: str) -> None:
    found = TASKS[name]
    a, b, c = drawn(name), drawn(name), drawn(name, seed=1)
    assert a.x.shape == (found.length, 64, found.inputs)
    assert a.mask.shape == (found.length, 64)
    assert torch.equal(a.x, b.x)
    assert not torch.equal(a.x, c.x)
    assert a.mask.any()


@pytest.mark.parametrize("name", TASKS)
def test_the_global_random_state_is_left_alone(name: str) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    drawn(name)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("name", TASKS)
def test_right_answers_score_perfectly_and_blind_ones_at_chance(name: str) -> None:
    found = TASKS[name]
    batch = drawn(name, 512)
    if found.kind == "classes":
        right = 50 * torch.nn.functional.one_hot(batch.target.long(), found.outputs).float()
    elif found.kind == "bits":
        right = 50 * (2 * batch.target - 1)
    else:
        right = batch.target
    assert found.is_solved(found.score(right, batch))
    assert found.loss(right, batch) < 1e-3
    blind = torch.zeros_like(right)
    if name == "adding":
        blind = torch.ones_like(right)
    if found.kind == "mse" or name in ("latch", "parity", "parity_end"):
        assert found.score(blind, batch) == pytest.approx(found.chance, abs=0.06)
    assert not found.is_solved(found.score(blind, batch))


def test_adding_by_hand() -> None:
    batch = drawn("adding")
    for k in range(64):
        marked = [float(batch.x[t, k, 0]) for t in range(50) if batch.x[t, k, 1] == 1]
        assert len(marked) == 2
        assert float(batch.target[-1, k, 0]) == pytest.approx(sum(marked), abs=1e-6)
    assert float(drawn("adding", 4096).target[-1].var()) == pytest.approx(1 / 6, abs=0.01)


def test_parity_and_latch_by_hand() -> None:
    batch = drawn("parity")
    for k in range(64):
        count = 0
        for t in range(16):
            count += int(batch.x[t, k, 0])
            assert int(batch.target[t, k, 0]) == count % 2
    latch = drawn("latch")
    assert torch.equal(latch.target[-1, :, 0], (latch.x[0, :, 0] > 0).float())
    assert latch.mask.sum(dim=0).eq(1).all()


def test_brackets_close_what_was_opened() -> None:
    batch = drawn("brackets")
    pairs = {2: 0, 3: 1}
    for k in range(64):
        tokens = [*batch.x[:, k].argmax(dim=1).tolist(), int(batch.target[-1, k])]
        assert tokens[1:] == batch.target[:, k].tolist()
        stack: list[int] = []
        for token in tokens:
            if token < 2:
                stack.append(token)
                assert len(stack) <= 5
            else:
                assert stack.pop() == pairs[token]


def test_copy_and_order_by_hand() -> None:
    batch = drawn("copy")
    tokens = batch.x.argmax(dim=2)
    assert torch.equal(batch.target[-5:], tokens[:5])
    assert (tokens[5:25] == 4).all()
    assert (tokens[25] == 5).all()
    order = drawn("order")
    for k in range(64):
        marks = [int(v) for v in order.x[:, k].argmax(dim=1) if v < 2]
        assert int(order.target[-1, k]) == 2 * marks[0] + marks[1]


@pytest.mark.parametrize("name", TASKS)
def test_probes_fit_an_experiment(name: str) -> None:
    sequence, right, mask = TASKS[name].probe()
    assert sequence.length <= MAX_STEPS
    assert right.shape == (sequence.length, TASKS[name].outputs)
    assert mask.shape == (sequence.length,)
    assert np.isfinite(right).all()


def test_prose_is_long_seeded_and_quoted() -> None:
    text = prose(100_000)
    assert len(text) >= 100_000
    assert text == prose(100_000)
    assert text != prose(100_000, seed=1)
    assert text.count("(") == text.count(")")
    assert "“" in prose(5_000, language="zh")
    with pytest.raises(ValueError, match="'en' or 'zh'"):
        prose(10, language="fr")


def test_somebodys_own_data() -> None:
    found = own_text("abcab" * 100)
    assert found.inputs == 3
    batch = found.batch(torch.Generator().manual_seed(0), 4)
    assert torch.equal(batch.x[1:].argmax(dim=2), batch.target[:-1])
    series = own_series(np.sin(np.arange(200) / 5))
    batch = series.batch(torch.Generator().manual_seed(0), 4)
    assert torch.allclose(batch.x[1:], batch.target[:-1])
    refusals = [
        (lambda: own_text("abc"), "at least 200"),
        (lambda: own_series(np.ones(100)), "never changes"),
        (lambda: own_series(np.arange(5.0)), "at least 40"),
        (lambda: task("none"), "no task 'none'"),
    ]
    for bad, said in refusals:
        with pytest.raises(ValueError, match=said):
            bad()
