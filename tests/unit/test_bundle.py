"""The scripts in one piece: every module once, behind what it needs, and nothing left that only a module can say."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from seqviz.scope import bundle
from seqviz.scope.hosts import notebook

ENTRIES = [f"hosts/{path.name}" for path in sorted((bundle.WEB / "hosts").glob("*.js"))]
SCRIPTS = sorted(path for path in bundle.WEB.rglob("*.js") if not path.name.startswith("plotly"))


@pytest.mark.parametrize("entry", ["hosts/html.js", "hosts/notebook.js"])
def test_a_host_outside_of_streamlit_is_one_script(entry, tmp_path):
    script = bundle.bundled(entry, "scope")
    assert not re.search(r"^(import|export)\b", script, re.MULTILINE)
    assert "import.meta" not in script
    assert script.rstrip().splitlines()[-1].startswith("const scope = m")
    if node := shutil.which("node"):
        file = tmp_path / "bundle.mjs"
        file.write_text(script + "\nconsole.log(Object.keys(scope).join());", encoding="utf-8")
        done = subprocess.run([node, file], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.relative_to(bundle.WEB).as_posix())
def test_modules_need_each_other_in_no_circle(path):
    start = path.relative_to(bundle.WEB).as_posix()
    order: list[str] = []
    bundle._order(start, order)
    for place, name in enumerate(order):
        needed = {bundle._beside(name, other) for _, other in bundle._IMPORT.findall(bundle._source(name))}
        assert needed <= set(order[:place]), f"{name} comes before what it needs"


def test_a_form_that_is_not_known_is_refused(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(bundle, "WEB", tmp_path)
    (tmp_path / "a.js").write_text('export { x } from "./b.js";\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"a\.js: no bundle can be made of 'export \{ x \}"):
        bundle.bundled("a.js", "odd")


def test_every_form_that_is_known_arrives(tmp_path: Path, monkeypatch):
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node to run it")
    monkeypatch.setattr(bundle, "WEB", tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "base.js").write_text(
        "const three = 3;\nexport { three };\nexport const one = 1;\nexport function two() { return 2; }\n"
        "export class Four { value = 4; }\nexport async function later() {}\nexport default 5;\n",
        encoding="utf-8",
    )
    (tmp_path / "in" / "top.js").write_text(
        'import five from "../base.js";\nimport * as all from "../base.js";\nimport {\n  one,\n  two as second,\n} from'
        ' "../base.js";\nexport const sum = five + one + second() + all.three + new all.Four().value;\n',
        encoding="utf-8",
    )
    script = bundle.bundled("in/top.js", "found") + "\nconsole.log(found.sum);"
    done = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "15"


def test_a_notebook_without_anywidget_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr(notebook, "anywidget", None)
    with pytest.raises(ImportError, match=r"pip install anywidget$"):
        notebook.widget(b"")


def test_a_widget_takes_no_other_bytes():
    with pytest.raises(ValueError, match="message"):
        notebook.widget(b"no message")
