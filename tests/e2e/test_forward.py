"""The browser's own forward pass against torch: same weights, same inputs, same numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cells_written import WRITTEN

import seqviz
from seqviz import cells, weights
from seqviz.cells import road
from seqviz.experiment import Experiment, Init, Sequence, Tensor
from seqviz.ui import pictures

pytestmark = pytest.mark.browser

CELLS = cells.names()


def parts_of(cell: str) -> tuple[str, str]:
    """A gate that keeps a state, and what is written into a state and no gate; both h where a cell has no gates."""
    found = cells.get(cell)
    kept = next(iter(found.keep_gates.values()), ("h", 1))[0]
    squashed = (s for s in found.signals if f"{s}_pre" in found.where and s not in found.gates)
    return kept, next(squashed, "h")


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
    return {name: np.array(values, float).reshape(given.sequence.length, -1) for name, values in found.items()}


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
    gate, block = parts_of(cell)
    name, top = f"l0.{gate}", f"l{layers - 1}.h"
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


def huge(cell: str, seed: int, *, held: bool) -> Experiment:
    """A network with weights and inputs of any size that float32 holds, sometimes with signals held or scaled."""
    rng = np.random.default_rng(seed)
    layers, hidden, inputs = int(rng.integers(1, 3)), int(rng.choice([1, 2, 5, 12])), int(rng.choice([1, 2, 5]))
    gain, size = 10.0 ** rng.choice([0.3, 0.6, 1, 2, 5, 15, 30, 37]), 10.0 ** rng.choice([0, 0, 0, 3, 20, 37])
    values = rng.normal(size=(int(rng.integers(5, 60)), inputs)) * size
    bare = Experiment(
        cell=cell, input_size=inputs, hidden_size=hidden, output_size=2, num_layers=layers, init=Init(seed=seed),
        sequence=Sequence.of_values(np.clip(values, -3e38, 3e38).astype(np.float32)),
    )  # fmt: skip
    tensors = [
        Tensor.of(name, np.clip(array.astype(float) * gain, -3e38, 3e38).astype(np.float32))
        for name, array in weights.materialise(bare).items()
    ]
    edits: list[seqviz.Clamp | seqviz.Scale] = []
    if held:
        for name in rng.choice(list(bare.widths()), size=2):
            kind, step = (seqviz.Clamp, seqviz.Scale)[rng.integers(2)], int(rng.integers(len(values)))
            size = 10.0 ** rng.choice([0, 20, 37])
            edits.append(kind(str(name), float(rng.normal() * size), units=[0], steps=(step, None)))
    return replace(bare, tensors=tuple(tensors), interventions=tuple(edits))


def reordered(given: Experiment, inputs: np.ndarray, units: np.ndarray) -> Experiment:
    """The same network with its inputs and its units in another order."""
    tensors = []
    for name, array in weights.materialise(given).items():
        if "readout" not in name:
            array = array.reshape(-1, given.hidden_size, *array.shape[1:])[:, units].reshape(array.shape)
        if array.ndim == 2:
            array = array[:, inputs if name == "weight_ih_l0" else units]
        tensors.append(Tensor.of(name, np.ascontiguousarray(array)))
    values = seqviz.sequences.generate(given.sequence, given.input_size)[:, inputs]
    edits = [
        replace(edit, units=[list(inputs if edit.signal == "x" else units).index(unit) for unit in edit.units])
        for edit in given.interventions
    ]
    sequence = Sequence.of_values(np.ascontiguousarray(values))
    return replace(given, tensors=tuple(tensors), sequence=sequence, interventions=tuple(edits))


def hangs_on_order(given: Experiment) -> bool:
    """Whether torch itself answers otherwise, in kind, with inputs and units in another order, or by another way.

    Parts of one sum overflow, and others would bring it back.
    """
    trace, rng = seqviz.run(given, detail=True), np.random.default_rng(0)
    if np.isnan(trace.parity):
        return True
    for _ in range(4):
        inputs, units = rng.permutation(given.input_size), rng.permutation(given.hidden_size)
        other = seqviz.run(reordered(given, inputs, units), detail=True)
        for name in trace.signals:
            order = slice(None) if name == "y" else inputs if name == "x" else units
            if (sort(trace[name][:, 0][:, order]) != sort(other[name][:, 0])).any():
                return True
    return False


def sort(values: np.ndarray) -> np.ndarray:
    """0 where finite, and a number each for NaN, infinity and its negative."""
    return np.where(np.isnan(values), 2, np.where(np.isinf(values), np.sign(values), 0))


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_what_overflows_in_torch_overflows_in_the_browser(bare_page, cell, held):
    overflown = 0
    for seed in range(100):
        given = huge(cell, seed, held=held)
        trace, found = seqviz.run(given), in_the_browser(bare_page, given)
        kinds = {name: sort(trace[name][:, 0]) for name in trace.signals}
        other = [name for name in kinds if (kinds[name] != sort(found[name])).any()]
        if other and hangs_on_order(given):
            continue
        assert other == [], f"seed {seed}"
        overflown += any(kind.any() for kind in kinds.values())
    assert overflown >= {"RNN_RELU": 30}.get(cell, 10 if held else 0)


_LAYER = """async ({ path, cell, weights, x, inputs, hidden }) => {
  const { run } = await import(path);
  const named = Object.fromEntries(Object.entries(weights).map(([name, list]) => [name, Float32Array.from(list)]));
  const found = run(cell, named, Float32Array.from(x), inputs, hidden, {});
  return Object.fromEntries(Object.entries(found).map(([name, values]) => [name, [...values]]));
}"""


@pytest.mark.parametrize("name", WRITTEN)
def test_any_cell_that_can_be_written_runs_in_the_browser(bare_page, name):
    cell, rng = WRITTEN[name], np.random.default_rng(2)
    draw = lambda shape: (rng.normal(size=shape) * 0.7).astype(np.float32)  # noqa: E731
    weights_ = {key: draw(shape) for key, shape in cell.parameters(3, 5).items()}
    x = draw((30, 1, 3))
    initial = {s: np.full((1, cell.sizes.get(s, 5)), cell.start.get(s, 0.0)) for s in cell.states}
    expected = road.run(cell, weights_, x.astype(np.float64), initial)
    found = bare_page.evaluate(
        _LAYER,
        {
            "path": "/_stcore/bidi-components/seqviz.scope/tape.js",
            "cell": cell.description(),
            "weights": {key: array.ravel().tolist() for key, array in weights_.items()},
            "x": x.ravel().tolist(),
            "inputs": 3,
            "hidden": 5,
        },
    )
    assert tuple(found) == cell.signals
    for signal, values in found.items():
        wanted = expected[signal][:, 0].ravel()
        np.testing.assert_allclose(values, wanted, atol=2e-5, rtol=2e-5, err_msg=signal)
