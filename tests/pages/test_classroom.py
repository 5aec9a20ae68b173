"""The training page's controls and sentences, without a browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from seqviz.checkpoints import to_safetensors
from seqviz.experiment import Experiment, Sequence
from seqviz.runner import network, run
from seqviz.scope.message import header_of
from seqviz.tasks import TASKS, task
from seqviz.training import ANY, RECIPES, Course, prepare, train
from seqviz.ui import kept_files, training_kept
from seqviz.ui.bench import Origin
from seqviz.ui.trainer import Trainer
from seqviz.ui.training_choices import racers
from seqviz.ui.training_page import _read
from seqviz.ui.training_pictures import learning_message, probe_message, verdicts

ROOT = Path(__file__).parents[2]
ANOTHER = "You chose another task."


@pytest.fixture
def work(monkeypatch) -> Trainer:
    """The session's trainer; the harness would have all its sessions share one."""
    found = Trainer()
    monkeypatch.setattr("seqviz.ui.trainer._session_trainer", lambda: found)
    return found


def trained(*names: str, steps: int = 4) -> list[Course]:
    """Latch by these recipes, for a few steps."""
    latch, courses = task("latch"), []
    for name in names:
        recipe = replace(RECIPES["latch"][name], max_steps=steps, every=2)
        course = Course(name, latch, recipe, prepare(latch, recipe), 0)
        course.checkpoints = list(train(course.start, latch, recipe))
        courses.append(course)
    return courses


def heading(app) -> str:
    """What stands above the curves."""
    (found,) = [m.value for m in app.at.markdown if m.value.startswith("**Latch: recall the first bit**")]
    return found


def test_the_picture_says_what_it_is_of_whatever_is_chosen_beside_it(visit, work):
    app = visit("training")
    work.courses = trained("LSTM, default")
    app.run()
    line = "LSTM, default: 16 units, learning rate 0.01, at most 4 steps"
    assert heading(app) == f"**Latch: recall the first bit**  \n{line}"
    assert not app.at.info
    for other in ("sine", "own_text"):
        app.at.session_state["train.task.kept"] = other
        app.run()
        assert line in heading(app)
        (said,) = app.at.info
        assert said.value.startswith(ANOTHER)
    assert app.at.button(key="train.open.gates"), "the earlier run can no longer be opened"
    app.at.session_state["train.task.kept"] = "latch"
    assert not app.run().at.info


def test_a_race_says_by_which_recipe_each_network_learns(visit, work):
    app = visit("training")
    known = RECIPES["latch"]
    says = app.at.button(key="train.race").help
    for name in ("RNN, default", "LSTM, chrono"):
        recipe = known[name]
        wanted = (
            f"- {name}: {recipe.hidden_size} units, learning rate {recipe.lr:g}, at most {recipe.max_steps:,} steps"
        )
        assert wanted in says
    assert "- GRU, chrono: 16 units, learning rate 0.01, at most 400 steps" in says
    work.courses = trained("RNN, default", "LSTM, chrono")
    assert heading(app.run()).splitlines()[1:] == [
        "RNN, default: 32 units, learning rate 0.003, at most 4 steps  ",
        "LSTM, chrono: 16 units, learning rate 0.01, at most 4 steps",
    ]


@pytest.mark.parametrize(("at", "step"), [(None, 4), (1, 2), (0, 0)])
@pytest.mark.parametrize("which", ["RNN, default", "LSTM, chrono"])
def test_the_network_that_is_looked_at_is_the_one_that_opens(visit, work, monkeypatch, which, at, step):
    app = visit("training")
    work.courses = trained("RNN, default", "LSTM, chrono")
    app.at.session_state["train.which.kept"] = which
    app.at.session_state["train.at"] = at
    app.run()
    assert f"{which}: the checkpoint at step {step}:" in [c.value for c in app.at.caption]
    monkeypatch.setattr("seqviz.ui.training_page.go", lambda page: None)  # the harness has no other page
    app.at.button(key="train.open.gates").click()
    app.run()
    (wanted,) = [c.checkpoints[step // 2].experiment for c in work.courses if c.name == which]
    assert app.at.session_state["bench.gates"].experiment == wanted


def test_a_network_from_gates_is_named_as_what_it_is(visit, work):
    app = visit("training")
    app.at.session_state["bench.gates"].put(Experiment("RNN_TANH", hidden_size=5))
    app.run()
    app.at.toggle(key="train.from").set_value(True)
    app.run()
    app.at.button(key="train.begin").click()
    app.run()
    work.stop.set()
    work.thread.join(60)
    assert heading(app.run()).endswith("Network from gates: 5 units, learning rate 0.01, at most 400 steps")
    assert "train.saturation" not in [t.key for t in app.at.toggle], "an RNN has no gates that saturate"


@pytest.mark.parametrize("button", ["begin", "race"])
def test_what_is_chosen_as_it_is_pressed_is_what_is_trained(visit, work, monkeypatch, button):
    monkeypatch.setattr(work, "begin", work.put)
    app, recipe = visit("training"), [*RECIPES["latch"]][-1]
    app.at.session_state["train.recipe.latch.kept"] = recipe  # heard, and not drawn yet
    app.at.session_state["train.seed.kept"] = 7
    app.at.button(key=f"train.{button}").click()
    app.run()
    wanted = racers(task("latch"), recipe, RECIPES["latch"][recipe]) if button == "race" else [recipe]
    assert [(course.name, course.seed) for course in work.courses] == [(name, 7) for name in wanted]


@pytest.mark.parametrize("name", [*TASKS, "text"])
def test_in_a_race_all_start_alike_unless_asked_otherwise(name):
    found = TASKS.get(name, TASKS["prose"])
    for chosen, recipe in RECIPES.get(name, ANY).items():
        racing = racers(found, chosen, recipe)
        assert len(racing) == 3
        assert replace(recipe, every=25) in racing.values()
        for title, racer in racing.items():
            assert (racer.curriculum, racer.every) == (recipe.curriculum, 25)
            if racer.cell in ("LSTM", "GRU"):
                assert (racer.scheme, racer.forget_bias) == (recipe.scheme, recipe.forget_bias), title
                assert racer.memory == recipe.memory
                assert recipe.scheme != "chrono" or "chrono" in title
            else:
                assert racer.scheme == ("default" if recipe.scheme == "chrono" else recipe.scheme)
                assert racer.forget_bias is None
        own = racers(found, chosen, recipe, own=True)
        for title, known in RECIPES.get(found.name, ANY).items():
            if title in own:
                assert own[title] == replace(known, every=25)


@pytest.mark.parametrize("name", ["latch", "adding", "copy"])
def test_a_race_at_equal_parameters_has_no_larger_network(name):
    found = TASKS[name]
    for chosen, recipe in RECIPES[name].items():
        plain, racing = (racers(found, chosen, recipe, equal=equal) for equal in (False, True))
        assert list(plain) == list(racing)
        wanted = sum(p.numel() for p in network(prepare(found, recipe)).parameters())
        assert racing[chosen].hidden_size == recipe.hidden_size
        for racer in racing.values():
            sizes = [
                sum(p.numel() for p in network(prepare(found, replace(racer, hidden_size=h))).parameters())
                for h in (racer.hidden_size - 1, racer.hidden_size, racer.hidden_size + 1)
            ]
            assert min(sizes, key=lambda size: abs(size - wanted)) == sizes[1]


def test_a_race_of_several_seeds_is_counted_by_kind(visit, work):
    app = visit("training")
    app.at.number_input(key="train.race.seeds").set_value(2)
    app.run()
    app.at.button(key="train.race").click()
    app.run()
    work.stop.set()
    work.thread.join(60)
    assert len(work.courses) == 6
    assert len({course.name for course in work.courses}) == 6
    assert {course.seed for course in work.courses} == {0, 1}
    for course in work.courses:
        assert course.start == prepare(course.task, course.recipe, course.seed)
    assert "Seeds 0 to 1" in heading(app.run())
    ready = [course for course in work.courses if course.checkpoints]
    assert verdicts(work.courses)[0] == f"{work.courses[0].name}: 0 of 2 solved."
    nets = header_of(learning_message(ready, None))["nets"]
    assert {net["group"] for net in nets} <= {course.name for course in work.courses if course.seed == 0}


def test_a_gru_that_starts_as_the_lstm_does_can_latch():
    gru = racers(task("latch"), "LSTM, chrono", RECIPES["latch"]["LSTM, chrono"])["GRU, chrono"]
    assert list(train(prepare(task("latch"), gru), task("latch"), gru))[-1].solved


class Upload:
    def __init__(self, data: bytes) -> None:
        self.getvalue = lambda: data


def test_what_save_gives_is_what_the_loader_reads():
    (course,) = trained("LSTM, chrono")
    last = course.checkpoints[-1].experiment
    wanted = {t.parameter: t.array().tolist() for t in last.tensors}
    for data in (last.to_json(indent=1).encode(), b"\xef\xbb\xbf " + last.to_json().encode(), to_safetensors(last)):
        read = _read(Upload(data))
        assert {t.parameter: t.array().tolist() for t in read.tensors} == wanted
        assert (read.cell, read.hidden_size, read.sequence) == (last.cell, last.hidden_size, last.sequence)
    for bad in (b"", b"{", b"[1]", b"\xff{", b"{}{", b"{" * 10_000, to_safetensors(last)[:-3]):
        with pytest.raises(ValueError, match=r"This is not|no field|version|seqviz"):
            _read(Upload(bad))


def test_all_checkpoints_of_a_run_are_drawn_on_one_scale(unpack):
    (course,) = trained("LSTM, chrono", steps=80)
    extent = tuple(sorted(course.measure().items()))
    reach: dict[str, set[float]] = {}
    most = {}
    for checkpoint in course.checkpoints:
        header, arrays = unpack(probe_message(checkpoint.experiment, course.task, checkpoint.step, extent))
        for row in header["rows"]:
            if row["kind"] == "state":
                reach.setdefault(row["signal"], set()).add(row["reach"])
                most[row["signal"]] = max(most.get(row["signal"], 0), float(abs(arrays[row["signal"]]).max()))
            if row["signal"] == "x":
                assert row["floor"] == [-1.0, 1.0]
    assert sorted(reach) == ["c", "g", "h"]
    for signal, values in reach.items():
        assert values == {most[signal]}
    header, _ = unpack(probe_message(course.start, course.task, 0))
    assert all("reach" not in row for row in header["rows"])


def test_an_answer_that_is_no_probability_is_drawn_on_one_scale_too(unpack):
    found, recipe = task("sine"), replace(RECIPES["sine"]["LSTM"], max_steps=6, every=2)
    course = Course("LSTM", found, recipe, prepare(found, recipe), 0)
    course.checkpoints = list(train(course.start, found, recipe))
    extent = tuple(sorted(course.measure().items()))
    floors = set()
    for checkpoint in course.checkpoints:
        header, _ = unpack(probe_message(checkpoint.experiment, found, checkpoint.step, extent))
        floors.add(tuple(header["rows"][-1]["floor"]))
    ys = [run(c.experiment)["y"] for c in course.checkpoints]
    assert floors == {(min(0.0, *(float(y.min()) for y in ys)), max(1.0, *(float(y.max()) for y in ys)))}


class Alive:
    """A thread that is still at work."""

    def is_alive(self) -> bool:
        return True

    def join(self, seconds: float) -> None: ...


def test_the_last_picture_stays_until_the_new_one_has_data(visit, work, unpack):
    app = visit("training")

    def drawn() -> dict[str, dict]:
        return {c.key: unpack(c.proto.bytes)[0] for c in app.at.get("bidi_component")}

    (first,) = trained("LSTM, default")
    waiting = Course("LSTM, chrono", first.task, first.recipe, first.start, 0)
    work.courses, work.thread = [waiting], Alive()
    app.run()
    assert "Optimiser" not in str(drawn()["probe"]["status"]) or "step 0" in drawn()["probe"]["status"]
    assert "learning" not in drawn()
    work.before = [first]
    app.run()
    assert [net["name"] for net in drawn()["learning"]["nets"]] == ["LSTM, default"]
    assert drawn()["probe"]["status"] == "The probe at optimiser step 4."
    waiting.checkpoints = first.checkpoints[:2]
    app.run()
    assert [net["name"] for net in drawn()["learning"]["nets"]] == ["LSTM, chrono"]


def test_what_is_replaced_is_kept_and_what_goes_on_is_not(work):
    first, second = trained("LSTM, default", "RNN, default")
    work.courses = [first]
    work.begin([second], resume=True)
    work.thread.join(60)
    assert work.before == []
    third = Course("GRU", first.task, first.recipe, first.start, 0)
    work.begin([third])
    work.thread.join(60)
    assert work.before == [second]
    assert third.extent
    assert third.measured == len(third.checkpoints)


def test_a_short_run_takes_long_enough_to_be_seen(work, monkeypatch):
    waited = []
    monkeypatch.setattr("seqviz.ui.trainer.PACE", 1000.0)
    (course,) = trained("LSTM, default", steps=12)
    course.checkpoints, course.extent, course.measured = [], {}, 0

    class Seen:
        def is_set(self) -> bool:
            return False

        def wait(self, seconds: float) -> None:
            waited.append(seconds)

    work._work([course], Seen(), False)
    assert sum(waited) == pytest.approx(1.5)
    assert len(course.checkpoints) == 7


@pytest.mark.parametrize("page", ["gates", "cell", "gradients", "compare"])
def test_a_network_from_training_says_which_it_is_until_it_is_another(visit, page):
    latch = task("latch")
    start = prepare(latch, RECIPES["latch"]["LSTM, chrono"])
    app = visit(page)
    bench = app.bench
    bench.put(start)
    bench.origin = Origin(start, latch.title, "LSTM, chrono", 1)
    wanted = "From training. Latch: recall the first bit: LSTM, chrono, after 1 step."

    def said() -> bool:
        return wanted in [c.value for c in app.run().at.caption]

    assert said()
    bench.put(start.changed(sequence=Sequence("noise", 20)))
    assert said(), "another input is another input, not another network"
    bench.put(replace(start, tensors=start.tensors[1:]))
    assert not said()


def test_scores_are_sent_as_they_are_printed(unpack):
    (course,) = trained("LSTM, chrono")
    for k, score in enumerate((0.98965, 0.98999999)):
        course.checkpoints[k] = replace(course.checkpoints[k], score=score)
    header, _ = unpack(learning_message([course], None))
    (row,) = [row for row in header["rows"] if row["signal"] == "score"]
    assert row["texts"]["LSTM, chrono"]["0"] == "0.9897"
    assert float(row["texts"]["LSTM, chrono"]["1"]) < 0.99


def test_an_address_holds_what_is_looked_at(visit, work):
    work.courses = trained("RNN, default", "LSTM, chrono")
    asked = {"shown": "RNN, default", "checkpoint": "1"}
    app = visit("training", **asked)
    assert "RNN, default: the checkpoint at step 2:" in [c.value for c in app.at.caption]
    assert asked.items() <= app.address("probe").items()
    app.at.session_state["train.at"] = None  # the hand goes to the end
    app.at.session_state["train.which.kept"] = "LSTM, chrono"
    assert not asked.keys() & app.run().address("probe").keys()


def test_an_address_holds_how_a_race_is_run(visit, work):
    wanted = {"task": "copy", "seed": "4", "seeds": "3", "own": "1", "equal": "1"}
    app = visit("training", **wanted)
    assert app.at.number_input(key="train.seed").value == 4
    assert app.at.number_input(key="train.race.seeds").value == 3
    assert app.at.toggle(key="train.race.own").value
    assert app.at.toggle(key="train.race.equal").value
    assert app.address("probe") == wanted
    app.at.switch_page(str(ROOT / "pages" / "gates.py")).run()
    app.at.switch_page(str(ROOT / "pages" / "training.py")).run()
    assert app.address("probe") == wanted, "another page in between changed what is chosen"
    app.at.toggle(key="train.race.own").set_value(False)
    app.at.number_input(key="train.race.seeds").set_value(1)
    assert app.run().address("probe") == {"task": "copy", "seed": "4", "equal": "1"}


@pytest.mark.parametrize(
    "given", [{"seed": "-1"}, {"seeds": "7"}, {"seeds": "0"}, {"seed": "²"}, {"own": "yes"}, {"checkpoint": "-1"}]
)
def test_what_an_address_cannot_mean_is_left_out(visit, work, given):
    assert visit("training", **given).address("probe") == {}


RAIN = b"day;rain\n" + b"".join(b"%d;%d,5\n" % (k, k % 7) for k in range(60))


@pytest.mark.parametrize(("kind", "field", "given"), [
    ("own_text", "train.textfile", ("my story.txt", b"to be or not to be, " * 40, "")),
    ("own_text", "train.text", "to be or not to be, " * 40),
    ("own_series", "train.csv", ("rain.csv", RAIN, "")),
])  # fmt: skip
def test_own_data_to_learn_from_are_there_again(visit, work, kind, field, given):
    app = visit("training", task=kind)
    assert not [b for b in app.at.button if b.key == "train.begin"]
    widget = app.at.text_area(key=field) if field == "train.text" else app.at.file_uploader(key=field)
    widget.set_value(given)
    app.run()
    wanted, digests = app.address("probe"), app.tail("probe")["keep"]
    assert wanted["data"].removeprefix("~") in digests
    again = visit("training", **wanted)
    assert again.warnings == []
    assert [b for b in again.at.button if b.key == "train.begin"], "nothing to learn from after a reload"
    assert again.address("probe") == wanted
    if field == "train.text":
        assert again.at.text_area(key=field).value == given
    else:
        assert given[0] in " ".join(c.value.replace("\\", "") for c in again.at.caption)


def test_own_data_that_another_browser_keeps_are_missed(visit, work):
    app = visit("training", task="own_text", data="~" + "0" * 32)
    app.at.session_state["tab.brought"] = {"0" * 32: None}
    (said,) = app.run().warnings
    assert "has not kept the file" in said


def test_what_is_too_large_for_the_browser_is_missed_by_its_name(visit, work, monkeypatch):
    monkeypatch.setattr(kept_files, "MAX_KEPT", 100)
    app = visit("training", task="own_text")
    app.at.file_uploader(key="train.textfile").set_value(("story.txt", b"to be or not to be, " * 40, ""))
    wanted = app.run().address("probe")
    assert app.tail("probe")["keep"] == []
    (said,) = visit("training", **wanted).warnings
    assert said == "'story.txt' was too large for this browser to keep; choose it again."
    monkeypatch.setattr(training_kept, "MAX_KEPT", 100)
    work.courses = trained("RNN, default")
    wanted = visit("training").address("probe")
    work.courses = []
    (said,) = visit("training", **wanted).warnings
    assert said == "The networks of this training were too large for this browser to keep; train them again."
