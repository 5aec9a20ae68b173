"""Links, files and traces that an earlier seqviz wrote open, and give the numbers that they gave then.

What lies in ``tests/before`` was written at commit 4422ea9, in version 1 of both formats, and is never written anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqviz
from seqviz import Experiment, Trace
from seqviz.checkpoints import from_safetensors

HERE = Path(__file__).parents[1] / "before"
WRITTEN: list[dict[str, Any]] = json.loads((HERE / "experiments.json").read_text(encoding="utf-8"))
TRACES = sorted(HERE.glob("*.npz"))


@pytest.mark.parametrize("old", WRITTEN, ids=lambda old: old["name"])
def test_a_link_and_a_file_open_and_run_as_they_ran(old: dict[str, Any]) -> None:
    experiment = Experiment.from_url(old["url"])
    assert Experiment.from_json(old["json"]) == experiment
    trace = seqviz.run(experiment)
    np.testing.assert_allclose(trace["y"][-1, 0], old["y"], rtol=1e-5, atol=2e-6)
    np.testing.assert_allclose(trace[f"l{experiment.num_layers - 1}.h"][-1, 0], old["h"], rtol=1e-5, atol=2e-6)
    assert Experiment.from_url(experiment.to_url()) == experiment


def test_every_kind_is_among_them() -> None:
    """All cells, sequences, starts and presets that there were, weights, edits and each kind of intervention."""
    every = [Experiment.from_json(old["json"]) for old in WRITTEN]
    assert {"LSTM", "GRU", "RNN_TANH", "RNN_RELU"} <= {e.cell for e in every}
    kinds = {"two_pulses", "impulse", "step", "sine", "square", "ramp", "noise", "bits", "values", "text"}
    assert kinds <= {e.sequence.kind for e in every}
    assert {"default", "xavier", "orthogonal", "identity", "chrono", "zeros", "latch"} <= {e.init.scheme for e in every}
    assert any(e.tensors for e in every)
    assert any(e.edits for e in every)
    assert {type(edit).__name__ for e in every for edit in e.interventions} == {"Clamp", "Scale", "Ablate"}


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.stem)
def test_a_trace_opens_with_every_number_that_is_in_it(path: Path) -> None:
    trace = Trace.load(path)
    with np.load(path, allow_pickle=False) as file:
        about = json.loads(bytes(file["about"]) if file["about"].dtype.kind == "u" else str(file["about"]))
        written = [file[f"signal_{k}"] for k in range(len(about["signals"]))]
    assert list(trace.arrays) == about["signals"]
    for name, values in zip(about["signals"], written, strict=True):
        np.testing.assert_array_equal(trace[name], values, err_msg=name)
    assert (about["version"], trace.parity) == (1, about["parity"])


def test_the_traces_are_of_both_directions_of_parts_and_of_lengths() -> None:
    both, parts, short = (Trace.load(HERE / f"{name}.npz") for name in ("lstm_both_ways", "gru_detail", "rnn"))
    assert {"l0.c", "l0_reverse.f"} <= set(both.arrays)
    assert "l1.n_hh" in parts.arrays
    assert short.lengths == (6, 4)
    for trace in (both, parts, short):
        assert trace.problem == ""
        assert trace.parity < 1e-6


def test_a_file_of_weights_opens() -> None:
    """As the link of the same network does."""
    found = from_safetensors((HERE / "network.safetensors").read_bytes())
    wanted = next(Experiment.from_json(old["json"]) for old in WRITTEN if old["name"] == "tensors")
    own, theirs = (seqviz.weights.materialise(each) for each in (found, wanted))
    assert set(own) == set(theirs)
    for name in own:
        np.testing.assert_array_equal(own[name], theirs[name], err_msg=name)
