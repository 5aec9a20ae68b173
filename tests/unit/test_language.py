"""Every sentence of the code stands in every catalogue, and the catalogues have nothing else."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import string
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from babel.messages import Message

import seqviz
from seqviz import language, locale
from seqviz.kept import kept_spoken
from seqviz.language import (
    LANGUAGES,
    Sentence,
    Words,
    again,
    later,
    reason,
    speaking,
    tr,
    trn,
    use_language,
)

ROOT = Path(__file__).parents[2]
SOURCES = [*sorted((ROOT / "seqviz").rglob("*.py")), *sorted((ROOT / "pages").glob("*.py")), ROOT / "app.py"]
TRANSLATED = sorted(set(LANGUAGES) - {"en"})
MEND = "run: python tools/catalogue.py update, and translate what it lists"


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tool = loaded(ROOT / "tools" / "catalogue.py")
SCRIPTS = [path for path in tool.sources() if path.suffix == ".js"]


@cache
def template() -> dict[str, Message]:
    return {tool.key(message): message for message in tool.extracted() if message.id}


@cache
def catalogue(name: str) -> dict[str, Message]:
    return {tool.key(message): message for message in tool.known(name) if message.id}


def forms(message: Message) -> tuple[str, ...]:
    return message.string if isinstance(message.string, tuple) else (message.string,)


def translations(name: str) -> list[tuple[str, str]]:
    """Every form with its English."""
    return [(english, form) for english, message in catalogue(name).items() for form in forms(message)]


def called(node: ast.AST) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def fields(text: str) -> set[tuple[str, str, str | None]]:
    return {(name, spec, how) for _, name, spec, how in string.Formatter().parse(text) if name is not None}


def differences(said: dict[str, Message], known: dict[str, Message]) -> dict[str, list[str]]:
    return {
        "missing": sorted(set(said) - set(known)),
        "said nowhere": sorted(set(known) - set(said)),
        "another plural": sorted(k for k in set(said) & set(known) if said[k].id != known[k].id),
    }


NOTHING: dict[str, list[str]] = {"missing": [], "said nowhere": [], "another plural": []}


def test_the_template_is_what_the_code_says():
    with tool.TEMPLATE.open("rb") as file:
        known = {tool.key(message): message for message in tool.read_po(file) if message.id}
    assert differences(template(), known) == NOTHING, MEND


@pytest.mark.parametrize("name", TRANSLATED)
def test_every_sentence_of_the_code_is_in_the_catalogue_and_nothing_else(name):
    assert differences(template(), catalogue(name)) == NOTHING, MEND
    assert [k for k, m in catalogue(name).items() if not all(text.strip() for text in forms(m))] == [], "not translated"
    assert [k for k, m in catalogue(name).items() if m.fuzzy] == [], "to be looked at by a translator"


@pytest.mark.parametrize("name", TRANSLATED)
def test_counted_nouns_have_the_forms_of_their_language(name):
    count, gettext = tool.known(name).num_plurals, locale.c2py(tool.known(name).plural_expr)
    assert {len(forms(m)) for m in catalogue(name).values() if m.pluralizable} <= {count}
    read = locale.read(name)
    assert set(read.forms.values()) == set(range(count)), "a form that no number has"
    for n in range(2000):
        assert read.form(str(n)) == gettext(n), "gettext's rule is not CLDR's"


def test_the_scripts_have_their_part_of_the_catalogues():
    text = tool.WORDS.read_text(encoding="utf-8")
    made = tool.words(tool.extracted())
    start = text.index("{")
    assert json.loads(text[start : text.rindex("}") + 1]) == json.loads(made[start : made.rindex("}") + 1]), MEND


@pytest.mark.parametrize("name", TRANSLATED)
def test_translations_are_filled_in_with_the_same_values(name):
    for english, message in catalogue(name).items():
        wanted = fields(english) | (fields(message.id[1]) if message.pluralizable else set())
        *few, other = forms(message)
        assert fields(other) == wanted, english
        for form in few:
            assert wanted - fields(form) <= {f for f in wanted if f[0] == "count"}, english
            assert fields(form) <= wanted, english


def test_a_name_in_braces_is_a_name_alone():
    for english in template():
        assert all(re.fullmatch(r"\w+", name) for name, _, _ in fields(english)), english


ABOVE_ONE = {"most", "least", "most_steps"}
"""Limits of ours."""

COUNTED = [
    "steps",
    "units",
    "numbers",
    "characters",
    "values",
    "bytes",
    "features",
    "layers",
    "inputs",
    "outputs",
    "rows",
    "columns",
    "weights",
    "others",
    "decades",
    "dimensions",
    "exponents",
    "sequences",
    "elements",
    "lines",
    "words",
    "signs",
    "operations",
    "options",
    "checkpoints",
    "networks",
    "times",
]

NEVER_ONE = {
    "Each step has {count:,} numbers; at most {most} fit.",
    "Each step has {count} numbers; the network's input size is {width}.",
    "Line {line} has {count:,} numbers; at most {most} fit in a step, which is one line.",
    "Line {line} has {count} numbers; the network's input size is {width}, so each line needs {width} "
    "(write decimals with a point: 0.5, not 0,5).",
    "Line {line} has {count} numbers; the network's input size is {width}, so each line needs {width}.",
    "The array has {count} dimensions; a sequence has two, (steps, inputs), or one.",
    "The array holds a batch of {count} sequences, {shape}; save one of them.",
    "The file unpacks to {size:,} bytes; at most {most:,} are read.",
    "The line has {count:,} numbers; at most {most:,} steps fit.",
    "The sequence has {steps:,} steps; at most {most:,} fit.",
    "The table has {count:,} numbers; at most {most:,} are read.",
    "There is no number on the first {count:,} lines.",
    "There is nothing on the first {count:,} lines.",
}
"""What is said only of many, or has a sentence of its own for one."""


def uncounted(english: str) -> list[str]:
    """What stands behind a number and has an English plural: ``{n} steps``."""
    behind = re.finditer(r"\{(\w+)[^}]*\} (?:(?!and|by|of|has)[a-z]+ )?([a-z]+)\b", english)
    return [found[0] for found in behind if found[1] not in ABOVE_ONE and found[2] in COUNTED]


def test_no_counted_noun_is_said_without_its_plural_rule():
    assert uncounted("{n} steps")
    assert uncounted("at {n:,} hidden units")
    assert not uncounted("at most {most:,} steps")
    single = {english for english, message in template().items() if not message.pluralizable}
    said = {english: uncounted(english) for english in single - NEVER_ONE}
    assert {english: found for english, found in said.items() if found} == {}, "say it with trn, or with seqviz.counted"
    assert single >= NEVER_ONE


NAMES = {
    "chrono",
    "Xavier (Glorot)",
    "Graves 2013, https://arxiv.org/abs/1308.0850",
}
"""What is the same in Chinese."""


def test_translations_are_chinese():
    for english, said in translations("zh"):
        if re.search(r"[a-z]{2}", re.sub(r"\{[^}]*\}", "", english)) and english not in NAMES:
            assert re.search(r"[\u4e00-\u9fff]", said), english


def test_a_script_says_no_sentence_that_it_puts_together():
    for path in SCRIPTS:
        assert not re.search(r"\b(?:trn?|later)\(\s*[`'][^)]*", path.read_text(encoding="utf-8")), path.name


def test_a_tr_call_has_its_sentence_with_it_or_the_sentence_was_marked():
    """``tr(name)`` is for labels marked elsewhere; a sentence put together by hand could never be found."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if called(node) in ("tr", "trn", "later"):
                assert not isinstance(node.args[0], (ast.JoinedStr, ast.BinOp)), f"{path.name}:{node.lineno}"


def test_the_words_that_teachers_use():
    words = dict(translations("zh"))
    terms = {
        "forget gate": "遗忘门",
        "input gate": "输入门（记忆门）",
        "output gate": "输出门",
        "cell state": "细胞状态",
    }
    assert {english: words[english] for english in terms} == terms
    assert words["hidden state"] == "隐藏状态"


def test_the_words_that_german_teachers_use():
    words = dict(translations("de"))
    terms = {
        "forget gate": "Vergessensgatter",
        "input gate": "Eingangsgatter",
        "output gate": "Ausgangsgatter",
        "candidate": "Kandidat",
        "cell state": "Zellzustand",
        "hidden state": "verborgener Zustand",
    }
    assert {english: words[english] for english in terms} == terms


OF_ANY_SIGNAL = {
    "Units (none chosen: all)",
    "{what}, unit {units}",
    "{what}, units {units}",
    "The units of an intervention",
    "The units of an intervention are empty; leave them out to edit every unit.",
    "The units of an intervention count from 0; got {unit}.",
    "{signal} has units 0 to {last}; unit {unit} does not exist.",
    "{name} has units 0 to {last}; unit {index} does not exist.",
    "A slice of units must run forwards; got {index!r}.",
    "The output has steps 0 to {last_step} and units 0 to {last_unit}; step {step}, unit {unit} does not exist.",
    "{heading}<br>step %{{x}}, unit %{{y}}<br>%{{z:.4f}}<extra></extra>",
}
"""Inputs and outputs among them, whose units are not hidden."""


def test_a_hidden_unit_is_not_taken_for_the_cell():
    """单元 alone may be either: 隐藏单元 is a unit, 循环单元 the cell."""
    either = {english for english, said in translations("zh") if re.search("(?<!隐藏)(?<!循环)单元", said)}
    assert either <= OF_ANY_SIGNAL


def test_a_sentence_is_said_again_in_another_language():
    later("forget gate")
    inner = tr("forget gate")
    with speaking("zh"):
        assert tr("forget gate") == "遗忘门"
        assert again(inner) == "遗忘门"
        assert again("plain") == "plain"
        assert again(reason(ValueError(inner))) == "遗忘门"
    assert inner == "forget gate"
    assert isinstance(inner, Sentence)
    assert reason(ValueError(inner)) == "forget gate"
    assert reason(ValueError("as it is")) == "as it is"
    assert reason(ValueError()) == ""


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 steps"), (1, "1 step"), (2, "2 steps"), (-1, "−1 step"), (np.int64(1), "1 step"), (1.0, "1.0 steps")],
)
def test_a_noun_is_counted(count, said):
    assert trn("{count} step", "{count} steps", count) == said


@pytest.mark.parametrize(("pace", "said"), [(1.0, "1 decade"), (1.004, "1 decade"), (1.04, "1.04 decades")])
def test_the_form_is_that_of_the_number_as_it_is_read(pace, said):
    assert trn("{count:.3g} decade", "{count:.3g} decades", pace) == said


def test_a_counted_sentence_is_said_again_in_another_language():
    crates = trn("{count} crate", "{count} crates", 1)
    both = tr("{run} of {crates}", run=1, crates=crates)
    assert both == "1 of 1 crate"
    with speaking("zh"):
        assert again(tr("{name}: {says}", name=1, says=tr("forget gate"))) == "1：遗忘门"
        assert again(both) == "1 of 1 crate", "what has no translation stays English, and grammatical"


@pytest.mark.parametrize("of", [float, int, np.float32, np.float64, np.int64])
def test_numbers_below_0_have_a_minus_and_no_hyphen(of):
    assert tr("Clipped at {clip:g}.", clip=of(-2)) == "Clipped at −2."
    assert tr("Clipped at {clip:g}.", clip=of(2)) == "Clipped at 2."
    assert tr("{name} ({signal})", name=of(-2), signal="a-b -1") in ("−2 (a-b -1)", "−2.0 (a-b -1)")
    assert tr("The share must lie above 0 and below 1; got {share!r}.", share=-2.0).endswith("got -2.0.")
    assert [language.number(v, ".2f") for v in (-0.004, -0.0, -0.006, 0.0)] == ["0.00", "0.00", "−0.01", "0.00"]
    assert language.number(-0.001, ".0%") == "0%"
    assert language.number(-1e-7, ".1e") == "−1.0e-07", "the picture's powers of ten keep their hyphen too"


def test_sentences_stand_one_after_the_other_as_in_their_language():
    two = ["Solved.", "", "Stopped."]
    assert language.sentences(two) == "Solved. Stopped."
    with speaking("zh"):
        assert language.sentences(map(tr, two)) == "已学会。已停止。"


def test_no_translation_has_a_space_after_a_full_stop():
    assert [said for _, said in translations("zh") if "。 " in said] == []


def test_words_are_said_when_they_are_looked_up():
    labels = Words({"f": "forget gate"})
    assert labels["f"] == labels.get("f") == "forget gate"
    with speaking("zh"):
        assert labels["f"] == labels.get("f") == "遗忘门"
        assert labels.get("x", "none") == "none"


def test_a_language_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="'fr'"):
        use_language("fr")
    with pytest.raises(ValueError, match="'fr'"), speaking("fr"):
        pass
    use_language("zh")
    try:
        assert language.current() == "zh"
        with speaking("en"):
            assert language.current() == "en"
    finally:
        use_language("en")


def test_what_is_remembered_is_remembered_by_language():
    @kept_spoken
    def says() -> str:
        return str(tr("forget gate"))

    assert says() == "forget gate"
    with speaking("zh"):
        assert says() == "遗忘门"
    assert says() == "forget gate"


def test_a_notebook_reads_chinese_too():
    seqviz.use_language("zh")
    try:
        figure = seqviz.figures.scope(seqviz.run(seqviz.preset("latch")))
        drawn = json.dumps(figure.to_plotly_json(), ensure_ascii=False, default=str)
        with pytest.raises(KeyError, match=r"没有信号 'l9\.q'"):
            seqviz.run(seqviz.preset("latch"))["l9.q"]
    finally:
        seqviz.use_language("en")
    assert "遗忘门" in drawn


def test_both_readmes_have_the_same_commands():
    english, chinese = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh.md"))
    commands = re.findall(r"```sh\n(.*?)```", english, flags=re.DOTALL)
    assert commands
    assert re.findall(r"```sh\n(.*?)```", chinese, flags=re.DOTALL) == commands
