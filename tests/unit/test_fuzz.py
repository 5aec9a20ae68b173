"""Whatever a reader or a public call is given, it returns a value or raises one sentence of its own."""

from __future__ import annotations

import importlib.util
import io
import json
import random
import tracemalloc
import zipfile
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import seqviz
from seqviz import sequences
from seqviz.experiment import Experiment, Init, InputEdit, Sequence, Tensor, WeightEdit, interventions
from seqviz.experiment.interventions import Ablate, Clamp, Scale
from seqviz.language import Sentence, tr
from seqviz.trace import Trace


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fuzz = loaded(Path(__file__).parents[2] / "tools" / "fuzz.py")
READERS = fuzz.readers()


@pytest.mark.parametrize("name", READERS)
def test_a_reader_reads_what_is_well_and_refuses_the_rest_in_a_sentence(name):
    reader = READERS[name]
    for well in reader.well:
        reader.read(well)

    @settings(max_examples=60)
    @given(st.sampled_from(reader.well), st.integers(0, 2**32))
    def broken_ones(well, seed):
        given_ = fuzz.broken(well, random.Random(seed))
        assert not (says := fuzz.wrong(reader.read, given_)), f"{says}\ngiven: {given_!r:.400}"

    broken_ones()


@pytest.mark.parametrize("name", READERS)
@given(noise=st.one_of(st.binary(max_size=300), st.text(max_size=300)))
@settings(max_examples=40)
def test_noise_is_refused_in_a_sentence(name, noise):
    reader = READERS[name]
    fits = noise if isinstance(noise, type(reader.well[0])) else None
    if fits is not None:
        assert not (says := fuzz.wrong(reader.read, fits)), says


def test_malformed_events_change_nothing_that_a_sentence_does_not_say():
    assert [*fuzz.try_events(150, 1)] == []


def test_the_fuzzer_sees_what_is_not_a_sentence():
    assert "ZeroDivisionError" in fuzz.wrong(lambda _: 1 / 0, "")
    assert "raw" in fuzz.wrong(lambda _: int("raw"), "")

    def long(_: Any) -> None:
        raise ValueError(Sentence("x" * 10_000))

    assert "10,000" in fuzz.wrong(long, "")


# --- direct calls ------------------------------------------------------------------------------------------


class Hostile:
    """It has every number's methods, and none works."""

    def __float__(self) -> float:
        raise ValueError("no float")

    def __index__(self) -> int:
        raise TypeError("no index")

    def __repr__(self) -> str:
        return "hostile" * 100_000


JUNK = [
    None, True, 0, -1, 5, 2**70, 10**400, -(10**5000), 1.5, float("nan"), float("inf"), 1e300, 1j, "", "l0.f",
    "x" * 50_000,
    "\ud800", b"", b"\0" * 8, [], [1], [[1, 2], [3]], ["a"], {}, {"a": 1}, {1, 2}, (), (1, 2, 3), slice(None),
    slice("a", None),
    slice(0, 4, -1), range(3), range(0, 9, 2), object(), Hostile(), Decimal("1.5"), np.float32(2), np.int64(3),
    np.array([1, 2]), np.array([]), np.zeros((2, 2, 2, 2)), np.array(["a"]), np.array([None, 1]),
    torch.zeros(3), int, len,
    iter([1]), Experiment(), Sequence(), Clamp("x", 1.0), [None] * 30_000,
]  # fmt: skip

junk = st.sampled_from(JUNK)
ONE = Experiment(hidden_size=3)
TRACE = seqviz.run(ONE)

CALLS: dict[str, Any] = {
    "Experiment": lambda a, b, c: Experiment(cell=a) if b is None else Experiment(hidden_size=a, num_layers=b, init=c),
    "Experiment.sequence": lambda a, b, c: Experiment(sequence=a, tensors=b, edits=c),
    "Experiment.interventions": lambda a, b, c: Experiment(interventions=a, input_size=b, output_size=c),
    "Experiment.edited": lambda a, b, c: ONE.edited(a),
    "Experiment.changed": lambda a, b, c: ONE.changed(hidden_size=a, sequence=b, cell=c),
    "Experiment.changed.input": lambda a, b, c: ONE.changed(input_size=a, edits=b, tensors=c),
    "Experiment.from_json": lambda a, b, c: Experiment.from_json(a),
    "Experiment.from_url": lambda a, b, c: Experiment.from_url(a),
    "Init": lambda a, b, c: Init(scheme=a, gain=b, seed=c),
    "Init.more": lambda a, b, c: Init(spectral_radius=a, forget_bias=b),
    "InputEdit": InputEdit,
    "WeightEdit": lambda a, b, c: WeightEdit("bias_ih_l0", a, b, c),
    "WeightEdit.name": lambda a, b, c: WeightEdit(a, 0, b, c),
    "Sequence": lambda a, b, c: Sequence(kind=a, length=b, seed=c),
    "Sequence.more": lambda a, b, c: Sequence(amplitude=a, period=b, edits=c),
    "Sequence.text": lambda a, b, c: Sequence(kind="text", text=a, alphabet=b),
    "Sequence.values": lambda a, b, c: Sequence(kind="values", values=a, length=b),
    "Sequence.of_values": lambda a, b, c: Sequence.of_values(a),
    "Sequence.of_text": lambda a, b, c: Sequence.of_text(a, b),
    "Sequence.edited": lambda a, b, c: Sequence().edited(a),
    "Tensor": Tensor,
    "Tensor.of": lambda a, b, c: Tensor.of("bias_ih_l0", a),
    "generate": lambda a, b, c: sequences.generate(a if isinstance(a, Sequence) else Sequence(), b),
    "generate.sequence": lambda a, b, c: sequences.generate(a, 1),
    "labels": lambda a, b, c: sequences.labels(a),
    "Clamp": lambda a, b, c: Clamp("l0.f", a, b, c),
    "Clamp.signal": lambda a, b, c: Clamp(a, 1.0, b, c),
    "Scale": lambda a, b, c: Scale("l0.f", a, b, c),
    "Ablate": lambda a, b, c: Ablate("l0.f", a, b),
    "validate": lambda a, b, c: interventions.validate(a, {"x": 1}, 3),
    "resolve_steps": lambda a, b, c: interventions.resolve_steps(Ablate("x", steps=a).steps, 5),
    "Trace": lambda a, b, c: Trace(a, b, c),
    "Trace.of": lambda a, b, c: Trace(a),
    "Trace[]": lambda a, b, c: TRACE[a],
    "Trace.sel": lambda a, b, c: TRACE.sel(a, b, c),
    "Trace.lengths_of": lambda a, b, c: TRACE.lengths_of(a),
    "Trace.load": lambda a, b, c: Trace.load(a) if not isinstance(a, (str, bool, int)) else None,
    "Trace.load.most": lambda a, b, c: Trace.load(io.BytesIO(b"PK"), max_bytes=a),
    "Trace.save": lambda a, b, c: TRACE.save(a) if not isinstance(a, (str, bytes)) else None,
    "run": lambda a, b, c: seqviz.run(a),
    "network": lambda a, b, c: seqviz.network(a),
    "preset": lambda a, b, c: seqviz.preset(a),
    "materialise": lambda a, b, c: seqviz.weights.materialise(a),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_with_anything_returns_or_says_what_is_wrong(name):
    for value in JUNK:
        assert not (says := fuzz.wrong(lambda v: CALLS[name](v, None, None), value)), f"{says}\ngiven: {value!r:.200}"

    @settings(max_examples=50)
    @given(junk, junk, junk)
    def anything(a, b, c):
        assert not (says := fuzz.wrong(lambda _: CALLS[name](a, b, c), None)), says

    anything()


@given(junk, st.sampled_from(["{x!r}", "{x}", "{x:,}", "{x:g}", "{x:.3f}"]))
def test_no_sentence_quotes_without_bound(value, template):
    try:
        said = tr("Given {x}.".replace("{x}", template), x=value)
    except (TypeError, ValueError, OverflowError):
        assert ":" in template, "a value without a format did not fit in a sentence"
        return
    assert len(said) < 2_100


# --- damaged traces ----------------------------------------------------------------------------------------


def saved(trace: Trace = TRACE) -> bytes:
    file = io.BytesIO()
    trace.save(file)
    return file.getvalue()


def with_member(name: str, content: bytes, kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved())) as old, zipfile.ZipFile(out, "w") as new:
        for each in old.namelist():
            new.writestr(each, content if each == name else old.read(each), kind)
    return out.getvalue()


def npy(header: str, content: bytes = b"") -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + content


def header(shape: str) -> str:
    return f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"


DAMAGED = {
    "a batch without steps": npy(header("(0, 100000000, 1)")),
    "a larger batch without steps": npy(header("(0, 1000000000000, 1)")),
    "units without numbers": npy(header("(5, 0, 1000000000)")),
    "a negative size": npy(header("(-5, 1, 1)"), bytes(64)),
    "no Python": npy("{'descr': '<f4', 'shape': ("),
    "bad indentation": npy("  1\n 2\n   3"),
    "deep nesting": npy("(" * 3000),
    "a long number": npy(header("(" + "9" * 5000 + ",)")),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_trace_is_one_sentence_and_no_memory(case):
    data = with_member("signal_1.npy", DAMAGED[case])
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="not a seqviz trace, or it is damaged") as caught:
            Trace.load(io.BytesIO(data))
        assert isinstance(caught.value.args[0], Sentence)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused_by_name(kind):
    data = with_member("signal_1.npy", npy(header("(1, 1, 1)"), bytes(4)), kind)
    with pytest.raises(ValueError, match="compressed in a way that seqviz does not write"):
        Trace.load(io.BytesIO(data))


def test_a_description_of_blanks_is_not_unpacked():
    blanks = io.BytesIO()
    np.save(blanks, np.array("{" + " " * 60_000_000 + "}"))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="damaged"):
            Trace.load(io.BytesIO(with_member("about.npy", blanks.getvalue())))
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("lengths", [[-5], [10**9], [49], ["a"], [None], [1, 2], [10**400]])
def test_lengths_that_the_signals_do_not_have_are_damage(lengths):
    about = {"format": "seqviz.trace", "version": 1, "signals": list(TRACE.arrays), "initial": list(TRACE.initial),
             "parity": 0.0, "modes": dict(TRACE.modes), "lengths": {"": lengths}}  # fmt: skip
    member = io.BytesIO()
    np.save(member, np.array(json.dumps(about)))
    with pytest.raises(ValueError, match="damaged"):
        Trace.load(io.BytesIO(with_member("about.npy", member.getvalue())))


def test_a_trace_without_steps_that_was_saved_is_loaded_again():
    empty = TRACE.sel(step=slice(0, 0))
    assert Trace.load(io.BytesIO(saved(empty))) == empty
