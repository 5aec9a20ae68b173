"""Every sentence of a screen, taken together: well made, about the run that is shown, and of one mind."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

import seqviz
from seqviz.experiment import Experiment, Init, Sequence, WeightEdit
from seqviz.metrics import describe
from seqviz.networks.presets import PRESETS, preset
from seqviz.telling.stories import STORIES
from seqviz.ui.pictures import story

FAULTS = re.compile(
    r"(?<![\d.])1 (?:steps|units|ones|inputs|rows|columns|others|features|decades|networks|layers|characters)\b"
    r"|−0(?![.\d])|-0\.0+\b|\b(?:nan|None)\b|10\^[−-]?inf|\b0 steps before"
)
COUNTER = preset("counter")
SHOWN = {f"{name} {cell}": preset(name, cell) for name, cell in STORIES} | {
    "one step": Experiment(hidden_size=3, sequence=Sequence("sine", 1)),
    "one unit": Experiment("GRU", hidden_size=1, sequence=Sequence("noise", 9)),
    "one layer of several": Experiment(hidden_size=2, num_layers=2, sequence=Sequence("bits", 7)),
    "nothing": Experiment(hidden_size=2, init=Init(gain=0.0), sequence=Sequence("sine", 5, amplitude=0.0)),
    "all the same": Experiment(hidden_size=2, sequence=Sequence("two_pulses", 2)),
    "two steps": Experiment(hidden_size=2, init=Init(gain=3.0), sequence=Sequence("bits", 2)),
    "tiny": Experiment("RNN_TANH", hidden_size=2, sequence=Sequence("sine", 9, amplitude=1e-30)),
    "huge": Experiment(
        "RNN_RELU",
        hidden_size=2,
        init=Init(gain=30.0, spectral_radius=20.0),
        sequence=Sequence("noise", 40, amplitude=1e6),
    ),
    "a counter that forgets": replace(COUNTER, init=replace(COUNTER.init, forget_bias=0.0)),
    "a counter that is held": replace(COUNTER, interventions=(seqviz.Clamp("l0.f", 0.5, steps=(3, 9)),)),
    "a counter that overflows": replace(COUNTER, edits=(WeightEdit("readout.weight", 0, 0, 3.4e38),)),
}


def texts(app) -> list[str]:
    return [element.value for element in [*app.at.markdown, *app.at.caption]]


@pytest.mark.parametrize("case", SHOWN)
@pytest.mark.parametrize("page", ["gates", "cell", "compare", "gradients"])
def test_no_sentence_of_a_page_is_badly_made(visit, page, case, unpack):
    app = visit(page, e=SHOWN[case].to_url())
    said = texts(app)
    for component in app.at.get("bidi_component"):
        if component.key in ("scope", "cell", "compare", "flow", "why"):
            header, _ = unpack(component.proto.bytes)
            said += [
                header.get("title", ""),
                header.get("status", ""),
                header.get("headline", ""),
                header.get("story", ""),
            ]
            said += [header["says"]] if isinstance(header.get("says"), str) else []
            said += [row[part] for row in header.get("rows", []) for part in ("name", "says", "note") if row.get(part)]
    assert len(said) > 2
    for text in said:
        assert not FAULTS.search(text), text


@pytest.mark.parametrize("case", SHOWN)
def test_what_the_gates_page_says_is_said_of_the_numbers_that_it_draws(visit, case):
    """Row and story are made from one run: a sentence that is true of it cannot argue with another that is."""
    experiment = SHOWN[case]
    app = visit(e=experiment.to_url())
    header, arrays = app.said()
    assert [row["says"] for row in header["rows"]] == [str(describe(s, arrays[s])) for s in arrays if "." not in s][
        : len(header["rows"])
    ]
    steps = experiment.sequence.length
    counted = {
        int(n) for n in re.findall(r"(\d+) steps?\b(?! in a row)", f"{header['title']} {header['rows'][0]['says']}")
    }
    assert counted == {steps}
    shown = header["headline"] + header["story"]
    broken = any(not np.isfinite(values).all() for name, values in arrays.items() if name in {"x", "h", "c", "y"})
    if experiment.init.scheme in PRESETS:
        assert ("overflowed" in shown) == broken
    if broken:
        assert any("Not a finite number" in row["says"] for row in header["rows"])
        assert "counts the ones" not in shown


@pytest.mark.parametrize(("name", "cell"), STORIES)
def test_what_an_example_is_and_claims_stands_on_every_page(visit, unpack, name, cell):
    experiment = preset(name, cell)
    told, headlines = story(experiment), set()
    for page in ("gates", "cell"):
        component = visit(page, e=experiment.to_url()).at.get("bidi_component")
        (found,) = [c for c in component if c.key == ("scope" if page == "gates" else "cell")]
        header, _ = unpack(found.proto.bytes)
        assert header["story"].startswith(told)
        headlines.add(header["headline"])
    assert len(headlines) == 1
    (lab,) = [c for c in visit("gradients", e=experiment.to_url()).at.get("bidi_component") if c.key == "why"]
    assert unpack(lab.proto.bytes)[0]["story"].startswith(told)
    said = "".join(texts(visit("compare", e=experiment.to_url())))
    assert told in re.sub(r"\\([!-~])", r"\1", said).replace("\u2060", "")


def test_a_text_in_a_story_is_not_read_as_markdown(visit):
    hostile = preset("brackets").changed(sequence=Sequence.of_text("a*[_", "a*[_"))
    shown = [text for text in texts(visit("compare", e=hostile.to_url())) if "third character" in text]
    assert "“\\[”" in shown[0]
