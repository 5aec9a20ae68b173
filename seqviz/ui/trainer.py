"""Training in the background of one session: a thread that ends when the session, the page or the person does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import streamlit as st
import torch

from seqviz.language import reason, tr
from seqviz.training import Checkpoint, Course, train
from seqviz.training.course import RUNS

__all__ = ["SLOTS", "WHICH", "Trainer", "leave", "start", "trainer"]

SLOTS = 2
"""How many people train at once on one process; others wait their turn."""

PACE, PACED = 0.15, 1.5
"""Seconds that each round of checkpoints takes at least, so that a short run can be seen learning, and how many
seconds are spent on that at most."""

_SEATS = threading.BoundedSemaphore(SLOTS)


class Trainer:
    """The courses of a session, trained in turn by one thread; ``before`` are those that the last ones replaced."""

    def __init__(self) -> None:
        self.courses: list[Course] = []
        self.before: list[Course] = []
        self.stop = threading.Event()
        self.thread: threading.Thread | None = None
        self.waiting = False

    @property
    def running(self) -> bool:
        """Whether the thread is at work or waiting for its turn."""
        return self.thread is not None and self.thread.is_alive()

    def begin(self, courses: list[Course], *, resume: bool = False) -> None:
        """Train these networks on the same batches, side by side; `resume` goes on from their last checkpoints."""
        self.halt()
        number = next(RUNS)
        for course in courses:
            course.run = number
        if not resume and any(course.checkpoints for course in self.courses):
            self.before = self.courses
        self.courses, self.stop = courses, threading.Event()
        self.thread = threading.Thread(target=self._work, args=(courses, self.stop, resume), daemon=True)
        self.thread.start()

    def put(self, courses: list[Course]) -> None:
        """Networks that were trained before."""
        for course in courses:
            course.run = courses[0].run
            course.measure()
        self.courses = courses

    def halt(self) -> None:
        """Ask the thread to end and wait until it has, a second at the most."""
        self.stop.set()
        if self.thread is not None:
            self.thread.join(1.0)

    def _work(self, courses: list[Course], stop: threading.Event, resume: bool) -> None:
        self.waiting = True
        while not _SEATS.acquire(timeout=0.2):
            if stop.is_set():
                return
        self.waiting = False
        try:
            torch.set_num_threads(1)
            live = [(course, _checkpoints(course, stop, resume)) for course in courses]
            left = PACED
            while live:
                start = time.monotonic()
                live = [(course, steps) for course, steps in live if _advance(course, steps)]
                rest = min(left, PACE - (time.monotonic() - start))
                if live and rest > 0:
                    left -= rest
                    stop.wait(rest)
        finally:
            _SEATS.release()


def _checkpoints(course: Course, stop: threading.Event, resume: bool) -> Iterator[Checkpoint]:
    last = course.checkpoints[-1] if resume and course.checkpoints else None
    return train(course.start, course.task, course.recipe, seed=course.seed, resume=last, stop=stop.is_set)


def _advance(course: Course, steps: Iterator[Checkpoint]) -> bool:
    try:
        checkpoint = next(steps, None)
    except (ValueError, RuntimeError) as failure:
        course.error = tr("Training ended: {failure}", failure=reason(failure))
        return False
    if checkpoint is not None:
        course.take(checkpoint)
        course.measure()
    return checkpoint is not None


@st.cache_resource(scope="session", on_release=lambda trainer: trainer.halt(), show_spinner=False)
def _session_trainer() -> Trainer:
    return Trainer()


def trainer() -> Trainer:
    """This session's trainer. A dropped connection ends its thread, but what it made is kept in the session."""
    found: Trainer = _session_trainer()
    kept = st.session_state.get("training.courses")
    if not found.courses and kept:
        found.courses = kept
    st.session_state["training.courses"] = found.courses
    return found


WHICH = "train.which.kept"
"""The session key of the name of the network that is looked at, where several were trained."""


def start(courses: list[Course]) -> None:
    """Train these side by side, and look at the last of them."""
    work = trainer()
    st.session_state[WHICH] = courses[-1].name
    st.session_state["train.at"] = None
    work.begin(courses)
    st.session_state["training.courses"] = courses


def leave(page: str) -> None:
    """Nothing trains for nobody: another page than the training page ends the work."""
    if page != "training" and st.session_state.get("training.courses"):
        found = trainer()
        if found.running:
            found.halt()
