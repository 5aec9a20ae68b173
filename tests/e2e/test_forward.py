"""The browser's own forward pass against torch: same weights, same inputs, same numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import seqviz
from seqviz import weights
from seqviz.experiment import Experiment, Init, Sequence
from seqviz.ui import pictures

pytestmark = pytest.mark.browser

CELLS = ["LSTM", "GRU", "RNN_TANH", "RNN_RELU"]
GATE = {"LSTM": "f", "GRU": "z", "RNN_TANH": "h", "RNN_RELU": "h"}

_RUN = """async ({ path, model, parameters, x, rules }) => {
  const { forward } = await import(path);
  const arrays = Object.fromEntries(Object.entries(parameters).map(([name, list]) => [name, Float32Array.from(list)]));
  const result = forward({ ...model, parameters: arrays }, Float32Array.from(x), rules);
  return Object.fromEntries(Object.entries(result).map(([name, values]) => [name, [...values]]));
}"""


def experiment(cell: str, layers: int, inputs: int, interventions=()) -> Experiment:
    values = np.random.default_rng(7).normal(size=(40, inputs)).astype(np.float32)
    gain = 0.6 if cell == "RNN_RELU" else 1.5
    return Experiment(
        cell=cell,
        input_size=inputs,
        hidden_size=12,
        output_size=2,
        num_layers=layers,
        init=Init(gain=gain, seed=layers),
        sequence=Sequence.of_values(values),
        interventions=tuple(interventions),
    )


def in_the_browser(page, given: Experiment) -> dict[str, np.ndarray]:
    model, _ = pictures._model(given)
    found = page.evaluate(
        _RUN,
        {
            "path": "/_stcore/bidi-components/seqviz.scope/forward.js",
            "model": model,
            "parameters": {name: array.ravel().tolist() for name, array in weights.materialise(given).items()},
            "x": seqviz.sequences.generate(given.sequence, given.input_size).ravel().tolist(),
            "rules": pictures.rules(given),
        },
    )
    return {name: np.array(values).reshape(given.sequence.length, -1) for name, values in found.items()}


def compare(page, given: Experiment) -> None:
    trace, found = seqviz.run(given), in_the_browser(page, given)
    assert set(found) == set(trace.signals)
    for name, values in found.items():
        np.testing.assert_allclose(values, trace[name][:, 0], atol=1e-5, err_msg=name)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_it_is_torch(bare_page, cell, layers):
    compare(bare_page, experiment(cell, layers, inputs=1 if layers == 1 else 3))


def rules(cell: str, layers: int) -> dict[str, list[seqviz.Clamp | seqviz.Ablate | seqviz.Scale]]:
    name, top = f"l0.{GATE[cell]}", f"l{layers - 1}.h"
    block = {"LSTM": "g", "GRU": "n"}.get(cell, "h")
    return {
        "clamp": [seqviz.Clamp(name, 0.25, units=[1, 4], steps=(5, 20))],
        "ablate": [seqviz.Ablate(top, steps=(-8, None)), seqviz.Ablate("x", units=[0], steps=3)],
        "scale": [seqviz.Scale(name, 0.5), seqviz.Scale(top, -1.5, units=[2], steps=(10, 12))],
        "before the squashing": [
            seqviz.Clamp(f"l0.{block}_pre", 0.3, units=[0], steps=(0, 9)),
            seqviz.Scale(f"l0.{block}_hh", 2.0, units=[3]),
            seqviz.Ablate(f"l0.{block}_ih", steps=(20, 30)),
        ],
        "two on one signal": [seqviz.Clamp(top, 0.5, units=[1]), seqviz.Scale(top, 2.0, units=[1, 2])],
    }


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_it_is_torch_under_every_intervention(bare_page, cell, layers):
    bare = experiment(cell, layers, inputs=2)
    untouched = seqviz.run(bare)["y"]
    for name, edits in rules(cell, layers).items():
        given = replace(bare, interventions=tuple(edits))
        assert not np.array_equal(seqviz.run(given)["y"], untouched), f"{name} changes nothing"
        compare(bare_page, given)
