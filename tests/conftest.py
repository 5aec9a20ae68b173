"""Settings that every test runs under, and the app as a process of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says more of the machine, which is shared, than of the code.
settings.register_profile("shared", deadline=None)
settings.load_profile("shared")

ROOT = Path(__file__).parents[1]
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
for _name, _value in ONE_THREAD.items():
    os.environ.setdefault(_name, _value)


NO_BROWSER = "No Chromium: apt-get install chromium, or name one in SEQVIZ_CHROMIUM."


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line, once, on how to get what some tests were left out for."""
    skipped = terminalreporter.stats.get("skipped", [])
    count = sum(NO_BROWSER in str(report.longrepr) for report in skipped)
    if count:
        terminalreporter.write_line(f"{count} browser tests were left out. {NO_BROWSER}")


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program; without one the test is skipped, or fails where a browser is required."""
    names = (os.environ.get("SEQVIZ_CHROMIUM"), "/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome")
    found = next((path for path in (shutil.which(name) for name in names if name) if path), None)
    if found is None:
        if os.environ.get("SEQVIZ_REQUIRE_BROWSER"):
            pytest.fail(NO_BROWSER, pytrace=False)
        pytest.skip(NO_BROWSER)
    return found


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app, run as a person runs it."""
    with _serving(tmp_path_factory.mktemp("server") / "streamlit.log") as address:
        yield address


@pytest.fixture
def untouched(tmp_path: Path) -> Iterator[str]:
    """The address of an app that nobody has visited yet."""
    with _serving(tmp_path / "streamlit.log") as address:
        yield address


@pytest.fixture(scope="session")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    """A server for those who end it, one after another."""
    mortal = Mortal(tmp_path_factory.mktemp("mortal"))
    yield mortal
    mortal.stop()


@pytest.fixture
def lost(mortal: Mortal) -> Mortal:
    """An app that a test may end and start again at the same address."""
    if not mortal.lives_now:
        mortal.start()
    return mortal


class Mortal:
    """A server that can be ended, and started again where it was."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.lives, self.lives_now = folder, _free_port(), 0, False
        self._life = ExitStack()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.lives += 1
        self._life.enter_context(_serving(self.folder / f"streamlit-{self.lives}.log", self.port))
        self.lives_now = True

    def stop(self) -> None:
        self.lives_now = False
        self._life.close()


@contextmanager
def _serving(log: Path, port: int | None = None) -> Iterator[str]:
    port = port or _free_port()
    options = {"server.port": port, "server.headless": "true", "server.fileWatcherType": "none"}
    flags = [f"--{name}={value}" for name, value in options.items()]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), *flags],
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=os.environ | ONE_THREAD,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_until_healthy(process, address, log)
        yield address
        said = log.read_text(errors="replace")
        assert "Traceback" not in said, f"The server met an error of its own:\n{said[-4000:]}"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_healthy(process: subprocess.Popen, address: str, log: Path, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"The app did not start:\n{log.read_text(errors='replace')[-4000:]}")
