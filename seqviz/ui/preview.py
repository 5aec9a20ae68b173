"""What a link tells of itself where it is shown and not opened: a title, a line and a picture (https://ogp.me)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Final, NamedTuple

import streamlit as st

from seqviz.experiment import Experiment
from seqviz.language import LANGUAGES, later, preferred, speaking, tr
from seqviz.lessons import plain, shipped
from seqviz.scope.hosts.streamlit.tab import MARK
from seqviz.ui.bench import LONGEST_ADDRESS
from seqviz.ui.lesson_shelf import find
from seqviz.ui.pictures import title, top
from seqviz.ui.playing import playing

__all__ = ["CARDS", "card", "entitle", "preview"]

CARDS: Final = Path(__file__).resolve().parents[2] / "assets" / "cards"
"""A picture of every page, by its name, and of every lesson that comes with seqviz; ``tools/cards.py`` makes them."""

SMALL: Final = 20_000
"""Numbers of a state of an experiment whose link is described by its own run."""


class Told(NamedTuple):
    """What is told of a link."""

    name: str
    says: str
    card: str


PAGES: Final = {
    "gates": (
        later("seqviz: inside recurrent networks"),
        later("See every gate and state of an RNN, a GRU or an LSTM."),
    ),
    "cell": (later("Inside the cell"), later("Every number of one step: what is forgotten, written and shown.")),
    "compare": (
        later("Who notices order?"),
        later("One input through a feed-forward net, an RNN, a GRU and an LSTM, as it is and shuffled."),
    ),
    "gradients": (
        later("Why gradients vanish"),
        later("What is left of the learning signal on its way back through time, and which gate keeps it."),
    ),
    "training": (
        later("Watch a network learn"),
        later("Train RNNs, GRUs and LSTMs on tasks that need a memory, and replay every checkpoint."),
    ),
    "your_network": (
        later("Look into your own network"),
        later("Open a file of a trained network, give it data, and see its gates."),
    ),
}
"""The title of every page, and a line of what it shows."""


def entitle(here: str) -> None:
    """Call the browser's tab by the page that it shows, by its path, or by the lesson that is played there."""
    page, now = here or "gates", playing()
    name = plain(now.lesson.title) if now else tr(PAGES[page][0])
    st.set_page_config(name if page == "gates" and now is None else f"{name} · seqviz")


def card(name: str) -> Path | None:
    """The file of a picture; None where there is none of that name."""
    return _cards().get(name)


@cache
def _cards() -> dict[str, Path]:
    return {file.stem: file for file in CARDS.glob("*.png")}


def preview(page: str, asked: Mapping[str, str], accepted: str, cards: str) -> str:
    """The tags that tell of a link to a page.

    Args:
        page: its name.
        asked: the query of the link.
        accepted: the languages that whoever asks would like, as a header says them; the link's own goes before.
        cards: the address of the folder of pictures.
    """
    wanted = asked.get("lang", "")
    with speaking(wanted if wanted in LANGUAGES else preferred(accepted)):
        found = _lesson(asked.get("lesson", ""), page) or _experiment(asked.get("e", ""), page) or _page(page)
        told = {
            "title": found.name,
            "description": found.says,
            "image": f"{cards}/{found.card}.png",
            "image:alt": found.name,
            "type": "website",
            "site_name": "seqviz",
        }
    tags = [f'<meta property="og:{key}" content="{escape(text)}">' for key, text in told.items()]
    head = [f"<title>{escape(found.name)}</title>", f'<meta name="description" content="{escape(found.says)}">']
    return "".join([*head, *tags, '<meta name="twitter:card" content="summary_large_image">'])


def _page(page: str) -> Told:
    name, says = PAGES[page]
    return Told(tr(name), tr(says), page)


def _experiment(code: str, page: str) -> Told | None:
    """Of a small experiment its own sentence, where the page is about what its gates do."""
    if not code or len(code) > LONGEST_ADDRESS or page not in ("gates", "cell"):
        return None
    try:
        experiment = Experiment.from_url(code)
        if experiment.hidden_size * experiment.sequence.length > SMALL:
            return None
        return Told(str(top(experiment).says), str(title(experiment)), page)
    except ValueError:
        return None  # whoever opens it is told what is wrong with it


def _lesson(wanted: str, page: str) -> Told | None:
    """The title and the goal of a lesson that this server knows, or that the link holds."""
    if not wanted or wanted.startswith(MARK):  # such a one only its browser has
        return None
    try:
        _, lesson, _ = find(wanted)
    except ValueError:
        return None
    own = lesson.id if lesson in shipped() and card(lesson.id) else page
    return Told(plain(lesson.title), plain(lesson.goal), own)
