"""A file of a network and a table, dropped in a real browser: its gates are on the screen."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from playwright.sync_api import expect
from torch import nn

import seqviz

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]

CSV = "load,temp\n" + "\n".join(f"{k % 7},{k % 3}" for k in range(40))


def put(screen, where: str, name: str, content: bytes) -> None:
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    screen.page.locator(f".st-key-yours-{where} input[type=file]").set_input_files(file)


def test_a_file_and_a_table_give_gates_and_lead_on(screen):
    screen.go("/your_network")
    stream = io.BytesIO()
    torch.save({f"encoder.{name}": value for name, value in nn.GRU(2, 5).state_dict().items()}, stream)
    put(screen, "network", "mine.pt", stream.getvalue())
    expect(screen.page.get_by_text("mine.pt", exact=True).last).to_be_visible()
    put(screen, "data", "series.csv", CSV.encode())
    picture = screen.page.locator(".sv-scope")
    expect(picture).to_contain_text("reset gate")
    expect(picture).to_contain_text("40 steps")
    expect(screen.page.locator(".sv-moved")).to_contain_text("10–14")
    expect(screen.page.get_by_role("button", name="Pin as baseline")).to_be_hidden()
    put(screen, "network", "bad.pt", b"not a network at all")
    expect(screen.page.locator("[data-testid=stAlert]")).to_contain_text("of no kind that is known here")
    expect(picture).to_contain_text("reset gate")
    expect(screen.page.get_by_text("mine.pt", exact=True).last).to_be_visible()
    screen.page.get_by_role("button", name="Open in Gates").click()
    expect(screen.page.locator(".sv-scope")).to_contain_text("update gate")
    expect(screen.page.get_by_role("button", name="Pin as baseline")).to_be_visible()
    screen.until("() => location.search.includes('e=')")
    assert (screen.experiment.cell, screen.experiment.hidden_size) == ("GRU", 5)


def test_show_opens_a_saved_run_in_a_server_of_its_own(browser, tmp_path):
    """From the shell to the picture."""
    page = browser.new_page()
    torch.manual_seed(0)
    seqviz.capture(nn.GRU(2, 5), torch.randn(30, 1, 2)).save(tmp_path / "run.npz")
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    start = "import sys; from seqviz.command import main; sys.exit(main())"
    words = [sys.executable, "-c", start, "show", str(tmp_path / "run.npz"), "--port", str(port)]
    around = {**os.environ, "BROWSER": "true"}  # the command of that name: a browser is here already
    options = {"stdout": subprocess.PIPE, "text": True, "cwd": ROOT, "start_new_session": True}
    with subprocess.Popen(words, env=around, **options) as command:
        try:
            assert next(command.stdout).strip() == f"http://localhost:{port}/your_network"
            assert any("URL" in line for line in command.stdout), "the server says where it is"
            page.goto(f"http://localhost:{port}/your_network")
            expect(page.locator(".sv-scope")).to_contain_text("reset gate")
            expect(page.locator(".sv-scope")).to_contain_text("GRU, 5 units, 30 steps")
            expect(page.get_by_text("run.npz", exact=True)).to_be_visible()
        finally:
            page.close()
            os.killpg(command.pid, signal.SIGTERM)
