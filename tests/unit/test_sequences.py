"""Every kind of input against its closed form."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqviz.experiment import Experiment
from seqviz.experiment.parts import KINDS, InputEdit, Sequence
from seqviz.sequences import KIND_LABELS, generate, labels

LENGTHS = (1, 2, 48, 2000)
WAVES = tuple(kind for kind in KINDS if kind not in ("text", "values"))


def sequence_of(kind: str, length: int, width: int) -> Sequence:
    if kind == "text":
        return Sequence.of_text(("abcabb" * length)[:length], "abc"[:width] if width > 1 else "")
    if kind == "values":
        return Sequence.of_values(np.random.default_rng(length).standard_normal((length, width)))
    return Sequence(kind, length=length)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("width", [1, 3])
def test_every_kind_is_finite_read_only_and_of_its_shape(kind: str, length: int, width: int) -> None:
    sequence = Sequence.of_text("a" * length) if (kind, width) == ("text", 1) else sequence_of(kind, length, width)
    array = generate(sequence, width)
    assert array.shape == (length, width)
    assert array.dtype == np.float32
    assert np.isfinite(array).all()
    assert array.tobytes() == generate(sequence, width).tobytes()
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 1.0
    assert len(labels(sequence)) == length


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("period", [0.5, 3.0, 16.0, 1000.0])
def test_waves_are_their_formulas(length: int, period: float) -> None:
    for k in range(3):
        turns = [t / period + k / 6 for t in range(length)]

        def wave(kind: str, k: int = k) -> np.ndarray:
            return generate(Sequence(kind, length=length, amplitude=2.0, period=period), 3)[:, k]

        np.testing.assert_allclose(wave("sine"), [2 * math.sin(2 * math.pi * s) for s in turns], atol=1e-5)
        np.testing.assert_allclose(wave("ramp"), [4 * (s - math.floor(s)) - 2 for s in turns], atol=1e-6)
        expected = [2.0 if s - math.floor(s) < 0.5 else -2.0 for s in turns]
        np.testing.assert_array_equal(wave("square"), expected)


def test_sine_of_one_input_starts_at_zero_and_repeats() -> None:
    array = generate(Sequence("sine", length=64, period=16.0), 1)[:, 0]
    assert array[0] == 0.0
    assert array[4] == pytest.approx(1.0)
    np.testing.assert_allclose(array[:48], array[16:], atol=1e-6)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("width", [1, 3])
def test_impulses_pulses_and_steps_stand_where_they_should(length: int, width: int) -> None:
    expected = {kind: np.zeros((length, width)) for kind in ("impulse", "two_pulses", "step")}
    for k in range(width):
        first = min(length // 8 + 2 * k, length - 1)
        expected["impulse"][first, k] = -1.5
        expected["two_pulses"][first, k] = -1.5
        expected["two_pulses"][max(length - 1 - length // 8 - 2 * k, 0), k] = -1.5
        expected["step"][length * (k + 1) // (width + 1) :, k] = -1.5
    for kind, array in expected.items():
        np.testing.assert_array_equal(generate(Sequence(kind, length=length, amplitude=-1.5), width), array)


def test_two_pulses_are_as_far_from_both_ends() -> None:
    array = generate(Sequence("two_pulses", length=48), 1)[:, 0]
    np.testing.assert_array_equal(np.flatnonzero(array), [6, 41])
    np.testing.assert_array_equal(array, array[::-1])


def test_noise_is_standard_normal_times_the_amplitude() -> None:
    array = generate(Sequence("noise", length=2000, amplitude=3.0, seed=4), 3)
    assert array.mean() == pytest.approx(0.0, abs=3 * 5 / math.sqrt(6000))
    assert array.std() == pytest.approx(3.0, rel=0.05)
    assert np.mean(np.abs(array) < 3.0) == pytest.approx(0.6827, abs=0.03)
    assert abs(np.corrcoef(array.T)[0, 1]) < 0.1
    assert abs(np.corrcoef(array[1:, 0], array[:-1, 0])[0, 1]) < 0.1


def test_bits_are_fair() -> None:
    array = generate(Sequence("bits", length=2000, seed=4), 3)
    assert set(np.unique(array)) == {0.0, 1.0}
    np.testing.assert_allclose(array.mean(axis=0), 0.5, atol=0.06)


@pytest.mark.parametrize("kind", ["noise", "bits"])
def test_a_seed_means_one_draw_and_leaves_the_global_generator_alone(kind: str) -> None:
    before = np.random.get_state()[1].copy()  # type: ignore[index]
    first = generate(Sequence(kind, seed=1), 3)
    assert first.tobytes() == generate(Sequence(kind, seed=1), 3).tobytes()
    assert first.tobytes() != generate(Sequence(kind, seed=2), 3).tobytes()
    assert (before == np.random.get_state()[1]).all()  # type: ignore[index]


@pytest.mark.parametrize("kind", sorted(set(WAVES) - {"noise", "bits"}))
def test_only_noise_and_bits_look_at_the_seed(kind: str) -> None:
    assert generate(Sequence(kind, seed=1), 2).tobytes() == generate(Sequence(kind, seed=2), 2).tobytes()


@pytest.mark.parametrize("kind", WAVES)
def test_the_amplitude_scales(kind: str) -> None:
    one, four = (generate(Sequence(kind, amplitude=a), 2) for a in (1.0, -4.0))
    np.testing.assert_array_equal(four, -4 * one)
    assert not generate(Sequence(kind, amplitude=0.0), 2).any()


@pytest.mark.parametrize("kind", WAVES)
@pytest.mark.parametrize("period", [1e-45, 3e38])
def test_the_widest_settings_stay_finite(kind: str, period: float) -> None:
    assert np.isfinite(generate(Sequence(kind, 2000, amplitude=1e6, period=period), 256)).all()


def test_text_is_one_hot_in_the_order_of_its_alphabet() -> None:
    sequence = Sequence.of_text("héé🙂", "xé")
    assert sequence.alphabet == "xéh🙂"
    array = generate(sequence, 4)
    np.testing.assert_array_equal(array, np.eye(4)[[2, 1, 1, 3]])
    assert labels(sequence) == ["h", "é", "é", "🙂"]
    with pytest.raises(ValueError, match="alphabet has 4 characters and the input size is 3"):
        generate(sequence, 3)


def test_script_tags_are_characters_like_any_other() -> None:
    sequence = Sequence.of_text("<script>")
    np.testing.assert_array_equal(generate(sequence, len(sequence.alphabet)).sum(axis=1), 1.0)
    assert "".join(labels(sequence)) == "<script>"


def test_labels_number_the_steps() -> None:
    assert labels(Sequence("sine", length=3)) == ["0", "1", "2"]


@given(
    st.lists(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=2, max_size=2), min_size=1)
)
@settings(max_examples=50)
def test_own_numbers_come_back_bit_for_bit(rows: list[list[float]]) -> None:
    array = np.array(rows, dtype=np.float32)
    assert generate(Sequence.of_values(array), 2).tobytes() == array.tobytes()


def test_own_numbers_of_another_width() -> None:
    with pytest.raises(ValueError, match="does not hold 4 steps of 2 numbers"):
        generate(Sequence.of_values(np.zeros((4, 3))), 2)


@pytest.mark.parametrize("kind", KINDS)
def test_edits_change_their_numbers_alone(kind: str) -> None:
    sequence = sequence_of(kind, 10, 3)
    edits = [InputEdit(0, 0, 7.5), InputEdit(9, 2, -0.0), InputEdit(4, 1, 1e-45), InputEdit(4, 1, 0.1)]
    expected = generate(sequence, 3).copy()
    expected[0, 0], expected[9, 2], expected[4, 1] = 7.5, -0.0, 0.1
    assert generate(sequence.edited(edits), 3).tobytes() == expected.tobytes()


def test_an_edit_of_an_input_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="names input 2; there are inputs 0 to 1"):
        generate(Sequence("sine", edits=(InputEdit(0, 2, 1.0),)), 2)


def test_every_kind_has_a_name_for_the_screen() -> None:
    assert set(KIND_LABELS) == set(KINDS)


def test_own_numbers_keep_their_names_and_labels_through_files_and_addresses():
    days = [f"2021-03-0{k}" for k in (1, 2, 3)]
    own = Sequence.of_values([[1, 2], [3, 4], [5, 6]], ["load", "a name " * 20], days)
    assert own.labels == tuple(days)
    assert own.names[0] == "load"
    assert len(own.names[1]) == 40
    experiment = Experiment(input_size=2, sequence=own)
    assert Experiment.from_json(experiment.to_json()) == experiment
    assert Experiment.from_url(experiment.to_url()) == experiment
    assert experiment.changed(input_size=3).sequence.names == (*own.names, "x[2]")
    assert experiment.changed(input_size=1).sequence.names == ("load",)
    assert experiment.changed(input_size=3).sequence.labels == tuple(days)


def test_a_document_without_names_is_written_as_it_always_was():
    plain = Experiment(input_size=1, sequence=Sequence.of_values([1.0, 2.0]))
    assert plain.to_json() == ('{"seqviz":1,"sequence":{"kind":"values","length":2,"values":"AACAPwAAAEA="}}')


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"names": ("a", "b")}, "2 names for 1 places"),
        ({"labels": ("a",)}, "1 labels for 2 places"),
        ({"names": ("a" * 41,)}, "longer than 40 characters"),
        ({"labels": ("a\n", "b")}, "not printable"),
        ({"labels": "ab"}, "list of texts"),
        ({"names": (3,)}, "list of texts"),
    ],
)
def test_names_and_labels_have_their_size(fields, says):
    own = Sequence.of_values([1.0, 2.0])
    with pytest.raises(ValueError, match=says):
        replace(own, **fields)
    with pytest.raises(ValueError, match=r"only own numbers have them|list of texts|longer|printable"):
        Sequence("sine", 2, **fields)
