"""Maps of vanishing measured in the background of one session: a thread that ends when the person asks or leaves."""

from __future__ import annotations

import threading
from typing import Final

import numpy as np
import streamlit as st
import torch

from seqviz.experiment import Experiment
from seqviz.gradients.mapped import VanishingMap
from seqviz.gradients.maps import mapped_networks, vanishing_maps
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
        self.of: Experiment | None = None
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
        return sum(found.progress for found in self.found.values()) / 2

    def begin(self, experiment: Experiment) -> None:
        """Measure the maps of this experiment, in place of any others."""
        self.halt()
        self.of, self.found, self.stop = experiment, {}, threading.Event()
        self.thread = threading.Thread(target=self._work, args=(experiment, self.found, self.stop), daemon=True)
        self.thread.start()

    def halt(self) -> None:
        """Ask the thread to end and wait until it has, a second at the most."""
        self.stop.set()
        if self.thread is not None:
            self.thread.join(1.0)

    def _work(self, experiment: Experiment, found: dict[str, VanishingMap], stop: threading.Event) -> None:
        while not _SEATS.acquire(timeout=0.2):
            if stop.is_set():
                return
        try:
            torch.set_num_threads(1)
            columns, rows = FINE if work(experiment) <= _LONG else ROUGH
            x, y = ("spectral_radius", np.geomspace(0.25, 4.0, columns)), ("forget_bias", np.linspace(-2.0, 8.0, rows))
            nets = mapped_networks(experiment)
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
