"""The direction of imports, and settings that two files have to agree on."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from seqviz.figures.theme import SURFACES

ROOT = Path(__file__).parents[2]
LIBRARY = sorted((ROOT / "seqviz").rglob("*.py"))
PAGES = sorted((ROOT / "pages").glob("*.py"))
FILES = [*LIBRARY, *PAGES, ROOT / "app.py"]

APP = ("seqviz/ui/", "seqviz/scope/hosts/streamlit/", "pages/", "app.py")
DRAWERS = ("seqviz/figures/", "seqviz/scope/")
NO_TORCH = (
    *(
        "cells/__init__.py",
        "cells/cell.py",
        "cells/road.py",
        "checks.py",
        "experiment/",
        "figures/",
        "gradients/fading.py",
    ),
    *("language.py", "locale/", "metrics.py", "networks/presets.py", "reading/tables.py", "reading/text.py"),
    *(
        "reading/binary.py",
        "reading/parsing.py",
        "scope/message.py",
        "sequences.py",
        "telling/",
        "trace.py",
        "vocabulary.py",
    ),
)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> set[str]:
    """Every module that a file imports, at its top or inside a function."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)} imports relatively"
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def reaches(path: Path, package: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for module in imports(path))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_imports_go_one_way(path):
    here = name(path)
    if not here.startswith(APP):
        assert not reaches(path, "streamlit"), "only the app knows Streamlit"
        assert not reaches(path, "seqviz.ui"), "the library does not know the app"
    if not here.startswith(DRAWERS):
        assert not reaches(path, "plotly"), "only who draws imports Plotly"
    if here.startswith(tuple(f"seqviz/{place}" for place in NO_TORCH)):
        assert not reaches(path, "torch"), "what describes and draws needs no torch"
    if here.startswith("pages/"):
        assert not reaches(path, "torch"), "a page asks the library"
        assert not reaches(path, "pages"), "pages do not know each other"


def test_what_tells_imports_the_language_and_the_words_alone():
    for path in sorted((ROOT / "seqviz" / "telling").glob("*.py")):
        ours = {module for module in imports(path) if module.startswith("seqviz.")}
        allowed = ("seqviz.language", "seqviz.vocabulary", "seqviz.telling")
        assert all(module.startswith(allowed) for module in ours), name(path)


def test_a_page_takes_no_part_of_another():
    """What two pages share lies beside them: controls, scenes, pictures."""
    pages = sorted((ROOT / "seqviz" / "ui").glob("*_page.py"))
    assert len(pages) >= 5
    for path in pages:
        others = {f"seqviz.ui.{page.stem}" for page in pages if page != path}
        assert not others & imports(path), name(path)


def test_what_needs_no_torch_imports_nothing_that_does():
    """Through every module that they import; the package's own ``__init__`` aside, which gathers the names."""
    modules = {name(path).removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in LIBRARY}
    for place in NO_TORCH:
        waiting = [path for path in LIBRARY if name(path).startswith(f"seqviz/{place}")]
        seen: set[Path] = set()
        while waiting:
            path = waiting.pop()
            if path in seen:
                continue
            seen.add(path)
            assert not reaches(path, "torch"), f"{place} imports {name(path)}, which imports torch"
            waiting += [modules[m] for m in imports(path) if m in modules and m != "seqviz"]


def test_the_rules_are_about_files_that_exist():
    names = [name(path) for path in FILES]
    for place in [*APP, *DRAWERS, *(f"seqviz/{place}" for place in NO_TORCH)]:
        assert any(path.startswith(place) for path in names), place
    assert len(PAGES) >= 1


def test_pages_and_app_are_short():
    assert len((ROOT / "app.py").read_text().splitlines()) <= 40
    for path in PAGES:
        assert len(path.read_text().splitlines()) <= 80, name(path)


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_library_works_without_streamlit_and_imports_no_plotly():
    said = python(
        "import sys; sys.modules['streamlit'] = None\n"
        "import torch, seqviz\n"
        "trace = seqviz.capture(torch.nn.LSTM(2, 3), torch.randn(5, 1, 2))\n"
        "run = seqviz.run(seqviz.Experiment())\n"
        "print(trace['l0.f'].shape, 'plotly' in sys.modules, sys.modules['streamlit'])\n"
        "print(type(seqviz.figures.scope(run)).__name__, 'plotly' in sys.modules)\n"
    )
    assert said.split("\n")[:2] == ["(5, 1, 3) False None", "Figure True"]


def test_importing_the_library_brings_neither_streamlit_nor_plotly():
    said = python("import sys, seqviz; print(sorted({'streamlit', 'plotly', 'pandas', 'babel'} & set(sys.modules)))")
    assert said.strip() == "[]"


def test_streamlits_theme_is_the_pictures_theme():
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    for theme, surface in SURFACES.items():
        found = config["theme"][theme]
        assert found["backgroundColor"] == surface["paper"]
        assert found["secondaryBackgroundColor"] == surface["well"]
        assert found["textColor"] == surface["ink"]


@pytest.mark.parametrize(
    ("option", "value"), [("runner.postScriptGC", "False"), ("global.minCachedMessageSize", "1000000000000.0")]
)
def test_a_hidden_option_still_has_its_effect(option, value):
    """Should Streamlit drop one, the app would grow slow, or lose its connection, without a word."""
    said = python(
        "from streamlit import config\n"
        "config.get_config_options(force_reparse=True)\n"
        f"assert {option!r} in config._config_options_template\n"
        f"print(config.get_option({option!r}))"
    )
    assert said.strip() == value


def test_requirements_agree_with_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    def pins(file: str) -> dict[str, str]:
        lines = [line for line in (ROOT / file).read_text().splitlines() if line and line[0] not in "#-"]
        return dict(line.split("==") for line in lines)

    app, dev = pins("requirements.txt"), pins("requirements-dev.txt")
    extras = {group: set(lines) for group, lines in project["optional-dependencies"].items()}
    assert extras["dev"] == {"seqviz[app]", *(f"{package}=={version}" for package, version in dev.items())}
    assert extras["app"] <= {f"{package}=={version}" for package, version in app.items()}
    assert app["torch"] == "2.13.0"
    assert {line.split(">=")[0] for line in project["dependencies"]} <= set(app)


def test_no_import_of_our_own_hides_in_a_function():
    hidden = [
        f"{name(path)}:{inner.lineno}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for inner in ast.walk(node)
        if (isinstance(inner, ast.ImportFrom) and (inner.module or "").startswith("seqviz"))
        or (isinstance(inner, ast.Import) and any(alias.name.startswith("seqviz") for alias in inner.names))
    ]
    assert hidden == []  # a circle is opened, not hidden; no exception is known


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_file_is_short_enough_to_be_read_at_once(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


SCRIPTS = [path for path in (ROOT / "seqviz/scope/web").rglob("*.js") if "min" not in path.name]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_has_one_duty(path):
    if path.name not in ("words.js", "headers.js"):  # the catalogues, and a list of types
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 350
