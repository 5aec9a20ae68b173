"""Data through a network that somebody brought: what is kept of a long run is what torch computes there."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn

import seqviz
from seqviz import looked, read_network
from seqviz.looked import Run, inputs_of_table, inputs_of_text, look, look_at_trace, sequences_in
from seqviz.reading import Table


def file_of(module: nn.Module):
    stream = io.BytesIO()
    torch.save(module.state_dict(), stream)
    return read_network(stream.getvalue())


def table(steps: int = 6, columns: int = 3) -> Table:
    values = np.random.default_rng(0).normal(3, 2, (steps, columns))
    return Table(values, tuple("abcdefgh"[:columns]))


@given(
    st.sampled_from([nn.LSTM, nn.GRU, nn.RNN]), st.booleans(), st.integers(1, 60), st.integers(1, 20),
    st.integers(0, 70), st.booleans(), st.integers(0, 9),
)  # fmt: skip
@example(nn.LSTM, False, 9, 4, 0, False, 0)
@example(nn.GRU, False, 9, 4, 3, False, 0)
@settings(max_examples=40, deadline=None)
def test_any_part_of_a_run_is_torchs(make, both, steps, most, first, whole, seed):
    torch.manual_seed(seed)
    module = make(2, 3, 2, bidirectional=both)
    x = torch.randn(steps, 2)
    with torch.no_grad():
        h = module(x[:, None])[0][:, 0]
    seen = look(file_of(module), file_of(module).stacks[0], x.numpy(), most=most, first=first, whole=whole)
    found = seen.trace["l1.h"][:, 0]
    kept = slice(0, None, seen.every) if whole or steps <= most else slice(seen.first, seen.first + most)
    np.testing.assert_allclose(found, h[kept, :3], atol=1e-6)
    np.testing.assert_array_equal(seen.trace["x"][:, 0], x[kept])
    assert len(found) <= max(most, 1)
    assert bool(seen.says) == (steps > most)


def test_a_long_run_is_kept_in_part_and_says_so(monkeypatch):
    monkeypatch.setattr(looked, "MAX_WHOLE", 900)
    monkeypatch.setattr(looked, "CHUNK", 128)
    module = nn.GRU(1, 4)
    x = torch.randn(1000, 1)
    file = file_of(module)
    with torch.no_grad():
        h = module(x[:, None])[0][:, 0]
    seen = look(file, file.stacks[0], x.numpy(), most=100, whole=True)
    np.testing.assert_allclose(seen.trace["l0.h"][:, 0], h[:900:9], atol=1e-6)
    assert "one in 9 is shown" in seen.says
    assert "left out" in seen.says
    again = look_at_trace(seqviz.capture(module, x[:, None]), most=100, first=950)
    assert again.says == "Steps 950 to 999 of 1,000 are shown."
    np.testing.assert_allclose(again.trace["l0.h"][:, 0], h[950:], atol=1e-6)
    both = file_of(nn.GRU(1, 4, bidirectional=True))
    with pytest.raises(ValueError, match="at most 900 steps"):
        look(both, both.stacks[0], x.numpy())


def test_columns_become_inputs():
    given_ = table()
    taken = inputs_of_table(given_, 2)
    np.testing.assert_allclose(taken.x, given_.values[:, :2], rtol=1e-6)
    assert "the first ones were taken: 'a', 'b'" in str(taken.says[0])
    chosen = inputs_of_table(given_, 2, ["c", "a"], standardise=True)
    expected = given_.values[:, [2, 0]]
    np.testing.assert_allclose(chosen.x.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(chosen.x * chosen.std + chosen.mean, expected, rtol=1e-5)
    still = inputs_of_table(Table(np.full((4, 1), 7.0), ("a",)), 1, standardise=True)
    assert (still.x == 0).all()


@pytest.mark.parametrize(
    ("size", "columns", "says"),
    [
        (4, [], "takes 4 inputs, and 3 columns of the table were chosen: 'a', 'b', 'c'"),
        (2, ["a"], "takes 2 inputs, and 1 column"),
        (1, ["d"], "no column 'd'; it has 'a', 'b', 'c'"),
    ],
)
def test_columns_that_do_not_fit_are_said(size, columns, says):
    with pytest.raises(ValueError, match=says):
        inputs_of_table(table(), size, columns)


def test_numbers_beyond_float32_are_said():
    with pytest.raises(ValueError, match="too large for float32"):
        inputs_of_table(Table(np.full((2, 1), 1e300), ("a",)), 1)


def test_a_text_lights_one_input_a_character():
    found = inputs_of_text("abca", 4)
    np.testing.assert_array_equal(found.x.argmax(1), [0, 1, 2, 0])
    assert (found.x.sum(1) == 1).all()
    assert "does not say which character" in found.says[0]
    for text, says in (("", "is empty"), ("abcde", "Different characters in the text: 5; the network takes 4 inputs")):
        with pytest.raises(ValueError, match=says):
            inputs_of_text(text, 4)


def test_a_window_far_into_a_run_begins_at_the_last_place_that_is_known(monkeypatch):
    monkeypatch.setattr(looked, "CHUNK", 64)
    torch.manual_seed(0)
    module = nn.LSTM(2, 3, 2)
    x = torch.randn(1000, 2)
    with torch.no_grad():
        h = module(x[:, None])[0][:, 0]
    file = file_of(module)
    run = Run(file.whole(file.stacks[0]), x.numpy())
    asked = [900, 10, 130, 950, 899, 0]
    steps = []
    run.module.register_forward_pre_hook(lambda _, given: steps.append(len(given[0])))
    for first in asked:
        steps.clear()
        seen = run.look(most=40, first=first)
        np.testing.assert_allclose(seen.trace["l1.h"][:, 0], h[first : first + 40], atol=1e-6)
        if first != asked[0]:
            assert sum(steps) < 40 + 2 * 64, "what was run once is not run again"


def test_columns_are_brought_to_the_range_from_0_to_1():
    given_ = table(7, 2)
    taken = inputs_of_table(given_, 2, to_range=True)
    low, high = given_.values.min(0), given_.values.max(0)
    np.testing.assert_allclose(taken.x, (given_.values - low) / (high - low), rtol=1e-5)
    assert "brought to the range from 0 to 1" in str(taken.says[0])
    still = inputs_of_table(Table(np.full((4, 1), 7.0), ("a",)), 1, to_range=True)
    assert (still.x == 0).all()


@pytest.mark.parametrize(
    ("values", "starts"),
    [
        ([1, 1, 2, 2, 2, 7, 7], [0, 2, 5]),
        ([1, 1, 2, 2, 1, 1], None),  # comes back
        ([1, 2, 3, 4], None),  # a number of the row
        ([0.5, 0.5, 1.5, 1.5], None),  # no whole numbers
        ([3, 3, 3, 3], None),  # one sequence
    ],
)
def test_a_column_that_tells_sequences_apart(values, starts):
    found = sequences_in(Table(np.array(values, float)[:, None], ("day",)))
    if starts is None:
        assert not found
    else:
        np.testing.assert_array_equal(found["day"], starts)
