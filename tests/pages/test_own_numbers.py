"""The panel of somebody's own numbers: what a file holds is said, chosen from, and mended where it has gaps."""

from __future__ import annotations

import re

import numpy as np
import pytest

from seqviz import sequences
from seqviz.experiment import Experiment, Sequence
from seqviz.ui.bench import drawn, start


@pytest.fixture
def app(visit):
    return visit("gates").panel("Sequence")


def of_file(app, text: str, name: str = "table.csv"):
    app.at.file_uploader(key="own.file").set_value((name, text.encode(), ""))
    return app.run()


def test_a_table_with_dates_keeps_them_as_labels_and_says_what_was_left_out(app):
    days = [f"2021-03-{k + 1:02d}" for k in range(9)]
    of_file(
        app, "date,load,temp,note\n,[kW],[degC],\n" + "".join(f"{d},{k}.5,{-k}.25,ok\n" for k, d in enumerate(days))
    )
    found = app.experiment.sequence
    assert found.labels == tuple(days)
    assert found.names == ("load", "temp")
    np.testing.assert_array_equal(sequences.generate(found, 2)[3], [3.5, -3.25])
    said = " ".join(caption.value.replace("\\", "") for caption in app.at.caption)
    assert "9 steps of 2 columns; left out: column 1 (date) (dates, kept as labels of the steps)" in said
    assert "line 2 (units)" in said
    assert "column 4 (note) (text)" in said
    header = app.said()[0]
    assert header["marks"] == days
    assert header["names"] == ["load", "temp"]
    app.shows(app.experiment)


def test_columns_and_steps_are_chosen_by_hand(app):
    of_file(app, "a,b,c\n" + "".join(f"{k},{k / 10},{k * k}\n" for k in range(30)))
    app.at.multiselect(key="own.columns").set_value(["a", "c"])
    app.run()
    np.testing.assert_array_equal(sequences.generate(app.experiment.sequence, 2)[5], [5, 25])
    app.at.number_input(key="own.first").set_value(10)
    app.run()
    app.at.number_input(key="own.last").set_value(19)
    app.run()
    found = app.experiment.sequence
    assert found.length == 10
    assert found.names == ("a", "c")
    np.testing.assert_array_equal(sequences.generate(found, 2)[0], [10, 100])
    app.shows(app.experiment)


def test_missing_numbers_are_refused_with_their_place_and_an_offer(app):
    text = "a,b\n1,2\n,3\n5,4\n"
    of_file(app, text)
    (said,) = app.warnings
    assert "Line 3, column 1 (a) is empty" in said
    assert app.experiment == start()
    for word, column in (("drop", [1, 5]), ("carry", [1, 1, 5]), ("interpolate", [1, 3, 5])):
        of_file(app, text, f"{word}.csv")
        app.at.button(key=f"own.{word}").click()
        app.run()
        assert app.warnings == []
        np.testing.assert_array_equal(sequences.generate(app.experiment.sequence, 2)[:, 0], column)


def test_a_long_table_shows_its_first_steps_and_any_others(app):
    of_file(app, "a,b\n" + "".join(f"{k},{k % 7}\n" for k in range(5000)))
    assert app.experiment.sequence.length == 2000
    assert "first 2,000 of 5,000 steps" in " ".join(c.value.replace("\\", "") for c in app.at.caption)
    app.at.number_input(key="own.first").set_value(3500)
    app.run()
    found = sequences.generate(app.experiment.sequence, 2)
    assert found.shape == (1500, 2)
    assert found[0, 0] == 3500
    assert app.warnings == []


def test_a_table_of_few_lines_can_be_turned(app):
    of_file(app, "\n".join(",".join(str(k * j) for k in range(40)) for j in (1, 2)))
    assert app.experiment.sequence.length == 2
    app.at.checkbox(key="own.turned").set_value(True)
    app.run()
    assert (app.experiment.sequence.length, app.experiment.input_size) == (40, 2)


def test_the_box_shows_the_numbers_that_are_loaded(app):
    of_file(app, "a\n0.1\n0.2\n-3\n")
    assert app.at.text_area(key="own.text").value == "0.1, 0.2, -3.0"
    of_file(app, "a,b\n1,2\n3,4\n", "two.csv")
    assert app.at.text_area(key="own.text").value == "1.0, 2.0\n3.0, 4.0"


@pytest.mark.parametrize("value", [None, 0, -5, 999_999, 3.7, float("inf"), float("nan")])
def test_a_number_of_units_that_will_not_do_is_answered_with_a_sentence(app, value):
    app.panel("Network")
    before = app.experiment
    app.at.number_input(key="net.hidden").set_value(value)
    app.run()
    (said,) = app.warnings
    assert re.search("Hidden units must be .*from 1 to 256", said)
    assert app.experiment == before
    assert app.at.number_input(key="net.hidden").value == before.hidden_size


FIELDS = [
    ("gates", "Sequence", "seq.amplitude", 2.5),
    ("gates", "Sequence", "seq.period", 7.5),
    ("gates", "What if", "whatif.value.clamp", -0.25),
    ("gradients", "", "lab.seed", 3),
    ("compare", "", "cmp.seed", 3),
    ("training", "", "train.seed", 3),
    ("training", "", "train.race.seeds", 3),
]


@pytest.mark.parametrize(("page", "panel", "key", "good"), FIELDS)
def test_letters_in_a_field_of_numbers_change_nothing_and_are_answered(visit, page, panel, key, good):
    app = visit(page, **({"e": drawn("LSTM").to_url()} if page == "gates" else {}))
    if panel:
        app.panel(panel)
    before, value = app.experiment, app.at.number_input(key=key).value
    for typed in (None, 1e12):  # letters come as nothing
        app.at.number_input(key=key).set_value(typed)
        (said,) = app.run().warnings
        assert re.search(r"must be (a |a whole )?(number )?from [\d,−-]+ to [\d,]+", said)
        assert (app.experiment, app.at.number_input(key=key).value) == (before, value)
    app.at.number_input(key=key).set_value(good)
    assert app.run().warnings == []
    assert app.at.number_input(key=key).value == good


def test_a_table_to_learn_from_may_be_long_and_is_asked_about_its_gaps(visit):
    app = visit("training")
    app.at.session_state["train.task.kept"] = "own_series"
    app.run()
    lines = [f"19{k % 90 + 10}-01-01,{(k * 7) % 11 + k / 1000}" for k in range(2500)]
    app.at.file_uploader(key="train.csv").set_value(("t.csv", ("day,temp\n" + "\n".join(lines)).encode(), ""))
    assert app.run().warnings == []
    assert "2,500 steps of 1 column" in " ".join(c.value.replace("\\", "") for c in app.at.caption)
    lines[100] = "2000-01-01,NA"
    app.at.file_uploader(key="train.csv").set_value(("g.csv", ("day,temp\n" + "\n".join(lines)).encode(), ""))
    (said,) = app.run().warnings
    assert "Line 102, column 2 (temp) holds 'NA'" in said
    app.at.selectbox(key="train.mend").set_value("drop")
    assert app.run().warnings == []
    assert "2,499 steps" in " ".join(c.value.replace("\\", "") for c in app.at.caption)


@pytest.mark.parametrize("page", ["gates", "cell", "compare", "gradients"])
def test_columns_and_steps_keep_their_names_on_every_page(visit, unpack, page):
    days, columns = [f"2021-03-{k + 1:02d}" for k in range(9)], ["load", "temp"]
    table = Sequence.of_values(np.arange(18.0).reshape(9, 2) / 18, columns, days)
    header, _ = unpack(_picture(visit(page, e=Experiment(input_size=2, sequence=table).to_url())))
    assert header["marks"] == days
    if page in ("gates", "cell"):
        assert header["names"] == columns
    if page == "compare":
        assert "load" in header["rows"][0]["name"]


def test_names_of_steps_move_with_a_shuffled_input(visit, unpack):
    days = [f"day {k}" for k in range(9)]
    values = np.arange(9.0)[:, None]
    address = Experiment(sequence=Sequence.of_values(values, (), days)).to_url()
    found = [c for c in visit("compare", e=address, input="shuffled").at.get("bidi_component") if c.key == "compare"]
    header, arrays = unpack(found[0].proto.bytes)
    assert header["marks"] == [f"day {x:.0f}" for x in arrays["x"]]
    assert header["marks"] != days


def _picture(app):
    keys = {"scope", "cell", "compare", "flow"}
    (found,) = [c for c in app.at.get("bidi_component") if c.key in keys]
    return found.proto.bytes
