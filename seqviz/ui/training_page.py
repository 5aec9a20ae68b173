"""Watch it learn: choose a task, train, and scrub back through the checkpoints."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from seqviz import vocabulary as words
from seqviz.checkpoints import from_safetensors, to_safetensors
from seqviz.experiment import Experiment
from seqviz.figures import saturation
from seqviz.kept import kept
from seqviz.language import Words, again, later, reason, sentences, tr
from seqviz.metrics import describe_saturation
from seqviz.parsing import parse_csv
from seqviz.runner import run
from seqviz.tasks import TASKS, Task, own_series, own_text
from seqviz.training import ANY, RECIPES, Checkpoint, Recipe, prepare
from seqviz.ui import scope
from seqviz.ui.bench import Bench
from seqviz.ui.controls import refuse, remembered, said, upload
from seqviz.ui.gradients_page import lab
from seqviz.ui.panels.network import CHRONO
from seqviz.ui.shell import go
from seqviz.ui.trainer import SLOTS, Course, Trainer, trainer
from seqviz.ui.training_pictures import checkpoint_at, learning_message, probe_message

__all__ = ["classroom"]

MAX_TEXT = 5_000_000
OWN = Words({"own_text": "Your own text: the next character", "own_series": "Your own CSV: the next value"})
OPENERS = Words({"gates": "Open in gates", "cell": "Open in the cell", "gradients": "Open in gradients"})
WHICH = "train.which.kept"
"""The session key of the name of the network that is looked at, where several were trained."""
FROM_GATES = later("Network from gates")
RACE = {"RNN": words.RNN_TANH, "GRU": words.GRU, "LSTM": words.LSTM}


def classroom() -> None:
    """The whole page."""
    work = trainer()
    # Asked once: the work may end between the controls and the picture, and whoever drew for running work has to
    # be the one that notices.
    running = work.running
    st.session_state["train.rests"] = True
    with st.container(key="bench"):
        left, right = st.columns([3, 8], gap="medium")
        with left, st.container(key="controls"):
            st.markdown("### " + tr("Watch it learn"))
            said(Bench.here())
            _choices(work)
            # Whatever is chosen above, a run can be stopped and its networks saved.
            if running:
                st.button(tr("Stop"), width="stretch", key="train.stop", on_click=work.halt)
                st.caption(
                    tr("Reloading or closing the page loses this run. Once it has ended, save its networks here.")
                )
            elif _ready(work):
                _after(work)
            _load()
        with right, st.container(key="picture"):
            st.fragment(_live, run_every=0.5 if running else None)(running)


def _choices(work: Trainer) -> None:
    """What to train: the task, its recipe, and the buttons that begin."""
    names = {name: found.label for name, found in TASKS.items()} | {name: OWN[name] for name in OWN}
    name = remembered(st.selectbox, tr("Task"), list(names), key="train.task", names=names.__getitem__)
    try:
        found = _task(name)
    except ValueError as refusal:
        refuse(reason(refusal))
        return
    if found is None:
        return
    about = [_thresholds(found), found.judged]
    st.caption(sentences([tr("After {source}.", source=found.source), *about] if found.source else about))
    recipes = RECIPES.get(found.name, ANY)
    place = f"train.recipe.{found.name}"
    chosen = remembered(st.selectbox, tr("Network and recipe"), list(recipes), key=place, names=tr)
    recipe = recipes[chosen]
    if any(each.scheme == "chrono" for each in recipes.values()):
        st.caption(tr(CHRONO))
    if recipe.lesson:
        st.markdown(recipe.lesson)
    seed = st.number_input(tr("Seed"), value=0, min_value=0, max_value=10_000, key="train.seed")
    start = _start_from(found)
    racers = _racers(found, recipe)
    begin, race = st.columns(2)
    begin.button(tr("Train"), type="primary", width="stretch", key="train.begin", on_click=_begin,
                 args=(work, found, {chosen: recipe}, int(seed), start))  # fmt: skip
    race.button(tr("Race all three"), width="stretch", key="train.race", on_click=_begin,
                args=(work, found, racers, int(seed)),
                help="\n\n- ".join([tr("On the same batches, each by its own recipe:"), *_listed(racers)]))  # fmt: skip


def _task(name: str) -> Task | None:
    """The chosen task; None while a person's own data has still to be given."""
    if name == "own_text":
        text = st.text_area(tr("Text to learn from"), key="train.text", height=120)
        given = st.file_uploader(tr("or a text file"), type=["txt", "md"], key="train.textfile")
        if given is not None:
            text = _decoded(given.getvalue())
        return _own_text(text) if text else None
    if name == "own_series":
        given = st.file_uploader(tr("CSV: one step a line"), type=["csv", "txt"], key="train.csv")
        return own_series(parse_csv(given.getvalue())) if given is not None else None
    return TASKS[name]


@kept
def _own_text(text: str) -> Task:
    """A task of somebody's text, made once and not at each run of the page: a long text takes most of a second."""
    return own_text(text)


def _decoded(data: bytes) -> str:
    if len(data) > MAX_TEXT:
        most = MAX_TEXT // 10**6
        raise ValueError(tr("The text file is larger than {most} MB; a part of it is enough to learn from.", most=most))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(tr("The file is not UTF-8 text; save it as UTF-8 and choose it again.")) from None


def _thresholds(found: Task) -> str:
    metric = found.measure.capitalize()
    return tr(
        "{metric}: chance {chance}, solved {solved}.",
        metric=metric,
        chance=found.shown(found.chance),
        solved=found.shown(found.solved),
    )


def _racers(found: Task, recipe: Recipe) -> dict[str, Recipe]:
    """Every cell by its own best recipe for the task, or by this one's settings where it has none."""
    racers = {}
    for name, cell in RACE.items():
        known = RECIPES.get(found.name, ANY).items()
        own = [(title, r) for title, r in known if words.CELL_LABELS[r.cell].startswith(name)]
        fallback = Recipe(cell, recipe.hidden_size, 3e-3 if name == "RNN" else 1e-2, max_steps=recipe.max_steps)
        title, racer = own[0] if own else (name, fallback)
        racers[title] = replace(racer, every=25)
    return racers


def _listed(recipes: dict[str, Recipe]) -> list[str]:
    """What is trained and how, a line for each."""
    return [
        tr(
            "{name}: {units} units, learning rate {lr:g}, at most {steps} steps",
            name=tr(name),
            units=recipe.hidden_size,
            lr=recipe.lr,
            steps=recipe.max_steps,
        )
        for name, recipe in recipes.items()
    ]


def _start_from(found: Task) -> Experiment | None:
    """The network on the gates page, where the person wants to go on training it and it has the task's sizes."""
    kept = Bench.here().experiment
    if (kept.input_size, kept.output_size) != (found.inputs, found.outputs):
        return None
    wanted = st.toggle(
        tr("Go on from the network in gates"), key="train.from", help=tr("Load a saved network there first")
    )
    return kept.changed(sequence=found.probe()[0]) if wanted else None


def _begin(work: Trainer, found: Task, recipes: dict[str, Recipe], seed: int, start: Experiment | None = None) -> None:
    if start is not None:
        (recipe,) = recipes.values()
        recipes = {FROM_GATES: replace(recipe, cell=start.cell, hidden_size=start.hidden_size)}
    courses = [
        Course(name, found, recipe, start or prepare(found, recipe, seed), seed) for name, recipe in recipes.items()
    ]
    st.session_state[WHICH] = courses[-1].name
    st.session_state["train.at"] = None
    work.begin(courses)
    st.session_state["training.courses"] = courses


def _after(work: Trainer) -> None:
    """What to do with a finished run."""
    course, checkpoint = _shown(_ready(work))
    st.session_state["train.beside"] = checkpoint
    if not course.checkpoints[-1].solved:
        st.button(tr("Train on"), width="stretch", key="train.on", on_click=_train_on, args=(work,))
    if len(work.courses) > 1:
        st.caption(tr("{name}: the checkpoint at step {step}:", name=tr(course.name), step=checkpoint.step))
    else:
        st.caption(tr("The checkpoint at step {step}:", step=checkpoint.step))
    for page, label in OPENERS.items():
        if st.button(tr(label), width="stretch", key=f"train.open.{page}"):
            (lab() if page == "gradients" else Bench.here()).put(checkpoint.experiment)
            go(page)
    name = f"seqviz-{course.task.name}-{checkpoint.step}"
    files = {
        "safetensors": lambda: to_safetensors(checkpoint.experiment),
        "json": lambda: checkpoint.experiment.to_json(indent=1).encode(),
    }
    for column, (kind, make) in zip(st.columns(2), files.items(), strict=True):
        column.download_button(
            tr("Save .{kind}", kind=kind),
            make,
            f"{name}.{kind}",
            on_click="ignore",
            width="stretch",
            key=f"train.save.{kind}",
        )


def _train_on(work: Trainer) -> None:
    """More of the same: twice the steps, from where it stood."""
    for course in work.courses:
        course.recipe = replace(course.recipe, max_steps=2 * course.recipe.max_steps)
    st.session_state["train.at"] = None
    work.begin(work.courses, resume=True)


def _load() -> None:
    def read(given: Any) -> Experiment:
        return from_safetensors(given.getvalue())

    with st.expander(tr("Load a network"), key="train.load.open"):
        upload(tr("Saved here before"), ["safetensors"], Bench.here(), read, key="train.load")
        st.caption(tr("It opens in gates; turn on “Go on from the network in gates” to train it further."))


def _live(running: bool) -> None:
    work = trainer()
    if running and not work.running:
        st.rerun()
    ready = _ready(work)
    # The controls beside the picture name a checkpoint and save it; they follow when the scrubber rests.
    settled = ready and not running and st.session_state["train.rests"]
    if settled and st.session_state.get("train.beside") is not _shown(ready)[1]:
        st.rerun()
    if work.running and work.waiting:
        st.info(tr("{n} others are training on this machine; yours starts when one of them is done.", n=SLOTS))
    for course in work.courses:
        if course.error:
            refuse(again(course.error))
    if not ready:
        if not work.running:
            _untrained()
        return
    _heading(work)
    _progress(work, ready)
    scope.mount("learning", learning_message(ready, _at()), lambda event: _scrubbed(event, ready[0].run))
    _probe(work, ready)


def _heading(work: Trainer) -> None:
    """What the picture is of: the controls beside it may already say something else."""
    found = work.courses[0].task
    lines = _listed({course.name: course.recipe for course in work.courses})
    st.markdown("  \n".join([f"**{found.label}**", *lines]))
    if found.name != st.session_state["train.task.kept"].removeprefix("own_"):
        st.info(tr("You chose another task. This picture is still of the earlier run; **Train** starts the new one."))


def _untrained() -> None:
    """First paint: the chosen task's probe through the network before it has learned anything."""
    name = st.session_state.get("train.task.kept", "latch")
    found = TASKS.get(name, TASKS["latch"])
    recipe = next(iter(RECIPES[found.name].values()))
    st.markdown(tr("Before training: the answer, below, does not follow the right one yet. Press **Train**."))
    _probed(prepare(found, recipe), found, 0)


def _probed(experiment: Experiment, found: Task, step: int) -> None:
    st.caption(tr("The probe: one fixed example sequence, run through the network of each checkpoint."))
    scope.mount("probe", probe_message(experiment, found, step), lambda event: None)


def _progress(work: Trainer, courses: list[Course]) -> None:
    if not work.running:
        return
    share = min(c.checkpoints[-1].step / c.recipe.max_steps for c in courses)
    seconds = sum(c.checkpoints[-1].seconds for c in courses)
    step = min(c.checkpoints[-1].step for c in courses)
    text = tr("Optimiser step {step}", step=step)
    if share > 0.02:
        text = tr("Step {step}, at most {left:.0f} s of CPU left", step=step, left=seconds / share - seconds)
    st.progress(min(1.0, share), text=text)


def _scrubbed(event: dict[str, Any], run: int) -> None:
    if event.get("type") == "checkpoint" and event.get("run") == run and isinstance(event.get("index"), int):
        st.session_state["train.at"] = None if event.get("follow") else max(0, event["index"])
        st.session_state["train.rests"] = bool(event.get("rests"))


def _at() -> int | None:
    """The place of the scrubber; None where it follows the training."""
    at: int | None = st.session_state.get("train.at")
    return at


def _ready(work: Trainer) -> list[Course]:
    """The courses that have something to show."""
    return [course for course in work.courses if course.checkpoints]


def _shown(courses: list[Course]) -> tuple[Course, Checkpoint]:
    """The network that the person looks at, and its checkpoint under the scrubber."""
    course = next((c for c in courses if c.name == st.session_state.get(WHICH)), courses[-1])
    return course, checkpoint_at(course, courses, _at())


def _probe(work: Trainer, courses: list[Course]) -> None:
    """The probe through the checkpoint under the scrubber."""
    if len(work.courses) > 1:
        names = [course.name for course in work.courses]
        remembered(st.segmented_control, tr("Network shown"), names, key="train.which", names=tr, required=True)
    course, checkpoint = _shown(courses)
    _probed(checkpoint.experiment, course.task, checkpoint.step)
    if course.recipe.cell in (words.LSTM, words.GRU) and st.toggle(
        tr("Show which gates saturate"), key="train.saturation"
    ):
        theme = st.context.theme.type or "light"
        trace, cell = run(checkpoint.experiment), course.recipe.cell
        figure = saturation(trace, theme=theme)
        st.plotly_chart(figure, theme=None, key="train.saturation.chart", config={"displayModeBar": False})
        gates = [signal for signal in words.PICTURE_ORDER[cell] if words.is_gate(signal)]
        named = {words.LABELS[cell, s].name: trace[words.signal_name(0, s)][:, 0] for s in gates}
        st.caption(describe_saturation(named))
