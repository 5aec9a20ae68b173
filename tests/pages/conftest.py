"""The app in Streamlit's own harness: no browser, no server."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import seqviz
from seqviz import vocabulary as words
from seqviz.experiment import Experiment
from seqviz.ui.bench import Bench, drawn

ROOT = Path(__file__).parents[2]


class App:
    """One person's session of the app, run through ``app.py`` as Streamlit runs it."""

    def __init__(self, page: str = "gates", **address: str) -> None:
        self.page = page
        # runpy: the harness takes a folder named `pages` beside its script for its own.
        self.at = AppTest.from_string(f"import runpy; runpy.run_path({str(ROOT / 'app.py')!r})", default_timeout=120)
        for name, value in address.items():
            self.at.query_params[name] = value
        self.at.run()
        if page != "gates":
            self.at.switch_page(str(ROOT / "pages" / f"{page}.py"))
            for name, value in address.items():  # the harness forgets the address with the page
                self.at.query_params[name] = value
            self.at.run()
        self.sound()

    def sound(self) -> App:
        """Nothing was raised on the page."""
        assert not self.at.exception, [e.value for e in self.at.exception]
        return self

    def run(self) -> App:
        self.at.run()
        return self.sound()

    def panel(self, name: str) -> App:
        """Open one of the gates page's panels."""
        self.at.button_group(key="panel").set_value(name)
        return self.run()

    @property
    def bench(self) -> Bench:
        own = f"bench.{self.page}"
        return self.at.session_state[own if own in self.at.session_state else "bench.gates"]

    @property
    def experiment(self) -> Experiment:
        return self.bench.experiment

    @property
    def warnings(self) -> list[str]:
        return [re.sub(r"\\([!-~])", r"\1", w.value).replace("\u2060", "") for w in self.at.warning]

    def said(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What the scope was told: its header and its arrays."""
        (found,) = [c for c in self.at.get("bidi_component") if c.key == "scope"]
        return unpack(found.proto.bytes)

    def tail(self, key: str) -> dict[str, Any]:
        """What a message says beside its picture."""
        (found,) = [bytes(c.proto.bytes) for c in self.at.get("bidi_component") if c.key == key]
        (length,) = struct.unpack("<I", found[-4:])
        return json.loads(found[-8 - length : -8])

    def address(self, key: str) -> dict[str, str]:
        """What the address says on a page whose pictures have none of their own."""
        return dict(parse_qsl(self.tail(key)["place"]["address"]))

    def shows(self, experiment: Experiment) -> None:
        """The scope was told this experiment's numbers, all of them and exactly."""
        header, arrays = self.said()
        trace = seqviz.run(experiment)
        layer = header["layer"]
        names = ["x", *(words.signal_name(layer, s) for s in words.PICTURE_ORDER[experiment.cell]), "y"]
        for name in names:
            np.testing.assert_array_equal(arrays[name.rsplit(".", 1)[-1]], trace[name][:, 0])
        assert [row["signal"] for row in header["rows"]] == [name.rsplit(".", 1)[-1] for name in names]


def unpack(message: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The inverse of the scope's packing, written from its description."""
    (length,) = struct.unpack_from("<I", message)
    assert length % 4 == 0, "the arrays are not aligned"
    header = json.loads(message[4 : 4 + length])
    arrays = {}
    for entry in header["arrays"]:
        count = int(np.prod(entry["shape"]))
        kind = "<f4" if entry["type"] == "f4" else "<u2"
        values = np.frombuffer(message, kind, count, 4 + length + entry["offset"])
        if kind == "<u2":
            values = entry["low"] + values * (entry["high"] - entry["low"]) / 65535
        arrays[entry["name"]] = values.reshape(entry["shape"])
    return header, arrays


@pytest.fixture(name="unpack")
def _unpack() -> Callable[[bytes], tuple[dict[str, Any], dict[str, np.ndarray]]]:
    return unpack


@pytest.fixture
def visit() -> Callable[..., App]:
    """Open the app at an address: ``visit(e=code)``, or another page: ``visit("gradients")``."""
    return App


@pytest.fixture
def app() -> App:
    """The gates page with a network of 16 units and random weights on a wave, the sequence's controls open."""
    return App(e=drawn("LSTM").to_url()).panel("Sequence")


@pytest.fixture
def newcomer() -> App:
    """The gates page as a new visitor finds it."""
    return App()
