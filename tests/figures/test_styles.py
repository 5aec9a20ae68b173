"""Stylesheets that a browser goes through quickly."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHEETS = ("assets/style.css", "seqviz/scope/web/scope.css", "seqviz/scope/web/hosts/streamlit.css")


def plain(rule: str) -> list[str]:
    """Every selector of a rule, without what stands in brackets; ``:is(a, b)`` is two of them."""
    while (found := re.sub(r":(?!is\()([\w-]+)\([^()]*\)", r":\1", rule)) != rule:
        rule = found
    if among := re.search(r":is\(([^()]*)\)", rule):
        before = re.split(r",(?![^(]*\))", rule[: among.start()])[-1]
        whole = [before + one.strip() + rule[among.end() :].split(",")[0] for one in among[1].split(",")]
        rest = rule.replace(before + among[0] + rule[among.end() :].split(",")[0], "", 1)
        return [found for one in (*whole, rest) for found in plain(one) if found]
    return [one.strip() for one in rule.split(",") if one.strip()]


def slow(selector: str) -> bool:
    """Whether an element is found by its kind or an attribute, by what is in another one that it lies in.

    When anything is written anywhere on the page, a browser then looks anew at every element of that kind.
    """
    *above, last = re.split(r"[\s>+~]+", selector)
    return any(":has" in one for one in above) and not re.search(r"[.#]", last)


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        (".a:has(.b) > div", 1),
        ("body:has(.a) [data-b]:has(.c)", 1),
        ("body:has(.a, .b) p:not(.c), .d", 1),
        ("body:has(.a) :is(.b, [data-c]:not(.d, .e) p, .f), .g:has(.h) div", 2),
        ("body:has(.a div) .b p.c:has(d)", 0),
        ("[data-a]:has(> div .b):not(:has(.c)), .a > div", 0),
    ],
)
def test_what_is_slow_is_known(rule, found):
    assert len([one for one in plain(rule) if slow(one)]) == found


@pytest.mark.parametrize("sheet", SHEETS)
def test_no_rule_has_every_element_looked_at_anew_at_every_frame(sheet):
    text = re.sub(r"/\*.*?\*/", "", (ROOT / sheet).read_text(encoding="utf-8"), flags=re.DOTALL)
    rules = [one.strip() for one in re.findall(r"([^{};]+)\{", text)]
    selectors = [one for rule in rules if not rule.startswith("@") for one in plain(rule)]
    assert len(selectors) > 10
    assert [one for one in selectors if slow(one)] == []
