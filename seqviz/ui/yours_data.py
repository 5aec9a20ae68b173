"""The data that a person brought to the page *Your network*, and what was chosen of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from seqviz import looked
from seqviz.batches import read_sequences
from seqviz.kept import Latest
from seqviz.language import later, reason, tr
from seqviz.reading import MissingValues, Table
from seqviz.reading.networks.stored import Stored
from seqviz.reading.parsing import parse_numbers
from seqviz.ui.kept_files import kept_file
from seqviz.ui.panels.own import MAX_OWN

__all__ = ["SCALES", "YourData"]

SCALES: Final = MappingProxyType(
    {"": later("as they are"), "standardise": later("standardised"), "to_range": later("from 0 to 1")}
)
"""How the columns of a table are brought to one scale: the arguments of :func:`seqviz.looked.scaled`."""


@dataclass
class YourData:
    """A table, sequences or a text; what was refused of them."""

    table: Table | None = None
    text: str = ""
    data_name: str = ""
    given: tuple[bytes, str] | None = None
    written: str = ""
    """What was typed instead."""
    turned: bool = False
    missing: str = ""
    gaps: str = ""
    problem: str = ""
    columns: list[str] = field(default_factory=list)
    scale: str = ""
    apart: str = ""
    sequence: int = 0
    wanted: list[str] = field(default_factory=list)
    ahead: int | None = None
    first: int = 0
    count: int = 0
    """How often something was brought: what was made of other things is out of date."""
    latest: Latest = field(default_factory=Latest)
    data_kept: str = ""
    """The mark of what the browser keeps of this, as ``net_kept``; nothing where there is nothing to keep."""

    def attempt(self, do: Callable[[], None]) -> None:
        """Do something; where it is refused, keep the sentence."""
        self.problem = ""
        try:
            do()
        except (ValueError, OSError) as refusal:
            self.problem = reason(refusal) if isinstance(refusal, ValueError) else str(refusal.strerror)

    @property
    def takes(self) -> int:
        """How many inputs the network takes."""
        raise NotImplementedError

    @property
    def embedding(self) -> Stored | None:
        """What gives the network its inputs for ids of tokens; None where it takes numbers."""
        raise NotImplementedError

    def bring(
        self, data: bytes, name: str, missing: str | None = None, *, array: str | None = None, turned: bool = False
    ) -> None:
        """A table, sequences in an array, or a text.

        Args:
            data: what the file holds.
            name: its name.
            missing: what to do about missing numbers.
            array: which of the arrays of the file.
            turned: whether an array has its steps before its sequences.

        Raises:
            ValueError: neither, in a sentence.
        """
        self.given, self.written, self.gaps = (data, name), "", ""
        try:
            ids = self.embedding is not None
            how: dict[str, Any] = {"array": array, "batch_first": not turned, "ids": ids, "missing": missing}
            self.table, self.text = read_sequences(data, name, **how), ""
        except MissingValues as gap:
            self.gaps = str(gap.place)
            raise ValueError(gap.place) from gap
        except ValueError:
            if not name.lower().endswith((".txt", ".md")):
                raise
            self.table, self.text = None, looked.text_of(data)
        self._brought(name)
        self.turned, self.missing = turned, missing or ""
        self.data_kept = kept_file("data", {name: data}, missing=missing, array=array, turned=turned)

    def typed(self, text: str) -> None:
        """Numbers, one step a line; else a text of characters.

        Raises:
            ValueError: nothing was typed, or more than a file may hold.
        """
        if len(text) > MAX_OWN:
            raise ValueError(tr("The text is longer than {most} million characters.", most=MAX_OWN // 10**6))
        self.given, self.written = None, text.strip()
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
        return looked.one_sequence(self.table, starts, self.sequence)

    @property
    def chosen(self) -> list[str]:
        """The columns that the network is given; by default the first ones, or one of ids where there are too few."""
        names = [name for name in self.rows.names if name != self.apart]
        few = self.embedding is not None and len(names) < self.takes
        return self.columns or names[: 1 if few else self.takes]

    @property
    def takes_ids(self) -> bool:
        """Whether the table holds ids of tokens, which are names and are on no scale."""
        return self.embedding is not None and self.table is not None and len(self.chosen) == 1 < self.takes

    @property
    def scaled_by(self) -> dict[str, bool]:
        """The arguments of :func:`seqviz.looked.scaled`."""
        return self.scaled_on(None)

    def scaled_on(self, scale: str | None) -> dict[str, bool]:
        given = self.scale if scale is None else scale
        return {given: True} if given and not self.takes_ids else {}
