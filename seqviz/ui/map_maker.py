"""Maps of vanishing measured in the background of one session: a thread that ends when the person asks or leaves."""

from __future__ import annotations

import threading
from typing import Final

import streamlit as st
import torch

from seqviz.experiment import Experiment
from seqviz.gradients.mapped import VanishingMap
from seqviz.gradients.maps import vanishing_maps
from seqviz.gradients.ranges import mapped_networks, values_of
from seqviz.runner import work

__all__ = ["MapMaker", "leave_map", "map_maker"]

FINE, ROUGH = (33, 41), (17, 21)
"""Points across and up; the rough grid is for networks that take long."""

_LONG: Final = 250_000
_SEATS = threading.BoundedSemaphore(1)
"""One map is measured at a time in this process; others wait their turn."""


class MapMaker:
    """The maps of a session, by network, as far as they are measured."""

    def __init__(self) -> None:
        self.of: tuple[dict[str, Experiment], str, str] | None = None
        self.found: dict[str, VanishingMap] = {}
        self.stop = threading.Event()
        self.thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether the thread is at work or waiting for its turn."""
        return self.thread is not None and self.thread.is_alive()

    @property
    def progress(self) -> float:
        """From 0 to 1, of all maps together."""
        return sum(found.progress for found in self.found.values()) / len(self.of[0]) if self.of else 0.0

    @property
    def done(self) -> bool:
        """Whether all of it has been measured."""
        return self.of is not None and all(name in self.found and self.found[name].done for name in self.of[0])

    def begin(self, experiment: Experiment, x: str = "spectral_radius", y: str = "forget_bias") -> None:
        """Measure the maps of this experiment over two settings, in place of any others; the same ones go on."""
        asked = (mapped_networks(experiment, x, y), x, y)
        if asked != self.of:
            self._begin(asked)

    def again(self) -> None:
        """Measure what was stopped, from the beginning."""
        if self.of is not None:
            self._begin(self.of)

    def _begin(self, asked: tuple[dict[str, Experiment], str, str]) -> None:
        self.halt()
        self.of, self.found, self.stop = asked, {}, threading.Event()
        self.thread = threading.Thread(target=self._work, args=(*asked, self.found, self.stop), daemon=True)
        self.thread.start()

    def halt(self) -> None:
        """Ask the thread to end and wait until it has, a second at the most."""
        self.stop.set()
        if self.thread is not None:
            self.thread.join(1.0)

    def _work(
        self, nets: dict[str, Experiment], across: str, up: str, found: dict[str, VanishingMap], stop: threading.Event
    ) -> None:
        while not _SEATS.acquire(timeout=0.2):
            if stop.is_set():
                return
        try:
            torch.set_num_threads(1)
            columns, rows = FINE if max(map(work, nets.values())) <= _LONG else ROUGH
            x, y = (across, values_of(across, columns)), (up, values_of(up, rows))
            live = {name: vanishing_maps(e, x, y, stop=stop.is_set) for name, e in nets.items()}
            while live and not stop.is_set():
                # The one that is behind goes on, so that both first pictures come first.
                name = min(live, key=lambda name: found[name].progress if name in found else 0.0)
                if (some := next(live[name], None)) is None:
                    del live[name]
                else:
                    found[name] = some
        finally:
            _SEATS.release()


@st.cache_resource(scope="session", on_release=lambda maker: maker.halt(), show_spinner=False)
def map_maker() -> MapMaker:
    """This session's."""
    return MapMaker()


def leave_map(page: str) -> None:
    """Nothing is measured for nobody: another page than that of the gradients ends the work."""
    if page != "gradients":
        maker: MapMaker = map_maker()
        if maker.running:
            maker.halt()
