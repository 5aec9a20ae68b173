"""Watch it learn: choose a task, train, and scrub back through the checkpoints."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import streamlit as st

from seqviz import cells
from seqviz import vocabulary as words
from seqviz.checkpoints import from_safetensors, to_safetensors
from seqviz.experiment import Experiment
from seqviz.figures import saturation
from seqviz.language import Words, again, later, reason, sentences, tr, trn
from seqviz.metrics import describe_saturation
from seqviz.runner import run
from seqviz.scope.hosts.streamlit import mount
from seqviz.scope.hosts.streamlit.tab import MARK, keeps
from seqviz.tasks import TASKS, Task
from seqviz.training import RECIPES, Checkpoint, Course, Recipe, checkpoint_at, prepare, recipes_of
from seqviz.ui.bench import Bench, Origin
from seqviz.ui.controls import literal, own_number, own_toggle, refuse, remembered, said, unfolding, upload
from seqviz.ui.panels.doctor import doctor_panel
from seqviz.ui.panels.network import CHRONO
from seqviz.ui.rail import rail
from seqviz.ui.scenes import lab
from seqviz.ui.shell import go
from seqviz.ui.trainer import SLOTS, WHICH, Trainer, trainer
from seqviz.ui.trainer import start as start_all
from seqviz.ui.training_choices import MOST_SEEDS, OWN, called, kind_of, listed, of_seed, racers, task_of, thresholds
from seqviz.ui.training_data import data_mark
from seqviz.ui.training_kept import PROBLEM, begun, kept_run, place
from seqviz.ui.training_pictures import Extent, counted, learning_message, probe_message, standing, unlearned

__all__ = ["classroom"]

OPENERS = Words({"gates": "Open in gates", "cell": "Open in the cell", "gradients": "Open in gradients"})
FROM_GATES = later("Network from gates")
EACH_ITS_OWN = later("On the same batches, each by its own best recipe:")
ALL_ALIKE = later("On the same batches, all from the same kind of start (a plain RNN has no gates to set):")


def classroom() -> None:
    """The whole page."""
    work = trainer()
    begun(work)
    # Asked once: the work may end between the controls and the picture, and whoever drew for running work has to
    # be the one that notices.
    running = work.running
    st.session_state["train.rests"] = True
    rail("training", Bench.here())
    with st.container(key="bench"):
        left, right = st.columns([8, 3], gap="medium")
        with right, st.container(key="controls"):
            said(Bench.here())
            _choices(work)
            # Whatever is chosen above, a run can be stopped and its networks saved.
            if running:
                st.button(tr("Stop"), width="stretch", key="train.stop", on_click=work.halt)
                if keeps():
                    st.caption(
                        tr(
                            "This browser keeps the run for a reload, as far as it has come. Save its networks here "
                            "once it has ended."
                        )
                    )
            elif _ready(work):
                _after(work)
            _load()
        with left, st.container(key="picture"):
            st.fragment(_live, run_every=0.3 if running else None)(running)


def _choices(work: Trainer) -> None:
    """What to train: the task, its recipe, and the buttons that begin."""
    names = {name: found.label for name, found in TASKS.items()} | {name: OWN[name] for name in OWN}
    name = remembered(st.selectbox, tr("Task"), list(names), key="train.task", names=names.__getitem__)
    try:
        found = task_of(name)
    except ValueError as refusal:
        refuse(reason(refusal))
        return
    if found is None:
        return
    about = [thresholds(found), found.judged]
    st.caption(sentences([tr("After {source}.", source=_linked(found.source)), *about] if found.source else about))
    recipes = recipes_of(found.name)
    place = f"train.recipe.{found.name}"
    chosen = remembered(st.selectbox, tr("Network and recipe"), list(recipes), key=place, names=tr)
    recipe = recipes[chosen]
    go = st.container(key="train-go")  # above what is chosen less often, so that it is on the first screen
    if any(each.scheme == "chrono" for each in recipes.values()):
        st.caption(tr(CHRONO))
    if recipe.lesson:
        st.markdown(recipe.lesson)
    page = Bench.here()
    own_number(page, tr("Seed"), 0, 0, 10_000, key="train.seed", whole=True)
    start = _start_from(found)
    own = own_toggle(tr("In a race, each by its own best recipe"), key="train.race.own")
    equal = own_toggle(tr("In a race, all with as many parameters"), key="train.race.equal")
    own_number(page, tr("Seeds in a race"), 1, 1, MOST_SEEDS, key="train.race.seeds", whole=True)
    racing = racers(found, chosen, recipe, own, equal)
    how = EACH_ITS_OWN if own else ALL_ALIKE
    with go:
        begin, race = st.columns(2)
        begin.button(tr("Train"), type="primary", width="stretch", key="train.begin", on_click=_train,
                     args=(work, found, start))  # fmt: skip
        everybody = tr("Race all three") if len(racing) == 3 else tr("Race all {count}", count=len(racing))
        told = "\n\n- ".join([tr(how), *listed(racing)])
        race.button(everybody, width="stretch", key="train.race", on_click=_race, args=(work, found), help=told)


def _train(work: Trainer, found: Task, start: Experiment | None) -> None:
    task, name, recipe = _chosen(found)
    _begin(work, task, {name: recipe}, int(st.session_state["train.seed.kept"]), start if task is found else None)


def _race(work: Trainer, found: Task) -> None:
    task, name, recipe = _chosen(found)
    held = st.session_state
    own, equal = (bool(held.get(f"train.race.{switch}.kept")) for switch in ("own", "equal"))
    _begin(work, task, racers(task, name, recipe, own, equal), int(held["train.seed.kept"]),
           seeds=int(held["train.race.seeds.kept"]))  # fmt: skip


def _chosen(found: Task) -> tuple[Task, str, Recipe]:
    """What the controls say at a press: a quick hand changes them before the page has answered."""
    task = TASKS.get(st.session_state["train.task.kept"], found)
    recipes = recipes_of(task.name)
    name = st.session_state.get(f"train.recipe.{task.name}.kept")
    name = name if name in recipes else next(iter(recipes))
    return task, name, recipes[name]


def _start_from(found: Task) -> Experiment | None:
    """The network on the gates page, where the person wants to go on training it and it has the task's sizes."""
    kept = Bench.here().experiment
    if (kept.input_size, kept.output_size) != (found.inputs, found.outputs):
        return None
    wanted = st.toggle(
        tr("Go on from the network in gates"), key="train.from", help=tr("Load a saved network there first")
    )
    return kept.changed(sequence=found.probe()[0]) if wanted else None


def _begin(
    work: Trainer, found: Task, recipes: dict[str, Recipe], seed: int, start: Experiment | None = None, seeds: int = 1
) -> None:
    if start is not None:
        (recipe,) = recipes.values()
        recipes = {FROM_GATES: replace(recipe, cell=start.cell, hidden_size=start.hidden_size)}
    courses = [
        Course(of_seed(name, each, seed), found, recipe, start or prepare(found, recipe, each), each)
        for each in range(seed, seed + seeds)
        for name, recipe in recipes.items()
    ]
    st.session_state.pop(PROBLEM, None)
    start_all(courses)


def _after(work: Trainer) -> None:
    """What to do with a finished run."""
    course, checkpoint = _shown(_ready(work))
    st.session_state["train.beside"] = checkpoint
    if not kept_run(work.courses, running=False):
        st.caption(tr("These networks are too large for this browser to keep: reloading the page loses them."))
    if not course.checkpoints[-1].solved:
        st.button(tr("Train on"), width="stretch", key="train.on", on_click=_train_on, args=(work,))
    if len(work.courses) > 1:
        st.caption(tr("{name}: the checkpoint at step {step}:", name=called(course.name), step=checkpoint.step))
    else:
        st.caption(tr("The checkpoint at step {step}:", step=checkpoint.step))
    for page, label in OPENERS.items():
        if st.button(tr(label), width="stretch", key=f"train.open.{page}"):
            bench = lab() if page == "gradients" else Bench.here()
            bench.put(checkpoint.experiment)
            bench.origin = Origin(checkpoint.experiment, course.task.title, course.name, checkpoint.step)
            go(page)
    name = f"seqviz-{course.task.name}-{checkpoint.step}"
    files = {
        "safetensors": lambda: to_safetensors(checkpoint.experiment),
        "json": lambda: checkpoint.experiment.to_json(indent=1).encode(),
    }
    for kind, make in files.items():
        st.download_button(
            tr("Save .{kind}", kind=kind),
            make,
            f"{name}.{kind}",
            on_click="ignore",
            width="stretch",
            key=f"train.save.{kind}",
        )


def _train_on(work: Trainer) -> None:
    """More of the same: to its end where it was interrupted, else twice the steps, from where it stood."""
    for course in work.courses:
        if course.reason:
            course.recipe = replace(course.recipe, max_steps=2 * course.recipe.max_steps)
    st.session_state["train.at"] = None
    work.begin(work.courses, resume=True)


def _load() -> None:
    with st.expander(tr("Load a network"), key="train.load.open"):
        upload(tr("Saved here before"), ["safetensors", "json"], Bench.here(), _read, key="train.load")
        st.caption(tr("It opens in gates; turn on “Go on from the network in gates” to train it further."))


def _read(given: Any) -> Experiment:
    """A file of either kind that “Save” gives; JSON is known by how it begins, whatever the file is called."""
    data: bytes = given.getvalue()
    is_json = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"
    return Experiment.from_json(data) if is_json else from_safetensors(data)


def _live(running: bool) -> None:
    work = trainer()
    if running and not work.running:
        st.rerun()
    ready = _ready(work)
    # The controls beside the picture name a checkpoint and save it; they follow when the scrubber rests.
    settled = ready and not running and st.session_state["train.rests"]
    if settled and st.session_state.get("train.beside") is not _shown(ready)[1]:
        st.rerun()
    with st.container():
        if work.running and work.waiting:
            st.info(
                trn(
                    "{count} other is training on this machine; yours starts when it is done.",
                    "{count} others are training on this machine; yours starts when one of them is done.",
                    SLOTS,
                )
            )
        problem = st.session_state.get(PROBLEM)
        for says in [problem, *(course.error for course in work.courses)]:
            if says:
                refuse(again(says))
    if ready:
        _progress(work, ready)
        _curves(work.courses, ready)
        _heading(work.courses)
    elif not work.running:
        name = st.session_state.get("train.task.kept", "latch")
        found = TASKS.get(name, TASKS["latch"])
        _untrained(prepare(found, next(iter(RECIPES[found.name].values()))), found)
    elif before := [course for course in work.before if course.checkpoints]:
        # The last picture stays until the new one has something to show.
        _curves(before[-1:], before)
        _heading(before, anew=True)
    else:
        _untrained(work.courses[-1].start, work.courses[-1].task)


def _curves(courses: list[Course], ready: list[Course]) -> None:
    """What was learned so far, and the probe through the checkpoint under the scrubber."""
    _top(counted(courses) or standing(*_shown(ready), named=len(courses) > 1))
    with st.container(key="learned"):
        left, right = st.columns([1, 2], gap="small")
        with left:
            mount("learning", learning_message(ready, _at()), lambda event: _scrubbed(event, ready[0].run))
        with right:
            _probe(courses, ready)
    _beside(*_shown(ready))


def _top(says: str) -> None:
    """The sentence on top."""
    with st.container(key="title"):
        st.markdown("### " + literal(says))


def _heading(courses: list[Course], anew: bool = False) -> None:
    """What the picture is of: the controls beside it may already say something else."""
    found = courses[0].task
    lines = listed({kind_of(course.name): course.recipe for course in courses})
    seeds = sorted({course.seed for course in courses})
    if len(seeds) > 1:
        says = later("Seeds {first} to {last}: the band is from the least to the most of them.")
        lines.append(tr(says, first=seeds[0], last=seeds[-1]))
    st.markdown("  \n".join([f"**{found.label}**", *lines]))
    if not anew and found.name != st.session_state["train.task.kept"].removeprefix("own_"):
        st.info(tr("You chose another task. This picture is still of the earlier run; **Train** starts the new one."))


def _untrained(experiment: Experiment, found: Task) -> None:
    """First paint: the chosen task's probe through the network before it has learned anything."""
    _top(unlearned(experiment, found))
    _probed(experiment, found, 0)
    st.caption(tr("The probe: one fixed example sequence, run through the network of each checkpoint."))


def _probed(experiment: Experiment, found: Task, step: int, extent: Extent = ()) -> None:
    work = trainer()
    marked = kept_run(work.courses, work.running)
    said_of, keep = place(marked, work.courses), {}
    for mark in (marked, data_mark(st.session_state.get("train.task.kept", ""))):
        if mark.startswith(MARK):
            keep[mark.removeprefix(MARK)] = ""
    mount("probe", probe_message(experiment, found, step, extent), lambda event: None, keep, place=said_of)


def _progress(work: Trainer, courses: list[Course]) -> None:
    """How far the work is. Its place is always there, so that the pictures below it are not made anew."""
    with st.container(key="train-progress"):
        if work.running:
            _far(courses)


def _far(courses: list[Course]) -> None:
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


def _probe(courses: list[Course], ready: list[Course]) -> None:
    """The probe through the checkpoint under the scrubber, drawn on the scale of all of its network's checkpoints."""
    if len(courses) > 1:
        names = [course.name for course in courses]
        remembered(st.segmented_control, tr("Network shown"), names, key="train.which", names=called, required=True)
    course, checkpoint = _shown(ready)
    _probed(checkpoint.experiment, course.task, checkpoint.step, tuple(sorted(course.measure().items())))


def _beside(course: Course, checkpoint: Checkpoint) -> None:
    """What else can be asked of the network of a checkpoint."""
    st.caption(tr("The probe: one fixed example sequence, run through the network of each checkpoint."))
    if cells.get(course.recipe.cell).gates and st.toggle(tr("Show which gates saturate"), key="train.saturation"):
        theme = st.context.theme.type or "light"
        trace, cell = run(checkpoint.experiment), course.recipe.cell
        figure = saturation(trace, theme=theme)
        st.plotly_chart(figure, theme=None, key="train.saturation.chart", config={"displayModeBar": False})
        gates = [signal for signal in words.PICTURE_ORDER[cell] if words.is_gate(signal, cell)]
        named = {words.LABELS[cell, s].name: trace[words.signal_name(0, s)][:, 0] for s in gates}
        st.caption(describe_saturation(named))
    _examined(course, checkpoint)


def _examined(course: Course, checkpoint: Checkpoint) -> None:
    """The questions about the network of the checkpoint, judged by its task, once nothing trains any more."""
    if trainer().running:
        return
    before = checkpoint.experiment

    def look_at(cured: Experiment) -> None:
        bench = Bench.here()
        bench.put(cured)
        bench.baseline = before
        go("gates")

    with unfolding(tr("Examine this network"), "train.examine"):
        same = (before, course.task.name, course.task.length)
        doctor_panel(before, {"task": course.task}, key="train.examined", same=same, look_at=look_at)


def _linked(source: str) -> str:
    """Its address as a link that ends where the address does: Chinese sentences go on without a blank."""
    return re.sub(r"(https?://\S+)", r"<\1>", source)
