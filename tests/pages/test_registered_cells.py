"""Every page with every registered cell: what it is sent, what can be changed, and that nothing refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import seqviz
from seqviz import cells, weights
from seqviz.experiment import Experiment, Init, Sequence, WeightEdit
from seqviz.experiment.interventions import Clamp
from seqviz.gradients import studied
from seqviz.kept import SHELF
from seqviz.tasks import TASKS
from seqviz.training import prepare, recipes_of, train
from seqviz.ui.training_choices import racers

NAMES = cells.names()
USUAL = ("RNN", "GRU", "LSTM")


def small(cell: str, **more: Any) -> Experiment:
    return Experiment(cell, 1, 4, 1, 2, init=Init(seed=3), sequence=Sequence("noise", 12, seed=2), **more)


def message(app: Any, key: str, unpack: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    (found,) = [c for c in app.at.get("bidi_component") if c.key == key]
    return unpack(found.proto.bytes)


@pytest.mark.parametrize("name", [*NAMES, "MINGRU_SIGNED"])
def test_the_gates_page(visit: Any, name: str) -> None:
    """Its rows are the cell's, an edit of a weight and an intervention reach the picture, and the address brings it."""
    cell = cells.get(name)
    app = visit(e=small(name).to_url())
    app.shows(app.experiment)
    assert app.experiment.cell == name
    header, arrays = app.said()
    sent = header["model"]["cell"]
    assert sent["nodes"]
    assert sent["text"] == cell.text
    assert sent["gates"] == [signal for signal in cell.signals if signal in cell.gates]
    assert set(sent["labels"]) == set(cell.signals)
    for parameter, array in weights.materialise(app.experiment).items():
        np.testing.assert_array_equal(arrays[f"model.{parameter}"].reshape(array.shape), array)
    for panel in ("Network", "Weights", "What if"):
        app.panel(panel)
    signal = cell.told[0]
    app.at.button(key="whatif.add").click()
    app.run()
    assert [edit.signal for edit in app.experiment.interventions] == [f"l0.{signal}"]
    app.shows(app.experiment)


@pytest.mark.parametrize("name", NAMES)
def test_the_sidebar_chooses_it(app: Any, name: str) -> None:
    app.panel("Network")
    app.at.selectbox(key="net.cell").set_value(name)
    app.run()
    assert app.experiment.cell == name
    app.shows(app.experiment)


@pytest.mark.parametrize("name", NAMES)
def test_every_weight_can_be_found_and_edited(visit: Any, name: str) -> None:
    app = visit(e=small(name).to_url())
    app.panel("Weights")
    reached = set()
    for gate in weights.gates_with_weights(name):
        app.at.selectbox(key="weights.gate").set_value(gate)
        app.run()
        for part in weights.parts_of(name, gate):
            key = next(box.key for box in app.at.selectbox if str(box.key).startswith("weights.part."))
            app.at.selectbox(key=key).set_value(part)
            app.run()
            parameter, row, _ = weights.place(name, 4, 0, gate, part, 1, 0)
            reached.add((parameter, row))
            edited = app.experiment.edited([WeightEdit(parameter, row, 0, 0.5)])
            changed = weights.gate_view(weights.materialise(edited), name, 0, gate, part)
            assert np.ravel(changed[1])[0] == 0.5
    assert {parameter for parameter, _ in reached} == {f"{part}_l0" for part in cells.get(name).packing}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("edits", [(), (Clamp("l0.h", 0.2, steps=(3, 5)),)])
def test_the_cell_page(visit: Any, unpack: Any, name: str, edits: tuple[Any, ...]) -> None:
    app = visit("cell", e=small(name, interventions=edits).to_url())
    header, arrays = message(app, "cell", unpack)
    cell = cells.get(name)
    assert header["description"]["name"] == name
    assert header["name"] == str(cell.label)
    shapes = [array.shape for array in weights.materialise(app.experiment).values()]
    sent = [array.shape for key, array in arrays.items() if key not in ("x", *cell.where)]
    assert all(shape in shapes for shape in sent)
    assert len(sent) == len(cell.packing)
    trace = seqviz.run(app.experiment)
    for signal in cell.signals:
        np.testing.assert_array_equal(arrays[signal], trace[f"l0.{signal}"][:, 0])


@pytest.mark.parametrize("name", NAMES)
def test_the_compare_page(visit: Any, unpack: Any, name: str) -> None:
    app = visit("compare", e=small(name).to_url())
    header, arrays = message(app, "compare", unpack)
    family = cells.get(name).family
    wanted = {"Feed-forward", *USUAL, family}
    assert {key.removesuffix(".h") for key in arrays if key.endswith(".h") and "." not in key[:-2]} >= wanted - {""}
    trace = seqviz.run(app.experiment)
    np.testing.assert_allclose(arrays[f"{family}.h"], trace["l1.h"][:, 0], atol=1e-6)
    assert len(header["curves"]) == len(wanted)


@pytest.mark.parametrize("name", NAMES)
def test_the_gradients_page(visit: Any, unpack: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the cell's own curves beside the usual ones; and each network is built and run forward once."""
    SHELF.clear()
    made: list[str] = []
    honest = studied.network
    monkeypatch.setattr(studied, "network", lambda e: (made.append(e.cell), honest(e))[1])
    app = visit("gradients", e=small(name).changed(num_layers=1).to_url())
    family = cells.get(name).family
    _, arrays = message(app, "flow", unpack)
    assert {f"{family}.h", *(f"{usual}.h" for usual in USUAL)} <= set(arrays)
    kept = [state for state in cells.get(name).keep_gates if state != "h"]
    assert all(np.isfinite(arrays[f"{family}.{state}"]).all() for state in kept)
    assert "highway.share" in arrays
    own = [cell for cell in made if cell not in ("RNN_TANH", "GRU", "LSTM")]
    assert sorted(made) == sorted({"RNN_TANH", "GRU", "LSTM", *own})
    if family not in USUAL:
        app.at.button_group(key="lab.net").set_value(family)
        app.run()
        header, arrays = message(app, "flow", unpack)
        assert header["spectrum"]["name"] == family
        assert arrays["eig.re"].shape[1] == 4 * len(cells.get(name).states)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_trained(visit: Any, name: str) -> None:
    """A recipe trains it, in a race too, and what was learned is a network like any other."""
    visit("training")
    found = TASKS["parity"]
    family = cells.get(name).family
    title, recipe = next((t, r) for t, r in recipes_of("adding").items() if cells.get(r.cell).family == family)
    start = prepare(found, recipe, 0)
    steps = iter(train(start, found, recipe))
    first, second = next(steps), next(steps)
    assert (first.step, second.step) == (0, recipe.every)
    assert Experiment.from_json(second.experiment.to_json()) == second.experiment
    assert seqviz.run(second.experiment).parity < 1e-4
    racing = racers(TASKS["adding"], title, recipe)
    assert {cells.get(each.cell).family for each in racing.values()} == {*USUAL, family}
