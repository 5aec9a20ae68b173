"""One person's working state: the experiment on the screen, its undo list and the baseline.

Everything that a session keeps lives in one :class:`Bench`; its address is its serialisation.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Sequence_
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlencode

import streamlit as st

from seqviz import vocabulary as words
from seqviz.experiment import Experiment, Init, InputEdit, Sequence, WeightEdit
from seqviz.experiment.value import fitting
from seqviz.language import reason, tr
from seqviz.networks.presets import preset
from seqviz.runner import run
from seqviz.scope.hosts.streamlit.tab import MARK, MAX_KEPT, fetch, mark

__all__ = ["LONGEST_ADDRESS", "Bench", "Origin", "drawn", "start"]

TABLE = "sequence.table"
"""The session key of the sequence table: it shows what is drawn on the picture, when it is open."""

LONGEST_ADDRESS = 7000
"""Characters of an encoded experiment that go into the address; beyond, a file is offered."""

_UNDO_DEPTH = 300

_UNDO_BYTES = 32 * 2**20
"""Bytes of own numbers and whole weight tensors that an undo list may hold; the oldest states go first."""


def drawn(cell: str) -> Experiment:
    """A network of this kind with random weights, large enough that its gates move, on a sine wave."""
    return Experiment(cell=cell, hidden_size=16, init=Init(gain=2.5, seed=3), sequence=Sequence("sine", 64))


def start() -> Experiment:
    """What a new visitor sees first: a unit that keeps the first bit of a short sequence."""
    return preset("latch")


class State(NamedTuple):
    """What undo brings back: the experiment, and the page's own settings where they are not the default."""

    experiment: Experiment
    chosen: Mapping[str, str] = MappingProxyType({})


class Origin(NamedTuple):
    """Where a network from the training page comes from: the task's title, the recipe and the optimiser steps."""

    experiment: Experiment
    task: str
    course: str
    step: int


class Address(NamedTuple):
    """What stands in an address of a page, and what may."""

    query: str
    fields: tuple[str, ...]


@dataclass
class Bench:
    """Undo list, baseline and what has to be said to the person. One a session."""

    history: list[State] = field(default_factory=lambda: [State(start())])
    at: int = 0
    first: Experiment | None = None
    """What an address that names no experiment stands for; None where every address names one."""
    opening: bool = False
    """Whether a new visitor has been shown the story that the app opens on, and has done nothing yet."""
    baseline: Experiment | None = None
    layer: int = 0
    problem: str = ""
    written: list[tuple[Experiment, str, str]] = field(default_factory=list)
    """The last two experiments that were put into an address, their codes there, and the marks of long ones."""
    choices: Mapping[str, Sequence_[str]] = field(default_factory=dict)
    view: tuple[int, int, int] | None = None
    """Step and unit to show first on the next page, and a number that says it is a new wish."""
    origin: Origin | None = None
    goto: str = ""
    stale: bool = False
    """Whether an event in the picture changed what the controls beside it show."""

    @classmethod
    def here(
        cls,
        page: str = "gates",
        first: Callable[[], Experiment] | None = None,
        options: Mapping[str, Sequence_[str]] = MappingProxyType({}),
    ) -> Bench:
        """This session's bench of a page, set up from the address when it is first asked for.

        `first` is what a new visitor finds there, by default the story that the app opens on; `options` are the
        page's own settings beside the experiment, each with the words it may be, the first being the default.
        """
        key = f"bench.{page}"
        bench: Bench | None = st.session_state.get(key)
        if bench is None:
            found = first() if first else None
            bench = st.session_state[key] = cls([State(found or start())], first=found, choices=options)
            bench._read_address()
        bench.layer = min(bench.layer, bench.experiment.num_layers - 1)
        return bench

    @property
    def experiment(self) -> Experiment:
        """What is on the screen."""
        return self.history[self.at].experiment

    def option(self, name: str) -> str:
        """One of the page's own settings."""
        return self.history[self.at].chosen.get(name, self.choices[name][0])

    def choose(self, name: str, word: str) -> None:
        """Set one of the page's own settings; undo takes it back."""
        self.put(self.experiment, **{name: word})

    @property
    def can_undo(self) -> bool:
        return self.at > 0

    @property
    def can_redo(self) -> bool:
        return self.at < len(self.history) - 1

    def show_layer(self) -> None:
        """Show the layer that was chosen over the picture; the controls follow."""
        self.layer = st.session_state["layer"] or 0
        self.stale = True

    def put(self, experiment: Experiment, **options: str) -> None:
        """Show another experiment, with other settings of the page; the present ones can be got back with undo."""
        self.problem = ""
        now = self.history[self.at]
        state = State(experiment, self._not_default({**now.chosen, **options}))
        if state == now:
            return
        self.opening = False
        self.history = _bounded([*self.history[: self.at + 1], state])
        self.at = len(self.history) - 1

    def attempt(self, make: Callable[[], Experiment]) -> bool:
        """Put what `make` gives; if it refuses, keep everything and say its sentence instead."""
        try:
            made = fitting(make())
            run(made)
            self.put(made)
        except ValueError as refusal:
            self.problem = reason(refusal)
            return False
        return True

    def change(self, **changes: Any) -> None:
        """Other sizes, cell or sequence; what no longer fits is left out (:meth:`Experiment.changed`)."""
        self.attempt(lambda: self.experiment.changed(**changes))

    def change_wave(self, **changes: Any) -> None:
        """The same sequence with other settings; of what was drawn on it, what a new length has room for."""
        seq = self.experiment.sequence
        kept = tuple(e for e in seq.edits if e.step < changes.get("length", seq.length))
        self.attempt(lambda: self.experiment.changed(sequence=replace(seq, **{"edits": kept, **changes})))

    def redraw(self, **changes: Any) -> None:
        """Other initial weights, in place of any that were loaded or trained."""
        now = self.experiment
        self.attempt(lambda: replace(now, init=replace(now.init, **changes), tensors=()))

    def undo(self) -> None:
        """One change back."""
        self.at = max(0, self.at - 1)
        self.problem = ""

    def redo(self) -> None:
        """One change on."""
        self.at = min(len(self.history) - 1, self.at + 1)
        self.problem = ""

    def event(self, event: dict[str, Any]) -> None:
        """What a person did in the scope or in the weight matrix."""
        experiment = self.experiment
        said = self.problem
        actions: dict[Any, Callable[[], Any]] = {
            "undo": self.undo,
            "redo": self.redo,
            "pin": lambda: setattr(self, "baseline", experiment),
            "reset": lambda: self.put(experiment.reset()),
            "input": lambda: self.attempt(lambda: _with_inputs(experiment, event["edits"])),
            "weight": lambda: self.attempt(lambda: experiment.edited(WeightEdit(*row) for row in event["edits"])),
            "cell": lambda: self._go("cell", event),
            "gates": lambda: self._go("gates", event),
            "unedit": lambda: self.put(_without(experiment, event["places"])),
            "choose": lambda: self._choose_known(event["name"], event["word"]),
            "before": self._before,
        }
        kind = event.get("type")
        action = actions.get(kind) if isinstance(kind, str) else None
        if action is None:
            return
        try:
            action()
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            self.problem = tr(
                "The picture sent something that could not be understood ({kind}).", kind=type(error).__name__
            )
        table_open = bool(getattr(st.session_state.get(TABLE), "open", st.session_state.get(TABLE)))
        self.opening = False
        self.stale = event["type"] != "input" or said != self.problem or table_open

    def _before(self) -> None:
        """A link from before the app opened on a story: without a word of an experiment it stood for this one."""
        if self.opening:
            self.history = [State(drawn(words.LSTM))]
            self.at = 0

    def _choose_known(self, name: str, word: str) -> None:
        if word not in self.choices[name]:
            raise ValueError(word)
        self.choose(name, word)

    def _go(self, page: str, event: dict[str, Any]) -> None:
        """Ask for another page at this step and unit; :func:`seqviz.ui.shell.follow` goes there."""
        step, unit = int(event["step"]), int(event["unit"])
        self.goto = page
        # A page outlives its session, and would take a number that begins anew for a wish it has followed.
        self.view = (step, unit, time.time_ns() // 1000)

    def _not_default(self, options: Mapping[str, str]) -> dict[str, str]:
        return {n: options[n] for n, words_ in self.choices.items() if options.get(n, words_[0]) != words_[0]}

    # --- the address ------------------------------------------------------------------------------

    def _read_address(self) -> None:
        given = st.query_params
        experiment = self.experiment
        if self.first is None and "e" not in given and given.keys() & {"b", "layer"}:
            experiment = drawn(words.LSTM)  # so it was before the app opened on a story
        try:
            if "e" in given:
                experiment = fitting(_read(given["e"]))
        except ValueError as refusal:
            self.problem = tr("{why} The example is shown instead.", why=reason(refusal))
        try:
            if "b" in given:
                self.baseline = fitting(_read(given["b"]))
        except ValueError as refusal:
            self.problem = self.problem or tr("{why} The baseline is left out.", why=reason(refusal))
        known = {n: given[n] for n, words_ in self.choices.items() if given.get(n) in words_}
        self.history = [State(experiment, self._not_default(known))]
        self.opening = self.first is None and not given.keys() & {"e", "b", "layer"}
        layer = given.get("layer", "0")
        self.layer = int(layer) if layer.isdecimal() and len(layer) < 3 else 0

    def address(self) -> str:
        """The query string that brings this screen back, as far as it fits; the browser puts it in place.

        The server only reads an address when a session starts: a run that was asked for just before the
        address changed still carries the old one, and must not bring the old state back with it.
        """
        return urlencode(self._wanted()[0])

    @property
    def place(self) -> Address:
        """The address, and the names in it that are this page's own: the browser leaves the others as they are."""
        return Address(self.address(), ("e", "b", "layer", *self.choices))

    @property
    def too_long(self) -> bool:
        """Whether this screen does not fit into an address, so that the browser keeps it or, if huge, nobody."""
        wanted, keep = self._wanted()
        return bool(keep) or any(wanted.get(name) == MARK for name in "eb")

    def keep(self) -> dict[str, str]:
        """What the browser has to keep for a reload, as it does not fit into the address: codes by digest."""
        return self._wanted()[1]

    def _code(self, experiment: Experiment) -> tuple[str, str]:
        """An experiment as it stands in an address, and its mark if it may be too long for one.

        Asked for several times a run, so remembered.
        """
        for known, code, marked in self.written:
            if known is experiment:  # equal ones may differ in the sign of a zero
                return code, marked
        code = experiment.to_url()
        marked = mark(code) if LONGEST_ADDRESS // 2 < len(code) <= MAX_KEPT else MARK
        self.written = [*self.written[-1:], (experiment, code, marked)]
        return code, marked

    def _wanted(self) -> tuple[dict[str, str], dict[str, str]]:
        """What stands in the address, and codes by digest that are too long to stand there."""
        known: dict[str, tuple[str, str]] = {}
        if self.first is None or self.experiment != self.first:
            known["e"] = self._code(self.experiment)
        if self.baseline is not None:
            known["b"] = self._code(self.baseline)
        wanted = {name: code for name, (code, _) in known.items()}
        keep: dict[str, str] = {}
        while sum(map(len, wanted.values())) > LONGEST_ADDRESS:
            longest = max(wanted, key=lambda name: len(wanted[name]))
            code, marked = known[longest]
            wanted[longest] = marked
            if marked != MARK:
                keep[marked.removeprefix(MARK)] = code
        if self.layer:
            wanted["layer"] = str(self.layer)
        return wanted | dict(self.history[self.at].chosen), keep


def _bounded(history: list[State]) -> list[State]:
    """The latest states, as many as may be kept; the last one always is. States share most of what they hold."""
    seen: set[int] = set()
    total = 0
    for count, state in enumerate(reversed(history[-_UNDO_DEPTH:])):
        held = state.experiment
        for part in (held.sequence.values, *(tensor.data for tensor in held.tensors)):
            if id(part) not in seen:
                seen.add(id(part))
                total += len(part)
        total += 8 * (len(held.sequence.edits) + len(held.edits))
        if total > _UNDO_BYTES and count:
            return history[-count:]
    return history[-_UNDO_DEPTH:]


def _read(code: str) -> Experiment:
    """The experiment of an address, or the one that it names and the browser has kept."""
    if not code.startswith(MARK):
        return Experiment.from_url(code)
    found = fetch(code)
    if found is None:
        raise ValueError(
            tr(
                "The experiment was too long for its address, and this browser has not kept it: it opens only where it "
                "was made. A saved file opens everywhere."
            )
        )
    return Experiment.from_url(found)


def _with_inputs(experiment: Experiment, rows: list[list[Any]]) -> Experiment:
    edits = [InputEdit(*row) for row in rows]
    return replace(experiment, sequence=experiment.sequence.edited(edits))


def _without(experiment: Experiment, places: list[list[Any]]) -> Experiment:
    gone = {tuple(place) for place in places}
    kept = tuple(e for e in experiment.edits if (e.parameter, e.row, e.col) not in gone)
    return replace(experiment, edits=kept)
