"""The page *Your network*: files, data, questions, and every refusal, without a browser."""

from __future__ import annotations

import io
import json
import pickle

import numpy as np
import pytest
import torch
from torch import nn

import seqviz
from seqviz.command import OPEN
from seqviz.scope.message import header_of
from seqviz.ui import yours as yours_module


@pytest.fixture(autouse=True)
def nothing_handed_over(monkeypatch):
    monkeypatch.delenv(OPEN, raising=False)
    yours_module._wanted.cache_clear()
    yield
    yours_module._wanted.cache_clear()


def saved(thing) -> bytes:
    stream = io.BytesIO()
    torch.save(thing, stream)
    return stream.getvalue()


def run_file(trace) -> bytes:
    stream = io.BytesIO()
    trace.save(stream)
    return stream.getvalue()


CSV = b"load,temp,wind\n" + b"".join(b"%d,%d,%d\n" % (k % 7, k % 3, k) for k in range(30))


def bring(app, *files: tuple[str, bytes]):
    app.at.file_uploader(key="yours.network").set_value([(name, data, "") for name, data in files])
    return app.run()


def data(app, name: str, content: bytes):
    app.at.file_uploader(key="yours.data").set_value((name, content, "text/csv"))
    return app.run()


def picture(app) -> dict:
    return header_of(bytes(next(c.proto.bytes for c in app.at.get("bidi_component") if c.proto.bytes)))


def words(app) -> str:
    said = " ".join(str(each.value) for each in (*app.at.markdown, *app.at.caption, *app.at.warning))
    return said.replace("\\", "").replace("\u2060", "")


def test_a_network_and_a_table_give_its_gates(visit):
    torch.manual_seed(0)
    app = visit("your_network")
    assert "adds two marked numbers" in words(app)
    lstm = nn.LSTM(3, 5, 2, bidirectional=True)
    bring(app, ("mine.pt", saved({"enc." + k: v for k, v in lstm.state_dict().items()})))
    assert "every input is a wave" in words(app)
    data(app, "series.csv", CSV)
    yours = app.at.session_state["yours"]
    x = torch.from_numpy(np.loadtxt(io.BytesIO(CSV), delimiter=",", skiprows=1).astype("f4"))
    with torch.no_grad():
        h = lstm(x[:, None])[0][:, 0]
    trace = yours.run().trace
    np.testing.assert_allclose(np.hstack([trace["l1.h"][:, 0], trace["l1_reverse.h"][:, 0]]), h, atol=1e-6)
    assert "i</b> input gate" in words(app)
    app.at.button_group(key="yours.layer").set_value(1)
    app.run()
    app.at.button_group(key="yours.reverse").set_value(True)
    app.run()
    assert (yours.layer, yours.reverse) == (1, True)
    app.at.checkbox(key="yours.standardise").check()
    app.run()
    assert "standard deviation" in words(app)
    assert "runs backwards too" in words(app)


def test_a_question_is_asked_and_both_answers_can_be_looked_at(visit):
    app = visit("your_network")
    bring(app, ("plain.pt", saved(nn.RNN(1, 3).state_dict())))
    yours = app.at.session_state["yours"]
    before = yours.run().trace["l0.h"]
    app.at.button_group(key="yours..nonlinearity").set_value("relu")
    app.run()
    after = yours.run().trace["l0.h"]
    assert after.min() >= 0 > before.min()


def test_a_saved_run_is_shown(visit):
    app = visit("your_network")
    trace = seqviz.capture(nn.GRU(2, 3, 2), torch.randn(2500, 4, 2))
    bring(app, ("run.npz", run_file(trace)))
    assert "Steps 0 to 999 of 2,500 are shown." in words(app)
    app.at.number_input(key="yours.batch").set_value(2)
    app.run()
    app.at.toggle(key="yours.whole").set_value(True)
    app.run()
    assert "one in 3 is shown" in words(app)
    assert app.at.session_state["yours"].batch == 2


def test_a_wide_network_is_shown_in_part(visit):
    app = visit("your_network")
    bring(app, ("wide.pt", saved(nn.GRU(1, 2048).state_dict())))
    data(app, "long.csv", b"\n".join(b"%d" % (k % 5) for k in range(1200)))
    assert "of 2,048 are shown; the picture counts them from 0" in words(app)
    assert "at most" in words(app)


@pytest.mark.parametrize("page", ["gates", "cell", "gradients"])
def test_it_opens_on_the_other_pages(visit, page, monkeypatch):
    monkeypatch.setattr("seqviz.ui.your_network_page.go", lambda page: None)  # the harness has no other page
    app = visit("your_network")
    torch.manual_seed(1)
    gru = nn.GRU(3, 4)
    bring(app, ("mine.pt", saved(gru.state_dict())))
    data(app, "series.csv", CSV)
    app.at.button(key=f"yours.open.{page}").click()
    app.run()
    bench = app.at.session_state["bench.gradients" if page == "gradients" else "bench.gates"]
    assert (bench.experiment.cell, bench.experiment.hidden_size, bench.experiment.sequence.length) == ("GRU", 4, 30)
    x = torch.from_numpy(np.loadtxt(io.BytesIO(CSV), delimiter=",", skiprows=1).astype("f4"))
    with torch.no_grad():
        np.testing.assert_allclose(seqviz.run(bench.experiment)["l0.h"], gru(x[:, None])[0], atol=1e-6)


WRONG = {
    "sklearn.pkl": (pickle.dumps({"sklearn.tree": 1}), "a model of scikit-learn"),
    "weights.pkl": (pickle.dumps({"a": 1}), "save model.state_dict() with torch.save instead"),
    "saved_model.pb": (b"\x08\x01\x7a numbers", "load it in Keras"),
    "net.tflite": (b"\x1c\0\0\0TFL3" + bytes(40), "bring the .keras or .h5 file"),
    "bert.pt": (saved(nn.TransformerEncoderLayer(4, 2, 4).state_dict()), "a transformer"),
    "linear.pt": (saved(nn.Linear(2, 3).state_dict()), "no recurrent layer"),
    "series.csv": (CSV, "a table; it is data for a network"),
    "empty.pt": (b"", "an empty file"),
    "net.onnx.data": (bytes(range(1, 200)), "bring the .onnx file that it belongs to"),
    "run.npz": (b"PK\x03\x04 no run", "."),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_answered_and_the_network_stays(visit, name):
    content, says = WRONG[name]
    app = visit("your_network")
    bring(app, ("mine.pt", saved(nn.GRU(2, 3).state_dict())))
    bring(app, (name, content))
    (warning,) = app.at.warning
    assert says in warning.value.replace("\\", "").replace("\u2060", "")
    assert app.at.session_state["yours"].name == "mine.pt"


def test_weights_in_a_second_file_come_with_it(visit, tmp_path):
    gru = nn.GRU(2, 64).eval()
    torch.onnx.export(gru, (torch.randn(4, 1, 2),), tmp_path / "net.onnx", verbose=False)
    files = [(name, (tmp_path / name).read_bytes()) for name in ("net.onnx", "net.onnx.data")]
    app = visit("your_network")
    bring(app, files[0])
    assert "keeps its weights in net.onnx.data: bring both files" in words(app)
    bring(app, *files)
    assert not app.at.warning
    np.testing.assert_array_equal(
        app.at.session_state["yours"].shown.parameters["weight_hh_l0"], gru.weight_hh_l0.detach()
    )


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("one.csv", b"1\n2\n3\n", "takes 2 inputs, and 1 column"),
        ("net.pt", saved(nn.GRU(2, 3).state_dict()), "not a table"),
        ("gaps.csv", b"a,b\n1,2\n,3\n4,5\n", "column 1"),
        ("letters.txt", b"every good boy does fine", "Different characters in the text"),
    ],
)
def test_data_that_do_not_fit_are_answered(visit, name, content, says):
    app = visit("your_network")
    bring(app, ("mine.pt", saved(nn.GRU(2, 3).state_dict())))
    data(app, name, content)
    said = " ".join(warning.value for warning in app.at.warning).replace("\\", "")
    assert says in said
    if name == "gaps.csv":
        app.at.button(key="yours.interpolate").click()
        app.run()
        assert not app.at.warning
        assert app.at.session_state["yours"].inputs().x[1, 0] == 2.5


def test_typed_numbers_and_text(visit):
    app = visit("your_network")
    bring(app, ("mine.pt", saved(nn.GRU(2, 3).state_dict())))
    app.at.text_area(key="yours.text").set_value("1, 2\n3, 4")
    app.run()
    np.testing.assert_array_equal(app.at.session_state["yours"].inputs().x, [[1, 2], [3, 4]])
    app.at.text_area(key="yours.text").set_value("abba")
    app.run()
    assert app.at.session_state["yours"].inputs().x.argmax(1).tolist() == [0, 1, 1, 0]


def test_what_the_command_line_hands_over_is_open(visit, monkeypatch, tmp_path):
    (tmp_path / "net.pt").write_bytes(saved({"a": nn.LSTM(2, 3).state_dict(), "b": nn.GRU(2, 3).state_dict()}))
    (tmp_path / "data.csv").write_bytes(CSV)
    wanted = {"network": str(tmp_path / "net.pt"), "stack": "b", "data": str(tmp_path / "data.csv"),
              "columns": ["wind", "load"], "standardise": True, "missing": None}  # fmt: skip
    monkeypatch.setenv(OPEN, json.dumps(wanted))
    yours_module._wanted.cache_clear()
    app = visit("your_network")
    yours = app.at.session_state["yours"]
    assert (yours.shown.name, yours.columns, yours.standardise) == ("b", ["wind", "load"], True)
    wanted = {"network": str(tmp_path / "gone.pt")}
    monkeypatch.setenv(OPEN, json.dumps(wanted))
    yours_module._wanted.cache_clear()
    assert "No such file" in words(visit("your_network"))
