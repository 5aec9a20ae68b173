"""Networks as files: exactly what was saved comes back, and nothing else is taken for one."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqviz import checkpoints
from seqviz.checkpoints import MAX_FILE, asset_names, from_safetensors, load_asset, to_safetensors
from seqviz.experiment import Experiment, Init, Sequence, WeightEdit
from seqviz.runner import network
from seqviz.tasks import TASKS
from seqviz.weights import materialise

SMALL = Experiment(hidden_size=2)
SAVED = to_safetensors(SMALL)


def file(header: dict, tensors: bytes = b"") -> bytes:
    """A safetensors file with any header."""
    written = json.dumps(header).encode()
    return struct.pack("<Q", len(written)) + written + tensors


def parts(data: bytes) -> tuple[dict, bytes]:
    size = 8 + int.from_bytes(data[:8], "little")
    return json.loads(data[8:size]), data[size:]


@pytest.mark.parametrize(
    "experiment",
    [
        Experiment(hidden_size=4).edited([WeightEdit("weight_hh_l0", 1, 2, 0.125)]),
        Experiment("GRU", 3, 5, 2, num_layers=2, init=Init("orthogonal", seed=7)),
        Experiment("RNN_RELU", 2, 6, init=Init("identity"), sequence=Sequence("noise", 100, seed=3)),
        Experiment(init=Init("chrono"), sequence=Sequence("bits", 77)),
        Experiment("LSTM", 3, 4, sequence=Sequence.of_text("abcba")),
    ],
)
def test_files_hold_the_network_exactly(experiment: Experiment) -> None:
    back = from_safetensors(to_safetensors(experiment))
    before, after = network(experiment).state_dict(), network(back).state_dict()
    assert list(before) == list(after)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert back.sequence == experiment.sequence
    assert from_safetensors(to_safetensors(back)) == back


@given(st.data())
@settings(max_examples=300)
def test_a_damaged_file_gives_a_sentence_or_a_network(data: st.DataObject) -> None:
    """One byte changed, or an end cut off: never anything but a ValueError in words of one line."""
    at = data.draw(st.integers(0, len(SAVED) - 1))
    changed = bytearray(SAVED)
    changed[at] = data.draw(st.integers(0, 255))
    for bad in (bytes(changed), SAVED[:at]):
        try:
            found = from_safetensors(bad)
        except ValueError as refusal:
            said = str(refusal)
        else:
            said = "a network"
            assert set(materialise(found)) == set(materialise(SMALL))
        assert said
        assert "\n" not in said


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"junk" * 50,
        SAVED[:-7],
        b"\xff" * 100,
        file({}),
        file({"__metadata__": {"seqviz": 5}}),
        file([]),  # type: ignore[arg-type]
        struct.pack("<Q", 100_000) + b"[" * 100_000,
        struct.pack("<Q", 2**63) + SAVED[8:],
        b"PK\x03\x04" + b"\0" * 100,
    ],
    ids=range(10),
)
def test_other_files_are_refused(bad: bytes) -> None:
    with pytest.raises(ValueError, match="not a network saved by seqviz"):
        from_safetensors(bad)


def test_weights_that_do_not_fit_are_refused() -> None:
    header, tensors = parts(SAVED)
    none = {"__metadata__": header["__metadata__"]}
    with pytest.raises(ValueError, match="lacks the weights weight_ih_l0"):
        from_safetensors(file(none))
    turned = {**header, "readout.weight": {**header["readout.weight"], "shape": [2, 1]}}
    with pytest.raises(ValueError, match=r"readout.weight must have the shape \(1, 2\)"):
        from_safetensors(file(turned, tensors))
    half = {**header, "readout.weight": {**header["readout.weight"], "dtype": "F16", "shape": [1, 4]}}
    with pytest.raises(ValueError, match=r"'readout\.weight' are float16"):
        from_safetensors(file(half, tensors))
    extra = {**header, "<script>": {"dtype": "F32", "shape": [1], "data_offsets": [len(tensors), len(tensors) + 4]}}
    with pytest.raises(ValueError, match="no parameter"):
        from_safetensors(file(extra, tensors + b"\0" * 4))
    start, end = header["readout.weight"]["data_offsets"]
    nan = tensors[:start] + struct.pack("<f", np.nan) + tensors[start + 4 : end] + tensors[end:]
    with pytest.raises(ValueError, match="hold NaN or infinity"):
        from_safetensors(file(header, nan))
    with pytest.raises(ValueError, match="larger than 32 MB"):
        from_safetensors(b"\0" * (MAX_FILE + 1))


def test_edits_in_a_foreign_header_change_nothing() -> None:
    header, tensors = parts(SAVED)
    header["__metadata__"]["seqviz"] = SMALL.edited([WeightEdit("readout.bias", 0, 0, 9.0)]).to_json()
    assert from_safetensors(file(header, tensors)) == from_safetensors(SAVED)


@pytest.mark.parametrize("name", [n for n in TASKS if n != "parity_end"])
def test_the_networks_that_come_along_have_learned(name: str) -> None:
    assert name in asset_names()
    experiment, found = load_asset(name), TASKS[name]
    batch = found.exam(torch.Generator().manual_seed(99), 256)
    with torch.no_grad():
        score = found.score(network(experiment)(batch.x), batch)
    assert score < 1.25 * found.solved if found.smaller_is_better else score > 0.97
    assert experiment.sequence == found.probe()[0]


def test_where_no_networks_come_along(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(checkpoints, "ASSETS", tmp_path / "none")
    assert asset_names() == ()
    with pytest.raises(ValueError, match="no trained network 'latch'; there are none here"):
        load_asset("latch")


def test_a_name_is_no_path() -> None:
    with pytest.raises(ValueError, match="no trained network"):
        load_asset("../weights/latch")


def test_without_safetensors_it_says_what_to_do(monkeypatch):
    data = to_safetensors(Experiment(hidden_size=2))
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ImportError, match="to_safetensors needs safetensors: pip install safetensors"):
        to_safetensors(Experiment(hidden_size=2))
    with pytest.raises(ImportError, match="from_safetensors needs safetensors"):
        from_safetensors(data)
