"""What a person brought to the page *Your network*: a network or a run, and data. It stays in their session."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import streamlit as st
import torch
from torch import nn

from seqviz import looked
from seqviz.aims import Aim, aim
from seqviz.command import OPEN
from seqviz.doctor.cures import Standardised
from seqviz.folders import ABOUT
from seqviz.language import tr
from seqviz.reading import Table
from seqviz.reading.networks import NetworkFile, Stack, looks_like_npz, read_network
from seqviz.reading.networks.archives import folder_of
from seqviz.reading.networks.made import Whole
from seqviz.reading.networks.shards import is_part
from seqviz.reading.networks.stored import Stored
from seqviz.trace import Trace
from seqviz.ui.kept_files import kept_file
from seqviz.ui.yours_data import SCALES, YourData
from seqviz.ui.yours_fits import fits_best
from seqviz.ui.yours_kept import bring_back, found_again

__all__ = ["MOST", "SCALES", "Yours"]

MOST: Final = 1000
"""Steps that the picture shows at once."""

BESIDE: Final = (".data", ".json", ".bin", ".onnx_data")
_EXAMPLE: Final = Path(__file__).resolve().parents[2] / "assets" / "weights" / "adding.safetensors"


@dataclass
class Yours(YourData):
    """What was brought, what was chosen, and what had to be refused; one a session."""

    file: NetworkFile | None = None
    trace: Trace | None = None
    name: str = ""
    stack: int = 0
    level: int = -1
    """Which of the stacks that lead to that one is in the picture, by its place among them; −1 that one itself."""
    layer: int = 0
    reverse: bool = False
    batch: int = 0
    whole: bool = False
    units: int = 0
    answers: dict[tuple[str, str], Any] = field(default_factory=dict)
    """By stack and question."""
    cured: tuple[Any, nn.Module] | None = None
    example: bool = False
    beside: list[str] = field(default_factory=list)
    """The names of the files that belong to the network."""
    net_kept: str = ""
    missed: dict[str, str] = field(default_factory=dict)
    """What the address said of files that the browser has not kept, until they are chosen again."""

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

    def take(self, files: Mapping[str, bytes]) -> None:
        """The last of the networks and runs that were given, with what lies beside it.

        Raises:
            ValueError: it is neither, in a sentence.
        """
        if ABOUT in files:
            self._now(None, Trace.of_files(files), tr("a run in a folder"))
            return
        several = [name for name in files if is_part(name)]
        main = ([name for name in files if not name.lower().endswith(BESIDE)] or [*files])[-1]
        main = next(iter(several), main)
        rest = [name for name in files if name != main and (name.lower().endswith(BESIDE) or name in several)]
        trace = file = None
        inside = folder_of(files[main], ABOUT) if files[main][:2] == b"PK" else None
        if inside is not None:
            trace = Trace.of_files(inside)
        elif main.lower().endswith(".npz") and not looks_like_npz(files[main]):
            trace = Trace.load(io.BytesIO(files[main]))
        else:
            file = read_network(files[main], main, beside={name: files[name] for name in rest})
        self._now(file, trace, main)
        self.beside = rest
        self.net_kept = kept_file("net", files)
        found_again(self, "net", self.net_kept)

    def _now(self, file: NetworkFile | None, trace: Trace | None, name: str) -> None:
        if self.example:
            self.table, self.data_name = None, ""
        self.net_kept, self.count = "", self.count + 1
        self.file, self.trace, self.name, self.example, self.beside = file, trace, name, False, []
        self.stack = self.layer = self.batch = self.units = self.first = 0
        self.level = -1
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
    def pictured(self) -> Stack:
        """The stack that is in the picture: the one that is looked at, or one that leads to it."""
        return self.chain[self.level] if -1 < self.level < len(self.chain) else self.shown

    @property
    def takes(self) -> int:
        """How many inputs the network takes, at its first stack."""
        return self.chain[0].input_size

    @property
    def chain(self) -> list[Stack]:
        """The stacks that lead to the one that is shown, and it."""
        assert self.file is not None
        return self.file.chain(self.shown)

    @property
    def embedding(self) -> Stored | None:
        """The table that gives the network its inputs for ids of tokens; None where the file has none."""
        name = self.file.embedding(self.shown) if self.file is not None else ""
        return self.file.tensors[name] if self.file is not None and name else None

    @property
    def ids(self) -> np.ndarray | None:
        """Ids of tokens ``(L,)``, where the data are that; None where they are the inputs themselves.

        Raises:
            ValueError: a text whose ids are not known.
        """
        embedding = self.embedding
        if embedding is None:
            return None
        if self.table is not None:
            return looked.columns_of_table(self.rows, self.chosen)[:, 0] if self.takes_ids else None
        if self.text:
            return looked.ids_of_text(self.text, embedding.shape[0], embedding.name)
        return np.random.default_rng(0).integers(0, embedding.shape[0], 64).astype(float)

    def inputs(self, scale: str | None = None) -> looked.Inputs:
        """What the network is given: the data, or a wave on every input until there are some.

        Raises:
            ValueError: the data do not fit it.
        """
        ids, embedding = self.ids, self.embedding
        if ids is not None and embedding is not None:
            given = looked.inputs_of_ids(
                ids, self.latest.of("embedding", self.count, embedding.float32), embedding.name
            )
            if self.table is not None or self.text:
                return replace(given, labels=tuple(self.text) if len(self.text) == len(ids) else given.labels)
            return replace(given, says=(tr("No data yet: ids of tokens are drawn at random, until you bring some."),))
        if self.table is not None:
            columns = self.columns or looked.first_columns(self.rows, self.takes, self.apart)
            return looked.inputs_of_table(self.rows, self.takes, columns, **self.scaled_on(scale))
        if self.text:
            return looked.inputs_of_text(self.text, self.takes)
        steps = np.arange(64)[:, None] / 64
        x = np.sin(2 * np.pi * (4 * steps + np.arange(self.takes) / self.takes)).astype("<f4")
        says = tr("No data yet: every input is a wave, until you bring a table.")
        return looked.Inputs(x, tuple(str(k) for k in range(self.takes)), (says,))

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
        names, taken = [name for name in self.table.names if name != self.apart], self.chosen
        rest = [name for name in names if name not in taken]
        outputs = self.outputs or 1
        best = fits_best(self) if len(rest) != outputs else ""
        guess = (rest, 0) if len(rest) == outputs else ([best] if best else taken[:outputs], 1)
        ahead = guess[1] if self.ahead is None else self.ahead
        return self.wanted or guess[0], max(0, min(ahead, len(self.table.values) - 1))

    def aim(self) -> Aim:
        """What the network is judged by on the person's own data; the last one is kept.

        Raises:
            ValueError: there are no data, or they do not fit.
        """
        return self.latest.of("aim", self.judging, lambda: self.aim_on(self.scale))

    def aim_on(self, scale: str) -> Aim:
        """The same with the columns on this scale."""
        assert self.file is not None
        if self.table is None and not self.text:
            raise ValueError(tr("There are no data to judge by; bring a table."))
        x, ids = self.inputs(scale).x, self.ids
        if ids is not None and not self.wanted:
            right, ahead = ids[:, None].astype("<f4"), 1 if self.ahead is None else self.ahead
            if self.outputs is None or ids.max() >= self.outputs:
                raise ValueError(
                    tr("The readout does not tell tokens apart; choose a column that it should have given.")
                )
        elif self.table is None:
            right, ahead = x.argmax(1)[:, None].astype("<f4"), 1
        else:
            names, ahead = self.aims
            right = looked.scaled(looked.columns_of_table(self.rows, names), **self.scaled_on(scale))[0]
        return aim(self.file.whole(self.shown, **self.answered), x, right, ahead=ahead)

    def key(self) -> tuple[Any, ...]:
        """What tells one run from another."""
        data = (self.text, tuple(self.columns), self.scale, self.apart, self.sequence)
        return self.count, self.stack, tuple(sorted(self.answered.items())), data

    @property
    def judging(self) -> tuple[Any, ...]:
        """What tells one judgement from another."""
        return (*self.key(), self.aims if self.table is not None else None)

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
        run = self.latest.of("run", (*self.key(), self.pictured.name), self._run)
        return self.latest.of("look", self._part, lambda: run.look(most=MOST, first=self.first, whole=self.whole))

    def _run(self) -> looked.Run:
        assert self.file is not None
        if self.cured is not None and self.cured[0] != self.key():
            self.cured = None  # a cure is of the run that it was tried on
        network = self.file.whole(self.shown, readout=False, **self.answered)
        return looked.Run(network.up_to(self.pictured_at), self.inputs().x)

    @property
    def pictured_at(self) -> int:
        """The place of the pictured stack among those that lead to the one that is looked at."""
        return next(k for k, stack in enumerate(self.chain) if stack.name == self.pictured.name)

    @property
    def _part(self) -> tuple[Any, ...]:
        """What tells what is seen of one run from another."""
        return *self.key(), self.pictured.name, self.first, self.whole

    def look_at(self, cured: nn.Module) -> None:
        """Show a network in the place of the one that was brought; as long as that and its data are the same."""
        self.cured = (self.key(), cured)
        self.latest.drop("cured")

    def run_cured(self) -> Trace | None:
        """The run of a network with its cures, over the same steps; None while none is looked at."""
        if self.cured is None or self.cured[0] != self.key():
            return None
        network = self.cured[1]
        return self.latest.of("cured", self._part, lambda: self._look_of(network))

    def _look_of(self, network: nn.Module) -> Trace:
        x = torch.from_numpy(self.inputs().x)
        while isinstance(network, Standardised):
            x, network = network.scaled(x), network.module
        assert isinstance(network, Whole)
        return (
            looked.Run(network.up_to(self.pictured_at), x.numpy())
            .look(most=MOST, first=self.first, whole=self.whole)
            .trace
        )

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
            self.beside = [Path(each).name for each in wanted.get("beside", [])]
            self.stack = next((k for k, each in enumerate(file.stacks) if each.name == wanted.get("stack")), self.stack)
        if "typed" in wanted:
            self.typed(wanted["typed"])
        if "data" in wanted:
            path = Path(wanted["data"])
            turned = wanted.get("turned", False)
            self.bring(path.read_bytes(), path.name, wanted.get("missing"), array=wanted.get("array"), turned=turned)
            self.data_kept = ""
        if "data" in wanted or "typed" in wanted:
            if self.table is not None:
                looked.columns_of_table(self.table, [*wanted.get("columns", []), *wanted.get("aim", [])])
            self.columns, self.wanted, self.ahead = (
                wanted.get("columns", []),
                wanted.get("aim", []),
                wanted.get("ahead"),
            )
            self.scale = next((each for each in SCALES if wanted.get(each)), "")
            self.apart, self.sequence = wanted.get("apart", ""), wanted.get("sequence", 0)


@cache
def _wanted() -> dict[str, Any]:
    """What the command line asked for, read once."""
    text = os.environ.get(OPEN, "")
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}
