"""What is kept for the next one who asks weighs no more than it may, whatever it is."""

from __future__ import annotations

import pickle
import threading
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqviz import kept as kept_module
from seqviz.experiment import Experiment, Init, Sequence, Tensor
from seqviz.gradients import studied
from seqviz.kept import BUDGET, LARGE, SHELF, Shelf, answered, answering, give_way, kept, turn, weight
from seqviz.language import speaking, tr
from seqviz.runner import run
from seqviz.ui import pictures
from seqviz.ui.bench import Address
from seqviz.weights import materialise


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3000)), max_size=60))
def test_a_shelf_never_weighs_more_than_its_budget_and_gives_what_was_made(asked):
    shelf = Shelf(5000)
    made: dict[int, bytes] = {}
    for key, size in asked:
        found = shelf.get(key, lambda size=size, key=key: made.setdefault(key, bytes(size)))
        assert found is made[key]
        assert 0 <= shelf.nbytes <= 5000
        del found
    shelf.clear()
    assert (shelf.nbytes, len(shelf)) == (0, 0)


def test_what_was_asked_for_longest_ago_goes_first():
    shelf = Shelf(1000 + 8 * 100)
    counts = dict.fromkeys("abc", 0)

    def ask(key: str) -> None:
        def make() -> bytes:
            counts[key] += 1
            return bytes(400)

        shelf.get(key, make)

    for key in "abacab":
        ask(key)
    assert counts == {"a": 1, "b": 2, "c": 1}


def test_a_value_over_half_the_budget_is_given_and_not_kept():
    shelf = Shelf(1000)
    assert len(shelf.get("large", lambda: bytes(800))) == 800
    assert (len(shelf), shelf.nbytes) == (0, 0)


def test_an_error_is_the_callers_and_the_next_one_tries_again():
    shelf = Shelf(1000)
    with pytest.raises(ZeroDivisionError):
        shelf.get("key", lambda: 1 // 0)
    assert shelf.get("key", lambda: 5) == 5


def test_threads_that_ask_at_once_get_one_value():
    shelf, made, found = Shelf(10_000), [], []
    begun, go = threading.Event(), threading.Event()

    def make() -> list[int]:
        begun.set()
        made.append(1)
        assert go.wait(30)
        return [len(made)]

    threads = [threading.Thread(target=lambda: found.append(shelf.get("key", make))) for _ in range(6)]
    threads[0].start()
    assert begun.wait(30)
    for thread in threads[1:]:
        thread.start()
    go.set()
    for thread in threads:
        thread.join(30)
    assert (made, found) == ([1], [[1]] * 6)


@dataclass
class _Holding:
    array: np.ndarray
    again: np.ndarray
    step: object


def test_a_weight_counts_all_that_is_kept_alive_and_nothing_twice():
    large = np.zeros(100_000)
    assert 800_000 <= weight(large[:3]) < 801_000, "a view keeps the whole array"
    assert 800_000 <= weight(_Holding(large, large[5:], lambda: large)) < 802_000
    hidden = np.zeros(50_000)
    assert weight(lambda: hidden.sum()) >= 400_000, "what a function closes over is kept too"
    assert weight({"a": [bytes(1000)] * 3, "b": "é" * 100}) >= 1400
    circle: list = []
    circle.append(circle)
    assert weight(circle) < 1000


def test_the_weight_of_an_experiment_is_that_of_its_numbers():
    values = Sequence.of_values(np.ones((2000, 250), "f4"))
    tensor = Tensor.of("weight_hh_l0", np.zeros((1024, 256), "f4"))
    heavy = Experiment(input_size=250, hidden_size=256, sequence=values, tensors=(tensor,))
    assert 3_000_000 < weight(heavy) < 3_100_000


def test_an_experiment_is_hashed_and_weighed_once_and_travels_without_either(monkeypatch):
    made = Experiment(sequence=Sequence("sine", 64), init=Init(seed=4))
    same = Experiment(sequence=Sequence("sine", 64), init=Init(seed=4))
    assert hash(made) == hash(same)
    assert made == same
    assert hash(replace(made, hidden_size=5)) != hash(made), "the hash of what it was made of"
    heavy = weight(made)
    monkeypatch.setattr(kept_module, "_fields", None)
    assert (hash(made), weight(made)) == (hash(same), heavy)
    monkeypatch.undo()
    sent = pickle.loads(pickle.dumps(made))
    assert sent == made
    assert not hasattr(sent, "_hash"), "text hashes otherwise in another process"


def test_what_is_kept_may_differ_by_language_and_the_numbers_do_not():
    calls = []

    @kept
    def numbers(n: int) -> tuple[int, ...]:
        calls.append(str(tr("forget gate")))
        return (n,)

    assert numbers(1) == (1,)
    with speaking("zh"):
        assert numbers(1) == (1,)
    assert calls == ["forget gate"]


def test_many_large_experiments_stay_within_the_budget():
    """Runs, messages, gradients, Jacobians and weights of networks that weigh many times the budget together."""
    SHELF.clear()
    most = 0
    for seed in range(4):
        large = Experiment("LSTM", 1, 128, 1, 2, Init(seed=seed), sequence=Sequence("noise", 700, seed=seed))
        weighs = run(large).nbytes + sum(array.nbytes for array in materialise(large).values())
        assert weighs > 5_000_000
        for detail in (False, True):
            run(large, detail=detail)
            most = max(most, SHELF.nbytes)
        pictures._message(large, None, 0, False, False, Address("", ()), None, False)
        for _, net in studied.networks(large).items():
            studied.studied(net, "last")
            most = max(most, SHELF.nbytes)
        studied.state_jacobians(studied.networks(large)["RNN"], "last")
        most = max(most, SHELF.nbytes)
    assert BUDGET // 2 < most <= BUDGET
    assert run(large) is run(large), "the last one was not kept"
    SHELF.clear()


def test_what_a_method_belongs_to_is_weighed_with_it():
    class Held:
        def __init__(self) -> None:
            self.data = np.zeros(10_000)

        def draw(self) -> None: ...

    assert weight(Held().draw) > 80_000


def test_large_computations_take_turns_and_small_ones_do_not_wait():
    begun, go, order = threading.Event(), threading.Event(), []

    def first() -> None:
        with turn(LARGE + 1):
            begun.set()
            assert go.wait(30)
            order.append("first")

    def second() -> None:
        with turn(LARGE + 1):
            order.append("second")

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert begun.wait(30)
    threads[1].start()
    with turn(LARGE):
        order.append("small")
    go.set()
    for thread in threads:
        thread.join(30)
    assert order == ["small", "first", "second"]


@pytest.fixture
def waits(monkeypatch) -> threading.Event:
    """Happens when a large computation begins to wait, which it then does as long as it takes."""
    begun = threading.Event()

    class Waiting(threading.Condition):
        def wait_for(self, predicate, timeout=None):
            begun.set()
            return super().wait_for(predicate, timeout)

    monkeypatch.setattr(kept_module, "_NOBODY", Waiting())
    monkeypatch.setattr(kept_module, "SOON", 60.0)
    return begun


def test_a_large_computation_lets_small_ones_pass(waits):
    order = []

    def large() -> None:
        give_way()
        order.append("large")

    answering()
    give_way()
    assert not waits.is_set(), "it waited for itself"
    thread = threading.Thread(target=large)
    thread.start()
    assert waits.wait(30)
    order.append("small")
    answered()
    thread.join(30)
    assert order == ["small", "large"]
    waits.clear()
    give_way()
    assert not waits.is_set()


def test_what_turns_out_to_be_large_is_not_waited_for(waits):
    answering()
    with turn(LARGE):
        assert kept_module._ANSWERING
    with turn(LARGE + 1):
        assert not kept_module._ANSWERING
        give_way()
    assert not waits.is_set()


def test_nobody_gives_way_for_long(monkeypatch):
    monkeypatch.setattr(kept_module, "SOON", 0.0)
    answering()
    thread = threading.Thread(target=give_way)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    answered()
