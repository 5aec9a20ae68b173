"""The gates page: every panel and control, good and bad input."""

from __future__ import annotations

import base64
import io
import zlib
from dataclasses import replace

import numpy as np
import pytest
import streamlit as st

import seqviz
from seqviz import sequences
from seqviz.experiment import Experiment, Sequence
from seqviz.networks.presets import PRESET_LABELS, preset
from seqviz.ui import gates_page
from seqviz.ui.bench import drawn, start
from seqviz.ui.gallery import choose
from seqviz.ui.panels import PANELS


def test_a_new_visitor_sees_a_story(newcomer):
    assert newcomer.experiment == start() == preset("latch")
    newcomer.shows(start())
    header, arrays = newcomer.said()
    assert (header["panel"], header["undo"], header["redo"], header["baseline"]) == ("scope", False, False, False)
    assert header["opening"]
    assert header["headline"] == "This unit keeps the first bit, 1, for 24 steps."
    assert arrays["x"].ravel()[0] == 1
    assert len(arrays["x"]) == 24
    assert (np.abs(arrays["y"] - 1) <= 0.1).all()
    assert header["tries"] == {"says": "Make the first bit 0", "edits": [[0, 0, 0.0]]}
    assert newcomer.warnings == []


def test_what_is_asked_to_be_tried_turns_the_story(newcomer):
    edits = newcomer.said()[0]["tries"]["edits"]
    newcomer.bench.event({"type": "input", "edits": edits})
    header, arrays = newcomer.run().said()
    assert header["headline"] == "This unit keeps the first bit, 0, for 24 steps."
    assert (np.abs(arrays["y"]) <= 0.1).all()
    assert not header["opening"]


def test_links_from_before_the_story_still_open_what_they_said(visit):
    given = visit(b=preset("counter").to_url())
    assert given.experiment == drawn("LSTM"), "a link with a baseline alone stood for the random LSTM"
    assert not given.said()[0]["opening"]
    moved = visit()
    moved.bench.event({"type": "before"})  # the browser found a place after the # and no experiment
    assert moved.run().experiment == drawn("LSTM")
    moved.bench.event({"type": "before"})
    assert not moved.bench.can_undo
    later = visit(e=preset("counter").to_url())
    later.bench.event({"type": "before"})
    assert later.experiment == preset("counter")


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_opens_and_changes_nothing(app, panel):
    app.panel(panel)
    assert app.experiment == drawn("LSTM")
    assert not app.bench.can_undo
    assert app.warnings == []
    app.shows(drawn("LSTM"))


def test_the_picture_is_made_before_the_controls_which_are_owed_until_they_stand(app, monkeypatch):
    made = []
    message, controls = gates_page.scope_message, gates_page._controls
    monkeypatch.setattr(gates_page, "scope_message", lambda bench: made.append("picture") or message(bench))
    monkeypatch.setattr(gates_page, "_controls", lambda bench: made.append("controls") or controls(bench))
    app.run()
    assert made == ["picture", "controls"]
    assert not app.bench.stale
    monkeypatch.setattr(gates_page, "_controls", lambda bench: st.stop())  # as a run ends that another one overtakes
    app.run()
    assert app.bench.stale
    monkeypatch.setattr(gates_page, "_controls", controls)
    app.run()
    assert not app.bench.stale


@pytest.mark.parametrize("name", ["LSTM", "GRU", "RNN_TANH", *PRESET_LABELS])
def test_an_example_is_one_click_away(app, name):
    choose(app.bench, "gates", name)
    app.run()
    wanted = preset(name) if name in PRESET_LABELS else drawn(name)
    assert app.experiment == wanted
    app.shows(wanted)
    assert app.bench.can_undo == (name != "LSTM")


@pytest.mark.parametrize("cell", ["GRU", "RNN_TANH", "RNN_RELU", "LSTM"])
def test_cell_and_sizes(app, cell):
    app.panel("Network")
    app.at.selectbox(key="net.cell").set_value(cell)
    app.run()
    app.at.number_input(key="net.hidden").set_value(5)
    app.run()
    app.at.number_input(key="net.layers").set_value(3)
    app.run()
    found = app.experiment
    assert (found.cell, found.hidden_size, found.num_layers) == (cell, 5, 3)
    app.shows(found)
    app.at.button_group(key="layer").set_value(2)
    app.run()
    assert app.said()[0]["layer"] == 2
    app.shows(found)
    app.at.number_input(key="net.layers").set_value(1)
    app.run()
    assert app.said()[0]["layer"] == 0
    assert app.experiment.sequence == drawn("LSTM").sequence, "the sequence went with the cell"


def test_the_sliders_of_the_initial_weights(app):
    app.panel("Network")
    for widget, key, value, field in [
        ("number_input", "net.seed", 11, "seed"),
        ("slider", "net.gain", 1.5, "gain"),
        ("slider", "net.forget", 2.0, "forget_bias"),
        ("slider", "net.radius", 0.875, "spectral_radius"),
        ("selectbox", "net.scheme", "orthogonal", "scheme"),
    ]:
        before = app.said()[1]["h"]
        getattr(app.at, widget)(key=key).set_value(value)
        app.run()
        assert getattr(app.experiment.init, field) == value
        assert not np.array_equal(app.said()[1]["h"], before), f"{key} changes nothing"
        app.shows(app.experiment)
    block = seqviz.weights.gate_view(seqviz.weights.materialise(app.experiment), "LSTM", 0, "f", "hh")
    assert np.abs(np.linalg.eigvals(block)).max() == pytest.approx(0.875, abs=1e-4)
    next(b for b in app.at.button if b.label.lower().endswith("as drawn")).click()
    app.run()
    init = app.experiment.init
    assert (init.gain, init.forget_bias, init.spectral_radius) == (1.0, None, None)
    assert (init.seed, init.scheme) == (11, "orthogonal")


def test_every_kind_of_sequence(app):
    for kind in sequences.KIND_LABELS:
        app.at.selectbox(key="seq.kind").set_value(kind)
        app.run()
        assert app.experiment.sequence.kind == kind
        assert app.warnings == []
        app.shows(app.experiment)


def test_length_and_amplitude(app):
    app.at.slider(key="seq.length").set_value(30)
    app.run()
    app.at.number_input(key="seq.amplitude").set_value(0.5)
    app.run()
    found = app.experiment.sequence
    assert (found.length, found.amplitude, found.kind) == (30, 0.5, "sine")
    app.shows(app.experiment)


def test_an_intervention_is_added_and_removed(app):
    app.panel("What if")
    app.at.selectbox(key="whatif.signal").set_value("l0.f")
    app.at.multiselect(key="whatif.units").set_value([2, 5])
    app.at.number_input(key="whatif.value.clamp").set_value(0.0)
    app.run()
    assert app.experiment == drawn("LSTM"), "it was added before it was asked for"
    app.at.button(key="whatif.add").click()
    app.run()
    assert app.experiment.interventions == (seqviz.Clamp("l0.f", 0.0, units=[2, 5]),)
    assert not app.said()[1]["f"][:, [2, 5]].any()
    assert app.said()[1]["f"][:, [0, 1]].all()
    app.shows(app.experiment)
    (rule,) = app.said()[0]["rules"]
    assert rule["says"] == "clamp forget gate (l0.f) to 0, units 2, 5"
    app.at.button(key="whatif.remove.0").click()
    app.run()
    assert app.experiment == drawn("LSTM")
    assert app.bench.can_undo


def test_typed_numbers_become_the_sequence(app):
    app.at.text_area(key="own.text").set_value("1, 2\n3, 4\n5, 6")
    app.run()
    found = app.experiment
    assert (found.input_size, found.sequence.length) == (2, 3)
    np.testing.assert_array_equal(sequences.generate(found.sequence, 2), [[1, 2], [3, 4], [5, 6]])
    app.shows(found)


@pytest.mark.parametrize(
    "text", ["1, two, 3", "1, nan, 2", "inf", "", "   \n ", "1, 2\n3", "<script>alert(1)</script>", "🙂", "1e39"]
)
def test_bad_numbers_are_answered_with_a_sentence_and_nothing_is_lost(app, text):
    app.at.text_area(key="own.text").set_value("1, 2, 3")
    app.run()
    kept = app.experiment
    app.at.text_area(key="own.text").set_value(text)
    app.run()
    (said,) = app.warnings
    assert said.endswith(".")
    assert "Traceback" not in said
    assert app.at.text_area(key="own.text").value == text, "what was typed is gone"
    assert app.experiment == kept
    app.shows(kept)
    app.at.text_area(key="own.text").set_value("4, 5")
    app.run()
    assert app.warnings == []
    assert app.experiment.sequence.length == 2


def npy(array: np.ndarray, **how: bool) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **how)
    return file.getvalue()


BAD_FILES = {
    "ten million rows": ("rows.csv", b"0\n" * 10_000_000, "1,048,576"),
    "ragged": ("ragged.csv", b"a,b\n1,2\n3\n", "Line 3"),
    "letters": ("letters.csv", b"1,2\n3,x\n", "Line 2"),
    "nothing": ("empty.csv", b"", "empty"),
    "not text": ("bytes.csv", b"\xff\xfe\x00\x01", ""),
    "too wide": ("wide.npy", npy(np.zeros((3, 400), np.float32)), "256"),
    "three dimensions": ("cube.npy", npy(np.zeros((2, 2, 2))), "a batch of 2 sequences"),
    "pickled": ("pickled.npy", npy(np.array([{"a": 1}], dtype=object), allow_pickle=True), ""),
    "cut short": ("cut.npy", npy(np.zeros((30, 2)))[:-50], "cut short"),
    "not an array": ("text.npy", b"1,2\n3,4\n", ""),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_answered_with_a_sentence(app, case):
    name, data, says = BAD_FILES[case]
    app.at.file_uploader(key="own.file").set_value((name, data, "application/octet-stream"))
    app.run()
    (said,) = app.warnings
    assert says in said
    assert said.endswith(".")
    assert len(said) < 300
    assert app.experiment == drawn("LSTM")
    app.shows(drawn("LSTM"))


@pytest.mark.parametrize(
    ("page", "panel", "key", "name"),
    [
        ("gates", "Sequence", "own.file", "bad.csv"),
        ("gates", "Save", "save.load", "bad.json"),
        ("training", "", "train.load", "bad.safetensors"),
    ],
)
def test_what_was_refused_about_a_file_goes_with_it(visit, page, panel, key, name):
    app = visit(page)
    if panel:
        app.panel(panel)
    app.at.file_uploader(key=key).set_value((name, b"a,b\n1,x\n", ""))
    assert len(app.run().warnings) == 1
    assert len(app.run().warnings) == 1, "it went though the file is still there"
    app.at.file_uploader(key=key).set_value(None)
    assert app.run().warnings == []


def test_what_was_refused_of_typed_numbers_stays_when_a_file_goes(app):
    app.at.file_uploader(key="own.file").set_value(("bad.csv", b"1\nx\n", ""))
    app.run()
    app.at.text_area(key="own.text").set_value("1, two")
    (said,) = app.run().warnings
    app.at.file_uploader(key="own.file").set_value(None)
    assert app.run().warnings == [said]


@pytest.mark.parametrize(
    ("task", "key", "name"), [("own_text", "train.textfile", "a.txt"), ("own_series", "train.csv", "a.csv")]
)
def test_what_was_refused_about_own_data_goes_with_the_file(visit, task, key, name):
    app = visit("training")
    app.at.session_state["train.task.kept"] = task
    app.run()
    app.at.file_uploader(key=key).set_value((name, b"\xff\xfe\x00", ""))
    assert len(app.run().warnings) == 1
    app.at.file_uploader(key=key).set_value(None)
    assert app.run().warnings == []


@pytest.mark.parametrize("name", ["good.csv", "good.npy"])
def test_a_good_file_becomes_the_sequence(app, name):
    array = np.random.default_rng(1).normal(size=(20, 3)).astype(np.float32)
    text = "\n".join(",".join(repr(float(v)) for v in line) for line in array)
    data = npy(array) if name.endswith("npy") else text.encode()
    app.at.file_uploader(key="own.file").set_value((name, data, ""))
    app.run()
    np.testing.assert_array_equal(sequences.generate(app.experiment.sequence, 3), array)
    assert app.experiment.input_size == 3
    app.shows(app.experiment)
    assert app.warnings == []


def test_text_stays_text(app):
    text = "<script>alert(1)</script> 🙂"
    app.at.selectbox(key="seq.kind").set_value("text")
    app.run()
    app.at.text_area(key="seq.text").set_value(text)
    app.run()
    assert app.experiment.sequence.text == text
    assert app.said()[0]["labels"] == list(text)
    app.at.text_area(key="seq.text").set_value("")
    app.run()
    assert app.warnings == ["The text is empty; type at least one character."]
    assert app.experiment.sequence.text == text


def test_an_address_brings_the_experiment_and_its_baseline(visit):
    wanted = replace(preset("latch"), interventions=(seqviz.Ablate("l0.o", units=[0]),))
    app = visit(e=wanted.to_url(), b=preset("latch").to_url())
    assert app.experiment == wanted
    app.shows(wanted)
    header, arrays = app.said()
    assert header["baseline"] is True
    old = seqviz.run(preset("latch"))
    np.testing.assert_array_equal(arrays["baseline.h"], old["l0.h"][:, 0])
    assert Experiment.from_url(header["address"].split("=")[1].split("&")[0]) == wanted


def altered(code: str) -> str:
    middle = len(code) // 2
    return code[:middle] + ("A" if code[middle] != "A" else "B") + code[middle + 1 :]


def code(document: str) -> str:
    """The address of any document, sound or not."""
    return base64.urlsafe_b64encode(zlib.compress(document.encode(), 9)).rstrip(b"=").decode()


BAD_ADDRESSES = {
    "cut short": (preset("counter").to_url()[:-7], "cut short or changed"),
    "changed by hand": (altered(preset("counter").to_url()), "cut short or changed"),
    "not an address": ("hello, <b>world</b>", "cut short or changed"),
    "empty": ("", "cut short or changed"),
    "a hidden size of a billion": (code('{"seqviz":1,"hidden_size":1000000000}'), "hidden size must be from 1 to 256"),
    "two thousand million steps": (code('{"seqviz":1,"sequence":{"length":2000000000}}'), "2,000"),
    "another version": (code('{"seqviz":99}'), "format 99"),
    "no version": (code('{"hidden_size":3}'), "version"),
    "an unknown field": (code('{"seqviz":1,"hurt":1}'), "no field 'hurt'"),
    "a list": (code("[1, 2]"), "not an experiment"),
}


def test_the_address_of_these_documents_would_be_read():
    assert Experiment.from_url(code(preset("counter").to_json())) == preset("counter")


@pytest.mark.parametrize("case", BAD_ADDRESSES)
def test_a_bad_address_is_answered_with_a_sentence_and_the_example(visit, case):
    address, says = BAD_ADDRESSES[case]
    app = visit(e=address)
    (said,) = app.warnings
    assert says in said
    assert said.endswith("The example is shown instead.")
    assert app.experiment == start()
    app.shows(start())


def test_a_bad_baseline_leaves_the_experiment_beside_it(visit):
    app = visit(e=preset("latch").to_url(), b="nonsense")
    (said,) = app.warnings
    assert said.endswith("The baseline is left out.")
    assert app.experiment == preset("latch")
    assert app.bench.baseline is None
    app.shows(preset("latch"))


def test_the_longest_sequence_comes_in_fewer_bytes_and_stays_close(visit, unpack):
    given = Experiment(hidden_size=256, sequence=Sequence("noise", 2000))
    app = visit(e=given.to_url())
    header, arrays = app.said()
    trace = seqviz.run(given)
    assert {entry["type"] for entry in header["arrays"]} == {"u2"}
    for signal in "figoch":
        exact = trace[f"l0.{signal}"][:, 0]
        assert np.abs(arrays[signal] - exact).max() <= np.ptp(exact.astype(float)) / 131_070 * (1 + 1e-9)


@pytest.mark.parametrize(("panel", "key", "name"), [("Sequence", "sequence", "x[0]"), ("Weights", "weights", "0")])
def test_a_table_holds_the_exact_numbers_once_it_is_opened(app, panel, key, name):
    app.panel(panel)
    assert len(app.at.dataframe) == 0, "a closed table was sent"
    app.at.session_state[f"{key}.table"] = True
    app.run()
    (table,) = app.at.dataframe
    values = {
        "sequence": sequences.generate(drawn("LSTM").sequence, 1),
        "weights": seqviz.weights.gate_view(seqviz.weights.materialise(drawn("LSTM")), "LSTM", 0, "f", "ih"),
    }
    np.testing.assert_array_equal(table.value[[name]].to_numpy(), values[key])
    assert app.experiment == drawn("LSTM")


def test_controls_show_what_is_after_undo(app):
    app.panel("Network")
    app.at.number_input(key="net.hidden").set_value(5)
    app.run()
    assert app.at.number_input(key="net.hidden").value == 5
    app.bench.event({"type": "undo"})
    app.run()
    assert app.at.number_input(key="net.hidden").value == 16
    app.shows(drawn("LSTM"))


def test_the_weight_matrix_is_told_the_block_and_what_was_drawn(app, unpack):
    app.panel("Weights")
    app.at.selectbox(key="weights.gate").set_value("o")
    app.run()
    app.at.selectbox(key="weights.part.ih,hh,bias_ih,bias_hh").set_value("hh")
    app.run()
    app.bench.event({"type": "weight", "edits": [["weight_hh_l0", 48 + 2, 5, 1.5]]})
    app.run()
    (found,) = [c for c in app.at.get("bidi_component") if c.key == "weights"]
    header, arrays = unpack(found.proto.bytes)
    assert (header["panel"], header["parameter"], header["first"]) == ("weights", "weight_hh_l0", 48)
    drawn_ = seqviz.weights.gate_view(seqviz.weights.materialise(drawn("LSTM")), "LSTM", 0, "o", "hh")
    np.testing.assert_array_equal(arrays["original"], drawn_)
    changed = np.argwhere(arrays["matrix"] != arrays["original"])
    assert changed.tolist() == [[2, 5]]
    assert arrays["matrix"][2, 5] == 1.5
    app.shows(app.experiment)


def test_who_has_pinned_a_baseline_is_not_told_to_pin_one(app):
    app.panel("What if")
    assert any("Pin the run" in caption.value for caption in app.at.caption)
    app.bench.baseline = app.experiment
    app.run()
    assert not any("Pin the run" in caption.value for caption in app.at.caption)
    assert any("pinned baseline can be shown" in caption.value for caption in app.at.caption)
