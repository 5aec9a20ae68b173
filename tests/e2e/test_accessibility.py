"""axe on every page, in both themes: nothing serious."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser

PICTURES = {
    "": ".sv-scope",
    "cell": ".sv-cellview",
    "compare": ".sv-flow",
    "gradients": ".sv-flow",
    "training": ".sv-scope",
}


def test_every_page_is_looked_at(root):
    assert {path.stem for path in (root / "pages").glob("*.py")} == {path or "gates" for path in PICTURES}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PICTURES)
def test_nothing_serious(visit, path, scheme):
    screen = visit(f"/{path}", picture=PICTURES[path], color_scheme=scheme)
    screen.rest()
    found = Axe().run(screen.page, options={"runOnly": ["wcag2a", "wcag2aa"]})
    serious = [
        (v["id"], v["nodes"][0]["html"][:200])
        for v in found.response["violations"]
        if v["impact"] in ("serious", "critical")
    ]
    assert not serious
