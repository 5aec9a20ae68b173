"""What a person brought to the page *Your network*: a network or a run, and data. It stays in their session."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import streamlit as st
import torch
from torch import nn

from seqviz import looked
from seqviz.aims import Aim, aim, share_of_guess
from seqviz.command import OPEN
from seqviz.doctor.cures import Standardised
from seqviz.folders import ABOUT
from seqviz.kept import Latest
from seqviz.language import Sentence, later, reason, tr
from seqviz.reading import MissingValues, Table, read_table
from seqviz.reading.networks import NetworkFile, Stack, looks_like_npz, read_network
from seqviz.reading.networks.archives import folder_of
from seqviz.reading.networks.made import Whole
from seqviz.reading.parsing import parse_numbers
from seqviz.telling.numbers import short
from seqviz.trace import Trace
from seqviz.ui.kept_files import kept_file
from seqviz.ui.yours_kept import bring_back

__all__ = ["MOST", "SCALES", "Yours"]

MOST: Final = 1000
"""Steps that the picture shows at once."""

SCALES: Final = MappingProxyType(
    {"": later("as they are"), "standardise": later("standardised"), "to_range": later("from 0 to 1")}
)
"""How the columns of a table are brought to one scale: the arguments of :func:`seqviz.looked.scaled`."""

BETTER: Final = 0.5
"""Another scale is told of where the loss is this share of what it is."""

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
    scale: str = ""
    apart: str = ""
    sequence: int = 0
    wanted: list[str] = field(default_factory=list)
    ahead: int | None = None
    stack: int = 0
    layer: int = 0
    reverse: bool = False
    batch: int = 0
    first: int = 0
    whole: bool = False
    units: int = 0
    answers: dict[tuple[str, str], Any] = field(default_factory=dict)
    """By stack and question."""
    cured: tuple[Any, nn.Module] | None = None
    example: bool = False
    count: int = 0
    """How often something was brought: what was made of other things is out of date."""
    latest: Latest = field(default_factory=Latest)
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
        if ABOUT in files:
            self._now(None, Trace.of_files(files), tr("a run in a folder"))
            return
        rest = [name for name in files if name.lower().endswith(BESIDE)]
        main = ([name for name in files if name not in rest] or rest)[-1]
        trace = file = None
        inside = folder_of(files[main], ABOUT) if files[main][:2] == b"PK" else None
        if inside is not None:
            trace = Trace.of_files(inside)
        elif main.lower().endswith(".npz") and not looks_like_npz(files[main]):
            trace = Trace.load(io.BytesIO(files[main]))
        else:
            file = read_network(files[main], main, beside={name: files[name] for name in rest if name != main})
        self._now(file, trace, main)
        self.net_kept = kept_file("net", files)

    def _now(self, file: NetworkFile | None, trace: Trace | None, name: str) -> None:
        if self.example:
            self.table, self.data_name = None, ""
        self.net_kept, self.count = "", self.count + 1
        self.file, self.trace, self.name, self.example = file, trace, name, False
        self.stack = self.layer = self.batch = self.units = self.first = 0
        self.reverse, self.whole, self.columns, self.answers = False, False, [], {}
        self.wanted, self.ahead, self.cured = [], None, None
        if file is not None:
            self.stack = next((k for k, stack in enumerate(file.stacks) if not stack.fed_by), 0)

    def answer(self, name: str, answer: Any) -> None:
        """An answer to what the file leaves open about the stack that is shown."""
        if self.file is not None:
            self.answers[self.shown.name, name] = answer

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
        return self.chain[0].input_size

    @property
    def chain(self) -> list[Stack]:
        """The stacks that lead to the one that is shown, and it."""
        assert self.file is not None
        return self.file.chain(self.shown)

    def bring(self, data: bytes, name: str, missing: str | None = None) -> None:
        """A table, or a text.

        Raises:
            ValueError: neither, in a sentence.
        """
        self.given, self.gaps = (data, name), ""
        try:
            self.table, self.text = read_table(data, name, missing=missing), ""
        except MissingValues as gap:
            self.gaps = str(gap.place)
            raise ValueError(gap.place) from gap
        except ValueError:
            if not name.lower().endswith((".txt", ".md")):
                raise
            self.table, self.text = None, looked.text_of(data)
        self._brought(name)
        self.data_kept = kept_file("data", {name: data}, missing=missing)

    def typed(self, text: str) -> None:
        """Numbers, one step a line; else a text of characters.

        Raises:
            ValueError: nothing was typed.
        """
        self.given = None
        self._brought(tr("typed"))
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

    def _brought(self, name: str) -> None:
        self.columns, self.wanted, self.ahead, self.data_name, self.first = [], [], None, name, 0
        self.apart, self.sequence, self.count = "", 0, self.count + 1

    @property
    def groups(self) -> dict[str, np.ndarray]:
        """The columns that tell sequences of the table apart, and where each begins."""
        table = self.table
        return {} if table is None else self.latest.of("groups", self.count, lambda: looked.sequences_in(table))

    @property
    def rows(self) -> Table:
        """The rows of the sequence that is looked at; all of them unless a column tells sequences apart."""
        assert self.table is not None
        starts = self.groups.get(self.apart)
        if starts is None:
            return self.table
        self.sequence = min(self.sequence, len(starts) - 1)
        some = slice(*[*starts, len(self.table.values)][self.sequence : self.sequence + 2])
        labels = self.table.labels and self.table.labels[some]
        return replace(self.table, values=self.table.values[some], labels=labels)

    def inputs(self, scale: str | None = None) -> looked.Inputs:
        """What the network is given: the data, or a wave on every input until there are some.

        Raises:
            ValueError: the data do not fit it.
        """
        if self.table is not None:
            return looked.inputs_of_table(self.rows, self.takes, self.columns or self._first(), **self._scaled(scale))
        if self.text:
            return looked.inputs_of_text(self.text, self.takes)
        steps = np.arange(64)[:, None] / 64
        x = np.sin(2 * np.pi * (4 * steps + np.arange(self.takes) / self.takes)).astype("<f4")
        says = tr("No data yet: every input is a wave, until you bring a table.")
        return looked.Inputs(x, tuple(str(k) for k in range(self.takes)), (says,))

    def _first(self) -> list[str]:
        """The first columns, but not the one that tells sequences apart."""
        return [name for name in self.rows.names if name != self.apart][: self.takes] if self.apart else []

    def _scaled(self, scale: str | None) -> dict[str, bool]:
        given = self.scale if scale is None else scale
        return {given: True} if given else {}

    @property
    def outputs(self) -> int | None:
        """How many outputs the readout gives; None where the file has none."""
        assert self.file is not None
        bias = self.file.tensors.get(f"{self.shown.readout}.bias")
        return bias.shape[0] if self.shown.readout and bias is not None else None

    @property
    def aims(self) -> tuple[list[str], int]:
        """The columns that the network is to give, and how many rows later; a guess until the person says so."""
        assert self.table is not None
        names = [name for name in self.table.names if name != self.apart]
        taken = self.columns or names[: self.takes]
        rest = [name for name in names if name not in taken]
        outputs = self.outputs or 1
        guess = (rest, 0) if len(rest) == outputs else (taken[:outputs], 1)
        return self.wanted or guess[0], guess[1] if self.ahead is None else self.ahead

    def aim(self) -> Aim:
        """What the network is judged by on the person's own data; the last one is kept.

        Raises:
            ValueError: there are no data, or they do not fit.
        """
        return self.latest.of("aim", self.judging, lambda: self._aim(self.scale))

    def _aim(self, scale: str) -> Aim:
        assert self.file is not None
        if self.table is None and not self.text:
            raise ValueError(tr("There are no data to judge by; bring a table."))
        x = self.inputs(scale).x
        if self.table is None:
            right, ahead = x.argmax(1)[:, None].astype("<f4"), 1
        else:
            names, ahead = self.aims
            right = looked.scaled(looked.columns_of_table(self.rows, names), **self._scaled(scale))[0]
        return aim(self.file.whole(self.shown, **self.answered), x, right, ahead=ahead)

    def fits_better(self) -> Sentence | None:
        """What is said of another scale of the columns on which the network does far better than on this one."""
        shares = self.latest.of("shares", self.judging, self._shares)
        if shares is None:
            return None
        best = min(shares, key=lambda scale: shares[scale])
        if self.outputs is None or not shares[best] < BETTER * min(1.0, shares[self.scale]):
            return None
        return tr(
            "With its columns {scale} it fits these data better: its loss is then {share} of that of one value "
            "throughout; now it is {now} of it.",
            scale=tr(SCALES[best]), share=short(shares[best]), now=short(shares[self.scale]),
        )  # fmt: skip

    def _shares(self) -> dict[str, float] | None:
        """The loss on every scale of the columns, over that of one value; None where nothing can be judged."""
        try:
            return {scale: share_of_guess(self._aim(scale)) for scale in SCALES}
        except ValueError:
            return None

    def _key(self) -> tuple[Any, ...]:
        """What tells one run from another."""
        data = (self.text, tuple(self.columns), self.scale, self.apart, self.sequence)
        return self.count, self.stack, tuple(sorted(self.answered.items())), data

    @property
    def judging(self) -> tuple[Any, ...]:
        """What tells one judgement from another."""
        return (*self._key(), self.aims if self.table is not None else None)

    def run_inputs(self) -> torch.Tensor:
        """What the network takes, as far as a picture of it goes ``(L, 1, F)``."""
        return torch.from_numpy(self.inputs().x[:MOST])[:, None]

    def run(self) -> looked.Look:
        """What can be seen of the run; the last one is kept.

        Raises:
            ValueError: the data do not fit the network.
        """
        if self.trace is not None:
            return looked.look_at_trace(self.trace, most=MOST, first=self.first, whole=self.whole)
        run = self.latest.of("run", self._key(), self._run)
        return self.latest.of("look", self._part, lambda: run.look(most=MOST, first=self.first, whole=self.whole))

    def _run(self) -> looked.Run:
        assert self.file is not None
        self.cured = None  # a cure is of the run that it was tried on
        return looked.Run(self.file.whole(self.shown, readout=False, **self.answered), self.inputs().x)

    @property
    def _part(self) -> tuple[Any, ...]:
        """What tells what is seen of one run from another."""
        return *self._key(), self.first, self.whole

    def look_at(self, cured: nn.Module) -> None:
        """Show a network in the place of the one that was brought; as long as that and its data are the same."""
        self.cured = (self._key(), cured)
        self.latest.drop("cured")

    def run_cured(self) -> Trace | None:
        """The run of a network with its cures, over the same steps; None while none is looked at."""
        if self.cured is None or self.cured[0] != self._key():
            return None
        network = self.cured[1]
        return self.latest.of("cured", self._part, lambda: self._look_of(network))

    def _look_of(self, network: nn.Module) -> Trace:
        x = torch.from_numpy(self.inputs().x)
        while isinstance(network, Standardised):
            x, network = network.scaled(x), network.module
        assert isinstance(network, Whole)
        return looked.Run(network, x.numpy()).look(most=MOST, first=self.first, whole=self.whole).trace

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
            self._now(None, Trace.open(path), path.name)
        if "network" in wanted:
            paths = [wanted["network"], *wanted.get("beside", [])]
            file = read_network(paths if len(paths) > 1 else paths[0], answers=wanted.get("answers") or None)
            self._now(file, None, file.name)
            self.stack = next((k for k, each in enumerate(file.stacks) if each.name == wanted.get("stack")), self.stack)
        if "data" in wanted:
            path = Path(wanted["data"])
            self.bring(path.read_bytes(), path.name, wanted.get("missing"))
            self.data_kept = ""
            self.columns, self.scale = wanted.get("columns", []), "standardise" if wanted.get("standardise") else ""


@cache
def _wanted() -> dict[str, Any]:
    """What the command line asked for, read once."""
    text = os.environ.get(OPEN, "")
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}
