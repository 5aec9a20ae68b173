"""A file put into ``seqviz/cells`` is a cell: nothing else has to know its name, its letters, or what they do."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import seqviz
from seqviz import cells
from seqviz.figures.theme import scale_of
from seqviz.scope.message import row
from seqviz.telling import headlines
from seqviz.telling.titles import network_title
from seqviz.training.sizes import parameters_of

HERE = Path(seqviz.__file__).parent

CELLS = '''
from seqviz.cells.cell import parse

MGU = parse(
    """
    u = sigmoid(W_iu x + b_iu + W_hu h_prev + b_hu)
    q = tanh(W_iq x + b_iq + W_hq (u * h_prev) + b_hq)
    h = (1 - u) * h_prev + u * q""",
    "MGU", blocks="uq",
)
COUPLED = parse(
    """
    keep = sigmoid(W_xk x + W_hk h_prev + b_k)
    new = tanh(W_xn x + W_hn h_prev + b_n)
    m = keep * m_prev + (1 - keep) * new
    show = sigmoid(W_xo x + W_ho h_prev + b_o)
    h = show * tanh(m)""",
    "COUPLED",
)
CONTEXT = parse("s = 0.1 * (W_xs x) + 0.9 * s_prev\\nh = sigmoid(W_sh s + W_xh x + W_hh h_prev)", "CONTEXT")
CELLS = (MGU, COUPLED, CONTEXT)
'''

VISIT = """
import sys

import numpy as np
import torch

import seqviz
from seqviz import cells, vocabulary as words
from seqviz.experiment import Experiment, Init, Sequence
from seqviz.figures.lit import lit
from seqviz.figures.theme import DIVERGING, HUES, SEQUENTIAL
from seqviz.scope import of_trace
from seqviz.scope.hosts.html import page
from seqviz.scope.message import header_of

assert seqviz.__file__.startswith(sys.argv[1])
gates = {"MGU": {"u"}, "COUPLED": {"keep", "show"}, "CONTEXT": {"h"}}
told = {"MGU": "On average", "COUPLED": "On average", "CONTEXT": "Its states run from"}
assert set(gates) <= set(cells.names())
for name in cells.names():
    experiment = Experiment(name, hidden_size=4, init=Init(seed=1), sequence=Sequence("noise", 12))
    assert Experiment.from_url(experiment.to_url()) == experiment
    trace, shown = seqviz.run(experiment), cells.get(name).gates
    drawn = {each.name: each for each in seqviz.figures.scope(trace).data}
    for signal in cells.get(name).signals:
        low_high = (drawn[signal].zmin, drawn[signal].zmax)
        assert (low_high == (0, 1)) == (signal in shown), (name, signal, low_high)
        assert signal in HUES["light"]
    assert [dot.name for dot in seqviz.figures.saturation(trace).data] == [
        cells.get(name).labels[s].name for s in cells.get(name).told if s in shown
    ]
    lit(trace, [(f"l0.{s}", (), "") for s in cells.get(name).signals])
    message = of_trace(trace)
    header = header_of(message)
    assert {row["signal"] for row in header["rows"] if row["kind"] == "gate"} == set(shown)
    assert "<html" in page(message, name)
    assert header["headline"].startswith(told.get(name, "")), header["headline"]
    assert "tanh is flat" not in header["headline"] or cells.get(name).squashing == "tanh"
    net = seqviz.network(experiment)
    seqviz.doctor(net, torch.randn(12, 4, 1))
    assert np.isfinite(seqviz.gradient_flow(net, torch.randn(12, 1, 1))["l0.h"]).all()
for theme in SEQUENTIAL:
    assert HUES[theme]["keep"] == HUES[theme]["f"] and SEQUENTIAL[theme]["u"] == SEQUENTIAL[theme]["f"]
    assert HUES[theme]["show"] == HUES[theme]["o"] and HUES[theme]["m"] == HUES[theme]["c"]
assert not words.is_gate("l0.h") and not words.is_gate("h", "LSTM") and words.is_gate("h", "CONTEXT")
"""


def test_a_cell_that_is_put_into_its_folder_is_drawn_told_examined_and_sent(tmp_path):
    """Its gates run from 0 to 1 and no other cell's signals do because of them; its headline is of its own gate."""
    house = tmp_path / "seqviz"
    house.mkdir()
    for entry in HERE.iterdir():
        if entry.name not in ("cells", "__pycache__"):
            (house / entry.name).symlink_to(entry)
    shutil.copytree(HERE / "cells", house / "cells", ignore=shutil.ignore_patterns("__pycache__"))
    (house / "cells" / "added.py").write_text(CELLS)
    (tmp_path / "visit.py").write_text(VISIT)
    asked = [sys.executable, str(tmp_path / "visit.py"), str(tmp_path)]
    done = subprocess.run(asked, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]


def takers(nobody: str) -> dict[str, Callable[[], object]]:
    """What takes a cell's name, each called with one that no cell has."""
    wide = np.zeros((3, 1, 2))
    trace = seqviz.Trace({"x": wide, "l0.h": wide}, {}, 0.0, {"": nobody}, {"": (3,)})
    return {
        "an experiment": lambda: seqviz.Experiment(nobody),
        "a network": lambda: seqviz.SequenceCell(nobody, 1, 2, 1),
        "a recipe": lambda: seqviz.training.Recipe(nobody),
        "its parts": lambda: seqviz.weights.parts_of(nobody, "f"),
        "its gates": lambda: seqviz.weights.gates_with_weights(nobody),
        "a block": lambda: seqviz.weights.gate_view({}, nobody, 0, "f", "ih"),
        "a place": lambda: seqviz.weights.place(nobody, 2, 0, "f", "ih", 0, 0),
        "a sentence": lambda: seqviz.metrics.describe("l0.h", wide[:, 0], nobody),
        "a few words": lambda: headlines.brief("l0.h", wide[:, 0], nobody),
        "a headline": lambda: headlines.headline("", "a cell", {"h": wide[:, 0]}, kind=nobody),
        "a scale": lambda: scale_of("l0.h", "light", nobody),
        "a figure": lambda: seqviz.figures.scope(trace),
        "a figure of gates": lambda: seqviz.figures.saturation(trace),
        "a message": lambda: seqviz.scope.of_trace(trace),
        "a row": lambda: row("h", nobody, 2, ""),
        "a title": lambda: network_title(nobody, 1, 1, 1),
        "a count": lambda: parameters_of(nobody, 1, 2, 1),
        "its signals": lambda: cells.signal_names(nobody),
    }


@pytest.mark.parametrize("what", takers(""))
def test_another_cell_is_refused_by_name_wherever_one_is_taken(what):
    """With the cells that there are; nothing falls through to another cell, and no raw error gets out."""
    with pytest.raises(ValueError, match="NOBODY") as refused:
        takers("NOBODY")[what]()
    assert all(name in str(refused.value) for name in cells.names()), refused.value
