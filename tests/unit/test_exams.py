"""Exams: never trained on, chance computed anew, intervals against simulation, scores that are not rounded up."""

from __future__ import annotations

import json
import math
from itertools import product
from statistics import NormalDist

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from seqviz.checkpoints import ASSETS, load_asset
from seqviz.runner import network
from seqviz.tasks import TASKS, Batch, Task, judge, own_series, own_text
from seqviz.tasks.exams import FEW, interval, kept, printed

APART = [name for name, found in TASKS.items() if found.apart]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def sequences(batch: Batch) -> set[bytes]:
    return {batch.x[:, k].numpy().tobytes() for k in range(batch.x.shape[1])}


@pytest.mark.parametrize("name", APART)
def test_no_sequence_of_an_exam_is_ever_trained_on(name: str) -> None:
    found = TASKS[name]
    trained: set[bytes] = set()
    for seed in range(8):
        trained |= sequences(found.batch(generator(seed), 512))
    asked = sequences(found.exam(generator(99), 512))
    assert trained
    assert asked
    assert not trained & asked
    whole = found.whole()
    assert whole is None or not trained & sequences(whole)


def test_only_copy_says_that_its_space_is_too_small() -> None:
    assert [name for name in TASKS if name not in APART] == ["copy"]
    assert TASKS["copy"].judged.startswith("There are only 1,024 different sequences of this length")
    assert "never trained on" in TASKS["parity"].judged
    assert TASKS["parity"].at_length(4).judged.startswith("There are only 16 different")


@pytest.mark.parametrize("name", ["latch", "adding", "sine", "brackets", "order", "parity"])
@pytest.mark.parametrize("length", [6, 9, 14])
def test_short_sequences_are_kept_apart_or_it_is_said(name: str, length: int) -> None:
    found = TASKS[name].at_length(length)
    trained = set().union(*(sequences(found.batch(generator(k), 512)) for k in range(8)))
    shared = trained & sequences(found.exam(generator(99), 256))
    assert bool(shared) is not found.apart


def brute(name: str, length: int) -> int:
    """How many different sequences a task has, by drawing all that can be drawn."""
    found, drawn = TASKS[name], set()
    for seed in range(60):
        drawn |= sequences(found.draw(generator(seed), 2000, length))
    return len(drawn)


@pytest.mark.parametrize(("name", "length"), [("parity", 5), ("copy", 12), ("order", 6), ("brackets", 5)])
def test_the_number_of_sequences_is_counted_right(name: str, length: int) -> None:
    space = TASKS[name].space
    assert space is not None
    assert space(length) == brute(name, length) < FEW


def test_the_whole_of_a_small_space_is_every_sequence_once() -> None:
    whole = TASKS["copy"].whole()
    assert whole is not None
    said = ["".join("ABCD"[int(v)] for v in column) for column in whole.target[-5:].T]
    assert sorted(said) == ["".join(letters) for letters in product("ABCD", repeat=5)]
    assert torch.equal(whole.x[:5].argmax(dim=2), whole.target[-5:])
    bits = TASKS["parity"].at_length(9).whole()
    assert bits is not None
    assert len(sequences(bits)) == 2**9
    assert TASKS["parity"].whole() is None, "65,536 are not asked at every checkpoint"


@pytest.mark.parametrize("name", ["latch", "adding", "order", "parity", "brackets", "sine"])
def test_what_is_kept_for_the_exam_is_like_the_rest(name: str) -> None:
    found = TASKS[name]
    batch = found.draw(generator(), 20_000, found.length)
    mine = kept(batch.x)
    assert float(mine.float().mean()) == pytest.approx(0.25, abs=0.015)
    x, last = batch.x.double().mean(dim=2), batch.target[-1].double().reshape(20_000, -1).mean(dim=1)
    for values in (*x, last):
        apart = abs(float(values[mine].mean() - values[~mine].mean()))
        assert apart < 5.5 * float(values.std()) / math.sqrt(3750) + 1e-9


def test_the_same_sequence_is_kept_whoever_draws_it_and_whatever_the_sign_of_its_zeros() -> None:
    batch = TASKS["parity"].draw(generator(), 500, 16)
    assert torch.equal(kept(batch.x[:, 100:200]), kept(batch.x)[100:200])
    assert torch.equal(kept(batch.x * torch.where(batch.x == 0, -1.0, 1.0)), kept(batch.x))


def blind(found: Task, batch: Batch) -> Tensor:
    """``y`` of the best guess, step by step, that sees no input: the mean, the commonest bit or class, the shares."""
    y = torch.zeros(*batch.mask.shape, found.outputs)
    for t in range(len(y)):
        asked = (batch.mask[t] if found.scored is None else found.scored(batch)[t]).bool()
        answers = batch.target[t][asked]
        if not len(answers):
            continue
        if found.kind == "classes":
            y[t] = (functional.one_hot(answers, found.outputs).double().mean(dim=0) + 1e-12).log().float()
        else:
            mean = answers.mean(dim=0)
            y[t] = mean if found.kind == "mse" else mean - 0.5
    return y


@pytest.mark.parametrize("name", [n for n, found in TASKS.items() if found.held_out is None])
def test_chance_is_what_the_best_guess_without_the_input_scores(name: str) -> None:
    found = TASKS[name]
    made, other = found.draw(generator(1), 20_000, found.length), found.draw(generator(2), 20_000, found.length)
    whole = found.whole()
    if whole is not None:
        made = other = whole
    assert found.score(blind(found, made), other) == pytest.approx(found.chance, abs=0.008)


@pytest.mark.parametrize("name", ["prose", "prose_zh"])
def test_chance_of_a_text_is_the_best_constant_guess_of_what_was_held_out(name: str) -> None:
    found = TASKS[name]
    whole = found.whole()
    assert whole is not None
    shares = functional.one_hot(whole.target[whole.mask.bool()], found.outputs).double().mean(dim=0)
    y = (shares + 1e-12).log().float().expand(*whole.target.shape, -1)
    assert found.score(y, whole) == pytest.approx(found.chance, abs=0.002)


def test_the_present_bit_is_no_help_with_parity() -> None:
    for name in ("parity", "parity_end"):
        found = TASKS[name]
        batch = found.draw(generator(), 20_000, 16)
        assert found.score(batch.x - 0.5, batch) == pytest.approx(found.chance, abs=0.005)


def test_sources_are_those_of_the_form_that_is_drawn() -> None:
    assert "1504.00941" in TASKS["adding"].paper
    assert float(TASKS["adding"].batch(generator(), 64).x[..., 0].min()) >= 0
    assert TASKS["sine"].paper == ""


# --- intervals ------------------------------------------------------------------------------------------------


def test_wilsons_interval_of_single_answers() -> None:
    right = torch.tensor([1.0] * 45 + [0.0] * 5)
    z, p, n = NormalDist().inv_cdf(0.975), 0.9, 50
    wanted = [
        (p + z * z / 2 / n + sign * z * math.sqrt(p * (1 - p) / n + z * z / 4 / n / n)) / (1 + z * z / n)
        for sign in (-1, 1)
    ]
    low, high = interval(right, torch.ones(50), 0.05, share=True)
    # The sample's own spread has a divisor of n - 1, which is the design effect of single answers.
    assert (low, high) == (pytest.approx(wanted[0], abs=2e-3), pytest.approx(wanted[1], abs=2e-3))


@pytest.mark.parametrize("together", [1, 16])
def test_the_interval_covers_what_it_promises(together: int) -> None:
    """Answers that are right or wrong in blocks of 16 are worth as much as one each."""
    rng, truth, held = np.random.default_rng(0), 0.95, 0
    for _ in range(400):
        right = torch.from_numpy(rng.random((300, 16 // together)) < truth).double().sum(dim=1) * together
        low, high = interval(right, torch.full((300,), 16.0), 0.05, share=True)
        held += low <= truth <= high
    assert held >= 370


def test_all_right_is_not_quite_certain() -> None:
    low, high = interval(torch.full((100,), 16.0), torch.full((100,), 16.0), 0.05, share=True)
    assert high == 1.0
    assert 0.95 < low < 0.97


@given(
    st.lists(st.integers(0, 16), min_size=8, max_size=60),
    st.sampled_from([0.05, 0.001]),
)
def test_an_interval_holds_its_score(rights: list[int], alpha: float) -> None:
    right, count = torch.tensor(rights).double(), torch.full((len(rights),), 16.0)
    low, high = interval(right, count, alpha, share=True)
    assert 0 <= low <= float(right.sum() / count.sum()) <= high <= 1
    assert interval(right, count, alpha / 10, share=True)[0] <= low


@pytest.mark.parametrize(("wrong", "solves"), [(0.002, True), (0.0095, False), (0.02, False)])
def test_a_network_solves_a_task_only_if_its_interval_does(wrong: float, solves: bool) -> None:
    """One that is right in .9905 of all cases may be above .99, and 4,096 sequences cannot tell."""
    found, noise = TASKS["latch"], torch.Generator().manual_seed(3)

    def answer(x: Tensor) -> Tensor:
        miss = torch.rand(x.shape[1], generator=noise) < wrong
        return torch.where(miss, -x[0, :, 0], x[0, :, 0]).expand(len(x), -1)[..., None]

    standing = judge(found, answer, generator(5))
    assert standing.sequences == 4096
    assert standing.low <= 1 - wrong <= standing.high
    assert standing.solves(found) is solves


def test_where_every_sequence_is_asked_the_score_is_exact() -> None:
    found = TASKS["copy"]

    def answer(x: Tensor) -> Tensor:
        y = torch.zeros(*x.shape[:2], 4)
        y[-5:] = x[:5, :, :4]
        y[-1] = 0  # always says the first class: right once in four
        return y

    standing = judge(found, answer, generator())
    assert standing == (0.85, 0.85, 0.85, 1024, True)


# --- printed --------------------------------------------------------------------------------------------------


@given(st.floats(0, 1) | st.sampled_from([0.98965, 0.98999999, 0.9899999999, 0.99, 0.999999999, 1.0, 0.5, 0.25]))
def test_a_printed_accuracy_stays_on_its_side(score: float) -> None:
    found = TASKS["copy"]
    text = found.shown(score)
    assert len(text) <= 12
    assert found.is_solved(float(text)) == found.is_solved(score)
    assert (float(text) < 1) == (score < 1)
    assert float(text) == pytest.approx(score, rel=0.005, abs=1e-300)


@given(st.floats(0, 10) | st.sampled_from([0.01, 0.01000001, 0.0099999999, 0.010004]))
def test_a_printed_error_stays_on_its_side(score: float) -> None:
    found = TASKS["adding"]
    text = found.shown(score)
    assert found.is_solved(float(text)) == found.is_solved(score)
    assert (float(text) < found.chance) == (score < found.chance)


def test_scores_by_hand() -> None:
    copy, adding = TASKS["copy"], TASKS["adding"]
    for score, text in [(0.98965, "0.9897"), (0.99, "0.99"), (0.9996, "0.9996"), (1.0, "1"), (0.25, "0.25")]:
        assert copy.shown(score) == text
    assert adding.shown(0.010004) == "0.010004"
    assert adding.shown(math.nan) == "nan"
    assert printed(0.98999999999, (0.99,)) == "0.9899999"
    assert printed(0.01000000001, (0.01,)) == "0.01000001"


# --- what comes along -----------------------------------------------------------------------------------------


def test_the_networks_that_come_along_score_what_their_file_says() -> None:
    scores = json.loads((ASSETS / "scores.json").read_text(encoding="utf-8"))
    assert sorted(scores) == sorted(n for n in TASKS if n != "parity_end")
    for name, entry in scores.items():
        found = TASKS[name]
        low, high = entry["interval"]
        assert found.is_solved(high if found.smaller_is_better else low), name
        standing = judge(found, network(load_asset(name)), generator(7), 2000)
        assert standing.low <= entry["score"] <= standing.high or standing.score == pytest.approx(entry["score"]), name
        assert entry["threshold"] == found.solved
    assert scores["copy"]["judged_by"] == "1,024 every sequence there is"


# --- own data -------------------------------------------------------------------------------------------------


def test_a_text_that_quotes_itself_is_judged_by_what_it_does_not_quote() -> None:
    rng = np.random.default_rng(0)
    words = ["".join(map(chr, rng.integers(97, 123, 700))) for _ in range(10)]
    text = "".join(words) + words[2][:350] + "".join(map(chr, rng.integers(97, 123, 400)))
    found = own_text(text)
    assert found.apart
    trained = set().union(*(sequences(found.batch(generator(k), 512)) for k in range(30)))
    exam = found.exam(generator(), 4000)
    assert not trained & sequences(exam)
    quoted = words[2][:350]
    asked = {"".join(found.symbols[k] for k in x) for x in exam.x.argmax(dim=2).T.tolist()}
    assert any(text in quoted for text in asked), "the held-out part begins inside the quotation"


@pytest.mark.parametrize("data", ["abcab" * 200, np.tile(np.arange(25.0), 40)])
def test_data_that_only_repeat_themselves_say_so(data: str | np.ndarray) -> None:
    found = own_text(data) if isinstance(data, str) else own_series(data)
    assert not found.apart
    assert "cannot tell learning from remembering" in found.judged
    assert found.batch(generator(), 8).x.shape[1] == 8


def test_a_longer_sequence_to_learn_from_holds_no_exam_either() -> None:
    rng = np.random.default_rng(1)
    series = rng.normal(size=900)
    series[300:320] = series[800:820]
    found = own_series(series).at_length(400)
    exam = found.exam(generator(), 1)
    assert len(exam.x) == 179
    assert found.at_length(15).apart
    short = found.at_length(15)
    trained = set().union(*(sequences(short.batch(generator(k), 512)) for k in range(20)))
    assert not trained & sequences(short.exam(generator(), 3000))


@pytest.mark.parametrize(("steps", "length"), [(200, 50), (1003, 50), (41, 50), (5000, 64)])
def test_all_that_was_held_out_is_judged_once(steps: int, length: int) -> None:
    found = own_series(np.arange(float(steps)))
    held = steps // 5
    whole = found.at_length(min(length, found.longest)).whole()
    assert whole is not None
    targets = whole.target[whole.mask.bool()]
    assert len(targets) == held - 1
    assert len(targets.unique()) == held - 1


def test_a_million_steps_can_be_learned_from() -> None:
    series = np.random.default_rng(0).normal(size=1_000_000)
    found = own_series(series)
    assert found.batch(generator(), 4).x.shape == (50, 4, 1)
    with pytest.raises(ValueError, match="1,000,001 steps of 1 number; at most 1,000,000 steps"):
        own_series(np.r_[series, 1.0])
    with pytest.raises(ValueError, match="at most 1,000,000 steps and 20,000,000 numbers"):
        own_series(np.zeros((100_000, 250)))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (np.r_[np.random.default_rng(0).normal(size=80) * 1e-140, np.full(20, 1e29)], "far from the mean"),
        (np.r_[np.random.default_rng(0).normal(size=80), [1e9] * 19, 0], "far from the mean"),
        (np.arange(50) * 1j, "must be numbers"),
        ([10**400] * 50, "must be numbers"),
        ([10**29, 1] * 50, None),
        (np.r_[np.random.default_rng(0).normal(size=80), np.ones(20)], "never changes; choose another stretch"),
        (np.ones((60, 2)), "never changes"),
        (np.zeros(60), "never changes"),
        ([None] * 50, "NaN"),
        ([True, False] * 30, None),
        (["1.5"] * 50, "must be numbers"),
        (np.array(["2020-01-01"] * 50, dtype="M8[D]"), "must be numbers"),
        (torch.randn(60, requires_grad=True), "must be numbers"),
        (torch.randn(60, generator=torch.Generator().manual_seed(0)), None),
        ([[1.0, 2.0], [3.0]] * 30, "must be numbers"),
        ({1: 2}, "must be numbers"),
        (5, "has the shape"),
        ([], "has the shape|at least 40"),
        (np.random.default_rng(0).normal(size=60) * 1e-200, None),
        (np.random.default_rng(0).normal(size=60) * 1e28, None),
        (np.random.default_rng(0).normal(size=60) * 5e-324, None),
    ],
)
def test_a_series_is_taken_if_it_can_be_learned_from(bad: object, said: str | None) -> None:
    if said is not None:
        with pytest.raises(ValueError, match=said):
            own_series(bad)
        return
    found = own_series(bad)
    batch = found.batch(generator(), 8)
    assert bool(batch.x.isfinite().all())
    assert math.isfinite(found.chance)
    assert math.isfinite(found.solved)
    assert math.isfinite(float(found.loss(torch.zeros_like(batch.target), batch)))


@given(
    st.lists(st.floats(allow_nan=False, width=64) | st.sampled_from([0.0, -0.0, 1e-140, 1e29, 1.0]), min_size=40,
             max_size=60)
)  # fmt: skip
def test_whatever_numbers_come_they_are_learned_from_or_refused(values: list[float]) -> None:
    try:
        found = own_series(values)
    except ValueError:
        return
    batch = found.batch(generator(), 4)
    assert math.isfinite(float(found.loss(torch.zeros_like(batch.target), batch)))
    assert 0 < found.solved < math.inf
    assert math.isfinite(found.chance)


@pytest.mark.parametrize("bad", [b"bytes" * 100, 7, None, ["a"] * 300])
def test_only_text_is_text(bad: object) -> None:
    with pytest.raises(ValueError, match="must be text, not"):
        own_text(bad)  # type: ignore[arg-type]


def test_a_text_needs_two_characters_in_each_part() -> None:
    for text in ("ab" * 450 + "a" * 100, "a" * 900 + "ab" * 50):
        with pytest.raises(ValueError, match="must each use two characters"):
            own_text(text)
