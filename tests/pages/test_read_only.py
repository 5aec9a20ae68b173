"""An installation that nobody may write into works: every page is drawn, and nothing is written there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

VISIT = """
import sys
from pathlib import Path
import seqviz
from seqviz.scope.library import library
from streamlit.testing.v1 import AppTest

root = Path(sys.argv[1])
assert Path(seqviz.__file__).is_relative_to(root), seqviz.__file__
assert library().zipped
for page in ("", "cell", "compare", "gradients", "training"):
    app = AppTest.from_string(f"import runpy; runpy.run_path({str(root / 'app.py')!r})", default_timeout=300)
    app.run()
    if page:
        app.switch_page(str(root / "pages" / f"{page}.py")).run()
    assert not app.exception, [e.value for e in app.exception]
    assert len(app.get("bidi_component")) > 1, f"{page} drew no picture"
"""


@pytest.fixture
def installed(tmp_path):
    """A copy of what is installed, without leave to write."""
    root = tmp_path / "installed"
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ("seqviz", "pages", "assets", ".streamlit"):
        shutil.copytree(ROOT / name, root / name, ignore=ignore)
    shutil.copy(ROOT / "app.py", root)
    shutil.copy(ROOT / "pyproject.toml", root)
    everything = [root, *root.rglob("*")]
    for path in everything:
        path.chmod(path.stat().st_mode & ~0o222)
    yield root
    for path in everything:
        path.chmod(path.stat().st_mode | 0o200)


def state(root: Path) -> dict[Path, tuple[int, int]]:
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in root.rglob("*")}


def test_every_page_is_drawn_and_nothing_is_written(installed, tmp_path):
    before = state(installed)
    home = tmp_path / "home"
    home.mkdir()
    # Root may write whatever the modes say, so that what was written is looked for, too. Python's own cache of
    # compiled modules is left out of it: it is made where it can be.
    settings = {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", VISIT, str(installed)],
        cwd=home, env=os.environ | settings, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    assert state(installed) == before
