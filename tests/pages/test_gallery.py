"""The gallery: what is shown, what opens where, and that the stored pictures are of today's numbers."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

import seqviz
from seqviz.ui.gallery import _BENCHES as benches
from seqviz.ui.gallery import EXAMPLES, FILE, choose

ROOT = Path(__file__).parents[2]


def told(app, unpack):
    (found,) = [c for c in app.at.get("bidi_component") if c.key == "gallery"]
    return unpack(found.proto.bytes)[0]


@pytest.mark.parametrize("page", ["gates", "cell", "gradients", "compare"])
def test_every_page_shows_its_examples_and_which_one_is_on(visit, unpack, page):
    header = told(visit(page), unpack)
    wanted = EXAMPLES["gates" if page == "cell" else page]
    assert [entry["name"] for entry in header["entries"]] == list(wanted)
    assert header["lit"] == ("Forget bias rescues it" if page == "gradients" else next(iter(wanted)))
    for entry in header["entries"]:
        assert min(map(len, (entry["title"], entry["line"], entry["layers"]))) > 0
        for layer in entry["layers"]:
            values = np.array(layer["values"])
            assert np.isfinite(values).all()
            assert layer["low"] - 1e-3 <= values.min() <= values.max() <= layer["high"] + 1e-3


def test_random_networks_come_last():
    names = [example.title for example in EXAMPLES["gates"].values()]
    first = next(k for k, title in enumerate(names) if title.startswith("Random"))
    assert all(title.startswith("Random") for title in names[first:])
    assert names[0] == "Latch"


@pytest.mark.parametrize("name", ["Vanishes", "Shuffled"])
def test_an_example_of_another_page_is_opened_there(visit, monkeypatch, name):
    example = EXAMPLES["gates"][name]
    here, there = visit().bench, visit(example.page).bench
    there.change(hidden_size=3)
    monkeypatch.setitem(benches, example.page, lambda: there)
    choose(here, "gates", name)
    assert here.goto == example.page
    assert here.experiment == seqviz.preset("latch")
    assert there.experiment == example.make()
    assert all(there.option(key) == word for key, word in example.chosen.items())


@pytest.mark.parametrize("page", ["gradients", "compare"])
@pytest.mark.parametrize("name", ["nothing", "", None, 3, "latch"])
def test_what_is_no_example_changes_nothing(visit, page, name):
    bench = visit(page).bench
    before = bench.experiment
    choose(bench, page, name)
    assert bench.experiment == before
    assert not bench.can_undo


@pytest.mark.parametrize("page", ["gradients", "compare"])
def test_every_scene_opens_and_is_lit(visit, unpack, page):
    app = visit(page)
    for name in EXAMPLES[page]:
        choose(app.bench, page, name)
        app.run()
        assert told(app, unpack)["lit"] == name
        assert app.warnings == []


def test_the_stored_pictures_are_of_todays_numbers():
    made = runpy.run_path(str(ROOT / "tools" / "thumbnails.py"))["thumbnails"]()
    stored = json.loads(FILE.read_text(encoding="utf-8"))
    assert stored.keys() == made.keys()
    for name, layers in made.items():
        for old, new in zip(stored[name], layers, strict=True):
            reach = new["high"] - new["low"]
            np.testing.assert_allclose(old["values"], new["values"], atol=0.01 * reach)


def test_the_latchs_picture_is_its_own_run(visit, unpack):
    entry = told(visit(), unpack)["entries"][0]
    trace = seqviz.run(seqviz.preset("latch"))
    np.testing.assert_allclose(entry["layers"][0]["values"][0], trace["x"][:, 0, 0])
    np.testing.assert_allclose(entry["layers"][1]["values"][0], trace["l0.c"][:, 0, 0], atol=1e-3)
