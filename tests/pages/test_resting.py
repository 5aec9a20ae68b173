"""Where a network comes to rest, on the pages that show one."""

from __future__ import annotations

import numpy as np
import pytest

import seqviz
from seqviz.checkpoints import load_asset
from seqviz.ui.bench import drawn
from seqviz.ui.panels import rests


@pytest.mark.parametrize("page", ["gates", "gradients"])
def test_it_is_found_once_it_is_asked_for(visit, page):
    app = visit(page, e=drawn("LSTM").to_url())
    place = "gates.rests" if page == "gates" else "lab.rests"
    assert not app.at.get("plotly_chart")
    app.at.session_state[f"{place}.kept"] = True
    app.run()
    expected = "at 1 place that it returns to" if page == "gates" else "it comes to rest at"
    assert any(expected in m.value for m in app.at.markdown)
    said = " ".join(m.value for m in app.at.markdown)
    assert "as the mean log-determinant of its steps does" in said


def test_the_flip_flop_on_the_screen_rests_at_eight_places(visit):
    app = visit(e=load_asset("flipflop").to_url())
    app.at.session_state["gates.rests.kept"] = True
    app.run()
    assert any("at 8 places that it returns to" in m.value for m in app.at.markdown)


def test_a_latch_holds_what_it_is_given_and_never_says_that_nothing_rests(visit):
    app = visit(e=seqviz.preset("latch").to_url())
    app.at.session_state["gates.rests.kept"] = True
    app.run()
    said = " ".join(m.value for m in app.at.markdown)
    assert "where nothing brings them back and nothing leads away" in said
    assert "all but rests" in said
    assert "less than a factor of 2" in said
    assert "no place was found" not in said


def test_what_has_no_places_of_rest_says_so(visit):
    app = visit(e=seqviz.Experiment("GRU", num_layers=2, hidden_size=3).to_url())
    app.at.session_state["gates.rests.kept"] = True
    app.run()
    assert any("one recurrent layer" in warning for warning in app.warnings)
    assert np.all([c.proto.spec == "" for c in app.at.get("plotly_chart")])


def test_what_would_take_long_is_left_out_or_refused_in_a_sentence(visit, monkeypatch):
    monkeypatch.setattr(rests, "_GROWTH", 64 * 2**3)
    app = visit(e=drawn("GRU").changed(hidden_size=2).to_url())
    app.at.session_state["gates.rests.kept"] = True
    app.run()
    assert "log-determinant" in " ".join(m.value for m in app.at.markdown)
    app.bench.put(app.experiment.changed(hidden_size=3))
    said = " ".join(m.value for m in app.run().at.markdown)
    assert "How its runs part is left out" in said
    assert "comes to rest at" in said
    assert "log-determinant" not in said
    app.bench.put(drawn("LSTM").changed(hidden_size=147))
    assert any("at most 292 numbers; these are 294" in warning for warning in app.run().warnings)
