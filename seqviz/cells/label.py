"""How a signal is called on the screen."""

from __future__ import annotations

from dataclasses import dataclass

from seqviz.language import later, tr

__all__ = ["HIDDEN", "Label"]


@dataclass(frozen=True)
class Label:
    """``symbol`` is the letter in the equations; the rest is kept in English and said in the language of now."""

    _name: str
    symbol: str
    _closed: str
    _open: str

    @property
    def english(self) -> str:
        """The name as the catalogue has it."""
        return self._name

    @property
    def name(self) -> str:
        """What it is called where it stands alone."""
        return tr(self._name)

    @property
    def closed(self) -> str:
        """What the lower end of its scale means."""
        return tr(self._closed)

    @property
    def open(self) -> str:
        """What the upper end of its scale means."""
        return tr(self._open)


HIDDEN = Label(later("hidden state"), "h", "−1", "+1")
