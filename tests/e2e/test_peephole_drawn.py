"""The LSTM with peepholes on every page in a real browser, and its own forward pass under the hand."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect

import seqviz
from seqviz.experiment import Experiment, Init, Sequence

pytestmark = pytest.mark.browser

CODE = Experiment("PEEPHOLE", 1, 4, init=Init(gain=2.0, seed=5), sequence=Sequence("noise", 24, seed=1)).to_url()

RESTED = "() => (({ previews, rested }) => previews === rested)(document.querySelector('.sv-scope').dataset)"
"""Whether Plotly has drawn what the hand has made."""


def test_an_input_is_dragged_and_every_gate_follows(visit) -> None:
    """While the hand moves the browser computes; when it lets go, torch's numbers are the same."""
    screen = visit(f"/?e={CODE}")
    before = np.array(screen.values("f"))
    sent, previews = len(screen.sent), int(screen.data("previews") or 0)
    screen.drag(screen.at("x", 6, 0.9), screen.at("x", 9, 0.1), screen.at("x", 12, 0.1), release=False)
    screen.until("n => +document.querySelector('.sv-scope').dataset.previews >= n", previews + 3)
    assert len(screen.sent) == sent, "the server was told before the hand let go"
    screen.until(RESTED)
    under_the_hand = np.array(screen.values("f"))
    assert np.abs(under_the_hand - before)[:, 6:].max() > 1e-2
    np.testing.assert_allclose(under_the_hand[:, :6], before[:, :6], atol=1e-5, err_msg="the past changed")
    screen.edits(screen.page.mouse.up)
    torchs = seqviz.run(screen.experiment)["l0.f"][:, 0].T
    np.testing.assert_allclose(screen.values("f"), torchs, atol=1e-4)
    np.testing.assert_allclose(under_the_hand, torchs, atol=1e-4)


@pytest.mark.parametrize(
    ("page", "picture", "says"),
    [
        ("cell", ".sv-cellview", "with eyes on the cell"),
        ("compare", ".sv-flow", "Peephole"),
        ("gradients", ".sv-flow", "Peephole"),
    ],
)
def test_a_page_shows_it(visit, page: str, picture: str, says: str) -> None:
    screen = visit(f"/{page}?e={CODE}", picture=picture)
    expect(screen.page.locator("[data-testid=stException]")).to_have_count(0)
    expect(screen.page.get_by_text(says).first).to_be_visible()
    over = "heads => heads.filter((head) => head.scrollWidth > head.clientWidth + 1).map((head) => head.innerText)"
    assert screen.page.locator(".sv-head, .sv-ends .sv-readout > div").evaluate_all(over) == []


def test_it_is_chosen_in_the_sidebar_and_trained(visit) -> None:
    screen = visit("/")
    screen.panel("Network")
    screen.edits(lambda: screen.choose("Cell", "LSTM with peepholes"))
    assert screen.experiment is not None
    assert screen.experiment.cell == "PEEPHOLE"
    training = visit("/training", picture=".st-key-train-go", wait=False)
    training.choose("Network and recipe", "LSTM with peepholes")
    training.page.get_by_role("button", name="Train", exact=True).click()
    expect(training.page.locator(".sv-learning[data-drawn]")).to_be_visible()
