"""Tasks: the right answers by plain Python, chance by closed forms, probes that can be run."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seqviz.experiment.parts import MAX_STEPS
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


def test_a_flip_flop_holds_each_channels_last_pulse() -> None:
    batch = drawn("flipflop")
    assert (batch.x[0] != 0).all()
    for k in range(64):
        held = [0.0, 0.0, 0.0]
        for t in range(64):
            for c in range(3):
                held[c] = float(batch.x[t, k, c]) or held[c]
            assert batch.target[t, k].tolist() == held
    pulses = (drawn("flipflop", 4000).x[1:] != 0).float().mean()
    assert float(pulses) == pytest.approx(0.1, abs=0.002)


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


def ridge(x: np.ndarray, y: np.ndarray) -> float:
    """The error of the best line from x to y."""
    slope, cut = np.polyfit(x, y, 1)
    return float(np.mean((slope * x + cut - y) ** 2))


def test_what_is_within_reach_without_memory() -> None:
    batch = drawn("sine", 4000)
    m = batch.mask.bool().numpy()
    found = ridge(batch.x.numpy()[m][:, 0], batch.target.numpy()[m][:, 0])
    assert TASKS["sine"].memoryless == pytest.approx(found, abs=0.002)
    batch = drawn("brackets", 2000)
    closing, before = batch.target >= 2, batch.x.argmax(dim=2)
    opened = (closing & (before < 2)).sum() / closing.sum()
    assert torch.equal(batch.target[closing & (before < 2)], (before + 2)[closing & (before < 2)])
    assert TASKS["brackets"].memoryless == pytest.approx(float(opened + (1 - opened) / 2), abs=0.01)
    batch = drawn("flipflop", 4000)
    assert TASKS["flipflop"].memoryless == pytest.approx(TASKS["flipflop"].score(batch.x, batch), abs=0.005)
    for name in ("prose", "prose_zh"):
        assert TASKS[name].solved < TASKS[name].memoryless < TASKS[name].chance


def test_the_entropies_of_a_text_by_hand() -> None:
    """In "abab..." a character is one bit and, after the one before it, none; in "aabb..." it is one bit again."""
    alternating, doubled = own_text("ab" * 200), own_text("aabb" * 200)
    assert (alternating.chance, alternating.memoryless) == (pytest.approx(1.0), pytest.approx(0.0, abs=1e-9))
    assert (doubled.chance, doubled.memoryless) == (pytest.approx(1.0), pytest.approx(1.0, abs=0.01))


@pytest.mark.parametrize("name", TASKS)
def test_lengths_have_limits(name: str) -> None:
    found, generator = TASKS[name], torch.Generator().manual_seed(0)
    for length in (found.shortest, found.longest):
        some = found.at_length(length)
        batch = some.batch(generator, 4)
        assert len(batch.x) == length
        assert batch.mask.any()
        assert some.probe()[0].length <= length
    for length in (found.shortest - 1, found.longest + 1, 2.5):
        with pytest.raises(ValueError, match="The length of a sequence of this task must be"):
            found.batch(generator, 4, length)


def test_what_a_network_is_judged_by_is_never_trained_on() -> None:
    text = "".join(chr(97 + k % 20) for k in range(900)) + "xyz" * 33 + "x"
    found, g = own_text(text), torch.Generator().manual_seed(0)
    late = torch.tensor([found.symbols.index(c) for c in "xyz"])
    assert not torch.isin(found.batch(g, 500).target, late).any()
    assert torch.isin(found.exam(g, 50).target, late).all()
    assert set(found.probe()[0].text) <= set("xyz")
    ramp = own_series(np.arange(200.0))
    seen, unseen = ramp.batch(g, 500), ramp.exam(g, 50)
    assert seen.target.max() < unseen.x.min()
    assert seen.x.abs().max() < 2


def test_a_series_is_judged_against_its_mean_and_a_line() -> None:
    walk = np.random.default_rng(0).normal(size=2000).cumsum()
    found = own_series(walk)
    seen = (walk - walk[:1600].mean()) / walk[:1600].std()
    assert found.chance == pytest.approx(float(np.mean(seen[1601:] ** 2)))
    slope, cut = np.polyfit(seen[:1599], seen[1:1600], 1)
    assert found.memoryless == pytest.approx(float(np.mean((slope * seen[1600:-1] + cut - seen[1601:]) ** 2)))
    assert found.solved == pytest.approx(min(found.chance, found.memoryless) / 2)
    batch = found.exam(torch.Generator().manual_seed(0), 400)
    assert found.score(slope * batch.x + cut, batch) == pytest.approx(found.memoryless, rel=0.1)


def test_a_series_far_from_zero_keeps_its_digits() -> None:
    wave = np.sin(np.arange(200) / 5)
    near, far = own_series(wave), own_series(1e9 + wave)
    a, b = (t.batch(torch.Generator().manual_seed(0), 8).x for t in (near, far))
    assert torch.allclose(a, b, atol=1e-5)


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
        (lambda: own_text("a" * 300), "takes 2 to 256"),
        (lambda: own_text("".join(map(chr, range(1000, 1300)))), "uses 300 different"),
        (lambda: own_text("ab\ud800" * 100), "half of a character"),
        (lambda: own_series(np.ones(100)), "never changes"),
        (lambda: own_series(np.r_[np.ones(80), np.arange(20)]), "never changes"),
        (lambda: own_series(np.arange(5.0)), "at least 40"),
        (lambda: own_series([float("nan")] * 50), "NaN, infinity"),
        (lambda: own_series(np.arange(50) * 1e30), "NaN, infinity"),
        (lambda: own_series(["a"] * 50), "must be numbers"),
        (lambda: own_series(np.zeros((50, 2, 2))), "has the shape"),
        (lambda: own_series(np.random.default_rng(0).normal(size=(50, 257))), "up to 256"),
        (lambda: task("none"), "no task 'none'"),
    ]
    for bad, said in refusals:
        with pytest.raises(ValueError, match=said):
            bad()
