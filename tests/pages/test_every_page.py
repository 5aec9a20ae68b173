"""Every file in pages/ opens through the app, for itself and after another, without an exception."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import seqviz
from seqviz.comparison import compare, half_life_of
from seqviz.experiment import Experiment, Init, InputEdit, Sequence, Tensor, WeightEdit
from seqviz.experiment.interventions import Clamp
from seqviz.networks.presets import PRESET_LABELS, preset
from seqviz.runner import network
from seqviz.telling.order import half_life_in_words
from seqviz.ui.cell_page import layer_arrays
from seqviz.ui.compare_page import first
from seqviz.ui.panels import PANELS

ROOT = Path(__file__).parents[2]
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_twice_and_survives_a_change_of_page(visit, page):
    app = visit(page)
    assert app.at.get("bidi_component") or app.at.get("plotly_chart"), "the page shows no picture"
    app.run()
    app.at.switch_page(str(ROOT / "pages" / "gates.py"))
    app.run()
    app.at.switch_page(str(ROOT / "pages" / f"{page}.py"))
    app.run()
    assert app.warnings == []


GRU = Experiment("GRU", hidden_size=4, sequence=Sequence("noise", 12))
TRAINED = Tensor.of("bias_ih_l0", np.ones(12, np.float32))
TEXT = Sequence.of_text("abca", "abc")
GIVEN = {name: preset(name) for name in PRESET_LABELS} | {
    "one step": Experiment(sequence=Sequence("sine", 1)),
    "upside down": Experiment(sequence=Sequence("sine", 12, amplitude=-5.0)),
    "very loud": Experiment(sequence=Sequence("sine", 12, amplitude=1e6)),
    "negative gain": Experiment(init=Init(gain=-100.0)),
    "far beyond the sliders": Experiment(init=Init(gain=100.0, spectral_radius=100.0, forget_bias=-100.0)),
    "weights of its own": replace(GRU, tensors=(TRAINED,)),
    "held before the squashing": replace(GRU, interventions=(seqviz.Clamp("l0.z_hh", 1.0),)),
    "a text": Experiment(input_size=3, sequence=TEXT),
    "layers of ReLU": Experiment("RNN_RELU", 2, 5, 3, 4, Init(gain=3.0), sequence=Sequence("noise", 60)),
    "a weight beyond all": Experiment(edits=(WeightEdit("weight_hh_l0", 0, 0, 3e38),)),
}


@pytest.mark.parametrize("case", GIVEN)
@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_at_the_address_of_any_experiment(visit, page, case):
    app = visit(page, e=GIVEN[case].to_url())
    assert app.experiment == GIVEN[case]
    if page == "gates":
        for panel in PANELS:
            app.panel(panel)
        assert app.experiment == GIVEN[case], "a control changed what it shows"


@pytest.mark.parametrize("case", GIVEN)
def test_controls_say_what_is_there(visit, case):
    given = GIVEN[case]
    gates, lab, compare = (visit(page, e=given.to_url()).at for page in ("gates", "gradients", "compare"))
    gates.button_group(key="panel").set_value("Network").run()
    assert gates.selectbox(key="net.scheme").value == lab.selectbox(key="lab.scheme").value == given.init.scheme
    assert compare.selectbox(key="cmp.kind").value == given.sequence.kind
    assert compare.slider(key="cmp.length").value == lab.slider(key="lab.length").value == given.sequence.length
    assert lab.slider(key="lab.scale").value == given.sequence.amplitude
    assert gates.slider(key="net.gain").value == lab.slider(key="lab.gain").value == given.init.gain
    for name, value in (("forget", given.init.forget_bias), ("radius", given.init.spectral_radius)):
        if value is not None:
            assert gates.slider(key=f"net.{name}").value == lab.slider(key=f"lab.{name}").value == value


def test_a_hand_set_networks_own_numbers_are_not_cut_to_the_sliders(visit):
    app = visit("gradients", e=preset("toggle").to_url())
    weights = seqviz.weights.materialise(preset("toggle"))
    bias, block = (seqviz.weights.gate_view(weights, "LSTM", 0, *of) for of in (("f", "bias_ih"), ("g", "hh")))
    assert app.at.slider(key="lab.forget").value == pytest.approx(float(bias.mean()), abs=0.01)
    assert app.at.slider(key="lab.radius").value == pytest.approx(
        float(np.abs(np.linalg.eigvals(block)).max()), abs=0.01
    )


def test_every_page_is_in_the_navigation():
    listed = (ROOT / "app.py").read_text()
    assert [page for page in PAGES if f'PAGES / "{page}.py"' not in listed] == []


@pytest.mark.parametrize("length", [2, 3, 48])
@pytest.mark.parametrize("kind", ["two_pulses", "impulse", "step", "sine", "square", "bits"])
def test_the_compare_page_never_says_that_order_is_nothing_where_nothing_was_moved(visit, kind, length):
    given = Experiment(hidden_size=4, init=Init(gain=2.0), sequence=Sequence(kind, length))
    x = seqviz.sequences.generate(given.sequence, 1)
    (said,) = [m.value for m in visit("compare", e=given.to_url()).at.markdown if "huffl" in m.value]
    same = all((row == x[0]).all() for row in x)
    assert ("moves nothing" in said) == same
    if same:
        assert "difference" not in said
    else:
        assert "their outputs change: RNN by up to" in said


OVERFLOWS = Experiment(
    "RNN_TANH",
    hidden_size=3,
    sequence=Sequence("sine", 8, amplitude=1e6),
    edits=tuple(WeightEdit(*place, w) for k in range(3)
                for place, w in ((("weight_ih_l0", k, 0), 3e38), (("weight_hh_l0", 0, k), -3e38))),
)  # fmt: skip
"""Infinity less infinity, in the RNN alone."""


def test_the_compare_pages_table_tells_an_overflow_from_a_change_that_stays(visit, unpack):
    shown = visit("compare", e=OVERFLOWS.to_url()).at.table[0].value.set_index("network")["half-life of a nudge"]
    assert shown["RNN"] == "overflowed"
    assert "overflowed" not in shown.drop("RNN").tolist()
    header, arrays = unpack(_picture_of(visit("compare", e=OVERFLOWS.to_url())))
    says = {row["array"]: row["says"] for row in header["rows"] if row["kind"] == "states"}
    assert says.pop("RNN.h").startswith("Not a finite number")
    for array, said in says.items():
        assert float(said.removeprefix("±")) == pytest.approx(np.abs(arrays[array]).max(), rel=0.005)
    stays = [half_life_in_words(half_life_of(np.ones(n)), n) for n in (3, 9, 1)]
    assert stays == ["never here", "never here", "one step is too short to say"]


def test_a_network_that_ignores_the_nudge_is_not_called_forgetful(visit):
    shown = visit("compare", e=preset("latch").to_url()).at.table[0].value.set_index("network")["half-life of a nudge"]
    assert shown[["GRU", "LSTM"]].tolist() == ["was not moved"] * 2
    assert shown["Feed-forward"] == "1 step"


def test_the_compare_pages_picture_holds_the_librarys_numbers(visit, unpack):
    experiment = first()
    x = seqviz.sequences.generate(experiment.sequence, 1)
    found = compare(experiment, x)
    header, arrays = unpack(_picture_of(visit("compare", net="GRU", minus="RNN")))
    np.testing.assert_array_equal(arrays["x"], x[:, 0])
    for name, answer in found.items():
        np.testing.assert_array_equal(arrays[f"{name}.h"], answer.h)
        np.testing.assert_array_equal(arrays[f"{name}.y"], answer.y[:, 0])
    np.testing.assert_array_equal(arrays["unrolled.h"], found["RNN"].h)
    np.testing.assert_allclose(arrays["difference"], found["GRU"].h - found["RNN"].h, atol=1e-7)
    low, high = header["range"]
    assert 1 <= high - low <= 8


def test_a_network_that_overflows_takes_no_room_from_the_others_nudges(visit, unpack):
    """The ReLU network goes on to 1e300 in float64, where the drawn one has no number."""
    loud = Experiment("RNN_RELU", hidden_size=4, init=Init(gain=90.0), sequence=Sequence("noise", 120))
    header, arrays = unpack(_picture_of(visit("compare", e=loud.to_url())))
    low, high = header["range"]
    most = max(arrays[f"{name}.d"][np.isfinite(arrays[f"{name}.d"])].max() for name in ("LSTM", "GRU", "Feed-forward"))
    assert low < most <= high <= most + 4
    assert np.isnan(arrays["RNN.nudged"]).any()
    assert not np.isposinf(arrays["RNN.nudged"]).any()


def test_a_shuffled_input_is_the_same_steps_in_another_order(visit, unpack):
    x = unpack(_picture_of(visit("compare")))[1]["x"]
    shown = visit("compare", input="shuffled", net="LSTM", minus="as it is")
    _, arrays = unpack(_picture_of(shown))
    assert sorted(arrays["x"]) == sorted(x)
    assert not np.array_equal(arrays["x"], x)
    before, after = (compare(first(), steps[:, None])["LSTM"].h for steps in (x, arrays["x"]))
    np.testing.assert_allclose(arrays["difference"], after - before, atol=1e-7)
    wave = seqviz.sequences.generate(replace(first().sequence, kind="square"), 1)
    _, other = unpack(_picture_of(visit("compare", net="LSTM", minus="square")))
    np.testing.assert_allclose(other["difference"], before - compare(first(), wave)["LSTM"].h, atol=1e-7)
    table = visit("compare").at.table[0].value
    assert shown.at.table[0].value["parameters"].tolist() == table["parameters"].tolist()


def test_the_nudge_is_given_to_the_input_that_is_chosen(visit, unpack):
    shown = {
        kind: unpack(_picture_of(visit("compare", input=kind))) for kind in ("as it is", "shuffled", "one step nudged")
    }
    layer = network(first()).rnn
    for kind, (header, arrays) in shown.items():
        x = shown["as it is" if kind == "one step nudged" else kind][1]["x"]
        steps = np.stack([x, x])[..., None]
        steps[1, header["nudge"]] += 1.0
        later = 20 if kind == "one step nudged" else 0  # what is left then is what the sentence says
        assert header["begin"] == header["nudge"] + later
        h, _ = layer(torch.from_numpy(steps.astype(np.float32)).transpose(0, 1))
        far = (h[:, 1] - h[:, 0]).norm(dim=1).detach().numpy()
        np.testing.assert_allclose(10.0 ** arrays["LSTM.d"], far, atol=1e-6)


TRAINED_READOUT = Tensor.of("readout.bias", np.ones(1, np.float32))


@pytest.mark.parametrize(
    ("given", "compare", "gradients"),
    [
        (GRU, [], []),
        (
            replace(GRU, tensors=(TRAINED, TRAINED_READOUT)),
            [
                "With weights set by hand or trained: GRU.",
                "With only the readout set by hand or trained: RNN, LSTM.",
                "All other weights are drawn, with seed 0.",
            ],
            None,
        ),
        (
            preset("toggle"),
            ["With weights set by hand or trained: GRU, LSTM.", "All other weights are drawn, with seed 0."],
            None,
        ),
        (
            preset("leaky"),
            ["With weights set by hand or trained: RNN, GRU, LSTM.", "All other weights are drawn, with seed 0."],
            ["With weights set by hand or trained: RNN, GRU, LSTM."],
        ),
        (
            replace(GRU, edits=(WeightEdit("weight_hh_l0", 0, 0, 1.0),)),
            ["With weights set by hand or trained: GRU.", "All other weights are drawn, with seed 0."],
            None,
        ),
    ],
    ids=["drawn", "trained", "two by hand", "three by hand", "edited"],
)
def test_pages_that_show_several_networks_say_which_are_drawn(visit, given, compare, gradients):
    for page, says in (("compare", compare), ("gradients", compare if gradients is None else gradients)):
        captions = [c.value for c in visit(page, e=given.to_url()).at.caption]
        assert [c for c in captions if "by hand" in c or "drawn" in c] == ([" ".join(says)] if says else [])


@pytest.mark.parametrize(
    ("given", "x", "y"),
    [
        (GRU, "input", "outputs"),
        (Experiment(input_size=3, sequence=TEXT), "input “a” (of 3; the others are not drawn)", "outputs"),
        (
            Experiment(input_size=2, output_size=4),
            "input 0 (of 2; the others are not drawn)",
            "outputs 0 (of 4 each; the others are not drawn)",
        ),
    ],
    ids=["one", "a text", "several"],
)
def test_the_compare_page_names_the_one_input_and_output_that_it_draws(visit, unpack, given, x, y):
    header, _ = unpack(_picture_of(visit("compare", e=given.to_url())))
    assert [row["name"] for row in header["rows"][:2]] == [x, y]


@pytest.mark.parametrize(
    ("page", "kind", "key", "other"),
    [
        ("compare", "selectbox", "cmp.input", "shuffled"),
        ("compare", "selectbox", "cmp.minus", "RNN"),
        ("compare", "selectbox", "cmp.net", "GRU"),
        ("gradients", "button_group", "lab.loss", "sum"),
        ("gradients", "button_group", "lab.net", "LSTM"),
        ("gradients", "toggle", "lab.more", True),
    ],
)
def test_undo_and_redo_cover_what_a_page_chooses_beside_the_experiment(visit, page, kind, key, other):
    app = visit(page)

    def control():
        return getattr(app.at, kind)(key=key)

    before = control().value
    control().set_value(other)
    app.run()
    given, picture = app.experiment, _picture_of(app)
    assert control().value == other
    app.bench.event({"type": "undo"})
    app.run()
    assert control().value == before
    assert _picture_of(app) != picture
    app.bench.event({"type": "redo"})
    app.run()
    assert (control().value, _picture_of(app), app.experiment) == (other, picture, given)


def _picture_of(app) -> bytes:
    (found,) = [c for c in app.at.get("bidi_component") if c.key in ("compare", "flow")]
    return found.proto.bytes


LOUD = Experiment(edits=tuple(WeightEdit("readout.weight", 0, k, 3.4e38) for k in range(16)), hidden_size=16)
LONG = Experiment(hidden_size=16, sequence=Sequence("sine", 1))


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("given", [LOUD, LONG], ids=["infinite outputs", "one step"])
def test_no_page_breaks_on_what_is_not_finite_or_too_short(visit, page, given):
    app = visit(page, e=given.to_url())
    assert not app.at.exception


def test_the_cell_page_is_told_every_number_exactly(visit, unpack):
    given = Experiment("GRU", hidden_size=128, sequence=Sequence("noise", 2000))
    app = visit("cell", e=given.to_url())
    (found,) = [c for c in app.at.get("bidi_component") if c.key == "cell"]
    _, arrays = unpack(found.proto.bytes)
    assert sum(array.size for array in arrays.values()) > 1_000_000
    np.testing.assert_array_equal(arrays["n"], seqviz.run(given)["l0.n"][:, 0])


LENGTH = {"gates": "seq.length", "compare": "cmp.length", "gradients": "lab.length"}


@pytest.mark.parametrize("page", LENGTH)
def test_a_shorter_wave_keeps_what_was_drawn_on_the_steps_that_it_has(visit, page):
    wave = Sequence("sine", 48, edits=(InputEdit(5, 0, 0.5), InputEdit(40, 0, 0.5)))
    app = visit(page, e=Experiment(hidden_size=4, sequence=wave).to_url())
    if page == "gates":
        app.panel("Sequence")
    app.at.slider(key=LENGTH[page]).set_value(20)
    app.run()
    assert app.warnings == []
    assert app.experiment.sequence == replace(wave, length=20, edits=wave.edits[:1])


@pytest.mark.parametrize("page", ["compare", "gradients"])
@pytest.mark.parametrize("sequence", [Sequence.of_values(np.ones((5, 2))), TEXT], ids=["numbers", "text"])
def test_the_length_of_ones_own_sequence_is_not_for_a_slider(visit, page, sequence):
    app = visit(page, e=Experiment(input_size=sequence.width, hidden_size=4, sequence=sequence).to_url())
    assert app.at.slider(key=LENGTH[page]).disabled
    if page == "compare":
        app.at.selectbox(key="cmp.kind").set_value("sine")
        app.run()
        assert app.warnings == []
        assert (app.experiment.sequence.kind, app.experiment.sequence.width) == ("sine", None)
        assert not app.at.slider(key="cmp.length").disabled
        assert np.ptp(seqviz.run(app.experiment)["x"]) > 0


@pytest.mark.parametrize("page", ["compare", "gradients"])
def test_what_would_keep_everybody_waiting_is_refused_in_a_sentence(visit, page):
    large = Experiment(hidden_size=256, num_layers=4, sequence=Sequence("noise", 2000))
    app = visit(page, e=large.to_url())
    assert any("524,288,000" in says and "at most 270,000,000" in says for says in app.warnings)
    assert not [c for c in app.at.get("bidi_component") if c.key in ("compare", "flow")]
    smaller = Experiment(hidden_size=32, sequence=Sequence("noise", 200))
    assert visit(page, e=smaller.to_url()).warnings == []


def test_the_cell_is_sent_what_is_held_by_hand_and_no_more_than_without_it():
    plain = Experiment("LSTM", hidden_size=4, sequence=Sequence("noise", 9))
    sent = layer_arrays(plain, 0)
    held = layer_arrays(replace(plain, interventions=(Clamp("l0.f", 1.0), Clamp("l0.i_pre", 2.0, steps=(2, 4)))), 0)
    assert set(held) == {*sent, "i_pre"}
    np.testing.assert_array_equal(held["i_pre"][2:4], 2.0)
