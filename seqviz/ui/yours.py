"""What a person brought to the page *Your network*: a network or a run, and data. It stays in their session."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import streamlit as st

from seqviz.command import OPEN
from seqviz.language import reason, tr
from seqviz.looked import Inputs, Look, inputs_of_table, inputs_of_text, look, look_at_trace
from seqviz.reading import MissingValues, Table, read_table
from seqviz.reading.networks import NetworkFile, Stack, read_network
from seqviz.reading.parsing import parse_numbers
from seqviz.trace import Trace
from seqviz.ui.yours_kept import bring_back, kept_file

__all__ = ["MOST", "Yours"]

MOST: Final = 1000
"""Steps that the picture shows at once."""

BESIDE: Final = (".data", ".json", ".bin", ".onnx_data")
_EXAMPLE: Final = Path(__file__).resolve().parents[2] / "assets" / "weights" / "adding.safetensors"


@dataclass
class Yours:
    """What was brought, what was chosen, and what had to be refused; one a session."""

    file: NetworkFile | None = None
    trace: Trace | None = None
    name: str = ""
    table: Table | None = None
    text: str = ""
    data_name: str = ""
    given: tuple[bytes, str] | None = None
    gaps: str = ""
    problem: str = ""
    columns: list[str] = field(default_factory=list)
    standardise: bool = False
    stack: int = 0
    layer: int = 0
    reverse: bool = False
    batch: int = 0
    first: int = 0
    whole: bool = False
    units: int = 0
    answers: dict[tuple[str, str], Any] = field(default_factory=dict)
    """By stack and question."""
    found: tuple[Any, Look] | None = None
    example: bool = False
    net_kept: str = ""
    data_kept: str = ""
    """The marks of what the browser keeps of this; nothing where there is nothing to keep."""

    @classmethod
    def here(cls) -> Yours:
        """This session's; at first what the command line handed over, else an example."""
        yours: Yours | None = st.session_state.get("yours")
        if yours is None:
            yours = st.session_state["yours"] = cls()
            yours.attempt(yours._handed_over)
            if not yours.problem:
                bring_back(yours)
            if yours.file is None and yours.trace is None:
                yours._example()
        return yours

    def attempt(self, do: Callable[[], None]) -> None:
        """Do something; where it is refused, keep the sentence."""
        self.problem = ""
        try:
            do()
        except (ValueError, OSError) as refusal:
            self.problem = reason(refusal) if isinstance(refusal, ValueError) else str(refusal.strerror)

    def take(self, files: Mapping[str, bytes]) -> None:
        """The last of the networks and runs that were given, with what lies beside it.

        Raises:
            ValueError: it is neither, in a sentence.
        """
        rest = [name for name in files if name.lower().endswith(BESIDE)]
        main = ([name for name in files if name not in rest] or rest)[-1]
        trace = file = None
        if main.lower().endswith(".npz"):
            trace = Trace.load(io.BytesIO(files[main]))
        else:
            file = read_network(files[main], main, beside={name: files[name] for name in rest if name != main})
        self._now(file, trace, main)
        self.net_kept = kept_file("net", files)

    def _now(self, file: NetworkFile | None, trace: Trace | None, name: str) -> None:
        if self.example:
            self.table, self.data_name = None, ""
        self.net_kept = ""
        self.file, self.trace, self.name, self.example = file, trace, name, False
        self.stack = self.layer = self.batch = self.units = self.first = 0
        self.reverse, self.whole, self.columns, self.found, self.answers = False, False, [], None, {}
        if file is not None:
            self.stack = next((k for k, stack in enumerate(file.stacks) if not stack.fed_by), 0)

    def answer(self, name: str, answer: Any) -> None:
        """An answer to what the file leaves open about the stack that is shown."""
        if self.file is not None:
            self.answers[self.shown.name, name] = answer
            self.found = None

    @property
    def answered(self) -> dict[str, Any]:
        """The answers about the stack that is shown."""
        return {name: answer for (stack, name), answer in self.answers.items() if stack == self.shown.name}

    @property
    def shown(self) -> Stack:
        """The stack that is looked at."""
        assert self.file is not None
        return self.file.stacks[self.stack]

    @property
    def takes(self) -> int:
        """How many inputs the network takes, at its first stack."""
        assert self.file is not None
        stack, named = self.shown, {each.name: each for each in self.file.stacks}
        while stack.fed_by:
            stack = named[stack.fed_by]
        return stack.input_size

    def bring(self, data: bytes, name: str, missing: str | None = None) -> None:
        """A table, or a text.

        Raises:
            ValueError: neither, in a sentence.
        """
        self.given, self.gaps, self.found = (data, name), "", None
        try:
            self.table, self.text = read_table(data, name, missing=missing), ""
        except MissingValues as gap:
            self.gaps = str(gap.place)
            raise ValueError(gap.place) from gap
        except ValueError:
            if not name.lower().endswith((".txt", ".md")):
                raise
            self.table, self.text = None, _decoded(data)
        self.columns, self.data_name, self.first = [], name, 0
        self.data_kept = kept_file("data", {name: data}, missing=missing)

    def typed(self, text: str) -> None:
        """Numbers, one step a line; else a text of characters.

        Raises:
            ValueError: nothing was typed.
        """
        self.found, self.given, self.data_name, self.first = None, None, tr("typed"), 0
        if not text.strip():
            self.table, self.text, self.data_name, self.data_kept = None, "", "", ""
            return
        try:
            values = parse_numbers(text).astype(float)
        except ValueError:
            if any(letter.isdigit() for letter in text):
                raise
            self.table, self.text = None, text
        else:
            self.table, self.text = Table(values, tuple(map(str, range(values.shape[1])))), ""
        self.data_kept = kept_file("data", {"typed": text.encode("utf-8", "replace")}, typed=True)

    def inputs(self) -> Inputs:
        """What the network is given: the data, or a wave on every input until there are some.

        Raises:
            ValueError: the data do not fit it.
        """
        if self.table is not None:
            return inputs_of_table(self.table, self.takes, self.columns, standardise=self.standardise)
        if self.text:
            return inputs_of_text(self.text, self.takes)
        steps = np.arange(64)[:, None] / 64
        x = np.sin(2 * np.pi * (4 * steps + np.arange(self.takes) / self.takes)).astype("<f4")
        says = tr("No data yet: every input is a wave, until you bring a table.")
        return Inputs(x, tuple(str(k) for k in range(self.takes)), (says,))

    def run(self) -> Look:
        """What can be seen of the run; the last one is kept.

        Raises:
            ValueError: the data do not fit the network.
        """
        if self.trace is not None:
            return look_at_trace(self.trace, most=MOST, first=self.first, whole=self.whole)
        assert self.file is not None
        data = (id(self.table), self.text, tuple(self.columns), self.standardise)
        key = (id(self.file), self.stack, tuple(sorted(self.answered.items())), data, self.first, self.whole)
        if self.found is None or self.found[0] != key:
            made = look(self.file, self.shown, self.inputs().x, most=MOST, first=self.first, whole=self.whole,
                        answers=self.answered)  # fmt: skip
            self.found = (key, made)
        return self.found[1]

    def _example(self) -> None:
        draw = np.random.default_rng(0)
        values = np.column_stack([draw.random(50), np.zeros(50)])
        values[[14, 40], 1] = 1
        self._now(read_network(_EXAMPLE), None, _EXAMPLE.name)
        self.table, self.data_name, self.example = Table(values, ("number", "mark")), tr("an example"), True

    def _handed_over(self) -> None:
        wanted = _wanted()
        if "trace" in wanted:
            path = Path(wanted["trace"])
            self._now(None, Trace.load(path), path.name)
        if "network" in wanted:
            paths = [wanted["network"], *wanted.get("beside", [])]
            file = read_network(paths if len(paths) > 1 else paths[0], answers=wanted.get("answers") or None)
            self._now(file, None, file.name)
            self.stack = next((k for k, each in enumerate(file.stacks) if each.name == wanted.get("stack")), self.stack)
        if "data" in wanted:
            path = Path(wanted["data"])
            self.bring(path.read_bytes(), path.name, wanted.get("missing"))
            self.data_kept = ""
            self.columns, self.standardise = wanted.get("columns", []), bool(wanted.get("standardise"))


@cache
def _wanted() -> dict[str, Any]:
    """What the command line asked for, read once."""
    text = os.environ.get(OPEN, "")
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise ValueError(tr("The text must be written in UTF-8.")) from None
