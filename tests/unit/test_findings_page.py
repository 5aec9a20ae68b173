"""What the doctor found as a page to keep: all of it is there, nothing is asked of anywhere, and nothing can run."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
import torch

import seqviz
from seqviz import Experiment
from seqviz.doctor import Cure, Diagnosis, Effect, Finding, Row
from seqviz.language import speaking, tr
from seqviz.memory.found import Ratio
from seqviz.tasks import task
from seqviz.telling.doctor import SOURCES, says, source, title
from seqviz.ui.panels import doctor as panel

EVIL = "<img src=x onerror=alert(1)>\"&'"


class Seen(HTMLParser):
    """The elements and texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def diagnosis() -> Diagnosis:
    cure = Cure(tr("Bias of the {gate}: {value}", gate=EVIL, value=3), lambda module: module)
    effect = Effect(0.5, 0.25, Ratio(0.5, 0.4, 0.6), 0, True)
    first = Finding(
        "never_read", title("never_read", (2, 5)), says("never_read", units=(2, 5), value=0.01, held=2.0),
        source("never_read"), (Row(f"{EVIL}.l0.o", (2, 5)), Row("l0.h")), cure, effect, shared=True, certain=True,
    )  # fmt: skip
    odd = Finding("scales", title("scales", ()), tr("{x} odd", x=EVIL), source("scales"), ())
    return Diagnosis((first, Finding("overflow", title("overflow", ()), tr("{x}", x=EVIL), source("overflow"), ())),
                     effect, 0.5, (odd,))  # fmt: skip


def test_everything_is_told_and_nothing_is_markup() -> None:
    found = diagnosis()
    page = Seen(found.report(EVIL, context=[EVIL], again_by=f"seqviz show {EVIL}"))
    assert {tag for tag, _ in page.tags} <= {
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "strong", "article", "small", "a", "ul",
        "li", "pre", "code",
    }  # fmt: skip
    assert not any(name in attributes for _, attributes in page.tags for name in ("src", "onerror", "style"))
    for finding in (*found, *found.harmless):
        for part in (finding.title, finding.says):
            assert part in page.text
    for part in (found.sentence, found[0].cure.name, "loss 0.5 → 0.25", f"{EVIL}.l0.o [2, 5]; l0.h", "0.5.",
                 "No cure is known.", f"seqviz show {EVIL}", "one of the cures that help together"):  # fmt: skip
        assert part in page.text, part
    addresses = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert addresses
    assert all(address in "".join(SOURCES.values()) for address in addresses if address)


@pytest.mark.parametrize("language", ["zh", "de"])
def test_it_speaks_the_language_of_now(language: str) -> None:
    found = diagnosis()
    with speaking(language):
        page = Seen(found.report("net.pt"))
    assert ("html", {"lang": language}) in page.tags
    assert found.sentence.into(language) in page.text
    assert "What was found" not in page.text


def test_the_code_asks_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(seqviz, "doctor", lambda *given, **named: calls.append((given, named)) or diagnosis())
    one, order = Experiment("GRU", 2, 3, 2), task("order").at_length(50)
    x = seqviz.runner.inputs(one)
    for judged in ({"task": order}, {"x": x[:-1], "targets": x[1:]}, {"x": x}):
        exec(compile(panel._code(one, judged), "again", "exec"), {})
    (a, b, c) = calls
    assert (a[0], a[1]["task"].length, a[1]["task"].name) == ((one,), 50, "order")
    assert b[0][0] == one
    assert torch.equal(b[0][1], x[:-1])
    assert torch.equal(b[0][2], x[1:])
    assert c == ((one,), {})
