"""The page *Your network*: files, data, questions, and every refusal, without a browser."""

from __future__ import annotations

import io
import json
import pickle
import shlex
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import seqviz
from seqviz import command
from seqviz.checkpoints import load_asset
from seqviz.command import OPEN
from seqviz.doctor.planting import plant
from seqviz.scope.message import header_of
from seqviz.tasks import task
from seqviz.ui import kept_files, yours_fits
from seqviz.ui import yours as yours_module
from seqviz.ui.panels import asked


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
    headers = [header_of(bytes(c.proto.bytes)) for c in app.at.get("bidi_component") if c.proto.bytes]
    return next(header for header in headers if header["panel"] == "scope")


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
    app.at.button_group(key="yours.scale").set_value("standardise")
    app.run()
    assert "standard deviation" in words(app)
    assert "runs backwards too" in words(app)


def test_a_file_too_large_for_the_browser_is_asked_for_by_its_name(visit, monkeypatch):
    """After a reload. With it comes back what else the address says."""
    monkeypatch.setattr(kept_files, "MAX_KEPT", 4000)
    mine = ("mine.pt", saved(nn.LSTM(3, 40, 2).state_dict()))
    app = bring(visit("your_network"), mine)
    data(app, "series.csv", CSV)
    app.at.button_group(key="yours.layer").set_value(1)
    wanted = app.run().address("yours.scope")
    assert wanted["net"] == "!mine.pt"
    again = visit("your_network", **wanted)
    assert "'mine.pt' was too large for this browser to keep; choose it again." in words(again)
    assert again.address("yours.scope") == wanted, "another reload would not know any more"
    data(again, "other.csv", CSV)
    assert again.address("yours.scope")["net"] == "!mine.pt"
    yours = bring(again, mine).at.session_state["yours"]
    assert (yours.problem, yours.layer, yours.data_name) == ("", 1, "series.csv")
    assert again.address("yours.scope") == wanted
    other = bring(visit("your_network", **wanted), ("other.pt", saved(nn.GRU(3, 4).state_dict())))
    assert "data" not in other.address("yours.scope")


def test_data_too_large_for_the_browser_are_asked_for_by_their_name(visit, monkeypatch):
    monkeypatch.setattr(kept_files, "MAX_KEPT", 4000)
    large = b"load,temp,wind\n" + b"".join(b"%d,%d,%d\n" % (k * k % 97, k % 3, k) for k in range(900))
    app = bring(visit("your_network"), ("mine.pt", saved(nn.GRU(2, 3).state_dict())))
    data(app, "series.csv", large)
    app.at.button_group(key="yours.scale").set_value("standardise")
    wanted = app.run().address("yours.scope")
    assert wanted["data"] == "!series.csv"
    again = visit("your_network", **wanted)
    assert "'series.csv' was too large for this browser to keep" in words(again)
    assert "mine.pt" in words(again)
    assert again.address("yours.scope") == wanted
    yours = data(again, "series.csv", large).at.session_state["yours"]
    assert (yours.problem, yours.scale) == ("", "standardise")


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


def test_weights_of_numpy_are_no_run(visit):
    app, stream = visit("your_network"), io.BytesIO()
    np.savez(stream, **{name: value.numpy() for name, value in nn.GRU(1, 3).state_dict().items()})
    bring(app, ("weights.npz", stream.getvalue()))
    yours = app.at.session_state["yours"]
    assert yours.file is not None
    assert (yours.shown.cell, yours.shown.hidden_size) == ("GRU", 3)


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


# The wrong files that people bring most often, and what each is answered.
WRONG = {
    "sklearn.pkl": (pickle.dumps({"sklearn.tree": 1}), "a model of scikit-learn"),
    "weights.pkl": (pickle.dumps({"a": 1}), "holds no weights; save model.state_dict() with torch.save"),
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


def test_sequences_of_an_array_and_ids_of_tokens(visit):
    app, stream = visit("your_network"), io.BytesIO()
    torch.manual_seed(0)
    net = nn.ModuleDict({"embed": nn.Embedding(12, 3), "rnn": nn.GRU(3, 4), "head": nn.Linear(4, 12)})
    bring(app, ("mine.pt", saved(net.state_dict())))
    assert "ids of tokens are drawn at random" in words(app)
    x = np.random.default_rng(0).normal(size=(5, 20, 3)).astype("f4")
    ids = np.random.default_rng(0).integers(0, 12, (4, 30))
    np.savez(stream, x=x, ids=ids)
    data(app, "both.npz", stream.getvalue())
    assert "(5, 20, 3) was read as (sequences, steps, inputs): 5 sequences" in words(app)
    yours = app.at.session_state["yours"]
    app.at.number_input(key="yours.sequence").set_value(2)
    app.run()
    with torch.no_grad():
        np.testing.assert_allclose(yours.run().trace["l0.h"], net["rnn"](torch.from_numpy(x[2])[:, None])[0], atol=1e-6)
    app.at.button_group(key="yours.turned").set_value(True)
    app.run()
    np.testing.assert_array_equal(yours.inputs().x, x[:, 0])
    app.at.selectbox(key="yours.array").set_value("ids")
    app.run()
    app.at.number_input(key="yours.sequence").set_value(3)
    app.run()
    assert "looked up in the embedding embed.weight" in words(app)
    h = net["rnn"](net["embed"](torch.from_numpy(ids[3]))[:, None])[0].detach()
    np.testing.assert_allclose(yours.run().trace["l0.h"], h, atol=1e-6)
    judged = yours.aim()
    assert (judged.loss, judged.targets[:, 0].tolist()) == ("cross_entropy", ids[3, 1:].tolist())
    bring_text = app.at.text_area(key="yours.text").set_value("to be or not")
    bring_text.run()
    assert "Bring a table with a column of ids" in words(app)


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
    assert (yours.shown.name, yours.columns, yours.scale) == ("b", ["wind", "load"], "standardise")
    wanted = {"network": str(tmp_path / "gone.pt")}
    monkeypatch.setenv(OPEN, json.dumps(wanted))
    yours_module._wanted.cache_clear()
    assert "No such file" in words(visit("your_network"))


class Forecaster(nn.Module):
    """What a person trains: a layer, and a readout of it."""

    def __init__(self) -> None:
        super().__init__()
        self.gru, self.head = nn.GRU(2, 6), nn.Linear(6, 1)


def series(steps: int = 300) -> np.ndarray:
    """Two columns, of which the second is what the first was two steps ago, and a number of the day."""
    x = np.random.default_rng(0).normal(size=steps).round(3)
    return np.column_stack([np.arange(steps) // 50, x, np.roll(x, 2)])


def text(values: np.ndarray) -> bytes:
    return b"day,x,then\n" + b"\n".join(b",".join(b"%g" % v for v in row) for row in values)


def test_it_is_judged_by_columns_of_the_persons_own_table(visit):
    torch.manual_seed(0)
    net, values = Forecaster(), series()
    app = visit("your_network")
    bring(app, ("mine.pt", saved(net.state_dict())))
    data(app, "series.csv", text(values))
    yours = app.at.session_state["yours"]
    assert yours.aims == (["then"], 0)  # the columns that are left over
    app.at.multiselect(key="yours.wanted").set_value(["x"])
    app.at.number_input(key="yours.ahead").set_value(3)
    app.run()
    x = torch.from_numpy(values[:, :2]).float()[:, None]
    with torch.no_grad():
        y = net.head(net.gru(x)[0])[:-3, 0, 0].double().numpy()
    right = values[3:, 1]
    app.at.button(key="yours.examined.memory").click()
    app.run()
    assert not app.at.warning
    use = app.at.session_state["yours.examined.memory.answer"][1]
    assert use.resets.loss == pytest.approx(((y - right) ** 2).mean(), rel=1e-5)
    with torch.no_grad():
        alone = torch.cat([net.head(net.gru(step[None])[0]) for step in x])[:-3, 0, 0].double().numpy()
    assert use.resets.losses[0] == pytest.approx(((alone - right) ** 2).mean(), rel=1e-5)
    assert str(use.verdict) in picture(app)["headline"]
    app.at.number_input(key="yours.ahead").set_value(1)
    app.run()
    assert "headline" in picture(app)
    assert str(use.verdict) not in words(app), "the answer was to another question"


def test_a_file_without_a_readout_is_judged_by_a_fitted_one(visit):
    torch.manual_seed(0)
    app = visit("your_network")
    bring(app, ("bare.pt", saved(nn.LSTM(2, 8).state_dict())))
    data(app, "series.csv", text(series()))
    assert "The file has no readout that fits; one was fitted" in words(app)


def test_a_scale_on_which_it_does_better_is_told(visit):
    torch.manual_seed(0)
    x = np.random.default_rng(1).normal(size=400)
    net = nn.ModuleDict({"rnn": nn.RNN(1, 1, nonlinearity="relu"), "head": nn.Linear(1, 1)})
    with torch.no_grad():  # gives its input back, where that is not below -3
        for name, value in {"weight_ih_l0": 1, "weight_hh_l0": 0, "bias_ih_l0": 3, "bias_hh_l0": 0}.items():
            getattr(net["rnn"], name).fill_(value)
        net["head"].weight.fill_(1)
        net["head"].bias.fill_(-3)
    app = visit("your_network")
    bring(app, ("mine.pt", saved(net.state_dict())))
    app.at.button_group(key="yours.rnn.nonlinearity").set_value("relu")
    app.run()
    rows = b"a,b\n" + b"\n".join(b"%g,%g" % (200 * v - 900, 7 * v) for v in x)
    data(app, "series.csv", rows)
    assert "With its columns standardised it fits these data better" in words(app)
    app.at.button_group(key="yours.scale").set_value("standardise")
    app.run()
    assert "fits these data better" not in words(app)


def test_what_changes_nothing_is_judged_by_nothing_again(visit, monkeypatch):
    asked = []
    share = yours_fits.share_of_guess
    monkeypatch.setattr(yours_fits, "share_of_guess", lambda aim: asked.append(aim) or share(aim))
    torch.manual_seed(0)
    app = visit("your_network")
    bring(app, ("mine.pt", saved(nn.LSTM(1, 3, 2).state_dict())))
    data(app, "load.csv", CSV)
    assert asked
    before, first = len(asked), picture(app)["id"]
    app.at.button_group(key="yours.layer").set_value(1)
    app.run()
    assert picture(app)["id"] != first
    assert len(asked) == before
    app.at.button_group(key="yours.layer").set_value(0)
    app.run()
    assert picture(app)["id"] == first
    data(app, "load.csv", CSV.replace(b"6,", b"5,"))
    assert picture(app)["id"] != first
    assert len(asked) > before


@pytest.mark.parametrize(
    ("name", "choose"),
    [
        ("gaps.csv", {"missing": "interpolate", "scale": "to_range", "apart": "day", "sequence": 1, "columns": ["u"]}),
        ("two.npz", {"array": "b", "turned": True, "sequence": 2, "scale": "standardise"}),
    ],
)
def test_the_command_that_is_saved_opens_the_same(tmp_path, monkeypatch, name, choose):
    """As the command line reads it."""
    monkeypatch.chdir(tmp_path)
    Path("my net.pt").write_bytes(saved({"a": nn.GRU(3, 2).state_dict(), "b": nn.GRU(1, 2).state_dict()}))
    Path("gaps.csv").write_text("day,u\n" + "".join(f"{k // 5},{k if k != 7 else ''}\n" for k in range(15)))
    drawn = np.random.default_rng(0).normal(size=(4, 3, 1))
    np.savez("two.npz", a=drawn[:2], b=drawn)
    first, second = yours_module.Yours(), yours_module.Yours()
    first.take({"my net.pt": Path("my net.pt").read_bytes(), "beside.json": b"{}"})
    first.stack = 1
    how = {key: choose.pop(key) for key in ("array", "turned") if key in choose}
    first.bring(Path(name).read_bytes(), name, choose.pop("missing", None), **how)
    for key, value in choose.items():
        setattr(first, key, value)
    handed = {}
    monkeypatch.setattr(command, "_start", lambda port, wanted: handed.update(wanted) or 0)
    program, *arguments = shlex.split(asked._command(first))
    assert program == "seqviz"
    assert "--beside=beside.json" in arguments
    assert command.main([each for each in arguments if "beside" not in each]) == 0
    monkeypatch.setenv(OPEN, json.dumps(handed))
    yours_module._wanted.cache_clear()
    second._handed_over()
    assert second.shown.name == first.shown.name == "b"
    np.testing.assert_array_equal(second.inputs().x, first.inputs().x)
    assert len(first.inputs().x) < 15


def test_a_cured_network_is_shown_over_the_one_that_was_brought(visit):
    healthy = load_asset("order")
    weights = plant(seqviz.network(healthy), "never_read", [10, 20]).state_dict()
    app = visit("your_network")
    bring(app, ("ill.pt", saved(weights)))
    (by,) = [box for box in app.at.selectbox if box.key.startswith("yours.by")]
    app.at.selectbox(key=by.key).set_value(task("order").label)
    app.run()
    app.at.button(key="yours.examined.doctor").click()
    app.run()
    found = app.at.session_state["yours.examined.doctor.answer"][1]
    lit = picture(app)["lit"]
    assert lit, "the rows of the findings are marked"
    assert {(row["signal"], tuple(row["units"])) for row in lit} <= {
        (row.signal, row.units) for finding in found for row in finding.rows
    }
    assert picture(app)["headline"] == str(found.sentence)
    assert [each.proto.label for each in app.at.get("download_button")] == ["Save what was found"]
    app.at.button(key="yours.examined.cured").click()
    app.run()
    header = picture(app)
    assert header["baseline"] is True
    yours = app.at.session_state["yours"]
    cured = found.cured(yours.file.whole(yours.shown))
    x = torch.from_numpy(yours.inputs().x)[:, None]
    with torch.no_grad():
        wanted = cured.last(x)[0]
    np.testing.assert_allclose(yours.run_cured()["l0.h"], wanted, atol=1e-6)
    app.at.button(key="yours.back").click()
    app.run()
    assert not picture(app).get("baseline")


def test_a_sequence_of_a_table_is_chosen(visit):
    app = visit("your_network")
    torch.manual_seed(0)
    gru = nn.GRU(2, 3)
    bring(app, ("mine.pt", saved(gru.state_dict())))
    values = series()
    data(app, "series.csv", text(values))
    app.at.selectbox(key="yours.apart").set_value("day")
    app.run()
    app.at.number_input(key="yours.sequence").set_value(4)
    app.run()
    with torch.no_grad():
        h = gru(torch.from_numpy(values[200:250, 1:]).float()[:, None])[0]
    np.testing.assert_allclose(app.at.session_state["yours"].run().trace["l0.h"], h, atol=1e-6)


@pytest.mark.parametrize("packed", [False, True])
def test_a_run_in_a_folder_is_opened(visit, tmp_path, packed):
    torch.manual_seed(0)
    gru, x = nn.GRU(2, 3), torch.randn(40, 2)
    seqviz.capture_blocks(gru, x, tmp_path / "run", block=16)
    files = [(path.name, path.read_bytes()) for path in sorted((tmp_path / "run").iterdir())]
    if packed:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            for name, content in files:
                archive.writestr(f"run/{name}", content)
        files = [("run.zip", stream.getvalue())]
    app = visit("your_network")
    bring(app, *files)
    assert not app.at.warning
    with torch.no_grad():
        np.testing.assert_allclose(
            app.at.session_state["yours"].run().trace["l0.h"][:, 0], gru(x[:, None])[0][:, 0], atol=1e-6
        )
    if not packed:
        bring(app, *[file for file in files if file[0] != "signal_1.npy"])
        assert "signal_1.npy is missing" in words(app)
