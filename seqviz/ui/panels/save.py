"""Take it away: files, a notebook snippet, a link; and bring an experiment back."""

from __future__ import annotations

import io
from typing import Any

import streamlit as st

from seqviz.experiment import Experiment
from seqviz.experiment.codec import MAX_DOCUMENT
from seqviz.language import tr
from seqviz.runner import run
from seqviz.ui.bench import Bench
from seqviz.ui.controls import upload

__all__ = ["save_panel", "snippet"]


def snippet(experiment: Experiment) -> str:
    """Python that gives the same trace in a notebook."""
    document = experiment.to_json()
    return (
        "import seqviz\n\n"
        f"experiment = seqviz.Experiment.from_json(r'''{document}''')\n"
        "trace = seqviz.run(experiment)\n"
        "print(trace.signals)\n"
        'seqviz.figures.scope(trace).show()  # trace["l0.h"] is an array (L, N, H)\n'
        if "'''" not in document
        else "import json\nimport seqviz\n\n"
        f"experiment = seqviz.Experiment.from_json({document!r})\n"
        "trace = seqviz.run(experiment)\n"
        "print(trace.signals)\n"
        "seqviz.figures.scope(trace).show()\n"
    )


def _csv(experiment: Experiment) -> bytes:
    return run(experiment).to_dataframe().to_csv(index=False).encode()


def _npz(experiment: Experiment) -> bytes:
    file = io.BytesIO()
    run(experiment).save(file)
    return file.getvalue()


def save_panel(bench: Bench) -> None:
    """Downloads of the trace and the experiment, the link, and loading a file back."""
    experiment = bench.experiment
    if not bench.too_long:
        st.caption(tr("The address of this page is the experiment: copy it, and whoever opens it sees this screen."))
    files = {
        tr("Trace as CSV"): (lambda: _csv(experiment), "seqviz-trace.csv", "text/csv"),
        tr("Trace as npz"): (lambda: _npz(experiment), "seqviz-trace.npz", "application/octet-stream"),
        tr("Experiment as JSON"): (
            lambda: experiment.to_json(indent=1).encode(),
            "seqviz-experiment.json",
            "application/json",
        ),
    }
    for label, (make, name, mime) in files.items():
        st.download_button(label, make, name, mime, on_click="ignore", width="stretch", key=f"save.{name}")

    def load(given: Any) -> Experiment:
        if given.size > MAX_DOCUMENT:
            most = MAX_DOCUMENT // 2**20
            raise ValueError(tr("The file is larger than {most} MB; an experiment is smaller.", most=most))
        return Experiment.from_json(_decoded(given.getvalue()))

    upload(tr("Load an experiment"), ["json"], bench, load, key="save.load")
    with st.expander(tr("The same in a notebook"), key="save.notebook"):
        st.code(snippet(experiment), language="python")
    st.caption(tr("The picture itself: “Save picture” above it, as PNG or SVG."))


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(tr("The file is not text; an experiment is a JSON file saved by seqviz.")) from None
