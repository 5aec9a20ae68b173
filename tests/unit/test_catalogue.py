"""What reads, extracts and writes the catalogues, on files of its own."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqviz import language, locale
from seqviz.language import number, preferred, speaking, tr, trn

ROOT = Path(__file__).parents[2]


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tool = loaded(ROOT / "tools" / "catalogue.py")

PYTHON = """
outer = tr("Outer {x}", x=tr("inner"), n=trn("{count} one", "{count} many", n))
either = tr("this" if here else "that")
# Translators: short
label = later("two " "parts")
words = Words({"a": "in a table", "b": later("marked")})
quoted = f"{tr('in a string')}"
tr(name)
obj.tr("not ours")
"""

SCRIPT = """
const a = tr("Outer {x}", { x: tr("inner"), n: trn("{count} one", "{count} many", n) });
// Translators: short
const b = here ? tr("this") : tr("that");
const c = tr(name); // tr("in a comment")
el("p", { text: later("marked") }, /"/.test(x) ? tr("after a \\"quote\\"") : "not said");
"""


def test_everything_that_python_says_is_found():
    assert {said for said, _ in tool.in_python(PYTHON)} == {
        *("Outer {x}", "inner", "this", "that", "two parts", "in a table", "marked", "in a string"),
        ("{count} one", "{count} many"),
    }


def test_everything_that_a_script_says_is_found():
    assert {said for said, _ in tool.in_script(SCRIPT)} == {
        *("Outer {x}", "inner", "this", "that", "marked", 'after a "quote"'),
        ("{count} one", "{count} many"),
    }


def test_translators_are_told_what_the_code_tells_them():
    assert tool.comments(Path("a.py"), PYTHON) == {4: "Translators: short"}
    assert tool.comments(Path("a.js"), SCRIPT) == {3: "Translators: short"}
    (english,) = (m for m in tool.extracted() if m.id == "English")
    assert english.auto_comments == ["Translators: the name of your language, in your language."]


POLISH = r"""msgid ""
msgstr ""
"Language: pl\n"
"Content-Type: text/plain; charset=utf-8\n"
"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2);\n"

msgid "English"
msgstr "polski"

msgid "{count:,} step"
msgid_plural "{count:,} steps"
msgstr[0] "{count:,} krok"
msgstr[1] "{count:,} kroki"
msgstr[2] "{count:,} kroków"

msgid "{first} {second}"
msgstr "{first} {second}"

#, fuzzy
msgid "unit"
msgstr "jedność"
"""


@pytest.fixture
def polish(tmp_path, monkeypatch):
    """A language with three plural forms, by its file alone."""
    (tmp_path / "pl").mkdir()
    (tmp_path / "pl" / "seqviz.po").write_text(POLISH, encoding="utf-8")
    monkeypatch.setattr(locale, "FOLDER", tmp_path)
    monkeypatch.setattr(language, "LANGUAGES", {"en": "English", **locale.names()})
    locale.read.cache_clear()
    with speaking("pl"):
        yield
    locale.read.cache_clear()


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 kroków"), (1, "1 krok"), (2, "2 kroki"), (5, "5 kroków"), (12, "12 kroków"), (22, "22 kroki"),
     (1_003, "1,003 kroki"), (-1, "−1 krok"), (float("nan"), "NaN kroków"), (math.inf, "∞ kroków")],
)  # fmt: skip
def test_a_language_counts_as_it_counts(polish, count, said):
    assert trn("{count:,} step", "{count:,} steps", count) == said


def test_a_language_is_its_file(polish):
    assert language.LANGUAGES == {"en": "English", "pl": "polski"}
    assert tr("unit") == "unit", "what a translator has still to look at is not said"
    assert trn("{count} crate", "{count} crates", 1) == "1 crate"
    assert locale.read("pl").tag == "pl"


@given(st.integers(-2_000, 2_000))
def test_english_and_german_have_one_for_1_alone(n):
    for spoken, one, other in (("en", "step", "steps"), ("de", "Schritt", "Schritte")):
        with speaking(spoken):
            said = trn("{count} step", "{count} steps", n)
        assert said == f"{number(n)} {one if abs(n) == 1 else other}"


@given(st.floats(width=32), st.sampled_from(["", ".2f", ".3g", ".1e", ".0%", "g", ",.0f"]))
def test_a_number_is_read_one_way(value, spec):
    for given_as in (value, np.float32(value), np.float64(value)):
        said = number(given_as, spec)
        assert "-" not in said.replace("e-", "")
        assert "inf" not in said
        assert "nan" not in said
        if math.isnan(value):
            assert said == "NaN"
        elif not any(digit in said.partition("e")[0] for digit in "123456789∞"):
            assert not said.startswith("−"), "what rounds to 0 has no sign"
        else:
            assert said.startswith("−") == (value < 0)


@pytest.mark.parametrize(
    ("value", "spec", "said"),
    [(-0.0, "", "0.0"), (-0.0, "g", "0"), (-1e-9, ".0e", "−1e-09"), (-0.0, ".1e", "0.0e+00"), (math.inf, ".2f", "∞"),
     (-math.inf, ".0%", "−∞%"), (math.nan, ".3g", "NaN"), (True, "", "True"), (10**6, ",", "1,000,000")],
)  # fmt: skip
def test_numbers_at_the_edges(value, spec, said):
    assert number(value, spec) == said


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("de-AT", "de"),
        ("fr, de;q=0.5", "de"),
        ("fr", "en"),
        ("", "en"),
        ("EN-us", "en"),
    ],
)
def test_a_browser_is_answered_in_a_language_that_it_asks_for(asked, spoken):
    assert preferred(asked) == spoken


@pytest.mark.parametrize("merged", [
    'msgid "a"\nmsgstr "A"\nmsgid "b"\nmsgstr "B"\n\n', 'msgid "a"\nmsgstr "A"\nmsgstr "Ä"\n\nmsgid "b"\nmsgstr "B"\n',
    'msgid "a"\nmsgstr ""\n\nmsgid "a"\nmsgstr "A"\n\nmsgid "b"\nmsgstr ""\n"B"\n'
])  # fmt: skip
def test_a_file_that_git_merged_line_by_line_is_read(merged, tmp_path, monkeypatch):
    (tmp_path / "de").mkdir()
    (tmp_path / "de" / "seqviz.po").write_text('msgid ""\nmsgstr ""\n"Language: de\\n"\n\n' + merged, encoding="utf-8")
    monkeypatch.setattr(locale, "FOLDER", tmp_path)
    known = tool.known("de")
    assert (known["a"].string, known["b"].string) == ("A", "B")


def test_a_translation_survives_an_update_and_a_lost_sentence_does_not(tmp_path, monkeypatch):
    (tmp_path / "pl").mkdir()
    (tmp_path / "pl" / "seqviz.po").write_text(POLISH, encoding="utf-8")
    monkeypatch.setattr(locale, "FOLDER", tmp_path)
    template = tool.empty()
    template.add(("{count:,} step", "{count:,} steps"))
    template.add("new")
    catalog = tool.updated("pl", template)
    assert catalog["{count:,} step"].string == ("{count:,} krok", "{count:,} kroki", "{count:,} kroków")
    assert catalog["new"].string == ""
    assert "English" not in catalog
    text = tool.written(catalog)
    assert "Date" not in text, "a date would stand in the way of every merge"
    (tmp_path / "pl" / "seqviz.po").write_text(text, encoding="utf-8")
    assert tool.written(tool.updated("pl", template)) == text


def test_a_new_language_begins_with_one_file(tmp_path, monkeypatch):
    monkeypatch.setattr(locale, "FOLDER", tmp_path)
    monkeypatch.setattr(tool, "TEMPLATE", tmp_path / "seqviz.pot")
    monkeypatch.setattr(tool, "WORDS", tmp_path / "words.js")
    tool.begin("fr")
    assert locale.names() == {"fr": "français"}
    assert len(tool.missing()["fr"]) > 500
    locale.read.cache_clear()
