"""Every file in pages/ opens through the app, for itself and after another, without an exception."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_twice_and_survives_a_change_of_page(visit, page):
    app = visit(page)
    assert app.at.get("bidi_component") or app.at.get("plotly_chart"), "the page shows no picture"
    app.run()
    app.at.switch_page(str(ROOT / "pages" / "gates.py"))
    app.run()
    app.at.switch_page(str(ROOT / "pages" / f"{page}.py"))
    app.run()
    assert app.warnings == []


def test_every_page_is_in_the_navigation():
    listed = (ROOT / "app.py").read_text()
    assert [page for page in PAGES if f'PAGES / "{page}.py"' not in listed] == []
