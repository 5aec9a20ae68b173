"""Keep the catalogues in step with the code.

    python tools/catalogue.py update      after adding, changing or removing a sentence
    python tools/catalogue.py missing     what is not translated yet
    python tools/catalogue.py new fr      begin another language

``update zh said.json`` also takes translations that are missing from a file ``{English: translation}``; what is counted
stands by its English for many, with one form for all numbers or a list of the language's forms.

``update`` extracts what Python and the scripts say into ``seqviz/locale/seqviz.pot``, takes new sentences into every
``seqviz/locale/<language>/seqviz.po`` and out of it what is said no more, keeping all translations, and writes what
the scripts need to ``web/words.js``. It may run on files that git has merged line by line.
"""

from __future__ import annotations

import argparse
import ast
import copy
import io
import json
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages import Catalog, Message
from babel.messages.jslexer import Token, unquote_string
from babel.messages.jslexer import tokenize as js_tokens
from babel.messages.pofile import read_po, write_po

from seqviz import locale

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = locale.FOLDER / "seqviz.pot"
WEB = ROOT / "seqviz" / "scope" / "web"
WORDS = WEB / "words.js"
NOT_OURS = ("plotly.min.js", WORDS.name)
HEADER = "# What seqviz says.\n"
FORMS = {"tr": 1, "later": 1, "trn": 2}
"""What marks a sentence, and how many forms of it stand in the call."""

_EMPTY = re.compile(r'^msgid ".+"\n(?:msgid_plural .*\n)?(?:msgstr(?:\[\d\])? ""\n(?!"))+', re.MULTILINE)
"""A message without a translation. Merged line by line, it could stand before the same one with its translation."""

Id = str | tuple[str, str]
Found = tuple[Id, int]


def empty(language: str | None = None) -> Catalog:
    """A catalogue without a message."""
    return Catalog(locale=language, project="seqviz", charset="utf-8", header_comment=HEADER, fuzzy=False)


def sources() -> list[Path]:
    """Every file that says something."""
    python = [*(ROOT / "seqviz").rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "app.py"]
    return sorted(python) + sorted(path for path in WEB.rglob("*.js") if path.name not in NOT_OURS)


def in_python(source: str) -> Iterator[Found]:
    """Messages and their lines: ``tr``, ``trn`` and ``later``, one inside another too, and the labels of ``Words``."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
            continue
        if node.func.id == "Words" and isinstance(node.args[0], ast.Dict):
            yield from ((text, line) for value in node.args[0].values for text, line in _texts(value))
        elif node.func.id == "trn":
            forms = [text for argument in node.args[:2] for text, _ in _texts(argument)]
            if len(forms) == 2:
                yield (forms[0], forms[1]), node.lineno
        elif node.func.id in FORMS:
            yield from _texts(node.args[0])


def _texts(node: ast.expr) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.IfExp):
        yield from (*_texts(node.body), *_texts(node.orelse))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value, node.lineno


def in_script(source: str) -> Iterator[Found]:
    """The same of a script; there a sentence stands in double quotes, right behind its bracket, a long one in several
    strings with a plus between them."""
    tokens: list[Token] = []
    for token in js_tokens(source):
        if token.type == "string" and [(t.type, t.value) for t in tokens[-1:]] == [("operator", "+")]:
            before = tokens[-2]
            tokens[-2:] = [before._replace(value=before.value[:-1] + token.value[1:])]
        elif token.type not in ("linecomment", "multilinecomment"):
            tokens.append(token)
    for k, token in enumerate(tokens):
        forms = FORMS.get(token.value, 0)
        texts = tokens[k + 2 : k + 2 * forms + 1 : 2]
        if forms and tokens[k + 1].value == "(" and all(text.type == "string" for text in texts):
            said = [unquote_string(text.value) for text in texts]
            yield (said[0] if forms == 1 else (said[0], said[1])), token.lineno


def comments(path: Path, source: str) -> dict[int, str]:
    """What a file tells translators, by the line that it stands on: ``Translators: …``."""
    if path.suffix == ".js":
        found = re.finditer(r"// (Translators: .*)", source)
        return {source.count("\n", 0, match.start()) + 1: match[1] for match in found}
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    notes = ((t.start[0], t.string.lstrip("# ")) for t in tokens if t.type == tokenize.COMMENT)
    return {line: text for line, text in notes if text.startswith("Translators: ")}


def extracted() -> Catalog:
    """The template: every message of the code, where it is said, and what its translators should know."""
    template = empty()
    for path in sources():
        source = path.read_text(encoding="utf-8")
        notes = comments(path, source)
        place = path.relative_to(ROOT).as_posix()
        for said, line in (in_script if path.suffix == ".js" else in_python)(source):
            told = [notes[above] for above in (line - 1, line) if above in notes]
            known = template.get(said if isinstance(said, str) else said[0])
            if known and known.id != said:
                raise SystemExit(f"{place}:{line}: {said!r} stands elsewhere as {known.id!r}")
            template.add(said, locations=[(place, 0)], auto_comments=told).flags.discard("python-format")
    return template


def known(language: str) -> Catalog:
    """A language's file as it stands."""
    text = locale.file(language).read_text(encoding="utf-8")
    return read_po(io.BytesIO(_EMPTY.sub("", text).encode()))


def updated(language: str, template: Catalog) -> Catalog:
    """A language's file with exactly the template's messages and every translation that it has for them."""
    catalog = known(language)
    fresh = empty(catalog.locale_identifier)
    for message in template:
        if message.id:
            fresh[message.id] = _translated(message, catalog, fresh.num_plurals)
    return fresh


def _translated(message: Message, catalog: Catalog, plurals: int) -> Message:
    before = catalog.get(key(message))
    said = before.string if before else ""
    first = said if isinstance(said, str) else said[0]
    fresh = copy.copy(message)
    fresh.string = first
    if message.pluralizable:
        fresh.string = said if isinstance(said, tuple) and len(said) == plurals else (first, *[""] * (plurals - 1))
    fresh.user_comments = before.user_comments if before else []
    return fresh


def written(catalog: Catalog) -> str:
    """A catalogue as it stands in its file: by the alphabet, a line a text, without dates, so that merging is easy."""
    out = io.BytesIO()
    write_po(out, catalog, width=0, sort_output=True, include_lineno=False)
    unwanted = r'^"(POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team|Report-Msgid-Bugs-To): .*\n'
    return re.sub(unwanted, "", out.getvalue().decode(), flags=re.MULTILINE)


def words(template: Catalog) -> str:
    """``words.js``: of every language, what the scripts say."""
    keys = sorted(key(m) for m in template if any(place.endswith(".js") for place, _ in m.locations))
    said = {}
    for language in locale.names():
        catalogue = locale.read(language)
        texts = {english: _by_category(catalogue, english) for english in keys if english in catalogue.texts}
        said[language] = {"tag": catalogue.tag, "texts": texts}
    content = json.dumps(said, ensure_ascii=False, indent=1)
    origin = "// Made by tools/catalogue.py from seqviz/locale: what the scripts say in each language."
    return f"{origin}\n\nexport default {content};\n"


def key(message: Message) -> str:
    """What a message is found by: its English, for 1 if it counts."""
    return message.id if isinstance(message.id, str) else message.id[0]


def _by_category(catalogue: locale.Catalogue, english: str) -> str | dict[str, str]:
    forms = catalogue.texts[english]
    if len(forms) == 1:
        return forms[0]
    return {category: forms[form] for category, form in sorted(catalogue.forms.items())}


def update(given: dict[str, dict[str, Any]] | None = None) -> None:
    """Write every file anew; `given` translations, by language, fill what is empty."""
    template = extracted()
    TEMPLATE.write_text(written(template), encoding="utf-8")
    for language in locale.names():
        catalog = updated(language, template)
        for message in catalog:
            text = (given or {}).get(language, {}).get(message.id if isinstance(message.id, str) else message.id[1])
            if text and not any(_strings(message)):
                forms = tuple(text) if isinstance(text, list) else (text,) * catalog.num_plurals
                message.string = text if isinstance(message.id, str) else forms
        locale.file(language).write_text(written(catalog), encoding="utf-8")
    locale.read.cache_clear()
    WORDS.write_text(words(template), encoding="utf-8")


def missing() -> dict[str, list[Id]]:
    """What each language has no translation for."""
    template = extracted()
    return {
        language: [m.id for m in updated(language, template) if m.id and (m.fuzzy or not all(_strings(m)))]
        for language in locale.names()
    }


def _strings(message: Message) -> tuple[str, ...]:
    return message.string if isinstance(message.string, tuple) else (message.string,)


def begin(language: str) -> None:
    """A new language's file: all it needs."""
    name = Locale.parse(language, sep="_" if "_" in language else "-").get_display_name()
    catalog = empty(language)
    catalog.add("English", name or language)
    locale.file(language).parent.mkdir()
    locale.file(language).write_text(written(catalog), encoding="utf-8")
    update()


def main() -> None:
    """Do what the command says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    change = commands.add_parser("update")
    change.add_argument("language", nargs="?", default="zh")
    change.add_argument("said", nargs="*", type=Path)
    commands.add_parser("missing")
    commands.add_parser("new").add_argument("language")
    given = parser.parse_args()
    if given.command == "new":
        begin(given.language)
    elif given.command == "update":
        update({given.language: {k: v for path in given.said for k, v in json.loads(path.read_text()).items()}})
    for language, texts in missing().items():
        print(f"{language}: {len(texts)} not translated", *texts, sep="\n  ")


if __name__ == "__main__":
    main()
